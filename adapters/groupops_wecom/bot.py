"""The bots, as plugins use them: an AI bot on either transport, and a self-built app."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event as BaseEvent
from typing_extensions import override

from groupops_wecom.chats import Chats
from groupops_wecom.config import AiBotInfo, AppInfo, Config
from groupops_wecom.event import AiBotCardEvent, AppCardEvent, ChatType, EnterChat, Event, MessageEvent
from groupops_wecom.exception import ActionFailed, ApiNotAvailable, WindowClosed
from groupops_wecom.letters import Letters, Sent, To
from groupops_wecom.longlink import LongLink
from groupops_wecom.message import (
    AIBOT_MARKDOWN,
    APP_TEXT,
    MediaKind,
    Message,
    MessageSegment,
    Part,
    cut,
    markdown_of,
    parts_of,
    size,
    text_of,
)
from groupops_wecom.passive import passive_of
from groupops_wecom.qyapi import Downloaded, QyApi
from groupops_wecom.reply import BAD_REQ_ID, OverUrl, Stream, Transport, carded, markdowned, streamed
from groupops_wecom.uploads import Fetched, fetch

if TYPE_CHECKING:
    from groupops_wecom.adapter import Adapter

Said = str | Message | MessageSegment


class Bot(BaseBot):
    """A bot of WeCom's: one set of credentials."""

    def __init__(self, adapter: Adapter, self_id: str) -> None:
        super().__init__(adapter, self_id)
        self._home = adapter

    @override
    @abstractmethod
    async def send(self, event: BaseEvent, message: Said, **kwargs: Any) -> Any:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] - one message class only
        """Answer an event with a message."""

    async def handle_event(self, event: Event) -> None:
        """Hand an event in."""
        await self._home.enter(self, event)


