"""Matching: one automaton over the terms of all groups, asked once per message."""

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, groupby, pairwise
from operator import itemgetter
from time import sleep
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from groupops_moderation.fold import Fold, Span, load_fold

DFA_LIMIT = 500
"""Patterns up to which the automaton that searches fastest is built.

Building it stops all threads: 15 ms for 3,000 patterns, 110 ms for 13,000. The compact one takes 5 and 15 ms there,
within what a reload may cost (P12), and searches half a microsecond slower.
"""

OWN_WEIGHT = 100.0
"""Weight of a term that an operator wrote himself: it reaches any threshold alone."""

_EVERYONE = 0
_YIELD_EVERY = 64
_ALLOWED = ""
_MEANING_BITS = 32
_MEANING_MASK = (1 << _MEANING_BITS) - 1
_SHORTEST = 2
_BEYOND_ASCII = "\x80"
_LONGEST_WORD = 40
_ASCII_WORD = re.compile(r"[0-9a-z]+")
_ASCII_HEAD = re.compile(r"[0-9a-z]*")
_ASCII_TAIL = re.compile(r"[0-9a-z]*$")
_TYPED_GAP = re.compile(
    r"(?<=[^\0-\x7f]) (?=[0-9a-z])|(?<=[0-9a-z]) (?=[^\0-\x7f])"
)  # as careful typists set it
_TWICE = re.compile(r"(.)\1+", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One word of a list.

    `group_id` is the group that listed it, or None for everybody. `facet` names the part of a pack it votes in.
    """

    text: str
    category: str
    weight: float = OWN_WEIGHT
    facet: str = "own"
    group_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Allow:
    """A phrase that is harmless: no hit inside it counts. None as group means everybody."""

    text: str
    group_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A term found; `start` and `end` are positions in the original text.

    `term` is the folded spelling. `folded_only` says that the text shows it only after folding, which is evidence
    of disguise.
    """

    term: str
    category: str
    weight: float
    facet: str
    start: int
    end: int
    folded_only: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """The piece of a split term in one message: `index` of the message, positions in its original text."""

    index: int
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitHit:
    """A term that was spread over several messages of one sender."""

    term: str
    category: str
    weight: float
    facet: str
    parts: tuple[Part, ...]


class _Rule(NamedTuple):
    """What a pattern means to its owners; shared by all terms that mean the same."""

    category: str
    weight: float
    facet: str


class _Find(NamedTuple):
    """A hit on the folded text, before anybody asked where it stands in the original."""

    rule: _Rule
    term: str
    start: int
    end: int


class TermError(ValueError):
    """A term that no message could sensibly be judged by."""


class Union:
    """All terms of all groups in one automaton.

    Matches overlap, so another group's longer word never hides ours. Patterns, owners and meanings lie in flat
    arrays: 10,000 groups with 20 words each cost a few megabytes, not gigabytes.

    Besides the terms the automaton knows every character of theirs twice in a row. Only a text that shows one of
    these pairs, followed by what follows it in a term, is looked at a second time with repeated characters
    squeezed, so the second look costs nothing where nobody doubles.
    """

    __slots__ = (
        "_first",
        "_fold",
        "_followers",
        "_owners",
        "_rows",
        "_rules",
        "_search",
        "_slots",
        "_squeezed",
        "_terms",
    )

    def __init__(
        self, terms: Iterable[Term], allowed: Iterable[Allow] = (), *, fold: Fold | None = None
    ) -> None:
        """Builds the automaton; made to run in a thread, it lets other threads in every few terms.

        Args:
            terms: the words of all packs and groups.
            allowed: harmless phrases (false alarms that were reported, and those a pack brings).
            fold: the table to fold with; the shipped one by default.

        Raises:
            TermError: a term of which folding leaves less than two characters.
        """
        self._fold = fold or load_fold()
        self._slots: dict[str | None, int] = {None: _EVERYONE}
        self._rules: list[_Rule] = []
        rows = self._collect(terms, allowed)
        self._lay_out(rows)
        self._search = self._automaton(list(rows))

    def find(self, text: str, group_id: str | None = None) -> list[Hit]:
        """The terms of one group (and of everybody) in a text, in order of their place.

        Args:
            text: the original text of a message.
            group_id: the group whose own words count besides those of everybody.
        """
        folded = self._fold.text(text)
        raw = self._search(folded, True)
        if not raw:
            return []
        found = self._visible(folded, raw, self._slots.get(group_id, _EVERYONE))
        if not found:
            return []
        if len(raw) == len(found) == 1 and (at := _literally(text, found[0].term)) >= 0:
            return [_hit(found[0], text, at, at + len(found[0].term))]
        return self._shown(text, folded, found)

    def find_across(self, texts: Sequence[str], group_id: str | None = None) -> list[SplitHit]:
        """The terms that reach from earlier messages of one sender into the last one.

        Args:
            texts: the latest texts of the sender in that group, oldest first; three are enough in practice.
            group_id: as in `find`.

        Words of plain ASCII are left out: at the edge of a message nobody knows where they end.
        """
        pieces = [self._fold.text(text) for text in texts]
        edge = sum(map(len, pieces[:-1]))
        joined = "".join(pieces)
        found = self._visible(joined, self._search(joined, True), self._slots.get(group_id, _EVERYONE))
        crossing = [f for f in found if f.start < edge < f.end and not _ASCII_WORD.fullmatch(f.term)]
        if not crossing:
            return []
        pairs = enumerate(zip(texts, pieces, strict=True))
        spans = [(i, *span) for i, (text, piece) in pairs for span in self._fold.spans(text, piece)]
        return [_split(f, spans[f.start : f.end]) for f in _outermost(crossing)]

    def _collect(self, terms: Iterable[Term], allowed: Iterable[Allow]) -> "dict[str, array[int]]":
        """Folded pattern -> owners and meanings, one number for both: there may be hundreds of thousands."""
        rows: dict[str, array[int]] = {}
        meanings: dict[_Rule, int] = {}
        phrases = (
            Term(text=a.text, category=_ALLOWED, weight=0, facet="", group_id=a.group_id) for a in allowed
        )
        for count, term in enumerate(chain(terms, phrases)):
            if count % _YIELD_EVERY == 0:
                sleep(0)
            owner = self._slots.setdefault(term.group_id, len(self._slots))
            rule = _Rule(term.category, term.weight, term.facet)
            meaning = meanings.setdefault(rule, len(meanings))
            pattern = fold_term(term.text, self._fold)
            if pattern not in rows:
                rows[pattern] = array("Q")
            rows[pattern].append(owner << _MEANING_BITS | meaning)
        self._rules = list(meanings)
        return rows

    def _lay_out(self, rows: "dict[str, array[int]]") -> None:
        """Turns the collected rows into flat arrays, sorted by owner within a pattern."""
        self._terms = len(rows)
        self._first, self._owners, self._rows = array("I", [0]), array("I"), array("I")
        self._squeezed: dict[str, list[tuple[str, int]]] = {}
        for number, (pattern, pairs) in enumerate(rows.items()):
            if number % _YIELD_EVERY == 0:
                sleep(0)
            for pair in sorted(set(pairs)):
                self._owners.append(pair >> _MEANING_BITS)
                self._rows.append(pair & _MEANING_MASK)
            self._first.append(len(self._owners))
            squeezed = _TWICE.sub(r"\1", pattern)
            if squeezed != pattern and len(squeezed) >= _SHORTEST:
                self._squeezed.setdefault(squeezed, []).append((pattern, number))

    def _automaton(self, patterns: list[str]) -> Callable[[str, bool], list[tuple[int, int, int]]]:
        """The automaton over the terms, their squeezed forms and the pairs; terms keep their numbers.

        A last character needs no pair: doubled or not, the term is there before it.
        """
        after = _followers(patterns)
        known = set(patterns)
        extra = {*self._squeezed, *(char * 2 for char in after)} - known
        patterns.extend(sorted(extra))
        pairs = ((number, pattern[0]) for number, pattern in enumerate(patterns) if pattern[0] * 2 == pattern)
        self._followers = {number: "".join(after[char]) for number, char in pairs if char in after}
        small = len(patterns) <= DFA_LIMIT
        return AhoCorasick(
            patterns or ["\0\0"],
            matchkind=MatchKind.Standard,
            store_patterns=False,
            implementation=Implementation.DFA if small else Implementation.ContiguousNFA,
        ).find_matches_as_indexes

    def _visible(self, folded: str, raw: list[tuple[int, int, int]], slot: int) -> list[_Find]:
        """What of the automaton's answer concerns this group and is not allowed."""
        found: list[_Find] = []
        doubled = False
        for pattern, start, end in raw:
            if pattern < self._terms:
                term = folded[start:end]
                found.extend([_Find(rule, term, start, end) for rule in self._meanings(pattern, slot)])
            if pattern in self._followers and end < len(folded) and folded[end] in self._followers[pattern]:
                doubled = True
        if doubled:
            found.extend(self._doubled(folded, slot))
        return _harmful(found) if found else found

    def _meanings(self, pattern: int, slot: int) -> Iterator[_Rule]:
        """The meanings of a pattern for everybody, then for one owner."""
        at, end = self._first[pattern], self._first[pattern + 1]
        while at < end and self._owners[at] == _EVERYONE:
            yield self._rules[self._rows[at]]
            at += 1
        at = bisect_left(self._owners, slot, at, end)
        while at < end and self._owners[at] == slot:
            yield self._rules[self._rows[at]]
            at += 1

    def _doubled(self, folded: str, slot: int) -> Iterator[_Find]:
        """The second look: repeated characters squeezed, and every run at least as long as the term wants it.

        A run of digits has to be as long as in the term, for 299 is another number than 29.
        """
        if not self._search(_TWICE.sub(r"\1", folded), True):
            return
        runs = _runs(folded)
        places = list(accumulate((length for _, length in runs), initial=0))
        squeezed = "".join(char for char, _ in runs)
        for number, start, end in self._search(squeezed, True):
            piece = squeezed[start:end]
            itself = [(piece, number)] if number < self._terms else []
            for term, pattern in [*itself, *self._squeezed.get(piece, ())]:
                if _long_enough(runs[start:end], _runs(term)):
                    for rule in self._meanings(pattern, slot):
                        yield _Find(rule, term, places[start], places[end])

    def _shown(self, text: str, folded: str, found: list[_Find]) -> list[Hit]:
        """The finds with their places in the original, without those that only seem to be words."""
        spans = self._fold.spans(text, folded)
        real = [f for f in found if self._stands(text, spans, f)]
        return [_hit(f, text, spans[f.start][0], spans[f.end - 1][1]) for f in _outermost(real)]

    def _stands(self, text: str, spans: list[Span], found: _Find) -> bool:
        """Whether the Latin letters or digits at the edges of a term are whole words in the original.

        A term that mixes scripts may run into a handle, as in 加Vkf1234, but not into a word, as in 加VLAN.
        """
        if not _has_ascii_edge(found.term):
            return True
        gaps = [self._fold.softly(text[a[1] : b[0]]) for a, b in pairwise(spans[found.start : found.end])]
        plain = _ASCII_WORD.fullmatch(found.term) is not None
        if plain and any(gaps) and not all(gaps):
            return False
        soft = self._fold.softly
        before = _tail(soft(text[: spans[found.start][0]]))
        after = _head(soft(text[spans[found.end - 1][1] :]))
        if plain:
            return not (_same_kind(before[-1:], found.term[0]) or _same_kind(found.term[-1], after[:1]))
        return not (_is_word(before, found.term[0]) or _is_word(after, found.term[-1]))


def fold_term(text: str, fold: Fold | None = None) -> str:
    """The spelling under which a term is matched.

    Args:
        text: the term as somebody wrote it.
        fold: the table; the shipped one by default.

    Raises:
        TermError: folding leaves less than two characters, so the term would hit nearly everything.
    """
    folded = (fold or load_fold()).text(text)
    if len(folded) < _SHORTEST:
        raise TermError(
            f"term {text!r}: folding leaves {folded!r}, but at least {_SHORTEST} letters, digits or Han characters "
            "are needed; write a longer term or use a pattern"
        )
    return folded


def _literally(text: str, term: str) -> int:
    """Where a text spells a term undisguised, or -1; -1 also where the edges of the term need a closer look.

    The only hit of a text has to be the spelling found here, which saves the way back through the fold.
    """
    return -1 if _has_ascii_edge(term) else text.find(term)


def _runs(text: str) -> list[tuple[str, int]]:
    """Each character with the times it stands there in a row."""
    return [(char, len(list(same))) for char, same in groupby(text)]


def _long_enough(shown: list[tuple[str, int]], wanted: list[tuple[str, int]]) -> bool:
    """Whether runs in a text can be a term with some characters repeated."""
    return len(shown) == len(wanted) and all(
        (length == least if char.isdigit() else length >= least)
        for (char, length), (_, least) in zip(shown, wanted, strict=True)
    )


def _has_ascii_edge(term: str) -> bool:
    """Whether a term begins or ends with a Latin letter or a digit, where words have edges."""
    return term[0] < _BEYOND_ASCII or term[-1] < _BEYOND_ASCII


def _followers(terms: Sequence[str]) -> dict[str, set[str]]:
    """Each character with those that come right after it in some term."""
    after: dict[str, set[str]] = {}
    for count, term in enumerate(terms):
        if count % _YIELD_EVERY == 0:
            sleep(0)
        for char, following in pairwise(term):
            after.setdefault(char, set()).add(following)
    return after


def _hit(found: _Find, text: str, start: int, end: int) -> Hit:
    """A find as the outside sees it."""
    written = text[start:end].lower()
    return Hit(
        term=found.term,
        category=found.rule.category,
        weight=found.rule.weight,
        facet=found.rule.facet,
        start=start,
        end=end,
        folded_only=written != found.term and _TYPED_GAP.sub("", written) != found.term,
    )


def _split(found: _Find, spans: list[tuple[int, int, int]]) -> SplitHit:
    """A find over several messages with its piece in each."""
    pieces = [list(same) for _, same in groupby(spans, key=itemgetter(0))]
    return SplitHit(
        term=found.term,
        category=found.rule.category,
        weight=found.rule.weight,
        facet=found.rule.facet,
        parts=tuple(Part(index=p[0][0], start=p[0][1], end=p[-1][2]) for p in pieces),
    )


def _harmful(found: list[_Find]) -> list[_Find]:
    """The finds without repeats and without those inside an allowed phrase."""
    if len(found) == 1 and found[0].rule.category != _ALLOWED:
        return found
    allowed = [(f.start, f.end) for f in found if f.rule.category == _ALLOWED]
    return [
        f
        for f in dict.fromkeys(found)
        if f.rule.category != _ALLOWED and not any(a <= f.start and f.end <= b for a, b in allowed)
    ]


def _outermost(found: list[_Find]) -> list[_Find]:
    """Drops what lies inside a longer find of its category that weighs as much."""
    if len(found) == 1:
        return found
    found = sorted(found, key=lambda f: (f.start, -f.end, -f.rule.weight))
    return [
        f
        for i, f in enumerate(found)
        if not any(_covers(other, f) for j, other in enumerate(found) if i != j)
    ]


def _covers(outer: _Find, inner: _Find) -> bool:
    """Whether the outer find says all that the inner one says."""
    longer = outer.end - outer.start > inner.end - inner.start
    return (
        longer
        and outer.start <= inner.start
        and inner.end <= outer.end
        and outer.rule.category == inner.rule.category
        and outer.rule.weight >= inner.rule.weight
    )


def _tail(text: str) -> str:
    """The Latin letters and digits a text ends with."""
    return _ASCII_TAIL.search(text[-_LONGEST_WORD:])[0]  # type: ignore[index] # matches the empty end as well


def _head(text: str) -> str:
    """The Latin letters and digits a text begins with."""
    return _ASCII_HEAD.match(text)[0]  # type: ignore[index] # matches the empty start as well


def _same_kind(one: str, other: str) -> bool:
    """Whether two neighbours are both letters or both digits, so that no word ends between them."""
    return bool(one and other) and one.isascii() and other.isascii() and one.isdigit() == other.isdigit()


def _is_word(run: str, edge: str) -> bool:
    """Whether a run glued to a letter of a mixed term continues a word rather than starting a handle."""
    return bool(run) and edge.isascii() and edge.isalpha() and run.isalpha()
