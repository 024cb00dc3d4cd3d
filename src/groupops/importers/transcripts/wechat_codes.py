"""WeChat's numbers for kinds of messages, also those in which two numbers are packed into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from groupops.importers.transcripts.values import Kind

TEXT, APP, SYSTEM, SYSTEM_XML = 1, 49, 10000, 10002

_KINDS: Final[Mapping[int, Kind]] = {
    1: "text",
    3: "image",
    34: "voice",
    42: "contact",
    43: "video",
    47: "emoji",
    48: "location",
    50: "call",
}
_OF_APPS: Final[Mapping[int, Kind]] = {
    1: "link",
    4: "link",
    5: "link",
    6: "file",
    8: "emoji",
    19: "forward",
    33: "share",
    36: "share",
    51: "share",
    57: "reply",
    62: "poke",
    63: "share",
    74: "file",
    92: "share",
    2000: "transfer",
    2001: "red_packet",
}


def unpacked(code: int) -> tuple[int, int]:
    """Give type and subtype: newer programs keep `type | subtype << 32` in one number."""
    return (code & 0xFFFFFFFF, code >> 32) if code >= 1 << 32 else (code, 0)


def kind_of(code: int, sub: int = 0) -> Kind:
    """Give what a message is; `other` for what is not known."""
    code, packed = unpacked(code)
    return _OF_APPS.get(sub or packed, "other") if code == APP else _KINDS.get(code, "other")
