"""Whole stories with an official bot: started from `.env`, pushed to over a real socket, signed with a real key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.qq.workshop import OPENIDS, QQWorkshop
from tests.e2e.workshop import BETTING, made_home, moved_in, on
from tests.support.qq_platform import platform_running


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a database that has the roster in it, made by the operator's commands."""
    folder = tmp_path_factory.mktemp("qq")
    (folder / ".env").write_text("", encoding="utf-8")
    return made_home(folder, _WithBot)


class _WithBot(QQWorkshop):
    """The same, for commands that never meet the platform."""

    @classmethod
    def env(cls) -> dict[str, str]:
        return {
            **super().env(),
            "QQ_BOTS": '[{"id":"102000001","secret":"make-believe-app-secret-of-32-ch"}]',
        }


@pytest.fixture
async def shop(made: Path, tmp_path: Path) -> AsyncIterator[QQWorkshop]:
    """A group at the platform, and the home of a bot that is not started yet."""
    async with platform_running() as far:
        shop = QQWorkshop(moved_in(made, tmp_path, QQWorkshop, **QQWorkshop.lines(far)), far)
        yield shop
        if shop.bot is not None:
            shop.bot.kill()


async def test_a_stranger_whom_the_roster_knows_is_let_in_and_welcomed(shop: QQWorkshop) -> None:
    await shop.start(on(5, "10:00"))

    known = await shop.ask_to_join("李强", "李强 0103")
    await shop.ask_to_join("路人", "让我进来")
    await shop.happens(lambda: shop.decided)
    await shop.hears("何静", "入群申请", OPENIDS["路人"], "不在名册")
    await shop.join("李强")
    await shop.hears("", "欢迎", "李强的昵称", "加入本群")
    await shop.repeat()
    await shop.nothing_else()

    assert shop.decided == [(known, True)]
    assert shop.twice() == {}


async def test_a_betting_link_at_night_is_recalled_and_warned_of_and_the_mute_ends_with_the_appeal(
    shop: QQWorkshop,
) -> None:
    await shop.start(on(5, "23:40"))

    first = await shop.say("王芳", f"来玩 {BETTING}a")
    await shop.hears("何静", "待核准 1", "赌博", "警告")
    await shop.whisper("何静", "批准 1 属实")
    await shop.hears("王芳", "已核定警告", "第七条")
    await shop.say("王芳", "开个玩笑而已")
    third = await shop.say("王芳", f"再来 {BETTING}b")
    await shop.hears("罗程", "待核准 2", "赌博", "禁言")
    await shop.whisper("何静", "批准 2 再犯")
    await shop.hears("王芳", "已核定禁言")
    await shop.happens(lambda: shop.mutes == [("王芳", 600)])
    await shop.whisper("王芳", "申诉 2 链接是反诈培训的材料")
    await shop.hears("罗程", "申诉 2", "反诈培训")
    await shop.whisper("罗程", "批准 2 核实过")
    await shop.happens(lambda: shop.mutes == [("王芳", 600), ("王芳", 0)])
    await shop.hears("王芳", "事项 2 已撤销")
    await shop.repeat()
    await shop.nothing_else()

    assert shop.recalled == [first, third]
    assert shop.mutes == [("王芳", 600), ("王芳", 0)]
