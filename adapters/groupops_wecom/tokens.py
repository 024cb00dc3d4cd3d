"""One access token for a secret: kept until shortly before it ends, and fetched by one for all who wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from groupops_wecom.clockwork import Now
from groupops_wecom.codes import CodeClass, meaning
from groupops_wecom.exception import ActionFailed

EARLY = 300.0
"""Seconds before its end from which a token is no longer used."""

SHORTEST = 60.0
"""Seconds for which a token is used that is about to end when it comes."""

LASTS = 7200.0
"""Seconds a token lasts when the platform does not say."""

HOLD = 60.0
"""Seconds after which a wrong secret is tried again: repeated wrong parameters may get an enterprise blocked."""


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """An access token; what prints it, a log with the values of variables too, shows no secret.

    Args:
        text: what is sent; secret.
        lasts: seconds from now.
    """

    text: str
    lasts: float = LASTS

    def __repr__(self) -> str:
        return f"Token(lasts={self.lasts})"


class Tokens:
    """The access token of one secret.

    Args:
        fetch: asks the platform for a new one.
        now: the present in seconds.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Token]], now: Now) -> None:
        self._fetch = fetch
        self._now = now
        self._token: Token | None = None
        self._until = 0.0
        self._flight: asyncio.Task[Token] | None = None
        self._wrong: ActionFailed | None = None
        self._wrong_until = 0.0

    async def get(self) -> Token:
        """Give a token that is good, as far as is known here.

        Raises:
            ActionFailed: the platform gives none; a wrong secret is not tried again for a minute.
            NetworkError: the platform cannot be reached.
        """
        if self._token is not None and self._now() < self._until:
            return self._token
        return await self._fly()

    async def renew(self, refused: Token) -> Token:
        """Give another token than one the platform refused; whoever else was refused gets the same.

        Args:
            refused: the token that was used.

        Raises:
            ActionFailed: as `get`.
            NetworkError: as `get`.
        """
        if refused is self._token:
            self._until = 0.0
        return await self.get()

    async def _fly(self) -> Token:
        if self._wrong is not None and self._now() < self._wrong_until:
            raise ActionFailed(self._wrong.api, self._wrong.errcode, self._wrong.errmsg)
        if self._flight is None:
            self._flight = asyncio.create_task(self._fetched())
            self._flight.add_done_callback(self._landed)
        # One who is told to stop must not stop the others who wait for the same token.
        return await asyncio.shield(self._flight)

    async def _fetched(self) -> Token:
        try:
            token = await self._fetch()
        except ActionFailed as error:
            if meaning(error.errcode).kind is CodeClass.CONFIGURATION:
                self._wrong, self._wrong_until = error, self._now() + HOLD
            raise
        self._wrong = None
        self._token = token
        # While a token lasts the platform gives the same again: it is not asked for anew all the time at the end.
        self._until = self._now() + max(token.lasts - EARLY, min(token.lasts, SHORTEST))
        return token

    def _landed(self, flight: asyncio.Task[Token]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # looked at, also when everybody who waited has gone
