"""The adapter of official bots in a NoneBot on loopback, with the make-believe platform on the other side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import nonebot
from nonebot.drivers import Driver
from nonebot.matcher import matchers

from groupops import AccountId, Event, GroupId, Health, Media, MessagePosted
from groupops.bridge import Bridge, running, start_nonebot
from groupops.clock import Clock, SystemClock
from groupops.counters import MemoryCounters
from groupops.notebook import OwnNotebook
from groupops.records import Records
from groupops.store.memory import MemoryRecords
from groupops_qq import OfficialQQ
from groupops_qq.adapter import Adapter
from tests.support.qq_platform import APP_ID, GROUP, QQPlatform, listening, platform_running, until

MEMBER = "ZHANG00000000000000000000000000A"


class Told:
    """Takes facts, and keeps them."""

    def __init__(self) -> None:
        self.facts: list[Event] = []

    def glance(self, event: Event) -> Event | None:
        self.facts.append(event)
        return None

    async def finish(self, pending: Event) -> None:
        """Nothing is ever left over."""

    async def handle(self, event: Event) -> None:
        self.glance(event)

    def take(self) -> list[Event]:
        facts, self.facts = self.facts, []
        return facts


class Served:
    """A bot that serves.

    Args:
        platform: the platform as the core has it.
        far: the make-believe platform on the other side.
        told: what was told.
        bridge: between NoneBot and `told`.
        port: where it listens on loopback; 0 when it does not.
    """

    def __init__(self, platform: OfficialQQ, far: QQPlatform, told: Told, bridge: Bridge, port: int) -> None:
        self.platform = platform
        self.far = far
        self.told = told
        self.bridge = bridge
        self.port = port

    @property
    def adapter(self) -> Adapter:
        found = self.platform._adapter
        assert found is not None
        return found

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/qq/webhook"

    @property
    def health(self) -> Health:
        return self.platform.health()

    async def settled(self) -> None:
        """Wait until all that came was handled."""
        await self.adapter.settled()
        await self.platform.settled()
        await self.adapter.settled()
        await self.bridge.lanes.settled()

    async def facts(self, *payloads: Mapping[str, Any]) -> list[Event]:
        """Have payloads dispatched; give what was told of them."""
        self.told.take()
        bot = self.adapter.bot_called(APP_ID)
        assert bot is not None
        for payload in payloads:
            await self.adapter.take(bot, dict(payload))
            await self.settled()
        return self.told.take()


@asynccontextmanager
async def serving(
    far: QQPlatform | None = None,
    *,
    push: bool = True,
    clock: Clock | None = None,
    warm_up: timedelta = timedelta(),
    listen: bool = False,
    records: Records | None = None,
    **settings: Any,
) -> AsyncIterator[Served]:
    """Serve one bot, by pushes or over the gateway, and wait until it is connected.

    Args:
        far: the platform; a new one if not given.
        push: whether the bot takes pushes rather than keep a websocket.
        clock: the clock; the machine's if not given.
        warm_up: see `groupops_qq.official.WARM_UP`.
        listen: whether it listens on a socket, so that pushes can come over one.
        records: where is kept what is to be known again after a restart.
        settings: keys of `.env` besides.
    """
    time = clock or SystemClock()
    async with platform_running(far) as made:
        proper = {**made.settings(use_websocket=not push), **settings}
        driver = start_nonebot(
            {"driver": "~fastapi+~httpx+~websockets", **proper}, log_level="CRITICAL", accelerate=False
        )
        book = OwnNotebook(records=records or MemoryRecords(), owner="qq", clock=time)
        platform, told = OfficialQQ(time, MemoryCounters(time), book, warm_up=warm_up), Told()
        bridge = Bridge(told, [platform])
        try:
            bridge.install(driver)
            async with _served(driver, listen=listen) as port:
                served = Served(platform, made, told, bridge, port)
                await until(lambda: platform.health().connected)
                yield served
        finally:
            nonebot._driver = None
            Driver._adapters.clear()
            matchers.clear()


@asynccontextmanager
async def _served(driver: Driver, *, listen: bool) -> AsyncIterator[int]:
    if listen:
        async with listening(nonebot.get_asgi()) as port:
            yield port
    else:
        async with running(driver):
            yield 0


class QQRig:
    """What the contract suite needs.

    Args:
        served: the bot.
    """

    def __init__(self, served: Served) -> None:
        self.served = served
        self.far = served.far
        self.platform = served.platform
        self.group = GroupId(f"qqbot:{GROUP}")
        self.member = AccountId(f"qqbot:{MEMBER}")
        self._people = count(1)

    async def begin(self, *, speaks: bool) -> None:
        """Learn the group's state, let the member write to the bot alone, and speak if that is wanted."""
        self.far.seat(MEMBER, "张三")
        bot = self.served.adapter.bot_called(APP_ID)
        assert bot is not None
        await self.platform.ask_state(bot, GROUP)
        await self.platform.members(self.group)
        await self.served.facts(self.far.whisper(MEMBER, "帮助"))
        if speaks:
            await self.message()

    async def say(self, text: str) -> MessagePosted | None:
        mentions = [self.far.mention_of_bot()]
        content = f"<@{mentions[0]['id']}> {text}"
        facts = await self.served.facts(self.far.message(MEMBER, content, mentions=mentions))
        return next((fact for fact in facts if isinstance(fact, MessagePosted)), None)

    async def provoke(self, kind: str) -> Sequence[Event]:
        make: Callable[[], Any] | None = getattr(self, f"_{kind}", None)
        if make is None:
            return ()
        made = make()
        return await made if asyncio.iscoroutine(made) else await self.served.facts(*made)

    async def message(self) -> str:
        payload = self.far.message(MEMBER, "早")
        await self.served.facts(payload)
        return str(payload["d"]["id"])

    async def card(self) -> str:
        return ""

    async def request(self) -> tuple[AccountId, str]:
        payload = self.far.asks(self._newcomer(), ("你是谁", "王五"))
        await self.served.facts(payload)
        data = payload["d"]
        return AccountId(f"qqbot:{data['member_openid']}"), str(data["join_request_id"])

    async def somebody(self) -> AccountId:
        openid = self.far.seat(self._newcomer(), "路人")
        return AccountId(f"qqbot:{openid}")

    async def medium(self) -> Media:
        self.far.media["ten"] = b"0123456789"
        return Media(id=f"{self.far.base}media/ten", media_kind="file", size=None)

    def said(self) -> Sequence[str]:
        return self.far.said()

    def _newcomer(self) -> str:
        return f"NEW{next(self._people):029d}"

    def _message_posted(self) -> list[dict[str, Any]]:
        return [self.far.message(MEMBER, "早", at_bot=True)]

    def _member_joined(self) -> list[dict[str, Any]]:
        return [self.far.joins(self._newcomer(), "新人")]

    def _member_left(self) -> list[dict[str, Any]]:
        return [self.far.leaves(self.far.seat(self._newcomer()))]

    async def _role_changed(self) -> Sequence[Event]:
        """Give the bot another role, and then the one it had: it is found by asking."""
        bot = self.served.adapter.bot_called(APP_ID)
        assert bot is not None
        mine = self.far.halls[GROUP].seats["BOT0000000000000000000000000000A"]
        before, self.served.told.facts = mine.role, []
        for role in ("member" if before != "member" else "admin", before):
            mine.role = role
            await self.platform.ask_state(bot, GROUP)
            await self.served.settled()
        return self.served.told.take()

    def _join_requested(self) -> list[dict[str, Any]]:
        """Ask to come in: the platform tells only a bot that may decide."""
        role = self.far.halls[GROUP].seats["BOT0000000000000000000000000000A"].role
        return [] if role == "member" else [self.far.asks(self._newcomer(), ("你是谁", "王五"))]

    def _command_given(self) -> list[dict[str, Any]]:
        return [self.far.whisper(MEMBER, "我的记录")]

    def _choice_made(self) -> list[dict[str, Any]]:
        if not self.platform.standing.keyboards:
            return []
        return [self.far.presses(MEMBER, '["case:1","接受","x"]')]
