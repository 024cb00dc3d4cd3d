"""Whoever left the organisation has a time of grace, then the stewards decide; who returns or goes is let be."""

from __future__ import annotations

from groupops.records import CaseStatus
from groupops.testing import rig
from tests.plugins.roster.stories import (
    DAILY,
    DAY,
    HOUR,
    MINUTE,
    ONLY,
    STAFF,
    at,
    cases,
    inside,
    line,
    pack,
    tickets,
)

GONE = line("王五", "wang", active=False)


async def test_s18_24_grace_first_and_then_a_case() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.advance_to(at("2025-03-03T14:30"))
        await r.enrol(GONE)
        await r.advance_to(at("2025-03-04T14:29"))
        assert await cases(r) == []
        assert await tickets(r) == []
        await r.advance(2 * MINUTE)

        (case,) = await cases(r)
        assert (case.rule, case.ladder, case.status) == ("roster.leaver", "kick", CaseStatus.FLAGGED)
        assert inside(r, "wang")


async def test_who_returns_within_the_grace_is_let_be() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.enrol(GONE)
        await r.advance(23 * HOUR)
        await r.enrol(line("王五", "wang"))
        await r.advance(5 * DAY)

        assert await cases(r) == []


async def test_who_leaves_the_group_alone_is_let_be() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.enrol(GONE)
        await r.tell(r.sandbox.leave("g1", "wang"))
        await r.advance(5 * DAY)

        assert await cases(r) == []


async def test_who_left_and_returned_twice_has_the_whole_grace_again() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.enrol(GONE)
        await r.advance(20 * HOUR)
        await r.enrol(line("王五", "wang"))
        await r.enrol(GONE)
        await r.advance(20 * HOUR)
        assert await cases(r) == []
        await r.advance(5 * HOUR)
        assert len(await cases(r)) == 1


async def test_a_case_against_somebody_who_returned_is_closed_by_a_steward() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.enrol(GONE)
        await r.advance(25 * HOUR)
        await r.enrol(line("王五", "wang"))
        await r.say("g1", "admin", "/更新名册")

        assert [case.status for case in await cases(r)] == [CaseStatus.DISMISSED]


async def test_a_leaver_the_roster_was_first_told_of_as_such_is_found_by_the_check() -> None:
    async with rig(pack=pack(DAILY), plugins=ONLY) as r:
        await r.enrol(*STAFF[:3], line("李四", "li"), GONE)
        await r.advance_to(at("2025-03-03T09:30"))
        assert any("已离职仍在群" in text for text in await tickets(r))
        assert await cases(r) == []
        await r.advance(25 * HOUR)

        assert [case.rule for case in await cases(r)] == ["roster.leaver"]


async def test_the_stewards_may_be_told_only() -> None:
    async with rig(pack=pack('leaver_action = "flag"'), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.enrol(GONE)
        await r.advance(25 * HOUR)

        assert await cases(r) == []
        assert any("仍在群里" in text for text in await tickets(r))


async def test_nothing_follows_where_nothing_is_set() -> None:
    async with rig(pack=pack('leaver_action = "none"'), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.enrol(GONE)
        await r.advance(5 * DAY)

        assert await cases(r) == []
        assert await tickets(r) == []


async def test_without_grace_the_case_comes_at_once() -> None:
    async with rig(pack=pack("leaver_grace_hours = 0"), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.enrol(GONE)

        assert len(await cases(r)) == 1


async def test_each_account_of_a_leaver_in_the_group_is_a_case() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        r.sandbox.member("g1", "wang2", name="小号")
        await r.enrol(*STAFF)
        await r.tell(r.sandbox.census("g1"))
        await r.say("g1", "admin", "更新名册 王五 销售部", mentions=["wang2"])
        await r.enrol(GONE)
        await r.advance(25 * HOUR)

        assert sorted(case.account for case in await cases(r)) == ["sandbox:wang", "sandbox:wang2"]
