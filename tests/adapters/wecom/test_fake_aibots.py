"""The make-believe WeCom keeps its rules for AI bots on the long connection."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from groupops_wecom.crypto import opened
from groupops_wecom.testing import (
    CUT,
    LOST,
    MUTE,
    AiBot,
    Callback,
    FakeWeCom,
    Fault,
    Group,
    WorldError,
    running,
    until,
)
from tests.support.wecom_raw import NOBODY, RawBot, raw_bot
from tests.support.wecom_script import company

Company = tuple[FakeWeCom, AiBot, Group, RawBot]
BUTTONS: dict[str, Any] = {
    "card_type": "button_interaction",
    "main_title": {"title": "打卡"},
    "button_list": [{"text": "到岗", "key": "here"}, {"text": "请假", "key": "away"}],
    "task_id": "task_1",
}
NOTICE: dict[str, Any] = {
    "card_type": "text_notice",
    "main_title": {"title": "已打卡"},
    "card_action": {"type": 1, "url": "https://example.com"},
    "task_id": "task_1",
}


@pytest.fixture
async def there() -> AsyncIterator[Company]:
    """A bot in a group, subscribed."""
    async with running() as wecom:
        bot, group = company(wecom)
        async with raw_bot(wecom, bot) as raw:
            yield wecom, bot, group, raw


async def asked(there: Company, text: str = "在吗") -> str:
    """Let somebody mention the bot; gives the `req_id` it heard it with."""
    wecom, bot, group, raw = there
    await wecom.say("zhangsan", group, f"@{bot.name} {text}")
    return str((await raw.hears())["headers"]["req_id"])


def card(template: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"msgtype": "template_card", "template_card": {**template, **rest}}


# — who is connected —


async def test_a_bot_nobody_knows_and_a_wrong_secret_are_refused(there: Company) -> None:
    wecom, bot, *_ = there
    async with raw_bot(wecom) as stranger:
        assert await stranger.code("aibot_subscribe", {"bot_id": "aib9", "secret": "x"}) == 93019
        assert await stranger.code("aibot_subscribe", {"bot_id": bot.bot_id, "secret": "x"}) == 853000
        assert await stranger.code("ping") == 846609


async def test_a_second_connection_sends_the_first_one_away(there: Company) -> None:
    wecom, bot, _, first = there

    async with raw_bot(wecom, bot) as second:
        told = await first.hears()
        await first.socket.wait_closed()

        assert told["body"]["event"] == {"eventtype": "disconnected_event"}
        assert await second.code("ping") == 0


async def test_a_bot_with_a_callback_url_cannot_subscribe(there: Company) -> None:
    wecom, *_ = there
    other = wecom.world.ai_bot("aib0002", callback=Callback(url="http://127.0.0.1:1/"))
    async with raw_bot(wecom) as raw:
        assert await raw.code("aibot_subscribe", {"bot_id": other.bot_id, "secret": other.secret}) == 93019


async def test_a_subscription_that_was_lost_refuses_everything_until_the_next(there: Company) -> None:
    wecom, bot, _, raw = there

    wecom.link.forget(bot.bot_id)

    assert await raw.code("ping") == 846609
    assert await raw.code("aibot_subscribe", {"bot_id": bot.bot_id, "secret": bot.secret}) == 0
    assert await raw.code("ping") == 0


# — what is heard —


async def test_a_group_is_heard_only_where_it_names_the_bot(there: Company) -> None:
    wecom, bot, group, raw = there

    await wecom.say("zhangsan", group, "没有提到谁")
    await wecom.say("zhangsan", group, f"@{bot.name} 提到了")
    heard = (await raw.hears())["body"]

    assert heard["text"] == {"content": "@小助手 提到了"}
    assert heard | {"chattype": "group", "chatid": "wrAbCdEf0001", "from": {"userid": "zhangsan"}} == heard
    assert raw.heard.empty()


async def test_a_bot_whose_maker_is_no_super_admin_sees_encrypted_ids(there: Company) -> None:
    wecom, bot, _, raw = there
    bot.plain_ids = False

    await wecom.say("lisi", bot, "在吗")
    seen = (await raw.hears())["body"]["from"]["userid"]

    assert seen == wecom.world.people["lisi"].open_userid != "lisi"
    assert await raw.push(seen) == 0
    assert await raw.push("lisi") == 93006


async def test_a_chat_is_opened_once_a_day(there: Company) -> None:
    wecom, bot, _, raw = there

    await wecom.open_chat("lisi", bot)
    await wecom.open_chat("lisi", bot)
    wecom.clock.forward(days=1)
    await wecom.open_chat("lisi", bot)

    first, second = await raw.hears(), await raw.hears()
    assert first["body"]["event"] == second["body"]["event"] == {"eventtype": "enter_chat"}
    assert "chattype" not in first["body"]
    assert raw.heard.empty()


async def test_a_file_can_be_fetched_for_five_minutes_and_is_read_with_its_own_key(there: Company) -> None:
    wecom, bot, _, raw = there
    await wecom.send("lisi", bot, "file", wecom.file("名单.txt", b"zhangsan", bot))
    file = (await raw.hears())["body"]["file"]

    async with httpx.AsyncClient(verify=NOBODY) as client:
        got = await client.get(file["url"])
        wecom.clock.forward(minutes=5, seconds=1)
        late = await client.get(file["url"])

    assert opened(got.content, file["aeskey"]) == b"zhangsan"
    assert got.headers["content-disposition"].endswith("filename*=UTF-8''%E5%90%8D%E5%8D%95.txt")
    assert late.status_code == 403


# — answers —


async def test_a_stream_replaces_what_it_said_until_it_is_finished(there: Company) -> None:
    _, _, group, raw = there
    req_id = await asked(there)

    assert await raw.stream(req_id, "一", finish=False) == 0
    assert await raw.stream(req_id, "二") == 0
    assert await raw.stream(req_id, "三") == 846605

    assert [(one.text, one.finished) for one in group.said[1:]] == [("二", True)]


async def test_a_stream_ends_six_minutes_after_the_message(there: Company) -> None:
    wecom, _, _, raw = there
    req_id = await asked(there)
    await raw.stream(req_id, "一", finish=False)

    wecom.clock.forward(minutes=6)
    on_time = await raw.stream(req_id, "二", finish=False)
    wecom.clock.forward(seconds=1)

    assert on_time == 0
    assert await raw.stream(req_id, "三") == 846608
    assert await raw.stream(req_id, "四", id_="s2") == 846608


async def test_a_message_can_be_answered_for_a_day_and_only_with_its_own_id(there: Company) -> None:
    wecom, _, _, raw = there
    req_id = await asked(there)
    words = {"msgtype": "markdown", "markdown": {"content": "好"}}

    wecom.clock.forward(hours=24)
    on_time = await raw.code("aibot_respond_msg", words, req_id)
    wecom.clock.forward(seconds=1)

    assert on_time == 0
    assert await raw.code("aibot_respond_msg", words, req_id) == 846605
    assert await raw.code("aibot_respond_msg", words, "SRVREQ1") == 846605


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"msgtype": "text", "text": {"content": "x"}}, 40008),
        ({"msgtype": "markdown", "markdown": {"content": ""}}, 44004),
        ({"msgtype": "markdown", "markdown": {"content": "长" * 6827}}, 45002),
        ({"msgtype": "image", "image": {"media_id": "none"}}, 40007),
        ({"msgtype": "stream", "stream": {"finish": True, "content": "x"}}, 40058),
        ({"msgtype": "stream_with_template_card", "stream": {"id": "s"}}, 40058),
        (card(BUTTONS, task_id="a b"), 40058),
        (card(BUTTONS, button_list=[]), 40058),
        (card(BUTTONS, button_list=[{"text": "a", "key": "k"}, {"text": "b", "key": "k"}]), 40058),
        (card(BUTTONS, button_list=[{"type": 1, "text": "a", "url": "https://x.example"}]), 40058),
        (card(NOTICE, card_action={"type": 1}), 40058),
        (card(NOTICE, main_title={}), 40058),
    ],
)
async def test_what_cannot_be_shown_is_refused(there: Company, body: dict[str, Any], code: int) -> None:
    *_, raw = there
    req_id = await asked(there)

    assert await raw.code("aibot_respond_msg", body, req_id) == code


async def test_a_welcome_comes_once_and_within_five_seconds(there: Company) -> None:
    wecom, bot, _, raw = there
    words = {"msgtype": "text", "text": {"content": "您好"}}
    await wecom.open_chat("lisi", bot)
    await wecom.open_chat("zhangsan", bot)
    first, second = (await raw.hears())["headers"]["req_id"], (await raw.hears())["headers"]["req_id"]

    wecom.clock.forward(seconds=5)

    assert await raw.code("aibot_respond_welcome_msg", words, first) == 0
    assert await raw.code("aibot_respond_welcome_msg", words, first) == 846605
    wecom.clock.forward(seconds=1)
    assert await raw.code("aibot_respond_welcome_msg", words, second) == 846605


# — cards —


async def pressed(there: Company, userid: str = "zhangsan") -> str:
    """Let the bot show a card and somebody press it; gives the event's `req_id`."""
    wecom, _, group, raw = there
    await raw.code("aibot_respond_msg", card(BUTTONS), await asked(there))
    await wecom.press(userid, group.said[-1], "here")
    event = await raw.hears()
    told = event["body"]["event"]["template_card_event"]
    assert told == {"card_type": "button_interaction", "event_key": "here", "task_id": "task_1"}
    return str(event["headers"]["req_id"])


