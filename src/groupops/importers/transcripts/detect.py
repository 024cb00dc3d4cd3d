"""Finds out what a file is, by what is in it; its name never decides."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from groupops.errors import ImportFailed
from groupops.importers.chatlab_rows import Row, is_row
from groupops.importers.transcripts import mail_parts
from groupops.importers.transcripts.json_stream import BrokenJsonError, JsonStream
from groupops.importers.transcripts.source import HEAD, Source, clean, encoding_of, opened
from groupops.importers.transcripts.words import Format, formats, line, words

MAX_SHOWN_LINE = 2_000
"""Characters of a line that patterns are held against."""

_ITEMS: Final = frozenset({"messages", "list"})
_SAVED: Final = "From: <Save by Tencent MsgMgr>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """What a file is.

    Args:
        format: its format.
        source: where it is read from, with its encoding; of a folder, its manifest.
        sure: False when only a single line of talk looks like this format.
    """

    format: Format
    source: Source
    sure: bool = True


def detect(path: Path) -> Detected:
    """Find out what a transcript is.

    Args:
        path: a file, or the folder of an export in pieces.

    Returns:
        Its format and how it is read.

    Raises:
        ImportFailed: it cannot be read, is empty, is none of the known formats or one that is only known to be
            refused; the text says what to do.
    """
    if path.is_dir():
        path = path / "manifest.json"
    with opened(path) as file:
        head = file.read(HEAD)
    if head.startswith(b"PK\x03\x04"):
        raise _refused(path, formats()["zip"])
    source = Source(path=path, encoding=encoding_of(path))
    text = clean(_decoded(head, source.encoding))
    if not text.strip():
        raise ImportFailed(path.name, ["it is empty"])
    name, sure = _named(source, text)
    if not name:
        known = "、".join(one.title for one in formats().values() if one.readable)
        raise ImportFailed(path.name, [f"it is no transcript this program knows; known are: {known}"])
    found = formats()[name]
    if not found.readable:
        raise _refused(path, found)
    return Detected(format=found, source=source, sure=sure)


def _refused(path: Path, found: Format) -> ImportFailed:
    return ImportFailed(path.name, [f"it is {found.title}: {found.advice}"])


def _decoded(head: bytes, encoding: str) -> str:
    """Decode the beginning, which may end in the middle of a character."""
    cut = head[: len(head) & ~1] if encoding == "utf-16" else head
    return cut.decode(encoding, "ignore" if len(head) >= HEAD else "replace").lstrip("\ufeff")


def _named(source: Source, text: str) -> tuple[str, bool]:
    if text.startswith(_SAVED):
        return "qq-mht", True
    start = text.lstrip()
    if start[:1] in ("#", "{", "[") or start.startswith("null"):
        found = _of_lines(text) or _of_document(source)
        if found:
            return found, True
    found = _of_csv(text) or _of_text(source, text)
    return (found, True) if found else (_of_one_line(text), False)


# — JSON —


def _of_lines(text: str) -> str:
    """Recognise JSON with one object per line by the first of them."""
    first = next((one for one in text.split("\n") if one.strip() and not one.startswith("#")), "")
    row = _object(first)
    if row is None:
        return ""
    if row.get("_type") == "header" and "chatlab" in row:
        return "chatlab-jsonl"
    return "wecom-archive" if "msgid" in row and "action" in row else ""


def _object(text: str) -> Row | None:
    with suppress(ValueError, RecursionError):
        row = json.loads(text)
        if is_row(row):
            return row
    return None


@dataclass(slots=True)
class _Outline:
    """The outer keys of a document: small values as they are, and the first item of its messages."""

    keys: dict[str, Any] = field(default_factory=dict[str, Any])
    first: Any = None


def _of_document(source: Source) -> str:
    """Recognise a document; it is read no further than is needed."""
    with opened(source.path) as file:
        stream, seen = JsonStream(file, source.encoding), _Outline()
        with suppress(BrokenJsonError):
            if stream.peek() == "[":
                return _of_items(next(stream.items(), None))
            if stream.peek() == "n":
                return "chatlog-json" if stream.value() is None else ""
            for key in stream.pairs():
                if key in _ITEMS and stream.peek() == "[":
                    _look_at_items(stream, seen, key)
                    if found := _of_keys(seen):
                        return found
                    return _to_the_end(source, key)
                _look_at(stream, seen, key)
        return _of_keys(seen)


def _to_the_end(source: Source, items: str) -> str:
    """Look at the keys behind the messages too, which are passed over."""
    with opened(source.path) as file:
        stream, seen = JsonStream(file, source.encoding), _Outline()
        with suppress(BrokenJsonError):
            for key in stream.pairs():
                seen.keys[key] = None
                if key == items or stream.peek() in '[{"':
                    stream.skip()
                else:
                    seen.keys[key] = stream.value()
    return _of_keys(seen)


def _look_at(stream: JsonStream, seen: _Outline, key: str) -> None:
    sign = stream.peek()
    seen.keys[key] = None
    if key == "data" and sign == "{":
        for inner in stream.pairs():
            if inner == "messages" and stream.peek() == "[":
                _look_at_items(stream, seen, inner)
                return
            stream.skip()
    elif key == "chats" and sign == "{":
        seen.keys["chats"] = list(_keys_of(stream))
    elif sign and sign in '[{"':
        stream.skip()
    else:
        seen.keys[key] = stream.value()


def _keys_of(stream: JsonStream) -> list[str]:
    found: list[str] = []
    for key in stream.pairs():
        found.append(key)
        if key == "list":
            return found
        stream.skip()
    return found


def _look_at_items(stream: JsonStream, seen: _Outline, key: str) -> None:
    seen.keys[key] = None
    seen.first = next(stream.items(), None)


def _has(*keys: str) -> Callable[[_Outline], bool]:
    wanted = frozenset(keys)
    return lambda seen: seen.keys.keys() >= wanted


_KEYS: Final[tuple[tuple[Callable[[_Outline], bool], str], ...]] = (
    (_has("chunked", "chatInfo"), "qce-chunked"),
    (_has("chatlab", "messages"), "chatlab-json"),
    (_has("chatInfo", "metadata"), "qce-json"),
    (_has("weflow", "messages"), "weflow"),
    (_has("exportInfo", "session", "messages"), "weflow"),
    (_has("session", "messages"), "echotrace"),
    (_has("keyword", "lastTime", "messages"), "chatlog-webhook"),
    (_has("schemaVersion", "conversation"), "wcda"),
    (_has("guild", "channel"), "discord"),
    (_has("name", "type", "id", "messages"), "telegram"),
    (lambda seen: "list" in (seen.keys.get("chats") or ()), "telegram"),
    (lambda seen: is_row(seen.first) and "raw_message" in seen.first, "onebot11"),
)
"""Which keys make which format, in the order in which they are tried."""


def _of_keys(seen: _Outline) -> str:
    return next((name for fits, name in _KEYS if fits(seen)), "")


def _of_items(first: Any) -> str:
    if not is_row(first):
        return ""
    keys = first.keys()
    if keys >= {"msgid", "action"}:
        return "wecom-archive"
    if keys >= {"seq", "talker", "isChatRoom", "senderName"}:
        return "chatlog-json"
    return "onebot11" if "raw_message" in keys else ""


# — text —


def _of_csv(text: str) -> str:
    first = text.lstrip().split("\n", 1)[0].strip()
    return words().csv.get(first, "").removesuffix("-roomless")


def _of_text(source: Source, text: str) -> str:
    lines = [one.rstrip("\r") for one in text.split("\n") if len(one) <= MAX_SHOWN_LINE]
    if line("qce_txt").match(text):
        return "qce-txt"
    if line("qq_marker").search(text[:2000]) or any(map(line("qq_object").match, lines)):
        return "qq-txt"
    if mail_parts.is_web_page(text):
        return "wechat-html" if mail_parts.of_page(source) else ""
    if _is_mail(text):
        return mail_parts.of_mail(source)
    for name, pattern in (
        ("wechat-mail", "mail_head"),
        ("weflow-txt", "weflow_head"),
        ("wechat-ios-copy", "ios_time"),
    ):
        if any(map(line(pattern).match, map(mail_parts.unquoted, lines))):
            return name
    return ""


def _is_mail(text: str) -> bool:
    head = text[:HEAD].lower()
    return bool(line("mail_field").match(text)) and ("\nmime-version:" in head or "\ncontent-type:" in head)


def _of_one_line(text: str) -> str:
    """Recognise talk that has no heading by one of its lines; an operator should be asked."""
    lines = [one.rstrip("\r") for one in text.split("\n") if len(one) <= MAX_SHOWN_LINE]
    first = next(filter(str.strip, lines), "")
    if line("chatlog_head").match(first):
        return "chatlog-txt"  # such a file begins with one, whatever its talk looks like
    if any(map(line("qq_head").match, lines)):
        return "qq-txt"
    return "chatlog-txt" if any(map(line("chatlog_head").match, lines)) else ""
