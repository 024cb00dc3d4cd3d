"""What groupops gets of WeCom: the platform, its table, and the operator's commands."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any

from groupops import Desk, Manifest, Platform, Texts, Tools, hookimpl
from groupops_wecom.models import CardRows, Rows
from groupops_wecom.wecom import WeCom

__all__ = ["WeCom", "manifest", "operator", "own_texts", "platforms"]

manifest = Manifest(title="企业微信", models="groupops_wecom.models")


@cache
def own_texts() -> Texts:
    """Give what the adapter itself says to people."""
    raw = resources.files("groupops_wecom").joinpath("texts.toml").read_text("utf-8")
    return Texts("groupops_wecom", tomllib.loads(raw))


@hookimpl
def platforms(tools: Tools) -> Iterable[Platform]:
    """Offer one platform for all bots of the company."""
    return (
        WeCom(
            tools.clock,
            tools.people,
            own_texts(),
            Rows(),
            notes=tools.notes,
            cases=tools.cases,
            drawer=CardRows(),
        ),
    )


@hookimpl
def operator(desk: Desk) -> Any:
    """Offer `groupops wecom …`."""
    from groupops_wecom.desk import commands  # only the shell has a use for them
    from groupops_wecom.linking import add_commands

    app = commands(desk)
    add_commands(app, desk)
    return app
