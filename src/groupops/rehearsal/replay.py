"""Replays a transcript through the same flow on a stopped clock, with a platform that only writes down."""

from __future__ import annotations

import gc
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from zoneinfo import ZoneInfo

from groupops.actions import Action, Capability, Receipt, Rehearsed
from groupops.calendar import WorkCalendar
from groupops.clock import StoppedClock
from groupops.counters import MemoryCounters
from groupops.engine import Engine, Parts
from groupops.errors import ConfigError, PlatformError
from groupops.events import CORE_KINDS, EVENT_KINDS, Event, Listed, Media, MembersListed, MessagePosted
from groupops.flow import Outcome
from groupops.hooks import Hooks
from groupops.importers.roster import Entry, enrol, read_roster
from groupops.importers.transcript import Remark, Transcript
from groupops.importers.transcripts.facts import opened_transcript
from groupops.importers.transcripts.values import Asked
from groupops.people import AccountId, GroupId, Stage, native_of, platform_of
from groupops.records import Case, CaseStatus, OutboxRow, OutboxState
from groupops.rehearsal.report import Comparison, Finding, Hit, Report, Standing, compared, counted
from groupops.shelf import PackShelf
from groupops.store.memory import MemoryRecords
from groupops.store.passing import tables_of
from groupops.verdicts import Offence, Ruling

Progress = Callable[[int, int], None]
"""Told how many facts were replayed, of how many."""

TELL_EVERY = 250
"""Facts between two words of progress."""

SWEEP_AFTER = 100_000
"""Objects made since the last look for garbage before the next one, while a transcript is replayed."""

ALL_CASES = 10_000_000

_SEEING = {
    "member_joined": "joins",
    "member_left": "leaves",
    "member_renamed": "renames",
    "message_recalled": "recalls",
    "location_shared": "locations",
    "red_packet_sent": "red_packets",
    "join_requested": "requests",
}
"""Kind of a fact a transcript may lack → the text that says what then cannot be told."""


@dataclass(slots=True)
class Recorder:
    """A platform that does nothing but say what it would be able to do.

    Args:
        name: the platform's name, as in the transcript's ids.
        able: what it says it is able to do.
    """

    name: str
    able: frozenset[Capability] = frozenset(Capability)

    def can(self, group_id: GroupId) -> frozenset[Capability]:  # noqa: ARG002 - the port of every platform
        """Give what it would be able to do."""
        return self.able

    def hears(self, group_id: GroupId) -> frozenset[str]:  # noqa: ARG002 - the port of every platform
        """Everything may be handed in."""
        return EVENT_KINDS

    async def perform(self, action: Action, *, key: str) -> Receipt:  # noqa: ARG002 - the port of every platform
        """Do nothing, and say so."""
        return Rehearsed()

    async def members(self, group_id: GroupId) -> tuple[tuple[Listed, ...], bool]:
        """There is nobody to ask. Raises PlatformError."""
        raise PlatformError(f"the members of {group_id} cannot be read: this is a rehearsal")

    def open(self, media: Media, *, cap: int) -> AsyncIterator[bytes]:  # noqa: ARG002 - the port of every platform
        """A transcript has no bytes. Raises PlatformError."""
        raise PlatformError(f"medium {media.id!r} is not in a transcript")

    def direct(self, account: AccountId) -> bool:  # noqa: ARG002 - the port of every platform
        """Anybody could be written to."""
        return True


@dataclass(slots=True)
class _Silent:
    """A log for what nobody needs to read: failures are counted in the report."""

    def info(self, what: str, /, **fields: object) -> None:
        """Keep nothing."""

    def warning(self, what: str, /, **fields: object) -> None:
        """Keep nothing."""


