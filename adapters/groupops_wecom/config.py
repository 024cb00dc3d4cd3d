"""What an operator sets: the bots, the apps, the robots, and how patient and how strict the adapter is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from groupops_wecom.exception import ConfigFault

KIB = 1 << 10
MIB = 1 << 20

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts to which a secret may go unencrypted."""

_AES_KEY = re.compile(r"[0-9A-Za-z+/]{43}")
_ID = re.compile(r"[0-9A-Za-z_@.-]{1,128}")

_NO_SECRET = SecretStr("")


class _Info(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AiBotInfo(_Info):
    """One AI bot (智能机器人): by `secret` over the long connection, or by `token` and `aes_key` over a callback URL."""

    bot_id: str = Field(title="机器人的 BotID")
    secret: SecretStr = Field(default=_NO_SECRET, title="长连接的 Secret;用回调地址时留空")
    token: SecretStr = Field(default=_NO_SECRET, title="回调地址的 Token;用长连接时留空")
    aes_key: SecretStr = Field(default=_NO_SECRET, title="回调地址的 EncodingAESKey(43 位);用长连接时留空")
    name: str = Field(default="", title="机器人在群里显示的名字,收到的消息里开头的 @名字 会去掉")

    @property
    def by_link(self) -> bool:
        """Whether it works over the long connection."""
        return bool(self.secret.get_secret_value())

    @property
    def path(self) -> str:
        """Path of its callback URL."""
        return f"/wecom/aibot/{self.bot_id}"


class AppInfo(_Info):
    """One self-built app (自建应用), with what it may do besides: contacts, customers, archive."""

    corp_id: str = Field(title="企业 ID")
    agent_id: int = Field(ge=1, title="应用的 AgentId")
    secret: SecretStr = Field(title="应用的 Secret")
    callback: bool = Field(default=True, title="是否接收消息和事件;false 只发送,不需要 Token")
    token: SecretStr = Field(default=_NO_SECRET, title="接收消息的 Token")
    aes_key: SecretStr = Field(default=_NO_SECRET, title="接收消息的 EncodingAESKey(43 位)")
    customers: bool = Field(default=False, title="是否已列入客户联系的可调用接口的应用")
    customers_token: SecretStr = Field(
        default=_NO_SECRET, title="客户联系另设回调时的 Token;事件发到应用时留空"
    )
    customers_aes_key: SecretStr = Field(default=_NO_SECRET, title="客户联系另设回调时的 EncodingAESKey")
    contacts_secret: SecretStr = Field(default=_NO_SECRET, title="通讯录同步助手的 Secret")
    contacts_token: SecretStr = Field(default=_NO_SECRET, title="通讯录同步助手回调的 Token")
    contacts_aes_key: SecretStr = Field(default=_NO_SECRET, title="通讯录同步助手回调的 EncodingAESKey")
    archive_secret: SecretStr = Field(default=_NO_SECRET, title="会话内容存档的 Secret")
    archive_token: SecretStr = Field(default=_NO_SECRET, title="会话内容存档回调的 Token")
    archive_aes_key: SecretStr = Field(default=_NO_SECRET, title="会话内容存档回调的 EncodingAESKey")

    @property
    def self_id(self) -> str:
        """Id of the app's bot in NoneBot."""
        return f"{self.corp_id}:{self.agent_id}"

    @property
    def path(self) -> str:
        """Path of its callback URL; further callbacks lie below it."""
        return f"/wecom/app/{self.corp_id}/{self.agent_id}"

    @property
    def doors(self) -> Iterator[tuple[str, SecretStr, SecretStr]]:
        """Every callback URL that is set up: name (empty for the app's own), token, key."""
        found = (
            ("", self.token if self.callback else _NO_SECRET, self.aes_key),
            ("contacts", self.contacts_token, self.contacts_aes_key),
            ("customers", self.customers_token, self.customers_aes_key),
            ("archive", self.archive_token, self.archive_aes_key),
        )
        return ((name, token, key) for name, token, key in found if token.get_secret_value())

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets by the name under which an access token is asked for."""
        found = {"app": self.secret, "contacts": self.contacts_secret, "archive": self.archive_secret}
        return {
            name: secret.get_secret_value() for name, secret in found.items() if secret.get_secret_value()
        }


class RobotInfo(_Info):
    """One webhook robot (消息推送) of one group."""

    name: str = Field(title="自己起的名字,用来指明哪个群")
    key: SecretStr = Field(title="Webhook 地址里的 key")


class Config(BaseModel):
    """Keys of `.env` or of the environment."""

    model_config = ConfigDict(frozen=True)

    wecom_aibots: tuple[AiBotInfo, ...] = Field(default=(), title="智能机器人")
    wecom_apps: tuple[AppInfo, ...] = Field(default=(), title="自建应用")
    wecom_robots: tuple[RobotInfo, ...] = Field(default=(), title="群里的消息推送(Webhook 机器人)")
    wecom_ws_url: str = Field(
        default="wss://openws.work.weixin.qq.com", title="长连接地址;私有部署时改成自己的"
    )
    wecom_api_base: str = Field(default="https://qyapi.weixin.qq.com", title="接口地址;私有部署时改成自己的")
    wecom_allow_plain: bool = Field(
        default=False, title="是否允许不加密的 ws:// 和 http:// 地址;本机地址总是允许"
    )
    wecom_max_body: int = Field(
        default=256 * KIB, ge=16 * KIB, le=16 * MIB, title="一次回调最多多少字节,超出不收"
    )
    wecom_replay_seconds: float = Field(
        default=300.0, ge=10, le=3600, title="回调的时间戳与现在相差超过多少秒不收,在此期间同一签名只收一次"
    )
    wecom_in_flight: int = Field(
        default=512, ge=1, le=10_000, title="同时处理的事件数;满了就让企业微信稍后重发"
    )
    wecom_ack_seconds: float = Field(default=5.0, gt=0, le=60, title="长连接上等待答复的秒数")
    wecom_ping_seconds: float = Field(default=30.0, gt=0, le=120, title="长连接心跳的间隔秒数")
    wecom_subscribe_tries: int = Field(
        default=5, ge=1, le=100, title="订阅连续被拒绝多少次后不再尝试(多半是 BotID 或 Secret 不对)"
    )
    wecom_reply_seconds: float = Field(
        default=3.0, ge=0, le=4.5, title="智能机器人用回调地址时,等待插件作答、随 HTTP 响应发回的秒数"
    )
    wecom_passive_seconds: float = Field(
        default=0.0, ge=0, le=4.5, title="自建应用等待插件被动回复的秒数;0 表示立即应答,回复走接口"
    )
    wecom_media_cap: int = Field(default=20 * MIB, ge=KIB, le=100 * MIB, title="下载图片和文件最多多少字节")
    wecom_media_hosts: tuple[str, ...] = Field(
        default=(), title="不加密的媒体地址(http://)只从这些主机下载;加密的不限"
    )
    wecom_aibot_mentions: bool = Field(
        default=False, title="智能机器人的 Markdown 里是否写 <@用户>(未证实会生效);false 写成 @名字"
    )

    @field_validator("wecom_ws_url", "wecom_api_base", mode="after")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("wecom_media_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: Any) -> Any:
        """Take one host as a text, and hosts in any case."""
        found = [value] if isinstance(value, str) else value
        return tuple(str(one).strip().lower() for one in found) if isinstance(found, list | tuple) else found  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any shape


def looked_over(config: Config) -> Config:
    """Give the configuration back when it holds.

    Raises:
        ConfigFault: a door would stand open, or a key cannot be right; every fault is named, no value is shown.
    """
    faults = (
        *_addresses(config),
        *_twice("WECOM_AIBOTS", "bot_id", (bot.bot_id for bot in config.wecom_aibots)),
        *_twice("WECOM_APPS", "corp_id and agent_id", (app.self_id for app in config.wecom_apps)),
        *_twice("WECOM_ROBOTS", "name", (robot.name for robot in config.wecom_robots)),
        *(f for place, bot in enumerate(config.wecom_aibots) for f in _of_bot(f"WECOM_AIBOTS[{place}]", bot)),
        *(f for place, app in enumerate(config.wecom_apps) for f in _of_app(f"WECOM_APPS[{place}]", app)),
        *(
            f
            for place, one in enumerate(config.wecom_robots)
            for f in _of_robot(f"WECOM_ROBOTS[{place}]", one)
        ),
    )
    if faults:
        raise ConfigFault(faults)
    return config


def _addresses(config: Config) -> Iterator[str]:
    yield from _address("WECOM_WS_URL", config.wecom_ws_url, "wss", "ws", plain=config.wecom_allow_plain)
    yield from _address(
        "WECOM_API_BASE", config.wecom_api_base, "https", "http", plain=config.wecom_allow_plain
    )


def _address(key: str, value: str, secure: str, open_: str, *, plain: bool) -> Iterator[str]:
    parts = urlsplit(value)
    if parts.scheme not in {secure, open_} or not parts.hostname:
        yield f"{key} is no {secure}:// address"
    elif parts.scheme == open_ and not plain and parts.hostname not in LOOPBACK:
        yield f"{key} would carry secrets unencrypted: write {secure}://, or set WECOM_ALLOW_PLAIN=true"


def _twice(key: str, what: str, ids: Iterable[str]) -> Iterator[str]:
    found = list(ids)
    if len(set(found)) < len(found):
        yield f"{key} names one {what} twice; leave one of them out"


def _of_bot(key: str, bot: AiBotInfo) -> Iterator[str]:
    if not _ID.fullmatch(bot.bot_id):
        yield f"{key}.bot_id is no BotID: copy it from the bot's page in the console"
    by_url = bool(bot.token.get_secret_value() or bot.aes_key.get_secret_value())
    if bot.by_link and by_url:
        yield f"{key} has secret and token: a bot is either on the long connection or on a callback URL; leave one out"
    elif by_url:
        yield from _door(key, "", bot.token, bot.aes_key)
    elif not bot.by_link:
        yield f"{key} has neither secret (long connection) nor token and aes_key (callback URL): give one of them"


def _of_app(key: str, app: AppInfo) -> Iterator[str]:
    if not _ID.fullmatch(app.corp_id):
        yield f"{key}.corp_id is no corp id: it is shown under 我的企业 in the console"
    if not app.secret.get_secret_value().strip():
        yield f"{key}.secret is empty: copy it from the app's page in the console"
    if app.callback:
        yield from _door(
            key, "", app.token, app.aes_key, or_else="; an app that only sends has callback=false"
        )
    for name in ("customers", "contacts", "archive"):
        token, aes_key = getattr(app, f"{name}_token"), getattr(app, f"{name}_aes_key")
        if token.get_secret_value() or aes_key.get_secret_value():
            yield from _door(key, f"{name}_", token, aes_key)


def _of_robot(key: str, robot: RobotInfo) -> Iterator[str]:
    if not robot.name.strip() or not robot.key.get_secret_value().strip():
        yield f"{key} lacks name or key: the key stands at the end of the robot's Webhook address"


def _door(key: str, prefix: str, token: SecretStr, aes_key: SecretStr, *, or_else: str = "") -> Iterator[str]:
    """Say what is missing so that a callback URL could be told from anybody's."""
    if not token.get_secret_value().strip():
        yield f"{key}.{prefix}token is missing: without it anybody could post; copy it from the console{or_else}"
    if not _AES_KEY.fullmatch(aes_key.get_secret_value()):
        yield f"{key}.{prefix}aes_key is no EncodingAESKey: 43 letters and digits, copied from the console{or_else}"
