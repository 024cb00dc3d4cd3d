"""A plugin of the soak: a steward hands out a duty, an answer is owed within working hours, a miss is judged."""

from __future__ import annotations

from groupops import (
    Arg,
    Command,
    CommandGiven,
    Event,
    Evidence,
    Manifest,
    ObligationMissed,
    Offence,
    OpenObligation,
    Option,
    Rule,
    hookimpl,
)

DONE = "办好"
HAND_OUT = Command(
    word="交办",
    title="交办一件事",
    args=(Arg(name="成员", of="member"), Arg(name="事项", of="text")),
    stewards_only=True,
)

manifest = Manifest(
    title="交办",
    hears=frozenset({"command_given", "obligation_missed"}),
    rules=(Rule(id="duties.late", title="按时回音"),),
    commands=(HAND_OUT,),
)


@hookimpl
def react(event: Event) -> list[OpenObligation] | None:
    if not isinstance(event, CommandGiven):
        return None
    account, title = event.args
    owed = OpenObligation(
        group_id=event.group_id,
        account=account,  # type: ignore[arg-type] # an account, as the form of the command says
        obligation_kind="duties.answer",
        title=title,
        key=f"duty/{event.id}",
        minutes=240,
        clock="service",
        remind_minutes=(120, 200),
        options=(Option(word=DONE, label="办好了"),),
        private="私" in title,
    )
    return [owed]


@hookimpl
def judge(event: Event) -> Offence | None:
    if not isinstance(event, ObligationMissed):
        return None
    return Offence(
        rule="duties.late",
        reason="逾时没有回音",
        ladder="soft",
        auto="remind",
        evidence=(Evidence(what="window", detail=f"T{event.obligation_id}"),),
    )
