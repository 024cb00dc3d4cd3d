"""The workshop: one automaton for all groups, built beside the loop and swapped whole; and what groups share."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from typing import cast
from weakref import WeakValueDictionary

from groupops import Member
from groupops_moderation.allowances import Allowances
from groupops_moderation.fold import load_fold
from groupops_moderation.lists import Listed, read_list, version_of
from groupops_moderation.matcher import Hit, SplitHit, Union
from groupops_moderation.packs import load_packs
from groupops_moderation.recent import Recent
from groupops_moderation.settings import Moderation
from groupops_moderation.view import GRIEVANCE, View, WordList, compile_view, listable

GATHER_S = 0.3
"""Seconds in which further changes are gathered before the automaton is built; a message that needs it sooner
starts the build itself."""

REST = 20
"""How many times as long as the last build took is waited before the next: a big installation whose groups change
their words all day spends no more than a twentieth of its time on it."""

HINTS = 1_000
"""Complaints remembered between judging and reacting; those of facts that never stood are let go."""


AT_ONCE = 300
"""Words of a group that are put into an automaton of their own on the spot, in a few milliseconds, so that its
first message after a change need not wait for the one of all groups."""


@dataclass(frozen=True, slots=True)
class Build:
    """An automaton with what it knows: all views up to a serial, which are these packs and lists."""

    union: Union
    serial: int = 0
    packs: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()

    def knows(self, view: View) -> bool:
        """Whether it knows all words a view needs."""
        return self.packs.issuperset(view.packs) and self.lists.issuperset(view.names)


@dataclass(slots=True)
class Workshop:
    """What lasts as long as the process.

    Args:
        allowances: the false alarms of all groups.
    """

    allowances: Allowances = field(default_factory=Allowances)
    recent: Recent = field(default_factory=Recent)
    hints: dict[str, Member] = field(default_factory=dict[str, Member])
    _build: Build = field(default_factory=lambda: Build(Union(())))
    _views: WeakValueDictionary[bytes, View] = field(default_factory=WeakValueDictionary[bytes, View])
    _lists: WeakValueDictionary[tuple[object, ...], WordList] = field(
        default_factory=WeakValueDictionary[tuple[object, ...], WordList]
    )
    _named: int = 0
    _serial: int = 0
    _timer: asyncio.TimerHandle | None = None
    _building: asyncio.Task[None] | None = None
    _took: float = 0.0

    # — what groups share —

    def view(self, settings: Moderation) -> View:
        """Give the view of some settings; groups whose settings are equal share it."""
        key = _fingerprint(settings)
        known = self._views.get(key)
        if known is not None:
            return known
        made = compile_view(settings, tuple(self._lists_of(settings)))
        if not self._build.knows(made):
            self._serial += 1
            made.serial = self._serial
            self._soon()
        self._views[key] = made
        return made

    def _lists_of(self, settings: Moderation) -> Iterator[WordList]:
        """Give the operator's words: those of the group alone, those of files, and those by which members complain."""
        wanted = listable(settings.active)
        own = tuple((id_, words) for id_, words in settings.operator_words.items() if words and id_ in wanted)
        if own:
            yield self._list(("own", own), own, shared=False)
        for path in settings.operator_list_files:
            yield self._list(version_of(path), read_list(path), shared=True)
        if settings.grievance_words and settings.active:
            grievance = ((GRIEVANCE, settings.grievance_words),)
            yield self._list(("grievance", settings.grievance_words), grievance, shared=True)

    def _list(self, key: tuple[object, ...], words: Listed, *, shared: bool) -> WordList:
        """Give the list of some words; groups with equal words share it."""
        known = self._lists.get(key)
        if known is None:
            self._named += 1
            known = self._lists[key] = WordList(f"~{self._named}", words, shared)
        return known

    def hint(self, event_id: str, member: Member) -> None:
        """Remember that somebody complained, until the message is reacted to."""
        if len(self.hints) >= HINTS:
            del self.hints[next(iter(self.hints))]
        self.hints[event_id] = member

    # — finding words —

    def must_wait(self, view: View) -> bool:
        """Whether words of a view are in no automaton yet, and too many to be put into one on the spot."""
        return view.serial > self._build.serial and sum(map(len, self._unknown(view))) > AT_ONCE

    def _unknown(self, view: View) -> list[WordList]:
        """Give the lists of a view that the automaton of all groups does not know."""
        return [one for one in view.lists if one.name not in self._build.lists]

    def find(self, view: View, text: str) -> list[Hit | SplitHit]:
        """The words of a group and of everybody in a text."""
        name = view.owner
        if view.serial <= self._build.serial:
            return cast("list[Hit | SplitHit]", self._build.union.find(text, name))
        return [*self._build.union.find(text, name), *self._at_once(view).find(text, name)]

    def find_across(self, view: View, texts: Sequence[str]) -> list[SplitHit]:
        """The words that reach from earlier messages of one sender into the last one."""
        found = self._build.union.find_across(texts, view.owner)
        if view.serial > self._build.serial:
            found += self._at_once(view).find_across(texts, view.owner)
        return found

    def _at_once(self, view: View) -> Union:
        """Give an automaton over what that of all groups does not know of a view; kept until it does."""
        if view.interim is None:
            packs = view.packs.keys() - self._build.packs
            view.interim = _union(sorted(packs), self._unknown(view))
        return view.interim

    # — building —

    def _soon(self) -> None:
        """Have the automaton built in a moment, unless that is on its way."""
        if self._timer is None and self._building is None:
            with suppress(RuntimeError):  # where no loop runs, nothing is built beside it
                delay = max(GATHER_S, REST * self._took)
                self._timer = asyncio.get_running_loop().call_later(delay, self._start)

    def _start(self) -> asyncio.Task[None]:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._building is None:
            self._building = asyncio.create_task(self._make())
        return self._building

    async def ready(self, view: View) -> None:
        """Wait until the automaton of all groups knows a view."""
        while view.serial > self._build.serial:
            await asyncio.shield(self._start())

    async def _make(self) -> None:
        """Build in a thread, from what is there at this moment, and swap."""
        began = asyncio.get_running_loop().time()
        serial = self._serial
        views = list(self._views.values())
        lists = {one.name: one for view in views for one in view.lists}
        packs = frozenset(id_ for view in views for id_ in view.packs)
        try:
            union = await asyncio.to_thread(_union, sorted(packs), tuple(lists.values()))
        finally:
            self._building = None
        self._took = asyncio.get_running_loop().time() - began
        self._build = Build(union, serial, packs, frozenset(lists))
        for view in views:
            view.interim = None
        if serial < self._serial:
            self._soon()

    async def close(self) -> None:
        """Stop what is being built."""
        if self._timer is not None:
            self._timer.cancel()
        building, self._building = self._building, None
        if building is not None:
            building.cancel()
            with suppress(asyncio.CancelledError):
                await building


def read_words() -> None:
    """Read the shipped tables and words, which all workshops share, so that no message waits for a file."""
    load_fold()
    load_packs()


def _fingerprint(settings: Moderation) -> bytes:
    """Tell settings apart in few bytes, the state of the files they name included."""
    files = repr([version_of(path) for path in settings.operator_list_files])
    return sha256(f"{settings.model_dump_json()}{files}".encode()).digest()


def _union(packs: Iterable[str], lists: Iterable[WordList]) -> Union:
    """The automaton over some shipped packs and operators' lists; may run in a thread.

    Packs that no group uses stay out: every hit costs, also one that means nothing to the group.
    """
    shipped = [load_packs()[id_] for id_ in packs]
    terms = chain(
        (term for pack in shipped for term in pack.terms()),
        (term for one in lists for term in one.terms()),
    )
    return Union(terms, (phrase for pack in shipped for phrase in pack.allowed()))
