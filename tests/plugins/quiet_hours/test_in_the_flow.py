"""Whole nights: what members, stewards and the platform see of quiet hours."""

from datetime import datetime, timedelta

import pytest

from groupops import AccountId, GroupId, Role, Stage, WorkCalendar
from groupops.records import Case, CaseStatus
from groupops.testing import Rig, rig
from tests.plugins.quiet_hours import neighbour
from tests.plugins.quiet_hours.desk import SHANGHAI, at

EVENING = at("2025-03-03T22:00")
MINUTE = timedelta(minutes=1)
ONLY = ("quiet_hours",)
GROUP, JIA = GroupId("sandbox:g1"), AccountId("sandbox:甲")


def pack(table: str = "", enabled: str = '"quiet_hours"') -> str:
    return f"""schema = 1
[pack]
id = "night"
title = "夜间"
[plugins]
enabled = [{enabled}]
[quiet_hours]
windows = [{{ start = "23:30", end = "07:30" }}]
{table}
[clause."quiet_hours.rest"]
ref = "第九条"
text = "夜里休息。"
"""


def settled_by(rig: Rig, *accounts: str, role: Role = Role.MEMBER) -> None:
    for account in accounts:
        rig.sandbox.member("g1", account, name=account, role=role)


def said(rig: Rig) -> list[str]:
    return [post.text for post in rig.sandbox.world.said_by_bot("g1")]


async def only_case(rig: Rig) -> Case:
    (case,) = await rig.records.cases()
    return case


async def test_a_night_under_the_regulation_of_the_consulting_company() -> None:
    async with rig(packs=["s10"], plugins=ONLY, start=EVENING) as r:
        settled_by(r, "甲")
        settled_by(r, "管理员", role=Role.ADMIN)
        await r.advance_to(at("2025-03-03T23:29:59"))
        await r.say("g1", "甲", "晚安")
        assert said(r) == []

        await r.advance_to(at("2025-03-03T23:30"))
        await r.say("g1", "甲", "还有人吗")
        (reminder,) = said(r)
        assert reminder.count("篇十 二.9") == 1

        await r.advance_to(at("2025-03-04T00:30"))
        await r.say("g1", "甲", "睡不着")
        assert len(said(r)) == 1

        await r.advance_to(at("2025-03-04T23:45"))
        await r.say("g1", "管理员", "明天开会")
        assert len(said(r)) == 2


async def test_at_half_past_seven_the_night_of_the_project_company_is_over() -> None:
    async with rig(packs=["s18"], plugins=ONLY, start=EVENING) as r:
        settled_by(r, "甲", "乙")
        await r.say("g1", "甲", "22 点了")
        await r.advance_to(at("2025-03-04T07:29:59"))
        await r.say("g1", "乙", "早")
        await r.advance_to(at("2025-03-04T07:30"))
        settled_by(r, "丙")
        await r.say("g1", "丙", "早")

        assert len(said(r)) == 2


async def test_a_reminder_is_a_case_without_a_strike() -> None:
    async with rig(packs=["s10"], plugins=ONLY, start=at("2025-03-03T23:40")) as r:
        settled_by(r, "甲")
        await r.say("g1", "甲", "还有人吗")

        case = await only_case(r)
        assert (case.status, case.strike, case.step) == (CaseStatus.MEASURE, 0, "")
        assert case.clause is not None
        assert case.clause.ref == "篇十 二.9"


async def test_whoever_is_on_no_roster_is_reminded_once_a_night_also_when_the_persons_are_read_anew() -> None:
    async with rig(pack=pack(), plugins=ONLY, start=EVENING) as r:
        settled_by(r, "甲")
        await r.advance_to(at("2025-03-03T23:30"))
        await r.say("g1", "甲", "还有人吗")
        await r.engine.people.load()
        await r.say("g1", "甲", "真的没有人吗")

        assert r.engine.people.member(GROUP, JIA).person_id is not None
        assert len(said(r)) == 1


