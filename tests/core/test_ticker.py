"""What is due is fired once, in order, by whichever ticker comes first, and the days' moments keep coming."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.calendar import WorkCalendar
from groupops.clock import StoppedClock
from groupops.errors import ConfigError, StoreError
from groupops.events import TimeCame
from groupops.people import Group, GroupId
from groupops.plugin import Manifest, Schedule, Settings
from groupops.policy import Policy
from groupops.records import Due
from groupops.store import schema
from groupops.store.memory import MemoryRecords
from groupops.store.sql import open_records
from groupops.ticker import LATE, Schedules, Ticker, job_name

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2025, 3, 3, 8, 0, tzinfo=SHANGHAI)
GROUP = GroupId("qq:814231345")


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def row(job: str, after: float, **more: str) -> Due:
    return Due(job=job, due_at=MONDAY.astimezone(UTC) + minutes(after), group_id=GROUP, **more)


class Ear:
    """Keeps the facts it is told, in order."""

    def __init__(self) -> None:
        self.facts: list[TimeCame] = []

    async def __call__(self, fact: TimeCame) -> None:
        await asyncio.sleep(0)
        self.facts.append(fact)

    @property
    def jobs(self) -> list[str]:
        return [fact.job for fact in self.facts]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(MONDAY)


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def ticker(records: MemoryRecords, clock: StoppedClock, ear: Ear) -> Ticker:
    return Ticker(records, clock, ear)


async def test_nothing_fires_before_it_is_due(
    ticker: Ticker, records: MemoryRecords, clock: StoppedClock, ear: Ear
) -> None:
    await records.put_due([row("tea", 30)])
    clock.advance(minutes(30) - timedelta.resolution)

    assert await ticker.tick() == 0
    assert ear.facts == []


async def test_a_row_fires_at_its_very_moment_and_never_again(
    ticker: Ticker, records: MemoryRecords, clock: StoppedClock, ear: Ear
) -> None:
    await records.put_due([row("tea", 30, plugin="tasks", payload="7")])
    clock.advance(minutes(30))

    assert [await ticker.tick(), await ticker.tick()] == [1, 0]
    [fact] = ear.facts
    assert (fact.job, fact.plugin, fact.payload, fact.group_id) == ("tea", "tasks", "7", GROUP)
    assert fact.at == fact.due_at == clock.now()
    assert not fact.late


async def test_what_was_missed_while_nothing_ran_fires_once_in_order_and_is_marked_late(
    ticker: Ticker, records: MemoryRecords, clock: StoppedClock, ear: Ear
) -> None:
    await records.put_due([row("second", 20), row("first", 10), row("third", 59.5)])
    clock.advance(minutes(60))

    await ticker.tick()

    assert ear.jobs == ["first", "second", "third"]
    assert [fact.late for fact in ear.facts] == [True, True, False]


async def test_a_minute_behind_is_not_yet_late(
    ticker: Ticker, records: MemoryRecords, clock: StoppedClock, ear: Ear
) -> None:
    await records.put_due([row("tea", 0)])
    clock.advance(LATE)

    await ticker.tick()

    assert [fact.late for fact in ear.facts] == [False]


async def test_the_same_row_gives_the_same_fact_wherever_it_is_put_in(
    ticker: Ticker, records: MemoryRecords, clock: StoppedClock, ear: Ear
) -> None:
    await records.put_due([row("tea", 1)])
    await records.put_due([row("tea", 1)])
    clock.advance(minutes(1))
    await ticker.tick()
    await records.put_due([row("tea", 1)])
    await ticker.tick()

    assert len({fact.id for fact in ear.facts}) == len(ear.facts) == 1


@given(st.lists(st.integers(0, 90), max_size=120), st.integers(2, 4))
def test_any_number_of_tickers_fire_each_row_once(moments: list[int], replicas: int) -> None:
    async def story() -> None:
        records, clock, ear = MemoryRecords(), StoppedClock(MONDAY), Ear()
        rows = [row(f"job {number}", after) for number, after in enumerate(moments)]
        await records.put_due(rows)
        tickers = [Ticker(records, clock, ear) for _ in range(replicas)]
        for _ in range(3):
            clock.advance(minutes(30))
            await asyncio.gather(*(ticker.tick() for ticker in tickers))
        assert sorted(ear.jobs) == sorted(due.job for due in rows)

    asyncio.run(story())


async def test_two_processes_on_one_database_fire_each_row_once(sqlite_url: str, clock: StoppedClock) -> None:
    await schema.migrate(sqlite_url)
    async with open_records(sqlite_url) as one, open_records(sqlite_url) as other:
        ears, rows = (Ear(), Ear()), [row(f"job {number}", number % 7) for number in range(130)]
        await one.put_due(rows)
        clock.advance(minutes(10))
        await asyncio.gather(
            *(Ticker(where, clock, ear).tick() for where, ear in zip((one, other), ears, strict=True))
        )

    assert sorted(ears[0].jobs + ears[1].jobs) == sorted(due.job for due in rows)
    assert all(ear.facts == sorted(ear.facts, key=lambda fact: fact.due_at) for ear in ears)


async def test_a_running_ticker_sleeps_to_the_next_row_and_fires_it(
    ticker: Ticker, records: MemoryRecords, clock: StoppedClock, ear: Ear
) -> None:
    await records.put_due([row("tea", 0.05), row("lunch", 0.08)])
    running = asyncio.create_task(ticker.run())
    await turns()

    assert clock.next_due == MONDAY + minutes(0.05)
    await clock.play_to(MONDAY + minutes(0.08))
    assert ear.jobs == ["tea", "lunch"]

    ticker.stop()
    await asyncio.wait_for(running, timeout=1)


async def test_a_row_put_in_during_a_long_sleep_waits_five_seconds_at_most(
    ticker: Ticker, records: MemoryRecords, clock: StoppedClock, ear: Ear
) -> None:
    await records.put_due([row("far away", 600)])
    running = asyncio.create_task(ticker.run())
    await turns()
    await records.put_due([row("soon", 0.1)])

    await clock.play_to(MONDAY + minutes(0.5))

    assert [(fact.job, fact.late) for fact in ear.facts] == [("soon", False)]
    ticker.stop()
    await asyncio.wait_for(running, timeout=1)


async def test_a_ticker_whose_listener_fails_keeps_what_it_could_not_hand_over(
    records: MemoryRecords, clock: StoppedClock, ear: Ear
) -> None:
    async def fails(fact: TimeCame) -> None:
        if fact.job == "second":
            raise RuntimeError("the door is shut")
        await ear(fact)

    await records.put_due([row("first", 1), row("second", 2), row("third", 3)])
    clock.advance(minutes(5))
    with pytest.raises(RuntimeError, match="the door is shut"):
        await Ticker(records, clock, fails).tick()

    await Ticker(records, clock, ear).tick()

    assert ear.jobs == ["first", "second", "third"]


async def test_a_ticker_that_is_cancelled_keeps_what_it_could_not_hand_over(
    records: MemoryRecords, clock: StoppedClock, ear: Ear
) -> None:
    async def hangs(_: TimeCame) -> None:
        await asyncio.Event().wait()

    await records.put_due([row("first", 1), row("second", 2)])
    clock.advance(minutes(5))
    pending = asyncio.create_task(Ticker(records, clock, hangs).tick())
    await turns()
    pending.cancel()
    await asyncio.wait([pending])

    assert await Ticker(records, clock, ear).tick() == 2
    assert ear.jobs == ["first", "second"]


class ClosedForARest(MemoryRecords):
    """A record that does not answer for a while."""

    closed = True

    async def claim_due(self, now: datetime, limit: int = 100) -> tuple[Due, ...]:
        if self.closed:
            raise StoreError("the database is away")
        return await super().claim_due(now, limit)


class Lines:
    """A log that is read afterwards."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def info(self, what: str, /, **fields: object) -> None:
        raise AssertionError(what, fields)

    def warning(self, what: str, /, **fields: object) -> None:
        self.warnings.append(f"{what}: {fields['error']}")


