"""Budgets: never more than a rate within any window, nobody overtaken for good, and memory that has an end."""

from __future__ import annotations

import random
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops_wecom.budget import (
    EXACT,
    SHARES,
    Budget,
    Claim,
    Rate,
    Throttled,
    Turnstile,
    Window,
    platform_rates,
    rate_of,
    until_midnight,
)
from tests.support.wecom_stub import START, Hours, most_within


@pytest.mark.parametrize("rate", [Rate(1, 5), Rate(20, 60), Rate(64, 60), Rate(65, 60), Rate(1000, 3600)])
@given(gaps=st.lists(st.floats(0, 120), max_size=400), costs=st.randoms(use_true_random=False))
def test_a_window_is_never_overrun_wherever_it_begins(
    rate: Rate, gaps: list[float], costs: random.Random
) -> None:
    window, now, taken = Window(rate), START, list[float]()

    for gap in gaps:
        now += gap
        cost = costs.randint(1, max(1, rate.number // 10))
        if window.wait(now, cost) == 0:
            window.take(now, cost)
            taken += [now] * cost

    assert most_within(taken, rate.span) <= rate.number
    assert len(window) <= max(EXACT, SHARES + 2)


@given(gaps=st.lists(st.floats(0, 30), max_size=200), cost=st.integers(1, 20))
def test_after_the_wait_that_was_said_it_fits(gaps: list[float], cost: int) -> None:
    window, now = Window(Rate(20, 60)), START
    for gap in gaps:
        now += gap
        if window.wait(now) == 0:
            window.take(now)

    wait = window.wait(now, cost)

    assert wait <= 61
    assert wait == 0 or window.wait(now + wait - 0.001, cost) > 0
    assert window.wait(now + wait + 1e-6, cost) == 0


def test_what_never_fits_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="ask for less"):
        Budget(lambda: START).wait([Claim("robot", "r", 21)])


def test_claims_on_one_counter_are_added_up() -> None:
    budget = Budget(lambda: START)

    with pytest.raises(ValueError, match="21"):
        budget.take([Claim("robot", "r", 20), Claim("robot", "r", 1)])

    assert budget.take([Claim("robot", "r", 20)]) == 0


def test_all_is_used_up_or_nothing() -> None:
    budget = Budget(lambda: START)
    budget.take([Claim("robot", "full", 20)])

    wait = budget.take([Claim("robot", "empty"), Claim("robot", "full")])

    assert wait == 61
    assert budget.take([Claim("robot", "empty", 20)]) == 0


def test_a_clock_that_is_set_back_gives_nothing_away_twice() -> None:
    hours = Hours()
    budget = Budget(lambda: hours.moment)
    budget.take([Claim("robot", "r", 20)])

    hours.moment -= 3600

    assert budget.take([Claim("robot", "r")]) == 61


def test_a_kind_without_a_rate_is_not_counted() -> None:
    budget = Budget(lambda: START, rates={})

    assert all(budget.take([Claim("robot", "r", 1000)]) == 0 for _ in range(100))
    assert len(budget) == 0


def test_a_counter_that_still_counts_is_not_forgotten_for_a_new_one() -> None:
    hours = Hours()
    budget = Budget(lambda: hours.moment, rates={"robot": (Rate(20, 60),)}, most_keys=100)
    for number in range(100):
        budget.take([Claim("robot", str(number), 20)])

    refused = budget.take([Claim("robot", "one more")])
    still = budget.take([Claim("robot", "0")])
    hours.moment += 61

    assert (refused, still) == (61, 61)
    assert budget.take([Claim("robot", "one more")]) == 0
    assert len(budget) <= 100


def test_a_hundred_thousand_conversations_are_held_in_bounded_memory() -> None:
    hours = Hours()
    budget = Budget(lambda: hours.moment, rates={"robot": (Rate(20, 60),)}, most_keys=1000)

    for number in range(100_000):
        hours.moment += 0.1
        budget.take([Claim("robot", str(number))])

    assert len(budget) <= 1000


def test_a_counter_of_a_day_remembers_little() -> None:
    window, now = Window(Rate(10_000, 86_400)), START

    for _ in range(10_000):
        now += 8
        window.take(now)

    assert len(window) <= SHARES + 2
    assert sys.getsizeof(window) + len(window) * 200 < 10_000


def test_the_ban_of_a_day_ends_at_midnight_in_china() -> None:
    assert until_midnight(START) == 14 * 3600
    assert until_midnight(START + 14 * 3600) == 24 * 3600


def test_every_rate_of_the_platform_is_there() -> None:
    rates = platform_rates()

    assert rates["aibot_conversation"] == (Rate(30, 60), Rate(1000, 3600))
    assert rates["robot"] == (Rate(20, 60),)
    assert rates["checkin"] == (Rate(600, 60),)
    assert rates["api"] == (Rate(10_000, 60), Rate(150_000, 3600))
    assert rates["address"] == (Rate(20_000, 60), Rate(600_000, 3600))
    assert rates["appchat_create"] == (Rate(1000, 86_400),)
    assert rates["appchat_update"] == (Rate(1000, 3600),)
    together = [
        one.number + all_.number
        for one, all_ in zip(rates["app_member"], rates["app_broadcast"], strict=True)
    ]
    assert together == [30, 1000]


@pytest.mark.parametrize("text", ["", "20", "20/", "/60", "0/60", "20/0", "-1/60", "twenty/60", "20/60/60"])
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        rate_of(text)


# — an hour of simulated time —


async def one_speaker(
    turnstile: Turnstile, hours: Hours, said: dict[str, list[float]], place: str, gaps: list[float]
) -> list[float]:
    """Somebody who speaks in a place and comes again when told to wait; gives how long each message took."""
    took = list[float]()
    for gap in gaps:
        await hours.work.sleep(gap)
        wanted = hours.moment
        while True:
            try:
                await turnstile.enter("send", [Claim("aibot_conversation", place), Claim("api", "send")])
            except Throttled as held:
                await hours.work.sleep(held.wait)
            else:
                break
        said.setdefault(place, []).append(hours.moment)
        took.append(hours.moment - wanted)
    return took


async def test_an_hour_of_speaking_overruns_nothing_and_everybody_gets_a_word_in() -> None:
    hours, dice, said = Hours(), random.Random(7), dict[str, list[float]]()
    rates = dict(platform_rates()) | {"api": (Rate(70, 60), Rate(2200, 3600))}
    turnstile = Turnstile(Budget(lambda: hours.moment, rates), hours.work)
    speakers = [
        one_speaker(turnstile, hours, said, f"g{number % 12}", [dice.expovariate(1 / 45) for _ in range(50)])
        for number in range(48)
    ]

    took = await hours.run(*speakers)

    everything = [moment for moments in said.values() for moment in moments]
    assert len(everything) == 48 * 50
    assert hours.moment - START > 3600
    assert max(most_within(moments, 60) for moments in said.values()) <= 30
    assert max(most_within(moments, 3600) for moments in said.values()) <= 1000
    assert most_within(everything, 60) <= 70
    assert most_within(everything, 3600) <= 2200
    assert most_within(everything, 3600) > 2000  # and what may be said is said
    assert max(max(each) for each in took) < 3600
    assert len(turnstile) == 0


async def test_who_waits_longer_goes_first() -> None:
    hours, order = Hours(), list[int]()
    budget = Budget(lambda: hours.moment, {"robot": (Rate(2, 10),)})
    turnstile = Turnstile(budget, hours.work, patience=1000)

    async def come(number: int) -> None:
        await hours.work.sleep(number * 0.01)
        await turnstile.enter("send", [Claim("robot", "r")])
        order.append(number)

    await hours.run(*(come(number) for number in range(40)))

    assert order == sorted(order)


async def test_one_who_needs_much_is_not_starved_by_many_who_need_little() -> None:
    hours = Hours()
    budget = Budget(lambda: hours.moment, {"persons": (Rate(20_000, 60),)})
    turnstile = Turnstile(budget, hours.work, patience=1000)
    through: dict[str, float] = {}

    async def come(name: str, at: float, cost: int) -> None:
        await hours.work.sleep(at)
        await turnstile.enter("send", [Claim("persons", "corp", cost)])
        through[name] = hours.moment - START

    small = (come(f"small {number}", number * 0.5, 190) for number in range(400))
    await hours.run(come("large", 55, 20_000), *small)

    assert through["large"] < 55 + 2 * 62
    assert all(through["large"] <= through[f"small {number}"] for number in range(111, 400))
    assert len(through) == 401


async def test_a_conversation_that_waits_holds_up_no_other() -> None:
    hours, through = Hours(), dict[str, float]()
    turnstile = Turnstile(Budget(lambda: hours.moment), hours.work, patience=1000)

    async def come(place: str) -> None:
        await turnstile.enter("send", [Claim("api", "send"), Claim("aibot_conversation", place)])
        through[place] = hours.moment - START

    await hours.run(*(come("loud") for _ in range(40)), *(come(f"quiet {n}") for n in range(40)))

    assert all(at == 0 for place, at in through.items() if place != "loud")
    assert through["loud"] == pytest.approx(61)


async def test_one_who_stops_waiting_leaves_the_line() -> None:
    hours = Hours()
    turnstile = Turnstile(Budget(lambda: hours.moment), hours.work, patience=0.0)
    await hours.run(*(turnstile.enter("send", [Claim("robot", "r")]) for _ in range(20)))

    done = await hours.run(*(turnstile.enter("send", [Claim("robot", "r")]) for _ in range(10)))

    assert {type(one) for one in done} == {Throttled}
    assert [one.wait for one in done] == [61] * 10
    assert len(turnstile) == 0


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(1, 30)), min_size=1, max_size=60))
async def test_calls_let_through_never_overrun_a_window(comings: list[tuple[float, int]]) -> None:
    hours, through = Hours(), list[float]()
    turnstile = Turnstile(
        Budget(lambda: hours.moment, {"x": (Rate(30, 10), Rate(100, 60))}), hours.work, 10_000
    )

    async def come(at: float, cost: int) -> None:
        await hours.work.sleep(at)
        await turnstile.enter("send", [Claim("x", "", cost)])
        through.extend([hours.moment] * cost)

    await hours.run(*(come(at, cost) for at, cost in comings))

    assert len(through) == sum(cost for _, cost in comings)
    assert most_within(through, 10) <= 30
    assert most_within(through, 60) <= 100
    assert all(before <= after for before, after in pairwise(through))
