"""Time as a source of facts: due rows become `TimeCame`, and the plugins' daily moments become due rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from groupops.calendar import WorkCalendar, next_time
from groupops.clock import Clock
from groupops.errors import ConfigError, StoreError, Unstorable
from groupops.events import TimeCame
from groupops.people import Group, GroupId
from groupops.plugin import Log, Manifest, Schedule, Settings
from groupops.policy import Policy
from groupops.records import Due, Records

CORE = "core"
"""Stands for a plugin's name in the due rows of the core itself."""

LATE = timedelta(minutes=1)
"""What fires more than this after it was due is marked late."""

HOLD_S = 0.5
"""Seconds between two looks at whether what is due still has to wait."""

REST_S = 5.0
"""The longest sleep, in seconds: a row that was put in meanwhile, by whomever, waits no longer."""

LEASE = timedelta(minutes=5)
"""A row that was claimed this long ago and not handed over was claimed by a process that died."""

BATCH = 50
"""Rows claimed at once: few enough that a process that dies takes little with it."""

Post = Callable[[TimeCame], Awaitable[object]]


def job_name(plugin: str, job: str, group_id: GroupId) -> str:
    """Give the name under which a plugin's job in a group stands in the record."""
    return f"{plugin}/{job}/{group_id}"


def came(row: Due, now: datetime) -> TimeCame:
    """Make the fact that a due row came due.

    Args:
        row: the claimed row. Its job, if named as `job_name` does, is given to the plugin as the plugin knows it.
        now: the moment it fires.
    """
    head, tail = f"{row.plugin}/", f"/{row.group_id}"
    own = row.plugin and row.job.startswith(head) and row.job.endswith(tail)
    return TimeCame(
        id=f"time/{row.job}/{row.due_at.isoformat()}",
        at=now,
        group_id=row.group_id,
        source="clock",
        job=row.job[len(head) : -len(tail)] if own else row.job,
        plugin=row.plugin,
        due_at=row.due_at,
        late=now - row.due_at > LATE,
        payload=row.payload,
    )


