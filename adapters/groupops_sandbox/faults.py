"""What goes wrong between the bot and the platform, on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from groupops import InDoubt, Receipt, Refused, Throttled, Unreachable

ANY = "*"


@dataclass(slots=True, kw_only=True)
class Fault:
    """An answer that is given instead of the world's.

    Args:
        kind: the kind of action it meets, or `ANY`.
        receipt: the answer.
        times: how often yet; None until it is healed.
        done: True when the world changes all the same, and only the answer is lost.
    """

    kind: str
    receipt: Receipt
    times: int | None
    done: bool = False


class Faults:
    """The faults in wait, the oldest first. `members` is the kind of reading a member list.

    `lists_cut_to`: so many lines of a member list come, and it is said to be incomplete; None: all come.
    """

    def __init__(self) -> None:
        self.lists_cut_to: int | None = None
        self._waiting: list[Fault] = []

    def throttle(
        self, kind: str = ANY, *, times: int | None = 1, retry_after: timedelta = timedelta(seconds=5)
    ) -> None:
        """Answer `Throttled`; nothing is done."""
        self._add(kind, Throttled(retry_after=retry_after), times)

    def unplug(self, kind: str = ANY, *, times: int | None = None, why: str = "connection refused") -> None:
        """Answer `Unreachable` until `heal`, or so many times; nothing is done."""
        self._add(kind, Unreachable(why=why), times)

    def refuse(self, kind: str = ANY, *, times: int | None = None, why: str = "refused") -> None:
        """Answer `Refused` until `heal`, or so many times; nothing is done."""
        self._add(kind, Refused(why=why), times)

    def lose_answers(self, kind: str = ANY, *, times: int | None = 1, done: bool = True) -> None:
        """Answer `InDoubt`; with `done` the action was done, without it was lost on its way."""
        self._waiting.append(Fault(kind=kind, receipt=InDoubt(why="no answer"), times=times, done=done))

    def heal(self) -> None:
        """Forget all faults."""
        self._waiting.clear()
        self.lists_cut_to = None

    def meet(self, kind: str) -> Fault | None:
        """Give the fault that meets an action of that kind now, and count it."""
        for fault in self._waiting:
            if fault.kind in (ANY, kind):
                self._count(fault)
                return fault
        return None

    def _add(self, kind: str, receipt: Receipt, times: int | None) -> None:
        self._waiting.append(Fault(kind=kind, receipt=receipt, times=times))

    def _count(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            self._waiting.remove(fault)
