"""What is written as interchange is read back as it was; facts come the same by each way there is."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import (
    AccountId,
    GroupId,
    GroupRenamed,
    Location,
    LocationShared,
    MemberJoined,
    MemberLeft,
    Mention,
    MessagePosted,
    MessageRecalled,
    Quote,
    RedPacket,
    RedPacketSent,
    Role,
    RoleChanged,
    Text,
)
from groupops.errors import ImportFailed
from groupops.events import Event
from groupops.importers.chatlab import read_chatlab
from groupops.importers.quick_facts import posted
from groupops.importers.transcripts import (
    Asked,
    Party,
    Report,
    Said,
    formats,
    opened_transcript,
    read,
    stream_facts,
)
from groupops.importers.transcripts.ids import SeenIds
from groupops.importers.transcripts.interchange import Names, header, row_of, row_of_fact, write
from tests.importers.conftest import Write, short, values_of

GROUP = GroupId("wechat:1@chatroom")
AT = datetime(2026, 1, 1, 1, 5, 3, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\u2028\ufeff"), max_size=20)
NAMES = st.text("松果米粒ab·-", min_size=1, max_size=6)


def of(number: int) -> dict[str, Any]:
    return {
        "id": f"{GROUP}/m{number}",
        "at": AT + timedelta(seconds=number),
        "group_id": GROUP,
        "source": "export",
    }


def account(name: str) -> AccountId:
    return AccountId(f"wechat:wxid_{name}")


def written(rows: list[Any], path: Path) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


FACTS: list[Event] = [
    MessagePosted(**of(1), account=account("a"), message_id="m1", segments=(Text(text="早 "),), text="早", name="松果", card="财务-松果"),
    MessagePosted(
        **of(2),
        account=account("b"),
        message_id="m2",
        segments=(
            Quote(message_id="m1", account=account("a"), text="早"),
            Mention(account=account("a"), name="松果"),
            Mention(account=None, name=""),
            Text(text="好"),
        ),
        name="米粒",
    ),
    LocationShared(**of(3), account=account("a"), location=Location(latitude=30.0, longitude=120.0, crs="gcj02", label="园"), message_id="m3"),
    RedPacketSent(**of(4), account=account("a"), red_packet=RedPacket(wish="恭喜", amount_fen=600), message_id="m4"),
]  # fmt: skip


def test_facts_are_read_back_as_they_were(tmp_path: Path) -> None:
    head = header(GROUP, name="群", exported_at=AT, has=("joins", "leaves", "recalls"))

    path = written([head, *map(row_of_fact, FACTS)], tmp_path / "talk.jsonl")

    read_back = list(read_chatlab(path).replay())
    assert [fact.id for fact in read_back] == [fact.id for fact in FACTS]
    assert read_back[1:] == FACTS[1:]


@pytest.mark.parametrize(
    "fact",
    [
        MemberJoined(**of(5), account=account("c"), name="阿岚", operator=account("a"), how="invite"),
        MemberLeft(**of(6), account=account("c"), how="left"),
        MemberLeft(**of(7), account=account("c"), operator=account("a"), how="removed"),
        MessageRecalled(**of(8), account=account("a"), message_id="m1", operator=account("b")),
        GroupRenamed(**of(9), name="新名", operator=account("a")),
        RoleChanged(**of(10), account=account("b"), role=Role.ADMIN),
    ],
    ids=lambda fact: fact.kind,
)
def test_what_the_platform_tells_is_read_back_but_for_its_number(fact: Event, tmp_path: Path) -> None:
    path = written([header(GROUP, name="群", exported_at=AT), row_of_fact(fact)], tmp_path / "talk.jsonl")

    (read_back,) = read_chatlab(path).replay()

    for key in type(fact).__dataclass_fields__:
        assert key == "id" or getattr(read_back, key) == getattr(fact, key)


@given(text=TEXTS, name=NAMES, card=st.just("") | NAMES, seconds=st.integers(0, 10**8))
def test_the_quick_way_to_a_fact_gives_the_same_fact(text: str, name: str, card: str, seconds: int) -> None:
    at = AT + timedelta(seconds=seconds)

    quick = posted("i", at, GROUP, "export", account("a"), "m", text, name, card)

    slow = MessagePosted(
        id="i",
        at=at,
        group_id=GROUP,
        source="export",
        account=account("a"),
        message_id="m",
        segments=(Text(text=text),),
        text=text.strip(),
        name=name,
        card=card,
    )
    assert quick == slow
    assert hash(quick) == hash(slow)


def test_facts_in_a_stream_are_the_facts_of_a_replay(shared_data: Path) -> None:
    for name in ("month_of_real_texts.chatlab.jsonl", "examples/groupops_chatlab.jsonl"):
        path = shared_data / "transcripts" / name

        assert sorted(stream_facts(path), key=lambda fact: fact.id) == sorted(
            read_chatlab(path).replay(), key=lambda fact: fact.id
        )


def test_a_stream_tells_what_it_cannot_read_and_goes_on(write: Write) -> None:
    head = '{"_type":"header","chatlab":{"version":"0.0.2","exportedAt":0},"meta":{"name":"群","platform":"qq"}}\n'
    good = '{"_type":"message","sender":"1","accountName":"松果","timestamp":1767229503,"type":0,"content":"早","platformMessageId":"7"}\n'
    lines = [
        good,
        "{\n",
        good.replace('"7"', '"8"').replace("1767229503", "12"),
        good,
        good.replace('"7"', '"9"'),
    ]
    path = write("# ours\n" + head + "\n" + "".join(lines))
    report = Report(name="talk", format=formats()["chatlab-jsonl"])

    facts = list(stream_facts(path, report))

    assert [fact.id for fact in facts] == ["qq:name:群/7", "qq:name:群/9"]
    assert report.dropped["duplicate"] == 1
    assert [fault.partition(":")[0] for fault in report.faults] == ["line 5", "line 6"]


def test_a_stream_takes_no_other_format(write: Write) -> None:
    with pytest.raises(ImportFailed, match="expected ChatLab JSONL"):
        stream_facts(write("null"))


@pytest.mark.parametrize(
    "name", ["chatlog.json", "echotrace.json", "qce_v6.json", "qq_txt_gbk.txt", "wechat_mail_group.txt"]
)
def test_a_foreign_transcript_comes_back_from_interchange(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "transcripts/examples" / name
    values, report = values_of(path)
    made = tmp_path / "made.jsonl"
    head = header(GROUP, name="青竹", exported_at=AT, precision=report.precision, identity=report.identity)

    with made.open("wb") as file:
        count = write(file, [head, *(row_of(value, Names.of(report)) for value in values)])

    back, again = values_of(made)
    assert count == len(values) + 1
    assert [short(value) for value in back] == [short(value) for value in values]
    assert [one.text for one in back if isinstance(one, Said)] == [
        one.text for one in values if isinstance(one, Said)
    ]
    assert (again.precision, again.identity) == (report.precision, report.identity)


def test_half_a_character_is_written_and_read(tmp_path: Path) -> None:
    value = Said(row=1, at=AT, sender=Party(id="wxid_a", name="松果"), text="\ud83d")
    file = io.BytesIO()

    write(file, [header(GROUP, name="群", exported_at=AT), row_of(value, Names())])

    path = tmp_path / "talk"
    path.write_bytes(file.getvalue())
    (back,) = read(path)
    assert isinstance(back, Said)
    assert back.text == "\ud83d"


def test_a_name_two_senders_have_stands_for_neither(shared_data: Path) -> None:
    _, report = values_of(shared_data / "transcripts/examples/echotrace.json")
    names = Names.of(report)

    assert names.ids["松果"] == "wxid_songguo"
    assert "阿岚" not in names.ids


def test_a_joiner_nobody_can_name_by_id_becomes_no_member(shared_data: Path) -> None:
    with opened_transcript(shared_data / "transcripts/examples/echotrace.json") as transcript:
        kinds = [fact.kind for fact in transcript.replay()]

    assert "member_joined" not in kinds
    assert transcript.dropped == {"unheard": 1}


def test_a_red_packet_somebody_typed_is_only_words(shared_data: Path) -> None:
    with opened_transcript(shared_data / "transcripts/examples/qq_txt_12h.txt") as transcript:
        facts = list(transcript.replay())

    assert "red_packet_sent" not in {fact.kind for fact in facts}


def test_in_a_file_of_ids_a_mere_name_is_nobody(shared_data: Path) -> None:
    with opened_transcript(shared_data / "transcripts/examples/qq_txt_12h.txt") as transcript:
        accounts = [fact.account for fact in transcript.replay() if isinstance(fact, MessagePosted)]

    assert accounts[-1] == ""


def test_a_file_of_several_groups_wants_one_of_them_named(shared_data: Path) -> None:
    path = shared_data / "transcripts/samples/wecom_archive_apache2/wxjava_msgaudit_pseudonymised.jsonl"

    with (
        pytest.raises(ImportFailed, match="several groups, name one of them"),
        opened_transcript(path, lenient=True),
    ):
        pass
    with opened_transcript(path, lenient=True, asked=Asked(chat="wr_sample_02")) as transcript:
        assert transcript.head.group_id == "wecom:wr_sample_02"
        assert transcript.kept == 1


def test_rows_that_cannot_be_read_stop_an_import_unless_they_may_be_skipped(write: Write) -> None:
    path = write("2026-01-01 09:05:03 '松果'\n早\n\n2026-13-01 09:05:03 '米粒'\n好\n")

    with pytest.raises(ImportFailed, match="line 4: "), opened_transcript(path):
        pass
    with opened_transcript(path, lenient=True) as transcript:
        assert (transcript.kept, len(transcript.faults)) == (1, 1)


@given(ids=st.lists(st.text("abc", max_size=2), max_size=60))
def test_an_id_is_new_once(ids: list[str]) -> None:
    seen = SeenIds()

    news = [seen.add(one) for one in ids]

    assert sum(news) == len(set(ids)) == len(seen)
