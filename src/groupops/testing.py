"""What tests of groupops and of anybody's plugin stand on: a rig with a stopped clock and a make-believe platform.

The fakes here pass the same contract suites as the real things: `PlatformContract` for platforms, the
counters' and the records' suites in groupops' own tests.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Any

from groupops.calendar import WorkCalendar
from groupops.clock import StoppedClock
from groupops.contracts_platform import PlatformContract
from groupops.counters import Counters, MemoryCounters
from groupops.engine import Engine, Parts
from groupops.events import Event
from groupops.flow import Outcome
from groupops.hooks import Hooks
from groupops.people import AccountId, Enrolled, GroupId, PersonLine, Role, Stage
from groupops.records import OutboxState, Records
from groupops.shelf import Pack, PackShelf, parse_pack
from groupops.store.memory import MemoryRecords
from groupops.store.passing import tables_of

MONDAY = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
"""Monday 3 March 2025, 09:00 in Shanghai: where stories begin."""

SANDBOX = "groupops_sandbox"

CAST: Mapping[str, Role] = MappingProxyType(
    {
        "owner": Role.OWNER,
        "admin": Role.ADMIN,
        "admin2": Role.ADMIN,
        "wang": Role.MEMBER,
        "li": Role.MEMBER,
    }
)
"""Who sits in a rig's group unless a test says otherwise."""


@dataclass(slots=True)
class QuietLog:
    """A log that keeps its lines, so that a test can read them."""

    lines: list[tuple[str, str, dict[str, object]]] = field(
        default_factory=list[tuple[str, str, dict[str, object]]]
    )

    def info(self, what: str, /, **fields: object) -> None:
        """Keep a line."""
        self.lines.append(("info", what, fields))

    def warning(self, what: str, /, **fields: object) -> None:
        """Keep a line."""
        self.lines.append(("warning", what, fields))


@dataclass(slots=True)
class Rig:
    """An engine on a make-believe platform, with a clock that only the test moves.

    Args:
        engine: the engine, started.
        clock: its clock.
        sandbox: its platform.
        log: what was logged.
        outcomes: what became of every fact that was not finished at a glance, in order.
    """

    engine: Engine
    clock: StoppedClock
    sandbox: Any
    log: QuietLog
    outcomes: list[Outcome]

    @property
    def records(self) -> Records:
        """The record."""
        return self.engine.parts.records

    async def tell(self, event: Event | None) -> Outcome | None:
        """Hand in a fact as the platform would; None (the platform does not hear it) stays None."""
        if event is None:
            return None
        outcome = await self.engine.flow.handle(event)
        await self.settle()
        return outcome

    async def say(self, group: str, account: str, text: str = "", **more: Any) -> Outcome | None:
        """Have a member post in a group."""
        return await self.tell(self.sandbox.say(group, account, text, **more))

    async def whisper(self, group: str, account: str, text: str) -> Outcome | None:
        """Have a member write to the bot alone."""
        return await self.tell(self.sandbox.whisper(group, account, text))

    async def enrol(self, *lines: PersonLine, by: str = "hr") -> Enrolled:
        """Have a roster say who somebody is, with all that follows."""
        enrolled, facts = await self.engine.people.enrol(lines, by=by)
        for fact in facts:
            await self.engine.flow.handle(fact)
        await self.settle()
        return enrolled

    async def settle(self) -> None:
        """Let everything happen that is due at this moment."""
        for _ in range(_ROUNDS):
            told = self.sandbox.take()
            for event in told:
                await self.engine.flow.handle(event)
            fired = await self.engine.ticker.tick()
            tried = await self.engine.outbox.pump()
            await self.engine.people.flush()
            if not (told or fired or tried):
                return

    async def advance(self, span: timedelta) -> None:
        """Move the clock on, stopping at every moment at which something is due."""
        await self.advance_to(self.clock.now() + span)

    async def advance_to(self, moment: datetime) -> None:
        """Move the clock to a moment, stopping at every moment at which something is due."""
        while True:
            upcoming = await self._next(moment)
            if upcoming is None:
                break
            self.clock.moment = upcoming
            await self.settle()
        self.clock.moment = max(moment, self.clock.now())
        await self.settle()

    async def _next(self, limit: datetime) -> datetime | None:
        waiting = await self.records.outbox(states=frozenset({OutboxState.WAITING}))
        moments = [row.not_before for row in waiting if row.not_before is not None]
        due = await self.records.next_due()
        if due is not None:
            moments.append(due)
        later = [moment for moment in moments if self.clock.now() < moment <= limit]
        return min(later, default=None)


