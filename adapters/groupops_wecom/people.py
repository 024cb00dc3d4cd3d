"""What the company's contacts say of its people, as lines of a roster; pure but for the asking at the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from groupops import AccountId, Directory, GroupId, Person, PersonId, PersonLine, PersonsTold
from groupops.importers import Diff, Roster, compare
from groupops_wecom.contacts import Contacts, Member, Status
from groupops_wecom.event import ChangeContact
from groupops_wecom.exception import ActionFailed
from groupops_wecom.qyapi import QyApi
from groupops_wecom.rooms import NAME
from groupops_wecom.rooms import account as account_of

LONGEST = 100
"""Characters of a name, a department or a position that are kept."""

SOURCE = "contacts"
"""Who said it: the company's own contacts."""

LATE = timedelta(minutes=1)
"""What comes later than this says when it came; clocks differ by seconds."""

SHRINK = 0.3
"""Share of those known from the contacts that may be gone at once without being asked about, as for member lists."""

SPOKEN_OF = frozenset({"name", "department", "position", "left", "accounts"})
"""Columns of a roster that the contacts speak of; all else stays as the register has it."""

NAMES_ONLY = SPOKEN_OF - {"department", "position"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Employee:
    """Somebody of the company, as little as the register needs: no numbers, no addresses, no pictures.

    Args:
        userid: WeCom's id.
        name: as the contacts have it; empty where the app may not see it.
        department: name of the main department.
        position: as what.
        left: True when the contacts say that the company was left.
    """

    userid: str
    name: str
    department: str = ""
    position: str = ""
    left: bool = False

    def line(self, person_id: PersonId | None = None) -> PersonLine:
        """Give the line of a roster."""
        return PersonLine(
            person_id=person_id,
            name=self.name,
            department=self.department,
            position=self.position,
            active=not self.left,
            accounts=(account_of(self.userid),),
        )


def employee_of(member: Member, names: Mapping[int, str]) -> Employee:
    """Give what the register needs of a member.

    Args:
        member: as WeCom tells it.
        names: department → its name.
    """
    return Employee(
        userid=member.userid,
        name=member.name.strip()[:LONGEST],
        department=_department(member, names),
        position=member.position.strip()[:LONGEST],
        left=member.status is Status.LEFT,
    )


def _department(member: Member, names: Mapping[int, str]) -> str:
    """Give the name of the main department, else of the first that has one."""
    told = (names.get(id_, "") for id_ in (member.main_department, *member.departments))
    return next((name for name in told if name), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Everybody of the company, as far as the app sees them.

    Args:
        employees: everybody, once, in the order of the user ids.
        departments: how many departments were walked.
        unseen: ids of members that came without a name: they are there, and nothing else can be said of them.
    """

    employees: tuple[Employee, ...]
    departments: int = 0
    unseen: frozenset[str] = frozenset()

    @property
    def userids(self) -> frozenset[str]:
        """The ids of everybody who is in it and has not left."""
        return self.unseen | {one.userid for one in self.employees if not one.left}

    @property
    def sha256(self) -> str:
        """A mark of what they say, in hex."""
        told = [(one.userid, one.name, one.department, one.position, one.left) for one in self.employees]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def staff_of(members: Iterable[Member], names: Mapping[int, str]) -> Staff:
    """Give everybody.

    Args:
        members: each once.
        names: department → its name.
    """
    everybody = sorted((employee_of(one, names) for one in members), key=lambda one: one.userid)
    return Staff(
        employees=tuple(one for one in everybody if one.name),
        departments=len(names),
        unseen=frozenset(one.userid for one in everybody if not one.name),
    )


# — held against the register —


class Register:
    """Who is registered.

    Args:
        persons: everybody, those who left among them.
        holders: account → whose it is; those of provisional persons may be left out.
    """

    def __init__(self, persons: Sequence[Person], holders: Mapping[AccountId, PersonId]) -> None:
        self.persons = persons
        self.holders = holders
        self._by_id = {person.id: person for person in persons}
        self._alike: dict[tuple[str, str], list[Person]] = {}
        self._accounts: dict[PersonId, set[AccountId]] = {}
        for person in persons:
            self._alike.setdefault((person.name, person.department), []).append(person)
        for account, id_ in holders.items():
            self._accounts.setdefault(id_, set()).add(account)

    def of(self, account: AccountId) -> Person | None:
        """Give the registered person an account is bound to."""
        id_ = self.holders.get(account)
        return None if id_ is None else self._by_id.get(id_)

    def meant(self, employee: Employee) -> Person | None:
        """Give the registered person an employee is: by the account, else the only one of that name there."""
        alike = self._alike.get((employee.name, employee.department), ())
        return self.of(account_of(employee.userid)) or (alike[0] if len(alike) == 1 else None)

    def accounts(self, person: Person) -> frozenset[AccountId]:
        """Give the accounts of a person."""
        return frozenset(self._accounts.get(person.id, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the contacts would change.

    Args:
        staff: what was read.
        roster: the same as lines.
        diff: the difference, as of any other roster.
        gone: user ids that were in the contacts last time and are not any more.
        known: how many there were last time.
    """

    staff: Staff
    roster: Roster
    diff: Diff
    gone: tuple[str, ...] = ()
    known: int = 0

    @property
    def shrinks(self) -> bool:
        """True when so many are gone that the app rather sees less than before: a human looks first."""
        return len(self.gone) > SHRINK * self.known


def held_against(
    staff: Staff,
    register: Register,
    known: Collection[str],
    *,
    now: datetime,
    zone: tzinfo,
    keep_details: bool = False,
) -> Found:
    """Hold the contacts against the register.

    Whoever was in the contacts last time and is not any more has left; of everybody else who is registered and
    not in them (another platform's people, customers) nothing is said.

    Args:
        staff: what was read.
        register: who is registered.
        known: the user ids that were there last time.
        now: when it is said.
        zone: the timezone dates are shown in.
        keep_details: True to leave department and position of whom the register knows as they are.
    """
    there = staff.unseen | {one.userid for one in staff.employees}
    gone = tuple(sorted(set(known) - there))
    roster = _roster(staff, _lines(staff, register, gone), keep_details=keep_details)
    diff = compare(roster, register.persons, register.holders, now=now, zone=zone)
    mine = {id_ for account, id_ in register.holders.items() if account.startswith(f"{NAME}:")}
    missing = tuple(person for person in diff.missing if person.id in mine)
    return Found(
        staff=staff,
        roster=roster,
        diff=replace(diff, missing=missing),
        gone=gone,
        known=len(known),
    )


def _lines(staff: Staff, register: Register, gone: Iterable[str]) -> tuple[PersonLine, ...]:
    """Give a line for everybody; who has left and was never registered is none of ours."""
    there = [
        _filled(one, register)
        for one in staff.employees
        if not one.left or register.of(account_of(one.userid)) is not None
    ]
    named = {account for line in there for account in line.accounts}
    left: dict[PersonId, PersonLine] = {}
    for userid in gone:
        person = register.of(account_of(userid))
        # With another account that the contacts name, only the id was changed and nobody left.
        if person is not None and person.active and named.isdisjoint(register.accounts(person)):
            left[person.id] = line_of(person, active=False)
    return (*there, *left.values())


def _filled(employee: Employee, register: Register) -> PersonLine:
    """Give an employee's line; what the contacts leave empty stays as the register has it."""
    line, person = employee.line(), register.meant(employee)
    if person is None:
        return line
    return replace(
        line,
        department=line.department or person.department,
        position=line.position or person.position,
    )


def line_of(person: Person, *, active: bool, accounts: tuple[AccountId, ...] = ()) -> PersonLine:
    """Give the line that says of a registered person nothing new but whether they are there."""
    return PersonLine(
        person_id=person.id,
        ref=person.ref,
        name=person.name,
        department=person.department,
        company=person.company,
        position=person.position,
        region=person.region,
        org_roles=person.org_roles,
        active=active,
        accounts=accounts,
    )


def _roster(staff: Staff, lines: tuple[PersonLine, ...], *, keep_details: bool) -> Roster:
    return Roster(
        file=NAME,
        sheet="",
        sha256=staff.sha256,
        columns=NAMES_ONLY if keep_details else SPOKEN_OF,
        lines=lines,
        rows=tuple(range(1, len(lines) + 1)),
    )


# — one at a time —


def changed_line(employee: Employee, person: Person | None, *, renamed: bool = False) -> PersonLine | None:
    """Give the line for a member who came or changed, told by an event; None when there is nothing to say.

    What the contacts do not speak of stays as the register has it.

    Args:
        employee: as `user/get` gives it now.
        person: who is registered under its account, or under the one it had.
        renamed: True when it has another id now, which the person gets besides.
    """
    if person is None or person.provisional:
        return None if employee.left or not employee.name else employee.line()
    line = line_of(person, active=not employee.left, accounts=(account_of(employee.userid),))
    if employee.left:
        return line if person.active else None
    told = replace(
        line,
        name=employee.name or person.name,
        department=employee.department or person.department,
        position=employee.position or person.position,
    )
    same = person.active and not renamed and _says_the_same(told, person)
    return None if same else told


def _says_the_same(line: PersonLine, person: Person) -> bool:
    return (line.name, line.department, line.position) == (person.name, person.department, person.position)


def left_line(person: Person | None) -> PersonLine | None:
    """Give the line for a member who was deleted; None for somebody nobody knows, or who is gone already."""
    registered = person is not None and not person.provisional and person.active
    return line_of(person, active=False) if person is not None and registered else None


# — asking WeCom —

UNKNOWN_USER = 60111
"""WeCom's number for a user id nobody has."""


async def read_staff(api: QyApi) -> Staff:
    """Walk the departments the app sees.

    Raises:
        ActionFailed, NetworkError: as `QyApi.call`; half of the contacts are none.
    """
    contacts = Contacts(api)
    names = {one.id: one.name for one in await contacts.departments()}
    return staff_of(await contacts.everybody(), names)


class Following:
    """Follows what WeCom tells of its contacts, one member at a time.

    Args:
        api: the app that may read contacts.
    """

    def __init__(self, api: QyApi) -> None:
        self._contacts = Contacts(api)
        self._names: dict[int, str] = {}

    async def told_of(
        self, event: ChangeContact, people: Directory, group: GroupId, *, now: datetime
    ) -> PersonsTold | None:
        """Give the fact of a change; None for what changes nobody on the register.

        The event holds little more than ids, so whoever came or changed is looked up.

        Args:
            event: what WeCom told.
            people: who is registered.
            group: any group that is looked after; persons belong to all of them.
            now: when it came.

        Raises:
            ActionFailed, NetworkError: the member could not be looked up.
        """
        if event.change.endswith("_party"):
            self._names.clear()
        if not event.user_id or not event.change.endswith("_user"):
            return None
        line = await self._line(event, people)
        if line is None:
            return None
        at = datetime.fromtimestamp(event.moment, UTC)
        return PersonsTold(
            id=f"{NAME}:{event.event_id}",
            at=at,
            group_id=group,
            source=SOURCE,
            received_at=now if now - at > LATE else None,
            lines=(line,),
        )

    async def _line(self, event: ChangeContact, people: Directory) -> PersonLine | None:
        person = people.person(account_of(event.user_id))
        if event.change == "delete_user":
            return left_line(person)
        employee = await self._employee(event.new_user_id or event.user_id)
        return changed_line(employee, person, renamed=bool(event.new_user_id)) if employee else None

    async def _employee(self, userid: str) -> Employee | None:
        """Look a member up; None for whom nobody knows any more."""
        try:
            member = await self._contacts.member(userid)
        except ActionFailed as error:
            if error.errcode == UNKNOWN_USER:
                return None
            raise
        if not _department(member, self._names):
            self._names = {one.id: one.name for one in await self._contacts.departments()}
        return employee_of(member, self._names)
