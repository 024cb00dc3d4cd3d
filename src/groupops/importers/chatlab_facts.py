"""Makes facts of the lines of ChatLab JSONL; the lines were checked before, so nothing here is wrong any more."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from groupops.events import (
    Card,
    Event,
    File,
    GroupRenamed,
    Image,
    Link,
    Location,
    LocationShared,
    Media,
    MemberJoined,
    MemberLeft,
    Mention,
    MessagePosted,
    MessageRecalled,
    Quote,
    RedPacket,
    RedPacketSent,
    RoleChanged,
    Segment,
    Text,
    Voice,
)
from groupops.importers.chatlab_rows import (
    CARDS,
    LINK,
    LOCATION,
    MEDIA,
    MILLISECONDS_FROM,
    OF_SYSTEM,
    RED_PACKET,
    REPLY,
    TEXT,
    Row,
    moment_of,
    object_of,
    objects_of,
    recalled_of,
)
from groupops.importers.plain_lines import PlainLine
from groupops.importers.quick_facts import posted
from groupops.importers.transcript import Identity
from groupops.people import AccountId, GroupId, Role, platform_of

SOURCE: Final = "export"
"""What a fact of a transcript says saw it."""

HOW: Final = ("invite", "qr", "link", "approve")
_CRS: Final = ("gcj02", "wgs84", "bd09")
_URL = re.compile(r"https?://[^\s<>\"']+")

HEARD: Final[Mapping[str, str]] = {
    "member_join": "member_joined",
    "member_leave": "member_left",
    "member_kick": "member_left",
    "rename": "group_renamed",
    "owner_change": "role_changed",
    "admin_set": "role_changed",
    "recall": "message_recalled",
}
"""Kind of a system line's event → kind of the fact it becomes; other kinds become none."""


def heard_as(kind: int, more: Row | None) -> str:
    """Give the kind of fact a member's line becomes."""
    if kind == RED_PACKET:
        return "message_posted" if _typed(more) else "red_packet_sent"
    return "location_shared" if kind == LOCATION and more and more.get("location") else "message_posted"


def _typed(more: Row | None) -> bool:
    """Say whether the kind was only read off words, which anybody can type: then it is nothing but words."""
    return more is not None and more.get("confidence") == "text"


@dataclass(slots=True)
class Facts:
    """Makes the facts of one file.

    Args:
        group_id: the group.
        authors: message id → native id of its sender, for recalls that name only the message.
        identity: where senders are ids, one who is told only by name is nobody: names are anybody's.
    """

    group_id: GroupId
    authors: Mapping[str, str]
    identity: Identity = "id"
    _accounts: dict[str, AccountId] = field(default_factory=dict[str, AccountId])
    _alike: Counter[str] = field(default_factory=Counter[str])
    _alike_at: int = 0

    def of(self, row: Row) -> Iterable[Event]:
        """Give the facts of a line; a recall that is noted on the message itself comes behind it, out of order."""
        if row["type"] == TEXT and "groupops" not in row and "replyToMessageId" not in row:
            return (self._plain(row, self._key(row)),)
        return self._odd(row)

    def said(self, line: PlainLine) -> MessagePosted:
        """Give the fact of a line that has the shape nearly every line has."""
        message_id = line.platformMessageId
        return posted(
            f"{self.group_id}/{message_id}",
            datetime.fromtimestamp(line.timestamp, UTC),
            self.group_id,
            SOURCE,
            self._accounts.get(line.sender) or self._account(line.sender),
            message_id,
            line.content,
            line.accountName,
            line.groupNickname or "",
        )

    def _odd(self, row: Row) -> Iterator[Event]:
        kind, more, message_id = row["type"], row.get("groupops"), self._key(row)
        base: dict[str, Any] = {
            "id": f"{self.group_id}/{message_id}",
            "at": _at(moment_of(row)),
            "group_id": self.group_id,
            "source": SOURCE,
        }
        if kind in OF_SYSTEM:
            yield from self._system(more or {}, base)
            return
        yield self._said(row, more or {}, message_id, base)
        if more and "recalled_at" in more:
            base |= {"id": f"{base['id']}/recall", "at": _at(recalled_of(more))}
            yield MessageRecalled(**base, account=self._account(row["sender"]), message_id=message_id)

    def _plain(self, row: Row, message_id: str) -> MessagePosted:
        """The shape nearly every line has, made without detours."""
        content: str = row["content"] or ""
        stamp: int = row["timestamp"]
        short = stamp < MILLISECONDS_FROM
        return posted(
            f"{self.group_id}/{message_id}",
            datetime.fromtimestamp(stamp, UTC) if short else _at(moment_of(row)),
            self.group_id,
            SOURCE,
            self._account(row["sender"]),
            message_id,
            content,
            row["accountName"],
            row.get("groupNickname") or "",
        )

    # — names of things —

    def _account(self, native: str) -> AccountId:
        found = self._accounts.get(native)
        if found is None:
            nobody = self.identity == "id" and native.startswith("name:")
            account = "" if nobody else f"{platform_of(self.group_id)}:{native}"
            found = self._accounts[native] = AccountId(account)
        return found

    def _key(self, row: Row) -> str:
        """Give a message's id; one without is named by what it says and how often that was said just then."""
        given = row.get("platformMessageId")
        if given is not None:
            return str(given)
        moment = moment_of(row)
        if moment != self._alike_at:
            self._alike_at = moment
            self._alike.clear()
        words = f"{row['sender']}\n{moment}\n{row['type']}\n{row['content']}"
        digest = blake2b(words.encode("utf-8", "replace"), digest_size=9).hexdigest()
        self._alike[digest] += 1
        return f"{digest}.{self._alike[digest]}"

    # — what members said —

    def _said(self, row: Row, more: Row, message_id: str, base: Mapping[str, Any]) -> Event:
        account = self._account(row["sender"])
        match heard_as(row["type"], more):
            case "red_packet_sent":
                return RedPacketSent(
                    **base, account=account, red_packet=_packet(row, more), message_id=message_id
                )
            case "location_shared":
                return LocationShared(
                    **base, account=account, location=_place(more["location"]), message_id=message_id
                )
            case _:
                return MessagePosted(
                    **base,
                    account=account,
                    message_id=message_id,
                    segments=(*self._around(row, more), *_parts(row, more, message_id)),
                    name=row["accountName"],
                    card=row.get("groupNickname") or "",
                )

    def _around(self, row: Row, more: Row) -> Iterator[Segment]:
        """Give what stands around the words: whom they answer, whom they name."""
        reply = object_of(more, "reply")
        quoted = str(row.get("replyToMessageId") or reply.get("id") or "")
        if quoted or reply:
            author = reply.get("sender") or self.authors.get(quoted)
            account = self._account(str(author)) if author else None
            yield Quote(message_id=quoted, account=account, text=str(reply.get("text") or ""))
        for mention in objects_of(more, "mentions"):
            named = mention.get("id")
            account = self._account(str(named)) if named and not mention.get("all") else None
            yield Mention(account=account, name=str(mention.get("name") or ""))

    # — what the platform said —

    def _system(self, more: Row, base: Mapping[str, Any]) -> Iterator[Event]:
        event: Row = more["event"]
        actor = self._account(str(event["actor"])) if event.get("actor") else None
        kind = event["kind"]
        if kind == "rename":
            yield GroupRenamed(**base, name=str(event.get("name") or ""), operator=actor)
        elif kind == "recall":
            yield from self._recall(event, actor, base)
        else:
            for number, target in enumerate(event.get("targets") or [event["actor"]]):
                numbered = {**base, "id": f"{base['id']}/{number}"}
                yield _of_target(kind, self._account(target), actor, event, numbered)

    def _recall(self, event: Row, actor: AccountId | None, base: Mapping[str, Any]) -> Iterator[Event]:
        message_id = str(event["message_id"])
        author = self.authors.get(message_id) or next(iter(event.get("targets") or ()), None)
        account = self._account(author) if author else actor
        if account is not None:
            yield MessageRecalled(**base, account=account, message_id=message_id, operator=actor)


