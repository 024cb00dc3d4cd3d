"""How fast history is rehearsed by a company's rules, from the file to the report: a month with offences, and mere talk."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import ROOT, Row, of_its_own, row
from groupops.rehearsal import Report, rehearse

ROUNDS = 5
PACK = "s18"
TALK = 20_000
MEMBERS = 100
TEN_IN_THE_MORNING = 1_767_232_800
A_DAY = 2_000
"""Messages of mere talk each day, one every ten seconds."""


def rows() -> list[Row]:
    """The figures; without the shared data that of the month is left out, and that is said on stderr."""
    measured = [json.loads(of_its_own("bench.rehearsal", "once")) for _ in range(ROUNDS)]
    talk, ratio = [one["talk"] for one in measured], [one["talk"] / one["json"] for one in measured]
    said = f"{TALK:,} messages nobody minds of people on the roster by {PACK}, reading and report included, CPU time of one process"
    made = [
        row("rehearsal_of_talk", talk, ">= 30000", "messages/s", said),
        row("rehearsal_of_talk_ratio", ratio, ">= 0.1", "×", "json.loads of each line and nothing else"),
    ]
    if data() is None:
        print("NO SHARED DATA: the rehearsal of a month is left out; set GROUPOPS_DATA", file=sys.stderr)
        return made
    month = [one["month"] for one in measured]
    against = f"10,140 messages by {PACK}, an eighth of them offences, bookings and report included, CPU time of one process"
    return [row("rehearsal", month, ">= 30000", "messages/s", against), *made]


def data() -> Path | None:
    """The folder of the transcript, if there is one."""
    shared = Path(os.environ.get("GROUPOPS_DATA") or ROOT.parent / "shared" / "data") / "transcripts"
    return shared if shared.is_dir() else None


def once() -> dict[str, float]:
    """Messages per second: of a month, of mere talk, and of loading the talk's JSON alone."""
    with tempfile.TemporaryDirectory(prefix="go-") as folder:
        path, roster = Path(folder) / "talk.jsonl", Path(folder) / "roster.csv"
        write_talk(path)
        write_roster(roster)
        begun = time.process_time()
        with path.open("rb") as file:
            count = sum(json.loads(line) is not None for line in file)
        measured = {"json": count / (time.process_time() - begun)}
        report, measured["talk"] = _second_time(path, roster)
        assert not report.findings, "mere talk is found fault with"
    if (shared := data()) is not None:
        month = shared / "month_of_real_texts.chatlab.jsonl"
        _, measured["month"] = _second_time(month, shared / "roster.csv")
    return measured


def write_talk(path: Path) -> None:
    """Write working days of talk by members of a group, with nothing in it that a rule minds."""
    head: dict[str, object] = {
        "_type": "header",
        "chatlab": {"version": "0.0.2", "exportedAt": TEN_IN_THE_MORNING},
        "meta": {"name": "群", "platform": "wechat", "groupId": "1@chatroom"},
    }
    lines = [head]
    for number in range(TALK):
        day, turn = divmod(number, A_DAY)
        member = number % MEMBERS
        lines.append(
            {
                "_type": "message",
                "platformMessageId": f"61000000000{number:08}",
                "sender": f"wxid_{member:04}",
                "accountName": _called(member),
                "groupNickname": f"财务部-{_called(member)}",
                "timestamp": TEN_IN_THE_MORNING + day * 86_400 + turn * 10,
                "type": 0,
                "content": f"第{number}份报表我下午发群里,大家看一下,谢谢",
            }
        )
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines), "utf-8")


def write_roster(path: Path) -> None:
    """Write who the members are: each is on the roster under the name the card shows."""
    lines = [f"{_called(member)},财务部,wxid_{member:04},是" for member in range(MEMBERS)]
    path.write_text("\n".join(["姓名,部门,微信号,在职", *lines]), "utf-8")


def _called(member: int) -> str:
    return f"任晓{chr(0x4E00 + member)}"


def _second_time(path: Path, roster: Path) -> tuple[Report, float]:
    """Rehearse twice and time the second; the first one loads modules and word packs."""
    asyncio.run(rehearse(path, [PACK], roster=roster))
    gc.collect()
    begun = time.process_time()
    report = asyncio.run(rehearse(path, [PACK], roster=roster))
    return report, report.facts / (time.process_time() - begun)


if __name__ == "__main__":
    if sys.argv[1:] == ["once"]:
        print(json.dumps(once()))
    else:
        for one in rows():
            print(json.dumps(one, ensure_ascii=False))
