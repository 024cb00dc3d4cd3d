"""Writes ChatLab JSONL with our `groupops` object: of values of any transcript, and of facts a bot saw."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Final

import msgspec

from groupops.events import (
    Card,
    Event,
    File,
    GroupRenamed,
    Image,
    Link,
    Listed,
    Location,
    LocationShared,
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
from groupops.importers.chatlab_rows import CARDS, LINK, LOCATION, MEDIA, RED_PACKET, REPLY, SYSTEM, TEXT, Row
from groupops.importers.transcript import Identity, Precision
from groupops.importers.transcripts.chatlab_values import TYPES
from groupops.importers.transcripts.values import (
    Joined,
    Left,
    Named,
    Noticed,
    Party,
    Recalled,
    Renamed,
    Report,
    Said,
    Value,
)
from groupops.importers.transcripts.words import words
from groupops.people import AccountId, GroupId, Role, native_of, platform_of

VERSION: Final = "0.0.2"
GENERATOR: Final = "groupops"

_KINDS_OF_CARDS: Final = {word: number for number, word in CARDS.items()}
_KINDS_OF_MEDIA: Final = {word: number for number, word in MEDIA.items()}
_RECALL, _NOTICE = 81, 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names → the one id that goes by it, as far as a file shows; a name of several people stands for nobody."""

    ids: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, report: Report) -> Names:
        """Collect the names of a file that was read to its end."""
        found: dict[str, set[str]] = {}
        for seen in report.senders.values():
            for name in (seen.party.name, seen.party.card, *seen.names):
                found.setdefault(_plain(name), set()).add(seen.party.id)
        for party in report.members.values():
            for name in filter(None, (party.name, party.card)):
                found.setdefault(_plain(name), set()).add(party.id)
        return cls(ids={name: next(iter(ids)) for name, ids in found.items() if name and len(ids) == 1})

    def key(self, party: Party | None) -> str:
        """Give who is meant: the id, or the one that goes by the name; nothing where nobody can tell."""
        if party is None:
            return ""
        return party.id or self.ids.get(_plain(party.card or party.name), "")


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


# — what stands first —


def header(  # noqa: PLR0913 - one value for each key
    group_id: GroupId,
    *,
    name: str,
    exported_at: datetime,
    timezone: str = "",
    precision: Precision = "s",
    identity: Identity = "id",
    has: Iterable[str] = (),
    source: str = "",
    private: bool = False,
) -> Row:
    """Give the header of an interchange file.

    Args:
        group_id: the group.
        name: its name; its id where it has none.
        exported_at: when this is written, aware.
        timezone: zone in which local times were read.
        precision: how finely times are told.
        identity: whether senders are ids.
        has: what it promises to tell, of `joins`, `leaves`, `recalls`, `replies`, `mentions`.
        source: format it was made of.
        private: True for a talk of two.
    """
    native = native_of(group_id)
    meta: Row = {
        "name": name or native.removeprefix("name:"),
        "platform": platform_of(group_id),
        "type": "private" if private else "group",
    }
    if not native.startswith("name:"):
        meta["groupId"] = native
    promised = frozenset(has)
    flags = {flag: flag in promised for flag in ("joins", "leaves", "recalls", "replies", "mentions")}
    more: Row = {"v": 1, "precision": precision, "identity": identity, "has": flags}
    if timezone:
        more["tz"] = timezone
    if source:
        more["source"] = {"format": source}
    stamp = int(exported_at.timestamp())
    chatlab = {"version": VERSION, "exportedAt": stamp, "generator": GENERATOR}
    return {"_type": "header", "chatlab": chatlab, "meta": meta, "groupops": more}


def member(party: Party) -> Row:
    """Give the line of a member."""
    row: Row = {
        "_type": "member",
        "platformId": party.key,
        "accountName": party.name or party.card or party.key,
    }
    if party.card:
        row["groupNickname"] = party.card
    if party.role in (Role.OWNER, Role.ADMIN):
        row["roles"] = [{"id": party.role.value}]
    return row


def listed(line: Listed) -> Row:
    """Give the line of a member of a list."""
    return member(Party(id=native_of(line.account), name=line.name, card=line.card, role=line.role))


def write(file: BinaryIO, rows: Iterable[Row]) -> int:
    """Write rows, one per line; give how many.

    Raises:
        OSError: the file cannot be written.
    """
    count, encode = 0, msgspec.json.Encoder().encode
    for row in rows:
        try:
            file.write(encode(row) + b"\n")
        except UnicodeEncodeError:  # half a character, which only the escapes of JSON can hold
            file.write(json.dumps(row).encode() + b"\n")
        count += 1
    return count


