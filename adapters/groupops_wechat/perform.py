"""From groupops' actions to calls of a puppet service, and to the receipts of what came of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from groupops import (
    AccountId,
    Action,
    Announce,
    Capability,
    DeleteMessage,
    DirectMessage,
    Done,
    Gone,
    Impossible,
    Receipt,
    RemoveMember,
    RenameGroup,
    Role,
    SendFile,
    SendImage,
    SendText,
    Unreachable,
)
from groupops import InDoubt as Doubtful
from groupops import Refused as Declined
from groupops_wechat.bot import Bot
from groupops_wechat.exception import ActionFailed, ApiNotAvailable, InDoubt, NetworkError, Refused, Taken
from groupops_wechat.message import Message, MessageSegment
from groupops_wechat.standing import Place

PICTURE = "picture.png"
"""Name of a picture without one; the puppet takes it for a picture by it."""

GONE = ("not a member", "not in room", "no such", "not exist", "not found")
"""Words by which puppets say that somebody or something is not there; they have no codes."""


class Hand(Protocol):
    """The account that does it, and what it knows."""

    @property
    def bot(self) -> Bot:
        """The bot."""
        ...

    @property
    def room(self) -> str:
        """The room."""
        ...

    @property
    def place(self) -> Place:
        """The account in that room."""
        ...

    @property
    def can(self) -> frozenset[Capability]:
        """What it is able to do there now."""
        ...

    def reach(self, contact: str) -> Bot | None:
        """Give a bot that can write to somebody alone."""
        ...

    def is_own(self, message_id: str) -> bool:
        """Say whether a message is the account's own."""
        ...

    def said(self, message_id: str, text: str) -> None:
        """Note a message of the account's own."""
        ...


async def perform(action: Action, hand: Hand) -> Receipt:
    """Do it. Every answer, and every answer that does not come, is a receipt."""
    missing = lacks(action, hand)
    if missing is not None:
        return Impossible(capability=missing)
    try:
        return await _DOERS[action.kind](action, hand)
    except (ActionFailed, ApiNotAvailable, NetworkError, Refused, Taken) as error:
        return receipt_of(error, action.needs)


def receipt_of(error: Exception, needed: Capability) -> Receipt:
    """Say what an error means for what was asked."""
    match error:
        case ApiNotAvailable():
            return Impossible(capability=needed)
        case InDoubt():
            return Doubtful(why=error.msg)
        case NetworkError():
            return Unreachable(why=error.msg)
        case ActionFailed() if any(word in error.why.lower() for word in GONE):
            return Gone(why=error.why)
        case ActionFailed():
            return Declined(why=error.why)
        case _:
            return Unreachable(why=str(error.args[-1]))


def lacks(action: Action, hand: Hand) -> Capability | None:
    """Give the capability that is needed and not there, or None."""
    if action.kind not in _DOERS:
        return action.needs
    if isinstance(action, DeleteMessage):
        if not hand.is_own(action.message_id) and action.account != f"wechat:{hand.bot.self_id}":
            return action.needs
        own = Capability.DELETE_OWN_MESSAGE
        return None if own in hand.can else own
    return None if action.needs in hand.can else action.needs


# — saying something —


async def _text(action: SendText, hand: Hand) -> Receipt:
    calls = [MessageSegment.mention(_contact(one)) for one in action.mentions]
    return await _post(Message([*calls, MessageSegment.text(action.text)]), action.text, hand)


async def _image(action: SendImage, hand: Hand) -> Receipt:
    return await _with_words(action.account, action.caption, PICTURE, action.data, hand)


async def _file(action: SendFile, hand: Hand) -> Receipt:
    return await _with_words(action.account, action.text, action.name, action.data, hand)


async def _with_words(account: AccountId | None, words: str, name: str, data: bytes, hand: Hand) -> Receipt:
    """Send a file, then say what goes with it: words without their file would mislead."""
    bot, to = hand.bot, hand.room
    if account is not None:
        to = _contact(account)
        reached = hand.reach(to)
        if reached is None:
            return Declined(why=f"{account} is no friend of the account")
        bot = reached
    ref = await bot.send_file(to, name, data)
    if words:
        try:
            await bot.post(to, Message(MessageSegment.text(words)))
        except (ActionFailed, ApiNotAvailable, NetworkError):
            return Done(ref=ref)  # doing all of it again would send the file twice
    return Done(ref=ref)


async def _direct(action: DirectMessage, hand: Hand) -> Receipt:
    contact = _contact(action.account)
    bot = hand.reach(contact)
    if bot is None:
        return Declined(why=f"{action.account} is no friend of the account")
    return Done(ref=await bot.post(contact, Message(MessageSegment.text(action.text))))


async def _post(message: Message, text: str, hand: Hand) -> Receipt:
    ref = await hand.bot.post(hand.room, message)
    hand.said(ref, text)
    return Done(ref=ref)


# — deeds —


async def _delete(action: DeleteMessage, hand: Hand) -> Receipt:
    await hand.bot.recall(action.message_id)
    return Done()


async def _remove(action: RemoveMember, hand: Hand) -> Receipt:
    """Remove a member, and see that it is so."""
    contact = _contact(action.account)
    room = await hand.bot.room(hand.room, anew=True)
    hand.place.learn(room, hand.bot.self_id)
    if contact not in room.members:
        return Gone(why=f"{action.account} is not in the group")
    if hand.place.role_of(contact) in {Role.OWNER, Role.ADMIN}:
        return Declined(why=f"{action.account} is an admin of the group")
    await hand.bot.remove(hand.room, contact)
    try:
        after = await hand.bot.room(hand.room, anew=True)
    except NetworkError as error:
        return Doubtful(why=f"removed, and not confirmed: {error.msg}")
    if contact in after.members:
        return Declined(why="still in the group after the removal")
    return Done()


async def _announce(action: Announce, hand: Hand) -> Receipt:
    await hand.bot.announce(hand.room, action.text)
    return Done()


async def _rename(action: RenameGroup, hand: Hand) -> Receipt:
    await hand.bot.rename(hand.room, action.name)
    return Done()


def _contact(account: AccountId) -> str:
    return account.partition(":")[2]


_DOERS: Mapping[str, Callable[[Any, Hand], Awaitable[Receipt]]] = MappingProxyType(
    {
        "send_text": _text,
        "send_image": _image,
        "send_file": _file,
        "direct_message": _direct,
        "delete_message": _delete,
        "remove_member": _remove,
        "announce": _announce,
        "rename_group": _rename,
    }
)