@dataclass(slots=True)
class _Notes:
    """What is written down while the transcript is replayed."""

    hits: dict[str, Outcome] = field(default_factory=dict[str, Outcome])
    opened: dict[int, Case] = field(default_factory=dict[int, Case])
    actions: list[str] = field(default_factory=list[str])
    pardons: list[str] = field(default_factory=list[str])
    names: dict[str, str] = field(default_factory=dict[str, str])
    """Account → the name it was heard under, for those who have left since."""

    def heard(self, outcome: Outcome) -> None:
        """Write down what became of a fact."""
        ruling = outcome.ruling
        if ruling is None:
            return
        self.pardons += ruling.pardons
        if ruling.worst is None:
            return
        event = outcome.event
        self.hits[event.id] = outcome
        if isinstance(event, MessagePosted):
            self.names[event.account] = event.card or event.name
        if outcome.booked is not None:
            self.opened.setdefault(outcome.booked.case.id, outcome.booked.case)

    def settled(self, row: OutboxRow, receipt: object) -> None:  # noqa: ARG002 - all are the same here
        """Write down an action that would have been done."""
        self.actions.append(f"{row.purpose}:{row.action.kind}")


async def rehearse(  # noqa: PLR0913 - one value for each option of the command
    file: Path,
    packs: Sequence[str],
    *,
    roster: Path | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    against: Sequence[str] | str | None = None,
    lenient: bool = False,
    progress: Progress | None = None,
    plugins: Iterable[str] | None = None,
    extra: Iterable[str] = (),
    disabled: Iterable[str] = (),
    shelf: PackShelf | None = None,
    env: Mapping[str, str] | None = None,
    profile: str = "",
    calendar: WorkCalendar | None = None,
    asked: Asked | None = None,
) -> Report:
    """Replay a transcript by packs, as if they had been in force all the time.

    Args:
        file: a transcript in any format that is known, or the folder of one in pieces.
        packs: ids of the packs, in order.
        roster: a roster as CSV; its stewards are protected and its persons have one record over all accounts.
        since: facts before this moment (aware) are left out.
        until: facts from this moment (aware) on are left out.
        against: ids of other packs to compare with.
        lenient: True skips broken lines and reports them.
        progress: told now and then how far it is.
        plugins: names of the installed plugins to load; None loads all.
        extra: modules of plugins that are not packaged.
        disabled: names of plugins that stay out.
        shelf: the packs there are; the shipped ones if not given.
        env: settings as `.env` would give them.
        profile: name of one of the sandbox's capability profiles; empty = a platform that is able to do all.
        calendar: which days are worked.
        asked: what the operator says of the file where it does not say it itself (zone, group, day).

    Returns:
        The report; the same for the same input, but for the time it took.

    Raises:
        ImportFailed: a line of the transcript or the roster is wrong.
        ConfigError: packs or settings do not hold, or the transcript is of a private talk.
    """
    entries = read_roster(roster) if roster else ()
    others = (against,) if isinstance(against, str) else tuple(against or ())
    with opened_transcript(file, lenient=lenient, asked=asked) as transcript:
        if transcript.head.private:
            raise ConfigError(f"{file.name} is a talk of two; rules of a group cannot be rehearsed on it")
        kit = _Kit(
            transcript=transcript,
            entries=entries,
            since=since,
            until=until,
            plugins=None if plugins is None else tuple(plugins),
            extra=tuple(extra),
            disabled=tuple(disabled),
            shelf=_in_force(shelf or PackShelf.load()),
            env=env or {},
            able=_able(transcript, profile),
            calendar=calendar or WorkCalendar(),
            progress=progress,
            turns=1 + bool(others),
        )
        return await _both(kit, packs, others)


async def _both(kit: _Kit, packs: Sequence[str], others: Sequence[str]) -> Report:
    """Rehearse, and a second time by the other packs if there are any."""
    began = time.perf_counter()
    with _seldom_swept():
        report = await _rehearsed(kit, packs, 0)
        seconds = time.perf_counter() - began
        other = await _rehearsed(kit, others, 1) if others else None
    comparison: Comparison | None = None
    if other is not None:
        comparison = compared(report.hits, other.hits, others, len(other.findings))
    return replace(report, against=comparison, seconds=seconds)


