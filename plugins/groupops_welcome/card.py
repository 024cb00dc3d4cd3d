"""What a card is to look like, as far as the greeting has to say it, and when a change of card settles that.

The verdict on cards is the roster's. This plugin reads that plugin's settings, if there are any, and asks
no more of a card than that it names its person.
"""

import unicodedata
from dataclasses import dataclass
from typing import Any

from groupops import Member, Policy, Texts

ROSTER = "roster"
CARD_RULE = "roster.card"

_BY_NAME = frozenset({"F5", "F6"})
"""Formats that a nickname which is the person's name satisfies as it is."""

_OFF = frozenset({"", "F7"})
"""Formats that ask nothing of anybody; F7 is never enforced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRule:
    """What is asked of cards in a group.

    Args:
        asked: True when a format applies.
        hint: the format in words, with an example where there is one.
        by_name: True when the person's name alone is enough.
    """

    asked: bool = False
    hint: str = ""
    by_name: bool = True


def card_rule(policy: Policy, texts: Texts) -> CardRule:
    """Read from a group's policy what its cards are to look like."""
    roster = policy.settings.get(ROSTER)
    card: Any = getattr(roster, "card", None)
    form = str(getattr(card, "format", "") or "")
    if ROSTER not in policy.enabled or form in _OFF or not getattr(card, "enforce", True):
        return CardRule()
    return CardRule(asked=True, hint=_hint(policy, card, form, texts), by_name=form in _BY_NAME)


def _hint(policy: Policy, card: Any, form: str, texts: Texts) -> str:
    if texts.has(f"format.{form}"):
        return texts(f"format.{form}", sep=_separator(card))
    clause = policy.clauses.get(CARD_RULE)
    return clause.text.rstrip("。") if clause is not None and clause.text else texts("format.other")


def _separator(card: Any) -> str:
    separators = tuple(getattr(card, "separators", ()) or ())
    return str(getattr(card, "canonical_separator", "") or next(iter(separators), "") or "-")


def settles(card: str, member: Member, nickname: str, rule: CardRule) -> bool:
    """Say whether a card settles what a newcomer owes.

    Args:
        card: the card as it is now.
        member: whose it is; its real name counts where the register has one.
        nickname: as what the newcomer came in.
        rule: what the group asks of cards; where it asks nothing, any card will do.
    """
    now = _plain(card)
    if not now or not rule.asked:
        return bool(now)
    name = _plain(member.real_name)
    moved = now != _plain(nickname)
    if not name:
        return moved
    return name in now and (moved or rule.by_name)


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in text if unicodedata.category(sign)[0] not in "CZ")
