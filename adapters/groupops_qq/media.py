"""Pictures, voices and files from where the platform keeps them: only from its own hosts, and only so many bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from groupops import Media, PlatformError
from groupops_qq.speech import is_under

HOSTS = frozenset({"qq.com", "qq.com.cn", "qpic.cn", "qlogo.cn", "gtimg.cn", "myqcloud.com"})
"""Domains under which QQ keeps what is sent."""

CHUNK = 65_536
WITHIN = 30.0
"""Seconds until a host that says nothing is given up."""


async def opened(media: Media, *, cap: int, hosts: tuple[str, ...]) -> AsyncIterator[bytes]:
    """Stream a medium, which is known by its address.

    Args:
        media: the medium.
        cap: bytes; more are an error.
        hosts: domains that are allowed besides QQ's own, over plain HTTP too.

    Raises:
        PlatformError: it is not there, is larger, or lies where nothing is fetched from.
    """
    if media.size is not None and media.size > cap:
        raise PlatformError(f"the medium has {media.size} bytes, more than the {cap} allowed")
    if not is_allowed(media.id, hosts):
        raise PlatformError("the medium lies on no host of QQ's, nor on one that QQ_MEDIA_HOSTS names")
    async for chunk in _fetched(media.id, cap):
        yield chunk


def is_allowed(url: str, hosts: tuple[str, ...]) -> bool:
    """Say whether something may be fetched from an address."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower().rstrip(".")
    except ValueError:
        return False
    if parts.username is not None or not host:
        return False
    return (parts.scheme == "https" and is_under(host, HOSTS)) or (
        parts.scheme in {"http", "https"} and is_under(host, hosts)
    )


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
        raise PlatformError(f"the medium could not be fetched: {type(error).__name__}") from error
