"""The regulation as members ask for it: clauses in their order, found by number, by own numbering or by word."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from groupops import Clause
from groupops_welcome.numerals import CHINESE, number_of

SUGGESTED = 3
"""As many articles are named when what was asked for is not there."""

LIKENESS = 60.0
"""From this score on (0 to 100) a text is called near to a word."""

_UNITS = "条章节款项点号"
_CHAPTERS = frozenset("章节")
_SEPARATORS = r"\s.,、:;()\-/"
_DOTS = re.compile("[·・•‧。﹒–—‐−_]")
_NUMBER = rf"(?:\d+|[{CHINESE}]+)"
_TOKEN = re.compile(rf"(第?)\s*(\d+|[{CHINESE}]+)\s*([{_UNITS}]?)|[{_SEPARATORS}]+|(.)", re.DOTALL)
_PART = re.compile(
    rf"第?\s*(?:篇\s*({_NUMBER}[甲乙丙丁a-z]?)|({_NUMBER}[甲乙丙丁a-z]?)\s*篇)[{_SEPARATORS}]*(.*)", re.DOTALL
)
_PAGE = re.compile(rf"第?\s*({_NUMBER})\s*页|(?:p|page)\s*(\d+)")
_REF_NUMBER = re.compile(
    rf"(?:^|(?<=[{_SEPARATORS}])|(?<=[{_UNITS}]))第?({_NUMBER})([{_UNITS}]?)(?=$|[{_SEPARATORS}第])"
)
_WRAPPED = " \t\r\n\"'“”‘’「」『』《》<>??!!。.,,、"


def folded(text: str) -> str:
    """Make widths, capitals and blanks the same."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """The numbers in a reference.

    Args:
        part: the text it is of, as `10` or `16甲`; empty when it names none.
        path: its numbers from the outermost in, e.g. (2, 9) of 二.9.
        chinese: True when the innermost is written in Chinese numerals.
        unit: what stands behind the innermost (条, 款 …), empty when nothing does.
    """

    part: str = ""
    path: tuple[int, ...] = ()
    chinese: bool = False
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of the list is wanted."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Clauses in which all of these words stand are wanted; folded."""

    words: tuple[str, ...]


Query = Page | Numbering | Words


def asked(text: str) -> Query:
    """Read what somebody wants to see of the regulation. Never raises; no words at all mean the first page."""
    plain = _levelled(text).strip(_WRAPPED)
    page = _PAGE.fullmatch(plain)
    if page is not None:
        number = number_of(page[1] or page[2])
        return Words(words=(folded(plain),)) if number is None else Page(number=number)
    words = tuple(word for piece in plain.split() if (word := folded(piece)))
    if not words:
        return Page(number=1)
    return _numbering(plain) or Words(words=words)


def numbering_of(ref: str) -> Numbering:
    """Read a clause's own reference, e.g. 篇十 二.9, 篇三 第10条 or 第九条; words in it are passed over."""
    part, rest = _parted(_levelled(ref).strip())
    found = [
        (number, sign)
        for sign, number in ((m, number_of(m[1])) for m in _REF_NUMBER.finditer(rest))
        if number is not None
    ]
    if not found:
        return Numbering(part=part)
    innermost = found[-1][1]
    path = tuple(number for number, _ in found)
    return Numbering(part=part, path=path, chinese=not innermost[1].isdigit(), unit=innermost[2])


def _levelled(text: str) -> str:
    """Give one width of signs and one kind of dot."""
    return _DOTS.sub(".", unicodedata.normalize("NFKC", text)).casefold()


def _parted(text: str) -> tuple[str, str]:
    found = _PART.fullmatch(text)
    if found is None:
        return "", text
    name = found[1] or found[2]
    number = number_of(name)
    if number is not None:
        return str(number), found[3]
    number = number_of(name[:-1])
    return ("", text) if number is None else (f"{number}{name[-1]}", found[3])


