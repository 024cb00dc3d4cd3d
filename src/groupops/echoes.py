"""What was heard of late, so that a fact told twice is one fact: remembered in two generations and in little memory."""

from __future__ import annotations

from datetime import datetime

from groupops.events import witness_of

GENERATION = 50_000
"""Facts remembered before the older half is let go; what was booked is remembered by the store for good."""

SAME_UTTERANCE_S = 60
"""Two sources that saw one text of one person in one group within this saw one utterance (`architecture.md` §4)."""

_BITS = (1 << 60) - 1
"""Of a keyed hash: with 100,000 facts remembered, one in ten trillion new ones is taken for one of them."""

_SOURCES = 256


class Heard:
    """Ids of facts that were handed in."""

    __slots__ = ("_new", "_old")

    def __init__(self) -> None:
        self._new: set[int] = set()
        self._old: set[int] = set()

    def first(self, event_id: str) -> bool:
        """Say whether a fact is met for the first time, and remember it."""
        short = hash(event_id) & _BITS
        if short in self._new or short in self._old:
            return False
        self._new.add(short)
        if len(self._new) >= GENERATION:
            self._old, self._new = self._new, set()
        return True

    def forget(self, event_id: str) -> None:
        """Let a fact be met for the first time again."""
        short = hash(event_id) & _BITS
        self._new.discard(short)
        self._old.discard(short)


class Uttered:
    """Who said what where, by which source, and which fact it was if something followed from it.

    Moment and source of an utterance are one number; only the few from which something followed keep an id.
    """

    __slots__ = ("_ids", "_new", "_old", "_older_ids", "_sources")

    def __init__(self) -> None:
        self._new: dict[int, int] = {}
        self._old: dict[int, int] = {}
        self._ids: dict[int, str] = {}
        self._older_ids: dict[int, str] = {}
        self._sources: dict[str, int] = {}

    def key(self, group_id: str, who: str, text: str) -> int:
        """Give the number of an utterance, for `echoes`, `follow` and `first`."""
        return hash((group_id, who, text)) & _BITS

    def echoes(self, key: int, source: str, at: datetime) -> bool:
        """Say whether another source told this utterance; if not, remember that this one does.

        Args:
            key: the utterance.
            source: who saw it.
            at: when it was said (aware).
        """
        number = self._sources.get(source)
        if number is None:
            number = self._sources.setdefault(witness_of(source), len(self._sources) % _SOURCES)
            self._sources[source] = number
        millis = int(at.timestamp() * 1000)
        met = self._new.get(key)
        if met is None:
            met = self._old.get(key)
        if met is not None and _is_echo(met, number, millis):
            return True
        self._new[key] = millis * _SOURCES + number
        if len(self._new) >= GENERATION:
            self._old, self._new = self._new, {}
            self._older_ids, self._ids = self._ids, {}
        return False

    def follow(self, key: int, event_id: str) -> None:
        """Remember the fact of an utterance from which something followed."""
        self._ids[key] = event_id

    def first(self, key: int) -> str:
        """Give the fact of an utterance, or nothing when nothing followed from it."""
        return self._ids.get(key) or self._older_ids.get(key, "")


def _is_echo(met: int, source: int, millis: int) -> bool:
    then, who = divmod(met, _SOURCES)
    return who != source and abs(millis - then) <= SAME_UTTERANCE_S * 1000
