"""Who talks at night is told so once; urgent matters pass; who goes on may be muted."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from groupops import AccountId, Mute, Offence, Pardon, PersonId, Reply, Role
from groupops.clock import StoppedClock
from groupops.counters import Counters, RedisCounters
from groupops.sanctions import MEASURED
from groupops_quiet_hours.settings import QuietHours
from tests.plugins.quiet_hours.desk import NIGHT, CountersFor, Desk, at, desk, member

LATE_EVENING = at("2025-03-03T23:30")
MINUTE = timedelta(minutes=1)


def counted(counters_for: CountersFor, **settings: Any) -> Desk:
    return Desk(QuietHours.model_validate({"windows": [NIGHT], **settings}), counters_for)


def mute_of(verdict: Any) -> Mute | None:
    return next((action for action in verdict.contain if isinstance(action, Mute)), None) if verdict else None


async def test_the_reminder_is_a_measure_that_names_the_window_and_how_to_mark_urgent_matters() -> None:
    verdict = await desk().say(LATE_EVENING)

    assert isinstance(verdict, Offence)
    assert (verdict.rule, verdict.ladder, verdict.auto) == ("quiet_hours.rest", "", "remind")
    assert {evidence.what for evidence in verdict.evidence} <= MEASURED
    (reply,) = verdict.contain
    assert isinstance(reply, Reply)
    assert reply.account == "qq:1"
    assert "23:30–07:30" in reply.text
    assert "#紧急" in reply.text
    assert "{" not in reply.text + verdict.reason


async def test_without_tags_the_reminder_speaks_of_none() -> None:
    verdict = await desk(emergency_tags=[]).say(LATE_EVENING, "#紧急")

    assert "紧急" not in verdict.contain[0].text
    assert "急事" not in verdict.contain[0].text


async def test_one_night_brings_one_reminder_also_after_midnight(counters_for: CountersFor) -> None:
    one = counted(counters_for)

    heard = [
        await one.say(at(when)) is not None
        for when in ("2025-03-03T23:30", "2025-03-03T23:59", "2025-03-04T00:30", "2025-03-04T07:29")
    ]

    assert heard == [True, False, False, False]


async def test_the_next_night_another_member_and_another_group_have_their_own(
    counters_for: CountersFor,
) -> None:
    one = counted(counters_for)
    await one.say(LATE_EVENING)

    assert await one.say(LATE_EVENING, who=member("qq:2")) is not None
    assert await one.say(LATE_EVENING, group="qq:8") is not None
    assert await one.say(at("2025-03-04T23:30")) is not None


async def test_two_windows_of_a_day_have_a_reminder_each(counters_for: CountersFor) -> None:
    noon = {"start": "12:00", "end": "14:00"}
    one = counted(counters_for, windows=[noon, NIGHT])

    heard = [
        await one.say(at(f"2025-03-03T{clock}")) is not None
        for clock in ("12:30", "13:30", "14:00", "23:30", "23:31")
    ]

    assert heard == [True, False, False, True, False]


async def test_one_person_with_two_accounts_is_reminded_once(counters_for: CountersFor) -> None:
    one = counted(counters_for)
    await one.say(LATE_EVENING, who=member("qq:1", person_id=PersonId(7)))

    assert await one.say(LATE_EVENING, who=member("wechat:x", person_id=PersonId(7))) is None


async def test_every_message_is_answered_where_that_is_set(counters_for: CountersFor) -> None:
    one = counted(counters_for, remind_once_per_window=False)

    assert all([await one.say(LATE_EVENING) is not None for _ in range(3)])


@pytest.mark.parametrize("action", ["remind", "mute_member"])
async def test_a_reminder_comes_once_while_redis_is_away(tmp_path: Path, action: str) -> None:
    def nobody_there(clock: StoppedClock) -> Counters:
        return RedisCounters(f"unix://{tmp_path / 'none.sock'}", clock)

    one = counted(nobody_there, action=action)

    heard = [await one.say(LATE_EVENING) is not None for _ in range(5)]

    assert heard == [True, False, False, False, False]


@pytest.mark.parametrize("who", [member(role=Role.ADMIN), member(role=Role.OWNER), member(steward=True)])
async def test_those_who_lead_the_group_are_reminded_like_everybody(who: Any) -> None:
    assert await desk().say(LATE_EVENING, who=who) is not None


@pytest.mark.parametrize(
    ("role", "who"),
    [
        ("admin", member(role=Role.ADMIN)),
        ("owner", member(role=Role.OWNER)),
        ("leader", member(org_roles=frozenset({"leader"}))),
        ("steward", member(steward=True)),
    ],
)
async def test_a_role_may_be_let_off(role: str, who: Any) -> None:
    one = desk(exempt_roles=[role])

    assert await one.say(LATE_EVENING, who=who) is None
    assert await one.say(LATE_EVENING) is not None


@pytest.mark.parametrize("action", ["remind", "mute_member", "mute_group"])
async def test_an_urgent_message_is_spoken_up_for_and_leaves_a_trace_without_its_words(action: str) -> None:
    one = desk(action=action)

    verdict = await one.say(at("2025-03-05T02:00"), "#紧急 机房漏水")

    assert isinstance(verdict, Pardon)
    assert verdict.rules == ("quiet_hours.rest",)
    assert "#紧急" in verdict.reason
    ((level, what, fields),) = one.log.lines
    assert (level, what) == ("info", "urgent message in quiet hours")
    assert "机房" not in str(fields)


async def test_an_urgent_message_does_not_use_up_the_reminder(counters_for: CountersFor) -> None:
    one = counted(counters_for)
    await one.say(LATE_EVENING, "#紧急 机房漏水")

    assert isinstance(await one.say(LATE_EVENING), Offence)


async def test_an_urgent_message_by_day_is_nothing_special() -> None:
    one = desk()

    assert await one.say(at("2025-03-03T12:00"), "#紧急 机房漏水") is None
    assert one.log.lines == []


async def test_what_comes_more_than_ten_minutes_late_gets_nothing(counters_for: CountersFor) -> None:
    one = counted(counters_for)

    assert await one.say(LATE_EVENING, received_at=LATE_EVENING + 10 * MINUTE + MINUTE / 60) is None
    assert await one.say(LATE_EVENING, received_at=LATE_EVENING + 10 * MINUTE) is not None


async def test_nobody_is_reminded_who_has_no_stable_account() -> None:
    assert await desk().say(LATE_EVENING, who=member("")) is None


async def test_other_facts_are_no_talk() -> None:
    assert await desk().come("open", LATE_EVENING) is None


async def test_who_goes_on_is_muted_at_the_third_message(counters_for: CountersFor) -> None:
    one = counted(counters_for, action="mute_member")

    verdicts = [await one.say(LATE_EVENING + number * MINUTE) for number in range(4)]

    first, second, third, fourth = verdicts
    assert first.auto == "remind"
    assert second is None
    assert third.auto == "mute"
    assert mute_of(third) == Mute(
        group_id=third.contain[0].group_id, account=AccountId("qq:1"), span=10 * MINUTE
    )
    assert "3 条" in third.contain[0].text
    assert fourth is None


async def test_a_member_is_muted_three_times_a_night_at_most(counters_for: CountersFor) -> None:
    one = counted(counters_for, action="mute_member", mute_after=2)

    muted = [number for number in range(1, 13) if mute_of(await one.say(LATE_EVENING + number * MINUTE))]

    assert muted == [2, 4, 6]


async def test_with_a_reminder_for_each_message_the_third_is_still_a_mute(counters_for: CountersFor) -> None:
    one = counted(counters_for, action="mute_member", remind_once_per_window=False)

    muted = [bool(mute_of(await one.say(LATE_EVENING))) for _ in range(4)]

    assert muted == [False, False, True, False]


@pytest.mark.parametrize(
    ("clock", "span"),
    [("07:00:00", 10 * MINUTE), ("07:25:00", 5 * MINUTE), ("07:29:50", MINUTE)],
)
async def test_a_mute_ends_with_the_night_and_lasts_a_minute_at_least(clock: str, span: timedelta) -> None:
    one = desk(action="mute_member", mute_after=1)

    mute = mute_of(await one.say(at(f"2025-03-04T{clock}")))

    assert mute is not None
    assert mute.span == span


async def test_messages_of_another_night_do_not_count_together(counters_for: CountersFor) -> None:
    one = counted(counters_for, action="mute_member", mute_after=2)
    await one.say(LATE_EVENING)

    assert mute_of(await one.say(at("2025-03-04T23:30"))) is None


@pytest.mark.parametrize("defer", [True, False])
def test_the_group_rests_in_the_windows_and_the_bot_waits_where_that_is_set(defer: bool) -> None:
    one = desk(defer_bot_messages=defer)

    said = one.quiet()

    assert said.windows == one.settings.rest
    assert said.defer is defer


def test_without_windows_nothing_is_said_of_rest() -> None:
    assert desk(windows=[]).quiet() is None
