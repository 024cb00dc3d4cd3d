"""The journal: what may become of an item, in ONE table, and how money moves between pots, in whole fen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from groupops import AccountId, GroupId, GroupOpsError, PersonId

APPROVE_WITHIN = timedelta(days=7)
"""An item that nobody approved for so long expires (`rules.md` §4.1)."""

DECIDE_WITHIN = timedelta(days=7)
"""An appeal that nobody decided for so long is won: the item is waived (`rules.md` §4.1)."""


class State(StrEnum):
    """Where an item stands (`architecture.md` §6); `frozen` stands beside any open one."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    NOTIFIED = "notified"
    ACCEPTED = "accepted"
    APPEALED = "appealed"
    REDUCED = "reduced"
    SETTLED = "settled"
    SETTLED_BY_ALTERNATIVE = "settled_by_alternative"
    WAIVED = "waived"
    REVERSED = "reversed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def open(self) -> bool:
        """True while something may still be done about the item by its person or a steward."""
        return self in OPEN


OPEN = frozenset(
    {State.PROPOSED, State.APPROVED, State.NOTIFIED, State.ACCEPTED, State.APPEALED, State.REDUCED}
)
TOLD = frozenset({State.NOTIFIED, State.ACCEPTED, State.REDUCED})
"""States in which it is the person's turn."""
_SETTLED = frozenset({State.SETTLED, State.SETTLED_BY_ALTERNATIVE})


