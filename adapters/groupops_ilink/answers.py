"""What iLink answers, and what it means that it does not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

STALE = -14
THROTTLED = -2

Outcome = Literal["ok", "stale", "throttled", "refused", "unsent", "doubtful"]
"""`unsent`: it never left this machine. `doubtful`: it left, and nothing is known of what became of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Args:
        outcome: what it comes to.
        why: in iLink's words, or ours where it said nothing.
        cursor: how far has been read, where that was asked.
    """

    outcome: Outcome
    why: str = ""
    cursor: str = ""


class NotTaken(Exception):
    """A message was not taken.

    Args:
        answer: why.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.why)


def answer_of(raw: bytes | str | None) -> Answer:
    """Read an answer; `ret` and `errcode` may both be missing, which is success."""
    if not raw:
        return Answer("ok")
    try:
        said = json.loads(raw)
    except ValueError:
        return Answer("doubtful", "an answer that is no JSON")
    if not isinstance(said, dict):
        return Answer("doubtful", "an answer of another shape")
    codes = [code for key in ("ret", "errcode") if (code := _number(said.get(key)))]  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    why = f"ret={codes[0] if codes else 0} {said.get('errmsg') or ''}".strip()[:200]  # pyright: ignore[reportUnknownMemberType]
    if STALE in codes:
        return Answer("stale", why)
    if THROTTLED in codes:
        return Answer("throttled", why)
    if codes:
        return Answer("refused", why)
    return Answer("ok", cursor=str(said.get("get_updates_buf") or ""))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def answer_to(error: Exception) -> Answer:
    """Say what an error of the adapter means: whether anything left this machine."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    name, text = type(cause).__name__, str(getattr(error, "msg", "") or error)
    if " HTTP 4" in text:
        return Answer("refused", text[:200])
    if name in ("ConnectError", "ConnectTimeout", "ConnectionRefusedError", "gaierror", "PoolTimeout"):
        return Answer("unsent", name)
    return Answer("doubtful", name if error.__cause__ is not None else text[:200])


def is_timeout(error: Exception) -> bool:
    """Say whether a long poll merely ended without news."""
    cause: BaseException | None = error
    while cause is not None:
        if "Timeout" in type(cause).__name__ and "Connect" not in type(cause).__name__:
            return True
        cause = cause.__cause__
    return False


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
