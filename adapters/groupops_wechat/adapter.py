"""NoneBot's adapter for Wechaty puppet services: one bot for each account that has logged in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from nonebot import get_plugin_config
from nonebot.adapters import Adapter as BaseAdapter
from nonebot.adapters import Bot as BaseBot
from nonebot.drivers import Driver
from nonebot.log import logger
from nonebot.message import handle_event
from typing_extensions import override

from groupops_wechat.bot import Bot
from groupops_wechat.client import Client
from groupops_wechat.clockwork import Clockwork
from groupops_wechat.config import Account, Config, examined
from groupops_wechat.event import Event
from groupops_wechat.session import Session

IN_FLIGHT = 256
"""Events that are handled at once; the stream waits while there are more."""


class Adapter(BaseAdapter):
    """Accounts behind puppet services.

    Args:
        driver: NoneBot's driver.
        config: the configuration, where it does not come from NoneBot's.
        clock: where time comes from.

    Raises:
        ConfigFault: the configuration does not hold; nothing was started.
    """

    @override
    def __init__(
        self, driver: Driver, *, config: Config | None = None, clock: Clockwork | None = None, **kwargs: Any
    ) -> None:
        super().__init__(driver, **kwargs)
        self.wechaty = examined(config if config is not None else get_plugin_config(Config))
        self.clock = clock or Clockwork()
        self.enter: Callable[[Any, Any], Awaitable[None]] = handle_event
        """Where events go; NoneBot, unless whoever registered the adapter says otherwise."""
        self.sessions: tuple[Session, ...] = ()
        self._running: list[asyncio.Task[None]] = []
        self._handling: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._turns: dict[str, asyncio.Event] = {}
        self.on_ready(self.startup)
        self.driver.on_shutdown(self.shutdown)

    @classmethod
    @override
    def get_name(cls) -> str:
        return "Wechaty"

    async def startup(self) -> None:
        """Connect every account; nothing is waited for."""
        self.sessions = tuple(
            Session(account, self.wechaty, self, self.clock) for account in self.wechaty.wechaty_accounts
        )
        self._running = [asyncio.create_task(session.run()) for session in self.sessions]

    async def shutdown(self) -> None:
        """Let go of every account; no puppet is stopped and nobody is logged out."""
        running = [*self._running, *self._handling]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for session in self.sessions:
            await session.close()

    @override
    async def _call_api(self, bot: BaseBot, api: str, **data: Any) -> Any:
        if not isinstance(bot, Bot):
            raise TypeError(f"{bot!r} is no bot of this adapter")
        return await bot.ask(api, **data)

    # — what a session tells —

    def made(self, self_id: str, client: Client, account: Account) -> Bot:
        """Give the bot of an account that has logged in."""
        return Bot(self, self_id, client=client, account=account, config=self.wechaty, clock=self.clock)

    def opened(self, bot: Bot) -> None:
        """An account can act."""
        if bot.self_id not in self.bots:
            self.bot_connect(bot)
            logger.info("Wechaty account at {} is logged in", bot.account.endpoint)

    def closed(self, bot: Bot | None, account: Account, note: str) -> None:
        """An account cannot act, and why."""
        if bot is not None and self.bots.get(bot.self_id) is bot:
            self.bot_disconnect(bot)
            logger.warning("Wechaty account at {} cannot act: {}", account.endpoint, note)

    def heard(self, account: Account) -> None:
        """Something came from a service."""

    async def prepare(self, bot: Bot, event: Event) -> None:
        """Look up what an event does not say itself, before it is handled."""

    async def tell(self, bot: Bot, event: Event) -> None:
        """Have an event handled, after what came before it in its room was begun; waits while too many are."""
        await self._room.acquire()
        task = asyncio.create_task(self._handled(bot, event, *self._turn(event)))
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)

    async def settled(self) -> None:
        """Wait until what came was handled."""
        while self._handling:
            await asyncio.gather(*self._handling, return_exceptions=True)

    def _turn(self, event: Event) -> tuple[asyncio.Event | None, asyncio.Event]:
        """Give what an event has to wait for, and what it sets once it has had its turn."""
        place = getattr(event, "room_id", "") or getattr(event, "user_id", "")
        before, own = self._turns.get(place), asyncio.Event()
        self._turns[place] = own
        return before, own

    def _had_turn(self, event: Event, own: asyncio.Event) -> None:
        own.set()
        place = getattr(event, "room_id", "") or getattr(event, "user_id", "")
        if self._turns.get(place) is own:
            del self._turns[place]

    async def _handled(
        self, bot: Bot, event: Event, before: asyncio.Event | None, own: asyncio.Event
    ) -> None:
        try:
            await self.prepare(bot, event)
            if before is not None:
                await before.wait()
            self._had_turn(event, own)
            await bot.handle_event(event)
        except Exception as error:  # noqa: BLE001 - one event that cannot be handled must not be lost unseen
            logger.error(
                "an event of Wechaty account {} was not handled: {}", bot.self_id, type(error).__name__
            )
        finally:
            self._had_turn(event, own)
            self._room.release()
