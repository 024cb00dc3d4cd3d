"""QQ by an official bot of the open platform: over a websocket or by pushes, within the platform's quotas."""

from __future__ import annotations

from collections.abc import Iterable

from groupops import Manifest, Platform, Tools, hookimpl
from groupops_qq.official import OfficialQQ
from groupops_qq.profile import Profile, profile

__all__ = ["OfficialQQ", "Profile", "manifest", "platforms", "profile"]

manifest = Manifest(title="QQ 官方机器人")


@hookimpl
def platforms(tools: Tools) -> Iterable[Platform]:
    """Offer one platform for all bots of `QQ_BOTS`."""
    return (OfficialQQ(tools.clock, tools.counters, tools.notes),)
