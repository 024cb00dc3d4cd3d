"""Reads QQ Chat Exporter: one document, or a folder of pieces; by the shape of a message, never by a version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, Final

from groupops.errors import ImportFailed
from groupops.events import RedPacket
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
from groupops.importers.transcripts.json_stream import BrokenJsonError, JsonStream
from groupops.importers.transcripts.notices import noticed
from groupops.importers.transcripts.source import Source, encoding_of, opened
from groupops.importers.transcripts.values import Kind, Named, Party, Reply, Said, Value
from groupops.importers.transcripts.words import line

MAX_PLACE = 200
"""Characters of the longest place of a piece."""
MAX_PIECES = 10_000
"""Pieces of the largest export in pieces."""

_KINDS: Final[dict[str, Kind]] = {
    "text": "text",
    "type_1": "text",
    "type_2": "text",
    "file": "file",
    "video": "video",
    "audio": "voice",
    "reply": "reply",
    "forward": "forward",
    "json": "share",
}
_OF_NUMBERS: Final[dict[int, Kind]] = {
    2: "text",
    3: "file",
    6: "voice",
    7: "video",
    8: "forward",
    9: "reply",
    11: "share",
}
_GREY = 5
_ELEMENTS: Final[dict[str, Kind]] = {
    "image": "image",
    "file": "file",
    "video": "video",
    "audio": "voice",
    "face": "emoji",
    "market_face": "emoji",
    "forward": "forward",
    "json": "share",
    "location": "location",
}
_NOBODY: Final = frozenset({"", "0"})
_EVERYBODY: Final = (1, "1")


def read_document(desk: Desk) -> Iterator[Value]:
    """Read an export in one document.

    Raises:
        ImportFailed: it is no JSON.
    """
    items = desk.document(("messages",), lambda key, value: _head(desk, key, value))
    yield from desk.each(items, lambda number, row: (_value(desk, number, row),), "message")


def read_pieces(desk: Desk) -> Iterator[Value]:
    """Read an export in pieces, by its manifest.

    Raises:
        ImportFailed: the manifest is broken, or names a piece outside its folder.
    """
    folder, pieces = desk.source.path.parent, _pieces(desk)
    for place, count in pieces:
        path = _within(folder, place, desk.source.path.name)
        if not path.is_file():
            desk.report.fault(place, "the piece is not there")
            continue
        before = desk.report.rows
        source = Source(path=path, encoding=encoding_of(path))
        yield from desk.each(
            _lines(desk, source), lambda number, row: (_value(desk, number, row),), f"{place} line"
        )
        found = desk.report.rows - before
        if count is not None and found != count:
            desk.report.fault(place, f"has {found} messages, the manifest says {count}")


def _lines(desk: Desk, source: Source) -> Iterator[tuple[int, Any]]:
    for number, text in source.lines(desk.report):
        if not text.strip():
            continue
        try:
            yield number, json.loads(text)
        except (ValueError, RecursionError) as error:
            desk.report.rows += 1
            desk.report.fault(f"{source.path.name} line {number}", f"is not JSON: {error}")


def _pieces(desk: Desk) -> list[tuple[str, int | None]]:
    name = desk.source.path.name
    told: Row = {}
    with opened(desk.source.path) as file:
        stream = JsonStream(file, desk.source.encoding)
        try:
            for key in stream.pairs():
                if key in ("chatInfo", "metadata", "chunked"):
                    told[key] = stream.value()
                    _head(desk, key, told[key])
                else:
                    stream.skip()
        except BrokenJsonError as error:
            raise ImportFailed(name, [f"{error.where}: {error}"]) from error
    try:
        chunked = object_of(told, "chunked")
        listed = objects_of(chunked, "chunks", "chunked.")
        return [_piece(chunked, one) for one in listed[:MAX_PIECES]]
    except BrokenLineError as error:
        raise ImportFailed(name, [str(error)]) from error


def _piece(chunked: Row, one: Row) -> tuple[str, int | None]:
    """Give the place of a piece and how many messages it is said to have; versions name both differently."""
    place = text_of(one, "relativePath") or text_of(one, "file")
    if not place:
        place = f"{text_of(chunked, 'chunksDir') or 'chunks'}/{required(one, 'fileName')}"
    count = one.get("count", one.get("messages"))
    return place, count if type(count) is int else None


def _within(folder: Path, place: str, name: str) -> Path:
    """Give the path of a piece, which must lie in the folder: a manifest comes from somebody else's machine."""
    pure = PurePosixPath(place.replace("\\", "/"))
    strange = not place.isprintable() or ":" in place or len(place) > MAX_PLACE
    if strange or pure.is_absolute() or ".." in pure.parts:
        raise ImportFailed(name, [f"the piece {shown(place)} lies outside the folder of the export"])
    path = (folder / pure).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ImportFailed(name, [f"the piece {shown(place)} lies outside the folder of the export"])
    return path


def _head(desk: Desk, key: str, value: Any) -> None:
    if not is_row(value):
        return
    told, report = value, desk.report
    if key == "metadata":
        report.generator = " ".join(str(told.get(name) or "") for name in ("name", "version")).strip()[:200]
    if key == "chatInfo":
        peer, name = str(told.get("peerUid") or ""), str(told.get("name") or "")
        report.private = told.get("type") != "group"
        report.group_id = peer if peer.isdigit() else ""
        report.group_name = name
        report.me = str(told.get("selfUin") or "")


