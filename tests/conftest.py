"""Fixtures for all tests: real servers, databases, the shared data, and a process without anybody's settings."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.postgres_server import PostgresServer
from tests.support.redis_server import RedisServer
from tests.support.soak import Soak

ROOT = Path(__file__).parents[1]
OF_THE_TEST_RUN = frozenset({"GROUPOPS_DATA", "GROUPOPS_SOAK", "GROUPOPS_SOAK_SEED"})

# A process that speaks gRPC in threads must start others: gRPC's own handling of a fork can break the child.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

settings.register_profile("same every time", deadline=None, derandomize=True)
settings.register_profile("new examples", deadline=None, print_blob=True)
settings.load_profile("new examples" if os.environ.get("GROUPOPS_SOAK") == "full" else "same every time")


@pytest.fixture(autouse=True)
def _nobody_elses_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("GROUPOPS_") and name not in OF_THE_TEST_RUN:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A temporary folder whose path is short enough for unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix="go-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_server(short_folder: Path) -> Iterator[RedisServer]:
    """A real redis-server for this worker; a test that stops it starts it again."""
    folder = short_folder / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_url(redis_server: RedisServer) -> str:
    """The address of this worker's redis-server; keys of other tests may be in it."""
    return redis_server.url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL for this worker, in a temporary folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="go-pg-"))
    server = PostgresServer(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """The address of this worker's server, at its database `postgres`."""
    return postgres_server.url()


@pytest.fixture(scope="session")
def _database_numbers() -> Iterator[int]:
    return count(1)


@pytest.fixture
def postgres_database(postgres_server: PostgresServer, _database_numbers: Iterator[int]) -> Iterator[str]:
    """The address of an empty database that only this test knows."""
    name = f"test_{next(_database_numbers)}"
    postgres_server.create(name)
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite file that only this test knows; it does not exist yet."""
    return f"sqlite://{tmp_path / 'groupops.sqlite3'}"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the shared data set; skips, and says so, where there is none."""
    folder = Path(os.environ.get("GROUPOPS_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"NO SHARED DATA: {folder} is not a folder; set GROUPOPS_DATA to where the data set lies")
    return folder


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> Soak:
    """The size of a soak; a full one rolls new dice and prints its seed (GROUPOPS_SOAK_SEED repeats it)."""
    full = os.environ.get("GROUPOPS_SOAK") == "full"
    said = os.environ.get("GROUPOPS_SOAK_SEED")
    seed = int(said) if said else _dice(request.node.nodeid, full=full)
    print(f"soak seed {seed}")  # noqa: T201 - pytest shows it with a failure
    return Soak(full=full, seed=seed)


def _dice(name: str, *, full: bool) -> int:
    return random.SystemRandom().getrandbits(32) if full else zlib.crc32(name.encode())