async def test_a_card_is_replaced_for_whom_the_bot_names_and_for_everybody_else_it_stays(
    there: Company,
) -> None:
    wecom, _, group, raw = there
    req_id = await pressed(there)
    update = {"response_type": "update_template_card", "template_card": NOTICE, "userids": ["zhangsan"]}

    assert await raw.code("aibot_respond_update_msg", update, req_id) == 0
    assert await raw.code("aibot_respond_update_msg", update, req_id) == 846605

    with pytest.raises(WorldError, match="sees no button"):
        await wecom.press("zhangsan", group.said[-1], "here")
    await wecom.press("lisi", group.said[-1], "away")


async def test_a_card_is_replaced_within_five_seconds_and_keeps_its_task(there: Company) -> None:
    wecom, _, _, raw = there
    req_id = await pressed(there)
    update = {"response_type": "update_template_card", "template_card": NOTICE}
    other = {**update, "template_card": {**NOTICE, "task_id": "task_9"}}

    assert await raw.code("aibot_respond_update_msg", other, req_id) == 40058
    wecom.clock.forward(seconds=6)
    assert await raw.code("aibot_respond_update_msg", update, req_id) == 846605


async def test_a_task_id_is_used_once(there: Company) -> None:
    *_, raw = there
    req_id = await asked(there)

    assert await raw.code("aibot_respond_msg", card(BUTTONS), req_id) == 0
    assert await raw.code("aibot_respond_msg", card(BUTTONS), req_id) == 40058


