"""What a group needs to be ruled, made once per policy revision, so that no message pays for it."""

from __future__ import annotations

import operator
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from groupops.calendar import Window, WorkCalendar, WorkHours
from groupops.clock import Clock
from groupops.hooks import Bound, Hooks
from groupops.people import Group, GroupId, Stage
from groupops.plugin import Command, Log, Manifest, Quiet, Settings, Texts, Tools, texts_of
from groupops.policy import Policy
from groupops.settings import effective_stage, messages_of

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Hearer:
    """A plugin that is asked rarely, with the constants its answer is bound to."""

    plugin: str
    constants: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True, eq=False)
class Wired:
    """A plugin bound to what it is handed; groups in which that is the same share it.

    Args:
        plugin: its name.
        constants: what it is handed; it stays as long as this does, so nothing else has its id.
        judge, react: its answers, bound; None where it has none.
    """

    plugin: str
    constants: Mapping[str, Any]
    judge: Bound | None
    react: Bound | None

    def is_of(self, plugin: str, constants: Mapping[str, Any]) -> bool:
        """Say whether it is this plugin, handed these very things."""
        return self.plugin == plugin and all(self.constants[key] is one for key, one in constants.items())


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True, eq=False)
class Wiring:
    """Who is asked what in a group; groups that are alike share it.

    Args:
        plugins: the plugins that run, in order.
        judges, reacts, performed, impose: as in `GroupPlan`.
    """

    plugins: tuple[Wired, ...]
    judges: Mapping[str, tuple[Bound, ...]]
    reacts: Mapping[str, tuple[Bound, ...]]
    performed: tuple[Bound, ...]
    impose: Mapping[str, Hearer]

    def is_of(self, plugins: Sequence[Wired]) -> bool:
        """Say whether it is of these very plugins."""
        return len(self.plugins) == len(plugins) and all(map(operator.is_, self.plugins, plugins))


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlan:
    """Everything one group needs; never changed, only replaced.

    Args:
        group: the group as it was when the plan was made.
        policy: what applies.
        judges, reacts: kind of event → the plugins to ask, bound to their settings.
        performed: who hears of receipts.
        impose: ladder step → the plugin that owns it.
        wiring: where these four are from.
        quiet: when the group rests.
        defer: True when the bot's own unasked messages wait for the end of a quiet window.
        commands: word → (plugin, command); core commands are not among them.
        initials: the first characters of these words: most talk is ruled out by its own.
        timezone: the group's.
        awake: False in the stages in which nothing is asked of live facts.
        until: the day on which the plan must be made anew (a policy becomes effective), or None.
    """

    group: Group
    policy: Policy
    judges: Mapping[str, tuple[Bound, ...]]
    reacts: Mapping[str, tuple[Bound, ...]]
    performed: tuple[Bound, ...]
    impose: Mapping[str, Hearer]
    wiring: Wiring
    quiet: tuple[Window, ...]
    defer: bool
    commands: Mapping[str, tuple[str, Command]]
    initials: frozenset[str]
    timezone: ZoneInfo
    awake: bool = True
    until: date | None = None

    @property
    def stage(self) -> Stage:
        """How far the policy bites today."""
        return self.group.stage

    def local(self, moment: datetime) -> datetime:
        """Give a moment in the group's timezone."""
        return moment.astimezone(self.timezone)

    def resting_until(self, moment: datetime, calendar: WorkCalendar) -> datetime | None:
        """Give the end of the quiet window that covers a moment, or None."""
        local = self.local(moment)
        ends = [window.ends_at(local, calendar) for window in self.quiet if window.covers(local, calendar)]
        return max((end for end in ends if end is not None), default=None)


ToolsOf = Callable[[str, Texts | None], Tools]


