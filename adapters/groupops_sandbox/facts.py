"""What the make-believe platform says: one flat payload, as a real platform would send it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from groupops import AccountId, GroupId, Listed, PersonLine, Role, Segment

NOBODY = AccountId("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened in the world, before any connection has looked at it.

    Args:
        kind: one of the kinds of `groupops.Event`.
        id: unique in the world.
        at: when, by the world's clock.
        group: where; for a private word, the group on whose behalf it is taken.
        account: whom it is about.
        operator: who did it to them, if somebody else did.
        private: True when it was said to the bot alone.
        to_bot: True when a message mentions or quotes the bot.
        seats: the lines of a member list.
        others: what the event of that kind carries; unused ones keep their defaults.
    """

    kind: str
    id: str
    at: datetime
    group: GroupId
    account: AccountId = NOBODY
    operator: AccountId | None = None
    private: bool = False
    message_id: str = ""
    segments: tuple[Segment, ...] = ()
    name: str = ""
    card: str = ""
    role: Role = Role.UNKNOWN
    to_bot: bool = False
    how: str = "unknown"
    old: str = ""
    new: str = ""
    request_id: str = ""
    comment: str = ""
    inviter: AccountId | None = None
    subject: str = ""
    word: str = ""
    seats: tuple[Listed, ...] = ()
    complete: bool = True
    odd: tuple[str, ...] = ()
    lines: tuple[PersonLine, ...] = ()
