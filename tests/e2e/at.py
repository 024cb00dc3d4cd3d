"""Runs the bot as `bot.py` does, with a clock that is ahead of or behind the machine's: `python at.py <seconds>`."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from groupops.bridge import serve
from groupops.clock import SystemClock
from groupops.errors import GroupOpsError
from groupops.operations import LoguruLog, assemble, read_start


class Elsewhen(SystemClock):
    """The machine's clock, so many seconds off."""

    def __init__(self, seconds: float) -> None:
        self._off = timedelta(seconds=seconds)
        self._off_nanos = int(seconds * 1_000_000_000)

    def now(self) -> datetime:
        return super().now() + self._off

    def nanos(self) -> int:  # type: ignore[override]
        return SystemClock.nanos() + self._off_nanos


if __name__ == "__main__":
    try:
        serve(assemble(read_start(), clock=Elsewhen(float(sys.argv[1])), log=LoguruLog()))
    except GroupOpsError as error:
        sys.exit(f"groupops: {error}")
