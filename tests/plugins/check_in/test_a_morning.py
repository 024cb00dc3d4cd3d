"""A morning of the furniture company, as members, dispatcher and platform see it."""

from __future__ import annotations

from datetime import timedelta

from groupops import AccountId, Location, LocationShared, Stage
from tests.plugins.check_in.stories import (
    GROUP,
    HEAD,
    NAMES,
    agree,
    at,
    entry,
    last,
    letters,
    line,
    locate,
    office,
    pack,
    said,
    state,
)


async def test_who_owes_is_asked_reminded_and_listed_and_nobody_else() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T08:30"))
        assert "09:00" in last(r, "li")
        assert "篇二 3.5" in last(r, "li")

        await r.advance_to(at("2025-03-03T08:41"))
        await locate(r, "li")
        assert "准时" in last(r, "li")
        assert "总部" in last(r, "li")

        await r.advance_to(at("2025-03-03T09:05"))
        assert "补打" in last(r, "zhao")
        assert len(letters(r, "li")) == 2

        await r.advance_to(at("2025-03-03T09:20"))
        await r.whisper("g1", "zhao", "位置 客户A处")
        assert "迟到" in last(r, "zhao")

        await r.advance_to(at("2025-03-03T09:30"))
        roll = last(r, "boss")
        assert "李四 08:41 总部" in roll
        assert "赵六 09:20 客户A处" in roll
        assert NAMES["sun"] not in roll
        assert letters(r, "admin") == []
        assert said(r) == []
        assert await r.records.cases() == ()


async def test_nine_o_clock_sharp_is_on_time_and_the_next_instant_is_late() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T09:00"))
        await r.whisper("g1", "li", "位置:公司")
        await r.advance(timedelta(microseconds=1))
        await r.whisper("g1", "zhao", "位置:公司")

        assert await state(r, "li") == "on_time"
        assert await state(r, "zhao") == "late"


async def test_before_the_opening_and_after_the_close_nothing_is_taken() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T08:29:59"))
        await r.whisper("g1", "li", "位置 公司")
        assert "不在打卡时间" in last(r, "li")
        assert await state(r, "li") == ""

        await r.advance_to(at("2025-03-03T09:30"))
        await r.whisper("g1", "li", "位置 公司")
        assert "更正打卡" in last(r, "li")
        assert await state(r, "li") == "missing"


async def test_who_never_agreed_is_never_asked_nor_reminded_nor_listed() -> None:
    async with office(agreed=("li",)) as r:
        await r.advance_to(at("2025-03-03T09:31"))
        assert letters(r, "sun") == []
        assert NAMES["sun"] not in last(r, "boss")
        assert await state(r, "sun") == ""

        await r.whisper("g1", "sun", "我的打卡")
        assert "没有同意打卡" in last(r, "sun")


async def test_on_a_holiday_nobody_is_asked_and_nobody_is_missing() -> None:
    async with office("2025-10-02T08:00") as r:
        await r.advance_to(at("2025-10-02T12:00"))
        assert letters(r, "li") == []
        assert await state(r, "li", "2025-10-02") == ""


async def test_on_a_saturday_that_makes_up_for_a_holiday_it_is_asked() -> None:
    async with office("2025-10-11T08:00") as r:
        await r.advance_to(at("2025-10-11T08:50"))
        assert len(letters(r, "li")) == 2


async def test_an_ordinary_saturday_is_free() -> None:
    async with office("2025-03-08T08:00") as r:
        await r.advance_to(at("2025-03-08T10:00"))
        assert letters(r, "li") == []


async def test_the_first_check_in_counts_and_a_later_one_corrects_the_place() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T08:40"))
        await locate(r, "li")
        await r.advance_to(at("2025-03-03T09:10"))
        await r.whisper("g1", "li", "位置 客户B处")

        found = await entry(r, "li")
        assert found is not None
        assert (found.state.value, found.place) == ("on_time", "客户B处")
        assert found.at == at("2025-03-03T08:40")
        await r.whisper("g1", "li", "我的打卡")
        assert "由「总部」更正为「客户B处」" in last(r, "li")


async def test_the_same_place_twice_is_one_check_in() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T08:40"))
        await locate(r, "li")
        await locate(r, "li")

        assert "已经记录过" in last(r, "li")
        await r.whisper("g1", "li", "我的打卡")
        assert "更正为" not in last(r, "li")


