"""JSON of any shape as what it should be, or as nothing: payloads of the platform lack fields and change them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

LONGEST_ID = 256
"""Characters of an id of the platform; its message ids have about 100."""

LONGEST_TEXT = 20_000
LONGEST_URL = 4_096

_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_LAST = datetime(2100, 1, 1, tzinfo=UTC)
_MILLIS = 1000
_LARGEST = 10**20

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


def mended(value: Any) -> Any:
    """Give the same without half characters and NUL, which no database and no other program takes."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode().replace("\0", "?")
    if isinstance(value, list):
        return [mended(inner) for inner in rows(value)]
    if isinstance(value, dict):
        return {mended(key): mended(inner) for key, inner in table(value).items()}
    return value


def words(value: Any) -> list[str]:
    """Give the texts in a list, without what is none."""
    return [row for row in rows(value) if isinstance(row, str)]


def word(value: Any, longest: int = LONGEST_ID) -> str:
    """Give a text or a whole number as a bounded text; nothing for anything else."""
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return str(value)
    return ""


def whole(value: Any) -> int | None:
    """Give a whole number that is not negative, or None."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST:
        return value
    return None


def moment(value: Any, now: datetime) -> datetime:
    """Give a moment the platform writes as RFC 3339, or as Unix time in seconds or milliseconds; else `now`."""
    found = _written(value)
    return found if found is not None and _FIRST <= found <= _LAST else now


def _written(value: Any) -> datetime | None:
    text = word(value, 64)
    try:
        if text.isascii() and text.isdigit():
            seconds = int(text)
            return datetime.fromtimestamp(seconds / _MILLIS if seconds > _LAST.timestamp() else seconds, UTC)
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


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

    def __iter__(self) -> Iterator[_Key]:
        return iter(self._table)

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

    def newest(self) -> Iterator[_Value]:
        """Give the entries, the youngest first."""
        return iter(list(reversed(self._table.values())))
