"""Opens one workbook in a process of its own, so that no file can take the memory or the time of ours.

Run by path with the Python of the project, isolated (`python -I sheet_process.py BYTES CELLS`), the workbook on
stdin; it knows nothing of groupops. On stdout: one JSON object, `{"sheets": […]}` or `{"fault": key, "why": words}`.
"""

from __future__ import annotations

import io
import json
import re
import struct
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.parsers import expat

CELL = re.compile(rb"<(?:\w+:)?c\s([^<>]*[^<>/])>(.*?)</(?:\w+:)?c>", re.DOTALL)
PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]+)(\d+)["']""")
TYPE = re.compile(rb"""\bt\s*=\s*["'](\w+)["']""")
SHOWN = re.compile(rb"<(?:\w+:)?v(?:\s[^<>]*)?>([^<]+)</")

Hole = tuple[int, int, str]
"""Row and column from 0, and the error that stands there; empty when a formula was never worked out."""


def main(raw: bytes, most_bytes: int, most_cells: int) -> dict[str, Any]:
    """Read every sheet of a workbook.

    Args:
        raw: the file.
        most_bytes: memory this process may have.
        most_cells: cells of the largest sheet that is read.
    """
    import python_calamine as calamine

    hold(most_bytes)
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        visible = calamine.SheetVisibleEnum.Visible
        names = [one.name for one in book.sheets_metadata if one.visible == visible]
        holes = holes_of(raw)
        return {"sheets": [read(book, name, holes.get(name, []), most_cells) for name in names]}
    except calamine.PasswordError:
        return {"fault": "password"}
    except (calamine.CalamineError, OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        return {"fault": "not_workbook", "why": str(error)[:200]}
    except (MemoryError, OverflowError):
        return {"fault": "too_wide"}


def hold(most_bytes: int) -> None:
    """Bound the memory of this process, where the system can."""
    with suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read(book: Any, name: str, holes: list[Hole], most_cells: int) -> dict[str, Any]:
    """Give one sheet: where its content begins, its rows and its holes."""
    sheet = book.get_sheet_by_name(name)
    if sheet.height * sheet.width > most_cells:
        raise OverflowError
    top, left = sheet.start or (0, 0)
    return {"name": name, "top": top, "left": left, "rows": sheet.to_python(), "holes": holes}


def plain(value: object) -> object:
    """Give a value that JSON has no word for: a moment as `{"at": …}`, a time or a span as `{"span": …}`."""
    if isinstance(value, datetime | date):
        return {"at": value.isoformat()}
    if isinstance(value, time | timedelta):
        return {"span": str(value)}
    raise TypeError(type(value).__name__)


# — cells that show no value: calamine gives them as empty —


def holes_of(raw: bytes) -> dict[str, list[Hole]]:
    """Find the formulas without a value, and the errors."""
    if not raw.startswith(b"PK"):
        return xls_holes(raw)
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        names = set(packed.namelist())
        if "content.xml" in names:
            return ods_holes(packed.read("content.xml"))
        if "xl/workbook.xml" in names:
            return {name: xlsx_holes(packed.read(part)) for name, part in parts(packed) if part in names}
    return {}


def parts(packed: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Give the sheets of an XLSX and the parts in which they lie."""
    targets: dict[str, str] = {}
    for tag, at in elements(packed.read("xl/_rels/workbook.xml.rels")):
        if tag == "Relationship" and "Id" in at and "Target" in at:
            target = at["Target"]
            targets[at["Id"]] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    for tag, at in elements(packed.read("xl/workbook.xml")):
        key = next((value for name, value in at.items() if name.rpartition(":")[2] == "id"), "")
        if tag == "sheet" and key in targets:
            yield at.get("name", ""), targets[key]


def elements(xml: bytes) -> list[tuple[str, dict[str, str]]]:
    """Give every element's local name and attributes."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, at: found.append((tag.rpartition(":")[2], at))
    with suppress(expat.ExpatError):
        parser.Parse(xml, True)
    return found


def xlsx_holes(xml: bytes) -> list[Hole]:
    """Find holes in a sheet of an XLSX."""
    if not any(sign in xml for sign in (b"<f", b":f", b't="e"', b"t='e'")):
        return []
    return list(_xlsx_holes(CELL.findall(xml)))


def _xlsx_holes(cells: Iterable[tuple[bytes, bytes]]) -> Iterator[Hole]:
    for head, inside in cells:
        kind, shown, place = TYPE.search(head), SHOWN.search(inside), PLACE.search(head)
        word = kind[1] if kind else b""
        lost = word != b"str" and not shown and re.search(rb"<(?:\w+:)?f[\s>/]", inside)
        if place and (lost or word == b"e"):
            row, column = int(place[2]) - 1, number_of(place[1].decode())
            yield row, column, shown[1].decode(errors="replace") if shown and word == b"e" else ""


def number_of(letters: str) -> int:
    """Give a column's number from 0 (`A` → 0, `AB` → 27)."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def ods_holes(xml: bytes) -> dict[str, list[Hole]]:
    """Find holes in all sheets of an ODS."""
    if b"table:formula" not in xml and b'value-type="error"' not in xml:
        return {}
    holes: dict[str, list[Hole]] = {}
    here: list[Hole] = []
    row = column = -1
    next_row = 0
    for tag, at in elements(xml):
        if tag == "table":
            here, next_row = holes.setdefault(at.get("table:name", ""), []), 0
        elif tag == "table-row":
            row, column = next_row, 0
            next_row += int(at.get("table:number-rows-repeated", "1"))
        elif tag in {"table-cell", "covered-table-cell"}:
            if _is_hole(at):
                here.append((row, column, "#" if at.get("calcext:value-type") == "error" else ""))
            column += int(at.get("table:number-columns-repeated", "1"))
    return holes


def _is_hole(at: dict[str, str]) -> bool:
    unknown = "table:formula" in at and "office:value-type" not in at
    return unknown or at.get("calcext:value-type") == "error"


# — XLS: a compound file of sectors, in it a stream of records ([MS-CFB], [MS-XLS]) —

SECTOR_END = 0xFFFFFFFA
"""Sector numbers from here on are marks, not sectors."""

FORMULA, BOUND_SHEET, BOOL_ERR, BOF = 0x0006, 0x0085, 0x0205, 0x0809
ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}


def xls_holes(raw: bytes) -> dict[str, list[Hole]]:
    """Find holes in all sheets of an XLS; what is no whole XLS has none, as calamine refuses it anyway."""
    with suppress(struct.error, IndexError, UnicodeDecodeError):
        return _sheet_holes(workbook_stream(raw))
    return {}


def workbook_stream(raw: bytes) -> bytes:
    """Give the stream that holds the sheets; a short one lies in the small sectors of the root."""
    size = 1 << struct.unpack_from("<H", raw, 30)[0]
    first_directory, cutoff, first_small = (struct.unpack_from("<I", raw, at)[0] for at in (48, 56, 60))
    tables = [one for one in struct.unpack_from("<109I", raw, 76) if one < SECTOR_END]
    following = struct.unpack_from("<I", raw, 68)[0]
    for _ in range(len(raw) // size):
        if following >= SECTOR_END:
            break
        more = struct.unpack_from(f"<{size // 4}I", raw, (following + 1) * size)
        tables += [one for one in more[:-1] if one < SECTOR_END]
        following = more[-1]
    fat = [n for table in tables for n in struct.unpack_from(f"<{size // 4}I", raw, (table + 1) * size)]
    directory = chain(raw, fat, first_directory, size, size)
    entries = [directory[at : at + 128] for at in range(0, len(directory) - 127, 128)]
    for entry in entries:
        name = entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].decode("utf-16-le")
        if name in {"Workbook", "Book"}:
            start, length = struct.unpack_from("<II", entry, 116)
            if length >= cutoff:
                return chain(raw, fat, start, size, size)[:length]
            small = chain(raw, fat, struct.unpack_from("<I", entries[0], 116)[0], size, size)
            table = chain(raw, fat, first_small, size, size)
            links = list(struct.unpack_from(f"<{len(table) // 4}I", table))
            return chain(small, links, start, 64, 0)[:length]
    return b""


def chain(raw: bytes, links: list[int], start: int, size: int, skipped: int) -> bytes:
    """Follow a chain of sectors; one that runs in a circle ends where it has been as long as the file."""
    parts: list[bytes] = []
    while start < SECTOR_END and len(parts) <= len(links):
        at = start * size + skipped
        parts.append(raw[at : at + size])
        start = links[start]
    return b"".join(parts)


def _sheet_holes(stream: bytes) -> dict[str, list[Hole]]:
    starts: dict[int, str] = {}
    holes: dict[str, list[Hole]] = {}
    here: list[Hole] = []
    at = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        if kind == BOF:
            here = holes.setdefault(starts.get(at, ""), [])
        elif kind == BOUND_SHEET:
            start, _, _, count, wide = struct.unpack_from("<IBBBB", stream, at + 4)
            name = stream[at + 12 : at + 12 + count * (2 if wide & 1 else 1)]
            starts[start] = name.decode("utf-16-le" if wide & 1 else "latin-1")
        elif error := _error_of(kind, stream[at + 4 : at + 4 + length]):
            row, column = struct.unpack_from("<HH", stream, at + 4)
            here.append((row, column, error))
        at += 4 + length
    return holes


def _error_of(kind: int, record: bytes) -> str:
    """Give the error that a cell's record holds: by itself, or as what a formula came to."""
    if kind == BOOL_ERR and record[7]:
        return ERRORS.get(record[6], "#")
    if kind == FORMULA and record[12:14] == b"\xff\xff" and record[6] == 2:  # noqa: PLR2004 - 2 means an error
        return ERRORS.get(record[8], "#")
    return ""


if __name__ == "__main__":
    told = main(sys.stdin.buffer.read(), int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(json.dumps(told, default=plain, separators=(",", ":")))  # much faster than json.dump
