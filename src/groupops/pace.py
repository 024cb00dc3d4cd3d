"""How fast the bot may act: token buckets per platform, per group and per kind of action, on the clock handed in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from groupops.actions import (
    Action,
    Announce,
    DirectMessage,
    RemoveMember,
    Reply,
    SendCard,
    SendFile,
    SendImage,
    SendText,
    SetCard,
    UpdateCard,
)
from groupops.people import GroupId
from groupops.platform import Pace, Paced, Platform, Rate

MESSAGES = (SendText, Reply, SendImage, SendFile, SendCard, UpdateCard, DirectMessage, Announce)
"""Actions that say something; all others are deeds."""

SLOW = (SetCard, RemoveMember, Announce)
"""Actions that take a platform seconds, or that it watches closely; they are spread and hold up nothing else."""

LONGEST = timedelta(minutes=2)
"""Time for which what a platform throttled holds up others of its kind; whatever is to wait longer waits alone."""

KEPT = 4096
"""Buckets of groups after which those that are full again are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What the operator wants instead of what a platform says; None leaves the platform's own word.

    Args:
        on: False switches pacing off; what a platform itself asks for by `Throttled` is kept all the same.
        messages_per_minute: everything the bot says.
        group_messages_per_minute: what it says in one group.
        slow_seconds: seconds between two kicks, two cards, two announcements.
    """

    on: bool = True
    messages_per_minute: int | None = None
    group_messages_per_minute: int | None = None
    slow_seconds: float | None = None

    def over(self, pace: Pace) -> Pace:
        """Give a pace with the operator's numbers in it; bursts, jitter and merging stay the platform's."""
        if not self.on:
            return Pace()
        slow = {kind: _spread(pace.kinds.get(kind), self.slow_seconds) for kind in _SLOW_KINDS}
        kinds = {**pace.kinds, **{kind: rate for kind, rate in slow.items() if rate is not None}}
        return replace(
            pace,
            messages=_per_minute(pace.messages, self.messages_per_minute),
            group_messages=_per_minute(pace.group_messages, self.group_messages_per_minute),
            kinds=kinds,
        )


_SLOW_KINDS = ("set_card", "remove_member", "announce")


def _per_minute(rate: Rate | None, number: int | None) -> Rate | None:
    if number is None:
        return rate
    burst = 1 if rate is None else min(rate.burst, number)
    return Rate(every=timedelta(minutes=1) / number, burst=burst)


def _spread(rate: Rate | None, seconds: float | None) -> Rate | None:
    if seconds is None:
        return rate
    return Rate(every=timedelta(seconds=seconds), burst=1 if rate is None else rate.burst)


@dataclass(slots=True)
class Bucket:
    """One limit, as the moment at which all its tokens would be back (generic cell rate algorithm, ITU-T I.371).

    Args:
        rate: how often; None limits nothing.
    """

    rate: Rate | None = None
    _full_at: datetime | None = None

    def ready_at(self, now: datetime) -> datetime:
        """Give the earliest moment, `now` or later, at which there is a token."""
        if self.rate is None or self._full_at is None:
            return now
        return max(now, self._full_at - self.rate.every * (self.rate.burst - 1))

    def take(self, now: datetime, waited: float = 0.0) -> None:
        """Take a token.

        Args:
            now: when.
            waited: share of a token's time by which it comes back later (jitter).
        """
        if self.rate is not None:
            self._full_at = max(now, self._full_at or now) + self.rate.every * (1 + waited)

    def idle(self, now: datetime) -> bool:
        """Say whether all tokens are back, so that forgetting it changes nothing."""
        return self._full_at is None or self._full_at <= now


class Pacer:
    """The buckets of one platform.

    Args:
        pace: how fast it may be used; an empty one limits nothing.
        dice: where jitter comes from; seeded, a run repeats itself.
    """

    def __init__(self, pace: Pace | None = None, dice: random.Random | None = None) -> None:
        self.pace = pace or Pace()
        self._dice = dice or random.Random()
        self._messages = Bucket(self.pace.messages)
        self._deeds = Bucket(self.pace.deeds)
        self._kinds = {kind: Bucket(rate) for kind, rate in self.pace.kinds.items()}
        self._groups: dict[GroupId, Bucket] = {}
        self._shut: dict[tuple[str, str], datetime] = {}

    def ready_at(self, action: Action, now: datetime) -> datetime:
        """Give the earliest moment at which an action may be done; `now` when it may at once."""
        ready = max((bucket.ready_at(now) for bucket in self._of(action)), default=now)
        until = self._shut.get(_place(action)) if self._shut else None
        return ready if until is None else max(ready, until)

    def take(self, action: Action, now: datetime) -> None:
        """Count an action that is being done."""
        waited = self.pace.jitter * self._dice.random() if self.pace.jitter else 0.0
        if said_in_group(action) and self.pace.group_messages is not None:
            self._group(action.group_id, now)
        for bucket in self._of(action):
            bucket.take(now, waited)

    def throttled(self, action: Action, retry_after: timedelta, now: datetime) -> None:
        """The platform said not now: nothing of that kind is done there again before it said, or `LONGEST` at most."""
        self._shut = {place: until for place, until in self._shut.items() if until > now}
        until = now + min(retry_after, LONGEST)
        self._shut[_place(action)] = max(until, self._shut.get(_place(action), until))

    def _of(self, action: Action) -> Iterator[Bucket]:
        kind = self._kinds.get(action.kind)
        if kind is not None:
            yield kind
        if not isinstance(action, MESSAGES):
            yield self._deeds
            return
        yield self._messages
        if said_in_group(action) and action.group_id in self._groups:
            yield self._groups[action.group_id]

    def _group(self, group_id: GroupId, now: datetime) -> Bucket:
        if group_id not in self._groups:
            if len(self._groups) >= KEPT:
                self._groups = {one: bucket for one, bucket in self._groups.items() if not bucket.idle(now)}
            self._groups[group_id] = Bucket(self.pace.group_messages)
        return self._groups[group_id]


def _place(action: Action) -> tuple[str, str]:
    """Give the narrowest limit an answer can have meant: a kind of message in one group, or a kind of action."""
    return action.group_id if said_in_group(action) else "", action.kind


def said_in_group(action: Action) -> bool:
    """Say whether an action is a message that everybody in its group sees."""
    if isinstance(action, Reply):
        return True  # its account is whom it answers
    return isinstance(action, MESSAGES) and getattr(action, "account", None) is None


@dataclass(slots=True)
class Pacers:
    """The pacers of all platforms, made when each is first acted on.

    Args:
        overrides: what the operator wants instead.
        dice: where jitter comes from.
    """

    overrides: Overrides = field(default_factory=Overrides)
    dice: random.Random | None = None
    _made: dict[str, Pacer] = field(default_factory=dict[str, Pacer])

    def of(self, platform: Platform) -> Pacer:
        """Give a platform's pacer; one that states no pace is only slowed down by its own `Throttled`."""
        made = self._made.get(platform.name)
        if made is None:
            pace = self.overrides.over(platform.pace()) if isinstance(platform, Paced) else Pace()
            made = self._made[platform.name] = Pacer(pace, self.dice)
        return made