async def test_a_record_that_does_not_answer_is_asked_again_after_a_rest(
    clock: StoppedClock, ear: Ear
) -> None:
    records, lines = ClosedForARest(), Lines()
    await records.put_due([row("tea", 0)])
    ticker = Ticker(records, clock, ear, log=lines)
    running = asyncio.create_task(ticker.run())
    await turns()
    records.closed = False
    await clock.play_to(MONDAY + minutes(0.5))
    ticker.stop()
    await asyncio.wait_for(running, timeout=1)

    assert lines.warnings == ["due rows cannot be read: the database is away"]
    assert ear.jobs == ["tea"]


class RollCall(Settings):
    """When to call the roll."""

    at: tuple[str, ...] = ("08:50", "09:05")
    days: str = "workdays"


ROLL_CALL = Manifest(
    title="点名",
    settings=RollCall,
    schedules=(
        Schedule(job="call", at=lambda s: s.at, days=lambda s: s.days),
        Schedule(job="night", at=lambda _: ("23:30",)),
    ),
)
HOME = Group(id=GROUP)


def policy(*enabled: str, **settings: object) -> Policy:
    return Policy(enabled=enabled, settings={"roll_call": RollCall.model_validate(settings)})


def local(rows: Sequence[Due]) -> list[tuple[str, str]]:
    return [(due.job.split("/")[1], f"{due.due_at.astimezone(SHANGHAI):%d %H:%M}") for due in rows]


