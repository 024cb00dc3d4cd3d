"""A record kept in memory: for rehearsals, scenarios and the sandbox. Fast, and gone with the process."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from groupops.actions import Action, Receipt
from groupops.altered import altered
from groupops.errors import Conflict, StoreError
from groupops.events import Listed
from groupops.people import AccountId, Group, GroupId, Person, PersonId, platform_of
from groupops.records import (
    NOTHING,
    Asking,
    Audit,
    Besides,
    Booked,
    Booking,
    Case,
    CaseStatus,
    Due,
    Known,
    Merge,
    Obligation,
    ObligationStatus,
    OutboxRow,
    OutboxState,
    PolicyRevision,
    Steward,
    Ticket,
    carried_out,
    renumbered,
    require_strikes,
)
from groupops.store import retention
from groupops.store.keepsakes import KeepsakesInMemory

DueKey = tuple[str, datetime]


@dataclass(slots=True)
class _Moved:
    """What a merge moved, so that a split gives back exactly that."""

    accounts: frozenset[AccountId]
    cases: frozenset[int]
    obligations: frozenset[int]


@dataclass(slots=True)
class _People:
    persons: dict[PersonId, Person] = field(default_factory=dict[PersonId, Person])
    person_of: dict[AccountId, PersonId] = field(default_factory=dict[AccountId, PersonId])
    merged_into: dict[PersonId, PersonId] = field(default_factory=dict[PersonId, PersonId])
    merges: dict[int, Merge] = field(default_factory=dict[int, Merge])
    moved: dict[int, _Moved] = field(default_factory=dict[int, _Moved])


@dataclass(slots=True)
class _Groups:
    groups: dict[GroupId, Group] = field(default_factory=dict[GroupId, Group])
    bound: dict[GroupId, None] = field(default_factory=dict[GroupId, None])
    revisions: dict[GroupId, list[PolicyRevision]] = field(
        default_factory=lambda: defaultdict[GroupId, list[PolicyRevision]](list)
    )
    members: dict[GroupId, dict[AccountId, Listed]] = field(
        default_factory=lambda: defaultdict[GroupId, dict[AccountId, Listed]](dict)
    )
    stewards: dict[Steward, None] = field(default_factory=dict[Steward, None])


@dataclass(slots=True)
class _Cases:
    rows: dict[int, Case] = field(default_factory=dict[int, Case])
    of_event: dict[str, int] = field(default_factory=dict[str, int])
    of_person: dict[PersonId, set[int]] = field(default_factory=lambda: defaultdict[PersonId, set[int]](set))
    last: int = 0


@dataclass(slots=True)
class _Outbox:
    rows: dict[int, OutboxRow] = field(default_factory=dict[int, OutboxRow])
    keys: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    live: dict[int, None] = field(default_factory=dict[int, None])
    of_case: dict[int, list[int]] = field(default_factory=lambda: defaultdict[int, list[int]](list))
    last: int = 0


@dataclass(slots=True)
class _Dues:
    waiting: dict[DueKey, Due] = field(default_factory=dict[DueKey, Due])
    claimed: dict[DueKey, tuple[datetime, GroupId]] = field(
        default_factory=dict[DueKey, tuple[datetime, GroupId]]
    )
    unspent: dict[DueKey, Due] = field(default_factory=dict[DueKey, Due])
    of_job: dict[str, set[DueKey]] = field(default_factory=lambda: defaultdict[str, set[DueKey]](set))
    heap: list[tuple[datetime, str]] = field(default_factory=list[tuple[datetime, str]])


class MemoryRecords(KeepsakesInMemory):
    """The record in dictionaries. Nothing in it waits, so every method is one whole step by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._people = _People()
        self._groups = _Groups()
        self._cases = _Cases()
        self._outbox = _Outbox()
        self._dues = _Dues()
        self._tickets: dict[int, Ticket] = {}
        self._open_tickets: dict[str, int] = {}
        self._obligations: dict[int, Obligation] = {}
        self._obligation_keys: dict[str, int] = {}
        self._audit: list[Audit] = []
        self._last_ticket = 0
        self._last_obligation = 0

    # — persons —
    async def person_of(self, account: AccountId) -> Person | None:
        """Give the person an account is bound to, or None."""
        person_id = self._people.person_of.get(account)
        return None if person_id is None else self._people.persons[person_id]

    async def person_for(self, account: AccountId, *, name: str = "") -> Person:
        """Give the person an account is bound to, making a provisional one when there is none."""
        known = await self.person_of(account)
        if known is not None:
            return known
        made = self._new_person(Person(id=PersonId(0), name=name, provisional=True))
        self._people.person_of[account] = made.id
        return made

    async def person(self, person_id: PersonId) -> Person | None:
        """Give a person by number; the number of one that was merged gives the person it became."""
        return self._people.persons.get(self._standing(person_id))

    async def put_person(self, person: Person) -> Person:
        """Store a person; id 0 makes a new one. Returns it with its number."""
        if person.id == 0:
            return self._new_person(person)
        self._require_person(person.id)
        self._people.persons[person.id] = person
        return person

    async def enrol(self, people: Sequence[tuple[Person, Sequence[AccountId]]]) -> tuple[Person, ...]:
        """Store many persons at once, id 0 makes a new one, and bind accounts that are bound to nobody."""
        for person, accounts in people:
            if person.id:
                self._require_person(person.id)
            taken = next((account for account in accounts if account in self._people.person_of), None)
            if taken is not None:
                raise Conflict(f"{taken} is bound already")
        stored: list[Person] = []
        for person, accounts in people:
            stored.append(await self.put_person(person))
            self._people.person_of.update(dict.fromkeys(accounts, stored[-1].id))
        return tuple(stored)

    async def persons(self) -> tuple[Person, ...]:
        """Give all persons, in order of number; those that were merged into another are left out."""
        gone = self._people.merged_into
        return tuple(person for id_, person in self._people.persons.items() if id_ not in gone)

    async def accounts_of(self, person_id: PersonId) -> tuple[AccountId, ...]:
        """Give the accounts bound to a person, sorted."""
        return tuple(sorted(self._accounts(person_id)))

    async def bindings(self, platform: str = "") -> Mapping[AccountId, Person]:
        """Give every bound account of a platform, or of all of them, with its person."""
        persons = self._people.persons
        return {
            account: persons[person_id]
            for account, person_id in self._people.person_of.items()
            if platform_of(account) == platform or not platform
        }

    async def bind(self, account: AccountId, person_id: PersonId) -> PersonId | None:
        """Bind an account to a person; returns the person it was bound to before, if another."""
        person_id = self._standing(person_id)
        self._require_person(person_id)
        before = self._people.person_of.get(account)
        self._people.person_of[account] = person_id
        return None if before == person_id else before

    async def merge(self, kept: PersonId, gone: PersonId, *, by: str, at: datetime) -> Merge:
        """Make two persons one: accounts, cases and obligations of `gone` become `kept`'s. Reversible."""
        self._require_mergeable(kept, gone)
        moved = _Moved(
            accounts=frozenset(self._accounts(gone)),
            cases=frozenset(self._cases.of_person[gone]),
            obligations=frozenset(id_ for id_, row in self._obligations.items() if row.person_id == gone),
        )
        merge = Merge(id=len(self._people.merges) + 1, kept=kept, gone=gone, by=by, at=at)
        self._people.merges[merge.id] = merge
        self._people.moved[merge.id] = moved
        self._people.merged_into[gone] = kept
        self._move(moved, frm=gone, to=kept)
        return merge

    async def split(self, merge_id: int, *, at: datetime) -> Merge:
        """Take a merge apart: what came from `gone` goes back to it; what came later stays."""
        merge = self._people.merges.get(merge_id)
        if merge is None:
            raise StoreError(f"there is no merge {merge_id}")
        if merge.undone_at is not None:
            raise Conflict(f"merge {merge_id} was taken apart already, at {merge.undone_at.isoformat()}")
        holder = self._standing(merge.kept)
        del self._people.merged_into[merge.gone]
        self._move(self._people.moved[merge_id], frm=holder, to=merge.gone)
        undone = replace(merge, undone_at=at)
        self._people.merges[merge_id] = undone
        return undone

    async def merges(self) -> tuple[Merge, ...]:
        """Give all merges, oldest first."""
        return tuple(self._people.merges.values())

    # — groups, members, stewards —
    async def groups(self) -> tuple[Group, ...]:
        """Give all bound groups, in order of id."""
        return tuple(self._groups.groups[group_id] for group_id in sorted(self._groups.bound))

    async def group(self, group_id: GroupId) -> Group | None:
        """Give one bound group."""
        return self._groups.groups[group_id] if group_id in self._groups.bound else None

    async def put_group(self, group: Group) -> None:
        """Store a group's name, timezone and owner; stage, packs and revision follow from `revise`."""
        stored = self._groups.groups.get(group.id, Group(id=group.id))
        self._groups.groups[group.id] = replace(
            stored, name=group.name, timezone=group.timezone, owner=group.owner
        )
        self._groups.bound[group.id] = None

    async def drop_group(self, group_id: GroupId) -> None:
        """Unbind a group; its cases and audit stay."""
        self._groups.bound.pop(group_id, None)
        self._groups.members.pop(group_id, None)

    async def revise(self, revision: PolicyRevision) -> None:
        """Store the next revision of a group's policy and put it in force. Raises Conflict on a taken number."""
        group = await self.group(revision.group_id)
        if group is None:
            raise StoreError(f"group {revision.group_id} is not bound: bind it before its policy is changed")
        if revision.number != group.revision + 1:
            raise Conflict(
                f"group {group.id} is at revision {group.revision}, so the next is {group.revision + 1}, "
                f"not {revision.number}: read the group again"
            )
        self._groups.revisions[group.id].append(revision)
        self._groups.groups[group.id] = replace(
            group, stage=revision.stage, packs=revision.packs, revision=revision.number
        )

    async def revisions(self, group_id: GroupId) -> tuple[PolicyRevision, ...]:
        """Give a group's revisions, oldest first."""
        return tuple(self._groups.revisions.get(group_id, ()))

    async def members(self, group_id: GroupId) -> Mapping[AccountId, Listed]:
        """Give the members as last known."""
        return dict(self._groups.members.get(group_id, {}))

    async def put_members(
        self, group_id: GroupId, put: Sequence[Listed], gone: Sequence[AccountId] = ()
    ) -> None:
        """Store members that came or changed, and forget those that left."""
        known = self._groups.members[group_id]
        known.update((listed.account, listed) for listed in put)
        for account in gone:
            known.pop(account, None)

    async def stewards(self) -> tuple[Steward, ...]:
        """Give all stewards, in the order they were added."""
        return tuple(self._groups.stewards)

    async def put_steward(self, steward: Steward) -> None:
        """Add a steward; adding twice changes nothing."""
        self._groups.stewards.setdefault(steward)

    async def drop_steward(self, steward: Steward) -> bool:
        """Remove a steward; False when there was none."""
        there = steward in self._groups.stewards
        self._groups.stewards.pop(steward, None)
        return there

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
        """Book an offence: read what is known of the person, ask `decide`, write what it says."""
        person_id = (await self.person_for(account, name=name)).id
        booked = self._cases.of_event.get(event_id)
        if booked is not None:
            return Booked(case=self._cases.rows[booked], outbox=self._rows_of(booked), fresh=False)
        decided = decide(
            Known(
                person_id=person_id,
                strikes=self._count(person_id, ladder, now),
                recent=() if recent is None else await self.cases(person_id=person_id, since=recent),
                contained=() if contained is None else self._contained(person_id, contained),
            )
        )
        if isinstance(decided, Case):
            return Booked(case=decided, outbox=(), fresh=False)
        if decided.case.id:
            rows = decided.rows(decided.case)
            changed = await self.update_case(decided.case, outbox=rows, due=decided.due)
            return replace(changed, fresh=not decided.again)
        self._cases.last += 1
        case = altered(decided.case, id=self._cases.last, event_id=event_id, person_id=person_id)
        outbox = renumbered(decided.rows(case), case.id)
        if decided.asking is not None:
            outbox = self._asking(outbox, decided.asking, now)
        self._keep_case(case)
        self._put_due(decided.due)
        return Booked(case=case, outbox=self._put_outbox(outbox), fresh=True)

    def _asking(
        self, outbox: Sequence[OutboxRow], asking: Callable[[OutboxRow], Asking | None], now: datetime
    ) -> tuple[OutboxRow, ...]:
        """Open the tickets of rows that are about to be stored: gives the rows, settled where they asked, and the words."""
        asks = [(row, asking(row)) for row in outbox]
        wanted = [(row, ask) for row, ask in asks if ask is not None]
        opened = [self._ticket_for(ask.ticket, ahead) for ahead, (_, ask) in enumerate(wanted)]
        told = [word for (_, ask), ticket in zip(wanted, opened, strict=True) for word in ask.words(ticket)]
        done = {
            row.key: carried_out(row, ticket, now) for (row, _), ticket in zip(wanted, opened, strict=True)
        }
        for _, ask in wanted:  # nothing above was written, should words fail
            self._open_ticket(ask.ticket)
            if ask.noted is not None:
                self._audit.append(ask.noted)
        return (*(done.get(row.key, row) for row in outbox), *told)

    def _contained(self, person_id: PersonId, since: datetime) -> tuple[OutboxRow, ...]:
        """Give what was stored for containment of a person's cases since a moment, oldest first."""
        rows = (row for id_ in sorted(self._cases.of_person[person_id]) for row in self._rows_of(id_))
        found = [row for row in rows if row.purpose == "contain" and row.created_at >= since]
        return tuple(sorted(found, key=lambda row: row.id))

    async def case(self, case_id: int) -> Case | None:
        """Give one case."""
        return self._cases.rows.get(case_id)

    async def case_of_event(self, event_id: str) -> Case | None:
        """Give the case of a fact."""
        case_id = self._cases.of_event.get(event_id)
        return None if case_id is None else self._cases.rows[case_id]

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
        rows: Iterable[Case] = self._cases.rows.values()
        if person_id is not None:
            rows = (self._cases.rows[id_] for id_ in sorted(self._cases.of_person[person_id]))
        fitting = (
            case
            for case in rows
            if (group_id is None or case.group_id == group_id)
            and (statuses is None or case.status in statuses)
            and (message_id is None or case.message_id == message_id)
            and (since is None or case.opened_at >= since)
        )
        return tuple(case for case, _ in zip(fitting, range(limit), strict=False))

    async def strikes(self, person_id: PersonId, ladder: str, now: datetime) -> int:
        """Count a person's valid strikes on a ladder."""
        return self._count(self._standing(person_id), ladder, now)

    async def update_case(
        self,
        case: Case,
        *,
        outbox: Sequence[OutboxRow] = (),
        due: Sequence[Due] = (),
        counted: tuple[int, datetime] | None = None,
    ) -> Booked:
        """Write a changed case with what follows from it; `case.version` must be the stored one."""
        stored = self._cases.rows.get(case.id)
        if stored is None:
            raise StoreError(f"there is no case {case.id}")
        _require_version("case", case.id, stored.version, case.version)
        if counted is not None:
            found = self._count(stored.person_id, case.ladder, counted[1])
            require_strikes(case.id, counted[0], found)
        changed = altered(
            case, event_id=stored.event_id, person_id=stored.person_id, version=case.version + 1
        )
        self._keep_case(changed)
        return Booked(case=changed, outbox=self._follow(case.id, outbox, due), fresh=True)

    # — outbox —
    async def enqueue(self, rows: Sequence[OutboxRow]) -> tuple[OutboxRow, ...]:
        """Store actions; a row whose `(event_id, index)` is there already is left out. Returns those stored."""
        return self._put_outbox(rows)

    async def performing(self, ids: Sequence[int], now: datetime) -> frozenset[int]:
        """Mark waiting rows as handed to the platform; returns those that were still waiting (the claim)."""
        claimed = [
            row
            for id_ in dict.fromkeys(ids)
            if (row := self._outbox.rows.get(id_)) is not None and row.state is OutboxState.WAITING
        ]
        for row in claimed:
            self._change(
                altered(row, state=OutboxState.PERFORMING, attempts=row.attempts + 1, changed_at=now)
            )
        return frozenset(row.id for row in claimed)

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
        """Write what became of a row, with the rows that stand in for it. Without a receipt the last one stays."""
        row = self._outbox.rows.get(row_id)
        if row is None:
            raise StoreError(f"there is no row {row_id} in the outbox")
        self._change(
            altered(
                row,
                state=state,
                receipt=receipt or row.receipt,
                not_before=not_before,
                changed_at=now,
                action=kept or row.action,
                attempts=row.attempts - untried,
            )
        )
        if besides.noted is not None:
            self._audit.append(besides.noted)
        case = None if row.case_id is None or not besides.undo else self._cases.rows.get(row.case_id)
        late = case is not None and case.status.out_of_force
        return self._put_outbox((*besides.follow_up, *besides.undo) if late else besides.follow_up)

    async def asked(
        self, row: OutboxRow, asking: Asking, now: datetime
    ) -> tuple[Ticket, tuple[OutboxRow, ...]] | None:
        """Carry out a row that asks the stewards: open the ticket, store the words, and write the row down."""
        known = self._outbox.rows.get(row.id)
        if known is None or known.state.final:
            return None
        told = asking.words(self._ticket_for(asking.ticket))
        opened, stored = self._open_ticket(asking.ticket), self._put_outbox(told)
        self._change(carried_out(known, opened, now))
        if asking.noted is not None:
            self._audit.append(asking.noted)
        return opened, stored

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
        """Give rows that fit, oldest first, numbered above `after`; `due_by` leaves out rows that wait for later."""
        fitting = (
            row
            for row in self._outbox_candidates(states, case_id)
            if (states is None or row.state in states)
            and (case_id is None or row.case_id == case_id)
            and (group_id is None or row.group_id == group_id)
            and (due_by is None or row.not_before is None or row.not_before <= due_by)
            and row.id > after
        )
        return tuple(row for row, _ in zip(fitting, range(limit), strict=False))

    async def cancel_outbox(self, case_id: int, now: datetime) -> int:
        """Cancel a case's rows that still wait; returns how many."""
        waiting = [row for row in self._rows_of(case_id) if row.state is OutboxState.WAITING]
        for row in waiting:
            self._change(altered(row, state=OutboxState.CANCELLED, changed_at=now))
        return len(waiting)

    # — tickets —
    async def open_ticket(self, ticket: Ticket) -> Ticket:
        """Open a ticket; one with the same `key` that is still open is returned instead."""
        return self._open_ticket(ticket)

    def _open_ticket(self, ticket: Ticket) -> Ticket:
        opened = self._ticket_for(ticket)
        if opened.id > self._last_ticket:
            self._last_ticket = opened.id
            self._tickets[opened.id] = opened
            if opened.key:
                self._open_tickets[opened.key] = opened.id
        return opened

    def _ticket_for(self, ticket: Ticket, ahead: int = 0) -> Ticket:
        """Give the open ticket with the key of another, or that one with the number it would have behind some others."""
        there = self._open_tickets.get(ticket.key) if ticket.key else None
        return (
            self._tickets[there] if there is not None else altered(ticket, id=self._last_ticket + 1 + ahead)
        )

    async def tickets(self, *, group_id: GroupId | None = None, open_only: bool = True) -> tuple[Ticket, ...]:
        """Give tickets, oldest first."""
        return tuple(
            ticket
            for ticket in self._tickets.values()
            if (group_id is None or ticket.group_id == group_id)
            and (not open_only or ticket.closed_at is None)
        )

    async def close_ticket(self, ticket_id: int, *, by: str, at: datetime) -> Ticket | None:
        """Close a ticket; None when it is not there or closed already."""
        ticket = self._tickets.get(ticket_id)
        if ticket is None or ticket.closed_at is not None:
            return None
        closed = altered(ticket, closed_at=at, closed_by=by)
        self._tickets[ticket_id] = closed
        self._open_tickets.pop(ticket.key, None)
        return closed

    # — obligations —
    async def open_obligation(
        self, obligation: Obligation, due: Sequence[Due] = ()
    ) -> tuple[Obligation, bool]:
        """Open an obligation; False when one with its key was there (which is returned unchanged)."""
        there = self._obligation_keys.get(obligation.key)
        if there is not None:
            return self._obligations[there], False
        person_id = self._standing(obligation.person_id)
        self._last_obligation += 1
        opened = replace(obligation, id=self._last_obligation, person_id=person_id)
        self._obligations[opened.id] = opened
        self._obligation_keys[opened.key] = opened.id
        self._put_due(due)
        return opened, True

    async def obligation(self, obligation_id: int) -> Obligation | None:
        """Give one obligation by number."""
        return self._obligations.get(obligation_id)

    async def obligation_by_key(self, key: str) -> Obligation | None:
        """Give one obligation by its key."""
        id_ = self._obligation_keys.get(key)
        return None if id_ is None else self._obligations[id_]

    async def obligations(
        self,
        *,
        group_id: GroupId | None = None,
        person_id: PersonId | None = None,
        statuses: frozenset[ObligationStatus] | None = None,
        plugin: str | None = None,
    ) -> tuple[Obligation, ...]:
        """Give obligations that fit, oldest first."""
        return tuple(
            row
            for row in self._obligations.values()
            if (group_id is None or row.group_id == group_id)
            and (person_id is None or row.person_id == person_id)
            and (statuses is None or row.status in statuses)
            and (plugin is None or row.plugin == plugin)
        )

    async def update_obligation(self, obligation: Obligation, due: Sequence[Due] = ()) -> Obligation:
        """Write a changed obligation; `version` must be the stored one."""
        stored = self._obligations.get(obligation.id)
        if stored is None:
            raise StoreError(f"there is no obligation {obligation.id}")
        _require_version("obligation", obligation.id, stored.version, obligation.version)
        changed = replace(
            obligation, key=stored.key, person_id=stored.person_id, version=obligation.version + 1
        )
        self._obligations[changed.id] = changed
        self._put_due(due)
        return changed

    # — time —
    async def put_due(self, rows: Sequence[Due]) -> None:
        """Store due rows; a `(job, due_at)` that is there already, fired or not, is left as it is."""
        self._put_due(rows)

    async def drop_due(self, job: str) -> int:
        """Forget the rows of a job that have not fired; returns how many."""
        keys = self._dues.of_job.pop(job, set[DueKey]())
        for key in keys:
            del self._dues.waiting[key]
        return len(keys)

    async def claim_due(self, now: datetime, limit: int = 100) -> tuple[Due, ...]:
        """Claim rows that are due: each is given to one caller once, whoever asks, in order of `due_at`."""
        claimed: list[Due] = []
        while len(claimed) < limit and (due := self._first_due()) is not None and due.due_at <= now:
            key = (due.job, due.due_at)
            heapq.heappop(self._dues.heap)
            del self._dues.waiting[key]
            self._dues.of_job[due.job].discard(key)
            self._dues.claimed[key] = (now, due.group_id)
            self._dues.unspent[key] = due
            claimed.append(due)
        return tuple(claimed)

    async def spent(self, rows: Sequence[Due], now: datetime) -> None:  # noqa: ARG002 - memory needs no moment
        """Write that claimed rows were handed over."""
        for row in rows:
            self._dues.unspent.pop((row.job, row.due_at), None)

    async def reclaim(self, claimed_before: datetime) -> int:
        """Put back rows that were claimed before a moment and never handed over."""
        lost = [due for key, due in self._dues.unspent.items() if self._dues.claimed[key][0] < claimed_before]
        for due in lost:
            key = (due.job, due.due_at)
            del self._dues.unspent[key], self._dues.claimed[key]
        self._put_due(lost)
        return len(lost)

    async def next_due(self) -> datetime | None:
        """Give the earliest moment of an unclaimed row."""
        due = self._first_due()
        return None if due is None else due.due_at

    # — audit, retention, health —
    async def note(self, *entries: Audit) -> None:
        """Write lines of audit."""
        self._audit.extend(entries)

    async def audit(
        self,
        *,
        group_id: GroupId | None = None,
        subject: str | None = None,
        what: str | None = None,
        limit: int = 1000,
    ) -> tuple[Audit, ...]:
        """Give lines of audit that fit, oldest first."""
        fitting = (
            line
            for line in self._audit
            if (group_id is None or line.group_id == group_id)
            and (subject is None or line.subject == subject)
            and (what is None or line.what == what)
        )
        return tuple(line for line, _ in zip(fitting, range(limit), strict=False))

    async def noted_last(self, subject: str) -> datetime | None:
        """Give the moment of the last line of audit about a subject, or None."""
        return max((line.at for line in self._audit if line.subject == subject), default=None)

    async def purge(
        self, now: datetime, terms: Mapping[str, int], *, group_id: GroupId | None
    ) -> Mapping[str, int]:
        """Forget what is older than its class's term, in days; returns class → rows forgotten or emptied."""
        ways: dict[str, Callable[[_Age], int]] = {
            "excerpt": self._purge_excerpts,
            "strike": self._purge_cases,
            "event": self._purge_events,
            "snapshot": self._purge_members,
            "audit": self._purge_audit,
        }
        return {
            name: ways[name](_Age(retention.cutoff(now, days), now, self._asked_for(group_id)))
            if name in ways
            else 0
            for name, days in terms.items()
        }

    def _asked_for(self, group_id: GroupId | None) -> Callable[[GroupId | None], bool]:
        """Say of a row's group whether its rows are to be looked at."""
        if group_id is not None:
            return lambda group: group == group_id
        return lambda group: group is None or group not in self._groups.bound

    async def ping(self) -> None:
        """Nothing to ask: memory answers."""

    # — inside: persons —
    def _new_person(self, person: Person) -> Person:
        made = replace(person, id=PersonId(len(self._people.persons) + 1))
        self._people.persons[made.id] = made
        return made

    def _require_person(self, person_id: PersonId) -> None:
        if person_id not in self._people.persons:
            raise StoreError(f"there is no person {person_id}")

    def _require_mergeable(self, kept: PersonId, gone: PersonId) -> None:
        if kept == gone:
            raise Conflict(f"person {kept} cannot be merged with itself")
        for person_id in (kept, gone):
            self._require_person(person_id)
            into = self._people.merged_into.get(person_id)
            if into is not None:
                raise Conflict(f"person {person_id} was merged into person {into} already")

    def _standing(self, person_id: PersonId) -> PersonId:
        """The person a number stands for now: merges are followed."""
        while person_id in self._people.merged_into:
            person_id = self._people.merged_into[person_id]
        return person_id

    def _accounts(self, person_id: PersonId) -> list[AccountId]:
        return [account for account, bound in self._people.person_of.items() if bound == person_id]

    def _move(self, moved: _Moved, *, frm: PersonId, to: PersonId) -> None:
        for account in moved.accounts:
            if self._people.person_of.get(account) == frm:
                self._people.person_of[account] = to
        for case_id in moved.cases & self._cases.of_person[frm]:
            case = self._cases.rows[case_id]
            self._cases.of_person[frm].discard(case_id)
            self._keep_case(replace(case, person_id=to))
        for id_ in moved.obligations & self._obligations.keys():
            if self._obligations[id_].person_id == frm:
                self._obligations[id_] = replace(self._obligations[id_], person_id=to)

    # — inside: cases and outbox —
    def _keep_case(self, case: Case) -> None:
        self._cases.rows[case.id] = case
        self._cases.of_event[case.event_id] = case.id
        self._cases.of_person[case.person_id].add(case.id)

    def _count(self, person_id: PersonId, ladder: str, now: datetime) -> int:
        ids = self._cases.of_person.get(person_id, ())
        return sum(retention.counts(self._cases.rows[id_], ladder, now) for id_ in ids)

    def _follow(self, case_id: int, outbox: Sequence[OutboxRow], due: Sequence[Due]) -> tuple[OutboxRow, ...]:
        self._put_due(due)
        return self._put_outbox(
            [row if row.case_id == case_id else altered(row, case_id=case_id) for row in outbox]
        )

    def _rows_of(self, case_id: int) -> tuple[OutboxRow, ...]:
        return tuple(self._outbox.rows[id_] for id_ in self._outbox.of_case.get(case_id, ()))

    def _put_outbox(self, rows: Sequence[OutboxRow]) -> tuple[OutboxRow, ...]:
        return tuple(stored for row in rows if (stored := self._put_outbox_row(row)) is not None)

    def _put_outbox_row(self, row: OutboxRow) -> OutboxRow | None:
        box = self._outbox
        key = (row.event_id, row.index)
        if key in box.keys:
            return None
        box.last += 1
        stored = altered(row, id=box.last, changed_at=row.changed_at or row.created_at)
        box.keys.add(key)
        if stored.case_id is not None:
            box.of_case[stored.case_id].append(stored.id)
        self._change(stored)
        return stored

    def _change(self, row: OutboxRow) -> None:
        self._outbox.rows[row.id] = row
        if row.state.final:
            self._outbox.live.pop(row.id, None)
        else:
            self._outbox.live[row.id] = None

    def _outbox_candidates(
        self, states: frozenset[OutboxState] | None, case_id: int | None
    ) -> Iterable[OutboxRow]:
        """The fewest rows that may fit: those of the case, those not final, or all."""
        if case_id is not None:
            return self._rows_of(case_id)
        if states is not None and not any(state.final for state in states):
            return [self._outbox.rows[id_] for id_ in sorted(self._outbox.live)]
        return self._outbox.rows.values()

    # — inside: time —
    def _put_due(self, rows: Sequence[Due]) -> None:
        for due in rows:
            key = (due.job, due.due_at)
            if key in self._dues.waiting or key in self._dues.claimed:
                continue
            self._dues.waiting[key] = due
            self._dues.of_job[due.job].add(key)
            heapq.heappush(self._dues.heap, (due.due_at, due.job))

    def _first_due(self) -> Due | None:
        """The earliest waiting row; entries of dropped rows are cleared away on the way."""
        heap = self._dues.heap
        while heap:
            due_at, job = heap[0]
            due = self._dues.waiting.get((job, due_at))
            if due is not None:
                return due
            heapq.heappop(heap)
        return None

    # — inside: retention —
    def _purge_excerpts(self, age: _Age) -> int:
        old = [
            case
            for case in self._cases.rows.values()
            if age.of(case.group_id) and retention.may_lose_text(case, age.before)
        ]
        for case in old:
            self._keep_case(retention.without_text(case))
        return len(old)

    def _purge_cases(self, age: _Age) -> int:
        old = [
            case
            for case in self._cases.rows.values()
            if age.of(case.group_id) and retention.may_be_forgotten(case, age.before, age.now)
        ]
        for case in old:
            del self._cases.rows[case.id]
            del self._cases.of_event[case.event_id]
            self._cases.of_person[case.person_id].discard(case.id)
        return len(old)

    def _purge_events(self, age: _Age) -> int:
        return (
            self._purge_obligations(age)
            + self._purge_tickets(age)
            + self._purge_outbox(age)
            + self._purge_dues(age)
            + (self._purge_keepsakes(age.before) if age.of(None) else 0)
        )

    def _purge_obligations(self, age: _Age) -> int:
        old = [
            row
            for row in self._obligations.values()
            if age.of(row.group_id)
            and row.status not in retention.OPEN_OBLIGATIONS
            and row.due_at < age.before
        ]
        for row in old:
            del self._obligations[row.id]
            del self._obligation_keys[row.key]
        return len(old)

    def _purge_tickets(self, age: _Age) -> int:
        old = [
            id_
            for id_, row in self._tickets.items()
            if age.of(row.group_id) and row.closed_at and row.closed_at < age.before
        ]
        for id_ in old:
            del self._tickets[id_]
        return len(old)

    def _purge_outbox(self, age: _Age) -> int:
        old = [
            row
            for row in self._outbox.rows.values()
            if age.of(row.group_id)
            and row.state.final
            and row.changed_at is not None
            and row.changed_at < age.before
        ]
        for row in old:
            del self._outbox.rows[row.id]
            self._outbox.keys.discard((row.event_id, row.index))
            if row.case_id is not None:
                self._outbox.of_case[row.case_id].remove(row.id)
        return len(old)

    def _purge_dues(self, age: _Age) -> int:
        old = [
            key
            for key, (claimed_at, group_id) in self._dues.claimed.items()
            if claimed_at < age.before and age.of(group_id)
        ]
        for key in old:
            del self._dues.claimed[key]
            self._dues.unspent.pop(key, None)
        return len(old)

    def _purge_members(self, _: _Age) -> int:
        stray = [group_id for group_id in self._groups.members if group_id not in self._groups.bound]
        return sum(len(self._groups.members.pop(group_id)) for group_id in stray)

    def _purge_audit(self, age: _Age) -> int:
        kept = [line for line in self._audit if line.at >= age.before or not age.of(line.group_id)]
        dropped = len(self._audit) - len(kept)
        self._audit = kept
        return dropped


@dataclass(frozen=True, slots=True)
class _Age:
    """What a purge lets go: rows from before a moment, of the groups asked for."""

    before: datetime
    now: datetime
    of: Callable[[GroupId | None], bool]


def _require_version(what: str, id_: int, stored: int, given: int) -> None:
    if stored != given:
        raise Conflict(
            f"{what} {id_} is at version {stored}, not {given}: somebody changed it; read it again"
        )
