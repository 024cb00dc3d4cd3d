"""Until when each group was heard, written down once a minute, so that a restart knows since when it missed what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from groupops.clock import Clock
from groupops.errors import StoreError
from groupops.people import GroupId, platform_of
from groupops.platform import Platform, Resumes, Whispers
from groupops.plugin import Log
from groupops.records import Records

LOOK_S = 1.0
"""Seconds between two looks at what is to be written: who dies younger than that knows nothing the next time."""

EVERY = timedelta(seconds=60)
"""Time between two times one group is written; what was heard in it is read anew after a crash, and known again."""

OWNER = "heard"
"""Under what name it is kept."""


@dataclass(slots=True)
class LastHeard:
    """The moments at which something last came from each group and each platform.

    Args:
        records: where they are kept.
        platforms: name → connection.
        clock: when it is.
        log: told when they cannot be kept.
        alive: gives the names of the platforms that are connected now.
    """

    records: Records
    platforms: Mapping[str, Platform]
    clock: Clock
    log: Log
    alive: Callable[[], frozenset[str]] = frozenset
    groups: dict[GroupId, int] = field(default_factory=dict[GroupId, int])
    """Group → when something last came from it, in nanoseconds since 1970; every event pays for it."""
    before: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """Platform → until when the process before this one was connected to it."""
    _written: dict[str, tuple[int, datetime]] = field(default_factory=dict[str, tuple[int, datetime]])
    """Place → the moment that was written, and when."""

    async def load(self) -> None:
        """Read what the process before this one wrote, and tell the platforms; before anything connects.

        Raises:
            StoreError: the database refuses.
        """
        kept = await self.records.keepsakes(OWNER)
        moments = {place: datetime.fromisoformat(at) for place, at in kept.items()}
        self.before.update({place: at for place, at in moments.items() if ":" not in place})
        for name, platform in self.platforms.items():
            if isinstance(platform, Resumes):
                groups = {GroupId(place): at for place, at in moments.items() if ":" in place}
                platform.resume({group: at for group, at in groups.items() if platform_of(group) == name})

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self.clock.sleep(LOOK_S)
            try:
                await self.write()
            except StoreError as error:
                self.log.warning("last heard not kept", error=type(error).__name__)

    async def write(self, *, whole: bool = False) -> None:
        """Write what is new, each place once in `EVERY`; with `whole` all of it, because this process ends.

        A group of which something is still to be read was heard until that was said, whatever came since.

        Raises:
            StoreError: the database refuses.
        """
        now = self.clock.now()
        self._drop_single()
        places = {str(group): nanos for group, nanos in self.groups.items()}
        places |= dict.fromkeys(self.alive(), self.clock.nanos())
        for platform in self.platforms.values():
            if isinstance(platform, Resumes):
                places |= {group: _nanos(since) for group, since in platform.behind().items()}
        new = {place: at for place, at in places.items() if self._is_due(place, at, now, whole=whole)}
        if not new:
            return
        said = {place: datetime.fromtimestamp(at / 1e9, UTC).isoformat() for place, at in new.items()}
        await self.records.keep(OWNER, said, now)
        self._written |= {place: (at, now) for place, at in new.items()}

    def _drop_single(self) -> None:
        """Let go of single accounts, which stand for groups where there are none: anybody may write there."""
        platforms: dict[str, object] = dict(self.platforms)
        single = {name for name, one in platforms.items() if isinstance(one, Whispers)}
        for place in [place for place in self.groups if platform_of(place) in single]:
            del self.groups[place]

    def _is_due(self, place: str, nanos: int, now: datetime, *, whole: bool) -> bool:
        moment, written_at = self._written.get(place, (0, None))
        return nanos != moment and (whole or written_at is None or now - written_at >= EVERY)


def _nanos(at: datetime) -> int:
    return int(at.timestamp() * 1e9)
