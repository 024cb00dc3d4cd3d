"""Units that a card may name (departments, regions, companies with their departments) and their other spellings."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from groupops import Person, PersonId
from groupops_roster.cards.folding import loose, strict
from groupops_roster.cards.lexicon import Lexicon
from groupops_roster.cards.words import load_regions, load_words

_LEAST_SHORT = 2
"""Characters a unit's short form keeps at least: 销售 of 销售部."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One unit of the roster.

    Args:
        parts: its name as the roster writes it; company and department for a department of a company.
        inner: the departments of a company.
        within: the provinces a city may be in; empty when unknown.
    """

    parts: tuple[str, ...]
    inner: "Tree | None" = None
    within: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """The units of one kind.

    Args:
        strict: spellings a format accepts.
        loose: the loose form of these and of aliases.
        home: in which unit each person is; a person of whom the roster does not say so is in none.
        provinces: names that may stand before a region.
    """

    strict: Lexicon[Place]
    loose: Lexicon[Place]
    home: Mapping[PersonId, Place]
    provinces: Lexicon[str] = field(default_factory=lambda: Lexicon[str].of(()))

    def read(
        self, text: str, joiners: Sequence[str], *, strictly: bool, start: int = 0
    ) -> Iterator[tuple[Place, str]]:
        """Gives every unit that a text begins with, longest first, and the rest after the joiner.

        Args:
            text: in the form of the lexicon that is asked.
            joiners: what may stand between a unit and what follows.
            strictly: whether to ask the strict spellings.
            start: where to begin.
        """
        words = self.strict if strictly else self.loose
        for place, end in self._places(words, text, start):
            for joiner in joiners:
                if not text.startswith(joiner, end):
                    continue
                after = end + len(joiner)
                if place.inner is not None:
                    yield from place.inner.read(text, joiners, strictly=strictly, start=after)
                yield place, text[after:]

    def _places(self, words: Lexicon[Place], text: str, start: int) -> Iterator[tuple[Place, int]]:
        """Units at a place of a text, a region also after the province it may be in."""
        yield from words.prefixes(text, start)
        for province, begin in self.provinces.prefixes(text, start):
            for place, end in words.prefixes(text, begin):
                if not place.within or province in place.within:
                    yield place, end

    def spelled(self, text: str) -> Iterator[Place]:
        """Gives every unit that a loose text is in whole."""
        return (place for place, rest in self.read(text, ("",), strictly=False) if not rest)

    def at(self, place: Place, persons: Iterable[Person]) -> tuple[Person, ...]:
        """Those of the persons who are in the unit, or of whom the roster names no unit."""
        return tuple(person for person in persons if self.home.get(person.id, place) is place)

    def __bool__(self) -> bool:
        return bool(self.strict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """How a kind of unit is spelled.

    Args:
        key: tells the same unit from another.
        accepted: strict spellings besides the roster's own.
        short: aliases that are understood and not accepted.
        within: the provinces, for a region.
    """

    key: Callable[[str], str] = strict
    accepted: Callable[[str], Iterable[str]] = lambda _: ()
    short: Callable[[str], Iterable[str]] = lambda _: ()
    within: Callable[[str], frozenset[str]] = lambda _: frozenset()


def grow(
    persons: Iterable[Person],
    unit_of: Callable[[Person], str],
    spelling: Spelling,
    aliases: Mapping[str, str],
    *,
    company: str = "",
) -> Tree:
    """Makes the tree of one kind of unit.

    Args:
        persons: everybody in the register.
        unit_of: the unit of a person, empty when the roster has none.
        spelling: how such units are spelled.
        aliases: alias -> unit, as an operator wrote them.
        company: what stands before each unit.
    """
    members = gather(persons, unit_of, spelling.key)
    lead = (company,) if company else ()
    places = {key: Place((*lead, name), within=spelling.within(key)) for key, (name, _) in members.items()}
    return plant(members, places, spelling, aliases)


Members = dict[str, tuple[str, list[Person]]]
"""Key of a unit -> its name as the roster writes it first, and who is in it."""


def gather(
    persons: Iterable[Person], unit_of: Callable[[Person], str], key_of: Callable[[str], str]
) -> Members:
    """Puts persons together by unit; those without one are left out."""
    by_name: dict[str, list[Person]] = {}
    for person in persons:
        by_name.setdefault(unit_of(person), []).append(person)
    members: Members = {}
    for name, inside in by_name.items():
        if key := key_of(name):
            members.setdefault(key, (name.strip(), []))[1].extend(inside)
    return members


def plant(
    members: Members, places: Mapping[str, Place], spelling: Spelling, aliases: Mapping[str, str]
) -> Tree:
    """Makes a tree of units that are known already."""
    own = [(word, place) for key, place in places.items() for word in {strict(place.parts[-1]), key}]
    accepted = [(strict(word), place) for key, place in places.items() for word in spelling.accepted(key)]
    official = [(loose(word), place) for word, place in [*own, *accepted]]
    taken = {word for word, _ in official}
    short = [(loose(word), place) for key, place in places.items() for word in spelling.short(key)]
    named = [
        (loose(alias), places[spelling.key(unit)])
        for alias, unit in aliases.items()
        if spelling.key(unit) in places
    ]
    understood = [(word, place) for word, place in short if word not in taken]
    return Tree(
        strict=Lexicon[Place].of([*own, *accepted]),
        loose=Lexicon[Place].of([*official, *understood, *named]),
        home={person.id: places[key] for key, (_, inside) in members.items() for person in inside},
    )


def short_unit(key: str) -> Iterator[str]:
    """What a department may be called: without its last word, or with a longer one."""
    yield from _without(key, load_words().unit_endings)
    for ending, longer in load_words().longer_endings.items():
        if key.endswith(ending):
            yield key.removesuffix(ending) + longer


def short_company(key: str) -> Iterator[str]:
    """What a company may be called: without its legal form."""
    return _without(key, load_words().company_endings)


def _without(word: str, endings: Iterable[str]) -> Iterator[str]:
    """A word without each of the endings it has, as long as enough is left."""
    for ending in endings:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST_SHORT:
            yield word[: -len(ending)]


def region_key(name: str) -> str:
    """What people call a region, whatever the roster writes before and after it."""
    word, regions = strict(name), load_regions()
    if word in regions.province:
        return regions.province[word]
    for lead, province in regions.province.items():
        city = regions.city.get(word.removeprefix(lead), "")
        if word.startswith(lead) and province in regions.within.get(city, ()):
            return city
    if word in regions.city:
        return regions.city[word]
    return next(_without(word, regions.levels), word)


def region_spellings(key: str) -> Iterator[str]:
    """Spellings of a region that are as good as the roster's."""
    regions = load_regions()
    return iter(regions.full[key]) if key in regions.full else (key + level for level in regions.levels)


def short_region(key: str) -> Iterator[str]:
    """One-character names of a region."""
    return (sign for sign, names in load_regions().short.items() if key in names)


def provinces_of(key: str) -> frozenset[str]:
    """The provinces that have a city of this name; none for what is no city of the table."""
    return load_regions().within.get(key, frozenset())
