"""What an operator sets, and what of it does not hold."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from groupops_wechat.exception import ConfigFault

LEAST_TOKEN = 8
"""Characters a token must have at least: whoever knows it acts as the account."""


class Account(BaseModel):
    """One puppet service, with one WeChat account behind it.

    Args:
        endpoint: `host:port`; looked up nowhere else, least of all at a discovery service.
        token: what the service asks for.
        tls: whether the service speaks TLS, as it does by default.
        ca_file: PEM of who signed the service's certificate; empty for the authority that the published service
            brings along, whose private key everybody may have: good against mistakes, not against attackers.
        server_name: name in the service's certificate.
        numbering: how message types are numbered on the wire (protocol sheet 3.5).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str
    token: SecretStr
    tls: bool = True
    ca_file: str = ""
    server_name: str = "insecure"
    numbering: Literal["puppet", "proto"] = "puppet"

    @property
    def host(self) -> str:
        """Host of the endpoint."""
        return self.endpoint.rpartition(":")[0].strip("[]")

    @property
    def on_loopback(self) -> bool:
        """Whether the service runs on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class Config(BaseModel):
    """Keys of `.env` or of the environment."""

    model_config = ConfigDict(frozen=True)

    wechaty_accounts: tuple[Account, ...] = Field(
        default=(), title='木偶服务,如 [{"endpoint":"127.0.0.1:8788","token":"…"}]'
    )
    wechaty_accept_unofficial_risk: bool = Field(
        default=False,
        title="已知悉:微信不允许以非官方软件操作个人号,账号可能被限制或封禁;仍要连接",
    )
    wechaty_call_seconds: float = Field(default=15.0, gt=0, le=60, title="等待一次调用的秒数")
    wechaty_file_seconds: float = Field(default=60.0, gt=0, le=600, title="等待一次收发文件的秒数")
    wechaty_ding_seconds: float = Field(default=60.0, ge=5, le=600, title="隔多少秒探问一次服务是否还在")
    wechaty_fetch_at_once: int = Field(default=8, ge=1, le=64, title="同时读取的成员资料数")
    wechaty_member_minutes: float = Field(default=10.0, ge=0, le=1440, title="成员资料保留多少分钟")
    wechaty_kept: int = Field(default=20_000, ge=100, le=1_000_000, title="每个账号至多保留多少条成员资料")


def examined(config: Config) -> Config:
    """Give the configuration, if the adapter may start with it.

    Raises:
        ConfigFault: an account does not hold; every fault is named.
    """
    accounts = config.wechaty_accounts
    faults = [fault for number, one in enumerate(accounts) for fault in _faults(one, number)]
    seen = [one.endpoint for one in accounts]
    faults += [
        f"WECHATY_ACCOUNTS names {one} twice; name it once" for one in sorted({*seen}) if seen.count(one) > 1
    ]
    if accounts and not config.wechaty_accept_unofficial_risk:
        faults.append(
            "WECHATY_ACCEPT_UNOFFICIAL_RISK is not set: WeChat's terms forbid other software to act for a personal "
            "account, which may be restricted or banned; set it to true if its owner accepts that, "
            "or use WeCom, QQ, or the advisor mode without a bot"
        )
    if faults:
        raise ConfigFault(tuple(faults))
    return config


def _faults(account: Account, number: int) -> Sequence[str]:
    key = f"WECHATY_ACCOUNTS[{number}]"
    found: list[str] = []
    port = account.endpoint.rpartition(":")[2]
    if not account.host or not port.isdecimal():
        found.append(f'{key}.endpoint is {account.endpoint!r}; write host:port, such as "127.0.0.1:8788"')
    if len(account.token.get_secret_value()) < LEAST_TOKEN:
        found.append(f"{key}.token has fewer than {LEAST_TOKEN} characters; set the token of the service")
    if not account.tls and not account.on_loopback:
        found.append(
            f"{key}.tls is off for {account.host}; only a service on this machine may go without TLS"
        )
    if account.ca_file and not Path(account.ca_file).is_file():
        found.append(f"{key}.ca_file is {account.ca_file!r}, and there is no such file")
    return found
