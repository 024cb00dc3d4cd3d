"""The clerk of a SQLite connection: done on the spot where nobody is before one, entirely or not at all."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from groupops.store.sqlite_client import TIDIED_EVERY, ImmediateSqliteClient


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
async def client(file: Path) -> AsyncIterator[ImmediateSqliteClient]:
    made = ImmediateSqliteClient(str(file), busy_timeout=5000, synchronous="NORMAL", connection_name="sqlite")
    await made.create_connection(with_db=True)
    await made.clerk.do(lambda db: db.execute("CREATE TABLE noted (number INTEGER UNIQUE)"), writes=True)
    yield made
    await made.close()


def note(number: int) -> Callable[[sqlite3.Connection], int]:
    return lambda db: (db.execute("INSERT INTO noted VALUES (?)", (number,)), threading.get_ident())[1]


def numbers(db: sqlite3.Connection) -> list[int]:
    return [row[0] for row in db.execute("SELECT number FROM noted ORDER BY rowid")]


async def test_what_need_not_wait_for_anybody_is_done_where_it_is_asked(
    client: ImmediateSqliteClient,
) -> None:
    thread = await client.clerk.do(note(1), writes=True)

    assert thread == threading.get_ident()
    assert await client.clerk.do(numbers, writes=False) == [1]


async def test_while_another_process_writes_the_thread_waits_for_it_and_the_loop_does_not(
    client: ImmediateSqliteClient, file: Path
) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asked = asyncio.ensure_future(client.clerk.do(note(1), writes=True))
    turns = 0
    for _ in range(20):
        await asyncio.sleep(0.005)
        turns += 1
    waits = not asked.done()

    other.execute("COMMIT")
    thread = await asked

    assert (turns, waits) == (20, True)
    assert thread != threading.get_ident()
    assert await client.clerk.do(numbers, writes=False) == [1]
    other.close()


async def test_what_goes_through_the_thread_waits_for_another_process_also_after_an_errand_that_would_not_have(
    client: ImmediateSqliteClient, file: Path
) -> None:
    await client.clerk.do(note(1), writes=True)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asked = asyncio.ensure_future(client.execute_query("INSERT INTO noted VALUES (2)"))
    await asyncio.sleep(0.05)
    waits = not asked.done()

    other.execute("COMMIT")
    await asked

    assert waits
    assert await client.clerk.do(numbers, writes=False) == [1, 2]
    other.close()


async def test_where_readers_hold_up_writers_nothing_is_done_on_the_spot(file: Path) -> None:
    client = ImmediateSqliteClient(
        str(file), busy_timeout=5000, journal_mode="DELETE", connection_name="sqlite"
    )
    await client.create_connection(with_db=True)
    await client.clerk.do(lambda db: db.execute("CREATE TABLE noted (number INTEGER UNIQUE)"), writes=True)
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM noted").fetchall()
    asked = asyncio.ensure_future(client.clerk.do(note(1), writes=True))
    await asyncio.sleep(0.05)
    waits = not asked.done()

    reader.execute("COMMIT")
    thread = await asked

    assert waits
    assert thread != threading.get_ident()
    reader.close()
    await client.close()


async def test_an_errand_that_fails_on_the_spot_takes_back_what_it_wrote(
    client: ImmediateSqliteClient,
) -> None:
    def twice(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO noted VALUES (1)")
        db.execute("INSERT INTO noted VALUES (1)")

    with pytest.raises(sqlite3.IntegrityError):
        await client.clerk.do(twice, writes=True)

    assert await client.clerk.do(numbers, writes=False) == []


async def test_what_many_ask_in_one_turn_is_done_in_the_order_in_which_they_asked(
    client: ImmediateSqliteClient,
) -> None:
    threads = await asyncio.gather(*(client.clerk.do(note(number), writes=True) for number in range(500)))

    assert await client.clerk.do(numbers, writes=False) == list(range(500))
    assert set(threads) > {threading.get_ident()}, "a turn of the loop is for others too"


async def test_those_of_many_that_fail_cost_the_others_nothing(client: ImmediateSqliteClient) -> None:
    asked = [client.clerk.do(note(number % 150), writes=True) for number in range(300)]

    told = await asyncio.gather(*asked, return_exceptions=True)

    assert sum(isinstance(one, sqlite3.IntegrityError) for one in told) == 150
    assert await client.clerk.do(numbers, writes=False) == list(range(150))


async def test_what_was_written_is_moved_into_the_file_before_sqlite_makes_anybody_wait(
    client: ImmediateSqliteClient, file: Path
) -> None:
    for number in range(TIDIED_EVERY + 1):
        await client.clerk.do(note(number), writes=True)
    await client.clerk.do(numbers, writes=False)
    while client.clerk.busy:  # noqa: ASYNC110 - a thread at work rings no bell
        await asyncio.sleep(0.01)

    alone = await asyncio.to_thread(shutil.copy, file, file.with_name("alone.db"))

    assert len(numbers(sqlite3.connect(alone))) >= TIDIED_EVERY


async def test_a_call_that_is_not_waited_for_any_more_is_done_all_the_same(
    client: ImmediateSqliteClient, file: Path
) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asked = asyncio.ensure_future(client.clerk.do(note(7), writes=True))
    await asyncio.sleep(0.05)
    asked.cancel()
    other.execute("COMMIT")

    found: list[int] = []
    while not found:
        await asyncio.sleep(0.01)
        found = await client.clerk.do(numbers, writes=False)

    assert found == [7]
    other.close()


async def test_nobody_reads_what_a_cancelled_call_left_half_done_in_the_thread(
    client: ImmediateSqliteClient,
) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def slow(db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO noted VALUES (1)")
        at_work.set()
        go_on.wait(5)
        db.execute("ROLLBACK")

    async def by_hand() -> None:
        async with client.acquire_connection() as connection:
            await connection._execute(slow, connection._conn)

    cancelled = asyncio.ensure_future(by_hand())
    await asyncio.to_thread(at_work.wait, 5)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    asked = asyncio.ensure_future(client.clerk.do(numbers, writes=False))
    await asyncio.sleep(0.05)
    go_on.set()

    assert await asked == []
