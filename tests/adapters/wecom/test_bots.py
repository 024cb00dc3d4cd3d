"""What the bots do for any plugin of NoneBot's, and what they keep it from doing too often."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from nonebot.adapters import Bot as AnyBot

from groupops_wecom import ActionFailed, ApiNotAvailable, AppMessageEvent, MessageEvent, MessageSegment
from groupops_wecom.budget import Throttled
from groupops_wecom.letters import To
from groupops_wecom.templates import Unfit
from tests.support.wecom_bot import Served, called_back, far_app, linked

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with called_back(wecom_reply_seconds=0, wecom_robots=[{"name": "值班群", "key": "KEY1"}]) as made:
        yield made


def inbox(served: Served, userid: str) -> list[str]:
    return [said.text for said in served.wecom.world.people[userid].inbox]


async def test_an_app_says_no_more_to_a_member_than_wecom_lets_them_hear(served: Served) -> None:
    for number in range(24):
        await served.app().push("lisi", f"第{number}句")

    with pytest.raises(Throttled):
        await served.app().push("lisi", "太多了")
    await served.app().push("zhangsan", "你好")

    assert len(inbox(served, "lisi")) == 24
    assert inbox(served, "zhangsan") == ["你好"]


async def test_an_ai_bot_says_no_more_in_a_conversation_than_wecom_takes() -> None:
    async with linked() as served:
        group = served.wecom.world.groups[0]
        await served.wecom.say("zhangsan", group, "@小助手 在吗")
        await served.heard.first(MessageEvent)
        for number in range(30):
            await served.aibot().push("wrAbCdEf0001", "group", f"第{number}句")

        with pytest.raises(Throttled):
            await served.aibot().push("wrAbCdEf0001", "group", "太多了")

        frames = served.wecom.link.sent_by_bots("aibot_send_msg")
        assert len(frames) == 30
        served.wecom.clock.forward(minutes=2)
        await served.aibot().push("wrAbCdEf0001", "group", "又可以了")


async def test_an_app_says_words_a_picture_and_markdown_to_several(served: Served) -> None:
    said = MessageSegment.text("看 <a") + MessageSegment.image(data=PICTURE, name="图.png")

    answers = await served.app().push(["lisi", "zhangsan"], said)
    await served.app().push("lisi", MessageSegment.markdown("**提醒**") + " *原样*")

    kinds = [said.kind for said in served.wecom.world.people["lisi"].inbox]
    assert kinds == ["text", "image", "markdown"]
    assert inbox(served, "lisi")[2] == r"**提醒** \*原样\*"
    assert len(inbox(served, "zhangsan")) == 2
    assert all(answer["msgid"] for answer in answers)


async def test_a_message_to_nobody_is_refused_before_it_goes(served: Served) -> None:
    with pytest.raises(Unfit):
        await served.app().push([], "有人吗")

    assert served.wecom.rest.calls == []


async def test_an_app_takes_back_what_it_said(served: Served) -> None:
    (answer,) = await served.app().push("lisi", "说错了")

    await served.app().recall(answer["msgid"])

    (said,) = served.wecom.world.people["lisi"].inbox
    assert said.recalled


async def test_an_app_fetches_what_it_was_sent(served: Served) -> None:
    media = served.wecom.world.keep("image", "现场.png", PICTURE)

    found = await served.app().download(media.id)

    assert found.data == PICTURE


async def test_an_app_has_its_own_groups_and_other_letters(served: Served) -> None:
    chat = await served.app().chats.create("值班", "zhangsan", ["zhangsan", "lisi", "wangwu"], "duty01")

    await served.app().chats.kick(chat, ["lisi"])

    found = served.wecom.world.find("appchat", "duty01")
    assert found is not None
    assert sorted(found.seats) == ["wangwu", "zhangsan"]
    assert To(users=("a",)).body == {"touser": "a"}


async def test_a_robot_speaks_by_its_name(served: Served) -> None:
    group = served.wecom.world.groups[0]
    served.wecom.world.robot("KEY1", group)

    await served.adapter.robot("值班群").text("开会", mentioned=["lisi"])

    assert [said.body["content"] for said in group.said] == ["开会"]
    with pytest.raises(ApiNotAvailable, match="WECOM_ROBOTS"):
        served.adapter.robot("别的群")


async def test_a_bot_on_a_callback_url_has_no_interfaces(served: Served) -> None:
    with pytest.raises(ApiNotAvailable):
        await served.aibot().call("aibot_send_msg", {})
    with pytest.raises(ApiNotAvailable, match="long connection"):
        await served.aibot().upload("image", "a.png", PICTURE)


async def test_hooks_of_nonebot_hear_of_every_call(served: Served) -> None:
    heard = list[tuple[str, str, dict[str, Any]]]()

    async def hook(bot: AnyBot, api: str, data: dict[str, Any]) -> None:
        heard.append((bot.self_id, api, data))

    AnyBot._calling_api_hook.add(hook)
    try:
        await served.app().push("lisi", "你好")
    finally:
        AnyBot._calling_api_hook.discard(hook)

    ((self_id, api, data),) = heard
    assert (self_id, api) == (served.app().self_id, "message/send")
    assert data["body"]["text"] == {"content": "你好"}


async def test_what_wecom_refuses_an_app_is_told_with_its_number_and_without_the_token(
    served: Served,
) -> None:
    with pytest.raises(ActionFailed) as refused:
        await served.app().call("appchat/get", params={"chatid": "nowhere"}, method="GET")

    assert refused.value.errcode != 0
    assert "access_token" not in str(refused.value)


async def test_an_event_of_nobodys_cannot_be_answered(served: Served) -> None:
    await served.wecom.say("lisi", far_app(served), "hi")
    event = (await served.heard.first(AppMessageEvent)).model_copy(update={"user_id": ""})

    with pytest.raises(ApiNotAvailable):
        await served.app().send(event, "在")
