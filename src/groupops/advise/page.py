"""A page of HTML built so that no text can become markup: whatever is put in is escaped, unless it was built here."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from html import escape
from importlib import resources
from typing import Final

_VOID: Final = frozenset({"meta"})


class Markup(str):
    """Text that is markup already, because it was built here."""

    __slots__ = ()


def tag(name: str, /, *inside: str, **attributes: str) -> Markup:
    """Give an element.

    Args:
        name: of the element.
        inside: texts, which are escaped, and elements.
        attributes: its attributes; `class_` is `class`.
    """
    told = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items() if value)
    if name in _VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{joined(inside)}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """Put texts and elements behind one another."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part, quote=False) for part in parts))


def document(title: str, body: Iterable[str]) -> str:
    """Give a whole page that needs nothing from anywhere: no scripts, no fonts, no pictures."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        _policy(),
        tag("title", title),
        tag("style", Markup(_style())),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', tag('main', *body)), lang='zh-CN')}\n"


def _policy() -> Markup:
    """Forbid the page to load anything, should a text ever become markup after all."""
    return Markup(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    )


@cache
def _style() -> str:
    raw = tomllib.loads(resources.files("groupops.advise").joinpath("page.toml").read_text("utf-8"))
    return str(raw["style"])
