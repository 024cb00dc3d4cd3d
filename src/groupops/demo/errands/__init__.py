"""The demo's own plugin: a manager hands somebody an errand, who is reminded of it and may explain a delay."""

from groupops import (
    Action,
    CommandGiven,
    Errand,
    Event,
    ObligationMissed,
    SendText,
    Tools,
    hookimpl,
)
from groupops.actions import OpenObligation
from groupops.people import AccountId
from groupops.plugin import Arg, Command, Manifest

HAND = "交办"

manifest = Manifest(
    title="交办(演示)",
    hears=frozenset({"command_given", "obligation_missed"}),
    commands=(
        Command(
            word=HAND,
            title="交办一件事并限时",
            args=(Arg(name="成员", of="member"), Arg(name="分钟", of="int"), Arg(name="事项", of="text")),
            stewards_only=True,
        ),
    ),
)


@hookimpl
def react(event: Event, tools: Tools) -> list[Action | Errand] | None:
    """Open the errand that was handed out, and say so when its time is up."""
    if isinstance(event, CommandGiven) and event.name == HAND:
        return _handed(event, tools)
    if isinstance(event, ObligationMissed) and event.account is not None:
        name = tools.people.member(event.group_id, event.account).called
        text = tools.texts("missed", name=name, id=event.obligation_id)
        return [SendText(group_id=event.group_id, text=text, mentions=(event.account,))]
    return None


def _handed(event: CommandGiven, tools: Tools) -> list[Action | Errand]:
    account, minutes, title = AccountId(event.args[0]), int(event.args[1]), event.args[2]
    name = tools.people.member(event.group_id, account).called
    owed = OpenObligation(
        group_id=event.group_id,
        account=account,
        obligation_kind="errands.hand",
        title=title,
        key=f"errand/{event.id}",
        minutes=minutes,
        clock="service",
        remind_minutes=(minutes // 2,),
    )
    text = tools.texts("handed", name=name, title=title, minutes=minutes)
    return [owed, SendText(group_id=event.group_id, text=text, mentions=(account,))]
