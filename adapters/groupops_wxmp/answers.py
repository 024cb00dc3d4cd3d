"""What the platform answers to a customer-service message, and what it means that it does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from groupops import InDoubt, Receipt, Refused, Throttled, Unreachable

BAD_TOKEN = frozenset({40001, 40014, 42001})
"""The access token does not count (any more)."""

SHUT = frozenset({45015, 45047, 48001})
"""Too long since the member wrote; too many messages since; the account may not send any."""

BUSY = -1
QUOTA = 45009

A_WHILE = timedelta(seconds=30)
AN_HOUR = timedelta(hours=1)


def code_of(error: Exception) -> int:
    """Give the platform's number for an error; 0 where it gave none."""
    code: Any = getattr(error, "code", None)
    return code if isinstance(code, int) else 0


def receipt_of(error: Exception) -> Receipt:
    """Say what an error means for what was asked."""
    code = code_of(error)
    why = f"errcode {code}: {getattr(error, 'msg', '') or ''}"[:200]
    if code == BUSY:
        return Throttled(retry_after=A_WHILE)
    if code == QUOTA:
        return Throttled(retry_after=AN_HOUR)
    if code in SHUT or code in BAD_TOKEN:
        return Unreachable(why=why)
    if code:
        return Refused(why=why)
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    name = type(cause).__name__
    return Unreachable(why=name) if name in ("ConnectError", "ConnectTimeout") else InDoubt(why=name)
