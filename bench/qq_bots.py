"""The bots of `bench.qq`, each a process that serves: a bare one with an empty matcher, and the whole one as it starts."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nonebot
import psutil  # type: ignore[import-untyped]
from nonebot.adapters.onebot.v11 import Adapter
from nonebot.matcher import Matcher, current_event
from prometheus_client import CollectorRegistry

from bench.dispatch import Timed
from groupops.bridge import Bridge, start_nonebot
from groupops.operations import LoguruLog, alive, assemble, connect, read_start

TOKEN = "let-me-in"  # noqa: S105 - of bots that live for seconds, on loopback


def bare(port: int, warm_up: int, total: int) -> None:
    """NoneBot as it comes, with the library's own adapter and one matcher whose handler does nothing."""
    driver = start_nonebot(
        {"driver": "~fastapi", "onebot_access_token": TOKEN}, log_level="WARNING", accelerate=False
    )
    driver.register_adapter(Adapter)
    ended: dict[str, float] = {}

    async def nothing() -> None:
        event: Any = current_event.get()
        ended[f"qq:{event.group_id}:{event.message_id}:{event.time}"] = time.perf_counter()

    Matcher.new(handlers=[nothing])
    watched(lambda: len(ended), lambda: True, warm_up, total, lambda: {"ended": ended})
    nonebot.run(host="127.0.0.1", port=port)


def whole(port: int, warm_up: int, total: int) -> None:
    """The bot as `bot.py` starts it, in a folder with its `.env`; what it does of its own beside facts included."""
    start = read_start(Path.cwd())
    assembled = assemble(start, log=LoguruLog())
    driver = start_nonebot(start.nonebot, log_level="WARNING")
    timed = Timed(assembled.engine.flow)
    bridge = Bridge(timed, connect(assembled), gate=start.config.gate, registry=CollectorRegistry())
    bridge.accompany(assembled.works)
    bridge.install(driver, [lambda: alive(assembled)])

    def resting() -> bool:
        return bridge.lanes.idle and assembled.works.delivery.idle

    def more() -> dict[str, Any]:
        assert bridge.unread == bridge.lanes.traffic.failed == 0
        assert not assembled.engine.parts.hooks.faults
        return {"ended": timed.ended, "done": assembled.works.delivery.passed.carried}

    watched(lambda: len(timed.ended), resting, warm_up, total, more)
    nonebot.run(host="127.0.0.1", port=port)


def watched(
    count: Callable[[], int],
    resting: Callable[[], bool],
    warm_up: int,
    total: int,
    more: Callable[[], dict[str, Any]] = dict,
) -> None:
    """Have it told on the output when it is ready, and what the messages after the warm-up cost it."""

    async def watch() -> None:
        print("ready", flush=True)
        while count() < warm_up or not resting():  # noqa: ASYNC110 - counts ring no bell
            await asyncio.sleep(0.01)
        cpu, wall, memory = time.process_time(), time.perf_counter(), rss()
        print("warm", flush=True)
        while count() < total or not resting():  # noqa: ASYNC110 - counts ring no bell
            await asyncio.sleep(0.01)
        spent = time.process_time() - cpu, time.perf_counter() - wall
        told = {
            "us": spent[0] / (total - warm_up) * 1e6,
            "seconds": spent[1],
            "mb": [memory, rss()],
            **more(),
        }
        print(json.dumps(told), flush=True)

    tasks = set[asyncio.Task[None]]()

    @nonebot.get_driver().on_startup
    async def begin() -> None:
        tasks.add(asyncio.create_task(watch()))


def rss() -> float:
    """Resident memory of this process in MB."""
    return float(psutil.Process(os.getpid()).memory_info().rss) / 1e6


if __name__ == "__main__":
    {"bare": bare, "whole": whole}[sys.argv[1]](*map(int, sys.argv[2:5]))