class Move(StrEnum):
    """What may be done to an item."""

    PROPOSE = "propose"
    AGREE = "agree"
    APPROVE = "approve"
    NOTIFY = "notify"
    ACCEPT = "accept"
    CHOOSE = "choose"
    EVIDENCE = "evidence"
    SETTLE = "settle"
    SUBSTITUTE = "substitute"
    APPEAL = "appeal"
    RESUME = "resume"
    REDUCE = "reduce"
    WAIVE = "waive"
    REVERSE = "reverse"
    EXPIRE = "expire"
    CANCEL = "cancel"
    FREEZE = "freeze"
    RESTORE = "restore"
    REMIND = "remind"
    OVERDUE = "overdue"
    REASSIGN = "reassign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One row of the table.

    Args:
        starts: the states it may be done in.
        ends: the state it leads to; None = the state stays, and for `resume` is the one before the appeal.
        while_frozen: True when it may also be done while the person is out of the group.
    """

    starts: frozenset[State]
    ends: State | None = None
    while_frozen: bool = False


TABLE: Mapping[Move, Way] = MappingProxyType(
    {
        Move.PROPOSE: Way(starts=frozenset(), ends=State.PROPOSED),
        Move.AGREE: Way(starts=frozenset({State.PROPOSED}), while_frozen=True),
        Move.APPROVE: Way(starts=frozenset({State.PROPOSED}), ends=State.APPROVED, while_frozen=True),
        Move.NOTIFY: Way(starts=frozenset({State.APPROVED}), ends=State.NOTIFIED),
        Move.ACCEPT: Way(starts=frozenset({State.NOTIFIED, State.REDUCED}), ends=State.ACCEPTED),
        Move.CHOOSE: Way(starts=TOLD),
        Move.EVIDENCE: Way(starts=TOLD),
        Move.SETTLE: Way(starts=frozenset({State.ACCEPTED}), ends=State.SETTLED),
        Move.SUBSTITUTE: Way(starts=TOLD, ends=State.SETTLED_BY_ALTERNATIVE),
        Move.APPEAL: Way(starts=OPEN - {State.APPEALED}, ends=State.APPEALED, while_frozen=True),
        Move.RESUME: Way(starts=frozenset({State.APPEALED}), while_frozen=True),
        Move.REDUCE: Way(starts=OPEN - {State.PROPOSED, State.APPROVED}, ends=State.REDUCED),
        Move.WAIVE: Way(starts=OPEN, ends=State.WAIVED, while_frozen=True),
        Move.REVERSE: Way(starts=OPEN | _SETTLED, ends=State.REVERSED, while_frozen=True),
        # Also while frozen: its clocks stand then, but its case may come to nothing meanwhile.
        Move.EXPIRE: Way(
            starts=frozenset({State.PROPOSED, State.NOTIFIED, State.REDUCED}),
            ends=State.EXPIRED,
            while_frozen=True,
        ),
        Move.CANCEL: Way(starts=OPEN, ends=State.CANCELLED, while_frozen=True),
        Move.FREEZE: Way(starts=OPEN),
        Move.RESTORE: Way(starts=OPEN, while_frozen=True),
        Move.REMIND: Way(starts=TOLD),
        Move.OVERDUE: Way(starts=TOLD),
        Move.REASSIGN: Way(starts=frozenset(State), while_frozen=True),
    }
)
"""Every transition there is; nothing else is possible."""


class Pot(StrEnum):
    """Where money of the ledger is; it only ever moves from one pot to another, so nothing is lost or made."""

    OUTSIDE = "outside"
    OPEN = "open"
    REDUCED = "reduced"
    SETTLED = "settled"
    SETTLED_BY_ALTERNATIVE = "settled_by_alternative"
    WAIVED = "waived"
    REVERSED = "reversed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class NotPossible(GroupOpsError):
    """A move that the table, or what the item says, does not allow.

    Args:
        why: a short word: `closed`, `frozen`, `state`, `terms`, `amount`, `nothing_chosen`, `unchanged`.
        move: what was wanted.
        item: the item as it stands.
    """

    def __init__(self, why: str, move: Move, item: Item) -> None:
        super().__init__(f"item {item.case_id}: cannot {move.value} in state {item.state.value} ({why})")
        self.why = why
        self.move = move
        self.item = item


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item as it stands; everything in it follows from the journal and from the terms it was opened by.

    Args:
        case_id: the number people use; one item per case.
        group_id, person_id, account: where, and whom it is about.
        rule, clause: the rule's id, and where it stands in the regulation.
        source: what it came from, so that the same is not entered twice.
        mode: `education` or `commitment`, as it was when the item was opened.
        alternatives: what may be done instead, as it was then.
        approvals: how many stewards have to agree.
        due_days: time to answer once told, in days.
        lapse_days: days after the deadline at which an item nobody answered expires; 0 = never.
        state: where it stands.
        before: where it stood before the appeal; None when there is none.
        frozen: True while the person is out of the group.
        open_fen, reduced_fen, closed_fen: what is open, was taken off, went into the pot of the last state.
        chosen: the alternative the person chose; empty when none.
        evidence: how many pieces of evidence there are.
        deadline: until when the present state may last; None = for ever.
        stopped_at: since when its clocks stand still; None while they run.
        appealed_at: since when the appeal waits.
        reminded: how many reminders were sent since the person was told.
        overdue: True once the stewards were told that nothing came.
        opened_at, notified_at, accepted_at, closed_at: when.
        entries: how many lines of the journal there are.
    """

    case_id: int
    group_id: GroupId
    person_id: PersonId
    account: AccountId
    rule: str
    clause: str = ""
    source: str
    mode: str = "education"
    alternatives: tuple[str, ...] = ()
    approvals: int = 1
    due_days: int = 7
    lapse_days: int = 30
    state: State = State.PROPOSED
    before: State | None = None
    frozen: bool = False
    open_fen: int = 0
    reduced_fen: int = 0
    closed_fen: int = 0
    chosen: str = ""
    evidence: int = 0
    deadline: datetime | None = None
    stopped_at: datetime | None = None
    appealed_at: datetime | None = None
    reminded: int = 0
    overdue: bool = False
    opened_at: datetime
    notified_at: datetime | None = None
    accepted_at: datetime | None = None
    closed_at: datetime | None = None
    entries: int = 0

    @property
    def settled(self) -> bool:
        """Whether it was settled, in whichever way, and still is."""
        return self.state in _SETTLED

    @property
    def charged_fen(self) -> int:
        """What was entered when the item was opened."""
        return self.open_fen + self.reduced_fen + self.closed_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants done to an item.

    Args:
        move: what.
        at: when (aware).
        actor: who: an account, `core` or `clock`.
        note: why, in words.
        amount_fen: for `propose` what is entered, for `reduce` what is left.
        chosen: for `choose` the alternative; empty takes the choice back.
        person_id: for `reassign` whose it is now.
    """

    move: Move
    at: datetime
    actor: str
    note: str = ""
    amount_fen: int = 0
    chosen: str = ""
    person_id: PersonId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal, never changed: what was done, and which money went from which pot to which.

    Args:
        case_id, number: which item, and the line's place in it, from 1.
        key: unique; the same key again is the same line.
        group_id, person_id: where, and whose the item was after this.
        move, state, actor, at, note: what was done, where it led, by whom, when, why.
        amount_fen: how much moved, never negative.
        source, target: from which pot into which.
    """

    case_id: int
    number: int
    key: str
    group_id: GroupId
    person_id: PersonId
    move: Move
    state: State
    actor: str
    at: datetime
    note: str = ""
    amount_fen: int = 0
    source: Pot = Pot.OPEN
    target: Pot = Pot.OPEN


