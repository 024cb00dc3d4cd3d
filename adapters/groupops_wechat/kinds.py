"""The numbers on the wire: kinds of events and of messages, whatever the proto's own names say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

EVENTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "heartbeat",
        2: "message",
        3: "dong",
        4: "post",
        16: "error",
        17: "friendship",
        18: "room_invite",
        19: "room_join",
        20: "room_leave",
        21: "room_topic",
        22: "scan",
        23: "ready",
        24: "reset",
        25: "login",
        26: "logout",
        27: "dirty",
        32: "room_announce",
    }
)
"""Kinds of events (protocol sheet 3.4); a number that is not here is of no interest."""

_PUPPET: Final = (
    "unknown", "attachment", "audio", "contact", "chat_history", "emoticon", "image", "text", "location",
    "mini_program", "group_note", "transfer", "red_envelope", "recalled", "url", "video", "post", "channel",
    "system", "markdown", "call",
)  # fmt: skip
_PROTO: Final = (
    "unknown", "attachment", "audio", "contact", "emoticon", "image", "text", "video", "chat_history", "location",
    "mini_program", "transfer", "red_envelope", "recalled", "url",
)  # fmt: skip

MESSAGES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"puppet": _PUPPET, "proto": _PROTO})
"""Kinds of messages by their number: the published server writes the puppet's numbers into the field and not the
proto's (protocol sheet 3.5)."""

DIRTY: Final[Mapping[int, str]] = MappingProxyType({
    1: "message", 2: "contact", 3: "room", 4: "room_member", 5: "friendship", 6: "post",
})  # fmt: skip
"""What a dirty event says is out of date."""

SECONDS_END = 1e11
"""A time stamp above this counts milliseconds (protocol sheet 3.4)."""


def kind_of(number: int, numbering: str) -> str:
    """Give the kind of a message; `unknown` for a number nobody named."""
    kinds = MESSAGES[numbering]
    return kinds[number] if 0 <= number < len(kinds) else "unknown"


def seconds(stamp: float) -> float:
    """Give a time stamp in seconds, whether it counts seconds or milliseconds."""
    return stamp / 1000 if stamp > SECONDS_END else stamp
