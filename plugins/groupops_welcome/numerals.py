"""Numbers as people write them in Chinese texts: `10`, `１０`, `十`, `二十三`, `一〇五`."""

import unicodedata
from types import MappingProxyType

DIGITS = "零一二三四五六七八九"
TENS = MappingProxyType({"千": 1000, "百": 100, "十": 10})
VARIANTS = str.maketrans("〇两", "零二")

CHINESE = "〇两" + DIGITS + "".join(TENS)
"""All signs a Chinese number may consist of."""

LONGEST = 6
"""Digits a number has at most; no regulation counts further, and longer ones are something else."""

LONGEST_WRITTEN = 8
"""Signs a Chinese number has at most, as 九千九百九十九 and a sign to spare."""


def number_of(text: str) -> int | None:
    """Give the number a text is, Arabic of any width or Chinese up to 9999; None when it is none."""
    text = unicodedata.normalize("NFKC", text.strip())
    if text.isascii() and text.isdigit():
        return int(text) if len(text) <= LONGEST else None
    text = text.translate(VARIANTS)
    if not text or len(text) > LONGEST_WRITTEN:
        return None
    if any(sign in TENS for sign in text):
        return _counted(text)
    return _spelled(text)


def written(number: int) -> str:
    """Write a number from 1 to 9999 in Chinese, e.g. 一百零五; ten is 十 and not 一十."""
    text, rest = "", number
    for sign, unit in TENS.items():
        digit, rest = divmod(rest, unit)
        if digit:
            text += DIGITS[digit] + sign
        elif text and rest and not text.endswith("零"):
            text += "零"
    text = text + DIGITS[rest] if rest else text.rstrip("零")
    return text.removeprefix("一") if text.startswith("一十") else text


def _spelled(text: str) -> int | None:
    """Read digit after digit, as in 一零五."""
    if len(text) > LONGEST or any(sign not in DIGITS for sign in text):
        return None
    return int("".join(str(DIGITS.index(sign)) for sign in text))


def _counted(text: str) -> int | None:
    """Read thousands, hundreds, tens and ones; what is not written as one writes it is no number."""
    text = text.removeprefix("一") if text.startswith("一十") else text
    total, digit = 0, 0
    for sign in text:
        if sign in TENS:
            total, digit = total + (digit or 1) * TENS[sign], 0
        elif sign in DIGITS:
            digit = DIGITS.index(sign)
        else:
            return None
    total += digit
    return total if total and total < 10_000 and written(total) == text else None  # noqa: PLR2004 - four places
