"""Writes rosters: what the register knows as CSV or XLSX, and an empty one that explains itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, tzinfo

from groupops.errors import ConfigError
from groupops.importers.roster_cells import account_column, listed, written
from groupops.importers.roster_words import PLATFORMS, plain, words
from groupops.importers.sheet_files import Page
from groupops.people import AccountId, Person, PersonId, native_of

_FIELDS = {"roles": "org_roles", "left": "left_at"}
_DATES = frozenset({"left", "joined"})
_DATE, _TEXT = "yyyy-mm-dd", "@"


def exportable() -> tuple[str, ...]:
    """Give the columns an export may hold: names, units and accounts; no phones, no numbers of identity papers."""
    return tuple(key for key, column in words().columns.items() if column.exported)


def columns_named(headings: Sequence[str]) -> tuple[str, ...]:
    """Give the columns of headings, e.g. of `姓名`, in the order given.

    Raises:
        ConfigError: one is unknown, or an export may not hold it.
    """
    keys = [words().headings.get(plain(heading), "") for heading in headings]
    allowed = exportable()
    for heading, key in zip(headings, keys, strict=True):
        if key not in allowed:
            titles = "、".join(words().columns[one].title for one in allowed)
            raise ConfigError(f"{heading!r}: an export cannot hold this; it may hold: {titles}")
    return tuple(dict.fromkeys(keys))


def people_page(
    persons: Iterable[Person],
    accounts: Callable[[PersonId], Iterable[AccountId]],
    *,
    columns: Collection[str] = (),
    zone: tzinfo = UTC,
) -> Page:
    """Give a roster of persons; read again it says the same of them.

    Args:
        persons: whom.
        accounts: from a person to its accounts.
        columns: what of them, of `exportable()`; empty for all of it.
        zone: the timezone that dates are written in.
    """
    keys = [key for key in exportable() if not columns or key in columns]
    known = words().columns
    return Page(
        name=words().sheets["roster"],
        head=[known[key].title for key in keys],
        rows=[list(_row(person, accounts(person.id), keys, zone)) for person in persons],
        widths=[known[key].width for key in keys],
    )


def _row(person: Person, accounts: Iterable[AccountId], keys: Sequence[str], zone: tzinfo) -> Iterator[str]:
    sorted_in: dict[str, list[str]] = {}
    for account in accounts:
        column = account_column(account)
        sorted_in.setdefault(column, []).append(native_of(account) if column in PLATFORMS else account)
    signs = words().account_signs
    for key in keys:
        if key in PLATFORMS or key == "accounts":
            yield listed(sorted_in.get(key, []), signs, signs[0])
        else:
            yield written(getattr(person, _FIELDS.get(key, key)), zone)


def template_pages() -> tuple[Page, Page]:
    """Give an empty roster, and a second sheet that explains each column."""
    known = words()
    columns = list(known.columns.values())
    roster = Page(
        name=known.sheets["roster"],
        head=[column.title for column in columns],
        widths=[column.width for column in columns],
        formats={index: _DATE if column.key in _DATES else _TEXT for index, column in enumerate(columns)},
        choices={
            index: (known.says("yes"), known.says("no"))
            for index, column in enumerate(columns)
            if column.key == "active"
        },
    )
    # In quotes, so that nobody, and no reader, takes the list of headings for headings.
    told = [
        [
            known.says("quoted", text=column.title),
            "、".join(column.names[1:]),
            column.about,
            column.example,
        ]
        for column in columns
    ]
    return roster, Page(name=known.sheets["help"], head=known.help_heads, rows=told, widths=(14, 40, 70, 24))
