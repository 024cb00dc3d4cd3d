"""The words of `words.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words of QQ and of the ends.

    Args:
        question, answer: what stands before the question and the answer of a request to come in.
        says: (what an end means, the words by which it is known), in the order in which they count.
    """

    question: str
    answer: str
    says: tuple[tuple[str, tuple[str, ...]], ...]

    def meaning(self, text: str) -> str:
        """Give what an end means by a text, or nothing when it holds no known word."""
        plain = text.lower()
        return next((means for means, words in self.says if any(word in plain for word in words)), "")


@cache
def words() -> Words:
    """Read them, once."""
    raw = tomllib.loads(resources.files(__package__ or "").joinpath("words.toml").read_text("utf-8"))
    says = tuple((one["means"], tuple(one["words"])) for one in raw["says"])
    return Words(question=raw["question"], answer=raw["answer"], says=says)
