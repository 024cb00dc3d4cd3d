"""Writes tables as CSV and XLSX that no spreadsheet takes a formula from."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from groupops.errors import ConfigError
from groupops.importers.roster_cells import escaped

LONGEST = 2000
"""Characters of a cell we write; a spreadsheet takes 32,767, and nobody reads as many."""

WIDTH = 14
"""Characters of a column nothing is said of."""

_SPARE_ROWS = 5000
"""Rows below the headings of a template that get the format and the choices of their column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One sheet to be written.

    Args:
        name: of the sheet.
        head: headings.
        rows: what stands below them.
        widths: of the columns, in characters.
        formats: column → number format of its cells, for a sheet that people fill in.
        choices: column → what may be chosen there.
    """

    name: str
    head: Sequence[str]
    rows: Iterable[Sequence[str]] = ()
    widths: Sequence[int] = ()
    formats: Mapping[int, str] = field(default_factory=dict[int, str])
    choices: Mapping[int, Sequence[str]] = field(default_factory=dict[int, Sequence[str]])


def save(path: Path, pages: Sequence[Page], *, force: bool = False) -> str:
    """Write a file, readable for its owner alone; `.csv` holds the first page, `.xlsx` all of them.

    Args:
        path: where to; its ending says as what.
        pages: the sheets, in order.
        force: True to write over a file that is there.

    Returns:
        The SHA-256 of what was written, in hex.

    Raises:
        ConfigError: the ending is neither, the file is there already, or it cannot be written.
    """
    writers = {".csv": csv_of, ".xlsx": xlsx_of}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise ConfigError(
            f"{path.name}: files are written as .csv or .xlsx; give the name one of these endings"
        )
    if path.exists() and not force:
        raise ConfigError(f"{path.name}: there is such a file already; take another name, or say --force")
    data = writer(pages)
    try:
        _put(path, data)
    except OSError as error:
        raise ConfigError(f"{path.name}: cannot be written: {error.strerror}") from error
    return hashlib.sha256(data).hexdigest()


def _put(path: Path, data: bytes) -> None:
    """Put a whole file in place at once."""
    beside = path.with_name(f".{path.name}.part")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    beside.replace(path)


def csv_of(pages: Sequence[Page]) -> bytes:
    """Give the first page as CSV: UTF-8 with a mark, so that Excel knows, and nothing that begins a formula."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(pages[0].head)
    writer.writerows([escaped(cell[:LONGEST]) for cell in row] for row in pages[0].rows)
    return file.getvalue().encode("utf-8-sig")


def xlsx_of(pages: Sequence[Page]) -> bytes:
    """Give the pages as XLSX: every cell a text, the headings bold and always in sight."""
    import xlsxwriter  # type: ignore[import-untyped]

    file = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    opened: Any = xlsxwriter.Workbook(file, options)
    with opened as book:
        bold = book.add_format({"bold": True, "bottom": 1, "valign": "top"})
        for page in pages:
            _sheet(book, page, bold)
    return file.getvalue()


def _sheet(book: Any, page: Page, bold: Any) -> None:
    sheet = book.add_worksheet(page.name)
    sheet.freeze_panes(1, 0)
    for column, heading in enumerate(page.head):
        wanted = page.formats.get(column)
        width = page.widths[column] if column < len(page.widths) else WIDTH
        sheet.set_column(column, column, width, book.add_format({"num_format": wanted}) if wanted else None)
        sheet.write_string(0, column, heading, bold)
    write = sheet.write_string
    for number, row in enumerate(page.rows, start=1):
        for column, cell in enumerate(row):
            if cell:
                write(number, column, escaped(cell[:LONGEST]))
    for column, listed in page.choices.items():
        sheet.data_validation(1, column, _SPARE_ROWS, column, {"validate": "list", "source": list(listed)})
