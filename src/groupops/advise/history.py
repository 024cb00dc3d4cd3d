"""The time that a transcript tells of, and the record as one group's history may touch it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from groupops.clock import StoppedClock
from groupops.people import AccountId, GroupId
from groupops.records import Booked, Booking, Case, Due, Known, Records


class TurnedClock:
    """A clock that shows the moment a transcript tells of; whoever reads it may turn it back for another one.

    Args:
        moment: the real moment (aware), at which it starts.
    """

    def __init__(self, moment: datetime) -> None:
        self.real = moment
        self._hands = StoppedClock(moment)

    def turn(self, moment: datetime) -> None:
        """Show a moment, an earlier one too."""
        self._hands = StoppedClock(moment)

    def reach(self, moment: datetime) -> None:
        """Go on to a moment; an earlier one changes nothing."""
        if moment > self._hands.now():
            self._hands.moment = moment

    @property
    def behind(self) -> timedelta:
        """How far the hands are behind the real moment."""
        return self.real - self._hands.now()

    def now(self) -> datetime:
        """Return the moment it shows."""
        return self._hands.now()

    def nanos(self) -> int:
        """Return it as whole nanoseconds since 1970."""
        return self._hands.nanos()

    async def sleep(self, seconds: float) -> None:
        """Let the hands pass over the wait: nobody waits in history."""
        self.reach(self._hands.now() + timedelta(seconds=max(seconds, 0)))


@dataclass(slots=True)
class OfOneGroup:
    """The record while one group's history is replayed on it.

    What is due in other groups is not fired: that is for the bot that looks after them. What humans are given time
    for runs from now, not from when it happened.

    Args:
        records: the record.
        group_id: whose history.
        clock: the history's clock.
    """

    records: Records
    group_id: GroupId
    clock: TurnedClock
    _held: list[Due] = field(default_factory=list[Due])

    def __getattr__(self, name: str) -> Any:
        """Ask the record itself."""
        return getattr(self.records, name)

    async def claim_due(self, now: datetime, limit: int = 100) -> tuple[Due, ...]:
        """Claim this group's rows; those of others are held until `give_back`."""
        while rows := await self.records.claim_due(now, limit):
            own = tuple(row for row in rows if row.group_id == self.group_id)
            self._held += [row for row in rows if row.group_id != self.group_id]
            if own:
                return own
        return ()

    async def reclaim(self, claimed_before: datetime) -> int:  # noqa: ARG002 - as the record has it
        """Leave alone what another process may have in hand."""
        return 0

    async def give_back(self) -> None:
        """Put back what is due in other groups: a claimed moment is spent, so a row comes back an instant later."""
        held, self._held = self._held, []
        if held:
            await self.records.put_due(
                [replace(row, due_at=row.due_at + timedelta.resolution) for row in held]
            )
            await self.records.spent(held, self.clock.real)

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
        """Book as the record does; the time humans have for it begins now."""

        def decided(known: Known) -> Booking | Case:
            made = decide(known)
            return replace(made, due=self._from_now(made.due)) if isinstance(made, Booking) else made

        return await self.records.book(
            event_id, account, ladder, now, decided, name=name, recent=recent, contained=contained
        )

    def _from_now(self, rows: Sequence[Due]) -> tuple[Due, ...]:
        return tuple(replace(row, due_at=row.due_at + self.clock.behind) for row in rows)
