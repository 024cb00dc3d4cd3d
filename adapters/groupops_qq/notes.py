"""What is to be known again after a restart: in which groups the bot is and in what role, and who wrote to it alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from groupops import Notebook
from groupops_qq.read import role_of
from groupops_qq.shapes import table, word
from groupops_qq.standing import Person, Room, Standing

WROTE_FOR = timedelta(days=30)
"""So long after somebody last wrote to the bot alone, a process that has just begun takes them to be reachable."""

_ROOM, _PERSON = "room:", "person:"


class Notes:
    """Writes down what changed, and reads it at the next start.

    Args:
        book: where it is written.
    """

    def __init__(self, book: Notebook) -> None:
        self._book = book
        self._rooms: set[str] = set()
        self._people: set[str] = set()
        self._written: dict[str, str] = {}

    def room(self, group: str) -> None:
        """Note that something of a group may have changed."""
        self._rooms.add(group)

    def person(self, known_as: str) -> None:
        """Note that something of a person may have changed."""
        self._people.add(known_as)

    async def recall(self, standing: Standing, now: datetime) -> None:
        """Take what the process before this one knew; the platform is asked all the same, and its word replaces it.

        Raises:
            StoreError: the database refuses.
        """
        self._written = dict(await self._book.read())
        for key, value in self._written.items():
            said = _read(value)
            if key.startswith(_ROOM):
                _recall_room(standing, key.removeprefix(_ROOM), said)
            elif key.startswith(_PERSON) and _is_young(said, now):
                standing.people.put(key.removeprefix(_PERSON), _person(said))

    async def write(self, standing: Standing, now: datetime) -> None:
        """Write what is other than it was.

        Raises:
            StoreError: the database refuses; it is written the next time.
        """
        rooms, people = self._rooms, self._people
        self._rooms, self._people = set(), set()
        changed = {
            key: value
            for key, value in (*_rooms(standing, rooms), *_persons(standing, people, now))
            if value != self._written.get(key)
        }
        try:
            await self._book.write(changed)
        except BaseException:
            self._rooms |= rooms
            self._people |= people
            raise
        for key, value in changed.items():
            if value is None:
                self._written.pop(key, None)
            else:
                self._written[key] = value


def _rooms(standing: Standing, groups: set[str]) -> Iterator[tuple[str, str | None]]:
    for group in groups:
        room = standing.rooms.get(group)
        if room is None or not room.there:
            yield _ROOM + group, None
            continue
        said = {
            "bot": room.bot,
            "role": room.role.value,
            "receives": room.receives,
            "proactive": room.proactive,
            "me": room.me,
        }
        yield _ROOM + group, json.dumps(said)


def _recall_room(standing: Standing, group: str, said: dict[str, Any]) -> None:
    room: Room = standing.room(group, word(said.get("bot")))
    if group in standing.config.qq_groups:
        return  # what the operator says counts for more than what was once so
    room.role, room.receives = role_of(word(said.get("role"))), word(said.get("receives"))
    room.me = word(said.get("me"))
    proactive = said.get("proactive")
    room.proactive = proactive if isinstance(proactive, bool) else None


def _persons(standing: Standing, people: set[str], now: datetime) -> Iterator[tuple[str, str | None]]:
    for known_as in people:
        person = standing.people.get(known_as)
        if person is None:
            continue
        said = {
            "bot": person.bot,
            "openid": person.openid,
            "open": person.open,
            "home": person.home,
            "on": now.date().isoformat(),
        }
        yield _PERSON + known_as, json.dumps(said)


def _person(said: dict[str, Any]) -> Person:
    return Person(
        word(said.get("bot")),
        word(said.get("openid")),
        open=said.get("open") is True,
        home=word(said.get("home")),
    )


def _is_young(said: dict[str, Any], now: datetime) -> bool:
    try:
        return now.date() - date.fromisoformat(word(said.get("on"))) <= WROTE_FOR
    except ValueError:
        return False


def _read(value: str) -> dict[str, Any]:
    try:
        return table(json.loads(value))
    except ValueError:
        return {}
