"""How often something happened of late: one port, counted in this process or in Redis.

A counter is named by its key *and* its window. A window is cut into a thousand ticks; what was
added counts until the same tick comes round again. So what is as old as the window never counts,
what is younger than 99.9 % of it always does, and the doubt between is the member's: of nine
messages within 29.97 s a window of 30 s sees nine. Both implementations count exactly alike.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from loguru import logger

from groupops.clock import Clock
from groupops.errors import GroupOpsError

if TYPE_CHECKING:
    # Six megabytes of commands that a bot without Redis never needs.
    from redis.asyncio import Redis

MAX_AMOUNT = 1000
"""The most one `Add` may add: a message's worth of things, not a measure of bytes."""

SWEEP_S = 10.0
"""Seconds of the clock after which the in-process counters look for windows nobody adds to."""

TIMEOUT_S = 1.0
"""Seconds Redis has for a batch, connecting included; a message must not wait longer."""

RETRY_S = 0.5
"""Seconds after a failure in which Redis is not asked, so that an outage costs the messages nothing."""

GRACE_MS = 60_000
"""How long Redis keeps a key beyond its window, for a clock that stands still or lags behind Redis's."""

MAX_BATCH = 500
"""Messages in one pipeline at most: more would let the first of them wait for the last."""

TICKS = 1000
"""Into how many ticks a window is cut."""

_HASH_BITS = (1 << 60) - 1


class CountersUnavailable(GroupOpsError):
    """Redis does not answer and `fail="hold"`: try the same message again later."""


@dataclass(frozen=True, slots=True)
class Add:
    """Count `amount` (1 to `MAX_AMOUNT`) more and answer how many there are within `window` seconds."""

    key: str
    window: float
    amount: int = 1


@dataclass(frozen=True, slots=True)
class Once:
    """Answer 1 if this is the first time within `ttl` seconds, else 0; the same as an `Add` to an empty counter."""

    key: str
    ttl: float


