"""What a connection is able to do and to see, read from `profiles.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal, TypeVar, cast

from groupops import Capability, ConfigError, Role

Reach = Literal["anyone", "friends", "spoken", "nobody"]
Renames = Literal["pushed", "lazy", "never"]

_Item = TypeVar("_Item")

_ROWS = "rows"
_RISING = (Role.MEMBER, Role.ADMIN, Role.OWNER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A kind of connection.

    Args:
        name: its heading in `profiles.toml`.
        title: what it is, in words.
        platform: the name of the platform, by which its ids begin.
        sheet: the protocol sheet it was taken from; the platform's name where that has only one kind of door.
        source: what its events say saw them.
        bot_role: the bot's role in a group that does not say otherwise.
        can: what it is able to do, by the bot's role.
        hears: the kinds it sees in a group, by the bot's role.
        hears_privately: the kinds it sees only when they are said to the bot alone.
        segments: the kinds of parts of a message that it sees.
        reaches: whom it can write to privately.
        renames: how a changed card becomes known.
    """

    name: str
    title: str
    platform: str
    sheet: str
    source: str
    bot_role: Role
    can: Mapping[Role, frozenset[Capability]]
    hears: Mapping[Role, frozenset[str]]
    hears_privately: frozenset[str]
    segments: frozenset[str]
    reaches: Reach
    renames: Renames

    @property
    def best(self) -> frozenset[Capability]:
        """What it is able to do in the best role."""
        return self.can[Role.OWNER]


@cache
def profiles() -> Mapping[str, Profile]:
    """Give all profiles by name, in the file's order."""
    tables = _tables()
    return MappingProxyType({name: _profile(name, raw) for name, raw in tables.items() if name != _ROWS})


def profile(name: str) -> Profile:
    """Give one profile.

    Raises:
        ConfigError: there is none of that name.
    """
    found = profiles().get(name)
    if found is None:
        known = ", ".join(profiles())
        raise ConfigError(f"the sandbox has no profile {name!r}; it has {known}")
    return found


@cache
def rows() -> Mapping[Capability, Mapping[str, str]]:
    """Give, for each capability, the row of each sheet it stands for: capability → sheet → row."""
    raw = _tables()[_ROWS]
    return MappingProxyType({Capability(key): MappingProxyType(dict(row)) for key, row in raw.items()})


def _tables() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__ or "").joinpath("profiles.toml").read_text("utf-8"))


def _profile(name: str, raw: dict[str, Any]) -> Profile:
    return Profile(
        name=name,
        title=raw["title"],
        platform=raw["platform"],
        sheet=raw.get("sheet", raw["platform"]),
        source=raw["source"],
        bot_role=Role(raw["bot_role"]),
        can=_by_role([_capabilities(raw[key]) for key in ("can", "can_as_admin", "can_as_owner")]),
        hears=_by_role(
            [frozenset(raw.get(key, ())) for key in ("hears", "hears_as_admin", "hears_as_owner")]
        ),
        hears_privately=frozenset(raw["hears_privately"]),
        segments=frozenset(raw["segments"]),
        reaches=cast("Reach", raw["reaches"]),
        renames=cast("Renames", raw["renames"]),
    )


def _capabilities(names: list[str]) -> frozenset[Capability]:
    return frozenset(Capability(name) for name in names)


def _by_role(steps: list[frozenset[_Item]]) -> Mapping[Role, frozenset[_Item]]:
    """Add up what each role brings to what the lesser ones have; an unknown role has what a member has."""
    known: dict[Role, frozenset[_Item]] = {}
    have: frozenset[_Item] = frozenset()
    for role, more in zip(_RISING, steps, strict=True):
        have |= more
        known[role] = have
    return MappingProxyType({**known, Role.UNKNOWN: known[Role.MEMBER]})
