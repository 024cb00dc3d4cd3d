"""How long what is kept: the class of every table, from when its rows age, and what is taken out of a case."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from groupops.records import Case, CaseStatus, ObligationStatus, OutboxState

RetentionClass = Literal["excerpt", "strike", "ledger", "event", "snapshot", "audit"]
"""The classes a group's `[retention]` table sets a term for, each by its key `<class>_days`."""

OPEN_CASES = frozenset(status for status in CaseStatus if status.open)
OPEN_OBLIGATIONS = frozenset({ObligationStatus.OPEN, ObligationStatus.EXCUSE_PENDING})
FINAL_OUTBOX = frozenset(state for state in OutboxState if state.final)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long a table's rows are kept; every table of the core and of a plugin declares one as `retention`.

    Args:
        by: the class whose term counts; None = kept until somebody removes the row.
        since: the column whose moment a row ages from; rows where it is empty stay.
        only: what else must hold of a row that is forgotten: Tortoise's `<column>__in` or `__not_in` → values.
        why: where `by` is None, why the table may keep its rows.
    """

    by: RetentionClass | None = None
    since: str = ""
    only: Mapping[str, Collection[Any]] = field(default_factory=dict[str, Collection[Any]])
    why: str = ""

    @property
    def term_key(self) -> str:
        """The key in `[retention]` that sets the term in days; empty where nothing is forgotten by age."""
        return f"{self.by}_days" if self.by else ""


def cutoff(now: datetime, days: int) -> datetime:
    """Give the moment before which rows are older than their term of `days` days."""
    return now - timedelta(days=days)


def holds_text(case: Case) -> bool:
    """Say whether a case keeps words of its message: an excerpt, or a quote among its evidence."""
    return bool(case.excerpt) or any(seen.quote for seen in case.evidence)


def without_text(case: Case) -> Case:
    """Give the case without the words of its message; where they stood and why it was booked stay."""
    seen = tuple(replace(evidence, quote="") for evidence in case.evidence)
    return replace(case, excerpt="", evidence=seen, version=case.version + 1)


def may_lose_text(case: Case, before: datetime) -> bool:
    """Say whether a case is old enough to lose its words; an open one keeps them for who has to decide."""
    return not case.status.open and case.opened_at < before and holds_text(case)


def may_be_forgotten(case: Case, before: datetime, now: datetime) -> bool:
    """Say whether a case is older than its term, decided, and no longer counts as a strike."""
    expired = case.expires_at is None or case.expires_at <= now
    return not case.status.open and case.opened_at < before and expired


def counts(case: Case, ladder: str, now: datetime) -> bool:
    """Say whether a case is a valid strike on a ladder; one without an expiry never expires."""
    if not ladder or case.ladder != ladder or case.status is not CaseStatus.EFFECTIVE:
        return False
    return case.expires_at is None or case.expires_at > now
