"""A member list is read as people have it: pasted, with numbers and roles, as a CSV, in any usual encoding."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.advise.members import members_of, read_members
from groupops.advise.names import NameBook, is_made
from groupops.advise.roster import MemberList
from groupops.errors import ImportFailed
from groupops.events import Listed
from groupops.importers.transcripts.values import Party
from groupops.people import AccountId, Role

from .exports import chatlab

NAMES = st.text(st.characters(categories=("L", "N")), min_size=2, max_size=20).filter(
    lambda name: not name[0].isdigit()
)


@given(st.lists(NAMES, min_size=1, max_size=30, unique_by=str.casefold))
def test_names_that_are_pasted_line_by_line_are_read_as_they_are(names: list[str]) -> None:
    headings = {"name", "card", "昵称", "名称", "成员"}
    listed = ["甲某", *(name for name in names if name not in headings)]

    assert [party.name for party in members_of("\n".join(listed), "-")] == listed


def test_numbers_bullets_roles_and_comments_are_no_part_of_a_name() -> None:
    text = "# 三月\n1. 王芳(群主)\n2、李军【管理员】\n- 赵敏\n\n周 平\n"

    read = [(party.name, party.role) for party in members_of(text, "-")]

    assert read == [
        ("王芳", Role.OWNER),
        ("李军", Role.ADMIN),
        ("赵敏", Role.UNKNOWN),
        ("周 平", Role.UNKNOWN),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_is_read_by_its_heading(separator: str) -> None:
    rows = [["微信号", "昵称", "群昵称", "角色"], ["wxid_1", "小王", "王芳", "群主"], ["", "小李", "", ""]]

    first, second = members_of("\n".join(separator.join(row) for row in rows), "-")

    assert (first.id, first.name, first.card, first.role) == ("wxid_1", "小王", "王芳", Role.OWNER)
    assert (second.id, second.name) == ("", "小李")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
def test_a_list_may_be_written_in_any_usual_encoding(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "members.txt"
    path.write_bytes("王芳\n李军\n".encode(encoding))

    assert [party.name for party in read_members(path)] == ["王芳", "李军"]


def test_a_transcript_that_lists_its_members_is_a_member_list(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    path.write_text(chatlab((0, "a", "早"), members=("a", "b")), "utf-8")

    assert [party.id for party in read_members(path)] == ["a", "b"]


@pytest.mark.parametrize("text", ["", "\n\n", "# 只有说明\n", "昵称,角色\n"])
def test_a_list_of_nobody_is_refused(text: str) -> None:
    with pytest.raises(ImportFailed, match="lists nobody"):
        members_of(text, "members.txt")


def test_a_line_that_is_no_name_is_named() -> None:
    with pytest.raises(ImportFailed, match="line 2"):
        members_of("王芳\n" + "长" * 200, "members.txt")


def test_a_name_stands_for_the_only_member_who_has_it_and_for_nobody_else() -> None:
    book = NameBook.of(
        "wechat",
        [
            Listed(account=AccountId("wechat:w1"), name="小王", card="王芳"),
            Listed(account=AccountId("wechat:w2"), name="小李"),
            Listed(account=AccountId("wechat:w3"), name="小李"),
        ],
    )

    assert book.account("王 芳") == ("wechat:w1", "one")
    assert book.account("小李") == ("wechat:name:小李", "twins")
    assert book.account("谁") == ("wechat:name:谁", "unknown")


def test_names_that_stand_twice_in_a_list_are_one_member_and_are_told() -> None:
    listed = MemberList.of([Party(name="李军"), Party(name="李军"), Party(name="王芳")], NameBook("wechat"))

    assert [line.account for line in listed.lines] == ["wechat:name:李军", "wechat:name:王芳"]
    assert listed.doubles == ("李军",)
    assert all(is_made(line.account) for line in listed.lines)
