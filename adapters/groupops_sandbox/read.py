"""From a fact of the make-believe platform to what a connection would tell of it; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from groupops import (
    AccountId,
    Capability,
    CheckedInElsewhere,
    ChoiceMade,
    CommandGiven,
    Event,
    GroupRenamed,
    JoinRequested,
    Listed,
    Location,
    LocationShared,
    MemberJoined,
    MemberLeft,
    MemberRenamed,
    MembersListed,
    Mention,
    MessagePosted,
    MessageRecalled,
    PersonsTold,
    RedPacket,
    RedPacketSent,
    Role,
    RoleChanged,
    Segment,
    Text,
)
from groupops_sandbox.facts import Fact
from groupops_sandbox.profiles import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Who looks: a profile, in the bot's role.

    Args:
        platform: the prefix of ids.
        profile: the kind of connection.
        role: the bot's role in the fact's group.
        bot: the bot's own account.
    """

    platform: str
    profile: Profile
    role: Role
    bot: AccountId

    def can(self, capability: Capability) -> bool:
        """Say whether the connection is able to do or see something."""
        return capability in self.profile.can[self.role]


def read(fact: Fact, sight: Sight) -> Event | None:
    """Give what the connection tells of a fact, or None when it does not see it."""
    if fact.account == sight.bot and fact.kind in _OWN_WORDS:
        return None
    if not _hears(fact, sight):
        return None
    return _READERS[fact.kind](fact, sight)


_OWN_WORDS = frozenset({"message_posted", "location_shared", "red_packet_sent", "command_given"})


def _hears(fact: Fact, sight: Sight) -> bool:
    profile = sight.profile
    kinds = profile.hears_privately if fact.private else profile.hears[sight.role]
    if fact.kind not in kinds:
        return False
    if fact.kind != "message_posted" or sight.can(Capability.RECEIVE_ALL):
        return True
    return _to_bot(fact, sight) and sight.can(Capability.RECEIVE_MENTIONS)


def _to_bot(fact: Fact, sight: Sight) -> bool:
    """Say whether the connection can tell that the bot is meant; one that sees no quotes cannot by a quote."""
    if not fact.to_bot or "quote" in sight.profile.segments:
        return fact.to_bot
    return any(isinstance(part, Mention) and part.account == sight.bot for part in fact.segments)


def _base(fact: Fact, sight: Sight) -> dict[str, Any]:
    source = sight.profile.source
    seen_by = "" if source == "bot" else f"@{source}"
    return {
        "id": f"{sight.platform}:{fact.id}{seen_by}",
        "at": fact.at,
        "group_id": fact.group,
        "source": source,
    }


def _card(card: str, sight: Sight) -> str:
    return card if sight.can(Capability.READ_CARD) else ""


def _role(role: Role, sight: Sight) -> Role:
    return role if sight.can(Capability.READ_ROLE) else Role.UNKNOWN


def _who(account: AccountId | None, sight: Sight) -> AccountId | None:
    return account if sight.can(Capability.READ_INVITER) else None


def _message(fact: Fact, sight: Sight) -> MessagePosted | None:
    segments = _seen(fact.segments, sight)
    if fact.segments and not segments:
        return None
    return MessagePosted(
        **_base(fact, sight),
        account=fact.account,
        message_id=fact.message_id,
        segments=segments,
        name=fact.name,
        card=_card(fact.card, sight),
        role=_role(fact.role, sight),
        to_bot=_to_bot(fact, sight),
    )


def _seen(segments: tuple[Segment, ...], sight: Sight) -> tuple[Segment, ...]:
    kinds = sight.profile.segments
    plain = (_plain_mention(part, kinds, sight) for part in segments)
    return tuple(part for part in plain if part is not None and part.kind in kinds)


def _plain_mention(part: Segment, kinds: frozenset[str], sight: Sight) -> Segment | None:
    if not isinstance(part, Mention) or "mention" in kinds:
        return part
    if part.account == sight.bot:
        return None
    return Text(text=f"@{part.name or 'all'} ")


def _recall(fact: Fact, sight: Sight) -> MessageRecalled:
    return MessageRecalled(
        **_base(fact, sight), account=fact.account, message_id=fact.message_id, operator=fact.operator
    )


