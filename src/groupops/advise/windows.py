"""Short windows that reach over two hand-ins: what was counted lately is kept, and the last talk is heard again.

A process ends between two hand-ins, and with it what plugins remember of the moment before. So at the end of a round
the record keeps what still counts then, and the talk of the last ten minutes; the next round takes both in place of
having listened. Nothing is judged twice: what is heard again has no consequences.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from groupops.advise.history import TurnedClock
from groupops.clock import Clock
from groupops.counters import MemoryCounters
from groupops.engine import Engine
from groupops.events import Event, MessagePosted
from groupops.importers.chatlab_facts import Facts
from groupops.importers.transcripts.interchange import row_of_fact
from groupops.people import GroupId

HEARD_AGAIN: Final = timedelta(minutes=10)
"""How far back a plugin may look at what was said a moment ago."""
MOST_SAID: Final = 300
"""Messages of those minutes that are kept at most."""
MOST_COUNTED: Final = 20_000
"""Counts that are kept at most, the latest."""

_NANOS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted: when (ns since 1970), under which key and window (seconds), and how much."""

    at: int
    key: str
    window: float
    amount: int


class KeptCounters(MemoryCounters):
    """Counters in this process that can tell what they would still count, for another process to go on from there."""

    def __init__(self, clock: Clock) -> None:
        """Count by the moments of `clock`."""
        super().__init__(clock)
        self._counted: deque[Count] = deque(maxlen=MOST_COUNTED)

    def add_now(self, key: str, window: float, amount: int = 1) -> int:
        """Do one `Add`, and remember it."""
        self._counted.append(Count(self._nanos(), key, window, amount))
        return super().add_now(key, window, amount)

    def clear_now(self, key: str, window: float) -> None:
        """Do one `Clear`, and forget what was remembered of it."""
        left = [one for one in self._counted if (one.key, one.window) != (key, window)]
        self._counted = deque(left, maxlen=MOST_COUNTED)
        super().clear_now(key, window)

    def counted(self, until: datetime) -> Iterator[Count]:
        """Give what still counts at a moment."""
        moment = int(until.timestamp()) * _NANOS
        return (one for one in self._counted if moment - one.at < one.window * _NANOS)

    def begin_with(self, counts: Iterable[Count], clock: TurnedClock) -> None:
        """Forget everything and count these again, each at its own moment."""
        self._windows.clear()
        self._counted.clear()
        self._sweep_at = 0
        for one in sorted(counts, key=lambda count: count.at):
            clock.turn(datetime.fromtimestamp(one.at / _NANOS, clock.real.tzinfo))
            self.add_now(one.key, one.window, one.amount)


@dataclass(frozen=True, slots=True)
class Windows:
    """What one round leaves to the next.

    Args:
        counted: what still counts.
        said: the last messages, as lines of a transcript.
    """

    counted: Sequence[Count] = ()
    said: Sequence[dict[str, Any]] = field(default=())

    @classmethod
    def of(cls, counters: KeptCounters, facts: Iterable[Event], until: datetime) -> Windows:
        """Take what reaches beyond the end of a history."""
        late = [
            fact
            for fact in facts
            if isinstance(fact, MessagePosted) and fact.account and until - fact.at <= HEARD_AGAIN
        ]
        rows = [row for fact in late[-MOST_SAID:] if (row := row_of_fact(fact)) is not None]
        return cls(tuple(counters.counted(until)), rows)

    @classmethod
    def read(cls, text: str) -> Windows:
        """Read what was kept; nothing, where nothing was."""
        raw: dict[str, Any] = json.loads(text) if text else {}
        return cls(tuple(Count(*one) for one in raw.get("counted", ())), raw.get("said", ()))

    def text(self) -> str:
        """Give it as it is kept."""
        counted = [[one.at, one.key, one.window, one.amount] for one in self.counted]
        return json.dumps({"counted": counted, "said": list(self.said)}, ensure_ascii=False)

    def facts(self, group_id: GroupId) -> list[MessagePosted]:
        """Give the last messages as facts."""
        made = Facts(group_id, {}, "name")
        return [fact for row in self.said for fact in made.of(row) if isinstance(fact, MessagePosted)]

    async def take_up(
        self, engine: Engine, counters: KeptCounters, clock: TurnedClock, group_id: GroupId
    ) -> None:
        """Have plugins remember what was said and counted; what they say to it is heard by nobody."""
        plan, hooks = engine.plans.of(group_id), engine.parts.hooks
        if plan is None:
            return
        for fact in self.facts(group_id):
            clock.turn(fact.at)
            member = engine.people.member(group_id, fact.account)
            asked = hooks.ask(plan.judges.get(fact.kind, ()), fact, plan.group, member)
            await hooks.wait(asked)
        counters.begin_with(self.counted, clock)
