"""Carries actions out: stored first, performed at least once, degraded where a platform cannot, never forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from groupops.actions import (
    Action,
    Announce,
    AskStewards,
    Capability,
    DecideJoin,
    DeleteMessage,
    DirectMessage,
    Done,
    Gone,
    Impossible,
    InDoubt,
    Mute,
    MuteAll,
    ReadCheckIns,
    Receipt,
    Refused,
    Rehearsed,
    RemoveMember,
    RenameGroup,
    Reply,
    SendCard,
    SendFile,
    SendImage,
    SendText,
    SetCard,
    Throttled,
    Unmute,
    Unreachable,
    UpdateCard,
    without_words,
)
from groupops.clock import Clock
from groupops.directory import PeopleBook
from groupops.errors import StoreError, Unstorable
from groupops.people import AccountId, GroupId, platform_of
from groupops.platform import Attended, Carries, Platform, Whispers, watched, whispering
from groupops.plugin import Log, Texts
from groupops.records import (
    Asking,
    Audit,
    Besides,
    OutboxRow,
    OutboxState,
    Purpose,
    Records,
    Ticket,
    receipt_of,
)

MAX_ATTEMPTS = 8
"""Tries before an action whose answers are lost again and again is shown to a human."""

KEEP = timedelta(hours=24)
"""How long an action that cannot be sent is worth sending, unless the operator says otherwise."""

LEAST_KEEP = timedelta(minutes=10)
"""How long it is at least, whatever it is."""

LONGEST_PAUSE = timedelta(minutes=2)
"""Time between two tries of what cannot be sent, at most."""

PATIENCE_S = 30.0
"""Seconds a platform may take to answer; a hung connection holds up no other action of a group for longer."""

BACKOFF = timedelta(seconds=2)
"""Wait after the first failed try; doubles with each."""

_SHOWN = 200
"""Characters of a database's own words that are logged."""

PAGE = 200
"""Rows that are read from the record at once."""

PAGES = 5
"""Pages that one pass of the pump reads at most; the next goes on behind them."""

Settled = Callable[[OutboxRow, Receipt], Awaitable[None]]
"""Told of every final receipt: ledgers, metrics."""

Noted = Callable[[OutboxRow, Receipt], Audit | None]
"""Gives the line of audit that is written with a final receipt, if there is to be one."""


class Deliveries(Protocol):
    """Where rows wait for their turn off the road of facts; see `groupops.delivery`."""

    def offer(self, rows: Iterable[OutboxRow], *, ahead: bool = False) -> None:
        """Put stored rows that are due into their lanes."""
        ...

    def resume(self, row: OutboxRow) -> None:
        """Go on with a row that was claimed before."""
        ...

    def look(self, *, anew: bool) -> None:
        """Say that the record is about to be read."""
        ...

    def take(self, rows: Iterable[OutboxRow], *, last: bool) -> int:
        """Take waiting rows as they were just read; gives how many found a place."""
        ...

    async def give_way(self) -> None:
        """Let facts go before what is to be written of a row."""
        ...


