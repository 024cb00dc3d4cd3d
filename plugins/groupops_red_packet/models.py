"""The ledger's tables: the journal, to which lines are only ever added, and each item as its journal has it."""
# pyright: reportIncompatibleVariableOverride=false
# ruff: noqa: D106 - `Meta` is Tortoise's word, described in its documentation

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from typing import Any, ClassVar

from tortoise import fields
from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q
from tortoise.indexes import Index
from tortoise.models import Model
from tortoise.transactions import in_transaction

from groupops import AccountId, GroupId, PersonId
from groupops_red_packet.journal import OPEN, Entry, Item, Move, Pot, State

ID = 255
"""Longest id of a group, an account or a rule, in characters."""
KEY = 512
"""Longest key of a line, in characters."""
WORD = 64
"""Longest name of a state, a move or a pot, in characters."""

NOBODY = PersonId(0)
"""Whose an item is once the persons were taken out of it."""

_PERSON_LOCK = 7_410_616
"""First half of PostgreSQL's advisory lock on a person while an item is opened; the second is the person's number."""

_NO_ACCOUNT = "-"
"""What no account is called."""

Taken = IntegrityError
"""What the database says where a line, an item or a key is there already."""

_FOR_EVER = "sums must stay true, so a year after closing the persons are taken out and the numbers stay"


class ItemRow(Model):
    """An item as the lines of its journal make it."""

    retention: ClassVar = {"why": _FOR_EVER}

    id = fields.IntField(primary_key=True)
    case_id = fields.IntField(unique=True)
    group_id = fields.CharField(ID)
    person_id = fields.IntField()
    account = fields.CharField(ID)
    rule = fields.CharField(ID)
    clause = fields.TextField()
    source = fields.CharField(ID)
    mode = fields.CharField(WORD)
    alternatives = fields.TextField()
    approvals = fields.IntField()
    due_days = fields.IntField()
    lapse_days = fields.IntField()
    state = fields.CharField(WORD)
    before = fields.CharField(WORD)
    frozen = fields.BooleanField()
    open_fen = fields.BigIntField()
    reduced_fen = fields.BigIntField()
    closed_fen = fields.BigIntField()
    chosen = fields.TextField()
    evidence = fields.IntField()
    deadline = fields.DatetimeField(null=True)
    stopped_at = fields.DatetimeField(null=True)
    appealed_at = fields.DatetimeField(null=True)
    reminded = fields.IntField()
    overdue = fields.BooleanField()
    opened_at = fields.DatetimeField()
    notified_at = fields.DatetimeField(null=True)
    accepted_at = fields.DatetimeField(null=True)
    closed_at = fields.DatetimeField(null=True)
    entries = fields.IntField()

    class Meta:
        table = "red_packet_items"
        unique_together = (("rule", "source"),)
        indexes = (
            Index(fields=("group_id", "state")),
            Index(fields=("person_id", "opened_at")),
            Index(fields=("account",)),
        )


class EntryRow(Model):
    """A line of the journal, never changed but for the persons taken out of it."""

    retention: ClassVar = {"why": _FOR_EVER}

    id = fields.BigIntField(primary_key=True)
    case_id = fields.IntField()
    number = fields.IntField()
    key = fields.CharField(KEY, unique=True)
    group_id = fields.CharField(ID)
    person_id = fields.IntField()
    move = fields.CharField(WORD)
    state = fields.CharField(WORD)
    actor = fields.CharField(ID)
    at = fields.DatetimeField()
    note = fields.TextField()
    amount_fen = fields.BigIntField()
    source = fields.CharField(WORD)
    target = fields.CharField(WORD)

    class Meta:
        table = "red_packet_journal"
        unique_together = (("case_id", "number"),)
        indexes = (Index(fields=("group_id", "at")),)


# — rows and values —

_MOMENTS = frozenset(
    {"deadline", "stopped_at", "appealed_at", "opened_at", "notified_at", "accepted_at", "closed_at", "at"}
)


def _columns(value: Item | Entry) -> dict[str, Any]:
    """Give a value as columns: moments in UTC, since SQLite compares them as text; words as they are."""
    row = {field.name: getattr(value, field.name) for field in fields_of(value)}
    for name in _MOMENTS & row.keys():
        row[name] = row[name] and row[name].astimezone(UTC)
    if isinstance(value, Item):
        row["alternatives"] = json.dumps(value.alternatives, ensure_ascii=False)
        row["before"] = value.before or ""
    return {name: _legible(word) if isinstance(word, str) else word for name, word in row.items()}


