"""Whole stories of persons with several accounts, of policies that change, and of tickets a list closes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from groupops import GroupId, MessagePosted, Person, PersonId, Role, Stage
from groupops.records import CaseStatus
from groupops.testing import Rig, rig
from groupops_sandbox import Sandbox
from tests.support.stories import PACK, asked, done, plugin, rude, told


def story(ladder: str = "soft", **more: Any) -> dict[str, Any]:
    return {"pack": PACK, "plugins": (), "extra": {"rude": plugin(judge=rude(ladder, **more))}}


async def second_platform(r: Rig, group: str = "qq:g9") -> Sandbox:
    """Connect another platform, with a group of its own under the same policy."""
    other = Sandbox(r.clock, name="qq")
    r.engine.parts.platforms["qq"] = other
    other.group("g9")
    for account, role in (("boss", Role.OWNER), ("10001", Role.MEMBER)):
        other.member("g9", account, role=role)
    await r.engine.bind_group(GroupId(group), packs=["story"], stage=Stage.ENFORCED)
    await r.tell(other.census("g9"))
    return other


def code_in(text: str) -> str:
    return text.partition("绑定码是 ")[2].partition(",")[0]


async def test_two_accounts_bound_by_a_code_share_their_strikes_and_part_again_with_what_was_theirs() -> None:
    async with rig(**story()) as r:
        other = await second_platform(r)
        await r.say("g1", "wang", "坏")
        await r.whisper("g1", "wang", "绑定")
        code = code_in(told(r, "wang")[-1])

        await r.tell(other.whisper("g9", "10001", f"绑定 {code}"))
        one = await r.records.person_of("sandbox:wang")  # type: ignore[arg-type]
        assert one == await r.records.person_of("qq:10001")  # type: ignore[arg-type]

        await r.advance(timedelta(hours=1))
        second = await r.tell(other.say("g9", "10001", "坏"))
        assert second is not None
        assert second.booked.case.status is CaseStatus.PROPOSED, "the strike of the other account counts"
        assert second.booked.case.person_id == one.id


async def test_persons_that_were_merged_in_error_are_parted_with_their_own_cases() -> None:
    async with rig(**story()) as r:
        other = await second_platform(r)
        await r.say("g1", "wang", "坏")
        await r.tell(other.say("g9", "10001", "坏"))
        wang, number = [
            (await r.records.person_for(account)).id  # type: ignore[arg-type]
            for account in ("sandbox:wang", "qq:10001")
        ]

        await r.engine.people.merge(wang, number, by="hr")
        assert await r.records.strikes(wang, "soft", r.clock.now()) == 2
        [merge] = await r.records.merges()
        await r.engine.people.split(merge.id, by="hr")

        assert await r.records.strikes(wang, "soft", r.clock.now()) == 1
        assert await r.records.strikes(number, "soft", r.clock.now()) == 1


async def test_one_person_with_two_accounts_approves_a_removal_once() -> None:
    stewards = ("sandbox:admin", "sandbox:admin2", "sandbox:li")
    async with rig(**story("kick"), stewards=stewards) as r:
        await r.say("g1", "wang", "坏")
        await r.whisper("g1", "admin", "批准 1 屡次")
        person = await r.records.put_person(Person(id=PersonId(0), name="赵"))
        for account in ("sandbox:admin", "sandbox:admin2"):
            await r.engine.people.bind(account, person.id, by="hr")  # type: ignore[arg-type]

        await r.whisper("g1", "admin2", "批准 1 屡次")
        assert "须由另一位管理员核准" in told(r, "admin2")[-1]
        assert done(r, "remove_member") == []

        await r.whisper("g1", "li", "批准 1 屡次")
        assert len(done(r, "remove_member")) == 1


async def test_where_the_bot_cannot_remove_a_human_does_and_the_next_list_closes_the_ticket() -> None:
    async with rig(**story("kick")) as r:
        r.sandbox.faults.refuse("remove_member")
        await r.say("g1", "wang", "坏")
        for steward in ("admin", "admin2"):
            await r.whisper("g1", steward, "批准 1 屡次")
        assert any("请群主移出 wang" in ticket.text for ticket in await r.records.tickets())

        r.sandbox.world.room("g1").seats.pop("sandbox:wang")
        await r.tell(r.sandbox.census("g1"))
        assert not any(ticket.wanted for ticket in await r.records.tickets())

        await r.whisper("g1", "admin", "撤销 1 误判")
        assert any("请邀请 wang 重新入群" in ticket.text for ticket in await r.records.tickets())


async def test_before_its_day_a_policy_only_watches_and_from_midnight_on_it_bites() -> None:
    pack = PACK.replace('title = "测试"', 'title = "测试"\neffective = "2025-03-05"')
    async with rig(**{**story(), "pack": pack}) as r:
        await r.say("g1", "wang", "坏")
        await r.advance(timedelta(hours=38, minutes=59))
        assert await r.say("g1", "wang", "坏") is not None
        assert await r.records.cases() == ()
        assert len(await r.records.audit(what="would have")) == 2

        await r.advance(timedelta(minutes=1))
        outcome = await r.say("g1", "wang", "坏")

        assert outcome is not None
        assert outcome.booked.case.status is CaseStatus.EFFECTIVE


async def test_a_change_of_policy_holds_at_once_and_can_be_taken_back() -> None:
    async with rig(**story("warn")) as r:
        group = GroupId("sandbox:g1")
        await r.engine.set(group, "ladder.warn.steps", ["remind", "warn"], author="hr")
        await r.engine.set(group, "ladder.warn.human_from", 1, author="hr")
        first = await r.say("g1", "wang", "坏")
        assert first is not None
        assert (first.booked.case.step, first.booked.case.revision) == ("remind", 3)

        await r.engine.roll_back(group, 1, author="hr")
        second = await r.say("g1", "li", "坏")

        assert second is not None
        assert (second.booked.case.step, second.booked.case.status) == ("warn", CaseStatus.PROPOSED)
        assert [revision.author for revision in await r.engine.history(group)] == [
            "operator",
            "hr",
            "hr",
            "hr",
        ]


async def test_a_group_is_watched_then_warned_then_ruled_by_one_policy() -> None:
    async with rig(**story("soft", mute_minutes=10), stage=Stage.SHADOW) as r:
        group = GroupId("sandbox:g1")
        await r.say("g1", "wang", "坏")
        assert asked(r) == []

        await r.engine.stage(group, Stage.WARN_ONLY, author="hr")
        await r.say("g1", "wang", "坏")
        assert [action.kind for action in asked(r) if action.kind != "direct_message"] == ["reply"]

        await r.engine.stage(group, Stage.ENFORCED, author="hr")
        await r.say("g1", "li", "坏")
        assert "mute" in [action.kind for action in asked(r)]


async def test_an_archive_that_brings_the_same_message_after_a_restart_adds_evidence_only() -> None:
    async with rig(**story()) as r:
        said = r.sandbox.say("g1", "wang", "坏")
        assert isinstance(said, MessagePosted)
        await r.tell(said)
        r.engine = type(r.engine).build(r.engine.parts)
        await r.engine.start()

        late = replace(said, id="a1", message_id="a1", source="archive", at=said.at + timedelta(seconds=30))
        outcome = await r.tell(late)
        assert outcome is not None
        assert outcome.duplicate

        other = replace(said, id="a2", message_id="a2", source="archive", at=said.at - timedelta(seconds=61))
        await r.tell(other)
        assert len(await r.records.cases()) == 2
