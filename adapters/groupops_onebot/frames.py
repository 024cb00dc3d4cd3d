"""From the bytes of a frame to a NoneBot event: bounded, tolerant, with one type adapter per class for good."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from nonebot.adapters.onebot.collator import Collator
from nonebot.adapters.onebot.v11 import Event, Message, MessageSegment
from nonebot.adapters.onebot.v11.adapter import DEFAULT_MODELS
from nonebot.log import logger
from pydantic import TypeAdapter, ValidationError

from groupops_onebot.events import OWN_MODELS
from groupops_onebot.packets import in_kernel_message
from groupops_onebot.shapes import rows, table, tables, whole

NAME = "OneBot V11"

SEGMENTS = 500
"""Parts of one message that are read; QQ's own limit lies far below, and what comes after is cut."""

TEXT = 10_000
"""Characters of one part that are read; QQ lets nobody post half as many."""

_KEYS = ("post_type", "message_type", "notice_type", "request_type", "meta_event_type", "sub_type")

_LONGEST_WORD = 40
"""No kind of OneBot has a longer name."""

_TEXTS_OF_SENDER = ("nickname", "card", "role", "title", "sex", "area", "level")

MODELS: Collator[Event] = Collator(
    NAME,
    [*DEFAULT_MODELS, *OWN_MODELS],
    ("post_type", ("message_type", "notice_type", "request_type", "meta_event_type"), "sub_type"),
)
"""The library's classes and ours; a list of our own, so that the library's stays as it is."""


def parse(frame: str | bytes) -> dict[str, Any] | None:
    """Read a frame as a JSON object; None when it is none. Characters that are none become a question mark."""
    try:
        text = frame if isinstance(frame, str) else frame.decode()
        found = json.loads(text)
        if _NO_CHARACTER.search(text):
            found = _mended(found)
    except (ValueError, RecursionError):
        return None
    return table(found) if isinstance(found, dict) else None


_NO_CHARACTER = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""Half a character, or none at all, written as an escape: no database and no other program would take it."""


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode().replace("\0", "?")
    if isinstance(value, list):
        return [_mended(inner) for inner in rows(value)]
    if isinstance(value, dict):
        return {_mended(key): _mended(inner) for key, inner in table(value).items()}
    return value


def event_of(frame: Mapping[str, Any]) -> Event | None:
    """Make the most particular event a frame fits; None when it is none at all. Never raises."""
    try:
        return _fitted(_tidied(frame))
    except (ValidationError, ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        # only the kind of frame is told: what it holds is what people wrote
        logger.warning("a frame that calls itself {} is no event: {}", kind_of(frame), type(error).__name__)
        return None


def _fitted(data: dict[str, Any]) -> Event:
    for model in (*_models(data), Event):
        if model is Event and data.get("post_type") == "message":
            break
        try:
            return _adapter(model).validate_python(data)
        except ValidationError:
            continue
    raise ValueError("no kind of event")  # of a bare message NoneBot would ask the words, which it has not


def kind_of(frame: Mapping[str, Any]) -> str:
    """Give what a frame says it is, for the log; no contents, and bounded."""
    words = (frame[key] for key in _KEYS if isinstance(frame.get(key), str))
    return repr(".".join(word[:_LONGEST_WORD] for word in words))


def _models(data: dict[str, Any]) -> tuple[type[Event], ...]:
    key = tuple([data.get(name) or "" for name in _KEYS])
    if max(map(len, key)) > _LONGEST_WORD:
        key = tuple(word[: _LONGEST_WORD + 1] for word in key)
    return _models_of(key)


@lru_cache(maxsize=256)
def _models_of(key: tuple[Any, ...]) -> tuple[type[Event], ...]:
    """Walk the library's tree once for each kind of frame."""
    if not all(isinstance(word, str) and (not word or word.isidentifier()) for word in key):
        raise ValueError("no word for a kind")  # NoneBot's log would read it as markup
    if max(map(len, key)) > _LONGEST_WORD:
        return ()
    said = {name: word for name, word in zip(_KEYS, key, strict=True) if word}
    return tuple(MODELS.get_model(said))


@cache
def _adapter(model: type[Event]) -> TypeAdapter[Event]:
    """Keep a class's adapter: making one anew costs many times what reading an event does."""
    return TypeAdapter(model)


def _tidied(frame: Mapping[str, Any]) -> dict[str, Any]:
    data = dict(frame)
    if data.get("post_type") in {"message", "message_sent"}:
        # The kernel's own message is large and of interest for one thing only.
        raw = data.pop("raw", None)
        data.pop("raw_pb", None)
        data["kernel_shown"] = isinstance(raw, dict)
        data["wallet"] = in_kernel_message(raw)
        data["from_history"] = False
        data["message"] = message_of(data.get("message"))
        data["sender"] = _sender(data.get("sender"))
    return data


def message_of(parts: Any) -> Message:
    """Make a message of a list of segments. A string becomes one part of plain words, whatever is in it.

    An end that is set to post strings would have CQ codes in them; they are never parsed, since nothing tells
    an end's code from a member's text.
    """
    if isinstance(parts, str):
        return Message(MessageSegment.text(parts[:TEXT]))
    if isinstance(parts, dict):
        parts = [parts]
    message = Message()
    found = (_segment(part) for part in tables(rows(parts)[:SEGMENTS]))
    list[MessageSegment].extend(message, (part for part in found if part is not None))
    return message


def _segment(part: dict[str, Any]) -> MessageSegment | None:
    kind = part.get("type")
    if not isinstance(kind, str):
        return None
    values = dict(table(part.get("data")))
    if kind == "text":
        values["text"] = str(values.get("text") or "")[:TEXT]
    return MessageSegment(kind, values)


def _sender(sender: Any) -> dict[str, Any]:
    """Give a sender whose texts are texts: an odd level or card must not cost the whole message."""
    data = dict(table(sender))
    for key in _TEXTS_OF_SENDER:
        value = data.get(key)
        if not isinstance(value, str) and value is not None:
            data[key] = str(value)
    for key in ("user_id", "age"):
        if not _is_number(data.get(key)):
            data[key] = None
    return data


def _is_number(value: Any) -> bool:
    return (type(value) is int and 0 <= value < _LARGEST) or whole(value) is not None


_LARGEST = 10**15
"""A number that is far smaller than what is too large, and larger than any of QQ's."""