def stand_ins(action: Action, called: Callable[[AccountId], str], texts: Texts) -> tuple[Action, ...]:
    """Give what stands in for an action that cannot be done: its capability chain (`architecture.md` §6).

    Args:
        action: what cannot be done.
        called: how to address an account.
        texts: the core's texts.

    Returns:
        The next links; empty when the chain ends.
    """
    group = action.group_id
    match action:
        case DeleteMessage():
            asked = (
                (
                    SendText(
                        group_id=group,
                        text=texts("chain.recall", name=called(action.account)),
                        mentions=(action.account,),
                    ),
                )
                if action.account
                else ()
            )
            return (*asked, _ticket(action, texts("ticket.recall", name=_name(action.account, called))))
        case Mute():
            reminder = SendText(
                group_id=group,
                text=texts("chain.mute", name=called(action.account)),
                mentions=(action.account,),
            )
            minutes = int(action.span.total_seconds() // 60)
            return (
                reminder,
                _ticket(action, texts("ticket.mute", name=called(action.account), minutes=minutes)),
            )
        case Unmute():
            return (_ticket(action, texts("ticket.unmute", name=called(action.account))),)
        case MuteAll():
            return (
                SendText(group_id=group, text=texts("chain.mute_all" if action.on else "chain.unmute_all")),
            )
        case RemoveMember():
            return (
                _ticket(action, texts("ticket.remove", name=called(action.account), reason=action.reason)),
            )
        case SetCard():
            said = texts("chain.card", name=called(action.account), card=action.card)
            return (DirectMessage(group_id=group, account=action.account, text=said, neutral=said),)
        case RenameGroup():
            return (_ticket(action, texts("ticket.rename", name=action.name)),)
        case DecideJoin():
            key = "ticket.accept" if action.accept else "ticket.refuse"
            return (_ticket(None, texts(key, name=called(action.account), reason=action.reason), group),)
        case DirectMessage() if action.neutral and _same(action.account, group):
            return (SendText(group_id=group, text=action.neutral, mentions=(action.account,)),)
        case _:
            return _plainer(action)


def _plainer(action: Action) -> tuple[Action, ...]:
    """Say the same thing by plainer means; what passes, passes by those too."""
    group = action.group_id
    passing: bool = getattr(action, "passing", False)
    match action:
        case Reply():
            mentions = (action.account,) if action.account else ()
            return (SendText(group_id=group, text=action.text, mentions=mentions, passing=passing),)
        case SendCard() if action.account:
            return (
                DirectMessage(
                    group_id=group,
                    account=action.account,
                    text=_card_text(action),
                    options=action.options,
                    subject=action.subject,
                ),
            )
        case SendCard():
            return (
                SendText(
                    group_id=group, text=_card_text(action), options=action.options, subject=action.subject
                ),
            )
        case UpdateCard():
            return (SendText(group_id=group, text=f"{action.title}\n{action.text}"),)
        case Announce():
            return (SendText(group_id=group, text=action.text),)
        case SendImage() if action.caption and action.account:
            return (
                DirectMessage(group_id=group, account=action.account, text=action.caption, passing=passing),
            )
        case SendImage() if action.caption:
            return (SendText(group_id=group, text=action.caption, passing=passing),)
        case SendFile() if action.account:
            text = action.text or action.name
            return (DirectMessage(group_id=group, account=action.account, text=text, passing=passing),)
        case SendFile():
            return (SendText(group_id=group, text=action.text or action.name, passing=passing),)
        case _:
            return ()


def _card_text(card: SendCard) -> str:
    words = "  ".join(f"「{option.word}」" for option in card.options)
    return "\n".join(part for part in (card.title, card.text, words) if part)


def _name(account: AccountId | None, called: Callable[[AccountId], str]) -> str:
    return called(account) if account else ""


def _ticket(
    wanted: DeleteMessage | Mute | Unmute | MuteAll | RemoveMember | SetCard | RenameGroup | None,
    text: str,
    group_id: GroupId | None = None,
) -> AskStewards:
    group = wanted.group_id if wanted is not None else group_id
    assert group is not None  # noqa: S101 - a ticket without a wanted action is given its group
    return AskStewards(group_id=group, text=text, wanted=wanted)


@dataclass(frozen=True, slots=True)
class _Desks:
    """Where a group's stewards can be written to now.

    Args:
        here: their accounts on the group's own platform.
        consoles: their accounts at consoles, where words of several groups are read.
        neutral: True when nobody may read it soon, so that the group is told that there is something to see to.
        called: the group's name for the consoles.
    """

    here: Sequence[AccountId]
    consoles: Sequence[AccountId]
    neutral: bool
    called: str


@dataclass(slots=True)
class Outbox:
    """Performs stored actions and writes what became of them.

    Args:
        records: where the rows are.
        clock: when it is.
        people: whom to address and who the stewards are.
        platforms: platform name → its connection.
        texts: the core's texts.
        log: told of what goes wrong, without contents.
        settled: told of every final receipt.
        noted: gives the line of audit for a final receipt.
        rehearse: True where nothing may reach a platform: every action is `Rehearsed`.
        patience: seconds a platform may take; then its answer counts as lost, and the next action has its turn.
        delivery: where rows wait for their turn, so that no fact waits for a platform; without it every action
            is performed on the spot, in order, which is how scenarios, rehearsals and tests repeat themselves.
        keep: how long an action that cannot be sent is worth sending; see `useful_until`.
    """

    records: Records
    clock: Clock
    people: PeopleBook
    platforms: Mapping[str, Platform]
    texts: Texts
    log: Log
    settled: Settled | None = None
    noted: Noted = lambda _row, _receipt: None
    rehearse: bool = False
    patience: float = PATIENCE_S
    delivery: Deliveries | None = None
    keep: timedelta = KEEP
    _cursor: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _owed: list[tuple[OutboxRow, Receipt | None]] = field(
        default_factory=list[tuple[OutboxRow, Receipt | None]]
    )

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        """Give what the group's platform is able to do now; nothing when it is not connected."""
        platform = self.platforms.get(group_id.partition(":")[0])
        return frozenset() if platform is None else platform.can(group_id)

    async def send(self, rows: Sequence[OutboxRow]) -> tuple[tuple[OutboxRow, Receipt], ...]:
        """Perform rows that are due now, in order, and whatever stands in for those that cannot be done.

        Args:
            rows: stored rows; one that waits for later is left to `pump`, one that was settled as it was stored
                is only told.

        Returns:
            Each row that was tried, with its receipt; where rows are delivered in their own time, only the settled.
        """
        now = self.clock.now()
        results = [(row, row.receipt) for row in rows if row.state.final and row.receipt is not None]
        if results and self.settled is not None:
            for row, receipt in results:
                await self._tell_settled(row, receipt)
        waiting = [row for row in rows if not row.state.final] if results else rows
        ready = [row for row in waiting if row.not_before is None or row.not_before <= now]
        if len(ready) < len(waiting):
            self._wake.set()
        if not ready:
            return tuple(results)
        if self.delivery is not None:
            self.delivery.offer(ready)
            return tuple(results)
        claimed = await self._claimed(ready)
        for row in ready:
            if row.id in claimed:
                results += await self._in_turn(row)
        return tuple(results)

    async def _claimed(self, rows: Sequence[OutboxRow]) -> frozenset[int]:
        """Claim rows that are to be handed to a platform; gives the numbers of those that may be carried out.

        What takes no platform is not claimed: it is done and written down in one step.
        """
        own = frozenset(row.id for row in rows if self._takes_no_platform(row))
        handed = [row.id for row in rows if row.id not in own]
        return own | await self.records.performing(handed, self.clock.now()) if handed else own

    def _takes_no_platform(self, row: OutboxRow) -> bool:
        return isinstance(row.action, AskStewards) and not self.rehearse

    async def deliver(
        self, rows: Sequence[OutboxRow], *, claimed: bool = False
    ) -> tuple[tuple[OutboxRow, Receipt], ...]:
        """Claim rows whose turn has come and carry them out; for a delivery lane.

        Args:
            rows: one row, or texts that go as one.
            claimed: True for a row that was claimed before.

        Returns:
            The rows that were carried out, with their receipts; none that somebody cancelled meanwhile.

        Raises:
            StoreError: they could not be claimed, and wait in the record.
        """
        if not claimed:
            if self._owed:
                return ()  # the database went away: first what is owed to it, and `pump` comes back to these
            ours = await self._claimed(rows)
            rows = [row for row in rows if row.id in ours]
        if len(rows) > 1:
            return tuple(await self._carry_as_one(rows))
        results: list[tuple[OutboxRow, Receipt]] = []
        for row in rows:
            results += await self._in_turn(row)
        return tuple(results)

    async def _carry_as_one(self, rows: Sequence[OutboxRow]) -> list[tuple[OutboxRow, Receipt]]:
        """Say several texts as one; what is refused so is tried text by text."""
        one = replace(rows[0], action=joined([row.action for row in rows]))
        answer = await self._perform(one)
        receipt = None if isinstance(answer, (Refused, Impossible, Gone)) else answer
        results: list[tuple[OutboxRow, Receipt]] = []
        for row in rows:
            results += await self._carry(row, receipt)
        return results

    async def _in_turn(self, row: OutboxRow) -> list[tuple[OutboxRow, Receipt]]:
        """Carry out a claimed row, unless the database went away before its turn came: then it waits in memory."""
        if self._owed:
            self._owed.append((row, None))
            return []
        return await self._carry(row)

    async def _carry(self, row: OutboxRow, receipt: Receipt | None = None) -> list[tuple[OutboxRow, Receipt]]:
        """Carry out a claimed row and write down what became of it.

        Only this process knows what became of it until that is written, so a database that refuses is asked
        again by `pump`; one that cannot take it is given the bare end of it.
        """
        try:
            if isinstance(row.action, AskStewards) and self._takes_no_platform(row):
                return await self._ask(row, row.action)
            if receipt is None:
                receipt = await self._perform(row)
                if self.delivery is not None:
                    await self.delivery.give_way()
            state, stored = await self._write_down(row, receipt)
        except Unstorable as error:
            self.log.warning("outcome cannot be stored", kind=row.action.kind, error=str(error)[:_SHOWN])
            return await self._write_end(row, receipt)
        except StoreError as error:
            self.log.warning("outcome not written yet", kind=row.action.kind, error=type(error).__name__)
            self._owed.append((row, receipt))
            return []
        if state.final and self.settled is not None:
            await self._tell_settled(row, receipt)
        results = [(row, receipt)]
        if stored and self.delivery is not None:
            self.delivery.offer(stored, ahead=True)
        elif stored:
            results += await self.send(stored)
        return results

    async def _write_down(
        self, row: OutboxRow, receipt: Receipt
    ) -> tuple[OutboxState, tuple[OutboxRow, ...]]:
        """Write what became of a row; gives its state and the rows that follow."""
        state, not_before = self._state_after(row, receipt)
        if state is OutboxState.IN_DOUBT:
            await self._show_doubt(row)  # first, so that nothing is ever in doubt without being shown
        stored = await self.records.receipted(
            row.id,
            state,
            _kept(row, receipt),
            self.clock.now(),
            not_before=not_before,
            kept=_bare(row.action) if state.final else None,
            untried=isinstance(receipt, (Unreachable, Throttled)),
            besides=Besides(
                follow_up=self._follow(row, receipt) if state is OutboxState.FAILED else (),
                undo=self._undo(row) if state is OutboxState.DONE else (),
                noted=self.noted(row, receipt) if state.final else None,
            ),
        )
        if state is OutboxState.WAITING:
            self._wake.set()
        return state, stored

    async def _write_end(self, row: OutboxRow, receipt: Receipt | None) -> list[tuple[OutboxRow, Receipt]]:
        """Write that a row has come to its end, without what cannot be stored of it, and have a human look."""
        now = self.clock.now()
        unsure = OutboxState.IN_DOUBT if isinstance(receipt, InDoubt) else OutboxState.FAILED
        state = OutboxState.DONE if isinstance(receipt, Done) else unsure
        text = self.texts("ticket.unstorable", what=row.action.kind)
        key = f"unstorable/action/{row.id}"
        try:
            await self.records.receipted(row.id, state, None, now)
            await self.records.open_ticket(
                Ticket(group_id=row.action.group_id, text=text, key=key, opened_at=now)
            )
        except Unstorable as error:
            self.log.warning("nor can its end be", kind=row.action.kind, error=str(error)[:_SHOWN])
        except StoreError:
            self._owed.append((row, receipt))
            return []
        return [] if receipt is None else [(row, receipt)]

    def _undo(self, row: OutboxRow) -> tuple[OutboxRow, ...]:
        """Make what takes back a thing that is done, should its case have been taken out of force meanwhile."""
        if row.case_id is None or row.purpose not in ("contain", "step") or row.action.inverse is None:
            return ()
        return self.rows(
            f"{row.key}/back", "reversal", (row.action.inverse,), plugin=row.plugin, case_id=row.case_id
        )

    async def _tell_settled(self, row: OutboxRow, receipt: Receipt) -> None:
        assert self.settled is not None  # noqa: S101 - the caller looked
        try:
            await self.settled(row, receipt)
        except StoreError as error:
            # The outcome itself is written; a line of audit less must not keep the rest from being done.
            self.log.warning("outcome not told", kind=row.action.kind, error=type(error).__name__)

    def calls(self, row: OutboxRow) -> bool:
        """Say whether carrying a row out means asking its platform now."""
        return not isinstance(row.action, AskStewards) and self._without_asking(row) is None

    def is_away(self, group_id: GroupId) -> bool:
        """Say whether nobody is there now who could do anything in a group."""
        platform: object = self.platforms.get(group_id.partition(":")[0])
        if self.rehearse:
            return False
        if isinstance(platform, Attended):
            return not platform.attends(group_id)
        return platform is None or is_away(platform)

    def is_worth_waiting(self, row: OutboxRow) -> bool:
        """Say whether a row that cannot be sent now is worth sending later."""
        return self.clock.now() < useful_until(row, self._keep_of(row))

    def _keep_of(self, row: OutboxRow) -> timedelta:
        """Give how long a row is worth sending: where the other side has to write first, as long as its platform says."""
        quiet = self._whispers(row.group_id)
        return self.keep if quiet is None else quiet.keep()

    def _whispers(self, id_: str) -> Whispers | None:
        """Give the platform of an id, if it is one that has no groups."""
        return whispering(self.platforms.get(platform_of(id_)))

    def _without_asking(self, row: OutboxRow) -> Receipt | None:
        """Give the receipt of a row about which its platform need not be asked; None where it must be."""
        if self.rehearse:
            return Rehearsed()
        platform = self.platforms.get(row.group_id.partition(":")[0])
        if platform is None:
            # A private word to nobody has no road, and nobody will ever connect.
            nobody = Impossible(capability=Capability.DIRECT_MESSAGE)
            return Unreachable(why="not connected") if row.group_id else nobody
        if isinstance(row.receipt, InDoubt) and not self._repeatable(row):
            return Unreachable(why="not connected") if is_away(platform) else row.receipt
        needs = row.action.needs
        if (needs in platform.can(row.group_id) or _carries(platform, row.action)) and _reaches(
            platform, row.action
        ):
            return None
        # A bot that is away can do nothing, which says nothing of what it will be able to do.
        return Unreachable(why="not connected") if is_away(platform) else Impossible(capability=needs)

    async def _perform(self, row: OutboxRow) -> Receipt:
        known = self._without_asking(row)
        if known is not None:
            return known
        platform = self.platforms[row.group_id.partition(":")[0]]
        try:
            async with asyncio.timeout(self.patience):
                return await platform.perform(row.action, key=row.key)
        except TimeoutError:
            self.log.warning("platform did not answer", kind=row.action.kind)
            return InDoubt(why=f"no answer within {self.patience:g} s")
        except Exception as error:  # noqa: BLE001 - a platform that breaks its word must not lose the row
            self.log.warning("platform raised", kind=row.action.kind, error=type(error).__name__)
            return InDoubt(why=type(error).__name__)

    def _state_after(self, row: OutboxRow, receipt: Receipt) -> tuple[OutboxState, datetime | None]:
        """Say where a row stands after a receipt, and when to try again."""
        now = self.clock.now()
        tired = row.attempts + 1 >= MAX_ATTEMPTS
        match receipt:
            case Done():
                return OutboxState.DONE, None
            case Rehearsed():
                return OutboxState.REHEARSED, None
            case Refused() | Impossible() | Gone():
                return OutboxState.FAILED, None
            case Throttled():
                return OutboxState.WAITING, now + receipt.retry_after
            case Unreachable():
                if now >= useful_until(row, self._keep_of(row)):
                    return OutboxState.FAILED, None
                return OutboxState.WAITING, now + self._pause(row, now)
            case InDoubt():
                if self._repeatable(row) and not tired:
                    return OutboxState.WAITING, now + self._backoff(row)
                return OutboxState.IN_DOUBT, None

    def _backoff(self, row: OutboxRow) -> timedelta:
        return BACKOFF * (1 << min(row.attempts, 6))

    def _pause(self, row: OutboxRow, now: datetime) -> timedelta:
        """Give how long to leave alone what could not be sent, the longer the older it is.

        A delivery holds it back itself while nobody is there, and hands it out as soon as somebody is.
        """
        if self.delivery is not None and self.is_away(row.group_id):
            return BACKOFF
        return min(max(BACKOFF, (now - row.created_at) / 2), LONGEST_PAUSE)

    def _repeatable(self, row: OutboxRow) -> bool:
        return row.action.repeatable or Capability.DEDUPE_SENDS in self.can(row.group_id)

    def _follow(self, row: OutboxRow, receipt: Receipt) -> tuple[OutboxRow, ...]:
        if isinstance(receipt, Gone):
            return ()
        group_id = row.action.group_id
        actions = self._elsewhere(row) or stand_ins(
            row.action, lambda account: self._called(group_id, account), self.texts
        )
        if isinstance(receipt, Unreachable):
            # Whatever else would be said or done there did not get through either; a ticket does.
            actions = tuple(action for action in actions if isinstance(action, AskStewards))
        if isinstance(row.action, MuteAll) and not isinstance(receipt, Impossible):
            # The group may be muted still, so telling it that the rest is over would be untrue.
            actions = (
                _ticket(row.action, self.texts("ticket.mute_all" if row.action.on else "ticket.unmute_all")),
            )
        if not actions and self._matters(row, receipt):
            actions = (
                AskStewards(group_id=group_id, text=self.texts("ticket.failed", what=row.action.kind)),
            )
        return self.rows(
            row.key, row.purpose, actions, plugin=row.plugin, case_id=row.case_id, instead_of=row.action.kind
        )

    def _matters(self, row: OutboxRow, receipt: Receipt) -> bool:
        """Say whether a human has to know that an action came to nothing.

        A member who was not told of a decision has to be told by somebody; where a platform can say nothing
        at all, the stewards know that already.
        """
        if isinstance(row.action, AskStewards):
            return False
        untold = row.purpose == "notice" and not isinstance(receipt, Impossible)
        return untold or row.purpose in ("contain", "step", "reversal")

    def rows(
        self,
        event_id: str,
        purpose: Purpose,
        actions: Iterable[Action],
        *,
        plugin: str = "",
        case_id: int | None = None,
        first: int = 0,
        not_before: datetime | None = None,
        instead_of: str = "",
    ) -> tuple[OutboxRow, ...]:
        """Make rows of actions, numbered from `first` for their fact; each goes by the road it has to take."""
        now = self.clock.now()
        return tuple(
            OutboxRow(
                event_id=event_id,
                index=first + index,
                group_id=road_of(action),
                action=action,
                purpose=purpose,
                plugin=plugin,
                case_id=case_id,
                not_before=not_before,
                created_at=now,
                degraded_from=instead_of,
            )
            for index, action in enumerate(actions)
        )

    def _called(self, group_id: GroupId, account: AccountId) -> str:
        return self.people.member(group_id, account).called

    # — stewards —

    async def _ask(self, row: OutboxRow, action: AskStewards) -> list[tuple[OutboxRow, Receipt]]:
        """Carry out `AskStewards`: a ticket in the record, and word to every steward who can be reached."""
        asking = self._asking(row, action, self._desks(row.group_id))
        asked = await self.records.asked(row, asking, self.clock.now())
        if asked is None:
            return []
        opened, told = asked
        receipt = receipt_of(opened)
        if self.settled is not None:
            await self._tell_settled(row, receipt)
        await self.send(told)
        return [(row, receipt)]

    def asking(self, group_id: GroupId) -> Callable[[OutboxRow], Asking | None] | None:
        """Give what says how rows that ask a group's stewards are carried out as they are booked; see `Booking`.

        Who can be reached is seen now; what is given is pure. None where nothing may reach anybody.
        """
        if self.rehearse:
            return None
        desks = self._desks(group_id)

        def asking(row: OutboxRow) -> Asking | None:
            return self._asking(row, row.action, desks) if isinstance(row.action, AskStewards) else None

        return asking

    def _asking(self, row: OutboxRow, action: AskStewards, desks: _Desks) -> Asking:
        ticket = Ticket(
            group_id=row.group_id,
            text=action.text,
            wanted=action.wanted,
            case_id=row.case_id,
            subject=action.subject,
            key=row.key,
            opened_at=self.clock.now(),
        )

        def words(opened: Ticket) -> tuple[OutboxRow, ...]:
            said = self._word_to_stewards(opened, action, desks)
            return self.rows(row.key, "steward", said, plugin=row.plugin)

        return Asking(ticket=ticket, words=words, noted=self.noted(row, Done()))

    async def tell_stewards(self, ticket: Ticket, event_id: str) -> tuple[tuple[OutboxRow, Receipt], ...]:
        """Tell the stewards of a ticket that is there already."""
        ask = AskStewards(group_id=ticket.group_id, text=ticket.text)
        words = self._word_to_stewards(ticket, ask, self._desks(ticket.group_id))
        told = await self.records.enqueue(self.rows(f"{event_id}/ticket:{ticket.id}", "steward", words))
        return await self.send(told) if told else ()

    def _word_to_stewards(self, ticket: Ticket, action: AskStewards, desks: _Desks) -> tuple[Action, ...]:
        """Make the words that tell those who can be reached of a ticket."""
        group_id = ticket.group_id
        text = action.text if action.subject else self._task(ticket, action)
        told: list[Action] = [
            DirectMessage(
                group_id=group_id,
                account=account,
                text=text,
                options=action.options,
                subject=action.subject,
            )
            for account in desks.here
        ]
        told += [
            DirectMessage(group_id=group_id, account=account, text=self._of_group(desks.called, text))
            for account in desks.consoles
        ]
        if desks.neutral:
            said = self.texts("steward.neutral", number=ticket.id)
            told.append(SendText(group_id=group_id, text=said))
        return tuple(told)

    def _task(self, ticket: Ticket, action: AskStewards) -> str:
        return self.texts("steward.task", number=ticket.id, text=action.text)

    def _of_group(self, called: str, text: str) -> str:
        """Say of which group a word is, to whoever reads words of several in one place."""
        return self.texts("steward.console", group=called, text=text)

    def _name_of(self, group_id: GroupId) -> str:
        group = self.people.group(group_id)
        return group.name if group is not None and group.name else group_id

    def _desks(self, group_id: GroupId) -> _Desks:
        """See where a group's stewards can be written to now: on its own platform, and at their consoles.

        Whoever has a console is written to there; on the group's platform too while the console is not open.
        """
        here: list[AccountId] = []
        consoles: list[AccountId] = []
        for account in self.people.stewards_of(group_id):
            own = self.consoles_of(account)
            consoles += own
            if not any(map(self._is_open, own)) and self._writes_to(group_id, account):
                here.append(account)
        neutral = not here and not any(map(self._is_open, consoles))
        neutral = neutral and Capability.SEND_TEXT in self.can(group_id)
        return _Desks(here, consoles, neutral, self._name_of(group_id) if consoles else "")

    def _writes_to(self, group_id: GroupId, account: AccountId) -> bool:
        platform = self.platforms.get(platform_of(group_id))
        if platform is None or not _same(account, group_id):
            return False
        able = Capability.DIRECT_MESSAGE in platform.can(group_id)
        return able and (is_away(platform) or platform.direct(account))

    def consoles_of(self, account: AccountId) -> list[AccountId]:
        """Give the accounts at which whoever has this one is written to as a steward."""
        person = self.people.person(account)
        own = {account, *(() if person is None else self.people.accounts(person.id))}
        return sorted(one for one in own if self._is_console(one))

    def _is_console(self, account: AccountId) -> bool:
        quiet = self._whispers(account)
        return quiet is not None and quiet.console and self.platforms[platform_of(account)].direct(account)

    def _is_open(self, account: AccountId) -> bool:
        quiet = self._whispers(account)
        return quiet is not None and quiet.open_to(account)

    def _elsewhere(self, row: OutboxRow) -> tuple[Action, ...]:
        """Give what says a private word at a steward's console, where it cannot be said on the group's platform."""
        action = row.action
        if not isinstance(action, DirectMessage) or not _same(action.account, action.group_id):
            return ()
        if row.purpose == "steward":
            return ()  # the consoles were told as well
        if not self.people.decides(action.group_id, action.account):
            return ()
        text = self._of_group(self._name_of(action.group_id), action.text)
        return tuple(
            DirectMessage(group_id=action.group_id, account=account, text=text, passing=action.passing)
            for account in self.consoles_of(action.account)
        )

    async def _show_doubt(self, row: OutboxRow) -> None:
        """Show a text that may or may not have arrived to a steward; it is never sent twice by itself."""
        await self.records.open_ticket(
            Ticket(
                group_id=row.action.group_id,
                text=self.texts("ticket.doubt", what=row.action.kind),
                case_id=row.case_id,
                key=f"doubt:{row.key}",
                opened_at=self.clock.now(),
            )
        )

    # — what waits —

    async def recover(self) -> int:
        """Take up what a stopped process left: rows handed to a platform whose receipt never came.

        Such a row is as one whose answer was lost. What that means is decided when its turn comes, for only a
        platform that is connected says whether it honours keys: it is repeated where that does no harm, else
        shown in doubt. For the one process that performs, once, before it performs anything.

        Returns:
            How many rows were found so.
        """
        found = await self.records.outbox(states=frozenset({OutboxState.PERFORMING}), limit=100_000)
        now = self.clock.now()
        for row in found:
            lost = InDoubt(why="stopped before the answer was kept")
            await self.records.receipted(row.id, OutboxState.WAITING, lost, now, not_before=now)
        return len(found)

    async def pump(self, limit: int = 200) -> int:
        """Write down what could not be written before, then perform waiting rows that are due.

        Returns:
            How many rows were tried, or found a place in the delivery.
        """
        caught_up = await self._catch_up()
        if self.delivery is not None:
            return caught_up + await self._feed(self.delivery)
        rows = await self.records.outbox(
            states=frozenset({OutboxState.WAITING}), due_by=self.clock.now(), limit=limit
        )
        return caught_up + len(await self.send(rows))

    async def _feed(self, delivery: Deliveries) -> int:
        """Show the delivery what waits in the record, page by page, so that no platform's crowd hides another's rows."""
        taken = 0
        for _ in range(PAGES):
            delivery.look(anew=self._cursor == 0)
            rows = await self.records.outbox(
                states=frozenset({OutboxState.WAITING}),
                due_by=self.clock.now(),
                limit=PAGE,
                after=self._cursor,
            )
            last = len(rows) < PAGE
            self._cursor = 0 if last else rows[-1].id
            taken += delivery.take(rows, last=last)
            if last:
                break
        return taken

    async def _catch_up(self) -> int:
        """Go on with claimed rows, in order, up to the first that the database still refuses."""
        owed, self._owed = self._owed, []
        done = 0
        for number, (row, receipt) in enumerate(owed):
            if receipt is None and self.delivery is not None:
                self.delivery.resume(row)
            else:
                await self._carry(row, receipt)
            if self._owed:
                self._owed += owed[number + 1 :]
                break
            done += 1
        return done

    async def run(self, every: float = 1.0) -> None:
        """Pump until stopped."""
        while not self._stopping:
            self._wake.clear()
            try:
                tried = await self.pump()
            except Exception as error:  # noqa: BLE001 - the loop must outlive a database that is away
                self.log.warning("outbox could not be pumped", error=type(error).__name__)
                tried = 0
            if not tried:
                await self._doze(every)

    async def _doze(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self.clock.sleep(seconds))
        waking = asyncio.ensure_future(self._wake.wait())
        _, pending = await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def wake(self) -> None:
        """Let `run` look into the record now rather than at its next turn."""
        self._wake.set()

    def stop(self) -> None:
        """Let `run` end after the pass it is in."""
        self._stopping = True
        self._wake.set()


def _bare(action: Action) -> Action | None:
    """Give what to keep of a message that passes; None keeps the action as it is."""
    bare = without_words(action)
    return None if bare is action else bare


def _kept(row: OutboxRow, receipt: Receipt) -> Receipt | None:
    """Give the receipt to keep; None keeps the former, for being unreachable now ends no doubt about before."""
    doubted = isinstance(row.receipt, InDoubt) and isinstance(receipt, (Unreachable, Throttled))
    return None if doubted else receipt


def is_away(platform: object) -> bool:
    """Say whether a platform says of itself that it is not connected; what it can do is then not known."""
    told = watched(platform)
    return told is not None and not told.health().connected


def useful_until(row: OutboxRow, keep: timedelta) -> datetime:
    """Say until when an action that could not be sent is worth sending.

    Args:
        row: the action; what contains somebody for a while is worth nothing after that while, and attendance is
            asked again soon, about whoever consents then.
        keep: how long anything is, counted from when it was decided.
    """
    if isinstance(row.action, ReadCheckIns):
        return row.created_at + min(keep, LEAST_KEEP)
    span = row.action.span if isinstance(row.action, Mute) and row.purpose == "contain" else keep
    return row.created_at + min(keep, max(span, LEAST_KEEP))


def _carries(platform: object, action: Action) -> bool:
    return isinstance(platform, Carries) and platform.carries(action)


def _reaches(platform: Platform, action: Action) -> bool:
    return not isinstance(action, DirectMessage) or platform.direct(action.account)


def _same(account: AccountId, group_id: GroupId) -> bool:
    return account.partition(":")[0] == group_id.partition(":")[0]


def road_of(action: Action) -> GroupId:
    """Give the group whose road an action takes; a private word to an account of another platform takes its own."""
    account: AccountId | None = getattr(action, "account", None)
    if not isinstance(action, (DirectMessage, SendImage, SendFile, SendCard)) or account is None:
        return action.group_id
    return action.group_id if _same(account, action.group_id) else GroupId(account)


def waiting_for_quiet(action: Action) -> bool:
    """Say whether an action is one of the bot's own unasked messages to a group, which quiet hours put off."""
    if isinstance(action, (SendImage, SendFile, SendCard)):
        return action.account is None
    return isinstance(action, (SendText, Announce))


def joined(actions: Sequence[Action]) -> Action:
    """Give one text that says what several say, to the same group or the same account, each on its own line."""
    first = actions[0]
    texts = [getattr(action, "text", "") for action in actions]
    if isinstance(first, DirectMessage):
        return replace(first, text="\n".join(texts), neutral="")
    assert isinstance(first, SendText)  # noqa: S101 - nothing else is joined
    mentions = [account for action in actions for account in getattr(action, "mentions", ())]
    return replace(first, text="\n".join(texts), mentions=tuple(dict.fromkeys(mentions)))


def without_repeats(rows: Sequence[OutboxRow]) -> tuple[OutboxRow, ...]:
    """Keep the first of equal actions, so that two rules asking the same thing do it once."""
    kept: dict[Action, OutboxRow] = {}
    for row in rows:
        kept.setdefault(row.action, row)
    return tuple(kept.values())
