"""The states of one person's day, and every way from one to another; pure.

A day begins without an entry. A check-in, an approved leave, an approved correction or the close makes one; nothing
that was on time or late ever becomes missing, and nothing follows from any of it but a line in a list.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from groupops import AccountId, Event, GroupId, PersonId
from groupops_check_in.shifts import Hours

SKEW = timedelta(minutes=10)
"""How much older than its arrival a fact's own moment may be and still count (G4)."""


class State(StrEnum):
    """What a day came to. Without consent there is no entry, hence no state to be seen by anybody."""

    ON_TIME = "on_time"
    LATE = "late"
    MISSING = "missing"
    EXCUSED = "excused"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One check-in, of which only words are left.

    Args:
        state: on time or late, by the moment that counts.
        place: the label; empty outside all sites.
        means: `location`, `text`, or `oa` for what the company's attendance told.
        unsure: True when the coordinates' system was unknown and the label depends on it, or attendance doubts it.
        at: the moment that counts, aware.
        account: the account it came from.
    """

    state: State
    place: str
    means: str
    unsure: bool = False
    at: datetime
    account: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A person's day as it stands.

    Args:
        group_id, person_id, account: where and who.
        day: the date the shift opened on.
        shift: its name.
        state: what the day came to.
        place, means, unsure: as in the sighting they are from; `means` may be `correction`.
        at: the moment of the first check-in, or None without one.
        place_at: the moment of the one that named the place, or None while there is no place.
    """

    group_id: GroupId
    person_id: PersonId
    account: AccountId
    day: date
    shift: str = ""
    state: State = State.MISSING
    place: str = ""
    means: str = ""
    unsure: bool = False
    at: datetime | None = None
    place_at: datetime | None = None


def counted_at(event: Event) -> datetime:
    """Give the moment at which a fact counts (G4): its own, unless it arrived more than `SKEW` later.

    A moment ahead of its arrival never counts.
    """
    received = event.received_at or event.at
    return event.at if timedelta(0) <= received - event.at <= SKEW else received


def state_at(moment: datetime, hours: Hours) -> State | None:
    """Give what a check-in at a moment is: the due moment itself is on time; None outside the hours."""
    if not hours.opens <= moment < hours.closes:
        return None
    return State.ON_TIME if moment <= hours.due else State.LATE


def checked_in(blank: Entry, entry: Entry | None, seen: Sighting) -> Entry:
    """Give a day after a check-in: the earliest decides the state, the latest that names a place the place.

    In whatever order check-ins arrive, and however often each does, the day comes to the same.

    Args:
        blank: who and which day, for a day that has no entry.
        entry: the day as it stands, or None.
        seen: the check-in.
    """
    entry = entry or blank
    if entry.at is None or seen.at < entry.at:
        # Who is on leave and there all the same stays excused.
        state = entry.state if entry.state is State.EXCUSED else seen.state
        entry = replace(entry, state=state, at=seen.at, account=seen.account)
    if entry.place_at is None or (seen.place and seen.at > entry.place_at):
        return _placed(entry, seen)
    return entry


def _placed(entry: Entry, seen: Sighting) -> Entry:
    place_at = seen.at if seen.place else None
    return replace(entry, place=seen.place, means=seen.means, unsure=seen.unsure, place_at=place_at)


def excused(blank: Entry, entry: Entry | None) -> Entry:
    """Give a day for which leave was approved; who checked in has done so."""
    entry = entry or blank
    return replace(entry, state=State.EXCUSED) if entry.state is State.MISSING else entry


def corrected(blank: Entry, place: str, at: datetime, entry: Entry | None) -> Entry:
    """Give a day for which a correction was approved at a moment: who was there after all is no longer missing."""
    entry = entry or blank
    state = State.CORRECTED if entry.state is State.MISSING else entry.state
    return replace(entry, state=state, place=place, means="correction", unsure=False, place_at=at)


def closed(blank: Entry, entry: Entry | None) -> Entry:
    """Give a day at its close: without any entry it is missing."""
    return entry or blank
