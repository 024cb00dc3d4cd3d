"""The real Puppet Service over gRPC: what is heard, what is done, and what happens when the line breaks."""

from __future__ import annotations

import pytest

from groupops_wechat.event import (
    GapEvent,
    GroupMessageEvent,
    MemberJoinedEvent,
    MemberLeftEvent,
    PrivateMessageEvent,
    RecalledEvent,
    ScanEvent,
    TopicChangedEvent,
    TroubleEvent,
)
from groupops_wechat.exception import ActionFailed, ApiNotAvailable
from groupops_wechat.message import Message, MessageSegment
from tests.adapters.wechat.conftest import Line
from tests.support.wechaty_end import ME, ROOM, WechatyEnd, until


async def test_over_plain_and_over_tls_words_are_heard_and_answered(end: WechatyEnd) -> None:
    line = Line(end)
    await line.up()

    await end.says("li", "早上好")
    heard = await line.hears(GroupMessageEvent)
    answer = await line.bot.send(heard, "您好")
    await until(end.said)

    assert (heard.room_id, heard.user_id, heard.kind, str(heard.message)) == (ROOM, "li", "text", "早上好")
    assert (heard.to_me, heard.get_session_id()) == (False, f"{ROOM}/li")
    assert [(one["said"], one["to"]) for one in end.said()] == [("您好", ROOM)]
    assert answer == end.said()[0]["id"] != ""
    await line.hang_up()


async def test_what_the_account_itself_says_is_not_heard(line: Line) -> None:
    await line.bot.say(ROOM, "这是我自己说的")
    await line.end.says("li", "这是别人说的")

    await line.hears(GroupMessageEvent)
    assert [str(one.message) for one in line.ear.of(GroupMessageEvent)] == ["这是别人说的"]


async def test_who_calls_the_account_is_heard_without_its_name(line: Line) -> None:
    await line.end.says("li", "@小助手\u2005群规 10", mentions=(ME,))

    heard = await line.hears(GroupMessageEvent)
    assert (heard.to_me, str(heard.message), str(heard.original_message)) == (
        True, "群规 10", "@小助手\u2005群规 10",
    )  # fmt: skip


async def test_a_letter_to_the_account_is_private(line: Line) -> None:
    await line.end.says("wang", "我的台账", to=ME)

    heard = await line.hears(PrivateMessageEvent)
    assert (heard.user_id, heard.is_tome(), str(heard.message)) == ("wang", True, "我的台账")


async def test_who_is_called_is_called_by_the_name_people_see_and_by_id(line: Line) -> None:
    await line.end.do("alias", room=ROOM, who="li", text="生产-李四")

    await line.bot.post(ROOM, Message([MessageSegment.mention("li"), MessageSegment.text("请改群名片")]))

    await until(line.end.said)
    (said,) = line.end.said()
    assert (said["said"], said["mentions"]) == ("@生产-李四\u2005请改群名片", ["li"])


async def test_places_packets_links_and_recalls_are_told_apart(line: Line) -> None:
    await line.end.do(
        "place", **{"from": "li", "to": ROOM}, latitude=31.230416, longitude=121.473701, name="外滩"
    )
    await line.end.do("packet", **{"from": "li", "to": ROOM})
    await line.end.do("link", **{"from": "li", "to": ROOM}, url="https://example.com/a", title="一页")
    await line.end.do("recall", **{"from": "li", "to": ROOM}, message="m1")

    place = (await line.hears(GroupMessageEvent)).message[0]
    packet = await line.hears(GroupMessageEvent, 2)
    link = (await line.hears(GroupMessageEvent, 3)).message[0]
    recalled = await line.hears(RecalledEvent)
    assert (place.type, place.data["latitude"], place.data["longitude"]) == (
        "location",
        31.230416,
        121.473701,
    )
    assert (packet.kind, packet.message[0].type) == ("red_envelope", "red_envelope")
    assert (link.type, link.data["url"]) == ("url", "https://example.com/a")
    assert (recalled.user_id, recalled.recalled_id, recalled.room_id) == ("li", "m1", ROOM)


async def test_each_who_comes_is_an_event_and_so_is_each_who_goes(line: Line) -> None:
    await line.end.do("person", id="zhao", name="赵六")
    await line.end.do("person", id="qian", name="钱七")
    await line.end.do("join", room=ROOM, who=["zhao", "qian"], by="li")
    await line.end.do("leave", room=ROOM, who=["zhao"], by="li")
    await line.end.do("topic", room=ROOM, text="车间二群", by="li")

    left, renamed = await line.hears(MemberLeftEvent), await line.hears(TopicChangedEvent)
    came = [(one.user_id, one.inviter_id) for one in line.ear.of(MemberJoinedEvent)]
    assert came == [("zhao", "li"), ("qian", "li")]
    assert (left.user_id, left.operator_id) == ("zhao", "li")
    assert (renamed.old, renamed.new) == ("车间群", "车间二群")


async def test_members_are_read_with_their_alias_and_a_changed_one_when_asked_anew(line: Line) -> None:
    before = {one.id: one for one in await line.bot.members(ROOM)}
    await line.end.do("alias", room=ROOM, who="li", text="生产-李四")
    after = {one.id: one for one in await line.bot.members(ROOM, anew=True)}

    assert sorted(before) == [ME, "li", "wang"]
    assert (before["li"].alias, before["li"].shown) == ("", "李四")
    assert (after["li"].alias, after["li"].name) == ("生产-李四", "李四")


