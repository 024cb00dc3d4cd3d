"""Whole stories in a WeChat room: a bot started from `.env`, and the real Puppet Service on the other side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.started import Place
from tests.e2e.wechat_workshop import WeChatWorkshop, account_of, service, wechat_home
from tests.e2e.workshop import BETTING, on, settings
from tests.support.wechaty_end import WechatyEnd


@pytest.fixture(scope="module")
def end() -> Iterator[WechatyEnd]:
    """A service over TLS."""
    made = service()
    yield made
    made.end()


@pytest.fixture
async def shop(end: WechatyEnd, tmp_path: Path) -> AsyncIterator[WeChatWorkshop]:
    """The room, and the home of a bot that is not started yet."""
    home = wechat_home(tmp_path)
    place = Place(home, {**settings(home, WeChatWorkshop), **account_of(end)})
    place.groupops("migrate")
    place.groupops("roster", "import", "roster.csv", "--apply")
    made = WeChatWorkshop(place, end)
    await made.furnish()
    yield made
    if made.bot is not None:
        made.bot.stop()


async def test_a_newcomer_is_welcomed_and_reminded_of_the_card(shop: WeChatWorkshop) -> None:
    await shop.start(on(5, "10:00"))

    await shop.join("李强")
    await shop.hears("", "欢迎", "加入本群")
    await shop.put_card("李强", "小李")
    await shop.say("李强", "大家好")
    await shop.nothing_else()
    await shop.whisper("李强", "我的名片")
    await shop.hears("李强", "群名片“小李”", "业务部-李强")
    await shop.put_card("李强", "业务部-李强")
    await shop.say("李强", "改好了")
    await shop.nothing_else()
    await shop.whisper("李强", "我的名片")

    await shop.hears("李强", "业务部-李强", "合格")


async def test_links_are_warned_of_a_mute_is_a_ticket_and_the_third_time_leads_out_of_the_room(
    shop: WeChatWorkshop,
) -> None:
    await shop.start(on(5, "10:40"))

    await shop.say("王芳", f"来玩 {BETTING}a")
    await shop.hears("何静", "待核准 1", "警告")
    await shop.hears("何静", "工单", "撤回")
    await shop.whisper("何静", "批准 1 属实")
    await shop.hears("王芳", "已核定警告", "第七条")
    await shop.say("王芳", f"再来 {BETTING}b")
    await shop.hears("何静", "待核准 2", "禁言")
    await shop.start_again(on(5, "10:43"), kill=True)
    await shop.whisper("何静", "批准 2 再犯")
    await shop.hears("何静", "工单", "禁言")
    await shop.say("王芳", f"又来 {BETTING}c")
    await shop.hears("何静", "待核准 3", "移出")
    await shop.whisper("何静", "批准 3 屡犯")
    await shop.whisper("罗程", "批准 3 同意")
    await shop.happens(lambda: shop.removed == ["王芳"])


async def test_a_red_packet_is_seen_and_settled_by_a_steward(shop: WeChatWorkshop) -> None:
    await shop.start(on(5, "10:00"))

    await shop.say("王芳", "你们饭桶车间")
    await shop.hears("何静", "待核准 1", "红包事项")
    await shop.whisper("何静", "批准 1 属实")
    await shop.hears("王芳", "编号 1", "教育方式")
    await shop.whisper("王芳", "接受 1")
    await shop.hears("王芳", "已记录您本人接受")
    await shop.send_packet("王芳")
    await shop.hears("何静", "看到 业务部-王芳 发了一个红包", "事项 1")
    await shop.whisper("何静", "结清 1 看到了")

    await shop.hears("王芳", "事项 1", "已结清")


async def test_a_place_that_is_shared_with_the_account_checks_in(shop: WeChatWorkshop) -> None:
    await shop.start(on(5, "08:50"))

    await shop.whisper("王芳", "同意打卡")
    await shop.hears("王芳", "请先看完说明")
    await shop.whisper("王芳", "同意打卡")
    await shop.hears("王芳", "已记下您的同意")
    await shop.a_second()
    await shop.show_place("王芳")

    await shop.hears("王芳", "已记录", "准时", "人民广场")


async def test_quiet_hours_are_said_in_the_room(shop: WeChatWorkshop) -> None:
    await shop.start(on(5, "23:10"))

    await shop.say("王芳", "还有人吗")

    await shop.hears("", "第四条")
