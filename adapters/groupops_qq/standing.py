"""What is known of the bots now: in which groups, in what role, what they may say there, and whom they reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from nonebot.adapters.qq import (
    C2CMessageCreateEvent,
    C2CMsgReceiveEvent,
    C2CMsgRejectEvent,
    Event,
    FriendAddEvent,
    FriendDelEvent,
    GroupAddRobotEvent,
    GroupDelRobotEvent,
    GroupMemberAddEvent,
    GroupMemberRemoveEvent,
    GroupMsgReceiveEvent,
    GroupMsgRejectEvent,
    InteractionCreateEvent,
)

from groupops import Capability, Role
from groupops_qq.config import Config
from groupops_qq.content import own_openid
from groupops_qq.events import GroupAtMessageCreateEvent, GroupMessageCreateEvent
from groupops_qq.profile import profile
from groupops_qq.quota import Quota
from groupops_qq.read import role_of
from groupops_qq.shapes import Recent, moment, word
from groupops_qq.windows import IN_GROUP, IN_PRIVATE, Windows

SAYING = frozenset(
    {
        Capability.SEND_TEXT,
        Capability.REPLY,
        Capability.SEND_IMAGE,
        Capability.SEND_FILE,
        Capability.SEND_CARD,
    }
)
"""What a bot cannot do that is muted, or that may say nothing unasked and was asked nothing."""

LONGEST_WAIT = timedelta(minutes=2)
"""A quota that frees a place within this is waited for; beyond it the bot cannot speak, and somebody else has to."""

MUTED_FOR = timedelta(minutes=10)
LONGEST_MUTED = timedelta(hours=12)
"""How long a bot that was refused as muted does not try again, the longer the oftener; the platform does not say
until when it is muted."""

DENIED_FOR = timedelta(days=7)
"""How long a call that was not granted is not tried again."""

ROOMS = 5_000
PEOPLE = 20_000
SEATS = 5_000


@dataclass(frozen=True, slots=True)
class Seat:
    """One member of a group as last seen: name, and role (unknown if it was not told)."""

    name: str = ""
    role: Role = Role.UNKNOWN


@dataclass(slots=True)
class Room:
    """One group.

    Args:
        bot: the app id of the bot that is in it.
        there: whether the bot is still in it.
        role: the bot's role.
        receives: what the owner lets it hear (`all`, `only_mention`, `mention_and_context`); empty = not known.
        proactive: whether it may speak unasked; None = not known.
        me: the openid under which the bot itself is a member; empty = not known.
        asked_at: when its state was last asked for; None = never.
        told: whether the platform told the state, rather than the operator or nobody.
        muted_until: the bot does not try to speak until then.
        muted_for: how long it last did not try; nothing once it has spoken.
        denied: capabilities that were refused for good → until when that is believed.
        seats: openid → member.
    """

    bot: str
    there: bool = True
    role: Role = Role.UNKNOWN
    receives: str = ""
    proactive: bool | None = None
    me: str = ""
    asked_at: datetime | None = None
    told: bool = False
    muted_until: datetime | None = None
    muted_for: timedelta = timedelta()
    denied: dict[Capability, datetime] = field(default_factory=dict[Capability, datetime])
    seats: Recent[str, Seat] = field(default_factory=lambda: Recent(SEATS))

    def mute(self, now: datetime) -> None:
        """Note that the platform calls the bot muted."""
        self.muted_for = min(max(MUTED_FOR, self.muted_for * 2), LONGEST_MUTED)
        self.muted_until = now + self.muted_for

    def spoke(self) -> None:
        """Note that the bot has spoken, so that it is not muted."""
        self.muted_until, self.muted_for = None, timedelta()

    def lacks(self, now: datetime) -> frozenset[Capability]:
        """Give what was refused for good of late."""
        return frozenset(what for what, until in self.denied.items() if now < until)


@dataclass(slots=True)
class Person:
    """Somebody who wrote to the bot alone, or is its friend.

    Args:
        bot: the app id of that bot.
        openid: the person's own openid, to which is written.
        open: whether the person takes messages of the bot.
        home: the group in which what the person last said to the bot alone was taken; empty when in none.
    """

    bot: str
    openid: str
    open: bool = True
    home: str = ""


class Standing:
    """All groups and people of the platform.

    Args:
        config: this adapter's keys.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.keyboards = config.qq_keyboards
        self.rooms: Recent[str, Room] = Recent(ROOMS)
        self.people: Recent[str, Person] = Recent(PEOPLE)
        self.group_windows = Windows(IN_GROUP)
        self.private_windows = Windows(IN_PRIVATE)
        self.group_quota = Quota(config.group_limits, config.special_limits)
        self.private_quota = Quota(config.private_limits)

    def room(self, group: str, bot: str) -> Room:
        """Give a group; one that was not met before begins with what the operator says of it."""
        found = self.rooms.get(group)
        if found is None:
            found = Room(bot)
            said = self.config.qq_groups.get(group)
            if said is not None:
                found.role, found.receives = role_of(said.role), said.receives or ""
                found.proactive = said.proactive
            self.rooms.put(group, found)
        return found

    # — asking —

    def can(self, group: str, now: datetime, *, repeats: bool) -> frozenset[Capability]:
        """Give what the bot is able to do in a group now.

        Args:
            group: the group's openid.
            now: the present.
            repeats: whether keys of before are known well enough for a repetition to be known as one.
        """
        room = self.rooms.get(group)
        if room is not None and not room.there:
            return frozenset()
        able = profile().can[room.role if room else Role.UNKNOWN] - (room.lacks(now) if room else frozenset())
        if room is None or room.receives != "all":
            able -= {Capability.RECEIVE_ALL}
        if not self.keyboards:
            able -= {Capability.SEND_CARD}
        if not self.may_speak(group, now):
            able -= SAYING
        if not (repeats and self.group_windows.is_open(group, now, "message")):
            able -= {Capability.DEDUPE_SENDS}
        return able

    def hears(self, group: str) -> frozenset[str]:
        """Give the kinds of facts that arrive from a group now, those said to the bot alone included."""
        room = self.rooms.get(group)
        if room is not None and not room.there:
            return frozenset()
        kinds = profile().hears[room.role if room is not None else Role.UNKNOWN] | profile().hears_privately
        return kinds | profile().hears_with_keyboards if self.keyboards else kinds

    def fleeting(self, group: str, now: datetime) -> frozenset[Capability]:
        """Give what comes and goes by itself: knowing repetitions, and speech where it has to be asked for."""
        room = self.rooms.get(group)
        if room is not None and (not room.there or _is_muted(room, now)):
            return frozenset()
        always = frozenset({Capability.DEDUPE_SENDS})
        return always if self.may_speak_unasked(group, now) else always | SAYING

    def may_speak(self, group: str, now: datetime) -> bool:
        """Say whether the bot may speak in a group, asked or unasked."""
        room = self.rooms.get(group)
        if room is not None and _is_muted(room, now):
            return False
        return self.group_windows.is_open(group, now) or self.may_speak_unasked(group, now)

    def may_speak_unasked(self, group: str, now: datetime) -> bool:
        """Say whether the owner allows it and the quota has room, soon at least."""
        room = self.rooms.get(group)
        if room is not None and room.proactive is False:
            return False
        wait = self.group_quota.wait(group, now)
        return wait is not None and wait <= LONGEST_WAIT

    def reaches(self, openid: str, now: datetime) -> bool:
        """Say whether somebody can be written to privately: in an open window, or unasked."""
        person = self.people.get(openid)
        if person is None or not person.open:
            return False
        wait = self.private_quota.wait(person.openid, now)
        unasked = wait is not None and wait <= LONGEST_WAIT
        return unasked or self.private_windows.is_open(person.openid, now)

    def homes(self, openid: str) -> list[str]:
        """Give the groups in which somebody is known."""
        found = ((group, self.rooms.get(group)) for group in self.rooms)
        return [group for group, room in found if room and room.there and room.seats.get(openid) is not None]

    def called(self, group: str, openid: str) -> str:
        """Give the name under which somebody is known in a group; empty when it is not."""
        room = self.rooms.get(group)
        seat = room.seats.get(openid) if room is not None else None
        return seat.name if seat is not None else ""

    # — learning —

    def take(self, bot: str, event: Event, now: datetime) -> None:
        """Learn from an event where the bot may answer, who is where, and what the bot may do."""
        for kinds, learn in _LEARNERS:
            if isinstance(event, kinds):
                learn(self, bot, event, now)

    def met(self, bot: str, known_as: str, event: C2CMessageCreateEvent, now: datetime) -> None:
        """Take that somebody wrote to the bot alone, who is known in groups as `known_as`."""
        openid = event.author.user_openid
        if openid:
            before = self.people.get(known_as)
            self.people.put(known_as, Person(bot, openid, home=before.home if before else ""))
            self.private_windows.open(openid, event.id, "message", moment(event.timestamp, now), now)

    def told(self, group: str, bot: str, said: dict[str, Any], now: datetime) -> Role | None:
        """Take what the platform says of the bot in a group; gives the new role if that has changed."""
        room = self.room(group, bot)
        before = room.role
        room.told, room.there, room.asked_at = True, True, now
        room.role = role_of(word(said.get("member_role")))
        room.receives = word(said.get("recv_msg_setting"))
        proactive = said.get("allow_proactive_msg")
        room.proactive = proactive if isinstance(proactive, bool) else room.proactive
        room.me = word(said.get("member_openid")) or room.me
        return room.role if room.role is not before and before is not Role.UNKNOWN else None

    def deny(self, group: str, what: Capability, now: datetime) -> None:
        """Note that a capability was refused for good."""
        room = self.rooms.get(group)
        if room is not None:
            room.denied[what] = now + DENIED_FOR

    def listed(self, group: str, seats: dict[str, Seat]) -> None:
        """Take a whole member list for who is in a group."""
        room = self.rooms.get(group)
        if room is None:
            return
        fresh: Recent[str, Seat] = Recent(SEATS)
        for openid, seat in seats.items():
            fresh.put(openid, seat)
        room.seats = fresh


