"""The only room with a clock in it: the real one, and one that stands still until it is moved."""

import asyncio
import heapq
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

# A sleeper that was woken gets this many turns of the loop before time moves on: enough
# for a chain of awaits in memory, and not a promise about sockets or files.
TURNS = 20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """What the engine asks of time; handed in, never reached for."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        ...

    def nanos(self) -> int:
        """Return the present moment as whole nanoseconds since 1970: a tenth of the price of `now`."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back once `seconds` have passed on this clock; zero or less gives way once."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        return datetime.now(UTC)

    nanos = staticmethod(time.time_ns)
    """The present moment as whole nanoseconds since 1970; every message pays for it, so nothing is wrapped."""

    async def sleep(self, seconds: float) -> None:
        """Sleep for real `seconds`."""
        await asyncio.sleep(max(seconds, 0))


@dataclass(order=True, slots=True)
class _Sleeper:
    due: datetime
    turn: int
    woken: asyncio.Future[None] = field(compare=False)


class StoppedClock:
    """A clock that stands still until somebody moves it, and then only forwards.

    Scenarios, rehearsals, the sandbox and tests run on it, so nobody waits for a deadline.
    """

    def __init__(self, moment: datetime) -> None:
        """Stop at `moment`, which must be aware; it is kept in UTC."""
        self._moment = _utc(moment)
        self._sleepers: list[_Sleeper] = []
        self._turn = 0

    @property
    def moment(self) -> datetime:
        """The moment the hands show, aware and in UTC; assigning a later one moves them."""
        return self._moment

    @moment.setter
    def moment(self, moment: datetime) -> None:
        self.advance_to(moment)

    @property
    def next_due(self) -> datetime | None:
        """When the first sleeper wants to be woken, or None if nobody sleeps."""
        self._forget_cancelled()
        return self._sleepers[0].due if self._sleepers else None

    def now(self) -> datetime:
        """Return the moment the hands show, aware and in UTC."""
        return self._moment

    def nanos(self) -> int:
        """Return the moment the hands show as whole nanoseconds since 1970."""
        return (self._moment - _EPOCH) // timedelta.resolution * 1000

    async def sleep(self, seconds: float) -> None:
        """Wait until the hands were moved by `seconds`; zero or less gives way once."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        self._turn += 1
        due = self._moment + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, _Sleeper(due, self._turn, woken))
        await woken

    def advance(self, by: timedelta) -> None:
        """Move the hands by `by`; see `advance_to`."""
        self.advance_to(self._moment + by)

    def advance_to(self, moment: datetime) -> None:
        """Move the hands to `moment` in one go and wake, in due order, all who are due.

        The woken run on the loop's next turn and all read `moment`; `play_to` stops at each.
        Raises ValueError for a naive moment and for one that lies in the past.
        """
        moment = _utc(moment)
        if moment < self._moment:
            raise ValueError(f"a clock only moves forwards: {moment} is before {self._moment}")
        self._moment = moment
        self._wake_due()

    async def play_to(self, moment: datetime) -> None:
        """Let time run up to `moment`: each sleeper wakes at its own moment and may sleep again.

        Between two moments the loop gets `TURNS` turns. Raises as `advance_to`.
        """
        moment = _utc(moment)
        while (due := self.next_due) is not None and due <= moment:
            self.advance_to(due)
            await _let_others_run()
        self.advance_to(moment)

    def _wake_due(self) -> None:
        while self._sleepers and self._sleepers[0].due <= self._moment:
            woken = heapq.heappop(self._sleepers).woken
            if not woken.done():
                woken.set_result(None)

    def _forget_cancelled(self) -> None:
        while self._sleepers and self._sleepers[0].woken.done():
            heapq.heappop(self._sleepers)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"the moment {moment} has no timezone: give it one, for instance UTC")
    return moment.astimezone(UTC)


async def _let_others_run() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
