"""The OneBot adapter in a NoneBot that serves on loopback, with a make-believe end on the other side of the socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import nonebot
import uvicorn
from nonebot.drivers import Driver
from nonebot.matcher import matchers

from groupops import AccountId, Event, GroupId, Media, MessagePosted
from groupops.bridge import Bridge, start_nonebot
from groupops.clock import SystemClock
from groupops_onebot.adapter import Adapter
from groupops_onebot.onebot import OneBot
from tests.support.onebot_end import BOT, GROUP, OneBotEnd

TOKEN = "let-me-in"
PATIENCE = 10.0

PLACE = {
    "app": "com.tencent.map",
    "meta": {"Location.Search": {"lat": "31.2304", "lng": "121.4737", "name": "人民广场", "address": "上海"}},
}


class Told:
    """Takes facts, and keeps them."""

    def __init__(self) -> None:
        self.facts: list[Event] = []

    def glance(self, event: Event) -> Event | None:
        self.facts.append(event)
        return None

    async def finish(self, pending: Event) -> None:
        """Nothing is ever left over."""

    def take(self) -> list[Event]:
        facts, self.facts = self.facts, []
        return facts


class Heard(OneBot):
    """The platform, which also knows the heartbeats that came."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.beats: set[int] = set()

    def heard(self, self_id: str, event: Any) -> None:
        super().heard(self_id, event)
        interval = getattr(event, "interval", None)
        if isinstance(interval, int):  # a hostile heartbeat may have anything there
            self.beats.add(interval)


class Served:
    """A bot that serves.

    Args:
        platform: the platform.
        told: what it told.
        bridge: between NoneBot and `told`.
        port: where it listens on loopback; 0 when it does not.
    """

    def __init__(self, platform: Heard, told: Told, bridge: Bridge, port: int) -> None:
        self.platform = platform
        self.told = told
        self.bridge = bridge
        self.port = port
        self._beats = count(40_000)

    @property
    def adapter(self) -> Adapter:
        found = self.platform._adapter
        assert found is not None
        return found

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/onebot/v11/ws"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}/onebot/v11/"

    async def join(self, end: OneBotEnd) -> None:
        """Let an end connect, and wait until all is known that is asked of it."""
        await end.connect(self.url, token=TOKEN)
        await self.seen(end)
        await self.platform.settled()

    async def seen(self, end: OneBotEnd, within: float = PATIENCE) -> None:
        """Wait until everything the end has sent was handled."""
        beat = next(self._beats)
        await end.emit(end.beat(beat))
        await until(lambda: beat in self.platform.beats, within)
        await asyncio.gather(*self.adapter.handling)
        await self.bridge.lanes.settled()

    async def facts(self, end: OneBotEnd, *events: dict[str, Any]) -> list[Event]:
        """Let an end tell something; give what the platform told of it."""
        self.told.take()
        for event in events:
            await end.emit(event)
        await self.seen(end)
        return self.told.take()


async def until(holds: Callable[[], Any], within: float = PATIENCE) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in a library
            await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[Served]:
    """Serve, with the settings of an operator who did everything right unless others are given."""
    proper = {"onebot_access_token": TOKEN, "onebot_self_ids": [BOT], "onebot_confirm_seconds": 0.3}
    driver = start_nonebot(
        {"driver": "~fastapi+~websockets", **proper, **settings}, log_level="ERROR", accelerate=False
    )
    platform, told = Heard(), Told()
    bridge = Bridge(told, [platform])
    try:
        bridge.install(driver)
        async with _listening(nonebot.get_asgi()) as port:
            yield Served(platform, told, bridge, port)
    finally:
        nonebot._driver = None
        Driver._adapters.clear()
        matchers.clear()


@asynccontextmanager
async def _listening(app: Any) -> AsyncIterator[int]:
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started or task.done())
        if task.done():
            task.result()
            raise AssertionError("the server ended at once")
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


