"""Reads whom a card names: as its format demands, or in spite of how it is written."""

from collections.abc import Iterator
from dataclasses import dataclass

from groupops import Person
from groupops_roster.cards.folding import Loose, loosely, strict
from groupops_roster.cards.formats import Format
from groupops_roster.cards.lexicon import Lexicon
from groupops_roster.cards.register import Register
from groupops_roster.cards.units import Place, Tree
from groupops_roster.cards.words import load_words

_PLAIN = ("",)
_MARKS_TAKEN = 2
"""Marks that are taken off one name: `销售部-李四经理(先生)` has two, more is no name any more."""

_LETTERS_BEFORE = 3
"""Letters or digits that people put before a name so that lists sort by them."""

_LATIN_ENDS = 0x2E80
"""Scripts before this point part words by spaces, so that a name there is a whole word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One way to read a card.

    Args:
        persons: who has the name that is read, in the unit that is read.
        place: the unit, if the format has one.
        title: what stood between unit and name.
        referrers: who has the second name, where the format has one.
    """

    persons: tuple[Person, ...]
    place: Place | None = None
    title: str = ""
    referrers: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads cards of one group.

    Args:
        format: the format of the group.
        register: who there is.
        joiners: the accepted separators, the one for suggestions first.
    """

    format: Format
    register: Register
    joiners: tuple[str, ...]

    @property
    def tree(self) -> Tree | None:
        """The units that the format speaks of."""
        match self.format:
            case Format.DEPARTMENT | Format.CENTRE:
                return self.register.departments
            case Format.REGION:
                return self.register.regions
            case Format.COMPANY:
                return self.register.companies
            case _:
                return None

    def stated(self, card: str) -> Iterator[Stated]:
        """Gives every reading under which the card keeps to the format."""
        text, tree = strict(card), self.tree
        if tree is not None:
            return self._placed(text, tree)
        if self.format is Format.REFERRER:
            return self._pairs(text)
        return self._contained(text) if self.format is Format.FREE else self._whole(text)

    def meant(self, card: str) -> Iterator[Stated]:
        """Gives every reading of a card that does not keep to the format and still says who is meant."""
        said, tree = loosely(card), self.tree
        if tree is not None:
            return self._loosely_placed(said.text, tree)
        if self.format is Format.REFERRER:
            return self._loose_pairs(said)
        return self._loosely_contained(said) if self.format is Format.FREE else self._among_pieces(said)

    def written(self, stated: Stated, person: Person) -> Iterator[str]:
        """Gives the cards that would say the same by the format, the fullest first."""
        sign, name = self.joiners[0], person.name.strip()
        if stated.referrers:
            yield f"{name}{sign}{stated.referrers[0].name.strip()}"
            return
        parts = stated.place.parts if stated.place is not None else ()
        if stated.title and self.format is Format.COMPANY:
            yield sign.join((*parts, stated.title + name))
        yield sign.join((*parts, name))

    # — as the format demands —

    def _placed(self, text: str, tree: Tree) -> Iterator[Stated]:
        """A unit, a joiner, a name; where companies are named, a title may stand before the name."""
        for place, rest in tree.read(text, self.joiners, strictly=True):
            for title, name in self._titled(rest):
                if persons := tree.at(place, self.register.names.get(name)):
                    yield Stated(persons=persons, place=place, title=title)

    def _titled(self, rest: str) -> Iterator[tuple[str, str]]:
        """What follows a unit: the name alone, or a title and the name."""
        yield "", rest
        if self.format is Format.COMPANY:
            yield from self.register.titles.before(rest)
            yield from (
                (title, name.removeprefix(joiner))
                for joiner in self.joiners
                for title, name in self.register.titles.before(rest)
                if joiner
            )

    def _whole(self, text: str) -> Iterator[Stated]:
        """The name and nothing else."""
        if persons := self.register.names.get(text):
            yield Stated(persons=persons)

    def _contained(self, text: str) -> Iterator[Stated]:
        """One name among other words; two names are no statement."""
        spans = self.name_spans(text, self.register.names, strictly=True)
        if len({text[start:end] for start, end in spans}) != 1 or any(related(text, *span) for span in spans):
            return
        start, end = spans[0]
        yield Stated(persons=self.register.names.get(text[start:end]))

    def _pairs(self, text: str) -> Iterator[Stated]:
        """The own name, a joiner, the referrer's name."""
        names = self.register.names
        for end in names.ends(text):
            for joiner in self.joiners:
                own, other = text[:end], text[end + len(joiner) :]
                if text.startswith(joiner, end) and own != other and (referrers := names.get(other)):
                    yield Stated(persons=names.get(own), referrers=referrers)

    # — in spite of how it is written —

    def _loosely_placed(self, text: str, tree: Tree) -> Iterator[Stated]:
        """A unit and a name in either order, with marks and sorting letters, whatever stands between."""
        for plain in without_letters(text):
            found = list(self._after_longest(plain, tree)) or list(self._swapped(plain, tree))
            yield from found
            if found:
                return

    def _after_longest(self, text: str, tree: Tree) -> Iterator[Stated]:
        """The name behind the longest unit that has a person of this name."""
        length = -1
        for place, rest in tree.read(text, _PLAIN, strictly=False):
            if length not in {-1, len(rest)}:
                return
            for stated in self._loosely_named(place, rest, tree):
                length = len(rest)
                yield stated

    def _loosely_named(self, place: Place, rest: str, tree: Tree) -> Iterator[Stated]:
        """A name with its marks behind a unit; a 一 after a unit may have been meant as a dash."""
        if stated := self._unmarked(place, rest, tree):
            yield stated
        elif rest.startswith(stroke := load_words().stroke):
            persons = tree.at(place, self.register.loose_names.get(rest.removeprefix(stroke)))
            if persons:
                yield Stated(persons=persons, place=place)

    def _unmarked(self, place: Place, rest: str, tree: Tree) -> Stated | None:
        """The person of the unit whose name is left once the fewest marks are taken off."""
        for title, name in self._peeled(rest):
            if persons := tree.at(place, self.register.loose_names.get(name)):
                return Stated(persons=persons, place=place, title=title)
        return None

    def _swapped(self, text: str, tree: Tree) -> Iterator[Stated]:
        """The name first and then the unit."""
        for end in self.register.loose_names.ends(text):
            rest = text[end:]
            units = [rest, *(unit for _, unit in self.register.marks.before(rest))]
            for place in (place for unit in units if unit for place in tree.spelled(unit)):
                if persons := tree.at(place, self.register.loose_names.get(text[:end])):
                    yield Stated(persons=persons, place=place)

    def _peeled(self, text: str, depth: int = _MARKS_TAKEN) -> Iterator[tuple[str, str]]:
        """The text without marks and digits at its ends, fewest taken first; with the title that stood before it."""
        layer, seen = [("", text)], {text}
        for _ in range(depth + 1):
            yield from layer
            layer = [
                found for title, inner in layer for found in self._peel(title, inner) if found[1] not in seen
            ]
            seen.update(inner for _, inner in layer)

    def _peel(self, title: str, text: str) -> Iterator[tuple[str, str]]:
        """One layer of marks."""
        marks = self.register.marks
        yield from ((word, rest) for word, rest in marks.before(text))
        yield from ((title, rest) for rest, _ in marks.after(text))
        if bare := text.strip("0123456789"):
            yield title, bare

    def _among_pieces(self, said: Loose) -> Iterator[Stated]:
        """The name in one, or as one of the pieces, or joined to a unit."""
        names = self.register.loose_names
        for plain in without_letters(said.text):
            if persons := next((found for _, name in self._peeled(plain) if (found := names.get(name))), ()):
                yield Stated(persons=persons)
                return
        spans = self.name_spans(said.text, names, strictly=False, edges=said.edges)
        if len({said.text[start:end] for start, end in spans}) > 1:
            return
        yield from self._one_piece(said)
        for tree in (self.register.departments, self.register.regions, self.register.companies):
            yield from self._loosely_placed(said.text, tree)

    def _one_piece(self, said: Loose) -> Iterator[Stated]:
        """The piece that is a name, when the others are no relation of the person's."""
        others = load_words().relations | load_words().denials
        if any(piece in others or piece.startswith(load_words().of) for piece in said.pieces):
            return
        for piece in said.pieces:
            for _, name in self._peeled(piece):
                if persons := self.register.loose_names.get(name):
                    yield Stated(persons=persons)
                    break

    def _loosely_contained(self, said: Loose) -> Iterator[Stated]:
        """One name among other words, spaced out or in other characters."""
        names = self.register.loose_names
        spans = self.name_spans(said.text, names, strictly=False, edges=said.edges)
        if len({said.text[start:end] for start, end in spans}) != 1 or any(
            related(said.text, *span, said.edges) for span in spans
        ):
            return
        start, end = spans[0]
        yield Stated(persons=names.get(said.text[start:end]))

    def _loose_pairs(self, said: Loose) -> Iterator[Stated]:
        """Two names, however they are parted; side by side they are not two."""
        names = self.register.loose_names
        for cut in range(1, len(said.pieces)):
            own, other = ("".join(said.pieces[:cut]), "".join(said.pieces[cut:]))
            persons = next((found for _, name in self._peeled(own) if (found := names.get(name))), ())
            referrers = next((found for _, name in self._peeled(other) if (found := names.get(name))), ())
            if persons and referrers and persons != referrers:
                yield Stated(persons=persons, referrers=referrers)

    # — names in a text —

    def name_spans(
        self, text: str, names: Lexicon[Person], *, strictly: bool, edges: frozenset[int] | None = None
    ) -> list[tuple[int, int]]:
        """Where names of the register stand in a text, without those inside a longer name or a unit's name.

        Args:
            text: in the form of the names that are looked for.
            names: the names.
            strictly: whether this is the strict form.
            edges: where pieces of a loose text begin and end; a name over several pieces has to fill them.
        """
        spans = names.spans(text, lambda start, end: _stands(text, start, end, edges))
        if not spans:
            return spans
        units = self.unit_spans(text, strictly=strictly)
        return [(start, end) for start, end in spans if not _inside(start, end, units)]

    def unit_spans(self, text: str, *, strictly: bool) -> list[tuple[int, int]]:
        """Where names of units stand in a text; a single character is none."""
        register = self.register
        trees = register.departments, register.regions, register.companies
        words = [tree.strict if strictly else tree.loose for tree in trees]
        return [
            span for known in words if known for span in known.spans(text, lambda start, end: end - start > 1)
        ]


