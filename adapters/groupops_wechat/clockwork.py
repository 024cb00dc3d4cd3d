"""Where the time of day and waiting come from when nobody hands in another clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251 - the one room of this adapter where the wall clock hangs


@dataclass(frozen=True, slots=True)
class Clockwork:
    """A clock that can be replaced.

    Args:
        now: the present, seconds since the epoch.
        sleep: waits so many seconds.
    """

    now: Callable[[], float] = time.time  # noqa: TID251 - as above
    sleep: Callable[[float], Awaitable[None]] = _sleep
