"""Everything WeCom tells becomes the right event, whatever is missing from it or strange about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import groupops_wecom
from groupops_wecom import Event, Message, MessageEvent, MessageSegment
from groupops_wecom.aibot_events import Frame, aibot_event
from groupops_wecom.app_events import app_event
from groupops_wecom.xmls import tree_of

SAMPLES = Path(groupops_wecom.__file__).parent / "samples"
FRAME = Frame(self_id="aib0001", name="小助手", now=1767232801.5, req_id="REQ1")
APP = "ww1234567890abcdef:1000002"

MEANT: dict[str, tuple[str, dict[str, Any]]] = {
    "aibot_text_group": (
        "GroupMessageEvent",
        {"user_id": "zhangsan", "chat_id": "wrAbCdEf0001", "to_me": True},
    ),
    "aibot_text_group_quote": ("GroupMessageEvent", {"quoted": Message("张三被警告一次")}),
    "aibot_text_group_quote_mixed": ("GroupMessageEvent", {"msgtype": "text"}),
    "aibot_text_single": (
        "PrivateMessageEvent",
        {"user_id": "woOpenIdlisi", "chat_id": "", "req_id": "REQ1"},
    ),
    "aibot_text_callback": ("GroupMessageEvent", {"message": Message("帮助")}),
    "aibot_mixed_group": ("GroupMessageEvent", {"msgtype": "mixed"}),
    "aibot_image_single": ("PrivateMessageEvent", {"msgtype": "image"}),
    "aibot_image_callback": ("PrivateMessageEvent", {"msgtype": "image"}),
    "aibot_voice_single": (
        "PrivateMessageEvent",
        {"message": Message(MessageSegment.voice(text="我到客户那里了"))},
    ),
    "aibot_file_single": ("PrivateMessageEvent", {"msgtype": "file"}),
    "aibot_video_single": ("PrivateMessageEvent", {"msgtype": "video"}),
    "aibot_unknown_kind": ("UnknownMessage", {"msgtype": "location"}),
    "aibot_stream_refresh": ("UnknownMessage", {"msgtype": "stream"}),
    "aibot_enter_chat": ("EnterChat", {"user_id": "lisi", "moment": 1767232800.0}),
    "aibot_card_nested": (
        "AiBotCardEvent",
        {"event_key": "rules_yes", "task_id": "rules_20260101_01", "menu": False, "chat_id": "wrAbCdEf0001"},
    ),
    "aibot_card_flat": ("AiBotCardEvent", {"event_key": "rules_yes", "task_id": "rules_20260101_01"}),
    "aibot_card_vote": ("AiBotCardEvent", {"selected": {"q1": ("opt_a", "opt_b")}}),
    "aibot_card_menu": ("AiBotCardEvent", {"event_key": "mute_me", "menu": True}),
    "aibot_feedback": (
        "Feedback",
        {"feedback_id": "FB1", "verdict": 2, "content": "答非所问", "reasons": (1, 3)},
    ),
    "aibot_disconnected": ("Disconnected", {"final": True}),
    "aibot_unknown_event": ("UnknownEvent", {"event": "chat_renamed"}),
    "app_text": ("AppMessageEvent", {"message": Message('位置 客户A处 <a href="https://x">点</a>')}),
    "app_image": ("AppMessageEvent", {"msgtype": "image", "event_id": "7000000000000000001"}),
    "app_voice": ("AppMessageEvent", {"msgtype": "voice"}),
    "app_video": ("AppMessageEvent", {"msgtype": "video"}),
    "app_location": (
        "AppMessageEvent",
        {"message": Message(MessageSegment.location(23.134, 113.358, "广州塔", 15)), "moment": 1767232800.0},
    ),
    "app_location_from_wechat": ("AppMessageEvent", {"msgtype": "location"}),
    "app_link": (
        "AppMessageEvent",
        {
            "message": Message(
                MessageSegment.link(
                    "https://example.com/rules", "群规", "请阅读", "https://example.com/a.png"
                )
            )
        },
    ),
    "app_unknown_kind": ("UnknownMessage", {"msgtype": "hologram"}),
    "app_subscribe": ("Subscribe", {"user_id": "zhangsan"}),
    "app_unsubscribe": ("Unsubscribe", {"user_id": "zhangsan"}),
    "app_enter_agent": ("EnterAgent", {"user_id": "zhangsan"}),
    "app_location_reported": (
        "LocationReported",
        {"latitude": 23.104, "longitude": 113.32, "precision": 65.0},
    ),
    "app_location_selected": (
        "LocationSelected",
        {"latitude": 23.0, "longitude": 113.5, "place": "客户A", "event_key": "where"},
    ),
    "app_click": ("MenuEvent", {"event": "click", "event_key": "check_in"}),
    "app_view": ("MenuEvent", {"event": "view"}),
    "app_scan": ("MenuEvent", {"event": "scancode_push", "scanned": "site-17"}),
    "app_pictures": ("MenuEvent", {"event": "pic_sysphoto"}),
    "app_card": (
        "AppCardEvent",
        {"event_key": "rules_yes", "task_id": "rules_1", "response_code": "RESPONSECODE", "menu": False},
    ),
    "app_card_choices": ("AppCardEvent", {"selected": {"q1": ("a", "b"), "q2": ("c",)}}),
    "app_card_menu": ("AppCardEvent", {"menu": True, "event_key": "later"}),
    "app_contact_created": (
        "ChangeContact",
        {"change": "create_user", "user_id": "wangwu", "departments": (1, 2, 3)},
    ),
    "app_contact_updated": ("ChangeContact", {"change": "update_user", "new_user_id": "wangwu2"}),
    "app_contact_deleted": ("ChangeContact", {"change": "delete_user", "user_id": "wangwu"}),
    "app_party_created": ("ChangeContact", {"change": "create_party", "party_id": 7, "user_id": ""}),
    "app_tag_updated": ("ChangeContact", {"change": "update_tag"}),
    "app_customer_added": (
        "ChangeExternalContact",
        {"user_id": "zhangsan", "external_user_id": "wmExt0001", "welcome_code": "WELCOMECODE"},
    ),
    "app_chat_created": ("ChatCreated", {"chat_id": "wrAbCd0001", "user_id": ""}),
    "app_chat_dismissed": ("ChatDismissed", {"chat_id": "wrAbCd0001"}),
    "app_chat_joined": (
        "AddMembers",
        {
            "members": ("zhangsan", "wmExt0001"),
            "scene": 3,
            "count": 2,
            "last_version": "aaa",
            "version": "bbb",
        },
    ),
    "app_chat_joined_one": ("AddMembers", {"members": ("wmExt0002",), "scene": 0}),
    "app_chat_removed": ("DelMembers", {"members": ("wmExt0001",), "scene": 1, "chat_type": "group"}),
    "app_chat_owner": ("ChangeOwner", {"change": "change_owner"}),
    "app_chat_name": ("ChangeName", {"change": "change_name"}),
    "app_chat_notice": ("ChangeNotice", {"change": "change_notice"}),
    "app_archive": ("ArchiveNotify", {}),
    "app_batch_job": ("UnknownEvent", {"event": "batch_job_result"}),
    "app_approval": ("UnknownEvent", {"event": "open_approval_change"}),
}
"""Sample → class of the event, and what it says."""


def sample(name: str) -> Event:
    (path,) = SAMPLES.glob(f"{name}.*")
    if path.suffix == ".json":
        return aibot_event(json.loads(path.read_text("utf-8")), FRAME)
    return app_event(tree_of(path.read_bytes()), APP, 1767232801.5)


def test_every_sample_has_a_meaning() -> None:
    assert sorted(path.stem for path in SAMPLES.iterdir()) == sorted(MEANT)


@pytest.mark.parametrize("name", sorted(MEANT))
def test_a_sample_becomes_the_event_it_means(name: str) -> None:
    kind, said = MEANT[name]

    event = sample(name)

    assert type(event).__name__ == kind
    assert {key: getattr(event, key) for key in said} == said


@pytest.mark.parametrize("name", sorted(MEANT))
def test_an_event_can_be_logged_and_shows_no_handle(name: str) -> None:
    event = sample(name)

    shown = " ".join(
        (event.get_log_string(), str(event), repr(event), event.get_event_name(), event.get_type())
    )

    for secret in ("RESPONSECODE", "WELCOMECODE", "MDEyMzQ1Njc4OWFi", "q-sign-algorithm"):
        assert secret not in shown
    assert event.raw


@pytest.mark.parametrize("name", sorted(MEANT))
def test_the_same_event_has_the_same_id(name: str) -> None:
    assert sample(name).event_id == sample(name).event_id


def test_events_that_differ_at_all_have_different_ids() -> None:
    without_ids = [name for name in MEANT if name.startswith("app_") and "<MsgId>" not in _text(name)]

    assert len({sample(name).event_id for name in without_ids}) == len(without_ids)


def _text(name: str) -> str:
    (path,) = SAMPLES.glob(f"{name}.*")
    return path.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "said", "left"),
    [
        ("小助手", "@小助手 打卡", "打卡"),
        ("小助手", "@小助手\u2005打卡", "打卡"),
        ("小助手", "请 @小助手 打卡", "请 打卡"),
        ("小助手", "@小助手", ""),
        ("小助手", "@小助手2号 打卡", "@小助手2号 打卡"),
        ("小助手", "@小助手 @小助手 在", "@小助手 在"),
        ("小 助手", "@小 助手 打卡", "打卡"),
        ("", "@小助手 打卡", "打卡"),
        ("", "@张三 @小助手 打卡", "@张三 @小助手 打卡"),
        ("", "打卡 a@b.cn", "打卡 a@b.cn"),
    ],
)
def test_the_name_a_bot_is_called_by_is_left_out_once(name: str, said: str, left: str) -> None:
    body = {"chatid": "wr1", "chattype": "group", "msgtype": "text", "text": {"content": said}}

    event = aibot_event(body, Frame(self_id="aib0001", name=name))

    assert event.get_plaintext() == left


def test_a_message_that_only_calls_the_bot_is_heard() -> None:
    body = {"chatid": "wr1", "chattype": "group", "msgtype": "text", "text": {"content": "@小助手"}}

    event = aibot_event(body, FRAME)

    assert isinstance(event, MessageEvent)
    assert event.message == Message()
    assert event.is_tome()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
KEYS = st.sampled_from(
    "msgid aibotid chatid chattype from msgtype text mixed image voice event eventtype quote create_time response_url "
    "template_card_event feedback_event enter_chat content msg_item url userid selected_items".split()
)
SHAPES = st.recursive(
    JSON | st.sampled_from(["text", "mixed", "event", "group", "template_card_event", "feedback_event"]),
    lambda inner: st.dictionaries(KEYS, inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=25,
)


@given(st.dictionaries(KEYS, SHAPES, max_size=8))
def test_whatever_an_ai_bot_is_told_an_event_comes_of_it(body: dict[str, Any]) -> None:
    event = aibot_event(body, FRAME)

    assert event.get_log_string()
    assert event.event_id


TAGS = st.sampled_from(
    "FromUserName CreateTime MsgType MsgId Event ChangeType UpdateDetail MemChangeList Item Location_X Latitude "
    "SelectedItems SelectedItem OptionIds OptionId QuestionKey ScanCodeInfo SendLocationInfo UserID Department".split()
)
LEAVES = st.text(max_size=8) | st.sampled_from(
    [
        "event",
        "text",
        "location",
        "LOCATION",
        "template_card_event",
        "change_external_chat",
        "update",
        "add_member",
        "nan",
    ]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(TAGS, inner | st.lists(inner, max_size=3), max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(TAGS, TREES | st.lists(TREES, max_size=3), max_size=8))
def test_whatever_an_app_is_told_an_event_comes_of_it(raw: dict[str, Any]) -> None:
    event = app_event(raw, APP, 1767232801.5)

    assert event.get_log_string()
    assert event.event_id
