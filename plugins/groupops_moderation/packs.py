"""Word packs: what ships in words/, and how the terms found in a message vote."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

from groupops_moderation.matcher import OWN_WEIGHT, Allow, Hit, SplitHit, Term, fold_term

Level = Literal["act", "report"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Facet:
    """A part of a pack whose words say the same kind of thing.

    Together they count at most `cap`. One that only `supports` (how to get in touch, say) counts beside others only.
    A negative weight speaks for the message: whoever warns of fraud has to name it.
    """

    name: str
    weight: float
    cap: float
    supports: bool
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pack:
    """The words of one category with the scores from which it is reported and acted upon.

    `contact` is what a way to reach somebody adds. `harmless` are phrases in which no word of ours counts.
    """

    category: str
    title: str
    report: float
    act: float
    contact: float
    facets: tuple[Facet, ...]
    harmless: tuple[str, ...]

    def terms(self) -> list[Term]:
        """The words as the matcher takes them, for everybody."""
        return [
            Term(text=word, category=self.category, weight=facet.weight, facet=facet.name)
            for facet in self.facets
            for word in facet.words
        ]

    def allowed(self) -> list[Allow]:
        """The harmless phrases as the matcher takes them, for everybody."""
        return [Allow(text=phrase) for phrase in self.harmless]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """How the terms of one category voted on a message. `level` is None below both thresholds."""

    category: str
    score: float
    level: Level | None
    hits: tuple[Hit | SplitHit, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Words that are no offence but tell what stands beside them, and kinds of files."""

    card: tuple[str, ...]
    order: tuple[str, ...]
    executable: frozenset[str]
    document: frozenset[str]


class PackError(ValueError):
    """A pack that cannot be read; the message names file, key, value and what was expected."""


def tally(
    hits: Iterable[Hit | SplitHit], packs: Mapping[str, Pack], reachable: Callable[[], bool] = bool
) -> list[Tally]:
    """Counts the votes per category, the highest score first.

    A term counts once, however often it stands in the message. To act takes at least one term that would be
    reported alone: hints, however many, never act. The terms of a category without a pack are an operator's own,
    of which one is enough.

    Args:
        hits: what the matcher found.
        packs: category -> pack.
        reachable: whether the message names a way to reach somebody; asked only where that may change the level.
    """
    by_category: dict[str, list[Hit | SplitHit]] = {}
    for hit in hits:
        by_category.setdefault(hit.category, []).append(hit)
    tallies = [
        _tally(category, found, packs.get(category), reachable) for category, found in by_category.items()
    ]
    return sorted(tallies, key=lambda t: -t.score)


def _tally(
    category: str, hits: list[Hit | SplitHit], pack: Pack | None, reachable: Callable[[], bool]
) -> Tally:
    """The votes of one category."""
    words = {(hit.facet, hit.term): hit.weight for hit in hits}
    facets = {facet.name: facet for facet in pack.facets} if pack else {}
    score = _sum(words, facets)
    act, report = (pack.act, pack.report) if pack else (OWN_WEIGHT, OWN_WEIGHT)
    if pack and pack.contact and 0 < score < act and reachable():
        score += pack.contact
    outspoken = any(weight >= report for weight in words.values())
    level: Level | None = "act" if score >= act and outspoken else "report" if score >= report else None
    return Tally(category=category, score=score, level=level, hits=tuple(hits))


def _sum(words: Mapping[tuple[str, str], float], facets: Mapping[str, Facet]) -> float:
    """The capped sum per facet; nothing if only supporting facets spoke."""
    sums: dict[str, float] = {}
    for (name, _), weight in words.items():
        sums[name] = sums.get(name, 0.0) + weight
    if all(name in facets and facets[name].supports for name in sums):
        return 0.0
    return sum(_capped(total, facets[name].cap) if name in facets else total for name, total in sums.items())


def _capped(total: float, cap: float) -> float:
    """A sum no further from zero than its cap; words that speak for the message count below zero."""
    return min(total, cap) if cap > 0 else max(total, cap)


@cache
def load_packs() -> Mapping[str, Pack]:
    """The shipped packs by category, read on first use.

    There is none for political tendency and religion: those are for the operator's own list and for people.
    """
    found = (read_pack(file) for file in sorted(_words().iterdir(), key=lambda f: f.name) if _is_pack(file))
    return {pack.category: pack for pack in found}


def read_pack(file: Traversable) -> Pack:
    """Reads one pack.

    Raises:
        PackError: the file is no TOML, or a key is missing, unknown or of the wrong kind.
    """
    data = _toml(file)
    try:
        facets = tuple(_facet(entry) for entry in data.pop("facet"))
        pack = Pack(
            category=str(data.pop("category")),
            title=str(data.pop("title")),
            report=float(data.pop("report")),
            act=float(data.pop("act")),
            contact=float(data.pop("contact", 0)),
            facets=facets,
            harmless=tuple(data.pop("harmless", ())),
        )
    except (KeyError, TypeError, ValueError) as why:
        raise PackError(f"{file.name}: key {why} is missing or has no value of the right kind") from why
    if data:
        raise PackError(
            f"{file.name}: unknown key {min(data)!r}; a pack has {', '.join(Pack.__dataclass_fields__)}"
        )
    _refuse_repeats(file.name, facets)
    return pack


def _refuse_repeats(name: str, facets: Iterable[Facet]) -> None:
    """A word in two facets would vote twice.

    Raises:
        PackError: there is one; it is named with both facets.
    """
    seen: dict[str, str] = {}
    for facet in facets:
        for word in facet.words:
            folded = fold_term(word)
            if folded in seen:
                raise PackError(
                    f"{name}: {word!r} stands in facet {seen[folded]!r} and in {facet.name!r}; keep one"
                )
            seen[folded] = facet.name


@cache
def load_context() -> Context:
    """The shipped context words and kinds of files, read on first use."""
    data = _toml(_words() / "context.toml")
    return Context(
        card=tuple(data["card"]),
        order=tuple(data["order"]),
        executable=frozenset(data["executable"]),
        document=frozenset(data["document"]),
    )


@cache
def load_harmless() -> tuple[str, ...]:
    """The shipped lines of harmless talk that every list has to leave alone."""
    folder = _words() / "harmless"
    lines = (
        line
        for file in sorted(folder.iterdir(), key=lambda f: f.name)
        for line in file.read_text("utf-8").splitlines()
    )
    return tuple(line for line in lines if line.strip())


def _facet(entry: dict[str, Any]) -> Facet:
    """One `[[facet]]` table; without a cap each word counts in full."""
    facet = Facet(
        name=str(entry.pop("name")),
        weight=float(entry.pop("weight")),
        cap=float(entry.pop("cap", OWN_WEIGHT)),
        supports=bool(entry.pop("supports", False)),
        words=tuple(dict.fromkeys(" ".join(entry.pop("words")).split())),
    )
    if entry:
        raise KeyError(min(entry))
    return facet


def _words() -> Traversable:
    return files("groupops_moderation") / "words"


def _is_pack(file: Traversable) -> bool:
    return file.name.endswith(".toml") and file.name != "context.toml"


def _toml(file: Traversable) -> dict[str, Any]:
    """A TOML file, or an error that names it."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as why:
        raise PackError(f"{file.name}: not readable as TOML: {why}") from why
