"""Time moves when it is told to, and wakes those who wait for it."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.clock import Clock, StoppedClock, SystemClock

MORNING = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


async def turn_the_loop() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_the_system_clock_is_in_utc_and_goes_on() -> None:
    clock: Clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.01)
    assert before.utcoffset() == timedelta(0)
    assert clock.now() - before >= timedelta(milliseconds=9)


def test_both_clocks_tell_the_same_moment_in_nanoseconds() -> None:
    system, stopped, epoch = (
        SystemClock(),
        StoppedClock(MORNING + timedelta(microseconds=1)),
        datetime(1970, 1, 1, tzinfo=UTC),
    )
    before, nanos, after = system.now(), system.nanos(), system.now()
    assert before <= epoch + timedelta(microseconds=nanos // 1000) <= after
    assert epoch + timedelta(microseconds=stopped.nanos() / 1000) == stopped.now()


def test_a_stopped_clock_keeps_its_moment_in_utc() -> None:
    clock: Clock = StoppedClock(datetime(2025, 3, 3, 16, 0, tzinfo=ZoneInfo("Asia/Shanghai")))
    assert clock.now() == clock.now() == MORNING
    assert clock.now().tzinfo is UTC


def test_a_stopped_clock_moves_by_assignment_by_steps_and_to_a_moment() -> None:
    clock = StoppedClock(MORNING)
    clock.moment += minutes(1)
    clock.advance(minutes(2))
    clock.advance_to(clock.moment + minutes(3))
    assert clock.now() == MORNING + minutes(6)


def test_a_stopped_clock_never_moves_backwards() -> None:
    clock = StoppedClock(MORNING)
    with pytest.raises(ValueError, match="only moves forwards"):
        clock.advance(minutes(-1))
    assert clock.moment == MORNING


def test_a_moment_without_a_timezone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no timezone"):
        StoppedClock(datetime(2025, 3, 3, 8, 0))  # noqa: DTZ001 - the fault under test


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_sleepers_wake_in_due_order(waits: list[int]) -> None:
    async def story() -> None:
        clock, woken = StoppedClock(MORNING), list[int]()

        async def sleeper(wait: int) -> None:
            await clock.sleep(wait)
            woken.append(wait)

        async with asyncio.TaskGroup() as group:
            for wait in waits:
                group.create_task(sleeper(wait))
            await turn_the_loop()
            clock.advance(minutes(1))
        assert woken == sorted(waits)

    asyncio.run(story())


async def test_a_sleeper_sleeps_on_until_the_very_moment_it_is_due() -> None:
    clock = StoppedClock(MORNING)
    sleeper = asyncio.create_task(clock.sleep(60))
    await turn_the_loop()
    assert clock.next_due == MORNING + minutes(1)
    clock.advance(timedelta(seconds=59.999))
    await turn_the_loop()
    assert not sleeper.done()
    clock.advance(timedelta(seconds=0.001))
    await turn_the_loop()
    assert sleeper.done()
    assert clock.next_due is None


async def test_a_sleeper_that_was_cancelled_is_forgotten() -> None:
    clock = StoppedClock(MORNING)
    sleeper = asyncio.create_task(clock.sleep(60))
    await turn_the_loop()
    sleeper.cancel()
    await turn_the_loop()
    assert clock.next_due is None
    clock.advance(minutes(2))
    assert sleeper.cancelled()


async def test_a_cancelled_sleeper_does_not_keep_the_others_from_waking() -> None:
    clock = StoppedClock(MORNING)
    first, second = (asyncio.create_task(clock.sleep(seconds)) for seconds in (1, 2))
    await turn_the_loop()
    first.cancel()
    clock.advance(minutes(1))
    await asyncio.wait_for(second, timeout=1)


async def test_sleeping_for_no_time_only_gives_way() -> None:
    clock = StoppedClock(MORNING)
    await clock.sleep(0)
    await clock.sleep(-1)
    assert clock.next_due is None


async def test_played_time_stops_at_every_moment_somebody_waits_for() -> None:
    clock, rounds = StoppedClock(MORNING), list[datetime]()

    async def rounds_of_the_guard() -> None:
        while True:
            await clock.sleep(600)
            rounds.append(clock.now())

    guard = asyncio.create_task(rounds_of_the_guard())
    await turn_the_loop()
    await clock.play_to(MORNING + minutes(35))
    guard.cancel()
    assert rounds == [MORNING + minutes(m) for m in (10, 20, 30)]
    assert clock.moment == MORNING + minutes(35)
