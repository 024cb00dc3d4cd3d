"""One round of advice: the engine opened on the group's own record, what was handed in replayed, what came of it told."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from groupops.actions import Capability
from groupops.advise.absent import ABLE, Absent
from groupops.advise.counsel import Counsel, Heard
from groupops.advise.findings import Advice, Notice, RosterLine
from groupops.advise.handed_in import Asking, Desk, HandedIn, Memory
from groupops.advise.history import OfOneGroup, TurnedClock
from groupops.advise.judging import CLOSE, AdvisedCasebook, Source
from groupops.advise.names import NameBook, is_made
from groupops.advise.recalls import asked_back
from groupops.advise.replay import Player
from groupops.advise.roster import Differing, MemberList, matched
from groupops.advise.windows import KeptCounters, Windows
from groupops.clock import Clock, SystemClock
from groupops.config import Start
from groupops.engine import Engine
from groupops.errors import ConfigError
from groupops.events import Event, Listed, MessagePosted, Text
from groupops.importers.transcripts.participants import Matching
from groupops.importers.transcripts.values import Party
from groupops.operations import Assembled, assemble, opened
from groupops.people import AccountId, GroupId, platform_of
from groupops.plan import GroupPlan
from groupops.plugin import texts_of
from groupops.records import OutboxRow, Records

AUTHOR = "advise"
"""Who is named as having bound a shown name to a person of the roster."""

_BEFORE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one round is made of.

    Args:
        group_id: whose.
        files: transcripts, in any order.
        members: a member list, if one was handed in.
        asking: what the operator says about the files.
    """

    group_id: GroupId
    files: Sequence[Path] = ()
    members: Sequence[Party] | None = None
    asking: Asking = field(default_factory=Asking)


@dataclass(slots=True)
class _Round:
    """The engine, open for one round."""

    engine: Engine
    clock: TurnedClock
    guard: OfOneGroup
    absent: Absent
    counters: KeptCounters
    casebook: AdvisedCasebook
    heard: Heard
    group_id: GroupId
    book: NameBook = field(default_factory=lambda: NameBook(""))

    @property
    def plan(self) -> GroupPlan:
        """What applies in the group.

        Raises:
            ConfigError: it is not bound.
        """
        plan = self.engine.plans.of(self.group_id)
        if plan is None:
            raise ConfigError(
                f"group {self.group_id!r} is not bound; "
                f"bind it with: groupops group bind {self.group_id} --pack ID --stage enforced"
            )
        return plan

    @property
    def records(self) -> Records:
        """The record."""
        return self.engine.parts.records


@asynccontextmanager
async def _sat_down(start: Start, group_id: GroupId, clock: Clock | None) -> AsyncGenerator[_Round]:
    """Open the engine on the group's record, with nobody in the group."""
    turned = TurnedClock((clock or SystemClock()).now())
    alone = replace(start, config=start.config.model_copy(update={"redis_url": ""}))
    counters = KeptCounters(turned)
    assembled = assemble(alone, clock=turned, counters=counters)
    absent = Absent(platform_of(group_id))
    assembled.platforms[absent.name] = absent
    async with opened(assembled) as engine:
        guard = _guarded(assembled, group_id, turned)
        heard, casebook = Heard(turned), AdvisedCasebook.instead_of(engine.casebook)
        _put_in(engine, casebook, heard)
        await engine.people.load_everywhere()
        await engine.people.load_members(group_id)
        try:
            yield _Round(engine, turned, guard, absent, counters, casebook, heard, group_id)
        finally:
            turned.turn(turned.real)
            await guard.give_back()
        await engine.people.flush()


def _guarded(assembled: Assembled, group_id: GroupId, clock: TurnedClock) -> OfOneGroup:
    made: list[OfOneGroup] = []

    def guard(records: Records) -> Any:
        made.append(OfOneGroup(records, group_id, clock))
        return made[0]

    assembled.late.behind(guard)
    return made[0]


