"""From groupops' actions to calls of OneBot v11, every parameter said, and to the receipts of what came of them."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Protocol

from nonebot.adapters.onebot.v11 import ActionFailed, ApiNotAvailable, NetworkError

from groupops import (
    AccountId,
    Action,
    Announce,
    Capability,
    DecideJoin,
    DeleteMessage,
    DirectMessage,
    Done,
    Gone,
    Impossible,
    InDoubt,
    Mute,
    MuteAll,
    Receipt,
    Refused,
    RemoveMember,
    RenameGroup,
    Reply,
    Role,
    SendFile,
    SendImage,
    SendText,
    SetCard,
    Unmute,
)
from groupops_onebot.answers import receipt_of
from groupops_onebot.ends import End
from groupops_onebot.read import role_of
from groupops_onebot.shapes import is_number, table, word

LONGEST_MUTE = timedelta(days=30) - timedelta(seconds=1)
"""QQ takes no longer one (2,591,999 s)."""

CARD_BYTES = 60
"""Bytes of UTF-8 that QQ keeps of a card."""

Params = dict[str, Any]
Part = dict[str, Any]


class Hand(Protocol):
    """The bot that does it, and what it knows."""

    @property
    def bot(self) -> str:
        """Its own number."""
        ...

    @property
    def group(self) -> str:
        """The group's number."""
        ...

    @property
    def end(self) -> End:
        """The program behind its socket."""
        ...

    @property
    def can(self) -> frozenset[Capability]:
        """What it is able to do in the group now."""
        ...

    async def call(self, api: str, **params: Any) -> Any:
        """Call the end; raises as the library's bots do."""
        ...

    def name(self, native: str) -> str | None:
        """Give what somebody known to be in the group is called; None for who is not known to be in it."""
        ...

    def ways(self, native: str) -> tuple[str, ...]:
        """Give the groups by which an account can be written to; an empty text stands for no group (a friend)."""
        ...

    def closed(self, native: str) -> None:
        """Note that an account could not be written to."""
        ...

    def is_own(self, message_id: str) -> bool:
        """Say whether a message is the bot's own."""
        ...

    def said(self, message_id: str, text: str) -> None:
        """Note a message of the bot's own."""
        ...

    def leaving(self, native: str) -> AbstractContextManager[Callable[[], Awaitable[bool]]]:
        """Listen for the end to tell that an account has left the group; gives what waits for it, for a moment."""
        ...


