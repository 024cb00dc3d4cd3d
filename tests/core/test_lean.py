"""A bot loads what it needs: a start with SQLite, counters in process and no patterns leaves the rest on the disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

STARTED = """
import asyncio, sys
from pathlib import Path
from groupops.bridge import bridge_of, running, start_nonebot
from groupops.operations import alive, assemble, read_start

async def start():
    assembled = assemble(read_start(Path(sys.argv[1])))
    driver = start_nonebot(assembled.start.nonebot, log_level="ERROR")
    bridge_of(assembled).install(driver, [lambda: alive(assembled)])
    async with running(driver):
        print(*sorted({name.partition(".")[0] for name in sys.modules}))

asyncio.run(start())
"""


def loaded(folder: Path) -> set[str]:
    """The top-level packages in a bot that was just started."""
    env = {**os.environ, "GROUPOPS_DATA_DIR": str(folder), "GROUPOPS_ADAPTERS": '["sandbox"]'}
    command = [sys.executable, "-c", STARTED, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=env)
    return set(done.stdout.splitlines()[-1].split())


def test_a_started_bot_has_not_loaded_what_only_others_need(tmp_path: Path) -> None:
    there = loaded(tmp_path)

    assert {"groupops_moderation", "groupops_quiet_hours", "groupops_sandbox", "httpx", "aiosqlite"} <= there
    assert there.isdisjoint(
        {"redis", "asyncpg", "rich", "typer", "re2", "opencc", "gherkin", "Crypto", "xmltodict"}
    )
