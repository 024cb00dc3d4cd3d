"""What an operator may set about welcoming; everything wrong is found here, once."""

import re
from datetime import time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from groupops import Settings
from groupops_welcome.templates import SLOTS, slots_of

_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _known_slots(template: str) -> str:
    unknown = sorted(slots_of(template) - SLOTS)
    if unknown:
        shown = "、".join(f"{{{slot}}}" for slot in sorted(SLOTS))
        raise ValueError(f"{{{unknown[0]}}} is no slot of the greeting; expected {shown}")
    return template


def _clock(text: str) -> str:
    try:
        time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time of day; expected 00:00 to 23:59, as in 09:00") from None
    if not re.fullmatch(r"\d\d:\d\d", text):
        raise ValueError(f"{text!r}: expected hours and minutes, as in 09:00")
    return text


class Question(Settings):
    """A question people ask again and again."""

    ask: tuple[_Word, ...] = Field(min_length=1, title="问法(可写几种)")
    answer: _Word = Field(title="答复")


class Welcome(Settings):
    """How newcomers are greeted, shown the rules and accompanied (C15), and what is told on demand (C16)."""

    template: Annotated[
        str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_known_slots)
    ] = Field(
        default="欢迎 {name} 加入本群。请先阅读群规(发送“/群规”),并将群昵称改为:{format_hint}",
        title="欢迎词(可用 {name} {format_hint} {rules})",
    )
    checklist: tuple[_Word, ...] = Field(default=("阅读群规", "修改群昵称"), max_length=10, title="入群清单")
    batch_window_s: int = Field(default=60, ge=1, le=3600, title="合并欢迎的时长(秒)")
    followup_hours: int = Field(default=24, ge=1, le=720, title="未完成时隔多久提醒(小时)")
    followups: int = Field(default=1, ge=0, le=5, title="最多提醒几次,之后自然结束")
    vip_intro_role: str = Field(default="", title="入群时由管理员介绍的组织角色")
    vip_wait_hours: int = Field(default=24, ge=1, le=168, title="等候介绍词的时长(小时),过后照常欢迎")
    exempt_roles: tuple[_Word, ...] = Field(
        default=("owner", "admin", "steward", "bot"), title="入群时不作引导的角色"
    )
    bots: tuple[_Word, ...] = Field(default=("bot",), title="机器人账号(可写平台:账号),不欢迎")
    rejoin_hours: int = Field(default=24, ge=0, le=720, title="退群后多久内重新入群不再欢迎(小时)")
    name_limit: int = Field(default=10, ge=1, le=50, title="一条欢迎最多点名几位")
    bulk_limit: int = Field(default=30, ge=1, le=500, title="名单里一次多出几位以上不逐一引导")
    send_rules: Literal["direct", "hint"] = Field(default="direct", title="入群时私信群规全文,或只提示怎么查")
    portion_chars: int = Field(default=600, ge=100, le=2000, title="一条消息最多多少字")
    faq: tuple[Question, ...] = Field(default=(), title="常见问题")
    faq_floor: int = Field(default=60, ge=1, le=100, title="问法相近到多少分才作答(百分制)")
    remind_days: tuple[_Weekday, ...] = Field(default=(), title="群规提醒在星期几(不看节假日;空为不提醒)")
    remind_at: Annotated[str, AfterValidator(_clock)] = Field(default="09:00", title="群规提醒的时刻")
    remind_count: int = Field(default=3, ge=1, le=20, title="每次提醒几条")

    @property
    def batch_window(self) -> timedelta:
        """How long newcomers are collected."""
        return timedelta(seconds=self.batch_window_s)

    @property
    def followup(self) -> timedelta:
        """How long after the greeting, and after each reminder, the next one is due."""
        return timedelta(hours=self.followup_hours)

    @property
    def until_end(self) -> timedelta:
        """How long after the greeting what is still open ends as missed."""
        return self.followup * (self.followups + 1)
