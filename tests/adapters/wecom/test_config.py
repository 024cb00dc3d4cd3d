"""The adapter starts only where its doors are locked, says every fault at once, and shows no secret."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nonebot
import pytest
from nonebot.drivers import Driver
from pydantic import ValidationError

from groupops_wecom import Adapter, AiBotInfo, AppInfo, Config, ConfigFault
from groupops_wecom.config import looked_over
from groupops_wecom.testing import AES_KEY

ROOT = Path(__file__).parents[3]
APP = {"corp_id": "ww1", "agent_id": 1, "secret": "geheim-app", "token": "geheim-token", "aes_key": AES_KEY}
LINK = {"bot_id": "aib1", "secret": "geheim-bot"}

FAULTY: dict[str, tuple[dict[str, Any], str]] = {
    "an app without a token": ({"wecom_apps": [APP | {"token": ""}]}, r"WECOM_APPS\[0\]\.token is missing"),
    "an app without a key": ({"wecom_apps": [APP | {"aes_key": ""}]}, r"WECOM_APPS\[0\]\.aes_key is no"),
    "an app with half a key": ({"wecom_apps": [APP | {"aes_key": AES_KEY[:20]}]}, r"43 letters and digits"),
    "an app without a secret": ({"wecom_apps": [APP | {"secret": " "}]}, r"WECOM_APPS\[0\]\.secret is empty"),
    "an app twice": ({"wecom_apps": [APP, APP]}, r"WECOM_APPS names one corp_id and agent_id twice"),
    "a contacts door without a key": (
        {"wecom_apps": [APP | {"contacts_token": "t"}]},
        r"WECOM_APPS\[0\]\.contacts_aes_key is no",
    ),
    "a bot without anything": ({"wecom_aibots": [{"bot_id": "aib1"}]}, r"WECOM_AIBOTS\[0\] has neither"),
    "a bot with both": (
        {"wecom_aibots": [LINK | {"token": "t", "aes_key": AES_KEY}]},
        r"either on the long connection or on a callback URL",
    ),
    "a bot with a token alone": (
        {"wecom_aibots": [{"bot_id": "aib1", "token": "t"}]},
        r"WECOM_AIBOTS\[0\]\.aes_key is no",
    ),
    "a bot with a path for an id": ({"wecom_aibots": [LINK | {"bot_id": "../x"}]}, r"is no BotID"),
    "a robot without a key": ({"wecom_robots": [{"name": "群", "key": ""}]}, r"WECOM_ROBOTS\[0\] lacks"),
    "an address that shows secrets": ({"wecom_api_base": "http://example.com"}, r"carry secrets unencrypted"),
    "an address that is none": ({"wecom_ws_url": "https://example.com"}, r"WECOM_WS_URL is no wss://"),
}


@pytest.mark.parametrize("what", sorted(FAULTY))
def test_the_start_is_refused_with_the_name_of_the_key(what: str) -> None:
    settings, said = FAULTY[what]

    with pytest.raises(ConfigFault, match=said) as fault:
        looked_over(Config(**settings))

    assert "geheim" not in str(fault.value)
    assert AES_KEY not in str(fault.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigFault) as fault:
        looked_over(Config(wecom_apps=[APP | {"token": ""}], wecom_aibots=[{"bot_id": "aib1"}]))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - read from JSON

    assert len(fault.value.faults) == 2


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"wecom_apps": [APP]},
        {"wecom_apps": [{"corp_id": "ww1", "agent_id": 1, "secret": "s", "callback": False}]},
        {"wecom_aibots": [LINK]},
        {"wecom_aibots": [{"bot_id": "aib1", "token": "t", "aes_key": AES_KEY}]},
        {"wecom_ws_url": "ws://127.0.0.1:1", "wecom_api_base": "http://localhost:1/"},
        {"wecom_api_base": "http://wecom.intern", "wecom_allow_plain": True},
    ],
)
def test_what_is_whole_is_taken(settings: dict[str, Any]) -> None:
    assert looked_over(Config(**settings)).wecom_max_body > 0


def test_no_secret_is_shown() -> None:
    config = Config(wecom_apps=[APP], wecom_aibots=[LINK], wecom_robots=[{"name": "n", "key": "geheim-key"}])  # type: ignore[arg-type, list-item] # pyright: ignore[reportArgumentType] - read from JSON

    assert "geheim" not in repr(config) + str(config)


@pytest.mark.parametrize("model", [AiBotInfo, AppInfo])
def test_a_misspelt_key_is_refused(model: type[AiBotInfo | AppInfo]) -> None:
    with pytest.raises(ValidationError, match="tokne"):
        model.model_validate({**(LINK if model is AiBotInfo else APP), "tokne": "x"})


def test_a_driver_that_serves_nothing_is_refused() -> None:
    nonebot.init(driver="~httpx", log_level="CRITICAL")
    try:
        with pytest.raises(ConfigFault, match=r"DRIVER=\"~fastapi\+~httpx\+~websockets\""):
            Adapter(nonebot.get_driver(), config=Config(wecom_apps=[APP], wecom_aibots=[LINK]))  # type: ignore[arg-type, list-item] # pyright: ignore[reportArgumentType] - read from JSON
    finally:
        nonebot._driver = None
        Driver._adapters.clear()


BOT = """
import nonebot
from groupops_wecom import Adapter
nonebot.init()
driver = nonebot.get_driver()
driver.register_adapter(Adapter)
config = driver._adapters["WeCom"].wecom_config
import sys
print(config.wecom_aibots[0].bot_id, config.wecom_apps[0].agent_id, config.wecom_ack_seconds)
print(sorted(name for name in sys.modules if name == "groupops" or name.startswith("groupops.")))
"""


def run(folder: Path, env: str) -> subprocess.CompletedProcess[str]:
    """Start a bot that knows nothing of groupops, from a `.env` alone."""
    (folder / ".env").write_text(env, encoding="utf-8")
    (folder / "bot.py").write_text(BOT, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "bot.py"], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_bot_starts_from_its_env_and_knows_nothing_of_groupops(tmp_path: Path) -> None:
    env = (
        "DRIVER=~fastapi+~httpx+~websockets\nLOG_LEVEL=CRITICAL\nWECOM_ACK_SECONDS=4\n"
        f"WECOM_AIBOTS='{json.dumps([LINK])}'\nWECOM_APPS='{json.dumps([APP])}'\n"
    )

    done = run(tmp_path, env)

    assert done.stdout.splitlines()[-2:] == ["aib1 1 4.0", "[]"], done.stderr


def test_what_cannot_be_read_is_told_without_what_stood_there(tmp_path: Path) -> None:
    apps = json.dumps([APP | {"agent_id": "geheim-number"}])

    done = run(tmp_path, f"DRIVER=~fastapi+~httpx+~websockets\nWECOM_APPS='{apps}'\n")

    assert done.returncode == 1
    assert "WECOM_APPS[0].agent_id" in done.stderr
    assert "geheim" not in done.stderr + done.stdout
