"""What is known of the accounts now: in which rooms they are, in what role, and whom they can write to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from groupops import Capability, Role, profile_of
from groupops_wechat.bot import Bot
from groupops_wechat.bot import Room as TheirRoom

NEEDS_CALL: Mapping[Capability, str] = MappingProxyType(
    {
        Capability.ANNOUNCE: "RoomAnnounce",
        Capability.DELETE_OWN_MESSAGE: "MessageRecall",
        Capability.LIST_MEMBERS: "RoomMemberList",
        Capability.REMOVE_MEMBER: "RoomDel",
        Capability.RENAME_GROUP: "RoomTopic",
        Capability.SEE_MEDIA: "MessageFile",
        Capability.SEND_FILE: "MessageSendFile",
        Capability.SEND_IMAGE: "MessageSendFile",
        Capability.SEND_TEXT: "MessageSendText",
    }
)
"""Capabilities that go as soon as a puppet says that it does not have the call."""

_RANK: Mapping[Role, int] = MappingProxyType({Role.UNKNOWN: 0, Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 3})


@dataclass(slots=True)
class Place:
    """One account in one room.

    Args:
        role: the account's role.
        topic: the room's name.
        owner, admins: contacts.
        members: contacts known to be in it.
    """

    role: Role = Role.UNKNOWN
    topic: str = ""
    owner: str = ""
    admins: frozenset[str] = frozenset()
    members: set[str] = field(default_factory=set[str])

    def role_of(self, contact: str) -> Role:
        """Give a member's role; unknown while the room's owner is."""
        if contact and contact == self.owner:
            return Role.OWNER
        if contact in self.admins:
            return Role.ADMIN
        return Role.MEMBER if self.owner else Role.UNKNOWN

    def learn(self, room: TheirRoom, me: str) -> None:
        """Take what the puppet says of the room."""
        self.topic, self.owner, self.admins = room.topic, room.owner, frozenset(room.admins)
        if room.members:
            self.members = set(room.members)
        self.role = self.role_of(me)


@dataclass(slots=True)
class AccountState:
    """One account.

    Args:
        self_id: its contact.
        bot: the bot, while it can act.
        since: since when that is so.
        last_event_at: when anything came last.
        note: why it cannot act.
        learnt: whether its rooms and friends were read.
        places: its rooms, by id.
        friends: contacts that it can write to.
    """

    self_id: str
    bot: Bot | None = None
    since: datetime | None = None
    last_event_at: datetime | None = None
    note: str = ""
    learnt: bool = False
    places: dict[str, Place] = field(default_factory=dict[str, Place])
    friends: set[str] = field(default_factory=set[str])


@dataclass(slots=True)
class Standing:
    """All accounts of the platform."""

    accounts: dict[str, AccountState] = field(default_factory=dict[str, AccountState])

    def account(self, self_id: str) -> AccountState:
        """Give an account's state; one that was never met has an empty one."""
        state = self.accounts.get(self_id)
        if state is None:
            state = self.accounts[self_id] = AccountState(self_id)
        return state

    def hand(self, room: str) -> AccountState | None:
        """Give the account that acts in a room: one that can act before one that cannot, then by its role."""
        there = [one for one in self.accounts.values() if room in one.places]
        return max(there, key=lambda one: (one.bot is not None, _RANK[one.places[room].role]), default=None)

    def can(self, room: str) -> frozenset[Capability]:
        """Give what can be done in a room now; nothing where no account is."""
        state = self.hand(room)
        if state is None:
            return frozenset()
        able = profile_of("groupops_wechat").can[state.places[room].role]
        without = state.bot.without if state.bot is not None else frozenset[str]()
        return able - {what for what, call in NEEDS_CALL.items() if call in without}

    def hears(self, room: str) -> frozenset[str]:
        """Give the kinds of facts that arrive from a room now."""
        heard = profile_of("groupops_wechat").hears_as(Role.MEMBER)
        return heard if self.hand(room) is not None else frozenset()

    def reach(self, contact: str) -> AccountState | None:
        """Give an account that can write to a contact now."""
        for state in self.accounts.values():
            if state.bot is not None and contact != state.self_id and contact in state.friends:
                return state
        return None

    def homes(self, contact: str) -> list[str]:
        """Give the rooms in which a contact is known to be."""
        return [
            room
            for state in self.accounts.values()
            for room, place in state.places.items()
            if contact in place.members
        ]


def place_of(state: AccountState, room: str) -> Place:
    """Give an account's place in a room; a room it hears from for the first time is new."""
    place = state.places.get(room)
    if place is None:
        place = state.places[room] = Place()
    return place
