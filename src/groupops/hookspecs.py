"""The moments at which a plugin may speak. A hook takes any of the arguments it is offered; None says nothing.

Every hook but `settle` may be `def` or `async def`. `prepared` is what the plugin's own `prepare` made for
the group, `own` what its own `lifespan` yielded; both are None without.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pluggy

from groupops.actions import Action, Errand, Receipt
from groupops.events import Event
from groupops.people import Group, Member
from groupops.platform import Platform
from groupops.plugin import Desk, Quiet, Settings, Tools
from groupops.policy import Policy
from groupops.records import Case
from groupops.verdicts import Ruling, Said, Verdict

hookspec = pluggy.HookspecMarker("groupops")


@hookspec
def platforms(tools: Tools) -> Iterable[Platform] | None:
    """Offer platforms; asked once at start."""


@hookspec
def lifespan(tools: Tools) -> AbstractAsyncContextManager[Any] | None:
    """Hold what lasts as long as the process; entered in name order, left in reverse."""


@hookspec
def operator(desk: Desk) -> Any | None:
    """Offer commands for the operator's shell: a `typer.Typer`, which becomes `groupops <plugin> …`.

    Asked only by the shell; import `typer` inside, since a bot that runs has no use for it.
    """


@hookspec
def prepare(group: Group, settings: Settings, policy: Policy, own: Any, tools: Tools) -> Any | None:
    """Make what a group's rulings need (compiled matchers); asked when the group's plan is built, never per message.

    `policy` is all that applies in the group: the clauses in the order of their pack, the core's own tables.
    """


@hookspec
def quiet(group: Group, settings: Settings) -> Quiet | None:
    """Say when the group rests; asked when the group's plan is built."""


@hookspec
def judge(
    event: Event, group: Group, member: Member, settings: Settings, prepared: Any, own: Any, tools: Tools
) -> Verdict | None:
    """Say whether a fact offends. Reads only."""


@hookspec(firstresult=True)
def settle(event: Event, said: tuple[Said, ...]) -> Ruling | None:
    """Merge the verdicts into one ruling; the core's own answer comes last. Never async."""


@hookspec
def react(
    event: Event, group: Group, member: Member, settings: Settings, prepared: Any, own: Any, tools: Tools
) -> Iterable[Action | Errand] | None:
    """Answer a fact that stands."""


@hookspec
def performed(
    event_id: str, action: Action, receipt: Receipt, group: Group, settings: Settings, own: Any, tools: Tools
) -> None:
    """Hear what became of an action: ledgers, metrics."""


@hookspec
def impose(
    step: str, case: Case, group: Group, member: Member, settings: Settings, own: Any, tools: Tools
) -> Iterable[Action | Errand] | None:
    """Turn a ladder step this plugin owns into actions, once it is approved."""