@contextmanager
def _seldom_swept() -> Generator[None, None, None]:
    """Look for garbage seldom: a rehearsal keeps what it makes until it is over, so looking finds next to nothing.

    Swept as often as usual, a third of the time goes into it.
    """
    usual = gc.get_threshold()
    gc.set_threshold(SWEEP_AFTER, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kit:
    """What every turn of a rehearsal is made with."""

    transcript: Transcript
    entries: tuple[Entry, ...]
    since: datetime | None
    until: datetime | None
    plugins: tuple[str, ...] | None
    extra: tuple[str, ...]
    disabled: tuple[str, ...]
    shelf: PackShelf
    env: Mapping[str, str]
    able: frozenset[Capability]
    calendar: WorkCalendar
    progress: Progress | None
    turns: int

    def asks_for(self, moment: datetime) -> bool:
        """Say whether a moment lies in the span asked for."""
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)

    @property
    def start(self) -> datetime:
        """A moment before all facts, where groups are bound and lists read."""
        first = max(filter(None, (self.transcript.first, self.since)), default=None)
        if first is None:
            raise ConfigError(f"{self.transcript.path.name} has no message that could be replayed")
        return first - timedelta(seconds=1)


def _in_force(shelf: PackShelf) -> PackShelf:
    """History is judged as if the packs had been in force all along: a day that is still to come does not count."""
    return PackShelf([replace(pack, effective=None) for pack in shelf])


def _able(transcript: Transcript, profile: str) -> frozenset[Capability]:
    able = frozenset(Capability)
    if profile:
        able = import_module("groupops_sandbox.profiles").profile(profile).best
    return able if transcript.roles_known else able - {Capability.READ_ROLE}


# — one turn —


async def _rehearsed(kit: _Kit, packs: Sequence[str], turn: int) -> Report:
    hooks = Hooks()
    hooks.load_all(extra=kit.extra, disabled=kit.disabled, only=kit.plugins)
    notes, clock = _Notes(), StoppedClock(kit.start)
    head = kit.transcript.head
    records = MemoryRecords()
    await enrol(kit.entries, records)
    platform = platform_of(head.group_id)
    parts = Parts(
        hooks=hooks,
        records=records,
        counters=MemoryCounters(clock),
        clock=clock,
        platforms={platform: Recorder(platform, kit.able)},
        shelf=kit.shelf,
        log=_Silent(),
        env=kit.env,
        calendar=kit.calendar,
        rehearse=True,
        heard=notes.heard,
        on_settled=notes.settled,
    )
    engine = Engine.build(parts)
    async with tables_of(hooks.manifests), _started(engine):
        await engine.bind_group(
            head.group_id, packs=packs, stage=_stage(kit), name=head.name, timezone=head.timezone
        )
        player = _Player(engine, clock, kit, turn)
        await player.play()
        return await _reported(kit, engine, notes, player)


def _stage(kit: _Kit) -> Stage:
    """A name may be anybody's: where senders are names, nothing is booked on anybody."""
    return Stage.SHADOW if kit.transcript.head.identity == "name" else Stage.ENFORCED


@asynccontextmanager
async def _started(engine: Engine) -> AsyncGenerator[None, None]:
    await engine.start()
    try:
        yield
    finally:
        await engine.stop()


