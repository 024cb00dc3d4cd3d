"""An AI bot on the long connection comes back by itself, takes everything once, and never speaks twice by mistake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext

import pytest
from websockets.asyncio.client import connect

from groupops_wecom import (
    ActionFailed,
    AiBotCardEvent,
    ApiNotAvailable,
    Bot,
    Connected,
    Disconnected,
    EnterChat,
    Event,
    Feedback,
    GroupMessageEvent,
    InDoubt,
    Message,
    MessageEvent,
    MessageSegment,
    NetworkError,
    PrivateMessageEvent,
    UnknownMessage,
    WindowClosed,
)
from groupops_wecom.event import ChatType
from groupops_wecom.reply import streamed
from groupops_wecom.testing import BUSY, CUT, LOST, MUTE, FakeWeCom, Fault, Group, running, until
from tests.support.wecom_bot import Served, company, link_settings, linked, serving

GROUP = "wrAbCdEf0001"
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


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with linked(wecom_ack_seconds=0.4, wecom_ping_seconds=120) as made:
        yield made


def group(served: Served) -> Group:
    found = served.wecom.world.find("chat", GROUP)
    assert found is not None
    return found


async def asked(served: Served, words: str = "@小助手 在吗") -> MessageEvent:
    """Have 张三 say something in the group; give what was heard of it."""
    before = len(served.heard.of(MessageEvent))
    await served.wecom.say("zhangsan", group(served), words)
    await until(lambda: len(served.heard.of(MessageEvent)) > before)
    return served.heard.of(MessageEvent)[-1]


def texts(served: Served) -> list[str]:
    """What stands in the group of what the bot said."""
    return [said.text for said in group(served).said if said.by == "aib0001"]


# — what is heard —


async def test_a_message_in_a_group_is_heard_without_the_name_it_calls(served: Served) -> None:
    event = await asked(served, "@小助手 今日打卡")

    assert isinstance(event, GroupMessageEvent)
    assert event.get_plaintext() == "今日打卡"
    assert event.original_message.extract_plain_text() == "@小助手 今日打卡"
    assert event.get_session_id() == "wecom_wrAbCdEf0001_zhangsan"
    assert event.is_tome()
    assert event.moment == served.wecom.world.now()


async def test_a_message_in_private_is_heard(served: Served) -> None:
    bot = served.wecom.world.bots["aib0001"]
    await served.wecom.say("lisi", bot, "<b>@小助手</b> [image]")

    event = await served.heard.first(PrivateMessageEvent)

    assert event.get_plaintext() == "<b>@小助手</b> [image]"
    assert event.get_session_id() == "wecom_lisi"


async def test_a_picture_is_fetched_and_decrypted(served: Served) -> None:
    bot, picture = served.wecom.world.bots["aib0001"], bytes(range(256)) * 40
    await served.wecom.send("lisi", bot, "image", served.wecom.file("图.png", picture, bot))
    event = await served.heard.first(PrivateMessageEvent)
    (image,) = event.message["image"]

    found = await served.aibot().download(image.data["url"], image.data["aeskey"])

    assert (found.name, found.data) == ("图.png", picture)


async def test_words_and_pictures_in_one_are_heard_in_their_order(served: Served) -> None:
    items = [
        {"msgtype": "text", "text": {"content": "@小助手 看"}},
        {"msgtype": "image", "image": {"url": "https://example.com/a", "aeskey": "k"}},
    ]
    await served.wecom.send("zhangsan", group(served), "mixed", {"msg_item": items})

    event = await served.heard.first(GroupMessageEvent)

    assert [segment.type for segment in event.message] == ["text", "image"]
    assert event.get_plaintext() == "看"


async def test_a_quote_is_heard_beside_the_message(served: Served) -> None:
    quote = {"msgtype": "text", "text": {"content": "原文"}}
    await served.wecom.say("zhangsan", group(served), "@小助手 这条", quote=quote)

    event = await served.heard.first(GroupMessageEvent)

    assert event.quoted == Message("原文")
    assert event.get_plaintext() == "这条"


async def test_a_message_of_an_unknown_kind_is_told_as_such(served: Served) -> None:
    bot = served.wecom.world.bots["aib0001"]
    await served.wecom.send("lisi", bot, "hologram", {"x": [1]})

    assert (await served.heard.first(UnknownMessage)).msgtype == "hologram"


async def test_control_characters_in_a_frame_break_nothing(served: Served) -> None:
    body = (
        '{"msgid":"M9","aibotid":"aib0001","chattype":"single","from":{"userid":"lisi"},'
        '"msgtype":"text","text":{"content":"a\x01\x0bb\nc"}}'
    )
    await served.wecom.link.raw(
        "aib0001", '{"cmd":"aibot_msg_callback","headers":{"req_id":"R"},"body":' + body + "}"
    )

    assert (await served.heard.first(PrivateMessageEvent)).get_plaintext() == "ab\nc"


@pytest.mark.parametrize(
    "rubbish", ["", "nonsense", "[1,2]", '{"cmd":7}', '{"cmd":"new_thing"}', "{}", "[" * 5000]
)
async def test_a_frame_that_is_none_is_passed_over(served: Served, rubbish: str) -> None:
    await served.wecom.link.raw("aib0001", rubbish)

    assert (await asked(served)).get_plaintext() == "在吗"
    assert served.wecom.link.connections == 1


async def test_a_message_told_twice_is_heard_once(served: Served) -> None:
    await asked(served, "@小助手 一次")
    (anchor,) = served.wecom.bots.anchors.values()
    await served.wecom.link.tell(anchor)
    await asked(served, "@小助手 完")

    assert [event.get_plaintext() for event in served.heard.of(MessageEvent)] == ["一次", "完"]


async def test_an_opened_chat_and_a_rating_are_heard(served: Served) -> None:
    bot = served.wecom.world.bots["aib0001"]
    await served.wecom.open_chat("lisi", bot)
    await served.wecom.rate("lisi", bot, served.wecom.world.people["lisi"], "FB1", 2)

    assert (await served.heard.first(EnterChat)).user_id == "lisi"
    rating = await served.heard.first(Feedback)
    assert (rating.feedback_id, rating.verdict) == ("FB1", 2)


# — what is said —


async def test_an_answer_stands_in_the_group_at_once_and_for_good(served: Served) -> None:
    event = await asked(served)

    await served.aibot().send(event, "在的")

    (said,) = (one for one in group(served).said if one.by == "aib0001")
    assert (said.text, said.finished) == ("在的", True)


async def test_what_a_person_wrote_is_answered_without_becoming_markup(served: Served) -> None:
    event = await asked(served, "@小助手 # 大 *字* <@lisi> [链](http://x)")

    await served.aibot().send(event, event.get_plaintext())

    assert texts(served) == [r"\# 大 \*字\* \<@lisi\> \[链\](http://x)"]


async def test_somebody_is_called_by_name_where_calling_is_not_known_to_work(served: Served) -> None:
    event = await asked(served)

    await served.aibot().send(event, MessageSegment.mention("lisi", "李四") + " 请处理")

    assert texts(served) == ["@李四 请处理"]


async def test_long_words_are_said_in_pieces_in_their_order(served: Served) -> None:
    event = await asked(served)
    words = "".join(f"第{number}行\n" for number in range(2000))

    await served.aibot().send(event, words)

    assert len(texts(served)) == 2
    assert "".join(texts(served)) == words


async def test_words_a_card_and_a_picture_go_one_after_another(served: Served) -> None:
    event = await asked(served)
    picture = MessageSegment.image(data=b"\x89PNG" + bytes(600_000), name="报表.png")

    await served.aibot().send(event, MessageSegment.text("看") + MessageSegment.card(BUTTONS) + picture)

    kinds = [one.kind for one in group(served).said if one.by == "aib0001"]
    assert kinds == ["markdown", "template_card", "image"]
    chunks = served.wecom.link.sent_by_bots("aibot_upload_media_chunk")
    assert [frame["body"]["chunk_index"] for frame in chunks] == [0, 1]


async def test_what_cannot_be_answered_any_more_is_said_anew(served: Served) -> None:
    event = await asked(served)
    served.wecom.bots.anchors.clear()

    await served.aibot().send(event, "迟到的话")

    assert texts(served) == ["迟到的话"]
    assert served.wecom.link.sent_by_bots("aibot_send_msg")[0]["body"]["chat_type"] == 2


async def test_a_message_a_day_old_is_not_answered_but_said_anew(served: Served) -> None:
    event = await asked(served)
    served.wecom.clock.forward(hours=24)

    await served.aibot().send(event, "次日")

    assert served.wecom.link.sent_by_bots("aibot_respond_msg") == []
    assert texts(served) == ["次日"]


@pytest.mark.parametrize(
    ("chat_id", "kind", "number"), [("wrAbCdEf0001", "group", 2), ("zhangsan", "private", 1)]
)
async def test_the_kind_of_chat_is_always_told(
    served: Served, chat_id: str, kind: ChatType, number: int
) -> None:
    await asked(served)
    await served.wecom.say("zhangsan", served.wecom.world.bots["aib0001"], "你好")

    await served.aibot().push(chat_id, kind, "提醒")

    (frame,) = served.wecom.link.sent_by_bots("aibot_send_msg")
    assert (frame["body"]["chatid"], frame["body"]["chat_type"]) == (chat_id, number)


async def test_what_wecom_refuses_is_told_with_its_number(served: Served) -> None:
    with pytest.raises(ActionFailed) as refused:
        await served.aibot().push("nowhere", "group", "在吗")

    assert refused.value.errcode == 93006


async def test_a_welcome_is_said_in_time_and_not_late(served: Served) -> None:
    await served.wecom.open_chat("lisi", served.wecom.world.bots["aib0001"])
    event = await served.heard.first(EnterChat)

    await served.aibot().welcome(event, "您好 <a")
    served.wecom.clock.forward(seconds=5)
    with pytest.raises(WindowClosed):
        await served.aibot().welcome(event, "又来了")

    assert [said.text for said in served.wecom.world.people["lisi"].inbox] == ["您好 <\u200ba"]


async def test_who_opens_the_chat_is_answered_by_a_welcome_and_then_by_what_is_said_anew(
    served: Served,
) -> None:
    far = served.wecom.world.bots["aib0001"]
    await served.wecom.say("lisi", far, "先说过话")
    await served.wecom.open_chat("lisi", far)
    event = await served.heard.first(EnterChat)

    await served.aibot().send(event, "您好")
    await served.aibot().send(event, "还有")
    await served.aibot().send(event, "长" * 1000)

    sent = [
        len(served.wecom.link.sent_by_bots(cmd)) for cmd in ("aibot_respond_welcome_msg", "aibot_send_msg")
    ]
    assert [said.text for said in served.wecom.world.people["lisi"].inbox] == ["您好", "还有", "长" * 1000]
    assert sent == [2, 2]


async def test_a_welcome_that_does_not_fit_is_refused_before_it_goes(served: Served) -> None:
    await served.wecom.open_chat("lisi", served.wecom.world.bots["aib0001"])
    event = await served.heard.first(EnterChat)

    with pytest.raises(ApiNotAvailable, match="2048 bytes"):
        await served.aibot().welcome(event, "长" * 1000)


async def test_a_pressed_card_is_replaced_for_who_pressed(served: Served) -> None:
    await served.aibot().send(await asked(served), MessageSegment.card(BUTTONS))
    (card,) = (said.card for said in group(served).said if said.card is not None)
    await served.wecom.press("lisi", card, "yes")
    press = await served.heard.first(AiBotCardEvent)

    await served.aibot().update_card(press, NOTICE, ["lisi"])

    assert (press.user_id, press.event_key, press.task_id) == ("lisi", "yes", "rules_1")
    assert card.seen_by("lisi")["main_title"]["title"] == "已确认"
    assert card.seen_by("zhangsan") == BUTTONS


async def test_a_card_pressed_five_seconds_ago_is_left_as_it_is(served: Served) -> None:
    await served.aibot().send(await asked(served), MessageSegment.card(BUTTONS))
    (card,) = (said.card for said in group(served).said if said.card is not None)
    await served.wecom.press("lisi", card, "yes")
    press = await served.heard.first(AiBotCardEvent)
    served.wecom.clock.forward(seconds=5)

    with pytest.raises(WindowClosed):
        await served.aibot().update_card(press, NOTICE)

    assert served.wecom.link.sent_by_bots("aibot_respond_update_msg") == []


# — streams —


async def test_a_stream_grows_and_is_finished(served: Served) -> None:
    stream = served.aibot().stream(await asked(served), feedback="FB7")

    await stream.show("查询中")
    await stream.show("查询中……")
    await stream.finish("**完成**")

    (said,) = (one for one in group(served).said if one.by == "aib0001")
    frames = served.wecom.link.sent_by_bots("aibot_respond_msg")
    assert (said.text, said.finished) == ("**完成**", True)
    assert ["feedback" in frame["body"]["stream"] for frame in frames] == [True, False, False]


async def test_a_stream_nobody_finishes_is_finished_in_time(served: Served) -> None:
    await served.aibot().stream(await asked(served)).show("处理中")

    (said,) = (one for one in group(served).said if one.by == "aib0001")
    await until(lambda: said.finished)
    assert said.text == "处理中"


async def test_the_end_of_a_stream_that_is_too_old_is_said_anew(served: Served) -> None:
    stream = served.aibot().stream(await asked(served))
    await stream.show("处理中")
    served.wecom.clock.forward(minutes=6)

    await stream.finish("结果")

    assert texts(served) == ["处理中", "结果"]


async def test_a_stream_wecom_calls_expired_is_said_anew(served: Served) -> None:
    stream = served.aibot().stream(await asked(served))
    await stream.show("处理中")
    served.wecom.link.faults.add("aibot_respond_msg", Fault(errcode=846608))

    await stream.finish("结果")

    assert texts(served) == ["处理中", "结果"]


# — what goes wrong —


async def test_answers_to_one_message_go_one_after_another(served: Served) -> None:
    event = await asked(served)
    served.wecom.link.faults.add("aibot_respond_msg", Fault(slow=0.1))

    await asyncio.gather(*(served.aibot().send(event, f"第{number}句") for number in range(5)))

    assert texts(served) == [f"第{number}句" for number in range(5)]


async def test_an_answer_that_is_lost_with_the_connection_is_in_doubt(served: Served) -> None:
    event = await asked(served)
    served.wecom.link.faults.add("aibot_respond_msg", LOST)

    with pytest.raises(InDoubt):
        await served.aibot().send(event, "说过没有")

    await until(lambda: served.aibot().link.state.connected)
    assert texts(served) == ["说过没有"]


async def test_a_command_that_is_never_answered_is_in_doubt(served: Served) -> None:
    event = await asked(served)
    served.wecom.link.faults.add("aibot_respond_msg", MUTE)

    with pytest.raises(InDoubt, match=r"0\.4 seconds"):
        await served.aibot().send(event, "说过没有")


async def test_while_an_answer_is_missing_the_next_is_said_in_a_way_of_its_own(served: Served) -> None:
    event = await asked(served)
    served.wecom.link.faults.add("aibot_respond_msg", Fault(errcode=40058, slow=0.6))
    with pytest.raises(InDoubt):
        await served.aibot().send(event, "慢")

    await served.aibot().send(event, "快")

    assert texts(served) == ["快"]
    assert len(served.wecom.link.sent_by_bots("aibot_send_msg")) == 1


@pytest.mark.parametrize(("late", "said"), [(0, "both were done"), (40058, "cannot be told apart")])
async def test_a_late_answer_is_not_taken_for_the_next_one(served: Served, late: int, said: str) -> None:
    event = await asked(served)
    served.wecom.link.faults.add("aibot_respond_msg", Fault(errcode=late, slow=0.6))
    with pytest.raises(InDoubt):
        await served.aibot().call("aibot_respond_msg", streamed("慢"), event.req_id)

    with pytest.raises(InDoubt, match=said) if late else nullcontext():
        await served.aibot().call("aibot_respond_msg", streamed("快"), event.req_id)

    assert texts(served) == (["快"] if late else ["慢", "快"])
    await served.aibot().call("aibot_respond_msg", streamed("完"), event.req_id)


async def test_what_is_said_while_nobody_is_connected_was_certainly_not_said(served: Served) -> None:
    event = await asked(served)
    served.wecom.link.faults.add("aibot_subscribe", *[Fault(errcode=853000)] * 3)
    served.wecom.link.cut("aib0001")
    await until(lambda: not served.aibot().link.state.connected)

    with pytest.raises(NetworkError) as error:
        await served.aibot().send(event, "喂")

    assert not isinstance(error.value, InDoubt)


@pytest.mark.parametrize("code", [1000, 1011])
async def test_a_closed_connection_is_made_again(served: Served, code: int) -> None:
    await served.wecom.link.drop("aib0001", code)

    await until(lambda: served.wecom.link.connections == 2 and served.wecom.link.connected("aib0001"))
    assert (await asked(served, "@小助手 又来了")).get_plaintext() == "又来了"
    assert len(served.heard.of(Connected)) == 2
    assert len(served.heard.of(Disconnected)) == 1


async def test_a_connection_on_which_heartbeats_go_unanswered_is_made_again() -> None:
    async with linked(wecom_ping_seconds=30) as served:
        served.wecom.link.answers_pings = False
        await until(lambda: served.wecom.link.connections == 2)
        served.wecom.link.answers_pings = True

        assert len(served.wecom.link.sent_by_bots("ping")) >= 2
        assert (await served.heard.first(Disconnected)).note == "no answer to heartbeats"
        await until(lambda: served.aibot().link.state.connected)


async def test_a_subscription_wecom_lost_is_made_again(served: Served) -> None:
    await asked(served)
    served.wecom.link.forget("aib0001")

    with pytest.raises(NetworkError) as error:
        await served.aibot().push(GROUP, "group", "在吗")

    assert not isinstance(error.value, InDoubt)
    await until(lambda: served.wecom.link.connections == 2 and served.aibot().link.state.connected)


async def test_a_bot_taken_over_by_another_connection_stays_away(served: Served) -> None:
    bot = served.wecom.world.bots["aib0001"]
    async with connect(served.wecom.link.url) as other:
        body = f'{{"bot_id":"{bot.bot_id}","secret":"{bot.secret}"}}'
        await other.send('{"cmd":"aibot_subscribe","headers":{"req_id":"x"},"body":' + body + "}")
        await until(lambda: served.aibot().link.state.final)
        for _ in range(20):
            await asyncio.sleep(0.005)

    assert served.wecom.link.connections == 2
    assert "another connection" in served.aibot().link.state.note
    assert served.heard.of(Disconnected)[0].final
    assert "aib0001" not in served.adapter.bots


async def test_a_bot_whose_secret_is_wrong_gives_up_and_says_why() -> None:
    async with running(FakeWeCom()) as wecom:
        bot = company(wecom)
        settings = {"wecom_aibots": [{"bot_id": bot.bot_id, "secret": "wrong"}], "wecom_subscribe_tries": 3}
        async with serving(wecom, settings) as served:
            await until(lambda: served.aibot().link.state.final)

            assert wecom.link.connections == 3
            assert "853000" in served.aibot().link.state.note
            assert "check bot_id and secret" in served.aibot().link.state.note
            assert "wrong" not in served.aibot().link.state.note


async def test_a_refused_upload_is_told_and_a_lost_piece_is_put_up_again(served: Served) -> None:
    served.wecom.link.faults.add("aibot_upload_media_chunk", MUTE)

    media_id = await served.aibot().upload("file", "a.bin", bytes(600_000))
    served.wecom.link.faults.add("aibot_upload_media_init", BUSY)
    with pytest.raises(ActionFailed):
        await served.aibot().upload("file", "a.bin", bytes(600))

    assert served.wecom.world.media[media_id].data == bytes(600_000)
    assert len(served.wecom.link.sent_by_bots("aibot_upload_media_chunk")) == 3


async def test_a_connection_cut_at_any_frame_comes_back_and_loses_nothing(served: Served) -> None:
    for cmd in ("aibot_respond_msg", "ping", "aibot_subscribe"):
        served.wecom.link.faults.add(cmd, CUT)
    event = await asked(served)
    with pytest.raises(InDoubt):
        await served.aibot().send(event, "丢了")
    await until(lambda: served.wecom.link.connections >= 3 and served.aibot().link.state.connected)

    await served.aibot().send(await asked(served, "@小助手 再来"), "在")

    assert texts(served) == ["在"]


async def test_two_bots_have_two_connections() -> None:
    async with running(FakeWeCom()) as wecom:
        first, second = company(wecom), wecom.world.ai_bot("aib0002", "other-secret", "另一个")
        async with serving(wecom, link_settings(first, second)) as served:
            await until(lambda: len(served.adapter.bots) == 2)

            assert sorted(served.adapter.bots) == ["aib0001", "aib0002"]


async def test_what_a_handler_raises_stops_nobody_else(served: Served) -> None:
    async def stumble(bot: Bot, event: Event) -> None:
        if isinstance(event, MessageEvent) and "坏" in event.get_plaintext():
            raise RuntimeError("stumbled")

    served.heard.do = stumble

    await asked(served, "@小助手 坏")

    assert (await asked(served, "@小助手 好")).get_plaintext() == "好"
