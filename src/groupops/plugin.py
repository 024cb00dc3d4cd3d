"""What a plugin is: a manifest that says what it has, and the tools it is handed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import pluggy
from pydantic import BaseModel, ConfigDict

from groupops.actions import Capability
from groupops.errors import PluginError

if TYPE_CHECKING:
    from groupops.actions import Action, Errand
    from groupops.calendar import Window, WorkCalendar
    from groupops.clock import Clock
    from groupops.counters import Counters
    from groupops.people import AccountId, Enrolled, Group, GroupId, Member, Person, PersonId, PersonLine
    from groupops.policy import Policy
    from groupops.records import Case

T = TypeVar("T")

hookimpl = pluggy.HookimplMarker("groupops")
"""Marks a function of a plugin as its answer to a hook of the same name."""


class Settings(BaseModel):
    """Base of a plugin's settings: one field per setting, with default, bounds and a Chinese `title`.

    A field's default is what `policy_packs.md` calls the base pack. Unknown keys are errors.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


ArgKind = Literal["word", "int", "ref", "text", "member"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arg:
    """One argument of a command.

    Args:
        name: what it is called in the form shown to people, in Chinese.
        of: `word` up to the next space, `int` a whole number, `ref` the number of a case (`12`) or, with a
            T before it, of an obligation (`T7`), `text` all that follows, `member` a mention,
            an account id or a card that only one member has.
        optional: True when it may be left out; only trailing arguments may.
    """

    name: str
    of: ArgKind = "word"
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command people may give.

    Args:
        word: what is typed, in Chinese, e.g. `申诉`.
        title: one sentence for the help text.
        args: its arguments in order.
        aliases: other words for it.
        stewards_only: True when only stewards may give it.
        bare: True when it may be given in a group without `/` or a mention, if it parses fully
            and has at least one argument.
    """

    word: str
    title: str
    args: tuple[Arg, ...] = ()
    aliases: tuple[str, ...] = ()
    stewards_only: bool = False
    bare: bool = False

    @property
    def form(self) -> str:
        """The right form, e.g. `申诉 <编号> <理由>`; optional arguments in brackets."""
        shown = (f"[{arg.name}]" if arg.optional else f"<{arg.name}>" for arg in self.args)
        return " ".join((self.word, *shown))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A moment of the day at which the plugin wants to hear `TimeCame`.

    Args:
        job: its name within the plugin.
        at: from the plugin's settings to the times of day, as `HH:MM` in the group's timezone.
        days: from the settings to the days (`all`, `workdays`, `restdays`, `mon,wed`).
    """

    job: str
    at: Callable[[Any], Iterable[str]]
    days: Callable[[Any], str] = field(default=lambda _: "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule a plugin may object by; packs give its clause under this id."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a plugin is. Everything static, as one value, so that it can be listed without being run.

    Args:
        title: its name for people, in Chinese.
        settings: its settings model.
        hears: kinds of events it wants to see; it is called for no other.
        reacts: those of them its `react` wants to see; None for all. Every message is spared a call by it.
        needs: capabilities it cannot do well without; what is missing is shown to the operator.
        rules: the rules it may object by.
        commands: the commands it answers.
        schedules: when it wants to be woken.
        models: dotted name of its Tortoise models module, with a `migrations` package beside it; or empty.
        steps: ladder steps it owns and turns into actions by `impose` (e.g. `redpacket`).
    """

    title: str
    settings: type[Settings] = Settings
    hears: frozenset[str] = frozenset()
    reacts: frozenset[str] | None = None
    needs: frozenset[Capability] = frozenset()
    rules: tuple[Rule, ...] = ()
    commands: tuple[Command, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    models: str = ""
    steps: frozenset[str] = frozenset()

    @property
    def reacted_to(self) -> frozenset[str]:
        """The kinds its `react` is asked about."""
        return self.hears if self.reacts is None else self.reacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """When a group rests, as a plugin's `quiet` hook says it.

    Args:
        windows: the windows.
        defer: True when the bot's own unasked messages wait until the window ends.
    """

    windows: tuple[Window, ...]
    defer: bool = True


class Log(Protocol):
    """Where a plugin logs: an event's name and fields; never message bodies or names of people."""

    def info(self, what: str, /, **fields: object) -> None:
        """Log something worth knowing."""
        ...

    def warning(self, what: str, /, **fields: object) -> None:
        """Log something an operator should look at."""
        ...


class Directory(Protocol):
    """What a plugin may ask about people and groups; answers are snapshots."""

    def group(self, group_id: GroupId) -> Group | None:
        """Give a bound group."""
        ...

    def member(self, group_id: GroupId, account: AccountId) -> Member:
        """Give a member as known now; an unknown account gives a member of unknown role."""
        ...

    def members(self, group_id: GroupId) -> Sequence[Member]:
        """Give all known members of a group."""
        ...

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        """Give what the platform is able to do in the group now."""
        ...

    def timezone(self, group_id: GroupId) -> tzinfo:
        """Give the group's timezone."""
        ...

    def is_workday(self, group_id: GroupId, day: datetime) -> bool:
        """Say whether a day is a working day by the work calendar."""
        ...

    @property
    def edition(self) -> int:
        """A number that grows whenever any person or binding changes: what was worked out of them is worth it then."""
        ...

    def persons(self) -> Sequence[Person]:
        """Give everybody on the register, those who left among them; no provisional persons."""
        ...

    def person(self, account: AccountId) -> Person | None:
        """Give the person an account is bound to, provisional or not; None when it is bound to nobody."""
        ...

    def accounts(self, person_id: PersonId) -> tuple[AccountId, ...]:
        """Give the accounts of a person, on every platform, sorted."""
        ...


class Cases(Protocol):
    """Where a plugin reads a case that a steward names by its number; only the core changes cases."""

    async def case(self, case_id: int) -> Case | None:
        """Give a case as it stands, or None when there is none."""
        ...


class AtDesk(Protocol):
    """The engine while an operator's command works: it reads what the bot knows, and asks for what the bot may do.

    Nothing is sent from here: what is to be sent is stored, and the bot that runs takes it up.
    """

    @property
    def tools(self) -> Tools:
        """The plugin's tools."""
        ...

    @property
    def own(self) -> Any:
        """What the plugin's own `lifespan` yielded."""
        ...

    def groups(self) -> Sequence[Group]:
        """Give the groups that are looked after."""
        ...

    def policy(self, group_id: GroupId) -> Policy:
        """Give what applies in a group; `policy.settings["<plugin>"]` are the plugin's settings.

        Raises:
            ConfigError: the group is not bound.
        """
        ...

    async def enrol(self, lines: Sequence[PersonLine], *, by: str) -> Enrolled:
        """Put what a roster says on the register, all of it or nothing; the facts that follow are handled."""
        ...

    async def do(self, group_id: GroupId, asked: Iterable[Action | Errand]) -> None:
        """Have actions and errands of this plugin carried out in a group, as if it had answered a fact with them."""
        ...


class Desk(Protocol):
    """What a plugin's `operator` hook gets: the way from a shell command to the engine.

    `groupops <plugin> …` is what the hook returns: a `typer.Typer`, named with dashes (`groupops red-packet`).
    """

    def open(self) -> AbstractAsyncContextManager[AtDesk]:
        """Open the database and the engine for as long as the block runs; the bot may be running elsewhere."""
        ...

    def keys(self) -> Mapping[str, Any]:
        """Give what `.env` and the environment say to adapters: keys in lower case, as NoneBot is handed them.

        Raises:
            ConfigError: the configuration cannot be read.
        """
        ...

    def now(self, work: Coroutine[Any, Any, T]) -> T:
        """Run an async command to its end; an error of ours becomes its sentence and exit code 1."""
        ...

    def say(self, text: str) -> None:
        """Print a text as it is, nothing in it read as markup."""
        ...


class Texts:
    """What a plugin says to people: its `texts.toml`, read once, filled in without parsing user text as markup.

    Args:
        plugin: the package's name, for errors.
        texts: key → template with `{names}`.
    """

    def __init__(self, plugin: str, texts: Mapping[str, str]) -> None:
        self._plugin = plugin
        self._texts = dict(texts)

    def __call__(self, key: str, /, **values: object) -> str:
        """Give a text with its `{names}` filled in.

        Raises:
            PluginError: there is no such text.
        """
        template = self._texts.get(key)
        if template is None:
            raise PluginError(self._plugin, f"has no text {key!r} in its texts.toml; add one")
        return fill(template, values)

    def has(self, key: str) -> bool:
        """Say whether there is a text under this key."""
        return key in self._texts

    def keys(self) -> frozenset[str]:
        """Give the keys there are."""
        return frozenset(self._texts)

    def over(self, overrides: Mapping[str, str]) -> Texts:
        """Give the same texts with some replaced, e.g. by a pack's `[messages]`."""
        return Texts(self._plugin, {**self._texts, **overrides})


def fill(template: str, values: Mapping[str, object]) -> str:
    """Put values in place of `{names}`; everything else, braces in the values too, stays as it is."""
    for name, value in values.items():
        template = template.replace("{" + name + "}", str(value).replace("{", "\ufdd0"))
    return template.replace("\ufdd0", "{")


@cache
def texts_of(package: str) -> Texts:
    """Read the `texts.toml` that lies in a package; without one the package has no texts.

    Raises:
        PluginError: the file is not TOML.
    """
    try:
        raw = resources.files(package).joinpath("texts.toml").read_text("utf-8")
        return Texts(package, tomllib.loads(raw))
    except (FileNotFoundError, ModuleNotFoundError, TypeError):
        return Texts(package, {})  # a plugin may be one module with nothing to say
    except tomllib.TOMLDecodeError as error:
        raise PluginError(package, f"has a texts.toml that is not TOML: {error}") from error


class Notebook(Protocol):
    """A few small values that are to be known again after a restart; what is not written anew for long is forgotten.

    Raises:
        StoreError: the database refuses.
    """

    async def read(self) -> Mapping[str, str]:
        """Give all that was written, by this process or one before it."""
        ...

    async def write(self, values: Mapping[str, str | None]) -> None:
        """Write values under their keys; None lets go of a key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The few things a hook may reach for.

    Args:
        clock: where time comes from.
        counters: windows and once-only marks.
        people: who and where, as known now.
        cases: the cases, to read.
        calendar: which days are worked.
        log: where to log.
        texts: the plugin's own texts.
        notes: what it wants to know again after a restart.
    """

    clock: Clock
    counters: Counters
    people: Directory
    cases: Cases
    calendar: WorkCalendar
    log: Log
    texts: Texts
    notes: Notebook


HOLDING_MUTE = timedelta(minutes=30)
"""The longest the machine may mute one person in a day without a human (`architecture.md` §6)."""
