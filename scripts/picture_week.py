"""Draws the pictures of docs/advisor.md from a week of two hundred made-up people: the report page, and what to paste.

Needs Debian's `chromium` (`apt-get install chromium fonts-noto-cjk`); the week is the same at every run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from PIL import Image, ImageChops

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from picture import PICTURES, terminal
from picture_advisor import typed

from tests.advise.week import AT_NIGHT, INSULT, MONDAY, Line, mail, people, week

GROUP = "wechat:全员群"
WIDTH, TALLEST, COLOURS = 1200, 12_000, 64
STRANGER = "路过的人"


def week_of_two_hundred() -> tuple[str, str, str]:
    """Give what is handed in: the export, the member list, and the roster."""
    names = people(199)
    lines = week(names)
    for day, hour, minute, who, text in (
        (1, 14, 5, 3, INSULT),
        (2, 23, 40, 9, AT_NIGHT),
        (2, 23, 52, 30, "在,还没睡"),
        (4, 16, 20, 77, "你脑子进水了吧,废物"),
        (5, 23, 31, 9, AT_NIGHT),
    ):
        lines.append(Line(MONDAY + timedelta(days=day, hours=hour, minutes=minute), names[who], text))
    rows = [f"{name},咨询部,{'否' if name == names[50] else '是'}" for name in names]
    roster = "\n".join(["姓名,部门,在职", *rows, "周平安,财务部,是"])
    return mail(lines), "\n".join([*names, STRANGER]), roster


def shot(page: Path, picture: Path) -> Path:
    """Have a browser draw a page, cut off what is empty, and write it with few colours."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        sys.exit("no chromium: apt-get install chromium fonts-noto-cjk")
    size = f"--window-size={WIDTH},{TALLEST}"
    raw = page.with_suffix(".png")
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size, f"--screenshot={raw}", page.as_uri()],
        check=True,
        capture_output=True,
    )  # fmt: skip
    drawn = Image.open(raw).convert("RGB")
    empty = Image.new("RGB", drawn.size, drawn.getpixel((0, 0)))
    filled = ImageChops.difference(drawn, empty).getbbox()
    bottom = min(drawn.height, (filled[3] if filled else 0) + 24)
    drawn.crop((0, 0, WIDTH, bottom)).quantize(COLOURS).save(picture, optimize=True)
    return picture


def draw(folder: Path) -> list[Path]:
    """Hand the week in and draw what is advised; gives the pictures."""
    from groupops.advise.command import run_advise
    from groupops.advise.page import document, tag
    from groupops.people import GroupId

    os.environ |= {"GROUPOPS_DATA_DIR": str(folder / "data"), "GROUPOPS_ADAPTERS": "[]"}
    for name, text in zip(("一周.txt", "成员.txt", "名册.csv"), week_of_two_hundred(), strict=True):
        (folder / name).write_text(text, "utf-8")
    os.chdir(folder)
    typed("group", "bind", GROUP, "--pack", "s10", "--stage", "enforced", "--name", "青竹咨询全员群")
    typed("roster", "import", "名册.csv", "--apply")
    run_advise([Path("一周.txt")], GroupId(GROUP), members="成员.txt", out=Path("建议"), console=terminal())
    notices = Path("建议/advice-notices.txt")
    paper = folder / "notices.html"
    paper.write_text(document(notices.name, [tag("pre", notices.read_text("utf-8"))]), "utf-8")
    return [
        shot(folder / "建议/advice.html", PICTURES / "advice.png"),
        shot(paper, PICTURES / "advice_notices.png"),
    ]


def main() -> None:
    """Draw from a folder of its own."""
    from groupops.cli import app
    from groupops.desk import mount

    mount(app)
    with tempfile.TemporaryDirectory() as made:
        for picture in draw(Path(made)):
            sys.stdout.write(f"{picture.name}: {picture.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
