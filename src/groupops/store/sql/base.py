"""What all parts of the record in tables share: the client, and rows that several of them write."""
# pyright: reportPrivateUsage=false
# `TortoiseContext` can set the variable too, but remembers one token only, and many tasks come here at once.

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from tortoise.context import TortoiseContext, _current_context
from tortoise.models import Model
from tortoise.queryset import QuerySet

from groupops.altered import altered
from groupops.errors import Conflict, StoreError
from groupops.people import AccountId, Person, PersonId, platform_of
from groupops.records import Audit, Due, OutboxRow, Ticket
from groupops.store import models, rows
from groupops.store.database import Row, Steps, inserting, plain, refusals, selecting

KEEP_OLD = "DO NOTHING"
HOLDER = (
    'SELECT p."id", p."merged_into" FROM "core_accounts" a JOIN "core_persons" p ON p."id" = a."person_id" '
    'WHERE a."account" = ? :lock OF p'
)
BOUND = 'SELECT "person_id" FROM "core_accounts" WHERE "account" = ?'


Self = TypeVar("Self", bound="Tables")
P = ParamSpec("P")
T = TypeVar("T")


def step(
    method: Callable[Concatenate[Self, P], Awaitable[T]],
) -> Callable[Concatenate[Self, P], Coroutine[Any, Any, T]]:
    """Let a method run on its own database from any task, and raise only StoreError and what is one."""

    @wraps(method)
    async def taken(self: Self, /, *args: P.args, **kwargs: P.kwargs) -> T:
        # Tortoise looks for its context before a query can say which client it means.
        before = _current_context.set(self.context)
        try:
            return await method(self, *args, **kwargs)
        except Exception:
            with refusals():  # put up only where there is something to be said
                raise
        finally:
            _current_context.reset(before)

    return taken


class Tables:
    """The open database and what every part needs of it.

    Args:
        context: the database, as Tortoise opened it.
    """

    def __init__(self, context: TortoiseContext) -> None:
        self.context = context
        self._client = context.db()


def person_for(account: AccountId, name: str) -> Steps[PersonId]:
    """Give the number of the person an account is bound to, making a provisional one when there is none."""
    while True:
        found = yield BOUND, (account,)
        person_id = PersonId(found[0]["person_id"]) if found else (yield from _newcomer(account, name))
        if person_id is not None:
            return person_id


def _newcomer(account: AccountId, name: str) -> Steps[PersonId | None]:
    """Make a provisional person of an account; None, and nothing made, when somebody bound it in this very moment."""
    made = yield from inserting(models.Person, [rows.person_columns(provisional(name))], returning=("id",))
    columns = {"account": account, "platform": platform_of(account), "person_id": made[0]["id"]}
    bound = yield from inserting(models.Account, [columns], on_conflict=KEEP_OLD, returning=("person_id",))
    if bound:
        return PersonId(bound[0]["person_id"])
    yield 'DELETE FROM "core_persons" WHERE "id" = ?', (made[0]["id"],)
    return None


def holder(account: AccountId, name: str) -> Steps[PersonId]:
    """Give whom an account stands for now, as `person_for` and `standing` do, in one statement for who is known."""
    found = yield HOLDER, (account,)
    if found and found[0]["merged_into"] is None:
        return PersonId(found[0]["id"])
    made = None if found else (yield from _newcomer(account, name))
    return made if made is not None else (yield from standing((yield from person_for(account, name))))


def provisional(name: str) -> Person:
    """Give the person of an account of whom nothing else is known."""
    return Person(id=PersonId(0), name=name, provisional=True)


def standing(person_id: PersonId) -> Steps[PersonId]:
    """Give the person a number stands for now: merges are followed, and others are kept from who is found.

    Raises StoreError when there is no such person.
    """
    while True:
        found = yield 'SELECT "merged_into" FROM "core_persons" WHERE "id" = ? :lock', (person_id,)
        if not found:
            raise StoreError(f"there is no person {person_id}")
        into = found[0]["merged_into"]
        if into is None:
            return person_id
        person_id = PersonId(into)


def putting_due(due: Sequence[Due]) -> Steps[list[Row]]:
    """Store due rows; those that are there already stay."""
    return (yield from inserting(models.Due, [rows.due_columns(row) for row in due], on_conflict=KEEP_OLD))


def noting(*entries: Audit | None) -> Steps[list[Row]]:
    """Write lines of audit; None is none."""
    columns = [rows.audit_columns(entry) for entry in entries if entry is not None]
    return (yield from inserting(models.Audit, columns))


def putting_outbox(outbox: Sequence[OutboxRow]) -> Steps[tuple[OutboxRow, ...]]:
    """Store actions; those whose key is taken are left out of the answer."""
    columns = [rows.outbox_columns(row) for row in outbox]
    stored = yield from inserting(
        models.Outbox, columns, on_conflict=KEEP_OLD, returning=("id", "event_id", "place")
    )
    ids = {(row["event_id"], row["place"]): row["id"] for row in stored}
    fresh: list[OutboxRow] = []
    for row in outbox:
        # Popped, so that a key that stands twice in one call is stored, and told, once.
        id_ = ids.pop((plain(row.event_id), row.index), None)
        if id_ is not None:
            fresh.append(altered(row, id=id_, changed_at=row.changed_at or row.created_at))
    return tuple(fresh)


def opening_ticket(ticket: Ticket) -> Steps[Ticket]:
    """Open a ticket; one with the same key that is still open is given instead."""
    while True:
        stored = yield from inserting(
            models.Ticket, [rows.ticket_columns(ticket)], on_conflict=KEEP_OLD, returning=("id",)
        )
        if stored:
            return altered(ticket, id=stored[0]["id"])
        there = yield selecting(models.Ticket, {'"open_key" = ?': ticket.key})
        if there:
            return rows.ticket(there[0])
        # Closed between the two questions: then it may be opened after all.


def require_changed(what: str, model: type[Model], id_: int, given: int, changed: list[Row]) -> Steps[Row]:
    """Give the row that was changed; where none was, say why: it is not there, or at another version."""
    if changed:
        return changed[0]
    table = str(model._meta.db_table)  # noqa: SLF001 - the name Tortoise gives its description of a table
    found = yield f'SELECT "version" FROM "{table}" WHERE "id" = ?', (id_,)  # noqa: S608 - our own names
    if not found:
        raise StoreError(f"there is no {what} {id_}")
    stored = found[0]["version"]
    raise Conflict(f"{what} {id_} is at version {stored}, not {given}: somebody changed it; read it again")


def fitting(query: QuerySet[Any], **filters: Any) -> QuerySet[Any]:
    """Narrow a query by the filters that are given, that is, not None."""
    return query.filter(**{name: value for name, value in filters.items() if value is not None})


def sorted_values(values: frozenset[Any] | None) -> list[str] | None:
    """Give the words of a set of enums in a fixed order, so that one question has one text."""
    return None if values is None else sorted(str(value.value) for value in values)
