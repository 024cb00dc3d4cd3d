"""How an AI bot speaks: answers, streams, cards and pushes, each within WeCom's window, over either transport."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from nonebot.drivers import Request, Response

from groupops_wecom.budget import Claim, Turnstile
from groupops_wecom.clockwork import Clockwork
from groupops_wecom.codes import CodeClass, meaning
from groupops_wecom.event import ChatType, EnterChat, Event, MessageEvent
from groupops_wecom.exception import (
    ActionFailed,
    ApiNotAvailable,
    InDoubt,
    NetworkError,
    WeComAdapterException,
    WindowClosed,
)
from groupops_wecom.longlink import json_of
from groupops_wecom.message import MediaKind
from groupops_wecom.shapes import table, whole, word
from groupops_wecom.uploads import put_up

EVENT_WINDOW = 5.0
"""Seconds in which a welcome or the update of a card is taken (protocol sheet 2.6, 2.7)."""

MESSAGE_WINDOW = 24 * 3600.0
"""Seconds in which a message may be answered (protocol sheet 2.7)."""

STREAM_WINDOW = 360.0
"""Seconds in which a stream must be finished. WeCom's pages disagree on what they count from; the message is earlier."""

STREAM_MARGIN = 15.0
"""Seconds before its end at which a stream is finished here."""

URL_WINDOW = 3600.0
"""Seconds a `response_url` is good for (protocol sheet 3.4)."""

BAD_REQ_ID, STREAM_EXPIRED = 846605, 846608
"""What was answered, or the stream, is too old: say it anew (protocol sheet 13)."""

CHATS = 2_000
"""Conversations whose unused `response_url` is kept."""

STREAMS = 2_000
"""Streams that are kept for WeCom to ask for."""

Body = dict[str, Any]

_NEVER_LEFT = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout", "ClientConnectorError", "ConnectionRefusedError"}
)
"""Errors of NoneBot's HTTP clients after which nothing has left."""

_NOT_USED_UP = frozenset({CodeClass.THROTTLED, CodeClass.SERIALISE})
"""Refusals after which a `response_url` is as good as it was: it is to be tried again later."""

_SERVER_FAULT = 500


class Transport(Protocol):
    """A way to speak."""

    async def respond(self, event: Event, body: Body) -> Body:
        """Answer an event with a message of WeCom's."""
        ...

    async def push(self, chat_id: str, chat_type: ChatType, body: Body) -> Body:
        """Say something that answers nothing."""
        ...

    async def welcome(self, event: EnterChat, body: Body) -> Body:
        """Greet who came."""
        ...

    async def update(self, event: Event, body: Body) -> Body:
        """Replace a card that was pressed."""
        ...

    async def stream(self, event: Event, body: Body) -> Body:
        """Show the present content of a stream."""
        ...

    async def upload(self, kind: MediaKind, name: str, data: bytes) -> str:
        """Put a medium up; gives its media id."""
        ...

    def can_push(self, chat_id: str) -> bool:
        """Say whether anything may be said in a conversation that answers nothing."""
        ...

    def key(self, aes_key: str) -> str:
        """Give the key of a medium, from what its message says."""
        ...


def streamed(content: str, stream_id: str = "", *, finish: bool = True, feedback: str = "") -> Body:
    """Give the body of a stream's present content; one that is finished at once is how words are answered."""
    made: Body = {"id": stream_id or stream_name(), "finish": finish, "content": content}
    if feedback:
        made["feedback"] = {"id": feedback}
    return {"msgtype": "stream", "stream": made}


def stream_name() -> str:
    """Give a new id for a stream."""
    return f"stream_{secrets.token_hex(12)}"


def markdowned(content: str) -> Body:
    """Give the body of words that answer nothing."""
    return {"msgtype": "markdown", "markdown": {"content": content}}


def carded(card: Mapping[str, Any]) -> Body:
    """Give the body of a card."""
    return {"msgtype": "template_card", "template_card": dict(card)}


def said_anew(body: Body) -> Body:
    """Give a body as it may be pushed: a stream becomes markdown."""
    return markdowned(body["stream"]["content"]) if body.get("msgtype") == "stream" else body


def in_time(event: Event, window: float, now: float, what: str) -> None:
    """Let pass what is within its window.

    Raises:
        WindowClosed: it is too late.
    """
    if now - event.received >= window:
        raise WindowClosed(f"{what} is taken for {window:g} seconds; it was not sent")


def where(event: Event) -> tuple[str, ChatType]:
    """Give the conversation of an event."""
    return (event.chat_id, "group") if event.chat_id else (event.user_id, "private")


# — over the long connection —


