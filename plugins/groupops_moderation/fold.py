"""Folding: takes the disguise off a text with one translate table, and finds the way back to the original."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import unescape
from importlib.resources import files
from itertools import compress, count
from urllib.parse import unquote_to_bytes

_CODED = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+|&#[xX][0-9A-Fa-f]{1,6};?|&#[0-9]{1,7};?|&[A-Za-z][A-Za-z0-9]{1,31};"
)

_BASIC_PLANE = 0x10000
_HEADER = (
    "\u4e00".__sizeof__() - 2
)  # CPython: a header and two bytes a character; four with any beyond the plane

Span = tuple[int, int]
"""Half-open range of positions in a text, in code points."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold:
    """Two tables for `str.translate`, made once from the shipped data and shared.

    `hard` keeps letters, digits and Han characters only: word lists are matched on it. `soft` keeps the
    separators as well: addresses and numbers are looked for on it. `basic` is `hard` once more as a list over
    the basic plane: a character that is missing from a mapping costs `translate` an exception, one in a list
    does not, which halves the cost of an ordinary message.
    """

    hard: Mapping[int, str | None]
    soft: Mapping[int, str | None]
    basic: Sequence[int | str | None]

    def text(self, text: str) -> str:
        """The hard fold of a text: simplified, lower case, nothing between the words."""
        if "&" in text or "%" in text:
            text = decode(text)
        return text.translate(self.basic if text.__sizeof__() <= 2 * len(text) + _HEADER else self.hard)

    def softly(self, text: str) -> str:
        """The soft fold of a text: as `text`, but separators stay."""
        if "&" in text or "%" in text:
            text = decode(text)
        return text.translate(self.soft)

    def spans(self, text: str, folded: str, *, soft: bool = False) -> list[Span]:
        """For each character of the fold, the range of the original it came from.

        Costs a loop over the text, so it is asked only when there is a hit to show.

        Args:
            text: the original.
            folded: what `text` (or `softly`) made of it.
            soft: whether that was the soft fold.
        """
        table = self.soft if soft else self.hard
        if "&" not in text and "%" not in text:
            codes = list(map(ord, text))
            kept_at = list(compress(count(), map(table.get, codes, map((1).__add__, codes))))
            if len(kept_at) == len(folded):  # no character became several
                return list(zip(kept_at, map((1).__add__, kept_at), strict=True))
        found: list[Span] = []
        for char, start, end in _decoded(text):
            kept = table.get(ord(char), char)
            if kept is not None:
                found.extend([(start, end)] * len(kept))
        return found

    def source(self, text: str, start: int, end: int) -> Span:
        """The range of the original text that became `fold[start:end]`.

        Args:
            text: the original.
            start: first position in the hard fold.
            end: position after the last, greater than `start`.
        """
        spans = self.spans(text, self.text(text))
        return spans[start][0], spans[end - 1][1]


@cache
def load_fold() -> Fold:
    """Reads the shipped table on first use; later calls share it.

    The table is written by `scripts/build_fold.py`.
    """
    data = json.loads((files("groupops_moderation") / "fold.json").read_text(encoding="utf-8"))
    soft: dict[int, str | None] = dict.fromkeys(_members(data["invisible"]))
    soft.update(zip(map(ord, data["one"][0]), data["one"][1], strict=True))
    soft.update((ord(char), to) for char, to in data["many"].items())
    separators = dict.fromkeys(_members(data["separators"]))
    hard = {code: _without(to, separators) for code, to in soft.items()}
    hard.update(separators)
    return Fold(hard=hard, soft=soft, basic=_as_list(hard))


def _as_list(table: Mapping[int, str | None]) -> list[int | str | None]:
    """The basic plane of a table; a single character is given as its number, which the list then holds once."""
    numbers = list(range(_BASIC_PLANE))
    flat: list[int | str | None] = list(numbers)
    for code, to in table.items():
        if code < _BASIC_PLANE:
            flat[code] = numbers[ord(to)] if to and len(to) == 1 and ord(to) < _BASIC_PLANE else to
    return flat


def decode(text: str) -> str:
    """Undoes HTML entities and URL encoding; whatever is not a whole code stays as it is."""
    return "".join(char for char, _, _ in _decoded(text)) if _CODED.search(text) else text


def _decoded(text: str) -> Iterator[tuple[str, int, int]]:
    """Each decoded character with the range of the original that spells it."""
    position = 0
    for match in _CODED.finditer(text):
        for index in range(position, match.start()):
            yield text[index], index, index + 1
        yield from _uncode(match.group(), match.start())
        position = match.end()
    for index in range(position, len(text)):
        yield text[index], index, index + 1


def _uncode(code: str, start: int) -> Iterator[tuple[str, int, int]]:
    """The characters that one entity or one run of percent codes stands for."""
    if code[0] == "%":
        yield from _unquote(code, start)
        return
    plain = unescape(code)
    if plain == code:
        yield from ((char, start + i, start + i + 1) for i, char in enumerate(code))
        return
    yield from ((char, start, start + len(code)) for char in plain)


def _unquote(code: str, start: int) -> Iterator[tuple[str, int, int]]:
    """The characters of a run of percent codes, or the run itself if it is not UTF-8."""
    try:
        plain = unquote_to_bytes(code).decode("utf-8")
    except UnicodeDecodeError:
        yield from ((char, start + i, start + i + 1) for i, char in enumerate(code))
        return
    for char in plain:
        width = 3 * len(char.encode("utf-8"))
        yield char, start, start + width
        start += width


def _members(ranges: list[list[int]]) -> Iterator[int]:
    """Every code point of a list of [first, last]."""
    for first, last in ranges:
        yield from range(first, last + 1)


def _without(text: str | None, dropped: Mapping[int, None]) -> str | None:
    """A mapped text without its separators; nothing if none is left."""
    if not text:
        return None
    left = text.translate(dropped)
    return text if left == text else left or None  # thousands of unchanged ones are held once
