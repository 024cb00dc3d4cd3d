"""Sentences that check cases: which rule, which clause, which step, how many strikes, who decided."""
# ruff: noqa: D415 - the first lines are sentences of the Chinese manual, with its full stop

from __future__ import annotations

from groupops.records import Case
from groupops.scenario import seeing
from groupops.scenario.language import then
from groupops.scenario.stage import Stageplay
from groupops.scenario.steps.outcomes import expect


@then("立案 {int} 件")
async def booked(stage: Stageplay, count: int) -> None:
    """这一段里记下几个事项(不计次的提醒也算一个)。"""
    found = await stage.cases()
    await expect(stage, len(found) == count, f"{count} case(s), not {len(found)}")


@then("没有立案")
async def not_booked(stage: Stageplay) -> None:
    """这一段里没有记下任何事项。"""
    await expect(stage, not await stage.cases(), "no case")


async def _case(stage: Stageplay, holds: bool, case: Case, what: str) -> None:
    await expect(stage, holds, f"{what}; the case is: {seeing.bitten(case)}")


@then("该事项的规则是{text}")
async def by_rule(stage: Stageplay, rule: str) -> None:
    """最近一个事项是哪条规则(规则编号)。"""
    case = await stage.case()
    await _case(stage, case.rule == rule, case, f"rule {rule}, not {case.rule}")


@then("该事项依据{text}")
async def by_clause(stage: Stageplay, ref: str) -> None:
    """最近一个事项依据原文的哪一条。"""
    case = await stage.case()
    found = case.clause.ref if case.clause else ""
    await _case(stage, found == ref, case, f"clause “{ref}”, not “{found}”")


@then("该事项涉及 {account}")
async def about(stage: Stageplay, name: str) -> None:
    """最近一个事项是关于谁的。"""
    case = await stage.case()
    await _case(stage, case.account == stage.account(name), case, f"a case about {name}, not {case.account}")


@then("该事项{status}")
async def stands(stage: Stageplay, status: str) -> None:
    """最近一个事项的状态:已提醒,不计次、待裁定、待核准、已生效、申诉中、已自行纠正、不成立、已豁免、已撤销、逾期失效。"""
    case = await stage.case()
    await _case(stage, case.status.value == status, case, f"status {status}, not {case.status.value}")


@then("该事项的处分是{sanction}")
async def at_step(stage: Stageplay, step: str) -> None:
    """最近一个事项已定或拟定的处分;「不定档」表示由人来选。"""
    case = await stage.case()
    await _case(stage, case.step == step, case, f"step {step or 'none'}, not {case.step or 'none'}")


@then("该事项是第 {int} 次")
async def nth_strike(stage: Stageplay, number: int) -> None:
    """最近一个事项是第几次有效记录;0 表示不计次。"""
    case = await stage.case()
    await _case(stage, case.strike == number, case, f"strike {number}, not {case.strike}")


@then("该事项需 {int} 人核准")
async def needs_approvals(stage: Stageplay, count: int) -> None:
    """最近一个事项需要几名不同的管理员同意。"""
    case = await stage.case()
    await _case(
        stage, case.approvals_needed == count, case, f"{count} approval(s), not {case.approvals_needed}"
    )


@then("该事项的阶梯是{text}")
async def on_ladder(stage: Stageplay, ladder: str) -> None:
    """最近一个事项记在哪个阶梯上;空表示不在阶梯上。"""
    case = await stage.case()
    await _case(stage, case.ladder == ladder, case, f"ladder “{ladder}”, not “{case.ladder}”")


@then("该事项的证据里有{text}")
async def has_evidence(stage: Stageplay, text: str) -> None:
    """最近一个事项的证据(种类、原词、细节)提到这几个字。"""
    case = await stage.case()
    found = [part for one in case.evidence for part in (one.what, one.quote, one.detail)]
    await _case(stage, any(text in part for part in found), case, f"evidence “{text}”, not {found}")


@then("该事项的原因里有{text}")
async def has_reason(stage: Stageplay, text: str) -> None:
    """最近一个事项的某条原因提到这几个字。"""
    case = await stage.case()
    found = (case.reason, *case.reasons)
    await _case(stage, any(text in one for one in found), case, f"reason “{text}”, not {found}")


@then("该事项有 {int} 条原因")
async def has_reasons(stage: Stageplay, count: int) -> None:
    """最近一个事项合并了几条不同的原因。"""
    case = await stage.case()
    await _case(stage, len(case.reasons) == count, case, f"{count} reason(s), not {list(case.reasons)}")


@then("该事项没有保存原文")
async def keeps_no_text(stage: Stageplay) -> None:
    """最近一个事项不存消息的文字,证据里也没有原词。"""
    case = await stage.case()
    quotes = [one.quote for one in case.evidence if one.quote]
    await _case(stage, not case.excerpt and not quotes, case, f"no text kept, not “{case.excerpt}” {quotes}")


@then("该事项保存的原文是{text}")
async def keeps_text(stage: Stageplay, text: str) -> None:
    """最近一个事项保存的消息文字。"""
    case = await stage.case()
    await _case(stage, case.excerpt == text, case, f"kept text “{text}”, not “{case.excerpt}”")


@then("该事项的举报人是 {account}")
async def reported_by(stage: Stageplay, name: str) -> None:
    """最近一个事项是谁举报的(只有机器人知道)。"""
    case = await stage.case()
    await _case(stage, case.reporter == stage.account(name), case, f"reported by {name}, not {case.reporter}")


@then("{account} 在阶梯{text}上有 {int} 次有效记录")
async def strikes(stage: Stageplay, name: str, ladder: str, count: int) -> None:
    """这个人(不论哪个平台的账号)在一个阶梯上现有几次有效记录。"""
    person = await stage.records.person_of(stage.account(name))
    found = 0 if person is None else await stage.records.strikes(person.id, ladder, stage.rig.clock.now())
    await expect(stage, found == count, f"{count} valid strike(s) of {name} on {ladder}, not {found}")


@then("{account} 没有任何有效记录")
async def no_strikes(stage: Stageplay, name: str) -> None:
    """这个人没有任何计次的事项。"""
    person = await stage.records.person_of(stage.account(name))
    cases = () if person is None else await stage.records.cases(person_id=person.id)
    counted = [case for case in cases if case.strike and case.status.value == "effective"]
    await expect(stage, not counted, f"no strike of {name}, not {[seeing.bitten(case) for case in counted]}")
