"""What stories of check-in have in common: a group of the furniture company, its people, and ways to look."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from groupops import AccountId, GroupId, Location, PersonLine, Role
from groupops.testing import Rig, rig
from groupops_check_in import book
from groupops_check_in.day import Entry

SHANGHAI = ZoneInfo("Asia/Shanghai")
GROUP = GroupId("sandbox:g1")
ONLY = ("check_in",)

HEAD = {"lat": 39.9087, "lon": 116.3975}
"""The head office, in GCJ-02."""

SITES = """
sites = [
    { label = "总部", at = [116.3975, 39.9087], radius_m = 300, city = "北京", also = ["公司"] },
    { label = "仓库", polygon = [[116.50, 39.90], [116.51, 39.90], [116.51, 39.91], [116.50, 39.91]] },
]
"""

CAST = {
    "owner": Role.OWNER,
    "admin": Role.ADMIN,
    "boss": Role.MEMBER,
    "li": Role.MEMBER,
    "zhao": Role.MEMBER,
    "sun": Role.MEMBER,
    "clerk": Role.MEMBER,
}

NAMES = {"boss": "派单员", "li": "李四", "zhao": "赵六", "sun": "孙八", "clerk": "文员"}


def pack(table: str = SITES, roles: str = '["业务人员"]') -> str:
    """The furniture company's rule, with whatever else is set."""
    return f"""schema = 1
[pack]
id = "furniture"
title = "家具公司"
[plugins]
enabled = ["check_in"]
[check_in]
roles = {roles}
{table}
[clause."check_in.report"]
ref = "篇二 3.5"
"""


def at(text: str) -> datetime:
    """A moment by the clocks of the group."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@asynccontextmanager
async def office(
    start: str = "2025-03-03T08:00",
    *,
    text: str = "",
    profile: str = "full",
    agreed: Iterable[str] = ("li", "zhao"),
    dispatcher: bool = True,
    **more: Any,
) -> AsyncGenerator[Rig]:
    """A group with three on business, of whom some agreed, a clerk, and somebody who sends people out."""
    async with rig(
        pack=text or pack(),
        plugins=ONLY,
        start=at(start),
        profile=profile,
        cast=CAST,
        stewards=("sandbox:admin",),
        **more,
    ) as r:
        await r.enrol(*(line(who, dispatcher=dispatcher) for who in NAMES))
        for who in agreed:
            await agree(r, who)
        r.sandbox.world.letters.clear()
        yield r


def line(
    who: str, *, dispatcher: bool = True, active: bool = True, roles: Iterable[str] | None = None
) -> PersonLine:
    """What the roster says of somebody."""
    own = {"boss": {"dispatcher"} if dispatcher else set(), "clerk": {"文员"}}.get(who, {"业务人员"})
    return PersonLine(
        ref=who,
        name=NAMES[who],
        department="销售部",
        org_roles=frozenset(own if roles is None else roles),
        active=active,
        accounts=(AccountId(f"sandbox:{who}"),),
    )


async def agree(r: Rig, who: str) -> None:
    """Read the purpose, then agree."""
    await r.whisper("g1", who, "同意打卡")
    await r.whisper("g1", who, "同意打卡")


async def locate(
    r: Rig,
    who: str,
    lat: float = HEAD["lat"],
    lon: float = HEAD["lon"],
    crs: str = "gcj02",
    *,
    private: bool = True,
) -> None:
    """Share a location, with the bot alone unless said otherwise."""
    place = Location(latitude=lat, longitude=lon, crs=crs)  # type: ignore[arg-type]
    await r.tell(r.sandbox.locate("g1", who, place, private=private))


def letters(r: Rig, who: str) -> list[str]:
    """The bot's private words to somebody."""
    return [letter.post.text for letter in r.sandbox.world.letters_to(who)]


def last(r: Rig, who: str) -> str:
    """The last of them; empty when there is none."""
    return (letters(r, who) or [""])[-1]


def said(r: Rig) -> list[str]:
    """What the bot said in the group."""
    return [post.text for post in r.sandbox.world.said_by_bot("g1")]


async def entry(r: Rig, who: str, day: str = "2025-03-03") -> Entry | None:
    """Somebody's day as it is kept."""
    person = r.engine.people.person(AccountId(f"sandbox:{who}"))
    assert person is not None
    return await book.entry_of(GROUP, person.id, datetime.fromisoformat(day).date())


async def state(r: Rig, who: str, day: str = "2025-03-03") -> str:
    """What somebody's day came to; empty when nothing is kept."""
    found = await entry(r, who, day)
    return found.state.value if found else ""