def without_letters(text: str) -> Iterator[str]:
    """Gives a loose text, and the same without sorting letters or digits before its first Han character."""
    yield text
    for length in range(1, min(_LETTERS_BEFORE, len(text) - 1) + 1):
        if not (text[length - 1].isascii() and text[length - 1].isalnum()):
            return
        if ord(text[length]) >= _LATIN_ENDS:
            yield text[length:]
            return


def related(text: str, start: int, end: int, edges: frozenset[int] | None = None) -> bool:
    """Whether the words around a name make it somebody else's: `张三的妈妈`, `不是张三`.

    Args:
        text: a strict text, or a loose one with its edges.
        start: where the name begins.
        end: where it ends.
        edges: where pieces of a loose text begin and end.
    """
    words = load_words()
    after, glued = _word_after(text, end, edges)
    if after in words.relations or after.startswith(words.of):
        return True
    if glued and after.startswith(words.long_relations):
        return True
    before, glued = _word_after(text[::-1], len(text) - start, _mirrored(edges, len(text)))
    return before[::-1] in words.denials or (glued and before[::-1].endswith(words.long_denials))


def _word_after(text: str, at: int, edges: frozenset[int] | None) -> tuple[str, bool]:
    """The word that follows a place, and whether nothing parts them."""
    if edges is not None:
        stop = next((edge for edge in range(at + 1, len(text)) if edge in edges), len(text))
        return text[at:stop], at not in edges
    begin = next((i for i in range(at, len(text)) if text[i].isalnum()), len(text))
    stop = next((i for i in range(begin, len(text)) if not text[i].isalnum()), len(text))
    return text[begin:stop], begin == at


def _mirrored(edges: frozenset[int] | None, length: int) -> frozenset[int] | None:
    """The same edges counted from the end of a text."""
    return None if edges is None else frozenset(length - edge for edge in edges)


def _stands(text: str, start: int, end: int, edges: frozenset[int] | None) -> bool:
    """Whether a name may be read at a place: Latin words whole, single characters alone, pieces not cut."""
    if edges is not None and any(start < edge < end for edge in edges):
        return start in edges and end in edges
    bound = end - start == 1
    return not (
        _joined(text, start - 1, start, edges, bound=bound) or _joined(text, end - 1, end, edges, bound=bound)
    )


def _joined(text: str, left: int, right: int, edges: frozenset[int] | None, *, bound: bool) -> bool:
    """Whether two neighbouring characters belong to one word."""
    if left < 0 or right >= len(text) or (edges is not None and right in edges):
        return False
    if not (text[left].isalnum() and text[right].isalnum()):
        return False
    return bound or (ord(text[left]) < _LATIN_ENDS and ord(text[right]) < _LATIN_ENDS)


def _inside(start: int, end: int, units: list[tuple[int, int]]) -> bool:
    """Whether a place lies within a longer one."""
    return any(first <= start and end <= last and last - first > end - start for first, last in units)
