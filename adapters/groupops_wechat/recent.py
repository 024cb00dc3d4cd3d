"""What was seen or looked up of late, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values that are good for a while; the oldest go first when there are too many.

    Args:
        lasts: seconds a value is good; 0 keeps nothing.
        most: values that are kept.
        now: where time comes from, in seconds.
    """

    def __init__(self, lasts: float, most: int, now: Callable[[], float]) -> None:
        self._lasts = lasts
        self._most = most
        self._now = now
        self._values: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """Give what is known and still good."""
        found = self._values.get(key)
        if found is None:
            return None
        if self._now() >= found[0]:
            del self._values[key]
            return None
        return found[1]

    def put(self, key: K, value: V) -> None:
        """Keep a value."""
        if self._lasts <= 0:
            return
        self._values[key] = (self._now() + self._lasts, value)
        self._values.move_to_end(key)
        while len(self._values) > self._most:
            self._values.popitem(last=False)

    def first(self, key: K, value: V) -> bool:
        """Keep a value; False when there is one already, which stays."""
        if self.get(key) is not None:
            return False
        self.put(key, value)
        return True

    def drop(self, key: K) -> None:
        """Forget a value."""
        self._values.pop(key, None)

    def drop_where(self, which: Callable[[K], bool]) -> None:
        """Forget the values of some keys."""
        for key in [one for one in self._values if which(one)]:
            del self._values[key]
