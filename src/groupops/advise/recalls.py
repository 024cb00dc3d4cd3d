"""What a transcript shows of messages that were taken back: which it proves, and which only may have been meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from groupops.actions import DeleteMessage
from groupops.people import AccountId
from groupops.records import Ticket

CLOSE = timedelta(minutes=1)
"""A notice of a recall may be told this much before the message: in whole minutes, or in the message's own place."""


@dataclass(slots=True, kw_only=True)
class Recalls:
    """What one transcript shows of messages that stewards are asked to have taken back.

    Args:
        asked: ids of those messages.
        by_name: True where senders are shown names: then nobody can tell who took something back.
        still: ids of those that stand in the transcript as they were said.
        marked: ids of those it shows taken back.
        notices: new notices that somebody took something back, without saying which message: moment and whose.
        known_from, known_until: moments of the first and the last message that was read before, too.
    """

    asked: frozenset[str] = frozenset()
    by_name: bool = False
    still: set[str] = field(default_factory=set[str])
    marked: set[str] = field(default_factory=set[str])
    notices: list[tuple[datetime, AccountId]] = field(default_factory=list[tuple[datetime, AccountId]])
    known_from: datetime | None = None
    known_until: datetime | None = None

    def know(self, moment: datetime) -> None:
        """Note when something was said that was read before, too."""
        if self.known_from is None or moment < self.known_from:
            self.known_from = moment
        if self.known_until is None or moment > self.known_until:
            self.known_until = moment

    def meet(self, message_id: str, *, recalled: bool) -> None:
        """Note that a message stands in the transcript."""
        if recalled:
            self.marked.add(message_id)
        elif message_id in self.asked:
            self.still.add(message_id)

    def spans(self, moment: datetime) -> bool:
        """Say whether the transcript has what was said before and after a moment, so that what it lacks is gone."""
        if self.known_from is None or self.known_until is None:
            return False
        return self.known_from <= moment <= self.known_until

    def proved(self, tickets: Sequence[Ticket]) -> Iterator[Ticket]:
        """Give the tickets whose message is shown taken back.

        It is marked so; or it is gone from between messages that stand there as before, and its author is said to
        have taken back as many as are gone.
        """
        for account, gone in _by_author(self._open(tickets)).items():
            marked = [one for one in gone if _message(one) in self.marked]
            yield from marked
            missing = [one for one in gone if self._is_missing(one)]
            if missing and len(list(self._said_of(account, missing))) >= len(missing):
                yield from missing

    def hints(self, tickets: Sequence[Ticket]) -> Iterator[tuple[Ticket, datetime]]:
        """Give the tickets whose message may be the one a notice tells of, and when: for a human to look at."""
        for account, gone in _by_author(self._open(tickets)).items():
            for ticket in gone:
                moment = next(self._said_of(account, [ticket]), None)
                if moment is not None and _message(ticket) not in self.still:
                    yield ticket, moment

    def _open(self, tickets: Sequence[Ticket]) -> Iterator[Ticket]:
        return (one for one in tickets if isinstance(one.wanted, DeleteMessage))

    def _is_missing(self, ticket: Ticket) -> bool:
        message_id = _message(ticket)
        return (
            not self.by_name
            and message_id in self.asked
            and message_id not in self.still | self.marked
            and self.spans(ticket.opened_at)
        )

    def _said_of(self, account: AccountId, tickets: Sequence[Ticket]) -> Iterator[datetime]:
        """Give when somebody took something back that may have been one of these."""
        since = min(ticket.opened_at for ticket in tickets) - CLOSE
        return (moment for moment, whose in self.notices if whose == account and moment >= since)


def _by_author(tickets: Iterable[Ticket]) -> dict[AccountId, list[Ticket]]:
    found: dict[AccountId, list[Ticket]] = {}
    for ticket in tickets:
        account = getattr(ticket.wanted, "account", None)
        if account:
            found.setdefault(account, []).append(ticket)
    return found


def _message(ticket: Ticket) -> str:
    return str(getattr(ticket.wanted, "message_id", ""))


def asked_back(tickets: Iterable[Ticket]) -> frozenset[str]:
    """Give the ids of the messages that tickets ask to have taken back."""
    return frozenset(_message(ticket) for ticket in tickets if isinstance(ticket.wanted, DeleteMessage))
