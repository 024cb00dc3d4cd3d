"""One definition of counting, whether in this process, in a real Redis or in its double."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from fakeredis import FakeAsyncRedis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loguru import logger

from groupops.clock import StoppedClock
from groupops.counters import (
    MAX_AMOUNT,
    MAX_BATCH,
    RETRY_S,
    TICKS,
    TIMEOUT_S,
    Add,
    Clear,
    Counters,
    CountersUnavailable,
    MemoryCounters,
    Once,
    Op,
    Peek,
    RedisCounters,
    open_counters,
)
from tests.support.redis_server import RedisServer

NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOON)


@pytest.fixture(scope="module")
def prefixes() -> Iterator[str]:
    return (f"test-{number}:" for number in count())


@pytest.fixture(params=["memory", "redis", "fakeredis"])
async def counters(
    request: pytest.FixtureRequest, clock: StoppedClock, prefixes: Iterator[str]
) -> AsyncIterator[Counters]:
    prefix = next(prefixes)
    match request.param:
        case "memory":
            made: Counters = MemoryCounters(clock)
        case "redis":
            made = RedisCounters(request.getfixturevalue("redis_url"), clock, prefix=prefix, fail="hold")
        case _:
            made = RedisCounters("", clock, prefix=prefix, fail="hold", client=FakeAsyncRedis())
    yield made
    await made.close()


@pytest.fixture
async def shared(
    redis_url: str, clock: StoppedClock, prefixes: Iterator[str]
) -> AsyncIterator[RedisCounters]:
    made = RedisCounters(redis_url, clock, prefix=next(prefixes))
    yield made
    await made.close()


async def test_nine_messages_within_thirty_seconds_are_nine(counters: Counters, clock: StoppedClock) -> None:
    counted = []
    for _ in range(9):
        counted.append(await counters.add("g:1:posts", 30))
        clock.advance(3.7 * SECOND)
    assert counted == list(range(1, 10))


async def test_what_is_as_old_as_the_window_no_longer_counts(counters: Counters, clock: StoppedClock) -> None:
    await counters.add("k", 30)
    clock.advance(30 * SECOND)
    assert await counters.add("k", 30) == 1


@pytest.mark.parametrize("offset", [0.0, 0.001, 0.0149, 0.0299])
async def test_the_doubt_at_the_edge_of_a_window_is_a_thousandth_of_it(
    counters: Counters, clock: StoppedClock, offset: float
) -> None:
    clock.advance(offset * SECOND)
    await counters.add("k", 30)
    clock.advance(29.97 * SECOND)
    assert await counters.peek("k", 30) == 1
    clock.advance(0.03 * SECOND)
    assert await counters.peek("k", 30) == 0


async def test_messages_leave_the_window_one_by_one(counters: Counters, clock: StoppedClock) -> None:
    for _ in range(4):
        await counters.add("k", 10)
        clock.advance(2 * SECOND)
    left = []
    for _ in range(6):
        left.append(await counters.peek("k", 10))
        clock.advance(2 * SECOND)
    assert left == [4, 3, 2, 1, 0, 0]


async def test_a_message_may_add_several_at_once(counters: Counters) -> None:
    assert await counters.add("g:1:images", 60, 4) == 4
    assert await counters.add("g:1:images", 60) == 5


async def test_the_same_key_in_two_windows_is_two_counters(counters: Counters, clock: StoppedClock) -> None:
    await counters.add("k", 10)
    await counters.add("k", 60)
    clock.advance(20 * SECOND)
    assert await counters.apply([Add("k", 10), Add("k", 60)]) == [1, 2]


async def test_a_window_is_the_same_however_its_length_was_reckoned(counters: Counters) -> None:
    await counters.add("k", 0.1 + 0.2)
    await counters.add("k", 30)
    assert await counters.peek("k", 0.3) == 1
    assert await counters.peek("k", 30.0) == 1


async def test_keys_do_not_disturb_each_other(counters: Counters) -> None:
    await counters.add("g:1:posts", 30)
    assert await counters.add("g:2:posts", 30) == 1


async def test_once_is_true_the_first_time_until_its_time_is_over(
    counters: Counters, clock: StoppedClock
) -> None:
    first = await counters.once("reminded", 60)
    clock.advance(59.9 * SECOND)
    again = await counters.once("reminded", 60)
    clock.advance(0.1 * SECOND)
    assert (first, again, await counters.once("reminded", 60)) == (True, False, True)


async def test_a_refused_once_does_not_make_the_wait_longer(counters: Counters, clock: StoppedClock) -> None:
    await counters.once("k", 60)
    clock.advance(40 * SECOND)
    await counters.once("k", 60)
    clock.advance(20 * SECOND)
    assert await counters.once("k", 60)


async def test_peeking_counts_nothing(counters: Counters) -> None:
    assert await counters.peek("k", 30) == 0
    assert await counters.add("k", 30) == 1
    assert await counters.peek("k", 30) == 1


async def test_what_was_cleared_is_forgotten_and_not_subtracted_later(
    counters: Counters, clock: StoppedClock
) -> None:
    await counters.add("k", 30, 5)
    await counters.clear("k", 30)
    clock.advance(10 * SECOND)
    await counters.add("k", 30, 2)
    clock.advance(20 * SECOND)
    assert await counters.peek("k", 30) == 2


async def test_one_message_asks_for_all_it_needs_at_once(counters: Counters) -> None:
    ops = [
        Add("a", 30),
        Add("a", 60, 2),
        Once("b", 60),
        Once("b", 60),
        Peek("a", 60),
        Clear("a", 30),
        Peek("a", 30),
    ]
    assert await counters.apply(ops) == [1, 2, 1, 0, 2, 0, 0]
    assert await counters.apply([]) == []


@pytest.mark.parametrize(
    ("op", "complaint"),
    [
        (Add("k", 0), "window 0: expected 0.001 seconds or more"),
        (Once("k", -5), "window -5: expected 0.001"),
        (Peek("k", 0.0001), "window 0.0001: expected 0.001"),
        (Clear("k", 0), "window 0: expected 0.001"),
        (Add("k", 30, MAX_AMOUNT + 1), "amount 1001: expected 1 to 1000"),
        (Add("k", 30, 0), "amount 0: expected 1 to 1000"),
    ],
)
async def test_a_wrong_window_or_amount_is_refused(counters: Counters, op: Op, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        await counters.apply([op])


async def test_many_at_the_same_moment_are_all_counted(counters: Counters) -> None:
    answers = await asyncio.gather(*(counters.add("k", 30) for _ in range(200)))
    assert sorted(answers) == list(range(1, 201))


async def test_long_windows_and_short_ones_are_exact_side_by_side(
    counters: Counters, clock: StoppedClock
) -> None:
    month = 30 * 86400
    for _ in range(3):
        await counters.apply([Add("k", month), Add("k", 0.001)])
        clock.advance(timedelta(days=7))
    assert await counters.apply([Add("k", month), Add("k", 0.001)]) == [4, 1]
    clock.advance(timedelta(days=9))
    assert await counters.peek("k", month) == 3


keys = st.sampled_from(["a", "b"])
spans = st.sampled_from([0.5, 3.0, 30.0])
operations = st.one_of(
    st.builds(Add, keys, spans, st.integers(1, 3)),
    st.builds(Once, keys, spans),
    st.builds(Peek, keys, spans),
    st.builds(Clear, keys, spans),
)
stories = st.lists(
    st.tuples(
        st.timedeltas(timedelta(0), timedelta(seconds=12)), st.lists(operations, min_size=1, max_size=4)
    ),
    max_size=25,
)


class Definition:
    """The words of the module's docstring, without a thought for speed."""

    def __init__(self) -> None:
        self._ticks: dict[tuple[str, float], list[int]] = {}

    def do(self, op: Op, micros: int) -> int:
        window = op.ttl if isinstance(op, Once) else op.window
        tick = micros * TICKS // round(window * 1_000_000)
        ticks = self._ticks.setdefault((op.key, window), [])
        ticks[:] = [old for old in ticks if tick - old < TICKS]
        match op:
            case Add():
                ticks.extend([tick] * op.amount)
            case Once():
                first = not ticks
                ticks.extend([tick] * first)
                return int(first)
            case Clear():
                ticks.clear()
            case Peek():
                pass
        return len(ticks)


