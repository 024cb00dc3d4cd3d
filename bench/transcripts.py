"""How fast transcripts are read and stored, against a loop that only loads the JSON of each line."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Row, of_its_own, row
from groupops.advise.handed_in import Asking, Desk, Memory
from groupops.advise.names import NameBook
from groupops.importers.transcripts import read, stream_facts
from groupops.people import GroupId
from groupops.store.sql import open_records

ROUNDS = 5
MESSAGES = 200_000
START = 1_767_229_503
STORED = "ChatLab JSONL read, sifted for what is new, written as our own and remembered in SQLite"
GROUP = GroupId("wechat:1@chatroom")
WORDS = "今天的报表我下午发群里,大家看一下"


def rows() -> list[Row]:
    """Messages per second of processor time, and how that compares with loading the JSON alone."""
    measured = [json.loads(of_its_own("bench.transcripts", "once")) for _ in range(ROUNDS)]
    facts = [MESSAGES / one["facts"] for one in measured]
    values = [MESSAGES / one["values"] for one in measured]
    stored = [MESSAGES / one["stored"] for one in measured]
    against = [one["json"] / one["facts"] for one in measured]
    said = f"{MESSAGES:,} messages of one file, CPU time of one process"
    return [
        row("transcript_facts", facts, ">= 200000", "messages/s", f"ChatLab JSONL to facts, {said}"),
        row("transcript_facts_ratio", against, ">= 1.2", "×", "json.loads of each line and nothing else"),
        row("transcript_stored", stored, ">= 20000", "messages/s", f"{STORED}, {said}"),
        row("transcript_values", values, ">= 100000", "messages/s", f"ChatLab JSONL to values, {said}"),
    ]


def write(path: Path) -> None:
    """Write a transcript whose lines are as programs write them."""
    head = (
        {"version": "0.0.2", "exportedAt": START},
        {"name": "群", "platform": "wechat", "groupId": "1@chatroom"},
    )
    with path.open("w", encoding="utf-8") as file:
        first = {"_type": "header", "chatlab": head[0], "meta": head[1]}
        file.write(json.dumps(first, ensure_ascii=False) + "\n")
        for number in range(MESSAGES):
            line = {
                "_type": "message",
                "platformMessageId": f"61000000000{number:08}",
                "sender": f"wxid_{number % 200:04}",
                "accountName": "任晓佳",
                "groupNickname": "财务部-任晓佳",
                "timestamp": START + number,
                "type": 0,
                "content": f"{WORDS} {number}",
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def loaded(path: Path) -> int:
    """Load each line's JSON and forget it."""
    with path.open("rb") as file:
        return sum(json.loads(line) is not None for line in file)


def stored(path: Path) -> int:
    """Take a transcript in as `groupops advise` does, up to where its facts would be replayed."""
    return asyncio.run(_stored(path))


async def _stored(path: Path) -> int:
    now = datetime.fromtimestamp(START + MESSAGES, UTC)
    async with open_records(f"sqlite://{path.with_suffix('.sqlite3')}", migrate=True) as records:
        memory = await Memory.load(records, GROUP)
        desk = Desk(memory, NameBook("wechat"), Asking(), "Asia/Shanghai", now)
        try:
            taken = desk.read(path)
            await memory.keep(records, now, now)
        finally:
            desk.close()
        return taken.fresh


def once() -> dict[str, float]:
    """Seconds of processor time each way takes."""
    ways: dict[str, Callable[[Path], int]] = {
        "json": loaded,
        "facts": lambda path: sum(1 for _ in stream_facts(path)),
        "values": lambda path: sum(1 for _ in read(path)),
        "stored": stored,
    }
    with tempfile.TemporaryDirectory(prefix="go-") as folder:
        path = Path(folder) / "talk.jsonl"
        write(path)
        return {name: _seconds(way, path) for name, way in ways.items()}


def _seconds(way: Callable[[Path], int], path: Path) -> float:
    gc.collect()
    begun = time.process_time()
    count = way(path)
    seconds = time.process_time() - begun
    assert count >= MESSAGES
    return seconds


if __name__ == "__main__":
    if sys.argv[1:] == ["once"]:
        print(json.dumps(once()))
    else:
        for one in rows():
            print(json.dumps(one, ensure_ascii=False))
