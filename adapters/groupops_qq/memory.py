"""What was heard and said of late: so that a quote has an author, and a person's private word its group; bounded."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from groupops import AccountId
from groupops_qq.content import QUOTED
from groupops_qq.shapes import Recent

MESSAGES = 5_000
PEOPLE = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message as it is remembered.

    Args:
        id: its id.
        group: the group's openid.
        account: its author.
        text: the beginning of its words.
        at: its moment.
        index: what it is quoted by (`REFIDX_…`); empty when the platform did not tell.
        own: whether the bot said it.
    """

    id: str
    group: str
    account: AccountId
    text: str
    at: datetime
    index: str = ""
    own: bool = False


@dataclass(slots=True)
class Memory:
    """What is remembered of messages and of who is who."""

    messages: Recent[tuple[str, str], Said] = field(default_factory=lambda: Recent(MESSAGES))
    indexes: Recent[tuple[str, str], str] = field(default_factory=lambda: Recent(MESSAGES))
    spoke_in: Recent[str, str] = field(default_factory=lambda: Recent(PEOPLE))
    unions: Recent[str, str] = field(default_factory=lambda: Recent(PEOPLE))

    def keep(self, said: Said) -> None:
        """Remember a message."""
        if not said.id:
            return
        short = Said(
            id=said.id,
            group=said.group,
            account=said.account,
            text=said.text[:QUOTED],
            at=said.at,
            index=said.index,
            own=said.own,
        )
        self.messages.put((said.group, said.id), short)
        if said.index:
            self.indexes.put((said.group, said.index), said.id)

    def of(self, group: str, message_id: str) -> Said | None:
        """Give a message by its id."""
        return self.messages.get((group, message_id))

    def quoted(self, group: str, index: str) -> tuple[str, AccountId | None, str]:
        """Give id, author and words of a message by what it is quoted by; nothing when it is not remembered."""
        said = self.of(group, self.indexes.get((group, index)) or "")
        return ("", None, "") if said is None else (said.id, said.account or None, said.text)
