"""From what WeCom tells live to facts; pure: what has to be looked up is handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from groupops import (
    ChoiceMade,
    CommandGiven,
    File,
    Image,
    Link,
    Listed,
    Location,
    LocationShared,
    Media,
    MemberJoined,
    MemberLeft,
    MessagePosted,
    Quote,
    Role,
    Segment,
    Text,
    Voice,
)
from groupops import Event as Fact
from groupops_wecom.buttons import REASON, press_of
from groupops_wecom.event import (
    AddMembers,
    AppMessageEvent,
    CardEvent,
    DelMembers,
    Event,
    GroupMessageEvent,
    LocationReported,
    LocationSelected,
    PrivateMessageEvent,
)
from groupops_wecom.faces import is_robot
from groupops_wecom.message import Message, MessageSegment
from groupops_wecom.rooms import NAME, account, group_id
from groupops_wecom.shapes import rows, table, whole, word

LATE = timedelta(minutes=1)
"""What comes later than this says when it came; clocks differ by seconds."""

LONGEST_ID = 200

Facts = tuple[Fact, ...]

JoinedBy = Literal["invite", "qr", "link", "approve", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Who reads, and what may be looked up.

    Args:
        now: the present moment.
        plain: id as a bot was told it → plain id; None where that is not known.
        room: id of a chat → the group it is a side of.
        home: plain id → the group for what is said to a bot alone; empty for none.
        called: plain id → name; empty for nobody known.
        calls: names the AI bots are called by in groups.
        known: the id under which a message of the archive was heard already; its own where it was not.
        amounts: whether the archive's amounts are believed.
        reports: whether what the app reports of places counts as shared.
    """

    now: datetime
    plain: Callable[[str], str | None] = field(default=lambda said: said)
    room: Callable[[str], str] = field(default=lambda id_: id_)
    home: Callable[[str], str] = field(default=lambda _: "")
    called: Callable[[str], str] = field(default=lambda _: "")
    calls: frozenset[str] = frozenset()
    known: Callable[[str], str] = field(default=lambda id_: id_)
    amounts: bool = False
    reports: bool = True


def read(event: Event, sight: Sight) -> Facts:
    """Give what an event tells; nothing for what is of no interest, or is of nobody and nowhere there can be."""
    reader = _READERS.get(type(event)) or _inherited(type(event))
    return reader(event, sight) if reader is not None else ()


def _inherited(kind: type[Event]) -> Callable[[Any, Sight], Facts] | None:
    return next((_READERS[base] for base in kind.__mro__ if base in _READERS), None)