# — values —


def row_of(value: Value, names: Names) -> Row:
    """Give the line of a value."""
    if isinstance(value, Said):
        return _said(value)
    stamp, ms = _stamped(value.at)
    text = getattr(value, "text", "")
    event = _event(value, names)
    return {
        "_type": "message",
        "sender": SYSTEM,
        "accountName": words().system_title,
        "timestamp": stamp,
        "type": _RECALL if isinstance(value, Recalled) else _NOTICE,
        "content": text or None,
        "groupops": {"event": event} | ({"ms": ms} if ms else {}),
    }


def _stamped(at: datetime) -> tuple[int, int]:
    stamp = int(at.timestamp())
    return stamp, at.microsecond // 1000


def _said(value: Said) -> Row:
    stamp, ms = _stamped(value.at)
    sender = value.sender
    row: Row = {
        "_type": "message",
        "sender": sender.key,
        "accountName": sender.name or sender.card or sender.key,
        "timestamp": stamp,
        "type": TYPES[value.kind],
        "content": value.text,
    }
    if sender.card:
        row["groupNickname"] = sender.card
    if value.message_id:
        row["platformMessageId"] = value.message_id
    if value.reply is not None and value.reply.message_id:
        row["replyToMessageId"] = value.reply.message_id
    more = _more(value, ms)
    if more:
        row["groupops"] = more
    return row


def _more(value: Said, ms: int) -> Row:
    more: Row = {}
    if ms:
        more["ms"] = ms
    if value.order:
        more["order"] = value.order
    if value.mentions:
        more["mentions"] = [_mention(one) for one in value.mentions]
    if value.reply is not None and (value.reply.sender or value.reply.text):
        told = {"sender": value.reply.sender, "text": value.reply.text}
        more["reply"] = {key: word for key, word in told.items() if word}
    if value.location is not None:
        more["location"] = _place(value.location)
    if value.red_packet is not None:
        more["red_packet"] = _packet(value.red_packet)
    if value.media:
        more["media"] = [{"name": name} for name in value.media]
    if value.recalled_at is not None:
        more["recalled_at"] = _whole(value.recalled_at)
    if value.doubt == "kind":
        more["confidence"] = "text"
    return more


def _whole(at: datetime) -> int:
    """Give a moment as seconds, or as milliseconds where seconds would not do."""
    stamp, ms = _stamped(at)
    return stamp * 1000 + ms if ms else stamp


def _mention(named: Named) -> Row:
    row: Row = {"name": named.name} if named.name else {}
    if named.everybody:
        row["all"] = True
    elif named.id:
        row["id"] = named.id
    return row


def _place(place: Location) -> Row:
    return {"lat": place.latitude, "lng": place.longitude, "crs": place.crs, "name": place.label}


def _packet(packet: RedPacket) -> Row:
    return {"kind": None, "wish": packet.wish, "count": None, "amount_fen": packet.amount_fen}


def _event(value: Value, names: Names) -> Row:
    actor = names.key(getattr(value, "by", None))
    event: Row = {"actor": actor} if actor else {}
    who: tuple[Party, ...] = getattr(value, "who", ())
    targets = [key for party in who if (key := names.key(party))]
    if who:
        event |= {"targets": targets, "confidence": "id" if len(targets) == len(who) else "name"}
        if len(targets) < len(who):
            event["unknown"] = [party.card or party.name for party in who if not names.key(party)]
    if isinstance(value, Joined):
        event |= {"kind": "member_join", "how": value.how}
        if not targets:
            event.pop("actor", None)  # or else the one who let somebody in would be said to have come
    elif isinstance(value, Left):
        event["kind"] = "member_kick" if value.removed else "member_leave"
        if not targets:
            event.pop("actor", None)
    elif isinstance(value, Renamed):
        event |= {"kind": "rename", "name": value.name}
    elif isinstance(value, Recalled):
        event |= _recalled(value, names)
    elif isinstance(value, Noticed):
        event["kind"] = value.event
    return event


def _recalled(value: Recalled, names: Names) -> Row:
    author = names.key(value.author)
    told: Row = {"kind": "recall"}
    if value.message_id:
        told["message_id"] = value.message_id
    return told | ({"targets": [author]} if author else {})


# — facts —


