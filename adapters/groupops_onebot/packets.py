"""Red packets on QQ: found by signs, in the order of their worth; an amount is never known."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from groupops_onebot.shapes import table, tables

WALLET_MESSAGE = 10
"""`msgType` of a kernel message that is a red packet (`qq_nonebot.md` §1.4)."""

WALLET_ELEMENT = 9
"""`elementType` of the part of a kernel message that is a red packet (as above)."""

WALLET_TIP = "2602"
"""`busi_id` of grey lines about red packets (as above)."""


def in_kernel_message(raw: Any) -> bool:
    """Say whether the kernel's message (sent along by ends with `debug` on) is a red packet."""
    message = table(raw)
    if not message:
        return False  # as of most ends, for every message
    if _is(message.get("msgType"), WALLET_MESSAGE):
        return True
    return any(_is(part.get("elementType"), WALLET_ELEMENT) for part in tables(message.get("elements")))


def in_tip(busi_id: int | str) -> bool:
    """Say whether a grey line is about a red packet."""
    return str(busi_id) == WALLET_TIP


def in_text(text: str, patterns: Collection[str]) -> bool:
    """Say whether a whole message is one of the texts an operator takes for a red packet; none by default."""
    return bool(patterns) and text.strip() in patterns


def _is(value: Any, wanted: int) -> bool:
    """Compare numbers that some ends write as texts."""
    return not isinstance(value, bool) and isinstance(value, (int, str)) and str(value) == str(wanted)
