"""Opening a database and bringing its schema up: one Tortoise app for the core, one for every plugin with tables."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Tortoise's clients say `Unknown` where they pass on what a driver without types gives.

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final

from tortoise.backends.base.config_generator import expand_db_url
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.recorder import MigrationRecorder
from tortoise.migrations.writer import MigrationWriter
from tortoise.models import Model
from tortoise.transactions import in_transaction

from groupops.errors import StoreBehind, StoreError
from groupops.store.database import is_postgres, refusal, refusals
from groupops.store.retention import Kept

CORE: Final = "core"
CORE_MODELS: Final = "groupops.store.models"

OPEN_WITHIN_S = 5.0
"""A database that cannot be opened is an error within 5 s (`architecture.md` §8)."""
ANSWER_WITHIN_S = 4
"""How long a server, or the lock of a SQLite file, may keep one waiting; less than `OPEN_WITHIN_S`."""
STATEMENT_WITHIN_S = 30.0
"""A statement of PostgreSQL that takes longer is given up."""
ONE_MIGRATES = 7_410_615
"""The number of PostgreSQL's advisory lock under which only one process at a time migrates."""

IN_PLACE: Final = "groupops.store.inplace_client"
"""The engine of a database in memory that nobody waits for."""

_ENGINES: Mapping[str, str] = {
    "sqlite": "groupops.store.sqlite_client",
    "postgres": "tortoise.backends.asyncpg",
    "postgresql": "tortoise.backends.asyncpg",
}
_SQLITE: Mapping[str, Any] = {
    "busy_timeout": ANSWER_WITHIN_S * 1000,  # first, so that the others already wait
    "journal_mode": "WAL",
    "synchronous": "NORMAL",
    "foreign_keys": "ON",
    # In pages of 4 KiB. A booking writes about ten of them: at SQLite's own 1,000 every hundredth booking
    # would wait for the disk, and that is the p99.
    "wal_autocheckpoint": 8_000,
    "journal_size_limit": 64 * 1024 * 1024,
}


def tortoise_config(database_url: str, apps: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Compose Tortoise's configuration.

    Args:
        database_url: `sqlite://<path>` or `postgresql://user:password@host/database`.
        apps: plugin → dotted name of its models module, with a `migrations` package beside it.

    Returns:
        One connection, named after the kind of database (Tortoise keeps statements by that name),
        and one app for the core and each plugin.

    Raises:
        StoreError: the address is none of these two.
    """
    scheme = database_url.partition("://")[0]
    if scheme not in _ENGINES:
        raise StoreError(
            f"GROUPOPS_DATABASE_URL is {shown(database_url)!r}: expected sqlite://<path> "
            "or postgresql://user:password@host/database"
        )
    label = "sqlite" if scheme == "sqlite" else "postgres"
    return {
        "connections": {label: {"engine": _ENGINES[scheme], "credentials": _credentials(database_url)}},
        "apps": {
            app: {"models": [models], "migrations": _beside(models), "default_connection": label}
            for app, models in {CORE: CORE_MODELS, **(apps or {})}.items()
        },
        "use_tz": True,
        "timezone": "UTC",
    }


def _credentials(database_url: str) -> dict[str, Any]:
    try:
        given: dict[str, Any] = expand_db_url(database_url)["credentials"]
    except refusal() as error:
        raise StoreError(f"GROUPOPS_DATABASE_URL is {shown(database_url)!r}: {error}") from error
    if database_url.startswith("sqlite:"):
        return {**_SQLITE, "file_path": given["file_path"]}
    pool = {"maxsize": 10, "timeout": ANSWER_WITHIN_S, "command_timeout": STATEMENT_WITHIN_S}
    return {**pool, "reset": _leave_as_it_is, **given}


async def _leave_as_it_is(_: object) -> None:
    """A connection goes back to the pool without the round trip that would reset its session.

    Nobody changes a session here, and asyncpg rolls an open transaction back in any case.
    """


def _beside(models: str) -> str:
    """The `migrations` package beside a models module."""
    return models.rpartition(".")[0] + ".migrations"


def shown(database_url: str) -> str:
    """Give an address as it may be shown: without the password."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", database_url)


