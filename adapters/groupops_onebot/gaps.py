"""What was said while a bot was away: since when it missed what, and which messages of a history are new."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from groupops_onebot.shapes import table, tables, whole, word

FIRST = 50
"""Messages of a group that are asked for first; four times as many while they do not reach back far enough."""

MOST = 3_200
"""Messages of a group that are asked for at most; an end remembers 5,000 of all groups (`qq_nonebot.md` §1.2)."""

OVERLAP = timedelta(minutes=2)
"""How much earlier than the last sign of life is looked: clocks of ends differ, and what is known is left out."""


class Gaps:
    """Since when each bot has heard nothing of each of its groups.

    A gap stays open until its history was read, however often the connection breaks in between.
    """

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], datetime] = {}

    def open(self, self_id: str, groups: Iterable[str], since: datetime) -> None:
        """Note that nothing was heard since; a gap that is open already began earlier."""
        for group in groups:
            self._since.setdefault((self_id, group), since)

    def since(self, self_id: str, group: str) -> datetime | None:
        """Give since when nothing was heard; None when nothing was missed."""
        return self._since.get((self_id, group))

    def close(self, self_id: str, group: str) -> None:
        """Note that what was missed was read."""
        self._since.pop((self_id, group), None)


async def missed(
    ask: Callable[[int], Awaitable[Any]], since: datetime, known: Callable[[str], bool]
) -> list[Mapping[str, Any]] | None:
    """Give the messages of a group that were missed, the oldest first.

    Args:
        ask: asks the end for the last so many messages; gives None when it does not answer.
        since: since when nothing was heard.
        known: says whether a message, by its id, was heard.

    Returns:
        The messages; None when the end did not answer, so that it has to be asked again.
    """
    first, count = int((since - OVERLAP).timestamp()), FIRST
    while True:
        answer = await ask(count)
        if answer is None:
            return None
        found = tables(table(answer).get("messages"))
        times = [said_at for message in found if (said_at := whole(message.get("time"))) is not None]
        if len(found) < count or count >= MOST or min(times, default=0) < first:
            break
        count *= 4
    new = [message for message in found if _is_new(message, first, known)]
    return sorted(new, key=lambda message: whole(message.get("time")) or 0)


def _is_new(message: Mapping[str, Any], first: int, known: Callable[[str], bool]) -> bool:
    said_at = whole(message.get("time"))
    return said_at is not None and said_at >= first and not known(word(message.get("message_id")))
