"""Reads the member lists of all groups now and then, so that whoever came, went or was renamed unseen is found."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from groupops.actions import Capability
from groupops.clock import Clock
from groupops.errors import PlatformError
from groupops.events import Event, MembersListed
from groupops.people import GroupId, platform_of
from groupops.platform import Platform
from groupops.plugin import Log

FIRST_S = 15.0
"""Seconds after the start, or after a connection came back, before the first list is read."""

GAP_S = 3.0
"""Seconds between two lists of one platform."""

BETWEEN = timedelta(minutes=10)
"""Time between the beginnings of two rounds, however often a connection comes and goes."""

BACKOFF_S = 30.0
"""Seconds after a first failure; doubled by each that follows it at once."""

LONGEST_S = 1800.0
"""Seconds a failing platform is left alone at most."""

PATIENCE_S = 60.0
"""Seconds a platform may take for one list."""

JITTER = 0.2
"""Share by which every wait may be longer, so that groups and platforms do not march in step."""

SOURCE = "scan"


@dataclass(slots=True)
class Scanned:
    """What has been read, as plain numbers.

    Args:
        whole: lists that came complete.
        cut: lists that were said to be incomplete.
        failed: lists that could not be read.
        last_at: when the last one came.
    """

    whole: int = 0
    cut: int = 0
    failed: int = 0
    last_at: datetime | None = None


class Scans:
    """Reads one list after the other, every platform on its own.

    Args:
        platforms: name → connection; one that is added later is found.
        groups: gives the groups that are looked after now.
        post: takes a list as a fact, in its group's turn.
        clock: when it is.
        log: told of what fails, without contents.
        every: time between two rounds; nothing = no list is ever read.
        dice: where jitter comes from; seeded, a run repeats itself.
    """

    def __init__(
        self,
        platforms: Mapping[str, Platform],
        groups: Callable[[], Iterable[GroupId]],
        post: Callable[[Event], Awaitable[object]],
        clock: Clock,
        log: Log,
        *,
        every: timedelta = timedelta(minutes=360),
        dice: random.Random | None = None,
    ) -> None:
        self._platforms = platforms
        self._groups = groups
        self.post = post
        self._clock = clock
        self._log = log
        self._every = every
        self._dice = dice or random.Random()
        self._asked: dict[str, asyncio.Event] = {}
        self._scanned: dict[str, Scanned] = {}

    @property
    def scanned(self) -> Mapping[str, Scanned]:
        """Platform → what has been read of it."""
        return self._scanned

    def ask(self, platform: str) -> None:
        """Want a round soon: the connection was away, and nobody knows what happened meanwhile."""
        self._ask_of(platform).set()

    async def run(self) -> None:
        """Read lists until cancelled."""
        if not self._every:
            return
        async with asyncio.TaskGroup() as tasks:
            kept: set[str] = set()
            while True:
                for name in self._platforms.keys() - kept:
                    kept.add(name)
                    tasks.create_task(self._keep(name), name=f"scans of {name}")
                await self._clock.sleep(FIRST_S)

    async def scan(self, group_id: GroupId) -> bool:
        """Read one group's list and hand it in.

        Returns:
            False when it could not be read; that is logged and counted.
        """
        name = platform_of(group_id)
        platform, counted = self._platforms[name], self._counted(name)
        try:
            async with asyncio.timeout(PATIENCE_S):
                members, complete = await platform.members(group_id)
        except TimeoutError:
            return self._fails(name, group_id, f"no answer within {PATIENCE_S:g} s")
        except PlatformError as error:
            return self._fails(name, group_id, str(error))
        except Exception as error:  # noqa: BLE001 - a platform that breaks its word must not end the scans
            return self._fails(name, group_id, type(error).__name__)
        now = self._clock.now()
        counted.last_at = now
        counted.whole += complete
        counted.cut += not complete
        id_ = f"{SOURCE}:{group_id}/{now.isoformat()}"
        await self.post(
            MembersListed(
                id=id_, at=now, group_id=group_id, source=SOURCE, members=members, complete=complete
            )
        )
        return True

    # — rounds —

    async def _keep(self, name: str) -> None:
        await self._pause(FIRST_S)
        while True:
            self._ask_of(name).clear()
            begun, read = self._clock.now(), 0
            try:
                read = await self._round(name)
            except Exception as error:  # noqa: BLE001 - whatever the road said of a list, the next round comes
                self._log.warning("scan ended early", platform=name, error=type(error).__name__)
            await self._until_next(name, begun if read else None)

    async def _round(self, name: str) -> int:
        """Read every group once; those that failed once more at the end. Gives how many lists were read."""
        todo = [group_id for group_id in sorted(self._groups()) if platform_of(group_id) == name]
        again: list[GroupId] = []
        failures = read = 0
        for number, group_id in enumerate((*todo, *todo)):
            second = number >= len(todo)
            if (second and group_id not in again) or not self._can(group_id):
                continue
            if await self.scan(group_id):
                failures, read = 0, read + 1
                await self._pause(GAP_S)
            else:
                failures += 1
                again.append(group_id)
                await self._pause(min(BACKOFF_S * (1 << min(failures - 1, 16)), LONGEST_S))
        return read

    def _can(self, group_id: GroupId) -> bool:
        platform = self._platforms.get(platform_of(group_id))
        return platform is not None and Capability.LIST_MEMBERS in platform.can(group_id)

    async def _until_next(self, name: str, begun: datetime | None) -> None:
        """Wait for the next round, or for somebody to ask; never less than `BETWEEN` from the last that read anything."""
        await self._pause_or(self._every.total_seconds(), self._ask_of(name))
        still = 0.0
        if begun is not None:
            still = (begun + min(BETWEEN, self._every) - self._clock.now()).total_seconds()
        await self._pause(max(still, FIRST_S))

    async def _pause(self, seconds: float) -> None:
        await self._clock.sleep(seconds * (1 + JITTER * self._dice.random()))

    async def _pause_or(self, seconds: float, asked: asyncio.Event) -> None:
        sleeping = asyncio.ensure_future(self._pause(seconds))
        waiting = asyncio.ensure_future(asked.wait())
        try:
            await asyncio.wait({sleeping, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleeping, waiting):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    # — small helps —

    def _fails(self, name: str, group_id: GroupId, why: str) -> bool:
        self._counted(name).failed += 1
        self._log.warning("member list could not be read", platform=name, group=group_id, why=why)
        return False

    def _counted(self, name: str) -> Scanned:
        return self._scanned.setdefault(name, Scanned())

    def _ask_of(self, name: str) -> asyncio.Event:
        return self._asked.setdefault(name, asyncio.Event())
