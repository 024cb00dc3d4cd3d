"""What a figure is: a row with its goal; and how one is taken: by CPU time, and in a process of its own."""

import gc
import math
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]

ROOT = Path(__file__).parents[1]

KEYS = {"id": str, "value": float, "goal": str, "unit": str, "against": str, "rounds": int}
"""What a row has, in the order in which it is shown."""

QUIET = 0.002
"""Share of a core that others on the host may take while waiting is measured: a core that is taken away for 10 ms is
a message that waits for 10 ms, whatever the program."""

TRIES = 8
"""Times waiting is measured at most until a time fits; the fittest counts, whatever came of it."""

CALM_S, STALL_S = 0.5, 0.001
"""Seconds for which nothing may hold up a process that does nothing but look at the clock, and what holding up is."""

PATIENT_S = 20.0
"""Seconds each measuring of waiting waits for such calm at most; then it is taken as it comes, and told as it was."""

SHARE, NEAR = 0.6, 0.03
"""Share of the time a bot is busy while waiting is measured, and how near to it it has to be: costs sway with the machine."""

_GOAL = re.compile(r"(>=|<=) (-?\d+(?:\.\d+)?)")


def stolen_s() -> float:
    """Give the seconds of core time that the host gave to others since the start; 0 where that is not told.

    proc(5), `/proc/stat`: the eighth number of the line `cpu`.
    """
    try:
        told = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()
    except OSError:
        return 0.0
    return int(told[8]) / os.sysconf("SC_CLK_TCK") if len(told) > 8 else 0.0


def calm(within: float = PATIENT_S) -> bool:
    """Wait until this machine leaves a process alone for a moment, but no longer than so many seconds.

    Returns:
        Whether it did.
    """
    begun = last = held = now = time.perf_counter()
    while now - held < CALM_S and now - begun < within:
        now = time.perf_counter()
        if now - last > STALL_S:
            held = now
        last = now
    return now - held >= CALM_S


def fits(told: Mapping[str, Any]) -> bool:
    """Say whether waiting was measured at the load it should be, and the host left the cores alone.

    Args:
        told: `busy`, the share of the time; `stolen`, the share of a core; and, where whoever sends looks at the clock
            all the time, `held`, the share of the time for which it was kept from that.
    """
    return _disturbed(told) <= QUIET and abs(told["busy"] - SHARE) <= NEAR


def fittest(tried: Sequence[Row]) -> Row:
    """Give the time that fits best; how long messages waited is not looked at."""
    return min(tried, key=lambda one: (not fits(one), max(_disturbed(one), QUIET), abs(one["busy"] - SHARE)))


def _disturbed(told: Mapping[str, Any]) -> float:
    return float(max(told["stolen"], told.get("held", 0.0)))


class BadRow(ValueError):
    """A bench gave something that is no row; the text says which, what is wrong, and what was expected."""


def row(name: str, values: Sequence[float], goal: str, unit: str, against: str) -> Row:
    """Make a row of the median over rounds; raises BadRow if it is none.

    Args:
        name: its id, e.g. `P9` or `P9.batch`.
        values: one for each round.
        goal: `>= x` or `<= x`.
        unit: of the value; `x` for a ratio.
        against: what it is compared with, or what exactly was measured.
    """
    made = {
        "id": name,
        "value": round(statistics.median(values), 4),
        "goal": goal,
        "unit": unit,
        "against": against,
        "rounds": len(values),
    }
    return checked(made)


def checked(candidate: Any) -> Row:
    """Give a row as it is to be kept; raises BadRow if it is none."""
    if not isinstance(candidate, Mapping) or set(candidate) != set(KEYS):
        raise BadRow(f"{candidate!r} is no row; a row is a mapping with exactly {', '.join(KEYS)}")
    for key, kind in KEYS.items():
        if not _is_a(candidate[key], kind):
            raise BadRow(f"row {candidate['id']!r}: {key} = {candidate[key]!r}; expected {_wanted(key)}")
    kept = {key: candidate[key] for key in KEYS}
    limit(kept)
    return kept


def _is_a(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return False
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    if kind is int:
        return isinstance(value, int) and value >= 1
    return isinstance(value, str) and bool(value)


def _wanted(key: str) -> str:
    kinds = {str: "a text that is not empty", float: "a finite number", int: "a whole number from 1"}
    return kinds[KEYS[key]]


def limit(one: Row) -> tuple[str, float]:
    """Give the sign and the number of a row's goal; raises BadRow if it is no goal."""
    found = _GOAL.fullmatch(one["goal"])
    if found is None:
        raise BadRow(f"row {one['id']!r}: goal = {one['goal']!r}; expected '>= number' or '<= number'")
    return found[1], float(found[2])


def met(one: Row) -> bool:
    """Say whether a row reaches its goal."""
    sign, number = limit(one)
    return bool(one["value"] >= number if sign == ">=" else one["value"] <= number)


def cpu_us(times: int, work: Callable[[], object]) -> float:
    """Give the CPU time of one of so many pieces of work, in µs, all threads of this process together."""
    gc.collect()
    begun = time.process_time()
    work()
    return (time.process_time() - begun) / times * 1e6


def of_its_own(module: str, *words: str, env: Mapping[str, str] | None = None) -> str:
    """Run a bench's module in a process of its own and give what it printed.

    Raises:
        RuntimeError: it failed; the text ends with what it said.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
    )
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(words)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
