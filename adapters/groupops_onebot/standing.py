"""What is known of the bots now: where they are, in what role, behind what end, and whom they can reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from nonebot.adapters.onebot.v11 import (
    Event,
    FriendAddNoticeEvent,
    GroupAdminNoticeEvent,
    GroupBanNoticeEvent,
    GroupDecreaseNoticeEvent,
    GroupIncreaseNoticeEvent,
    HeartbeatMetaEvent,
)

from groupops import Capability, Role
from groupops_onebot.ends import OTHER, End, ends
from groupops_onebot.events import (
    BotOfflineNoticeEvent,
    GroupCardNoticeEvent,
    GroupDismissNoticeEvent,
    GroupMessageEvent,
    OwnRoleEvent,
)
from groupops_onebot.memory import Recent
from groupops_onebot.read import role_of, whole_mute
from groupops_onebot.shapes import word

SAYING = frozenset(
    {
        Capability.SEND_TEXT,
        Capability.REPLY,
        Capability.MENTION,
        Capability.SEND_IMAGE,
        Capability.SEND_FILE,
    }
)
"""What a muted bot cannot do."""

LONGEST_MUTE = timedelta(days=30)
CLOSED_FOR = timedelta(hours=24)
"""How long an account that could not be written to is not tried again."""

_RANK: Mapping[Role, int] = MappingProxyType({Role.UNKNOWN: 0, Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 3})


@dataclass(slots=True)
class Room:
    """One bot in one group.

    Args:
        role: the bot's role.
        muted_until: until when the bot is muted; None when it is not.
        whole_mute: whether the whole group is muted.
        members: number → name (card or nickname) of everybody known to be in it.
        asked_at: when the end was last asked for the role, while that is unknown.
    """

    role: Role = Role.UNKNOWN
    muted_until: datetime | None = None
    whole_mute: bool = False
    members: dict[str, str] = field(default_factory=dict[str, str])
    asked_at: datetime | None = None

    def silent(self, now: datetime) -> bool:
        """Say whether the bot may not speak in it."""
        if self.muted_until is not None and now < self.muted_until:
            return True
        return self.whole_mute and self.role not in (Role.ADMIN, Role.OWNER)


@dataclass(slots=True)
class BotState:
    """One bot's account.

    Args:
        self_id: its number.
        end: the program behind the socket.
        connected: whether there is a connection.
        online: whether the account behind it is logged in.
        since: since when `alive` is what it is.
        last_event_at: when anything came last, heartbeats included.
        note: what the end says of it.
        kernel_shown: whether the kernel's messages are sent along, by which red packets are seen.
        rooms: the groups it is in, by number.
        friends: numbers of its friends.
        closed: accounts that could not be written to → when.
        missing: calls this end has said it does not have.
    """

    self_id: str
    end: End = field(default_factory=lambda: ends()[OTHER])
    connected: bool = False
    online: bool = True
    since: datetime | None = None
    last_event_at: datetime | None = None
    note: str = ""
    kernel_shown: bool = False
    rooms: dict[str, Room] = field(default_factory=dict[str, Room])
    friends: set[str] = field(default_factory=set[str])
    closed: Recent[str, datetime] = field(default_factory=lambda: Recent(2_000))
    missing: set[str] = field(default_factory=set[str])

    @property
    def alive(self) -> bool:
        """Whether it can act now."""
        return self.connected and self.online

    def turn(self, now: datetime, *, connected: bool | None = None, online: bool | None = None) -> None:
        """Note that it came or went."""
        before = self.alive
        self.connected = self.connected if connected is None else connected
        self.online = self.online if online is None else online
        if self.alive != before or self.since is None:
            self.since = now
        if self.alive:
            self.note = ""


NEEDS_CALL: Mapping[Capability, str] = MappingProxyType(
    {
        Capability.ANNOUNCE: "_send_group_notice",
        Capability.SEND_FILE: "upload_group_file",
        Capability.RENAME_GROUP: "set_group_name",
        Capability.READ_HISTORY: "get_group_msg_history",
    }
)
"""Capabilities that go as soon as an end says it does not have the call."""


@dataclass(slots=True)
class Standing:
    """All bots of the platform.

    Args:
        packets_by_text: whether texts are configured that count as red packets.
    """

    packets_by_text: bool = False
    bots: dict[str, BotState] = field(default_factory=dict[str, BotState])

    def bot(self, self_id: str) -> BotState:
        """Give a bot's state; a bot that was never met has an empty one."""
        state = self.bots.get(self_id)
        if state is None:
            state = self.bots[self_id] = BotState(self_id)
        return state

    # — asking —

    def hand(self, group: str) -> BotState | None:
        """Give the bot that acts in a group: one that can act before one that cannot, then by its role."""
        there = [bot for bot in self.bots.values() if group in bot.rooms]
        return max(there, key=lambda bot: (bot.alive, _RANK[bot.rooms[group].role]), default=None)

    def can(self, group: str, now: datetime) -> frozenset[Capability]:
        """Give what the bot that acts in a group is able to do there now; nothing where there is none."""
        bot = self.hand(group)
        if bot is None:
            return frozenset()
        room = bot.rooms[group]
        able = bot.end.can[room.role] - {what for what, call in NEEDS_CALL.items() if call in bot.missing}
        if room.silent(now):
            able -= SAYING
        return able | {Capability.SEE_RED_PACKET} if self._sees_packets(bot) else able

    def hears(self, group: str) -> frozenset[str]:
        """Give the kinds of facts that arrive from a group now."""
        bot = self.hand(group)
        if bot is None:
            return frozenset()
        kinds = bot.end.hears[bot.rooms[group].role]
        return kinds | {"red_packet_sent"} if self._sees_packets(bot) else kinds

    def _sees_packets(self, bot: BotState) -> bool:
        return bot.kernel_shown or self.packets_by_text

    def homes(self, native: str) -> list[str]:
        """Give the groups in which an account is known."""
        return [
            group for bot in self.bots.values() for group, room in bot.rooms.items() if native in room.members
        ]

    def reaches(self, native: str, now: datetime) -> bool:
        """Say whether some bot can write to an account privately: a friend, or by a group both are in."""
        for bot in self.bots.values():
            if not bot.alive or native == bot.self_id:
                continue
            at = bot.closed.get(native)
            if at is not None and now - at < CLOSED_FOR:
                continue
            if native in bot.friends or any(native in room.members for room in bot.rooms.values()):
                return True
        return False

    # — learning —

    def take(self, self_id: str, event: Event, now: datetime) -> None:
        """Learn from an event what it says of the bot and of who is where."""
        learn = _LEARNERS.get(type(event))
        if learn is not None:
            learn(self.bot(self_id), event, now)


