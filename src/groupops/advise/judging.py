"""Books what an export tells: for humans to decide, and only where the source is fine enough to say who did it when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from groupops.advise.findings import Doubt
from groupops.advise.names import NameBook, is_made
from groupops.casebook import Casebook
from groupops.events import Event, MessagePosted
from groupops.importers.transcripts.values import Report
from groupops.people import Member
from groupops.plan import GroupPlan
from groupops.records import Booked
from groupops.sanctions import Standing
from groupops.verdicts import Offence, Ruling

CLOSE: Final = timedelta(seconds=60)
"""One utterance seen by two sources has moments this close."""
_MINUTE: Final = timedelta(minutes=1)

MEASURED: Final = frozenset({"window", "burst", "rate"})
"""Evidence that counts messages within a short time, which whole minutes cannot tell."""


@dataclass(slots=True)
class Source:
    """How fine the source is that is being replayed.

    Args:
        names: True where senders are shown names.
        minutes: True where moments are whole minutes.
        book: whose a shown name is.
    """

    names: bool = False
    minutes: bool = False
    book: NameBook = field(default_factory=lambda: NameBook(""))

    @classmethod
    def of(cls, report: Report, book: NameBook) -> Source:
        """Take it from what was found in a file."""
        return cls(names=report.identity == "name", minutes=report.precision == "min", book=book)

    def doubts(self, event: Event, member: Member, offences: Iterable[Offence]) -> tuple[Doubt, ...]:
        """Say why an offence cannot be more than something to be looked at; nothing where it can."""
        found: list[Doubt] = []
        if self.names or is_made(member.account):
            name = getattr(event, "card", "") or getattr(event, "name", "")
            found.append("twins" if name and self.book.account(name)[1] == "twins" else "name")
        if self.minutes and any(one.what in MEASURED for offence in offences for one in offence.evidence):
            found.append("minutes")
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """An offence that no case was opened for."""

    doubts: tuple[Doubt, ...] = ()
    told: bool = False
    """True when a case stands for it that another source opened."""


class AdvisedCasebook(Casebook):
    """A casebook that opens cases for humans only: whatever the policy lets a machine do alone, here a human decides."""

    __slots__ = ("asides", "source")

    source: Source
    asides: dict[str, Aside]

    @classmethod
    def instead_of(cls, usual: Casebook) -> AdvisedCasebook:
        """Stand in for the usual casebook."""
        made = cls(
            usual.records, usual.clock, usual.people, usual.outbox, usual.hooks, usual.texts, usual.plan_of
        )
        made.source, made.asides = Source(), {}
        return made

    async def book(self, event: Event, plan: GroupPlan, member: Member, ruling: Ruling) -> Booked | None:
        """Open a case for humans; none for what asks for no strike, is told already, or whose source is too coarse."""
        worst = ruling.worst
        if worst is None or not member.account:
            return None
        offences = [said.verdict for said in ruling.offences if isinstance(said.verdict, Offence)]
        doubts = self.source.doubts(event, member, offences)
        if not doubts and worst.ladder:
            return await super().book(event, plan, member, ruling)
        told = await self._told_before(event)
        self.asides[event.id] = Aside(doubts=doubts if worst.ladder else (), told=told)
        return None

    async def _told_before(self, event: Event) -> bool:
        """Say whether a case stands for the same words of the same moment: a bot saw them, or another export."""
        if not isinstance(event, MessagePosted) or not event.text:
            return False
        late = CLOSE + (_MINUTE if self.source.minutes else timedelta())
        cases = await self.records.cases(group_id=event.group_id, since=event.at - CLOSE)
        return any(
            case.excerpt == event.text and -CLOSE <= case.opened_at - event.at <= late for case in cases
        )

    def _standing(self, event: Event, plan: GroupPlan, member: Member) -> Standing:
        """Nothing is done to anybody for what was read afterwards (G4)."""
        return replace(super()._standing(event, plan, member), late=True)
