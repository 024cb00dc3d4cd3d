"""From NoneBot's events of OneBot v11 to facts; pure: what is remembered is handed in and changed by others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, Literal
from zlib import crc32

from nonebot.adapters.onebot.v11 import (
    Event as OneBotEvent,
)
from nonebot.adapters.onebot.v11 import (
    GroupAdminNoticeEvent,
    GroupBanNoticeEvent,
    GroupDecreaseNoticeEvent,
    GroupIncreaseNoticeEvent,
    GroupRecallNoticeEvent,
    GroupRequestEvent,
    GroupUploadNoticeEvent,
    LuckyKingNotifyEvent,
)

from groupops import (
    AccountId,
    CommandGiven,
    Event,
    File,
    GroupId,
    GroupRenamed,
    JoinRequested,
    Location,
    LocationShared,
    MemberJoined,
    MemberLeft,
    MemberRenamed,
    Mention,
    MessagePosted,
    MessageRecalled,
    Quote,
    RedPacket,
    RedPacketSent,
    Role,
    RoleChanged,
    Segment,
    Text,
)
from groupops_onebot import packets, segments
from groupops_onebot.events import (
    GrayTipNotifyEvent,
    GroupCardNoticeEvent,
    GroupDismissNoticeEvent,
    GroupMessageEvent,
    GroupNameNotifyEvent,
    OwnRoleEvent,
    PrivateMessageEvent,
)
from groupops_onebot.memory import Memory
from groupops_onebot.segments import Reading, account
from groupops_onebot.shapes import word
from groupops_onebot.words import words

NO_GROUP = "284840486"
"""What NapCat gives as the group of a temporary session when it could not find it (`qq_nonebot.md` §1.1)."""

LATE = timedelta(minutes=1)
"""What comes later than this says when it came; clocks of ends differ by seconds."""

_ROLES: Mapping[str, Role] = MappingProxyType(
    {"owner": Role.OWNER, "admin": Role.ADMIN, "member": Role.MEMBER}
)
_FIRST = 946_684_800  # 2000-01-01
_LAST = 4_102_444_800  # 2100-01-01
_MILLIS = 1000

Facts = tuple[Event, ...]
How = Literal["approve", "invite", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Who reads, and what it may look up.

    Args:
        bot: the bot's own number.
        source: what its facts say saw them.
        late: whether they say when they came, however soon that was: they did not come by themselves.
        now: the present moment.
        role: the bot's role in the event's group.
        memory: what was heard of late; only looked at.
        home: the group in which an account is known, for what it says to the bot alone; empty when in none.
        called: what an account is called in the event's group; empty when that is not known.
        packet_texts: whole messages that are taken for red packets.
    """

    bot: str
    now: datetime
    memory: Memory
    source: str = "bot"
    late: bool = False
    role: Role = Role.UNKNOWN
    home: Callable[[str], str] = lambda _: ""
    called: Callable[[str], str] = lambda _: ""
    packet_texts: frozenset[str] = frozenset()


def read(event: OneBotEvent, sight: Sight) -> Facts:
    """Give what an event tells; nothing for what is of no interest."""
    reader = _READERS.get(type(event))
    return reader(event, sight) if reader is not None else ()


def role_of(word: Any) -> Role:
    """Give a role by its name; what is not told or not known is unknown, and never a plain member."""
    return _ROLES.get(word, Role.UNKNOWN) if isinstance(word, str) else Role.UNKNOWN


def group_id(native: str | int) -> GroupId:
    """Give the group of a QQ group's number."""
    return GroupId(f"qq:{native}")


def moment(seconds: int, now: datetime) -> datetime:
    """Give the moment of a Unix time in seconds, or in milliseconds; `now` for what cannot be one."""
    if seconds > _LAST:
        seconds //= _MILLIS
    return datetime.fromtimestamp(seconds, UTC) if _FIRST <= seconds <= _LAST else now


