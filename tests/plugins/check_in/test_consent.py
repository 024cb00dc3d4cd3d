"""Consent: told before it is given, given in words, taken back at once and with everything that was kept."""

from __future__ import annotations

from dataclasses import replace

from groupops import AccountId, Location
from groupops_check_in import book
from groupops_check_in.consent import Word
from groupops_check_in.models import ConsentWord, DayRow, MoveRow, PetitionRow
from tests.plugins.check_in.stories import (
    GROUP,
    HEAD,
    agree,
    at,
    entry,
    last,
    letters,
    line,
    locate,
    office,
    said,
    state,
)

TOLD = ("目的", "保存什么", "7 天", "谁看得到", "不想发位置", "撤回同意", "不会受任何处理", "篇二 3.5")


async def words(who: str) -> list[str]:
    return [row.word for row in await ConsentWord.filter(account=f"sandbox:{who}").order_by("id")]


async def test_a_yes_counts_only_once_the_purpose_was_told() -> None:
    async with office(agreed=()) as r:
        await r.whisper("g1", "li", "同意打卡")
        told = last(r, "li")
        assert all(part in told for part in TOLD)
        assert await words("li") == ["asked"]

        await r.whisper("g1", "li", "同意打卡")
        assert "已记下您的同意" in last(r, "li")
        assert await words("li") == ["asked", "agreed"]
        (row,) = await ConsentWord.filter(word="agreed")
        assert row.purpose in told


async def test_everybody_who_owes_is_asked_once_and_a_no_is_never_asked_again() -> None:
    async with office(agreed=()) as r:
        await r.advance_to(at("2025-03-03T10:00"))
        assert all(len(letters(r, who)) == 1 for who in ("li", "zhao", "sun"))
        assert letters(r, "clerk") == []

        await r.whisper("g1", "sun", "不同意打卡")
        assert "不再问您" in last(r, "sun")
        await r.advance_to(at("2025-03-06T12:00"))
        assert len(letters(r, "sun")) == 2
        assert len(letters(r, "li")) == 1


async def test_a_steward_may_have_it_asked_at_once_and_a_member_may_not() -> None:
    async with office(agreed=("li",)) as r:
        await r.whisper("g1", "zhao", "打卡征询")
        assert await words("zhao") == []
        await r.whisper("g1", "admin", "打卡征询")

        assert "须打卡的 3 人里,2 人尚未征询" in last(r, "admin")
        assert await words("zhao") == ["asked"]
        assert letters(r, "li") == []


async def test_a_button_says_the_same_as_the_words() -> None:
    async with office(agreed=()) as r:
        await r.advance_to(at("2025-03-03T10:00"))
        post = r.sandbox.world.letters_to("li")[-1].post
        assert [option.word for option in post.options] == ["同意打卡", "不同意打卡"]
        await r.tell(r.sandbox.press("g1", "li", post.id, "同意打卡"))

        assert await words("li") == ["asked", "agreed"]


async def test_withdrawing_deletes_everything_at_once_and_changes_nothing_else() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T08:40"))
        await locate(r, "li")
        await r.advance_to(at("2025-03-03T08:45"))
        await r.whisper("g1", "li", "位置 客户A处")
        await r.whisper("g1", "li", "请假 明天 看病")
        before = r.engine.people.member(GROUP, AccountId("sandbox:li"))

        await r.whisper("g1", "li", "撤回同意")

        assert "仍是本群成员" in last(r, "li")
        assert [await table.all().count() for table in (DayRow, MoveRow, PetitionRow)] == [0, 0, 0]
        assert r.engine.people.member(GROUP, AccountId("sandbox:li")) == before
        assert await words("li") == ["asked", "agreed", "withdrawn"]


async def test_who_withdrew_is_not_asked_reminded_or_listed_any_more() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T08:40"))
        await r.whisper("g1", "li", "撤回同意")
        r.sandbox.world.letters.clear()
        await r.advance_to(at("2025-03-04T12:00"))

        assert letters(r, "li") == []
        assert "李四" not in "".join(letters(r, "boss"))


