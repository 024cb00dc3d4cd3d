"""What an operator sets, beside `WECHATCLAW_TOKEN` or `WECHATCLAW_ACCOUNTS` of `nonebot-adapter-wechatclaw` itself."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field


class Config(BaseModel):
    """Keys of `.env` or of the environment. The limits are what users measured; Tencent names none."""

    model_config = ConfigDict(frozen=True)

    ilink_window_hours: float = Field(
        default=24.0, gt=0, le=720, title="对方说话之后多少小时内可以给他发消息"
    )
    ilink_answers: int = Field(default=10, ge=1, le=1000, title="对方说一次话之后最多发几条")
    ilink_pause_minutes: float = Field(
        default=5.0, gt=0, le=60, title="被限流后先停多少分钟;接连被限就加倍,至多一小时"
    )
    ilink_stale_minutes: float = Field(
        default=60.0, gt=0, le=1440, title="令牌失效后停多少分钟才再试(须重新扫码)"
    )
    ilink_retry_seconds: float = Field(
        default=2.0, gt=0, le=60, title="收消息失败后隔几秒再试;接连三次后为十五倍"
    )
    ilink_keep_days: float = Field(default=14.0, gt=0, le=90, title="等对方开口的消息最多等几天")
    ilink_chars: int = Field(default=2000, ge=200, le=20_000, title="一条消息最多多少字,更长就分开发")


NOBODY = (
    'no bot is named: set WECHATCLAW_TOKEN, or WECHATCLAW_ACCOUNTS such as [{"account_id":"…@im.bot","token":"…"}], '
    'as the login by QR code gave it; or take "ilink" out of GROUPOPS_ADAPTERS'
)


@dataclass(frozen=True, slots=True)
class Login:
    """One bot, as the adapter's own keys name it.

    Args:
        account: its id (`…@im.bot`), or `weixin` where none is given.
        token: what the login by QR code gave.
    """

    account: str
    token: str


def logins(theirs: Any) -> tuple[Login, ...]:
    """Give the bots that the adapter's own configuration names; `enabled: false` and an empty token name none."""
    named = [one for one in theirs.wechatclaw_accounts if one.enabled and one.token]
    if theirs.wechatclaw_accounts:
        return tuple(Login(one.account_id or "weixin", one.token) for one in named)
    if theirs.wechatclaw_token:
        return (Login(theirs.wechatclaw_account_id or "weixin", theirs.wechatclaw_token),)
    return ()


def faults(theirs: Any) -> Sequence[str]:
    """Give what is wrong with the adapter's own keys, each fault as a sentence that says what to do."""
    found = logins(theirs)
    if not found:
        return (NOBODY,)
    twice = [one for one, times in Counter(one.account for one in found).items() if times > 1]
    said = [
        f"WECHATCLAW_ACCOUNTS names {one!r} twice; give each bot its own account_id" for one in sorted(twice)
    ]
    said += [
        f"{key} is {url!r}; write an https address"
        for key, url in _addresses(theirs).items()
        if not _safe(url)
    ]
    return said


def _addresses(theirs: Any) -> Mapping[str, str]:
    rows = enumerate(theirs.wechatclaw_accounts)
    return {"WECHATCLAW_BASE_URL": theirs.wechatclaw_base_url} | {
        f"WECHATCLAW_ACCOUNTS[{number}].base_url": one.base_url for number, one in rows
    }


def _safe(url: str) -> bool:
    """Say whether a token may be sent there: over TLS, or to this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"
