"""Draws the pictures of the README from the demo: its first scenes, the board of its week, the statement of its month."""

from __future__ import annotations

import asyncio
import io
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from groupops.demo import play
from groupops.demo.ending import Ending
from groupops.demo.keepsakes import Keepsakes
from groupops.plugin import texts_of

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
SCENES = 3
COLUMNS = 96


def terminal() -> Console:
    """Give a terminal that remembers what it showed."""
    return Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )


def written(console: Console, name: str, title: str) -> Path:
    """Write what a terminal showed as SVG; with a fixed id, so that the same story is the same file."""
    path = PICTURES / f"{name}.svg"
    path.write_text(console.export_svg(title=title, theme=MONOKAI, unique_id=name), encoding="utf-8")
    return path


def draw(folder: Path) -> list[Path]:
    """Play the story and draw all pictures; gives their files.

    Args:
        folder: where the story may leave its files.
    """
    first, last = terminal(), terminal()
    asyncio.run(play(first, Keepsakes(folder), scenes=SCENES))
    kept = Keepsakes(folder)
    asyncio.run(play(Console(file=io.StringIO()), kept))
    Ending(last, kept, texts_of("groupops.demo")).statement()
    if kept.picture is None:
        sys.exit("no board.png: install a Chinese font first, as in `apt-get install fonts-noto-cjk`")
    board = PICTURES / "board.png"
    shutil.copyfile(kept.picture, board)
    return [
        written(first, "demo", "groupops demo"),
        written(last, "statement", "groupops red-packet statement"),
        board,
    ]


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        for picture in draw(Path(made)):
            sys.stdout.write(f"{picture.name}: {picture.stat().st_size} bytes\n")
