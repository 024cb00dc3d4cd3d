"""Column types that Tortoise does not bring along."""

from __future__ import annotations

from typing import Any

from tortoise.fields import TextField


class JsonText(TextField):
    """JSON kept as the text it was written as; `groupops.wire` reads and writes it.

    PostgreSQL's JSON and not JSONB: a NUL character in a message is valid JSON and must not stop a booking.
    """

    class _db_postgres:  # noqa: N801 - the name Tortoise looks for
        SQL_TYPE = "JSON"

    def to_python_value(self, value: Any) -> Any:
        """Give the text as it stands in the database."""
        return value
