"""What plugins say of a fact, and how their words become one ruling. Pure: nothing here waits or asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, TypeVar

from groupops.actions import Action, DeleteMessage
from groupops.people import Clause

AutoMax = Literal["flag", "remind", "recall", "mute"]
"""The most a machine may do alone: tell the stewards; remind; take the message away; mute at most 30 minutes."""

_T = TypeVar("_T")

AUTO_ORDER: tuple[AutoMax, ...] = ("flag", "remind", "recall", "mute")


class Severity(IntEnum):
    """How grave an offence is."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an offence was seen by.

    Args:
        what: `word`, `pattern`, `url`, `report`, `window`, `list`, … - the kind of evidence.
        quote: the matching part of the message, as written; empty where nothing may be kept.
        start: index of its first character in the message's text, or None.
        end: index behind its last character, or None.
        detail: what a steward needs to know besides (the term, the reporter's case, the window).
    """

    what: str
    quote: str = ""
    start: int | None = None
    end: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offence:
    """A plugin objects.

    Args:
        rule: stable id `<plugin>.<rule>`, e.g. `moderation.insult`.
        reason: why, in words for the member; required.
        severity: how grave.
        ladder: name of the ladder it counts on; empty = a measure outside every ladder, no strike.
        auto: the most the machine may do alone about it.
        contain: what to do at once (remind, recall, mute), in order; what exceeds `auto` waits for a human.
        notice: what the member is told in place of the ladder's own words; empty = the core's words.
        evidence: what it was seen by.
        clause: where the rule stands; the flow fills it in from the pack when it is None.
        keep_text: False where the message's text must not be stored (markings of secrets).
    """

    rule: str
    reason: str
    severity: Severity = Severity.LOW
    ladder: str = ""
    auto: AutoMax = "flag"
    contain: tuple[Action, ...] = ()
    notice: str = ""
    evidence: tuple[Evidence, ...] = ()
    clause: Clause | None = None
    keep_text: bool = True
    kind: Literal["offence"] = "offence"

    @property
    def removes(self) -> bool:
        """True when what it contains takes the message away."""
        return any(isinstance(action, DeleteMessage) for action in self.contain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pardon:
    """A plugin speaks up for the message (an urgent tag, a grievance); the reason is kept.

    Args:
        reason: why, in words for people.
        rules: ids, or prefixes ending in `.`, of the rules it speaks against; empty = every rule.
        below: severities below this one are pardoned.
        record: True when it is worth a line of audit even where it lifted nothing (an urgent tag at night).
    """

    reason: str
    rules: tuple[str, ...] = ()
    below: Severity = Severity.CRITICAL
    record: bool = False
    kind: Literal["pardon"] = "pardon"

    def covers(self, offence: Offence) -> bool:
        """Say whether this pardon lifts that offence."""
        if offence.severity >= self.below:
            return False
        return not self.rules or any(
            offence.rule == rule or (rule.endswith(".") and offence.rule.startswith(rule))
            for rule in self.rules
        )


Verdict = Offence | Pardon
"""What `judge` may answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A verdict with the name of the plugin that gave it."""

    plugin: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The merged answer to one fact.

    Args:
        worst: the offence that decides clause, ladder and strike; None when nobody's objection held.
        plugin: who said it.
        offences: all that held, worst first.
        reasons: all reasons, worst first, without repeats.
        contain: all containment, without repeats.
        pardons: the reasons of all pardons, those that found nothing to lift included (an urgent message).
    """

    worst: Offence | None = None
    plugin: str = ""
    offences: tuple[Said, ...] = ()
    reasons: tuple[str, ...] = ()
    contain: tuple[Action, ...] = ()
    pardons: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """True when the fact stands: no strike is asked for and nothing takes the message away."""
        return not any(
            said.verdict.ladder or said.verdict.removes
            for said in self.offences
            if isinstance(said.verdict, Offence)
        )


def settle(said: Iterable[Said]) -> Ruling:
    """Merge verdicts into one ruling; the order of the verdicts changes nothing.

    One strike for the worst category (G9: two hits in one message are one strike), all reasons,
    containment without repeats; a pardon lifts the offences it covers (G19).

    Args:
        said: the verdicts with the names of their plugins.

    Returns:
        The ruling.
    """
    words = list(said)
    if len(words) == 1 and isinstance(words[0].verdict, Offence):
        return _alone(words[0], words[0].verdict)
    pardons = [word.verdict for word in words if isinstance(word.verdict, Pardon)]
    held: list[tuple[Said, Offence]] = []
    for word in words:
        if not isinstance(word.verdict, Offence):
            continue
        if not any(pardon.covers(word.verdict) for pardon in pardons):
            held.append((word, word.verdict))
    held.sort(key=lambda pair: _gravity(pair[1], pair[0].plugin))
    return Ruling(
        worst=held[0][1] if held else None,
        plugin=held[0][0].plugin if held else "",
        offences=tuple(word for word, _ in held),
        reasons=_unique(offence.reason for _, offence in held),
        contain=_unique(action for _, offence in held for action in offence.contain),
        pardons=tuple(sorted({pardon.reason for pardon in pardons})),
    )


def _alone(said: Said, offence: Offence) -> Ruling:
    """Give the ruling of a single offence, by far the most common: there is nothing to merge."""
    return Ruling(
        worst=offence,
        plugin=said.plugin,
        offences=(said,),
        reasons=(offence.reason,),
        contain=_unique(offence.contain),
    )


def _gravity(offence: Offence, plugin: str) -> tuple[int, int, str, str, str]:
    """Sort key: gravest first, a ladder before a mere measure, then by name so that order never matters."""
    return (-offence.severity, 0 if offence.ladder else 1, offence.rule, plugin, repr(offence))


def _unique(items: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(items))
