"""Engines are killed under load at the worst moments, and nothing is lost, doubled or left in the dark."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groupops import AskStewards, InDoubt, Mute
from groupops.records import Case, CaseStatus, OutboxRow, OutboxState, Records
from groupops.store.sql import open_records
from tests.soak.killer import LATEST, Life, Point, World, nursery
from tests.soak.victim import dedupes
from tests.support.soak import Soak

KILLS = 50
POINTS: tuple[Point, ...] = ("booked", "outbox", "performed")
ALL = 1_000_000


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database")


@pytest.mark.soak
@pytest.mark.parametrize("point", POINTS)
async def test_whoever_is_killed_at_any_point_loses_and_doubles_nothing(
    point: Point, database: str, soak: Soak, short_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(soak.random())
    started = time.monotonic()
    async with nursery(short_folder, database) as place:
        for _ in range(soak.rounds(KILLS)):
            await place.raise_one(Life(world, point, after=world.dice.randint(1, LATEST), quota=ALL))
        await place.raise_one(Life(world, "never", after=0, quota=0))
    seconds = time.monotonic() - started

    async with open_records(database) as records:
        rows = await records.outbox(limit=ALL)
        cases = await records.cases(limit=ALL)
        every_booked_action_is_performed_or_shown(rows, await doubts(records), world)
        nothing_is_performed_that_was_not_booked(rows, world)
        every_offence_is_one_case(cases, world)
        await strikes_are_right(cases, records)
    assert world.kills[point] == soak.rounds(KILLS)
    doubted = sum(row.state is OutboxState.IN_DOUBT for row in rows)
    with capsys.disabled():
        print(  # noqa: T201 - the figures of the soak
            f"\nsoak {point} on {database.partition(':')[0]}: {world.kills[point]} kills, "
            f"{len(world.said)} facts, {len(cases)} cases, {len(rows)} actions, {len(world.seen)} requests, "
            f"{sum(one.repeated for one in world.seen)} repeats caught, {doubted} in doubt, {seconds:.1f} s"
        )


async def doubts(records: Records) -> set[str]:
    return {
        ticket.key.removeprefix("doubt:")
        for ticket in await records.tickets(open_only=False)
        if ticket.key.startswith("doubt:")
    }


def every_booked_action_is_performed_or_shown(
    rows: tuple[OutboxRow, ...], shown: set[str], world: World
) -> None:
    done = Counter(one.key for one in world.seen if not one.repeated)
    for row in rows:
        if row.state is OutboxState.IN_DOUBT:
            assert row.key in shown, f"in doubt and not shown: {row}"
            assert not dedupes(row.group_id), f"in doubt although the platform honours keys: {row}"
            assert done[row.key] <= 1
        elif row.state is OutboxState.CANCELLED:
            assert done[row.key] == 0 or isinstance(row.receipt, InDoubt), f"cancelled, but performed: {row}"
        else:
            assert row.state is OutboxState.DONE, f"neither performed nor shown: {row}"
            performed_as_often_as_it_may_be(row, done[row.key])


def performed_as_often_as_it_may_be(row: OutboxRow, times: int) -> None:
    if isinstance(row.action, AskStewards):
        assert times == 0
    elif dedupes(row.group_id) or not row.action.repeatable:
        assert times == 1, f"performed {times} times: {row}"
    else:
        assert times >= 1, f"never performed: {row}"


def nothing_is_performed_that_was_not_booked(rows: tuple[OutboxRow, ...], world: World) -> None:
    booked = {row.key for row in rows}
    assert {one.key for one in world.seen} <= booked
    said = Counter(
        one.action.text
        for one in world.seen
        if not one.repeated and one.action.kind in ("reply", "send_text")
    )
    doubled = {
        text: times for text, times in said.items() if times > 1 and ("谢谢" in text or "用语不当" in text)
    }
    assert doubled == {}


def every_offence_is_one_case(cases: tuple[Case, ...], world: World) -> None:
    offences = sorted(event.id for event in world.said.values() if "坏" in getattr(event, "text", ""))
    assert sorted(case.event_id for case in cases) == offences


async def strikes_are_right(cases: tuple[Case, ...], records: Records) -> None:
    of_person: dict[int, list[Case]] = defaultdict(list)
    for case in cases:
        of_person[case.person_id].append(case)
    for person, own in of_person.items():
        in_force = [case for case in own if case.status is CaseStatus.EFFECTIVE]
        assert await records.strikes(person, "soft", datetime.now(UTC)) == len(in_force)
        alone = [case for case in in_force if not any(line.word == "approve" for line in case.decisions)]
        assert [case.step for case in alone] == ["remind"], "exactly the first is a reminder without a human"
        assert alone[0].strike == 1
        assert all(decided_once_by_each(case) for case in own)
        if not any(line.word.startswith("appeal") for case in own for line in case.decisions):
            # A strike that is appealed does not count meanwhile, so the next may have its number.
            assert sorted(case.strike for case in in_force) == list(range(1, len(in_force) + 1))
        muted = await muted_by_the_machine(own, records)
        assert muted <= timedelta(minutes=30), f"person {person} was muted for {muted}"


def decided_once_by_each(case: Case) -> bool:
    said = Counter((line.word, line.account) for line in case.decisions if line.word == "approve")
    return all(times == 1 for times in said.values())


async def muted_by_the_machine(cases: list[Case], records: Records) -> timedelta:
    spent = timedelta()
    for case in cases:
        for row in await records.outbox(case_id=case.id):
            if row.purpose == "contain" and isinstance(row.action, Mute):
                spent += row.action.span
    return spent
