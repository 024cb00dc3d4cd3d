"""What things are called in scenarios: the words of `words.toml`, and moments as people say them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib import import_module, resources
from types import MappingProxyType
from zoneinfo import ZoneInfo

from groupops.errors import ScenarioError
from groupops.plugin import texts_of
from groupops.shelf import nearest

_OF_TEXTS = MappingProxyType({"status": "status.", "step": "step.", "owed": "obligation."})
"""Tables that are the core's own texts, read backwards."""


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """Give the tables of words: table → word → what it means."""
    raw = tomllib.loads(resources.files("groupops.scenario").joinpath("words.toml").read_text("utf-8"))
    tables = {name: MappingProxyType(dict(table)) for name, table in raw.items()}
    texts = texts_of("groupops")
    for table, prefix in _OF_TEXTS.items():
        of_core = {
            texts(key): key.removeprefix(prefix) for key in sorted(texts.keys()) if key.startswith(prefix)
        }
        tables[table] = MappingProxyType({**of_core, **tables.get(table, {})})
    return MappingProxyType(tables)


def meaning(table: str, word: str) -> str:
    """Give what a word means.

    Raises:
        ScenarioError: the table has no such word; the text names the nearest one.
    """
    known = words()[table]
    found = known.get(word)
    if found is None:
        raise ScenarioError(f"“{word}” is no {table}{nearest(word, known, every=True)}")
    return found


@cache
def profile_names() -> tuple[str, ...]:
    """Give the names of all profiles of the sandbox, `full` first."""
    return tuple(import_module("groupops_sandbox.profiles").profiles())


def profile_named(name: str) -> str:
    """Give a profile's name as it is.

    Raises:
        ScenarioError: there is none of that name.
    """
    if name not in profile_names():
        raise ScenarioError(f"there is no profile “{name}”{nearest(name, profile_names(), every=True)}")
    return name


def filler(length: int) -> str:
    """Give a harmless text of exactly `length` characters, without a link and addressed to nobody."""
    source = words()["filler"]["text"]
    return (source * (length // len(source) + 1))[:length]


_MOMENT = re.compile(
    r"(?:(?P<date>\d{4}-\d{2}-\d{2})|(?P<next>次日)|第\s*(?P<nth>\d+)\s*天"
    r"|(?P<week>下?)周(?P<day>[一二三四五六日天]))?\s*(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)"
)
_DAYS = "一二三四五六日"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment as people say it, which is a moment only once it is known when it is said.

    Args:
        clock: the time of day.
        day: the date, if it was named.
        days: how many days later.
        weekday: the weekday meant, 0 to 6; the first one after today.
        first: the day of the story, counted from 1.
    """

    clock: time
    day: date | None = None
    days: int = 0
    weekday: int | None = None
    first: int | None = None

    @classmethod
    def read(cls, text: str) -> Moment:
        """Read a moment.

        Raises:
            ScenarioError: it is none.
        """
        found = _MOMENT.fullmatch(text.strip())
        if found is None:
            raise ScenarioError(f"“{text}” is no moment; write 23:30, 次日 07:30 or 2025-03-03 09:00")
        try:
            hour, minute, *second = found["clock"].split(":")
            seconds = float(second[0]) if second else 0.0
            clock = time(int(hour), int(minute), int(seconds), round(seconds % 1 * 1_000_000))
            day = date.fromisoformat(found["date"]) if found["date"] else None
        except ValueError as error:
            raise ScenarioError(f"“{text}” is no moment: {error}") from error
        weekday = _DAYS.index(found["day"].replace("天", "日")) if found["day"] else None
        return cls(
            clock=clock,
            day=day,
            days=1 if found["next"] else 0,
            weekday=weekday,
            first=int(found["nth"]) if found["nth"] else None,
        )

    def after(self, now: datetime, start: datetime, zone: ZoneInfo) -> datetime:
        """Give the moment meant when it is said at `now` in a story that began at `start`."""
        today = now.astimezone(zone).date()
        if self.day is not None:
            day = self.day
        elif self.first is not None:
            day = start.astimezone(zone).date() + timedelta(days=self.first - 1)
        elif self.weekday is not None:
            day = today + timedelta(days=(self.weekday - today.weekday() - 1) % 7 + 1)
        else:
            day = today + timedelta(days=self.days)
        return datetime.combine(day, self.clock, zone)
