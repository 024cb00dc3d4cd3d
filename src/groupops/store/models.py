"""The core's tables. Plain numbers and ids instead of foreign keys, moments in UTC, and a term for every table.

Every moment is written in UTC by `database.plain`: SQLite compares moments as text.
Indexes stand in `Meta.indexes` alone: Tortoise's migrations lose `db_index=True` without a word.
A docstring's first line becomes the table's comment, and on SQLite Tortoise splits a migration at every `;`.
"""
# pyright: reportIncompatibleVariableOverride=false
# ruff: noqa: D106 - `Meta` is Tortoise's word, described in its documentation

from __future__ import annotations

from typing import ClassVar

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from groupops.store.fields import JsonText
from groupops.store.retention import FINAL_OUTBOX, OPEN_CASES, OPEN_OBLIGATIONS, Kept

ID = 255
"""Longest id of a platform, a group, an account or a job, in characters."""
KEY = 512
"""Longest unique key: an event's id, a ticket's or an obligation's key, in characters."""
WORD = 64
"""Longest name of a status, a step, a ladder or a plugin, in characters."""


class Person(Model):
    """A person of the organisation, or `merged_into` the person it became."""

    retention: ClassVar = Kept(why="the roster says who is there")

    id = fields.IntField(primary_key=True)
    name = fields.TextField()
    department = fields.TextField()
    org_roles = JsonText()
    active = fields.BooleanField()
    provisional = fields.BooleanField()
    merged_into = fields.IntField(null=True)
    ref = fields.TextField(db_default="")
    company = fields.TextField(db_default="")
    position = fields.TextField(db_default="")
    region = fields.TextField(db_default="")
    left_at = fields.DatetimeField(null=True)

    class Meta:
        table = "core_persons"


class Account(Model):
    """A platform account and the person it is bound to."""

    retention: ClassVar = Kept(why="a binding holds until it is changed")

    account = fields.CharField(ID, primary_key=True)
    platform = fields.CharField(WORD)
    person_id = fields.IntField()

    class Meta:
        table = "core_accounts"
        indexes = (Index(fields=("person_id",)), Index(fields=("platform",)))


class Merge(Model):
    """A merge of two persons, with exactly what it moved, so that it can be taken apart."""

    retention: ClassVar = Kept(why="a merge can be taken apart at any time")

    id = fields.IntField(primary_key=True)
    kept = fields.IntField()
    gone = fields.IntField()
    by = fields.TextField()
    at = fields.DatetimeField()
    undone_at = fields.DatetimeField(null=True)
    accounts = JsonText()
    cases = JsonText()
    obligations = JsonText()

    class Meta:
        table = "core_merges"


class Group(Model):
    """A group. One that was unbound keeps its row, so that its revisions go on where they stood."""

    retention: ClassVar = Kept(why="its cases and revisions refer to it")

    id = fields.CharField(ID, primary_key=True)
    name = fields.TextField()
    timezone = fields.CharField(WORD)
    stage = fields.CharField(WORD)
    packs = JsonText()
    owner = fields.CharField(ID, null=True)
    revision = fields.IntField()
    bound = fields.BooleanField()

    class Meta:
        table = "core_groups"


class Member(Model):
    """A member of a group as last seen."""

    retention: ClassVar = Kept(
        by="snapshot", why="the present list is kept; a group's list goes with the group"
    )

    id = fields.BigIntField(primary_key=True)
    group_id = fields.CharField(ID)
    account = fields.CharField(ID)
    name = fields.TextField()
    card = fields.TextField()
    role = fields.CharField(WORD)
    joined_at = fields.DatetimeField(null=True)

    class Meta:
        table = "core_members"
        unique_together = (("group_id", "account"),)


class Steward(Model):
    """An account that may decide cases, in every group where `group_id` is empty."""

    retention: ClassVar = Kept(why="an appointment holds until it is taken back")

    id = fields.IntField(primary_key=True)
    account = fields.CharField(ID)
    group_id = fields.CharField(ID)

    class Meta:
        table = "core_stewards"
        unique_together = (("account", "group_id"),)


class Revision(Model):
    """One change of a group's policy."""

    retention: ClassVar = Kept(why="cases refer to the revision they were judged by")

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(ID)
    number = fields.IntField()
    author = fields.TextField()
    at = fields.DatetimeField()
    diff = JsonText()
    packs = JsonText()
    stage = fields.CharField(WORD)
    overrides = JsonText()
    note = fields.TextField()

    class Meta:
        table = "core_revisions"
        unique_together = (("group_id", "number"),)


