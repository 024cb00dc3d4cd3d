"""Messages: what they consist of, as a puppet tells them and as it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from nonebot.adapters import Message as BaseMessage
from nonebot.adapters import MessageSegment as BaseMessageSegment
from typing_extensions import override

AFTER_NAME = "\u2005"
"""What a WeChat client writes between a name that is called and the words after it."""

LONGEST = 2_000
"""Characters of one text; longer ones are sent as several (protocol sheet 3.7, experience)."""


class MessageSegment(BaseMessageSegment["Message"]):
    """A piece of a message. What a person wrote is `text` and stays text, whatever stands in it."""

    @classmethod
    @override
    def get_message_class(cls) -> type[Message]:
        return Message

    @override
    def __str__(self) -> str:
        """Give what command rules see of it."""
        if self.type == "text":
            return str(self.data["text"])
        if self.type == "mention":
            return f"@{self.data.get('name') or self.data['user_id']}"
        return f"[{self.type}]"

    @override
    def is_text(self) -> bool:
        return self.type == "text"

    @override
    def __add__(self, other: str | Self | Iterable[Self]) -> Message:  # pyright: ignore[reportIncompatibleMethodOverride] - one message class only
        return Message(self) + (MessageSegment.text(other) if isinstance(other, str) else other)

    @override
    def __radd__(self, other: str | Self | Iterable[Self]) -> Message:  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        return Message(MessageSegment.text(other) if isinstance(other, str) else other) + self

    @classmethod
    def text(cls, text: str) -> Self:
        """Words, shown as they are."""
        return cls("text", {"text": text})

    @classmethod
    def mention(cls, user_id: str, name: str = "") -> Self:
        """Call somebody; the name is what people see, the id is what makes the client ring."""
        return cls("mention", {"user_id": user_id, "name": name})

    @classmethod
    def file(cls, name: str, data: bytes, media_type: str = "") -> Self:
        """Send a file or a picture; which of the two follows from the name."""
        return cls("file", {"name": name, "data": data, "media_type": media_type})

    @classmethod
    def file_at(cls, name: str, url: str) -> Self:
        """Have the puppet fetch a file from an address and send it."""
        return cls("file", {"name": name, "url": url})

    @classmethod
    def media(cls, kind: str, message_id: str, name: str = "") -> Self:
        """Something that came: `image`, `attachment`, `audio`, `video`, `emoticon`; its bytes are asked for later."""
        return cls(kind, {"message_id": message_id, "name": name})

    @classmethod
    def location(cls, latitude: float, longitude: float, name: str = "", address: str = "") -> Self:
        """Tell a place that came, in degrees of GCJ-02; sending one is broken in the published server."""
        return cls(
            "location", {"latitude": latitude, "longitude": longitude, "name": name, "address": address}
        )

    @classmethod
    def link(cls, url: str, title: str = "") -> Self:
        """Tell a shared page that came."""
        return cls("url", {"url": url, "title": title})

    @classmethod
    def other(cls, kind: str, message_id: str, raw: str = "") -> Self:
        """Anything else that came, with what the puppet said of it; often the client's own XML."""
        return cls(kind, {"message_id": message_id, "raw": raw})


class Message(BaseMessage[MessageSegment]):
    """A message. A text is one segment, never parsed for anything."""

    @classmethod
    @override
    def get_segment_class(cls) -> type[MessageSegment]:
        return MessageSegment

    @staticmethod
    @override
    def _construct(msg: str) -> Iterable[MessageSegment]:
        if msg:
            yield MessageSegment.text(msg)

    @override
    def extract_plain_text(self) -> str:
        return "".join(str(one.data["text"]) for one in self if one.type == "text")


def written(message: Message, names: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Give the words of a message as they are sent, and whom they call.

    Args:
        message: what is to be said; anything but words and mentions is left out.
        names: id → name that people see.
    """
    words: list[str] = []
    called: list[str] = []
    for one in message:
        if one.type == "text":
            words.append(str(one.data["text"]))
        elif one.type == "mention":
            user_id = str(one.data["user_id"])
            name = str(one.data.get("name") or names.get(user_id) or user_id)
            words.append(f"@{name}{AFTER_NAME}")
            called.append(user_id)
    return "".join(words), tuple(dict.fromkeys(called))


def pieces(text: str, longest: int = LONGEST) -> Iterator[str]:
    """Give a text in pieces that may be sent, parted between lines where that is possible."""
    while len(text) > longest:
        cut = text.rfind("\n", 1, longest) + 1 or longest
        yield text[:cut]
        text = text[cut:]
    if text.strip():
        yield text


def without_name(text: str, names: Iterable[str]) -> str:
    """Give a text without the `@name` it begins with, where the name is one of those; longer names first."""
    said = text.lstrip()
    for name in sorted({one for one in names if one}, key=len, reverse=True):
        for end in (AFTER_NAME, " ", "\n"):
            if said.startswith(f"@{name}{end}"):
                return said[len(name) + 2 :].lstrip()
        if said.rstrip() == f"@{name}":
            return ""
    return text


def shown(data: Mapping[str, Any]) -> str:
    """Give a short word for what a segment holds, without its bytes."""
    return ", ".join(f"{key}={value!r}" for key, value in data.items() if not isinstance(value, bytes))
