"""The record in tables, on SQLite and PostgreSQL alike."""

from groupops.store.sql.records import SqlRecords, open_records

__all__ = ["SqlRecords", "open_records"]
