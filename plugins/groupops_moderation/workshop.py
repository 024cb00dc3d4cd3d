"""The workshop: one automaton for all groups, built beside the loop and swapped whole; and what groups share."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from weakref import WeakValueDictionary

from groupops import Member
from groupops_moderation.allowances import Allowances
from groupops_moderation.lists import version_of
from groupops_moderation.matcher import Union
from groupops_moderation.packs import load_packs
from groupops_moderation.recent import Recent
from groupops_moderation.settings import Moderation
from groupops_moderation.view import Owner, View, Vocabulary, compile_view, vocabulary_of

GATHER_S = 0.3
"""Seconds in which further changes are gathered before the automaton is built; a message that needs it sooner
starts the build itself."""

HINTS = 1_000
"""Complaints remembered between judging and reacting; those of facts that never stood are let go."""


@dataclass(frozen=True, slots=True)
class Build:
    """An automaton with what it knows: all views up to a serial, and these words besides."""

    union: Union
    serial: int = 0
    owners: frozenset[str] = frozenset()
    packs: frozenset[str] = frozenset()

    def knows(self, view: View) -> bool:
        """Whether it knows all words a view needs."""
        return view.owner.name in self.owners and self.packs.issuperset(view.packs)


@dataclass(slots=True)
class Workshop:
    """What lasts as long as the process.

    Args:
        allowances: the false alarms of all groups.
        tables: True where false alarms are kept in the database as well.
    """

    allowances: Allowances = field(default_factory=Allowances)
    tables: bool = False
    recent: Recent = field(default_factory=Recent)
    hints: dict[str, Member] = field(default_factory=dict[str, Member])
    _build: Build = field(default_factory=lambda: Build(Union(())))
    _views: WeakValueDictionary[bytes, View] = field(default_factory=WeakValueDictionary[bytes, View])
    _owners: WeakValueDictionary[Vocabulary, Owner] = field(
        default_factory=WeakValueDictionary[Vocabulary, Owner]
    )
    _named: int = 0
    _serial: int = 0
    _timer: asyncio.TimerHandle | None = None
    _building: asyncio.Task[None] | None = None

    @property
    def union(self) -> Union:
        """The automaton in force."""
        return self._build.union

    def covers(self, view: View) -> bool:
        """Whether the automaton in force knows all words a view needs."""
        return view.serial <= self._build.serial

    def view(self, settings: Moderation) -> View:
        """Give the view of some settings; groups whose settings are equal share it."""
        key = _fingerprint(settings)
        known = self._views.get(key)
        if known is not None:
            return known
        made = compile_view(settings, self._owner(vocabulary_of(settings)))
        if not self._build.knows(made):
            self._serial += 1
            made.serial = self._serial
            self._soon()
        self._views[key] = made
        return made

    def _owner(self, vocabulary: Vocabulary) -> Owner:
        """Give the owner of some words; a name is never used twice for different words."""
        known = self._owners.get(vocabulary)
        if known is None:
            self._named += 1
            known = self._owners[vocabulary] = Owner(f"v{self._named}", vocabulary)
        return known

    def hint(self, event_id: str, member: Member) -> None:
        """Remember that somebody complained, until the message is reacted to."""
        if len(self.hints) >= HINTS:
            del self.hints[next(iter(self.hints))]
        self.hints[event_id] = member

    # — building —

    def _soon(self) -> None:
        """Have the automaton built in a moment, unless that is on its way."""
        if self._timer is None and self._building is None:
            with suppress(RuntimeError):  # no loop: a message that needs it will build it
                self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._start)

    def _start(self) -> asyncio.Task[None]:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._building is None:
            self._building = asyncio.create_task(self._make())
        return self._building

    async def ready(self, view: View) -> Union:
        """Give an automaton that knows a view; waits for it where it is not built yet."""
        while not self.covers(view):
            await asyncio.shield(self._start())
        return self.union

    async def _make(self) -> None:
        """Build in a thread, from what is there at this moment, and swap."""
        serial = self._serial
        views = list(self._views.values())
        packs = frozenset(id_ for view in views for id_ in view.packs)
        owners = list({view.owner.name: view.owner for view in views}.values())
        try:
            union = await asyncio.to_thread(_union, sorted(packs), owners)
            self._build = Build(union, serial, frozenset(owner.name for owner in owners), packs)
        finally:
            self._building = None
        if serial < self._serial:
            self._soon()

    async def close(self) -> None:
        """Stop what is being built."""
        if self._timer is not None:
            self._timer.cancel()
        if self._building is not None:
            self._building.cancel()
            with suppress(asyncio.CancelledError):
                await self._building


def _fingerprint(settings: Moderation) -> bytes:
    """Tell settings apart in few bytes, the state of the files they name included."""
    files = repr([version_of(path) for path in settings.operator_list_files])
    return sha256(f"{settings.model_dump_json()}{files}".encode()).digest()


def _union(packs: Iterable[str], owners: Iterable[Owner]) -> Union:
    """The automaton over the shipped words in use and all operators' own; runs in a thread."""
    shipped = load_packs()
    kept = list(owners)
    terms = chain(
        (term for id_ in packs for term in shipped[id_].terms()),
        (term for owner in kept for term in owner.vocabulary.terms(owner.name)),
    )
    allowed = chain(
        (phrase for id_ in packs for phrase in shipped[id_].allowed()),
        (phrase for owner in kept for phrase in owner.vocabulary.allowed(owner.name)),
    )
    return Union(terms, allowed)
