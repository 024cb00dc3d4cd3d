"""A webhook robot (消息推送): what is said into one group, at most twenty times a minute, and nothing of it lost."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from groupops_wecom.budget import Budget, Claim, Throttled
from groupops_wecom.clockwork import Clockwork
from groupops_wecom.config import MIB, RobotInfo
from groupops_wecom.exception import ActionFailed, InDoubt, NetworkError
from groupops_wecom.lenient import text
from groupops_wecom.message import APP_TEXT, ROBOT_MARKDOWN, cut, size
from groupops_wecom.qyapi import API_BASE, QyApi, Requester
from groupops_wecom.templates import Home, Unfit, checked

LARGEST_IMAGE = 2 * MIB
LARGEST_FILE = 20 * MIB
LARGEST_VOICE = 2 * MIB
SMALLEST = 6
"""Bytes."""

MOST_ARTICLES = 8

MOST_WAITING = 500
"""Notices that wait at once; who comes then is told so instead of being forgotten."""

BETWEEN = "\n\n"
"""What stands between notices that went together."""

LONGEST_BAN = 300.0
"""Seconds that `Robot.patience` is unless it is set."""

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


@dataclass(frozen=True, slots=True)
class Article:
    """An article of a news message.

    Args:
        title: what it says.
        url: where it leads.
        description: below the title.
        picture: address of its picture.
    """

    title: str
    url: str
    description: str = ""
    picture: str = ""


@dataclass(slots=True, kw_only=True)
class _Notice:
    """Something to be said, and who waits for it.

    Args:
        kind: `msgtype`.
        body: what stands under it.
        most: bytes of words that go at once; 0 for what goes alone.
        sent: is done once it was said.
    """

    kind: str
    body: dict[str, Any]
    most: int = 0
    sent: asyncio.Future[None] = field(repr=False)

    def joins(self, others: Sequence[_Notice]) -> bool:
        """Say whether it may go together with these."""
        if not self.most or not others[0].most or self.kind != others[0].kind:
            return False
        together = sum(size(one.body["content"]) for one in (*others, self))
        return together + len(others) * size(BETWEEN) <= self.most


class Robot:
    """One robot in one group.

    Whoever says something waits until it was said. What waits while the minute is used up goes together as far as
    it fits into one message.

    Args:
        info: its part of `WECOM_ROBOTS`.
        request: makes one HTTP request: the adapter's `request`.
        base: address of the platform.
        clock: the time of day, and what is waited on.
        dice: gives a number from 0 to 1, for pauses.
    """

    def __init__(
        self,
        info: RobotInfo,
        request: Requester,
        base: str = API_BASE,
        *,
        clock: Clockwork | None = None,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self.name = info.name
        self.patience = LONGEST_BAN
        """Seconds that are waited out when the platform calls it too often; for longer, whoever waits is told."""
        self._clock = clock or Clockwork()
        self._budget = Budget(self._clock.now)
        self._key = info.key
        secrets = {"robot": info.key.get_secret_value()}  # known to the client, so that no error shows it
        self._api = QyApi(
            info.name, secrets, request, base, clock=self._clock, budget=self._budget, dice=dice
        )
        self._claim = Claim("robot", info.name)
        self._ban = Claim("api", f"{info.name}:webhook/send")
        self._waiting: deque[_Notice] = deque()
        self._work: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"Robot({self.name!r})"

    @property
    def waiting(self) -> int:
        """How many notices wait."""
        return len(self._waiting)

    def wait(self) -> float:
        """Give the seconds until something may be said again: 0 for now."""
        return self._budget.wait((self._claim, self._ban))

    # — what can be said —

    async def text(self, content: str, mentioned: Iterable[str] = (), mobiles: Iterable[str] = ()) -> None:
        """Say words; longer ones in several messages, those mentioned in the first.

        Args:
            content: what is said; `<@userid>` in it mentions a member.
            mentioned: user ids to be mentioned; `@all` for everybody.
            mobiles: mobile numbers to be mentioned.

        Raises:
            Unfit: it is empty.
            ActionFailed: the platform refused it.
            Throttled: too much waits already, or the platform lets nothing through for long.
            InDoubt: it was sent and the answer was lost.
            NetworkError: it was not sent.
        """
        calls: dict[str, Any] = {}
        if users := list(dict.fromkeys(mentioned)):
            calls["mentioned_list"] = users
        if numbers := list(dict.fromkeys(mobiles)):
            calls["mentioned_mobile_list"] = numbers
        await self._words("text", content, APP_TEXT, calls)

    async def markdown(self, content: str, *, second: bool = False) -> None:
        """Say Markdown; longer than fits in several messages.

        Args:
            content: what is said.
            second: in the second dialect: tables and lists, but no colours and no mentions.

        Raises:
            Unfit: as `text`, and so are the others.
        """
        await self._words("markdown_v2" if second else "markdown", content, ROBOT_MARKDOWN, {})

    async def image(self, data: bytes) -> None:
        """Show a picture, JPG or PNG, at most 2 MiB.

        Raises:
            Unfit: it is none, or too large; the others as `text`.
        """
        if not data.startswith(_PICTURES) or len(data) > LARGEST_IMAGE:
            raise Unfit("the picture", ["it is a JPG or PNG of at most 2 MiB"])
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        await self._say("image", {"base64": base64.b64encode(data).decode(), "md5": digest})

    async def news(self, articles: Sequence[Article]) -> None:
        """Show 1 to 8 articles.

        Raises:
            Unfit: they are more or fewer, or one has no title or address; the others as `text`.
        """
        if not 1 <= len(articles) <= MOST_ARTICLES or not all(one.title and one.url for one in articles):
            raise Unfit("the news", [f"it has 1 to {MOST_ARTICLES} articles, each with title and url"])
        rows = [
            {"title": one.title, "description": one.description, "url": one.url, "picurl": one.picture}
            for one in articles
        ]
        await self._say("news", {"articles": rows})

    async def card(self, card: Mapping[str, Any]) -> None:
        """Show a card, `text_notice` or `news_notice`.

        Raises:
            Unfit: the card would be refused; the others as `text`.
        """
        await self._say("template_card", checked(card, Home.ROBOT))

    async def file(self, name: str, data: bytes) -> None:
        """Give a file, 6 bytes to 20 MiB.

        Raises:
            Unfit: it is smaller or larger; the others as `text`.
        """
        await self._say("file", {"media_id": await self.upload("file", name, data)})

    async def voice(self, data: bytes, name: str = "voice.amr") -> None:
        """Give a voice message: AMR, at most a minute and 2 MiB.

        Raises:
            Unfit: it is smaller or larger; the others as `text`.
        """
        await self._say("voice", {"media_id": await self.upload("voice", name, data)})

    async def upload(self, kind: str, name: str, data: bytes) -> str:
        """Put a `file` or a `voice` up; gives its media id, good for three days and for this robot.

        Raises:
            Unfit: it is smaller or larger than it may be; the others as `text`.
        """
        most = LARGEST_VOICE if kind == "voice" else LARGEST_FILE
        if not SMALLEST <= len(data) <= most:
            raise Unfit(f"the {kind}", [f"it has {SMALLEST} to {most} bytes"])
        params = {"key": self._key.get_secret_value(), "type": kind}
        answer = await self._api.upload("webhook/upload_media", name, data, params=params, secret="")
        media_id = text(answer.get("media_id"))
        if not media_id:
            raise NetworkError("webhook/upload_media: the answer holds no media_id")
        return media_id

    async def close(self) -> None:
        """Say nothing more; whoever waits is told."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        self._end(self._waiting, NetworkError("the robot was closed; it was not sent"))
        self._waiting.clear()

    # — the line —

    async def _words(self, kind: str, content: str, most: int, calls: dict[str, Any]) -> None:
        if not content.strip():
            raise Unfit("the message", ["it is empty"])
        pieces = [piece for piece in cut(content, most) if piece.strip()]
        bodies = [{"content": pieces[0], **calls}, *({"content": piece} for piece in pieces[1:])]
        done = await asyncio.gather(*(self._say(kind, body, most) for body in bodies), return_exceptions=True)
        for one in done:
            if one is not None:
                raise one

    async def _say(self, kind: str, body: dict[str, Any], most: int = 0) -> None:
        if len(self._waiting) >= MOST_WAITING:
            raise Throttled("webhook/send", max(self.wait(), 1.0))
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Notice(kind=kind, body=body, most=most, sent=sent))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._until_all_is_said())
        await sent

    async def _until_all_is_said(self) -> None:
        while self._waiting:
            wait = self.wait()
            if wait > 0:
                await self._clock.sleep(wait)
            elif batch := self._batch():
                await self._send(batch)

    def _batch(self) -> list[_Notice]:
        """Take what goes next: one notice, or several when not all that waits fits into the minute alone."""
        scarce = len(self._waiting) > self._free()
        batch: list[_Notice] = []
        while self._waiting and (not batch or (scarce and self._waiting[0].joins(batch))):
            notice = self._waiting.popleft()
            if not notice.sent.done():  # who waited for it may have gone
                batch.append(notice)
        return batch

    def _free(self) -> int:
        """Give how many messages more may go now."""
        number = self._budget.number("robot")
        costs = (
            cost for cost in range(number, 0, -1) if not self._budget.wait((Claim("robot", self.name, cost),))
        )
        return next(costs, 0)

    async def _send(self, batch: list[_Notice]) -> None:
        params = {"key": self._key.get_secret_value()}
        body = {"msgtype": batch[0].kind, batch[0].kind: _together(batch)}
        try:
            await self._api.call("webhook/send", body, params=params, secret="", claims=(self._claim,))
        except Throttled as error:
            self._again(batch)
            if error.wait > self.patience:
                self._end(self._waiting, error)
                self._waiting.clear()
        except ActionFailed as error:
            # One of them may be the one that is refused: the others shall not suffer for it.
            self._again(batch, alone=True) if len(batch) > 1 else self._end(batch, error)
        except asyncio.CancelledError:
            self._end(batch, InDoubt("the robot was closed while it was sent"))
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits must be told, whatever happened
            self._end(batch, error)
        else:
            self._end(batch)
        finally:
            self._budget.arrived(self._claim)

    def _again(self, batch: list[_Notice], *, alone: bool = False) -> None:
        for notice in reversed(batch):
            notice.most = 0 if alone else notice.most
            self._waiting.appendleft(notice)

    @staticmethod
    def _end(batch: Iterable[_Notice], error: Exception | None = None) -> None:
        for notice in batch:
            if notice.sent.done():
                continue
            if error is None:
                notice.sent.set_result(None)
            else:
                notice.sent.set_exception(error)


def _together(batch: Sequence[_Notice]) -> dict[str, Any]:
    """Give the body of one message out of several notices; who is mentioned in one is mentioned in all."""
    if len(batch) == 1:
        return batch[0].body
    body: dict[str, Any] = {"content": BETWEEN.join(one.body["content"] for one in batch)}
    for name in ("mentioned_list", "mentioned_mobile_list"):
        if called := list(dict.fromkeys(who for one in batch for who in one.body.get(name, ()))):
            body[name] = called
    return body
