"""What the organisation's directory tells of persons is on the register at once, whichever group it comes by."""

from __future__ import annotations

from groupops import AccountId, GroupId, PersonLine, Stage
from groupops.testing import Rig, rig

GROUP = GroupId("sandbox:g1")
LI = AccountId("sandbox:li")


def line(**more: object) -> PersonLine:
    return PersonLine(**{"name": "李雷", "department": "销售部", "accounts": (LI,), **more})  # type: ignore[arg-type]


async def told(r: Rig, *lines: PersonLine) -> None:
    r.sandbox.world.tell_persons("g1", *lines)
    await r.settle()


async def test_a_newcomer_is_registered_with_the_account() -> None:
    async with rig() as r:
        await told(r, line())

        person = r.engine.people.person(LI)

    assert person is not None
    assert (person.name, person.department, person.provisional) == ("李雷", "销售部", False)


async def test_in_a_group_that_only_watches_it_counts_all_the_same() -> None:
    async with rig(stage=Stage.SHADOW) as r:
        await told(r, line())

        assert [one.name for one in r.engine.people.persons()] == ["李雷"]


async def test_who_left_is_told_of_in_every_group_of_the_person() -> None:
    async with rig(groups=("g1", "g2")) as r:
        await told(r, line())
        before = len(r.outcomes)

        person = r.engine.people.person(LI)
        assert person is not None
        await told(r, line(person_id=person.id, active=False))

        facts = [one.event for outcome in r.outcomes[before:] for one in outcome.further]
    assert {(fact.kind, fact.group_id, getattr(fact, "change", "")) for fact in facts} == {
        ("person_changed", GroupId("sandbox:g1"), "left"),
        ("person_changed", GroupId("sandbox:g2"), "left"),
    }


async def test_an_account_of_somebody_else_stays_and_the_stewards_are_asked() -> None:
    async with rig() as r:
        await told(r, line(ref="6"))
        await told(r, line(name="韩梅梅", department="财务部", ref="7"))

        person = r.engine.people.person(LI)
        tickets = await r.records.tickets(group_id=GROUP)

    assert person is not None
    assert person.name == "李雷"
    assert [ticket.subject for ticket in tickets] == [f"account:{LI}"]


async def test_the_audit_says_by_whom() -> None:
    async with rig() as r:
        await told(r, line())

        [noted] = [one for one in await r.records.audit() if one.what == "persons_enrolled"]

    assert noted.actor == "contacts"
