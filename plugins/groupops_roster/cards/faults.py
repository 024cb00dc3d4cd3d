"""Says why a card does not do, so that a reminder can name what to change."""

from collections.abc import Iterable, Iterator

from groupops import Person
from groupops_roster.cards.folding import Loose, loosely, strict
from groupops_roster.cards.formats import Format
from groupops_roster.cards.masks import holds_number
from groupops_roster.cards.reading import Reader, related
from groupops_roster.cards.units import Place, Tree
from groupops_roster.cards.words import load_words

_FAMILIAR = range(2, 4)
"""Characters of a familiar form that has its word in front: 小张, 小欧阳."""

_NICKNAME = 2
"""Characters of part of a name with a familiar word: 静姐, 三哥."""

Spans = list[tuple[int, int]]


def fault_with_holder(persons: Iterable[Person], holder: Person) -> str:
    """Why a card of these persons is not right for the holder: another's name, or one's own in another unit."""
    own = strict(holder.name)
    return "elsewhere" if any(strict(person.name) == own for person in persons) else "somebody_else"


def fault_of(card: str, reader: Reader, holder: Person | None) -> str:
    """Why a card that no reading makes sense of is not right; a key of the texts of `reason`.

    Args:
        card: as the platform shows it.
        reader: of the group's format.
        holder: whose account it is, if known.
    """
    said = loosely(card)
    if not any(char.isalnum() for char in said.text):
        return "empty"
    if holds_number(card):
        return "number"
    names = reader.register.loose_names
    spans = reader.name_spans(said.text, names, strictly=False, edges=said.edges)
    found = [names.get(said.text[start:end]) for start, end in spans]
    if (
        holder is not None
        and found
        and not any(person.id == holder.id for persons in found for person in persons)
    ):
        return "somebody_else"
    if reader.format is Format.REFERRER:
        return _fault_of_pair(said, spans)
    words = {said.text[start:end] for start, end in spans}
    if len(words.difference(load_words().unit_endings)) > 1:  # 中心 is a name only where nothing else is one
        return "several_names"
    if found:
        return _fault_around(card, said, spans, found[0], reader)
    return _fault_without_name(said, reader)


def _fault_of_pair(said: Loose, spans: Spans) -> str:
    """What is wrong with two names."""
    distinct = {said.text[start:end] for start, end in spans}
    if len(spans) > len(distinct):
        return "self_referral"
    if len(distinct) > 1:
        return "several_names"
    if len(distinct) == 1 and len(said.pieces) == 1:
        return "referrer_missing"
    return "familiar" if any(map(is_familiar, said.pieces)) else "name_unknown"


def _fault_around(card: str, said: Loose, spans: Spans, persons: tuple[Person, ...], reader: Reader) -> str:
    """What is wrong with a card that has one name of the roster."""
    if any(related(said.text, start, end, said.edges) for start, end in spans):
        return "relation"
    if reader.tree is None:
        return "extra"
    units = _units(card, reader.tree)
    if not units:
        name = sum(end - start for start, end in spans)
        return _fault_without_unit(card, reader) if len(said.text) - name > 1 else "unit_missing"
    if any(reader.tree.at(place, persons) for place in units):
        return "extra"
    return (
        "department_missing"
        if any(_lacks_department(card, place, persons) for place in units)
        else "elsewhere"
    )


def _fault_without_unit(card: str, reader: Reader) -> str:
    """What is wrong with what stands where the unit should be."""
    department = reader.format is Format.COMPANY and _units(card, reader.register.departments)
    return "company_missing" if department else "unit_unknown"


def _lacks_department(card: str, place: Place, persons: tuple[Person, ...]) -> bool:
    """Whether the persons' company is named, and none of its departments."""
    inner = place.inner
    return (
        inner is not None and any(person.id in inner.home for person in persons) and not _units(card, inner)
    )


def _units(card: str, tree: Tree) -> list[Place]:
    """The units whose names stand in a card, by their accepted spellings."""
    text = strict(card)
    spans = tree.strict.spans(text, lambda start, end: end - start > 1)
    return [place for start, end in spans for place in tree.strict.get(text[start:end])]


def _fault_without_name(said: Loose, reader: Reader) -> str:
    """What is wrong with a card that has no name of the roster."""
    tree = reader.tree
    rests = list(_rests(said.text, tree)) if tree is not None else []
    if "" in rests:
        return "name_missing"
    if any(map(is_familiar, (*said.pieces, *rests))):
        return "familiar"
    return "name_unknown" if rests or tree is None else "shape"


def _rests(text: str, tree: Tree) -> Iterator[str]:
    """What follows the units that a loose text begins with."""
    return (rest for _, rest in tree.read(text, ("",), strictly=False))


def is_familiar(word: str) -> bool:
    """Whether a word is how one calls somebody (小张, 张总, 静姐, 张) and no full name."""
    words = load_words()
    surnames = words.single_surnames | words.compound_surnames
    if word in surnames:
        return True
    if len(word) in _FAMILIAR and word[0] in words.familiar_before and word[1:] in surnames:
        return True
    if len(word) == _NICKNAME and word[1] in words.familiar_after:
        return True
    return any(word[:cut] in surnames and word[cut:] in words.familiar_after for cut in (1, 2))
