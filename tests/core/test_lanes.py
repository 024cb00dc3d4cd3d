"""Facts wait their turn: in order within a group, never dropped, at once where nobody is before them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import AccountId, Event, GroupId, MessagePosted
from groupops.lanes import LULL_WITHIN_S, TURNS, Closed, Lanes

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def fact(number: int, group: str = "qq:1", text: str = "slow") -> Event:
    return MessagePosted(
        id=f"e{number}",
        at=NOON,
        group_id=GroupId(group),
        account=AccountId("qq:10"),
        message_id=f"m{number}",
        text=text,
    )


class Desk:
    """Takes facts as the flow does: `quick` ones at a glance, all others later, `wrong` ones not at all."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.glanced: list[str] = []
        self.done: list[Event] = []

    def glance(self, event: Event) -> Event | None:
        assert isinstance(event, MessagePosted)
        self.glanced.append(event.id)
        if event.text == "wrong at a glance":
            raise LookupError(event.id)
        if event.text != "quick":
            return event
        self.done.append(event)
        return None

    async def finish(self, pending: Event) -> None:
        assert isinstance(pending, MessagePosted)
        await self.open.wait()
        if pending.text == "wrong":
            raise LookupError(pending.id)
        self.done.append(pending)

    async def handle(self, event: Event) -> None:
        if (pending := self.glance(event)) is not None:
            await self.finish(pending)

    @property
    def ids(self) -> list[str]:
        return [event.id for event in self.done]


class Faults(list[str]):
    def __call__(self, event: Event, error: Exception) -> None:
        self.append(f"{event.id}: {type(error).__name__}")


def lanes_of(desk: Desk, *, shards: int = 4, depth: int = 100, faults: Faults | None = None) -> Lanes[Event]:
    return Lanes(desk, shards=shards, depth=depth, failed=Faults() if faults is None else faults)


async def test_a_fact_that_is_finished_at_a_glance_needs_no_turn_of_the_loop() -> None:
    desk = Desk()
    lanes = lanes_of(desk)

    held = lanes.offer(fact(1, text="quick"))

    assert held is None
    assert desk.ids == ["e1"]
    assert (lanes.traffic.glanced, lanes.traffic.queued) == (1, 0)


