"""What the adapter says of itself, from `texts.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources


@cache
def word(key: str) -> str:
    """Give a text of the package's own."""
    text = resources.files("groupops_ilink").joinpath("texts.toml").read_text("utf-8")
    return str(tomllib.loads(text)[key])
