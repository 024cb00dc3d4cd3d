"""Actions are stored, performed at least once and degraded step by step; what is in doubt is shown, never repeated."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from groupops import (
    AccountId,
    Action,
    Announce,
    AskStewards,
    Capability,
    DecideJoin,
    DeleteMessage,
    DirectMessage,
    GroupId,
    Mute,
    MuteAll,
    ReadCheckIns,
    RemoveMember,
    RenameGroup,
    Reply,
    SendCard,
    SendFile,
    SendImage,
    SendText,
    SetCard,
    Unmute,
    UpdateCard,
)
from groupops.engine import Engine
from groupops.errors import StoreError
from groupops.outbox import KEEP, MAX_ATTEMPTS, stand_ins
from groupops.plugin import texts_of
from groupops.records import OutboxState, Purpose
from groupops.testing import Rig, rig
from tests.support.stories import PACK, done, plugin, rude

G = GroupId("sandbox:g1")
WANG = AccountId("sandbox:wang")
BARE = PACK.split("[clause")[0].replace('["rude"]', "[]")
TEXT = SendText(group_id=G, text="你好")
MUTE = Mute(group_id=G, account=WANG, span=timedelta(minutes=5))


def desk(**more: Any) -> Any:
    return rig(pack=BARE, plugins=(), **more)


async def put(r: Rig, *actions: Action, purpose: Purpose = "step", event_id: str = "e") -> None:
    await r.records.enqueue(r.engine.outbox.rows(event_id, purpose, actions))


async def states(r: Rig) -> list[str]:
    return [f"{row.action.kind} {row.state.value}" for row in await r.records.outbox()]


def without(r: Rig, *missing: Capability) -> None:
    """Take capabilities from the platform."""
    before = r.sandbox.can
    r.sandbox.can = lambda group: before(group) - set(missing)


async def test_an_action_that_is_done_is_done_once_however_often_the_outbox_is_pumped() -> None:
    async with desk() as r:
        await put(r, TEXT)
        for _ in range(3):
            await r.engine.outbox.pump()

        assert done(r) == [TEXT]
        assert await states(r) == ["send_text done"]


async def test_an_action_stored_twice_under_one_key_is_one_action() -> None:
    async with desk() as r:
        await put(r, TEXT)
        await put(r, SendText(group_id=G, text="anything"))
        await r.settle()

        assert done(r) == [TEXT]


async def test_what_is_to_wait_waits() -> None:
    async with desk() as r:
        later = r.clock.now() + timedelta(hours=2)
        await r.records.enqueue(r.engine.outbox.rows("e", "react", (TEXT,), not_before=later))
        await r.advance(timedelta(minutes=119))
        assert done(r) == []

        await r.advance(timedelta(minutes=1))
        assert done(r) == [TEXT]


async def test_whoever_says_not_now_is_asked_again_when_he_said() -> None:
    async with desk() as r:
        r.sandbox.faults.throttle("send_text", times=3, retry_after=timedelta(minutes=10))
        await put(r, TEXT)
        await r.settle()
        await r.advance(timedelta(minutes=29))
        assert done(r) == []

        await r.advance(timedelta(minutes=1))
        assert done(r) == [TEXT]


async def test_what_cannot_be_sent_waits_for_as_long_as_it_is_worth_it_and_then_a_human_is_asked() -> None:
    async with desk() as r:
        r.sandbox.faults.unplug("mute")
        await put(r, MUTE)
        await r.settle()
        await r.advance(KEEP - timedelta(minutes=5))
        assert (await states(r), await r.records.tickets()) == (["mute waiting"], ())

        await r.advance(timedelta(minutes=10))
        [ticket] = await r.records.tickets()
        assert ticket.wanted == MUTE
        assert (await states(r))[:2] == ["mute failed", "ask_stewards done"]


async def test_what_could_not_be_sent_for_hours_is_sent_when_the_platform_is_back() -> None:
    async with desk() as r:
        r.sandbox.faults.unplug("send_text", times=200)
        await put(r, TEXT)
        await r.settle()
        await r.advance(timedelta(hours=8))

        assert done(r) == [TEXT]


async def test_a_mute_that_was_to_contain_somebody_is_worth_nothing_after_its_time() -> None:
    async with desk() as r:
        r.sandbox.faults.unplug("mute")
        await put(r, Mute(group_id=G, account=WANG, span=timedelta(minutes=30)), purpose="contain")
        await r.settle()
        await r.advance(timedelta(minutes=28))
        assert await states(r) == ["mute waiting"]

        await r.advance(timedelta(minutes=5))
        assert (await states(r))[0] == "mute failed"


async def test_attendance_that_could_not_be_asked_is_not_asked_about_those_people_much_later() -> None:
    async with desk() as r:
        r.sandbox.faults.unplug("read_check_ins", times=200)
        now = r.clock.now()
        await put(r, ReadCheckIns(group_id=G, accounts=(WANG,), since=now, until=now), purpose="react")
        await r.settle()
        await r.advance(timedelta(minutes=8))
        assert await states(r) == ["read_check_ins waiting"]

        await r.advance(timedelta(minutes=5))
        assert await states(r) == ["read_check_ins failed"]


async def test_tries_that_reached_nobody_are_no_tries_when_an_answer_is_lost_at_last() -> None:
    async with desk() as r:
        r.sandbox.faults.unplug("mute", times=2 * MAX_ATTEMPTS)
        await put(r, MUTE)
        await r.settle()
        await r.advance(timedelta(minutes=10))
        r.sandbox.faults.heal()
        r.sandbox.faults.lose_answers("mute", done=False)
        await r.advance(timedelta(minutes=30))

        assert await states(r) == ["mute done"]


async def test_a_repeatable_action_whose_answers_are_lost_again_and_again_is_shown_in_the_end() -> None:
    async with desk() as r:
        r.sandbox.faults.lose_answers("mute", times=10 * MAX_ATTEMPTS, done=False)
        await put(r, MUTE)
        await r.settle()
        await r.advance(timedelta(hours=1))

        tried = [line for line in r.sandbox.world.requests if line.action.kind == "mute"]
        assert len(tried) == MAX_ATTEMPTS
        assert (await states(r))[0] == "mute in_doubt"


# — in doubt —


async def test_a_text_whose_answer_was_lost_is_shown_to_a_steward_and_never_sent_again() -> None:
    async with desk() as r:
        without(r, Capability.DEDUPE_SENDS)
        r.sandbox.faults.lose_answers("send_text")
        await put(r, TEXT)
        await r.settle()
        await r.advance(timedelta(hours=1))

        assert done(r) == [TEXT]
        assert await states(r) == ["send_text in_doubt"]
        assert [ticket.key for ticket in await r.records.tickets()] == ["doubt:e#0"]


async def test_a_text_whose_answer_was_lost_is_sent_again_where_keys_are_honoured() -> None:
    async with desk() as r:
        r.sandbox.faults.lose_answers("send_text", done=False)
        await put(r, TEXT)
        await r.settle()
        await r.advance(timedelta(hours=1))

        assert done(r) == [TEXT]
        assert await states(r) == ["send_text done"]


async def test_a_mute_whose_answer_was_lost_is_simply_repeated() -> None:
    async with desk() as r:
        without(r, Capability.DEDUPE_SENDS)
        r.sandbox.faults.lose_answers("mute")
        await put(r, MUTE)
        await r.settle()
        await r.advance(timedelta(hours=1))

        assert await states(r) == ["mute done"]


async def test_a_doubt_is_not_forgotten_because_the_platform_went_away_afterwards() -> None:
    async with desk() as r:
        await put(r, TEXT)
        [row] = await r.records.outbox()
        now = r.clock.now()
        await r.records.performing([row.id], now)
        await r.engine.outbox.recover()
        without(r, Capability.DEDUPE_SENDS)
        away = r.engine.parts.platforms.pop("sandbox")
        await r.engine.outbox.pump()
        assert [str(row.state) for row in await r.records.outbox()] == ["waiting"]

        r.engine.parts.platforms["sandbox"] = away
        await r.advance(timedelta(minutes=1))

        assert await states(r) == ["send_text in_doubt"]
        assert done(r) == []


async def test_a_platform_that_raises_leaves_its_action_in_doubt_and_the_others_unharmed() -> None:
    async with desk() as r:
        perform = r.sandbox.perform

        async def raising(action: Action, *, key: str) -> Any:
            if action == TEXT:
                raise OSError("reset")
            return await perform(action, key=key)

        r.sandbox.perform = raising
        without(r, Capability.DEDUPE_SENDS)
        await put(r, TEXT, SendText(group_id=G, text="还在"))
        await r.settle()

        assert await states(r) == ["send_text in_doubt", "send_text done"]


# — after a crash —


async def test_what_was_in_hand_when_the_process_died_is_taken_up_by_the_one_that_runs() -> None:
    async with desk() as r:
        await put(r, TEXT, MUTE, AskStewards(group_id=G, text="看一看"))
        await r.records.performing([row.id for row in await r.records.outbox()], r.clock.now())
        await r.engine.outbox.pump()
        assert done(r) == []

        assert await r.engine.outbox.recover() == 3
        await r.settle()

        assert {row.state for row in await r.records.outbox()} == {OutboxState.DONE}
        assert len(done(r, "send_text")) == 1


async def test_an_operator_s_command_takes_nothing_from_the_bot_that_runs() -> None:
    async with desk() as r:
        await put(r, TEXT)
        await r.records.performing([row.id for row in await r.records.outbox()], r.clock.now())

        await Engine.build(r.engine.parts).start()

        assert await states(r) == ["send_text performing"]


async def test_asking_the_stewards_twice_opens_one_ticket_and_writes_to_each_once() -> None:
    async with desk() as r:
        without(r, Capability.DEDUPE_SENDS)
        await put(r, AskStewards(group_id=G, text="看一看"))
        await r.settle()
        [asked] = [row for row in await r.records.outbox() if row.action.kind == "ask_stewards"]
        await r.records.receipted(asked.id, OutboxState.PERFORMING, None, r.clock.now())

        await r.engine.outbox.recover()
        await r.settle()

        assert len(await r.records.tickets()) == 1
        assert len(done(r, "direct_message")) == 3, "one for each steward and the owner"


# — taken back meanwhile —


@dataclass
class Slow:
    """A platform on which a case can be decided while an action is on its way."""

    real: Any
    meanwhile: Any
    asked: list[Action] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def perform(self, action: Action, *, key: str) -> Any:
        self.asked.append(action)
        if isinstance(action, Mute) and len(self.asked) > 1:
            await self.meanwhile()
        return await self.real.perform(action, key=key)


async def test_what_is_done_while_its_case_is_taken_back_is_taken_back_too() -> None:
    extra = {"rude": plugin(judge=rude(mute_minutes=10))}
    async with rig(pack=PACK, plugins=(), extra=extra) as r:

        async def undo() -> None:
            await r.engine.flow.handle(r.sandbox.whisper("g1", "admin", "撤销 1 误判"))

        r.engine.parts.platforms["sandbox"] = Slow(r.sandbox, undo)
        await r.say("g1", "wang", "坏")
        await r.settle()

        assert r.sandbox.world.seat("g1", "wang").muted_until is None


# — chains —


def called(account: AccountId) -> str:
    return account.partition(":")[2]


CHAINS: list[tuple[Action, list[str]]] = [
    (DeleteMessage(group_id=G, message_id="1", account=WANG), ["send_text", "ask_stewards"]),
    (DeleteMessage(group_id=G, message_id="1"), ["ask_stewards"]),
    (MUTE, ["send_text", "ask_stewards"]),
    (Unmute(group_id=G, account=WANG), ["ask_stewards"]),
    (MuteAll(group_id=G), ["send_text"]),
    (MuteAll(group_id=G, on=False), ["send_text"]),
    (RemoveMember(group_id=G, account=WANG), ["ask_stewards"]),
    (SetCard(group_id=G, account=WANG, card="张三"), ["direct_message"]),
    (RenameGroup(group_id=G, name="项目群"), ["ask_stewards"]),
    (DecideJoin(group_id=G, account=WANG, request_id="1", accept=True), ["ask_stewards"]),
    (DecideJoin(group_id=G, account=WANG, request_id="1", accept=False), ["ask_stewards"]),
    (DirectMessage(group_id=G, account=WANG, text="私", neutral="公"), ["send_text"]),
    (DirectMessage(group_id=G, account=WANG, text="私"), []),
    (Reply(group_id=G, message_id="1", text="好", account=WANG), ["send_text"]),
    (SendCard(group_id=G, title="t", text="x"), ["send_text"]),
    (SendCard(group_id=G, title="t", text="x", account=WANG), ["direct_message"]),
    (UpdateCard(group_id=G, card_id="1", title="t", text="x"), ["send_text"]),
    (Announce(group_id=G, text="通知"), ["send_text"]),
    (SendImage(group_id=G, data=b"", caption="图"), ["send_text"]),
    (SendImage(group_id=G, data=b""), []),
    (SendFile(group_id=G, name="a.pdf", data=b""), ["send_text"]),
    (SendFile(group_id=G, name="a.pdf", data=b"", account=WANG), ["direct_message"]),
    (TEXT, []),
]


@pytest.mark.parametrize(("action", "kinds"), CHAINS, ids=lambda value: getattr(value, "kind", ""))
def test_what_cannot_be_done_has_its_next_link(action: Action, kinds: list[str]) -> None:
    links = stand_ins(action, called, texts_of("groupops"))

    assert [link.kind for link in links] == kinds
    assert all(link.group_id == G for link in links)


async def test_a_private_word_that_cannot_be_written_is_said_without_details_in_the_group() -> None:
    async with desk() as r:
        without(r, Capability.DIRECT_MESSAGE)
        await put(r, DirectMessage(group_id=G, account=WANG, text="您被警告:骂人", neutral="请看私信"))
        await r.settle()

        assert [action.text for action in done(r)] == ["请看私信"]


@pytest.mark.parametrize(("purpose", "tickets"), [("step", 1), ("notice", 1), ("react", 0), ("reminder", 0)])
async def test_what_a_human_has_to_know_and_has_no_other_way_becomes_a_ticket(
    purpose: Purpose, tickets: int
) -> None:
    async with desk() as r:
        r.sandbox.faults.refuse("send_text", times=1)
        await put(r, TEXT, purpose=purpose)
        await r.settle()

        opened = await r.records.tickets()
        assert ["未能在平台上完成" in ticket.text for ticket in opened] == [True] * tickets


async def test_what_has_gone_needs_nothing_in_its_place() -> None:
    async with desk() as r:
        await put(r, DeleteMessage(group_id=G, message_id="none", account=WANG))
        await r.settle()

        assert await states(r) == ["delete_message failed"]
        assert await r.records.tickets() == ()


async def test_a_private_word_to_nobody_is_given_up_at_once() -> None:
    """A fact about nobody was answered: no platform is away that could come back and say who it is."""
    async with desk() as r:
        nobody = AccountId("")
        await put(
            r, DirectMessage(group_id=G, account=nobody, text="欢迎", neutral="请看私信"), purpose="react"
        )
        await r.settle()

        assert await states(r) == ["direct_message failed"]
        assert done(r) == [], "the group does not hear of it either"


async def test_where_nobody_can_be_written_to_the_group_hears_of_a_ticket_and_no_details() -> None:
    async with desk() as r:
        without(r, Capability.DIRECT_MESSAGE)
        await put(r, AskStewards(group_id=G, text="请移出 wang"))
        await r.settle()

        [said] = done(r)
        assert "工单 1" in said.text
        assert "wang" not in said.text


# — the loop —


async def test_the_loop_outlives_a_record_that_is_away_and_stops_when_it_is_told() -> None:
    async with desk() as r:
        real = r.records.outbox
        refuse = [True]

        async def outbox(**more: Any) -> Any:
            if refuse:
                raise StoreError("away")
            return await real(**more)

        r.records.outbox = outbox  # type: ignore[method-assign]
        await put(r, TEXT)
        loop = asyncio.create_task(r.engine.outbox.run())
        await asyncio.sleep(0.01)
        await r.clock.play_to(r.clock.now() + timedelta(seconds=3))
        assert done(r) == []
        refuse.clear()
        await r.clock.play_to(r.clock.now() + timedelta(seconds=3))
        assert done(r) == [TEXT]

        r.engine.outbox.stop()
        await asyncio.wait_for(loop, 1)
        assert any(what == "outbox could not be pumped" for _, what, _ in r.log.lines)


async def test_in_a_rehearsal_nothing_reaches_a_platform() -> None:
    async with desk() as r:
        r.engine.outbox.rehearse = True
        await put(r, TEXT, MUTE)
        await r.settle()

        assert await states(r) == ["send_text rehearsed", "mute rehearsed"]
        assert r.sandbox.world.requests == []


@pytest.mark.parametrize("profile", ["full", "qq-official"])
async def test_what_passes_is_forgotten_once_it_was_sent(profile: str) -> None:
    async with rig(profile=profile) as r:
        group = GroupId("sandbox:g1")
        told = DirectMessage(
            group_id=group, account=AccountId("sandbox:wang"), text="仓库", neutral="请看私信", passing=True
        )
        rows = r.engine.outbox.rows("e1", "react", (told,), plugin="core")

        await r.engine.outbox.send(await r.records.enqueue(rows))

        kept = [row.action for row in await r.records.outbox()]
        assert kept
        assert not any("仓库" in str(action) for action in kept)
