"""What every statement goes through: transactions, errors in our own words, and inserts of many rows at once."""
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# asyncpg has no types, and Tortoise's clients say `Unknown` where they pass it on.

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from enum import Enum
from functools import cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import BaseORMException, IntegrityError, ValidationError
from tortoise.models import Model

from groupops.errors import Conflict, StoreError, Unstorable
from groupops.store.sqlite_client import ImmediateSqliteClient, ImmediateTransaction

if TYPE_CHECKING:
    from tortoise.backends.asyncpg.client import AsyncpgDBClient

T = TypeVar("T")
Row = dict[str, Any]
Statement = tuple[str, Sequence[Any]]
"""A statement as `ask` takes it, and its values."""


class Insert(NamedTuple):
    """Rows that are put into a table.

    Args:
        table: its name.
        columns: their names.
        values: of all rows, one behind the other.
        rows: how many there are.
        tail: what to do with a row that is there already, as SQL; empty raises.
        returning: what is given back of each row that was put there: `id`, and any of the columns.
    """

    table: str
    columns: tuple[str, ...]
    values: Sequence[Any]
    rows: int
    tail: str
    returning: tuple[str, ...]

    def statement(self) -> Statement:
        """Give it as one statement."""
        return _insert_sql(self.table, self.columns, self.rows, self.tail, self.returning), self.values


Steps = Generator["Statement | Insert", list[Row], T]
"""Statements one after the other: yields each, is sent its rows, and returns what came of it all."""

A_FEW = 8
"""Rows that SQLite is given one by one where something of them is wanted back."""

PARAMETERS = 30_000
"""Most parameters in one statement; SQLite takes 32,766, PostgreSQL 65,535."""


