"""The shipped table of simplified characters is what its script builds."""

import importlib.util
import json
from importlib.resources import files
from pathlib import Path
from types import ModuleType

SCRIPT = Path(__file__).parents[4] / "scripts/build_names.py"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_names", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_shipped_table_is_what_the_script_builds_today() -> None:
    shipped = json.loads((files("groupops_roster.cards") / "simplified.json").read_text(encoding="utf-8"))

    assert script().build() == shipped


def test_simplifying_twice_is_simplifying_once() -> None:
    shipped = json.loads((files("groupops_roster.cards") / "simplified.json").read_text(encoding="utf-8"))

    assert set(shipped["from"]).isdisjoint(shipped["to"])
