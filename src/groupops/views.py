"""How policies read: a pack as the regulation it came from, chapter by chapter, with what follows a breach."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby
from typing import Any

from pydantic import BaseModel

from groupops.plugin import Manifest, Settings, texts_of
from groupops.policy import Ladder, Policy
from groupops.shelf import Pack

_REF = re.compile(r"(?:\S+\s+)*?(?P<chapter>[^.\s]+)\.\S.*")
"""A number with its chapter, as `篇十 二.9` or `篇二 3.5` has one; `第三条` has none."""


def pack_text(pack: Pack, policy: Policy, manifests: Mapping[str, Manifest]) -> str:
    """Give a pack as text that reads like the regulation it came from.

    Articles are counted from 1 in the pack's order, rules under one reference as one; `群规 10` asks for one
    by the text's own number, or else by this.

    Args:
        pack: the pack.
        policy: what it resolves to.
        manifests: installed plugins, for the titles of rules and settings.
    """
    book = _Book(pack, policy, manifests)
    parts = (book.head(), book.clauses(), book.discipline(), book.waiting(), book.settings())
    return "\n\n".join(text for lines in parts if (text := "\n".join(lines).strip("\n")))


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    raw = resources.files("groupops").joinpath("views.toml").read_text("utf-8")
    return tomllib.loads(raw)


def _word(table: str, key: str) -> str:
    return _words()[table].get(key, key)


@dataclass(frozen=True, slots=True)
class _Book:
    """One pack on its way to paper."""

    pack: Pack
    policy: Policy
    manifests: Mapping[str, Manifest]

    # — title and scope —

    def head(self) -> Iterator[str]:
        pack, policy = self.pack, self.policy
        yield f"{pack.title}({pack.id})"
        yield f"适用:{'、'.join(self._scope())}"
        yield f"施行:{policy.effective or '发布即施行'}"
        if policy.group.manager_role != "admin":
            yield f"管理:{policy.group.manager_role}"
        if pack.header is not None and pack.header.notes:
            yield f"说明:{pack.header.notes}"

    def _scope(self) -> Iterator[str]:
        group, header = self.policy.group, self.pack.header
        if header is not None:
            yield _word("org_type", header.org_type)
        if group.name:
            yield f"群名为“{group.name}”"
        if group.purpose:
            yield f"用途为{group.purpose_text or _word('purpose', group.purpose)}"
        yield f"限{_word('eligible', group.eligible)}入群"
        if group.must_join:
            yield f"必须入群的有{'、'.join(group.must_join)}"

    # — clauses —

    def clauses(self) -> Iterator[str]:
        articles = enumerate(articles_of(self.policy).items(), 1)
        for chapter, inside in groupby(articles, key=lambda one: self._chapter(one[1][0])):
            yield from ("", chapter) if chapter else ("",)
            for number, (ref, entries) in inside:
                yield from self._article(number, ref, entries)

    def _chapter(self, ref: str) -> str:
        """Give the heading under which a clause stands; empty when its text knows no chapters."""
        titles = self.pack.header.chapters if self.pack.header is not None else {}
        found = _REF.fullmatch(ref)
        chapter = found["chapter"] if found else ref.rpartition(" ")[2]
        if found is None and chapter not in titles:
            return ""
        mark = " " if chapter.isascii() else "、"
        return f"{chapter}{mark}{titles[chapter]}" if chapter in titles else chapter

    def _article(self, number: int, ref: str, entries: Sequence[tuple[str, str]]) -> Iterator[str]:
        """Give one article; rules of it that lead to the same share the line that says so."""
        told = [(f"{text}{self._idle(rule)}", self._ladder_name(rule)) for rule, text in entries]
        head = f"  {number}. {ref}"
        for name, alike in groupby(told, key=lambda one: one[1]):
            for text, _ in alike:
                yield f"{head}  {text}"
                head = " " * 4
            if name in self.policy.ladders:
                yield f"      违反时:{self._consequence(self.policy.ladders[name])}"

    def _idle(self, rule: str) -> str:
        plugin = rule.partition(".")[0]
        if plugin in self.policy.inactive:
            return f"(尚未启用:待安装“{self._title(plugin)}”)"
        return f"(未启用“{self._title(plugin)}”)" if self._off(plugin) else ""

    def _off(self, plugin: str) -> bool:
        return plugin in self.manifests and plugin not in self.policy.enabled

    def _ladder_name(self, rule: str) -> str:
        """Give the ladder a rule leads to: by its name, by its category, or the plugin's only one."""
        plugin, _, name = rule.partition(".")
        table = self._table(plugin)
        ladders = table.get("ladders", {})
        named = table.get(f"{name}_ladder") or ladders.get(name)
        return str(named or ladders.get("default") or table.get("ladder") or "")

    def _table(self, plugin: str) -> Mapping[str, Any]:
        """Give what is set for a plugin; where it is not installed, what the pack says."""
        settings = self.policy.settings.get(plugin)
        if settings is not None:
            return settings.model_dump()
        said: Mapping[str, Any] = self.pack.tables.get(plugin, {})
        return said

    # — what follows —

    def _consequence(self, ladder: Ladder) -> str:
        if ladder.pick == "human":
            return f"由管理员按情节选定一档:{'、'.join(self._step(step) for step in ladder.steps)}"
        last = len(ladder.steps)
        return ";".join(
            f"{_count(number, last)}{self._step(step)}({self._who(step, alone=number <= ladder.human_from)})"
            for number, step in enumerate(ladder.steps, 1)
        )

    def _step(self, step: str) -> str:
        told = texts_of("groupops")(f"step.{step}")
        if step == "refer":
            return f"{told}{_word('refer_to', self.policy.discipline.refer_to)}"
        mode = str(self._table("red_packet").get("mode", "")) if step == "redpacket" else ""
        return f"{told},{_word('mode', mode)}" if mode else told

    def _who(self, step: str, *, alone: bool) -> str:
        if alone:
            return "案情清楚的由机器人直接作出"
        needed = self.policy.discipline.kick_approvals
        return f"须 {needed} 名管理员核准" if step == "kick" else "须管理员核准"

    def discipline(self) -> Iterator[str]:
        table = self.policy.discipline
        yield "处理办法"
        yield f"  警告及以上的处分一律由人核准,举报人和本人不参与;移出本群须 {table.kick_approvals} 名管理员同意。"
        yield f"  {table.appeal_hours} 小时内可以申诉,另由他人决定;核准期限 {table.approve_hours} 小时,逾期失效。"
        yield f"  发布后 {table.self_recall_grace_s} 秒内自行撤回的不计;处分记录按各阶梯的期限到期失效:{self._terms()}。"

    def _terms(self) -> str:
        used = {self._ladder_name(rule) for rule in self.policy.clauses} & set(self.policy.ladders)
        days = sorted({self.policy.ladders[name].ttl_days for name in used})
        return "、".join(f"{one} 天" for one in days) or "无"

    # — what is still to come, and what is set —

    def waiting(self) -> Iterator[str]:
        if not self.policy.inactive:
            return
        yield "尚未启用(插件待安装,条文先列出,不执行)"
        for plugin in self.policy.inactive:
            rules = self._numbers_of(plugin)
            where = f":第 {'、'.join(str(one) for one in rules)} 条" if rules else ""
            yield f"  {self._title(plugin)}({plugin}){where}"

    def _numbers_of(self, plugin: str) -> list[int]:
        articles = enumerate(articles_of(self.policy).values(), 1)
        return [number for number, rules in articles if any(_of(rule) == plugin for rule, _ in rules)]

    def settings(self) -> Iterator[str]:
        yield "各项设置(只列与缺省不同的)"
        for name in self.policy.enabled:
            if (settings := self.policy.settings.get(name)) is None:
                continue
            told = list(_told(settings, ""))
            yield f"  {self._title(name)}({name}){'' if told else ':全部为缺省'}"
            yield from (f"    {line}" for line in told)

    def _title(self, plugin: str) -> str:
        manifest = self.manifests.get(plugin)
        return manifest.title if manifest is not None else _word("plugin", plugin)


