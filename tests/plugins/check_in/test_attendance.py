"""The company's attendance is asked for those who consented to it, and what it has becomes part of the same day."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import AccountId, Location, ReadCheckIns
from groupops.testing import Rig
from groupops_check_in.models import DayRow, MoveRow
from groupops_check_in.settings import CheckIn
from tests.plugins.check_in.stories import (
    HEAD,
    SITES,
    agree,
    at,
    entry,
    last,
    letters,
    locate,
    office,
    pack,
    state,
)

PACED = f"attendance_minutes = 10\n{SITES}"
OFFICE = Location(latitude=HEAD["lat"], longitude=HEAD["lon"], crs="gcj02")
ELSEWHERE = Location(latitude=39.9, longitude=116.7, crs="gcj02")


def paced(start: str = "2025-03-03T08:00", **more: Any) -> Any:
    return office(start, text=pack(PACED), **more)


def asked(r: Rig) -> list[ReadCheckIns]:
    """What the attendance was asked for, in order."""
    return [one.action for one in r.sandbox.world.requests if isinstance(one.action, ReadCheckIns)]


def punch(r: Rig, who: str, moment: str, **more: Any) -> None:
    r.sandbox.world.punch(who, at=at(moment), **({"location": OFFICE} | more))


async def test_nobody_is_asked_about_who_did_not_agree() -> None:
    async with paced(agreed=("li",)) as r:
        punch(r, "zhao", "2025-03-03T08:40")

        await r.advance_to(at("2025-03-03T10:00"))

        assert {account for one in asked(r) for account in one.accounts} == {"sandbox:li"}
        assert await state(r, "zhao") == ""


async def test_without_the_setting_attendance_is_never_asked() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T10:00"))

        assert asked(r) == []


async def test_a_platform_without_attendance_is_never_asked() -> None:
    async with paced(profile="onebot-napcat", agreed=()) as r:
        r.sandbox.world.friends |= {AccountId("sandbox:li")}
        await agree(r, "li")
        await r.advance_to(at("2025-03-03T10:00"))

        assert asked(r) == []


async def test_the_consent_text_says_where_else_check_ins_come_from() -> None:
    async with paced(agreed=()) as r:
        await r.whisper("g1", "li", "同意打卡")

        assert "考勤系统" in last(r, "li")


async def test_consent_given_before_attendance_was_read_does_not_cover_it() -> None:
    plain, more = CheckIn(), CheckIn(attendance_minutes=10)
    from groupops_check_in.consent import terms_of

    assert terms_of(plain) != terms_of(more)
    assert terms_of(more) == terms_of(CheckIn(attendance_minutes=5))


async def test_who_checked_in_there_is_on_time_here_and_is_not_reminded() -> None:
    async with paced() as r:
        punch(r, "li", "2025-03-03T08:41")
        await r.advance_to(at("2025-03-03T08:35"))
        r.sandbox.world.letters.clear()

        await r.advance_to(at("2025-03-03T10:00"))

        day = await entry(r, "li")
        assert day is not None
        assert (day.state, day.place, day.means, day.at) == ("on_time", "总部", "oa", at("2025-03-03T08:41"))
        assert letters(r, "li") == []
        assert letters(r, "zhao") != []


async def test_a_location_sent_and_the_same_turn_in_attendance_are_one_day() -> None:
    async with paced() as r:
        await r.advance_to(at("2025-03-03T08:40"))
        punch(r, "li", "2025-03-03T08:39")
        await locate(r, "li")
        r.sandbox.world.tell_punches(
            "g1", [AccountId("sandbox:li")], at("2025-03-03T08:30"), at("2025-03-03T09:00")
        )
        await r.settle()

        assert await DayRow.all().count() == 1
        assert await MoveRow.all().count() == 0
        day = await entry(r, "li")
    assert day is not None
    assert (day.at, day.place) == (at("2025-03-03T08:39"), "总部")


async def test_whoever_was_seen_already_is_not_asked_about_again() -> None:
    async with paced() as r:
        await r.advance_to(at("2025-03-03T08:31"))
        await locate(r, "li")

        await r.advance_to(at("2025-03-03T10:00"))

        assert {account for one in asked(r) for account in one.accounts} == {"sandbox:zhao"}


async def test_what_attendance_has_of_the_last_minute_puts_the_list_right() -> None:
    async with paced() as r:
        await r.advance_to(at("2025-03-03T09:29"))
        punch(r, "li", "2025-03-03T09:29")

        await r.advance_to(at("2025-03-03T09:35"))
        assert await state(r, "li") == "missing"
        await r.advance_to(at("2025-03-03T10:00"))
        assert await state(r, "li") == "late"


async def test_the_evening_check_out_is_no_check_in() -> None:
    async with paced() as r:
        punch(r, "li", "2025-03-03T18:00")
        await r.advance_to(at("2025-03-03T18:30"))
        r.sandbox.world.tell_punches(
            "g1", [AccountId("sandbox:li")], at("2025-03-03T00:00"), at("2025-03-03T23:00")
        )
        await r.settle()

        assert await state(r, "li") == "missing"


@pytest.mark.parametrize(("label", "kept"), [("公司", "总部"), ("某商场三楼", ""), ("116.3975,39.9087", "")])
async def test_of_a_place_in_words_only_a_sites_label_is_kept(label: str, kept: str) -> None:
    async with paced() as r:
        punch(r, "li", "2025-03-03T08:41", location=None, label=label)
        await r.advance_to(at("2025-03-03T09:00"))

        day = await entry(r, "li")
    assert day is not None
    assert (day.state, day.place) == ("on_time", kept)


async def test_no_coordinates_are_kept_of_what_attendance_told() -> None:
    async with paced() as r:
        punch(r, "li", "2025-03-03T08:41", location=ELSEWHERE, label="某商场三楼")
        await r.advance_to(at("2025-03-03T10:00"))

        kept = await DayRow.all().values()
        audit = [str(one) for one in await r.records.audit()]
    assert "某商场" not in str(kept) + str(audit)
    assert "116.7" not in str(kept) + str(audit) + str(r.log.lines)


@pytest.mark.parametrize(
    ("odd", "unsure"), [(("place",), True), (("device",), True), (("time",), False), ((), False)]
)
async def test_what_attendance_doubts_is_unsure_here(odd: tuple[str, ...], unsure: bool) -> None:
    async with paced() as r:
        punch(r, "li", "2025-03-03T08:41", odd=odd)
        await r.advance_to(at("2025-03-03T09:00"))

        day = await entry(r, "li")
    assert day is not None
    assert day.unsure is unsure


async def test_taking_consent_back_ends_the_asking_at_once() -> None:
    async with paced(agreed=("li",)) as r:
        await r.advance_to(at("2025-03-03T08:35"))
        await r.whisper("g1", "li", "撤回同意")
        before = len(asked(r))

        await r.advance_to(at("2025-03-03T10:00"))

        assert len(asked(r)) == before


@given(pace=st.integers(1, 120), opens=st.integers(0, 1439), length=st.integers(2, 700))
def test_attendance_is_asked_at_its_pace_and_a_minute_before_the_list(
    pace: int, opens: int, length: int
) -> None:
    def clock(minutes: int) -> str:
        hour, minute = divmod(minutes % 1440, 60)
        return f"{hour:02}:{minute:02}"

    settings = CheckIn(
        roles=("all",),
        open=clock(opens),
        due=clock(opens + 1),
        close=clock(opens + length),
        remind_at=(),
        attendance_minutes=pace,
    )

    marks = sorted((int(one[:2]) * 60 + int(one[3:]) - opens) % 1440 for one in settings.lookings)
    assert length - 1 in marks
    assert marks[0] >= min(pace, length - 1)
    assert all(later - earlier <= max(pace, 1) + 1 for earlier, later in pairwise(marks))
    assert timedelta(minutes=marks[-1]) == timedelta(minutes=length + pace)
