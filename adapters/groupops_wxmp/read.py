"""From the adapter's events to facts: a place that was sent, and what a member writes or taps; in no group."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from groupops import AccountId, CommandGiven, Event, GroupId, Location, LocationShared

NAME = "wxmp"

LATE = timedelta(minutes=1)
"""What comes later than this says when it came."""

LONGEST = 2_000
"""Characters of a message that are read."""

_FIRST, _LAST = 946_684_800, 4_102_444_800  # 2000-01-01, 2100-01-01

TEXT, PLACE, MENU, PICKED, VOICE = "text", "location", "CLICK", "location_select", "voice"


def account(openid: str) -> AccountId:
    """Give the account of a member."""
    return AccountId(f"{NAME}:{openid}")


def read(event: Any, now: datetime) -> Event | None:
    """Give what an event tells; None for what is of no interest.

    A place that was sent counts, and one picked by the menu comes as such too. The place that an app reports by
    itself (`LOCATION`) does not: nobody sent it.
    """
    openid = str(getattr(event, "user_id", ""))
    if not openid:
        return None
    if str(getattr(event, "message_type", "")) == PLACE or getattr(event, "event", "") == PICKED:
        return _place(event, openid, now)
    words = words_of(event)
    if not words:
        return None
    return CommandGiven(
        **_base(event, openid, now),
        account=account(openid),
        name=words[0].removeprefix("/").removeprefix("\uff0f"),
        args=tuple(words[1:]),
        private=True,
        message_id=_number(event),
    )


def words_of(event: Any) -> list[str]:
    """Give the words of a message, of a menu's key, or of what a voice message was heard to say."""
    kind, what = str(getattr(event, "message_type", "")), str(getattr(event, "event", ""))
    if kind == TEXT:
        return str(getattr(event, "content", ""))[:LONGEST].split()
    if kind == "event" and what == MENU:
        return str(getattr(event, "event_key", ""))[:LONGEST].split()
    if kind == VOICE:
        return str(getattr(event, "recognition", None) or "")[:LONGEST].rstrip("。").split()
    return []


def written_at(event: Any, now: datetime) -> datetime:
    """Give when a message was written; now where it says what cannot be."""
    seconds = getattr(event, "timestamp", 0)
    if not isinstance(seconds, int) or not _FIRST <= seconds <= _LAST:
        return now
    return min(datetime.fromtimestamp(seconds, UTC), now)


def _place(event: Any, openid: str, now: datetime) -> LocationShared | None:
    latitude, longitude = _degrees(event, "location_x"), _degrees(event, "location_y")
    if abs(latitude) > 90 or abs(longitude) > 180 or math.isnan(latitude + longitude):  # noqa: PLR2004 - degrees
        return None
    where = Location(
        latitude=latitude,
        longitude=longitude,
        crs="gcj02",  # as every map in WeChat is
        label=str(getattr(event, "label", "") or "")[:200],
    )
    return LocationShared(
        **_base(event, openid, now),
        account=account(openid),
        location=where,
        message_id=_number(event),
        private=True,
    )


def _degrees(event: Any, key: str) -> float:
    try:
        return float(getattr(event, key, "nan"))
    except ValueError:
        return math.nan


def _base(event: Any, openid: str, now: datetime) -> dict[str, Any]:
    at = written_at(event, now)
    return {
        "id": f"{NAME}:{openid}/{mark_of(event)}",
        "at": at,
        "group_id": GroupId(account(openid)),
        "source": "bot",
        "received_at": now if now - at > LATE else None,
    }


def mark_of(event: Any) -> str:
    """Give what makes an event this one, however often it is pushed: its number, or its moment and what it is."""
    number = _number(event)
    if number:
        return number
    said = (
        f"{getattr(event, 'timestamp', '')}\n{getattr(event, 'event', '')}\n{getattr(event, 'event_key', '')}"
    )
    return sha256(said.encode(errors="replace")).hexdigest()[:24]


def _number(event: Any) -> str:
    return str(getattr(event, "message_id", None) or "")[:64]
