"""The demo: an eventful week in a company group, told on a stopped clock, and a rehearsal of a small transcript."""

from __future__ import annotations

import asyncio
from importlib import resources
from pathlib import Path

from rich.console import Console

from groupops.demo.story import play
from groupops.plugin import texts_of
from groupops.rehearsal import Report, rehearse, show
from groupops.shelf import Pack, PackShelf, parse_pack

__all__ = ["demo_pack", "demo_report", "run_demo"]

PACE_S = 0.35
"""Seconds between two lines for somebody who reads along: the whole story stays under a minute."""

PLAIN_WIDTH = 100
"""Columns of the story when nobody watches."""

NEXT = {
    "next.pack": "groupops pack list && groupops pack show s18",
    "next.rehearse": "groupops rehearse FILE.jsonl --pack s18 --roster roster.csv",
    "next.bind": "groupops group bind qq:123456 --pack s18",
    "next.run": "groupops run",
    "next.scenario": "groupops scenario run my.feature",
    "next.doctor": "groupops doctor",
}
"""Which text says what a command is for → the command."""


def run_demo(*, headless: bool, console: Console, pace: float | None = None) -> int:
    """Play the demo: `groupops demo`.

    Args:
        headless: True plays without pauses and colours.
        console: where to print.
        pace: seconds between two lines; `PACE_S` for a terminal, none when headless.

    Returns:
        The exit code, 0.

    Raises:
        PluginError: an installed plugin breaks the contract.
    """
    if headless:
        console = Console(file=console.file, no_color=True, force_terminal=False, width=PLAIN_WIDTH)
    wait = (PACE_S if console.is_terminal and not headless else 0.0) if pace is None else pace
    asyncio.run(_demo(console, wait))
    return 0


async def _demo(console: Console, wait: float) -> None:
    texts = texts_of(__name__)
    await play(console, demo_pack(), wait)
    console.print(f"\n[bold]{texts('rehearsal')}[/]")
    console.print(show(await demo_report()))
    console.print(f"\n[bold]{texts('next')}[/]")
    for key, command in NEXT.items():
        console.print(f"  [cyan]{command}[/]  [dim]{texts(key)}[/]", highlight=False)


def demo_pack() -> Pack:
    """Give the demo's rules."""
    file = resources.files(__name__).joinpath("pack.toml")
    return parse_pack(file.read_text("utf-8"), path="groupops/demo/pack.toml", shipped=True)


async def demo_report() -> Report:
    """Rehearse the transcript that ships with the project by the demo's rules."""
    folder = resources.files(__name__)
    with (
        resources.as_file(folder.joinpath("week.chatlab.jsonl")) as transcript,
        resources.as_file(folder.joinpath("roster.csv")) as roster,
    ):
        return await rehearse(
            Path(transcript),
            ["demo"],
            roster=Path(roster),
            extra=["groupops.demo.errands"],
            shelf=PackShelf.load().plus(demo_pack()),
        )
