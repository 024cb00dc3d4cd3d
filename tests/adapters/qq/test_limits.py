"""Windows, numbers and quotas: what may be said is known beforehand, and a repetition is known as one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops_qq.config import Config
from groupops_qq.quota import LONGEST_REST, Limit, Quota, limit_of
from groupops_qq.speech import with_addresses
from groupops_qq.windows import IN_GROUP, PLACES, SEQUENCES, WINDOWS, Pins, Windows, number_of

NOW = datetime(2026, 11, 25, 15, 40, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def opened(*ids: str, at: datetime = NOW) -> Windows:
    windows = Windows(IN_GROUP)
    for id_ in ids:
        windows.open("G", id_, "message", at, at)
    return windows


def test_a_window_is_open_for_five_minutes_less_a_margin() -> None:
    windows = opened("M")

    assert windows.is_open("G", NOW + 4 * MINUTE)
    assert not windows.is_open("G", NOW + 5 * MINUTE - timedelta(seconds=5))


def test_a_window_takes_five_answers() -> None:
    windows = opened("M")
    for _ in range(5):
        window = windows.pick("G", NOW)
        assert window is not None
        window.left -= 1

    assert windows.pick("G", NOW) is None


def test_the_window_the_key_names_comes_first_then_the_newest() -> None:
    windows = opened("M1", "M2", "M3")

    named, other = windows.pick("G", NOW, "qqbot:M1#0"), windows.pick("G", NOW, "qqbot:elsewhere#0")

    assert named is not None
    assert other is not None
    assert (named.id, other.id) == ("M1", "M3")


def test_a_message_is_answered_before_an_event() -> None:
    windows = opened("M")
    windows.open("G", "E", "event", NOW, NOW)

    picked = windows.pick("G", NOW)

    assert picked is not None
    assert picked.id == "M"


def test_a_message_from_the_future_opens_no_longer_window() -> None:
    windows = Windows(IN_GROUP)
    windows.open("G", "M", "message", NOW + timedelta(days=1), NOW)

    assert not windows.is_open("G", NOW + 5 * MINUTE)


def test_a_message_pushed_twice_opens_one_window() -> None:
    windows = opened("M")
    first = windows.pick("G", NOW)
    assert first is not None
    first.left = 0
    windows.open("G", "M", "message", NOW, NOW)

    assert windows.pick("G", NOW) is None


def test_windows_do_not_pile_up() -> None:
    windows = opened(*(f"M{number}" for number in range(500)))
    for number in range(PLACES + 50):
        windows.open(f"G{number}", "M", "message", NOW, NOW)

    assert len(windows._places) == PLACES
    assert WINDOWS < 500


@given(st.lists(st.text(min_size=1, max_size=30), unique=True, max_size=30))
def test_keys_in_one_window_have_numbers_of_their_own(keys: list[str]) -> None:
    window = opened("M").pick("G", NOW)
    assert window is not None
    pins = Pins()

    numbers = [pins.into(window, key).seq for key in keys]

    assert len(set(numbers)) == len(numbers)
    assert all(1 <= number <= SEQUENCES for number in numbers)


@given(st.text(max_size=60))
def test_a_key_has_the_same_number_in_every_process(key: str) -> None:
    assert number_of(key, set()) == number_of(key, set())
    assert number_of(key, {number_of(key, set())}) != number_of(key, set())


# — quotas —


@pytest.mark.parametrize("text", ["20", "x/day", "20/year", "-1/day", "1000000/day", "/"])
def test_a_quota_that_is_none_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="quota"):
        limit_of(text)


def test_a_quota_lets_so_many_through_and_then_says_how_long() -> None:
    quota = Quota((limit_of("2/minute"),))
    quota.said("G", NOW)
    quota.said("G", NOW + timedelta(seconds=20))

    assert quota.wait("G", NOW + timedelta(seconds=30)) == timedelta(seconds=30)
    assert quota.wait("G", NOW + MINUTE) == timedelta()


def test_a_group_may_have_a_quota_of_its_own_and_one_of_none() -> None:
    quota = Quota((limit_of("20/minute"),), {"quiet": (limit_of("0/day"),), "old": (limit_of("1/month"),)})
    quota.said("old", NOW)

    assert quota.wait("quiet", NOW) is None
    assert quota.wait("old", NOW) == timedelta(days=30)
    assert quota.wait("other", NOW) == timedelta()


def test_a_refusal_is_heeded_the_longer_the_oftener() -> None:
    quota = Quota((limit_of("1000/day"),))
    rests = [quota.refused("G", NOW + hours) for hours in (timedelta(hours=number) for number in range(8))]

    assert rests == sorted(rests)
    assert rests[0] == MINUTE
    assert rests[-1] == LONGEST_REST


def test_what_the_platform_lets_through_is_measured_and_forgiven() -> None:
    quota = Quota((limit_of("1000/day"),))
    for _ in range(4):
        quota.said("G", NOW)
    quota.refused("G", NOW)

    assert quota.measured("G") == 4
    assert quota.wait("G", NOW) == MINUTE
    quota.said("G", NOW + 2 * MINUTE)
    assert quota.wait("G", NOW + 2 * MINUTE) == timedelta()
    assert quota.refused("G", NOW + timedelta(days=3)) == MINUTE


@given(
    limits=st.lists(
        st.builds(Limit, st.integers(1, 5), st.sampled_from([MINUTE, 10 * MINUTE, timedelta(days=1)])),
        min_size=1,
        max_size=3,
    ),
    gaps=st.lists(st.integers(0, 400), max_size=40),
)
def test_no_span_ever_holds_more_than_its_number(limits: list[Limit], gaps: list[int]) -> None:
    quota, now, said = Quota(tuple(limits)), NOW, list[datetime]()
    for gap in gaps:
        now += timedelta(seconds=gap)
        if quota.wait("G", now) == timedelta():
            quota.said("G", now)
            said.append(now)

    for limit in limits:
        assert all(sum(at - limit.span < other <= at for other in said) <= limit.number for at in said)


# — addresses —


@pytest.mark.parametrize(
    ("text", "defused"),
    [
        ("见 https://bad.example/x?a=1 。", "见 bad．example/x?a=1 。"),
        ("v.douyin.com/abc 点开", "v．douyin．com/abc 点开"),
        ("报名:example.com", "报名:example．com"),
        ("https://help.allowed.example/a 已报备", "https://help.allowed.example/a 已报备"),
        ("a.txt、3.14、v1.2.3、张三@example.com", "a.txt、3.14、v1.2.3、张三@example.com"),
    ],
)
def test_an_address_is_written_so_that_it_is_none_unless_it_is_registered(text: str, defused: str) -> None:
    config = Config(qq_url_hosts=("allowed.example",))

    assert with_addresses(text, config) == defused


def test_addresses_are_kept_or_left_out_as_the_operator_wants() -> None:
    text = "见 https://bad.example/x 好"

    assert with_addresses(text, Config(qq_urls="keep")) == text
    assert with_addresses(text, Config(qq_urls="drop")) == "见  好"


@given(st.text(alphabet="ab.:/?@&# 点\n-_", max_size=300))
def test_addresses_are_looked_for_in_no_time(text: str) -> None:
    assert len(with_addresses(text, Config())) <= len(text)
