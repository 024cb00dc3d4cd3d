"""What the ends on the other side of the socket are able to do, read from `ends.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal, TypeVar, cast

from groupops import Capability, Role

Renames = Literal["pushed", "lazy", "never"]

OTHER = "other"

_RISING = (Role.MEMBER, Role.ADMIN, Role.OWNER)
_Item = TypeVar("_Item", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A program that logs in to QQ and speaks OneBot v11.

    Args:
        name: its heading in `ends.toml`.
        title: what it is, in words.
        names: beginnings of what it calls itself.
        can: what a bot is able to do there, by its role in the group.
        hears: the kinds of facts that arrive, by the bot's role in the group.
        renames: how a changed card becomes known.
        history: whether messages that were missed can be asked for.
        notice: what an announcement takes besides group and text.
    """

    name: str
    title: str
    names: tuple[str, ...]
    can: Mapping[Role, frozenset[Capability]]
    hears: Mapping[Role, frozenset[str]]
    renames: Renames
    history: bool
    notice: Mapping[str, int]


@cache
def ends() -> Mapping[str, End]:
    """Give all ends by name, in the file's order."""
    text = resources.files(__package__ or "").joinpath("ends.toml").read_text("utf-8")
    return MappingProxyType({name: _end(name, raw) for name, raw in tomllib.loads(text).items()})


def end_called(app_name: str) -> End:
    """Give the end that calls itself so; one that nobody knows is `other`."""
    plain = "".join(letter for letter in app_name.lower() if letter.isalpha())
    known = (end for end in ends().values() for name in end.names if plain.startswith(name))
    return next(known, ends()[OTHER])


def _end(name: str, raw: dict[str, Any]) -> End:
    able = [
        frozenset(Capability(word) for word in raw[key]) for key in ("can", "can_as_admin", "can_as_owner")
    ]
    return End(
        name=name,
        title=raw["title"],
        names=tuple(raw["names"]),
        can=_by_role(able),
        hears=_by_role([frozenset(raw["hears"]), frozenset(raw["hears_as_admin"]), frozenset[str]()]),
        renames=cast("Renames", raw["renames"]),
        history=raw["history"],
        notice=MappingProxyType(dict(raw["notice"])),
    )


def _by_role(steps: list[frozenset[_Item]]) -> Mapping[Role, frozenset[_Item]]:
    """Add up what each role brings to what the lesser ones have; an unknown role has what a member has."""
    known: dict[Role, frozenset[_Item]] = {}
    have: frozenset[_Item] = frozenset()
    for role, more in zip(_RISING, steps, strict=True):
        have |= more
        known[role] = have
    return MappingProxyType({**known, Role.UNKNOWN: known[Role.MEMBER]})
