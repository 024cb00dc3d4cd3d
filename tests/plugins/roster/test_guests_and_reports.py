"""Guests are written down with who invited them; members report outsiders and nobody learns who did."""

from __future__ import annotations

import pytest

from groupops.records import CaseStatus
from groupops.testing import rig
from groupops_roster.models import AvatarWord, Guest
from tests.plugins.roster.stories import (
    DAY,
    HOUR,
    KICK,
    ONLY,
    STAFF,
    STEWARDS,
    audit,
    cases,
    join,
    line,
    pack,
    said,
    told,
)

GUESTS = 'guests = "by_invitation"\n'
AVATARS = "[roster.card]\nenforce = false\navatar_self_declare = true"


# — guests —


async def test_a_guest_with_invitation_and_consent_is_no_case() -> None:
    async with rig(pack=pack(GUESTS + KICK), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await join(r, "ke", name="来客")
        await r.say("g1", "admin", "来宾 邀请:王五 同意:陈管", mentions=["ke"])
        await r.advance(3 * DAY)

        assert await cases(r) == []
        row = await Guest.first()
        assert row is not None
        assert (row.note, row.by) == ("邀请:王五 同意:陈管", "sandbox:admin")
        assert await audit(r, "guest registered") == 1


async def test_an_invitation_written_down_later_closes_the_case() -> None:
    async with rig(pack=pack(GUESTS + KICK), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        await r.advance(HOUR)
        await r.say("g1", "admin", "来宾 邀请:李四 同意:陈管", mentions=["wang"])

        assert [case.status for case in await cases(r)] == [CaseStatus.DISMISSED]


async def test_a_group_without_guests_takes_none() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS)
        await r.say("g1", "admin", "来宾 邀请:李四", mentions=["wang"])

        assert await Guest.all().count() == 0
        assert "不收来宾" in said(r)[-1]


async def test_an_invitation_is_for_one_stay() -> None:
    async with rig(pack=pack(GUESTS), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await join(r, "ke", name="来客")
        await r.say("g1", "admin", "来宾 邀请:王五 同意:陈管", mentions=["ke"])
        await r.tell(r.sandbox.leave("g1", "ke"))
        await join(r, "ke", name="来客")

        assert len(told(r, "ke")) == 2
        assert await Guest.filter(ended_at=None).count() == 0


async def test_an_invitation_can_be_ended() -> None:
    async with rig(pack=pack(GUESTS + KICK), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        await r.say("g1", "admin", "来宾 邀请:李四 同意:陈管", mentions=["wang"])
        await r.say("g1", "admin", "来宾 取消", mentions=["wang"])
        await r.advance(HOUR)

        assert len(await cases(r)) == 1


# — reports —


async def test_s16b_06_a_report_is_a_case_and_the_reporter_is_shown_to_nobody() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        await r.say("g1", "li", "举报外人", mentions=["wang"])

        (case,) = await cases(r, "roster.outsider")
        assert (case.account, case.status, case.reporter) == (
            "sandbox:wang",
            CaseStatus.FLAGGED,
            "sandbox:li",
        )
        assert said(r) == []
        assert not any("李四" in text or "li" in text for text in told(r, "admin"))


async def test_who_reported_may_not_decide() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS)
        await r.say("g1", "admin", "举报外人", mentions=["wang"])
        await r.say("g1", "admin", "批准 1 是外人")

        assert [case.status for case in await cases(r)] == [CaseStatus.FLAGGED]


@pytest.mark.parametrize(("whom", "word"), [("wang", "在名册中"), ("li", "不能替自己")])
async def test_whoever_belongs_is_no_case(whom: str, word: str) -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.say("g1", "li", "举报外人", mentions=[whom])

        assert await cases(r) == []
        assert word in told(r, "li")[-1]


async def test_two_reports_are_one_case() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        await r.say("g1", "li", "举报外人", mentions=["wang"])
        await r.say("g1", "admin2", "举报外人", mentions=["wang"])

        assert len(await cases(r)) == 1
        assert "已有人报告" in told(r, "admin2")[-1]


# — one's own picture —


async def test_the_group_is_asked_once_for_the_members_own_word() -> None:
    async with rig(pack=pack(card=AVATARS), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.advance(3 * DAY)

        (notice,) = r.sandbox.world.room("g1").notices
        assert "不查看、不比对、不保存" in notice.text


async def test_a_word_is_kept_and_taken_back() -> None:
    async with rig(pack=pack(card=AVATARS), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.say("g1", "wang", "头像 本人")
        await r.say("g1", "wang", "头像 本人")
        assert await AvatarWord.filter(account="sandbox:wang").count() == 1
        await r.whisper("g1", "admin", "名册 核对")
        assert "已声明使用本人头像 1 人" in told(r, "admin")[-1]

        await r.say("g1", "wang", "头像 撤回")
        assert await AvatarWord.filter(account="sandbox:wang").count() == 0


async def test_talk_about_pictures_is_talk() -> None:
    async with rig(pack=pack(card=AVATARS), plugins=ONLY) as r:
        await r.say("g1", "wang", "头像 好看")

        assert said(r) == []
        assert await AvatarWord.all().count() == 0


async def test_where_it_is_not_asked_for_nobody_hears_of_it() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.advance(2 * DAY)
        await r.say("g1", "wang", "头像 本人")

        assert r.sandbox.world.room("g1").notices == []
        assert await AvatarWord.all().count() == 0
