"""Writes the table of capabilities as Markdown: python -m groupops_sandbox.table > docs/capabilities.md."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from groupops import Capability, Role
from groupops_sandbox.profiles import Profile, profiles, rows

SHEETS = ("qq", "wecom", "wechat")
TITLES = ("QQ", "WeCom", "WeChat")

HEAD = """\
# What platforms are able to do

This page is written by `python -m groupops_sandbox.table` from `adapters/groupops_sandbox/profiles.toml`; a
test keeps it true. Plugins ask for capabilities and never for platforms.

`ask_stewards` is in no column: the core carries it out itself, so that every platform can.
Two platforms have no groups and so no column, `ilink` and `wxmp`: they answer one person at a time, and what they are
able to do stands in `adapters/groupops_ilink/profile.toml` and `adapters/groupops_wxmp/profile.toml`.
"""

PROFILES = """
## By kind of connection

yes = whatever the bot's role · admin = as an admin or the owner · owner = as the owner only · – = not at all
"""

KINDS = """
## What a connection hears

yes = in a group · admin, owner = in a group, in that role · privately = only what is said to the bot alone
"""

SHEET_ROWS = """
## Which row of the protocol sheets a capability stands for

An empty cell: the sheet has no such row, so no adapter for it declares the capability.
"""


def markdown() -> str:
    """Give the whole page."""
    kinds = list(profiles().values())
    kinds_heard = sorted({kind for one in kinds for kind in one.hears[Role.OWNER] | one.hears_privately})
    parts = (
        HEAD,
        _titles(kinds),
        PROFILES,
        _table(
            ("capability", *profiles()),
            ([_code(what), *(_able(one, what) for one in kinds)] for what in Capability),
        ),
        KINDS,
        _table(
            ("kind", *profiles()),
            ([_code(kind), *(_heard(one, kind) for one in kinds)] for kind in kinds_heard),
        ),
        SHEET_ROWS,
        _table(
            ("capability", *TITLES),
            ([_code(what), *(rows()[what][sheet] for sheet in SHEETS)] for what in Capability),
        ),
    )
    return "\n".join(parts)


def _titles(kinds: Iterable[Profile]) -> str:
    """Name each kind and, where it stands for one, the platform whose name its ids begin with."""
    named = ((one, "" if one.platform == "sandbox" else f" (`{one.platform}:…`)") for one in kinds)
    return "\n".join(f"- `{one.name}`{ids}: {one.title}" for one, ids in named)


def _able(one: Profile, what: Capability) -> str:
    if what in one.can[Role.MEMBER]:
        return "yes"
    if what in one.can[Role.ADMIN]:
        return "admin"
    return "owner" if what in one.can[Role.OWNER] else "–"


def _heard(one: Profile, kind: str) -> str:
    if kind in one.hears[Role.MEMBER]:
        return "yes"
    if kind in one.hears[Role.ADMIN]:
        return "admin"
    if kind in one.hears[Role.OWNER]:
        return "owner"
    return "privately" if kind in one.hears_privately else "–"


def _code(name: str) -> str:
    return f"`{name}`"


def _table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    columns = list(head)
    shown = [columns, ["---"] * len(columns), *(list(line) for line in lines)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in shown) + "\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
