"""What an end says becomes the fact it is, and whatever it says does no harm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nonebot.adapters.onebot.v11 import MessageEvent
from nonebot.exception import NoLogException

from groupops import AccountId, Event, File, Link, Location, MessagePosted, Quote, Role, Text
from groupops.events import EVENT_KINDS
from groupops_onebot import ark, frames, segments
from groupops_onebot.ends import ends
from groupops_onebot.memory import Memory, Recent, Said
from groupops_onebot.read import Sight, answer_of, moment, read, role_of

SAMPLES = sorted((Path(__file__).parents[3] / "adapters/groupops_onebot/samples").glob("*.json"))
NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
BOT = "10001"


def seen(sample: Mapping[str, Any]) -> Sight:
    """Give the sight a sample is read with."""
    memory = Memory()
    now = datetime.fromisoformat(sample["now"]) if "now" in sample else NOW
    for said in sample.get("remembered", ()):
        memory.keep(said["group"], said["message_id"], Said(AccountId(said["account"]), said["text"], BOT))
    for group in sample.get("packets", ()):
        memory.packets.put(group, now - timedelta(hours=1))
    for group, user, name, size in sample.get("files", ()):
        memory.files.put((group, user, name, size), now - timedelta(seconds=1))
    return Sight(
        bot=BOT,
        now=now,
        memory=memory,
        role=Role(sample.get("role", "admin")),
        home=lambda _: sample.get("home", ""),
        packet_texts=frozenset(sample.get("packet_texts", ())),
    )


def facts_of(frame: Mapping[str, Any], sight: Sight | None = None) -> tuple[Event, ...]:
    event = frames.event_of(frame)
    return () if event is None else read(event, sight or seen({}))


def plain(value: Any) -> Any:
    """Give a fact as it would stand in a file."""
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return f"PT{int(value.total_seconds())}S"
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _:
            return value


def holds(found: Any, wanted: Any) -> bool:
    """Say whether all that is wanted is found; what a sample does not name is as it always is."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(holds(found.get(key), inner) for key, inner in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(holds(one, inner) for one, inner in zip(found, wanted, strict=True))
        )
    return bool(found == wanted)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_frame_becomes_the_fact_it_is(path: Path) -> None:
    sample = json.loads(path.read_text("utf-8"))

    found = [plain(asdict(fact)) for fact in facts_of(sample["frame"], seen(sample))]

    assert len(found) == len(sample["facts"]), found
    for fact, wanted in zip(found, sample["facts"], strict=True):
        assert holds(fact, wanted), json.dumps(fact, ensure_ascii=False, indent=1)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_names_only_what_a_fact_has(path: Path) -> None:
    sample = json.loads(path.read_text("utf-8"))

    for fact, wanted in zip(facts_of(sample["frame"], seen(sample)), sample["facts"], strict=True):
        assert set(wanted) <= {field.name for field in fields(fact)}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_same_frame_is_the_same_fact_over_another_connection(path: Path) -> None:
    sample = json.loads(path.read_text("utf-8"))
    first, again = seen(sample), seen({**sample, "now": "2026-01-01T02:00:00+00:00"})

    ids = [fact.id for fact in facts_of(sample["frame"], first)]

    assert [fact.id for fact in facts_of(sample["frame"], again)] == ids


def test_every_kind_that_some_end_tells_has_a_sample() -> None:
    told = {fact["kind"] for path in SAMPLES for fact in json.loads(path.read_text("utf-8"))["facts"]}

    declared = frozenset().union(*(end.hears[Role.OWNER] for end in ends().values())) | {"red_packet_sent"}
    assert told == declared
    assert told <= EVENT_KINDS


def test_what_is_read_is_the_message_as_it_came() -> None:
    event = frames.event_of(
        json.loads((SAMPLES[0].parent / "group_message_mentions.json").read_text())["frame"]
    )
    assert isinstance(event, MessageEvent)
    event.message.clear()

    (fact,) = read(event, seen({}))

    assert isinstance(fact, MessagePosted)
    assert len(fact.segments) == 4


def test_the_kernels_message_is_dropped_once_it_was_looked_at() -> None:
    frame = json.loads((SAMPLES[0].parent / "red_packet_kernel.json").read_text())["frame"]

    event = frames.event_of({**frame, "raw_pb": "x" * 1000})

    assert event is not None
    assert not hasattr(event, "raw")
    assert not hasattr(event, "raw_pb")


# — small things —


@pytest.mark.parametrize(
    ("seconds", "at"),
    [
        (1_767_225_600, "2026-01-01T00:00:00+00:00"),
        (1_767_225_600_123, "2026-01-01T00:00:00+00:00"),
        (0, NOW.isoformat()),
        (-5, NOW.isoformat()),
        (10**30, NOW.isoformat()),
    ],
)
def test_a_time_is_a_moment_or_it_is_now(seconds: int, at: str) -> None:
    assert moment(seconds, NOW).isoformat() == at


@pytest.mark.parametrize("word", [None, "", "Owner", "群主", 1, ["owner"]])
def test_a_role_that_is_not_told_is_unknown(word: Any) -> None:
    assert role_of(word) is Role.UNKNOWN


@pytest.mark.parametrize(
    ("comment", "answer"),
    [
        ("我是张三", "我是张三"),
        ("问题：姓名？\n答案：张三", "张三"),
        ("问题：请写 答案： 后面\n答案：张三", "后面\n答案：张三"),
        ("问题：没有回答", "问题：没有回答"),
        ("", ""),
    ],
)
def test_what_a_person_wrote_who_asks_to_come_in(comment: str, answer: str) -> None:
    assert answer_of(comment) == answer


