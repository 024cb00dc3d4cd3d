"""The register that cards are compared with: who there is, indexed by name and by unit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from groupops import Person
from groupops_roster.cards.folding import loose, strict
from groupops_roster.cards.lexicon import Endings, Lexicon
from groupops_roster.cards.units import (
    Place,
    Spelling,
    Tree,
    gather,
    grow,
    plant,
    provinces_of,
    region_key,
    region_spellings,
    short_company,
    short_region,
    short_unit,
)
from groupops_roster.cards.verdicts import Judgement
from groupops_roster.cards.words import load_regions, load_words

_DEPARTMENTS = Spelling(short=short_unit)
_COMPANIES = Spelling(short=short_company)
_REGIONS = Spelling(key=region_key, accepted=region_spellings, short=short_region, within=provinces_of)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Register:
    """Everybody who may be named by a card. Made once for an edition of the directory and never changed.

    Args:
        persons: the persons, in the order they were told; without those who left and provisional ones.
        names: strict form of a name -> the persons of this name.
        loose_names: the same by the loose form.
        departments, regions, companies: the units; departments of a company stand below it.
        titles: words that say what somebody is, positions of the roster among them (strict form).
        marks: what is taken off before or after a name when a card is not strict: titles, polite words (loose).
        stray_aliases: aliases that an operator wrote for a unit nobody is in.
        judged: what was asked of a card → the verdict by this register; the nightly check asks the same every night.
    """

    persons: tuple[Person, ...]
    names: Lexicon[Person]
    loose_names: Lexicon[Person]
    departments: Tree
    regions: Tree
    companies: Tree
    titles: Endings
    marks: Endings
    stray_aliases: tuple[str, ...] = ()
    judged: dict[tuple[object, ...], Judgement] = field(default_factory=dict[tuple[object, ...], Judgement])

    @classmethod
    def of(cls, persons: Iterable[Person], aliases: Mapping[str, str] = MappingProxyType({})) -> "Register":
        """Makes a register.

        Args:
            persons: everybody; who has left or is provisional is passed over.
            aliases: how a unit is also called -> its name on the roster (`{"徽行": "徽商银行"}`).
        """
        there = tuple(
            person for person in persons if person.active and not person.provisional and person.name
        )
        positions = {person.position for person in there} - {""}
        trees = _departments(there, aliases), _regions(there, aliases), _companies(there, aliases)
        return cls(
            persons=there,
            names=Lexicon[Person].of((strict(person.name), person) for person in there),
            loose_names=Lexicon[Person].of((loose(person.name), person) for person in there),
            departments=trees[0],
            regions=trees[1],
            companies=trees[2],
            titles=Endings.of(map(strict, positions | load_words().titles)),
            marks=Endings.of(map(loose, positions | load_words().titles | load_words().honorifics)),
            stray_aliases=tuple(alias for alias, unit in aliases.items() if not _known(unit, trees)),
        )

    def named(self, name: str) -> tuple[Person, ...]:
        """The persons of exactly this name, as formats compare names."""
        return self.names.get(strict(name))

    def __bool__(self) -> bool:
        return bool(self.persons)


def _departments(persons: tuple[Person, ...], aliases: Mapping[str, str]) -> Tree:
    """Departments and centres, whatever the company."""
    return grow(persons, lambda person: person.department, _DEPARTMENTS, aliases)


def _regions(persons: tuple[Person, ...], aliases: Mapping[str, str]) -> Tree:
    """Regions, which may have their province before them."""
    tree = grow(persons, lambda person: person.region, _REGIONS, aliases)
    return replace(tree, provinces=Lexicon[str].of(load_regions().province.items()))


def _companies(persons: tuple[Person, ...], aliases: Mapping[str, str]) -> Tree:
    """Companies with their departments; who is in a department is at home there and not in the company."""
    members = gather(persons, lambda person: person.company, strict)
    places = {
        key: Place(
            (name,), inner=grow(inside, lambda person: person.department, _DEPARTMENTS, aliases, company=name)
        )
        for key, (name, inside) in members.items()
    }
    tree = plant(members, places, _COMPANIES, aliases)
    home = dict(tree.home)
    for place in places.values():
        home.update(place.inner.home if place.inner is not None else {})
    return replace(tree, home=home)


def _known(unit: str, trees: tuple[Tree, Tree, Tree]) -> bool:
    """Whether any kind of unit is called so."""
    return any(tree.strict.get(strict(unit)) for tree in trees)
