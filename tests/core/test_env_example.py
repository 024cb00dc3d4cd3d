"""What is written from the code stays true: `.env.example` and the tables of docs/packs.md."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from pydantic import Field, field_serializer

from groupops import Manifest, Settings
from groupops.config import Config, env_example, env_key, load_config
from groupops.settings import PackShelf, flat, parse_pack, resolve

ROOT = Path(__file__).parents[2]


class Inner(Settings):
    deep: int = Field(default=1, title="里层")


class Shelf(Settings):
    numbers: frozenset[int] = Field(default=frozenset(), title="号码")
    rows: dict[str, tuple[frozenset[int], ...]] = Field(default_factory=dict, title="层")


class Shop(Settings):
    name: str = Field(default="铺", title="名字")
    words: frozenset[str] = Field(default=frozenset("ba"), title="词")
    numbers: frozenset[int] = Field(default=frozenset(), title="号码")
    prices: dict[str, int] = Field(default_factory=lambda: {"x": 1}, title="价目")
    inner: Inner = Field(default_factory=Inner, title="里面")
    shelves: tuple[Shelf, ...] = Field(default=(), title="货架")
    until: str | None = Field(default=None, title="到何时")


SHOP = {"shop": Manifest(title="店铺", settings=Shop)}


def installed() -> Mapping[str, Manifest]:
    modules = {entry.name: entry.load() for entry in entry_points(group="groupops") if _is_there(entry.value)}
    found = {name: getattr(module, "manifest", None) for name, module in modules.items()}
    return {name: manifest for name, manifest in found.items() if isinstance(manifest, Manifest)}


def _is_there(package: str) -> bool:
    return any((ROOT / source / package / "__init__.py").is_file() for source in ("plugins", "adapters"))


def as_if_copied(example: str, folder: Path) -> Path:
    """The file with every setting made active, as somebody would do who copies it."""
    file = folder / ".env"
    file.write_text(re.sub(r"^# (\w+=)", r"\1", example, flags=re.MULTILINE), encoding="utf-8")
    return file


def keys(example: str) -> set[str]:
    return set(re.findall(r"^# (\w+)=", example, flags=re.MULTILINE))


def test_the_files_are_as_the_code_would_write_them_now() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "write_generated.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, f"run scripts/write_generated.py; behind are: {done.stdout}{done.stderr}"


def test_every_key_of_the_configuration_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")

    assert {env_key(name) for name in Config.model_fields} <= keys(example)


def test_every_setting_of_every_installed_plugin_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")

    for name, manifest in installed().items():
        for field in manifest.settings.model_fields:
            assert f"GROUPOPS_{name}__{field}".upper() in {
                key[: len(f"GROUPOPS_{name}__{field}")] for key in keys(example)
            }


def test_no_setting_stands_twice_in_the_example() -> None:
    named = re.findall(r"^# (\w+)=", (ROOT / ".env.example").read_text("utf-8"), flags=re.MULTILINE)

    assert len(named) == len(set(named))


def test_a_set_is_shown_in_one_order_however_it_came_about_and_however_deep_it_lies() -> None:
    one, other = (
        flat(
            resolve(
                PackShelf(),
                SHOP,
                {},
                [],
                {"shop": {"numbers": told, "shelves": [{"numbers": told, "rows": {"a": [told]}}]}},
            )
        )
        for told in ([8, 0], [0, 8])
    )

    assert one == other
    assert one["shop.numbers"] == [0, 8]
    assert one["shop.shelves"] == [{"numbers": [0, 8], "rows": {"a": [[0, 8]]}}]


class Odd(Settings):
    names: tuple[str, ...] = Field(default=("b", "a"), title="名字")
    prices: dict[str, int] = Field(default_factory=lambda: {"x": 1}, title="价目")
    hidden: frozenset[str] = Field(default=frozenset("ba"), title="不写出来的", exclude=True)

    @field_serializer("names", "prices")
    def _in_one_line(self, value: Iterable[str]) -> str:
        return ",".join(value)


def test_what_a_plugin_writes_in_a_way_of_its_own_is_shown_as_it_was_written() -> None:
    shown = flat(resolve(PackShelf(), {"odd": Manifest(title="怪店", settings=Odd)}, {}, [], {}))

    odd = {key: value for key, value in shown.items() if key.startswith("odd.")}
    assert odd == {"odd.names": "b,a", "odd.prices": "x"}


@pytest.mark.parametrize("manifests", [SHOP, installed()], ids=["a shop", "what is installed"])
def test_a_copied_example_changes_nothing(manifests: Mapping[str, Manifest], tmp_path: Path) -> None:
    start = load_config({}, [as_if_copied(env_example(manifests), tmp_path)])

    copied = resolve(PackShelf(), manifests, start.settings, [], {})

    assert start.config == Config()
    assert flat(copied) == flat(resolve(PackShelf(), manifests, {}, [], {}))


def test_every_setting_has_its_sentence() -> None:
    lines = env_example(SHOP).splitlines()

    assert lines[lines.index("# GROUPOPS_SHOP__INNER__DEEP=1") - 1] == "# 里层"
    assert "# GROUPOPS_SHOP__NAME=铺" in lines
    assert '# GROUPOPS_SHOP__WORDS=["a", "b"]' in lines
    assert "# GROUPOPS_SHOP__UNTIL=" in lines


def test_the_pack_in_the_manual_holds() -> None:
    manual = (ROOT / "docs" / "packs.md").read_text("utf-8")
    text = re.search(r"```toml\n(.*?)```", manual, flags=re.DOTALL)
    assert text
    one = parse_pack(text[1], path="docs/packs.md")

    found = resolve(PackShelf([one]), installed(), {}, [one.id], {})

    assert {*found.enabled, *found.inactive} == {"quiet_hours", "moderation"}
    assert found.ladders["workshop"].steps == ("remind", "warn", "refer")


def test_the_shipped_packs_hold_with_what_is_installed() -> None:
    shelf = PackShelf.load()

    for one in shelf:
        assert resolve(shelf, installed(), {}, [one.id], {}).titles == (one.title,)
