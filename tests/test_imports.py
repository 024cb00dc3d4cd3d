"""Imports point one way: the checkout keeps the directions, and each of them is seen when it is broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SOUND = {
    "src/groupops/__init__.py": "from groupops.plugin import Manifest\n",
    "src/groupops/people.py": "import dataclasses\n",
    "src/groupops/plugin.py": "import pydantic\nfrom groupops import people\n",
    "src/groupops/flow.py": "from groupops.plugin import Manifest\n",
    "src/groupops/bridge.py": "import nonebot\nfrom groupops import flow\n",
    "src/groupops/store/__init__.py": "import tortoise\n",
    "src/groupops/importers/__init__.py": "from groupops.importers.sheets import read\n",
    "src/groupops/importers/sheets.py": "read = open\n",
    "src/groupops/cli.py": "from groupops import bridge, store\n",
    "plugins/groupops_shy/__init__.py": "import rapidfuzz\nfrom groupops import Manifest\nfrom groupops.importers import read\n",
    "plugins/groupops_shy/models.py": "import tortoise\n",
    "plugins/groupops_shy/migrations/__init__.py": "import tortoise\n",
    "adapters/groupops_wecom/__init__.py": "import nonebot\n",
    "adapters/groupops_wecom/offer.py": "import nonebot\nfrom groupops import Manifest\nfrom groupops_wecom import adapter\n",
    "adapters/groupops_wecom/adapter.py": "import nonebot\n",
}

BROKEN = {
    "a word that imports an engine": ("src/groupops/people.py", "import groupops.flow"),
    "an engine that imports the shore": ("src/groupops/flow.py", "from groupops import store"),
    "a word that imports pydantic": ("src/groupops/people.py", "import pydantic"),
    "NoneBot in the engine": ("src/groupops/flow.py", "import nonebot"),
    "NoneBot in the command line": ("src/groupops/cli.py", "from nonebot import get_driver"),
    "NoneBot in a plugin": ("plugins/groupops_shy/__init__.py", "import nonebot.adapters"),
    "Tortoise in the engine": ("src/groupops/flow.py", "from tortoise import fields"),
    "Tortoise in a plugin's hooks": ("plugins/groupops_shy/__init__.py", "import tortoise"),
    "Tortoise in an adapter": ("adapters/groupops_wecom/offer.py", "import tortoise"),
    "the core that knows a plugin": ("src/groupops/cli.py", "import groupops_shy"),
    "a plugin that looks into the engine": ("plugins/groupops_shy/models.py", "import groupops.flow"),
    "a plugin that looks into the store": ("plugins/groupops_shy/__init__.py", "from groupops import store"),
    "a plugin that looks behind the readers' door": (
        "plugins/groupops_shy/__init__.py",
        "from groupops.importers.sheets import read",
    ),
    "an adapter that looks into the engine": ("adapters/groupops_wecom/offer.py", "import groupops.flow"),
    "a plugin that knows an adapter": ("plugins/groupops_shy/__init__.py", "import groupops_wecom"),
    "a NoneBot adapter that knows groupops": ("adapters/groupops_wecom/adapter.py", "import groupops"),
    "a NoneBot adapter whose door knows groupops": ("adapters/groupops_wecom/__init__.py", "import groupops"),
    "a NoneBot adapter that knows what was made of it": (
        "adapters/groupops_wecom/adapter.py",
        "import groupops_wecom.offer",
    ),
}


def check(root: Path) -> subprocess.CompletedProcess[str]:
    """Run the check of `make lint` on the checkout at `root`."""
    command = [sys.executable, str(ROOT / "scripts/check_imports.py"), str(root)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small checkout that keeps every direction."""
    for name, source in SOUND.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return tmp_path


def test_this_checkout_keeps_every_direction() -> None:
    done = check(ROOT)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_sound_checkout_is_found_sound(small: Path) -> None:
    done = check(small)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(("path", "line"), BROKEN.values(), ids=BROKEN)
def test_it_is_seen(small: Path, path: str, line: str) -> None:
    with (small / path).open("a", encoding="utf-8") as file:
        file.write(line + "\n")

    done = check(small)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout


def test_a_room_without_a_layer_is_named(small: Path) -> None:
    (small / "src/groupops/attic.py").write_text("", encoding="utf-8")

    done = check(small)

    assert done.returncode == 2
    assert "groupops.attic has no layer" in done.stdout


def test_a_plugin_goes_with_its_folder(small: Path) -> None:
    for path in sorted((small / "plugins/groupops_shy").rglob("*.py")):
        path.unlink()

    assert check(small).returncode == 0
