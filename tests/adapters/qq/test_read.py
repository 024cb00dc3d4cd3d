"""Payloads become the facts their samples say; whatever comes, reading never raises and never makes things up."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import CommandGiven, Event, MemberJoined, Mention, MessagePosted, Quote, Role, Text
from groupops.wire import event_to_json
from groupops_qq.events import event_of
from groupops_qq.memory import Memory, Said
from groupops_qq.read import Sight, button_data, group_id, read
from tests.support.qq_platform import QQPlatform

NOW = datetime(2026, 11, 25, 15, 40, 13, tzinfo=UTC)
GROUP = "C9F778FE6ADF9D1D1DBE395BF744A33A"
ZHANG = "7D0F3AD61A5C4D2B9E8C6F1B2A3D4E5F"
BOT = "102000001"
SAMPLES = resources.files("groupops_qq").joinpath("samples")
NAMES = sorted(one.name.removesuffix(".json") for one in SAMPLES.iterdir() if one.name.endswith(".json"))


def facts(payload: dict[str, Any], **rest: Any) -> tuple[Event, ...]:
    """Read a payload in the bot's name."""
    event = event_of(payload["t"], payload.get("id", ""), payload["d"], NOW)
    sight = Sight(bot=BOT, now=NOW, home=lambda openid: GROUP if openid == ZHANG else "", **rest)
    return () if event is None else read(event, sight)


def shown(fact: Event) -> dict[str, Any]:
    """A fact as a sample shows it: without what is empty or the same everywhere."""
    raw: dict[str, Any] = json.loads(event_to_json(fact))
    return {key: value for key, value in raw.items() if value not in (None, "") and key != "source"}


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SAMPLES.joinpath(f"{name}.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_becomes_the_facts_it_says(name: str) -> None:
    told = sample(name)

    assert [shown(fact) for fact in facts(told["payload"])] == told["facts"]


def test_every_kind_of_payload_that_is_read_has_a_sample() -> None:
    from groupops_qq.events import _KINDS

    assert {kind for kind, _, _ in _KINDS} == {sample(name)["payload"]["t"] for name in NAMES}


@pytest.mark.parametrize("lost", ["member_role", "bot", "username", "id"])
def test_a_message_whose_author_lacks_a_field_is_not_lost(lost: str) -> None:
    payload = sample("group_message")["payload"]
    del payload["d"]["author"][lost]

    (fact,) = facts(payload)

    assert isinstance(fact, MessagePosted)
    assert fact.account == f"qqbot:{ZHANG}"
    assert fact.role is (Role.UNKNOWN if lost == "member_role" else Role.MEMBER)


def test_a_role_nobody_knows_is_unknown_and_no_plain_member() -> None:
    payload = sample("group_message")["payload"]
    payload["d"]["author"]["member_role"] = "guest"

    (fact,) = facts(payload)

    assert getattr(fact, "role", None) is Role.UNKNOWN


def test_a_message_without_a_sender_is_told_of_nobody() -> None:
    payload = sample("group_message")["payload"]
    payload["d"]["author"] = {}

    (fact,) = facts(payload)

    assert getattr(fact, "account", None) == ""


def test_what_somebody_typed_that_looks_like_a_mention_is_text() -> None:
    payload = sample("group_message")["payload"]
    payload["d"]["content"] = f"<@{ZHANG}> <@all> <@!{BOT}> &lt;b&gt;"

    (fact,) = facts(payload)

    assert fact.text == payload["d"]["content"]  # type: ignore[union-attr]


def test_a_quote_of_a_remembered_message_names_it_by_its_id() -> None:
    memory = Memory()
    said = Said(id="M1", group=GROUP, account=group_id("x"), text="明天停水", at=NOW, index="REFIDX_OLD==")  # type: ignore[arg-type]
    memory.keep(said)

    (fact,) = facts(sample("group_message_quote")["payload"], memory=memory)

    assert isinstance(fact, MessagePosted)
    assert fact.segments[0] == Quote(message_id="M1", account=said.account, text="明天停水")


def test_a_quote_of_the_bots_own_message_is_for_the_bot() -> None:
    memory = Memory()
    own = Said(
        id="M1",
        group=GROUP,
        account=f"qqbot:{BOT}",
        text="请接受或申诉",
        at=NOW,
        index="REFIDX_OLD==",
        own=True,
    )  # type: ignore[arg-type]
    memory.keep(own)

    (fact,) = facts(sample("group_message_quote")["payload"], memory=memory)

    assert isinstance(fact, MessagePosted)
    assert fact.to_bot


def test_the_same_push_is_the_same_fact() -> None:
    payload = sample("member_joined")["payload"]

    first, again = facts(payload), facts({**payload, "id": "GROUP_MEMBER_ADD:another"})

    assert [fact.id for fact in first] == [fact.id for fact in again]


def test_what_comes_late_says_when_it_came() -> None:
    payload = sample("group_message")["payload"]
    payload["d"]["timestamp"] = (NOW - timedelta(minutes=11)).isoformat()

    (fact,) = facts(payload)

    assert fact.arrived_late


def test_a_private_word_of_a_stranger_is_on_behalf_of_no_group() -> None:
    payload = sample("c2c_message")["payload"]
    payload["d"]["author"] = {"id": "X", "user_openid": "X"}

    assert facts(payload) == ()


def test_somebody_with_another_openid_in_private_is_known_by_the_union() -> None:
    payload = sample("c2c_message")["payload"]
    payload["d"]["author"] = {"id": "P", "user_openid": "P", "union_openid": "U"}
    memory = Memory()
    memory.unions.put("U", ZHANG)

    (fact,) = facts(payload, memory=memory)

    assert isinstance(fact, CommandGiven)
    assert fact.account == f"qqbot:{ZHANG}"


def test_a_newcomer_is_called_as_the_group_calls_them() -> None:
    (fact,) = facts(sample("member_joined")["payload"], called=lambda *_: "张三")

    assert isinstance(fact, MemberJoined)
    assert (fact.name, fact.operator, fact.how) == ("张三", None, "unknown")


def test_a_button_pressed_elsewhere_is_pressed_where_the_platform_says() -> None:
    payload = sample("button_in_group")["payload"]
    payload["d"]["data"]["resolved"]["button_data"] = button_data("case:12", "接受", "ANOTHERGROUP")

    (fact,) = facts(payload)

    assert fact.group_id == group_id(GROUP)


# — whatever comes —

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=20,
)
KEYS = (
    "id content timestamp group_openid group_id author mentions attachments message_scene ext message_type msg_elements "
    "msg_idx member_openid member_role username bot union_openid user_openid is_you scope content_type url size filename "
    "op_member_openid openid join_request_id apply_at apply_source invited_by verify_info review_qa_list question answer "
    "auto_approved type version chat_type data resolved button_data button_id group_member_openid"
).split()
SHAPED = st.recursive(
    JSON,
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=8) | st.lists(inner, max_size=3),
    max_leaves=25,
)
KINDS = st.sampled_from([kind["payload"]["t"] for kind in map(sample, NAMES)]) | st.text(max_size=20)


