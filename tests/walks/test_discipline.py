"""Whole stories of discipline: from the first word that was wrong to the last that was said about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from groupops import Event, MessagePosted, OpenCase, Role, Stage
from groupops.records import Case, CaseStatus, OutboxState
from groupops.testing import Rig, rig
from tests.support.stories import PACK, done, plugin, rude, told

DAY = timedelta(days=1)


def story(ladder: str = "soft", **more: Any) -> dict[str, Any]:
    return {"pack": PACK, "plugins": (), "extra": {"rude": plugin(judge=rude(ladder, **more))}}


async def case(r: Rig, number: int) -> Case:
    found = await r.records.case(number)
    assert found is not None
    return found


async def strikes(r: Rig, account: str, ladder: str = "soft") -> int:
    person = await r.records.person_for(f"sandbox:{account}")  # type: ignore[arg-type]
    return await r.records.strikes(person.id, ladder, r.clock.now())


async def test_an_insult_is_reminded_of_the_second_is_approved_appealed_and_reversed() -> None:
    async with rig(**story(mute_minutes=10)) as r:
        first = await r.say("g1", "wang", "坏")
        assert first is not None
        assert first.booked.case.status is CaseStatus.EFFECTIVE
        assert "篇十 二.5" in told(r, "wang")[-1]

        await r.advance(timedelta(hours=1))
        await r.say("g1", "wang", "还是坏")
        assert (await case(r, 2)).status is CaseStatus.PROPOSED
        assert any("待核准 2" in text for text in told(r, "admin"))

        await r.whisper("g1", "admin", "批准 2 屡次")
        assert (await case(r, 2)).status is CaseStatus.EFFECTIVE
        assert await strikes(r, "wang") == 2
        assert "管理员已核定警告" in told(r, "wang")[-1]

        await r.whisper("g1", "wang", "申诉 2 当时被误会")
        assert await strikes(r, "wang") == 1
        await r.whisper("g1", "admin", "批准 2 确属误会")
        assert "须由另一位管理员决定" in told(r, "admin")[-1]

        await r.whisper("g1", "admin2", "批准 2 确属误会")
        assert (await case(r, 2)).status is CaseStatus.REVERSED
        assert await strikes(r, "wang") == 1
        assert [action.kind for action in done(r) if action.kind in ("mute", "unmute")] == [
            "mute",
            "mute",
            "unmute",
        ]
        assert "已撤销" in told(r, "wang")[-1]


async def test_a_removal_takes_two_approvers_and_the_member_hears_of_it_before() -> None:
    async with rig(**story("kick", auto="flag")) as r:
        await r.say("g1", "wang", "坏")
        await r.whisper("g1", "admin", "批准 1 属实")
        assert "移出须另行核准(需 2 人)" in told(r, "admin")[-1]

        await r.whisper("g1", "admin", "批准 1 屡次")
        assert "可能导致移出本群" in told(r, "wang")[-1]
        await r.whisper("g1", "admin", "批准 1 屡次")
        assert "须由另一位管理员核准" in told(r, "admin")[-1]
        assert done(r, "remove_member") == []

        await r.whisper("g1", "admin2", "批准 1 同意")
        assert [action.account for action in done(r, "remove_member")] == ["sandbox:wang"]
        assert "sandbox:wang" not in r.sandbox.world.room("g1").seats


async def test_where_too_few_may_decide_the_owner_alone_removes_after_a_day_s_notice() -> None:
    async with rig(**story("kick"), stewards=()) as r:
        await r.say("g1", "wang", "坏")
        await r.whisper("g1", "owner", "批准 1 屡次")
        assert "24 小时后群主可单独决定" in told(r, "owner")[-1]
        assert "可能导致移出本群" in told(r, "wang")[-1]

        await r.advance(timedelta(hours=23))
        await r.whisper("g1", "owner", "批准 1 屡次")
        assert "尚未届满" in told(r, "owner")[-1]
        assert done(r, "remove_member") == []

        await r.advance(timedelta(hours=1))
        await r.whisper("g1", "owner", "批准 1 屡次")
        assert len(done(r, "remove_member")) == 1
        assert [line.word for line in (await case(r, 1)).decisions] == ["notice", "approve"]


async def test_who_takes_a_message_back_at_once_is_thanked_and_has_no_strike() -> None:
    async with rig(**story()) as r:
        said = r.sandbox.say("g1", "wang", "坏")
        await r.tell(said)
        await r.advance(timedelta(seconds=90))

        await r.tell(r.sandbox.recall("g1", said.message_id, by="wang"))

        assert (await case(r, 1)).status is CaseStatus.WITHDRAWN
        assert await strikes(r, "wang") == 0
        assert "感谢及时撤回" in told(r, "wang")[-1]


async def test_who_takes_one_message_of_a_burst_back_keeps_the_strike_of_the_others() -> None:
    pack = PACK.replace("burst_s = 0", "burst_s = 120")
    async with rig(**{**story(), "pack": pack}) as r:
        said = r.sandbox.say("g1", "wang", "坏")
        await r.tell(said)
        await r.advance(timedelta(seconds=20))
        await r.say("g1", "wang", "坏坏")

        await r.tell(r.sandbox.recall("g1", said.message_id, by="wang"))

        assert [one.status for one in await r.records.cases()] == [CaseStatus.EFFECTIVE]
        assert await strikes(r, "wang") == 1


async def test_a_message_taken_back_too_late_keeps_its_strike() -> None:
    async with rig(**story()) as r:
        said = r.sandbox.say("g1", "wang", "坏")
        await r.tell(said)
        await r.advance(timedelta(seconds=121))

        await r.tell(r.sandbox.recall("g1", said.message_id, by="wang"))

        assert await strikes(r, "wang") == 1


def reports(event: Event) -> list[OpenCase] | None:
    if not isinstance(event, MessagePosted) or not event.text.startswith("举报"):
        return None
    return [
        OpenCase(
            group_id=event.group_id,
            account="sandbox:wang",  # type: ignore[arg-type]
            rule="rude.word",
            reason="被举报用语不当",
            severity=4,
            ladder="kick",
            reporter=event.account,
        )
    ]


async def test_a_member_s_report_contains_nobody_and_its_reporter_may_not_decide_it() -> None:
    stewards = ("sandbox:admin", "sandbox:admin2", "sandbox:li")
    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(react=reports)}, stewards=stewards) as r:
        await r.say("g1", "li", "举报")

        assert (await case(r, 1)).status is CaseStatus.FLAGGED
        assert told(r, "wang") == []
        assert not any(action.bites for action in done(r))
        assert not any("举报人" in text or "li" in text for text in told(r, "admin"))

        await r.whisper("g1", "li", "批准 1 属实")
        assert "您是事项 1 的举报人" in told(r, "li")[-1]

        await r.whisper("g1", "admin", "驳回 1 查无实据")
        assert (await case(r, 1)).status is CaseStatus.DISMISSED


async def test_an_appeal_that_is_turned_down_lets_the_held_step_go_on() -> None:
    pack = PACK.replace("[clause", '[ladder.hard]\nsteps = ["mute"]\nhuman_from = 0\n[clause')
    async with rig(**{**story("hard"), "pack": pack}) as r:
        r.sandbox.faults.throttle("mute", retry_after=timedelta(hours=2))
        await r.say("g1", "wang", "坏")
        await r.whisper("g1", "admin", "批准 1 屡次")
        await r.whisper("g1", "wang", "申诉 1 误会")
        await r.advance(timedelta(hours=3))
        assert done(r, "mute") == []

        await r.whisper("g1", "admin", "驳回 1 事实清楚")
        assert "须由另一位管理员决定" in told(r, "admin")[-1]
        await r.whisper("g1", "admin2", "驳回 1 事实清楚")

        assert (await case(r, 1)).status is CaseStatus.EFFECTIVE
        assert len(done(r, "mute")) == 1
        assert any("申诉未获支持" in text for text in told(r, "wang"))


async def test_what_was_done_without_an_answer_is_taken_back_all_the_same() -> None:
    async with rig(**story("warn", mute_minutes=20)) as r:
        r.sandbox.faults.lose_answers("mute")
        await r.tell(r.sandbox.say("g1", "wang", "坏"))

        await r.whisper("g1", "admin", "撤销 1 误判")

        assert [action.kind for action in done(r) if action.kind in ("mute", "unmute")] == ["mute", "unmute"]
        assert r.sandbox.world.seat("g1", "wang").muted_until is None


async def test_a_steward_of_another_group_decides_nothing_here() -> None:
    async with rig(**story("warn"), groups=("g1", "g2"), stewards=()) as r:
        r.sandbox.role("g2", "li", Role.OWNER)
        await r.settle()
        await r.say("g1", "wang", "坏")

        await r.whisper("g2", "li", "批准 1 属实")

        assert (await case(r, 1)).status is CaseStatus.PROPOSED
        assert "只有管理员可以决定" in told(r, "li")[-1]


async def test_a_policy_that_only_warns_counts_and_tells_and_takes_nothing() -> None:
    async with rig(**story("warn", mute_minutes=20), stage=Stage.WARN_ONLY) as r:
        await r.say("g1", "wang", "坏")
        await r.whisper("g1", "admin", "批准 1 属实")

        assert (await case(r, 1)).status is CaseStatus.EFFECTIVE
        assert any("管理员已核定警告" in text for text in told(r, "wang"))
        assert not any(action.bites for action in done(r))


async def test_nobody_answers_and_the_case_lapses() -> None:
    async with rig(**story("warn")) as r:
        await r.say("g1", "wang", "坏")

        await r.advance(3 * DAY)

        assert (await case(r, 1)).status is CaseStatus.LAPSED
        assert await strikes(r, "wang", "warn") == 0
        assert await r.records.tickets() == ()


async def test_a_strike_is_forgotten_when_its_time_is_over() -> None:
    async with rig(**story()) as r:
        await r.say("g1", "wang", "坏")
        await r.advance(180 * DAY)
        assert await strikes(r, "wang") == 0

        again = await r.say("g1", "wang", "坏")

        assert again is not None
        assert (again.booked.case.step, again.booked.case.strike) == ("remind", 1)


async def test_nothing_waits_in_the_outbox_when_a_story_is_over() -> None:
    async with rig(**story(mute_minutes=10)) as r:
        for word in ("坏", "坏坏", "坏坏坏"):
            await r.say("g1", "wang", word)
            await r.advance(timedelta(minutes=5))

        states = {row.state for row in await r.records.outbox()}
        assert states == {OutboxState.DONE}


TWO_RULES = """
schema = 1
[pack]
id = "two"
title = "two"
[plugins]
enabled = ["quiet_hours", "moderation"]
[quiet_hours]
windows = [{ start = "22:00", end = "07:30", days = "all" }]
[moderation]
use = ["gambling"]
operator_words = { gambling = ["开盘下注"] }
[moderation.ladders]
gambling = "warn"
[clause."quiet_hours.rest"]
ref = "第一条"
text = "夜里休息。"
[clause."moderation.gambling"]
ref = "第七条"
text = "不得赌博。"
"""


async def test_two_rules_broken_by_one_message_are_each_told_with_their_own_clause() -> None:
    async with rig(pack=TWO_RULES) as r:
        await r.advance(timedelta(hours=14))
        await r.say("g1", "wang", "开盘下注 来玩")

        (told,) = [post.text for post in r.sandbox.world.said_by_bot("g1")]
        night = next(line for line in told.splitlines() if "休息" in line)
        assert "第一条" in night
        assert "第七条" not in night
        assert "第七条" in told
