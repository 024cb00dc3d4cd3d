"""The words of transcripts: formats, patterns of lines, and what the platforms say; all from two TOML files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, get_args

from groupops.importers.transcript import Identity, Precision

MAX_NOTICE = 600
"""Characters of the longest line of a platform that is looked into; a longer one is kept as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format of transcripts.

    Args:
        id: its name in code and reports.
        title: its name for people.
        platform: the platform whose talk it holds; empty where the file says so itself.
        precision: how finely it tells time.
        identity: whether its senders are ids or names.
        tells: what it is able to tell, of `joins`, `leaves`, `renames`, `recalls`, `replies`, `mentions`,
            `locations`, `red_packets`, `roles` and `ids` (of messages).
        readable: False for one that is only known to be refused.
        advice: what to do instead.
    """

    id: str
    title: str
    platform: str
    precision: Precision = "s"
    identity: Identity = "id"
    tells: frozenset[str] = frozenset()
    readable: bool = True
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A line a platform writes: what it means, how it looks."""

    event: str
    how: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Everything `words.toml` says; `lines` are its patterns by name, `csv` a heading → the format."""

    lines: Mapping[str, re.Pattern[str]]
    sides: Mapping[str, bool]
    system: frozenset[str]
    me: frozenset[str]
    system_title: str
    image: str
    wechat: tuple[Notice, ...]
    qq: tuple[Notice, ...]
    hints: tuple[tuple[str, re.Pattern[str]], ...]
    kinds: Mapping[str, str]
    attachments: Mapping[str, str]
    csv: Mapping[str, str]
    groups: frozenset[str]


@cache
def words() -> Words:
    """Give the words, read once."""
    told = _read("words.toml")
    return Words(
        lines={name: re.compile(pattern) for name, pattern in told["lines"].items()},
        sides=told["sides"],
        system=frozenset(told["names"]["system"]),
        me=frozenset(told["names"]["me"]),
        system_title=told["names"]["system_title"],
        image=told["names"]["image"],
        wechat=_notices(told["wechat"]),
        qq=_notices(told["qq"]),
        hints=tuple((one["kind"], re.compile(one["pattern"], re.DOTALL)) for one in told["hint"]),
        kinds=told["kinds"],
        attachments=told["attachments"],
        csv={row: name for name, row in told["csv"].items()},
        groups=frozenset(told["session"]["groups"]),
    )


@cache
def formats() -> Mapping[str, Format]:
    """Give the formats by id, in the order in which people meet them."""
    return {name: _format(name, told) for name, told in _read("formats.toml").items()}


def line(name: str) -> re.Pattern[str]:
    """Give a pattern of lines by its name in `words.toml`."""
    return words().lines[name]


def _read(name: str) -> dict[str, Any]:
    text = resources.files("groupops.importers.transcripts").joinpath(name).read_text("utf-8")
    return tomllib.loads(text)


def _notices(told: list[dict[str, str]]) -> tuple[Notice, ...]:
    return tuple(
        Notice(event=one["event"], how=one.get("how", "unknown"), pattern=re.compile(one["pattern"]))
        for one in told
    )


def _format(name: str, told: Mapping[str, Any]) -> Format:
    precision, identity = told.get("precision", "s"), told.get("identity", "id")
    assert precision in get_args(Precision)  # noqa: S101 - our own file
    assert identity in get_args(Identity)  # noqa: S101 - our own file
    return Format(
        id=name,
        title=told["title"],
        platform=told["platform"],
        precision=precision,
        identity=identity,
        tells=frozenset(told.get("tells", ())),
        readable=told.get("readable", True),
        advice=told.get("advice", ""),
    )
