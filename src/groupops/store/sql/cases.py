"""Cases and the outbox: what is booked, what follows from it, and what became of that."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError

from groupops import wire
from groupops.actions import Action, Receipt
from groupops.altered import altered
from groupops.errors import StoreError
from groupops.people import AccountId, GroupId, PersonId
from groupops.records import (
    NOTHING,
    Asking,
    Audit,
    Besides,
    Booked,
    Booking,
    Case,
    CaseStatus,
    Due,
    Known,
    OutboxRow,
    OutboxState,
    Ticket,
    carried_out,
    receipt_of,
    renumbered,
    require_strikes,
)
from groupops.store import models, rows
from groupops.store.database import Steps, at_once, inserting, look, marks, plain, selecting, updating
from groupops.store.sql.base import (
    Tables,
    holder,
    noting,
    opening_ticket,
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
    'SELECT (SELECT "id" FROM "core_cases" WHERE "event_id" = ?) AS "known", (:strikes) AS "strikes", '
    'EXISTS (SELECT 1 FROM "core_cases" WHERE "person_id" = ? AND "opened_at" >= ?) AS "lately"'
).replace(":strikes", STRIKES)
CONTAINMENT = '"purpose" = \'contain\' AND "case_id" IN (SELECT "id" FROM "core_cases" WHERE "person_id" = ?)'
CLAIM = (
    'UPDATE "core_outbox" SET "state" = \'performing\', "attempts" = "attempts" + 1, "changed_at" = ? '
    'WHERE "state" = \'waiting\' AND "id" IN ({marks}) RETURNING "id"'
)
RECEIPT = (
    'UPDATE "core_outbox" SET "state" = ?, "receipt" = COALESCE(?, "receipt"), "not_before" = ?, '
    '"action" = COALESCE(?, "action"), "changed_at" = ?, "attempts" = "attempts" - ? WHERE "id" = ? RETURNING "id"'
)
OPEN = 'SELECT "id" FROM "core_outbox" WHERE "id" = ? AND "state" IN (\'waiting\', \'performing\') :lock'
ASKED = (
    'UPDATE "core_outbox" SET "attempts" = "attempts" + CASE "state" WHEN \'waiting\' THEN 1 ELSE 0 END, '
    '"state" = \'done\', "receipt" = ?, "not_before" = NULL, "changed_at" = ? WHERE "id" = ? RETURNING "id"'
)


class CaseTables(Tables):
    """The part of the record that says who did what and what was done about it."""

    @step
    async def book(
        self,
        event_id: str,
        account: AccountId,
        ladder: str,
        now: datetime,
        decide: Callable[[Known], Booking | Case],
        *,
        name: str = "",
        recent: datetime | None = None,
        contained: datetime | None = None,
    ) -> Booked:
        """Book an offence: read what is known of the person, ask `decide`, write what it says."""
        booking = _book(event_id, (account, name), (ladder, now, recent, contained), decide)
        try:
            booked = await at_once(self._client, booking)
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
        return await look(self._client, _case({'"id" = ?': case_id}))

    @step
    async def case_of_event(self, event_id: str) -> Case | None:
        """Give the case of a fact."""
        return await look(self._client, _case({'"event_id" = ?': event_id}))

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
        where = {
            '"group_id" = ?': group_id,
            '"person_id" = ?': person_id,
            '"status" IN ({marks})': sorted_values(statuses),
            '"message_id" = ?': message_id,
            '"opened_at" >= ?': since,
        }
        return await look(self._client, _cases(where, limit))

    @step
    async def strikes(self, person_id: PersonId, ladder: str, now: datetime) -> int:
        """Count a person's valid strikes on a ladder."""
        return await look(self._client, _strikes(person_id, ladder, now))

    @step
    async def update_case(
        self,
        case: Case,
        *,
        outbox: Sequence[OutboxRow] = (),
        due: Sequence[Due] = (),
        counted: tuple[int, datetime] | None = None,
    ) -> Booked:
        """Write a changed case with what follows from it; `case.version` must be the stored one."""
        return await at_once(self._client, _recounted(case, outbox, due, counted))

    # — outbox —
    @step
    async def enqueue(self, rows: Sequence[OutboxRow]) -> tuple[OutboxRow, ...]:
        """Store actions; a row whose `(event_id, index)` is there already is left out. Returns those stored."""
        return await at_once(self._client, putting_outbox(rows), single=len(rows) == 1)

    @step
    async def performing(self, ids: Sequence[int], now: datetime) -> frozenset[int]:
        """Mark waiting rows as handed to the platform; returns those that were still waiting (the claim)."""
        if not ids:
            return frozenset()
        return await at_once(self._client, _claim(ids, now), single=True)

    @step
    async def receipted(
        self,
        row_id: int,
        state: OutboxState,
        receipt: Receipt | None,
        now: datetime,
        *,
        not_before: datetime | None = None,
        kept: Action | None = None,
        untried: bool = False,
        besides: Besides = NOTHING,
    ) -> tuple[OutboxRow, ...]:
        """Write what became of a row, with the rows that stand in for it. Without a receipt the last one stays."""
        text = None if receipt is None else wire.receipt_to_json(receipt)
        action = None if kept is None else wire.action_to_json(kept)
        values = (state, text, not_before, action, now, int(untried), row_id)
        return await at_once(self._client, _receipt(row_id, values, besides), single=besides == NOTHING)

    @step
    async def asked(
        self, row: OutboxRow, asking: Asking, now: datetime
    ) -> tuple[Ticket, tuple[OutboxRow, ...]] | None:
        """Carry out a row that asks the stewards: open the ticket, store the words, and write the row down."""
        return await at_once(self._client, _asked(row, asking, now))

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
        where = {
            '"state" IN ({marks})': sorted_values(states),
            '"case_id" = ?': case_id,
            '"group_id" = ?': group_id,
            '("not_before" IS NULL OR "not_before" <= ?)': due_by,
            '"id" > ?': after or None,
        }
        return await look(self._client, _outbox(where, limit))

    @step
    async def cancel_outbox(self, case_id: int, now: datetime) -> int:
        """Cancel a case's rows that still wait; returns how many."""
        waiting = models.Outbox.filter(case_id=case_id, state=OutboxState.WAITING.value)
        return await waiting.using_db(self._client).update(
            state=OutboxState.CANCELLED.value, changed_at=plain(now)
        )


