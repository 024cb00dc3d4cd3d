"""The port to whatever keeps the record: rows as frozen values, and the few whole steps that change them.

Two implementations, one contract suite (`tests/contracts/test_records.py`): `store.memory` for rehearsals
and `store.sql` for SQLite and PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol

from groupops.actions import Action, Done, Option, Receipt
from groupops.altered import altered
from groupops.errors import Conflict
from groupops.events import Listed
from groupops.people import AccountId, Clause, Group, GroupId, Person, PersonId, Stage
from groupops.verdicts import Evidence, Severity


class CaseStatus(StrEnum):
    """Where a case stands. Only `EFFECTIVE` cases with a ladder count as strikes."""

    MEASURE = "measure"
    """A measure outside every ladder was taken; nothing to decide, no strike."""
    FLAGGED = "flagged"
    """Waits for a human to say whether it is an offence at all."""
    PROPOSED = "proposed"
    """An offence; its step waits for approval."""
    EFFECTIVE = "effective"
    """The step was taken; the strike counts until it expires."""
    APPEALED = "appealed"
    """The member appeals; further execution is paused."""
    WITHDRAWN = "withdrawn"
    """The author took the message back in time: no strike."""
    DISMISSED = "dismissed"
    """A human said it is no offence."""
    WAIVED = "waived"
    """A human excused it (豁免)."""
    REVERSED = "reversed"
    """An appeal was accepted or a steward undid it; reversible effects were reversed."""
    LAPSED = "lapsed"
    """Nobody decided in time."""

    @property
    def open(self) -> bool:
        """True while a human still has to decide something."""
        return self in (CaseStatus.FLAGGED, CaseStatus.PROPOSED, CaseStatus.APPEALED)

    @property
    def out_of_force(self) -> bool:
        """True when nothing may follow from the case any more."""
        return self in (CaseStatus.REVERSED, CaseStatus.DISMISSED, CaseStatus.WAIVED, CaseStatus.WITHDRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one human decided on a case: one line of its history."""

    account: AccountId
    person_id: PersonId | None
    word: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The record of an offence.

    Args:
        id: number people use (`申诉 12`); 0 before it is booked.
        event_id: the fact it came from; one case per fact.
        group_id, person_id, account: where and who.
        message_id: the message, if there was one.
        plugin, rule, clause, reason, severity, evidence: as the worst offence said.
        reasons: all reasons of the ruling.
        excerpt: the message's text, empty where it may not be kept.
        ladder: name of the ladder; empty for a measure.
        strike: which valid strike this is, counted from 1; 0 when none.
        step: the ladder's step that is taken or proposed; empty when a human has to pick (`pick = "human"`).
        step_index: index of the step in the ladder.
        approvals_needed: how many different stewards must agree.
        status: where it stands.
        stage: the stage of the group's policy when it was booked.
        revision: the policy revision it was judged by.
        opened_at: when it was booked.
        noticed_at: when the member was first told; None before.
        decided_at: when the status last changed by a human or a clock.
        expires_at: when its strike stops counting.
        appeal_until: until when an appeal is taken.
        reporter: who reported it, if anybody.
        decisions: what humans decided, oldest first.
        version: grows with every change; guards against two people deciding at once.
    """

    id: int = 0
    event_id: str
    group_id: GroupId
    person_id: PersonId
    account: AccountId
    message_id: str = ""
    plugin: str
    rule: str
    clause: Clause | None = None
    reason: str
    reasons: tuple[str, ...] = ()
    severity: Severity = Severity.LOW
    evidence: tuple[Evidence, ...] = ()
    excerpt: str = ""
    ladder: str = ""
    strike: int = 0
    step: str = ""
    step_index: int = -1
    approvals_needed: int = 0
    status: CaseStatus
    stage: Stage = Stage.ENFORCED
    revision: int = 0
    opened_at: datetime
    noticed_at: datetime | None = None
    decided_at: datetime | None = None
    expires_at: datetime | None = None
    appeal_until: datetime | None = None
    reporter: AccountId | None = None
    decisions: tuple[Decision, ...] = ()
    version: int = 0


class OutboxState(StrEnum):
    """Where an action stands on its way to the platform."""

    WAITING = "waiting"
    PERFORMING = "performing"
    """Handed to the platform; the receipt is not back. Found at start: the process died in between."""
    DONE = "done"
    FAILED = "failed"
    """Refused, gone or impossible and with no way left in its capability chain."""
    IN_DOUBT = "in_doubt"
    REHEARSED = "rehearsed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """True when nothing more will be done by itself."""
        return self not in (OutboxState.WAITING, OutboxState.PERFORMING)


Purpose = Literal["contain", "notice", "step", "react", "reversal", "reminder", "answer", "steward"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """An action, stored before it is performed. `(event_id, index)` is unique: its idempotency key.

    Args:
        id: number in the store; 0 before it is stored.
        event_id: the fact that caused it.
        index: its place among the actions of that fact.
        group_id: where.
        action: what.
        purpose: what it is for.
        plugin: who asked for it.
        case_id: the case it belongs to.
        state: where it stands.
        not_before: earliest moment to perform it (quiet hours, throttling, retry).
        attempts: how often it was tried; what was not sent, because nobody was there or not now, was no try.
        receipt: the last receipt.
        created_at, changed_at: when.
        degraded_from: the `kind` of the action this one stands in for (capability chain), or empty.
    """

    id: int = 0
    event_id: str
    index: int
    group_id: GroupId
    action: Action
    purpose: Purpose
    plugin: str = ""
    case_id: int | None = None
    state: OutboxState = OutboxState.WAITING
    not_before: datetime | None = None
    attempts: int = 0
    receipt: Receipt | None = None
    created_at: datetime
    changed_at: datetime | None = None
    degraded_from: str = ""

    @property
    def key(self) -> str:
        """The idempotency key handed to the platform."""
        return f"{self.event_id}#{self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A task for a steward (工单). `wanted` done as a member list shows → closed by itself."""

    id: int = 0
    group_id: GroupId
    text: str
    wanted: Action | None = None
    case_id: int | None = None
    subject: str = ""
    key: str = ""
    """Unique; the same ticket is not opened twice."""
    opened_at: datetime
    due_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str = ""
    """`list` when a member list proved it done, else the account that closed it."""


