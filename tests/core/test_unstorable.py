"""What no database can take is shown at once and not tried again; what it refuses for now is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from groupops import AccountId, Action, AskStewards, Group, GroupId, Listed, MembersListed, SendText, Stage
from groupops.clock import StoppedClock
from groupops.errors import Conflict, Unstorable
from groupops.events import TimeCame
from groupops.people import Person, PersonId
from groupops.records import Audit, Due, OutboxRow, OutboxState, PolicyRevision, Records
from groupops.store.memory import MemoryRecords
from groupops.store.sql import open_records
from groupops.testing import Rig, rig
from groupops.ticker import Ticker
from tests.support.stories import PACK, plugin, rude

G = GroupId("sandbox:g1")
NOON = datetime(2025, 3, 3, 4, tzinfo=UTC)
TOO_LARGE = 2**70
TEXT = SendText(group_id=G, text="你好")


# — what a database says —


@pytest.fixture(params=["postgres", "sqlite"])
async def records(request: pytest.FixtureRequest) -> AsyncIterator[Records]:
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database")
    async with open_records(url, migrate=True) as opened:
        yield opened


async def test_a_number_no_column_holds_is_refused_for_good(records: Records) -> None:
    row = OutboxRow(event_id="e", index=TOO_LARGE, group_id=G, action=TEXT, purpose="step", created_at=NOON)

    with pytest.raises(Unstorable):
        await records.enqueue([row])


async def test_something_left_out_is_refused_for_good(records: Records) -> None:
    nameless: Any = None

    with pytest.raises(Unstorable):
        await records.put_person(Person(id=PersonId(0), name=nameless))


async def test_a_name_longer_than_its_column_is_refused_for_good_where_columns_have_a_length(
    postgres_database: str,
) -> None:
    async with open_records(postgres_database, migrate=True) as strict:
        with pytest.raises(Unstorable):
            await strict.note(Audit(at=NOON, what="长" * 300, detail={}))


async def test_what_somebody_else_wrote_first_is_a_conflict_and_may_be_decided_anew(records: Records) -> None:
    first = PolicyRevision(
        group_id=G, number=1, author="a", at=NOON, diff={}, packs=(), stage=Stage.SHADOW, overrides={}
    )
    await records.put_group(Group(id=G))
    await records.revise(first)

    with pytest.raises(Conflict):
        await records.revise(first)


# — what the engine makes of it —


@asynccontextmanager
async def strict_desk(url: str) -> AsyncIterator[Rig]:
    """An engine on a database whose columns have lengths; whatever is tried again waits for a clock that stands."""
    async with (
        open_records(url, migrate=True) as strict,
        rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude())}, records=strict) as r,
        asyncio.timeout(20),
    ):
        yield r


async def open_keys(r: Rig) -> list[str]:
    return [ticket.key.rpartition("/")[0] for ticket in await r.records.tickets()]


async def test_a_fact_from_which_nothing_can_be_stored_is_shown_once_and_holds_up_nothing(
    postgres_database: str,
) -> None:
    async with strict_desk(postgres_database) as r:
        endless = replace(r.sandbox.say("g1", "wang", "坏"), id="sandbox:" + "9" * 600)
        for _ in range(2):
            with pytest.raises(Unstorable):
                await r.engine.flow.handle(endless)
        outcome = await r.engine.flow.handle(r.sandbox.say("g1", "wang", "坏"))

        assert await open_keys(r) == ["unstorable"]
        assert outcome.booked is not None


async def put(r: Rig, *actions: Action) -> None:
    await r.records.enqueue(r.engine.outbox.rows("e", "step", actions))


async def test_an_action_whose_outcome_cannot_be_stored_ends_and_those_behind_it_have_their_turn(
    postgres_database: str,
) -> None:
    async with strict_desk(postgres_database) as r:
        await put(r, AskStewards(group_id=G, text="请看", subject="很长" * 200), TEXT)
        await r.engine.outbox.pump()
        await r.engine.outbox.pump()

        states = [row.state for row in await r.records.outbox() if row.event_id == "e"]
        assert states == [OutboxState.FAILED, OutboxState.DONE]
        assert await open_keys(r) == ["unstorable/action"]


async def test_members_who_cannot_be_stored_keep_no_others_from_being_written(postgres_database: str) -> None:
    async with strict_desk(postgres_database) as r:
        me = Listed(account=AccountId("sandbox:wang"))
        await r.tell(MembersListed(id="l", at=NOON, group_id=G, members=(me,)))
        with pytest.raises(Unstorable):
            await r.tell(replace(r.sandbox.join("g1", "li"), account=AccountId("sandbox:" + "9" * 300)))
        with pytest.raises(Unstorable):
            await r.engine.people.flush()

        await r.tell(r.sandbox.join("g1", "sun"))
        await r.engine.people.flush()
        assert AccountId("sandbox:sun") in await r.records.members(G)


async def test_a_due_row_from_which_nothing_can_be_stored_is_spent_and_the_next_fires() -> None:
    fired: list[str] = []

    async def post(fact: TimeCame) -> None:
        fired.append(fact.job)
        if fact.job == "bad":
            raise Unstorable("too long")

    kept, clock = MemoryRecords(), StoppedClock(NOON)
    await kept.put_due([Due(job=job, due_at=NOON, group_id=G, plugin="core") for job in ("bad", "good")])
    ticker = Ticker(kept, clock, post)
    await ticker.tick()
    clock.advance(timedelta(hours=1))
    await ticker.tick()

    assert sorted(fired) == ["bad", "good"]
