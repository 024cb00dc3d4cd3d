"""A whole group may be muted for the night; and the stewards hear of a year whose holidays are unknown."""

from datetime import timedelta

import pytest

import groupops_quiet_hours
from groupops import AskStewards, MuteAll, Stage, WakeAt, WorkCalendar
from tests.plugins.quiet_hours.desk import NIGHT, SHANGHAI, Desk, at, desk

EVENING, MORNING = at("2025-03-03T23:30"), at("2025-03-04T07:30")
(OPEN, _) = groupops_quiet_hours.manifest.schedules


def test_the_group_asks_to_be_woken_when_its_windows_open() -> None:
    windows = [{"start": "12:00", "end": "14:00"}, NIGHT]

    assert list(OPEN.at(desk(windows=windows, action="mute_group").settings)) == ["12:00", "23:30"]
    assert list(OPEN.at(desk(windows=windows).settings)) == []


async def test_everybody_is_muted_when_the_night_begins_and_the_end_is_put_down_at_once() -> None:
    mute, wake = await desk(action="mute_group").come("open", EVENING)

    assert mute == MuteAll(group_id=mute.group_id, on=True)
    assert (wake.job, wake.at) == ("lift", MORNING)


async def test_everybody_may_speak_when_the_night_ends() -> None:
    (lift,) = await desk(action="mute_group").come("lift", MORNING)

    assert lift == MuteAll(group_id=lift.group_id, on=False)


async def test_a_mute_that_was_begun_ends_whatever_is_set_by_then() -> None:
    for one in (desk(action="remind"), desk(windows=[]), desk(windows=[], action="mute_group")):
        (lift,) = await one.come("lift", MORNING)
        assert isinstance(lift, MuteAll)
        assert not lift.on


async def test_a_night_that_was_made_longer_goes_on() -> None:
    one = desk(windows=[{"start": "23:30", "end": "08:00"}], action="mute_group")

    (wake,) = await one.come("lift", MORNING)

    assert isinstance(wake, WakeAt)
    assert wake.at == at("2025-03-04T08:00")


async def test_the_beginning_of_a_night_that_was_slept_through_is_made_up_for() -> None:
    _, wake = await desk(action="mute_group").come("open", at("2025-03-04T01:00"), due=EVENING)

    assert wake.at == MORNING


async def test_a_beginning_that_comes_after_the_end_mutes_nobody() -> None:
    assert await desk(action="mute_group").come("open", at("2025-03-04T08:00"), due=EVENING) is None


async def test_the_beginning_of_a_window_within_a_night_changes_nothing() -> None:
    windows = [{"start": "22:00", "end": "24:00"}, NIGHT]

    assert await desk(windows=windows, action="mute_group").come("open", EVENING) is None


async def test_nobody_is_muted_on_a_day_the_window_does_not_name() -> None:
    one = desk(windows=[{**NIGHT, "days": "sat"}], action="mute_group")

    assert await one.come("open", EVENING) is None
    assert await one.come("open", at("2025-03-08T23:30")) is not None


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.WARN_ONLY])
async def test_nobody_is_muted_before_the_rules_are_enforced(stage: Stage) -> None:
    settings = desk(action="mute_group").settings

    assert await Desk(settings, stage=stage).come("open", EVENING) is None


async def test_a_moment_that_means_nothing_here_is_let_be() -> None:
    assert await desk(action="mute_group").come("else", EVENING) is None


def first_unknown_year() -> int:
    calendar = WorkCalendar()
    return next(year for year in range(2020, 2100) if calendar.provisional(year))


async def test_a_year_that_is_only_guessed_is_put_down_for_the_first_of_the_month() -> None:
    unknown = first_unknown_year()
    one = desk(calendar="cn")

    (wake,) = await one.come("look", at(f"{unknown - 1}-12-17T09:00"))
    (again,) = await one.come("look", at(f"{unknown - 1}-12-30T09:00"))

    assert wake == again
    assert wake.at == at(f"{unknown - 1}-12-01T00:00")
    assert wake.payload == str(unknown)
    assert wake.at.utcoffset() == timedelta(hours=8)
    assert wake.at.tzinfo is SHANGHAI


async def test_a_year_that_is_known_is_not_spoken_of() -> None:
    assert await desk(calendar="cn").come("look", at("2025-03-03T09:00")) is None


async def test_the_stewards_are_asked_to_fill_in_the_year() -> None:
    (ask,) = await desk(calendar="cn").come("missing", at("2026-12-01T09:00"), payload="2027")

    assert isinstance(ask, AskStewards)
    assert "2027" in ask.text
