"""From events of the QQ platform to facts; pure: what has to be looked up is handed in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from nonebot.adapters.qq import (
    C2CMessageCreateEvent,
    GroupDelRobotEvent,
    GroupJoinRequestEvent,
    GroupMemberAddEvent,
    GroupMemberRemoveEvent,
    InteractionCreateEvent,
)
from nonebot.adapters.qq import Event as QQEvent

from groupops import (
    AccountId,
    ChoiceMade,
    CommandGiven,
    Event,
    GroupId,
    JoinRequested,
    MemberJoined,
    MemberLeft,
    Mention,
    MessagePosted,
    Quote,
    Role,
    RoleChanged,
    Segment,
    Text,
)
from groupops_qq.content import NAME, account, parts
from groupops_qq.events import GroupAtMessageCreateEvent, GroupMessageCreateEvent, OwnRoleEvent
from groupops_qq.memory import Memory
from groupops_qq.shapes import moment, rows, word

LATE = timedelta(minutes=1)
"""What comes later than this says when it came; clocks differ by seconds."""

IN_GROUP = 1
IN_PRIVATE = 2

_ROLES: Mapping[str, Role] = MappingProxyType(
    {"owner": Role.OWNER, "admin": Role.ADMIN, "member": Role.MEMBER}
)
_LONGEST_PART = 200

_OPENID = re.compile(r"[0-9A-Za-z_-]{1,128}")

Facts = tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Who reads, and what it may look up.

    Args:
        bot: the bot's app id.
        now: the present moment.
        memory: what was heard of late; only looked at.
        home: openid → the group in which it is known, for what is said to the bot alone; empty when in none.
        called: group and openid → the name under which it is known there; empty when it is not.
    """

    bot: str
    now: datetime
    memory: Memory = field(default_factory=Memory)
    home: Callable[[str], str] = lambda _: ""
    called: Callable[[str, str], str] = lambda _group, _openid: ""

    @property
    def me(self) -> AccountId:
        """The bot's own account."""
        return account(self.bot)


def read(event: QQEvent, sight: Sight) -> Facts:
    """Give what an event tells; nothing for what is of no interest, or is of nobody and nowhere there can be."""
    reader = next((_READERS[kind] for kind in type(event).__mro__ if kind in _READERS), None)
    facts = reader(event, sight) if reader is not None else ()
    return tuple(fact for fact in facts if _has_place(fact))


def _has_place(fact: Event) -> bool:
    """Say whether group and account are openids: no record would take a name of another form."""
    who = getattr(fact, "account", "")
    return all(_OPENID.fullmatch(id_.partition(":")[2]) for id_ in (fact.group_id, who) if id_)


def role_of(said: str | None) -> Role:
    """Give a role by its name; what is not told is unknown, and never a plain member."""
    return _ROLES.get(said or "", Role.UNKNOWN)


def group_id(openid: str) -> GroupId:
    """Give the group of a group's openid."""
    return GroupId(f"{NAME}:{openid}")


def _base(sight: Sight, group: str, at: datetime, *what: object) -> dict[str, Any]:
    """Give what every fact has. The id says what it is, so that it is the same however often it is pushed."""
    return {
        "id": ":".join((NAME, *(str(part)[:_LONGEST_PART] for part in what))),
        "at": at,
        "group_id": group_id(group),
        "received_at": sight.now if sight.now - at > LATE else None,
    }


# — messages —


def _message(event: GroupMessageCreateEvent | GroupAtMessageCreateEvent, sight: Sight) -> Facts:
    """Read a message of a person; what bots say is nobody's, and two bots could go on answering each other."""
    author, group = event.author, event.group_openid
    if author.bot or not (group and event.id):
        return ()
    segments = parts(event, sight.me, partial(sight.memory.quoted, group))
    return (
        MessagePosted(
            **_base(sight, group, moment(event.timestamp, sight.now), event.id),
            account=account(author.member_openid),
            message_id=event.id,
            segments=segments,
            name=author.username or "",
            role=role_of(author.member_role),
            to_bot=isinstance(event, GroupAtMessageCreateEvent) or to_bot(segments, sight.me),
        ),
    )


def to_bot(segments: tuple[Segment, ...], me: AccountId) -> bool:
    """Say whether a message mentions the bot or quotes it."""
    return any(isinstance(part, Mention | Quote) and part.account == me for part in segments)


def _whisper(event: C2CMessageCreateEvent, sight: Sight) -> Facts:
    """Read what was said to the bot alone: a command, in the group where its sender is known."""
    openid = person_of(event, sight.memory)
    group = sight.home(openid)
    segments = parts(event, sight.me, partial(sight.memory.quoted, ""))
    said = "".join(part.text for part in segments if isinstance(part, Text)).split()
    if not (group and openid and said and event.id):
        return ()
    quoted = next((part for part in segments if isinstance(part, Quote)), None)
    return (
        CommandGiven(
            **_base(sight, group, moment(event.timestamp, sight.now), event.id),
            account=account(openid),
            name=said[0].removeprefix("/"),
            args=tuple(said[1:]),
            private=True,
            message_id=event.id,
            quoted=quoted.message_id if quoted else "",
            quoted_account=quoted.account if quoted else None,
            quoted_text=quoted.text if quoted else "",
        ),
    )


