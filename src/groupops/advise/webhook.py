"""Takes what a program on the same machine pushes, and lays it into a group's inbox: known callers only, and bounded."""

from __future__ import annotations

import asyncio
import binascii
import os
import re
from base64 import b64decode
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from hmac import compare_digest
from itertools import count
from pathlib import Path
from typing import Any, Final

from groupops.clock import Clock
from groupops.config import TOKEN_LENGTH

MAX_BODY: Final = 4 * 1024**2
"""Bytes of the largest push: one has some messages, never their pictures."""
MAX_WAITING: Final = 10_000
"""Files that may wait in one inbox before a push is turned away."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_NAME: Final = re.compile(r"/([A-Za-z0-9][A-Za-z0-9_-]{0,63})/?")


class _RefusedError(Exception):
    """A push that is not taken; `status` says why in the words of HTTP."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(slots=True)
class Webhook:
    """An ASGI application: `POST /<inbox>` lays the body into the folder `<inbox>`, which has to be there.

    The token comes as `Authorization: Bearer …`, or as the password of `Basic`, which is what programs send that know
    only an address such as `http://push:TOKEN@127.0.0.1:8080/…`.

    Args:
        folder: where the inboxes lie.
        token: what callers have to know.
        clock: for the names of files.

    Raises:
        ValueError: the token is shorter than `TOKEN_LENGTH`: a door that anybody opens is not opened.
    """

    folder: Path
    token: str
    clock: Clock
    _numbers: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        """Refuse to stand open."""
        if len(self.token) < TOKEN_LENGTH:
            raise ValueError(f"the token has {len(self.token)} characters, expected {TOKEN_LENGTH} or more")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; what was pushed is read by whoever watches the inbox."""
        if scope["type"] != "http":
            return
        try:
            inbox = await self._checked(scope)
            body = await _body(receive)
            await asyncio.to_thread(self._lay, inbox, body)
            status = 202
        except _RefusedError as refused:
            status = refused.status
        headers = [(b"content-length", b"0"), (b"www-authenticate", b"Bearer")][: 2 if status == 401 else 1]  # noqa: PLR2004
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _checked(self, scope: MutableMapping[str, Any]) -> Path:
        """Give the inbox that is meant, once the caller has shown the token; of the body nothing is read before."""
        headers = {bytes(key).lower(): bytes(value) for key, value in scope["headers"]}
        if not compare_digest(_shown(headers.get(b"authorization", b"")), self.token.encode()):
            raise _RefusedError(401)
        if scope["method"] != "POST":
            raise _RefusedError(405)
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MAX_BODY:
            raise _RefusedError(413)
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        match = _NAME.fullmatch(path)
        inbox = self.folder / match[1] if match else None
        if inbox is None or not await asyncio.to_thread(inbox.is_dir):
            raise _RefusedError(404)
        return inbox

    def _lay(self, inbox: Path, body: bytes) -> None:
        """Lay a body into an inbox, so that it is there entirely or not at all."""
        with os.scandir(inbox) as entries:
            waiting = sum(entry.is_file() for entry in entries)
        if waiting >= MAX_WAITING:
            raise _RefusedError(503)
        path = inbox / f"push-{self.clock.nanos()}-{next(self._numbers)}.json"
        partial = path.with_suffix(".part")
        partial.write_bytes(body)
        partial.replace(path)


def _shown(header: bytes) -> bytes:
    """Give the token a caller shows; empty where there is none."""
    scheme, _, value = header.partition(b" ")
    if scheme.lower() == b"bearer":
        return value.strip()
    if scheme.lower() != b"basic":
        return b""
    try:
        return b64decode(value.strip(), validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


async def _body(receive: Receive) -> bytes:
    """Read a body that is not too large.

    Raises:
        _RefusedError: it is, or the caller went away.
    """
    parts, size = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _RefusedError(400)
        part = bytes(message.get("body", b""))
        size += len(part)
        if size > MAX_BODY:
            raise _RefusedError(413)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)
