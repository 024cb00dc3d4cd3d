"""Newcomers are greeted together, once, by day, and only those who are there to be greeted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from groupops import PersonLine, Role, Stage
from groupops.people import AccountId, GroupId
from groupops.testing import rig
from tests.plugins.welcome.stories import (
    HOUR,
    MINUTE,
    ONLY,
    join,
    mentioned,
    owed,
    pack,
    said,
    told,
    welcomed,
)

AT_NIGHT = datetime(2025, 3, 3, 15, 45, tzinfo=UTC)
"""23:45 in Shanghai."""

MORNING = datetime(2025, 3, 3, 23, 30, tzinfo=UTC)
"""07:30 of the next day in Shanghai."""


async def test_three_who_come_within_a_minute_get_one_message() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        for name in ("甲", "乙", "丙"):
            await join(r, name, name=name)
            await r.advance(timedelta(seconds=19))
        assert said(r) == []
        await r.advance(5 * MINUTE)

        (greeting,) = said(r)
        assert "欢迎 甲、乙、丙 加入本群" in greeting
        assert mentioned(r) == ["甲", "乙", "丙"]


async def test_who_comes_later_gets_a_message_of_their_own() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a", name="甲")
        await welcomed(r, "b", name="乙")

        first, second = said(r)
        assert "甲" in first
        assert "乙" in second
        assert "甲" not in second


async def test_the_sentence_about_cards_is_left_out_without_a_roster() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a", name="甲")

        assert "昵称" not in said(r)[0]
        assert await owed(r, "a") == {"welcome.rules": "open"}


async def test_with_a_roster_the_greeting_says_how_a_card_is_to_look() -> None:
    card = '[roster.card]\nformat = "F1"\nseparators = ["-"]'
    async with rig(pack=pack(more=card, enabled=', "roster"'), plugins=(*ONLY, "roster")) as r:
        await welcomed(r, "a", name="甲")

        greeting = next(text for text in said(r) if "欢迎" in text)
        assert "群昵称改为:部门-姓名" in greeting
        assert (await owed(r, "a"))["welcome.card"] == "open"


async def test_the_rules_are_told_in_a_line_and_sent_whole() -> None:
    async with rig(pack=pack('template = "欢迎 {name}。{rules}"'), plugins=ONLY) as r:
        await welcomed(r, "a", name="甲")

        assert "《员工群管理办法》,共 4 条" in said(r)[0]
        (letter,) = told(r, "a")
        assert "只收本单位员工。" in letter
        assert "回复“已读”" in letter


async def test_a_long_regulation_is_sent_in_portions_that_fit() -> None:
    clauses = "".join(
        f'[clause."topics.rule{n}"]\nref = "第{n}条"\ntext = "{"字" * 60}。"\n' for n in range(1, 21)
    )
    async with rig(pack=pack("portion_chars = 300", clauses=clauses), plugins=ONLY) as r:
        await welcomed(r, "a", name="甲")

        letters = told(r, "a")
        assert len(letters) > 3
        assert all(len(letter) <= 300 for letter in letters)


async def test_who_left_before_the_greeting_is_left_out() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await join(r, "a", name="甲")
        await join(r, "b", name="乙")
        await r.tell(r.sandbox.leave("g1", "a"))
        await r.advance(2 * MINUTE)

        (greeting,) = said(r)
        assert "甲" not in greeting
        assert "乙" in greeting


async def test_nobody_is_greeted_when_all_have_left() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await join(r, "a", name="甲")
        await r.tell(r.sandbox.leave("g1", "a"))
        await r.advance(HOUR)

        assert said(r) == []


async def test_who_comes_back_at_once_is_not_greeted_again() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a", name="甲")
        await r.tell(r.sandbox.leave("g1", "a"))
        await r.advance(HOUR)
        await welcomed(r, "a", name="甲")

        assert len(said(r)) == 1


async def test_who_comes_back_after_days_is_greeted_as_one_who_returns() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a", name="甲")
        await r.tell(r.sandbox.leave("g1", "a"))
        await r.advance(72 * HOUR)
        await welcomed(r, "a", name="甲")

        assert said(r)[-1].startswith("甲,欢迎回来")


async def test_who_left_before_the_greeting_and_comes_again_is_new() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await join(r, "a", name="甲")
        await r.tell(r.sandbox.leave("g1", "a"))
        await welcomed(r, "a", name="甲")

        (greeting,) = said(r)
        assert "欢迎 甲 加入本群" in greeting


async def test_all_who_came_at_night_are_greeted_in_one_message_in_the_morning() -> None:
    async with rig(pack=pack(), plugins=ONLY, start=AT_NIGHT) as r:
        for name in ("甲", "乙", "丙"):
            await join(r, name, name=name)
            await r.advance(HOUR)
        await r.tell(r.sandbox.leave("g1", "乙"))
        await r.advance_to(MORNING - timedelta(seconds=1))
        assert said(r) == []
        assert told(r, "甲") == []
        await r.advance_to(MORNING)
        await r.advance(HOUR)

        (greeting,) = said(r)
        assert "欢迎 甲、丙 加入本群" in greeting


async def test_where_the_bot_may_speak_at_night_it_greets_at_night() -> None:
    night = '[quiet_hours]\nwindows = [{ start = "23:30", end = "07:30" }]\ndefer_bot_messages = false'
    async with rig(pack=pack(more=night), plugins=ONLY, start=AT_NIGHT) as r:
        await welcomed(r, "a", name="甲")

        assert len(said(r)) == 1


async def test_stewards_admins_and_bots_are_no_newcomers() -> None:
    async with rig(pack=pack('bots = ["sandbox:robot"]'), plugins=ONLY, stewards=("sandbox:boss",)) as r:
        await r.enrol(
            PersonLine(name="机", org_roles=frozenset({"bot"}), accounts=(AccountId("sandbox:b2"),))
        )
        await welcomed(r, "boss", "robot", "b2")

        assert said(r) == []


async def test_one_who_became_an_admin_before_the_greeting_is_not_greeted() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await join(r, "a", name="甲")
        await r.tell(r.sandbox.role("g1", "a", Role.ADMIN))
        await r.advance(HOUR)

        assert said(r) == []


async def test_many_are_named_as_far_as_the_limit_and_counted_beyond() -> None:
    async with rig(pack=pack("name_limit = 2"), plugins=ONLY) as r:
        await join(r, "a", "b", "c", name="")
        await r.advance(2 * MINUTE)

        assert "欢迎 a、b 等 3 位 加入本群" in said(r)[0]


async def test_an_advert_for_a_name_is_not_repeated_to_the_group() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a", name="加V 13800138000 领红包")

        assert "13800138000" not in said(r)[0]
        assert "新朋友" in said(r)[0]
        assert mentioned(r) == []


async def test_a_name_with_braces_fills_nothing() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a", name="{rules}")

        assert "欢迎 {rules} 加入本群" in said(r)[0]


# — lists —


async def test_the_first_list_of_a_group_greets_nobody() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.advance(HOUR)

        assert said(r) == []


async def test_who_is_only_found_in_a_list_is_greeted_too() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        r.sandbox.member("g1", "a", name="甲")
        await r.tell(r.sandbox.census("g1"))
        await r.advance(2 * MINUTE)

        (greeting,) = said(r)
        assert "甲" in greeting


async def test_one_who_was_told_of_is_not_greeted_again_for_standing_in_a_list() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a", name="甲")
        await r.tell(r.sandbox.census("g1"))
        await r.advance(HOUR)

        assert len(said(r)) == 1


async def test_a_list_that_brings_most_of_a_group_greets_nobody() -> None:
    async with rig(pack=pack("bulk_limit = 5"), plugins=ONLY) as r:
        for n in range(12):
            r.sandbox.member("g1", f"n{n}")
        await r.tell(r.sandbox.census("g1"))
        await r.advance(HOUR)

        assert said(r) == []
        assert await owed(r, "n0") == {}


async def test_many_in_a_large_group_get_a_word_for_all() -> None:
    cast = {f"old{n}": Role.MEMBER for n in range(20)}
    async with rig(pack=pack("bulk_limit = 5"), plugins=ONLY, cast=cast) as r:
        for n in range(6):
            r.sandbox.member("g1", f"n{n}")
        await r.tell(r.sandbox.census("g1"))
        await r.advance(HOUR)

        (greeting,) = said(r)
        assert "6 位" in greeting
        assert "n0" not in greeting
        assert await owed(r, "n0") == {}


# — stages —


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.DRAFT])
async def test_before_the_rules_apply_nothing_is_said_and_nothing_is_made_up_for(stage: Stage) -> None:
    async with rig(pack=pack(), plugins=ONLY, stage=stage) as r:
        await welcomed(r, "a", name="甲")
        await r.engine.stage(GroupId("sandbox:g1"), Stage.ENFORCED, author="operator", force=True)
        await welcomed(r, "b", name="乙")

        (greeting,) = said(r)
        assert "甲" not in greeting


# — a process that dies —


async def test_a_greeting_that_is_fired_again_says_and_asks_nothing_new() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await welcomed(r, "a", name="甲")
        fired = next(o.event for o in r.outcomes if o.event.kind == "time_came" and "greet" in o.event.job)
        r.engine.flow._met.forget(fired.id)
        await r.tell(fired)

        assert len(said(r)) == 1
        assert len(told(r, "a")) == 1
        assert len(await r.records.obligations(plugin="welcome")) == 1
