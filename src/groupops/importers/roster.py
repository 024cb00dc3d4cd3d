"""Reads a roster from a file: persons with their roles and their accounts per platform, all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any

from groupops.importers.roster_cells import Wrong, reader_of
from groupops.importers.roster_faults import WHOLE_FILE, Fault, Place, RosterFailed, fault
from groupops.importers.roster_words import PLATFORMS, letters_of, plain, words
from groupops.importers.sheets import LOOKED_AT, Book, Sheet, Value, read_book
from groupops.people import Person, PersonId, PersonLine, native_of
from groupops.records import Records

Entry = PersonLine
"""One line of a roster."""

ACCOUNTS = (*PLATFORMS, "accounts")
"""Columns that hold accounts."""

MET = 2000
"""Different texts of a column whose meaning is remembered while a file is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamePerson:
    """What a roster proposes: two numbers are one person; a human decides.

    Args:
        row: where it stands.
        name: of the person of that row.
        ref: the number of that row.
        other: the number it is said to be the same as.
    """

    row: int
    name: str
    ref: str
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """What a file says.

    Args:
        file: its name.
        sheet: the sheet that was read; empty for a CSV.
        sha256: of its bytes, in hex.
        columns: what its columns hold; what is not among them, the file does not speak of.
        lines: its persons.
        rows: the row of each line, as a spreadsheet numbers it.
        merges: persons it says are one.
        ignored: headings that were passed over.
        future: lines whose date of leaving has not come; they count as being there.
    """

    file: str
    sheet: str
    sha256: str
    columns: frozenset[str]
    lines: tuple[PersonLine, ...]
    rows: tuple[int, ...]
    merges: tuple[SamePerson, ...] = ()
    ignored: tuple[str, ...] = ()
    future: int = 0


def read_people(
    path: Path,
    *,
    sheet: str = "",
    ignore_unknown: bool = False,
    today: date | None = None,
    zone: tzinfo = UTC,
) -> Roster:
    """Read a roster: CSV (UTF-8, GB18030, UTF-16), XLSX, XLS or ODS.

    Args:
        path: the file; a person's name is the only column that it must have.
        sheet: which sheet; empty for the only one with a column of names.
        ignore_unknown: True to pass over columns that nobody knows.
        today: until when a date of leaving has passed; None = nobody knows, a yes or no counts for more then.
        zone: the timezone that dates are meant in.

    Raises:
        RosterFailed: something in it is wrong; all of it is listed and nothing of the file is kept.
    """
    book = read_book(path, lambda text: plain(text) in words().headings)
    chosen = _chosen(book, sheet)
    columns = _columns(chosen, ignore_unknown=ignore_unknown)
    return _Reading(book=book, sheet=chosen, columns=columns, today=today, zone=zone).roster()


def read_roster(path: Path) -> tuple[Entry, ...]:
    """Read the persons of a roster; see `read_people`."""
    return read_people(path).lines


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
                ref=entry.ref,
                department=entry.department,
                company=entry.company,
                position=entry.position,
                region=entry.region,
                org_roles=entry.org_roles,
                active=entry.active,
                left_at=entry.left_at,
            )
        )
        for account in entry.accounts:
            await records.bind(account, person.id)
    return len(entries)


# — which sheet, which row —


def _key(cell: Value) -> str:
    """Give the column that a cell is the heading of; empty when of none."""
    return words().headings.get(plain(cell), "") if isinstance(cell, str) and cell else ""


def _chosen(book: Book, wanted: str) -> Sheet:
    there = "、".join(one.name for one in book.sheets)
    if wanted:
        found = [one for one in book.sheets if one.name.strip() == wanted.strip()]
        if not found:
            near = words().near(wanted, (one.name for one in book.sheets))
            raise RosterFailed(book.name, [fault("no_sheet", WHOLE_FILE, wanted, near=near, there=there)])
        return found[0]
    if len(book.sheets) == 1:
        return book.sheets[0]
    named = [one for one in book.sheets if "name" in map(_key, _heading_row(one)[1])]
    if len(named) == 1:
        return named[0]
    if not named:
        raise RosterFailed(book.name, [fault("no_name_sheet", there=there)])
    there = "、".join(one.name for one in named)
    raise RosterFailed(book.name, [fault("many_sheets", there=there)])


