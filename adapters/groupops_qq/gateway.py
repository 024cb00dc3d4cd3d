"""The websocket to the platform: hello, identify or resume, heartbeats that must be answered, and always again."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from nonebot.log import logger
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from groupops import Clock
from groupops_qq.answers import FAILURES, why_of
from groupops_qq.bot import Bot
from groupops_qq.shapes import table, whole, word

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACKNOWLEDGED = 0, 1, 2, 6, 7, 9, 10, 11

WAITS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds between two tries, the longer the oftener; each up to half as long again, so that bots do not come at once."""

REFUSED_WAIT = 300.0
"""Seconds until a bot the platform turned away (intents not granted, taken down) is tried again."""

NEW_SESSION = frozenset(
    {4006, 4007, 4008, 4900, 4901, 4902, 4903, 4904, 4905, 4906, 4907, 4908, 4909, 4910, 4911, 4912, 4913}
)
"""Close codes after which a session cannot be resumed (official documentation)."""

WRONG_TOKEN = 4004
TURNED_AWAY = frozenset({4010, 4011, 4012, 4013, 4014, 4914, 4915})

LONGEST_BEAT = 300.0
OPEN_WITHIN = 20.0
FRAME_BYTES = 8 << 20


class Host(Protocol):
    """Who owns the connection."""

    def opened(self, bot: Bot) -> None:
        """The bot is connected."""
        ...

    def closed(self, bot: Bot, note: str) -> None:
        """The bot is no longer connected."""
        ...

    def heard(self, bot: Bot) -> None:
        """Something came, heartbeats included."""
        ...

    async def take(self, bot: Bot, payload: dict[str, Any]) -> None:
        """Take what was dispatched."""
        ...


class _TurnedAwayError(Exception):
    """The platform does not want this bot now."""


@dataclass(slots=True)
class Session:
    """Where a shard stands, so that it can go on after a break.

    Args:
        id: the session's id; empty before the first READY.
        seq: the number of the last event.
        tries: breaks since the last READY or RESUMED.
    """

    id: str = ""
    seq: int | None = None
    tries: int = 0

    def forget(self) -> None:
        """Begin anew next time."""
        self.id, self.seq = "", None