def refusal(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Give everything a database or the way to it may answer instead of doing what it was asked, and others.

    Only a process that speaks to PostgreSQL has loaded asyncpg, and only there can one of its errors arise.
    """
    # An OSError is a server that is gone; TimeoutError is one of them.
    usual = (*others, BaseORMException, sqlite3.Error, OSError)
    driver: Any = sys.modules.get("asyncpg")
    if driver is None:
        return usual
    # The last is of a connection that is being cut while it is asked.
    return (*usual, driver.PostgresError, driver.InterfaceError, driver.InternalClientError)


@contextmanager
def refusals() -> Generator[None, None, None]:
    """Let a block raise only StoreError, Unstorable and Conflict, whatever the database answers."""
    try:
        yield
    except refusal(OverflowError) as error:
        said = f"{type(error).__name__}: {error}"
        if _is_taken(error):
            raise Conflict(f"the database has such a row already: {said}") from error
        if _is_for_good(error):
            raise Unstorable(f"the database cannot take this: {said}") from error
        raise StoreError(f"the database refuses: {said}") from error


def _is_taken(error: BaseException) -> bool:
    """Say whether somebody else has a unique key."""
    return any(_state_of(one) in ("23505", *_TAKEN) for one in (error, *error.args))


def _is_for_good(error: BaseException) -> bool:
    """Say whether a value is refused for what it is: a too long, too large or missing one stays so."""
    return any(
        isinstance(one, _FOR_GOOD)
        or _state_of(one)[:2] in ("22", "23")  # SQLSTATE: data exception, integrity constraint violation
        or (isinstance(one, ValueError) and type(one).__module__.startswith("asyncpg."))  # it never left us
        for one in (error, *error.args)
    )


_FOR_GOOD = (OverflowError, ValidationError, IntegrityError, sqlite3.IntegrityError, sqlite3.DataError)
_TAKEN = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")


def _state_of(error: object) -> str:
    """Give by what name the database calls an error: PostgreSQL's SQLSTATE, or SQLite's extended name."""
    return str(getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None) or "")


@asynccontextmanager
async def transaction(client: BaseDBAsyncClient) -> AsyncGenerator[BaseDBAsyncClient, None]:
    """Run the block in one transaction and give the client to use in it; an exception takes all of it back.

    Unlike Tortoise's own it needs no current context, so any task may use it.
    """
    if isinstance(client, ImmediateSqliteClient):
        async with _sqlite_transaction(client) as tx:
            yield tx
    elif is_postgres(client):
        async with _postgres_transaction(cast("AsyncpgDBClient", client)) as tx:
            yield tx
    else:
        raise StoreError(f"a database of the kind {type(client).__name__} is not supported")


@asynccontextmanager
async def _sqlite_transaction(client: ImmediateSqliteClient) -> AsyncGenerator[BaseDBAsyncClient, None]:
    async with client.acquire_connection() as connection:
        tx = ImmediateTransaction(client)
        try:
            await tx.begin()
            yield tx
        except BaseException:
            # Also after a cancelled `begin`: its statement still runs, and nothing may be left open.
            await connection.rollback()
            raise
        await connection.commit()


@asynccontextmanager
async def _postgres_transaction(client: AsyncpgDBClient) -> AsyncGenerator[BaseDBAsyncClient, None]:
    from tortoise.backends.asyncpg.client import TransactionWrapper

    async with client.acquire_connection() as connection, connection.transaction():
        tx = TransactionWrapper(client)
        tx._connection = connection  # noqa: SLF001 - see above
        yield tx


def is_postgres(client: BaseDBAsyncClient) -> bool:
    """Say whether a client speaks to PostgreSQL."""
    return bool(client.capabilities.dialect == "postgres")


@cache
def _spoken(sql: str, postgres: bool) -> str:
    """Write a statement as the database understands it.

    `?` is a parameter (no text of ours holds one in a literal); `:lock` keeps others from the rows found, or with
    `:lock OF x` from those of one table, and `:skip` passes over rows others keep, both where there are other connections to keep them from.
    """
    sql = _LOCK.sub(r"FOR UPDATE\1" if postgres else "", sql)
    sql = sql.replace(":skip", "FOR UPDATE SKIP LOCKED" if postgres else "")
    if not postgres:
        return sql
    first, *rest = sql.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, start=1))


_LOCK = re.compile(r":lock( OF \w+)?")


async def ask(client: BaseDBAsyncClient, sql: str, *values: Any) -> list[Row]:
    """Run a statement written with `?`, `:lock` and `:skip`; give its rows, also those of `RETURNING`."""
    text = _spoken(sql, is_postgres(client))
    rows: list[Row] = await client.execute_query_dict(text, [plain(value) for value in values])
    return rows


async def follow(client: BaseDBAsyncClient, steps: Steps[T]) -> T:
    """Run statements one after the other where the client stands: in its transaction, or each by itself."""
    rows: list[Row] | None = None
    while True:
        try:
            wanted = steps.send(rows)  # type: ignore[arg-type]  # the first `send` must be of None
        except StopIteration as done:
            result: T = done.value
            return result
        sql, values = wanted.statement() if isinstance(wanted, Insert) else wanted
        rows = await ask(client, sql, *values)


async def look(client: BaseDBAsyncClient, steps: Steps[T]) -> T:
    """Run statements that only read, and need not all see the same moment."""
    if isinstance(client, ImmediateSqliteClient):
        return await client.clerk.do(partial(_drive, steps), writes=False)
    return await follow(client, steps)


async def at_once(client: BaseDBAsyncClient, steps: Steps[T], *, single: bool = False) -> T:
    """Run statements in one transaction; an exception of the steps takes all of it back.

    On SQLite the whole of it is one errand to the thread that holds the connection; what is decided
    between the statements is decided there. Six errands take three times as long.

    Args:
        client: the database; no transaction.
        steps: the statements.
        single: True when there is but one, which is a transaction by itself.
    """
    if isinstance(client, ImmediateSqliteClient):
        return await client.clerk.do(partial(_drive, steps), writes=True, single=single)
    if single:
        return await follow(client, steps)
    async with transaction(client) as tx:
        return await follow(tx, steps)


def _drive(steps: Steps[T], connection: sqlite3.Connection) -> T:
    """Run statements in the thread of the connection."""
    rows: list[Row] | None = None
    while True:
        try:
            wanted = steps.send(rows)  # type: ignore[arg-type]  # the first `send` must be of None
        except StopIteration as done:
            result: T = done.value
            return result
        rows = _put(connection, wanted) if isinstance(wanted, Insert) else _said(connection, *wanted)


def _said(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(_spoken(sql, False), _plain(values))]


def _put(connection: sqlite3.Connection, insert: Insert) -> list[Row]:
    """Insert rows and give what is wanted of them back.

    A few go one by one, for then their numbers are known: a statement that gives rows back takes SQLite half as long
    again as the inserting itself (`docs/decisions/0029-small-steps.md`).
    """
    if insert.rows > A_FEW or not insert.returning:
        return _said(connection, *insert.statement())
    columns, stored = insert.columns, list[Row]()
    sql, values = _insert_sql(insert.table, columns, 1, insert.tail, ()), _plain(insert.values)
    for start in range(0, len(values), len(columns)):
        row = values[start : start + len(columns)]
        done = connection.execute(sql, row)
        if done.rowcount:
            number = done.lastrowid
            stored.append(
                {name: number if name == "id" else row[columns.index(name)] for name in insert.returning}
            )
    return stored


async def insert(
    client: BaseDBAsyncClient,
    model: type[Model],
    rows: Sequence[Mapping[str, Any]],
    *,
    returning: tuple[str, ...] = (),
    on_conflict: str = "",
) -> list[Row]:
    """Insert rows as `inserting` says, where the client stands."""
    return await follow(client, inserting(model, rows, returning=returning, on_conflict=on_conflict))


def inserting(
    model: type[Model],
    rows: Sequence[Mapping[str, Any]],
    *,
    returning: tuple[str, ...] = (),
    on_conflict: str = "",
) -> Steps[list[Row]]:
    """Insert rows in as few statements as possible.

    Args:
        model: the table.
        rows: column → value; all with the same columns.
        returning: columns to give back: `id`, and any of those of the rows.
        on_conflict: what to do with a row that is there already, as SQL after `ON CONFLICT`; empty raises.

    Returns:
        The columns asked for, of the rows that were stored or changed.
    """
    stored: list[Row] = []
    columns = tuple(rows[0]) if rows else ()
    tail = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    table = str(model._meta.db_table)  # noqa: SLF001 - the name Tortoise gives its description of a table
    most = max(1, PARAMETERS // max(1, len(columns)))
    for start in range(0, len(rows), most):
        part = rows[start : start + most]
        values = [*rows[0].values()] if len(rows) == 1 else [row[name] for row in part for name in columns]
        stored += yield Insert(table, columns, values, len(part), tail, returning)
    return stored


@cache
def _insert_sql(
    table: str, columns: tuple[str, ...], rows: int, tail: str, returning: tuple[str, ...]
) -> str:
    if returning:
        tail += " RETURNING " + ", ".join(f'"{column}"' for column in returning)
    names = ", ".join(f'"{column}"' for column in columns)
    marks = "(" + ", ".join("?" * len(columns)) + ")"
    return f'INSERT INTO "{table}" ({names}) VALUES {", ".join([marks] * rows)}{tail}'  # noqa: S608 - our own names


def updating(
    model: type[Model], columns: Mapping[str, Any], where: Mapping[str, Any], returning: str
) -> Steps[list[Row]]:
    """Change the rows whose columns equal `where`; gives the columns `returning` names, of the rows changed."""
    table = str(model._meta.db_table)  # noqa: SLF001 - as above
    sql = _update_sql(table, tuple(columns), tuple(where), returning)
    return (yield sql, [*columns.values(), *where.values()])


@cache
def _update_sql(table: str, columns: tuple[str, ...], where: tuple[str, ...], returning: str) -> str:
    changes = ", ".join(f'"{column}" = ?' for column in columns)
    equal = " AND ".join(f'"{column}" = ?' for column in where)
    return f'UPDATE "{table}" SET {changes} WHERE {equal} RETURNING {returning}'  # noqa: S608 - our own names


def selecting(
    model: type[Model], where: Mapping[str, Any], *, order: str = "id", limit: int | None = None
) -> Statement:
    """Give the statement that reads the rows of a table that fit all that is given.

    Args:
        model: the table.
        where: condition, as SQL → its value, or a list of its values where it holds `{marks}`; None is left out.
        order: the column to sort by.
        limit: most rows.
    """
    given = [(name, value) for name, value in where.items() if value is not None]
    parts = tuple(_among(name, value) if isinstance(value, list) else name for name, value in given)
    values = [one for _, value in given for one in (value if isinstance(value, list) else (value,))]
    return _select_sql(model, parts, order, limit is not None), values if limit is None else [*values, limit]


def _among(name: str, values: Sequence[object]) -> str:
    return name.format(marks=marks(values)) if values else "1 = 0"  # PostgreSQL knows no empty list


@cache
def _select_sql(model: type[Model], where: tuple[str, ...], order: str, limited: bool) -> str:
    described = model._meta  # noqa: SLF001 - the name Tortoise gives its description of a table
    columns = ", ".join(f'"{column}"' for column in described.fields_db_projection.values())
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    tail = " LIMIT ?" if limited else ""
    return f'SELECT {columns} FROM "{described.db_table}"{condition} ORDER BY "{order}"{tail}'  # noqa: S608 - our own names


def marks(values: Sequence[object]) -> str:
    """Give one `?` per value, for `IN (…)`."""
    return ", ".join("?" * len(values))


def plain(value: Any) -> Any:
    """Give a value as both databases take it: moments in UTC, words for enums, texts without what UTF-8 cannot hold."""
    kind = type(value)
    if kind is int or value is None:
        return value
    if kind is str:
        return value if value.isascii() and "\x00" not in value else legible(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, Enum):
        return value.value
    return legible(value) if isinstance(value, str) else value


def _plain(values: Sequence[Any]) -> list[Any]:
    """Give values as SQLite takes them; moments as text, for its driver would ask for each of them how to write it."""
    return [
        value
        if value is None
        or (kind := type(value)) is int
        or (kind is str and value.isascii() and "\x00" not in value)
        else _way_of(kind)(value)
        for value in values
    ]


def _way(kind: type[object]) -> Callable[[Any], Any]:
    """Give how values of a kind are written."""
    if issubclass(kind, datetime):
        return _moment
    if issubclass(kind, Enum):
        return attrgetter("_value_")  # as `value`, which is found the long way round
    return legible if issubclass(kind, str) else _as_it_is


def _moment(value: datetime) -> str:
    """Write a moment in UTC as Tortoise does."""
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat(" ")


def _as_it_is(value: Any) -> Any:
    return value


_way_of: Callable[[Any], Callable[[Any], Any]] = cache(_way)


def legible(text: str) -> str:
    """Give a text without NUL characters, which PostgreSQL refuses, and without half surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def moment(value: Any) -> datetime:
    """Read a moment from a raw row: SQLite gives text, PostgreSQL a datetime."""
    read = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return read.astimezone(UTC)