async def test_the_owner_puts_somebody_out_announces_and_takes_back(line: Line) -> None:
    spoken = await line.bot.say(ROOM, "说错了")

    assert await line.bot.manages(ROOM)
    await line.bot.remove(ROOM, "wang")
    await line.bot.announce(ROOM, "今晚停机")
    await line.bot.recall(spoken)

    left = await line.hears(MemberLeftEvent)
    await until(lambda: len(line.end.seen) > 3)
    assert (left.user_id, left.operator_id) == ("wang", ME)
    assert [one["text"] for one in line.end.seen if one.get("done") == "announced"] == ["今晚停机"]
    assert await line.end.do("recalled") == [spoken]
    assert "wang" not in {one.id for one in await line.bot.members(ROOM)}


async def test_a_puppet_that_fails_says_why_without_its_stack(line: Line) -> None:
    with pytest.raises(ActionFailed, match="not a member") as failed:
        await line.bot.remove(ROOM, "nobody")

    assert "\n" not in str(failed.value)


async def test_a_call_of_a_dialect_is_missing_and_stays_missing(line: Line) -> None:
    with pytest.raises(ApiNotAvailable):
        await line.bot.ask("room_permission", id=ROOM)


@pytest.mark.parametrize("size", [10, 5 * 1024 * 1024])
async def test_files_go_in_one_piece_or_in_many(line: Line, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)

    await line.bot.post(ROOM, Message(MessageSegment.file("周报.pdf", data[:size])))

    await until(line.end.said)
    assert [one["said"] for one in line.end.said()] == ["周报.pdf"]


async def test_what_is_sent_is_fetched_within_a_cap(line: Line) -> None:
    sent = await line.bot.send_file(ROOM, "板.png", b"\x89PNG" + bytes(100_000))

    data = b"".join([chunk async for chunk in line.bot.media(sent, cap=200_000)])
    with pytest.raises(ActionFailed, match="more than"):
        _ = [chunk async for chunk in line.bot.media(sent, cap=1_000)]

    assert (data[:4], len(data)) == (b"\x89PNG", 100_004)


async def test_a_message_told_twice_is_one(line: Line) -> None:
    told = await line.end.says("li", "一遍")
    await line.end.do("emit", event="message", payload={"messageId": told})
    await line.end.says("li", "两遍")

    await line.hears(GroupMessageEvent, 2)
    assert [str(one.message) for one in line.ear.of(GroupMessageEvent)] == ["一遍", "两遍"]


async def test_many_words_at_once_are_heard_in_their_order(line: Line) -> None:
    await line.end.do("burst", **{"from": "li", "to": ROOM}, text="第", times=500)

    await line.hears(GroupMessageEvent, 500)
    assert [str(one.message) for one in line.ear.of(GroupMessageEvent)] == [f"第 {n}" for n in range(500)]


async def test_codes_and_troubles_of_the_puppet_are_told(line: Line) -> None:
    await line.end.do("emit", event="scan", payload={"status": 2, "qrcode": "https://example.com/qr"})
    await line.end.do("emit", event="error", payload={"gerror": '{"message": "坏了\\n at stack"}'})

    scan, trouble = await line.hears(ScanEvent), await line.hears(TroubleEvent)
    assert (scan.status, "example" in repr(scan)) == (2, False)
    assert trouble.why == "坏了"


async def test_after_the_service_was_killed_the_line_comes_back_and_says_that_there_was_a_gap(
    line: Line,
) -> None:
    first = await line.hears(GapEvent)
    await line.end.stop()
    await until(lambda: line.session.bot is None)
    await line.end.start()
    await line.end.furnish({"li": "李四"})
    await line.up()

    again = await line.hears(GapEvent, 2)
    assert (first.why, again.why) == ("connected", "reconnected")
    await line.end.says("li", "我又来了")
    assert str((await line.hears(GroupMessageEvent)).message) == "我又来了"


async def test_a_wrong_token_is_refused_for_good_and_not_told_on(plain_end: WechatyEnd) -> None:
    line = Line(plain_end, token="insecure_wrong-wrong-wrong")

    await until(line.over)
    assert any("does not accept the token" in note for note in line.ear.notes)
    assert not any("wrong-wrong" in note for note in line.ear.notes)


async def test_a_second_reader_is_told_that_the_stream_is_taken(line: Line) -> None:
    second = Line(line.end)

    await until(lambda: any("another program reads" in note for note in second.ear.notes))
    await line.end.says("li", "只有一个听众")
    await line.hears(GroupMessageEvent)
    await second.hang_up()


async def test_an_event_that_cannot_be_told_ends_no_line(line: Line) -> None:
    tell, failed = line.ear.tell, ValueError("makes no sense")

    async def fails(*_: object) -> None:
        line.ear.tell = tell  # type: ignore[method-assign]
        raise failed

    line.ear.tell = fails  # type: ignore[method-assign]
    await line.end.says("li", "第一句")
    await line.end.says("li", "第二句")

    assert str((await line.hears(GroupMessageEvent)).message) == "第二句"
    assert line.session.bot is not None
