"""Draws the picture of docs/advisor.md: a few days of a group, handed in with a member list, and the advice."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from picture import terminal, written

from groupops.cli import app

GROUP = "wechat:全员群"
MAIL = """Dear:

微信群"青竹咨询全员群"的聊天记录如下:

—————  2025-3-10  —————

王芳 09:02
早上好,周报请今天下班前发我

李军 09:05
收到

李军 14:20
你就是个傻逼,滚出去

王芳 14:22
请注意用语

—————  2025-3-11  —————

赵敏 23:41
还有人在吗,聊会儿天

李军 23:42
在
"""
MEMBERS = "王芳(群主)\n李军\n赵敏\n路过的人\n"
ROSTER = "姓名,部门,在职\n王芳,人资中心,是\n李军,咨询部,是\n赵敏,咨询部,是\n周平,财务部,是\n"


def typed(*words: str) -> None:
    """Type a command of the operator's, and go on."""
    app(list(words), standalone_mode=False)


def draw(folder: Path) -> Path:
    """Hand everything in and draw what is advised.

    Args:
        folder: an empty one, for the database and what is handed in.
    """
    from groupops.advise.command import run_advise
    from groupops.people import GroupId

    os.environ |= {"GROUPOPS_DATA_DIR": str(folder / "data"), "GROUPOPS_ADAPTERS": "[]"}
    for name, text in (("一周.txt", MAIL), ("成员.txt", MEMBERS), ("名册.csv", ROSTER)):
        (folder / name).write_text(text, "utf-8")
    os.chdir(folder)
    typed("group", "bind", GROUP, "--pack", "s10", "--stage", "enforced", "--name", "青竹咨询全员群")
    typed("roster", "import", "名册.csv", "--apply")
    shown = terminal()
    run_advise([Path("一周.txt")], GroupId(GROUP), members="成员.txt", console=shown)
    return written(shown, "advisor", "groupops advise 一周.txt --members 成员.txt")


def main() -> None:
    """Draw into a folder of its own."""
    from groupops.desk import mount

    mount(app)
    with tempfile.TemporaryDirectory() as folder:
        print(draw(Path(folder)))


if __name__ == "__main__":
    main()
