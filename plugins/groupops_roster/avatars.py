"""One's own picture: asked for once by an announcement, declared by word; nothing is looked at (C14, E10)."""

from __future__ import annotations

from groupops import AccountId, Announce, CommandGiven
from groupops_roster.belonging import words
from groupops_roster.models import AvatarWord
from groupops_roster.scene import AVATAR, Answer, Scene


async def asked(scene: Scene) -> Answer:
    """Ask the group once for the members' own word."""
    rows = AvatarWord.filter(group_id=scene.group_id, account="", ended_at=None)
    if not scene.settings.card.avatar_self_declare or await rows.exists():
        return []
    await AvatarWord.create(group_id=scene.group_id, at=scene.now)
    return [Announce(group_id=scene.group_id, text=scene.say("avatar_ask", ref=scene.ref(AVATAR)))]


async def declared(scene: Scene, event: CommandGiven) -> Answer:
    """`头像 本人`, and `头像 撤回`; anything else behind the word is talk."""
    word, known = event.args[0], words()
    if not scene.settings.card.avatar_self_declare:
        return [scene.answer(event, scene.say("avatar_off"))] if event.private else []
    mine = AvatarWord.filter(group_id=scene.group_id, account=event.account, ended_at=None)
    if word in known.take_back:
        await mine.delete()
        return [scene.reply(event, scene.say("avatar_back"))]
    if word not in known.own_picture:
        return [scene.answer(event, scene.say("avatar_form"))] if event.private else []
    if not await mine.exists():
        await AvatarWord.create(group_id=scene.group_id, account=event.account, at=scene.now)
    return [scene.reply(event, scene.say("avatar_done"))]


async def count(scene: Scene) -> int:
    """Give how many declared; who did not is not counted by name."""
    rows = AvatarWord.filter(group_id=scene.group_id, ended_at=None)
    return await rows.exclude(account="").count()


async def member_left(scene: Scene, account: AccountId) -> None:
    """A word given is of no use to a group one has left."""
    await AvatarWord.filter(group_id=scene.group_id, account=account, ended_at=None).update(
        ended_at=scene.now
    )
