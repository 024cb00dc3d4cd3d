"""Peers in processes of their own: where they are installed, and how one is asked for something."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def home_of(peer: str) -> Path:
    """Where a peer is installed; made if it is not there, and skipped aloud where there is no Node."""
    made = subprocess.run(["scripts/peer", peer], cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    if not made.stdout.strip():
        pytest.skip(f"NO NODE: {made.stderr.strip()}")
    return ROOT / made.stdout.splitlines()[-1]


class WrongError(Exception):
    """The peer would not do it."""


class Servant:
    """A peer that does what a line of JSON asks for, and answers with a line.

    Args:
        process: its process.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._turn = asyncio.Lock()

    @classmethod
    async def start(cls, *command: object) -> Servant:
        """Start one."""
        pipe = asyncio.subprocess.PIPE
        words = [str(one) for one in command]
        return cls(await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe))

    async def does(self, what: str, *args: Any, **named: Any) -> Any:
        """Ask for something; gives what came of it.

        Raises:
            WrongError: with what the peer said of it.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        async with self._turn:
            self.process.stdin.write(json.dumps({"do": what, "args": args, "named": named}).encode() + b"\n")
            await self.process.stdin.drain()
            said = json.loads(await self.process.stdout.readline())
        if "wrong" in said:
            raise WrongError(said)
        return said["done"]

    async def end(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()
