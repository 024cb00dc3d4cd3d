"""Newcomers the roster does not list are on trial: asked little, vouched for by another, verified by a human."""

from __future__ import annotations

import pytest

from groupops.testing import rig
from groupops_roster.models import Probation
from tests.plugins.roster.stories import (
    DAY,
    HOUR,
    ONLY,
    STAFF,
    audit,
    cases,
    inside,
    join,
    line,
    pack,
    person_of,
    said,
    tickets,
    told,
)

ZHANG = line("张三", unit="财务部", ref="A0123")
VOUCHED = 'voucher_required = true\nprobation_until = "verified"'


async def row_of(account: str) -> Probation:
    row = await Probation.filter(account=f"sandbox:{account}").order_by("-id").first()
    assert row is not None
    return row


async def test_somebody_of_the_roster_comes_in_unasked() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, line("张三", "zhang", "财务部"))
        await join(r, "zhang")

        assert told(r, "zhang") == []
        assert await tickets(r) == []


async def test_a_stranger_is_asked_privately_and_the_stewards_are_told_once() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await join(r, "xin", name="小张", by="wang")

        (question,) = told(r, "xin")
        assert "核验" in question
        assert "自报 单位 编号后四位" in question
        (ticket,) = await tickets(r, "小张")
        assert "由 wang = 王五(销售部) 带入" in ticket
        assert "03-04 09:00" in ticket
        assert "(一.1)" in ticket


async def test_an_answer_that_fits_is_kept_as_the_person_it_fits_and_never_as_words() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, ZHANG)
        await join(r, "xin", name="小张")
        await r.whisper("g1", "xin", "自报 财务部 0123")

        assert any("与名册相符:张三(财务部)" in text for text in await tickets(r, "请核验"))
        assert not any("0123" in text for text in await tickets(r))
        assert "相符" not in told(r, "xin")[-1]


@pytest.mark.parametrize(
    "answer", ["自报 销售部 0123", "自报 财务部 9999", "自报 财务部 123", "自报 财务部 3"]
)
async def test_an_answer_that_does_not_fit_is_answered_like_one_that_does(answer: str) -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, ZHANG)
        await join(r, "xin", name="小张")
        await r.whisper("g1", "xin", answer)

        assert told(r, "xin")[-1].startswith("已收到")
        assert any("不符" in text for text in await tickets(r, "请核验"))


async def test_a_number_that_two_have_fits_nobody() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, ZHANG, line("赵六", unit="财务部", ref="B0123"))
        await join(r, "xin", name="小张")
        await r.whisper("g1", "xin", "自报 财务部 0123")

        assert any("不符" in text for text in await tickets(r, "请核验"))


async def test_numbers_cannot_be_guessed() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, ZHANG)
        await join(r, "xin", name="小张")
        for number in range(6):
            await r.whisper("g1", "xin", f"自报 财务部 000{number}")
        await r.whisper("g1", "xin", "自报 财务部 0123")

        assert (await row_of("xin")).matched is None


async def test_answers_are_not_taken_in_the_group() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, ZHANG)
        await join(r, "xin", name="小张")
        await r.say("g1", "xin", "/自报 财务部 0123")

        assert (await row_of("xin")).tries == 0
        assert "私信" in said(r)[-1]


async def test_add_01_answered_vouched_for_and_verified_the_answers_are_gone() -> None:
    async with rig(pack=pack(VOUCHED), plugins=ONLY) as r:
        await r.enrol(*STAFF, ZHANG)
        await join(r, "xin", name="小张")
        await r.whisper("g1", "xin", "自报 财务部 0123")
        await r.say("g1", "admin", "核验", mentions=["xin"])
        assert "担保" in told(r, "admin")[-1]
        assert await person_of(r, "xin") == ""

        await r.say("g1", "wang", "担保", mentions=["xin"])
        await r.say("g1", "admin", "核验", mentions=["xin"])

        assert await person_of(r, "xin") == "张三"
        row = await row_of("xin")
        assert (row.status, row.matched, row.by) == ("verified", None, "sandbox:admin")
        assert await audit(r, "newcomer verified") == 1


