"""企业微信 for NoneBot: AI bots, self-built apps, customer groups, webhook robots; usable by any NoneBot bot."""

from __future__ import annotations

from groupops_wecom.config import AiBotInfo, AppInfo, Config, RobotInfo
from groupops_wecom.exception import (
    ActionFailed,
    ApiNotAvailable,
    ConfigFault,
    InDoubt,
    NetworkError,
    NoLogException,
    WeComAdapterException,
    WindowClosed,
)

__all__ = [
    "ActionFailed",
    "AiBotInfo",
    "ApiNotAvailable",
    "AppInfo",
    "Config",
    "ConfigFault",
    "InDoubt",
    "NetworkError",
    "NoLogException",
    "RobotInfo",
    "WeComAdapterException",
    "WindowClosed",
]
