"""The grammar of steps: a Chinese sentence with typed placeholders, found by what somebody wrote."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from difflib import SequenceMatcher
from types import MappingProxyType, ModuleType
from typing import Any, Literal, TypeVar

from groupops.errors import ScenarioError
from groupops.scenario.words import Moment, meaning, profile_named, words

Kind = Literal["given", "when", "then"]

StepFunction = Callable[..., Awaitable[None]]

_Function = TypeVar("_Function", bound=StepFunction)

_QUOTED = r"(?:「[^「」]*」|“[^“”]*”|\"[^\"]*\")"
_NAME = r"[^\s「」“”\"@,,、::;;。()()]+"
_SPAN = r"\d+(?:\.\d+)?\s*(?:毫秒|秒钟|秒|分钟|分|个?小时|时|天)"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_DAY = r"(?:\d{4}-\d{2}-\d{2}|次日|第\s*\d+\s*天|周[一二三四五六日天]|下周[一二三四五六日天])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder:
    """What may stand at one place of a sentence.

    Args:
        name: as patterns name it, e.g. `account`.
        regex: what it looks like.
        read: from the text to the value; raises ValueError for one that means nothing.
        example: a text that fits, for the step list.
        doc: what it stands for, for the step list.
    """

    name: str
    regex: str
    read: Callable[[str], Any]
    example: str
    doc: str


def read_span(text: str) -> timedelta:
    """Read a length of time such as `30 分钟` or `1 小时 30 分`."""
    total = timedelta()
    for number, unit in re.findall(r"(\d+(?:\.\d+)?)\s*(毫秒|秒钟|秒|分钟|分|个?小时|时|天)", text):
        total += float(number) * _UNITS[unit]
    return total


_UNITS = MappingProxyType(
    {
        "毫秒": timedelta(milliseconds=1),
        "秒钟": timedelta(seconds=1),
        "秒": timedelta(seconds=1),
        "分钟": timedelta(minutes=1),
        "分": timedelta(minutes=1),
        "小时": timedelta(hours=1),
        "个小时": timedelta(hours=1),
        "时": timedelta(hours=1),
        "天": timedelta(days=1),
    }
)


def _unquoted(text: str) -> str:
    return text[1:-1].replace("\\n", "\n")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in re.split(r"[、,,]", text.replace(" ", "")) if name)


def _word_of(table: str) -> Callable[[str], str]:
    return lambda text: meaning(table, _unquoted(text))


PLACEHOLDERS: Mapping[str, Placeholder] = MappingProxyType(
    {
        one.name: one
        for one in (
            Placeholder(name="account", regex=_NAME, read=str, example="员工甲", doc="一名成员,后面空一格"),
            Placeholder(
                name="accounts",
                regex=rf"{_NAME}(?:\s*、\s*{_NAME})*",
                read=_names,
                example="员工甲、员工乙",
                doc="几名成员,用顿号隔开",
            ),
            Placeholder(name="text", regex=_QUOTED, read=_unquoted, example="「文字」", doc="引号里的文字"),
            Placeholder(name="int", regex=r"\d+", read=int, example="3", doc="整数"),
            Placeholder(
                name="time",
                regex=rf"(?:{_DAY}\s*)?{_CLOCK}",
                read=Moment.read,
                example="次日 07:30",
                doc="时刻:`23:30`、`次日 07:30`、`周一 08:44`、`第 3 天 09:00`、`2025-03-03 09:00:00`",
            ),
            Placeholder(
                name="date",
                regex=r"\d{4}-\d{2}-\d{2}",
                read=date.fromisoformat,
                example="2025-03-10",
                doc="日期",
            ),
            Placeholder(
                name="duration",
                regex=rf"{_SPAN}(?:\s*{_SPAN})*",
                read=read_span,
                example="30 分钟",
                doc="时长:`90 秒`、`30 分钟`、`1 小时 30 分`、`2 天`",
            ),
            Placeholder(
                name="role", regex=_QUOTED, read=_word_of("role"), example="「管理员」", doc="平台上的身份"
            ),
            Placeholder(
                name="stage", regex=_QUOTED, read=_word_of("stage"), example="「执行」", doc="规则的阶段"
            ),
            Placeholder(
                name="status", regex=_QUOTED, read=_word_of("status"), example="「已生效」", doc="事项的状态"
            ),
            Placeholder(
                name="owed", regex=_QUOTED, read=_word_of("owed"), example="「未完成」", doc="待办的状态"
            ),
            Placeholder(
                name="sanction", regex=_QUOTED, read=_word_of("step"), example="「警告」", doc="处分的档次"
            ),
            Placeholder(
                name="profiles",
                regex=_QUOTED,
                read=lambda text: tuple(profile_named(name) for name in _names(_unquoted(text))),
                example="「full、advisor」",
                doc="假想平台的种类",
            ),
            Placeholder(
                name="decision",
                regex="批准|驳回|撤销|豁免|申诉",
                read=str,
                example="批准",
                doc="对事项的决定",
            ),
            Placeholder(
                name="abilities",
                regex=r"[^\s,,。::「」]+",
                read=lambda text: tuple(
                    meaning("capability", word) for word in re.split(r"[、和]", text) if word
                ),
                example="看到群消息",
                doc="平台的能力,见能力表",
            ),
        )
    }
)
"""What may stand in a sentence, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One sentence that scenarios may say.

    Args:
        kind: `given` before, `when` something happens, `then` it is checked.
        pattern: the sentence, with `{placeholders}` and `[what may be left out]`.
        doc: what it does, in one sentence.
        call: the function, given the stage and the values in order.
        regex: the pattern, compiled.
        readers: how each value is read.
        takes: `table`, `doc` or nothing: what must stand under the step.
    """

    kind: Kind
    pattern: str
    doc: str
    call: StepFunction
    regex: re.Pattern[str]
    readers: tuple[Placeholder, ...]
    takes: Literal["", "table", "doc"] = ""

    @property
    def example(self) -> str:
        """The sentence with an example at each place, and without what may be left out."""
        plain = re.sub(r"\[[^\]]*\]", "", self.pattern)
        return re.sub(r"\{(\w+)\}", lambda found: PLACEHOLDERS[found[1]].example, plain)

    def read(self, sentence: str) -> tuple[Any, ...] | None:
        """Give the values in a sentence, or None when it is another sentence.

        Raises:
            ScenarioError: a value means nothing.
        """
        found = self.regex.fullmatch(sentence)
        if found is None:
            return None
        return tuple(one.read(text) for one, text in zip(self.readers, found.groups(), strict=True))


def _compile(pattern: str) -> tuple[re.Pattern[str], tuple[Placeholder, ...]]:
    parts = re.split(r"(\{\w+\}|\[[^\]]*\]|\s+)", pattern)
    made, readers = "", list[Placeholder]()
    for part in parts:
        if part.startswith("{"):
            one = PLACEHOLDERS[part[1:-1]]
            readers.append(one)
            made += f"({one.regex})"
        elif part.startswith("["):
            made += f"(?:{re.escape(part[1:-1])})?"
        elif part.isspace():
            made += r"\s*" if made.endswith(")") and readers and readers[-1].name not in _OPEN else r"\s+"
        else:
            made += r"\s*".join(re.escape(piece) for piece in part.split("…"))
    return re.compile(made), tuple(readers)


_OPEN = frozenset({"account", "accounts"})
"""Placeholders that end only at a space."""


def given(pattern: str) -> Callable[[_Function], _Function]:
    """Register a step that says how things stand before anything happens."""
    return _marked("given", pattern)


def when(pattern: str) -> Callable[[_Function], _Function]:
    """Register a step in which something happens."""
    return _marked("when", pattern)


def then(pattern: str) -> Callable[[_Function], _Function]:
    """Register a step that checks what came of it; it raises `Unmet` when that is otherwise."""
    return _marked("then", pattern)


def _marked(kind: Kind, pattern: str) -> Callable[[_Function], _Function]:
    def mark(function: _Function) -> _Function:
        regex, readers = _compile(pattern)
        names = function.__code__.co_varnames[
            : function.__code__.co_argcount + function.__code__.co_kwonlyargcount
        ]
        takes: Literal["", "table", "doc"] = "table" if "table" in names else "doc" if "doc" in names else ""
        doc = (function.__doc__ or "").strip().splitlines()[0]
        step = Step(
            kind=kind, pattern=pattern, doc=doc, call=function, regex=regex, readers=readers, takes=takes
        )
        function.__dict__.setdefault("steps", []).append(step)
        return function

    return mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What must be so for an outcome to be looked at: what the platform is, and is not, able to do."""

    can: frozenset[str] = frozenset()
    cannot: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()

    def holds(self, can: Iterable[str], profile: str) -> bool:
        """Say whether it holds on a connection of that profile with these capabilities."""
        able = frozenset(can)
        return self.can <= able and not self.cannot & able and (not self.profiles or profile in self.profiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A sentence that was understood.

    Args:
        step: which it is.
        values: what stands at its places.
        conditions: what must be so on the platform for an outcome to be looked at.
        group: the group it speaks of; empty for the scenario's own.
        at: the moment to which time moves first.
    """

    step: Step
    values: tuple[Any, ...]
    conditions: tuple[Condition, ...] = ()
    group: str = ""
    at: Moment | None = None


_CONDITION = re.compile(r"(不?能[^,,::「」]+?)时\s*[,,::]\s*(.+)", re.DOTALL)
_ON_PROFILE = re.compile(r"在平台\s*((?:「[^」]+」\s*、?\s*)+)上\s*[,,::]\s*(.+)", re.DOTALL)
_IN_GROUP = re.compile(r"在群\s*(「[^」]+」|“[^”]+”)\s*里\s*[,,::]\s*(.+)", re.DOTALL)
_AT = re.compile(rf"((?:{_DAY}\s*)?{_CLOCK})\s*[,,]\s*(.+)", re.DOTALL)


@dataclass(slots=True)
class _Prefixes:
    conditions: list[Condition] = field(default_factory=list[Condition])
    group: str = ""
    at: Moment | None = None


class Registry:
    """All sentences that may be said.

    Args:
        modules: where functions marked with `given`, `when` or `then` are.
    """

    def __init__(self, modules: Sequence[ModuleType]) -> None:
        self.steps: tuple[Step, ...] = tuple(
            step
            for module in modules
            for thing in vars(module).values()
            if getattr(thing, "__module__", "") == module.__name__
            for step in getattr(thing, "steps", ())
        )

    def read(self, sentence: str) -> Said:
        """Find what a sentence says.

        Raises:
            ScenarioError: no step, or more than one, says that; the text names the nearest.
        """
        prefixes = _Prefixes()
        rest = _without_prefixes(_plain(sentence.strip()), prefixes)
        found = [(step, values) for step in self.steps if (values := step.read(rest)) is not None]
        if not found:
            raise ScenarioError(f"no step says “{rest}”{self._nearest(rest)}")
        if len(found) > 1:
            patterns = " / ".join(f"“{step.pattern}”" for step, _ in found)
            raise ScenarioError(f"“{rest}” may be read as more than one step: {patterns}")
        step, values = found[0]
        if prefixes.conditions and step.kind != "then":
            raise ScenarioError(f"“{sentence}”: only an outcome may depend on what the platform can do")
        if prefixes.at is not None and step.kind == "then":
            raise ScenarioError(f"“{sentence}”: an outcome moves no clock; say 当 … 到了 first")
        return Said(
            step=step,
            values=values,
            conditions=tuple(prefixes.conditions),
            group=prefixes.group,
            at=prefixes.at,
        )

    def _nearest(self, sentence: str) -> str:
        bare = _bare(sentence)
        ranked = sorted(
            self.steps, key=lambda step: -SequenceMatcher(None, bare, _bare(step.example)).ratio()
        )
        return f"; the nearest known step is “{ranked[0].pattern}”" if ranked else ""


_WIDE = str.maketrans("\uff0c\uff1a\uff1b\uff08\uff09\u3000", ",:;() ")


def _plain(sentence: str) -> str:
    """Give a sentence with full-width marks as the half-width ones of the patterns; what is quoted stays."""
    parts = re.split(f"({_QUOTED})", sentence)
    return "".join(part if number % 2 else part.translate(_WIDE) for number, part in enumerate(parts))


def _bare(sentence: str) -> str:
    return re.sub(r"\s+|\d+", "", re.sub(_QUOTED, "「」", sentence))


def _without_prefixes(sentence: str, prefixes: _Prefixes) -> str:
    """Take off what stands before the step itself: moment, group, conditions, in any order."""
    while True:
        if (found := _AT.fullmatch(sentence)) is not None:
            prefixes.at, sentence = Moment.read(found[1]), found[2]
        elif (found := _IN_GROUP.fullmatch(sentence)) is not None:
            prefixes.group, sentence = _unquoted(found[1]), found[2]
        elif (found := _ON_PROFILE.fullmatch(sentence)) is not None:
            named = frozenset(profile_named(name) for name in re.findall("[^「」、\\s]+", found[1]))
            prefixes.conditions.append(Condition(profiles=named))
            sentence = found[2]
        elif (found := _CONDITION.fullmatch(sentence)) is not None:
            prefixes.conditions.append(read_condition(found[1]))
            sentence = found[2]
        else:
            return sentence


def read_condition(text: str) -> Condition:
    """Read `能看到群消息但不能撤回消息`.

    Raises:
        ScenarioError: a capability has no such name.
    """
    can, cannot = set[str](), set[str]()
    negative = False
    for part in re.split("[、且但和]", text):
        word = part.strip()
        if word.startswith("不能"):
            negative, word = True, word[2:]
        elif word.startswith("能"):
            negative, word = False, word[1:]
        if word:
            (cannot if negative else can).add(meaning("capability", word))
    return Condition(can=frozenset(can), cannot=frozenset(cannot))


def capability_names() -> Mapping[str, str]:
    """Give what capabilities are called: word → capability."""
    return words()["capability"]