@dataclass(slots=True)
class _Player:
    """Moves the clock from fact to fact, stopping at every moment at which something is due."""

    engine: Engine
    clock: StoppedClock
    kit: _Kit
    turn: int
    played: int = 0
    outside: int = 0
    first: datetime | None = None
    last: datetime | None = None
    _stop: datetime | None = None

    async def play(self) -> None:
        """Replay everything."""
        await self._census()
        flow, clock = self.engine.flow, self.clock
        glance, reached = flow.glance, clock.moment
        for fact in self._asked_for():
            at = fact.at
            if self._stop is not None and self._stop <= at:
                await self._catch_up(at)
            if at > reached:
                clock.advance_to(at)
                reached = at
            pending = glance(fact)
            if pending is not None:
                await flow.finish(pending)
                await self._look_ahead()
            if not self.played % TELL_EVERY:
                self._tell()
        self._tell()

    def _asked_for(self) -> Iterator[Event]:
        """Give the facts of the span asked for; they are counted, and so are those outside."""
        kit, fact = self.kit, None
        whole = kit.since is None and kit.until is None
        facts = kit.transcript.replay()
        for fact in facts if whole else filter(self._within, facts):
            if self.first is None:
                self.first = fact.at
            self.played += 1
            yield fact
        self.last = None if fact is None else fact.at

    def _within(self, fact: Event) -> bool:
        within = self.kit.asks_for(fact.at)
        self.outside += not within
        return within

    async def _census(self) -> None:
        """Tell who is in the group: the first list is where a group's record starts."""
        transcript = self.kit.transcript
        if transcript.members:
            group_id = transcript.head.group_id
            await self.engine.flow.handle(
                MembersListed(
                    id=f"{group_id}/members",
                    at=self.clock.now(),
                    group_id=group_id,
                    source="export",
                    members=transcript.members,
                )
            )
        await self._look_ahead()

    async def _catch_up(self, moment: datetime) -> None:
        """Let happen what was due before a moment, each at its own time."""
        while self._stop is not None and self._stop <= moment:
            self.clock.moment = max(self.clock.moment, self._stop)
            fired = await self.engine.ticker.tick()
            tried = await self.engine.outbox.pump()
            await self._look_ahead()
            if not (fired or tried):
                return  # what is due and cannot be done waits for good; the facts go on

    async def _look_ahead(self) -> None:
        """Find the next moment at which something is due."""
        people, records = self.engine.people, self.engine.parts.records
        if people.unwritten:
            await people.flush()
        due = await records.next_due()
        waiting = await records.outbox(states=frozenset({OutboxState.WAITING}))
        moments = [row.not_before for row in waiting if row.not_before is not None]
        self._stop = min([*moments, *([due] if due else [])], default=None)

    def _tell(self) -> None:
        if self.kit.progress is not None:
            total = self.kit.transcript.kept
            self.kit.progress(self.turn * total + min(self.played, total), total * self.kit.turns)


# — what came of it —


async def _reported(kit: _Kit, engine: Engine, notes: _Notes, player: _Player) -> Report:
    transcript, head = kit.transcript, kit.transcript.head
    plan = engine.plans.of(head.group_id)
    assert plan is not None  # noqa: S101 - it was bound above
    zone = plan.timezone
    findings = await _findings(engine, notes, zone)
    dropped = dict(transcript.dropped) | ({"outside": player.outside} if player.outside else {})
    bound = sum(
        engine.people.member(head.group_id, line.account).real_name != "" for line in transcript.members
    )
    return Report(
        file=transcript.path.name,
        group=head.group_id,
        group_name=head.name,
        timezone=zone.key,
        packs=plan.group.packs,
        titles=plan.policy.titles,
        first=player.first and player.first.astimezone(zone),
        last=player.last and player.last.astimezone(zone),
        rows=transcript.rows,
        facts=player.played,
        members=len(transcript.members),
        bound=bound,
        dropped=dict(sorted(dropped.items())),
        skipped=transcript.faults,
        remarks=tuple(_remarks(kit, engine)),
        findings=findings,
        hits=tuple(_hits(engine, notes, zone)),
        standings=await _standings(engine, findings),
        booked=plan.stage.books,
        actions=counted(notes.actions),
        pardons=counted(notes.pardons),
        failures=tuple(
            f"{fault.plugin}.{fault.hook}: {fault.times} ({fault.last})"
            for fault in engine.parts.hooks.faults
        ),
    )


async def _findings(engine: Engine, notes: _Notes, zone: ZoneInfo) -> tuple[Finding, ...]:
    """Give every case as it was opened, also one the nightly purge has forgotten since."""
    ended = {case.id: case for case in await engine.parts.records.cases(limit=ALL_CASES)}
    opened = {**ended, **notes.opened}
    return tuple(
        _finding(engine, notes, opened[number], ended.get(number, opened[number]).status, zone)
        for number in sorted(opened)
    )


def _finding(engine: Engine, notes: _Notes, case: Case, ended: CaseStatus, zone: ZoneInfo) -> Finding:
    return Finding(
        case=case.id,
        message_id=case.message_id or case.event_id,
        at=case.opened_at.astimezone(zone),
        account=case.account,
        name=_called(engine, notes, case.group_id, case.account),
        rule=case.rule,
        clause=case.clause.ref if case.clause else "",
        reason=case.reason,
        plugin=case.plugin,
        severity=int(case.severity),
        ladder=case.ladder,
        step=case.step,
        strike=case.strike,
        opened=case.status.value,
        ended=ended.value,
        text=case.excerpt,
        quotes=tuple(dict.fromkeys(item.quote for item in case.evidence if item.quote)),
    )


