"""From our actions to what is done in the make-believe world, and to the handle of what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from groupops import (
    AccountId,
    Action,
    Announce,
    Capability,
    DecideJoin,
    DeleteMessage,
    DirectMessage,
    Done,
    File,
    Gone,
    Image,
    Impossible,
    Media,
    Mention,
    Mute,
    MuteAll,
    Quote,
    ReadCheckIns,
    Receipt,
    Refused,
    RemoveMember,
    RenameGroup,
    Reply,
    Segment,
    SendCard,
    SendFile,
    SendImage,
    SendText,
    SetCard,
    Text,
    Unmute,
    UpdateCard,
)
from groupops_sandbox.world import NotAllowed, NotThere, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Whose hand does it: the bot's, through a connection.

    Args:
        world: where.
        can: what the connection is able to do in the action's group now.
        reaches: whether it can write to an account privately now.
    """

    world: World
    can: frozenset[Capability]
    reaches: Callable[[AccountId], bool]

    @property
    def bot(self) -> AccountId:
        """The bot's account."""
        return self.world.bot


def perform(action: Action, hand: Hand) -> Receipt:
    """Do it; every answer of the world is a receipt."""
    try:
        missing = lacks(action, hand)
        if missing is not None:
            return Impossible(capability=missing)
        return Done(ref=_DOERS[action.kind](action, hand))
    except NotThere as error:
        return Gone(why=str(error))
    except NotAllowed as error:
        return Refused(why=str(error))


def lacks(action: Action, hand: Hand) -> Capability | None:
    """Give the capability the connection would need and does not have, or None."""
    if action.needs in hand.can:
        return None
    if isinstance(action, DeleteMessage) and _is_own(action, hand):
        own = Capability.DELETE_OWN_MESSAGE
        return None if own in hand.can else own
    return action.needs


def _is_own(action: DeleteMessage, hand: Hand) -> bool:
    made = hand.world.room(action.group_id).posts.get(action.message_id)
    return made is not None and made.account == hand.bot


def _text(action: SendText, hand: Hand) -> str:
    segments = (*_mentions(action.mentions, action.group_id, hand), Text(text=action.text))
    options = action.options if Capability.SEND_CARD in hand.can else ()
    fact = hand.world.post(action.group_id, hand.bot, segments, options=options, subject=action.subject)
    return fact.message_id


def _mentions(accounts: tuple[AccountId, ...], group: str, hand: Hand) -> list[Segment]:
    seats = hand.world.room(group).seats
    names = [(who, seats[who].card or seats[who].name if who in seats else who) for who in accounts]
    if Capability.MENTION in hand.can:
        return [Mention(account=who, name=name) for who, name in names]
    return [Text(text=f"@{name} ") for _, name in names]


def _reply(action: Reply, hand: Hand) -> str:
    quoted = hand.world.post_of(action.group_id, action.message_id)
    segments = (
        Quote(message_id=quoted.id, account=quoted.account, text=quoted.text),
        Text(text=action.text),
    )
    return hand.world.post(action.group_id, hand.bot, segments).message_id


def _image(action: SendImage, hand: Hand) -> str:
    media = _lay(Media(id=_media_id(hand), media_kind="image", size=len(action.data)), action.data, hand)
    caption = (Text(text=action.caption),) if action.caption else ()
    return _handed(action, (Image(media=media), *caption), hand)


def _file(action: SendFile, hand: Hand) -> str:
    media = _lay(Media(id=_media_id(hand), media_kind="file", size=len(action.data)), action.data, hand)
    text = (Text(text=action.text),) if action.text else ()
    return _handed(action, (File(media=media, name=action.name), *text), hand)


def _handed(action: SendImage | SendFile, parts: tuple[Segment, ...], hand: Hand) -> str:
    """Post in the group, or hand to the one account that is meant."""
    if action.account is None:
        return hand.world.post(action.group_id, hand.bot, parts).message_id
    _reachable(action.account, hand)
    return hand.world.write_privately(action.account, parts).id


def _media_id(hand: Hand) -> str:
    return f"sent{len(hand.world.media) + 1}"


def _lay(media: Media, data: bytes, hand: Hand) -> Media:
    return hand.world.keep(media, data)


def _card(action: SendCard, hand: Hand) -> str:
    said = (Text(text=action.text),)
    shown: dict[str, Any] = {"title": action.title, "options": action.options, "subject": action.subject}
    if action.account is None:
        return hand.world.post(action.group_id, hand.bot, said, **shown).message_id
    _reachable(action.account, hand)
    return hand.world.write_privately(action.account, said, **shown).id


def _update(action: UpdateCard, hand: Hand) -> str:
    return hand.world.update_card(action.group_id, action.card_id, action.title, action.text).id


def _direct(action: DirectMessage, hand: Hand) -> str:
    _reachable(action.account, hand)
    options = action.options if Capability.SEND_CARD in hand.can else ()
    said = (Text(text=action.text),)
    return hand.world.write_privately(action.account, said, options=options, subject=action.subject).id


def _reachable(account: AccountId, hand: Hand) -> None:
    if not hand.reaches(account):
        raise NotAllowed(f"{account} cannot be written to privately")


def _delete(action: DeleteMessage, hand: Hand) -> str:
    hand.world.recall(action.group_id, action.message_id, hand.bot)
    return ""


def _mute(action: Mute, hand: Hand) -> str:
    hand.world.mute(action.group_id, action.account, action.span, hand.bot)
    return ""


def _unmute(action: Unmute, hand: Hand) -> str:
    hand.world.unmute(action.group_id, action.account, hand.bot)
    return ""


def _mute_all(action: MuteAll, hand: Hand) -> str:
    hand.world.mute_all(action.group_id, hand.bot, on=action.on)
    return ""


def _remove(action: RemoveMember, hand: Hand) -> str:
    hand.world.remove(action.group_id, action.account, hand.bot)
    return ""


def _set_card(action: SetCard, hand: Hand) -> str:
    hand.world.set_card(action.group_id, action.account, action.card, hand.bot)
    return ""


def _decide(action: DecideJoin, hand: Hand) -> str:
    hand.world.decide(action.group_id, action.request_id, hand.bot, accept=action.accept)
    return ""


def _announce(action: Announce, hand: Hand) -> str:
    hand.world.announce(action.group_id, action.text, hand.bot)
    return ""


def _rename(action: RenameGroup, hand: Hand) -> str:
    hand.world.rename(action.group_id, action.name, hand.bot)
    return ""


def _read_check_ins(action: ReadCheckIns, hand: Hand) -> str:
    hand.world.tell_punches(action.group_id, action.accounts, action.since, action.until)
    return ""


_DOERS: Mapping[str, Callable[[Any, Hand], str]] = MappingProxyType(
    {
        "send_text": _text,
        "reply": _reply,
        "send_image": _image,
        "send_file": _file,
        "send_card": _card,
        "update_card": _update,
        "direct_message": _direct,
        "delete_message": _delete,
        "mute": _mute,
        "unmute": _unmute,
        "mute_all": _mute_all,
        "remove_member": _remove,
        "set_card": _set_card,
        "decide_join": _decide,
        "announce": _announce,
        "rename_group": _rename,
        "read_check_ins": _read_check_ins,
    }
)
