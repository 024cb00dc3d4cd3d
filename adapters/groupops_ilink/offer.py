"""What groupops gets of iLink: the platform."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from groupops import Manifest, Platform, Tools, hookimpl

if TYPE_CHECKING:
    from groupops_ilink.ilink import ILink

__all__ = ["ilink", "manifest", "platforms"]

manifest = Manifest(title="微信私信控制台(iLink,官方一对一接口)")


@hookimpl
def platforms(tools: Tools) -> Iterable[Platform]:
    """Offer the one platform, over however many bots have logged in."""
    return (ilink(tools),)


def ilink(tools: Tools) -> ILink:
    """Make the platform on the clock that runs; the adapter behind it is loaded when it is attached."""
    from groupops_ilink.ilink import ILink

    return ILink(tools.clock, tools.notes)
