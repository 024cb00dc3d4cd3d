"""What an end answers, and what never came back, as receipts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from nonebot.adapters.onebot.v11 import ActionFailed, ApiNotAvailable, NetworkError

from groupops import (
    Capability,
    Gone,
    Impossible,
    InDoubt,
    Receipt,
    Refused,
    Throttled,
    Unreachable,
)
from groupops_onebot.shapes import table, word
from groupops_onebot.words import words

NO_SUCH_CALL = frozenset({404, 1404, 10002})
"""Retcodes of a call an end does not have (go-cqhttp's 404, NapCat's and LuckyLillia's 1404, v12's 10002)."""

TOO_OFTEN = frozenset({429, 1429})
NOT_FOUND = frozenset({10003, 35001})

LONGEST_WHY = 300
"""Characters kept of an end's own words."""

PAUSE = timedelta(seconds=30)
"""How long to wait when QQ says not so fast; it never says for how long."""


class NotSent(NetworkError):
    """The call never left: there is no connection, or it was closed before."""


class AnswerLost(NetworkError):
    """The call left and no answer came, in time or at all."""


class NotConnected(ApiNotAvailable):
    """There is no way to the bot."""


def answer_of(frame: Mapping[str, Any]) -> Any:
    """Give the data of an answer.

    Raises:
        ActionFailed: the end says that it failed, in whatever of the two ways there are.
    """
    retcode = frame.get("retcode")
    failed = frame.get("status") == "failed" or (isinstance(retcode, int) and retcode not in (0, 1))
    if failed:
        raise _failed({key: value for key, value in frame.items() if key.isidentifier()})
    return frame.get("data")


def _failed(said: Mapping[str, Any]) -> ActionFailed:
    make: Any = ActionFailed  # the library's constructor has no types
    error: ActionFailed = make(**said)
    return error


def retcode_of(error: ActionFailed) -> int:
    """Give the number of a failure; -1 when the end gave none."""
    code = table(cast("Any", error).info).get("retcode")
    return code if isinstance(code, int) and not isinstance(code, bool) else -1


def why_of(error: ActionFailed) -> str:
    """Give what an end says of a failure, bounded."""
    info = table(cast("Any", error).info)
    said = (word(info.get(key), LONGEST_WHY) for key in ("message", "wording", "msg"))
    return next((text for text in said if text.strip()), f"retcode {retcode_of(error)}")


def is_missing(error: ActionFailed) -> bool:
    """Say whether an end does not have a call at all."""
    return retcode_of(error) in NO_SUCH_CALL


def receipt_of(error: Exception, needs: Capability) -> Receipt:
    """Give the receipt of a call that failed.

    Args:
        error: how it failed.
        needs: the capability the call was for.
    """
    if isinstance(error, ActionFailed):
        return _refusal(error, needs)
    if isinstance(error, NotSent | ApiNotAvailable):
        return Unreachable(why=word(str(getattr(error, "msg", "") or "not connected"), LONGEST_WHY))
    if isinstance(error, NetworkError):
        return InDoubt(why=word(str(error.msg or "no answer"), LONGEST_WHY))
    raise error


def _refusal(error: ActionFailed, needs: Capability) -> Receipt:
    code, why = retcode_of(error), why_of(error)
    if code in NO_SUCH_CALL:
        return Impossible(capability=needs)
    if code in TOO_OFTEN:
        return Throttled(retry_after=PAUSE)
    if code in NOT_FOUND:
        return Gone(why=why)
    match words().meaning(why):
        case "throttled":
            return Throttled(retry_after=PAUSE)
        case "gone":
            return Gone(why=why)
        case "in_doubt":
            return InDoubt(why=why)
        case _:
            return Refused(why=why)