def _numbering(plain: str) -> Numbering | None:
    """Read a text that consists of numbers, their units and what stands between them, and of nothing else."""
    part, rest = _parted(plain)
    path: list[int] = []
    chinese, unit = False, ""
    for token in _TOKEN.finditer(rest):
        if token[4]:
            return None
        if not token[2]:
            continue
        number = number_of(token[2])
        if number is None:
            return None
        path.append(number)
        chinese, unit = not token[2].isdigit(), token[3]
    if not path and not part:
        return None
    return Numbering(part=part, path=tuple(path), chinese=chinese, unit=unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One rule of an article: its id, its words, and whether what watches over it is not installed."""

    rule: str
    text: str
    inactive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """All that stands under one reference.

    Args:
        number: its place in the regulation, from 1.
        ref: text and own numbering, as the pack has it.
        own: the numbers in `ref`.
        entries: its rules in order.
    """

    number: int
    ref: str
    own: Numbering
    entries: tuple[Entry, ...]

    @property
    def words(self) -> str:
        """What can be searched, folded."""
        return folded(self.ref + "".join(entry.text for entry in self.entries))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """The clauses that apply in a group, those of one reference together, in the order of their packs."""

    articles: tuple[Article, ...] = ()

    @property
    def parts(self) -> frozenset[str]:
        """The texts its clauses are of."""
        return frozenset(article.own.part for article in self.articles)

    def find(self, query: Query) -> tuple[Article, ...]:
        """Give the articles a query means, in order; none for a page, which means them all."""
        match query:
            case Page():
                return ()
            case Words(words=words):
                return tuple(a for a in self.articles if all(word in a.words for word in words))
            case Numbering():
                return tuple(self._numbered(query))

    def near(self, query: Query) -> tuple[Article, ...]:
        """Give a few articles near to what was asked for and is not there."""
        if isinstance(query, Words):
            return self._alike("".join(query.words))
        if isinstance(query, Page) or not query.path:
            return ()
        alike = [a for a in self._of_part(query.part) if a.own.path[:1] == query.path[:1]]
        ranked = sorted(alike, key=lambda a: _distance(a.own.path, query.path))
        return tuple(ranked[:SUGGESTED])

    def _numbered(self, query: Numbering) -> Iterable[Article]:
        there = self._of_part(query.part)
        if not query.path:
            return there
        if len(query.path) > 1:
            return self._below(there, query.path)
        return self._of_one_number(there, query)

    def _of_part(self, part: str) -> tuple[Article, ...]:
        return tuple(a for a in self.articles if not part or a.own.part == part)

    def _below(self, there: Collection[Article], path: tuple[int, ...]) -> tuple[Article, ...]:
        """Those of exactly these numbers, else those that end so (an article of a chapter), else those within."""
        exact = tuple(a for a in there if a.own.path == path)
        ending = tuple(a for a in there if a.own.path[-len(path) :] == path)
        return exact or ending or tuple(a for a in there if a.own.path[: len(path)] == path)

    def _of_one_number(self, there: tuple[Article, ...], query: Numbering) -> tuple[Article, ...]:
        """By the text's own number where it has such a one, else by chapter, else by place in the order."""
        (wanted,) = query.path
        if query.unit in _CHAPTERS:
            return tuple(a for a in there if a.own.path[:1] == (wanted,))
        own = tuple(a for a in there if self._is_own(a, query))
        if own:
            return own
        within = tuple(a for a in there if len(a.own.path) > 1 and a.own.path[0] == wanted)
        if query.chinese and not query.unit and within:
            return within
        return tuple(a for place, a in enumerate(there, start=1) if place == wanted)

    def _is_own(self, article: Article, query: Numbering) -> bool:
        """Say whether a single number is an article's own: 第十条, or a bare one where that is how it counts."""
        own = article.own
        if own.path[-1:] != query.path:
            return False
        if own.unit == "条":
            return True
        bare = len(own.path) == 1 and own.unit == ""
        return bare and (self._flat(own.part) or (own.chinese is query.chinese and not query.unit))

    def _flat(self, part: str) -> bool:
        """Say whether a text counts its clauses through, without chapters."""
        return all(len(a.own.path) <= 1 for a in self.articles if a.own.part == part)

    def _alike(self, text: str) -> tuple[Article, ...]:
        from rapidfuzz import fuzz, process  # a bot that is asked nothing has no use for it

        words = {a.number: a.words for a in self.articles}
        found = process.extract(
            text, words, scorer=fuzz.partial_ratio, limit=SUGGESTED, score_cutoff=LIKENESS
        )
        numbers = sorted(number for _, _, number in found)
        return tuple(self.articles[number - 1] for number in numbers)


def _distance(path: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, int]:
    same = next(
        (i for i, (a, b) in enumerate(zip(path, wanted, strict=False)) if a != b), min(len(path), len(wanted))
    )
    last = abs(path[same] - wanted[same]) if same < min(len(path), len(wanted)) else 0
    return -same, last


def rulebook(clauses: Mapping[str, Clause], inactive: Collection[str]) -> RuleBook:
    """Make the book of clauses in the order of their packs.

    Args:
        clauses: rule id → where it stands and what it says.
        inactive: plugins that are wanted and not installed.
    """
    under: dict[str, list[Entry]] = {}
    for rule, clause in clauses.items():
        entry = Entry(rule=rule, text=clause.text, inactive=rule.partition(".")[0] in inactive)
        under.setdefault(clause.ref or rule, []).append(entry)
    return RuleBook(articles=tuple(_articles(under)))


def _articles(under: Mapping[str, list[Entry]]) -> Iterator[Article]:
    for number, (ref, entries) in enumerate(under.items(), start=1):
        yield Article(number=number, ref=ref, own=numbering_of(ref), entries=tuple(entries))
