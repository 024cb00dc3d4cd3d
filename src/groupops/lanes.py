"""Where facts wait their turn: one bounded queue per shard of groups, so that a group's order is kept."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from groupops.errors import GroupOpsError
from groupops.events import Event

P = TypeVar("P")
"""What a glance leaves to be finished."""


TURNS = 3
"""Turns of the loop a fact takes from its socket to its lane; so many without one, and none is on its way."""

LULL_WITHIN_S = 0.02
"""Seconds that whoever gives way to facts waits at most: in a flood it has its turn as well."""


class Closed(GroupOpsError):
    """The process is stopping and takes no more facts."""


class Intake(Protocol[P]):
    """Who takes facts: the flow. A fact is taken by `handle`, or by a `glance` and what it leaves to `finish`."""

    def glance(self, event: Event) -> P | None:
        """Do all that needs no waiting; None when the fact is finished by that."""
        ...

    async def finish(self, pending: P) -> object:
        """Do what a glance left."""
        ...

    async def handle(self, event: Event) -> object:
        """Take a fact all the way."""
        ...


@dataclass(slots=True)
class Traffic:
    """What has passed, as plain numbers: they are counted for every fact and read now and then.

    Args:
        glanced: facts that were finished at a glance.
        queued: facts that went through a queue.
        held: facts whose giver had to wait because a queue was full.
        failed: facts that ended in an error.
    """

    glanced: int = 0
    queued: int = 0
    held: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Lane(Generic[P]):
    waiting: deque[tuple[Event, P | None]] = field(default_factory=deque[tuple[Event, P | None]])
    held: deque[tuple[Event, asyncio.Future[None]]] = field(
        default_factory=deque[tuple[Event, "asyncio.Future[None]"]]
    )
    task: asyncio.Task[None] | None = None


class Lanes(Generic[P]):
    """Hands facts to the flow: at once where nobody is before them, else in turn.

    A fact whose lane is empty and idle is glanced at on the spot; that is the road of most talk and costs no
    task and no queue. Everything else waits in its lane, and the lane works it off in the order in which it
    came. A full lane makes the giver wait; nothing is dropped.

    Args:
        intake: the flow.
        shards: number of lanes; a group always has the same one.
        depth: how many facts may wait in a lane.
        failed: told of a fact that ended in an error.
    """

    def __init__(
        self,
        intake: Intake[P],
        *,
        shards: int = 16,
        depth: int = 1000,
        failed: Callable[[Event, Exception], None],
    ) -> None:
        self.traffic = Traffic()
        self._intake = intake
        self._depth = depth
        self._failed = failed
        self._lanes: list[_Lane[P]] = [_Lane() for _ in range(shards)]
        self._giving_way: deque[tuple[asyncio.Future[None], float]] = deque()
        self._usher: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> tuple[int, ...]:
        """How many facts wait in each lane now."""
        return tuple(len(lane.waiting) + len(lane.held) for lane in self._lanes)

    @property
    def idle(self) -> bool:
        """True when nothing waits and nothing is being handled."""
        return all(lane.task is None for lane in self._lanes)

    def offer(self, event: Event) -> Awaitable[None] | None:
        """Hand a fact in; call it on the loop.

        Returns:
            None when the fact is handled or waits in its lane. Else the lane is full, and the giver is to
            await this: it ends when the fact has a place. The fact is safe even if the giver stops waiting.

        Raises:
            Closed: `stop` was called.
        """
        if self._closed:
            raise Closed("groupops is stopping; this fact was not taken")
        lane = self._lanes[hash(event.group_id) % len(self._lanes)]
        if lane.task is not None:
            return self._queue(lane, event)
        try:
            pending = self._intake.glance(event)
        except Exception as error:  # noqa: BLE001 - the giver is not to suffer for what the flow does
            self._fails(event, error)
            return None
        if pending is None:
            self.traffic.glanced += 1
        else:
            self._start(lane, event, pending)
        return None

    async def lull(self) -> None:
        """Wait until no fact is on its way or being handled, but not for long: what can wait gives way to facts.

        Of those that wait one goes at a time, and facts that came meanwhile go before the next.
        """
        loop = asyncio.get_running_loop()
        place = loop.create_future()
        self._giving_way.append((place, loop.time() + LULL_WITHIN_S))
        if self._usher is None:
            self._usher = loop.create_task(self._let_by(loop))
        await place

    async def _let_by(self, loop: asyncio.AbstractEventLoop) -> None:
        quiet = 0
        try:
            while self._giving_way:
                passed = self.traffic.glanced + self.traffic.queued
                await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, no time
                is_quiet = self.idle and passed == self.traffic.glanced + self.traffic.queued
                quiet = quiet + 1 if is_quiet else 0
                place, latest = self._giving_way[0]
                if quiet >= TURNS or place.done() or loop.time() >= latest:
                    self._giving_way.popleft()
                    quiet = 0
                    if not place.done():
                        place.set_result(None)
        finally:
            self._usher = None

    async def settled(self) -> None:
        """Wait until nothing waits and nothing is being handled."""
        while tasks := [lane.task for lane in self._lanes if lane.task is not None]:
            await asyncio.wait(tasks)

    async def stop(self, within: float) -> int:
        """Take no more facts and work off what waits.

        Args:
            within: seconds to wait at most.

        Returns:
            How many facts were still unfinished then; 0 when all is done.
        """
        self._closed = True
        return await self.drain(within)

    async def drain(self, within: float) -> int:
        """Work off what waits, for at most `within` seconds; gives how many facts are unfinished."""
        try:
            await asyncio.wait_for(self.settled(), within)
        except TimeoutError:
            return sum(self.waiting) + sum(lane.task is not None for lane in self._lanes)
        return 0

    def _start(self, lane: _Lane[P], event: Event, pending: P | None) -> None:
        self.traffic.queued += 1
        lane.waiting.append((event, pending))
        lane.task = asyncio.get_running_loop().create_task(self._work(lane))

    def _queue(self, lane: _Lane[P], event: Event) -> Awaitable[None] | None:
        self.traffic.queued += 1
        if len(lane.waiting) < self._depth and not lane.held:
            lane.waiting.append((event, None))
            return None
        self.traffic.held += 1
        place = asyncio.get_running_loop().create_future()
        lane.held.append((event, place))
        return place

    async def _work(self, lane: _Lane[P]) -> None:
        try:
            while lane.waiting:
                event, pending = lane.waiting.popleft()
                self._let_in(lane)
                await self._one(event, pending)
        finally:
            # No await stands between the last look at the queue and this line: nothing slips in between.
            lane.task = None

    def _let_in(self, lane: _Lane[P]) -> None:
        if lane.held:
            event, place = lane.held.popleft()
            lane.waiting.append((event, None))
            if not place.done():
                place.set_result(None)

    async def _one(self, event: Event, pending: P | None) -> None:
        try:
            if pending is None:
                await self._intake.handle(event)
            else:
                await self._intake.finish(pending)
        except Exception as error:  # noqa: BLE001 - one fact that fails must not stop those behind it
            self._fails(event, error)

    def _fails(self, event: Event, error: Exception) -> None:
        self.traffic.failed += 1
        self._failed(event, error)