_ROUNDS = 100
"""Rounds after which a story that never comes to rest is given up."""


@asynccontextmanager
async def rig(
    *,
    packs: Iterable[str | Pack] = (),
    pack: str = "",
    stage: Stage = Stage.ENFORCED,
    profile: str = "full",
    start: datetime = MONDAY,
    plugins: Iterable[str] | None = None,
    extra: Mapping[str, ModuleType] | None = None,
    records: Records | None = None,
    counters: Callable[[StoppedClock], Counters] | None = None,
    calendar: WorkCalendar | None = None,
    env: Mapping[str, str] | None = None,
    stewards: Iterable[str] = ("sandbox:admin", "sandbox:admin2"),
    groups: Iterable[str] = ("g1",),
    cast: Mapping[str, Role] = CAST,
    hook_timeout: float = 5.0,
    default_packs: Iterable[str] = (),
) -> AsyncGenerator[Rig]:
    """Put an engine together for a test or a scenario.

    Args:
        packs: ids of shipped packs, or packs.
        pack: the text of one more pack, as TOML; its groups are bound to it.
        stage: the stage the groups are in.
        profile: what the platform is able to do (`profiles.toml` of the sandbox).
        start: where the clock stands (aware).
        plugins: names of the installed plugins to load; None loads all.
        extra: name → module of plugins that are not installed.
        records: where things are kept; in memory if not given.
        counters: makes the counters for the clock; in memory if not given.
        calendar: which days are worked.
        env: settings as `.env` would give them.
        stewards: accounts that decide.
        groups: native ids of the groups, all bound to the same packs.
        cast: native account → role of who sits in each group at the start.
        hook_timeout: seconds an awaited hook may take.
        default_packs: what a group gets that nobody bound, in shadow; none = it is left alone.
    """
    clock = StoppedClock(start)
    sandbox = import_module(SANDBOX).Sandbox(clock, profile=profile)
    hooks = Hooks(timeout=hook_timeout)
    hooks.load_all(only=plugins)
    for name, module in (extra or {}).items():
        hooks.load(name, module)
    given = [one for one in packs if isinstance(one, Pack)]
    if pack:
        given.append(parse_pack(pack, path="pack"))
    ids = [one if isinstance(one, str) else one.id for one in packs]
    ids += [one.id for one in given if one.id not in ids]
    log = QuietLog()
    outcomes: list[Outcome] = []
    parts = Parts(
        hooks=hooks,
        records=records or MemoryRecords(),
        counters=counters(clock) if counters else MemoryCounters(clock),
        clock=clock,
        platforms={"sandbox": sandbox},
        shelf=PackShelf.load().plus(*given),
        log=log,
        env=env or {},
        calendar=calendar or WorkCalendar(),
        heard=outcomes.append,
        default_packs=tuple(default_packs),
    )
    engine = Engine.build(parts)
    async with tables_of(hooks.manifests), _started(engine):
        for steward in stewards:
            await engine.steward(AccountId(steward))
        for group in groups:
            sandbox.group(group)
            for account, role in cast.items():
                sandbox.member(group, account, role=role)
            await engine.bind_group(GroupId(f"sandbox:{group}"), packs=ids, stage=stage, name=group)
        made = Rig(engine, clock, sandbox, log, outcomes)
        for group in groups:
            await made.tell(sandbox.census(group))
        outcomes.clear()
        yield made


@asynccontextmanager
async def _started(engine: Engine) -> AsyncGenerator[None, None]:
    await engine.start()
    await engine.recover()
    try:
        yield
    finally:
        await engine.stop()


__all__ = ["MONDAY", "PlatformContract", "QuietLog", "Rig", "StoppedClock", "rig"]
