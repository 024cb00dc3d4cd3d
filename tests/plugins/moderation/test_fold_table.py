"""The shipped fold table is what its script builds."""

import importlib.util
import json
import unicodedata
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts/build_fold.py"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_fold", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_shipped_table_is_what_the_script_builds_today() -> None:
    shipped = json.loads((files("groupops_moderation") / "fold.json").read_text(encoding="utf-8"))
    if shipped["unicode"] != unicodedata.unidata_version:
        pytest.skip(
            f"OTHER UNICODE: the table is of version {shipped['unicode']}, this Python knows {unicodedata.unidata_version}"
        )

    assert json.loads(json.dumps(script().build())) == shipped
