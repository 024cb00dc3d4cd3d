"""Lines of the common shape are read a run at a time; whatever stands between them, that gives what line by line gives."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import MessagePosted
from groupops.errors import ImportFailed
from groupops.importers.chatlab import read_chatlab
from groupops.importers.transcripts import Report, Said, read, stream_facts
from groupops.importers.transcripts.ids import SeenIds
from groupops.importers.transcripts.quick_values import said
from groupops.importers.transcripts.source import MAX_LINE
from groupops.importers.transcripts.values import Party
from tests.importers.conftest import values_of

AT = datetime(2026, 1, 1, 1, 5, 3, tzinfo=UTC)
HEAD = {
    "_type": "header",
    "chatlab": {"version": "0.0.2", "exportedAt": 1767229503},
    "meta": {"name": "群", "platform": "qq", "groupId": "1"},
}
PLAIN: dict[str, Any] = {
    "_type": "message",
    "sender": "10001",
    "accountName": "松果",
    "timestamp": 1767229503,
    "type": 0,
    "content": "早",
}
OTHER: list[dict[str, Any] | str] = [
    {"type": 1, "content": "[图片]"},
    {"sender": "SYSTEM"},
    {"sender": "SYSTEM", "type": 80, "content": "“米粒”加入了群聊"},
    {"sender": "name:米粒"},
    {"sender": "  "},
    {"accountName": "\u3000"},
    {"timestamp": 12},
    {"timestamp": 1767229503000},
    {"timestamp": 4102444800},
    {"content": None},
    {"content": 7},
    {"groupNickname": None},
    {"groupNickname": "财务部-松果", "more": [1]},
    {"replyToMessageId": "m0"},
    {"groupops": {"ms": 7, "mentions": [{"id": "10002", "name": "米粒"}]}},
    {"_type": "member", "platformId": "10003", "accountName": "阿岚"},
    {"_type": "other"},
    "",
    "# ours",
    "{",
    "null",
    "{} {}",
]
LINES: st.SearchStrategy[list[Any]] = st.lists(
    st.just({}) | st.just({}) | st.just("again") | st.sampled_from(OTHER), max_size=12
)


def written(lines: list[Any], path: Path, encoding: str = "utf-8") -> Path:
    rows = [json.dumps(HEAD)]
    for number, line in enumerate(lines):
        if line == "again":
            rows.append(rows[-1] if len(rows) > 1 else "")
        elif isinstance(line, str):
            rows.append(line)
        else:
            row = {**PLAIN, "platformMessageId": f"m{number}", **line}
            rows.append(json.dumps(row, ensure_ascii=False))
    path.write_bytes("\n".join(rows).encode(encoding))
    return path


@given(lines=LINES)
def test_a_file_reads_the_same_by_runs_and_by_lines(lines: list[Any]) -> None:
    with TemporaryDirectory(prefix="go-") as folder:
        by_runs, runs_said = values_of(written(lines, Path(folder) / "a"))
        by_lines, lines_said = values_of(written(lines, Path(folder) / "b", "utf-16"))

    assert by_runs == by_lines
    for key in ("rows", "kept", "dropped", "kinds", "first", "last", "senders", "members", "faults"):
        assert getattr(runs_said, key) == getattr(lines_said, key), key


@given(lines=st.lists(st.just({}) | st.just("again") | st.sampled_from(OTHER[:2] + OTHER[3:4]), max_size=12))
def test_facts_of_runs_are_the_facts_of_single_lines(lines: list[Any]) -> None:
    with TemporaryDirectory(prefix="go-") as folder:
        path = written(lines, Path(folder) / "a")

        streamed = list(stream_facts(path))
        replayed = list(read_chatlab(path, lenient=True).replay())

    assert streamed == replayed


@given(lines=LINES)
def test_a_stream_of_facts_finds_the_faults_that_reading_values_finds(lines: list[Any]) -> None:
    with TemporaryDirectory(prefix="go-") as folder:
        path = written(
            [line for line in lines if not (isinstance(line, dict) and "_type" in line)], Path(folder) / "a"
        )
        _, by_values = values_of(path)
        by_facts = Report(name="a", format=by_values.format)

        list(stream_facts(path, by_facts))

    assert [one.partition(": ")[0] for one in by_facts.faults] == [
        one.partition(": ")[0] for one in by_values.faults
    ]
    assert by_facts.rows == by_values.rows


def test_a_line_longer_than_any_text_is_refused_where_it_stands(tmp_path: Path) -> None:
    path = written([{}, {"content": "长" * (MAX_LINE // 3 + 1)}], tmp_path / "talk")

    with pytest.raises(ImportFailed, match="a line has more than"):
        list(read(path))
    with pytest.raises(ImportFailed, match="a line has more than"):
        list(stream_facts(path))


def test_two_messages_on_a_line_are_a_fault_though_a_blank_line_makes_up_for_their_number(
    tmp_path: Path,
) -> None:
    path = written([{}, {}, {}], tmp_path / "talk")
    head, *lines = path.read_text("utf-8").split("\n")
    path.write_text("\n".join([head, lines[0] + lines[1], "", lines[2]]), "utf-8")

    values, report = values_of(path)

    assert [value.row for value in values] == [4]
    (fault,) = report.faults
    assert fault.startswith("line 2: has more behind its object")


def test_runs_go_on_over_the_ends_of_blocks(tmp_path: Path) -> None:
    path = written([{"content": "早" * 300}] * 700, tmp_path / "talk")

    facts = [fact for fact in stream_facts(path) if isinstance(fact, MessagePosted)]
    values = list(read(path))

    assert [fact.message_id for fact in facts] == [f"m{number}" for number in range(700)]
    assert [value.row for value in values] == list(range(2, 702))


@given(text=st.text(max_size=9), name=st.text("松果米粒", min_size=1, max_size=4), row=st.integers(1, 10**7))
def test_the_quick_way_to_a_value_gives_the_same_value(text: str, name: str, row: int) -> None:
    at, sender = AT, Party(id="1", name=name)

    quick = said(row, at, "s", sender, text, "m")

    slow = Said(row=row, at=at, precision="s", sender=sender, text=text, message_id="m", raw_kind="0")
    assert quick == slow
    assert hash(quick) == hash(slow)


@given(known=st.sets(st.text("abc", max_size=2)), ids=st.lists(st.text("abc", max_size=2), max_size=9))
def test_ids_are_taken_together_only_if_each_of_them_is_new(known: set[str], ids: list[str]) -> None:
    seen = SeenIds()
    for one in sorted(known):
        seen.add(one)

    taken = seen.add_all(ids)

    assert taken is (len(set(ids)) == len(ids) and not known & set(ids))
    assert len(seen) == len(known) + (len(ids) if taken else 0)


def test_ids_are_taken_together_in_a_great_number_too() -> None:
    seen = SeenIds()
    thousands = [[str(one) for one in range(start, start + 1_000)] for start in range(0, 500_000, 1_000)]

    assert all(seen.add_all(some) for some in thousands)
    assert not any(seen.add_all(some) for some in thousands)
    assert not seen.add("499999")
    assert len(seen) == 500_000
