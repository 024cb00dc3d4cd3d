"""What the message archive holds (会话内容存档): each kind of message as a value, and where messages come from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, cast

from groupops_wecom.lenient import number, table, tables, text, whole, word, words

DEEPEST = 4
"""How deep forwarded records are looked into: a record may hold records."""

MOST_ITEMS = 500
"""Items of a forwarded record, a mixed message or a note that are looked at."""


class Action(StrEnum):
    """What was done."""

    SEND = "send"
    RECALL = "recall"
    SWITCH = "switch"
    OTHER = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Words."""

    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Markdown:
    """Words of a robot, in Markdown."""

    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """A message was taken back: by its sender, or by an administrator."""

    pre_msgid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """An external person agrees to being archived; `agree_time` in milliseconds."""

    userid: str
    agree_time: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreed:
    """An external person does not agree to being archived; `disagree_time` in milliseconds."""

    userid: str
    disagree_time: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture; `filesize` in bytes."""

    md5sum: str
    filesize: int | None
    sdkfileid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A voice message; `voice_size` in bytes, `play_length` in seconds."""

    md5sum: str
    voice_size: int | None
    play_length: int | None
    sdkfileid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A video; `filesize` in bytes, `play_length` in seconds."""

    md5sum: str
    filesize: int | None
    play_length: int | None
    sdkfileid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file; `filesize` in bytes."""

    md5sum: str
    filename: str
    fileext: str
    filesize: int | None
    sdkfileid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Emotion:
    """A sticker; `type` 1 moves, 2 does not; `imagesize` in bytes."""

    type: int | None
    width: int | None
    height: int | None
    imagesize: int | None
    md5sum: str
    sdkfileid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Somebody's business card."""

    corpname: str
    userid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place; degrees, None where it holds none."""

    longitude: float | None
    latitude: float | None
    address: str
    title: str
    zoom: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link with a picture."""

    title: str
    description: str
    link_url: str
    image_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeApp:
    """A mini-program."""

    title: str
    description: str
    username: str
    displayname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One of the messages within a forwarded record, a mixed message or a note.

    Args:
        type: its kind, as the platform names it there.
        content: what it says.
        msgtime: seconds since the epoch; None where it is not told.
        from_chatroom: whether it was said in a group.
    """

    type: str
    content: Content
    msgtime: int | None = None
    from_chatroom: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRecord:
    """Messages forwarded together."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """Words and pictures in one message."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note that was shared."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """A to-do."""

    title: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A vote; `votetype` 101 announces it, 102 votes."""

    votetitle: str
    voteitem: tuple[str, ...]
    votetype: int | None
    voteid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One field of a form."""

    id: int | None
    ques: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect:
    """A form to fill in; `create_time` as the platform writes it."""

    room_name: str
    creator: str
    create_time: str
    title: str
    details: tuple[Question, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedPacket:
    """A red packet; who takes how much is not told.

    Args:
        type: 1 equal shares, 2 by luck, 3 as an incentive; None when it is not told.
        wish: its words.
        totalcnt: how many shares.
        totalamount: fen, as far as is known.
        external: whether it went between enterprises.
    """

    type: int | None
    wish: str
    totalcnt: int | None
    totalamount: int | None
    external: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """An invitation to a meeting; times in seconds since the epoch."""

    topic: str
    starttime: int | None
    endtime: int | None
    address: str
    remarks: str
    meetingid: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingNotification:
    """Word of a meeting."""

    meeting_id: int | None
    notification_type: int | None
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An online document."""

    title: str
    doc_creator: str
    link_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One of the articles of a news message."""

    title: str
    description: str
    url: str
    picurl: str


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Articles, sent by a robot or an app."""

    item: tuple[Article, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """An appointment; times in seconds since the epoch."""

    title: str
    creatorname: str
    attendeename: tuple[str, ...]
    starttime: int | None
    endtime: int | None
    place: str
    remarks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A voice or video conference that was archived; `endtime` in seconds since the epoch."""

    endtime: int | None
    sdkfileid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDocument:
    """A document shown in a conference; `filesize` in bytes."""

    filename: str
    md5sum: str
    filesize: int | None
    sdkfileid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPost:
    """A post of a video channel (视频号)."""

    feed_type: int | None
    sph_name: str
    feed_desc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSummary:
    """That there was a call; `callduration` in seconds."""

    callduration: int | None
    invitetype: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFile:
    """A file of the enterprise's disk (微盘)."""

    filename: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Solitaire:
    """A list that members add themselves to (接龙)."""

    solitaire_type: int | None
    solitaire_content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """A member switched to another enterprise."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfNoInterest:
    """What is not read.

    Args:
        msgtype: its kind, as far as it says one.
        why: why not.
    """

    msgtype: str
    why: str


Content: TypeAlias = (
    Text
    | Markdown
    | Revoked
    | Agreed
    | Disagreed
    | Image
    | Voice
    | Video
    | File
    | Emotion
    | Card
    | Location
    | Link
    | WeApp
    | ChatRecord
    | Mixed
    | Note
    | Todo
    | Vote
    | Collect
    | RedPacket
    | Meeting
    | MeetingNotification
    | Document
    | News
    | Calendar
    | Call
    | CallDocument
    | ChannelPost
    | CallSummary
    | DiskFile
    | Solitaire
    | Switched
    | OfNoInterest
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """A message of the archive.

    Args:
        seq: where it stands; `Provider.read` goes on after it.
        msgid: the platform's id; the same message has always the same one.
        action: what was done.
        sender: who: a member's user id, `wm…`/`wo…` for an external person, `wb…` for a robot.
        to: who it was for.
        room: the group; empty between two.
        at: milliseconds since the epoch; 0 where the platform does not tell.
        content: what it says.
    """

    seq: int
    msgid: str
    action: Action
    sender: str
    to: tuple[str, ...]
    room: str
    at: int
    content: Content


class Provider(Protocol):
    """Where archived messages come from."""

    def read(self, after: int) -> AsyncIterator[Archived]:
        """Give what stands behind a place, oldest first, and come to an end when there is no more for now.

        Args:
            after: `seq` of the last message that is taken care of; 0 for none. What stands up to there may be
                forgotten; what stands behind it is given again.
        """
        ...


_ACTIONS: Mapping[str, Action] = MappingProxyType({action.value: action for action in Action})

_CLASSES: Mapping[str, type[Any]] = MappingProxyType(
    {
        "text": Text,
        "markdown": Markdown,
        "revoke": Revoked,
        "agree": Agreed,
        "disagree": Disagreed,
        "image": Image,
        "voice": Voice,
        "video": Video,
        "file": File,
        "emotion": Emotion,
        "card": Card,
        "location": Location,
        "link": Link,
        "weapp": WeApp,
        "todo": Todo,
        "vote": Vote,
        "collect": Collect,
        "redpacket": RedPacket,
        "external_redpacket": RedPacket,
        "meeting": Meeting,
        "meeting_notification": MeetingNotification,
        "docmsg": Document,
        "news": News,
        "calendar": Calendar,
        "meeting_voice_call": Call,
        "voip_doc_share": CallDocument,
        "sphfeed": ChannelPost,
        "voiptext": CallSummary,
        "qydiskfile": DiskFile,
        "solitaire": Solitaire,
    }
)
_BODIES: Mapping[str, str] = MappingProxyType(
    {
        "external_redpacket": "redpacket",
        "docmsg": "doc",
        **dict.fromkeys(
            ("markdown", "news", "meeting_notification", "voiptext", "qydiskfile", "solitaire", "note"),
            "info",
        ),
    }
)
"""Under which key the body stands where that is not the name of the kind."""

_RECORD_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "ChatRecordText": "text",
        "ChatRecordFile": "file",
        "ChatRecordImage": "image",
        "ChatRecordVideo": "video",
        "ChatRecordLink": "link",
        "ChatRecordLocation": "location",
        "ChatRecordMixed": "mixed",
    }
)


def read_message(raw: Any, seq: int) -> Archived:
    """Read a decrypted message; nothing that stands in it raises, what is not known is of no interest.

    Args:
        raw: the message as JSON has it.
        seq: where it stands.
    """
    found = table(raw)
    if found.get("action") == "switch":
        user = word(found.get("user"))
        return _archived(found, seq, Switched(user=user), sender=user, at=whole(found.get("time")))
    kind = word(found.get("msgtype"))
    content = content_of(kind, found.get(_BODIES.get(kind, kind)))
    if not word(found.get("msgid")):
        content = OfNoInterest(msgtype=kind, why="it has no msgid")
    return _archived(found, seq, content, sender=word(found.get("from")), at=whole(found.get("msgtime")))


def unreadable(seq: int, why: str) -> Archived:
    """Give what stands for a line or a record that is no message."""
    return _archived({}, seq, OfNoInterest(msgtype="", why=why), sender="", at=None)


def _archived(
    found: Mapping[str, Any], seq: int, content: Content, *, sender: str, at: int | None
) -> Archived:
    return Archived(
        seq=seq,
        msgid=word(found.get("msgid")),
        action=_ACTIONS.get(word(found.get("action")), Action.OTHER),
        sender=sender,
        to=words(found.get("tolist")),
        room=word(found.get("roomid")),
        at=at or 0,
        content=content,
    )


def content_of(kind: str, body: Any, depth: int = 0) -> Content:
    """Read what a message says.

    Args:
        kind: its `msgtype`.
        body: the table that stands beside it.
        depth: how many messages it stands within.
    """
    if depth > DEEPEST:
        return OfNoInterest(msgtype=kind, why=f"it stands deeper than {DEEPEST} messages within others")
    if not isinstance(body, dict):
        return OfNoInterest(msgtype=kind, why="it has no body")
    within = table(body)
    match kind:
        case "chatrecord":
            return ChatRecord(title=text(within.get("title")), items=_items(within.get("item"), depth))
        case "mixed":
            return Mixed(items=_items(within.get("item"), depth))
        case "note":
            return Note(items=_items(within.get("items") or within.get("item"), depth))
        case "external_redpacket":
            packet: RedPacket = _filled(RedPacket, within)
            return dataclasses.replace(packet, external=True)
        case "location":
            return _placed(_filled(Location, within))
        case _ if kind in _CLASSES:
            filled: Content = _filled(_CLASSES[kind], within)
            return filled
        case _:
            return OfNoInterest(msgtype=kind, why="this kind of message is not known")


def _items(value: Any, depth: int) -> tuple[Item, ...]:
    return tuple(_item(row, depth + 1) for row in tables(value)[:MOST_ITEMS])


def _item(row: dict[str, Any], depth: int) -> Item:
    type_ = word(row.get("type")) or word(row.get("msg_type"))
    kind = _RECORD_TYPES.get(type_, type_)
    return Item(
        type=type_,
        content=content_of(kind, _within(row.get("content")), depth),
        msgtime=whole(row.get("msgtime")),
        from_chatroom=row.get("from_chatroom") is True,
    )


def _within(value: Any) -> Any:
    """Give the table that the platform writes as JSON within JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, strict=False)
    except (ValueError, RecursionError):
        return None