def opened(draft: Item, order: Order, key: str) -> tuple[Item, Entry]:
    """Open an item.

    Args:
        draft: the item with its terms.
        order: the proposal, with its amount in fen.
        key: of the line.

    Raises:
        NotPossible: the amount is negative, or there is one where nothing is owed.
    """
    amount = order.amount_fen
    if amount < 0 or (amount and draft.mode != "commitment"):
        raise NotPossible("amount", Move.PROPOSE, draft)
    item = replace(
        draft,
        state=State.PROPOSED,
        open_fen=amount,
        deadline=order.at + APPROVE_WITHIN,
        opened_at=order.at,
        entries=1,
    )
    return item, _entry(item, order, key, (amount, Pot.OUTSIDE, Pot.OPEN))


def done(item: Item, order: Order, key: str) -> tuple[Item, Entry]:
    """Do something to an item; the only way in which one changes.

    Raises:
        NotPossible: the table or the item does not allow it.
    """
    _check(item, order)
    way = TABLE[order.move]
    state = way.ends or item.state
    if order.move is Move.RESUME:
        state = item.before or State.PROPOSED
    money = _money(item, order, state)
    after = _clocked(_changed(_paid(replace(item, state=state), money), item, order), item, order)
    after = replace(after, entries=item.entries + 1)
    return after, _entry(after, order, key, money)


def _check(item: Item, order: Order) -> None:
    move, way = order.move, TABLE[order.move]
    if item.state not in way.starts:
        raise NotPossible("state" if item.state.open else "closed", move, item)
    if item.frozen and not way.while_frozen:
        raise NotPossible("frozen", move, item)
    if move is Move.RESTORE and not item.frozen:
        raise NotPossible("unchanged", move, item)
    if move is Move.REDUCE and not 0 < order.amount_fen < item.open_fen:
        raise NotPossible("amount", move, item)
    if move is Move.CHOOSE and order.chosen and order.chosen not in item.alternatives:
        raise NotPossible("terms", move, item)
    if move is Move.SUBSTITUTE and not item.chosen:
        raise NotPossible("nothing_chosen", move, item)
    if move is Move.REASSIGN and order.person_id in (None, item.person_id):
        raise NotPossible("unchanged", move, item)


_Money = tuple[int, Pot, Pot]


def _money(item: Item, order: Order, state: State) -> _Money:
    """Say which money goes where: what closes an item takes all that is open, or what its settlement took."""
    if order.move is Move.REDUCE:
        return item.open_fen - order.amount_fen, Pot.OPEN, Pot.REDUCED
    if state.open or item.state is state:
        return 0, Pot.OPEN, Pot.OPEN
    if item.state.open:
        return item.open_fen, Pot.OPEN, Pot(state.value)
    return item.closed_fen, Pot(item.state.value), Pot(state.value)


def _paid(item: Item, money: _Money) -> Item:
    amount, source, target = money
    if source is not Pot.OPEN or target is Pot.OPEN:
        return item
    if target is Pot.REDUCED:
        return replace(item, open_fen=item.open_fen - amount, reduced_fen=item.reduced_fen + amount)
    return replace(item, open_fen=0, closed_fen=amount)


_BESIDE: Mapping[Move, Callable[[Item, Order], dict[str, Any]]] = MappingProxyType(
    {
        Move.NOTIFY: lambda _was, order: {"notified_at": order.at},
        Move.ACCEPT: lambda _was, order: {"accepted_at": order.at, "chosen": ""},
        Move.CHOOSE: lambda _was, order: {"chosen": order.chosen},
        Move.EVIDENCE: lambda was, _order: {"evidence": was.evidence + 1},
        Move.APPEAL: lambda was, order: {"before": was.state, "appealed_at": order.at},
        Move.RESUME: lambda _was, _order: {"before": None, "appealed_at": None},
        Move.REDUCE: lambda _was, _order: {"before": None, "appealed_at": None},
        Move.FREEZE: lambda _was, _order: {"frozen": True},
        Move.RESTORE: lambda _was, _order: {"frozen": False},
        Move.REMIND: lambda was, _order: {"reminded": was.reminded + 1},
        Move.OVERDUE: lambda _was, _order: {"overdue": True},
        Move.REASSIGN: lambda was, order: {"person_id": order.person_id or was.person_id},
    }
)
"""What a move changes of an item besides its state, its money and its clocks."""


def _changed(item: Item, was: Item, order: Order) -> Item:
    beside = _BESIDE.get(order.move)
    return item if beside is None else replace(item, **beside(was, order))


