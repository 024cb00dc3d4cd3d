"""The ways of saying something: an AI bot, an app in its own group, an app or a bot to one person, a webhook robot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from groupops import Capability
from groupops_wecom.bot import AiBot, AppBot
from groupops_wecom.budget import Claim, Throttled
from groupops_wecom.buttons import asks_why, subject_of
from groupops_wecom.event import ChatType, Event
from groupops_wecom.exception import ActionFailed, ApiNotAvailable
from groupops_wecom.faces import Kept
from groupops_wecom.lenient import text as told
from groupops_wecom.memory import Offer
from groupops_wecom.message import AIBOT_MARKDOWN, APP_TEXT, Message, MessageSegment, cut, defuse
from groupops_wecom.webhook import Robot

MediaKind = Literal["image", "file"]

CHECKED_FOR = 120
"""Seconds within which WeCom drops a repetition of a private message: longer than its answer is waited for."""

ROBOT_PATIENCE = 5.0
"""Seconds for which a robot is waited for before somebody else's turn comes."""

SMALLEST_FILE = 6
"""Bytes of a file at least (protocol sheet 7.4)."""

NO_RECEIVER = 81013
"""None of the receivers can be reached (protocol sheet 13)."""


@dataclass(frozen=True, slots=True)
class Called:
    """Somebody to be mentioned: user id, and the name that is written where nobody can be."""

    user: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """Words, with who is mentioned before them."""

    text: str
    calls: tuple[Called, ...] = ()


@dataclass(frozen=True, slots=True)
class CardPiece:
    """A card."""

    card: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Medium:
    """A picture or a file."""

    kind: MediaKind
    name: str
    data: bytes = field(repr=False)


Piece = Words | CardPiece | Medium


class Way(Protocol):
    """A way of saying something."""

    @property
    def name(self) -> str:
        """What tells it from the others, for the record of what was said already."""
        ...

    @property
    def able(self) -> frozenset[Capability]:
        """What can be said by it."""
        ...

    @property
    def most(self) -> int:
        """Bytes of words that go at once."""
        ...

    async def say(self, piece: Piece) -> str:
        """Say a piece; gives WeCom's handle of it, or nothing where there is none.

        Raises:
            WeComAdapterException: it was not said, or nobody knows.
        """
        ...


def file_of(name: str, data: bytes) -> Piece:
    """Give a file as a piece; one too small for WeCom is told in words, if it is words."""
    if len(data) >= SMALLEST_FILE:
        return Medium("file", name, data)
    return Words(f"{name}\n{data.decode(errors='replace')}")


def in_pieces(pieces: Iterable[Piece], most: int) -> list[Piece]:
    """Cut words to what goes at once; who is mentioned is so in the first piece."""
    found: list[Piece] = []
    for piece in pieces:
        if not isinstance(piece, Words):
            found.append(piece)
            continue
        head, *rest = cut(piece.text, most)
        found += [Words(head, piece.calls), *(Words(one) for one in rest)]
    return found


def unnamed(words: Words) -> tuple[Called, ...]:
    """Give who is to be named in place of a mention: not whom the words name, nor who has no name but an id."""
    return tuple(one for one in words.calls if one.name and one.name not in words.text)


def names_of(words: Words) -> str:
    """Give names in place of mentions."""
    return "".join(f"@{one.name} " for one in unnamed(words))


# — AI bots —


@dataclass(frozen=True, slots=True)
class ByAiBot:
    """An AI bot in a conversation somebody has begun with it.

    Args:
        bot: the bot.
        chat_id: the group, or the person.
        chat_type: which of both.
        able: what its transport can say.
        answers: the message that is answered; None to say it unasked.
    """

    bot: AiBot
    chat_id: str
    chat_type: ChatType
    able: frozenset[Capability]
    answers: Event | None = None

    @property
    def name(self) -> str:
        """See `Way`."""
        return f"aibot {self.bot.self_id}"

    @property
    def most(self) -> int:
        """Half of what WeCom takes: every character may have to be written with a mark before it."""
        return AIBOT_MARKDOWN // 2

    async def say(self, piece: Piece) -> str:
        """See `Way`; a card's handle is its task id."""
        message = _message(piece)
        if self.answers is not None:
            await self.bot.respond(self.answers, message)
        else:
            await self.bot.push(self.chat_id, self.chat_type, message)
        return str(piece.card.get("task_id", "")) if isinstance(piece, CardPiece) else ""


def _message(piece: Piece) -> Message:
    match piece:
        case Words():
            calls: list[MessageSegment] = []
            for one in unnamed(piece):
                calls += [MessageSegment.mention(one.user, one.name), MessageSegment.text(" ")]
            return Message([*calls, MessageSegment.text(piece.text)])
        case CardPiece():
            return Message(MessageSegment.card(dict(piece.card)))
        case Medium(kind="image"):
            return Message(MessageSegment.image(data=piece.data, name=piece.name))
        case Medium():
            return Message(MessageSegment.file(data=piece.data, name=piece.name))


# — apps —


