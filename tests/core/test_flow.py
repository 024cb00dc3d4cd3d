"""The one road of a fact: who is asked, what is booked, what is done, and that nothing is done twice."""

import asyncio
from datetime import timedelta
from types import ModuleType
from typing import Any, Never

import pytest

from groupops import (
    AccountId,
    Action,
    CaseChanged,
    DeleteMessage,
    Done,
    Event,
    Evidence,
    GroupId,
    Manifest,
    MessagePosted,
    Mute,
    Offence,
    PersonId,
    Reply,
    Rule,
    SendText,
    Severity,
    hookimpl,
)
from groupops.records import CaseStatus, OutboxState
from groupops.testing import Rig, rig

PACK = """
[pack]
id = "t"
title = "测试"
[plugins]
enabled = ["rude"]
[clause."rude.word"]
ref = "篇十 二.5"
text = "文明用语"
"""


def plugin(name: str = "rude", **hooks: Any) -> ModuleType:
    module = ModuleType(f"groupops_{name}_for_tests")
    module.manifest = Manifest(
        title="测试", hears=frozenset({"message_posted"}), rules=(Rule(id=f"{name}.word", title="测试"),)
    )
    for hook, function in hooks.items():
        function.__name__ = hook
        setattr(module, hook, hookimpl(function))
    return module


def rude(event: Event) -> Offence | None:
    if not isinstance(event, MessagePosted) or "坏" not in event.text:
        return None
    return Offence(
        rule="rude.word",
        reason="用语不当",
        severity=Severity.MEDIUM,
        ladder="soft",
        auto="remind",
        evidence=(Evidence(what="word", quote="坏", start=0, end=1),),
    )


def texts_sent(rig: Rig) -> list[str]:
    return [request.action.text for request in rig.sandbox.world.requests if hasattr(request.action, "text")]


async def test_harmless_talk_is_finished_at_a_glance_and_leaves_no_row() -> None:
    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        event = r.sandbox.say("g1", "wang", "早上好")

        assert r.engine.flow.glance(event) is None
        assert await r.records.outbox() == ()


async def test_a_first_offence_is_reminded_once_and_names_its_clause() -> None:
    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        outcome = await r.say("g1", "wang", "坏")

        assert outcome.booked.case.status is CaseStatus.EFFECTIVE
        assert outcome.booked.case.clause.ref == "篇十 二.5"
        [text] = texts_sent(r)
        assert "篇十 二.5" in text
        assert f"申诉 {outcome.booked.case.id}" in text


async def test_the_same_fact_three_times_is_one_case_and_one_reminder() -> None:
    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        event = r.sandbox.say("g1", "wang", "坏")
        for _ in range(3):
            await r.tell(event)

        assert len(await r.records.cases()) == 1
        assert len(texts_sent(r)) == 1


async def test_a_second_offence_waits_for_a_steward_and_takes_effect_on_a_yes() -> None:
    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        await r.say("g1", "wang", "坏")
        await r.advance(timedelta(hours=1))
        second = (await r.say("g1", "wang", "坏的")).booked.case
        assert second.status is CaseStatus.PROPOSED

        await r.whisper("g1", "admin", f"批准 {second.id}")

        assert (await r.records.case(second.id)).status is CaseStatus.EFFECTIVE
        assert (await r.records.case(second.id)).strike == 2


async def test_an_accepted_appeal_reverses_what_can_be_reversed() -> None:
    def judge(event: Event) -> Offence | None:
        if not isinstance(event, MessagePosted):
            return None
        return Offence(
            rule="rude.word",
            reason="用语不当",
            severity=Severity.HIGH,
            ladder="warn",
            auto="mute",
            contain=(Mute(group_id=event.group_id, account=event.account, span=timedelta(hours=5)),),
            evidence=(Evidence(what="word"),),
        )

    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=judge)}) as r:
        case = (await r.say("g1", "wang", "坏")).booked.case
        await r.whisper("g1", "admin", f"批准 {case.id}")
        await r.whisper("g1", "wang", f"申诉 {case.id} 误会")
        assert (await r.records.case(case.id)).status is CaseStatus.APPEALED

        await r.whisper("g1", "admin2", f"批准 {case.id} 确属误会")

        assert (await r.records.case(case.id)).status is CaseStatus.REVERSED
        kinds = [request.action.kind for request in r.sandbox.world.requests]
        assert "mute" in kinds
        assert "unmute" in kinds


