"""Whatever a platform can or cannot do, what matters reaches somebody, and nobody is put out by a machine."""

from __future__ import annotations

import pytest

from groupops import Capability
from groupops.testing import Rig, rig
from groupops_sandbox.profiles import profiles
from tests.plugins.roster.stories import (
    DAY,
    HOUR,
    KICK,
    ONLY,
    STEWARDS,
    cases,
    inside,
    join,
    line,
    pack,
    said,
    tickets,
    told,
)

PROFILES = sorted(profiles())
GROUP = "sandbox:g1"
SPEAKS = {"message_posted", "command_given"}


def can(rig: Rig, capability: Capability) -> bool:
    return capability in rig.sandbox.can(GROUP)


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_daily_check_opens_a_case_for_every_unknown_member_it_knows_of(profile: str) -> None:
    async with rig(pack=pack(KICK), plugins=ONLY, profile=profile) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        await r.advance(HOUR)

        listed = "members_listed" in r.sandbox.hears(GROUP)
        assert [case.account for case in await cases(r)] == (["sandbox:wang"] if listed else [])
        assert bool(await tickets(r, "名册核对")) is listed
        assert inside(r, "wang")


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_newcomer_is_met_wherever_one_is_seen(profile: str) -> None:
    async with rig(pack=pack('unknown_action = "kick_case"'), plugins=ONLY, profile=profile) as r:
        await r.enrol(*STEWARDS, line("李四", "li"), line("王五", "wang"))
        await join(r, "xin", name="小张")
        await r.advance(25 * HOUR)

        hears = r.sandbox.hears(GROUP)
        seen = bool(hears & {"member_joined", "members_listed"})
        assert bool(await tickets(r, "新成员不在名册")) is seen
        assert [case.account for case in await cases(r)] == (["sandbox:xin"] if seen else [])
        asked = told(r, "xin") or [text for text in said(r) if "自报" in text]
        assert bool(asked) is (seen and can(r, Capability.SEND_TEXT))
        assert inside(r, "xin")


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_wrong_card_is_told_wherever_cards_are_read_and_anybody_can_be_told(profile: str) -> None:
    table = pack('audit_at = "09:30"', '[roster.card]\nformat = "F5"')
    async with rig(pack=table, plugins=ONLY, profile=profile) as r:
        r.sandbox.world.room("g1").seats["sandbox:wang"].card = "小王"
        await r.tell(r.sandbox.census("g1"))
        await r.enrol(*STEWARDS, line("李四", "li"), line("王五", "wang"))
        await r.advance(HOUR)

        reads = can(r, Capability.READ_CARD)
        assert any("群名片不合格式" in text for text in await tickets(r)) is reads
        heard = bool(told(r, "wang")) or any("小王" in text for text in said(r))
        assert heard is (reads and can(r, Capability.SEND_TEXT))


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_leaver_is_a_case_wherever_members_are_known(profile: str) -> None:
    async with rig(pack=pack(), plugins=ONLY, profile=profile) as r:
        await r.enrol(*STEWARDS, line("王五", "wang"))
        await r.enrol(line("王五", "wang", active=False))
        await r.advance(2 * DAY)

        known = "members_listed" in r.sandbox.hears(GROUP)
        assert [case.rule for case in await cases(r)] == (["roster.leaver"] if known else [])
        assert inside(r, "wang")


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_removal_two_stewards_agreed_to_is_done_or_becomes_a_ticket(profile: str) -> None:
    async with rig(pack=pack(KICK), plugins=ONLY, profile=profile) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        await r.advance(HOUR)
        if not await cases(r) or not SPEAKS & r.sandbox.hears(GROUP):
            return
        for who in ("admin", "admin", "admin2"):
            await r.whisper("g1", who, "批准 1 非本单位人员")
        if (await cases(r))[0].status != "effective":
            assert "command_given" not in r.sandbox.hears(GROUP)
            return
        if can(r, Capability.REMOVE_MEMBER):
            assert not inside(r, "wang")
            return
        assert any("移出" in ticket.text for ticket in await r.records.tickets())


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_request_to_come_in_is_decided_only_where_the_platform_lets_us(profile: str) -> None:
    async with rig(pack=pack(), plugins=ONLY, profile=profile) as r:
        await r.enrol(*STEWARDS, line("张三", "zhang"))
        asked = r.sandbox.knock("g1", "zhang")
        await r.tell(asked)

        assert inside(r, "zhang") is (asked is not None and can(r, Capability.DECIDE_JOIN))


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_reporter_is_never_named_in_the_group(profile: str) -> None:
    async with rig(pack=pack(), plugins=ONLY, profile=profile) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        await r.say("g1", "li", "举报外人", mentions=["wang"])

        assert not any("外人" in text or "报告" in text for text in said(r))
