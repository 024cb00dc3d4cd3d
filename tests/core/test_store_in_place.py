"""A database in memory answers where it is asked: without a thread, and with transactions like any other."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from groupops.store.inplace_client import InPlaceConnection
from groupops.store.schema import open_passing


async def opened() -> TortoiseContext:
    context = await open_passing({})
    with context:
        await context.db().execute_script("CREATE TABLE heard (word TEXT)")
    return context


async def test_a_passing_database_runs_no_thread() -> None:
    before = threading.active_count()

    context = await opened()

    with context:
        await context.db().execute_query("SELECT 1")
    assert threading.active_count() == before
    await context.close_connections()


async def _broken() -> None:
    async with in_transaction() as connection:
        await connection.execute_query("INSERT INTO heard VALUES ('lost')")
        raise ZeroDivisionError


async def test_what_a_broken_transaction_wrote_is_taken_back() -> None:
    context = await opened()

    with context:
        async with in_transaction() as connection:
            await connection.execute_query("INSERT INTO heard VALUES ('kept')")
        with pytest.raises(ZeroDivisionError):
            await _broken()
        _, rows = await context.db().execute_query("SELECT word FROM heard")

    assert [row["word"] for row in rows] == ["kept"]
    await context.close_connections()


async def test_a_closed_connection_says_so() -> None:
    connection = InPlaceConnection(sqlite3.connect(":memory:"))
    await connection.close()

    with pytest.raises(ValueError, match="no active connection"):
        await connection.execute("SELECT 1")
