"""Any sequence of operations, repeated, retried and at once: nothing settles twice, and no fen is lost or made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from groupops_red_packet.journal import Item, Move, NotPossible, Pot, State, is_lawful, replayed
from groupops_red_packet.ledger import Ledger
from tests.plugins.red_packet.books import NOON, ledger_in, order, proposal
from tests.support.postgres_server import PostgresServer
from tests.support.soak import Soak

T = TypeVar("T")

CASES = st.integers(1, 5)
PERSONS = st.integers(1, 2)
CAP = 1200
OTHERS = sorted(set(Move) - {Move.PROPOSE})
_files = count(1)


class Machine(RuleBasedStateMachine):
    """Two persons, five cases, and everybody doing everything; `where` gives the address of an empty database."""

    where: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.at = NOON
        self.keys = count(1)
        self.repeatable: list[tuple[int, str, tuple[Move, ...], dict[str, Any]]] = []
        self.ledger = self.run(self._opened())

    async def _opened(self) -> Ledger:
        return await self.stack.enter_async_context(ledger_in(type(self).where(), by_migrations=False))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()

    # — what may happen —

    @rule(case_id=CASES, person=PERSONS, fen=st.integers(0, 900), copies=st.integers(1, 3))
    def propose(self, case_id: int, person: int, fen: int, copies: int) -> None:
        one = proposal(case_id, fen, cap=CAP, at=self.at, person=person)
        acted = self.run(_together([self.ledger.propose(one) for _ in range(copies)]))
        assert sum(not isinstance(done, BaseException) and done.fresh for done in acted) <= 1

    @rule(
        case_id=CASES,
        moves=st.lists(st.sampled_from(OTHERS), min_size=1, max_size=3),
        fen=st.integers(-1, 900),
        person=PERSONS,
        copies=st.integers(1, 3),
        same_key=st.booleans(),
    )
    def act(
        self, case_id: int, moves: list[Move], fen: int, person: int, copies: int, *, same_key: bool
    ) -> None:
        more = {"amount_fen": fen, "chosen": "值日一次", "person_id": person}
        keys = (
            [f"k{next(self.keys)}"] * copies if same_key else [f"k{next(self.keys)}" for _ in range(copies)]
        )
        before = self.run(self.ledger.item(case_id))
        acted = self.run(_together([self._do(case_id, key, tuple(moves), more) for key in keys]))
        fresh = [one for one in acted if not isinstance(one, BaseException) and one and one.fresh]
        assert all(isinstance(one, NotPossible) for one in acted if isinstance(one, BaseException))
        assert not (same_key and len(fresh) > 1)
        if before is not None:
            self.repeatable.append((case_id, keys[0], tuple(moves), more))

    @rule(case_id=CASES, steps=st.integers(1, 5), copies=st.integers(1, 3))
    def go_the_usual_way(self, case_id: int, steps: int, copies: int) -> None:
        usual = (Move.APPROVE, Move.NOTIFY, Move.ACCEPT, Move.SETTLE, Move.REVERSE)[:steps]
        keys = [f"k{next(self.keys)}" for _ in range(copies)]
        acted = self.run(_together([self._do(case_id, key, usual, {}) for key in keys]))
        assert sum(not isinstance(one, BaseException) and bool(one) for one in acted) <= 1

    @precondition(lambda self: self.repeatable)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        case_id, key, moves, more = data.draw(st.sampled_from(self.repeatable))
        known = any(e.key.startswith(f"{key}/") for e in self.run(self.ledger.journal(case_id=case_id)))
        acted = self.run(_together([self._do(case_id, key, moves, more)]))[0]
        assert not known or (not isinstance(acted, BaseException) and acted and not acted.fresh)

    @rule(days=st.integers(1, 20))
    def time_passes(self, days: int) -> None:
        self.at += timedelta(days=days)

    def _do(self, case_id: int, key: str, moves: tuple[Move, ...], more: dict[str, Any]) -> Awaitable[Any]:
        orders = [order(move, at=self.at, **more) for move in moves]
        return self.ledger.act(case_id, key, lambda _item, _journal: orders)

    # — what always holds —

    @invariant()
    def no_fen_is_lost_or_made(self) -> None:
        items, journal = self.run(self.ledger.items()), self.run(self.ledger.journal())
        pots = replayed(journal).pots
        assert sum(pots.values()) == 0
        assert -pots[Pot.OUTSIDE] == sum(item.charged_fen for item in items)
        assert pots[Pot.OPEN] == sum(item.open_fen for item in items)
        assert pots[Pot.REDUCED] == sum(item.reduced_fen for item in items)
        assert all(pots[pot] == sum(_in(item, pot) for item in items) for pot in _ENDS)

    @invariant()
    def every_item_is_what_its_lawful_journal_says(self) -> None:
        for item in self.run(self.ledger.items()):
            journal = self.run(self.ledger.journal(case_id=item.case_id))
            balance = replayed(journal)
            assert is_lawful(journal)
            assert balance.states[item.case_id] is item.state
            assert balance.owners[item.case_id] == item.person_id
            assert len(journal) == item.entries
            assert sum(entry.move in (Move.SETTLE, Move.SUBSTITUTE) for entry in journal) <= 1
            assert min(item.open_fen, item.reduced_fen, item.closed_fen) >= 0


_ENDS = tuple(pot for pot in Pot if pot not in (Pot.OUTSIDE, Pot.OPEN, Pot.REDUCED))


def _in(item: Item, pot: Pot) -> int:
    return item.closed_fen if item.state is State(pot.value) else 0


async def _together(work: list[Awaitable[Any]]) -> list[Any]:
    """Do all of it at once; what was refused comes back as its error."""
    return await asyncio.gather(*work, return_exceptions=True)


def _play(where: Callable[[], str], examples: int, steps: int) -> None:
    machine = type("Here", (Machine,), {"where": staticmethod(where)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _examples(soak: Soak) -> int:
    return 300 if soak.full else 20


def test_any_sequence_keeps_the_ledger_true_on_sqlite(soak: Soak) -> None:
    _play(lambda: "sqlite://:memory:", examples=_examples(soak), steps=40)


def test_any_sequence_keeps_the_ledger_true_on_postgresql(
    postgres_server: PostgresServer, soak: Soak
) -> None:
    made: list[str] = []

    def fresh() -> str:
        name = f"any_{next(_files)}"
        postgres_server.create(name)
        made.append(name)
        return str(postgres_server.url(name))

    try:
        _play(fresh, examples=_examples(soak) // 10, steps=40)
    finally:
        for name in made:
            postgres_server.drop(name)
