"""Private messages of an app (`message/send`): every kind, once each, with what may be done to them afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeAlias, get_args

from groupops_wecom.budget import Claim
from groupops_wecom.exception import ActionFailed, NetworkError, WindowClosed
from groupops_wecom.lenient import Recent, text
from groupops_wecom.message import APP_TEXT, size
from groupops_wecom.qyapi import QyApi, written
from groupops_wecom.templates import Home, Unfit, checked

MOST_USERS = 1_000
MOST_PARTIES = 100
MOST_ARTICLES = 8
LONGEST_TITLE = 128
LONGEST_DESCRIPTION = 512
LONGEST_BUTTON = 4
"""Characters of the button of a text card."""

EVERYBODY = "@all"

ONCE_WITHIN = 1_800
"""Seconds within which a repetition is dropped: by the platform, and here."""

RECALLED_WITHIN = 24 * 3600.0
UPDATED_WITHIN = 72 * 3600.0
"""Seconds."""

REMEMBERED = 20_000
"""Letters and cards that are remembered."""


class Content(Protocol):
    """What a message says."""

    msgtype: ClassVar[str]

    def faults(self) -> Iterable[str]:
        """Give what the platform would refuse it for."""
        ...

    def body(self) -> dict[str, Any]:
        """Give what stands under its kind."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """Words, at most 2048 bytes; `<a href="…">` makes a link."""

    msgtype: ClassVar[str] = "text"
    content: str

    def faults(self) -> Iterable[str]:
        """See `Content`."""
        return _fits("text.content", self.content, APP_TEXT)

    def body(self) -> dict[str, Any]:
        """See `Content`."""
        return {"content": self.content}


@dataclass(frozen=True, slots=True)
class Markdown:
    """Words in the app's subset of Markdown, at most 2048 bytes."""

    msgtype: ClassVar[str] = "markdown"
    content: str

    def faults(self) -> Iterable[str]:
        """See `Content`."""
        return _fits("markdown.content", self.content, APP_TEXT)

    def body(self) -> dict[str, Any]:
        """See `Content`."""
        return {"content": self.content}


@dataclass(frozen=True, slots=True)
class _Media:
    media_id: str

    def faults(self) -> Iterable[str]:
        """See `Content`."""
        return () if self.media_id else ("media_id is empty; upload the file first",)

    def body(self) -> dict[str, Any]:
        """See `Content`."""
        return {"media_id": self.media_id}


@dataclass(frozen=True, slots=True)
class Image(_Media):
    """A picture that was uploaded."""

    msgtype: ClassVar[str] = "image"


@dataclass(frozen=True, slots=True)
class Voice(_Media):
    """A voice message that was uploaded."""

    msgtype: ClassVar[str] = "voice"


@dataclass(frozen=True, slots=True)
class File(_Media):
    """A file that was uploaded."""

    msgtype: ClassVar[str] = "file"


@dataclass(frozen=True, slots=True)
class Video(_Media):
    """A video that was uploaded; title at most 128 bytes, description at most 512."""

    msgtype: ClassVar[str] = "video"
    title: str = ""
    description: str = ""

    def faults(self) -> Iterable[str]:
        """See `Content`."""
        yield from () if self.media_id else ("media_id is empty; upload the file first",)
        yield from _at_most("video.title", self.title, LONGEST_TITLE)
        yield from _at_most("video.description", self.description, LONGEST_DESCRIPTION)

    def body(self) -> dict[str, Any]:
        """See `Content`."""
        return {"media_id": self.media_id, "title": self.title, "description": self.description}


@dataclass(frozen=True, slots=True)
class TextCard:
    """A title, a description and an address; title at most 128 bytes, description 512, button 4 characters."""

    msgtype: ClassVar[str] = "textcard"
    title: str
    description: str
    url: str
    button: str = ""

    def faults(self) -> Iterable[str]:
        """See `Content`."""
        yield from _fits("textcard.title", self.title, LONGEST_TITLE)
        yield from _fits("textcard.description", self.description, LONGEST_DESCRIPTION)
        if not self.url:
            yield "textcard.url is empty"
        if len(self.button) > LONGEST_BUTTON:
            yield f"textcard.btntxt has at most {LONGEST_BUTTON} characters"

    def body(self) -> dict[str, Any]:
        """See `Content`."""
        button = {"btntxt": self.button} if self.button else {}
        return {"title": self.title, "description": self.description, "url": self.url, **button}


