"""How fast history is rehearsed: a month of talk by a company's rules, from the file to the report."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from pathlib import Path

from bench.figures import ROOT, Row, of_its_own, row
from groupops.rehearsal import rehearse

ROUNDS = 5
PACK = "s18"


def rows() -> list[Row]:
    """The one figure of this file; without the shared data it is left out, and that is said on stderr."""
    if data() is None:
        print("NO SHARED DATA: the speed of a rehearsal is left out; set GROUPOPS_DATA", file=sys.stderr)
        return []
    values = [float(of_its_own("bench.rehearsal", "once")) for _ in range(ROUNDS)]
    against = f"10,140 messages by {PACK}, reading, bookings and report included, CPU time of one process"
    return [row("rehearsal", values, ">= 30000", "messages/s", against)]


def data() -> Path | None:
    """The folder of the transcript, if there is one."""
    shared = Path(os.environ.get("GROUPOPS_DATA") or ROOT.parent / "shared" / "data") / "transcripts"
    return shared if shared.is_dir() else None


def once() -> float:
    """Messages per second of the second rehearsal in a process; the first one loads modules and word packs."""
    folder = data()
    assert folder is not None
    transcript, roster = folder / "month_of_real_texts.chatlab.jsonl", folder / "roster.csv"
    asyncio.run(rehearse(transcript, [PACK], roster=roster))
    gc.collect()
    begun = time.process_time()
    report = asyncio.run(rehearse(transcript, [PACK], roster=roster))
    return report.facts / (time.process_time() - begun)


if __name__ == "__main__":
    if sys.argv[1:] == ["once"]:
        print(once())
    else:
        for one in rows():
            print(json.dumps(one, ensure_ascii=False))
