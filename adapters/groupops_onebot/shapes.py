"""JSON of any shape as what it should be, or as nothing: ends and members may send whatever they like."""

from __future__ import annotations

from typing import Any

LONGEST_NAME = 256
"""Characters kept of a name, a title, a word of an end."""

LONGEST_URL = 2_048

_DIGITS = 20
_LARGEST = 10**_DIGITS


def table(value: Any) -> dict[str, Any]:
    """Give a table; an empty one for anything else."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType] - any shape


def rows(value: Any) -> list[Any]:
    """Give a list; an empty one for anything else."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType] - any shape


def tables(value: Any) -> list[dict[str, Any]]:
    """Give the tables in a list, without what is none."""
    return [row for row in rows(value) if isinstance(row, dict)]


def word(value: Any, longest: int = LONGEST_NAME) -> str:
    """Give a text or a number as a bounded text; nothing for anything else."""
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return str(value)
    return ""


def whole(value: Any) -> int | None:
    """Give a whole number that is not negative, which ends write as number or text; None for anything else."""
    text = word(value, _DIGITS + 1)
    return int(text) if is_number(text) else None


def is_number(text: str) -> bool:
    """Say whether a text is a number of QQ's: plain digits, and not too many."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def address(value: Any) -> str:
    """Give an address of the web, or nothing; one that is too long is none."""
    text = word(value, LONGEST_URL + 1)
    return text if text.startswith(("http://", "https://")) and len(text) <= LONGEST_URL else ""