def _called(engine: Engine, notes: _Notes, group_id: GroupId, account: AccountId) -> str:
    member = engine.people.member(group_id, account)
    return member.real_name or member.card or member.name or notes.names.get(account) or native_of(account)


def _hits(engine: Engine, notes: _Notes, zone: ZoneInfo) -> Iterator[Hit]:
    for event_id, outcome in notes.hits.items():
        event, ruling = outcome.event, outcome.ruling
        account: AccountId = getattr(event, "account", None) or AccountId("")
        assert ruling is not None  # noqa: S101 - only such outcomes were kept
        yield Hit(
            message_id=getattr(event, "message_id", "") or event_id,
            at=event.at.astimezone(zone),
            account=account,
            name=_called(engine, notes, event.group_id, account),
            rules=tuple(dict.fromkeys(offence.rule for offence in _offences(ruling))),
            text=event.text if isinstance(event, MessagePosted) and _may_keep(ruling) else "",
            case=outcome.booked.case.id if outcome.booked else 0,
        )


def _offences(ruling: Ruling) -> tuple[Offence, ...]:
    return tuple(said.verdict for said in ruling.offences if isinstance(said.verdict, Offence))


def _may_keep(ruling: Ruling) -> bool:
    return all(offence.keep_text for offence in _offences(ruling))


async def _standings(engine: Engine, findings: Iterable[Finding]) -> tuple[Standing, ...]:
    """Count, for each person and ladder, the strikes that hold and the cases that waited for a human."""
    records = engine.parts.records
    places: dict[tuple[int, str], list[Finding]] = {}
    for finding in findings:
        person = await records.person_of(AccountId(finding.account))
        if finding.ladder and person is not None:
            places.setdefault((person.id, finding.ladder), []).append(finding)
    found: list[Standing] = []
    for (_, ladder), theirs in places.items():
        person = await records.person_of(AccountId(theirs[0].account))
        assert person is not None  # noqa: S101 - found above
        found.append(
            Standing(
                person=theirs[0].name,
                account=theirs[0].account,
                ladder=ladder,
                strikes=await records.strikes(person.id, ladder, engine.parts.clock.now()),
                waiting=sum(finding.waits for finding in theirs),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.strikes - one.waiting, one.ladder, one.account)))


# — what could not be told —


def _remarks(kit: _Kit, engine: Engine) -> Iterator[Remark]:
    """Say what a rehearsal of this transcript cannot know, so that nobody takes silence for innocence."""
    transcript, head = kit.transcript, kit.transcript.head
    yield from transcript.remarks
    plan = engine.plans.of(head.group_id)
    assert plan is not None  # noqa: S101 - it was bound
    if plan.policy.inactive:
        yield Remark(key="inactive", values={"plugins": "、".join(plan.policy.inactive)})
    if head.identity == "name":
        yield Remark(key="identity")
    if head.precision == "min":
        yield Remark(key="precision")
    if not transcript.roles_known:
        yield Remark(key="roles" if kit.entries else "roles_nor_roster")
    if not transcript.members:
        yield Remark(key="members")
    yield from _untold(transcript, engine, plan.policy.enabled)
    if "message_recalled" not in transcript.hears:
        yield Remark(key="recalled_texts")
    yield Remark(key="nobody_decides")


def _untold(transcript: Transcript, engine: Engine, enabled: Iterable[str]) -> Iterator[Remark]:
    manifests = engine.parts.hooks.manifests
    missing: dict[str, list[str]] = {}
    for name in enabled:
        heard = manifests[name].hears if name in manifests else frozenset[str]()
        for kind in heard - transcript.hears - CORE_KINDS:
            if kind in _SEEING:
                missing.setdefault(_SEEING[kind], []).append(name)
    for key, plugins in sorted(missing.items()):
        yield Remark(key=f"no_{key}", values={"plugins": "、".join(sorted(plugins))})
