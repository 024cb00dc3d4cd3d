"""A card that is not right is reminded of privately, not too often, and at last put before the stewards."""

from __future__ import annotations

import pytest

from groupops import Role, Text
from groupops.records import CaseStatus, ObligationStatus
from groupops.testing import Rig, rig
from tests.plugins.roster.stories import (
    DAY,
    HOUR,
    MINUTE,
    ONLY,
    STAFF,
    STEWARDS,
    card,
    cases,
    join,
    line,
    pack,
    said,
    told,
)

F1 = '[roster.card]\nformat = "F1"\nseparators = ["-", "+"]\ncanonical_separator = "-"'


def f1(more: str = "") -> str:
    return pack(card=f"{F1}\n{more}")


async def owed(rig: Rig) -> list[ObligationStatus]:
    return [row.status for row in await rig.records.obligations(plugin="roster")]


@pytest.mark.parametrize("text", ["销售部-王五", "销售部＋王五", "销售部—王五"])
async def test_a_right_card_is_passed_over_in_silence(text: str) -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await card(r, "wang", text)

        assert told(r, "wang") == []
        assert said(r) == []


async def test_s02_11_a_card_that_can_be_put_right_is_suggested_privately() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await card(r, "wang", "销售部王五")

        (reminder,) = told(r, "wang")
        assert "建议改为:销售部-王五" in reminder
        assert "(一.2)" in reminder
        assert said(r) == []


async def test_s09_21_a_telephone_number_is_not_repeated() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await card(r, "wang", "王五 13900000000")

        assert "139" not in " ".join(told(r, "wang"))
        assert "****" in told(r, "wang")[0]


async def test_where_nobody_can_be_written_to_the_group_hears_no_details() -> None:
    async with rig(pack=f1(), plugins=ONLY, profile="wechat-wechaty") as r:
        await r.enrol(*STAFF)
        r.sandbox.world.room("g1").seats["sandbox:wang"].card = "王五 13900000000"
        await r.tell(r.sandbox.census("g1"))

        (post,) = r.sandbox.world.said_by_bot("g1")
        text = "".join(part.text for part in post.segments if isinstance(part, Text))
        assert "我的名片" in text
        assert "139" not in text
        assert "销售部" not in text


async def test_a_group_may_want_private_words_only() -> None:
    async with rig(pack=f1('channel = "dm"'), plugins=ONLY, profile="wechat-wechaty") as r:
        await r.enrol(*STAFF)
        r.sandbox.world.room("g1").seats["sandbox:wang"].card = "小王"
        await r.tell(r.sandbox.census("g1"))

        assert said(r) == []


async def test_reminders_come_once_a_day_and_end_before_the_stewards() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await card(r, "wang", "小王")
        counts: list[int] = []
        for _ in range(3):
            await r.advance(DAY - MINUTE)
            counts.append(len(told(r, "wang")))
            await r.advance(MINUTE)
        await r.advance(MINUTE)

        assert counts == [1, 2, 3]
        (case,) = await cases(r)
        assert (case.rule, case.ladder, case.strike, case.status) == (
            "roster.card",
            "",
            0,
            CaseStatus.FLAGGED,
        )
        await r.advance(10 * DAY)
        assert len(told(r, "wang")) == 3
        assert len(await cases(r)) == 1


async def test_a_card_put_right_settles_what_was_owed_without_a_word() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await card(r, "wang", "小王")
        await r.advance(HOUR)
        await card(r, "wang", "销售部-王五")
        await r.advance(5 * DAY)

        assert len(told(r, "wang")) == 1
        assert await owed(r) == [ObligationStatus.SATISFIED]
        assert await cases(r) == []


async def test_to_and_fro_counts_anew_and_never_reminds_twice_a_day() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        for text in ("小王", "销售部-王五", "小王", "销售部-王五", "老王", "王总"):
            await card(r, "wang", text)
            await r.advance(MINUTE)
        assert len(told(r, "wang")) == 1

        await r.advance(DAY)
        assert len(told(r, "wang")) == 2
        await r.advance(2 * DAY + HOUR)
        assert len(told(r, "wang")) == 4
        assert await cases(r) == []
        await r.advance(DAY)
        assert len(await cases(r)) == 1


