"""What is written is read again as it was, starts no formula in a spreadsheet, and holds nothing it should not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groupops.errors import ConfigError
from groupops.importers import (
    RosterFailed,
    columns_named,
    compare,
    exportable,
    faults_page,
    people_page,
    read_people,
    save,
    template_pages,
)
from groupops.importers.roster_cells import escaped, tidy
from groupops.importers.sheets import read_book
from groupops.people import AccountId, Person, PersonId
from tests.core.importers.conftest import Csv

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 7, 6, 9, tzinfo=UTC)
FANG = Person(
    id=PersonId(1),
    ref="0017",
    name="王芳",
    department="财务部",
    company="-甲公司",
    position="=主管",
    region="+南宁",
    org_roles=frozenset({"steward", "hr", "甲、乙"}),
)
HELD = {
    PersonId(1): (AccountId("qq:880000001"), AccountId("qq:880000002"), AccountId("sandbox:u;1")),
    PersonId(2): (AccountId("wecom:emp-2"),),
}

cells = st.text(st.sampled_from("=+-@'王芳A1 ·（）,\";\t"), max_size=12).map(
    lambda text: " ".join(text.split())
)
words = st.text(st.sampled_from("王芳李雷甲乙部AB19-_=+@'\".,;"), max_size=10).map(
    lambda text: " ".join(text.split())
)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001


@st.composite
def people(draw: st.DrawFn) -> list[Person]:
    """Persons as an import may have left them."""
    refs = draw(st.lists(st.from_regex(r"[A-Z0-9][A-Z0-9./-]{0,8}", fullmatch=True), max_size=6, unique=True))
    return [
        Person(
            id=PersonId(number),
            ref=ref,
            name=draw(st.from_regex("[王李张欧阳·]{0,3}[芳雷三]", fullmatch=True)),
            department=draw(words),
            company=draw(words),
            position=draw(words),
            region=draw(words),
            org_roles=frozenset(draw(st.lists(words.filter(bool), max_size=3))),
            active=active,
            left_at=None if active else draw(st.none() | moments),
        )
        for number, ref in enumerate(refs, start=1)
        for active in (draw(st.booleans()),)
    ]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(persons=people(), ending=st.sampled_from(["csv", "xlsx"]))
def test_what_is_exported_is_imported_as_it_was(tmp_path: Path, persons: list[Person], ending: str) -> None:
    path = tmp_path / f"people.{ending}"
    save(
        path, [people_page(persons, lambda id_: (AccountId(f"qq:{10000 + id_}"),), zone=SHANGHAI)], force=True
    )
    if not persons:
        with pytest.raises(RosterFailed, match="一个人也没有"):
            read_people(path)
        return

    roster = read_people(path, zone=SHANGHAI)
    bound = {AccountId(f"qq:{10000 + person.id}"): person.id for person in persons}
    diff = compare(roster, persons, bound, now=NOW, complete=True)

    assert diff.counts == {**dict.fromkeys(diff.counts, 0), "unchanged": len(persons)}


@given(cells)
def test_a_text_survives_being_made_safe(text: str) -> None:
    safe = escaped(text)

    assert not safe.startswith(("=", "+", "-", "@"))
    assert tidy(safe) == text or text.startswith('="')


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_cell_that_would_be_a_formula_is_a_text(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"people.{ending}"
    save(path, [people_page([FANG], lambda id_: HELD[id_])])

    [sheet] = read_book(path, lambda text: text == "姓名").sheets
    [line] = read_people(path).lines

    assert not any(str(cell).startswith(("=", "+", "-", "@")) for row in sheet.rows for cell in row)
    assert (line.company, line.position, line.region) == ("-甲公司", "=主管", "+南宁")
    assert line.org_roles == FANG.org_roles
    assert set(line.accounts) == set(HELD[PersonId(1)])


def test_a_csv_says_that_it_is_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    save(path, [people_page([FANG], lambda _: ())])

    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_an_export_holds_no_phones_and_no_numbers_of_papers() -> None:
    titles = set(people_page([FANG], lambda _: ()).head)

    assert titles.isdisjoint({"手机号", "身份证号", "备注", "入职日期"})
    with pytest.raises(ConfigError, match="手机号"):
        columns_named(["姓名", "手机号"])


def test_an_export_holds_the_columns_that_were_asked_for() -> None:
    page = people_page([FANG], lambda _: (), columns=columns_named(["姓名", "中心"]))

    assert (list(page.head), list(page.rows)) == (["姓名", "部门"], [["王芳", "财务部"]])


def test_the_template_is_a_roster_of_nobody_that_explains_every_column(tmp_path: Path) -> None:
    path = tmp_path / "roster.xlsx"
    save(path, template_pages())

    roster, told = read_book(path, lambda _: False).sheets
    explained = {str(row[0]).strip("「」") for row in told.rows[1:]}
    assert [str(cell) for cell in roster.rows[0]] == [str(row[0]).strip("「」") for row in told.rows[1:]]
    assert set(columns_named(list(explained - {"手机号", "入职日期", "备注", "同一人"}))) == set(exportable())
    with pytest.raises(RosterFailed, match="一个人也没有"):
        read_people(path)


def test_a_file_that_is_there_is_not_written_over_unasked(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("mine")

    with pytest.raises(ConfigError, match="--force"):
        save(path, template_pages())
    assert path.read_text() == "mine"

    save(path, template_pages(), force=True)
    assert "姓名" in path.read_text("utf-8-sig")


def test_only_the_owner_may_read_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    save(path, template_pages())

    assert path.stat().st_mode & 0o077 == 0


def test_a_file_of_another_kind_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.csv or \.xlsx"):
        save(tmp_path / "people.pdf", template_pages())


def test_all_that_is_wrong_stands_in_a_report(tmp_path: Path, csv: Csv) -> None:
    with pytest.raises(RosterFailed) as failed:
        read_people(csv("姓名,QQ号", *(f"王芳,{number}" for number in range(1, 51))))

    page = faults_page(failed.value.faults)
    save(tmp_path / "report.xlsx", [page])

    [sheet] = read_book(tmp_path / "report.xlsx", lambda _: False).sheets
    assert len(sheet.rows) == 51
    assert [str(cell) for cell in sheet.rows[1][:4]] == ["2", "B", "QQ号", "1"]
