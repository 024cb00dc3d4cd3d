"""The bytes of pictures and files: asked of the end, fetched from QQ's own hosts only, and never more than allowed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nonebot.adapters.onebot.v11 import ActionFailed, ApiNotAvailable, NetworkError

from groupops import Media, PlatformError
from groupops_onebot.shapes import address, table, word

HOSTS = frozenset({"qpic.cn", "qq.com", "qq.com.cn", "qlogo.cn", "gtimg.cn", "myqcloud.com"})
"""Domains under which QQ keeps what is sent."""

CHUNK = 65_536
WITHIN = 30.0
"""Seconds until a host that says nothing is given up."""

Ask = Callable[..., Awaitable[Any]]
"""Call the end: `ask(api, **params)`."""

_CALLS: Mapping[str, tuple[str, str]] = {
    "image": ("get_image", "file"),
    "voice": ("get_record", "file"),
    "video": ("get_file", "file_id"),
    "file": ("get_file", "file_id"),
}
"""Kind of medium → the call that says where it is, and what it asks for."""


def handle_of(media: Media) -> dict[str, str]:
    """Give what stands in a medium's handle; see `segments`."""
    return {key: values[0] for key, values in parse_qs(media.id).items()}


async def opened(media: Media, *, cap: int, hosts: frozenset[str], ask: Ask) -> AsyncIterator[bytes]:
    """Stream a medium.

    Args:
        media: the medium.
        cap: bytes; more are an error.
        hosts: domains that are allowed besides QQ's own.
        ask: a call to the end that has it.

    Raises:
        PlatformError: it is not there, is larger, or lies where nothing is fetched from.
    """
    if media.size is not None and media.size > cap:
        raise PlatformError(f"the medium has {media.size} bytes, more than the {cap} allowed")
    allowed = HOSTS | hosts
    handle = handle_of(media)
    url = address(handle.get("url"))
    if url and is_allowed(url, allowed):
        async for chunk in _fetched(url, cap):
            yield chunk
        return
    found = await _asked(media, handle, ask)
    data = _given(found, cap)
    if data is not None:
        yield data
        return
    url = address(found.get("url"))
    if not is_allowed(url, allowed):
        raise PlatformError(
            f"the medium lies on {urlsplit(url).hostname!r}, which ONEBOT_MEDIA_HOSTS does not name"
        )
    async for chunk in _fetched(url, cap):
        yield chunk


def is_allowed(url: str, hosts: frozenset[str]) -> bool:
    """Say whether an address lies on one of the hosts, or under it."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower().rstrip(".")
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or parts.username is not None:
        return False
    return any(host == one or host.endswith(f".{one}") for one in hosts)


async def _asked(media: Media, handle: Mapping[str, str], ask: Ask) -> dict[str, Any]:
    native = handle.get("file", "")
    if not native:
        raise PlatformError(f"there is no medium {media.id[:80]!r}")
    api, key = _CALLS[media.media_kind]
    params: dict[str, Any] = {key: native}
    if api == "get_record":
        params["out_format"] = "mp3"
    try:
        return table(await ask(api, **params))
    except (ActionFailed, NetworkError, ApiNotAvailable) as error:
        raise PlatformError(f"{api} gave no medium: {type(error).__name__}") from error


def _given(found: Mapping[str, Any], cap: int) -> bytes | None:
    """Give the bytes an end sends along itself, if it does."""
    text = found.get("base64")
    if not isinstance(text, str) or not text:
        return None
    if len(text) > (cap + 3) // 3 * 4:
        raise PlatformError(f"the medium has more than the {cap} bytes allowed")
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise PlatformError("the medium's bytes cannot be read") from error
    if len(data) > cap:
        raise PlatformError(f"the medium has {len(data)} bytes, more than the {cap} allowed")
    return data


async def _fetched(url: str, cap: int) -> AsyncIterator[bytes]:
    """Fetch, without following to other places: an address that is allowed may point to one that is not."""
    import httpx  # only who opens a medium needs it

    read = 0
    try:
        async with (
            httpx.AsyncClient(timeout=WITHIN, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", url) as response,
        ):
            if not response.is_success:
                raise PlatformError(f"the medium's host answered {response.status_code}")
            async for chunk in response.aiter_bytes(CHUNK):
                read += len(chunk)
                if read > cap:
                    raise PlatformError(f"the medium has more than the {cap} bytes allowed")
                yield chunk
    except httpx.HTTPError as error:
        raise PlatformError(f"the medium could not be fetched: {word(type(error).__name__)}") from error
