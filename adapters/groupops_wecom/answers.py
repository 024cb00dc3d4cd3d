"""What WeCom answers, and what never came back, as receipts: by the classes of `codes.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from groupops import Capability, Impossible, InDoubt, Receipt, Refused, Throttled, Unreachable
from groupops_wecom.budget import Throttled as TooOften
from groupops_wecom.codes import CodeClass, meaning
from groupops_wecom.exception import (
    ActionFailed,
    ApiNotAvailable,
    NetworkError,
    WeComAdapterException,
    WindowClosed,
)
from groupops_wecom.exception import InDoubt as Lost

LONGEST_WHY = 200
"""Characters kept of WeCom's own words."""

PAUSES: Mapping[CodeClass, timedelta] = MappingProxyType(
    {
        CodeClass.RETRY: timedelta(seconds=30),
        CodeClass.REFRESH: timedelta(seconds=30),
        CodeClass.SERIALISE: timedelta(seconds=5),
        CodeClass.THROTTLED: timedelta(seconds=60),
    }
)
"""How long to wait after an answer that says not now, where the client has done its own waiting."""

LONGEST_PAUSE = timedelta(hours=24)


def kind_of(error: Exception) -> CodeClass | None:
    """Give the class of a refusal; None for what is no refusal of WeCom's."""
    return meaning(error.errcode).kind if isinstance(error, ActionFailed) else None


def why_of(error: Exception) -> str:
    """Give what went wrong, in words: what the code means, else WeCom's own."""
    if isinstance(error, ActionFailed):
        means = meaning(error.errcode).means or error.errmsg
        return f"{error.errcode} {means}"[:LONGEST_WHY]
    said = getattr(error, "msg", "") or getattr(error, "why", "") or str(error)
    return str(said or type(error).__name__)[:LONGEST_WHY]


def is_unsent(error: Exception) -> bool:
    """Say whether another way may be tried: nothing was done, and it was not the words' fault."""
    if isinstance(error, Lost):
        return False
    if isinstance(error, ActionFailed):
        return kind_of(error) is not CodeClass.REPORT
    return isinstance(error, WeComAdapterException)


def receipt_of(error: Exception, needs: Capability) -> Receipt:
    """Give the receipt of a call that failed.

    Args:
        error: what it raised.
        needs: what the action needs.
    """
    match error:
        case TooOften():
            return Throttled(retry_after=min(timedelta(seconds=max(error.wait, 1.0)), LONGEST_PAUSE))
        case ActionFailed():
            return _refusal(error, needs)
        case Lost():
            return InDoubt(why=why_of(error))
        case NetworkError():
            return Unreachable(why=why_of(error))
        case WindowClosed():
            return Refused(why=why_of(error))
        case ApiNotAvailable():
            return Impossible(capability=needs)
        case _:
            return Refused(why=why_of(error))


def _refusal(error: ActionFailed, needs: Capability) -> Receipt:
    kind = meaning(error.errcode).kind
    if kind in PAUSES:
        return Throttled(retry_after=PAUSES[kind])
    if kind is CodeClass.CONFIGURATION:
        return Unreachable(why=why_of(error))  # an operator sets it right; until then nothing can be sent
    if kind is CodeClass.FORBIDDEN:
        return Impossible(capability=needs)
    return Refused(why=why_of(error))
