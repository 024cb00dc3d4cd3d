"""Tickets for stewards, and obligations: who owes what by when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from groupops.people import GroupId, PersonId
from groupops.records import Due, Obligation, ObligationStatus, Ticket
from groupops.store import models, rows
from groupops.store.database import Steps, at_once, inserting, look, plain, selecting, updating
from groupops.store.sql.base import (
    KEEP_OLD,
    Tables,
    fitting,
    opening_ticket,
    putting_due,
    require_changed,
    sorted_values,
    standing,
    step,
)

OPEN = '"closed_at" IS NULL AND "id" > ?'
CLOSE = (
    'UPDATE "core_tickets" SET "closed_at" = ?, "closed_by" = ?, "open_key" = NULL '
    'WHERE "id" = ? AND "closed_at" IS NULL RETURNING "id"'
)


class ObligationTables(Tables):
    """The part of the record that says what is still to be done by people."""

    @step
    async def open_ticket(self, ticket: Ticket) -> Ticket:
        """Open a ticket; one with the same `key` that is still open is returned instead."""
        return await at_once(self._client, opening_ticket(ticket))

    @step
    async def tickets(self, *, group_id: GroupId | None = None, open_only: bool = True) -> tuple[Ticket, ...]:
        """Give tickets, oldest first."""
        where = {'"group_id" = ?': group_id, OPEN: 0 if open_only else None}
        return await look(self._client, _tickets(where))

    @step
    async def close_ticket(self, ticket_id: int, *, by: str, at: datetime) -> Ticket | None:
        """Close a ticket; None when it is not there or closed already."""
        return await at_once(self._client, _close(ticket_id, by, at))

    @step
    async def open_obligation(
        self, obligation: Obligation, due: Sequence[Due] = ()
    ) -> tuple[Obligation, bool]:
        """Open an obligation; False when one with its key was there (which is returned unchanged)."""
        opened = await at_once(self._client, _open(obligation, due))
        if opened is not None:
            return opened, True
        there = await models.Obligation.get(key=plain(obligation.key), using_db=self._client)
        return rows.obligation(there), False

    @step
    async def obligation(self, obligation_id: int) -> Obligation | None:
        """Give one obligation by number."""
        row = await models.Obligation.filter(id=obligation_id).using_db(self._client).first()
        return None if row is None else rows.obligation(row)

    @step
    async def obligation_by_key(self, key: str) -> Obligation | None:
        """Give one obligation by its key."""
        row = await models.Obligation.filter(key=plain(key)).using_db(self._client).first()
        return None if row is None else rows.obligation(row)

    @step
    async def obligations(
        self,
        *,
        group_id: GroupId | None = None,
        person_id: PersonId | None = None,
        statuses: frozenset[ObligationStatus] | None = None,
        plugin: str | None = None,
    ) -> tuple[Obligation, ...]:
        """Give obligations that fit, oldest first."""
        query = fitting(
            models.Obligation.all(),
            group_id=group_id,
            person_id=person_id,
            status__in=sorted_values(statuses),
            plugin=plugin,
        )
        return tuple(map(rows.obligation, await query.using_db(self._client).order_by("id")))

    @step
    async def update_obligation(self, obligation: Obligation, due: Sequence[Due] = ()) -> Obligation:
        """Write a changed obligation; `version` must be the stored one."""
        return await at_once(self._client, _update(obligation, due))


def _tickets(where: Mapping[str, Any]) -> Steps[tuple[Ticket, ...]]:
    found = yield selecting(models.Ticket, where)
    return tuple(map(rows.ticket, found))


def _close(ticket_id: int, by: str, at: datetime) -> Steps[Ticket | None]:
    closed = yield CLOSE, (at, by, ticket_id)
    return (yield from _tickets({'"id" = ?': ticket_id}))[0] if closed else None


def _open(obligation: Obligation, due: Sequence[Due]) -> Steps[Obligation | None]:
    """Open an obligation; None when one with its key is there."""
    there = yield 'SELECT "id" FROM "core_obligations" WHERE "key" = ?', (obligation.key,)
    if there:
        return None
    person_id = yield from standing(obligation.person_id)
    opened = replace(obligation, person_id=person_id)
    columns = [rows.obligation_columns(opened)]
    stored = yield from inserting(models.Obligation, columns, on_conflict=KEEP_OLD, returning=("id",))
    if not stored:
        return None
    yield from putting_due(due)
    return replace(opened, id=stored[0]["id"])


def _update(obligation: Obligation, due: Sequence[Due]) -> Steps[Obligation]:
    columns = rows.obligation_columns(replace(obligation, version=obligation.version + 1))
    # An obligation keeps its key and its person; only a merge gives it to another.
    del columns["key"], columns["person_id"]
    same = {"id": obligation.id, "version": obligation.version}
    changed = yield from updating(models.Obligation, columns, same, '"key", "person_id"')
    row = yield from require_changed(
        "obligation", models.Obligation, obligation.id, obligation.version, changed
    )
    yield from putting_due(due)
    return replace(
        obligation, key=row["key"], person_id=PersonId(row["person_id"]), version=obligation.version + 1
    )
