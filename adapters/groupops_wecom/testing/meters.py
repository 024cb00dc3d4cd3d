"""Counts calls in windows that roll, and says when there were too many."""

from __future__ import annotations

from collections import deque


class Meter:
    """So many in so many seconds, for each key.

    Args:
        *limits: pairs of how many and in how many seconds.
        bans: whether one call too many shuts the door for a whole window, as WeCom's REST interface does.
    """

    def __init__(self, *limits: tuple[int, float], bans: bool = False) -> None:
        self._limits = limits
        self._bans = bans
        self._seen: dict[tuple[str, float], deque[float]] = {}
        self._shut_until: dict[str, float] = {}

    def admits(self, key: str, now: float, size: int = 1) -> bool:
        """Count `size` more under `key`, and say whether there was room for them; what is refused is not counted."""
        if now < self._shut_until.get(key, 0.0):
            return False
        for limit, seconds in self._limits:
            seen = self._seen.setdefault((key, seconds), deque())
            while seen and seen[0] <= now - seconds:
                seen.popleft()
            if len(seen) + size > limit:
                self._shut_until[key] = now + seconds if self._bans else 0.0
                return False
        for _, seconds in self._limits:
            self._seen[key, seconds].extend([now] * size)
        return True
