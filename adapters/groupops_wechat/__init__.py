"""WeChat for NoneBot, through a Wechaty Puppet Service over gRPC; usable by any NoneBot bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groupops_wechat.config import Account, Config
from groupops_wechat.exception import (
    ActionFailed,
    ApiNotAvailable,
    ConfigFault,
    InDoubt,
    NetworkError,
    Refused,
    Taken,
    WechatyException,
)
from groupops_wechat.message import Message, MessageSegment

if TYPE_CHECKING:
    from groupops_wechat.adapter import Adapter
    from groupops_wechat.bot import Bot

__all__ = [
    "Account",
    "ActionFailed",
    "Adapter",
    "ApiNotAvailable",
    "Bot",
    "Config",
    "ConfigFault",
    "InDoubt",
    "Message",
    "MessageSegment",
    "NetworkError",
    "Refused",
    "Taken",
    "WechatyException",
]


def __getattr__(name: str) -> object:
    """Give the adapter and its bot when they are asked for: they bring gRPC along."""
    if name == "Adapter":
        from groupops_wechat.adapter import Adapter

        return Adapter
    if name == "Bot":
        from groupops_wechat.bot import Bot

        return Bot
    raise AttributeError(name)
