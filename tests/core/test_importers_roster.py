"""A roster becomes persons with roles and accounts: all of them, or none and a list of what is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from groupops.errors import ImportFailed
from groupops.importers.roster import enrol, read_roster
from groupops.people import AccountId
from groupops.store.memory import MemoryRecords

Write = Callable[..., Path]

HEAD = "姓名,部门,职务,角色,手机号,微信号,QQ号,企业微信号,在职\n"


@pytest.fixture
def roster(tmp_path: Path) -> Write:
    def roster(text: str, encoding: str = "utf-8-sig", head: str = HEAD) -> Path:
        path = tmp_path / "roster.csv"
        path.write_bytes((head + text).encode(encoding))
        return path

    return roster


def faults(path: Path) -> list[str]:
    with pytest.raises(ImportFailed) as failed:
        read_roster(path)
    return failed.value.rows


def test_a_line_is_a_person_with_roles_and_accounts(roster: Write) -> None:
    [entry] = read_roster(roster("王芳,财务部,主管,领导、人事,199 0000-0000,wxid_1,880000000,emp1,是\n"))

    assert entry.name == "王芳"
    assert entry.org_roles == {"leader", "hr"}
    assert entry.accounts == ("wechat:wxid_1", "qq:880000000", "wecom:emp1")
    assert entry.active


def test_a_role_we_have_no_word_for_stays_as_it_is_written(roster: Write) -> None:
    [entry] = read_roster(roster("王芳,,,业务人员,,,,,\n"))

    assert entry.org_roles == {"业务人员"}


def test_who_has_left_is_on_the_roster_and_not_active(roster: Write) -> None:
    [entry] = read_roster(roster("王芳,,,,,,,,否\n"))

    assert not entry.active


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_it_may_be_saved_as_excel_saves_it(roster: Write, encoding: str) -> None:
    [entry] = read_roster(roster("王芳,,,,,,,,\n", encoding))

    assert entry.name == "王芳"


def test_all_that_is_wrong_is_listed_and_nothing_is_kept(roster: Write) -> None:
    rows = faults(
        roster(",,,,,,,,是\n王芳,,,,abc,,,,是\n李四,,,,,,12,,是\n赵六,,,,,,,,也许\n钱七,,\n", head=HEAD)
    )

    assert any("第 2 行 A 列「姓名」" in row for row in rows)
    assert any("第 3 行 E 列「手机号」写的是“abc”" in row for row in rows)
    assert any("第 4 行 G 列「QQ号」写的是“12”" in row for row in rows)
    assert any("第 5 行 I 列「在职」写的是“也许”" in row for row in rows)
    assert any("第 6 行：有 3 格" in row for row in rows)
    assert len(rows) == 5


def test_an_account_of_two_persons_names_both_lines(roster: Write) -> None:
    [row] = faults(roster("王芳,,,,,wxid_1,,,\n李四,,,,,wxid_1,,,\n"))

    assert row.startswith("第 3 行 F 列「微信号」写的是“wxid_1”：第 2 行（王芳）已经有账号 wxid_1。")


def test_an_unknown_column_is_named_with_the_nearest_known_one(roster: Write) -> None:
    [row] = faults(roster("王芳,1\n", head="姓名,联系电话号\n"))

    assert "「联系电话号」" in row
    assert "是不是“联系电话”" in row


def test_without_a_column_of_names_there_is_no_roster(roster: Write) -> None:
    [row] = faults(roster("财务部\n", head="部门\n"))

    assert "姓名" in row


async def test_enrolled_persons_are_found_by_any_of_their_accounts(roster: Write) -> None:
    records = MemoryRecords()
    await enrol(read_roster(roster("王芳,财务部,,管理员,,wxid_1,880000000,,\n")), records)

    by_wechat = await records.person_of(AccountId("wechat:wxid_1"))
    by_qq = await records.person_of(AccountId("qq:880000000"))

    assert by_wechat == by_qq
    assert (by_wechat.name, by_wechat.org_roles) == ("王芳", {"steward"})


@pytest.mark.needs_data
def test_the_shared_roster_is_read_whole(shared_data: Path) -> None:
    entries = read_roster(shared_data / "transcripts" / "roster.csv")

    assert len(entries) == 80
    assert sum(not entry.active for entry in entries) == 4
