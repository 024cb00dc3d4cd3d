"""No fact waits for a platform: stored actions have their turn in their own time, each once, in the order that matters."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groupops import (
    AccountId,
    Action,
    Announce,
    AskStewards,
    Capability,
    DeleteMessage,
    DirectMessage,
    GroupId,
    Health,
    Mute,
    Option,
    Pace,
    Rate,
    Refused,
    Role,
    SendText,
    SetCard,
    Stage,
    Throttled,
    Unmute,
)
from groupops.config import Config, Start
from groupops.delivery import Delivery, touches
from groupops.errors import StoreError
from groupops.operations import alive, assemble, connect, opened
from groupops.outbox import KEEP, PAGE
from groupops.pace import Pacers
from groupops.records import OutboxRow, OutboxState, Purpose
from groupops.scenario.refusing import RefusingRecords
from groupops.store.memory import MemoryRecords
from groupops.testing import Rig, rig
from groupops_sandbox import Sandbox
from tests.support.stories import PACK, plugin, rude

G, H = GroupId("sandbox:g1"), GroupId("sandbox:g2")
FAR = GroupId("far:g1")
WANG, LI = AccountId("sandbox:wang"), AccountId("sandbox:li")
BARE = PACK.split("[clause")[0].replace('["rude"]', "[]")
S = timedelta(seconds=1)


@dataclass
class Slow:
    """A platform on which everything takes its time, by the clock, and which notes when what began and ended.

    `spans`: kind of action → seconds; one that is not named takes none. `answers`: given instead of the world's.
    """

    real: Sandbox
    clock: Any
    spans: Mapping[str, float] = field(default_factory=dict)
    answers: list[Any] = field(default_factory=list)
    stated: Pace | None = None
    begun: list[tuple[float, Action]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    ended: list[tuple[float, Action]] = field(default_factory=list)
    out: int = 0
    most: int = 0
    lacking: frozenset[Capability] = frozenset()
    gone: bool = False

    def __post_init__(self) -> None:
        self.start = self.clock.now()
        self.name = self.real.name
        if self.stated is not None:
            self.pace: Callable[[], Pace] = lambda: self.stated or Pace()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        return self.real.can(group_id) - self.lacking

    def since(self) -> float:
        return float((self.clock.now() - self.start).total_seconds())

    def health(self) -> Health:
        return Health(connected=not self.gone)

    async def perform(self, action: Action, *, key: str) -> Any:
        self.begun.append((self.since(), action))
        self.keys.append(key)
        self.out += 1
        self.most = max(self.most, self.out)
        try:
            await self.clock.sleep(self.spans.get(action.kind, 0))
        finally:
            self.out -= 1
        self.ended.append((self.since(), action))
        return self.answers.pop(0) if self.answers else await self.real.perform(action, key=key)

    @property
    def texts(self) -> list[str]:
        """What was said, in the order in which it was begun."""
        return [action.text for _, action in self.begun if hasattr(action, "text")]

    @property
    def kinds(self) -> list[str]:
        return [action.kind for _, action in self.begun]


@dataclass
class Desk:
    r: Rig
    platform: Slow
    delivery: Delivery

    async def send(self, event_id: str, *actions: Action, purpose: Purpose = "step") -> None:
        outbox = self.r.engine.outbox
        await outbox.send(await self.r.records.enqueue(outbox.rows(event_id, purpose, actions)))

    async def play(self, seconds: float) -> None:
        await self.breathe()
        await self.r.clock.play_to(self.r.clock.now() + seconds * S)
        await self.breathe()

    async def breathe(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    async def states(self) -> list[str]:
        return [f"{row.action.kind} {row.state.value}" for row in await self.r.records.outbox()]

    async def left(self) -> list[OutboxRow]:
        return list(await self.r.records.outbox(states=frozenset({OutboxState.WAITING})))


@asynccontextmanager
async def desk(
    spans: Mapping[str, float] | None = None,
    *,
    pace: Pace | None = None,
    lacking: frozenset[Capability] = frozenset(),
    seed: int = 1,
    more: Mapping[str, Any] | None = None,
    **limits: int,
) -> AsyncIterator[Desk]:
    """A rig whose actions are delivered in their own time to a platform that takes its time."""
    options: dict[str, Any] = {"pack": BARE, "plugins": (), "groups": ("g1", "g2"), **(more or {})}
    async with rig(**options) as r:
        slow = Slow(r.sandbox, r.clock, spans or {}, stated=pace, lacking=lacking)
        r.engine.parts.platforms["sandbox"] = slow  # type: ignore[assignment]
        delivery = Delivery(
            r.engine.outbox,
            r.engine.parts.platforms,
            r.clock,
            r.log,
            pacers=Pacers(dice=random.Random(seed)),
            **limits,
        )
        r.engine.outbox.delivery = delivery
        yield Desk(r, slow, delivery)
        await delivery.stop(0)


def text(words: str, group: GroupId = G) -> SendText:
    return SendText(group_id=group, text=words)


def recall(number: str = "m1") -> DeleteMessage:
    return DeleteMessage(group_id=G, message_id=number, account=WANG)


# — off the road of facts —


async def test_a_fact_does_not_wait_for_the_platform_that_is_to_act_on_it() -> None:
    extra = {"rude": plugin(judge=rude(mute_minutes=10))}
    async with desk({"mute": 30, "reply": 30}, more={"pack": PACK, "extra": extra}) as d:
        outcome = await d.r.engine.flow.handle(d.r.sandbox.say("g1", "wang", "坏"))

        assert outcome.booked is not None
        assert outcome.receipts == ()
        assert d.platform.ended == []
        await d.play(90)
        assert {row.state for row in await d.r.records.outbox()} == {OutboxState.DONE}
        assert d.r.sandbox.world.seat("g1", "wang").muted_until is not None


async def test_a_row_is_claimed_and_its_outcome_written_when_no_fact_is_on_its_way() -> None:
    async with desk() as d:
        lulls = asyncio.Semaphore(0)
        d.delivery.lull = lulls.acquire
        await d.send("e1", SendText(group_id=G, text="1"))

        await d.breathe()
        before = (d.platform.texts, await d.states())
        lulls.release()
        await d.breathe()
        between = (d.platform.texts, await d.states())
        lulls.release()
        await d.delivery.settled()

        assert before == ([], ["send_text waiting"])
        assert between == (["1"], ["send_text performing"])
        assert await d.states() == ["send_text done"]


async def test_of_several_groups_one_at_a_time_has_its_turn_while_facts_come() -> None:
    async with desk() as d:
        lulls = asyncio.Semaphore(0)
        d.delivery.lull = lulls.acquire
        for number, group in enumerate((G, H, G)):
            await d.send(f"e{number}", text(f"{number}", group))
        said: list[list[str]] = []

        for _ in range(2):
            lulls.release()
            await d.breathe()
            said.append(list(d.platform.texts))

        assert said == [["0"], ["0", "1"]]
        d.delivery.lull = None
        for _ in range(3):
            lulls.release()
        await d.delivery.settled()
        assert d.platform.texts == ["0", "1", "2"]


async def test_whoever_stops_gives_way_to_nobody() -> None:
    async with desk() as d:
        d.delivery.lull = asyncio.Event().wait
        await d.send("e1", SendText(group_id=G, text="1"))

        given_up = await d.delivery.stop(30)

        assert given_up == 0
        assert await d.states() == ["send_text done"]


async def test_a_platform_that_hangs_holds_up_no_other() -> None:
    async with desk({"send_text": 1000}, at_once=1) as d:
        other = Sandbox(d.r.clock, name="far")
        other.group("g1")
        d.r.engine.parts.platforms["far"] = other
        for number in range(5):
            await d.send(f"e{number}", text("慢"))
        await d.send("f", text("快", FAR))
        await d.breathe()

        assert [post.text for post in other.world.said_by_bot("g1")] == ["快"]
        assert d.platform.ended == []


async def test_groups_go_side_by_side_and_each_keeps_its_order() -> None:
    async with desk({"send_text": 2}) as d:
        for number in range(3):
            await d.send(f"g{number}", text(f"g{number}"))
            await d.send(f"h{number}", text(f"h{number}", H))
        await d.play(6)

        assert d.platform.texts == ["g0", "h0", "g1", "h1", "g2", "h2"]
        assert [moment for moment, _ in d.platform.begun] == [0, 0, 2, 2, 4, 4]
        assert d.delivery.idle


async def test_no_more_calls_are_out_at_a_platform_than_are_allowed_and_all_groups_get_theirs() -> None:
    async with desk({"send_text": 1}, at_once=2) as d:
        groups = [GroupId(f"sandbox:x{number}") for number in range(6)]
        for group in groups:
            d.r.sandbox.group(group)
            for number in range(2):
                await d.send(f"{group}/{number}", text(f"{group}/{number}", group))
        await d.play(6)

        assert d.platform.most == 2
        assert len(d.platform.ended) == 12
        first = [action.group_id for _, action in d.platform.begun[:6]]
        assert sorted(first) == sorted(groups), "nobody has a second turn before all had the first"


# — the order that matters —


async def test_a_recall_goes_before_texts_that_came_earlier() -> None:
    async with desk({"send_text": 5}) as d:
        for number in range(3):
            await d.send(f"e{number}", text(f"{number}"))
        await d.send("late", recall(), text("撤回了"))
        await d.play(20)

        assert d.platform.kinds == ["send_text", "delete_message", *["send_text"] * 3]
        assert d.platform.texts == ["0", "1", "2", "撤回了"], "the notice keeps its place among the texts"


async def test_what_follows_from_one_fact_keeps_its_order_whatever_is_urgent() -> None:
    async with desk({"send_text": 5}) as d:
        await d.send("e", text("先说"), recall())
        await d.play(5)

        assert d.platform.kinds == ["send_text", "delete_message"]


async def test_measures_against_one_member_keep_their_order_and_those_against_another_do_not_wait() -> None:
    async with desk(pace=Pace(messages=Rate(every=5 * S))) as d:
        await d.send("z", text("先"))
        await d.send("a", text("好"), Unmute(group_id=G, account=WANG))
        await d.send("b", Mute(group_id=G, account=WANG, span=60 * S))
        await d.send("c", Mute(group_id=G, account=LI, span=60 * S))
        await d.play(5)

        begun = [(moment, action.kind, getattr(action, "account", "")) for moment, action in d.platform.begun]
        assert [kind for moment, kind, who in begun if who == WANG] == ["unmute", "mute"]
        assert (0, "mute", LI) in begun
        assert d.r.sandbox.world.seat("g1", "wang").muted_until is not None


async def test_a_card_that_takes_its_time_holds_up_no_word_and_no_recall() -> None:
    async with desk({"set_card": 3}) as d:
        await d.send("cards", *(SetCard(group_id=G, account=who, card="新") for who in (WANG, LI)))
        await d.send("e", text("早"))
        await d.send("f", recall())
        await d.breathe()

        assert d.platform.kinds == ["set_card", "send_text", "delete_message"]
        await d.play(6)
        assert [moment for moment, action in d.platform.begun if action.kind == "set_card"] == [0, 3]


async def test_what_stands_in_for_an_action_goes_before_the_rest_of_its_fact() -> None:
    async with desk({"send_text": 1}, lacking=frozenset({Capability.DELETE_MESSAGE})) as d:
        await d.send("e", recall(), text("通知"), purpose="contain")
        await d.send("f", text("后来"))
        await d.play(5)

        assert d.platform.texts[0].endswith("谢谢配合。")
        assert d.platform.texts[1:].index("通知") < d.platform.texts[1:].index("后来")
        assert len(await d.r.records.tickets()) == 1


async def test_a_task_for_the_stewards_waits_for_no_platform() -> None:
    async with desk({"send_text": 1000}) as d:
        await d.send("e", text("慢"))
        await d.send("f", AskStewards(group_id=G, text="看一看"))
        await d.breathe()

        assert [ticket.text for ticket in await d.r.records.tickets()] == ["看一看"]


# — pace —


async def test_texts_go_at_the_platform_s_pace_and_deeds_do_not_wait_for_them() -> None:
    async with desk(pace=Pace(messages=Rate(every=3 * S))) as d:
        for number in range(4):
            await d.send(f"e{number}", text(f"{number}"))
        await d.play(1)
        await d.send("f", recall())
        await d.play(10)

        said = [(moment, action.kind) for moment, action in d.platform.begun]
        assert said == [(0, "send_text"), (1, "delete_message"), *((at, "send_text") for at in (3, 6, 9))]


async def test_groups_share_the_account_s_pace_in_turns() -> None:
    async with desk(pace=Pace(messages=Rate(every=2 * S))) as d:
        for number in range(3):
            await d.send(f"g{number}", text("g"))
        for number in range(3):
            await d.send(f"h{number}", text("h", H))
        await d.play(12)

        assert d.platform.texts == ["g", "h", "g", "h", "g", "h"]


async def test_whoever_says_not_now_is_heeded_and_the_order_stays() -> None:
    async with desk() as d:
        d.platform.answers = [Throttled(retry_after=60 * S)]
        await d.send("e", text("一"))
        await d.send("f", text("二"))
        await d.play(59)
        assert d.platform.texts == ["一"]

        await d.play(2)
        assert d.platform.texts == ["一", "一", "二"]
        assert [moment for moment, _ in d.platform.begun] == [0, 60, 60]
        assert await d.states() == ["send_text done", "send_text done"]
        assert d.delivery.passed.throttled == 1


async def test_what_is_to_wait_for_days_waits_in_the_record_and_holds_up_nobody() -> None:
    async with desk() as d:
        d.platform.answers = [Throttled(retry_after=timedelta(days=3))]
        await d.send("e", text("一"))
        await d.send("f", recall())
        await d.play(1)
        assert d.platform.kinds == ["send_text", "delete_message"]
        assert d.delivery.idle

        await d.play(3 * 86400)
        await d.r.engine.outbox.pump()
        await d.breathe()
        assert d.platform.texts == ["一", "一"]


async def test_a_run_with_the_same_dice_is_the_same_run() -> None:
    async def moments() -> list[float]:
        async with desk(pace=Pace(messages=Rate(every=3 * S), jitter=0.5), seed=7) as d:
            for number in range(6):
                await d.send(f"e{number}", text(f"{number}"))
            await d.play(60)
            return [moment for moment, _ in d.platform.begun]

    first = await moments()
    assert first == await moments()
    assert len({round(b - a, 6) for a, b in pairwise(first)}) == 5


# — several as one —

NO_KEYS = frozenset({Capability.DEDUPE_SENDS})
MERGING = Pace(messages=Rate(every=10 * S), merge=True)


def private(words: str, who: AccountId = WANG, **more: Any) -> DirectMessage:
    return DirectMessage(group_id=G, account=who, text=words, **more)


async def test_texts_that_have_waited_may_go_as_one() -> None:
    async with desk(pace=MERGING, lacking=NO_KEYS) as d:
        for number in range(4):
            await d.send(f"e{number}", text(f"{number}"))
        await d.play(30)

        assert d.platform.texts == ["0", "1\n2\n3"]
        assert await d.states() == ["send_text done"] * 4
        assert d.delivery.passed.joined == 2


async def test_a_private_word_never_goes_with_that_of_another_person() -> None:
    async with desk(pace=MERGING, lacking=NO_KEYS) as d:
        await d.send("a", text("先"))
        for number, who in enumerate((WANG, LI, WANG)):
            await d.send(f"e{number}", private(f"{number}", who))
        await d.play(60)

        sent = [action for _, action in d.platform.begun if isinstance(action, DirectMessage)]
        assert [(action.account, action.text) for action in sent] == [(WANG, "0\n2"), (LI, "1")]


@pytest.mark.parametrize(
    ("pace", "lacking"),
    [(Pace(messages=Rate(every=10 * S)), NO_KEYS), (MERGING, frozenset[Capability]())],
    ids=["the platform does not say so", "keys are honoured"],
)
async def test_nothing_is_joined_where_that_is_not_wanted_or_not_safe(
    pace: Pace, lacking: frozenset[Capability]
) -> None:
    async with desk(pace=pace, lacking=lacking) as d:
        for number in range(3):
            await d.send(f"e{number}", text(f"{number}"))
        await d.play(30)

        assert d.platform.texts == ["0", "1", "2"]


async def test_what_offers_answers_or_has_not_waited_goes_alone() -> None:
    async with desk(pace=MERGING, lacking=NO_KEYS) as d:
        await d.send("a", text("0"))
        await d.send("b", text("1"))
        await d.send("c", SendText(group_id=G, text="2", options=(Option(word="好"),), subject="case:1"))
        await d.play(9)
        await d.send("d", text("3"))
        await d.play(60)

        assert d.platform.texts == ["0", "1", "2", "3"]


async def test_a_joined_text_that_is_refused_is_tried_text_by_text() -> None:
    async with desk(pace=MERGING, lacking=NO_KEYS) as d:
        for number in range(3):
            await d.send(f"e{number}", text(f"{number}"))
        await d.breathe()
        d.platform.answers = [Refused(why="too long")]
        await d.play(60)

        assert d.platform.texts == ["0", "1\n2", "1", "2"]
        assert await d.states() == ["send_text done"] * 3


# — what finds no place —


async def test_what_finds_no_place_waits_in_the_record_and_keeps_its_order() -> None:
    async with desk({"send_text": 1}, depth=3) as d:
        for number in range(9):
            await d.send(f"e{number}", text(f"{number}"))
        assert d.delivery.waiting == {"sandbox": 3}
        loop = asyncio.create_task(d.r.engine.outbox.run())
        await d.play(3)
        await d.send("new", text("new"))
        await d.play(20)
        d.r.engine.outbox.stop()
        await loop

        assert d.platform.texts == [*map(str, range(9)), "new"]
        assert await d.left() == []


async def test_a_recall_finds_a_place_in_a_crowd() -> None:
    async with desk({"send_text": 1}, depth=3) as d:
        for number in range(9):
            await d.send(f"e{number}", text(f"{number}"))
        await d.send("late", recall())
        await d.play(1)

        assert d.platform.kinds[:2] == ["send_text", "delete_message"]


async def test_a_crowd_for_one_platform_hides_no_row_of_another() -> None:
    async with desk({"send_text": 1000}, depth=5) as d:
        outbox = d.r.engine.outbox
        await d.r.records.enqueue(outbox.rows("crowd", "react", [text(f"{n}") for n in range(3 * PAGE)]))
        other = Sandbox(d.r.clock, name="far")
        other.group("g1")
        d.r.engine.parts.platforms["far"] = other
        await d.r.records.enqueue(outbox.rows("f", "react", [text("快", FAR)]))

        await outbox.pump()
        await d.breathe()

        assert [post.text for post in other.world.said_by_bot("g1")] == ["快"]


async def test_while_a_platform_is_away_what_is_for_it_waits_in_the_record_and_goes_in_order_later() -> None:
    async with desk() as d:
        outbox, d.platform.gone, d.platform.lacking = d.r.engine.outbox, True, frozenset(Capability)
        for number in range(5):
            await d.send(f"e{number}", text(f"{number}"))
            await d.play(1)
        for _ in range(100):
            await outbox.pump()
            await d.play(600)
        waiting = await d.left()
        assert [row.attempts for row in waiting] == [0] * 5
        assert d.delivery.idle

        d.platform.gone, d.platform.lacking = False, frozenset()
        await d.send("new", text("new"))
        for _ in range(3):
            await outbox.pump()
            await d.play(1)
        assert d.platform.texts == ["0", "1", "2", "3", "4", "new"]
        await d.send("next", text("next"))
        await d.play(1)
        assert d.platform.texts[-1] == "next"


async def test_a_bot_that_is_away_holds_back_nothing_of_the_groups_of_another() -> None:
    async with desk() as d:
        d.platform.gone = True
        d.platform.attends = lambda group_id: group_id == H  # type: ignore[attr-defined]
        await d.r.records.enqueue(d.r.engine.outbox.rows("g", "step", (text("g"),)))
        await d.r.records.enqueue(d.r.engine.outbox.rows("h", "step", (text("h", H),)))
        await d.r.engine.outbox.pump()
        await d.play(1)

        assert d.platform.texts == ["h"]
        assert [row.group_id for row in await d.left()] == [G]


async def test_what_waited_for_a_platform_longer_than_it_was_worth_is_put_before_a_human() -> None:
    async with desk() as d:
        d.platform.gone, d.platform.lacking = True, frozenset(Capability)
        await d.send("e", Mute(group_id=G, account=WANG, span=timedelta(minutes=5)))
        await d.play(KEEP.total_seconds() - 60)
        await d.r.engine.outbox.pump()
        await d.play(1)
        assert await d.r.records.tickets() == ()

        await d.play(60)
        await d.r.engine.outbox.pump()
        await d.play(1)
        [ticket] = await d.r.records.tickets()
        assert isinstance(ticket.wanted, Mute)
        assert d.platform.begun == []


async def test_a_ticket_is_opened_though_what_was_to_be_said_before_it_cannot_be() -> None:
    async with desk() as d:
        d.platform.gone, d.platform.lacking = True, frozenset(Capability)
        await d.send("e", text("有事"))
        await d.play(1)
        await d.r.engine.outbox.pump()
        await d.send("f", AskStewards(group_id=G, text="请看"))
        await d.play(1)

        assert [ticket.text for ticket in await d.r.records.tickets()] == ["请看"]


async def test_what_an_operator_s_command_stored_is_taken_up() -> None:
    async with desk() as d:
        await d.r.records.enqueue(d.r.engine.outbox.rows("e", "react", [text("好")]))
        loop = asyncio.create_task(d.r.engine.outbox.run())
        await d.play(2)
        d.r.engine.outbox.stop()
        await loop

        assert d.platform.texts == ["好"]


# — stopping, and what a start finds —


async def test_a_stop_lets_those_have_their_turn_that_come_to_it_in_time() -> None:
    async with desk(pace=Pace(messages=Rate(every=3 * S))) as d:
        for number in range(10):
            await d.send(f"e{number}", text(f"{number}"))
        stopping = asyncio.create_task(d.delivery.stop(10))
        await d.play(10)

        assert await stopping == 0
        assert d.platform.texts == ["0", "1", "2", "3"]
        assert [row.action for row in await d.left()] == [text(f"{number}") for number in range(4, 10)]
        await d.send("late", text("late"))
        assert len(await d.left()) == 7


async def test_a_call_that_outlasts_a_stop_is_in_doubt_at_the_next_start_and_the_rest_is_done() -> None:
    async with desk({"send_text": 1000}, lacking=NO_KEYS) as d:
        await d.send("e", text("一"), text("二"))
        await d.breathe()
        assert await d.delivery.stop(0.01) == 1
        assert await d.states() == ["send_text performing", "send_text waiting"]

        d.platform.spans = {}
        d.r.engine.outbox.delivery = None
        await d.r.engine.outbox.recover()
        await d.r.settle()
        assert await d.states() == ["send_text in_doubt", "send_text done"]


async def test_what_was_cancelled_while_it_waited_is_not_done() -> None:
    extra = {"rude": plugin(judge=rude())}
    async with desk({"reply": 5, "send_text": 5}, more={"pack": PACK, "extra": extra}) as d:
        await d.send("before", text("慢"))
        await d.r.engine.flow.handle(d.r.sandbox.say("g1", "wang", "坏"))
        await d.r.engine.flow.handle(d.r.sandbox.whisper("g1", "admin", "撤销 1 误判"))
        await d.play(60)

        assert "reply cancelled" in await d.states()
        assert not any("用语不当" in said for said in d.platform.texts)


# — a database that is away —


async def test_what_cannot_be_claimed_waits_in_the_record() -> None:
    records = RefusingRecords(MemoryRecords())
    async with desk(more={"records": records}) as d:
        rows = await d.r.records.enqueue(d.r.engine.outbox.rows("e", "step", [text("好")]))
        records.refuses = True
        await d.r.engine.outbox.send(rows)
        await d.breathe()
        assert d.platform.begun == []

        records.refuses = False
        await d.r.engine.outbox.pump()
        await d.breathe()
        assert await d.states() == ["send_text done"]


async def test_what_became_of_an_action_is_written_when_the_database_is_back_and_nothing_is_done_twice() -> (
    None
):
    records = RefusingRecords(MemoryRecords())
    async with desk({"send_text": 1}, lacking=NO_KEYS, more={"records": records}) as d:
        await d.send("e", text("一"))
        await d.send("f", text("二"))
        await d.breathe()
        records.refuses = True
        await d.play(1)
        assert d.platform.texts == ["一"]
        with pytest.raises(StoreError):
            await d.send("g", text("三"))

        records.refuses = False
        await d.r.engine.outbox.pump()
        await d.play(5)
        await d.r.engine.outbox.pump()
        assert await d.states() == ["send_text done", "send_text done"]
        assert d.platform.texts == ["一", "二"]


# — in the running bot —


async def test_a_bot_that_runs_delivers_in_its_own_time_and_a_stop_ends_what_it_can(tmp_path: Path) -> None:
    pack = PACK.replace('["rude"]', '["moderation"]').split("[clause")[0]
    pack += '[moderation]\nuse = ["gambling"]\noperator_words = { gambling = ["押大小"] }\n'
    (tmp_path / "story.toml").write_text(pack, "utf-8")
    config = Config(data_dir=tmp_path, packs_dir=tmp_path, delivery_at_once=2, scan_minutes=0)
    assembled = assemble(Start(config=config))
    [sandbox] = connect(assembled)
    assert isinstance(sandbox, Sandbox)
    sandbox.group("g1")
    for name, role in (("owner", Role.OWNER), ("wang", Role.MEMBER)):
        sandbox.member("g1", name, role=role)

    async with alive(assembled) as engine:
        await engine.bind_group(G, packs=["story"], stage=Stage.ENFORCED)
        await engine.flow.handle(sandbox.census("g1"))  # type: ignore[arg-type]
        perform, out = sandbox.perform, asyncio.Event()

        async def slow(action: Action, *, key: str) -> Any:
            await out.wait()
            return await perform(action, key=key)

        sandbox.perform = slow  # type: ignore[method-assign]
        outcome = await engine.flow.handle(sandbox.say("g1", "wang", "来押大小"))  # type: ignore[arg-type]
        assert outcome.booked is not None
        assert outcome.receipts == ()
        asyncio.get_running_loop().call_later(0.1, out.set)

    assert {line.action.kind for line in sandbox.world.requests if line.done} >= {"delete_message"}
    async with opened(assembled) as engine:
        assert {row.state for row in await engine.parts.records.outbox()} == {OutboxState.DONE}


# — laws —

ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from([G, H]), st.integers(0, 6)), min_size=1, max_size=30
)


def made(kind: int, number: int, group: GroupId) -> Action:
    who = WANG if number % 2 else LI
    return (
        SendText(group_id=group, text=f"{number}"),
        DeleteMessage(group_id=group, message_id=f"{number}"),
        Mute(group_id=group, account=who, span=60 * S),
        Unmute(group_id=group, account=who),
        SetCard(group_id=group, account=who, card=f"{number}"),
        DirectMessage(group_id=group, account=who, text=f"{number}"),
        Announce(group_id=group, text=f"{number}"),
    )[kind]


@settings(max_examples=25)
@given(ROWS, st.integers(1, 9), st.integers(1, 4), st.randoms(use_true_random=False))
def test_every_row_has_one_turn_and_none_overtakes_what_it_touches(
    asked: list[tuple[str, GroupId, int]], depth: int, at_once: int, dice: random.Random
) -> None:
    async def story() -> None:
        spans = {kind: dice.choice((0, 1, 3)) for kind in ("send_text", "mute", "set_card", "delete_message")}
        pace = Pace(messages=Rate(every=S, burst=2), kinds={"set_card": Rate(every=2 * S)}, jitter=0.5)
        async with desk(spans, pace=pace, depth=depth, at_once=at_once) as d:
            d.platform.real.become("full")
            loop = asyncio.create_task(d.r.engine.outbox.run())
            for number, (fact, group, kind) in enumerate(asked):
                await d.send(f"{fact}{group}/{number // 4}", made(kind, number, group))
                await d.play(dice.choice((0, 0, 1)))
            await d.play(120)
            d.r.engine.outbox.stop()
            await loop
            rows = [
                row
                for row in await d.r.records.outbox()
                if row.event_id[0] in "abc" and "#" not in row.event_id
            ]
            assert len(rows) == len({row.key for row in rows})
            order = d.platform.keys
            assert all(order.count(row.key) == 1 for row in rows)
            for number, later in enumerate(rows):
                for earlier in rows[:number]:
                    if earlier.group_id == later.group_id and touches(earlier) & touches(later):
                        assert order.index(earlier.key) < order.index(later.key)

    asyncio.run(story())
