"""A roster is held against the register: what would change is all said, and nothing else would."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from groupops.importers import Diff, compare, diff_json, diff_page, diff_text, read_people
from groupops.people import AccountId, Person, PersonId
from tests.core.importers.conftest import Csv

NOW = datetime(2026, 7, 6, 9, tzinfo=UTC)

FANG = Person(id=PersonId(1), ref="1", name="王芳", department="财务部", org_roles=frozenset({"hr"}))
LEI = Person(id=PersonId(2), ref="2", name="李雷", department="销售部")
GONE = Person(id=PersonId(3), ref="3", name="韩梅", active=False, left_at=datetime(2025, 1, 31, tzinfo=UTC))


def held(
    csv: Csv,
    *lines: str,
    persons: tuple[Person, ...] = (FANG, LEI, GONE),
    accounts: Mapping[str, int] | None = None,
    complete: bool = False,
) -> Diff:
    bound = {AccountId(account): PersonId(id_) for account, id_ in (accounts or {}).items()}
    return compare(read_people(csv(*lines)), persons, bound, now=NOW, complete=complete)


def test_who_is_as_the_register_says_is_left_alone(csv: Csv) -> None:
    diff = held(csv, "工号,姓名,部门,角色", "1,王芳,财务部,人事", "2,李雷,销售部,")

    assert diff.counts == {**dict.fromkeys(diff.counts, 0), "unchanged": 2}
    assert diff.lines == ()


def test_a_new_person_is_enrolled(csv: Csv) -> None:
    diff = held(csv, "工号,姓名,QQ号", "9,赵敏,880000009")

    assert [one.line.name for one in diff.new] == ["赵敏"]
    assert [one.account for one in diff.bind] == ["qq:880000009"]
    assert [(line.person_id, line.ref) for line in diff.lines] == [(None, "9")]


def test_a_change_names_field_before_and_after(csv: Csv) -> None:
    diff = held(csv, "工号,姓名,部门,角色", "1,王芳,销售部,管理员")

    [changed] = diff.changed
    assert [(one.field, one.before, one.after) for one in changed.fields] == [
        ("department", "财务部", "销售部"),
        ("roles", "人事", "管理员"),
    ]
    assert changed.line.person_id == 1


def test_what_the_file_has_no_column_for_stays(csv: Csv) -> None:
    diff = held(csv, "工号,姓名", "1,王小芳")

    [line] = diff.lines
    assert (line.name, line.department, line.org_roles) == ("王小芳", "财务部", {"hr"})


def test_an_empty_cell_clears_what_the_register_says(csv: Csv) -> None:
    assert held(csv, "工号,姓名,部门", "1,王芳,").lines[0].department == ""


def test_who_has_left_and_who_came_back_are_told_apart(csv: Csv) -> None:
    diff = held(csv, "工号,姓名,在职,离职日期", "1,王芳,否,2026-06-30", "3,韩梅,是,")

    assert [one.person.name for one in diff.left] == ["王芳"]
    assert [one.person.name for one in diff.returned] == ["韩梅"]
    assert diff.lines[0].left_at == datetime(2026, 6, 30, tzinfo=UTC)


def test_who_is_missing_is_reported_and_stays(csv: Csv) -> None:
    diff = held(csv, "工号,姓名,部门,角色", "1,王芳,财务部,人事")

    assert [person.name for person in diff.missing] == ["李雷"]
    assert diff.lines == ()


def test_who_is_missing_in_a_complete_file_has_left(csv: Csv) -> None:
    diff = held(csv, "工号,姓名,部门,角色", "1,王芳,财务部,人事", complete=True)

    assert [one.person.name for one in diff.left] == ["李雷"]
    assert [(line.person_id, line.active, line.left_at) for line in diff.lines] == [(2, False, NOW)]
    assert not diff.missing


def test_more_than_three_in_ten_do_not_leave_unasked(csv: Csv) -> None:
    ten = tuple(Person(id=PersonId(n), ref=str(n), name="王芳") for n in range(1, 11))
    seven = [f"{n},王芳" for n in range(1, 8)]

    assert not held(csv, "工号,姓名", *seven, persons=ten, complete=True).shrinks
    assert held(csv, "工号,姓名", *seven[1:], persons=ten, complete=True).shrinks
    assert not held(csv, "工号,姓名", *seven[1:], persons=ten).shrinks


def test_an_account_of_another_person_stays_there(csv: Csv) -> None:
    diff = held(csv, "工号,姓名,QQ号", "1,王芳,880000002", accounts={"qq:880000002": 2})

    assert [(one.account, one.holder.name) for one in diff.disputed] == [("qq:880000002", "李雷")]
    assert not diff.bind
    assert len(diff.lines) == 1


def test_a_person_without_a_number_is_known_by_an_account(csv: Csv) -> None:
    bare = Person(id=PersonId(7), name="赵敏")
    diff = held(csv, "工号,姓名,QQ号", "9,赵敏,880000009", persons=(bare,), accounts={"qq:880000009": 7})

    assert [(line.person_id, line.ref) for line in diff.lines] == [(7, "9")]


def test_a_number_of_its_own_makes_another_person_of_a_known_account(csv: Csv) -> None:
    diff = held(csv, "工号,姓名,QQ号", "9,赵敏,880000002", accounts={"qq:880000002": 2})

    assert [one.line.ref for one in diff.new] == ["9"]
    assert [one.holder.name for one in diff.disputed] == ["李雷"]


@pytest.mark.parametrize(
    "lines", [("1,王芳,财务部,", ",王芳,财务部,880000001"), (",王芳,财务部,880000001", "1,王芳,财务部,")]
)
def test_a_line_that_may_mean_a_person_named_already_is_not_guessed(csv: Csv, lines: tuple[str, ...]) -> None:
    diff = held(csv, "工号,姓名,部门,QQ号", *lines)

    assert [one.person.name for one in diff.unclear] == ["王芳"]


def test_of_two_registered_persons_of_one_name_none_is_picked(csv: Csv) -> None:
    two = (FANG, Person(id=PersonId(8), ref="8", name="王芳", department="财务部"))

    assert len(held(csv, "姓名,部门", "王芳,财务部", persons=two).unclear) == 1


def test_somebody_new_is_shown_beside_a_namesake_whom_the_file_does_not_name(csv: Csv) -> None:
    diff = held(csv, "姓名,部门", "李雷,财务部")

    assert [person.id for person in diff.new[0].alike] == [2]
    assert "登记册里有同名的 李雷（销售部，2）" in diff_text(diff)


def test_a_merge_is_a_proposal_until_it_is_done(csv: Csv) -> None:
    lines = ("工号,姓名,部门,角色,同一人", "1,王芳,财务部,人事,2")

    [proposal] = held(csv, *lines).merges
    assert (proposal.person, proposal.other, proposal.known) == (FANG, LEI, True)
    assert not held(csv, "工号,姓名,同一人", "1,王芳,77").merges[0].known


def test_the_text_counts_all_and_shows_the_first(csv: Csv) -> None:
    diff = held(csv, "工号,姓名", *(f"{n},赵敏" for n in range(100, 150)))

    said = diff_text(diff, shown=3)

    assert "新增 50，" in said
    assert "还有 47 个" in said
    assert "赵敏（103）" not in said


def test_every_change_stands_in_the_report(csv: Csv) -> None:
    diff = held(
        csv,
        "工号,姓名,部门,QQ号,同一人",
        "1,王芳,销售部,880000001,2",
        "9,赵敏,,880000002,",
        accounts={"qq:880000002": 2},
    )

    rows = [list(row) for row in diff_page(diff).rows]

    assert ["变更", "2", "1", "王芳", "财务部", "", "部门", "财务部", "销售部"] in rows
    assert {row[0] for row in rows} == {
        *("新增", "变更", "名册未列（保持不变）", "绑定账号"),
        *("有争议的账号（保持不变，由管理员决定）", "合并建议（由管理员决定）"),
    }
    assert all(len(row) == 9 for row in rows)
    assert diff_json(diff)["counts"] == diff.counts