def _value(desk: Desk, number: int, row: Row) -> Value:
    """Read a message of either shape: newer ones have `id`, older ones `messageId`."""
    newer = "id" in row
    if not newer and "messageId" not in row:
        raise BrokenLineError("has neither id nor messageId")
    content = object_of(row, "content")
    text = fitting(text_of(content, "text", "content."))
    at = desk.epoch(row.get("timestamp"), "timestamp") if newer else _older_moment(desk, row)
    base: dict[str, Any] = {"row": number, "at": at, "precision": "ms" if newer or at.microsecond else "s"}
    uin = id_of(object_of(row, "sender"), "uin")
    if (
        row.get("system") is True
        or row.get("isSystemMessage") is True
        or row.get("messageType") == _GREY
        or row.get("type") == "system"
    ):
        return noticed("qq", text, base)
    parts = objects_of(content, "elements", "content.")
    kind = _kind(row, parts)
    return Said(
        **base,
        sender=_sender(row, uin),
        kind=kind,
        text=_words(parts, text),
        message_id=id_of(row, "id" if newer else "messageId"),
        mentions=tuple(_mentions(parts)),
        reply=_reply(parts, content),
        media=_media(parts, content),
        red_packet=RedPacket(wish="") if kind == "red_packet" else None,
        recalled=row.get("recalled") is True or row.get("isRecalled") is True,
        order=_order(row),
        raw_kind=str(row.get("type", row.get("messageType", ""))),
    )


def _older_moment(desk: Desk, row: Row) -> Any:
    stamp = row.get("timestamp")
    return (
        desk.iso(stamp, "timestamp")
        if isinstance(stamp, str) and not stamp.isdigit()
        else desk.epoch(stamp, "timestamp")
    )


def _order(row: Row) -> int:
    seq = str(row.get("seq", row.get("messageSeq", "")))
    return int(seq) if seq.isascii() and seq.isdigit() and len(seq) < 16 else 0  # noqa: PLR2004 - below 2^53


def _sender(row: Row, uin: str) -> Party:
    """Give who spoke. What the exporting account calls its friends is nobody else's business and is not read."""
    sender, raw = object_of(row, "sender"), object_of(row, "rawMessage")
    if id_of(raw, "senderUin") != uin:
        raw = {}
    id_ = uin if uin not in _NOBODY else text_of(sender, "uid")
    if not id_:
        raise BrokenLineError(f"sender is {shown(sender)}, expected one with uin or uid")
    card = text_of(sender, "groupCard") or text_of(raw, "sendMemberName")
    name = text_of(sender, "nickname") or text_of(raw, "sendNickName")
    return Party(id=id_, name=name or card or _shown_name(sender) or id_, card=card)


def _shown_name(sender: Row) -> str:
    name, remark = text_of(sender, "name"), text_of(sender, "remark")
    return "" if name == remark else name


def _kind(row: Row, parts: list[Row]) -> Kind:
    told = row.get("type", row.get("messageType"))
    kind = (
        _KINDS.get(told, "other")
        if isinstance(told, str)
        else _OF_NUMBERS.get(told, "other")
        if type(told) is int
        else "other"
    )
    if any(_is_wallet(part) for part in parts):
        return "red_packet"
    kinds = [str(part.get("type")) for part in parts if part.get("type") != "reply"]
    if kind == "text" and kinds and not {"text", "at"} & set(kinds):
        return _ELEMENTS.get(kinds[0], "other")
    return kind


def _is_wallet(part: Row) -> bool:
    data: object = part.get("data")
    if part.get("type") != "system" or not is_row(data):
        return False
    return any(line("qq_wallet").search(str(data.get(key) or "")[:200]) for key in ("text", "summary"))


def _data(parts: list[Row], *kinds: str) -> Iterator[Row]:
    for part in parts:
        if part.get("type") in kinds:
            yield object_of(part, "data", "element.")


def _words(parts: list[Row], text: str) -> str:
    """Give the sender's own words: of texts and mentions; where there are none, what stands for the message."""
    words = "".join(
        text_of(object_of(part, "data"), "text")
        if part.get("type") == "text"
        else _at_words(object_of(part, "data"))
        for part in parts
        if part.get("type") in ("text", "at")
    )
    return fitting(words.strip() or text)


def _at_words(data: Row) -> str:
    name = text_of(data, "name")
    return f"@{name.removeprefix('@')}" if name else ""


def _mentions(parts: list[Row]) -> Iterator[Named]:
    for data in _data(parts, "at"):
        name, uin, uid = text_of(data, "name").removeprefix("@"), id_of(data, "uin"), id_of(data, "uid")
        everybody = data.get("atType") in _EVERYBODY or uid == "all"
        id_ = "" if everybody else uin if uin not in _NOBODY else uid
        yield Named(id=id_, name=name, everybody=everybody)


def _reply(parts: list[Row], content: Row) -> Reply | None:
    told = chain(_data(parts, "reply"), [object_of(content, "reply")] if content.get("reply") else [])
    for data in told:
        sender = id_of(data, "senderUin")
        return Reply(
            message_id=id_of(data, "referencedMessageId"),
            sender=sender if sender not in _NOBODY else "",
            text=text_of(data, "content"),
        )
    return None


def _media(parts: list[Row], content: Row) -> tuple[str, ...]:
    names = [text_of(data, "filename") for data in _data(parts, "image", "file", "video", "audio")]
    if not names:
        names = [text_of(one, "filename") for one in objects_of(content, "resources", "content.")]
    return tuple(filter(None, names))
