"""Counters of both kinds: what the plugin remembers, it remembers in either."""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from groupops.clock import StoppedClock
from groupops.counters import Counters, MemoryCounters, RedisCounters
from tests.plugins.quiet_hours.desk import CountersFor

_prefixes = count(1)


@pytest.fixture(params=["in this process", "in Redis"])
async def counters_for(request: pytest.FixtureRequest) -> AsyncIterator[CountersFor]:
    """Makes counters for a clock; nobody has counted on them yet."""
    made: list[Counters] = []

    def make(clock: StoppedClock) -> Counters:
        if request.param == "in this process":
            made.append(MemoryCounters(clock))
        else:
            url = request.getfixturevalue("redis_url")
            made.append(RedisCounters(url, clock, prefix=f"quiet{next(_prefixes)}:"))
        return made[-1]

    yield make
    for counters in made:
        await counters.close()
