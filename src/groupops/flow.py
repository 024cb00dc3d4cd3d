"""The one road every fact takes: judged, settled, booked, acted on, reacted to, and remembered."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from groupops.actions import (
    Action,
    AskStewards,
    DeleteMessage,
    DirectMessage,
    EnrolPersons,
    Errand,
    Mute,
    Receipt,
    RemoveMember,
    Reply,
    SendText,
)
from groupops.calendar import WorkCalendar
from groupops.casebook import Answered, Casebook
from groupops.clock import Clock
from groupops.commands import Answer, Commands, Found
from groupops.counters import CountersUnavailable
from groupops.directory import PeopleBook
from groupops.echoes import Heard, Uttered
from groupops.errands import CASE_CHANGED, Errands
from groupops.errors import ConfigError, Conflict, StoreError, Unstorable
from groupops.events import (
    ChoiceMade,
    CommandGiven,
    Event,
    MemberJoined,
    MembersListed,
    MessagePosted,
    MessageRecalled,
    PersonsTold,
    TimeCame,
)
from groupops.homes import Homes, said_alone
from groupops.hooks import Answer as Said_
from groupops.hooks import Asked, Hooks
from groupops.obligations import Obligations
from groupops.outbox import Outbox, waiting_for_quiet
from groupops.people import AccountId, Member
from groupops.plan import GroupPlan, PlanBook
from groupops.plugin import Log, Texts
from groupops.records import Audit, Booked, Case, OutboxRow, Purpose, Records, Ticket
from groupops.ticker import CORE
from groupops.verdicts import Evidence, Pardon, Ruling, Said

REACT_FROM = 1000
"""Actions a fact is answered with are numbered from here, behind those of its ruling."""

PLACES = 1000
"""Numbers each plugin's answer has for itself, so that an action is known again whoever else answered."""

RETRIES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds to wait before a fact is tried again when the database refused."""

_SHOWN = 200
"""Characters of a database's own words that are logged."""

HOLD_S = 2.0
"""Seconds between two looks whether the counters are back."""

_UNASKED = frozenset(
    {"time_came", "member_joined", "member_left", "obligation_missed", "case_changed", "person_changed"}
)
"""Facts whose answers nobody asked for: quiet hours put them off."""

_OWNED = frozenset({"time_came", "obligation_missed"})
"""Facts meant for one plugin only."""


@dataclass(slots=True)
class Outcome:
    """What became of a fact.

    Args:
        event: the fact.
        ruling: what was said; None when nobody was asked.
        booked: the case, if there is one.
        would: what would have been booked, where the stage books nothing.
        receipts: actions with what became of them.
        answer: the answer to a command.
        faults: plugins that failed.
        duplicate: True when the fact had been handled before.
    """

    event: Event
    ruling: Ruling | None = None
    booked: Booked | None = None
    would: Ruling | None = None
    receipts: tuple[tuple[OutboxRow, Receipt], ...] = ()
    answer: Answer | None = None
    faults: tuple[str, ...] = ()
    duplicate: bool = False
    further: tuple[Outcome, ...] = ()


@dataclass(slots=True)
class Pending:
    """A fact that could not be finished at a glance, with what was already asked.

    `echo_of` is the fact another source brought for this utterance, empty when nothing followed from that.
    """

    event: Event
    plan: GroupPlan | None = None
    member: Member | None = None
    judged: Asked | None = None
    reacted: Asked | None = None
    found: Found | None = None
    echo_of: str | None = None


