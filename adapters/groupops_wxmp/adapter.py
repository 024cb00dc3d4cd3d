"""The adapter `nonebot-adapter-wxmp`, taking only callbacks that are signed now, and hanging on none it does not know."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from hashlib import sha1, sha256
from secrets import compare_digest
from typing import Any, Literal, Protocol, cast
from xml.parsers.expat import ExpatError

from nonebot.adapters import Bot as AnyBot
from nonebot.adapters.wxmp import Adapter as TheirAdapter
from nonebot.adapters.wxmp import Bot
from nonebot.adapters.wxmp.event import Event, NoticeEvent, OfficalEvent
from nonebot.adapters.wxmp.exception import UnkonwnEventError
from nonebot.drivers import Driver, Request, Response
from nonebot.log import logger
from pydantic import ConfigDict, Field, ValidationError
from typing_extensions import override
from yarl import URL

OFFICIAL = "api.weixin.qq.com"

SIGNATURES = 10_000
"""Signatures that are remembered: one belongs to one body."""

TAKEN = Response(200, content="success")
"""What keeps the platform from pushing an event again."""


class OtherEvent(OfficalEvent, NoticeEvent):
    """An event the adapter has no word for: a place picked by the menu, one an app reports by itself, and what is new."""

    model_config = ConfigDict(extra="allow")

    message_type: str = Field(alias="MsgType")  # type: ignore[assignment] # pyright: ignore[reportIncompatibleVariableOverride]
    event: str = Field(default="", alias="Event")
    event_key: str | None = Field(default=None, alias="EventKey")
    place: dict[str, Any] | None = Field(default=None, alias="SendLocationInfo")

    @override
    def get_type(self) -> Literal["notice"]:
        return "notice"

    @property
    def location_x(self) -> str:
        """Latitude of a place that was picked."""
        return str((self.place or {}).get("Location_X", ""))

    @property
    def location_y(self) -> str:
        """Longitude of it."""
        return str((self.place or {}).get("Location_Y", ""))

    @property
    def label(self) -> str:
        """What it is called."""
        return str((self.place or {}).get("Label") or (self.place or {}).get("Poiname") or "")


class Host(Protocol):
    """Whoever is told what happens."""

    def is_fresh(self, timestamp: str) -> bool:
        """Say whether a callback was signed about now."""
        ...

    @property
    def most_bytes(self) -> int:
        """How long a callback may be."""
        ...

    @property
    def api_root(self) -> str:
        """Where the platform's interface is."""
        ...

    def opened(self, appid: str) -> None:
        """An account is served."""
        ...

    def closed(self, appid: str) -> None:
        """An account is served no longer."""
        ...


class Adapter(TheirAdapter):
    """The adapter.

    Args:
        driver: NoneBot's driver.
        host: who is told.
    """

    @override
    def __init__(self, driver: Driver, *, host: Host, **rest: Any) -> None:
        self._host = host
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        super().__init__(driver, **rest)

    @override
    def bot_connect(self, bot: AnyBot) -> None:
        super().bot_connect(bot)
        self._host.opened(bot.self_id)

    @override
    def bot_disconnect(self, bot: AnyBot) -> None:
        super().bot_disconnect(bot)
        self._host.closed(bot.self_id)

    @override
    async def request(self, setup: Request) -> Response:
        """Ask the platform, at the address the operator gave for it."""
        if setup.url.host == OFFICIAL:
            root = self._host.api_root.rstrip("/")
            setup.url = URL(root + setup.url.raw_path).with_query(setup.url.query)
        return await super().request(setup)

    @override
    async def _handle_event(self, request: Request) -> Response:
        body = request.content.encode() if isinstance(request.content, str) else request.content or b""
        if len(body) > self._host.most_bytes:
            return Response(413, content="Too long")
        if not self._host.is_fresh(request.url.query.get("timestamp", "")):
            return Response(403, content="Signed too long ago")
        if self._is_signed(request.url) and self._is_forged(request.url.query, body):
            return Response(403, content="Signature of another body")
        try:
            return await super()._handle_event(request)
        except ExpatError:
            return Response(400, content="Not XML")

    def _is_signed(self, url: URL) -> bool:
        """Say whether a callback is signed by its account's token; the adapter answers for one that is not."""
        bot = self.bots.get(self._get_appid(url.path))
        if not isinstance(bot, Bot):
            return False
        parts = sorted((bot.bot_info.token, url.query.get("timestamp", ""), url.query.get("nonce", "")))
        wanted = sha1("".join(parts).encode()).hexdigest()  # noqa: S324 - the platform's choice
        return compare_digest(wanted.encode(), url.query.get("signature", "").encode())

    def _is_forged(self, query: Any, body: bytes) -> bool:
        """Say whether a signature came with another body before: it does not cover the body, so it is good for one."""
        mark = f"{query.get('signature', '')}/{query.get('nonce', '')}"
        digest = sha256(body).digest()
        known = self._bodies.setdefault(mark, digest)
        if len(self._bodies) > SIGNATURES:
            self._bodies.popitem(last=False)
        return known != digest

    @override
    async def dispatch_event(self, bot: Bot, payload: Any, timeout: float) -> Response:
        """Have an event handled, and answer the callback with what is said to it in time."""
        try:
            event = self.payload_to_event(bot, payload)
        except (ValidationError, UnkonwnEventError, TypeError, ValueError) as error:
            logger.warning("an event of the official account makes no sense: {}", type(error).__name__)
            return TAKEN
        tasks: set[asyncio.Task[Any]] = cast("Any", self).tasks
        task = asyncio.create_task(cast("Any", bot).handle_event(event=event))
        task.add_done_callback(tasks.discard)
        tasks.add(task)
        if isinstance(event, OtherEvent) and event.place is None:
            return TAKEN  # nothing is said to it
        try:
            return await self._result.get_resp(event_id=event.get_event_id(), timeout=timeout)
        except TimeoutError:
            return TAKEN

    @override
    def payload_to_event(self, bot: Bot, payload: Any) -> Event:
        if not isinstance(payload, dict):
            raise TypeError("an event is a table")
        try:
            return super().payload_to_event(bot, payload)  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
        except UnkonwnEventError:
            return OtherEvent.model_validate(payload)
