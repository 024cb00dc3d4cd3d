"""A client on Node that nobody here wrote, node-napcat-ts, uses our make-believe end as it would use NapCat."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.started import until
from tests.support.onebot_end import BOT, GROUP, OneBotEnd

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "tests" / "peers" / "node-napcat-ts" / "client.mjs"


@pytest.fixture(scope="module")
def home() -> Path:
    """The folder the peer is installed in; skips, and says so, where there is no Node."""
    made = subprocess.run(
        ["scripts/peer", "node-napcat-ts"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    if not made.stdout.strip():
        pytest.skip(f"NO NODE: {made.stderr.strip()}")
    return ROOT / made.stdout.splitlines()[-1]


class Client:
    """The peer in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.said.append(json.loads(line))

    async def says(self, key: str) -> Any:
        """Wait until it said something under that key; gives it."""
        await until(lambda: any(key in one for one in self.said), lambda: self.said)
        return next(one[key] for one in self.said if key in one)

    async def end(self) -> None:
        self.process.kill()
        await self.process.wait()
        await self._listening


@pytest.fixture
async def both(home: Path) -> AsyncIterator[tuple[OneBotEnd, Client]]:
    """Our end with a group, and the peer connected to it."""
    end = OneBotEnd()
    end.hall()
    end.seat(20001)
    port = (await end.serve()).rpartition(":")[2].strip("/")
    process = await asyncio.create_subprocess_exec(
        *("node", CLIENT, home, port, "let-me-in", str(GROUP), "20001"), stdout=subprocess.PIPE
    )
    client = Client(process)
    await until(lambda: end.headers)
    yield end, client
    await client.end()
    await end.close()


async def test_what_our_end_tells_is_heard_and_what_is_asked_of_it_is_done(
    both: tuple[OneBotEnd, Client],
) -> None:
    end, client = both

    await end.emit(end.notice("group_card", user_id=20001, card_new="b", card_old="a"))
    await end.emit(end.request(20009, comment="让我进来"))
    told = end.message(20001, "go")
    await end.emit(told)
    refused = await client.says("refused")

    heard = {one["heard"]: one for one in client.said if "heard" in one}
    seat = end.halls[GROUP].seats[20001]
    assert heard["group_card"]["card_new"] == "b"
    assert heard["request"]["flag"] in end.halls[GROUP].requests
    assert heard["message"] == {"heard": "message", "user_id": 20001, "words": "go"}
    assert {line["user_id"] for line in await client.says("members")} == {BOT, 90001, 20001}
    assert (await client.says("sent"))["message_id"] in end.halls[GROUP].messages
    assert (seat.card, seat.shut_up_timestamp > 0) == ("张三", True)
    assert told["message_id"] not in end.halls[GROUP].messages
    assert refused == "No such request"
