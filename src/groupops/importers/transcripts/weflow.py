"""Reads the JSON of WeFlow, EchoTrace and CipherTalk, which is one format with three heads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from groupops.events import Location, RedPacket
from groupops.importers.chatlab_rows import (
    BrokenLineError,
    Row,
    id_of,
    is_row,
    object_of,
    objects_of,
    shown,
    text_of,
)
from groupops.importers.transcripts.desk import Desk, fitting
from groupops.importers.transcripts.notices import noticed
from groupops.importers.transcripts.values import KINDS, Kind, Named, Party, Reply, Said, Value
from groupops.importers.transcripts.wechat_codes import SYSTEM, SYSTEM_XML, kind_of, unpacked
from groupops.importers.transcripts.words import words
from groupops.importers.wechat_xml import is_everybody, mentioned

_ROOM: Final = "@chatroom"
_IDS: Final = ("accountId", "wxid", "username")


def read_document(desk: Desk) -> Iterator[Value]:
    """Read an export.

    Raises:
        ImportFailed: it is no JSON.
    """
    senders: dict[str, Row] = {}
    items = desk.document(("messages",), lambda key, value: _head(desk, senders, key, value))
    yield from desk.each(items, lambda number, row: (_value(desk, senders, number, row),), "message")


def _head(desk: Desk, senders: dict[str, Row], key: str, value: object) -> None:
    report = desk.report
    if key == "senders":
        senders |= {str(one.get("senderID")): one for one in objects_of({key: value}, key)}
    if not is_row(value):
        return
    told = value
    if key == "session":
        report.group_id = next((str(told[name]) for name in _IDS if told.get(name)), "")
        report.group_name = str(told.get("nickname") or told.get("displayName") or "")
        report.private = str(told.get("type")) not in words().groups and not report.group_id.endswith(_ROOM)
    elif key in ("weflow", "exportInfo"):
        report.generator = str(told.get("generator") or key)[:200]


def _value(desk: Desk, senders: dict[str, Row], number: int, row: Row) -> Value:
    base: dict[str, Any] = {"row": number, "at": desk.epoch(row.get("createTime"), "createTime")}
    text = fitting(text_of(row, "content"))
    code = row.get("localType", 0)
    if type(code) is not int:
        raise BrokenLineError(f"localType is {shown(code)}, expected a number")
    known = object_of(senders, id_of(row, "senderID")) if row.get("senderID") is not None else {}
    sender = text_of(row, "senderUsername") or text_of(known, "accountId")
    if unpacked(code)[0] in (SYSTEM, SYSTEM_XML) or _of_platform(row, sender):
        return noticed("wechat", text, base)
    kind = _kind(row, code)
    own = row.get("isSend") in (1, True)
    if own:
        desk.report.me = sender
    return Said(
        **base,
        sender=_party(row, known, sender),
        kind=kind,
        text=_own_words(row, text) if kind == "reply" else text,
        message_id=id_of(row, "platformMessageId"),
        mentions=tuple(
            Named(id="" if is_everybody(one) else one, everybody=is_everybody(one))
            for one in mentioned(text_of(row, "source"))
        ),
        reply=_reply(row),
        location=_location(row) if kind == "location" else None,
        red_packet=RedPacket(wish=text) if kind == "red_packet" else None,
        raw_kind=str(code or row.get("type") or ""),
    )


def _of_platform(row: Row, sender: str) -> bool:
    if words().kinds.get(str(row.get("type"))) == "system":
        return True
    return sender.endswith(_ROOM) or (not sender and row.get("isSend") is None)


def _party(row: Row, known: Row, sender: str) -> Party:
    name = text_of(row, "senderDisplayName") or text_of(known, "displayName")
    card = text_of(known, "groupNickname")
    if not sender and not name:
        raise BrokenLineError("senderUsername and senderDisplayName are empty")
    return Party(id=sender, name=name or sender, card=card)


def _kind(row: Row, code: int) -> Kind:
    if code:
        return kind_of(code)
    told: Any = words().kinds.get(text_of(row, "type"), "other")
    kind: Kind = told if told in KINDS else "other"
    return kind


def _own_words(row: Row, text: str) -> str:
    """Leave out the quoted line some versions put in front of a reply's words."""
    quoted = text_of(row, "quotedContent")
    first, _, rest = text.partition("\n")
    return rest if rest and quoted and first.startswith("[") and quoted in first else text


def _reply(row: Row) -> Reply | None:
    message_id, quoted, name = (
        id_of(row, "replyToMessageId"),
        text_of(row, "quotedContent"),
        text_of(row, "quotedSender"),
    )
    if not (message_id or quoted):
        return None
    return Reply(message_id=message_id, sender=f"name:{name}" if name else "", text=quoted)


def _location(row: Row) -> Location | None:
    latitude, longitude = row.get("locationLat"), row.get("locationLng")
    for value, limit in ((latitude, 90), (longitude, 180)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:
            return None
    label = text_of(row, "locationPoiname") or text_of(row, "locationLabel")
    return Location(latitude=latitude, longitude=longitude, crs="gcj02", label=label)  # type: ignore[arg-type]  # looked at above
