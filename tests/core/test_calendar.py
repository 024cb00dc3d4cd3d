"""Windows, work days and schedules follow the wall clock of the group."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.calendar import (
    WEEKDAYS,
    Window,
    WorkCalendar,
    free_from,
    load_overrides,
    moment_of,
    next_time,
    read_overrides,
)
from groupops.errors import ConfigError, ImportFailed

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = [SHANGHAI, ZoneInfo("Europe/London"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("America/Sao_Paulo")]
CALENDAR = WorkCalendar()
NIGHT = Window(time(23, 30), time(7, 30))
ONE_DAY = timedelta(days=1)

days_words = st.sets(st.sampled_from(["all", "workdays", "restdays", *WEEKDAYS]), min_size=1).map(",".join)
clocks = st.times().map(lambda clock: clock.replace(fold=0))
minutes_of_day = st.integers(0, 24 * 60 - 1).map(lambda number: time(number // 60, number % 60))
dates = st.dates(date(2017, 1, 1), date(2026, 12, 31))


@st.composite
def windows(draw: st.DrawFn, times: st.SearchStrategy[time] = minutes_of_day) -> Window:
    start = draw(times)
    end = draw(times.filter(lambda end: end != start))
    return Window(start, end, draw(days_words))


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def chosen(day: date, days: str) -> bool:
    """The definition of `days`, as a reader of the rule would say it."""
    words = days.split(",")
    kind = "workdays" if CALENDAR.is_workday(day) else "restdays"
    return "all" in words or kind in words or WEEKDAYS[day.weekday()] in words


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("23:29:59", False), ("23:30:00", True), ("00:00:00", True), ("07:29:59", True), ("07:30:00", False)],
)
def test_the_night_begins_with_its_first_second_and_ends_before_its_last(clock: str, quiet: bool) -> None:
    assert NIGHT.covers(at(f"2025-03-03T{clock}"), CALENDAR) is quiet


@given(windows(clocks), dates, clocks)
def test_a_moment_is_covered_exactly_when_a_chosen_day_opened_a_window_around_it(
    window: Window, day: date, clock: time
) -> None:
    moment = datetime.combine(day, clock)
    openings = []
    for opening in (day - ONE_DAY, day):
        begin = datetime.combine(opening, window.start)
        end = datetime.combine(opening, window.end)
        end += ONE_DAY if end <= begin else timedelta(0)
        if begin <= moment < end and chosen(opening, window.days):
            openings.append(opening)
    assert window.opening_of(moment.replace(tzinfo=SHANGHAI), CALENDAR) == (openings[0] if openings else None)
    assert window.covers(moment.replace(tzinfo=SHANGHAI), CALENDAR) == bool(openings)


@given(windows(clocks).filter(lambda window: window.start > window.end), dates, clocks)
def test_a_window_across_midnight_is_an_evening_and_the_morning_after_it(
    window: Window, day: date, clock: time
) -> None:
    moment = datetime.combine(day, clock, SHANGHAI)
    evening = clock >= window.start and chosen(day, window.days)
    morning = clock < window.end and chosen(day - ONE_DAY, window.days)
    assert window.covers(moment, CALENDAR) == (evening or morning)


@given(windows(clocks), dates)
def test_a_window_has_its_first_instant_and_not_its_end(window: Window, day: date) -> None:
    whole = Window(window.start, window.end)
    begin, end = whole.stretch(day, SHANGHAI)
    instant = timedelta.resolution
    answers = [
        whole.covers(moment.astimezone(SHANGHAI), CALENDAR)
        for moment in (begin - instant, begin, end - instant, end)
    ]
    assert answers == [False, True, True, False]


@given(windows(), dates, st.integers(0, 24 * 60 - 1), st.sampled_from(ZONES))
def test_where_clocks_are_put_back_or_forward_a_window_is_still_one_stretch_of_time(
    window: Window, day: date, minute: int, zone: ZoneInfo
) -> None:
    moment = moment_of(day, time(0), zone) + timedelta(minutes=minute)
    around = [
        opening
        for opening in (day - ONE_DAY, day, day + ONE_DAY)
        if window.opens_on(opening, CALENDAR)
        for begin, end in [window.stretch(opening, zone)]
        if begin <= moment < end
    ]
    assert window.opening_of(moment.astimezone(zone), CALENDAR) == (around[0] if around else None)


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        ("2025-10-26T00:59:00+01:00", True),
        ("2025-10-26T01:15:00+01:00", True),
        ("2025-10-26T01:30:00+01:00", False),
        ("2025-10-26T01:15:00+00:00", False),
        ("2025-10-26T01:59:00+00:00", False),
    ],
)
def test_an_hour_that_is_shown_twice_does_not_bring_the_quiet_back(moment: str, quiet: bool) -> None:
    window = Window(time(22), time(1, 30))
    assert window.covers(datetime.fromisoformat(moment).astimezone(ZONES[1]), CALENDAR) is quiet


def test_a_window_that_ends_in_a_skipped_hour_ends_with_the_jump() -> None:
    window, london = Window(time(22), time(1, 30)), ZONES[1]
    moment = at("2025-03-30T00:30", london)
    assert window.ends_at(moment, CALENDAR) == datetime(2025, 3, 30, 1, 0, tzinfo=UTC)


def test_a_window_without_a_zone_database_entry_reads_the_hands_as_they_are() -> None:
    assert NIGHT.covers(datetime(2025, 3, 3, 23, 30, tzinfo=UTC, fold=1), CALENDAR)


def test_the_friday_night_of_workdays_runs_into_saturday() -> None:
    window = Window(time(23, 30), time(7, 30), "workdays")
    assert window.covers(at("2025-03-08T07:00"), CALENDAR)
    assert not window.covers(at("2025-03-08T23:30"), CALENDAR)


def test_the_night_before_a_make_up_saturday_belongs_to_friday() -> None:
    window = Window(time(23, 30), time(7, 30), "workdays")
    assert window.opening_of(at("2025-10-11T07:00"), CALENDAR) == date(2025, 10, 10)
    assert window.opening_of(at("2025-10-11T23:45"), CALENDAR) == date(2025, 10, 11)


def test_a_window_until_midnight_ends_with_the_day_and_one_around_the_clock_has_no_gap() -> None:
    evening = Window.parse({"start": "22:00", "end": "24:00", "days": "mon"})
    monday = Window.parse({"start": "00:00", "end": "24:00", "days": "mon"})
    assert evening.covers(at("2025-03-03T23:59:59"), CALENDAR)
    assert not evening.covers(at("2025-03-04T00:00"), CALENDAR)
    assert monday.covers(at("2025-03-03T00:00"), CALENDAR)
    assert not monday.covers(at("2025-03-04T00:00"), CALENDAR)


@pytest.mark.parametrize(
    ("moment", "end"), [("2025-03-03T23:30", "2025-03-04T07:30"), ("2025-03-04T07:29:59", "2025-03-04T07:30")]
)
def test_a_window_knows_when_it_ends(moment: str, end: str) -> None:
    ends = NIGHT.ends_at(at(moment), CALENDAR)
    assert ends == at(end)
    assert ends is not None
    assert ends.tzinfo is SHANGHAI


def test_a_window_that_does_not_cover_the_moment_has_no_end() -> None:
    assert NIGHT.ends_at(at("2025-03-04T12:00"), CALENDAR) is None


def test_an_end_is_only_told_in_a_named_timezone() -> None:
    with pytest.raises(ValueError, match="as a ZoneInfo"):
        NIGHT.ends_at(datetime(2025, 3, 3, 23, 45, tzinfo=UTC), CALENDAR)


def test_after_windows_that_follow_each_other_it_is_free_when_the_last_one_ends() -> None:
    noon = Window(time(7), time(9))
    assert free_from([noon, NIGHT], at("2025-03-03T23:45"), CALENDAR) == at("2025-03-04T09:00")
    assert free_from([NIGHT], at("2025-03-04T12:00"), CALENDAR) == at("2025-03-04T12:00")


def test_windows_that_leave_nothing_free_are_reported() -> None:
    always = Window(time(0), time(0))
    with pytest.raises(ConfigError, match="leave no moment free"):
        free_from([always], at("2025-03-04T12:00"), CALENDAR)


def test_a_window_is_read_from_a_table_of_a_pack() -> None:
    assert Window.parse({"start": "23:30", "end": "07:30", "days": "all"}) == NIGHT
    assert Window.parse({"start": "23:30", "end": "07:30"}) == NIGHT
    assert Window.parse({"start": time(23, 30), "end": time(7, 30)}) == NIGHT
    assert Window.parse_span("08:30-18:00") == Window(time(8, 30), time(18), "workdays")


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"start": "25:00", "end": "07:30"}, r"quiet\.windows\[0\]: start '25:00': expected a time"),
        ({"start": "24:00", "end": "07:30"}, "start '24:00': expected a time"),
        ({"start": "23:30"}, "end is missing: expected a time"),
        ({"start": "23:30", "end": 7}, "end 7: expected a time"),
        ({"start": "07:30", "end": "07:30"}, "07:30-07:30 is empty"),
        ({"start": "23:30", "end": "07:30", "days": "funday"}, "'funday' is no day; expected all, workdays"),
        ({"start": "23:30", "end": "07:30", "days": "mon,,tue"}, "'' is no day"),
        ({"start": "23:30", "end": "07:30", "day": "mon"}, "unknown key 'day'"),
        ({"start": time(1, tzinfo=UTC), "end": "07:30"}, "carry none themselves"),
    ],
)
def test_a_wrong_window_is_refused_with_key_value_and_expectation(
    table: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        Window.parse(table, "quiet.windows[0]")


def test_a_span_without_a_dash_is_refused() -> None:
    with pytest.raises(ConfigError, match="'08:30' is no span of hours"):
        Window.parse_span("08:30", where="tasks.service_hours[0]")


@pytest.mark.parametrize("day", [date(2025, 9, 28), date(2025, 10, 11)])
def test_make_up_days_at_weekends_are_worked(day: date) -> None:
    assert CALENDAR.is_workday(day)


@pytest.mark.parametrize("number", range(1, 9))
def test_the_national_holidays_are_not_worked(number: int) -> None:
    assert not CALENDAR.is_workday(date(2025, 10, number))


def test_the_operators_table_goes_before_the_state_councils() -> None:
    calendar = WorkCalendar({date(2025, 10, 1): True, date(2025, 9, 28): False})
    assert calendar.is_workday(date(2025, 10, 1))
    assert not calendar.is_workday(date(2025, 9, 28))
    assert not calendar.is_workday(date(2025, 10, 2))


def test_a_year_nobody_has_arranged_yet_knows_weekends_only_and_is_provisional() -> None:
    far = date(2099, 10, 1)  # a Thursday
    assert CALENDAR.is_workday(far)
    assert not CALENDAR.is_workday(far + 2 * ONE_DAY)
    assert CALENDAR.provisional(2099)
    assert not CALENDAR.provisional(2025)


def test_one_day_off_does_not_make_a_years_table_but_its_holidays_do() -> None:
    one_day = {date(2099, 6, 1): False}
    whole = one_day | {date(2099, month, 1): False for month in (1, 5, 10)}
    assert WorkCalendar(one_day).provisional(2099)
    assert not WorkCalendar(whole).provisional(2099)


def test_stewards_hear_of_a_provisional_year_from_the_december_before_it() -> None:
    first_unknown = next(year for year in range(2025, 2100) if CALENDAR.provisional(year))
    known = first_unknown - 1
    assert CALENDAR.years_to_warn_of(date(known, 11, 30)) == ()
    assert CALENDAR.years_to_warn_of(date(known, 12, 1)) == (first_unknown,)
    assert CALENDAR.years_to_warn_of(date(known, 12, 31)) == (first_unknown,)
    assert CALENDAR.years_to_warn_of(date(first_unknown, 1, 1)) == (first_unknown,)


def test_an_operators_table_is_read_with_its_header_empty_lines_and_missing_names() -> None:
    text = "date,kind,name\n2027-02-14,workday,make-up\n\n2027-02-15, rest\n"
    assert read_overrides(text, "days.csv") == {date(2027, 2, 14): True, date(2027, 2, 15): False}


def test_every_faulty_row_of_an_operators_table_is_named() -> None:
    text = "2027/2/14,workday,a\n2027-02-15,off,b\n2027-02-16\n2027-02-17,rest,c\n2027-02-17,workday,d\n"
    with pytest.raises(ImportFailed) as caught:
        read_overrides(text, "days.csv")
    assert [row.partition(": ")[0] for row in caught.value.rows] == [f"days.csv:{n}" for n in (1, 2, 3, 5)]
    assert [
        word for word in ("2027/2/14", "'off'", "1 cell", "opposite") if word not in str(caught.value)
    ] == []


def test_an_operators_table_saved_by_a_spreadsheet_is_read(tmp_path) -> None:  # noqa: ANN001 - pytest's own
    path = tmp_path / "days.csv"
    path.write_bytes(b"\xef\xbb\xbfdate,kind,name\r\n2027-02-14,workday,\r\n")
    assert load_overrides(path) == {date(2027, 2, 14): True}


@given(clocks, days_words, st.datetimes(datetime(2017, 1, 1), datetime(2026, 6, 1)), st.sampled_from(ZONES))  # noqa: DTZ001
def test_the_next_time_is_the_first_chosen_one_after_the_moment(
    clock: time, days: str, moment: datetime, zone: ZoneInfo
) -> None:
    after = moment.replace(tzinfo=UTC)
    found = next_time(clock, days, after, zone, CALENDAR)
    candidates = [moment_of(after.date() + number * ONE_DAY, clock, zone) for number in range(-1, 40)]
    chosen_ones = [
        m
        for number, m in enumerate(candidates, -1)
        if m > after and chosen(after.date() + number * ONE_DAY, days)
    ]
    assert found == min(chosen_ones)


def test_a_schedule_on_workdays_skips_the_holidays_and_keeps_the_make_up_saturday() -> None:
    after = at("2025-09-30T08:50")
    first = next_time(time(8, 50), "workdays", after, SHANGHAI, CALENDAR)
    assert first == at("2025-10-09T08:50")
    assert next_time(time(8, 50), "sat", first, SHANGHAI, CALENDAR) == at("2025-10-11T08:50")


def test_a_schedule_in_a_skipped_hour_fires_at_the_jump_and_in_a_doubled_one_once() -> None:
    london = ZONES[1]
    spring = next_time(time(1, 30), "all", at("2025-03-29T12:00", london), london, CALENDAR)
    autumn = next_time(time(1, 30), "all", at("2025-10-25T12:00", london), london, CALENDAR)
    assert spring == datetime(2025, 3, 30, 1, 0, tzinfo=UTC)
    assert autumn == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert next_time(time(1, 30), "all", autumn, london, CALENDAR) == datetime(
        2025, 10, 27, 1, 30, tzinfo=UTC
    )


def test_a_schedule_for_days_that_never_come_is_refused() -> None:
    never = WorkCalendar({date(2025, 1, 1) + number * ONE_DAY: True for number in range(900)})
    with pytest.raises(ConfigError, match="no such day within two years"):
        next_time(time(8), "restdays", at("2025-01-01T00:00"), SHANGHAI, never)
