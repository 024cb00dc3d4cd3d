"""Messages: what they consist of, and how they are written down so that WeCom shows every word as it was meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Self

from nonebot.adapters import Message as BaseMessage
from nonebot.adapters import MessageSegment as BaseMessageSegment
from typing_extensions import override

AIBOT_MARKDOWN = 20_480
"""Bytes of markdown in one message of an AI bot, stream or push (protocol sheet 2.7, 2.8)."""

APP_TEXT = 2_048
"""Bytes of text or of markdown in one message of an app, and of text from a robot (protocol sheet 7.2, 11)."""

ROBOT_MARKDOWN = 4_096
"""Bytes of markdown in one message of a webhook robot (protocol sheet 11)."""

MediaKind = Literal["image", "voice", "file", "video"]

MEDIA: tuple[MediaKind, ...] = ("image", "voice", "file", "video")

_WORDS = frozenset({"text", "markdown", "mention", "link", "location", "quote"})
_HIDDEN = frozenset({"aeskey", "url", "data"})


class MessageSegment(BaseMessageSegment["Message"]):
    """A piece of a message. What a person wrote is `text` and stays text, whatever stands in it."""

    @classmethod
    @override
    def get_message_class(cls) -> type[Message]:
        return Message

    @override
    def __str__(self) -> str:
        """Give what command rules and logs see of it; never a key or an address."""
        if self.type == "text":
            return str(self.data["text"])
        if self.type == "mention":
            return f"@{self.data.get('name') or self.data['user_id']}"
        return f"[{self.type}]"

    @override
    def __repr__(self) -> str:
        """Keys and signed addresses open media to whoever reads a log, so they are left out."""
        shown = {key: "…" if key in _HIDDEN and value else value for key, value in self.data.items()}
        return f"MessageSegment(type={self.type!r}, data={shown!r})"

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
    def markdown(cls, content: str) -> Self:
        """Markdown of our own making; never put a person's words in it without `escape`."""
        return cls("markdown", {"content": content})

    @classmethod
    def mention(cls, user_id: str, name: str = "") -> Self:
        """Call somebody; where the mode cannot, the name is written."""
        return cls("mention", {"user_id": user_id, "name": name})

    @classmethod
    def image(cls, media_id: str = "", *, data: bytes = b"", name: str = "image.png", **more: Any) -> Self:
        """A picture: by media id, or by its bytes, which are uploaded when it is sent."""
        return cls("image", {"media_id": media_id, "data": data, "name": name, **more})

    @classmethod
    def voice(cls, media_id: str = "", *, data: bytes = b"", name: str = "voice.amr", **more: Any) -> Self:
        """A voice message (AMR); `text` is what was understood, where WeCom says it."""
        return cls("voice", {"media_id": media_id, "data": data, "name": name, **more})

    @classmethod
    def file(cls, media_id: str = "", *, data: bytes = b"", name: str = "file", **more: Any) -> Self:
        """A file."""
        return cls("file", {"media_id": media_id, "data": data, "name": name, **more})

    @classmethod
    def video(cls, media_id: str = "", *, data: bytes = b"", name: str = "video.mp4", **more: Any) -> Self:
        """A video (MP4)."""
        return cls("video", {"media_id": media_id, "data": data, "name": name, **more})

    @classmethod
    def card(cls, card: dict[str, Any]) -> Self:
        """A template card, as WeCom's pages describe it."""
        return cls("card", {"card": card})

    @classmethod
    def link(cls, url: str, title: str = "", description: str = "", picture: str = "") -> Self:
        """A link with a title."""
        return cls("link", {"url": url, "title": title, "description": description, "picture": picture})

    @classmethod
    def location(cls, latitude: float, longitude: float, label: str = "", scale: int = 0) -> Self:
        """A place (GCJ-02 degrees); WeCom lets nobody send one, so it is only received."""
        return cls("location", {"latitude": latitude, "longitude": longitude, "label": label, "scale": scale})

    @classmethod
    def quote(cls, message: Message) -> Self:
        """What the message quotes; only received."""
        return cls("quote", {"message": message})