def _put_in(engine: Engine, casebook: AdvisedCasebook, heard: Heard) -> None:
    """Let the casebook that only proposes take the usual one's place, and hear what comes of everything."""
    engine.casebook = engine.flow.casebook = casebook
    engine.flow.errands.casebook = casebook
    engine.commands.casebook = casebook
    engine.flow.heard = heard.outcome
    usual = engine.outbox.settled

    async def settled(row: OutboxRow, receipt: Any) -> None:
        heard.settled(row, receipt)
        if usual is not None:
            await usual(row, receipt)

    engine.outbox.settled = settled


async def advise(start: Start, wanted: Wanted, *, clock: Clock | None = None) -> Advice:
    """Read what was handed in, hold it against the group's policy, and say what humans are to do.

    Cases are opened for humans to decide and tickets for humans to carry out; what shows an earlier ticket done
    closes it. What was read before changes nothing.

    Args:
        start: the configuration.
        wanted: what was handed in.
        clock: the real clock; the machine's if not given.

    Raises:
        ImportFailed: a file cannot be read; nothing was changed.
        ConfigError: the group is not bound, or a file is of another one; nothing was changed.
        StoreError: the database refuses.
    """
    async with _sat_down(start, wanted.group_id, clock) as at:
        plan = at.plan
        memory = await Memory.load(at.records, wanted.group_id)
        known = dict(await at.records.members(wanted.group_id))
        book = at.book = _book(at, known)
        names = _shown_names(known.values(), wanted.members or ())
        asked = asked_back(await at.records.tickets(group_id=wanted.group_id))
        desk = Desk(memory, book, wanted.asking, plan.timezone.key, at.clock.real, names, asked)
        try:
            read = sorted((desk.read(path) for path in wanted.files), key=_start_of)
            parties = wanted.members if wanted.members is not None else _listed(read)
            members = MemberList.of(parties, book) if parties is not None else None
            counsel = await Counsel.before(at.engine, at.casebook, at.heard, wanted.group_id)
            player = Player(at.engine, at.clock, at.guard, wanted.group_id)
            await _replayed(at, read, members, memory, player, first=not known)
        finally:
            desk.close()
        await player.end()
        differing = Differing(at.absent.name, texts_of("groupops.advise"), plan.policy.clauses)
        lines: list[RosterLine] = []
        if members is not None:
            fact = members.fact(wanted.group_id, at.clock.real)
            lines = list(differing.from_before(known, fact))
            await player.tell(fact)
            await at.engine.people.flush()
            lines += differing.from_roster(members, _matching(at, members.lines)) if _register(at) else []
        hints = await _recalled(at, read)
        await counsel.tickets_for_asides()
        await counsel.close_repeats()
        advice = await counsel.given(read, members, tuple(lines), player, hints)
        await memory.keep(at.records, player.last, at.clock.real, _left_over(at, player, memory))
        return advice


def _left_over(at: _Round, player: Player, memory: Memory) -> Windows | None:
    """Give what reaches beyond the end of the history; None where that has not moved on."""
    if player.last is None or (memory.until is not None and player.last < memory.until):
        return None
    return Windows.of(at.counters, [*memory.windows.facts(at.group_id), *player.latest], player.last)


async def require_bound(start: Start, group_id: GroupId) -> None:
    """Make sure that a group can be advised on before anything is handed in.

    Raises:
        ConfigError: it is not bound.
        StoreError: the database refuses.
    """
    async with _sat_down(start, group_id, None) as at:
        _ = at.plan


def _start_of(read: HandedIn) -> tuple[bool, float, str]:
    """Give by what transcripts are put in order: the first that begins first, one without messages last."""
    first = read.report.first
    return first is None, first.timestamp() if first else 0.0, read.path.name


def _shown_names(known: Iterable[Listed], parties: Iterable[Party]) -> frozenset[str]:
    shown = [(line.card, line.name) for line in known] + [(party.card, party.name) for party in parties]
    return frozenset(name for names in shown for name in names if name)


def _listed(read: Iterable[HandedIn]) -> Sequence[Party] | None:
    """Give the members a transcript lists, the last one that does."""
    return next((one.listed for one in reversed(list(read)) if one.listed), None)


def _book(at: _Round, known: dict[AccountId, Listed]) -> NameBook:
    people = at.engine.people
    real = {account: person.name for account in known if (person := people.person(account)) is not None}
    return NameBook.of(at.absent.name, known.values(), real)


