"""An end that nobody here wrote, and a started bot, exchange messages, mutes and requests to join over a socket."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.onebot_workshop import NUMBERS, OneBotWorkshop
from tests.e2e.started import Started, free_port, nobodys_environment, until
from tests.e2e.workshop import BETTING, CARDS, made_home, moved_in, on
from tests.support.onebot_end import BOT, GROUP

ROOT = Path(__file__).parents[2]


class Euler:
    """The peer in a process of its own.

    Args:
        process: its process; see `euler_onebot.py` for what is said.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refused: list[dict[str, Any]] = []
        self._listening = asyncio.create_task(self._listen())
        self._ids = count(100)

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            said = json.loads(line)
            if "refused" in said:
                self.refused.append(said["refused"])
            else:
                self.calls.append((said["call"], said["params"]))

    async def tells(self, event: str, **fields: Any) -> None:
        """Have it send one of its own events."""
        assert self.process.stdin is not None
        line = {"event": event, "time": int(on(5, "10:00").timestamp()) + next(self._ids), **fields}
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        await self.process.stdin.drain()

    async def says(self, name: str, text: str) -> int:
        """Have somebody say something in the group; gives the message's number."""
        number, user = next(self._ids), NUMBERS[name]
        sender = {"user_id": user, "nickname": name, "sex": "unknown", "age": 0}
        sender |= {"card": CARDS[name], "area": "", "level": "1", "role": "member", "title": ""}
        said = {"message": _text(text), "raw_message": text, "message_id": number, "user_id": user}
        await self.tells("GroupMessageEvent", group_id=GROUP, sender=sender, **said)
        return number

    async def whispers(self, name: str, text: str) -> None:
        """Have somebody write to the bot alone."""
        number, user = next(self._ids), NUMBERS[name]
        sender = {"user_id": user, "nickname": name, "sex": "unknown", "age": 0}
        said = {"message": _text(text), "raw_message": text, "message_id": number, "user_id": user}
        await self.tells("PrivateMessageEvent", sender=sender, **said)

    async def is_asked(self, action: str, *words: str) -> dict[str, Any]:
        """Wait until the bot called it so, with all the words in what it gave; gives the last such call."""

        def found() -> list[dict[str, Any]]:
            return [
                params
                for name, params in self.calls
                if name == action and all(word in json.dumps(params, ensure_ascii=False) for word in words)
            ]

        await until(found, lambda: f"never {action} {words}; {self.calls}; refused {self.refused}")
        return found()[-1]

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._listening


def _text(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "data": {"text": text}}]


@pytest.fixture(scope="module")
def interpreter() -> Path:
    """The interpreter of the environment the peer lives in; made if it is not there."""
    made = subprocess.run(
        ["scripts/peer", "euler-onebot"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return ROOT / made.stdout.splitlines()[-1]


@pytest.fixture
async def euler(interpreter: Path, tmp_path: Path) -> AsyncIterator[tuple[Euler, Started]]:
    """The peer, and a bot that was started from `.env` and has connected to it."""
    port = free_port()
    given = {"group": GROUP, "people": {NUMBERS[name]: card for name, card in CARDS.items()}}
    process = await asyncio.create_subprocess_exec(
        interpreter,
        ROOT / "tests" / "peers" / "euler_onebot.py",
        str(port),
        json.dumps(given),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=nobodys_environment(),
    )
    end = Euler(process)
    folder = tmp_path / "home"
    folder.mkdir()
    made_home(folder, OneBotWorkshop)
    place = moved_in(folder, tmp_path / "moved", OneBotWorkshop, ONEBOT_WS_URLS=f'["ws://127.0.0.1:{port}/"]')
    bot = place.start(on(5, "10:00"))
    await bot.ready()
    await end.is_asked("get_group_member_list")
    yield end, bot
    bot.stop()
    await end.end()


async def test_a_message_is_recalled_a_member_muted_and_a_stranger_let_in_behind_an_end_nobody_here_wrote(
    euler: tuple[Euler, Started],
) -> None:
    end, _ = euler

    first = await end.says("王芳", f"来玩 {BETTING}a")
    recalled = await end.is_asked("delete_msg")
    await end.is_asked("send_private_msg", "待核准 1", "警告")
    await end.whispers("何静", "批准 1 属实")
    warned = await end.is_asked("send_private_msg", "已核定警告")
    await end.says("王芳", f"再来 {BETTING}b")
    await end.is_asked("send_private_msg", "待核准 2", "禁言")
    await end.whispers("何静", "批准 2 再犯")
    muted = await end.is_asked("set_group_ban")
    request = {"group_id": GROUP, "user_id": NUMBERS["李强"], "comment": "李强 0103", "flag": "flag-7"}
    await end.tells("GroupRequestEvent", sub_type="add", **request)
    let_in = await end.is_asked("set_group_add_request")
    joined = {"group_id": GROUP, "user_id": NUMBERS["李强"], "operator_id": BOT}
    await end.tells("GroupIncreaseEvent", sub_type="approve", **joined)
    await end.is_asked("send_private_msg", "新成员不在名册", "李强(业务部)")
    await end.says("罗程", "/群规 四")
    answered = await end.is_asked("send_group_msg", "第四条")

    assert recalled == {"message_id": first}
    assert warned["user_id"] == NUMBERS["王芳"]
    assert muted == {"group_id": GROUP, "user_id": NUMBERS["王芳"], "duration": 600}
    assert let_in == {"flag": "flag-7", "sub_type": "add", "approve": True, "reason": ""}
    assert answered["group_id"] == GROUP
    assert end.refused == []