class Message(BaseMessage[MessageSegment]):
    """A message. A string becomes one text segment; nothing in it is read as markup."""

    @classmethod
    @override
    def get_segment_class(cls) -> type[MessageSegment]:
        return MessageSegment

    @staticmethod
    @override
    def _construct(msg: str) -> Iterable[MessageSegment]:
        return (MessageSegment.text(msg),) if msg else ()

    @classmethod
    def of(cls, segments: Iterable[MessageSegment]) -> Self:
        """Segments that are known to be some, without looking at each."""
        made = cls.__new__(cls)
        _EXTEND(made, segments)
        return made

    def apart(self) -> Self:
        """The same in segments of its own, which may be changed; what they hold is shared."""
        return self.of([MessageSegment(segment.type, dict(segment.data)) for segment in self])

    @classmethod
    def mixed(cls, *segments: MessageSegment | str) -> Self:
        """Words and pictures in one, in this order."""
        made = cls()
        for segment in segments:
            made.append(segment)
        return made


_EXTEND = list[MessageSegment].extend

# — in parts —


@dataclass(frozen=True, slots=True)
class Part:
    """What goes out as one message of WeCom's.

    Args:
        kind: `words` (segments to be written as text or markdown), `card`, or a kind of media.
        segments: what it consists of; exactly one unless it is words.
    """

    kind: Literal["words", "card", "image", "voice", "file", "video"]
    segments: tuple[MessageSegment, ...]

    @property
    def data(self) -> dict[str, Any]:
        """What its one segment holds."""
        return self.segments[0].data


def parts_of(message: str | Message | MessageSegment) -> list[Part]:
    """Take a message apart: neighbouring words stay together, each card and each medium goes alone."""
    parts: list[Part] = []
    words: list[MessageSegment] = []
    for segment in Message(message):
        if segment.type in _WORDS:
            words.append(segment)
            continue
        parts += _words(words)
        words = []
        if segment.type == "card" or segment.type in MEDIA:
            parts.append(Part(segment.type, (segment,)))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - looked at above
    return parts + _words(words)


def _words(segments: list[MessageSegment]) -> list[Part]:
    return [Part("words", tuple(segments))] if any(_shown(s) for s in segments) else []


def _shown(segment: MessageSegment) -> bool:
    """Say whether there is anything to be seen of it."""
    return bool(segment.data.get("text") or segment.data.get("content")) or segment.type in {
        "mention",
        "link",
    }


# — written down —

_INLINE = re.compile(r"[\\`*_\[\]<>|~$&]")
_AT_LINE_START = re.compile(r"(?:^|(?<=\r))([ \t]*)([#+=-]|\d{1,9}(?=[.)]))", re.MULTILINE)
_ESCAPED = re.compile(r"\\([\\`*_\[\]<>|~$&#+=.)-])")
_TAG = re.compile(r"<(?=[@aA/])")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_UNSEEN = "\u200b"


def escape(text: str) -> str:
    """Write words so that markdown shows them as they are: no link, no mention, no tag, no heading comes of them."""
    inline = _INLINE.sub(r"\\\g<0>", text)
    return _AT_LINE_START.sub(_marked, inline)


def _marked(found: re.Match[str]) -> str:
    """Take its meaning from what begins a line; after a number it is the dot that has one."""
    space, mark = found[1], found[2]
    return f"{space}{mark}\\" if mark[0].isdigit() else f"{space}\\{mark}"


def unescape(text: str) -> str:
    """Give the words that `escape` wrote."""
    return _ESCAPED.sub(r"\1", text)


def defuse(text: str) -> str:
    """Write words so that WeCom's plain text shows them as they are: it knows links and mentions, and no escape."""
    return _TAG.sub(f"<{_UNSEEN}", text)


def markdown_of(segments: Iterable[MessageSegment], *, mentions: bool) -> str:
    """Write words as markdown.

    Args:
        segments: the words.
        mentions: whether this mode calls people by `<@id>`; else their names are written.
    """
    return "".join(_in_markdown(segment, mentions=mentions) for segment in segments)


