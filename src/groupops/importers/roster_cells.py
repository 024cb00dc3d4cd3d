"""What a cell of a roster means: texts, numbers that are names, lists, dates, yes and no; and what is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, tzinfo
from functools import cache
from typing import cast

from groupops.importers.roster_words import PLATFORMS, words
from groupops.importers.sheets import Value
from groupops.people import AccountId, native_of, platform_of

MAX_NAME = 50
"""Characters of the longest name; the longest in use in China has some twenty."""

MAX_TEXT = 100
"""Characters of the longest department, company, position, region or role."""

MAX_REF = 40
"""Characters of the longest number of a person."""

YEARS = (1950, 2099)
"""The years a date may lie in."""

SAFE_DIGITS = 10**15
"""From here on a spreadsheet's number has lost digits: a double holds 15 of them."""

FORMULA_SIGNS = "=+-@＝＋－＠"
"""What a spreadsheet may take for the beginning of a formula."""

_ESCAPED = re.compile(f"'+[{re.escape(FORMULA_SIGNS)}]")
_RISKY = re.compile(f"'*[{re.escape(FORMULA_SIGNS)}]")
_AS_TEXT = re.compile(r'="([^"]*)"')
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_PLAIN = re.compile(r"[\w(/]+(?:[ .:;,/()-]?[\w()]+)*", re.ASCII)
"""What most cells hold that is no word: nothing in it needs a second look."""
_SPACES = re.compile(r"\s+")
_ERROR = re.compile(r"#(DIV/0!|N/A|REF!|NAME\?|VALUE!|NUM!|NULL!|SPILL!|CALC!|#+)|Err:\d{3}")
"""How spreadsheets show a formula that went wrong, or a column too narrow, when they save as CSV."""
_SCIENCE = re.compile(r"\d+(\.\d+)?[eE]\+\d+")
_NOUGHT = re.compile(r"(\d+)\.0+")
_REF = re.compile(rf"[^\W_][\w./-]{{0,{MAX_REF - 1}}}")
_PHONE = re.compile(r"\+?[\d -]{5,20}")
_DATE = re.compile(
    r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日?|(\d{2})(\d{2}))"
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?)?"
)
_ACCOUNTS: Mapping[str, re.Pattern[str]] = {
    "qq": re.compile(r"[1-9]\d{4,11}", re.ASCII),
    "wechat": re.compile(r"[^\s,:]{2,64}"),
    "wecom": re.compile(r"[^\s,:]{1,64}"),
    "accounts": re.compile(r"[a-z][a-z0-9_]{0,31}:[^「」]{1,200}", re.ASCII),
}
_NAME_SIGNS = frozenset(" ·•‧・.'’-()（）")
_PLAIN_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")


class Wrong(Exception):
    """A cell cannot be read.

    Args:
        key: which fault it is, as in `roster.toml`.
        values: what its text needs.
    """

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


# — texts —


def escaped(text: str) -> str:
    """Make a text that no spreadsheet takes for a formula; `tidy` takes it back."""
    return f"'{text}" if _RISKY.match(text) else text


def tidy(text: str) -> str:
    """Give a cell's text without what nobody sees, single spaces inside, and as it was before `escaped`."""
    text = text.strip()
    if text.isalnum() or _PLAIN.fullmatch(text):
        return text
    text = _SPACES.sub(" ", _UNSEEN.sub("", text)).strip()
    if _CONTROL.search(text):
        raise Wrong("control")
    if _ERROR.fullmatch(text):
        raise Wrong("error_value")
    if _ESCAPED.match(text):
        return text[1:]
    as_text = _AS_TEXT.fullmatch(text)
    return as_text[1].strip() if as_text else text


def text_of(value: Value) -> str:
    """Read a text; a whole number is one too."""
    text = tidy(value) if isinstance(value, str) else _number_text(value)
    if len(text) > MAX_TEXT:
        raise Wrong("too_long", size=len(text), most=MAX_TEXT)
    return text


