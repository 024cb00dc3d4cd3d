"""A group in which newcomers are welcomed, and what one may look at afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from groupops import Mention, Text
from groupops.records import Obligation
from groupops.testing import Rig

ONLY = ("welcome", "quiet_hours")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NIGHT = '[quiet_hours]\nwindows = [{ start = "23:30", end = "07:30" }]'

CLAUSES = """
[clause."roster.outsider"]
ref = "篇十 一.1"
text = "只收本单位员工。"
[clause."moderation.porn"]
ref = "篇十 二.6"
text = "不发不健康的图片。"
[clause."pacing.flood"]
ref = "篇十 二.6"
text = "不得刷屏。"
[clause."quiet_hours.rest"]
ref = "篇十 二.9"
text = "每晚 23:30 到次日 07:30 为休息时间。"
[clause."duty.posts"]
ref = "篇十 四"
text = "自发布之日起施行。"
"""


def pack(welcome: str = "", more: str = NIGHT, clauses: str = CLAUSES, enabled: str = "") -> str:
    """A pack with welcome and quiet hours, as TOML; `welcome` is written into its table."""
    return f"""schema = 1
[pack]
id = "house"
title = "员工群管理办法"
[plugins]
enabled = ["welcome", "quiet_hours"{enabled}]
[welcome]
{welcome}
{more}
{clauses}
"""


async def join(rig: Rig, *accounts: str, **more: Any) -> None:
    """Have people come in; where nobody tells of it, the next member list does."""
    told = [await rig.tell(rig.sandbox.join("g1", account, **more)) for account in accounts]
    if None in told:
        await rig.tell(rig.sandbox.census("g1"))


async def welcomed(rig: Rig, *accounts: str, **more: Any) -> None:
    """Have people come in and be greeted."""
    await join(rig, *accounts, **more)
    await rig.advance(2 * MINUTE)


def said(rig: Rig) -> list[str]:
    """What the bot said in the group, in order, without quotes and mentions."""
    posts = rig.sandbox.world.said_by_bot("g1")
    return ["".join(part.text for part in post.segments if isinstance(part, Text)) for post in posts]


def mentioned(rig: Rig) -> list[str]:
    """Whom the bot's last message in the group mentions."""
    post = rig.sandbox.world.said_by_bot("g1")[-1]
    return [part.name for part in post.segments if isinstance(part, Mention)]


def told(rig: Rig, account: str) -> list[str]:
    """What the bot wrote to somebody alone, in order."""
    return [letter.post.text for letter in rig.sandbox.world.letters_to(account)]


async def tickets(rig: Rig) -> list[str]:
    """What the stewards have to do, in words."""
    return [ticket.text for ticket in await rig.records.tickets(open_only=False)]


async def owed(rig: Rig, account: str) -> dict[str, str]:
    """What somebody owed, by kind, with its state."""
    rows: tuple[Obligation, ...] = tuple(await rig.records.obligations(plugin="welcome"))
    return {row.obligation_kind: row.status.value for row in rows if row.account == f"sandbox:{account}"}


async def asked(rig: Rig, text: str, by: str = "wang") -> str:
    """What the bot answers a command in the group; empty when it says nothing."""
    before = len(said(rig))
    await rig.say("g1", by, text)
    return "\n".join(said(rig)[before:])


async def asked_alone(rig: Rig, text: str, by: str = "wang") -> str:
    """What the bot answers a command that was written to it alone."""
    before = len(told(rig, by))
    await rig.whisper("g1", by, text)
    return "\n".join(told(rig, by)[before:])
