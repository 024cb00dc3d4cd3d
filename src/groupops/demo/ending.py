"""The demo's last page: the week's board and the month's statement, read back from the files that were sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from groupops.demo.keepsakes import Keepsakes
from groupops.plugin import Texts

Rows = Sequence[Sequence[Any]]
"""A sheet: its headings, then its rows."""


def read_sheets(file: Path) -> tuple[Rows, ...]:
    """Read the sheets of a workbook."""
    from python_calamine import CalamineWorkbook  # only who reaches the last page pays for it

    book = CalamineWorkbook.from_filelike(BytesIO(file.read_bytes()))
    return tuple(book.get_sheet_by_name(name).to_python() for name in book.sheet_names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What a statement comes to, in yuan: its journal by kind, and its items one by one.

    Args:
        opening, charged, closed, closing: sums of the journal; `closed` is all that was reduced or ended.
        items: what is open of the items as they stand.
    """

    opening: Decimal
    charged: Decimal
    closed: Decimal
    closing: Decimal
    items: Decimal

    @property
    def balanced(self) -> bool:
        """True when the journal's sum is what it leaves open, and the items say the same."""
        return self.opening + self.charged - self.closed == self.closing == self.items


_OPEN = 5
"""Column of the items' sheet that says what is open."""

_SHOWN = (0, 1, 2, 3, 4, 6)
"""Columns of the items' sheet that fit a terminal: number, day, who, clause, amount, state."""


def books_of(flows: Rows, items: Rows) -> Books:
    """Add a statement up.

    Args:
        flows: its sheet of sums: first what was open, then what was charged, …, last what is open now.
        items: its sheet of items.
    """
    sums = [_yuan(row[2]) for row in flows[1:]]
    # The last but one repeats, of what was taken back, how much had been settled before; it is no kind of its own.
    return Books(
        opening=sums[0],
        charged=sums[1],
        closed=sum(sums[2:-2], Decimal()),
        closing=sums[-1],
        items=sum((_yuan(row[_OPEN]) for row in items[1:]), Decimal()),
    )


def _yuan(cell: Any) -> Decimal:
    return Decimal(str(cell)).quantize(Decimal("0.01"))


def _table(title: str) -> Table:
    return Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD)


@dataclass(frozen=True, slots=True)
class Ending:
    """Prints the last page.

    Args:
        console: where to print.
        kept: what the story left behind.
        texts: the demo's texts.
    """

    console: Console
    kept: Keepsakes
    texts: Texts

    def show(self) -> bool:
        """Print board and statement and say where the files are; False when the books do not balance."""
        self.board()
        balanced = self.statement()
        self.console.print(f"\n[bold]{self.texts('files', folder=self.kept.folder)}[/]", highlight=False)
        for file in self.kept.files:
            self.console.print(f"  {file}", highlight=False, markup=False, soft_wrap=True)
        if self.kept.picture is None:
            self.console.print(f"  [yellow]{self.texts('no_font')}[/]", highlight=False)
        return balanced

    def board(self) -> None:
        """Print the week's board, if one was sent."""
        file = self._file("board.file")
        if file is None:
            return
        *_, entries = read_sheets(file)
        days = sorted({row[0] for row in entries[1:]})
        table = _table(self.texts("board.title", first=days[0], last=days[-1]))
        table.add_column(self.texts("board.name"))
        for day in days:
            table.add_column(day[5:], justify="center")
        for name in dict.fromkeys(row[1] for row in entries[1:]):
            cells = {row[0]: self._cell(row) for row in entries[1:] if row[1] == name}
            table.add_row(name, *(cells.get(day, Text()) for day in days))
        self.console.print()
        self.console.print(table)
        self.console.print(f"[dim]{self.texts('board.note')}[/]", highlight=False)

    def _cell(self, row: Sequence[Any]) -> Text:
        """Write when somebody came, or what the day was, in the colour of its state."""
        state, at = row[4], row[5]
        return Text(f"{state} {at}".rstrip(), style=self.texts(f"colour.{state}"))

    def statement(self) -> bool:
        """Print the month's statement, if one was sent; False when its books do not balance."""
        file = self._file("statement.file")
        if file is None:
            return True
        flows, items, _ = read_sheets(file)
        books = books_of(flows, items)
        self.console.print()
        self.console.print(self._sums(file, flows))
        self.console.print(self._items(items))
        style = "green" if books.balanced else "bold red"
        key = "statement.balanced" if books.balanced else "statement.off"
        words = self.texts(
            key,
            opening=books.opening,
            charged=books.charged,
            closed=books.closed,
            closing=books.closing,
            items=books.items,
        )
        self.console.print(f"[{style}]{words}[/]", highlight=False)
        return books.balanced

    def _sums(self, file: Path, flows: Rows) -> Table:
        table = _table(file.stem)
        for place, heading in enumerate(flows[0]):
            table.add_column(heading, justify="right" if place else "left")
        first, *between, last = flows[1:]
        for name, count, yuan in (first, *(row for row in between if row[1]), last):
            table.add_row(name, str(int(count)), f"{_yuan(yuan)}")
        return table

    def _items(self, items: Rows) -> Table:
        table = _table("")
        for place in _SHOWN:
            table.add_column(items[0][place])
        for row in items[1:]:
            table.add_row(*(f"{row[place]:g}" if place in (0, 4) else row[place] for place in _SHOWN))
        return table

    def _file(self, key: str) -> Path | None:
        """Give the workbook whose name begins as a text says."""
        begins = self.texts(key)
        return next((file for file in self.kept.tables if file.name.startswith(begins)), None)
