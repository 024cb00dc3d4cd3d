"""The operator's desk: what a plugin's own shell commands stand on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar
from uuid import uuid4

import typer
from rich.console import Console

from groupops.actions import Action, Errand
from groupops.engine import Engine
from groupops.errors import ConfigError, GroupOpsError
from groupops.events import CommandGiven
from groupops.hooks import Hooks
from groupops.operations import assemble, load_hooks, opened, read_start
from groupops.people import AccountId, Enrolled, Group, GroupId, PersonLine
from groupops.plugin import Tools
from groupops.policy import Policy

T = TypeVar("T")

OPERATOR = AccountId("console:operator")
"""Who is named as the giver of what a shell command asks."""


class Shell:
    """A `groupops.plugin.Desk` in a shell.

    Args:
        plugin: whose commands stand on it.
    """

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin

    def open(self) -> AbstractAsyncContextManager[Sitting]:
        """Open the database and the engine for as long as the block runs."""
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[Sitting, None]:
        async with opened(assemble(read_start())) as engine:
            await engine.people.load_everywhere()
            yield Sitting(engine, self._plugin)
            await engine.people.flush()

    def keys(self) -> Mapping[str, Any]:
        """Give what `.env` and the environment say to adapters."""
        return read_start().nonebot

    def now(self, work: Coroutine[Any, Any, T]) -> T:
        """Run an async command to its end; an error of ours becomes its sentence and exit code 1."""
        try:
            return asyncio.run(work)
        except GroupOpsError as error:
            Console(stderr=True, emoji=False).print(str(error), style="red", markup=False, highlight=False)
            raise typer.Exit(1) from None

    def say(self, text: str) -> None:
        """Print a text as it is."""
        Console(soft_wrap=True, emoji=False).print(text, markup=False, highlight=False)


class Sitting:
    """A `groupops.plugin.AtDesk`: the engine while a command works.

    Args:
        engine: the engine, started; no platform is connected to it.
        plugin: whose command works.
    """

    def __init__(self, engine: Engine, plugin: str) -> None:
        self._engine = engine
        self._plugin = plugin

    @property
    def tools(self) -> Tools:
        """The plugin's tools."""
        return self._engine.plans.tools_of(self._plugin, None)

    @property
    def own(self) -> Any:
        """What the plugin's own `lifespan` yielded."""
        return self._engine.parts.hooks.own(self._plugin)

    def groups(self) -> Sequence[Group]:
        """Give the groups that are looked after."""
        return tuple(plan.group for plan in self._engine.plans.all())

    def policy(self, group_id: GroupId) -> Policy:
        """Give what applies in a group.

        Raises:
            ConfigError: the group is not bound.
        """
        plan = self._engine.plans.of(group_id)
        if plan is None:
            raise ConfigError(
                f"group {group_id!r} is not bound; bind it with: groupops group bind {group_id} --pack ID"
            )
        return plan.policy

    async def enrol(self, lines: Sequence[PersonLine], *, by: str) -> Enrolled:
        """Put what a roster says on the register, and handle what follows."""
        enrolled, facts = await self._engine.people.enrol(lines, by=by)
        for fact in facts:
            await self._engine.flow.handle(fact)
        return enrolled

    async def do(self, group_id: GroupId, asked: Iterable[Action | Errand]) -> None:
        """Have actions and errands of this plugin carried out in a group."""
        event = CommandGiven(
            id=f"desk/{self._plugin}/{uuid4()}",
            at=self._engine.parts.clock.now(),
            group_id=group_id,
            source="console",
            account=OPERATOR,
            name=self._plugin,
        )
        await self._engine.flow.carry(event, self._plugin, tuple(asked))


def offered(hooks: Hooks) -> dict[str, typer.Typer]:
    """Give the commands that plugins offer: word in the shell → its commands."""
    found: dict[str, typer.Typer] = {}
    for plugin in hooks.names("operator"):
        bound = hooks.bind("operator", plugin, {"desk": Shell(plugin)})
        answers = hooks.ask((bound,), None, None, None).answers if bound is not None else []
        made = next((one.value for one in answers if isinstance(one.value, typer.Typer)), None)
        if made is not None:
            found[plugin.replace("_", "-")] = made
    return found


def mount(app: typer.Typer) -> None:
    """Add what the installed plugins offer to the shell's commands.

    Raises:
        ConfigError, PluginError: the settings, or a plugin, cannot be read.
    """
    hooks = load_hooks(read_start().config)
    for word, commands in offered(hooks).items():
        title = hooks.manifests[word.replace("-", "_")].title
        app.add_typer(commands, name=word, help=f"{title}。")
