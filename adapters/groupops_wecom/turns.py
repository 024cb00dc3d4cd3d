"""What belongs together is done one after the other, in the order in which it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Turns:
    """Queues by a key; one that nobody stands in is forgotten."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._standing: dict[str, int] = {}

    def __contains__(self, key: str) -> bool:
        """Say whether somebody stands in this queue."""
        return key in self._standing

    def join(self, key: str) -> None:
        """Stand in a queue, from now on; `turn` is to follow."""
        self._standing[key] = self._standing.get(key, 0) + 1

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncGenerator[None]:
        """Wait for one's turn after `join`, and leave the queue at the end of the block."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                yield
        finally:
            self._standing[key] -= 1
            if not self._standing[key]:
                del self._standing[key], self._locks[key]
