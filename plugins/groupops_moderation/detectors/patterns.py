"""Patterns: an operator's regular expressions, on an engine that cannot be made to hang."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Protocol


@cache
def _re2() -> Any:
    """RE2, loaded with the first pattern: most groups have none, and it takes two and a half megabytes.

    It brings no types; what is used of it is written down in `Pattern`.
    """
    return import_module("re2")


MEMORY = 8 << 20
"""Bytes one pattern may use while matching; RE2 gives up on patterns that would need more."""


class Found(Protocol):
    """A match of RE2."""

    def start(self) -> int:
        """Its first position."""
        ...

    def end(self) -> int:
        """The position after it."""
        ...

    def group(self) -> str:
        """Its text."""
        ...


class Pattern(Protocol):
    """A compiled pattern of RE2."""

    def search(self, text: str) -> Found | None:
        """The first match in a text."""
        ...


class PatternError(ValueError):
    """A pattern that cannot be used; the message names it and says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PatternHit:
    """A pattern that matched; `start` and `end` are positions in the original text."""

    name: str
    start: int
    end: int
    text: str


class Patterns:
    """All patterns of one group: one pass tells which match, only those are searched for their place.

    RE2 works in time proportional to the text, whatever the pattern. It therefore knows no back references and no
    look-around, and says so.
    """

    _names: list[str]
    _patterns: "list[Pattern]"
    __slots__ = ("_names", "_patterns", "_set")

    def __init__(self, patterns: Mapping[str, str]) -> None:
        """Compiles patterns.

        Args:
            patterns: name (a rule's id, say) -> expression.

        Raises:
            PatternError: an expression is no pattern, or matches the empty text and so everything.
        """
        self._names = list(patterns)
        self._patterns = [compile_pattern(name, text) for name, text in patterns.items()]
        self._set = _re2().Set.SearchSet(_options()) if patterns else None
        if self._set is not None:
            for text in patterns.values():
                self._set.Add(text)
            self._set.Compile()

    def find(self, text: str) -> list[PatternHit]:
        """The first place of every pattern that matches, in the order the patterns were given.

        Args:
            text: the original text of a message.
        """
        if self._set is None:
            return []
        matching: list[int] = sorted(self._set.Match(text) or ())
        found = ((self._names[number], self._patterns[number].search(text)) for number in matching)
        return [PatternHit(name=name, start=m.start(), end=m.end(), text=m.group()) for name, m in found if m]


def compile_pattern(name: str, text: str) -> "Pattern":
    """Compiles one pattern or says what is wrong with it.

    Args:
        name: how the operator knows it.
        text: the expression.

    Raises:
        PatternError: as for `Patterns`.
    """
    try:
        pattern: Pattern = _re2().compile(text, _options())
    except _re2().error as why:
        reason = why.args[0].decode() if isinstance(why.args[0], bytes) else str(why)
        raise PatternError(
            f"pattern {name!r}: {text!r} is refused: {reason}; RE2 syntax is expected, without back references "
            "and look-around"
        ) from why
    if pattern.search(""):
        raise PatternError(
            f"pattern {name!r}: {text!r} matches the empty text, so it would hit every message"
        )
    return pattern


def _options() -> object:
    """RE2's settings: quiet, and bounded in memory."""
    options = _re2().Options()
    options.log_errors = False
    options.max_mem = MEMORY
    return options
