"""A ledger in a real database, and items to put into it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

from groupops import AccountId, GroupId, PersonId
from groupops.store import schema
from groupops_red_packet.journal import Item, Move, Order
from groupops_red_packet.ledger import Ledger, Proposal, month_of

APPS = {"red_packet": "groupops_red_packet.models"}
NOON = datetime(2025, 3, 3, 4, 0, tzinfo=UTC)
GROUP = GroupId("sandbox:g1")
_keys = count(1)


@asynccontextmanager
async def ledger_in(url: str, *, by_migrations: bool = True) -> AsyncGenerator[Ledger]:
    """A ledger whose tables the migrations have made, or for haste the models."""
    if by_migrations:
        await schema.migrate(url, APPS)
    context = await schema.open_context(url, APPS)
    try:
        with context:
            if not by_migrations:
                await context.generate_schemas()
            yield Ledger()
    finally:
        await context.close_connections()


def draft(case_id: int, person: int = 7, **more: Any) -> Item:
    """An item that may cost money, unless told otherwise."""
    given: dict[str, Any] = {
        "group_id": GROUP,
        "account": AccountId(f"sandbox:p{person}"),
        "rule": "moderation.insult",
        "source": f"case:{case_id}",
        "mode": "commitment",
        "alternatives": ("文字致歉", "值日一次"),
        "approvals": 2,
        "opened_at": NOON,
    }
    return Item(case_id=case_id, person_id=PersonId(person), **given | more)


def proposal(
    case_id: int, fen: int = 500, *, cap: int = 20_000, at: datetime = NOON, **more: Any
) -> Proposal:
    """A proposal of an item of so many fen."""
    return Proposal(draft=draft(case_id, **more), amount_fen=fen, cap_fen=cap, month=month_of(at, UTC), at=at)


def order(move: Move, *, at: datetime = NOON, actor: str = "sandbox:admin", **more: Any) -> Order:
    """Something somebody wants done."""
    return Order(move=move, at=at, actor=actor, **more)


async def do(ledger: Ledger, case_id: int, *moves: Move, key: str = "", **more: Any) -> Item:
    """Have moves made one after the other."""
    item = None
    for move in moves:
        wanted = order(move, **more)
        acted = await ledger.act(case_id, key or f"k{next(_keys)}", lambda _i, _j, wanted=wanted: (wanted,))
        assert acted is not None
        item = acted.item
    assert item is not None
    return item


def accepted(case_id: int, ledger: Ledger) -> Any:
    """Bring an item to where its person has promised."""
    return do(ledger, case_id, Move.APPROVE, Move.NOTIFY, Move.ACCEPT)
