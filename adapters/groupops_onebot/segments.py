"""From segments of OneBot to groupops' own; pure, and never by parsing what people wrote."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlencode

from groupops import (
    AccountId,
    Card,
    File,
    Image,
    Link,
    Media,
    Mention,
    Quote,
    Segment,
    Text,
    Voice,
)
from groupops_onebot import ark
from groupops_onebot.shapes import LONGEST_NAME, address, is_number, rows, table, whole, word

FORWARDED = 4_000
"""Characters kept of a forwarded conversation."""

DEEPEST = 7
"""How deep lists within lists of a forwarded conversation are read: three conversations, as deep as NapCat nests."""

LONGEST_VOICE = timedelta(hours=1)

Quoted = Callable[[str], tuple[AccountId | None, str]]
"""From a message's id to its author and its words, as far as they are remembered."""

MediaKind = Literal["image", "voice", "video", "file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What segments are read with.

    Args:
        bot: the bot's own number, which media are asked of.
        quoted: author and words of a message, as far as they are remembered.
    """

    bot: str
    quoted: Quoted


def account(native: str | int) -> AccountId:
    """Give the account of a QQ number; empty for 0, which is nobody."""
    word = str(native)
    return AccountId(f"qq:{word}" if word not in ("", "0") else "")


def read(parts: Iterable[Any], reading: Reading) -> tuple[Segment, ...]:
    """Give groupops' segments of a message, in order."""
    return tuple(found for part in parts for found in _read(part.type, part.data, reading))


def _read(kind: str, data: Mapping[str, Any], reading: Reading) -> Iterable[Segment]:
    reader = _READERS.get(kind)
    return reader(data, reading) if reader is not None else (Card(card_kind=kind[:LONGEST_NAME]),)


def _text(data: Mapping[str, Any], _: Reading) -> Iterable[Segment]:
    words = str(data.get("text") or "")
    return (Text(text=words),) if words else ()


def _mention(data: Mapping[str, Any], _: Reading) -> Iterable[Segment]:
    meant = word(data.get("qq"))
    if meant == "all":
        return (Mention(account=None),)
    return (Mention(account=account(meant), name=word(data.get("name"))),) if is_number(meant) else ()


def _quote(data: Mapping[str, Any], reading: Reading) -> Iterable[Segment]:
    message_id = word(data.get("id"))
    if not message_id:
        return ()
    who, words = reading.quoted(message_id)
    return (Quote(message_id=message_id, account=who, text=words),)


def _image(data: Mapping[str, Any], reading: Reading) -> Iterable[Segment]:
    yield Image(media=_media("image", data, reading))


def _voice(data: Mapping[str, Any], reading: Reading) -> Iterable[Segment]:
    yield Voice(media=_media("voice", data, reading, duration=_seconds(data.get("duration"))))


def _video(data: Mapping[str, Any], reading: Reading) -> Iterable[Segment]:
    yield File(media=_media("video", data, reading), name=word(data.get("name")) or word(data.get("file")))


def _file(data: Mapping[str, Any], reading: Reading) -> Iterable[Segment]:
    yield file_of(data, reading)


def file_of(data: Mapping[str, Any], reading: Reading) -> File:
    """Make a file of a segment, or of the table in a notice that one was put into the group."""
    name = word(data.get("name")) or word(data.get("file"))
    return File(media=_media("file", data, reading), name=name)


def _media(
    kind: MediaKind, data: Mapping[str, Any], reading: Reading, *, duration: timedelta | None = None
) -> Media:
    """Give a handle that `open` can do something with after a restart too: who has it, its id, its address."""
    handle = {"kind": kind, "bot": reading.bot}
    native = word(data.get("file_id")) or word(data.get("id")) or word(data.get("file"))
    handle["file"] = native
    if url := address(data.get("url")):
        handle["url"] = url
    size = data.get("file_size", data.get("size"))
    return Media(id=urlencode(handle), media_kind=kind, size=whole(size), duration=duration)


def _seconds(value: Any) -> timedelta | None:
    number = whole(value)
    return None if number is None or number > LONGEST_VOICE.total_seconds() else timedelta(seconds=number)


def _sticker(data: Mapping[str, Any], reading: Reading) -> Iterable[Segment]:
    yield Image(media=_media("image", {"file": data.get("emoji_id"), "url": data.get("url")}, reading))


def _face(data: Mapping[str, Any], _: Reading) -> Iterable[Segment]:
    shown = table(data.get("raw")).get("faceText")
    return (Card(card_kind="face", title=word(shown) or word(data.get("id"))),)


def _json(data: Mapping[str, Any], _: Reading) -> Iterable[Segment]:
    return ark.segments_of(data.get("data"))


def _place(data: Mapping[str, Any], _: Reading) -> Iterable[Segment]:
    label = word(data.get("title")) or word(data.get("content"))
    found = ark.place_of(data.get("lat"), data.get("lon"), label)
    return (found,) if found is not None else (Card(card_kind="location", title=label),)


def _share(data: Mapping[str, Any], _: Reading) -> Iterable[Segment]:
    url, title = address(data.get("url")), word(data.get("title"))
    if url:
        yield Link(url=url, title=title)
    if text := word(data.get("content"), ark.SHOWN):
        yield Card(card_kind="share", title=title, text=text)


def _music(data: Mapping[str, Any], _: Reading) -> Iterable[Segment]:
    if url := address(data.get("url")):
        yield Link(url=url, title=word(data.get("title")))
    else:
        yield Card(card_kind="music", title=word(data.get("title")))


def _contact(data: Mapping[str, Any], _: Reading) -> Iterable[Segment]:
    yield Card(card_kind="contact", title=f"{word(data.get('type'))} {word(data.get('id'))}".strip())


def _markdown(data: Mapping[str, Any], _: Reading) -> Iterable[Segment]:
    """A bot's markdown is what it says; it is text to whoever reads it."""
    return _text({"text": data.get("content", data.get("data"))}, _)


def _xml(data: Mapping[str, Any], _: Reading) -> Iterable[Segment]:
    """Take the words between the tags, and an address if there is one; the XML itself is never parsed."""
    source = word(data.get("data"), ark.LARGEST)
    found = _URL_IN_XML.search(source)
    words = html.unescape(" ".join(_TAG.sub(" ", source).split()))[: ark.SHOWN]
    if found:
        yield Link(url=html.unescape(found.group(1)))
    yield Card(card_kind="xml", text=words)


_TAG = re.compile(r"<[^<>]{0,4096}>")
_URL_IN_XML = re.compile(r'\burl="(https?://[^"<>\s]{1,2048})"')


def _forward(data: Mapping[str, Any], _: Reading) -> Iterable[Segment]:
    words = " ".join(_said(data.get("content"), DEEPEST))
    yield Card(card_kind="forward", title=word(data.get("title")), text=words[:FORWARDED])


def _said(nodes: Any, depth: int) -> Iterator[str]:
    """Give the words in a forwarded conversation: nodes of messages, which may hold conversations again."""
    if depth <= 0:
        return
    for node in rows(nodes)[:_NODES]:
        yield from _said_by(table(node), depth)


def _said_by(node: Mapping[str, Any], depth: int) -> Iterator[str]:
    inner = table(node.get("data")) or node
    if node.get("type") == "text":
        yield word(inner.get("text"), FORWARDED)
    elif node.get("type") == "json":
        yield from (
            part.title for part in ark.segments_of(inner.get("data")) if isinstance(part, Link | Card)
        )
    else:
        yield from _said(inner.get("content", inner.get("message")), depth - 1)


_NODES = 200


def _nothing(_data: Mapping[str, Any], _: Reading) -> Iterable[Segment]:
    return ()


_READERS: Mapping[str, Callable[[Mapping[str, Any], Reading], Iterable[Segment]]] = MappingProxyType(
    {
        "text": _text,
        "at": _mention,
        "reply": _quote,
        "image": _image,
        "mface": _sticker,
        "record": _voice,
        "video": _video,
        "file": _file,
        "face": _face,
        "json": _json,
        "location": _place,
        "share": _share,
        "music": _music,
        "contact": _contact,
        "markdown": _markdown,
        "xml": _xml,
        "forward": _forward,
        "node": _forward,
        "keyboard": _nothing,
    }
)