async def test_a_plugin_that_raises_or_hangs_loses_only_its_own_answer() -> None:
    def raises(event: Event) -> Never:
        raise RuntimeError("broken")

    async def hangs(event: Event) -> None:
        await asyncio.sleep(60)

    extra = {
        "rude": plugin(judge=rude),
        "broken": plugin("broken", judge=raises),
        "slow": plugin("slow", judge=hangs),
    }
    pack = PACK.replace('["rude"]', '["broken", "slow", "rude"]')
    async with rig(pack=pack, plugins=(), extra=extra, hook_timeout=0.05) as r:
        outcome = await r.say("g1", "wang", "坏")

        assert outcome.booked is not None
        assert set(outcome.faults) == {"broken", "slow"}
        assert {fault.plugin for fault in r.engine.parts.hooks.faults} == {"broken", "slow"}


async def test_the_same_utterance_from_a_second_source_adds_evidence_only() -> None:
    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        event = r.sandbox.say("g1", "wang", "坏")
        await r.tell(event)
        from dataclasses import replace

        archived = replace(event, id="archive-1", source="archive", at=event.at + timedelta(seconds=40))
        outcome = await r.tell(archived)

        assert outcome.duplicate
        [case] = await r.records.cases()
        assert "archive" in {item.detail for item in case.evidence if item.what == "source"}


async def test_a_reaction_to_what_stands_is_sent() -> None:
    def react(event: Event) -> list[SendText] | None:
        return [SendText(group_id=event.group_id, text="欢迎")] if "你好" in event.text else None

    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(react=react)}) as r:
        await r.say("g1", "wang", "你好")

        assert texts_sent(r) == ["欢迎"]


async def test_in_shadow_nothing_is_booked_or_said_and_the_audit_tells_what_would_have_been() -> None:
    from groupops import Stage

    async with rig(pack=PACK, stage=Stage.SHADOW, plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        outcome = await r.say("g1", "wang", "坏")

        assert outcome.would.worst.rule == "rude.word"
        assert await r.records.cases() == ()
        assert texts_sent(r) == []
        assert [line.what for line in await r.records.audit(what="would have")] == ["would have"]


async def test_where_recall_is_impossible_the_author_is_asked_and_a_ticket_opened() -> None:
    def judge(event: Event) -> Offence | None:
        return Offence(
            rule="rude.word",
            reason="外链",
            severity=Severity.CRITICAL,
            auto="recall",
            contain=(
                DeleteMessage(group_id=event.group_id, message_id=event.message_id, account=event.account),
                Reply(
                    group_id=event.group_id,
                    message_id=event.message_id,
                    text="请勿发送",
                    account=event.account,
                ),
            ),
            evidence=(Evidence(what="url"),),
        )

    async with rig(pack=PACK, profile="wechat-wechaty", plugins=(), extra={"rude": plugin(judge=judge)}) as r:
        await r.say("g1", "wang", "坏")

        [ticket] = await r.records.tickets()
        assert ticket.wanted.kind == "delete_message"
        assert any("撤回" in text for text in texts_sent(r))


async def test_a_reaction_that_would_take_something_from_a_member_goes_to_a_human_instead() -> None:
    def react(event: Event) -> list[Mute] | None:
        if not isinstance(event, MessagePosted):
            return None
        return [Mute(group_id=event.group_id, account=event.account, span=timedelta(minutes=5))]

    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(react=react)}) as r:
        await r.say("g1", "wang", "你好")

        assert "mute" not in {request.action.kind for request in r.sandbox.world.requests}
        [ticket] = await r.records.tickets()
        assert ticket.wanted is not None
        assert ticket.wanted.kind == "mute"


