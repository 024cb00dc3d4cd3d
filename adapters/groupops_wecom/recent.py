"""What was seen of late, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict

from groupops_wecom.clockwork import Now


class Recent:
    """Marks that last a while; the oldest go first when there are too many.

    Args:
        lasts: seconds a mark lasts.
        most: marks that are kept.
        now: where time comes from.
    """

    def __init__(self, lasts: float, most: int, now: Now) -> None:
        self._lasts = lasts
        self._most = most
        self._now = now
        self._until: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def first(self, mark: str) -> bool:
        """Set a mark; False when it is set already."""
        now = self._now()
        until = self._until.get(mark)
        if until is not None and now < until:
            return False
        if until is not None:
            del self._until[mark]  # so that it comes to stand at the end
        self._until[mark] = now + self._lasts
        self._tidy(now)
        return True

    def drop(self, mark: str) -> None:
        """Take a mark away: what it stood for was not done."""
        self._until.pop(mark, None)

    def _tidy(self, now: float) -> None:
        """Marks stand in the order in which they were set, and all last equally long."""
        while self._until:
            mark, until = next(iter(self._until.items()))
            if until > now and len(self._until) <= self._most:
                return
            del self._until[mark]
