"""Files of every kind become rows, and none of them takes more memory or time than it may."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from groupops.importers import RosterFailed
from groupops.importers import sheets as reading
from groupops.importers.sheets import Book, read_book

HEADINGS = ("姓名", "部门")


def book_of(path: Path) -> Book:
    return read_book(path, HEADINGS.__contains__)


def complaint(path: Path) -> str:
    with pytest.raises(RosterFailed) as failed:
        book_of(path)
    return str(failed.value)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_a_text_is_read_in_the_encoding_it_was_saved_in(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    path = tmp_path / "any.txt"
    path.write_bytes(f"姓名{separator}部门\n王芳{separator}财务部\n".encode(encoding))

    [sheet] = book_of(path).sheets

    assert [list(row) for row in sheet.rows] == [["姓名", "部门"], ["王芳", "财务部"]]


def test_big_endian_with_a_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(b"\xfe\xff" + "姓名,部门\n".encode("utf-16-be"))

    assert [list(row) for row in book_of(path).sheets[0].rows] == [["姓名", "部门"]]


def test_a_comma_in_quotes_separates_nothing(tmp_path: Path) -> None:
    path = tmp_path / "any.csv"
    path.write_text('姓名,部门\n王芳,"财务部,一组"\n', "utf-8")

    assert list(book_of(path).sheets[0].rows[1]) == ["王芳", "财务部,一组"]


def test_what_a_file_is_shows_in_its_bytes_and_not_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "really.csv"
    with xlsxwriter.Workbook(path, {}) as made:
        made.add_worksheet("名册").write_row(0, 0, HEADINGS)

    assert book_of(path).sheets[0].name == "名册"


def test_values_keep_their_kind(tmp_path: Path) -> None:
    path = tmp_path / "kinds.xlsx"
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as made:
        made.add_worksheet().write_row(0, 0, ["文", 10023, 1.5, True, date(2024, 7, 1)])

    assert list(book_of(path).sheets[0].rows[0]) == ["文", 10023.0, 1.5, True, date(2024, 7, 1)]


def test_a_hidden_sheet_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "hidden.xlsx"
    with xlsxwriter.Workbook(path, {}) as made:
        made.add_worksheet("名册").write(0, 0, "姓名")
        made.add_worksheet("旧").hide()

    assert [sheet.name for sheet in book_of(path).sheets] == ["名册"]


def test_the_first_cell_is_where_the_sheet_has_it(tmp_path: Path) -> None:
    path = tmp_path / "moved.xlsx"
    with xlsxwriter.Workbook(path, {}) as made:
        made.add_worksheet().write(4, 2, "姓名")

    [sheet] = book_of(path).sheets

    assert (sheet.top, sheet.left, list(sheet.rows[0])) == (4, 2, ["姓名"])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "是空的"),
        (b"\r\n \n", "是空的"),
        (b"<html><table><tr><td>x</td></tr></table></html>", "其实是网页"),
        (b'"never closed,\n', "CSV 格式不对"),
        (b"\x81", "不是 UTF-8"),
        (b"PK\x03\x04 and then nothing", "不是能读的表格文件"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "不是能读的表格文件"),
    ],
)
def test_what_is_no_table_is_told_so(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "odd.xlsx"
    path.write_bytes(content)

    said = complaint(path)

    assert said.startswith("odd.xlsx：")
    assert expected in said


def test_a_zip_that_holds_no_workbook_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "odd.xlsx"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("letter.txt", "hello")

    assert "不是能读的表格文件" in complaint(path)


def test_a_file_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    assert "读不出来" in complaint(tmp_path / "none.csv")


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(reading.MAX_FILE + 1)

    assert f"最多读 {reading.MAX_FILE} 字节" in complaint(path)


def test_a_bomb_is_measured_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_UNPACKED", 1024**2)
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(3):
            packed.writestr(f"{number}.xml", b" " * 1024**2)

    assert path.stat().st_size < 10_000
    assert "展开后太大" in complaint(path)


def test_a_cell_in_the_far_corner_takes_no_memory_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    with xlsxwriter.Workbook(path, {}) as made:
        sheet = made.add_worksheet()
        sheet.write(0, 0, "姓名")
        sheet.write(1_048_575, 16_383, "x")

    assert "展开后太大" in complaint(path)


def test_a_bomb_that_lies_about_its_size_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_MEMORY", 128 * 1024**2)
    path = tmp_path / "liar.xlsx"
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {}) as made:
        made.add_worksheet().write(0, 0, "姓名")
    path.write_bytes(_with_a_lie(file.getvalue()))

    assert "liar.xlsx：" in complaint(path)


def _with_a_lie(raw: bytes) -> bytes:
    """Put 200 MB into a sheet of a workbook and say that it is small."""
    file = io.BytesIO()
    huge = 0
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        new.compresslevel = 1
        for part in old.infolist():
            data = old.read(part)
            if part.filename.endswith("sheet1.xml"):
                head, _, tail = data.partition(b"<sheetData>")
                with new.open(part.filename, "w", force_zip64=False) as stream:
                    stream.write(head + b"<sheetData>")
                    for _ in range(200):
                        stream.write(b" " * 1024**2)
                    stream.write(tail)
                huge = new.getinfo(part.filename).file_size
            else:
                new.writestr(part.filename, data)
    return file.getvalue().replace(huge.to_bytes(4, "little"), (5000).to_bytes(4, "little"))


def test_a_csv_of_too_many_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("姓名\n" + "王芳\n" * reading.MAX_ROWS, "utf-8")

    assert "展开后太大" in complaint(path)


def test_a_file_is_named_by_the_sum_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(b"name\nabc\n")

    assert book_of(path).sha256 == hashlib.sha256(b"name\nabc\n").hexdigest()


def test_what_opens_and_writes_workbooks_is_loaded_by_need_alone() -> None:
    asked = (
        "import sys, groupops.importers; print('python_calamine' in sys.modules, 'xlsxwriter' in sys.modules)"
    )

    said = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout

    assert said.split() == ["False", "False"]
