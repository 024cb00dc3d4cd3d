"""What a service says to the letter: dialects, nonsense, numbers, streams that end or fall silent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from groupops import MessagePosted, MessageRecalled
from groupops.clock import StoppedClock
from groupops_wechat import session
from groupops_wechat.clockwork import Clockwork
from groupops_wechat.config import Config
from groupops_wechat.dialect import text_field
from groupops_wechat.event import AnnouncedEvent, GroupMessageEvent, MemberJoinedEvent, PrivateMessageEvent
from groupops_wechat.exception import InDoubt, NetworkError
from tests.adapters.wechat.conftest import Line
from tests.support.wechat_rig import serving_stand_in
from tests.support.wechaty_end import ROOM, until
from tests.support.wechaty_standin import HEARTBEAT, MESSAGE, StandIn

JOIN, ANNOUNCE = 19, 32
NOON = 1_741_147_200  # 2025-03-05 12:00 in Shanghai


def place(seq: int) -> bytes:
    """Give `EventResponse.seq` on the wire."""
    return bytes((3 << 3, seq))


async def test_a_dialect_says_which_message_is_answered(stand_in: StandIn) -> None:
    line = Line(stand_in)
    await line.up()

    stand_in.says("li", "同意", beyond=text_field(11, "s0"))

    assert (await line.hears(GroupMessageEvent)).quoted_id == "s0"
    await line.hang_up()


async def test_a_dialect_is_asked_to_go_on_behind_what_was_heard_last(stand_in: StandIn) -> None:
    line = Line(stand_in)
    await line.up()
    stand_in.says("li", "第一句", event_beyond=place(41))
    await line.hears(GroupMessageEvent)

    stand_in.hang_up()
    await until(lambda: len(stand_in.resumed) > 1)

    assert stand_in.resumed == [0, 41]
    await line.hang_up()


async def test_a_dialect_tells_of_an_announcement(stand_in: StandIn) -> None:
    line = Line(stand_in)
    await line.up()

    stand_in.tells(
        ANNOUNCE, {"roomId": ROOM, "changerId": "wang", "newAnnounce": "明天停机", "timestamp": NOON}
    )

    told = await line.hears(AnnouncedEvent)
    assert (told.text, told.operator_id, told.moment) == ("明天停机", "wang", NOON)
    await line.hang_up()


async def test_what_makes_no_sense_is_passed_over(stand_in: StandIn) -> None:
    line = Line(stand_in)
    await line.up()

    for number in (*range(40), 2**31 - 1, -1):
        if number not in (25, 26):
            for payload in (
                "",
                "null",
                "[]",
                "{",
                '"words"',
                '{"messageId": 7}',
                '{"roomId": {"a": 1}}',
                "[" * 9_000,
            ):
                stand_in.tells(number, payload)
    stand_in.says("li", "还在")

    assert str((await line.hears(GroupMessageEvent)).message) == "还在"
    assert line.session.bot is not None
    await line.hang_up()


async def test_times_are_told_in_seconds_whether_they_count_them_or_thousandths(stand_in: StandIn) -> None:
    line = Line(stand_in)
    await line.up()

    for stamp in (NOON, NOON * 1000):
        stand_in.tells(JOIN, {"roomId": ROOM, "inviteeIdList": ["zhao"], "inviterId": "", "timestamp": stamp})
        stand_in.says("li", "几点了", timestamp_deprecated=stamp)

    await line.hears(MemberJoinedEvent, 2)
    await line.hears(GroupMessageEvent, 2)
    assert {one.moment for one in line.ear.of(MemberJoinedEvent)} == {NOON}
    assert {one.moment for one in line.ear.of(GroupMessageEvent)} == {NOON}
    await line.hang_up()


@pytest.mark.parametrize(("numbering", "kind"), [("puppet", "image"), ("proto", "text")])
async def test_a_number_means_what_the_service_counts_by(
    stand_in: StandIn, numbering: str, kind: str
) -> None:
    line = Line(stand_in, numbering=numbering)
    await line.up()

    stand_in.says("li", "是什么", type=6)

    assert (await line.hears(GroupMessageEvent)).kind == kind
    await line.hang_up()


async def test_a_service_that_sends_no_first_heartbeat_is_started_all_the_same(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "HEARTBEAT_WITHIN", 0.1)
    stand_in.greets = stand_in.is_logged_in = False
    line = Line(stand_in)

    await until(lambda: stand_in.asked["Start"])

    assert line.session.bot is None
    await line.hang_up()


async def test_what_came_before_the_stream_ended_is_told(stand_in: StandIn) -> None:
    line = Line(stand_in)
    await line.up()

    for number in range(20):
        stand_in.says("li", f"第 {number} 句")
    stand_in.hang_up()

    await line.hears(GroupMessageEvent, 20)
    assert [str(one.message) for one in line.ear.of(GroupMessageEvent)] == [f"第 {n} 句" for n in range(20)]
    await line.hang_up()


async def test_a_stream_that_falls_silent_is_opened_anew_though_the_service_answers(
    stand_in: StandIn,
) -> None:
    clock = StoppedClock(datetime(2025, 3, 5, tzinfo=UTC))
    config = Config(wechaty_ding_seconds=60)
    line = Line(stand_in, config=config, clock=Clockwork(lambda: clock.now().timestamp(), clock.sleep))
    await line.up()

    await minutes(3, clock, stand_in)
    stand_in.dongs = False
    await minutes(3, clock, stand_in)
    assert len(stand_in.resumed) == 1
    await wind(clock, lambda: line.session.bot is None)
    await wind(clock, lambda: len(stand_in.resumed) == 2, seconds=0.6)

    assert any("stream tells nothing" in note for note in line.ear.notes)
    await line.hang_up()


async def test_a_puppet_that_answers_no_ding_is_left_in_peace(stand_in: StandIn) -> None:
    clock = StoppedClock(datetime(2025, 3, 5, tzinfo=UTC))
    config = Config(wechaty_ding_seconds=60)
    stand_in.dongs = False
    line = Line(stand_in, config=config, clock=Clockwork(lambda: clock.now().timestamp(), clock.sleep))
    await line.up()

    await minutes(60, clock, stand_in)

    assert (len(stand_in.resumed), stand_in.asked["Ding"]) == (1, 60)
    await line.hang_up()


async def test_a_room_keeps_its_order_while_it_is_asked_who_somebody_is() -> None:
    stand_in = StandIn({"li": "李四", "wang": "王五"})
    async with serving_stand_in(stand_in) as served:
        stand_in.slow = 0.3
        first = stand_in.says("li", "说错了")
        stand_in.says("li", first, type=13, id="recall")

        await until(lambda: len(served.told.facts) > 1)
        assert [type(fact) for fact in served.told.take()] == [MessagePosted, MessageRecalled]
        assert stand_in.asked["RoomMemberPayload"] == 1


async def test_a_flood_of_one_person_asks_once_who_that_is() -> None:
    stand_in = StandIn({"li": "李四"})
    async with serving_stand_in(stand_in) as served:
        stand_in.slow = 0.1
        for number in range(100):
            stand_in.says("li", f"第 {number} 句")

        await until(lambda: len(served.told.facts) == 100)
        said = [fact.text for fact in served.told.take() if isinstance(fact, MessagePosted)]
        assert said == [f"第 {number} 句" for number in range(100)]
        assert stand_in.asked["RoomMemberPayload"] <= 8


async def test_a_puppet_that_names_nothing_it_sends_is_understood_by_the_echo(stand_in: StandIn) -> None:
    stand_in.names_what_it_sends = False
    line = Line(stand_in)
    await line.up()

    assert await line.bot.say(ROOM, "第一句") == "echo1"
    assert await line.bot.say(ROOM, "第二句") == "echo2"
    assert line.ear.of(GroupMessageEvent) == []
    await line.hang_up()


async def test_a_call_that_hangs_has_an_end_and_leaves_open_whether_it_was_done(stand_in: StandIn) -> None:
    stand_in.hangs = {"MessageSendText", "RoomMemberList"}
    line = Line(stand_in, config=Config(wechaty_call_seconds=0.3))
    await line.up()

    with pytest.raises(InDoubt):
        await line.bot.say(ROOM, "听得见吗")
    with pytest.raises(NetworkError) as reading:
        await line.bot.members(ROOM)

    assert not isinstance(reading.value, InDoubt)
    await line.hang_up()


async def test_a_service_that_cannot_be_reached_has_done_nothing(stand_in: StandIn) -> None:
    line = Line(stand_in)
    await line.up()
    bot = line.bot
    await stand_in.stop()
    await until(lambda: line.session.bot is None)

    with pytest.raises(NetworkError) as failed:
        await bot.say(ROOM, "听得见吗")

    assert not isinstance(failed.value, InDoubt)
    await line.hang_up()


async def test_a_message_without_words_or_room_is_a_letter(stand_in: StandIn) -> None:
    line = Line(stand_in)
    await line.up()

    stand_in.says("li", "", room_id="", listener_id="bot")
    stand_in.tells(MESSAGE, {"messageId": ""})
    stand_in.tells(HEARTBEAT, {})

    assert (await line.hears(PrivateMessageEvent)).user_id == "li"
    await line.hang_up()


async def minutes(count: int, clock: StoppedClock, stand_in: StandIn) -> None:
    """Let minutes pass, each with its ding."""
    for _ in range(count):
        before = stand_in.asked["Ding"]
        await wind(clock, lambda before=before: stand_in.asked["Ding"] > before)


async def wind(clock: StoppedClock, holds: Callable[[], object], *, seconds: float = 60) -> None:
    """Let time go on until something holds; the answers of a service take a little of the machine's."""
    await until(lambda: clock.next_due is not None)
    clock.advance(timedelta(seconds=seconds))
    await until(holds)
