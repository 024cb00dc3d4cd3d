"""The long connection of one AI bot: subscribed once, kept alive, made again, every frame sent waits for its answer."""

from __future__ import annotations

import asyncio
import json
import random
import re
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from nonebot.exception import WebSocketClosed
from nonebot.log import logger

from groupops_wecom.clockwork import Clockwork
from groupops_wecom.codes import CodeClass, meaning
from groupops_wecom.exception import ActionFailed, InDoubt, NetworkError
from groupops_wecom.shapes import table, whole, word

LONGEST_WAIT = 30.0
"""Seconds between two tries at most; they double from one (protocol sheet 2.4)."""

MISSED = 2
"""Heartbeats without an answer after which nobody is there (protocol sheet 2.4)."""

SUBSCRIBED_WITHIN = 10.0
"""Seconds for the answer to a subscription."""

PENDING = 1024
"""Frames that may wait for an answer at once."""

NOT_SUBSCRIBED = 846609
"""WeCom lost the subscription while the connection stayed; a new connection mends it."""

_SPEAKS = frozenset({"aibot_send_msg", "aibot_respond_msg", "aibot_respond_welcome_msg"})
"""Commands that say something: doing them twice would say it twice."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f]")
"""What the vendor's own software takes out of every frame before it reads it (protocol sheet 2.1)."""


class Socket(Protocol):
    """A WebSocket, as NoneBot's drivers have it."""

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        ...

    async def receive(self) -> str | bytes:
        """Give the next frame."""
        ...

    async def send(self, data: str) -> None:
        """Send a frame."""
        ...


class Host(Protocol):
    """Who owns the connection."""

    def opened(self) -> None:
        """It is subscribed."""
        ...

    def closed(self, note: str, *, final: bool) -> None:
        """It is gone; `final`: it will not come back by itself."""
        ...

    async def heard(self, frame: Mapping[str, Any]) -> None:
        """A message or an event came; while this waits nothing more is read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a connection is.

    Args:
        connected: whether it is subscribed.
        since: since when it is so, seconds since the epoch.
        heard_at: when something last came, heartbeats' answers included; 0 before that.
        note: why it is not connected.
        final: whether it will not come back by itself.
        tries: connections tried since it was last subscribed.
    """

    connected: bool = False
    since: float = 0.0
    heard_at: float = 0.0
    note: str = "not yet connected"
    final: bool = False
    tries: int = 0


class RefusedError(Exception):
    """WeCom did not let the bot subscribe."""


class _TakenOverError(Exception):
    """Another connection of the same bot was made; this one must not come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long things are waited for, in seconds unless said otherwise.

    Args:
        ack: for the answer to a frame.
        ping: between two heartbeats.
        tries: subscriptions refused in a row before the bot gives up, a number.
    """

    ack: float = 5.0
    ping: float = 30.0
    tries: int = 5


@dataclass(slots=True)
class _Waiting:
    """A frame that waits for its answer, and what came for it so far."""

    cmd: str
    answer: asyncio.Future[dict[str, Any]]
    came: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