def _at(moment: int) -> datetime:
    seconds, ms = divmod(moment, 1000)
    at = datetime.fromtimestamp(seconds, UTC)
    return at.replace(microsecond=ms * 1000) if ms else at


def tellable(event: Row) -> bool:
    """Say whether a system line's event names all that its fact needs."""
    match event.get("kind"):
        case "recall":
            return bool(event.get("message_id")) and bool(event.get("actor") or event.get("targets"))
        case "rename":
            return True
        case _:
            return bool(event.get("targets") or event.get("actor"))


def _of_target(
    kind: str, account: AccountId, actor: AccountId | None, event: Row, base: Mapping[str, Any]
) -> Event:
    match kind:
        case "member_join":
            how: Any = event.get("how") if event.get("how") in HOW else "unknown"
            name = str(event.get("name") or "")
            return MemberJoined(**base, account=account, name=name, operator=actor, how=how)
        case "member_leave":
            return MemberLeft(**base, account=account, how="left")
        case "member_kick":
            return MemberLeft(**base, account=account, operator=actor, how="removed")
        case "owner_change":
            return RoleChanged(**base, account=account, role=Role.OWNER)
        case _:
            return RoleChanged(**base, account=account, role=Role.ADMIN)


def _parts(row: Row, more: Row, message_id: str) -> Iterator[Segment]:
    """Give the parts of a message. What stands for a picture or a card is never taken for its sender's words."""
    kind, content = row["type"], row["content"] or ""
    if kind in (TEXT, REPLY):
        if content:
            yield Text(text=content)
    elif kind == RED_PACKET:
        yield Card(card_kind="red_packet", text=content)
    elif kind == LINK:
        found = _URL.search(content)
        yield Link(url=found[0], title=content) if found else Card(card_kind="link", title=content)
    elif kind == LOCATION:
        yield Card(card_kind="location", title=content)
    elif kind in CARDS:
        yield Card(card_kind=CARDS[kind], text=content)
    for number, medium in enumerate(_media(row, more)):
        yield _medium(medium, kind, f"{message_id}/{number}")


def _media(row: Row, more: Row) -> list[Row]:
    return objects_of(more, "media") or ([{"name": row["content"] or ""}] if row["type"] in MEDIA else [])


def _medium(medium: Row, kind: int, fallback: str) -> Segment:
    media_kind = MEDIA.get(kind, "file")
    for known in MEDIA.values():
        if known == medium.get("kind"):
            media_kind = known
    sha256 = medium.get("sha256")
    media = Media(
        id=str(sha256 or medium.get("md5") or fallback),
        media_kind=media_kind,
        sha256=sha256 if isinstance(sha256, str) else None,
    )
    match media_kind:
        case "image":
            return Image(media=media)
        case "voice":
            return Voice(media=media)
        case _:
            return File(media=media, name=str(medium.get("name") or ""))


def _packet(row: Row, more: Row) -> RedPacket:
    told = object_of(more, "red_packet")
    return RedPacket(wish=str(told.get("wish") or row["content"] or ""), amount_fen=told.get("amount_fen"))


def _place(told: Row) -> Location:
    crs: Any = told.get("crs") if told.get("crs") in _CRS else "unknown"
    label = str(told.get("name") or told.get("address") or "")
    return Location(latitude=told["lat"], longitude=told["lng"], crs=crs, label=label)