# — pushes and rates —


async def test_nothing_is_pushed_where_nobody_has_spoken_to_the_bot(there: Company) -> None:
    *_, raw = there

    assert await raw.push("wrAbCdEf0001", chat_type=2) == 93006
    await asked(there)

    assert await raw.push("wrAbCdEf0001", chat_type=2) == 0
    assert await raw.push("wrabcdef0001", chat_type=2) == 93006
    assert await raw.push("wrAbCdEf0001", chat_type=1) == 93006
    assert await raw.push("zhangsan", chat_type=1) == 93006


async def test_answers_and_pushes_together_are_thirty_a_minute_in_a_conversation(there: Company) -> None:
    wecom, bot, _, raw = there
    req_id = await asked(there)
    await wecom.say("lisi", bot, "在吗")

    codes = [await raw.push("wrAbCdEf0001") for _ in range(29)]
    codes += [await raw.stream(req_id), await raw.push("wrAbCdEf0001")]

    assert codes == [0] * 30 + [45009]
    assert await raw.push("lisi") == 0
    wecom.clock.forward(minutes=1)
    assert await raw.push("wrAbCdEf0001") == 0


async def test_answers_and_pushes_together_are_a_thousand_an_hour(there: Company) -> None:
    wecom, _, _, raw = there
    await asked(there)

    done = 0
    for _ in range(40):
        done += [await raw.push("wrAbCdEf0001") for _ in range(30)].count(0)
        wecom.clock.forward(minutes=1)

    assert done == 1000


# — uploads —


def begins(data: bytes, chunks: int, **rest: Any) -> dict[str, Any]:
    return {"type": "file", "filename": "a.bin", "total_size": len(data), "total_chunks": chunks, **rest}


