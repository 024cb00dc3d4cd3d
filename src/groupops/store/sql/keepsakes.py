"""What rooms and adapters want to know again after a restart, in one small table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from groupops.store import models
from groupops.store.database import Steps, at_once, inserting
from groupops.store.sql.base import Tables, step

_READ = 'SELECT "key", "value" FROM "core_keepsakes" WHERE "owner" = ?'
_DROP = 'DELETE FROM "core_keepsakes" WHERE "owner" = ? AND "key" = ?'
_NEWER = '("owner", "key") DO UPDATE SET "value" = EXCLUDED."value", "at" = EXCLUDED."at"'


class KeepsakeTables(Tables):
    """The part of the record that remembers for others."""

    @step
    async def keepsakes(self, owner: str) -> Mapping[str, str]:
        """Give all that an owner has kept: key → value."""
        return await at_once(self._client, _read(owner))

    @step
    async def keep(self, owner: str, values: Mapping[str, str | None], at: datetime) -> None:
        """Keep values under their keys, in place of what was there; None lets go of a key."""
        await at_once(self._client, _keep(owner, values, at))


def _read(owner: str) -> Steps[dict[str, str]]:
    found = yield _READ, (owner,)
    return {row["key"]: row["value"] for row in found}


def _keep(owner: str, values: Mapping[str, str | None], at: datetime) -> Steps[None]:
    columns = [
        {"owner": owner, "key": key, "value": value, "at": at}
        for key, value in values.items()
        if value is not None
    ]
    yield from inserting(models.Keepsake, columns, on_conflict=_NEWER)
    for key, value in values.items():
        if value is None:
            yield _DROP, (owner, key)