def name_of(value: Value) -> str:
    """Read a person's name; the spaces people set between two Han characters go."""
    if isinstance(value, str) and _PLAIN_NAME.fullmatch(value):
        return _no_footer(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise Wrong("is_number")
    text = tidy(value) if isinstance(value, str) else _number_text(value)
    if not text:
        raise Wrong("name_empty")
    _no_footer(text)
    if " " in text and not any(sign.isascii() and sign.isalpha() for sign in text):
        text = text.replace(" ", "")
    if len(text) > MAX_NAME or not any(map(str.isalpha, text)) or not all(map(_in_a_name, text)):
        raise Wrong("name_shape", most=MAX_NAME)
    return text


def _no_footer(text: str) -> str:
    if re.split(r"[:：\s]", text, maxsplit=1)[0] in words().footers:
        raise Wrong("footer")
    return text


def _in_a_name(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LMN" or sign in _NAME_SIGNS


def _number_text(value: Value) -> str:
    """Give the digits of a whole number that a spreadsheet keeps as a number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        raise Wrong("is_bool")
    if isinstance(value, date):
        raise Wrong("is_date")
    assert isinstance(value, int | float)  # noqa: S101 - a text never comes here
    if value != value or value in (float("inf"), float("-inf")) or value != int(value):  # noqa: PLR0124 - NaN
        raise Wrong("fraction")
    if abs(value) >= SAFE_DIGITS:
        raise Wrong("digits_lost")
    return str(int(value))


# — numbers that are names —


def _code(value: Value) -> str:
    """Read what looks like a number and is none: half width, without what a spreadsheet made of it."""
    if not isinstance(value, str):
        return _number_text(value)
    text = tidy(value)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    elif text.isalnum():
        return text
    if _SCIENCE.fullmatch(text):
        raise Wrong("science")
    nought = _NOUGHT.fullmatch(text)
    if nought:
        return nought[1]
    return "" if text in words().blank else text


def ref_of(value: Value) -> str:
    """Read the organisation's number of a person."""
    ref = _code(value)
    if ref and not _REF.fullmatch(ref):
        raise Wrong("ref_shape", most=MAX_REF)
    return ref


def phone_of(value: Value) -> str:
    """Look at a phone's number; it is not kept."""
    phone = _code(value)
    if phone and not _PHONE.fullmatch(phone):
        raise Wrong("phone_shape")
    return ""


# — lists —


@cache
def _items(signs: str) -> re.Pattern[str]:
    return re.compile(rf"「([^「」]*)」|([^「」{re.escape(signs)}]+)")


def _listed(text: str, signs: str) -> list[str]:
    """Take a list apart; an item in 「」 may hold the signs that separate."""
    one = _items(signs)
    if "「" in text or "」" in text:
        rest = one.sub("", text)
        if "「" in rest or "」" in rest:
            raise Wrong("list_quotes")
    found = ((quoted or plain).strip() for quoted, plain in one.findall(text))
    return [item for item in found if item]


def listed(items: list[str], signs: str, join: str) -> str:
    """Write a list so that it can be taken apart again."""
    whole = _items(signs)
    return join.join(item if whole.fullmatch(item) else f"「{item}」" for item in items)


@cache
def _roles(text: str) -> frozenset[str]:
    known = words().roles
    return frozenset(known.get(role, role) for role in _listed(text, words().role_signs))


def roles_of(value: Value) -> frozenset[str]:
    """Read roles, in the words that packs use where we know them."""
    return _roles(text_of(value))


def account_column(account: AccountId) -> str:
    """Give the column an account is written in: its platform's, where it looks as accounts there do."""
    platform = platform_of(account)
    shape = _ACCOUNTS.get(platform) if platform in PLATFORMS else None
    return platform if shape and shape.fullmatch(native_of(account)) else "accounts"


def accounts_reader(column: str) -> Callable[[Value], tuple[AccountId, ...]]:
    """Give what reads a column of accounts.

    Args:
        column: one of `PLATFORMS`, or `accounts` for ids that name their platform themselves.
    """
    shape = _ACCOUNTS[column]
    prefix = f"{column}:" if column in PLATFORMS else ""
    signs = words().account_signs + (" " if prefix else "")
    several = re.compile(f"[「{re.escape(signs)}]")

    def accounts_of(value: Value) -> tuple[AccountId, ...]:
        text = _code(value)
        if not text:
            return ()
        items = _listed(text, signs) if several.search(text) else [text]
        for item in items:
            if not shape.fullmatch(item):
                raise Wrong(f"{'account' if column == 'accounts' else column}_shape", item=item)
        return tuple(AccountId(prefix + item) for item in dict.fromkeys(items))

    return accounts_of


def written(value: object, zone: tzinfo) -> str:
    """Write a field of a person as its reader reads it.

    Args:
        value: a text, roles, yes or no, or a moment (aware).
        zone: the timezone that moments are written in.
    """
    if isinstance(value, datetime):
        local = value.astimezone(zone).replace(tzinfo=None)
        return local.date().isoformat() if local.time() == time() else local.isoformat(sep=" ")
    if isinstance(value, bool):
        return words().says("yes" if value else "no")
    if isinstance(value, frozenset):
        return _written_roles(cast("frozenset[str]", value))
    return "" if value is None else str(value)


def _written_roles(roles: frozenset[str]) -> str:
    signs = words().role_signs
    return listed(sorted(words().said.get(role, role) for role in roles), signs, signs[0])


# — dates, yes and no —


def active_of(value: Value) -> bool | None:
    """Read yes or no; None where nothing is said."""
    if isinstance(value, bool):
        return value
    said = _code(value)
    if not said:
        return None
    known = words().active.get(said, words().active.get(said.lower()))
    if known is None:
        raise Wrong("active_word", near=words().near(said, words().active))
    return known


def moment_of(value: Value) -> datetime | None:
    """Read a date, or a date with a time, without a timezone; midnight where no time stands."""
    if isinstance(value, bool):
        raise Wrong("is_bool")
    if isinstance(value, datetime):
        return _in_range(value.replace(tzinfo=None))
    if isinstance(value, date):
        return _in_range(datetime(value.year, value.month, value.day))  # noqa: DTZ001 - the caller's timezone
    text = _code(value)
    return _in_range(_moment(text, number=not isinstance(value, str))) if text else None


def _moment(text: str, *, number: bool) -> datetime:
    found = _DATE.fullmatch(text)
    if found is None:
        raise Wrong("date_number" if number or text.isdecimal() else "date_shape")
    year, *rest = found.groups()
    month, day = (part for part in rest[:6] if part)
    hour, minute, second, fraction = (part or "0" for part in rest[6:])
    try:
        return datetime(  # noqa: DTZ001 - the caller's timezone
            int(year), int(month), int(day), int(hour), int(minute), int(second), int(fraction.ljust(6, "0"))
        )
    except ValueError:
        raise Wrong("date_shape") from None


def _in_range(moment: datetime) -> datetime:
    first, last = YEARS
    if not first <= moment.year <= last:
        raise Wrong("date_range", most=last)
    return moment


_READERS: Mapping[str, Callable[[Value], object]] = {
    "ref": ref_of,
    "name": name_of,
    "department": text_of,
    "company": text_of,
    "position": text_of,
    "region": text_of,
    "roles": roles_of,
    "active": active_of,
    "left": moment_of,
    "joined": moment_of,
    "phone": phone_of,
    "same": ref_of,
}


def reader_of(column: str) -> Callable[[Value], object] | None:
    """Give what reads the cells of a column; None for a column that is not read at all."""
    return accounts_reader(column) if column in _ACCOUNTS else _READERS.get(column)
