"""What speaks against a message: every detector's findings, by category, with the places they were seen at."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from groupops import Evidence, File, Link, MessagePosted
from groupops_moderation.categories import LEVELS, AutoMax, Category
from groupops_moderation.detectors.contacts import find_contacts
from groupops_moderation.detectors.markings import Marking
from groupops_moderation.detectors.pii import PersonalDatum, find_personal_data
from groupops_moderation.detectors.urls import Address, executable, find_addresses
from groupops_moderation.fold import Span
from groupops_moderation.matcher import Hit, SplitHit
from groupops_moderation.packs import tally
from groupops_moderation.settings import Moderation
from groupops_moderation.view import GRIEVANCE, OWN, View

Find = Callable[[str], list[Hit | SplitHit]]

_SHOWN = 4
"""Digits of a personal number that are shown, so that a steward can tell two of them apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one detector says of one category.

    Args:
        category: which.
        acts: True when it is certain enough for a machine; else it is for people.
        listed: True when the operator's own list said so.
        evidence: what was seen, where.
    """

    category: Category
    acts: bool
    listed: bool
    evidence: tuple[Evidence, ...]

    @property
    def auto(self) -> AutoMax:
        """The most a machine may do about it."""
        if self.acts:
            return self.category.list_max if self.listed else self.category.auto_max
        # A question does no harm, so a category that only asks may ask on suspicion.
        return "remind" if self.category.asks and self.category.auto_max != "flag" else "flag"

    @property
    def gravity(self) -> tuple[int, int, str]:
        """What makes one finding worse than another: severity, then certainty."""
        return (self.category.severity, LEVELS.index(self.auto), self.category.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words found in a message: those that may offend, and those by which its author complains."""

    hits: tuple[Hit | SplitHit, ...]
    grievance: str = ""


def words_of(text: str, hits: Iterable[Hit | SplitHit], view: View) -> Words:
    """Sorts what the automaton found: what is not in use in this group is nothing here."""
    found = list(hits)
    grievance = next((_written(text, hit) for hit in found if _complains(hit, view)), "")
    return Words(hits=tuple(hit for hit in found if _counts(hit, view)), grievance=grievance)


def _counts(hit: Hit | SplitHit, view: View) -> bool:
    if _is_listed(hit):
        return hit.category in view.listable and (hit.facet == OWN or hit.facet in view.names)
    return hit.category in view.packs


def _is_listed(hit: Hit | SplitHit) -> bool:
    """Whether an operator listed the word, not a shipped pack."""
    return hit.facet == OWN or hit.facet.startswith("~")


def _complains(hit: Hit | SplitHit, view: View) -> bool:
    return hit.category == GRIEVANCE and hit.facet in view.names


def _written(text: str, hit: Hit | SplitHit) -> str:
    return text[hit.start : hit.end] if isinstance(hit, Hit) else hit.term


def outside(hits: Iterable[Hit | SplitHit], spans: Sequence[Span]) -> tuple[Hit | SplitHit, ...]:
    """The hits that lie in none of the spans that are let pass."""
    return tuple(hit for hit in hits if not passed(*_span(hit), spans))


def passed(start: int, end: int, spans: Sequence[Span]) -> bool:
    """Whether a place lies in what is let pass."""
    return any(first <= start and end <= last for first, last in spans)


def _span(hit: Hit | SplitHit) -> Span:
    place = hit if isinstance(hit, Hit) else hit.parts[-1]
    return place.start, place.end


def by_words(text: str, hits: Iterable[Hit | SplitHit], view: View, detail: str = "") -> Iterator[Finding]:
    """How the words vote.

    Args:
        text: where they were found.
        hits: those that count.
        view: the group's view.
        detail: where the text stood, if not in the message itself; its places are then left out.
    """
    for count in tally(hits, view.packs, lambda: bool(find_contacts(text))):
        if count.level is None:
            continue
        yield Finding(
            category=view.active[count.category],
            acts=count.level == "act",
            listed=any(_is_listed(hit) for hit in count.hits),
            evidence=tuple(_word(text, hit, detail) for hit in count.hits),
        )


def _word(text: str, hit: Hit | SplitHit, detail: str) -> Evidence:
    what = "list" if _is_listed(hit) else "word"
    start, end = _span(hit)
    if detail:
        return Evidence(what=what, quote=text[start:end], detail=detail)
    return Evidence(what=what, quote=text[start:end], start=start, end=end, detail=hit.term)


