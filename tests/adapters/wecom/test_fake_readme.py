"""What the make-believe WeCom says of itself holds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from groupops_wecom import testing
from groupops_wecom.testing import FakeWeCom

FOLDER = Path(testing.__file__).parent
PAGE = (FOLDER / "README.md").read_text("utf-8")


def test_the_example_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "example.py").write_text(code, "utf-8")

    done = subprocess.run(
        [sys.executable, tmp_path / "example.py"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ws://127.0.0.1:")


def test_every_action_it_names_is_there() -> None:
    (line,) = [one for one in PAGE.splitlines() if one.startswith("人的动作")]
    named = re.findall(r"`([a-z_]+)`", line.partition("。")[0])

    assert len(named) == 18
    assert [name for name in named if not hasattr(FakeWeCom, name)] == []


def test_it_knows_nothing_of_groupops() -> None:
    known = [path.name for path in FOLDER.glob("*.py") if re.search(r"\bgroupops\b(?!_)", _imports(path))]
    assert known == []


def _imports(path: Path) -> str:
    lines = path.read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if re.match(r"\s*(from|import) ", line))
