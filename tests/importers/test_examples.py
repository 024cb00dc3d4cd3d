"""Every shared example and sample is recognised, and read as the tables beside this file say."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from groupops.errors import ImportFailed
from groupops.importers.transcripts import Asked, Joined, Recalled, Said, detect
from groupops.importers.transcripts.words import formats
from tests.importers.conftest import place_of, short, values_of

TABLES: dict[str, Any] = tomllib.loads((Path(__file__).parent / "expected.toml").read_text("utf-8"))

SAID = Asked(day=date(2026, 1, 1), earliest=date(1800, 1, 1))
"""For what these files do not tell: the day of a chatlog TXT; some samples are of 1883 and of 1970."""


@pytest.mark.parametrize("name", sorted(TABLES))
def test_an_example_is_recognised_and_read_as_its_table_says(name: str, shared_data: Path) -> None:
    expected = TABLES[name]

    values, report = values_of(place_of(name, shared_data), SAID)

    assert report.format.id == expected["format"]
    assert [short(value) for value in values] == expected["rows"]
    assert dict(report.dropped) == expected.get("dropped", {})
    assert report.faults == []
    assert report.kept == len(values)


def test_every_example_and_every_sample_has_a_table(shared_data: Path) -> None:
    folder = shared_data / "transcripts"
    kept = {path for path in folder.rglob("*") if path.is_file() and path.parent != folder}
    notes = {path for path in kept if path.name.startswith(("LICENSE", "NOTICE"))}
    pieces = {path for path in kept if "qce_chunked" in path.parts}

    names = {str(path.relative_to(folder)) for path in kept - notes - pieces} | {"examples/qce_chunked"}

    ours = {name for name in TABLES if name.startswith("files/")}
    assert names - {"samples/qq_txt_mit/test_empty__lines.txt"} == set(TABLES) - ours


def test_every_format_that_is_read_has_a_table() -> None:
    assert {table["format"] for table in TABLES.values()} == {
        one.id for one in formats().values() if one.readable
    }


def test_a_heading_without_a_message_is_no_transcript(shared_data: Path) -> None:
    path = shared_data / "transcripts/samples/qq_txt_mit/test_empty__lines.txt"

    with pytest.raises(ImportFailed, match=r"no transcript this program knows; known are: ChatLab JSONL"):
        detect(path)


def test_a_month_of_talk_has_as_many_messages_as_it_has_labels(shared_data: Path) -> None:
    folder = shared_data / "transcripts"
    labels = (folder / "month_of_real_texts.labels.tsv").read_text("utf-8").splitlines()

    values, report = values_of(folder / "month_of_real_texts.chatlab.jsonl")

    assert [value.message_id for value in values if isinstance(value, Said)] == [
        line.split("\t")[0] for line in labels
    ]
    assert report.faulty == 0


def test_times_before_a_platform_kept_messages_are_faults_with_their_line(shared_data: Path) -> None:
    values, report = values_of(shared_data / "transcripts/samples/qq_txt_mit/test_group__lines.txt")

    assert values == []
    assert report.faulty == 4
    assert report.faults[0].startswith("line 5: its time is 1883-03-07 11:22:33, expected one from 2009")


def test_names_stand_beside_ids(shared_data: Path) -> None:
    values, _ = values_of(shared_data / "transcripts/examples/qq_txt_12h.txt")

    names = [value.sender.name for value in values if isinstance(value, Said)]

    assert names == ["松果", "米(粒)", "阿岚", "10003", "匿名"]  # the title in front of the first is no role


def test_a_join_carries_ids_where_the_format_writes_them(shared_data: Path) -> None:
    values, _ = values_of(shared_data / "transcripts/examples/chatlog.json")

    (joined,) = [value for value in values if isinstance(value, Joined)]

    assert [(one.id, one.name) for one in joined.who] == [("wxid_alan", "阿岚")]
    assert joined.by is not None
    assert (joined.by.id, joined.how) == ("wxid_songguo", "invite")


def test_places_and_red_packets_are_told_where_the_format_has_them(shared_data: Path) -> None:
    values, _ = values_of(shared_data / "transcripts/examples/weflow.json")
    place, packet = [value for value in values if isinstance(value, Said)][2:4]

    assert place.location is not None
    assert (place.location.latitude, place.location.longitude, place.location.crs) == (30.0, 120.0, "gcj02")
    assert packet.red_packet is not None
    assert packet.red_packet.amount_fen is None


def test_a_recall_of_the_archive_names_its_message(shared_data: Path) -> None:
    values, _ = values_of(shared_data / "transcripts/examples/wecom_archive.jsonl")

    (recall,) = [value for value in values if isinstance(value, Recalled)]

    assert recall.message_id == "3001_1767229503_external"
    assert recall.chat == "wr_demo_01"


def test_replies_and_mentions_of_qq_are_kept(shared_data: Path) -> None:
    values, _ = values_of(shared_data / "transcripts/examples/qce_v6.json")
    reply = values[1]

    assert isinstance(reply, Said)
    assert reply.reply is not None
    assert (reply.reply.message_id, reply.reply.sender) == ("7500000000000000001", "10001")
    assert [one.id for one in reply.mentions] == ["10001"]
    assert reply.text == "@松果·群主 好"


@pytest.mark.parametrize("encoding", ["utf8bom", "gbk", "utf16"])
def test_an_encoding_changes_nothing_but_itself(encoding: str, shared_data: Path) -> None:
    folder = shared_data / "transcripts/examples"
    plain, _ = values_of(folder / "qq_txt_12h.txt")

    values, report = values_of(folder / f"qq_txt_{encoding}.txt")

    assert report.encoding != "utf-8"
    assert values == plain
