"""What a plugin is: a manifest that says what it has, and the tools it is handed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pluggy
from pydantic import BaseModel, ConfigDict

from groupops.actions import Capability
from groupops.errors import PluginError

if TYPE_CHECKING:
    from groupops.calendar import Window, WorkCalendar
    from groupops.clock import Clock
    from groupops.counters import Counters
    from groupops.people import AccountId, Group, GroupId, Member
    from groupops.records import Case

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
    needs: frozenset[Capability] = frozenset()
    rules: tuple[Rule, ...] = ()
    commands: tuple[Command, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    models: str = ""
    steps: frozenset[str] = frozenset()


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


class Cases(Protocol):
    """Where a plugin reads a case that a steward names by its number; only the core changes cases."""

    async def case(self, case_id: int) -> Case | None:
        """Give a case as it stands, or None when there is none."""
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
    """

    clock: Clock
    counters: Counters
    people: Directory
    cases: Cases
    calendar: WorkCalendar
    log: Log
    texts: Texts


HOLDING_MUTE = timedelta(minutes=30)
"""The longest the machine may mute one person in a day without a human (`architecture.md` §6)."""
