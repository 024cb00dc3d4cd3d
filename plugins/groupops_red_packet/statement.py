"""The monthly statement: what a group's journal comes to, as text and as a workbook; a record, never a claim."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from importlib import import_module
from io import BytesIO
from typing import Any

from groupops import Group, Texts
from groupops_red_packet.journal import Entry, Item, Move, Pot, State, replayed

_MONTH = re.compile(r"(\d{4})\s*[-/.年]?\s*(\d{1,2})\s*月?")
_YEARS = range(2000, 2200)

Called = Callable[[Item], str]
"""From an item to what its person is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What happened of one kind in a month: how many items, and how much money in fen."""

    count: int = 0
    fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A group's month. `opening + charged - reduced - all that closed = closing`, in fen; so in items, but for `reduced`.

    Args:
        group: what the group is called.
        first: the first moment of the month, in the group's time.
        flows: key of a text (`charged`, `settled`, …) → what happened; `opening` first, `closing` last.
        items: the items that were open in the month, as they stand now, oldest first.
    """

    group: str
    first: datetime
    flows: Mapping[str, Flow]
    items: Sequence[Item]

    @property
    def month(self) -> str:
        """The month, as `2025-03`."""
        return f"{self.first:%Y-%m}"

    @property
    def empty(self) -> bool:
        """True when nothing happened and nothing was left open."""
        return not any(flow.count for flow in self.flows.values())


CLOSED_BY = (
    Pot.SETTLED,
    Pot.SETTLED_BY_ALTERNATIVE,
    Pot.WAIVED,
    Pot.REVERSED,
    Pot.EXPIRED,
    Pot.CANCELLED,
)


def first_of(word: str, zone: tzinfo, now: datetime) -> datetime | None:
    """Read a month as people write it (`2025-03`, `2025年3月`); empty is the one before this.

    Returns:
        Its first moment in the timezone; None when it is no month, or one that has not begun.
    """
    here = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if not word.strip():
        return (
            here.replace(year=here.year - 1, month=12)
            if here.month == 1
            else here.replace(month=here.month - 1)
        )
    found = _MONTH.fullmatch(word.strip())
    if found is None:
        return None
    year, month = int(found[1]), int(found[2])
    if year not in _YEARS or not 1 <= month <= 12:  # noqa: PLR2004 - months
        return None
    first = here.replace(year=year, month=month)
    return first if first <= here else None


def stated(group: Group, first: datetime, entries: Iterable[Entry], items: Iterable[Item]) -> Statement:
    """Make the statement of a month.

    Args:
        group: whose.
        first: the first moment of the month, in the group's time.
        entries: the group's journal up to the end of the month, in order.
        items: the group's items.
    """
    lines = list(entries)
    before = [entry for entry in lines if entry.at < first]
    within = [entry for entry in lines if entry.at >= first]
    left, now = replayed(before), replayed(lines)
    flows = {"opening": _open(left.states, left.pots)}
    flows["charged"] = _flow(entry for entry in within if entry.move is Move.PROPOSE)
    flows["reduced"] = _flow(entry for entry in within if entry.move is Move.REDUCE)
    for pot in CLOSED_BY:
        flows[pot.value] = _flow(entry for entry in within if _closes(entry, pot))
    flows["taken_back"] = _flow(entry for entry in within if entry.source in _SETTLED)
    flows["closing"] = _open(now.states, now.pots)
    touched = {entry.case_id for entry in within} | {i for i, state in left.states.items() if state.open}
    return Statement(
        group=group.name or str(group.id),
        first=first,
        flows=flows,
        items=[item for item in items if item.case_id in touched],
    )


def _open(states: Mapping[int, State], pots: Mapping[Pot, int]) -> Flow:
    return Flow(count=sum(state.open for state in states.values()), fen=pots[Pot.OPEN])


def _flow(entries: Iterable[Entry]) -> Flow:
    found = list(entries)
    return Flow(count=len(found), fen=sum(entry.amount_fen for entry in found))


_SETTLED = frozenset({Pot.SETTLED, Pot.SETTLED_BY_ALTERNATIVE})
_CLOSING = frozenset({Move.SETTLE, Move.SUBSTITUTE, Move.WAIVE, Move.REVERSE, Move.EXPIRE, Move.CANCEL})


def _closes(entry: Entry, pot: Pot) -> bool:
    return entry.move in _CLOSING and entry.state.value == pot.value and entry.source is Pot.OPEN


def yuan(fen: int) -> str:
    """Write fen as yuan: without decimals where there are none."""
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)


