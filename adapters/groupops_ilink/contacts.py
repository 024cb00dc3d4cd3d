"""Who wrote to which bot, and how much may still be written back: a window that only a new message opens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

MOST = 1_000
"""Contacts that are kept; a bot has one person, who scanned its code."""

FORGOTTEN_AFTER = timedelta(days=90)
"""Whoever did not write for so long is nobody any more."""

USED = "the answers to this person's last message are used; waits until they write again"
"""Why nothing goes out to whoever has had as many words as one message opens."""

_CONTACT, _CURSOR = "contact:", "cursor:"


@dataclass(slots=True)
class Contact:
    """Somebody who wrote to a bot.

    Args:
        user: the person's id at iLink.
        bot: the bot's account.
        token: what has to be sent along with an answer (`context_token`).
        at: when the person last wrote.
        left: answers that are left until the person writes again.
    """

    user: str
    bot: str
    token: str
    at: datetime
    left: int

    def is_open(self, now: datetime, lasts: timedelta) -> bool:
        """Say whether an answer would be taken now."""
        return self.left > 0 and bool(self.token) and now < self.at + lasts

    def why_shut(self, now: datetime, lasts: timedelta) -> str:
        """Say why none would be; for a receipt."""
        if now >= self.at + lasts:
            hours = lasts.total_seconds() / 3600
            return f"more than {hours:g} h since this person wrote; waits until they write again"
        return USED


@dataclass(slots=True)
class Contacts:
    """All of them, and how far each bot has read.

    Args:
        answers: how many answers a message opens.
    """

    answers: int
    by_user: dict[str, Contact] = field(default_factory=dict[str, Contact])
    cursors: dict[str, str] = field(default_factory=dict[str, str])
    _kept: dict[str, str] = field(default_factory=dict[str, str])

    def wrote(self, user: str, bot: str, token: str, at: datetime) -> None:
        """Somebody wrote: the window opens anew; what arrives late opens it from when it was written."""
        known = self.by_user.get(user)
        if known is not None and at < known.at:
            return
        token = token or (known.token if known is not None else "")
        self.by_user[user] = Contact(user, bot, token, at, self.answers)
        if len(self.by_user) > MOST:
            del self.by_user[min(self.by_user, key=lambda one: self.by_user[one].at)]

    # — across restarts —

    def changes(self, now: datetime) -> dict[str, str | None]:
        """Give what is to be written down, and take it as written; None lets go of a key."""
        wanted = dict(self._lines(now))
        changed: dict[str, str | None] = {
            key: value for key, value in wanted.items() if self._kept.get(key) != value
        }
        changed |= dict.fromkeys(self._kept.keys() - wanted.keys())
        self._kept = wanted
        return changed

    def unwritten(self) -> None:
        """What was taken as written was not: all of it is written the next time."""
        self._kept = {}

    def recall(self, kept: Mapping[str, str]) -> None:
        """Take what the process before this one wrote down; what came since counts for more."""
        self._kept = dict(kept)
        for key, value in kept.items():
            if key.startswith(_CURSOR):
                self.cursors.setdefault(key.removeprefix(_CURSOR), value)
            elif key.startswith(_CONTACT):
                found = _contact(key.removeprefix(_CONTACT), value)
                if found is not None:
                    self.by_user.setdefault(found.user, found)

    def _lines(self, now: datetime) -> Iterator[tuple[str, str]]:
        for bot, cursor in self.cursors.items():
            yield _CURSOR + bot, cursor
        for user, one in self.by_user.items():
            if now - one.at < FORGOTTEN_AFTER:
                said = {"bot": one.bot, "token": one.token, "at": one.at.isoformat(), "left": one.left}
                yield _CONTACT + user, json.dumps(said)


def _contact(user: str, value: str) -> Contact | None:
    try:
        said: dict[str, Any] = json.loads(value)
        at = datetime.fromisoformat(str(said["at"]))
        return Contact(user, str(said["bot"]), str(said["token"]), at, int(said["left"]))
    except (ValueError, KeyError, TypeError):
        return None