class OverLink:
    """Speaks over the long connection.

    Args:
        bot_id: the bot.
        call: sends a command and gives the answer's body.
        doubtful: says whether an answer under this handle is missing.
        turnstile: keeps to WeCom's rates.
        clock: where time comes from.
    """

    def __init__(
        self,
        bot_id: str,
        call: Callable[..., Awaitable[Body]],
        doubtful: Callable[[str], bool],
        turnstile: Turnstile,
        clock: Clockwork,
    ) -> None:
        self._bot_id = bot_id
        self._call = call
        self._doubtful = doubtful
        self._turnstile = turnstile
        self._clock = clock

    async def respond(self, event: Event, body: Body) -> Body:
        """Answer a message; what can no longer be answered, or not so that it is known what became of it, is pushed."""
        chat_id, chat_type = where(event)
        lately = self._clock.now() - event.received < MESSAGE_WINDOW
        answers = isinstance(event, MessageEvent) and bool(event.req_id) and lately
        if not answers or self._doubtful(event.req_id):
            return await self.push(chat_id, chat_type, said_anew(body))
        await self._turn("aibot_respond_msg", chat_id)
        try:
            return await self._call("aibot_respond_msg", body, event.req_id)
        except ActionFailed as error:
            if error.errcode not in {BAD_REQ_ID, STREAM_EXPIRED}:
                raise
        return await self.push(chat_id, chat_type, said_anew(body))

    async def push(self, chat_id: str, chat_type: ChatType, body: Body) -> Body:
        """Say something in a conversation somebody has begun; the kind of chat is always told."""
        if not chat_id:
            raise ApiNotAvailable("there is no conversation to speak in")
        await self._turn("aibot_send_msg", chat_id)
        told = {"chatid": chat_id, "chat_type": 2 if chat_type == "group" else 1, **body}
        return await self._call("aibot_send_msg", told)

    async def welcome(self, event: EnterChat, body: Body) -> Body:
        """Greet who came, within five seconds."""
        in_time(event, EVENT_WINDOW, self._clock.now(), "a welcome")
        return await self._call("aibot_respond_welcome_msg", body, event.req_id)

    async def update(self, event: Event, body: Body) -> Body:
        """Replace a card, within five seconds."""
        in_time(event, EVENT_WINDOW, self._clock.now(), "the update of a card")
        return await self._call("aibot_respond_update_msg", body, event.req_id)

    async def stream(self, event: Event, body: Body) -> Body:
        """Show a stream's present content; all of it goes under the same handle."""
        await self._turn("aibot_respond_msg", where(event)[0])
        return await self._call("aibot_respond_msg", body, event.req_id)

    async def upload(self, kind: MediaKind, name: str, data: bytes) -> str:
        """Put a medium up in pieces."""
        await self._turnstile.enter("aibot_upload_media_init", (Claim("aibot_upload", self._bot_id),))
        return await put_up(self._call, kind, name, data)

    def can_push(self, chat_id: str) -> bool:
        """Where somebody has spoken to the bot, it may go on speaking."""
        return bool(chat_id)

    def key(self, aes_key: str) -> str:
        """Every medium has its own key here."""
        return aes_key

    async def _turn(self, cmd: str, chat_id: str) -> None:
        await self._turnstile.enter(cmd, (Claim("aibot_conversation", f"{self._bot_id}:{chat_id}"),))


# — over a callback URL —


@dataclass(slots=True)
class _Way:
    """A `response_url`: once, and within an hour."""

    url: str = field(repr=False)
    until: float
    used: bool = False


@dataclass(slots=True)
class _Kept:
    """The present content of a stream, and until when WeCom asks for it."""

    body: Body
    until: float


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where a `response_url` may lead.

    Args:
        known: hosts; a name with a leading dot stands for all below it.
        plain: the one host that may be spoken to unencrypted; empty for none.
    """

    known: tuple[str, ...]
    plain: str = ""

    def have(self, url: str) -> bool:
        """Say whether an address leads there."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https":
            return bool(host) and parts.scheme == "http" and host == self.plain
        return any(host == one or (one.startswith(".") and host.endswith(one)) for one in self.known)


