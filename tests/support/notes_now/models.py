"""One table, with a column and an index more than before."""

from __future__ import annotations

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Line(Model):
    """A line in a note."""

    retention = {"by": "ledger", "since": "at"}  # noqa: RUF012 - as a plugin's author writes it

    id = fields.IntField(primary_key=True)
    text = fields.TextField()
    at = fields.DatetimeField()
    amount_fen = fields.IntField(default=0, db_default=0)

    class Meta:
        table = "notes_lines"
        indexes = (Index(fields=("at", "amount_fen")),)
