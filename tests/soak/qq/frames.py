"""Frames and bodies nobody should have to read: samples bent out of shape, made-up objects, and spoilt bytes."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.support.onebot_end import BOT, GROUP

ADAPTERS = Path(__file__).parents[3] / "adapters"

NASTY = (
    "",
    "[CQ:at,qq=all]",
    "&#91;CQ:at,qq=all&#93;",
    "[CQ:image,file=file:///etc/passwd]",
    "批准 1",
    "/申诉 1 理由",
    "申诉 1 理由",
    "\x00",
    "\ud800",
    "\u202e\u200b\u2066",
    "a\r\nb\x1b[31m",
    "{account} {0} %s ${x}",
    "' OR 1=1 --",
    "</script><b>",
    "{{7*7}}",
    "../../../etc/passwd",
    "http://[::1/\\",
    "file:///etc/passwd",
    "base64://////",
    "é" * 300,
    "长" * 5000,
    "(a+)+$" * 40,
    "owner",
    "null",
    "NaN",
    "10001",
)

ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    BOT,
    GROUP,
    2**31,
    -(2**63),
    2**64,
    10**40,
    0.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    [{}],
    {"": ""},
    {"type": "text"},
    [{"type": "text", "data": {"text": "坏话"}}],
    [{"type": "at", "data": {"qq": "all"}}],
    [{"type": "json", "data": {"data": "{"}}],
    [{"type": "reply", "data": {"id": "-9" * 40}}],
    [{"type": "text", "data": {"text": "a"}}] * 600,
)

PEOPLE = tuple(range(20001, 20041))
GROUPS = (GROUP, 7002, 7003)
"""A hostile member can invent neither accounts nor groups; an end that does is the operator's own."""

_KEYS = (
    "post_type",
    "message_type",
    "notice_type",
    "request_type",
    "sub_type",
    "message",
    "raw",
    "sender",
    "time",
    "message_id",
    "operator_id",
    "duration",
    "flag",
    "comment",
    "file",
    "echo",
    "status",
    "retcode",
    "data",
    "raw_message",
    "anonymous",
    "card_new",
    "target_id",
)
_KINDS = ("message", "notice", "request", "meta_event", "message_sent")
_SUBS = (
    "group",
    "private",
    "normal",
    "add",
    "ban",
    "kick",
    "notify",
    "heartbeat",
    "group_increase",
    "group_ban",
)

_leaf = st.sampled_from(ODD) | st.sampled_from(NASTY) | st.text(max_size=20) | st.integers()
_value = st.recursive(
    _leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


def samples(adapter: str, part: str = "frame") -> tuple[dict[str, Any], ...]:
    """Give the frames of an adapter's samples; `part` is what they are called there."""
    read = (
        json.loads(path.read_text("utf-8"))
        for path in sorted((ADAPTERS / adapter / "samples").glob("*.json"))
    )
    found = tuple(sample[part] for sample in read if isinstance(sample.get(part), dict))
    assert found, f"{adapter} has no samples"
    return found


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Give the way to every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, one in inner for place in ((*path, key), *_places(one, (*path, key)))]


def _at(value: Any, place: Sequence[Any]) -> Any:
    for key in place:
        value = value[key]
    return value


def _bend(value: Any, place: Sequence[Any], how: str, by: Any) -> None:
    *way, last = place
    for key in way:
        value = value[key]
    match how:
        case "replace":
            value[last] = by
        case "remove":
            del value[last]
        case "nest":
            value[last] = {"data": [value[last]]}
        case "repeat":
            value[last] = [value[last]] * 7
        case _:
            value[last] = str(value[last])


_HOW = ("replace", "replace", "replace", "remove", "nest", "repeat", "as text")


