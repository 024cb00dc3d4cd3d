"""Red packets: a ledger of what was promised, decided by people; never a means of collecting (C59, C60)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from groupops import (
    Action,
    Capability,
    Case,
    CaseChanged,
    ChoiceMade,
    CommandGiven,
    Desk,
    Errand,
    Event,
    Group,
    Manifest,
    MemberJoined,
    MemberLeft,
    PersonChanged,
    Policy,
    RedPacketSent,
    Rule,
    Schedule,
    TimeCame,
    Tools,
    hookimpl,
)
from groupops_red_packet import answers, daily, facts, follow
from groupops_red_packet.ledger import Ledger
from groupops_red_packet.room import STEP, Room, Terms
from groupops_red_packet.settings import RedPacket

if TYPE_CHECKING:
    import typer

DAILY = "09:30"
"""When items are looked at: by day, so that a reminder wakes nobody."""

Said = Iterable[Action | Errand] | None

manifest = Manifest(
    title="红包台账",
    settings=RedPacket,
    hears=frozenset(
        {
            "case_changed",
            "choice_made",
            "command_given",
            "member_joined",
            "member_left",
            "person_changed",
            "red_packet_sent",
            "time_came",
        }
    ),
    needs=frozenset({Capability.DIRECT_MESSAGE, Capability.SEE_RED_PACKET}),
    rules=(Rule(id="red_packet.sanction", title="按规定登记一项事项,须人工核准,可申诉"),),
    commands=answers.COMMANDS,
    schedules=(Schedule(job="daily", at=lambda _: (DAILY,)),),
    models="groupops_red_packet.models",
    steps=frozenset({STEP}),
)


@hookimpl
@asynccontextmanager
async def lifespan() -> AsyncGenerator[Ledger, None]:
    """Keep the door to the ledger."""
    yield Ledger()


@hookimpl
def prepare(policy: Policy) -> Terms:
    """Have at hand what the core's own tables say of terms."""
    return Terms.of(policy)


@hookimpl
async def impose(
    case: Case, group: Group, settings: RedPacket, own: Ledger, tools: Tools
) -> list[Action | Errand]:
    """Have the item of an approved case there; where nothing is opened, say so to the stewards."""
    room = Room(group=group, settings=settings, terms=Terms(), ledger=own, tools=tools)
    return await follow.imposed(case, room)


@hookimpl
def react(
    event: Event, group: Group, settings: RedPacket, prepared: Terms, own: Ledger, tools: Tools
) -> Awaitable[Said] | None:
    """Carry facts over into the ledger, where the stage of the group keeps books at all."""
    if not group.stage.books or _never_was_ours(event):
        return None
    room = Room(group=group, settings=settings, terms=prepared, ledger=own, tools=tools)
    return _reacted(event, room)


def _never_was_ours(event: Event) -> bool:
    """Say whether a case is one of the many that stand at another step: no item is looked for."""
    return isinstance(event, CaseChanged) and event.step != STEP and event.status in _UNDECIDED


_UNDECIDED = frozenset({"measure", "flagged", "proposed", "effective"})
"""What a case is before it can come to an end that an item of an earlier step would have to hear of."""


async def _reacted(event: Event, room: Room) -> Said:
    match event:
        case CommandGiven():
            return await answers.answer(event, room)
        case ChoiceMade():
            return await answers.choose(event, room)
        case CaseChanged():
            return await _case_changed(event, room)
        case MemberLeft():
            return await facts.left(event, room)
        case MemberJoined():
            return await facts.joined(event, room)
        case PersonChanged():
            return await facts.changed(event, room)
        case RedPacketSent():
            return await facts.seen(event, room) if not room.closed_key else None
        case TimeCame(job="daily"):
            return await daily.day(event, room)
        case _:
            return None


async def _case_changed(event: CaseChanged, room: Room) -> Said:
    case = await room.tools.cases.case(event.case_id)
    return None if case is None else await follow.follow(case, room, event.id)


@hookimpl
def operator(desk: Desk) -> typer.Typer:
    """Offer the ledger's commands to the operator's shell."""
    from groupops_red_packet.desk import commands

    return commands(desk)
