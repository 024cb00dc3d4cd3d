"""From the adapter's events to facts; pure: what is remembered is handed in and changed by others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlencode

from groupops import (
    AccountId,
    Card,
    CommandGiven,
    Event,
    File,
    GroupId,
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
    Role,
    RoleChanged,
    Segment,
    Text,
    Voice,
)
from groupops.importers import WeChatPayload, WeChatXmlError, read_wechat_payload
from groupops_wechat.bot import RoomMember
from groupops_wechat.event import Event as ToldEvent
from groupops_wechat.event import (
    GroupMessageEvent,
    MemberJoinedEvent,
    MemberLeftEvent,
    MessageEvent,
    PrivateMessageEvent,
    RecalledEvent,
    RoomNotice,
    TopicChangedEvent,
)
from groupops_wechat.message import AFTER_NAME
from groupops_wechat.standing import Place

LATE = timedelta(minutes=1)
"""What comes later than this says when it came."""

PLACE_CODE = 48
APP_CODE = 49
"""Kinds of the client's own XML (protocol sheet 6)."""

_FIRST, _LAST = 946_684_800.0, 4_102_444_800.0  # 2000-01-01, 2100-01-01

Facts = tuple[Event, ...]
MediaKind = Literal["image", "voice", "video", "file"]


class OwnRoleEvent(RoomNotice):
    """The account's own role in a room is another than it was; made when the room is read.

    Args:
        role: the role now.
    """

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Who reads, and what it may look up.

    Args:
        me: the account's own contact.
        now: the present.
        source: what its facts say saw them.
        place: the account in the event's room; None for what is said to it alone.
        home: the room in which a contact is known, for what it says alone; empty when in none.
        member: what is known of a member of the event's room.
        authors: who wrote a message, and what, as far as it is remembered.
    """

    me: str
    now: datetime
    source: str = "bot"
    place: Place | None = None
    home: Callable[[str], str] = lambda _: ""
    member: Callable[[str], RoomMember | None] = lambda _: None
    authors: Callable[[str], tuple[AccountId | None, str]] = lambda _: (None, "")


def read(event: ToldEvent, sight: Sight) -> Facts:
    """Give what an event tells; nothing for what is of no interest."""
    reader = _READERS.get(type(event))
    return reader(event, sight) if reader is not None else ()


def account(contact: str) -> AccountId:
    """Give the account of a contact; nobody stays nobody."""
    return AccountId(f"wechat:{contact}" if contact else "")


def group_of(room: str) -> GroupId:
    """Give the group of a room."""
    return GroupId(f"wechat:{room}")


def moment(seconds: float, now: datetime) -> datetime:
    """Give the moment of a time in seconds; the present for what cannot be one."""
    return datetime.fromtimestamp(seconds, UTC) if _FIRST <= seconds <= _LAST else now


def _base(event: ToldEvent, sight: Sight, room: str) -> dict[str, Any]:
    at = min(moment(event.moment, sight.now), sight.now)
    return {
        "id": f"wechat:{event.event_id}",
        "at": at,
        "group_id": group_of(room),
        "source": sight.source,
        "received_at": sight.now if sight.now - at > LATE else None,
    }


# — what is said —


def _message(event: GroupMessageEvent, sight: Sight) -> Facts:
    base, sender = partial(_base, event, sight, event.room_id), account(event.user_id)
    packet = _packet(event)
    if packet is not None:
        return (RedPacketSent(**base(), account=sender, red_packet=packet, message_id=event.message_id),)
    place = _place(event)
    if place is not None:
        return (LocationShared(**base(), account=sender, location=place, message_id=event.message_id),)
    parts = segments(event, sight)
    if not parts:
        return ()
    known = sight.member(event.user_id)
    return (
        MessagePosted(
            **base(),
            account=sender,
            message_id=event.message_id,
            segments=parts,
            name=known.name if known is not None else "",
            card=known.alias if known is not None else "",
            role=sight.place.role_of(event.user_id) if sight.place is not None else Role.UNKNOWN,
            to_bot=event.to_me,
        ),
    )


def _whisper(event: PrivateMessageEvent, sight: Sight) -> Facts:
    """Read what was said to the account alone: a command or a place, in the room where its sender is known."""
    room = sight.home(event.user_id)
    if not room:
        return ()
    sender, base = account(event.user_id), partial(_base, event, sight, room)
    place = _place(event)
    if place is not None:
        return (
            LocationShared(
                **base(), account=sender, location=place, message_id=event.message_id, private=True
            ),
        )
    words = event.text.split() if event.kind == "text" else []
    if not words:
        return ()
    return (
        CommandGiven(
            **base(),
            account=sender,
            name=words[0].removeprefix("/"),
            args=tuple(words[1:]),
            private=True,
            message_id=event.message_id,
        ),
    )


def _packet(event: MessageEvent) -> RedPacket | None:
    """Give a red packet: the puppet says that it is one, or the client's own XML does."""
    if event.kind == "red_envelope":
        return RedPacket()
    if event.kind in ("unknown", "attachment", "url") and "<appmsg" in event.text:
        found = _xml(APP_CODE, event.text)
        return found.red_packet if found is not None else None
    return None


