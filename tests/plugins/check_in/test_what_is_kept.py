"""What is kept and for how long: words for days, coordinates never, consent for as long as it must be shown."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from groupops import AccountId, GroupId, PersonId
from groupops.store import schema
from groupops.store.sql import open_records
from groupops_check_in import book, manifest
from groupops_check_in.book import Move, Petition, What
from groupops_check_in.consent import Said, Word
from groupops_check_in.day import Entry, State, closed
from groupops_check_in.models import ConsentWord, DayRow, MoveRow, PetitionRow
from tests.plugins.check_in.stories import SITES, at, last, locate, office, pack

APPS = {"check_in": manifest.models}
# A latitude and a longitude to four decimals or more, as they were sent and as any conversion would show them.
DIGITS = re.compile(r"39\.9\d{2}|116\.\d{3}|31\.2\d{2}|121\.4\d{2}")


async def a_day_of_places(r: Any) -> None:
    """Locations in every system, in the group and alone, inside and outside; words; coordinates written as words."""
    await r.advance_to(at("2025-03-03T08:40"))
    await locate(r, "li", 39.90871, 116.39752, "gcj02")
    await r.advance_to(at("2025-03-03T08:44"))
    await locate(r, "li", 39.90521, 116.50533, "unknown", private=False)
    await locate(r, "zhao", 31.23041, 121.47372, "bd09")
    await locate(r, "sun", 39.90871, 116.39752, "gcj02")
    await r.whisper("g1", "zhao", "位置 31.23041,121.47372")
    await r.whisper("g1", "zhao", "更正打卡 今天 39.90871,116.39752 忘了")
    await locate(r, "clerk", 39.90871, 116.39752, "wgs84")
    await r.advance_to(at("2025-03-03T09:31"))
    await r.whisper("g1", "boss", "打卡名单")


@pytest.mark.parametrize("precision", ["site", "city"])
async def test_no_table_no_line_of_log_and_no_word_holds_a_coordinate(tmp_path: Path, precision: str) -> None:
    file = tmp_path / "groups.sqlite3"
    text = pack(f'precision = "{precision}"')
    async with open_records(f"sqlite://{file}", apps=APPS) as records:
        with records.context:  # type: ignore[attr-defined] # the open database, as the plugin finds it
            async with office(text=text, records=records) as r:
                await a_day_of_places(r)
                logged = repr(r.log.lines)
                told = repr(r.sandbox.world.letters) + repr(r.sandbox.world.requests)
    with sqlite3.connect(file) as db:
        kept = "\n".join(db.iterdump())

    assert "check_in_days" in kept
    assert "on_time" in kept
    for everything in (kept, logged, told):
        assert DIGITS.search(everything) is None


async def test_with_cells_only_two_decimals_are_kept() -> None:
    async with office(text=pack(f'{SITES}\nprecision = "cell_0.01"')) as r:
        await r.advance_to(at("2025-03-03T08:40"))
        await locate(r, "li", 31.23041, 121.47372, "wgs84")
        (row,) = await DayRow.all()

        assert row.place == "31.23,121.47"


async def test_days_are_forgotten_after_their_term_group_by_group() -> None:
    async with office(groups=("g1", "g2")) as r:
        await r.engine.set(GroupId("sandbox:g2"), "check_in.retention_days", 2, author="test")
        for day in range(3):
            for group in ("sandbox:g1", "sandbox:g2"):
                await keep(group, date(2025, 3, 3) + timedelta(days=day))

        await r.advance_to(at("2025-03-06T04:00"))
        assert await days_of("sandbox:g2") == [date(2025, 3, 5)]
        assert date(2025, 3, 3) in await days_of("sandbox:g1")
        await r.advance_to(at("2025-03-10T03:29"))
        assert date(2025, 3, 3) in await days_of("sandbox:g1")
        await r.advance_to(at("2025-03-10T03:30"))
        assert date(2025, 3, 3) not in await days_of("sandbox:g1")
        assert [row.day for row in await MoveRow.filter(group_id="sandbox:g2")] == []


async def test_leave_still_to_come_outlives_the_night() -> None:
    async with office() as r:
        await r.whisper("g1", "li", "请假 3月20日 事假")
        await r.advance_to(at("2025-03-19T12:00"))
        assert await PetitionRow.all().count() == 1
        await r.advance_to(at("2025-03-27T12:00"))
        assert await PetitionRow.all().count() == 0


async def test_a_group_nobody_looks_after_any_more_keeps_nothing_beyond_thirty_days() -> None:
    async with office() as r:
        await keep("sandbox:gone", date(2025, 3, 3))
        await r.advance_to(at("2025-04-01T04:00"))
        assert await days_of("sandbox:gone") == [date(2025, 3, 3)]
        await r.advance_to(at("2025-04-02T04:00"))
        assert await days_of("sandbox:gone") == []


async def test_what_ended_consent_is_kept_three_years_and_what_holds_stays() -> None:
    async with office(agreed=("li", "zhao")) as r:
        await r.whisper("g1", "li", "撤回同意")
        now = r.clock.now()
        assert await book.purge_consents(now + timedelta(days=3 * 365)) == 0
        assert await book.purge_consents(now + timedelta(days=3 * 365 + 1)) == 3
        assert {row.word for row in await ConsentWord.all()} == {"asked", "agreed"}


async def test_the_purge_says_nothing_to_anybody() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T08:40"))
        await locate(r, "li")
        before = last(r, "li")
        await r.advance_to(at("2025-03-15T04:00"))

        assert "名单" not in last(r, "li")
        assert before


# — on either database —


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_database"))
    return f"sqlite://{tmp_path / 'check-in.sqlite3'}"


async def test_the_book_is_the_same_on_either_database(address: str) -> None:
    async with open_records(address, apps=APPS, migrate=True) as records:
        with records.context:  # type: ignore[attr-defined] # as above
            await the_book_holds()


async def the_book_holds() -> None:
    group, li, wang = GroupId("qq:1"), PersonId(1), PersonId(2)
    day = date(2025, 3, 3)
    blank = Entry(group_id=group, person_id=li, account=AccountId("qq:7"), day=day)
    made = await asyncio.gather(*(book.change(blank, lambda entry: closed(blank, entry)) for _ in range(4)))
    assert {after for _, after in made} == {blank}
    assert await DayRow.all().count() == 1

    there = Entry(
        group_id=group, person_id=li, account=AccountId("qq:7"), day=day, state=State.LATE,
        place="总部", means="text", unsure=True, at=at("2025-03-03T09:10"), place_at=at("2025-03-03T09:10"),
    )  # fmt: skip
    await book.change(blank, lambda _: there)
    assert await book.entry_of(group, li, day) == there
    assert await book.entries(group, day, day, wang) == []

    petition = Petition(
        group_id=group, person_id=li, account=AccountId("qq:7"), what=What.LEAVE, day=day, until=day,
        reason="看病", asked_at=at("2025-03-03T08:00"), event_id="e1",
    )  # fmt: skip
    filed, new = await book.file(petition)
    again, newer = await book.file(petition)
    assert (filed, new, newer) == (again, True, False)
    decided = [
        await book.decide(filed.id, approved=yes, by=AccountId("qq:8"), at=at("2025-03-03T09:00"))
        for yes in (True, False)
    ]
    assert decided == [True, False]
    found = await book.petition(group, filed.id)
    assert found is not None
    assert found.status == "approved"

    said = Said(
        group_id=group, person_id=li, account=AccountId("qq:7"), word=Word.AGREED, terms="t",
        purpose="目的", at=at("2025-03-01T08:00"),
    )  # fmt: skip
    await book.say(said)
    assert await book.last_said(group, li) == said
    assert await book.all_said(group) == {li: said}

    move = Move(
        group_id=group, person_id=li, account=AccountId("qq:7"), day=day, was="", place="总部",
        at=at("2025-03-03T09:10"), event_id="e2",
    )  # fmt: skip
    await book.moved(move)
    await book.moved(move)
    assert await book.moves(group, li, day, day) == [move]

    await book.merged([li], wang)
    assert await book.entries(group, day, day, wang) != []
    assert await book.erase(wang) == 1
    assert [await table.all().count() for table in (DayRow, MoveRow, PetitionRow)] == [0, 0, 0]


async def test_the_migrations_say_what_the_models_say() -> None:
    assert await schema.drift(APPS) == []


async def test_migrations_run_on_postgresql(postgres_database: str) -> None:
    assert "check_in.0001_initial" in await schema.migrate(postgres_database, APPS)
    connection = await asyncpg.connect(postgres_database)
    try:
        tables = {row["tablename"] for row in await connection.fetch("SELECT tablename FROM pg_tables")}
    finally:
        await connection.close()
    assert {"check_in_consents", "check_in_days", "check_in_moves", "check_in_petitions"} <= tables


async def keep(group: str, day: date) -> None:
    blank = Entry(group_id=GroupId(group), person_id=PersonId(99), account=AccountId("sandbox:x"), day=day)
    await book.change(blank, lambda entry: closed(blank, entry))
    await book.moved(
        Move(
            group_id=GroupId(group),
            person_id=PersonId(99),
            account=AccountId("sandbox:x"),
            day=day,
            was="",
            place="总部",
            at=at(f"{day}T09:00"),
            event_id=f"{group}/{day}",
        )
    )


async def days_of(group: str) -> list[date]:
    return [row.day for row in await DayRow.filter(group_id=group, person_id=99).order_by("day")]
