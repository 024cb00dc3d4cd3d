"""A restart knows until when each group was heard; what is still to be read is not given up for what came later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from groupops import GroupId
from groupops.clock import StoppedClock
from groupops.heard import LastHeard
from groupops.store.memory import MemoryRecords
from groupops.testing import QuietLog
from groupops_sandbox import Sandbox
from tests.support.confidant import Confidant

NOON = datetime(2025, 3, 3, 4, tzinfo=UTC)
G, H, FAR = GroupId("sandbox:g1"), GroupId("sandbox:g2"), GroupId("far:g1")


@dataclass
class Resuming:
    """A platform that reads on where the process before it left off."""

    real: Sandbox
    told: dict[GroupId, datetime] = field(default_factory=dict)
    still: Mapping[GroupId, datetime] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def resume(self, heard: Mapping[GroupId, datetime]) -> None:
        self.told.update(heard)

    def behind(self) -> Mapping[GroupId, datetime]:
        return self.still


class Life:
    """One process after the other on one record."""

    def __init__(self) -> None:
        self.records = MemoryRecords()
        self.clock = StoppedClock(NOON)

    async def begin(self) -> tuple[LastHeard, Resuming]:
        platform = Resuming(Sandbox(self.clock))
        heard = LastHeard(self.records, {"sandbox": platform}, self.clock, QuietLog())  # type: ignore[dict-item]
        await heard.load()
        return heard, platform


async def test_the_next_process_is_told_until_when_each_group_was_heard() -> None:
    life = Life()
    heard, _ = await life.begin()
    heard.groups[G] = life.clock.nanos()
    life.clock.advance(timedelta(minutes=5))
    heard.groups[H] = heard.groups[FAR] = life.clock.nanos()
    heard.alive = lambda: frozenset({"sandbox"})
    await heard.write()

    life.clock.advance(timedelta(hours=1))
    again, platform = await life.begin()
    assert platform.told == {G: NOON, H: NOON + timedelta(minutes=5)}
    assert again.before == {"sandbox": NOON + timedelta(minutes=5)}


async def test_what_did_not_change_is_not_written_again() -> None:
    life = Life()
    heard, _ = await life.begin()
    heard.groups[G] = life.clock.nanos()
    await heard.write()
    await life.records.keep("heard", {G: None}, NOON)
    await heard.write()

    assert await life.records.keepsakes("heard") == {}


async def test_a_group_is_written_once_a_minute_and_at_the_end() -> None:
    life = Life()
    heard, _ = await life.begin()
    for _ in range(11):
        heard.groups[G] = life.clock.nanos()
        await heard.write()
        life.clock.advance(timedelta(seconds=5))
    _, early = await life.begin()
    assert early.told == {G: NOON}

    await heard.write(whole=True)
    _, late = await life.begin()
    assert late.told == {G: NOON + timedelta(seconds=50)}


async def test_a_group_of_which_something_is_still_to_be_read_was_heard_until_that_was_said() -> None:
    life = Life()
    heard, platform = await life.begin()
    platform.still = {G: NOON, H: NOON - timedelta(hours=1)}
    life.clock.advance(timedelta(hours=1))
    heard.groups[G] = life.clock.nanos()
    await heard.write(whole=True)
    _, second = await life.begin()
    assert second.told == {G: NOON, H: NOON - timedelta(hours=1)}

    platform.still = {}
    await heard.write(whole=True)
    _, third = await life.begin()
    assert third.told[G] == NOON + timedelta(hours=1)


async def test_single_accounts_on_a_platform_without_groups_are_not_kept() -> None:
    life = Life()
    heard, _ = await life.begin()
    heard.platforms = {**heard.platforms, "secret": Confidant(life.clock)}
    heard.groups[G] = heard.groups[GroupId("secret:anybody")] = life.clock.nanos()

    await heard.write(whole=True)

    assert set(heard.groups) == {G}
    assert set(await life.records.keepsakes("heard")) == {str(G)}
