"""What rooms and adapters want to know again after a restart, where the record itself is in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime


class KeepsakesInMemory:
    """The part of the record in memory that remembers for others."""

    def __init__(self) -> None:
        self._keepsakes: dict[tuple[str, str], tuple[str, datetime]] = {}

    async def keepsakes(self, owner: str) -> Mapping[str, str]:
        """Give all that an owner has kept: key → value."""
        return {key: value for (whose, key), (value, _) in self._keepsakes.items() if whose == owner}

    async def keep(self, owner: str, values: Mapping[str, str | None], at: datetime) -> None:
        """Keep values under their keys, in place of what was there; None lets go of a key."""
        for key, value in values.items():
            if value is None:
                self._keepsakes.pop((owner, key), None)
            else:
                self._keepsakes[owner, key] = (value, at)

    def _purge_keepsakes(self, before: datetime) -> int:
        old = [key for key, (_, at) in self._keepsakes.items() if at < before]
        for key in old:
            del self._keepsakes[key]
        return len(old)