class Ticker:
    """Fires due rows, each once however many tickers there are on one record.

    Args:
        records: where the rows are.
        clock: what time it is, and what to sleep on.
        post: takes the fact; what it raises ends the pass, and the rows not handed over are put back. Only what
            cannot be stored is left behind: it would come to nothing each time.
        log: told when the record does not answer.

    `hold` says whether what is due has to wait: what a bot that is not connected yet would do about it would be
    decided as if it were able to do nothing.
    """

    def __init__(self, records: Records, clock: Clock, post: Post, *, log: Log | None = None) -> None:
        self.hold: Callable[[], bool] = lambda: False
        self._records = records
        self._clock = clock
        self._post = post
        self._log = log
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Fire what is due until `stop`; a record that does not answer is asked again after a rest."""
        while not self._stopping.is_set():
            if self.hold():
                await self._sleep(HOLD_S)
                continue
            try:
                await self.tick()
                rest = await self._rest_s()
            except StoreError as error:
                rest = REST_S
                if self._log is not None:
                    self._log.warning("due rows cannot be read", error=str(error))
            await self._sleep(rest)

    def stop(self) -> None:
        """Have `run` come back once it has handed over what it claimed."""
        self._stopping.set()

    async def tick(self) -> int:
        """Fire everything that is due now, in order of `due_at`; returns how many rows this ticker fired."""
        now = self._clock.now()
        fired = 0
        await self._records.reclaim(now - LEASE)
        while rows := await self._records.claim_due(now, BATCH):
            await self._hand_over(rows)
            fired += len(rows)
        return fired

    async def _hand_over(self, rows: Sequence[Due]) -> None:
        for number, row in enumerate(rows):
            try:
                await self._post(came(row, self._clock.now()))
            except Unstorable as error:
                if self._log is not None:
                    self._log.warning("nothing came of a due row", job=row.job, error=str(error))
            except BaseException:
                await self._put_back(rows[number:])
                raise
            await self._records.spent((row,), self._clock.now())

    async def _put_back(self, rows: Sequence[Due]) -> None:
        """A claimed moment is spent for good, so the row comes back one instant later."""
        await self._records.put_due([replace(row, due_at=row.due_at + timedelta.resolution) for row in rows])
        await self._records.spent(rows, self._clock.now())

    async def _rest_s(self) -> float:
        due = await self._records.next_due()
        if due is None:
            return REST_S
        return min(REST_S, max(0.0, (due - self._clock.now()).total_seconds()))

    async def _sleep(self, seconds: float) -> None:
        waits = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._stopping.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Daily:
    """One schedule of one plugin in one group, with its settings read."""

    plugin: str
    job: str
    times: tuple[time, ...]
    days: str

    def next_after(self, moment: datetime, zone: ZoneInfo, calendar: WorkCalendar) -> datetime | None:
        moments = (next_time(at, self.days, moment, zone, calendar) for at in self.times)
        return min(moments, default=None)


class Schedules:
    """Keeps one due row ahead for every daily moment that an enabled plugin asks for in its manifest.

    Args:
        records: where the rows are.
        clock: to know what lies ahead.
        calendar: which days are worked.
        manifests: plugin → manifest, of every plugin that is installed.
    """

    def __init__(
        self, records: Records, clock: Clock, calendar: WorkCalendar, manifests: Mapping[str, Manifest]
    ) -> None:
        self._records = records
        self._clock = clock
        self._calendar = calendar
        self._manifests = manifests
        self._armed: dict[GroupId, int] = {}

    async def arm(self, group: Group, policy: Policy) -> tuple[Due, ...]:
        """Put in the next moment of every schedule; whoever does so again, anywhere, changes nothing.

        Raises:
            ConfigError: a plugin's settings name a time or days that do not exist.
        """
        rows = tuple(self._ahead(group, policy))
        await self._records.put_due(rows)
        return rows

    async def rearm(self, group: Group, policy: Policy) -> tuple[Due, ...]:
        """Put in the next moments by the policy now in force; raises as `arm`.

        Rows ahead of a policy that was changed are forgotten. After a start nothing is, for among them may be
        what was missed while nothing ran; a row of a time that was moved meanwhile is turned away by `fired`.
        """
        rows = tuple(self._ahead(group, policy))
        plan = hash((group.timezone, *self._dailies(group.id, policy)))
        if self._armed.setdefault(group.id, plan) != plan:
            await self.drop(group.id)
            self._armed[group.id] = plan
        await self._records.put_due(rows)
        return rows

    async def drop(self, group_id: GroupId) -> None:
        """Forget the rows ahead of a group, e.g. because it was unbound."""
        for plugin, manifest in self._manifests.items():
            for schedule in manifest.schedules:
                await self._records.drop_due(job_name(plugin, schedule.job, group_id))
        self._armed.pop(group_id, None)

    async def fired(self, fact: TimeCame, group: Group, policy: Policy) -> bool:
        """Put in the next moment of the schedule that fired.

        Args:
            fact: what the ticker posted; one of no schedule (`WakeAt`, the core's own) is let through.
            group: where.
            policy: what applies there now.

        Returns:
            Whether the plugin is to hear of it: False when it is off by now, or the time was moved elsewhere.
        """
        schedule = self._schedule(fact)
        if schedule is None:
            return True
        if fact.plugin not in policy.enabled:
            return False
        daily = self._daily(fact.plugin, schedule, group.id, policy)
        await self._records.put_due(tuple(self._rows(daily, group)))
        just_before = fact.due_at - LATE
        expected = daily.next_after(just_before, ZoneInfo(group.timezone), self._calendar)
        return expected is not None and expected <= fact.due_at

    def _schedule(self, fact: TimeCame) -> Schedule | None:
        manifest = self._manifests.get(fact.plugin)
        schedules = manifest.schedules if manifest is not None else ()
        return next((schedule for schedule in schedules if schedule.job == fact.job), None)

    def _ahead(self, group: Group, policy: Policy) -> Iterator[Due]:
        for daily in self._dailies(group.id, policy):
            yield from self._rows(daily, group)

    def _dailies(self, group_id: GroupId, policy: Policy) -> Iterator[_Daily]:
        for plugin in policy.enabled:
            manifest = self._manifests.get(plugin)
            for schedule in manifest.schedules if manifest is not None else ():
                yield self._daily(plugin, schedule, group_id, policy)

    def _daily(self, plugin: str, schedule: Schedule, group_id: GroupId, policy: Policy) -> _Daily:
        settings: Settings = policy.settings.get(plugin) or self._manifests[plugin].settings()
        where = f"plugin {plugin!r}, schedule {schedule.job!r}"
        times = tuple(_time(text, where) for text in schedule.at(settings))
        job = job_name(plugin, schedule.job, group_id)
        return _Daily(plugin=plugin, job=job, times=times, days=schedule.days(settings))

    def _rows(self, daily: _Daily, group: Group) -> Iterator[Due]:
        due_at = daily.next_after(self._clock.now(), ZoneInfo(group.timezone), self._calendar)
        if due_at is not None:
            yield Due(job=daily.job, due_at=due_at, group_id=group.id, plugin=daily.plugin)


def _time(text: str, where: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - in the group's own zone
    except ValueError:
        raise ConfigError(
            f"{where}: {text!r} is no time of day; expected 00:00 to 23:59, as in 08:50"
        ) from None