def _case(where: Mapping[str, Any]) -> Steps[Case | None]:
    found = yield selecting(models.Case, where)
    return rows.case(found[0]) if found else None


def _cases(where: Mapping[str, Any], limit: int | None = None) -> Steps[tuple[Case, ...]]:
    found = yield selecting(models.Case, where, limit=limit)
    return tuple(map(rows.case, found))


def _outbox(where: Mapping[str, Any], limit: int | None = None) -> Steps[tuple[OutboxRow, ...]]:
    found = yield selecting(models.Outbox, where, limit=limit)
    return tuple(map(rows.outbox, found))


def _strikes(person_id: PersonId, ladder: str, now: datetime) -> Steps[int]:
    person_id = yield from standing(person_id)
    (counted,) = yield STRIKES, (person_id, ladder, now)
    return int(counted["strikes"])


def _book(
    event_id: str,
    who: tuple[AccountId, str],
    wanted: tuple[str, datetime, datetime | None, datetime | None],
    decide: Callable[[Known], Booking | Case],
) -> Steps[Booked | None]:
    """Book; None when the fact was booked before."""
    ladder, now, recent, contained = wanted
    person_id = yield from holder(*who)
    (found,) = yield LOOK, (event_id, person_id, ladder, now, person_id, recent or now)
    if found["known"] is not None:
        return None
    decided = decide(
        Known(
            person_id=person_id,
            strikes=found["strikes"],
            recent=(yield from _recent(person_id, recent)) if found["lately"] else (),
            contained=(yield from _contained(person_id, contained)),
        )
    )
    if isinstance(decided, Case):
        return Booked(case=decided, outbox=(), fresh=False)
    if decided.case.id:
        changed = yield from _update(decided.case, decided.rows(decided.case), decided.due)
        return replace(changed, fresh=not decided.again)
    named = {"event_id": event_id, "person_id": person_id}
    columns = {**rows.case_columns(decided.case), **named}
    stored = yield from inserting(models.Case, [columns], returning=("id",))
    case = altered(decided.case, id=stored[0]["id"], event_id=event_id, person_id=person_id)
    outbox = renumbered(decided.rows(case), case.id)
    if decided.asking is None:
        return (yield from _follow(case, outbox, decided.due))
    asked, told, noted = yield from _asking(outbox, decided.asking, now)
    booked = yield from _follow(case, asked, decided.due, told)
    yield from noting(*noted)
    return booked


