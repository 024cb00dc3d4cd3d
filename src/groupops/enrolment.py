"""What lines of a roster come to, held against who is registered; pure, so that a dry run and the deed agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from groupops.people import AccountId, Disputed, Person, PersonId, PersonLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolling:
    """One line, and what is to be done for it.

    Args:
        line: what the roster says.
        before: the person as registered; None when the line names a new one.
        person: the person as it is to be; id 0 for a new one.
        fresh: accounts of the line that are bound to nobody.
        merging: provisional persons that hold one of the line's accounts, by account.
        held: other persons that hold one, by account.
    """

    line: PersonLine
    before: Person | None
    person: Person
    fresh: tuple[AccountId, ...] = ()
    merging: Mapping[AccountId, PersonId] = field(default_factory=dict[AccountId, PersonId])
    held: Mapping[AccountId, PersonId] = field(default_factory=dict[AccountId, PersonId])

    @property
    def changed(self) -> bool:
        """True when a registered person is to say something else than before."""
        return self.before is not None and self.before != self.person

    def disputed(self, person: PersonId) -> tuple[Disputed, ...]:
        """Give the accounts a human has to decide on, once the person has its number."""
        return tuple(
            Disputed(account=account, said=person, holder=holder) for account, holder in self.held.items()
        )


def plan_enrolment(
    lines: Sequence[PersonLine],
    persons: Iterable[Person],
    holders: Mapping[AccountId, Person],
    *,
    now: datetime,
) -> tuple[Enrolling, ...]:
    """Say who each line names and what is to be done for it.

    A line names the person of its `person_id`, else of its `ref`, else the registered holder of one of its
    accounts, else the only registered person of that name in that department whose `ref` does not contradict;
    else somebody new. A person named by two lines is taken from the later one, as a file read downwards would.

    Args:
        lines: the roster.
        persons: everybody stored, provisional ones too.
        holders: account → person, for the accounts of the lines at least.
        now: when it is said; who is said to have left without a date left now.
    """
    known = _Known(persons, holders)
    return tuple(known.enrolling(line, now) for line in lines)


class _Known:
    """Who is registered, found in each of the ways a line may name somebody."""

    def __init__(self, persons: Iterable[Person], holders: Mapping[AccountId, Person]) -> None:
        self._by_id = {person.id: person for person in persons}
        registered = [person for person in self._by_id.values() if not person.provisional]
        self._by_ref = {person.ref: person for person in registered if person.ref}
        self._by_name: dict[tuple[str, str], list[Person]] = {}
        for person in registered:
            self._by_name.setdefault((person.name, person.department), []).append(person)
        self._holders = holders

    def enrolling(self, line: PersonLine, now: datetime) -> Enrolling:
        before = self._named(line)
        person = _as_told(line, before, now)
        fresh: list[AccountId] = []
        merging: dict[AccountId, PersonId] = {}
        held: dict[AccountId, PersonId] = {}
        for account in line.accounts:
            holder = self._holders.get(account)
            if holder is None:
                fresh.append(account)
            elif holder.id == person.id:
                continue
            elif holder.provisional:
                merging[account] = holder.id
            else:
                held[account] = holder.id
        return Enrolling(
            line=line, before=before, person=person, fresh=tuple(fresh), merging=merging, held=held
        )

    def _named(self, line: PersonLine) -> Person | None:
        if line.person_id is not None:
            return self._by_id.get(line.person_id)
        if line.ref and line.ref in self._by_ref:
            return self._by_ref[line.ref]
        for account in line.accounts:
            holder = self._holders.get(account)
            if holder is not None and not holder.provisional and _agree(line, holder):
                return holder
        alike = [one for one in self._by_name.get((line.name, line.department), ()) if _agree(line, one)]
        return alike[0] if len(alike) == 1 else None


def _agree(line: PersonLine, person: Person) -> bool:
    """Say whether a line and a person may be one: their numbers do not contradict each other."""
    return not (line.ref and person.ref) or line.ref == person.ref


def _as_told(line: PersonLine, before: Person | None, now: datetime) -> Person:
    was = before or Person(id=PersonId(0))
    left_at = None if line.active else line.left_at or was.left_at or now
    return replace(
        was,
        name=line.name,
        ref=line.ref or was.ref,
        department=line.department,
        company=line.company,
        position=line.position,
        region=line.region,
        org_roles=line.org_roles,
        active=line.active,
        left_at=left_at,
        provisional=False,
    )