async def test_an_urgent_message_passes_and_the_ruling_keeps_why() -> None:
    async with rig(packs=["s10"], plugins=ONLY, start=at("2025-03-05T02:00")) as r:
        settled_by(r, "甲")
        outcome = await r.say("g1", "甲", "#紧急 机房漏水")

        assert outcome is not None
        assert outcome.ruling is not None
        assert outcome.ruling.worst is None
        assert any("#紧急" in reason for reason in outcome.ruling.pardons)
        assert await r.records.cases() == ()
        assert said(r) == []


async def test_commands_are_answered_at_night() -> None:
    async with rig(packs=["s10"], plugins=ONLY, start=at("2025-03-03T23:40")) as r:
        settled_by(r, "甲")
        await r.say("g1", "甲", "还有人吗")
        before = len(said(r))
        await r.say("g1", "甲", "/帮助")

        assert len(said(r)) == before + 1


@pytest.mark.parametrize(("defer", "when"), [("true", "2025-03-04T07:30"), ("false", "2025-03-03T23:35")])
async def test_a_broadcast_due_at_night_waits_for_the_morning(defer: str, when: str) -> None:
    night = pack(f"defer_bot_messages = {defer}", '"quiet_hours", "neighbour"')
    async with rig(pack=night, plugins=ONLY, extra={"neighbour": neighbour}, start=EVENING) as r:
        await r.advance_to(at("2025-03-04T12:00"))

        (post,) = r.sandbox.world.said_by_bot("g1")
        assert (post.text, post.at) == ("播报", at(when))


async def test_an_advert_at_night_is_one_message_and_counts_as_by_day() -> None:
    both = pack(enabled='"quiet_hours", "neighbour"')
    night = at("2025-03-09T23:30")
    async with rig(pack=both, plugins=ONLY, extra={"neighbour": neighbour}, start=night) as r:
        settled_by(r, "甲")
        await r.say("g1", "甲", "大促销")

        (message,) = said(r)
        assert "休息时间" in message
        assert "广告" in message
        case = await only_case(r)
        assert (case.rule, case.strike) == ("neighbour.ad", 1)


async def test_in_shadow_nobody_is_told() -> None:
    async with rig(packs=["s10"], plugins=ONLY, stage=Stage.SHADOW, start=at("2025-03-03T23:40")) as r:
        settled_by(r, "甲")
        outcome = await r.say("g1", "甲", "还有人吗")

        assert said(r) == []
        assert outcome is not None
        assert outcome.would is not None


async def test_a_pack_may_word_the_reminder() -> None:
    worded = pack() + '[messages.quiet_hours]\nremind = "{start} 了,睡吧。"\n'
    async with rig(pack=worded, plugins=ONLY, start=at("2025-03-03T23:40")) as r:
        settled_by(r, "甲")
        await r.say("g1", "甲", "还有人吗")

        (text,) = said(r)
        assert text.endswith("23:30 了,睡吧。(第九条)")


# — muting one member —


async def test_who_goes_on_cannot_post_for_ten_minutes() -> None:
    night = at("2025-03-03T23:40")
    async with rig(pack=pack('action = "mute_member"'), plugins=ONLY, start=night) as r:
        settled_by(r, "甲")
        for _ in range(3):
            await r.say("g1", "甲", "还有人吗")

        assert not r.sandbox.world.may_post("g1", "甲")
        await r.advance(10 * MINUTE)
        assert r.sandbox.world.may_post("g1", "甲")


async def test_an_admin_who_goes_on_is_left_to_the_stewards() -> None:
    night = at("2025-03-03T23:40")
    async with rig(pack=pack('action = "mute_member"'), plugins=ONLY, start=night) as r:
        settled_by(r, "管理员", role=Role.ADMIN)
        for _ in range(3):
            await r.say("g1", "管理员", "还有人吗")

        assert r.sandbox.world.may_post("g1", "管理员")
        (ticket,) = await r.records.tickets()
        assert "禁言" in ticket.text


async def test_where_nobody_can_be_muted_the_stewards_get_a_ticket() -> None:
    night = at("2025-03-03T23:40")
    muting = pack('action = "mute_member"\nmute_after = 2')
    async with rig(pack=muting, plugins=ONLY, profile="wechat-wechaty", start=night) as r:
        settled_by(r, "甲")
        for _ in range(2):
            await r.say("g1", "甲", "还有人吗")

        (ticket,) = await r.records.tickets()
        assert "甲" in ticket.text