class OverUrl:
    """Speaks in the answer to what WeCom posts, and once later for each message.

    Args:
        bot_id: the bot.
        aes_key: its EncodingAESKey, which also opens its media.
        request: makes an HTTP call.
        hosts: hosts a `response_url` may have.
        turnstile: keeps to WeCom's rates.
        clock: where time comes from.
    """

    def __init__(
        self,
        bot_id: str,
        aes_key: str,
        request: Callable[[Request], Awaitable[Response]],
        hosts: Hosts,
        turnstile: Turnstile,
        clock: Clockwork,
    ) -> None:
        self._bot_id = bot_id
        self._aes_key = aes_key
        self._request = request
        self._hosts = hosts
        self._turnstile = turnstile
        self._clock = clock
        self._ways: OrderedDict[str, _Way] = OrderedDict()
        self._latest: OrderedDict[str, list[str]] = OrderedDict()
        self._streams: OrderedDict[str, _Kept] = OrderedDict()

    def noted(self, event: Event) -> None:
        """Keep the way an event may be answered by later."""
        if not event.response_url or event.event_id in self._ways:
            return
        self._ways[event.event_id] = _Way(event.response_url, event.received + URL_WINDOW)
        chat_id = where(event)[0]
        self._latest.setdefault(chat_id, []).append(event.event_id)
        self._latest.move_to_end(chat_id)
        del self._latest[chat_id][:-8]
        while len(self._latest) > CHATS:
            self._latest.popitem(last=False)
        while len(self._ways) > 4 * CHATS:
            self._ways.popitem(last=False)

    async def respond(self, event: Event, body: Body) -> Body:
        """Answer: in the answer to the post while it waits, else by the message's one later way."""
        if event.exchange is not None and event.exchange.answer(body):
            return {}
        return await self._later(event.event_id, where(event)[0], body)

    async def push(self, chat_id: str, chat_type: ChatType, body: Body) -> Body:  # noqa: ARG002 - the way knows its chat
        """Say something by a way that was not used; there is none unless somebody spoke within the hour."""
        return await self._later("", chat_id, body)

    async def welcome(self, event: EnterChat, body: Body) -> Body:
        """Greet who came, while the post waits."""
        return self._at_once(event, body, "a welcome")

    async def update(self, event: Event, body: Body) -> Body:
        """Replace a card, while the post waits."""
        return self._at_once(event, body, "the update of a card")

    async def stream(self, event: Event, body: Body) -> Body:
        """Show a stream's present content: WeCom asks for it until it is finished.

        Raises:
            WindowClosed: the post was answered before the stream began.
        """
        stream_id = body["stream"]["id"]
        kept = self._streams.get(stream_id)
        if kept is not None:
            kept.body = body
            return {}
        self._at_once(event, body, "a stream")
        self._streams[stream_id] = _Kept(body, event.received + STREAM_WINDOW)
        self._tidy()
        return {}

    def present(self, stream_id: str) -> Body | None:
        """Give the present content of a stream WeCom asks for; one that is not known is over."""
        found = self._streams.get(stream_id)
        if found is None:
            return None
        if found.body["stream"]["finish"]:
            del self._streams[stream_id]
        return found.body

    def _tidy(self) -> None:
        """Forget streams that WeCom no longer asks for, and the oldest when there are too many."""
        now = self._clock.now()
        while self._streams:
            oldest = next(iter(self._streams))
            if len(self._streams) <= STREAMS and now < self._streams[oldest].until:
                return
            del self._streams[oldest]

    async def upload(self, kind: MediaKind, name: str, data: bytes) -> str:  # noqa: ARG002 - there is no way
        """There is no way.

        Raises:
            ApiNotAvailable: always.
        """
        raise ApiNotAvailable("an AI bot on a callback URL cannot send media; use the long connection")

    def can_push(self, chat_id: str) -> bool:
        """Say whether a way of the conversation's is left."""
        now = self._clock.now()
        ways = (self._ways.get(one) for one in self._latest.get(chat_id, ()))
        return any(way is not None and not way.used and now < way.until for way in ways)

    def key(self, aes_key: str) -> str:
        """All media have the bot's own key here."""
        return aes_key or self._aes_key

    def _at_once(self, event: Event, body: Body, what: str) -> Body:
        if event.exchange is None or not event.exchange.answer(body):
            raise WindowClosed(
                f"{what} goes in the answer to WeCom's post, and that was given; it was not sent"
            )
        return {}

    async def _later(self, event_id: str, chat_id: str, body: Body) -> Body:
        told = said_anew(body)
        if told["msgtype"] not in {"markdown", "template_card"}:
            raise ApiNotAvailable("an AI bot on a callback URL says later only words and cards")
        claims = (Claim("aibot_conversation", f"{self._bot_id}:{chat_id}"),)
        await self._turnstile.enter("aibot/response", claims)
        way = self._way(event_id, chat_id)
        if way is None:
            raise ApiNotAvailable(
                "no way to speak is left: a bot on a callback URL answers once at once and once within the hour"
            )
        return await self._sent(way, told)

    def _way(self, event_id: str, chat_id: str) -> _Way | None:
        """Take the message's own way; else the newest of its conversation that was not used."""
        now = self._clock.now()
        for one in (event_id, *reversed(self._latest.get(chat_id, []))):
            way = self._ways.get(one)
            if way is not None and not way.used and now < way.until:
                way.used = True
                return way
        return None

    async def _sent(self, way: _Way, body: Body) -> Body:
        if not self._hosts.have(way.url):
            raise ApiNotAvailable("a response_url that is not WeCom's is not used")
        asked = Request(
            "POST",
            way.url,
            content=json_of(body).encode(),
            headers={"Content-Type": "application/json; charset=utf-8"},
            timeout=20.0,
        )
        name = ""
        try:
            return _judged(await self._request(asked))
        except ActionFailed as error:
            way.used = meaning(error.errcode).kind not in _NOT_USED_UP
            raise
        except WeComAdapterException:
            raise
        except Exception as error:  # noqa: BLE001 - each HTTP client of NoneBot has errors of its own
            name = type(error).__name__
        # Raised out here, so that nobody who prints the error prints the client's, which knows the address.
        if name in _NEVER_LEFT:
            way.used = False
            raise NetworkError(f"aibot/response: {name}; it was not sent")
        raise InDoubt(f"aibot/response: {name}; it was sent and the answer was lost")