@dataclass(frozen=True, slots=True)
class InAppChat:
    """An app in a group it has made.

    Args:
        bot: the app.
        chat_id: the group.
        persons: how many hear it.
        able: what can be said there.
    """

    bot: AppBot
    chat_id: str
    persons: int
    able: frozenset[Capability]

    @property
    def name(self) -> str:
        """See `Way`."""
        return f"appchat {self.chat_id}"

    @property
    def most(self) -> int:
        """See `Way`; room is left for mentions."""
        return APP_TEXT * 3 // 4

    async def say(self, piece: Piece) -> str:
        """See `Way`; WeCom gives no handle, so that nothing said there can be taken back."""
        body = {"chatid": self.chat_id, **await _app_body(self.bot, piece, mentions=True), "safe": 0}
        claims = (
            Claim("appchat_app", self.bot.self_id),
            Claim("appchat_persons", self.bot.info.corp_id, max(self.persons, 1)),
        )
        await self.bot.call("appchat/send", body, claims=claims)
        return ""


@dataclass(slots=True)
class Doubles:
    """What was written to whom of late: WeCom drops the same words again, which two messages may well have."""

    said: Kept[tuple[str, str], tuple[str, float]] = field(default_factory=lambda: Kept(20_000))

    def checked(self, user: str, body: Mapping[str, Any], key: str, now: float) -> bool:
        """Say whether WeCom may be asked to drop a repetition: not when other words that are the same went before.

        Args:
            user: to whom.
            body: what.
            key: what makes it this message and no other.
            now: the present, seconds since the epoch.
        """
        mark = (user, hashlib.sha256(repr(sorted(body.items())).encode()).hexdigest())
        known = self.said.get(mark)
        self.said.put(mark, (key, now))
        return known is None or known[0] == key or now - known[1] > CHECKED_FOR


@dataclass(frozen=True, slots=True)
class ByApp:
    """An app to one member, in private.

    Args:
        bot: the app.
        user: the member.
        key: what makes the message this and no other.
        doubles: what was written of late.
        now: the present, seconds since the epoch.
        able: what can be said.
        offers: where it is remembered how a card is changed later.
    """

    bot: AppBot
    user: str
    key: str
    doubles: Doubles
    now: float
    able: frozenset[Capability]
    offers: Kept[str, Offer]

    @property
    def name(self) -> str:
        """See `Way`."""
        return f"app {self.bot.self_id}"

    @property
    def most(self) -> int:
        """See `Way`."""
        return APP_TEXT * 3 // 4

    async def say(self, piece: Piece) -> str:
        """See `Way`; the handle is the message's id, by which it can be taken back for a day."""
        body = await _app_body(self.bot, piece, mentions=False)
        checked = self.doubles.checked(self.user, body, self.key, self.now)
        check = {"enable_duplicate_check": 1, "duplicate_check_interval": CHECKED_FOR} if checked else {}
        letter = {"touser": self.user, "agentid": self.bot.info.agent_id, **body, **check}
        claims = (Claim("app_member", f"{self.bot.self_id}:{self.user}"),)
        answer = await self.bot.call("message/send", letter, claims=claims)
        if told(answer.get("invaliduser")) or told(answer.get("unlicenseduser")):
            raise ActionFailed("message/send", NO_RECEIVER, "the receiver cannot be reached")
        if isinstance(piece, CardPiece):
            self._remember(piece.card, told(answer.get("response_code")))
        return told(answer.get("msgid"))

    def _remember(self, card: Mapping[str, Any], code: str) -> None:
        """Remember how a card about a case is changed once the case is decided."""
        subject = subject_of(card)
        if code and asks_why(subject):
            offer = Offer(app=self.bot.self_id, user=self.user, subject=subject, code=code, at=self.now)
            self.offers.put(str(card["task_id"]), offer)


@dataclass(frozen=True, slots=True)
class ByRobot:
    """A webhook robot of a group: whoever has its key speaks there, and hears nothing.

    Args:
        robot: the robot.
        able: what it can say.
    """

    robot: Robot
    able: frozenset[Capability] = frozenset()

    @property
    def name(self) -> str:
        """See `Way`."""
        return f"robot {self.robot.name}"

    @property
    def most(self) -> int:
        """See `Way`; room is left for mentions."""
        return APP_TEXT * 3 // 4

    async def say(self, piece: Piece) -> str:
        """See `Way`; WeCom gives no handle. What would wait long waits where notices are merged."""
        wait = self.robot.wait()
        if wait > ROBOT_PATIENCE:
            raise Throttled("webhook/send", wait)
        match piece:
            case Words():
                found = _app_words(piece, mentions=True)
                await self.robot.text(found["content"], found.get("mentioned_list", ()))
            case Medium(kind="image"):
                await self.robot.image(piece.data)
            case Medium():
                await self.robot.file(piece.name, piece.data)
            case CardPiece():
                raise ApiNotAvailable("a webhook robot has no cards with buttons")
        return ""


async def _app_body(bot: AppBot, piece: Piece, *, mentions: bool) -> dict[str, Any]:
    match piece:
        case Words():
            return {"msgtype": "text", "text": _app_words(piece, mentions=mentions)}
        case CardPiece():
            return {"msgtype": "template_card", "template_card": dict(piece.card)}
        case Medium():
            media_id = await bot.upload(piece.kind, piece.name, piece.data)
            return {"msgtype": piece.kind, piece.kind: {"media_id": media_id}}


def _app_words(words: Words, *, mentions: bool) -> dict[str, Any]:
    if not mentions:
        return {"content": defuse(names_of(words) + words.text)}
    called = "".join(f"<@{one.user}> " for one in words.calls)
    return {
        "content": called + defuse(words.text),
        **({"mentioned_list": [one.user for one in words.calls]} if words.calls else {}),
    }
