"""A group held against its roster, and what one may look at afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from groupops import AccountId, Case, PersonLine
from groupops.testing import Rig

ONLY = ("roster",)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NO_CARDS = "[roster.card]\nenforce = false"
DAILY = 'audit_at = "09:30"\n'
KICK = DAILY + 'unknown_action = "kick_case"'


def pack(roster: str = "", card: str = NO_CARDS, group: str = "") -> str:
    """A pack with the roster alone, as TOML; `roster` and `group` are written into these tables."""
    return f"""schema = 1
[pack]
id = "house"
title = "员工群管理办法"
[plugins]
enabled = ["roster"]
[group]
{group}
[roster]
{roster}
{card}
[clause."roster.outsider"]
ref = "一.1"
[clause."roster.card"]
ref = "一.2"
[clause."roster.leaver"]
ref = "三.2"
"""


def at(text: str) -> datetime:
    """A moment by the clocks of the group."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def line(name: str, account: str = "", unit: str = "销售部", ref: str = "", **more: Any) -> PersonLine:
    """A line of the roster."""
    accounts = (AccountId(f"sandbox:{account}"),) if account else ()
    return PersonLine(name=name, department=unit, ref=ref, accounts=accounts, **more)


STEWARDS = (
    line("陈管", "admin", "人资中心"),
    line("林管", "admin2", "人资中心"),
    line("方主", "owner", "总经办"),
)
STAFF = (*STEWARDS, line("王五", "wang"), line("李四", "li"))
"""Everybody who sits in a rig's group unless a test says otherwise."""


def told(rig: Rig, account: str) -> list[str]:
    """What the bot wrote to somebody alone, in order."""
    return [letter.post.text for letter in rig.sandbox.world.letters_to(account)]


def said(rig: Rig) -> list[str]:
    """What the bot said in the group, in order."""
    return [post.text for post in rig.sandbox.world.said_by_bot("g1")]


async def tickets(rig: Rig, word: str = "") -> list[str]:
    """What the stewards were asked in tickets that hold a word; those of cases left out."""
    rows = await rig.records.tickets(open_only=False)
    return [row.text for row in rows if word in row.text and not row.subject.startswith("case:")]


async def cases(rig: Rig, rule: str = "") -> list[Case]:
    """The cases by a rule."""
    return [case for case in await rig.records.cases() if rule in case.rule]


async def person_of(rig: Rig, account: str) -> str:
    """The roster's name of whoever an account is; empty when it is nobody's."""
    person = await rig.records.person_of(AccountId(f"sandbox:{account}"))
    return "" if person is None or person.provisional else person.name


async def audit(rig: Rig, what: str) -> int:
    """How many lines of audit say this."""
    return len(await rig.records.audit(what=what))


async def join(rig: Rig, account: str, **more: Any) -> None:
    """Have somebody come in; where nobody tells of it, the next member list does."""
    if await rig.tell(rig.sandbox.join("g1", account, **more)) is None:
        await rig.tell(rig.sandbox.census("g1"))


async def card(rig: Rig, account: str, text: str) -> None:
    """Have a member change the card."""
    await rig.tell(rig.sandbox.card("g1", account, text))


def inside(rig: Rig, account: str) -> bool:
    """Whether somebody sits in the group."""
    return f"sandbox:{account}" in rig.sandbox.world.room("g1").seats
