"""A newcomer's checklist: ticked by word, by button and by card, reminded of once, ended without consequences."""

from __future__ import annotations

import pytest

from groupops import PersonLine
from groupops.people import AccountId
from groupops.testing import Rig, rig
from groupops_roster.settings import Roster
from tests.plugins.welcome.stories import (
    HOUR,
    MINUTE,
    ONLY,
    asked,
    asked_alone,
    join,
    owed,
    pack,
    said,
    tickets,
    told,
    welcomed,
)

THREE = 'checklist = ["阅读群规", "群名片改为 中心名称+姓名", "有问题问信息管理专员"]'
CARD = '[roster]\nverify_on_join = false\n[roster.card]\nformat = "F4"'
WITH_ROSTER = (*ONLY, "roster")


def carded() -> str:
    return pack(THREE, more=CARD, enabled=', "roster"')


async def open_titles(r: Rig) -> list[str]:
    return [row.title for row in await r.records.obligations(plugin="welcome") if row.status.value == "open"]


@pytest.mark.parametrize("words", ["/已读", "已读 群规", "/已读 群规"])
async def test_the_word_settles_that_the_rules_were_read(words: str) -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a", name="甲")
        answer = await asked(r, words, by="a")

        assert "甲,已记下您读过群规" in answer
        assert "全部完成" in answer
        assert await owed(r, "a") == {"welcome.rules": "satisfied"}


async def test_the_word_quoting_the_greeting_will_do() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a", name="甲")
        (post,) = r.sandbox.world.said_by_bot("g1")
        await r.say("g1", "a", "已读", quote=post.id)

        assert await owed(r, "a") == {"welcome.rules": "satisfied"}


async def test_the_button_settles_it_for_whoever_presses_it() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await join(r, "a", "b")
        await r.advance(2 * MINUTE)
        (post,) = r.sandbox.world.said_by_bot("g1")
        await r.tell(r.sandbox.press("g1", "b", post.id, "已读"))

        assert await owed(r, "a") == {"welcome.rules": "open"}
        assert await owed(r, "b") == {"welcome.rules": "satisfied"}


async def test_the_button_under_the_rules_sent_privately_settles_it() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a")
        letter = r.sandbox.world.letters_to("a")[-1]
        await r.tell(r.sandbox.press("g1", "a", letter.id, "已读"))

        assert await owed(r, "a") == {"welcome.rules": "satisfied"}


async def test_who_confirms_before_the_greeting_is_not_asked_again() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await join(r, "a")
        await asked(r, "/已读", by="a")
        await r.advance(2 * MINUTE)

        assert await owed(r, "a") == {}


async def test_the_word_from_anybody_else_is_talk() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        assert await asked(r, "已读 昨天的通知") == ""
        assert "没有待完成" in await asked(r, "/已读")


async def test_a_card_that_names_its_person_settles_the_card() -> None:
    async with rig(pack=carded(), plugins=WITH_ROSTER) as r:
        await r.enrol(PersonLine(name="张静", department="人资中心", accounts=(AccountId("sandbox:zhang"),)))
        await welcomed(r, "zhang", name="张静")
        await r.tell(r.sandbox.card("g1", "zhang", "人资中心"))
        assert (await owed(r, "zhang"))["welcome.card"] == "open"
        await r.tell(r.sandbox.card("g1", "zhang", "人资中心张静"))

        assert (await owed(r, "zhang"))["welcome.card"] == "satisfied"


async def test_a_card_that_is_right_on_arrival_is_not_owed() -> None:
    async with rig(pack=carded(), plugins=WITH_ROSTER) as r:
        await r.enrol(PersonLine(name="张静", department="人资中心", accounts=(AccountId("sandbox:zhang"),)))
        await welcomed(r, "zhang", name="静静", card="人资中心张静")

        assert "welcome.card" not in await owed(r, "zhang")