@pytest.fixture
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is held up for longer than a lull may last does not end it."""
    monkeypatch.setattr("groupops.lanes.LULL_WITHIN_S", 600.0)


@pytest.mark.usefixtures("no_hurry")
async def test_what_gives_way_to_facts_waits_until_none_came_for_a_few_turns() -> None:
    lanes = lanes_of(Desk())
    giving_way = asyncio.create_task(lanes.lull())

    for number in range(4 * TURNS):
        lanes.offer(fact(number, text="quick" if number % 2 else "slow"))
        await asyncio.sleep(0)
    waited = not giving_way.done()
    for _ in range(TURNS + 1):
        await asyncio.sleep(0)

    assert waited
    assert giving_way.done()


@pytest.mark.usefixtures("no_hurry")
async def test_of_those_that_give_way_one_goes_at_a_time_and_the_facts_that_came_meanwhile_go_before_the_next() -> (
    None
):
    lanes, order = lanes_of(Desk()), list[str]()

    async def give_way(number: int) -> None:
        await lanes.lull()
        order.append(f"row {number}")
        asyncio.get_running_loop().call_soon(come_in, number)

    def come_in(number: int) -> None:
        lanes.offer(fact(number, text="quick"))
        order.append(f"fact {number}")

    await asyncio.gather(*(give_way(number) for number in range(3)))
    await asyncio.sleep(0)

    assert order == ["row 0", "fact 0", "row 1", "fact 1", "row 2", "fact 2"]


@pytest.mark.usefixtures("no_hurry")
async def test_whoever_gives_up_while_giving_way_holds_up_nobody() -> None:
    lanes = lanes_of(Desk())
    first, second = asyncio.create_task(lanes.lull()), asyncio.create_task(lanes.lull())
    await asyncio.sleep(0)

    first.cancel()
    await second

    await asyncio.sleep(0)
    assert first.cancelled()


async def test_what_gives_way_to_facts_has_its_turn_in_a_flood_as_well() -> None:
    desk = Desk()
    lanes = lanes_of(desk)
    desk.open.clear()
    lanes.offer(fact(1))

    await asyncio.wait_for(lanes.lull(), 100 * LULL_WITHIN_S)

    assert not lanes.idle
    desk.open.set()
    await lanes.settled()


async def test_what_a_glance_leaves_is_finished_and_not_glanced_at_again() -> None:
    desk = Desk()
    lanes = lanes_of(desk)

    lanes.offer(fact(1))
    await lanes.settled()

    assert desk.glanced == ["e1"]
    assert desk.ids == ["e1"]


async def test_a_quick_fact_does_not_overtake_a_slow_one_of_its_group() -> None:
    desk = Desk()
    desk.open.clear()
    lanes = lanes_of(desk)

    lanes.offer(fact(1))
    lanes.offer(fact(2, text="quick"))
    assert desk.ids == []
    desk.open.set()
    await lanes.settled()

    assert desk.ids == ["e1", "e2"]


async def test_groups_in_other_lanes_do_not_wait() -> None:
    desk = Desk()
    desk.open.clear()
    lanes = lanes_of(desk, shards=64)
    first, second = _in_two_lanes(lanes)

    lanes.offer(fact(1, first))
    lanes.offer(fact(2, second, text="quick"))

    assert desk.ids == ["e2"]
    desk.open.set()
    await lanes.settled()


def _in_two_lanes(lanes: Lanes[Event]) -> tuple[str, str]:
    """Find two groups that do not share a lane; which ones do differs from process to process."""
    width = len(lanes.waiting)
    first = "qq:1"
    second = next(name for n in count(2) if hash(name := f"qq:{n}") % width != hash(first) % width)
    return first, second


async def test_a_full_lane_makes_its_giver_wait_and_keeps_the_order() -> None:
    desk = Desk()
    desk.open.clear()
    lanes = lanes_of(desk, depth=2)
    held = [lanes.offer(fact(n)) for n in range(1, 7)]

    assert [waiting is None for waiting in held] == [True, True, False, False, False, False]
    assert lanes.traffic.held == 4
    assert sum(lanes.waiting) == 6
    desk.open.set()
    await asyncio.gather(*(waiting for waiting in held if waiting is not None))
    await lanes.settled()

    assert desk.ids == [f"e{n}" for n in range(1, 7)]


async def test_a_giver_that_stops_waiting_does_not_take_its_fact_away() -> None:
    desk = Desk()
    desk.open.clear()
    lanes = lanes_of(desk, depth=1)
    lanes.offer(fact(1))
    lanes.offer(fact(2))
    held = lanes.offer(fact(3))
    assert isinstance(held, asyncio.Future)

    held.cancel()
    desk.open.set()
    await lanes.settled()

    assert desk.ids == ["e1", "e2", "e3"]


@pytest.mark.parametrize("text", ["wrong", "wrong at a glance"])
async def test_a_fact_that_fails_is_told_and_those_behind_it_are_handled(text: str) -> None:
    desk, faults = Desk(), Faults()
    lanes = lanes_of(desk, faults=faults)

    lanes.offer(fact(1, text=text))
    lanes.offer(fact(2))
    await lanes.settled()

    assert faults == ["e1: LookupError"]
    assert lanes.traffic.failed == 1
    assert desk.ids == ["e2"]


async def test_a_stop_works_off_what_waits_and_then_takes_nothing_more() -> None:
    desk = Desk()
    desk.open.clear()
    lanes = lanes_of(desk)
    for n in range(10):
        lanes.offer(fact(n))
    asyncio.get_running_loop().call_later(0.01, desk.open.set)

    left = await lanes.stop(within=5)

    assert left == 0
    assert len(desk.done) == 10
    with pytest.raises(Closed):
        lanes.offer(fact(11))


async def test_a_stop_that_takes_too_long_says_how_much_is_left() -> None:
    desk = Desk()
    desk.open.clear()
    lanes = lanes_of(desk)
    for n in range(3):
        lanes.offer(fact(n))

    assert await lanes.stop(within=0.01) == 3
    assert not lanes.idle
    desk.open.set()
    await lanes.settled()
    assert lanes.idle


STREAM = st.lists(
    st.tuples(st.sampled_from(["qq:1", "qq:2", "qq:3", "qq:4"]), st.sampled_from(["quick", "slow"])),
    max_size=60,
)


@given(stream=STREAM, shards=st.integers(1, 5), depth=st.integers(1, 4))
def test_every_group_keeps_its_order_and_nothing_is_lost(
    stream: Sequence[tuple[str, str]], shards: int, depth: int
) -> None:
    async def play() -> list[Event]:
        desk = Desk()
        lanes = lanes_of(desk, shards=shards, depth=depth)
        held = [lanes.offer(fact(n, group, text)) for n, (group, text) in enumerate(stream)]
        await asyncio.gather(*(waiting for waiting in held if waiting is not None))
        await lanes.settled()
        return desk.done

    done = asyncio.run(play())

    for group in {group for group, _ in stream}:
        wanted = [f"e{n}" for n, (of, _) in enumerate(stream) if of == group]
        assert [event.id for event in done if event.group_id == group] == wanted
