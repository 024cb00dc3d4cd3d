"""The adapter: connects every bot of the configuration, takes what WeCom tells, and hands it on."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, cast
from urllib.parse import urlsplit

from nonebot import get_plugin_config
from nonebot.adapters import Adapter as BaseAdapter
from nonebot.adapters import Bot as BaseBot
from nonebot.drivers import (
    URL,
    ASGIMixin,
    Driver,
    HTTPClientMixin,
    HTTPClientSession,
    HTTPServerSetup,
    Request,
    Response,
    Timeout,
    WebSocketClientMixin,
)
from nonebot.log import logger
from nonebot.message import handle_event
from pydantic import ValidationError
from typing_extensions import override

from groupops_wecom.aibot_events import Frame, aibot_event
from groupops_wecom.app_events import app_event
from groupops_wecom.bot import AiBot, AppBot, Bot
from groupops_wecom.budget import Budget, Turnstile
from groupops_wecom.callback import Answer, Door, Doors, Post, Waiting
from groupops_wecom.clockwork import Clockwork
from groupops_wecom.config import AiBotInfo, AppInfo, Config, looked_over
from groupops_wecom.crypto import Cipher
from groupops_wecom.event import AiBotCardEvent, AiBotMessageEvent, Connected, Disconnected, EnterChat, Event
from groupops_wecom.exception import ApiNotAvailable, ConfigFault
from groupops_wecom.longlink import LongLink, Patience, Socket
from groupops_wecom.qyapi import QyApi
from groupops_wecom.recent import Recent
from groupops_wecom.reply import Hosts, OverLink, OverUrl
from groupops_wecom.shapes import table, word
from groupops_wecom.webhook import Robot

EVENTS = 20_000
"""Events that are known again; WeCom tells one anew when it saw no answer."""

EVENT_LASTS = 3600.0
"""Seconds an event is known again."""

WAITING = 1_000
"""Posts whose answer may be open at once; further ones are answered with nothing at once."""

PIECE = 64 * 1024
"""Bytes of a download that are taken at once."""

CALLED_WITHIN = 30.0
"""Seconds for an HTTP call that does not say how long it may take."""

DRIVER = 'DRIVER="~fastapi+~httpx+~websockets"'


class Adapter(BaseAdapter):
    """企业微信 for NoneBot.

    Args:
        driver: NoneBot's driver.
        clock: where time and waiting come from.
        config: instead of NoneBot's own configuration.
        once: marks a post for so many seconds where it is known after a restart too; False when it was marked.
            Without it posts are known again by this process alone.

    Raises:
        ConfigFault: a door would stand open, or the driver lacks something; nothing was mounted.
    """

    def __init__(
        self,
        driver: Driver,
        *,
        clock: Clockwork | None = None,
        config: Config | None = None,
        once: Callable[[str, float], Awaitable[bool]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(driver, **kwargs)
        self.wecom_config = looked_over(config if config is not None else _configured())
        self.clock = clock or Clockwork()
        self.enter: Callable[[Any, Any], Awaitable[None]] = handle_event
        """Where events go; NoneBot, unless whoever registered the adapter says otherwise."""
        self._once = once
        self.made: dict[str, Bot] = {}
        self.links: list[LongLink] = []
        self._budgets: dict[str, Budget] = {}
        self._turnstile = Turnstile(Budget(self.clock.now), self.clock)
        self._events = Recent(EVENT_LASTS, EVENTS, self.clock.now)
        self._lasting: set[asyncio.Task[None]] = set()
        self._handling: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(self.wecom_config.wecom_in_flight)
        self._waiting = 0
        self._session: HTTPClientSession | None = None
        self._robots = {
            info.name: Robot(info, self.request, self.wecom_config.wecom_api_base, clock=self.clock)
            for info in self.wecom_config.wecom_robots
        }
        self.doors = Doors(self._doors(), self.wecom_config, self.clock)
        self.setup()

    @classmethod
    @override
    def get_name(cls) -> str:
        return "WeCom"

    # — setting up —

    def setup(self) -> None:
        """Make the bots and mount what they need."""
        self._check_driver()
        for info in self.wecom_config.wecom_aibots:
            self.made[info.bot_id] = self._aibot(info)
        for app in self.wecom_config.wecom_apps:
            self.made[app.self_id] = self._app(app)
        if self.doors.paths:
            self._mount()
        self.on_ready(self.startup)
        self.driver.on_shutdown(self.shutdown)

    def _check_driver(self) -> None:
        config, faults = self.wecom_config, list[str]()
        if self.doors.paths and not isinstance(self.driver, ASGIMixin):
            faults.append(f"callback URLs need a driver that serves HTTP: {DRIVER}")
        if not isinstance(self.driver, HTTPClientMixin):
            faults.append(f"WeCom's interfaces need a driver that makes HTTP calls: {DRIVER}")
        if any(bot.by_link for bot in config.wecom_aibots) and not isinstance(
            self.driver, WebSocketClientMixin
        ):
            faults.append(f"the long connection needs a driver that makes WebSockets: {DRIVER}")
        if faults:
            raise ConfigFault(tuple(faults))

    def _doors(self) -> list[Door]:
        made = [
            Door(path=bot.path, kind="aibot", self_id=bot.bot_id, cipher=_cipher(bot.token, bot.aes_key, ""))
            for bot in self.wecom_config.wecom_aibots
            if not bot.by_link
        ]
        for app in self.wecom_config.wecom_apps:
            for name, token, key in app.doors:
                cipher = _cipher(token, key, app.corp_id)
                path = f"{app.path}/{name}" if name else app.path
                made.append(Door(path=path, kind="app", self_id=app.self_id, name=name, cipher=cipher))
        return made

    def _aibot(self, info: AiBotInfo) -> AiBot:
        if not info.by_link:
            return AiBot(self, info, self.wecom_config, self._over_url(info), None)
        host = _LinkHost(self, info)
        link = LongLink(
            info.bot_id,
            info.secret.get_secret_value(),
            self._socket,
            host,
            self.clock,
            Patience(
                ack=self.wecom_config.wecom_ack_seconds,
                ping=self.wecom_config.wecom_ping_seconds,
                tries=self.wecom_config.wecom_subscribe_tries,
            ),
        )
        host.bot = bot = AiBot(self, info, self.wecom_config, self._over_link(info, host), link)
        self.links.append(link)
        return bot

    def _over_link(self, info: AiBotInfo, host: _LinkHost) -> OverLink:
        return OverLink(info.bot_id, host.call, host.doubtful, self._turnstile, self.clock)

    def _over_url(self, info: AiBotInfo) -> OverUrl:
        base = urlsplit(self.wecom_config.wecom_api_base)
        plain = base.hostname or "" if base.scheme == "http" else ""
        hosts = (base.hostname or "", ".weixin.qq.com")
        key = info.aes_key.get_secret_value()
        return OverUrl(info.bot_id, key, self.request, Hosts(hosts, plain), self._turnstile, self.clock)

    def _app(self, info: AppInfo) -> AppBot:
        budget = self._budgets.setdefault(info.corp_id, Budget(self.clock.now))
        base = self.wecom_config.wecom_api_base
        api = QyApi(info.corp_id, info.secrets, self.request, base, clock=self.clock, budget=budget)
        return AppBot(self, info, api)

    def robot(self, name: str) -> Robot:
        """Give a webhook robot by the name it has in `WECOM_ROBOTS`: one for all, so that its rate is kept.

        Raises:
            ApiNotAvailable: there is none.
        """
        found = self._robots.get(name)
        if found is None:
            raise ApiNotAvailable(f"WECOM_ROBOTS names no {name!r}")
        return found

    @property
    def plain_hosts(self) -> frozenset[str]:
        """Hosts from which media may be fetched unencrypted: those named, and those of addresses that are plain."""
        addresses = map(urlsplit, (self.wecom_config.wecom_api_base, self.wecom_config.wecom_ws_url))
        plain = {parts.hostname for parts in addresses if parts.scheme in {"http", "ws"} and parts.hostname}
        return frozenset(plain) | frozenset(self.wecom_config.wecom_media_hosts)

    # — running —

    async def startup(self) -> None:
        """Connect every bot; nothing is waited for."""
        self._session = cast("HTTPClientMixin", self.driver).get_session()
        await self._session.setup()
        for bot in self.made.values():
            if isinstance(bot, AiBot) and bot.link is not None:
                self._start(bot.link.run(), self._lasting)
            else:
                self.bot_connect(bot)

    async def shutdown(self) -> None:
        """Take all down."""
        for running in (self._lasting, self._handling):  # what the first leave behind is among the second
            tasks = list(running)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for robot in self._robots.values():
            await robot.close()
        for bot in self.made.values():
            if isinstance(bot, AiBot):
                bot.end()
            if bot.self_id in self.bots:
                self.bot_disconnect(bot)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def settled(self) -> None:
        """Wait until everything that came was handled."""
        while self._handling:
            await asyncio.gather(*self._handling, return_exceptions=True)

    @override
    async def request(self, setup: Request) -> Response:
        """Make an HTTP call over connections that are kept."""
        session = self._session
        if session is None:
            return await super().request(setup)
        client: Any = getattr(session, "client", None)
        if type(client).__module__.partition(".")[0] == "httpx":
            return await _by_httpx(client, setup)
        return await session.request(setup)

    def stream_request(self, setup: Request) -> AsyncGenerator[Response, None]:
        """Make an HTTP call and give its answer piece by piece."""
        return cast("HTTPClientMixin", self.driver).stream_request(setup, chunk_size=PIECE)

    @override
    async def _call_api(self, bot: BaseBot, api: str, **data: Any) -> Any:
        if isinstance(bot, AppBot):
            return await bot.api.call(api, **data)
        if isinstance(bot, AiBot) and bot.link is not None:
            return await bot.link.call(api, data.get("body"), data.get("req_id"))
        raise ApiNotAvailable("an AI bot on a callback URL has no interfaces; it answers what it is told")

    def _socket(self) -> AbstractAsyncContextManager[Socket]:
        timeout = Timeout(connect=10.0, read=None, close=2.0)
        return self.websocket(Request("GET", f"{self.wecom_config.wecom_ws_url}/", timeout=timeout))

    @staticmethod
    def _start(doing: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(doing)
        task.add_done_callback(among.discard)
        among.add(task)

    # — what is told —

    def is_new(self, event: Event) -> bool:
        """Mark an event as taken; False when it was taken before."""
        return self._events.first(f"{event.self_id} {event.event_id}")

    async def take(self, bot: Bot, event: Event) -> None:
        """Have an event handled; while too many are, wait."""
        await self._room.acquire()
        self._start(self._handled(bot, event), self._handling)

    def soon(self, bot: Bot, event: Event) -> None:
        """Have an event handled, without waiting."""
        self._start(self.take(bot, event), self._handling)

    async def _handled(self, bot: Bot, event: Event) -> None:
        try:
            await bot.handle_event(event)
        except Exception as error:  # noqa: BLE001 - one event that cannot be handled must not be lost unseen
            logger.error("an event of WeCom bot {} was not handled: {}", bot.self_id, type(error).__name__)
        finally:
            self._room.release()

    # — what is posted —

    def _mount(self) -> None:
        """Take posts; where the server lets it, a body is measured while it comes."""
        app = getattr(self.driver, "server_app", None)
        native = hasattr(app, "add_api_route")
        for path in self.doors.paths:
            if native:
                _mount_native(app, path, self)
            else:
                self._mount_plainly(path)

    def _mount_plainly(self, path: str) -> None:
        async def asked(request: Request) -> Response:
            body = request.content or b""
            data = body.encode() if isinstance(body, str) else body
            answer = await self.asked(request.method, path, dict(request.url.query), data)
            return Response(answer.status, content=answer.body)

        for method in ("GET", "POST"):
            self.setup_http_server(HTTPServerSetup(URL(path), method, f"WeCom {method} {path}", asked))

    async def asked(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
        """Answer what comes to a callback URL."""
        found = self.doors.verify(path, query) if method == "GET" else self.doors.examine(path, query, body)
        if isinstance(found, Answer):
            if found.why:
                logger.warning("a post to {} was not taken: {}", path, found.why)
            return found
        return await self._posted(found)

    async def _posted(self, post: Post) -> Answer:
        """Take a post: it is answered at once, or with what its handler says within the time there is."""
        bot = self.made[post.door.self_id]
        if word(post.content.get("msgtype")) == "stream" and isinstance(bot, AiBot):
            return self._asked_for_stream(bot, post)
        refusal = await self._refused(post)
        if refusal is not None:
            return refusal
        event = self._event(bot, post)
        if not self.is_new(event):
            self.doors.repeated += 1
            return Answer(200)
        patience = self._patience(event)
        waiting = Waiting() if patience > 0 and self._waiting < WAITING else None
        if waiting is not None:
            event.exchange = waiting
        await self.take(bot, event)
        return Answer(200) if waiting is None else await self._given(post, waiting, patience)

    async def _refused(self, post: Post) -> Answer | None:
        """Give what to answer when a post cannot be taken now, or came before this process began; None takes it."""
        if len(self._handling) >= self.wecom_config.wecom_in_flight:
            self.doors.untaken(post)
            return Answer(503)
        if self._once is None:
            return None
        mark = hashlib.sha256(post.mark.encode()).hexdigest()
        try:
            new = await self._once(f"wecom:post:{mark}", self.wecom_config.wecom_replay_seconds * 2)
        except Exception as error:  # noqa: BLE001 - whatever keeps the marks: what cannot be marked is not taken
            logger.error("a post to {} could not be marked: {}", post.door.path, type(error).__name__)
            self.doors.untaken(post)
            return Answer(503)
        self.doors.repeated += not new
        return None if new else Answer(200)

    async def _given(self, post: Post, waiting: Waiting, patience: float) -> Answer:
        self._waiting += 1
        try:
            body = await waiting.given(patience)
        finally:
            self._waiting -= 1
        return Answer(200) if body is None else self.doors.answer(post, body)

    def _event(self, bot: Bot, post: Post) -> Event:
        now = self.clock.now()
        if isinstance(bot, AiBot):
            event = aibot_event(post.content, Frame(self_id=bot.self_id, name=bot.info.name, now=now))
            bot.noted(event)
            return event
        return app_event(post.content, bot.self_id, now)

    def _patience(self, event: Event) -> float:
        """Give the seconds for which a post waits for its answer; most events take none."""
        if isinstance(event, AiBotMessageEvent | AiBotCardEvent | EnterChat):
            return self.wecom_config.wecom_reply_seconds
        is_app = isinstance(self.made[event.self_id], AppBot)
        return self.wecom_config.wecom_passive_seconds if is_app and event.user_id else 0.0

    def _asked_for_stream(self, bot: AiBot, post: Post) -> Answer:
        body = bot.present(word(table(post.content.get("stream")).get("id")))
        return Answer(200) if body is None else self.doors.answer(post, body)


class _LinkHost:
    """Stands between a long connection and its bot."""

    bot: AiBot

    def __init__(self, adapter: Adapter, info: AiBotInfo) -> None:
        self._adapter = adapter
        self._info = info

    async def call(self, *args: Any) -> dict[str, Any]:
        """Send a command as the bot, so that NoneBot's hooks hear of it."""
        return await self.bot.call(*args)

    def doubtful(self, req_id: str) -> bool:
        """See `LongLink.doubtful`."""
        return self.bot.link is not None and self.bot.link.doubtful(req_id)

    def opened(self) -> None:
        """Connect the bot."""
        self._adapter.bot_connect(self.bot)
        self._tell(Connected, "connected")

    def closed(self, note: str, *, final: bool) -> None:
        """Disconnect the bot."""
        if self.bot.self_id not in self._adapter.bots:
            return
        self._adapter.bot_disconnect(self.bot)
        self._tell(Disconnected, "disconnected", note=note, final=final)

    async def heard(self, frame: Mapping[str, Any]) -> None:
        """Take a message or an event."""
        req_id = word(table(frame.get("headers")).get("req_id"))
        now = self._adapter.clock.now()
        said = Frame(self_id=self.bot.self_id, name=self._info.name, now=now, req_id=req_id)
        event = aibot_event(table(frame.get("body")), said)
        if isinstance(event, Disconnected) or not self._adapter.is_new(event):
            return  # of the first the connection itself tells, when it is gone
        await self._adapter.take(self.bot, event)

    def _tell(self, kind: type[Connected | Disconnected], what: str, **more: Any) -> None:
        now = self._adapter.clock.now()
        event = kind(
            self_id=self.bot.self_id,
            event_id=f"{what}_{self.bot.self_id}_{now}",
            moment=now,
            received=now,
            **more,
        )
        self._adapter.soon(self.bot, event)


