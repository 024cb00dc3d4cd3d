"""The library's adapter behind a door of our own: pushes are examined, sockets come back, no event is lost or taken twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from nonebot.adapters.qq import Adapter as LibraryAdapter
from nonebot.adapters.qq import Event, InteractionCreateEvent
from nonebot.adapters.qq.config import BotInfo
from nonebot.drivers import ASGIMixin, Driver, Request, Response
from nonebot.log import logger
from nonebot.message import handle_event
from typing_extensions import override

from groupops import Clock, ConfigError
from groupops_qq.answers import FAILURES, why_of
from groupops_qq.bot import Bot
from groupops_qq.door import Door, Marks, Push, Setup, setup_now
from groupops_qq.events import event_of
from groupops_qq.gateway import WAITS, Gateway
from groupops_qq.shapes import mended, table, word

if TYPE_CHECKING:
    import httpx

PATHS = ("/qq/", "/qq/webhook", "/qq/webhook/")

PREPARED_WITHIN = 3.0
"""Seconds for what is looked up before an event is handled; it is handled without it then."""

_DISPATCH = 0
_ACKNOWLEDGED = '{"op":12,"d":0}'


class Host(Protocol):
    """Who is told of bots and of what they hear."""

    def opened(self, bot: Bot) -> None:
        """A bot is connected."""
        ...

    def closed(self, bot: Bot, note: str) -> None:
        """A bot is not connected, and why."""
        ...

    def heard(self, bot: Bot) -> None:
        """Something came for a bot."""
        ...

    async def prepare(self, bot: Bot, event: Event) -> None:
        """Look up what an event does not say itself."""
        ...


class Adapter(LibraryAdapter):
    """Official QQ bots for groupops.

    Args:
        driver: NoneBot's driver.
        host: who is told of bots and of what they hear.
        clock: where time comes from.
        marks: where pushes are marked as seen.

    Raises:
        ConfigError: the door would stand open; nothing was mounted.
    """

    def __init__(self, driver: Driver, *, host: Host, clock: Clock, marks: Marks, **rest: Any) -> None:
        self.enter: Callable[[Any, Any], Awaitable[None]] = handle_event
        """Where events go; NoneBot, unless whoever registered the adapter says otherwise."""
        self.looked_over: Setup = setup_now()
        self.door = Door(self.looked_over.pushed, self.looked_over.config)
        self._host = host
        self._clock = clock
        self._marks = marks
        self._room = asyncio.Semaphore(self.looked_over.config.qq_in_flight)
        self._client: httpx.AsyncClient | None = None
        self._made: dict[str, Bot] = {}
        self._lasting: set[asyncio.Task[None]] = set()
        self._handling: set[asyncio.Task[None]] = set()
        super().__init__(driver, **rest)

    @override
    def setup(self) -> None:
        """Mount what is needed, in the configuration that was looked over."""
        self.qq_config = self.looked_over.library
        if self.looked_over.pushed:
            self._mount()
        self.on_ready(self.startup)
        self.driver.on_shutdown(self.shutdown)

    @override
    async def startup(self) -> None:
        """Connect every bot; nothing is waited for."""
        for info in self.looked_over.bots.values():
            bot = self._bot(info)
            doing = self._gateway(bot).run() if info.use_websocket else self._introduce(bot)
            self._start(doing, self._lasting)

    @override
    async def shutdown(self) -> None:
        """Take all down."""
        running = [*self._lasting, *self._handling]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
        for bot in list(self._made.values()):
            self.closed(bot, "stopped")

    @override
    async def request(self, setup: Request) -> Response:
        """Make an HTTP call over connections that are kept: NoneBot's driver would shake hands for every one."""
        if self._client is None:
            import httpx  # only who calls needs it

            self._client = httpx.AsyncClient(follow_redirects=False)
        answer = await self._client.request(
            setup.method,
            str(setup.url),
            content=cast("Any", setup.content),
            json=setup.json,
            headers=list(setup.headers.items()),
            timeout=self.looked_over.config.qq_call_seconds,
        )
        return Response(answer.status_code, headers=answer.headers.multi_items(), content=answer.content)

    # — bots —

    def bot_called(self, app_id: str) -> Bot | None:
        """Give a bot of the configuration, connected or not."""
        return self._made.get(app_id)

    def _bot(self, info: BotInfo) -> Bot:
        bot = self._made.get(info.id)
        if bot is None:
            bot = Bot(self, info.id, info)
            self._made[info.id] = bot
        return bot

    def _gateway(self, bot: Bot) -> Gateway:
        address = self.looked_over.library.qq_custom_gateway_url
        return Gateway(bot, self, self._clock, str(address) if address is not None else "")

    async def _introduce(self, bot: Bot) -> None:
        """Connect a bot that takes pushes: they are taken from the start, whether or not the platform answers yet."""
        self.bot_connect(bot)
        self._host.closed(bot, "the platform has not answered yet")
        tries = 0
        while True:
            try:
                bot.self_info = await bot.me()
                break
            except FAILURES as error:
                self._host.closed(bot, why_of(error))
                logger.warning("QQ bot {} cannot reach the platform: {}", bot.self_id, why_of(error))
            except ValueError:
                break  # it answered; that it says something else of the bot than the library expects is no matter
            tries += 1
            await self._clock.sleep(WAITS[min(tries, len(WAITS)) - 1])
        logger.info("QQ bot {} is connected", bot.self_id)
        self._host.opened(bot)

    def opened(self, bot: Bot) -> None:
        """A gateway is connected."""
        if bot.self_id not in self.bots:
            self.bot_connect(bot)
            logger.info("QQ bot {} is connected", bot.self_id)
        self._host.opened(bot)

    def closed(self, bot: Bot, note: str) -> None:
        """A gateway is no longer connected."""
        if bot.self_id in self.bots:
            self.bot_disconnect(bot)
            logger.warning("QQ bot {} is no longer connected: {}", bot.self_id, note)
        self._host.closed(bot, note)

    def heard(self, bot: Bot) -> None:
        """Something came over a gateway."""
        self._host.heard(bot)

    # — what comes —

    async def take(self, bot: Bot, payload: dict[str, Any]) -> None:
        """Take a dispatched event, once; while too many are being handled, wait.

        Raises:
            GroupOpsError: whether it is new cannot be said now; it is not taken.
        """
        if payload.get("op", _DISPATCH) != _DISPATCH:
            return
        kind, id_, now = word(payload.get("t"), 60), word(payload.get("id")), self._clock.now()
        if not await self.door.is_new_event(self._marks, bot.self_id, id_, now):
            return
        event = event_of(kind, id_, table(mended(payload.get("d"))), now)
        if event is None:
            return
        if isinstance(event, InteractionCreateEvent):
            self._start(self._acknowledge(bot, event), self._handling)
        await self.tell(bot, event)

    async def tell(self, bot: Bot, event: Event) -> None:
        """Have an event handled; what is found out by asking comes this way too."""
        await self._room.acquire()
        self._start(self._handled(bot, event), self._handling)

    async def settled(self) -> None:
        """Wait until what came was handled."""
        while self._handling:
            await asyncio.gather(*self._handling, return_exceptions=True)

    async def _handled(self, bot: Bot, event: Event) -> None:
        try:
            try:
                async with asyncio.timeout(PREPARED_WITHIN):
                    await self._host.prepare(bot, event)
            except (TimeoutError, *FAILURES) as error:
                logger.debug("an event is handled without what was to be looked up: {}", type(error).__name__)
            await bot.handle_event(event)
        except Exception as error:  # noqa: BLE001 - one event that cannot be handled must not be lost unseen
            logger.error("an event of QQ bot {} was not handled: {}", bot.self_id, type(error).__name__)
        finally:
            self._room.release()

    async def _acknowledge(self, bot: Bot, event: InteractionCreateEvent) -> None:
        """Tell the platform that a press of a button has arrived; without that its presser is told of a failure."""
        try:
            await bot.call("PUT", "interactions", event.id, body={"code": 0})
        except FAILURES as error:
            logger.warning("a button of QQ bot {} was not acknowledged: {}", bot.self_id, why_of(error))

    @staticmethod
    def _start(doing: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(doing)
        task.add_done_callback(among.discard)
        among.add(task)

    # — pushes —

    def _mount(self) -> None:
        """Take pushes; mounted on the server itself, so that a body is measured while it comes."""
        app = getattr(self.driver, "server_app", None)
        if not isinstance(self.driver, ASGIMixin) or not hasattr(app, "add_api_route"):
            raise ConfigError('QQ bots that take pushes need DRIVER="~fastapi+~httpx+~websockets"')
        from fastapi import Request as Asked  # only who takes pushes needs it
        from fastapi import Response as Answered

        async def pushed(asked: Asked) -> Answered:
            body = await _body(asked.stream(), self.looked_over.config.qq_body_bytes)
            if body is None:
                return Answered(status_code=413)
            status, answer = await self.pushed(asked.headers, body)
            return Answered(answer, status_code=status, media_type="application/json")

        pushed.__annotations__ = {"asked": Asked, "return": Answered}
        for path in PATHS:
            cast("Any", app).add_api_route(path, pushed, methods=["POST"], include_in_schema=False)

    async def pushed(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Take a push; gives status and body of the answer."""
        found = self.door.examine(headers, body, self._clock.now())
        if not isinstance(found, Push):
            if found.why:
                logger.warning("a push to the QQ adapter was refused: {}", found.why)
            return found.status, found.body
        if not await self.door.is_new(self._marks, found, self._clock.now()):
            logger.warning("a push to the QQ adapter was refused: it was seen before")
            return 409, ""
        bot = self._bot(self.looked_over.bots[found.bot])
        self._host.heard(bot)
        await self.take(bot, found.payload)
        return 200, _ACKNOWLEDGED


async def _body(stream: Any, most: int) -> bytes | None:
    """Read a body; None as soon as it is larger than it may be."""
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)
