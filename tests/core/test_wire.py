"""Whatever crosses the wire comes out as it went in; whatever is no fact is refused with its fault."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from functools import cache
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groupops import wire
from groupops.actions import Action, Errand, Receipt, SendText
from groupops.events import EVENT_KINDS, Event, MessagePosted, Text
from groupops.verdicts import Evidence

BEIJING = timezone(timedelta(hours=8))
PLAIN: Mapping[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=40),
    type(None): st.none(),
    datetime: st.datetimes(timezones=st.sampled_from([UTC, BEIJING])),
    timedelta: st.timedeltas(timedelta(days=-1000), timedelta(days=1000)),
}


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type hint, however deep; a type that is not known here fails the test."""
    if hint in PLAIN:
        return PLAIN[hint]
    if isinstance(hint, NewType):
        return any_of(hint.__supertype__)
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of(*map(any_of, get_args(hint)))
    if get_origin(hint) is tuple:
        return st.lists(any_of(get_args(hint)[0]), max_size=2).map(tuple)
    if get_origin(hint) is frozenset:
        return st.frozensets(any_of(get_args(hint)[0]), max_size=2)
    if get_origin(hint) is Mapping:
        return st.dictionaries(*map(any_of, get_args(hint)), max_size=2)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    assert is_dataclass(hint), f"teach this test about {hint}"
    return any_dataclass(hint)


@cache
def any_dataclass(cls: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls)
    return st.builds(cls, **{each.name: any_of(hints[each.name]) for each in fields(cls)})


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda cls: cls.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_kind_of_fact_comes_back_as_it_went(kind: type, data: st.DataObject) -> None:
    event = data.draw(any_dataclass(kind))

    back = wire.event_from_json(wire.event_to_json(event))

    assert back == event
    assert type(back) is kind


@pytest.mark.parametrize("kind", get_args(Action), ids=lambda cls: cls.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_kind_of_action_comes_back_as_it_went(kind: type, data: st.DataObject) -> None:
    action = data.draw(any_dataclass(kind))

    back = wire.action_from_json(wire.action_to_json(action))

    assert back == action
    assert type(back) is kind


@pytest.mark.parametrize("kind", get_args(Errand), ids=lambda cls: cls.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_kind_of_errand_comes_back_as_it_went(kind: type, data: st.DataObject) -> None:
    errand = data.draw(any_dataclass(kind))

    assert wire.errand_from_json(wire.errand_to_json(errand)) == errand


@pytest.mark.parametrize("kind", get_args(Receipt), ids=lambda cls: cls.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_kind_of_receipt_comes_back_as_it_went(kind: type, data: st.DataObject) -> None:
    receipt = data.draw(any_dataclass(kind))

    back = wire.receipt_from_json(wire.receipt_to_json(receipt))

    assert back == receipt
    assert type(back) is kind


@settings(max_examples=25)
@given(evidence=st.lists(any_dataclass(Evidence), max_size=3).map(tuple))
def test_evidence_comes_back_as_it_went(evidence: tuple[Evidence, ...]) -> None:
    of = tuple[Evidence, ...]

    assert wire.loads(of, wire.dumps(of, evidence)) == evidence


def test_the_words_of_the_manifest_are_the_kinds_of_the_union() -> None:
    assert {get_args(get_type_hints(cls)["kind"])[0] for cls in get_args(Event)} == EVENT_KINDS


def test_a_moment_keeps_its_offset() -> None:
    event = message(at=datetime(2026, 3, 1, 9, 30, tzinfo=BEIJING))

    back = wire.event_from_json(wire.event_to_json(event))

    assert back.at.utcoffset() == timedelta(hours=8)


def test_half_a_surrogate_pair_does_not_stop_a_fact() -> None:
    event = message(text="ab\ud800c")

    back = wire.event_from_json(wire.event_to_json(event))

    assert isinstance(back, MessagePosted)
    assert back.text == "ab?c"


def test_chinese_is_written_as_it_is() -> None:
    assert "收到" in wire.action_to_json(SendText(group_id="qq:1", text="收到"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "the whole"),
        ('{"kind": "moon_landed"}', "moon_landed"),
        ('{"kind": "message_posted", "id": "1"}', "message_posted.at"),
    ],
)
def test_what_is_no_fact_is_refused_with_its_fault(text: str, fault: str) -> None:
    with pytest.raises(wire.WireError, match=fault):
        wire.event_from_json(text)


def test_a_fact_without_a_timezone_is_refused() -> None:
    text = wire.event_to_json(message()).replace("+08:00", "")

    with pytest.raises(wire.WireError, match="without a timezone"):
        wire.event_from_json(text)


def test_a_reader_is_built_once() -> None:
    assert wire.adapter(tuple[Evidence, ...]) is wire.adapter(tuple[Evidence, ...])


def message(at: datetime = datetime(2026, 3, 1, 9, 30, tzinfo=BEIJING), text: str = "早") -> MessagePosted:
    return MessagePosted(
        id="qq:1:5",
        at=at,
        group_id="qq:1",
        account="qq:2",
        message_id="5",
        segments=(Text(text=text),),
        text=text,
    )
