"""Files that a real LibreOffice saved (see make_files.py): each is imported, or explains itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from groupops.importers import read_people
from tests.core.importers.conftest import faults_of

FILES = Path(__file__).with_name("files")

GOOD = [f"good.{ending}" for ending in ("xlsx", "xls", "ods", "utf8.csv", "gbk.csv", "utf16.csv")]


@pytest.mark.parametrize("name", GOOD)
def test_a_roster_with_title_text_dates_formulas_and_blanks_is_read_whole(name: str) -> None:
    roster = read_people(FILES / name)

    assert [(line.ref, line.name, line.department) for line in roster.lines] == [
        ("10023", "欧阳娜娜", "销售部"),
        ("10024", "张三", "财务部"),
        ("010025", "阿依古丽·买买提", "国际部"),
        ("10026", "John Smith", "国际部"),
    ]
    assert [line.accounts for line in roster.lines] == [
        ("wechat:wxid_a1", "wechat:wxid_a2", "qq:880000001"),
        ("qq:880000002",),
        ("wechat:wxid_c",),
        (),
    ]
    assert [line.left_at and line.left_at.date() for line in roster.lines] == [
        None,
        date(2026, 3, 31),
        date(2025, 12, 1),
        None,
    ]
    assert [line.active for line in roster.lines] == [True, False, False, True]
    assert [(same.ref, same.other) for same in roster.merges] == [("010025", "10023")]


@pytest.mark.parametrize("name", ["bad.xlsx", "bad.xls", "bad.ods"])
def test_all_that_is_wrong_in_a_workbook_is_named_by_its_cell(name: str) -> None:
    places = [f"{fault.column}{fault.row}" for fault in faults_of(FILES / name)]

    assert places == ["C2", "A3", "E3", "G3", "A4", "E4", "H4", "A5", "B5", "H5", "B6"]


def test_all_that_is_wrong_in_a_csv_is_named_as_far_as_a_csv_shows_it() -> None:
    places = [f"{fault.column}{fault.row}" for fault in faults_of(FILES / "bad.gbk.csv")]

    assert places == ["C2", "A3", "E3", "G3", "E4", "H4", "B5", "H5", "B6"]


def test_of_two_rosters_in_a_file_one_has_to_be_chosen() -> None:
    [fault] = faults_of(FILES / "two_sheets.xlsx")

    assert "总部、分部" in fault.wrong
    assert read_people(FILES / "two_sheets.xlsx", sheet="分部").lines[0].name == "王五"
