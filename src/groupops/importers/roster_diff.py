"""What a roster would change, held against the register; pure, so that a dry run shows what applying does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo

from groupops.enrolment import Enrolling, plan_enrolment
from groupops.importers.roster import Roster, SamePerson
from groupops.importers.roster_cells import written
from groupops.people import AccountId, Person, PersonId, PersonLine

SHRINK = 0.3
"""Share of the persons in service that may leave by one file without being asked about (as for member lists)."""

FIELDS: Mapping[str, str] = {
    "ref": "ref",
    "name": "name",
    "department": "department",
    "company": "company",
    "position": "position",
    "region": "region",
    "org_roles": "roles",
    "left_at": "left",
}
"""What is compared: the field of a person → the column that says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field that becomes another; `before` and `after` as an export would write them."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A registered person of whom the file says something else.

    Args:
        person: as registered.
        line: what the file says, filled up with what it does not speak of.
        row: where; 0 for a person the file does not name.
        fields: what changes.
    """

    person: Person
    line: PersonLine
    row: int = 0
    fields: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """Somebody nobody knows yet; `alike` are registered persons of that name that the file does not name."""

    line: PersonLine
    row: int
    alike: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """An account that is to be bound to the person of a line."""

    line: PersonLine
    account: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """An account that the file gives to one person and that is another's; it stays where it is."""

    line: PersonLine
    account: AccountId
    holder: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Two numbers that are said to be one person.

    Args:
        same: what the file says.
        person: the registered person of the row's own number, if there is one.
        other: the registered person of the other number, if there is one.
        known: False when neither the register nor the file knows the other number.
    """

    same: SamePerson
    person: Person | None = None
    other: Person | None = None
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """A line that may mean a person whom another line means too; nothing is applied until the file tells them apart."""

    line: PersonLine
    row: int
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What a roster would change.

    Args:
        new: persons nobody knows yet.
        changed: persons of whom something else is said.
        left: persons who leave, by the file or, when it is complete, because it does not name them.
        returned: persons who had left and are there again.
        unchanged: how many persons stay as they are.
        missing: registered persons in service whom the file does not name; nothing happens to them.
        bind: accounts that get a person.
        disputed: accounts that another person has.
        merges: persons who are said to be one.
        unclear: lines nobody can tell the person of.
        lines: what is to be enrolled, all of it in one call.
        in_service: how many registered persons were in service before.
        complete: whether the file was taken for the whole truth.
    """

    new: tuple[New, ...] = ()
    changed: tuple[Changed, ...] = ()
    left: tuple[Changed, ...] = ()
    returned: tuple[Changed, ...] = ()
    unchanged: int = 0
    missing: tuple[Person, ...] = ()
    bind: tuple[Binding, ...] = ()
    disputed: tuple[Dispute, ...] = ()
    merges: tuple[Proposal, ...] = ()
    unclear: tuple[Unclear, ...] = ()
    lines: tuple[PersonLine, ...] = ()
    in_service: int = 0
    complete: bool = False

    @property
    def shrinks(self) -> bool:
        """True when more than `SHRINK` of the persons in service would leave: a human looks at that first."""
        return len(self.left) > SHRINK * self.in_service

    @property
    def counts(self) -> dict[str, int]:
        """How many of each."""
        parts = "new changed left returned missing bind disputed merges unclear".split()
        return {name: len(getattr(self, name)) for name in parts} | {"unchanged": self.unchanged}


def compare(
    roster: Roster,
    persons: Sequence[Person],
    accounts: Mapping[AccountId, PersonId],
    *,
    now: datetime,
    complete: bool = False,
    zone: tzinfo = UTC,
) -> Diff:
    """Hold a roster against the register.

    Args:
        roster: what the file says; of columns that it does not have, the register keeps what it knows.
        persons: everybody on the register, those who left among them.
        accounts: whose the bound accounts are; those of provisional persons may be left out.
        now: when it is said.
        complete: True when the file is the whole truth: whoever it does not name has left.
        zone: the timezone that dates are shown in.
    """
    by_id = {person.id: person for person in persons}
    holders = {account: by_id[id_] for account, id_ in accounts.items() if id_ in by_id}
    planned = plan_enrolment(roster.lines, persons, holders, now=now)
    work = _Comparing(roster=roster, zone=zone, by_id=by_id)
    for one, row in zip(planned, roster.rows, strict=True):
        work.take(one, row)
    work.look_for_missing(persons, now, complete=complete)
    return work.diff(persons, planned, complete=complete)


