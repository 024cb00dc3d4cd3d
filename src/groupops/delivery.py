"""Where stored actions wait for their turn at a platform, off the road of facts: one lane per group, at its pace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal, Protocol

from groupops.actions import (
    Action,
    Announce,
    AskStewards,
    Capability,
    DecideJoin,
    DeleteMessage,
    DirectMessage,
    InDoubt,
    Mute,
    MuteAll,
    Receipt,
    RemoveMember,
    RenameGroup,
    SendText,
    SetCard,
    Throttled,
    Unmute,
    Unreachable,
)
from groupops.clock import Clock
from groupops.errors import StoreError
from groupops.pace import LONGEST, MESSAGES, SLOW, Pacer, Pacers, said_in_group
from groupops.people import GroupId
from groupops.platform import Platform
from groupops.plugin import Log
from groupops.records import OutboxRow

DEPTH = 1000
"""Rows one platform may have waiting in memory; what is more waits in the record."""

AT_ONCE = 8
"""Calls that are out at one platform at the same time."""

LOOK_AHEAD = 256
"""Rows of a lane that are looked at for one whose turn it is."""

TOGETHER = 10
"""Texts that go as one at most."""

TOGETHER_CHARS = 800
"""Characters of texts that go as one at most."""

Track = Literal["core", "quick", "slow"]
"""What a row occupies while it is in hand; a group has one row of each in hand at most."""


class Performer(Protocol):
    """Who claims rows, carries them out and writes what became of them: the outbox."""

    def calls(self, row: OutboxRow) -> bool:
        """Say whether carrying a row out means asking its platform now."""
        ...

    async def deliver(
        self, rows: Sequence[OutboxRow], *, claimed: bool = False
    ) -> Sequence[tuple[OutboxRow, Receipt]]:
        """Carry out rows whose turn has come; several are texts that go as one."""
        ...

    def is_away(self, group_id: GroupId) -> bool:
        """Say whether nobody is there now who could do anything in a group."""
        ...

    def is_worth_waiting(self, row: OutboxRow) -> bool:
        """Say whether a row that cannot be sent now is worth sending later."""
        ...

    def wake(self) -> None:
        """Look into the record soon: there is room again for what waits there."""
        ...


@dataclass(slots=True)
class Passed:
    """What has passed, as plain numbers.

    Args:
        carried: rows that had their turn.
        joined: texts that went with another one.
        throttled: answers by which a platform asked for patience.
        left: rows that found no place and were left to the record.
        failed: rows whose turn ended in an error of ours; they wait in the record.
        waited_s: seconds rows waited for their turn, all together.
    """

    carried: int = 0
    joined: int = 0
    throttled: int = 0
    left: int = 0
    failed: int = 0
    waited_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Item:
    """A row in a lane; `touches` is what it may not overtake, `not_before` when the platform wants to be asked again."""

    row: OutboxRow
    since: datetime
    touches: frozenset[str]
    rank: int
    track: Track
    claimed: bool = False
    not_before: datetime | None = None


@dataclass(slots=True, eq=False)
class _Door:
    """One platform: how many rows wait for it, how many are out, and which lanes wait for a free hand."""

    waiting: int = 0
    out: int = 0
    stalled: dict[GroupId, _Lane] = field(default_factory=dict[GroupId, "_Lane"])


@dataclass(slots=True, eq=False)
class _Lane:
    group_id: GroupId
    door: _Door
    waiting: list[_Item] = field(default_factory=list[_Item])
    in_hand: list[_Item] = field(default_factory=list[_Item])
    stalled: bool = False
    timer: asyncio.Task[None] | None = None
    timer_at: datetime | None = None


class Delivery:
    """Hands stored rows to the outbox's hands when their turn has come; several groups at once, each in order.

    A row keeps behind those that came before it if they come of the same fact or touch the same thing: two
    messages to a group, two measures against one member. All else may be overtaken: a recall goes before a
    text that waits for its pace, a card that takes a platform seconds holds up nobody. Nothing is claimed before its
    turn, so whatever is in here is still only *waiting* in the record: a stop or a crash loses nothing.
    While nobody is there who could carry them out, rows stay in the record for as long as they are worth it.

    Args:
        performer: the outbox.
        platforms: name → connection.
        clock: when it is.
        log: told of what goes wrong, without contents.
        pacers: how fast each platform may be used.
        depth: rows that may wait for one platform; the rest stays in the record and is fetched by `take`.
        at_once: calls that may be out at one platform.

    `lull` waits until no fact is on its way; who brings facts sets it, and None lets nobody go before.
    """

    def __init__(
        self,
        performer: Performer,
        platforms: Mapping[str, Platform],
        clock: Clock,
        log: Log,
        *,
        pacers: Pacers | None = None,
        depth: int = DEPTH,
        at_once: int = AT_ONCE,
    ) -> None:
        self.passed = Passed()
        self.lull: Callable[[], Awaitable[object]] | None = None
        self._performer = performer
        self._platforms = platforms
        self._clock = clock
        self._log = log
        self._pacers = pacers or Pacers()
        self._unpaced = Pacer()
        self._depth = depth
        self._at_once = at_once
        self._doors: dict[str, _Door] = {}
        self._lanes: dict[GroupId, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._held: set[int] = set()
        self._record = _AtRecord()
        self._due: dict[GroupId, None] = {}
        self._usher: asyncio.Task[None] | None = None
        self._deadline: datetime | None = None
        self._given_up = False

    # — what waits —

    @property
    def waiting(self) -> Mapping[str, int]:
        """Platform → rows that wait for it in memory."""
        return {name: door.waiting for name, door in self._doors.items()}

    @property
    def out(self) -> Mapping[str, int]:
        """Platform → calls that are out now."""
        return {name: door.out for name, door in self._doors.items()}

    @property
    def idle(self) -> bool:
        """True when nothing waits and nothing is out."""
        return not self._lanes

    def offer(self, rows: Iterable[OutboxRow], *, ahead: bool = False) -> None:
        """Put stored rows that are due into their lanes; call it on the loop, it waits for nothing.

        Args:
            rows: one that finds no place, or whose group has earlier ones in the record, is left to `take`.
            ahead: they follow from a row that had its turn, and go before what waits.
        """
        if self._deadline is not None:
            return
        fresh = [row for row in rows if row.id not in self._held]
        for row in reversed(fresh) if ahead else fresh:
            self._record.newest = max(self._record.newest, row.id)
            if ahead or self._has_place(row):
                self._put(row, ahead=ahead)
            else:
                self.passed.left += 1
                self._record.left[row.group_id] = row.id
        self._see_to(row.group_id for row in fresh)

    def resume(self, row: OutboxRow) -> None:
        """Go on with a row that was claimed before and whose turn was cut off."""
        self._put(row, ahead=True, claimed=True)
        self._see_to((row.group_id,))

    def look(self, *, anew: bool) -> None:
        """Say that the record is about to be read, from the beginning with `anew`."""
        self._record.gone.clear()
        if anew:
            self._record.begin()

    def take(self, rows: Iterable[OutboxRow], *, last: bool) -> int:
        """Take waiting rows as they were just read, oldest first; what is here already is known.

        Args:
            rows: a page of them.
            last: True when there are no more behind these.

        Returns:
            How many found a place.
        """
        if self._deadline is not None:
            return 0
        taken: list[OutboxRow] = []
        away: dict[GroupId, bool] = {}
        for row in rows:
            if row.id in self._held or row.id in self._record.gone:
                continue
            if self._stays(row, away):
                self._record.stay(row)
            else:
                self._put(row)
                taken.append(row)
        if last:
            self._record.end()
        self._see_to(row.group_id for row in taken)
        return len(taken)

    async def give_way(self) -> None:
        """Let facts go before what is to be written of a row, unless the process is stopping.

        Whoever wrote in a group waits for the one; for the other nobody does.
        """
        if self.lull is not None and self._deadline is None:
            await self.lull()

    async def settled(self) -> None:
        """Wait until nothing waits and nothing is out."""
        await self._idle.wait()

    async def stop(self, within: float) -> int:
        """Take no more rows; let those have their turn that come to it in time, and leave the rest to the record.

        Args:
            within: seconds to wait at most; a call that is out longer is given up, and is in doubt at the next start.

        Returns:
            How many calls were given up.
        """
        if self._deadline is None:
            self._deadline = self._clock.now() + timedelta(seconds=within)
        if self._usher is not None:
            self._usher.cancel()
        for lane in list(self._lanes.values()):
            self._dispatch(lane)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), within)
        self._given_up = True
        given_up = list(self._tasks)
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        for lane in list(self._lanes.values()):
            self._put_down(lane)
        return len(given_up)

    # — places —

    def _stays(self, row: OutboxRow, away: dict[GroupId, bool]) -> bool:
        """Say whether a row that was read stays in the record for now; `away` is what was found of its kind before."""
        if self._door(row.group_id).waiting >= self._depth:
            return True
        if _track(row.action) == "core":
            return False  # a ticket needs no platform
        if row.group_id not in away:
            away[row.group_id] = self._performer.is_away(row.group_id)
        if away[row.group_id]:
            return self._performer.is_worth_waiting(row)
        return row.group_id in self._record.behind

    def _door(self, group_id: GroupId) -> _Door:
        return self._doors.setdefault(group_id.partition(":")[0], _Door())

    def _has_place(self, row: OutboxRow) -> bool:
        """Say whether a row may wait here; a recall may even when it is crowded, for tomorrow it is worth nothing."""
        crowd = self._door(row.group_id).waiting
        if isinstance(row.action, DeleteMessage):
            return crowd < 2 * self._depth
        ahead = _track(row.action) == "core" or row.group_id not in self._record.left
        return crowd < self._depth and ahead

    def _put(self, row: OutboxRow, *, ahead: bool = False, claimed: bool = False) -> None:
        lane = self._lanes.get(row.group_id)
        if lane is None:
            lane = self._lanes[row.group_id] = _Lane(row.group_id, self._door(row.group_id))
            self._idle.clear()
        item = _Item(row, self._clock.now(), touches(row), _rank(row), _track(row.action), claimed)
        lane.waiting.insert(0 if ahead else len(lane.waiting), item)
        lane.door.waiting += 1
        self._held.add(row.id)

    def _leave(self, item: _Item) -> None:
        self._held.discard(item.row.id)
        self._record.gone.add(item.row.id)

    # — turns —

    def _see_to(self, group_ids: Iterable[GroupId]) -> None:
        """See which rows of some lanes may go: when no fact is on its way, or at once where nobody is let go before."""
        due = dict.fromkeys(group_ids)
        if self.lull is None or self._deadline is not None:
            for group_id in due:
                self._look_into(group_id)
            return
        self._due.update(due)
        if self._due and self._usher is None:
            self._usher = asyncio.get_running_loop().create_task(self._see_to_one_by_one())

    async def _see_to_one_by_one(self) -> None:
        try:
            while self._due:
                await self.give_way()
                group_id = next(iter(self._due))
                del self._due[group_id]
                self._look_into(group_id)
        finally:
            self._usher = None

    def _look_into(self, group_id: GroupId) -> None:
        lane = self._lanes.get(group_id)
        if lane is not None:
            self._dispatch(lane)

    def _dispatch(self, lane: _Lane) -> None:
        """Start whatever of a lane may go now, and be woken when the next may."""
        if self._given_up:
            return
        lane.stalled = False
        while True:
            now = self._clock.now()
            item, at = self._next(lane, now)
            if item is None:
                break
            self._start(lane, item, now)
        if at is not None and self._deadline is not None and at > self._deadline:
            at = None
        self._set_timer(lane, at)
        if lane.stalled:
            lane.door.stalled.setdefault(lane.group_id, lane)  # whoever waits already keeps its place
            return
        lane.door.stalled.pop(lane.group_id, None)
        if at is None and not lane.in_hand:
            self._put_down(lane)

    def _next(self, lane: _Lane, now: datetime) -> tuple[_Item | None, datetime | None]:
        """Give the row whose turn it is, or when there may be one."""
        before = frozenset[str]().union(*(item.touches for item in lane.in_hand))
        busy = {item.track for item in lane.in_hand}
        best: _Item | None = None
        soonest: datetime | None = None
        for item in islice(lane.waiting, LOOK_AHEAD):
            free = before.isdisjoint(item.touches)
            before |= item.touches
            if not free or item.track in busy:
                continue
            ready = self._ready_at(lane, item, now)
            if ready is None:
                continue
            if ready > now:
                soonest = ready if soonest is None else min(soonest, ready)
            elif best is None or item.rank < best.rank:
                best = item
        return best, soonest

    def _ready_at(self, lane: _Lane, item: _Item, now: datetime) -> datetime | None:
        """Give when a row may go as far as its platform is concerned; None while all hands are full."""
        ready = now if item.not_before is None else max(now, item.not_before)
        if item.track == "core" or not self._performer.calls(item.row):
            return ready
        if lane.door.out >= self._at_once:
            lane.stalled = True
            return None
        return max(ready, self._pacer(lane.group_id).ready_at(item.row.action, now))

    def _start(self, lane: _Lane, item: _Item, now: datetime) -> None:
        calls = item.track != "core" and self._performer.calls(item.row)
        together = self._with(lane, item, now) if calls else [item]
        for one in together:
            lane.waiting.remove(one)
            lane.door.waiting -= 1
            self.passed.waited_s += (now - one.since).total_seconds()
        lane.in_hand += together
        if calls:
            lane.door.out += 1
            self._pacer(lane.group_id).take(item.row.action, now)
        task = asyncio.get_running_loop().create_task(self._carry(lane, together, calls=calls))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, lane: _Lane, items: Sequence[_Item], *, calls: bool) -> None:
        results: Sequence[tuple[OutboxRow, Receipt]] = ()
        try:
            rows = [item.row for item in items]
            results = await self._performer.deliver(rows, claimed=items[0].claimed)
        except StoreError as error:
            self.passed.failed += len(items)
            self._log.warning("could not be claimed, waits in the record", error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one row that fails must not stop those behind it
            self.passed.failed += len(items)
            self._log.warning("delivery failed", kind=items[0].row.action.kind, error=type(error).__name__)
        finally:
            self._done(lane, items, {row.id: receipt for row, receipt in results}, calls=calls)

    def _done(
        self, lane: _Lane, items: Sequence[_Item], receipts: Mapping[int, Receipt], *, calls: bool
    ) -> None:
        self.passed.carried += len(items)
        self.passed.joined += len(items) - 1
        for item in items:
            lane.in_hand.remove(item)
            self._leave(item)
        if calls:
            lane.door.out -= 1
        for item in reversed(items):
            receipt = receipts.get(item.row.id)
            if isinstance(receipt, Throttled):
                self._slow_down(lane, item, receipt)
        self._let_in(lane.door)
        if lane.waiting:
            self._see_to((lane.group_id,))
        else:
            self._dispatch(lane)

    def _slow_down(self, lane: _Lane, item: _Item, receipt: Throttled) -> None:
        """Heed a platform that asks for patience; the row keeps its place before those behind it.

        One that is to wait for long waits in the record, where it holds up nobody.
        """
        self.passed.throttled += 1
        now = self._clock.now()
        self._pacer(lane.group_id).throttled(item.row.action, receipt.retry_after, now)
        if self._deadline is not None or receipt.retry_after > LONGEST:
            return
        again = now + receipt.retry_after
        kept = item.row.receipt if isinstance(item.row.receipt, InDoubt) else receipt
        row = replace(item.row, receipt=kept, not_before=again)
        self._put(row, ahead=True)
        self._lanes[row.group_id].waiting[0].not_before = again

    def _let_in(self, door: _Door) -> None:
        """Give a free hand to the lanes that wait for one, the longest first, and have the record looked into."""
        while door.stalled and door.out < self._at_once:
            group_id = next(iter(door.stalled))
            self._dispatch(door.stalled.pop(group_id))
        if self._record.left and door.waiting <= self._depth // 2:
            self._performer.wake()

    # — timers and ends —

    def _set_timer(self, lane: _Lane, at: datetime | None) -> None:
        if lane.timer is not None:
            if at is not None and lane.timer_at is not None and lane.timer_at <= at:
                return  # it looks again then
            lane.timer.cancel()
            lane.timer = lane.timer_at = None
        if at is not None:
            lane.timer_at = at
            lane.timer = asyncio.get_running_loop().create_task(self._wake(lane, at))

    async def _wake(self, lane: _Lane, at: datetime) -> None:
        await self._clock.sleep((at - self._clock.now()).total_seconds())
        lane.timer = lane.timer_at = None
        self._see_to((lane.group_id,))

    def _put_down(self, lane: _Lane) -> None:
        """End a lane in which nothing can go any more; what waits in it waits in the record."""
        self._set_timer(lane, None)
        for item in lane.waiting:
            lane.door.waiting -= 1
            self._leave(item)
        lane.waiting.clear()
        self._lanes.pop(lane.group_id, None)
        if not self._lanes:
            self._idle.set()

    # — pace —

    def _pacer(self, group_id: GroupId) -> Pacer:
        platform = self._platforms.get(group_id.partition(":")[0])
        return self._unpaced if platform is None else self._pacers.of(platform)

    def _with(self, lane: _Lane, first: _Item, now: datetime) -> list[_Item]:
        """Give a row with those that go with it as one text, where the platform's pace says so."""
        pace = self._pacer(lane.group_id).pace
        if not pace.merge or not self._may_join(first, now, pace.merge_after):
            return [first]
        joined, chars = [first], len(_text(first))
        before = frozenset[str]().union(*(item.touches for item in lane.in_hand))
        for item in lane.waiting:
            if item is first:
                continue
            same = _addressee(item.row.action) == _addressee(first.row.action)
            chars += len(_text(item)) if same else 0
            full = chars > TOGETHER_CHARS or len(joined) >= TOGETHER
            if same and (full or not self._may_join(item, now, pace.merge_after) or before & item.touches):
                break
            if same:
                joined.append(item)
            else:
                before |= item.touches
        return joined

    def _may_join(self, item: _Item, now: datetime, after: timedelta) -> bool:
        """Say whether a text has waited long enough and asks for nothing that two texts cannot share.

        Where keys are honoured nothing is joined: a text whose answer was lost is repeated there under its
        own key, of which the platform then knows nothing.
        """
        action = item.row.action
        if not isinstance(action, (SendText, DirectMessage)) or action.options or action.subject:
            return False
        platform = self._platforms.get(item.row.group_id.partition(":")[0])
        keys = platform is not None and Capability.DEDUPE_SENDS in platform.can(item.row.group_id)
        unsent = item.row.receipt is None or isinstance(item.row.receipt, (Unreachable, Throttled))
        return not keys and unsent and not item.claimed and now - item.since >= after


