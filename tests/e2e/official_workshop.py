"""The workshop's group on the open platform of QQ, to an official bot: by signed pushes, or over the gateway."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from tests.e2e.started import Place
from tests.e2e.workshop import CARDS, Told, Workshop
from tests.support.qq_platform import GROUP, OWNER, QQPlatform, platform_running

OPENIDS = {
    name: f"{sign}{'0' * 30}A"
    for name, sign in {"何静": "H", "罗程": "L", "李强": "Q", "王芳": "W", "路人": "P"}.items()
}
NAMES = {openid: name for name, openid in OPENIDS.items()}


class OfficialWorkshop(Workshop):
    """See `Workshop`.

    The platform has no cards, no red packets and no places, and names nobody by a number.
    """

    stewards = tuple(f"qqbot:{OPENIDS[name]}" for name in ("何静", "罗程"))
    group = GROUP
    pushes: ClassVar[bool] = True
    """Whether it pushes, rather than keeps a websocket."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.off = timedelta()
        self.far = QQPlatform(lambda: datetime.now(UTC) + self.off)
        self.sent: list[dict[str, Any]] = []
        self._running = AsyncExitStack()
        self._greeted = 0
        for name in CARDS:
            self.far.seat(OPENIDS[name], name)

    async def open(self) -> None:
        """Have the platform listen, and write down in `.env` where."""
        await self._running.enter_async_context(platform_running(self.far))
        bot = self.far.settings(use_websocket=not self.pushes)["qq_bots"]
        self.place.add(
            QQ_BOTS=json.dumps(bot),
            QQ_API_BASE=self.far.base,
            QQ_AUTH_BASE=f"{self.far.base}app/getAppAccessToken",
        )

    @classmethod
    def env(cls) -> dict[str, str]:
        return {"GROUPOPS_ADAPTERS": '["qq"]'}

    async def connect(self) -> None:
        assert self.bot is not None
        self.off = timedelta(seconds=self.bot.off)
        asked = len(self.far.called("/bot_state"))
        if not self.sent:
            await self._send(self.far.notice("GROUP_ADD_ROBOT", op_member_openid=OWNER))
        # What is whispered finds no group before the bot has asked for one: within seconds of its start.
        await self.happens(lambda: len(self.far.called("/bot_state")) > asked)
        # Whom a bot may write to is who wrote to it; without Redis that is forgotten when it stops.
        self._greeted += 1
        for name in CARDS:
            await self.whisper(name, "帮助")

    async def known(self) -> None:
        def helped() -> bool:
            return all(
                sum("可用的指令" in text for text in self.texts(name)) >= self._greeted for name in CARDS
            )

        await self.happens(helped)

    async def _send(self, payload: dict[str, Any]) -> None:
        self.sent.append(payload)
        await self._deliver(payload)

    async def _deliver(self, payload: dict[str, Any], *, again: bool = False) -> None:
        assert self.bot is not None
        if self.pushes:
            answer = await self.far.push(self.bot.url("/qq/webhook"), payload)
            # Once more within the same second it is the same push to the last sign, and refused as such.
            assert answer.status_code in ({200, 409} if again else {200}), self.story()
            return
        await self.happens(lambda: self.far.gateway.socket)
        await self.far.gateway.again(payload)

    async def ask_to_join(self, name: str, words: str) -> str:
        payload = self.far.asks(OPENIDS[name], ("您是哪位", words))
        await self._send(payload)
        return str(payload["d"]["join_request_id"])

    async def join(self, name: str) -> None:
        await self._send(self.far.joins(OPENIDS[name], f"{name}的昵称"))

    async def say(self, name: str, text: str) -> str:
        payload = self.far.message(OPENIDS[name], text)
        await self._send(payload)
        return str(payload["d"]["id"])

    async def whisper(self, name: str, text: str) -> None:
        await self._send(self.far.whisper(OPENIDS[name], text))

    async def repeat(self) -> None:
        for payload in list(self.sent):
            await self._deliver(payload, again=True)

    @property
    def told(self) -> list[Told]:
        return [
            told for call in self.far.calls if call.status == 200 and (told := _told(call.path, call.body))
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
        calls = self.far.called("restrict_chat_setting")
        return [self._mute(one) for call in calls for one in call.body["members"]]

    def _mute(self, one: dict[str, Any]) -> tuple[str, int]:
        if one["op"] == "del":
            return NAMES[one["member_openid"]], 0
        left = datetime.fromisoformat(one["mute_expire_at"]) - self.far.now()
        return NAMES[one["member_openid"]], round(left.total_seconds() / 60) * 60

    async def close(self) -> None:
        await self._running.aclose()


class OfficialWorkshopOverWebsocket(OfficialWorkshop):
    """The same over the gateway."""

    pushes = False


def _told(path: str, body: Any) -> Told | None:
    match path.strip("/").split("/"):
        case ["v2", "groups", group, "messages"] if group == GROUP:
            return Told(to="", text=body.get("content", ""))
        case ["v2", "users", openid, "messages"]:
            return Told(to=NAMES[openid], text=body.get("content", ""))
        case _:
            return None