class AiBot(Bot):
    """An AI bot (智能机器人).

    Args:
        adapter: the adapter it belongs to.
        info: its part of `WECOM_AIBOTS`.
        config: the adapter's configuration.
        transport: how it speaks.
        link: its long connection, unless it is on a callback URL.
    """

    def __init__(
        self, adapter: Adapter, info: AiBotInfo, config: Config, transport: Transport, link: LongLink | None
    ) -> None:
        super().__init__(adapter, info.bot_id)
        self.info = info
        self.link = link
        self._config = config
        self._transport = transport
        self._streams: set[Stream] = set()

    async def call(
        self, cmd: str, body: Mapping[str, Any] | None = None, req_id: str | None = None
    ) -> dict[str, Any]:
        """Send a command over the long connection; see `LongLink.call`."""
        found = await self.call_api(cmd, body=body, req_id=req_id)
        return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType] - our own answer

    @override
    async def send(self, event: BaseEvent, message: Said, **kwargs: Any) -> list[dict[str, Any]]:  # type: ignore[override]  # one message class only
        """Answer an event with a message.

        Raises:
            ActionFailed: WeCom refused it.
            NetworkError: it was not sent; `InDoubt`: it may have been.
            ApiNotAvailable: there is no way to answer any more.
        """
        if not isinstance(event, Event):
            raise ApiNotAvailable("an event of another adapter")
        if isinstance(event, EnterChat) and _greeting(message) is not None:
            try:
                return [await self.welcome(event, message)]
            except WindowClosed:
                pass  # it is said anew
            except ActionFailed as error:
                if error.errcode != BAD_REQ_ID:  # it was greeted before
                    raise
        return await self.respond(event, message)

    async def respond(self, event: Event, message: Said) -> list[dict[str, Any]]:
        """Answer an event; words too long for one message go in several, in order.

        What can no longer be answered is said anew in the same conversation. Raises as `send` does.
        """
        bodies = [body async for body in self._bodies(message, push=False)]
        return [await self._transport.respond(event, body) for body in bodies]

    async def push(self, chat_id: str, chat_type: ChatType, message: Said) -> list[dict[str, Any]]:
        """Say something that answers nothing, in a conversation somebody has begun with the bot.

        Args:
            chat_id: the group, or the person for a private chat.
            chat_type: which of both.
            message: what is said.

        Raises:
            ActionFailed: as `send`, and so are the others.
        """
        bodies = [body async for body in self._bodies(message, push=True)]
        return [await self._transport.push(chat_id, chat_type, body) for body in bodies]

    def can_push(self, chat_id: str) -> bool:
        """Say whether `push` has a way into a conversation: always over the long connection, else at times."""
        return self._transport.can_push(chat_id)

    async def welcome(self, event: EnterChat, message: Said) -> dict[str, Any]:
        """Greet who opened the chat, within five seconds: one card, or words.

        Raises:
            WindowClosed: it is too late.
            ActionFailed: as `send`, and so are the others.
        """
        body = _greeting(message)
        if body is None:
            raise ApiNotAvailable(f"a welcome is one card, or words of at most {APP_TEXT} bytes")
        return await self._transport.welcome(event, body)

    async def update_card(
        self, event: AiBotCardEvent, card: Mapping[str, Any], user_ids: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Replace the card that was pressed, within five seconds.

        Args:
            event: the press.
            card: the new card; its `task_id` becomes that of the old one, as WeCom wants it.
            user_ids: who sees the new one, in a group; everybody by default.

        Raises:
            WindowClosed: it is too late.
            ActionFailed: as `send`, and so are the others.
        """
        body: dict[str, Any] = {
            "response_type": "update_template_card",
            "template_card": {**card, "task_id": event.task_id},
        }
        if shown_to := list(user_ids):
            body["userids"] = shown_to
        return await self._transport.update(event, body)

    def stream(self, event: MessageEvent, feedback: str = "") -> Stream:
        """Begin a reply that grows. It is finished within six minutes, by whoever forgot to as well."""
        made = Stream(self._transport, event, self._home.clock, feedback)
        self._streams = {stream for stream in self._streams if not stream.finished} | {made}
        return made

    async def upload(self, kind: MediaKind, name: str, data: bytes) -> str:
        """Put a medium up; gives its media id, good for three days.

        Raises:
            ApiNotAvailable: this bot cannot, or the size is none.
            ActionFailed: as `send`, and so are the others.
        """
        return await self._transport.upload(kind, name, data)

    async def download(self, url: str, aeskey: str = "", cap: int | None = None) -> Fetched:
        """Fetch and decrypt a medium somebody sent, within five minutes of the message.

        Args:
            url: of the segment.
            aeskey: of the segment.
            cap: bytes it may have; `WECOM_MEDIA_CAP` by default.

        Raises:
            TooLarge: it has more.
            NetworkError: it could not be fetched or decrypted.
        """
        most = self._config.wecom_media_cap if cap is None else cap
        return await fetch(
            self._home.stream_request, url, self._transport.key(aeskey), most, self._home.plain_hosts
        )

    def noted(self, event: Event) -> None:
        """Keep the way by which an event may be answered later, where it has one."""
        if isinstance(self._transport, OverUrl):
            self._transport.noted(event)

    def present(self, stream_id: str) -> dict[str, Any] | None:
        """Give the present content of a stream WeCom asks for."""
        return self._transport.present(stream_id) if isinstance(self._transport, OverUrl) else None

    def end(self) -> None:
        """Leave streams as they are: the bot stops."""
        for stream in self._streams:
            stream.dropped()
        self._streams.clear()

    async def _bodies(self, message: Said, *, push: bool) -> AsyncGenerator[dict[str, Any]]:
        """Give the messages a message becomes."""
        for part in parts_of(message):
            if part.kind == "words":
                for piece in cut(self._words(part), AIBOT_MARKDOWN):
                    yield markdowned(piece) if push else streamed(piece)
            elif part.kind == "card":
                yield carded(part.data["card"])
            else:
                yield await self._medium(part.kind, part.data)

    def _words(self, part: Part) -> str:
        return markdown_of(part.segments, mentions=self._config.wecom_aibot_mentions)

    async def _medium(self, kind: MediaKind, data: dict[str, Any]) -> dict[str, Any]:
        media_id = data.get("media_id") or await self.upload(kind, data["name"], data["data"])
        return {"msgtype": kind, kind: {"media_id": media_id}}


def _greeting(message: Said) -> dict[str, Any] | None:
    """Give a message as a welcome; None when it is neither one card nor words that fit."""
    parts = parts_of(message)
    if len(parts) != 1 or parts[0].kind not in {"words", "card"}:
        return None
    if parts[0].kind == "card":
        return carded(parts[0].data["card"])
    content = text_of(parts[0].segments, mentions=False)
    return {"msgtype": "text", "text": {"content": content}} if size(content) <= APP_TEXT else None


class AppBot(Bot):
    """A self-built app (自建应用).

    Args:
        adapter: the adapter it belongs to.
        info: its part of `WECOM_APPS`.
        api: the interfaces of its enterprise, with its secrets.
    """

    def __init__(self, adapter: Adapter, info: AppInfo, api: QyApi) -> None:
        super().__init__(adapter, info.self_id)
        self.info = info
        self.api = api
        self.letters = Letters(api, info.agent_id, self.call)
        self.chats = Chats(api, info.agent_id)

    @override
    async def send(self, event: BaseEvent, message: Said, **kwargs: Any) -> list[dict[str, Any]]:  # type: ignore[override]  # one message class only
        """Answer an event in private: an app hears and speaks to one member at a time.

        Where `WECOM_PASSIVE_SECONDS` lets the post wait, one text or medium goes in its answer.

        Raises:
            ActionFailed: WeCom refused it.
            NetworkError: it was not sent; `InDoubt`: it may have been.
            ApiNotAvailable: the event is about nobody.
        """
        if not isinstance(event, Event) or not event.user_id:
            raise ApiNotAvailable("the event is about nobody who could be answered")
        reply = passive_of(message)
        if reply is not None and event.exchange is not None and event.exchange.answer(reply):
            return []
        return await self.push(event.user_id, message)

    async def push(
        self, user_ids: str | Iterable[str], message: Said, **options: Any
    ) -> list[dict[str, Any]]:
        """Send a message to members, in private.

        Kept to what WeCom lets a member hear in a minute and an hour; what is above it would drop without a word.
        For all other kinds of messages and receivers there are `letters`, and `chats` for the app's own groups.

        Args:
            user_ids: one member, or several, at most 1000.
            message: what is said; words too long for one message go in several.
            options: further keys of `message/send`, such as `enable_duplicate_check`.

        Returns:
            WeCom's answers, with `msgid` and, for cards, `response_code`.

        Raises:
            Unfit: nobody, or too many.
            ActionFailed: as `send`, and so are the others.
        """
        to = To(users=(user_ids,) if isinstance(user_ids, str) else tuple(user_ids))
        common, claims = {**to.body, "agentid": self.info.agent_id, **options}, to.claims(self.self_id)
        bodies = [body async for body in self._bodies(message)]
        return [await self.call("message/send", {**common, **body}, claims=claims) for body in bodies]

    async def call(self, path: str, body: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """Call an interface; see `QyApi.call`."""
        found = await self.call_api(path, body=body, **options)
        return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType] - our own answer

    async def update_card(
        self, event: AppCardEvent, *, card: Mapping[str, Any] | None = None, button: str = ""
    ) -> None:
        """Replace the card that was pressed, or its buttons, for who pressed; once, within 72 hours.

        Args:
            event: the press.
            card: the new card.
            button: instead of a card, what its buttons say from now on.

        Raises:
            ApiNotAvailable: the press does not say how, or too late, or it was changed before; nothing was sent.
            Unfit: the new card would be refused.
            ActionFailed: as `send`, and so are the others.
        """
        if not event.response_code:
            raise ApiNotAvailable("the press carries no response_code")
        await self.letters.update_card(
            event.response_code, card=card, button=button, users=(event.user_id,), issued=event.received
        )

    async def recall(self, msgid: str, sent_at: float | None = None) -> None:
        """Take back a private message of the app's own, within 24 hours.

        Args:
            msgid: of the message.
            sent_at: when it was sent, seconds since the epoch; not looked at where it is not known.

        Raises:
            WindowClosed: it is older; nothing was asked.
            ActionFailed: as `send`, and so are the others.
        """
        at = self.api.clock.now() if sent_at is None else sent_at
        await self.letters.recall(Sent(msgid=msgid, at=at))

    async def download(self, media_id: str) -> Downloaded:
        """Fetch a medium somebody sent."""
        return await self.api.download("media/get", params={"media_id": media_id})

    async def upload(self, kind: MediaKind, name: str, data: bytes) -> str:
        """Put a medium up; gives its media id, good for three days."""
        found = await self.api.upload("media/upload", name, data, params={"type": kind})
        return str(found.get("media_id") or "")

    async def _bodies(self, message: Said) -> AsyncGenerator[dict[str, Any]]:
        for part in parts_of(message):
            if part.kind == "words":
                kind, content = _dialect(part)
                for piece in cut(content, APP_TEXT):
                    yield {"msgtype": kind, kind: {"content": piece}}
            elif part.kind == "card":
                yield carded(part.data["card"])
            else:
                data = part.data
                media_id = data.get("media_id") or await self.upload(part.kind, data["name"], data["data"])
                yield {"msgtype": part.kind, part.kind: {"media_id": media_id}}


def _dialect(part: Part) -> tuple[str, str]:
    """Give words as text; as markdown when something in them was written so."""
    if any(segment.type == "markdown" for segment in part.segments):
        return "markdown", markdown_of(part.segments, mentions=False)
    return "text", text_of(part.segments, mentions=False)
