"""Cases and the outbox: what is booked, what follows from it, and what became of that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q

from groupops import wire
from groupops.actions import Receipt
from groupops.errors import StoreError
from groupops.people import GroupId, PersonId
from groupops.records import Booked, Booking, Case, CaseStatus, Due, OutboxRow, OutboxState
from groupops.store import models, rows
from groupops.store.database import ask, insert, is_postgres, marks, plain, transaction
from groupops.store.sql.base import Tables, fitting, not_the_stored, sorted_values, step

STRIKES = (
    'SELECT COUNT(*) FROM "core_cases" WHERE "person_id" = ? AND "ladder" = ? AND "ladder" <> \'\' '
    'AND "status" = \'effective\' AND ("expires_at" IS NULL OR "expires_at" > ?)'
)
LOOK = (
    'SELECT (SELECT "id" FROM "core_cases" WHERE "event_id" = ?) AS "known", '
    '(SELECT "merged_into" FROM "core_persons" WHERE "id" = ?) AS "merged_into", '
    '(SELECT COUNT(*) FROM "core_persons" WHERE "id" = ?) AS "there", (:strikes) AS "strikes"'
).replace(":strikes", STRIKES)
CLAIM = (
    'UPDATE "core_outbox" SET "state" = \'performing\', "attempts" = "attempts" + 1, "changed_at" = ? '
    'WHERE "state" = \'waiting\' AND "id" IN ({marks}) RETURNING "id"'
)
RECEIPT = (
    'UPDATE "core_outbox" SET "state" = ?, "receipt" = COALESCE(?, "receipt"), "not_before" = ?, '
    '"changed_at" = ? WHERE "id" = ? RETURNING "id"'
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
            async with transaction(self._client) as db:
                booked = await self._book(db, event_id, person_id, ladder, now, decide)
        except IntegrityError:
            # Somebody booked the same fact for another person in this very moment.
            booked = None
        return booked if booked is not None else await self._booked_before(event_id)

    async def _book(
        self,
        db: BaseDBAsyncClient,
        event_id: str,
        person_id: PersonId,
        ladder: str,
        now: datetime,
        decide: Callable[[int], Booking],
    ) -> Booked | None:
        """Book inside a transaction; None when the fact was booked before."""
        if is_postgres(db):
            person_id = await self._standing(db, person_id, lock=True)
        found = await _look(db, event_id, person_id, ladder, now)
        if found["known"] is not None:
            return None
        if found["merged_into"] is not None or not found["there"]:
            person_id = await self._standing(db, person_id)
            found = await _look(db, event_id, person_id, ladder, now)
        booking = decide(found["strikes"])
        case = replace(booking.case, event_id=event_id, person_id=person_id)
        stored = await insert(db, models.Case, [rows.case_columns(case)], returning='"id"')
        case = replace(case, id=stored[0]["id"])
        return await self._follow(db, case, booking.rows(case), booking.due)

    async def _booked_before(self, event_id: str) -> Booked:
        case = await self.case_of_event(event_id)
        if case is None:
            raise StoreError(f"fact {event_id} could be neither booked nor found; try again")
        return Booked(case=case, outbox=await self.outbox(case_id=case.id), fresh=False)

    async def _follow(
        self, db: BaseDBAsyncClient, case: Case, outbox: Sequence[OutboxRow], due: Sequence[Due]
    ) -> Booked:
        stored = await self._put_outbox(db, [replace(row, case_id=case.id) for row in outbox])
        await self._put_due(db, due)
        return Booked(case=case, outbox=stored, fresh=True)

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
        person_id = await self._standing(self._client, person_id)
        counted = await ask(self._client, f'SELECT ({STRIKES}) AS "strikes"', person_id, ladder, now)
        return int(counted[0]["strikes"])

    @step
    async def update_case(
        self, case: Case, *, outbox: Sequence[OutboxRow] = (), due: Sequence[Due] = ()
    ) -> Booked:
        """Write a changed case with what follows from it; `case.version` must be the stored one."""
        async with transaction(self._client) as db:
            columns = rows.case_columns(replace(case, version=case.version + 1))
            # A case stays with its fact and with its person; only a merge gives it to another.
            del columns["event_id"], columns["person_id"]
            same = models.Case.filter(id=case.id, version=case.version).using_db(db)
            changed = await same.update(**{name: plain(value) for name, value in columns.items()})
            row = await models.Case.filter(id=case.id).using_db(db).first()
            if row is None or not changed:
                stored = None if row is None else row.version
                raise not_the_stored("case", case.id, case.version, stored)
            return await self._follow(db, rows.case(row), outbox, due)

    # — outbox —
    @step
    async def enqueue(self, rows: Sequence[OutboxRow]) -> tuple[OutboxRow, ...]:
        """Store actions; a row whose `(event_id, index)` is there already is left out. Returns those stored."""
        async with transaction(self._client) as db:
            return await self._put_outbox(db, rows)

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
    ) -> tuple[OutboxRow, ...]:
        """Write what became of a row, with the rows that stand in for it. Without a receipt the last one stays."""
        text = None if receipt is None else wire.receipt_to_json(receipt)
        values = (state, text, not_before, now, row_id)
        if not follow_up:
            _require_row(row_id, await ask(self._client, RECEIPT, *values))
            return ()
        async with transaction(self._client) as db:
            _require_row(row_id, await ask(db, RECEIPT, *values))
            return await self._put_outbox(db, follow_up)

    @step
    async def outbox(
        self,
        *,
        states: frozenset[OutboxState] | None = None,
        case_id: int | None = None,
        group_id: GroupId | None = None,
        due_by: datetime | None = None,
        limit: int = 1000,
    ) -> tuple[OutboxRow, ...]:
        """Give rows that fit, oldest first; `due_by` leaves out rows whose `not_before` is later."""
        query = fitting(
            models.Outbox.all(), state__in=sorted_values(states), case_id=case_id, group_id=group_id
        )
        if due_by is not None:
            query = query.filter(Q(not_before__isnull=True) | Q(not_before__lte=plain(due_by)))
        found = await query.using_db(self._client).order_by("id").limit(limit)
        return tuple(map(rows.outbox, found))

    @step
    async def cancel_outbox(self, case_id: int, now: datetime) -> int:
        """Cancel a case's rows that still wait; returns how many."""
        waiting = models.Outbox.filter(case_id=case_id, state=OutboxState.WAITING.value)
        return await waiting.using_db(self._client).update(
            state=OutboxState.CANCELLED.value, changed_at=plain(now)
        )


async def _look(
    db: BaseDBAsyncClient, event_id: str, person_id: PersonId, ladder: str, now: datetime
) -> dict[str, Any]:
    """Everything `book` has to know, in one question."""
    return (await ask(db, LOOK, event_id, person_id, person_id, person_id, ladder, now))[0]


def _require_row(row_id: int, changed: list[dict[str, Any]]) -> None:
    if not changed:
        raise StoreError(f"there is no row {row_id} in the outbox")
