"""Watches the connections, and what the bot is still able to do in each group; says so once when that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from groupops.actions import Action, AskStewards, Capability, DirectMessage
from groupops.clock import Clock
from groupops.directory import PeopleBook
from groupops.outbox import Outbox
from groupops.people import AccountId, GroupId, platform_of
from groupops.plan import GroupPlan, PlanBook
from groupops.platform import Fleeting, Health, Platform, Resumes, Watched, Whispers
from groupops.plugin import Log, Manifest, Texts
from groupops.records import Audit, Records, Ticket

LOOK_S = 5.0
"""Seconds between two looks."""

SETTLE = timedelta(seconds=60)
"""Time after a connection came back in which it may still be learning its roles; abilities are not compared."""

NAMED = 5
"""Groups that are named when something is said of many."""

Tell = Literal["ticket", "log"]
"""Where it is said: to the stewards and in the log, or in the log alone."""

STEPS: Mapping[str, Capability] = {
    "mute": Capability.MUTE,
    "kick": Capability.REMOVE_MEMBER,
}
"""What a ladder's step needs, beside what the plugins say they need."""


@dataclass(slots=True)
class _Connection:
    """What is remembered of a platform: how it was, since when, and whether anybody was told that it is away."""

    connected: bool
    since: datetime
    stated: datetime | None = None
    told_away: bool = False


@dataclass(slots=True)
class _Ability:
    """What is remembered of a group.

    Args:
        plan, needed: its plan, and what that needs.
        told: what of it is lacking, as it was said or was so from the start.
        seen: what was lacking at the last look.
        lost: what was said to be lost and is not back.
    """

    plan: GroupPlan
    needed: frozenset[Capability]
    told: frozenset[Capability]
    seen: frozenset[Capability]
    lost: frozenset[Capability] = frozenset()


