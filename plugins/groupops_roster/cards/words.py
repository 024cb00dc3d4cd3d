"""The shipped word tables, read once: titles, surnames, and how regions are called."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words by which cards are read; see `words.toml` for what each of them is for.

    Relations and denials of one character are words only where nothing else is joined to them (北非 is a region);
    the `long_` ones of them count wherever they touch a name.
    """

    titles: frozenset[str]
    honorifics: frozenset[str]
    relations: frozenset[str]
    long_relations: tuple[str, ...]
    denials: frozenset[str]
    long_denials: tuple[str, ...]
    of: str
    stroke: str
    familiar_before: frozenset[str]
    familiar_after: frozenset[str]
    unit_endings: tuple[str, ...]
    longer_endings: Mapping[str, str]
    company_endings: tuple[str, ...]
    looks_like_unit: tuple[str, ...]
    compound_surnames: frozenset[str]
    single_surnames: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """How regions are called.

    Args:
        province: every name of a province -> its short name.
        city: every name of a city -> what people call it.
        full: what people call a province or city -> its full names.
        within: what people call a city -> the provinces that have one of this name.
        short: one-character names -> the regions they stand for.
        levels: what a region that is in no table may be called with or without.
    """

    province: Mapping[str, str]
    city: Mapping[str, str]
    full: Mapping[str, frozenset[str]]
    within: Mapping[str, frozenset[str]]
    short: Mapping[str, tuple[str, ...]]
    levels: tuple[str, ...]


@cache
def load_words() -> Words:
    """Reads the word table."""
    raw = _read("words.toml")
    return Words(
        titles=frozenset(raw["titles"].split()),
        honorifics=frozenset(raw["honorifics"].split()),
        relations=frozenset(raw["relations"].split()),
        long_relations=tuple(word for word in raw["relations"].split() if len(word) > 1),
        of=raw["of"],
        stroke=raw["stroke"],
        denials=frozenset(raw["denials"].split()),
        long_denials=tuple(word for word in raw["denials"].split() if len(word) > 1),
        familiar_before=frozenset(raw["familiar_before"].split()),
        familiar_after=frozenset(raw["familiar_after"].split()),
        unit_endings=tuple(raw["unit_endings"].split()),
        longer_endings=raw["longer_endings"],
        company_endings=tuple(raw["company_endings"].split()),
        looks_like_unit=tuple(raw["looks_like_unit"].split()),
        compound_surnames=frozenset(raw["compound_surnames"].split()),
        single_surnames=frozenset("".join(raw["single_surnames"].split())),
    )


@cache
def load_regions() -> Regions:
    """Reads the table of regions."""
    raw = _read("places.toml")
    provinces: dict[str, str] = raw["provinces"]
    cities = [
        (province, *entry.partition("|")[::2])
        for province, line in raw["cities"].items()
        for entry in line.split()
    ]
    names = [(city, city + (level or raw["city"])) for _, city, level in cities]
    return Regions(
        province={name: short for short, long in provinces.items() for name in (short, long)},
        city={name: short for short, long in names for name in (short, long)},
        full=_gathered([*provinces.items(), *names]),
        within=_gathered((city, province) for province, city, _ in cities),
        short={sign: tuple(told.split()) for sign, told in raw["short"].items()},
        levels=tuple(raw["levels"].split()),
    )


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Everything that is told under one word."""
    gathered: dict[str, frozenset[str]] = {}
    for word, told in pairs:
        gathered[word] = gathered.get(word, frozenset()) | {told}
    return gathered


def _read(name: str) -> Mapping[str, Any]:
    """One of the shipped tables."""
    return tomllib.loads((files("groupops_roster.cards") / name).read_text(encoding="utf-8"))
