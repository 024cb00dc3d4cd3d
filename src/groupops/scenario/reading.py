"""Reads scenario files: Chinese Gherkin becomes scenarios whose every sentence is understood, or an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gherkin import Parser
from gherkin.errors import CompositeParserException, ParserError
from gherkin.pickles.compiler import Compiler

from groupops.errors import ScenarioError
from groupops.scenario.language import Registry, Said
from groupops.scenario.words import profile_named

LANGUAGE = "# language: zh-CN"

_KINDS: Mapping[str, str] = {"Context": "given", "Action": "when", "Outcome": "then"}
_ALL_PROFILES = "@profiles"
_ON_PROFILE = "@profile-"
_NEEDS = "@needs-"

ONLY_ON = "在平台{profiles}上演"
"""The sentence by which a scenario says for which profiles alone it is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A step of a scenario, as it was written and as it was understood.

    Args:
        number: its line in the file.
        keyword: 假如, 当, 那么 …
        text: the sentence.
        said: what it says.
        table: the rows under it, by the names of their columns.
        doc: the text under it.
    """

    number: int
    keyword: str
    text: str
    said: Said
    table: tuple[dict[str, str], ...] = ()
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario, ready to be played.

    Args:
        path: its file.
        line: where it stands in it.
        title: its title, the examples filled in.
        tags: its tags and those of its feature.
        lines: its steps.
    """

    path: Path
    line: int
    title: str
    tags: frozenset[str]
    lines: tuple[Line, ...]

    @property
    def needs(self) -> frozenset[str]:
        """The plugins without which it makes no sense."""
        return frozenset(
            tag.removeprefix(_NEEDS).replace("-", "_") for tag in self.tags if tag.startswith(_NEEDS)
        )

    @property
    def only(self) -> tuple[str, ...]:
        """The profiles it is meant for alone, as a step of it says (a row of 例子 may); empty when it is for any."""
        return tuple(
            name for line in self.lines if line.said.step.pattern == ONLY_ON for name in line.said.values[0]
        )

    def profiles(self, every: Iterable[str]) -> tuple[str, ...]:
        """Give the profiles it says outcomes for.

        Those it is meant for alone; else all with `@profiles`; else `full` and each `@profile-…`.
        """
        if self.only:
            return self.only
        if _ALL_PROFILES in self.tags:
            return tuple(every)
        named = [
            profile_named(tag.removeprefix(_ON_PROFILE))
            for tag in sorted(self.tags)
            if tag.startswith(_ON_PROFILE)
        ]
        return ("full", *(name for name in named if name != "full"))


def files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Give the scenario files among paths and in folders, sorted.

    Raises:
        ScenarioError: a path is not there, or holds no scenario file.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.rglob("*.feature")) if path.is_dir() else [path] if path.is_file() else []
        if not inside:
            raise ScenarioError(
                f"{path}: there is no scenario file; give a *.feature file or a folder with some"
            )
        found += inside
    return tuple(dict.fromkeys(found))