def test_what_is_remembered_is_bounded() -> None:
    recent: Recent[int, int] = Recent(100)
    for number in range(10_000):
        recent.put(number, number)

    assert len(recent) == 100
    assert recent.get(9_999) == 9_999
    assert recent.get(0) is None


def test_a_forwarded_conversation_is_read_only_so_far() -> None:
    inner: Any = [{"message": [{"type": "text", "data": {"text": "底"}}]}]
    for _ in range(50):
        inner = [{"message": [{"type": "forward", "data": {"content": inner}}]}]

    (card,) = segments.read([_Part("forward", {"content": inner})], reading())

    assert card.kind == "card"
    assert card.text == ""


class _Part:
    def __init__(self, kind: str, data: Any) -> None:
        self.type = kind
        self.data = data


def reading() -> segments.Reading:
    return segments.Reading(bot=BOT, quoted=lambda _: (None, ""))


# — whatever they send —

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)

KEYS = (
    "time self_id user_id group_id message_id operator_id target_id duration flag comment card_new card_old "
    "name_new busi_id content file sender message raw_message font anonymous raw status interval tag"
).split()

KINDS: list[tuple[str, ...]] = [
    ("message", "message_type", "group"),
    ("message", "message_type", "private"),
    ("request", "request_type", "group"),
    ("meta_event", "meta_event_type", "heartbeat"),
    *(
        ("notice", "notice_type", kind)
        for kind in (
            "group_upload group_admin group_decrease group_increase group_ban group_recall group_card group_dismiss "
            "notify bot_offline friend_add essence"
        ).split()
    ),
]
SUBS = "normal anonymous approve invite leave kick kick_me disband set unset ban lift_ban add lucky_king gray_tip group_name poke"
NUMBERS = st.sampled_from([0, 10001, 20001, 7001, -1, 2**31, 10**25, "20001", "1e9", "", None])


@st.composite
def near_frames(draw: st.DrawFn) -> dict[str, Any]:
    """Frames that are nearly right: the words are the document's, the values whatever they are."""
    post_type, key, kind = draw(st.sampled_from(KINDS))
    frame = draw(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6))
    proper = draw(st.dictionaries(st.sampled_from(KEYS[:8]), NUMBERS, min_size=4))
    part = st.fixed_dictionaries(
        {
            "type": st.sampled_from([*segments._READERS, "dice", ""]),
            "data": st.dictionaries(
                st.sampled_from("text qq id file url data content lat lon title".split()), JSON, max_size=3
            )
            | JSON,
        }
    )
    basis = {
        "time": 1,
        "self_id": 10001,
        "user_id": 1,
        "group_id": 2,
        "message_id": 3,
        "message": draw(st.lists(part, max_size=4)),
    }
    return {
        **basis,
        **frame,
        **proper,
        "post_type": post_type,
        key: kind,
        "sub_type": draw(st.sampled_from(SUBS.split()) | JSON),
    }


@given(near_frames() | JSON.filter(lambda value: isinstance(value, dict)))
@example({"post_type": "message", "message_type": "group", "notice_type": "x"})
def test_no_frame_raises_and_what_is_told_is_whole(frame: dict[str, Any]) -> None:
    for fact in facts_of(frame, seen({"home": "7001"})):
        assert fact.kind in EVENT_KINDS
        assert fact.at.tzinfo is not None
        assert fact.id.startswith("qq:")
        assert len(fact.id) < 1_000
        assert fact.group_id.removeprefix("qq:").lstrip("-").isdigit()


@given(st.text() | st.binary())
def test_no_bytes_raise(data: str | bytes) -> None:
    found = frames.parse(data)

    assert found is None or isinstance(found, dict)


@given(JSON)
def test_no_json_card_raises_and_a_place_is_on_the_earth(card: Any) -> None:
    wrapped = {"app": ark.MAP, "meta": {ark.PLACE: card}}

    for part in (*ark.segments_of(card), *ark.segments_of(json.dumps(wrapped)), *ark.segments_of(wrapped)):
        if isinstance(part, Location):
            assert abs(part.latitude) <= 90
            assert abs(part.longitude) <= 180
        if isinstance(part, Link):
            assert part.url


@given(st.text())
def test_a_text_is_never_parsed(text: str) -> None:
    parts = segments.read(frames.message_of([{"type": "text", "data": {"text": text}}]), reading())
    as_string = segments.read(frames.message_of(text), reading())

    assert parts == as_string == ((Text(text=text),) if text else ())


@given(st.text(alphabet=st.sampled_from("<>abc &;\"'=url:/\n")))
def test_xml_is_never_parsed_but_only_stripped(text: str) -> None:
    for part in segments.read([_Part("xml", {"data": text})], reading()):
        assert not isinstance(part, Quote | File)


@pytest.mark.parametrize("kind", ["group", "private"])
def test_no_line_of_the_log_is_made_of_what_people_say(kind: str) -> None:
    frame = {
        "post_type": "message",
        "message_type": kind,
        "time": 1,
        "self_id": 10001,
        "user_id": 20001,
        "group_id": 7001,
        "message_id": 5,
        "message": [{"type": "text", "data": {"text": "悄悄话"}}],
    }

    event = frames.event_of(frame)

    assert isinstance(event, MessageEvent)
    with pytest.raises(NoLogException):
        event.get_log_string()
