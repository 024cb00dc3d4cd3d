"""The bot, as NoneBot's own plugins use it: like the library's, with one token for all calls and every failure told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from nonebot.adapters.qq import Bot as LibraryBot
from nonebot.adapters.qq import Event, Message, MessageSegment
from nonebot.adapters.qq.config import BotInfo
from nonebot.adapters.qq.event import QQMessageEvent
from nonebot.adapters.qq.exception import ActionFailed, UnauthorizedException
from nonebot.adapters.qq.models import User
from nonebot.adapters.qq.utils import API
from nonebot.drivers import Request, Response
from typing_extensions import override

from groupops import Text
from groupops_qq.answers import AnswerLost, NotSent, code_of, meanings
from groupops_qq.content import account, parts
from groupops_qq.events import GroupAtMessageCreateEvent
from groupops_qq.read import to_bot

if TYPE_CHECKING:
    from groupops_qq.adapter import Adapter

_BEFORE_SENDING = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"})
"""Errors of httpx after which nothing has left."""

_UNAUTHORIZED = 401


class Bot(LibraryBot):
    """A bot of the open platform.

    Args:
        adapter: the adapter it belongs to.
        self_id: its app id.
        bot_info: its part of `QQ_BOTS`.
    """

    def __init__(self, adapter: Adapter, self_id: str, bot_info: BotInfo) -> None:
        super().__init__(adapter, self_id, bot_info)
        self._home = adapter
        self._one_at_a_time = asyncio.Lock()
        # Until the platform has said who it is; only other plugins ask for it.
        self._self_info = User(id=self_id)

    # — events —

    @override
    async def handle_event(self, event: Event) -> None:
        """Hand an event in; nobody is asked before. `to_me` is worked out of the message alone."""
        if isinstance(event, QQMessageEvent):
            self._prepare(event)
        await self._home.enter(self, event)

    def _prepare(self, event: QQMessageEvent) -> None:
        """Give other plugins the words without mentions, as the library would; ours reads the event itself."""
        me = account(self.self_id)
        found = parts(event, me, lambda _: ("", None, ""))
        words = "".join(part.text for part in found if isinstance(part, Text)).strip()
        event.message = Message(MessageSegment.text(words))
        event.original_message = event.message.copy()
        event.to_me = event.to_me or isinstance(event, GroupAtMessageCreateEvent) or to_bot(found, me)

    # — calls —

    @API
    async def ask(
        self, *, method: str, path: tuple[str, ...], body: Any = None, params: dict[str, str] | None = None
    ) -> Any:
        """Make a call of the platform's by its path, each part of which is one, whatever stands in it.

        Args:
            method: the HTTP method.
            path: its parts, not encoded.
            body: what is sent as JSON.
            params: the query.

        Returns:
            The answer's JSON; an empty text when it has none.
        """
        encoded = "/".join(quote(part, safe="") for part in path)
        url = self.adapter.get_api_base().joinpath(encoded, encoded=True)
        return await self._request(Request(method, url, json=body, params=params))

    async def call(
        self, method: str, *path: str, body: Any = None, params: dict[str, str] | None = None
    ) -> Any:
        """Make a call; see `ask`. Raises one of `answers.FAILURES`."""
        return await self.call_api("ask", method=method, path=path, body=body, params=params)

    async def put_upload_part(self, *, presigned_url: str, data: bytes) -> None:  # pyright: ignore[reportIncompatibleVariableOverride] - the library has a descriptor there
        """Put up a part of a file. The address is a stranger's and signed by itself: the token is not shown to it."""
        response = await self._sent(Request("PUT", presigned_url, content=data))
        if not _is_success(response):
            raise ActionFailed(response)

    @override
    async def _request(self, request: Request) -> Any:
        """Send a call, once more with a new token if the platform does not know the one it was sent with."""
        for first in (True, False):
            token = await self.get_access_token()
            request.headers.update({"Authorization": f"QQBot {token}", "X-Union-Appid": self.bot_info.id})
            response = await self._sent(request)
            if response.status_code == _UNAUTHORIZED and first:
                self.forget_token(token)
                continue
            return self._handle_response(response)
        raise AssertionError("the second answer is taken as it is")

    async def _sent(self, request: Request) -> Response:
        try:
            return await self.adapter.request(request)
        except Exception as error:
            kind = type(error).__name__
            raise (NotSent(kind) if kind in _BEFORE_SENDING else AnswerLost(kind)) from error

    @override
    def _handle_response(self, response: Response) -> Any:
        """Give an answer's JSON. An error may come with status 200, and is known by its code then."""
        found = super()._handle_response(response)
        if code_of(found) and code_of(found) in meanings():
            raise ActionFailed(response)
        return found

    # — the token —

    def forget_token(self, token: str) -> None:
        """The platform does not know a token any more; one that was got since is kept."""
        if self._access_token == token:
            self._access_token = None

    @override
    async def get_access_token(self) -> str:
        """Give the token, got anew when it is about to expire, by one caller for all.

        Raises:
            NotSent: there is none to be had; what was to be called was not.
        """
        async with self._one_at_a_time:
            try:
                return await super().get_access_token()
            except UnauthorizedException as error:
                raise NotSent("the platform refuses the bot's id or secret") from error
            except Exception as error:
                raise NotSent(f"no token: {_said(error)}") from error


def _said(error: Exception) -> str:
    return str(getattr(error, "msg", "") or type(error).__name__)[:200]


def _is_success(response: Response) -> bool:
    return 200 <= response.status_code < 300  # noqa: PLR2004 - HTTP's own classes


def bot_of(bot: Any) -> Bot:
    """Give a bot of ours as one."""
    return cast("Bot", bot)
