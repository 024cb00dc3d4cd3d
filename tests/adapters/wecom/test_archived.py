"""Messages of the archive become facts, or it is said why they are nobody's business."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from groupops import LocationShared, MessagePosted, MessageRecalled, RedPacketSent, Text
from groupops_wecom.archive import Archived, read_message
from groupops_wecom.archived import no_interest, read_archived
from groupops_wecom.read import Sight

DATA = Path(os.environ.get("GROUPOPS_DATA", Path(__file__).parents[4] / "shared" / "data"))
SAMPLES = DATA / "transcripts" / "samples" / "wecom_archive_apache2" / "wxjava_msgaudit_pseudonymised.jsonl"
NOW = datetime(2025, 3, 3, 2, tzinfo=UTC)
SIGHT = Sight(now=NOW)

FACTS: Mapping[str, str] = {
    "redpacket": "red_packet_sent",
    "external_redpacket": "red_packet_sent",
    "location": "location_shared",
    "revoke": "message_recalled",
    **dict.fromkeys(
        "text image voice video card emotion file link weapp chatrecord collect docmsg markdown news calendar "
        "mixed sphfeed".split(),
        "message_posted",
    ),
}
"""What each kind becomes when it is said in a group; all others are of no interest."""


def message(kind: str = "text", **more: Any) -> Archived:
    body = {
        "text": {"content": "在吗"},
        "redpacket": {"type": 2, "wish": "恭喜发财", "totalcnt": 10, "totalamount": 3000},
        "revoke": {"pre_msgid": "M0"},
        "location": {"longitude": 121.4737, "latitude": 31.2304, "title": "人民广场", "address": "上海市"},
    }.get(kind, {})
    raw = {
        "msgid": "M1",
        "action": "recall" if kind == "revoke" else "send",
        "from": "lisi",
        "tolist": ["wangwu"],
        "roomid": "wrA",
        "msgtime": int(NOW.timestamp() * 1000),
        "msgtype": kind,
        kind: body,
    }
    return read_message({**raw, **more}, 1)


def samples() -> list[dict[str, Any]]:
    if not SAMPLES.exists():
        pytest.skip(f"no archive samples at {SAMPLES}; set GROUPOPS_DATA")
    return [json.loads(line) for line in SAMPLES.read_text("utf-8").splitlines()]


def test_each_of_the_real_messages_is_read_or_it_is_said_why_not() -> None:
    found = [(one, read_message(one, 1)) for one in samples()]

    assert len(found) == 30
    for raw, read in found:
        facts = read_archived(read, SIGHT)
        in_group = replace(read, room=read.room or "wrA")
        kind = FACTS.get(raw.get("msgtype", ""), "")
        assert bool(facts) != bool(no_interest(read)), raw
        assert [fact.kind for fact in read_archived(in_group, SIGHT)] == ([kind] if kind else []), raw
        assert bool(no_interest(in_group)) == (not kind), raw


def test_a_red_packet_s_amount_is_unknown_until_the_operator_says_that_it_may_be_believed() -> None:
    (unknown,) = read_archived(message("redpacket"), SIGHT)
    (known,) = read_archived(message("redpacket"), replace(SIGHT, amounts=True))

    assert isinstance(unknown, RedPacketSent)
    assert isinstance(known, RedPacketSent)
    assert unknown.red_packet.amount_fen is None
    assert known.red_packet.amount_fen == 3000


def test_a_place_in_a_group_is_no_secret() -> None:
    (fact,) = read_archived(message("location"), SIGHT)

    assert isinstance(fact, LocationShared)
    assert not fact.private
    assert fact.location.crs == "gcj02"


def test_a_recall_names_the_message_as_it_was_heard_first() -> None:
    sight = replace(SIGHT, known=lambda id_: {"M0": "SAID-TO-THE-BOT"}.get(id_, id_))

    (fact,) = read_archived(message("revoke"), sight)

    assert isinstance(fact, MessageRecalled)
    assert fact.message_id == "SAID-TO-THE-BOT"
    assert fact.by_author


def test_the_name_of_a_bot_is_left_out_so_that_both_sources_tell_the_same() -> None:
    sight = replace(SIGHT, calls=frozenset({"小助手"}))

    (called,) = read_archived(message(text={"content": "@小助手 看看 https://bet.example/"}), sight)
    (other,) = read_archived(message(text={"content": "@张三 看看"}), sight)

    assert isinstance(called, MessagePosted)
    assert isinstance(other, MessagePosted)
    assert (called.text, called.to_bot) == ("看看 https://bet.example/", True)
    assert (other.text, other.to_bot) == ("@张三 看看", False)


def test_what_comes_late_says_when_it_came() -> None:
    late = int((NOW - timedelta(minutes=20)).timestamp() * 1000)

    (fact,) = read_archived(message(msgtime=late), SIGHT)

    assert fact.arrived_late
    assert fact.source == "archive"


@pytest.mark.parametrize(
    "more",
    [
        {"roomid": ""},
        {"from": "wbROBOT"},
        {"from": ""},
        {"action": "switch", "user": "lisi"},
        {"action": "else"},
        {"msgid": ""},
    ],
)
def test_talk_between_two_robots_and_housekeeping_are_nobody_s_business(more: dict[str, Any]) -> None:
    found = message(**more)

    assert no_interest(found)
    assert read_archived(found, SIGHT) == ()


def test_words_of_somebody_nobody_knows_are_nobody_s_who_could_be_sanctioned() -> None:
    (fact,) = read_archived(message(), replace(SIGHT, plain=lambda _: None))

    assert isinstance(fact, MessagePosted)
    assert fact.account == ""
    assert fact.segments == (Text(text="在吗"),)
