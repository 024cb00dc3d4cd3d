"""Writes the tables of the reference pages in docs/ from the code and from the sentences in docs/reference.toml.

    python scripts/write_reference.py [--check]

With --check nothing is written; exit code 1 names the pages that are behind, 2 the words without a sentence.
"""

import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, get_args

import typer
from pydantic import BaseModel
from write_generated import installed

from groupops.actions import Action, Capability, Errand, Receipt
from groupops.bridge import Bridge
from groupops.cli import app
from groupops.commands import core_commands
from groupops.config import Config, env_key
from groupops.events import CORE_KINDS, Event, Segment
from groupops.people import Stage
from groupops.plugin import texts_of
from groupops.policy import StepName
from groupops.records import CaseStatus, ObligationStatus, OutboxState

ROOT = Path(__file__).parents[1]
PAGES = ("events", "actions", "discipline", "operations", "settings")
PART = re.compile(r"(<!-- generated: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

OF_EVERY_EVENT = frozenset({"id", "at", "group_id", "source", "received_at"})


def main() -> int:
    """Write or check the pages."""
    faults = list(unsaid())
    if faults:
        print("\n".join(faults))
        return 2
    wanted = {path: filled(path.read_text("utf-8")) for path in map(page, PAGES)}
    behind = [path for path, text in wanted.items() if path.read_text("utf-8") != text]
    for path in behind:
        if "--check" not in sys.argv:
            path.write_text(wanted[path], encoding="utf-8")
        print(path.relative_to(ROOT))
    return int(bool(behind) and "--check" in sys.argv)


def page(name: str) -> Path:
    """Where a page lies."""
    return ROOT / "docs" / f"{name}.md"


def filled(text: str) -> str:
    """A page with its generated parts made anew."""
    return PART.sub(lambda part: f"{part[1]}{PARTS[part['name']]()}{part[3]}", text)


@cache
def sentences() -> Mapping[str, Mapping[str, str]]:
    """The Chinese sentences, by what they are about."""
    return tomllib.loads((ROOT / "docs" / "reference.toml").read_text("utf-8"))


def unsaid() -> Iterator[str]:
    """Words without a sentence, and sentences without a word."""
    for table, words in WORDS.items():
        said, there = set(sentences()[table]), set(words())
        for word in sorted(there - said):
            yield f"docs/reference.toml: [{table}] lacks {word!r}; add one sentence about it"
        for word in sorted(said - there):
            yield f"docs/reference.toml: [{table}] tells of {word!r}, which is not there any more; remove it"


# — what there is —


def _by_kind(union: Any) -> dict[str, type[Any]]:
    return {_kind(one): one for one in get_args(union)}


def _kind(one: type[Any]) -> str:
    return str(next(field.default for field in fields(one) if field.name == "kind"))


def _metrics() -> dict[str, str]:
    nobody: Any = None
    return {metric.name: metric.documentation for metric in Bridge(nobody).registry.collect()}


WORDS: Mapping[str, Callable[[], Iterable[str]]] = {
    "events": lambda: _by_kind(Event),
    "segments": lambda: _by_kind(Segment),
    "actions": lambda: _by_kind(Action),
    "errands": lambda: _by_kind(Errand),
    "capabilities": lambda: map(str, Capability),
    "receipts": lambda: _by_kind(Receipt),
    "outbox": lambda: map(str, OutboxState),
    "cases": lambda: map(str, CaseStatus),
    "obligations": lambda: map(str, ObligationStatus),
    "steps": lambda: get_args(StepName),
    "stages": lambda: map(str, Stage),
    "metrics": _metrics,
}


# — tables —


def _table(head: str, rows: Iterable[Iterable[object]]) -> str:
    titles = head.split("|")
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines)


def _first(doc: str | None) -> str:
    """The first sentence of a docstring."""
    line = (doc or "").strip().split("\n")[0]
    return line.split(". ")[0].removesuffix(".") + "."


def _fields(one: type[Any], left_out: Iterable[str] = ()) -> str:
    skipped = {"kind", *left_out}
    return "、".join(f"`{field.name}`" for field in fields(one) if field.name not in skipped) or "–"


def _events() -> str:
    rows = (
        (
            f"`{kind}`",
            f"`{one.__name__}`",
            sentences()["events"][kind],
            _first(one.__doc__),
            _fields(one, OF_EVERY_EVENT),
            "核心" if kind in CORE_KINDS else "平台",
        )
        for kind, one in _by_kind(Event).items()
    )
    return _table("kind|类|说明|In English|字段|来自", rows)


def _segments() -> str:
    rows = (
        (f"`{kind}`", f"`{one.__name__}`", sentences()["segments"][kind], _first(one.__doc__), _fields(one))
        for kind, one in _by_kind(Segment).items()
    )
    return _table("kind|类|说明|In English|字段", rows)


