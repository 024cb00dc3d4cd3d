"""Personal data: mobile numbers, identity cards and bank cards, told from order numbers by their check digits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from stdnum import luhn
from stdnum.cn import ric

from groupops_moderation.fold import load_fold
from groupops_moderation.packs import load_context

Kind = Literal["mobile", "id_card", "bank_card"]

_CONTEXT = 16
_ENOUGH_DIGITS = re.compile(r"\d(?:\D{0,2}\d){10}")
_MOBILE = re.compile(r"(?<![\d.])(?:\+?86[- ]?)?(1[3-9]\d[- ]?\d{4}[- ]?\d{4})(?![\d.]\d|\d)")
_ID_CARD = re.compile(r"(?<!\d)\d{6}[- ]?\d{4}[- ]?\d{4}[- ]?\d{3}[\dx](?![\da-z])")
_BANK_CARD = re.compile(r"(?<!\d)\d{4}(?:[- ]?\d{4}){3}(?:[- ]?\d{1,3})?(?!\d)")


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonalDatum:
    """A number that belongs to a person.

    `certain` says that a check digit (and for bank cards a word nearby) confirms it; a mobile number has none, so
    it is a matter for people. `start` and `end` are positions in the original text.
    """

    kind: Kind
    digits: str
    start: int
    end: int
    certain: bool


def find_personal_data(text: str) -> list[PersonalDatum]:
    """The personal numbers in a text, also in full-width or circled digits.

    Identity cards follow GB 11643 (date and ISO 7064 check digit), bank cards ISO/IEC 7812 (Luhn). One in ten
    random numbers passes Luhn, so a bank card needs a word such as 卡号 within 16 characters before it.

    Args:
        text: the original text of a message.
    """
    soft = load_fold().softly(text)
    if not _ENOUGH_DIGITS.search(soft):
        return []
    found = sorted([*_id_cards(soft), *_bank_cards(soft), *_mobiles(soft)], key=lambda f: f[1])
    spans = load_fold().spans(text, soft, soft=True) if found else []
    return [
        PersonalDatum(
            kind=kind,
            digits=_bare(soft[a:b]),
            start=spans[a][0],
            end=spans[b - 1][1],
            certain=kind != "mobile",
        )
        for kind, a, b in found
    ]


def _mobiles(soft: str) -> Iterator[tuple[Kind, int, int]]:
    for match in _MOBILE.finditer(soft):
        yield "mobile", *match.span(1)


def _id_cards(soft: str) -> Iterator[tuple[Kind, int, int]]:
    for match in _ID_CARD.finditer(soft):
        if ric.is_valid(_bare(match[0]).upper()):
            yield "id_card", *match.span()


def _bank_cards(soft: str) -> Iterator[tuple[Kind, int, int]]:
    for match in _BANK_CARD.finditer(soft):
        before = soft[max(0, match.start() - _CONTEXT) : match.start()]
        if luhn.is_valid(_bare(match[0])) and _names_a_card(before) and not ric.is_valid(_bare(match[0])):
            yield "bank_card", *match.span()


def _names_a_card(before: str) -> bool:
    """Whether the last telling word before a number speaks of a card, not of an order."""
    words = _card_words()
    last = max(((before.rfind(word), is_card) for word, is_card in words.items()), default=(-1, False))
    return last[0] >= 0 and last[1]


@cache
def _card_words() -> dict[str, bool]:
    """Words that announce a card number (True) or another number (False)."""
    context = load_context()
    return {**dict.fromkeys(context.card, True), **dict.fromkeys(context.order, False)}


def _bare(number: str) -> str:
    """A number without the blanks and hyphens people set for reading."""
    return number.replace(" ", "").replace("-", "")
