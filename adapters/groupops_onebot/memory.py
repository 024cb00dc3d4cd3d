"""What was heard and said of late, so that a quote has an author and one happening told twice stays one; bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from groupops import AccountId

MESSAGES = 5_000
"""Messages remembered; NapCat itself knows no more ids than that (`qq_nonebot.md` §1.2)."""

QUOTED = 300
"""Characters kept of a remembered message."""

PACKET_LASTS = timedelta(hours=24)
"""A red packet that nobody opens goes back after a day: what is told of one within it may be the same."""

FILE_LASTS = timedelta(minutes=5)
"""An end may tell of one file twice, as a message and as a notice, within this."""

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class Recent(Generic[_Key, _Value]):
    """A table that forgets what was put in first.

    Args:
        most: how many entries are kept.
    """

    __slots__ = ("_most", "_table")

    def __init__(self, most: int) -> None:
        self._most = most
        self._table: OrderedDict[_Key, _Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._table)

    def get(self, key: _Key) -> _Value | None:
        """Give an entry, or None."""
        return self._table.get(key)

    def put(self, key: _Key, value: _Value) -> None:
        """Put an entry in, as the youngest."""
        self._table.pop(key, None)
        self._table[key] = value
        if len(self._table) > self._most:
            self._table.popitem(last=False)

    def drop(self, key: _Key) -> None:
        """Forget an entry, if it is there."""
        self._table.pop(key, None)


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it is remembered: its author, the beginning of its words, and the bot that heard it."""

    account: AccountId
    text: str
    bot: str


_File = tuple[str, str, str, int | None]


@dataclass(slots=True)
class Memory:
    """What is remembered of messages, red packets, files and of who was seen where."""

    messages: Recent[tuple[str, str], Said] = field(default_factory=lambda: Recent(MESSAGES))
    packets: Recent[str, datetime] = field(default_factory=lambda: Recent(2_000))
    files: Recent[_File, datetime] = field(default_factory=lambda: Recent(500))
    seen: Recent[str, str] = field(default_factory=lambda: Recent(20_000))
    requests: Recent[tuple[str, str], str] = field(default_factory=lambda: Recent(2_000))

    def quoted(self, group: str, message_id: str) -> tuple[AccountId | None, str]:
        """Give author and words of a message, or nothing."""
        said = self.messages.get((group, message_id))
        return (said.account or None, said.text) if said is not None else (None, "")

    def keep(self, group: str, message_id: str, said: Said) -> None:
        """Remember a message."""
        if message_id:
            self.messages.put((group, message_id), Said(said.account, said.text[:QUOTED], said.bot))

    def packet_lately(self, group: str, now: datetime) -> bool:
        """Say whether a red packet was told of in a group within a day."""
        at = self.packets.get(group)
        return at is not None and now - at < PACKET_LASTS

    def file_lately(self, file: _File, now: datetime) -> bool:
        """Say whether a file (group, sender, name, size) was told of within minutes."""
        at = self.files.get(file)
        return at is not None and now - at < FILE_LASTS
