"""The WeChat adapter in a NoneBot on loopback, with the real Puppet Service on the other side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import nonebot
from nonebot.drivers import Driver
from nonebot.matcher import matchers

from groupops import AccountId, Event, GroupId, Media, MessagePosted, Platform, Role
from groupops.bridge import Bridge, running, start_nonebot
from groupops.clock import Clock, SystemClock
from groupops_wechat.wechat import Adapter, WeChat
from tests.support.qq_rig import Told
from tests.support.wechaty_end import ME, ROOM, WechatyEnd, until
from tests.support.wechaty_standin import StandIn

MEMBER = "li"
PEOPLE = {MEMBER: "李四", "wang": "王五", "zhao": "赵六"}


class Served:
    """An account that serves.

    Args:
        platform: the platform as the core has it.
        end: the service.
        told: what was told.
        bridge: between NoneBot and `told`.
    """

    def __init__(self, platform: WeChat, end: Any, told: Told, bridge: Bridge) -> None:
        self.platform = platform
        self.end = end
        self.told = told
        self.bridge = bridge

    @property
    def adapter(self) -> Adapter:
        found = self.platform._adapter
        assert found is not None
        return found


@asynccontextmanager
async def serving(end: WechatyEnd, *, owner: str = ME) -> AsyncIterator[Served]:
    """Serve one account, and wait until it knows where it is."""
    await end.reset()
    await end.furnish(PEOPLE, owner=owner)
    async with _served(end) as served:
        yield served


@asynccontextmanager
async def serving_stand_in(
    end: StandIn, *, clock: Clock | None = None, **config: Any
) -> AsyncIterator[Served]:
    """Serve the account of a service that a test speaks for."""
    await end.start()
    try:
        async with _served(end, clock, **config) as served:
            yield served
    finally:
        await end.stop()


@asynccontextmanager
async def _served(end: Any, clock: Clock | None = None, **config: Any) -> AsyncIterator[Served]:
    account = {"endpoint": f"127.0.0.1:{end.port}", "token": end.token, "tls": end.tls}
    driver = start_nonebot(
        {"driver": "~none", "wechaty_accounts": [account], "wechaty_accept_unofficial_risk": True, **config},
        log_level="CRITICAL",
        accelerate=False,
    )
    platform, told = WeChat(clock or SystemClock()), Told()
    bridge = Bridge(told, [platform])
    try:
        bridge.install(driver)
        async with running(driver):
            await until(lambda: platform.health().connected)
            yield Served(platform, end, told, bridge)
    finally:
        nonebot._driver = None
        Driver._adapters.clear()
        matchers.clear()


class WeChatRig:
    """What the contract suite needs.

    Args:
        served: the account.
    """

    def __init__(self, served: Served) -> None:
        self.served = served
        self.end = served.end
        self.platform: Platform = served.platform
        self.group = GroupId(f"wechat:{ROOM}")
        self.member = AccountId(f"wechat:{MEMBER}")
        self._numbers = count(1)

    async def say(self, text: str) -> MessagePosted | None:
        facts = await self._after(
            lambda: self.end.says(MEMBER, f"@小助手\u2005{text}", mentions=(ME,)), "message_posted"
        )
        return next((fact for fact in facts if isinstance(fact, MessagePosted)), None)

    async def provoke(self, kind: str) -> Sequence[Event]:
        make: Callable[[], Any] | None = getattr(self, f"_{kind}", None)
        return await self._after(make, kind) if make is not None else ()

    async def message(self) -> str:
        return await self.end.says(MEMBER, "早")

    async def card(self) -> str:
        return ""

    async def request(self) -> tuple[AccountId, str]:
        return AccountId("wechat:qian"), "r1"

    async def somebody(self) -> AccountId:
        number = f"p{next(self._numbers)}"
        await self.end.do("person", id=number, name=number)
        await self.end.do("join", room=ROOM, who=[number], by=MEMBER)
        return AccountId(f"wechat:{number}")

    async def medium(self) -> Media:
        bot = self.served.platform.standing.account(ME).bot
        assert bot is not None
        sent = await bot.send_file(ROOM, "ten.png", b"0123456789")
        return Media(id=f"kind=image&bot={ME}&message={sent}", media_kind="image")

    def said(self) -> Sequence[str]:
        self.end.catch_up()
        return [str(one["said"]) for one in self.end.said() if one["to"] == ROOM]

    # — what happens —

    async def _after(self, make: Callable[[], Any], kind: str) -> list[Event]:
        """Do something, and wait for what is told of it."""
        self.served.told.take()
        await make()
        await until(lambda: any(fact.kind == kind for fact in self.served.told.facts))
        return self.served.told.take()

    async def _message_posted(self) -> None:
        await self.end.says(MEMBER, "早上好")

    async def _message_recalled(self) -> None:
        told = await self.end.says(MEMBER, "说错了")
        await self.end.do("recall", **{"from": MEMBER, "to": ROOM}, message=told)

    async def _member_joined(self) -> None:
        await self.somebody()

    async def _member_left(self) -> None:
        gone = (await self.somebody()).partition(":")[2]
        await self.end.do("leave", room=ROOM, who=[gone], by=MEMBER)

    async def _group_renamed(self) -> None:
        await self.end.do("topic", room=ROOM, text=f"车间 {next(self._numbers)} 群", by=MEMBER)

    async def _location_shared(self) -> None:
        await self.end.do(
            "place", **{"from": MEMBER, "to": ROOM}, latitude=31.2, longitude=121.5, name="仓库"
        )

    async def _red_packet_sent(self) -> None:
        await self.end.do("packet", **{"from": MEMBER, "to": ROOM})

    async def _command_given(self) -> None:
        await self.end.says(MEMBER, "我的台账", to=ME)

    async def _role_changed(self) -> None:
        state = self.served.platform.standing.account(ME)
        state.places[ROOM].role = _OTHER[state.places[ROOM].role]
        await self.platform.members(self.group)


_OTHER = {Role.OWNER: Role.MEMBER, Role.MEMBER: Role.ADMIN, Role.ADMIN: Role.MEMBER}
"""A role that the account does not have: what was known of it was wrong."""
