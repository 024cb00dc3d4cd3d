"""Where the demo's story happens: a make-believe platform, the engine, and a clock that the story moves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
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
from groupops.people import AccountId, GroupId, PersonLine, Role, Stage
from groupops.records import OutboxState
from groupops.shelf import Pack, PackShelf
from groupops.store.memory import MemoryRecords
from groupops.store.passing import tables_of
from groupops.testing import SANDBOX, QuietLog

ROUNDS = 100
"""Rounds after which a moment that never comes to rest is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody of the story.

    Args:
        account: the native account.
        name: what the account is called.
        card: its card in the group.
        role: its role in the group.
        inside: whether it is in the group when the story begins.
    """

    account: str
    name: str
    card: str = ""
    role: Role = Role.MEMBER
    inside: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The group of the story.

    Args:
        key: its native id.
        platform: the make-believe platform's name.
        profile: what the platform is able to do.
        name: the group's name.
        bot_role: what the bot is in it.
        cast: how the story calls somebody → who that is.
        stewards: keys of those who decide.
        overrides: what the operator sets besides the pack, in order.
    """

    key: str
    platform: str
    profile: str
    name: str
    bot_role: Role
    cast: Mapping[str, Actor]
    stewards: tuple[str, ...]
    overrides: Mapping[str, Any]

    @property
    def group_id(self) -> GroupId:
        """The group's id."""
        return GroupId(f"{self.platform}:{self.key}")

    def account(self, who: str) -> AccountId:
        """Give the account of somebody of the cast."""
        return AccountId(f"{self.platform}:{self.cast[who].account}")


@dataclass(slots=True)
class Scenery:
    """The engine with its platform.

    Args:
        engine: the engine, started.
        clock: its clock.
        sandbox: the connection.
        room: the group.
        heard: what became of facts that were not finished at a glance, in order.
        roster: the lines of the roster, as HR last had it.
    """

    engine: Engine
    clock: StoppedClock
    sandbox: Any
    room: Room
    heard: list[Outcome]
    roster: tuple[PersonLine, ...]

    def name(self, account: str) -> str:
        """Give the name of an account."""
        native = account.partition(":")[2]
        return next((one.name for one in self.room.cast.values() if one.account == native), native)

    async def tell(self, event: Event | None) -> None:
        """Hand in a fact, and let happen what follows at once."""
        if event is not None:
            await self.engine.flow.handle(event)
        await self.settle()

    async def enrol(self, lines: Iterable[PersonLine]) -> int:
        """Have HR's roster say who is who; returns how many persons are new."""
        enrolled, facts = await self.engine.people.enrol(tuple(lines), by="hr")
        for fact in facts:
            await self.engine.flow.handle(fact)
        await self.settle()
        return enrolled.created

    async def settle(self) -> None:
        """Let everything happen that is due at this moment."""
        for _ in range(ROUNDS):
            told = self.sandbox.take()
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
    room: Room, pack: Pack, roster: Sequence[PersonLine], start: datetime
) -> AsyncGenerator[Scenery, None]:
    """Set the stage.

    Args:
        room: the group, its cast and its stewards.
        pack: its rules.
        roster: who belongs to the company.
        start: where the clock stands (aware).
    """
    clock = StoppedClock(start)
    sandbox = import_module(SANDBOX).Sandbox(clock, profile=room.profile, name=room.platform)
    hooks = Hooks()
    hooks.load_all()
    heard: list[Outcome] = []
    parts = Parts(
        hooks=hooks,
        records=MemoryRecords(),
        counters=MemoryCounters(clock),
        clock=clock,
        platforms={room.platform: sandbox},
        shelf=PackShelf.load().plus(pack),
        log=QuietLog(),
        heard=heard.append,
    )
    engine = Engine.build(parts)
    stage = Scenery(engine, clock, sandbox, room, heard, tuple(roster))
    async with tables_of(hooks.manifests):
        await engine.start()
        try:
            await _furnish(stage, pack)
            yield stage
        finally:
            await engine.stop()


async def _furnish(stage: Scenery, pack: Pack) -> None:
    """Fill the group; rules come last, so that who is there already is no newcomer."""
    room, sandbox = stage.room, stage.sandbox
    sandbox.group(room.key, name=room.name, bot_role=room.bot_role)
    for actor in room.cast.values():
        if actor.inside:
            sandbox.member(room.key, actor.account, name=actor.name, card=actor.card, role=actor.role)
    for steward in room.stewards:
        await stage.engine.steward(room.account(steward))
    await stage.enrol(stage.roster)
    await stage.engine.bind_group(room.group_id, packs=[pack.id], stage=Stage.ENFORCED, name=room.name)
    for key, value in room.overrides.items():
        await stage.engine.set(room.group_id, key, value, author="operator")
    await stage.tell(sandbox.census(room.key))
    stage.heard.clear()
