"""When a rule applies: daily windows, work days with their make-up days, and the clock of working hours.

All of it is pure: moments come in as arguments. Wall-clock times are those of the group's own
timezone. Where a clock is put forward, a time it skips means the moment of the jump; where it is
put back, an hour shown twice counts once, and during its second showing the hands stand still.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from chinese_calendar import constants  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from groupops.errors import ConfigError, ImportFailed

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_WORDS = frozenset({"all", "workdays", "restdays", *WEEKDAYS})

_SATURDAY = 5
_MIDNIGHT = time(0)
_ONE_DAY = timedelta(days=1)
_NO_TIME = timedelta(0)
_SECOND = timedelta(seconds=1)
# Whoever asks for a day that does not come within two years has written a contradiction.
_HORIZON_DAYS = 2 * 366
# The State Council's notice for a year comes out in the autumn before it.
_NOTICE_IS_DUE_FROM = 12
# Rest days that are fixed by date in the regulation on national holidays: a table that
# names them is the table of a whole year, and not one company's day off.
_MARKS_OF_A_WHOLE_YEAR = ((1, 1), (5, 1), (10, 1))
_KINDS = {"workday": True, "rest": False}
_COLUMNS = ("date", "kind", "name")
_WINDOW_KEYS = frozenset({"start", "end", "days"})


class WorkCalendar:
    """Which days are worked.

    Asks the operator's table first, then the State Council's arrangement as the package
    `chinesecalendar` has it (holidays and make-up work days), then weekends only.
    """

    def __init__(self, overrides: Mapping[date, bool] | None = None) -> None:
        """`overrides` says of single dates whether they are worked; see `load_overrides`."""
        self._overrides = dict(overrides or {})
        self._holidays = frozenset[date](constants.holidays)
        self._make_up_days = frozenset[date](constants.workdays)
        self._known_years = frozenset(day.year for day in self._holidays)

    def is_workday(self, day: date) -> bool:
        """Say whether `day` (a date, not a moment) is worked."""
        told = self._overrides.get(day)
        if told is not None:
            return told
        if day in self._make_up_days:
            return True
        return day.weekday() < _SATURDAY and day not in self._holidays

    def provisional(self, year: int) -> bool:
        """Say whether `year` is only guessed from weekends.

        It is, unless `chinesecalendar` has it or the operator's table names the fixed
        holidays 1 January, 1 May and 1 October of it as rest days.
        """
        if year in self._known_years:
            return False
        return any(self._overrides.get(date(year, *mark)) is not False for mark in _MARKS_OF_A_WHOLE_YEAR)

    def years_to_warn_of(self, today: date) -> tuple[int, ...]:
        """Name the provisional years the stewards should hear of: this one and, in December, the next."""
        in_view = (today + timedelta(days=31)).year if today.month >= _NOTICE_IS_DUE_FROM else today.year
        return tuple(year for year in range(today.year, in_view + 1) if self.provisional(year))


def load_overrides(path: Path) -> dict[date, bool]:
    """Read the operator's table from a UTF-8 file; see `read_overrides`."""
    return read_overrides(path.read_text("utf-8-sig"), path.name)


def read_overrides(text: str, source: str) -> dict[date, bool]:
    """Read an operator's table of days: lines `date,kind,name`, kind being `workday` or `rest`.

    A header line of these three names, empty lines and an empty name are fine.
    Returns date → worked. Raises ImportFailed listing every faulty row by its line in `source`.
    """
    days = dict[date, bool]()
    faults = list[str]()
    rows = csv.reader(io.StringIO(text))
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells) or (not days and not faults and tuple(cells) == _COLUMNS):
            continue
        try:
            _add_override(days, cells)
        except ValueError as fault:
            faults.append(f"{source}:{rows.line_num}: {fault}")
    if faults:
        raise ImportFailed(source, faults)
    return days


