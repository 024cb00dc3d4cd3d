"""Tortoise's SQLite client, but a transaction takes the write lock at once, and a clerk works off what many tasks ask.

A deferred transaction that reads first and writes later fails at once, whatever `busy_timeout` says,
when another process wrote in between.
"""
# pyright: reportPrivateUsage=false
# Tortoise lets an engine be a module with a `client_class`; the hooks it offers carry an underscore.

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tortoise.backends.base.client import TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper

T = TypeVar("T")

AT_ONE_GO = 64
"""Most errands of one transaction, so that other processes come to write as well."""


class ImmediateTransaction(SqliteTransactionWrapper):
    """A transaction that holds the write lock from its first moment."""

    async def begin(self) -> None:
        """Take the write lock; waits as long as `busy_timeout` says."""
        await self._connection.execute("BEGIN IMMEDIATE")


class ImmediateSqliteClient(SqliteClient):
    """A SQLite connection whose transactions are immediate, and its clerk."""

    def __init__(self, file_path: str, **kwargs: Any) -> None:
        super().__init__(file_path, **kwargs)
        self.clerk = Clerk(self)

    def _in_transaction(self) -> TransactionContext:
        return SqliteTransactionContext(ImmediateTransaction(self), self._lock)


class Clerk:
    """Does errands in the thread that holds the connection: all that wait when its turn comes, at one go.

    The way to that thread and back takes longer than most statements, and so does a commit: errands of many tasks
    share one of each. Each errand happens entirely or not at all, whatever becomes of the others, and nobody is
    told of anything before it is committed.

    Args:
        client: whose connection it is.
    """

    def __init__(self, client: SqliteClient) -> None:
        self._client = client
        self._waiting = deque[_Errand]()
        self._task: asyncio.Task[None] | None = None

    async def do(self, work: Callable[[sqlite3.Connection], T], *, writes: bool, single: bool = False) -> T:
        """Have an errand done; it is, or is not, also when whoever waits for it is cancelled.

        Args:
            work: what to do with the connection, in its thread; what it raises takes back what it wrote.
            writes: True when it changes anything.
            single: True when it is one statement, which takes itself back when it fails.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Errand(work, writes, single, answer))
        if self._task is None:
            self._task = loop.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        """Work until nothing waits."""
        client: Any = self._client
        errands = list[_Errand]()
        try:
            while self._waiting:
                async with client.acquire_connection() as connection:
                    errands = [self._waiting.popleft() for _ in range(min(len(self._waiting), AT_ONE_GO))]
                    await connection._execute(_at_one_go, connection._conn, errands)  # noqa: SLF001 - aiosqlite has no other door to its thread
                for errand in errands:
                    errand.tell()
        except BaseException as error:
            for errand in (*errands, *self._waiting):
                errand.fail(error)
                errand.tell()
            self._waiting.clear()
            if not isinstance(error, Exception):
                raise
        finally:
            # No await stands between the last look at what waits and this line: nothing slips in between.
            self._task = None


@dataclass(slots=True, eq=False)
class _Errand:
    work: Callable[[sqlite3.Connection], Any]
    writes: bool
    single: bool
    answer: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        """Do it alone, or where a transaction stands already."""
        try:
            self.result = self.work(connection)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is for who asked
            self.fail(error)

    def run_between(self, connection: sqlite3.Connection) -> None:
        """Do it within a transaction that holds other errands; only its own part is taken back when it fails."""
        if self.single:
            self.run(connection)
            return
        connection.execute("SAVEPOINT errand")
        self.run(connection)
        if self.error is not None:
            connection.execute("ROLLBACK TO errand")
        connection.execute("RELEASE errand")

    def fail(self, error: BaseException) -> None:
        """Nothing came of it; what it failed of first is what is told."""
        self.result, self.error = None, self.error or error

    def tell(self) -> None:
        """Tell who asked, if nobody did and somebody still waits."""
        if self.answer.done():
            return
        if isinstance(self.error, asyncio.CancelledError):
            self.answer.cancel()
        elif self.error is not None:
            self.answer.set_exception(self.error)
        else:
            self.answer.set_result(self.result)


def _at_one_go(connection: sqlite3.Connection, errands: Sequence[_Errand]) -> None:
    """Do errands in the connection's thread: in one transaction, if any of them writes."""
    if not any(errand.writes for errand in errands):
        for errand in errands:
            errand.run(connection)
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        if len(errands) == 1:
            _alone(connection, errands[0])
        else:
            for errand in errands:
                errand.run_between(connection)
            connection.commit()
    except BaseException as error:  # noqa: BLE001 - what cannot be begun or committed happened to nobody
        connection.rollback()
        for errand in errands:
            errand.fail(error)


def _alone(connection: sqlite3.Connection, errand: _Errand) -> None:
    errand.run(connection)
    if errand.error is None:
        connection.commit()
    else:
        connection.rollback()


client_class = ImmediateSqliteClient
