"""The kinds of content a group may rule out, as data: how grave, seen by what, and how far a machine may go."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from groupops import Severity

AutoMax = Literal["flag", "remind", "recall", "mute"]
"""What a machine may do alone, least first."""

Detector = Literal["words", "list", "pattern", "url", "file", "numbers", "markings", "report"]
"""What sees a category: shipped words, the group's own words, its patterns, addresses, files, numbers, markings."""

LEVELS: tuple[AutoMax, ...] = ("flag", "remind", "recall", "mute")


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One kind of content; the fields are described in `categories.toml`."""

    id: str
    title: str
    severity: Severity
    detectors: frozenset[str]
    auto_max: AutoMax
    list_max: AutoMax
    ceiling: AutoMax
    recalls: bool
    asks: bool
    shielded: bool
    keeps: bool
    called: tuple[str, ...]

    @property
    def rule(self) -> str:
        """The id of its rule, e.g. `moderation.insult`."""
        return f"moderation.{self.id}"


@cache
def load_categories() -> Mapping[str, Category]:
    """The shipped categories by id, read on first use."""
    text = (files("groupops_moderation") / "categories.toml").read_text(encoding="utf-8")
    return MappingProxyType({id_: _category(id_, table) for id_, table in tomllib.loads(text).items()})


def within(level: AutoMax, ceiling: AutoMax) -> bool:
    """Whether a level goes no further than another."""
    return LEVELS.index(level) <= LEVELS.index(ceiling)


def _category(id_: str, table: Mapping[str, Any]) -> Category:
    return Category(
        id=id_,
        title=table["title"],
        severity=Severity[table["severity"].upper()],
        detectors=frozenset(table["detectors"]),
        auto_max=table["auto_max"],
        list_max=table.get("list_max", table["auto_max"]),
        ceiling=table["ceiling"],
        recalls=table.get("recalls", True),
        asks=table.get("asks", False),
        shielded=table.get("shielded", False),
        keeps=table.get("keeps", True),
        called=tuple(table["called"]),
    )
