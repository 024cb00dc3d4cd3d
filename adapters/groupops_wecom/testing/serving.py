"""Serves the make-believe WeCom on loopback: REST calls by HTTP, AI bots by WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from websockets.asyncio.server import serve

from groupops_wecom.testing.fake import FakeWeCom
from groupops_wecom.testing.rest import CutError, Rest


@asynccontextmanager
async def running(wecom: FakeWeCom | None = None) -> AsyncGenerator[FakeWeCom]:
    """Run it while the block lasts."""
    made = wecom or FakeWeCom()
    async with (
        listening(_app(made.rest)) as port,
        serve(made.link.attend, "127.0.0.1", 0, max_size=4 << 20) as server,
    ):
        made.rest.port = port
        made.pusher.at(made.rest.base)
        made.link.port = next(iter(server.sockets)).getsockname()[1]
        try:
            yield made
        finally:
            await made.pusher.close()


@asynccontextmanager
async def listening(app: Any) -> AsyncGenerator[int]:
    """Serve an ASGI app on loopback; gives the port. Its lifespan is the business of whoever made the app."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.force_exit = True  # nobody waits for answers any more
        await server.shutdown()


async def until(holds: Callable[[], Any], within: float = 10.0) -> None:
    """Wait until something holds, in real seconds.

    Raises:
        TimeoutError: it never did.
    """
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 - as below
            await asyncio.sleep(0.005)  # noqa: TID251 - what is waited for is a state of somebody else's


def _app(rest: Rest) -> Any:
    """Serve calls; written by hand, so that a connection can break in the middle of an answer."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            if part["type"] == "http.disconnect":
                return  # whoever called went away in the middle of the call
            body += part.get("body", b"")
            more = part.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        try:
            answer = await rest.handle(
                scope["method"], scope["path"], scope["query_string"].decode(), headers, body
            )
        except CutError:
            start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]}
            await send(start)
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            return  # the server closes a connection whose answer was never finished
        named = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        length = (b"content-length", str(len(answer.body)).encode())
        await send({"type": "http.response.start", "status": answer.status, "headers": [length, *named]})
        await send({"type": "http.response.body", "body": answer.body})

    return app
