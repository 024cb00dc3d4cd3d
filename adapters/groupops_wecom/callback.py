"""The callback URLs: who may post there, what was posted, and how it is answered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from string import ascii_letters, digits
from typing import Any, Literal, NamedTuple

from groupops_wecom.clockwork import Clockwork
from groupops_wecom.config import Config
from groupops_wecom.crypto import Cipher, CryptoError
from groupops_wecom.longlink import json_of, object_of
from groupops_wecom.recent import Recent
from groupops_wecom.shapes import word
from groupops_wecom.xmls import XmlError, tree_of, written

POSTS = 50_000
"""Posts that are known again; each was signed by WeCom, so nobody else can push one out."""

_DIGITS = re.compile(r"[0-9]{9,11}")
_NONCE = re.compile(r"[\x21-\x7e]{1,128}")
_ECHO = re.compile(rb"[^<{\x00-\x1f\x7f-\xff][^\x00-\x1f\x7f-\xff]{0,255}")

_IN_JSON = re.compile(rb'\{\s*"encrypt"\s*:\s*"')
_IN_XML = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?")
_BASE64 = f"{ascii_letters}{digits}+/=".encode()

Kind = Literal["aibot", "app"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One callback URL.

    Args:
        path: its path.
        kind: who is told there: an AI bot in JSON, or an app in XML.
        self_id: the bot.
        name: empty for the bot's own URL; else which other of an app's.
        cipher: what is shared with WeCom for it.
    """

    path: str
    kind: Kind
    self_id: str
    name: str = ""
    cipher: Cipher = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered over HTTP.

    Args:
        status: HTTP status.
        body: what is said.
        why: why it was refused, for the log; empty when it was not.
    """

    status: int
    body: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post that was found genuine and new.

    Args:
        door: where it came in.
        content: what it says.
        nonce: of its address; an answer to an AI bot's carries it again.
        mark: what it is known by, should it come again.
    """

    door: Door
    content: dict[str, Any] = field(repr=False)
    nonce: str
    mark: str


class _Signed(NamedTuple):
    """What stands in the address; `mark` is all of it in one, by which a post is known again."""

    signature: str
    timestamp: str
    nonce: str
    mark: str


class Doors:
    """All callback URLs.

    Args:
        doors: each of them.
        config: how large and how old a post may be.
        clock: where time comes from.

    Attributes:
        refused: posts that were not let in, a number.
        repeated: posts that came again and had no effect, a number.
    """

    def __init__(self, doors: Iterable[Door], config: Config, clock: Clockwork) -> None:
        self.refused = 0
        self.repeated = 0
        self._doors = {door.path: door for door in doors}
        self._config = config
        self._clock = clock
        self._seen = Recent(config.wecom_replay_seconds * 2, POSTS, clock.now)

    @property
    def paths(self) -> tuple[str, ...]:
        """Where something may be posted."""
        return tuple(self._doors)

    def verify(self, path: str, query: Mapping[str, str]) -> Answer:
        """Answer WeCom's question whether the key is known: with what it had encrypted, as it is.

        It is answered only with what cannot be a message: else whoever got hold of a post could have it read here.
        """
        door, signed = self._doors[path], _signed(path, query)
        encrypted = query.get("echostr", "").replace(" ", "+")
        refusal = self._examined(door, signed, encrypted)
        if refusal is not None:
            return refusal
        try:
            plain = door.cipher.decrypt(encrypted)
        except CryptoError as error:
            return self._refuse(400, str(error))
        if not _ECHO.fullmatch(plain):
            return self._refuse(400, "what is to be echoed is no echo")
        return Answer(200, plain.decode("ascii"))

    def examine(self, path: str, query: Mapping[str, str], body: bytes) -> Post | Answer:
        """Look at a post.

        Args:
            path: where it came in.
            query: its address, decoded.
            body: as it came.

        Returns:
            What was posted; or what to answer when it is not let in or was seen before.
        """
        if len(body) > self._config.wecom_max_body:
            return self._refuse(413, "the body is too large")
        door, signed = self._doors[path], _signed(path, query)
        try:
            encrypted = _encrypted(door.kind, body)
        except (XmlError, ValueError, RecursionError):
            return self._refuse(400, "the body is none of WeCom's")
        refusal = self._examined(door, signed, encrypted)
        if refusal is not None:
            return refusal
        try:
            content = _content(door.kind, door.cipher.decrypt(encrypted))
        except CryptoError as error:
            return self._refuse(400, str(error))
        except (XmlError, ValueError, RecursionError):
            return self._refuse(400, "what was encrypted is none of WeCom's")
        return Post(door=door, content=content, nonce=signed.nonce, mark=signed.mark)

    def untaken(self, post: Post) -> None:
        """A post could not be taken now: when it is sent again, it is new."""
        self._seen.drop(post.mark)

    def answer(self, post: Post, body: Mapping[str, Any]) -> Answer:
        """Encrypt an answer as WeCom reads it."""
        timestamp = int(self._clock.now())
        if post.door.kind == "aibot":
            return Answer(200, _in_json(post, timestamp, json_of(body)))
        sender, receiver = word(post.content.get("ToUserName")), word(post.content.get("FromUserName"))
        said = written({"ToUserName": receiver, "FromUserName": sender, "CreateTime": timestamp, **body})
        return Answer(200, _in_xml(post, timestamp, said))

    def _examined(self, door: Door, signed: _Signed, encrypted: str) -> Answer | None:
        """Give what to answer when it is not signed, of another time, or not new; None lets it in."""
        if not (_DIGITS.fullmatch(signed.timestamp) and _NONCE.fullmatch(signed.nonce)):
            return self._refuse(401, "not signed")
        if not door.cipher.signed(signed.signature, signed.timestamp, signed.nonce, encrypted):
            return self._refuse(401, "the signature does not hold")
        if abs(self._clock.now() - int(signed.timestamp)) > self._config.wecom_replay_seconds:
            return self._refuse(401, "the signature is of another time")
        if not self._seen.first(signed.mark):
            self.repeated += 1
            return Answer(200, "", "it came before")
        return None

    def _refuse(self, status: int, why: str) -> Answer:
        self.refused += 1
        return Answer(status, "", why)


