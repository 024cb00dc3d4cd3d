"""Breaks what is told into lines that fit the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.text import Text


def folded(text: Text, width: int) -> Iterable[Text]:
    """Break a text into lines of at most `width` cells, between any two signs but not inside a word of ASCII."""
    breaks: list[int] = []
    start = used = 0
    for place, sign in enumerate(text.plain):
        used += cell_len(sign)
        if used > width:
            start = _break(text.plain, start, place)
            breaks.append(start)
            used = cell_len(text.plain[start : place + 1])
    return text.divide(breaks)


def _break(plain: str, start: int, place: int) -> int:
    """Give the last place from which a line may go on below, or `place` where one word fills the line."""
    back = place
    while back > start and _in_word(plain[back - 1]) and _in_word(plain[back]):
        back -= 1
    return back if back > start else place


def _in_word(sign: str) -> bool:
    return sign.isascii() and not sign.isspace()


def flat(text: str) -> str:
    """Give a text as one line."""
    return " ".join(text.split())


def cut(text: str, most: int) -> str:
    """Give a text, or as much of it as `most` signs hold."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
