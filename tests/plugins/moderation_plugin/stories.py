"""A group ruled by moderation alone, and what one may ask of it afterwards."""

from __future__ import annotations

from typing import Any

from groupops import Case, Evidence, File, Media, MessagePosted
from groupops.flow import Outcome
from groupops.records import OutboxRow
from groupops.testing import Rig

ONLY = ("moderation",)
ABUSE = "你是傻逼吧"
MILD = "脑残"
LEWD = "裸聊一对一,约炮加微信abc12345"


def pack(table: str = "", use: str = '"insult", "porn"', ladders: str = 'default = "soft"') -> str:
    """A pack with moderation alone, as TOML; `table` is written into its table."""
    return f"""schema = 1
[pack]
id = "clean"
title = "文明"
[plugins]
enabled = ["moderation"]
[moderation]
use = [{use}]
{table}
[moderation.ladders]
{ladders}
[clause."moderation.insult"]
ref = "第三条"
text = "不得骂人。"
"""


async def only_case(rig: Rig) -> Case:
    (case,) = await rig.records.cases()
    return case


async def last_case(rig: Rig) -> Case:
    return max(await rig.records.cases(), key=lambda case: case.id)


async def cases(rig: Rig) -> tuple[Case, ...]:
    return tuple(await rig.records.cases())


def said(rig: Rig) -> list[str]:
    """What the bot said in the group, in order."""
    return [post.text for post in rig.sandbox.world.said_by_bot("g1")]


def told(rig: Rig, account: str) -> list[str]:
    """What the bot wrote to somebody alone, in order."""
    return [letter.post.text for letter in rig.sandbox.world.letters_to(account)]


def stands(rig: Rig, outcome: Outcome | None) -> bool:
    """Whether a message is still there for all to see."""
    assert outcome is not None
    assert isinstance(outcome.event, MessagePosted)
    return rig.sandbox.world.post_of("g1", outcome.event.message_id).recalled_by is None


async def tickets(rig: Rig) -> list[str]:
    """What the stewards have to do, in words."""
    return [ticket.text for ticket in await rig.records.tickets(open_only=False)]


async def actions(rig: Rig, case: Case) -> list[str]:
    """The kinds of actions that followed from a case."""
    rows: tuple[OutboxRow, ...] = tuple(await rig.records.outbox(case_id=case.id))
    return [row.action.kind for row in rows]


def seen(case: Case, *kinds: str) -> list[Evidence]:
    """The evidence of some kinds."""
    return [one for one in case.evidence if one.what in kinds]


def file(name: str) -> dict[str, Any]:
    """A posted file, as `say` takes it."""
    return {"segments": (File(media=Media(id=f"f/{name}", media_kind="file"), name=name),)}
