"""Who is who: the picture of persons, groups and members that is asked without waiting, and how it changes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from groupops.actions import (
    Capability,
    DeleteMessage,
    Mute,
    RemoveMember,
    RenameGroup,
    SetCard,
    Unmute,
)
from groupops.calendar import WorkCalendar
from groupops.clock import Clock
from groupops.counters import Counters
from groupops.enrolment import Enrolling, plan_enrolment
from groupops.errors import CommandError, StoreError, Unstorable
from groupops.events import (
    Event,
    GroupRenamed,
    Listed,
    MemberJoined,
    MemberLeft,
    MemberRenamed,
    MembersListed,
    MessagePosted,
    MessageRecalled,
    PersonChanged,
    RoleChanged,
)
from groupops.member_lists import Differences, Roll, differences
from groupops.people import (
    AccountId,
    Enrolled,
    Group,
    GroupId,
    Member,
    Person,
    PersonId,
    PersonLine,
    Role,
    platform_of,
)
from groupops.plugin import Texts
from groupops.records import Audit, Due, Merge, Records, Steward, Ticket
from groupops.ticker import CORE

__all__ = ["Bound", "Departure", "Differences", "PeopleBook", "differences"]

T = TypeVar("T")

CODE_MINUTES = 10
"""How long a binding code is taken."""

CODES_PER_HOUR = 5
"""Codes one account may ask for in an hour."""

TRIES = 5
"""Codes one account may try within `CODE_MINUTES`, and tries one code survives: 30 bits are not guessed so."""

CONFIRMED_FOR = timedelta(days=2)
"""How long a steward's word on a suspicious list holds: until it was surely read again."""

REGISTER = "register"
"""Subject of the audit's lines about the register as a whole: another process sees by them that it changed."""

MEMBERS_CACHED = 8192
"""Snapshots kept ready, about 3 MB; the book makes any other in a few microseconds."""

_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_HANDLE, _SECRET = 4, 6