@dataclass(slots=True)
class _AtRecord:
    """What is known of the rows that wait in the record only.

    Args:
        newest: the highest number of a row that was ever offered.
        left: group → the newest row of it that found no place; nothing newer of it goes before.
        behind: groups of which rows were left where they are, in the reading that is going on.
        gone: rows that had their turn since the record was last read: what was read of them is old.
        until: `newest` when the reading began.
    """

    newest: int = 0
    left: dict[GroupId, int] = field(default_factory=dict[GroupId, int])
    behind: set[GroupId] = field(default_factory=set[GroupId])
    gone: set[int] = field(default_factory=set[int])
    until: int = 0

    def begin(self) -> None:
        """A reading begins."""
        self.behind.clear()
        self.until = self.newest

    def stay(self, row: OutboxRow) -> None:
        """A row was read and left where it is: nothing newer of its group goes before it."""
        self.behind.add(row.group_id)
        self.newest = max(self.newest, row.id)
        self.left[row.group_id] = max(row.id, self.left.get(row.group_id, 0))

    def end(self) -> None:
        """It has come to the end: groups of which nothing was left behind are whole here again."""
        self.left = {
            group_id: row_id
            for group_id, row_id in self.left.items()
            if group_id in self.behind or row_id > self.until
        }


# — what a row is —