async def test_a_location_that_arrives_late_counts_by_its_own_moment() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T09:31"))
        assert await state(r, "li") == "missing"
        await r.tell(delivered("li", sent="2025-03-03T08:58", received="2025-03-03T09:07"))
        await r.tell(delivered("zhao", sent="2025-03-03T08:58", received="2025-03-03T09:09"))

        assert await state(r, "li") == "on_time"
        assert await state(r, "zhao") == "late"


async def test_the_same_fact_told_again_after_a_restart_changes_nothing() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T09:10"))
        fact = delivered("li", sent="2025-03-03T08:58", received="2025-03-03T08:58")
        await r.tell(fact)
        await r.whisper("g1", "li", "位置 客户B处")
        before = await entry(r, "li")
        r.engine.flow._met.forget(fact.id)
        await r.tell(fact)

        assert await entry(r, "li") == before


def delivered(who: str, *, sent: str, received: str) -> LocationShared:
    return LocationShared(
        id=f"late/{who}",
        at=at(sent),
        received_at=at(received),
        group_id=GROUP,
        account=AccountId(f"sandbox:{who}"),
        location=Location(latitude=HEAD["lat"], longitude=HEAD["lon"], crs="gcj02"),
        private=True,
    )


async def test_a_location_shared_in_the_group_is_taken_and_once_it_is_said_that_private_is_better() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T08:40"))
        await locate(r, "li", private=False)
        assert "建议私下" in last(r, "li")
        assert said(r) == []

        await r.advance(timedelta(minutes=1))
        await locate(r, "li", lat=39.905, lon=116.505, private=False)
        assert "仓库" in last(r, "li")
        assert "建议私下" not in last(r, "li")


async def test_a_location_shared_in_the_group_at_noon_is_talk() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T12:00"))
        r.sandbox.world.letters.clear()
        await locate(r, "li", private=False)
        await locate(r, "clerk", private=False)

        assert letters(r, "li") == letters(r, "clerk") == said(r) == []


async def test_without_a_dispatcher_the_stewards_get_the_list() -> None:
    async with office(dispatcher=False) as r:
        await r.advance_to(at("2025-03-03T09:30"))
        assert "未打卡" in last(r, "admin")
        assert letters(r, "boss") == []


async def test_a_night_shift_belongs_to_the_day_it_opens_on() -> None:
    night = (
        'shifts = [{ name = "夜班", roles = ["业务人员"], open = "23:30", due = "00:00", close = "00:30" }]'
    )
    async with office("2025-03-03T20:00", text=pack(night)) as r:
        await r.advance_to(at("2025-03-04T00:00"))
        await r.whisper("g1", "li", "位置 公司")
        await r.advance_to(at("2025-03-04T00:30"))

        assert await state(r, "li", "2025-03-03") == "on_time"
        assert await state(r, "zhao", "2025-03-03") == "missing"
        assert "夜班" in last(r, "boss")


async def test_who_agrees_during_the_morning_may_check_in_and_is_not_missing() -> None:
    async with office(agreed=()) as r:
        await r.advance_to(at("2025-03-03T08:45"))
        await agree(r, "li")
        await agree(r, "zhao")
        await r.whisper("g1", "li", "位置 公司")
        await r.advance_to(at("2025-03-03T09:31"))

        assert await state(r, "li") == "on_time"
        assert await state(r, "zhao") == ""


async def test_who_left_the_organisation_owes_nothing_and_nothing_is_kept() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T08:45"))
        await r.whisper("g1", "li", "位置 公司")
        await r.enrol(line("li", active=False))
        assert await state(r, "li") == ""

        await r.advance_to(at("2025-03-03T09:31"))
        assert NAMES["li"] not in last(r, "boss")


async def test_a_list_after_an_outage_says_that_it_may_be_incomplete() -> None:
    async with office() as r:
        r.clock.moment = at("2025-03-03T11:00")
        await r.settle()

        assert letters(r, "li") == []
        assert "可能不全" in last(r, "boss")


async def test_in_shadow_nothing_is_asked_and_nothing_kept() -> None:
    async with office(stage=Stage.SHADOW) as r:
        await r.advance_to(at("2025-03-03T08:45"))
        await r.whisper("g1", "li", "位置 公司")
        await r.advance_to(at("2025-03-03T09:31"))

        assert letters(r, "li") == letters(r, "boss") == []
        assert await state(r, "li") == ""