@pytest.fixture
def schedules(records: MemoryRecords, clock: StoppedClock) -> Schedules:
    return Schedules(records, clock, WorkCalendar(), {"roll_call": ROLL_CALL})


async def test_every_schedule_has_its_next_moment_in_the_groups_own_time(schedules: Schedules) -> None:
    here = await schedules.arm(HOME, policy("roll_call"))
    there = await schedules.arm(Group(id=GROUP, timezone="Europe/London"), policy("roll_call"))

    assert local(here) == [("call", "03 08:50"), ("night", "03 23:30")]
    assert local(there) == [("call", "03 16:50"), ("night", "04 07:30")]
    assert here[0].job == f"roll_call/call/{GROUP}"


async def test_arming_again_anywhere_changes_nothing(
    schedules: Schedules, records: MemoryRecords, clock: StoppedClock, ticker: Ticker
) -> None:
    for _ in range(3):
        await schedules.arm(HOME, policy("roll_call"))
        await Schedules(records, clock, WorkCalendar(), {"roll_call": ROLL_CALL}).arm(
            HOME, policy("roll_call")
        )
    clock.advance(minutes(24 * 60))

    assert await ticker.tick() == 2


async def test_a_schedule_goes_on_day_after_day_and_rests_on_days_off(
    schedules: Schedules, records: MemoryRecords, clock: StoppedClock
) -> None:
    heard: list[str] = []

    async def flow(fact: TimeCame) -> None:
        if await schedules.fired(fact, HOME, policy("roll_call")) and fact.job == "call":
            heard.append(f"{fact.at.astimezone(SHANGHAI):%a %H:%M}")

    clock.advance_to(datetime(2025, 3, 7, 8, 55, tzinfo=SHANGHAI))
    await schedules.arm(HOME, policy("roll_call"))
    ticker = Ticker(records, clock, flow)
    while (due := await records.next_due()) is not None and due < MONDAY + timedelta(days=8):
        clock.advance_to(due)
        await ticker.tick()

    assert heard == ["Fri 09:05", "Mon 08:50", "Mon 09:05"]


async def test_a_plugin_hears_its_job_by_the_name_it_gave_it(
    schedules: Schedules, clock: StoppedClock, ticker: Ticker, ear: Ear
) -> None:
    await schedules.arm(HOME, policy("roll_call"))
    clock.advance(minutes(50))

    await ticker.tick()

    assert [(fact.plugin, fact.job) for fact in ear.facts] == [("roll_call", "call")]
    assert ear.facts[0].id.startswith(f"time/roll_call/call/{GROUP}/2025-03-03T00:50")


async def test_days_that_passed_while_nothing_ran_fire_once_and_not_once_a_day(
    schedules: Schedules, records: MemoryRecords, clock: StoppedClock
) -> None:
    facts: list[TimeCame] = []

    async def flow(fact: TimeCame) -> None:
        assert await schedules.fired(fact, HOME, policy("roll_call"))
        facts.append(fact)

    await schedules.arm(HOME, policy("roll_call"))
    clock.advance(timedelta(days=3, hours=2))
    await Ticker(records, clock, flow).tick()

    assert [(fact.job, fact.late) for fact in facts] == [("call", True), ("night", True)]
    assert await records.next_due() == datetime(2025, 3, 6, 23, 30, tzinfo=SHANGHAI)


