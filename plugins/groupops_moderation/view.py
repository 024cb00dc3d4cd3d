"""What judging one group needs, compiled once and shared by all groups whose settings are equal."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from groupops_moderation.categories import Category
from groupops_moderation.detectors.markings import Markings
from groupops_moderation.detectors.patterns import Patterns
from groupops_moderation.detectors.urls import DomainLists
from groupops_moderation.fold import load_fold
from groupops_moderation.lists import Listed
from groupops_moderation.matcher import OWN_WEIGHT, Term, Union, fold_term
from groupops_moderation.packs import Pack, load_packs
from groupops_moderation.settings import Moderation

GRIEVANCE = "~grievance"
"""Stands as the category of grievance words in the automaton; no category is called so."""

OWN = "own"
"""The part a group's own words vote in."""

_WORDED = frozenset({"words", "list"})

_ANY_LETTER = r"[A-Za-z\u00c0-\u2fff\ua000-\ufeff\uff10-\uff5a\U00010000-\U0010ffff]"
"""Letters in any dress, and whatever else is neither ASCII nor Chinese."""

_ADDRESS = re.compile(
    rf"[/／⁄∕][^\w]?[/／⁄∕]|(?:[.。．｡·•∙点․‥…﹒︙︰]|dot|ｄｏｔ)[^\u3040-\u9fff]{{0,3}}?{_ANY_LETTER}|%[0-9A-Fa-f]{{2}}|&#",
    re.IGNORECASE,
)
"""A text without this holds no address: a bare domain ends in letters behind a dot, all others have two strokes."""

_DIGITS = re.compile(r"\d{11}")
"""A folded text without this holds no personal number: a mobile one has eleven digits, all others have more."""

_MARK = r"绝密|机密|秘密|密级|签发人|份号|(?:19|20)\d\d第?\d{1,5}号"
"""A folded text without this or one of the group's words holds no marking."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class WordList:
    """Words of an operator, with the name under which the automaton knows them.

    Args:
        name: never used twice; begins with `~`, as no part of a shipped pack does.
        words: by category.
        shared: True for files and grievance words, which lie in the automaton once however many groups have them;
            False for words that belong to the groups with these settings alone.
    """

    name: str
    words: Listed
    shared: bool

    def __len__(self) -> int:
        return sum(len(words) for _, words in self.words)

    def terms(self) -> Iterator[Term]:
        """The words as the matcher takes them."""
        facet, owner = (self.name, None) if self.shared else (OWN, self.name)
        for category, words in self.words:
            for word in words:
                yield Term(text=word, category=category, weight=OWN_WEIGHT, facet=facet, group_id=owner)


@dataclass(slots=True, weakref_slot=True, eq=False, kw_only=True)
class View:
    """How one set of settings looks at a message.

    Args:
        active: the categories in use.
        packs: the shipped words of those that have and want them.
        lists: the operator's words.
        owner: the name of those that are this group's alone, or None.
        names: the names of all of them.
        listable: categories in which the operator's words count.
        serial: the automaton knows all of this from this build on.
        patterns, domains, markings: the group's detectors; None or empty where it has none.
        has_address: a quick look at a text that rules most messages out; None where nobody looks further.
        has_digits, has_mark: likewise, at the folded text.
        within: how long short messages of one sender are seen together; zero = never.
        allow: folded phrases in which nothing counts.
        watches: True when something beside words is looked for in texts.
        interim: the words that the automaton of all groups does not know yet.
    """

    active: Mapping[str, Category]
    packs: Mapping[str, Pack]
    lists: tuple[WordList, ...]
    domains: Mapping[str, DomainLists]
    serial: int = 0
    patterns: Patterns | None = None
    markings: Markings | None = None
    has_address: Callable[[str], object] | None = None
    has_digits: Callable[[str], object] | None = None
    has_mark: Callable[[str], object] | None = None
    within: timedelta = timedelta()
    allow: tuple[str, ...] = ()
    watches: bool = field(init=False)
    owner: str | None = field(init=False)
    names: frozenset[str] = field(init=False)
    listable: frozenset[str] = field(init=False)
    interim: Union | None = None

    def __post_init__(self) -> None:
        further = (self.patterns, self.has_address, self.has_digits, self.has_mark)
        self.owner = next((one.name for one in self.lists if not one.shared), None)
        self.names = frozenset(one.name for one in self.lists)
        self.listable = frozenset(listable(self.active))
        self.watches = any(one is not None for one in further)


def compile_view(settings: Moderation, lists: tuple[WordList, ...]) -> View:
    """Compiles the settings of a group.

    Args:
        settings: the settings.
        lists: the operator's words in them, named.
    """
    active = settings.active
    shipped = load_packs()
    domains = _domains(settings)
    markings = _markings(settings) if _sees(active, "confidential", "markings") else None
    return View(
        active=active,
        packs=MappingProxyType(
            {id_: shipped[id_] for id_, one in active.items() if "words" in one.detectors and id_ in shipped}
        ),
        lists=lists,
        patterns=_patterns(settings),
        domains=domains,
        markings=markings,
        has_address=_ADDRESS.search if domains or _sees(active, "malware_link", "url") else None,
        has_digits=_DIGITS.search if _sees(active, "pii", "numbers") and settings.numbers else None,
        has_mark=_mark_of(settings).search if markings else None,
        within=timedelta(seconds=settings.split_seconds),
        allow=tuple(map(fold_term, settings.allow)),
    )


def _sees(active: Mapping[str, Category], category: str, detector: str) -> bool:
    return category in active and detector in active[category].detectors


def listable(active: Mapping[str, Category]) -> list[str]:
    """The categories in use in which the operator's words count."""
    return [id_ for id_, one in active.items() if not _WORDED.isdisjoint(one.detectors)]


def _patterns(settings: Moderation) -> Patterns | None:
    active = settings.active
    found = {
        name: table.pattern
        for name, table in settings.patterns.items()
        if _sees(active, table.category, "pattern")
    }
    return Patterns(found) if found else None


def _domains(settings: Moderation) -> Mapping[str, DomainLists]:
    return MappingProxyType(
        {
            category: DomainLists.of(settings.url_allow, denied)
            for category, denied in settings.url_deny.items()
            if denied and _sees(settings.active, category, "url")
        }
    )


def _markings(settings: Moderation) -> Markings:
    return Markings(words=settings.markings, number_prefixes=settings.document_prefixes)


def _mark_of(settings: Moderation) -> re.Pattern[str]:
    """A quick look at a folded text for the group's markings, and those of official documents."""
    words = filter(None, map(load_fold().text, settings.markings))
    return re.compile("|".join((_MARK, *map(re.escape, words))))