def _heading_row(sheet: Sheet) -> tuple[int, Sequence[Value]]:
    """Give the headings: the first row with a column of names, else the one with the most known headings."""
    best, at = 0, 0
    for index, row in enumerate(sheet.rows[:LOOKED_AT]):
        keys = [key for key in map(_key, row) if key]
        if "name" in keys:
            return index, row
        if len(keys) > best:
            best, at = len(keys), index
    return at, sheet.rows[at] if sheet.rows else ()


def _joined(above: Sequence[Value], below: Sequence[Value]) -> list[Value] | None:
    """Take two rows of headings for one, as where names are merged downwards; None when the second is none."""
    shown = [cell for cell in below if cell not in (None, "")]
    under_name = [cell for head, cell in zip(above, below, strict=False) if _key(head) == "name"]
    if not shown or any(under_name) or not all(map(_key, shown)):
        return None
    width = max(len(above), len(below))
    upper, lower = ([*row, *[""] * (width - len(row))] for row in (above, below))
    return [low or up for up, low in zip(upper, lower, strict=True)]


# — columns —


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column as it stands in a file; `read` is None for one that is passed over."""

    index: int
    key: str
    letters: str
    heading: str
    read: Callable[[Value], object] | None
    met: dict[str, object] = field(default_factory=dict[str, object])
    """Texts that were read before and what they mean; departments and dates repeat by the thousand."""

    def at(self, row: int) -> Place:
        return Place(row=row, column=self.letters, heading=self.heading)


@dataclass(slots=True, kw_only=True)
class _Columns:
    """The columns of a sheet, and what is wrong with its headings.

    Args:
        begin: index of the first row below the headings.
        known: the columns that are known, in the order of the file.
        bare: index of a column without a heading → its letters.
        width: columns up to the last heading.
        ignored: headings that were passed over.
        faults: what is wrong.
    """

    begin: int = 0
    known: list[_Column] = field(default_factory=list[_Column])
    bare: dict[int, str] = field(default_factory=dict[int, str])
    width: int = 0
    ignored: list[str] = field(default_factory=list[str])
    faults: list[Fault] = field(default_factory=list[Fault])

    def find(self, key: str) -> _Column | None:
        return next((column for column in self.known if column.key == key), None)


def _columns(sheet: Sheet, *, ignore_unknown: bool) -> _Columns:
    at, row = _heading_row(sheet)
    both = _joined(row, sheet.rows[at + 1]) if at + 1 < len(sheet.rows) else None
    made = _Columns(begin=at + 2 if both else at + 1)
    number = sheet.top + at + 1
    for index, cell in enumerate(both or row):
        heading = "" if cell is None else " ".join(str(cell).split())
        letters = letters_of(sheet.left + index)
        if not heading:
            made.bare[index] = letters
            continue
        made.width = index + 1
        place = Place(row=number, column=letters, heading=heading)
        _add(made, index, place, ignore_unknown=ignore_unknown)
    if made.find("name") is None:
        made.faults = [fault("no_name", Place(row=number)), *(made.faults if made.known else ())]
    return made


def _add(made: _Columns, index: int, place: Place, *, ignore_unknown: bool) -> None:
    """Take in one column, or say what is wrong with its heading."""
    name = plain(place.heading)
    key = words().headings.get(name, "")
    twin = made.find(key)
    if name in words().refused:
        made.faults.append(fault("refused_column", place, place.heading))
    elif key and twin and words().columns[key].kept:
        title = words().columns[key].title
        made.faults.append(fault("double_column", place, place.heading, other=twin.letters, title=title))
    elif key:
        letters, heading = place.column, place.heading
        made.known.append(
            _Column(index=index, key=key, letters=letters, heading=heading, read=reader_of(key))
        )
    elif ignore_unknown:
        made.ignored.append(place.heading)
    else:
        near = words().near(name, words().headings)
        made.faults.append(fault("unknown_column", place, place.heading, near=near))


# — rows —


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One pass over a sheet; what is wrong is gathered."""

    book: Book
    sheet: Sheet
    columns: _Columns
    today: date | None
    zone: tzinfo
    faults: list[Fault] = field(default_factory=list[Fault])
    lines: list[PersonLine] = field(default_factory=list[PersonLine])
    rows: list[int] = field(default_factory=list[int])
    merges: list[SamePerson] = field(default_factory=list[SamePerson])
    told: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list[tuple[int, Mapping[str, Any]]])
    future: int = 0

    @property
    def account_columns(self) -> tuple[str, ...]:
        """The columns of accounts that the file has."""
        return tuple(key for key in ACCOUNTS if self.columns.find(key))

    def roster(self) -> Roster:
        """Read it all; raises RosterFailed when anything is wrong."""
        self._stop_if_wrong(self.columns.faults)
        for index in range(self.columns.begin, len(self.sheet.rows)):
            self._row(self.sheet.top + index + 1, self.sheet.rows[index])
        self.faults += self._double()
        self.faults += self._alike()
        self._stop_if_wrong(self.faults)
        if not self.lines:
            raise RosterFailed(self.book.name, [fault("nobody")])
        return Roster(
            file=self.book.name,
            sheet=self.sheet.name,
            sha256=self.book.sha256,
            columns=frozenset(column.key for column in self.columns.known),
            lines=tuple(self.lines),
            rows=tuple(self.rows),
            merges=tuple(self.merges),
            ignored=tuple(self.columns.ignored),
            future=self.future,
        )

    def _stop_if_wrong(self, faults: Sequence[Fault]) -> None:
        if faults:
            raise RosterFailed(
                self.book.name, sorted(faults, key=lambda one: (one.row, len(one.column), one.column))
            )

    def _row(self, number: int, row: Sequence[Value]) -> None:
        if self._is_blank(number, row):
            return
        if not self.sheet.grid and not self._fits(row):
            place = Place(row=number)
            self.faults.append(fault("ragged", place, len(row), columns=self.columns.width))
            return
        before = len(self.faults)
        self._look_beside(number, row)
        cells = {
            column.key: self._cell(number, column, row[column.index])
            for column in self.columns.known
            if column.read is not None
        }
        self.told.append((number, cells))
        if len(self.faults) == before:
            self._take(number, cells)

    def _is_blank(self, number: int, row: Sequence[Value]) -> bool:
        """Say whether nothing stands in a row: no value (nought and no are some), no formula that shows none."""
        for cell in row:
            if cell is not None and (not isinstance(cell, str) or (cell and not cell.isspace())):
                return False
        return not any(at == number - 1 for at, _ in self.sheet.holes)

    def _fits(self, row: Sequence[Value]) -> bool:
        """Say whether a row of a CSV has as many cells as there are headings; blank ones beyond them may stand."""
        width = self.columns.width
        return len(row) >= width and not any(str(cell).strip() for cell in row[width:])

    def _look_beside(self, number: int, row: Sequence[Value]) -> None:
        """Say once for each column without a heading that something stands in it."""
        for index, letters in list(self.columns.bare.items()):
            cell = row[index] if index < len(row) else None
            if cell not in (None, "") and str(cell).strip():
                self.faults.append(fault("headless", Place(row=number, column=letters), cell))
                del self.columns.bare[index]

    def _cell(self, number: int, column: _Column, value: Value) -> object:
        assert column.read is not None  # noqa: S101 - the caller looked
        if isinstance(value, str) and value and value in column.met:
            return column.met[value]
        hole = (
            self.sheet.holes.get((number - 1, self.sheet.left + column.index)) if self.sheet.holes else None
        )
        try:
            _no_hole(hole)
            found = column.read(value)
        except Wrong as wrong:
            self.faults.append(fault(wrong.key, column.at(number), hole or _shown(value), **wrong.values))
            return None
        if isinstance(value, str) and len(column.met) < MET:
            column.met[value] = found
        return found

    def _take(self, number: int, cells: Mapping[str, Any]) -> None:
        left, active = self._presence(number, cells)
        ref, other = cells.get("ref", ""), cells.get("same", "")
        if other and (not ref or other == ref):
            self._wrong(number, "same", "same_as_self" if ref else "same_without_ref", other)
        elif other:
            self.merges.append(SamePerson(row=number, name=cells["name"], ref=ref, other=other))
        self.rows.append(number)
        self.lines.append(
            PersonLine(
                ref=ref,
                name=cells["name"],
                department=cells.get("department", ""),
                company=cells.get("company", ""),
                position=cells.get("position", ""),
                region=cells.get("region", ""),
                org_roles=cells.get("roles", frozenset()),
                active=active,
                left_at=None if active else left,
                accounts=tuple(dict.fromkeys(one for key in ACCOUNTS for one in cells.get(key, ()))),
            )
        )

    def _presence(self, number: int, cells: Mapping[str, Any]) -> tuple[datetime | None, bool]:
        """Say when the person left, and whether it is there."""
        said: bool | None = cells.get("active")
        left: datetime | None = cells.get("left")
        joined: datetime | None = cells.get("joined")
        if left is None:
            return None, said is not False
        if joined is not None and left < joined:
            self._wrong(number, "left", "left_before_joined", left.date(), joined=joined.date())
        if self.today is not None and left.date() > self.today:
            self.future += said is not False
            return left.replace(tzinfo=self.zone), said is not False
        if said and self.today is not None:
            self._wrong(number, "active", "active_and_left", words().says("yes"), left=left.date())
        return left.replace(tzinfo=self.zone), said is True

    def _double(self) -> Iterator[Fault]:
        """Find numbers and accounts that two persons are said to have, in rows that are wrong otherwise too."""
        seen: dict[tuple[str, str], tuple[int, str]] = {}
        keys = self.account_columns
        for row, cells in self.told:
            here = (row, cells.get("name") or "")
            ref = cells.get("ref")
            if ref and (first := seen.setdefault(("ref", ref), here)) is not here:
                yield self._fault(row, "ref", "double_ref", ref, first=first[0], name=first[1])
            for key in keys:
                for account in cells.get(key) or ():
                    first = seen.setdefault(("account", account), here)
                    if first is not here:
                        item = native_of(account)
                        values = {"first": first[0], "name": first[1], "item": item}
                        yield self._fault(row, key, "double_account", item, **values)

    def _alike(self) -> Iterator[Fault]:
        """Find lines without a number and accounts that share name and department with another."""
        seen: dict[tuple[str, str], list[int]] = {}
        for line, row in zip(self.lines, self.rows, strict=True):
            seen.setdefault((line.name, line.department), []).append(row)
        for line, row in zip(self.lines, self.rows, strict=True):
            rows = seen[line.name, line.department]
            if len(rows) > 1 and not (line.ref or line.accounts):
                other = next(one for one in rows if one != row)
                yield self._fault(row, "name", "double_person", line.name, first=other)

    def _wrong(self, number: int, key: str, why: str, value: object, **values: object) -> None:
        self.faults.append(self._fault(number, key, why, value, **values))

    def _fault(self, number: int, key: str, why: str, value: object, **values: object) -> Fault:
        column = self.columns.find(key)
        return fault(why, column.at(number) if column else Place(row=number), value, **values)


def _no_hole(hole: str | None) -> None:
    if hole is not None:
        raise Wrong("error_value" if hole else "no_value")


def _shown(value: Value) -> str:
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return "" if value is None else str(value)
