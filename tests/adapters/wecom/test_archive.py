"""Archived messages: each kind as its value, whatever else as of no interest, and files that grow, turn and tear."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops_wecom import archive
from groupops_wecom.archive import Action, Archived, OfNoInterest, RedPacket, Revoked, Switched, read_message
from groupops_wecom.jsonl import AT_ONCE, CHUNK, LONGEST_LINE, JsonlArchive

SAMPLES = Path("transcripts", "samples", "wecom_archive_apache2", "wxjava_msgaudit_pseudonymised.jsonl")

KINDS = """
    Text Image Revoked Agreed Disagreed Voice Video Card Location Emotion File Link WeApp ChatRecord Collect RedPacket
    Meeting Switched Document Markdown News Calendar Mixed Call CallDocument RedPacket ChannelPost Meeting
    CallDocument Collect
""".split()


@pytest.fixture
def samples(shared_data: Path) -> list[dict[str, Any]]:
    path = shared_data / SAMPLES
    if not path.is_file():
        pytest.skip(f"NO SAMPLES: {path} is no file")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def message(number: int | str, content: str = "好") -> dict[str, Any]:
    return {
        "msgid": f"M{number}",
        "action": "send",
        "from": "zhangsan",
        "tolist": ["lisi"],
        "roomid": "wr1",
        "msgtime": 1_700_000_000_123,
        "msgtype": "text",
        "text": {"content": content},
    }


def lines(*numbers: int | str) -> str:
    return "".join(json.dumps(message(number), ensure_ascii=False) + "\n" for number in numbers)


async def ids(provider: JsonlArchive, after: int) -> list[str]:
    return [one.msgid async for one in provider.read(after)]


# — kinds —


def test_each_of_the_thirty_samples_is_read_as_what_it_is(samples: list[dict[str, Any]]) -> None:
    read = [read_message(raw, seq) for seq, raw in enumerate(samples, 1)]

    assert [type(one.content).__name__ for one in read] == KINDS
    assert [one.seq for one in read] == list(range(1, 31))
    assert all(one.msgid for one in read)


def test_no_field_of_a_sample_is_read_as_missing(samples: list[dict[str, Any]]) -> None:
    optional = {
        ("Meeting", "address"),
        ("Meeting", "remarks"),
        ("Calendar", "place"),
        ("Calendar", "remarks"),
    }

    missing = {
        (type(one.content).__name__, name)
        for one in (read_message(raw, 1) for raw in samples)
        for name in one.content.__slots__
        if getattr(one.content, name) in {"", None, ()}
    }

    assert missing <= optional


def test_what_the_rules_ask_for_is_read_field_by_field(samples: list[dict[str, Any]]) -> None:
    read = {raw.get("msgtype", raw["action"]): read_message(raw, 1) for raw in samples}

    packet, external = read["redpacket"].content, read["external_redpacket"].content
    place, record = read["location"].content, read["chatrecord"].content
    assert packet == RedPacket(type=1, wish="恭喜发财，大吉大利", totalcnt=1, totalamount=3000)
    assert external == RedPacket(type=1, wish="恭喜发财，大吉大利", totalcnt=2, totalamount=20, external=True)
    assert read["revoke"].content == Revoked(pre_msgid="14822339130656386894_1603875600")
    assert read["revoke"].action is Action.RECALL
    assert isinstance(place, archive.Location)
    assert (place.latitude, place.longitude) == (30.0, 120.0)
    assert isinstance(record, archive.ChatRecord)
    assert [item.content for item in record.items] == [
        archive.Text(content="test"),
        archive.Text(content="test2"),
    ]
    assert read["switch"] == Archived(
        seq=1,
        msgid="125289002219525886280",
        action=Action.SWITCH,
        sender="user01",
        to=(),
        room="",
        at=1554119421840,
        content=Switched(user="user01"),
    )


def test_a_kind_that_is_not_known_is_of_no_interest_and_says_so() -> None:
    raw = message(1) | {"msgtype": "hologram", "hologram": {}}

    assert read_message(raw, 7).content == OfNoInterest(
        msgtype="hologram", why="this kind of message is not known"
    )
    assert read_message(raw, 7).seq == 7


@pytest.mark.parametrize(
    ("kind", "body", "name"),
    [
        ("todo", {"todo": {"title": "t", "content": "c"}}, "Todo"),
        (
            "vote",
            {"vote": {"votetitle": "t", "voteitem": ["a", "b"], "votetype": 101, "voteid": "v"}},
            "Vote",
        ),
        (
            "meeting_notification",
            {"info": {"meeting_id": 1, "notification_type": 1, "content": "c"}},
            "MeetingNotification",
        ),
        ("voiptext", {"info": {"callduration": 10, "invitetype": 1}}, "CallSummary"),
        ("qydiskfile", {"info": {"filename": "f", "url": "u"}}, "DiskFile"),
        ("solitaire", {"info": {"solitaire_type": 101, "solitaire_content": "c"}}, "Solitaire"),
        ("note", {"info": {"items": [{"msg_type": "text", "content": '{"content": "n"}'}]}}, "Note"),
    ],
)
def test_kinds_without_a_sample_are_read_too(kind: str, body: dict[str, Any], name: str) -> None:
    read = read_message(message(1) | {"msgtype": kind} | body, 1).content

    assert type(read).__name__ == name
    assert all(getattr(read, field) for field in read.__slots__)


def test_records_within_records_are_looked_into_only_so_deep() -> None:
    content: dict[str, Any] = {"content": "deep"}
    kind = "text"
    for _ in range(9):
        content = {"title": "t", "item": [{"type": kind, "msgtime": 1, "content": json.dumps(content)}]}
        kind = "chatrecord"

    assert "it stands deeper than" in repr(read_message(message(1) | {"msgtype": kind, kind: content}, 1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)


@given(raw=JSON)
def test_json_of_any_shape_is_read(raw: Any) -> None:
    assert isinstance(read_message(raw, 1), Archived)


@given(data=st.data())
def test_a_message_with_any_part_replaced_is_read(data: st.DataObject) -> None:
    kind = data.draw(
        st.sampled_from(
            sorted({"text", "chatrecord", "mixed", "location", "redpacket", "collect", "news", "note"})
        )
    )
    raw = message(1) | {"msgtype": kind, kind: data.draw(JSON), "info": data.draw(JSON)}
    name = data.draw(st.sampled_from(sorted(raw)))

    read = read_message(raw | {name: data.draw(JSON)}, 1)

    assert isinstance(read, Archived)
    assert repr(read).encode()  # no half character stands in it


# — files —


async def test_a_file_that_is_not_there_yet_holds_nothing_and_is_read_once_it_is(tmp_path: Path) -> None:
    provider = JsonlArchive(tmp_path / "later" / "a.jsonl")

    before = await ids(provider, 0)
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "a.jsonl").write_text(lines(1), "utf-8")

    assert (before, await ids(provider, 0)) == ([], ["M1"])


async def test_a_last_line_without_its_end_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    whole = lines(1, 2).encode()
    path.write_bytes(whole[:-10])
    provider = JsonlArchive(path)

    first = await ids(provider, 0)
    path.write_bytes(whole)

    assert (first, await ids(provider, 1)) == (["M1"], ["M2"])


async def test_what_is_not_taken_care_of_is_given_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(lines(1, 2, 3, 4), "utf-8")
    provider = JsonlArchive(path)

    assert await ids(provider, 0) == ["M1", "M2", "M3", "M4"]
    assert await ids(provider, 2) == ["M3", "M4"]
    assert await ids(provider, 4) == []


async def test_after_a_new_start_it_goes_on_where_it_was(tmp_path: Path) -> None:
    path, position = tmp_path / "a.jsonl", tmp_path / "state" / "position.json"
    path.write_text(lines(1, 2, 3), "utf-8")
    provider = JsonlArchive(path, position)
    await ids(provider, 0)
    await ids(provider, 2)

    again = JsonlArchive(path, position)

    assert [(one.seq, one.msgid) async for one in again.read(2)] == [(3, "M3")]


async def test_who_is_ahead_of_the_remembered_position_gets_nothing_twice(tmp_path: Path) -> None:
    path, position = tmp_path / "a.jsonl", tmp_path / "position.json"
    path.write_text(lines(1, 2, 3), "utf-8")
    await ids(JsonlArchive(path, position), 0)

    assert await ids(JsonlArchive(path, position), 2) == ["M3"]


async def test_a_folder_is_read_in_the_order_of_its_names_while_it_grows(tmp_path: Path) -> None:
    (tmp_path / "2026-01-01.jsonl").write_text(lines(1, 2), "utf-8")
    (tmp_path / "notes.txt").write_text("no\n", "utf-8")
    provider = JsonlArchive(tmp_path)

    first = await ids(provider, 0)
    (tmp_path / "2026-01-02.jsonl").write_text(lines(4), "utf-8")
    with (tmp_path / "2026-01-01.jsonl").open("a", encoding="utf-8") as file:
        file.write(lines(3))

    assert (first, await ids(provider, 2)) == (["M1", "M2"], ["M3", "M4"])


async def test_a_file_that_turned_is_read_to_its_end_under_its_new_name(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(lines(1, 2), "utf-8")
    provider = JsonlArchive(path, tmp_path / "position.json")
    await ids(provider, 0)
    with path.open("a", encoding="utf-8") as file:
        file.write(lines(3))
    path.rename(tmp_path / "a.jsonl.1")
    path.write_text(lines(4), "utf-8")

    once = await ids(provider, 2)
    (tmp_path / "a.jsonl.1").rename(tmp_path / "a.jsonl.2")
    path.rename(tmp_path / "a.jsonl.1")
    path.write_text(lines(5), "utf-8")

    assert (once, await ids(provider, 4)) == (["M3", "M4"], ["M5"])


@pytest.mark.parametrize("content", [lines(9), lines(7, 8, 9, 10, 11)], ids=["shorter", "longer"])
async def test_a_file_that_was_written_anew_is_read_from_its_beginning(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(lines(1, 2), "utf-8")
    provider = JsonlArchive(path)
    await ids(provider, 0)
    await ids(provider, 2)

    path.write_text(content, "utf-8")

    assert await ids(provider, 2) == [json.loads(line)["msgid"] for line in content.splitlines()]


async def test_lines_that_are_no_messages_are_of_no_interest_and_stop_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{not json\n\n[1]\n\xff\xfe\n" + b"[" * 100_000 + b"\n" + lines(1).encode())

    read = [one async for one in JsonlArchive(path).read(0)]

    assert [isinstance(one.content, OfNoInterest) for one in read] == [True] * 4 + [False]
    assert read[-1].msgid == "M1"


async def test_a_line_without_measure_is_passed_over_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x" * (LONGEST_LINE + 3 * CHUNK) + b"\n" + lines(1).encode())
    provider = JsonlArchive(path)

    read = [one async for one in provider.read(0)]

    assert [type(one.content) for one in read] == [OfNoInterest, archive.Text]
    assert await ids(provider, 1) == ["M1"]


async def test_a_long_history_comes_a_thousand_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(lines(*range(2500)), "utf-8")
    provider, after, turns = JsonlArchive(path), 0, list[int]()

    while got := [one async for one in provider.read(after)]:
        after = got[-1].seq
        turns.append(len(got))

    assert turns == [AT_ONCE, AT_ONCE, 500]


async def test_a_new_reading_ends_an_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines(1, 2, 3), "utf-8")
    provider = JsonlArchive(tmp_path)
    earlier = provider.read(0)
    await anext(earlier)

    later = await ids(provider, 1)

    assert [one.msgid async for one in earlier] == []
    assert later == ["M2", "M3"]


@pytest.mark.parametrize(
    "written", ["", "{", "[]", '{"seq": "x", "files": [{"name": "../a", "offset": -1}]}']
)
async def test_a_position_that_cannot_be_read_is_begun_anew(tmp_path: Path, written: str) -> None:
    (tmp_path / "a.jsonl").write_text(lines(1), "utf-8")
    (tmp_path / "position").write_text(written, "utf-8")

    assert await ids(JsonlArchive(tmp_path, tmp_path / "position"), 0) == ["M1"]


class Writer:
    """Somebody who writes, turns and tears files, and remembers what was written whole."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.path, self.dice = folder / "a.jsonl", dice
        self.written: list[str] = []
        self.torn = b""
        self.path.touch()

    def append(self) -> None:
        self._write(self.torn)
        self.torn = b""
        for _ in range(self.dice.randint(1, 5)):
            number = f"{len(self.written)}-{'长' * self.dice.randint(0, 400)}"
            self.written.append(f"M{number}"[:1024])
            self._write(lines(number).encode())

    def tear(self) -> None:
        if not self.torn:
            self.written.append(f"M{len(self.written)}")
            line = lines(len(self.written) - 1).encode()
            cut = self.dice.randint(1, len(line) - 1)
            self._write(line[:cut])
            self.torn = line[cut:]

    def turn(self) -> None:
        self._write(self.torn)
        self.torn = b""
        if self.path.stat().st_size:
            for number in range(9, 0, -1):
                older = self.path.with_name(f"a.jsonl.{number}")
                if older.exists():
                    older.rename(self.path.with_name(f"a.jsonl.{number + 1}"))
            self.path.rename(self.path.with_name("a.jsonl.1"))
            self.path.touch()

    def _write(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)


