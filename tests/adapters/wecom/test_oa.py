"""WeCom's own check-in is asked within its limits, and what it has becomes facts: once each, and of nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import AccountId, GroupId, ReadCheckIns
from groupops_wecom.oa import AT_ONCE, SPAN, facts, pull, shares

GROUP = GroupId("wecom:duty01")
SINCE = datetime(2026, 11, 26, 0, 30, tzinfo=UTC)
UNTIL = SINCE + timedelta(hours=1)


def asked(*userids: str, since: datetime = SINCE, until: datetime = UNTIL) -> ReadCheckIns:
    accounts = tuple(AccountId(f"wecom:{one}") for one in userids or ("zhangsan",))
    return ReadCheckIns(group_id=GROUP, accounts=accounts, since=since, until=until)


def line(**more: Any) -> dict[str, Any]:
    """A line of `getcheckindata`."""
    return {
        "userid": "zhangsan",
        "checkin_type": "上班打卡",
        "exception_type": "",
        "checkin_time": int(SINCE.timestamp()) + 600,
        "location_title": "依澜府",
        "location_detail": "四川省成都市武侯区益州大道中段784号",
        "lat": 30547645,
        "lng": 104063236,
        "wifiname": "办公一区",
        "notes": "路上堵车",
        "deviceid": "E5FA89F6",
        **more,
    }


def read(*lines: dict[str, Any], action: ReadCheckIns | None = None) -> Any:
    return facts(lines, action or asked(), now=UNTIL)


# — reading —


def test_a_check_in_is_a_fact_with_its_place_in_gcj02() -> None:
    [fact] = read(line())

    assert (fact.account, fact.source, fact.group_id) == ("wecom:zhangsan", "oa", GROUP)
    assert fact.at == SINCE + timedelta(minutes=10)
    assert (fact.location.latitude, fact.location.longitude, fact.location.crs) == (
        30.547645,
        104.063236,
        "gcj02",
    )
    assert fact.label == "依澜府"


def test_neither_network_device_nor_notes_are_taken_over() -> None:
    [fact] = read(line())

    assert not any(word in repr(fact) for word in ("办公一区", "E5FA89F6", "路上堵车", "益州大道"))


@pytest.mark.parametrize(
    ("told", "odd"),
    [
        ("", ()),
        ("时间异常", ("time",)),
        ("地点异常;非常用设备", ("device", "place")),
        ("wifi异常", ("place",)),
        ("前所未有", ("前所未有",)),
    ],
)
def test_what_the_attendance_found_odd_is_told(told: str, odd: tuple[str, ...]) -> None:
    [fact] = read(line(exception_type=told))

    assert fact.odd == odd


def test_that_nobody_checked_in_is_no_check_in() -> None:
    assert read(line(exception_type="未打卡")) == ()


def test_whoever_goes_home_does_not_check_in() -> None:
    assert read(line(checkin_type="下班打卡")) == ()


def test_outside_counts_as_well() -> None:
    assert len(read(line(checkin_type="外出打卡"))) == 1


@pytest.mark.parametrize(("lat", "lng"), [(0, 0), (None, 104063236), (91_000_000, 0), ("30", "104")])
def test_a_check_in_without_a_place_on_earth_has_none(lat: Any, lng: Any) -> None:
    [fact] = read(line(lat=lat, lng=lng))

    assert fact.location is None


def test_of_whom_nobody_asked_nothing_is_told() -> None:
    assert read(line(userid="lisi")) == ()


def test_what_lies_outside_the_span_is_not_told() -> None:
    late = int(UNTIL.timestamp()) + 1

    assert read(line(checkin_time=late), line(checkin_time=int(SINCE.timestamp()) - 1)) == ()


def test_the_same_line_is_the_same_fact_and_other_groups_have_their_own() -> None:
    other = ReadCheckIns(
        group_id=GroupId("wecom:duty02"), accounts=(AccountId("wecom:zhangsan"),), since=SINCE, until=UNTIL
    )

    [one] = read(line(), line())
    [again] = read(line())
    [elsewhere] = read(line(), action=other)

    assert one.id == again.id
    assert elsewhere.id != one.id


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.lists(st.integers(), max_size=2)
)


@given(st.dictionaries(st.sampled_from(sorted(line())), VALUES))
def test_lines_of_any_shape_are_read(shape: dict[str, Any]) -> None:
    assert len(read(line(**shape))) <= 1


# — asking —


class Attendance:
    """Answers with one line for everybody asked, and keeps what was asked."""

    corp_id = "ww1"

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.claims: list[str] = []

    async def call(self, path: str, body: Any = None, *, claims: Any = ()) -> dict[str, Any]:
        assert path == "checkin/getcheckindata"
        self.bodies.append(body)
        self.claims += [one.kind for one in claims]
        return {"checkindata": [line(userid=one) for one in body["useridlist"]]}


async def test_a_hundred_at_once_are_asked_for_and_counted() -> None:
    attendance, names = Attendance(), [f"u{number:03}" for number in range(250)]

    found = await pull(attendance, asked(*names), now=UNTIL)

    assert [len(body["useridlist"]) for body in attendance.bodies] == [100, 100, 50]
    assert attendance.claims == ["checkin"] * 3
    assert {fact.account for fact in found} == {f"wecom:{name}" for name in names}


async def test_accounts_of_another_platform_are_not_asked_for() -> None:
    attendance = Attendance()
    action = ReadCheckIns(group_id=GROUP, accounts=(AccountId("qq:1"),), since=SINCE, until=UNTIL)

    assert await pull(attendance, action, now=UNTIL) == ()
    assert attendance.bodies == []


@given(people=st.integers(1, 350), seconds=st.integers(0, 100 * 86_400))
def test_calls_keep_within_the_limits_and_leave_nothing_out(people: int, seconds: int) -> None:
    action = asked(*(f"u{number}" for number in range(people)), until=SINCE + timedelta(seconds=seconds))

    calls = list(shares(action))

    assert all(1 <= len(one.userids) <= AT_ONCE for one in calls)
    assert all(0 < one.end - one.start <= SPAN.total_seconds() for one in calls)
    by_person: dict[str, list[tuple[int, int]]] = {}
    for one in calls:
        for userid in one.userids:
            by_person.setdefault(userid, []).append((one.start, one.end))
    assert len(by_person) == people
    for spans in by_person.values():
        assert spans[0][0] == int(SINCE.timestamp())
        assert spans[-1][1] >= int(action.until.timestamp())
        assert all(earlier[1] == later[0] for earlier, later in pairwise(spans))
