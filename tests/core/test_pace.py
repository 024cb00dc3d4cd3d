"""Buckets give what a pace allows and no more, on any schedule; whoever says not now is heeded."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import (
    PERSONAL_PACE,
    AccountId,
    Action,
    Announce,
    DeleteMessage,
    DirectMessage,
    GroupId,
    Mute,
    Pace,
    Rate,
    Reply,
    SendText,
    SetCard,
)
from groupops.pace import KEPT, LONGEST, Bucket, Overrides, Pacer, Pacers, said_in_group

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
S = timedelta(seconds=1)
G, H = GroupId("qq:1"), GroupId("qq:2")
WANG = AccountId("qq:10001")
TEXT = SendText(group_id=G, text="好")
ELSEWHERE = SendText(group_id=H, text="好")
CARD = SetCard(group_id=G, account=WANG, card="王")
RECALL = DeleteMessage(group_id=G, message_id="1")


def moments(pacer: Pacer, action: Action, times: int) -> list[float]:
    """When, in seconds after noon, each of so many actions goes if each goes as early as it may."""
    now, gone = NOON, []
    for _ in range(times):
        now = pacer.ready_at(action, now)
        pacer.take(action, now)
        gone.append((now - NOON) / S)
    return gone


def test_a_burst_goes_at_once_and_the_rest_one_by_one() -> None:
    pacer = Pacer(Pace(messages=Rate(every=3 * S, burst=2)))

    assert moments(pacer, TEXT, 5) == [0, 0, 3, 6, 9]


def test_a_group_has_its_own_limit_below_that_of_the_account() -> None:
    pacer = Pacer(Pace(messages=Rate(every=S, burst=5), group_messages=Rate(every=10 * S)))
    pacer.take(TEXT, NOON)

    assert pacer.ready_at(TEXT, NOON) == NOON + 10 * S
    assert pacer.ready_at(ELSEWHERE, NOON) == NOON


def test_messages_do_not_hold_up_deeds_nor_deeds_messages() -> None:
    pacer = Pacer(Pace(messages=Rate(every=60 * S), deeds=Rate(every=30 * S)))
    pacer.take(TEXT, NOON)

    assert pacer.ready_at(RECALL, NOON) == NOON
    pacer.take(RECALL, NOON)
    assert pacer.ready_at(RECALL, NOON) == NOON + 30 * S
    assert pacer.ready_at(TEXT, NOON) == NOON + 60 * S


def test_a_slow_kind_takes_from_its_own_bucket_too() -> None:
    pacer = Pacer(Pace(deeds=Rate(every=S, burst=10), kinds={"set_card": Rate(every=5 * S)}))

    assert moments(pacer, CARD, 3) == [0, 5, 10]
    assert pacer.ready_at(RECALL, NOON + 10 * S) == NOON + 10 * S


def test_jitter_only_ever_waits_longer_and_is_the_same_for_the_same_dice() -> None:
    pace = Pace(messages=Rate(every=10 * S), jitter=0.3)
    first = moments(Pacer(pace, random.Random(7)), TEXT, 50)
    gaps = [later - earlier for earlier, later in pairwise(first)]

    assert first == moments(Pacer(pace, random.Random(7)), TEXT, 50)
    assert all(10 <= gap <= 13 for gap in gaps)
    assert len(set(gaps)) > 40


@pytest.mark.parametrize(
    ("action", "other"),
    [(TEXT, ELSEWHERE), (CARD, RECALL), (DirectMessage(group_id=G, account=WANG, text="好"), TEXT)],
    ids=lambda action: action.kind,
)
@pytest.mark.parametrize("pace", [Pace(), PERSONAL_PACE], ids=["unpaced", "personal"])
def test_whoever_says_not_now_is_asked_for_that_again_only_then(
    pace: Pace, action: Action, other: Action
) -> None:
    pacer = Pacer(pace)
    pacer.throttled(action, 90 * S, NOON)

    assert pacer.ready_at(action, NOON) == NOON + 90 * S
    assert pacer.ready_at(other, NOON) == NOON


def test_a_shorter_not_now_does_not_shorten_a_longer_one() -> None:
    pacer = Pacer()
    pacer.throttled(TEXT, 60 * S, NOON)
    pacer.throttled(TEXT, 5 * S, NOON)

    assert pacer.ready_at(TEXT, NOON) == NOON + 60 * S


def test_a_quota_that_is_used_up_for_days_holds_up_nothing_else_for_as_long() -> None:
    pacer = Pacer()
    pacer.throttled(TEXT, timedelta(days=3), NOON)

    assert pacer.ready_at(TEXT, NOON) == NOON + LONGEST
    assert pacer.ready_at(Reply(group_id=G, message_id="1", text="好"), NOON) == NOON


def test_what_stands_in_the_group_is_told_from_what_one_account_gets() -> None:
    assert said_in_group(Reply(group_id=G, message_id="1", text="好", account=WANG))
    assert said_in_group(Announce(group_id=G, text="好"))
    assert not said_in_group(DirectMessage(group_id=G, account=WANG, text="好"))
    assert not said_in_group(Mute(group_id=G, account=WANG, span=S))


def test_buckets_of_groups_that_are_full_again_are_forgotten() -> None:
    pacer = Pacer(Pace(group_messages=Rate(every=S)))
    for number in range(KEPT + 1):
        now = NOON if number < KEPT else NOON + 10 * S
        pacer.take(SendText(group_id=GroupId(f"qq:{number}"), text="好"), now)

    assert len(pacer._groups) == 1


RATES = st.builds(
    Rate, every=st.timedeltas(min_value=S / 10, max_value=60 * S), burst=st.integers(min_value=1, max_value=9)
)


@given(RATES, st.lists(st.timedeltas(min_value=timedelta(), max_value=30 * S), min_size=1, max_size=60))
def test_no_window_ever_holds_more_than_a_burst_and_what_came_back_in_it(
    rate: Rate, pauses: list[timedelta]
) -> None:
    bucket, now, gone = Bucket(rate), NOON, list[datetime]()
    for pause in pauses:
        now = bucket.ready_at(now + pause)
        bucket.take(now)
        gone.append(now)

    for first in range(len(gone)):
        for last in range(first, len(gone)):
            # A hair for timedeltas, which are whole microseconds.
            span = gone[last] - gone[first] + timedelta(microseconds=len(gone))
            assert last - first + 1 <= rate.burst + span / rate.every


@given(RATES, st.timedeltas(min_value=timedelta(), max_value=600 * S))
def test_after_a_rest_a_whole_burst_goes_at_once(rate: Rate, rest: timedelta) -> None:
    bucket = Bucket(rate)
    for _ in range(rate.burst):
        bucket.take(NOON)
    rested = NOON + rate.every * rate.burst + rest
    for _ in range(rate.burst):
        assert bucket.ready_at(rested) == rested
        bucket.take(rested)

    assert bucket.ready_at(rested) > rested


# — whose pace —


class Plain:
    """A platform that states no pace."""

    name = "plain"


class Careful(Plain):
    """A platform that is to be used like a person."""

    name = "careful"

    def pace(self) -> Pace:
        return PERSONAL_PACE


def test_a_platform_that_states_no_pace_is_used_as_fast_as_it_answers() -> None:
    pacer = Pacers().of(Plain())  # type: ignore[arg-type]

    assert moments(pacer, TEXT, 100) == [0] * 100


def test_a_personal_account_says_about_twenty_things_a_minute() -> None:
    pacer = Pacers(dice=random.Random(1)).of(Careful())  # type: ignore[arg-type]
    gone = moments(pacer, TEXT, 200)

    within = [sum(start <= moment < start + 60 for moment in gone) for start in range(60, 500, 20)]
    assert all(14 <= number <= 20 for number in within)


def test_what_the_operator_says_comes_before_what_the_platform_says() -> None:
    overrides = Overrides(messages_per_minute=60, group_messages_per_minute=6, slow_seconds=30)
    pace = overrides.over(PERSONAL_PACE)

    assert pace.messages == Rate(every=S, burst=5)
    assert pace.group_messages == Rate(every=10 * S, burst=2)
    assert {pace.kinds[kind].every for kind in ("set_card", "remove_member", "announce")} == {30 * S}
    assert pace.kinds["direct_message"] == PERSONAL_PACE.kinds["direct_message"]


def test_an_operator_who_says_nothing_changes_nothing_and_one_who_says_off_gets_none() -> None:
    assert Overrides().over(PERSONAL_PACE) == PERSONAL_PACE
    assert Overrides(on=False).over(PERSONAL_PACE) == Pace()


@pytest.mark.parametrize(("every", "burst"), [(timedelta(), 1), (-S, 1), (S, 0)])
def test_a_rate_that_allows_nothing_or_everything_is_refused(every: timedelta, burst: int) -> None:
    with pytest.raises(ValueError, match="a rate needs"):
        Rate(every=every, burst=burst)
