"""The same stories for an official bot: no cards, no red packets, no places, and what stands in for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.official_workshop import OfficialWorkshop, OfficialWorkshopOverWebsocket
from tests.e2e.test_qq_story import a_night_with_bets
from tests.e2e.workshop import Workshop, moved_in, on


@pytest.fixture
async def pushing(made: Path, tmp_path: Path) -> AsyncIterator[OfficialWorkshop]:
    """A group on a platform that pushes what happens, and the home of a bot that is not started yet."""
    async for shop in _opened(made, tmp_path, OfficialWorkshop):
        yield shop


@pytest.fixture
async def calling(made: Path, tmp_path: Path) -> AsyncIterator[OfficialWorkshop]:
    """A group on a platform whose gateway the bot connects to, and the home of a bot that is not started yet."""
    async for shop in _opened(made, tmp_path, OfficialWorkshopOverWebsocket):
        yield shop


async def _opened(made: Path, folder: Path, kind: type[OfficialWorkshop]) -> AsyncIterator[OfficialWorkshop]:
    shop = kind(moved_in(made, folder, kind))
    await shop.open()
    yield shop
    if shop.bot is not None:
        shop.bot.stop()
    await shop.close()


async def test_a_stranger_whom_the_roster_knows_is_let_in_and_welcomed_and_no_card_is_asked_for(
    pushing: OfficialWorkshop,
) -> None:
    await pushing.start(on(5, "10:00"))

    known = await pushing.ask_to_join("李强", "李强 0103")
    await pushing.ask_to_join("路人", "让我进来")
    await pushing.happens(lambda: pushing.decided)
    await pushing.hears("何静", "入群申请", "不在名册")
    await pushing.join("李强")
    await pushing.hears("何静", "李强的昵称", "李强(业务部)?", "依据入群申请")
    await pushing.start_again(on(5, "10:05"))
    await pushing.hears("", "欢迎", "加入本群")
    await pushing.repeat()
    await pushing.whisper("何静", "确认绑定 1")
    await pushing.hears("何静", "编号 1 已确认", "李强(业务部)")
    await pushing.whisper("李强", "我的名片")
    await pushing.hears("李强", "这里读不到您的群名片")

    assert pushing.decided == [(known, True)]
    assert not [told for told in pushing.told if "群名片“" in told.text]
    assert pushing.twice() == {}


async def test_a_betting_link_at_night_is_recalled_and_warned_of_and_the_mute_ends_with_the_appeal(
    pushing: OfficialWorkshop,
) -> None:
    await a_night_with_bets(pushing)


async def test_over_the_gateway_a_red_packet_nobody_sees_is_vouched_for_and_a_place_is_written(
    calling: OfficialWorkshop,
) -> None:
    await calling.start(on(5, "08:50"))

    await has_come(calling, "李强", "李强 0103")
    await calling.whisper("李强", "同意打卡")
    await calling.hears("李强", "请先看完说明")
    await calling.whisper("李强", "同意打卡")
    await calling.hears("李强", "已记下您的同意")
    await calling.a_second()
    await calling.whisper("李强", "位置 人民广场")
    await calling.hears("李强", "已记录", "准时", "人民广场")
    await calling.say("李强", "你们饭桶车间")
    packet = await calling.asked_of("何静", "待核准", "红包事项")
    await calling.whisper("何静", f"批准 {packet} 属实")
    await calling.hears("李强", f"编号 {packet}", "教育方式")
    await calling.whisper("李强", f"接受 {packet}")
    await calling.hears("李强", "已记录您本人接受")
    await calling.whisper("李强", f"凭证 {packet} 发过了")
    await calling.hears("何静", f"事项 {packet}", "提交了凭证")
    await calling.whisper("何静", f"结清 {packet} 核实过")
    await calling.hears("李强", f"事项 {packet}", "已结清")

    settled = calling.place.groupops("red-packet", "totals", "--group", f"qqbot:{calling.group}")
    assert "已结清:1 项" in settled
    assert calling.twice() == {}


async def has_come(shop: Workshop, name: str, words: str) -> None:
    """Have somebody ask to come in, come in, and be bound to the person on the roster."""
    await shop.ask_to_join(name, words)
    await shop.happens(lambda: shop.decided)
    await shop.join(name)
    await shop.hears("何静", "依据入群申请")
    await shop.whisper("何静", "确认绑定 1")
    await shop.hears("何静", "编号 1 已确认")
