"""Who may come in: the start is refused while the door is open, and secrets are compared in constant time."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from nonebot import get_plugin_config
from nonebot.adapters.onebot.v11.config import Config as OneBotConfig
from pydantic import ValidationError

from groupops import ConfigError
from groupops_onebot.config import Config

BEARERS = frozenset({"bearer", "token"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What has to be shown to come in.

    Args:
        token: what a websocket has to show; never empty.
        secret: with what a body over HTTP has to be signed; empty only while HTTP is off.
        config: which accounts may come, and how.
    """

    token: str
    secret: str
    config: Config

    def knows_token(self, authorization: str | None) -> bool:
        """Say whether an `Authorization` header holds the token."""
        scheme, _, shown = (authorization or "").partition(" ")
        same = hmac.compare_digest(shown.strip().encode(), self.token.encode())
        return same and scheme.lower() in BEARERS

    def knows_signature(self, signature: str | None, body: bytes) -> bool:
        """Say whether an `X-Signature` header was made over that body with the secret."""
        if not self.secret:
            return False
        wanted = "sha1=" + hmac.new(self.secret.encode(), body, "sha1").hexdigest()
        return hmac.compare_digest((signature or "").encode(), wanted.encode())

    def admits(self, self_id: str | None) -> bool:
        """Say whether an account may connect."""
        return self_id is not None and self.config.allows(self_id)


def door_of(onebot: OneBotConfig, config: Config) -> Door:
    """Make the door as the adapter's own configuration, parsed, shows it.

    Raises:
        ConfigError: it would stand open; the text names every key that is missing.
    """
    token, secret = onebot.onebot_access_token or "", onebot.onebot_secret or ""
    faults: list[str] = []
    if not token.strip():
        faults.append(
            "ONEBOT_ACCESS_TOKEN is empty: anybody could connect as your bot; set the end's own token"
        )
    if config.onebot_http and not secret.strip():
        faults.append(
            "ONEBOT_HTTP=true without ONEBOT_SECRET: anybody could post facts; set the secret with which the end "
            "signs, or leave ONEBOT_HTTP off"
        )
    if not config.self_ids:
        faults.append(
            'ONEBOT_SELF_IDS is empty: name the bot\'s QQ number, e.g. ONEBOT_SELF_IDS=["10001"], or write "*"'
        )
    if faults:
        raise ConfigError(
            "the OneBot adapter does not start:\n" + "\n".join(f"  {fault}" for fault in faults)
        )
    return Door(token=token, secret=secret, config=config)


def door_now() -> Door:
    """Make the door from NoneBot's configuration as it is loaded.

    Raises:
        ConfigError: it would stand open, or a key does not hold.
    """
    return door_of(_parsed(OneBotConfig), _parsed(Config))


def _parsed(model: Any) -> Any:
    try:
        return get_plugin_config(model)
    except ValidationError as error:
        lines = [f"  {_key(found['loc'])}: {found['msg']}" for found in error.errors(include_input=False)]
        raise ConfigError("settings of the OneBot adapter do not hold:\n" + "\n".join(lines)) from None


def _key(place: tuple[int | str, ...]) -> str:
    """Give the key as it stands in `.env`; the library knows its own by a second name."""
    return str(place[0]).replace("onebot_v11_", "onebot_").upper() if place else "?"
