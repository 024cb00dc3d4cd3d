"""A bot that runs takes a push at its own door, and the operator's command reads what was laid down."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.started import COMMAND, Place, Started

TOKEN = "0123456789abcdef"
GROUP = "wechat:20000000001@chatroom"
PUSH = {
    "keyword": "",
    "lastTime": "2025-03-12 23:50:04",
    "length": 1,
    "messages": [
        {
            "seq": 1741794603000,
            "time": "2025-03-12T23:50:03+08:00",
            "talker": "20000000001@chatroom",
            "talkerName": "一号群",
            "isChatRoom": True,
            "sender": "wxid_a",
            "senderName": "王芳",
            "isSelf": False,
            "type": 1,
            "subType": 0,
            "content": "还有人在吗",
            "contents": {},
        }
    ],
    "sender": "",
    "talker": "20000000001@chatroom",
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "inbox" / "staff").mkdir(parents=True)
    return Place(
        tmp_path,
        {
            "GROUPOPS_ADAPTERS": '["sandbox"]',
            "GROUPOPS_INBOX_DIR": "inbox",
            "GROUPOPS_INBOX_TOKEN": TOKEN,
        },
    )


@pytest.fixture
def bot(place: Place) -> Iterator[Started]:
    place.groupops("group", "bind", GROUP, "--pack", "s10", "--stage", "enforced")
    started = place.start()
    yield started
    started.stop()


async def test_a_push_to_a_bot_that_runs_becomes_advice(bot: Started, place: Place) -> None:
    await bot.ready()
    async with httpx.AsyncClient(trust_env=False) as client:
        door = bot.url("/groupops/inbox/staff")
        strange = await client.post(door, json=PUSH)
        taken = await client.post(door, json=PUSH, auth=("push", TOKEN))

    (file,) = (place.folder / "inbox" / "staff").iterdir()
    told = json.loads(place.groupops("advise", str(file), "--group", GROUP, "--json"))

    assert (strange.status_code, taken.status_code) == (401, 202)
    assert [(one["text"], one["clause"]) for one in told["findings"]] == [("还有人在吗", "篇十 二.9")]


def test_a_folder_that_is_watched_is_worked_off_by_the_command(place: Place) -> None:
    place.groupops("group", "bind", GROUP, "--pack", "s10", "--stage", "enforced")
    folder = place.folder / "inbox" / "staff"
    command = [str(COMMAND), "advise", "--watch", str(folder), "--group", GROUP]
    with subprocess.Popen(
        command, cwd=place.folder, env=place.environ, stdout=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout is not None
        begun = watching.stdout.readline()
        (folder / "push.json").write_text(json.dumps(PUSH), "utf-8")
        (folder / "note.txt").write_text("no transcript at all", "utf-8")
        told = sorted(watching.stdout.readline() for _ in range(2))
        watching.terminate()

    assert str(folder) in begun
    assert told[0].startswith("note.txt:没有读成")
    assert told[1].startswith("push.json:已读,1 处发现")
    assert (folder / "failed" / "note.txt.txt").read_text("utf-8").strip()
    assert (folder / "done" / "push.json").is_file()
    assert len(list((folder / "advice").glob("*.html"))) == 1