_URGENT = (DeleteMessage, Mute, Unmute, MuteAll)
"""What is worth little when it comes late."""


def _rank(row: OutboxRow) -> int:
    if isinstance(row.action, _URGENT) or row.purpose == "contain":
        return 0
    return 2 if isinstance(row.action, SLOW) else 1


def _track(action: Action) -> Track:
    if isinstance(action, AskStewards):
        return "core"
    return "slow" if isinstance(action, SLOW) else "quick"


def touches(row: OutboxRow) -> frozenset[str]:
    """Give what a row shares with others whose order matters: its fact, and what it says or does something to."""
    fact = f"fact:{row.event_id.partition('#')[0]}"
    return frozenset((fact, *_targets(row.action)))


def _targets(action: Action) -> tuple[str, ...]:
    match action:
        case AskStewards():
            return ()
        case DeleteMessage():
            return (f"message:{action.message_id}",)
        case Mute() | Unmute() | RemoveMember() | SetCard() | DecideJoin():
            return (f"member:{action.account}",)
        case MuteAll() | RenameGroup() | Announce():
            return (action.kind,)
        case _:
            return (_addressee(action),)


def _addressee(action: Action) -> str:
    """Give to whom a message goes: the group, or one account; empty for what is no message."""
    if not isinstance(action, MESSAGES):
        return ""
    return "group" if said_in_group(action) else f"to:{getattr(action, 'account', '')}"


def _text(item: _Item) -> str:
    return str(getattr(item.row.action, "text", ""))
