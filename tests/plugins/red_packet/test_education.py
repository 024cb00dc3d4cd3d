"""Without money: what the ladder's step leads to in a group that educates (S09, S14, S01)."""

from __future__ import annotations

from datetime import timedelta

from groupops import Stage
from groupops.records import CaseStatus
from groupops.testing import rig
from groupops_red_packet.journal import State
from tests.plugins.red_packet.stories import (
    WITH,
    audit,
    item,
    ledger,
    offend,
    owing,
    pack,
    said,
    tickets,
    told,
)

DAY = timedelta(days=1)


async def test_rudeness_proposes_one_item_without_an_amount() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        case = await offend(r)

        (one,) = await ledger(r).items()
        assert (one.case_id, one.state, one.charged_fen) == (case.id, State.PROPOSED, 0)
        assert one.alternatives == ("文字致歉", "分享一条行业信息", "免除")


async def test_an_approval_tells_the_person_of_every_answer_and_of_no_amount() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)

        assert (await item(r, number)).state is State.NOTIFIED
        (notice,) = [text for text in told(r, "wang") if "替代方式" in text]
        assert "不要求发红包" in notice
        assert all(word in notice for word in (f"接受 {number}", f"申诉 {number}", "文字致歉", "第四条"))
        assert "元" not in notice


async def test_words_of_apology_settle_at_once() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "wang", f"致歉 {number} 对不起,刚才说话重了")

        settled = await item(r, number)
        assert (settled.state, settled.chosen) == (State.SETTLED_BY_ALTERNATIVE, "文字致歉")
        assert settled.charged_fen == 0


async def test_an_alternative_with_its_words_behind_it_is_done_too() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "wang", f"替代 {number} 文字致歉:对不起大家")

        assert (await item(r, number)).state is State.SETTLED_BY_ALTERNATIVE


async def test_signs_are_no_apology() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "wang", f"致歉 {number} 。。!")

        assert (await item(r, number)).state is State.NOTIFIED
        assert any("请把话写出来" in text for text in said(r))


async def test_an_alternative_that_takes_a_deed_waits_for_a_steward() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "wang", f"替代 {number} 分享一条行业信息")
        await r.say("g1", "wang", f"已完成替代 {number} 昨天发的行业周报")
        assert (await item(r, number)).state is State.NOTIFIED

        await r.say("g1", "admin2", f"结清 {number}")
        assert (await item(r, number)).state is State.SETTLED_BY_ALTERNATIVE
        assert any("昨天发的行业周报" in text for text in await tickets(r))


async def test_asking_to_be_excused_goes_to_the_stewards_and_decides_nothing() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "wang", f"替代 {number} 免除")
        assert (await item(r, number)).state is State.NOTIFIED
        assert any(f"减免 {number} 理由" in text for text in await tickets(r))

        await r.say("g1", "admin2", f"免除 {number} 初犯,已当面说明")
        assert (await item(r, number)).state is State.WAIVED
        (line,) = await audit(r, "red packet item waived")
        assert line.actor == "sandbox:admin2"


async def test_an_unknown_alternative_is_answered_with_those_there_are() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "wang", f"替代 {number} 请大家喝茶")

        assert any("分享一条行业信息" in text for text in said(r))


async def test_what_its_author_takes_back_in_time_leaves_a_cancelled_item() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        await r.say("g1", "wang", "你是傻逼吧", message_id="m1")
        await r.advance(timedelta(seconds=90))
        await r.tell(r.sandbox.recall("g1", "m1", by="wang"))

        (one,) = await ledger(r).items()
        assert (one.state, one.open_fen) == (State.CANCELLED, 0)


async def test_a_case_turned_down_cancels_its_item_and_one_nobody_decides_lets_it_expire() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        case = await offend(r)
        await r.say("g1", "admin", f"驳回 {case.id} 玩笑话")
        assert (await item(r, case.id)).state is State.CANCELLED

        other = await offend(r, "li")
        await r.advance(4 * DAY)
        assert (await item(r, other.id)).state is State.EXPIRED


