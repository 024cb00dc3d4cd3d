"""What is kept over a restart: chats of one group, cards that were sent, contacts, and rules that were published."""
# pyright: reportIncompatibleVariableOverride=false, reportUnknownMemberType=false
# ruff: noqa: D106 - `Meta` is Tortoise's word, described in its documentation

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from tortoise import fields
from tortoise.models import Model

from groupops_wecom.buttons import Face
from groupops_wecom.cards import KeptCard
from groupops_wecom.customers import InterceptRule, Range, Reaction, Semantics
from groupops_wecom.memory import CARDS, Offer, SentCard
from groupops_wecom.rooms import Kind, Placed, Side, group_id, native_of


class RoomSide(Model):
    """A chat as one of WeCom's products knows it, and the group it is a side of."""

    retention: ClassVar = {
        "why": "a group is written to by what is known of its chats, as long as there is one"
    }

    id = fields.IntField(primary_key=True)
    kind = fields.CharField(16)
    native = fields.CharField(255)
    keeper = fields.CharField(255)
    room = fields.CharField(255)
    name = fields.CharField(255)
    by = fields.CharField(255)
    at = fields.DatetimeField()

    class Meta:
        table = "wecom_room_sides"
        unique_together = (("kind", "native", "keeper"),)


class Rows:
    """Where sides are kept; satisfies `rooms.Shelf`."""

    async def load(self) -> list[Placed]:
        """Give all that is kept."""
        return [_placed(row) for row in await RoomSide.all().order_by("id")]

    async def put(self, placed: Placed, at: datetime) -> None:
        """Keep a side, or where it belongs now."""
        side = placed.side
        kept = {"room": placed.room, "name": side.name[:255], "by": placed.by, "at": at}
        await RoomSide.update_or_create(defaults=kept, kind=side.kind, native=side.native, keeper=side.keeper)

    async def drop(self, side: Side) -> None:
        """Forget a side."""
        await RoomSide.filter(kind=side.kind, native=side.native, keeper=side.keeper).delete()


def _placed(row: RoomSide) -> Placed:
    side = Side(kind=cast("Kind", row.kind), native=row.native, keeper=row.keeper, name=row.name)
    return Placed(side=side, room=row.room, by=row.by)


# — which cards were sent —


class SentCardRow(Model):
    """A card with buttons that was sent: what people see of it, and how the app takes its buttons off."""

    retention: ClassVar = {"by": "excerpt", "since": "at"}

    id = fields.IntField(primary_key=True)
    task_id = fields.CharField(128, unique=True)
    group_id = fields.CharField(255)
    title = fields.TextField()
    text = fields.TextField()
    app = fields.CharField(255)
    userid = fields.CharField(255)
    subject = fields.TextField()
    code = fields.TextField()
    at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "wecom_sent_cards"


class CardRows:
    """Where cards are kept; satisfies `cards.Drawer`."""

    async def load(self, since: datetime) -> list[KeptCard]:
        """Give the cards that were sent since, as many as a process remembers, the oldest first."""
        found = await SentCardRow.filter(at__gte=since).order_by("-id").limit(CARDS)
        return [_card(row) for row in reversed(found)]

    async def find(self, task_id: str) -> KeptCard | None:
        """Give a card, however old; None for one that is not kept, or no longer."""
        row = await SentCardRow.get_or_none(task_id=task_id)
        return None if row is None else _card(row)

    async def put(self, card: KeptCard, at: datetime) -> None:
        """Keep a card."""
        offer = card.offer
        kept = {
            "group_id": group_id(card.sent.room),
            "title": card.sent.face.title,
            "text": card.sent.face.text,
            "app": offer.app if offer else "",
            "userid": offer.user if offer else "",
            "subject": offer.subject if offer else "",
            "code": offer.code if offer else "",
            "at": datetime.fromtimestamp(offer.at, UTC) if offer else at,
        }
        await SentCardRow.update_or_create(defaults=kept, task_id=card.task_id)

    async def settle(self, task_id: str) -> None:
        """Remember that the app has nothing to change about a card any more."""
        await SentCardRow.filter(task_id=task_id).update(code="")


