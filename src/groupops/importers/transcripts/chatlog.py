"""Reads chatlog: JSON, the body of its webhook, CSV and TXT; ids of accounts, but none of messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from groupops.errors import ImportFailed
from groupops.events import Location, RedPacket
from groupops.importers.chatlab_rows import BrokenLineError, Row, object_of, required, shown, text_of
from groupops.importers.transcripts.desk import Desk, fitting, hinted
from groupops.importers.transcripts.notices import noticed
from groupops.importers.transcripts.values import Kind, Party, Reply, Said, Value
from groupops.importers.transcripts.wechat_codes import SYSTEM, kind_of
from groupops.importers.transcripts.wechat_text import Headed
from groupops.importers.transcripts.words import line, words

_PLACE = re.compile(r"-?\d{1,3}(?:\.\d+)?")


def read_json(desk: Desk) -> Iterator[Value]:
    """Read the list, or the body of a webhook; null is a talk without messages.

    Raises:
        ImportFailed: it is no JSON.
    """
    path = ("messages",) if desk.report.format.id == "chatlog-webhook" else ()
    if not path and desk.source.path.stat().st_size < len(_EMPTY) * 4 and _is_null(desk):
        return
    told: dict[str, Any] = {}

    def head(key: str, value: Any) -> None:
        told[key] = value

    yield from desk.each(desk.document(path, head), lambda number, row: _values(desk, number, row), "message")


_EMPTY = "null"


def _is_null(desk: Desk) -> bool:
    return "".join(text for _, text in desk.source.lines(desk.report)).strip() == _EMPTY


def _values(desk: Desk, number: int, row: Row) -> Iterator[Value]:
    chat = required(row, "talker")
    group = row.get("isChatRoom") is True or chat.endswith("@chatroom")
    desk.report.talk(chat, text_of(row, "talkerName"), private=not group)
    code, sub = _code(row, "type"), _code(row, "subType")
    base: dict[str, Any] = {"row": number, "at": desk.iso(row.get("time"), "time"), "chat": chat}
    text = fitting(text_of(row, "content"))
    sender = text_of(row, "sender")
    if code == SYSTEM or sender in words().system:
        yield noticed("wechat", text, base, ids=True)
        return
    own = row.get("isSelf") is True
    party = _sender(desk, sender, text_of(row, "senderName"), own=own)
    more = object_of(row, "contents")
    kind = kind_of(code, sub)
    yield Said(
        **base,
        sender=party,
        kind=kind,
        text=text,
        reply=_reply(more) if kind == "reply" else None,
        media=_media(more),
        location=_location(more) if kind == "location" else None,
        red_packet=RedPacket(wish=text) if kind == "red_packet" else None,
        order=_order(row),
        raw_kind=f"{code}/{sub}" if sub else str(code),
    )


def _sender(desk: Desk, id_: str, name: str, *, own: bool) -> Party:
    """Give who spoke; the exporting account may be written without an id."""
    if id_:
        if own:
            desk.report.me = id_
        return Party(id=id_, name=name or id_)
    me = desk.asked.me
    if own and (me.id or me.name or name):
        return Party(id=me.id, name=name or me.name)
    raise BrokenLineError("sender is empty and isSelf does not say that it is the exporting account")


def _code(row: Row, key: str) -> int:
    value = row.get(key, 0)
    if type(value) is not int:
        raise BrokenLineError(f"{key} is {shown(value)}, expected a number")
    return value


def _order(row: Row) -> int:
    seq = row.get("seq")
    return seq % 1000 if type(seq) is int else 0


def _reply(more: Row) -> Reply | None:
    refer = object_of(more, "refer")
    if not refer:
        return None
    sender = text_of(refer, "sender") or f"name:{text_of(refer, 'senderName')}"
    return Reply(sender=sender, text=text_of(refer, "content"))


def _media(more: Row) -> tuple[str, ...]:
    names = (more.get(key) for key in ("title", "path"))
    return tuple(name for name in names if isinstance(name, str) and name)[:1]


def _location(more: Row) -> Location | None:
    """Give the place; x is the latitude, as WeChat has it."""
    latitude, longitude = text_of(more, "x"), text_of(more, "y")
    if not (_PLACE.fullmatch(latitude) and _PLACE.fullmatch(longitude)):
        return None
    if abs(float(latitude)) > 90 or abs(float(longitude)) > 180:  # noqa: PLR2004 - degrees
        return None
    return Location(
        latitude=float(latitude), longitude=float(longitude), crs="gcj02", label=text_of(more, "label")
    )


# — CSV —


def read_csv(desk: Desk) -> Iterator[Value]:
    """Read CSV: no types, so what a message is has to be read off its words."""
    for number, cells in desk.source.records(desk.report, 6):
        desk.report.rows += 1
        try:
            yield _of_cells(desk, number, cells)
        except BrokenLineError as error:
            desk.report.fault(f"line {number}", error)


def _of_cells(desk: Desk, number: int, cells: list[str]) -> Value:
    time, name, sender, talk, chat, content = cells
    if not chat or not sender:
        raise BrokenLineError("the cell Talker or Sender is empty")
    desk.report.talk(chat, talk, private=not chat.endswith("@chatroom"))
    base = {"row": number, "at": desk.local_text(time), "chat": chat}
    if sender in words().system:
        return noticed("wechat", fitting(content), base, ids=True)
    return _worded(base, Party(id=sender, name=name or sender), content)


def _worded(base: Mapping[str, Any], sender: Party, content: str) -> Said:
    """Make a message of words that may begin with a quoted message."""
    reply, text = _quoted(fitting(content))
    kind: Kind
    if reply is not None:
        return Said(**base, sender=sender, kind="reply", text=text, reply=reply, doubt="kind")
    kind, media, doubt = hinted(text)
    return Said(
        **base,
        sender=sender,
        kind=kind,
        text=text,
        media=media,
        doubt=doubt,
        red_packet=RedPacket(wish=text) if kind == "red_packet" else None,
    )


def _quoted(content: str) -> tuple[Reply | None, str]:
    first, _, rest = content.partition("\n")
    match = line("chatlog_quote").match(first) if first.startswith(">") and len(first) < MAX_HEAD else None
    if match is None:
        return None, content
    lines = rest.split("\n")
    count = next((number for number, one in enumerate(lines) if not one.startswith(">")), len(lines))
    quoted = "\n".join(one[1:].removeprefix(" ") for one in lines[:count])
    return Reply(sender=match["id"], text=quoted), "\n".join(lines[count:])


# — TXT —

MAX_HEAD = 300
"""Characters of the longest line that may begin a message."""


def read_txt(desk: Desk) -> Iterator[Value]:
    """Read TXT; days or years that are left out are taken from the day the operator names.

    Raises:
        ImportFailed: times lack the day or the year, and no day was named.
    """

    def made(row: int, match: Any, body: str) -> Value:
        base = {"row": row, "at": _moment(desk, match), "chat": ""}
        if match["sys"]:
            return noticed("wechat", fitting(body), base, ids=True)
        me = desk.asked.me
        if match["me"] or match["id"] in words().me:
            own = Party(id=me.id, name=match["n"] or me.name or match["me"] or match["id"])
            desk.report.me = own.key
            return _worded(base, own, body)
        return _worded(base, Party(id=match["id"], name=match["n"]), body)

    return Headed(desk).read("chatlog_head", MAX_HEAD, made)


def _moment(desk: Desk, match: re.Match[str]) -> Any:
    day: date | None = desk.asked.day
    if day is None and not match["y"]:
        raise ImportFailed(
            desk.source.path.name,
            ["its times have no year or no day; say of which day it is (its last one), e.g. 2026-01-01"],
        )
    year = int(match["y"]) if match["y"] else day.year if day else 0
    month = int(match["mo"]) if match["mo"] else day.month if day else 0
    number = int(match["d"]) if match["d"] else day.day if day else 0
    return desk.local(year, month, number, *map(int, match["t"].split(":")))
