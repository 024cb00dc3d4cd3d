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
from groupops_moderation.matcher import OWN_WEIGHT, Term, Union, fold_term
from groupops_moderation.packs import Pack, load_packs
from groupops_moderation.settings import Moderation

GRIEVANCE = "~grievance"
"""Stands as the category of grievance words in the automaton; no category is called so."""

_WORDED = frozenset({"words", "list"})

_ADDRESS = re.compile(
    r"//|／／|[0-9A-Za-z\uff10-\uff5a\u4e00-\u9fff][\s\[(（【]{0,2}(?:[.．｡·•∙点]|。(?=[A-Za-z\uff21-\uff5a])|dot)[\s\])）】]{0,2}"
    r"[0-9A-Za-z\uff10-\uff5a]|%[0-9A-Fa-f]{2}|&#"
)
"""A text without this holds no address; finding that out costs less than folding it once more."""

_DIGIT = re.compile(r"[0-9０-９①-⓿❶-➓𝟎-𝟿]")

_MARK = r"密|[★☆]|签\s*发|份\s*号|[\]〕)）】］]\s*第?\s*\d{1,5}\s*号"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a group's operator as (category, word), and those by which members complain."""

    words: tuple[tuple[str, str], ...]
    grievance: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words) + len(self.grievance)

    def terms(self, owner: str) -> Iterator[Term]:
        """The words as the matcher takes them."""
        for category, word in self.words:
            yield Term(text=word, category=category, weight=OWN_WEIGHT, group_id=owner)
        for word in self.grievance:
            yield Term(text=word, category=GRIEVANCE, weight=OWN_WEIGHT, group_id=owner)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Owner:
    """A vocabulary with the name under which the automaton knows it; groups with equal words share it."""

    name: str
    vocabulary: Vocabulary


@dataclass(slots=True, weakref_slot=True, eq=False, kw_only=True)
class View:
    """How one set of settings looks at a message.

    Args:
        active: the categories in use.
        packs: the shipped words of those that have and want them.
        owner: the operator's own words and their name.
        serial: the automaton knows all of this from this build on.
        patterns, domains, markings: the group's detectors; None or empty where it has none.
        has_address, has_digit, has_mark: quick looks that rule most messages out; None where nobody looks further.
        within: how long short messages of one sender are seen together; zero = never.
        allow: folded phrases in which nothing counts.
        watches: True when something beside words is looked for in texts.
        interim: its owner's words alone, until the automaton of all groups knows them.
    """

    active: Mapping[str, Category]
    packs: Mapping[str, Pack]
    owner: Owner
    domains: Mapping[str, DomainLists]
    serial: int = 0
    patterns: Patterns | None = None
    markings: Markings | None = None
    has_address: Callable[[str], object] | None = None
    has_digit: Callable[[str], object] | None = None
    has_mark: Callable[[str], object] | None = None
    within: timedelta = timedelta()
    allow: tuple[str, ...] = ()
    watches: bool = field(init=False)
    interim: Union | None = None

    def __post_init__(self) -> None:
        further = (self.patterns, self.has_address, self.has_digit, self.has_mark)
        self.watches = any(one is not None for one in further)


def compile_view(settings: Moderation, owner: Owner) -> View:
    """Compiles the settings of a group.

    Args:
        settings: the settings.
        owner: their vocabulary, named.
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
        owner=owner,
        patterns=_patterns(settings),
        domains=domains,
        markings=markings,
        has_address=_ADDRESS.search if domains or _sees(active, "malware_link", "url") else None,
        has_digit=_DIGIT.search if _sees(active, "pii", "numbers") and settings.numbers else None,
        has_mark=_mark_of(settings).search if markings else None,
        within=timedelta(seconds=settings.split_seconds),
        allow=tuple(map(fold_term, settings.allow)),
    )


def _sees(active: Mapping[str, Category], category: str, detector: str) -> bool:
    return category in active and detector in active[category].detectors


def vocabulary_of(settings: Moderation) -> Vocabulary:
    """The words of a group's operator in the categories it uses."""
    active = settings.active
    words = dict.fromkeys(
        (listed.category, listed.word)
        for listed in settings.own_words()
        if not _WORDED.isdisjoint(active[listed.category].detectors)
    )
    # Without a category nobody is punished, so nobody has to be shielded.
    grievance = settings.grievance_words if active else ()
    return Vocabulary(tuple(words), grievance)


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
    """A quick look for anything that may be a marking: its words, or the frame of an official document."""
    words = (r"\s*".join(map(re.escape, word.rstrip("★☆"))) for word in settings.markings)
    return re.compile("|".join((_MARK, *words)))