def _legible(word: str) -> str:
    """Give a word as both databases take it: no NUL characters, no halves of surrogate pairs."""
    return str(word).replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _item(row: ItemRow) -> Item:
    columns: dict[str, Any] = {field.name: getattr(row, field.name) for field in fields_of(Item)}
    columns["alternatives"] = tuple(json.loads(row.alternatives))
    columns["state"] = State(row.state)
    columns["before"] = State(row.before) if row.before else None
    return Item(**columns)


def _entry(row: EntryRow) -> Entry:
    columns: dict[str, Any] = {field.name: getattr(row, field.name) for field in fields_of(Entry)}
    columns |= {"move": Move(row.move), "state": State(row.state)}
    columns |= {"source": Pot(row.source), "target": Pot(row.target)}
    return Entry(**columns)


# — writing —


@asynccontextmanager
async def writing(case_id: int) -> AsyncGenerator[Item | None, None]:
    """Hold one item for as long as the block runs, against every other process; all of it is done or nothing.

    SQLite lets one transaction write at a time; PostgreSQL keeps others from the row.
    """
    async with in_transaction():
        row = await ItemRow.filter(case_id=case_id).select_for_update().first()
        yield None if row is None else _item(row)


@asynccontextmanager
async def opening(person_id: PersonId) -> AsyncGenerator[None, None]:
    """Hold a person's month for as long as the block runs: two items at once may not both take the rest of the cap."""
    async with in_transaction() as connection:
        if connection.capabilities.dialect == "postgres":
            await connection.execute_script(f"SELECT pg_advisory_xact_lock({_PERSON_LOCK}, {int(person_id)})")
        yield


async def add(item: Item, entry: Entry) -> None:
    """Store a new item with its first line; raises `Taken` where either is there already."""
    await EntryRow.create(**_columns(entry))
    await ItemRow.create(**_columns(item))


async def append(item: Item, entries: Iterable[Entry]) -> None:
    """Add lines to the journal and store the item as they make it; raises `Taken` where a line is there already."""
    await EntryRow.bulk_create([EntryRow(**_columns(entry)) for entry in entries])
    columns = _columns(item)
    await ItemRow.filter(case_id=columns.pop("case_id")).update(**columns)


async def anonymise(group_id: GroupId, before: datetime) -> int:
    """Take the persons out of items of a group that were closed before a moment; gives how many.

    Amounts, states, rules and moments stay, so that every sum stays what it was.
    """
    closed = before.astimezone(UTC)
    async with in_transaction():
        old = ItemRow.filter(group_id=group_id, closed_at__lt=closed, person_id__not=NOBODY)
        cases = [row.case_id for row in await old]
        if cases:
            await EntryRow.filter(case_id__in=cases).update(person_id=NOBODY, actor="", note="")
            await ItemRow.filter(case_id__in=cases).update(person_id=NOBODY, account="", chosen="")
    return len(cases)


# — reading —


async def item(case_id: int) -> Item | None:
    """Give an item."""
    row = await ItemRow.filter(case_id=case_id).first()
    return None if row is None else _item(row)


async def same_source(rule: str, source: str) -> Item | None:
    """Give the item that was opened for the same rule and the same source."""
    row = await ItemRow.filter(rule=rule, source=source).first()
    return None if row is None else _item(row)


async def items(
    *,
    group_id: GroupId | None = None,
    persons: Collection[PersonId] | None = None,
    account: AccountId | None = None,
    open_only: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Item]:
    """Give items, oldest first.

    Args:
        group_id: of one group; None = of all.
        persons: of these persons; None = of all.
        account: of this account, beside those of `persons`; an account that was never bound is known by it alone.
        open_only: True for those that are still open.
        since: opened from this moment on.
        until: opened before this moment.
    """
    query = ItemRow.all().order_by("opened_at", "case_id")
    if group_id is not None:
        query = query.filter(group_id=group_id)
    if persons is not None or account is not None:
        query = query.filter(Q(person_id__in=list(persons or ())) | Q(account=account or _NO_ACCOUNT))
    if open_only:
        query = query.filter(state__in=[str(state) for state in sorted(OPEN)])
    if since is not None:
        query = query.filter(opened_at__gte=since.astimezone(UTC))
    if until is not None:
        query = query.filter(opened_at__lt=until.astimezone(UTC))
    return [_item(row) for row in await query]


async def entries(
    *, case_id: int | None = None, group_id: GroupId | None = None, until: datetime | None = None
) -> Sequence[Entry]:
    """Give lines of the journal in order: of one item, or of a group before a moment."""
    query = EntryRow.all().order_by("id")
    if case_id is not None:
        query = EntryRow.filter(case_id=case_id).order_by("number")
    if group_id is not None:
        query = query.filter(group_id=group_id)
    if until is not None:
        query = query.filter(at__lt=until.astimezone(UTC))
    return [_entry(row) for row in await query]