async def test_a_newcomer_has_time_to_change_the_card() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF, line("赵六", "zhao"))
        await join(r, "zhao", name="小赵")
        await r.advance(59 * MINUTE)
        assert told(r, "zhao") == []
        await r.advance(MINUTE)
        assert len(told(r, "zhao")) == 1


async def test_who_changes_it_in_time_is_not_reminded() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF, line("赵六", "zhao"))
        await join(r, "zhao", name="小赵")
        await r.advance(30 * MINUTE)
        await card(r, "zhao", "销售部-赵六")
        await r.advance(5 * DAY)

        assert told(r, "zhao") == []


async def test_another_persons_name_is_not_right_on_an_account_that_is_bound() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await card(r, "wang", "销售部-李四")

        assert "建议改为:销售部-王五" in told(r, "wang")[0]


async def test_admins_are_reminded_privately_and_are_no_case() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await card(r, "admin", "管理员小陈")
        await r.advance(5 * DAY)

        assert len(told(r, "admin")) == 3
        assert await cases(r) == []
        assert await owed(r) == []


async def test_the_bot_sets_the_card_only_where_it_is_told_to_and_sure() -> None:
    async with rig(pack=f1("auto_set = true"), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await card(r, "wang", "销售部王五")
        await card(r, "li", "小李")

        assert r.sandbox.world.room("g1").seats["sandbox:wang"].card == "销售部-王五"
        assert r.sandbox.world.room("g1").seats["sandbox:li"].card == "小李"
        assert await owed(r) == [ObligationStatus.SATISFIED, ObligationStatus.OPEN]


async def test_it_never_sets_the_card_of_an_account_nobody_bound() -> None:
    async with rig(pack=f1("auto_set = true"), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("王五"))
        await card(r, "wang", "销售部王五")

        assert r.sandbox.world.room("g1").seats["sandbox:wang"].card == "销售部王五"


async def test_an_exception_of_a_steward_ends_the_reminders_and_what_was_owed() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await card(r, "wang", "小王")
        await r.say("g1", "admin", "名片例外 需要保护", mentions=["wang"])
        await r.advance(5 * DAY)

        assert len(told(r, "wang")) == 1
        assert await owed(r) == [ObligationStatus.CANCELLED]
        assert await cases(r) == []
        await r.say("g1", "admin", "名片例外 取消", mentions=["wang"])
        await card(r, "wang", "老王")
        assert len(told(r, "wang")) == 2


async def test_nobody_excepts_oneself() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.say("g1", "admin", "名片例外 我例外", mentions=["admin"])
        await card(r, "admin", "小陈")

        assert any("建议改为" in text for text in told(r, "admin"))


async def test_a_member_may_ask_how_the_card_should_read() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.whisper("g1", "wang", "我的名片")
        await card(r, "wang", "销售部-王五")
        await r.whisper("g1", "wang", "我的名片")

        assert "建议改为:销售部-王五" in told(r, "wang")[0]
        assert "合格" in told(r, "wang")[1]


async def test_where_cards_cannot_be_read_none_are_held_against_anybody() -> None:
    async with rig(pack=f1(), plugins=ONLY, profile="qq-official") as r:
        await r.enrol(*STAFF)
        r.sandbox.world.room("g1").seats["sandbox:wang"].card = "小王"
        await r.tell(r.sandbox.census("g1"))
        await r.advance(5 * DAY)

        assert told(r, "wang") == said(r) == []
        assert await cases(r) == []


async def test_without_a_roster_the_shape_leads_to_a_reminder_and_never_to_a_case() -> None:
    async with rig(pack=f1(), plugins=ONLY) as r:
        await card(r, "wang", "🌸")
        await r.advance(5 * DAY)

        assert len(told(r, "wang")) == 3
        assert await cases(r) == []


async def test_a_bound_admins_role_protects_a_group_owner_too() -> None:
    async with rig(pack=f1(), plugins=ONLY, cast={"owner": Role.OWNER, "wang": Role.MEMBER}) as r:
        await r.enrol(line("方主", "owner"), line("王五", "wang"))
        await card(r, "owner", "老方")

        assert len(told(r, "owner")) == 1
        assert said(r) == []