class LongLink:
    """The connection.

    Args:
        bot_id: the bot.
        secret: its secret for the long connection.
        connect: makes a socket to WeCom.
        host: who is told.
        clock: where time and waiting come from.
        patience: how long things are waited for.
    """

    def __init__(
        self,
        bot_id: str,
        secret: str,
        connect: Callable[[], AbstractAsyncContextManager[Socket]],
        host: Host,
        clock: Clockwork,
        patience: Patience,
    ) -> None:
        self.state = State(since=clock.now())
        self._bot_id = bot_id
        self._secret = secret
        self._connect = connect
        self._host = host
        self._clock = clock
        self._patience = patience
        self._socket: Socket | None = None
        self._renew = asyncio.Event()
        self._missed = 0
        self._pending: dict[str, _Waiting] = {}
        self._turns: dict[str, _Turn] = {}
        self._late: OrderedDict[str, int] = OrderedDict()

    def __repr__(self) -> str:
        return f"LongLink({self._bot_id!r}, connected={self.state.connected})"

    # — keeping it —

    async def run(self) -> None:
        """Keep connected until cancelled, taken over by another connection, or refused too often."""
        refused = 0
        while True:
            try:
                await self._once()
                note = "closed by WeCom"
            except _TakenOverError:
                self._down(
                    "another connection of this bot took over; it stays away until restarted", final=True
                )
                return
            except RefusedError as error:
                refused += 1
                note = str(error)
                if refused >= self._patience.tries:
                    self._down(f"{note}; check bot_id and secret, then restart", final=True)
                    return
            except asyncio.CancelledError:
                self._down("stopped", final=True)
                raise
            except Exception as error:  # noqa: BLE001 - whatever it was, the next try may succeed
                note = _said(error)
            if self.state.connected:
                refused = 0
            self._down(note)
            await self._clock.sleep(_wait(self.state.tries))

    def _down(self, note: str, *, final: bool = False) -> None:
        """Say that the connection is gone."""
        before = self.state
        self.state = State(
            since=self._clock.now() if before.connected or not before.tries else before.since,
            heard_at=before.heard_at,
            note=note,
            final=final,
            tries=1 if before.connected else before.tries + 1,
        )
        level = "ERROR" if final else "WARNING"
        logger.log(level, "the long connection of WeCom bot {} is gone: {}", self._bot_id, note)
        self._host.closed(note, final=final)

    async def _once(self) -> None:
        """Connect once, and listen until it breaks; what it broke by is raised."""
        async with self._connect() as socket:
            self._socket = socket
            self._missed = 0
            self._renew.clear()
            doing = [
                asyncio.create_task(one) for one in (self._listen(socket), self._live(), self._renewed())
            ]
            try:
                done, _ = await asyncio.wait(doing, return_when=asyncio.FIRST_COMPLETED)
                for task in doing:  # in this order: what was heard last says best why it ended
                    if task in done:
                        task.result()
            finally:
                self._socket = None
                for task in doing:
                    task.cancel()
                await asyncio.gather(*doing, return_exceptions=True)
                self._unanswered()

    async def _renewed(self) -> None:
        await self._renew.wait()
        raise NetworkError("WeCom lost the subscription")

    async def _live(self) -> None:
        """Subscribe, and beat; when the answers to two heartbeats are missing, nobody is there."""
        await self._subscribe()
        while True:
            await self._clock.sleep(self._patience.ping)
            if self._missed >= MISSED:
                raise NetworkError("no answer to heartbeats")
            self._missed += 1
            with suppress(NetworkError):
                await self._write({"cmd": "ping", "headers": {"req_id": _fresh("ping", self._clock)}})

    def _unanswered(self) -> None:
        """Whoever waits for an answer does not get it any more."""
        for waiting in self._pending.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(
                    InDoubt(f"{waiting.cmd}: the connection broke before the answer")
                )
        self._pending.clear()
        self._late.clear()

    async def _subscribe(self) -> None:
        body = {"bot_id": self._bot_id, "secret": self._secret}
        try:
            await self._asked(
                "aibot_subscribe", body, _fresh("aibot_subscribe", self._clock), SUBSCRIBED_WITHIN
            )
        except ActionFailed as error:
            raise RefusedError(
                f"WeCom refused the subscription: {error.errcode} {error.errmsg[:200]}"
            ) from None
        now = self._clock.now()
        self.state = State(connected=True, since=now, heard_at=now, note="")
        logger.info("WeCom bot {} is subscribed", self._bot_id)
        self._host.opened()

    async def _listen(self, socket: Socket) -> None:
        while True:
            try:
                text = await socket.receive()
            except WebSocketClosed as error:
                raise NetworkError(f"closed by WeCom ({error.code})") from None
            frame = frame_of(text)
            if frame is None:
                logger.warning("a frame of WeCom's was no JSON object; it was passed over")
                continue
            self.state = replace(self.state, heard_at=self._clock.now())
            await self._take(frame)

    async def _take(self, frame: dict[str, Any]) -> None:
        cmd = frame.get("cmd")
        if not cmd:
            self._answered(frame)
        elif cmd in {"aibot_msg_callback", "aibot_event_callback"}:
            await self._host.heard(frame)
            event = table(table(frame.get("body")).get("event"))
            if event.get("eventtype") == "disconnected_event":
                raise _TakenOverError
        else:
            logger.debug("WeCom sent a command this adapter does not know: {}", word(cmd, 60))

    # — asking —

    async def call(
        self, cmd: str, body: Mapping[str, Any] | None = None, req_id: str | None = None
    ) -> dict[str, Any]:
        """Send a command and wait for its answer.

        Args:
            cmd: WeCom's word for it.
            body: what it carries.
            req_id: of the message or event it answers; several with the same go one after another. A fresh one is
                made for a command of our own.

        Returns:
            The body of the answer; mostly empty.

        Raises:
            ActionFailed: WeCom refused it.
            NetworkError: it was not sent.
            InDoubt: it was sent, and the answer did not come within `Patience.ack` seconds or the connection broke.
        """
        if not self.state.connected:
            raise NetworkError(f"{cmd}: the long connection is down: {self.state.note}")
        if req_id is None:
            return await self._asked(cmd, body, _fresh(cmd, self._clock), self._patience.ack)
        async with self._turn(req_id):
            return await self._asked(cmd, body, req_id, self._patience.ack)

    @asynccontextmanager
    async def _turn(self, req_id: str) -> AsyncGenerator[None]:
        """Wait for one's turn among those who answer the same; forget the queue with the last of them."""
        turn = self._turns.setdefault(req_id, _Turn())
        turn.takers += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.takers -= 1
            if not turn.takers:
                del self._turns[req_id]

    async def _asked(
        self, cmd: str, body: Mapping[str, Any] | None, req_id: str, within: float
    ) -> dict[str, Any]:
        if len(self._pending) >= PENDING:
            raise NetworkError(f"{cmd}: {PENDING} frames wait for an answer already")
        waiting = _Waiting(cmd, asyncio.get_running_loop().create_future())
        self._pending[req_id] = waiting
        try:
            await self._write(
                {"cmd": cmd, "headers": {"req_id": req_id}, **({} if body is None else {"body": body})}
            )
            async with asyncio.timeout(within):
                found = await waiting.answer
        except TimeoutError:
            self._is_late(req_id, waiting)
            raise InDoubt(f"{cmd}: no answer within {within:g} seconds") from None
        except asyncio.CancelledError:
            self._is_late(req_id, waiting)
            raise
        finally:
            if self._pending.get(req_id) is waiting:
                del self._pending[req_id]
        return self._judged(cmd, found)

    def _judged(self, cmd: str, found: dict[str, Any]) -> dict[str, Any]:
        errcode = whole(found.get("errcode")) or 0
        if errcode == NOT_SUBSCRIBED:
            self._renew.set()
            raise NetworkError(f"{cmd}: WeCom lost the subscription; a new connection is made")
        if cmd in _SPEAKS and meaning(errcode).kind is CodeClass.RETRY:
            raise InDoubt(f"{cmd}: {errcode}; whether it was said is not known")
        if errcode:
            raise ActionFailed(cmd, errcode, word(found.get("errmsg")))
        return table(found.get("body"))

    def doubtful(self, req_id: str) -> bool:
        """Say whether answers are missing to what was said under this id: the next ones could not be told apart."""
        return req_id in self._late

    def _is_late(self, req_id: str, waiting: _Waiting) -> None:
        """Remember how many answers are missing."""
        missing = self._late.pop(req_id, 0) + 1 - len(waiting.came)
        if missing > 0:
            self._late[req_id] = missing
        while len(self._late) > PENDING:
            self._late.popitem(last=False)

    def _answered(self, frame: dict[str, Any]) -> None:
        """Give an answer to whom it belongs.

        An answer tells only the id, which all answers to one message share. While some are missing, those that
        come may be theirs: they are taken together once all have come, and are in doubt unless they agree.
        """
        req_id = word(table(frame.get("headers")).get("req_id"))
        if req_id.startswith("ping_"):
            self._missed = 0
            return
        late, waiting = self._late.get(req_id, 0), self._pending.get(req_id)
        if waiting is None:
            self._one_less(req_id, late)
            return
        waiting.came.append(frame)
        if len(waiting.came) <= late or waiting.answer.done():
            return
        self._late.pop(req_id, None)
        if len({bool(whole(one.get("errcode"))) for one in waiting.came}) > 1:
            waiting.answer.set_exception(InDoubt(f"{waiting.cmd}: answers came that cannot be told apart"))
        else:
            waiting.answer.set_result(frame)

    def _one_less(self, req_id: str, late: int) -> None:
        if late > 1:
            self._late[req_id] = late - 1
        else:
            self._late.pop(req_id, None)

    async def _write(self, frame: Mapping[str, Any]) -> None:
        """Send a frame.

        Raises:
            NetworkError: it was not sent.
            InDoubt: the connection broke while it was being sent.
        """
        cmd, socket = str(frame["cmd"]), self._socket
        if socket is None or socket.closed:
            raise NetworkError(f"{cmd}: the long connection is down")
        text = json_of(frame)
        try:
            await socket.send(text)
        except Exception as error:  # noqa: BLE001 - whatever it was, whether it left is not known
            raise InDoubt(f"{cmd}: the connection broke while it was sent: {type(error).__name__}") from None