def _actions() -> str:
    rows = (
        (
            f"`{kind}`",
            f"`{one.__name__}`",
            sentences()["actions"][kind],
            _first(one.__doc__),
            f"`{one.needs}`",
            _back(one),
            _yes(one.repeatable),
            _yes(one.bites),
            sentences()["stand_ins"].get(kind, "–"),
        )
        for kind, one in _by_kind(Action).items()
    )
    return _table("kind|类|说明|In English|需要的能力|能否还原|可重复|限制成员|做不到时", rows)


def _back(one: type[Any]) -> str:
    if one.irreversible:
        return "不能"
    return "能" if "inverse" in vars(one) else "不必"


def _yes(value: bool) -> str:
    return "是" if value else "–"


def _errands() -> str:
    rows = (
        (f"`{kind}`", f"`{one.__name__}`", sentences()["errands"][kind], _fields(one, ["group_id"]))
        for kind, one in _by_kind(Errand).items()
    )
    return _table("kind|类|说明|字段", rows)


def _capabilities() -> str:
    users = {
        str(one): [f"`{kind}`" for kind, action in _by_kind(Action).items() if action.needs is one]
        for one in Capability
    }
    rows = (
        (f"`{one}`", sentences()["capabilities"][one], "、".join(users[one]) or "–")
        for one in map(str, Capability)
    )
    return _table("能力|说明|哪些动作需要", rows)


def _receipts() -> str:
    rows = (
        (f"`{kind}`", f"`{one.__name__}`", sentences()["receipts"][kind], _first(one.__doc__))
        for kind, one in _by_kind(Receipt).items()
    )
    return _table("kind|类|说明|In English", rows)


def _outbox() -> str:
    return _table("状态|说明", ((f"`{one}`", sentences()["outbox"][one]) for one in map(str, OutboxState)))


def _titled(table: str, words: Iterable[str], prefix: str) -> str:
    texts = texts_of("groupops")
    rows = ((f"`{one}`", texts(f"{prefix}.{one}"), sentences()[table][one]) for one in words)
    return _table("名称|对人的说法|说明", rows)


def _cases() -> str:
    return _titled("cases", map(str, CaseStatus), "status")


def _obligations() -> str:
    return _titled("obligations", map(str, ObligationStatus), "obligation")


def _steps() -> str:
    return _titled("steps", get_args(StepName), "step")


def _stages() -> str:
    return _table("阶段|说明", ((f"`{one}`", sentences()["stages"][one]) for one in map(str, Stage)))


def _commands() -> str:
    rows = (
        (f"`{one.form}`", one.title, "管理员" if one.stewards_only else "所有人", "是" if one.bare else "–")
        for _, one in core_commands().values()
    )
    return _table("写法|作用|谁可以用|群里可省略 `/`", rows)


def _cli() -> str:
    return _table("命令|作用", _cli_rows("groupops", typer.main.get_command(app)))


def _cli_rows(path: str, command: Any) -> Iterator[tuple[str, str]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield f"`{path}`", str(command.help).split("\n")[0]
        return
    for name, one in inner.items():
        yield from _cli_rows(f"{path} {name}", one)


def _metric_table() -> str:
    rows = ((f"`{name}`", sentences()["metrics"][name], said) for name, said in _metrics().items())
    return _table("名称|说明|In English", rows)


def _config() -> str:
    rows = ((f"`{env_key(name)}`", info.title) for name, info in Config.model_fields.items())
    return _table("键|含义", rows)


def _settings() -> str:
    texts = []
    for name, manifest in installed().items():
        rows = list(_setting_rows(name, manifest.settings))
        if rows:
            texts.append(f"## {manifest.title}(`{name}`)\n\n{_table('键|含义|缺省', rows)}")
    return "\n".join(texts)


def _setting_rows(path: str, model: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    for name, info in model.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _setting_rows(f"{path}.{name}", inner)
        else:
            default = info.get_default(call_default_factory=True, validated_data={})
            yield f"`{path}.{name}`", info.title or name, _value(default)


def _value(value: Any) -> str:
    if value is None or value == "" or (isinstance(value, Iterable) and not value):
        return "空"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Mapping):
        return "、".join(f"`{key} = {one}`" for key, one in value.items())
    if isinstance(value, tuple | list | frozenset | set):
        ordered = sorted(value, key=str) if isinstance(value, frozenset | set) else value
        return "、".join(f"`{one}`" for one in ordered)
    return f"`{value}`"


PARTS: Mapping[str, Callable[[], str]] = {
    "events": _events,
    "segments": _segments,
    "actions": _actions,
    "errands": _errands,
    "capabilities": _capabilities,
    "receipts": _receipts,
    "outbox": _outbox,
    "cases": _cases,
    "obligations": _obligations,
    "steps": _steps,
    "stages": _stages,
    "commands": _commands,
    "cli": _cli,
    "metrics": _metric_table,
    "config": _config,
    "settings": _settings,
}


if __name__ == "__main__":
    sys.exit(main())
