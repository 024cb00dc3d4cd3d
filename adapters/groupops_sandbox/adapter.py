"""The make-believe platform as a NoneBot adapter: facts go in through `handle_event`, API calls come out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args

from nonebot.adapters import Adapter as BaseAdapter
from nonebot.adapters import Bot as BaseBot
from nonebot.drivers import Driver
from nonebot.exception import ActionFailed as BaseActionFailed
from nonebot.exception import ApiNotAvailable as BaseApiNotAvailable
from nonebot.message import handle_event
from pydantic import BaseModel
from typing_extensions import override

from groupops import Action, Done, Receipt
from groupops_sandbox.bot import Bot
from groupops_sandbox.event import event_of
from groupops_sandbox.facts import Fact
from groupops_sandbox.sandbox import Sandbox

NAME = Sandbox.adapter_name


class Config(BaseModel):
    """What stands in `.env` for this adapter.

    Args:
        sandbox_profile: name of the capability profile; empty keeps the one the connection was made with.
    """

    sandbox_profile: str = ""


class ActionFailed(BaseActionFailed):
    """The platform did not do it; `receipt` says why."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(NAME)
        self.receipt = receipt

    @override
    def __repr__(self) -> str:
        return f"ActionFailed({self.receipt})"


class ApiNotAvailable(BaseApiNotAvailable):
    """There is no such API."""

    def __init__(self, api: str) -> None:
        super().__init__(NAME, f"the sandbox has no API {api!r}; it has {', '.join(sorted(_ACTIONS))}")


class Adapter(BaseAdapter):
    """Brings the sandbox's facts to NoneBot one after the other, in the order in which they happened.

    Args:
        driver: NoneBot's driver.
        sandbox: the connection.
    """

    def __init__(self, driver: Driver, *, sandbox: Sandbox, **rest: Any) -> None:
        super().__init__(driver, **rest)
        self.sandbox = sandbox
        self._facts: asyncio.Queue[Fact] = asyncio.Queue()
        self._pump: asyncio.Task[None] | None = None
        self._calls = 0
        # The bot connects once NoneBot is ready: before that there is nobody to tell.
        self.on_ready(self._ready)
        driver.on_shutdown(self._stop)

    @classmethod
    @override
    def get_name(cls) -> str:
        return NAME

    @property
    def bot(self) -> Bot | None:
        """The connected bot."""
        found = self.bots.get(self.sandbox.world.bot)
        return found if isinstance(found, Bot) else None

    def carry(self, fact: Fact) -> None:
        """Bring a fact to NoneBot, after all that were brought before it."""
        self._facts.put_nowait(fact)

    async def settled(self) -> None:
        """Wait until NoneBot has handled everything that was brought."""
        await self._facts.join()

    async def _ready(self) -> None:
        bot = Bot(self, self.sandbox.world.bot)
        self.bot_connect(bot)
        self.sandbox.carry_by(self)
        self._pump = asyncio.create_task(self._carry_on(bot))

    async def _carry_on(self, bot: Bot) -> None:
        while True:
            fact = await self._facts.get()
            try:
                await (self.sandbox.enter or handle_event)(bot, event_of(fact))
            finally:
                self._facts.task_done()

    async def _stop(self) -> None:
        self.sandbox.carry_by(None)
        if self._pump is not None:
            await self._facts.join()
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
        for bot in list(self.bots.values()):
            self.bot_disconnect(bot)

    @override
    async def _call_api(self, bot: BaseBot, api: str, **data: Any) -> Any:
        kind = _ACTIONS.get(api)
        if kind is None:
            raise ApiNotAvailable(api)
        self._calls += 1
        key = str(data.pop("key", f"nonebot#{self._calls}"))
        receipt = await self.sandbox.perform(kind(**data), key=key)
        if not isinstance(receipt, Done):
            raise ActionFailed(receipt)
        return {"message_id": receipt.ref}


_ACTIONS: Mapping[str, type[Any]] = MappingProxyType(
    {kind.__dataclass_fields__["kind"].default: kind for kind in get_args(Action)}
)
