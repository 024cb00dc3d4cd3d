"""The words of rosters: headings, roles, yes and no, and what is said about what is wrong; all from `roster.toml`."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any

from groupops.plugin import Texts

PLATFORMS = ("wechat", "qq", "wecom")
"""Columns that name accounts of a platform → also the platform's name."""

_HINT = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|[\s*:_【】]")
"""What people put into a heading besides its name: hints in brackets, stars, line breaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column a roster may have.

    Args:
        key: its name in code.
        names: headings it is known by; the first one is ours.
        width: of its cells in a template, in characters.
        kept: False when it is checked and forgotten.
        exported: True when an export may hold it.
        about, example: what a template says of it.
    """

    key: str
    names: tuple[str, ...]
    width: int
    kept: bool
    exported: bool
    about: str
    example: str

    @property
    def title(self) -> str:
        """The heading we write."""
        return self.names[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Everything `roster.toml` says.

    Args:
        columns: key → column, in the order of a template.
        headings: a heading as `plain` makes it → key.
        refused: headings nothing may stand under.
        roles: a role as people write it → the word packs use; `said` the other way round.
        active: a word → whether it means that the person is there.
        blank: words that stand for nothing in columns of numbers, dates and accounts.
        role_signs, account_signs: what separates the items of a list.
        footers: words that begin a line which is no person.
        report_faults, report_diff, help_heads: headings of the tables we write.
        sheets: names of the sheets we write.
        faults, says: texts.
    """

    columns: Mapping[str, Column]
    headings: Mapping[str, str]
    refused: frozenset[str]
    roles: Mapping[str, str]
    said: Mapping[str, str]
    active: Mapping[str, bool]
    blank: frozenset[str]
    role_signs: str
    account_signs: str
    footers: tuple[str, ...]
    sheets: Mapping[str, str]
    report_faults: tuple[str, ...]
    report_diff: tuple[str, ...]
    help_heads: tuple[str, ...]
    faults: Texts
    says: Texts

    def near(self, word: str, valid: Iterable[str]) -> str:
        """Name the valid word that was meant; empty when none is near."""
        close = get_close_matches(word, sorted(valid), n=1, cutoff=0.5)
        return self.says("near", word=close[0]) if close else ""


@cache
def words() -> Words:
    """Read `roster.toml`, once."""
    data: dict[str, Any] = tomllib.loads(
        resources.files("groupops.importers").joinpath("roster.toml").read_text("utf-8")
    )
    columns = {key: _column(key, raw) for key, raw in data["columns"].items()}
    said: dict[str, str] = {}
    for word, role in data["roles"].items():
        said.setdefault(role, word)
    texts = {key: text for key, text in data["says"].items() if isinstance(text, str)}
    return Words(
        columns=columns,
        headings={plain(name): key for key, one in columns.items() for name in (key, *one.names)},
        refused=frozenset(plain(name) for name in data["refused"]["names"]),
        roles=data["roles"],
        said=said,
        active={word: known == "yes" for known, listed in data["active"].items() for word in listed},
        blank=frozenset(data["blank"]["words"]),
        role_signs=data["separators"]["roles"],
        account_signs=data["separators"]["accounts"],
        footers=tuple(data["footers"]["words"]),
        sheets=data["sheets"],
        report_faults=tuple(data["says"]["report_faults"]),
        report_diff=tuple(data["says"]["report_diff"]),
        help_heads=tuple(data["says"]["help_heads"]),
        faults=Texts("groupops.importers", data["faults"]),
        says=Texts("groupops.importers", texts),
    )


def _column(key: str, raw: Mapping[str, Any]) -> Column:
    return Column(
        key=key,
        names=tuple(raw["names"]),
        width=raw["width"],
        kept=raw["kept"],
        exported=raw["exported"],
        about=raw["about"],
        example=raw["example"],
    )


def plain(heading: str) -> str:
    """Give a heading as it is compared: half width, lower case, without hints in brackets, stars and spaces."""
    return _HINT.sub("", unicodedata.normalize("NFKC", heading)).casefold()


def letters_of(column: int) -> str:
    """Give a column's letters as spreadsheets show them (0 → `A`, 27 → `AB`)."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
