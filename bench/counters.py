"""What counting costs a message (P9); `python -m bench.counters` prints it."""

import asyncio
import gc
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from groupops.clock import SystemClock
from groupops.counters import SCRIPT, Add, MemoryCounters, RedisCounters
from tests.support.redis_server import RedisServer

Row = dict[str, Any]

ROUNDS = 7
KEYS = tuple(f"onebot:{number % 50 + 100_000}:{number + 10_000_000}:posts" for number in range(1000))
ADDS = 50_000
AT_ONCE = 50
MESSAGES = 5_000
GROUPS, ACTIVE = 10_000, 50


def rows() -> list[Row]:
    """All figures of this file; the one that needs redis-server is left out without it, and that is said on stderr."""
    found = [in_process(), memory()]
    if shutil.which("redis-server") is None:
        print("NO redis-server: the figure of batches in Redis is left out", file=sys.stderr)
        return found
    return [*found, batches()]


def in_process() -> Row:
    """CPU time of one rate check in this process."""

    def check() -> float:
        add = MemoryCounters(SystemClock()).add_now
        return _cpu_us(ADDS, lambda: [add(key, 30) for _ in range(ADDS // len(KEYS)) for key in KEYS])

    return _row(
        "P9", [check() for _ in range(ROUNDS)], "<= 1", "µs", "one add of 1,000 keys' in process, CPU"
    )


def batches() -> Row:
    """How many times the messages per second that batches bring over one round trip for each message."""
    folder = Path(tempfile.mkdtemp(prefix="go-"))
    server = RedisServer(folder)
    try:
        server.start()
        values = asyncio.run(_compare(server.url))
    finally:
        server.stop()
        shutil.rmtree(folder)
    return _row(
        "P9.batch", values, ">= 2.5", "x", "the same script, one round trip each, 50 at once, real Redis"
    )


def memory() -> Row:
    """What 50 active users in each of 10,000 groups take, each round in a process of its own."""
    values = [float(_of_its_own("memory")) for _ in range(5)]
    return _row("P9.memory", values, "<= 40", "MiB", "500,000 members who each posted once within 30 s, RSS")


async def _compare(url: str) -> list[float]:
    """Return for each round the ratio of batched to unbatched messages per second."""
    # No timeouts and no retries, which would make the slower side slower still.
    client = Redis.from_url(url, socket_timeout=None, retry=Retry(NoBackoff(), 0))
    counters = RedisCounters(url, SystemClock(), prefix="bench:", fail="hold")
    sha = await client.script_load(SCRIPT)
    clock = SystemClock()

    async def one_by_one(key: str) -> None:
        tick = clock.nanos() // 30_000_000
        await client.evalsha(sha, 1, f"alone:30000:{key}", f"Add {tick} 1 90000")

    async def batched(key: str) -> None:
        await counters.apply((Add(key, 30),))

    ratios = list[float]()
    for number in range(ROUNDS + 1):
        slow, fast = await _per_second(one_by_one), await _per_second(batched)
        if number:  # the first round opens connections
            ratios.append(fast / slow)
    await counters.close()
    await client.aclose()
    return ratios


async def _per_second(ask: Callable[[str], Coroutine[Any, Any, None]]) -> float:
    async def asker(number: int) -> None:
        for turn in range(MESSAGES // AT_ONCE):
            await ask(KEYS[(number * 37 + turn) % len(KEYS)])

    begun = time.perf_counter()
    await asyncio.gather(*(asker(number) for number in range(AT_ONCE)))
    return MESSAGES / (time.perf_counter() - begun)


def _fill() -> float:
    """Return the MiB by which this process grows when every active member posts once."""
    process, counters = psutil.Process(), MemoryCounters(SystemClock())
    counters.add_now("warm", 30)
    gc.collect()
    before = process.memory_info().rss
    for group in range(GROUPS):
        for member in range(ACTIVE):
            counters.add_now(f"onebot:{group + 100_000}:{group * ACTIVE + member + 10_000_000}:posts", 30)
    return float(process.memory_info().rss - before) / 2**20


def _of_its_own(what: str) -> str:
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "bench.counters", what]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=root, env=os.environ
    ).stdout


def _cpu_us(times: int, work: Callable[[], object]) -> float:
    gc.collect()
    begun = time.process_time()
    work()
    return (time.process_time() - begun) / times * 1e6


def _row(name: str, values: Sequence[float], goal: str, unit: str, against: str) -> Row:
    return {
        "id": name,
        "value": round(statistics.median(values), 3),
        "goal": goal,
        "unit": unit,
        "against": against,
        "rounds": len(values),
    }


if __name__ == "__main__":
    if sys.argv[1:] == ["memory"]:
        print(_fill())
    else:
        for row in rows():
            print(json.dumps(row, ensure_ascii=False))
