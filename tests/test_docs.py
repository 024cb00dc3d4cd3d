"""What is registered is described, what is described is there, and the examples on the pages run."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import fields
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main
from pydantic import BaseModel

from groupops import Action, Capability, Errand, Manifest, Receipt, Segment, hookspecs
from groupops.cli import app
from groupops.commands import core_commands
from groupops.config import Config, env_key
from groupops.desk import offered
from groupops.events import EVENT_KINDS
from groupops.hooks import Hooks
from groupops.people import Stage
from groupops.records import CaseStatus, ObligationStatus, OutboxState
from groupops.settings import CORE_MODELS, PackShelf, parse_pack, resolve

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
READMES = ("README.md", "README.en.md")

CJK = re.compile("[\u3400-\u9fff]")

SPEAKS_CHINESE: Mapping[str, str] = {
    "cli.py": "its docstrings and tables are the help that operators read on the terminal",
    "doctor.py": "its findings are read by operators on the terminal, and each is used once",
    "views.py": "it lays a policy out as a regulation reads",
    "importers/roster_cells.py": "dates of HR's files are written with these characters, and a pattern reads them",
    "scenario/": "it is the Chinese language of scenarios: sentences are its grammar",
}
"""Rooms of the core that may hold Chinese literals, and why; titles of settings may stand anywhere."""


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def kinds(union: Any) -> list[str]:
    return sorted(
        str(field.default) for one in get_args(union) for field in fields(one) if field.name == "kind"
    )


def hooks() -> dict[str, str]:
    """Hook → its heading."""
    found = inspect.getmembers(hookspecs, inspect.isfunction)
    own = {name: function for name, function in found if hasattr(function, "groupops_spec")}
    return {
        name: f"## `{name}({', '.join(inspect.signature(spec).parameters)})`" for name, spec in own.items()
    }


def installed() -> dict[str, Manifest]:
    there = {entry.name: entry for entry in entry_points(group="groupops") if is_there(entry.value)}
    found = {name: getattr(entry.load(), "manifest", None) for name, entry in there.items()}
    return {name: manifest for name, manifest in found.items() if isinstance(manifest, Manifest)}


def is_there(package: str) -> bool:
    return any((ROOT / source / package / "__init__.py").is_file() for source in ("plugins", "adapters"))


def keys_of(path: str, model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys_of(f"{path}.{name}", inner)
        else:
            yield f"{path}.{name}"


def commands(path: str = "groupops", command: Any = None) -> Iterator[str]:
    """The commands of the command line, e.g. `groupops group bind`."""
    command = command or typer.main.get_command(app)
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path
    for name, one in (inner or {}).items():
        yield from commands(f"{path} {name}", one)


def plugin_commands() -> Iterator[str]:
    """The commands that installed plugins add, e.g. `groupops roster import`."""
    hooks = Hooks()
    hooks.load_all()
    for word, made in offered(hooks).items():
        yield from commands(f"groupops {word}", typer.main.get_command(made))


def pages() -> list[Path]:
    written = [
        *ROOT.glob("*.md"),
        *DOCS.rglob("*.md"),
        *ROOT.glob("plugins/*/*.md"),
        *ROOT.glob("adapters/*/*.md"),
    ]
    return sorted(page for page in written if page.is_file())


def modules() -> list[Path]:
    found = [path for source in ("src", "plugins", "adapters") for path in (ROOT / source).rglob("*.py")]
    return sorted(path for path in found if not {"migrations", "wire"} & set(path.parts))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


# — reference —


def test_the_reference_is_as_the_code_would_write_it_now() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "write_reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, f"run scripts/write_reference.py; it says: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", ["docs/hooks.md", "docs/hooks.en.md"])
def test_every_hook_has_its_heading_with_its_arguments(page: str) -> None:
    headings = [line for line in read(page).splitlines() if line.startswith("## ")]

    assert sorted(headings) == sorted(hooks().values())


@pytest.mark.parametrize("page", ["docs/hooks.md", "docs/hooks.en.md"])
def test_every_example_of_a_hook_takes_only_what_it_is_offered(page: str) -> None:
    for name, heading in hooks().items():
        section = read(page).partition(heading)[2].partition("\n## ")[0]
        (code,) = blocks(section).values()
        (function,) = ast.parse(code).body
        assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        offered = set(heading.partition("(")[2].partition(")")[0].split(", "))
        assert function.name == name
        assert {argument.arg for argument in function.args.args} <= offered, heading


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("docs/events.md", sorted(EVENT_KINDS)),
        ("docs/events.md", kinds(Segment)),
        ("docs/actions.md", kinds(Action)),
        ("docs/actions.md", kinds(Errand)),
        ("docs/actions.md", kinds(Receipt)),
        ("docs/actions.md", list(map(str, Capability))),
        ("docs/actions.md", list(map(str, CaseStatus))),
        ("docs/actions.md", list(map(str, ObligationStatus))),
        ("docs/actions.md", list(map(str, OutboxState))),
        ("docs/discipline.md", list(map(str, Stage))),
        ("docs/discipline.md", [command.form for _, command in core_commands().values()]),
        ("docs/operations.md", list(commands())),
        ("docs/operations.md", [env_key(name) for name in Config.model_fields]),
        ("docs/packs.md", [key for name, model in CORE_MODELS.items() for key in keys_of(name, model)]),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_every_word_has_its_line(page: str, words: list[str]) -> None:
    text = read(page)

    assert [word for word in words if f"| `{word}` |" not in text] == []


def test_every_setting_of_every_installed_plugin_is_described() -> None:
    for name, manifest in installed().items():
        keys = list(keys_of(name, manifest.settings))
        assert [key for key in keys if f"`{key}`" not in read("docs/settings.md")] == []


@pytest.mark.parametrize(
    "pair",
    [
        "群 group", "成员 member", "群名片 card", "名册 roster", "群规 policy", "处分 sanction", "申诉 appeal",
        "红包 red packet", "打卡 check-in", "免打扰 quiet hours", "回执 acknowledgement", "事项 case", "待办 obligation",
        "工单 ticket", "管理员 steward", "阶梯 ladder", "规则包 pack", "条款 clause", "豁免 waiver", "预演 rehearsal",
        "情景 scenario", "试运行 shadow", "沙箱 sandbox", "能力 capability", "事实 event", "动作 action",
    ],
)  # fmt: skip
def test_a_term_stands_in_the_glossary(pair: str) -> None:
    chinese, _, english = pair.partition(" ")

    assert f"| {chinese} | {english} |" in read("docs/glossary.md")


# — pages —


@pytest.mark.parametrize("page", pages(), ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    targets = re.findall(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", text)
    inside = [target for target in targets if not re.match(r"[a-z]+:", target)]

    assert [target for target in inside if not leads(page, target)] == []


def leads(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = page if not path else (page.parent / path)
    if not file.exists():
        return False
    return not anchor or anchor in anchors(file.read_text("utf-8"))


def anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def test_every_room_of_the_core_is_on_the_tour() -> None:
    core = [path for path in (ROOT / "src" / "groupops").iterdir() if path.suffix == ".py" or path.is_dir()]
    rooms = {path.stem for path in core} - {"__init__", "__main__", "__pycache__"}

    assert [room for room in sorted(rooms) if f"| `{room}` |" not in read("docs/tour.md")] == []


def test_every_page_is_reached_from_the_first_one() -> None:
    first = read("README.md")
    decisions = read("docs/decisions/README.md")

    for page in DOCS.glob("*.md"):
        assert f"docs/{page.name}" in first or page.name.endswith(".en.md"), named(page)
    for page in (DOCS / "decisions").glob("0*.md"):
        assert f"({page.name})" in decisions


@pytest.mark.parametrize("page", READMES)
def test_the_commands_of_the_readme_exist(page: str) -> None:
    code = "\n".join(re.findall(r"```(?:sh|bash)\n(.*?)```", read(page), flags=re.DOTALL))
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), flags=re.MULTILINE))
    made = re.findall(r"^make ([a-z]+)", code, flags=re.MULTILINE)
    given = re.findall(r"^(?:\.venv/bin/)?(groupops(?: [a-z][a-z-]*)+)", code, flags=re.MULTILINE)

    assert {"demo", "test"} <= set(made) <= targets
    known = {*commands(), *plugin_commands()}
    assert given
    assert [one for one in given if not any(one == k or one.startswith(f"{k} ") for k in known)] == []


def test_the_commands_of_the_readme_do_what_they_say(tmp_path: Path) -> None:
    lines = re.findall(r"^\.venv/bin/groupops .+$", read("README.md"), flags=re.MULTILINE)
    ending = [line for line in lines if line != ".venv/bin/groupops run"]  # it ends only when it is told to

    for line in ending:
        done = subprocess.run(
            [Path(sys.executable).with_name("groupops"), *line.split()[1:]],
            cwd=ROOT,
            env=os.environ | {"GROUPOPS_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert len(ending) < len(lines)


def test_both_languages_give_the_same_commands() -> None:
    one, other = (re.findall(r"```(?:sh|toml)\n(.*?)```", read(page), flags=re.DOTALL) for page in READMES)

    assert one == other


@pytest.mark.parametrize("page", READMES)
def test_the_readme_shows_pictures_that_are_there(page: str) -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", read(page))

    assert pictures
    assert [picture for picture in pictures if not (ROOT / picture).is_file()] == []


def test_a_decision_has_its_date_context_choice_and_price() -> None:
    for page in (DOCS / "decisions").glob("0*.md"):
        text = page.read_text("utf-8")
        heads = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
        assert re.search(r"^2\d{3}-\d{2}-\d{2}$", text, flags=re.MULTILINE), page.name
        assert heads == ["背景", "决定", "代价"], page.name


# — examples —


def blocks(text: str) -> dict[str, str]:
    """Code on a page: its `file=` name, or its number → the code."""
    found = re.findall(r"```\w+(?: file=(\S+))?\n(.*?)```", text, flags=re.DOTALL)
    return {name or str(number): code for number, (name, code) in enumerate(found)}


def test_every_example_can_be_read() -> None:
    readers = {"python": ast.parse, "toml": tomllib.loads}

    for page in pages():
        for language, code in re.findall(
            r"```(python|toml)\b[^\n]*\n(.*?)```", page.read_text("utf-8"), re.DOTALL
        ):
            readers[language](code)  # raises, and pytest shows the code


def test_the_pack_on_the_first_page_holds() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", read("README.md"), flags=re.DOTALL)
    pack = parse_pack(text, path="README.md")

    found = resolve(PackShelf([pack]), installed(), {}, [pack.id], {})

    assert {*found.enabled, *found.inactive} == {"quiet_hours"}


@pytest.mark.parametrize("page", ["docs/plugins.md", "docs/plugins.en.md"])
async def test_the_plugin_on_the_page_does_what_its_test_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, code in blocks(read(page)).items():
        if not name.isdigit():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("groupops_straight", "test_straight"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    tests = examples_of(importlib.import_module("test_straight"))

    assert tests
    for test in tests:
        await test()


def examples_of(module: Any) -> list[Callable[[], Coroutine[Any, Any, None]]]:
    return [value for name, value in vars(module).items() if name.startswith("test_") and callable(value)]


def test_the_plugin_on_the_page_is_short() -> None:
    code = blocks(read("docs/plugins.md"))["groupops_straight/__init__.py"]

    assert len(code.splitlines()) <= 30
    assert max(map(len, code.splitlines())) <= 110


def test_both_languages_show_the_same_plugin() -> None:
    assert blocks(read("docs/plugins.md")) == blocks(read("docs/plugins.en.md"))


# — the code describes itself —


def test_a_module_opens_with_one_line_that_says_what_it_is_for() -> None:
    said = {path: (ast.get_docstring(tree) or "").partition("\n")[0] for path, tree in trees().items()}

    assert [named(path) for path, line in said.items() if not line.endswith(".") or len(line) > 120] == []


def test_what_is_public_has_a_docstring() -> None:
    found = [f"{named(path)}: {name}" for path, tree in trees().items() for name in undescribed(tree)]

    assert found == []


def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text("utf-8")) for path in modules()}


def undescribed(tree: ast.Module | ast.ClassDef, within: str = "") -> Iterator[str]:
    """Public functions and classes without a docstring; what overrides a library's own is described there."""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if (
            node.name.startswith("_")
            or node.name == "Meta"
            or marks(node) & {"override", "setter", "overload"}
        ):
            continue
        if ast.get_docstring(node) is None:
            yield f"{within}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from undescribed(node, f"{node.name}.")


