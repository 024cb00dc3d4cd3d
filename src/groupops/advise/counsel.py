"""Listens to what comes of a replayed history, and makes the advice of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from groupops.actions import (
    Announce,
    DeleteMessage,
    DirectMessage,
    Impossible,
    Mute,
    RemoveMember,
    Reply,
    SendText,
)
from groupops.advise.findings import (
    Advice,
    Closed,
    Duty,
    FileRead,
    Finding,
    Notice,
    RosterLine,
    Standing,
    Step,
)
from groupops.advise.handed_in import HandedIn
from groupops.advise.history import TurnedClock
from groupops.advise.judging import AdvisedCasebook, Aside
from groupops.advise.members import words
from groupops.advise.replay import Player
from groupops.advise.roster import MemberList
from groupops.engine import Engine
from groupops.events import MessagePosted
from groupops.flow import Outcome
from groupops.importers.transcript import Remark
from groupops.people import AccountId, Clause, GroupId, native_of
from groupops.plan import GroupPlan
from groupops.plugin import Texts, texts_of
from groupops.records import Case, ObligationStatus, OutboxRow, Ticket
from groupops.verdicts import Offence

ALL: Final = 10_000_000
FRESH: Final = timedelta(hours=24)
"""How old a plugin's own announcement may be at the end of the history and still be worth pasting."""

_BY_TIME: Final = "time/"
"""How the keys of tickets begin that a schedule opened."""
_DIGITS: Final = re.compile(r"\d+")

_TOLD: Final = frozenset({"reminder", "react", "notice", "reversal", "steward", "answer"})


@dataclass(frozen=True, slots=True)
class _Hit:
    """A fact that a rule objected to, and in which file it stood."""

    outcome: Outcome
    read: HandedIn | None


@dataclass(slots=True)
class Heard:
    """What came of everything that was handed in.

    Args:
        clock: the history's clock.
    """

    clock: TurnedClock
    hits: dict[str, _Hit] = field(default_factory=dict[str, _Hit])
    names: dict[str, str] = field(default_factory=dict[str, str])
    words: list[tuple[datetime, OutboxRow]] = field(default_factory=list[tuple[datetime, OutboxRow]])
    told: int = 0
    _read: HandedIn | None = None

    def reading(self, read: HandedIn) -> None:
        """Say which file is being replayed."""
        self._read = read

    def outcome(self, outcome: Outcome) -> None:
        """Hear what became of a fact."""
        event, ruling = outcome.event, outcome.ruling
        if outcome.duplicate:
            self.told += 1
            return
        if ruling is None or ruling.worst is None:
            return
        self.hits[event.id] = _Hit(outcome, self._read)
        if isinstance(event, MessagePosted):
            self.names[event.account] = event.card or event.name

    def settled(self, row: OutboxRow, receipt: Any) -> None:
        """Hear what became of an action: words that nobody could say are for humans to pass on."""
        if isinstance(receipt, Impossible) and isinstance(
            row.action, (SendText, Reply, DirectMessage, Announce)
        ):
            self.words.append((self.clock.now(), row))

    def notices_since(self, moment: datetime, *, but: Iterable[str] = ()) -> tuple[Notice, ...]:
        """Give the words that were to be said since a moment, each once."""
        left_out, found = set(but), dict[Notice, None]()
        for at, row in self.words:
            text = str(getattr(row.action, "text", ""))
            if at < moment or row.purpose not in _TOLD or text in left_out or row.degraded_from:
                continue
            to = _native(row.action.account) if isinstance(row.action, DirectMessage) else ""
            found[Notice(text=text, to=to)] = None
        return tuple(found)


