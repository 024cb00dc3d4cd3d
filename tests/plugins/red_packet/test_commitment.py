"""With money: promises that people make themselves, two stewards, a cap, and nothing without a human (C60, E1)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from groupops import CommandGiven, GroupId, RedPacketSent, Role, Stage
from groupops.errors import ConfigError
from groupops.people import AccountId, PersonLine
from groupops.testing import CAST, rig
from groupops_red_packet.journal import Move, Order, Pot, State, replayed
from tests.plugins.red_packet.stories import (
    COMMITMENT,
    WITH,
    audit,
    item,
    ledger,
    offend,
    owing,
    pack,
    promised,
    said,
    tickets,
    told,
)

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
STEWARDS = ("sandbox:admin", "sandbox:admin2", "sandbox:admin3")
THREE = {**CAST, "admin3": Role.ADMIN}


async def test_money_needs_two_stewards_and_the_first_alone_tells_nobody() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await owing(r)

        assert (await item(r, number)).state is State.PROPOSED
        assert not any("承诺" in text for text in told(r, "wang"))
        assert any(f"核准红包 {number}" in text and "5 元" in text for text in await tickets(r))


async def test_the_second_steward_completes_it_and_the_notice_is_private() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "admin2", f"核准红包 {number}")

        one = await item(r, number)
        assert (one.state, one.open_fen) == (State.NOTIFIED, 500)
        assert any("5 元" in text and "不从工资扣除" in text for text in told(r, "wang"))
        assert not any("5 元" in text for text in said(r))


async def test_the_same_steward_cannot_approve_twice_by_whatever_account() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH, stewards=STEWARDS, cast=THREE) as r:
        lin = PersonLine(
            name="林一", ref="7", accounts=(AccountId("sandbox:admin"), AccountId("sandbox:admin3"))
        )
        await r.enrol(lin)
        number = await owing(r)
        await r.say("g1", "admin", f"核准红包 {number}")
        await r.say("g1", "admin3", f"核准红包 {number}")

        assert (await item(r, number)).state is State.PROPOSED
        assert sum("您已经核准过" in text for text in said(r)) == 2


async def test_neither_the_subject_nor_the_reporter_nor_a_plain_member_approves() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH, stewards=STEWARDS, cast=THREE) as r:
        await r.say("g1", "admin3", "你是傻逼吧", message_id="m1")
        (case,) = await r.records.cases()
        await r.say("g1", "admin", f"批准 {case.id}")
        await r.say("g1", "admin3", f"核准红包 {case.id}")
        await r.say("g1", "li", f"/核准红包 {case.id}")
        assert (await item(r, case.id)).state is State.PROPOSED
        assert any("与您本人有关" in text for text in said(r))


async def test_who_reported_it_does_not_approve_it() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH, stewards=STEWARDS, cast=THREE) as r:
        await r.say("g1", "li", "你们店长就是个二货吧", message_id="m2")
        await r.say("g1", "admin2", "举报 骂人", quote="m2")
        (case,) = await r.records.cases()
        await r.say("g1", "admin", f"批准 {case.id}")
        assert (await item(r, case.id)).state is State.PROPOSED

        await r.say("g1", "admin2", f"核准红包 {case.id}")
        assert any("由您举报" in text for text in said(r))
        await r.say("g1", "admin3", f"核准红包 {case.id}")
        assert (await item(r, case.id)).state is State.NOTIFIED


async def test_a_further_approval_waits_for_the_case_itself() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        case = await offend(r)
        await r.say("g1", "admin2", f"核准红包 {case.id}")

        assert (await item(r, case.id)).entries == 1
        assert any(f"请先发送「批准 {case.id}」" in text for text in said(r))


async def test_an_item_nobody_else_approves_expires_after_seven_days() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await owing(r)
        await r.advance(8 * DAY)
        await r.say("g1", "admin2", f"核准红包 {number}")

        expired = await item(r, number)
        assert (expired.state, expired.open_fen, expired.closed_fen) == (State.EXPIRED, 0, 500)


async def test_a_steward_settles_only_what_the_person_accepted() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "admin2", f"核准红包 {number}")
        await r.say("g1", "admin", f"结清 {number} 说是付了")
        assert (await item(r, number)).state is State.NOTIFIED
        assert any("须由本人先接受" in text for text in said(r))

        await r.whisper("g1", "wang", f"接受 {number}")
        await r.say("g1", "admin", f"结清 {number} 已看到截图")
        done = await item(r, number)
        assert done.accepted_at is not None
        assert (done.state, done.open_fen, done.closed_fen) == (State.SETTLED, 0, 500)


async def test_settling_needs_a_proof_or_a_reason() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await promised(r)
        await r.say("g1", "admin", f"结清 {number}")
        assert (await item(r, number)).state is State.ACCEPTED

        await r.say("g1", "wang", f"凭证 {number} 见截图")
        await r.say("g1", "admin", f"结清 {number}")
        assert (await item(r, number)).state is State.SETTLED


async def test_who_hands_in_a_proof_accepts_by_it() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "admin2", f"核准红包 {number}")
        await r.say("g1", "wang", "红包截图", message_id="m9")
        await r.say("g1", "wang", f"凭证 {number} 红包已发", quote="m9")

        assert (await item(r, number)).state is State.ACCEPTED
        moves = [entry.move for entry in await ledger(r).journal(case_id=number)]
        assert moves[-2:] == [Move.ACCEPT, Move.EVIDENCE]


async def test_nobody_accepts_for_another() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "admin2", f"核准红包 {number}")
        await r.say("g1", "li", f"接受 {number}")

        assert (await item(r, number)).state is State.NOTIFIED
        assert any("没有找到您可以处理的事项" in text for text in said(r))


async def test_a_red_packet_seen_is_a_fact_and_a_steward_confirms() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await promised(r)
        await r.tell(r.sandbox.red_packet("g1", "wang", amount_fen=500))
        assert (await item(r, number)).state is State.ACCEPTED
        assert any(f"可能用于本人的事项 {number}" in text for text in await tickets(r))

        await r.say("g1", "admin", f"结清 {number}")
        assert (await item(r, number)).state is State.SETTLED


async def test_a_red_packet_for_somebody_else_settles_nothing() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await promised(r)
        await r.tell(r.sandbox.red_packet("g1", "li", amount_fen=500))

        assert (await item(r, number)).evidence == 0
        (line,) = await audit(r, "red packet seen")
        assert line.subject == "account:sandbox:li"


async def test_a_red_packet_before_the_promise_asks_the_person_first() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "admin2", f"核准红包 {number}")
        await r.tell(r.sandbox.red_packet("g1", "wang"))
        await r.say("g1", "admin", f"结清 {number}")

        assert (await item(r, number)).state is State.NOTIFIED
        assert any(f"请发送「接受 {number}」确认" in text for text in told(r, "wang"))


async def test_the_same_red_packet_told_twice_is_one_piece_of_evidence() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await promised(r)
        event = r.sandbox.red_packet("g1", "wang")
        assert isinstance(event, RedPacketSent)
        await r.tell(event)
        r.engine.flow._met.forget(event.id)
        await r.tell(event)

        assert (await item(r, number)).evidence == 1


async def test_beyond_the_cap_of_the_month_nothing_is_owed() -> None:
    async with rig(pack=pack(COMMITMENT, "cap_month_cny = 12"), plugins=WITH) as r:
        for _ in range(4):
            await offend(r)
            await r.advance(10 * MINUTE)

        amounts = [one.charged_fen for one in await ledger(r).items()]
        assert amounts == [500, 500, 200, 0]


async def test_what_the_cap_took_off_is_settled_by_an_alternative() -> None:
    async with rig(pack=pack(COMMITMENT, "cap_month_cny = 0"), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "admin2", f"核准红包 {number}")
        assert any("本月的金额已到上限" in text for text in told(r, "wang"))

        await r.whisper("g1", "wang", f"致歉 {number} 对不起大家")
        assert (await item(r, number)).state is State.SETTLED_BY_ALTERNATIVE


async def test_an_apology_for_money_still_waits_for_a_steward() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await promised(r)
        await r.whisper("g1", "wang", f"致歉 {number} 对不起大家")
        assert (await item(r, number)).state is State.ACCEPTED

        await r.say("g1", "admin", f"结清 {number}")
        assert (await item(r, number)).state is State.SETTLED_BY_ALTERNATIVE
        assert replayed(await ledger(r).journal()).pots[Pot.SETTLED] == 0


async def test_a_rule_may_have_its_own_tariff() -> None:
    async with rig(pack=pack(COMMITMENT, 'tariff_cny = { "moderation.insult" = 1.5 }'), plugins=WITH) as r:
        number = (await offend(r)).id

        assert (await item(r, number)).charged_fen == 150


async def test_before_it_is_enforced_nothing_is_owed() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH, stage=Stage.WARN_ONLY) as r:
        number = (await offend(r)).id

        assert (await item(r, number)).charged_fen == 0


async def test_a_steward_reduces_and_the_person_answers_anew() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await promised(r)
        await r.say("g1", "admin", f"减至 {number} 2.5元 态度诚恳")
        reduced = await item(r, number)
        assert (reduced.state, reduced.open_fen, reduced.reduced_fen) == (State.REDUCED, 250, 250)
        assert any("减为 2.50 元" in text for text in told(r, "wang"))
        assert not any("2.50" in text for text in said(r))

        await r.say("g1", "wang", f"接受 {number}")
        await r.say("g1", "admin", f"结清 {number} 已看到截图")
        pots = replayed(await ledger(r).journal()).pots
        assert (pots[Pot.SETTLED], pots[Pot.REDUCED], pots[Pot.OUTSIDE]) == (250, 250, -500)


@pytest.mark.parametrize("word", ["5", "7", "0", "-1", "一元", "1.234"])
async def test_an_amount_that_takes_nothing_off_is_refused(word: str) -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await promised(r)
        await r.whisper("g1", "admin", f"减至 {number} {word} 试试")

        assert (await item(r, number)).state is State.ACCEPTED


async def test_a_reversal_of_what_was_settled_is_told_to_the_stewards() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await promised(r)
        await r.say("g1", "admin", f"结清 {number} 已看到")
        await r.say("g1", "admin2", f"撤销 {number} 认错人了")

        one = await item(r, number)
        assert (one.state, one.closed_fen) == (State.REVERSED, 500)
        assert any("商量退还" in text for text in await tickets(r))


async def test_words_that_come_again_after_a_power_cut_and_a_reversal_settle_nothing() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await promised(r)
        settle = Order(move=Move.SETTLE, at=r.clock.now(), actor="sandbox:admin", note="已看到")
        await ledger(r).act(number, "cut short", lambda _item, _journal: (settle,))
        await r.say("g1", "admin2", f"撤销 {number} 认错人了")

        await r.tell(
            CommandGiven(
                id="cut short",
                at=r.clock.now(),
                group_id=GroupId("sandbox:g1"),
                source="bot",
                account=AccountId("sandbox:admin"),
                name="结清",
                args=(str(number), "已看到"),
            )
        )

        assert (await item(r, number)).state is State.REVERSED
        assert f"事项 {number} 已撤销,不能再改。" in told(r, "admin")


async def test_who_leaves_freezes_and_who_comes_back_finds_the_item_with_its_time() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await promised(r)
        due = (await item(r, number)).deadline
        await r.tell(r.sandbox.leave("g1", "wang"))
        frozen = await item(r, number)
        assert (frozen.state, frozen.frozen) == (State.ACCEPTED, True)

        await r.advance(30 * DAY)
        assert not any("提醒您" in text for text in told(r, "wang"))
        await r.tell(r.sandbox.join("g1", "wang"))
        back = await item(r, number)
        assert due is not None
        assert (back.state, back.frozen, back.deadline) == (State.ACCEPTED, False, due + 30 * DAY)
        assert len(await ledger(r).items()) == 1


async def test_who_is_still_in_by_another_account_is_not_frozen() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH, cast={**CAST, "wang2": Role.MEMBER}) as r:
        number = await promised(r)
        await r.enrol(
            PersonLine(name="王二", ref="8", accounts=(AccountId("sandbox:wang"), AccountId("sandbox:wang2")))
        )
        await r.tell(r.sandbox.leave("g1", "wang"))

        assert not (await item(r, number)).frozen


async def test_what_was_approved_while_away_is_told_on_return() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await owing(r)
        await r.tell(r.sandbox.leave("g1", "wang"))
        await r.say("g1", "admin2", f"核准红包 {number}")
        assert (await item(r, number)).state is State.APPROVED

        await r.tell(r.sandbox.join("g1", "wang"))
        assert (await item(r, number)).state is State.NOTIFIED
        assert any("承诺" in text for text in told(r, "wang"))


async def test_who_leaves_the_organisation_owes_nothing() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        wang = PersonLine(name="王二", ref="8", accounts=(AccountId("sandbox:wang"),))
        await r.enrol(wang)
        number = await promised(r)
        await r.enrol(PersonLine(name="王二", ref="8", active=False))

        one = await item(r, number)
        assert (one.state, one.open_fen) == (State.CANCELLED, 0)


async def test_items_of_a_merged_account_belong_to_the_person() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH, cast={**CAST, "wang2": Role.MEMBER}) as r:
        number = await promised(r)
        await r.enrol(
            PersonLine(name="王二", ref="8", accounts=(AccountId("sandbox:wang"), AccountId("sandbox:wang2")))
        )
        one = await item(r, number)
        assert one.person_id == r.engine.people.person(AccountId("sandbox:wang2")).id  # type: ignore[union-attr]

        await r.whisper("g1", "wang2", f"凭证 {number} 用小号发的")
        assert (await item(r, number)).evidence == 1


async def test_a_decided_case_whose_fact_was_lost_is_caught_up_with_in_the_morning() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await owing(r)
        await ledger(r).act(number, "lost", lambda _i, _j: ())
        (case,) = await r.records.cases()
        r.engine.flow._met.first(f"case/{case.id}/{case.version + 1}")
        await r.say("g1", "admin2", f"撤销 {number} 认错人了")
        assert (await item(r, number)).state is State.PROPOSED

        await r.advance(DAY)
        assert (await item(r, number)).state is State.REVERSED


@pytest.mark.parametrize("missing", ["legal_basis", "consulted_on"])
async def test_money_without_its_basis_and_consultation_is_refused_at_load(missing: str) -> None:
    table = "\n".join(line for line in COMMITMENT.splitlines() if not line.startswith(missing))
    with pytest.raises(ConfigError, match=f"red_packet.{missing} is empty"):
        async with rig(pack=pack(table), plugins=WITH):
            pass


async def test_who_has_left_the_organisation_is_entered_no_more_and_the_stewards_are_told() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        wang = PersonLine(name="王二", ref="8", accounts=(AccountId("sandbox:wang"),))
        await r.enrol(wang)
        await r.enrol(PersonLine(name="王二", ref="8", active=False))
        number = await owing(r)

        assert await ledger(r).item(number) is None
        assert any("已离开本组织" in text for text in await tickets(r))


async def test_where_the_word_of_leaving_was_lost_the_next_day_cancels_what_is_open() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        await r.enrol(PersonLine(name="王二", ref="8", accounts=(AccountId("sandbox:wang"),)))
        number = await promised(r)
        gone = PersonLine(name="王二", ref="8", active=False)
        await r.engine.people.enrol((gone,), by="hr")  # and the process dies before anybody hears of it
        await r.advance(DAY)

        assert (await item(r, number)).state is State.CANCELLED


async def test_a_case_nobody_decides_takes_its_item_along_also_while_the_person_is_out() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        case = await offend(r)
        await r.tell(r.sandbox.leave("g1", "wang"))
        assert (await item(r, case.id)).frozen
        await r.advance(4 * DAY)

        one = await item(r, case.id)
        assert (one.state, one.open_fen) == (State.EXPIRED, 0)
