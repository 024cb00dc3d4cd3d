"""How much the bot may say unasked: what is configured, corrected by what the platform refuses."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from groupops_qq.shapes import Recent

UNITS: Mapping[str, timedelta] = MappingProxyType(
    {
        "minute": timedelta(minutes=1),
        "hour": timedelta(hours=1),
        "day": timedelta(days=1),
        "month": timedelta(days=30),
    }
)

MOST = 10_000
"""The largest number a quota may name: each message said is remembered for its window."""

PLACES = 5_000

FIRST_REST = timedelta(minutes=1)
LONGEST_REST = timedelta(hours=24)

FORGIVEN_AFTER = timedelta(hours=48)
"""Refusals that lie apart by more than this are not one after the other."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many messages within a span."""

    number: int
    span: timedelta


def limit_of(text: str) -> Limit:
    """Read a limit such as `20/minute`.

    Raises:
        ValueError: it is none; the text says what one looks like.
    """
    number, _, unit = text.strip().partition("/")
    span = UNITS.get(unit.strip().lower().removesuffix("s"))
    if span is None or not (number.strip().isascii() and number.strip().isdigit()):
        raise ValueError(
            f'{text!r} is no quota; write "<number>/<{"|".join(UNITS)}>", e.g. "20/minute", or "0/day" for none'
        )
    if int(number) > MOST:
        raise ValueError(f"{text!r}: a quota of more than {MOST} is none; leave it out")
    return Limit(int(number), span)


@dataclass(slots=True)
class Count:
    """What was said unasked in one place, and what the platform refused there.

    Args:
        said: moments, oldest first.
        rests_until: no try before; None when nothing was refused of late.
        rest: how long the last refusal was heeded.
        refused_at: when that was.
        measured: how many had been said within a day when the platform refused; None while it never did.
    """

    said: deque[datetime] = field(default_factory=deque[datetime])
    rests_until: datetime | None = None
    rest: timedelta = FIRST_REST
    refused_at: datetime | None = None
    measured: int | None = None


class Quota:
    """Messages the bot may say unasked, per place.

    Args:
        usual: the limits of every place.
        special: place → its own limits instead.
    """

    def __init__(
        self, usual: tuple[Limit, ...] = (), special: Mapping[str, tuple[Limit, ...]] | None = None
    ) -> None:
        self._usual = usual
        self._special = dict(special or {})
        self._counts: Recent[str, Count] = Recent(PLACES)

    def wait(self, place: str, now: datetime) -> timedelta | None:
        """Give how long until something may be said: nothing now, or None for never."""
        limits = self._limits(place)
        if any(limit.number == 0 for limit in limits):
            return None
        count = self._counts.get(place)
        if count is None:
            return timedelta()
        moments = [self._free_at(count, limit) for limit in limits if len(count.said) >= limit.number]
        if count.rests_until is not None:
            moments.append(count.rests_until)
        return max([timedelta(), *(at - now for at in moments)])

    def said(self, place: str, now: datetime) -> None:
        """Count a message."""
        count = self._count(place)
        most = max((limit.number for limit in self._limits(place)), default=0)
        count.said.append(now)
        while len(count.said) > max(most, 1):
            count.said.popleft()
        count.rests_until = None
        count.rest = FIRST_REST

    def refused(self, place: str, now: datetime) -> timedelta:
        """Note that the platform lets no more through; gives how long that is heeded, longer each time in a row."""
        count = self._count(place)
        in_a_row = count.refused_at is not None and now - count.refused_at < FORGIVEN_AFTER
        count.rest = min(count.rest * 4, LONGEST_REST) if in_a_row else FIRST_REST
        count.refused_at, count.rests_until = now, now + count.rest
        day = now - UNITS["day"]
        count.measured = sum(at > day for at in count.said)
        return count.rest

    def measured(self, place: str) -> int | None:
        """Give after how many messages of a day the platform last refused; None when it never did."""
        count = self._counts.get(place)
        return count.measured if count is not None else None

    def _limits(self, place: str) -> tuple[Limit, ...]:
        return self._special.get(place, self._usual)

    def _count(self, place: str) -> Count:
        count = self._counts.get(place) or Count()
        self._counts.put(place, count)
        return count

    @staticmethod
    def _free_at(count: Count, limit: Limit) -> datetime:
        """Give when the oldest of the last so many falls out of the span."""
        return count.said[-limit.number] + limit.span
