"""The bot of the soak: an engine on a database, that is stopped, killed at any moment, and started anew."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

from groupops import AccountId, Event, GroupId, Stage
from groupops.clock import StoppedClock
from groupops.counters import MemoryCounters
from groupops.engine import Engine, Parts
from groupops.flow import Outcome
from groupops.hooks import Fault, Hooks
from groupops.shelf import Pack, PackShelf
from groupops.store.database import moment
from groupops.store.sql import open_records
from groupops.testing import QuietLog
from groupops.ticker import LEASE
from groupops_sandbox import Sandbox

ROUNDS = 200
"""Rounds after which a day that never comes to rest is given up."""

NEVER = datetime.max.replace(tzinfo=UTC)

REMEMBERED = 40
"""Facts of the last while that the platform brings once more after a start, as a bus or a history would."""


PATIENCE_S = 60.0
"""Seconds a plugin may take: the machine of a soak is busy, and what hangs hangs for ever."""

CANCELLATIONS = 10
"""How often what will not end is told to."""

STEPS = (50, 20_000)
"""After how many steps a life ends, unless it is ended in order before."""


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Fuse:
    """Burns down with every step that touches the record or the platform; None never does."""

    left: int | None = None

    def burn(self) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left <= 0:
            self.left = None
            raise Killed


class MortalRecords:
    """The record as a process sees it that may be gone before or after any step of its."""

    def __init__(self, records: Any, fuse: Fuse) -> None:
        self._records = records
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        step = getattr(self._records, name)

        async def taken(*args: Any, **kwargs: Any) -> Any:
            self._fuse.burn()
            result = await step(*args, **kwargs)
            self._fuse.burn()
            return result

        return taken


class MortalClock:
    """The clock as that process sees it: whoever looks at it, in whatever room or plugin, may never look up again."""

    def __init__(self, clock: StoppedClock, fuse: Fuse) -> None:
        self._clock = clock
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)

    def now(self) -> datetime:
        self._fuse.burn()
        return self._clock.now()


class MortalPlatform:
    """The platform as that process sees it: what was asked for may be done, and nobody there to be told."""

    def __init__(self, sandbox: Sandbox, fuse: Fuse) -> None:
        self._sandbox = sandbox
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sandbox, name)

    async def perform(self, action: Any, *, key: str) -> Any:
        receipt = await self._sandbox.perform(action, key=key)
        self._fuse.burn()
        return receipt


@dataclass
class Lived:
    """What is remembered of one life of the bot from outside.

    `due`: the due rows that were taken in it, in order; `killed`: how it ended.
    """

    due: list[str] = field(default_factory=list)
    killed: bool = False


@dataclass
class Bot:
    """The bot in all its lives.

    `plugins`: those that are not installed; `heard`: told of every fact that was handled to its end.
    """

    url: str
    clock: StoppedClock
    sandboxes: Mapping[str, Sandbox]
    packs: tuple[Pack, ...]
    plugins: Mapping[str, ModuleType]
    dice: random.Random
    log: QuietLog = field(default_factory=QuietLog)
    lives: list[Lived] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    facts: int = 0
    engine: Engine = field(init=False)
    context: Any = None
    _fuse: Fuse = field(default_factory=Fuse)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _inbox: deque[Event] = field(default_factory=deque)
    _recent: deque[Event] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _looks: list[datetime] = field(default_factory=list)
    _followed: int = 0
    _born: bool = True
    _upcoming: datetime | None = None
    _running: set[asyncio.Task[Any]] = field(default_factory=set)

    # — lives —

    async def start(self) -> None:
        """Begin a life: nothing is known but what the database says."""
        self._running = asyncio.all_tasks()
        hooks = Hooks(timeout=PATIENCE_S)
        hooks.load_all()
        for name, module in self.plugins.items():
            hooks.load(name, module)
        apps = {name: one.models for name, one in hooks.manifests.items() if one.models}
        self._stack = AsyncExitStack()
        records = await self._stack.enter_async_context(open_records(self.url, apps=apps, migrate=True))
        self.context = self._stack.enter_context(records.context)
        self._fuse.left = None
        self.engine = Engine.build(
            Parts(
                hooks=hooks,
                records=MortalRecords(records, self._fuse),  # type: ignore[arg-type] # has all that the record has
                counters=MemoryCounters(self.clock),
                clock=MortalClock(self.clock, self._fuse),
                platforms={name: MortalPlatform(one, self._fuse) for name, one in self.sandboxes.items()},  # type: ignore[misc] # likewise
                shelf=PackShelf.load().plus(*self.packs),
                log=self.log,
                heard=self._heard,
            )
        )
        self.lives.append(Lived())
        self._born, self._upcoming = True, None
        await self.engine.start()
        await self.engine.recover()
        self.mortal_again()

    def mortal_again(self) -> None:
        """From now on this life may end at any step."""
        self._fuse.left = self.dice.randint(*STEPS)

    def immortal(self) -> None:
        """While somebody looks into the books the bot does not die."""
        self._fuse.left = None

    async def stop(self) -> None:
        """End a life in order, as an operator does."""
        self.immortal()
        await self.engine.people.flush()
        await self.engine.stop()
        self._put_by()
        await self._stack.aclose()

    async def start_again(self) -> None:
        """Begin the next life after `stop`; the platform brings the last facts once more."""
        await self._begin_again()

    async def _die(self) -> None:
        """End a life at once: nothing is written any more."""
        self.lives[-1].killed = True
        await _end(asyncio.all_tasks() - self._running)
        self._put_by()
        await self._stack.aclose()
        with suppress(Exception):
            await self.engine.parts.hooks.stop()
        self._looks.append(self.clock.now() + LEASE + timedelta(seconds=1))

    async def _begin_again(self) -> None:
        await self.start()
        self._inbox.extendleft(reversed(self._recent))

    def _put_by(self) -> None:
        self.faults += self.engine.parts.hooks.faults

    def _heard(self, outcome: Outcome) -> None:
        event = outcome.event
        self._followed += 1
        if event.kind == "time_came" and not outcome.duplicate:
            self.lives[-1].due.append(f"{event.plugin}/{event.job}/{event.group_id} {event.due_at}")

    # — what it is told, and time —

    async def bind(self, group: GroupId, packs: Iterable[str], *, name: str, owner: AccountId) -> None:
        await self.engine.bind_group(group, packs=tuple(packs), stage=Stage.ENFORCED, name=name, owner=owner)

    async def tell(self, *facts: Event) -> None:
        """Hand in facts, and all the platforms have to tell; each is handed in again by whom it was not finished."""
        self._inbox.extend(facts)
        await self._through(self._take_in_and_rest)

    def deaf(self) -> None:
        """What the platforms told while nothing ran is lost."""
        for sandbox in self.sandboxes.values():
            sandbox.take()

    async def do(self, work: Callable[[Engine], Awaitable[Any]]) -> Any:
        """Have an operator's command done, by whom it needs; it is given again if the bot dies under it."""
        done: list[Any] = []

        async def once() -> None:
            done.append(await work(self.engine))
            await self._rest()

        await self._through(once)
        return done[-1]

    async def until(self, end: datetime) -> None:
        """Let time pass, stopping wherever something is due."""

        async def pass_on() -> None:
            while (upcoming := await self._next(end)) is not None:
                self.clock.moment = max(upcoming, self.clock.now())
                await self._rest()
            self.clock.moment = max(end, self.clock.now())

        await self._through(pass_on)

    async def _through(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Killed:
                await self._die()
                await self._begin_again()
            else:
                return

    async def _take_in_and_rest(self) -> None:
        if await self._take_in() or self._born:
            await self._rest()

    async def _rest(self) -> None:
        """Let everything happen that is due at this moment; where nothing is, nothing is asked but when something will be."""
        self._born = False
        due = self._upcoming is not None and self._upcoming <= self.clock.now()
        for _ in range(ROUNDS):
            told = await self._take_in()
            if due:
                await self.engine.ticker.tick()
                await self.engine.outbox.pump()
                told = await self._take_in()
            await self.engine.people.flush()
            self._upcoming = await self._look_ahead()
            due = self._upcoming <= self.clock.now()
            if not (told or due):
                return
        raise AssertionError(f"the bot does not come to rest at {self.clock.now()}")

    async def _take_in(self) -> int:
        """Handle what was told; gives of how many facts something followed, for most talk ends at a glance."""
        for sandbox in self.sandboxes.values():
            self._inbox.extend(sandbox.take())
        followed = self._followed
        while self._inbox:
            await self.engine.flow.handle(self._inbox[0])
            self._recent.append(self._inbox.popleft())
            self.facts += 1
        return self._followed - followed

    async def _next(self, limit: datetime) -> datetime | None:
        """Give the next moment at which something is due, up to a limit."""
        if self._upcoming is None:
            self._upcoming = await self._look_ahead()
        return self._upcoming if self._upcoming <= limit else None

    async def _look_ahead(self) -> datetime:
        """Give the next moment at which something is due; one that is past when it is due now."""
        (found,) = await self.context.db().execute_query_dict(_WAITING)
        moments = [moment(one) for one in (found["action"], found["due"]) if one is not None]
        self._looks = [look for look in self._looks if look > self.clock.now()]
        return min((*moments, *self._looks, NEVER))


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel tasks until all are at their end: one that had its answer already may take a cancellation for nothing.

    Raises:
        AssertionError: some go on for ever.
    """
    left = tasks
    for _ in range(CANCELLATIONS):
        if not left:
            return
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=PATIENCE_S / CANCELLATIONS)
        for task in ended:
            if not task.cancelled():
                task.exception()  # was raised by a process that is gone
    assert not left, f"these outlive their process: {left}"


_WAITING = (
    'SELECT (SELECT MIN(COALESCE("not_before", "created_at")) FROM "core_outbox" WHERE "state" = \'waiting\') '
    'AS "action", (SELECT MIN("due_at") FROM "core_due" WHERE "claimed_at" IS NULL) AS "due"'
)
