"""The operator's shell commands about groups: `groupops roster proposals` and `audit`, beside those of the desk."""

from __future__ import annotations

from typing import Annotated

import typer

from groupops import AtDesk, ConfigError, Desk, GroupId, Note
from groupops_roster import bindings, checking
from groupops_roster.desk import commands
from groupops_roster.scene import Scene, View
from groupops_roster.settings import Roster

_GROUP = Annotated[str, typer.Option("--group", help="群号,例如 qq:123456。")]


def app(desk: Desk) -> typer.Typer:
    """Give all commands of the roster, standing on a desk."""
    made = commands(desk)

    @made.command(help="等待管理员确认的绑定与合并。")
    def proposals(group: _GROUP) -> None:
        """Print what waits for a decision in a group, imports' words among it."""
        desk.say(desk.now(proposals_of(desk, group)))

    @made.command(help="一个群与名册的核对清单;只列出,不做任何处理。")
    def audit(group: _GROUP) -> None:
        """Print the list of a group as it is now."""
        desk.say(desk.now(list_of(desk, group)))

    return made


async def proposals_of(desk: Desk, group: str) -> str:
    """Write what waits for a decision in a group; raises as `scene_of`."""
    async with desk.open() as at:
        scene = scene_of(at, group)
        rows = await bindings.open_proposals(scene.group_id)
        return "\n".join(bindings.in_words(scene, row) for row in rows) or scene.say("review_none")


async def list_of(desk: Desk, group: str) -> str:
    """Write the list of a group as it is now, and a line of audit that it was looked at; raises as `scene_of`."""
    async with desk.open() as at:
        scene = scene_of(at, group)
        known = await checking.known_of(scene)
        here = checking.found(scene, known, await checking.cards_of(scene))
        await at.do(scene.group_id, (_looked(scene),))
        return checking.listed(scene, here, known, ())


def _looked(scene: Scene) -> Note:
    return scene.note("roster list shown", f"group:{scene.group_id}", "operator")


def scene_of(at: AtDesk, group_id: str) -> Scene:
    """Give what answers are made of, in a group the operator names.

    Raises:
        ConfigError: the group is not bound, or its packs do not enable the roster.
    """
    policy = at.policy(GroupId(group_id))
    settings = policy.settings.get("roster")
    group = next((one for one in at.groups() if one.id == group_id), None)
    if group is None or not isinstance(settings, Roster) or "roster" not in policy.enabled:
        raise ConfigError(
            f"--group is {group_id!r}, but the packs of that group do not enable the roster; "
            "`groupops group list` shows the groups, and `groupops pack show` what a pack enables"
        )
    return Scene(
        now=at.tools.clock.now(),
        group=group,
        settings=settings,
        view=View.of(policy),
        shelf=at.own,
        tools=at.tools,
        connected=False,
    )