async def _replayed(
    at: _Round,
    read: Sequence[HandedIn],
    members: MemberList | None,
    memory: Memory,
    player: Player,
    *,
    first: bool,
) -> None:
    """Replay the new part of every transcript; the first member list of a group is where its record starts."""
    moments = [one.transcript.first for one in read if one.transcript and one.transcript.first]
    begin = min(moments, default=at.clock.real) - _BEFORE
    if memory.until is not None and begin >= memory.until - CLOSE:
        await memory.windows.take_up(at.engine, at.counters, at.clock, at.group_id)
    await player.begin(max(begin, memory.until or begin))
    await _bound(at, _everybody(at, members, read))
    if members is not None and first:
        await player.tell(members.fact(at.group_id, at.clock.now()))
    for one in read:
        if one.transcript is None:
            continue
        at.absent.able = ABLE | ({Capability.READ_ROLE} if one.transcript.roles_known else frozenset())
        at.casebook.source = Source.of(one.report, _book(at, dict(await at.records.members(at.group_id))))
        at.heard.reading(one)
        await player.play(one.transcript.replay())


def _register(at: _Round) -> bool:
    return bool(at.engine.people.persons())


def _matching(at: _Round, lines: Sequence[Listed]) -> Matching:
    people = at.engine.people
    persons = [(person, people.accounts(person.id)) for person in people.persons()]
    return matched(lines, persons, at.absent.name)


def _everybody(at: _Round, members: MemberList | None, read: Iterable[HandedIn]) -> tuple[Listed, ...]:
    """Give everybody who is listed or speaks under a shown name."""
    found = {line.account: line for line in members.lines} if members is not None else {}
    for party in (seen.party for one in read for seen in one.report.senders.values()):
        if not party.id and (party.card or party.name):
            account = at.book.account(party.card or party.name)[0]
            found.setdefault(account, Listed(account=account, name=party.name, card=party.card))
    return tuple(found.values())


async def _bound(at: _Round, lines: Sequence[Listed]) -> None:
    """Let a shown name that is certainly one person's stand for that person; real accounts are left to humans."""
    if not _register(at):
        return
    for one in _matching(at, lines).matched:
        account, line = AccountId(f"{at.absent.name}:{one.sender.party.id}"), one.line
        if one.ground != "account" and line.active and is_made(account) and line.person_id is not None:
            await at.engine.people.bind(account, line.person_id, by=AUTHOR)


async def _recalled(at: _Round, read: Iterable[HandedIn]) -> dict[int, datetime]:
    """Close the tickets whose message is shown taken back; give those where it may be so, and since when."""
    records, hints = at.records, dict[int, datetime]()
    for one in read:
        for ticket in one.recalls.proved(await records.tickets(group_id=at.group_id)):
            await records.close_ticket(ticket.id, by="export", at=at.clock.now())
        for ticket, moment in one.recalls.hints(await records.tickets(group_id=at.group_id)):
            hints[ticket.id] = moment
    return hints


# — a steward's word —


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came of a steward's word: the answer, and what is to be passed on."""

    answer: str
    notices: tuple[Notice, ...]


async def say(
    start: Start, group_id: GroupId, by: AccountId, words: str, *, clock: Clock | None = None
) -> Said:
    """Have a steward say something as if it were said to the bot: `批准 12 理由`, `完成 3`.

    Args:
        start: the configuration.
        group_id: in which group.
        by: the steward's account.
        words: the command.
        clock: the real clock; the machine's if not given.

    Raises:
        ConfigError: the group is not bound.
    """
    async with _sat_down(start, group_id, clock) as at:
        _ = at.plan
        mark = f"{AUTHOR}/{uuid4()}"
        event: Event = MessagePosted(
            id=mark,
            at=at.clock.real,
            group_id=group_id,
            source="console",
            account=by,
            message_id=mark,
            segments=(Text(text=words),),
            to_bot=True,
        )
        outcome = await at.engine.flow.handle(event)
        answers = [one.answer.text for one in (outcome, *outcome.further) if one.answer and one.answer.text]
        return Said(answer="\n".join(answers), notices=at.heard.notices_since(at.clock.real, but=answers))
