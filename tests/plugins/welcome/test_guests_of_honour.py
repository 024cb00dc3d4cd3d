"""A guest of honour waits for a steward's introduction, and not for ever."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from groupops import PersonLine
from groupops.people import AccountId
from groupops.testing import Rig, rig
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
    welcomed,
)

VIP = 'vip_intro_role = "expert"'
AT_NIGHT = datetime(2025, 3, 3, 15, 45, tzinfo=UTC)
MORNING = datetime(2025, 3, 3, 23, 30, tzinfo=UTC)


async def expert(r: Rig) -> None:
    """Have the roster say that `vip` is an expert."""
    line = PersonLine(name="李工", org_roles=frozenset({"expert"}), accounts=(AccountId("sandbox:vip"),))
    await r.enrol(line)


async def test_stewards_are_asked_for_an_introduction_and_the_guest_is_not_greeted_yet() -> None:
    async with rig(pack=pack(VIP), plugins=ONLY) as r:
        await expert(r)
        await join(r, "vip", name="李工")
        await join(r, "a", name="甲")
        await r.advance(2 * MINUTE)

        (greeting,) = said(r)
        assert "甲" in greeting
        assert "李工" not in greeting
        (ticket,) = await tickets(r)
        assert "介绍 @李工" in ticket


@pytest.mark.parametrize("words", ["/介绍 李工 带队做过三个大项目。", "介绍 李工 带队做过三个大项目。"])
async def test_the_stewards_text_introduces_the_guest(words: str) -> None:
    async with rig(pack=pack(VIP), plugins=ONLY) as r:
        await expert(r)
        await welcomed(r, "vip", name="李工")
        assert await asked(r, words, by="admin") == "欢迎 李工!带队做过三个大项目。"
        await r.advance(48 * HOUR)

        assert len(said(r)) == 1
        assert await owed(r, "vip") == {}


async def test_the_guest_may_be_mentioned() -> None:
    async with rig(pack=pack(VIP), plugins=ONLY) as r:
        await expert(r)
        await welcomed(r, "vip", name="李工")
        await r.say("g1", "admin", "介绍 我们的顾问。", mentions=["vip"])

        assert said(r) == ["欢迎 李工!我们的顾问。"]


async def test_an_introduction_written_privately_is_posted_and_confirmed() -> None:
    async with rig(pack=pack(VIP), plugins=ONLY) as r:
        await expert(r)
        await welcomed(r, "vip", name="李工")

        assert "已发到群里" in await asked_alone(r, "介绍 李工 我们的顾问。", by="admin")
        assert said(r) == ["欢迎 李工!我们的顾问。"]


async def test_one_who_is_introduced_before_the_greeting_is_not_greeted_twice() -> None:
    async with rig(pack=pack(VIP), plugins=ONLY) as r:
        await join(r, "a", name="甲")
        await asked(r, "/介绍 甲 新同事。", by="admin")
        await r.advance(HOUR)

        assert said(r) == ["欢迎 甲!新同事。"]


async def test_without_an_introduction_the_guest_is_greeted_like_anybody() -> None:
    async with rig(pack=pack(f"{VIP}\nvip_wait_hours = 2"), plugins=ONLY) as r:
        await expert(r)
        await welcomed(r, "vip", name="李工")
        await r.advance(3 * HOUR)

        (greeting,) = said(r)
        assert "欢迎 李工 加入本群" in greeting
        assert len(await tickets(r)) == 1


async def test_a_guest_who_leaves_is_waited_for_no_longer() -> None:
    async with rig(pack=pack(VIP), plugins=ONLY) as r:
        await expert(r)
        await welcomed(r, "vip", name="李工")
        await r.tell(r.sandbox.leave("g1", "vip"))
        await r.advance(48 * HOUR)

        assert said(r) == []


async def test_an_introduction_written_at_night_waits_for_the_morning() -> None:
    async with rig(pack=pack(VIP), plugins=ONLY, start=AT_NIGHT) as r:
        await expert(r)
        await join(r, "vip", name="李工")
        assert "休息时间结束后发出" in await asked_alone(r, "介绍 李工 我们的顾问。", by="admin")
        await r.advance_to(MORNING)
        await r.advance(HOUR)

        assert said(r) == ["欢迎 李工!我们的顾问。"]
        assert await tickets(r) == []


async def test_only_stewards_introduce_and_a_long_text_is_turned_down() -> None:
    async with rig(pack=pack("portion_chars = 100"), plugins=ONLY) as r:
        assert await asked(r, "介绍 wang 好人") == ""
        assert "只有管理员" in await asked(r, "/介绍 wang 好人")
        assert "最多 100 字" in await asked(r, f"/介绍 wang {'好' * 101}", by="admin")
