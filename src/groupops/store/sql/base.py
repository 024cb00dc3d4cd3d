"""What all parts of the record in tables share: the client, and rows that several of them write."""
# pyright: reportPrivateUsage=false
# `TortoiseContext` can set the variable too, but remembers one token only, and many tasks come here at once.

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext, _current_context
from tortoise.queryset import QuerySet

from groupops.errors import Conflict, StoreError
from groupops.people import PersonId
from groupops.records import Due, OutboxRow
from groupops.store import models, rows
from groupops.store.database import ask, insert, is_postgres, plain, refusals

KEEP_OLD = "DO NOTHING"


Self = TypeVar("Self", bound="Tables")
P = ParamSpec("P")
T = TypeVar("T")


def step(
    method: Callable[Concatenate[Self, P], Awaitable[T]],
) -> Callable[Concatenate[Self, P], Coroutine[Any, Any, T]]:
    """Let a method run on its own database from any task, and raise only StoreError and Conflict."""

    @wraps(method)
    async def taken(self: Self, /, *args: P.args, **kwargs: P.kwargs) -> T:
        # Tortoise looks for its context before a query can say which client it means.
        before = _current_context.set(self.context)
        try:
            with refusals():
                return await method(self, *args, **kwargs)
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

    async def _standing(self, db: BaseDBAsyncClient, person_id: PersonId, *, lock: bool = False) -> PersonId:
        """Give the person a number stands for now: merges are followed, and the person found is locked.

        Raises StoreError when there is no such person.
        """
        wait = " FOR UPDATE" if lock and is_postgres(db) else ""
        sql = f'SELECT "merged_into" FROM "core_persons" WHERE "id" = ?{wait}'  # noqa: S608 - our own words
        while True:
            found = await ask(db, sql, person_id)
            if not found:
                raise StoreError(f"there is no person {person_id}")
            into = found[0]["merged_into"]
            if into is None:
                return person_id
            person_id = PersonId(into)

    async def _put_due(self, db: BaseDBAsyncClient, due: Sequence[Due]) -> None:
        await insert(db, models.Due, [rows.due_columns(row) for row in due], on_conflict=KEEP_OLD)

    async def _put_outbox(self, db: BaseDBAsyncClient, outbox: Sequence[OutboxRow]) -> tuple[OutboxRow, ...]:
        """Store rows; those whose key is taken are left out of the answer."""
        columns = [rows.outbox_columns(row) for row in outbox]
        stored = await insert(
            db, models.Outbox, columns, on_conflict=KEEP_OLD, returning='"id", "event_id", "place"'
        )
        ids = {(row["event_id"], row["place"]): row["id"] for row in stored}
        fresh: list[OutboxRow] = []
        for row in outbox:
            # Popped, so that a key that stands twice in one call is stored, and told, once.
            id_ = ids.pop((plain(row.event_id), row.index), None)
            if id_ is not None:
                fresh.append(replace(row, id=id_, changed_at=row.changed_at or row.created_at))
        return tuple(fresh)


def fitting(query: QuerySet[Any], **filters: Any) -> QuerySet[Any]:
    """Narrow a query by the filters that are given, that is, not None."""
    return query.filter(**{name: value for name, value in filters.items() if value is not None})


def not_the_stored(what: str, id_: int, given: int, stored: int | None) -> StoreError:
    """Give the error for a row that is not there (`stored` None) or at another version than the one given."""
    if stored is None:
        return StoreError(f"there is no {what} {id_}")
    return Conflict(f"{what} {id_} is at version {stored}, not {given}: somebody changed it; read it again")


def sorted_values(values: frozenset[Any] | None) -> list[str] | None:
    """Give the words of a set of enums in a fixed order, so that one question has one text."""
    return None if values is None else sorted(str(value.value) for value in values)
