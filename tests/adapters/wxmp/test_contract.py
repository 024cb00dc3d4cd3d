"""An official account keeps the contract of a platform, though it is in no group."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from groupops import AccountId, Event, GroupId, Media, MessagePosted, Platform
from groupops.contracts_platform import PlatformContract, Rig
from groupops_wxmp.wxmp import OfficialAccount
from tests.support.qq_rig import Told
from tests.support.wxmp_end import LI, Caller, WeChatApi, served

pytestmark = pytest.mark.filterwarnings("ignore:Setting per-request cookies:DeprecationWarning")


class AccountRig:
    """What the contract suite needs."""

    def __init__(self, platform: OfficialAccount, caller: Caller, told: Told, api: WeChatApi) -> None:
        self.platform: Platform = platform
        self.member = AccountId(f"wxmp:{LI}")
        self.group = GroupId(self.member)
        self._caller = caller
        self._told = told
        self._api = api

    async def say(self, text: str) -> MessagePosted | None:
        return None

    async def provoke(self, kind: str) -> Sequence[Event]:
        self._told.take()
        if kind == "location_shared":
            await self._caller.sends_place(31.23, 121.47)
        elif kind == "command_given":
            await self._caller.says("帮助")
        else:
            await self._caller.does("LOCATION", Latitude=31.2, Longitude=121.5, Precision=10)
        return self._told.take()

    async def message(self) -> str:
        return "1"

    async def card(self) -> str:
        return ""

    async def request(self) -> tuple[AccountId, str]:
        return AccountId("wxmp:somebody"), "r1"

    async def somebody(self) -> AccountId:
        return self.member

    async def medium(self) -> Media:
        return Media(id="nothing", media_kind="image")

    def said(self) -> Sequence[str]:
        return [text for _, text in self._api.sent]


class TestOfficialAccount(PlatformContract):
    @pytest.fixture
    async def rig(self) -> AsyncIterator[Rig]:
        api, told = WeChatApi(), Told()
        try:
            async with served(told, api=api, approve=True, within=0.6) as (platform, caller):
                await caller.says("你好")
                yield AccountRig(platform, caller, told, api)
        finally:
            api.end()
