"""From the adapter's events to facts: what a person writes or says to the bot is a command, in no group."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from groupops import AccountId, CommandGiven, GroupId

NAME = "ilink"

LATE = timedelta(minutes=1)
"""What comes later than this says when it came."""

LONGEST = 4_000
"""Characters of a message that are read."""

_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def account(user: str) -> AccountId:
    """Give the account of a person."""
    return AccountId(f"{NAME}:{user}")


def read(event: Any, now: datetime) -> CommandGiven | None:
    """Give the command a message holds; None for one without words, and for what is no message."""
    user, words = str(getattr(event, "from_user_id", "")), words_of(event).split()
    if not user or not words:
        return None
    at = written_at(event, now)
    return CommandGiven(
        id=f"{NAME}:{user}/{_mark(event, words)}",
        at=at,
        group_id=GroupId(account(user)),
        source="bot",
        received_at=now if now - at > LATE else None,
        account=account(user),
        name=words[0].removeprefix("/").removeprefix("\uff0f"),
        args=tuple(words[1:]),
        private=True,
        message_id=str(getattr(event, "message_id", "") or ""),
    )


def words_of(event: Any) -> str:
    """Give the words of a message: what was typed, or what a voice message was heard to say; no quoted ones."""
    parts = [
        str(one.data.get("text") or "")
        for one in getattr(event, "message", ())
        if one.type in ("text", "voice")
    ]
    return " ".join(part for part in parts if part)[:LONGEST]


def written_at(event: Any, now: datetime) -> datetime:
    """Give when a message was written; now where it does not say, or says what cannot be."""
    millis = getattr(event, "create_time_ms", None) or 0
    try:
        at = datetime.fromtimestamp(millis / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return now
    return min(at, now) if _FIRST <= at <= _LAST else now


def _mark(event: Any, words: list[str]) -> str:
    """Give what makes a message this one; its number, or, where it has none, its moment and words."""
    number = getattr(event, "message_id", None)
    if number:
        return str(number)
    said = f"{getattr(event, 'create_time_ms', '')}\n{' '.join(words)}"
    return sha256(said.encode(errors="replace")).hexdigest()[:24]
