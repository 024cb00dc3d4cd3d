"""The demo: a week in a company group and the end of its month, told on a stopped clock, and a rehearsal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from rich.console import Console

from groupops.demo.ending import Ending
from groupops.demo.keepsakes import FOLDER, Keepsakes
from groupops.demo.stage import scenery
from groupops.demo.story import Story, read_story
from groupops.demo.telling import Telling
from groupops.importers.roster import read_roster
from groupops.people import PersonLine
from groupops.plugin import texts_of
from groupops.rehearsal import Report, rehearse
from groupops.shelf import Pack, PackShelf, parse_pack

__all__ = ["demo_pack", "demo_report", "demo_story", "play", "run_demo"]

PACE_S = 0.22
"""Seconds between two lines for somebody who reads along: the whole story stays under a minute."""

PLAIN_WIDTH = 100
"""Columns of the story when nobody watches."""

NEXT = {
    "next.pack": "groupops pack list && groupops pack show s10",
    "next.rehearse": "groupops rehearse FILE.jsonl --pack s18 --roster roster.csv",
    "next.roster": "groupops roster import roster.xlsx",
    "next.bind": "groupops group bind qq:123456 --pack s18",
    "next.run": "groupops run",
    "next.scenario": "groupops scenario run my.feature",
    "next.doctor": "groupops doctor",
}
"""Which text says what a command is for → the command."""


def run_demo(*, headless: bool, console: Console, pace: float | None = None, out: Path | None = None) -> int:
    """Play the demo: `groupops demo`.

    Args:
        headless: True plays without pauses and colours.
        console: where to print.
        pace: seconds between two lines; `PACE_S` for a terminal, none when headless.
        out: where the board and the statement are written; `FOLDER` under the current directory if not given.

    Returns:
        The exit code: 0, or 1 when the statement's books do not balance.

    Raises:
        ConfigError: the folder cannot be written.
        PluginError: an installed plugin breaks the contract.
    """
    if headless:
        console = Console(file=console.file, no_color=True, force_terminal=False, width=PLAIN_WIDTH)
    wait = (PACE_S if console.is_terminal and not headless else 0.0) if pace is None else pace
    return asyncio.run(_demo(console, wait, Keepsakes(out or Path(FOLDER))))


async def _demo(console: Console, wait: float, kept: Keepsakes) -> int:
    texts = texts_of(__name__)
    await play(console, kept, wait)
    report = await demo_report()
    console.print(f"\n[bold]{texts('rehearsal')}[/]")
    console.print(
        texts(
            "rehearsed",
            facts=report.facts,
            hits=len(report.findings),
            rules=len(report.by_rule()),
            digest=report.digest[:12],
        ),
        highlight=False,
    )
    balanced = Ending(console, kept, texts).show()
    console.print(f"\n[bold]{texts('next')}[/]")
    for key, command in NEXT.items():
        console.print(f"  [cyan]{command}[/]  [dim]{texts(key)}[/]", highlight=False)
    return 0 if balanced else 1


async def play(console: Console, kept: Keepsakes, pace: float = 0.0, *, scenes: int | None = None) -> None:
    """Play the story that ships with the demo.

    Args:
        console: where to print.
        kept: where the files go that people are sent.
        pace: seconds between two lines.
        scenes: how many scenes to play; all if not given.
    """
    story = demo_story()
    async with scenery(story.room, demo_pack(), demo_roster(), story.scenes[0].day) as stage:
        await Telling(stage, console, texts_of(__name__), pace, kept).tell(story, scenes)


def demo_story() -> Story:
    """Give the demo's story."""
    return read_story(resources.files(__name__).joinpath("story.toml").read_text("utf-8"))


def demo_pack() -> Pack:
    """Give the demo's rules."""
    file = resources.files(__name__).joinpath("pack.toml")
    return parse_pack(file.read_text("utf-8"), path="groupops/demo/pack.toml", shipped=True)


def demo_roster() -> Sequence[PersonLine]:
    """Give who belongs to the demo's company."""
    with resources.as_file(resources.files(__name__).joinpath("roster.csv")) as file:
        return read_roster(Path(file))


async def demo_report() -> Report:
    """Rehearse the transcript that ships with the project by the demo's rules."""
    folder = resources.files(__name__)
    with (
        resources.as_file(folder.joinpath("week.chatlab.jsonl")) as transcript,
        resources.as_file(folder.joinpath("roster.csv")) as roster,
    ):
        return await rehearse(
            Path(transcript), ["demo"], roster=Path(roster), shelf=PackShelf.load().plus(demo_pack())
        )
