"""What the contacts say of people becomes lines of a roster: as little as is needed, and nobody leaves by mistake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from groupops import AccountId, Person, PersonId
from groupops_wecom.contacts import Member, Status
from groupops_wecom.people import (
    Found,
    Register,
    Staff,
    changed_line,
    employee_of,
    held_against,
    left_line,
    staff_of,
)

NOW = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)
DEPARTMENTS = {1: "公司", 2: "财务部", 3: "销售部"}


def user(userid: str, name: str, department: int = 2, **more: Any) -> Member:
    return Member(
        **{"userid": userid, "name": name, "departments": (department,), "status": Status.ACTIVE, **more}
    )


def person(number: int, name: str, department: str = "财务部", **more: Any) -> Person:
    return Person(id=PersonId(number), name=name, department=department, **more)


def register(*persons: Person, **accounts: int) -> Register:
    """`register(person(1, …), wangfang=1)`: person 1 has the account `wecom:wangfang`."""
    holders = {AccountId(f"wecom:{name}"): PersonId(number) for name, number in accounts.items()}
    return Register(persons, holders)


def compared(users: Sequence[Member], there: Register, known: Sequence[str] = (), **more: Any) -> Found:
    return held_against(staff_of(users, DEPARTMENTS), there, known, now=NOW, zone=UTC, **more)


# — reading —


def test_a_member_is_read_with_name_department_and_position_and_nothing_else() -> None:
    one = employee_of(user("wangfang", "王芳", position="会计", alias="小芳", leaders=("boss",)), DEPARTMENTS)

    assert (one.userid, one.name, one.department, one.position, one.left) == (
        "wangfang",
        "王芳",
        "财务部",
        "会计",
        False,
    )
    assert "小芳" not in repr(one)
    assert "boss" not in repr(one)


def test_the_main_department_counts_of_several() -> None:
    one = employee_of(user("a", "甲", departments=(2, 3), main_department=3), DEPARTMENTS)

    assert one.department == "销售部"


def test_a_department_the_app_does_not_see_has_no_name() -> None:
    assert employee_of(user("a", "甲", 99), DEPARTMENTS).department == ""


def test_ids_keep_the_case_of_their_letters() -> None:
    [one] = staff_of([user("ZhangSan", "张三")], DEPARTMENTS).employees

    assert one.line().accounts == ("wecom:ZhangSan",)


@given(
    st.builds(
        Member,
        userid=st.text(min_size=1),
        name=st.text(),
        departments=st.lists(st.integers()).map(tuple),
        main_department=st.integers(),
        position=st.text(),
        status=st.sampled_from(Status),
    )
)
def test_members_of_any_shape_are_read(member: Member) -> None:
    staff = staff_of([member], DEPARTMENTS)

    assert len(staff.employees) + len(staff.unseen) == 1


# — held against the register —


def test_somebody_new_is_a_new_person_with_the_account() -> None:
    found = compared([user("wangfang", "王芳", position="会计")], register())

    [new] = found.diff.new
    assert (new.line.name, new.line.accounts) == ("王芳", ("wecom:wangfang",))
    assert found.diff.lines == (new.line,)


def test_whom_hr_has_registered_gets_the_account_and_keeps_what_contacts_do_not_know() -> None:
    hers = person(1, "王芳", ref="10023", region="合肥", org_roles=frozenset({"steward"}))

    found = compared([user("wangfang", "王芳")], register(hers))

    [line] = found.diff.lines
    assert (line.person_id, line.ref, line.region) == (1, "10023", "合肥")
    assert line.org_roles == {"steward"}
    assert [bind.account for bind in found.diff.bind] == ["wecom:wangfang"]


def test_an_empty_position_wipes_none_out() -> None:
    found = compared(
        [user("wangfang", "王芳", position="")], register(person(1, "王芳", position="会计"), wangfang=1)
    )

    assert (found.diff.lines, found.diff.unchanged) == ((), 1)


def test_another_department_is_a_change_unless_details_are_to_be_kept() -> None:
    there = register(person(1, "王芳"), wangfang=1)

    changed = compared([user("wangfang", "王芳", 3)], there)
    kept = compared([user("wangfang", "王芳", 3)], there, keep_details=True)

    assert [change.after for one in changed.diff.changed for change in one.fields] == ["销售部"]
    assert (kept.diff.changed, kept.diff.lines) == ((), ())


def test_who_is_not_in_the_contacts_any_more_has_left() -> None:
    there = register(person(1, "王芳"), person(2, "李雷"), wangfang=1, lilei=2)

    found = compared([user("wangfang", "王芳")], there, known=["wangfang", "lilei"])

    [left] = found.diff.left
    assert (left.person.name, left.line.active, found.gone) == ("李雷", False, ("lilei",))


def test_who_left_by_the_contacts_own_word_has_left() -> None:
    found = compared([user("lilei", "李雷", status=Status.LEFT)], register(person(2, "李雷"), lilei=2))

    assert [one.person.name for one in found.diff.left] == ["李雷"]


def test_who_left_before_being_registered_is_none_of_ours() -> None:
    assert compared([user("lilei", "李雷", status=Status.LEFT)], register()).diff.lines == ()


def test_people_who_were_never_in_the_contacts_do_not_leave_by_them() -> None:
    hers, customers = person(1, "王芳"), person(2, "客户甲")
    there = Register(
        (hers, customers), {AccountId("qq:1"): hers.id, AccountId("wecom:wmExt0001"): customers.id}
    )

    found = compared([user("lilei", "李雷")], there, known=["lilei"])

    assert (found.diff.left, found.gone) == ((), ())
    assert [one.name for one in found.diff.missing] == ["客户甲"]


def test_a_member_whose_name_the_app_may_not_see_has_not_left() -> None:
    there = register(person(1, "王芳"), wangfang=1)

    found = compared([user("wangfang", "")], there, known=["wangfang"])

    assert (found.gone, found.diff.lines) == ((), ())


def test_who_has_another_id_now_has_not_left() -> None:
    there = register(person(1, "王芳"), wangfang=1, fang=1)

    found = compared([user("fang", "王芳")], there, known=["wangfang"])

    assert found.diff.left == ()


def test_who_comes_back_is_there_again() -> None:
    gone = person(2, "李雷", active=False, left_at=NOW)

    found = compared([user("lilei", "李雷")], register(gone, lilei=2))

    assert [(one.person.name, one.line.active) for one in found.diff.returned] == [("李雷", True)]


def test_two_of_one_name_in_one_department_are_asked_about_when_one_is_registered_twice() -> None:
    there = register(person(1, "王芳"), person(2, "王芳"))

    found = compared([user("wangfang", "王芳")], there)

    assert [one.line.name for one in found.diff.unclear] == ["王芳"]


def test_a_third_gone_at_once_is_looked_at_by_a_human_first() -> None:
    users = [user(f"u{n}", f"甲{n}") for n in range(6)]

    assert compared(users, register(), known=[f"u{n}" for n in range(10)]).shrinks
    assert not compared(users, register(), known=[f"u{n}" for n in range(8)]).shrinks


NAMES = st.sampled_from(["王芳", "李雷", "韩梅梅"])
PEOPLE = st.lists(
    st.tuples(st.sampled_from("abcdef"), NAMES, st.sampled_from([2, 3])), unique_by=lambda one: one[0]
)


@given(PEOPLE, PEOPLE, st.sets(st.sampled_from("abcdef")))
def test_nobody_leaves_who_is_still_there_and_applying_twice_changes_nothing(
    registered: list[tuple[str, str, int]], told: list[tuple[str, str, int]], known: set[str]
) -> None:
    persons = tuple(
        person(number, name, DEPARTMENTS[department])
        for number, (_, name, department) in enumerate(registered, 1)
    )
    there = Register(
        persons,
        {AccountId(f"wecom:{one[0]}"): PersonId(number) for number, one in enumerate(registered, 1)},
    )

    found = compared([user(*one) for one in told], there, sorted(known))

    leaving = {one.person.id for one in found.diff.left}
    staying = {there.holders.get(AccountId(f"wecom:{one[0]}")) for one in told}
    assert leaving.isdisjoint(staying)
    assert {line.person_id for line in found.diff.lines if not line.active} == leaving


# — one at a time —


def test_a_newcomer_told_by_an_event_is_enrolled() -> None:
    one = employee_of(user("wangfang", "王芳"), DEPARTMENTS)

    line = changed_line(one, None)

    assert line is not None
    assert (line.person_id, line.name, line.accounts) == (None, "王芳", ("wecom:wangfang",))


def test_a_change_told_by_an_event_keeps_what_contacts_do_not_know() -> None:
    one = employee_of(user("wangfang", "王芳", 3), DEPARTMENTS)

    line = changed_line(one, person(1, "王芳", ref="10023", position="会计"))

    assert line is not None
    assert (line.person_id, line.ref, line.department, line.position) == (1, "10023", "销售部", "会计")


def test_an_event_that_changes_nothing_says_nothing() -> None:
    one = employee_of(user("wangfang", "王芳"), DEPARTMENTS)

    assert changed_line(one, person(1, "王芳")) is None


def test_who_is_deleted_leaves_once() -> None:
    line = left_line(person(1, "王芳"))

    assert line is not None
    assert (line.person_id, line.active) == (1, False)
    assert left_line(person(1, "王芳", active=False)) is None
    assert left_line(None) is None


def test_of_whom_nobody_registered_the_contacts_tell_as_of_somebody_new() -> None:
    unknown = person(9, "", provisional=True)

    line = changed_line(employee_of(user("wangfang", "王芳"), DEPARTMENTS), unknown)

    assert line is not None
    assert line.person_id is None
    assert left_line(unknown) is None


def test_the_mark_of_contacts_tells_two_states_apart() -> None:
    one, other = (staff_of([user("a", name)], DEPARTMENTS) for name in ("甲", "乙"))

    assert one.sha256 != other.sha256
    assert Staff(employees=one.employees, departments=3).sha256 == one.sha256
