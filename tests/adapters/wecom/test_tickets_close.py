"""Whom no mode can put out, the owner puts out by hand: a ticket asks for it, and the next list closes it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from groupops import AccountId, GroupId, MemberLeft, RemoveMember
from groupops.records import Ticket
from groupops.scans import Scans
from groupops.testing import Rig, rig
from groupops_wecom.testing import Fault
from tests.support.wecom_rig import ROOM, Modes, Served, serving
from tests.support.wecom_stub import OVER_HTTPX

pytestmark = OVER_HTTPX

GROUP = GroupId(f"wecom:{ROOM}")
WANG = AccountId("wecom:wangwu")

ARCHIVE = Modes(app=True, sides=frozenset({"archive"}))
CUSTOMER = Modes(app=True, sides=frozenset({"customer"}))
APPCHAT = Modes(app=True, sides=frozenset({"appchat"}))

LISTS = {
    "archive": "msgaudit/groupchat/get",
    "customer": "externalcontact/groupchat/get",
    "appchat": "appchat/get",
}


@dataclass
class Story:
    """A group on WeCom, looked after by an engine."""

    served: Served
    rig: Rig
    scans: Scans

    async def put_out(self, key: str = "story") -> None:
        """Have the member put out, as an approved case would."""
        rows = self.rig.engine.outbox.rows(
            key, "step", (RemoveMember(group_id=GROUP, account=WANG, reason="发广告"),), plugin="core"
        )
        await self.rig.engine.outbox.send(await self.rig.records.enqueue(rows))

    async def look(self) -> bool:
        """Read the member list, as is done now and then."""
        await self.rig.advance(timedelta(hours=6))
        return await self.scans.scan(GROUP)

    async def hear(self) -> None:
        """Handle what WeCom told."""
        for fact in await self.served.facts():
            await self.rig.engine.flow.handle(fact)
        await self.rig.settle()

    async def tickets(self) -> list[Ticket]:
        found = await self.rig.records.tickets(group_id=GROUP, open_only=False)
        return [one for one in found if isinstance(one.wanted, RemoveMember)]

    async def gone_by_hand(self) -> None:
        """The owner removes the member in the client."""
        await self.served.far.leave("wangwu", self.served.chat)

    def asked(self, name: str) -> int:
        return sum(call.name == name for call in self.served.far.rest.calls)


@asynccontextmanager
async def story(modes: Modes, folder: Path) -> AsyncGenerator[Story]:
    async with rig(groups=(), plugins=[]) as r, serving(modes, folder) as served:
        r.engine.parts.platforms["wecom"] = served.platform
        await r.engine.bind_group(GROUP, packs=[])
        scans = Scans(r.engine.parts.platforms, lambda: [GROUP], r.engine.flow.handle, r.clock, r.log)
        made = Story(served, r, scans)
        for number in range(4):
            served.far.world.hire(f"staff{number}", f"同事{number}", archived=True)
            await served.far.join(f"staff{number}", served.chat)
        await served.facts()
        assert await made.look()
        yield made


@pytest.mark.parametrize("modes", [ARCHIVE, CUSTOMER], ids=["archive", "customer"])
async def test_where_nobody_can_put_a_member_out_the_stewards_are_asked(modes: Modes, tmp_path: Path) -> None:
    async with story(modes, tmp_path) as s:
        await s.put_out()

        [ticket] = await s.tickets()

    assert (ticket.closed_at, ticket.wanted) == (
        None,
        RemoveMember(group_id=GROUP, account=WANG, reason="发广告"),
    )


@pytest.mark.parametrize("side", ["archive", "customer"])
async def test_the_list_that_shows_it_done_closes_the_ticket(side: str, tmp_path: Path) -> None:
    async with story(Modes(app=True, sides=frozenset({side})), tmp_path) as s:
        await s.put_out()
        await s.gone_by_hand()
        before = s.asked(LISTS[side])

        await s.look()

        [ticket] = await s.tickets()
        assert s.asked(LISTS[side]) == before + 1
    assert ticket.closed_by == "list"


async def test_the_event_of_a_customer_group_closes_the_ticket_at_once(tmp_path: Path) -> None:
    async with story(CUSTOMER, tmp_path) as s:
        await s.put_out()
        await s.gone_by_hand()

        await s.hear()

        [ticket] = await s.tickets()
    assert ticket.closed_at is not None


@pytest.mark.parametrize("side", ["archive", "customer"])
async def test_while_the_member_is_there_the_ticket_stays(side: str, tmp_path: Path) -> None:
    async with story(Modes(app=True, sides=frozenset({side})), tmp_path) as s:
        await s.put_out()

        await s.look()

        [ticket] = await s.tickets()
    assert ticket.closed_at is None


@pytest.mark.parametrize("side", ["archive", "customer"])
async def test_a_list_wecom_does_not_give_closes_nothing(side: str, tmp_path: Path) -> None:
    async with story(Modes(app=True, sides=frozenset({side})), tmp_path) as s:
        await s.put_out()
        await s.gone_by_hand()
        s.served.far.rest.faults.add(LISTS[side], Fault(errcode=301059))

        assert not await s.look()
        [ticket] = await s.tickets()
        assert ticket.closed_at is None

        assert await s.look()
        [ticket] = await s.tickets()
    assert ticket.closed_by == "list"


async def test_a_list_that_lost_half_of_the_group_closes_nothing_until_a_steward_believes_it(
    tmp_path: Path,
) -> None:
    async with story(ARCHIVE, tmp_path) as s:
        await s.put_out()
        for userid in ("wangwu", "lisi", "staff0"):
            del s.served.chat.seats[userid]

        await s.look()

        [ticket] = await s.tickets()
        doubts = [
            one for one in await s.rig.records.tickets(group_id=GROUP) if one.subject.startswith("list:")
        ]
    assert ticket.closed_at is None
    assert len(doubts) == 1


async def test_in_a_group_of_the_app_the_member_is_put_out_and_no_ticket_is_needed(tmp_path: Path) -> None:
    async with story(APPCHAT, tmp_path) as s:
        await s.put_out()

        assert "wangwu" not in s.served.chat.seats
        assert await s.tickets() == []


async def test_what_the_app_may_not_do_becomes_a_ticket_that_its_own_list_closes(tmp_path: Path) -> None:
    async with story(APPCHAT, tmp_path) as s:
        s.served.far.rest.faults.add("appchat/update", Fault(errcode=48002))
        await s.put_out()
        [ticket] = await s.tickets()
        assert ticket.closed_at is None
        await s.gone_by_hand()

        await s.look()

        [ticket] = await s.tickets()
    assert ticket.closed_by == "list"


async def test_who_was_put_out_by_hand_counts_as_removed_and_not_as_having_left(tmp_path: Path) -> None:
    async with story(ARCHIVE, tmp_path) as s:
        await s.put_out()
        await s.gone_by_hand()
        await s.look()

        left = [
            one.event
            for outcome in s.rig.outcomes
            for one in outcome.further
            if isinstance(one.event, MemberLeft)
        ]
    assert [(fact.account, fact.how, fact.inferred) for fact in left] == [(WANG, "removed", True)]