def by_patterns(text: str, settings: Moderation, view: View) -> Iterator[Finding]:
    """Which of the operator's patterns match."""
    if view.patterns is None or not text:
        return
    for hit in view.patterns.find(text):
        table = settings.patterns[hit.name]
        seen = Evidence(what="pattern", quote=hit.text, start=hit.start, end=hit.end, detail=hit.name)
        yield Finding(category=view.active[table.category], acts=table.act, listed=False, evidence=(seen,))


def by_numbers(text: str, settings: Moderation, view: View) -> Iterator[Finding]:
    """Personal numbers; of those only the last digits are shown."""
    for datum in find_personal_data(text):
        if datum.kind in settings.numbers:
            yield Finding(
                category=view.active["pii"], acts=datum.certain, listed=False, evidence=(_number(datum),)
            )


def _number(datum: PersonalDatum) -> Evidence:
    hidden = "*" * (len(datum.digits) - _SHOWN)
    return Evidence(
        what="pattern",
        start=datum.start,
        end=datum.end,
        detail=f"{datum.kind} {hidden}{datum.digits[-_SHOWN:]}",
    )


def by_markings(text: str, view: View) -> Iterator[Finding]:
    """Markings in the text; nothing of it is quoted."""
    if view.markings is not None:
        yield from _marked(view.markings.find(text), view)


def _marked(found: Iterable[Marking], view: View) -> Iterator[Finding]:
    for one in found:
        seen = Evidence(what="pattern", start=one.start, end=one.end, detail=one.kind)
        yield Finding(category=view.active["confidential"], acts=one.certain, listed=False, evidence=(seen,))


def by_addresses(text: str, settings: Moderation, view: View) -> Iterator[Finding]:
    """Links and bare domains in a text, against the lists; and links to executable files."""
    for address in find_addresses(text):
        yield from _judged(address, text, settings, view)


def _judged(address: Address, text: str, settings: Moderation, view: View) -> Iterator[Finding]:
    seen = Evidence(
        what="url",
        quote=text[address.start : address.end],
        start=address.start,
        end=address.end,
        detail=address.host,
    )
    said = {category: lists.judge(address.host) for category, lists in view.domains.items()}
    for category, verdict in said.items():
        if verdict == "denied":
            yield Finding(category=view.active[category], acts=True, listed=True, evidence=(seen,))
    malware = view.active.get("malware_link")
    if malware is None or "denied" in said.values() or "url" not in malware.detectors:
        return
    if "allowed" not in said.values() and _executable(PurePosixPath(address.path).name, settings):
        yield Finding(category=malware, acts=False, listed=False, evidence=(seen,))


def _executable(name: str, settings: Moderation) -> str:
    """The extension of a file that would run code and may not be sent; empty when there is nothing to fear."""
    found = executable(name)
    return found.extension if found and found.extension not in settings.file_types_allow else ""


def by_parts(event: MessagePosted, settings: Moderation, view: View, find: Find) -> Iterator[Finding]:
    """What stands in a message beside its text: files by their names, shared links by address and title.

    Args:
        event: the message.
        settings: the group's settings.
        view: the same, compiled.
        find: finds the group's words in a text.
    """
    for part in event.segments:
        if isinstance(part, File):
            yield from _file(part.name, settings, view)
            yield from by_words(
                part.name, words_of(part.name, find(part.name), view).hits, view, detail=part.kind
            )
        elif isinstance(part, Link):
            yield from by_addresses(part.url, settings, view)
            yield from by_words(
                part.title, words_of(part.title, find(part.title), view).hits, view, detail=part.kind
            )


def _file(name: str, settings: Moderation, view: View) -> Iterator[Finding]:
    malware = view.active.get("malware_link")
    if malware is not None and "file" in malware.detectors and (kind := _executable(name, settings)):
        seen = Evidence(what="file", quote=name, detail=kind)
        yield Finding(category=malware, acts=True, listed=False, evidence=(seen,))
    if view.markings is not None:
        for found in _marked(view.markings.find_in_name(name), view):
            yield Finding(
                category=found.category,
                acts=found.acts,
                listed=False,
                evidence=tuple(Evidence(what="file", detail=one.detail) for one in found.evidence),
            )
