"""Rows of the tables as frozen values, and frozen values as columns."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# Tortoise's small and big integers are fields without a type.

from __future__ import annotations

from datetime import datetime
from typing import Any

from groupops import wire
from groupops.actions import Option
from groupops.events import Listed
from groupops.people import AccountId, Clause, Group, GroupId, Person, PersonId, Role, Stage
from groupops.records import (
    Audit,
    Case,
    CaseStatus,
    Decision,
    Due,
    Merge,
    Obligation,
    ObligationStatus,
    OutboxRow,
    OutboxState,
    PolicyRevision,
    Steward,
    Ticket,
)
from groupops.store import models
from groupops.store.database import Row, moment
from groupops.store.retention import holds_text
from groupops.verdicts import Evidence, Severity

_WORDS: Any = tuple[str, ...]
_NUMBERS: Any = tuple[int, ...]
_MOMENTS: Any = tuple[datetime, ...]
_EVIDENCE: Any = tuple[Evidence, ...]
_DECISIONS: Any = tuple[Decision, ...]
_OPTIONS: Any = tuple[Option, ...]
_TABLE: Any = dict[str, Any]


# — persons —
def person_columns(person: Person) -> dict[str, Any]:
    """Columns of a person, without its number."""
    return {
        "name": person.name,
        "department": person.department,
        "org_roles": _several(_WORDS, tuple(sorted(person.org_roles))),
        "active": person.active,
        "provisional": person.provisional,
        "ref": person.ref,
        "company": person.company,
        "position": person.position,
        "region": person.region,
        "left_at": person.left_at,
    }


def person(row: Row) -> Person:
    """A person of its row."""
    return Person(
        id=PersonId(row["id"]),
        name=row["name"],
        department=row["department"],
        org_roles=frozenset(_read_several(_WORDS, row["org_roles"])),
        active=bool(row["active"]),
        provisional=bool(row["provisional"]),
        ref=row["ref"],
        company=row["company"],
        position=row["position"],
        region=row["region"],
        left_at=_moment(row["left_at"]),
    )


def merge_columns(
    merge: Merge, accounts: list[str], cases: list[int], obligations: list[int]
) -> dict[str, Any]:
    """Columns of a merge, with what it moved."""
    return {
        "kept": merge.kept,
        "gone": merge.gone,
        "by": merge.by,
        "at": merge.at,
        "accounts": _several(_WORDS, tuple(accounts)),
        "cases": _several(_NUMBERS, tuple(cases)),
        "obligations": _several(_NUMBERS, tuple(obligations)),
    }


def merge(row: models.Merge) -> Merge:
    """A merge of its row."""
    return Merge(
        id=row.id,
        kept=PersonId(row.kept),
        gone=PersonId(row.gone),
        by=row.by,
        at=row.at,
        undone_at=row.undone_at,
    )


def moved(row: models.Merge) -> tuple[list[str], list[int], list[int]]:
    """What a merge moved: accounts, cases, obligations."""
    return (
        list(_read_several(_WORDS, row.accounts)),
        list(_read_several(_NUMBERS, row.cases)),
        list(_read_several(_NUMBERS, row.obligations)),
    )


# — groups —
def group(row: models.Group) -> Group:
    """A group of its row."""
    return Group(
        id=GroupId(row.id),
        name=row.name,
        timezone=row.timezone,
        stage=Stage(row.stage),
        packs=_read_several(_WORDS, row.packs),
        owner=None if row.owner is None else AccountId(row.owner),
        revision=row.revision,
    )


def group_columns(group: Group) -> dict[str, Any]:
    """Columns of a group that is bound for the first time."""
    fresh = Group(id=group.id)
    return {
        "id": group.id,
        "name": group.name,
        "timezone": group.timezone,
        "stage": fresh.stage,
        "packs": _several(_WORDS, fresh.packs),
        "owner": group.owner,
        "revision": fresh.revision,
        "bound": True,
    }


def listed_columns(group_id: GroupId, listed: Listed) -> dict[str, Any]:
    """Columns of a member."""
    return {
        "group_id": group_id,
        "account": listed.account,
        "name": listed.name,
        "card": listed.card,
        "role": listed.role,
        "joined_at": listed.joined_at,
    }


def listed(row: Row) -> Listed:
    """A member of its row."""
    return Listed(
        account=AccountId(row["account"]),
        name=row["name"],
        card=row["card"],
        role=Role(row["role"]),
        joined_at=_moment(row["joined_at"]),
    )


def steward(row: models.Steward) -> Steward:
    """A steward of its row."""
    return Steward(account=AccountId(row.account), group_id=GroupId(row.group_id) if row.group_id else None)


def revision_columns(revision: PolicyRevision) -> dict[str, Any]:
    """Columns of a revision."""
    return {
        "group_id": revision.group_id,
        "number": revision.number,
        "author": revision.author,
        "at": revision.at,
        "diff": wire.dumps(_TABLE, dict(revision.diff)),
        "packs": packs_text(revision.packs),
        "stage": revision.stage,
        "overrides": wire.dumps(_TABLE, dict(revision.overrides)),
        "note": revision.note,
    }


def packs_text(packs: tuple[str, ...]) -> str:
    """The column `packs`."""
    return _several(_WORDS, packs)


def revision(row: models.Revision) -> PolicyRevision:
    """A revision of its row."""
    return PolicyRevision(
        group_id=GroupId(row.group_id),
        number=row.number,
        author=row.author,
        at=row.at,
        diff=wire.loads(_TABLE, row.diff),
        packs=_read_several(_WORDS, row.packs),
        stage=Stage(row.stage),
        overrides=wire.loads(_TABLE, row.overrides),
        note=row.note,
    )


# — cases —
def case_columns(case: Case) -> dict[str, Any]:
    """Columns of a case, without its number."""
    return {
        "event_id": case.event_id,
        "group_id": case.group_id,
        "person_id": case.person_id,
        "account": case.account,
        "message_id": case.message_id,
        "plugin": case.plugin,
        "rule": case.rule,
        "clause": None if case.clause is None else wire.dumps(Clause, case.clause),
        "reason": case.reason,
        "reasons": _several(_WORDS, case.reasons),
        "severity": int(case.severity),
        "evidence": _several(_EVIDENCE, case.evidence),
        "excerpt": case.excerpt,
        "holds_text": holds_text(case),
        "ladder": case.ladder,
        "strike": case.strike,
        "step": case.step,
        "step_index": case.step_index,
        "approvals_needed": case.approvals_needed,
        "status": case.status,
        "stage": case.stage,
        "revision": case.revision,
        "opened_at": case.opened_at,
        "noticed_at": case.noticed_at,
        "decided_at": case.decided_at,
        "expires_at": case.expires_at,
        "appeal_until": case.appeal_until,
        "reporter": case.reporter,
        "decisions": _several(_DECISIONS, case.decisions),
        "version": case.version,
    }


def case(row: Row) -> Case:
    """A case of its row."""
    return Case(
        id=row["id"],
        event_id=row["event_id"],
        group_id=GroupId(row["group_id"]),
        person_id=PersonId(row["person_id"]),
        account=AccountId(row["account"]),
        message_id=row["message_id"],
        plugin=row["plugin"],
        rule=row["rule"],
        clause=_read(Clause, row["clause"]),
        reason=row["reason"],
        reasons=_read_several(_WORDS, row["reasons"]),
        severity=Severity(row["severity"]),
        evidence=_read_several(_EVIDENCE, row["evidence"]),
        excerpt=row["excerpt"],
        ladder=row["ladder"],
        strike=row["strike"],
        step=row["step"],
        step_index=row["step_index"],
        approvals_needed=row["approvals_needed"],
        status=CaseStatus(row["status"]),
        stage=Stage(row["stage"]),
        revision=row["revision"],
        opened_at=_moment(row["opened_at"]),
        noticed_at=_moment(row["noticed_at"]),
        decided_at=_moment(row["decided_at"]),
        expires_at=_moment(row["expires_at"]),
        appeal_until=_moment(row["appeal_until"]),
        reporter=None if row["reporter"] is None else AccountId(row["reporter"]),
        decisions=_read_several(_DECISIONS, row["decisions"]),
        version=row["version"],
    )


# — outbox —
def outbox_columns(row: OutboxRow) -> dict[str, Any]:
    """Columns of an action, without its number."""
    return {
        "event_id": row.event_id,
        "place": row.index,
        "group_id": row.group_id,
        "action": wire.action_to_json(row.action),
        "purpose": row.purpose,
        "plugin": row.plugin,
        "case_id": row.case_id,
        "state": row.state,
        "not_before": row.not_before,
        "attempts": row.attempts,
        "receipt": None if row.receipt is None else wire.receipt_to_json(row.receipt),
        "created_at": row.created_at,
        "changed_at": row.changed_at or row.created_at,
        "degraded_from": row.degraded_from,
    }


def outbox(row: Row) -> OutboxRow:
    """An action of its row."""
    purpose: Any = row["purpose"]
    return OutboxRow(
        id=row["id"],
        event_id=row["event_id"],
        index=row["place"],
        group_id=GroupId(row["group_id"]),
        action=wire.action_from_json(row["action"]),
        purpose=purpose,
        plugin=row["plugin"],
        case_id=row["case_id"],
        state=OutboxState(row["state"]),
        not_before=_moment(row["not_before"]),
        attempts=row["attempts"],
        receipt=_read(wire.RECEIPT, row["receipt"]),
        created_at=_moment(row["created_at"]),
        changed_at=_moment(row["changed_at"]),
        degraded_from=row["degraded_from"],
    )


# — tickets, obligations, time, audit —
def ticket_columns(ticket: Ticket) -> dict[str, Any]:
    """Columns of a ticket, without its number; its key is taken while it is open."""
    return {
        "group_id": ticket.group_id,
        "text": ticket.text,
        "wanted": None if ticket.wanted is None else wire.action_to_json(ticket.wanted),
        "case_id": ticket.case_id,
        "subject": ticket.subject,
        "key": ticket.key,
        "open_key": ticket.key or None,
        "opened_at": ticket.opened_at,
        "due_at": ticket.due_at,
        "closed_at": ticket.closed_at,
        "closed_by": ticket.closed_by,
    }


def ticket(row: Row) -> Ticket:
    """A ticket of its row."""
    return Ticket(
        id=row["id"],
        group_id=GroupId(row["group_id"]),
        text=row["text"],
        wanted=_read(wire.ACTION, row["wanted"]),
        case_id=row["case_id"],
        subject=row["subject"],
        key=row["key"],
        opened_at=_moment(row["opened_at"]),
        due_at=_moment(row["due_at"]),
        closed_at=_moment(row["closed_at"]),
        closed_by=row["closed_by"],
    )


def obligation_columns(obligation: Obligation) -> dict[str, Any]:
    """Columns of an obligation, without its number."""
    return {
        "key": obligation.key,
        "group_id": obligation.group_id,
        "person_id": obligation.person_id,
        "account": obligation.account,
        "plugin": obligation.plugin,
        "obligation_kind": obligation.obligation_kind,
        "title": obligation.title,
        "options": _several(_OPTIONS, obligation.options),
        "clock": obligation.clock,
        "opened_at": obligation.opened_at,
        "due_at": obligation.due_at,
        "remind_at": _several(_MOMENTS, obligation.remind_at),
        "excuse_until": obligation.excuse_until,
        "status": obligation.status,
        "satisfied_at": obligation.satisfied_at,
        "note": obligation.note,
        "private": obligation.private,
        "version": obligation.version,
    }


def obligation(row: models.Obligation) -> Obligation:
    """An obligation of its row."""
    clock: Any = row.clock
    return Obligation(
        id=row.id,
        key=row.key,
        group_id=GroupId(row.group_id),
        person_id=PersonId(row.person_id),
        account=AccountId(row.account),
        plugin=row.plugin,
        obligation_kind=row.obligation_kind,
        title=row.title,
        options=_read_several(_OPTIONS, row.options),
        clock=clock,
        opened_at=row.opened_at,
        due_at=row.due_at,
        remind_at=_read_several(_MOMENTS, row.remind_at),
        excuse_until=row.excuse_until,
        status=ObligationStatus(row.status),
        satisfied_at=row.satisfied_at,
        note=row.note,
        private=row.private,
        version=row.version,
    )


def due_columns(due: Due) -> dict[str, Any]:
    """Columns of a due row."""
    return {
        "job": due.job,
        "due_at": due.due_at,
        "group_id": due.group_id,
        "plugin": due.plugin,
        "payload": due.payload,
    }


def audit_columns(entry: Audit) -> dict[str, Any]:
    """Columns of a line of audit."""
    return {
        "at": entry.at,
        "what": entry.what,
        "actor": entry.actor,
        "group_id": entry.group_id,
        "subject": entry.subject,
        "detail": wire.dumps(_TABLE, dict(entry.detail)),
    }


def audit(row: models.Audit) -> Audit:
    """A line of audit of its row."""
    return Audit(
        at=row.at,
        what=row.what,
        actor=row.actor,
        group_id=None if row.group_id is None else GroupId(row.group_id),
        subject=row.subject,
        detail=wire.loads(_TABLE, row.detail),
    )


def _moment(value: Any) -> Any:
    return None if value is None else moment(value)


def _read(of: Any, text: str | None) -> Any:
    return None if text is None else wire.loads(of, text)


def _several(of: Any, values: tuple[Any, ...]) -> str:
    return wire.dumps(of, values) if values else "[]"


def _read_several(of: Any, text: str) -> tuple[Any, ...]:
    return () if text == "[]" else wire.loads(of, text)
