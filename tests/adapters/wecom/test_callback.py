"""Whoever posts to a callback URL is WeCom or is refused; what WeCom posts is answered at once and heard once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest

from groupops_wecom import (
    Adapter,
    AddMembers,
    AiBot,
    AiBotCardEvent,
    ApiNotAvailable,
    AppBot,
    AppCardEvent,
    AppMessageEvent,
    Bot,
    ChangeName,
    DelMembers,
    EnterChat,
    Event,
    GroupMessageEvent,
    LocationReported,
    MessageEvent,
    MessageSegment,
    PrivateMessageEvent,
    WindowClosed,
)
from groupops_wecom.crypto import Cipher
from groupops_wecom.passive import pressed, replaced
from groupops_wecom.recent import Recent
from groupops_wecom.testing import AiBot as FarBot
from groupops_wecom.testing import Callback, Group, until
from tests.support.wecom_bot import Served, called_back, far_app

BUTTONS = {
    "card_type": "button_interaction",
    "main_title": {"title": "确认群规"},
    "button_list": [{"text": "同意", "style": 1, "key": "yes"}],
    "task_id": "rules_1",
}
NOTICE = {
    "card_type": "text_notice",
    "main_title": {"title": "已确认"},
    "card_action": {"type": 1, "url": "https://example.com"},
}
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with called_back(wecom_reply_seconds=0.5) as made:
        yield made


def bot(served: Served) -> FarBot:
    return served.wecom.world.bots["aib0001"]


def group(served: Served) -> Group:
    found = served.wecom.world.find("chat", "wrAbCdEf0001")
    assert found is not None
    return found


def app_url(served: Served) -> Callback:
    found = far_app(served).callback
    assert found is not None
    return found


def texts(served: Served) -> list[str]:
    return [said.text for said in group(served).said if said.by == "aib0001"]


async def post(served: Served, callback: Callback, plain: str, **changed: str) -> httpx.Response:
    """Post something to an app's URL as WeCom would, but for what is changed in the address or body."""
    query, encrypted = served.wecom.pusher.sealed(callback, plain)
    body = f"<xml><Encrypt><![CDATA[{changed.pop('encrypted', encrypted)}]]></Encrypt></xml>"
    content = changed.pop("body", body).encode()
    return await served.wecom.pusher.post_raw(callback.url, {**query, **changed}, content)


HELLO = (
    "<xml><ToUserName>c</ToUserName><FromUserName>zhangsan</FromUserName><CreateTime>1767232800</CreateTime>"
    "<MsgType>text</MsgType><Content>hi</Content><MsgId>77</MsgId><AgentID>1000002</AgentID></xml>"
)


# — the door —


async def test_wecom_finds_both_urls_to_be_ours(served: Served) -> None:
    for callback in (bot(served).callback, app_url(served)):
        assert callback is not None
        assert await served.wecom.pusher.verify(callback)


async def test_a_question_with_another_key_or_token_is_not_answered(served: Served) -> None:
    url = app_url(served).url
    for changed in (
        Callback(url=url, token="other", receive_id="ww1234567890abcdef"),
        Callback(url=url, aes_key="A" * 43, receive_id="ww1234567890abcdef"),
        Callback(url=url, receive_id="wwOTHER"),
    ):
        assert not await served.wecom.pusher.verify(changed)


async def test_a_post_cannot_be_read_by_asking_it_as_a_question(served: Served) -> None:
    query, encrypted = served.wecom.pusher.sealed(app_url(served), HELLO)

    async with httpx.AsyncClient() as client:
        answer = await client.get(app_url(served).url, params={**query, "echostr": encrypted})

    assert answer.status_code == 400
    assert "hi" not in answer.text


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"msg_signature": "0" * 40}, 401),
        ({"msg_signature": ""}, 401),
        ({"msg_signature": "é" * 40}, 401),
        ({"timestamp": "1767232801"}, 401),
        ({"timestamp": "-1"}, 401),
        ({"nonce": ""}, 401),
        ({"nonce": "x" * 5000}, 401),
        ({"encrypted": "AAAA"}, 401),
        ({"body": ""}, 400),
        ({"body": "not xml"}, 400),
        ({"body": LAUGHS}, 400),
        ({"body": "<xml>" + "<a>" * 3000 + "</a>" * 3000 + "</xml>"}, 400),
        ({"body": "<xml><Encrypt></Encrypt></xml>"}, 400),
        ({"body": "x" * 300_000}, 413),
    ],
)
async def test_who_is_not_wecom_is_refused(served: Served, changed: dict[str, str], status: int) -> None:
    answer = await post(served, app_url(served), HELLO, **changed)

    assert (answer.status_code, answer.text) == (status, "")
    assert served.heard.of(MessageEvent) == []
    assert served.adapter.doors.refused == 1


