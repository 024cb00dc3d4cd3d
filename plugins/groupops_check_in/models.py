"""Check-in's tables: what was agreed to, what is left of a day, where it was set right, and what was asked for."""
# pyright: reportIncompatibleVariableOverride=false
# ruff: noqa: D106 - `Meta` is Tortoise's word, described in its documentation

from __future__ import annotations

from typing import Any, ClassVar

from tortoise import fields
from tortoise.exceptions import IntegrityError
from tortoise.models import Model


class ConsentWord(Model):
    """What a person was told and answered about check-in in one group, line by line, without any place."""

    retention: ClassVar = {
        "why": "kept while it holds and three years after, by the plugin's own nightly purge"
    }

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    person_id = fields.IntField()
    account = fields.CharField(255)
    word = fields.CharField(16)
    terms = fields.CharField(16)
    purpose = fields.TextField(default="")
    at = fields.DatetimeField()

    class Meta:
        table = "check_in_consents"
        indexes = (("group_id", "person_id"),)


class DayRow(Model):
    """What is left of a person's check-in on one day, the name of a place and nothing finer."""

    retention: ClassVar = {"why": "kept for retention_days, at most 30, by the plugin's own nightly purge"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    person_id = fields.IntField()
    account = fields.CharField(255)
    day = fields.DateField()
    shift = fields.CharField(40, default="")
    state = fields.CharField(16)
    place = fields.CharField(64, default="")
    means = fields.CharField(16, default="")
    unsure = fields.BooleanField(default=False)
    at = fields.DatetimeField(null=True)
    place_at = fields.DatetimeField(null=True)
    version = fields.IntField(default=0)

    class Meta:
        table = "check_in_days"
        unique_together = (("group_id", "person_id", "day"),)

    @classmethod
    async def begun(cls, **columns: Any) -> bool:
        """Write down a day of which nothing stands yet; False where somebody was faster."""
        try:
            await cls.create(**columns)
        except IntegrityError:
            return False
        return True


class MoveRow(Model):
    """A later check-in of the same day, which set the place right."""

    retention: ClassVar = {"why": "kept as long as the day it belongs to, by the plugin's own nightly purge"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    person_id = fields.IntField()
    account = fields.CharField(255)
    day = fields.DateField()
    was = fields.CharField(64, default="")
    place = fields.CharField(64, default="")
    at = fields.DatetimeField()
    event_id = fields.CharField(255)

    class Meta:
        table = "check_in_moves"
        unique_together = (("group_id", "event_id"),)


class PetitionRow(Model):
    """Leave or a correction that somebody asks for and another approves."""

    retention: ClassVar = {"why": "kept as long as its last day, by the plugin's own nightly purge"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    person_id = fields.IntField()
    account = fields.CharField(255)
    what = fields.CharField(16)
    day = fields.DateField()
    until = fields.DateField()
    place = fields.CharField(64, default="")
    reason = fields.CharField(200, default="")
    status = fields.CharField(16, default="open")
    asked_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)
    decided_by = fields.CharField(255, default="")
    event_id = fields.CharField(255)

    class Meta:
        table = "check_in_petitions"
        unique_together = (("group_id", "event_id"),)
