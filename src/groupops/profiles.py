"""Reads what a connection is able to do and to see at most, as the `profile.toml` of its adapter says."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar

from groupops.actions import Capability
from groupops.people import Role

_RISING = (Role.MEMBER, Role.ADMIN, Role.OWNER)
_Word = TypeVar("_Word", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A kind of connection; the same keys as the sandbox's profiles have.

    Args:
        name, title: its heading in `profile.toml`, and what it is in words.
        can: what it is able to do, by the role it has in a group; of an unknown role, what a member is.
        hears: the kinds of facts that arrive from a group, by that role.
        hears_privately: the kinds that arrive when they are said to it alone.
    """

    name: str
    title: str
    can: Mapping[Role, frozenset[Capability]]
    hears: Mapping[Role, frozenset[str]]
    hears_privately: frozenset[str]

    def hears_as(self, role: Role) -> frozenset[str]:
        """Give all kinds of facts that arrive in a role, from groups and privately."""
        return self.hears[role] | self.hears_privately


@cache
def profile_of(package: str) -> Profile:
    """Give the one profile of an adapter.

    Args:
        package: the adapter's package, in which `profile.toml` lies.

    Raises:
        ValueError: the file names a capability there is none of, or not exactly one profile.
        KeyError: a key is missing.
    """
    text = resources.files(package).joinpath("profile.toml").read_text("utf-8")
    ((name, raw),) = tomllib.loads(text).items()
    able = [[Capability(word) for word in raw[key]] for key in ("can", "can_as_admin", "can_as_owner")]
    heard: list[list[str]] = [list(raw["hears"]), list(raw["hears_as_admin"]), []]
    return _profile(name, raw, able, heard)


def _profile(
    name: str, raw: Mapping[str, Any], able: list[list[Capability]], heard: list[list[str]]
) -> Profile:
    return Profile(
        name=name,
        title=str(raw["title"]),
        can=_by_role(able),
        hears=_by_role(heard),
        hears_privately=frozenset(raw["hears_privately"]),
    )


def _by_role(steps: list[list[_Word]]) -> Mapping[Role, frozenset[_Word]]:
    """Add up what each role brings to what the lesser ones have."""
    known: dict[Role, frozenset[_Word]] = {}
    have: frozenset[_Word] = frozenset()
    for role, more in zip(_RISING, steps, strict=True):
        have |= frozenset(more)
        known[role] = have
    return MappingProxyType({**known, Role.UNKNOWN: known[Role.MEMBER]})
