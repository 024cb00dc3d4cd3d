"""An AI bot that is nothing but a socket, and a caller that is nothing but HTTP: to ask the make-believe WeCom anything."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import httpx
from websockets.asyncio.client import ClientConnection, connect

from groupops_wecom.testing import AiBot, App, FakeWeCom, listening

Json = dict[str, Any]
NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loopback needs no certificates, and to load those of the machine takes longer than a test."""


class RawBot:
    """A socket.

    Args:
        socket: connected.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: asyncio.Queue[Json] = asyncio.Queue()
        self.acks: asyncio.Queue[Json] = asyncio.Queue()
        self._numbers = count(1)
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for text in self.socket:
            frame = json.loads(text)
            await (self.heard if "cmd" in frame else self.acks).put(frame)

    async def asks(self, cmd: str, body: Json | None = None, req_id: str = "") -> Json:
        """Send a frame; gives what acknowledges it."""
        headers = {"req_id": req_id or f"{cmd}_{next(self._numbers)}"}
        await self.socket.send(
            json.dumps({"cmd": cmd, "headers": headers, **({"body": body} if body else {})})
        )
        ack: Json = await asyncio.wait_for(self.acks.get(), 5)
        assert ack["headers"] == headers
        return ack

    async def code(self, cmd: str, body: Json | None = None, req_id: str = "") -> int:
        """Send a frame; gives the number it was answered with."""
        return int((await self.asks(cmd, body, req_id))["errcode"])

    async def hears(self) -> Json:
        """Wait for the next thing that is told."""
        return await asyncio.wait_for(self.heard.get(), 5)

    async def push(self, chatid: str, content: str = "x", **rest: Any) -> int:
        """Push markdown; gives the number it was answered with."""
        body = {"chatid": chatid, "msgtype": "markdown", "markdown": {"content": content}, **rest}
        return await self.code("aibot_send_msg", body)

    async def stream(self, req_id: str, content: str = "x", *, finish: bool = True, id_: str = "s1") -> int:
        """Answer with a stream; gives the number it was answered with."""
        stream = {"id": id_, "finish": finish, "content": content}
        return await self.code("aibot_respond_msg", {"msgtype": "stream", "stream": stream}, req_id)


@asynccontextmanager
async def raw_bot(wecom: FakeWeCom, bot: AiBot | None = None) -> AsyncIterator[RawBot]:
    """A socket, subscribed as a bot if one is given."""
    async with connect(wecom.link.url) as socket:
        raw = RawBot(socket)
        if bot is not None:
            secret = {"bot_id": bot.bot_id, "secret": bot.secret}
            assert await raw.code("aibot_subscribe", secret) == 0
        yield raw
        raw._reading.cancel()


class RawCaller:
    """Calls with the token of one secret."""

    def __init__(self, wecom: FakeWeCom, client: httpx.AsyncClient, secret: str) -> None:
        self.wecom = wecom
        self.client = client
        self.secret = secret
        self.token = ""

    async def gets_token(self, **query: str) -> Json:
        """Ask for a token."""
        asked = {"corpid": self.wecom.world.corp_id, "corpsecret": self.secret, **query}
        answer: Json = (await self.client.get("/cgi-bin/gettoken", params=asked)).json()
        self.token = answer.get("access_token", "")
        return answer

    async def posts(self, name: str, body: Json | None = None, **query: Any) -> Json:
        """Call with a body; gives the answer."""
        asked = {"access_token": self.token, **query}
        raw = json.dumps(body or {}, ensure_ascii=False).encode()
        answer: Json = (await self.client.post(f"/cgi-bin/{name}", params=asked, content=raw)).json()
        return answer

    async def gets(self, name: str, **query: Any) -> Json:
        """Call without a body; gives the answer."""
        asked = {"access_token": self.token, **query}
        answer: Json = (await self.client.get(f"/cgi-bin/{name}", params=asked)).json()
        return answer


@asynccontextmanager
async def raw_caller(wecom: FakeWeCom, holder: App | str) -> AsyncIterator[RawCaller]:
    """A caller with a token for an app, or for another secret."""
    secret = holder if isinstance(holder, str) else holder.secret
    async with httpx.AsyncClient(base_url=wecom.rest.base, verify=NOBODY) as client:
        caller = RawCaller(wecom, client, secret)
        await caller.gets_token()
        yield caller


@asynccontextmanager
async def door(answer: Callable[[dict[str, str], str], Awaitable[str | int]]) -> AsyncIterator[str]:
    """A callback URL; `answer(query, body)` gives what it answers, or a status of HTTP."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        part = await receive()
        said = await answer(query, part.get("body", b"").decode())
        status, text = (said, "") if isinstance(said, int) else (200, said)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": text.encode()})

    async with listening(app) as port:
        yield f"http://127.0.0.1:{port}/"
