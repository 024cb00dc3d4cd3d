"""Newcomers are welcomed as each kind of chat lets: by difference in a group of the app's, by event among customers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from groupops import AccountId, GroupId, Stage
from groupops.records import Steward
from groupops.scans import Scans
from groupops.testing import Rig, rig
from tests.support.wecom_rig import OWNER, ROOM, Modes, Served, serving, shown
from tests.support.wecom_stub import OVER_HTTPX

pytestmark = OVER_HTTPX

GROUP = GroupId(f"wecom:{ROOM}")
PACK = """\
schema = 1
[pack]
id = "hello"
title = "群规"
org_type = "company"
[plugins]
enabled = ["welcome"]
[welcome]
batch_window_s = 10
checklist = ["阅读群规"]
send_rules = "hint"
"""


@dataclass
class Door:
    """A group on WeCom people come into, looked after by an engine."""

    served: Served
    rig: Rig
    scans: Scans

    async def comes(self, userid: str, name: str) -> None:
        """Have somebody come in, and whatever follows in the minute after it."""
        self.served.far.world.hire(userid, name)
        await self.served.far.join(userid, self.served.chat, scene=3)
        for _ in range(2):
            await self.served.settled()
            await self.served.platform.settled()
            await self.hear()
        await self.rig.advance(timedelta(minutes=1))
        assert await self.scans.scan(GROUP)
        await self.rig.advance(timedelta(minutes=1))

    async def hear(self) -> None:
        """Handle what WeCom told."""
        for fact in await self.served.facts():
            await self.rig.engine.flow.handle(fact)
        await self.rig.settle()

    def said(self) -> list[str]:
        """Give what the bots said in the group."""
        people = self.served.far.world.people
        return [shown(one) for one in self.served.chat.said if one.by not in people]

    def letters(self, userid: str) -> list[str]:
        return [shown(one) for one in self.served.far.world.people[userid].inbox]


@asynccontextmanager
async def door(modes: Modes, folder: Path) -> AsyncGenerator[Door]:
    async with (
        rig(groups=(), plugins=("welcome",), pack=PACK) as r,
        serving(modes, folder, clock=r.clock) as served,
    ):
        r.engine.parts.platforms["wecom"] = served.platform
        served.platform.people = r.engine.people
        await r.engine.bind_group(GROUP, packs=["hello"], stage=Stage.ENFORCED)
        await r.engine.people.add_steward(Steward(account=AccountId(f"wecom:{OWNER}")), by="test")
        scans = Scans(r.engine.parts.platforms, lambda: [GROUP], r.engine.flow.handle, r.clock, r.log)
        assert await scans.scan(GROUP)
        await r.settle()
        yield Door(served, r, scans)


async def test_in_a_group_of_the_app_s_a_newcomer_is_found_in_the_list_and_called(tmp_path: Path) -> None:
    async with door(Modes(app=True, sides=frozenset({"appchat"})), tmp_path) as d:
        await d.comes("zhaomin", "赵敏")

        (text,) = [text for text in d.said() if "欢迎" in text]
        assert "赵敏" in text
        assert d.served.chat.said[-1].body["mentioned_list"] == ["zhaomin"]


async def test_in_a_customer_group_a_newcomer_is_told_of_at_once_and_the_stewards_welcome(
    tmp_path: Path,
) -> None:
    async with door(Modes(app=True, sides=frozenset({"customer"})), tmp_path) as d:
        await d.comes("zhaomin", "赵敏")

        asked = [text for text in d.letters(OWNER) if "请人工欢迎" in text]
        assert len(asked) == 1
        assert "赵敏" in asked[0]
        assert d.said() == []


async def test_where_an_ai_bot_is_too_the_rules_are_confirmed_by_its_card(tmp_path: Path) -> None:
    async with door(Modes(aibot="link", app=True, sides=frozenset({"appchat"})), tmp_path) as d:
        await d.comes("zhaomin", "赵敏")
        card = d.served.chat.said[-1].card
        assert card is not None
        key = card.template["button_list"][0]["key"]

        await d.served.far.press("zhaomin", card, key)
        await d.hear()
        await d.served.platform.settled()

        assert any("已记下您读过群规" in text for text in d.letters("zhaomin"))
        assert [one["text"] for one in card.seen_by("zhaomin")["button_list"]] == ["已选:已读"]
