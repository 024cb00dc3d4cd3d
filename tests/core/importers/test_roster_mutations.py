"""Whatever happens to a file, it is imported rightly or explains itself; nothing else ever comes out of it."""

from __future__ import annotations

import csv as csv_files
import io
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from groupops.importers import (
    Roster,
    RosterFailed,
    compare,
    diff_page,
    diff_text,
    people_page,
    read_people,
    save,
)
from groupops.people import Person, PersonId, PersonLine
from tests.core.importers.conftest import workbook

FILES = Path(__file__).with_name("files")
NOW = datetime(2026, 7, 6, 9, tzinfo=UTC)

HEAD = ["工号", "姓名", "部门", "角色", "QQ号", "微信号", "在职", "离职日期", "同一人", "备注"]
ROWS: list[list[object]] = [
    ["10023", "欧阳娜娜", "销售部", "领导、人事", "880000001", "wxid_a1;wxid_a2", "是", "", "", "x"],
    ["10024", "张三", "财务部", "", "880000002", "", "否", "2026-03-31", "", ""],
    ["010025", "阿依古丽·买买提", "国际部", "员工", "", "wxid_c", "", "", "10023", ""],
    ["10026", "John Smith", "国际部", "", "", "", "", "", "", "y"],
]
ODD: list[object] = [
    *(
        "",
        " ",
        "　",
        "\u200b",
        "\x00",
        "\x07",
        "'",
        '"',
        "=1+1",
        "'=1",
        "#REF!",
        "「",
        "」",
        "「」",
        ";;;",
        "、",
        "\r\n",
        "\ufeff",
    ),
    *(
        "姓名",
        "合计",
        "0",
        "-1",
        "1e308",
        "1.38E+10",
        "NaN",
        "是",
        "也许",
        "2026-02-30",
        "99999999",
        "0000-00-00",
    ),
    *("x" * 40_000, "𠮷" * 60, "a;b;c", "qq:1", "٣٤٥", "①②", "㈠", "½", "²"),
    *(0, -1, 1.5, 1e300, 10023.0, 2**60, True, False, date(2026, 3, 1), date(1900, 1, 1), None),
]


def outcome(path: Path) -> Roster | None:
    """Read a file and do all that is done with one; None when it explained itself."""
    try:
        roster = read_people(path)
    except RosterFailed as failed:
        explained(failed, path)
        return None
    assert roster.lines
    assert len(roster.lines) == len(roster.rows)
    assert all(line.name.strip() for line in roster.lines)
    diff = compare(roster, (), {}, now=NOW)
    assert diff_text(diff)
    assert list(diff_page(diff).rows)
    return roster


def explained(failed: RosterFailed, path: Path) -> None:
    assert failed.faults
    assert all(fault.wrong and fault.do for fault in failed.faults)
    assert str(failed).startswith(path.name)


def again(roster: Roster, path: Path) -> None:
    """Write what was read and read it again: it says the same."""
    persons = [
        Person(
            id=PersonId(number),
            ref=line.ref,
            name=line.name,
            department=line.department,
            company=line.company,
            position=line.position,
            region=line.region,
            org_roles=line.org_roles,
            active=line.active,
            left_at=line.left_at,
        )
        for number, line in enumerate(roster.lines)
    ]
    save(path, [people_page(persons, lambda id_: roster.lines[id_].accounts)], force=True)
    assert list(map(plain, read_people(path).lines)) == list(map(plain, roster.lines))


def plain(line: PersonLine) -> PersonLine:
    """A line with its accounts in an order of their own: a file keeps them by platform."""
    return replace(line, accounts=tuple(sorted(line.accounts)))


