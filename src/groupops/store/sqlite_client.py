"""Tortoise's SQLite client, but a transaction takes the write lock at once, and a clerk does what many tasks ask.

A deferred transaction that reads first and writes later fails at once, whatever `busy_timeout` says,
when another process wrote in between.
"""
# pyright: reportPrivateUsage=false
# Tortoise lets an engine be a module with a `client_class`; the hooks it offers carry an underscore.

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import aiosqlite
from tortoise.backends.base.client import TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper

T = TypeVar("T")

AT_ONE_GO = 64
"""Most errands of one transaction, so that other processes come to write as well."""

PER_TURN_S = 0.003
"""Seconds of one turn of the loop that errands may take on the spot; whoever asks for more goes to the thread."""

TIDIED_EVERY = 400
"""Written errands after which the thread moves what they wrote into the database's own file.

A booking writes about ten pages, so this comes before SQLite does it by itself (`wal_autocheckpoint`) where the
loop would wait for the disk.
"""


class ImmediateTransaction(SqliteTransactionWrapper):
    """A transaction that holds the write lock from its first moment."""

    async def begin(self) -> None:
        """Take the write lock; waits as long as `busy_timeout` says."""
        await self._connection.execute("BEGIN IMMEDIATE")


class WatchedConnection(aiosqlite.Connection):
    """A connection that knows whether its thread has anything left to do.

    Who is cancelled while the thread works for them lets go of the connection's lock, and the thread works on: until
    it is done, nothing else may be done on the connection, lest it get into a transaction of somebody else's.
    """

    on_the_spot = True
    """Whether it may be used where it is asked: where nobody who reads holds up whoever writes (WAL)."""
    patience_ms = 0
    """How long the thread waits for another process that writes."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], iter_chunk_size: int) -> None:
        super().__init__(connector, iter_chunk_size)
        self._asked = 0
        self._done = 0
        self._hurried = False

    @property
    def idle(self) -> bool:
        """True while the thread has nothing left to do."""
        return (
            self._asked == self._done
        )  # the one is written by the loop alone, the other by the thread alone

    def hurry(self) -> None:
        """Wait for nobody from here on, until the thread is asked; to say so each time takes as long as to begin."""
        if not self._hurried:
            self._conn.execute("PRAGMA busy_timeout=0").close()
            self._hurried = True

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        def counted() -> T:
            try:
                if self._hurried:
                    self._conn.execute(f"PRAGMA busy_timeout={self.patience_ms}").close()
                    self._hurried = False
                return fn(*args, **kwargs)
            finally:
                self._done += 1

        self._asked += 1
        result: T = await super()._execute(counted)  # type: ignore[no-untyped-call]
        return result


class ImmediateSqliteClient(SqliteClient):
    """A SQLite connection whose transactions are immediate, and its clerk."""

    def __init__(self, file_path: str, **kwargs: Any) -> None:
        super().__init__(file_path, **kwargs)
        self.clerk = Clerk(self)

    async def create_connection(self, with_db: bool) -> None:  # noqa: ARG002 - as every client of Tortoise has it
        """Open the database, if it is not open: as Tortoise does, but not for one thread alone."""
        if self._connection:
            return
        opening = partial(sqlite3.connect, self.filename, isolation_level=None, check_same_thread=False)
        made = WatchedConnection(opening, iter_chunk_size=64)
        await made
        made._conn.row_factory = sqlite3.Row  # noqa: SLF001 - as Tortoise does
        self._connection = made
        for pragma, value in self.pragmas.items():
            await (await made.execute(f"PRAGMA {pragma}={value}")).close()
        async with made.execute("PRAGMA journal_mode") as asked:
            row = await asked.fetchone()
        made.on_the_spot = row is not None and row[0] == "wal"
        made.patience_ms = self.pragmas.get("busy_timeout", 0)
        await self._post_connect()

    def _in_transaction(self) -> TransactionContext:
        return SqliteTransactionContext(ImmediateTransaction(self), self._lock)


class Clerk:
    """Does errands on a connection: on the spot where nobody is before them, else in its thread, all at one go.

    SQLite writes an errand into the system's memory within a fraction of a millisecond (WAL, `synchronous=NORMAL`);
    the way to the thread and back takes longer, and longer still on a busy loop. So an errand that need not wait for
    anybody is done where it is asked. One that must wait, for another process that writes or for those before it,
    waits for the thread, and errands of many tasks share one way and one commit. Each errand happens entirely or not
    at all, whatever becomes of the others, and nobody is told of anything before it is committed.

    Args:
        client: whose connection it is.
    """

    def __init__(self, client: SqliteClient) -> None:
        self._client = client
        self._waiting = deque[_Errand]()
        self._task: asyncio.Task[None] | None = None
        self._spent = 0.0
        self._written = 0

    async def do(self, work: Callable[[sqlite3.Connection], T], *, writes: bool, single: bool = False) -> T:
        """Have an errand done; it is, or is not, also when whoever waits for it is cancelled.

        Args:
            work: what to do with the connection; what it raises takes back what it wrote.
            writes: True when it changes anything.
            single: True when it is one statement, which takes itself back when it fails.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        errand = _Errand(work, writes, single, answer)
        if not self._on_the_spot(errand, loop):
            self._leave(errand, loop)
        return await answer

    def _on_the_spot(self, errand: _Errand, loop: asyncio.AbstractEventLoop) -> bool:
        """Do an errand here if nobody is before it; False when it is not done."""
        client: Any = self._client
        connection: WatchedConnection | None = client._connection  # noqa: SLF001 - see above
        if self._task is not None or connection is None or client._lock.locked():  # noqa: SLF001
            return False
        if self._spent > PER_TURN_S or not connection.idle or not connection.on_the_spot:
            return False
        began = loop.time()
        done = _at_once(connection, errand)
        if not self._spent:
            loop.call_soon(self._next_turn)
        self._spent += loop.time() - began
        if done:
            self._count((errand,), loop)
            errand.tell()
        return done

    def _next_turn(self) -> None:
        self._spent = 0.0

    def _count(self, errands: Iterable[_Errand], loop: asyncio.AbstractEventLoop) -> None:
        """Count what was written, and have the thread tidy up after so much of it."""
        self._written += sum(errand.writes for errand in errands)
        if self._untidy and self._task is None:
            self._task = loop.create_task(self._work())

    @property
    def busy(self) -> bool:
        """True while the thread works."""
        return self._task is not None

    @property
    def _untidy(self) -> bool:
        return self._written >= TIDIED_EVERY

    def _leave(self, errand: _Errand, loop: asyncio.AbstractEventLoop) -> None:
        """Leave an errand to the thread."""
        self._waiting.append(errand)
        if self._task is None:
            self._task = loop.create_task(self._work())

    async def _work(self) -> None:
        """Work until nothing waits."""
        client: Any = self._client
        errands = list[_Errand]()
        try:
            while self._waiting or self._untidy:
                async with client.acquire_connection() as connection:
                    errands = [self._waiting.popleft() for _ in range(min(len(self._waiting), AT_ONE_GO))]
                    await connection._execute(_at_one_go, connection._conn, errands)  # noqa: SLF001 - aiosqlite has no other door to its thread
                    self._written += sum(errand.writes for errand in errands)
                    for errand in errands:
                        errand.tell()
                    errands.clear()
                    if self._untidy:  # by itself: what stands in a transaction cannot be moved
                        self._written = 0
                        await connection._execute(_tidy, connection._conn)  # noqa: SLF001
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


def _tidy(connection: sqlite3.Connection) -> None:
    """Move what was written into the database's own file, as far as nobody reads it still."""
    with suppress(sqlite3.Error):  # another time, then; SQLite does it by itself in the end
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").close()


def _at_once(connection: WatchedConnection, errand: _Errand) -> bool:
    """Do an errand without waiting for anybody; False, and nothing done, where somebody else is writing."""
    own = connection._conn  # noqa: SLF001 - aiosqlite has no other door to it
    if not errand.writes:
        errand.run(own)
        return True
    connection.hurry()
    try:
        own.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False  # whatever it is, the thread meets it again and says so
    try:
        _alone(own, errand)
    except BaseException as error:  # noqa: BLE001 - what cannot be committed did not happen
        own.rollback()
        errand.fail(error)
    return True


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