class Case(Model):
    """The record of an offence, one per fact. Its words are taken out before the case itself is forgotten."""

    retention: ClassVar = Kept(by="strike", since="opened_at", only={"status__not_in": OPEN_CASES})

    id = fields.IntField(primary_key=True)
    event_id = fields.CharField(KEY, unique=True)
    group_id = fields.CharField(ID)
    person_id = fields.IntField()
    account = fields.CharField(ID)
    message_id = fields.CharField(ID)
    plugin = fields.CharField(WORD)
    rule = fields.CharField(ID)
    clause = JsonText(null=True)
    reason = fields.TextField()
    reasons = JsonText()
    severity = fields.SmallIntField()
    evidence = JsonText()
    excerpt = fields.TextField()
    holds_text = fields.BooleanField()
    ladder = fields.CharField(WORD)
    strike = fields.IntField()
    step = fields.CharField(WORD)
    step_index = fields.IntField()
    approvals_needed = fields.IntField()
    status = fields.CharField(WORD)
    stage = fields.CharField(WORD)
    revision = fields.IntField()
    opened_at = fields.DatetimeField()
    noticed_at = fields.DatetimeField(null=True)
    decided_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(null=True)
    appeal_until = fields.DatetimeField(null=True)
    reporter = fields.CharField(ID, null=True)
    decisions = JsonText()
    version = fields.IntField()

    class Meta:
        table = "core_cases"
        indexes = (
            Index(fields=("person_id", "ladder", "status")),
            Index(fields=("group_id", "status")),
            Index(fields=("message_id",)),
        )


class Outbox(Model):
    """An action on its way to a platform, known by `(event_id, place)`."""

    retention: ClassVar = Kept(by="event", since="changed_at", only={"state__in": FINAL_OUTBOX})

    id = fields.BigIntField(primary_key=True)
    event_id = fields.CharField(KEY)
    place = fields.IntField()
    group_id = fields.CharField(ID)
    action = JsonText()
    purpose = fields.CharField(WORD)
    plugin = fields.CharField(WORD)
    case_id = fields.IntField(null=True)
    state = fields.CharField(WORD)
    not_before = fields.DatetimeField(null=True)
    attempts = fields.IntField()
    receipt = JsonText(null=True)
    created_at = fields.DatetimeField()
    changed_at = fields.DatetimeField(null=True)
    degraded_from = fields.CharField(WORD)

    class Meta:
        table = "core_outbox"
        unique_together = (("event_id", "place"),)
        indexes = (Index(fields=("state", "not_before")), Index(fields=("case_id",)))


class Ticket(Model):
    """A task for a steward. `open_key` is its key while it is open, so that it is not opened twice."""

    retention: ClassVar = Kept(by="event", since="closed_at")

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(ID)
    text = fields.TextField()
    wanted = JsonText(null=True)
    case_id = fields.IntField(null=True)
    subject = fields.CharField(ID)
    key = fields.CharField(KEY)
    open_key = fields.CharField(KEY, null=True, unique=True)
    opened_at = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)
    closed_at = fields.DatetimeField(null=True)
    closed_by = fields.CharField(ID)

    class Meta:
        table = "core_tickets"
        indexes = (Index(fields=("group_id", "closed_at")),)


class Obligation(Model):
    """Who owes what by when."""

    retention: ClassVar = Kept(by="event", since="due_at", only={"status__not_in": OPEN_OBLIGATIONS})

    id = fields.IntField(primary_key=True)
    key = fields.CharField(KEY, unique=True)
    group_id = fields.CharField(ID)
    person_id = fields.IntField()
    account = fields.CharField(ID)
    plugin = fields.CharField(WORD)
    obligation_kind = fields.CharField(ID)
    title = fields.TextField()
    options = JsonText()
    clock = fields.CharField(WORD)
    opened_at = fields.DatetimeField()
    due_at = fields.DatetimeField()
    remind_at = JsonText()
    excuse_until = fields.DatetimeField(null=True)
    status = fields.CharField(WORD)
    satisfied_at = fields.DatetimeField(null=True)
    note = fields.TextField()
    private = fields.BooleanField()
    version = fields.IntField()

    class Meta:
        table = "core_obligations"
        indexes = (
            Index(fields=("status", "due_at")),
            Index(fields=("person_id",)),
            Index(fields=("group_id", "status")),
        )


class Due(Model):
    """A moment at which something is due, claimed once, and spent when it was handed over."""

    retention: ClassVar = Kept(by="event", since="claimed_at")

    id = fields.BigIntField(primary_key=True)
    job = fields.CharField(ID)
    due_at = fields.DatetimeField()
    group_id = fields.CharField(ID)
    plugin = fields.CharField(WORD)
    payload = fields.TextField()
    claimed_at = fields.DatetimeField(null=True)
    spent_at = fields.DatetimeField(null=True)

    class Meta:
        table = "core_due"
        unique_together = (("job", "due_at"),)
        indexes = (Index(fields=("claimed_at", "due_at")),)


class Keepsake(Model):
    """A small value that a room or an adapter wants to know again after a restart."""

    retention: ClassVar = Kept(by="event", since="at")

    id = fields.BigIntField(primary_key=True)
    owner = fields.CharField(WORD)
    key = fields.CharField(ID)
    value = fields.TextField()
    at = fields.DatetimeField()

    class Meta:
        table = "core_keepsakes"
        unique_together = (("owner", "key"),)


class Audit(Model):
    """One line of what was done."""

    retention: ClassVar = Kept(by="audit", since="at")

    id = fields.BigIntField(primary_key=True)
    at = fields.DatetimeField()
    what = fields.CharField(ID)
    actor = fields.CharField(ID)
    group_id = fields.CharField(ID, null=True)
    subject = fields.CharField(ID)
    detail = JsonText()

    class Meta:
        table = "core_audit"
        indexes = (Index(fields=("at",)), Index(fields=("group_id", "at")), Index(fields=("subject",)))
