"""What a roster says of persons comes to the same whoever reads it, and takes nothing from anybody."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from groupops.enrolment import plan_enrolment
from groupops.people import AccountId, Person, PersonId, PersonLine
from groupops.testing import rig

NOON = datetime(2025, 3, 3, 4, 0, tzinfo=UTC)
LI = AccountId("sandbox:li")
WANG = AccountId("sandbox:wang")

PACK = """
schema = 1
[pack]
id = "mine"
title = "mine"
"""


def registered(number: int, name: str, **more: object) -> Person:
    return Person(id=PersonId(number), name=name, **more)  # type: ignore[arg-type]


# — whom a line names —


def test_a_line_names_the_person_of_its_number_even_under_another_name() -> None:
    known = registered(7, "李雷", ref="1001")

    (one,) = plan_enrolment([PersonLine(ref="1001", name="李磊")], [known], {}, now=NOON)

    assert one.person.id == 7
    assert one.changed


def test_a_line_without_a_number_names_the_holder_of_its_account() -> None:
    known = registered(7, "李雷", ref="1001")

    (one,) = plan_enrolment([PersonLine(name="李磊", accounts=(LI,))], [known], {LI: known}, now=NOON)

    assert one.person.id == 7


def test_a_line_with_another_number_never_names_the_holder_of_its_account() -> None:
    known = registered(7, "李雷", ref="1001")
    line = PersonLine(ref="1002", name="李雷", accounts=(LI,))

    (one,) = plan_enrolment([line], [known], {LI: known}, now=NOON)

    assert one.before is None
    assert one.held == {LI: 7}


def test_a_line_names_the_only_one_of_that_name_in_that_department() -> None:
    two = [registered(1, "张三", department="销售部"), registered(2, "张三", department="财务部")]

    (one,) = plan_enrolment([PersonLine(name="张三", department="财务部")], two, {}, now=NOON)

    assert one.person.id == 2


def test_of_two_of_that_name_in_that_department_neither_is_named() -> None:
    two = [registered(1, "张三", department="销售部"), registered(2, "张三", department="销售部")]

    (one,) = plan_enrolment([PersonLine(name="张三", department="销售部")], two, {}, now=NOON)

    assert one.before is None


def test_who_left_without_a_date_left_now_and_keeps_that_date() -> None:
    known = registered(7, "李雷", ref="1001")
    line = PersonLine(ref="1001", name="李雷", active=False)

    (left,) = plan_enrolment([line], [known], {}, now=NOON)
    (later,) = plan_enrolment([line], [left.person], {}, now=NOON.replace(day=9))

    assert left.person.left_at == NOON
    assert not later.changed


NAMES = st.sampled_from(["张三", "李四", "王五"])
REFS = st.sampled_from(["", "1", "2", "3"])
LINES = st.builds(PersonLine, name=NAMES, ref=REFS, department=st.sampled_from(["", "销售部"]))


@given(lines=st.lists(LINES, max_size=6))
def test_the_same_lines_again_change_nothing(lines: list[PersonLine]) -> None:
    lines = list({line.ref or (line.name, line.department): line for line in lines}.values())
    first = plan_enrolment(lines, [], {}, now=NOON)
    stored = [
        Person(**{f: getattr(one.person, f) for f in one.person.__slots__ if f != "id"}, id=PersonId(number))
        for number, one in enumerate(first, start=1)
    ]

    again = plan_enrolment(lines, stored, {}, now=NOON)

    assert not any(one.changed for one in again if one.before is not None and one.line.ref)


# — what the core makes of it —


async def test_an_account_nobody_has_is_bound_and_its_group_hears_of_it() -> None:
    async with rig(pack=PACK) as r:
        enrolled = await r.enrol(PersonLine(ref="1001", name="李雷", accounts=(LI,)))

        assert enrolled.created == 1
        assert enrolled.bound == (LI,)
        assert r.engine.people.member(r.engine.plans.all()[0].group.id, LI).real_name == "李雷"
        assert [getattr(o.event, "change", None) for o in r.outcomes] == ["bound"]


async def test_a_provisional_person_is_merged_with_all_that_was_booked_of_it() -> None:
    async with rig(pack=PACK) as r:
        provisional = await r.records.person_for(LI)

        enrolled = await r.enrol(PersonLine(ref="1001", name="李雷", accounts=(LI,)))

        assert await r.records.person(provisional.id) == enrolled.persons[0]
        assert [merge.gone for merge in await r.records.merges()] == [provisional.id]


async def test_an_account_of_another_person_stays_where_it_is() -> None:
    async with rig(pack=PACK) as r:
        first = await r.enrol(PersonLine(ref="1001", name="李雷", accounts=(LI,)))

        second = await r.enrol(PersonLine(ref="1002", name="王芳", accounts=(LI, WANG)))

        assert second.bound == (WANG,)
        assert [dispute.holder for dispute in second.disputed] == [first.persons[0].id]
        assert r.engine.people.person(LI) == first.persons[0]


async def test_who_left_and_who_came_back_is_told_to_the_groups() -> None:
    async with rig(pack=PACK) as r:
        await r.enrol(PersonLine(ref="1001", name="李雷", accounts=(LI,)))
        await r.enrol(PersonLine(ref="1001", name="李雷", active=False))
        await r.enrol(PersonLine(ref="1001", name="李雷"))

        told = [getattr(o.event, "change", None) for o in r.outcomes]
        assert told == ["bound", "left", "returned"]


async def test_the_edition_grows_with_every_change() -> None:
    async with rig(pack=PACK) as r:
        before = r.engine.people.edition

        await r.enrol(PersonLine(ref="1001", name="李雷", accounts=(LI,)))

        assert r.engine.people.edition > before
        assert [one.name for one in r.engine.people.persons()] == ["李雷"]
        assert r.engine.people.accounts(r.engine.people.persons()[0].id) == (LI,)
