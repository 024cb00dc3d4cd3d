"""The life of one connection: its stream is read, kept alive and made again, and every event is told in order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from nonebot.log import logger

from groupops_wechat.bot import Bot
from groupops_wechat.client import Client
from groupops_wechat.clockwork import Clockwork
from groupops_wechat.config import Account, Config
from groupops_wechat.event import DirtyEvent, Event, GapEvent, MessageEvent, RecalledEvent
from groupops_wechat.exception import (
    ActionFailed,
    ApiNotAvailable,
    NetworkError,
    Refused,
    Taken,
    WechatyException,
)
from groupops_wechat.kinds import EVENTS, kind_of
from groupops_wechat.message import Message, MessageSegment
from groupops_wechat.recent import Kept
from groupops_wechat.told import message_of, notices, payload_of, word

WAITS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before another try, a tenth more or less; the last for all further ones."""

HEARTBEAT_WITHIN = 5.0
"""Seconds after which the session goes on without the first heartbeat, which some services leave out (3.3)."""

AHEAD = 32
"""Messages whose contents are asked for at once; they are told in the order in which they came."""

SAME_SECONDS = 3600.0
SAME_MOST = 20_000
"""How long, and of how many messages, it is known that they were told before."""

MISSED = 2
"""Answers of the service that may be missing one after the other, and dings that no event may follow."""

TOLD_WITHIN = 10.0
"""Seconds for telling what had come before the stream ended; the service tells none of it again."""

_DING = "groupops"

Doing = Callable[[], Awaitable[None]]
Standing = asyncio.Task[Doing | None] | Coroutine[Any, Any, Doing | None]
"""What stands in line for an event: it gives what is to be done in its turn."""
Line = asyncio.Queue[Standing | None]


class Host(Protocol):
    """Who is told of an account and of what it hears."""

    def made(self, self_id: str, client: Client, account: Account) -> Bot:
        """Give the bot of an account that has logged in."""
        ...

    def opened(self, bot: Bot) -> None:
        """An account can act."""
        ...

    def closed(self, bot: Bot | None, account: Account, note: str) -> None:
        """An account cannot act, and why."""
        ...

    def heard(self, account: Account) -> None:
        """Something came."""
        ...

    async def tell(self, bot: Bot, event: Event) -> None:
        """Have an event handled; waits while too many are."""
        ...