async def open_passing(apps: Mapping[str, str]) -> TortoiseContext:
    """Open an empty database in memory; close it with `close_connections`."""
    config = tortoise_config("sqlite://:memory:", apps)
    config["connections"]["sqlite"]["engine"] = IN_PLACE
    context = TortoiseContext()
    with context:
        await context.init(config=config)
    return context


async def open_context(database_url: str, apps: Mapping[str, str] | None = None) -> TortoiseContext:
    """Open a database and make sure that it answers; close it with `close_connections`.

    Raises:
        StoreError: it cannot be opened, or does not answer within 5 s.
    """
    config = tortoise_config(database_url, apps)
    context = TortoiseContext()
    try:
        with context:
            await context.init(config=config)
        async with asyncio.timeout(OPEN_WITHIN_S):
            await asyncio.to_thread(_try_file, database_url)
            await context.db().execute_query("SELECT 1")
    except refusal(ImportError) as error:
        await context.close_connections()
        raise StoreError(_cannot_open(database_url, error)) from error
    return context


def _try_file(database_url: str) -> None:
    """Open a SQLite file once and close it: aiosqlite leaves a thread behind when a file cannot be opened."""
    if database_url.startswith("sqlite:"):
        with closing(sqlite3.connect(_credentials(database_url)["file_path"], ANSWER_WITHIN_S)) as file:
            file.execute("PRAGMA schema_version")


def _cannot_open(database_url: str, error: BaseException) -> str:
    reason = str(error) or f"no answer within {OPEN_WITHIN_S:g} s"
    where = shown(database_url)
    if not database_url.startswith("sqlite:"):
        return f"{where} cannot be opened: {reason}. Is the server up, and are name and password right?"
    folder = Path(str(_credentials(database_url)["file_path"])).parent
    hint = (
        "is it a SQLite file, and may it be written?"
        if folder.is_dir()
        else f"make the folder {folder} first."
    )
    return f"{where} cannot be opened: {reason}; {hint}"


@asynccontextmanager
async def _opened(database_url: str, apps: Mapping[str, str] | None) -> AsyncGenerator[TortoiseContext, None]:
    context = await open_context(database_url, apps)
    try:
        yield context
    finally:
        await context.close_connections()


async def behind(database_url: str, apps: Mapping[str, str] | None = None) -> list[str]:
    """Give the migrations (`app.name`) a database still lacks, in the order they would be applied.

    Raises:
        StoreError: it cannot be opened, or an app has no migrations.
    """
    async with _opened(database_url, apps) as context:
        return await lacking(context, database_url, apps)


async def migrate(database_url: str, apps: Mapping[str, str] | None = None) -> list[str]:
    """Bring a database up to the code: all missing migrations in one transaction.

    Returns:
        What was applied, as `app.name`.

    Raises:
        StoreError: it cannot be opened, or a migration fails; then the schema is as it was.
    """
    async with _opened(database_url, apps) as context:
        return await bring_up(context, database_url, apps)


async def lacking(context: TortoiseContext, database_url: str, apps: Mapping[str, str] | None) -> list[str]:
    """As `behind`, on a database that is open."""
    with context, refusals():
        executor = MigrationExecutor(context.db(), _apps(database_url, apps))
        return await _plan(executor)


