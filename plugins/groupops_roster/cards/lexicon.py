"""A word list that is asked which of its words begin a text, end it or stand in it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon(Generic[T]):
    """Words and what each stands for; one word may stand for several things.

    The lengths of the words are known by their first character, so that a question costs one look-up for each
    length and not one for each word.
    """

    meanings: Mapping[str, tuple[T, ...]]
    lengths: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, words: Iterable[tuple[str, T]]) -> "Lexicon[T]":
        """Makes a lexicon; empty words are left out, and a thing told twice under a word counts once."""
        meanings: dict[str, tuple[T, ...]] = {}
        shared: dict[str, dict[int, T]] = {}
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for word, thing in words:
            known = meanings.setdefault(word, (thing,))
            if known[0] is not thing:
                shared.setdefault(word, {id(known[0]): known[0]})[id(thing)] = thing
        meanings.pop("", None)
        meanings.update((word, tuple(things.values())) for word, things in shared.items() if word)
        for word in meanings:
            lengths[word[0]].add(len(word))
        return cls(meanings, {first: tuple(sorted(known, reverse=True)) for first, known in lengths.items()})

    def get(self, word: str) -> tuple[T, ...]:
        """What the word stands for; nothing when it is unknown."""
        return self.meanings.get(word, ())

    def prefixes(self, text: str, start: int = 0) -> Iterator[tuple[T, int]]:
        """What may stand at a place of a text and where it ends, longest word first."""
        for end in self.ends(text, start):
            for thing in self.meanings[text[start:end]]:
                yield thing, end

    def ends(self, text: str, start: int = 0) -> Iterator[int]:
        """Where the words that begin at a place of a text end, longest first."""
        for length in self.lengths.get(text[start : start + 1], ()):
            end = start + length
            if end <= len(text) and text[start:end] in self.meanings:
                yield end

    def spans(self, text: str, fits: Callable[[int, int], bool]) -> list[tuple[int, int]]:
        """Where words stand in a text, without those that stand inside a longer one.

        Args:
            text: the text.
            fits: whether a word may stand there; is told where it begins and ends.
        """
        found: list[tuple[int, int]] = []
        reached = 0
        for start in range(len(text)):
            end = next((end for end in self.ends(text, start) if fits(start, end)), 0)
            if end > reached:
                found.append((start, end))
                reached = end
        return found

    def __bool__(self) -> bool:
        return bool(self.meanings)


@dataclass(frozen=True, slots=True, eq=False)
class Endings:
    """Words that are taken off the beginning or the end of a text, the longest first."""

    words: frozenset[str]
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, words: Iterable[str]) -> "Endings":
        """Makes the list; empty words are left out."""
        kept = frozenset(filter(None, words))
        return cls(kept, tuple(sorted({len(word) for word in kept}, reverse=True)))

    def before(self, text: str) -> Iterator[tuple[str, str]]:
        """Gives each word that a text begins with, and the rest, which is not empty."""
        for length in self.lengths:
            if length < len(text) and text[:length] in self.words:
                yield text[:length], text[length:]

    def after(self, text: str) -> Iterator[tuple[str, str]]:
        """Gives the rest, which is not empty, and each word that a text ends with."""
        for length in self.lengths:
            if length < len(text) and text[-length:] in self.words:
                yield text[:-length], text[-length:]
