"""Whoever came, went or was renamed unseen is found by reading the lists, gently, and no failure ends that."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from groupops import Event, GroupId, PlatformError, SendText
from groupops.scans import BETWEEN, FIRST_S, GAP_S, JITTER, Scans
from groupops.testing import Rig, rig
from groupops_sandbox import Sandbox
from tests.support.stories import PACK, done, plugin

G = GroupId("sandbox:g1")
BARE = PACK.split("[clause")[0].replace('["rude"]', "[]")
S = timedelta(seconds=1)
LONGEST_FIRST = FIRST_S * (1 + JITTER)


@dataclass
class Watched:
    """Scans of a rig, and which lists were read when."""

    r: Rig
    scans: Scans
    read: list[tuple[float, str]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    answers: dict[str, Any] = field(default_factory=dict)

    async def play(self, seconds: float) -> None:
        await self.breathe()
        await self.r.clock.play_to(self.r.clock.now() + seconds * S)
        await self.breathe()

    async def breathe(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    @property
    def groups(self) -> list[str]:
        return [group for _, group in self.read]


@asynccontextmanager
async def scanning(
    *, minutes: float = 360, seed: int = 1, second: Sandbox | None = None, **more: Any
) -> AsyncIterator[Watched]:
    async with rig(**{"pack": BARE, "plugins": (), **more}) as r:
        scans = Scans(
            r.engine.parts.platforms,
            lambda: [plan.group.id for plan in r.engine.plans.all() if plan.awake],
            r.engine.flow.handle,
            r.clock,
            r.log,
            every=timedelta(minutes=minutes),
            dice=random.Random(seed),
        )
        made = Watched(r, scans)
        begun, members = r.clock.now(), r.sandbox.members

        async def noted(group_id: GroupId) -> Any:
            made.read.append(((r.clock.now() - begun).total_seconds(), group_id.partition(":")[2]))
            if group_id in made.broken:
                raise PlatformError("away")
            return await members(group_id)

        r.sandbox.members = noted
        task = asyncio.create_task(scans.run())
        yield made
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def greeter() -> dict[str, Any]:
    def react(event: Event) -> list[SendText]:
        if event.kind in ("member_joined", "member_left", "member_renamed"):
            said = f"{event.kind} {event.account}"  # type: ignore[union-attr]
            return [SendText(group_id=event.group_id, text=said)]
        return []

    hears = ("member_joined", "member_left", "member_renamed")
    return {"rude": plugin(hears=hears, react=react)}


async def test_whoever_came_went_or_was_renamed_unseen_is_found() -> None:
    async with scanning(pack=PACK, extra=greeter()) as w:
        room = w.r.sandbox.world.room("g1")
        w.r.sandbox.member("g1", "zhao")
        del room.seats["sandbox:li"]
        room.seats["sandbox:wang"].card = "新名片"
        await w.play(LONGEST_FIRST)

        said = sorted(action.text for action in done(w.r, "send_text"))
        assert said == [
            "member_joined sandbox:zhao",
            "member_left sandbox:li",
            "member_renamed sandbox:wang",
        ]


async def test_the_first_round_comes_soon_and_the_next_after_the_time_that_is_set() -> None:
    async with scanning(minutes=60) as w:
        await w.play(FIRST_S - 1)
        assert w.read == []
        await w.play(LONGEST_FIRST)
        assert w.groups == ["g1"]
        await w.play(3600 - 2 * LONGEST_FIRST)
        assert w.groups == ["g1"]

        await w.play(3600 * JITTER + 5 * LONGEST_FIRST)
        assert w.groups == ["g1", "g1"]


async def test_groups_are_read_one_after_the_other_with_a_pause() -> None:
    names = [f"g{number}" for number in range(1, 6)]
    async with scanning(groups=names) as w:
        await w.play(60)

        assert w.groups == names
        gaps = [later - earlier for (earlier, _), (later, _) in pairwise(w.read)]
        assert all(GAP_S <= gap <= GAP_S * (1 + JITTER) for gap in gaps)
        assert len(set(gaps)) > 1


async def test_no_list_is_read_where_none_can_be_or_none_is_wanted() -> None:
    async with scanning(profile="wecom-aibot") as w:
        await w.play(3600)
        assert w.read == []
    async with rig(plugins=()) as r:
        never = Scans({"sandbox": r.sandbox}, lambda: [G], r.engine.flow.handle, r.clock, r.log, every=0 * S)
        await asyncio.wait_for(never.run(), 1)


async def test_a_platform_that_fails_is_left_alone_longer_and_longer_and_its_groups_are_tried_once_more() -> (
    None
):
    async with scanning(groups=["g1", "g2", "g3"]) as w:
        w.broken = {GroupId(f"sandbox:g{number}") for number in (1, 2, 3)}
        await w.play(4 * 3600)

        assert w.groups == ["g1", "g2", "g3"] * 2
        gaps = [later - earlier for (earlier, _), (later, _) in pairwise(w.read)]
        assert gaps == sorted(gaps)
        assert gaps[0] >= 30
        assert gaps[-1] >= 300
        assert w.scans.scanned["sandbox"].failed == 6
        assert sum(what == "member list could not be read" for _, what, _ in w.r.log.lines) == 6


async def test_one_group_that_fails_does_not_keep_the_others_from_being_read() -> None:
    async with scanning(groups=["g1", "g2", "g3"]) as w:
        w.broken = {GroupId("sandbox:g2")}
        await w.play(600)

        assert w.groups == ["g1", "g2", "g3", "g2"]
        assert (w.scans.scanned["sandbox"].whole, w.scans.scanned["sandbox"].failed) == (2, 2)


async def test_a_platform_that_raises_anything_is_only_a_failure() -> None:
    async with scanning() as w:

        async def raising(group_id: GroupId) -> Any:
            raise KeyError(group_id)

        w.r.sandbox.members = raising
        assert not await w.scans.scan(G)


async def test_a_connection_that_came_back_is_scanned_soon_but_not_again_and_again() -> None:
    async with scanning() as w:
        await w.play(LONGEST_FIRST)
        for _ in range(5):
            w.scans.ask("sandbox")
            await w.play(30)
        assert w.groups == ["g1"]

        await w.play(BETWEEN.total_seconds() * (1 + JITTER))
        assert w.groups == ["g1", "g1"]
        await w.play(3600)
        assert w.groups == ["g1", "g1"]
        w.scans.ask("sandbox")
        await w.play(LONGEST_FIRST)
        assert w.groups == ["g1", "g1", "g1"]


async def test_a_bot_that_comes_after_the_first_round_is_not_kept_waiting() -> None:
    async with scanning() as w:
        can = w.r.sandbox.can
        w.r.sandbox.can = lambda _: frozenset()
        await w.play(2 * LONGEST_FIRST)
        assert w.read == []
        w.r.sandbox.can = can
        w.scans.ask("sandbox")
        await w.play(LONGEST_FIRST)

        assert w.groups == ["g1"]


async def test_a_list_that_is_cut_changes_nothing_and_is_counted() -> None:
    async with scanning(pack=PACK, extra=greeter()) as w:
        w.r.sandbox.faults.lists_cut_to = 2
        await w.play(LONGEST_FIRST)

        assert w.scans.scanned["sandbox"].cut == 1
        assert done(w.r, "send_text") == []
        assert len(await w.r.records.tickets()) == 1


async def test_a_platform_that_is_added_while_it_runs_is_found_and_waits_for_no_other() -> None:
    async with scanning() as w:
        w.broken = {G}
        far = Sandbox(w.r.clock, name="far")
        far.group("g1")
        far.member("g1", "wang")
        w.r.engine.parts.platforms["far"] = far
        await w.r.engine.bind_group(GroupId("far:g1"), packs=["story"], name="far")
        await w.play(3 * LONGEST_FIRST)

        assert w.scans.scanned["far"].whole == 1


async def test_a_road_that_refuses_a_list_ends_only_that_round() -> None:
    async with scanning(minutes=15) as w:
        post, refused = w.scans.post, [True]

        async def refusing(fact: Event) -> object:
            if refused:
                refused.clear()
                raise RuntimeError("closed")
            return await post(fact)

        w.scans.post = refusing
        await w.play(2 * 15 * 60)

        assert len(w.read) == 2
        assert any(what == "scan ended early" for _, what, _ in w.r.log.lines)
