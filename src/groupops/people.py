"""Who there is: persons of the organisation, their accounts on platforms, members of groups, and groups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

PersonId = NewType("PersonId", int)
"""Number of a person in the store; stays the same across platforms, cards and groups."""

AccountId = NewType("AccountId", str)
"""`<platform>:<native id>`, e.g. `qq:10001`."""

GroupId = NewType("GroupId", str)
"""`<platform>:<native id>`, e.g. `qq:814231345`."""


class Role(StrEnum):
    """What an account is in a group, as the platform says. `UNKNOWN` is never treated as a plain member."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    UNKNOWN = "unknown"


def platform_of(id_: str) -> str:
    """Give the platform part of an account's or a group's id (`qq` of `qq:10001`)."""
    return id_.partition(":")[0]


def native_of(id_: str) -> str:
    """Give the platform's own part of an account's or a group's id (`10001` of `qq:10001`)."""
    return id_.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person of the organisation.

    Args:
        id: number in the store.
        name: real name as the roster has it; empty while provisional.
        org_roles: roles in the organisation (`leader`, `steward`, `hr`, `dispatcher`, any name).
        department: where the person works.
        active: False once the roster says the person has left.
        provisional: True for a person made up for an account that is bound to nobody.
        ref: the organisation's own number of the person (工号, 会员号); empty when it has none.
        company: the company the person belongs to, where members come from several.
        position: as what the person works.
        region: where the person works, where cards say so.
        left_at: when the person left the organisation, if known.
    """

    id: PersonId
    name: str = ""
    department: str = ""
    org_roles: frozenset[str] = frozenset()
    active: bool = True
    provisional: bool = False
    ref: str = ""
    company: str = ""
    position: str = ""
    region: str = ""
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine:
    """What a roster says of one person; proposed to the core, which owns the persons.

    Args:
        person_id: the person meant; None = found by `ref`, else by an account, else new.
        ref: the organisation's own number of the person; empty when it has none.
        name: real name.
        department, company, position, region: where and as what the person works.
        org_roles: roles in the organisation.
        active: False when the person has left.
        left_at: when the person left, if known.
        accounts: the person's accounts as the roster has them.
    """

    person_id: PersonId | None = None
    ref: str = ""
    name: str
    department: str = ""
    company: str = ""
    position: str = ""
    region: str = ""
    org_roles: frozenset[str] = frozenset()
    active: bool = True
    left_at: datetime | None = None
    accounts: tuple[AccountId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed:
    """An account that a roster gives to one person and that is another's already; a human decides.

    Args:
        account: the account.
        said: the person the roster says it is.
        holder: the person that has it.
    """

    account: AccountId
    said: PersonId
    holder: PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What came of lines of a roster.

    Args:
        persons: the person of each line, in order, as stored.
        created, changed: how many persons are new, how many say something else than before.
        bound: accounts that were bound, provisional persons merged among them.
        disputed: accounts that were left where they are.
    """

    persons: tuple[Person, ...] = ()
    created: int = 0
    changed: int = 0
    bound: tuple[AccountId, ...] = ()
    disputed: tuple[Disputed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One account in one group, as known at this moment; a snapshot, not a row.

    Args:
        account: the account's id.
        person_id: the person it is bound to; None while nothing about it needed to be stored.
        name: the account's own nickname.
        card: its name in this group (群名片); empty when it has none.
        role: what the platform says it is here.
        org_roles: the organisation's roles of the person.
        real_name: the roster's name of the person, empty when unbound.
        joined_at: when it came in, if known.
        steward: True when this person may decide cases in this group.
        provisional: True when the person is nobody's on the register and has no other account: it was made
            because something about this account had to be stored.
    """

    account: AccountId
    person_id: PersonId | None = None
    name: str = ""
    card: str = ""
    role: Role = Role.UNKNOWN
    org_roles: frozenset[str] = frozenset()
    real_name: str = ""
    joined_at: datetime | None = None
    steward: bool = False
    provisional: bool = False

    @property
    def key(self) -> str:
        """The key under which this person's doings are counted: the person if bound, else the account.

        That something is stored of an account makes it no other person: the key stays the account's.
        """
        return self.account if self.person_id is None or self.provisional else f"p{self.person_id}"

    @property
    def called(self) -> str:
        """How to address the member: card, else nickname, else the native id."""
        return self.card or self.name or native_of(self.account)

    @property
    def protected(self) -> bool:
        """True for owners, admins and stewards: only a human may sanction them."""
        return self.steward or self.role in (Role.OWNER, Role.ADMIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """Where a rule stands in the regulation.

    Args:
        ref: text and its own numbering, e.g. `篇十 二.7`.
        text: the rule in our words.
    """

    ref: str
    text: str = ""


class Stage(StrEnum):
    """Life cycle of a policy in a group; each stage does all that the one before it does and more."""

    DRAFT = "draft"
    REHEARSED = "rehearsed"
    SHADOW = "shadow"
    WARN_ONLY = "warn_only"
    ENFORCED = "enforced"

    @property
    def books(self) -> bool:
        """True where offences become cases."""
        return self in (Stage.WARN_ONLY, Stage.ENFORCED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group that groupops looks after.

    Args:
        id: `<platform>:<native id>`.
        name: its name as last seen.
        timezone: IANA name; windows and deadlines are read in it.
        stage: how far its policy bites, one of `Stage`.
        packs: ids of the packs bound to it, in order.
        owner: the account that owns it, as last seen or as bound.
        revision: number of the policy revision in force.
    """

    id: GroupId
    name: str = ""
    timezone: str = "Asia/Shanghai"
    stage: Stage = Stage.SHADOW
    packs: tuple[str, ...] = ()
    owner: AccountId | None = None
    revision: int = 0

    @property
    def platform(self) -> str:
        """The platform's name, e.g. `qq`."""
        return platform_of(self.id)
