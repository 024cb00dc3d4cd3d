"""Welcome's tables: who came in and how far they got, and which rules everybody was reminded of."""
# pyright: reportIncompatibleVariableOverride=false
# ruff: noqa: D106 - `Meta` is Tortoise's word, described in its documentation

from __future__ import annotations

from typing import ClassVar

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Newcomer(Model):
    """One stay of an account in a group, from coming in until its checklist has come to an end."""

    retention: ClassVar = {"by": "event", "since": "joined_at"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    account = fields.CharField(255)
    nickname = fields.TextField()
    inferred = fields.BooleanField(default=False)
    met = fields.CharField(16)
    joined_by = fields.TextField()
    joined_at = fields.DatetimeField()
    left_at = fields.DatetimeField(null=True)
    state = fields.CharField(16)
    greeted_by = fields.TextField(default="")
    greeted_at = fields.DatetimeField(null=True)
    wait_until = fields.DatetimeField(null=True)
    intro = fields.TextField(default="")
    items = fields.TextField(default="[]")
    follow_at = fields.DatetimeField(null=True)
    followed_by = fields.TextField(default="")
    followed = fields.IntField(default=0)

    class Meta:
        table = "welcome_newcomers"
        indexes = (Index(fields=("group_id", "account")), Index(fields=("group_id", "state")))


class Rotation(Model):
    """How far the reminders of rules have got in one group, so that each is said once before any is said again."""

    retention: ClassVar = {"why": "without it a reminder would be said again before its turn"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255, unique=True)
    shown = fields.TextField(default="[]")
    said_by = fields.TextField(default="")
    said = fields.TextField(default="[]")

    class Meta:
        table = "welcome_rotations"
