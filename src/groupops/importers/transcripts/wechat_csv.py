"""Reads CSV of programs for WeChat: WeChatMsg in two versions, and PyWxDump."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from groupops.events import Location, RedPacket
from groupops.importers.chatlab_rows import BrokenLineError, shown
from groupops.importers.transcripts.desk import Desk, fitting
from groupops.importers.transcripts.notices import noticed
from groupops.importers.transcripts.values import KINDS, Kind, Party, Reply, Said, Value
from groupops.importers.transcripts.wechat_codes import APP, SYSTEM, SYSTEM_XML, TEXT, kind_of
from groupops.importers.transcripts.words import line, words
from groupops.importers.wechat_xml import WeChatXmlError, read_payload

_PLACE_CODE: Final = 48
_ROOM: Final = "@chatroom"
_SYSTEM_WORDS: Final = "system"


def _rows(desk: Desk, width: int, made: Callable[[Desk, int, list[str]], Value]) -> Iterator[Value]:
    for number, cells in desk.source.records(desk.report, width):
        desk.report.rows += 1
        try:
            yield made(desk, number, cells)
        except BrokenLineError as error:
            desk.report.fault(f"line {number}", error)


# — WeChatMsg —


def read_wechatmsg_v1(desk: Desk) -> Iterator[Value]:
    """Read the first version: raw kinds and raw XML; the file does not name its group."""
    return _rows(desk, 12, _of_v1)


def _of_v1(desk: Desk, number: int, cells: list[str]) -> Value:
    _, _, kind, sub, own, created, _, content, _, _, nickname, sender = cells
    code, second = _number(kind, "Type"), _number(sub, "SubType")
    base: dict[str, Any] = {"row": number, "at": desk.epoch(created, "CreateTime")}
    if code in (SYSTEM, SYSTEM_XML):
        return noticed("wechat", fitting(content), base)
    if not sender and own != "1":
        raise BrokenLineError("Sender is empty and IsSender does not say that it is the exporting account")
    me = desk.asked.me
    party = Party(id=sender or me.id, name=nickname or me.name or sender)
    if own == "1":
        desk.report.me = party.key
    if not party.id and not party.name:
        raise BrokenLineError("Sender and NickName are empty")
    neutral = kind_of(code, second)
    if code == TEXT:
        return Said(**base, sender=party, text=fitting(content), raw_kind=kind)
    return _of_xml(base, party, neutral, code, second, content)


def _of_xml(base: dict[str, Any], sender: Party, kind: Kind, code: int, sub: int, content: str) -> Said:
    """Make a message of raw XML; one that cannot be read is still a message of its kind."""
    raw = f"{code}/{sub}" if sub else str(code)
    if code not in (APP, _PLACE_CODE) or "<" not in content:
        return Said(**base, sender=sender, kind=kind, text="", raw_kind=raw)
    try:
        told = read_payload(code, content)
    except WeChatXmlError:
        return Said(**base, sender=sender, kind=kind, doubt="kind", raw_kind=raw)
    quoted = told.quote_id or told.quote_text
    return Said(
        **base,
        sender=sender,
        kind=kind,
        text=fitting(told.text),
        reply=Reply(message_id=told.quote_id, sender=told.quote_sender, text=told.quote_text)
        if quoted
        else None,
        location=told.location,
        red_packet=told.red_packet or (RedPacket() if kind == "red_packet" else None),
        raw_kind=raw,
    )


def read_wechatmsg_v2(desk: Desk) -> Iterator[Value]:
    """Read the second version: names only, local times."""
    return _rows(desk, 8, _of_v2)


def _of_v2(desk: Desk, number: int, cells: list[str]) -> Value:
    message_id, kind, name, time, content, _, nickname, _ = cells
    base: dict[str, Any] = {"row": number, "at": desk.local_text(time)}
    told = words().kinds.get(kind, "other")
    if told == _SYSTEM_WORDS or name in words().system:
        return noticed("wechat", fitting(content), base)
    if not (nickname or name).strip():
        raise BrokenLineError("the names of the sender are empty")
    return _typed(base, Party(name=nickname or name), told, content, message_id, kind)


def _typed(base: dict[str, Any], sender: Party, told: str, content: str, message_id: str, raw: str) -> Said:
    kind: Any = told if told in KINDS else "other"
    return Said(
        **base,
        sender=sender,
        kind=kind,
        text=fitting(content),
        message_id=message_id,
        red_packet=RedPacket(wish=content) if kind == "red_packet" else None,
        raw_kind=raw,
    )


def _number(text: str, where: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 20:  # noqa: PLR2004 - 64 bits
        return int(text)
    raise BrokenLineError(f"{where} is {shown(text)}, expected a number")


# — PyWxDump —


def read_pywxdump(desk: Desk) -> Iterator[Value]:
    """Read CSV with a column for the room, or without."""
    with_room = "room_name" in next((text for _, text in desk.source.lines(desk.report)), "")
    return _rows(desk, 9 if with_room else 8, _of_nine if with_room else _of_eight)


def _of_eight(desk: Desk, number: int, cells: list[str]) -> Value:
    return _of_nine(desk, number, [*cells[:5], "", *cells[5:]])


def _of_nine(desk: Desk, number: int, cells: list[str]) -> Value:
    _, message_id, kind, own, talker, room, content, _, created = cells
    base: dict[str, Any] = {"row": number, "at": desk.local_text(created), "chat": room}
    if room:
        desk.report.talk(room, private=not room.endswith(_ROOM))
    told = words().kinds.get(kind, "other")
    if told == _SYSTEM_WORDS or talker in words().system:
        return noticed("wechat", fitting(content), base)
    me = desk.asked.me
    sender = (
        Party(id=me.id, name=me.name or talker) if talker in words().me else Party(id=talker, name=talker)
    )
    if not talker:
        raise BrokenLineError("talker is empty")
    if own == "1":
        desk.report.me = sender.key
    said = _typed(base, sender, told, content, message_id, kind)
    return said if said.kind != "location" else _placed(said)


def _placed(said: Said) -> Said:
    match = line("pywx_place").search(said.text[:1000])
    if match is None:
        return said
    try:
        latitude, longitude = float(match["lat"]), float(match["lng"])
    except ValueError:
        return said
    if abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004 - degrees
        return said
    return replace(said, location=Location(latitude=latitude, longitude=longitude, crs="gcj02"))
