"""What we read in the message archive, and what the make-believe one writes, as models of somebody else's have it."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groupops_wecom.archive import OfNoInterest, read_message
from groupops_wecom.testing import FakeWeCom
from tests.support.peers import ROOT, Servant, home_of
from tests.support.wecom_script import company

SAMPLES = "transcripts/samples/wecom_archive_apache2/wxjava_msgaudit_pseudonymised.jsonl"
ELSEWHERE = {"docmsg": "doc", "external_redpacket": "redpacket"}
"""Kinds whose body stands under another key; that of many others is `info`."""


@pytest.fixture(scope="module")
def peer() -> Iterator[Servant]:
    home = home_of("wecom-python")
    if sys.platform != "linux":
        pytest.skip("NO WHEEL: pywecomarchive comes for Linux only")
    servant = Servant(home, ROOT / "tests/peers/wecom_archive.py")
    yield servant
    servant.end()


def body_of(message: dict[str, Any]) -> dict[str, Any]:
    kind = str(message["msgtype"])
    body = message.get(ELSEWHERE.get(kind, kind), message.get("info"))
    assert isinstance(body, dict)
    return body


def plain(content: Any) -> dict[str, Any]:
    """The fields of what we read that are words or numbers."""
    fields = {one.name: getattr(content, one.name) for one in dataclasses.fields(content)}
    return {key: value for key, value in fields.items() if type(value) in {str, int, float}}


@pytest.mark.needs_data
async def test_the_shared_messages_say_to_us_what_they_say_to_the_peer(
    peer: Servant, shared_data: Path
) -> None:
    lines = (shared_data / SAMPLES).read_text("utf-8").splitlines()
    compared = 0
    for seq, line in enumerate(lines, start=1):
        theirs = (await peer.does("read", json.loads(line)))["message"]
        ours = read_message(json.loads(line), seq)

        assert not isinstance(ours.content, OfNoInterest), line
        assert (ours.msgid, ours.action.value) == (theirs["msgid"], theirs["action"])
        if ours.action.value == "switch":
            assert (ours.sender, ours.at) == (theirs["user"], theirs["time"])
            continue
        assert (ours.sender, list(ours.to), ours.at) == (theirs["from"], theirs["tolist"], theirs["msgtime"])
        body = body_of(theirs)
        shared = {key: value for key, value in plain(ours.content).items() if key in body}
        assert shared == {key: body[key] for key in shared}, line
        compared += len(shared)
    assert len(lines) == 30
    assert compared > 60


async def test_what_the_make_believe_archive_writes_the_peer_takes(peer: Servant, tmp_path: Path) -> None:
    wecom = FakeWeCom(archive=tmp_path)
    bot, _ = company(wecom)
    wecom.world.archived.add("lisi")
    room = wecom.world.group("车间群", "lisi", ["zhangsan"], room_id="wrRoom01", bots={bot.bot_id})
    place = {"longitude": 113.358, "latitude": 23.134, "address": "广州塔", "title": "广州塔", "zoom": 15}
    picture = {"md5sum": "0" * 32, "filesize": 70961, "sdkfileid": "none"}

    said = await wecom.say("zhangsan", room, "来赌一把")
    await wecom.red_packet("lisi", room, 3000, 10)
    await wecom.send("lisi", room, "location", place)
    await wecom.send("lisi", room, "image", picture)
    await wecom.take_back("zhangsan", room, said)
    wecom.world.post(room, bot.bot_id, "markdown", {"content": "**警告**"})

    assert wecom.archive is not None
    models = [(await peer.does("read", line))["model"] for line in wecom.archive.lines]
    kinds = ["Text", "Redpacket", "Location", "Image", "Revoke", "Markdown"]
    assert models == [f"{kind}Message" for kind in kinds]
