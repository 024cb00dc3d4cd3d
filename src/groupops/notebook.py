"""What an adapter or a plugin wants to know again after a restart: a few small values under its own name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from groupops.clock import Clock
from groupops.records import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNotebook:
    """The notebook of one owner; satisfies `plugin.Notebook`.

    Args:
        records: where it is kept.
        owner: whose it is.
        clock: when something was written.
    """

    records: Records
    owner: str
    clock: Clock

    async def read(self) -> Mapping[str, str]:
        """Give all that was written, by this process or one before it."""
        return await self.records.keepsakes(self.owner)

    async def write(self, values: Mapping[str, str | None]) -> None:
        """Write values under their keys; None lets go of a key."""
        if values:
            await self.records.keep(self.owner, values, self.clock.now())
