"""How long a connection waits before it is made again, and how much may wait on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from groupops_wecom import InDoubt, NetworkError
from groupops_wecom.clockwork import Clockwork
from groupops_wecom.longlink import PENDING, LongLink, Patience, Socket
from groupops_wecom.recent import Recent
from groupops_wecom.testing import until


class Silent:
    """A socket on which subscriptions are answered and nothing else is."""

    closed = False

    def __init__(self) -> None:
        self.answers: asyncio.Queue[str] = asyncio.Queue()
        self.broken = False

    async def receive(self) -> str:
        return await self.answers.get()

    async def send(self, data: str) -> None:
        if self.broken:
            raise ConnectionError
        frame = json.loads(data)
        if frame["cmd"] == "aibot_subscribe":
            await self.answers.put(json.dumps({"headers": frame["headers"], "errcode": 0}))


class Told:
    """Who owns the connection here."""

    def __init__(self) -> None:
        self.openings = 0

    def opened(self) -> None:
        self.openings += 1

    def closed(self, note: str, *, final: bool) -> None:
        """Nothing is done about it."""

    async def heard(self, frame: Mapping[str, Any]) -> None:
        """Nothing is done with it."""


class Waits:
    """Waits of a connection; none takes any time."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


async def forever(seconds: float) -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()


@asynccontextmanager
async def nowhere() -> AsyncGenerator[Socket]:
    raise OSError("nobody listens")
    yield Silent()


async def test_a_connection_is_tried_again_after_one_second_then_two_up_to_thirty_and_never_all_at_once() -> (
    None
):
    waits = Waits()
    link = LongLink("b", "s", nowhere, Told(), Clockwork(now=lambda: 0.0, sleep=waits.sleep), Patience())
    running = asyncio.create_task(link.run())
    await until(lambda: len(waits.seconds) >= 200)
    running.cancel()

    longest = [1.0, 2.0, 4.0, 8.0, 16.0] + [30.0] * 195
    assert all(most / 2 <= wait <= most for wait, most in zip(waits.seconds[:200], longest, strict=True))
    assert len({round(wait, 6) for wait in waits.seconds[5:200]}) > 100


async def test_waits_begin_anew_only_after_a_subscription() -> None:
    waits, tries, told = Waits(), 0, Told()

    @asynccontextmanager
    async def sometimes() -> AsyncGenerator[Socket]:
        nonlocal tries
        tries += 1
        if tries != 6:
            raise OSError("nobody listens")
        socket = Silent()
        yield socket

    async def sleep(seconds: float) -> None:
        if seconds == 7.0:  # the heartbeat of the one that subscribed: it breaks then
            raise ConnectionError
        await waits.sleep(seconds)

    link = LongLink("b", "s", sometimes, told, Clockwork(now=lambda: 0.0, sleep=sleep), Patience(ping=7.0))
    running = asyncio.create_task(link.run())
    await until(lambda: len(waits.seconds) >= 8)
    running.cancel()

    assert told.openings == 1
    assert waits.seconds[4] > 7
    assert waits.seconds[5] <= 1
    assert waits.seconds[6] <= 2


@asynccontextmanager
async def silence(patience: Patience) -> AsyncGenerator[tuple[LongLink, Silent]]:
    """Have a connection on which nothing is answered."""
    socket = Silent()

    @asynccontextmanager
    async def connected() -> AsyncGenerator[Socket]:
        yield socket

    link = LongLink("b", "s", connected, Told(), Clockwork(now=lambda: 0.0, sleep=forever), patience)
    running = asyncio.create_task(link.run())
    await until(lambda: link.state.connected)
    yield link, socket
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_so_much_waits_for_an_answer_and_no_more() -> None:
    async with silence(Patience(ack=30)) as (link, _):
        waiting = [asyncio.create_task(link.call("aibot_send_msg", {})) for _ in range(PENDING)]
        await asyncio.sleep(0.05)

        with pytest.raises(NetworkError, match="wait for an answer already") as refused:
            await link.call("aibot_send_msg", {})

        assert not isinstance(refused.value, InDoubt)
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(end) for end in ends} == {InDoubt}


async def test_what_breaks_while_it_is_sent_is_in_doubt() -> None:
    async with silence(Patience(ack=30)) as (link, socket):
        socket.broken = True

        with pytest.raises(InDoubt):
            await link.call("aibot_send_msg", {})


async def test_nothing_is_kept_of_answers_that_were_given_up() -> None:
    async with silence(Patience(ack=0.001)) as (link, _):
        for number in range(PENDING + 50):
            with pytest.raises(InDoubt):
                await link.call("aibot_respond_msg", {}, f"R{number}")

        assert (len(link._pending), len(link._turns), len(link._late)) == (0, 0, PENDING)


def test_marks_are_bounded_and_end() -> None:
    now = 0.0
    recent = Recent(10.0, 3, lambda: now)

    assert [recent.first(mark) for mark in "aabcd"] == [True, False, True, True, True]
    assert len(recent) == 3
    now = 10.0
    assert recent.first("d")
    assert len(recent) == 1
