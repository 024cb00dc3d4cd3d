"""A bot with the OneBot adapter starts from `.env` alone, or says in one place why it does not."""

from __future__ import annotations

import json
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
from websockets.sync.client import connect

ROOT = Path(__file__).parents[3]
PATIENCE = 40.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A bot in a process of its own."""

    def __init__(self, folder: Path, *lines: str, **environ: str) -> None:
        self.port = free_port()
        self.log = folder / "log.txt"
        text = "\n".join([f"PORT={self.port}", 'GROUPOPS_ADAPTERS=["onebot"]', *lines, ""])
        (folder / ".env").write_text(text, encoding="utf-8")
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith(("GROUPOPS_", "ONEBOT_"))
        }
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "bot.py")],
                cwd=folder,
                env={**clean, **environ},
                stdout=out,
                stderr=out,
            )

    def wait_until_ready(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Process]:
    process = Process(
        tmp_path, 'ONEBOT_SELF_IDS=["10001"]', ONEBOT_ACCESS_TOKEN="123456", GROUPOPS_LOG_LEVEL=""
    )
    yield process
    if process.process.poll() is None:
        process.process.kill()
        process.process.wait()


def test_a_bot_without_a_token_does_not_start_and_says_what_is_missing(tmp_path: Path) -> None:
    process = Process(tmp_path)

    code = process.process.wait(PATIENCE)

    said = process.log.read_text()
    assert code == 1
    assert "ONEBOT_ACCESS_TOKEN is empty" in said
    assert "ONEBOT_SELF_IDS is empty" in said
    assert "Traceback" not in said


def test_a_bot_whose_token_stands_only_in_the_environment_starts_and_wants_it(running: Process) -> None:
    running.wait_until_ready()
    url = f"ws://127.0.0.1:{running.port}/onebot/v11/ws"
    shown = {"X-Self-ID": "10001", "Authorization": "Bearer 123456"}

    with connect(url, additional_headers=shown, proxy=None) as end:
        asked = json.loads(end.recv(timeout=PATIENCE))
    with pytest.raises(Exception, match="HTTP 403"):
        connect(url, additional_headers={"X-Self-ID": "10001"}, proxy=None)
    posted = httpx.post(f"http://127.0.0.1:{running.port}/onebot/v11/", json={"post_type": "message"})
    code = running.stop()

    log = running.log.read_text()
    assert asked["action"] == "get_version_info"
    assert posted.status_code in {404, 405}
    assert code in {0, -signal.SIGTERM}, log
    assert "Traceback" not in log
    assert "123456" not in log
