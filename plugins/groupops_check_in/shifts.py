"""When whom: the day's moments of a shift, and which shift a person works."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from groupops import ConfigError, Window, WorkCalendar

EVERYBODY = "all"
"""Stands for every registered person among the roles of a shift."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The moments of one shift on one day, aware, in UTC: `opens` ≤ `due` < `closes`.

    Args:
        day: the date it opens on in the group's timezone; the day all is booked under.
        opens: from when on a check-in counts.
        due: the last moment that is on time (G4).
        closes: the first moment at which nothing is taken any more.
        reminders: when those who have not answered are reminded.
    """

    day: date
    opens: datetime
    due: datetime
    closes: datetime
    reminders: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A shift as operators write it.

    Args:
        name: what it is called; empty for the only one.
        roles: the organisation's roles that work it.
        opens: when a check-in counts first, by the clocks of the group.
        due: until when it is on time.
        closes: when the list is made.
        remind_at: when to remind.
        days: on which days, as in `groupops.Window`; the date it opens on decides (G3).
    """

    name: str
    roles: frozenset[str]
    opens: time
    due: time
    closes: time
    remind_at: tuple[time, ...] = ()
    days: str = "workdays"
    _to_close: Window = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hold the order of the moments.

        Raises:
            ConfigError: they are not in order, or `days` cannot be read.
        """
        late, end = self._after(self.due), self._after(self.closes)
        if not timedelta(0) < late < end:
            raise ConfigError(
                f"shift {self.name or 'of the table itself'!r}: open {self.opens:%H:%M}, due {self.due:%H:%M}, "
                f"close {self.closes:%H:%M}: expected them in this order within one day, as 08:30, 09:00, 09:30"
            )
        for moment in self.remind_at:
            if not timedelta(0) <= self._after(moment) < end:
                raise ConfigError(
                    f"shift {self.name or 'of the table itself'!r}: remind_at {moment:%H:%M}: expected a time "
                    f"from open {self.opens:%H:%M} until before close {self.closes:%H:%M}"
                )
        object.__setattr__(self, "_to_close", Window(self.opens, self.closes, self.days))

    def _after(self, moment: time) -> timedelta:
        """Give how long after the opening the clocks show a time; a shift may cross midnight."""
        return (_of_day(moment) - _of_day(self.opens)) % _DAY

    def hours(self, day: date, zone: ZoneInfo, calendar: WorkCalendar) -> Hours | None:
        """Give the moments of a day, or None when the shift does not open on it."""
        if not self._to_close.opens_on(day, calendar):
            return None
        opens, closes = self._to_close.stretch(day, zone)
        return Hours(
            day=day,
            opens=opens,
            due=self._moment(self.due, day, zone),
            closes=closes,
            reminders=tuple(self._moment(one, day, zone) for one in self.remind_at),
        )

    def _moment(self, clock: time, day: date, zone: ZoneInfo) -> datetime:
        if clock == self.opens:
            return self._to_close.stretch(day, zone)[0]
        return Window(self.opens, clock).stretch(day, zone)[1]

    def around(self, moment: datetime, zone: ZoneInfo, calendar: WorkCalendar) -> Hours | None:
        """Give the day whose hours cover a moment (aware), or None between them."""
        for hours in self.lately(moment, zone, calendar):
            if hours.opens <= moment < hours.closes:
                return hours
        return None

    def lately(self, moment: datetime, zone: ZoneInfo, calendar: WorkCalendar) -> Iterable[Hours]:
        """Give the days whose hours may have to do with a moment: its own date and the one before it."""
        today = moment.astimezone(zone).date()
        found = (self.hours(day, zone, calendar) for day in (today, today - _DAY))
        return [hours for hours in found if hours is not None]

    def works(self, org_roles: frozenset[str]) -> bool:
        """Say whether somebody of these roles works it."""
        return EVERYBODY in self.roles or not self.roles.isdisjoint(org_roles)


def _of_day(moment: time) -> timedelta:
    return timedelta(hours=moment.hour, minutes=moment.minute)


def shift_of(org_roles: frozenset[str], shifts: Sequence[Shift]) -> Shift | None:
    """Give the shift somebody of these roles works: the first that fits, or None who owes no check-in."""
    return next((shift for shift in shifts if shift.works(org_roles)), None)
