"""Media of AI bots: put up in pieces over the long connection, fetched encrypted and within a cap."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from nonebot.drivers import Request, Response, Timeout

from groupops_wecom.config import KIB, MIB
from groupops_wecom.crypto import BLOCK, CryptoError, opened
from groupops_wecom.exception import ActionFailed, ApiNotAvailable, InDoubt, NetworkError
from groupops_wecom.message import MediaKind
from groupops_wecom.shapes import word

CHUNK = 512 * KIB
"""Bytes of one piece (protocol sheet 2.10)."""

CAPS: Mapping[str, int] = {"image": 10 * MIB, "voice": 2 * MIB, "video": 10 * MIB, "file": 20 * MIB}
"""Bytes of a medium at most, as the vendor's own plugin has them (protocol sheet 2.10)."""

SMALLEST = 5
"""Bytes that are too few for a medium."""

TRIES = 3
"""Times a piece is put up; WeCom takes the same piece again without harm."""

FETCHED_WITHIN = 60.0
"""Seconds for a download."""

Call = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
Stream = Callable[[Request], AsyncGenerator[Response, None]]

_EXTENDED = re.compile(r"filename\*\s*=\s*utf-8''([^;]+)", re.IGNORECASE)
_PLAIN = re.compile(r'filename\s*=\s*"?([^";]+)"?', re.IGNORECASE)


class TooLarge(ApiNotAvailable):
    """It is larger than may be sent or fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that was fetched.

    Args:
        name: its name as WeCom gives it, without any folder; may be empty.
        data: what it holds, decrypted.
    """

    name: str
    data: bytes


async def put_up(call: Call, kind: MediaKind, name: str, data: bytes) -> str:
    """Put a medium up and give its media id, good for three days.

    Args:
        call: sends a command over the long connection.
        kind: what it is.
        name: its file name.
        data: what it holds.

    Raises:
        TooLarge: WeCom takes no such size.
        ActionFailed: WeCom refused it.
        NetworkError: it could not be sent, or is not known to have been; nobody sees a medium, so it is put up anew.
    """
    if not SMALLEST < len(data) <= CAPS[kind]:
        raise TooLarge(
            f"a {kind} has more than {SMALLEST} and at most {CAPS[kind]} bytes; this one has {len(data)}"
        )
    pieces = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    begun = {
        "type": kind,
        "filename": name[-128:],
        "total_size": len(data),
        "total_chunks": len(pieces),
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
    }
    try:
        return await _in_pieces(call, begun, pieces)
    except InDoubt as error:
        raise NetworkError(f"{error.msg}; nothing was said") from None


async def _in_pieces(call: Call, begun: Mapping[str, Any], pieces: Sequence[bytes]) -> str:
    upload_id = _needed(await call("aibot_upload_media_init", begun), "upload_id", "aibot_upload_media_init")
    for index, piece in enumerate(pieces):  # from 0, as all the vendor's software counts
        body = {"upload_id": upload_id, "chunk_index": index, "base64_data": base64.b64encode(piece).decode()}
        await _again(call, "aibot_upload_media_chunk", body)
    done = await call(
        "aibot_upload_media_finish", {"upload_id": upload_id}
    )  # a second time it is not known any more
    return _needed(done, "media_id", "aibot_upload_media_finish")


async def _again(call: Call, cmd: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Send what may be sent twice until it is answered."""
    for _ in range(TRIES - 1):
        try:
            return await call(cmd, body)
        except InDoubt:
            continue
    return await call(cmd, body)


def _needed(body: Mapping[str, Any], key: str, cmd: str) -> str:
    found = word(body.get(key), 1024)
    if not found:
        raise ActionFailed(cmd, -1, f"the answer has no {key}")
    return found


async def fetch(stream: Stream, url: str, aes_key: str, cap: int, plain_hosts: Iterable[str] = ()) -> Fetched:
    """Fetch a medium somebody sent to an AI bot; its address is good for five minutes.

    Args:
        stream: makes an HTTP call and gives the answer piece by piece.
        url: the address in the message.
        aes_key: the key in the message, or the bot's EncodingAESKey for a callback URL.
        cap: bytes it may have.
        plain_hosts: hosts from which it may be fetched unencrypted.

    Raises:
        TooLarge: it is larger than that.
        ApiNotAvailable: the address is none to fetch from.
        NetworkError: it could not be fetched, or cannot be decrypted.
    """
    _check(url, plain_hosts)
    data, name = await _taken(stream(Request("GET", url, timeout=Timeout(FETCHED_WITHIN, 10.0, 30.0))), cap)
    if not aes_key:
        return Fetched(name=name, data=data)
    try:
        return Fetched(name=name, data=opened(data, aes_key))
    except CryptoError as error:
        raise NetworkError(f"a medium cannot be decrypted: {error.why}") from None


async def _taken(answers: AsyncGenerator[Response, None], cap: int) -> tuple[bytes, str]:
    try:
        async with aclosing(answers):
            return await _gathered(answers, cap)
    except (TooLarge, NetworkError):
        raise
    except Exception as error:  # noqa: BLE001 - each of NoneBot's drivers has errors of its own
        raise NetworkError(f"a medium could not be fetched: {type(error).__name__}") from None


async def _gathered(answers: AsyncGenerator[Response, None], cap: int) -> tuple[bytes, str]:
    data, name = bytearray(), ""
    async for piece in answers:
        if not 200 <= piece.status_code < 300:  # noqa: PLR2004 - HTTP's own classes
            raise NetworkError(f"a medium could not be fetched: HTTP {piece.status_code}")
        name = name or _name(piece)
        found = piece.content or b""
        data += found.encode() if isinstance(found, str) else found
        if len(data) > cap + BLOCK:
            raise TooLarge(f"a medium is larger than {cap} bytes")
    if not data:
        raise NetworkError("a medium could not be fetched: nothing came")
    return bytes(data), name


def _check(url: str, plain_hosts: Iterable[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or parts.hostname not in set(plain_hosts):
        raise ApiNotAvailable("a medium is fetched over https only, or from a host of WECOM_MEDIA_HOSTS")


def _name(piece: Response) -> str:
    """Give the file's name; what is written for all alphabets comes first. A folder in it is left out."""
    said = piece.headers.get("content-disposition", "")
    found = _EXTENDED.search(said)
    plain = _PLAIN.search(said)
    name = unquote(found[1]) if found else (unquote(plain[1]) if plain else "")
    return re.split(r"[\\/]", name.strip())[-1][:200]
