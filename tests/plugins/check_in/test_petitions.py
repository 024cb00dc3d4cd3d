"""Leave and corrections: asked for in words, decided by somebody else, and then so."""

from __future__ import annotations

from groupops_check_in.models import PetitionRow
from tests.plugins.check_in.stories import at, entry, last, letters, line, office, said, state


async def test_approved_leave_is_excused_and_not_reminded() -> None:
    async with office() as r:
        await r.whisper("g1", "li", "请假 今天 看病")
        assert "编号 1" in last(r, "li")
        assert "看病" in last(r, "boss")
        assert letters(r, "admin") == []

        await r.whisper("g1", "boss", "批准请假 1")
        assert "已批准" in last(r, "li")
        r.sandbox.world.letters.clear()
        await r.advance_to(at("2025-03-03T09:30"))

        assert letters(r, "li") == []
        assert await state(r, "li") == "excused"
        assert "请假:李四" in last(r, "boss")


async def test_leave_of_several_days_covers_the_working_days_among_them() -> None:
    async with office() as r:
        await r.whisper("g1", "li", "请假 3月7日至3月10日 事假")
        await r.whisper("g1", "boss", "批准请假 1 好")

        days = ["2025-03-07", "2025-03-08", "2025-03-09", "2025-03-10"]
        assert [await state(r, "li", day) for day in days] == ["excused", "", "", "excused"]


async def test_refused_leave_changes_nothing_and_says_why() -> None:
    async with office() as r:
        await r.whisper("g1", "li", "请假 今天 看病")
        await r.whisper("g1", "boss", "驳回请假 1 今天有客户")
        assert "今天有客户" in last(r, "li")
        await r.advance_to(at("2025-03-03T09:30"))

        assert await state(r, "li") == "missing"


async def test_leave_approved_after_the_close_excuses_who_was_missing() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T10:00"))
        await r.whisper("g1", "li", "请假 今天 发烧")
        await r.whisper("g1", "boss", "批准请假 1")

        assert await state(r, "li") == "excused"


async def test_who_is_on_leave_and_there_all_the_same_stays_excused() -> None:
    async with office() as r:
        await r.whisper("g1", "li", "请假 今天 看病")
        await r.whisper("g1", "boss", "批准请假 1")
        await r.advance_to(at("2025-03-03T08:50"))
        await r.whisper("g1", "li", "位置 公司")
        found = await entry(r, "li")

        assert found is not None
        assert (found.state.value, found.place) == ("excused", "总部")


async def test_an_approved_correction_turns_a_missing_day_into_a_corrected_one() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-04T08:00"))
        await r.whisper("g1", "li", "更正打卡 昨天 客户A处 忘了发")
        assert "客户A处" in last(r, "boss")
        await r.whisper("g1", "boss", "批准更正 1")
        found = await entry(r, "li", "2025-03-03")

        assert found is not None
        assert (found.state.value, found.place, found.means) == ("corrected", "客户A处", "correction")


async def test_a_correction_of_a_late_day_changes_the_place_alone() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T09:10"))
        await r.whisper("g1", "li", "位置 公司")
        await r.whisper("g1", "li", "更正打卡 今天 仓库 写错了")
        await r.whisper("g1", "boss", "批准更正 1")
        found = await entry(r, "li")

        assert found is not None
        assert (found.state.value, found.place) == ("late", "仓库")


async def test_a_button_decides_as_well() -> None:
    async with office() as r:
        await r.whisper("g1", "li", "请假 今天 看病")
        post = r.sandbox.world.letters_to("boss")[-1].post
        await r.tell(r.sandbox.press("g1", "boss", post.id, "批准"))

        assert await state(r, "li") == "excused"


async def test_a_petition_is_decided_once_by_somebody_entitled_and_never_by_oneself() -> None:
    async with office() as r:
        await r.enrol(line("zhao", roles=("业务人员", "dispatcher")))
        await r.whisper("g1", "zhao", "请假 今天 看病")
        await r.whisper("g1", "zhao", "批准请假 1")
        assert "不能处理自己的申请" in last(r, "zhao")
        await r.whisper("g1", "li", "批准请假 1")
        assert "只有派单人和管理员" in last(r, "li")
        await r.whisper("g1", "admin", "批准更正 1")
        assert "没有编号为 1" in last(r, "admin")
        await r.whisper("g1", "admin", "批准请假 1")
        assert await state(r, "zhao") == "excused"
        await r.whisper("g1", "boss", "驳回请假 1 不行")

        assert "已经处理过" in last(r, "boss")
        assert await state(r, "zhao") == "excused"


async def test_what_cannot_be_asked_for_is_said_and_not_filed() -> None:
    async with office() as r:
        for words, why in (
            ("请假 那天 看病", "没有看懂日期"),
            ("请假 3月8日 看病", "那一天不用打卡"),
            ("请假 2月1日 看病", "已经删除"),
            ("请假 2030-03-05 看病", "太远"),
            ("更正打卡 明天 公司 预先", "太远"),
            ("更正打卡 今天 39.90871,116.39752 忘了", "不要写经纬度"),
            ("请假 今天 我在39.90871", "不要写经纬度"),
        ):
            await r.whisper("g1", "li", words)
            assert why in last(r, "li"), words
        await r.whisper("g1", "sun", "请假 今天 看病")

        assert "不用请假" in last(r, "sun")
        assert await PetitionRow.all().count() == 0


async def test_a_petition_in_the_group_is_taken_and_answered_alone() -> None:
    async with office() as r:
        await r.say("g1", "li", "请假 今天 看病")

        assert "编号 1" in last(r, "li")
        assert said(r) == []
