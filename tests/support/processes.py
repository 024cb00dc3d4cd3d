"""Starts a server as a child process, waits until it answers, and takes it down again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PATIENCE = 60.0
"""Seconds that a server may take to come up: a loaded machine is slow, not broken."""


class ServerDidNotStartError(RuntimeError):
    """A server that a test needs is missing, ended at once, or stayed silent."""


class Server:
    """One child process of the test run, with its log in `folder`."""

    def __init__(self, command: Sequence[str | Path], folder: Path, *, user: int | None = None) -> None:
        """`user` = the uid and gid to run as; None = our own."""
        self.log = folder / "server.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Return as soon as `ready()`; raise ServerDidNotStartError with the log when it never is."""
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServerDidNotStartError(
                    f"{self.process.args!r} did not come up (exit code {self.process.returncode}):\n"
                    + self.log.read_text(encoding="utf-8", errors="replace")
                )
            time.sleep(0.02)

    def stop(self, signal: int = 15) -> None:
        """End the process with `signal` (default SIGTERM), by force after ten seconds."""
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