def _in_markdown(segment: MessageSegment, *, mentions: bool) -> str:
    data = segment.data
    match segment.type:
        case "text":
            return escape(str(data["text"]))
        case "markdown":
            return str(data["content"])
        case "mention":
            return _called(data) if mentions else escape(str(segment))
        case "link":
            return f"[{escape(data['title'] or data['url'])}]({_address(data['url'])})"
        case _:
            return ""


def text_of(segments: Iterable[MessageSegment], *, mentions: bool) -> str:
    """Write words as WeCom's plain text; arguments as for `markdown_of`. Markdown stays as it was written."""
    return "".join(_in_text(segment, mentions=mentions) for segment in segments)


def _in_text(segment: MessageSegment, *, mentions: bool) -> str:
    data = segment.data
    match segment.type:
        case "text":
            return defuse(str(data["text"]))
        case "markdown":
            return str(data["content"])
        case "mention":
            return _called(data) if mentions else defuse(str(segment))
        case "link":
            return defuse(f"{data['title']} {data['url']}".strip())
        case _:
            return ""


def mentioned(segments: Iterable[MessageSegment]) -> list[str]:
    """Give who is called, each once, in order."""
    return list(dict.fromkeys(str(s.data["user_id"]) for s in segments if s.type == "mention"))


_USER_ID = re.compile(r"[0-9A-Za-z_.@-]{1,64}")


def _called(data: dict[str, Any]) -> str:
    """Give the mark that calls somebody; an id that could end the mark is written, not called."""
    user_id = str(data["user_id"])
    return f"<@{user_id}>" if _USER_ID.fullmatch(user_id) else escape(f"@{data.get('name') or user_id}")


def _address(url: str) -> str:
    return re.sub(r"[\s()<>\\]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), url)


# — cut to size —


def size(text: str) -> int:
    """Say how many bytes a text has on the wire."""
    return len(text.encode("utf-8", "surrogatepass"))


def cut(text: str, limit: int) -> list[str]:
    """Cut a text into pieces of at most `limit` bytes of UTF-8.

    It is cut at the end of a line or at a space where one is near, else between two characters: never inside one,
    an escape, or a mention. The pieces together are the text.
    """
    pieces: list[str] = []
    rest = text
    while size(rest) > limit:
        at = _place(rest, limit)
        pieces.append(rest[:at])
        rest = rest[at:]
    return [*pieces, rest] if rest or not pieces else pieces


def _place(text: str, limit: int) -> int:
    """Give where to cut, at least one character in."""
    most = _fitting(text, limit)
    near = most - most // 4
    for mark in ("\n", " "):
        found = text.rfind(mark, near, most)
        if found > 0 and _whole(text, found + 1):
            return found + 1
    return next((at for at in _backwards(most) if _whole(text, at)), max(most, 1))


def _backwards(most: int) -> Iterator[int]:
    return iter(range(most, max(0, most - 300), -1))


def _fitting(text: str, limit: int) -> int:
    """Give how many characters fit into so many bytes."""
    raw = text[:limit].encode("utf-8", "surrogatepass")[:limit]
    return len(raw.decode("utf-8", "ignore")) if not _lone(text[:limit]) else _counted(text, limit)


def _lone(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def _counted(text: str, limit: int) -> int:
    left = limit
    for place, char in enumerate(text):
        left -= size(char)
        if left < 0:
            return place
    return len(text)


def _whole(text: str, at: int) -> bool:
    """Say whether nothing that belongs together is parted here."""
    if at <= 0 or at >= len(text):
        return at > 0
    after, before = text[at], text[at - 1]
    if after in _JOINERS or before == "\u200d" or unicodedata.combining(after) or before + after == "<@":
        return False
    if (len(text[:at]) - len(text[:at].rstrip("\\"))) % 2:
        return False
    opened = text.rfind("<@", max(0, at - 70), at)
    return opened < 0 or ">" in text[opened:at]