def _clocked(item: Item, was: Item, order: Order) -> Item:
    """Give the item with its clocks: they stand while it is frozen or appealed, and begin anew with each notice."""
    if not item.state.open:
        closed_at = item.closed_at if was.state is item.state else order.at
        return replace(
            item,
            frozen=False,
            before=None,
            deadline=None,
            stopped_at=None,
            appealed_at=None,
            closed_at=closed_at,
        )
    if order.move is Move.APPROVE:
        item = replace(item, deadline=None)
    if order.move in (Move.NOTIFY, Move.REDUCE):
        due = order.at + timedelta(days=item.due_days)
        item = replace(item, deadline=due, stopped_at=None, reminded=0, overdue=False)
    if item.frozen or item.state is State.APPEALED:
        return replace(item, stopped_at=item.stopped_at or order.at)
    if item.stopped_at is None:
        return item
    deadline = item.deadline and item.deadline + (order.at - item.stopped_at)
    return replace(item, deadline=deadline, stopped_at=None)


def _entry(item: Item, order: Order, key: str, money: _Money) -> Entry:
    amount, source, target = money
    return Entry(
        case_id=item.case_id,
        number=item.entries,
        key=key,
        group_id=item.group_id,
        person_id=item.person_id,
        move=order.move,
        state=item.state,
        actor=order.actor,
        at=order.at,
        note=order.note,
        amount_fen=amount,
        source=source,
        target=target,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a journal comes to.

    Args:
        pots: pot → fen; what is `outside` is what was entered, as a negative number, so that all add up to 0.
        states: item → where it stands by its last line.
        owners: item → whose it is by its last line.
    """

    pots: Mapping[Pot, int] = field(default_factory=dict[Pot, int])
    states: Mapping[int, State] = field(default_factory=dict[int, State])
    owners: Mapping[int, PersonId] = field(default_factory=dict[int, PersonId])


def replayed(entries: Iterable[Entry]) -> Balance:
    """Add a journal up, line by line in order."""
    pots = dict.fromkeys(Pot, 0)
    states: dict[int, State] = {}
    owners: dict[int, PersonId] = {}
    for entry in entries:
        pots[entry.source] -= entry.amount_fen
        pots[entry.target] += entry.amount_fen
        states[entry.case_id] = entry.state
        owners[entry.case_id] = entry.person_id
    return Balance(pots=pots, states=states, owners=owners)


def is_lawful(entries: Iterable[Entry]) -> bool:
    """Say whether the lines of ONE item, in order, follow the table from its opening on."""
    state: State | None = None
    before: State | None = None
    for number, entry in enumerate(entries, start=1):
        way = TABLE[entry.move]
        first = entry.move is Move.PROPOSE
        if entry.number != number or first != (state is None):
            return False
        if state is not None and state not in way.starts:
            return False
        wanted = before if entry.move is Move.RESUME else way.ends or state
        if entry.state is not wanted:
            return False
        before = state if entry.move is Move.APPEAL else before
        state = entry.state
    return True


def late_for_approval(item: Item, now: datetime) -> bool:
    """Say whether a proposal waited longer than it may; a clock that stands runs out for nobody."""
    return item.state is State.PROPOSED and _passed(item, now)


def unanswered(item: Item, now: datetime) -> bool:
    """Say whether an appeal has waited for its decision longer than it may, be the person in the group or not."""
    return item.appealed_at is not None and now - item.appealed_at >= DECIDE_WITHIN


def is_overdue(item: Item, now: datetime) -> bool:
    """Say whether the person's time is up."""
    return item.state in TOLD and _passed(item, now)


def is_lapsed(item: Item, now: datetime) -> bool:
    """Say whether nobody answered for so long that the item is let go; one that was accepted never is."""
    if not item.lapse_days or item.state not in (State.NOTIFIED, State.REDUCED) or item.chosen:
        return False
    return _passed(item, now - timedelta(days=item.lapse_days))


def reminders_due(item: Item, now: datetime, days: Iterable[int]) -> int:
    """Say how many reminders should have been sent by now.

    Args:
        item: which.
        now: when it is.
        days: how many days before the deadline to remind.
    """
    if item.state not in TOLD or item.deadline is None or item.stopped_at is not None:
        return 0
    deadline = item.deadline
    return sum(now >= deadline - timedelta(days=before) for before in days)


def _passed(item: Item, now: datetime) -> bool:
    """Exactly at the deadline is still in time (G4)."""
    return item.deadline is not None and item.stopped_at is None and now > item.deadline
