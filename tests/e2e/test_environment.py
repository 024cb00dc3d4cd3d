"""A bot that is started with `env -i` and a handful of keys, and no `.env` at all, knows its secrets."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.e2e.started import Place, Started, free_port
from tests.support.onebot_end import BOT, OneBotEnd
from tests.support.qq_platform import APP_ID, SECRET, QQPlatform, platform_running

TOKEN, SIGNING = "12345678", "0042"
"""Both look like numbers, and must not become any."""


@pytest.fixture
async def far() -> AsyncIterator[QQPlatform]:
    """The open platform on loopback."""
    async with platform_running() as platform:
        yield platform


@pytest.fixture
async def started(tmp_path: Path, far: QQPlatform) -> AsyncIterator[Started]:
    """A bot for both doors, started by `groupops run` in an empty folder, with nothing but its environment."""
    port = free_port()
    keys = {
        "PORT": str(port),
        "GROUPOPS_ADAPTERS": '["onebot", "qq"]',
        "GROUPOPS_DATA_DIR": str(tmp_path / "data"),
        "ONEBOT_ACCESS_TOKEN": TOKEN,
        "ONEBOT_SECRET": SIGNING,
        "ONEBOT_SELF_IDS": str(BOT),
        "ONEBOT_HTTP": "true",
        "QQ_BOTS": json.dumps([{"id": APP_ID, "secret": SECRET, "use_websocket": False}]),
        "QQ_API_BASE": far.base,
        "QQ_AUTH_BASE": f"{far.base}app/getAppAccessToken",
    }
    place = Place(tmp_path, environ=keys)
    (tmp_path / ".env").unlink()
    place.port = port
    place.groupops("migrate")
    bot = place.start()
    await bot.ready()
    yield bot
    bot.stop()


async def test_keys_that_stand_only_in_the_process_environment_open_and_shut_the_doors(
    started: Started, far: QQPlatform
) -> None:
    end, stranger = OneBotEnd(), OneBotEnd()
    end.hall()
    await end.connect(started.url("/onebot/v11/ws", "ws"), token=TOKEN)
    with pytest.raises(InvalidStatus):
        await stranger.connect(started.url("/onebot/v11/ws", "ws"), token="another")
    body = json.dumps(end.beat(), separators=(",", ":")).encode()
    signed = "sha1=" + hmac.new(SIGNING.encode(), body, "sha1").hexdigest()
    pushed = await far.push(started.url("/qq/webhook"), far.whisper("A" * 32, "帮助"))
    wrong = {**far.signed(b"something else"), "X-Signature-Ed25519": "00" * 64}
    forged = await far.push(started.url("/qq/webhook"), far.whisper("A" * 32, "帮助"), headers=wrong)
    async with httpx.AsyncClient(trust_env=False) as client:
        shown = {"X-Self-ID": str(BOT), "X-Signature": signed}
        good = await client.post(started.url("/onebot/v11/"), content=body, headers=shown)
        bad = await client.post(started.url("/onebot/v11/"), content=body, headers={"X-Self-ID": str(BOT)})
    await end.close()

    assert [pushed.status_code, forged.status_code] == [200, 401]
    assert [good.status_code, bad.status_code] == [204, 401]
    assert not (started.place.folder / ".env").exists()