@dataclass(slots=True)
class Flow:
    """Takes every fact from wherever it comes; the only caller of judging and reacting hooks.

    Args:
        hooks, plans, people, records, casebook, outbox, obligations, commands, errands: the engine's rooms.
        calendar: which days are worked.
        clock: when it is.
        texts: the core's texts.
        log: where to log; never contents.
        doubted: tickets that the picture of people opened and no steward was told of yet.
        homes: finds the group of what is said where there are none.
        meet: told of a group nobody bound; may bind it and give its plan.
        heard: told of every outcome: metrics, scenario players, the sandbox's trace.
        timers: job prefix → the core's own answer to a due row.
    """

    hooks: Hooks
    plans: PlanBook
    people: PeopleBook
    records: Records
    casebook: Casebook
    outbox: Outbox
    obligations: Obligations
    commands: Commands
    errands: Errands
    calendar: WorkCalendar
    clock: Clock
    texts: Texts
    log: Log
    doubted: list[Ticket]
    homes: Homes
    meet: Callable[[Event], Any] | None = None
    heard: Callable[[Outcome], None] | None = None
    timers: dict[str, Callable[[TimeCame], Any]] = field(default_factory=dict[str, Callable[[TimeCame], Any]])
    _met: Heard = field(default_factory=Heard)
    _uttered: Uttered = field(default_factory=Uttered)

    # — the door —

    async def handle(self, event: Event) -> Outcome:
        """Take one fact all the way.

        Raises:
            StoreError: the database refused until patience ran out.
            Unstorable: it cannot take what follows from the fact; that was shown, and is not tried again.

        Whatever it raises, the fact may be handed in again.
        """
        pending = self.glance(event)
        if pending is None:
            return Outcome(event=event)
        return await self.finish(pending)

    def glance(self, event: Event) -> Pending | None:
        """Do all that can be done without waiting; most talk ends here, without disk or round trip.

        Returns:
            None when the fact is finished; else what is left for `finish`.
        """
        if not self._met.first(event.id):
            return None
        plan = self.plans.of(event.group_id)
        if plan is None:
            return Pending(event=event) if self.meet is not None or said_alone(event) else None
        if not plan.awake:
            return None
        if event.kind != "message_posted":
            return self._glance_case(event, plan) if event.kind == CASE_CHANGED else Pending(event, plan)
        member = self.people.seen(event)
        said = self._uttered.key(event.group_id, member.key, event.text)
        if self._uttered.echoes(said, event.source, event.at):
            return Pending(event=event, plan=plan, member=member, echo_of=self._uttered.first(said))
        found = self._command(event, plan, member)
        judged = self.hooks.hear(plan.judges.get(event.kind, ()), event, plan.group, member)
        if judged is not None or found is not None:
            self._uttered.follow(said, event.id)
            return Pending(event=event, plan=plan, member=member, judged=judged or Asked(), found=found)
        reacted = self.hooks.hear(plan.reacts.get(event.kind, ()), event, plan.group, member)
        if reacted is None:
            return None
        return Pending(event=event, plan=plan, member=member, judged=Asked(), reacted=reacted)

    def _glance_case(self, event: Event, plan: GroupPlan) -> Pending | None:
        """Ask who hears of cases; every offence is told them, and nearly always nobody has an answer."""
        member = self.people.seen(event)
        judged = self.hooks.hear(plan.judges.get(event.kind, ()), event, plan.group, member)
        if judged is not None:
            return Pending(
                event, plan, member, judged=judged
            )  # whoever reacts is asked once it is known to stand
        reacted = self.hooks.hear(plan.reacts.get(event.kind, ()), event, plan.group, member)
        return None if reacted is None else Pending(event, plan, member, judged=Asked(), reacted=reacted)

    async def finish(self, pending: Pending) -> Outcome:
        """Finish what a glance left: wait, book, act, react."""
        try:
            outcome = await self._patiently(pending)
        except Unstorable as error:
            self._met.forget(pending.event.id)
            await self._show_unstorable(pending.event, error)
            raise
        except BaseException:
            self._met.forget(pending.event.id)
            raise
        if self.heard is not None:
            self.heard(outcome)
        return outcome

    async def _patiently(self, pending: Pending) -> Outcome:
        """Try again while the database refuses: nothing irreversible happened before the booking."""
        for wait in RETRIES:
            try:
                return await self._counted(pending)
            except Conflict:
                self.log.info("decided twice at once, again", kind=pending.event.kind)
            except Unstorable:
                raise
            except StoreError as error:
                self.log.warning("store refused, again", kind=pending.event.kind, error=type(error).__name__)
                await self.clock.sleep(wait)
        return await self._counted(pending)

    async def _show_unstorable(self, event: Event, error: Unstorable) -> None:
        """Say at once that nothing came of a fact; its own names may be what is too long, so they are not kept."""
        self.log.warning(
            "fact cannot be stored", kind=event.kind, error=str(error.__cause__ or error)[:_SHOWN]
        )
        mark = sha256(event.id.encode(errors="replace")).hexdigest()[:16]
        ticket = Ticket(
            group_id=event.group_id,
            text=self.texts("ticket.unstorable", what=event.kind),
            key=f"unstorable/{mark}",
            opened_at=self.clock.now(),
        )
        with suppress(StoreError):
            ticket = await self.records.open_ticket(ticket)
            await self.outbox.tell_stewards(ticket, f"unstorable/{mark}")

    async def _counted(self, pending: Pending) -> Outcome:
        """Hold a fact that cannot be counted (`GROUPOPS_COUNTERS_FAIL=hold`) until the counters are back."""
        while True:
            try:
                return await self._finish(pending)
            except CountersUnavailable:
                pending.judged = pending.reacted = None
                await self.clock.sleep(HOLD_S)

    async def _finish(self, pending: Pending) -> Outcome:
        event, plan = pending.event, pending.plan
        if plan is None:
            return await self._stranger(event)
        if pending.echo_of is not None:
            return await self._second_source(event, pending.echo_of)
        match event:
            case MembersListed():
                return await self._listed(event)
            case TimeCame():
                return await self._time(event, plan)
            case ChoiceMade():
                return await self._chosen(event, plan)
            case CommandGiven():
                return await self._given(event, plan)
            case MessageRecalled():
                return await self._recalled(event, plan)
            case PersonsTold():
                return await self._enrolled(event, plan)
            case _:
                return await self._ruled(pending)

    # — judging and booking —

    async def _ruled(self, pending: Pending) -> Outcome:
        event, plan = pending.event, pending.plan
        assert plan is not None  # noqa: S101 - the caller looked
        member = pending.member or self.people.seen(event)
        judged = pending.judged or self.hooks.ask(self._judges(plan, event), event, plan.group, member)
        pending.judged = _unless_held(await self.hooks.wait(judged))
        ruling = self._settle(event, judged)
        outcome = Outcome(event=event, ruling=ruling, faults=tuple(judged.faults))
        if any(isinstance(a.value, Pardon) and a.value.record for a in judged.answers):
            await self._note(event, "pardoned", None, account=member.account, reasons=list(ruling.pardons))
        if ruling.worst is not None:
            await self._offended(event, plan, member, ruling, outcome)
        if judged.faults and plan.policy.discipline.on_plugin_error == "hold":
            await self._hold(event, judged.faults, outcome)
        if isinstance(event, MemberJoined):
            await self._came_back(event, member, outcome)
        if ruling.stands:
            # Kept, so that a second try after the database refused acts on the first answers.
            pending.reacted = pending.reacted or self._ask_reacts(event, plan, member)
            await self._react(event, plan, member, pending.reacted, outcome)
        await self._follow_command(pending, plan, member, outcome)
        return outcome

    def _judges(self, plan: GroupPlan, event: Event) -> Iterable[Any]:
        return _meant(plan.judges.get(event.kind, ()), event)

    def _settle(self, event: Event, judged: Asked) -> Ruling:
        if not judged.answers:
            return Ruling()
        said = tuple(Said(plugin=answer.plugin, verdict=answer.value) for answer in judged.answers)
        return self.hooks.settle(event, said)

    async def _offended(
        self, event: Event, plan: GroupPlan, member: Member, ruling: Ruling, outcome: Outcome
    ) -> None:
        """Book an offence and act on it; in shadow, only write down what would have happened."""
        if not member.account:
            await self._note(event, "no stable sender", ruling)
            return
        if member.protected and not plan.policy.discipline.admin_accountable:
            await self._note(event, "exempt", ruling)
            return
        if not plan.stage.books:
            outcome.would = ruling
            await self._note(event, "would have", ruling)
            return
        booked = await self.casebook.book(event, plan, member, ruling)
        if booked is None:
            return
        if not booked.fresh and booked.case.event_id != event.id:
            outcome.duplicate = True
            return
        outcome.booked = booked
        if booked.outbox:
            outcome.receipts += await self.outbox.send(booked.untold)
        await self._tell_case(booked.case, outcome)

    async def _hold(self, event: Event, faults: Sequence[str], outcome: Outcome) -> None:
        """A plugin failed and the group wants such messages held: a steward is asked to look."""
        text = self.texts("steward.held", plugins=", ".join(sorted(set(faults))))
        ask = AskStewards(group_id=event.group_id, text=text, subject=f"event:{event.id}")
        await self._send(event.id, "steward", (ask,), outcome, first=REACT_FROM - 1)

    async def _came_back(self, event: MemberJoined, member: Member, outcome: Outcome) -> None:
        """Somebody who was put out came in again by invitation: the stewards are told, nothing is done (G13)."""
        departure = await self.people.returned(event)
        if departure is None or departure.how != "removed":
            return
        text = self.texts("steward.came_back", name=member.called, day=f"{departure.at:%Y-%m-%d}")
        await self._send(
            event.id,
            "steward",
            (AskStewards(group_id=event.group_id, text=text),),
            outcome,
            first=REACT_FROM - 3,
        )

    # — reacting —

    async def _react(
        self, event: Event, plan: GroupPlan, member: Member, asked: Asked | None, outcome: Outcome
    ) -> None:
        reacted = _unless_held(await self.hooks.wait(asked or self._ask_reacts(event, plan, member)))
        outcome.faults += tuple(reacted.faults)
        if not reacted.answers:
            return
        if not plan.stage.books:
            await self._note(
                event, "would have reacted", None, plugins=[answer.plugin for answer in reacted.answers]
            )
            return
        rows: list[OutboxRow] = []
        facts: list[Event] = []
        for answer in reacted.answers:
            rows += await self._rows_of(event, plan, answer, facts, outcome)
        stored = await self.records.enqueue(rows) if rows else ()
        outcome.receipts += await self.outbox.send(stored)
        for fact in facts:
            outcome.further += (await self.handle(fact),)

    async def carry(self, event: Event, plugin: str, asked: Sequence[Action | Errand]) -> Outcome:
        """Carry out what a plugin asks by its operator's word, as if it had answered a fact with it.

        Raises:
            ConfigError: the group is not bound.
            StoreError: the database refuses.
        """
        outcome = Outcome(event=event)
        plan = self.plans.of(event.group_id)
        if plan is None:
            raise ConfigError(f"group {event.group_id!r} is not bound")
        facts: list[Event] = []
        rows = await self._rows_of(event, plan, Said_(plugin=plugin, value=asked), facts, outcome)
        outcome.receipts += await self.outbox.send(await self.records.enqueue(rows) if rows else ())
        for fact in facts:
            outcome.further += (await self.handle(fact),)
        return outcome

    def _ask_reacts(self, event: Event, plan: GroupPlan, member: Member) -> Asked:
        return self.hooks.ask(_meant(plan.reacts.get(event.kind, ()), event), event, plan.group, member)

    async def _rows_of(
        self, event: Event, plan: GroupPlan, answer: Said_, facts: list[Event], outcome: Outcome
    ) -> tuple[OutboxRow, ...]:
        """Run a plugin's errands and make rows of its actions; unasked ones wait for the end of the rest."""
        try:
            actions = await self.errands.run(event, plan, answer.plugin, answer.value, facts)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - an errand that cannot be run costs its plugin's answer only
            self.hooks.blame(answer.plugin, "react", error)
            outcome.faults += (answer.plugin,)
            return ()
        allowed = [self._allowed(action) for action in actions]
        rows = self.outbox.rows(
            event.id, "react", allowed, plugin=answer.plugin, first=_place_of(answer.plugin)
        )
        if event.kind not in _UNASKED or not plan.defer:
            return rows
        until = plan.resting_until(self.clock.now(), self.calendar)
        if until is None:
            return rows
        return tuple(replace(row, not_before=until) if waiting_for_quiet(row.action) else row for row in rows)

    def _allowed(self, action: Action) -> Action:
        """Let a reaction do what takes nothing from a member; the rest is for a ruling, or for a human."""
        if not isinstance(action, (Mute, RemoveMember, DeleteMessage)) or not action.account:
            return action
        called = self.people.member(action.group_id, action.account).called
        text = self.texts("steward.by_plugin", name=called, what=self.texts(f"deed.{action.kind}"))
        return AskStewards(group_id=action.group_id, text=text, wanted=action)

    async def _tell_case(self, case: Case, outcome: Outcome) -> None:
        """Tell the plugins that hear of cases what became of one."""
        for fact in self.errands.case_facts(case):
            outcome.further += (await self.handle(fact),)

    # — commands and choices —

    def _command(self, event: MessagePosted, plan: GroupPlan, member: Member) -> Found | None:
        return self.commands.find(event, plan, member) if self.commands.might_be(event, plan) else None

    async def _follow_command(
        self, pending: Pending, plan: GroupPlan, member: Member, outcome: Outcome
    ) -> None:
        """Once the message was judged, do what it commands."""
        found = pending.found
        if found is None:
            return
        if found.wrong:
            answer = Reply(
                group_id=plan.group.id,
                message_id=getattr(pending.event, "message_id", ""),
                text=found.wrong,
                account=member.account,
            )
            outcome.answer = Answer(text=found.wrong)
            await self._send(pending.event.id, "answer", (answer,), outcome, first=REACT_FROM - 2)
        if found.given is not None:
            outcome.further += (await self.handle(found.given),)

    async def _given(self, event: CommandGiven, plan: GroupPlan) -> Outcome:
        member = self.people.member(event.group_id, event.account)
        outcome = Outcome(event=event)
        found = self.commands.checked(event, plan, member)
        if found.given is None:
            outcome.answer = Answer(text=found.wrong)
            await self._tell(event, member, outcome.answer, outcome)
        elif not found.owner:
            outcome.answer = await self.commands.answer(found.given, member, plan)
            await self._tell(found.given, member, outcome.answer, outcome)
        else:
            reacts = tuple(bound for bound in plan.reacts.get(event.kind, ()) if bound.plugin == found.owner)
            asked = self.hooks.ask(reacts, found.given, plan.group, member)
            await self._react(found.given, plan, member, asked, outcome)
        return outcome

    async def _chosen(self, event: ChoiceMade, plan: GroupPlan) -> Outcome:
        member = self.people.member(event.group_id, event.account)
        outcome = Outcome(event=event)
        outcome.answer = await self.commands.choose(event, member, plan)
        if outcome.answer is not None:
            await self._tell(event, member, outcome.answer, outcome)
            return outcome
        facts = await self.obligations.choose(event)
        if facts is not None:
            return outcome
        await self._react(event, plan, member, None, outcome)
        return outcome

    async def _tell(
        self, event: CommandGiven | ChoiceMade, member: Member, answer: Answer, outcome: Outcome
    ) -> None:
        """Give the answer to whoever asked, privately where it must be; and do what follows."""
        if answer.text:
            await self._send(event.id, "answer", (self._answer_action(event, member, answer),), outcome)
        if answer.answered is not None:
            await self._follow_case(event, answer.answered, outcome)
        await self._send(event.id, "steward", answer.actions, outcome, first=1)
        for fact in answer.facts:
            outcome.further += (await self.handle(fact),)

    def _answer_action(self, event: CommandGiven | ChoiceMade, member: Member, answer: Answer) -> Action:
        private = answer.private or getattr(event, "private", False)
        if private:
            neutral = self.texts("answer.neutral", name=member.called)
            return DirectMessage(
                group_id=event.group_id, account=member.account, text=answer.text, neutral=neutral
            )
        message_id = getattr(event, "message_id", "")
        if message_id:
            return Reply(
                group_id=event.group_id, message_id=message_id, text=answer.text, account=member.account
            )
        return SendText(group_id=event.group_id, text=answer.text, mentions=(member.account,))

    async def _follow_case(self, event: Event, answered: Answered, outcome: Outcome) -> None:
        case = answered.case
        plan = self.plans.of(case.group_id if case is not None else event.group_id)
        facts: list[Event] = []
        if answered.errands and case is not None and plan is not None:
            await self.errands.run(event, plan, answered.owner or case.plugin, answered.errands, facts)
        if case is not None and not case.status.open:
            await self.errands.close_tickets(case.group_id, f"case:{case.id}", by="case")
        outcome.receipts += await self.outbox.send(answered.rows)
        if case is not None:
            facts += self.errands.case_facts(case)
        for fact in facts:
            outcome.further += (await self.handle(fact),)

    # — other facts —

    async def _recalled(self, event: MessageRecalled, plan: GroupPlan) -> Outcome:
        outcome = Outcome(event=event)
        self.people.seen(event)
        answered = await self.casebook.recalled(event, plan)
        if answered is not None:
            await self._follow_case(event, answered, outcome)
        await self._react(event, plan, self.people.member(event.group_id, event.account), None, outcome)
        return outcome

    async def _listed(self, event: MembersListed) -> Outcome:
        outcome = Outcome(event=event)
        for fact in await self.people.take_list(event):
            outcome.further += (await self.handle(fact),)
        while self.doubted:
            outcome.receipts += await self.outbox.tell_stewards(self.doubted.pop(0), event.id)
        return outcome

    async def _enrolled(self, event: PersonsTold, plan: GroupPlan) -> Outcome:
        """Put on the register what the directory told, in whatever stage the group is: persons are no group's."""
        outcome = Outcome(event=event)
        facts: list[Event] = []
        enrol = EnrolPersons(group_id=event.group_id, lines=event.lines, by=event.source)
        asked = await self.errands.run(event, plan, CORE, (enrol,), facts)
        await self._send(event.id, "steward", asked, outcome)
        for fact in facts:
            outcome.further += (await self.handle(fact),)
        return outcome

    async def _time(self, event: TimeCame, plan: GroupPlan) -> Outcome:
        if event.plugin != CORE:
            return await self._ruled(Pending(event=event, plan=plan))
        outcome = Outcome(event=event)
        kind = event.job.partition("/")[0]
        if self.obligations.owns(event.job):
            await self._obligation_due(event, outcome)
        elif kind == "case" and event.job.endswith("/appeal"):
            asked = await self.casebook.appeal_waits(event.payload, plan, event.id)
            if asked is not None:
                await self._follow_case(event, asked, outcome)
        elif kind == "case":
            lapsed = await self.casebook.lapse(event.payload)
            if lapsed is not None:
                await self._tell_case(lapsed, outcome)
        elif kind in self.timers:
            await self.timers[kind](event)
        # a `bind` row only gives a code its one life; nothing follows when it comes due
        return outcome

    async def _obligation_due(self, event: TimeCame, outcome: Outcome) -> None:
        came = await self.obligations.come_due(event)
        await self._send(event.id, "reminder", came.actions, outcome)
        for fact in came.events:
            outcome.further += (await self.handle(fact),)

    async def _stranger(self, event: Event) -> Outcome:
        """A fact of a group nobody bound: it may be bound now, by the operator's defaults."""
        outcome = Outcome(event=event)
        if said_alone(event):
            return await self._alone(event, outcome)
        if self.meet is not None:
            met = await self.meet(event)
            if met:
                self._met.forget(event.id)
                outcome.further = (await self.handle(event),)
        return outcome

    async def _alone(self, event: Event, outcome: Outcome) -> Outcome:
        """What was said where there are no groups is a fact of the groups it belongs to; a stranger is told how to be known."""
        for fact in self.homes.facts(event):
            outcome.further += (await self.handle(fact),)
        if await self.homes.is_stranger(event):
            hint = DirectMessage(
                group_id=event.group_id,
                account=AccountId(event.group_id),
                text=self.texts("homes.stranger"),
            )
            await self._send(event.id, "answer", (hint,), outcome)
        return outcome

    async def _second_source(self, event: Event, first: str) -> Outcome:
        case = await self.records.case_of_event(first) if first else None
        if case is not None:
            await self.casebook.add_evidence(case, Evidence(what="source", detail=event.source))
        return Outcome(event=event, duplicate=True)

    # — small helps —

    async def _send(
        self, event_id: str, purpose: Purpose, actions: Iterable[Action], outcome: Outcome, first: int = 0
    ) -> None:
        rows = self.outbox.rows(event_id, purpose, actions, plugin=CORE, first=first)
        if rows:
            outcome.receipts += await self.outbox.send(await self.records.enqueue(rows))

    async def _note(self, event: Event, what: str, ruling: Ruling | None, **detail: Any) -> None:
        worst = ruling.worst if ruling else None
        if worst is not None:
            detail |= {"rule": worst.rule, "reason": worst.reason, "ladder": worst.ladder}
        await self.records.note(
            Audit(
                at=self.clock.now(),
                what=what,
                group_id=event.group_id,
                subject=f"event:{event.id}",
                detail=detail,
            )
        )


def _place_of(plugin: str) -> int:
    """Give the first number of a plugin's actions: the same in every process, whatever other plugins say."""
    return REACT_FROM + zlib.crc32(plugin.encode()) % _SLOTS * PLACES


_SLOTS = 2_000_000
"""As many as keep the numbers within what a column holds."""


def _meant(bounds: Sequence[Any], event: Event) -> Sequence[Any]:
    """Leave out plugins a fact is not meant for."""
    if event.kind not in _OWNED:
        return bounds
    plugin = getattr(event, "plugin", "")
    return tuple(bound for bound in bounds if bound.plugin == plugin)


def _unless_held(asked: Asked) -> Asked:
    """Give what was asked, unless somebody could not count.

    Raises:
        CountersUnavailable: nothing may be decided yet.
    """
    if asked.held:
        raise CountersUnavailable("held until the counters are back")
    return asked
