"""What applies in a group once packs and overrides are merged: the core's own tables, as typed values.

The tables `group, ladder, discipline, messages, retention, clause` of a pack are the core's; every other
table is a plugin's (`settings.py` merges, this file only says what there is).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from groupops.people import Clause
from groupops.plugin import Settings

StepName = Literal[
    "remind", "warn", "severe_warn", "educate", "mute", "kick", "redpacket", "refer", "admin_case"
]
"""The steps a ladder may have (`architecture.md` §6)."""


class Ladder(Settings):
    """One ladder: what follows the first, second, third … confirmed offence (G9, G10, G17)."""

    steps: tuple[StepName, ...] = Field(
        default=("remind", "warn", "admin_case"), min_length=1, title="各档处分"
    )
    ttl_days: int = Field(default=180, ge=1, le=3650, title="记录有效天数")
    human_from: int = Field(default=1, ge=0, title="从第几档(自 0 起)起须人工核准")
    pick: Literal["next", "human"] = Field(default="next", title="选档方式")

    @model_validator(mode="after")
    def _only_a_first_reminder_runs_alone(self) -> Ladder:
        """G17: only a first `remind` may run without a human."""
        first_other = next((i for i, step in enumerate(self.steps) if step != "remind"), len(self.steps))
        limit = min(1, first_other)
        if self.human_from > limit:
            message = (
                f"human_from = {self.human_from}, but only a first reminder may run without a human; "
                f"with steps {list(self.steps)} it may be at most {limit}"
            )
            raise ValueError(message)
        return self


class Discipline(Settings):
    """How cases are decided (C57, C58)."""

    kick_approvals: int = Field(default=2, ge=1, le=9, title="移出所需核准人数")
    reason_required: bool = Field(default=True, title="决定须写明理由")
    prior_notice: bool = Field(default=True, title="移出前须事先通知")
    notice_hours: int = Field(default=24, ge=0, le=720, title="群主独自决定移出前的通知时长(小时)")
    appeal_hours: int = Field(default=72, ge=1, le=720, title="申诉期(小时)")
    approve_hours: int = Field(default=72, ge=1, le=720, title="核准期限(小时),逾期失效")
    hold_mute_minutes: int = Field(default=30, ge=0, le=30, title="待裁定时临时禁言(分钟)")
    mute_minutes: int = Field(default=60, ge=1, le=43200, title="处分禁言时长(分钟)")
    self_recall_grace_s: int = Field(default=120, ge=0, le=3600, title="自行撤回免记期(秒)")
    burst_s: int = Field(default=120, ge=0, le=3600, title="首次提示前连发只计一次的时长(秒)")
    refer_to: str = Field(default="hr", title="转交给谁")
    admin_accountable: bool = Field(default=True, title="管理员同受约束")
    disobey_ladder: str = Field(default="", title="不服从管理所用阶梯")
    rejoin_restores: bool = Field(default=True, title="重新入群恢复未结事项")
    on_plugin_error: Literal["stand", "hold"] = Field(default="stand", title="插件出错时消息照常或交管理员")


class GroupTable(Settings):
    """What the regulation says of the group itself."""

    name: str = Field(default="", title="固定群名")
    name_pattern: str = Field(default="", title="群名须符合的模式(RE2)")
    level: str = Field(default="", title="级别")
    purpose: Literal["", "work", "industry", "open"] = Field(default="", title="用途")
    purpose_text: str = Field(default="", title="用途说明")
    eligible: str = Field(default="members", title="可入群者")
    must_join: tuple[str, ...] = Field(default=(), title="必须入群者")
    manager_role: str = Field(default="admin", title="管理岗位")
    service_hours: tuple[str, ...] = Field(default=("08:30-18:00",), title="工作时段")


class Retention(Settings):
    """How long each class of record is kept, in days."""

    excerpt_days: int = Field(default=90, ge=1, le=3650, title="消息摘录")
    strike_days: int = Field(default=180, ge=1, le=3650, title="处分记录")
    ledger_days: int = Field(default=365, ge=1, le=3650, title="台账")
    event_days: int = Field(default=180, ge=1, le=3650, title="事项与工单")
    snapshot_days: int = Field(default=30, ge=1, le=3650, title="成员快照")
    audit_days: int = Field(default=365, ge=1, le=3650, title="审计")

    def terms(self) -> dict[str, int]:
        """Give class → days, as `Records.purge` takes it."""
        return {name.removesuffix("_days"): value for name, value in self.model_dump().items()}


DEFAULT_LADDERS: Mapping[str, Ladder] = {
    "soft": Ladder(),
    "warn_kick": Ladder(steps=("warn", "kick"), human_from=0),
    "kick": Ladder(steps=("kick",), human_from=0),
    "warn": Ladder(steps=("warn",), human_from=0),
    "severe": Ladder(steps=("severe_warn",), human_from=0),
    "internal": Ladder(steps=("refer",), human_from=0),
    "by_severity": Ladder(steps=("warn", "mute", "kick", "refer"), human_from=0, pick="human"),
    "redpacket": Ladder(steps=("redpacket",), human_from=0),
    "educate": Ladder(steps=("educate", "refer"), ttl_days=365, human_from=0, pick="human"),
}
"""The ladders there are without any pack (`policy_packs.md` §0.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that applies in one group.

    Args:
        enabled: plugins that run, in the order they were named.
        inactive: plugins a pack wants that are not installed here.
        settings: plugin → its settings, typed.
        ladders: name → ladder.
        discipline, group, retention: the core's tables.
        messages: key → text that replaces a plugin's or the core's own.
        clauses: rule id → where it stands in the regulation.
        effective: before this day nothing is enforced (G20); None = at once.
        titles: titles of the packs, in order.
    """

    enabled: tuple[str, ...] = ()
    inactive: tuple[str, ...] = ()
    settings: Mapping[str, Settings] = field(default_factory=dict[str, Settings])
    ladders: Mapping[str, Ladder] = field(default_factory=lambda: dict(DEFAULT_LADDERS))
    discipline: Discipline = field(default_factory=Discipline)
    group: GroupTable = field(default_factory=GroupTable)
    retention: Retention = field(default_factory=Retention)
    messages: Mapping[str, str] = field(default_factory=dict[str, str])
    clauses: Mapping[str, Clause] = field(default_factory=dict[str, Clause])
    effective: date | None = None
    titles: tuple[str, ...] = ()