Change = Literal["bound", "unbound", "merged", "split", "left", "returned", "roles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a person change came to: the person after it, and the facts to be posted."""

    person: Person
    facts: tuple[PersonChanged, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """When and how an account left a group before it came again (G13).

    Args:
        at: when.
        how: `removed` when it was put out, `left` or `unknown` otherwise.
        by: who put it out, as far as known.
    """

    at: datetime
    how: str
    by: str


class PeopleBook:
    """The picture of who is who, in memory; a `groupops.plugin.Directory`.

    Groups, bindings and stewards are read by `load`, a group's members by `load_members`, once, when its plan
    is made. Facts teach it more through `seen`; what the record is to learn of them waits for `flush`, so a
    message never costs a write. Names, cards and roles that only a message told stay in memory: the next
    member list finds the difference and says so as a fact.

    Args:
        records: where everything is kept.
        clock: what time it is.
        counters: for the limits on binding codes.
        calendar: which days are worked.
        can: what a platform can do in a group now.
        texts: the core's texts (keys `list.…`, `bind.…`).
        told: called with every ticket that a suspicious list opened.
        me: gives the bot's own account in a group, as far as it is known; it is no member to anybody.
    """

    def __init__(
        self,
        records: Records,
        clock: Clock,
        counters: Counters,
        calendar: WorkCalendar,
        can: Callable[[GroupId], frozenset[Capability]],
        texts: Texts,
        *,
        told: Callable[[Ticket], None] | None = None,
        me: Callable[[GroupId], AccountId | None] = lambda _: None,
    ) -> None:
        self._records = records
        self._clock = clock
        self._counters = counters
        self._calendar = calendar
        self._can = can
        self._texts = texts
        self._told = told
        self._me = me
        self.besides: Callable[[], Iterable[str]] = tuple
        """Gives the names of platforms that have no groups, whose accounts are to be known all the same."""
        self._groups: dict[GroupId, Group] = {}
        self._zones: dict[GroupId, ZoneInfo] = {}
        self._rolls: dict[GroupId, Roll] = {}
        self._persons: dict[AccountId, Person] = {}
        self._register: dict[PersonId, Person] = {}
        self._accounts: dict[PersonId, list[AccountId]] = {}
        self._edition = 0
        self._platforms: set[str] = set()
        self._everywhere = False
        self._named: tuple[Steward, ...] = ()
        self._stewards: dict[GroupId | None, frozenset[AccountId]] = {}
        self._snapshots: dict[tuple[GroupId, AccountId], Member] = {}
        self._to_put: dict[GroupId, dict[AccountId, Listed | None]] = {}
        self._to_rename: set[GroupId] = set()
        self._to_note: list[Audit] = []
        self._to_prove: list[Event] = []
        self._leaving: dict[tuple[GroupId, AccountId], Member] = {}

    # — reading the record —

    async def load(self) -> None:
        """Read groups, bindings and stewards, anew if called again; members follow with `load_members`."""
        bound = {group.id for group in await self._records.groups()}
        for group_id in (self._groups.keys() | self._rolls.keys()) - bound:
            self.forget(group_id)
        await self.flush()
        self._groups = {group.id: group for group in await self._records.groups()}
        self._zones.clear()
        await self._load_persons()

    async def load_group(self, group_id: GroupId) -> Group | None:
        """Read one group anew, with the bindings of a platform that is met for the first time, and its members.

        Returns:
            The group; None when it is not bound (any more), and it is forgotten.
        """
        group = await self._records.group(group_id)
        if group is None:
            self.forget(group_id)
            return None
        self.remember(group)
        if group.platform not in self._platforms:
            await self._load_persons()
        await self.load_members(group_id)
        return group

    async def load_everywhere(self) -> None:
        """Know the accounts of every platform from now on, groups there or not, as who edits the register needs."""
        self._everywhere = True
        await self._load_persons()

    async def load_members(self, group_id: GroupId) -> None:
        """Read a group's members, unless they are there."""
        if group_id in self._rolls:
            return
        lines = await self._records.members(group_id)
        self._rolls[group_id] = Roll(lines.values(), listed=bool(lines))
        self._snapshots.clear()

    def loaded(self, group_id: GroupId) -> bool:
        """Say whether a group's members were read."""
        return group_id in self._rolls

    def remember(self, group: Group) -> None:
        """Keep a group as it is now; what the record knows of it is not changed."""
        self._groups[group.id] = group
        self._zones.pop(group.id, None)
        self._snapshots.clear()

    def forget(self, group_id: GroupId) -> None:
        """Forget a group that was unbound, its members and what was still to be written of them."""
        self._groups.pop(group_id, None)
        self._zones.pop(group_id, None)
        self._rolls.pop(group_id, None)
        self._to_put.pop(group_id, None)
        self._to_rename.discard(group_id)
        self._snapshots.clear()

    async def _load_persons(self) -> None:
        stewards = await self._records.stewards()
        platforms = {group.platform for group in self._groups.values()}
        platforms |= {platform_of(steward.account) for steward in stewards} | set(self.besides())
        self._persons = dict(await self._records.bindings()) if self._everywhere else {}
        for platform in () if self._everywhere else sorted(platforms):
            self._persons.update(await self._records.bindings(platform))
        self._register = {one.id: one for one in await self._records.persons() if not one.provisional}
        self._platforms = platforms
        self._named = tuple(stewards)
        self._seat()

    async def _read_again(self, accounts: Iterable[AccountId]) -> None:
        for account in accounts:
            person = await self._records.person_of(account)
            if person is None:
                self._persons.pop(account, None)
            else:
                self._persons[account] = person
                self._list(person)
        self._seat()

    def _list(self, person: Person) -> None:
        """Have a person on the register as it is now."""
        if not person.provisional:
            self._register[person.id] = person

    def _seat(self) -> None:
        """Work out who decides where: named accounts, the other accounts of their persons, and org stewards."""
        accounts: dict[PersonId, set[AccountId]] = {}
        for account, person in self._persons.items():
            accounts.setdefault(person.id, set()).add(account)
        self._accounts = {person_id: sorted(held) for person_id, held in accounts.items()}
        self._edition += 1
        seats: dict[GroupId | None, set[AccountId]] = {None: set()}
        for person in self._persons.values():
            if "steward" in person.org_roles:
                seats[None] |= accounts[person.id]
        for steward in self._named:
            person_of = self._persons.get(steward.account)
            own = accounts[person_of.id] if person_of is not None else set[AccountId]()
            seats.setdefault(steward.group_id, set()).update({steward.account}, own)
        self._stewards = {group_id: frozenset(seated) for group_id, seated in seats.items()}
        self._snapshots.clear()

    # — asking, without waiting —

    def group(self, group_id: GroupId) -> Group | None:
        """Give a bound group."""
        return self._groups.get(group_id)

    def member(self, group_id: GroupId, account: AccountId) -> Member:
        """Give a member as known now; an unknown account gives a member of unknown role."""
        key = (group_id, account)
        found = self._snapshots.get(key)
        if found is None:
            found = self._member(group_id, account, self._line(group_id, account))
            if len(self._snapshots) >= MEMBERS_CACHED:
                self._snapshots.clear()
            self._snapshots[key] = found
        return found

    def members(self, group_id: GroupId) -> Sequence[Member]:
        """Give all known members of a group, the bot itself left out."""
        lines, me, known = self._rolls.get(group_id, ()), self._me(group_id), self._snapshots
        return tuple(
            known.get((group_id, line.account)) or self._member(group_id, line.account, line)
            for line in lines
            if line.account != me
        )

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        """Give what the platform is able to do in the group now."""
        return self._can(group_id)

    def timezone(self, group_id: GroupId) -> ZoneInfo:
        """Give the group's timezone; that of a group nobody bound is the default of `Group`."""
        zone = self._zones.get(group_id)
        if zone is None:
            group = self._groups.get(group_id) or Group(id=group_id)
            zone = self._zones[group_id] = ZoneInfo(group.timezone)
        return zone

    def is_workday(self, group_id: GroupId, day: datetime) -> bool:
        """Say whether a day, an aware moment read in the group's timezone, is a working day there."""
        return self._calendar.is_workday(day.astimezone(self.timezone(group_id)).date())

    @property
    def edition(self) -> int:
        """A number that grows whenever a person or a binding changes."""
        return self._edition

    def persons(self) -> Sequence[Person]:
        """Give everybody on the register, in order of number; those who left among them, nobody provisional."""
        return tuple(self._register[one] for one in sorted(self._register))

    def accounts(self, person_id: PersonId) -> tuple[AccountId, ...]:
        """Give the accounts of a person on the platforms that are known here, sorted."""
        return tuple(self._accounts.get(person_id, ()))

    def person(self, account: AccountId) -> Person | None:
        """Give the person an account is bound to, as known now."""
        return self._persons.get(account)

    def decides(self, group_id: GroupId, account: AccountId) -> bool:
        """Say whether an account may decide cases in a group: a steward, or the group's owner."""
        return self.member(group_id, account).steward

    def stewards_of(self, group_id: GroupId) -> tuple[AccountId, ...]:
        """Give who may decide cases in a group: one account for each person, on the group's platform if there is one."""
        seated = self._stewards.get(None, frozenset()) | self._stewards.get(group_id, frozenset())
        home = platform_of(group_id)
        chosen: dict[object, AccountId] = {}
        for account in sorted(seated | self._owners(group_id), key=lambda a: (platform_of(a) != home, a)):
            person = self._persons.get(account)
            chosen.setdefault(account if person is None else person.id, account)
        return tuple(chosen.values())

    def _owners(self, group_id: GroupId) -> frozenset[AccountId]:
        group = self._groups.get(group_id)
        bound = group.owner if group is not None else None
        roll = self._rolls.get(group_id)
        owners = roll.owners() if roll is not None else frozenset[AccountId]()
        return owners | {bound} if bound else owners

    def homes(self, account: AccountId) -> tuple[GroupId, ...]:
        """Give the bound groups an account's person is in or decides in, those first in which it decides.

        For what is said where there are no groups. Where a group's members are not told, everybody who has an
        account on its platform counts as one.
        """
        person = self._persons.get(account)
        own = {account, *(() if person is None else self.accounts(person.id))}
        found = {group_id: self.decides(group_id, account) for group_id in self._groups}
        there = [group_id for group_id, decides in found.items() if decides or self._is_in(group_id, own)]
        return tuple(sorted(there, key=lambda group_id: (not found[group_id], group_id)))

    def _is_in(self, group_id: GroupId, own: Collection[AccountId]) -> bool:
        roll = self._rolls.get(group_id)
        if roll is not None and any(one in roll for one in own):
            return True
        listed = roll is not None and roll.listed
        return not listed and any(platform_of(one) == platform_of(group_id) for one in own)

    def _line(self, group_id: GroupId, account: AccountId) -> Listed:
        roll = self._rolls.get(group_id)
        found = roll.get(account) if roll is not None else None
        if found is None and platform_of(account) != platform_of(group_id):
            found = self._own_line(group_id, account)
        return found or Listed(account=account)

    def _own_line(self, group_id: GroupId, account: AccountId) -> Listed | None:
        """Give the line of whoever has an account of another platform: that of the person's account in the group."""
        roll, person = self._rolls.get(group_id), self._persons.get(account)
        if roll is None or person is None:
            return None
        lines = (roll.get(one) for one in self.accounts(person.id))
        line = next((line for line in lines if line is not None), None)
        return None if line is None else replace(line, account=account)

    def _member(self, group_id: GroupId, account: AccountId, line: Listed) -> Member:
        person = self._persons.get(account)
        return Member(
            account=account,
            person_id=None if person is None else person.id,
            name=line.name,
            card=line.card,
            role=line.role,
            org_roles=frozenset() if person is None else person.org_roles,
            real_name="" if person is None else person.name,
            joined_at=line.joined_at,
            steward=bool(account) and self._seated(group_id, line),
            provisional=person is not None and person.provisional and len(self.accounts(person.id)) == 1,
        )

    def _seated(self, group_id: GroupId, line: Listed) -> bool:
        group = self._groups.get(group_id)
        owner = None if group is None else group.owner
        owns = line.role is Role.OWNER or (owner is not None and self._is_same(owner, line.account))
        return owns or any(
            line.account in self._stewards.get(where, frozenset()) for where in (None, group_id)
        )

    def _is_same(self, one: AccountId, other: AccountId) -> bool:
        """Say whether two accounts are one, or one person's on two platforms."""
        if one == other or platform_of(one) == platform_of(other):
            return one == other
        person = self._persons.get(other)
        return person is not None and one in self.accounts(person.id)

    # — learning from facts —

    def seen(self, event: Event) -> Member:
        """Take in what a fact tells of a member or the group, in memory; see `flush` for the record.

        Returns:
            Whoever the fact is about: as known now, or, if it left, as known before. A member without an
            account when it is about nobody.
        """
        if isinstance(event, MessagePosted):
            known = self._snapshots.get((event.group_id, event.account))
            if known is None or event.card != known.card or event.name != known.name:
                return self._spoke(event)
            return known if event.role is known.role else self._spoke(event)
        account = getattr(event, "account", None) or AccountId("")
        if isinstance(event, MemberLeft):
            before = self._leaving.pop((event.group_id, account), None) or self.member(
                event.group_id, account
            )
            self._take_in(event)
            return before
        self._take_in(event)
        return self.member(event.group_id, account)

    @property
    def unwritten(self) -> bool:
        """Whether something waits for `flush`."""
        return bool(self._to_put or self._to_rename or self._to_note or self._to_prove)

    async def flush(self) -> int:
        """Write what facts told, and close the tickets they prove done; what fails waits for the next time.

        Returns:
            How many members and groups were written.
        """
        written = 0
        for group_id, lines in list(self._to_put.items()):
            put = [line for line in lines.values() if line is not None]
            gone = [account for account, line in lines.items() if line is None]
            try:
                await self._records.put_members(group_id, put, gone)
            except Unstorable:
                self._cross_out(group_id, lines)  # the next list brings those of them that can be written
                raise
            self._cross_out(group_id, lines)
            written += len(lines)
        for group_id in list(self._to_rename):
            await self._records.put_group(self._groups[group_id])
            self._to_rename.discard(group_id)
            written += 1
        await _each(self._to_note, self._records.note)
        await _each(self._to_prove, self._close_proved)
        return written

    def _cross_out(self, group_id: GroupId, written: Mapping[AccountId, Listed | None]) -> None:
        """Cross out what was written; what changed while it was being written stays."""
        waiting = self._to_put.get(group_id)
        if waiting is None or waiting is written:
            self._to_put.pop(group_id, None)

    def _spoke(self, event: MessagePosted) -> Member:
        """A message tells name, card and role where it has them; an empty card may be one that cannot be read."""
        member = self.member(event.group_id, event.account)
        news = (
            (event.card != member.card and event.card)
            or (event.name != member.name and event.name)
            or (event.role is not member.role and event.role is not Role.UNKNOWN)
        )
        if not news or not event.account:
            return member
        line = self._line(event.group_id, event.account)
        told = replace(
            line,
            name=event.name or line.name,
            card=event.card or line.card,
            role=line.role if event.role is Role.UNKNOWN else event.role,
        )
        if event.group_id not in self._rolls:
            return self._member(event.group_id, event.account, told)
        self._learn(event.group_id, told)
        return self.member(event.group_id, event.account)

    def _take_in(self, event: Event) -> None:
        if getattr(event, "inferred", False):
            return  # it came from `take_list`, which took it in already
        match event:
            case MemberJoined():
                # Told once more, a joining says nothing of the card that was put on since.
                known = self._line(event.group_id, event.account)
                name, card = event.name or known.name, event.card or known.card
                line = replace(known, name=name, card=card, joined_at=event.at)
                self._learn(event.group_id, line, write=True)
            case MemberLeft():
                self._left(event)
            case MemberRenamed():
                line = replace(self._line(event.group_id, event.account), card=event.new)
                self._learn(event.group_id, line, write=True)
            case RoleChanged():
                self._role(event)
            case GroupRenamed():
                self._change_group(event.group_id, name=event.name)
            case _:
                pass
        if isinstance(event, MemberLeft | MemberRenamed | GroupRenamed | MessageRecalled):
            self._to_prove.append(event)

    def _left(self, event: MemberLeft) -> None:
        self._to_note.append(_departed(event))
        roll = self._rolls.get(event.group_id)
        if roll is None:
            return
        roll.drop(event.account)
        self._snapshots.pop((event.group_id, event.account), None)
        if roll.listed:
            self._to_write(event.group_id, event.account, None)

    def _role(self, event: RoleChanged) -> None:
        line = self._line(event.group_id, event.account)
        if line.role is event.role:
            return
        self._learn(event.group_id, replace(line, role=event.role), write=True)
        if event.role is Role.OWNER:
            self._change_group(event.group_id, owner=event.account)

    def _change_group(
        self, group_id: GroupId, *, name: str | None = None, owner: AccountId | None = None
    ) -> None:
        group = self._groups.get(group_id)
        if group is None:
            return
        changed = replace(group, name=group.name if name is None else name, owner=owner or group.owner)
        if changed != group:
            self._groups[group_id] = changed
            self._to_rename.add(group_id)
            self._snapshots.clear()

    def _learn(self, group_id: GroupId, line: Listed, *, write: bool = False) -> None:
        roll = self._rolls.get(group_id)
        if roll is None or not line.account:
            return
        roll.put(line)
        self._snapshots.pop((group_id, line.account), None)
        # Before its first list the record knows nobody of a group, and takes that list as where it starts.
        if write and roll.listed:
            self._to_write(group_id, line.account, line)

    def _to_write(self, group_id: GroupId, account: AccountId, line: Listed | None) -> None:
        # A new mapping each time: `flush` sees by it whether more came while it was writing.
        self._to_put[group_id] = {**self._to_put.get(group_id, {}), account: line}

    # — member lists —

    async def take_list(self, event: MembersListed) -> list[Event]:
        """Take in a member list: store what changed, close the tickets it proves done, give the facts.

        The first list of a group is where its record starts, so nobody of it has "joined". A list that is
        incomplete, empty or lacks more than 30 % of those known changes nothing and opens one ticket; once a
        steward has closed that, the same list is believed when it is read again. `confirmed=True` says so at once.

        Returns:
            The facts, inferred, to be handled like any other; none while the list is doubted.
        """
        await self.load_members(event.group_id)
        await self.flush()
        known = await self._records.members(event.group_id)
        found = differences(known, event)
        if found.suspicious is not None:
            if not await self._vouched_for(event, known, found.suspicious):
                return []
            found = differences(known, replace(event, confirmed=True))
        return list(await self._believe(event, known, found))

    async def returned(self, event: MemberJoined) -> Departure | None:
        """Say when and how an account that joined had left this group before; None if it never did (G13).

        Who was put out and is let in again by somebody is for a steward to look at; that one left to dodge
        something takes up again what was open.
        """
        lines = await self._records.audit(
            group_id=event.group_id, subject=f"member:{event.account}", what="member_left"
        )
        earlier = [line for line in lines if line.at <= event.at]
        if not earlier:
            return None
        last = earlier[-1]
        return Departure(at=last.at, how=str(last.detail.get("how", "unknown")), by=last.actor)

    async def _vouched_for(self, event: MembersListed, known: Mapping[AccountId, Listed], why: str) -> bool:
        """Say whether a steward vouched for this very list against this very record; else have one asked."""
        subject = f"list:{_digest(event, known)}"
        now = self._clock.now()
        tickets = await self._records.tickets(group_id=event.group_id, open_only=False)
        vouched = [one for one in tickets if one.subject == subject and _closed_by_hand(one, now)]
        if vouched:
            # Told again is not read again: what was read before the steward's word is no answer to it.
            return any(one.closed_at is not None and event.at >= one.closed_at for one in vouched)
        key = f"list/{event.group_id}"
        if any(ticket.key == key and ticket.closed_at is None for ticket in tickets):
            return False
        text = self._texts(f"list.{why}", told=len(event.members), known=len(known))
        asked = Ticket(group_id=event.group_id, text=text, subject=subject, key=key, opened_at=now)
        opened = await self._records.open_ticket(asked)
        if self._told is not None:
            self._told(opened)
        return False

    async def _believe(
        self, event: MembersListed, known: Mapping[AccountId, Listed], found: Differences
    ) -> tuple[Event, ...]:
        tickets = await self._records.tickets(group_id=event.group_id)
        asked_out = {ticket.wanted.account for ticket in tickets if isinstance(ticket.wanted, RemoveMember)}
        found = replace(
            found,
            left=tuple(
                replace(fact, how="removed") if fact.account in asked_out else fact for fact in found.left
            ),
        )
        now_known = found.applied(known)
        if found.put or found.gone:
            await self._records.put_members(event.group_id, found.put, found.gone)
        if found.left:
            await self._records.note(*(_departed(fact) for fact in found.left))
        for ticket in tickets:
            if ticket.subject.startswith("list:") or _shown_done(ticket, now_known):
                await self._records.close_ticket(ticket.id, by="list", at=self._clock.now())
        self._keep_list(event, now_known, found)
        return found.facts if known else ()

    def _keep_list(
        self, event: MembersListed, now_known: Mapping[AccountId, Listed], found: Differences
    ) -> None:
        """Put the list into the picture; what only messages told of those on it is kept."""
        group_id = event.group_id
        roll = self._rolls[group_id]
        self._leaving = {(group_id, gone): self.member(group_id, gone) for gone in found.gone}
        cards_told = any(line.card for line in event.members)
        told = {line.account: line for line in event.members}
        lines = [
            _with_hearsay(line, told[account], roll.get(account), cards_told=cards_told)
            for account, line in now_known.items()
        ]
        self._rolls[group_id] = Roll(lines, listed=True)
        self._snapshots.clear()
        owners = [line.account for line in lines if line.role is Role.OWNER]
        if len(owners) == 1:
            self._change_group(group_id, owner=owners[0])

    async def _close_proved(self, event: Event) -> None:
        """Close the tickets that asked for what a fact shows done."""
        by = str(getattr(event, "operator", None) or getattr(event, "account", None) or "list")
        for ticket in await self._records.tickets(group_id=event.group_id):
            if _proves(event, ticket):
                await self._records.close_ticket(ticket.id, by=by, at=self._clock.now())

    # — persons —

    async def put_person(self, person: Person, *, by: str) -> Bound:
        """Store what the roster says of a person; id 0 makes a new one.

        Args:
            person: the person as it is to be; `active` turned off means the person left the organisation.
            by: account or office that says so.

        Returns:
            The stored person, and what its groups are to hear: left, returned, roles.
        """
        before = await self._records.person(person.id) if person.id else None
        stored = await self._records.put_person(person)
        self._list(stored)
        changes = _changes(before, stored)
        accounts = await self._records.accounts_of(stored.id)
        return await self._changed(stored, changes, accounts, by=by, what="person_stored")

    async def enrol(
        self, lines: Sequence[PersonLine], *, by: str
    ) -> tuple[Enrolled, tuple[PersonChanged, ...]]:
        """Take what a roster says of persons: all of it or nothing.

        An account nobody has is bound; a provisional person that has one is merged into the person; an account
        of another person stays where it is and is given back as disputed.

        Args:
            lines: the persons.
            by: account or office that says so.

        Returns:
            What came of it, and what the groups of these persons are to hear.

        Raises:
            Conflict: somebody else bound one of the accounts meanwhile; nothing was changed.
        """
        asked = {platform_of(account) for line in lines for account in line.accounts}
        holders: dict[AccountId, Person] = {}
        for platform in sorted(asked):
            holders.update(await self._records.bindings(platform))
        plan = plan_enrolment(lines, await self._records.persons(), holders, now=self._clock.now())
        stored = await self._records.enrol([(one.person, one.fresh) for one in plan])
        for one, person in zip(plan, stored, strict=True):
            for account, former in one.merging.items():
                await self._take_over(person.id, account, former, by=by)
        await self._load_persons()
        told = await self._told_of(plan, stored, by)
        enrolled = Enrolled(
            persons=stored,
            created=sum(one.before is None for one in plan),
            changed=sum(one.changed for one in plan),
            bound=tuple(account for one in plan for account in (*one.fresh, *one.merging)),
            disputed=tuple(
                dispute
                for one, person in zip(plan, stored, strict=True)
                for dispute in one.disputed(person.id)
            ),
        )
        detail = {"created": enrolled.created, "changed": enrolled.changed, "bound": len(enrolled.bound)}
        await self._note("persons_enrolled", by, None, REGISTER, detail)
        return enrolled, told

    async def _take_over(self, person_id: PersonId, account: AccountId, former: PersonId, *, by: str) -> None:
        """Give a person an account that a provisional one had; with all of it, if it had no other."""
        if await self._only(account, former):
            await self._records.merge(person_id, former, by=by, at=self._clock.now())
        else:
            await self._records.bind(account, person_id)

    async def _told_of(
        self, plan: Sequence[Enrolling], stored: Sequence[Person], by: str
    ) -> tuple[PersonChanged, ...]:
        """Write down what changed about whom, and make the facts of it."""
        facts: list[PersonChanged] = []
        lines: list[Audit] = []
        for one, person in zip(plan, stored, strict=True):
            changes = _changes(one.before, person)
            if one.fresh or one.merging:
                changes.append("bound")
            if not changes:
                continue
            former = next(iter(one.merging.values()), None)
            detail: dict[str, object] = {"changes": list(changes), "former": former}
            lines.append(self._line_of("person_enrolled", by, None, f"person:{person.id}", detail))
            facts += await self._facts(person, changes, self.accounts(person.id), former)
        await self._records.note(*lines)
        return tuple(facts)

    async def bind(self, account: AccountId, person_id: PersonId, *, by: str) -> Bound:
        """Bind an account to a person, by a steward's word.

        A provisional person that has this account only is merged into the person, so that what was booked
        before counts on (G7); of an account that was another's, what was booked stays with that other.

        Raises:
            StoreError: there is no such person.
        """
        before = await self._records.person_of(account)
        if before is not None and before.id == person_id:
            return Bound(person=before)
        former = before.id if before is not None else None
        if before is not None and before.provisional:
            await self._take_over(person_id, account, before.id, by=by)
        else:
            await self._records.bind(account, person_id)
        person = await self._found(person_id)
        accounts = await self._records.accounts_of(person.id)
        return await self._changed(
            person, ["bound"], accounts, by=by, what="account_bound", former=former, account=account
        )

    async def unbind(self, account: AccountId, *, by: str) -> Bound:
        """Take an account from its person; from now on it is a provisional person of its own.

        Returns:
            The person it was taken from; its facts name the provisional one as split off. An account that was
            bound to nobody gives that provisional person, and no facts.
        """
        before = await self._records.person_of(account)
        if before is None or before.provisional:
            return Bound(person=before or await self._records.person_for(account))
        alone = await self._records.put_person(Person(id=PersonId(0), provisional=True))
        await self._records.bind(account, alone.id)
        accounts = (account, *await self._records.accounts_of(before.id))
        return await self._changed(
            before, ["unbound"], accounts, by=by, what="account_unbound", former=alone.id, account=account
        )

    async def merge(self, kept: PersonId, gone: PersonId, *, by: str) -> Bound:
        """Make two persons one, with all that was booked of both; `split` takes it apart again.

        Raises:
            StoreError: one of them is not there, or they are the same.
        """
        merge = await self._records.merge(kept, gone, by=by, at=self._clock.now())
        self._register.pop(gone, None)
        person = await self._found(kept)
        accounts = await self._records.accounts_of(person.id)
        return await self._changed(
            person, ["merged"], accounts, by=by, what="persons_merged", former=gone, merge=merge.id
        )

    async def split(self, merge_id: int, *, by: str) -> Bound:
        """Take a merge apart: what came from the one that was merged goes back to it.

        Raises:
            StoreError: there is no such merge.
            Conflict: it was taken apart already.
        """
        merge: Merge = await self._records.split(merge_id, at=self._clock.now())
        person = await self._found(merge.kept)
        self._list(await self._found(merge.gone))
        accounts = [
            *await self._records.accounts_of(merge.kept),
            *await self._records.accounts_of(merge.gone),
        ]
        return await self._changed(
            person, ["split"], accounts, by=by, what="persons_split", former=merge.gone, merge=merge.id
        )

    async def add_steward(self, steward: Steward, *, by: str) -> None:
        """Seat a steward, in one group or in all."""
        await self._records.put_steward(steward)
        await self._note("steward_added", by, steward.group_id, f"account:{steward.account}")
        await self._load_persons()

    async def remove_steward(self, steward: Steward, *, by: str) -> bool:
        """Unseat a steward; False when there was none."""
        there = await self._records.drop_steward(steward)
        if there:
            await self._note("steward_removed", by, steward.group_id, f"account:{steward.account}")
            await self._load_persons()
        return there

    # — the two-way code —

    async def ask_code(self, account: AccountId, group_id: GroupId) -> str:
        """Give an account a code that, sent from another account, binds both to one person.

        The code is a handle and a secret. The record keeps only the secret's hash, in a line of audit found
        by the handle, and one due row that is the code's one life: whoever takes the row has used the code,
        so it works once, in any replica, and a restart forgets nothing.

        Raises:
            CommandError: this account asked for too many.
        """
        if await self._counters.add(f"bind/ask/{account}", 3600) > CODES_PER_HOUR:
            raise CommandError(self._texts("bind.too_often"))
        code = "".join(secrets.choice(_SIGNS) for _ in range(_HANDLE + _SECRET))
        until = self._clock.now() + timedelta(minutes=CODE_MINUTES)
        digest = _hash(code)
        await self._records.put_due([Due(job=f"bind/{digest}", due_at=until, group_id=group_id, plugin=CORE)])
        detail = {"hash": digest, "account": account, "until": until.isoformat()}
        await self._note("bind_code_given", account, group_id, _handle_of(code), detail)
        return f"{code[:_HANDLE]}-{code[_HANDLE:]}"

    async def give_code(self, account: AccountId, code: str) -> Bound:
        """Take a code from an account: whoever asked for it and whoever sends it are one person.

        Of the two persons the one on the roster stays; of two provisional ones, the one that asked.

        Args:
            account: who sends it.
            code: as it was given; case, spaces and the dash do not matter.

        Raises:
            CommandError: wrong, used or expired code, too many tries, the same account, one person already, or
                two different persons of the roster, which only a steward may merge.
        """
        code = "".join(sign for sign in code.upper() if sign in _SIGNS)
        handle = _handle_of(code)
        window = CODE_MINUTES * 60
        tried = [await self._counters.add(f"bind/give/{who}", window) for who in (account, handle)]
        if max(tried) > TRIES:
            raise CommandError(self._texts("bind.too_often"))
        asker = await self._asker(code, handle)
        if asker is None:
            raise CommandError(self._texts("bind.wrong"))
        if asker == account:
            raise CommandError(self._texts("bind.own"))
        theirs, ours = await self._pair(asker, account)
        if not await self._records.drop_due(f"bind/{_hash(code)}"):
            raise CommandError(self._texts("bind.wrong"))
        await self._counters.clear(f"bind/give/{account}", window)
        if theirs.provisional and not ours.provisional:
            return await self.bind(asker, ours.id, by=account)
        return await self.bind(account, theirs.id, by=asker)

    async def _asker(self, code: str, handle: str) -> AccountId | None:
        """Give the account that a code was given to, if it is right and still taken."""
        now, digest = self._clock.now(), _hash(code)
        for line in await self._records.audit(subject=handle, what="bind_code_given"):
            right = hmac.compare_digest(str(line.detail["hash"]), digest)
            if right and now <= datetime.fromisoformat(str(line.detail["until"])):
                return AccountId(str(line.detail["account"]))
        return None

    async def _pair(self, asker: AccountId, account: AccountId) -> tuple[Person, Person]:
        theirs, ours = await self._records.person_for(asker), await self._records.person_for(account)
        if theirs.id == ours.id:
            raise CommandError(self._texts("bind.same"))
        if not (theirs.provisional or ours.provisional):
            raise CommandError(self._texts("bind.two_persons"))
        return theirs, ours

    # — inside: persons —

    async def _only(self, account: AccountId, person_id: PersonId) -> bool:
        return await self._records.accounts_of(person_id) == (account,)

    async def _found(self, person_id: PersonId) -> Person:
        person = await self._records.person(person_id)
        if person is None:
            raise StoreError(f"there is no person {person_id}")
        return person

    async def _changed(
        self,
        person: Person,
        changes: Sequence[Change],
        accounts: Sequence[AccountId],
        *,
        by: str,
        what: str,
        former: PersonId | None = None,
        **detail: object,
    ) -> Bound:
        """Write down a change, take it into the picture, and say it to every group the person is in."""
        detail |= {"former": former, "accounts": sorted(accounts)}
        await self._note(what, by, None, f"person:{person.id}", detail)
        await self._read_again(accounts)
        facts = await self._facts(person, changes, accounts, former) if changes else ()
        return Bound(person=person, facts=facts)

    async def _facts(
        self,
        person: Person,
        changes: Sequence[Change],
        accounts: Sequence[AccountId],
        former: PersonId | None,
    ) -> tuple[PersonChanged, ...]:
        """Say what changed about a person to every group the person is in."""
        now = self._clock.now()
        return tuple(
            PersonChanged(
                id=f"person/{person.id}/{change}/{now.isoformat()}/{group_id}",
                at=now,
                group_id=group_id,
                source="core",
                person_id=person.id,
                change=change,
                former=() if former is None else (former,),
            )
            for group_id in await self._groups_of(accounts)
            for change in changes
        )

    async def _groups_of(self, accounts: Sequence[AccountId]) -> list[GroupId]:
        """Give the groups any of the accounts is in; the record is asked where the members were not read yet."""
        found: list[GroupId] = []
        for group_id, group in list(self._groups.items()):
            here = [account for account in accounts if platform_of(account) == group.platform]
            if not here:
                continue
            members = self._rolls.get(group_id) or await self._records.members(group_id)
            if any(account in members for account in here):
                found.append(group_id)
        return found

    async def _note(
        self,
        what: str,
        actor: str,
        group_id: GroupId | None,
        subject: str,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        await self._records.note(self._line_of(what, actor, group_id, subject, detail or {}))

    def _line_of(
        self, what: str, actor: str, group_id: GroupId | None, subject: str, detail: Mapping[str, object]
    ) -> Audit:
        return Audit(
            at=self._clock.now(),
            what=what,
            actor=actor,
            group_id=group_id,
            subject=subject,
            detail=detail,
        )


async def _each(waiting: list[T], do: Callable[[T], Awaitable[object]]) -> None:
    """Do what waits, one after the other; what fails waits on. Whoever comes meanwhile takes the next, none twice."""
    while waiting:
        one = waiting.pop(0)
        try:
            await do(one)
        except Unstorable:
            raise  # it never can be done, and must not keep the others waiting
        except BaseException:
            waiting.insert(0, one)
            raise


def _changes(before: Person | None, after: Person) -> list[Change]:
    """Give what groups are to hear of a person that is stored anew."""
    changes: list[Change] = []
    if before is None:
        return changes
    if before.active is not after.active:
        changes.append("returned" if after.active else "left")
    if before.org_roles != after.org_roles:
        changes.append("roles")
    return changes


def _departed(event: MemberLeft) -> Audit:
    return Audit(
        at=event.at,
        what="member_left",
        actor=event.operator or event.account,
        group_id=event.group_id,
        subject=f"member:{event.account}",
        detail={"how": event.how, "inferred": event.inferred},
    )


def _with_hearsay(line: Listed, told: Listed, heard: Listed | None, *, cards_told: bool) -> Listed:
    """Give a stored line with what was heard since of anything the list itself did not tell."""
    if heard is None:
        return line
    return replace(
        line,
        name=told.name or heard.name or line.name,
        card=line.card if cards_told else heard.card or line.card,
        role=heard.role if told.role is Role.UNKNOWN and heard.role is not Role.UNKNOWN else line.role,
    )


def _shown_done(ticket: Ticket, members: Mapping[AccountId, Listed]) -> bool:
    """Say whether a believed list shows that what a ticket asks for was done, or can be done no more."""
    match ticket.wanted:
        case RemoveMember(account=account) | Mute(account=account) | Unmute(account=account):
            return account not in members  # who is gone can neither speak nor be kept from it
        case SetCard(account=account, card=card):
            line = members.get(account)
            return line is None or line.card == card
        case _:
            return False


def _proves(event: Event, ticket: Ticket) -> bool:
    """Say whether a fact shows that what a ticket asks for was done."""
    match event, ticket.wanted:
        case MemberLeft(account=account), (
            RemoveMember(account=wanted)
            | Mute(account=wanted)
            | Unmute(account=wanted)
            | SetCard(account=wanted)
        ):
            return account == wanted
        case MemberRenamed(account=account, new=card), SetCard(account=wanted, card=wished):
            return account == wanted and card == wished
        case GroupRenamed(name=name), RenameGroup(name=wished):
            return name == wished
        case MessageRecalled(message_id=message_id), DeleteMessage(message_id=wanted):
            return message_id == wanted
        case _:
            return False


def _closed_by_hand(ticket: Ticket, now: datetime) -> bool:
    recent = ticket.closed_at is not None and now - ticket.closed_at <= CONFIRMED_FOR
    return recent and ticket.closed_by != "list"


def _digest(event: MembersListed, known: Mapping[AccountId, Listed]) -> str:
    """Name a list together with what it would change, so that a steward's word holds for nothing else."""
    told = sorted({line.account for line in event.members})
    parts = [str(event.complete), *told, "", *sorted(known)]
    return _hash("\n".join(parts))[:24]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _handle_of(code: str) -> str:
    return f"code:{code[:_HANDLE]}"