@dataclass(slots=True, kw_only=True)
class _Comparing:
    """One pass over the lines; gathers what becomes of each."""

    roster: Roster
    zone: tzinfo
    by_id: Mapping[PersonId, Person]
    named: dict[PersonId, PersonLine] = field(default_factory=dict[PersonId, PersonLine])
    new: list[New] = field(default_factory=list[New])
    changed: list[Changed] = field(default_factory=list[Changed])
    left: list[Changed] = field(default_factory=list[Changed])
    returned: list[Changed] = field(default_factory=list[Changed])
    unchanged: int = 0
    missing: list[Person] = field(default_factory=list[Person])
    bind: list[Binding] = field(default_factory=list[Binding])
    disputed: list[Dispute] = field(default_factory=list[Dispute])
    unclear: list[Unclear] = field(default_factory=list[Unclear])
    lines: list[PersonLine] = field(default_factory=list[PersonLine])
    alike: dict[tuple[str, str], list[Person]] = field(default_factory=dict[tuple[str, str], list[Person]])

    def __post_init__(self) -> None:
        """Order the register by what a line without a number is known by."""
        for person in self.by_id.values():
            self.alike.setdefault((person.name, person.department), []).append(person)

    def take(self, one: Enrolling, row: int) -> None:
        """Say what becomes of one line."""
        before = one.before
        if before is None:
            self._take_new(one, row)
            return
        if before.id in self.named:
            self.unclear.append(Unclear(line=one.line, row=row, person=before))
            return
        line = _filled(one.line, before, self.roster.columns)
        self.named[before.id] = line
        fields = tuple(_changes(before, line, self.zone))
        asks = self._accounts(one, line)
        self._sort(Changed(person=before, line=line, row=row, fields=fields), asks=asks)

    def _take_new(self, one: Enrolling, row: int) -> None:
        """Take somebody for new, unless several registered persons could be meant."""
        line = one.line
        there = self.alike.get((line.name, line.department), ())
        could = [person for person in there if not (line.ref and person.ref)]
        if could:
            self.unclear.append(Unclear(line=line, row=row, person=could[0]))
            return
        self.new.append(New(line=line, row=row))
        self._accounts(one, line)
        self.lines.append(line)

    def _accounts(self, one: Enrolling, line: PersonLine) -> bool:
        """Note what becomes of a line's accounts; returns whether any is not yet where the file has it."""
        self.bind += [Binding(line=line, account=account) for account in (*one.fresh, *one.merging)]
        self.disputed += [
            Dispute(line=line, account=account, holder=self.by_id[holder])
            for account, holder in one.held.items()
        ]
        return bool(one.fresh or one.merging or one.held)

    def _sort(self, one: Changed, *, asks: bool) -> None:
        if one.person.active and not one.line.active:
            self.left.append(one)
        elif not one.person.active and one.line.active:
            self.returned.append(one)
        elif one.fields:
            self.changed.append(one)
        else:
            self.unchanged += 1
            if not asks:
                return
        self.lines.append(one.line)

    def look_for_missing(self, persons: Iterable[Person], now: datetime, *, complete: bool) -> None:
        """Find who is in service and not named; when the file is the whole truth, they have left."""
        gone = [person for person in persons if person.active and person.id not in self.named]
        if not complete:
            self.missing += gone
            return
        for person in gone:
            line = replace(_line_of(person), active=False, left_at=now)
            self.left.append(Changed(person=person, line=line))
            self.lines.append(line)

    def diff(self, persons: Sequence[Person], planned: Sequence[Enrolling], *, complete: bool) -> Diff:
        """Give what was found."""
        return Diff(
            new=self._with_alike(persons),
            changed=tuple(self.changed),
            left=tuple(self.left),
            returned=tuple(self.returned),
            unchanged=self.unchanged,
            missing=tuple(self.missing),
            bind=tuple(self.bind),
            disputed=tuple(self.disputed),
            merges=_proposals(self.roster, planned, persons),
            unclear=tuple(self.unclear),
            lines=tuple(self.lines),
            in_service=sum(person.active for person in persons),
            complete=complete,
        )

    def _with_alike(self, persons: Iterable[Person]) -> tuple[New, ...]:
        """Add to each new person whom of that name the file does not name: they may be one."""
        names: dict[str, list[Person]] = {}
        for person in persons:
            if person.id not in self.named:
                names.setdefault(person.name, []).append(person)
        return tuple(replace(one, alike=tuple(names.get(one.line.name, ()))) for one in self.new)


def _filled(line: PersonLine, person: Person, columns: frozenset[str]) -> PersonLine:
    """Give a line that names its person and keeps what the file does not speak of."""
    return PersonLine(
        person_id=person.id,
        ref=line.ref or person.ref,
        name=line.name,
        department=line.department if "department" in columns else person.department,
        company=line.company if "company" in columns else person.company,
        position=line.position if "position" in columns else person.position,
        region=line.region if "region" in columns else person.region,
        org_roles=line.org_roles if "roles" in columns else person.org_roles,
        active=line.active,
        left_at=None if line.active else line.left_at or person.left_at,
        accounts=line.accounts,
    )


def _line_of(person: Person) -> PersonLine:
    return PersonLine(
        person_id=person.id,
        ref=person.ref,
        name=person.name,
        department=person.department,
        company=person.company,
        position=person.position,
        region=person.region,
        org_roles=person.org_roles,
        active=person.active,
        left_at=person.left_at,
    )


def _changes(person: Person, line: PersonLine, zone: tzinfo) -> Iterable[Change]:
    for name, column in FIELDS.items():
        before, after = getattr(person, name), getattr(line, name)
        if before != after:
            yield Change(field=column, before=written(before, zone), after=written(after, zone))


def _proposals(
    roster: Roster, planned: Sequence[Enrolling], persons: Iterable[Person]
) -> tuple[Proposal, ...]:
    """Resolve who is said to be one; what the register has merged already is no proposal any more."""
    if not roster.merges:
        return ()
    refs = {person.ref: person for person in persons if person.ref}
    refs |= {one.line.ref: one.before for one in planned if one.line.ref and one.before is not None}
    named = {line.ref for line in roster.lines}
    made = (
        Proposal(
            same=same,
            person=refs.get(same.ref),
            other=refs.get(same.other),
            known=same.other in refs or same.other in named,
        )
        for same in roster.merges
    )
    return tuple(one for one in made if one.person is None or one.person is not one.other)