@dataclass(slots=True)
class Session:
    """One account's connection.

    Args:
        account, config: how it is set up.
        host: who is told.
        clock: where time comes from.
    """

    account: Account
    config: Config
    host: Host
    clock: Clockwork
    bot: Bot | None = None
    client: Client = field(init=False)
    _seen: Kept[str, bool] = field(init=False)
    _last: float = 0.0
    _ever: bool = False
    _place: tuple[int, str] = (0, "")
    """The last event that had a place in line, and of which account; a dialect goes on behind it."""
    _answers: bool = False
    """Whether this stream has answered a ding; not every puppet does."""
    _dinged: int = 0
    """Dings since anything came."""

    def __post_init__(self) -> None:
        """Make what a session needs."""
        self.client = Client(self.account, self.config)
        self._seen = Kept(SAME_SECONDS, SAME_MOST, self.clock.now)

    async def run(self) -> None:
        """Keep the connection until it is cancelled, or the service refuses us for good."""
        tries = 0
        while True:
            began = self.clock.now()
            note = "the service ended the stream"
            try:
                await self._once()
            except Refused as error:
                self._gone(error.why)
                logger.error("Wechaty account at {}: {}", self.account.endpoint, error.why)
                return
            except Taken as error:
                note = str(error.args[-1])
            except (ActionFailed, ApiNotAvailable, NetworkError) as error:
                note = str(error.args[-1])
            self._gone(note)
            tries = 1 if self.clock.now() - began > WAITS[-1] else tries + 1
            wait = WAITS[min(tries, len(WAITS)) - 1] * random.uniform(0.9, 1.1)
            logger.warning("Wechaty account at {}: {}; again in {:.1f} s", self.account.endpoint, note, wait)
            await self.clock.sleep(wait)

    async def close(self) -> None:
        """Let go of the connection; the puppet goes on, and so does whoever else uses it."""
        self._gone("stopped")
        await self.client.close()

    def _gone(self, note: str) -> None:
        bot, self.bot = self.bot, None
        self.host.closed(bot, self.account, note)

    # — one stream —

    async def _once(self) -> None:
        await self.client.close()
        await self.client.open()
        self._answers, self._dinged = False, 0
        line: Line = asyncio.Queue(AHEAD)
        came = asyncio.Event()
        tasks = [
            asyncio.create_task(self._read(line, came)),
            asyncio.create_task(self._keep_alive()),
            asyncio.create_task(self._tell_in_order(line)),
            asyncio.create_task(self._begin(came)),
        ]
        reading, telling = tasks[0], tasks[2]
        try:
            done, _ = await asyncio.wait(tasks[:3], return_when=asyncio.FIRST_COMPLETED)
            if reading in done:
                await asyncio.wait((telling,), timeout=TOLD_WITHIN)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            _let_go(line)

    async def _begin(self, came: asyncio.Event) -> None:
        """Start the puppet, once the stream stands; starting twice does no harm."""
        try:
            async with asyncio.timeout(HEARTBEAT_WITHIN):
                await came.wait()
        except TimeoutError:
            logger.debug("Wechaty account at {} sent no first heartbeat", self.account.endpoint)
        try:
            await self.client.call("Start")
        except (ActionFailed, ApiNotAvailable, NetworkError) as error:
            logger.warning("Wechaty account at {}: {}", self.account.endpoint, error)

    async def _keep_alive(self) -> None:
        """Ask whether the service is still there, and whether its stream is, by the event that answers a ding."""
        missed = 0
        while missed < MISSED:
            await self.clock.sleep(self.config.wechaty_ding_seconds)
            if self._answers and self._dinged > MISSED:
                raise NetworkError("the service answers, and its stream tells nothing any more")
            try:
                self._dinged += 1
                await self.client.call("Ding", data=_DING)
                missed = 0
            except ActionFailed:
                missed = 0  # it answers
            except NetworkError:
                missed += 1
        raise NetworkError("the service answers no more")

    async def _read(self, line: Line, came: asyncio.Event) -> None:
        """Read the stream; what has to be asked for is asked at once, and told in its turn."""
        try:
            async for number, text, place in self.client.events(*self._place):
                came.set()
                self.host.heard(self.account)
                kind, self._dinged = EVENTS.get(number, ""), 0
                await line.put(self._awaited(kind, payload_of(text)))
                if place and self.bot is not None:
                    self._place = (place, self.bot.self_id)
        except WechatyException:
            await _last_of(line)
            raise
        await _last_of(line)

    def _awaited(self, kind: str, payload: dict[str, Any]) -> Standing:
        """Give what waits in line for an event: what is to be done in its turn, once that is known."""
        match kind:
            case "login":
                return _ready(partial(self._login, word(payload.get("contactId"))))
            case "logout":
                return _ready(self._logout)
            case "message":
                return asyncio.create_task(self._fetched(word(payload.get("messageId"))))
            case "dong":
                self._answers = self._answers or payload.get("data") == _DING
            case _:
                pass
        return _ready(partial(self._notice, kind, payload))

    async def _tell_in_order(self, line: Line) -> None:
        while (awaited := await line.get()) is not None:
            try:
                doing = await awaited
                if doing is not None:
                    await doing()
            except Exception as error:  # noqa: BLE001 - one event that makes no sense must not end the line
                logger.error(
                    "Wechaty account at {}: an event was not told: {}",
                    self.account.endpoint,
                    type(error).__name__,
                )
            self._last = self.clock.now()

    # — what comes —

    async def _login(self, self_id: str) -> None:
        if not self_id:
            return
        if self.bot is not None and self.bot.self_id != self_id:
            self._gone("another account has logged in")
        if self.bot is None:
            self.bot = self.host.made(self_id, self.client, self.account)
            self.host.opened(self.bot)
        now, since = self.clock.now(), self._last
        gap = GapEvent(
            self_id=self_id,
            event_id=f"gap/{now:.3f}",
            moment=now,
            since=since,
            why="reconnected" if self._ever else "connected",
        )
        self._ever = True
        await self.host.tell(self.bot, gap)

    async def _logout(self) -> None:
        self._gone("the account has logged out")

    async def _notice(self, kind: str, payload: dict[str, Any]) -> None:
        bot = self.bot
        if bot is None:
            if kind == "scan":
                self.host.closed(None, self.account, "a code is to be scanned with the account's phone")
            return
        for event in notices(kind, payload, bot.self_id, self.clock.now()):
            self._forget(bot, event)
            await self.host.tell(bot, event)

    @staticmethod
    def _forget(bot: Bot, event: Event) -> None:
        """Forget what an event says is out of date."""
        if isinstance(event, DirtyEvent):
            if event.what in ("room", "room_member"):
                bot.forget_room(event.about)
            elif event.what == "contact":
                bot.forget_contact(event.about)
            return
        room = getattr(event, "room_id", "")
        if room:
            bot.forget_room(room)

    async def _fetched(self, message_id: str) -> Doing | None:
        """Ask for a message; gives what is to be done with it in its turn, when a login before it was taken in."""
        if not message_id or not self._seen.first(message_id, value=True):
            return None
        try:
            told = await self._asked("MessagePayload", message_id)
        except (ActionFailed, ApiNotAvailable, NetworkError) as error:
            self._seen.drop(message_id)
            logger.warning(
                "Wechaty account at {}: a message could not be read: {}", self.account.endpoint, error
            )
            return None
        return partial(self._said, told, message_id)

    async def _said(self, told: Any, message_id: str) -> None:
        bot = self.bot
        if bot is None:
            self._seen.drop(message_id)
        elif told.talker_id == bot.self_id:
            bot.echoed(str(told.room_id or told.listener_id), str(told.text), message_id)
        else:
            await self.host.tell(bot, await self._event(bot, told))

    async def _asked(self, rpc: str, message_id: str) -> Any:
        """Ask, and once more where nothing was heard."""
        try:
            return await self.client.call(rpc, id=message_id)
        except NetworkError:
            return await self.client.call(rpc, id=message_id)

    async def _event(self, bot: Bot, told: Any) -> MessageEvent | RecalledEvent:
        kind = kind_of(int(told.type), self.account.numbering)
        extra = await self._extra(bot, kind, str(told.id))
        names = await self._own_names(bot, told) if bot.self_id in told.mention_ids else ()
        return message_of(
            told,
            me=bot.self_id,
            names=names,
            numbering=self.account.numbering,
            now=self.clock.now(),
            extra=extra,
        )

    async def _extra(self, bot: Bot, kind: str, message_id: str) -> Message | None:
        """Ask for what a message does not say itself; without an answer it stays what the client wrote."""
        try:
            if kind == "location":
                place = await bot.place(message_id)
                segment = MessageSegment.location(place.latitude, place.longitude, place.name, place.address)
                return Message(segment)
            if kind == "url":
                page = (await bot.ask("MessageUrl", id=message_id)).url_link
                return Message(MessageSegment.link(str(page.url), str(page.title)))
        except (ActionFailed, ApiNotAvailable, NetworkError) as error:
            logger.debug("Wechaty account {}: {}", self.account.endpoint, error)
        return None

    async def _own_names(self, bot: Bot, told: Any) -> tuple[str, ...]:
        """Give what the account is called where it was called."""
        try:
            if told.room_id:
                me = await bot.member(str(told.room_id), bot.self_id)
                return (me.alias, me.name)
            return (await bot.name_of(bot.self_id),)
        except (ActionFailed, ApiNotAvailable, NetworkError):
            return ()


async def _ready(doing: Doing) -> Doing:
    """Stand in line without anything to ask for."""
    return doing


async def _last_of(line: Line) -> None:
    """Say that nothing comes any more; whoever tells may be too busy to hear of it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(TOLD_WITHIN):
            await line.put(None)


def _let_go(line: Line) -> None:
    """Let go of what nobody tells any more."""
    while not line.empty():
        standing = line.get_nowait()
        if isinstance(standing, asyncio.Task):
            standing.cancel()
        elif standing is not None:
            standing.close()