@st.composite
def mutated_rows(draw: st.DrawFn) -> list[list[object]]:
    """The rows with some cells odd, swapped or gone, and some rows cut short, twice or elsewhere."""
    rows = [list(row) for row in (HEAD, *ROWS)]
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.sampled_from(rows))
        kind = draw(st.sampled_from(["odd", "swap", "cut", "twice", "move", "text"]))
        at, other = draw(st.integers(0, 9)), draw(st.integers(0, 9))
        if kind == "cut":
            del row[at:]
        elif kind == "twice":
            rows.append(list(row))
        elif kind == "move":
            rows.remove(row)
            rows.insert(draw(st.integers(0, len(rows))), row)
        elif max(at, other) < len(row):
            if kind == "swap":
                row[at], row[other] = row[other], row[at]
            else:
                row[at] = draw(st.sampled_from(ODD) if kind == "odd" else st.text(max_size=8))
    return rows


def as_csv(rows: list[list[object]], encoding: str) -> bytes:
    file = io.StringIO(newline="")
    csv_files.writer(file).writerows(rows)
    return file.getvalue().encode(encoding, errors="replace")


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=mutated_rows(), encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]))
def test_a_csv_with_odd_cells_is_read_or_explains_itself(
    tmp_path: Path, rows: list[list[object]], encoding: str
) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(as_csv(rows, encoding))

    roster = outcome(path)

    if roster is not None:
        again(roster, tmp_path / "again.csv")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=mutated_rows())
def test_a_workbook_with_odd_cells_is_read_or_explains_itself(
    tmp_path: Path, rows: list[list[object]]
) -> None:
    path = tmp_path / "roster.xlsx"
    path.write_bytes(workbook({"名册": [[_writable(cell) for cell in row] for row in rows]}))

    roster = outcome(path)

    if roster is not None:
        again(roster, tmp_path / "again.xlsx")


def _writable(cell: object) -> object:
    """What xlsxwriter itself takes: no longer than a spreadsheet's cell, and dates from 1900 on."""
    return cell[:30_000] if isinstance(cell, str) else cell


flips = st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 255)), min_size=1, max_size=8)


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["good.utf8.csv", "good.gbk.csv", "good.utf16.csv"]),
    flips=flips,
    cut=st.none() | st.integers(0, 600),
)
@example(name="good.utf16.csv", flips=[(0, 1)], cut=None)
def test_a_csv_with_broken_bytes_is_read_or_explains_itself(
    tmp_path: Path, name: str, flips: list[tuple[int, int]], cut: int | None
) -> None:
    path = tmp_path / name
    path.write_bytes(broken((FILES / name).read_bytes(), flips)[:cut])

    outcome(path)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["good.xlsx", "good.xls", "good.ods", "bad.xls"]),
    flips=flips,
    cut=st.none() | st.integers(0, 16_000),
)
def test_a_workbook_with_broken_bytes_is_read_or_explains_itself(
    tmp_path: Path, name: str, flips: list[tuple[int, int]], cut: int | None
) -> None:
    path = tmp_path / name
    path.write_bytes(broken((FILES / name).read_bytes(), flips)[:cut])

    outcome(path)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["good.xlsx", "good.ods"]), part=st.integers(0, 30), flips=flips)
def test_a_workbook_with_a_broken_part_is_read_or_explains_itself(
    tmp_path: Path, name: str, part: int, flips: list[tuple[int, int]]
) -> None:
    """Inside its parts, where the sums of a packed file still hold."""
    path = tmp_path / name
    with zipfile.ZipFile(FILES / name) as old, zipfile.ZipFile(path, "w") as new:
        names = sorted(old.namelist())
        for number, one in enumerate(names):
            data = old.read(one)
            new.writestr(one, broken(data, flips) if number == part % len(names) else data)

    outcome(path)


def broken(data: bytes, flips: list[tuple[int, int]]) -> bytes:
    found = bytearray(data)
    for at, change in flips:
        if found:
            found[at % len(found)] ^= change
    return bytes(found)


@pytest.mark.parametrize("column", range(len(HEAD)), ids=HEAD)
def test_each_odd_value_in_a_column_is_read_or_explains_itself(tmp_path: Path, column: int) -> None:
    path = tmp_path / "roster.csv"
    for cell in ODD:
        row = list(ROWS[0])
        row[column] = cell
        path.write_bytes(as_csv([HEAD, row], "utf-8"))

        roster = outcome(path)

        if roster is not None:
            again(roster, tmp_path / "again.csv")
