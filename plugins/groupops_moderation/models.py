"""Moderation's table: the sentences that stewards called a false alarm."""
# pyright: reportIncompatibleVariableOverride=false
# ruff: noqa: D106 - `Meta` is Tortoise's word, described in its documentation

from __future__ import annotations

from typing import ClassVar

from tortoise import fields
from tortoise.models import Model

from groupops import GroupId
from groupops_moderation.allowances import Allowance


class AllowEntry(Model):
    """A sentence in which nothing counts any more in one group, because its case was a false alarm."""

    retention: ClassVar = {"why": "a false alarm stays one, and every list is held against it"}

    id = fields.IntField(primary_key=True)
    group_id = fields.CharField(255)
    phrase = fields.TextField()
    case_id = fields.IntField()
    by = fields.TextField()
    at = fields.DatetimeField()

    class Meta:
        table = "moderation_allow_entries"
        unique_together = (("group_id", "case_id"),)


async def load_entries() -> list[Allowance]:
    """All sentences there are."""
    return [
        Allowance(
            group_id=GroupId(row.group_id), phrase=row.phrase, case_id=row.case_id, by=row.by, at=row.at
        )
        for row in await AllowEntry.all().order_by("id")
    ]


async def keep_entry(entry: Allowance) -> None:
    """Keeps a sentence; the same case twice is the same row."""
    if await AllowEntry.filter(group_id=entry.group_id, case_id=entry.case_id).exists():
        return
    await AllowEntry.create(
        group_id=entry.group_id, phrase=entry.phrase, case_id=entry.case_id, by=entry.by, at=entry.at
    )
