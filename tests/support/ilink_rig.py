"""The iLink adapter in a NoneBot on loopback, with the make-believe interface on the other side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import nonebot
from nonebot.drivers import Driver
from nonebot.matcher import matchers

from groupops import AccountId, Event, GroupId, Media, MessagePosted, Notebook, Platform
from groupops.bridge import Bridge, running, start_nonebot
from groupops.clock import Clock, SystemClock
from groupops.lanes import Intake
from groupops.notebook import OwnNotebook
from groupops.store.memory import MemoryRecords
from groupops_ilink.ilink import ILink
from tests.support.ilink_end import BOT, CHANG, TOKEN, ILinkEnd
from tests.support.qq_platform import until
from tests.support.qq_rig import Told


def keys(end: ILinkEnd, **more: Any) -> dict[str, Any]:
    """What an operator would set for that end."""
    return {
        "driver": "~httpx",
        "wechatclaw_token": TOKEN,
        "wechatclaw_account_id": BOT,
        "wechatclaw_base_url": end.url,
        "ilink_retry_seconds": 0.05,
        **more,
    }


@asynccontextmanager
async def connected(
    end: ILinkEnd,
    intake: Intake[Any],
    *,
    clock: Clock | None = None,
    book: Notebook | None = None,
    platforms: Sequence[Platform] = (),
    **more: Any,
) -> AsyncIterator[ILink]:
    """A bot that listens, and hands what it hears to an intake."""
    clock = clock or SystemClock()
    driver = start_nonebot(keys(end, **more), log_level="CRITICAL", accelerate=False)
    book = book or OwnNotebook(records=MemoryRecords(), owner="ilink", clock=clock)
    platform = ILink(clock, book)
    bridge = Bridge(intake, [platform, *platforms])
    try:
        bridge.install(driver)
        async with running(driver):
            await until(lambda: any(line.online for line in platform.lines.values()))
            yield platform
    finally:
        nonebot._driver = None
        Driver._adapters.clear()
        matchers.clear()


class ILinkRig:
    """What the contract suite needs.

    Args:
        platform: the platform.
        end: the interface.
        told: what was told.
    """

    def __init__(self, platform: ILink, end: ILinkEnd, told: Told) -> None:
        self.platform: Platform = platform
        self.end = end
        self.told = told
        self.member = AccountId(f"ilink:{CHANG}")
        self.group = GroupId(self.member)

    async def begin(self) -> None:
        """Have the person write, so that it can be answered."""
        await self.provoke("command_given")

    async def say(self, text: str) -> MessagePosted | None:
        return None

    async def provoke(self, kind: str) -> Sequence[Event]:
        if kind != "command_given":
            self.told.take()
            self.end.pictures(CHANG)
            self.end.says(CHANG, " ")
            return self.told.take()
        self.told.take()
        self.end.says(CHANG, "帮助")
        await until(lambda: bool(self.told.facts))
        return self.told.take()

    async def message(self) -> str:
        return "1"

    async def card(self) -> str:
        return ""

    async def request(self) -> tuple[AccountId, str]:
        return AccountId("ilink:somebody@im.wechat"), "r1"

    async def somebody(self) -> AccountId:
        return self.member

    async def medium(self) -> Media:
        return Media(id="nothing", media_kind="image")

    def said(self) -> Sequence[str]:
        return self.end.texts(CHANG)
