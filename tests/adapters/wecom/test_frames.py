"""Our adapter sends, for the same script, the frames that the vendor's software and another one were recorded with."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from groupops_wecom import AiBot, Event, MessageSegment
from groupops_wecom.contacts import Contacts
from groupops_wecom.event import AiBotCardEvent, EnterChat, GroupMessageEvent, PrivateMessageEvent
from groupops_wecom.testing import running, until
from tests.support.wecom_bot import Heard, link_settings, serving
from tests.support.wecom_script import PICTURE, calls, company, play, recorded, shapes

BUTTONS: list[dict[str, Any]] = [
    {"text": "已到岗", "style": 1, "key": "here"},
    {"text": "请假", "style": 2, "key": "away"},
]


def button(task_id: str) -> dict[str, Any]:
    title = {"title": "打卡", "desc": "十点前"}
    return {
        "card_type": "button_interaction",
        "main_title": title,
        "button_list": BUTTONS,
        "task_id": task_id,
    }


NOTICE = {
    "card_type": "text_notice",
    "main_title": {"title": "已打卡"},
    "card_action": {"type": 1, "url": "https://example.com"},
}


async def take_part(bot: Any, event: Event) -> None:
    """Do what the script asks of a bot."""
    assert isinstance(bot, AiBot)
    match event:
        case GroupMessageEvent():
            await work(bot, event)
        case EnterChat():
            await bot.welcome(event, "您好")
        case AiBotCardEvent():
            await bot.update_card(event, NOTICE, [event.user_id])
        case _:
            pass


async def work(bot: AiBot, event: GroupMessageEvent) -> None:
    stream = bot.stream(event)
    await stream.show("处理中")
    await stream.finish("好了")
    await bot.respond(event, MessageSegment.card(button("task_1")))
    await bot.push(event.chat_id, "group", MessageSegment.markdown("**推送**"))
    await bot.push(event.chat_id, "group", MessageSegment.card(button("task_2")))
    media_id = await bot.upload("file", "名单.bin", b"x" * (600 * 1024))
    await bot.push(event.chat_id, "group", MessageSegment.file(media_id))
    await bot.respond(event, MessageSegment.file(media_id))


def without_chat_type(shape: dict[str, Any]) -> dict[str, Any]:
    """A push says which kind of conversation it means, as the vendor's page has it; the recorded ones leave it out."""
    if shape["cmd"] != "aibot_send_msg":
        return shape
    assert shape["body"]["chat_type"] == "int"
    return {**shape, "body": {key: one for key, one in shape["body"].items() if key != "chat_type"}}


@pytest.mark.parametrize("peer", ["aibot-node-sdk", "wecom-aibot-sdk"])
async def test_our_frames_have_the_shapes_of_those_recorded(peer: str) -> None:
    async with running() as wecom:
        bot, group = company(wecom)
        heard = Heard()
        heard.do = take_part
        async with serving(wecom, link_settings(bot), heard):
            await until(lambda: wecom.link.connected(bot.bot_id))
            await play(wecom, bot, group)

        ours = [without_chat_type(one) for one in shapes(wecom)]
        assert ours == recorded(peer)
        assert [one.frame for one in wecom.link.frames if one.errcode] == []


async def test_what_we_fetch_is_what_the_recorded_ones_fetched() -> None:
    async with running() as wecom:
        bot, _ = company(wecom)
        heard = Heard()
        async with serving(wecom, link_settings(bot), heard) as served:
            await until(lambda: wecom.link.connected(bot.bot_id))
            await wecom.send("lisi", bot, "image", wecom.file("现场 1.png", PICTURE, bot))
            event = await heard.first(PrivateMessageEvent)
            segment = event.message["image"][0]
            got = await served.aibot().download(segment.data["url"], segment.data["aeskey"])

        assert got.name == "现场 1.png"
        assert hashlib.sha256(got.data).digest() == hashlib.sha256(PICTURE).digest()


OF_THEIRS_ALONE = {"toparty", "totag", "safe", "fetch_child", "status", "filename"}
"""What the recorded client writes although it says nothing: receivers that are none, and what WeCom assumes anyway."""


def meant(call: dict[str, Any]) -> dict[str, Any]:
    """A call without what says nothing."""
    query = [one for one in call["query"] if one not in OF_THEIRS_ALONE]
    body = {key: one for key, one in call["body"].items() if key not in OF_THEIRS_ALONE}
    return {**call, "query": query, "body": body}


async def test_our_calls_have_the_shapes_of_those_recorded() -> None:
    async with running() as wecom:
        company(wecom)
        app = wecom.world.app()
        one = {"corp_id": wecom.world.corp_id, "agent_id": app.agent_id, "secret": app.secret}
        async with serving(wecom, {"wecom_apps": [{**one, "callback": False}]}) as served:
            await served.app().push("lisi", "早")
            await served.app().push("lisi", MessageSegment.markdown("**早**"))
            await served.app().push("lisi", MessageSegment.file(data=b"a,b,c,d", name="list.csv"))
            await Contacts(served.app().api).everybody()

        assert [meant(one) for one in calls(wecom)] == [meant(one) for one in recorded("wechatpy")]
