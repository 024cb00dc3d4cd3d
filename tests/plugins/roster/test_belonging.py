"""Whom a regulation's word picks, how somebody stands to the roster, and whose roster somebody may change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import AccountId, Member, Person, PersonId, Role
from groupops_roster.belonging import Authority, Selector, Standing, authority_of, standing_of
from groupops_roster.checking import too_many
from groupops_roster.newcomers import matching


def person(**more: Any) -> Person:
    return Person(id=PersonId(1), name="张三", **more)


def giver(role: Role = Role.MEMBER, *, steward: bool = False) -> Member:
    return Member(account=AccountId("qq:1"), role=role, steward=steward)


@pytest.mark.parametrize(
    ("word", "who"),
    [
        ("总监", person(position="销售总监")),
        ("店长", person(position="店长")),
        ("部门主管", person(org_roles=frozenset({"部门主管"}))),
        ("招商中心", person(department="招商中心")),
        ("招商中心", person(department="招商中心一组")),
        ("各项目招商部", person(department="城东项目招商部")),
        ("各项目招商部", person(department="万悦广场招商部")),
        ("管理人员", person(position="财务经理")),
        ("管理人员", person(org_roles=frozenset({"leader"}))),
        ("徽商银行", person(company="徽商银行")),
    ],
)
def test_a_regulations_word_picks(word: str, who: Person) -> None:
    assert Selector(word).picks(who)


@pytest.mark.parametrize(
    ("word", "who"),
    [
        ("总监", person(position="总监助理")),
        ("招商中心", person(department="法务部")),
        ("各项目招商部", person(department="招商部")),
        ("各项目招商部", person(department="招商中心")),
        ("管理人员", person(position="店员")),
        ("各", person(department="招商部")),
    ],
)
def test_and_passes_over(word: str, who: Person) -> None:
    assert not Selector(word).picks(who)


def test_how_somebody_stands_to_the_roster() -> None:
    units = (Selector("招商中心"),)
    assert standing_of(None, "employees", ()) is Standing.UNKNOWN
    assert standing_of(person(active=False), "employees", ()) is Standing.LEFT
    assert standing_of(person(department="法务部"), "employees", units) is Standing.REGISTERED
    assert standing_of(person(department="法务部"), "department", units) is Standing.ELSEWHERE
    assert standing_of(person(department="招商中心"), "department", units) is Standing.REGISTERED


def test_a_steward_may_change_everything_and_a_member_nothing() -> None:
    everything = authority_of(giver(steward=True), None, ())
    assert everything is not None
    assert everything.over_unit("", "任何部门")
    assert authority_of(giver(), person(department="财务部"), ("项目招商经理",)) is None


def test_a_delegate_may_change_the_own_unit_of_the_own_company() -> None:
    who = person(company="甲公司", department="销售部", org_roles=frozenset({"专管员"}))
    authority = authority_of(giver(), who, ("专管员",))
    assert authority is not None
    assert authority.over_unit("甲公司", "销售部")
    assert not authority.over_unit("乙公司", "销售部")
    assert not authority.over_unit("甲公司", "财务部")


def test_who_left_is_a_delegate_no_more() -> None:
    who = person(department="销售部", org_roles=frozenset({"专管员"}), active=False)
    assert authority_of(giver(), who, ("专管员",)) is None


def test_a_groups_creator_looks_after_who_is_in_it() -> None:
    authority = authority_of(giver(Role.OWNER), person(department="办公室"), ("群创建人",))
    assert authority is not None
    assert authority.over(person(department="作业区"), inside=True)
    assert not authority.over(person(department="作业区"), inside=False)
    assert authority_of(giver(Role.ADMIN), person(department="办公室"), ("群创建人",)) is None


@given(st.text(max_size=12), st.text(max_size=12))
def test_without_a_unit_nobody_changes_any(company: str, department: str) -> None:
    assert not Authority().over_unit(company, department)


_UNITS = st.sampled_from(["销售部", "财务部", ""])
_PERSONS = st.lists(
    st.builds(
        Person,
        id=st.integers(1, 99).map(PersonId),
        name=st.just("张三"),
        department=_UNITS,
        ref=st.text("01A", max_size=6),
        active=st.booleans(),
    ),
    max_size=8,
)


@given(_PERSONS, _UNITS, st.text("01A", max_size=6))
def test_an_answer_fits_one_active_person_of_that_unit_and_number_or_nobody(
    persons: list[Person], unit: str, number: str
) -> None:
    found = matching(persons, unit, number)

    if found is not None:
        alike = [one for one in persons if one.active and one.department == unit and one.ref.endswith(number)]
        assert alike == [found]
        assert len(number) >= 4


@pytest.mark.parametrize(("unknown", "members", "so"), [(10, 10, False), (11, 12, True), (30, 100, False), (31, 100, True)])  # fmt: skip
def test_a_roster_that_knows_too_few_is_doubted(unknown: int, members: int, *, so: bool) -> None:
    assert too_many(unknown, members) is so