@dataclass(slots=True)
class _Turn:
    """Those who answer the same message, one at a time."""

    lock: asyncio.Lock
    takers: int

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.takers = 0


def frame_of(text: str | bytes) -> dict[str, Any] | None:
    """Read a frame leniently: control characters are taken out first; None when it is no JSON object."""
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return object_of(_CONTROLS.sub("", said))


_READER = json.JSONDecoder(strict=False)
_SPACE = " \t\n\r"


def object_of(text: str) -> dict[str, Any] | None:
    """Read JSON in which controls may stand in texts; None when it is no object."""
    said = text.strip(_SPACE)
    try:
        found, end = _READER.raw_decode(said)
    except (ValueError, RecursionError):
        return None
    return found if end == len(said) and isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType] - any shape


def json_of(content: Mapping[str, Any]) -> str:
    """Write JSON as WeCom wants it: characters as they are, halves of characters left out."""
    said = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return said.encode("utf-8", "replace").decode()


def _fresh(cmd: str, clock: Clockwork) -> str:
    """Give an id of our own: unique, and made as the vendor's software makes it (protocol sheet 2.2)."""
    return f"{cmd}_{int(clock.now() * 1000)}_{secrets.token_hex(4)}"


def _wait(tries: int) -> float:
    """Give the seconds before the next try: from one, doubled each time, to thirty, and up to a half less by chance."""
    longest = min(LONGEST_WAIT, 2.0 ** min(max(tries - 1, 0), 10))
    return longest * (1 - random.random() / 2)


def _said(error: Exception) -> str:
    """Give what happened without what was sent."""
    return error.msg if isinstance(error, NetworkError) else type(error).__name__