def _add_override(days: dict[date, bool], cells: Sequence[str]) -> None:
    if not 2 <= len(cells) <= len(_COLUMNS):  # noqa: PLR2004 - the name may be left out
        raise ValueError(
            f"{len(cells)} cell(s): expected date,kind,name, as in 2027-02-14,workday,make-up day"
        )
    day, worked = _override_day(cells[0]), _KINDS.get(cells[1])
    if worked is None:
        raise ValueError(f"kind {cells[1]!r}: expected workday or rest")
    if days.setdefault(day, worked) is not worked:
        raise ValueError(f"date {day}: an earlier row says the opposite; keep one of them")


def _override_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"date {text!r}: expected year-month-day, as in 2027-02-14") from None


@dataclass(frozen=True, slots=True)
class Days:
    """A set of days as operators write it: `all`, `workdays`, `restdays`, `mon` … `sun`, or several with commas."""

    text: str
    _words: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words = frozenset(word.strip() for word in self.text.split(","))
        unknown = sorted(words - DAY_WORDS)
        if unknown:
            raise ConfigError(
                f"days {self.text!r}: {unknown[0]!r} is no day; expected all, workdays, restdays, "
                f"{', '.join(WEEKDAYS)}, or several of them with commas"
            )
        object.__setattr__(self, "_words", words)

    def include(self, day: date, calendar: WorkCalendar) -> bool:
        """Say whether `day` is one of them."""
        words = self._words
        if "all" in words or WEEKDAYS[day.weekday()] in words:
            return True
        if words.isdisjoint(("workdays", "restdays")):
            return False
        return ("workdays" if calendar.is_workday(day) else "restdays") in words


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the day, `start` included and `end` not.

    A `start` after the `end` crosses midnight; the window then belongs to the date it starts
    on, and only that date is asked against `days`. An `end` of 00:00 is the midnight that ends
    the day, so 00:00 to 00:00 is all of it. Source: G2 and G3 of the policy packs.
    Raises ConfigError for an empty window, a time with a timezone and an unknown day.
    """

    start: time
    end: time
    days: str = "all"
    _days: Days = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.start.tzinfo or self.end.tzinfo:
            raise ConfigError("a window's times are those of the group's timezone and carry none themselves")
        if self.start == self.end != _MIDNIGHT:
            raise ConfigError(
                f"window {self.start:%H:%M}-{self.end:%H:%M} is empty: its start and end are equal; "
                "a whole day is 00:00-24:00"
            )
        object.__setattr__(self, "_days", Days(self.days))

    @classmethod
    def parse(cls, table: Mapping[str, object], where: str = "window") -> "Window":
        """Read `{"start": "23:30", "end": "07:30", "days": "all"}`; `days` may be left out.

        Raises ConfigError that begins with `where` and names the key, its value and what was expected.
        """
        unknown = sorted(set(table) - _WINDOW_KEYS)
        if unknown:
            raise ConfigError(
                f"{where}: unknown key {unknown[0]!r}; expected start, end and, if need be, days"
            )
        start, end = (_time_of(table, key, where) for key in ("start", "end"))
        try:
            return cls(start, end, str(table.get("days", "all")))
        except ConfigError as fault:
            raise ConfigError(f"{where}: {fault}") from None

    @classmethod
    def parse_span(cls, text: str, days: str = "workdays", where: str = "span") -> "Window":
        """Read `08:30-18:00`, as service hours are written; raises as `parse`."""
        start, dash, end = text.partition("-")
        if not dash:
            raise ConfigError(f"{where}: {text!r} is no span of hours; expected start-end, as in 08:30-18:00")
        return cls.parse({"start": start, "end": end, "days": days}, where)

    def covers(self, moment: datetime, calendar: WorkCalendar) -> bool:
        """Say whether the window covers `moment`, given in the group's timezone."""
        return self.opening_of(moment, calendar) is not None

    def opening_of(self, moment: datetime, calendar: WorkCalendar) -> date | None:
        """Return the date on which the window that covers `moment` started, or None if none does.

        `moment` is in the group's timezone. Window and date together name one night: what is
        said once per window is said once per such pair.
        """
        if moment.fold:
            moment = _before_the_hands_went_back(moment)
        clock = moment.time()
        if clock >= self.start and (self._crosses or clock < self.end):
            opening = moment.date()
        elif clock < self.end and self._crosses:
            opening = moment.date() - _ONE_DAY
        else:
            return None
        return opening if self._days.include(opening, calendar) else None

    def ends_at(self, moment: datetime, calendar: WorkCalendar) -> datetime | None:
        """Return the first moment after the window that covers `moment`, or None if none does.

        `moment` is aware and in the group's timezone (a ZoneInfo), and so is what comes back.
        """
        opening = self.opening_of(moment, calendar)
        if opening is None:
            return None
        zone = _zone_of(moment)
        return self.stretch(opening, zone)[1].astimezone(zone)

    def stretch(self, opening: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return start and end, in UTC, of the window that opens on `opening`; `days` are not asked."""
        closing = opening + _ONE_DAY if self._crosses else opening
        return moment_of(opening, self.start, zone), moment_of(closing, self.end, zone)

    def opens_on(self, day: date, calendar: WorkCalendar) -> bool:
        """Say whether a window starts on `day`, by its `days`."""
        return self._days.include(day, calendar)

    @property
    def _crosses(self) -> bool:
        return self.end <= self.start


def free_from(windows: Sequence[Window], moment: datetime, calendar: WorkCalendar) -> datetime:
    """Return the first moment, `moment` itself or later, that no window covers.

    `moment` is aware and in the group's timezone. Raises ConfigError when the windows leave
    nothing free for two years.
    """
    limit = moment.astimezone(UTC) + _HORIZON_DAYS * _ONE_DAY
    free = moment
    while ends := [end for window in windows if (end := window.ends_at(free, calendar))]:
        free = max(ends, key=_in_utc)
        if free.astimezone(UTC) > limit:
            raise ConfigError(f"the windows leave no moment free after {moment}: shorten one of them")
    return free


def next_time(at: time, days: str, after: datetime, zone: ZoneInfo, calendar: WorkCalendar) -> datetime:
    """Return the first moment later than `after`, in UTC, at which clocks in `zone` show `at` on one of `days`.

    Raises ConfigError for unknown days, and when no such day comes within two years.
    """
    wanted = Days(days)
    first = after.astimezone(zone).date()
    for day in _days_from(first):
        if wanted.include(day, calendar) and (moment := moment_of(day, at, zone)) > after:
            return moment
    raise ConfigError(
        f"days {days!r}: no such day within two years after {first}; look at the operator's table"
    )


@dataclass(frozen=True, slots=True)
class WorkHours:
    """The clock of working time: it runs in the service hours of a group and never in a quiet window.

    Source: G4 and G5 of the policy packs. Spans that overlap count once.

    Args:
        spans: service hours; `Window.parse_span` reads them, by default on work days.
        calendar: which days are worked.
        zone: the group's timezone.
        quiet: windows in which the clock stands still.
    """

    spans: tuple[Window, ...]
    calendar: WorkCalendar
    zone: ZoneInfo
    quiet: tuple[Window, ...] = ()

    def due(self, start: datetime, minutes: float) -> datetime:
        """Return the last moment, in UTC, that is still in time `minutes` of working time after `start`.

        It always lies in working time: a task whose time runs out exactly at closing may
        still be answered until the next opening, for until then no time has passed. Zero
        minutes give the next opening, or `start` itself while the clock runs.
        Raises ConfigError when too little working time comes within two years.
        """
        left = timedelta(minutes=minutes)
        if left < _NO_TIME:
            raise ValueError(f"minutes {minutes}: a deadline lies ahead, so expected zero or more")
        for opens, closes in self._stretches(start.astimezone(UTC)):
            if left < closes - opens:
                return opens + left
            left -= closes - opens
        hours = ", ".join(f"{span.start:%H:%M}-{span.end:%H:%M} {span.days}" for span in self.spans)
        raise ConfigError(
            f"service hours ({hours or 'none'}): less than {minutes} minutes outside quiet windows "
            f"within two years after {start}; lengthen them or shorten the quiet windows"
        )

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Return the working time between two aware moments; zero when `end` is not after `start`."""
        until = end.astimezone(UTC)
        total = _NO_TIME
        for opens, closes in self._stretches(start.astimezone(UTC), until.astimezone(self.zone).date()):
            if opens >= until:
                break
            total += min(closes, until) - opens
        return total

    def running(self, moment: datetime) -> bool:
        """Say whether the clock runs at `moment` (aware)."""
        return self.due(moment, 0) == moment

    def closing(self, day: date) -> datetime | None:
        """Return when the service hours that opened on `day` end, in UTC; None when there are none on it."""
        return max((closes for _, closes in self._stretches_of(day)), default=None)

    def _stretches(self, start: datetime, last: date | None = None) -> Iterator[tuple[datetime, datetime]]:
        """Yield working time after `start` as UTC stretches, in order and apart from each other."""
        # Hours that cross midnight began the day before.
        first = start.astimezone(self.zone).date() - _ONE_DAY
        reached = start
        for day in _days_from(first, last):
            for opens, closes in self._stretches_of(day):
                if closes > reached:
                    yield max(opens, reached), closes
                    reached = closes

    def _stretches_of(self, day: date) -> list[tuple[datetime, datetime]]:
        worked = [span.stretch(day, self.zone) for span in self.spans if span.opens_on(day, self.calendar)]
        if not worked:
            return []
        for pause in self._quiet_around(day):
            worked = [rest for stretch in worked for rest in _without(stretch, pause)]
        return sorted(worked)

    def _quiet_around(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        for opening in (day - _ONE_DAY, day, day + _ONE_DAY):
            for window in self.quiet:
                if window.opens_on(opening, self.calendar):
                    yield window.stretch(opening, self.zone)


def moment_of(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return the first moment, in UTC, at which clocks in `zone` have come to `clock` on `day`."""
    wanted = datetime.combine(day, clock)
    moment = wanted.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wanted:
        return moment
    before = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _jump_between(before, moment, zone)


def _before_the_hands_went_back(moment: datetime) -> datetime:
    """Return what the clock showed last before an hour came again; `moment` itself in no such hour."""
    zone = moment.tzinfo
    if not isinstance(zone, ZoneInfo):
        return moment
    second = moment.astimezone(UTC)
    first = moment.replace(fold=0).astimezone(UTC)
    if first >= second:
        return moment
    jump = _jump_between(first, second, zone)
    return (jump - timedelta.resolution).astimezone(zone)


def _jump_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Find the whole second at which `zone` changes its offset, in (before, after], all in UTC."""
    low, high = before.replace(microsecond=0), after.replace(microsecond=0) + _SECOND
    offset = low.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // (2 * _SECOND) * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


def _days_from(first: date, last: date | None = None) -> Iterable[date]:
    count = _HORIZON_DAYS if last is None else (last - first).days + 1
    return (first + number * _ONE_DAY for number in range(count))


def _without(
    stretch: tuple[datetime, datetime], pause: tuple[datetime, datetime]
) -> Iterator[tuple[datetime, datetime]]:
    (opens, closes), (stops, goes_on) = stretch, pause
    for start, end in ((opens, min(closes, stops)), (max(opens, goes_on), closes)):
        if start < end:
            yield start, end


def _zone_of(moment: datetime) -> ZoneInfo:
    if not isinstance(moment.tzinfo, ZoneInfo):
        raise ValueError(f"the moment {moment} must carry the group's timezone as a ZoneInfo")  # noqa: TRY004
    return moment.tzinfo


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _time_of(table: Mapping[str, object], key: str, where: str) -> time:
    value = table.get(key)
    if isinstance(value, time):  # TOML has times of its own
        return value
    if value == "24:00" and key == "end":
        return _MIDNIGHT
    try:
        return datetime.strptime(str(value).strip(), "%H:%M").time()  # noqa: DTZ007 - in no zone
    except ValueError:
        told = "is missing" if value is None else repr(value)
        raise ConfigError(
            f"{where}: {key} {told}: expected a time from 00:00 to 23:59, as in 07:30"
        ) from None