async def test_a_group_may_leave_its_admins_to_themselves() -> None:
    pack = PACK + "\n[discipline]\nadmin_accountable = false\n"
    async with rig(pack=pack, plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        await r.say("g1", "admin", "坏")

        assert await r.records.cases() == ()
        assert [line.what for line in await r.records.audit(what="exempt")] == ["exempt"]


async def test_the_nightly_purge_forgets_what_is_past_the_groups_own_terms() -> None:
    pack = PACK + "\n[retention]\nexcerpt_days = 1\n"
    async with rig(pack=pack, plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        case = (await r.say("g1", "wang", "坏")).booked.case
        assert case.excerpt

        await r.advance(timedelta(days=3))

        assert (await r.records.case(case.id)).excerpt == ""


async def test_an_appeal_nobody_decides_is_put_before_the_stewards_again_and_stays_open() -> None:
    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        case = (await r.say("g1", "wang", "坏")).booked.case
        await r.whisper("g1", "wang", f"申诉 {case.id} 误会")
        before = sum("误会" in text for text in texts_sent(r))

        await r.advance(timedelta(hours=73))

        assert (await r.records.case(case.id)).status is CaseStatus.APPEALED
        assert sum("误会" in text for text in texts_sent(r)) > before


async def test_one_decision_is_appealed_once() -> None:
    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        case = (await r.say("g1", "wang", "坏")).booked.case
        await r.whisper("g1", "wang", f"申诉 {case.id} 误会")
        await r.whisper("g1", "admin", f"驳回 {case.id} 听得很清楚")

        await r.whisper("g1", "wang", f"申诉 {case.id} 再说一次")

        assert (await r.records.case(case.id)).status is CaseStatus.EFFECTIVE
        assert any("只可申诉一次" in text for text in texts_sent(r))


async def test_a_platform_that_never_answers_holds_nobody_up_and_its_text_is_shown_in_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(action: Action, *, key: str) -> Done:
        await asyncio.sleep(3600)
        return Done()

    async with rig(pack=PACK, profile="onebot-napcat", plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        monkeypatch.setattr(r.sandbox, "perform", never)
        r.engine.outbox.patience = 0.05

        case = (await r.say("g1", "wang", "坏")).booked.case

        [row] = await r.records.outbox(case_id=case.id)
        assert row.state is OutboxState.IN_DOUBT
        assert [ticket.key.startswith("doubt:") for ticket in await r.records.tickets()] == [True]


async def test_a_hit_of_a_dismissed_case_that_is_told_again_after_a_restart_is_no_new_case() -> None:
    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        case = (await r.say("g1", "wang", "坏")).booked.case
        await r.advance(timedelta(seconds=20))
        hit = r.sandbox.say("g1", "wang", "坏透了")
        await r.tell(hit)
        await r.whisper("g1", "admin", f"撤销 {case.id} 看错了")

        r.engine = type(r.engine).build(r.engine.parts)
        await r.engine.start()
        await r.tell(hit)

        assert [(one.id, one.status) for one in await r.records.cases()] == [(case.id, CaseStatus.REVERSED)]


async def test_taking_a_message_back_shelters_no_further_hit_of_the_same_burst() -> None:
    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude)}) as r:
        event = r.sandbox.say("g1", "wang", "坏")
        first = (await r.tell(event)).booked.case
        await r.advance(timedelta(seconds=20))
        await r.tell(r.sandbox.recall("g1", event.message_id, by="wang"))
        await r.advance(timedelta(seconds=20))

        second = (await r.say("g1", "wang", "坏透了")).booked.case

        assert (await r.records.case(first.id)).status is CaseStatus.WITHDRAWN
        assert second.id != first.id
        assert (second.status, second.strike) == (CaseStatus.EFFECTIVE, 1)


@pytest.mark.parametrize("objects", [True, False])
async def test_whoever_reacts_to_a_case_is_asked_only_once_it_is_known_that_the_fact_stands(
    objects: bool,
) -> None:
    asked: list[str] = []

    def judge(event: Event) -> Offence | None:
        asked.append("judge")
        return Offence(rule="rude.word", reason="用语不当", ladder="soft", auto="remind") if objects else None

    def react(event: Event) -> None:
        asked.append("react")

    module = plugin(judge=judge, react=react)
    module.manifest = Manifest(
        title="测试", hears=frozenset({"case_changed"}), rules=(Rule(id="rude.word", title="测试"),)
    )
    async with rig(pack=PACK, plugins=(), extra={"rude": module}) as r:
        changed = CaseChanged(
            id="case/1/0",
            at=r.clock.now(),
            group_id=GroupId("sandbox:g1"),
            case_id=1,
            account=AccountId("sandbox:wang"),
            person_id=PersonId(1),
            rule="rude.word",
            step="remind",
            status="effective",
        )

        pending = r.engine.flow.glance(changed)

    assert (pending is not None) is objects
    assert asked == (["judge"] if objects else ["judge", "react"])


async def test_whoever_reacts_to_few_of_the_kinds_it_hears_is_asked_about_those_only() -> None:
    asked: list[str] = []

    def judge(event: Event) -> None:
        asked.append(f"judge {event.kind}")

    def react(event: Event) -> None:
        asked.append(f"react {event.kind}")

    module = plugin(judge=judge, react=react)
    kinds = frozenset({"message_posted", "message_recalled"})
    rules = (Rule(id="rude.word", title="测试"),)
    module.manifest = Manifest(title="测试", hears=kinds, reacts=frozenset({"message_recalled"}), rules=rules)
    async with rig(pack=PACK, plugins=(), extra={"rude": module}) as r:
        said = r.sandbox.say("g1", "wang", "早")
        await r.tell(said)
        await r.tell(r.sandbox.recall("g1", said.message_id, by="wang"))

    assert asked == ["judge message_posted", "react message_recalled"]
