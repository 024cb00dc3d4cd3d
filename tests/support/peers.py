"""Peers in processes of their own: where they are installed, and how one is asked for something."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
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
    """A peer that does what a line of JSON asks for, and answers with a line; one may serve many tests.

    Args:
        command: how it is started.
    """

    def __init__(self, *command: object) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([str(one) for one in command], stdin=pipe, stdout=pipe)
        self._turn = threading.Lock()

    async def does(self, what: str, *args: Any, **named: Any) -> Any:
        """Ask for something; gives what came of it.

        Raises:
            WrongError: with what the peer said of it.
        """
        said = await asyncio.to_thread(self._ask, {"do": what, "args": args, "named": named})
        if "wrong" in said:
            raise WrongError(said)
        return said["done"]

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
            said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said

    def end(self) -> None:
        """End it."""
        self._process.communicate()
