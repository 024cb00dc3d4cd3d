"""Where the demo's story happens: two make-believe platforms, one engine, and a clock that the story moves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from groupops.clock import StoppedClock
from groupops.counters import MemoryCounters
from groupops.engine import Engine, Parts
from groupops.events import Event
from groupops.flow import Outcome
from groupops.hooks import Hooks
from groupops.people import AccountId, GroupId, Role, Stage
from groupops.records import OutboxState
from groupops.shelf import Pack, PackShelf
from groupops.store.memory import MemoryRecords
from groupops.store.passing import tables_of
from groupops.testing import SANDBOX, QuietLog

ROUNDS = 100
"""Rounds after which a moment that never comes to rest is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A group of the story.

    Args:
        key: how the story calls it.
        platform: the make-believe platform's name.
        profile: what the platform is able to do.
        name: the group's name.
        bot_role: what the bot is in it.
        cast: native account → (name, role).
    """

    key: str
    platform: str
    profile: str
    name: str
    bot_role: Role
    cast: Mapping[str, tuple[str, Role]]

    @property
    def group_id(self) -> GroupId:
        """The group's id."""
        return GroupId(f"{self.platform}:{self.key}")


@dataclass(slots=True)
class Scenery:
    """The engine with its platforms.

    Args:
        engine: the engine, started.
        clock: its clock.
        sandboxes: platform → connection.
        rooms: key → group.
        heard: what became of facts that were not finished at a glance, in order.
    """

    engine: Engine
    clock: StoppedClock
    sandboxes: Mapping[str, Any]
    rooms: Mapping[str, Room]
    heard: list[Outcome]

    def of(self, room: str) -> Any:
        """Give the connection of a group."""
        return self.sandboxes[self.rooms[room].platform]

    def name(self, account: str) -> str:
        """Give the name of an account."""
        platform, _, native = account.partition(":")
        for room in self.rooms.values():
            if room.platform == platform and native in room.cast:
                return room.cast[native][0]
        return native

    async def tell(self, event: Event | None) -> None:
        """Hand in a fact, and let happen what follows at once."""
        if event is not None:
            await self.engine.flow.handle(event)
        await self.settle()

    async def settle(self) -> None:
        """Let everything happen that is due at this moment."""
        for _ in range(ROUNDS):
            told = [event for sandbox in self.sandboxes.values() for event in sandbox.take()]
            for event in told:
                await self.engine.flow.handle(event)
            fired = await self.engine.ticker.tick()
            tried = await self.engine.outbox.pump()
            await self.engine.people.flush()
            if not (told or fired or tried):
                return

    async def until(self, moment: datetime) -> AsyncIterator[datetime]:
        """Move the clock on, giving every moment at which something was due."""
        while (due := await self._next()) is not None and due <= moment:
            self.clock.moment = max(due, self.clock.now())
            await self.settle()
            yield due
        self.clock.moment = max(moment, self.clock.now())

    async def _next(self) -> datetime | None:
        records = self.engine.parts.records
        waiting = await records.outbox(states=frozenset({OutboxState.WAITING}))
        moments = [row.not_before for row in waiting if row.not_before is not None]
        due = await records.next_due()
        return min([*moments, *([due] if due else [])], default=None)


@asynccontextmanager
async def scenery(
    rooms: Sequence[Room], pack: Pack, stewards: Sequence[str], start: datetime
) -> AsyncGenerator[Scenery, None]:
    """Set the stage.

    Args:
        rooms: the groups.
        pack: their rules.
        stewards: accounts that decide.
        start: where the clock stands (aware).
    """
    clock = StoppedClock(start)
    make = import_module(SANDBOX).Sandbox
    sandboxes = {room.platform: make(clock, profile=room.profile, name=room.platform) for room in rooms}
    hooks = Hooks()
    hooks.load_all(extra=["groupops.demo.errands"])
    heard: list[Outcome] = []
    parts = Parts(
        hooks=hooks,
        records=MemoryRecords(),
        counters=MemoryCounters(clock),
        clock=clock,
        platforms=dict(sandboxes),
        shelf=PackShelf.load().plus(pack),
        log=QuietLog(),
        heard=heard.append,
    )
    engine = Engine.build(parts)
    stage = Scenery(engine, clock, sandboxes, {room.key: room for room in rooms}, heard)
    async with tables_of(hooks.manifests):
        await engine.start()
        try:
            for steward in stewards:
                await engine.steward(AccountId(steward))
            for room in rooms:
                await _furnish(stage, room, pack)
            heard.clear()
            yield stage
        finally:
            await engine.stop()


async def _furnish(stage: Scenery, room: Room, pack: Pack) -> None:
    sandbox = stage.sandboxes[room.platform]
    sandbox.group(room.key, name=room.name, bot_role=room.bot_role)
    for native, (name, role) in room.cast.items():
        sandbox.member(room.key, native, name=name, card=name, role=role)
        sandbox.world.befriend(native)
    await stage.engine.bind_group(room.group_id, packs=[pack.id], stage=Stage.ENFORCED, name=room.name)
    await stage.tell(sandbox.census(room.key))
