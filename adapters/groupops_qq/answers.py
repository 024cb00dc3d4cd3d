"""What the platform answers, and what never came back: its codes as meanings, and meanings as receipts."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from nonebot.adapters.qq import ActionFailed, ApiNotAvailable, NetworkError
from nonebot.adapters.qq.exception import AuditException, RateLimitException, UnauthorizedException

from groupops import (
    Capability,
    Done,
    Gone,
    Impossible,
    InDoubt,
    Receipt,
    Refused,
    Throttled,
    Unreachable,
)
from groupops_qq.shapes import table, word

LONGEST_WHY = 200
"""Characters kept of the platform's own words."""

PAUSE = timedelta(seconds=30)
"""How long to wait when the platform says not so fast and not for how long."""

LONGEST_PAUSE = timedelta(hours=1)

_SERVER_FAULT = 500


class NotSent(NetworkError):
    """The call never left: no connection, no token."""


class AnswerLost(NetworkError):
    """The call left and no answer came."""


FAILURES = (ActionFailed, ApiNotAvailable, NetworkError, AuditException)
"""All ways a call may fail."""


@cache
def meanings() -> Mapping[int, str]:
    """Give code → meaning, as `codes.toml` has them."""
    raw = tomllib.loads(resources.files(__package__ or "").joinpath("codes.toml").read_text("utf-8"))
    return MappingProxyType({code: meaning for meaning, codes in raw.items() for code in codes})


def code_of(body: Any) -> int:
    """Give the error code of an answer; 0 where it holds none."""
    said = table(body)
    for key in ("err_code", "code"):
        code = said.get(key)
        if isinstance(code, int) and not isinstance(code, bool) and code:
            return code
        if isinstance(code, str) and code.isascii() and code.isdigit() and int(code[:18]):
            return int(code[:18])
    return 0


def meaning_of(error: Exception) -> str:
    """Give what a failed call means; empty for what `codes.toml` does not know."""
    if not isinstance(error, ActionFailed):
        return ""
    return meanings().get(code_of(_body(error)), "")


def _body(error: ActionFailed) -> Any:
    failed: Any = error
    return failed.body


def why_of(error: Exception) -> str:
    """Give what the platform says of a failure, bounded, with its code."""
    if isinstance(error, AuditException):
        return "held back for review by the platform"
    if not isinstance(error, ActionFailed):
        return word(str(getattr(error, "msg", "") or type(error).__name__), LONGEST_WHY)
    said = word(table(_body(error)).get("message"), LONGEST_WHY) or f"HTTP {error.status_code}"
    code = code_of(_body(error))
    return f"{said} ({code})" if code else said


def receipt_of(error: Exception, needs: Capability) -> Receipt:
    """Give the receipt of a call that failed.

    Args:
        error: how it failed, one of `FAILURES`.
        needs: the capability the call was for.
    """
    if isinstance(error, RateLimitException):
        return Throttled(retry_after=pause_of(error))
    if isinstance(error, UnauthorizedException | NotSent):
        return Unreachable(why=why_of(error))
    if isinstance(error, NetworkError):
        return InDoubt(why=why_of(error))
    if isinstance(error, ApiNotAvailable):
        return Impossible(capability=needs)
    return _refusal(error, needs)


def _refusal(error: Exception, needs: Capability) -> Receipt:
    why = why_of(error)
    match meaning_of(error):
        case "duplicate":
            return Done()
        case "too_often":
            return Throttled(retry_after=PAUSE)
        case "not_asked" | "no_access" | "no_markup":
            return Impossible(capability=needs)
        case "no_private":
            return Impossible(capability=Capability.DIRECT_MESSAGE)
        case "window_unknown" | "not_there" | "too_late" | "no_message":
            return Gone(why=why)
        case "in_doubt":
            return InDoubt(why=why)
        case "credentials":
            return Unreachable(why=why)
        case "":
            fault = isinstance(error, ActionFailed) and error.status_code >= _SERVER_FAULT
            return InDoubt(why=why) if fault else Refused(why=why)
        case _:
            return Refused(why=why)


def pause_of(error: ActionFailed) -> timedelta:
    """Give how long to wait after a 429: what `Retry-After` says, in seconds, at most an hour; else `PAUSE`."""
    said = word(error.response.headers.get("Retry-After"), 10)
    if not (said.isascii() and said.isdigit()):
        return PAUSE
    return max(timedelta(seconds=1), min(timedelta(seconds=int(said)), LONGEST_PAUSE))
