"""What an operator may set about moderation; everything wrong is found here, once."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from groupops import Member, Settings, Severity
from groupops_moderation.categories import LEVELS, AutoMax, Category, Detector, load_categories, within
from groupops_moderation.detectors.patterns import compile_pattern
from groupops_moderation.detectors.urls import domain
from groupops_moderation.lists import read_list
from groupops_moderation.matcher import fold_term

OWN_WORDS = 2_000
"""Words a group may have of its own; longer lists belong into a file, which groups share."""

PATTERNS = 50
"""Patterns a group may have: all of them run over every message."""

_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


def _each_once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _known(category: str) -> str:
    """A category's id as it is, or an error with the nearest that exists."""
    known = load_categories()
    if category not in known:
        near = get_close_matches(category, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"
        raise ValueError(f"there is no category {category!r}{hint}")
    return category


def _matchable(word: str) -> str:
    fold_term(word)  # raises TermError, which pydantic reports as any ValueError
    return word


def _of_category(value: Any, info: ValidationInfo) -> Any:
    """A plain list is short for a table with the category such lists are usually for."""
    usual = {"operator_words": "other_harm", "url_deny": "malware_link"}.get(info.field_name or "")
    return {usual: cast("Any", value)} if usual and isinstance(value, list | tuple) else value


_Category = Annotated[str, AfterValidator(_known)]
_Words = Annotated[tuple[Annotated[_Word, AfterValidator(_matchable)], ...], AfterValidator(_each_once)]
_Domains = Annotated[tuple[Annotated[_Word, AfterValidator(domain)], ...], AfterValidator(_each_once)]
_Ladder = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class CategoryTable(Settings):
    """What a group says otherwise about one category; None leaves it as it ships."""

    severity: Literal["low", "medium", "high", "critical"] | None = Field(default=None, title="轻重")
    detectors: tuple[Detector, ...] | None = Field(default=None, title="由什么发现")
    auto_max: AutoMax | None = Field(default=None, title="机器单独至多做到哪一步")
    list_max: AutoMax | None = Field(default=None, title="命中自备词表时机器至多做到哪一步")


class PatternTable(Settings):
    """One pattern and the category it stands for."""

    pattern: str = Field(min_length=1, max_length=500, title="RE2 模式")
    category: _Category = Field(title="类别")
    act: bool = Field(default=False, title="命中即按类别处理(否则只交管理员)")


class Moderation(Settings):
    """What may not be posted in a group, and how far the machine goes by itself (C18-C27, C47, C49, C74)."""

    use: Annotated[tuple[_Category, ...], AfterValidator(_each_once)] = Field(default=(), title="启用的类别")
    ladders: Mapping[str, _Ladder] = Field(
        default={"default": "soft"}, title="各类别所用阶梯(default 为其余)"
    )
    categories: Mapping[_Category, CategoryTable] = Field(
        default={}, title="改动类别的轻重、发现方式与自动处理上限"
    )
    exempt_roles: Annotated[tuple[_Word, ...], AfterValidator(_each_once)] = Field(
        default=(), title="不受限的角色"
    )
    grievance_words: _Words = Field(
        default=("工资", "加班", "社保", "劳动仲裁", "工会", "举报", "安全隐患"),
        title="反映诉求的词(严重类别之外不处罚)",
    )
    grievance_hint: bool = Field(default=True, title="反映诉求时私下提示建议渠道")
    operator_list_files: Annotated[tuple[_Word, ...], AfterValidator(_each_once)] = Field(
        default=(), title="自备词表文件"
    )
    operator_words: Annotated[Mapping[_Category, _Words], BeforeValidator(_of_category)] = Field(
        default={}, title="本群自备词(类别 → 词)"
    )
    allow: _Words = Field(default=(), title="放行的词句(其中的命中不算)")
    patterns: Mapping[_Word, PatternTable] = Field(
        default={}, max_length=PATTERNS, title="RE2 模式(名称 → 模式与类别)"
    )
    url_allow: _Domains = Field(default=(), title="放行的域名")
    url_deny: Annotated[Mapping[_Category, _Domains], BeforeValidator(_of_category)] = Field(
        default={}, title="禁止的域名(类别 → 域名;写成列表即 malware_link)"
    )
    file_types_allow: Annotated[tuple[_Word, ...], AfterValidator(_each_once)] = Field(
        default=(), title="允许发送的可执行文件类型"
    )
    markings: tuple[_Word, ...] = Field(default=("机密", "绝密", "秘密★", "内部资料"), title="涉密或内部标记")
    document_prefixes: tuple[_Word, ...] = Field(default=(), title="算作红头文件的发文字号前缀(空为全部)")
    numbers: tuple[Literal["id_card", "bank_card", "mobile"], ...] = Field(
        default=("id_card", "bank_card"), title="查找哪些个人号码"
    )
    mute_minutes: int = Field(default=30, ge=1, le=30, title="待裁定时临时禁言(分钟)")
    split_seconds: int = Field(default=60, ge=0, le=600, title="同一人连发的短消息几秒内合看(0 为不合看)")
    reports_per_hour: int = Field(default=10, ge=1, le=1000, title="每人每小时至多举报几次")

    @model_validator(mode="after")
    def _holds(self) -> Self:
        """Whatever spans several settings, or lies in files."""
        self._check_levels()
        self._check_patterns()
        for name in self.ladders:
            if name != "default":
                _known(name)
        own = sum(len(words) for words in self.operator_words.values())
        if own > OWN_WORDS:
            raise ValueError(
                f"operator_words: {own} words, at most {OWN_WORDS}; put them into a file of operator_list_files"
            )
        for path in self.operator_list_files:
            read_list(path)
        return self

    def _check_levels(self) -> None:
        for id_, table in self.categories.items():
            ceiling = load_categories()[id_].ceiling
            for key in ("auto_max", "list_max"):
                wanted: AutoMax | None = getattr(table, key)
                if wanted is not None and not within(wanted, ceiling):
                    raise ValueError(
                        f"categories.{id_}.{key} = {wanted!r}: for this category a machine may go no further than "
                        f"{ceiling!r}; write one of {', '.join(LEVELS[: LEVELS.index(ceiling) + 1])}"
                    )

    def _check_patterns(self) -> None:
        for name, table in self.patterns.items():
            compile_pattern(name, table.pattern)  # raises PatternError, a ValueError

    @cached_property
    def active(self) -> Mapping[str, Category]:
        """The categories in use, as the group has them."""
        shipped = load_categories()
        return MappingProxyType({id_: self._changed(shipped[id_]) for id_ in self.use})

    def _changed(self, category: Category) -> Category:
        table = self.categories.get(category.id)
        if table is None:
            return category
        # A lower limit for everything is one for list hits as well, unless that is set by itself.
        list_max = table.list_max or table.auto_max
        return replace(
            category,
            severity=Severity[table.severity.upper()] if table.severity else category.severity,
            detectors=category.detectors if table.detectors is None else frozenset(table.detectors),
            auto_max=table.auto_max or category.auto_max,
            list_max=list_max or category.list_max,
        )

    def ladder_of(self, category: str) -> str:
        """The ladder an offence of a category counts on."""
        return self.ladders.get(category) or self.ladders.get("default", "soft")

    @property
    def mute_span(self) -> timedelta:
        """How long a mute lasts that waits for a human."""
        return timedelta(minutes=self.mute_minutes)

    def exempts(self, member: Member) -> bool:
        """Whether a member's role is let off: on the platform, in the organisation, or `steward` (G8)."""
        if not self.exempt_roles:
            return False
        roles = {member.role.value, *member.org_roles, *(("steward",) if member.steward else ())}
        return not roles.isdisjoint(self.exempt_roles)
