"""How fast history is rehearsed: a month of talk by the rules of a company, from the file to the report."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from groupops.rehearsal import rehearse

Row = dict[str, Any]
ROOT = Path(__file__).parents[1]
ROUNDS = 5
PACK = "s18"


def rows() -> list[Row]:
    """The one figure of this file; without the shared data it is left out, and that is said on stderr."""
    folder = data()
    if folder is None:
        print("NO SHARED DATA: the speed of a rehearsal is left out; set GROUPOPS_DATA", file=sys.stderr)
        return []
    values = [_of_its_own() for _ in range(ROUNDS)]
    return [
        {
            "id": "rehearsal",
            "value": round(statistics.median(values)),
            "goal": ">= 30000",
            "unit": "messages/s",
            "against": f"10,140 messages by {PACK}, reading and report included, one core",
            "rounds": ROUNDS,
        }
    ]


def data() -> Path | None:
    """The folder of the transcript, if there is one."""
    shared = Path(os.environ.get("GROUPOPS_DATA") or ROOT.parent / "shared" / "data") / "transcripts"
    return shared if shared.is_dir() else None


def once() -> float:
    """Messages per second of one rehearsal in this process, by its own time on the processor.

    A first rehearsal loads what is loaded once per process: word packs, calendars, modules.
    """
    folder = data()
    assert folder is not None
    transcript, roster = folder / "month_of_real_texts.chatlab.jsonl", folder / "roster.csv"

    async def rehearsed() -> int:
        return (await rehearse(transcript, [PACK], roster=roster)).facts

    asyncio.run(rehearsed())
    begun = time.process_time()
    facts = asyncio.run(rehearsed())
    return facts / (time.process_time() - begun)


def _of_its_own() -> float:
    command = [sys.executable, "-m", "bench.rehearsal", "once"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=os.environ)
    return float(done.stdout)


if __name__ == "__main__":
    if sys.argv[1:] == ["once"]:
        print(once())
    else:
        for row in rows():
            print(json.dumps(row, ensure_ascii=False))
