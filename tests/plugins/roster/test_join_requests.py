"""Who is known is let in; everybody else is put before the stewards, and nobody is refused by a machine."""

from __future__ import annotations

import pytest

from groupops import DecideJoin
from groupops.testing import Rig, rig
from tests.plugins.roster.stories import ONLY, STAFF, STEWARDS, join, line, pack, person_of, tickets, told

ZHANG = line("张三", unit="财务部", ref="A0123")


def decisions(rig: Rig) -> list[bool]:
    return [one.action.accept for one in rig.sandbox.world.requests if isinstance(one.action, DecideJoin)]


async def knock(rig: Rig, account: str, comment: str = "", **more: str) -> None:
    await rig.tell(rig.sandbox.knock("g1", account, comment=comment, **more))


async def test_an_account_of_the_roster_is_let_in() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, line("张三", "zhang", "财务部"))
        await knock(r, "zhang")

        assert decisions(r) == [True]
        assert await tickets(r) == []


async def test_who_names_one_person_and_that_number_is_let_in_and_waits_for_a_stewards_yes() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, ZHANG)
        await knock(r, "xin", "财务部张三 0123")

        assert decisions(r) == [True]
        assert await person_of(r, "xin") == ""
        await join(r, "xin", name="小张")
        assert told(r, "xin") == []
        assert any("可能是——1 |" in text for text in await tickets(r, "新成员"))
        assert all(
            "带入" not in text for text in await tickets(r, "新成员")
        )  # the bot let in, and invited nobody
        await r.say("g1", "admin", "确认绑定 1")
        assert await person_of(r, "xin") == "张三"


@pytest.mark.parametrize(
    "comment", ["", "我是张三", "我是张三 9999", "0123", "张三 李四 0123", "张三介绍来的", "财务部 0123"]
)
async def test_s03_18_whoever_says_less_is_decided_by_the_stewards(comment: str) -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, ZHANG)
        await knock(r, "xin", comment)

        assert decisions(r) == []
        assert len(await tickets(r, "入群申请")) == 1


async def test_a_person_who_has_an_account_here_is_not_let_in_again_by_name() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, line("张三", "zhang", "财务部", ref="A0123"))
        await knock(r, "xin", "财务部张三 0123")

        assert decisions(r) == []
        assert any("请核对是否本人" in text for text in await tickets(r))


async def test_a_leaver_is_neither_let_in_nor_refused() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF, line("旧人", "jiu", active=False))
        await knock(r, "jiu")

        assert decisions(r) == []
        assert any("名册中已离职" in text for text in await tickets(r))


async def test_the_stewards_learn_who_invited_and_no_telephone_number() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("王五", "wang"))
        await knock(r, "xin", "加我 13900000000", inviter="wang")

        (text,) = await tickets(r, "入群申请")
        assert "由 wang = 王五(销售部) 带入" in text
        assert "139" not in text
