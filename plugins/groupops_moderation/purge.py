"""Purging: no word stays in a pack that harmless talk keeps running into."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from groupops_moderation.detectors.contacts import find_contacts
from groupops_moderation.matcher import Union, fold_term
from groupops_moderation.packs import Facet, Level, Pack, tally

WEAKENED = "weakened"
_HINT_SHARE = 0.01
_HINT_LEAST = 2

Advice = Literal["weaken", "drop"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A word that hit harmless lines, and what was done about it."""

    category: str
    term: str
    lines: int
    advice: Advice


@dataclass(frozen=True, kw_only=True, slots=True)
class Accused:
    """A harmless line that a pack would report or act upon."""

    line: str
    category: str
    score: float
    level: Level


def purge(pack: Pack, lines: Iterable[str]) -> tuple[Pack, list[Finding]]:
    """Drops or weakens the words of a pack that hit harmless lines.

    A word that reports on its own may hit none: after one line it becomes a hint, which counts half of what a
    report needs; after more it is dropped. A hint may hit one line in a hundred (and two at least); words that
    only support others are left alone, for they never count by themselves.

    Args:
        pack: the words.
        lines: harmless talk, the shipped one or a group's own latest messages.
    """
    corpus = list(lines)
    hits = _lines_hit(pack, corpus)
    advised: dict[str, Advice] = {
        word: advice
        for facet in pack.facets
        for word in facet.words
        if (advice := _advice(pack, facet, hits[fold_term(word)], len(corpus)))
    }
    kept = tuple(
        replace(f, words=tuple(word for word in f.words if word not in advised)) for f in pack.facets
    )
    findings = [
        Finding(category=pack.category, term=word, lines=hits[fold_term(word)], advice=advice)
        for word, advice in advised.items()
    ]
    return replace(pack, facets=kept + _weakened(pack, advised)), findings


def accused(packs: Mapping[str, Pack], lines: Iterable[str]) -> list[Accused]:
    """The harmless lines that the packs together would report or act upon."""
    union = Union(
        (term for pack in packs.values() for term in pack.terms()),
        (phrase for pack in packs.values() for phrase in pack.allowed()),
    )
    return [found for line in lines for found in _accusations(union, packs, line)]


def _accusations(union: Union, packs: Mapping[str, Pack], line: str) -> list[Accused]:
    """What the packs would hold against one line."""
    counts = tally(union.find(line), packs, lambda: bool(find_contacts(line)))
    return [Accused(line=line, category=c.category, score=c.score, level=c.level) for c in counts if c.level]


def _weakened(pack: Pack, advised: Mapping[str, Advice]) -> tuple[Facet, ...]:
    """The facet of the words that became hints, if there are any."""
    words = tuple(word for word, advice in advised.items() if advice == "weaken")
    half = pack.report / 2
    return (Facet(name=WEAKENED, weight=half, cap=half, supports=False, words=words),) if words else ()


def _lines_hit(pack: Pack, lines: Iterable[str]) -> Counter[str]:
    """How many lines each word of the pack hits."""
    union = Union(pack.terms(), pack.allowed())
    hits: Counter[str] = Counter()
    for line in lines:
        hits.update({hit.term for hit in union.find(line)})
    return hits


def _advice(pack: Pack, facet: Facet, lines: int, total: int) -> Advice | None:
    """What to do about a word that hit so many harmless lines."""
    if facet.supports or not lines:
        return None
    if facet.weight >= pack.report:
        return "weaken" if lines == 1 else "drop"
    return "drop" if lines > max(_HINT_LEAST, total * _HINT_SHARE) else None
