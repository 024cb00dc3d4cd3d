"""A quotation without an id is followed to the latest message with the same words of the same person, and to no other."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from groupops.advise.handed_in import Asking, Desk, Memory
from groupops.advise.names import NameBook
from groupops.advise.quotes import MOST, Quoted
from groupops.events import MessagePosted, Quote
from groupops.importers.transcripts.values import Party, Reply, Said
from groupops.people import GroupId
from groupops.store.memory import MemoryRecords

AT = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)


def row(second: int, who: str, words: str, quoted: tuple[str, str] | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "seq": (1767229500 + second) * 1000,
        "time": f"2026-01-01T09:05:{second:02}+08:00",
        "talker": "g1",
        "talkerName": "一号群",
        "isChatRoom": True,
        "sender": who,
        "senderName": f"昵称{who}",
        "isSelf": False,
        "type": 49 if quoted else 1,
        "subType": 57 if quoted else 0,
        "content": words,
    }
    if quoted:
        told["contents"] = {"refer": {"sender": quoted[0], "content": quoted[1], "type": 1}}
    return told


async def quotes_of(folder: Path, *told: dict[str, Any]) -> list[tuple[str, str]]:
    """Give, for each message that quotes one, its words and those of the message it is followed to."""
    path = folder / "talk.json"
    path.write_text(json.dumps(told, ensure_ascii=False), "utf-8")
    memory = await Memory.load(MemoryRecords(), GroupId("wechat:g1"))
    desk = Desk(memory, NameBook("wechat"), Asking(), "Asia/Shanghai", AT)
    read = desk.read(path)
    assert read.transcript is not None
    facts = [fact for fact in read.transcript.replay() if isinstance(fact, MessagePosted)]
    words = {fact.message_id: fact.text for fact in facts}
    desk.close()
    return [
        (fact.text, words.get(one.message_id, ""))
        for fact in facts
        for one in fact.segments
        if isinstance(one, Quote)
    ]


async def test_a_quotation_is_followed_to_whose_words_it_repeats(tmp_path: Path) -> None:
    found = await quotes_of(
        tmp_path,
        row(1, "wxid_a", "早"),
        row(2, "wxid_b", "早"),
        row(3, "wxid_c", "你也早", ("wxid_a", "早")),
    )

    assert found == [("你也早", "早")]


async def test_a_quotation_of_what_nobody_said_is_followed_nowhere(tmp_path: Path) -> None:
    found = await quotes_of(
        tmp_path, row(1, "wxid_a", "早"), row(2, "wxid_b", "什么", ("wxid_a", "我没有说过"))
    )

    assert found == [("什么", "")]


def said(who: str, words: str) -> Said:
    return Said(row=1, at=AT, sender=Party(id=who, name=f"昵称{who}"), text=words)


def test_of_the_same_words_the_latest_are_meant() -> None:
    quoted = Quoted()
    quoted.note(said("a", "好"), "1")
    quoted.note(said("a", "好"), "2")

    found = quoted.found(Reply(sender="name:昵称a", text="好"))

    assert found is not None
    assert found.message_id == "2"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("好早行")), max_size=20))
def test_nobody_is_held_to_the_words_of_another(talk: list[tuple[str, str]]) -> None:
    quoted = Quoted()
    for number, (who, words) in enumerate(talk):
        quoted.note(said(who, words), f"{number}")

    for who in "abc":
        found = quoted.found(Reply(sender=who, text="好"))
        assert found is not None
        assert not found.message_id or talk[int(found.message_id)] == (who, "好")


def test_what_is_remembered_is_bounded() -> None:
    quoted = Quoted()
    for number in range(MOST + 10):
        quoted.note(said("a", f"第{number}条"), f"{number}")

    old = quoted.found(Reply(sender="a", text="第0条"))

    assert old == Reply(sender="a", text="第0条")
