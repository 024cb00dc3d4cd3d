"""WeCom's own check-in is asked within its limits, and what it has becomes facts: once each, and of nobody else."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nonebot.drivers.httpx import Mixin

from groupops import AccountId, GroupId, Location, ReadCheckIns
from groupops_wecom import checkins
from groupops_wecom.exception import ActionFailed
from groupops_wecom.oa import facts, pull
from groupops_wecom.qyapi import QyApi
from groupops_wecom.testing import CORP, CheckIn, FakeWeCom, Fault, running
from tests.support.wecom_stub import OVER_HTTPX

pytestmark = OVER_HTTPX

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
    found = [one for one in map(checkins.read, lines) if one is not None]
    return facts(found, action or asked(), now=UNTIL)


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


@dataclass
class Attendance:
    """A company whose people check in, and the client of its app."""

    wecom: FakeWeCom
    api: QyApi

    def punch(self, userid: str, minutes: int = 10, **more: Any) -> None:
        at = SINCE.timestamp() + 60 * minutes
        self.wecom.world.check_ins.append(
            CheckIn(**{"userid": userid, "at": at, "lat": 30.547645, "lng": 104.063236, **more})
        )

    @property
    def asked(self) -> list[list[str]]:
        """Whom was asked about, call by call."""
        return [
            call.body["useridlist"] for call in self.wecom.rest.calls if call.name == "checkin/getcheckindata"
        ]


@pytest.fixture
async def attendance() -> AsyncGenerator[Attendance]:
    async with running(FakeWeCom()) as wecom:
        app = wecom.world.app()
        for number in range(250):
            wecom.world.hire(f"u{number:03}", f"员工{number}")
        yield Attendance(wecom, QyApi(CORP, {"app": app.secret}, Mixin().request, wecom.rest.base))


async def test_everybody_asked_about_comes_and_nobody_else(attendance: Attendance) -> None:
    for number in range(250):
        attendance.punch(f"u{number:03}")
    names = [f"u{number:03}" for number in range(220)]

    found = await pull(attendance.api, asked(*names), now=UNTIL)

    assert [len(share) for share in attendance.asked] == [100, 100, 20]
    assert {fact.account for fact in found} == {f"wecom:{name}" for name in names}


async def test_check_ins_come_oldest_first_with_their_place(attendance: Attendance) -> None:
    attendance.punch("u001", 20, title="总部")
    attendance.punch("u001", 10, exception="时间异常;地点异常")
    attendance.punch("u001", 15, kind="下班打卡")
    attendance.punch("u001", 16, exception="未打卡")

    one, other = await pull(attendance.api, asked("u001"), now=UNTIL)

    assert (one.at, one.odd) == (SINCE + timedelta(minutes=10), ("place", "time"))
    assert (other.label, other.location) == (
        "总部",
        Location(latitude=30.547645, longitude=104.063236, crs="gcj02"),
    )


async def test_accounts_of_another_platform_are_not_asked_for(attendance: Attendance) -> None:
    action = ReadCheckIns(group_id=GROUP, accounts=(AccountId("qq:1"),), since=SINCE, until=UNTIL)

    assert await pull(attendance.api, action, now=UNTIL) == ()
    assert attendance.asked == []


async def test_a_single_moment_may_be_asked_about(attendance: Attendance) -> None:
    attendance.punch("u001", 0)

    [fact] = await pull(attendance.api, asked("u001", until=SINCE), now=UNTIL)

    assert fact.at == SINCE


async def test_a_refusal_gives_nothing_and_asking_again_gives_the_same(attendance: Attendance) -> None:
    attendance.punch("u001")
    attendance.wecom.rest.faults.add("checkin/getcheckindata", Fault(errcode=301024))
    with pytest.raises(ActionFailed):
        await pull(attendance.api, asked("u001"), now=UNTIL)

    first = await pull(attendance.api, asked("u001"), now=UNTIL)

    assert first == await pull(attendance.api, asked("u001"), now=UNTIL)
    assert len(first) == 1
