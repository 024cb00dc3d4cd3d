"""JSON of any shape as what it should be, or as nothing: answers of the platform lack fields and change them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

LONGEST_WORD = 1_024
"""Characters of an id or a name; ids of the platform have at most 128."""

LARGEST = 2**64 - 1

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


def table(value: Any) -> dict[str, Any]:
    """Give a table; an empty one for anything else."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType] - any shape


def rows(value: Any) -> list[Any]:
    """Give a list; an empty one for anything else."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType] - any shape


def tables(value: Any) -> list[dict[str, Any]]:
    """Give the tables in a list, without what is none."""
    return [row for row in rows(value) if isinstance(row, dict)]


def words(value: Any) -> tuple[str, ...]:
    """Give the texts in a list, without what is none."""
    return tuple(row for row in rows(value) if isinstance(row, str))


def text(value: Any) -> str:
    """Give a text without half characters and NUL, which no database takes; nothing for anything else."""
    if not isinstance(value, str):
        return ""
    return value if is_storable(value) else _mended(value)


def is_storable(value: str) -> bool:
    """Say whether there are neither half characters nor NUL in a text."""
    try:
        return "\0" not in value and (value.isascii() or bool(value.encode()))
    except UnicodeEncodeError:
        return False


def _mended(value: str) -> str:
    return value.encode(errors="replace").decode().replace("\0", "?")


def word(value: Any, longest: int = LONGEST_WORD) -> str:
    """Give a text or a whole number as a bounded text; nothing for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST:
        return str(value)
    return text(value)[:longest]


def whole(value: Any) -> int | None:
    """Give a whole number from 0 to what 64 bits hold, or None."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST:
        return value
    return None


def number(value: Any) -> float | None:
    """Give a finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= LARGEST else None


class Recent(Generic[_Key, _Value]):
    """A table that forgets what was put in first.

    Args:
        most: how many entries are kept.
    """

    __slots__ = ("_most", "_table")

    def __init__(self, most: int) -> None:
        self._most = most
        self._table: OrderedDict[_Key, _Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._table)

    def get(self, key: _Key) -> _Value | None:
        """Give an entry, or None."""
        return self._table.get(key)

    def put(self, key: _Key, value: _Value) -> None:
        """Put an entry in, as the youngest."""
        self._table.pop(key, None)
        self._table[key] = value
        if len(self._table) > self._most:
            self._table.popitem(last=False)

    def drop(self, key: _Key) -> None:
        """Forget an entry, if it is there."""
        self._table.pop(key, None)