def _place(event: MessageEvent) -> Location | None:
    if event.kind != "location":
        return None
    found = next((one.data for one in event.original_message if "latitude" in one.data), None)
    if found is None:
        raw = _xml(PLACE_CODE, event.text)
        return raw.location if raw is not None else None
    latitude, longitude = float(found["latitude"]), float(found["longitude"])
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 - degrees
        return None
    label = str(found.get("name") or found.get("address") or "")
    return Location(latitude=latitude, longitude=longitude, crs="gcj02", label=label)


def _xml(code: int, text: str) -> WeChatPayload | None:
    try:
        return read_wechat_payload(code, text)
    except WeChatXmlError:
        return None


# — its parts —


def segments(event: MessageEvent, sight: Sight) -> tuple[Segment, ...]:
    """Give groupops' segments of a message, in order."""
    if event.kind == "text":
        words = str(event.message)
        return (*_quoted(event, sight), *_words(words, _called(event, sight)))
    return tuple(_part(one.type, one.data, event, sight) for one in event.original_message)


def _called(event: MessageEvent, sight: Sight) -> Sequence[tuple[str, str]]:
    """Give whom a message calls, besides the account itself, with the names they are called by."""
    others = [one for one in event.mentions if one != sight.me]
    found: list[tuple[str, str]] = [(sight.me, "")] if sight.me in event.mentions else []
    for one in others:
        known = sight.member(one)
        found.append((one, known.shown if known is not None else ""))
    return found


def _words(text: str, called: Sequence[tuple[str, str]]) -> tuple[Segment, ...]:
    """Part a text at the names that are called in it; a name that is not found is called in front of it."""
    parts: list[Segment] = []
    rest = text
    for contact, name in called:
        before, found, after = rest.partition(f"@{name}{AFTER_NAME}") if name else ("", "", "")
        if found:
            parts += [Text(text=before)] if before else []
            rest = after
        parts.append(Mention(account=account(contact), name=name))
    return (*parts, Text(text=rest)) if rest else tuple(parts)


def _quoted(event: MessageEvent, sight: Sight) -> tuple[Segment, ...]:
    if not event.quoted_id:
        return ()
    who, words = sight.authors(event.quoted_id)
    return (Quote(message_id=event.quoted_id, account=who, text=words),)


def _part(kind: str, data: Mapping[str, Any], event: MessageEvent, sight: Sight) -> Segment:
    name = str(data.get("name") or "")
    match kind:
        case "image" | "emoticon":
            return Image(media=_media("image", event, sight))
        case "audio":
            return Voice(media=_media("voice", event, sight))
        case "video":
            return File(media=_media("video", event, sight), name=name)
        case "attachment":
            return File(media=_media("file", event, sight), name=name)
        case "url" if data.get("url"):
            return Link(url=str(data["url"])[:2048], title=str(data.get("title") or ""))
        case _:
            return Card(card_kind=kind)


def _media(kind: MediaKind, event: MessageEvent, sight: Sight) -> Media:
    handle = urlencode({"kind": kind, "bot": sight.me, "message": event.message_id})
    return Media(id=handle, media_kind=kind)


# — what happens in a room —


def _recalled(event: RecalledEvent, sight: Sight) -> Facts:
    if not event.recalled_id:
        return ()
    who, base = account(event.user_id), _base(event, sight, event.room_id)
    return (MessageRecalled(**base, account=who, message_id=event.recalled_id, operator=who),)


def _joined(event: MemberJoinedEvent, sight: Sight) -> Facts:
    if event.user_id == sight.me:
        return ()
    known = sight.member(event.user_id)
    inviter = account(event.inviter_id) or None
    return (
        MemberJoined(
            **_base(event, sight, event.room_id),
            account=account(event.user_id),
            name=known.name if known is not None else "",
            card=known.alias if known is not None else "",
            operator=inviter,
            how="invite" if inviter else "unknown",
        ),
    )


def _left(event: MemberLeftEvent, sight: Sight) -> Facts:
    by = event.operator_id
    how: Literal["left", "removed", "unknown"] = "removed" if by else "unknown"
    if by == event.user_id:
        how = "left"
    return (
        MemberLeft(
            **_base(event, sight, event.room_id),
            account=account(event.user_id),
            operator=account(by) or None,
            how=how,
        ),
    )


def _renamed(event: TopicChangedEvent, sight: Sight) -> Facts:
    base = _base(event, sight, event.room_id)
    return (GroupRenamed(**base, name=event.new, operator=account(event.operator_id) or None),)


def _own_role(event: OwnRoleEvent, sight: Sight) -> Facts:
    base = _base(event, sight, event.room_id)
    return (RoleChanged(**base, account=account(sight.me), role=Role(event.role)),)


_READERS: Mapping[type[ToldEvent], Callable[[Any, Sight], Facts]] = MappingProxyType(
    {
        GroupMessageEvent: _message,
        PrivateMessageEvent: _whisper,
        RecalledEvent: _recalled,
        MemberJoinedEvent: _joined,
        MemberLeftEvent: _left,
        TopicChangedEvent: _renamed,
        OwnRoleEvent: _own_role,
    }
)
