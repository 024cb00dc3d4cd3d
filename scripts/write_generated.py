"""Writes what is derived from the code: `.env.example`, tables of keys in docs/packs.md, steps in docs/scenarios.md.

    python scripts/write_generated.py [--check]

With --check nothing is written; exit code 1 names the files that are behind.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from groupops.config import env_example
from groupops.plugin import Manifest
from groupops.policy import DEFAULT_LADDERS, Ladder
from groupops.scenario import manual
from groupops.settings import CORE_MODELS, RENAMED
from groupops.shelf import PackHeader

ROOT = Path(__file__).parents[1]
PART = re.compile(r"(<!-- generated: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Write or check the files."""
    packs, scenarios = ROOT / "docs" / "packs.md", ROOT / "docs" / "scenarios.md"
    wanted = {
        ROOT / ".env.example": env_example(installed()),
        packs: filled(packs.read_text("utf-8"), PARTS),
        scenarios: filled(scenarios.read_text("utf-8"), manual.parts()),
    }
    behind = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    for path in behind:
        if "--check" not in sys.argv:
            path.write_text(wanted[path], encoding="utf-8")
        print(path.relative_to(ROOT))
    return int(bool(behind) and "--check" in sys.argv)


def filled(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """The text with every generated part written anew."""
    return PART.sub(lambda part: f"{part[1]}{parts[part['name']]()}{part[3]}", text)


def installed() -> Mapping[str, Manifest]:
    """The manifests of what is installed, by name."""
    found: dict[str, Manifest] = {}
    for entry in sorted(entry_points(group="groupops"), key=lambda entry: entry.name):
        try:
            manifest = getattr(entry.load(), "manifest", None)
        except ModuleNotFoundError as error:
            if error.name != entry.value:
                raise
            continue  # its folder was deleted
        if isinstance(manifest, Manifest):
            found[entry.name] = manifest
    return found


def _header() -> str:
    return _table("pack", PackHeader)


def _core() -> str:
    return "\n".join(f"### `[{name}]`\n\n{_table(name, model)}" for name, model in CORE_MODELS.items())


def _ladders() -> str:
    head = "| 名称 | 各档 | 有效天数 | 从第几档起须人工 | 选档 |\n|---|---|---|---|---|\n"
    rows = (
        f"| `{name}` | {' → '.join(f'`{step}`' for step in one.steps)} | {one.ttl_days} | {one.human_from} "
        f"| `{one.pick}` |\n"
        for name, one in DEFAULT_LADDERS.items()
    )
    return _table("ladder.<名称>", Ladder) + "\n" + head + "".join(rows)


def _renamed() -> str:
    rows = (f"| `{old}` | `{new}` |\n" for old, new in sorted(RENAMED.items()))
    return "| 不写 | 要写 |\n|---|---|\n" + "".join(rows)


def _table(name: str, model: type[Any]) -> str:
    schema = model.model_json_schema()
    head = "| 键 | 含义 | 取值 | 缺省 |\n|---|---|---|---|\n"
    return head + "".join(_rows(name, schema))


def _rows(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    for key, found in schema["properties"].items():
        default = _shown(found.get("default")) if key not in schema.get("required", ()) else "必填"
        yield f"| `{name}.{key}` | {found['title']} | {_values(found)} | {default} |\n"


def _shown(value: Any) -> str:
    if value in (None, "", []):
        return "空"
    if isinstance(value, list | tuple):
        return "、".join(f"`{one}`" for one in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _values(found: Mapping[str, Any]) -> str:
    if "enum" in found:
        return "、".join(f"`{one}`" if one else "空" for one in found["enum"])
    if "anyOf" in found:
        return _values(next(one for one in found["anyOf"] if one["type"] != "null"))
    if found["type"] == "array":
        return f"列表,每项:{_values(found['items'])}"
    if found["type"] == "integer":
        return (
            f"{found['minimum']} 至 {found['maximum']}"
            if "maximum" in found
            else f"不小于 {found['minimum']}"
        )
    return {
        "boolean": "`true`、`false`",
        "string": "日期" if found.get("format") == "date" else "文字",
        "object": "表,每个值:文字",
    }[found["type"]]


PARTS = {"header": _header, "core": _core, "ladders": _ladders, "renamed": _renamed}


if __name__ == "__main__":
    sys.exit(main())
