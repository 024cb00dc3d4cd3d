"""Puts the engine's rooms together, the same way for a bot that runs, a rehearsal, a scenario and a test."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any

from groupops.actions import Capability
from groupops.calendar import WorkCalendar
from groupops.casebook import Casebook
from groupops.clock import Clock
from groupops.commands import Commands
from groupops.counters import Counters
from groupops.directory import REGISTER, PeopleBook
from groupops.errands import Errands
from groupops.errors import ConfigError
from groupops.events import Event, TimeCame
from groupops.flow import Flow, Outcome
from groupops.homes import Homes
from groupops.hooks import Hooks
from groupops.notebook import OwnNotebook
from groupops.obligations import Obligations
from groupops.outbox import Outbox
from groupops.people import AccountId, Group, GroupId, Stage, platform_of
from groupops.plan import GroupPlan, PlanBook
from groupops.platform import KnowsItself, Platform, Whispers
from groupops.plugin import Log, Texts, Tools, texts_of
from groupops.policy import Policy, Retention
from groupops.records import Audit, Due, OutboxRow, PolicyRevision, Records, Steward, Ticket
from groupops.revisions import PolicyState, Resolver, bind, change, move, next_revision, roll_back, state_of
from groupops.shelf import PackShelf
from groupops.ticker import CORE, Schedules, Ticker

PURGE = "purge"
"""The core's nightly job."""

EFFECTIVE = "effective"
"""The core's own row for the day a policy begins to apply; `time_came` makes the plan anew at it."""

PURGE_HOUR = 3
"""Local hour at which what is past its term is forgotten."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What differs between a running bot, a rehearsal and a test.

    Args:
        hooks: the plugins, loaded.
        records: where things are kept.
        counters: what is counted.
        clock: when it is.
        platforms: name → connection; may be filled later, while it runs.
        shelf: the packs.
        env: `.env` and the environment, for settings.
        calendar: which days are worked.
        log: where to log.
        known: plugins that are there but switched off.
        timezone: of groups that have no other.
        rehearse: True where nothing may reach a platform.
        default_packs, default_stage: what a group gets that nobody bound; no packs = it is left alone.
        on_settled: told of every final receipt, besides the plugins.
    """

    hooks: Hooks
    records: Records
    counters: Counters
    clock: Clock
    platforms: dict[str, Platform]
    shelf: PackShelf
    log: Log
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    calendar: WorkCalendar = field(default_factory=WorkCalendar)
    known: tuple[str, ...] = ()
    timezone: str = "Asia/Shanghai"
    rehearse: bool = False
    default_packs: tuple[str, ...] = ()
    default_stage: Stage = Stage.SHADOW
    heard: Callable[[Outcome], None] | None = None
    on_settled: Callable[[OutboxRow, Any], None] | None = None