@dataclass(slots=True)
class Watch:
    """Looks at every platform and every group now and then.

    Args:
        platforms: name → connection.
        plans: the groups that are looked after.
        people: their stewards.
        records: where tickets are.
        outbox: what carries word to the stewards.
        manifests: plugin → what it is.
        texts: the core's texts.
        clock: when it is.
        log: where it is said in any case.
        tell: whether the stewards are told too.
        grace: how long a connection may be away before anybody is told.
        timezone: in which moments are told.
        reconnected: told of a platform that is back.
        missed_since: platform → since when nobody listened there, until that was said; at the start, until when the
            process before this one did.
        bots: what NoneBot knows of a platform that does not say how it is: bot → online; None when it does not
            come through NoneBot, and counts as connected.
    """

    platforms: Mapping[str, Platform]
    plans: PlanBook
    people: PeopleBook
    records: Records
    outbox: Outbox
    manifests: Mapping[str, Manifest]
    texts: Texts
    clock: Clock
    log: Log
    tell: Tell = "ticket"
    grace: timedelta = timedelta(seconds=60)
    timezone: str = "Asia/Shanghai"
    reconnected: Callable[[str], None] = field(default=lambda _: None)
    missed_since: dict[str, datetime] = field(default_factory=dict[str, datetime])
    bots: Callable[[Platform], Mapping[str, bool] | None] = field(default=lambda _: None)
    heard: dict[str, int] = field(default_factory=dict[str, int])
    """Platform → when it last sent an event, in nanoseconds since 1970; every event pays for it."""
    _began: datetime | None = None
    _connections: dict[str, _Connection] = field(default_factory=dict[str, _Connection])
    _abilities: dict[GroupId, _Ability] = field(default_factory=dict[GroupId, _Ability])

    # — as it is now —

    def states(self) -> Mapping[str, Health]:
        """Give platform → how it is now, as its adapter says or as NoneBot knows; asks nobody, and never raises."""
        return {name: self._state(platform) for name, platform in sorted(self.platforms.items())}

    def connected(self) -> frozenset[str]:
        """Give the platforms on which the bot can act now and of which it knows when it could not."""
        return frozenset(
            name
            for name, one in self.platforms.items()
            if (isinstance(one, Watched) or self.bots(one) is not None) and self._stated(one).connected
        )

    def is_short_away(self) -> bool:
        """Say whether a platform with groups is away, and not for longer than `grace`: what can wait should."""
        now = self.clock.now()
        began = self._began = self._began or now
        named = {platform_of(plan.group.id) for plan in self.plans.all() if plan.awake}
        away = [state for name, state in self.states().items() if name in named and not state.connected]
        return any(now - (state.since or began) < self.grace for state in away)

    def _state(self, platform: Platform) -> Health:
        known = self._connections.get(platform.name)
        stated = self._stated(platform)
        since = stated.since
        if since is None and known is not None and known.connected == stated.connected:
            since = known.since
        return replace(stated, since=since, last_event_at=self._last(platform.name, stated.last_event_at))

    def _stated(self, platform: Platform) -> Health:
        if isinstance(platform, Watched):
            try:
                return platform.health()
            except Exception as error:  # noqa: BLE001 - whoever cannot say how it is, is not well
                return Health(connected=False, note=type(error).__name__)
        bots = self.bots(platform)
        if bots is None:
            return Health(connected=True)
        return Health(connected=any(bots.values()), bots=bots, note="" if bots else "no bot")

    def _last(self, name: str, stated: datetime | None) -> datetime | None:
        nanos = self.heard.get(name)
        if nanos is None:
            return stated
        heard = datetime.fromtimestamp(nanos / 1e9, UTC)
        return heard if stated is None else max(heard, stated)

    # — looking —

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - what was not said is said at the next look
                self.log.warning("look ended early", error=type(error).__name__)
            await self.clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Look once, and say what has changed.

        Raises:
            StoreError: the database refuses; what could not be said is said at the next look.
        """
        states = {name: self._stated(platform) for name, platform in sorted(self.platforms.items())}
        for name, state in states.items():
            await self._compare(name, state)
        for name in self.missed_since.keys() & states.keys():
            if self._is_settled(name, states):
                await self._say_missed(name, self.missed_since[name], self._connections[name].since)
                del self.missed_since[name]
        for plan in self.plans.all():
            if self._is_settled(platform_of(plan.group.id), states):
                await self._compare_abilities(plan)

    async def _compare(self, name: str, state: Health) -> None:
        now = self.clock.now()
        known = self._connections.get(name)
        if known is None:
            known = self._connections[name] = _Connection(state.connected, now, state.since)
        elif known.connected != state.connected:
            await self._turned(name, known, state, now)
        elif state.connected and state.since is not None and known.stated not in (None, state.since):
            self._comes_back(name, known, now)  # away and back between two looks
        known.stated = state.since
        if not known.connected and not known.told_away and now - known.since >= self.grace:
            await self._say_away(name, known, state)
            known.told_away = True

    async def _turned(self, name: str, known: _Connection, state: Health, now: datetime) -> None:
        if not state.connected:
            self.log.warning("platform is away", platform=name, note=state.note)
            known.connected, known.since = False, now
            self.missed_since.setdefault(name, now)
            return
        if known.told_away:
            await self._say_back(name, now - known.since)
            known.told_away = False
        self._comes_back(name, known, now)

    def _comes_back(self, name: str, known: _Connection, now: datetime) -> None:
        self.log.info("platform is back", platform=name, after=f"{(now - known.since).total_seconds():.0f} s")
        known.connected, known.since = True, now
        self.reconnected(name)

    def _is_settled(self, name: str, states: Mapping[str, Health]) -> bool:
        known = self._connections.get(name)
        if known is None or name not in states or not states[name].connected:
            return False
        return self.clock.now() - known.since >= SETTLE

    # — connections —

    async def _say_away(self, name: str, known: _Connection, state: Health) -> None:
        """Put a ticket into the record and write to stewards where that can be done: not by the door that is shut."""
        self.log.warning("platform is away for long", platform=name, note=state.note)
        group_id = self._first_group(name)
        if self.tell != "ticket" or group_id is None:
            return
        since = known.since.astimezone(ZoneInfo(self.timezone))
        note = self.texts("health.note", note=state.note) if state.note else ""
        text = self.texts("health.away", platform=name, since=f"{since:%m-%d %H:%M}", note=note)
        ticket = Ticket(
            group_id=group_id,
            text=text,
            subject=_subject(name),
            key=f"health/{name}",
            opened_at=self.clock.now(),
        )
        await self.records.open_ticket(ticket)
        await self._write(f"health/{name}/{known.since.isoformat()}/away", name, text)

    async def _say_back(self, name: str, after: timedelta) -> None:
        group_id = self._first_group(name)
        if self.tell != "ticket" or group_id is None:
            return
        await self._close(group_id, name)
        minutes = max(1, round(after.total_seconds() / 60))
        text = self.texts("health.back", platform=name, minutes=minutes)
        await self._write(f"health/{name}/{self.clock.now().isoformat()}/back", name, text)

    async def _write(self, event_id: str, name: str, text: str) -> None:
        """Write to every steward who was named, once, by a platform that is connected."""
        rows = self.outbox.rows(event_id, "steward", await self._letters(name, text))
        if rows:
            await self.outbox.send(await self.records.enqueue(rows))

    async def _letters(self, name: str, text: str) -> list[Action]:
        letters: dict[AccountId, Action] = {}
        for steward in await self.records.stewards():
            if steward.group_id is not None and platform_of(steward.group_id) != name:
                continue
            for account in dict.fromkeys((steward.account, *self.outbox.consoles_of(steward.account))):
                platform = self.platforms.get(platform_of(account))
                group_id = (
                    steward.group_id or self._first_group(platform_of(account)) or self._first_group(name)
                )
                if platform is None or group_id is None or not self._state(platform).connected:
                    continue
                if platform.direct(account):
                    letters[account] = DirectMessage(group_id=group_id, account=account, text=text)
        return list(letters.values())

    async def _say_missed(self, name: str, since: datetime, until: datetime) -> None:
        """Say which groups nobody listened to for a while, where what was said meanwhile cannot be had."""
        if until - since < self.grace:
            return
        platform = self.platforms[name]
        behind = platform.behind() if isinstance(platform, Resumes) else dict[GroupId, datetime]()
        mine = [plan.group for plan in self.plans.all() if plan.awake and platform_of(plan.group.id) == name]
        lost = [
            one for one in mine if one.id in behind or Capability.READ_HISTORY not in self.outbox.can(one.id)
        ]
        if not lost:
            return
        self.log.warning("not listened", platform=name, since=since.isoformat(), groups=len(lost))
        detail = {"since": since.isoformat(), "until": until.isoformat(), "groups": [one.id for one in lost]}
        await self.records.note(
            Audit(at=self.clock.now(), what="not listened", actor="health", detail=detail)
        )
        if self.tell != "ticket":
            return
        zone = ZoneInfo(self.timezone)
        named = self.texts("joint").join(one.name or one.id for one in lost[:NAMED])
        more = self.texts("health.more", number=len(lost) - NAMED) if len(lost) > NAMED else ""
        text = self.texts(
            "health.missed",
            platform=name,
            since=f"{since.astimezone(zone):%m-%d %H:%M}",
            until=f"{until.astimezone(zone):%m-%d %H:%M}",
            groups=named + more,
        )
        event_id = f"health/{name}/{since.isoformat()}/missed"
        await self._send(event_id, (AskStewards(group_id=min(one.id for one in lost), text=text),))

    def _first_group(self, name: str) -> GroupId | None:
        """Give the group in whose record something of a platform is put; any, for a platform that has none."""
        platform: object = self.platforms.get(name)
        anywhere = isinstance(platform, Whispers)
        groups = [
            plan.group.id for plan in self.plans.all() if anywhere or platform_of(plan.group.id) == name
        ]
        return min(groups, default=None)

    # — abilities —

    async def _compare_abilities(self, plan: GroupPlan) -> None:
        """Say once what of a group's rules no longer works, or works again; a change has to be seen twice."""
        group_id = plan.group.id
        known = self._abilities.get(group_id)
        needed = known.needed if known is not None and known.plan is plan else self.needed(plan)
        lacking = needed - self.outbox.can(group_id) - self._fleeting(group_id)
        if known is None:
            self._abilities[group_id] = _Ability(plan, needed, lacking, lacking)
            return
        if known.plan is not plan:
            # What is new in the plan was never had, so nothing of it was lost or came back.
            known.told = (known.told & needed) | (lacking - known.needed)
            known.plan, known.needed = plan, needed
        if lacking != known.told and lacking == known.seen:
            lost, back = lacking - known.told, known.told - lacking
            await self._say_changed(plan, lost, back, whole=not (known.lost | lost) - back)
            known.told, known.lost = lacking, (known.lost | lost) - back
        known.seen = lacking

    def _fleeting(self, group_id: GroupId) -> frozenset[Capability]:
        platform: object = self.platforms.get(platform_of(group_id))
        return platform.fleeting(group_id) if isinstance(platform, Fleeting) else frozenset()

    def needed(self, plan: GroupPlan) -> frozenset[Capability]:
        """Give what a group's rules cannot do well without: by its plugins' manifests, and by its ladders' steps."""
        names = [name for name in plan.policy.enabled if name in self.manifests]
        steps = {step for ladder in plan.policy.ladders.values() for step in ladder.steps}
        needs = frozenset[Capability]().union(*(self.manifests[name].needs for name in names))
        return needs | frozenset(STEPS[step] for step in steps if names and step in STEPS)

    async def _say_changed(
        self, plan: GroupPlan, lost: frozenset[Capability], back: frozenset[Capability], *, whole: bool
    ) -> None:
        """Say what was lost and what is back; with `whole` everything that was lost is."""
        group_id, now = plan.group.id, self.clock.now()
        self.log.warning("abilities changed", group=group_id, lost=_named(lost), back=_named(back))
        detail = {"lost": _named(lost), "back": _named(back)}
        await self.records.note(
            Audit(at=now, what="abilities changed", actor="health", group_id=group_id, detail=detail)
        )
        if self.tell != "ticket" or not plan.stage.books:
            return
        event_id = f"health/{group_id}/{now.isoformat()}"
        if lost:
            ask = AskStewards(
                group_id=group_id,
                text=self.texts("health.lost", what=self._words(lost)),
                subject=_subject(group_id),
            )
            await self._send(event_id, (ask,))
        if whole:
            await self._close(group_id, group_id)
        if back:
            await self._send(f"{event_id}/back", self._regained(group_id, back))

    def _regained(self, group_id: GroupId, back: frozenset[Capability]) -> tuple[Action, ...]:
        platform = self.platforms.get(platform_of(group_id))
        if platform is None or Capability.DIRECT_MESSAGE not in platform.can(group_id):
            return ()
        text = self.texts("health.regained", what=self._words(back))
        return tuple(
            DirectMessage(group_id=group_id, account=account, text=text)
            for account in self.people.stewards_of(group_id)
            if platform_of(account) == platform.name and platform.direct(account)
        )

    def _words(self, abilities: Iterable[Capability]) -> str:
        return self.texts("joint").join(self.texts(f"able.{one}") for one in sorted(abilities))

    async def _send(self, event_id: str, actions: Iterable[Action]) -> None:
        rows = self.outbox.rows(event_id, "steward", actions)
        if rows:
            await self.outbox.send(await self.records.enqueue(rows))

    async def _close(self, group_id: GroupId, about: str) -> None:
        """Close the tickets about something that is well again."""
        for ticket in await self.records.tickets(group_id=group_id):
            if ticket.subject == _subject(about):
                await self.records.close_ticket(ticket.id, by="health", at=self.clock.now())


def _subject(about: str) -> str:
    return f"health:{about}"


def _named(abilities: Iterable[Capability]) -> list[str]:
    return sorted(map(str, abilities))
