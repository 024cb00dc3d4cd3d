"""Members report, and nobody is held to anything by a report alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from groupops import AccountId, CommandGiven, GroupId, Image, Media, Quote, Severity
from groupops.records import CaseStatus
from groupops.testing import MONDAY, Rig, rig
from tests.plugins.moderation_plugin.stories import (
    ABUSE,
    LEWD,
    ONLY,
    actions,
    cases,
    last_case,
    only_case,
    pack,
    said,
    stands,
    told,
)

MENU = pack(
    use='"insult", "rumor", "defame_org", "bad_tendency", "unhealthy"', ladders='default = "by_severity"'
)


async def reported(r: Rig, reason: str = "举报 说话太难听", by: str = "li", quote: str = "m1") -> None:
    await r.say("g1", by, reason, quote=quote)


async def test_a_report_is_a_case_for_the_stewards_and_contains_nobody() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        outcome = await r.say("g1", "wang", "明天停水停电", message_id="m1")
        await reported(r, "举报 谣言")

        case = await only_case(r)
        assert (case.status, case.rule, case.account) == (
            CaseStatus.FLAGGED,
            "moderation.rumor",
            "sandbox:wang",
        )
        assert case.excerpt == "明天停水停电"
        assert await actions(r, case) == ["ask_stewards"]
        assert stands(r, outcome)


async def test_the_reporter_is_told_privately_and_named_to_nobody() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        await r.say("g1", "wang", "明天停水停电", message_id="m1")
        await reported(r, "举报 谣言")

        assert any("已收到" in text for text in told(r, "li"))
        assert said(r) == []
        assert not any("li" in text for text in told(r, "admin"))


async def test_a_report_may_be_whispered() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        r.sandbox.member("g1", "wang", card="王工")
        await r.tell(r.sandbox.census("g1"))
        await r.whisper("g1", "li", "举报 王工 在群里造谣")

        case = await only_case(r)
        assert (case.account, case.rule) == ("sandbox:wang", "moderation.rumor")
        assert said(r) == []


async def test_a_mention_says_whom_a_report_is_about() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        await r.say("g1", "li", "举报 拉帮结伙", mentions=["wang"])
        case = await only_case(r)
        assert case.account == "sandbox:wang"
        assert "拉帮结伙" in case.reason


async def test_the_words_of_a_report_are_no_offence_of_the_reporter() -> None:
    async with rig(pack=pack('grievance_words = ["工资"]', '"insult"'), plugins=ONLY) as r:
        await r.say("g1", "wang", "你这人", message_id="m1")
        await reported(r, f"举报 他私下骂我{ABUSE}")

        assert {case.account for case in await cases(r)} == {"sandbox:wang"}


async def test_neither_are_the_words_of_an_appeal() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.say("g1", "wang", ABUSE)
        await r.advance(timedelta(minutes=5))
        await r.say("g1", "wang", f"申诉 1 我说{ABUSE}是在念台词")

        assert (await only_case(r)).status is CaseStatus.APPEALED


async def test_two_reports_of_one_message_are_one_case() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        await r.say("g1", "wang", "明天停水停电", message_id="m1")
        await reported(r, "举报 谣言", by="li")
        await reported(r, "举报 骗人的", by="admin2")

        await only_case(r)
        assert any("已有人举报" in text for text in told(r, "admin2"))


async def test_what_the_machine_saw_already_is_one_case_with_its_report() -> None:
    async with rig(pack=pack(use='"insult"'), plugins=ONLY) as r:
        await r.say("g1", "wang", ABUSE, message_id="m1")
        await r.advance(timedelta(hours=3))
        await reported(r, by="admin")

        case = await only_case(r)
        assert [seen.what for seen in case.evidence][-1] == "report"
        assert case.reporter == "sandbox:admin", "so the reporter does not decide it"


async def test_a_report_after_a_restart_is_still_the_same_case() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        await r.say("g1", "wang", "明天停水停电", message_id="m1")
        await reported(r, "举报 谣言")
        await r.engine.parts.counters.clear("moderation/sandbox:g1/reported/m1", 7 * 86_400.0)
        await reported(r, "举报 谣言", by="admin")

        assert len(await cases(r)) == 1


async def test_who_reported_may_not_decide() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        await r.say("g1", "wang", "明天停水停电", message_id="m1")
        await reported(r, "举报 谣言", by="admin")
        case = await only_case(r)
        await r.say("g1", "admin", f"批准 {case.id} 警告")
        assert (await only_case(r)).status is CaseStatus.FLAGGED

        await r.say("g1", "admin2", f"批准 {case.id} 警告")
        assert (await only_case(r)).status is CaseStatus.EFFECTIVE


async def test_a_human_picks_the_step_of_a_reported_deception() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        await r.say("g1", "wang", "中奖了点这里", message_id="m1")
        await reported(r, "举报 欺骗消息")
        case = await only_case(r)
        await r.say("g1", "admin", f"批准 {case.id}")
        assert (await only_case(r)).step == ""

        await r.say("g1", "admin", f"批准 {case.id} 禁言 情节较重")
        assert not r.sandbox.world.may_post("g1", "wang")


async def test_a_reported_picture_is_decided_by_humans_and_not_kept() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        picture = Image(media=Media(id="p1", media_kind="image"))
        await r.say("g1", "wang", segments=(picture,), message_id="m1")
        assert await cases(r) == ()
        await reported(r, "举报 图片不健康")

        case = await only_case(r)
        assert (case.rule, case.status) == ("moderation.unhealthy", CaseStatus.FLAGGED)
        assert case.excerpt == "[image p1]"  # as a quote shows it; the picture itself stays where it is


async def test_a_report_against_a_complaint_leads_to_no_case_but_to_a_hint() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        await r.say("g1", "wang", "社保没交,这单位不行", message_id="m1")
        await reported(r, "举报 损害公司声誉")

        assert await cases(r) == ()
        assert any("不作处罚" in text for text in told(r, "li"))
        assert any("建议" in text for text in told(r, "wang"))


async def test_a_critical_report_is_taken_whatever_else_the_message_says() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.say("g1", "admin2", "工资没发,看图", message_id="m1")
        await reported(r, "举报 色情图片")
        assert (await only_case(r)).severity is Severity.CRITICAL


async def test_without_a_word_for_it_the_reported_text_says_what_it_is() -> None:
    async with rig(pack=pack(), plugins=ONLY, stewards=("sandbox:admin",)) as r:
        await r.say("g1", "li", "举报 看这条", segments=(quote(LEWD),))
        assert (await only_case(r)).rule == "moderation.porn"


def quote(text: str, message_id: str = "old", account: str = "sandbox:wang") -> Quote:
    return Quote(message_id=message_id, account=AccountId(account), text=text)


async def test_a_secret_that_is_reported_is_not_kept() -> None:
    async with rig(pack=pack(use='"confidential"'), plugins=ONLY) as r:
        await r.say("g1", "wang", "明天的投标底价是三百万", message_id="m1")
        await reported(r, "举报 泄密")

        case = await only_case(r)
        assert (case.rule, case.excerpt) == ("moderation.confidential", "")


@pytest.mark.parametrize(
    ("words", "answer"),
    [("举报 他乱说话", "请引用"), ("举报 没有这个人 乱说话", "请引用")],
)
async def test_a_report_about_nobody_is_answered_with_the_right_form(words: str, answer: str) -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        await r.whisper("g1", "li", words)
        assert any(answer in text for text in told(r, "li"))
        assert await cases(r) == ()


async def test_nobody_reports_himself() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        await r.say("g1", "li", "说错话了", message_id="m1")
        await reported(r)
        assert await cases(r) == ()


async def test_a_quoted_message_that_nobody_remembers_is_said_to_be_unknown() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        event = CommandGiven(
            id="c1", at=MONDAY, group_id=GroupId("sandbox:g1"), account=AccountId("sandbox:li"), name="举报",
            args=("骂人",), quoted="gone",
        )  # fmt: skip
        await r.tell(event)
        assert any("没有找到" in text for text in told(r, "li"))


async def test_a_platform_that_names_only_the_quoted_message_is_understood() -> None:
    async with rig(pack=MENU, plugins=ONLY) as r:
        await r.say("g1", "wang", "明天停水停电", message_id="m1")
        event = CommandGiven(
            id="c1", at=MONDAY, group_id=GroupId("sandbox:g1"), account=AccountId("sandbox:li"), name="举报",
            args=("造谣",), quoted="m1",
        )  # fmt: skip
        await r.tell(event)
        assert (await only_case(r)).excerpt == "明天停水停电"


async def test_reports_without_end_are_turned_away() -> None:
    async with rig(pack=pack("reports_per_hour = 2"), plugins=ONLY) as r:
        for number in range(3):
            await r.say("g1", "wang", f"第 {number} 条", message_id=f"m{number}")
            await reported(r, quote=f"m{number}")

        assert len(await cases(r)) == 2
        assert any("频繁" in text for text in told(r, "li"))
        await r.advance(timedelta(hours=1, minutes=1))
        await reported(r, quote="m2")
        assert (await last_case(r)).message_id == "m2"
