"""nonebot-plugin-admin as a bot of `bench.qq`; run by the interpreter of its own environment, with nothing of ours.

Its word filter is switched on in every group of the stream, since it comes switched off, and given the words.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import nonebot
from nonebot.adapters import Event
from nonebot.adapters.onebot.v11 import Adapter
from nonebot.message import event_postprocessor


def main(port: int, warm_up: int, total: int) -> None:
    """Serve, and tell what the messages after the warm-up cost."""
    told = json.loads(Path("stream.json").read_text("utf-8"))
    nonebot.init(
        driver="~fastapi",
        onebot_access_token=told["token"],
        superusers=["90001"],
        log_level="WARNING",
        callback_notice=False,
        statistics_orm_enabled=True,
    )
    driver: Any = nonebot.get_driver()
    driver.register_adapter(Adapter)
    nonebot.load_plugin("nonebot_plugin_admin")
    handled = [0]

    @event_postprocessor
    async def count(event: Event) -> None:
        handled[0] += event.get_type() == "message"

    async def watch() -> None:
        await prepare(told["groups"], told["words"])
        print("ready", flush=True)
        await until(lambda: handled[0] >= warm_up)
        cpu, wall = time.process_time(), time.perf_counter()
        print("warm", flush=True)
        await until(lambda: handled[0] >= total)
        each = (time.process_time() - cpu) / (total - warm_up) * 1e6
        print(json.dumps({"us": each, "seconds": time.perf_counter() - wall}), flush=True)

    tasks = set()

    @driver.on_startup
    async def begin() -> None:
        tasks.add(asyncio.create_task(watch()))

    nonebot.run(host="127.0.0.1", port=port)


async def until(holds: Any) -> None:
    while not holds():  # noqa: ASYNC110 - counts ring no bell
        await asyncio.sleep(0.01)


async def prepare(groups: list[int], words: list[str]) -> None:
    """Switch the filter on and give it its words, by the plugin's own store."""
    from nonebot_plugin_admin.core.path import admin_funcs, is_default_enabled
    from nonebot_plugin_admin.statistics import config_orm_store as store

    await asyncio.sleep(2)  # its store opens at start as well
    assert await store.orm_replace_content_guard_rules([[word] for word in words])
    for group in groups:
        assert await store.orm_save_switcher_group(
            str(group), {name: name == "auto_ban" or is_default_enabled(name) for name in admin_funcs}
        )
    assert len(await store.orm_load_content_guard_rules()) == len(words)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
