"""A transcript of any size is read in little memory: what is kept of a message is a few bytes, whatever it says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.soak import Soak

pytestmark = pytest.mark.soak

ROOT = Path(__file__).parents[2]
MIB = 1 << 20

SIZE_MB = 400
"""Megabytes of the largest file of a full soak; it has four in any other run."""
MOST_MB = 300
"""Megabytes a reader may take for 2 GB."""
FIRST = 400_000
"""Messages whose ids are kept in an ordinary set, and those of which senders are remembered: bounded, and some 60 MB."""
PER_MESSAGE = 48
"""Bytes that may be kept of each further one: its id has eight, in a table half empty and made anew now and then."""

START = 1_767_229_503
WORDS = "今天的报表我下午发到群里,大家抽空看一下;数字和上周的对不上,可能是口径变了。" * 2


def jsonl(size: int) -> Iterator[str]:
    head = (
        {"version": "0.0.2", "exportedAt": START},
        {"name": "群", "platform": "wechat", "groupId": "1@chatroom"},
    )
    yield json.dumps({"_type": "header", "chatlab": head[0], "meta": head[1]}, ensure_ascii=False) + "\n"
    for number in range(size):
        row = {
            "_type": "message",
            "platformMessageId": f"m{number}",
            "sender": f"wxid_{number % 200}",
            "accountName": "任晓佳",
            "timestamp": START + number,
            "type": 0,
            "content": WORDS,
        }
        yield json.dumps(row, ensure_ascii=False) + "\n"


def qce(size: int) -> Iterator[str]:
    yield '{"metadata":{"name":"QQChatExporter"},"chatInfo":{"name":"群","type":"group","peerUid":"900001"},"messages":['
    for number in range(size):
        row = {
            "id": f"75{number}",
            "timestamp": (START + number) * 1000,
            "sender": {"uin": f"{20000 + number % 200}", "nickname": "松果", "groupCard": ""},
            "type": "text",
            "content": {"text": WORDS, "elements": [{"type": "text", "data": {"text": WORDS}}]},
        }
        yield ("," if number else "") + json.dumps(row, ensure_ascii=False)
    yield '],"avatars":{' + ",".join(f'"{one}":"{"A" * 20_000}"' for one in range(200)) + "}}"


def qq_txt(size: int) -> Iterator[str]:
    yield "消息记录（此消息记录为文本格式，不支持重新导入）\n\n"
    for number in range(size):
        day, second = divmod(number, 86_400)
        clock = f"{second // 3600}:{second // 60 % 60:02}:{second % 60:02}"
        yield f"2023-01-{1 + day:02} {clock} 松果({20000 + number % 200})\n{WORDS}\n\n"


def chatlog_csv(size: int) -> Iterator[str]:
    yield "Time,SenderName,Sender,TalkerName,Talker,Content\n"
    for number in range(size):
        day, second = divmod(number, 86_400)
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        yield f'2026-01-{1 + day:02} {clock},松果,wxid_{number % 200},群,1@chatroom,"{WORDS}"\n'


MADE: dict[str, Callable[[int], Iterator[str]]] = {
    "chatlab-jsonl": jsonl,
    "chatlog-csv": chatlog_csv,
    "qce-json": qce,
    "qq-txt": qq_txt,
}

PEAK = """
def peak():
    # VmHWM in KiB: what the kernel calls maxrss begins with what the parent had when it forked.
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
"""

READ = (
    PEAK
    + """
import sys
from pathlib import Path
from groupops.importers.transcripts import read, stream_facts
path, how = Path(sys.argv[1]), sys.argv[2]
count = sum(1 for _ in (stream_facts(path) if how == "facts" else read(path)))
print(count, peak())
"""
)


def write(path: Path, made: Callable[[int], Iterator[str]], messages: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(made(messages))


def read(path: Path, how: str) -> tuple[int, int]:
    """Read a file in a process of its own; give how many values there were and the most bytes it took."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), how], check=True, capture_output=True, text=True, cwd=ROOT
    )
    count, most = map(int, done.stdout.split())
    return count, most


@pytest.mark.parametrize(
    ("format_", "how"), sorted([(name, "values") for name in MADE] + [("chatlab-jsonl", "facts")])
)
def test_a_large_transcript_takes_no_more_memory_than_a_small_one(
    format_: str, how: str, tmp_path: Path, soak: Soak
) -> None:
    sizes = [len("".join(MADE[format_](count)).encode()) for count in (1_000, 2_000)]
    per_message = (sizes[1] - sizes[0]) // 1_000
    large = (SIZE_MB if soak.full else 4) * MIB // per_message
    small = large // 10
    path = tmp_path / "talk"

    write(path, MADE[format_], small)
    few, little = read(path, how)
    write(path, MADE[format_], large)
    many, much = read(path, how)

    assert (few, many) == (small, large)
    assert much <= MOST_MB * MIB
    assert much - little <= 64 * MIB + PER_MESSAGE * max(0, many - FIRST)
    print(f"{format_} {how}: {path.stat().st_size // MIB} MB, {many} messages, {much // MIB} MB")  # noqa: T201 - for whoever runs it


def test_the_memory_of_two_gigabytes_of_messages_is_bounded() -> None:
    """As many ids as 2 GB of short messages have, in the set that remembers them."""
    script = (
        f"{PEAK}from groupops.importers.transcripts.ids import SeenIds\nseen = SeenIds()\n"
        "assert all(seen.add(f'm{one}') for one in range(1_500_000))\n"
        "assert not any(seen.add(f'm{one}') for one in range(0, 1_500_000, 1_000))\n"
        "print(peak())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT
    )

    assert int(done.stdout) <= 150 * MIB
