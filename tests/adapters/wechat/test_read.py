"""From a puppet's events to facts: pure, and whatever a puppet may say is read or passed over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import (
    Card,
    CommandGiven,
    Event,
    File,
    Image,
    Link,
    LocationShared,
    Mention,
    MessagePosted,
    MessageRecalled,
    Quote,
    RedPacketSent,
    Text,
    Voice,
)
from groupops_wechat.bot import RoomMember
from groupops_wechat.dialect import LAST_ACCOUNT, LAST_SEQ, number_of, resuming, text_field, text_of
from groupops_wechat.event import MessageEvent, RecalledEvent
from groupops_wechat.kinds import EVENTS, MESSAGES
from groupops_wechat.message import Message, MessageSegment, pieces, without_name, written
from groupops_wechat.read import Sight, read
from groupops_wechat.told import message_of, notices, payload_of, recalled_id
from groupops_wechat.wire.puppet import event_pb2, message_pb2

NOW = datetime(2025, 3, 5, 4, tzinfo=UTC)
ME, ROOM = "bot", "1@chatroom"
NUMBER = {kind: number for number, kind in enumerate(MESSAGES["puppet"])}

PACKET = "<msg><appmsg><title>微信红包</title><type>2001</type><wcpayinfo/></appmsg></msg>"
PIN = '<msg><location x="31.2304" y="121.4737" scale="16" label="黄浦区" poiname="人民广场"/></msg>'
RECALL = "1@chatroom:\n<sysmsg type='revokemsg'><revokemsg><msgid>11</msgid><newmsgid>22</newmsgid></revokemsg></sysmsg>"


def told(
    kind: str, text: str = "", *, extra: Message | None = None, **more: Any
) -> MessageEvent | RecalledEvent:
    fields = {"room_id": ROOM, **more}
    said = message_pb2.MessagePayloadResponse(
        id="m1",
        talker_id="li",
        type=NUMBER[kind],
        text=text,
        timestamp_deprecated=1_741_147_200_000,
        **fields,
    )
    return message_of(said, me=ME, names=("小助手",), numbering="puppet", now=NOW.timestamp(), extra=extra)


def facts(event: MessageEvent | RecalledEvent, **sight: Any) -> list[Event]:
    members = {
        "li": RoomMember(id="li", alias="生产-李四", name="李四"),
        "wang": RoomMember(id="wang", name="王五"),
    }
    return list(read(event, Sight(me=ME, now=NOW, member=members.get, **sight)))


def only(event: MessageEvent | RecalledEvent, **sight: Any) -> Any:
    (fact,) = facts(event, **sight)
    return fact


def test_words_are_said_by_somebody_under_the_rooms_own_name() -> None:
    fact = only(told("text", "早上好"))

    assert isinstance(fact, MessagePosted)
    assert (fact.text, fact.account, fact.card, fact.name) == ("早上好", "wechat:li", "生产-李四", "李四")
    assert (fact.at, fact.received_at) == (NOW, None)


def test_what_comes_late_says_when_it_came() -> None:
    later = NOW + timedelta(minutes=5)
    (fact,) = read(told("text", "早"), Sight(me=ME, now=later))

    assert (fact.at, fact.received_at) == (NOW, later)


def test_who_is_called_is_called_where_the_name_stands() -> None:
    fact = only(told("text", "请 @王五\u2005 看一下", mention_ids=["wang"]))

    assert [type(one) for one in fact.segments] == [Text, Mention, Text]
    assert fact.segments[1].account == "wechat:wang"


def test_whoever_is_called_unseen_is_called_all_the_same() -> None:
    fact = only(told("text", "看一下", mention_ids=["zhao"]))

    assert [one.account for one in fact.segments if isinstance(one, Mention)] == ["wechat:zhao"]
    assert fact.text == "看一下"


def test_an_answer_quotes_what_it_answers() -> None:
    said = message_pb2.MessagePayloadResponse(id="m2", talker_id="li", room_id=ROOM, type=7, text="同意")
    said.MergeFromString(text_field(11, "m1"))
    event = message_of(said, me=ME, names=(), numbering="puppet", now=NOW.timestamp())

    fact = only(event, authors=lambda _: ("wechat:wang", "明天停机"))
    assert fact.segments[0] == Quote(message_id="m1", account="wechat:wang", text="明天停机")


def test_a_place_is_where_the_puppet_says_or_else_where_the_client_wrote() -> None:
    asked = Message(MessageSegment.location(31.2, 121.5, "仓库"))
    by_puppet, by_client = only(told("location", PIN, extra=asked)), only(told("location", PIN))

    assert isinstance(by_puppet, LocationShared)
    assert (by_puppet.location.latitude, by_puppet.location.label) == (31.2, "仓库")
    assert (by_client.location.latitude, by_client.location.longitude) == (31.2304, 121.4737)
    assert by_client.location.crs == "gcj02"


@pytest.mark.parametrize("event", [told("red_envelope"), told("unknown", PACKET), told("attachment", PACKET)])
def test_a_red_packet_is_seen_by_its_kind_or_by_what_the_client_wrote(event: MessageEvent) -> None:
    fact = only(event)

    assert isinstance(fact, RedPacketSent)
    assert (fact.account, fact.red_packet.amount_fen) == ("wechat:li", None)


@pytest.mark.parametrize("text", ["m7", "li:\nm7", RECALL.replace("22", "7").replace("11", "8")])
def test_a_recall_says_which_message_it_took_back(text: str) -> None:
    fact = only(told("recalled", text))

    assert isinstance(fact, MessageRecalled)
    assert fact.message_id in ("m7", "7")


def test_a_recall_of_nobody_knows_what_is_no_fact() -> None:
    assert facts(told("recalled", "<sysmsg/>")) == []


@pytest.mark.parametrize(
    ("kind", "part"),
    [("image", Image), ("emoticon", Image), ("audio", Voice), ("video", File), ("attachment", File), ("transfer", Card),
     ("mini_program", Card), ("chat_history", Card), ("contact", Card), ("channel", Card)],
)  # fmt: skip
def test_each_kind_is_a_part_of_its_own(kind: str, part: type[Any]) -> None:
    (segment,) = only(told(kind)).segments

    assert isinstance(segment, part)


def test_a_shared_page_is_a_link() -> None:
    page = Message(MessageSegment.link("https://example.com/a", "一页"))

    assert only(told("url", extra=page)).segments == (Link(url="https://example.com/a", title="一页"),)


def test_a_letter_is_a_command_where_its_writer_is_known_and_nothing_elsewhere() -> None:
    letter = told("text", "/批准 12 属实", room_id="")
    fact = only(letter, home=lambda _: ROOM)

    assert isinstance(fact, CommandGiven)
    assert (fact.name, fact.args, fact.private, fact.group_id) == (
        "批准",
        ("12", "属实"),
        True,
        f"wechat:{ROOM}",
    )
    assert facts(letter) == []


# — whatever comes —

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "roomId", "inviteeIdList", "inviterId", "removeeIdList", "removerId", "timestamp", "oldTopic", "newTopic",
    "changerId", "newAnnounce", "roomInvitationId", "friendshipId", "status", "qrcode", "payloadType", "payloadId",
    "gerror", "data",
)  # fmt: skip


@given(st.sampled_from(sorted({*EVENTS.values(), ""})), st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_whatever_an_event_holds_it_is_told_or_passed_over(kind: str, payload: dict[str, Any]) -> None:
    for event in notices(kind, payload, ME, NOW.timestamp()):
        assert list(read(event, Sight(me=ME, now=NOW))) is not None
        assert event.moment >= 0


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "replace")))
def test_whatever_a_payload_is_it_is_a_table(text: str) -> None:
    assert isinstance(payload_of(text), dict)


@given(
    st.integers(0, 40), st.text(max_size=200), st.lists(st.text(max_size=8), max_size=3), st.booleans(),
    st.integers(0, 2**64 - 1), st.sampled_from(("puppet", "proto")),
)  # fmt: skip
def test_whatever_a_message_is_it_is_read_or_passed_over(
    number: int, text: str, mentions: list[str], in_room: bool, stamp: int, numbering: str
) -> None:
    said = message_pb2.MessagePayloadResponse(
        id="m1", talker_id="li", type=number, text=text, mention_ids=mentions, timestamp_deprecated=stamp,  # type: ignore[arg-type]
        room_id=ROOM if in_room else "",
    )  # fmt: skip
    event = message_of(said, me=ME, names=("小助手",), numbering=numbering, now=NOW.timestamp())

    for fact in facts(event, home=lambda _: ROOM):
        assert fact.group_id == f"wechat:{ROOM}"
        assert fact.at <= NOW


@given(st.text(max_size=300))
def test_a_recall_names_a_short_id_or_none(text: str) -> None:
    assert len(recalled_id(text)) <= 256


@given(st.text(max_size=9_000), st.integers(1, 50))
def test_a_long_text_is_parted_and_nothing_of_it_is_lost(text: str, longest: int) -> None:
    parts = list(pieces(text, longest))

    assert all(0 < len(part) <= longest for part in parts)
    assert text.startswith("".join(parts))
    assert text[len("".join(parts)) :].strip() == ""


@given(st.text(max_size=20), st.text(max_size=40))
def test_a_name_that_is_called_first_is_taken_off_once(name: str, text: str) -> None:
    said, called = written(Message([MessageSegment.mention("bot", name), MessageSegment.text(text)]), {})

    assert called == ("bot",)
    if name and not name.isspace():
        assert without_name(said, [name]) == text.lstrip()


@given(st.integers(0, 2**31 - 1), st.text(max_size=60))
def test_a_place_in_line_is_said_as_it_is_read(seq: int, account: str) -> None:
    asked = event_pb2.EventRequest.FromString(resuming(seq, account))

    assert number_of(asked, LAST_SEQ) == seq
    assert text_of(asked, LAST_ACCOUNT) == (account if seq else "")