@dataclass(slots=True)
class PlanBook:
    """The plans of all groups.

    Args:
        hooks: the plugins.
        tools_of: makes a plugin's tools; the texts are the plugin's own with the policy's messages over them.
        policy_of: resolves a group's policy (packs, `.env`, overrides).
        calendar: which days are worked.
        clock: to know today.
        log: told of plugins that could not prepare.
    """

    hooks: Hooks
    tools_of: ToolsOf
    policy_of: Callable[[Group], Awaitable[Policy]]
    calendar: WorkCalendar
    clock: Clock
    log: Log
    _plans: dict[GroupId, GroupPlan] = field(default_factory=dict[GroupId, GroupPlan])
    _shared: dict[tuple[Any, ...], Any] = field(default_factory=dict[tuple[Any, ...], Any])
    _wired: WeakValueDictionary[int, Wired] = field(default_factory=WeakValueDictionary[int, Wired])
    _wirings: WeakValueDictionary[int, Wiring] = field(default_factory=WeakValueDictionary[int, Wiring])

    def of(self, group_id: GroupId) -> GroupPlan | None:
        """Give a group's plan, or None when the group is not looked after."""
        return self._plans.get(group_id)

    def all(self) -> tuple[GroupPlan, ...]:
        """Give all plans."""
        return tuple(self._plans.values())

    def forget(self, group_id: GroupId) -> None:
        """Forget a group that was unbound."""
        self._plans.pop(group_id, None)

    def hours(self, group_id: GroupId) -> WorkHours:
        """Give a group's working time: service hours on working days, never in quiet windows (G5)."""
        plan = self._plans[group_id]
        return WorkHours(
            spans=tuple(Window.parse_span(span) for span in plan.policy.group.service_hours),
            calendar=self.calendar,
            zone=plan.timezone,
            quiet=plan.quiet,
        )

    async def rebuild(self, group: Group) -> GroupPlan:
        """Make a group's plan from its stored state and put it in force.

        Raises:
            ConfigError: packs or overrides do not hold; the former plan stays in force.
        """
        policy = await self.policy_of(group)
        today = self.clock.now().astimezone(ZoneInfo(group.timezone)).date()
        stage = effective_stage(group.stage, policy.effective, today)
        waits = policy.effective if policy.effective is not None and policy.effective > today else None
        plan = await self._make(_staged(group, stage), policy, waits)
        self._plans[group.id] = plan
        return plan

    async def _make(self, group: Group, policy: Policy, until: date | None) -> GroupPlan:
        windows: list[Window] = []
        defer = False
        known: dict[str, dict[str, Any]] = {}
        for name in policy.enabled:
            if name not in self.hooks.loaded:
                continue
            known[name] = await self._constants(name, group, policy)
            rest = await self._quiet(name, group, known[name])
            if rest is not None:
                windows.extend(rest.windows)
                defer = defer or rest.defer
        wiring = self._wiring(known)
        return GroupPlan(
            group=group,
            policy=policy,
            judges=wiring.judges,
            reacts=wiring.reacts,
            performed=wiring.performed,
            impose=wiring.impose,
            wiring=wiring,
            quiet=tuple(windows),
            defer=defer,
            commands=self._commands(policy.enabled),
            initials=self._once(
                ("initials", policy.enabled), lambda: _initials(self._commands(policy.enabled))
            ),
            timezone=ZoneInfo(group.timezone),
            awake=group.stage not in (Stage.DRAFT, Stage.REHEARSED),
            until=until,
        )

    def _wiring(self, known: Mapping[str, Mapping[str, Any]]) -> Wiring:
        """Wire plugins once for all groups that are alike, and keep that as long as there is one."""
        plugins = tuple(self._one(name, constants) for name, constants in known.items())
        key = hash(tuple(map(id, plugins)))
        found = self._wirings.get(key)
        if found is None or not found.is_of(plugins):
            found = self._wirings[key] = self._wire(plugins)
        return found

    def _one(self, name: str, constants: Mapping[str, Any]) -> Wired:
        key = hash((name, *map(id, constants.values())))
        found = self._wired.get(key)
        if found is None or not found.is_of(name, constants):
            judge, react = (self.hooks.bind(hook, name, constants) for hook in ("judge", "react"))
            found = self._wired[key] = Wired(plugin=name, constants=constants, judge=judge, react=react)
        return found

    def _wire(self, plugins: tuple[Wired, ...]) -> Wiring:
        imposing = self.hooks.names("impose")
        told = (self.hooks.told(one.plugin, one.constants) for one in plugins)
        return Wiring(
            plugins=plugins,
            judges=self._table((one.judge, self._manifest(one).hears) for one in plugins),
            reacts=self._table((one.react, self._manifest(one).reacted_to) for one in plugins),
            performed=tuple(bound for bound in told if bound is not None),
            impose={
                step: Hearer(one.plugin, one.constants)
                for one in plugins
                if one.plugin in imposing
                for step in self.hooks.loaded[one.plugin].manifest.steps
            },
        )

    def _manifest(self, one: Wired) -> Manifest:
        return self.hooks.loaded[one.plugin].manifest

    @staticmethod
    def _table(answers: Iterable[tuple[Bound | None, frozenset[str]]]) -> Mapping[str, tuple[Bound, ...]]:
        """Give kind of event → the answers of the plugins that hear it."""
        table: dict[str, tuple[Bound, ...]] = {}
        for bound, kinds in answers:
            if bound is not None:
                table.update({kind: (*table.get(kind, ()), bound) for kind in kinds})
        return table

    async def _constants(self, name: str, group: Group, policy: Policy) -> dict[str, Any]:
        one = self.hooks.loaded[name]
        settings = policy.settings.get(name) or self._default(name)
        tools = self._tools(name, policy)
        constants: dict[str, Any] = {"settings": settings, "tools": tools, "own": self.hooks.own(name)}
        bound = self.hooks.bind("prepare", one.name, {**constants, "group": group, "policy": policy})
        if bound is not None:
            asked = await self.hooks.wait(self.hooks.ask((bound,), None, group, None))
            constants["prepared"] = asked.answers[0].value if asked.answers else None
            if asked.faults:
                self.log.warning("plugin could not prepare", plugin=name, group=group.id)
        else:
            constants["prepared"] = None
        return constants

    def _default(self, name: str) -> Settings:
        return self._once(("default", name), self.hooks.loaded[name].manifest.settings)

    def _tools(self, name: str, policy: Policy) -> Tools:
        """One set of tools per plugin and set of messages: ten thousand groups share it."""
        one = self.hooks.loaded[name]
        overrides = messages_of(policy, name)
        key = ("tools", name, tuple(sorted(overrides.items())))
        return self._once(key, lambda: self.tools_of(name, _texts(one.module.__name__, overrides)))

    async def _quiet(self, name: str, group: Group, constants: Mapping[str, Any]) -> Quiet | None:
        bound = self.hooks.bind("quiet", name, {**constants, "group": group})
        if bound is None:
            return None
        asked = await self.hooks.wait(self.hooks.ask((bound,), None, group, None))
        return next((a.value for a in asked.answers if isinstance(a.value, Quiet)), None)

    def _commands(self, enabled: tuple[str, ...]) -> Mapping[str, tuple[str, Command]]:
        return self._once(("commands", enabled), lambda: self._command_table(enabled))

    def _command_table(self, enabled: tuple[str, ...]) -> Mapping[str, tuple[str, Command]]:
        return {
            word: (name, command)
            for name in enabled
            if name in self.hooks.loaded
            for command in self.hooks.loaded[name].manifest.commands
            for word in (command.word, *command.aliases)
        }

    def _once(self, key: tuple[Any, ...], make: Callable[[], _T]) -> _T:
        """Make a thing once per key."""
        if key not in self._shared:
            self._shared[key] = make()
        made: _T = self._shared[key]
        return made


def _texts(package: str, overrides: Mapping[str, str]) -> Texts | None:
    texts = texts_of(package)
    return texts.over(overrides) if overrides else texts


def _initials(commands: Mapping[str, object]) -> frozenset[str]:
    return frozenset(word[0] for word in commands)


def _staged(group: Group, stage: Stage) -> Group:
    if group.stage is stage:
        return group
    return Group(
        id=group.id,
        name=group.name,
        timezone=group.timezone,
        stage=stage,
        packs=group.packs,
        owner=group.owner,
        revision=group.revision,
    )
