"""What an account is able to do and to see at most, read from `profile.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from groupops import Capability, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A kind of connection.

    Args:
        name, title: its heading in `profile.toml`, and what it is in words.
        can: what it is able to do, by the account's role.
        hears: the kinds of facts that arrive from a group.
    """

    name: str
    title: str
    can: Mapping[Role, frozenset[Capability]]
    hears: frozenset[str]


@cache
def profile() -> Profile:
    """Give the profile."""
    text = resources.files("groupops_wechat").joinpath("profile.toml").read_text("utf-8")
    ((name, raw),) = tomllib.loads(text).items()
    return _profile(name, raw)


def _profile(name: str, raw: dict[str, Any]) -> Profile:
    able = [frozenset(map(Capability, raw[key])) for key in ("can", "can_as_admin", "can_as_owner")]
    member, admin, owner = able[0], able[0] | able[1], able[0] | able[1] | able[2]
    by_role = {Role.UNKNOWN: member, Role.MEMBER: member, Role.ADMIN: admin, Role.OWNER: owner}
    hears = frozenset[str]([*raw["hears"], *raw["hears_privately"]])
    return Profile(name=name, title=str(raw["title"]), can=MappingProxyType(by_role), hears=hears)
