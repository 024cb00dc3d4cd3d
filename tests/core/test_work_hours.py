"""The clock of an obligation runs in working time only, to the instant."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.calendar import Window, WorkCalendar, WorkHours
from groupops.errors import ConfigError

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = WorkCalendar()
NIGHT = Window(time(23, 30), time(7, 30))
OFFICE = WorkHours((Window.parse_span("08:30-18:00"),), CALENDAR, SHANGHAI, (NIGHT,))
MINUTE = timedelta(minutes=1)
INSTANT = timedelta.resolution

# Around a long holiday, both make-up days and the two Sundays on which London's clocks change.
moments = st.datetimes(datetime(2025, 9, 20), datetime(2025, 11, 5), timezones=st.just(UTC)) | st.datetimes(  # noqa: DTZ001
    datetime(2025, 3, 25),  # noqa: DTZ001
    datetime(2025, 4, 5),  # noqa: DTZ001
    timezones=st.just(UTC),
)
minutes_of_work = st.integers(0, 3000)
clocks = st.integers(0, 95).map(lambda number: time(number // 4, number % 4 * 15))


@st.composite
def windows(draw: st.DrawFn, days: tuple[str, ...]) -> Window:
    start = draw(clocks)
    end = draw(clocks.filter(lambda end: end != start))
    return Window(start, end, draw(st.sampled_from(days)))


@st.composite
def work_hours(draw: st.DrawFn) -> WorkHours:
    """Any service hours with any quiet windows that leave the clock at least a quarter of an hour to run."""
    spans = draw(st.lists(windows(("all", "workdays", "mon,thu")), min_size=1, max_size=3))
    quiet = draw(st.lists(windows(("all", "restdays", "fri")), max_size=2))
    zone = draw(st.sampled_from([SHANGHAI, ZoneInfo("Europe/London")]))
    hours = WorkHours(tuple(spans), CALENDAR, zone, tuple(quiet))
    open_a_week = hours.elapsed(datetime(2025, 6, 2, tzinfo=zone), datetime(2025, 6, 9, tzinfo=zone))
    return hours if open_a_week else WorkHours(tuple(spans), CALENDAR, zone)


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def runs_at(hours: WorkHours, moment: datetime) -> bool:
    """The definition: in a service window, and in no quiet one."""
    local = moment.astimezone(hours.zone)
    served = any(span.covers(local, CALENDAR) for span in hours.spans)
    return served and not any(window.covers(local, CALENDAR) for window in hours.quiet)


def test_friday_afternoon_and_monday_morning_make_twenty_nine_minutes() -> None:
    issued, answered = shanghai("2025-03-07T17:45"), shanghai("2025-03-10T08:44")
    assert OFFICE.elapsed(issued, answered) == 29 * MINUTE
    assert answered <= OFFICE.due(issued, 30)


def test_thirty_minutes_sharp_are_in_time_and_the_next_instant_is_late() -> None:
    issued, sharp = shanghai("2025-03-03T09:00"), shanghai("2025-03-03T09:30")
    due = OFFICE.due(issued, 30)
    assert sharp <= due
    assert sharp + INSTANT > due


def test_what_is_issued_after_hours_starts_at_the_next_opening() -> None:
    assert OFFICE.due(shanghai("2025-03-03T20:00"), 30) == shanghai("2025-03-04T09:00")
    assert OFFICE.due(shanghai("2025-03-08T12:00"), 30) == shanghai("2025-03-10T09:00")


def test_time_that_runs_out_at_closing_may_be_used_until_the_next_opening() -> None:
    issued, evening = shanghai("2025-03-03T17:30"), shanghai("2025-03-03T21:00")
    assert OFFICE.elapsed(issued, evening) == 30 * MINUTE
    assert OFFICE.due(issued, 30) == shanghai("2025-03-04T08:30")


def test_the_clock_stands_still_over_the_national_holidays() -> None:
    assert OFFICE.due(shanghai("2025-09-30T17:45"), 30) == shanghai("2025-10-09T08:45")


@pytest.mark.parametrize("day", ["2025-09-28", "2025-10-11"])
def test_the_clock_runs_on_a_make_up_day(day: str) -> None:
    assert OFFICE.due(shanghai(f"{day}T09:00"), 30) == shanghai(f"{day}T09:30")


def test_the_clock_stands_still_in_a_quiet_window_within_service_hours() -> None:
    nap = Window(time(12), time(13, 30))
    hours = WorkHours(OFFICE.spans, CALENDAR, SHANGHAI, (nap,))
    assert hours.due(shanghai("2025-03-03T11:50"), 30) == shanghai("2025-03-03T13:50")
    assert not hours.running(shanghai("2025-03-03T12:00"))
    assert hours.running(shanghai("2025-03-03T13:30"))


def test_spans_that_overlap_count_once() -> None:
    spans = tuple(Window.parse_span(text) for text in ("08:30-12:00", "11:00-18:00"))
    hours = WorkHours(spans, CALENDAR, SHANGHAI)
    monday = shanghai("2025-03-03T00:00")
    assert hours.elapsed(monday, monday + timedelta(days=1)) == timedelta(hours=9.5)


def test_a_night_shift_through_the_change_of_clocks_lasts_as_long_as_it_lasts() -> None:
    london = ZoneInfo("Europe/London")
    shift = WorkHours((Window(time(22), time(6)),), CALENDAR, london)
    spring, autumn = (datetime(2025, month, day, 12, tzinfo=london) for month, day in ((3, 29), (10, 25)))
    assert shift.elapsed(spring, spring + timedelta(days=1)) == timedelta(hours=7)
    assert shift.elapsed(autumn, autumn + timedelta(days=1)) == timedelta(hours=9)


def test_a_service_day_closes_when_its_last_span_ends() -> None:
    assert OFFICE.closing(date(2025, 3, 3)) == shanghai("2025-03-03T18:00")
    assert OFFICE.closing(date(2025, 3, 8)) is None


def test_nothing_runs_backwards() -> None:
    monday = shanghai("2025-03-03T10:00")
    assert OFFICE.elapsed(monday, monday - timedelta(days=3)) == timedelta(0)
    with pytest.raises(ValueError, match="expected zero or more"):
        OFFICE.due(monday, -1)


def test_service_hours_that_never_open_are_refused_with_the_reason() -> None:
    shut = WorkHours(OFFICE.spans, CALENDAR, SHANGHAI, (Window(time(8), time(19)),))
    with pytest.raises(ConfigError, match=r"service hours \(08:30-18:00 workdays\): less than 30 minutes"):
        shut.due(shanghai("2025-03-03T10:00"), 30)


@given(work_hours(), moments, minutes_of_work)
def test_a_deadline_is_as_far_away_as_was_asked(hours: WorkHours, start: datetime, minutes: int) -> None:
    due = hours.due(start, minutes)
    assert hours.elapsed(start, due) == minutes * MINUTE
    assert hours.elapsed(start, due + INSTANT) > minutes * MINUTE


@given(work_hours(), moments, minutes_of_work)
def test_a_deadline_never_falls_into_quiet_or_closed_hours(
    hours: WorkHours, start: datetime, minutes: int
) -> None:
    assert runs_at(hours, hours.due(start, minutes))


@given(work_hours(), moments, st.timedeltas(timedelta(0), timedelta(days=12)), minutes_of_work)
def test_a_later_start_and_more_minutes_never_make_an_earlier_deadline(
    hours: WorkHours, start: datetime, later: timedelta, minutes: int
) -> None:
    due = hours.due(start, minutes)
    assert due >= start
    assert hours.due(start + later, minutes) >= due
    assert hours.due(start, minutes + 1) > due


@given(
    work_hours(), moments, st.lists(st.timedeltas(timedelta(0), timedelta(days=9)), min_size=2, max_size=2)
)
def test_elapsed_time_adds_up_and_never_exceeds_real_time(
    hours: WorkHours, start: datetime, steps: list[timedelta]
) -> None:
    middle, end = start + steps[0], start + steps[0] + steps[1]
    first, second = hours.elapsed(start, middle), hours.elapsed(middle, end)
    assert timedelta(0) <= first <= steps[0]
    assert first + second == hours.elapsed(start, end)


@given(
    work_hours(), moments.map(lambda moment: moment.replace(second=0, microsecond=0)), st.integers(0, 2000)
)
def test_elapsed_time_is_the_number_of_minutes_in_which_the_clock_runs(
    hours: WorkHours, start: datetime, length: int
) -> None:
    counted = sum(runs_at(hours, start + number * MINUTE) for number in range(length))
    assert hours.elapsed(start, start + length * MINUTE) == counted * MINUTE


@given(work_hours(), moments)
def test_the_clock_says_it_runs_exactly_when_it_does(hours: WorkHours, moment: datetime) -> None:
    assert hours.running(moment) == runs_at(hours, moment)