@st.composite
def bent(draw: st.DrawFn, known: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A sample of which one to four values are other than they should be; mostly of the right kind all the same."""
    frame: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(known))))
    for _ in range(draw(st.sampled_from((1, 1, 2, 2, 3, 4)))):
        places = [place for place in _places(frame) if place[0] not in _SAYS_WHAT] or _places(frame)
        place = draw(st.sampled_from(places))
        if draw(st.integers(0, 3)):
            _bend(frame, place, "replace", deepcopy(draw(_like(_at(frame, place)))))
        else:
            _bend(frame, place, draw(st.sampled_from(_HOW)), deepcopy(draw(_value)))
    return frame


_SAYS_WHAT = frozenset({"op", "t", "post_type", "self_id", "message_type", "notice_type", "request_type"})


def _like(value: Any) -> st.SearchStrategy[Any]:
    """Give values of the same kind."""
    match value:
        case bool():
            return st.booleans()
        case int():
            return st.sampled_from(_NUMBERS) | st.integers()
        case str():
            return st.sampled_from(NASTY) | st.text(max_size=40)
        case list():
            return st.sampled_from([one for one in ODD if isinstance(one, list)])
        case _:
            return _value


_NUMBERS = [one for one in ODD if isinstance(one, int) and not isinstance(one, bool)]


@st.composite
def made_up(draw: st.DrawFn) -> dict[str, Any]:
    """An object with the keys frames have, and anything in them."""
    frame = draw(st.dictionaries(st.sampled_from(_KEYS), _value, max_size=8))
    frame |= {"post_type": draw(st.sampled_from(_KINDS)), "self_id": BOT}
    for key in ("message_type", "notice_type", "meta_event_type", "sub_type"):
        frame.setdefault(key, draw(st.sampled_from(_SUBS)))
    for key, number in (
        ("time", 1767225600),
        ("user_id", PEOPLE[2]),
        ("group_id", GROUP),
        ("message_id", 5001),
    ):
        if draw(st.integers(0, 4)):
            frame[key] = number
    return deepcopy(frame)


@st.composite
def spoilt(draw: st.DrawFn, known: Sequence[dict[str, Any]]) -> bytes:
    """A sample's bytes, some of them others, gone, doubled, or cut off."""
    body = bytearray(json.dumps(draw(st.sampled_from(known)), ensure_ascii=draw(st.booleans())).encode())
    for _ in range(draw(st.sampled_from((1, 1, 2, 5)))):
        at = draw(st.integers(0, max(0, len(body) - 1)))
        match draw(st.integers(0, 4)):
            case 0:
                body[at : at + 1] = draw(st.binary(min_size=1, max_size=3))
            case 1:
                del body[at : at + draw(st.integers(1, 8))]
            case 2:
                body[at:at] = body[at : at + 40]
            case 3:
                body[at:at] = draw(
                    st.sampled_from((b"[" * 2000, b'{"a":' * 900, b"9" * 5000, b"\\ud800", b"\xff\xfe"))
                )
            case _:
                del body[at:]
    return bytes(body)


def _sane(frame: dict[str, Any]) -> dict[str, Any]:
    """Keep accounts and groups to those there are, where they are numbers at all."""
    for key, allowed in (("user_id", PEOPLE), ("group_id", GROUPS)):
        number = frame.get(key)
        if isinstance(number, int) and not isinstance(number, bool):
            frame[key] = number if number in (0, BOT, *allowed) else allowed[number % len(allowed)]
    return frame


def hostile(count: int, dice: int, known: Sequence[dict[str, Any]]) -> list[dict[str, Any] | bytes]:
    """Give `count` frames, the same ones for the same dice.

    Args:
        count: how many.
        dice: the seed.
        known: frames that are in order, to be bent and spoilt.
    """
    made: list[dict[str, Any] | bytes] = []
    kinds = [bent(known).map(_sane)] * 6 + [made_up().map(_sane)] + [spoilt(known)] * 3
    frame = st.integers(0, len(kinds) - 1).flatmap(lambda kind: kinds[kind])
    quiet = list(HealthCheck)

    @seed(dice)
    @settings(
        max_examples=count,
        derandomize=False,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=quiet,
    )
    @given(frame)
    def gather(one: dict[str, Any] | bytes) -> None:
        made.append(one)

    gather()
    assert len(made) >= count, "hypothesis found nothing new to say"
    return made[:count]


def written(frame: dict[str, Any] | bytes, number: int) -> bytes:
    """Write a frame as an end does, as of now and under a number of its own, so that it is not known already."""
    if isinstance(frame, bytes):
        return frame.replace(b"1767225600", str(int(time.time())).encode()).replace(
            b"5001", str(number).encode()
        )
    if isinstance(frame.get("message_id"), int):
        frame = {**frame, "message_id": number}
    if isinstance(frame.get("time"), int):
        frame = {**frame, "time": int(time.time())}
    return json.dumps(frame).encode()


def pushed(frame: dict[str, Any] | bytes, number: int) -> bytes:
    """Write a payload as the official platform does, under numbers of its own and as of now."""
    if isinstance(frame, bytes):
        return frame
    made = deepcopy(frame)
    data = made.get("d")
    for one in (made, data) if isinstance(data, dict) else (made,):
        if isinstance(one.get("id"), str):
            one["id"] = f"{one['id'][:100]}{number}"
    if isinstance(data, dict) and isinstance(data.get("timestamp"), str):
        data["timestamp"] = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps(made).encode()
