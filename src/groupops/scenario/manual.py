"""The parts of docs/scenarios.md that follow from the steps themselves, and the reading of its table of examples."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from groupops.scenario.language import PLACEHOLDERS, Kind, Step, capability_names
from groupops.scenario.steps import registry
from groupops.scenario.words import words

_KEYWORDS: Mapping[str, Kind] = MappingProxyType({"假如": "given", "当": "when", "那么": "then"})


def parts() -> Mapping[str, Callable[[], str]]:
    """Give the generated parts: name → text."""
    return {
        "placeholders": _placeholders,
        "given": lambda: _steps("given"),
        "when": lambda: _steps("when"),
        "then": lambda: _steps("then"),
        "capabilities": lambda: _words("能力", "含义", capability_names()),
        "words": _other_words,
    }


def _placeholders() -> str:
    rows = ((f"`{{{one.name}}}`", one.doc, f"`{one.example}`") for one in PLACEHOLDERS.values())
    return _table(("写法", "含义", "例"), rows)


def _steps(kind: Kind) -> str:
    found = [step for step in registry().steps if step.kind == kind]
    return _table(("句子", "含义"), ((f"`{step.pattern}`", _doc(step)) for step in found))


def _doc(step: Step) -> str:
    under = {"table": "(下接表格)", "doc": '(下接 `"""` 之间的文字)', "": ""}
    return step.doc + under[step.takes]


def _other_words() -> str:
    tables = (
        ("role", "身份"),
        ("stage", "阶段"),
        ("status", "事项状态"),
        ("step", "处分"),
        ("owed", "待办状态"),
        ("audit", "审计"),
    )
    return "\n".join(
        f"**{title}** {'、'.join(f'`{word}`' for word in words()[name])}\n" for name, title in tables
    )


def _words(one: str, other: str, table: Mapping[str, str]) -> str:
    return _table((one, other), ((f"`{word}`", f"`{value}`") for word, value in table.items()))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A line of the table that shows how acceptance lines are said.

    Args:
        line: the line's id.
        pack: the pack it belongs to.
        steps: the sentences, each with the kind its keyword asks for.
    """

    line: str
    pack: str
    steps: tuple[tuple[Kind, str], ...]


def examples(text: str) -> tuple[Example, ...]:
    """Read the table of examples in the manual."""
    rows = re.findall(r"^\| (\S+) \| (\S+) \| (.+) \|$", text, re.MULTILINE)
    return tuple(
        Example(line=line, pack=pack, steps=tuple(_sentences(said)))
        for line, pack, said in rows
        if "<br>" in said
    )


def _sentences(said: str) -> Iterable[tuple[Kind, str]]:
    kind: Kind = "given"
    for sentence in said.split("<br>"):
        keyword, _, rest = sentence.strip().partition(" ")
        kind = _KEYWORDS.get(keyword, kind)
        yield kind, rest
