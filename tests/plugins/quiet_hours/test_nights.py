"""The glance by which talk by day passes says the same as the windows themselves."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import Window, WorkCalendar
from groupops.calendar import DAY_WORDS
from groupops_quiet_hours.rest import Rest, Rests
from tests.plugins.quiet_hours.desk import SHANGHAI, at, desk, member

CALENDAR = WorkCalendar()
ZONES = [SHANGHAI, ZoneInfo("Europe/London"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("America/Sao_Paulo")]
NEAR = [timedelta(0), timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)]

clocks = st.integers(0, 24 * 60 - 1).map(lambda number: time(number // 60, number % 60))
days = st.sets(st.sampled_from(sorted(DAY_WORDS)), min_size=1).map(",".join)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start = draw(clocks)
    return Window(start, draw(clocks.filter(lambda end: end != start)), draw(days))


@st.composite
def moments(draw: st.DrawFn, zone: ZoneInfo, around: list[Window]) -> datetime:
    """Any moment, and often one at an edge: to the microsecond before, at and after it."""
    day = draw(st.dates(date(2017, 1, 1), date(2026, 12, 31)))
    edges = [clock for window in around for clock in (window.start, window.end)]
    clock = draw(st.sampled_from(edges)) if edges and draw(st.booleans()) else draw(clocks)
    moment = datetime.combine(day, clock, zone).astimezone(UTC)
    return moment + draw(st.sampled_from(NEAR)) * draw(st.sampled_from([-1, 0, 1]))


@given(st.data(), st.lists(windows(), max_size=3), st.sampled_from(ZONES))
def test_a_moment_is_at_night_exactly_when_a_window_covers_it_whatever_was_asked_before(
    data: st.DataObject, some: list[Window], zone: ZoneInfo
) -> None:
    rest = Rest(tuple(some), zone, CALENDAR)
    first = data.draw(moments(zone, some))
    steps = st.lists(st.integers(-12 * 24, 12 * 24).map(lambda hours: first + timedelta(hours=hours)))

    for moment in [first, *data.draw(steps), *data.draw(st.lists(moments(zone, some), max_size=4))]:
        night = rest.night(moment)
        local = moment.astimezone(zone)
        covering = [window for window in some if window.covers(local, CALENDAR)]
        assert (night is not None) is bool(covering)
        if night is not None:
            assert night.window == covering[0]
            assert night.opening == night.window.opening_of(local, CALENDAR)
            assert night.ends == night.window.ends_at(local, CALENDAR)


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [
        ("2025-03-03T23:29:59.999999", False),
        ("2025-03-03T23:30:00", True),
        ("2025-03-04T00:00:00", True),
        ("2025-03-04T07:29:59.999999", True),
        ("2025-03-04T07:30:00", False),
    ],
)
async def test_the_night_is_judged_from_its_first_instant_to_its_last(clock: str, quiet: bool) -> None:
    assert (await desk().say(at(clock)) is not None) is quiet


@pytest.mark.parametrize(
    ("when", "quiet"),
    [
        ("2025-03-07T23:45", True),  # a Friday
        ("2025-03-08T02:00", True),  # it is Friday's night still
        ("2025-03-08T23:45", False),  # a Saturday
        ("2025-03-09T23:45", False),  # a Sunday: its night belongs to no work day
        ("2025-03-10T02:00", False),
        ("2025-02-07T23:45", True),  # the night before the Saturday that is worked belongs to Friday
        ("2025-02-08T23:45", True),  # the Saturday itself, worked in return for the spring festival
        ("2025-02-09T02:00", True),
        ("2025-01-29T23:45", False),  # new year's day of the lunar calendar, a Wednesday
    ],
)
async def test_a_night_of_workdays_belongs_to_the_day_it_starts_on(when: str, quiet: bool) -> None:
    one = desk(windows=[{"start": "23:30", "end": "07:30", "days": "workdays"}], calendar="cn")

    assert (await one.say(at(when)) is not None) is quiet


async def test_a_night_over_new_year_goes_by_its_first_day_though_the_next_year_is_unknown() -> None:
    known = max(year for year in range(2020, 2100) if not CALENDAR.provisional(year))
    eve = datetime(known, 12, 31, 23, 45, tzinfo=SHANGHAI)
    days = "workdays" if CALENDAR.is_workday(eve.date()) else "restdays"
    one = desk(windows=[{"start": "23:30", "end": "07:30", "days": days}])

    assert await one.say(eve) is not None
    assert await one.say(eve + timedelta(hours=4)) is None  # the same night, so the same reminder
    assert await one.say(eve + timedelta(hours=4), who=member("qq:2")) is not None


def test_groups_that_rest_alike_share_what_is_kept_at_hand() -> None:
    rests, night = Rests(), (Window(time(23, 30), time(7, 30)),)

    one = rests.of(night, "Asia/Shanghai", CALENDAR)

    assert rests.of((Window(time(23, 30), time(7, 30)),), "Asia/Shanghai", CALENDAR) is one
    assert rests.of(night, "Europe/London", CALENDAR) is not one
    assert rests.of((), "Asia/Shanghai", CALENDAR) is not one
    assert rests.of(night, "Asia/Shanghai", WorkCalendar()) is not one


def test_a_night_after_weeks_without_one_is_found() -> None:
    closed = {date(2025, 3, 3) + timedelta(days=number): False for number in range(20)}
    rest = Rest((Window(time(23, 30), time(7, 30), "workdays"),), SHANGHAI, WorkCalendar(closed))

    assert rest.night(at("2025-03-03T12:00")) is None
    assert rest.night(at("2025-03-24T23:45")) is not None
