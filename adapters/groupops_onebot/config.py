"""What an operator sets for this adapter, beside the keys of `nonebot-adapter-onebot` itself."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from groupops_onebot.shapes import rows

ANYBODY = "*"
"""In place of the allowed accounts: whoever has the token."""

MIB = 1 << 20


class Config(BaseModel):
    """Keys of `.env` or of the environment; `ONEBOT_ACCESS_TOKEN`, `ONEBOT_SECRET` … are the library's own."""

    model_config = ConfigDict(frozen=True)

    onebot_self_ids: tuple[str, ...] | str = Field(
        default=(), title='允许接入的机器人 QQ 号,如 ["10001"];写 "*" 则持有令牌的都可以'
    )
    onebot_http: bool = Field(
        default=False, title="是否开放 HTTP 上报地址;默认关闭,只用 WebSocket,打开必须同时设置 ONEBOT_SECRET"
    )
    onebot_frame_bytes: int = Field(
        default=8 * MIB, ge=MIB // 4, le=64 * MIB, title="一帧或一次上报最多多少字节,超过就断开"
    )
    onebot_in_flight: int = Field(default=256, ge=1, le=10_000, title="同时处理的事件数,满了就不再从连接读取")
    onebot_call_seconds: float = Field(default=30.0, gt=0, le=300, title="等待协议端答复一次调用的秒数")
    onebot_ping_seconds: float = Field(
        default=3.0, gt=0, le=60, title="同一账号第二次接入时,等旧连接答复多少秒,不答就由新连接替换"
    )
    onebot_confirm_seconds: float = Field(default=5.0, gt=0, le=60, title="移出成员后等待确认的秒数")
    onebot_media_hosts: tuple[str, ...] = Field(
        default=(), title="除 QQ 自己的域名外,还可以从哪些主机下载图片和文件(含下级域名)"
    )
    onebot_red_packet_texts: tuple[str, ...] = Field(
        default=(), title="整条消息等于其中一句时也当作红包;任何人都打得出来,默认不用"
    )

    @field_validator("onebot_self_ids", mode="before")
    @classmethod
    def _ids(cls, value: Any) -> tuple[str, ...]:
        """Take a number, a text with commas, or a list of either."""
        listed = rows(value) if isinstance(value, list) else [value]
        parts = ",".join(str(part) for part in listed).replace("，", ",").split(",")
        ids = tuple(part.strip() for part in parts if part.strip())
        for one in ids:
            if one != ANYBODY and not (one.isascii() and one.isdigit()):
                raise ValueError(f"{one!r} is no QQ number; write digits only, or {ANYBODY!r}")
        return ids

    @property
    def self_ids(self) -> frozenset[str]:
        """The accounts that may connect, or `ANYBODY` among them."""
        return frozenset(self.onebot_self_ids)

    @property
    def alone(self) -> bool:
        """Whether only one account may ever connect, so that no message is heard twice."""
        return len(self.self_ids) == 1 and ANYBODY not in self.self_ids

    def allows(self, self_id: str) -> bool:
        """Say whether an account may connect."""
        if not (self_id.isascii() and self_id.isdigit()) or len(self_id) > _DIGITS:
            return False
        return ANYBODY in self.self_ids or self_id in self.self_ids


_DIGITS = 20
