"""Two ways to read a text: strictly, as a format asks, and loosely, without decoration and disguise."""

import json
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"
_DOTS = "\u00b7\u2022\u2027\u30fb\uff65\u2219\u22c5"
_STROKES = "\u30fc\u4e28\u2500"
"""Signs drawn like a dash or a bar that Unicode counts among letters."""

_FILLERS = "\u115f\u1160\u3164\uffa0\u17b4\u17b5"
_HAN = range(0x4E00, 0xA000)
_BREAK = "\n"
_STRICT = str.maketrans(dict.fromkeys(_DASHES, "-") | dict.fromkeys(_DOTS, "·"))


@dataclass(frozen=True, slots=True)
class Loose:
    """A text without decoration: simplified, lower case, letters and digits only.

    Args:
        text: what is left, in one.
        pieces: the same, as separators, brackets and spaces parted it.
    """

    text: str
    pieces: tuple[str, ...]

    @property
    def edges(self) -> frozenset[int]:
        """Where pieces begin and end in the text."""
        at, found = 0, {0}
        for piece in self.pieces:
            at += len(piece)
            found.add(at)
        return frozenset(found)


def settled(text: str) -> str:
    """Brings a text into its compatibility form, with one kind of dash and one kind of middle dot."""
    return unicodedata.normalize("NFKC", text).translate(_STRICT)


def strict(text: str) -> str:
    """Gives the form in which a format compares: settled, without outer spaces and without case."""
    return settled(text).strip().casefold()


def loosely(text: str) -> Loose:
    """Takes off everything that is no part of a name or a unit."""
    bare = _parted(text)
    pieces = tuple(bare.split(_BREAK)) if _BREAK in bare else (bare,)
    return Loose("".join(pieces), tuple(filter(None, pieces)))


def loose(text: str) -> str:
    """Gives the loose form of a name or a unit in one."""
    return _parted(text).replace(_BREAK, "")


def _parted(text: str) -> str:
    """What is kept of a text, with a break where something parted it."""
    return unicodedata.normalize("NFKC", text).casefold().translate(_loose_table())


class _Table(dict[int, str | int | None]):
    """What becomes of a character: kept, parted at, or dropped; simplified characters are written down."""

    def __missing__(self, code: int) -> str | int | None:
        if code in _HAN:
            return code
        category = unicodedata.category(chr(code))
        if category[0] in "LN" or category == "Mc":
            return code
        parts = category[0] in "PZ" or category in {"Sm", "Sc"} or chr(code).isspace()
        return _BREAK if parts else None


@cache
def _loose_table() -> _Table:
    """Reads the table of simplified characters once; it is never changed afterwards."""
    data = json.loads((files("groupops_roster.cards") / "simplified.json").read_text(encoding="utf-8"))
    table = _Table(zip(map(ord, data["from"]), map(ord, data["to"]), strict=True))
    table.update(dict.fromkeys(map(ord, _DASHES + _DOTS + _STROKES), _BREAK))
    table.update(dict.fromkeys(map(ord, _FILLERS), None))
    return table