async def test_lines_are_ticked_off_by_number_by_words_or_all_at_once() -> None:
    async with rig(pack=carded(), plugins=WITH_ROSTER) as r:
        await welcomed(r, "a", "b", "c")
        assert "已勾选:有问题问信息管理专员" in await asked(r, "/已办 ３", by="a")
        assert "已勾选:有问题问信息管理专员" in await asked(r, "/已办 专员", by="b")
        assert "已勾选:阅读群规、有问题问信息管理专员" in await asked(r, "/已办", by="c")
        assert "自动勾选" in await asked(r, "/已办 2", by="c")
        assert "没有“9”" in await asked(r, "/已办 9", by="c")
        assert "已经勾选" in await asked(r, "/已办 1", by="c")


async def test_ones_own_list_is_shown_with_its_state() -> None:
    async with rig(pack=carded(), plugins=WITH_ROSTER) as r:
        await welcomed(r, "a")
        await asked(r, "/已读", by="a")
        shown = await asked_alone(r, "清单", by="a")

        assert "1. ☑ 阅读群规" in shown
        assert "3. □ 有问题问信息管理专员" in shown
        assert "/已办 序号" in shown


async def test_what_is_open_is_reminded_of_once_in_one_letter_and_then_let_go() -> None:
    async with rig(pack=pack('checklist = ["阅读群规", "自我介绍"]'), plugins=ONLY) as r:
        await welcomed(r, "a", name="甲")
        before = len(told(r, "a"))
        await r.advance(25 * HOUR)
        (reminder,) = told(r, "a")[before:]
        assert "· 阅读群规\n· 自我介绍" in reminder
        await r.advance(30 * HOUR)

        assert len(told(r, "a")) == before + 1
        assert await owed(r, "a") == {"welcome.rules": "missed", "welcome.item": "missed"}
        assert await r.records.cases() == ()
        assert await tickets(r) == []


async def test_no_reminder_comes_where_all_is_done() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a")
        await asked(r, "/已读", by="a")
        before = len(told(r, "a"))
        await r.advance(100 * HOUR)

        assert len(told(r, "a")) == before


async def test_as_many_reminders_come_as_are_set() -> None:
    for followups in (0, 2):
        async with rig(pack=pack(f"followup_hours = 5\nfollowups = {followups}"), plugins=ONLY) as r:
            await welcomed(r, "a")
            before = len(told(r, "a"))
            await r.advance(100 * HOUR)

            assert len(told(r, "a")) == before + followups
            assert await owed(r, "a") == {"welcome.rules": "missed"}


async def test_no_reminder_comes_at_night() -> None:
    async with rig(pack=pack("followup_hours = 16"), plugins=ONLY) as r:
        await welcomed(r, "a")
        before = len(told(r, "a"))
        await r.advance(17 * HOUR)
        assert len(told(r, "a")) == before
        await r.advance(6 * HOUR)

        assert len(told(r, "a")) == before + 1


async def test_a_late_tick_is_taken() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a")
        await r.advance(72 * HOUR)
        await asked(r, "/已读", by="a")

        assert "1. ☑ 阅读群规" in await asked_alone(r, "清单", by="a")


async def test_who_leaves_owes_nothing_and_takes_it_up_again_on_return() -> None:
    async with rig(pack=pack('checklist = ["阅读群规", "自我介绍"]'), plugins=ONLY) as r:
        await welcomed(r, "a")
        await asked(r, "/已读", by="a")
        await r.tell(r.sandbox.leave("g1", "a"))
        assert await open_titles(r) == []
        await r.advance(HOUR)
        await welcomed(r, "a")

        assert await open_titles(r) == ["自我介绍"]
        assert len(said(r)) == 2


async def test_the_stewards_see_one_line_for_each_newcomer_and_only_they() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a", name="甲")
        await welcomed(r, "b", name="乙")
        await asked(r, "/已读", by="a")
        await r.advance(72 * HOUR)
        shown = await asked_alone(r, "入群情况", by="admin")

        assert "03-03 甲:清单已完成" in shown
        assert "03-03 乙:到期未完成 阅读群规" in shown
        assert "只有管理员" in await asked(r, "/入群情况")


async def test_a_checklist_leads_to_no_offence_whatever_is_set() -> None:
    assert not hasattr(__import__("groupops_welcome"), "judge")
    assert Roster().card.enforce