def _judged(answer: Response) -> Body:
    try:
        said = table(json.loads(answer.content or b"{}", strict=False))
    except (ValueError, RecursionError):
        raise InDoubt(f"aibot/response: HTTP {answer.status_code} without JSON") from None
    errcode = whole(said.get("errcode"))
    if answer.status_code >= _SERVER_FAULT or meaning(errcode or 0).kind is CodeClass.RETRY:
        raise InDoubt(f"aibot/response: {errcode or answer.status_code}; whether it was said is not known")
    if errcode or not 200 <= answer.status_code < 300:  # noqa: PLR2004 - HTTP's own classes
        raise ActionFailed("aibot/response", errcode or answer.status_code, word(said.get("errmsg")))
    return said


# — streams —


class Stream:
    """A reply that grows: every showing replaces what was shown, and it is finished in time whatever happens.

    Args:
        transport: how it goes out.
        event: the message it answers.
        clock: where time comes from.
        feedback: what a rating of it will carry, at most 256 bytes; empty for no ratings.
    """

    def __init__(
        self, transport: Transport, event: MessageEvent, clock: Clockwork, feedback: str = ""
    ) -> None:
        self.id = stream_name()
        self.finished = False
        self._transport = transport
        self._event = event
        self._clock = clock
        self._feedback = feedback
        self._shown = ""
        self._ends = event.received + STREAM_WINDOW - STREAM_MARGIN
        self._ending: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def is_late(self) -> bool:
        """Whether WeCom takes nothing more of it."""
        return self._clock.now() >= self._ends

    async def show(self, content: str) -> None:
        """Show this markdown, and nothing of what was shown before.

        Raises:
            WindowClosed: it is finished or too old.
        """
        async with self._one_at_a_time:
            if self.finished or self.is_late:
                raise WindowClosed("the stream is over; say the rest anew")
            await self._transport.stream(self._event, self._body(content, finish=False))
            self._shown = content
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())

    async def finish(self, content: str | None = None) -> None:
        """Show this for good, or what is shown; what comes too late for the stream is said anew."""
        ending, self._ending = self._ending, None
        if ending is not None and ending is not asyncio.current_task():
            ending.cancel()
        async with self._one_at_a_time:
            last = self._shown if content is None else content
            if self.finished or self.is_late:
                await self._anew(last)
                return
            try:
                await self._transport.stream(self._event, self._body(last, finish=True))
            except ActionFailed as error:
                if error.errcode not in {BAD_REQ_ID, STREAM_EXPIRED}:
                    raise
                self.finished = True
                await self._anew(last)
            self.finished, self._shown = True, last

    async def _anew(self, content: str) -> None:
        before, self.finished = self._shown, True
        if content and content != before:
            await self._transport.push(*where(self._event), markdowned(content))
            self._shown = content

    def _body(self, content: str, *, finish: bool) -> Body:
        return streamed(content, self.id, finish=finish, feedback="" if self._shown else self._feedback)

    async def _end(self) -> None:
        """Finish it before WeCom would leave it unfinished for ever."""
        await self._clock.sleep(max(0.0, self._ends - self._clock.now() - 1.0))
        with suppress(NetworkError, ActionFailed, ApiNotAvailable):
            await self.finish()

    def dropped(self) -> None:
        """Nobody finishes it any more."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
