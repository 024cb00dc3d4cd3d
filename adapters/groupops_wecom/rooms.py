"""Which of WeCom's chats are one group: every product has its own name for it, and none says what the others call it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from groupops import AccountId, GroupId

NAME = "wecom"
"""The platform's name, which all ids begin with."""

Kind = Literal["aibot", "appchat", "customer", "archive", "robot"]

KINDS: tuple[Kind, ...] = ("aibot", "appchat", "customer", "archive", "robot")
"""What a chat may be known as: to an AI bot, as an app's own, as a customer group, in the archive, to a robot."""

LONGEST = 255
"""Characters of an id that is taken for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A chat as one of WeCom's products knows it.

    Args:
        kind: which product.
        native: its id there; for a robot, the name the operator gave it.
        keeper: the bot or app that reaches it (`self_id`); the corp for the archive, nothing for a robot.
        name: the chat's name, where told.
    """

    kind: Kind
    native: str
    keeper: str = ""
    name: str = ""

    @property
    def id(self) -> str:
        """What it is called among groups: robots have no ids, so their names stand apart."""
        return f"robot-{self.native}" if self.kind == "robot" else self.native

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it this side and no other."""
        return (self.kind, self.native, self.keeper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A side and the group it belongs to; `by` = who said so, empty when it was found out."""

    side: Side
    room: str
    by: str = ""


class Shelf(Protocol):
    """Where sides are kept over a restart."""

    async def load(self) -> list[Placed]:
        """Give all that is kept."""
        ...

    async def put(self, placed: Placed, at: datetime) -> None:
        """Keep a side, or where it belongs now."""
        ...

    async def drop(self, side: Side) -> None:
        """Forget a side."""
        ...


def group_id(native: str) -> GroupId:
    """Give the group of a room."""
    return GroupId(f"{NAME}:{native}")


def account(native: str) -> AccountId:
    """Give the account of a user id; nothing for nobody."""
    return AccountId(f"{NAME}:{native}" if native else "")


def native_of(id_: str) -> str:
    """Give WeCom's part of an id of ours; nothing for one of another platform."""
    platform, _, native = id_.partition(":")
    return native if platform == NAME else ""


class Rooms:
    """All groups, and what they are called where. Ids that are equal are one group; others are linked by a human."""

    def __init__(self) -> None:
        self._placed: dict[tuple[str, str, str], Placed] = {}
        self._of: dict[str, str] = {}
        self._sides: dict[str, tuple[Side, ...]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._sides))

    def __contains__(self, room: str) -> bool:
        return room in self._sides

    def placed(self) -> tuple[Placed, ...]:
        """Give everything that is known."""
        return tuple(self._placed.values())

    def replace(self, placed: Iterable[Placed]) -> None:
        """Know this, and nothing else."""
        self._placed = {one.side.key: one for one in placed}
        self._of = {one.side.id: one.room for one in self._placed.values()}
        found: dict[str, list[Side]] = {}
        for one in self._placed.values():
            found.setdefault(one.room, []).append(one.side)
        self._sides = {room: _in_order(sides) for room, sides in found.items()}

    def room_of(self, id_: str) -> str:
        """Give the group an id belongs to; itself while nobody linked it."""
        return self._of.get(id_, id_)

    def sides(self, room: str) -> tuple[Side, ...]:
        """Give what a group is known as, in the order of `KINDS`; asked for every ruling, so it lies ready."""
        return self._sides.get(room, ())

    def side(self, room: str, kind: Kind) -> Side | None:
        """Give what a group is known as to one product; the first where there are several."""
        return next((side for side in self.sides(room) if side.kind == kind), None)

    def meet(self, side: Side) -> Placed | None:
        """Learn of a chat; gives what is to be kept, or None when it was known."""
        if not side.native or len(side.native) > LONGEST:
            return None
        known = self._placed.get(side.key)
        if known is not None and (not side.name or known.side.name == side.name):
            return None
        if known is not None:
            return self._put(replace(known, side=side))
        return self._put(Placed(side=side, room=self.room_of(side.id)))

    def link(self, into: str, other: str, by: str = "") -> tuple[Placed, ...]:
        """Make what is known as `other` one group with `into`; gives what is to be kept.

        Args:
            into: the group, whose id stays.
            other: an id of the chat that joins it.
            by: who says so.
        """
        room, joining = self.room_of(into), self.room_of(other)
        moved = self.sides(joining) if room != joining else ()
        return tuple(self._put(Placed(side=side, room=room, by=by)) for side in moved)

    def part(self, id_: str, by: str = "") -> tuple[Placed, ...]:
        """Make a chat a group of its own again; gives what is to be kept."""
        room = self.room_of(id_)
        found = [side for side in self.sides(room) if side.id == id_ != room]
        return tuple(self._put(Placed(side=side, room=id_, by=by)) for side in found)

    def forget(self, side: Side) -> bool:
        """Forget a chat that is no more; False when it was not known."""
        gone = self._placed.pop(side.key, None)
        self.replace(self._placed.values())
        return gone is not None

    def _put(self, placed: Placed) -> Placed:
        before = self._placed.get(placed.side.key)
        if before is not None:
            self._leave(before)
        self._placed[placed.side.key] = placed
        self._of[placed.side.id] = placed.room
        self._sides[placed.room] = _in_order((*self.sides(placed.room), placed.side))
        return placed

    def _leave(self, placed: Placed) -> None:
        left = tuple(side for side in self.sides(placed.room) if side.key != placed.side.key)
        if left:
            self._sides[placed.room] = left
        else:
            self._sides.pop(placed.room, None)


def _in_order(sides: Iterable[Side]) -> tuple[Side, ...]:
    return tuple(sorted(sides, key=lambda side: (KINDS.index(side.kind), side.key)))
