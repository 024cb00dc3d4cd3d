"""Tickets for stewards, and obligations: who owes what by when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from groupops.people import GroupId, PersonId
from groupops.records import Due, Obligation, ObligationStatus, Ticket
from groupops.store import models, rows
from groupops.store.database import insert, plain, transaction
from groupops.store.sql.base import KEEP_OLD, Tables, fitting, not_the_stored, sorted_values, step


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
        async with transaction(self._client) as db:
            there = await models.Obligation.filter(key=plain(obligation.key)).using_db(db).first()
            if there is not None:
                return rows.obligation(there), False
            person_id = await self._standing(db, obligation.person_id, lock=True)
            opened = replace(obligation, person_id=person_id)
            stored = await insert(
                db,
                models.Obligation,
                [rows.obligation_columns(opened)],
                on_conflict=KEEP_OLD,
                returning='"id"',
            )
            if stored:
                await self._put_due(db, due)
                return replace(opened, id=stored[0]["id"]), True
        return await self.open_obligation(obligation, due)

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
        async with transaction(self._client) as db:
            columns = rows.obligation_columns(replace(obligation, version=obligation.version + 1))
            # An obligation keeps its key and its person; only a merge gives it to another.
            del columns["key"], columns["person_id"]
            same = models.Obligation.filter(id=obligation.id, version=obligation.version).using_db(db)
            changed = await same.update(**{name: plain(value) for name, value in columns.items()})
            row = await models.Obligation.filter(id=obligation.id).using_db(db).first()
            if row is None or not changed:
                stored = None if row is None else row.version
                raise not_the_stored("obligation", obligation.id, obligation.version, stored)
            await self._put_due(db, due)
            return rows.obligation(row)
