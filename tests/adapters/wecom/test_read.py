"""Everything WeCom tells live becomes the right facts, of the right person in the right group, or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import (
    ChoiceMade,
    CommandGiven,
    Image,
    LocationShared,
    MemberJoined,
    MemberLeft,
    MessagePosted,
    Quote,
    Role,
    Text,
)
from groupops_wecom.aibot_events import Frame, aibot_event
from groupops_wecom.app_events import app_event
from groupops_wecom.buttons import Press, key_of
from groupops_wecom.read import Sight, listed_appchat, listed_archive, listed_customer, read

NOW = datetime(2025, 3, 3, 2, tzinfo=UTC)
AT = int(NOW.timestamp())
ROOMS = {"wrCHAT": "duty01"}
SIGHT = Sight(
    now=NOW,
    room=lambda id_: ROOMS.get(id_, id_),
    home=lambda user: "duty01" if user == "lisi" else "",
    called=lambda user: {"lisi": "李四"}.get(user, ""),
)
GROUP = "wecom:duty01"
FRAME = Frame(self_id="aib1", name="小助手", now=float(AT), req_id="R1")


def bot_told(sight: Sight = SIGHT, **more: Any) -> tuple[Any, ...]:
    body = {
        "msgid": "M1",
        "aibotid": "aib1",
        "chatid": "wrCHAT",
        "chattype": "group",
        "from": {"userid": "lisi"},
        "msgtype": "text",
        "text": {"content": "@小助手 今日打卡"},
    }
    return read(aibot_event({**body, **more}, FRAME), sight)


def app_told(sight: Sight = SIGHT, **more: Any) -> tuple[Any, ...]:
    raw = {"FromUserName": "lisi", "CreateTime": str(AT), "MsgType": "event", "MsgId": "7", "AgentID": "1"}
    return read(app_event({**raw, **more}, "ww1:1", float(AT)), sight)


def test_what_is_said_to_an_ai_bot_is_a_message_without_its_name() -> None:
    (fact,) = bot_told()

    assert isinstance(fact, MessagePosted)
    assert (fact.group_id, fact.account, fact.name, fact.text) == (GROUP, "wecom:lisi", "李四", "今日打卡")
    assert fact.to_bot
    assert fact.role is Role.UNKNOWN
    assert fact.at == NOW


def test_a_quoted_text_is_its_author_s_and_nobody_is_named_as_that() -> None:
    (fact,) = bot_told(quote={"msgtype": "text", "text": {"content": "原文"}})

    assert isinstance(fact, MessagePosted)
    assert fact.segments[0] == Quote(message_id="", text="原文")
    assert fact.text == "今日打卡"


def test_words_and_a_picture_are_two_segments() -> None:
    items = [
        {"msgtype": "text", "text": {"content": "@小助手 看"}},
        {"msgtype": "image", "image": {"url": "https://a/b", "aeskey": "k"}},
    ]

    (fact,) = bot_told(msgtype="mixed", mixed={"msg_item": items})

    assert isinstance(fact, MessagePosted)
    assert isinstance(fact.segments[0], Text)
    assert isinstance(fact.segments[1], Image)
    assert "k" not in fact.segments[1].media.id


def test_who_cannot_be_told_by_a_plain_id_is_nobody_who_could_be_sanctioned() -> None:
    (fact,) = bot_told(replace(SIGHT, plain=lambda _: None))

    assert fact.account == ""


def test_what_is_said_to_a_bot_alone_is_a_command_in_the_group_one_belongs_to() -> None:
    (fact,) = bot_told(chattype="single", chatid="", text={"content": "/申诉 12 不是我"})

    assert isinstance(fact, CommandGiven)
    assert (fact.group_id, fact.name, fact.args, fact.private) == (GROUP, "申诉", ("12", "不是我"), True)


def test_what_somebody_of_no_group_says_is_nothing() -> None:
    assert bot_told(chattype="single", chatid="", **{"from": {"userid": "stranger"}}) == ()
    assert app_told(MsgType="text", Content="帮助", FromUserName="stranger") == ()


@pytest.mark.parametrize(
    "more",
    [
        {"MsgType": "location", "Location_X": "31.2304", "Location_Y": "121.4737", "Label": "人民广场"},
        {"Event": "LOCATION", "Latitude": "31.2304", "Longitude": "121.4737", "Precision": "30"},
        {
            "Event": "location_select",
            "EventKey": "k",
            "SendLocationInfo": {
                "Location_X": "31.2304",
                "Location_Y": "121.4737",
                "Label": "人民广场",
                "Poiname": "",
            },
        },
    ],
    ids=["a message", "a report", "a menu"],
)
def test_a_place_shown_to_the_app_is_private_and_in_gcj02(more: dict[str, Any]) -> None:
    (fact,) = app_told(**more)

    assert isinstance(fact, LocationShared)
    assert fact.private
    assert (fact.location.latitude, fact.location.longitude) == (31.2304, 121.4737)
    assert fact.location.crs == "gcj02"


def test_a_report_of_places_counts_only_where_the_operator_lets_it() -> None:
    quiet = replace(SIGHT, reports=False)

    assert app_told(quiet, Event="LOCATION", Latitude="31.2", Longitude="121.4") == ()


def test_a_place_nowhere_is_none() -> None:
    assert app_told(MsgType="location", Location_X="0", Location_Y="0") == ()
    assert app_told(MsgType="location", Location_X="91", Location_Y="10") == ()


def test_a_press_is_whose_wecom_says_it_is_on_the_subject_its_button_names() -> None:
    key = key_of(Press(subject="case:12", word="批准", room="duty01"))

    (fact,) = app_told(Event="template_card_event", EventKey=key, TaskId="t", CardType="button_interaction")

    assert isinstance(fact, ChoiceMade)
    assert (fact.account, fact.group_id, fact.subject, fact.word) == (
        "wecom:lisi",
        GROUP,
        "case:12",
        "批准",
    )


def test_a_press_in_a_group_counts_there_whatever_the_button_says() -> None:
    key = key_of(Press(subject="case:12", word="批准", room="elsewhere"))
    pressed = {"eventtype": "template_card_event", "template_card_event": {"event_key": key, "task_id": "t"}}

    (fact,) = bot_told(msgtype="event", event=pressed)

    assert fact.group_id == GROUP


def test_a_button_of_somebody_else_s_is_none_of_ours() -> None:
    assert app_told(Event="template_card_event", EventKey="checkin_ok", TaskId="t") == ()


def test_the_same_event_told_again_is_the_same_fact() -> None:
    assert [fact.id for fact in bot_told()] == [fact.id for fact in bot_told()]


def customer(detail: str, scene: str, number: str) -> tuple[Any, ...]:
    return app_told(
        FromUserName="sys",
        Event="change_external_chat",
        ChatId="wrCUST",
        ChangeType="update",
        UpdateDetail=detail,
        MemChangeCnt="2",
        MemChangeList={"Item": ["lisi", "wmEXT1"]},
        **{scene: number},
    )


@pytest.mark.parametrize(("scene", "how"), [("0", "invite"), ("3", "qr"), ("9", "unknown")])
def test_everybody_who_came_into_a_customer_group_is_told_of(scene: str, how: str) -> None:
    facts = customer("add_member", "JoinScene", scene)

    assert all(isinstance(fact, MemberJoined) for fact in facts)
    assert [(fact.account, fact.how) for fact in facts] == [("wecom:lisi", how), ("wecom:wmEXT1", how)]
    assert facts[0].name == "李四"


@pytest.mark.parametrize(("scene", "how"), [("0", "left"), ("1", "removed")])
def test_everybody_who_is_gone_from_a_customer_group_is_told_of(scene: str, how: str) -> None:
    facts = customer("del_member", "QuitScene", scene)

    assert all(isinstance(fact, MemberLeft) for fact in facts)
    assert {fact.how for fact in facts} == {how}


@pytest.mark.parametrize(
    "more",
    [
        {"Event": "subscribe"},
        {"Event": "enter_agent", "EventKey": ""},
        {"Event": "click", "EventKey": "k"},
        {"Event": "change_contact", "ChangeType": "create_user", "UserID": "lisi"},
        {"Event": "msgaudit_notify"},
        {"Event": "something_new"},
        {"MsgType": "image", "MediaId": "m"},
        {"MsgType": "something_new"},
    ],
)
def test_what_is_nobody_s_fact_is_none(more: dict[str, Any]) -> None:
    assert app_told(**more) == ()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            "msgid chatid chattype from msgtype text mixed event quote image voice create_time".split()
        ),
        ANYTHING,
    )
)
def test_whatever_an_ai_bot_is_told_breaks_nothing(body: dict[str, Any]) -> None:
    assert isinstance(read(aibot_event(body, FRAME), SIGHT), tuple)


@given(
    st.dictionaries(
        st.sampled_from(
            "MsgType Event ChangeType UpdateDetail ChatId MemChangeList FromUserName Location_X Location_Y "
            "CreateTime EventKey SendLocationInfo Content".split()
        ),
        ANYTHING,
    )
)
def test_whatever_an_app_is_told_breaks_nothing(raw: dict[str, Any]) -> None:
    assert isinstance(read(app_event(raw, "ww1:1", float(AT)), SIGHT), tuple)


def nobody(_: str) -> str:
    return ""


def test_a_list_of_an_app_s_group_knows_its_owner_and_no_other_role() -> None:
    lines = listed_appchat({"owner": "zhang", "userlist": ["zhang", "li", "li", ""]}, nobody)

    assert [(line.account, line.role) for line in lines] == [
        ("wecom:zhang", Role.OWNER),
        ("wecom:li", Role.UNKNOWN),
    ]


def test_a_list_of_a_customer_group_knows_roles_cards_and_since_when() -> None:
    group = {
        "owner": "zhang",
        "admin_list": [{"userid": "li"}],
        "member_list": [
            {"userid": "zhang", "type": 1, "join_time": AT},
            {"userid": "li", "type": 1, "join_time": AT, "group_nickname": "业务部-李"},
            {"userid": "wmEXT", "type": 2, "join_time": AT, "name": "客户甲"},
            {"type": 2},
        ],
    }

    lines = listed_customer(group, nobody)

    assert [line.role for line in lines] == [Role.OWNER, Role.ADMIN, Role.MEMBER]
    assert (lines[1].card, lines[2].name, lines[0].joined_at) == ("业务部-李", "客户甲", NOW)


def test_a_list_of_the_archive_leaves_robots_out_and_knows_no_roles() -> None:
    room = {"members": [{"memberid": "li", "jointime": AT}, {"memberid": "wbROBOT", "jointime": AT}]}

    lines = listed_archive(room, nobody)

    assert [(line.account, line.role, line.joined_at) for line in lines] == [("wecom:li", Role.UNKNOWN, NOW)]
