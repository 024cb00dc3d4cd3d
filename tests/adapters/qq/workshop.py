"""The workshop's group at the open platform: a bot that takes signed pushes, and people who are known by openids."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.started import Place
from tests.e2e.workshop import CARDS, Told, Workshop
from tests.support.qq_platform import OWNER, QQPlatform

OPENIDS = {
    name: f"{number:032X}" for number, name in enumerate(["何静", "罗程", "李强", "王芳", "路人"], 0xA0)
}
NAMES = {openid: name for name, openid in OPENIDS.items()}


class QQWorkshop(Workshop):
    """See `Workshop`. The platform is running already: its port has to stand in `.env`."""

    stewards = (f"qqbot:{OPENIDS['何静']}", f"qqbot:{OPENIDS['罗程']}")

    def __init__(self, place: Place, far: QQPlatform) -> None:
        super().__init__(place)
        self.far = far
        self.off = timedelta()
        far.now = lambda: datetime.now(UTC) + self.off
        self.pushed: list[dict[str, Any]] = []
        for name in CARDS:
            far.seat(OPENIDS[name], name)

    @classmethod
    def env(cls) -> dict[str, str]:
        return {"GROUPOPS_ADAPTERS": '["qq"]'}

    @staticmethod
    def lines(far: QQPlatform) -> dict[str, str]:
        """The lines of `.env` that hang on where the platform is."""
        keys = far.settings(use_websocket=False)
        return {
            key.upper(): value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()
        }

    async def push(self, payload: dict[str, Any]) -> None:
        """Push a payload, signed, and see that it is taken."""
        assert self.bot is not None
        self.pushed.append(payload)
        answer = await self.far.push(self.bot.url("/qq/webhook"), payload)
        assert answer.status_code == 200, self.story()

    async def connect(self) -> None:
        assert self.bot is not None
        self.off = timedelta(seconds=self.bot.off)
        await self.happens(lambda: self.far.called("@me"))

    async def known(self) -> None:
        """Have everybody write to the bot once: before that it may write to nobody."""
        await self.push(self.far.notice("GROUP_MSG_RECEIVE", op_member_openid=OWNER))
        for name in CARDS:
            await self.whisper(name, "帮助")
        for name in CARDS:
            await self.happens(lambda name=name: self.texts(name))

    async def ask_to_join(self, name: str, words: str) -> str:
        payload = self.far.asks(OPENIDS[name], ("您是哪位", words))
        await self.push(payload)
        return str(payload["d"]["join_request_id"])

    async def join(self, name: str) -> None:
        await self.push(self.far.joins(OPENIDS[name], f"{name}的昵称"))

    async def say(self, name: str, text: str) -> str:
        payload = self.far.message(OPENIDS[name], text)
        await self.push(payload)
        return str(payload["d"]["id"])

    async def whisper(self, name: str, text: str) -> None:
        await self.push(self.far.whisper(OPENIDS[name], text))

    async def repeat(self) -> None:
        assert self.bot is not None
        await asyncio.gather(*(self.far.push(self.bot.url("/qq/"), payload) for payload in self.pushed))

    @property
    def told(self) -> list[Told]:
        said = [Told(to="", text=text) for text in self.far.said()]
        return said + [
            Told(to=NAMES[to], text=text) for to in self.far.letters for text in self.far.written(to)
        ]

    @property
    def decided(self) -> list[tuple[str, bool]]:
        calls = [call for call in self.far.calls if "/approval_join_request/" in call.path]
        return [(call.body["join_request_id"], call.body["op"] == "approve") for call in calls]

    @property
    def recalled(self) -> list[str]:
        return [call.path.rpartition("/")[2] for call in self.far.calls if call.method == "DELETE"]

    @property
    def mutes(self) -> list[tuple[str, int]]:
        calls = self.far.called("restrict_chat_setting", "POST")
        return [_mute(one, call.at) for call in calls for one in call.body["members"]]

    async def close(self) -> None:
        """The platform is closed by whoever opened it."""


def _mute(said: dict[str, Any], at: datetime) -> tuple[str, int]:
    name = NAMES[said["member_openid"]]
    if said["op"] == "del":
        return name, 0
    return name, round((datetime.fromisoformat(said["mute_expire_at"]) - at).total_seconds() / 60) * 60
