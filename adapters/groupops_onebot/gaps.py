"""What was said while a bot was away: since when it missed what, and which messages of a history are new."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from groupops_onebot.shapes import table, tables, whole, word

FIRST = 50
"""Messages of a group that are asked for first; four times as many while they do not reach back far enough."""

MOST = 3_200
"""Messages of a group that are asked for at most; an end remembers 5,000 of all groups (`qq_nonebot.md` §1.2)."""

REACH = timedelta(hours=24)
"""How far back is read at most, however long nobody listened: what is older is of use to nobody."""

OVERLAP = timedelta(minutes=2)
"""How much earlier than the last sign of life is looked: clocks of ends differ, and what is known is left out."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a bot heard nothing: since when, and the how-manieth break in it was the last."""

    since: datetime
    breaks: int = 1


class Gaps:
    """The gap of each bot; it stays open until all histories were read, however often the connection breaks again."""

    def __init__(self) -> None:
        self._open: dict[str, Gap] = {}
        self._before: dict[str, datetime] = {}

    def resume(self, heard: Mapping[str, datetime]) -> None:
        """Take up until when the process before this one heard each group: since then each has a gap."""
        self._before.update(heard)

    def since(self, self_id: str, group: str, now: datetime) -> datetime | None:
        """Give since when nothing was heard of a group, not further back than is read; None when nothing is missing."""
        gap, before = self._open.get(self_id), self._before.get(group)
        moments = [at for at in (before, gap.since if gap else None) if at is not None]
        return max(min(moments), now - REACH) if moments else None

    def read(self, group: str) -> None:
        """Note that what was missed of a group before this process was read, or cannot be had."""
        self._before.pop(group, None)

    def behind(self, rooms: Mapping[str, Iterable[str]]) -> Mapping[str, datetime]:
        """Give the groups of which something is still to be read, and since when.

        Args:
            rooms: each bot's groups.
        """
        found = dict(self._before)
        for self_id, gap in self._open.items():
            for group in rooms.get(self_id, ()):
                found[group] = min(gap.since, found.get(group, gap.since))
        return found

    def open(self, self_id: str, since: datetime) -> None:
        """Note that nothing was heard since; a gap that is open already began earlier, and goes on."""
        before = self._open.get(self_id)
        self._open[self_id] = Gap(since) if before is None else replace(before, breaks=before.breaks + 1)

    def of(self, self_id: str) -> Gap | None:
        """Give a bot's gap; None when it missed nothing."""
        return self._open.get(self_id)

    def close(self, self_id: str, gap: Gap) -> None:
        """Note that what was missed was read, unless the connection broke again meanwhile."""
        if self._open.get(self_id) == gap:
            del self._open[self_id]


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
