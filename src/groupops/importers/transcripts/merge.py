"""Puts overlapping transcripts together, and what a bot heard itself, so that nothing is told twice and nothing is lost.

A message with an id is known by it. One without is known by who said what when, and by how often that was said in
the same moment: three "+1" of one minute are three messages, in each export that has them.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, Literal

from groupops.events import Event, LocationShared, MemberJoined, MemberLeft, MessagePosted, RedPacketSent
from groupops.importers.transcripts.values import Joined, Left, Party, Said, Value
from groupops.people import native_of

TOLERANCE: Final = timedelta(seconds=60)
"""Clocks of two sources of one talk may differ by this much."""
_MINUTE: Final = timedelta(minutes=1)

MOMENTS: Final = 256
"""Moments of which is remembered how often what was said; files are all but sorted."""

_OWN_FACTS: Final = {"location": "location_shared", "red_packet": "red_packet_sent"}
"""Kinds of messages that are facts of their own."""

Sameness = Literal["again", "heard", "watched"]
"""Why a value is known: it was imported before, a bot told it as a fact, or a bot was listening at that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A time in which a bot was in the group and heard everything, from its first moment to before its last."""

    start: datetime
    end: datetime


@dataclass(slots=True)
class _Heard:
    """A fact that may be met once."""

    at: datetime
    who: frozenset[str]
    met: bool = False


@dataclass(slots=True)
class Merge:
    """Tells new values from known ones, over any number of files of one talk.

    Args:
        known: keys of values that were imported before, as `keys` gave them.
        watched: times in which a bot heard everything itself.
    """

    known: set[str] = field(default_factory=set[str])
    watched: tuple[Watch, ...] = ()
    same: Counter[Sameness] = field(default_factory=Counter[Sameness])
    _heard: dict[str, list[_Heard]] = field(default_factory=dict[str, list[_Heard]])
    _ids: set[str] = field(default_factory=set[str])

    def heard(self, facts: Iterable[Event]) -> None:
        """Remember facts a bot told, so that a transcript of the same time does not tell them again."""
        for fact in facts:
            if isinstance(fact, MessagePosted):
                who = frozenset(filter(None, (native_of(fact.account), fact.name, fact.card)))
                self._ids.add(fact.message_id)
                self._note(f"said:{_folded(fact.text)}", fact.at, who)
            elif isinstance(fact, LocationShared | RedPacketSent):
                self._ids.add(fact.message_id)
                self._note(fact.kind, fact.at, frozenset({native_of(fact.account)}))
            elif isinstance(fact, MemberJoined):
                who = frozenset(filter(None, (native_of(fact.account), fact.name, fact.card)))
                self._note("joined", fact.at, who)
            elif isinstance(fact, MemberLeft):
                self._note("left", fact.at, frozenset({native_of(fact.account)}))

    def _note(self, what: str, at: datetime, who: frozenset[str]) -> None:
        self._heard.setdefault(what, []).append(_Heard(at=at, who=who))

    def fresh(self, values: Iterable[Value]) -> Iterator[Value]:
        """Give the values of one file that are new; from then on they are known."""
        for key, value in keyed(values):
            if key in self.known:
                self.same["again"] += 1
                continue
            self.known.add(key)
            if any(watch.start <= value.at < watch.end for watch in self.watched):
                self.same["watched"] += 1
            elif self._was_heard(value):
                self.same["heard"] += 1
            else:
                yield value

    def _was_heard(self, value: Value) -> bool:
        if isinstance(value, Said):
            if value.message_id and value.message_id in self._ids:
                return True
            sender = value.sender
            who = {sender.id} if sender.id else {sender.name, sender.card} - {""}
            what = _OWN_FACTS.get(value.kind) or f"said:{_folded(value.text)}"
            return self._meets(what, value, who)
        if isinstance(value, Joined | Left):
            what = "joined" if isinstance(value, Joined) else "left"
            return all(self._meets(what, value, {one.id or one.name}) for one in value.who)
        return False

    def _meets(self, what: str, value: Value, who: set[str]) -> bool:
        """Meet a fact of the same words and person close by, which no other value met; the closest one."""
        late = TOLERANCE + (_MINUTE if value.precision == "min" else timedelta())
        close = [
            fact
            for fact in self._heard.get(what, ())
            if not fact.met and value.at - TOLERANCE <= fact.at <= value.at + late and fact.who & who
        ]
        if not close:
            return False
        min(close, key=lambda fact: abs(fact.at - value.at)).met = True
        return True


def keyed(values: Iterable[Value]) -> Iterator[tuple[str, Value]]:
    """Give each value of one file with a key that is the same in every other export that has it."""
    counts: OrderedDict[datetime, Counter[str]] = OrderedDict()
    for value in values:
        if isinstance(value, Said) and value.message_id and value.sender.id:
            yield f"{value.chat}/{value.message_id}", value
            continue
        digest = mark_of(value)
        count = counts.get(value.at)
        if count is None:
            count = counts[value.at] = Counter()
            if len(counts) > MOMENTS:
                counts.popitem(last=False)
        count[digest] += 1
        yield f"{digest}.{count[digest]}", value


def mark_of(value: Value) -> str:
    """Give a digest of who said what when, in words that look the same."""
    kind = value.kind if isinstance(value, Said) else type(value).__name__
    who = value.sender.key if isinstance(value, Said) else ",".join(one.key for one in _whom(value))
    text = _folded(getattr(value, "text", ""))
    words = f"{value.chat}\n{who}\n{value.at.isoformat()}\n{kind}\n{text}"
    return blake2b(words.encode("utf-8", "replace"), digest_size=12).hexdigest()


def _whom(value: Value) -> tuple[Party, ...]:
    who: tuple[Party, ...] = getattr(value, "who", ())
    return who


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()
