"""What groupops gets of WeChat: the platform."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from groupops import Manifest, Platform, Tools, hookimpl

if TYPE_CHECKING:
    from groupops_wechat.wechat import WeChat

__all__ = ["manifest", "platforms", "wechat"]

manifest = Manifest(title="微信(Wechaty 木偶服务)")


@hookimpl
def platforms(tools: Tools) -> Iterable[Platform]:
    """Offer the one platform, over however many accounts log in."""
    return (wechat(tools),)


def wechat(tools: Tools) -> WeChat:
    """Make the platform on the clock that runs; gRPC is loaded only now."""
    from groupops_wechat.wechat import WeChat

    return WeChat(tools.clock)
