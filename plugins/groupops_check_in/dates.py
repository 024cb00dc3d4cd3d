"""Days and weeks as people write them."""

import re
from datetime import date, timedelta

from groupops_check_in.said import words

LONGEST_DAYS = 31
"""Days one leave may span; who is away longer asks again."""

_DAY = timedelta(days=1)

_FULL = re.compile(r"(\d{4})(?:年|[-/.])(\d{1,2})(?:月|[-/.])(\d{1,2})[日号]?")
_MONTH_DAY = re.compile(r"(\d{1,2})(?:月|[-/.])(\d{1,2})[日号]?")
_WEEKDAY = re.compile(r"(.*?)(?:周|星期)([一二三四五六日天])")
_BETWEEN = re.compile(r"\s*(?:至|到|~|—+)\s*")
_ISO_WEEK = re.compile(r"(\d{4})-?W(\d{1,2})", re.IGNORECASE)


class NoDay(ValueError):
    """A text that is no day, or one that does not exist."""


def read_day(text: str, today: date) -> date:
    """Read `今天`, `周三`, `下周三`, `3月5日`, `3-5` or `2025-03-05`.

    A day without a year is the one nearest to today; a weekday without a week is this week's.

    Raises:
        NoDay: it is none of these, or there is no such day.
    """
    text = text.strip()
    named: dict[str, int] = words()["days"]
    if text in named:
        return today + named[text] * _DAY
    try:
        return _numbered(text, today) or _weekday(text, today)
    except ValueError as error:
        raise NoDay(str(error)) from None


def _numbered(text: str, today: date) -> date | None:
    full = _FULL.fullmatch(text)
    if full:
        return date(int(full[1]), int(full[2]), int(full[3]))
    short = _MONTH_DAY.fullmatch(text)
    return _nearest(int(short[1]), int(short[2]), today) if short else None


def _nearest(month: int, day: int, today: date) -> date:
    years = (today.year, today.year + 1, today.year - 1)
    found = [made for year in years if (made := _made(year, month, day)) is not None]
    if not found:
        raise NoDay(f"there is no {month}-{day}")
    return min(found, key=lambda made: abs(made - today))


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _weekday(text: str, today: date) -> date:
    found = _WEEKDAY.fullmatch(text)
    if not found:
        raise NoDay(f"{text!r} is no day")
    weeks: dict[str, int] = {**{word[0]: number for word, number in words()["weeks"].items()}, "": 0}
    if found[1] not in weeks:
        raise NoDay(f"{text!r} is no day")
    weekdays: dict[str, int] = words()["weekdays"]
    return monday_of(today) + (7 * weeks[found[1]] + weekdays[found[2]]) * _DAY


def read_days(text: str, today: date) -> tuple[date, date]:
    """Read one day, or two with `至`, `到` or `~` between them; gives the first and the last.

    Raises:
        NoDay: they are no days, in the wrong order, or more than `LONGEST_DAYS`.
    """
    first, *rest = _BETWEEN.split(text.strip(), maxsplit=1)
    start = read_day(first, today)
    end = read_day(rest[0], today) if rest else start
    if not timedelta(0) <= end - start < LONGEST_DAYS * _DAY:
        raise NoDay(f"expected a first and a last day, at most {LONGEST_DAYS} of them")
    return start, end


def read_week(text: str, today: date) -> date:
    """Read a week as `本周`, `上周`, `2025-W10` or any day in it; empty is this one. Gives its Monday.

    Raises:
        NoDay: it is none of these.
    """
    text = text.strip()
    weeks: dict[str, int] = words()["weeks"]
    if not text or text in weeks:
        return monday_of(today) + 7 * weeks.get(text, 0) * _DAY
    iso = _ISO_WEEK.fullmatch(text)
    try:
        return date.fromisocalendar(int(iso[1]), int(iso[2]), 1) if iso else monday_of(read_day(text, today))
    except ValueError as error:
        raise NoDay(str(error)) from None


def monday_of(day: date) -> date:
    """Give the Monday of a day's week."""
    return day - day.weekday() * _DAY