async def bring_up(context: TortoiseContext, database_url: str, apps: Mapping[str, str] | None) -> list[str]:
    """As `migrate`, on a database that is open."""
    config = _apps(database_url, apps)
    with context, refusals():
        if not is_postgres(context.db()):
            # Outside the transaction: on SQLite this one statement commits whatever is open.
            await _list_applied(MigrationExecutor(context.db(), config))
        async with in_transaction(context.default_connection) as db:
            executor = MigrationExecutor(get_connection(str(context.default_connection)), config)
            if is_postgres(db):
                await db.execute_query(f"SELECT pg_advisory_xact_lock({ONE_MIGRATES})")
                await _list_applied(executor)
            executor.recorder = executor.loader.recorder = _ReadyRecorder(db)
            missing = await _plan(executor)
            await executor.migrate()
    return missing


async def _list_applied(executor: MigrationExecutor) -> None:
    """Make the table of applied migrations, where there is none."""
    editor = executor._schema_editor(atomic=False)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - Tortoise has no other door to it
    await executor.recorder.ensure_schema(editor)


class _ReadyRecorder(MigrationRecorder):
    """Tortoise's list of applied migrations, whose table is there already."""

    async def ensure_schema(self, schema_editor: object) -> None:
        """Nothing left to do."""


async def _plan(executor: MigrationExecutor) -> list[str]:
    try:
        steps = await executor.plan()
    except ModuleNotFoundError as error:
        raise StoreError(
            f"there is no package {error.name}: an app with tables has migrations beside its models"
        ) from error
    return [f"{step.migration.app_label}.{step.migration.name}" for step in steps if not step.backward]


def _apps(database_url: str, apps: Mapping[str, str] | None) -> dict[str, dict[str, Any]]:
    config: dict[str, dict[str, Any]] = tortoise_config(database_url, apps)["apps"]
    return config


def lags(database_url: str, missing: list[str]) -> StoreBehind:
    """Give the error for a database that lacks migrations."""
    return StoreBehind(
        f"the schema of {shown(database_url)} is older than this version: it lacks {', '.join(missing)}. "
        "Make a backup, then run `groupops migrate`"
    )


async def drift(apps: Mapping[str, str] | None = None) -> list[str]:
    """Give the migrations (`app.name`) that models need and nobody wrote yet; empty when all is written.

    Needs no database. `write_migrations` writes them.
    """
    return [f"{writer.app_label}.{writer.name}" for writer in await _unwritten(apps)]


async def write_migrations(apps: Mapping[str, str] | None = None) -> list[Path]:
    """Write the migrations that models need beside the models; returns the files."""
    return [Path(writer.write()) for writer in await _unwritten(apps)]


async def _unwritten(apps: Mapping[str, str] | None) -> list[MigrationWriter]:
    config = tortoise_config("sqlite://:memory:", apps)
    context = TortoiseContext()
    with context, refusals():
        await context.init(config=config)
        if context.apps is None:  # pragma: no cover - init has set it
            return []
        _require_whole_comments(context)
        return await MigrationAutodetector(context.apps, config["apps"]).changes()


def _require_whole_comments(context: TortoiseContext) -> None:
    """Tortoise makes a docstring's first line the table's comment, and on SQLite splits statements at `;`."""
    for model in kept_models(context):
        if ";" in str(model.describe()["description"]):
            raise StoreError(f"table {model.__name__}: the first line of its docstring may hold no `;`")


def kept_models(context: TortoiseContext) -> dict[type[Model], Kept]:
    """Give every table with its term.

    Raises:
        StoreError: a table says nothing of how long it is kept.
    """
    if context.apps is None:
        return {}
    return {model: _kept(app, model) for app, found in context.apps.items() for model in found.values()}


def _kept(app: str, model: type[Model]) -> Kept:
    """What a table declares as `retention`; a plugin may write it as a plain dict."""
    declared = getattr(model, "retention", None)
    if isinstance(declared, Kept):
        return declared
    try:
        return Kept(**declared)  # type: ignore[arg-type]  # a wrong word is what the except is for
    except TypeError:
        raise StoreError(
            f"table {model.__name__} of {app} does not say how long it is kept: give the model "
            "`retention = {'by': 'event', 'since': 'closed_at'}` or `retention = {'why': '…'}`"
        ) from None
