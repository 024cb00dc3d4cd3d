"""Makes the one fact nearly every line of a transcript becomes, and makes it fast.

A frozen dataclass is built by a call for each of its fields, which takes longer than reading the line did. Here a twin
that is not frozen, with the same slots, is filled and then says of itself that it is the fact; a test holds the
outcome against the ordinary way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from groupops.events import Happening, MessagePosted, Text
from groupops.people import AccountId, GroupId, Role


class _Words:
    """A `Text` while it is made."""

    __slots__ = ("kind", "text")


class _Posted(Happening):
    """A `MessagePosted` while it is made; both methods are given back, or else each assignment would be a call."""

    __slots__ = ("account", "card", "kind", "message_id", "name", "role", "segments", "text", "to_bot")

    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__


_new: Final = object.__new__
_UNKNOWN: Final = Role.UNKNOWN


def posted(  # noqa: PLR0913, PLR0917 - by position, for names cost time here
    id_: str,
    at: datetime,
    group_id: GroupId,
    source: str,
    account: AccountId,
    message_id: str,
    text: str,
    name: str,
    card: str,
) -> MessagePosted:
    """Give `MessagePosted` with one text and everything else as it is by default."""
    words: Any = _new(_Words)
    words.text = text
    words.kind = "text"
    words.__class__ = Text
    fact: Any = _new(_Posted)
    fact.id = id_
    fact.at = at
    fact.group_id = group_id
    fact.source = source
    fact.received_at = None
    fact.account = account
    fact.message_id = message_id
    fact.segments = (words,)
    fact.text = text.strip()
    fact.name = name
    fact.card = card
    fact.role = _UNKNOWN
    fact.to_bot = False
    fact.kind = "message_posted"
    fact.__class__ = MessagePosted
    return fact  # type: ignore[no-any-return]
