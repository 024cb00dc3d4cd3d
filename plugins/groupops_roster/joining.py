"""Requests to come in: let in who is known, and the rest put before the stewards; nobody is refused by a machine (C06)."""

from __future__ import annotations

from groupops import Capability, DecideJoin, JoinRequested, Person
from groupops_roster import bindings
from groupops_roster.belonging import Standing
from groupops_roster.cards import Format, safe_card, whose
from groupops_roster.newcomers import LAST_SIGNS
from groupops_roster.scene import OUTSIDER, Answer, Scene

SHOWN = 60
"""Characters of a request's words that are shown to the stewards."""


async def requested(scene: Scene, event: JoinRequested) -> Answer:
    """Let in whose account is bound to somebody of the organisation, or who names one person and that number."""
    standing = scene.standing(event.account)
    if standing is Standing.REGISTERED:
        return [_let_in(scene, event)]
    person = stated(scene, event.comment) if standing is Standing.UNKNOWN else None
    if person is None or scene.on_platform(person.id):
        return [scene.stewards(_facts(scene, event, standing, person))]
    row = await bindings.propose_binding(
        event.account, person.id, source="join", at=scene.now, group_id=scene.group_id
    )
    if row is None:
        return [scene.stewards(_facts(scene, event, standing, person))]
    return [
        _let_in(scene, event),
        scene.note("join request matched", f"person:{person.id}", proposal=row.id),
    ]


def stated(scene: Scene, comment: str) -> Person | None:
    """Give the one person whom the words of a request name, and no other name, with the last signs of the number."""
    said, named = comment.casefold(), whose(comment, Format.FREE, scene.register)
    if len({one.name for one in named}) != 1:
        return None
    fitting = [
        one
        for one in named
        if len(one.ref) >= LAST_SIGNS and one.ref[-LAST_SIGNS:].casefold() in said.replace(one.name, "")
    ]
    return fitting[0] if len(fitting) == 1 else None


def _let_in(scene: Scene, event: JoinRequested) -> DecideJoin:
    return DecideJoin(
        group_id=scene.group_id,
        account=event.account,
        request_id=event.request_id,
        accept=True,
        reason=scene.say("join_known"),
    )


def _facts(scene: Scene, event: JoinRequested, standing: Standing, person: Person | None) -> str:
    """Tell the stewards what is known of a request; numbers in its words are not repeated."""
    inviter = scene.say("invited_by", name=scene.called(event.inviter)) if event.inviter else ""
    words = safe_card(event.comment)[:SHOWN]
    comment = scene.say("join_words", words=words) if words else scene.say("join_wordless")
    known = scene.person(event.account) or person
    holder = scene.say("join_taken", person=scene.named(known)) if known is not None else ""
    here = "" if scene.can(Capability.DECIDE_JOIN) else scene.say("join_by_hand")
    return scene.say(
        "join_request",
        account=event.account,
        standing=scene.say(f"standing_{standing.value}"),
        inviter=inviter,
        comment=comment,
        holder=holder,
        here=here,
        ref=scene.ref(OUTSIDER),
    )
