"""The roster's own tables: who is on trial, what was reminded of, proposed, declared and changed; no second roster."""
# pyright: reportIncompatibleVariableOverride=false
# ruff: noqa: D106 - `Meta` is Tortoise's word, described in its documentation

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import ClassVar, Self

from tortoise import fields
from tortoise.context import get_current_context
from tortoise.models import Model
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

OPEN = "open"
"""The status every row begins in; all others are ends."""


class Probation(Model):
    """Somebody in a group whom the roster does not list, and until when that may stay so."""

    retention: ClassVar = {"by": "event", "since": "closed_at"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    account = fields.CharField(255)
    joined = fields.BooleanField()
    """True for a newcomer, False for somebody a check found inside."""
    until = fields.DatetimeField()
    flagged = fields.BooleanField(default=False)
    """True once the time is up and the stewards were told."""
    tries = fields.IntField(default=0)
    matched = fields.IntField(null=True)
    """The one person whose unit and number were given; the answers themselves are kept nowhere."""
    sponsor = fields.CharField(255, null=True)
    status = fields.CharField(16, default=OPEN)
    """`open`, `verified`, `registered`, `guest` or `left`."""
    by = fields.CharField(255, default="")
    opened_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "roster_probations"
        indexes = (("group_id", "account"),)


class Guest(Model):
    """Somebody from outside who is in a group by invitation, with who agreed to it."""

    retention: ClassVar = {"by": "event", "since": "ended_at"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    account = fields.CharField(255)
    note = fields.TextField()
    by = fields.CharField(255)
    at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "roster_guests"
        indexes = (("group_id", "account"),)


class CardWatch(Model):
    """A card that does not keep to the format, and how often its member was reminded."""

    retention: ClassVar = {"by": "event", "since": "closed_at"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    account = fields.CharField(255)
    reminders = fields.IntField(default=0)
    reminded_at = fields.DatetimeField(null=True)
    status = fields.CharField(16, default=OPEN)
    """`open`, `valid`, `full` (reminded often enough), `excepted` or `left`."""
    opened_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "roster_card_watches"
        indexes = (("group_id", "account"),)


class CardException(Model):
    """Somebody who may keep another card in a group, for a reason a steward accepted."""

    retention: ClassVar = {"by": "event", "since": "ended_at"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    account = fields.CharField(255)
    reason = fields.TextField()
    by = fields.CharField(255)
    at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "roster_card_exceptions"
        indexes = (("group_id", "account"),)


class Leaver(Model):
    """Somebody who left the organisation and is in a group still, and until when that is let be."""

    retention: ClassVar = {"by": "event", "since": "closed_at"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    person_id = fields.IntField()
    account = fields.CharField(255)
    until = fields.DatetimeField()
    status = fields.CharField(16, default=OPEN)
    """`open`, `acted`, `returned` or `left`."""
    opened_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "roster_leavers"
        indexes = (("group_id", "account"),)

    @classmethod
    def standing(cls, group_id: str) -> QuerySet[Self]:
        """Rows of who has neither returned nor left the group."""
        return cls.filter(group_id=group_id, closed_at=None)


class Proposal(Model):
    """A word for a steward to decide on: that an account is a person's, or that two persons are one."""

    retention: ClassVar = {"by": "event", "since": "decided_at"}

    id = fields.IntField(primary_key=True)
    what = fields.CharField(8)
    """`bind` or `merge`."""
    group_id = fields.CharField(255, default="")
    """Where it was seen; empty for what an import says, which every group's stewards may decide."""
    account = fields.CharField(255, default="")
    person_id = fields.IntField()
    other_id = fields.IntField(null=True)
    """The person that is to become `person_id`, in a merge."""
    source = fields.CharField(16)
    """`card`, `join`, `import`."""
    status = fields.CharField(16, default=OPEN)
    """`open`, `confirmed`, `denied` or `settled` (became true, or void, by itself)."""
    opened_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)
    by = fields.CharField(255, default="")

    class Meta:
        table = "roster_proposals"
        indexes = (("group_id", "status"),)


class OwnCase(Model):
    """A case the roster asked for, so that it is asked for once."""

    retention: ClassVar = {"by": "event", "since": "closed_at"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    account = fields.CharField(255)
    rule = fields.CharField(64)
    case_id = fields.IntField(null=True)
    """Its number, once the core has told it."""
    status = fields.CharField(16, default="asked")
    """`asked`, then whatever the core says of the case."""
    opened_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)
    """When the member left; a case that was dismissed holds until then."""

    class Meta:
        table = "roster_cases"
        indexes = (("group_id", "account"),)


class DelegateChange(Model):
    """A change of the roster that was said in a group, for the next list to the stewards."""

    retention: ClassVar = {"by": "audit", "since": "at"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    by = fields.CharField(255)
    text = fields.TextField()
    refused = fields.BooleanField(default=False)
    at = fields.DatetimeField()

    class Meta:
        table = "roster_delegate_changes"
        indexes = (("group_id", "at"),)


class AvatarWord(Model):
    """A member's own word that the picture is of the member, or, without an account, that a group was asked for it."""

    retention: ClassVar = {"by": "event", "since": "ended_at"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    account = fields.CharField(255, default="")
    at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "roster_avatar_words"
        indexes = (("group_id", "account"),)


class CheckRun(Model):
    """When a group was last checked, so that the next list begins there."""

    retention: ClassVar = {"by": "snapshot", "since": "at"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    at = fields.DatetimeField()
    found = fields.IntField()

    class Meta:
        table = "roster_check_runs"
        indexes = (("group_id", "at"),)


class _TakenBackError(Exception):
    """Rolls back what was written."""


def _take_back(*, unless: bool) -> None:
    if not unless:
        raise _TakenBackError


@asynccontextmanager
async def written(*, for_good: bool) -> AsyncGenerator[None, None]:
    """Write all of it or nothing; where it is not for good (a trial run), nothing is left of it."""
    context = get_current_context()
    name = None if context is None else context.default_connection
    try:
        async with in_transaction(name):
            yield
            _take_back(unless=for_good)
    except _TakenBackError:
        return
