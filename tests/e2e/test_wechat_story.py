"""Whole stories in a WeChat room: a bot started from `.env`, and the real Puppet Service on the other side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.started import Place
from tests.e2e.wechat_workshop import WeChatWorkshop, account_of, service, wechat_home
from tests.e2e.workshop import BETTING, moved_in, on, settings
from tests.support.wechaty_end import WechatyEnd


@pytest.fixture(scope="module")
def end() -> Iterator[WechatyEnd]:
    """A service over TLS."""
    made = service()
    yield made
    made.end()


@pytest.fixture(scope="module")
def made(end: WechatyEnd, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with its database made and the roster in it, for every story to begin with."""
    home = wechat_home(tmp_path_factory.mktemp("made"))
    place = Place(home, {**settings(home, WeChatWorkshop), **account_of(end)})
    place.groupops("migrate")
    place.groupops("roster", "import", "roster.csv", "--apply")
    return home


@pytest.fixture
async def shop(end: WechatyEnd, made: Path, tmp_path: Path) -> AsyncIterator[WeChatWorkshop]:
    """The room, and the home of a bot that is not started yet."""
    opened = WeChatWorkshop(moved_in(made, tmp_path, WeChatWorkshop, **account_of(end)), end)
    await opened.furnish()
    yield opened
    if opened.bot is not None:
        opened.bot.stop()


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


async def test_a_day_of_the_room_with_all_six_plugins(shop: WeChatWorkshop) -> None:
    await shop.start(on(5, "08:50"))
    await checks_in(shop, "王芳")

    await shop.start_again(on(5, "10:00"))
    await is_welcomed_and_asked_for_a_card(shop, "李强")
    await settles_a_red_packet(shop, "王芳", case=1)
    await is_put_out_at_the_third_time(shop, "王芳", case=2)

    await shop.start_again(on(5, "23:10"))
    await shop.say("李强", "还有人吗")
    await shop.hears("", "第四条")


async def checks_in(shop: WeChatWorkshop, name: str) -> None:
    """A place that is shared with the account alone is a check-in, once its owner has agreed."""
    await shop.whisper(name, "同意打卡")
    await shop.hears(name, "请先看完说明")
    await shop.whisper(name, "同意打卡")
    await shop.hears(name, "已记下您的同意")
    await shop.a_second()
    await shop.show_place(name)
    await shop.hears(name, "已记录", "准时", "人民广场")


async def is_welcomed_and_asked_for_a_card(shop: WeChatWorkshop, name: str) -> None:
    """Who comes in is welcomed, and learns what is wrong with the card."""
    await shop.join(name)
    await shop.hears("", "欢迎", "加入本群")
    await shop.put_card(name, "小李")
    await shop.say(name, "大家好")
    await shop.nothing_else()
    await shop.whisper(name, "我的名片")
    await shop.hears(name, "群名片“小李”", f"业务部-{name}")


async def settles_a_red_packet(shop: WeChatWorkshop, name: str, case: int) -> None:
    """A red packet is seen, never opened, and a steward says that it settles the matter."""
    await shop.say(name, "你们饭桶车间")
    await shop.hears("何静", f"待核准 {case}", "红包事项")
    await shop.whisper("何静", f"批准 {case} 属实")
    await shop.hears(name, f"编号 {case}", "教育方式")
    await shop.whisper(name, f"接受 {case}")
    await shop.hears(name, "已记录您本人接受")
    await shop.send_packet(name)
    await shop.hears("何静", f"看到 业务部-{name} 发了一个红包", f"事项 {case}")
    await shop.whisper("何静", f"结清 {case} 看到了")
    await shop.hears(name, f"事项 {case}", "已结清")


async def is_put_out_at_the_third_time(shop: WeChatWorkshop, name: str, case: int) -> None:
    """A warning, a mute that is a ticket, and the way out: each by a steward's word, the last by two."""
    for number, step in enumerate(("警告", "禁言", "移出")):
        await shop.say(name, f"来玩 {BETTING}{number}")
        await shop.hears("何静", f"待核准 {case + number}", step)
        await shop.whisper("何静", f"批准 {case + number} 属实")
    await shop.hears("何静", "工单", "禁言")
    await shop.whisper("罗程", f"批准 {case + 2} 同意")
    await shop.happens(lambda: shop.removed == [name])
