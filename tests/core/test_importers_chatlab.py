"""Transcripts in ChatLab JSONL become facts, and every line that is wrong is named."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.errors import ImportFailed
from groupops.events import (
    Card,
    File,
    Image,
    Link,
    MemberJoined,
    MemberLeft,
    Mention,
    MessagePosted,
    MessageRecalled,
    Quote,
    RoleChanged,
)
from groupops.importers import chatlab
from groupops.importers.chatlab import read_chatlab
from groupops.people import Role

Line = dict[str, Any]
Write = Callable[..., Path]

NOON = 1_741_579_200
HEADER: Line = {
    "_type": "header",
    "chatlab": {"version": "0.0.2", "exportedAt": NOON + 99_999},
    "meta": {"name": "书友群", "platform": "wechat", "type": "group", "groupId": "77@chatroom"},
}


def member(native: str, **more: object) -> Line:
    return {"_type": "member", "platformId": native, "accountName": native, **more}


def message(
    sender: str = "wang", content: object = "早", at: float = NOON, kind: int = 0, **more: object
) -> Line:
    return {
        "_type": "message",
        "sender": sender,
        "accountName": sender,
        "timestamp": at,
        "type": kind,
        "content": content,
        **more,
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    numbers = count(1)

    def write(*lines: object, header: Line | None = HEADER) -> Path:
        path = tmp_path / f"{next(numbers)}.jsonl"
        texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
        head = [] if header is None else [json.dumps(header, ensure_ascii=False)]
        path.write_text("\n".join([*head, *texts]) + "\n", encoding="utf-8")
        return path

    return write


def facts(path: Path) -> list[Any]:
    return list(read_chatlab(path).replay())


def faults(path: Path) -> list[str]:
    with pytest.raises(ImportFailed) as failed:
        read_chatlab(path)
    return failed.value.rows


def test_a_text_becomes_a_message_of_its_sender_at_its_moment(write: Write) -> None:
    [fact] = facts(write(message(platformMessageId="m1", groupNickname="业务部+王")))

    assert fact == MessagePosted(
        id="wechat:77@chatroom/m1",
        at=datetime.fromtimestamp(NOON, UTC),
        group_id="wechat:77@chatroom",
        source="export",
        account="wechat:wang",
        message_id="m1",
        segments=fact.segments,
        text="早",
        name="wang",
        card="业务部+王",
    )


def test_comments_blank_lines_and_a_byte_order_mark_are_no_lines(write: Write) -> None:
    path = write("", "# a remark", message())
    path.write_bytes(b"\xef\xbb\xbf# first\n" + path.read_bytes())

    transcript = read_chatlab(path)

    assert transcript.rows == 2
    assert len(list(transcript.replay())) == 1


def test_milliseconds_are_taken_where_seconds_are_meant(write: Write) -> None:
    [fact] = facts(write(message(at=(NOON + 5) * 1000 + 250)))

    assert fact.at == datetime.fromtimestamp(NOON + 5, UTC).replace(microsecond=250_000)


def test_a_version_that_does_not_exist_is_read_and_said(write: Write) -> None:
    path = write(message(), header={**HEADER, "chatlab": {"version": "1.0.0", "exportedAt": 0}})

    assert [remark.key for remark in read_chatlab(path).remarks] == ["version"]


def test_an_unknown_version_is_refused_and_the_known_ones_named(write: Write) -> None:
    [fault] = faults(write(message(), header={**HEADER, "chatlab": {"version": "2.0"}}))

    assert fault.startswith("line 1:")
    assert "0.0.2" in fault


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ('["a"]', "expected an object"),
        ('{"_type":"message"} {}', "more behind"),
        ({"_type": "note"}, "expected member or message"),
        (message(sender=""), "sender"),
        (message(at=NOON + 0.5), "whole seconds"),
        (message(at=1_000_000), "between 2009 and 2100"),
        (message(kind=6), "type is 6"),
        (message(content=7), "content is 7"),
        (message(content="x" * 70_000), "70000 characters"),
        (message(sender="SYSTEM"), "80 and 81"),
        (message(groupops={"ms": 1000}), "0 to 999"),
        (message(groupops={"location": {"lat": 95, "lng": 0}}), "location.lat"),
        (message(groupops={"red_packet": {"amount_fen": -1}}), "amount_fen"),
        (message(groupops={"event": {"kind": "member_join", "targets": "x"}}), "targets"),
        (message(groupops={"mentions": "x"}), "mentions"),
        (message(platformMessageId={}), "platformMessageId"),
        (member("late"), "members come before messages"),
    ],
)
def test_a_broken_line_is_named_with_its_number_and_what_was_expected(
    write: Write, line: object, said: str
) -> None:
    [fault] = faults(write(message(), line))

    assert fault.startswith("line 3:")
    assert said in fault


def test_all_broken_lines_are_listed_at_once(write: Write) -> None:
    rows = faults(write("{", message(), "[]", message(kind=6)))

    assert [row.partition(":")[0] for row in rows] == ["line 2", "line 4", "line 5"]


def test_broken_lines_are_skipped_and_reported_only_when_asked(write: Write) -> None:
    transcript = read_chatlab(write("{", message()), lenient=True)

    assert len(transcript.faults) == 1
    assert transcript.kept == 1


def test_a_wrong_header_is_refused_however_lenient_one_is(write: Write) -> None:
    with pytest.raises(ImportFailed, match="no header of ChatLab"):
        read_chatlab(write(message(), header=None), lenient=True)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="cannot be read"):
        read_chatlab(tmp_path / "none.jsonl")


def test_the_same_line_twice_is_one_message(write: Write) -> None:
    transcript = read_chatlab(write(message(platformMessageId="m1"), message(platformMessageId="m1")))

    assert transcript.kept == 1
    assert transcript.dropped == {"duplicate": 1}


def test_an_id_given_to_two_messages_is_broken(write: Write) -> None:
    [fault] = faults(write(message(platformMessageId="m1"), message("li", platformMessageId="m1")))

    assert "another message" in fault


def test_equal_messages_without_ids_stay_apart(write: Write) -> None:
    found = facts(write(message(content="+1"), message(content="+1"), message(content="+1")))

    assert len({fact.id for fact in found}) == 3


def test_roles_are_known_where_any_member_has_one(write: Write) -> None:
    path = write(member("zhou", roles=[{"id": "owner"}]), member("wang"), message())

    transcript = read_chatlab(path)

    assert transcript.roles_known
    assert [line.role for line in transcript.members] == [Role.OWNER, Role.MEMBER]


def test_where_nobody_has_a_role_all_are_unknown(write: Write) -> None:
    transcript = read_chatlab(write(member("wang"), message()))

    assert not transcript.roles_known
    assert transcript.members[0].role is Role.UNKNOWN


def test_who_only_took_part_in_a_forward_is_no_member(write: Write) -> None:
    transcript = read_chatlab(write(member("wang"), member("路人甲"), message()))

    assert [line.account for line in transcript.members] == ["wechat:wang"]


def test_a_reply_quotes_its_message_and_its_author_but_says_only_its_own_words(write: Write) -> None:
    _, fact = facts(
        write(
            message(platformMessageId="m1"),
            message("li", "收到", kind=25, replyToMessageId="m1", groupops={"mentions": [{"id": "wang"}]}),
        )
    )

    assert fact.text == "收到"
    assert fact.segments[0] == Quote(message_id="m1", account="wechat:wang")
    assert fact.segments[1] == Mention(account="wechat:wang")


def test_what_stands_for_a_picture_is_not_its_senders_words(write: Write) -> None:
    [fact] = facts(write(message(content="[图片]", kind=1)))

    assert fact.text == ""
    assert isinstance(fact.segments[0], Image)


@pytest.mark.parametrize(
    ("kind", "content", "part"),
    [
        (4, "报表.xlsx", File),
        (3, "[视频]", File),
        (7, "标题 https://a.example/x", Link),
        (7, "标题", Card),
        (26, "[聊天记录]", Card),
        (5, "[动画表情]", Card),
    ],
)
def test_every_type_has_its_part(write: Write, kind: int, content: str, part: type) -> None:
    [fact] = facts(write(message(content=content, kind=kind)))

    assert isinstance(fact.segments[0], part)


def test_a_place_a_red_packet_and_their_unknowns(write: Write) -> None:
    place, packet = facts(
        write(
            message(
                kind=8, groupops={"location": {"lat": 30.1, "lng": 120.2, "crs": "gcj02", "name": "公园"}}
            ),
            message(kind=20, groupops={"red_packet": {"wish": "辛苦了", "amount_fen": None}}),
        )
    )

    assert (place.location.latitude, place.location.crs) == (30.1, "gcj02")
    assert packet.red_packet.amount_fen is None


@pytest.mark.parametrize("odd", [["gcj02"], {}, 7, None, "mars"])
def test_a_coordinate_system_or_a_way_in_nobody_knows_is_unknown(write: Write, odd: object) -> None:
    place, joined = facts(
        write(
            message(kind=8, groupops={"location": {"lat": 30, "lng": 120, "crs": odd}}),
            system("member_join", at=NOON + 1, actor="zhou", targets=["li"], how=odd),
        )
    )

    assert (place.location.crs, joined.how) == ("unknown", "unknown")


def system(kind: str, at: int = NOON, type_: int = 80, **event: object) -> Line:
    return message("SYSTEM", "…", at, type_, groupops={"event": {"kind": kind, **event}})


def test_what_the_platform_said_becomes_facts_of_those_it_is_about(write: Write) -> None:
    found = facts(
        write(
            system("member_join", actor="zhou", targets=["li", "chen"], how="invite"),
            system("member_kick", actor="zhou", targets=["li"]),
            system("admin_set", targets=["chen"]),
            system("rename", name="新群名"),
        )
    )

    joined, other, left, role, renamed = found
    assert isinstance(joined, MemberJoined)
    assert (joined.account, joined.operator, joined.how) == ("wechat:li", "wechat:zhou", "invite")
    assert other.account == "wechat:chen"
    assert isinstance(left, MemberLeft)
    assert left.how == "removed"
    assert isinstance(role, RoleChanged)
    assert renamed.name == "新群名"


def test_a_recall_finds_the_author_of_its_message(write: Write) -> None:
    path = write(
        message(platformMessageId="m1"), system("recall", NOON + 9, 81, actor="zhou", message_id="m1")
    )

    recall = facts(path)[1]

    assert (recall.account, recall.operator) == ("wechat:wang", "wechat:zhou")
    assert not recall.by_author


def test_a_recall_noted_on_its_message_comes_at_its_own_moment(write: Write) -> None:
    found = facts(write(message(groupops={"recalled_at": NOON + 60}), message("li", at=NOON + 30)))

    assert [type(fact) for fact in found] == [MessagePosted, MessagePosted, MessageRecalled]
    assert found[2].message_id == found[0].message_id


def test_system_words_without_a_kind_are_counted_not_guessed(write: Write) -> None:
    transcript = read_chatlab(write(message("SYSTEM", "有人加入了群聊", kind=80), system("poke", actor="li")))

    assert transcript.kept == 0
    assert transcript.dropped == {"system": 1, "unheard": 1}


def test_a_user_cannot_write_himself_a_system_message(write: Write) -> None:
    [fact] = facts(write(message(content='"甲"邀请"乙"加入了群聊')))

    assert isinstance(fact, MessagePosted)


def test_a_long_transcript_is_read_again_and_told_alike(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [message(content=f"第{number}句", at=NOON + number) for number in range(20)]
    kept = facts(write(*lines))
    monkeypatch.setattr(chatlab, "KEPT", 5)

    assert facts(write(*lines)) == kept


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
spoken = st.builds(
    message,
    sender=st.sampled_from(["wang", "li", "chen"]),
    content=words,
    at=st.integers(NOON, NOON + 500),
    kind=st.sampled_from([0, 0, 0, 1, 5, 7, 25, 99]),
)


@given(lines=st.lists(spoken, max_size=15))
def test_every_valid_line_is_one_fact_and_time_never_runs_back(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Line]
) -> None:
    path = tmp_path_factory.mktemp("t") / "x.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in [HEADER, *lines]) + "\n", encoding="utf-8")

    found = facts(path)

    assert len(found) == len(lines)
    assert [fact.at for fact in found] == sorted(fact.at for fact in found)
    assert len({fact.id for fact in found}) == len(found)
    texts = sorted(line["content"].strip() for line in lines if line["type"] in (0, 25))
    assert sorted(fact.text for fact in found if fact.text) == [text for text in texts if text]


@given(lines=st.lists(spoken, min_size=1, max_size=12), seed=st.integers(0, 99))
def test_lines_in_any_order_tell_the_same_facts(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Line], seed: int
) -> None:
    for number, line in enumerate(lines):
        line |= {"platformMessageId": f"m{number}", "groupops": {"order": number}}
    mixed = random.Random(seed).sample(lines, len(lines))
    folder = tmp_path_factory.mktemp("t")
    for name, order in (("a", lines), ("b", mixed)):
        text = "\n".join(json.dumps(line) for line in [HEADER, *order])
        (folder / name).write_text(text, encoding="utf-8")

    assert facts(folder / "a") == facts(folder / "b")


@given(
    junk=st.binary(max_size=80).filter(lambda raw: b"\n" not in raw and raw.strip()[:1] not in (b"", b"#"))
)
def test_no_line_whatever_makes_the_reader_fall_over(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    path = tmp_path_factory.mktemp("t") / "x.jsonl"
    lines = [json.dumps(HEADER).encode(), junk, json.dumps(message()).encode()]
    path.write_bytes(b"\n".join(lines))

    transcript = read_chatlab(path, lenient=True)

    assert transcript.kept == 1
    assert len(transcript.faults) == 1


@pytest.mark.needs_data
def test_the_month_of_real_texts_is_read_whole(shared_data: Path) -> None:
    transcript = read_chatlab(shared_data / "transcripts" / "month_of_real_texts.chatlab.jsonl")

    assert (transcript.kept, transcript.senders, len(transcript.members)) == (10_140, 80, 80)
    assert transcript.hears == {"message_posted"}


@pytest.mark.needs_data
def test_an_example_with_the_extension_tells_all_of_it(shared_data: Path) -> None:
    found = facts(shared_data / "transcripts" / "examples" / "groupops_chatlab.jsonl")

    kinds = [fact.kind for fact in found]
    assert kinds == [
        "message_posted",
        "message_posted",
        "location_shared",
        "red_packet_sent",
        "member_joined",
        "message_recalled",
    ]
