"""What advice is made of, as values: findings, what was owed, who differs from the roster, steps for humans, notices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from groupops.importers.transcript import Remark

Standing = Literal["case", "review", "remind", "shadow", "exempt"]
"""`case` a case waits for a human; `review` the source is too coarse for a case; `remind` a word is enough and counts
for nothing; `shadow` the group's stage books nothing; `exempt` whoever said it is not held to the rule."""

Doubt = Literal["name", "twins", "minutes"]
"""Why a finding is only for review: a shown name is no account; several members go by it; times are whole minutes."""

Difference = Literal["joined", "left", "renamed", "stranger", "leaver", "missing", "unsure", "same_name"]
"""How a member list differs from the one before, or from the roster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was said or done against a rule.

    Args:
        event_id, message_id: the fact, and the message as the export names it.
        file, row: where it stands in the export; 0 where that is not known.
        at: when, in the group's timezone.
        account, name: who.
        rule, reason, severity: what was objected to; 1 low … 4 critical.
        clause, clause_text: where it stands in the regulation.
        text, quotes: what was said, and what it was seen by; empty where it may not be kept.
        standing, doubts: what became of it, and why it is no more than that.
        case, ticket: numbers of the case and of the ticket, 0 where there is none.
        notice: what can be pasted into the group.
        ask: what the steward is asked to do.
    """

    event_id: str
    message_id: str
    file: str
    row: int
    at: datetime
    account: str
    name: str
    rule: str
    reason: str
    severity: int
    clause: str
    clause_text: str
    text: str
    quotes: tuple[str, ...]
    standing: Standing
    doubts: tuple[Doubt, ...] = ()
    case: int = 0
    ticket: int = 0
    notice: str
    ask: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something that was owed, and what became of it; `status` as in `ObligationStatus`."""

    number: int
    plugin: str
    title: str
    account: str
    name: str
    due_at: datetime
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLine:
    """One difference of a member list.

    Args:
        kind: which difference.
        name: who, as listed or as on the roster.
        account: the account, if listed.
        detail: names it may be, or the name before.
        clause: where the rule stands, if the policy has one.
        ask: what the steward is asked to do; empty where nothing is.
        notice: what can be pasted; empty where nothing is to be said.
    """

    kind: Difference
    name: str
    account: str = ""
    detail: str = ""
    clause: str = ""
    ask: str = ""
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An open ticket: something a human is still to do; `hint` tells of what may show it done, but does not prove it."""

    number: int
    text: str
    deed: str
    hint: str = ""
    opened_at: datetime
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A ticket that what was handed in proves done."""

    number: int
    text: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Words ready to be pasted.

    Args:
        to: empty for the group; else whom they are to be passed on to privately.
        text: the words.
    """

    text: str
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """A transcript that was read: how much of it was new."""

    name: str
    format: str
    rows: int
    fresh: int
    again: int
    precision: str
    identity: str
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """All that came of one round.

    Args:
        group, group_name, titles, timezone, stage: whose it is and by what it was judged.
        made_at: when.
        first, last: span of what was new.
        files: what was read.
        members: members listed; -1 where no list was handed in.
        findings, duties, roster, steps, closed, notices: the advice itself.
        told: findings left out because a bot, or another export, had told of them before.
        remarks: what could not be told.
        failures: plugins that failed.
    """

    group: str
    group_name: str
    titles: tuple[str, ...]
    timezone: str
    stage: str
    made_at: datetime
    first: datetime | None = None
    last: datetime | None = None
    files: tuple[FileRead, ...] = ()
    members: int = -1
    findings: tuple[Finding, ...] = ()
    duties: tuple[Duty, ...] = ()
    roster: tuple[RosterLine, ...] = ()
    steps: tuple[Step, ...] = ()
    closed: tuple[Closed, ...] = ()
    notices: tuple[Notice, ...] = ()
    told: int = 0
    remarks: tuple[Remark, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def fresh(self) -> int:
        """How many messages and lines were new."""
        return sum(one.fresh for one in self.files)

    def by_rule(self) -> dict[str, list[Finding]]:
        """Give the findings of each rule, the rule with most of them first."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault(finding.rule, []).append(finding)
        return dict(sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0])))

    def plain(self) -> Mapping[str, Any]:
        """Give all of it as plain values, moments as ISO texts."""
        raw: dict[str, Any] = json.loads(json.dumps(asdict(self), ensure_ascii=False, default=_plain))
        return raw


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)
