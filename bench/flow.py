"""What a glance at harmless talk costs, plugins included and without; `python -m bench.flow` prints it."""

import asyncio
import gc
import json

from bench.figures import Row, cpu_us, row
from bench.rig import SIX, Flowing, flowing, told

ROUNDS = 7
WARM = 3
"""Rounds until nearly every member was met: what is new of a member is learnt, and that costs more."""

MESSAGES = 5_000
WORDS = 1_000


def rows() -> list[Row]:
    """The flow's own cost and that with the six plugins, turn by turn over the same messages."""
    return asyncio.run(_rows())


async def _rows() -> list[Row]:
    async with flowing(SIX, words=WORDS) as six, flowing(()) as alone:
        first, *facts = [one.fact for one in told(MESSAGES * (WARM + ROUNDS) + 1)]
        await six.engine.flow.handle(first)  # waits until the automaton of all groups is built
        gc.collect()
        gc.freeze()  # facts are handed in one by one where they are not all made beforehand
        whole, bare = list[float](), list[float]()
        for turn in range(WARM + ROUNDS):
            part = facts[turn * MESSAGES : (turn + 1) * MESSAGES]
            costs = _cost(six, part), _cost(alone, part)
            if turn >= WARM:
                whole.append(costs[0])
                bare.append(costs[1])
    return [
        row("FLOW.glance", whole, "<= 20", "µs", f"harmless talk, the six plugins on, {WORDS:,} words, CPU"),
        row(
            "FLOW.glance.bare",
            bare,
            "<= 8",
            "µs",
            "the same without a plugin; NoneBot takes as long to hand an event to nobody",
        ),
    ]


def _cost(made: Flowing, facts: list) -> float:  # type: ignore[type-arg]
    left = list[object]()
    glance = made.engine.flow.glance

    def glance_at_all() -> None:
        left.extend(pending for fact in facts if (pending := glance(fact)) is not None)

    us = cpu_us(len(facts), glance_at_all)
    assert not left, f"{len(left)} harmless messages were not finished at a glance"
    return us


if __name__ == "__main__":
    for one in rows():
        print(json.dumps(one, ensure_ascii=False))
