"""A bot as an operator starts it: `bot.py` in a process of its own, from `.env` alone, with its doors on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psutil  # type: ignore[import-untyped]

from groupops.config import Config
from groupops.operations import apps_of, load_hooks
from groupops.records import Records
from groupops.store.sql import open_records
from tests.soak.qq import witness
from tests.support.onebot_end import BOT

ROOT = Path(__file__).parents[3]
PATIENCE = 120.0
"""Seconds a start, a stop or an answer may take on a machine that others work on too."""

TOKEN = "let-me-in"
SECRET = "sign-it"
STEWARD = 90001
TWIN = 10002
"""A second account that may connect."""

PROPER: Mapping[str, str] = {
    "GROUPOPS_ADAPTERS": '["onebot"]',
    "GROUPOPS_DATA_DIR": "data",
    "GROUPOPS_PACKS_DIR": "packs",
    "GROUPOPS_DEFAULT_PACKS": '["soak"]',
    "GROUPOPS_DEFAULT_STAGE": "enforced",
    "GROUPOPS_EXTRA_PLUGINS": '["tests.soak.qq.witness"]',
    "GROUPOPS_STEWARDS": f'["qq:{STEWARD}"]',
    "GROUPOPS_PACE": "false",
    "GROUPOPS_SCAN_MINUTES": "0",
    "GROUPOPS_HOOK_TIMEOUT_SECONDS": "30",  # of a busy machine; a plugin that hangs is seen all the same
    "ONEBOT_ACCESS_TOKEN": TOKEN,
    "ONEBOT_SECRET": SECRET,
    "ONEBOT_SELF_IDS": json.dumps([str(BOT), str(TWIN)]),
    "LOG_LEVEL": "INFO",
}

_LATELY = 500_000
"""Bytes."""

HARM = re.compile(
    r"Traceback \(most recent call last\)|unhandled|never retrieved|never awaited", re.IGNORECASE
)
"""What no log of ours may hold, whatever was thrown at the bot."""


@dataclass
class StartedBot:
    """The process and what can be seen of it from outside.

    Args:
        folder: where its `.env`, its database, its log and its journal lie.
        port: where it listens.
    """

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    forgotten: int = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/onebot/v11/ws"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has logged since the last `forget`."""
        return (self.folder / "log").read_bytes()[self.forgotten :].decode(errors="replace")

    @property
    def rss(self) -> float:
        """Its resident memory in MB."""
        assert self.process is not None
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    @property
    def cpu(self) -> float:
        """Seconds of processor it has had."""
        assert self.process is not None
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    # — life —

    def launch(self) -> None:
        """Start it."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "bot.py")],
                cwd=self.folder,
                env={**of_nobody(), "SOAK_JOURNAL": str(self.folder / "journal"), "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def ready(self) -> None:
        """Wait until it is ready."""
        assert self.process is not None
        async with asyncio.timeout(PATIENCE):
            while not await self._says_ready():
                assert self.process.poll() is None, f"the bot ended at its start:\n{self.log[-3000:]}"
                await asyncio.sleep(0.05)

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        self.launch()
        await self.ready()

    async def _says_ready(self) -> bool:
        try:
            return (await self.ask("/readyz")).rstrip().endswith("\nready")
        except OSError:
            return False

    def end(self, how: int = signal.SIGTERM) -> None:
        """End it by a signal, and wait for its end."""
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(PATIENCE)

    async def stop(self, how: int = signal.SIGTERM) -> None:
        """End it by a signal, and wait for its end while others work on."""
        await asyncio.to_thread(self.end, how)

    # — looking —

    async def ask(self, path: str) -> str:
        """Give one of its own pages."""
        return await asyncio.to_thread(_page, self.http + path)

    async def metrics(self) -> dict[str, float]:
        """Give its numbers."""
        lines = (await self.ask("/metrics")).splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def journal(self) -> list[dict[str, Any]]:
        """Give the facts that were handled, in the order in which they were."""
        path = self.folder / "journal"
        whole = path.read_text("utf-8") if path.exists() else ""
        # A fact's own words may hold what ends a line elsewhere, and the last line may be on its way.
        return [json.loads(line) for line in whole.split("\n")[:-1]]

    def has_heard(self, text: str) -> bool:
        """Say whether a text was handled lately; cheaper than reading all that ever was."""
        path = self.folder / "journal"
        if not path.exists():
            return False
        with path.open("rb") as journal:
            journal.seek(max(0, path.stat().st_size - _LATELY))
            return text.encode() in journal.read()

    def forget(self) -> None:
        """Take what was logged so far as read."""
        self.forgotten = (self.folder / "log").stat().st_size

    def harm(self) -> list[str]:
        """Give the lines of its log that tell of a fault; that a frame was too large is what it is to say."""
        lines = (line for line in self.log.splitlines() if "ONEBOT_FRAME_BYTES" not in line)
        return [line for line in lines if HARM.search(line) or "[ERROR]" in line or "[CRITICAL]" in line]

    @asynccontextmanager
    async def records(self, *, migrate: bool = False) -> AsyncIterator[Records]:
        """Open its database beside it."""
        (self.folder / "data").mkdir(exist_ok=True)
        url = f"sqlite://{self.folder / 'data' / 'groupops.sqlite3'}"
        async with open_records(url, apps=apps_of(load_hooks(Config())), migrate=migrate) as records:
            yield cast("Records", records)


def _page(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=PATIENCE) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()


async def prepared(folder: Path, **settings: str) -> StartedBot:
    """Lay out a bot's folder and make its database; settings are keys of `.env`, an empty one leaves its key out."""
    (folder / "packs").mkdir(parents=True)
    (folder / "packs" / "soak.toml").write_text(witness.PACK, "utf-8")
    env = {**PROPER, "PORT": str(_free_port()), **settings}
    (folder / ".env").write_text("".join(f"{key}={value}\n" for key, value in env.items() if value), "utf-8")
    bot = StartedBot(folder, int(env["PORT"]))
    async with bot.records(migrate=True):
        pass
    return bot


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[StartedBot]:
    """Have a started bot for as long as the block runs; whole modules of tests may share it."""
    bot = asyncio.run(prepared(folder, **settings))
    bot.launch()
    try:
        asyncio.run(bot.ready())
        yield bot
    finally:
        bot.end()


@asynccontextmanager
async def started(folder: Path, **settings: str) -> AsyncIterator[StartedBot]:
    """Have a started bot for as long as the block runs."""
    bot = await prepared(folder, **settings)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.stop()


def of_nobody() -> dict[str, str]:
    """Give the environment without anybody's settings."""
    ours = ("GROUPOPS_", "ONEBOT_", "QQ_", "HOST", "PORT")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
