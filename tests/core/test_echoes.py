"""What was heard of late is told from what is new, in little memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from groupops.echoes import GENERATION, SAME_UTTERANCE_S, Heard, Uttered

NOON = datetime(2025, 3, 3, 4, tzinfo=UTC)
SAME = timedelta(seconds=SAME_UTTERANCE_S)


@given(ids=st.lists(st.text(max_size=3)))
def test_an_id_is_met_for_the_first_time_once(ids: list[str]) -> None:
    heard = Heard()

    assert [one for one in ids if heard.first(one)] == list(dict.fromkeys(ids))


def test_a_forgotten_id_is_met_for_the_first_time_again() -> None:
    heard = Heard()
    heard.first("a")

    heard.forget("a")

    assert heard.first("a")


def test_as_many_ids_as_a_generation_has_are_remembered_and_twice_as_many_are_not() -> None:
    heard = Heard()
    for number in range(2 * GENERATION):
        heard.first(f"{number}")

    assert not heard.first(f"{GENERATION}")
    assert heard.first("0")


@given(apart=st.timedeltas(-2 * SAME, 2 * SAME), other=st.sampled_from(["bot", "archive"]))
def test_another_source_within_a_minute_is_an_echo_and_nothing_else_is(apart: timedelta, other: str) -> None:
    uttered = Uttered()
    key = uttered.key("qq:1", "p1", "好的")
    uttered.echoes(key, "bot", NOON)

    echo = uttered.echoes(key, other, NOON + apart)

    near = abs(apart) <= SAME
    assert echo == (other == "archive" and near) or abs(abs(apart) - SAME) < timedelta(milliseconds=1)


def test_another_person_another_group_or_another_text_is_another_utterance() -> None:
    uttered = Uttered()
    said = uttered.key("qq:1", "p1", "好的")
    uttered.echoes(said, "bot", NOON)

    others = [
        uttered.key("qq:2", "p1", "好的"),
        uttered.key("qq:1", "p2", "好的"),
        uttered.key("qq:1", "p1", "好"),
    ]

    assert not any(uttered.echoes(other, "archive", NOON) for other in others)


def test_an_utterance_from_which_something_followed_names_its_fact() -> None:
    uttered = Uttered()
    bad, harmless = uttered.key("qq:1", "p1", "坏话"), uttered.key("qq:1", "p1", "好的")

    uttered.follow(bad, "e1")

    assert uttered.first(bad) == "e1"
    assert not uttered.first(harmless)


def test_an_utterance_is_remembered_over_the_change_of_generations() -> None:
    uttered = Uttered()
    bad = uttered.key("qq:1", "p1", "坏话")
    uttered.echoes(bad, "bot", NOON)
    uttered.follow(bad, "e1")

    for number in range(GENERATION):
        uttered.echoes(uttered.key("qq:1", "p1", f"{number}"), "bot", NOON)

    assert uttered.echoes(bad, "archive", NOON)
    assert uttered.first(bad) == "e1"


def test_what_a_bot_reads_from_the_history_is_no_second_witness_of_what_it_heard_itself() -> None:
    uttered = Uttered()
    said = uttered.key("qq:1", "p1", "好的")
    assert not uttered.echoes(said, "bot:7", NOON)

    assert not uttered.echoes(said, "history:7", NOON + timedelta(seconds=30))
    assert uttered.echoes(said, "history:8", NOON + timedelta(seconds=31))
