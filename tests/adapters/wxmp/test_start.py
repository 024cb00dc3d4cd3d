"""An official account starts only with what it needs, and says which key is wrong and what to write."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import nonebot
import pytest
from nonebot.drivers import Driver

from groupops import ConfigError
from groupops.bridge import start_nonebot
from groupops.clock import SystemClock
from groupops.notebook import OwnNotebook
from groupops.store.memory import MemoryRecords
from groupops_wxmp.wxmp import OfficialAccount

BOT = {"appid": "wx1", "token": "signed", "secret": "s", "type": "official"}


@pytest.fixture(autouse=True)
def _nonebot() -> Iterator[None]:
    yield
    nonebot._driver = None
    Driver._adapters.clear()


def attach(**keys: Any) -> None:
    driver = start_nonebot({"driver": "~fastapi+~httpx", **keys}, log_level="CRITICAL", accelerate=False)
    clock = SystemClock()
    book = OwnNotebook(records=MemoryRecords(), owner="wxmp", clock=clock)
    OfficialAccount(clock, book).attach(driver)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "WXMP_BOTS names no account"),
        ({"wxmp_bots": [{**BOT, "type": "miniprogram"}]}, r"WXMP_BOTS\[0\].type is 'miniprogram'"),
        ({"wxmp_bots": [{**BOT, "token": ""}]}, r"WXMP_BOTS\[0\].token has 0 characters"),
        ({"wxmp_bots": [{**BOT, "callback": "https://else.example/x"}]}, "leave it out"),
        ({"wxmp_bots": [BOT, BOT]}, "names 'wx1' twice"),
        ({"wxmp_bots": [BOT], "wxmp_verify": False}, "WXMP_VERIFY is false"),
        ({"wxmp_bots": [BOT], "wxmp_api_root": "http://proxy.example"}, "WXMP_API_ROOT"),
    ],
)
def test_what_does_not_hold_is_said(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        attach(**keys)


def test_without_the_adapter_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("nonebot.adapters.wxmp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "nonebot.adapters.wxmp", None)

    with pytest.raises(ConfigError, match=r"install groupops\[wxmp\]"):
        attach(wxmp_bots=[BOT])
