"""A bot for iLink starts only with what it needs, and says which key is wrong and what to write."""

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
from groupops_ilink.answers import answer_of
from groupops_ilink.ilink import ILink

ONE = {"account_id": "a@im.bot", "token": "t1"}


@pytest.fixture(autouse=True)
def _nonebot() -> Iterator[None]:
    yield
    nonebot._driver = None
    Driver._adapters.clear()


def attached(**keys: Any) -> ILink:
    driver = start_nonebot({"driver": "~httpx", **keys}, log_level="CRITICAL", accelerate=False)
    clock = SystemClock()
    made = ILink(clock, OwnNotebook(records=MemoryRecords(), owner="ilink", clock=clock))
    made.attach(driver)
    return made


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "set WECHATCLAW_TOKEN, or WECHATCLAW_ACCOUNTS"),
        ({"wechatclaw_accounts": [{**ONE, "enabled": False}]}, "no bot is named"),
        ({"wechatclaw_accounts": [ONE, ONE]}, "names 'a@im.bot' twice"),
        (
            {"wechatclaw_accounts": [{**ONE, "base_url": "http://10.0.0.1"}]},
            r"WECHATCLAW_ACCOUNTS\[0\].base_url is 'http://10.0.0.1'; write an https address",
        ),
    ],
    ids=["nothing", "all switched off", "one twice", "an open line"],
)
def test_what_does_not_hold_is_said(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        attached(**keys)


def test_without_the_adapter_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("nonebot.adapters.wechatclaw")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "nonebot.adapters.wechatclaw", None)

    with pytest.raises(ConfigError, match=r"install groupops\[ilink\]"):
        attached(wechatclaw_token="t1")


def test_each_bot_has_its_line_and_none_is_up_before_it_runs() -> None:
    platform = attached(wechatclaw_accounts=[ONE, {"account_id": "b@im.bot", "token": "t2"}])

    assert sorted(line.account for line in platform.lines.values()) == ["a@im.bot", "b@im.bot"]
    assert not platform.health().connected


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        (b"", "ok"),
        (b"{}", "ok"),
        (b'{"ret":0,"message_id":9223372036854775819}', "ok"),
        (b'{"errcode":-14}', "stale"),
        (b'{"ret":-14,"errmsg":"session timeout"}', "stale"),
        (b'{"ret":-2,"errmsg":"prepare failed"}', "throttled"),
        (b'{"ret":-1}', "refused"),
        (b"<html>", "doubtful"),
        (b"[]", "doubtful"),
    ],
)
def test_an_answer_is_known_by_its_codes_wherever_they_stand(raw: bytes, outcome: str) -> None:
    assert answer_of(raw).outcome == outcome
