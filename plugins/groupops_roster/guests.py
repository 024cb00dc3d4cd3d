"""Guests: people from outside who are in the group by invitation, with who agreed to it written down (C06, C17)."""

from __future__ import annotations

from groupops import AccountId, CommandGiven
from groupops_roster import cases
from groupops_roster.belonging import words
from groupops_roster.models import OPEN, Guest, Probation
from groupops_roster.scene import OUTSIDER, Answer, Scene


async def guests_here(scene: Scene) -> frozenset[str]:
    """Give the accounts of the group's guests."""
    rows = await Guest.filter(group_id=scene.group_id, ended_at=None)
    return frozenset(row.account for row in rows)


async def is_guest(scene: Scene, account: AccountId) -> bool:
    """Say whether an account is a guest of the group."""
    return await Guest.filter(group_id=scene.group_id, account=account, ended_at=None).exists()


async def registered(scene: Scene, event: CommandGiven) -> Answer:
    """`来宾 @某人 邀请人/说明`: a steward writes down who invited a guest and who agreed."""
    account, note = AccountId(event.args[0]), event.args[1].strip()
    if note in words().ends:
        return await _ended(scene, event, account)
    if scene.settings.guests == "none":
        return [scene.reply(event, scene.say("guests_none"))]
    if scene.person(account) is not None:
        return [scene.reply(event, scene.say("guest_registered"))]
    if account == event.account:
        return [scene.reply(event, scene.say("not_oneself"))]
    if not await is_guest(scene, account):
        await Guest.create(
            group_id=scene.group_id, account=account, note=note, by=event.account, at=scene.now
        )
    await Probation.filter(group_id=scene.group_id, account=account, status=OPEN).update(
        status="guest", by=event.account, closed_at=scene.now, matched=None
    )
    return [
        scene.note("guest registered", f"account:{account}", event.account),
        scene.reply(event, scene.say("guest_done")),
        *await cases.dismissed(scene, account, event.account, scene.say("now_guest"), (OUTSIDER,)),
    ]


async def _ended(scene: Scene, event: CommandGiven, account: AccountId) -> Answer:
    if not await is_guest(scene, account):
        return [scene.reply(event, scene.say("guest_no_such"))]
    await member_left(scene, account)
    return [
        scene.note("guest ended", f"account:{account}", event.account),
        scene.reply(event, scene.say("guest_ended")),
    ]


async def member_left(scene: Scene, account: AccountId) -> None:
    """An invitation is for one stay."""
    await Guest.filter(group_id=scene.group_id, account=account, ended_at=None).update(ended_at=scene.now)
