"""What each of WeCom's modes is able to do and to see at most, read from `profile.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from groupops import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One mode, for one kind of chat.

    Args:
        name: its heading in `profile.toml`.
        title: what it is, for people.
        mode: the column of the protocol sheet.
        can: what it is able to do.
        fleeting: of these, what comes and goes by itself.
        hears: the kinds of facts that arrive from a group.
        privately: the kinds that arrive because somebody spoke to the bot or the app alone.
    """

    name: str
    title: str
    mode: str
    can: frozenset[Capability]
    fleeting: frozenset[Capability]
    hears: frozenset[str]
    privately: frozenset[str]


@cache
def profiles() -> Mapping[str, Profile]:
    """Give every mode by its name."""
    text = resources.files(__package__ or "").joinpath("profile.toml").read_text("utf-8")
    return MappingProxyType({name: _profile(name, raw) for name, raw in tomllib.loads(text).items()})


def _profile(name: str, raw: Mapping[str, list[str]]) -> Profile:
    return Profile(
        name=name,
        title=str(raw["title"]),
        mode=str(raw["mode"]),
        can=_capabilities(raw["can"]),
        fleeting=_capabilities(raw["fleeting"]),
        hears=frozenset(raw["hears"]),
        privately=frozenset(raw["privately"]),
    )


def _capabilities(names: Iterable[str]) -> frozenset[Capability]:
    return frozenset(Capability(name) for name in names)


def together(names: Iterable[str]) -> Profile:
    """Give what several modes are able to do and to see together; what one can always do does not come and go."""
    return _together(tuple(names))


@cache
def _together(names: tuple[str, ...]) -> Profile:
    found = [profiles()[name] for name in names]
    able = frozenset(one for profile in found for one in profile.can)
    always = frozenset(one for profile in found for one in profile.can - profile.fleeting)
    return Profile(
        name="+".join(profile.name for profile in found),
        title=" + ".join(profile.title for profile in found),
        mode="".join(sorted({profile.mode for profile in found})),
        can=able,
        fleeting=able - always,
        hears=frozenset(kind for profile in found for kind in profile.hears),
        privately=frozenset(kind for profile in found for kind in profile.privately),
    )