@given(
    doings=st.lists(st.sampled_from(["append", "tear", "read", "read some", "turn", "restart"]), max_size=30),
    seed=st.integers(0, 999),
)
async def test_whatever_happens_to_a_file_every_message_comes_and_in_its_order(
    tmp_path_factory: pytest.TempPathFactory, doings: list[str], seed: int
) -> None:
    folder, dice = tmp_path_factory.mktemp("jsonl"), random.Random(seed)
    writer = Writer(folder, dice)
    provider, after, heard = JsonlArchive(writer.path, folder / "position"), 0, list[str]()

    async def read(most: int) -> None:
        nonlocal after
        async for one in provider.read(after):
            heard.append(one.msgid)
            after = one.seq
            most -= 1
            if not most:
                break

    turned_unread = False
    for doing in [*doings, "append", "read"]:
        match doing:
            case "read":
                await read(10_000)
                turned_unread = False
            case "read some":
                await read(dice.randint(1, 3))
            case "restart":
                provider = JsonlArchive(writer.path, folder / "position")
            case "turn" if not turned_unread:  # who turns twice between two readings outruns the reader
                await read(10_000)
                if dice.random() < 0.5:
                    writer.append()
                writer.turn()
                turned_unread = True
            case _:
                getattr(writer, "append" if doing == "turn" else doing)()

    assert heard == writer.written
    assert Counter(heard).most_common(1)[0][1] == 1


