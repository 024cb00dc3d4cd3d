"""The adapter `nonebot-adapter-wechatclaw`, with a host that sees each answer of iLink and says how long to wait."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Protocol

from nonebot.adapters import Bot as AnyBot
from nonebot.adapters.wechatclaw import Adapter as TheirAdapter
from nonebot.adapters.wechatclaw.exception import NetworkError
from nonebot.drivers import Driver
from typing_extensions import override

from groupops_ilink.answers import Answer, NotTaken, answer_of, answer_to, is_timeout

POLL = "ilink/bot/getupdates"
SEND = "ilink/bot/sendmessage"
BEGINS, ENDS = "ilink/bot/msg/notifystart", "ilink/bot/msg/notifystop"

GRACE_MS = 10_000
"""So much longer than iLink holds a poll it is waited here, or the two ends of it race (protocol sheet 2.3)."""

GOODBYE_S = 3.0
"""Seconds for saying at the stop that nobody listens any more."""

APP = "bot"
AGENT = "groupops/0.1.0"


class Host(Protocol):
    """Whoever is told what iLink says."""

    async def rest(self, token: str) -> None:
        """Wait for as long as nothing is to be received."""
        ...

    def cursor(self, token: str) -> str:
        """Give how far the process before this one had read."""
        ...

    def received(self, token: str, answer: Answer | None) -> None:
        """A poll ended: with an answer, or with None because there was no news."""
        ...

    def opened(self, account: str) -> None:
        """A bot is run."""
        ...

    def closed(self, account: str) -> None:
        """A bot is run no longer."""
        ...


class Adapter(TheirAdapter):
    """The adapter.

    Args:
        driver: NoneBot's driver.
        host: who is told.
    """

    @override
    def __init__(self, driver: Driver, *, host: Host, **rest: Any) -> None:
        self._host = host
        self._begun: dict[str, str] = {}
        super().__init__(driver, **rest)

    @override
    def bot_connect(self, bot: AnyBot) -> None:
        super().bot_connect(bot)
        self._host.opened(bot.self_id)

    @override
    def bot_disconnect(self, bot: AnyBot) -> None:
        super().bot_disconnect(bot)
        self._host.closed(bot.self_id)

    @override
    async def _stop(self) -> None:
        goodbyes = [self._notify(ENDS, base_url, token) for token, base_url in self._begun.items()]
        await asyncio.gather(*goodbyes, return_exceptions=True)
        await super()._stop()

    async def _notify(self, endpoint: str, base_url: str, token: str) -> None:
        """Say that somebody listens now, or no longer; that it does not get through does no harm."""
        body = json.dumps({"base_info": self._build_base_info()})
        millis = int(GOODBYE_S * 1000)
        try:
            await self._api_fetch(
                base_url=base_url, endpoint=endpoint, body=body, token=token, timeout_ms=millis
            )
        except (NetworkError, NotTaken):
            return

    @override
    def _build_base_info(self) -> dict[str, Any]:
        return {**super()._build_base_info(), "bot_agent": AGENT}

    @override
    def _build_headers(self, token: str | None, body: str) -> dict[str, str]:
        major, minor, patch = (int(part) for part in super()._build_base_info()["channel_version"].split("."))
        version = str(major << 16 | minor << 8 | patch)
        own = {"iLink-App-Id": APP, "iLink-App-ClientVersion": version}
        return {**super()._build_headers(token, body), **own}

    @override
    async def _get_updates(self, *, base_url: str, token: str, get_updates_buf: str, timeout_ms: int) -> Any:
        if token not in self._begun:
            self._begun[token] = base_url
            await self._notify(BEGINS, base_url, token)
        await self._host.rest(token)
        return await super()._get_updates(
            base_url=base_url,
            token=token,
            get_updates_buf=get_updates_buf or self._host.cursor(token),
            timeout_ms=timeout_ms,
        )

    @override
    async def _api_fetch(
        self, *, base_url: str, endpoint: str, body: str, token: str | None, timeout_ms: int
    ) -> bytes | str | None:
        """Ask iLink for something, and have the host see what it says.

        Raises:
            NotTaken: a message was not taken.
            NetworkError: anything else did not get through.
        """
        polls = endpoint == POLL
        try:
            raw = await super()._api_fetch(
                base_url=base_url,
                endpoint=endpoint,
                body=body,
                token=token,
                timeout_ms=timeout_ms + (GRACE_MS if polls else 0),
            )
        except NetworkError as error:
            if polls:
                self._host.received(token or "", None if is_timeout(error) else answer_to(error))
            elif endpoint == SEND:
                raise NotTaken(answer_to(error)) from error
            raise
        answer = answer_of(raw)
        if polls:
            self._host.received(token or "", answer)
        elif endpoint == SEND and answer.outcome != "ok":
            raise NotTaken(answer)
        return raw
