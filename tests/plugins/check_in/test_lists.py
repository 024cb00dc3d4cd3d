"""The dispatcher's list and the week's board: privately, to few, noted, as text, picture and table."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from python_calamine import CalamineWorkbook

from groupops import SendFile, SendImage
from groupops.testing import Rig
from tests.plugins.check_in.stories import SITES, at, last, letters, locate, office, pack, said


async def a_week(r: Rig) -> None:
    """Two days with one on time, one late and one who was not heard of."""
    await r.advance_to(at("2025-03-03T08:41"))
    await locate(r, "li")
    await r.advance_to(at("2025-03-03T09:12"))
    await r.whisper("g1", "zhao", "位置 =客户A处")
    await r.advance_to(at("2025-03-04T08:55"))
    await locate(r, "zhao")
    await r.advance_to(at("2025-03-04T09:30"))


async def test_a_list_is_given_to_the_dispatcher_alone_and_every_look_is_noted() -> None:
    async with office() as r:
        await a_week(r)
        await r.whisper("g1", "boss", "打卡名单 昨天")

        assert "李四 08:41 总部" in last(r, "boss")
        looks = [line for line in await r.records.audit() if line.what == "check-in list looked at"]
        assert [(line.actor, line.subject) for line in looks] == [("sandbox:boss", "check_in:2025-03-03")]
        sent = [line for line in await r.records.audit() if line.what == "check-in list sent"]
        assert len(sent) == 2


async def test_a_member_gets_no_list() -> None:
    async with office() as r:
        await a_week(r)
        for words in ("打卡名单", "打卡周报"):
            await r.whisper("g1", "li", words)
            assert last(r, "li") == "只有派单人和管理员可以这样做。"


async def test_asked_for_in_the_group_a_list_is_still_given_alone() -> None:
    async with office() as r:
        await a_week(r)
        await r.say("g1", "boss", "/打卡名单")

        assert "赵六" in last(r, "boss")
        assert said(r) == []


async def test_a_list_of_a_day_without_entries_says_so() -> None:
    async with office() as r:
        await r.whisper("g1", "boss", "打卡名单 3月1日")
        assert "没有打卡记录" in last(r, "boss")


async def test_what_waits_for_approval_stands_under_the_list() -> None:
    async with office() as r:
        await r.whisper("g1", "li", "请假 今天 看病")
        await r.whisper("g1", "boss", "打卡名单")
        assert "待处理的申请:1" in last(r, "boss")


async def test_the_board_comes_as_text_picture_and_table_to_one_account() -> None:
    async with office() as r:
        await a_week(r)
        r.sandbox.world.requests.clear()
        await r.whisper("g1", "boss", "打卡周报")

        text = next(t for t in letters(r, "boss") if "打卡周报(" in t)
        assert "应到 4、准时 2、迟到 1、未打卡 1" in text
        actions = [request.action for request in r.sandbox.world.requests]
        (picture,) = (one for one in actions if isinstance(one, SendImage))
        (table,) = (one for one in actions if isinstance(one, SendFile))
        assert picture.account == table.account == "sandbox:boss"
        with Image.open(io.BytesIO(picture.data)) as image:
            assert image.size[0] == 1080
        assert said(r) == []


async def test_the_table_has_days_persons_and_entries_and_no_formula() -> None:
    async with office() as r:
        await a_week(r)
        r.sandbox.world.requests.clear()
        await r.whisper("g1", "boss", "打卡周报 本周")
        (table,) = (one.action for one in r.sandbox.world.requests if isinstance(one.action, SendFile))
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(table.data))
        days, persons, entries = (
            workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names
        )

        assert days[1][:4] == ["2025-03-03", 2.0, 1.0, 1.0]
        assert [row[0] for row in persons[1:]] == ["李四", "赵六"]
        assert ["2025-03-03", "赵六", "销售部", "", "迟到", "09:12", "=客户A处", "文字"] in entries


async def test_the_board_is_sent_by_itself_where_that_is_set() -> None:
    text = pack(f'{SITES}\nboard_at = "18:00"\nboard_days = "tue"')
    async with office(text=text) as r:
        await a_week(r)
        r.sandbox.world.letters.clear()
        await r.advance_to(at("2025-03-04T18:00"))

        assert any("打卡周报(" in text for text in letters(r, "boss"))
        assert letters(r, "li") == []


@pytest.mark.parametrize("words", ["打卡周报 上周", "打卡周报 2025-W08"])
async def test_a_week_of_which_nothing_is_kept_says_how_long_it_is(words: str) -> None:
    async with office() as r:
        await r.whisper("g1", "boss", words)
        assert "只保存 7 天" in last(r, "boss")


async def test_without_a_font_the_board_comes_as_text_and_table() -> None:
    text = pack(f'{SITES}\nfont = "no-such-font.ttf"')
    async with office(text=text) as r:
        await a_week(r)
        r.sandbox.world.requests.clear()
        await r.whisper("g1", "boss", "打卡周报")
        kinds = {request.action.kind for request in r.sandbox.world.requests}

        assert "send_file" in kinds
        assert "send_image" not in kinds
        assert any("no-such-font" in str(fields) for _, _, fields in r.log.lines)