async def test_add_03_nobody_vouches_for_himself() -> None:
    async with rig(pack=pack(VOUCHED), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await join(r, "xin", name="小张")
        await r.say("g1", "xin", "担保", mentions=["xin"])

        assert (await row_of("xin")).sponsor is None
        assert "不能为自己担保" in said(r)[-1]
        assert await audit(r, "voucher refused") == 1


async def test_neither_does_one_who_is_that_person_by_the_answers() -> None:
    async with rig(pack=pack(VOUCHED), plugins=ONLY) as r:
        await r.enrol(*STAFF, line("王五", "wang", ref="W7777"))
        await join(r, "xin", name="小张")
        await r.whisper("g1", "xin", "自报 销售部 7777")
        await r.say("g1", "wang", "担保", mentions=["xin"])

        assert (await row_of("xin")).sponsor is None


async def test_a_newcomer_on_trial_vouches_for_nobody() -> None:
    async with rig(pack=pack(VOUCHED), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await join(r, "a", name="甲")
        await join(r, "b", name="乙")
        await r.say("g1", "a", "担保", mentions=["b"])

        assert (await row_of("b")).sponsor is None


async def test_one_sponsor_is_enough() -> None:
    async with rig(pack=pack(VOUCHED), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await join(r, "xin", name="小张")
        await r.say("g1", "wang", "担保", mentions=["xin"])
        await r.say("g1", "li", "担保", mentions=["xin"])

        assert (await row_of("xin")).sponsor == "sandbox:wang"
        assert "够了" in said(r)[-1]


async def test_a_steward_may_say_who_it_is_and_never_oneself() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, ZHANG)
        await join(r, "xin", name="小张")
        await r.say("g1", "admin", "/核验 陈管", mentions=["xin"])
        assert await person_of(r, "xin") == ""
        await r.say("g1", "admin", "/核验 财务部 张三", mentions=["xin"])

        assert await person_of(r, "xin") == "张三"


async def test_who_is_verified_but_not_on_the_roster_is_no_case_and_stays_on_the_list() -> None:
    lapse = pack('audit_at = "09:30"\nunknown_action = "kick_case"')
    async with rig(pack=lapse, plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await join(r, "xin", name="小张")
        await r.say("g1", "admin", "核验", mentions=["xin"])
        await r.advance(2 * DAY)

        assert await cases(r) == []
        assert any("尚未入册(1):小张" in text for text in await tickets(r, "名册核对"))


@pytest.mark.parametrize(
    ("action", "ladder"), [("flag", None), ("flag_then_case", "kick"), ("kick_case", "kick")]
)
async def test_when_the_time_is_up_it_follows_what_is_set_and_nobody_is_put_out(
    action: str, ladder: str | None
) -> None:
    async with rig(pack=pack(f'unknown_action = "{action}"'), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await join(r, "xin", name="小张")
        await r.advance(24 * HOUR - 1 * HOUR)
        assert await cases(r) == []
        await r.advance(2 * HOUR)

        assert [case.ladder for case in await cases(r, "roster.outsider")] == ([ladder] if ladder else [])
        assert bool(await tickets(r, "试用已到期")) is (action == "flag")
        assert inside(r, "xin")


async def test_until_verified_the_end_of_the_time_only_asks_the_stewards() -> None:
    async with rig(
        pack=pack('probation_until = "verified"\nunknown_action = "kick_case"'), plugins=ONLY
    ) as r:
        await r.enrol(*STAFF)
        await join(r, "xin", name="小张")
        await r.advance(25 * HOUR)

        (case,) = await cases(r)
        assert case.ladder == ""
        assert (await row_of("xin")).status == "open"


async def test_who_is_put_on_the_roster_meanwhile_is_on_trial_no_more() -> None:
    async with rig(pack=pack('unknown_action = "kick_case"'), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await join(r, "xin", name="小张")
        await r.enrol(line("张三", "xin", "财务部"))
        await r.advance(25 * HOUR)

        assert await cases(r) == []
        assert (await row_of("xin")).status == "registered"


async def test_who_leaves_meanwhile_is_done_with_and_begins_anew_when_coming_again() -> None:
    async with rig(pack=pack('unknown_action = "kick_case"'), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await join(r, "xin", name="小张")
        await r.tell(r.sandbox.leave("g1", "xin"))
        await r.advance(25 * HOUR)
        assert await cases(r) == []

        await join(r, "xin", name="小张")
        assert len(told(r, "xin")) == 2
        assert (await row_of("xin")).status == "open"


async def test_a_leaver_who_comes_in_is_told_to_the_stewards() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, line("旧人", "jiu", "财务部", active=False))
        await join(r, "jiu")

        assert any("已离职的人入群" in text for text in await tickets(r))
        assert told(r, "jiu") == []


async def test_of_many_newcomers_at_once_the_stewards_are_not_told_one_by_one() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        for number in range(15):
            await join(r, f"m{number}", name=f"新人{number}")

        assert len(await tickets(r, "新成员不在名册:")) == 10
        assert len(await tickets(r, "不再逐一告知")) == 1
        assert len(told(r, "m14")) == 1
