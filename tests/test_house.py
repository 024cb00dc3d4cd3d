"""The fixtures are what they say: real servers, empty databases, and nobody else's settings."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.support.postgres_server import PostgresServer
from tests.support.processes import Server, ServerDidNotStartError
from tests.support.redis_server import RedisServer
from tests.support.soak import Soak

ROOT = Path(__file__).parents[1]


async def test_redis_counts(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        await redis.delete("house:count")

        assert [await redis.incr("house:count") for _ in range(3)] == [1, 2, 3]


async def test_redis_that_went_away_comes_back_empty_at_the_same_address(redis_server: RedisServer) -> None:
    async with Redis.from_url(redis_server.url) as redis:
        await redis.set("house:gone", "1")

    redis_server.stop()
    redis_server.start()

    async with Redis.from_url(redis_server.url) as redis:
        assert await redis.get("house:gone") is None


def test_a_missing_redis_fails_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ServerDidNotStartError, match="apt-get install redis-server"):
        RedisServer(tmp_path).start()


def test_a_server_that_ends_at_once_shows_its_log(tmp_path: Path) -> None:
    server = Server(["sh", "-c", "echo no such thing; exit 3"], tmp_path)

    with pytest.raises(ServerDidNotStartError, match=r"exit code 3\D+no such thing"):
        server.wait_until(lambda: False)


async def test_postgres_answers_on_its_socket(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
        assert await connection.fetchval("SHOW listen_addresses") == ""
    finally:
        await connection.close()


@pytest.mark.parametrize("turn", [1, 2])
async def test_a_postgres_database_is_empty_at_every_turn(postgres_database: str, turn: int) -> None:
    connection = await asyncpg.connect(postgres_database)
    try:
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert await connection.fetchval(tables) == 0
        await connection.execute("CREATE TABLE seen (turn int)")
    finally:
        await connection.close()


async def test_a_postgres_database_goes_although_someone_is_connected(
    postgres_server: PostgresServer,
) -> None:
    postgres_server.create("held")
    connection = await asyncpg.connect(postgres_server.url("held"))

    postgres_server.drop("held")

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        await connection.fetchval("SELECT 1")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(postgres_server.url("held"))


@pytest.mark.parametrize("turn", [1, 2])
def test_a_sqlite_file_is_fresh_at_every_turn(sqlite_url: str, turn: int) -> None:
    path = Path(sqlite_url.removeprefix("sqlite://"))

    assert not path.exists()
    sqlite3.connect(path).close()


def test_a_setting_of_this_machine_reaches_no_test(tmp_path: Path) -> None:
    source = "import os\ndef test_it(): print([name for name in os.environ if 'OPS' in name])\n"

    said = _run_pytest(tmp_path, source, GROUPOPS_TIMEZONE="UTC", GROUPOPS_SOAK="full")

    assert "['GROUPOPS_SOAK']" in said


def test_absent_data_is_skipped_with_a_loud_reason(tmp_path: Path) -> None:
    said = _run_pytest(tmp_path, "def test_it(shared_data): pass\n", GROUPOPS_DATA=str(tmp_path / "none"))

    assert "1 skipped" in said
    assert "NO SHARED DATA" in said


def test_data_is_found_where_the_setting_points(tmp_path: Path) -> None:
    said = _run_pytest(
        tmp_path, "def test_it(shared_data): print(shared_data)\n", GROUPOPS_DATA=str(tmp_path)
    )

    assert "1 passed" in said
    assert str(tmp_path) in said


def _run_pytest(folder: Path, source: str, **environment: str) -> str:
    """Run a small test file with this conftest in a pytest of its own; return what it printed."""
    (folder / "test_small.py").write_text(source, encoding="utf-8")
    command = [
        ".venv/bin/python",
        "-m",
        "pytest",
        "-q",
        "-s",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.conftest",
    ]
    done = subprocess.run(
        [*command, "-c", "pyproject.toml", "--rootdir", str(folder), str(folder / "test_small.py")],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(("full", "whole", "rounds"), [(True, 50, 50), (False, 50, 5), (False, 3, 1)])
def test_a_soak_is_whole_or_a_tenth(full: bool, whole: int, rounds: int) -> None:
    assert Soak(full=full, seed=1).rounds(whole) == rounds


def test_a_seed_that_was_printed_repeats_the_soak(tmp_path: Path) -> None:
    source = "def test_it(soak): print(soak)\n"

    said = _run_pytest(tmp_path, source, GROUPOPS_SOAK="full", GROUPOPS_SOAK_SEED="4711")

    assert "Soak(full=True, seed=4711)" in said


def test_the_dice_of_a_soak_roll_the_same_for_the_same_seed(soak: Soak) -> None:
    assert soak.random().random() == soak.random().random()


def test_the_demo_needs_no_server() -> None:
    steps = subprocess.run(
        ["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert "groupops demo" in steps
    assert "redis" not in steps


@pytest.mark.parametrize(
    ("script", "advice"),
    [("need", "sudo apt-get install redis-server"), ("find-python", "Python 3.11 or later")],
)
def test_a_machine_that_lacks_something_is_told_what_to_do(tmp_path: Path, script: str, advice: str) -> None:
    bash = shutil.which("bash")
    (tmp_path / "id").symlink_to(str(shutil.which("id")))

    done = subprocess.run(
        [str(bash), str(ROOT / "scripts" / script), "redis-server"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert advice in done.stderr
