"""AI bots that nobody here wrote, one of them the vendor's own, take the make-believe WeCom for the real one."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from groupops_wecom.testing import AiBot, FakeWeCom, Group, running, until
from tests.support.peers import ROOT, home_of
from tests.support.wecom_script import PICTURE, company, play, recorded, shapes

PEERS = ("aibot-node-sdk", "wecom-aibot-sdk")


@pytest.fixture(scope="module", params=PEERS)
def command(request: pytest.FixtureRequest) -> tuple[str, list[Any]]:
    """A peer's name, and how it is started."""
    if request.param == "aibot-node-sdk":
        script = ROOT / "tests" / "peers" / "wecom-node" / "aibot.mjs"
        return request.param, ["node", script, home_of("wecom-node")]
    return request.param, [home_of("wecom-python"), ROOT / "tests" / "peers" / "wecom_aibot.py"]


class Peer:
    """The peer in a process of its own.

    Args:
        name: the peer's.
        process: it prints a line of JSON for what it hears.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.process = process
        self.said: list[dict[str, Any]] = []
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.said.append(json.loads(line))

    async def says(self, key: str) -> Any:
        """Wait until it said something under that key; gives it."""
        await until(lambda: any(key in one for one in self.said))
        return next(one[key] for one in self.said if key in one)

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._listening


async def started(name: str, command: Sequence[Any], wecom: FakeWeCom, secret: str) -> Peer:
    process = await asyncio.create_subprocess_exec(
        *(str(one) for one in (*command, wecom.link.url, "aib0001", secret)), stdout=subprocess.PIPE
    )
    return Peer(name, process)


@pytest.fixture
async def both(command: tuple[str, list[Any]]) -> AsyncIterator[tuple[FakeWeCom, AiBot, Group, Peer]]:
    """WeCom with a bot in a group, and the peer subscribed as that bot."""
    async with running() as wecom:
        bot, group = company(wecom)
        peer = await started(command[0], command[1], wecom, bot.secret)
        await peer.says("subscribed")
        yield wecom, bot, group, peer
        await peer.end()


async def test_a_bot_of_others_answers_pushes_uploads_and_welcomes_and_its_frames_are_those_recorded(
    both: tuple[FakeWeCom, AiBot, Group, Peer],
) -> None:
    wecom, bot, group, peer = both

    await play(wecom, bot, group)

    assert await peer.says("worked") == ["created_at", "media_id", "type"]
    assert [one.frame for one in wecom.link.frames if one.errcode] == []
    assert shapes(wecom) == recorded(peer.name)
    stream, card, *_ = group.said[1:]
    assert (stream.text, stream.finished) == ("好了", True)
    assert card.card is not None
    assert {one: card.card.seen_by(one)["card_type"] for one in ("zhangsan", "lisi")} == {
        "zhangsan": "text_notice",
        "lisi": "button_interaction",
    }
    kept = next(iter(wecom.world.media.values()))
    assert (kept.name, kept.data) == ("名单.bin", b"x" * 614_400)
    assert [one.text for one in wecom.world.people["lisi"].inbox] == ["您好"]


async def test_a_bot_of_others_hears_everything_that_is_told_and_takes_a_refusal_as_one(
    both: tuple[FakeWeCom, AiBot, Group, Peer],
) -> None:
    wecom, bot, _, peer = both

    await wecom.send("lisi", bot, "image", wecom.file("现场 1.png", PICTURE, bot))
    fetched = await peer.says("fetched")
    await wecom.send("lisi", bot, "voice", {"content": "转成文字"})
    voice = await peer.says("heard")
    peer.said.clear()
    mixed = [{"msgtype": "text", "text": {"content": "看"}}, {"msgtype": "image", "image": {"url": "u"}}]
    await wecom.send("lisi", bot, "mixed", {"msg_item": mixed})
    heard = await peer.says("heard")
    await wecom.rate("lisi", bot, wecom.world.people["lisi"], "fb-1", 2)
    await wecom.say("lisi", bot, "late")

    assert fetched == {"filename": "现场 1.png", "sha256": hashlib.sha256(PICTURE).hexdigest()}
    assert voice == {"voice": "转成文字"}
    assert heard == {"mixed": ["text", "image"]}
    assert await peer.says("rated") == 2
    assert "846605" in str(await peer.says("refused"))


async def test_a_bot_of_others_stops_when_another_connection_takes_over(
    both: tuple[FakeWeCom, AiBot, Group, Peer], command: tuple[str, list[Any]]
) -> None:
    wecom, bot, _, peer = both

    second = await started(*command, wecom, bot.secret)
    await second.says("subscribed")

    assert await peer.says("replaced")
    await second.end()
    assert wecom.link.connections == 2


async def test_a_bot_of_others_with_a_wrong_secret_is_told_so(command: tuple[str, list[Any]]) -> None:
    async with running() as wecom:
        company(wecom)

        peer = await started(*command, wecom, "wrong")
        error = await peer.says("error")
        await peer.end()

        assert "853000" in error
        assert not wecom.link.connected("aib0001")
