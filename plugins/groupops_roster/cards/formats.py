"""The seven formats a group may ask of name cards, and how they are told to people."""

import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from groupops_roster.cards.folding import settled


class Format(StrEnum):
    """What a card has to say, by the names that rule packs use."""

    DEPARTMENT = "F1"
    REGION = "F2"
    COMPANY = "F3"
    CENTRE = "F4"
    NAME = "F5"
    FREE = "F6"
    REFERRER = "F7"

    @property
    def enforceable(self) -> bool:
        """False for cards that name a referrer: they are read and never demanded."""
        return self is not Format.REFERRER

    @property
    def joiners(self) -> tuple[str, ...]:
        """The format's own separators, the first of them for suggestions."""
        parted = self in {Format.DEPARTMENT, Format.REGION}
        if self is Format.REFERRER:
            return "+", "-"
        return ("-", "+") if parted else ("",)


def joiners(format: Format, separators: Sequence[str] = (), canonical: str = "") -> tuple[str, ...]:  # noqa: A002 - a card has a format
    """Gives the accepted separators as cards are compared, the one for suggestions first.

    Args:
        format: the format of the group.
        separators: what the group accepts; empty for the format's own.
        canonical: the one to suggest; empty for the first accepted.
    """
    accepted = [settled(sign) for sign in separators] or list(format.joiners)
    first = settled(canonical) or accepted[0]
    return tuple(dict.fromkeys([first, *accepted]))


def hint(format: Format, separators: Sequence[str] = (), canonical: str = "") -> str:  # noqa: A002 - a card has a format
    """Says in words what a card has to look like, with an example of nobody in particular.

    Args:
        format: the format of the group.
        separators: what the group accepts; empty for the format's own.
        canonical: the one to show; empty for the first accepted.
    """
    texts = _texts()
    told = texts["format"][format.value]
    sign = joiners(format, separators, canonical)[0]
    between = sign or "+"  # parts that stand side by side are still told apart for the reader
    return str(texts["pattern"].format(shape=between.join(told["parts"]), example=sign.join(told["example"])))


def reason(why: str) -> str:
    """Says in words why a card is not right; empty for a card that is.

    Raises:
        KeyError: no judgement gives this reason.
    """
    return str(_texts()["why"][why]) if why else ""


@cache
def _texts() -> Mapping[str, Any]:
    """Reads the shipped texts once."""
    return tomllib.loads((files("groupops_roster.cards") / "texts.toml").read_text(encoding="utf-8"))
