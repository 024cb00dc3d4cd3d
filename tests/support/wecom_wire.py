"""A wire to the make-believe WeCom that can be cut at any byte: on the way there, on the way back, or before it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from groupops_wecom.testing import FakeWeCom

BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

MASKED, SHORT, MEDIUM = 0x80, 126, 127


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where a wire is cut.

    Args:
        way: while a message goes there, or while its answer comes back.
        share: how much of it still passes, from 0 for nothing to 1 for all of it.
        instead: what comes back in place of the answer.
        after: how many messages of that way pass whole before.
    """

    way: Literal["there", "back"]
    share: float = 0.0
    instead: bytes = b""
    after: int = 0


class Wire:
    """A wire; HTTP passes request by request, a WebSocket frame by frame.

    Args:
        port: where WeCom listens.
    """

    def __init__(self, port: int) -> None:
        self._far = port
        self._cuts: list[tuple[str, Cut]] = []
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.cuts_made = 0

    def arm(self, name: str, *cuts: Cut) -> None:
        """Cut the next calls of an interface, one cut for each; frames of a WebSocket have no name."""
        self._cuts += [(name, cut) for cut in cuts]

    def disarm(self) -> None:
        """Cut nothing more."""
        self._cuts.clear()

    async def mend(self) -> None:
        """Take calls, under the same address as before."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 20)
            self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Take no more calls, and hang up on whoever is there."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in list(self._ends):
            writer.transport.abort()
        await asyncio.sleep(0)

    # — passing —

    async def _serve(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        far, to_far = await asyncio.open_connection("127.0.0.1", self._far, limit=1 << 20)
        self._ends |= {to_near, to_far}
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._calls(near, to_near, far, to_far)
        finally:
            self._ends -= {to_near, to_far}
            for writer in (to_near, to_far):
                writer.close()

    async def _calls(
        self,
        near: asyncio.StreamReader,
        to_near: asyncio.StreamWriter,
        far: asyncio.StreamReader,
        to_far: asyncio.StreamWriter,
    ) -> None:
        while request := await _message(near):
            line = request.partition(b"\r\n")[0].decode()
            cut = self._taken(line.split(" ")[1].partition("?")[0].removeprefix("/cgi-bin/"))
            if cut is not None and cut.way == "there":
                await _pass(to_far, request[: int(len(request) * cut.share)])
                return
            await _pass(to_far, request)
            answer = await _message(far)
            if cut is not None:
                await _pass(to_near, cut.instead or answer[: int(len(answer) * cut.share)])
                return
            await _pass(to_near, answer)
            if answer.startswith(b"HTTP/1.1 101"):
                frames = (self._frames(near, to_far, "there"), self._frames(far, to_near, "back"))
                await _first_of(*map(asyncio.ensure_future, frames))
                return

    async def _frames(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, way: Literal["there", "back"]
    ) -> None:
        while True:
            frame = await _frame(source)
            cut = self._taken("", way)
            await _pass(to, frame if cut is None else frame[: int(len(frame) * cut.share)])
            if cut is not None:
                return

    def _taken(self, name: str, way: str = "") -> Cut | None:
        """Give what befalls a message, if anything does."""
        for place, (armed, cut) in enumerate(self._cuts):
            if armed != name or (way and cut.way != way):
                continue
            if cut.after:
                self._cuts[place] = (armed, Cut(way=cut.way, share=cut.share, after=cut.after - 1))
                return None
            del self._cuts[place]
            self.cuts_made += 1
            return cut
        return None


async def _first_of(*doing: asyncio.Future[Any]) -> None:
    """Wait until one of them ends, and let the others end with it."""
    try:
        await asyncio.wait(doing, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in doing:
            one.cancel()
        await asyncio.gather(*doing, return_exceptions=True)


async def _pass(to: asyncio.StreamWriter, data: bytes) -> None:
    to.write(data)
    await to.drain()


async def _message(source: asyncio.StreamReader) -> bytes:
    """Read a whole request or answer; nothing where there is none any more."""
    try:
        head = await source.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
    }
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        return head + await _chunks(source)
    return head + await source.readexactly(int(headers.get(b"content-length", b"0")))


async def _chunks(source: asyncio.StreamReader) -> bytes:
    found = b""
    while True:
        size = await source.readuntil(b"\r\n")
        found += size + await source.readexactly(int(size, 16) + 2)
        if not int(size, 16):
            return found


async def _frame(source: asyncio.StreamReader) -> bytes:
    """Read a whole frame of a WebSocket."""
    head = await source.readexactly(2)
    size = head[1] & ~MASKED
    more = b""
    if size >= SHORT:
        more = await source.readexactly(8 if size == MEDIUM else 2)
        size = int.from_bytes(more)
    mask = await source.readexactly(4) if head[1] & MASKED else b""
    return head + more + mask + await source.readexactly(size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wires:
    """Both wires to WeCom.

    Args:
        rest: the interfaces'.
        link: the long connections'.
    """

    rest: Wire
    link: Wire

    @property
    def settings(self) -> dict[str, Any]:
        """The keys of `.env` by which a bot uses them."""
        return {
            "wecom_api_base": f"http://127.0.0.1:{self.rest.port}",
            "wecom_ws_url": f"ws://127.0.0.1:{self.link.port}",
        }


@asynccontextmanager
async def wired(far: FakeWeCom) -> AsyncIterator[Wires]:
    """Lay both wires."""
    wires = Wires(rest=Wire(far.rest.port), link=Wire(far.link.port))
    async with AsyncExitStack() as stack:
        for wire in (wires.rest, wires.link):
            await wire.mend()
            stack.push_async_callback(wire.refuse)
        yield wires
