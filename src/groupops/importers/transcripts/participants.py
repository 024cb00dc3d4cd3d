"""Finds out who of a roster speaks in a transcript; what is not certain is for a human to decide, never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from groupops.importers.transcripts.values import Report, Seen
from groupops.people import AccountId, PersonLine

ALIKE: Final = 75.0
"""Likeness (0 to 100) from which a name is worth being shown beside another."""
SUGGESTED: Final = 3
"""Names that are shown beside one that fits nobody."""
_SHORTEST = 2
_APART: Final = re.compile(r"[\W_]+")

Ground = Literal["account", "name", "card"]
"""What a match rests on: the account stands in the roster, the name is the person's, or a part of the card is."""

Why = Literal["several_persons", "several_senders", "left", "alike", "unknown"]
"""Why a human has to look: the name fits several persons; several senders have it; the person has left; it only
looks like a name; or it is like none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A sender who is certainly a person of the roster."""

    sender: Seen
    line: PersonLine
    ground: Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A sender a human has to look at.

    Args:
        sender: who, with the names that were seen and how many messages.
        why: what is unclear.
        candidates: persons it may be, the likeliest first; for `alike` they are suggestions and nothing more.
    """

    sender: Seen
    why: Why
    candidates: tuple[PersonLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Who is who.

    Args:
        matched: senders who are certainly somebody.
        review: senders a human has to look at, those who spoke most first.
        silent: persons in service of whom nothing was heard.
    """

    matched: tuple[Match, ...] = ()
    review: tuple[Review, ...] = ()
    silent: tuple[PersonLine, ...] = ()


def match(report: Report, lines: Sequence[PersonLine]) -> Matching:
    """Hold the senders of a transcript against a roster.

    Args:
        report: of a transcript that was read to its end.
        lines: the roster.
    """
    platform = report.platform or report.format.platform
    roster = _Roster.of(lines)
    found: list[tuple[Seen, tuple[PersonLine, ...], Ground]] = []
    for seen in report.senders.values():
        holder = roster.accounts.get(AccountId(f"{platform}:{seen.party.id}")) if seen.party.id else None
        if holder is not None:
            found.append((seen, (holder,), "account"))
            continue
        found.append((seen, *roster.named(seen)))
    return _decided(found, roster, lines)


@dataclass(frozen=True, slots=True)
class _Roster:
    lines: Sequence[PersonLine]
    accounts: Mapping[AccountId, PersonLine]
    names: Mapping[str, tuple[PersonLine, ...]]

    @classmethod
    def of(cls, lines: Sequence[PersonLine]) -> _Roster:
        names: dict[str, tuple[PersonLine, ...]] = {}
        for line in lines:
            if len(plain := _plain(line.name)) >= _SHORTEST:
                names[plain] = (*names.get(plain, ()), line)
        return cls(lines, {account: line for line in lines for account in line.accounts}, names)

    def named(self, seen: Seen) -> tuple[tuple[PersonLine, ...], Ground]:
        """Give the persons whose name is a sender's, or is a part of the card."""
        shown = [_plain(name) for name in _names(seen)]
        whole = _together(self.names.get(name, ()) for name in shown)
        if whole:
            return whole, "name"
        parts = [part for name in _names(seen) for part in _APART.split(_plain_card(name))]
        return _together(self.names.get(part, ()) for part in parts), "card"

    def alike(self, seen: Seen) -> tuple[PersonLine, ...]:
        """Give persons whose names look like a sender's, the likeliest first."""
        from rapidfuzz import fuzz, process

        scores: dict[str, float] = {}
        for name in map(_plain, _names(seen)):
            for person, score, _ in process.extract(
                name, list(self.names), scorer=fuzz.partial_ratio, limit=SUGGESTED, score_cutoff=ALIKE
            ):
                scores[person] = max(score, scores.get(person, 0.0))
        best = sorted(scores, key=lambda person: (-scores[person], person))[:SUGGESTED]
        return tuple(line for person in best for line in self.names[person])


def _decided(
    found: Sequence[tuple[Seen, tuple[PersonLine, ...], Ground]], roster: _Roster, lines: Sequence[PersonLine]
) -> Matching:
    claims = _claims(found)
    matched: list[Match] = []
    review: list[Review] = []
    for seen, persons, ground in found:
        why = _why(persons, ground, claims)
        if why is None:
            matched.append(Match(sender=seen, line=persons[0], ground=ground))
        elif persons:
            review.append(Review(sender=seen, why=why, candidates=persons))
        else:
            alike = roster.alike(seen)
            review.append(Review(sender=seen, why="alike" if alike else "unknown", candidates=alike))
    heard = {id(one.line) for one in matched} | {id(line) for one in review for line in one.candidates}
    return Matching(
        matched=tuple(matched),
        review=tuple(sorted(review, key=lambda one: (-one.sender.messages, one.sender.party.key))),
        silent=tuple(line for line in lines if line.active and id(line) not in heard),
    )


def _claims(found: Iterable[tuple[Seen, tuple[PersonLine, ...], Ground]]) -> dict[int, set[Ground]]:
    """Give, for each person, on what grounds senders claim to be them; by name each sender counts."""
    claims: dict[int, list[Ground]] = {}
    for _, persons, ground in found:
        for line in persons:
            claims.setdefault(id(line), []).append(ground)
    return {
        line: set(grounds)
        for line, grounds in claims.items()
        if len(grounds) > 1 and any(one != "account" for one in grounds)
    }


def _why(persons: Sequence[PersonLine], ground: Ground, claims: Mapping[int, set[Ground]]) -> Why | None:
    """Say why a match is not certain; None when it is."""
    if not persons:
        return "unknown"
    if ground == "account":
        return None
    if len(persons) > 1:
        return "several_persons"
    if id(persons[0]) in claims:
        return "several_senders"
    return None if persons[0].active else "left"


def _names(seen: Seen) -> list[str]:
    return [name for name in dict.fromkeys((seen.party.name, seen.party.card, *seen.names)) if name]


def _together(groups: Iterable[Sequence[PersonLine]]) -> tuple[PersonLine, ...]:
    found: dict[int, PersonLine] = {id(line): line for group in groups for line in group}
    return tuple(found.values())


def _plain(name: str) -> str:
    """Give a name as it is compared: forms folded, blanks left out."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def _plain_card(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