class Waiting:
    """A post whose answer is still open.

    What handles the event may answer it; after a while it is answered with nothing.
    """

    __slots__ = ("_answer",)

    def __init__(self) -> None:
        self._answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()

    def answer(self, body: Mapping[str, Any]) -> bool:
        """Answer; False when it was answered already."""
        if self._answer.done():
            return False
        self._answer.set_result(body)
        return True

    async def given(self, seconds: float) -> Mapping[str, Any] | None:
        """Wait for the answer; None when none was given in time, and then none can be given any more."""
        try:
            async with asyncio.timeout(seconds):
                return await self._answer
        except TimeoutError:
            return None
        finally:
            self._answer.cancel()


def _signed(path: str, query: Mapping[str, str]) -> _Signed:
    signature, timestamp = query.get("msg_signature", ""), query.get("timestamp", "")
    nonce = query.get("nonce", "")
    return _Signed(signature, timestamp, nonce, f"{path} {signature} {timestamp} {nonce}")


def _encrypted(kind: Kind, body: bytes) -> str:
    """Give the encrypted part of a post. Neither XML nor JSON is read before it is known to be WeCom's.

    Raises:
        ValueError: there is none.
    """
    begin, until, end = (_IN_XML, b"</Encrypt>", b"</xml>") if kind == "app" else (_IN_JSON, b'"', b"}")
    found = begin.search(body)
    if found is None or not body.rstrip().endswith(end):
        raise ValueError("nothing is encrypted")
    start = found.end()
    said = body[start : body.index(until, start)].rstrip().removesuffix(b"]]>").replace(b"\\/", b"/")
    if not said or said.translate(None, _BASE64):
        raise ValueError("what is encrypted is not written as WeCom does")
    return said.decode("ascii")


def _content(kind: Kind, plain: bytes) -> dict[str, Any]:
    return _object(plain) if kind == "aibot" else tree_of(plain)


def _object(body: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ValueError: it is none.
    """
    found = object_of(body.decode("utf-8", "replace"))
    if found is None:
        raise ValueError("no JSON object")
    return found


def _in_json(post: Post, timestamp: int, said: str) -> str:
    cipher = post.door.cipher
    encrypted = cipher.encrypt(said.encode())
    signature = cipher.sign(str(timestamp), post.nonce, encrypted)
    return json_of(
        {"encrypt": encrypted, "msgsignature": signature, "timestamp": timestamp, "nonce": post.nonce}
    )


def _in_xml(post: Post, timestamp: int, said: str) -> str:
    cipher = post.door.cipher
    encrypted = cipher.encrypt(said.encode())
    signature = cipher.sign(str(timestamp), post.nonce, encrypted)
    return written(
        {"Encrypt": encrypted, "MsgSignature": signature, "TimeStamp": timestamp, "Nonce": post.nonce}
    )