def row_of_fact(event: Event) -> Row | None:
    """Give the line of a fact; None for facts a transcript does not tell (what the core, the clock or a person said).

    Bytes stay where they are: of a picture or a file only its digest and name are written.
    """
    match event:
        case MessagePosted():
            return _posted(event)
        case LocationShared() if not event.private:
            return _by(
                event, event.account, LOCATION, event.location.label, {"location": _place(event.location)}
            )
        case RedPacketSent():
            packet = event.red_packet
            return _by(event, event.account, RED_PACKET, packet.wish, {"red_packet": _packet(packet)})
        case MessageRecalled():
            told: Row = {
                "kind": "recall",
                "targets": [native_of(event.account)],
                "message_id": event.message_id,
            }
            return _told(event, told, event.operator)
        case MemberJoined():
            told = {"kind": "member_join", "targets": [native_of(event.account)], "how": event.how}
            return _told(event, told | ({"name": event.name} if event.name else {}), event.operator)
        case MemberLeft():
            kind = "member_kick" if event.how == "removed" else "member_leave"
            return _told(event, {"kind": kind, "targets": [native_of(event.account)]}, event.operator)
        case GroupRenamed():
            return _told(event, {"kind": "rename", "name": event.name}, event.operator)
        case RoleChanged() if event.role in (Role.OWNER, Role.ADMIN):
            kind = "owner_change" if event.role is Role.OWNER else "admin_set"
            return _told(event, {"kind": kind, "targets": [native_of(event.account)]}, None)
        case _:
            return None


def _told(event: Event, told: Row, operator: AccountId | None) -> Row:
    stamp, ms = _stamped(event.at)
    if operator:
        told["actor"] = native_of(operator)
    return {
        "_type": "message",
        "sender": SYSTEM,
        "accountName": words().system_title,
        "timestamp": stamp,
        "type": _RECALL if told["kind"] == "recall" else _NOTICE,
        "content": None,
        "groupops": {"event": told} | ({"ms": ms} if ms else {}),
    }


def _by(event: Event, account: AccountId, kind: int, content: str, more: Row) -> Row:
    stamp, ms = _stamped(event.at)
    native = native_of(account) or "name:"
    row: Row = {
        "_type": "message",
        "sender": native,
        "accountName": getattr(event, "name", "") or native,
        "timestamp": stamp,
        "type": kind,
        "content": content,
    }
    if card := getattr(event, "card", ""):
        row["groupNickname"] = card
    if message_id := getattr(event, "message_id", ""):
        row["platformMessageId"] = message_id
    more = more | ({"ms": ms} if ms else {})
    return row | ({"groupops": more} if more else {})


def _posted(event: MessagePosted) -> Row:
    kind, content, more = TEXT, event.text, dict[str, Any]()
    quote = next((part for part in event.segments if isinstance(part, Quote)), None)
    rest = [part for part in event.segments if not isinstance(part, Quote | Mention)]
    mentions = [part for part in event.segments if isinstance(part, Mention)]
    if rest and not any(isinstance(part, Text) for part in rest):
        kind, content = _kind_of(rest[0])
    elif quote is not None:
        kind = REPLY
    if mentions:
        more["mentions"] = [
            _mention(Named(id=native_of(one.account or ""), name=one.name, everybody=one.account is None))
            for one in mentions
        ]
    media = [_medium(part) for part in rest if isinstance(part, Image | Voice | File)]
    if media:
        more["media"] = media
    row = _by(event, event.account, kind, content, more | _quoted(quote))
    if quote is not None and quote.message_id:
        row["replyToMessageId"] = quote.message_id
    return row


def _quoted(quote: Quote | None) -> Row:
    if quote is None:
        return {}
    told = {"sender": native_of(quote.account or ""), "text": quote.text}
    found = {key: word for key, word in told.items() if word}
    return {"reply": found} if found else {}


def _kind_of(part: Segment) -> tuple[int, str]:
    if isinstance(part, Image | Voice | File):
        return _KINDS_OF_MEDIA[part.media.media_kind], part.name if isinstance(part, File) else ""
    if isinstance(part, Link):
        return LINK, f"{part.title} {part.url}".strip()
    if isinstance(part, Card):
        return _KINDS_OF_CARDS.get(part.card_kind, 99), part.text or part.title
    return 99, ""


def _medium(part: Image | Voice | File) -> Row:
    media = part.media
    row: Row = {"kind": media.media_kind, "name": part.name if isinstance(part, File) else ""}
    return row | ({"sha256": media.sha256} if media.sha256 else {})