def _recent(person_id: PersonId, since: datetime | None) -> Steps[tuple[Case, ...]]:
    if since is None:
        return ()
    return (yield from _cases({'"person_id" = ?': person_id, '"opened_at" >= ?': since}))


def _contained(person_id: PersonId, since: datetime | None) -> Steps[tuple[OutboxRow, ...]]:
    if since is None:
        return ()
    return (yield from _outbox({CONTAINMENT: person_id, '"created_at" >= ?': since}))


def _recounted(
    case: Case, outbox: Sequence[OutboxRow], due: Sequence[Due], counted: tuple[int, datetime] | None
) -> Steps[Booked]:
    if counted is not None:
        strikes, now = counted
        require_strikes(case.id, strikes, (yield from _strikes(case.person_id, case.ladder, now)))
    return (yield from _update(case, outbox, due))


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


def _asking(
    outbox: Sequence[OutboxRow], asking: Callable[[OutboxRow], Asking | None], now: datetime
) -> Steps[tuple[list[OutboxRow], list[OutboxRow], list[Audit | None]]]:
    """Open the tickets of rows that are about to be stored: gives the rows, settled where they asked, and what follows."""
    rows_: list[OutboxRow] = []
    told: list[OutboxRow] = []
    noted: list[Audit | None] = []
    for row in outbox:
        ask = asking(row)
        if ask is None:
            rows_.append(row)
            continue
        opened = yield from opening_ticket(ask.ticket)
        rows_.append(carried_out(row, opened, now))
        told += ask.words(opened)
        noted.append(ask.noted)
    return rows_, told, noted


def _follow(
    case: Case, outbox: Sequence[OutboxRow], due: Sequence[Due], told: Sequence[OutboxRow] = ()
) -> Steps[Booked]:
    stored = yield from putting_outbox((*renumbered(outbox, case.id), *told))
    yield from putting_due(due)
    return Booked(case=case, outbox=stored, fresh=True)


def _claim(ids: Sequence[int], now: datetime) -> Steps[frozenset[int]]:
    claimed = yield CLAIM.format(marks=marks(ids)), (now, *ids)
    return frozenset(row["id"] for row in claimed)


def _receipt(row_id: int, values: Sequence[Any], besides: Besides) -> Steps[tuple[OutboxRow, ...]]:
    changed = yield RECEIPT, values
    if not changed:
        raise StoreError(f"there is no row {row_id} in the outbox")
    yield from noting(besides.noted)
    late = bool(besides.undo) and (yield from _out_of_force(besides.undo[0].case_id))
    return (yield from putting_outbox((*besides.follow_up, *besides.undo) if late else besides.follow_up))


def _out_of_force(case_id: int | None) -> Steps[bool]:
    found = yield 'SELECT "status" FROM "core_cases" WHERE "id" = ?', (case_id,)
    return bool(found) and CaseStatus(found[0]["status"]).out_of_force


def _asked(
    row: OutboxRow, asking: Asking, now: datetime
) -> Steps[tuple[Ticket, tuple[OutboxRow, ...]] | None]:
    """Ask the stewards; None when the row is settled already."""
    open_ = yield OPEN, (row.id,)
    if not open_:
        return None
    opened = yield from opening_ticket(asking.ticket)
    stored = yield from putting_outbox(asking.words(opened))
    yield ASKED, (wire.receipt_to_json(receipt_of(opened)), now, row.id)
    yield from noting(asking.noted)
    return opened, stored
