"""Says whether what a plugin answered can be used at all, before anything is built on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, cast

from groupops import wire
from groupops.actions import Action, Errand
from groupops.people import Clause
from groupops.verdicts import AUTO_ORDER, Evidence, Offence, Pardon, Ruling, Severity


def fault_of(hook: str, value: object) -> str | None:
    """Say what is wrong with a plugin's answer to a hook, in words that follow its name; None when it can be used.

    Args:
        hook: the hook.
        value: the answer; never None, for that is no answer.
    """
    look = _LOOKS.get(hook)
    return None if look is None else look(value)


def in_order(hook: str, value: Any) -> Any:
    """Give an answer with its parts in an order that every process and every repetition finds again.

    What is to be done is known by its place in the answer, and a set has none.
    """
    if hook not in _LISTS:
        return value
    items = tuple(cast("Iterable[object]", value))
    return tuple(sorted(items, key=repr)) if isinstance(value, (set, frozenset)) else items


def _verdict(value: object) -> str | None:
    if isinstance(value, Pardon):
        return None if _reads(Pardon, value) else "answered with a Pardon whose fields are of the wrong kind"
    if not isinstance(value, Offence):
        return _nothing(value)
    odd = next((name for name, fits in _OFFENCE.items() if not fits(getattr(value, name))), None)
    return f"answered with an Offence whose {odd!r} is wrong: {getattr(value, odd)!r:.80}" if odd else None


def _ruling(value: object) -> str | None:
    return None if isinstance(value, Ruling) else _nothing(value)


def _deeds(value: object) -> str | None:
    if not isinstance(value, (list, tuple, set, frozenset)):
        return _nothing(value)
    odd = [item for item in cast("Iterable[object]", value) if not _is_deed(item)]
    return f"answered with {odd[0]!r:.80}, which is no action and no errand that can be read" if odd else None


def _is_deed(item: object) -> bool:
    return _is_action(item) or (isinstance(item, Errand) and _reads(wire.ERRAND, item))


def _is_action(item: object) -> bool:
    return isinstance(item, Action) and _reads(wire.ACTION, item)


def _nothing(value: object) -> str:
    return f"answered {type(value).__name__}, which means nothing here"


def _reads(of: Any, value: object) -> bool:
    """Say whether a value comes back from JSON as it was: what does not could be written down and never read again.

    Whether it does is known by the kinds of its parts: of each combination of kinds the first is tried.
    """
    return _comes_back(_Sample(_kinds(value), of, value))


def _kinds(value: object) -> Any:
    """Give the class of a value, and of all its parts down to the last."""
    kind: Any = type(value)
    names = _parts_of(kind)
    if names:
        return (kind, *[_kinds(getattr(value, name)) for name in names])
    if isinstance(value, tuple):
        return (tuple, *{_kinds(item) for item in cast("tuple[object, ...]", value)})
    return kind


@cache
def _parts_of(kind: Any) -> tuple[str, ...]:
    return tuple(getattr(kind, "__dataclass_fields__", ()))


@dataclass(frozen=True, slots=True)
class _Sample:
    """A value that stands for all of its kinds."""

    kinds: Any
    of: Any = field(compare=False)
    value: object = field(compare=False)


@lru_cache(maxsize=10_000)  # a few dozen combinations, unless a plugin makes up its answers
def _comes_back(sample: _Sample) -> bool:
    try:
        return bool(wire.loads(sample.of, wire.dumps(sample.of, sample.value)) == sample.value)
    except (ValueError, TypeError, Warning):
        return False


def _all(items: object, fits: Callable[[Any], bool]) -> bool:
    return isinstance(items, tuple) and all(map(fits, cast("tuple[object, ...]", items)))


def _is_evidence(item: Any) -> bool:
    """Say so of one piece; an offence has several, and each is looked at."""
    if not isinstance(item, Evidence):
        return False
    what, quote, detail, start, end = _EVIDENCE(item)
    words = isinstance(what, str) and isinstance(quote, str) and isinstance(detail, str)
    return words and _is_place(start) and _is_place(end)


_EVIDENCE: Callable[[Any], tuple[Any, ...]] = attrgetter("what", "quote", "detail", "start", "end")


def _is_place(value: object) -> bool:
    return value is None or isinstance(value, int)


def _filled(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _text(value: object) -> bool:
    return isinstance(value, str)


_OFFENCE: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "rule": _filled,
        "reason": _filled,
        "severity": lambda value: isinstance(value, Severity),
        "ladder": _text,
        "auto": lambda value: value in AUTO_ORDER,
        "contain": lambda value: _all(value, _is_action),
        "notice": _text,
        "evidence": lambda value: _all(value, _is_evidence),
        "clause": lambda value: value is None or (isinstance(value, Clause) and _reads(Clause, value)),
        "keep_text": lambda value: isinstance(value, bool),
    }
)

_LISTS = frozenset({"react", "impose"})

_LOOKS: Mapping[str, Callable[[object], str | None]] = MappingProxyType(
    {"judge": _verdict, "settle": _ruling, "react": _deeds, "impose": _deeds}
)