async def test_what_was_given_just_before_the_power_went_is_given_again_and_nothing_older(
    tmp_path: Path,
) -> None:
    path, position, now = tmp_path / "a.jsonl", tmp_path / "position", [1000.0]
    provider = JsonlArchive(path, position, lag=120, now=lambda: now[0])
    path.write_text(lines(1, 2), "utf-8")
    assert await ids(provider, 0) == ["M1", "M2"]
    assert await ids(provider, 2) == []

    now[0] += 121
    with path.open("a", encoding="utf-8") as file:
        file.write(lines(3))
    assert await ids(provider, 2) == ["M3"]
    assert await ids(provider, 3) == []

    after = json.loads(position.read_text("utf-8"))["seq"]
    assert after == 2
    assert await ids(JsonlArchive(path, position), after) == ["M3"]


async def test_before_anything_is_old_enough_the_beginning_is_given_again(tmp_path: Path) -> None:
    path, position = tmp_path / "a.jsonl", tmp_path / "position"
    provider = JsonlArchive(path, position, lag=120, now=lambda: 1000.0)
    path.write_text(lines(1), "utf-8")
    for after in (0, 1, 1):
        await ids(provider, after)

    assert not position.exists()
    assert await ids(JsonlArchive(path, position), 0) == ["M1"]