class _Stop(Exception):
    """Ends a deed early: what became of it is known already."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(receipt.kind)
        self.receipt = receipt


async def perform(action: Action, hand: Hand) -> Receipt:
    """Do it. Every answer, and every answer that does not come, is a receipt."""
    missing = lacks(action, hand)
    if missing is not None:
        return Impossible(capability=missing)
    try:
        return await _DOERS[action.kind](action, hand)
    except _Stop as stop:
        return stop.receipt
    except (ActionFailed, NetworkError, ApiNotAvailable) as error:
        return receipt_of(error, action.needs)


def lacks(action: Action, hand: Hand) -> Capability | None:
    """Give the capability that is needed and not there, or None."""
    if action.kind not in _DOERS:
        return action.needs
    if action.needs in hand.can:
        return None
    if isinstance(action, DeleteMessage) and (
        hand.is_own(action.message_id) or action.account == f"qq:{hand.bot}"
    ):
        own = Capability.DELETE_OWN_MESSAGE
        return None if own in hand.can else own
    return action.needs


# — saying something —


def text_part(text: str) -> Part:
    """Make a part of plain words; what looks like a code in it stays words."""
    return {"type": "text", "data": {"text": text}}


async def _text(action: SendText, hand: Hand) -> Receipt:
    parts = [await _mention(account, hand) for account in action.mentions]
    spaced = [text_part(" ")] if parts else []
    return await _post([*parts, *spaced, text_part(action.text)], action.text, hand)


async def _mention(account: AccountId, hand: Hand) -> Part:
    """Mention a member; whoever is none is named instead, since an end may lose the whole message over it."""
    native = _native(account)
    name = hand.name(native)
    if Capability.MENTION in hand.can and (name is not None or await _is_member(native, hand)):
        return {"type": "at", "data": {"qq": native}}
    return text_part(f"@{name or native} ")


async def _is_member(native: str, hand: Hand) -> bool:
    if not is_number(native):
        return False
    try:
        return await _line(native, hand, fresh=False) is not None
    except (NetworkError, ApiNotAvailable):
        return False


async def _reply(action: Reply, hand: Hand) -> Receipt:
    quote = {"type": "reply", "data": {"id": str(_message_id(action.message_id))}}
    return await _post([quote, text_part(action.text)], action.text, hand)


async def _image(action: SendImage, hand: Hand) -> Receipt:
    caption = [text_part(action.caption)] if action.caption else []
    parts = [{"type": "image", "data": {"file": _bytes(action.data)}}, *caption]
    if action.account is None:
        return await _post(parts, action.caption, hand)
    return await _write(action.account, parts, hand)


def _bytes(data: bytes) -> str:
    return "base64://" + base64.b64encode(data).decode("ascii")


async def _post(parts: list[Part], text: str, hand: Hand) -> Receipt:
    answer = await hand.call("send_group_msg", group_id=int(hand.group), message=parts, auto_escape=False)
    ref = _ref(answer, "message_id")
    hand.said(ref, text)
    return Done(ref=ref)


async def _file(action: SendFile, hand: Hand) -> Receipt:
    """Put a file up, then say what goes with it: words without their file would mislead."""
    if action.account is not None:
        return await _file_to(action, action.account, hand)
    answer = await hand.call(
        "upload_group_file",
        group_id=int(hand.group),
        file=_bytes(action.data),
        name=action.name,
        folder="",
    )
    ref = _ref(answer, "file_id")
    if action.text:
        await _afterwards(_post([text_part(action.text)], action.text, hand))
    return Done(ref=ref)


async def _file_to(action: SendFile, account: AccountId, hand: Hand) -> Receipt:
    native = _number(account)
    if not hand.ways(native):
        return Refused(why=f"{account} cannot be written to privately")
    answer = await hand.call(
        "upload_private_file", user_id=int(native), file=_bytes(action.data), name=action.name
    )
    if action.text:
        await _afterwards(_write(account, [text_part(action.text)], hand))
    return Done(ref=_ref(answer, "file_id"))


async def _afterwards(saying: Awaitable[Receipt]) -> None:
    """Say what goes with a file that is there already: doing all of it again would put it there twice."""
    try:
        await saying
    except (ActionFailed, NetworkError, ApiNotAvailable, _Stop):
        return


async def _direct(action: DirectMessage, hand: Hand) -> Receipt:
    return await _write(action.account, [text_part(action.text)], hand)


async def _write(account: AccountId, parts: list[Part], hand: Hand) -> Receipt:
    """Write privately: to a friend at once, to others by a group both are in, the action's own group first."""
    native = _number(account)
    receipt: Receipt = Refused(why=f"{account} cannot be written to privately")
    for way in hand.ways(native):
        by: Params = {"group_id": int(way)} if way else {}
        try:
            answer = await hand.call(
                "send_private_msg", user_id=int(native), message=parts, auto_escape=False, **by
            )
            return Done(ref=_ref(answer, "message_id"))
        except ActionFailed as error:
            receipt = receipt_of(error, Capability.DIRECT_MESSAGE)
            if not isinstance(receipt, Refused | Gone):
                return receipt
    hand.closed(native)
    return receipt


# — deeds —


async def _delete(action: DeleteMessage, hand: Hand) -> Receipt:
    await hand.call("delete_msg", message_id=_message_id(action.message_id))
    return Done()


async def _mute(action: Mute, hand: Hand) -> Receipt:
    seconds = max(1, int(min(action.span, LONGEST_MUTE).total_seconds()))
    return await _ban(action.account, seconds, hand)


async def _unmute(action: Unmute, hand: Hand) -> Receipt:
    return await _ban(action.account, 0, hand)


async def _ban(account: AccountId, seconds: int, hand: Hand) -> Receipt:
    """Mute for that long; left out, ends differ in what they take it for: half an hour, or nothing."""
    native = int(_number(account))
    await hand.call("set_group_ban", group_id=int(hand.group), user_id=native, duration=seconds)
    return Done()


async def _mute_all(action: MuteAll, hand: Hand) -> Receipt:
    await hand.call("set_group_whole_ban", group_id=int(hand.group), enable=action.on)
    return Done()


async def _remove(action: RemoveMember, hand: Hand) -> Receipt:
    """Remove a member, and see that it is so: an end may call a kick that failed a success."""
    native = _number(action.account)
    line = await _line(native, hand, fresh=True)
    if line is None:
        return Gone(why=f"{action.account} is not in the group")
    if role_of(line.get("role")) in {Role.OWNER, Role.ADMIN}:
        return Refused(why=f"{action.account} is an admin of the group")
    whom = {"group_id": int(hand.group), "user_id": int(native)}
    with hand.leaving(native) as left:
        await hand.call("set_group_kick", **whom, reject_add_request=False)
        gone = await left()
    return Done() if gone else await _still_there(native, hand)