def _is_muted(room: Room, now: datetime) -> bool:
    return room.muted_until is not None and now < room.muted_until


# — what each kind of event says —


def _spoken(
    standing: Standing, bot: str, event: GroupMessageCreateEvent | GroupAtMessageCreateEvent, now: datetime
) -> None:
    group, author = event.group_openid, event.author
    room = standing.room(group, bot)
    room.bot, room.there = bot, True
    room.me = own_openid(event) or room.me
    standing.group_windows.open(group, event.id, "message", moment(event.timestamp, now), now)
    if not room.told and isinstance(event, GroupMessageCreateEvent) and not own_openid(event):
        room.receives = "all"  # such messages arrive only where the owner allows all of them
    if author.member_openid and not author.bot:
        known = room.seats.get(author.member_openid) or Seat()
        role = role_of(author.member_role)
        seat = Seat(author.username or known.name, known.role if role is Role.UNKNOWN else role)
        room.seats.put(author.member_openid, seat)


def _befriended(
    standing: Standing, bot: str, event: FriendAddEvent | C2CMsgReceiveEvent, now: datetime
) -> None:
    if event.openid:
        standing.people.put(event.openid, Person(bot, event.openid))
        standing.private_windows.open(event.openid, event.event_id or "", "event", event.timestamp, now)


