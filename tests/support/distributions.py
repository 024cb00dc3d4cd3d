"""Builds wheels as a release would, and installs them where nothing else of the checkout can be seen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement


def build(project: Path, into: Path, *, by_way_of_sdist: bool = False) -> Path:
    """Build the wheel of `project` with the backend that is installed here, off line; return its path."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(into), str(project)]
    _run(command if by_way_of_sdist else [*command, "--wheel"], cwd=project)
    (wheel,) = into.glob("*.whl")
    return wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class EmptyEnvironment:
    """A venv with what groupops names as its dependencies, and with nothing of the checkout or the dev group."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, wheel: Path) -> EmptyEnvironment:
        """Make it in `folder` and install the wheel of groupops; no network is needed."""
        _run([sys.executable, "-m", "venv", "--without-pip", str(folder)], cwd=folder.parent)
        environment = cls(folder=folder)
        environment.install(wheel)
        site = environment.site_packages
        (metadata,) = site.glob("groupops-*.dist-info")
        for path in _files_of(_closure(Distribution.at(metadata))):
            if not (site / path.name).exists():
                (site / path.name).symlink_to(path)
        return environment

    @property
    def site_packages(self) -> Path:
        """Where its packages lie."""
        (site,) = self.folder.glob("lib/python*/site-packages")
        return site

    def install(self, wheel: Path) -> None:
        """Install one wheel, without its dependencies."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.folder / "bin/python"), "--isolated"]
        _run(
            [*pip, "install", "--quiet", "--no-index", "--no-deps", "--no-compile", str(wheel)],
            cwd=self.folder,
        )

    def run(self, program: str, *arguments: str, cwd: Path, **settings: str) -> str:
        """Run one of its programs in `cwd` with only these settings in the environment; return its stdout."""
        environment = {
            "PATH": os.defpath,
            "HOME": str(cwd),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            **settings,
        }
        return _run([str(self.folder / "bin" / program), *arguments], cwd=cwd, env=environment)


def _run(command: list[str], *, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _closure(root: Distribution) -> list[Distribution]:
    """All that `root` needs at run time, by the metadata of what is installed here."""
    found: dict[str, Distribution] = {}
    open_ones = [(root, "")]
    seen: set[tuple[str, str]] = set()
    while open_ones:
        one, extra = open_ones.pop()
        for need in _needs(one, extra):
            found[need.name.lower()] = distribution(need.name)
            new = {(need.name.lower(), wanted) for wanted in {"", *need.extras}} - seen
            seen |= new
            open_ones += [(distribution(name), wanted) for name, wanted in new]
    return list(found.values())


def _needs(one: Distribution, extra: str) -> Iterator[Requirement]:
    for line in one.requires or []:
        need = Requirement(line)
        if need.marker is None or need.marker.evaluate({"extra": extra}):
            yield need


def _files_of(distributions: list[Distribution]) -> set[Path]:
    """The top-level folders and files of these distributions."""
    tops: set[Path] = set()
    for one in distributions:
        names = {file.parts[0] for file in one.files or [] if file.parts[0] not in {"..", "__pycache__"}}
        tops |= {Path(str(one.locate_file(name))) for name in names}
    return tops
