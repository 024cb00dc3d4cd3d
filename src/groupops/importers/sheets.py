"""Reads tables from CSV, XLSX, XLS and ODS as rows of plain values, within bounds that no file can push."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from groupops.importers.roster_faults import Place, RosterFailed, fault

MAX_FILE = 16 * 1024**2
"""Bytes of the largest file that is read: far more than any organisation's list of people."""

MAX_UNPACKED = 256 * 1024**2
"""Bytes a workbook may say that it unpacks to; 20,000 persons are 9 MB."""

MAX_MEMORY = 1024**3
"""Bytes the process may have that opens a workbook; 20,000 persons take 150 MB."""

MAX_CELLS = 4_000_000
"""Cells from the first to the last that holds something; 20,000 persons with 14 columns are 280,000."""

MAX_ROWS = 100_000
"""Rows of a CSV that are read."""

PATIENCE = 60
"""Seconds after which opening a workbook is given up; 20,000 persons take half of one."""

DELIMITERS = (",", "\t", ";")
LOOKED_AT = 20
"""Rows in which headings are looked for."""

Value = str | int | float | bool | date | datetime | None
"""What a cell holds; None for nothing."""

_PROCESS = Path(__file__).with_name("sheet_process.py")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table.

    Args:
        name: of the sheet; empty for a CSV.
        rows: its rows from the first that holds something.
        top, left: row and column of the first cell, from 0.
        holes: (row, column) from 0 → the error that stands there; empty for a formula without a value.
        grid: True when rows are of one length by nature, so that a short row is no fault of the file.
    """

    name: str
    rows: Sequence[Sequence[Value]]
    top: int = 0
    left: int = 0
    holes: Mapping[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])
    grid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What a file holds.

    Args:
        name: of the file.
        sha256: of its bytes, in hex.
        sheets: its visible sheets; exactly one for a CSV.
    """

    name: str
    sha256: str
    sheets: tuple[Sheet, ...]


def read_book(path: Path, heading: Callable[[str], bool]) -> Book:
    """Read a file, whatever its name ends with: what it begins with tells what it is.

    Args:
        path: the file.
        heading: says whether a text is a heading that is known; it finds out what separates the cells of a CSV.

    Raises:
        RosterFailed: the file cannot be read or is too large; the text says what to do.
    """
    raw = _bytes(path)
    sheets = _workbook(path, raw) if raw.startswith((_ZIP, _OLE)) else (_csv(path, raw, heading),)
    return Book(name=path.name, sha256=hashlib.sha256(raw).hexdigest(), sheets=sheets)


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise RosterFailed(path.name, [fault("too_large", size=size, most=MAX_FILE)])
        raw = path.read_bytes()
    except OSError as error:
        raise RosterFailed(path.name, [fault("unreadable", why=error.strerror or str(error))]) from error
    if not raw.strip():
        raise RosterFailed(path.name, [fault("empty")])
    return raw


# — text —


def _csv(path: Path, raw: bytes, heading: Callable[[str], bool]) -> Sheet:
    text = _text(path, raw)
    if text.lstrip()[:1] == "<":
        raise RosterFailed(path.name, [fault("web_page")])
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, heading), strict=True)
    kept: list[Sequence[Value]] = []
    try:
        for row in rows:
            kept.append(row)
            if len(kept) > MAX_ROWS:
                raise RosterFailed(path.name, [fault("too_wide", most=MAX_ROWS)])
    except csv.Error as error:
        raise RosterFailed(path.name, [fault("not_csv", Place(row=len(kept) + 1), why=error)]) from error
    return Sheet(name="", rows=kept, grid=False)


def _text(path: Path, raw: bytes) -> str:
    for encoding in _encodings(raw):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RosterFailed(path.name, [fault("encoding")])


def _encodings(raw: bytes) -> tuple[str, ...]:
    """Give the encodings to try: what a mark says, UTF-16 where every other byte is nought, else the usual two."""
    marked = tuple(encoding for mark, encoding in _BOMS if raw.startswith(mark))
    if marked:
        return marked
    head = raw[:200]
    if b"\0" in head:
        return ("utf-16-le",) if head[1::2].count(0) > head[::2].count(0) else ("utf-16-be",)
    return ("utf-8", "gb18030")


def _delimiter(text: str, heading: Callable[[str], bool]) -> str:
    """Give the sign that shows the most headings in one of the first rows."""
    head = text.splitlines()[:LOOKED_AT]

    def shown(sign: str) -> int:
        return max((sum(map(heading, line.replace('"', "").split(sign))) for line in head), default=0)

    return max(DELIMITERS, key=shown)


# — workbooks —


def _workbook(path: Path, raw: bytes) -> tuple[Sheet, ...]:
    if raw.startswith(_ZIP):
        _measure(path, raw)
    told = _opened(path, raw)
    if "fault" in told:
        why = str(told.get("why", ""))
        raise RosterFailed(path.name, [fault(told["fault"], why=why, most=_size(MAX_MEMORY))])
    return tuple(_sheet(one) for one in told["sheets"])


def _measure(path: Path, raw: bytes) -> None:
    """Refuse what says that it unpacks to more than we hold."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise RosterFailed(path.name, [fault("not_workbook", why=error)]) from error
    if unpacked > MAX_UNPACKED:
        raise RosterFailed(path.name, [fault("too_wide", most=_size(MAX_UNPACKED))])


def _opened(path: Path, raw: bytes) -> dict[str, Any]:
    """Have the workbook opened by a process of its own; its memory and its time are bounded."""
    command = [sys.executable, "-I", str(_PROCESS), str(MAX_MEMORY), str(MAX_CELLS)]
    try:
        done = subprocess.run(command, input=raw, check=False, capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise RosterFailed(path.name, [fault("too_slow", most=PATIENCE)]) from error
    if done.returncode < 0 or b"MemoryError" in done.stderr:  # it asked for more than it may have, and fell
        return {"fault": "too_wide"}
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return {"fault": "not_workbook", "why": "".join(last)[:200]}
    told: dict[str, Any] = json.loads(done.stdout, object_hook=_plain_value)
    return told


def _sheet(told: Mapping[str, Any]) -> Sheet:
    return Sheet(
        name=told["name"],
        rows=told["rows"],
        top=told["top"],
        left=told["left"],
        holes={(row, column): error for row, column, error in told["holes"]},
    )


def _plain_value(told: dict[str, Any]) -> Any:
    """Take back what JSON has no word for; a time of day without a day is kept as its text."""
    if "span" in told:
        return told["span"]
    moment = told.get("at")
    if moment is None:
        return told
    return datetime.fromisoformat(moment) if "T" in moment else date.fromisoformat(moment)


def _size(bytes_: int) -> str:
    return f"{bytes_ // 1024**2} MB"
