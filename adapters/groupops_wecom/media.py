"""Pictures, voices, videos and files of an app: put up for three days, and fetched."""

from __future__ import annotations

from typing import Literal

from groupops_wecom.budget import Claim
from groupops_wecom.config import MIB
from groupops_wecom.exception import NetworkError
from groupops_wecom.lenient import text
from groupops_wecom.qyapi import Downloaded, QyApi
from groupops_wecom.templates import Unfit

Kind = Literal["image", "voice", "video", "file"]

SMALLEST = 6
LARGEST: dict[Kind, int] = {"image": 10 * MIB, "voice": 2 * MIB, "video": 10 * MIB, "file": 20 * MIB}
"""Bytes."""

_BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    "image": (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"),
    "voice": (b"#!AMR",),
}
_FORMATS = {"image": "JPG or PNG", "voice": "AMR"}


class Media:
    """The media of one enterprise; all its apps share them.

    Args:
        api: the enterprise's interfaces.
    """

    def __init__(self, api: QyApi) -> None:
        self._api = api

    async def upload(self, kind: Kind, name: str, data: bytes) -> str:
        """Put a medium up; gives its media id, good for three days.

        Raises:
            Unfit: it is too small or too large, or of another format.
            ActionFailed: the platform refused it.
            NetworkError: it could not be put up.
        """
        looked_over(kind, data)
        answer = await self._api.upload("media/upload", name, data, params={"type": kind})
        return _given(answer.get("media_id"), "media/upload", "media_id")

    async def upload_picture(self, name: str, data: bytes) -> str:
        """Put a picture up; gives an address that lasts. 3000 a month.

        Raises:
            Unfit: as `upload`, and so are the others.
            Throttled: the month is used up.
        """
        looked_over("image", data)
        claims = (Claim("picture", self._api.corp_id),)
        answer = await self._api.upload("media/uploadimg", name, data, params={}, claims=claims)
        return _given(answer.get("url"), "media/uploadimg", "url")

    async def get(self, media_id: str, most: int = LARGEST["file"]) -> Downloaded:
        """Fetch a medium.

        Args:
            media_id: which.
            most: bytes it may have.

        Raises:
            Unfit: it has more.
            ActionFailed: there is none (40007), or it is older than three days.
            NetworkError: it could not be fetched.
        """
        found = await self._api.download("media/get", params={"media_id": media_id})
        if len(found.data) > most:
            raise Unfit(
                "the medium", [f"it has {len(found.data)} bytes, more than the {most} that are wanted"]
            )
        return found


def looked_over(kind: Kind, data: bytes) -> None:
    """Look at a medium before it is put up.

    Raises:
        Unfit: it is too small or too large, or of another format.
    """
    if not SMALLEST <= len(data) <= LARGEST[kind]:
        raise Unfit(f"the {kind}", [f"it has {len(data)} bytes, {SMALLEST} to {LARGEST[kind]} are taken"])
    beginnings = _BEGINNINGS.get(kind)
    if beginnings is not None and not data.startswith(beginnings):
        raise Unfit(f"the {kind}", [f"it is no {_FORMATS[kind]}"])


def _given(value: object, path: str, name: str) -> str:
    found = text(value)
    if not found:
        raise NetworkError(f"{path}: the answer holds no {name}")
    return found
