"""What an AI bot is told, over the long connection or to its callback URL: from JSON to events."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from groupops_wecom.event import (
    AiBotCardEvent,
    Disconnected,
    EnterChat,
    Event,
    Feedback,
    GroupMessageEvent,
    PrivateMessageEvent,
    UnknownEvent,
    UnknownMessage,
)
from groupops_wecom.message import Message, MessageSegment
from groupops_wecom.shapes import mark_of, real, rows, selected, table, whole, word


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What an AI bot was told.

    Args:
        self_id: the bot.
        name: the name it is called by in groups; may be empty.
        now: when it came, seconds since the epoch.
        req_id: handle for replies over the long connection.
    """

    self_id: str
    name: str = ""
    now: float = 0.0
    req_id: str = ""


def aibot_event(body: Mapping[str, Any], frame: Frame) -> Event:
    """Read what an AI bot was told; whatever its shape, an event comes of it."""
    common = _aibot_common(body, frame)
    kind = word(body.get("msgtype"), 60)
    if kind == "event" or "event" in body:
        return _aibot_notice(table(body.get("event")), common)
    read = _AIBOT_MESSAGES.get(kind)
    if read is None:
        return UnknownMessage(msgtype=kind, **common)
    full = Message.of(read(body))
    said = full.apart()
    quoted = _aibot_quote(table(body["quote"])) if "quote" in body else None
    if quoted is not None:
        full.insert(0, MessageSegment.quote(quoted))
    grouped = common["chat_type"] == "group"
    made = GroupMessageEvent if grouped else PrivateMessageEvent
    return made(
        **common,
        message_id=common["event_id"],
        msgtype=kind,
        message=_uncalled(said, frame.name) if grouped else said,
        original_message=full,
        quoted=quoted,
    )


def _aibot_common(body: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    group = body.get("chattype") == "group"
    return {
        "self_id": frame.self_id,
        "event_id": word(body.get("msgid")) or mark_of(body),
        "moment": real(body.get("create_time")) or frame.now,
        "received": frame.now,
        "user_id": word(table(body.get("from")).get("userid")),
        "chat_id": word(body.get("chatid")) if group else "",
        "chat_type": "group" if group else "private",
        "raw": dict(body),
        "req_id": frame.req_id,
        "response_url": word(body.get("response_url"), 2048),
    }


def _aibot_notice(event: dict[str, Any], common: dict[str, Any]) -> Event:
    kind = word(event.get("eventtype"), 60)
    inner = {**event, **table(event.get(kind))}
    match kind:
        case "enter_chat":
            return EnterChat(**common)
        case "template_card_event":
            return AiBotCardEvent(
                **common,
                event_key=word(inner.get("event_key"), 1024),
                task_id=word(inner.get("task_id")),
                card_type=word(inner.get("card_type"), 60),
                selected=selected(
                    inner.get("selected_items"), "selected_item", "question_key", "option_ids", "option_id"
                ),
                menu=word(inner.get("card_type")) in {"text_notice", "news_notice"},
            )
        case "feedback_event":
            return Feedback(
                **common,
                feedback_id=word(inner.get("id")),
                verdict=whole(inner.get("type")),
                content=word(inner.get("content"), 4096),
                reasons=tuple(whole(one) for one in rows(inner.get("inaccurate_reason_list"))),
            )
        case "disconnected_event":
            return Disconnected(**common, note="another connection of this bot took over", final=True)
        case _:
            return UnknownEvent(**common, event=kind.lower())


def _aibot_text(body: Mapping[str, Any]) -> Iterator[MessageSegment]:
    content = word(table(body.get("text")).get("content"), 1 << 20)
    if content:
        yield MessageSegment.text(content)


def _aibot_mixed(body: Mapping[str, Any]) -> Iterator[MessageSegment]:
    for item in rows(table(body.get("mixed")).get("msg_item")):
        read = _AIBOT_MESSAGES.get(word(table(item).get("msgtype"), 60))
        if read is not None and read is not _aibot_mixed:
            yield from read(table(item))


def _aibot_voice(body: Mapping[str, Any]) -> Iterator[MessageSegment]:
    yield MessageSegment.voice(text=word(table(body.get("voice")).get("content"), 1 << 20))


def _aibot_media(
    kind: Literal["image", "file", "video"],
) -> Callable[[Mapping[str, Any]], Iterator[MessageSegment]]:
    def read(body: Mapping[str, Any]) -> Iterator[MessageSegment]:
        found = table(body.get(kind))
        made = getattr(MessageSegment, kind)
        yield made(url=word(found.get("url"), 4096), aeskey=word(found.get("aeskey")))

    return read


_AIBOT_MESSAGES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[MessageSegment]]] = {
    "text": _aibot_text,
    "mixed": _aibot_mixed,
    "voice": _aibot_voice,
    "image": _aibot_media("image"),
    "file": _aibot_media("file"),
    "video": _aibot_media("video"),
}


def _aibot_quote(quote: dict[str, Any]) -> Message | None:
    read = _AIBOT_MESSAGES.get(word(quote.get("msgtype"), 60))
    return None if read is None else Message.of(read(quote))


def _uncalled(said: Message, name: str) -> Message:
    """Leave out the name the bot is called by, once; the message itself is changed.

    WeCom marks it by nothing but its letters. Where the operator does not say the name, a leading `@word` is taken
    for it only if it is the one thing called: in a group the bot is always called.
    """
    if not (name or _is_called_first(said)):
        return said
    for place, segment in enumerate(said):
        text = segment.data["text"] if segment.type == "text" else ""
        rest = _without(f"@{name}", text) if name else _LEADING_CALL.sub("", text, count=1)
        if rest != text:
            segment.data["text"] = rest.strip()
            if not segment.data["text"]:
                del said[place]
            break
    return said


def _is_called_first(said: Message) -> bool:
    text = "".join(str(segment) for segment in said if segment.type == "text")
    return text.count("@") == 1 and text.lstrip().startswith("@")


def _without(call: str, text: str) -> str:
    """Leave out the first place where somebody is called by exactly this, and the space after it."""
    at = text.find(call)
    while at >= 0:
        end = at + len(call)
        if end == len(text) or text[end].isspace():
            return text[:at] + text[end + 1 :]
        at = text.find(call, at + 1)
    return text


_LEADING_CALL = re.compile(r"^\s*@\S+(?:\s+|$)")
