"""The one table: what is in it can be done, and nothing else can."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops_red_packet.journal import (
    OPEN,
    TABLE,
    TOLD,
    Item,
    Move,
    NotPossible,
    Pot,
    State,
    done,
    is_lapsed,
    is_lawful,
    is_overdue,
    late_for_approval,
    opened,
    reminders_due,
    replayed,
    unanswered,
)
from tests.plugins.red_packet.books import NOON, draft, order

DAY = timedelta(days=1)
CLOSED = frozenset(State) - OPEN


def standing(state: State, *, fen: int = 500, frozen: bool = False) -> Item:
    """An item in a state, with all that is needed for every move the table allows from there."""
    item, _ = opened(draft(12), order(Move.PROPOSE, amount_fen=fen), "k")
    closed = {"open_fen": 0, "closed_fen": fen} if state in CLOSED else {}
    return replace(
        item,
        state=state,
        frozen=frozen,
        chosen="值日一次",
        before=State.NOTIFIED,
        deadline=NOON + DAY,
        **closed,
    )  # type: ignore[arg-type]


def wanted(move: Move) -> dict[str, object]:
    """What a move needs besides."""
    return {Move.REDUCE: {"amount_fen": 200}, Move.REASSIGN: {"person_id": 8}}.get(move, {})  # type: ignore[return-value]


@pytest.mark.parametrize(("state", "move"), list(product(State, sorted(set(Move) - {Move.PROPOSE}))))
def test_a_move_is_possible_exactly_where_the_table_says_so(state: State, move: Move) -> None:
    frozen = move is Move.RESTORE
    item = standing(state, frozen=frozen)
    if state in TABLE[move].starts:
        after, entry = done(item, order(move, **wanted(move)), "k2")
        assert after.charged_fen == item.charged_fen
        assert entry.state is after.state
    else:
        with pytest.raises(NotPossible):
            done(item, order(move, **wanted(move)), "k2")


@pytest.mark.parametrize("move", sorted(set(Move) - {Move.PROPOSE, Move.RESTORE}))
def test_a_frozen_item_takes_only_what_may_be_done_while_its_person_is_away(move: Move) -> None:
    state = next(iter(sorted(TABLE[move].starts & OPEN)))
    item = standing(state, frozen=True)
    if TABLE[move].while_frozen:
        done(item, order(move, **wanted(move)), "k2")
    else:
        with pytest.raises(NotPossible):
            done(item, order(move, **wanted(move)), "k2")


def test_nothing_leads_from_an_end_back_but_a_reversal_of_what_was_settled() -> None:
    leaving = {
        (state, move) for move, way in TABLE.items() for state in way.starts & CLOSED if way.ends is not None
    }
    assert leaving == {(State.SETTLED, Move.REVERSE), (State.SETTLED_BY_ALTERNATIVE, Move.REVERSE)}


def test_every_state_can_be_reached_from_a_proposal() -> None:
    reached = {State.PROPOSED}
    for _ in State:
        reached |= {way.ends for way in TABLE.values() if way.ends and way.starts & reached}
    assert reached == set(State)


def test_money_is_owed_only_by_promise() -> None:
    with pytest.raises(NotPossible):
        opened(draft(1, mode="education"), order(Move.PROPOSE, amount_fen=1), "k")
    with pytest.raises(NotPossible):
        opened(draft(1), order(Move.PROPOSE, amount_fen=-1), "k")


@pytest.mark.parametrize("fen", [500, 501, 0, -1])
def test_a_reduction_takes_something_off_and_leaves_something(fen: int) -> None:
    with pytest.raises(NotPossible, match="amount"):
        done(standing(State.ACCEPTED), order(Move.REDUCE, amount_fen=fen), "k")


def test_only_an_alternative_of_the_terms_can_be_chosen() -> None:
    with pytest.raises(NotPossible, match="terms"):
        done(standing(State.NOTIFIED), order(Move.CHOOSE, chosen="请客"), "k")


def test_exactly_at_the_deadline_is_in_time() -> None:
    item = standing(State.NOTIFIED)
    assert not is_overdue(item, NOON + DAY)
    assert is_overdue(item, NOON + DAY + timedelta(microseconds=1))
    proposed = standing(State.PROPOSED)
    assert not late_for_approval(proposed, NOON + DAY)
    assert late_for_approval(proposed, NOON + DAY + timedelta(microseconds=1))


def test_clocks_stand_while_it_is_frozen_and_appealed_and_go_on_once() -> None:
    item, _ = done(standing(State.NOTIFIED), order(Move.FREEZE, at=NOON), "k")
    item, _ = done(item, order(Move.APPEAL, at=NOON + DAY), "k")
    item, _ = done(item, order(Move.RESTORE, at=NOON + 3 * DAY), "k")
    assert not is_overdue(item, NOON + 9 * DAY)
    item, _ = done(item, order(Move.RESUME, at=NOON + 5 * DAY), "k")

    assert (item.state, item.stopped_at, item.deadline) == (State.NOTIFIED, None, NOON + 6 * DAY)


def test_an_appeal_waits_seven_days_also_while_it_is_frozen() -> None:
    item, _ = done(standing(State.NOTIFIED, frozen=True), order(Move.APPEAL), "k")
    assert not unanswered(item, NOON + 7 * DAY - timedelta(seconds=1))
    assert unanswered(item, NOON + 7 * DAY)


def test_what_was_promised_or_chosen_never_lapses() -> None:
    late = NOON + 400 * DAY
    assert is_lapsed(replace(standing(State.NOTIFIED), chosen=""), late)
    assert not is_lapsed(replace(standing(State.NOTIFIED), chosen="", lapse_days=0), late)
    assert not is_lapsed(standing(State.NOTIFIED), late)
    assert not is_lapsed(standing(State.ACCEPTED), late)


@pytest.mark.parametrize(("days", "sent"), [(0, 0), (1, 0), (4, 1), (6, 2), (9, 2)])
def test_reminders_come_before_the_deadline(days: int, sent: int) -> None:
    item = replace(standing(State.NOTIFIED), deadline=NOON + 7 * DAY)
    assert reminders_due(item, NOON + days * DAY, (3, 1)) == sent


USUAL = [Move.APPROVE, Move.NOTIFY, Move.ACCEPT, Move.SETTLE]
ANY = st.lists(st.sampled_from(sorted(set(Move) - {Move.PROPOSE})), max_size=30)
MOVES = st.builds(lambda steps, more: USUAL[:steps] + more, st.integers(0, 4), ANY)


@given(fen=st.integers(0, 10**9), moves=MOVES, amounts=st.lists(st.integers(-5, 600), min_size=1))
def test_whatever_is_tried_no_fen_is_lost_or_made(fen: int, moves: list[Move], amounts: list[int]) -> None:
    item, first = opened(draft(1), order(Move.PROPOSE, amount_fen=fen), "0")
    journal = [first]
    for number, move in enumerate(moves, start=1):
        more = {"amount_fen": amounts[number % len(amounts)], "chosen": "值日一次", "person_id": number}
        try:
            item, entry = done(item, order(move, **more), str(number))
        except NotPossible:
            continue
        journal.append(entry)

    balance = replayed(journal)
    assert sum(balance.pots.values()) == 0
    assert balance.pots[Pot.OUTSIDE] == -fen
    assert all(amount >= 0 for pot, amount in balance.pots.items() if pot is not Pot.OUTSIDE)
    assert (balance.pots[Pot.OPEN], balance.pots[Pot.REDUCED]) == (item.open_fen, item.reduced_fen)
    assert item.charged_fen == fen
    assert item.state.open or balance.pots[Pot(item.state.value)] == item.closed_fen
    assert balance.states[1] is item.state
    assert balance.owners[1] == item.person_id
    assert is_lawful(journal)


def test_a_journal_with_a_line_too_many_or_out_of_order_is_not_lawful() -> None:
    item, first = opened(draft(1), order(Move.PROPOSE), "0")
    item, second = done(item, order(Move.APPROVE), "1")
    _, third = done(item, order(Move.NOTIFY), "2")

    assert is_lawful([first, second, third])
    assert not is_lawful([first, third])
    assert not is_lawful([second, first])
    assert not is_lawful([first, replace(second, state=State.SETTLED)])
    assert not is_lawful([first, second, replace(third, number=2)])


def test_it_is_always_somebodys_turn_only_after_being_told() -> None:
    assert TOLD < OPEN
    assert {move for move, way in TABLE.items() if way.starts == TOLD} >= {Move.CHOOSE, Move.SUBSTITUTE}