def _joined(fact: Fact, sight: Sight) -> MemberJoined:
    return MemberJoined(
        **_base(fact, sight),
        account=fact.account,
        name=fact.name,
        card=_card(fact.card, sight),
        operator=_who(fact.operator, sight),
        how=_how(fact.how, sight),
    )


def _how(how: str, sight: Sight) -> Any:
    return how if sight.can(Capability.READ_INVITER) else "unknown"


def _left(fact: Fact, sight: Sight) -> MemberLeft:
    told = sight.can(Capability.READ_INVITER)
    how: Any = fact.how if told else "unknown"
    return MemberLeft(
        **_base(fact, sight), account=fact.account, operator=fact.operator if told else None, how=how
    )


def _renamed(fact: Fact, sight: Sight) -> MemberRenamed:
    return MemberRenamed(**_base(fact, sight), account=fact.account, old=fact.old, new=fact.new)


def _role_changed(fact: Fact, sight: Sight) -> RoleChanged:
    return RoleChanged(**_base(fact, sight), account=fact.account, role=fact.role)


def _group_renamed(fact: Fact, sight: Sight) -> GroupRenamed:
    return GroupRenamed(**_base(fact, sight), name=fact.new, operator=fact.operator)


def _listed(fact: Fact, sight: Sight) -> MembersListed:
    return MembersListed(**_base(fact, sight), members=seats_seen(fact.seats, sight), complete=fact.complete)


def seats_seen(seats: tuple[Listed, ...], sight: Sight) -> tuple[Listed, ...]:
    """Give the lines of a member list as the connection sees them."""
    return tuple(replace(seat, card=_card(seat.card, sight), role=_role(seat.role, sight)) for seat in seats)


def _asked(fact: Fact, sight: Sight) -> JoinRequested:
    return JoinRequested(
        **_base(fact, sight),
        account=fact.account,
        request_id=fact.request_id,
        comment=fact.comment,
        inviter=_who(fact.inviter, sight),
    )


def _located(fact: Fact, sight: Sight) -> LocationShared | None:
    for part in fact.segments:
        if isinstance(part, Location):
            return LocationShared(
                **_base(fact, sight),
                account=fact.account,
                location=part,
                message_id=fact.message_id,
                private=fact.private,
            )
    return None


def _checked_in(fact: Fact, sight: Sight) -> CheckedInElsewhere:
    told = CheckedInElsewhere(
        **_base(fact, sight),
        account=fact.account,
        location=next((part for part in fact.segments if isinstance(part, Location)), None),
        label=fact.word,
        odd=fact.odd,
    )
    return replace(told, source="attendance")


def _persons(fact: Fact, sight: Sight) -> PersonsTold:
    return replace(PersonsTold(**_base(fact, sight), lines=fact.lines), source="contacts")


def _packet(fact: Fact, sight: Sight) -> RedPacketSent | None:
    for part in fact.segments:
        if isinstance(part, RedPacket):
            known = part if sight.profile.platform == "sandbox" else replace(part, amount_fen=None)
            return RedPacketSent(
                **_base(fact, sight), account=fact.account, red_packet=known, message_id=fact.message_id
            )
    return None


def _chosen(fact: Fact, sight: Sight) -> ChoiceMade:
    return ChoiceMade(**_base(fact, sight), account=fact.account, subject=fact.subject, word=fact.word)


def _command(fact: Fact, sight: Sight) -> CommandGiven | None:
    words = "".join(part.text for part in fact.segments if isinstance(part, Text)).split()
    if not words:
        return None
    return CommandGiven(
        **_base(fact, sight),
        account=fact.account,
        name=words[0].removeprefix("/"),
        args=tuple(words[1:]),
        private=True,
        message_id=fact.message_id,
    )


_READERS: Mapping[str, Callable[[Fact, Sight], Event | None]] = MappingProxyType(
    {
        "message_posted": _message,
        "message_recalled": _recall,
        "member_joined": _joined,
        "member_left": _left,
        "member_renamed": _renamed,
        "role_changed": _role_changed,
        "group_renamed": _group_renamed,
        "members_listed": _listed,
        "join_requested": _asked,
        "location_shared": _located,
        "checked_in_elsewhere": _checked_in,
        "persons_told": _persons,
        "red_packet_sent": _packet,
        "choice_made": _chosen,
        "command_given": _command,
    }
)
