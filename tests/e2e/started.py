"""A bot that is really started: a process of its own in a folder with a `.env`, and the operator's commands there."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
COMMAND = Path(sys.executable).with_name("groupops")
PATIENCE = 30.0
OF_COVERAGE = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE")


def free_port() -> int:
    """Give a port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nobodys_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give an environment as `env -i` leaves it, with what a coverage of child processes needs."""
    kept = {key: os.environ[key] for key in OF_COVERAGE if key in os.environ}
    return {"PATH": os.environ["PATH"], **kept, **(extra or {})}


class Place:
    """A folder in which a bot lives: its `.env`, its data, its packs, and its log.

    Args:
        folder: an empty folder.
        env: what stands in `.env`, besides the port.
        environ: what stands in the process environment.
    """

    def __init__(
        self, folder: Path, env: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.environ = nobodys_environment(environ)
        self.log = folder / "log.txt"
        (folder / ".env").write_text("", encoding="utf-8")
        self.add(PORT=str(self.port), **(env or {}))

    def add(self, **lines: str) -> None:
        """Write further lines into `.env`."""
        with (self.folder / ".env").open("a", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in lines.items())

    def groupops(self, *words: str) -> str:
        """Run one of the operator's commands; gives what it prints.

        Raises:
            AssertionError: it did not end well.
        """
        done = subprocess.run(
            [COMMAND, *words],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"groupops {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, at: datetime | None = None) -> Started:
        """Start the bot.

        Args:
            at: what its clock shows when it starts; None starts `groupops run` on the machine's.
        """
        off = at.timestamp() - time.time() if at is not None else 0.0
        command = [str(COMMAND), "run"] if at is None else [sys.executable, str(HERE / "at.py"), str(off)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return Started(self, process, off)

    def said(self) -> str:
        """Give the whole log of all starts."""
        return self.log.read_text(encoding="utf-8", errors="replace")


class Started:
    """A bot that runs.

    Args:
        place: where.
        process: its process.
        off: how many seconds its clock is ahead.
    """

    def __init__(self, place: Place, process: subprocess.Popen[bytes], off: float) -> None:
        self.place = place
        self.process = process
        self.off = off

    def url(self, path: str = "", scheme: str = "http") -> str:
        """Give an address at its door."""
        return f"{scheme}://127.0.0.1:{self.place.port}{path}"

    async def ready(self) -> None:
        """Wait until it says that it is ready."""
        async with httpx.AsyncClient(trust_env=False) as client:

            async def asked() -> bool:
                assert self.process.poll() is None, self.place.said()
                try:
                    return (await client.get(self.url("/readyz"))).status_code == 200
                except httpx.TransportError:
                    return False

            await until(asked, self.place.said)

    def stop(self) -> int:
        """Ask it to end, if it has not; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)


async def until(holds: Callable[[], Any], told: Callable[[], object] = str, within: float = PATIENCE) -> None:
    """Wait until something holds.

    Args:
        holds: what is asked, again and again; may be a coroutine function.
        told: what to say when it never holds.
        within: seconds.
    """
    ends = time.monotonic() + within
    while True:
        held = holds()
        if asyncio.iscoroutine(held):
            held = await held
        if held:
            return
        assert time.monotonic() < ends, told()
        await asyncio.sleep(0.02)
