"""Schemas come up from where they stand, a database that cannot be used says so, and nothing is forgotten to be written."""

from __future__ import annotations

import asyncio
import contextvars
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from groupops.errors import StoreBehind, StoreError
from groupops.people import AccountId
from groupops.plugin import Manifest
from groupops.store import schema
from groupops.store.database import ask
from groupops.store.retention import Kept
from groupops.store.sql import open_records
from tests.support.notes_now.models import Line
from tests.support.postgres_server import PostgresServer

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
THEN = {"notes": "tests.support.notes_then.models"}
NOW = {"notes": "tests.support.notes_now.models"}
CORE = "core.0001_initial"
CORE_2 = "core.0002_person_details"
CORE_3 = "core.0003_keepsakes"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database"))


# — coming up —


async def test_an_empty_database_lacks_everything_and_then_nothing(url: str) -> None:
    assert await schema.behind(url, NOW) == [CORE, CORE_2, CORE_3, "notes.0001_initial", "notes.0002_amounts"]

    assert await schema.migrate(url, NOW) == [
        CORE,
        CORE_2,
        CORE_3,
        "notes.0001_initial",
        "notes.0002_amounts",
    ]

    assert await schema.behind(url, NOW) == []
    assert await schema.migrate(url, NOW) == []


async def test_a_seeded_older_schema_comes_up_with_its_rows(url: str) -> None:
    await schema.migrate(url, THEN)
    async with open_records(url, apps=THEN, migrate=False) as records:
        li = await records.person_for(AccountId("qq:1"))
        db = records.context.db()
        for number in range(3):
            await ask(db, 'INSERT INTO "notes_lines" ("text", "at") VALUES (?, ?)', f"line {number}", NOON)

    assert await schema.migrate(url, NOW) == ["notes.0002_amounts"]

    async with open_records(url, apps=NOW, migrate=False) as records:
        db = records.context.db()
        rows = await ask(db, 'SELECT "text", "amount_fen" FROM "notes_lines" ORDER BY "id"')
        assert [(row["text"], row["amount_fen"]) for row in rows] == [
            ("line 0", 0),
            ("line 1", 0),
            ("line 2", 0),
        ]
        assert await records.person_of(AccountId("qq:1")) == li
        assert ("at", "amount_fen") in await indexes(db, "notes_lines")


async def test_every_index_of_the_models_exists(url: str) -> None:
    await schema.migrate(url)

    async with open_records(url, migrate=False) as records:
        db = records.context.db()
        for model in schema.kept_models(records.context):
            told = model.describe(serializable=False)
            wanted = {tuple(index.fields) for index in told["indexes"]}
            wanted |= {tuple(names) for names in told["unique_together"]}
            wanted |= {(field["name"],) for field in told["data_fields"] if field["unique"]}
            assert wanted <= await indexes(db, told["table"]), told["table"]


async def test_two_who_migrate_at_once_do_it_once(url: str) -> None:
    done = await asyncio.gather(schema.migrate(url), schema.migrate(url))

    assert sorted(done) == [[], [CORE, CORE_2, CORE_3]]


