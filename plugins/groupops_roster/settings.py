"""What an operator may set about who belongs to a group and under which name; everything wrong is found here."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from groupops import Member, Settings, Window

_CLOCK = r"^(?:[01]\d|2[0-3]):[0-5]\d$"

_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _each_once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _no_referrers(value: Any) -> Any:
    """F7 names who referred somebody: it is read, and never asked of anybody (E13)."""
    if value == "F7":
        raise ValueError(
            "F7 (own name + referrer) is not enforced here, because a card must not show who recruited whom; "
            "use F1 to F6, e.g. F6 (real name, free form)"
        )
    return value


_Words = Annotated[tuple[_Word, ...], AfterValidator(_each_once)]

CardFormat = Annotated[Literal["F1", "F2", "F3", "F4", "F5", "F6"], BeforeValidator(_no_referrers)]
"""The name formats that may be asked for (`rules.md` §3)."""


class Cards(Settings):
    """How a card has to look and what follows when it does not (C12, C13)."""

    enforce: bool = Field(default=True, title="核对群名片")
    format: CardFormat = Field(default="F6", title="命名格式(F1 至 F6)")
    separators: _Words = Field(default=(), title="允许的分隔符")
    canonical_separator: str = Field(default="", max_length=3, title="建议写法所用的分隔符")
    aliases: dict[_Word, _Word] = Field(
        default_factory=dict[str, str], title="单位的别称(别称 = 名册上的写法)"
    )
    grace_minutes: int = Field(default=60, ge=0, le=10_080, title="入群后的宽限(分钟)")
    remind_every_hours: int = Field(default=24, ge=1, le=720, title="两次提醒的间隔(小时)")
    max_reminders: int = Field(default=3, ge=1, le=30, title="最多提醒几次")
    remind_per_audit: int = Field(default=20, ge=1, le=500, title="一次核对最多新提醒几人")
    after_max: Literal["admin_case", "list"] = Field(
        default="admin_case", title="提醒满次后(提交管理员,或只列入清单;都不计违规)"
    )
    channel: Literal["dm_then_group", "dm"] = Field(
        default="dm_then_group", title="提醒方式(私信,不通时在群里只说有事;或只私信)"
    )
    auto_set: bool = Field(default=False, title="能确定是谁时由机器人改成建议写法")
    avatar_self_declare: bool = Field(default=False, title="请成员自行声明使用本人头像")
    avatar_ask_at: str = Field(default="10:00", pattern=_CLOCK, title="发出头像声明公告的时刻(只发一次)")

    @model_validator(mode="after")
    def _suggests_what_it_accepts(self) -> Self:
        """A suggestion that the format itself would turn down helps nobody."""
        if self.canonical_separator and self.canonical_separator not in self.separators:
            raise ValueError(
                f"canonical_separator = {self.canonical_separator!r} is not among separators = "
                f"{list(self.separators)}; add it there, or name one of them"
            )
        return self

    @property
    def every(self) -> timedelta:
        """The time between two reminders of one member."""
        return timedelta(hours=self.remind_every_hours)


class Roster(Settings):
    """Who belongs to the group, and what follows for whom it does not list (C05 to C14)."""

    verify_on_join: bool = Field(default=True, title="新成员入群时核验")
    voucher_required: bool = Field(default=False, title="核验须有一位成员担保")
    probation_hours: int = Field(default=24, ge=1, le=720, title="试用时长(小时)")
    probation_until: Literal["hours", "verified"] = Field(
        default="hours", title="试用到何时(到时长,或到核验通过)"
    )
    audit_at: str = Field(default="", pattern=f"^$|{_CLOCK}", title="每日核对的时刻(空:不核对)")
    audit_days: str = Field(default="all", title="每日核对的适用日")
    unknown_action: Literal["flag", "flag_then_case", "kick_case"] = Field(
        default="flag", title="对不在册者(标记、先标记后建案、建移出案)"
    )
    guests: Literal["none", "by_invitation"] = Field(default="none", title="来宾(不收,或凭邀请与同意登记)")
    leaver_action: Literal["kick_case", "flag", "none"] = Field(
        default="kick_case", title="对离职者(建移出案、交管理员、不处理)"
    )
    leaver_grace_hours: int = Field(default=24, ge=0, le=2160, title="离职后的宽限(小时)")
    removal_ladder: str = Field(default="kick", title="移出案所用阶梯")
    delegate_roles: _Words = Field(default=(), title="可更新本单位名册的岗位")
    not_checked: _Words = Field(default=(), title="不核对的账号(其他机器人等)")
    card: Cards = Field(default_factory=Cards, title="群名片")

    @model_validator(mode="after")
    def _audits_on_days_that_exist(self) -> Self:
        """Read the days once, so that a wrong word is found where it was written; raises ConfigError."""
        _ = Window.parse({"start": "00:00", "end": "00:01", "days": self.audit_days})
        return self

    @property
    def probation(self) -> timedelta:
        """How long a newcomer, or somebody who was flagged, has until something follows."""
        return timedelta(hours=self.probation_hours)

    @property
    def leaver_grace(self) -> timedelta:
        """How long somebody who left the organisation may stay."""
        return timedelta(hours=self.leaver_grace_hours)

    def passes_over(self, member: Member) -> bool:
        """Say whether an account is not checked at all, by its whole id or the platform's own part of it."""
        _, _, native = member.account.partition(":")
        return member.account in self.not_checked or native in self.not_checked
