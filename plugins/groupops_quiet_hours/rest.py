"""Whether a moment lies in a quiet window, told for talk by day in a glance."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from groupops import Window, WorkCalendar

_DAY = timedelta(days=1)
_AHEAD = 8
"""Days looked ahead: each day of the week comes, and the lot is looked at again once a week."""

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One quiet window of one date.

    Args:
        window: the window.
        opening: the date it started on; together they name the night (G2).
        ends: the first moment after it, aware.
    """

    window: Window
    opening: date
    ends: datetime

    @property
    def start_clock(self) -> str:
        """When it starts, as `23:30`."""
        return f"{self.window.start:%H:%M}"

    @property
    def end_clock(self) -> str:
        """When it ends, as `07:30`."""
        return f"{self.window.end:%H:%M}"

    @property
    def key(self) -> str:
        """A name no other night of the group has, e.g. `2025-03-03/23:30-07:30`."""
        return f"{self.opening}/{self.start_clock}-{self.end_clock}"


@dataclass(slots=True)
class Rest:
    """The windows of a group, with the free stretch around the last moment asked about kept at hand.

    Args:
        windows: the quiet windows.
        zone: the timezone they are read in.
        calendar: which days are worked.
    """

    windows: tuple[Window, ...]
    zone: ZoneInfo
    calendar: WorkCalendar
    _free_from: datetime = field(default=_NEVER, init=False)
    _free_until: datetime = field(default=_NEVER, init=False)

    def night(self, moment: datetime) -> Night | None:
        """Give the night that covers a moment (aware), or None by day."""
        if self._free_from <= moment < self._free_until:
            return None
        local = moment.astimezone(self.zone)
        for window in self.windows:
            opening = window.opening_of(local, self.calendar)
            if opening is not None:
                return Night(window=window, opening=opening, ends=window.stretch(opening, self.zone)[1])
        self._keep_free_stretch(moment, local.date())
        return None

    def _keep_free_stretch(self, moment: datetime, day: date) -> None:
        nights = list(self._nights_around(day))
        horizon = moment + (_AHEAD - 1) * _DAY
        self._free_from = max((end for _, end in nights if end <= moment), default=moment)
        self._free_until = min((start for start, _ in nights if start > moment), default=horizon)

    def _nights_around(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        for number in range(-1, _AHEAD + 1):
            opening = day + number * _DAY
            for window in self.windows:
                if window.opens_on(opening, self.calendar):
                    yield window.stretch(opening, self.zone)


@dataclass(slots=True)
class Rests:
    """Groups that rest alike share one `Rest`, and with it all that is bound to it."""

    _made: dict[tuple[tuple[Window, ...], str, WorkCalendar], Rest] = field(
        default_factory=dict[tuple[tuple[Window, ...], str, WorkCalendar], Rest]
    )

    def of(self, windows: tuple[Window, ...], timezone: str, calendar: WorkCalendar) -> Rest:
        """Give the `Rest` for windows in a timezone (IANA name)."""
        key = (windows, timezone, calendar)
        if key not in self._made:
            self._made[key] = Rest(windows, ZoneInfo(timezone), calendar)
        return self._made[key]