async def test_a_migration_that_fails_leaves_the_schema_as_it_was(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_broken_app(tmp_path / "broken_app")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(StoreError, match="nowhere"):
        await schema.migrate(url, {"broken": "broken_app.models"})

    assert await schema.behind(url) == [CORE, CORE_2, CORE_3]
    assert await schema.migrate(url) == [CORE, CORE_2, CORE_3]


async def test_a_sqlite_database_is_brought_up_when_it_is_opened(sqlite_url: str) -> None:
    async with open_records(sqlite_url, apps=NOW) as records:
        await records.person_for(AccountId("qq:1"))

    async with open_records(sqlite_url, apps=NOW, migrate=False) as records:
        assert len(await records.persons()) == 1


async def test_a_postgres_database_is_brought_up_only_on_demand(postgres_database: str) -> None:
    with pytest.raises(StoreBehind, match=r"core\.0001_initial.*groupops migrate"):
        async with open_records(postgres_database):
            pass

    async with open_records(postgres_database, migrate=True) as records:
        await records.ping()


async def test_a_sqlite_database_that_is_not_to_be_brought_up_says_what_it_lacks(sqlite_url: str) -> None:
    with pytest.raises(StoreBehind, match=r"core\.0001_initial"):
        async with open_records(sqlite_url, migrate=False):
            pass


# — nothing is forgotten to be written —


async def test_the_core_has_no_unwritten_migration() -> None:
    assert await schema.drift() == []


async def test_no_plugin_has_an_unwritten_migration() -> None:
    assert await schema.drift(plugin_tables()) == []


async def test_a_model_that_was_changed_is_seen_as_unwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_app(tmp_path / "young_app", "'at'")
    monkeypatch.syspath_prepend(tmp_path)
    apps = {"young": "young_app.models"}

    assert await schema.drift(apps) == ["young.0001_initial"]
    (written,) = await schema.write_migrations(apps)

    assert written == tmp_path / "young_app" / "migrations" / "0001_initial.py"
    assert await schema.drift(apps) == []


async def test_a_comment_that_would_break_a_migration_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_app(tmp_path / "talking_app", "'at'", docstring="One line; with more to say.")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(StoreError, match="may hold no `;`"):
        await schema.write_migrations({"talking": "talking_app.models"})


async def test_no_table_of_the_core_asks_for_an_index_that_migrations_lose(sqlite_url: str) -> None:
    async with open_records(sqlite_url) as records:
        for model in schema.kept_models(records.context):
            for field in model.describe(serializable=False)["data_fields"]:
                assert field["unique"] or not field["indexed"], f"{model.__name__}.{field['name']}"


# — retention —


async def test_every_table_of_the_core_says_how_long_it_is_kept(sqlite_url: str) -> None:
    async with open_records(sqlite_url) as records:
        kept = schema.kept_models(records.context)

    assert len(kept) == 14
    assert all(each.by or each.why for each in kept.values())
    terms = {model.__name__: each.term_key for model, each in kept.items() if each.by}
    assert terms == {
        "Audit": "audit_days",
        "Case": "strike_days",
        "Due": "event_days",
        "Keepsake": "event_days",
        "Member": "snapshot_days",
        "Obligation": "event_days",
        "Outbox": "event_days",
        "Ticket": "event_days",
    }


async def test_a_plugins_rows_are_forgotten_after_the_term_they_declare(url: str) -> None:
    async with open_records(url, apps=NOW, migrate=True) as records:
        db = records.context.db()
        for days in (1, 40):
            moment = NOON - timedelta(days=days)
            await ask(db, 'INSERT INTO "notes_lines" ("text", "at") VALUES (?, ?)', f"{days}", moment)

        assert await records.purge(NOON, {"ledger": 30}, group_id=None) == {"ledger": 1}

        assert [row["text"] for row in await ask(db, 'SELECT "text" FROM "notes_lines"')] == ["1"]


async def test_a_table_that_does_not_say_how_long_it_is_kept_is_refused(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_app(tmp_path / "silent_app", None)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "silent_app" / "migrations" / "0001_initial.py").write_text(
        "from tortoise import migrations\nclass Migration(migrations.Migration):\n    operations = []\n"
    )

    with pytest.raises(StoreError, match="Line of silent does not say how long it is kept"):
        async with open_records(sqlite_url, apps={"silent": "silent_app.models"}):
            pass


def test_a_term_names_its_key() -> None:
    assert Kept(by="event", since="at").term_key == "event_days"
    assert Kept(why="stays").term_key == ""


# — from anywhere —


async def test_a_record_answers_in_a_task_that_knows_nothing(url: str) -> None:
    async with open_records(url, migrate=True) as records:
        stranger = asyncio.create_task(records.person_for(AccountId("qq:1")), context=contextvars.Context())
        assert (await stranger).provisional


async def test_a_shared_database_is_found_by_the_models_of_plugins_from_every_task(url: str) -> None:
    async def write() -> Line:
        return await Line.create(text="a line", at=NOON)

    async with open_records(url, apps=NOW, migrate=True, shared=True):
        line = await asyncio.create_task(write(), context=contextvars.Context())

    assert (line.id, line.amount_fen) == (1, 0)


async def test_a_sqlite_file_is_kept_as_the_design_says(sqlite_url: str) -> None:
    async with open_records(sqlite_url) as records:
        db = records.context.db()
        found = {
            name: next(iter((await ask(db, f"PRAGMA {name}"))[0].values()))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert found == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 4000}


async def test_a_connection_that_breaks_is_replaced(postgres_database: str) -> None:
    async with (
        open_records(postgres_database, migrate=True) as records,
        open_records(postgres_database) as other,
    ):
        await ask(
            other.context.db(),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        try:
            await records.ping()
        except StoreError:
            await records.ping()


# — what cannot be opened —


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("mysql://u:p@h/db", "expected sqlite://"),
        ("groupops.sqlite3", "expected sqlite://"),
        ("sqlite://", "No path"),
        ("postgresql://u:secret@h:eighty/db", r"u:\*\*\*@h"),
    ],
)
async def test_an_address_that_is_none_says_what_is_expected(address: str, told: str) -> None:
    with pytest.raises(StoreError, match=told) as raised:
        await schema.behind(address)

    assert "secret" not in str(raised.value)


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"make the folder {tmp_path / 'none'} first"):
        await schema.migrate(f"sqlite://{tmp_path / 'none' / 'a.sqlite3'}")