def articles_of(policy: Policy) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Give the articles of a policy in its own order: reference → (rule, text) of each rule under it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for rule, clause in policy.clauses.items():
        found.setdefault(clause.ref or rule, []).append((rule, clause.text))
    return found


def _of(rule: str) -> str:
    return rule.partition(".")[0]


def _count(number: int, last: int) -> str:
    if last == 1:
        return ""
    return f"第 {number} 次{'起' if number == last else ''}"


def _told(settings: Settings, path: str) -> Iterator[str]:
    """Give a line for each value that is not the default, tables within tables included."""
    for key, field in type(settings).model_fields.items():
        value = getattr(settings, key)
        if isinstance(value, Settings):
            yield from _told(value, f"{path}{key}.")
        elif value != field.get_default(call_default_factory=True):
            yield f"{field.title or key}({path}{key}):{_value(value)}"


def _value(value: Any) -> str:
    """Give a value as people write it."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, BaseModel):
        told = ((field.title or key, getattr(value, key)) for key, field in type(value).model_fields.items())
        return " ".join(f"{title} {_value(inner)}" for title, inner in told)
    if isinstance(value, Mapping):
        return ";".join(f"{key} 为 {_value(inner)}" for key, inner in value.items())  # pyright: ignore[reportUnknownVariableType] - settings of any type
    if isinstance(value, list | tuple | set | frozenset):
        return "、".join(_value(one) for one in value) or "无"  # pyright: ignore[reportUnknownVariableType] - settings of any type
    return f"{value:g}" if isinstance(value, float) else str(value) if value not in ("", None) else "无"