async def _still_there(native: str, hand: Hand) -> Receipt:
    try:
        if await _line(native, hand, fresh=True) is None:
            return Done()
    except (NetworkError, ApiNotAvailable) as error:
        return InDoubt(why=f"removed, and not confirmed: {type(error).__name__}")
    return Refused(why="still in the group after the removal")


async def _line(native: str, hand: Hand, *, fresh: bool) -> Mapping[str, Any] | None:
    """Give what the end says of a member; None when it says that there is none.

    Raises:
        _Stop: the end refused to say, for another reason.
    """
    try:
        found = await hand.call(
            "get_group_member_info", group_id=int(hand.group), user_id=int(native), no_cache=fresh
        )
    except ActionFailed as error:
        receipt = receipt_of(error, Capability.LIST_MEMBERS)
        if isinstance(receipt, Gone):
            return None
        raise _Stop(receipt) from error
    return table(found) or None


async def _set_card(action: SetCard, hand: Hand) -> Receipt:
    native, card = _number(action.account), cut(action.card, CARD_BYTES)
    try:
        await hand.call("set_group_card", group_id=int(hand.group), user_id=int(native), card=card)
    except ActionFailed:
        # An end waits a few seconds until it sees the card, and then says that it failed: it may have come since.
        line = await _line(native, hand, fresh=True)
        if line is None:
            return Gone(why=f"{action.account} is not in the group")
        if word(line.get("card")) != card:
            raise
    return Done()


async def _decide(action: DecideJoin, hand: Hand) -> Receipt:
    await hand.call(
        "set_group_add_request",
        flag=action.request_id,
        sub_type="add",
        approve=action.accept,
        reason="" if action.accept else action.reason,
    )
    return Done()


async def _announce(action: Announce, hand: Hand) -> Receipt:
    extras: Params = dict(hand.end.notice)
    await hand.call("_send_group_notice", group_id=int(hand.group), content=action.text, **extras)
    return Done()


async def _rename(action: RenameGroup, hand: Hand) -> Receipt:
    await hand.call("set_group_name", group_id=int(hand.group), group_name=action.name)
    return Done()


_DOERS: Mapping[str, Callable[[Any, Hand], Awaitable[Receipt]]] = MappingProxyType(
    {
        "send_text": _text,
        "reply": _reply,
        "send_image": _image,
        "send_file": _file,
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
    }
)


# — small things —


def cut(text: str, most: int) -> str:
    """Cut a text to so many bytes of UTF-8, never within a character, nor within what is seen as one.

    Args:
        text: the text; line breaks, which a card cannot have, become spaces.
        most: bytes.
    """
    plain = " ".join(text.split("\n"))
    kept = plain.encode()[:most].decode(errors="ignore")
    if len(kept) == len(plain):
        return kept
    end = len(kept)
    while end and (_goes_on(plain[end]) or plain[end - 1] == _JOINER or _half_flag(plain, end)):
        end -= 1
    return plain[:end].rstrip()


_JOINER = "\u200d"


def _goes_on(letter: str) -> bool:
    """Say whether a character belongs to the one before it: a mark, a joiner, a variation, a shade of skin."""
    joined = letter == _JOINER or "\U0001f3fb" <= letter <= "\U0001f3ff"
    return joined or unicodedata.category(letter).startswith("M")


def _half_flag(text: str, end: int) -> bool:
    """Say whether a cut at `end` parts the two letters that make a flag."""
    before = 0
    while before < end and _is_flag_letter(text[end - 1 - before]):
        before += 1
    return before % 2 == 1 and _is_flag_letter(text[end])


def _is_flag_letter(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def _native(account: AccountId) -> str:
    platform, _, native = account.partition(":")
    return native if platform == "qq" else ""


def _number(account: AccountId) -> str:
    """Give an account's QQ number; whoever has none is not there."""
    native = _native(account)
    if not is_number(native):
        raise _Stop(Gone(why=f"{account} is no QQ number"))
    return native


def _message_id(message_id: str) -> int:
    """Give a message's id as the ends have it: a whole number, with a sign."""
    if not is_number(message_id.removeprefix("-")):
        raise _Stop(Gone(why="there is no such message"))
    return int(message_id)


def _ref(answer: Any, key: str) -> str:
    return word(table(answer).get(key))
