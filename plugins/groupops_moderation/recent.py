"""What was said a moment ago: short messages that may belong together, and messages that may be reported."""

from datetime import datetime, timedelta
from typing import NamedTuple

from groupops import AccountId, GroupId, MessagePosted

SHORT = 16
"""Characters up to which a message may be a piece of a split word; who splits words sends small pieces."""

PIECES = 2
"""Earlier messages looked at together with the latest."""

GENERATION = 5_000
"""Entries kept of each kind before the older half is let go; a busy hour of a hundred groups."""


_NO_TIME = timedelta()


class Said(NamedTuple):
    """Somebody's message."""

    account: AccountId
    text: str


class _Piece(NamedTuple):
    at: datetime
    text: str


class Recent:
    """Bounded memory of the latest talk in all groups; it is lost with the process and never written down."""

    __slots__ = ("_messages", "_messages_before", "_pieces", "_pieces_before")

    def __init__(self) -> None:
        self._messages: dict[tuple[GroupId, str], Said] = {}
        self._messages_before: dict[tuple[GroupId, str], Said] = {}
        self._pieces: dict[tuple[GroupId, AccountId], tuple[_Piece, ...]] = {}
        self._pieces_before: dict[tuple[GroupId, AccountId], tuple[_Piece, ...]] = {}

    def note(self, event: MessagePosted) -> None:
        """Remembers who said what, so that a report that only names the message can be understood."""
        self._messages[event.group_id, event.message_id] = Said(event.account, event.text)
        if len(self._messages) >= GENERATION:
            self._messages, self._messages_before = {}, self._messages

    def message(self, group_id: GroupId, message_id: str) -> Said | None:
        """A message that was noted, or None when it is forgotten or was never seen."""
        key = (group_id, message_id)
        return self._messages.get(key) or self._messages_before.get(key)

    def before(self, event: MessagePosted, within: timedelta) -> tuple[str, ...]:
        """The short messages this sender posted in the group right before this one, oldest first.

        Notes the message itself as well. A longer message ends the row.

        Args:
            event: the latest message.
            within: how long ago a piece may be.
        """
        key = (event.group_id, event.account)
        if not 0 < len(event.text) <= SHORT:
            self._pieces.pop(key, None)
            self._pieces_before.pop(key, None)
            return ()
        known = self._pieces.get(key) or self._pieces_before.get(key)
        latest = _Piece(event.at, event.text)
        if known is None or not _NO_TIME <= event.at - known[-1].at <= within:
            self._keep(key, (latest,))  # by far the most common: nothing was said a moment ago
            return ()
        fresh = tuple(piece for piece in known if _NO_TIME <= event.at - piece.at <= within)
        self._keep(key, (*fresh, latest)[-PIECES:])
        return tuple(piece.text for piece in fresh)

    def _keep(self, key: tuple[GroupId, AccountId], pieces: tuple[_Piece, ...]) -> None:
        self._pieces[key] = pieces
        if len(self._pieces) >= GENERATION:
            self._pieces, self._pieces_before = {}, self._pieces