def person_of(event: C2CMessageCreateEvent, memory: Memory) -> str:
    """Give the openid under which the sender of a private message is known in groups.

    It is the same openid for one bot; where the platform tells a `union_openid`, that one decides.
    """
    union = event.author.union_openid
    return (memory.unions.get(union) if union else None) or event.author.user_openid


# — members —


def _joined(event: GroupMemberAddEvent, sight: Sight) -> Facts:
    group, who = event.group_openid, event.member_openid
    if not (group and who):
        return ()
    base = _base(sight, group, event.timestamp, group, "joined", who, int(event.timestamp.timestamp()))
    return (MemberJoined(**base, account=account(who), name=sight.called(group, who)),)


def _left(event: GroupMemberRemoveEvent, sight: Sight) -> Facts:
    group, who = event.group_openid, event.member_openid
    if not (group and who):
        return ()
    base = _base(sight, group, event.timestamp, group, "left", who, int(event.timestamp.timestamp()))
    return (MemberLeft(**base, account=account(who)),)


def _put_out(event: GroupDelRobotEvent, sight: Sight) -> Facts:
    """Read that the bot itself is no longer in the group."""
    group = event.group_openid
    if not group:
        return ()
    base = _base(sight, group, event.timestamp, group, "left", "me", int(event.timestamp.timestamp()))
    operator = account(event.op_member_openid) or None
    return (MemberLeft(**base, account=sight.me, operator=operator, how="removed"),)


def _own_role(event: OwnRoleEvent, sight: Sight) -> Facts:
    group = event.group_openid
    base = _base(sight, group, event.found_at, group, "role", "me", event.role, event.found_at.isoformat())
    return (RoleChanged(**base, account=sight.me, role=role_of(event.role)),)


def _asked(event: GroupJoinRequestEvent, sight: Sight) -> Facts:
    """Read who asks to come in; whom a rule of the platform has let in already asks nobody."""
    group, who = event.group_openid, event.member_openid
    if event.auto_approved is not None or event.bot or not (group and who):
        return ()
    base = _base(sight, group, event.apply_at, group, "request", who, event.join_request_id)
    return (
        JoinRequested(
            **base,
            account=account(who),
            request_id=event.join_request_id,
            comment=comment_of(event),
            inviter=account(event.invited_by or "") or None,
        ),
    )


def comment_of(event: GroupJoinRequestEvent) -> str:
    """Give what a person wrote who asks to come in: the answers, else the message; never the group's questions."""
    said = event.verify_info
    if said is None:
        return ""
    answers = [one.answer.strip() for one in said.review_qa_list or () if one.answer.strip()]
    return "\n".join(answers) or (said.verify_message or "").strip()


# — buttons —


def button_data(subject: str, word_: str, group: str) -> str:
    """Give what a button says of itself when it is pressed."""
    return json.dumps([subject, word_, group], ensure_ascii=False, separators=(",", ":"))


def _pressed(event: InteractionCreateEvent, sight: Sight) -> Facts:
    """Read a button of ours that was pressed: who and where is the platform's word, what is the button's."""
    subject, chosen, group = _button(event.data.resolved.button_data or "")
    who = event.group_member_openid
    if event.chat_type == IN_GROUP:
        group = event.group_openid or ""
    else:
        who = event.user_openid
        group = group if event.chat_type == IN_PRIVATE else ""
    if not (subject and chosen and group and who and event.id):
        return ()
    at = moment(event.timestamp, sight.now)
    base = _base(sight, group, at, "pressed", event.id)
    return (ChoiceMade(**base, account=account(who), subject=subject, word=chosen),)


def _button(data: str) -> tuple[str, str, str]:
    try:
        found: Any = json.loads(data)
    except (ValueError, RecursionError):
        return "", "", ""
    said = [word(one) for one in rows(found)]
    return (said[0], said[1], said[2]) if len(said) == len(("subject", "word", "group")) else ("", "", "")


_READERS: Mapping[type, Callable[[Any, Sight], Facts]] = MappingProxyType(
    {
        GroupMessageCreateEvent: _message,
        GroupAtMessageCreateEvent: _message,
        C2CMessageCreateEvent: _whisper,
        GroupMemberAddEvent: _joined,
        GroupMemberRemoveEvent: _left,
        GroupDelRobotEvent: _put_out,
        OwnRoleEvent: _own_role,
        GroupJoinRequestEvent: _asked,
        InteractionCreateEvent: _pressed,
    }
)
