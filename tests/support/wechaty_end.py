"""The real Puppet Service in a process of its own, with people who do things in its rooms."""

from __future__ import annotations

import asyncio
import json
import queue
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOKEN = "insecure_0f6c2a44-9d2b-4f4e-8a63-6a2f2f1c9e77"
ROOM = "1@chatroom"
ME = "bot"
PATIENCE = 30.0


class WechatyEnd:
    """A service; see `tests/peers/wechaty/server.mjs` for what it does.

    Args:
        port: where it listens on loopback.
        tls: whether it speaks TLS.
    """

    def __init__(self, port: int, *, tls: bool = False, token: str = TOKEN) -> None:
        self.port = port
        self.tls = tls
        self.token = token
        self.seen: list[dict[str, Any]] = []
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._turn = threading.Lock()
        self._listener: threading.Thread | None = None

    def begin(self) -> None:
        """Bring it up; it is empty, and nobody has logged in."""
        self._process = subprocess.Popen(
            [
                "node",
                "tests/peers/wechaty/server.mjs",
                _home(),
                str(self.port),
                self.token,
                "tls" if self.tls else "plain",
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answers = queue.Queue()
        self._listener = threading.Thread(
            target=self._listen, args=(self._process, self._answers), daemon=True
        )
        self._listener.start()
        self._answers.get(timeout=PATIENCE)

    def end(self) -> None:
        """Take it down at once, as a power cut does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if self._listener is not None:
            self._listener.join()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    async def start(self) -> None:
        """Bring it up."""
        await asyncio.to_thread(self.begin)

    async def stop(self) -> None:
        """Take it down."""
        await asyncio.to_thread(self.end)

    def _listen(self, process: subprocess.Popen[str], answers: queue.Queue[dict[str, Any]]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                told = json.loads(line)
            except ValueError:
                continue  # its own log
            if "ready" in told or "gave" in told or "error" in told:
                answers.put(told)
            else:
                self.seen.append(told)

    async def do(self, deed: str, **how: Any) -> Any:
        """Have something done; gives what came of it."""
        told = await asyncio.to_thread(self._done, json.dumps({"do": deed, **how}))
        if "error" in told:
            raise AssertionError(f"{deed}: {told['error']}")
        return told["gave"]

    def _done(self, line: str) -> dict[str, Any]:
        with self._turn:
            assert self._process is not None
            assert self._process.stdin is not None
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            return self._answers.get(timeout=PATIENCE)

    def catch_up(self) -> None:
        """Read whatever it has said so far; it answers in the order in which it speaks."""
        self._done(json.dumps({"do": "recalled"}))

    async def reset(self) -> None:
        """Make it as empty as it was at the beginning."""
        await self.do("reset")
        self.seen.clear()

    # — a room with people —

    async def furnish(self, people: dict[str, str], *, owner: str = ME, room: str = ROOM) -> None:
        """Make people and one room with all of them, and have the account log in."""
        for id_, name in {ME: "小助手", **people}.items():
            await self.do("person", id=id_, name=name)
        await self.do("room", id=room, topic="车间群", owner=owner, members=[ME, *people])
        await self.do("login", id=ME)

    async def says(self, who: str, text: str, *, to: str = ROOM, mentions: tuple[str, ...] = ()) -> str:
        """Have somebody say something; gives the message's id."""
        return str(await self.do("post", **{"from": who, "to": to}, text=text, mentions=list(mentions)))

    def said(self) -> list[dict[str, Any]]:
        """What the account said, in order."""
        return [one for one in self.seen if "said" in one]


def _home() -> str:
    made = subprocess.run(["scripts/peer", "wechaty"], cwd=ROOT, check=True, capture_output=True, text=True)
    home = made.stdout.strip()
    if not home:
        pytest.skip("NO NODE: there is none here, so the real Puppet Service cannot be started")
    return home


async def until(true: Callable[[], Any], *, seconds: float = PATIENCE) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.01)
