"""The verdict on a card, the card somebody should have, and whom a card may be naming."""

from collections.abc import Iterable, Sequence
from itertools import chain

from groupops import Person
from groupops_roster.cards import shapes
from groupops_roster.cards.faults import fault_of, fault_with_holder
from groupops_roster.cards.folding import loosely
from groupops_roster.cards.formats import Format, joiners
from groupops_roster.cards.reading import Reader, Stated, related
from groupops_roster.cards.register import Register
from groupops_roster.cards.verdicts import Judgement, Verdict

LONGEST = 120
"""Characters a card may have to be read: twice what QQ, WeChat and WeCom let people enter."""


def check(
    card: str,
    format: Format,  # noqa: A002 - a card has a format
    register: Register,
    *,
    holder: Person | None = None,
    separators: Sequence[str] = (),
    canonical: str = "",
) -> Judgement:
    """Judges a card by the format of its group.

    Args:
        card: as the platform shows it.
        format: the format of the group.
        register: who there is; when it is empty only the shape of the card is looked at.
        holder: whose account it is, if the account is bound to a person; the card has to name this person.
            A provisional person is nobody.
        separators: what the group accepts between the parts; empty for the format's own.
        canonical: the separator for suggestions; empty for the first accepted.
    """
    if len(card) > LONGEST:
        return Judgement(verdict=Verdict.INVALID if register else Verdict.REMIND, why="too_long")
    holder = None if holder is None or holder.provisional else holder
    reader = Reader(format=format, register=register, joiners=joiners(format, separators, canonical))
    if not register or (reader.tree is not None and not reader.tree):
        return _by_shape(card, reader, holder)
    if said := list(reader.stated(card)):
        return _valid(said, holder)
    if meant := list(reader.meant(card)):
        return _fixable(meant, card, reader, holder)
    return Judgement(verdict=Verdict.INVALID, why=fault_of(card, reader, holder))


def card_of(
    person: Person,
    format: Format,  # noqa: A002 - a card has a format
    register: Register,
    *,
    separators: Sequence[str] = (),
    canonical: str = "",
) -> str:
    """Gives the card that a person of the register should have; empty where the roster does not say enough.

    Args:
        person: the person.
        format: the format of the group.
        register: who there is.
        separators: what the group accepts between the parts; empty for the format's own.
        canonical: the separator to write; empty for the first accepted.
    """
    reader = Reader(format=format, register=register, joiners=joiners(format, separators, canonical))
    place = reader.tree.home.get(person.id) if reader.tree is not None else None
    if format is Format.REFERRER or (reader.tree is not None and place is None):
        return ""
    return next(iter(_suggestions([Stated(persons=(person,), place=place)], reader, person)), "")


def whose(card: str, format: Format, register: Register) -> tuple[Person, ...]:  # noqa: A002 - a card has a format
    """Gives the persons whose whole name a card may be stating, best first.

    Those the format itself reads come first, then those whose unit the card names, then longer names.
    """
    if len(card) > LONGEST or not register:
        return ()
    reader = Reader(format=format, register=register, joiners=joiners(format))
    read = chain(reader.stated(card), reader.meant(card))
    return _unique(chain((person for stated in read for person in stated.persons), _contained(card, reader)))


def _contained(card: str, reader: Reader) -> list[Person]:
    """Persons whose names stand anywhere in a card, without relations of theirs."""
    said, names = loosely(card), reader.register.loose_names
    spans = reader.name_spans(said.text, names, strictly=False, edges=said.edges)
    own = [(start, end) for start, end in spans if not related(said.text, start, end, said.edges)]
    units = {said.text[start:end] for start, end in reader.unit_spans(said.text, strictly=False)}
    ranked = [
        (not _in_any(person, units, reader.register), start - end, person)
        for start, end in own
        for person in names.get(said.text[start:end])
    ]
    return [person for _, _, person in sorted(ranked, key=lambda entry: entry[:2])]


def _in_any(person: Person, units: Iterable[str], register: Register) -> bool:
    """Whether a person is in one of the units that a card names."""
    trees = register.departments, register.regions, register.companies
    return any(tree.home.get(person.id) in tree.loose.get(unit) for tree in trees for unit in units)


def _valid(said: list[Stated], holder: Person | None) -> Judgement:
    """A card that keeps to the format: whose it is decides."""
    persons = _unique(person for stated in said for person in stated.persons)
    if holder is not None and not _has(persons, holder):
        return Judgement(verdict=Verdict.INVALID, why=fault_with_holder(persons, holder), others=persons)
    person = holder or _only(persons)
    others = _unique(other for stated in said for other in stated.referrers)
    return Judgement(verdict=Verdict.VALID, person=person, others=others or (() if person else persons))


def _fixable(meant: list[Stated], card: str, reader: Reader, holder: Person | None) -> Judgement:
    """A card that says who is meant: fixable when that leads to one card and no other."""
    persons = _unique(person for stated in meant for person in stated.persons)
    if holder is not None and not _has(persons, holder):
        return Judgement(verdict=Verdict.INVALID, why=fault_with_holder(persons, holder), others=persons)
    found = _suggestions(meant, reader, holder)
    if len(found) > 1:
        return Judgement(verdict=Verdict.INVALID, why="ambiguous", others=persons)
    for suggestion, suggested in found.items():
        person = _only(suggested)
        others = _unique(other for stated in meant for other in stated.referrers) or (
            () if person else suggested
        )
        return Judgement(
            verdict=Verdict.FIXABLE, suggestion=suggestion, person=person, why="spelling", others=others
        )
    return Judgement(verdict=Verdict.INVALID, why=fault_of(card, reader, holder))


def _by_shape(card: str, reader: Reader, holder: Person | None) -> Judgement:
    """A card where the roster has no units for the format, or nobody at all: names are looked at, units believed."""
    name = shapes.name_in(card, reader)
    persons = reader.register.named(name) if name else ()
    if holder is not None and persons and not _has(persons, holder):
        return Judgement(verdict=Verdict.INVALID, why=fault_with_holder(persons, holder), others=persons)
    if not name:
        return Judgement(
            verdict=Verdict.REMIND, why=fault_of(card, reader, holder) if reader.register else "shape"
        )
    person = holder if persons and holder is not None else _only(persons)
    return Judgement(verdict=Verdict.VALID, person=person, others=() if person else persons)


def _suggestions(
    meant: Iterable[Stated], reader: Reader, holder: Person | None
) -> dict[str, tuple[Person, ...]]:
    """The cards that readings lead to, each with the persons it would be right for.

    A card that the format itself would not read as the person's is no help and is left out.
    """
    found: dict[str, tuple[Person, ...]] = {}
    for stated in meant:
        for person in stated.persons:
            if holder is None or person.id == holder.id:
                card = next(
                    (card for card in reader.written(stated, person) if _right(card, reader, person)), ""
                )
                found[card] = _unique((*found.get(card, ()), person))
    found.pop("", None)
    return found


def _right(card: str, reader: Reader, person: Person) -> bool:
    """Whether a card keeps to the format and is the person's."""
    return len(card) <= LONGEST and any(_has(stated.persons, person) for stated in reader.stated(card))


def _has(persons: Iterable[Person], person: Person) -> bool:
    """Whether a person is among others, whatever edition of the directory they are from."""
    return any(other.id == person.id for other in persons)


def _only(persons: tuple[Person, ...]) -> Person | None:
    """The person, if there is just one."""
    return persons[0] if len(persons) == 1 else None


def _unique(persons: Iterable[Person]) -> tuple[Person, ...]:
    """Persons in order, each once."""
    return tuple({person.id: person for person in persons}.values())