async def test_a_fact_from_before_the_consent_is_not_taken_after_it() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T08:40"))
        await locate(r, "li")
        fact = r.outcomes[-1].event
        await r.advance_to(at("2025-03-03T08:45"))
        await r.whisper("g1", "li", "撤回同意")
        await r.whisper("g1", "li", "同意打卡")
        r.engine.flow._met.forget(fact.id)
        await r.tell(fact)

        assert await state(r, "li") == ""


async def test_a_place_told_in_whole_seconds_right_after_the_consent_is_no_earlier_than_it() -> None:
    async with office(agreed=()) as r:
        await r.advance_to(at("2025-03-03T08:40").replace(microsecond=700_000))
        await agree(r, "li")
        place = Location(latitude=HEAD["lat"], longitude=HEAD["lon"], crs="gcj02")
        fact = r.sandbox.locate("g1", "li", place, private=True)
        await r.tell(replace(fact, at=at("2025-03-03T08:40")))

        assert await state(r, "li") == "on_time"


async def test_deleting_places_keeps_the_consent_and_today_s_presence() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T08:40"))
        await locate(r, "li")
        await r.advance_to(at("2025-03-04T08:40"))
        await locate(r, "li")
        await r.whisper("g1", "li", "删除我的位置")

        assert await state(r, "li", "2025-03-03") == ""
        today = await entry(r, "li", "2025-03-04")
        assert today is not None
        assert (today.state.value, today.place) == ("on_time", "")
        await r.advance_to(at("2025-03-05T08:30"))
        assert "请在 09:00 前打卡" in last(r, "li")


async def test_other_terms_need_a_new_word() -> None:
    async with office() as r:
        await r.engine.set(GROUP, "check_in.purpose", "安排送货", author="test")
        await r.advance_to(at("2025-03-03T08:40"))
        await r.whisper("g1", "li", "位置 公司")
        assert "还没有同意" in last(r, "li")

        await r.advance_to(at("2025-03-03T10:00"))
        assert "安排送货" in last(r, "li")
        await r.whisper("g1", "li", "同意打卡")
        await r.advance_to(at("2025-03-04T08:40"))
        await r.whisper("g1", "li", "位置 公司")
        assert await state(r, "li", "2025-03-04") == "on_time"


async def test_in_the_group_a_yes_needs_a_mark_and_shows_nobody_the_answer() -> None:
    async with office(agreed=()) as r:
        await r.say("g1", "li", "同意打卡")
        assert await words("li") == []
        await r.say("g1", "li", "/同意打卡")
        await r.say("g1", "li", "/同意打卡")

        assert await words("li") == ["asked", "agreed"]
        assert said(r) == []


async def test_who_works_no_shift_has_nothing_to_agree_to() -> None:
    async with office(agreed=()) as r:
        await agree(r, "clerk")
        assert "不在本群的打卡范围内" in last(r, "clerk")
        assert await words("clerk") == []


async def test_consent_and_days_follow_two_accounts_that_turn_out_to_be_one_person() -> None:
    async with office() as r:
        await r.advance_to(at("2025-03-03T08:40"))
        await locate(r, "li")
        await r.enrol(line("sun", roles=()))
        first = r.engine.people.person(AccountId("sandbox:li"))
        second = r.engine.people.person(AccountId("sandbox:sun"))
        assert first
        assert second
        await book.merged([first.id], second.id)

        assert await book.entry_of(GROUP, first.id, at("2025-03-03T08:40").date()) is None
        moved = await book.entry_of(GROUP, second.id, at("2025-03-03T08:40").date())
        assert moved is not None
        assert moved.place == "总部"
        last_word = await book.last_said(GROUP, second.id)
        assert last_word is not None
        assert last_word.word is Word.AGREED

        await book.parted(second.id, [AccountId("sandbox:li")], first.id)
        assert await state(r, "li") == "on_time"
