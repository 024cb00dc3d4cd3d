"""The whole record in tables, and how it is opened."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from tortoise.context import set_global_context

from groupops.store import schema
from groupops.store.sql.cases import CaseTables
from groupops.store.sql.groups import GroupTables
from groupops.store.sql.keepsakes import KeepsakeTables
from groupops.store.sql.obligations import ObligationTables
from groupops.store.sql.people import PeopleTables
from groupops.store.sql.upkeep import UpkeepTables


class SqlRecords(PeopleTables, GroupTables, CaseTables, ObligationTables, KeepsakeTables, UpkeepTables):
    """The record on SQLite or PostgreSQL. Any task may use it; get one from `open_records`."""


@asynccontextmanager
async def open_records(
    database_url: str,
    *,
    apps: Mapping[str, str] | None = None,
    migrate: bool | None = None,
    shared: bool = False,
) -> AsyncGenerator[SqlRecords, None]:
    """Open the record and close it at the end of the block.

    Args:
        database_url: `sqlite://<path>` or `postgresql://user:password@host/database`.
        apps: plugin → dotted name of its models module.
        migrate: True brings the schema up, False never does; None does so on SQLite only.
        shared: True lets the models of plugins find this database from every task; once per process.

    Raises:
        StoreBehind: the schema is older than the code, and is not to be brought up.
        StoreError: the database cannot be opened within 5 s, or a table declares no term.
    """
    context = await schema.open_context(database_url, apps)
    try:
        missing = await schema.lacking(context, database_url, apps)
        if missing and migrate is not True and (migrate is False or not database_url.startswith("sqlite:")):
            raise schema.lags(database_url, missing)
        if missing:
            await schema.bring_up(context, database_url, apps)
        if shared:
            set_global_context(context)
        yield SqlRecords(context, schema.kept_models(context))
    finally:
        await context.close_connections()