@given(story=stories)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_every_story_is_counted_by_the_definition(
    story: list[tuple[timedelta, list[Op]]], redis_url: str, prefixes: Iterator[str]
) -> None:
    async def play() -> None:
        clock, definition = StoppedClock(NOON), Definition()
        memory, redis = (
            MemoryCounters(clock),
            RedisCounters(redis_url, clock, prefix=next(prefixes), fail="hold"),
        )
        for pause, ops in story:
            clock.advance(pause)
            expected = [definition.do(op, clock.nanos() // 1000) for op in ops]
            assert await memory.apply(ops) == expected
            assert await redis.apply(ops) == expected
        await redis.close()

    asyncio.run(play())


def test_an_empty_address_counts_in_this_process(clock: StoppedClock, redis_url: str) -> None:
    assert isinstance(open_counters("", clock), MemoryCounters)
    assert isinstance(open_counters(redis_url, clock), RedisCounters)
    assert not open_counters("", clock).degraded


class Unsteady(StoppedClock):
    """A system's clock that somebody sets back by an hour."""

    back = False

    def nanos(self) -> int:
        return super().nanos() - 3_600 * 10**9 * self.back


async def test_a_clock_that_is_set_back_counts_on_where_it_was(
    redis_url: str, prefixes: Iterator[str]
) -> None:
    clock = Unsteady(NOON)
    for counters in (
        MemoryCounters(clock),
        RedisCounters(redis_url, clock, prefix=next(prefixes), fail="hold"),
    ):
        clock.back = False
        await counters.add("others", 30)
        clock.back = True
        await counters.add("k", 30)
        clock.back = False
        assert await counters.peek("k", 30) == 1
        await counters.close()


def test_counters_in_process_forget_windows_that_nobody_uses_any_more() -> None:
    clock = StoppedClock(NOON)
    counters = MemoryCounters(clock)
    for number in range(1000):
        counters.add_now(f"member {number}", 30)
    counters.clear_now("member 7", 30)
    clock.advance(31 * SECOND)
    counters.add_now("somebody else", 60)
    assert list(counters._windows) == [60.0]


async def test_two_processes_share_one_count(
    shared: RedisCounters, redis_url: str, clock: StoppedClock
) -> None:
    other = RedisCounters(redis_url, clock, prefix=shared._prefix)
    await shared.add("k", 30)
    assert await other.add("k", 30) == 2
    await other.close()


async def test_redis_keeps_no_key_much_longer_than_its_window(shared: RedisCounters) -> None:
    await shared.add("k", 30)
    (key,) = await shared._redis.keys(f"{shared._prefix}*")
    assert 30_000 < await shared._redis.pttl(key) <= 90_000


async def test_more_messages_than_a_batch_holds_are_all_answered(shared: RedisCounters) -> None:
    answers = await asyncio.gather(*(shared.add("k", 30) for _ in range(2 * MAX_BATCH + 1)))
    assert max(answers) == 2 * MAX_BATCH + 1


async def test_messages_of_one_turn_of_the_loop_make_one_round_trip(shared: RedisCounters) -> None:
    await shared.add("k", 30)
    before = (await shared._redis.info("stats"))["total_reads_processed"]
    await asyncio.gather(*(shared.apply([Add("k", 30), Add("k", 60)]) for _ in range(20)))
    after = (await shared._redis.info("stats"))["total_reads_processed"]
    assert after - before == 2  # the batch, and the question itself


async def test_whoever_stops_waiting_does_not_disturb_the_others(shared: RedisCounters) -> None:
    impatient, patient = (asyncio.create_task(shared.add("k", 30)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == 2
    assert impatient.cancelled()


async def test_a_batch_that_is_broken_off_leaves_nobody_waiting(shared: RedisCounters) -> None:
    waiting = asyncio.create_task(shared.add("k", 30))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    flusher = shared._flusher
    assert flusher is not None
    flusher.cancel()
    with pytest.raises(CountersUnavailable, match="broken off"):
        await waiting


async def test_closing_waits_for_what_was_asked(
    redis_url: str, clock: StoppedClock, prefixes: Iterator[str]
) -> None:
    counters = RedisCounters(redis_url, clock, prefix=next(prefixes))
    asked = asyncio.create_task(counters.add("k", 30))
    await asyncio.sleep(0)
    await counters.close()
    assert await asked == 1


@pytest.fixture
def outage(redis_server: RedisServer) -> Iterator[RedisServer]:
    yield redis_server
    redis_server.stop()
    redis_server.start()


async def until_it_is_asked_again() -> None:
    await asyncio.sleep(RETRY_S + 0.05)


async def test_open_counters_put_nobody_over_a_limit_while_redis_is_away(
    shared: RedisCounters, outage: RedisServer
) -> None:
    await shared.add("k", 30, 8)
    outage.stop()
    answers = [await shared.apply([Add("k", 30), Add("k", 60, 4), Peek("k", 30)]) for _ in range(3)]
    assert answers == [[1, 4, 0]] * 3
    assert (shared.degraded, shared.outages, shared.unanswered) == (True, 1, 3)


async def test_open_counters_say_once_once_in_each_process_while_redis_is_away(
    shared: RedisCounters, outage: RedisServer
) -> None:
    outage.stop()
    said = [await shared.once("reminded", 600) for _ in range(3)]
    await shared.clear("reminded", 600)
    assert said == [True, False, False]
    assert await shared.once("reminded", 600)


async def test_held_counters_answer_nothing_while_redis_is_away(
    redis_url: str, clock: StoppedClock, outage: RedisServer
) -> None:
    counters = RedisCounters(redis_url, clock, prefix="held:", fail="hold")
    outage.stop()
    for _ in range(2):
        with pytest.raises(CountersUnavailable, match="does not answer"):
            await counters.add("k", 30)
    await counters.close()


async def test_counters_find_redis_again_by_themselves_and_say_so(
    shared: RedisCounters, outage: RedisServer
) -> None:
    lines = list[str]()
    sink = logger.add(lines.append, format="{level} {message}")
    await shared.add("k", 30)
    outage.stop()
    for _ in range(5):
        await shared.add("k", 30)
    await until_it_is_asked_again()
    await shared.add("k", 30)
    outage.start()
    await until_it_is_asked_again()
    assert [await shared.add("k", 30), await shared.add("k", 30)] == [1, 2]
    logger.remove(sink)
    assert (shared.degraded, shared.outages, shared.unanswered) == (False, 1, 6)
    assert [line.split()[0] for line in lines] == ["WARNING", "INFO"]


async def test_a_restart_between_two_messages_is_not_even_noticed(
    redis_url: str, clock: StoppedClock, outage: RedisServer
) -> None:
    counters = RedisCounters(redis_url, clock, prefix="restarted:", fail="hold")
    await counters.add("k", 30)
    outage.stop()
    outage.start()
    await asyncio.sleep(0.01)  # the loop hears that the line was cut
    # What a Redis without a disk remembers: nothing, not even the script.
    assert await counters.add("k", 30) == 1
    assert counters.outages == 0
    await counters.close()


async def test_while_redis_is_away_a_message_waits_for_nothing(
    shared: RedisCounters, outage: RedisServer
) -> None:
    outage.stop()
    await shared.add("k", 30)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for _ in range(100):
        await shared.add("k", 30)
    assert loop.time() - begun < RETRY_S


async def test_a_redis_that_hangs_costs_a_second_and_its_late_answer_reaches_nobody(
    shared: RedisCounters, redis_url: str, clock: StoppedClock, prefixes: Iterator[str]
) -> None:
    counters = RedisCounters(redis_url, clock, prefix=next(prefixes), fail="hold")
    await counters.add("k", 30, 7)
    loop = asyncio.get_running_loop()
    await shared._redis.client_pause(int(1000 * (TIMEOUT_S + RETRY_S / 2)))
    begun = loop.time()
    with pytest.raises(CountersUnavailable):
        await counters.add("k", 30)
    assert TIMEOUT_S <= loop.time() - begun < TIMEOUT_S + RETRY_S
    await until_it_is_asked_again()
    assert await counters.peek("another", 30) == 0
    assert await counters.peek("k", 30) in {7, 8}  # whether the hanging one was counted, nobody knows
    await counters.close()
