"""What an operator may set about quiet hours; everything wrong is found here, once."""

import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from groupops import Member, Settings, Window

_WORK_CALENDAR = frozenset({"workdays", "restdays"})

_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class QuietWindow(Settings):
    """One stretch of the day, as packs write it; a start after the end crosses midnight (G2)."""

    start: str = Field(title="开始时刻")
    end: str = Field(title="结束时刻(不含)")
    days: str = Field(default="all", title="适用日(按开始那天算)")

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        """Read it once, so that a wrong one is found where it was written; raises ConfigError."""
        _ = self.window
        return self

    @cached_property
    def window(self) -> Window:
        """The same as a value that can be asked about moments."""
        return Window.parse({"start": self.start, "end": self.end, "days": self.days})

    @property
    def by_calendar(self) -> bool:
        """True when it needs to know which days are worked."""
        return not _WORK_CALENDAR.isdisjoint(word.strip() for word in self.days.split(","))


def _folded(text: str) -> str:
    """Make full-width and half-width signs, capitals and small letters the same."""
    return unicodedata.normalize("NFKC", text).casefold()


def _each_once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


class QuietHours(Settings):
    """When a group rests and what follows from talking then (C36)."""

    windows: tuple[QuietWindow, ...] = Field(default=(), title="休息时段")
    calendar: Literal["all", "cn"] = Field(default="all", title="工作日历(cn:缺放假安排时提醒管理员)")
    action: Literal["remind", "mute_member", "mute_group"] = Field(
        default="remind", title="处理方式(提醒、禁言发言者、全员禁言)"
    )
    remind_once_per_window: bool = Field(default=True, title="每人每个时段只提醒一次")
    exempt_roles: Annotated[tuple[_Word, ...], AfterValidator(_each_once)] = Field(
        default=(), title="不受限的角色"
    )
    emergency_tags: Annotated[tuple[_Word, ...], AfterValidator(_each_once)] = Field(
        default=("#紧急",), title="紧急标记"
    )
    mute_after: int = Field(default=3, ge=1, le=100, title="同一时段内每发言几条禁言一次")
    mute_minutes: int = Field(default=10, ge=1, le=10, title="每次禁言时长(分钟)")
    defer_bot_messages: bool = Field(default=True, title="机器人的主动消息推迟到休息结束")

    @cached_property
    def rest(self) -> tuple[Window, ...]:
        """The windows as values, read once."""
        return tuple(one.window for one in self.windows)

    @cached_property
    def by_calendar(self) -> bool:
        """True when a missing list of holidays is worth a word to the stewards (G3)."""
        return bool(self.windows) and (self.calendar == "cn" or any(one.by_calendar for one in self.windows))

    @property
    def mute_span(self) -> timedelta:
        """How long one mute lasts."""
        return timedelta(minutes=self.mute_minutes)

    def urgent(self, text: str) -> str:
        """Give the tag that marks a text as urgent, as the operator wrote it; empty when there is none."""
        folded = _folded(text)
        return next((tag for tag in self.emergency_tags if _folded(tag) in folded), "")

    def exempts(self, member: Member) -> bool:
        """Say whether a member's role is let off: on the platform, in the organisation, or `steward` (G8)."""
        if not self.exempt_roles:
            return False
        roles = {member.role.value, *member.org_roles, *(("steward",) if member.steward else ())}
        return not roles.isdisjoint(self.exempt_roles)
