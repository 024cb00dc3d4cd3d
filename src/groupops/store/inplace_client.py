"""Tortoise's SQLite client for a database in memory: a statement is done where it is asked, without a thread of its own.

The way to aiosqlite's thread and back takes ten times as long as a statement that touches no disk.
"""
# pyright: reportPrivateUsage=false
# aiosqlite has one door through which all its calls go, and it carries an underscore.

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from groupops.store.sqlite_client import ImmediateSqliteClient, WatchedConnection

T = TypeVar("T")


class InPlaceConnection(WatchedConnection):
    """A connection that is open from the beginning, and whose calls are done before they are awaited.

    Args:
        connection: SQLite's own, of the thread the event loop runs in.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(lambda: connection, iter_chunk_size=64)
        self._connection = connection

    def hurry(self) -> None:
        """There is nobody to wait for."""

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        if self._connection is None:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)

    async def close(self) -> None:
        """Close it; its tables are gone."""
        connection, self._connection, self._running = self._connection, None, False
        if connection is not None:
            connection.close()


class InPlaceClient(ImmediateSqliteClient):
    """The SQLite client on a connection without a thread; for `:memory:` alone, where nothing is waited for."""

    async def create_connection(self, with_db: bool) -> None:  # noqa: ARG002 - as every client of Tortoise has it
        """Open the database, if it is not open."""
        if self._connection:
            return
        own = sqlite3.connect(self.filename, isolation_level=None)
        own.row_factory = sqlite3.Row
        for pragma, value in self.pragmas.items():
            own.execute(f"PRAGMA {pragma}={value}").close()
        self._connection = InPlaceConnection(own)
        await self._post_connect()


client_class = InPlaceClient
