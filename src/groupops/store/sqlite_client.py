"""Tortoise's SQLite client, but a transaction takes the write lock at once.

A deferred transaction that reads first and writes later fails at once, whatever `busy_timeout` says,
when another process wrote in between.
"""
# pyright: reportPrivateUsage=false
# Tortoise lets an engine be a module with a `client_class`; the hooks it offers carry an underscore.

from __future__ import annotations

from tortoise.backends.base.client import TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper


class ImmediateTransaction(SqliteTransactionWrapper):
    """A transaction that holds the write lock from its first moment."""

    async def begin(self) -> None:
        """Take the write lock; waits as long as `busy_timeout` says."""
        await self._connection.execute("BEGIN IMMEDIATE")


class ImmediateSqliteClient(SqliteClient):
    """A SQLite connection whose transactions are immediate."""

    def _in_transaction(self) -> TransactionContext:
        return SqliteTransactionContext(ImmediateTransaction(self), self._lock)


client_class = ImmediateSqliteClient