def fen_of(word: str) -> int | None:
    """Read an amount of yuan as people write it (`3`, `3.5元`, `¥3`); None when it is none."""
    found = re.fullmatch(r"[¥¥]?(\d{1,5})(?:\.(\d{1,2}))?\s*元?", word.strip(), re.ASCII)
    return None if found is None else int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def money(fen: int, texts: Texts) -> str:
    """Say an amount in words; none is said as none."""
    return texts("money", yuan=yuan(fen)) if fen else texts("money.none")


def as_text(statement: Statement, texts: Texts) -> str:
    """Give the statement as text, without names."""
    lines = [texts("statement.head", group=statement.group, month=statement.month)]
    for key, flow in statement.flows.items():
        if flow.count:
            shown = texts("money", yuan=yuan(flow.fen))
            lines.append(texts("statement.flow", flow=texts(f"flow.{key}"), count=flow.count, money=shown))
    if statement.empty:
        lines.append(texts("statement.nothing"))
    return "\n".join((*lines, texts("statement.foot")))


def as_public(statement: Statement, texts: Texts) -> str:
    """Give what may be posted in the group: counts alone."""
    flows = statement.flows
    return texts(
        "statement.public",
        month=statement.month,
        opened=flows["charged"].count,
        closed=sum(flows[pot.value].count for pot in CLOSED_BY),
        left=flows["closing"].count,
    )


def totals(items: Iterable[Item], day: str, texts: Texts) -> str:
    """Give counts and sums of a group's items by state, without names."""
    count: Counter[State] = Counter()
    fen: Counter[State] = Counter()
    for item in items:
        count[item.state] += 1
        fen[item.state] += item.open_fen or item.closed_fen
    if not count:
        return texts("totals.none")
    lines = [
        texts(
            "totals.line",
            state=texts(f"state.{state.value}"),
            count=count[state],
            money=texts("money", yuan=yuan(fen[state])),
        )
        for state in State
        if count[state]
    ]
    left = sum(fen[state] for state in State if state.open)
    shown = texts("totals.open", money=texts("money", yuan=yuan(left)))
    return "\n".join((texts("totals.head", day=day), *lines, shown))


def as_xlsx(statement: Statement, called: Called, texts: Texts) -> bytes:
    """Give the statement as a workbook: a sheet of sums, one of items for the stewards, and what it is not for."""
    xlsxwriter: Any = import_module("xlsxwriter")  # only who asks for a statement pays for it
    file = BytesIO()
    # Nothing of what people are called may become a formula or a link.
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, plain) as book:
        head = book.add_format({"bold": True, "bg_color": "#EEF2F7", "bottom": 1})
        fen = book.add_format({"num_format": "0.00"})
        _sheet(book, texts("sheet.flows"), _flow_rows(statement, texts), head, fen)
        _sheet(book, texts("sheet.items"), _item_rows(statement, called, texts), head, fen)
        note = book.add_worksheet(texts("sheet.note"))
        note.set_column(0, 0, 60)
        note.write_string(0, 0, texts("statement.head", group=statement.group, month=statement.month))
        note.write_string(1, 0, texts("statement.foot"))
    return file.getvalue()


_Cell = str | int | Decimal
_WIDTH = 16


def _sheet(book: Any, title: str, rows: Iterable[Sequence[_Cell]], head: Any, fen: Any) -> None:
    sheet = book.add_worksheet(title)
    sheet.freeze_panes(1, 0)
    for place, row in enumerate(rows):
        sheet.set_column(0, len(row) - 1, _WIDTH)
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(place, column, cell, None if place else head)
            else:
                sheet.write_number(place, column, float(cell), fen if isinstance(cell, Decimal) else None)


def _flow_rows(statement: Statement, texts: Texts) -> Iterable[Sequence[_Cell]]:
    yield tuple(texts(f"column.{name}") for name in ("flow", "count", "yuan"))
    for key, flow in statement.flows.items():
        yield texts(f"flow.{key}"), flow.count, _decimal(flow.fen)


def _item_rows(statement: Statement, called: Called, texts: Texts) -> Iterable[Sequence[_Cell]]:
    columns = ("id", "day", "name", "about", "charged", "open", "state", "closed")
    yield tuple(texts(f"column.{name}") for name in columns)
    zone = statement.first.tzinfo
    for item in statement.items:
        closed = f"{item.closed_at.astimezone(zone):%Y-%m-%d}" if item.closed_at else ""
        yield (
            item.case_id,
            f"{item.opened_at.astimezone(zone):%Y-%m-%d}",
            called(item) or texts("column.nobody"),
            item.clause or item.rule,
            _decimal(item.charged_fen),
            _decimal(item.open_fen),
            texts(f"state.{item.state.value}") + (texts("state.frozen") if item.frozen else ""),
            closed,
        )


def _decimal(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)
