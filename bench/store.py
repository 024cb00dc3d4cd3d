"""What keeping the record costs (P10); `python -m bench.store` prints it."""

import asyncio
import gc
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from groupops.actions import Mute, SendText
from groupops.people import AccountId, GroupId, PersonId
from groupops.records import Booking, Case, CaseStatus, Due, OutboxRow
from groupops.store import models
from groupops.store import rows as table_rows
from groupops.store.database import plain
from groupops.store.sql import SqlRecords, open_records
from groupops.verdicts import Evidence
from tests.support import postgres_server

Row = dict[str, Any]

ROUNDS = 7
BOOKINGS = 600
PERSONS = 50
ALONE = 100
BATCH = 100
BATCHES = 10
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
GROUP = GroupId("qq:100")


def rows() -> list[Row]:
    """All figures of this file, on SQLite (WAL, NORMAL) and on a PostgreSQL that waits for its disk."""
    with _folder() as folder:
        found = asyncio.run(_measure(f"sqlite://{folder / 'bench.sqlite3'}", "sqlite", 1))
    with _folder() as folder, _durable(folder) as url:
        return [*found, *asyncio.run(_measure(url, "postgres", 2))]


async def _measure(url: str, name: str, goal: float) -> list[Row]:
    """The slowest hundredth of bookings, and batches of the outbox against Tortoise's `create()`, turn by turn."""
    p99s, ratios = list[float](), list[float]()
    async with _opened(url) as (records, persons):
        numbers = count()
        for turn in range(ROUNDS + 1):
            p99 = await _p99(records, persons, numbers)
            alone = await _one_by_one(records, numbers)
            together = await _together(records, numbers)
            if turn:  # the first round prepares statements
                p99s.append(p99)
                ratios.append(together / alone)
    booking = f"case, 2 actions and 1 due row in one transaction, wall time, {name}"
    return [
        _row(f"P10.{name}", p99s, f"<= {goal}", "ms p99", booking),
        _row(f"P10.batch.{name}", ratios, ">= 5", "x", f"one create() per action, batches of {BATCH}"),
    ]


async def _p99(records: SqlRecords, persons: Sequence[PersonId], numbers: Iterator[int]) -> float:
    taken = list[float]()
    gc.collect()
    for _ in range(BOOKINGS):
        number = next(numbers)
        person, event_id = persons[number % len(persons)], f"qq:{number}"
        booking = _booking(event_id, person)
        begun = time.perf_counter()
        account = AccountId(f"qq:{person - persons[0]}")
        await records.book(event_id, account, "soft", NOON, lambda _, booking=booking: booking, recent=NOON)
        taken.append((time.perf_counter() - begun) * 1e3)
    return statistics.quantiles(taken, n=100)[98]


async def _one_by_one(records: SqlRecords, numbers: Iterator[int]) -> float:
    """Actions per second, each stored by `create()`."""
    client = records.context.db()
    values = [
        {name: plain(value) for name, value in table_rows.outbox_columns(row).items()}
        for row in _actions(f"alone:{next(numbers)}", ALONE)
    ]
    with records.context:
        begun = time.perf_counter()
        for each in values:
            await models.Outbox.create(using_db=client, **each)
        return ALONE / (time.perf_counter() - begun)


async def _together(records: SqlRecords, numbers: Iterator[int]) -> float:
    """Actions per second, stored by `enqueue` in batches."""
    batches = [_actions(f"batch:{next(numbers)}", BATCH) for _ in range(BATCHES)]
    begun = time.perf_counter()
    for batch in batches:
        await records.enqueue(batch)
    return BATCH * BATCHES / (time.perf_counter() - begun)


def _booking(event_id: str, person_id: PersonId) -> Booking:
    case = Case(
        event_id=event_id,
        group_id=GROUP,
        person_id=person_id,
        account=AccountId(f"qq:{person_id}"),
        message_id=event_id,
        plugin="moderation",
        rule="moderation.insult",
        reason="辱骂他人",
        reasons=("辱骂他人",),
        evidence=(Evidence(what="word", quote="笨", start=0, end=1),),
        excerpt="你真笨",
        ladder="soft",
        status=CaseStatus.EFFECTIVE,
        opened_at=NOON,
        expires_at=NOON + timedelta(days=180),
    )
    due = Due(job=f"appeal:{event_id}", due_at=NOON + timedelta(hours=72), group_id=GROUP)
    return Booking(case=case, outbox=_actions(event_id, 2), due=(due,))


def _actions(event_id: str, number: int) -> tuple[OutboxRow, ...]:
    mute = Mute(group_id=GROUP, account=AccountId("qq:1"), span=timedelta(minutes=10))
    text = SendText(group_id=GROUP, text="请注意文明用语,第 1 次提醒。", mentions=(AccountId("qq:1"),))
    row = OutboxRow(
        event_id=event_id, index=0, group_id=GROUP, action=text, purpose="notice", created_at=NOON
    )
    return tuple(replace(row, index=index, action=mute if index % 2 else text) for index in range(number))


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[tuple[SqlRecords, list[PersonId]]]:
    async with open_records(url, migrate=True) as records:
        persons = [(await records.person_for(AccountId(f"qq:{number}"))).id for number in range(PERSONS)]
        yield records, persons


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="go-"))
    yield folder
    shutil.rmtree(folder)


@contextmanager
def _durable(folder: Path) -> Iterator[str]:
    """A PostgreSQL that waits for its disk, as one at work does; the tests' own does not."""
    postgres_server.FAST = {"max_connections": "60"}
    server = postgres_server.PostgresServer(folder)
    server.start()
    yield server.url()
    server.stop()


def _row(name: str, values: Sequence[float], goal: str, unit: str, against: str) -> Row:
    return {
        "id": name,
        "value": round(statistics.median(values), 3),
        "goal": goal,
        "unit": unit,
        "against": against,
        "rounds": len(values),
    }


if __name__ == "__main__":
    for row in rows():
        print(json.dumps(row, ensure_ascii=False))
