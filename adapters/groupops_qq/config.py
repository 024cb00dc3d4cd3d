"""What an operator sets for this adapter, beside `QQ_BOTS` and the other keys of `nonebot-adapter-qq` itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from groupops_qq.quota import Limit, limit_of

MIB = 1 << 20


class GroupSetting(BaseModel):
    """What an operator says of a group where the platform does not say it itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["owner", "admin", "member"] | None = Field(default=None, title="机器人在群里的角色")
    receives: Literal["all", "only_mention", "mention_and_context"] | None = Field(
        default=None, title="机器人收得到哪些消息"
    )
    proactive: bool | None = Field(default=None, title="机器人能否主动发言")


class Config(BaseModel):
    """Keys of `.env` or of the environment."""

    model_config = ConfigDict(frozen=True)

    qq_proactive_quotas: tuple[str, ...] = Field(
        default=("20/minute", "1000/day"),
        title='每个群主动发言的上限(不是回复),如 ["20/minute","1000/day"];平台拒绝时自动再降',
    )
    qq_proactive_groups: Mapping[str, tuple[str, ...]] = Field(
        default={}, title='个别群另定,如 {"群的 openid":["4/month"]};["0/day"] 表示从不主动发言'
    )
    qq_private_quotas: tuple[str, ...] = Field(
        default=("20/minute",), title="对每个人主动私信的上限(不是回复)"
    )
    qq_groups: Mapping[str, GroupSetting] = Field(
        default={},
        title='平台不肯说明群状态时由您写明,如 {"群的 openid":{"role":"admin","receives":"all","proactive":true}}',
    )
    qq_urls: Literal["defuse", "keep", "drop"] = Field(
        default="defuse",
        title="文字里未报备的网址:defuse 把点改成全角,keep 原样发送(平台可能拒绝整条),drop 删去",
    )
    qq_url_hosts: tuple[str, ...] = Field(
        default=(), title="已在开放平台报备、可以原样发送的域名(含下级域名)"
    )
    qq_keyboards: bool = Field(
        default=False, title="是否已获准使用 Markdown 和按钮;没有就用文字选项,被拒绝时自动改用文字"
    )
    qq_media_hosts: tuple[str, ...] = Field(
        default=(), title="除 QQ 自己的域名外,还可以从哪些主机下载图片和文件(含下级域名)"
    )
    qq_freshness_seconds: float = Field(
        default=300.0, ge=10, le=3600, title="签名时间与现在相差超过多少秒的推送不收"
    )
    qq_body_bytes: int = Field(default=MIB, ge=MIB // 16, le=16 * MIB, title="一次推送最多多少字节")
    qq_in_flight: int = Field(default=256, ge=1, le=10_000, title="同时处理的事件数,满了就让平台等待")
    qq_call_seconds: float = Field(default=15.0, gt=0, le=60, title="等待开放平台答复一次调用的秒数")
    qq_state_hours: float = Field(default=6.0, gt=0, le=168, title="每隔多少小时重新询问机器人在群里的状态")

    @field_validator("qq_proactive_quotas", "qq_private_quotas")
    @classmethod
    def _quotas(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            limit_of(one)
        return value

    @field_validator("qq_proactive_groups")
    @classmethod
    def _group_quotas(cls, value: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        for quotas in value.values():
            cls._quotas(quotas)
        return value

    @field_validator("qq_url_hosts", "qq_media_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: Any) -> Any:
        """Take one host as a text, and hosts in any case."""
        found = [value] if isinstance(value, str) else value
        return tuple(str(one).strip().lower() for one in found) if isinstance(found, list | tuple) else found  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any shape

    @property
    def group_limits(self) -> tuple[Limit, ...]:
        """What every group takes unasked."""
        return tuple(map(limit_of, self.qq_proactive_quotas))

    @property
    def special_limits(self) -> Mapping[str, tuple[Limit, ...]]:
        """What some groups take unasked instead."""
        return {group: tuple(map(limit_of, quotas)) for group, quotas in self.qq_proactive_groups.items()}

    @property
    def private_limits(self) -> tuple[Limit, ...]:
        """What every person takes unasked."""
        return tuple(map(limit_of, self.qq_private_quotas))
