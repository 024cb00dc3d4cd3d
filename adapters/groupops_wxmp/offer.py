"""What groupops gets of official accounts: the platform."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from groupops import Manifest, Platform, Tools, hookimpl

if TYPE_CHECKING:
    from groupops_wxmp.wxmp import OfficialAccount

__all__ = ["manifest", "official_account", "platforms"]

manifest = Manifest(title="微信公众号(打卡与绑定)")


@hookimpl
def platforms(tools: Tools) -> Iterable[Platform]:
    """Offer the one platform, over however many official accounts."""
    return (official_account(tools),)


def official_account(tools: Tools) -> OfficialAccount:
    """Make the platform on the clock that runs; the adapter behind it is loaded when it is attached."""
    from groupops_wxmp.wxmp import OfficialAccount

    return OfficialAccount(tools.clock, tools.notes)
