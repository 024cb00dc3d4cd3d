"""QQ over OneBot v11: NapCat, LuckyLillia, Lagrange and the like, through `nonebot-adapter-onebot`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from groupops import Manifest, Platform, Tools, hookimpl

if TYPE_CHECKING:
    from groupops_onebot.onebot import OneBot

__all__ = ["manifest", "onebot", "platforms"]

manifest = Manifest(title="QQ(OneBot v11)")


@hookimpl
def platforms(tools: Tools) -> Iterable[Platform]:
    """Offer the one platform, over however many bots connect."""
    return (onebot(tools),)


def onebot(tools: Tools) -> OneBot:
    """Make the platform on the clock that runs; NoneBot and its adapter are loaded only now."""
    from groupops_onebot.onebot import OneBot

    return OneBot(tools.clock)
