"""The long connection of AI bots: a WebSocket server that keeps one connection for each bot and echoes what it must."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from groupops_wecom.testing.aibots import NOT_SUBSCRIBED, AiBots, Anchor
from groupops_wecom.testing.cards import require
from groupops_wecom.testing.meters import Meter
from groupops_wecom.testing.refusals import Fault, Faults, RefusalError
from groupops_wecom.testing.world import AiBot, Json

NO_BOT: Final = 93019
WRONG_SECRET: Final = 853000
CLOSE_REPLACED: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A frame that passed.

    Args:
        to_bot: whether WeCom sent it.
        frame: as it was.
        at: seconds since 1970.
        errcode: what it was answered with, when a bot sent it.
    """

    to_bot: bool
    frame: Json
    at: float
    errcode: int = 0


class LongLink:
    """The server.

    Args:
        bots: the rules behind it.

    Attributes:
        frames: what passed, in order.
        answers_pings: unset it to let a connection look dead.
        subscribes: how often a bot may subscribe; how often is not published, only that it is limited.
    """

    def __init__(self, bots: AiBots) -> None:
        self.bots = bots
        self.port = 0
        self.frames: list[Frame] = []
        self.faults = Faults()
        self.answers_pings = True
        self.connections = 0
        self._live: dict[str, ServerConnection] = {}
        self._late_ones: set[asyncio.Task[None]] = set()
        self.subscribes = Meter((30, 60))

    @property
    def url(self) -> str:
        """Where bots connect."""
        return f"ws://127.0.0.1:{self.port}"

    def connected(self, bot_id: str) -> bool:
        """Whether this bot has subscribed and is still there."""
        return bot_id in self._live

    def sent_by_bots(self, cmd: str = "") -> list[Json]:
        """The frames bots sent, in order; all, or those of one command."""
        frames = [one.frame for one in self.frames if not one.to_bot]
        return [one for one in frames if not cmd or one.get("cmd") == cmd]

    # — what WeCom does —

    async def tell(self, anchor: Anchor) -> bool:
        """Tell a bot of something; gives whether it was there to be told.

        Telling the same again is what WeCom does when it is unsure.
        """
        cmd = "aibot_msg_callback" if anchor.kind == "message" else "aibot_event_callback"
        return await self._send(
            anchor.bot, {"cmd": cmd, "headers": {"req_id": anchor.id}, "body": anchor.body}
        )

    async def drop(self, bot_id: str, code: int = 1011) -> None:
        """Close a bot's connection."""
        socket = self._live.pop(bot_id, None)
        if socket is not None:
            await socket.close(code)

    def cut(self, bot_id: str) -> None:
        """Break a bot's connection without a word."""
        socket = self._live.pop(bot_id, None)
        if socket is not None:
            socket.transport.abort()

    def forget(self, bot_id: str) -> None:
        """Lose a subscription while the connection stays: what the bot sends then is refused with 846609."""
        self._live.pop(bot_id, None)

    async def raw(self, bot_id: str, text: str) -> None:
        """Send a bot any text at all."""
        await self._live[bot_id].send(text)

    # — the socket —

    async def attend(self, socket: ServerConnection) -> None:
        """Attend to a connection until it ends."""
        self.connections += 1
        bot: AiBot | None = None
        try:
            async for text in socket:
                frame: Json = json.loads(text)
                if frame.get("cmd") == "aibot_subscribe":
                    bot = await self._take(socket, frame, self._subscribe) or bot
                else:
                    await self._take(socket, frame, self._handler(socket, bot))
        except ConnectionClosed:
            pass
        finally:
            if bot is not None and self._live.get(bot.bot_id) is socket:
                del self._live[bot.bot_id]

    def _handler(self, socket: ServerConnection, bot: AiBot | None) -> Callable[[Json], Json | AiBot | None]:
        def handle(frame: Json) -> Json | None:
            if bot is None or self._live.get(bot.bot_id) is not socket:
                raise RefusalError(NOT_SUBSCRIBED, "aibot websocket not subscribed")
            return self._do(bot, frame)

        return handle

    async def _take(
        self, socket: ServerConnection, frame: Json, do: Callable[[Json], Json | AiBot | None]
    ) -> AiBot | None:
        """Do what a frame asks for and acknowledge it; gives the bot that has subscribed with it."""
        fault = self.faults.take(str(frame.get("cmd")))
        ack: Json = {
            "headers": {"req_id": frame.get("headers", {}).get("req_id")},
            "errcode": 0,
            "errmsg": "ok",
        }
        done: Json | AiBot | None = None
        if fault.cut:
            socket.transport.abort()
            return None
        try:
            require(not fault.errcode, "refused", fault.errcode)
            done = do(frame)
        except RefusalError as no:
            ack |= {"errcode": no.errcode, "errmsg": f"{no.errmsg}, hint: [{self.bots.world.fresh('17')}]"}
        self.frames.append(
            Frame(to_bot=False, frame=frame, at=self.bots.world.now(), errcode=int(ack["errcode"]))
        )
        if isinstance(done, AiBot):
            await self._acknowledge(socket, ack, fault)
            await self._seat(done, socket)
            return done
        if done is not None:
            ack["body"] = done
        if frame.get("cmd") != "ping" or self.answers_pings:
            await self._acknowledge(socket, ack, fault)
        return None

    async def _acknowledge(self, socket: ServerConnection, ack: Json, fault: Fault) -> None:
        if fault.lost:
            socket.transport.abort()
            return
        if fault.slow:
            task = asyncio.create_task(self._late(socket, ack, fault.slow))
            self._late_ones.add(task)
            task.add_done_callback(self._late_ones.discard)
        elif not fault.mute:
            await socket.send(_text(ack))

    async def _late(self, socket: ServerConnection, ack: Json, seconds: float) -> None:
        """Acknowledge late; what comes meanwhile is acknowledged meanwhile."""
        await asyncio.sleep(seconds)  # noqa: TID251 - a slow server takes real time
        with suppress(ConnectionClosed):
            await socket.send(_text(ack))

    # — commands —

    def _subscribe(self, frame: Json) -> AiBot:
        body: Json = frame.get("body", {})
        bot = self.bots.world.bots.get(str(body.get("bot_id")))
        if not self.subscribes.admits(str(body.get("bot_id")), self.bots.world.now()):
            raise RefusalError(45009, "api freq out of limit")
        if bot is None or bot.callback is not None:
            raise RefusalError(NO_BOT, "invalid bot_id")
        if body.get("secret") != bot.secret:
            raise RefusalError(
                WRONG_SECRET, "signature is incorrect, please check if the bot secret is correct"
            )
        return bot

    async def _seat(self, bot: AiBot, socket: ServerConnection) -> None:
        """Let a connection be the bot's one connection, and send the old one away."""
        before, self._live[bot.bot_id] = self._live.get(bot.bot_id), socket
        if before is None or before is socket:
            return
        event = {"eventtype": "disconnected_event"}
        world = self.bots.world
        body = {"msgid": world.fresh("EVID"), "create_time": int(world.now()), "aibotid": bot.bot_id}
        frame = {
            "cmd": "aibot_event_callback",
            "headers": {"req_id": world.fresh("SRVREQ")},
            "body": {**body, "msgtype": "event", "event": event},
        }
        self.frames.append(Frame(to_bot=True, frame=frame, at=world.now()))
        with suppress(ConnectionClosed):
            await before.send(_text(frame))
            await before.close(CLOSE_REPLACED)

    def _do(self, bot: AiBot, frame: Json) -> Json | None:
        req_id, body = str(frame.get("headers", {}).get("req_id", "")), frame.get("body", {})
        cmd = str(frame.get("cmd", ""))
        asking = {
            "aibot_upload_media_init": self.bots.upload_init,
            "aibot_upload_media_finish": self.bots.upload_finish,
        }
        answering = {
            "aibot_respond_msg": self.bots.respond,
            "aibot_respond_welcome_msg": self.bots.welcome,
            "aibot_respond_update_msg": self.bots.update,
        }
        telling = {"aibot_send_msg": self.bots.push, "aibot_upload_media_chunk": self.bots.upload_chunk}
        if cmd in asking:
            return asking[cmd](bot, body)
        if cmd in answering:
            answering[cmd](bot, req_id, body)
        elif cmd in telling:
            telling[cmd](bot, body)
        else:
            require(cmd == "ping", f"cmd {cmd!r}", 40035)
        return None

    async def _send(self, bot: AiBot, frame: Json) -> bool:
        socket = self._live.get(bot.bot_id)
        if socket is None:
            return False
        self.frames.append(Frame(to_bot=True, frame=frame, at=self.bots.world.now()))
        try:
            await socket.send(_text(frame))
        except ConnectionClosed:
            return False
        return True


def _text(frame: Any) -> str:
    return json.dumps(frame, ensure_ascii=False)
