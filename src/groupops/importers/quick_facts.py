"""Makes the one fact nearly every line of a transcript becomes, and makes it fast.

A frozen dataclass is built by a call for each of its fields, which takes longer than reading the line did. Here its
slots are filled directly, with the same values; a test holds the outcome against the ordinary way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from groupops.events import MessagePosted, Text
from groupops.people import AccountId, GroupId, Role


def _setter(kind: type, name: str) -> Any:
    return getattr(kind, name).__set__


_new: Final = object.__new__
_text, _text_kind = _setter(Text, "text"), _setter(Text, "kind")
_id, _at, _group, _source = (_setter(MessagePosted, name) for name in ("id", "at", "group_id", "source"))
_received, _account, _message = (
    _setter(MessagePosted, name) for name in ("received_at", "account", "message_id")
)
_segments, _words, _name, _card = (
    _setter(MessagePosted, name) for name in ("segments", "text", "name", "card")
)
_role, _to_bot, _kind = (_setter(MessagePosted, name) for name in ("role", "to_bot", "kind"))
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
    part = _new(Text)
    _text(part, text)
    _text_kind(part, "text")
    fact = _new(MessagePosted)
    _id(fact, id_)
    _at(fact, at)
    _group(fact, group_id)
    _source(fact, source)
    _received(fact, None)
    _account(fact, account)
    _message(fact, message_id)
    _segments(fact, (part,))
    _words(fact, text.strip())
    _name(fact, name)
    _card(fact, card)
    _role(fact, _UNKNOWN)
    _to_bot(fact, False)
    _kind(fact, "message_posted")
    return fact
