"""What an official bot is able to do and to see at most, read from `profile.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar

from groupops import Capability, Role

_RISING = (Role.MEMBER, Role.ADMIN, Role.OWNER)
_Item = TypeVar("_Item", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A kind of connection.

    Args:
        name: its heading in `profile.toml`.
        title: what it is, in words.
        can: what it is able to do, by the bot's role.
        hears: the kinds of facts that arrive from a group, by the bot's role.
        hears_privately: the kinds that arrive only when they are said to the bot alone.
        hears_with_keyboards: the kinds that arrive besides where buttons are used.
    """

    name: str
    title: str
    can: Mapping[Role, frozenset[Capability]]
    hears: Mapping[Role, frozenset[str]]
    hears_privately: frozenset[str]
    hears_with_keyboards: frozenset[str]


@cache
def profile() -> Profile:
    """Give the profile of an official bot."""
    text = resources.files(__package__ or "").joinpath("profile.toml").read_text("utf-8")
    ((name, raw),) = tomllib.loads(text).items()
    return _profile(name, raw)


def _profile(name: str, raw: dict[str, Any]) -> Profile:
    able = [[Capability(word) for word in raw[key]] for key in ("can", "can_as_admin", "can_as_owner")]
    heard: list[list[str]] = [list(raw["hears"]), list(raw["hears_as_admin"]), []]
    return Profile(
        name=name,
        title=raw["title"],
        can=_by_role(able),
        hears=_by_role(heard),
        hears_privately=frozenset(raw["hears_privately"]),
        hears_with_keyboards=frozenset(raw["hears_with_keyboards"]),
    )


def _by_role(steps: list[list[_Item]]) -> Mapping[Role, frozenset[_Item]]:
    """Add up what each role brings to what the lesser ones have; an unknown role has what a member has."""
    known: dict[Role, frozenset[_Item]] = {}
    have: frozenset[_Item] = frozenset()
    for role, more in zip(_RISING, steps, strict=True):
        have |= frozenset(more)
        known[role] = have
    return MappingProxyType({**known, Role.UNKNOWN: known[Role.MEMBER]})