def _card(row: SentCardRow) -> KeptCard:
    sent = SentCard(Face(title=row.title, text=row.text), native_of(row.group_id))
    offer = Offer(app=row.app, user=row.userid, subject=row.subject, code=row.code, at=row.at.timestamp())
    return KeptCard(task_id=row.task_id, sent=sent, offer=offer if row.code else None)


# — who was in the contacts —


class KnownContact(Model):
    """A user id that was in the company's contacts when they were last taken in, and nothing else of anybody."""

    retention: ClassVar = {
        "why": "who is in the contacts no more can only be told by who was; ids that are gone go"
    }

    id = fields.IntField(primary_key=True)
    corp_id = fields.CharField(128)
    userid = fields.CharField(128)

    class Meta:
        table = "wecom_known_contacts"
        unique_together = (("corp_id", "userid"),)


async def known_contacts(corp_id: str) -> frozenset[str]:
    """Give the user ids that were there last time."""
    return frozenset([row.userid for row in await KnownContact.filter(corp_id=corp_id)])


async def keep_contacts(corp_id: str, userids: Collection[str]) -> None:
    """Remember who is there now, and forget who is not."""
    before = await known_contacts(corp_id)
    for some in _portions(before.difference(userids)):
        await KnownContact.filter(corp_id=corp_id, userid__in=some).delete()
    fresh = [KnownContact(corp_id=corp_id, userid=one) for one in sorted(set(userids) - before)]
    await KnownContact.bulk_create(fresh, batch_size=PORTION, ignore_conflicts=True)


PORTION = 200
"""Rows that are named in one statement."""


def _portions(userids: Iterable[str]) -> list[list[str]]:
    found = sorted(userids)
    return [found[at : at + PORTION] for at in range(0, len(found), PORTION)]


# — which rules were published —


class InterceptPublishing(Model):
    """A time at which intercept rules were published: what stood before, and what was to stand then."""

    retention: ClassVar = {"why": "the way back to what stood before; of each app the last twenty are kept"}

    id = fields.IntField(primary_key=True)
    self_id = fields.CharField(255)
    before = fields.TextField()
    after = fields.TextField()
    undone = fields.BooleanField(default=False)
    at = fields.DatetimeField()

    class Meta:
        table = "wecom_intercept_publishings"


KEPT_PUBLISHINGS = 20
"""Times of publishing that are kept of each app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """A time at which rules were published.

    Args:
        id: its number; 0 before it is kept.
        self_id: the app.
        before: our rules as they stood.
        after: our rules as they were to be.
        at: when.
        undone: True once it was taken back.
    """

    id: int = 0
    self_id: str
    before: tuple[InterceptRule, ...]
    after: tuple[InterceptRule, ...]
    at: datetime
    undone: bool = False


async def keep_publishing(one: Publishing) -> int:
    """Keep a time of publishing, before anything is published; gives its number."""
    row = await InterceptPublishing.create(
        self_id=one.self_id, before=_written(one.before), after=_written(one.after), at=one.at
    )
    last = await InterceptPublishing.filter(self_id=one.self_id).order_by("-id").offset(KEPT_PUBLISHINGS)
    await InterceptPublishing.filter(id__in=[old.id for old in last]).delete()
    return row.id


async def publishings(self_id: str) -> list[Publishing]:
    """Give the times of publishing that are kept of an app, the latest first."""
    return [_publishing(row) for row in await InterceptPublishing.filter(self_id=self_id).order_by("-id")]


async def undo(number: int) -> None:
    """Mark a time of publishing as taken back."""
    await InterceptPublishing.filter(id=number).update(undone=True)


def _publishing(row: InterceptPublishing) -> Publishing:
    return Publishing(
        id=row.id,
        self_id=row.self_id,
        before=_read(row.before),
        after=_read(row.after),
        at=row.at,
        undone=row.undone,
    )


def _written(rules: Iterable[InterceptRule]) -> str:
    return json.dumps([asdict(rule) for rule in rules], ensure_ascii=False)


def _read(kept: str) -> tuple[InterceptRule, ...]:
    found: list[dict[str, Any]] = json.loads(kept)
    return tuple(
        InterceptRule(
            name=one["name"],
            words=tuple(one["words"]),
            semantics=tuple(map(Semantics, one["semantics"])),
            reaction=Reaction(one["reaction"]),
            range=Range(users=tuple(one["range"]["users"]), departments=tuple(one["range"]["departments"])),
        )
        for one in found
    )
