"""A group in which insults lead to a red packet, and what one may ask of it afterwards."""

from __future__ import annotations

from typing import Any

from groupops import Case
from groupops.testing import Rig
from groupops_red_packet.journal import Item
from groupops_red_packet.ledger import Ledger

WITH = ("moderation", "red_packet")
ABUSE = "你是傻逼吧"
EDUCATION = 'mode = "education"\namount_cny = 5\nalternatives = ["文字致歉", "分享一条行业信息", "免除"]'
COMMITMENT = """mode = "commitment"
legal_basis = "理事会决议第 2 号"
consulted_on = "2025-02-01"
amount_cny = 5
alternatives = ["文字致歉", "分享一条行业信息", "免除"]"""


def pack(table: str = EDUCATION, more: str = "") -> str:
    """A pack as TOML; `table` is written into the plugin's own table."""
    return f"""schema = 1
[pack]
id = "guild"
title = "商会群规"
[plugins]
enabled = ["moderation", "red_packet"]
[moderation]
use = ["insult"]
[moderation.ladders]
default = "redpacket"
[red_packet]
{table}
{more}
[clause."moderation.insult"]
ref = "第四条"
text = "说话要文明。"
"""


def ledger(rig: Rig) -> Ledger:
    """The ledger itself."""
    own = rig.engine.parts.hooks.own("red_packet")
    assert isinstance(own, Ledger)
    return own


async def item(rig: Rig, case_id: int) -> Item:
    """One item as it stands."""
    found = await ledger(rig).item(case_id)
    assert found is not None
    return found


async def offend(rig: Rig, who: str = "wang", text: str = ABUSE) -> Case:
    """Somebody is rude; gives the case."""
    await rig.say("g1", who, text)
    return max(await rig.records.cases(), key=lambda case: case.id)


async def owing(rig: Rig, who: str = "wang", text: str = ABUSE) -> int:
    """Somebody is rude and a steward approves; gives the number."""
    case = await offend(rig, who, text)
    await rig.say("g1", "admin", f"批准 {case.id}")
    return case.id


async def promised(rig: Rig, who: str = "wang") -> int:
    """Two stewards approve and the person accepts; gives the number."""
    number = await owing(rig, who)
    await rig.say("g1", "admin2", f"核准红包 {number}")
    await rig.whisper("g1", who, f"接受 {number}")
    return number


def told(rig: Rig, account: str) -> list[str]:
    """What the bot wrote to somebody alone, in order."""
    return [letter.post.text for letter in rig.sandbox.world.letters_to(account)]


def said(rig: Rig) -> list[str]:
    """What the bot said in the group, in order."""
    return [post.text for post in rig.sandbox.world.said_by_bot("g1")]


async def tickets(rig: Rig) -> list[str]:
    """What the stewards were asked, in words."""
    return [ticket.text for ticket in await rig.records.tickets(open_only=False)]


async def audit(rig: Rig, what: str) -> list[Any]:
    """Lines of audit of one kind."""
    return list(await rig.records.audit(what=what))
