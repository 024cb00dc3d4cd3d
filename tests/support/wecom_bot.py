"""A NoneBot bot with the WeCom adapter and nothing of groupops, on loopback, with the make-believe WeCom far away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import nonebot
from nonebot.drivers import Driver
from nonebot.matcher import matchers

from groupops_wecom import Adapter, AiBot, AppBot, Bot, Event
from groupops_wecom.clockwork import Clockwork
from groupops_wecom.config import Config
from groupops_wecom.testing import AiBot as FarBot
from groupops_wecom.testing import App as FarApp
from groupops_wecom.testing import Callback, FakeWeCom, listening, running, until

E = TypeVar("E", bound=Event)

HURRY = 300.0
"""How much faster waiting passes here."""

Handler = Callable[[Bot, Event], Awaitable[None]]


async def quickly(seconds: float) -> None:
    """Wait a small part of it."""
    await asyncio.sleep(seconds / HURRY)


class Heard:
    """Takes every event; what is to be done with it is decided by the test."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.do: Handler | None = None

    async def __call__(self, bot: Bot, event: Event) -> None:
        self.events.append(event)
        if self.do is not None:
            await self.do(bot, event)

    def of(self, kind: type[E]) -> list[E]:
        """Give the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def first(self, kind: type[E]) -> E:
        """Wait for an event of a kind."""
        await until(lambda: self.of(kind))
        return self.of(kind)[0]


class Served:
    """A bot that serves.

    Args:
        wecom: the other side.
        adapter: the adapter.
        heard: what came.
        port: where it listens.
    """

    def __init__(self, wecom: FakeWeCom, adapter: Adapter, heard: Heard, port: int) -> None:
        self.wecom = wecom
        self.adapter = adapter
        self.heard = heard
        self.port = port

    def aibot(self, bot_id: str = "aib0001") -> AiBot:
        """Give an AI bot."""
        bot = self.adapter.made[bot_id]
        assert isinstance(bot, AiBot)
        return bot

    def app(self) -> AppBot:
        """Give the one app."""
        (bot,) = (bot for bot in self.adapter.made.values() if isinstance(bot, AppBot))
        return bot

    def url(self, path: str) -> str:
        """Give the address of a callback."""
        return f"http://127.0.0.1:{self.port}{path}"


def link_settings(*bots: FarBot) -> dict[str, Any]:
    """Settings for AI bots on the long connection."""
    return {"wecom_aibots": [{"bot_id": bot.bot_id, "secret": bot.secret, "name": bot.name} for bot in bots]}


@asynccontextmanager
async def serving(
    wecom: FakeWeCom,
    settings: dict[str, Any],
    heard: Heard | None = None,
    clock: Clockwork | None = None,
    once: Callable[[str, float], Awaitable[bool]] | None = None,
    kind: type[Adapter] = Adapter,
) -> AsyncIterator[Served]:
    """Serve with these settings.

    Args:
        wecom: the other side; it runs.
        settings: keys of the adapter's configuration.
        heard: what takes the events.
        once: where posts are marked besides.
        kind: the adapter.
        clock: the adapter's clock; by default that of `wecom`, with waiting much faster.
    """
    told = heard or Heard()
    nonebot.init(driver="~fastapi+~httpx+~websockets", log_level="CRITICAL")
    driver = nonebot.get_driver()
    proper = {"wecom_ws_url": wecom.link.url, "wecom_api_base": wecom.rest.base, **settings}
    driver.register_adapter(
        kind,
        clock=clock or Clockwork(now=wecom.world.now, sleep=quickly),
        config=Config(**proper),
        once=once,
    )
    adapter = driver._adapters[Adapter.get_name()]
    assert isinstance(adapter, Adapter)
    for word in ("message", "notice", "meta_event"):
        nonebot.on(word, priority=1, block=False).append_handler(told)
    try:
        async with driver._lifespan, listening(nonebot.get_asgi()) as port:
            yield Served(wecom, adapter, told, port)
    finally:
        nonebot._driver = None
        Driver._adapters.clear()
        matchers.clear()


@asynccontextmanager
async def linked(**settings: Any) -> AsyncIterator[Served]:
    """Serve one AI bot on the long connection, in a group of three; wait until it is connected."""
    async with running(FakeWeCom()) as wecom:
        bot = company(wecom)
        async with serving(wecom, {**link_settings(bot), **settings}) as served:
            await until(lambda: wecom.link.connected(bot.bot_id) and served.aibot().link.state.connected)
            yield served


def company(wecom: FakeWeCom) -> FarBot:
    """Let there be three people, an AI bot, and a group with all of them."""
    for userid, name in (("zhangsan", "张三"), ("lisi", "李四"), ("wangwu", "王五")):
        wecom.world.hire(userid, name)
    bot = wecom.world.ai_bot()
    wecom.world.group("值班群", "wangwu", ["zhangsan", "lisi"], chat_id="wrAbCdEf0001", bots={bot.bot_id})
    return bot


@asynccontextmanager
async def called_back(
    once: Callable[[str, float], Awaitable[bool]] | None = None,
    kind: type[Adapter] = Adapter,
    **settings: Any,
) -> AsyncIterator[Served]:
    """Serve one AI bot and one app on callback URLs, and tell WeCom of them."""
    async with running(FakeWeCom()) as wecom:
        bot, app = company(wecom), wecom.world.app(customers=True)
        corp = wecom.world.corp_id
        far = Callback(url="")
        ours = {"token": far.token, "aes_key": far.aes_key}
        proper = {
            "wecom_aibots": [{"bot_id": bot.bot_id, "name": bot.name, **ours}],
            "wecom_apps": [
                {"corp_id": corp, "agent_id": app.agent_id, "secret": app.secret, "customers": True, **ours}
            ],
        }
        async with serving(wecom, {**proper, **settings}, once=once, kind=kind) as served:
            bot.callback = Callback(url=served.url(served.aibot().info.path))
            app.callback = Callback(url=served.url(served.app().info.path), receive_id=corp)
            yield served


def far_app(served: Served) -> FarApp:
    """Give the app as WeCom has it."""
    (app,) = served.wecom.world.apps.values()
    return app
