"""A small HTTP server on loopback that answers as a test says, and a clock on which waiting takes no time."""

from __future__ import annotations

import asyncio
import heapq
import json
from bisect import bisect_left
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from nonebot.drivers import Request, Response
from nonebot.drivers.httpx import Session

from groupops_wecom.clockwork import Clockwork

START = 1_767_232_800.0
"""2026-01-01 10:00 in China."""

OVER_HTTPX = pytest.mark.filterwarnings("ignore:Setting per-request cookies:DeprecationWarning")
"""NoneBot's way over httpx gives it cookies as httpx will no longer like them."""

TURNS = 30
"""Turns of the loop after which everybody who can go on without waiting has gone on."""


class Hours:
    """Time that passes as soon as everybody waits."""

    def __init__(self, moment: float = START) -> None:
        self.moment = moment
        self.slept: list[float] = []
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    @property
    def work(self) -> Clockwork:
        """As the adapter wants it, for tests in which many wait at once: see `run`."""
        return Clockwork(now=lambda: self.moment, sleep=self._sleep)

    @property
    def hurried(self) -> Clockwork:
        """A clock that is moved on by whoever waits on it."""
        return Clockwork(now=lambda: self.moment, sleep=self._hurry)

    async def _hurry(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += seconds
        await asyncio.sleep(0)

    async def _sleep(self, seconds: float) -> None:
        self._count += 1
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.moment + seconds, self._count, woken))
        await woken

    async def run(self, *doings: Coroutine[Any, Any, Any]) -> list[Any]:
        """Do all of it at once, and let time pass as far as it takes; gives results and errors."""
        tasks = [asyncio.ensure_future(doing) for doing in doings]
        while not all(task.done() for task in tasks):
            for _ in range(TURNS):
                await asyncio.sleep(0)
            if self._sleepers and not all(task.done() for task in tasks):
                due, _, woken = heapq.heappop(self._sleepers)
                self.moment = max(self.moment, due)
                if not woken.done():
                    woken.set_result(None)
        return await asyncio.gather(*tasks, return_exceptions=True)


def most_within(moments: list[float], span: float) -> int:
    """How many of the moments lie within some window of this span, both its ends included."""
    found = sorted(moments)
    return max(
        (place + 1 - bisect_left(found, moment - span) for place, moment in enumerate(found)), default=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came over the socket."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer: a body, or no answer at all."""

    body: bytes = b""
    status: int = 200
    kind: str = "application/json; charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()
    lost: bool = False


LOST = Said(lost=True)


def ok(**fields: Any) -> Said:
    """An answer that it was done."""
    return said(0, **fields)


def said(errcode: int, errmsg: str = "ok", **fields: Any) -> Said:
    """An answer with a code."""
    return Said(
        body=json.dumps({"errcode": errcode, "errmsg": errmsg, **fields}, ensure_ascii=False).encode()
    )


Answers = Callable[[Asked], "Said | Awaitable[Said]"]


@dataclass(slots=True)
class Stub:
    """What was asked, and what is answered: an answer per path, one after the other, the last one for good."""

    base: str = ""
    asked: list[Asked] = field(default_factory=list[Asked])
    answers: dict[str, deque[Said | Answers]] = field(default_factory=dict[str, "deque[Said | Answers]"])

    def on(self, path: str, *answers: Said | Answers) -> Stub:
        self.answers[path] = deque(answers)
        return self

    def calls(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    async def answer(self, asked: Asked) -> Said:
        self.asked.append(asked)
        found = self.answers.get(asked.path)
        if not found:
            return ok() if asked.path != "gettoken" else ok(access_token="TOKEN-1", expires_in=7200)
        one = found.popleft() if len(found) > 1 else found[0]
        if isinstance(one, Said):
            return one
        answer = one(asked)
        return answer if isinstance(answer, Said) else await answer


@asynccontextmanager
async def stub() -> AsyncIterator[Stub]:
    """A server that stands."""
    standing = Stub()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (asked := await _read(reader)) is not None:
                answer = await standing.answer(asked)
                if answer.lost:
                    break
                writer.write(_written(answer))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    standing.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield standing
        server.close()


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    line = await reader.readline()
    if not line:
        return None
    method, target, _ = line.decode().split(" ", 2)
    headers: dict[str, str] = {}
    while (header := (await reader.readline()).decode().strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = await _body(reader, headers)
    parts = urlsplit(target)
    path = parts.path.removeprefix("/cgi-bin/")
    return Asked(method=method, path=path, query=dict(parse_qsl(parts.query)), headers=headers, body=body)


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


def _written(answer: Said) -> bytes:
    headers = (("Content-Type", answer.kind), ("Content-Length", str(len(answer.body))), *answer.headers)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {answer.status} X\r\n{lines}\r\n".encode() + answer.body


@asynccontextmanager
async def requests() -> AsyncIterator[Callable[[Request], Awaitable[Response]]]:
    """NoneBot's own way to make a request, over httpx."""
    session = Session()
    await session.setup()
    try:
        yield session.request
    finally:
        await session.close()
