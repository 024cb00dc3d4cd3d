"""What an operator may set about red packets; whether money may be owed at all is checked by the core (G18)."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from groupops import Member, Settings

_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]

MOST_YUAN = 10_000
"""No tariff of any regulation comes near; a larger number is a slip."""


def _each_once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _whole_fen(yuan: float) -> float:
    """A number of yuan as it is, or an error where it is no whole number of fen."""
    if abs(yuan * 100 - round(yuan * 100)) > 1e-6:  # noqa: PLR2004 - what a float of yuan may be off by
        raise ValueError(f"{yuan} yuan is no whole number of fen; write at most two decimals")
    return yuan


def in_fen(yuan: float) -> int:
    """Give an amount of yuan in fen."""
    return round(yuan * 100)


_Yuan = Annotated[float, Field(ge=0, le=MOST_YUAN), AfterValidator(_whole_fen)]


class RedPacket(Settings):
    """How commitments are kept: as education with nothing owed, or as promises people make (C59, C60, E1, E2)."""

    mode: Literal["off", "education", "commitment"] = Field(
        default="education", title="方式(off:不启用;education:教育,不登记金额;commitment:本人承诺)"
    )
    legal_basis: str = Field(default="", title="依据(改用 commitment 前由操作者填写)")
    consulted_on: str = Field(default="", title="征求意见的日期(改用 commitment 前由操作者填写)")
    amount_cny: _Yuan = Field(default=0, title="每项金额(元,只用于 commitment)")
    tariff_cny: dict[str, _Yuan] = Field(default_factory=dict[str, float], title="按规则编号另定的金额(元)")
    cap_month_cny: _Yuan = Field(default=200, title="每人每月上限(元,合计所有群)")
    approver_roles: Annotated[tuple[_Word, ...], AfterValidator(_each_once)] = Field(
        default=("admin",), min_length=1, title="可核准者(admin:任何管理员;其余为组织角色)"
    )
    approvals: int = Field(default=0, ge=0, le=9, title="须几名管理员核准(0:commitment 两名,education 一名)")
    alternatives: Annotated[tuple[_Word, ...], AfterValidator(_each_once)] = Field(
        default=("书面说明", "分享一篇有价值的文章", "值日一次"), min_length=1, title="可选的替代方式"
    )
    worded: Annotated[tuple[_Word, ...], AfterValidator(_each_once)] = Field(
        default=("文字致歉", "书面说明"), title="把话写出来就算完成的替代方式"
    )
    excusing: Annotated[tuple[_Word, ...], AfterValidator(_each_once)] = Field(
        default=("免除",), title="表示请求减免的替代方式"
    )
    due_days: int = Field(default=7, ge=1, le=90, title="告知后几天内答复")
    remind_before_days: Annotated[
        tuple[Annotated[int, Field(ge=0, le=90)], ...], AfterValidator(_each_once)
    ] = Field(default=(3, 1), max_length=2, title="到期前几天私下提醒")
    lapse_days: int = Field(default=30, ge=0, le=365, title="逾期几天无人答复即失效(0:不失效)")
    proof: Literal["redpacket_or_screenshot_confirmed"] = Field(
        default="redpacket_or_screenshot_confirmed", title="凭证(看到红包或本人提交凭证,由管理员确认)"
    )
    minors: bool = Field(default=False, title="群里有未成年人(本插件即不启用)")
    post_totals: bool = Field(default=True, title="月结时在群里公布合计(不提姓名)")
    post_least: int = Field(default=5, ge=2, le=1000, title="至少多少项才公布合计")

    @property
    def works(self) -> bool:
        """True where items are opened at all; never among minors (E18)."""
        return self.mode != "off" and not self.minors

    @property
    def approvals_needed(self) -> int:
        """How many stewards have to agree: where money may be owed, two unless set otherwise."""
        return self.approvals or (2 if self.mode == "commitment" else 1)

    @property
    def cap_fen(self) -> int:
        """The most one person may owe for one month, in fen."""
        return in_fen(self.cap_month_cny)

    def tariff_fen(self, rule: str) -> int:
        """Give what a rule costs, in fen; nothing outside `commitment`."""
        if self.mode != "commitment":
            return 0
        return in_fen(self.tariff_cny.get(rule, self.amount_cny))

    def may_decide(self, member: Member) -> bool:
        """Say whether a member may approve, confirm and waive: a steward, of a role named in `approver_roles`."""
        if not member.steward:
            return False
        return "admin" in self.approver_roles or not member.org_roles.isdisjoint(self.approver_roles)
