"""Runs the peer euler-onebot as an end without QQ behind it; started with the peer's own interpreter, not ours.

`python euler_onebot.py <port>`: a line of JSON in names one of the peer's events and its fields; a line out is a
call that the peer's own models took (`call`, `params`), or a frame that they turned away (`refused`).
What is answered is made with the peer's own models too.
"""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import count
from typing import Any

from euleronebot.hyperogger import Logger  # type: ignore[import-not-found]

BOT = 10001


class Quiet:
    """In place of the peer's logger, which is made by a part of it that wants a login: says what went wrong."""

    def name_custom(self, _: str) -> Quiet:
        return self

    def error(self, text: str) -> None:
        if text.lstrip().startswith("{"):
            say(refused=json.loads(text))

    def trace(self, _: str) -> None:
        """Nothing."""

    info = debug = warning = trace


Logger.running_loggers["euler"] = Quiet()

from euleronebot.config import ForwardWebsocketConfig  # type: ignore[import-not-found]  # noqa: E402
from euleronebot.onebot import Adapter, api, api_data, events  # type: ignore[import-not-found]  # noqa: E402


def say(**what: Any) -> None:
    print(json.dumps(what, ensure_ascii=False), flush=True)  # noqa: T201 - whoever started it reads it


class End:
    """A group and the people in it, as far as the bot asks for them.

    Args:
        port: where it listens on loopback.
        people: number → card; the bot is an admin there.
        group: the group's number.
    """

    def __init__(self, port: int, people: dict[int, str], group: int) -> None:
        self.adapter = Adapter([ForwardWebsocketConfig(url=f"ws://127.0.0.1:{port}")])
        self.people = people
        self.group = group
        self._ids = count(1)

    async def run(self) -> None:
        await self.adapter.setup()
        await asyncio.gather(self.adapter.cycle(), self._answer_calls(), self._tell(), self._say_hello())

    async def _say_hello(self) -> None:
        """Say that it is connected, as the peer does, to each that connects."""
        known = None
        while True:
            there = self.adapter.connector.active_websocket_servers.get("root")
            if there is not None and there is not known:
                known = there
                await self.adapter.trigger(events.LifecycleEvent(time=1, self_id=BOT, sub_type="connect"))
            await asyncio.sleep(0.05)

    async def _tell(self) -> None:
        """Send the events that are named on the standard input."""
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            fields = json.loads(line)
            await self.adapter.trigger(getattr(events, fields.pop("event"))(self_id=BOT, **fields))
        sys.exit()

    async def _answer_calls(self) -> None:
        while True:
            call = await self.adapter.api_calls.get()
            say(call=call.action, params=call.params.model_dump())
            answer = getattr(api, f"{type(call).__name__}Response")
            data = self._data(call)
            await self.adapter.report(answer(status="ok", retcode=0, data=data, echo=call.echo))

    def _data(self, call: Any) -> Any:
        does = getattr(self, call.action, None)
        if does is not None:
            return does(call.params)
        return {"message_id": next(self._ids)} if call.action.startswith("send_") else {}

    def get_version_info(self, _: Any) -> Any:
        return api_data.GetVersionInfoRsp()

    def get_friend_list(self, _: Any) -> Any:
        return [{"user_id": one, "nickname": card, "remark": ""} for one, card in self.people.items()]

    def get_group_info(self, asked: Any) -> Any:
        return {
            "group_id": asked.group_id,
            "group_name": "车间",
            "member_count": len(self.people) + 1,
            "max_member_count": 200,
        }

    def get_group_list(self, _: Any) -> Any:
        return [self.get_group_info(api_data.GetGroupInfoData(group_id=self.group))]

    def get_group_member_info(self, asked: Any) -> Any:
        return {
            "group_id": asked.group_id,
            "user_id": asked.user_id,
            "nickname": f"n{asked.user_id}",
            "card": self.people.get(asked.user_id, ""),
            "sex": "unknown",
            "age": 0,
            "area": "",
            "join_time": 1_700_000_000,
            "last_sent_time": 1_700_000_000,
            "level": "1",
            "role": "admin" if asked.user_id == BOT else "member",
            "title": "",
        }

    def get_group_member_list(self, asked: Any) -> Any:
        ask = api_data.GetGroupMemberInfoData
        return [
            self.get_group_member_info(ask(group_id=asked.group_id, user_id=one))
            for one in (BOT, *self.people)
        ]


if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    asyncio.run(End(int(sys.argv[1]), {int(k): v for k, v in given["people"].items()}, given["group"]).run())