@dataclass(slots=True)
class Engine:
    """The engine, put together."""

    parts: Parts
    resolver: Resolver
    people: PeopleBook
    plans: PlanBook
    outbox: Outbox
    casebook: Casebook
    obligations: Obligations
    commands: Commands
    flow: Flow
    schedules: Schedules
    ticker: Ticker
    texts: Texts
    _seats: tuple[Steward, ...] = ()
    _registered: datetime | None = None

    @classmethod
    def build(cls, parts: Parts) -> Engine:
        """Put the rooms together; nothing is read or started yet."""
        texts = texts_of("groupops")

        def can(group_id: GroupId) -> frozenset[Capability]:
            return engine.outbox.can(group_id)

        def me(group_id: GroupId) -> AccountId | None:
            platform: object = parts.platforms.get(platform_of(group_id))
            return platform.me(group_id) if isinstance(platform, KnowsItself) else None

        doubted: list[Ticket] = []
        people = PeopleBook(
            parts.records,
            parts.clock,
            parts.counters,
            parts.calendar,
            can,
            texts,
            told=doubted.append,
            me=me,
        )
        people.besides = lambda: (name for name, one in parts.platforms.items() if isinstance(one, Whispers))
        resolver = resolver_of(parts.hooks, parts.shelf, parts.env, parts.known)

        def tools_of(plugin: str, own: Texts | None) -> Tools:
            return Tools(
                clock=parts.clock,
                counters=parts.counters,
                people=people,
                cases=parts.records,
                calendar=parts.calendar,
                log=parts.log,
                texts=own or _texts(parts.hooks, plugin),
                notes=OwnNotebook(records=parts.records, owner=plugin, clock=parts.clock),
            )

        engine: Engine

        async def policy_of(group: Group) -> Policy:
            return engine.policy(await engine.state(group.id))

        plans = PlanBook(parts.hooks, tools_of, policy_of, parts.calendar, parts.clock, parts.log)

        async def settled(row: OutboxRow, receipt: Any) -> None:
            await engine.tell_performed(row, receipt)

        def noted(row: OutboxRow, receipt: Any) -> Audit | None:
            return engine.performed(row, receipt)

        outbox = Outbox(
            parts.records,
            parts.clock,
            people,
            parts.platforms,
            texts,
            parts.log,
            settled=settled,
            noted=noted,
            rehearse=parts.rehearse,
        )
        casebook = Casebook(parts.records, parts.clock, people, outbox, parts.hooks, texts, plans.of)
        obligations = Obligations(
            parts.records, parts.clock, plans.hours, texts=lambda _: texts, people=people
        )
        commands = Commands(parts.records, parts.clock, people, casebook, obligations, texts)
        errands = Errands(plans, people, parts.records, casebook, outbox, obligations, parts.clock, texts)
        flow = Flow(
            parts.hooks,
            plans,
            people,
            parts.records,
            casebook,
            outbox,
            obligations,
            commands,
            errands,
            parts.calendar,
            parts.clock,
            texts,
            parts.log,
            doubted=doubted,
            homes=Homes(people, plans, parts.counters),
            heard=parts.heard,
        )
        schedules = Schedules(parts.records, parts.clock, parts.calendar, _plugins(parts.hooks))

        async def post(fact: TimeCame) -> object:
            return await engine.time_came(fact)

        ticker = Ticker(parts.records, parts.clock, post, log=parts.log)
        engine = cls(
            parts,
            resolver,
            people,
            plans,
            outbox,
            casebook,
            obligations,
            commands,
            flow,
            schedules,
            ticker,
            texts,
        )
        flow.meet = engine.meet if parts.default_packs else None
        flow.timers[PURGE] = engine.purge
        return engine

    def check_defaults(self) -> None:
        """Look over what a group gets that nobody bound, before its first message does.

        Raises:
            ConfigError: a setting of the environment does not hold.
            PackError: one of the packs is missing or says something wrong.
        """
        if self.parts.default_packs:
            self.resolver.policy(self.parts.default_packs, {})

    async def start(self) -> None:
        """Start the plugins, read who is who, and make a plan for every bound group.

        Raises:
            PluginError: a plugin could not start.
            ConfigError: a group's policy does not hold.
            StoreError: the database refuses.
        """
        await self.parts.hooks.start(lambda plugin: self.plans.tools_of(plugin, None))
        await self.people.load()
        for group in await self.parts.records.groups():
            await self._plan(group)

    async def recover(self) -> None:
        """Take up what a process that died left half done.

        For the one process that runs the bot, after `start` and before it performs anything: an operator's
        command that only looks must not take from it what it has in hand.

        Raises:
            StoreError: the database refuses.
        """
        await self.outbox.recover()
        await self.obligations.recover()

    async def stop(self) -> None:
        """Stop what runs; what waits stays in the record."""
        self.ticker.stop()
        self.outbox.stop()
        await self.parts.hooks.stop()

    # — groups and their policies —

    async def bind_group(
        self,
        group_id: GroupId,
        *,
        packs: Sequence[str],
        stage: Stage | None = None,
        name: str = "",
        timezone: str = "",
        owner: AccountId | None = None,
        author: str = "operator",
    ) -> GroupPlan:
        """Look after a group from now on, by these packs; one that is bound keeps its stage unless told another.

        Raises:
            ConfigError: a pack is missing or says something wrong; the group is not bound.
        """
        known = await self.parts.records.group(group_id)
        kept = self.parts.default_stage if known is None else known.stage
        state = PolicyState(packs=tuple(packs), stage=stage or kept)
        self.resolver(state)
        group = known or Group(id=group_id, timezone=timezone or self.parts.timezone)
        group = replace(
            group, name=name or group.name, timezone=timezone or group.timezone, owner=owner or group.owner
        )
        await self.parts.records.put_group(group)
        await self.people.load()
        return await self.revise(
            group_id, lambda now: replace(now, packs=state.packs, stage=state.stage), author=author
        )

    async def unbind_group(self, group_id: GroupId, *, author: str = "operator") -> None:
        """Look after a group no longer; its cases and audit stay."""
        await self.schedules.drop(group_id)
        await self.parts.records.drop_group(group_id)
        self.plans.forget(group_id)
        await self.people.load()
        await self._audit("group unbound", group_id, author)

    async def revise(
        self, group_id: GroupId, make: Callable[[PolicyState], PolicyState], *, author: str, note: str = ""
    ) -> GroupPlan:
        """Change a group's policy: checked before it is stored, then in force at once.

        Args:
            group_id: which group.
            make: from the state now to the state wanted.
            author: who changes it.
            note: why.

        Raises:
            ConfigError: the group is not bound, or the new state does not hold; nothing was stored.
        """
        group = await self.parts.records.group(group_id)
        if group is None:
            raise ConfigError(
                f"group {group_id!r} is not bound; bind it with: groupops group bind {group_id} --pack ID"
            )
        history = await self.parts.records.revisions(group_id)
        state = make(state_of(history[-1] if history else None))
        revision = next_revision(
            group_id,
            history,
            state,
            author=author,
            at=self.parts.clock.now(),
            resolver=self.resolver,
            note=note,
        )
        if revision is not None:
            await self.parts.records.revise(revision)
            await self._audit(
                "policy revised", group_id, author, number=revision.number, diff=dict(revision.diff)
            )
        group = await self.parts.records.group(group_id)
        assert group is not None  # noqa: S101 - it was there a moment ago
        return await self._plan(group)

    async def set(self, group_id: GroupId, key: str, value: Any, *, author: str) -> GroupPlan:
        """Set one key of a group's policy; None lets the packs decide again."""
        return await self.revise(group_id, lambda now: change(now, key, value), author=author)

    async def stage(self, group_id: GroupId, stage: Stage, *, author: str, force: bool = False) -> GroupPlan:
        """Put a group's policy in another stage."""
        return await self.revise(group_id, lambda now: move(now, stage, force=force), author=author)

    async def packs(self, group_id: GroupId, packs: Sequence[str], *, author: str) -> GroupPlan:
        """Bind other packs to a group."""
        return await self.revise(group_id, lambda now: bind(now, packs), author=author)

    async def roll_back(self, group_id: GroupId, number: int, *, author: str) -> GroupPlan:
        """Make an earlier revision's state the next revision."""
        history = await self.parts.records.revisions(group_id)
        return await self.revise(
            group_id, lambda _: roll_back(history, number), author=author, note=f"back to {number}"
        )

    async def history(self, group_id: GroupId) -> tuple[PolicyRevision, ...]:
        """Give a group's revisions, oldest first."""
        return await self.parts.records.revisions(group_id)

    async def state(self, group_id: GroupId) -> PolicyState:
        """Give what a group's policy is made from now."""
        history = await self.parts.records.revisions(group_id)
        return state_of(history[-1] if history else None)

    def policy(self, state: PolicyState) -> Policy:
        """Resolve a state."""
        return self.resolver(state)

    async def steward(
        self, account: AccountId, group_id: GroupId | None = None, *, author: str = "operator"
    ) -> None:
        """Make an account a steward, everywhere or in one group."""
        await self.people.add_steward(Steward(account=account, group_id=group_id), by=author)

    async def refresh(self) -> int:
        """Take up what another process changed: groups bound, unbound or revised, stewards, and the register.

        Returns:
            How many plans were made anew or dropped.
        """
        stored = {group.id: group for group in await self.parts.records.groups()}
        changed = [group for group in stored.values() if self._outdated(group)]
        gone = [plan.group.id for plan in self.plans.all() if plan.group.id not in stored]
        seats = await self.parts.records.stewards()
        registered = await self.parts.records.noted_last(REGISTER)
        if changed or gone or seats != self._seats or registered != self._registered:
            self._seats, self._registered = seats, registered
            await self.people.load()
        for group_id in gone:
            self.plans.forget(group_id)
            self.people.forget(group_id)
        for group in changed:
            await self._plan(group)
        return len(changed) + len(gone)

    def _outdated(self, group: Group) -> bool:
        plan = self.plans.of(group.id)
        return plan is None or plan.group.revision != group.revision

    async def _plan(self, group: Group) -> GroupPlan:
        await self.people.load_group(group.id)
        plan = await self.plans.rebuild(group)
        await self.schedules.rearm(plan.group, plan.policy)
        await self._arm_purge(plan)
        await self._arm_effective(plan)
        return plan

    async def _arm_effective(self, plan: GroupPlan) -> None:
        """Be woken at the first moment of a policy that waits for its day, so that it applies from then (G20)."""
        if plan.until is None:
            return
        at = datetime.combine(plan.until, time(), plan.timezone)
        await self.parts.records.put_due(
            (Due(job=f"{EFFECTIVE}/{plan.group.id}", due_at=at, group_id=plan.group.id, plugin=CORE),)
        )

    async def _arm_purge(self, plan: GroupPlan) -> None:
        """Keep the nightly purge ahead of us."""
        now = plan.local(self.parts.clock.now())
        tonight = now.replace(hour=PURGE_HOUR, minute=0, second=0, microsecond=0)
        at = tonight if tonight > now else tonight + _DAY
        await self.parts.records.put_due(
            (Due(job=f"{PURGE}/{plan.group.id}", due_at=at, group_id=plan.group.id, plugin=CORE),)
        )

    async def meet(self, event: Event) -> bool:
        """Bind a group met for the first time by the operator's defaults; True when it is looked after now."""
        if await self.parts.records.group(event.group_id) is not None:
            return False
        await self.bind_group(
            event.group_id, packs=self.parts.default_packs, stage=self.parts.default_stage, author="default"
        )
        return True

    # — time —

    async def time_came(self, fact: TimeCame) -> Outcome | None:
        """Take a due row: keep its schedule going, then hand it to the flow."""
        plan = self.plans.of(fact.group_id)
        if plan is None:
            return None
        if plan.until is not None and self.parts.clock.now().astimezone(plan.timezone).date() >= plan.until:
            group = await self.parts.records.group(fact.group_id)
            if group is not None:
                plan = await self._plan(group)
        if fact.plugin != CORE and not await self.schedules.fired(fact, plan.group, plan.policy):
            return None
        return await self.flow.handle(fact)

    async def purge(self, fact: TimeCame) -> None:
        """Forget what of a group is past its terms, and by the usual terms what belongs to no group any more."""
        plan = self.plans.of(fact.group_id)
        if plan is None:
            return
        now, records = self.parts.clock.now(), self.parts.records
        forgotten = await records.purge(now, plan.policy.retention.terms(), group_id=fact.group_id)
        await records.purge(now, Retention().terms(), group_id=None)
        await self._audit("purged", fact.group_id, "clock", **dict(forgotten))
        await self._arm_purge(plan)

    # — receipts —

    def performed(self, row: OutboxRow, receipt: Any) -> Audit | None:
        """Give the line of audit of an action that came to its end: of what a case led to, and of what bites."""
        if row.case_id is None and not row.action.bites:
            return None
        detail = {"action": row.action.kind, "case": row.case_id, "receipt": receipt.kind, "key": row.key}
        return self._line("performed", row.action.group_id, row.plugin or CORE, detail)

    async def tell_performed(self, row: OutboxRow, receipt: Any) -> None:
        """Tell the plugins that listen what became of an action."""
        if self.parts.on_settled is not None:
            self.parts.on_settled(row, receipt)
        plan = self.plans.of(row.action.group_id)
        if plan is None or not plan.performed:
            return
        asked = self.parts.hooks.hear(plan.performed, (row.event_id, row.action, receipt), plan.group, None)
        if asked is not None:
            await self.parts.hooks.wait(asked)

    async def _audit(self, what: str, group_id: GroupId, actor: str, **detail: Any) -> None:
        await self.parts.records.note(self._line(what, group_id, actor, detail))

    def _line(self, what: str, group_id: GroupId, actor: str, detail: Mapping[str, Any]) -> Audit:
        return Audit(at=self.parts.clock.now(), what=what, actor=actor, group_id=group_id, detail=detail)


def resolver_of(
    hooks: Hooks, shelf: PackShelf, env: Mapping[str, str], known: Collection[str] = ()
) -> Resolver:
    """Give what resolves policies for these plugins, packs and environment; `known` are switched off."""
    return Resolver(shelf=shelf, manifests=_plugins(hooks), env=env, known=known, texts=_text_keys(hooks))


def _plugins(hooks: Hooks) -> dict[str, Any]:
    """Give the manifests of what packs may speak of: everything but adapters."""
    adapters = set(hooks.names("platforms"))
    return {name: manifest for name, manifest in hooks.manifests.items() if name not in adapters}


def _text_keys(hooks: Hooks) -> dict[str, frozenset[str]]:
    keys = {name: _texts(hooks, name).keys() for name in _plugins(hooks)}
    return {"core": texts_of("groupops").keys(), **keys}


def _texts(hooks: Hooks, plugin: str) -> Texts:
    return texts_of(hooks.loaded[plugin].module.__name__)