async def test_an_appeal_stops_and_an_exemption_ends_the_item() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "wang", f"申诉 {number} 是引用别人的话")
        assert (await item(r, number)).state is State.APPEALED

        await r.say("g1", "admin2", f"豁免 {number} 情有可原")
        assert (await item(r, number)).state is State.WAIVED


async def test_an_appeal_turned_down_goes_on_where_it_stopped_with_its_time() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        due = (await item(r, number)).deadline
        await r.say("g1", "wang", f"申诉 {number} 没有骂人")
        await r.advance(2 * DAY)
        await r.say("g1", "admin2", f"驳回 {number} 记录清楚")

        resumed = await item(r, number)
        assert due is not None
        assert (resumed.state, resumed.deadline) == (State.NOTIFIED, due + 2 * DAY)


async def test_an_appeal_accepted_reverses_also_what_was_settled() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "wang", f"致歉 {number} 对不起")
        await r.say("g1", "wang", f"申诉 {number} 其实不是我发的")
        await r.say("g1", "admin2", f"批准 {number} 属实")

        assert (await item(r, number)).state is State.REVERSED


async def test_an_appeal_nobody_decides_in_seven_days_is_won() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "wang", f"申诉 {number} 没有骂人")
        await r.advance(6 * DAY)
        assert (await item(r, number)).state is State.APPEALED
        await r.advance(2 * DAY)

        assert (await item(r, number)).state is State.WAIVED
        case = await r.records.case(number)
        assert case is not None
        assert case.status is CaseStatus.WAIVED
        assert sum("已获豁免" in text for text in told(r, "wang")) == 1
        assert await r.records.tickets() == ()


async def test_who_does_not_answer_is_reminded_twice_in_private_and_nothing_else_follows() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        before = len(said(r))
        await r.advance(20 * DAY)

        assert sum("提醒您" in text for text in told(r, "wang")) == 2
        assert sum("已过答复期限" in text for text in await tickets(r)) == 1
        assert len(said(r)) == before
        assert [case.id for case in await r.records.cases()] == [number]
        assert r.sandbox.world.may_post("g1", "wang")

        await r.advance(30 * DAY)
        assert (await item(r, number)).state is State.EXPIRED


async def test_the_same_button_does_what_the_word_does() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        letter = next(one for one in r.sandbox.world.letters_to("wang") if one.post.options)
        assert [option.word for option in letter.post.options][-1] == "申诉"
        await r.tell(r.sandbox.press("g1", "wang", letter.id, "分享一条行业信息"))

        assert (await item(r, number)).chosen == "分享一条行业信息"


async def test_nothing_is_opened_in_a_trial() -> None:
    async with rig(pack=pack(), plugins=WITH, stage=Stage.SHADOW) as r:
        await r.say("g1", "wang", "你是傻逼吧")

        assert await ledger(r).items() == []


async def test_among_minors_the_ledger_says_that_it_is_not_there() -> None:
    async with rig(pack=pack(more="minors = true"), plugins=WITH) as r:
        number = await owing(r)
        await r.say("g1", "wang", f"接受 {number}")

        assert await ledger(r).items() == []
        assert any("未成年" in text for text in await tickets(r))
        assert any("未成年" in text for text in said(r))


async def test_switched_off_it_opens_nothing_and_says_so() -> None:
    async with rig(pack=pack('mode = "off"'), plugins=WITH) as r:
        number = await owing(r)

        assert await ledger(r).items() == []
        assert any(f"事项 {number} 未登记" in text for text in await tickets(r))


async def test_what_was_open_when_minors_came_is_cancelled_the_next_day() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        number = await owing(r)
        await r.engine.set("sandbox:g1", "red_packet.minors", value=True, author="test")  # type: ignore[arg-type]
        await r.advance(2 * DAY)

        assert (await item(r, number)).state is State.CANCELLED