class ObligationStatus(StrEnum):
    """Where an obligation stands."""

    OPEN = "open"
    SATISFIED = "satisfied"
    MISSED = "missed"
    EXCUSE_PENDING = "excuse_pending"
    EXCUSED = "excused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """Who owes what by when.

    Args:
        id: number people use (`说明 7 网络中断`).
        key: unique key chosen by the plugin.
        due_at: the deadline; exactly then is still in time (G4).
        remind_at: moments at which a reminder is still to be sent.
        excuse_until: until when an explanation is taken.
        satisfied_at: when it was done.
        others: as in `OpenObligation`.
    """

    id: int = 0
    key: str
    group_id: GroupId
    person_id: PersonId
    account: AccountId
    plugin: str
    obligation_kind: str
    title: str
    options: tuple[Option, ...] = ()
    clock: Literal["wall", "service"] = "wall"
    opened_at: datetime
    due_at: datetime
    remind_at: tuple[datetime, ...] = ()
    excuse_until: datetime | None = None
    status: ObligationStatus = ObligationStatus.OPEN
    satisfied_at: datetime | None = None
    note: str = ""
    private: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A moment at which something is due. `(job, due_at)` is unique and claimed once, by one process."""

    job: str
    due_at: datetime
    group_id: GroupId
    plugin: str = ""
    payload: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One line of what was done, by whom, about what."""

    at: datetime
    what: str
    actor: str = "groupops"
    group_id: GroupId | None = None
    subject: str = ""
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Besides:
    """What is written in one step with what became of a row.

    Args:
        follow_up: rows that stand in for it (capability chain).
        undo: rows of its case that are stored only if the case is out of force by now.
        noted: a line of audit.
    """

    follow_up: tuple[OutboxRow, ...] = ()
    undo: tuple[OutboxRow, ...] = ()
    noted: Audit | None = None


NOTHING = Besides()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRevision:
    """One change of a group's policy; what is stored is the difference and the state after it.

    Args:
        group_id, number: which group, which revision (from 1).
        author: who changed it.
        at: when.
        diff: dotted key → [old, new].
        packs, stage, overrides: the state after the change; overrides are only the differences from the packs.
        note: why.
    """

    group_id: GroupId
    number: int
    author: str
    at: datetime
    diff: Mapping[str, Any]
    packs: tuple[str, ...]
    stage: Stage
    overrides: Mapping[str, Any]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steward:
    """An account that may decide cases; in every group when `group_id` is None."""

    account: AccountId
    group_id: GroupId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the record knows of whoever is to be booked, as the transaction sees it that books.

    Args:
        person_id: who it is.
        strikes: the person's valid strikes on the ladder.
        recent: the person's cases since the moment asked for, in whatever group, oldest first.
        contained: actions stored for containment of the person's cases since the moment asked for, oldest first.
    """

    person_id: PersonId
    strikes: int
    recent: tuple[Case, ...] = ()
    contained: tuple[OutboxRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a row that asks the stewards is carried out, which takes no platform.

    Args:
        ticket: what is opened, as `open_ticket` does.
        words: makes the actions that tell the stewards of the ticket, once it has its number. Pure, and called in
            whatever thread the database is.
        noted: a line of audit written with it.
    """

    ticket: Ticket
    words: Callable[[Ticket], Sequence[OutboxRow]]
    noted: Audit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What is written in one transaction when an offence is booked.

    Args:
        case: the case without its number, or one of those that are `Known`, changed.
        outbox: actions stored with it.
        for_case: makes the actions that name the case's number, once it has one; stored behind `outbox`.
        due: moments at which it wants to be looked at again.
        asking: says how one of these rows that asks the stewards is carried out, which is done with the booking;
            None for a row that takes a platform. Without it such rows wait as all others.
        again: True when the fact was told before, by another source: nothing follows from it.
    """

    case: Case
    outbox: tuple[OutboxRow, ...] = ()
    for_case: Callable[[Case], tuple[OutboxRow, ...]] | None = None
    due: tuple[Due, ...] = ()
    asking: Callable[[OutboxRow], Asking | None] | None = None
    again: bool = False

    def rows(self, case: Case) -> tuple[OutboxRow, ...]:
        """Give all actions to be stored with the case, now that it has its number."""
        return self.outbox if self.for_case is None else (*self.outbox, *self.for_case(case))


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """What was written: rows with their numbers. `fresh` False: the fact had been booked before, nothing follows.

    A row that asked the stewards is settled already; the actions that tell them stand behind all others.
    """

    case: Case
    outbox: tuple[OutboxRow, ...]
    fresh: bool

    @property
    def untold(self) -> tuple[OutboxRow, ...]:
        """Rows for the outbox to send: what was settled with an earlier booking was told then."""
        return self.outbox if self.fresh else tuple(row for row in self.outbox if not row.state.final)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Two persons that were made one; can be taken apart again."""

    id: int
    kept: PersonId
    gone: PersonId
    by: str
    at: datetime
    undone_at: datetime | None = None


def receipt_of(opened: Ticket) -> Done:
    """Give the receipt of a row that asked the stewards, by its ticket."""
    return Done(ref=f"ticket:{opened.id}")


def carried_out(row: OutboxRow, opened: Ticket, now: datetime) -> OutboxRow:
    """Give a row that asks the stewards as it stands once its ticket is open."""
    tries = row.attempts + (row.state is OutboxState.WAITING)
    receipt, done = receipt_of(opened), OutboxState.DONE
    return altered(row, state=done, attempts=tries, receipt=receipt, not_before=None, changed_at=now)


def renumbered(rows: Sequence[OutboxRow], case_id: int) -> tuple[OutboxRow, ...]:
    """Give rows the number of the case they belong to."""
    return tuple(row if row.case_id == case_id else altered(row, case_id=case_id) for row in rows)


def require_strikes(case_id: int, counted: int, found: int) -> None:
    """Raise Conflict when strikes are not as many as they were counted."""
    if found != counted:
        raise Conflict(f"case {case_id} was decided on {counted} strikes, but there are {found}; count again")


class Records(Protocol):
    """The record. Every method is one whole step: it happens entirely or not at all.

    Raises:
        StoreError: the database refuses; nothing was changed.
        Unstorable: it refuses what it is given, and will again.
        Conflict: a row with a `version` was changed by somebody else since it was read.
    """

    # — persons —
    async def person_of(self, account: AccountId) -> Person | None:
        """Give the person an account is bound to, or None."""
        ...

    async def person_for(self, account: AccountId, *, name: str = "") -> Person:
        """Give the person an account is bound to, making a provisional one when there is none."""
        ...

    async def person(self, person_id: PersonId) -> Person | None:
        """Give a person by number."""
        ...

    async def put_person(self, person: Person) -> Person:
        """Store a person; id 0 makes a new one. Returns it with its number."""
        ...

    async def persons(self) -> tuple[Person, ...]:
        """Give all persons, in order of number."""
        ...

    async def enrol(self, people: Sequence[tuple[Person, Sequence[AccountId]]]) -> tuple[Person, ...]:
        """Store many persons at once, id 0 makes a new one, and bind accounts that are bound to nobody.

        Returns:
            The persons with their numbers, in the order given.

        Raises:
            Conflict: one of the accounts was bound meanwhile; nothing was stored.
        """
        ...

    async def accounts_of(self, person_id: PersonId) -> tuple[AccountId, ...]:
        """Give the accounts bound to a person, sorted."""
        ...

    async def bindings(self, platform: str = "") -> Mapping[AccountId, Person]:
        """Give every bound account of a platform, or of all of them, with its person."""
        ...

    async def bind(self, account: AccountId, person_id: PersonId) -> PersonId | None:
        """Bind an account to a person; returns the person it was bound to before, if another."""
        ...

    async def merge(self, kept: PersonId, gone: PersonId, *, by: str, at: datetime) -> Merge:
        """Make two persons one: accounts, cases and obligations of `gone` become `kept`'s. Reversible."""
        ...

    async def split(self, merge_id: int, *, at: datetime) -> Merge:
        """Take a merge apart: what came from `gone` goes back to it; what came later stays."""
        ...

    async def merges(self) -> tuple[Merge, ...]:
        """Give all merges, oldest first."""
        ...

    # — groups, members, stewards —
    async def groups(self) -> tuple[Group, ...]:
        """Give all bound groups."""
        ...

    async def group(self, group_id: GroupId) -> Group | None:
        """Give one bound group."""
        ...

    async def put_group(self, group: Group) -> None:
        """Store a group's name, timezone and owner; stage, packs and revision follow from `revise`."""
        ...

    async def drop_group(self, group_id: GroupId) -> None:
        """Unbind a group; its cases and audit stay."""
        ...

    async def revise(self, revision: PolicyRevision) -> None:
        """Store the next revision of a group's policy and put it in force. Raises Conflict on a taken number."""
        ...

    async def revisions(self, group_id: GroupId) -> tuple[PolicyRevision, ...]:
        """Give a group's revisions, oldest first."""
        ...

    async def members(self, group_id: GroupId) -> Mapping[AccountId, Listed]:
        """Give the members as last known."""
        ...

    async def put_members(
        self, group_id: GroupId, put: Sequence[Listed], gone: Sequence[AccountId] = ()
    ) -> None:
        """Store members that came or changed, and forget those that left."""
        ...

    async def stewards(self) -> tuple[Steward, ...]:
        """Give all stewards."""
        ...

    async def put_steward(self, steward: Steward) -> None:
        """Add a steward; adding twice changes nothing."""
        ...

    async def drop_steward(self, steward: Steward) -> bool:
        """Remove a steward; False when there was none."""
        ...

    # — cases —
    async def book(
        self,
        event_id: str,
        account: AccountId,
        ladder: str,
        now: datetime,
        decide: Callable[[Known], Booking | Case],
        *,
        name: str = "",
        recent: datetime | None = None,
        contained: datetime | None = None,
    ) -> Booked:
        """Book an offence: read what is known of the person, ask `decide`, write what it says.

        All in one transaction, and one at a time per person, so that two offences at once are two strikes.

        Args:
            event_id: the fact; if a case for it stands already, that case is returned with `fresh=False`.
            account: who did it; an account bound to nobody gets a provisional person.
            ladder: on which ladder to count strikes; empty counts none.
            now: strikes that expire later than this are valid.
            decide: from what is known to what is to be written; a case as it stands when nothing is. Pure, and
                called in whatever thread the database is.
            name: of a provisional person.
            recent: since when the person's cases are wanted; None wants none.
            contained: since when the actions of containment are wanted; None wants none.
        """
        ...

    async def case(self, case_id: int) -> Case | None:
        """Give one case."""
        ...

    async def case_of_event(self, event_id: str) -> Case | None:
        """Give the case of a fact."""
        ...

    async def cases(
        self,
        *,
        group_id: GroupId | None = None,
        person_id: PersonId | None = None,
        statuses: frozenset[CaseStatus] | None = None,
        message_id: str | None = None,
        since: datetime | None = None,
        limit: int = 1000,
    ) -> tuple[Case, ...]:
        """Give the cases that fit all that is given, oldest first."""
        ...

    async def strikes(self, person_id: PersonId, ladder: str, now: datetime) -> int:
        """Count a person's valid strikes on a ladder."""
        ...

    async def update_case(
        self,
        case: Case,
        *,
        outbox: Sequence[OutboxRow] = (),
        due: Sequence[Due] = (),
        counted: tuple[int, datetime] | None = None,
    ) -> Booked:
        """Write a changed case with what follows from it; `case.version` must be the stored one. Returns it with version + 1.

        With `counted` it is a Conflict as well when the person's valid strikes on the case's ladder are not so many
        at that moment: another offence was booked meanwhile.
        """
        ...

    # — outbox —
    async def enqueue(self, rows: Sequence[OutboxRow]) -> tuple[OutboxRow, ...]:
        """Store actions; a row whose `(event_id, index)` is there already is left out. Returns those stored."""
        ...

    async def performing(self, ids: Sequence[int], now: datetime) -> frozenset[int]:
        """Mark waiting rows as handed to the platform; returns those that were still waiting (the claim)."""
        ...

    async def receipted(
        self,
        row_id: int,
        state: OutboxState,
        receipt: Receipt | None,
        now: datetime,
        *,
        not_before: datetime | None = None,
        kept: Action | None = None,
        untried: bool = False,
        besides: Besides = NOTHING,
    ) -> tuple[OutboxRow, ...]:
        """Write what became of a row, with what follows from that. Returns the rows stored besides.

        `kept` replaces the action where its words are not to be kept; `untried` takes the claim back as a try.
        """
        ...

    async def outbox(
        self,
        *,
        states: frozenset[OutboxState] | None = None,
        case_id: int | None = None,
        group_id: GroupId | None = None,
        due_by: datetime | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> tuple[OutboxRow, ...]:
        """Give rows that fit, oldest first.

        `due_by` leaves out rows whose `not_before` is later, `after` those up to a number: the next page.
        """
        ...

    async def cancel_outbox(self, case_id: int, now: datetime) -> int:
        """Cancel a case's rows that still wait; returns how many."""
        ...

    async def asked(
        self, row: OutboxRow, asking: Asking, now: datetime
    ) -> tuple[Ticket, tuple[OutboxRow, ...]] | None:
        """Carry out a row that asks the stewards, which takes no platform: entirely or not at all.

        Args:
            row: the row, waiting or claimed.
            asking: how.
            now: the moment.

        Returns:
            The ticket and the actions stored; None when the row is settled already, and nothing was done.
        """
        ...

    # — tickets —
    async def open_ticket(self, ticket: Ticket) -> Ticket:
        """Open a ticket; one with the same `key` that is still open is returned instead."""
        ...

    async def tickets(self, *, group_id: GroupId | None = None, open_only: bool = True) -> tuple[Ticket, ...]:
        """Give tickets, oldest first."""
        ...

    async def close_ticket(self, ticket_id: int, *, by: str, at: datetime) -> Ticket | None:
        """Close a ticket; None when it is not there or closed already."""
        ...

    # — obligations —
    async def open_obligation(
        self, obligation: Obligation, due: Sequence[Due] = ()
    ) -> tuple[Obligation, bool]:
        """Open an obligation; False when one with its key was there (which is returned unchanged)."""
        ...

    async def obligation(self, obligation_id: int) -> Obligation | None:
        """Give one obligation by number."""
        ...

    async def obligation_by_key(self, key: str) -> Obligation | None:
        """Give one obligation by its key."""
        ...

    async def obligations(
        self,
        *,
        group_id: GroupId | None = None,
        person_id: PersonId | None = None,
        statuses: frozenset[ObligationStatus] | None = None,
        plugin: str | None = None,
    ) -> tuple[Obligation, ...]:
        """Give obligations that fit, oldest first."""
        ...

    async def update_obligation(self, obligation: Obligation, due: Sequence[Due] = ()) -> Obligation:
        """Write a changed obligation; `version` must be the stored one."""
        ...

    # — time —
    async def put_due(self, rows: Sequence[Due]) -> None:
        """Store due rows; a `(job, due_at)` that is there already, fired or not, is left as it is."""
        ...

    async def drop_due(self, job: str) -> int:
        """Forget the rows of a job that have not fired; returns how many."""
        ...

    async def claim_due(self, now: datetime, limit: int = 100) -> tuple[Due, ...]:
        """Claim rows that are due: each is given to one caller once, whoever asks, in order of `due_at`."""
        ...

    async def spent(self, rows: Sequence[Due], now: datetime) -> None:
        """Write that claimed rows were handed over; until then they may be claimed again by `reclaim`."""
        ...

    async def reclaim(self, claimed_before: datetime) -> int:
        """Put back rows that were claimed before a moment and never handed over: their process died.

        Returns:
            How many rows wait again.
        """
        ...

    async def next_due(self) -> datetime | None:
        """Give the earliest moment of an unclaimed row."""
        ...

    # — what is to be known again after a restart —
    async def keepsakes(self, owner: str) -> Mapping[str, str]:
        """Give all that an owner has kept: key → value."""
        ...

    async def keep(self, owner: str, values: Mapping[str, str | None], at: datetime) -> None:
        """Keep values under their keys, in place of what was there; None lets go of a key."""
        ...

    # — audit, retention, health —
    async def note(self, *entries: Audit) -> None:
        """Write lines of audit."""
        ...

    async def audit(
        self,
        *,
        group_id: GroupId | None = None,
        subject: str | None = None,
        what: str | None = None,
        limit: int = 1000,
    ) -> tuple[Audit, ...]:
        """Give lines of audit that fit, oldest first."""
        ...

    async def noted_last(self, subject: str) -> datetime | None:
        """Give the moment of the last line of audit about a subject, or None."""
        ...

    async def purge(
        self, now: datetime, terms: Mapping[str, int], *, group_id: GroupId | None
    ) -> Mapping[str, int]:
        """Forget what is older than its class's term.

        Args:
            now: the moment to count back from.
            terms: class (`excerpt strike ledger event snapshot audit`) → days.
            group_id: whose rows; None = those of no group, and of groups nobody looks after any more.

        Returns:
            class → rows forgotten or emptied.
        """
        ...

    async def ping(self) -> None:
        """Raise StoreError when the database does not answer."""
        ...
