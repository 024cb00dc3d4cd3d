"""What is wrong with a roster: where, which value, what was expected and what to do, in the words of `roster.toml`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from groupops.errors import ImportFailed
from groupops.importers.roster_words import words

SHOWN = 20
"""Faults and changes that are spelled out on a screen; all of them are counted and stand in a report file."""

_VALUE_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong.

    Args:
        row: the row as a spreadsheet numbers it; 0 for the file as a whole.
        column: the column's letters; empty for a whole row.
        heading: the heading above it.
        value: what stands there.
        wrong: what is the matter, in words.
        do: what to do about it, in words.
    """

    row: int = 0
    column: str = ""
    heading: str = ""
    value: str = ""
    wrong: str
    do: str

    def __str__(self) -> str:
        """Say it as one sentence."""
        says = words().says
        if not self.row:
            return says("fault_file", wrong=self.wrong, do=self.do)
        if not self.column:
            return says("fault_row", row=self.row, wrong=self.wrong, do=self.do)
        value = self.value if len(self.value) <= _VALUE_SHOWN else f"{self.value[:_VALUE_SHOWN]}…"
        return says(
            "fault_cell",
            row=self.row,
            column=self.column,
            heading=self.heading,
            value=value or says("blank"),
            wrong=self.wrong,
            do=self.do,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands: the row as a spreadsheet numbers it, the column's letters, the heading above it."""

    row: int = 0
    column: str = ""
    heading: str = ""


WHOLE_FILE = Place()


def fault(key: str, place: Place = WHOLE_FILE, value: object = "", /, **values: object) -> Fault:
    """Make a fault of the text `key`; `values` fill it in, `{value}` is what stands there."""
    texts = words().faults
    shown = str(value)
    return Fault(
        row=place.row,
        column=place.column,
        heading=place.heading,
        value=shown,
        wrong=texts(key, value=shown, **values),
        do=texts(f"{key}_do", value=shown, **values),
    )


class RosterFailed(ImportFailed):
    """A roster was not imported, and nothing of it was kept; its text is in Chinese, for whoever keeps the roster.

    Args:
        name: the file's name.
        faults: everything that is wrong, in the order of the file.
    """

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        super().__init__(name, [str(one) for one in faults])
        self.faults = tuple(faults)

    def __str__(self) -> str:
        """Say the first `SHOWN` faults and count them all."""
        says = words().says
        lines = [says("failed", file=self.what, count=len(self.faults))]
        lines += [f"  {row}" for row in self.rows[:SHOWN]]
        if len(self.rows) > SHOWN:
            lines.append(says("more", count=len(self.rows) - SHOWN))
        return "\n".join(lines)