@dataclass(frozen=True, slots=True)
class Article:
    """An article; title at most 128 bytes, description at most 512."""

    title: str
    url: str
    description: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """1 to 8 articles that lead elsewhere."""

    msgtype: ClassVar[str] = "news"
    articles: Sequence[Article]

    def faults(self) -> Iterable[str]:
        """See `Content`."""
        yield from _counted("news.articles", self.articles, MOST_ARTICLES)
        for place, one in enumerate(self.articles):
            yield from _fits(f"news.articles[{place}].title", one.title, LONGEST_TITLE)
            yield from _at_most(f"news.articles[{place}].description", one.description, LONGEST_DESCRIPTION)

    def body(self) -> dict[str, Any]:
        """See `Content`."""
        rows = (
            {"title": one.title, "description": one.description, "url": one.url, "picurl": one.picture}
            for one in self.articles
        )
        return {"articles": list(rows)}


@dataclass(frozen=True, slots=True)
class Page:
    """An article whose text the platform keeps; title at most 128 bytes, digest at most 512."""

    title: str
    thumb_media_id: str
    content: str
    author: str = ""
    source_url: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Pages:
    """1 to 8 articles that the platform keeps (`mpnews`)."""

    msgtype: ClassVar[str] = "mpnews"
    articles: Sequence[Page]

    def faults(self) -> Iterable[str]:
        """See `Content`."""
        yield from _counted("mpnews.articles", self.articles, MOST_ARTICLES)
        for place, one in enumerate(self.articles):
            yield from _fits(f"mpnews.articles[{place}].title", one.title, LONGEST_TITLE)
            if not one.thumb_media_id or not one.content:
                yield f"mpnews.articles[{place}] lacks thumb_media_id or content"

    def body(self) -> dict[str, Any]:
        """See `Content`."""
        rows = (
            {
                "title": one.title,
                "thumb_media_id": one.thumb_media_id,
                "author": one.author,
                "content_source_url": one.source_url,
                "content": one.content,
                "digest": one.digest,
            }
            for one in self.articles
        )
        return {"articles": list(rows)}


@dataclass(frozen=True, slots=True)
class MiniProgram:
    """A notice that opens a mini-program; `rows` of key and value, at most 10."""

    msgtype: ClassVar[str] = "miniprogram_notice"
    appid: str
    title: str
    page: str = ""
    description: str = ""
    rows: Sequence[tuple[str, str]] = ()

    def faults(self) -> Iterable[str]:
        """See `Content`."""
        if not self.appid or not self.title:
            yield "miniprogram_notice lacks appid or title"
        if len(self.rows) > 10:  # noqa: PLR2004 - the platform's limit, named in the text
            yield "miniprogram_notice.content_item has at most 10"

    def body(self) -> dict[str, Any]:
        """See `Content`."""
        return {
            "appid": self.appid,
            "page": self.page,
            "title": self.title,
            "description": self.description,
            "content_item": [{"key": key, "value": value} for key, value in self.rows],
        }


@dataclass(frozen=True, slots=True)
class TemplateCard:
    """A card with a picture, links or buttons; see `templates`."""

    msgtype: ClassVar[str] = "template_card"
    card: Mapping[str, Any]

    def faults(self) -> Iterable[str]:
        """See `Content`."""
        checked(self.card, Home.APP)
        return ()

    def body(self) -> dict[str, Any]:
        """See `Content`."""
        return dict(self.card)


AnyContent: TypeAlias = (
    Words | Markdown | Image | Voice | File | Video | TextCard | News | Pages | MiniProgram | TemplateCard
)

KINDS = frozenset(kind.msgtype for kind in get_args(AnyContent))


def _fits(where: str, content: str, most: int) -> Iterable[str]:
    if not content.strip():
        yield f"{where} is empty"
    yield from _at_most(where, content, most)


def _at_most(where: str, content: str, most: int) -> Iterable[str]:
    if size(content) > most:
        yield f"{where} has {size(content)} bytes, at most {most}; cut it (groupops_wecom.message.cut)"


