"""Whole stories on QQ: a bot that was started from `.env`, and an end on the other side of a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.onebot_workshop import OneBotWorkshop
from tests.e2e.workshop import BETTING, Workshop, moved_in, on


@pytest.fixture
async def onebot(made: Path, tmp_path: Path) -> AsyncIterator[OneBotWorkshop]:
    """A group at an end that speaks OneBot v11, and the home of a bot that is not started yet."""
    shop = OneBotWorkshop(moved_in(made, tmp_path, OneBotWorkshop))
    yield shop
    if shop.bot is not None:
        shop.bot.stop()
    await shop.close()


async def test_a_stranger_whom_the_roster_knows_is_let_in_welcomed_and_reminded_of_the_card(
    onebot: OneBotWorkshop,
) -> None:
    await onebot.start(on(5, "10:00"))

    known = await onebot.ask_to_join("李强", "李强 0103")
    await onebot.ask_to_join("路人", "让我进来")
    await onebot.happens(lambda: onebot.decided)
    await onebot.hears("何静", "入群申请", "qq:20009", "不在名册")
    await onebot.join("李强")
    await onebot.hears("何静", "李强(业务部)?", "依据入群申请")
    await onebot.start_again(on(5, "10:05"))
    await onebot.hears("", "欢迎", "加入本群")
    await onebot.hears("李强", "本群适用《车间工作群管理办法》")
    await onebot.put_card("李强", "小李")
    await onebot.hears("李强", "群名片“小李”", "部门-姓名")
    await onebot.a_second()
    await onebot.put_card("李强", "业务部-李强")
    await onebot.repeat()
    await onebot.whisper("何静", "确认绑定 1")
    await onebot.hears("何静", "编号 1 已确认", "李强(业务部)")
    await onebot.whisper("李强", "我的名片")
    await onebot.hears("李强", "业务部-李强", "合格")

    assert onebot.decided == [(known, True)]
    assert onebot.twice() == {}


async def test_what_an_end_sends_in_its_first_moment_finds_a_bot_that_knows_what_it_can_do(
    onebot: OneBotWorkshop,
) -> None:
    onebot.end.slow = 0.3
    await onebot.start(on(5, "10:00"), wait=False)

    said = await onebot.say("王芳", f"来玩 {BETTING}a")
    await onebot.hears("何静", "待核准 1", "警告")
    await onebot.happens(lambda: onebot.recalled)
    await onebot.nothing_else()

    assert onebot.recalled == [said]
    assert not [told for told in onebot.told if "工单" in told.text or "自行撤回" in told.text]


async def test_what_was_out_when_the_power_was_cut_is_done_after_the_start_and_not_before_the_end_is_there(
    onebot: OneBotWorkshop,
) -> None:
    await onebot.start(on(5, "10:00"))

    await onebot.say("王芳", f"来玩 {BETTING}a")
    await onebot.hears("何静", "待核准 1", "警告")
    await onebot.whisper("何静", "批准 1 属实")
    await onebot.hears("王芳", "已核定警告")
    await onebot.say("王芳", f"再来 {BETTING}b")
    await onebot.hears("何静", "待核准 2", "禁言")
    onebot.end.silent.add("set_group_ban")
    await onebot.whisper("何静", "批准 2 再犯")
    await onebot.happens(lambda: onebot.mutes == [("王芳", 600)])
    onebot.end.silent.clear()
    await onebot.start_again(on(5, "10:03"), kill=True, late=5)
    await onebot.happens(lambda: onebot.mutes == [("王芳", 600), ("王芳", 600)])
    await onebot.nothing_else()

    assert not [told for told in onebot.told if "工单" in told.text]
    assert {told.to for told in onebot.twice()} == {""}  # two links, two words about them


async def test_a_betting_link_at_night_is_recalled_and_warned_of_and_the_mute_ends_with_the_appeal(
    onebot: OneBotWorkshop,
) -> None:
    await a_night_with_bets(onebot)


async def test_a_red_packet_is_seen_and_settled_by_a_steward(onebot: OneBotWorkshop) -> None:
    await onebot.start(on(5, "10:00"))

    await onebot.say("王芳", "你们饭桶车间")
    await onebot.hears("何静", "待核准 1", "红包事项")
    await onebot.whisper("何静", "批准 1 属实")
    await onebot.hears("王芳", "编号 1", "教育方式")
    await onebot.whisper("王芳", "接受 1")
    await onebot.hears("王芳", "已记录您本人接受")
    await onebot.send_packet("王芳")
    await onebot.hears("何静", "看到 业务部-王芳 发了一个红包", "事项 1")
    unsettled = onebot.place.groupops("red-packet", "totals", "--group", "qq:7001")
    await onebot.whisper("何静", "结清 1 看到了")
    await onebot.hears("王芳", "事项 1", "已结清")

    settled = onebot.place.groupops("red-packet", "totals", "--group", "qq:7001")
    assert "本人已接受:1 项" in unsettled
    assert "本人已接受" not in settled
    assert "已结清:1 项" in settled
    assert onebot.twice() == {}


async def test_a_place_that_is_shared_checks_in(onebot: OneBotWorkshop) -> None:
    await onebot.start(on(5, "08:50"))

    await onebot.whisper("王芳", "同意打卡")
    await onebot.hears("王芳", "请先看完说明")
    await onebot.whisper("王芳", "同意打卡")
    await onebot.hears("王芳", "已记下您的同意")
    await onebot.a_second()
    await onebot.show_place("王芳")
    await onebot.hears("王芳", "已记录", "准时", "人民广场")
    await onebot.repeat()
    await onebot.whisper("王芳", "我的打卡")
    await onebot.hears("王芳", "03-05 准时", "人民广场")

    assert "121.47" not in "".join(told.text for told in onebot.told)


async def a_night_with_bets(shop: Workshop) -> None:
    """Tell of a link, a warning, a mute, a power cut, an appeal and its end, and look at all that was done."""
    await shop.start(on(5, "23:40"))

    first = await shop.say("王芳", f"来玩 {BETTING}a")
    link = await shop.asked_of("何静", "待核准", "赌博", "警告")
    await shop.whisper("何静", f"批准 {link} 属实")
    await shop.hears("王芳", "已核定警告", "第七条")
    await shop.say("王芳", "开个玩笑而已")
    third = await shop.say("王芳", f"再来 {BETTING}b")
    again = await shop.asked_of("罗程", "待核准", "赌博", "禁言")
    await shop.start_again(on(5, "23:43"), kill=True)
    await shop.repeat()
    await shop.nothing_else()
    told_before_the_mute = shop.twice()
    await shop.whisper("何静", f"批准 {again} 再犯")
    await shop.hears("王芳", "已核定禁言")
    await shop.happens(lambda: shop.mutes == [("王芳", 600)])
    await shop.whisper("王芳", f"申诉 {again} 链接是反诈培训的材料")
    await shop.hears("罗程", f"申诉 {again}", "反诈培训")
    await shop.whisper("何静", f"批准 {again} 属实")
    await shop.hears("何静", "申诉须由另一位管理员决定")
    await shop.whisper("罗程", f"批准 {again} 核实过")
    await shop.happens(lambda: shop.mutes == [("王芳", 600), ("王芳", 0)])
    await shop.hears("王芳", f"事项 {again} 已撤销")

    assert shop.recalled == [first, third]
    assert shop.mutes == [("王芳", 600), ("王芳", 0)]
    assert told_before_the_mute == {}
    assert shop.twice() == {}
