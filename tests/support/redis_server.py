"""A real redis-server on a unix socket, which a test may stop and start."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from tests.support.processes import Server, ServerDidNotStartError


class RedisServer:
    """Keeps nothing on disk; `url` stays the same over a restart."""

    def __init__(self, folder: Path) -> None:
        """`folder` must be short: a path of a unix socket has at most 107 bytes."""
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """What goes into GROUPOPS_REDIS_URL."""
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Start it and wait for its PONG; raises ServerDidNotStartError."""
        program = shutil.which("redis-server")
        if program is None:
            raise ServerDidNotStartError(
                "redis-server is not installed, and these tests talk to a real one: "
                "run `make test`, or `apt-get install redis-server`."
            )
        options = ["--port", "0", "--unixsocket", self._socket, "--save", "", "--appendonly", "no"]
        self._server = Server([program, *options], self._folder)
        self._server.wait_until(self._answers)

    def stop(self) -> None:
        """Take it away, as a crash would; what it counted is gone."""
        if self._server is not None:
            self._server.stop(signal=9)
        self._socket.unlink(missing_ok=True)

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1)
                line.connect(str(self._socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False
