"""Keeps telephone and other numbers out of what is said about a card."""

import re

_LONGEST_KEPT = 6
"""Digits in a row that may be repeated: room and team numbers have no more, telephone numbers have."""

_NUMBER = re.compile(rf"\d(?:[\W_]{{0,3}}\d){{{_LONGEST_KEPT},}}")


def safe_card(card: str) -> str:
    """Gives a card as it may be repeated to others: seven or more digits become `****`.

    Up to three signs between two digits (spaces, dashes, emoji parts) do not part a number.
    """
    return _NUMBER.sub("****", card)


def holds_number(card: str) -> bool:
    """Whether a card shows a number that must not be repeated."""
    return _NUMBER.search(card) is not None