# — muting everybody —


async def test_nobody_can_post_at_night_where_the_whole_group_is_muted() -> None:
    async with rig(pack=pack('action = "mute_group"'), plugins=ONLY, start=EVENING) as r:
        settled_by(r, "甲")
        await r.advance_to(at("2025-03-03T23:29"))
        assert r.sandbox.world.may_post("g1", "甲")
        await r.advance_to(at("2025-03-03T23:30"))
        assert not r.sandbox.world.may_post("g1", "甲")
        await r.advance_to(at("2025-03-04T07:30"))
        assert r.sandbox.world.may_post("g1", "甲")
        await r.advance_to(at("2025-03-04T23:30"))
        assert not r.sandbox.world.may_post("g1", "甲")


async def test_a_mute_of_all_ends_though_the_setting_was_changed_meanwhile() -> None:
    async with rig(pack=pack('action = "mute_group"'), plugins=ONLY, start=EVENING) as r:
        settled_by(r, "甲")
        await r.advance_to(at("2025-03-04T02:00"))
        await r.engine.set("sandbox:g1", "quiet_hours.action", "remind", author="test")  # type: ignore[arg-type]
        await r.advance_to(at("2025-03-04T07:30"))

        assert r.sandbox.world.may_post("g1", "甲")


async def test_lifting_is_tried_again_while_the_platform_is_away() -> None:
    async with rig(pack=pack('action = "mute_group"'), plugins=ONLY, start=EVENING) as r:
        settled_by(r, "甲")
        await r.advance_to(at("2025-03-04T07:29"))
        r.sandbox.faults.unplug("mute_all", times=3)
        await r.advance_to(at("2025-03-04T07:30"))
        assert not r.sandbox.world.may_post("g1", "甲")
        await r.advance(MINUTE)

        assert r.sandbox.world.may_post("g1", "甲")
        assert await r.records.tickets() == ()


async def test_a_mute_that_cannot_be_lifted_is_put_before_the_stewards_and_not_said_to_be_over() -> None:
    async with rig(pack=pack('action = "mute_group"'), plugins=ONLY, start=EVENING) as r:
        await r.advance_to(at("2025-03-04T07:29"))
        r.sandbox.faults.refuse("mute_all")
        await r.advance_to(at("2025-03-04T07:31"))

        (ticket,) = await r.records.tickets()
        assert "解除" in ticket.text
        assert said(r) == []


async def test_where_a_group_cannot_be_muted_it_is_asked_to_be_quiet() -> None:
    muting = pack('action = "mute_group"')
    async with rig(pack=muting, plugins=ONLY, profile="wechat-wechaty", start=EVENING) as r:
        await r.advance_to(at("2025-03-04T08:00"))

        begun, over = r.sandbox.world.said_by_bot("g1")
        assert (begun.at, over.at) == (at("2025-03-03T23:30"), at("2025-03-04T07:30"))


async def test_a_night_that_began_while_nothing_ran_is_muted_late() -> None:
    async with rig(pack=pack('action = "mute_group"'), plugins=ONLY, start=EVENING) as r:
        settled_by(r, "甲")
        r.clock.moment = at("2025-03-04T01:00")
        await r.settle()
        assert not r.sandbox.world.may_post("g1", "甲")
        await r.advance_to(at("2025-03-04T07:30"))

        assert r.sandbox.world.may_post("g1", "甲")


# — the work calendar —


async def test_the_stewards_hear_once_a_month_that_a_years_holidays_are_missing() -> None:
    calendar = WorkCalendar()
    unknown = next(year for year in range(2020, 2100) if calendar.provisional(year))
    start = datetime(unknown - 1, 12, 28, 20, 0, tzinfo=SHANGHAI)
    async with rig(pack=pack('calendar = "cn"'), plugins=ONLY, start=start, calendar=calendar) as r:
        await r.advance_to(datetime(unknown - 1, 12, 31, 20, 0, tzinfo=SHANGHAI))
        (ticket,) = await r.records.tickets()
        assert str(unknown) in ticket.text
        await r.advance_to(datetime(unknown, 1, 3, 20, 0, tzinfo=SHANGHAI))

        assert len(await r.records.tickets()) == 2
