"""What came out of a rehearsal, as values: cases, hits, standings, what could not be told, and a digest of it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from groupops.importers.transcript import Remark

UNTOLD = frozenset({"seconds"})
"""What differs from run to run and is no part of the digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One message, or other fact, that a rule objected to; several hits of one burst are one case.

    Args:
        message_id: the message; the fact's id where there is no message.
        at: when, in the group's timezone.
        account, name: who.
        rules: the rules that objected, worst first.
        text: what was said, empty where a rule forbids keeping it.
        case: number of the case it belongs to; 0 when nothing was booked.
    """

    message_id: str
    at: datetime
    account: str
    name: str
    rules: tuple[str, ...]
    text: str
    case: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A case as it was opened.

    Args:
        case: its number.
        message_id, at, account, name: as in `Hit`.
        rule, clause, reason, plugin: what was objected to, where it stands, and who said so.
        severity: 1 low … 4 critical.
        ladder, step, strike: where it stands on its ladder; empty or 0 for a measure or a flagged case.
        opened: its status when it was opened.
        ended: its status at the end, when nobody had decided anything.
        text: what was said, if it may be kept.
        quotes: what it was seen by.
    """

    case: int
    message_id: str
    at: datetime
    account: str
    name: str
    rule: str
    clause: str
    reason: str
    plugin: str
    severity: int
    ladder: str
    step: str
    strike: int
    opened: str
    ended: str
    text: str
    quotes: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """True when nothing would have happened before a human had decided."""
        return self.opened in ("flagged", "proposed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one person stands on one ladder at the end.

    Args:
        person: the person's name, or the account's where nobody is bound.
        account: the first of the person's accounts that was met.
        ladder: which ladder.
        strikes: strikes that count at the end; only first reminders run without a human.
        waiting: cases a human would have had to decide.
    """

    person: str
    account: str
    ladder: str
    strikes: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The same transcript by other packs.

    Args:
        packs: the other packs.
        cases: how many cases they made.
        newly: hits the other packs did not make.
        no_longer: hits only the other packs made.
        otherwise: message id → (rules by the other packs, rules now), where both objected by other rules.
    """

    packs: tuple[str, ...]
    cases: int
    newly: tuple[Hit, ...]
    no_longer: tuple[Hit, ...]
    otherwise: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a rehearsal came to.

    Args:
        file: the transcript's name.
        group, group_name, timezone: whose it is.
        packs, titles: the policy.
        first, last: the first and the last moment that was replayed, in the group's timezone.
        rows: lines read.
        facts: facts replayed.
        members: members listed; of them `bound` are on the roster.
        dropped: reason → messages that were not replayed.
        skipped: what is wrong with the lines that were skipped.
        remarks: what could not be told, and why.
        findings, hits, standings: what was found.
        booked: False where only hits are told, because nobody can be held to a name (`identity = "name"`).
        actions: purpose and kind of action → how often it would have been done.
        pardons: reason → messages that a rule spoke up for.
        failures: plugins that failed, with how often and how the last time went.
        against: the comparison, if one was asked for.
        seconds: how long the replay took; no part of the digest.
    """

    file: str
    group: str
    group_name: str
    timezone: str
    packs: tuple[str, ...]
    titles: tuple[str, ...]
    first: datetime | None
    last: datetime | None
    rows: int
    facts: int
    members: int
    bound: int
    dropped: Mapping[str, int]
    skipped: tuple[str, ...]
    remarks: tuple[Remark, ...]
    findings: tuple[Finding, ...]
    hits: tuple[Hit, ...]
    standings: tuple[Standing, ...]
    booked: bool
    actions: Mapping[str, int]
    pardons: Mapping[str, int]
    failures: tuple[str, ...]
    against: Comparison | None = None
    seconds: float = field(default=0.0, compare=False)

    def by_rule(self) -> dict[str, list[Finding]]:
        """Give the cases of each rule, the rule with most cases first."""
        return _grouped(self.findings, lambda finding: finding.rule)

    def by_person(self) -> dict[str, list[Finding]]:
        """Give the cases of each person, whoever has most first."""
        return _grouped(self.findings, lambda finding: finding.name)

    def by_day(self) -> dict[str, list[Finding]]:
        """Give the cases of each day of the group's timezone, in order."""
        return dict(sorted(_grouped(self.findings, lambda finding: f"{finding.at:%Y-%m-%d}").items()))

    def facts_of(self) -> dict[str, Any]:
        """Give all of it as plain values, moments as ISO texts; the same on every run but for `seconds`."""
        raw: dict[str, Any] = json.loads(json.dumps(asdict(self), ensure_ascii=False, default=_plain))
        return raw

    @property
    def digest(self) -> str:
        """The SHA-256 of all that was found, over JSON with sorted keys."""
        told = {key: value for key, value in self.facts_of().items() if key not in UNTOLD}
        canonical = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def compared(now: Iterable[Hit], then: Iterable[Hit], packs: Sequence[str], cases: int) -> Comparison:
    """Compare the hits of two rehearsals of one transcript, message by message.

    Args:
        now: the hits of the packs in question.
        then: the hits of the packs they are compared with.
        packs: the packs they are compared with.
        cases: how many cases those made.
    """
    here, there = {hit.message_id: hit for hit in now}, {hit.message_id: hit for hit in then}
    return Comparison(
        packs=tuple(packs),
        cases=cases,
        newly=tuple(hit for id_, hit in here.items() if id_ not in there),
        no_longer=tuple(hit for id_, hit in there.items() if id_ not in here),
        otherwise={
            id_: (there[id_].rules, hit.rules)
            for id_, hit in here.items()
            if id_ in there and set(there[id_].rules) != set(hit.rules)
        },
    )


def _grouped(findings: Iterable[Finding], key: Callable[[Finding], str]) -> dict[str, list[Finding]]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(key(finding), []).append(finding)
    return dict(sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0])))


def counted(items: Iterable[str]) -> dict[str, int]:
    """Count, and give the counts in order of their names."""
    return dict(sorted(Counter(items).items()))


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)
