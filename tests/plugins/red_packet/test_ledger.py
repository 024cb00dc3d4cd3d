"""The ledger on both databases: once is once, whoever does it at the same time, and every sum holds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from groupops import GroupId
from groupops_red_packet.journal import Move, NotPossible, Pot, State, is_lawful, replayed
from groupops_red_packet.ledger import Ledger
from tests.plugins.red_packet.books import GROUP, NOON, accepted, do, ledger_in, order, proposal


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database"))


async def test_an_item_is_opened_once_per_case(url: str) -> None:
    async with ledger_in(url) as ledger:
        first = await ledger.propose(proposal(12))
        again = await ledger.propose(proposal(12, 900))

        assert (first.fresh, again.fresh) == (True, False)
        assert again.item == first.item
        assert len(await ledger.journal(case_id=12)) == 1


async def test_the_same_rule_and_source_in_another_case_is_refused(url: str) -> None:
    async with ledger_in(url) as ledger:
        await ledger.propose(proposal(12, source="m1"))
        second = await ledger.propose(proposal(13, source="m1"))
        other_rule = await ledger.propose(proposal(14, source="m1", rule="ads.unrelated"))

        assert (second.fresh, second.item.case_id) == (False, 12)
        assert other_rule.item.case_id == 14


async def test_ten_proposals_of_one_case_at_once_make_one_item(url: str) -> None:
    async with ledger_in(url) as ledger:
        acted = await asyncio.gather(*(ledger.propose(proposal(12)) for _ in range(10)))

        assert sum(one.fresh for one in acted) == 1
        assert {one.item.case_id for one in acted} == {12}


async def test_the_cap_leaves_the_rest_and_then_nothing(url: str) -> None:
    async with ledger_in(url) as ledger:
        for case_id in (1, 2, 3):
            await ledger.propose(proposal(case_id, 800, cap=2000))
        april = await ledger.propose(proposal(4, 800, cap=2000, at=NOON + timedelta(days=31)))

        amounts = [one.charged_fen for one in await ledger.items()]
        assert amounts == [800, 800, 400, 800]
        assert (await ledger.propose(proposal(5, 800, cap=2000))).item.charged_fen == 0
        assert april.item.charged_fen == 800


async def test_items_in_other_groups_count_against_the_cap_and_waived_ones_do_not(url: str) -> None:
    async with ledger_in(url) as ledger:
        await ledger.propose(proposal(1, 1500, cap=2000, group_id=GroupId("qq:2")))
        assert (await ledger.propose(proposal(2, 1500, cap=2000))).item.charged_fen == 500
        await do(ledger, 1, Move.WAIVE)
        assert (await ledger.propose(proposal(3, 1500, cap=2000))).item.charged_fen == 1500


async def test_many_proposals_at_once_never_go_beyond_the_cap(url: str) -> None:
    async with ledger_in(url) as ledger:
        await asyncio.gather(*(ledger.propose(proposal(n, 700, cap=2000)) for n in range(1, 9)))

        assert sum(one.charged_fen for one in await ledger.items()) == 2000


async def test_the_same_key_changes_nothing_a_second_time(url: str) -> None:
    async with ledger_in(url) as ledger:
        await ledger.propose(proposal(12))
        await accepted(12, ledger)
        once = await do(ledger, 12, Move.SETTLE, key="settle")
        again = await do(ledger, 12, Move.SETTLE, key="settle")

        assert again == once
        assert [one.move for one in await ledger.journal(case_id=12)].count(Move.SETTLE) == 1


async def test_two_stewards_settling_at_once_settle_once(url: str) -> None:
    async with ledger_in(url) as ledger:
        await ledger.propose(proposal(12))
        await accepted(12, ledger)
        tried = await asyncio.gather(
            *(do(ledger, 12, Move.SETTLE, key=f"steward {n}") for n in range(6)), return_exceptions=True
        )

        assert sum(not isinstance(one, BaseException) for one in tried) == 1
        assert all(isinstance(one, NotPossible) for one in tried if isinstance(one, BaseException))
        assert replayed(await ledger.journal(case_id=12)).pots[Pot.SETTLED] == 500


async def test_an_operation_of_which_one_part_is_not_possible_changes_nothing(url: str) -> None:
    async with ledger_in(url) as ledger:
        await ledger.propose(proposal(12))
        with pytest.raises(NotPossible):
            await ledger.act(12, "k", lambda _i, _j: (order(Move.APPROVE), order(Move.SETTLE)))

        item = await ledger.item(12)
        assert item is not None
        assert (item.state, item.entries) == (State.PROPOSED, 1)


async def test_whoever_stops_waiting_does_not_leave_half_an_operation(url: str) -> None:
    async with ledger_in(url) as ledger:
        await ledger.propose(proposal(12))
        waiting = asyncio.ensure_future(do(ledger, 12, Move.APPROVE))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        await do(ledger, 12, Move.FREEZE)

        journal = await ledger.journal(case_id=12)
        assert is_lawful(journal)
        assert len(journal) in (2, 3)


async def test_two_processes_on_one_database_settle_once(url: str) -> None:
    async with ledger_in(url) as here:
        await here.propose(proposal(12))
        await accepted(12, here)
        there = asyncio.create_task(_elsewhere(url))
        mine = await asyncio.gather(do(here, 12, Move.SETTLE, key="here"), return_exceptions=True)
        theirs = await there

        assert sum(isinstance(one, NotPossible) for one in (*mine, theirs)) == 1
        assert replayed(await here.journal()).pots[Pot.SETTLED] == 500


async def _elsewhere(url: str) -> object:
    """The same from another connection, as another process has it."""
    async with ledger_in(url) as ledger:
        try:
            return await do(ledger, 12, Move.SETTLE, key="there")
        except NotPossible as error:
            return error


async def test_the_persons_are_taken_out_after_the_term_and_the_sums_stay(url: str) -> None:
    async with ledger_in(url) as ledger:
        await ledger.propose(proposal(1))
        await ledger.propose(proposal(2))
        await do(ledger, 1, Move.WAIVE, note="第一次,口头提醒即可")
        before = replayed(await ledger.journal())

        year = NOON + timedelta(days=365)
        assert await ledger.anonymise(GROUP, year) == 1
        assert await ledger.anonymise(GROUP, year) == 0

        gone, stays = await ledger.items()
        assert (gone.person_id, gone.account, stays.person_id) == (0, "", 7)
        assert {(e.actor, e.note) for e in await ledger.journal(case_id=1)} == {("", "")}
        assert replayed(await ledger.journal()).pots == before.pots


async def test_moments_come_back_as_they_were(url: str) -> None:
    async with ledger_in(url) as ledger:
        at = datetime.fromisoformat("2025-03-03T23:59:59.999+08:00")
        stored = (await ledger.propose(proposal(1, at=at))).item
        read = await ledger.item(1)

        assert read == stored
        assert read is not None
        assert read.opened_at.astimezone(UTC) == at
        assert await ledger.items(since=at) == [read]
        assert await ledger.items(until=at) == []


async def test_nothing_is_done_to_an_item_that_is_not_there(url: str) -> None:
    async with ledger_in(url) as ledger:
        assert isinstance(ledger, Ledger)
        assert await ledger.act(99, "k", lambda _i, _j: (order(Move.WAIVE),)) is None
