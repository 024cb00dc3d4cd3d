"""Whatever is pushed at the official bot's address or comes over its gateway, the bot stands and does nothing unbidden."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.soak.qq.frames import hostile, pushed, samples
from tests.soak.qq.started import PATIENCE, StartedBot, started
from tests.support.qq_platform import APP_ID, SECRET, QQPlatform, platform_running, until
from tests.support.soak import Soak

BODIES = 10_000
MOST = 1 << 20
"""Bytes of a body that are taken (`QQ_BODY_BYTES`)."""

AGAIN_S = 20.0
"""Seconds after which what nobody heard over the gateway is said again."""

GROWS_MB = 25.0
Frames = list[dict[str, Any] | bytes]
MEMBER = "ZHANG00000000000000000000000000A"


@pytest.fixture(scope="module")
def made() -> dict[int, Frames]:
    """Bodies that were made already, by how many; making them takes longer than throwing them."""
    return {}


def thrown(made: dict[int, Frames], soak: Soak) -> Frames:
    count = soak.rounds(BODIES)
    if count not in made:
        made[count] = hostile(count, soak.seed, samples("groupops_qq", "payload"))
    return made[count]


@asynccontextmanager
async def meeting(folder: Path, *, pushes: bool) -> AsyncIterator[tuple[StartedBot, QQPlatform]]:
    """Have a started bot that the make-believe platform knows, by pushes or over the gateway."""
    async with platform_running() as far:
        far.hall()
        far.seat(MEMBER, "张三")
        settings = {
            "GROUPOPS_ADAPTERS": '["qq"]',
            "QQ_BOTS": json.dumps([{"id": APP_ID, "secret": SECRET, "use_websocket": not pushes}]),
            "QQ_API_BASE": far.base,
            "QQ_AUTH_BASE": f"{far.base}app/getAppAccessToken",
        }
        async with started(folder, **settings) as bot:
            yield bot, far
        assert bot.harm() == []


async def handled(bot: StartedBot, far: QQPlatform, *, pushes: bool) -> None:
    """Have somebody say something in order, and wait until the bot has handled it.

    What was on a socket that a hostile frame made the bot close is lost with it, so over the gateway it is said again.
    """
    async with asyncio.timeout(PATIENCE):
        while True:
            said = f"还在 {time.monotonic_ns()}"
            payload = far.message(MEMBER, said)
            if pushes:
                answer = await far.push(f"{bot.http}/qq/webhook", payload)
                assert answer.status_code == 200
            else:
                await until(lambda: far.gateway.socket, PATIENCE)
                await far.gateway.emit(payload)
            if await heard(bot, said, PATIENCE if pushes else AGAIN_S):
                return


async def heard(bot: StartedBot, text: str, within: float) -> bool:
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        if bot.has_heard(text):
            return True
        await asyncio.sleep(0.05)
    return False


def unproved(far: QQPlatform, body: bytes, dice: random.Random) -> dict[str, str]:
    """Give headers that do not prove that the platform sends this now."""
    right, now = far.signed(body), datetime.now(UTC)
    other = far.signed(body + b" ")
    return dice.choice(
        (
            {},
            {"X-Bot-Appid": APP_ID},
            {**right, "X-Signature-Ed25519": ""},
            {**right, "X-Signature-Ed25519": "zz" * 64},
            {**right, "X-Signature-Ed25519": right["X-Signature-Ed25519"][:-2]},
            {**right, "X-Signature-Ed25519": "00" * 64},
            {**right, "X-Signature-Timestamp": str(int(now.timestamp()) + 1)},
            {**right, "X-Signature-Timestamp": "nonsense"},
            {**right, "X-Bot-Appid": "66666"},
            {key: value for key, value in right.items() if key != "X-Bot-Appid"},
            {**right, "X-Signature-Ed25519": other["X-Signature-Ed25519"]},
            far.signed(body, at=now - timedelta(minutes=6)),
            far.signed(body, at=now + timedelta(minutes=6)),
            far.signed(body, at=datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        )
    )


@pytest.mark.soak
async def test_no_push_that_the_platform_did_not_sign_just_now_has_an_effect(
    tmp_path: Path, soak: Soak, made: dict[int, Frames], capsys: pytest.CaptureFixture[str]
) -> None:
    dice, statuses = soak.random(), Counter[int]()
    bodies = thrown(made, soak)
    async with meeting(tmp_path / "bot", pushes=True) as (bot, far):
        await handled(bot, far, pushes=True)
        facts, before = len(bot.journal()), bot.rss
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            for number, frame in enumerate(bodies):
                if number % 3:
                    body = pushed(frame, number)
                else:
                    body = json.dumps(far.message(MEMBER, f"好 没有签名 {number}")).encode()
                path = dice.choice(("qq/webhook", "qq/webhook/", "qq/"))
                headers = unproved(far, body, dice)
                answer = await client.post(f"{bot.http}/{path}", content=body, headers=headers)
                assert answer.status_code != 413 or len(body) > MOST
                statuses[answer.status_code] += 1
            replayed = json.dumps(far.message(MEMBER, "只说一次")).encode()
            right = far.signed(replayed)
            again = [
                await client.post(f"{bot.http}/qq/webhook", content=replayed, headers=right)
                for _ in range(20)
            ]
        await handled(bot, far, pushes=True)

        texts = Counter(line["text"] for line in bot.journal()[facts:])
        assert texts.pop("只说一次") == 1
        assert len(texts) == 1, "only what was said in order to see that all was handled"
        assert set(statuses) <= {400, 401, 403, 413}
        assert again[0].status_code == 200
        assert not any("没有签名" in text for text in far.said())
        assert bot.rss - before < GROWS_MB
    with capsys.disabled():
        print(f"\nsoak unsigned pushes: {dict(statuses)}")  # noqa: T201 - the figures of the soak


@pytest.mark.soak
async def test_whatever_a_signed_push_holds_the_bot_stands(
    tmp_path: Path, soak: Soak, made: dict[int, Frames], capsys: pytest.CaptureFixture[str]
) -> None:
    statuses = Counter[int]()
    bodies = thrown(made, soak)
    async with meeting(tmp_path / "bot", pushes=True) as (bot, far):
        await handled(bot, far, pushes=True)
        sizes = [bot.rss]
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            for number, frame in enumerate(bodies):
                body = pushed(frame, number)
                answer = await client.post(f"{bot.http}/qq/webhook", content=body, headers=far.signed(body))
                assert (answer.status_code == 413) == (len(body) > MOST), len(body)
                statuses[answer.status_code] += 1
                if number in (len(bodies) // 2, len(bodies) - 1):
                    sizes.append(bot.rss)
        await handled(bot, far, pushes=True)

        assert set(statuses) <= {200, 400, 401, 409, 413}
        assert sizes[2] - sizes[1] < GROWS_MB
        kinds = Counter(line["kind"] for line in bot.journal())
        assert len(kinds) > 2, "the bodies were so spoilt that nothing of them was read"
    with capsys.disabled():
        print(f"\nsoak signed pushes: {dict(statuses)}, {dict(kinds)}, {[round(s) for s in sizes]} MB")  # noqa: T201


@pytest.mark.soak
async def test_whatever_comes_over_the_gateway_the_bot_stands(
    tmp_path: Path, soak: Soak, made: dict[int, Frames], capsys: pytest.CaptureFixture[str]
) -> None:
    frames = thrown(made, soak)
    async with meeting(tmp_path / "bot", pushes=False) as (bot, far):
        await until(lambda: far.gateway.socket, PATIENCE)
        await handled(bot, far, pushes=False)
        sizes, greeted = [bot.rss], len(far.gateway.greeted)
        for number, frame in enumerate(frames):
            await until(lambda: far.gateway.socket, PATIENCE)
            assert far.gateway.socket is not None
            body = pushed(frame, number)
            try:
                await far.gateway.socket.send(body.decode())
            except UnicodeDecodeError:
                await far.gateway.socket.send(body)
            if number in (len(frames) // 2, len(frames) - 1):
                await handled(bot, far, pushes=False)
                sizes.append(bot.rss)

        assert sizes[2] - sizes[1] < GROWS_MB
    kinds = Counter(
        line["kind"] for line in bot.journal()
    )  # the bot has ended: nothing waits in a lane any more
    assert len(kinds) > 2, "the frames were so spoilt that nothing of them was read"
    again = len(far.gateway.greeted) - greeted
    with capsys.disabled():
        print(f"\nsoak gateway: {len(frames)} frames, {again} new connections, {dict(kinds)}, {sizes} MB")  # noqa: T201
