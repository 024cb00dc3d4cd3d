"""A service, a session that hears it, and what it heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from groupops_wechat.bot import Bot
from groupops_wechat.client import Client
from groupops_wechat.clockwork import Clockwork
from groupops_wechat.config import Account, Config
from groupops_wechat.event import Event
from groupops_wechat.session import Session
from tests.e2e.started import free_port
from tests.support.wechaty_end import ME, WechatyEnd, until
from tests.support.wechaty_standin import StandIn

PEOPLE = {"li": "李四", "wang": "王五"}


class Ear:
    """Is told what a session hears; stands where the adapter stands."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.events: list[Event] = []
        self.notes: list[str] = []
        self.bots: list[Bot] = []

    def made(self, self_id: str, client: Client, account: Account) -> Bot:
        made = Bot(
            self,  # type: ignore[arg-type]
            self_id,
            client=client,
            account=account,
            config=self.config,
            clock=Clockwork(),
        )
        self.bots.append(made)
        return made

    def opened(self, bot: Bot) -> None:
        self.notes.append(f"opened {bot.self_id}")

    def closed(self, bot: Bot | None, account: Account, note: str) -> None:
        self.notes.append(note)

    def heard(self, account: Account) -> None:
        """Nothing."""

    async def tell(self, bot: Bot, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type[Any]) -> list[Any]:
        return [one for one in self.events if isinstance(one, kind)]


class Line:
    """A session that runs against a service.

    Args:
        end: the service, or who stands in for one.
        token: what the session says it is.
        config: how it is set up.
        clock: where time comes from; the machine's if not given.
        numbering: how kinds of messages are numbered.
    """

    def __init__(
        self,
        end: Any,
        *,
        token: str = "",
        config: Config | None = None,
        clock: Clockwork | None = None,
        numbering: str = "puppet",
    ) -> None:
        account = Account(
            endpoint=f"127.0.0.1:{end.port}",
            token=token or end.token,
            tls=end.tls,
            numbering=numbering,  # type: ignore[arg-type]
        )
        self.end = end
        self.config = config or Config(wechaty_call_seconds=5)
        self.ear = Ear(self.config)
        self.session = Session(account, self.config, self.ear, clock or Clockwork())
        self._task = asyncio.create_task(self.session.run())

    @property
    def bot(self) -> Bot:
        assert self.session.bot is not None
        return self.session.bot

    def over(self) -> bool:
        """Say whether the session has given up."""
        return self._task.done()

    async def up(self) -> None:
        await until(lambda: self.session.bot is not None and self.session.bot.self_id == ME)

    async def hears(self, kind: type[Any], count: int = 1) -> Any:
        await until(lambda: len(self.ear.of(kind)) >= count)
        return self.ear.of(kind)[count - 1]

    async def hang_up(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.session.close()


@pytest.fixture(scope="module")
def services() -> Iterator[Callable[[bool], WechatyEnd]]:
    """Services that are started when they are first wanted: that takes seconds."""
    made: dict[bool, WechatyEnd] = {}

    def service(tls: bool) -> WechatyEnd:
        if tls not in made:
            made[tls] = WechatyEnd(free_port(), tls=tls)
            made[tls].begin()
        return made[tls]

    yield service
    for one in made.values():
        one.end()


@pytest.fixture(params=["plain", "tls"])
async def end(request: pytest.FixtureRequest, services: Callable[[bool], WechatyEnd]) -> WechatyEnd:
    """A service over plain and over TLS, with a room and people."""
    return await _furnished(services(request.param == "tls"))


@pytest.fixture
async def plain_end(services: Callable[[bool], WechatyEnd]) -> WechatyEnd:
    """A service with a room and people."""
    return await _furnished(services(False))


async def _furnished(service: WechatyEnd) -> WechatyEnd:
    await service.reset()
    await service.furnish(PEOPLE)
    return service


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    """A service that says what a test wants."""
    made = StandIn()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def line(plain_end: WechatyEnd) -> AsyncIterator[Line]:
    """A session that hears it."""
    made = Line(plain_end)
    await made.up()
    yield made
    await made.hang_up()
