"""What is remembered is remembered for a while, and never without end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from groupops_wechat.recent import Kept


def kept(lasts: float = 10, most: int = 3) -> tuple[Kept[str, int], list[float]]:
    now = [0.0]
    return Kept(lasts, most, lambda: now[0]), now


def test_a_value_is_good_for_its_time_and_not_a_moment_longer() -> None:
    values, now = kept()
    values.put("a", 1)

    now[0] = 9.9
    assert values.get("a") == 1
    now[0] = 10
    assert values.get("a") is None
    assert len(values) == 0


def test_the_oldest_goes_first_when_there_are_too_many() -> None:
    values, _ = kept()
    for number, key in enumerate("abcd"):
        values.put(key, number)

    assert [values.get(key) for key in "abcd"] == [None, 1, 2, 3]


def test_what_lasts_no_time_is_not_kept_at_all() -> None:
    values, _ = kept(lasts=0)
    values.put("a", 1)

    assert len(values) == 0


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 5)), max_size=60))
def test_however_much_is_put_in_no_more_is_kept_than_may_be(puts: list[tuple[str, float]]) -> None:
    values, now = kept()
    for number, (key, passes) in enumerate(puts):
        now[0] += passes
        values.put(key, number)
        assert values.get(key) == number
        assert len(values) <= 3