@given(kind=KINDS, data=st.dictionaries(st.sampled_from(KEYS), SHAPED, max_size=12), id_=st.text(max_size=20))
def test_reading_never_raises(kind: str, data: dict[str, Any], id_: str) -> None:
    for fact in facts({"t": kind, "id": id_, "d": data}):
        assert fact.id
        assert fact.at.tzinfo is not None
        assert fact.group_id.startswith("qqbot:")


@given(name=st.sampled_from(NAMES), where=st.lists(st.integers(0, 30), min_size=1, max_size=4), put=SHAPED)
def test_a_sample_with_anything_in_any_place_is_read_or_left(name: str, where: list[int], put: Any) -> None:
    payload = sample(name)["payload"]
    _put(payload["d"], where, put)

    for fact in facts(payload):
        json.loads(event_to_json(fact))


def _put(value: Any, where: list[int], put: Any) -> None:
    """Put something in place of what is found by following the path."""
    for turn in where:
        keys = (
            list(value)
            if isinstance(value, dict)
            else list(range(len(value)))
            if isinstance(value, list)
            else []
        )
        if not keys:
            return
        key = keys[turn % len(keys)]
        if turn == where[-1] or not isinstance(value[key], dict | list):
            value[key] = put
            return
        value = value[key]


@given(st.text(max_size=200))
def test_words_arrive_as_they_were_typed(text: str) -> None:
    payload = QQPlatform().message(ZHANG, text, mentions=[])

    (fact,) = facts(payload)

    assert isinstance(fact, MessagePosted)
    typed = "".join(part.text for part in fact.segments if isinstance(part, Text))
    assert typed == text
    assert not [part for part in fact.segments if isinstance(part, Mention)]
