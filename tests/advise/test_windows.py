"""What happens within a short time is one thing, also where one export ends in the middle of it and the next begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from groupops import AccountId, MessagePosted, Text
from groupops.advise import Advice
from groupops.advise.history import TurnedClock
from groupops.advise.windows import HEARD_AGAIN, MOST_SAID, KeptCounters, Windows

from .conftest import GROUP, Office, later
from .exports import chatlab

START = datetime(2025, 3, 12, 2, 0, tzinfo=UTC)
NIGHT = 14 * 60 + 40
"""Minutes from nine in the morning to when the group rests."""


def _rules(advice: Advice) -> list[tuple[str, str]]:
    return [(one.rule, one.message_id) for one in advice.findings if one.message_id]


async def test_a_word_split_over_two_exports_is_one_word(office: Office) -> None:
    await office.bind("s10")
    first = await office.hand_in(office.write("one.jsonl", chatlab((0, "a", "早"), (5, "b", "傻"))))
    later(office, hours=1)

    second = await office.hand_in(office.write("two.jsonl", chatlab((6, "b", "逼"), (9, "a", "好"))))

    assert _rules(first) == []
    assert _rules(second) == [("moderation.insult", "m6b")]


async def test_two_exports_find_what_one_would_have(office: Office) -> None:
    await office.bind("s10")
    said = [(0, "a", "早"), (5, "b", "傻"), (6, "b", "逼"), (9, "a", "好")]

    whole = await office.hand_in(office.write("one.jsonl", chatlab(*said)))

    assert _rules(whole) == [("moderation.insult", "m6b")]


async def test_pieces_that_are_too_far_apart_are_none_in_two_exports_either(office: Office) -> None:
    await office.bind("s10")
    await office.hand_in(office.write("one.jsonl", chatlab((5, "b", "傻"))))
    later(office, hours=1)

    advice = await office.hand_in(office.write("two.jsonl", chatlab((8, "b", "逼"))))

    assert _rules(advice) == []


async def test_who_was_reminded_in_one_export_is_not_reminded_of_the_same_night_in_the_next(
    office: Office,
) -> None:
    await office.bind("s10")
    night = [(NIGHT, "b", "聊会儿"), (NIGHT + 20, "b", "再聊"), (NIGHT + 24 * 60, "b", "又聊")]

    advice = [
        await office.hand_in(office.write(f"{number}.jsonl", chatlab(one)))
        for number, one in enumerate(night)
    ]

    assert [len(_rules(one)) for one in advice] == [1, 0, 1]


async def test_an_export_of_earlier_talk_takes_nothing_up(office: Office) -> None:
    await office.bind("s10")
    await office.hand_in(office.write("one.jsonl", chatlab((60, "b", "傻"))))
    later(office, hours=1)

    advice = await office.hand_in(office.write("two.jsonl", chatlab((5, "b", "逼"))))

    assert _rules(advice) == []


@given(
    adds=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 50)), max_size=20),
    cut=st.integers(0, 50),
    probe=st.integers(0, 40),
)
def test_counters_go_on_in_another_process_as_if_there_were_one(
    adds: list[tuple[str, int]], cut: int, probe: int
) -> None:
    adds = sorted(adds, key=lambda one: one[1])
    clock = TurnedClock(START)
    whole, first = KeptCounters(clock), KeptCounters(clock)
    for key, second in adds:
        clock.turn(START + timedelta(seconds=second))
        whole.add_now(key, 30)
        if second <= cut:
            first.add_now(key, 30)
    kept = Windows.read(Windows.of(first, [], START + timedelta(seconds=cut)).text())
    other = TurnedClock(START)
    second_process = KeptCounters(other)
    second_process.begin_with(kept.counted, other)
    for key, second in adds:
        if second > cut:
            other.turn(START + timedelta(seconds=second))
            second_process.add_now(key, 30)
    clock.turn(START + timedelta(seconds=50 + probe))
    other.turn(START + timedelta(seconds=50 + probe))

    assert [whole.peek_now(key, 30) for key in "ab"] == [second_process.peek_now(key, 30) for key in "ab"]


def test_what_was_cleared_is_not_kept() -> None:
    counters = KeptCounters(TurnedClock(START))
    counters.add_now("a", 30)
    counters.add_now("b", 30)

    counters.clear_now("a", 30)

    assert [one.key for one in counters.counted(START)] == ["b"]


@given(ages=st.lists(st.integers(0, 1_200), max_size=30))
def test_of_what_was_said_only_the_last_minutes_are_kept(ages: list[int]) -> None:
    ages = sorted(ages, reverse=True)
    facts = [_posted(number, START - timedelta(seconds=age)) for number, age in enumerate(ages)]

    kept = Windows.read(Windows.of(KeptCounters(TurnedClock(START)), facts, START).text())

    assert kept.facts(GROUP) == [fact for fact in facts if START - fact.at <= HEARD_AGAIN]


def test_however_much_was_said_only_so_much_is_kept() -> None:
    facts = [_posted(number, START) for number in range(MOST_SAID + 5)]

    assert len(Windows.of(KeptCounters(TurnedClock(START)), facts, START).said) == MOST_SAID


def _posted(number: int, at: datetime) -> MessagePosted:
    return MessagePosted(
        id=f"{GROUP}/m{number}",
        at=at,
        group_id=GROUP,
        source="export",
        account=AccountId("wechat:name:张三" if number % 2 else "wechat:b"),
        message_id=f"m{number}",
        segments=(Text(text="早"),),
        name="张三",
    )
