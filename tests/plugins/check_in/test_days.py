"""A day's states: whatever happens in whatever order, it comes to what the earliest and the latest facts say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from groupops import AccountId, ConfigError, GroupId, Location, LocationShared, PersonId, WorkCalendar
from groupops_check_in.day import (
    Entry,
    Sighting,
    State,
    checked_in,
    closed,
    corrected,
    counted_at,
    excused,
    state_at,
)
from groupops_check_in.shifts import Hours, Shift, shift_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
OPEN = datetime(2025, 3, 3, 0, 30, tzinfo=UTC)
HOURS = Hours(
    day=date(2025, 3, 3),
    opens=OPEN,
    due=OPEN + timedelta(minutes=30),
    closes=OPEN + timedelta(minutes=60),
)
LI = AccountId("qq:1")
BLANK = Entry(group_id=GroupId("qq:9"), person_id=PersonId(1), account=LI, day=HOURS.day)
PLACES = ["", "总部", "仓库", "客户A处"]


def seen(minute: float, place: str = "总部") -> Sighting:
    at = OPEN + timedelta(minutes=minute)
    state = state_at(at, HOURS)
    assert state is not None
    return Sighting(state=state, place=place, means="text", at=at, account=LI)


SIGHTINGS = st.builds(seen, st.integers(0, 59), st.sampled_from(PLACES))


class ADay(RuleBasedStateMachine):
    """One person's day, with everything that may happen to it, against a book kept by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.entry: Entry | None = None
        self.sightings: list[Sighting] = []
        self.on_leave = self.was_missing = self.is_corrected = self.is_closed = False

    @rule(one=SIGHTINGS)
    def checks_in(self, one: Sighting) -> None:
        self.entry = checked_in(BLANK, self.entry, one)
        self.sightings.append(one)

    @precondition(lambda self: self.sightings)
    @rule(data=st.data())
    def tells_a_fact_again(self, data: st.DataObject) -> None:
        before = self.entry
        again = checked_in(BLANK, before, data.draw(st.sampled_from(self.sightings)))
        assert before is not None
        assert (again.state, again.at) == (before.state, before.at)

    @rule()
    def leave_is_approved(self) -> None:
        if self.entry is None or self.entry.state is State.MISSING:
            self.on_leave = True
        self.entry = excused(BLANK, self.entry)

    @rule(minute=st.integers(60, 600))
    def a_correction_is_approved(self, minute: int) -> None:
        if self.entry is None or self.entry.state is State.MISSING:
            self.is_corrected = True
        self.entry = corrected(BLANK, "工地", OPEN + timedelta(minutes=minute), self.entry)
        assert self.entry.place == "工地"

    @rule()
    def closes(self) -> None:
        self.entry = closed(BLANK, self.entry)
        self.is_closed = True

    @invariant()
    def the_first_check_in_decides(self) -> None:
        if not self.sightings:
            return
        assert self.entry is not None
        first = min(self.sightings, key=lambda one: one.at)
        assert self.entry.at == first.at
        assert self.entry.state is (State.EXCUSED if self.on_leave else first.state)

    @invariant()
    def who_was_not_heard_of_is_what_people_decided(self) -> None:
        if self.sightings:
            return
        states = [State.EXCUSED] * self.on_leave + [State.CORRECTED] * self.is_corrected
        if states:
            assert self.entry is not None
            assert self.entry.state in states
        elif self.is_closed:
            assert self.entry == BLANK
        else:
            assert self.entry is None


TestADay = ADay.TestCase


@given(st.lists(SIGHTINGS, min_size=1, max_size=6, unique_by=lambda one: one.at), st.randoms())
def test_the_order_in_which_check_ins_arrive_makes_no_difference(order: list[Sighting], rnd: object) -> None:
    shuffled = list(order)
    rnd.shuffle(shuffled)  # type: ignore[attr-defined]
    days = []
    for arrivals in (order, shuffled, shuffled + order):
        entry = None
        for one in arrivals:
            entry = checked_in(BLANK, entry, one)
        assert entry is not None
        days.append((entry.state, entry.at, entry.place))
    assert days[0] == days[1] == days[2]


