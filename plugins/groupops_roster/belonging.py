"""Who belongs where: how an account stands to the roster, and whom a regulation's word for members picks. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from groupops import Member, Person, Role


class Standing(StrEnum):
    """How an account stands to the roster, as far as the register tells.

    `ELSEWHERE` is somebody of the organisation in a group that is for certain units only.
    """

    REGISTERED = "registered"
    ELSEWHERE = "elsewhere"
    LEFT = "left"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words in which regulations name members.

    Args:
        each: what stands before a unit of which there are several (`各`).
        project: what such a unit's name may leave out (`项目`).
        managers: words for all who manage.
        manager_roles, manager_positions: by what those are known; positions by their ending.
        owner, admin: words for the owner and the admins of a group on the platform.
        ends: words that end an exception or a guest's stay.
        own_picture, take_back: what is said of one's own picture.
    """

    each: str
    project: str
    managers: tuple[str, ...]
    manager_roles: tuple[str, ...]
    manager_positions: tuple[str, ...]
    owner: tuple[str, ...]
    admin: tuple[str, ...]
    ends: tuple[str, ...]
    own_picture: tuple[str, ...]
    take_back: tuple[str, ...]


_LISTS = frozenset("managers manager_roles manager_positions owner admin ends own_picture take_back".split())


@cache
def words() -> Words:
    """Read `words.toml`."""
    raw: dict[str, Any] = tomllib.loads(
        resources.files("groupops_roster").joinpath("words.toml").read_text("utf-8")
    )
    made: dict[str, Any] = {
        key: tuple(map(str, value)) if key in _LISTS else str(value) for key, value in raw.items()
    }
    return Words(**made)


@dataclass(frozen=True, slots=True)
class Selector:
    """A regulation's word for people who have to be in a group: a role, a unit, a position, or `各…部`."""

    word: str

    def picks(self, person: Person) -> bool:
        """Say whether a person is meant."""
        known = words()
        if self.word in person.org_roles:
            return True
        if self.word in known.managers:
            return _manages(person, known)
        if self.word.startswith(known.each):
            return _one_of_several(person.department, self.word.removeprefix(known.each), known.project)
        units = (person.company, person.region)
        return (
            self.word in units
            or person.department.startswith(self.word)
            or person.position.endswith(self.word)
        )


def _manages(person: Person, known: Words) -> bool:
    return not person.org_roles.isdisjoint(known.manager_roles) or person.position.endswith(
        known.manager_positions
    )


def _one_of_several(department: str, unit: str, project: str) -> bool:
    """`各项目招商部` are all departments whose names end in 项目招商部, or in 招商部 behind a project's own name."""
    short = unit.removeprefix(project)
    return bool(short) and department.endswith(short) and department != short


def standing_of(person: Person | None, eligible: str, must_join: Sequence[Selector]) -> Standing:
    """Say how whoever an account is bound to stands to the roster.

    Args:
        person: the registered person, or None.
        eligible: `department` where only those the selectors pick may be in the group; else anybody registered.
        must_join: the selectors.
    """
    if person is None:
        return Standing.UNKNOWN
    if not person.active:
        return Standing.LEFT
    if eligible == "department" and must_join and not any(one.picks(person) for one in must_join):
        return Standing.ELSEWHERE
    return Standing.REGISTERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """What of the roster somebody may change.

    Args:
        everything: True for stewards.
        company, department: the unit the giver looks after; empty = none.
        members: True for who looks after the group itself: everybody in it.
    """

    everything: bool = False
    company: str = ""
    department: str = ""
    members: bool = False

    def over_unit(self, company: str, department: str) -> bool:
        """Say whether it covers a unit."""
        if self.everything:
            return True
        same_company = not self.company or not company or self.company == company
        return bool(self.department) and same_company and department.startswith(self.department)

    def over(self, person: Person, *, inside: bool) -> bool:
        """Say whether it covers a person; `inside` = the person is in the group."""
        return (self.members and inside) or self.over_unit(person.company, person.department)


def authority_of(giver: Member, person: Person | None, delegate_roles: Iterable[str]) -> Authority | None:
    """Say what of the roster a member may change; None for nothing.

    Args:
        giver: the member.
        person: who the member is, if registered.
        delegate_roles: the roles, positions or places in the group that may.
    """
    if giver.steward:
        return Authority(everything=True)
    roles, known = frozenset(delegate_roles), words()
    in_group = (giver.role is Role.OWNER and not roles.isdisjoint(known.owner)) or (
        giver.role in (Role.OWNER, Role.ADMIN) and not roles.isdisjoint(known.admin)
    )
    holds = person is not None and person.active and _holds(person, roles)
    if not in_group and not holds:
        return None
    return Authority(
        company=person.company if person is not None else "",
        department=person.department if person is not None else "",
        members=in_group,
    )


def _holds(person: Person, roles: frozenset[str]) -> bool:
    return not roles.isdisjoint(person.org_roles) or any(
        role and person.position.endswith(role) for role in roles
    )
