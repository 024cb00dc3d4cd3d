"""Loads plugins, and is the one door through which they are called: isolated, timed out, and named."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import tomllib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import resources
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, get_type_hints

import pluggy

from groupops import hookspecs
from groupops.answers import fault_of, in_order
from groupops.counters import CountersUnavailable
from groupops.errors import PluginError
from groupops.events import EVENT_KINDS
from groupops.plugin import Manifest, Tools
from groupops.verdicts import Ruling, Said, settle

GROUP = "groupops"
"""The entry-point group in which plugins and adapters are registered."""

FREE = ("event", "group", "member")
"""Arguments that differ from call to call; all others are bound when a plan is built."""


DEED = ("event_id", "action", "receipt", "group")
"""The same of `performed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A plugin that was loaded: its name, its module and what it says it is."""

    name: str
    module: ModuleType
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Bound:
    """One plugin's answer to one hook with everything bound that a plan knows.

    Calling it takes the fact, the group and the member; extra arguments go by name.
    """

    plugin: str
    hook: str
    call: Callable[[Any, Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a plugin said, with its name."""

    plugin: str
    value: Any


@dataclass(slots=True)
class Asked:
    """What came back from a round of asking: answers, and those that are still being thought about."""

    answers: list[Answer] = field(default_factory=list[Answer])
    waiting: list[tuple[Bound, Awaitable[Any]]] = field(default_factory=list[tuple[Bound, Awaitable[Any]]])
    faults: list[str] = field(default_factory=list[str])
    held: bool = False
    """True when a plugin could not count: nothing is decided until the counters are back."""


@dataclass(slots=True)
class Fault:
    """How often a plugin failed at a hook, and how the last time went."""

    plugin: str
    hook: str
    times: int = 0
    last: str = ""


class Hooks:
    """Registers plugins with pluggy and calls them through one door.

    Args:
        timeout: seconds an awaited answer may take.
        on_fault: told the plugin, the hook and what went wrong, each time a plugin fails.
    """

    def __init__(
        self, *, timeout: float = 5.0, on_fault: Callable[[str, str, str], None] | None = None
    ) -> None:
        self._manager = pluggy.PluginManager("groupops")
        self._manager.add_hookspecs(hookspecs)
        self._loaded: dict[str, Loaded] = {}
        self._faults: dict[tuple[str, str], Fault] = {}
        self._timeout = timeout
        self._on_fault = on_fault
        self._stack = AsyncExitStack()
        self._own: dict[str, Any] = {}
        self._adrift: set[asyncio.Task[Any]] = set()

    # — loading —

    @property
    def loaded(self) -> Mapping[str, Loaded]:
        """The plugins and adapters that were loaded, by name."""
        return self._loaded

    @property
    def manifests(self) -> Mapping[str, Manifest]:
        """Name → manifest of what was loaded."""
        return {name: one.manifest for name, one in self._loaded.items()}

    @property
    def faults(self) -> Sequence[Fault]:
        """Who failed at which hook, how often, and how the last time went."""
        return tuple(self._faults.values())

    def load(self, name: str, module: ModuleType) -> Loaded:
        """Register a module as a plugin.

        Args:
            name: the name of its table in packs.
            module: the module with `manifest` and hooks.

        Raises:
            PluginError: it breaks the contract; nothing was registered.
        """
        manifest = getattr(module, "manifest", None)
        if not isinstance(manifest, Manifest):
            raise PluginError(name, "has no `manifest`; add manifest = Manifest(title=…)")
        if name in self._loaded:
            raise PluginError(name, f"is there already, from {self._loaded[name].module.__name__}")
        found = _contract_faults(module, manifest, self._commands())
        if found:
            raise PluginError(name, found[0])
        try:
            self._manager.register(module, name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            self._manager.unregister(name=name)
            raise PluginError(
                name, f"answers a hook that does not exist, or asks it for what it does not offer: {error}"
            ) from error
        self._loaded[name] = Loaded(name=name, module=module, manifest=manifest)
        return self._loaded[name]

    def load_all(
        self,
        *,
        adapters: Iterable[str] = (),
        extra: Iterable[str] = (),
        disabled: Iterable[str] = (),
        only: Iterable[str] | None = None,
    ) -> None:
        """Load what is installed.

        Args:
            adapters: names of the adapters to load; adapters not named are left out.
            extra: modules to load without packaging (`GROUPOPS_EXTRA_PLUGINS`), named by their last part
                without `groupops_`.
            disabled: names that stay out.
            only: when given, load no plugin but these.

        Raises:
            PluginError: one of them breaks the contract, or a wanted one is not there.
        """
        wanted, out = set(adapters), set(disabled)
        chosen = None if only is None else set(only)
        # Reading what is installed takes longer than all the rest; where nothing of it is wanted it is left.
        looks = chosen is None or bool(chosen | wanted)
        found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name) if looks else []
        for entry in found:
            if entry.name in out or not (chosen is None or entry.name in chosen | wanted):
                continue
            try:
                module = entry.load()
            except ModuleNotFoundError as error:
                if error.name != entry.value:
                    raise PluginError(entry.name, f"cannot be imported: {error}") from error
                continue  # its folder was deleted; the entry point goes with the next install
            if _is_adapter(module):
                if entry.name in wanted:
                    self.load(entry.name, module)
            elif chosen is None or entry.name in chosen:
                self.load(entry.name, module)
        for dotted in extra:
            self.load(dotted.rpartition(".")[2].removeprefix("groupops_"), _import(dotted))
        missing = wanted - set(self._loaded) - out
        if missing:
            known = ", ".join(entry.name for entry in found)
            raise PluginError(min(missing), f"is wanted as an adapter but not installed; there are: {known}")

    def _commands(self) -> dict[str, str]:
        return {
            word: name
            for name, one in self._loaded.items()
            for command in one.manifest.commands
            for word in (command.word, *command.aliases)
        }

    # — life —

    async def start(self, tools_of: Callable[[str], Tools]) -> None:
        """Enter every plugin's `lifespan`, in name order.

        Raises:
            PluginError: a plugin's start failed.
        """
        for implementation in sorted(self._implementations("lifespan"), key=lambda one: one.plugin_name):
            name = implementation.plugin_name
            context = _bind(implementation, {"tools": tools_of(name)})(None, None, None)
            if context is None:
                continue
            try:
                self._own[name] = await self._stack.enter_async_context(context)
            except Exception as error:
                raise PluginError(name, f"could not start: {error}") from error

    async def stop(self) -> None:
        """Leave every `lifespan`, in reverse order."""
        await self._stack.aclose()
        self._own.clear()

    def own(self, plugin: str) -> Any:
        """Give what a plugin's `lifespan` yielded, or None."""
        return self._own.get(plugin)

    # — the door —

    def bind(self, hook: str, plugin: str, constants: Mapping[str, Any]) -> Bound | None:
        """Bind a plugin's answer to a hook; None when it does not answer it."""
        for implementation in self._implementations(hook):
            if implementation.plugin_name == plugin:
                return Bound(plugin, hook, _bind(implementation, constants))
        return None

    def ask(self, bounds: Iterable[Bound], event: Any, group: Any, member: Any) -> Asked:
        """Ask plugins in turn; what they must wait for is left in `waiting`. Never raises."""
        return self.hear(bounds, event, group, member) or Asked()

    def hear(self, bounds: Iterable[Bound], event: Any, group: Any, member: Any) -> Asked | None:
        """Ask as `ask` does; None when nobody says or will say anything, as of most talk."""
        asked: Asked | None = None
        for bound in bounds:
            try:
                value = bound.call(event, group, member)
            except CountersUnavailable:
                asked = asked or Asked()
                asked.held = True
                continue
            except Exception as error:
                asked = asked or Asked()
                self._failed(asked, bound, error)
                continue
            if value is None:
                continue
            asked = asked or Asked()
            if inspect.isawaitable(value):
                asked.waiting.append((bound, value))
            else:
                self._take(asked, bound, value)
        return asked

    async def wait(self, asked: Asked) -> Asked:
        """Wait, all at once and no longer than the timeout, for those who are still thinking."""
        waiting, asked.waiting = asked.waiting, []
        if not waiting:
            return asked
        tasks = [asyncio.ensure_future(_guarded(awaited)) for _, awaited in waiting]
        try:
            await asyncio.wait(tasks, timeout=self._timeout)
        finally:
            self._let_go(tasks)
        for (bound, _), task in zip(waiting, tasks, strict=True):
            self._take_late(asked, bound, task)
        return asked

    def _let_go(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Cancel those who are still thinking, and wait no more: one that will not be cancelled holds nobody up."""
        for task in tasks:
            if not task.done():
                task.cancel()
                self._adrift.add(task)
                task.add_done_callback(self._adrift.discard)

    def _take_late(self, asked: Asked, bound: Bound, task: asyncio.Task[Any]) -> None:
        if not task.done():
            self._failed(asked, bound, TimeoutError(f"no answer within {self._timeout:g} s"))
            return
        value = task.result()
        if isinstance(value, _Failure) and isinstance(value.error, CountersUnavailable):
            asked.held = True
        elif isinstance(value, _Failure):
            self._failed(asked, bound, value.error)
        elif value is not None:
            self._take(asked, bound, value)

    def settle(self, event: Any, said: Sequence[Said]) -> Ruling:
        """Have the verdicts merged: by a plugin's `settle` if one answers, else by the core's."""
        for implementation in reversed(self._implementations("settle")):
            asked = self.ask(
                (Bound(implementation.plugin_name, "settle", _bind(implementation, {"said": tuple(said)})),),
                event,
                None,
                None,
            )
            if asked.answers:
                return asked.answers[0].value  # type: ignore[no-any-return]
        return settle(said)

    def told(self, plugin: str, constants: Mapping[str, Any]) -> Bound | None:
        """Bind a plugin's `performed`; called with what was done in the place of the fact: (event id, action, receipt)."""
        for implementation in self._implementations("performed"):
            if implementation.plugin_name == plugin:
                return Bound(plugin, "performed", _bind_told(implementation, constants))
        return None

    def names(self, hook: str) -> tuple[str, ...]:
        """Give the plugins that answer a hook, in pluggy's order."""
        return tuple(one.plugin_name for one in reversed(self._implementations(hook)))

    def _implementations(self, hook: str) -> list[pluggy.HookImpl]:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return caller.get_hookimpls()

    def _take(self, asked: Asked, bound: Bound, value: Any) -> None:
        fault = fault_of(bound.hook, value)
        if fault is None:
            asked.answers.append(Answer(bound.plugin, in_order(bound.hook, value)))
        else:
            self._failed(asked, bound, TypeError(fault))

    def _failed(self, asked: Asked, bound: Bound, error: BaseException) -> None:
        asked.faults.append(bound.plugin)
        self.blame(bound.plugin, bound.hook, error)

    def blame(self, plugin: str, hook: str, error: BaseException) -> None:
        """Keep that a plugin failed at a hook, and tell whoever listens."""
        fault = self._faults.setdefault((plugin, hook), Fault(plugin, hook))
        fault.times += 1
        fault.last = f"{type(error).__name__}: {error}"
        if self._on_fault is not None:
            self._on_fault(plugin, hook, fault.last)


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BaseException


async def _guarded(awaited: Awaitable[Any]) -> Any:
    """Await a plugin's answer; whatever it raises is given, not raised, unless we are cancelled ourselves."""
    try:
        return await awaited
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return _Failure(error)
    except Exception as error:
        return _Failure(error)


def _is_adapter(module: ModuleType) -> bool:
    return hasattr(module, "platforms")


def _import(dotted: str) -> ModuleType:
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError as error:
        raise PluginError(dotted, "is named in GROUPOPS_EXTRA_PLUGINS but cannot be imported") from error


def _bind(implementation: pluggy.HookImpl, constants: Mapping[str, Any]) -> Callable[[Any, Any, Any], Any]:
    """Bind what is known; the call that is left takes event, group and member and costs one plain call."""
    names = implementation.argnames
    free = tuple(name for name in names if name in FREE and name not in constants)
    if names[: len(free)] == free and all(name in constants for name in names[len(free) :]):
        fixed = tuple(constants[name] for name in names[len(free) :])
        return _in_order(implementation.function, free, fixed)
    known = {name: constants[name] for name in names if name in constants}
    return _by_name(partial(implementation.function, **known), free)


def _bind_told(
    implementation: pluggy.HookImpl, constants: Mapping[str, Any]
) -> Callable[[Any, Any, Any], Any]:
    names, function = implementation.argnames, implementation.function
    known = {name: constants[name] for name in names if name in constants}
    places = tuple((name, DEED.index(name)) for name in names if name in DEED)

    def call(deed: tuple[str, Any, Any], group: Any, _member: Any) -> Any:
        said = (*deed, group)
        return function(**known, **{name: said[place] for name, place in places})

    return call


def _in_order(
    function: Callable[..., Any], free: tuple[str, ...], fixed: tuple[Any, ...]
) -> Callable[[Any, Any, Any], Any]:
    """Call by place: who writes the arguments as `hookspecs` does pays least, in time and in memory per group."""
    match free:
        case ():
            return lambda _event, _group, _member: function(*fixed)
        case ("event",):
            return lambda event, _group, _member: function(event, *fixed)
        case ("event", "group"):
            return lambda event, group, _member: function(event, group, *fixed)
        case ("event", "member"):
            return lambda event, _group, member: function(event, member, *fixed)
        case ("event", "group", "member"):
            return lambda event, group, member: function(event, group, member, *fixed)
        case _:
            return _by_place(function, tuple(FREE.index(name) for name in free), fixed)


def _by_place(
    function: Callable[..., Any], places: tuple[int, ...], fixed: tuple[Any, ...]
) -> Callable[[Any, Any, Any], Any]:
    def call(*said: Any) -> Any:
        return function(*(said[place] for place in places), *fixed)

    return call


def _by_name(function: Callable[..., Any], free: tuple[str, ...]) -> Callable[[Any, Any, Any], Any]:
    def call(*said: Any) -> Any:
        return function(**{name: value for name, value in zip(FREE, said, strict=True) if name in free})

    return call


def _contract_faults(module: ModuleType, manifest: Manifest, taken: Mapping[str, str]) -> list[str]:
    """List what breaks the contract, each as a sentence that says what to do."""
    return [
        *_heard_faults(manifest),
        *_state_faults(module),
        *_command_faults(manifest, taken),
        *_hook_faults(module, manifest),
    ]


def _heard_faults(manifest: Manifest) -> list[str]:
    unknown, unheard = sorted(manifest.hears - EVENT_KINDS), sorted(manifest.reacted_to - manifest.hears)
    if unknown:
        return [f"hears {unknown[0]!r}, which is no kind of event; there are {sorted(EVENT_KINDS)}"]
    return [f"reacts to {unheard[0]!r}, which it does not hear; add it to hears"] if unheard else []


def _state_faults(module: ModuleType) -> list[str]:
    return [
        f"keeps state in its module ({name}); what lasts belongs in the store, what is counted in tools.counters"
        for name, value in vars(module).items()
        if isinstance(value, (dict, list, set)) and not name.startswith("__")
    ]


def _command_faults(manifest: Manifest, taken: Mapping[str, str]) -> list[str]:
    words = [word for command in manifest.commands for word in (command.word, *command.aliases)]
    twice = sorted({word for word in words if words.count(word) > 1})
    return [
        *(f"has the command {word!r} twice; choose another word for one of them" for word in twice),
        *(
            f"has a command {word!r} that is the core's own; choose another word"
            for word in words
            if word in core_words()
        ),
        *(
            f"has a command {word!r} that plugin {taken[word]!r} has already; choose another word"
            for word in words
            if word in taken
        ),
    ]


@cache
def core_words() -> frozenset[str]:
    """Give the words of the core's commands, which no plugin may have."""
    raw = tomllib.loads(resources.files("groupops").joinpath("commands.toml").read_text("utf-8"))
    return frozenset(str(table["word"]) for table in raw.values())


def _hook_faults(module: ModuleType, manifest: Manifest) -> list[str]:
    faults: list[str] = []
    for name, value in vars(module).items():
        marks: Any = getattr(value, "groupops_impl", None)
        if marks is None:
            continue
        if marks.get("wrapper") or marks.get("hookwrapper"):
            faults.append(f"wraps the hook {name!r}; answers are merged, never wrapped")
        if name == "settle" and inspect.iscoroutinefunction(value):
            faults.append("has an async `settle`; merging is pure, make it a plain function")
        faults += _settings_faults(name, value, manifest)
    return faults


def _settings_faults(name: str, function: Any, manifest: Manifest) -> list[str]:
    try:
        wanted = get_type_hints(function).get("settings")
    except (NameError, TypeError):
        return []  # annotations that only a type checker can resolve
    if wanted is None or wanted is manifest.settings or not isinstance(wanted, type):
        return []
    if issubclass(manifest.settings, wanted):
        return []
    return [
        f"asks in {name!r} for settings of {wanted.__name__}, but its manifest has {manifest.settings.__name__}"
    ]
