"""The library's adapter behind a door of our own: who comes in is known, bounded, and heard on one socket at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol, cast

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters.onebot.v11 import ActionFailed, Event, NetworkError
from nonebot.adapters.onebot.v11 import Adapter as LibraryAdapter
from nonebot.drivers import URL, ASGIMixin, Driver, Request, WebSocket, WebSocketServerSetup
from nonebot.exception import WebSocketClosed
from nonebot.log import logger
from nonebot.message import handle_event
from nonebot.utils import DataclassEncoder
from typing_extensions import override

from groupops import Clock, ConfigError
from groupops_onebot.answers import AnswerLost, NotConnected, answer_of
from groupops_onebot.bot import Bot
from groupops_onebot.connection import Connection
from groupops_onebot.door import Door, door_now, door_of
from groupops_onebot.frames import MODELS, event_of, parse

SOCKET_PATHS = ("/onebot/v11/", "/onebot/v11/ws", "/onebot/v11/ws/")
HTTP_PATHS = ("/onebot/v11/", "/onebot/v11/http", "/onebot/v11/http/")

AGAIN_AFTER = 3.0
"""Seconds until a forward connection that broke is tried again."""

STOP_WITHIN = 5.0
"""Seconds that matchers of other plugins may still take at the end."""

_NOT_FOUND = 404
_BAD = 300
_REFUSED = 1008
_SAID = 20
_TOO_BIG = 1009
_OK = 1000


class Host(Protocol):
    """Who is told of bots that come and go."""

    def came(self, bot: Bot) -> None:
        """A bot is connected."""
        ...

    def went(self, self_id: str) -> None:
        """A bot is no longer connected."""
        ...

    def heard(self, self_id: str, event: Event) -> None:
        """Something came from a bot, heartbeats included; told before NoneBot handles it."""
        ...

    async def prepare(self, bot: Bot, event: Event) -> None:
        """Look up what an event does not say, before NoneBot handles it; never raises, and takes moments only."""
        ...


class Adapter(LibraryAdapter):
    """OneBot v11 for groupops.

    Args:
        driver: NoneBot's driver.
        host: who is told of bots that come and go.
        clock: where waiting is done.

    Raises:
        ConfigError: the door would stand open; nothing was mounted.
    """

    event_models = MODELS
    """A tree of our own: the library's stays as it is."""

    def __init__(self, driver: Driver, *, host: Host, clock: Clock, **rest: Any) -> None:
        self.host = host
        self.clock = clock
        self.enter: Callable[[BaseBot, Any], Awaitable[None]] = handle_event
        """Where events go; NoneBot, unless whoever registered the adapter says otherwise."""
        self.door: Door = door_now()
        self.lines: dict[str, Connection] = {}
        self.refused = 0
        self.handling: set[asyncio.Task[None]] = set()
        self._coming: dict[str, asyncio.Lock] = {}
        self._room = asyncio.Semaphore(self.door.config.onebot_in_flight)
        super().__init__(driver, **rest)

    @override
    def _setup(self) -> None:
        """Mount what the door allows; the door is looked at once more, in the configuration that will be used."""
        self.door = door_of(self.onebot_config, self.door.config)
        if isinstance(self.driver, ASGIMixin):
            for path in SOCKET_PATHS:
                setup = WebSocketServerSetup(URL(path), f"{self.get_name()} {path}", self._handle_ws)
                self.setup_websocket_server(setup)
        if self.door.config.onebot_http:
            self._mount_http()
        if self.onebot_config.onebot_ws_urls:
            self.on_ready(self._start_forward)
        self.driver.on_shutdown(self._stop)

    @classmethod
    @override
    def json_to_event(cls, json_data: Any) -> Event | None:
        """Make an event of a frame; an answer is none, and reaches no call that waits."""
        if not isinstance(json_data, dict) or "post_type" not in json_data:
            return None
        return event_of(cast("dict[str, Any]", json_data))

    # — calls —

    @override
    async def _call_api(self, bot: BaseBot, api: str, **data: Any) -> Any:
        within = float(data.pop("_timeout", None) or self.door.config.onebot_call_seconds)
        line = self.lines.get(bot.self_id)
        if line is not None:
            return await line.ask(api, data, within)
        root = self.onebot_config.onebot_api_roots.get(bot.self_id)
        if root is not None:
            return await self._ask_over_http(f"{str(root).rstrip('/')}/{api}", data, within)
        raise NotConnected

    async def _ask_over_http(self, url: str, params: Mapping[str, Any], within: float) -> Any:
        """Call an end that is set to HTTP; of a call that failed on its way nobody knows how far it came."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.door.token}"}
        body = json.dumps(params, cls=DataclassEncoder)
        try:
            response = await self.request(Request("POST", url, headers=headers, content=body, timeout=within))
        except Exception as error:
            raise AnswerLost(f"the call over HTTP failed: {type(error).__name__}") from error
        if response.status_code == _NOT_FOUND:
            return answer_of({"status": "failed", "retcode": 1404, "message": "no such call"})
        frame = parse(response.content or b"")
        if frame is None or response.status_code >= _BAD:
            raise AnswerLost(f"the call over HTTP was answered with {response.status_code}")
        return answer_of(frame)

    # — a websocket that comes in —

    @override
    async def _handle_ws(self, websocket: WebSocket) -> None:
        self_id = websocket.request.headers.get("x-self-id")
        if not self.door.knows_token(websocket.request.headers.get("authorization")):
            await self._refuse(websocket, "the token is wrong or missing")
        elif self_id is None or not self.door.admits(self_id):
            await self._refuse(websocket, "this account is not expected here")
        else:
            await self._let_in(websocket, self_id)

    async def _let_in(self, websocket: WebSocket, self_id: str) -> None:
        async with self._coming.setdefault(self_id, asyncio.Lock()):
            if not await self._makes_way(self_id):
                await self._refuse(websocket, "this account is connected already")
                return
            await websocket.accept()
            bot, line = self._connect(self_id, websocket)
        await self._attend(line, bot)

    async def _refuse(self, websocket: WebSocket, why: str) -> None:
        self._refusing("connection", why)
        with suppress(Exception):
            await websocket.close(_REFUSED, why)

    def _refusing(self, what: str, why: str) -> None:
        """Count a refusal, and say so; of many only now and then, so that nobody fills the log from outside."""
        self.refused += 1
        if self.refused <= _SAID or self.refused % 1_000 == 0:
            logger.warning("a {} to the OneBot adapter was refused: {} ({} so far)", what, why, self.refused)

    async def _makes_way(self, self_id: str) -> bool:
        """Say whether an account may connect: not while its connection lives, but it replaces one that is dead.

        A socket whose other end vanished looks open for minutes; whether it lives is found by asking over it.
        """
        line = self.lines.get(self_id)
        if line is None:
            return self._is_free(self_id)
        try:
            await line.ask("get_status", {}, self.door.config.onebot_ping_seconds)
        except ActionFailed:
            return False
        except NetworkError:
            logger.warning("the connection of bot {} does not answer; a new one takes its place", self_id)
            self._disconnect(self_id, line)
            with suppress(Exception):
                await asyncio.wait_for(line.socket.close(_OK), self.door.config.onebot_ping_seconds)
            return True
        return False

    def _is_free(self, self_id: str) -> bool:
        """Let go of a bot that only ever posted over HTTP; one that another adapter has stays that one's."""
        if self_id in self.bots:
            self.bot_disconnect(self.bots[self_id])
            self.host.went(self_id)
        return self_id not in self.driver.bots

    def _connect(self, self_id: str, socket: WebSocket) -> tuple[Bot, Connection]:
        bot, line = Bot(self, self_id), Connection(socket)
        self.bot_connect(bot)
        self.lines[self_id] = line
        logger.info("bot {} is connected", self_id)
        self.host.came(bot)
        return bot, line

    def _disconnect(self, self_id: str, line: Connection) -> None:
        """Let a bot go, if the socket is still the one it is heard on."""
        line.lose()
        if self.lines.get(self_id) is not line:
            return
        del self.lines[self_id]
        if (bot := self.bots.get(self_id)) is not None:
            self.bot_disconnect(bot)
        logger.warning("bot {} is no longer connected", self_id)
        self.host.went(self_id)

    async def _attend(self, line: Connection, bot: Bot) -> None:
        """Listen until the socket is closed."""
        try:
            while (frame := await self._receive(line.socket)) is not None:
                await self._take(frame, line, bot)
        except WebSocketClosed:
            pass
        finally:
            self._disconnect(bot.self_id, line)
            with suppress(Exception):
                await line.socket.close(_OK)

    async def _receive(self, socket: WebSocket) -> dict[str, Any] | None:
        """Give the next frame that is a JSON object; None when one was too large, and the socket is closed."""
        most = self.door.config.onebot_frame_bytes
        while True:
            data = await socket.receive() or ""
            if len(data) > most:
                logger.error("a frame of {} bytes is more than ONEBOT_FRAME_BYTES = {}", len(data), most)
                await socket.close(_TOO_BIG, "frame too large")
                return None
            frame = parse(data)
            if frame is not None:
                return frame
            logger.warning("a frame that is no JSON object was ignored")

    async def _take(self, frame: dict[str, Any], line: Connection, bot: Bot) -> None:
        if "post_type" not in frame:
            line.answer(frame)
        elif str(frame.get("self_id")) != bot.self_id:
            logger.warning("a frame in the name of another account was ignored on bot {}", bot.self_id)
        elif (event := event_of(frame)) is not None:
            await self._handle(bot, event)

    async def _handle(self, bot: Bot, event: Event) -> None:
        """Have an event handled; while too many are, nothing more is read and the end has to wait."""
        self.host.heard(bot.self_id, event)
        await self._room.acquire()
        self._start(self._handled(bot, event))

    async def _handled(self, bot: Bot, event: Event) -> None:
        try:
            await self.host.prepare(bot, event)
            await bot.handle_event(event)
        finally:
            self._room.release()

    def _start(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(doing)
        task.add_done_callback(self.handling.discard)
        self.handling.add(task)

    @override
    async def _stop(self) -> None:
        """End what is being handled, and the connections that go out; NoneBot shields its matchers from that."""
        for task in self.handling:
            task.cancel()
        if self.handling:
            await asyncio.wait(self.handling, timeout=STOP_WITHIN)
        await super()._stop()

    # — a websocket that goes out —

    @override
    async def _forward_ws(self, url: URL) -> None:
        where = f"{url.scheme}://{url.host}:{url.port}"  # nothing else of it: a token may stand in the query
        while True:
            try:
                async with self._dialled(url) as socket:
                    await self._attend_forward(socket)
                logger.warning("the connection to {} is closed", where)
            except (OSError, TimeoutError, WebSocketClosed) as error:
                logger.warning("no connection to {}: {}", where, type(error).__name__)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next try may succeed
                logger.error("the connection to {} failed: {}", where, type(error).__name__)
            await self.clock.sleep(AGAIN_AFTER)

    @asynccontextmanager
    async def _dialled(self, url: URL) -> AsyncGenerator[WebSocket]:
        """Connect; not by NoneBot's driver, whose frames end at 1 MiB, less than the list of a large group."""
        from nonebot.drivers.websockets import WebSocket as Wrapped  # only who connects forward needs it
        from websockets.asyncio.client import connect

        headers = {"Authorization": f"Bearer {self.door.token}"}
        most = self.door.config.onebot_frame_bytes
        async with connect(str(url), additional_headers=headers, max_size=most, proxy=None) as socket:
            yield Wrapped(request=Request("GET", url, headers=headers), websocket=socket)

    async def _attend_forward(self, socket: WebSocket) -> None:
        """Wait for the first event that says whose socket it is, then listen."""
        while (frame := await self._receive(socket)) is not None:
            self_id = str(frame.get("self_id"))
            if "post_type" not in frame:
                continue
            if not self.door.admits(self_id):
                await self._refuse(socket, "this account is not expected here")
                return
            async with self._coming.setdefault(self_id, asyncio.Lock()):
                if not await self._makes_way(self_id):
                    await self._refuse(socket, "this account is connected already")
                    return
                bot, line = self._connect(self_id, socket)
            try:
                await self._take(frame, line, bot)
            except BaseException:
                self._disconnect(self_id, line)
                raise
            await self._attend(line, bot)
            return

    # — what is posted over HTTP, if that is wanted —

    def _mount_http(self) -> None:
        """Take what is posted; mounted on the server itself, so that a body is measured while it comes."""
        app = getattr(self.driver, "server_app", None)
        if app is None or not hasattr(app, "add_api_route"):
            raise ConfigError(f"ONEBOT_HTTP=true needs the FastAPI driver, not {self.driver.type!r}")
        from fastapi import Request as Asked  # only who takes posts needs it
        from fastapi import Response

        async def posted(asked: Asked) -> Response:
            body = await _body(asked.stream(), self.door.config.onebot_frame_bytes)
            if body is None:
                return Response(status_code=413)
            return Response(status_code=await self._posted(dict(asked.headers), body))

        posted.__annotations__ = {"asked": Asked, "return": Response}
        for path in HTTP_PATHS:
            app.add_api_route(path, posted, methods=["POST"], include_in_schema=False)

    async def _posted(self, headers: dict[str, str], body: bytes) -> int:
        """Take a signed event; gives the status to answer with. An answer to a call is never taken here."""
        if not self.door.knows_signature(headers.get("x-signature"), body):
            self._refusing("post", "its signature is wrong or missing")
            return 401
        self_id, frame = headers.get("x-self-id", ""), parse(body)
        if not self.door.admits(self_id):
            self._refusing("post", "this account is not expected here")
            return 403
        if frame is None or "post_type" not in frame or str(frame.get("self_id")) != self_id:
            return 400
        event = event_of(frame)
        if event is not None:
            await self._handle(self._posting_bot(self_id), event)
        return 204

    def _posting_bot(self, self_id: str) -> Bot:
        bot = self.bots.get(self_id)
        if isinstance(bot, Bot):
            return bot
        made = Bot(self, self_id)
        self.bot_connect(made)
        self.host.came(made)
        return made


async def _body(stream: Any, most: int) -> bytes | None:
    """Read a body; None as soon as it is larger than it may be."""
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)
