"""What people write instead of a location: a place in their own words."""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from groupops_check_in.fences import Placed, Precision, Site
from groupops_check_in.places import holds_coordinates

LONGEST = 40
"""Characters of a place; more is a story."""

_LINK = re.compile(r"https?://|www\.|geo:", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsaid:
    """A text that is no place; `why` is the key of what to answer: `empty`, `long`, `numbers` or `link`."""

    why: str


@cache
def words() -> Any:
    """Give the tables of words in `words.toml`."""
    return tomllib.loads(resources.files("groupops_check_in").joinpath("words.toml").read_text("utf-8"))


def read_place(text: str, sites: Sequence[Site], precision: Precision) -> Placed | Unsaid:
    """Read a place somebody wrote: a site by its name or another word for it, else the words as they are.

    Coordinates and links to maps are turned away, so that words never hold what a location is not allowed to leave.

    Args:
        text: what was written behind the command's word.
        sites: the operator's sites.
        precision: what is kept; with `city` a site stands for its city, other words stay the writer's own choice.
    """
    place = " ".join(unicodedata.normalize("NFKC", text).split()).strip(_EDGES)
    if not place:
        return Unsaid(why="empty")
    if holds_coordinates(place):
        return Unsaid(why="numbers")
    if _LINK.search(place):
        return Unsaid(why="link")
    if len(place) > LONGEST:
        return Unsaid(why="long")
    site = _named(place, sites)
    if site is None:
        return Placed(label=place)
    return Placed(label=site.city or site.label if precision == "city" else site.label, site=True)


_EDGES = " ,.;:!?、。·-—~"


def _named(place: str, sites: Sequence[Site]) -> Site | None:
    """Find the one site that is meant, whatever stands before its name (`在`, `我在`)."""
    wanted = {_folded(place)}
    wanted |= {_folded(place.removeprefix(lead)) for lead in words()["leads"] if place.startswith(lead)}
    return next(
        (site for site in sites if not wanted.isdisjoint(map(_folded, (site.label, *site.also)))), None
    )


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
