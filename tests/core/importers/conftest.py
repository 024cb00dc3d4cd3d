"""Rosters that a test writes down: as CSV in a line, as XLSX cell by cell."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import xlsxwriter

from groupops.importers import Fault, RosterFailed, read_people

Csv = Callable[..., Path]
Xlsx = Callable[..., Path]


@pytest.fixture
def csv(tmp_path: Path) -> Csv:
    """Write a CSV: `csv("姓名,部门", "王芳,财务部", encoding="gbk")`."""

    def written(*lines: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "roster.csv"
        path.write_bytes("\r\n".join(lines).encode(encoding))
        return path

    return written


@pytest.fixture
def xlsx(tmp_path: Path) -> Xlsx:
    """Write an XLSX of one sheet: `xlsx(["姓名", "工号"], ["王芳", 10023.0])`."""

    def written(*rows: Sequence[object], **more: Sequence[Sequence[object]]) -> Path:
        path = tmp_path / "roster.xlsx"
        path.write_bytes(workbook({"名册": rows, **more}))
        return path

    return written


def workbook(sheets: dict[str, Sequence[Sequence[object]]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    sheet.write(number, column, cell)
    return file.getvalue()


def faults_of(path: Path, **more: object) -> tuple[Fault, ...]:
    """Read what cannot be read and give what is wrong."""
    with pytest.raises(RosterFailed) as failed:
        read_people(path, **more)  # type: ignore[arg-type]
    return failed.value.faults
