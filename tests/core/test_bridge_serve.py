"""`bot.py` runs the whole: it is ready, tells its numbers, and stops in peace."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from groupops.config import Config, Start
from groupops.doctor import of_line, running_bot

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """A bot in a process of its own, with a `.env` in an empty folder."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self.log = folder / "log.txt"
        (folder / ".env").write_text("\n".join([f"PORT={self.port}", *lines, ""]), encoding="utf-8")
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GROUPOPS_")}
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "bot.py")], cwd=folder, env=clean, stdout=out, stderr=out
            )

    def ask(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5)

    def wait_until_ready(self) -> httpx.Response:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if (answer := self.ask("/readyz")).status_code == 200:
                    return answer
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Running]:
    running = Running(
        tmp_path,
        "LOG_LEVEL=INFO",
        'GROUPOPS_ADAPTERS=["sandbox"]',
    )
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait(PATIENCE)


def test_a_bot_gets_ready_tells_its_numbers_and_stops_in_peace(bot: Running) -> None:
    ready = bot.wait_until_ready()
    lives = bot.ask("/healthz")
    numbers = bot.ask("/metrics")
    code = bot.stop()

    log = bot.log.read_text()
    assert ready.text == "counters: ok\ndatabase: ok\nflow: ok\nplatform sandbox: ok\nready\n"
    assert lives.status_code == 200
    assert 'groupops_facts_total{road="glance"} 0.0' in numbers.text
    assert "process_resident_memory_bytes" in numbers.text
    assert 'groupops_platform_connected{platform="sandbox"} 1.0' in numbers.text
    assert code in {0, -signal.SIGTERM}, log
    assert "Application shutdown complete" in log
    assert "Traceback" not in log


def test_the_doctor_asks_the_bot_that_runs(bot: Running) -> None:
    start = Start(config=Config(), port=bot.port)
    before = asyncio.run(running_bot(Start(config=Config(), port=free_port())))
    bot.wait_until_ready()

    found = asyncio.run(running_bot(start))

    assert [finding.state for finding in before] == ["ok"]
    assert "没有在" in before[0].what
    assert {finding.what for finding in found} == {
        "counters: ok",
        "database: ok",
        "flow: ok",
        "platform sandbox: ok",
    }
    assert bot.stop() in {0, -signal.SIGTERM}


@pytest.mark.parametrize(
    ("line", "state", "advised"),
    [
        ("platform qqbot: ok", "ok", False),
        ("platform qqbot: ok (only mentions are delivered: qqbot:G)", "warn", True),
        ("platform qq: away since 2025-03-03T04:00:00Z (bot_offline)", "warn", True),
        ("database: StoreError", "warn", True),
    ],
)
def test_the_doctor_passes_on_what_a_platform_says_of_itself(line: str, state: str, advised: bool) -> None:
    found = of_line("正在运行的机器人", line)

    assert (found.state, found.what, bool(found.todo)) == (state, line, advised)


def test_bot_py_is_short() -> None:
    assert len((ROOT / "bot.py").read_text(encoding="utf-8").splitlines()) <= 30


def test_a_setting_that_does_not_hold_is_said_in_one_line(tmp_path: Path) -> None:
    running = Running(tmp_path, "GROUPOPS_SHARDS=0")

    code = running.process.wait(PATIENCE)

    said = running.log.read_text()
    assert code == 1
    assert "GROUPOPS_SHARDS=0" in said
    assert "Traceback" not in said


def test_a_pack_for_new_groups_that_does_not_hold_is_said_before_anybody_speaks(tmp_path: Path) -> None:
    running = Running(tmp_path, 'GROUPOPS_DEFAULT_PACKS=["no_such_rules"]')

    code = running.process.wait(PATIENCE)

    said = running.log.read_text()
    assert code == 1
    assert "no_such_rules" in said
    assert "Traceback" not in said