async def _by_httpx(client: Any, setup: Request) -> Response:
    """Make an HTTP call as NoneBot would, but for cookies: there are none, and httpx no longer likes them so."""
    timeout = setup.timeout if isinstance(setup.timeout, int | float) else CALLED_WITHIN
    answer = await client.request(
        setup.method,
        str(setup.url),
        content=setup.content,
        data=cast("Any", setup).data,
        files=setup.files,
        json=setup.json,
        headers=list(setup.headers.items()),
        timeout=timeout,
    )
    return Response(
        answer.status_code, headers=answer.headers.multi_items(), content=answer.content, request=setup
    )


def _cipher(token: Any, key: Any, receive_id: str) -> Cipher:
    return Cipher(token.get_secret_value(), key.get_secret_value(), receive_id)


def _configured() -> Config:
    """Give NoneBot's configuration; a fault is told without what stood there, which may be a secret."""
    try:
        return get_plugin_config(Config)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise ConfigFault(tuple(f"{_place(one['loc'])}: {one['msg']}" for one in found)) from None


def _place(at: tuple[int | str, ...]) -> str:
    """Give the key as it stands in `.env`."""
    key, *rest = at or ("?",)
    return str(key).upper() + "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in rest)


def _mount_native(app: Any, path: str, adapter: Adapter) -> None:
    from fastapi import Request as Asked  # only who takes posts needs it
    from fastapi import Response as Answered

    async def asked(request: Asked) -> Answered:
        body = await _body(request.stream(), adapter.wecom_config.wecom_max_body)
        if body is None:
            adapter.doors.refused += 1
            return Answered(status_code=413)
        answer = await adapter.asked(request.method, path, request.query_params, body)
        return Answered(answer.body, status_code=answer.status, media_type="text/plain")

    asked.__annotations__ = {"request": Asked, "return": Answered}
    app.add_api_route(path, asked, methods=["GET", "POST"], include_in_schema=False)


async def _body(stream: Any, most: int) -> bytes | None:
    """Read a body; None as soon as it is larger than it may be."""
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)
