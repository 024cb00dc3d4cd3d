"""Whoever is away is known to be; stewards hear of it once, and once when it is back, and of lost rights likewise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from groupops import Capability, GroupId, Health, Role, Stage
from groupops.errors import StoreError
from groupops.health import LOOK_S, SETTLE, Tell, Watch
from groupops.plugin import texts_of
from groupops.scenario.refusing import RefusingRecords
from groupops.store.memory import MemoryRecords
from groupops.testing import Rig, rig
from groupops_sandbox import Sandbox
from tests.support.confidant import Confidant
from tests.support.stories import PACK, plugin

G = GroupId("sandbox:g1")
S = timedelta(seconds=1)
NEEDS = frozenset({Capability.MUTE, Capability.DELETE_MESSAGE, Capability.SEND_TEXT})


@dataclass
class Watching:
    r: Rig
    watch: Watch
    back: list[str] = field(default_factory=list)

    async def play(self, seconds: float) -> None:
        """Let time pass, looking as often as the bot does."""
        for _ in range(int(seconds / LOOK_S)):
            self.r.clock.advance(LOOK_S * S)
            await self.watch.look()
            await self.r.settle()

    def said(self) -> list[str]:
        return [letter.post.text for letter in self.r.sandbox.world.letters]

    async def open_tickets(self) -> list[str]:
        return [ticket.text for ticket in await self.r.records.tickets()]

    def warned(self, what: str) -> int:
        return sum(line[1] == what for line in self.r.log.lines)

    def state(self, connected: bool, **more: Any) -> None:
        """Have the platform say how it is."""
        self.r.sandbox.health = lambda: Health(connected=connected, **more)

    def far(self) -> Sandbox:
        """Add a second platform, on which a steward sits."""
        far = Sandbox(self.r.clock, name="far")
        far.group("g1")
        far.member("g1", "boss")
        self.r.engine.parts.platforms["far"] = far
        return far


@asynccontextmanager
async def watching(*, tell: Tell = "ticket", grace: float = 60, **more: Any) -> AsyncIterator[Watching]:
    extra = {"rude": plugin(needs=NEEDS)}
    async with rig(**{"pack": PACK, "plugins": (), "extra": extra, **more}) as r:
        engine = r.engine
        watch = Watch(
            platforms=engine.parts.platforms,
            plans=engine.plans,
            people=engine.people,
            records=r.records,
            outbox=engine.outbox,
            manifests=engine.parts.hooks.manifests,
            texts=engine.texts,
            clock=r.clock,
            log=r.log,
            tell=tell,
            grace=grace * S,
        )
        made = Watching(r, watch)
        watch.reconnected = made.back.append
        made.state(connected=True)
        await made.play(SETTLE / S + 2 * LOOK_S)
        yield made


def bot_role(w: Watching, role: Role) -> None:
    w.r.sandbox.world.room("g1").bot_role = role


# — as it is —


async def test_how_a_platform_is_comes_from_its_adapter_with_what_was_heard_of_it() -> None:
    async with watching() as w:
        heartbeat = w.r.clock.now() - 9 * S
        w.state(connected=True, last_event_at=heartbeat, note="heartbeat", bots={"1": True, "2": False})
        assert w.watch.states()["sandbox"].last_event_at == heartbeat

        w.watch.heard["sandbox"] = w.r.clock.nanos()
        state = w.watch.states()["sandbox"]
        assert state.last_event_at == w.r.clock.now()
        assert (state.note, state.bots) == ("heartbeat", {"1": True, "2": False})


async def test_a_platform_that_says_nothing_of_itself_is_as_its_bots_are() -> None:
    async with watching() as w:
        del w.r.sandbox.health
        assert w.watch.states()["sandbox"].connected, "it does not come through NoneBot"

        w.watch.bots = lambda _: {"10000": True}
        assert w.watch.states()["sandbox"].bots == {"10000": True}
        w.watch.bots = lambda _: {}
        state = w.watch.states()["sandbox"]
        assert (state.connected, state.note) == (False, "no bot")


async def test_a_platform_that_cannot_say_how_it_is_is_not_well() -> None:
    async with watching() as w:

        def raising() -> Health:
            raise OSError("reset")

        w.r.sandbox.health = raising
        state = w.watch.states()["sandbox"]
        assert (state.connected, state.note) == (False, "OSError")


# — away and back —


async def test_a_steward_reads_at_the_console_that_the_group_s_platform_is_away() -> None:
    async with watching(stewards=("secret:boss",)) as w:
        confidant = Confidant(w.r.clock)
        confidant.hear("boss", "在")
        w.r.engine.parts.platforms["secret"] = confidant
        w.state(connected=False, note="bot_offline: elsewhere")
        await w.play(300)

        assert [account for account, _ in confidant.said] == ["secret:boss"]
        assert "连接已中断" in confidant.said[0][1]


async def test_that_a_console_is_away_is_a_ticket_of_a_group_and_said_where_stewards_can_be_reached() -> None:
    async with watching(stewards=("sandbox:admin",)) as w:
        confidant = Confidant(w.r.clock)
        w.r.engine.parts.platforms["secret"] = confidant
        confidant.health = lambda: Health(connected=False, note="token is stale")  # type: ignore[attr-defined]
        await w.play(300)

        assert any("token is stale" in text for text in w.said())
        assert len(await w.open_tickets()) == 1


async def test_stewards_hear_once_that_a_platform_is_away_and_once_that_it_is_back() -> None:
    async with watching(stewards=("sandbox:admin", "far:boss")) as w:
        far = w.far()
        await w.r.engine.bind_group(GroupId("far:g1"), packs=["story"], name="far")
        w.state(connected=False, note="bot_offline: elsewhere")
        await w.play(300)

        [letter] = far.world.letters
        away = "平台 sandbox 的连接已中断(自 03-03 09:01 起):bot_offline: elsewhere。"
        assert letter.post.text.startswith(away)
        assert w.said() == [], "nothing is sent by a door that is shut"
        assert len(await w.open_tickets()) == 1

        w.state(connected=True)
        await w.play(60)
        assert w.said() == ["平台 sandbox 的连接已恢复(中断约 5 分钟)。"]
        assert len(far.world.letters) == 2
        assert await w.open_tickets() == []
        assert w.back == ["sandbox"]


async def test_a_short_break_is_nobody_s_business_but_the_lists_are_read_again() -> None:
    async with watching() as w:
        w.state(connected=False)
        await w.play(50)
        w.state(connected=True)
        await w.play(100)

        assert w.said() == []
        assert await w.open_tickets() == []
        assert w.back == ["sandbox"]
        assert w.warned("platform is away") == 1


async def test_a_break_between_two_looks_is_seen_by_its_moment() -> None:
    async with watching() as w:
        w.state(connected=True, since=w.r.clock.now())
        await w.play(20)
        assert w.back == []

        w.state(connected=True, since=w.r.clock.now())
        await w.play(20)
        assert w.back == ["sandbox"]


async def test_where_only_the_log_is_to_be_told_no_steward_is() -> None:
    async with watching(tell="log") as w:
        w.state(connected=False)
        await w.play(300)
        w.state(connected=True)
        await w.play(100)

        assert w.said() == []
        assert await w.open_tickets() == []
        assert w.warned("platform is away for long") == 1


async def test_what_the_database_refused_to_keep_is_said_when_it_is_back() -> None:
    records = RefusingRecords(MemoryRecords())
    async with watching(records=records) as w:
        w.state(connected=False)
        await w.play(60)
        records.refuses = True
        for _ in range(4):
            w.r.clock.advance(LOOK_S * S)
            with pytest.raises(StoreError):
                await w.watch.look()
        records.refuses = False
        await w.play(20)

        assert len(await w.open_tickets()) == 1


async def test_the_watch_outlives_whatever_goes_wrong_in_a_look() -> None:
    async with watching() as w:
        can, wrong = w.r.sandbox.can, [True]

        def failing(group: GroupId) -> frozenset[Capability]:
            if wrong:
                raise KeyError(group)
            return can(group)  # type: ignore[no-any-return]

        w.r.sandbox.can = failing
        running = asyncio.create_task(w.watch.run())
        await asyncio.sleep(0)
        wrong.clear()
        bot_role(w, Role.MEMBER)
        await w.r.clock.play_to(w.r.clock.now() + 5 * LOOK_S * S)

        assert w.warned("look ended early") == 1
        assert w.warned("abilities changed") == 1
        running.cancel()


# — what the bot may do —


# — what was missed —


async def missed(w: Watching) -> list[str]:
    return [text for text in await w.open_tickets() if "补不回来" in text]


async def test_where_nobody_listened_and_nothing_can_be_had_later_the_stewards_hear_since_when() -> None:
    async with watching(profile="qq-official") as w:
        w.watch.missed_since["sandbox"] = w.r.clock.now() - timedelta(hours=2)
        await w.play(3 * LOOK_S)
        await w.play(60)

        (text,) = await missed(w)
        assert "03-03 07:01 至 03-03 09:00" in text
        assert w.watch.missed_since == {}


async def test_where_what_was_said_can_be_had_later_nothing_is_said_of_it() -> None:
    async with watching() as w:
        w.watch.missed_since["sandbox"] = w.r.clock.now() - timedelta(hours=2)
        await w.play(60)

        assert await missed(w) == []
        assert w.warned("not listened") == 0


async def test_a_platform_that_was_away_for_moments_has_missed_nothing_worth_a_word() -> None:
    async with watching(profile="qq-official") as w:
        w.state(connected=False)
        await w.play(20)
        w.state(connected=True)
        await w.play(120)
        assert await missed(w) == []

        w.state(connected=False)
        await w.play(120)
        w.state(connected=True)
        await w.play(120)
        assert len(await missed(w)) == 1


async def test_what_a_platform_still_has_to_read_counts_as_missed_until_it_is_read() -> None:
    async with watching() as w:
        w.r.sandbox.resume = lambda _: None  # type: ignore[attr-defined]
        w.r.sandbox.behind = lambda: {G: w.r.clock.now()}  # type: ignore[attr-defined]
        w.watch.missed_since["sandbox"] = w.r.clock.now() - timedelta(hours=2)
        await w.play(60)

        assert len(await missed(w)) == 1


async def test_a_bot_that_is_no_admin_any_more_says_once_what_no_longer_works() -> None:
    async with watching() as w:
        bot_role(w, Role.MEMBER)
        await w.play(300)

        [said] = set(w.said())
        assert "现在不能:撤回消息、禁言、移出成员" in said
        assert len(w.said()) == 3, "the owner and two stewards, each once"
        assert await w.open_tickets() == [said]
        [line] = await w.r.records.audit(what="abilities changed")
        assert line.detail == {"lost": ["delete_message", "mute", "remove_member"], "back": []}


async def test_a_right_that_is_given_back_is_told_once_and_closes_the_ticket() -> None:
    async with watching() as w:
        bot_role(w, Role.MEMBER)
        await w.play(60)
        bot_role(w, Role.ADMIN)
        await w.play(300)

        assert len(w.said()) == 6
        assert set(w.said()[3:]) == {"机器人在本群恢复了:撤回消息、禁言、移出成员。"}
        assert await w.open_tickets() == []


async def test_a_right_that_flickers_is_not_worth_a_word() -> None:
    async with watching() as w:
        for _ in range(6):
            bot_role(w, Role.MEMBER)
            await w.play(LOOK_S)
            bot_role(w, Role.ADMIN)
            await w.play(LOOK_S)

        assert w.said() == []


async def test_what_a_platform_never_could_is_no_loss() -> None:
    async with watching(profile="wechat-wechaty") as w:
        await w.play(300)

        assert w.said() == []
        assert w.warned("abilities changed") == 0


async def test_what_nobody_needs_may_come_and_go() -> None:
    async with watching() as w:
        can = w.r.sandbox.can
        w.r.sandbox.can = lambda group: can(group) - {Capability.ANNOUNCE, Capability.SET_CARD}
        await w.play(100)

        assert w.warned("abilities changed") == 0


async def test_what_a_platform_says_comes_and_goes_by_itself_is_no_loss() -> None:
    async with watching() as w:
        can = w.r.sandbox.can
        w.r.sandbox.fleeting = lambda _: frozenset({Capability.SEND_TEXT})
        w.r.sandbox.can = lambda group: can(group) - {Capability.SEND_TEXT}
        await w.play(100)

        assert w.warned("abilities changed") == 0


async def test_a_platform_that_is_away_is_not_said_to_have_lost_its_rights_as_well() -> None:
    async with watching() as w:
        can = w.r.sandbox.can
        w.state(connected=False)
        w.r.sandbox.can = lambda _: frozenset()
        await w.play(200)
        w.state(connected=True)
        await w.play(30)
        w.r.sandbox.can = can
        await w.play(100)

        assert w.warned("abilities changed") == 0


async def test_a_group_that_only_tries_its_rules_hears_nothing_of_rights() -> None:
    async with watching(stage=Stage.SHADOW) as w:
        bot_role(w, Role.MEMBER)
        await w.play(100)

        assert w.said() == []
        assert w.warned("abilities changed") == 1


async def test_rules_that_change_are_no_loss_of_rights() -> None:
    async with watching() as w:
        bot_role(w, Role.MEMBER)
        await w.play(100)
        before = len(w.said())
        await w.r.engine.set(G, "discipline.mute_minutes", 30, author="test")
        await w.play(100)

        assert len(w.said()) == before


def test_every_ability_has_its_words() -> None:
    texts = texts_of("groupops")

    assert [one for one in Capability if not texts.has(f"able.{one}")] == []
