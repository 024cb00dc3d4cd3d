"""A whole bot with an official account: a stranger is told how to be known, and what is not signed is turned away."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import nonebot
import pytest
from nonebot.drivers import Driver
from nonebot.matcher import matchers

from groupops.bridge import bridge_of, running, start_nonebot
from groupops.clock import SystemClock
from groupops.operations import alive, assemble, read_start
from tests.support.wxmp_end import APPID, SECRET, TOKEN, Caller


async def test_a_stranger_is_told_how_to_be_known_in_the_answer_to_the_callback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = {"appid": APPID, "token": TOKEN, "secret": SECRET, "type": "official"}
    monkeypatch.setenv("GROUPOPS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GROUPOPS_ADAPTERS", '["sandbox","wxmp"]')
    monkeypatch.setenv("WXMP_BOTS", json.dumps([bot]))
    assembled = assemble(read_start(tmp_path))
    driver = start_nonebot(assembled.start.nonebot, log_level="CRITICAL", accelerate=False)
    try:
        bridge_of(assembled).install(driver, [lambda: alive(assembled)])
        transport = httpx.ASGITransport(app=driver.server_app)  # type: ignore[attr-defined]
        async with running(driver), httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            caller = Caller(client, SystemClock())
            hint = await caller.says("你好")
            unsigned = await client.post(f"/wxmp/revice/{APPID}", content=b"<xml/>")
            records = assembled.engine.parts.records
            groups = await records.groups()
    finally:
        nonebot._driver = None
        Driver._adapters.clear()
        matchers.clear()

    assert "绑定码" in hint.text
    assert unsigned.status_code == 403
    assert groups == ()