class Gateway:
    """A bot's websockets, one for each shard.

    Args:
        bot: the bot.
        host: who owns it.
        clock: where waiting is done.
        address: the gateway's address instead of the one the platform names.
    """

    def __init__(self, bot: Bot, host: Host, clock: Clock, address: str = "") -> None:
        self._bot = bot
        self._host = host
        self._clock = clock
        self._address = address
        self._up: set[int] = set()

    async def run(self) -> None:
        """Keep all shards connected until cancelled."""
        url, shards, at_once = await self._asked()
        first, number = self._bot.bot_info.shard or (0, shards)
        mine = range(number) if self._bot.bot_info.shard is None else (first,)
        async with asyncio.TaskGroup() as group:
            for place, shard in enumerate(mine):
                if place and place % at_once == 0:
                    await self._clock.sleep(5)
                group.create_task(self._keep(url, shard, number))

    async def _asked(self) -> tuple[str, int, int]:
        """Ask where to connect, until the platform says; gives address, shards, and how many may come at once."""
        tries = 0
        while True:
            try:
                said = table(await self._bot.call("GET", "gateway", "bot"))
                url = self._address or word(said.get("url"), 500)
                limit = table(said.get("session_start_limit"))
                if url and whole(limit.get("remaining")) != 0:
                    shards = min(whole(said.get("shards")) or 1, 64)
                    return url, shards, max(1, whole(limit.get("max_concurrency")) or 1)
                note = "no connections are left today" if url else "the platform names no gateway"
            except FAILURES as error:
                note = why_of(error)
            self._host.closed(self._bot, note)
            logger.warning("no gateway for QQ bot {}: {}", self._bot.self_id, note)
            tries += 1
            await self._pause(tries)

    async def _keep(self, url: str, shard: int, shards: int) -> None:
        session = Session()
        while True:
            note, wait = "", 0.0
            try:
                await self._once(url, shard, shards, session)
            except _TurnedAwayError as error:
                note, wait = str(error), REFUSED_WAIT
            except ConnectionClosed as error:
                note, wait = self._closed(error.rcvd.code if error.rcvd is not None else 0, session)
            except (TimeoutError, OSError, *FAILURES) as error:
                note = why_of(error)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next try may succeed
                note = type(error).__name__
                logger.error("the gateway of QQ bot {} failed: {}", self._bot.self_id, note)
            self._down(shard, note)
            session.tries += 1
            await (self._clock.sleep(wait) if wait else self._pause(session.tries))

    def _closed(self, code: int, session: Session) -> tuple[str, float]:
        """Give what a close code means for the next try: a note, and seconds to wait at least."""
        if code == WRONG_TOKEN and self._bot._access_token:  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the library keeps it there
            self._bot.forget_token(self._bot._access_token)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - as above
        if code in NEW_SESSION or code in TURNED_AWAY:
            session.forget()
        return f"closed by the platform ({code})", REFUSED_WAIT if code in TURNED_AWAY else 0.0

    async def _pause(self, tries: int) -> None:
        seconds = WAITS[min(max(tries, 1), len(WAITS)) - 1]
        await self._clock.sleep(seconds * (1 + random.random() / 2))

    async def _once(self, url: str, shard: int, shards: int, session: Session) -> None:
        """Connect once, and listen until it breaks."""
        async with connect(url, open_timeout=OPEN_WITHIN, close_timeout=5, max_size=FRAME_BYTES) as socket:
            hello = await asyncio.wait_for(_received(socket), OPEN_WITHIN)
            if hello.get("op") != HELLO:
                raise _TurnedAwayError("no hello from the gateway")
            beat = _seconds(table(hello.get("d")).get("heartbeat_interval"))
            await _send(socket, await self._introduced(session, shard, shards))
            await self._listen(socket, session, shard, beat)

    async def _introduced(self, session: Session, shard: int, shards: int) -> dict[str, Any]:
        token = f"QQBot {await self._bot.get_access_token()}"
        if session.id and session.seq is not None:
            return {"op": RESUME, "d": {"token": token, "session_id": session.id, "seq": session.seq}}
        said = {
            "token": token,
            "intents": intents_of(self._bot),
            "shard": [shard, shards],
            "properties": {"$os": sys.platform, "$sdk": "groupops"},
        }
        return {"op": IDENTIFY, "d": said}

    async def _listen(self, socket: ClientConnection, session: Session, shard: int, beat: float) -> None:
        pulse = _Pulse(socket, session, beat)
        beating = asyncio.create_task(pulse.run(self._clock.sleep))
        try:
            while True:
                payload = await _received(socket)
                self._host.heard(self._bot)
                if not await self._take(payload, session, shard, pulse):
                    return
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating

    async def _take(self, payload: dict[str, Any], session: Session, shard: int, pulse: _Pulse) -> bool:
        """Take a frame; False when the connection is to be made anew."""
        match payload.get("op"):
            case 0:
                await self._dispatched(payload, session, shard)
            case 1:
                await pulse.beat()
            case 7:
                return False
            case 9:
                session.forget()
                return False
            case 11:
                pulse.answered = True
            case _:
                pass
        return True

    async def _dispatched(self, payload: dict[str, Any], session: Session, shard: int) -> None:
        kind = word(payload.get("t"), 60)
        if kind in {"READY", "RESUMED"}:
            session.id = word(table(payload.get("d")).get("session_id")) or session.id
            session.tries = 0
            self._came(shard)
        else:
            await self._host.take(self._bot, payload)
        # Only what was taken counts as heard: what was not is sent again after a break.
        session.seq = whole(payload.get("s")) or session.seq

    def _came(self, shard: int) -> None:
        self._up.add(shard)
        self._host.opened(self._bot)

    def _down(self, shard: int, note: str) -> None:
        self._up.discard(shard)
        if not self._up:
            self._host.closed(self._bot, note)


def intents_of(bot: Bot) -> int:
    """Give what a bot subscribes to, as the platform wants it."""
    number: Any = bot.bot_info.intent
    return int(number.to_int())


class _Pulse:
    """Heartbeats; one that goes unanswered until the next means that nobody is there, and the socket is closed."""

    def __init__(self, socket: ClientConnection, session: Session, every: float) -> None:
        self.answered = True
        self._socket = socket
        self._session = session
        self._every = every

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Beat until cancelled."""
        while True:
            await sleep(self._every)
            if not self.answered:
                with suppress(Exception):
                    await self._socket.close(4000, "no answer to a heartbeat")
                return
            self.answered = False
            with suppress(ConnectionClosed):
                await self.beat()

    async def beat(self) -> None:
        """Beat once."""
        await _send(self._socket, {"op": HEARTBEAT, "d": self._session.seq})


async def _received(socket: ClientConnection) -> dict[str, Any]:
    """Give the next frame that is a JSON object; others are passed over."""
    while True:
        data = await socket.recv()
        try:
            found: Any = json.loads(data)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found  # pyright: ignore[reportUnknownVariableType] - any shape


async def _send(socket: ClientConnection, payload: dict[str, Any]) -> None:
    await socket.send(json.dumps(payload))


def _seconds(millis: Any) -> float:
    said = whole(millis) or 0
    return min(max(said / 1000, 0.05), LONGEST_BEAT) if said else 30.0
