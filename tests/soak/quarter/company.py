"""Who there is in the company of the soak: three hundred persons, their accounts and their habits, all from the dice."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from groupops import AccountId, GroupId, PersonLine

PERSONS = 300
HERE, THERE = "sandbox", "other"
"""The platform everybody is on, and the one on which some have a second account."""

PACKS = Path(__file__).with_name("packs")

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华"
_DEPARTMENTS = ("销售部", "市场部", "技术部", "财务部", "人资中心", "客服部")


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """A group: its platform and native name, its packs, how many sit in it at first, and how much is said."""

    platform: str
    name: str
    packs: tuple[str, ...]
    seats: int
    talk: float

    @property
    def id(self) -> GroupId:
        return GroupId(f"{self.platform}:{self.name}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Employee:
    """One person: who it is, where it sits, and what is to be expected of it."""

    number: int
    name: str
    department: str
    roles: frozenset[str] = frozenset()
    second: bool = False
    temper: str = "calm"
    """`calm`, `rude`, `advertiser`, `gambler`, `owl` or `agitator`."""
    punctual: float = 0.9
    active: bool = True

    @property
    def ref(self) -> str:
        return f"E{self.number:04d}"

    def account(self, platform: str) -> AccountId:
        return AccountId(f"{platform}:{'p' if platform == HERE else 'w'}{self.number:04d}")

    @property
    def accounts(self) -> tuple[AccountId, ...]:
        here = self.account(HERE)
        return (here, self.account(THERE)) if self.second else (here,)

    @property
    def line(self) -> PersonLine:
        """The person as the roster has it."""
        return PersonLine(
            ref=self.ref,
            name=self.name,
            department=self.department,
            company="宏远公司",
            position="经理" if "leader" in self.roles else "专员",
            region="上海",
            org_roles=self.roles,
            active=self.active,
            accounts=self.accounts,
        )

    @property
    def card(self) -> str:
        return f"{self.department}-{self.name}"


@dataclass
class Company:
    """Everybody, and which accounts the stewards have."""

    rooms: tuple[Room, ...]
    people: dict[int, Employee] = field(default_factory=dict)
    stewards: tuple[int, ...] = (1, 2, 3)

    @property
    def named(self) -> tuple[AccountId, ...]:
        """The accounts seated as stewards; the others of their persons follow."""
        return tuple(self.people[number].account(HERE) for number in self.stewards)

    def lines(self, numbers: Iterable[int]) -> list[PersonLine]:
        return [self.people[number].line for number in numbers]

    def change(self, number: int, **to: object) -> Employee:
        self.people[number] = replace(self.people[number], **to)  # type: ignore[arg-type] # names of its own fields
        return self.people[number]

    def of(self, account: str) -> Employee | None:
        """Whose account it is; None of an outsider."""
        native = account.partition(":")[2]
        own = native[:1] in {"p", "w"} and native[1:].isdigit()
        return self.people.get(int(native[1:])) if own else None

    def hire(self, dice: random.Random) -> Employee:
        """Somebody new, not on the roster yet."""
        made = _employee(max(self.people) + 1, dice)
        self.people[made.number] = made
        return made


def founded(dice: random.Random, rooms: Sequence[Room]) -> Company:
    """Found the company: persons 1 to 3 are its stewards, 4 to 9 lead, 10 to 14 dispatch."""
    company = Company(rooms=tuple(rooms))
    for number in range(1, PERSONS + 1):
        company.people[number] = _employee(number, dice)
    return company


def _employee(number: int, dice: random.Random) -> Employee:
    name = _name(number)
    troubled = number > 20
    tempers = ("calm", "rude", "advertiser", "gambler", "owl", "agitator")
    return Employee(
        number=number,
        name=name,
        department=dice.choice(_DEPARTMENTS),
        roles=frozenset(_roles(number)),
        second=number <= 3 or (number > 20 and dice.random() < 0.15),
        temper=dice.choices(tempers, weights=(80, 5, 3, 3, 8, 1))[0] if troubled else "calm",
        punctual=dice.choice((0.95, 0.9, 0.6)),
    )


def _name(number: int) -> str:
    """Give a name that no other has."""
    rest, first = divmod(number * 7919, len(_SURNAMES))
    second, third = divmod(rest % len(_GIVEN) ** 2, len(_GIVEN))
    return _SURNAMES[first] + _GIVEN[second] + _GIVEN[third]


def _roles(number: int) -> tuple[str, ...]:
    if number <= 3:
        return ("hr",)
    if number <= 9:
        return ("leader",)
    if number <= 14:
        return ("dispatcher",)
    return ("业务人员",) if number % 4 == 0 else ()


def seated(company: Company, room: Room, dice: random.Random) -> list[int]:
    """Choose who sits in a group at first: those who lead, and as many others as it holds."""
    may = [n for n, one in company.people.items() if n > 14 and (room.platform == HERE or one.second)]
    leads = [*company.stewards, *(range(4, 15) if room.platform == HERE else ())]
    return [*leads, *sorted(dice.sample(may, min(room.seats, len(may))))]