@pytest.mark.parametrize("plain", ["", "not xml", LAUGHS, "{}", "[" * 10_000])
async def test_what_wecom_would_never_encrypt_is_refused(served: Served, plain: str) -> None:
    answer = await post(served, app_url(served), plain)

    assert answer.status_code == 400
    assert served.heard.of(MessageEvent) == []


async def test_what_is_encrypted_for_another_company_is_refused(served: Served) -> None:
    answer = await post(served, Callback(url=app_url(served).url, receive_id="wwOTHER"), HELLO)

    assert answer.status_code == 400
    assert served.heard.of(MessageEvent) == []


async def test_a_post_that_is_sent_again_has_no_effect(served: Served) -> None:
    query, encrypted = served.wecom.pusher.sealed(app_url(served), HELLO)
    body = f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()

    answers = [await served.wecom.pusher.post_raw(app_url(served).url, query, body) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(served.heard.of(AppMessageEvent)) == 1
    assert served.adapter.doors.repeated == 2


async def test_a_post_that_came_before_a_restart_has_no_effect() -> None:
    marks = dict[str, float]()

    async def once(mark: str, seconds: float) -> bool:
        new = mark not in marks
        marks[mark] = seconds
        return new

    async with called_back(once, wecom_reply_seconds=0) as served:
        query, encrypted = served.wecom.pusher.sealed(app_url(served), HELLO)
        body = f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()
        first = await served.wecom.pusher.post_raw(app_url(served).url, query, body)
        served.adapter.doors._seen = Recent(600, 10, served.wecom.world.now)
        served.adapter._events = Recent(600, 10, served.wecom.world.now)

        again = await served.wecom.pusher.post_raw(app_url(served).url, query, body)

        assert (first.status_code, again.status_code) == (200, 200)
        assert len(served.heard.of(AppMessageEvent)) == 1
        assert list(marks.values()) == [600]


async def test_what_cannot_be_marked_is_not_taken_and_may_come_again() -> None:
    down = True

    async def once(mark: str, seconds: float) -> bool:
        if down:
            raise ConnectionError
        return True

    async with called_back(once, wecom_reply_seconds=0) as served:
        query, encrypted = served.wecom.pusher.sealed(app_url(served), HELLO)
        body = f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()
        refused = await served.wecom.pusher.post_raw(app_url(served).url, query, body)
        assert served.heard.events == []
        down = False

        taken = await served.wecom.pusher.post_raw(app_url(served).url, query, body)

        assert (refused.status_code, taken.status_code) == (503, 200)
        await served.heard.first(AppMessageEvent)


async def test_a_post_of_another_time_is_refused(served: Served) -> None:
    query, encrypted = served.wecom.pusher.sealed(app_url(served), HELLO)
    served.wecom.clock.forward(seconds=301)
    body = f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()

    answer = await served.wecom.pusher.post_raw(app_url(served).url, query, body)

    assert answer.status_code == 401
    assert served.heard.of(AppMessageEvent) == []


async def test_a_message_that_wecom_posts_anew_is_heard_once(served: Served) -> None:
    await post(served, app_url(served), HELLO)
    await post(served, app_url(served), HELLO)

    await served.heard.first(AppMessageEvent)
    assert len(served.heard.of(AppMessageEvent)) == 1


async def test_a_body_that_does_not_say_its_size_is_measured_while_it_comes(served: Served) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 1024

    async with httpx.AsyncClient() as client:
        with suppress(httpx.WriteError):  # the server may hang up while it is still being spoken to
            assert (await client.post(app_url(served).url, content=pieces())).status_code == 413

    assert served.adapter.doors.refused == 1


async def test_while_too_much_is_being_handled_wecom_is_asked_to_come_again() -> None:
    async with called_back(wecom_in_flight=1, wecom_reply_seconds=0) as served:
        held, release = asyncio.Event(), asyncio.Event()

        async def hold(bot: Bot, event: Event) -> None:
            held.set()
            await release.wait()

        served.heard.do = hold
        await post(served, app_url(served), HELLO)
        await held.wait()
        second = HELLO.replace("77", "78")
        query, encrypted = served.wecom.pusher.sealed(app_url(served), second)
        body = f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()

        full = await served.wecom.pusher.post_raw(app_url(served).url, query, body)
        release.set()
        await until(lambda: not served.adapter._handling)
        again = await served.wecom.pusher.post_raw(app_url(served).url, query, body)
        await until(lambda: len(served.heard.of(AppMessageEvent)) == 2)

        assert (full.status_code, again.status_code) == (503, 200)


class OnAnyServer(Adapter):
    """The adapter as it mounts on a server that is not FastAPI: by NoneBot's own means."""

    def _mount(self) -> None:
        for path in self.doors.paths:
            self._mount_plainly(path)


async def test_on_any_other_server_the_doors_are_the_same() -> None:
    async def answer(bot: Bot, event: Event) -> None:
        if isinstance(bot, AiBot):
            await bot.send(event, "在的")

    async with called_back(kind=OnAnyServer) as served:
        served.heard.do = answer
        assert await served.wecom.pusher.verify(app_url(served))
        assert (await post(served, app_url(served), HELLO)).status_code == 200
        assert (await post(served, app_url(served), HELLO, msg_signature="0" * 40)).status_code == 401
        assert (await post(served, app_url(served), HELLO, body="x" * 300_000)).status_code == 413
        await served.wecom.say("zhangsan", group(served), "@小助手 在吗")

        assert texts(served) == ["在的"]
        assert len(served.heard.of(AppMessageEvent)) == 1


# — an app —


async def test_an_app_is_told_at_once_that_its_message_came_whatever_its_handler_does(served: Served) -> None:
    release = asyncio.Event()

    async def hold(bot: Bot, event: Event) -> None:
        await release.wait()

    served.heard.do = hold
    await served.wecom.say("zhangsan", far_app(served), "打卡")

    assert served.wecom.pusher.posts[-1].status == 200
    assert (await served.heard.first(AppMessageEvent)).get_plaintext() == "打卡"
    release.set()


async def test_an_app_hears_where_somebody_is(served: Served) -> None:
    await served.wecom.location("lisi", far_app(served), 23.134, 113.358, "广州塔")
    await served.wecom.seen_at("lisi", far_app(served), 23.1, 113.3)

    (place,) = (await served.heard.first(AppMessageEvent)).message["location"]
    reported = await served.heard.first(LocationReported)
    assert place.data == {"latitude": 23.134, "longitude": 113.358, "label": "广州塔", "scale": 15}
    assert (reported.user_id, reported.latitude, reported.precision) == ("lisi", 23.1, 30.0)


async def test_an_app_answers_in_private(served: Served) -> None:
    await served.wecom.say("lisi", far_app(served), "帮助 <@all>")
    event = await served.heard.first(AppMessageEvent)

    await served.app().send(event, "收到:" + event.get_plaintext())

    (said,) = served.wecom.world.people["lisi"].inbox[1:]
    assert said.text == "收到:帮助 <\u200b@all>"


async def test_an_app_may_answer_in_the_answer_itself() -> None:
    async with called_back(wecom_passive_seconds=0.5) as served:

        async def answer(bot: Bot, event: Event) -> None:
            if isinstance(bot, AppBot):
                await bot.send(event, "马上 ]]> 好")

        served.heard.do = answer
        await served.wecom.say("lisi", far_app(served), "在吗")

        (posted,) = served.wecom.pusher.posts
        assert posted.wrong == ""
        assert "<Content><![CDATA[马上 ]]]]><![CDATA[> 好]]></Content>" in posted.answer
        assert "<ToUserName><![CDATA[lisi]]></ToUserName>" in posted.answer
        assert served.wecom.rest.calls == []


async def test_a_pressed_card_of_an_app_is_switched_off_for_who_pressed(served: Served) -> None:
    await served.app().push("lisi", MessageSegment.card(BUTTONS))
    (said,) = served.wecom.world.people["lisi"].inbox
    await served.wecom.press("lisi", said, "yes")
    press = await served.heard.first(AppCardEvent)

    await served.app().update_card(press, button="已同意")

    assert (press.user_id, press.event_key, press.task_id) == ("lisi", "yes", "rules_1")
    assert said.card is not None
    assert said.card.done == {"lisi": "已同意"}
    assert press.response_code not in repr(press) + str(press)


async def test_a_pressed_card_of_an_app_may_be_switched_off_in_the_answer_itself() -> None:
    async with called_back(wecom_passive_seconds=0.5) as served:

        async def answer(bot: Bot, event: Event) -> None:
            if isinstance(event, AppCardEvent) and event.exchange is not None:
                event.exchange.answer(pressed("已同意"))

        await served.app().push("lisi", MessageSegment.card(BUTTONS))
        (said,) = served.wecom.world.people["lisi"].inbox
        served.heard.do = answer
        await served.wecom.press("lisi", said, "yes")

        assert said.card is not None
        assert said.card.done == {"lisi": "已同意"}


def test_a_card_in_an_answer_has_wecoms_tags() -> None:
    card = {
        "card_type": "text_notice",
        "main_title": {"title": "已确认"},
        "horizontal_content_list": [
            {"keyname": "负责人", "value": "张三", "type": 3, "userid": "zhangsan"},
            {"keyname": "截止", "value": "十点"},
        ],
        "card_action": {"type": 2, "appid": "wx1", "pagepath": "a"},
    }

    assert replaced(card)["TemplateCard"] == {
        "CardType": "text_notice",
        "MainTitle": {"Title": "已确认"},
        "HorizontalContentList": [
            {"KeyName": "负责人", "Value": "张三", "Type": 3, "UserId": "zhangsan"},
            {"KeyName": "截止", "Value": "十点"},
        ],
        "CardAction": {"Type": 2, "AppId": "wx1", "PagePath": "a"},
    }


async def test_an_app_hears_who_comes_into_and_leaves_a_customer_group(served: Served) -> None:
    wecom = served.wecom
    wecom.world.customer("wmCustomer1", "客户")
    customers = wecom.world.group("客户群", "zhangsan", [], customer_id="wrCustomer01")
    await wecom.join(["lisi", "wmCustomer1"], customers, scene=3)
    await wecom.leave("wmCustomer1", customers, removed=True)
    await wecom.rename(customers, "新名")

    joined = await served.heard.first(AddMembers)
    left = await served.heard.first(DelMembers)
    await served.heard.first(ChangeName)

    assert (joined.chat_id, joined.members, joined.scene, joined.count) == (
        "wrCustomer01",
        ("lisi", "wmCustomer1"),
        3,
        2,
    )
    assert (left.members, left.scene) == (("wmCustomer1",), 1)
    assert left.last_version == joined.version


# — an AI bot —


async def test_an_ai_bot_answers_in_the_answer_itself(served: Served) -> None:
    async def answer(bot: Bot, event: Event) -> None:
        if isinstance(bot, AiBot):
            await bot.send(event, "在的")

    served.heard.do = answer
    await served.wecom.say("zhangsan", group(served), "@小助手 在吗")

    assert served.wecom.pusher.posts[-1].wrong == ""
    assert texts(served) == ["在的"]


async def test_an_ai_bot_answers_later_once_and_no_more(served: Served) -> None:
    await served.wecom.say("zhangsan", group(served), "@小助手 在吗")
    event = await served.heard.first(GroupMessageEvent)
    assert served.wecom.pusher.posts[-1].answer == ""

    await served.aibot().send(event, "晚了一点")
    with pytest.raises(ApiNotAvailable, match="no way to speak is left"):
        await served.aibot().send(event, "还有")

    assert texts(served) == ["晚了一点"]
    assert "response_code" not in repr(event) + str(event) + event.get_log_string()


async def test_an_ai_bot_does_not_use_a_way_that_is_an_hour_old(served: Served) -> None:
    await served.wecom.say("zhangsan", group(served), "@小助手 在吗")
    event = await served.heard.first(GroupMessageEvent)
    served.wecom.clock.forward(hours=1)

    with pytest.raises(ApiNotAvailable):
        await served.aibot().send(event, "太晚")

    assert texts(served) == []


async def test_an_ai_bot_pushes_by_a_way_nobody_used(served: Served) -> None:
    await served.wecom.say("zhangsan", group(served), "@小助手 在吗")
    await served.heard.first(GroupMessageEvent)

    await served.aibot().push("wrAbCdEf0001", "group", "提醒")
    with pytest.raises(ApiNotAvailable):
        await served.aibot().push("wrAbCdEf0001", "group", "再提醒")

    assert texts(served) == ["提醒"]


async def test_a_stream_is_asked_for_until_it_is_finished(served: Served) -> None:
    async def answer(bot: Bot, event: Event) -> None:
        assert isinstance(bot, AiBot)
        assert isinstance(event, MessageEvent)
        stream = bot.stream(event)
        await stream.show("查询中")
        await asyncio.sleep(0.2)
        await stream.finish("完成")

    served.heard.do = answer
    await served.wecom.say("zhangsan", group(served), "@小助手 查")
    await until(lambda: texts(served) == ["完成"])

    assert all(posted.wrong == "" for posted in served.wecom.pusher.posts)
    assert any('"finish":false' in posted.answer for posted in served.wecom.pusher.posts)


async def test_a_stream_that_began_after_the_answer_is_refused(served: Served) -> None:
    await served.wecom.say("zhangsan", group(served), "@小助手 查")
    event = await served.heard.first(GroupMessageEvent)

    with pytest.raises(WindowClosed):
        await served.aibot().stream(event).show("查询中")


async def test_an_ai_bot_greets_and_replaces_a_card_while_it_is_asked(served: Served) -> None:
    async def answer(bot: Bot, event: Event) -> None:
        assert isinstance(bot, AiBot)
        match event:
            case EnterChat():
                await bot.welcome(event, "您好")
            case AiBotCardEvent():
                await bot.update_card(event, NOTICE)
            case MessageEvent():
                await bot.send(event, MessageSegment.card(BUTTONS))
            case _:
                raise AssertionError(event)

    served.heard.do = answer
    await served.wecom.open_chat("lisi", bot(served))
    await served.wecom.say("zhangsan", group(served), "@小助手 群规")
    (card,) = (said.card for said in group(served).said if said.card is not None)
    await served.wecom.press("lisi", card, "yes")

    assert [said.text for said in served.wecom.world.people["lisi"].inbox] == ["您好"]
    assert card.template["main_title"]["title"] == "已确认"
    assert [posted.wrong for posted in served.wecom.pusher.posts] == ["", "", ""]


async def test_a_picture_has_the_bots_own_key(served: Served) -> None:
    picture = bytes(range(200)) * 9
    await served.wecom.send("lisi", bot(served), "image", served.wecom.file("a.png", picture, bot(served)))
    event = await served.heard.first(PrivateMessageEvent)
    (image,) = event.message["image"]

    found = await served.aibot().download(image.data["url"])

    assert found.data == picture


async def test_nested_json_and_rubbish_for_an_ai_bot_are_refused(served: Served) -> None:
    callback = bot(served).callback
    assert callback is not None
    for body in (b"", b"[]", b'{"encrypt":7}', b"[" * 50_000, b'{"encrypt":' + b"[" * 50_000, b"\xff\xfe"):
        query, _ = served.wecom.pusher.sealed(callback, "{}")
        answer = await served.wecom.pusher.post_raw(callback.url, query, body)
        assert answer.status_code == 400


async def test_a_bot_hears_no_post_meant_for_an_app(served: Served) -> None:
    """Both have the same token and key here: the receiver alone tells them apart."""
    callback = bot(served).callback
    assert callback is not None
    cipher = Cipher(callback.token, callback.aes_key, "ww1234567890abcdef")
    encrypted = cipher.encrypt(b'{"msgid":"1","msgtype":"text","text":{"content":"x"}}')
    query = {"timestamp": str(int(served.wecom.world.now())), "nonce": "n1"}
    query["msg_signature"] = cipher.sign(query["timestamp"], "n1", encrypted)

    answer = await served.wecom.pusher.post_raw(
        callback.url, query, json.dumps({"encrypt": encrypted}).encode()
    )

    assert answer.status_code == 400
    assert served.heard.events == []
