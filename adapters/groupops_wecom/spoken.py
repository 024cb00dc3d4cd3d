"""Who has spoken to an AI bot alone, known again after a restart: only to them may it write."""

from __future__ import annotations

import json
from datetime import date, datetime

from groupops import Notebook
from groupops_wecom.faces import Faces
from groupops_wecom.shapes import table, word

LONGEST = 200
"""Characters of the two ids together that are kept."""


class Spoken:
    """Writes down who spoke, once a day for each, and reads it at the next start.

    Args:
        book: where it is written.
    """

    def __init__(self, book: Notebook) -> None:
        self._book = book
        self._written: dict[str, str] = {}

    async def recall(self, faces: Faces) -> None:
        """Take what the process before this one knew.

        Raises:
            StoreError: the database refuses.
        """
        self._written = dict(await self._book.read())
        for key, value in self._written.items():
            kind, _, ids = key.partition(":")
            bot, _, user = ids.partition(" ")
            said = word(_read(value).get("as"))
            if kind == "spoke" and bot and user and said:
                faces.spoke(bot, user, said)
                faces.resolve(said, user)

    def is_new(self, bot: str, user: str, said: str, now: datetime) -> bool:
        """Say whether somebody who speaks is to be written down: not twice a day."""
        fits = len(bot) + len(user) <= LONGEST
        return fits and self._written.get(_key(bot, user)) != _value(said, now.date())

    async def write(self, bot: str, user: str, said: str, now: datetime) -> None:
        """Write down who spoke.

        Args:
            bot: the AI bot.
            user: the plain id.
            said: the id by which the bot knows them.
            now: the present.

        Raises:
            StoreError: the database refuses; it is written when they speak again.
        """
        key, value = _key(bot, user), _value(said, now.date())
        await self._book.write({key: value})
        self._written[key] = value


def _key(bot: str, user: str) -> str:
    return f"spoke:{bot} {user}"


def _value(said: str, on: date) -> str:
    return json.dumps({"as": said, "on": on.isoformat()}, ensure_ascii=False)


def _read(value: str) -> dict[str, object]:
    try:
        return table(json.loads(value))
    except ValueError:
        return {}