def room_of(bot: BotState, group: int | str) -> Room:
    """Give a bot's room of a group; one it hears from for the first time is new."""
    room = bot.rooms.get(str(group))
    if room is None:
        room = bot.rooms[str(group)] = Room()
    return room


# — what each kind of event says —


def _spoken(bot: BotState, event: GroupMessageEvent, _: datetime) -> None:
    if not event.from_history:
        bot.kernel_shown = event.kernel_shown
    if event.anonymous is not None or not event.user_id:
        return
    name = word(event.sender.card) or word(event.sender.nickname)
    room_of(bot, event.group_id).members[str(event.user_id)] = name


def _promoted(bot: BotState, event: GroupAdminNoticeEvent, _: datetime) -> None:
    if str(event.user_id) == bot.self_id:
        room_of(bot, event.group_id).role = Role.ADMIN if event.sub_type == "set" else Role.MEMBER


def _told_own_role(bot: BotState, event: OwnRoleEvent, _: datetime) -> None:
    room_of(bot, event.group_id).role = role_of(event.role)


def _muted(bot: BotState, event: GroupBanNoticeEvent, now: datetime) -> None:
    whole = whole_mute(event)
    if whole is not None:
        room_of(bot, event.group_id).whole_mute = whole
    elif str(event.user_id) == bot.self_id:
        seconds = min(max(event.duration, 0), int(LONGEST_MUTE.total_seconds()))
        room_of(bot, event.group_id).muted_until = now + timedelta(seconds=seconds) if seconds else None


def _joined(bot: BotState, event: GroupIncreaseNoticeEvent, _: datetime) -> None:
    room_of(bot, event.group_id).members.setdefault(str(event.user_id), "")


def _left(bot: BotState, event: GroupDecreaseNoticeEvent, _: datetime) -> None:
    me = str(event.user_id) == bot.self_id
    if me or event.sub_type in {"kick_me", "disband"}:
        bot.rooms.pop(str(event.group_id), None)
    elif (room := bot.rooms.get(str(event.group_id))) is not None:
        room.members.pop(str(event.user_id), None)


def _dismissed(bot: BotState, event: GroupDismissNoticeEvent, _: datetime) -> None:
    bot.rooms.pop(str(event.group_id), None)


def _carded(bot: BotState, event: GroupCardNoticeEvent, _: datetime) -> None:
    if event.card_new:
        room_of(bot, event.group_id).members[str(event.user_id)] = word(event.card_new)


def _befriended(bot: BotState, event: FriendAddNoticeEvent, _: datetime) -> None:
    bot.friends.add(str(event.user_id))
    bot.closed.drop(str(event.user_id))


def _offline(bot: BotState, event: BotOfflineNoticeEvent, now: datetime) -> None:
    bot.turn(now, online=False)
    bot.note = f"bot_offline: {word(event.tag)} {word(event.message)}".strip()


def _beat(bot: BotState, event: HeartbeatMetaEvent, now: datetime) -> None:
    bot.turn(now, online=event.status.online)


_LEARNERS: Mapping[type[Event], Callable[[BotState, Any, datetime], None]] = MappingProxyType(
    {
        GroupMessageEvent: _spoken,
        GroupAdminNoticeEvent: _promoted,
        OwnRoleEvent: _told_own_role,
        GroupBanNoticeEvent: _muted,
        GroupIncreaseNoticeEvent: _joined,
        GroupDecreaseNoticeEvent: _left,
        GroupDismissNoticeEvent: _dismissed,
        GroupCardNoticeEvent: _carded,
        FriendAddNoticeEvent: _befriended,
        BotOfflineNoticeEvent: _offline,
        HeartbeatMetaEvent: _beat,
    }
)


# — what an end answers —


def listed(room: Room, lines: Iterable[Mapping[str, Any]]) -> None:
    """Take a whole member list for who is in a room."""
    room.members = {
        word(line.get("user_id")): word(line.get("card")) or word(line.get("nickname")) for line in lines
    }


def own_line(room: Room, line: Mapping[str, Any], now: datetime) -> None:
    """Take what the end says of the bot itself in a group: its role, and until when it is muted."""
    role = role_of(line.get("role"))
    if role is not Role.UNKNOWN:
        room.role = role
    until = line.get("shut_up_timestamp")
    if isinstance(until, int) and not isinstance(until, bool):
        left = timedelta(seconds=max(0, min(until - int(now.timestamp()), int(LONGEST_MUTE.total_seconds()))))
        room.muted_until = now + left if left else None
