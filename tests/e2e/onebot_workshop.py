"""The workshop's group at an end that speaks OneBot v11 and connects to the bot by a reverse websocket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

from tests.e2e.started import Place
from tests.e2e.workshop import CARDS, TOKEN, Told, Workshop
from tests.support.onebot_end import BOT, GROUP, OneBotEnd

NUMBERS = {"何静": 20001, "罗程": 20002, "李强": 20003, "王芳": 20004, "路人": 20009}
NAMES = {number: name for name, number in NUMBERS.items()}
PLACE = {
    "app": "com.tencent.map",
    "meta": {"Location.Search": {"lat": "31.2304", "lng": "121.4737", "name": "人民广场", "address": "上海"}},
}


class EndElsewhen(OneBotEnd):
    """The end, with a clock that shows what the bot's does, and a memory of what it sent."""

    off = 0.0
    slow = 0.0
    """Seconds an answer takes."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Mapping[str, Any]] = []

    async def emit(self, event: Mapping[str, Any]) -> None:
        told = {**event, "time": int(time.time() + self.off)}
        if told["post_type"] != "meta_event":
            self.sent.append(told)
        await super().emit(told)

    async def _take(self, call: dict[str, Any]) -> None:
        await asyncio.sleep(self.slow)
        await super()._take(call)


class OneBotWorkshop(Workshop):
    """See `Workshop`."""

    stewards = ("qq:20001", "qq:20002")

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.end = EndElsewhen()
        self._asked = 0
        self.end.hall()
        for name, card in CARDS.items():
            self.end.seat(NUMBERS[name], nickname=name, card=card)

    @classmethod
    def env(cls) -> dict[str, str]:
        return {
            "GROUPOPS_ADAPTERS": '["onebot"]',
            "ONEBOT_ACCESS_TOKEN": TOKEN,
            "ONEBOT_SELF_IDS": json.dumps([str(BOT)]),
        }

    async def connect(self) -> None:
        assert self.bot is not None
        self.end.off = self.bot.off
        self._asked = len(self.end.asked("get_group_member_list"))
        await self.end.connect(self.bot.url("/onebot/v11/ws", "ws"), token=TOKEN)

    async def known(self) -> None:
        await self.happens(lambda: len(self.end.asked("get_group_member_list")) > self._asked)

    async def ask_to_join(self, name: str, words: str) -> str:
        event = self.end.request(NUMBERS[name], comment=f"问题：您是哪位\n答案：{words}")
        await self.end.emit(event)
        return str(event["flag"])

    async def join(self, name: str) -> None:
        await self.end.emit(self.end.joined(NUMBERS[name], "approve", BOT))
        self.end.halls[GROUP].seats[NUMBERS[name]].nickname = f"{name}的昵称"

    async def say(self, name: str, text: str) -> str:
        event = self.end.message(NUMBERS[name], text)
        await self.end.emit(event)
        return str(event["message_id"])

    async def whisper(self, name: str, text: str) -> None:
        await self.end.emit(self.end.whisper(NUMBERS[name], text, group_id=GROUP))

    async def put_card(self, name: str, card: str) -> None:
        """Have somebody change the own card, and the end tell of it."""
        seat = self.end.halls[GROUP].seats[NUMBERS[name]]
        old, seat.card = seat.card, card
        await self.end.emit(self.end.notice("group_card", user_id=NUMBERS[name], card_new=card, card_old=old))

    async def send_packet(self, name: str) -> None:
        """Have somebody send a red packet."""
        await self.end.emit(self.end.packet(NUMBERS[name]))

    async def show_place(self, name: str) -> None:
        """Have somebody share a place with the bot alone."""
        card = [{"type": "json", "data": {"data": json.dumps(PLACE)}}]
        await self.end.emit(self.end.whisper(NUMBERS[name], card, group_id=GROUP))

    async def repeat(self) -> None:
        for event in list(self.end.sent):
            await OneBotEnd.emit(self.end, event)

    @property
    def told(self) -> list[Told]:
        return [told for action, params in self.end.calls if (told := _told(action, params)) is not None]

    @property
    def decided(self) -> list[tuple[str, bool]]:
        return [(asked["flag"], asked["approve"]) for asked in self.end.asked("set_group_add_request")]

    @property
    def recalled(self) -> list[str]:
        return [str(asked["message_id"]) for asked in self.end.asked("delete_msg")]

    @property
    def mutes(self) -> list[tuple[str, int]]:
        return [(NAMES[asked["user_id"]], asked["duration"]) for asked in self.end.asked("set_group_ban")]

    async def close(self) -> None:
        await self.end.close()


def _told(action: str, params: Mapping[str, Any]) -> Told | None:
    if action not in {"send_group_msg", "send_private_msg"}:
        return None
    text = "".join(part["data"]["text"] for part in params["message"] if part["type"] == "text")
    return Told(to=NAMES[params["user_id"]] if action == "send_private_msg" else "", text=text)
