"""Tickets for stewards, and obligations: who owes what by when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from groupops.people import GroupId, PersonId
from groupops.records import Due, Obligation, ObligationStatus, Ticket
from groupops.store import models, rows
from groupops.store.database import Steps, at_once, insert, inserting, plain, updating
from groupops.store.sql.base import (
    KEEP_OLD,
    Tables,
    fitting,
    putting_due,
    require_changed,
    sorted_values,
    standing,
    step,
)


class ObligationTables(Tables):
    """The part of the record that says what is still to be done by people."""

    @step
    async def open_ticket(self, ticket: Ticket) -> Ticket:
        """Open a ticket; one with the same `key` that is still open is returned instead."""
        stored = await insert(
            self._client, models.Ticket, [rows.ticket_columns(ticket)], on_conflict=KEEP_OLD, returning='"id"'
        )
        if stored:
            return replace(ticket, id=stored[0]["id"])
        there = await models.Ticket.filter(open_key=plain(ticket.key)).using_db(self._client).first()
        # Closed between the two questions: then it may be opened after all.
        return rows.ticket(there) if there is not None else await self.open_ticket(ticket)

    @step
    async def tickets(self, *, group_id: GroupId | None = None, open_only: bool = True) -> tuple[Ticket, ...]:
        """Give tickets, oldest first."""
        query = fitting(models.Ticket.all(), group_id=group_id, closed_at__isnull=True if open_only else None)
        return tuple(map(rows.ticket, await query.using_db(self._client).order_by("id")))

    @step
    async def close_ticket(self, ticket_id: int, *, by: str, at: datetime) -> Ticket | None:
        """Close a ticket; None when it is not there or closed already."""
        open_ = models.Ticket.filter(id=ticket_id, closed_at=None).using_db(self._client)
        if not await open_.update(closed_at=plain(at), closed_by=plain(by), open_key=None):
            return None
        return rows.ticket(await models.Ticket.get(id=ticket_id, using_db=self._client))

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


def _open(obligation: Obligation, due: Sequence[Due]) -> Steps[Obligation | None]:
    """Open an obligation; None when one with its key is there."""
    there = yield 'SELECT "id" FROM "core_obligations" WHERE "key" = ?', (obligation.key,)
    if there:
        return None
    person_id = yield from standing(obligation.person_id)
    opened = replace(obligation, person_id=person_id)
    columns = [rows.obligation_columns(opened)]
    stored = yield from inserting(models.Obligation, columns, on_conflict=KEEP_OLD, returning='"id"')
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