async def test_chunks_come_in_any_order_and_again_and_the_first_is_number_zero(there: Company) -> None:
    wecom, _, _, raw = there
    data = b"0123456789"
    upload = (await raw.asks("aibot_upload_media_init", begins(data, 2)))["body"]["upload_id"]

    def chunk(index: int, part: bytes) -> dict[str, Any]:
        return {
            "upload_id": upload,
            "chunk_index": index,
            "base64_data": base64.b64encode(part).decode(),
        }

    early = await raw.code("aibot_upload_media_finish", {"upload_id": upload})
    codes = [
        await raw.code("aibot_upload_media_chunk", chunk(*one))
        for one in [(1, data[5:]), (0, b"wrong"), (0, data[:5])]
    ]
    beyond = await raw.code("aibot_upload_media_chunk", chunk(2, b"x"))
    done = (await raw.asks("aibot_upload_media_finish", {"upload_id": upload}))["body"]

    assert (early, codes, beyond) == (40058, [0, 0, 0], 40058)
    assert set(done) == {"type", "media_id", "created_at"}
    assert wecom.world.media[done["media_id"]].data == data


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (begins(b"x" * 10, 1, type="poem"), 40004),
        (begins(b"x" * 5, 1), 40006),
        (begins(b"", 1, total_size=(20 << 20) + 1), 40006),
        (begins(b"x" * 10, 101), 40058),
    ],
)
async def test_an_upload_that_cannot_be_is_refused_at_once(
    there: Company, body: dict[str, Any], code: int
) -> None:
    *_, raw = there
    assert await raw.code("aibot_upload_media_init", body) == code


async def test_an_upload_survives_a_new_connection_but_not_half_an_hour(there: Company) -> None:
    wecom, bot, _, raw = there
    upload = (await raw.asks("aibot_upload_media_init", begins(b"123456", 1)))["body"]["upload_id"]
    chunk = {"upload_id": upload, "chunk_index": 0, "base64_data": base64.b64encode(b"123456").decode()}

    async with raw_bot(wecom, bot) as again:
        assert await again.code("aibot_upload_media_chunk", chunk) == 0
        wecom.clock.forward(minutes=30, seconds=1)
        assert await again.code("aibot_upload_media_finish", {"upload_id": upload}) == 40058


# — what can go wrong —


PUSHED = (
    '{"cmd":"aibot_send_msg","headers":{"req_id":"1"},"body":'
    '{"chatid":"wrAbCdEf0001","msgtype":"markdown","markdown":{"content":"说了"}}}'
)


async def test_an_answer_can_be_lost_after_it_was_done(there: Company) -> None:
    wecom, _, group, raw = there
    await asked(there)
    wecom.link.faults.add("aibot_send_msg", LOST)

    await raw.socket.send(PUSHED)
    await raw.socket.wait_closed()

    assert [one.text for one in group.said[1:]] == ["说了"]
    assert raw.acks.empty()


async def test_a_connection_can_break_before_anything_is_done(there: Company) -> None:
    wecom, _, group, raw = there
    await asked(there)
    wecom.link.faults.add("aibot_send_msg", CUT)

    await raw.socket.send(PUSHED)
    await raw.socket.wait_closed()

    assert group.said[1:] == []
    await until(lambda: not wecom.link.connected("aib0001"))


async def test_an_answer_can_fail_to_come(there: Company) -> None:
    wecom, _, group, raw = there
    await asked(there)
    wecom.link.faults.add("aibot_send_msg", MUTE)

    await raw.socket.send(PUSHED)
    await until(lambda: len(group.said) == 2)

    assert raw.acks.empty()


async def test_an_answer_can_come_late_and_others_meanwhile(there: Company) -> None:
    wecom, _, group, raw = there
    await asked(there)
    wecom.link.faults.add("aibot_send_msg", Fault(slow=0.1))

    await raw.socket.send(PUSHED)
    await raw.socket.send('{"cmd":"ping","headers":{"req_id":"2"}}')
    acks = [(await raw.acks.get())["headers"]["req_id"] for _ in range(2)]

    assert acks == ["2", "1"]
    assert [one.text for one in group.said[1:]] == ["说了"]
