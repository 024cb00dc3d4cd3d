"""The month of a group: sums that add up, a workbook that others can read, and no name where it may not be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from groupops import Group, SendFile
from groupops.plugin import texts_of
from groupops.testing import rig
from groupops_red_packet.journal import Move
from groupops_red_packet.ledger import month_of
from groupops_red_packet.statement import (
    CLOSED_BY,
    as_public,
    as_text,
    as_xlsx,
    fen_of,
    first_of,
    money,
    yuan,
)
from groupops_red_packet.stating import statement_of
from tests.plugins.red_packet.books import GROUP, accepted, do, ledger_in, proposal
from tests.plugins.red_packet.stories import (
    COMMITMENT,
    WITH,
    audit,
    item,
    offend,
    owing,
    pack,
    promised,
    said,
    told,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
TEXTS = texts_of("groupops_red_packet")
MARCH = datetime(2025, 3, 1, tzinfo=SHANGHAI)
DAY = timedelta(days=1)


async def test_the_month_adds_up_from_its_journal(sqlite_url: str) -> None:
    async with ledger_in(sqlite_url) as ledger:
        late_february = datetime(2025, 2, 20, tzinfo=UTC)
        await ledger.propose(proposal(1, 300, at=late_february))
        await ledger.propose(proposal(2, 500))
        await ledger.propose(proposal(3, 700))
        await ledger.propose(proposal(4, 100, at=MARCH + 40 * DAY))
        for number in (2, 3):
            await accepted(number, ledger)
        await do(ledger, 2, Move.SETTLE)
        await do(ledger, 2, Move.REVERSE)
        await do(ledger, 3, Move.REDUCE, amount_fen=200)
        await do(ledger, 1, Move.WAIVE)

        made = await statement_of(Group(id=GROUP), MARCH, ledger)
        flows = made.flows
        assert {key: flow.fen for key, flow in flows.items() if flow.fen} == {
            "opening": 300, "charged": 1200, "reduced": 500, "settled": 500,
            "waived": 300, "taken_back": 500, "closing": 200,
        }  # fmt: skip
        gone = sum(flows[pot.value].fen for pot in CLOSED_BY) + flows["reduced"].fen
        assert flows["opening"].fen + flows["charged"].fen - gone == flows["closing"].fen
        closed = sum(flows[pot.value].count for pot in CLOSED_BY)
        assert flows["opening"].count + flows["charged"].count - closed == flows["closing"].count
        assert [one.case_id for one in made.items] == [1, 2, 3]


async def test_a_workbook_holds_the_same_sums_and_no_formula(sqlite_url: str) -> None:
    async with ledger_in(sqlite_url) as ledger:
        await ledger.propose(proposal(1, 550))
        made = await statement_of(Group(id=GROUP, name="商会群"), MARCH, ledger)
        book = CalamineWorkbook.from_filelike(
            BytesIO(as_xlsx(made, lambda _item: '=HYPERLINK("http://x.example")', TEXTS))
        )

        assert book.sheet_names == ["汇总", "明细", "说明"]
        sums = {row[0]: row[1:] for row in book.get_sheet_by_name("汇总").to_python()}
        assert sums["本月新登记"] == [1, 5.5]
        assert sums["月末未了结"] == [1, 5.5]
        head, line = book.get_sheet_by_name("明细").to_python()
        assert dict(zip(head, line, strict=True))["成员"] == '=HYPERLINK("http://x.example")'
        assert "不是工资扣款" in str(book.get_sheet_by_name("说明").to_python())


async def test_text_and_public_words_hold_no_name(sqlite_url: str) -> None:
    async with ledger_in(sqlite_url) as ledger:
        await ledger.propose(proposal(1, 500))
        made = await statement_of(Group(id=GROUP, name="商会群"), MARCH, ledger)

        assert "sandbox:p7" not in as_text(made, TEXTS)
        public = as_public(made, TEXTS)
        assert "新登记 1 项" in public
        assert "元" not in public


async def test_a_month_in_which_nothing_happened_says_so(sqlite_url: str) -> None:
    async with ledger_in(sqlite_url) as ledger:
        made = await statement_of(Group(id=GROUP), MARCH, ledger)

        assert made.empty
        assert "本月没有发生" in as_text(made, TEXTS)


NOW = datetime(2025, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "month"),
    [
        ("2025-03", (2025, 3)), ("2025年3月", (2025, 3)), ("2024-12", (2024, 12)), ("202502", (2025, 2)),
        ("", (2025, 2)), ("2025-04", None), ("2025-13", None), ("三月", None), ("0000-01", None),
    ],
)  # fmt: skip
def test_months_are_read_as_people_write_them(word: str, month: tuple[int, int] | None) -> None:
    first = first_of(word, SHANGHAI, NOW)
    assert (first and (first.year, first.month)) == month


def test_the_month_before_january_is_december() -> None:
    assert first_of("", SHANGHAI, datetime(2025, 1, 5, tzinfo=UTC)) == datetime(2024, 12, 1, tzinfo=SHANGHAI)
    assert month_of(datetime(2024, 12, 31, 16, tzinfo=UTC), SHANGHAI)[0] == datetime(
        2025, 1, 1, tzinfo=SHANGHAI
    )


@given(st.integers(0, 9_999_999))
def test_an_amount_reads_back_as_it_was_written(fen: int) -> None:
    assert fen_of(yuan(fen)) == fen
    assert fen_of(f"¥{yuan(fen)} 元") == fen


@given(st.text(max_size=12))
def test_no_word_for_an_amount_crashes(word: str) -> None:
    read = fen_of(word)
    assert read is None or read >= 0


def test_no_amount_is_said_as_none() -> None:
    assert money(0, TEXTS) == "不登记金额"
    assert money(150, TEXTS) == "1.50 元"


async def test_a_steward_gets_the_file_privately_and_the_look_is_noted() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        await promised(r)
        await r.say("g1", "admin", "月结 2025-03")

        rows = await r.records.outbox()
        (file,) = [row.action for row in rows if isinstance(row.action, SendFile)]
        assert (file.account, file.name) == ("sandbox:admin", "红包台账-2025-03.xlsx")
        assert sum("本月新登记:1 项,5 元" in text for text in told(r, "admin")) == 1
        assert not any("5 元" in text for text in said(r))
        (line,) = await audit(r, "red packet statement exported")
        assert (line.actor, line.detail["month"]) == ("sandbox:admin", "2025-03")


async def test_a_month_to_come_is_refused() -> None:
    async with rig(pack=pack(), plugins=WITH) as r:
        await r.say("g1", "admin", "月结 2025-05")

        assert any("看不懂月份" in text for text in said(r))


async def test_totals_name_nobody_and_are_for_stewards() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        await promised(r)
        await r.say("g1", "admin", "/台账")
        await r.say("g1", "li", "/台账")

        (totals,) = [text for text in told(r, "admin") if "台账合计" in text]
        assert "本人已接受:1 项,5 元" in totals
        assert "wang" not in totals
        assert not any("台账合计" in text for text in (*said(r), *told(r, "li")))
        assert len(await audit(r, "red packet totals looked up")) == 1


async def test_everybody_sees_the_own_items_and_nobody_elses() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        number = await promised(r)
        await r.say("g1", "wang", "/我的台账")
        await r.whisper("g1", "li", "我的台账")

        (mine,) = [text for text in told(r, "wang") if "您的台账" in text]
        assert f"{number}  2025-03-03  第四条  本人已接受  5 元  请在 2025-03-10 前答复" in mine
        assert told(r, "li")[-1] == "您的台账里没有事项。"
        assert not any("5 元" in text for text in said(r))


async def test_on_the_first_the_stewards_get_last_month_and_the_group_only_counts() -> None:
    async with rig(pack=pack(COMMITMENT, "post_least = 2"), plugins=WITH) as r:
        await owing(r)
        await owing(r, "li")
        await r.advance(30 * DAY)

        assert any("2025-03 的月结如下" in text for text in told(r, "admin"))
        assert any("2025-03 红包台账合计(不提姓名):新登记 2 项" in text for text in said(r))
        assert not any("月结如下" in text for text in told(r, "wang"))


async def test_few_items_are_not_counted_in_public() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        await owing(r)
        await r.advance(30 * DAY)

        assert any("月结如下" in text for text in told(r, "admin2"))
        assert not any("红包台账合计" in text for text in said(r))


async def test_a_year_after_closing_the_person_is_taken_out() -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH) as r:
        case = await offend(r)
        await r.say("g1", "admin", f"驳回 {case.id} 玩笑")
        await r.advance(370 * DAY)

        gone = await item(r, case.id)
        assert (gone.person_id, gone.account, gone.charged_fen) == (0, "", 500)