_Maker: TypeAlias = Callable[[Any], Any]

_MAKERS: Mapping[str, _Maker] = MappingProxyType(
    {
        "str": text,
        "int | None": whole,
        "float | None": number,
        "tuple[str, ...]": words,
        "tuple[Question, ...]": lambda value: _all(Question, value),
        "tuple[Article, ...]": lambda value: _all(Article, value),
    }
)


@cache
def _fields(made: type[Any]) -> tuple[tuple[str, _Maker], ...]:
    """Give the fields of a value that are read, and how; a field with a default is not read but set."""
    return tuple(
        (one.name, _MAKERS[str(one.type)])
        for one in dataclasses.fields(made)
        if one.default is dataclasses.MISSING
    )


def _filled(made: type[Any], body: Mapping[str, Any]) -> Any:
    return made(**{name: maker(body.get(name)) for name, maker in _fields(cast("Hashable", made))})


def _all(made: type[Any], value: Any) -> tuple[Any, ...]:
    return tuple(_filled(made, row) for row in tables(value)[:MOST_ITEMS])


def _placed(place: Location) -> Location:
    """Give a place without degrees there are not."""
    good = (
        place.longitude is not None
        and place.latitude is not None
        and abs(place.longitude) <= 180  # noqa: PLR2004 - degrees
        and abs(place.latitude) <= 90  # noqa: PLR2004 - degrees
    )
    return place if good else dataclasses.replace(place, longitude=None, latitude=None)
