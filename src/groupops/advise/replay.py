"""Moves the clock from fact to fact of one group, stopping at every moment at which something is due there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from groupops.advise.history import OfOneGroup, TurnedClock
from groupops.advise.windows import MOST_SAID
from groupops.engine import Engine
from groupops.events import Event
from groupops.people import GroupId
from groupops.records import OutboxRow, OutboxState

MOST = 100_000
"""Waiting actions of one group that are looked at."""


@dataclass(slots=True)
class Player:
    """Replays one group's history on the record it belongs to.

    Args:
        engine: the engine, started.
        clock: the history's clock.
        guard: the record as this history may touch it.
        group_id: whose history.
        latest: the last facts that were played.
    """

    engine: Engine
    clock: TurnedClock
    guard: OfOneGroup
    group_id: GroupId
    first: datetime | None = None
    last: datetime | None = None
    latest: deque[Event] = field(default_factory=lambda: deque[Event](maxlen=MOST_SAID))
    _stop: datetime | None = None
    _others: frozenset[int] = frozenset()

    async def begin(self, moment: datetime) -> None:
        """Turn the clock to where the history begins, and keep the group's schedules ahead of that."""
        self._others = frozenset(row.id for row in await self._waiting())
        self.clock.turn(moment)
        plan = self.engine.plans.of(self.group_id)
        if plan is not None:
            await self.engine.schedules.arm(plan.group, plan.policy)
        await self._look_ahead()

    async def tell(self, event: Event) -> None:
        """Hand in one fact at its own moment."""
        await self.engine.flow.handle(event)
        await self._look_ahead()

    async def play(self, facts: Iterable[Event]) -> None:
        """Hand in facts, each at its own moment."""
        flow = self.engine.flow
        for fact in facts:
            if self._stop is not None and self._stop <= fact.at:
                await self._catch_up(fact.at)
            self.clock.reach(fact.at)
            pending = flow.glance(fact)
            if pending is not None:
                await flow.finish(pending)
                await self._look_ahead()
            self.latest.append(fact)
            self.first = min(self.first or fact.at, fact.at)
            self.last = max(self.last or fact.at, fact.at)

    async def end(self) -> None:
        """Come back to the real moment; what the schedules would have done between is for the next time."""
        await self.engine.schedules.drop(self.group_id)
        self.clock.turn(self.clock.real)
        await self._actions()
        plan = self.engine.plans.of(self.group_id)
        if plan is not None:
            await self.engine.schedules.arm(plan.group, plan.policy)

    async def _catch_up(self, moment: datetime) -> None:
        """Let happen what was due before a moment, each at its own time."""
        while self._stop is not None and self._stop <= moment:
            self.clock.reach(self._stop)
            fired = await self.engine.ticker.tick()
            tried = await self._actions()
            await self._look_ahead()
            if not (fired or tried):
                return  # what is due and cannot be done waits for good; the facts go on

    async def _actions(self) -> int:
        """Carry out what this history asked for and put off until now."""
        now = self.clock.now()
        rows = [row for row in await self._waiting() if row.not_before is None or row.not_before <= now]
        return len(await self.engine.outbox.send(rows))

    async def _waiting(self) -> list[OutboxRow]:
        """Give this history's actions that wait; what a bot left waiting in the group is the bot's to do."""
        rows = await self.guard.outbox(
            states=frozenset({OutboxState.WAITING}), group_id=self.group_id, limit=MOST
        )
        return [row for row in rows if row.id not in self._others]

    async def _look_ahead(self) -> None:
        """Find the next moment at which something is due."""
        if self.engine.people.unwritten:
            await self.engine.people.flush()
        moments = [row.not_before for row in await self._waiting() if row.not_before is not None]
        due = await self.guard.next_due()
        self._stop = min([*moments, *([due] if due else [])], default=None)
