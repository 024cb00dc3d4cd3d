"""History is replayed on the record of one group, and leaves the others alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from groupops.actions import Impossible, SendText
from groupops.advise.absent import ABLE, Absent
from groupops.advise.history import OfOneGroup, TurnedClock
from groupops.people import GroupId
from groupops.records import Due
from groupops.store.memory import MemoryRecords
from groupops_sandbox.profiles import profile

NOW = datetime(2025, 3, 17, 2, 0, tzinfo=UTC)
OURS, THEIRS = GroupId("wechat:g1"), GroupId("wechat:g2")


def due(group_id: GroupId, hours: int) -> Due:
    return Due(job=f"job/{group_id}", due_at=NOW - timedelta(hours=hours), group_id=group_id, plugin="p")


async def test_what_is_due_in_another_group_is_given_back_unfired() -> None:
    records = MemoryRecords()
    await records.put_due([due(OURS, 3), due(THEIRS, 2)])
    guard = OfOneGroup(records, OURS, TurnedClock(NOW))

    claimed = await guard.claim_due(NOW)
    nothing_more = await guard.claim_due(NOW)
    await guard.give_back()

    assert [row.group_id for row in claimed] == [OURS]
    assert nothing_more == ()
    assert [row.group_id for row in await records.claim_due(NOW)] == [THEIRS]


async def test_a_clock_of_history_may_be_turned_back_and_knows_how_far_it_is_behind() -> None:
    clock = TurnedClock(NOW)
    clock.turn(NOW - timedelta(days=7))
    clock.reach(NOW - timedelta(days=5))
    clock.reach(NOW - timedelta(days=6))
    await clock.sleep(3600)

    assert clock.now() == NOW - timedelta(days=5) + timedelta(hours=1)
    assert clock.behind == timedelta(days=5) - timedelta(hours=1)


async def test_nobody_there_can_do_no_more_than_the_advisor_profile_says() -> None:
    nobody = Absent("wechat")

    answer = await nobody.perform(SendText(group_id=OURS, text="x"), key="k")

    assert profile("advisor").best == ABLE == nobody.can(OURS)
    assert isinstance(answer, Impossible)
    assert not nobody.direct(GroupId("wechat:a"))  # type: ignore[arg-type]
