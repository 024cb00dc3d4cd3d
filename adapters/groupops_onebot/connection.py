"""One socket to an end: what was asked over it is answered over it, and by nobody else."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from typing import Any

from nonebot.drivers import WebSocket
from nonebot.utils import DataclassEncoder

from groupops_onebot.answers import AnswerLost, NotSent, answer_of

ECHO_BYTES = 16
"""Of chance in the mark a call carries: an answer cannot be forged by guessing it."""

MOST_WAITING = 2_000
"""Calls that may wait for their answers at once on one socket."""


class Connection:
    """A socket, and the calls that wait on it.

    Args:
        socket: the socket.
    """

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    @property
    def waiting(self) -> int:
        """How many calls wait for their answer."""
        return len(self._waiting)

    async def ask(self, api: str, params: Mapping[str, Any], within: float) -> Any:
        """Call the end.

        Args:
            api: what is called.
            params: its parameters.
            within: seconds to wait.

        Returns:
            The data of the answer.

        Raises:
            ActionFailed: the end says no.
            NotSent: it never left.
            AnswerLost: it left, and nothing came back in time, or the socket closed.
        """
        if self.socket.closed:
            raise NotSent("the connection is closed")
        if len(self._waiting) >= MOST_WAITING:
            raise NotSent(f"{MOST_WAITING} calls wait for answers already")
        echo = secrets.token_hex(ECHO_BYTES)
        frame = json.dumps({"action": api, "params": params, "echo": echo}, cls=DataclassEncoder)
        self._waiting[echo] = answer = asyncio.get_running_loop().create_future()
        try:
            await self._send(frame, api)
            return answer_of(await asyncio.wait_for(answer, within))
        except TimeoutError:
            raise AnswerLost(f"no answer to {api} within {within:g} s") from None
        finally:
            self._waiting.pop(echo, None)

    async def _send(self, frame: str, api: str) -> None:
        try:
            await self.socket.send(frame)
        except Exception as error:  # each driver has its own errors for a socket that breaks
            raise AnswerLost(f"the connection broke while {api} was sent: {type(error).__name__}") from error

    def answer(self, frame: dict[str, Any]) -> bool:
        """Take a frame as the answer to a call that waits on this socket; False when there is none."""
        echo = frame.get("echo")
        waiting = self._waiting.get(echo) if isinstance(echo, str) else None
        if waiting is None or waiting.done():
            return False
        waiting.set_result(frame)
        return True

    def lose(self) -> None:
        """The socket is gone: nothing that waits will be answered."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(AnswerLost("the connection was closed before the answer"))
        self._waiting.clear()
