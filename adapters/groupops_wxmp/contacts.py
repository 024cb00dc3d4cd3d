"""Which members wrote to which account, and when: for so long they may be written to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

MOST = 20_000
"""Members that are remembered."""

FORGOTTEN_AFTER = timedelta(days=30)

_MARK = "contact:"


@dataclass(slots=True)
class Contact:
    """A member who wrote.

    Args:
        openid: the member's id at the account.
        bot: the account's appid.
        at: when the member last wrote.
        shut: why nothing goes out until the member writes again, as the platform said; empty while it does.
        asked: the event that may still be answered on the spot, and until when.
    """

    openid: str
    bot: str
    at: datetime
    shut: str = ""
    asked: tuple[Any, datetime] | None = None

    def passive(self, now: datetime) -> Any | None:
        """Give the event that may be answered on the spot."""
        return self.asked[0] if self.asked is not None and now < self.asked[1] else None


@dataclass(slots=True)
class Contacts:
    """All of them."""

    by_openid: dict[str, Contact] = field(default_factory=dict[str, Contact])
    _changed: set[str] = field(default_factory=set[str])

    def wrote(self, contact: Contact) -> None:
        """A member wrote."""
        known = self.by_openid.pop(contact.openid, None)
        if known is not None and known.at > contact.at:
            contact.at = known.at
        self.by_openid[contact.openid] = contact
        self._changed.add(contact.openid)
        if len(self.by_openid) > MOST:
            oldest = next(iter(self.by_openid))
            del self.by_openid[oldest]
            self._changed.add(oldest)

    def changes(self) -> dict[str, str | None]:
        """Give what is to be written down."""
        return dict(self._lines())

    def written(self) -> None:
        """It was."""
        self._changed.clear()

    def recall(self, kept: Mapping[str, str], now: datetime) -> None:
        """Take what the process before this one wrote down."""
        for key, value in kept.items():
            found = _contact(key.removeprefix(_MARK), value) if key.startswith(_MARK) else None
            if found is not None and now - found.at < FORGOTTEN_AFTER:
                self.by_openid.setdefault(found.openid, found)

    def _lines(self) -> Iterator[tuple[str, str | None]]:
        for openid in self._changed:
            one = self.by_openid.get(openid)
            said = None if one is None else json.dumps({"bot": one.bot, "at": one.at.isoformat()})
            yield _MARK + openid, said


def _contact(openid: str, value: str) -> Contact | None:
    try:
        said: dict[str, Any] = json.loads(value)
        return Contact(openid, str(said["bot"]), datetime.fromisoformat(str(said["at"])))
    except (ValueError, KeyError, TypeError):
        return None
