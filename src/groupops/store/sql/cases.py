"""Cases and the outbox: what is booked, what follows from it, and what became of that."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q

from groupops import wire
from groupops.actions import Action, Receipt
from groupops.errors import StoreError
from groupops.people import GroupId, PersonId
from groupops.records import Booked, Booking, Case, CaseStatus, Due, OutboxRow, OutboxState
from groupops.store import models, rows
from groupops.store.database import Steps, ask, at_once, follow, inserting, marks, plain, updating
from groupops.store.sql.base import (
    Tables,
    fitting,
    putting_due,
    putting_outbox,
    require_changed,
    sorted_values,
    standing,
    step,
)

STRIKES = (
    'SELECT COUNT(*) AS "strikes" FROM "core_cases" WHERE "person_id" = ? AND "ladder" = ? AND "ladder" <> \'\' '
    'AND "status" = \'effective\' AND ("expires_at" IS NULL OR "expires_at" > ?)'
)
LOOK = (
    'SELECT (SELECT "id" FROM "core_cases" WHERE "event_id" = ?) AS "known", (:strikes) AS "strikes"'.replace(
        ":strikes", STRIKES
    )
)
CLAIM = (
    'UPDATE "core_outbox" SET "state" = \'performing\', "attempts" = "attempts" + 1, "changed_at" = ? '
    'WHERE "state" = \'waiting\' AND "id" IN ({marks}) RETURNING "id"'
)
RECEIPT = (
    'UPDATE "core_outbox" SET "state" = ?, "receipt" = COALESCE(?, "receipt"), "not_before" = ?, '
    '"action" = COALESCE(?, "action"), "changed_at" = ?, "attempts" = "attempts" - ? WHERE "id" = ? RETURNING "id"'
)


class CaseTables(Tables):
    """The part of the record that says who did what and what was done about it."""

    @step
    async def book(
        self,
        event_id: str,
        person_id: PersonId,
        ladder: str,
        now: datetime,
        decide: Callable[[int], Booking],
    ) -> Booked:
        """Book an offence: count the person's valid strikes on the ladder, ask `decide`, write what it says."""
        try:
            booked = await at_once(self._client, _book(event_id, person_id, ladder, now, decide))
        except (IntegrityError, sqlite3.IntegrityError):
            # Somebody booked the same fact for another person in this very moment.
            booked = None
        return booked if booked is not None else await self._booked_before(event_id)

    async def _booked_before(self, event_id: str) -> Booked:
        case = await self.case_of_event(event_id)
        if case is None:
            raise StoreError(f"fact {event_id} could be neither booked nor found; try again")
        return Booked(case=case, outbox=await self.outbox(case_id=case.id), fresh=False)

    @step
    async def case(self, case_id: int) -> Case | None:
        """Give one case."""
        row = await models.Case.filter(id=case_id).using_db(self._client).first()
        return None if row is None else rows.case(row)

    @step
    async def case_of_event(self, event_id: str) -> Case | None:
        """Give the case of a fact."""
        row = await models.Case.filter(event_id=plain(event_id)).using_db(self._client).first()
        return None if row is None else rows.case(row)

    @step
    async def cases(
        self,
        *,
        group_id: GroupId | None = None,
        person_id: PersonId | None = None,
        statuses: frozenset[CaseStatus] | None = None,
        message_id: str | None = None,
        since: datetime | None = None,
        limit: int = 1000,
    ) -> tuple[Case, ...]:
        """Give the cases that fit all that is given, oldest first."""
        query = fitting(
            models.Case.all(),
            group_id=group_id,
            person_id=person_id,
            status__in=sorted_values(statuses),
            message_id=message_id,
            opened_at__gte=plain(since),
        )
        found = await query.using_db(self._client).order_by("id").limit(limit)
        return tuple(map(rows.case, found))

    @step
    async def strikes(self, person_id: PersonId, ladder: str, now: datetime) -> int:
        """Count a person's valid strikes on a ladder."""
        person_id = await follow(self._client, standing(person_id))
        counted = await ask(self._client, STRIKES, person_id, ladder, now)
        return int(counted[0]["strikes"])

    @step
    async def update_case(
        self, case: Case, *, outbox: Sequence[OutboxRow] = (), due: Sequence[Due] = ()
    ) -> Booked:
        """Write a changed case with what follows from it; `case.version` must be the stored one."""
        return await at_once(self._client, _update(case, outbox, due))

    # — outbox —
    @step
    async def enqueue(self, rows: Sequence[OutboxRow]) -> tuple[OutboxRow, ...]:
        """Store actions; a row whose `(event_id, index)` is there already is left out. Returns those stored."""
        return await at_once(self._client, putting_outbox(rows))

    @step
    async def performing(self, ids: Sequence[int], now: datetime) -> frozenset[int]:
        """Mark waiting rows as handed to the platform; returns those that were still waiting (the claim)."""
        if not ids:
            return frozenset()
        claimed = await ask(self._client, CLAIM.format(marks=marks(ids)), now, *ids)
        return frozenset(row["id"] for row in claimed)

    @step
    async def receipted(
        self,
        row_id: int,
        state: OutboxState,
        receipt: Receipt | None,
        now: datetime,
        *,
        not_before: datetime | None = None,
        follow_up: Sequence[OutboxRow] = (),
        kept: Action | None = None,
        untried: bool = False,
    ) -> tuple[OutboxRow, ...]:
        """Write what became of a row, with the rows that stand in for it. Without a receipt the last one stays."""
        text = None if receipt is None else wire.receipt_to_json(receipt)
        action = None if kept is None else wire.action_to_json(kept)
        steps = _receipt(row_id, (state, text, not_before, action, now, int(untried), row_id), follow_up)
        # A single statement is a transaction by itself.
        return await (at_once if follow_up else follow)(self._client, steps)

    @step
    async def outbox(
        self,
        *,
        states: frozenset[OutboxState] | None = None,
        case_id: int | None = None,
        group_id: GroupId | None = None,
        due_by: datetime | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> tuple[OutboxRow, ...]:
        """Give rows that fit, oldest first, numbered above `after`; `due_by` leaves out rows that wait for later."""
        query = fitting(
            models.Outbox.all(), state__in=sorted_values(states), case_id=case_id, group_id=group_id
        )
        if due_by is not None:
            query = query.filter(Q(not_before__isnull=True) | Q(not_before__lte=plain(due_by)))
        if after:
            query = query.filter(id__gt=after)
        found = await query.using_db(self._client).order_by("id").limit(limit)
        return tuple(map(rows.outbox, found))

    @step
    async def cancel_outbox(self, case_id: int, now: datetime) -> int:
        """Cancel a case's rows that still wait; returns how many."""
        waiting = models.Outbox.filter(case_id=case_id, state=OutboxState.WAITING.value)
        return await waiting.using_db(self._client).update(
            state=OutboxState.CANCELLED.value, changed_at=plain(now)
        )


def _book(
    event_id: str, person_id: PersonId, ladder: str, now: datetime, decide: Callable[[int], Booking]
) -> Steps[Booked | None]:
    """Book; None when the fact was booked before."""
    person_id = yield from standing(person_id)
    (found,) = yield LOOK, (event_id, person_id, ladder, now)
    if found["known"] is not None:
        return None
    booking = decide(found["strikes"])
    case = replace(booking.case, event_id=event_id, person_id=person_id)
    stored = yield from inserting(models.Case, [rows.case_columns(case)], returning='"id"')
    case = replace(case, id=stored[0]["id"])
    return (yield from _follow(case, booking.rows(case), booking.due))


def _update(case: Case, outbox: Sequence[OutboxRow], due: Sequence[Due]) -> Steps[Booked]:
    columns = rows.case_columns(replace(case, version=case.version + 1))
    # A case stays with its fact and with its person; only a merge gives it to another.
    del columns["event_id"], columns["person_id"]
    same = {"id": case.id, "version": case.version}
    changed = yield from updating(models.Case, columns, same, '"event_id", "person_id"')
    row = yield from require_changed("case", models.Case, case.id, case.version, changed)
    stored = replace(
        case, event_id=row["event_id"], person_id=PersonId(row["person_id"]), version=case.version + 1
    )
    return (yield from _follow(stored, outbox, due))


def _follow(case: Case, outbox: Sequence[OutboxRow], due: Sequence[Due]) -> Steps[Booked]:
    stored = yield from putting_outbox([replace(row, case_id=case.id) for row in outbox])
    yield from putting_due(due)
    return Booked(case=case, outbox=stored, fresh=True)


def _receipt(
    row_id: int, values: Sequence[Any], follow_up: Sequence[OutboxRow]
) -> Steps[tuple[OutboxRow, ...]]:
    changed = yield RECEIPT, values
    if not changed:
        raise StoreError(f"there is no row {row_id} in the outbox")
    return (yield from putting_outbox(follow_up))
