"""Reads two exports of other networks: Telegram Desktop's JSON and DiscordChatExporter's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from groupops.errors import ImportFailed
from groupops.events import Location
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
from groupops.importers.transcripts.source import opened
from groupops.importers.transcripts.values import (
    Joined,
    Kind,
    Left,
    Named,
    Noticed,
    Party,
    Renamed,
    Reply,
    Said,
    Value,
)

# — Telegram —

_MEDIA: Final[dict[str, Kind]] = {
    "voice_message": "voice",
    "video_message": "video",
    "video_file": "video",
    "animation": "emoji",
    "sticker": "emoji",
    "audio_file": "voice",
}
_JOINS: Final = {
    "invite_members": "invite",
    "join_group_by_link": "link",
    "join_group_by_request": "approve",
}
_PRIVATE: Final = frozenset({"personal_chat", "bot_chat", "saved_messages"})


def read_telegram(desk: Desk) -> Iterator[Value]:
    """Read the export of one talk, or of all of them.

    Raises:
        ImportFailed: it is no JSON.
    """
    name = desk.source.path.name
    with opened(desk.source.path) as file:
        stream = JsonStream(file, desk.source.encoding)
        try:
            yield from _talk(desk, stream)
        except BrokenJsonError as error:
            if not desk.report.rows:
                raise ImportFailed(name, [f"{error.where}: {error}"]) from error
            desk.report.rows += 1
            desk.report.fault(error.where, f"is not JSON: {error}")


def _talk(desk: Desk, stream: JsonStream) -> Iterator[Value]:
    head: Row = {}
    for key in stream.pairs():
        if key == "messages" and stream.peek() == "[":
            yield from _messages(desk, stream, head)
        elif key == "chats" and stream.peek() == "{":
            yield from _talks(desk, stream)
        elif key in ("name", "type", "id"):
            head[key] = stream.value()
        else:
            stream.skip()


def _talks(desk: Desk, stream: JsonStream) -> Iterator[Value]:
    for key in stream.pairs():
        if key != "list" or stream.peek() != "[":
            stream.skip()
            continue
        stream.expect("[")
        while stream.peek() == "{":
            yield from _talk(desk, stream)
            if stream.expect(",]") == "]":
                return
        stream.expect("]")


def _messages(desk: Desk, stream: JsonStream, head: Row) -> Iterator[Value]:
    chat = str(head.get("id") or head.get("name") or "")
    desk.report.talk(chat, str(head.get("name") or ""), private=str(head.get("type")) in _PRIVATE)
    numbered = enumerate(stream.items(), start=1)
    yield from desk.each(numbered, lambda number, row: (_telegram(desk, chat, number, row),), "message")


def _telegram(desk: Desk, chat: str, number: int, row: Row) -> Value:
    stamp = row.get("date_unixtime")
    at = desk.epoch(stamp, "date_unixtime") if stamp else desk.iso(row.get("date"), "date")
    base: dict[str, Any] = {"row": number, "at": at, "chat": chat}
    if row.get("type") == "service":
        return _service(base, row)
    if row.get("type") != "message":
        raise BrokenLineError(f"type is {shown(row.get('type'))}, expected message or service")
    sender = id_of(row, "from_id")
    if not sender:
        raise BrokenLineError("from_id is missing")
    text = fitting(_telegram_text(row.get("text")))
    place = _telegram_place(row)
    kind: Kind = "location" if place else _telegram_kind(row)
    reply = id_of(row, "reply_to_message_id")
    return Said(
        **base,
        sender=Party(id=sender, name=text_of(row, "from") or sender),
        kind="reply" if reply and kind == "text" else kind,
        text=text,
        message_id=id_of(row, "id"),
        reply=Reply(message_id=reply) if reply else None,
        media=tuple(
            filter(None, (text_of(row, "file_name") or text_of(row, "file") or text_of(row, "photo"),))
        ),
        location=place,
        raw_kind=text_of(row, "media_type"),
    )


def _telegram_kind(row: Row) -> Kind:
    if row.get("forwarded_from"):
        return "forward"
    told = text_of(row, "media_type")
    if told:
        return _MEDIA.get(told, "other")
    return "image" if row.get("photo") else "file" if row.get("file") else "text"


def _telegram_text(text: object) -> str:
    if isinstance(text, str):
        return text
    if not isinstance(text, list):
        raise BrokenLineError(f"text is {shown(text)}, expected a text or a list")
    parts = cast("list[object]", text)
    return "".join(
        one if isinstance(one, str) else text_of(cast("Row", one), "text")
        for one in parts
        if isinstance(one, str | dict)
    )


def _telegram_place(row: Row) -> Location | None:
    place = object_of(row, "location_information")
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    if abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004 - degrees
        return None
    return Location(latitude=latitude, longitude=longitude, crs="wgs84")


def _service(base: dict[str, Any], row: Row) -> Value:
    action, actor = text_of(row, "action"), id_of(row, "actor_id")
    by = Party(id=actor, name=text_of(row, "actor")) if actor else None
    named: Any = row.get("members") or []
    if not isinstance(named, list):
        raise BrokenLineError(f"members is {shown(named)}, expected a list")
    who = tuple(Party(name=one) for one in cast("list[object]", named) if isinstance(one, str) and one)
    if action in _JOINS and (who or by):
        how: Any = _JOINS[action]
        came = who or ((by,) if by else ())
        return Joined(**base, who=came, by=by if who else None, how=how, text=action)
    if action == "remove_members" and who:
        own = by is not None and [one.name for one in who] == [by.name]
        return Left(
            **base, who=(by,) if own and by else who, by=None if own else by, removed=not own, text=action
        )
    if action == "edit_group_title":
        return Renamed(**base, name=text_of(row, "title"), by=by, text=action)
    return Noticed(**base, by=by, text=action)


# — Discord —

_JOIN: Final = frozenset({"GuildMemberJoin", "RecipientAdd"})
_SAID: Final = frozenset({"Default", "Reply", "0", "19"})


def read_discord(desk: Desk) -> Iterator[Value]:
    """Read the export of one channel.

    Raises:
        ImportFailed: it is no JSON.
    """

    def head(key: str, value: Any) -> None:
        if key == "channel" and is_row(value):
            desk.report.group_id = str(value.get("id") or "")
            desk.report.group_name = str(value.get("name") or "")
            desk.report.private = value.get("type") == "DirectTextChat"

    items = desk.document(("messages",), head)
    yield from desk.each(items, lambda number, row: (_discord(desk, number, row),), "message")


def _discord(desk: Desk, number: int, row: Row) -> Value:
    at = desk.iso(row.get("timestamp"), "timestamp")
    base: dict[str, Any] = {"row": number, "at": at, "precision": "ms"}
    author = object_of(row, "author")
    sender = _discord_party(author)
    kind, text = required(row, "type"), fitting(text_of(row, "content"))
    if kind in _JOIN:
        return Joined(**base, who=(sender,), how="unknown", text=text)
    if kind not in _SAID:
        return Noticed(**base, by=sender, text=text or kind)
    names = tuple(text_of(one, "fileName") for one in objects_of(row, "attachments"))
    reference = object_of(row, "reference")
    reply = id_of(reference, "messageId")
    return Said(
        **base,
        sender=sender,
        kind="reply" if kind in ("Reply", "19") else "file" if names and not text else "text",
        text=text,
        message_id=required(row, "id"),
        mentions=tuple(
            Named(id=id_of(one, "id"), name=text_of(one, "nickname") or text_of(one, "name"))
            for one in objects_of(row, "mentions")
        ),
        reply=Reply(message_id=reply) if reply else None,
        media=tuple(filter(None, names)),
        raw_kind=kind,
    )


def _discord_party(author: Row) -> Party:
    return Party(
        id=required(author, "id", "author."),
        name=text_of(author, "name") or required(author, "id", "author."),
        card=text_of(author, "nickname"),
    )
