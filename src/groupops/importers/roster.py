"""Reads a roster from CSV: persons with their roles and their accounts per platform, all of them or none."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from groupops.errors import ImportFailed
from groupops.people import AccountId, Person, PersonId
from groupops.records import Records
from groupops.shelf import nearest

PLATFORMS = ("wechat", "qq", "wecom")
"""Columns that name an account → also the platform's name."""

MAX_FILE = 16 * 1024**2
"""Bytes of the largest roster that is read: far more than any organisation's list of people."""

_SHAPES: Mapping[str, tuple[re.Pattern[str], str]] = {
    "phone": (re.compile(r"\+?[\d -]{5,20}"), "digits, at most with +, spaces or dashes"),
    "qq": (re.compile(r"[1-9]\d{4,11}"), "5 to 12 digits"),
    "wechat": (re.compile(r"[^\s,:]{2,64}"), "an id without spaces"),
    "wecom": (re.compile(r"[^\s,:]{1,64}"), "an id without spaces"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a roster.

    Args:
        line: its number in the file, for messages.
        name: real name.
        department, position: where and as what the person works.
        org_roles: roles in the organisation, in the words packs use where we know them.
        phone: as written, without spaces and dashes.
        accounts: the person's accounts, at most one per platform.
        active: False when the person has left.
    """

    line: int
    name: str
    department: str = ""
    position: str = ""
    org_roles: frozenset[str] = frozenset()
    phone: str = ""
    accounts: tuple[AccountId, ...] = ()
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    columns: Mapping[str, str]
    roles: Mapping[str, str]
    active: Mapping[str, bool]
    separator: re.Pattern[str]


@cache
def _words() -> _Words:
    raw = resources.files("groupops.importers").joinpath("roster.toml").read_text("utf-8")
    data: dict[str, Any] = tomllib.loads(raw)
    return _Words(
        columns={name: column for column, names in data["columns"].items() for name in (column, *names)},
        roles=data["roles"],
        active={word: said == "yes" for said, words in data["active"].items() for word in words},
        separator=re.compile(f"[{re.escape(data['separators']['roles'])}]+"),
    )


def read_roster(path: Path) -> tuple[Entry, ...]:
    """Read a roster; UTF-8 with or without a byte order mark, or GB18030 as Excel saves it.

    Args:
        path: a CSV file with a line of headings; a person's name is the only column it must have.

    Raises:
        ImportFailed: something in it is wrong; every faulty line is listed and nothing of it is kept.
    """
    rows = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    faults: list[str] = []
    try:
        columns = _columns(next(rows, list[str]()), path)
        entries = list(_entries(rows, columns, faults))
    except csv.Error as error:
        raise ImportFailed(path.name, [f"line {rows.line_num}: is not CSV: {error}"]) from error
    faults += _double(entries)
    if faults:
        raise ImportFailed(path.name, faults)
    return tuple(entries)


async def enrol(entries: Sequence[Entry], records: Records) -> int:
    """Put a roster into a record that knows nobody of it yet; returns how many persons that were.

    Args:
        entries: the roster.
        records: where to; who is there already under one of the accounts is taken to be that person.
    """
    for entry in entries:
        known = [person for account in entry.accounts if (person := await records.person_of(account))]
        person = await records.put_person(
            Person(
                id=known[0].id if known else PersonId(0),
                name=entry.name,
                department=entry.department,
                org_roles=entry.org_roles,
                active=entry.active,
            )
        )
        for account in entry.accounts:
            await records.bind(account, person.id)
    return len(entries)


# — reading —


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE:
            raise ImportFailed(path.name, [f"it is larger than the {MAX_FILE} bytes that are read"])
        raw = path.read_bytes()
    except OSError as error:
        raise ImportFailed(path.name, [f"it cannot be read: {error.strerror}"]) from error
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ImportFailed(path.name, ["it is neither UTF-8 nor GB18030; save it as CSV UTF-8"])


def _columns(headings: Sequence[str], path: Path) -> tuple[str, ...]:
    """Give what each column holds."""
    words = _words()
    names = [heading.strip() for heading in headings]
    unknown = [name for name in names if name not in words.columns]
    faults = [f"line 1: unknown column {name!r}{nearest(name, words.columns)}" for name in unknown]
    columns = tuple(words.columns.get(name, "") for name in names)
    faults += [
        f"line 1: two columns hold the {one}"
        for one in sorted(set(columns))
        if one and columns.count(one) > 1
    ]
    if "name" not in columns and not unknown:
        faults.append(f"line 1: no column holds the name; add one called {_heading('name')!r}")
    if faults:
        raise ImportFailed(path.name, faults)
    return columns


def _entries(rows: Iterator[list[str]], columns: Sequence[str], faults: list[str]) -> Iterator[Entry]:
    """Give the lines that can be read; what is wrong with the others goes to `faults`."""
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(columns):
            faults.append(f"line {number}: {len(row)} cells, but there are {len(columns)} columns")
            continue
        cells = {column: cell.strip() for column, cell in zip(columns, row, strict=True)}
        wrong = list(_wrong(cells))
        faults += [f"line {number}, {_heading(column)}: {why}" for column, why in wrong]
        if not wrong:
            yield _entry(number, cells)


def _wrong(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if not cells["name"]:
        yield "name", "is empty; every person has a name"
    for column, (shape, expected) in _SHAPES.items():
        value = cells.get(column, "")
        if value and not shape.fullmatch(value):
            yield column, f"{value!r} is not {expected}"
    said = cells.get("active", "")
    if said.lower() not in _words().active:
        yield "active", f"{said!r} is neither yes nor no{nearest(said, _words().active)}"


def _entry(number: int, cells: Mapping[str, str]) -> Entry:
    words = _words()
    roles = (role for role in words.separator.split(cells.get("roles", "")) if role)
    return Entry(
        line=number,
        name=cells["name"],
        department=cells.get("department", ""),
        position=cells.get("position", ""),
        org_roles=frozenset(words.roles.get(role, role) for role in roles),
        phone=re.sub(r"[ -]", "", cells.get("phone", "")),
        accounts=tuple(
            AccountId(f"{platform}:{cells[platform]}") for platform in PLATFORMS if cells.get(platform)
        ),
        active=words.active[cells.get("active", "").lower()],
    )


def _double(entries: Sequence[Entry]) -> Iterator[str]:
    """Find accounts that two persons are said to have."""
    lines: dict[AccountId, Entry] = {}
    for entry in entries:
        for account in entry.accounts:
            first = lines.setdefault(account, entry)
            if first is not entry:
                yield f"line {entry.line}: {account} is the account of {first.name} already (line {first.line})"


def _heading(column: str) -> str:
    """Give a column's name as rosters usually write it."""
    return next(name for name, meant in _words().columns.items() if meant == column and name != column)