def moment_of(seconds: float, now: datetime) -> datetime:
    """Give a moment; the present for what is none."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else now
    except (OverflowError, OSError, ValueError):
        return now


def base_of(sight: Sight, room: str, at: datetime, *what: object, source: str = "bot") -> dict[str, Any]:
    """Give what every fact has. The id says what it is, so that it is the same however often it is told."""
    return {
        "id": ":".join([NAME, *[str(part)[:LONGEST_ID] for part in what]]),
        "at": at,
        "group_id": group_id(room),
        "source": source,
        "received_at": _late(sight, at),
    }


def _late(sight: Sight, at: datetime) -> datetime | None:
    """Give when it came, if that was late."""
    return sight.now if sight.now - at > LATE else None


# — what is said to an AI bot —


def _message(event: GroupMessageEvent, sight: Sight) -> Facts:
    """Read what somebody said to an AI bot in a group; the mode knows neither roles nor who else is mentioned."""
    room = sight.room(event.chat_id)
    if not (room and event.user_id):
        return ()
    user, at = sight.plain(event.user_id) or "", moment_of(event.moment, sight.now)
    segments = parts(event.message, event.quoted, event.message_id)
    return (
        MessagePosted(
            id=f"{NAME}:{event.event_id[:LONGEST_ID]}",
            at=at,
            group_id=group_id(room),
            received_at=_late(sight, at),
            account=account(user),
            message_id=event.message_id,
            segments=segments,
            text=_alone(segments),
            name=sight.called(user),
            to_bot=True,
        ),
    )


def _whisper(event: PrivateMessageEvent | AppMessageEvent, sight: Sight) -> Facts:
    """Read what was said to a bot or an app alone: a place, or a command, in the group its sender belongs to."""
    user = sight.plain(event.user_id) or ""
    room = sight.home(user)
    if not (user and room):
        return ()
    place = next((segment for segment in event.message if segment.type == "location"), None)
    base = base_of(sight, room, moment_of(event.moment, sight.now), event.event_id)
    if place is not None:
        there = place_at(place.data["latitude"], place.data["longitude"], place.data["label"])
        return shared(base, user, there, event.message_id)
    said = spoken(event.message).split()
    if not said:
        return ()
    quoted = spoken(event.quoted) if event.quoted is not None else ""
    return (
        CommandGiven(
            **base,
            account=account(user),
            name=said[0].lstrip("/／"),
            args=tuple(said[1:]),
            private=True,
            message_id=event.message_id,
            quoted_text=quoted,
        ),
    )


def spoken(message: Message) -> str:
    """Give the words of a message, what was understood of a voice among them."""
    said = (segment.data.get("text") or "" for segment in message if segment.type in {"text", "voice"})
    return "".join(map(str, said)).strip()


def parts(message: Message, quoted: Message | None, message_id: str) -> tuple[Segment, ...]:
    """Give the segments of a message."""
    found: list[Segment] = [] if quoted is None else [Quote(message_id="", text=spoken(quoted))]
    for place, segment in enumerate(message):
        if segment.type == "text":
            found.append(Text(text=str(segment.data["text"])))
        elif (part := _part(segment, f"{message_id}/{place}")) is not None:
            found.append(part)
    return tuple(found)


def _alone(segments: tuple[Segment, ...]) -> str:
    """Give the words of what is nothing but one text, as most is; nothing where they have to be put together."""
    first = segments[0] if len(segments) == 1 else None
    return first.text.strip() if isinstance(first, Text) else ""


def _part(segment: MessageSegment, handle: str) -> Segment | None:
    data = segment.data
    match segment.type:
        case "voice":
            return Text(text=str(data["text"])) if data.get("text") else Voice(media=_media(handle, "voice"))
        case "image":
            return Image(media=_media(handle, "image"))
        case "file" | "video":
            return File(media=_media(handle, segment.type), name=str(data.get("name") or ""))
        case "link":
            return Link(url=str(data["url"]), title=str(data["title"]))
        case _:
            return None


def _media(handle: str, kind: Any) -> Media:
    return Media(id=handle, media_kind=kind)


# — places —


def place_at(latitude: float, longitude: float, label: str) -> Location:
    """Give a place as WeCom tells one: degrees of GCJ-02."""
    return Location(latitude=latitude, longitude=longitude, crs="gcj02", label=label)


def shared(
    base: dict[str, Any], user: str, place: Location, message_id: str = "", *, private: bool = True
) -> Facts:
    """Read a place somebody shared; a place at no degrees was not told."""
    if not (place.latitude or place.longitude) or abs(place.latitude) > 90 or abs(place.longitude) > 180:  # noqa: PLR2004 - the earth
        return ()
    return (
        LocationShared(**base, account=account(user), location=place, message_id=message_id, private=private),
    )


def _reported(event: LocationReported, sight: Sight) -> Facts:
    """Read where somebody is who opened the app."""
    user = sight.plain(event.user_id) or ""
    room = sight.home(user)
    if not (sight.reports and user and room):
        return ()
    base = base_of(sight, room, moment_of(event.moment, sight.now), event.event_id)
    return shared(base, user, place_at(event.latitude, event.longitude, ""))


def _selected(event: LocationSelected, sight: Sight) -> Facts:
    """Read a place chosen from the app's menu."""
    user = sight.plain(event.user_id) or ""
    room = sight.home(user)
    if not (user and room):
        return ()
    base = base_of(sight, room, moment_of(event.moment, sight.now), event.event_id)
    label = " ".join(part for part in (event.place, event.label) if part)
    return shared(base, user, place_at(event.latitude, event.longitude, label))


# — buttons —