def test_who_checked_in_is_never_missing() -> None:
    assert closed(BLANK, checked_in(BLANK, None, seen(40))).state is State.LATE


def test_a_later_check_in_that_names_no_place_takes_none_away() -> None:
    entry = checked_in(BLANK, checked_in(BLANK, None, seen(1, "总部")), seen(5, ""))
    assert entry.place == "总部"


@pytest.mark.parametrize(
    ("minute", "state"),
    [(-0.001, None), (0, State.ON_TIME), (30, State.ON_TIME), (30.0001, State.LATE), (60, None)],
)
def test_the_hours_take_their_opening_and_not_their_close(minute: float, state: State | None) -> None:
    assert state_at(OPEN + timedelta(minutes=minute), HOURS) is state


@given(st.integers(-3600, 3600))
def test_a_fact_counts_by_its_own_moment_unless_it_came_more_than_ten_minutes_late(seconds: int) -> None:
    fact = LocationShared(
        id="1",
        at=OPEN,
        received_at=OPEN + timedelta(seconds=seconds),
        group_id=GroupId("qq:9"),
        account=LI,
        location=Location(latitude=0, longitude=0),
    )
    assert counted_at(fact) == (OPEN if 0 <= seconds <= 600 else fact.received_at)
    assert counted_at(replace(fact, received_at=None)) == OPEN


# — shifts —

DAY = Shift(name="", roles=frozenset({"业务人员"}), opens=time(8, 30), due=time(9), closes=time(9, 30))
NIGHT = Shift(
    name="夜班", roles=frozenset({"保安"}), opens=time(23, 30), due=time(0), closes=time(0, 30),
    remind_at=(time(0, 10),), days="all",
)  # fmt: skip
CALENDAR = WorkCalendar()


def test_a_shift_that_crosses_midnight_belongs_to_the_date_it_opens_on() -> None:
    hours = NIGHT.around(datetime(2025, 3, 4, 0, 5, tzinfo=SHANGHAI), SHANGHAI, CALENDAR)
    assert hours is not None
    assert hours.day == date(2025, 3, 3)
    assert hours.due == datetime(2025, 3, 4, 0, 0, tzinfo=SHANGHAI)
    assert hours.reminders == (datetime(2025, 3, 4, 0, 10, tzinfo=SHANGHAI),)


@given(st.dates(date(2025, 1, 1), date(2025, 12, 31)), st.times())
def test_hours_are_found_exactly_by_the_moments_they_cover(day: date, clock: time) -> None:
    aware = datetime.combine(day, clock, SHANGHAI)
    for shift in (DAY, NIGHT):
        found = shift.around(aware, SHANGHAI, CALENDAR)
        if shift is DAY:
            wanted = time(8, 30) <= clock < time(9, 30) and CALENDAR.is_workday(day)
        else:
            wanted = clock >= time(23, 30) or clock < time(0, 30)
        assert (found is not None) is wanted


def test_the_first_shift_that_fits_is_a_person_s_own() -> None:
    assert shift_of(frozenset({"保安", "业务人员"}), (NIGHT, DAY)) is NIGHT
    assert shift_of(frozenset({"会计"}), (NIGHT, DAY)) is None
    everybody = replace(DAY, roles=frozenset({"all"}))
    assert shift_of(frozenset(), (everybody,)) is everybody


@pytest.mark.parametrize(
    "moments",
    [
        {"due": time(8)},
        {"closes": time(9)},
        {"due": time(8, 30)},
        {"remind_at": (time(9, 30),)},
        {"days": "someday"},
    ],
)
def test_moments_out_of_order_are_turned_away(moments: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        replace(DAY, **moments)  # type: ignore[arg-type]
