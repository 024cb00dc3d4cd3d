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
    hits = _lines_hit(pack, list(lines))
    findings: list[Finding] = []
    facets = []
    weakened: list[str] = []
    for facet in pack.facets:
        kept = []
        for word in facet.words:
            advice = _advice(pack, facet, hits[fold_term(word)], hits.total())
            if advice is None:
                kept.append(word)
                continue
            findings.append(
                Finding(category=pack.category, term=word, lines=hits[fold_term(word)], advice=advice)
            )
            if advice == "weaken":
                weakened.append(word)
        facets.append(replace(facet, words=tuple(kept)))
    if weakened:
        half = pack.report / 2
        facets.append(Facet(name=WEAKENED, weight=half, cap=half, supports=False, words=tuple(weakened)))
    return replace(pack, facets=tuple(facets)), findings


def accused(packs: Mapping[str, Pack], lines: Iterable[str]) -> list[Accused]:
    """The harmless lines that the packs together would report or act upon."""
    union = Union(
        (term for pack in packs.values() for term in pack.terms()),
        (phrase for pack in packs.values() for phrase in pack.allowed()),
    )
    return [
        Accused(line=line, category=count.category, score=count.score, level=count.level)
        for line in lines
        for count in tally(union.find(line), packs, lambda line=line: bool(find_contacts(line)))
        if count.level
    ]


class _Hits(Counter[str]):
    """Lines hit per folded word; `total` is the number of lines looked at."""

    def __init__(self, looked_at: int) -> None:
        super().__init__()
        self._looked_at = looked_at

    def total(self) -> int:
        return self._looked_at


def _lines_hit(pack: Pack, lines: list[str]) -> _Hits:
    """How many lines each word of the pack hits."""
    union = Union(pack.terms(), pack.allowed())
    hits = _Hits(len(lines))
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