def _closed(standing: Standing, bot: str, event: FriendDelEvent | C2CMsgRejectEvent, _: datetime) -> None:
    if event.openid:
        standing.people.put(event.openid, Person(bot, event.openid, open=False))


def _joined(standing: Standing, bot: str, event: GroupMemberAddEvent, _: datetime) -> None:
    room = standing.room(event.group_openid, bot)
    if room.seats.get(event.member_openid) is None:
        room.seats.put(event.member_openid, Seat())


def _left(standing: Standing, bot: str, event: GroupMemberRemoveEvent, _: datetime) -> None:
    standing.room(event.group_openid, bot).seats.drop(event.member_openid)


def _let_in(standing: Standing, bot: str, event: GroupAddRobotEvent, now: datetime) -> None:
    standing.rooms.drop(event.group_openid)
    standing.room(event.group_openid, bot)
    standing.group_windows.open(event.group_openid, event.event_id or "", "event", event.timestamp, now)


def _put_out(standing: Standing, bot: str, event: GroupDelRobotEvent, _: datetime) -> None:
    standing.room(event.group_openid, bot).there = False
    standing.group_windows.shut(event.group_openid)


def _allowed(standing: Standing, bot: str, event: GroupMsgReceiveEvent, now: datetime) -> None:
    standing.room(event.group_openid, bot).proactive = True
    standing.group_windows.open(event.group_openid, event.event_id or "", "event", event.timestamp, now)


def _forbidden(standing: Standing, bot: str, event: GroupMsgRejectEvent, _: datetime) -> None:
    standing.room(event.group_openid, bot).proactive = False


def _pressed(standing: Standing, bot: str, event: InteractionCreateEvent, now: datetime) -> None:
    at, id_ = moment(event.timestamp, now), event.event_id or ""
    if event.group_openid:
        standing.room(event.group_openid, bot)
        standing.group_windows.open(event.group_openid, id_, "event", at, now)
    elif event.user_openid:
        standing.people.put(event.user_openid, Person(bot, event.user_openid))
        standing.private_windows.open(event.user_openid, id_, "event", at, now)


_LEARNERS: tuple[tuple[Any, Any], ...] = (
    ((GroupMessageCreateEvent, GroupAtMessageCreateEvent), _spoken),
    ((FriendAddEvent, C2CMsgReceiveEvent), _befriended),
    ((FriendDelEvent, C2CMsgRejectEvent), _closed),
    (GroupMemberAddEvent, _joined),
    (GroupMemberRemoveEvent, _left),
    (GroupAddRobotEvent, _let_in),
    (GroupDelRobotEvent, _put_out),
    (GroupMsgReceiveEvent, _allowed),
    (GroupMsgRejectEvent, _forbidden),
    (InteractionCreateEvent, _pressed),
)