@dataclass(slots=True)
class Counsel:
    """Makes the advice.

    Args:
        engine, casebook, heard, group_id: of the round.
        cases: numbers of the cases there were before.
        open: tickets that were open before.
    """

    engine: Engine
    casebook: AdvisedCasebook
    heard: Heard
    group_id: GroupId
    cases: frozenset[int]
    open: Mapping[int, Ticket]
    say: Texts = field(default_factory=lambda: texts_of("groupops.advise"))
    _tickets: dict[str, int] = field(default_factory=dict[str, int])

    @classmethod
    async def before(
        cls, engine: Engine, casebook: AdvisedCasebook, heard: Heard, group_id: GroupId
    ) -> Counsel:
        """Look at what there is before anything is replayed."""
        records = engine.parts.records
        cases = frozenset(case.id for case in await records.cases(group_id=group_id, limit=ALL))
        tickets = {ticket.id: ticket for ticket in await records.tickets(group_id=group_id)}
        return cls(engine, casebook, heard, group_id, cases, tickets)

    @property
    def plan(self) -> GroupPlan:
        """What applies in the group."""
        plan = self.engine.plans.of(self.group_id)
        assert plan is not None  # noqa: S101 - the round looked
        return plan

    # — tickets for what no case was opened for —

    async def tickets_for_asides(self) -> None:
        """Open a ticket for each finding that has to be looked at, or whose deed a human has to do."""
        for event_id, aside in self.casebook.asides.items():
            hit = self.heard.hits.get(event_id)
            if hit is None or aside.told:
                continue
            wanted = self._deed(hit.outcome)
            if wanted is None and not aside.doubts:
                continue
            ticket = await self.engine.parts.records.open_ticket(
                Ticket(
                    group_id=self.group_id,
                    text=self._ticket_text(hit.outcome, aside),
                    wanted=wanted,
                    key=f"advise/{event_id}"[:200],
                    opened_at=hit.outcome.event.at,
                )
            )
            self._tickets[event_id] = ticket.id

    async def close_repeats(self) -> None:
        """Of what a schedule asked day after day in the same words, only the last is still asked."""
        records, last = self.engine.parts.records, dict[tuple[str, str], Ticket]()
        for ticket in await records.tickets(group_id=self.group_id):
            if ticket.wanted is not None or ticket.subject or not ticket.key.startswith(_BY_TIME):
                continue
            job = (ticket.key.rpartition("/")[0], _DIGITS.sub("", ticket.text))
            earlier, last[job] = last.get(job), ticket
            if earlier is not None:
                await records.close_ticket(earlier.id, by="later", at=self.heard.clock.now())

    def _deed(self, outcome: Outcome) -> DeleteMessage | RemoveMember | None:
        contained = outcome.ruling.contain if outcome.ruling else ()
        return next((one for one in contained if isinstance(one, (DeleteMessage, RemoveMember))), None)

    def _ticket_text(self, outcome: Outcome, aside: Aside) -> str:
        worst = outcome.ruling.worst if outcome.ruling else None
        assert worst is not None  # noqa: S101 - only such outcomes were kept
        clause = self._clause(worst.rule, worst.clause)
        return self.say(
            "ticket.review" if aside.doubts else "ticket.deed",
            name=self._called(getattr(outcome.event, "account", "")),
            at=f"{self.plan.local(outcome.event.at):%Y-%m-%d %H:%M}",
            reason=worst.reason,
            clause=f"({clause.ref})" if clause else "",
        )

    # — the whole —

    async def given(
        self,
        read: Sequence[HandedIn],
        members: MemberList | None,
        roster: tuple[RosterLine, ...],
        player: Player,
        hints: Mapping[int, datetime],
    ) -> Advice:
        """Make the advice of a round; `hints` tells of which tickets something was seen that proves nothing."""
        plan, records = self.plan, self.engine.parts.records
        local = plan.local
        findings = tuple(sorted([*await self._of_cases(), *self._of_asides()], key=lambda one: one.at))
        open_now = await records.tickets(group_id=self.group_id)
        return Advice(
            group=self.group_id,
            group_name=plan.group.name,
            titles=plan.policy.titles,
            timezone=plan.timezone.key,
            stage=plan.stage.value,
            made_at=local(self.heard.clock.real),
            first=local(player.first) if player.first else None,
            last=local(player.last) if player.last else None,
            files=tuple(map(_file, read)),
            members=len(members.lines) if members is not None else -1,
            findings=findings,
            duties=await self._duties(player),
            roster=roster,
            steps=tuple(self._step(ticket, hints.get(ticket.id)) for ticket in open_now),
            closed=await self._closed(open_now),
            notices=(*self._notices(findings, roster), *self._announced(player)),
            told=self.heard.told + sum(one.told for one in self.casebook.asides.values()),
            remarks=tuple(self._remarks(read, members)),
            failures=tuple(
                f"{fault.plugin}.{fault.hook}: {fault.times} ({fault.last})"
                for fault in self.engine.parts.hooks.faults
            ),
        )

    # — findings —

    async def _of_cases(self) -> list[Finding]:
        cases = await self.engine.parts.records.cases(group_id=self.group_id, limit=ALL)
        return [self._of_case(case) for case in cases if case.id not in self.cases]

    def _of_case(self, case: Case) -> Finding:
        hit = self.heard.hits.get(case.event_id)
        read = hit.read if hit else None
        at = hit.outcome.event.at if hit else case.opened_at
        clause, name = case.clause, self._called(case.account)
        return Finding(
            event_id=case.event_id,
            message_id=case.message_id,
            file=read.path.name if read else "",
            row=read.places.get(case.message_id, 0) if read else 0,
            at=self.plan.local(at),
            account=case.account,
            name=name,
            rule=case.rule,
            reason=case.reason,
            severity=int(case.severity),
            clause=clause.ref if clause else "",
            clause_text=clause.text if clause else "",
            text=case.excerpt,
            quotes=_quotes(item.quote for item in case.evidence),
            standing="case",
            case=case.id,
            notice=self._notice(name, case.reason, clause) if case.message_id else "",
            ask=self.say(f"ask.case.{case.status.value}" if case.status.open else "ask.case", id=case.id),
        )

    def _of_asides(self) -> Iterator[Finding]:
        for event_id, hit in self.heard.hits.items():
            aside = self.casebook.asides.get(event_id, Aside())
            if hit.outcome.booked is None and not aside.told:
                yield self._of_hit(event_id, hit, aside)

    def _of_hit(self, event_id: str, hit: _Hit, aside: Aside) -> Finding:
        outcome, read = hit.outcome, hit.read
        event, ruling = outcome.event, outcome.ruling
        assert ruling is not None and ruling.worst is not None  # noqa: S101, PT018 - only such were kept
        worst = ruling.worst
        message_id = str(getattr(event, "message_id", ""))
        account = str(getattr(event, "account", ""))
        clause, name = self._clause(worst.rule, worst.clause), self._called(account)
        standing = self._standing(event_id, outcome, aside)
        own = next((one.text for one in ruling.contain if isinstance(one, (Reply, SendText))), "")
        keep = all(said.verdict.keep_text for said in ruling.offences if isinstance(said.verdict, Offence))
        return Finding(
            event_id=event_id,
            message_id=message_id,
            file=read.path.name if read else "",
            row=read.places.get(message_id, 0) if read else 0,
            at=self.plan.local(event.at),
            account=account,
            name=name,
            rule=worst.rule,
            reason=worst.reason,
            severity=int(worst.severity),
            clause=clause.ref if clause else "",
            clause_text=clause.text if clause else "",
            text=event.text if isinstance(event, MessagePosted) and keep else "",
            quotes=_quotes(item.quote for item in worst.evidence) if keep else (),
            standing=standing,
            doubts=aside.doubts,
            ticket=self._tickets.get(event_id, 0),
            notice=self._named(name, own) or self._notice(name, worst.reason, clause),
            ask=self.say(f"ask.{standing}", id=self._tickets.get(event_id, 0)),
        )

    def _standing(self, event_id: str, outcome: Outcome, aside: Aside) -> Standing:
        if outcome.would is not None:
            return "shadow"
        if event_id not in self.casebook.asides:
            return "exempt"
        return "review" if aside.doubts else "remind"

    def _named(self, name: str, text: str) -> str:
        """Say whom a plugin's own words are for: pasted, they stand beside no message."""
        return text if not text or name in text else f"@{name} {text}"

    def _notice(self, name: str, reason: str, clause: Clause | None) -> str:
        where = self.say("where", ref=clause.ref, text=_unended(clause.text)) if clause else ""
        return self.say("notice", name=name, reason=reason, clause=where)

    def _clause(self, rule: str, clause: Clause | None) -> Clause | None:
        return clause or self.plan.policy.clauses.get(rule)

    def _called(self, account: str) -> str:
        member = self.engine.people.member(self.group_id, AccountId(account))
        native = _native(account)
        return member.card or member.name or self.heard.names.get(account) or native

    # — what was owed, what is to be done —

    async def _duties(self, player: Player) -> tuple[Duty, ...]:
        """Give what was due or done within the history, and what is still open."""
        if player.first is None or player.last is None:
            return ()
        found = await self.engine.parts.records.obligations(group_id=self.group_id)
        return tuple(
            Duty(
                number=one.id,
                plugin=one.plugin,
                title=one.title,
                account=one.account,
                name=self._called(one.account),
                due_at=self.plan.local(one.due_at),
                status=one.status.value,
            )
            for one in found
            if one.status is ObligationStatus.OPEN
            or player.first <= (one.satisfied_at or one.due_at) <= player.last
        )

    def _step(self, ticket: Ticket, hint: datetime | None) -> Step:
        deed = self.say(f"deed.{ticket.wanted.kind}") if isinstance(ticket.wanted, _PROVABLE) else ""
        return Step(
            number=ticket.id,
            text=ticket.text,
            deed=deed,
            hint=self.say("hint.recall", at=f"{self.plan.local(hint):%m-%d %H:%M}", id=ticket.id)
            if hint
            else "",
            opened_at=self.plan.local(ticket.opened_at),
            new=ticket.id not in self.open,
        )

    async def _closed(self, open_now: Iterable[Ticket]) -> tuple[Closed, ...]:
        still = {ticket.id for ticket in open_now}
        every = await self.engine.parts.records.tickets(group_id=self.group_id, open_only=False)
        return tuple(
            Closed(number=ticket.id, text=ticket.text, by=ticket.closed_by)
            for ticket in every
            if ticket.id in self.open and ticket.id not in still and ticket.closed_by != "later"
        )

    # — words —

    def _notices(self, findings: Iterable[Finding], roster: Iterable[RosterLine]) -> Iterator[Notice]:
        """Give one message for each clause, naming everybody it is for, and one for each kind of difference."""
        groups: dict[tuple[str, str, str], list[str]] = {}
        for one in findings:
            if one.notice and one.standing not in ("exempt", "shadow"):
                groups.setdefault((one.clause, one.clause_text, one.reason), []).append(one.name)
        for (ref, text, reason), names in groups.items():
            called = self.say("joint").join(f"@{name}" for name in dict.fromkeys(names))
            where = self.say("where", ref=ref, text=_unended(text)) if ref else ""
            yield Notice(text=self.say("notice", name=called, reason=reason, clause=where))
        said: dict[str, list[RosterLine]] = {}
        for line in roster:
            if line.notice:
                said.setdefault(line.kind, []).append(line)
        for kind, lines in said.items():
            called = self.say("joint").join(f"@{line.name}" for line in lines)
            clause = f"({lines[0].clause})" if lines[0].clause else ""
            yield Notice(text=self.say(f"notice.{kind}", name=called, clause=clause, detail=""))

    def _announced(self, player: Player) -> tuple[Notice, ...]:
        """Give what plugins had to say at the end of the history; what is older is past."""
        return self.heard.notices_since(player.last - FRESH) if player.last else ()

    def _remarks(self, read: Sequence[HandedIn], members: MemberList | None) -> Iterator[Remark]:
        seen: dict[tuple[str, str], Remark] = {}
        for one in read:
            for remark in one.transcript.remarks if one.transcript else ():
                seen[remark.key, str(remark.values)] = remark
            if one.report.identity == "name":
                seen["advise.names", ""] = Remark(key="advise.names")
            if one.report.precision == "min":
                seen["precision", ""] = Remark(key="precision")
        yield from seen.values()
        plan = self.plan
        if plan.policy.inactive:
            yield Remark(key="inactive", values={"plugins": self.say("joint").join(plan.policy.inactive)})
        if not plan.stage.books:
            yield Remark(key="advise.stage", values={"stage": plan.stage.value})
        if members is None:
            yield Remark(key="advise.no_list")
        if not self.engine.people.persons():
            yield Remark(key="advise.no_roster")


_PROVABLE = (DeleteMessage, RemoveMember, Mute)


def _native(account: str) -> str:
    """Give the platform's own part of an account's id; of one made of a name, the name."""
    return native_of(account).removeprefix("name:")


def _unended(text: str) -> str:
    """Give a sentence as it stands within another."""
    return text.rstrip(words().stops)


def _quotes(quotes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(quote for quote in quotes if quote))


def _file(one: HandedIn) -> FileRead:
    return FileRead(
        name=one.path.name,
        format=one.report.format.title,
        rows=one.report.rows,
        fresh=one.fresh,
        again=one.again,
        precision=one.report.precision,
        identity=one.report.identity,
        faults=tuple(one.report.faults),
    )
