"""What is handed in is held against the policy: humans decide and carry out, and nothing is told twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from groupops import AccountId, MessagePosted, Text
from groupops.engine import Engine
from groupops.errors import ConfigError, ImportFailed
from groupops.people import Stage
from groupops.records import CaseStatus, OutboxRow, OutboxState

from .conftest import GROUP, NOW, Office, later
from .exports import MORNING, chatlab, mailed


async def _cases(office: Office) -> list[CaseStatus]:
    found = await office.look(lambda engine: engine.parts.records.cases(group_id=GROUP))
    return [case.status for case in found]


async def test_an_export_with_accounts_makes_cases_that_wait_for_a_human(office: Office) -> None:
    file = office.write("day.jsonl", chatlab((0, "a", "早"), (5, "b", "坏话")))

    advice = await office.hand_in(file)

    (found,) = advice.findings
    assert (found.standing, found.clause, found.text, found.quotes) == ("case", "规一", "坏话", ("坏",))
    assert found.message_id == "m5b"
    assert found.row > 0
    assert "昵称b" in found.notice
    assert "规一" in found.notice
    assert "批准" in found.ask
    assert await _cases(office) == [CaseStatus.FLAGGED]


async def test_the_deed_that_nobody_can_do_is_a_step_for_a_steward(office: Office) -> None:
    advice = await office.hand_in(office.write("day.jsonl", chatlab((5, "b", "坏话"))))

    assert [step.deed for step in advice.steps if step.deed] == ["撤回该条消息"]


async def test_a_reminder_counts_for_nothing_and_is_only_pasted(office: Office) -> None:
    advice = await office.hand_in(office.write("day.jsonl", chatlab((5, "b", "夜聊"))))

    (found,) = advice.findings
    assert (found.standing, found.case, found.notice) == ("remind", 0, "@昵称b 夜深了")
    assert await _cases(office) == []


async def test_shown_names_are_only_for_review(office: Office) -> None:
    file = office.write("day.txt", mailed((0, "王芳", "早"), (3, "李军", "坏话"), (9, "王芳", "好")))

    advice = await office.hand_in(file, members="王芳\n李军\n")

    (found,) = advice.findings
    assert (found.standing, found.doubts, found.case) == ("review", ("name",), 0)
    assert [step.number for step in advice.steps] == [found.ticket]
    assert await _cases(office) == []


async def test_a_name_two_members_have_is_said_to_be_so(office: Office) -> None:
    listed = "账号,昵称\nw1,李军\nw2,李军\n"
    file = office.write("day.txt", mailed((3, "李军", "坏话"), (9, "李军", "好")))
    await office.hand_in(members=listed)

    advice = await office.hand_in(file)

    assert [one.doubts for one in advice.findings] == [("twins",)]


async def test_the_same_export_twice_is_nothing_new(office: Office) -> None:
    file = office.write("day.jsonl", chatlab((0, "a", "早"), (5, "b", "坏话")))
    first = await office.hand_in(file)

    again = await office.hand_in(file)

    assert (first.fresh, again.fresh, again.findings, again.notices) == (2, 0, (), ())
    assert [step.number for step in again.steps] == [step.number for step in first.steps]
    assert not any(step.new for step in again.steps)


async def test_of_an_overlapping_export_only_the_new_part_counts(office: Office) -> None:
    await office.hand_in(office.write("one.jsonl", chatlab((0, "a", "早"), (5, "b", "坏话"))))

    advice = await office.hand_in(
        office.write("two.jsonl", chatlab((0, "a", "早"), (5, "b", "坏话"), (30, "c", "坏透了")))
    )

    assert [(one.account, one.text) for one in advice.findings] == [("wechat:c", "坏透了")]
    assert (advice.files[0].fresh, advice.files[0].again) == (1, 2)


async def test_three_alike_words_of_one_minute_are_three_in_every_export(office: Office) -> None:
    words = ((3, "李军", "+1"), (3, "李军", "+1"), (3, "李军", "+1"))
    first = await office.hand_in(office.write("one.txt", mailed(*words)))

    again = await office.hand_in(office.write("two.txt", mailed(*words, (8, "李军", "好"))))

    assert (first.fresh, again.fresh) == (3, 1)


async def test_what_was_told_with_accounts_is_not_told_again_by_name(office: Office) -> None:
    await office.hand_in(office.write("one.jsonl", chatlab((5, "b", "坏话"))))

    advice = await office.hand_in(office.write("two.txt", mailed((5, "昵称b", "坏话"), (9, "昵称b", "好"))))

    assert (advice.findings, advice.told) == ((), 1)


async def test_humans_have_their_time_from_now_on_however_old_the_export_is(office: Office) -> None:
    await office.hand_in(office.write("day.jsonl", chatlab((5, "b", "坏话"))))

    due = await office.look(lambda engine: engine.parts.records.claim_due(NOW + timedelta(days=30)))

    lapses = [row.due_at for row in due if row.job.endswith("/lapse")]
    assert lapses == [NOW + timedelta(hours=72)]


async def test_a_recall_in_the_next_export_closes_the_ticket(office: Office) -> None:
    await office.hand_in(office.write("one.jsonl", chatlab((5, "b", "坏话"))))
    later(office, hours=1)

    advice = await office.hand_in(
        office.write("two.jsonl", chatlab((5, "b", "坏话"), (60, "a", "早"), recalls=((59, "m5b"),)))
    )

    assert len(advice.closed) == 1
    assert not any(step.deed for step in advice.steps)


async def test_a_steward_decides_from_the_shell_and_is_given_the_words_to_pass_on(office: Office) -> None:
    await office.hand_in(office.write("day.jsonl", chatlab((5, "b", "坏话"), members=("a", "b", "c", "d"))))
    approved = await office.say("批准 1 属实")
    statuses = await _cases(office)

    assert "1" in approved.answer
    assert statuses == [CaseStatus.EFFECTIVE]
    assert approved.notices
    assert "申诉 1" in approved.notices[0].text


async def test_what_is_done_again_in_the_next_export_is_a_second_time(office: Office) -> None:
    await office.hand_in(office.write("a.jsonl", chatlab((1, "a", "坏"), (3, "b", "好"))))
    await office.say("批准 1 属实")
    later(office, days=1)

    again = await office.hand_in(office.write("b.jsonl", chatlab((3, "b", "好"), (90, "a", "很坏"))))
    await office.say("批准 2 又一次")

    cases = await office.look(lambda engine: engine.parts.records.cases(group_id=GROUP))
    assert [one.case for one in again.findings] == [2]
    assert sorted((one.id, one.account, one.strike) for one in cases) == [
        (1, "wechat:a", 1),
        (2, "wechat:a", 2),
    ]


async def test_who_is_decided_about_may_appeal_and_a_steward_passes_it_on(office: Office) -> None:
    advice = await office.hand_in(office.write("a.jsonl", chatlab((1, "a", "坏"))))
    await office.say("批准 1 属实")

    appealed = await office.say("申诉 1 不是骂人", by="wechat:a")

    assert "申诉" in advice.notices[0].text
    assert "已收到对事项 1 的申诉" in appealed.answer
    (case,) = await office.look(lambda engine: engine.parts.records.cases(group_id=GROUP))
    assert case.status.value == "appealed"


async def test_in_shadow_nothing_is_booked_and_the_advice_says_so(office: Office) -> None:
    await office.look(lambda engine: engine.stage(GROUP, Stage.SHADOW, author="test", force=True))

    advice = await office.hand_in(office.write("day.jsonl", chatlab((5, "b", "坏话"))))

    assert [one.standing for one in advice.findings] == ["shadow"]
    assert "advise.stage" in [remark.key for remark in advice.remarks]
    assert await _cases(office) == []


async def test_a_broken_file_changes_nothing_at_all(office: Office) -> None:
    good = office.write("good.jsonl", chatlab((5, "b", "坏话")))
    bad = office.write("bad.jsonl", chatlab((6, "b", "坏话")) + "{broken\n")

    with pytest.raises(ImportFailed, match=r"bad\.jsonl"):
        await office.hand_in(good, bad)

    assert await _cases(office) == []
    assert (await office.hand_in(good)).fresh == 1


async def test_an_export_of_another_group_is_refused_unless_it_is_named(office: Office) -> None:
    file = office.write("day.jsonl", chatlab((5, "b", "坏话"), group="other"))

    with pytest.raises(ConfigError, match="--chat other"):
        await office.hand_in(file)
    advice = await office.hand_in(file, chat="other")

    assert advice.fresh == 1


async def test_a_list_that_lacks_a_third_is_doubted_and_changes_nothing(office: Office) -> None:
    await office.hand_in(members="甲甲\n乙乙\n丙丙\n丁丁\n")

    advice = await office.hand_in(members="甲甲\n乙乙\n")

    assert [line.kind for line in advice.roster] == []
    assert any("名单" in step.text for step in advice.steps)


async def test_a_list_is_held_against_the_roster_and_the_list_before(office: Office) -> None:
    await office.enrol(["王芳", "李军", "赵敏", "周平"], left=["钱多多"])
    await office.hand_in(members="王芳\n李军\n钱多多\n赵敏\n路过的人\n")

    advice = await office.hand_in(members="王芳\n李军\n钱多多\n路过的人\n新来的\n")

    kinds = {(line.kind, line.name) for line in advice.roster}
    assert kinds == {
        ("joined", "新来的"),
        ("left", "赵敏"),
        ("leaver", "钱多多"),
        ("stranger", "路过的人"),
        ("stranger", "新来的"),
        ("missing", "赵敏"),
        ("missing", "周平"),
    }


async def test_what_was_owed_is_told_as_met_missed_or_still_open(office: Office) -> None:
    said = ((0, "a", "欠"), (1, "b", "欠"), (30, "a", "还"), (90, "c", "欠"), (100, "d", "好"))

    advice = await office.hand_in(office.write("day.jsonl", chatlab(*said)))

    told = {(one.name, one.title, one.status) for one in advice.duties}
    assert told == {
        ("昵称a", "答复", "satisfied"),
        ("昵称b", "答复", "missed"),
        ("昵称c", "答复", "open"),
    }


async def test_what_is_still_open_is_judged_by_the_next_export(office: Office) -> None:
    await office.hand_in(office.write("one.jsonl", chatlab((90, "c", "欠"), (91, "d", "欠"))))
    later(office, hours=2)

    advice = await office.hand_in(office.write("two.jsonl", chatlab((100, "c", "还"), (300, "a", "好"))))

    told = {(one.account, one.status) for one in advice.duties}
    assert told == {("wechat:c", "satisfied"), ("wechat:d", "missed")}


async def test_by_minutes_alone_what_was_measured_is_only_for_review(office: Office) -> None:
    advice = await office.hand_in(office.write("day.txt", mailed((3, "李军", "刷"), (9, "李军", "好"))))

    assert [one.doubts for one in advice.findings] == [("name", "minutes")]


async def test_a_shown_name_that_is_one_persons_stands_for_that_person(office: Office) -> None:
    await office.enrol(["王芳", "李军"])

    await office.hand_in(members="王芳\n李军\n路过的人\n")

    bound = await office.look(lambda engine: engine.parts.records.bindings("wechat"))
    assert {account: person.name for account, person in bound.items()} == {
        "wechat:name:王芳": "王芳",
        "wechat:name:李军": "李军",
    }


async def test_what_a_bot_saw_live_is_not_told_again_and_what_it_left_waiting_stays_its_own(
    office: Office,
) -> None:
    async def live(engine: Engine) -> tuple[OutboxRow, ...]:
        said = MessagePosted(
            id="live",
            at=MORNING + timedelta(minutes=5, seconds=20),
            group_id=GROUP,
            account=AccountId("wechat:b"),
            message_id="puppet-1",
            segments=(Text(text="坏话"),),
        )
        await engine.flow.handle(said)
        return await waiting(engine)

    async def waiting(engine: Engine) -> tuple[OutboxRow, ...]:
        return await engine.parts.records.outbox(states=frozenset({OutboxState.WAITING}), group_id=GROUP)

    left = await office.look(live)
    advice = await office.hand_in(office.write("day.jsonl", chatlab((5, "b", "坏话"), (9, "a", "好"))))

    assert (advice.findings, advice.told) == ((), 1)
    assert len(await _cases(office)) == 1
    assert left
    assert {row.id for row in await office.look(waiting)} == {row.id for row in left}