@pytest.mark.parametrize("what", ["a folder", "a letter"])
async def test_what_is_no_sqlite_file_is_no_database(tmp_path: Path, what: str) -> None:
    path = tmp_path / "thing"
    path.mkdir() if what == "a folder" else path.write_text("Dear reader, " * 99)

    with pytest.raises(StoreError, match="cannot be opened"):
        async with open_records(f"sqlite://{path}"):
            pass


async def test_a_server_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Is the server up"):
        await schema.behind(f"postgresql://postgres@/db?host={tmp_path}")


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port where somebody listens and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


async def test_a_server_that_says_nothing_is_an_error_within_five_seconds(silent_server: int) -> None:
    started = time.monotonic()

    with pytest.raises(StoreError, match="cannot be opened"):
        await schema.behind(f"postgresql://postgres@127.0.0.1:{silent_server}/db?ssl=disable")

    assert time.monotonic() - started < 5.5


async def test_a_database_that_is_not_there_is_an_error(postgres_server: PostgresServer) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        await schema.behind(postgres_server.url("nowhere"))


@pytest.fixture
def guest(postgres_server: PostgresServer, postgres_database: str) -> Iterator[str]:
    """The address of a database whose guest gave a wrong password."""
    rules = postgres_server._data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all guest scram-sha-256\n" + before)
    asyncio.run(
        told(postgres_database, "CREATE ROLE guest LOGIN PASSWORD 'right'", "SELECT pg_reload_conf()")
    )
    yield postgres_database.replace("postgres@", "guest:wrong-one@")
    rules.write_text(before)
    asyncio.run(told(postgres_database, "DROP ROLE guest", "SELECT pg_reload_conf()"))


async def told(url: str, *statements: str) -> None:
    context = await schema.open_context(url)
    for statement in statements:
        await context.db().execute_script(statement)
    await context.close_connections()


async def test_a_wrong_password_is_an_error_and_is_not_shown(guest: str) -> None:
    with pytest.raises(StoreError, match="password") as raised:
        await schema.behind(guest)

    assert "wrong-one" not in str(raised.value)


async def test_an_app_without_migrations_is_named(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_app(tmp_path / "bare_app", "'at'")
    (tmp_path / "bare_app" / "migrations" / "__init__.py").unlink()
    (tmp_path / "bare_app" / "migrations").rmdir()
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(StoreError, match=r"no package bare_app\.migrations"):
        await schema.behind(sqlite_url, {"bare": "bare_app.models"})


async def test_an_app_that_is_not_installed_is_named(sqlite_url: str) -> None:
    with pytest.raises(StoreError, match=r"nobody\.models"):
        await schema.behind(sqlite_url, {"nobody": "nobody.models"})


# — what the tests look with —


async def indexes(db: BaseDBAsyncClient, table: str) -> set[tuple[str, ...]]:
    """The columns of every index a table really has."""
    if db.capabilities.dialect == "postgres":
        rows = await ask(
            db,
            "SELECT array_agg(a.attname ORDER BY k.place) AS columns FROM pg_index i "
            "CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place) "
            "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
            "WHERE i.indrelid = ?::text::regclass GROUP BY i.indexrelid",
            table,
        )
        return {tuple(row["columns"]) for row in rows}
    found: set[tuple[str, ...]] = set()
    for index in await ask(db, f'PRAGMA index_list("{table}")'):
        columns = await ask(db, f'PRAGMA index_info("{index["name"]}")')
        found.add(tuple(column["name"] for column in columns))
    return found


def plugin_tables() -> dict[str, str]:
    """The models of every plugin that is installed and has some."""
    apps: dict[str, str] = {}
    for entry in metadata.entry_points(group="groupops"):
        if find_spec(entry.module) is None:
            continue
        manifest: Any = getattr(entry.load(), "manifest", None)
        if isinstance(manifest, Manifest) and manifest.models:
            apps[entry.name] = manifest.models
    return apps


def write_app(folder: Path, since: str | None, docstring: str = "A line.") -> None:
    (folder / "migrations").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "migrations" / "__init__.py").touch()
    kept = f"retention = {{'by': 'event', 'since': {since}}}" if since else "pass"
    (folder / "models.py").write_text(
        "from tortoise import fields\nfrom tortoise.models import Model\n\n\n"
        f'class Line(Model):\n    """{docstring}"""\n\n    {kept}\n    at = fields.DatetimeField()\n'
    )


def write_broken_app(folder: Path) -> None:
    write_app(folder, "'at'")
    (folder / "migrations" / "0001_initial.py").write_text(
        "from tortoise import migrations\nfrom tortoise.migrations import operations as ops\n\n\n"
        "class Migration(migrations.Migration):\n"
        "    operations = [ops.RunSQL('CREATE TABLE half_done (id INT)'), "
        "ops.RunSQL('INSERT INTO nowhere VALUES (1)')]\n"
    )
