"""Reads the decrypted messages of WeCom's archive, one object per line or in a list; ids only, no names, no joins."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from groupops.events import Location, RedPacket
from groupops.importers.chatlab_rows import (
    BrokenLineError,
    Row,
    id_of,
    is_row,
    object_of,
    objects_of,
    required,
    shown,
    text_of,
)
from groupops.importers.transcripts.desk import Desk, fitting
from groupops.importers.transcripts.source import CHUNK, opened
from groupops.importers.transcripts.values import Kind, Party, Recalled, Reply, Said, Value
from groupops.importers.transcripts.words import line

REMEMBERED = 100_000
"""Messages whose room is remembered for recalls, which do not always name one."""

_KINDS: Final[dict[str, Kind]] = {
    "text": "text",
    "markdown": "text",
    "image": "image",
    "voice": "voice",
    "video": "video",
    "file": "file",
    "emotion": "emoji",
    "link": "link",
    "news": "link",
    "location": "location",
    "redpacket": "red_packet",
    "external_redpacket": "red_packet",
    "card": "contact",
    "weapp": "share",
    "sphfeed": "share",
    "chatrecord": "forward",
    "meeting_voice_call": "call",
    "voip_doc_share": "file",
}
_BODIES: Final = {"external_redpacket": "redpacket", "docmsg": "doc", "markdown": "info", "news": "info"}
_TITLES: Final = ("title", "filename", "link_url", "displayname", "userid", "topic", "sph_name", "wish")


@dataclass(slots=True)
class _Rooms:
    """Where messages were said, as far back as recalls reach."""

    of: OrderedDict[str, tuple[str, str]] = field(default_factory=OrderedDict[str, tuple[str, str]])

    def note(self, message_id: str, room: str, sender: str) -> None:
        """Remember a message."""
        self.of[message_id] = (room, sender)
        if len(self.of) > REMEMBERED:
            self.of.popitem(last=False)


def read_archive(desk: Desk) -> Iterator[Value]:
    """Read an archive.

    Raises:
        ImportFailed: it is a list that is no JSON.
    """
    rooms = _Rooms()
    rows, unit = (desk.document((), _nothing), "message") if _is_list(desk) else (_lines(desk), "line")
    yield from desk.each(rows, lambda number, row: _values(desk, rooms, number, row), unit)


def _nothing(key: str, value: Any) -> None:
    """A list has no keys around it."""


def _is_list(desk: Desk) -> bool:
    with opened(desk.source.path) as file:
        return (
            file.read(CHUNK).decode(desk.source.encoding, "replace").lstrip("\ufeff \r\n\t").startswith("[")
        )


def _lines(desk: Desk) -> Iterator[tuple[int, Any]]:
    for number, text in desk.source.lines(desk.report):
        if not text.strip():
            continue
        try:
            yield number, json.loads(text)
        except (ValueError, RecursionError) as error:
            desk.report.rows += 1
            desk.report.fault(f"line {number}", f"is not JSON: {error}")


def _values(desk: Desk, rooms: _Rooms, number: int, row: Row) -> Iterator[Value]:
    message_id, action = required(row, "msgid"), required(row, "action")
    if action == "switch":
        desk.report.drop("switch")
        return
    if action not in ("send", "recall"):
        raise BrokenLineError(f"action is {shown(action)}, expected send, recall or switch")
    sender = required(row, "from")
    room, kind = text_of(row, "roomid"), text_of(row, "msgtype")
    body = object_of(row, _BODIES.get(kind, kind))
    at = desk.epoch(row.get("msgtime"), "msgtime")
    base: dict[str, Any] = {"row": number, "at": at, "precision": "ms"}
    if kind == "revoke" or action == "recall":
        yield _recalled(desk, rooms, base, body, Party(id=sender), room)
        return
    rooms.note(message_id, room, sender)
    desk.report.talk(room, private=not room)
    yield _said(base | {"chat": room}, message_id, Party(id=sender), kind, body)


def _recalled(desk: Desk, rooms: _Rooms, base: dict[str, Any], body: Row, by: Party, room: str) -> Recalled:
    message_id = id_of(body, "pre_msgid")
    known, author = rooms.of.get(message_id, ("", ""))
    chat = room or known
    desk.report.talk(chat, private=not chat)
    return Recalled(
        **base, chat=chat, message_id=message_id, by=by, author=Party(id=author) if author else by
    )


def _said(base: dict[str, Any], message_id: str, sender: Party, kind: str, body: Row) -> Said:
    neutral = _KINDS.get(kind, "other")
    text = fitting(_words(kind, body))
    reply: Reply | None = None
    if kind == "text" and (match := line("wecom_reply").match(text)):
        reply, text = Reply(text=match["quoted"].strip('"\n')), match["reply"]
    return Said(
        **base,
        message_id=message_id,
        sender=sender,
        kind="reply" if reply else "text" if _mixed(kind, body) else neutral,
        text=text,
        reply=reply,
        media=tuple(filter(None, (text_of(body, "filename"),))),
        location=_location(body) if neutral == "location" else None,
        red_packet=_packet(body) if neutral == "red_packet" else None,
        raw_kind=kind,
    )


def _mixed(kind: str, body: Row) -> bool:
    return kind == "mixed" and any(one.get("type") == "text" for one in objects_of(body, "item"))


def _words(kind: str, body: Row) -> str:
    if kind in ("text", "markdown"):
        return text_of(body, "content")
    if kind == "mixed":
        return "".join(_item_words(one) for one in objects_of(body, "item"))
    if kind == "news":
        return "\n".join(text_of(one, "title").strip() for one in objects_of(body, "item"))
    if kind == "location":
        return text_of(body, "title") or text_of(body, "address")
    return next((text_of(body, key) for key in _TITLES if body.get(key)), "")


def _item_words(item: Row) -> str:
    """Give the words of a part of a mixed message; its content is JSON in a text."""
    if item.get("type") != "text":
        return ""
    try:
        inner = json.loads(text_of(item, "content") or "{}")
    except (ValueError, RecursionError) as error:
        raise BrokenLineError(f"mixed.item.content is not JSON: {error}") from error
    return text_of(inner, "content") if is_row(inner) else ""


def _location(body: Row) -> Location | None:
    latitude, longitude = body.get("latitude"), body.get("longitude")
    for value, limit in ((latitude, 90), (longitude, 180)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:
            raise BrokenLineError(f"location is {shown((latitude, longitude))}, expected degrees")
    assert isinstance(latitude, int | float)  # noqa: S101 - looked at above
    assert isinstance(longitude, int | float)  # noqa: S101 - looked at above
    label = text_of(body, "title") or text_of(body, "address")
    return Location(latitude=latitude, longitude=longitude, crs="gcj02", label=label)


def _packet(body: Row) -> RedPacket:
    amount = body.get("totalamount")
    fen = amount if type(amount) is int and amount >= 0 else None
    return RedPacket(wish=text_of(body, "wish"), amount_fen=fen)