def _base(sight: Sight, group: int | str, time: int, *what: object) -> dict[str, Any]:
    """Give what every fact has. The id says all of what it is, so that it is the same over every connection."""
    at = moment(time, sight.now)
    late = sight.now if sight.late or sight.now - at > LATE else None
    parts = (str(part)[:_LONGEST_PART] for part in (group, *what, time))
    return {
        "id": "qq:" + ":".join(parts),
        "at": at,
        "group_id": group_id(group),
        "source": sight.source,
        "received_at": late,
    }


_LONGEST_PART = 80


# — messages —


def _message(event: GroupMessageEvent, sight: Sight) -> Facts:
    if event.sub_type == "notice" or str(event.user_id) == sight.bot:
        return ()
    parts = segments.read(event.original_message, _reading(sight, str(event.group_id)))
    base = partial(_base, sight, event.group_id, event.time)
    sender = AccountId("") if event.anonymous is not None else account(event.user_id)
    message_id = str(event.message_id)
    if event.wallet or (sight.packet_texts and packets.in_text(_words(parts), sight.packet_texts)):
        return (_packet(base(message_id, "packet"), sender, message_id),)
    place = _only_place(parts)
    if place is not None:
        return (_place(base(message_id, "place"), sender, place, message_id),)
    if not event.original_message or _told_before(event, parts, sight):
        return ()
    return (
        MessagePosted(
            **base(message_id),
            account=sender,
            message_id=message_id,
            segments=parts,
            name=word(event.sender.nickname),
            card=word(event.sender.card),
            role=role_of(event.sender.role),
            to_bot=to_bot(parts, sight.bot),
        ),
    )


def _only_place(parts: tuple[Segment, ...]) -> Location | None:
    """Give the place of a message that holds nothing else but whom it is for."""
    place: Location | None = None
    for part in parts:
        if isinstance(part, Location):
            place = place or part
        elif not isinstance(part, _MEANT):
            return None
    return place


_MEANT = (Mention, Quote)
"""Parts that say whom a message is for."""


def to_bot(parts: tuple[Segment, ...], bot: str) -> bool:
    """Say whether a message mentions the bot or quotes it."""
    me = account(bot)
    return any(isinstance(part, _MEANT) and part.account == me for part in parts)


