"""Draws the terminal picture of the README: the first scenes of the demo as docs/pictures/demo.svg."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from groupops.demo import demo_pack
from groupops.demo.story import play

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "demo.svg"
SCENES = 4
COLUMNS = 96


def draw() -> str:
    """Play the first scenes and give them as SVG."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    asyncio.run(play(console, demo_pack(), 0, scenes=SCENES))
    # A fixed id: the same story is the same file.
    return console.export_svg(title="groupops demo", theme=MONOKAI, unique_id="demo")


if __name__ == "__main__":
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(draw(), encoding="utf-8")
    sys.stdout.write(f"{PICTURE.name}: {PICTURE.stat().st_size} bytes\n")
