"""Who is who at WeCom: plain ids for encrypted ones, names, whom the app reaches, who has spoken where."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

MOST = 200_000
"""People that are known at once; a company has fewer."""

ROBOT = "wb"
OUTSIDE = ("wm", "wo")
"""How ids of robots and of people outside the company begin (protocol sheet 12)."""

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """What was met last, in bounded memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._table: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._table)

    def __contains__(self, key: K) -> bool:
        return key in self._table

    def __iter__(self) -> Iterator[K]:
        return iter(self._table)

    def get(self, key: K) -> V | None:
        """Give what is kept."""
        return self._table.get(key)

    def put(self, key: K, value: V) -> None:
        """Keep something; the oldest goes when there is no room."""
        self._table[key] = value
        self._table.move_to_end(key)
        while len(self._table) > self._most:
            self._table.popitem(last=False)

    def drop(self, key: K) -> V | None:
        """Forget something."""
        return self._table.pop(key, None)


def is_robot(user: str) -> bool:
    """Say whether an id is a robot's, whose words are nobody's."""
    return user.startswith(ROBOT)


def is_outside(user: str) -> bool:
    """Say whether an id is of somebody outside the company, whom no app can write to."""
    return user.startswith(OUTSIDE)


class Faces:
    """What is known of people.

    Args:
        most: people that are known at once.
    """

    def __init__(self, most: int = MOST) -> None:
        self._plain: Kept[str, str] = Kept(most)
        self._names: Kept[str, str] = Kept(most)
        self._reached: Kept[str, None] = Kept(most)
        self._refused: Kept[str, None] = Kept(most)
        self._spoke: Kept[tuple[str, str], str] = Kept(most)
        self._home: Kept[str, str] = Kept(most)
        self._range_is_known = False

    # — ids —

    def plain(self, said: str) -> str | None:
        """Give the plain id for what a bot was told; None while that is not known."""
        if said in self._reached or said in self._names:
            return said
        return self._plain.get(said)

    def resolve(self, said: str, plain: str) -> None:
        """Learn the plain id of what a bot was told; the same for one that was plain already."""
        self._plain.put(said, plain)

    # — names —

    def called(self, user: str) -> str:
        """Give a name; nothing for nobody known."""
        return self._names.get(user) or ""

    def name(self, user: str, name: str) -> None:
        """Learn a name."""
        if name:
            self._names.put(user, name[:100])

    # — whom the app reaches —

    def reach(self, users: Iterable[str]) -> None:
        """Learn that the app can write to these."""
        for user in users:
            if user and not is_outside(user) and not is_robot(user):
                self._reached.put(user, None)
                self._refused.drop(user)

    def lose(self, user: str) -> None:
        """Learn that the app cannot write to somebody."""
        self._reached.drop(user)
        self._refused.put(user, None)

    def keep_only(self, users: Iterable[str]) -> None:
        """Learn who is in the app's range: these, and nobody else."""
        there = frozenset(users)
        self._range_is_known = True
        for user in [one for one in self._reached if one not in there]:
            self._reached.drop(user)
        self.reach(there)

    def reaches(self, user: str) -> bool:
        """Say whether the app can write to somebody, as far as is known.

        Until its range was read, right after the start or where it may not be, everybody of the company may be in it:
        a steward who is not told would be worse than a message that is refused.
        """
        if user in self._refused or not user or is_outside(user) or is_robot(user):
            return False
        return user in self._reached or not self._range_is_known

    # — who spoke —

    def spoke(self, bot: str, user: str, said: str) -> None:
        """Learn that somebody spoke to an AI bot alone, which may write back from now on.

        Args:
            bot: the AI bot.
            user: the plain id.
            said: the id by which the bot knows them.
        """
        self._spoke.put((bot, user), said)

    def known_to(self, bot: str, user: str) -> str:
        """Give the id by which an AI bot knows somebody who has spoken to it alone; nothing for nobody."""
        return self._spoke.get((bot, user)) or ""

    def was_in(self, user: str, room: str) -> None:
        """Learn where somebody was last heard of."""
        self._home.put(user, room)

    def home(self, user: str) -> str:
        """Give the group somebody was last heard of in; nothing for none."""
        return self._home.get(user) or ""