async def test_a_changed_policy_moves_the_moment(
    schedules: Schedules, clock: StoppedClock, ticker: Ticker, ear: Ear
) -> None:
    await schedules.rearm(HOME, policy("roll_call"))
    await schedules.rearm(HOME, policy("roll_call", at=("10:00",)))
    clock.advance_to(MONDAY.replace(hour=12))

    await ticker.tick()

    assert [fact.due_at for fact in ear.facts] == [MONDAY.replace(hour=10)]


async def test_a_plugin_that_was_turned_off_is_not_woken(
    schedules: Schedules, records: MemoryRecords
) -> None:
    await schedules.rearm(HOME, policy("roll_call"))
    await schedules.rearm(HOME, policy())

    assert await records.next_due() is None


async def test_a_start_forgets_nothing_that_was_missed_while_nothing_ran(
    schedules: Schedules, records: MemoryRecords, clock: StoppedClock, ticker: Ticker, ear: Ear
) -> None:
    await schedules.rearm(HOME, policy("roll_call"))
    clock.advance(timedelta(hours=3))
    restarted = Schedules(records, clock, WorkCalendar(), {"roll_call": ROLL_CALL})
    for _ in range(2):
        await restarted.rearm(HOME, policy("roll_call"))
    await ticker.tick()

    assert [(fact.job, fact.late) for fact in ear.facts] == [("call", True)]


async def test_a_group_that_was_unbound_and_bound_again_is_woken_again(
    schedules: Schedules, records: MemoryRecords
) -> None:
    rows = await schedules.rearm(HOME, policy("roll_call"))
    await schedules.drop(GROUP)
    assert await records.next_due() is None

    assert await schedules.rearm(HOME, policy("roll_call")) == rows
    assert await records.next_due() == rows[0].due_at


@pytest.mark.parametrize("now", [policy(), policy("roll_call", at=("10:00",))], ids=["off", "moved"])
async def test_a_row_left_over_from_a_former_policy_is_not_heard(
    schedules: Schedules, clock: StoppedClock, ticker: Ticker, ear: Ear, now: Policy
) -> None:
    await schedules.arm(HOME, policy("roll_call"))
    clock.advance(minutes(50))
    await ticker.tick()

    assert [await schedules.fired(fact, HOME, now) for fact in ear.facts] == [False]


async def test_a_schedule_that_comes_back_after_a_failure_is_still_wanted(
    schedules: Schedules, records: MemoryRecords, clock: StoppedClock, ear: Ear
) -> None:
    async def fails(_: TimeCame) -> None:
        raise RuntimeError("the door is shut")

    await schedules.arm(HOME, policy("roll_call"))
    clock.advance(minutes(50))
    with pytest.raises(RuntimeError, match="door"):
        await Ticker(records, clock, fails).tick()
    clock.advance(minutes(1))
    await Ticker(records, clock, ear).tick()

    assert [await schedules.fired(fact, HOME, policy("roll_call")) for fact in ear.facts] == [True]


async def test_facts_of_no_schedule_are_let_through(
    schedules: Schedules, records: MemoryRecords, clock: StoppedClock, ticker: Ticker, ear: Ear
) -> None:
    own = job_name("roll_call", "snooze", GROUP)
    await records.put_due([row(own, 1, plugin="roll_call"), row("obligation/miss/7", 1)])
    clock.advance(minutes(1))
    await ticker.tick()

    assert sorted(ear.jobs) == ["obligation/miss/7", "snooze"]
    assert [await schedules.fired(fact, HOME, policy("roll_call")) for fact in ear.facts] == [True, True]


async def test_a_schedule_without_times_has_no_moment(schedules: Schedules, records: MemoryRecords) -> None:
    rows = await schedules.arm(HOME, policy("roll_call", at=()))

    assert [due.job for due in rows] == [job_name("roll_call", "night", GROUP)]


async def test_a_time_that_is_none_is_named_with_its_plugin(schedules: Schedules) -> None:
    with pytest.raises(ConfigError, match=r"'roll_call', schedule 'call': '25:00' is no time of day"):
        await schedules.arm(HOME, policy("roll_call", at=("25:00",)))


async def turns() -> None:
    for _ in range(8):
        await asyncio.sleep(0)
