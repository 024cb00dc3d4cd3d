"""One table."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Line(Model):
    """A line in a note."""

    retention = {"by": "ledger", "since": "at"}  # noqa: RUF012 - as a plugin's author writes it

    id = fields.IntField(primary_key=True)
    text = fields.TextField()
    at = fields.DatetimeField()

    class Meta:
        table = "notes_lines"
