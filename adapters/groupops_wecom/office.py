"""The app an operator's command speaks through, made of the adapter's own keys."""

from __future__ import annotations

from dataclasses import dataclass

from nonebot.drivers.httpx import Mixin
from pydantic import ValidationError

from groupops import ConfigError, Desk, PlatformError
from groupops_wecom.config import AppInfo, Config, looked_over
from groupops_wecom.exception import ActionFailed, ConfigFault, InDoubt, NetworkError
from groupops_wecom.qyapi import QyApi


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """An app and its client."""

    info: AppInfo
    api: QyApi


def office(desk: Desk, app: int, *, customers: bool = False) -> Office:
    """Give the app a command speaks through.

    Args:
        desk: where the configuration is.
        app: its AgentId; 0 for the only one that will do.
        customers: whether it must be one for customer contact.

    Raises:
        ConfigError: there is none, or several.
    """
    config = _config(desk)
    fit = [one for one in config.wecom_apps if one.customers or not customers]
    found = [one for one in fit if app in {0, one.agent_id}]
    if len(found) == 1:
        info = found[0]
        api = QyApi(info.corp_id, info.secrets, Mixin().request, config.wecom_api_base)
        return Office(info=info, api=api)
    known = ", ".join(str(one.agent_id) for one in fit) or "none"
    kind = "app with customers=true" if customers else "app"
    if not found:
        which = f" {app}" if app else ""
        raise ConfigError(f"WECOM_APPS has no {kind}{which}; there is {known}")
    raise ConfigError(f"WECOM_APPS has several that will do ({known}): say which by --app")


def _config(desk: Desk) -> Config:
    keys = {key: value for key, value in desk.keys().items() if key in Config.model_fields}
    try:
        return looked_over(Config.model_validate(keys))
    except ConfigFault as fault:
        raise ConfigError(repr(fault)) from None
    except ValidationError as error:
        places = "; ".join(
            f"{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}"
            for one in error.errors(include_input=False, include_context=False, include_url=False)
        )
        raise ConfigError(f"the keys of the WeCom adapter do not hold: {places}") from None


def refused(error: ActionFailed | NetworkError, doing: str) -> PlatformError:
    """Give the error of an operator's command; it holds no secret, since the client's holds none."""
    doubt = (
        "; whether the last call was done is not known, look at it again"
        if isinstance(error, InDoubt)
        else ""
    )
    return PlatformError(f"WeCom would not let us {doing}: {error}{doubt}")
