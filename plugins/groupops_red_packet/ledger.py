"""The ledger: every operation is one transaction, known again by its key, and safe with other processes beside it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, TypeVar

from groupops import AccountId, GroupId, PersonId
from groupops_red_packet import models
from groupops_red_packet.journal import Entry, Item, Move, Order, State, done, opened

T = TypeVar("T")

_NUMBER = 16
"""Characters kept for a line's place behind its key."""

TRIES = 3
"""How often an operation is tried when another process wrote the same line first."""

Decide = Callable[[Item, Sequence[Entry]], Iterable[Order]]
"""From the item and its journal, both held, to what is done to it; pure, since it may be asked twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An item that is to be opened.

    Args:
        draft: the item with its terms; its amount comes from `amount_fen`.
        amount_fen: what the tariff says, in fen.
        cap_fen: the most the person may owe for the month, over all groups, in fen.
        month: the first moment of the month and of the next, in the group's time.
        at: when.
    """

    draft: Item
    amount_fen: int
    cap_fen: int
    month: tuple[datetime, datetime]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What came of an operation.

    Args:
        item: as it stands now.
        written: the lines that were added, now or when the same was done before.
        journal: all lines of the item.
        fresh: False when the same had been done before, or nothing was to be done.
    """

    item: Item
    written: tuple[Entry, ...] = ()
    journal: tuple[Entry, ...] = ()
    fresh: bool = True


@dataclass(slots=True)
class Ledger:
    """All items of all groups. Whoever stops waiting for an operation does not stop the operation."""

    _running: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])

    async def propose(self, proposal: Proposal) -> Acted:
        """Open an item, once per case and once per rule and source; its amount never exceeds what the cap leaves.

        Returns:
            The item; for a second case of the same rule and source, that of the first.
        """
        return await self._whole(_again(lambda: _propose(proposal)))

    async def act(self, case_id: int, key: str, decide: Decide) -> Acted | None:
        """Do to an item what `decide` says, all of it or nothing.

        Args:
            case_id: which item.
            key: known again: the same key changes nothing a second time.
            decide: what to do, seeing the item as nobody else can change it meanwhile.

        Returns:
            What came of it; None when there is no such item.

        Raises:
            NotPossible: the item does not allow it; nothing was changed.
        """
        return await self._whole(_again(lambda: _act(case_id, key, decide)))

    async def item(self, case_id: int) -> Item | None:
        """Give an item."""
        return await models.item(case_id)

    async def items(
        self,
        *,
        group_id: GroupId | None = None,
        persons: Collection[PersonId] | None = None,
        account: AccountId | None = None,
        open_only: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Item]:
        """Give items, oldest first: of a group, of persons or an account, open ones, opened in a stretch of time."""
        return await models.items(
            group_id=group_id, persons=persons, account=account, open_only=open_only, since=since, until=until
        )

    async def journal(
        self, *, case_id: int | None = None, group_id: GroupId | None = None, until: datetime | None = None
    ) -> Sequence[Entry]:
        """Give the journal of an item or of a group, in order."""
        return await models.entries(case_id=case_id, group_id=group_id, until=until)

    async def anonymise(self, group_id: GroupId, before: datetime) -> int:
        """Take the persons out of what was closed before a moment; gives how many items that were."""
        return await self._whole(models.anonymise(group_id, before))

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Let a transaction come to its end even when its asker is called off: half of one must not stay open."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)


async def _again(work: Callable[[], Awaitable[T]]) -> T:
    """Try again when another process wrote the same line first: what it wrote is seen then."""
    for _ in range(TRIES - 1):
        try:
            return await work()
        except models.Taken:
            continue
    return await work()


async def _propose(proposal: Proposal) -> Acted:
    draft = proposal.draft
    async with models.opening(draft.person_id):
        known = await models.item(draft.case_id) or await models.same_source(draft.rule, draft.source)
        if known is not None:
            return Acted(item=known, fresh=False)
        amount = min(proposal.amount_fen, await _left(proposal))
        order = Order(move=Move.PROPOSE, at=proposal.at, actor="core", amount_fen=amount)
        item, entry = opened(draft, order, f"case/{draft.case_id}/propose")
        await models.add(item, entry)
        return Acted(item=item, written=(entry,), journal=(entry,))


async def _left(proposal: Proposal) -> int:
    """Give what the month's cap leaves the person: what is open or was paid counts, what was let go does not."""
    if not proposal.amount_fen:
        return 0
    since, until = proposal.month
    others = await models.items(persons=(proposal.draft.person_id,), since=since, until=until)
    return max(0, proposal.cap_fen - sum(map(counted, others)))


def counted(item: Item) -> int:
    """Give what an item counts against the month's cap, in fen."""
    return item.open_fen + (item.closed_fen if item.state is State.SETTLED else 0)


async def _act(case_id: int, key: str, decide: Decide) -> Acted | None:
    key = _short(key)
    async with models.writing(case_id) as held:
        if held is None:
            return None
        item = held
        journal = await models.entries(case_id=case_id)
        before = tuple(entry for entry in journal if entry.key.rpartition("/")[0] == key)
        if before:
            return Acted(item=item, written=before, journal=tuple(journal), fresh=False)
        written: list[Entry] = []
        for number, order in enumerate(decide(item, journal)):
            item, entry = done(item, order, f"{key}/{number}")
            written.append(entry)
        if written:
            await models.append(item, written)
        return Acted(item=item, written=tuple(written), journal=(*journal, *written), fresh=bool(written))


def _short(key: str) -> str:
    """Give a key that fits its column, with room for the number of the line."""
    if len(key) <= models.KEY - _NUMBER:
        return key
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def month_of(moment: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """Give the first moment of a moment's month in a timezone, and of the next month."""
    first = moment.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first, next_month(first)


def next_month(first: datetime) -> datetime:
    """Give the first moment of the month after the one that begins at `first`."""
    if first.month == 12:  # noqa: PLR2004 - December
        return first.replace(year=first.year + 1, month=1)
    return first.replace(month=first.month + 1)


def source_of(case_id: int, group_id: GroupId, message_id: str) -> str:
    """Give what an item came from, without keeping it: the message, or the case where there was none."""
    if not message_id:
        return f"case:{case_id}"
    return hashlib.sha256(f"{group_id}/{message_id}".encode()).hexdigest()[:32]