def marks(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    last = [
        mark.attr if isinstance(mark, ast.Attribute) else getattr(mark, "id", "")
        for mark in node.decorator_list
    ]
    return set(last)


def test_the_core_says_nothing_chinese_by_itself_but_where_it_is_meant_to() -> None:
    core = ROOT / "src" / "groupops"
    speaking = {
        str(path.relative_to(core))
        for path, tree in trees().items()
        if path.is_relative_to(core) and any(CJK.search(text) for text in literals(tree))
    }
    unexpected = {path for path in speaking if not path.startswith(tuple(SPEAKS_CHINESE))}
    silent = {room for room in SPEAKS_CHINESE if not any(path.startswith(room) for path in speaking)}

    assert unexpected == set(), "put what people read into texts.toml"
    assert silent == set(), "these need no exception any more"


def literals(tree: ast.Module) -> Iterator[str]:
    """Strings of a module but for docstrings and the titles of settings."""
    nodes = list(ast.walk(tree))
    left_out = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    left_out |= {id(word.value) for call in calls for word in call.keywords if word.arg == "title"}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node.value


# — what must not be there —

OF_A_MACHINE = re.compile(rb"(?<![\w./$}-])/(?:work|tmp|root|home|Users)/\w")
REGISTRIES = re.compile(
    rb"(?:pypi\.org|pythonhosted\.org|registry\.npmjs|files\.py|artifactory|nexus)[/:]", re.IGNORECASE
)


def test_no_path_of_a_machine_and_no_registry_stands_in_a_file() -> None:
    found = [
        named(path)
        for path in tracked()
        if OF_A_MACHINE.search(data := path.read_bytes()) or REGISTRIES.search(data)
    ]

    assert found == []


def test_nothing_loose_lies_in_a_source_root() -> None:
    loose = [path for path in tracked() if path.parent in (ROOT / "plugins", ROOT / "adapters", ROOT / "src")]

    assert loose == []