def _counted(where: str, found: Sequence[Any], most: int) -> Iterable[str]:
    if not 1 <= len(found) <= most:
        yield f"{where} has 1 to {most}, not {len(found)}"


def body_of(content: AnyContent) -> dict[str, Any]:
    """Give a message's kind and body.

    Raises:
        Unfit: the platform would refuse it.
    """
    if faults := list(content.faults()):
        raise Unfit(f"the {content.msgtype}", faults)
    return {"msgtype": content.msgtype, content.msgtype: content.body()}


@dataclass(frozen=True, slots=True, kw_only=True)
class To:
    """Who it is for.

    Args:
        users: user ids, at most 1000.
        parties: department ids, at most 100.
        tags: tag ids, at most 100.
        everybody: all who see the app; the others do not matter then.
    """

    users: tuple[str, ...] = ()
    parties: tuple[int, ...] = ()
    tags: tuple[int, ...] = ()
    everybody: bool = False

    @property
    def body(self) -> dict[str, str]:
        """Give the fields of the message.

        Raises:
            Unfit: nobody, or too many.
        """
        if self.everybody:
            return {"touser": EVERYBODY}
        if not (self.users or self.parties or self.tags):
            raise Unfit("the message", ["it is for nobody"])
        if len(self.users) > MOST_USERS or max(len(self.parties), len(self.tags)) > MOST_PARTIES:
            raise Unfit(
                "the message", [f"it is for at most {MOST_USERS} users, {MOST_PARTIES} departments and tags"]
            )
        found = {"touser": self.users, "toparty": self.parties, "totag": self.tags}
        return {name: "|".join(map(str, ids)) for name, ids in found.items() if ids}

    def claims(self, app: str) -> tuple[Claim, ...]:
        """Give what a message to them uses up."""
        if self.everybody or self.parties or self.tags:
            return (Claim("app_broadcast", app),)
        return tuple(Claim("app_member", f"{app}:{user}") for user in sorted(set(self.users)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that was sent.

    Args:
        msgid: by which it can be taken back.
        response_code: by which its card can be changed, once; empty for what is no card with buttons.
        at: when, seconds since the epoch.
        unreached: users it did not reach, as they were named.
        unlicensed: users without a licence, as they were named.
        parties: departments it did not reach.
        tags: tags it did not reach.
    """

    msgid: str
    response_code: str = field(default="", repr=False)
    at: float
    unreached: tuple[str, ...] = ()
    unlicensed: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Letters:
    """The private messages of one app.

    A message with the same key is sent once within half an hour. The platform is asked to drop repetitions too, so
    that a message whose answer was lost may be sent again; it compares what is said, so it is not asked where
    another message said the same of late, which it would drop.

    Args:
        api: the enterprise's interfaces.
        agent_id: the app.
        call: calls an interface as `QyApi.call` does, so that others hear of it; the interfaces' own by default.
    """

    def __init__(
        self, api: QyApi, agent_id: int, call: Callable[..., Awaitable[dict[str, Any]]] | None = None
    ) -> None:
        self._api = api
        self._call = call or api.call
        self._agent = agent_id
        self._by_key: Recent[str, tuple[float, Sent]] = Recent(REMEMBERED)
        self._by_content: Recent[str, tuple[float, str]] = Recent(REMEMBERED)
        self._cards: Recent[str, float] = Recent(REMEMBERED)
        self._spent: Recent[str, float] = Recent(REMEMBERED)

    async def send(self, content: AnyContent, to: To, *, key: str = "", secret: bool = False) -> Sent:
        """Send a message.

        Args:
            content: what it says.
            to: who it is for.
            key: what makes it this message; its content by default. The same key is the same message.
            secret: whether it may be copied and forwarded no more (`safe`).

        Raises:
            Unfit: the platform would refuse it.
            ActionFailed: it refused it; 81013 when it reaches nobody.
            Throttled: too often; nothing was sent.
            InDoubt: it was sent, the answer was lost, and it may not be repeated.
            NetworkError: it was not sent.
        """
        letter: dict[str, Any] = {**to.body, "agentid": self._agent, **body_of(content)}
        if secret:
            letter["safe"] = 1
        said = hashlib.sha256(written(letter)).hexdigest()
        key, now = key or said, self._api.clock.now()
        done = self._by_key.get(key)
        if done is not None and now - done[0] < ONCE_WITHIN:
            return done[1]
        if self._is_the_only_one(said, key, now):
            letter |= {"enable_duplicate_check": 1, "duplicate_check_interval": ONCE_WITHIN}
        answer = await self._call(
            "message/send", letter, claims=to.claims(f"{self._api.corp_id}:{self._agent}")
        )
        sent = self._sent(answer, to)
        self._by_key.put(key, (now, sent))
        return sent

    def _is_the_only_one(self, said: str, key: str, now: float) -> bool:
        """Say whether only this message says so, within the time in which the platform drops what says the same."""
        before = self._by_content.get(said)
        only = before is None or before[1] == key or now - before[0] >= ONCE_WITHIN
        self._by_content.put(said, (now, key if only else ""))
        return only

    def _sent(self, answer: Mapping[str, Any], to: To) -> Sent:
        now, code = self._api.clock.now(), text(answer.get("response_code"))
        if code:
            self._cards.put(code, now)
        return Sent(
            msgid=text(answer.get("msgid")),
            response_code=code,
            at=now,
            unreached=named(answer.get("invaliduser"), to.users),
            unlicensed=named(answer.get("unlicenseduser"), to.users),
            parties=_ids(answer.get("invalidparty")),
            tags=_ids(answer.get("invalidtag")),
        )

    async def update_card(
        self,
        response_code: str,
        *,
        card: Mapping[str, Any] | None = None,
        button: str = "",
        users: Sequence[str] = (),
        issued: float | None = None,
    ) -> None:
        """Change a card that was sent, or one that was pressed: once, within 72 hours.

        Args:
            response_code: of the message that was sent, or of the press.
            card: the new card.
            button: instead of a card, what its buttons say from now on, when they can no longer be pressed.
            users: for whom; for everybody who got it by default.
            issued: when the code came, seconds since the epoch; known here for a message of this app's own.

        Raises:
            WindowClosed: it is too late, or the code was used; nothing was sent.
            Unfit: the new card would be refused.
            ActionFailed: as `send`, and so are the others.
        """
        now = self._api.clock.now()
        came = self._cards.get(response_code) if issued is None else issued
        if not response_code or self._spent.get(response_code) is not None:
            raise WindowClosed("the card was changed before; a response_code is good for one change")
        if came is not None and now - came > UPDATED_WITHIN:
            raise WindowClosed("the card is older than 72 hours")
        if card is None and not button:
            raise Unfit("the change", ["it has neither a card nor words for the buttons"])
        new = (
            {"template_card": checked(card, Home.APP)}
            if card is not None
            else {"button": {"replace_name": button}}
        )
        whom: dict[str, Any] = {"userids": list(users)} if users else {"atall": 1}
        self._spent.put(response_code, now)
        body = {**whom, "agentid": self._agent, "response_code": response_code, **new}
        try:
            await self._call("message/update_template_card", body)
        except (ActionFailed, NetworkError):
            # It said no, or nothing: the code is as good as it was, or is refused; it never changes a card twice.
            self._spent.drop(response_code)
            raise

    async def recall(self, sent: Sent) -> None:
        """Take a message back, within 24 hours.

        Raises:
            WindowClosed: it is older, or was sent without an id; nothing was asked.
            ActionFailed: as `send`, and so are the others.
        """
        if not sent.msgid:
            raise WindowClosed("the message has no msgid")
        if self._api.clock.now() - sent.at > RECALLED_WITHIN:
            raise WindowClosed("the message is older than 24 hours")
        await self._call("message/recall", {"msgid": sent.msgid})


def named(ids: Any, asked: Iterable[str]) -> tuple[str, ...]:
    """Give user ids of an answer as they were written when asked: the platform gives them in lower case.

    Args:
        ids: joined by `|`.
        asked: the user ids that were asked for.
    """
    as_asked = {user.lower(): user for user in asked}
    return tuple(as_asked.get(one.lower(), one) for one in _ids(ids))


def _ids(value: Any) -> tuple[str, ...]:
    return tuple(one for one in text(value).split("|") if one)