def _words(parts: tuple[Segment, ...]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


def _reading(sight: Sight, group: str) -> Reading:
    return Reading(bot=sight.bot, quoted=partial(sight.memory.quoted, group))


def _packet(base: dict[str, Any], sender: AccountId, message_id: str = "") -> RedPacketSent:
    return RedPacketSent(**base, account=sender, red_packet=RedPacket(), message_id=message_id)


def _place(
    base: dict[str, Any], sender: AccountId, location: Location, message_id: str, *, private: bool = False
) -> LocationShared:
    return LocationShared(**base, account=sender, location=location, message_id=message_id, private=private)


def _told_before(event: GroupMessageEvent, parts: tuple[Segment, ...], sight: Sight) -> bool:
    """Say whether a message is nothing but a file that a notice told of already."""
    if len(parts) != 1 or not isinstance(parts[0], File):
        return False
    file = (str(event.group_id), str(event.user_id), parts[0].name, parts[0].media.size)
    return sight.memory.file_lately(file, sight.now)


def _uploaded(event: GroupUploadNoticeEvent, sight: Sight) -> Facts:
    part = segments.file_of(event.file.model_dump(), _reading(sight, str(event.group_id)))
    file = (str(event.group_id), str(event.user_id), part.name, part.media.size)
    if str(event.user_id) == sight.bot or sight.memory.file_lately(file, sight.now):
        return ()
    base = _base(sight, event.group_id, event.time, "file", event.user_id, part.name, part.media.size)
    return (MessagePosted(**base, account=account(event.user_id), message_id="", segments=(part,)),)


def _whisper(event: PrivateMessageEvent, sight: Sight) -> Facts:
    """Read what was said to the bot alone: a command or a place, in the group where its sender is known."""
    sender = str(event.user_id)
    told = str(event.group_id or "")
    group = told if told not in ("", "0", NO_GROUP) else sight.home(sender)
    if not group or sender == sight.bot:
        return ()
    parts = segments.read(event.original_message, _reading(sight, ""))
    message_id = str(event.message_id)
    base = partial(_base, sight, group, event.time)
    for part in parts:
        if isinstance(part, Location):
            told_at = base("private", sender, message_id, "place")
            return (_place(told_at, account(sender), part, message_id, private=True),)
    return _command(base("private", sender, message_id), account(sender), message_id, parts)


def _command(base: dict[str, Any], sender: AccountId, message_id: str, parts: tuple[Segment, ...]) -> Facts:
    said = _words(parts).split()
    if not said:
        return ()
    quoted = next((part for part in parts if isinstance(part, Quote)), None)
    return (
        CommandGiven(
            **base,
            account=sender,
            name=said[0].removeprefix("/"),
            args=tuple(said[1:]),
            private=True,
            message_id=message_id,
            quoted=quoted.message_id if quoted else "",
            quoted_account=quoted.account if quoted else None,
            quoted_text=quoted.text if quoted else "",
        ),
    )


def _recalled(event: GroupRecallNoticeEvent, sight: Sight) -> Facts:
    message_id = str(event.message_id)
    base = _base(sight, event.group_id, event.time, message_id, "recalled")
    operator = account(event.operator_id) or None
    author = account(event.user_id)
    return (MessageRecalled(**base, account=author, message_id=message_id, operator=operator),)


# — members —


def _joined(event: GroupIncreaseNoticeEvent, sight: Sight) -> Facts:
    """Read who came in. By a link one comes as by an invitation of nobody; that is said to be unknown."""
    if str(event.user_id) == sight.bot:
        return ()
    operator = account(event.operator_id) or None
    how: How = _HOW.get(event.sub_type, "unknown") if operator else "unknown"
    base = _base(sight, event.group_id, event.time, "joined", event.user_id)
    name = sight.called(str(event.user_id))
    return (MemberJoined(**base, account=account(event.user_id), name=name, operator=operator, how=how),)


_HOW: Mapping[str, How] = MappingProxyType({"approve": "approve", "invite": "invite"})


def _left(event: GroupDecreaseNoticeEvent, sight: Sight) -> Facts:
    who, by = account(event.user_id), account(event.operator_id) or None
    base = _base(sight, event.group_id, event.time, "left", event.user_id)
    if event.sub_type in {"kick_me", "disband"}:
        return (_gone(sight, event.group_id, event.time, by),)
    if not who:  # a group that was disbanded is told of with nobody's number as well
        return ()
    if event.sub_type == "leave" or by == who:
        return (MemberLeft(**base, account=who, how="left"),)
    # NapCat calls every way out it does not know a kick; one without an operator proves none.
    return (MemberLeft(**base, account=who, operator=by, how="removed" if by else "unknown"),)


def _dismissed(event: GroupDismissNoticeEvent, sight: Sight) -> Facts:
    by = account(event.operator_id) or account(event.user_id) or None
    return (_gone(sight, event.group_id, event.time, by),)


def _gone(sight: Sight, group: int, time: int, by: AccountId | None) -> MemberLeft:
    """The bot itself is no longer in the group."""
    base = _base(sight, group, time, "left", sight.bot)
    return MemberLeft(**base, account=account(sight.bot), operator=by, how="removed")


def _renamed(event: GroupCardNoticeEvent, sight: Sight) -> Facts:
    """Read a new card; two changes within one second are two facts, so the id has a mark of the card in it."""
    old, new = word(event.card_old), word(event.card_new)
    mark = f"{crc32(new.encode(errors='replace')):08x}"
    base = _base(sight, event.group_id, event.time, "card", event.user_id, mark)
    return (MemberRenamed(**base, account=account(event.user_id), old=old, new=new),)


def _role_changed(event: GroupAdminNoticeEvent, sight: Sight) -> Facts:
    role = Role.ADMIN if event.sub_type == "set" else Role.MEMBER
    base = _base(sight, event.group_id, event.time, "role", event.sub_type, event.user_id)
    return (RoleChanged(**base, account=account(event.user_id), role=role),)


def _own_role(event: OwnRoleEvent, sight: Sight) -> Facts:
    base = _base(sight, event.group_id, event.time, "role", event.role, sight.bot)
    return (RoleChanged(**base, account=account(sight.bot), role=role_of(event.role)),)


def _muted(event: GroupBanNoticeEvent, sight: Sight) -> Facts:
    """Read a mute that changes what the bot may do: its own, or the whole group's while it is a plain member."""
    everybody = event.user_id == 0
    if not everybody and str(event.user_id) != sight.bot:
        return ()
    if everybody and sight.role in {Role.ADMIN, Role.OWNER}:
        return ()
    base = _base(sight, event.group_id, event.time, "mute", event.user_id, event.duration)
    return (RoleChanged(**base, account=account(sight.bot), role=sight.role),)


def whole_mute(event: GroupBanNoticeEvent) -> bool | None:
    """Say whether the whole group was muted (True) or unmuted; None when it is about one account.

    Ends differ in `sub_type` (an old one said `lift_ban` for on), not in the duration: 0 is off.
    """
    return event.duration != 0 if event.user_id == 0 else None


def _asked(event: GroupRequestEvent, sight: Sight) -> Facts:
    """Read who asks to come in; that the bot itself was invited is nothing a group decides."""
    if event.sub_type != "add":
        return ()
    flag = event.flag
    base = _base(sight, event.group_id, event.time, "request", event.user_id, flag)
    comment = answer_of(event.comment or "")
    return (JoinRequested(**base, account=account(event.user_id), request_id=flag, comment=comment),)


def answer_of(comment: str) -> str:
    """Give what a person wrote who asks to come in: where the group asks a question, what follows it."""
    known = words()
    if not comment.startswith(known.question):
        return comment
    _, found, answer = comment.partition(known.answer)
    return answer.strip() if found else comment


# — the group, and what is left —


def _group_renamed(event: GroupNameNotifyEvent, sight: Sight) -> Facts:
    base = _base(sight, event.group_id, event.time, "name", event.user_id)
    name = word(event.name_new)
    return (GroupRenamed(**base, name=name, operator=account(event.user_id) or None),)


def _lucky(event: LuckyKingNotifyEvent, sight: Sight) -> Facts:
    """Read that a packet was emptied: it was sent by `user_id`, unless one was told of already."""
    if sight.memory.packet_lately(str(event.group_id), sight.now):
        return ()
    base = _base(sight, event.group_id, event.time, "lucky", event.user_id)
    return (_packet(base, account(event.user_id)),)


def _tip(event: GrayTipNotifyEvent, sight: Sight) -> Facts:
    """Read a grey line about a red packet, unless one was told of already: then it is about that one."""
    group = str(event.group_id)
    if not packets.in_tip(event.busi_id) or sight.memory.packet_lately(group, sight.now):
        return ()
    if str(event.user_id) == sight.bot:
        return ()
    base = _base(sight, event.group_id, event.time, "tip", event.user_id, event.message_id)
    return (_packet(base, account(event.user_id)),)


def _of_somebody(reader: Callable[[Any, Sight], Facts]) -> Callable[[Any, Sight], Facts]:
    """Have nothing read where an end did not find whose number it is: nobody can be greeted or answered."""

    def read_of(event: Any, sight: Sight) -> Facts:
        return reader(event, sight) if account(event.user_id) else ()

    return read_of


_READERS: Mapping[type[OneBotEvent], Callable[[Any, Sight], Facts]] = MappingProxyType(
    {
        GroupMessageEvent: _message,
        PrivateMessageEvent: _of_somebody(_whisper),
        GroupUploadNoticeEvent: _uploaded,
        GroupRecallNoticeEvent: _recalled,
        GroupIncreaseNoticeEvent: _of_somebody(_joined),
        GroupDecreaseNoticeEvent: _left,
        GroupDismissNoticeEvent: _dismissed,
        GroupCardNoticeEvent: _of_somebody(_renamed),
        GroupAdminNoticeEvent: _of_somebody(_role_changed),
        OwnRoleEvent: _own_role,
        GroupBanNoticeEvent: _muted,
        GroupRequestEvent: _asked,
        GroupNameNotifyEvent: _group_renamed,
        LuckyKingNotifyEvent: _lucky,
        GrayTipNotifyEvent: _tip,
    }
)