@dataclass(frozen=True, slots=True)
class Peek:
    """Answer how many there are within `window` seconds, adding nothing."""

    key: str
    window: float


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget all that was counted under `key` and `window` (or ttl); answers 0."""

    key: str
    window: float


Op = Add | Once | Peek | Clear


class Counters(Protocol):
    """The port. Windows and ttls are seconds, 0.001 or more; a wrong one raises ValueError."""

    @property
    def degraded(self) -> bool:
        """Whether answers are given without knowing what was counted."""
        ...

    async def apply(self, ops: Sequence[Op]) -> list[int]:
        """Do all that one message asks for, in order and with nobody else's between, in one round trip at most.

        Returns one number for each operation, as its class says. Raises CountersUnavailable
        as the implementation says.
        """
        ...

    async def add(self, key: str, window: float, amount: int = 1) -> int:
        """Do one `Add`."""
        ...

    async def once(self, key: str, ttl: float) -> bool:
        """Do one `Once`."""
        ...

    async def peek(self, key: str, window: float) -> int:
        """Do one `Peek`."""
        ...

    async def clear(self, key: str, window: float) -> None:
        """Do one `Clear`."""
        ...

    def add_now(self, key: str, window: float, amount: int = 1) -> int | None:
        """Do one `Add` without waiting; None, and nothing is counted, where it takes a round trip."""
        ...

    def once_now(self, key: str, ttl: float) -> bool | None:
        """Do one `Once` without waiting; None, and nothing is marked, where it takes a round trip."""
        ...

    async def close(self) -> None:
        """Let go of connections; what was asked before is still answered."""
        ...


def open_counters(
    url: str, clock: Clock, *, prefix: str = "groupops:", fail: Literal["open", "hold"] = "open"
) -> Counters:
    """Return counters in Redis at `url` (redis://, rediss://, unix://), or in this process if it is empty."""
    return RedisCounters(url, clock, prefix=prefix, fail=fail) if url else MemoryCounters(clock)


class _Window:
    """All counters of one window length: a log in slices of one tick, and the sums over it.

    Every unit counted enters the log once and leaves it once, so adding is O(1) on average and
    memory is bounded by what happened within the window. Keys are kept as 60 bits of Python's
    keyed hash: half the memory, and with 500,000 live keys two of them share a counter with a
    probability of one in ten million.
    """

    __slots__ = ("_cleared", "_millis", "_slices", "counts", "ends", "log")

    def __init__(self, millis: int) -> None:
        self._millis = millis
        self._slices: deque[tuple[int, array[int]]] = deque()
        # Units that were cleared but are still in the log; the oldest of a key leave first.
        self._cleared: dict[int, int] = {}
        self.counts: dict[int, int] = {}
        self.log = array("q")
        """The keys added in the present tick."""
        self.ends = 0
        """When the present tick is over, in ns; a moment before it, even one gone back to, is in it."""

    def turn(self, now: int) -> None:
        """Begin the tick of `now` and forget what is a window old."""
        tick = _tick(now, self._millis)
        # A tick of a window of whole milliseconds lasts whole microseconds.
        self.ends = (tick + 1) * self._millis * (1_000_000 // TICKS)
        while self._slices and self._slices[0][0] <= tick - TICKS:
            self._forget(self._slices.popleft()[1])
        self.log = array("q")
        self._slices.append((tick, self.log))

    def clear(self, short: int) -> None:
        count = self.counts.pop(short, 0)
        if count:
            self._cleared[short] = self._cleared.get(short, 0) + count

    def _forget(self, log: Iterable[int]) -> None:
        counts, cleared = self.counts, self._cleared
        for short in log:
            units = cleared if short in cleared else counts
            left = units[short] - 1
            if left:
                units[short] = left
            else:
                del units[short]


class MemoryCounters:
    """Counters in this process: nothing to set up, and gone when it ends."""

    def __init__(self, clock: Clock) -> None:
        """Count by the moments of `clock`."""
        self._nanos = clock.nanos
        self._windows: dict[float, _Window] = {}
        self._sweep_at = 0

    @property
    def degraded(self) -> bool:
        """Never: this memory is there as long as the process is."""
        return False

    def add_now(self, key: str, window: float, amount: int = 1) -> int:
        """Do one `Add` without a loop: the fast path."""
        # Flat, because every message pays for it.
        now = self._nanos()
        counters = self._windows.get(window)
        if counters is None or now >= counters.ends:
            counters = self._turned(window, now)
        short = hash(key) & _HASH_BITS
        if amount == 1:
            counters.log.append(short)
        else:
            counters.log.extend([short] * _checked_amount(amount))
        counts = counters.counts
        count = counts[short] = counts.get(short, 0) + amount
        return count

    def once_now(self, key: str, ttl: float) -> bool:
        """Do one `Once` without a loop."""
        return not self.peek_now(key, ttl) and bool(self.add_now(key, ttl))

    def peek_now(self, key: str, window: float) -> int:
        """Do one `Peek` without a loop."""
        return self._turned(window, self._nanos()).counts.get(hash(key) & _HASH_BITS, 0)

    def clear_now(self, key: str, window: float) -> None:
        """Do one `Clear` without a loop."""
        self._turned(window, self._nanos()).clear(hash(key) & _HASH_BITS)

    def apply_now(self, ops: Sequence[Op]) -> list[int]:
        """Do all operations of a message without a loop; see `Counters.apply`."""
        return [
            self.add_now(op.key, op.window, op.amount) if isinstance(op, Add) else self._do(op) for op in ops
        ]

    async def apply(self, ops: Sequence[Op]) -> list[int]:
        """See `Counters.apply`."""
        return self.apply_now(ops)

    async def add(self, key: str, window: float, amount: int = 1) -> int:
        """See `Counters.add`."""
        return self.add_now(key, window, amount)

    async def once(self, key: str, ttl: float) -> bool:
        """See `Counters.once`."""
        return self.once_now(key, ttl)

    async def peek(self, key: str, window: float) -> int:
        """See `Counters.peek`."""
        return self.peek_now(key, window)

    async def clear(self, key: str, window: float) -> None:
        """See `Counters.clear`."""
        self.clear_now(key, window)

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    def _do(self, op: Once | Peek | Clear) -> int:
        if isinstance(op, Once):
            return int(self.once_now(op.key, op.ttl))
        if isinstance(op, Peek):
            return self.peek_now(op.key, op.window)
        self.clear_now(op.key, op.window)
        return 0

    def _turned(self, seconds: float, now: int) -> _Window:
        """Return the counters of this window, in the tick of `now`."""
        if now >= self._sweep_at:
            self._sweep(now)
        window = self._windows.get(seconds) or self._opened(seconds)
        if now >= window.ends:
            window.turn(now)
        return window

    def _opened(self, seconds: float) -> _Window:
        millis = _millis(seconds)
        window = self._windows.setdefault(millis / 1000, _Window(millis))
        # 0.1 + 0.2 is the window of 0.3 s, too.
        self._windows[seconds] = window
        return window

    def _sweep(self, now: int) -> None:
        """Free what expired in windows to which nobody adds any more."""
        self._sweep_at = now + round(SWEEP_S * 1e9)
        for seconds, window in list(self._windows.items()):
            if now >= window.ends:
                window.turn(now)
            if not window.counts:
                del self._windows[seconds]


# KEYS: one list of ticks for each operation. ARGV[1]: kind, tick, amount and time to live (ms) of
# each, with spaces between: the client packs one long argument in less time than many short ones.
# A tick is stored as the text that came, because Lua writes long numbers with fewer digits.
SCRIPT = """
local answers = {}
for kind, tick, amount, ttl in string.gmatch(ARGV[1], '(%a+) (%d+) (%d+) (%d+)') do
  local key, answer = KEYS[#answers + 1], 0
  if kind == 'Clear' then
    redis.call('DEL', key)
  else
    local oldest = redis.call('LINDEX', key, 0)
    while oldest and tonumber(oldest) <= tick - TICKS do
      redis.call('LPOP', key)
      oldest = redis.call('LINDEX', key, 0)
    end
    if kind == 'Peek' then
      answer = redis.call('LLEN', key)
    elseif kind == 'Add' or not oldest then
      for _ = 1, amount do
        answer = redis.call('RPUSH', key, tick)
      end
      redis.call('PEXPIRE', key, ttl)
    end
  end
  answers[#answers + 1] = answer
end
return answers
""".replace("TICKS", str(TICKS))


@dataclass(slots=True)
class _Message:
    ops: Sequence[Op]
    command: tuple[str | int, ...]
    answer: asyncio.Future[list[int]]


class RedisCounters:
    """Counters that several processes share: one script for each message, one pipeline for each turn of the loop.

    Moments come from the handed-in clock, so replicas should keep theirs together (NTP); the
    difference between them is by how much a window is off. One counter's keys may lie anywhere,
    so Redis Cluster is not served.

    When Redis does not answer, `degraded` is true, the log says so once, and Redis is tried
    again every `RETRY_S` seconds; nothing is sent twice, because it may have been counted. Then
    with `fail="open"` nobody is over a limit: `Add` answers its own amount and `Peek` 0. `Once`
    is kept in this process meanwhile: a rule that speaks once per night must neither fall silent
    nor speak at every message, so each process may speak once more than it should.
    With `fail="hold"` every operation raises CountersUnavailable.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        prefix: str = "groupops:",
        fail: Literal["open", "hold"] = "open",
        client: Redis | None = None,
    ) -> None:
        """Talk to Redis at `url`, or through `client`; every key begins with `prefix`. Connects when first asked."""
        from redis.exceptions import NoScriptError, RedisError

        self._faults = (RedisError, OSError)
        self._unknown: type[Exception] = NoScriptError
        self._redis = client or _connect(url)
        self._nanos = clock.nanos
        self._latest = 0
        self._prefix = prefix
        self._fail = fail
        self._meanwhile = MemoryCounters(clock)
        self._sha = ""
        self._waiting: list[_Message] = []
        self._flusher: asyncio.Task[None] | None = None
        self._away = False
        self._ask_again_at = 0.0
        self.outages = 0
        """How often Redis went away since the start."""
        self.unanswered = 0
        """How many messages Redis gave no answer to since the start."""

    @property
    def degraded(self) -> bool:
        """Whether Redis did not answer when it was last asked."""
        return self._away

    async def apply(self, ops: Sequence[Op]) -> list[int]:
        """See `Counters.apply`. Raises CountersUnavailable while Redis is away and `fail="hold"`."""
        if not ops:
            return []
        command = self._command(ops)
        loop = asyncio.get_running_loop()
        if self._away and loop.time() < self._ask_again_at:
            return self._without_redis(ops)
        message = _Message(ops, command, loop.create_future())
        self._waiting.append(message)
        if self._flusher is None:
            self._flusher = loop.create_task(self._flush())
        return await message.answer

    async def add(self, key: str, window: float, amount: int = 1) -> int:
        """See `Counters.add`."""
        return (await self.apply((Add(key, window, amount),)))[0]

    async def once(self, key: str, ttl: float) -> bool:
        """See `Counters.once`."""
        return await self.apply((Once(key, ttl),)) == [1]

    async def peek(self, key: str, window: float) -> int:
        """See `Counters.peek`."""
        return (await self.apply((Peek(key, window),)))[0]

    async def clear(self, key: str, window: float) -> None:
        """See `Counters.clear`."""
        await self.apply((Clear(key, window),))

    def add_now(self, key: str, window: float, amount: int = 1) -> int | None:  # noqa: ARG002 - never without waiting
        """Say that this takes a round trip."""
        return None

    def once_now(self, key: str, ttl: float) -> bool | None:  # noqa: ARG002 - never without waiting
        """Say that this takes a round trip."""
        return None

    async def close(self) -> None:
        """Wait for what was asked, then close the connection."""
        if self._flusher is not None:
            await self._flusher
        await self._redis.aclose()

    def _command(self, ops: Sequence[Op]) -> tuple[str | int, ...]:
        """Return what follows EVALSHA and the script's name."""
        # The system's clock may be set back; a counter's ticks only go on.
        now = self._latest = max(self._latest, self._nanos())
        keys, orders = list[str](), list[str]()
        for op in ops:
            millis, amount = _checked(op)
            keys.append(f"{self._prefix}{millis}:{op.key}")
            orders.append(f"{type(op).__name__} {_tick(now, millis)} {amount} {millis + GRACE_MS}")
        return len(keys), *keys, " ".join(orders)

    async def _flush(self) -> None:
        """Send what gathers during a turn of the loop, and what gathers while that is on its way."""
        batch = list[_Message]()
        try:
            while self._waiting:
                batch = self._waiting[:MAX_BATCH]
                del self._waiting[:MAX_BATCH]
                await self._send(batch)
        finally:
            self._flusher = None
            # Only after a cancellation or a fault of our own: nobody may wait for ever.
            for message in batch:
                if not message.answer.done():
                    message.answer.set_exception(CountersUnavailable("the batch to Redis was broken off"))

    async def _send(self, batch: Sequence[_Message]) -> None:
        try:
            # One for the batch: redis-py's own would be armed again for each answer in it.
            async with asyncio.timeout(TIMEOUT_S):
                answers = await self._ask(batch)
        except self._faults as fault:
            answers = [fault] * len(batch)
        faults = [answer for answer in answers if isinstance(answer, Exception)]
        if faults:
            self._went_away(faults[0], len(faults))
        else:
            self._came_back()
        for message, answer in zip(batch, answers, strict=True):
            self._settle(message, answer)

    async def _ask(self, batch: Sequence[_Message]) -> list[Any]:
        """Return an answer or an exception for each message, in one round trip (a restart of Redis costs two more)."""
        answers = await self._pipeline(batch)
        unknown = [number for number, answer in enumerate(answers) if isinstance(answer, self._unknown)]
        if not unknown:
            return answers
        self._sha = await self._redis.script_load(SCRIPT)
        for number, answer in zip(unknown, await self._pipeline([batch[n] for n in unknown]), strict=True):
            answers[number] = answer
        return answers

    async def _pipeline(self, batch: Sequence[_Message]) -> list[Any]:
        if not self._sha:
            self._sha = await self._redis.script_load(SCRIPT)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for message in batch:
                pipeline.execute_command("EVALSHA", self._sha, *message.command)  # pyright: ignore[reportUnknownMemberType]
            return await pipeline.execute(raise_on_error=False)

    def _settle(self, message: _Message, answer: Any) -> None:
        if message.answer.done():  # whoever asked was cancelled
            return
        if not isinstance(answer, Exception):
            message.answer.set_result(answer)
            return
        try:
            message.answer.set_result(self._without_redis(message.ops))
        except CountersUnavailable as held:
            message.answer.set_exception(held)

    def _without_redis(self, ops: Sequence[Op]) -> list[int]:
        self.unanswered += 1
        if self._fail == "hold":
            raise CountersUnavailable(
                "Redis does not answer and GROUPOPS_REDIS_URL counts there; see its log"
            )
        return [self._below_every_limit(op) for op in ops]

    def _below_every_limit(self, op: Op) -> int:
        match op:
            case Add():
                return op.amount
            case Once() | Clear():
                return self._meanwhile.apply_now((op,))[0]
            case Peek():
                return 0

    def _went_away(self, fault: Exception, messages: int) -> None:
        self._ask_again_at = asyncio.get_running_loop().time() + RETRY_S
        if self._away:
            return
        self._away = True
        self.outages += 1
        effect = "nobody is over a limit" if self._fail == "open" else "messages are held"
        logger.warning("Redis counters do not answer ({} message(s), {!r}): {}", messages, fault, effect)

    def _came_back(self) -> None:
        if self._away:
            self._away = False
            logger.info("Redis counters answer again; {} message(s) went without so far", self.unanswered)


def _checked(op: Op) -> tuple[int, int]:
    """Return window in ms and amount of an operation; raises ValueError for a wrong one."""
    if isinstance(op, Add):
        return _millis(op.window), _checked_amount(op.amount)
    return _millis(op.ttl if isinstance(op, Once) else op.window), 1


def _millis(seconds: float) -> int:
    millis = round(seconds * 1000)
    if millis < 1:
        raise ValueError(f"window {seconds}: expected 0.001 seconds or more")
    return millis


def _tick(now: int, millis: int) -> int:
    """Return the number of the tick in which `now` (ns) lies for a window of `millis`."""
    return now * TICKS // (millis * 1_000_000)


def _checked_amount(amount: int) -> int:
    if not 0 < amount <= MAX_AMOUNT:
        raise ValueError(f"amount {amount}: expected 1 to {MAX_AMOUNT}")
    return amount


def _connect(url: str) -> Redis:
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    # Redis's own retries would count twice what was counted but not answered.
    return Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
        url,
        socket_timeout=None,
        retry=Retry(NoBackoff(), 0),
    )