class OneBotRig:
    """What the contract suite needs, on a real socket."""

    def __init__(self, served: Served, end: OneBotEnd, role: str) -> None:
        self.served = served
        self.end = end
        self.platform: OneBot = served.platform
        self.group = GroupId(f"qq:{GROUP}")
        self.member = AccountId("qq:20001")
        self._people = count(30_001)
        end.hall(role=role)
        end.seat(20001, card="张三")

    async def say(self, text: str) -> MessagePosted | None:
        parts = [{"type": "at", "data": {"qq": str(BOT)}}, {"type": "text", "data": {"text": text}}]
        facts = await self.served.facts(self.end, self.end.message(20001, parts))
        return next((fact for fact in facts if isinstance(fact, MessagePosted)), None)

    async def provoke(self, kind: str) -> Sequence[Event]:
        make = getattr(self, f"_{kind}", None)
        return await self.served.facts(self.end, *make()) if make else ()

    async def message(self) -> str:
        event = self.end.message(20001, "早")
        await self.served.facts(self.end, event)
        return str(event["message_id"])

    async def card(self) -> str:
        return ""

    async def request(self) -> tuple[AccountId, str]:
        user = next(self._people)
        event = self.end.request(user)
        await self.served.facts(self.end, event)
        return AccountId(f"qq:{user}"), event["flag"]

    async def somebody(self) -> AccountId:
        user = next(self._people)
        await self.served.facts(self.end, self.end.joined(user, "invite", 20001))
        return AccountId(f"qq:{user}")

    async def medium(self) -> Media:
        self.end.files["ten"] = {"base64": "MDEyMzQ1Njc4OQ==", "file_name": "ten"}
        return Media(id=f"kind=file&bot={BOT}&file=ten", media_kind="file", size=10)

    def said(self) -> Sequence[str]:
        return [text.removeprefix(" ") for text in self.end.said()]

    def _message_posted(self) -> list[dict[str, Any]]:
        return [self.end.message(20001, "早")]

    def _message_recalled(self) -> list[dict[str, Any]]:
        event = self.end.message(20001, "早")
        recalled = {"user_id": 20001, "operator_id": 20001, "message_id": event["message_id"]}
        return [event, self.end.notice("group_recall", **recalled)]

    def _member_joined(self) -> list[dict[str, Any]]:
        return [self.end.joined(next(self._people), "invite", 20001)]

    def _member_left(self) -> list[dict[str, Any]]:
        user = next(self._people)
        self.end.seat(user)
        return [self.end.left(user, "leave", user)]

    def _member_renamed(self) -> list[dict[str, Any]]:
        """Change a card: NapCat tells with the next message, LuckyLillia at once, others never."""
        number = next(self._people)
        renamed = self.end.notice("group_card", user_id=20001, card_new=f"张三{number}", card_old="张三")
        if self.end.app == "napcat":
            return [renamed, self.end.message(20001, "我改名片了")]
        return [renamed] if self.end.app == "luckylillia" else []

    def _role_changed(self) -> list[dict[str, Any]]:
        return [self.end.notice("group_admin", sub_type="set", user_id=20001)]

    def _group_renamed(self) -> list[dict[str, Any]]:
        if self.end.app != "napcat":
            return []
        return [self.end.notice("notify", sub_type="group_name", user_id=90001, name_new="新群名")]

    def _join_requested(self) -> list[dict[str, Any]]:
        """Ask to come in: QQ tells only those who may decide."""
        role = self.end.halls[GROUP].seats[BOT].role
        return [] if role == "member" else [self.end.request(next(self._people))]

    def _location_shared(self) -> list[dict[str, Any]]:
        import json

        card = [{"type": "json", "data": {"data": json.dumps(PLACE)}}]
        return [self.end.message(20001, card), self.end.whisper(20001, card)]

    def _red_packet_sent(self) -> list[dict[str, Any]]:
        return [self.end.packet(20001)]

    def _command_given(self) -> list[dict[str, Any]]:
        return [self.end.whisper(20001, "我的记录", group_id=GROUP)]
