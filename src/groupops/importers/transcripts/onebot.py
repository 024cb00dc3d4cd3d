"""Reads the history of OneBot 11, or messages a bot wrote down: no joins, no recalls, ids of messages only by `real_seq`."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, Final, cast

from groupops.importers.chatlab_rows import BrokenLineError, Row, id_of, object_of, required, shown, text_of
from groupops.importers.transcripts.desk import Desk, fitting
from groupops.importers.transcripts.source import CHUNK, opened
from groupops.importers.transcripts.values import Kind, Named, Party, Reply, Said, Value
from groupops.people import Role

_KINDS: Final[dict[str, Kind]] = {
    "image": "image",
    "record": "voice",
    "video": "video",
    "file": "file",
    "face": "emoji",
    "mface": "emoji",
    "json": "share",
    "forward": "forward",
    "location": "location",
    "poke": "poke",
}
_ROLES: Final = {"owner": Role.OWNER, "admin": Role.ADMIN, "member": Role.MEMBER}
_CODE = re.compile(r"\[CQ:(\w+)((?:,[^,\[\]]*)*)\]")


def read_history(desk: Desk) -> Iterator[Value]:
    """Read a history.

    Raises:
        ImportFailed: it is no JSON.
    """
    items = desk.document(_path(desk), lambda _key, _value: None)
    yield from desk.each(items, lambda number, row: (_value(desk, number, row),), "message")


def _path(desk: Desk) -> tuple[str, ...]:
    with opened(desk.source.path) as file:
        start = file.read(CHUNK).decode(desk.source.encoding, "replace")
    if start.lstrip("\ufeff \r\n\t").startswith("["):
        return ()
    return ("data", "messages") if '"data"' in start else ("messages",)


def _value(desk: Desk, number: int, row: Row) -> Value:
    sender = object_of(row, "sender")
    group, user = id_of(row, "group_id"), id_of(row, "user_id") or id_of(sender, "user_id")
    if not user:
        raise BrokenLineError("user_id is missing")
    desk.report.talk(group, text_of(row, "group_name"), private=not group)
    if user == id_of(row, "self_id"):
        desk.report.me = user
    parts = _parts(row)
    reply = next((data for kind, data in parts if kind == "reply"), None)
    text = "".join(_words(kind, data) for kind, data in parts).strip()
    kinds = [kind for kind, _ in parts if kind in _KINDS]
    said = any(kind == "text" and text_of(data, "text").strip() for kind, data in parts)
    return Said(
        row=number,
        at=desk.epoch(row.get("time"), "time"),
        chat=group,
        sender=_sender(sender, user),
        kind="reply" if reply is not None else _KINDS[kinds[0]] if kinds and not said else "text",
        text=fitting(text),
        message_id=id_of(row, "real_seq"),
        mentions=tuple(_mentions(parts)),
        reply=Reply(message_id=id_of(reply, "seq")) if reply is not None else None,
        media=tuple(
            text_of(data, "file")[:300]
            for kind, data in parts
            if kind in ("image", "record", "video", "file")
        ),
        raw_kind=text_of(row, "message_type"),
    )


def _sender(sender: Row, user: str) -> Party:
    name, card = text_of(sender, "nickname"), text_of(sender, "card")
    role = _ROLES.get(text_of(sender, "role"), Role.UNKNOWN)
    return Party(id=user, name=name or card or user, card=card, role=role)


def _parts(row: Row) -> list[tuple[str, Row]]:
    """Give the parts of a message, written as a list or as CQ codes."""
    message = row.get("message")
    if isinstance(message, list):
        parts = cast("list[object]", message)
        return [_part(one) for one in parts]
    return list(_of_codes(message if isinstance(message, str) else required(row, "raw_message")))


def _part(part: object) -> tuple[str, Row]:
    if not isinstance(part, dict):
        raise BrokenLineError(f"a part of message is {shown(part)}, expected an object")
    row = cast("Row", part)
    return required(row, "type", "message."), object_of(row, "data", "message.")


def _of_codes(text: str) -> Iterator[tuple[str, Row]]:
    done = 0
    for match in _CODE.finditer(text):
        if match.start() > done:
            yield "text", {"text": html.unescape(text[done : match.start()])}
        pairs: list[tuple[str, str, str]] = [one.partition("=") for one in match[2].split(",")[1:]]
        data: Row = {key: html.unescape(value) for key, _, value in pairs}
        yield match[1], data
        done = match.end()
    if done < len(text):
        yield "text", {"text": html.unescape(text[done:])}


def _words(kind: str, data: Row) -> str:
    if kind == "at":
        name = text_of(data, "name")
        return f"@{name.removeprefix('@')} " if name else ""
    return text_of(data, "text") if kind == "text" else ""


def _mentions(parts: list[tuple[str, Row]]) -> Iterator[Named]:
    for kind, data in parts:
        if kind != "at":
            continue
        id_: Any = id_of(data, "qq")
        yield Named(id="" if id_ == "all" else id_, name=text_of(data, "name"), everybody=id_ == "all")