def read_file(path: Path, registry: Registry) -> tuple[Scenario, ...]:
    """Read the scenarios of a file.

    Raises:
        ScenarioError: it is no Gherkin, or a sentence is not understood; the text names file, line and step.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path} is not UTF-8: {error}; save it as UTF-8") from error
    return read_text(text, path, registry)


def read_text(text: str, path: Path, registry: Registry) -> tuple[Scenario, ...]:
    """Read the scenarios of a text that came from `path`; raises as `read_file` does."""
    if not text.lstrip("\ufeff").startswith(LANGUAGE):
        raise ScenarioError(f"{path}:1: the first line must be: {LANGUAGE}")
    try:
        document: dict[str, Any] = dict(Parser().parse(text))
    except CompositeParserException as error:
        raise ScenarioError(f"{path}: {_gherkin_fault(error)}") from error
    except ParserError as error:
        raise ScenarioError(f"{path}: {error}") from error
    places = dict(_places(document))
    pickles = _pickles(document, path)
    made = tuple(_scenario(pickle, path, places, registry) for pickle in pickles)
    if not made:
        raise ScenarioError(f"{path}: there is no scenario in it; begin one with 场景: and a title")
    return made


def _pickles(document: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    """Give the scenarios with backgrounds and examples filled in, as the library makes them."""
    compiler: Any = Compiler()
    return [dict(pickle) for pickle in compiler.compile({**document, "uri": str(path)})]


def _gherkin_fault(error: CompositeParserException) -> str:
    first = error.errors[0]
    line = first.location["line"]
    return f"line {line}: this is no Gherkin: {str(first).partition(': ')[2]}"


def _places(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give id → node of everything in the document that has an id and a place."""
    if isinstance(node, dict):
        found: dict[str, Any] = {str(key): value for key, value in node.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - a tree of JSON
        if "id" in found and "location" in found:
            yield str(found["id"]), found
        for value in found.values():
            yield from _places(value)
    elif isinstance(node, list):
        for one in node:  # pyright: ignore[reportUnknownVariableType] - a tree of JSON
            yield from _places(one)


def _scenario(pickle: dict[str, Any], path: Path, places: Mapping[str, Any], registry: Registry) -> Scenario:
    line = places[pickle["astNodeIds"][-1]]["location"]["line"]
    lines = tuple(_line(step, path, places, registry) for step in pickle["steps"])
    title = str(pickle["name"])
    if not any(one.said.step.kind == "then" for one in lines):
        raise ScenarioError(f"{path}:{line}: “{title}” checks nothing; add an outcome with 那么")
    tags = frozenset(str(tag["name"]) for tag in pickle["tags"])
    return Scenario(path=path, line=line, title=title, tags=tags, lines=lines)


def _line(step: dict[str, Any], path: Path, places: Mapping[str, Any], registry: Registry) -> Line:
    node = places[step["astNodeIds"][0]]
    number, text = node["location"]["line"], str(step["text"])
    where = f"{path}:{number}: {node['keyword'].strip()} {text}"
    try:
        said = registry.read(text)
    except (ScenarioError, ValueError) as error:
        raise ScenarioError(f"{where}: {error}") from error
    _check_kind(said, str(step["type"]), where)
    argument = step.get("argument", {})
    table = _table(argument.get("dataTable"))
    doc = str(argument.get("docString", {}).get("content", ""))
    _check_argument(said, table, "docString" in argument, where)
    return Line(number=number, keyword=node["keyword"].strip(), text=text, said=said, table=table, doc=doc)


def _check_kind(said: Said, type_: str, where: str) -> None:
    """An outcome that stands where something happens would be missed by readers, and the other way round."""
    place = _KINDS.get(type_)
    if place is None:
        raise ScenarioError(f"{where}: begin the step with 假如, 当, 那么 or 而且")
    if (place == "then") != (said.step.kind == "then"):
        right = "那么" if said.step.kind == "then" else "假如 or 当"
        raise ScenarioError(f"{where}: this step begins with {right}: it is “{said.step.pattern}”")


def _check_argument(said: Said, table: tuple[dict[str, str], ...], doc: bool, where: str) -> None:
    takes = said.step.takes
    if takes == "table" and not table:
        raise ScenarioError(f"{where}: a table belongs under this step")
    if takes == "doc" and not doc:
        raise ScenarioError(f'{where}: a text between """ belongs under this step')
    if (table and takes != "table") or (doc and takes != "doc"):
        raise ScenarioError(f"{where}: nothing belongs under this step")


def _table(raw: Any) -> tuple[dict[str, str], ...]:
    if not raw:
        return ()
    head, *rows = ([str(cell["value"]) for cell in row["cells"]] for row in raw["rows"])
    return tuple(dict(zip(head, row, strict=True)) for row in rows)
