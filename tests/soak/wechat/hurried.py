"""Runs the bot as `bot.py` does, on a clock that goes many times as fast: `python hurried.py <moment> <times>`."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime

from groupops.bridge import serve
from groupops.errors import GroupOpsError
from groupops.operations import LoguruLog, assemble, read_start


class HurriedClock:
    """A clock that shows a moment when it is made, and goes so many times as fast as the machine's.

    Args:
        moment: what it shows first.
        times: how many of its seconds pass in one.
    """

    def __init__(self, moment: datetime, times: float) -> None:
        self._first = int(moment.timestamp()) * 1_000_000_000
        self._made = time.monotonic_ns()
        self._times = times

    def nanos(self) -> int:
        return self._first + int((time.monotonic_ns() - self._made) * self._times)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.nanos() / 1e9, UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0) / self._times)


if __name__ == "__main__":
    moment, times = sys.argv[1:]
    clock = HurriedClock(datetime.fromisoformat(moment), float(times))
    try:
        serve(assemble(read_start(), clock=clock, log=LoguruLog()))
    except GroupOpsError as error:
        sys.exit(f"groupops: {error}")