def _pressed(event: CardEvent, sight: Sight) -> Facts:
    """Read a button of ours that was pressed: who pressed, and in which group, is WeCom's word."""
    press, user = press_of(event.event_key), sight.plain(event.user_id) or ""
    if press is None or not user:
        return ()
    room = sight.room(event.chat_id or press.room)
    base = base_of(sight, room, moment_of(event.moment, sight.now), "pressed", event.event_id)
    note = " ".join(event.selected.get(REASON, ()))[:LONGEST_ID]
    return (ChoiceMade(**base, account=account(user), subject=press.subject, word=press.word, note=note),)


def press_id(event: CardEvent) -> str:
    """Give the id of the fact a press becomes."""
    return f"{NAME}:pressed:{event.event_id[:LONGEST_ID]}"


# — customer groups —

JOIN_SCENES: Mapping[int, JoinedBy] = MappingProxyType({0: "invite", 1: "invite", 2: "link", 3: "qr"})


def _joined(event: AddMembers, sight: Sight) -> Facts:
    return tuple(
        MemberJoined(
            **_member(event, sight, "joined", user),
            account=account(user),
            name=sight.called(user),
            how=JOIN_SCENES.get(event.scene, "unknown"),
        )
        for user in event.members
    )


def _left(event: DelMembers, sight: Sight) -> Facts:
    return tuple(
        MemberLeft(
            **_member(event, sight, "left", user),
            account=account(user),
            how="removed" if event.scene == 1 else "left",
        )
        for user in event.members
    )


def _member(event: AddMembers | DelMembers, sight: Sight, what: str, user: str) -> dict[str, Any]:
    at = moment_of(event.moment, sight.now)
    return base_of(sight, sight.room(event.chat_id), at, event.chat_id, what, user, int(event.moment))


# — member lists —


def listed_appchat(info: Mapping[str, Any], called: Callable[[str], str]) -> tuple[Listed, ...]:
    """Read the members of a group of the app's: its owner is told, and nobody else's role."""
    owner = word(info.get("owner"))
    users = dict.fromkeys(word(one) for one in rows(info.get("userlist")))
    return tuple(
        _line(user, called(user), Role.OWNER if user == owner else Role.UNKNOWN) for user in users if user
    )


def listed_customer(group: Mapping[str, Any], called: Callable[[str], str]) -> tuple[Listed, ...]:
    """Read the members of a customer group: owner, admins, cards, and since when."""
    owner = word(group.get("owner"))
    admins = {word(table(one).get("userid")) for one in rows(group.get("admin_list"))}
    return tuple(
        _customer(table(one), owner, admins, called)
        for one in rows(group.get("member_list"))
        if word(table(one).get("userid"))
    )


def _customer(line: dict[str, Any], owner: str, admins: set[str], called: Callable[[str], str]) -> Listed:
    user = word(line.get("userid"))
    role = Role.OWNER if user == owner else Role.ADMIN if user in admins else Role.MEMBER
    joined = whole(line.get("join_time"))
    return Listed(
        account=account(user),
        name=word(line.get("name"), 100) or called(user),
        card=word(line.get("group_nickname"), 100),
        role=role,
        joined_at=datetime.fromtimestamp(joined, UTC) if 0 < joined < 1 << 33 else None,
    )


def listed_archive(room: Mapping[str, Any], called: Callable[[str], str]) -> tuple[Listed, ...]:
    """Read the members of a room of the archive, robots left out; it tells no roles."""
    found: list[Listed] = []
    for one in map(table, rows(room.get("members"))):
        user, joined = word(one.get("memberid")), whole(one.get("jointime"))
        if user and not is_robot(user):
            at = datetime.fromtimestamp(joined, UTC) if 0 < joined < 1 << 33 else None
            found.append(Listed(account=account(user), name=called(user), joined_at=at))
    return tuple(found)


def _line(user: str, name: str, role: Role) -> Listed:
    return Listed(account=account(user), name=name, role=role)


_READERS: Mapping[type[Event], Callable[[Any, Sight], Facts]] = MappingProxyType(
    {
        GroupMessageEvent: _message,
        PrivateMessageEvent: _whisper,
        AppMessageEvent: _whisper,
        CardEvent: _pressed,
        LocationReported: _reported,
        LocationSelected: _selected,
        AddMembers: _joined,
        DelMembers: _left,
    }
)
