"""What a bot is able to do and to see at most, read from `profile.toml`, and what it says of itself, from `texts.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from groupops import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A kind of connection.

    Args:
        title: what it is in words.
        can: what it is able to do.
        hears: the kinds of facts that arrive.
    """

    title: str
    can: frozenset[Capability]
    hears: frozenset[str]


@cache
def profile() -> Profile:
    """Give the profile."""
    text = resources.files("groupops_ilink").joinpath("profile.toml").read_text("utf-8")
    (raw,) = tomllib.loads(text).values()
    return Profile(
        title=str(raw["title"]),
        can=frozenset(map(Capability, raw["can"])),
        hears=frozenset([*raw["hears"], *raw["hears_privately"]]),
    )


@cache
def word(key: str) -> str:
    """Give a text of the package's own."""
    text = resources.files("groupops_ilink").joinpath("texts.toml").read_text("utf-8")
    return str(tomllib.loads(text)[key])
