"""`python -m bench`: runs every bench beside this file in a process of its own and shows its figures against their goals.

A bench is a module here with a function `rows()`. What it leaves out (data or a server that is not there) it says
on stderr in lines that begin with `NO `. A missed goal is shown and never fails the run; a bench that breaks does.
"""

import argparse
import ast
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.figures import ROOT, BadRow, Row, checked, met

HERE = Path(__file__).parent

PATIENCE_S = 1800
"""Seconds after which a bench is given up: on a machine that is never calm, waiting is measured 48 times (`bench.qq`)."""

_COLLECT = "--collect"
_LAST_WORDS = 12
_WIDE = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of one bench.

    Args:
        name: its module.
        rows: what it measured.
        left_out: what it said it could not measure.
        fault: why it gave nothing; empty when it did.
        seconds: how long it took.
    """

    name: str
    rows: tuple[Row, ...] = ()
    left_out: tuple[str, ...] = ()
    fault: str = ""
    seconds: float = 0.0


def main(argv: Sequence[str] = (), folder: Path = HERE) -> int:
    """Run the benches and show their figures.

    Args:
        argv: `--only NAME` (may be repeated), `--json`.
        folder: where the benches lie, and where `latest.json` is written once all of them ran.

    Returns:
        0, goals missed or not; 1 when a bench broke; 2 for a name that no bench has.
    """
    if argv[:1] == [_COLLECT]:
        return _collect(folder, *argv[1:])
    asked = _parser().parse_args(list(argv))
    aside = Console(stderr=True, highlight=False)
    there = benches(folder)
    unknown = sorted(set(asked.only) - set(there))
    if unknown:
        aside.print(f"there is no bench {unknown[0]!r}; there are: {', '.join(there)}", markup=False)
        return 2
    runs = [_announced(name, folder, aside) for name in asked.only or there]
    runs = _without_repeats(runs)
    rows = [row for run in runs for row in run.rows]
    if not asked.only:
        _keep(rows, folder / "latest.json")
    if asked.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        _out().print(table(rows))
    _say_what_is_wrong(runs, rows, aside if asked.json else _out())
    return int(any(run.fault for run in runs))


def _out() -> Console:
    """The terminal; where there is none, wide enough for a row in one line."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure, and compare with the goals."
    )
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="run this bench alone")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    return parser


def benches(folder: Path) -> list[str]:
    """Give the modules of a folder that define `rows()`, in order of their names; none is imported for that."""
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__main__" and _has_rows(path))


def _has_rows(path: Path) -> bool:
    body = ast.parse(path.read_text("utf-8"), filename=str(path)).body
    return any(isinstance(part, ast.FunctionDef) and part.name == "rows" for part in body)


def run(name: str, folder: Path = HERE, patience: float = PATIENCE_S) -> Run:
    """Run one bench in a process of its own, so that imports and memory do not mix."""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="go-") as made:
        answer = Path(made) / "rows.json"
        command = [sys.executable, "-m", "bench", _COLLECT, name, str(answer), str(folder)]
        try:
            done = subprocess.run(
                command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=patience
            )
        except subprocess.TimeoutExpired:
            return Run(name=name, fault=f"was given up after {patience:g} s", seconds=patience)
        seconds = time.perf_counter() - begun
        said = tuple(line for line in done.stderr.splitlines() if line.startswith("NO "))
        if done.returncode:
            fault = "\n".join(done.stderr.splitlines()[-_LAST_WORDS:])
            return Run(
                name=name, left_out=said, fault=fault or f"ended with {done.returncode}", seconds=seconds
            )
        return _sorted_out(name, json.loads(answer.read_text("utf-8")), said, seconds)


def _collect(folder: Path, name: str, answer: str, where: str = "") -> int:
    """The other side of `run`: give one bench's rows through a file, as it may print what it likes."""
    home = Path(where) if where else folder
    sys.path.insert(0, str(home.parent))
    module: Any = importlib.import_module(f"{home.name}.{name}")
    Path(answer).write_text(json.dumps(list(module.rows()), ensure_ascii=False, default=repr), "utf-8")
    return 0


def _sorted_out(name: str, given: Iterable[Any], said: tuple[str, ...], seconds: float) -> Run:
    """Keep the rows; one that is none spoils the bench, because nobody knows what it meant."""
    try:
        rows = tuple(checked(one) for one in given)
    except BadRow as error:
        return Run(name=name, left_out=said, fault=str(error), seconds=seconds)
    said = said if rows or said else ("NO ROWS: it measured nothing and did not say why",)
    return Run(name=name, rows=rows, left_out=said, seconds=seconds)


def _without_repeats(runs: Sequence[Run]) -> list[Run]:
    """Refuse a bench that brings an id another one has: the second figure would hide the first."""
    kept: list[Run] = []
    owner: dict[str, str] = {}
    for one in runs:
        ids = [row["id"] for row in one.rows]
        twice = next((name for name in ids if name in owner or ids.count(name) > 1), None)
        if twice is None:
            owner |= dict.fromkeys(ids, one.name)
            kept.append(one)
        else:
            fault = f"row {twice!r} is there already, from {owner.get(twice, one.name)}; ids are unique"
            kept.append(Run(name=one.name, left_out=one.left_out, fault=fault, seconds=one.seconds))
    return kept


def _announced(name: str, folder: Path, aside: Console) -> Run:
    aside.print(f"{name} … ", end="", markup=False)
    done = run(name, folder)
    outcome = "BROKE" if done.fault else f"{len(done.rows)} rows"
    aside.print(f"{outcome}, {done.seconds:.0f} s", markup=False)
    return done


def _keep(rows: Sequence[Row], path: Path) -> None:
    lines = ",\n".join(f" {json.dumps(row, ensure_ascii=False)}" for row in rows)
    path.write_text(f"[\n{lines}\n]\n" if rows else "[]\n", "utf-8")


def table(rows: Sequence[Row]) -> Table:
    """Give the figures as a table."""
    made = Table("id", "value", "goal", "unit", "against", "rounds", "")
    for number in (1, 2, 5):
        made.columns[number].justify = "right"
    for number in (0, 1, 2, 3):
        made.columns[number].no_wrap = True
    for row in rows:
        mark = Text("✓", "green") if met(row) else Text("✗", "bold red")
        shown = (
            row["id"],
            _short(row["value"]),
            row["goal"],
            row["unit"],
            row["against"],
            str(row["rounds"]),
        )
        made.add_row(*(Text(cell) for cell in shown), mark)
    return made


def _short(value: float) -> str:
    """Three digits that count, and no exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _say_what_is_wrong(runs: Sequence[Run], rows: Sequence[Row], out: Console) -> None:
    """Name what was missed, left out and broken, loudest last."""
    for row in rows:
        if not met(row):
            line = (
                f"MISSED {row['id']}: {row['value']:g} {row['unit']}, goal {row['goal']} ({row['against']})"
            )
            out.print(line, style="yellow", markup=False, soft_wrap=True)
    for one in runs:
        for line in one.left_out:
            out.print(f"LEFT OUT of {one.name}: {line}", style="bold yellow", markup=False, soft_wrap=True)
    for one in runs:
        if one.fault:
            out.print(f"BROKE {one.name}: {one.fault}", style="bold red", markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
