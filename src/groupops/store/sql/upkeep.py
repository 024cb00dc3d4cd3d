"""Due rows, audit, retention, and whether the database answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext
from tortoise.expressions import Q, Subquery
from tortoise.models import Model

from groupops.people import GroupId
from groupops.records import Audit, Due
from groupops.store import models, retention, rows
from groupops.store.database import ask, at_once, moment, plain, transaction
from groupops.store.sql.base import Tables, fitting, noting, putting_due, step

CLAIM = (
    'UPDATE "core_due" SET "claimed_at" = ? WHERE "id" IN ('
    'SELECT "id" FROM "core_due" WHERE "claimed_at" IS NULL AND "due_at" <= ? ORDER BY "due_at", "job" LIMIT ? :skip'
    ') RETURNING "job", "due_at", "group_id", "plugin", "payload"'
)
RECLAIM = (
    'UPDATE "core_due" SET "claimed_at" = NULL WHERE "spent_at" IS NULL AND "claimed_at" < ? RETURNING "id"'
)
NEXT = 'SELECT MIN("due_at") AS "due_at" FROM "core_due" WHERE "claimed_at" IS NULL'
STRAY_MEMBERS = (
    'DELETE FROM "core_members" WHERE "group_id" NOT IN '
    '(SELECT "id" FROM "core_groups" WHERE "bound") RETURNING "id"'
)


class UpkeepTables(Tables):
    """The part of the record that looks after time and after itself.

    Args:
        context: the database, as Tortoise opened it.
        kept: the tables of all apps, each with its term.
    """

    def __init__(self, context: TortoiseContext, kept: Mapping[type[Model], retention.Kept]) -> None:
        super().__init__(context)
        self._kept = dict(kept)

    # — time —
    @step
    async def put_due(self, rows: Sequence[Due]) -> None:
        """Store due rows; a `(job, due_at)` that is there already, fired or not, is left as it is."""
        await at_once(self._client, putting_due(rows))

    @step
    async def drop_due(self, job: str) -> int:
        """Forget the rows of a job that have not fired; returns how many."""
        waiting = models.Due.filter(job=plain(job), claimed_at=None)
        return await waiting.using_db(self._client).delete()

    @step
    async def claim_due(self, now: datetime, limit: int = 100) -> tuple[Due, ...]:
        """Claim rows that are due: each is given to one caller once, whoever asks, in order of `due_at`."""
        claimed = await ask(self._client, CLAIM, now, now, limit)
        found = (
            Due(
                job=row["job"],
                due_at=moment(row["due_at"]),
                group_id=row["group_id"],
                plugin=row["plugin"],
                payload=row["payload"],
            )
            for row in claimed
        )
        return tuple(sorted(found, key=lambda due: (due.due_at, due.job)))

    @step
    async def spent(self, rows: Sequence[Due], now: datetime) -> None:
        """Write that claimed rows were handed over."""
        for row in rows:
            await (
                models.Due.filter(job=row.job, due_at=row.due_at).using_db(self._client).update(spent_at=now)
            )

    @step
    async def reclaim(self, claimed_before: datetime) -> int:
        """Put back rows that were claimed before a moment and never handed over."""
        return len(await ask(self._client, RECLAIM, claimed_before))

    @step
    async def next_due(self) -> datetime | None:
        """Give the earliest moment of an unclaimed row."""
        earliest = (await ask(self._client, NEXT))[0]["due_at"]
        return None if earliest is None else moment(earliest)

    # — audit —
    @step
    async def note(self, *entries: Audit) -> None:
        """Write lines of audit."""
        await at_once(self._client, noting(*entries), single=True)

    @step
    async def audit(
        self,
        *,
        group_id: GroupId | None = None,
        subject: str | None = None,
        what: str | None = None,
        limit: int = 1000,
    ) -> tuple[Audit, ...]:
        """Give lines of audit that fit, oldest first."""
        query = fitting(models.Audit.all(), group_id=group_id, subject=subject, what=what)
        return tuple(map(rows.audit, await query.using_db(self._client).order_by("id").limit(limit)))

    @step
    async def noted_last(self, subject: str) -> datetime | None:
        """Give the moment of the last line of audit about a subject, or None."""
        found = await ask(
            self._client, 'SELECT MAX("at") AS "at" FROM "core_audit" WHERE "subject" = ?', subject
        )
        return moment(found[0]["at"]) if found[0]["at"] is not None else None

    # — retention —
    @step
    async def purge(
        self, now: datetime, terms: Mapping[str, int], *, group_id: GroupId | None
    ) -> Mapping[str, int]:
        """Forget what is older than its class's term, in days; returns class → rows forgotten or emptied."""
        forgotten: dict[str, int] = {}
        async with transaction(self._client) as db:
            whose = _whose(group_id)
            for name, days in terms.items():
                before = retention.cutoff(now, days)
                forgotten[name] = await self._forget(db, name, _Age(before, now, whose, group_id is None))
        return forgotten

    async def _forget(self, db: BaseDBAsyncClient, name: str, age: _Age) -> int:
        if name == "excerpt":
            return await _take_out_texts(db, age)
        count = 0
        for model, kept in self._kept.items():
            if kept.by == name and kept.since and age.looks_at(model):
                count += await _old(model, kept, age).using_db(db).delete()
        if name == "snapshot":
            count += len(await ask(db, STRAY_MEMBERS))
        return count

    @step
    async def ping(self) -> None:
        """Raise StoreError when the database does not answer."""
        await ask(self._client, 'SELECT 1 AS "one"')


@dataclass(frozen=True, slots=True)
class _Age:
    """What a purge lets go: rows from before a moment, of the groups asked for."""

    before: datetime
    now: datetime
    whose: Q
    ownerless: bool

    def looks_at(self, model: type[Model]) -> bool:
        """Say whether a table is looked at: one whose rows name no group only when no group is asked for."""
        return self.ownerless or _names_group(model)

    def of(self, model: type[Model], **filters: Any) -> Any:
        """Give the rows of a table that are asked for."""
        query = model.filter(**filters)
        return query.filter(self.whose) if _names_group(model) else query


def _names_group(model: type[Model]) -> bool:
    described: Any = model
    return "group_id" in described._meta.fields_map  # noqa: SLF001 - the door Tortoise offers to its models


def _whose(group_id: GroupId | None) -> Q:
    """Give the condition for the rows of a group, or of no group and of those nobody looks after any more."""
    if group_id is not None:
        return Q(group_id=group_id)
    kept = Subquery(models.Group.filter(bound=True).values("id"))
    return Q(group_id__isnull=True) | Q(group_id__not_in=kept)


def _old(model: type[Model], kept: retention.Kept, age: _Age) -> Any:
    """The rows of a table that its term lets go."""
    only = {name: _words(value) for name, value in kept.only.items()}
    query = age.of(model, **{f"{kept.since}__lt": plain(age.before)}, **only)
    if model is models.Case:
        return query.filter(Q(expires_at__isnull=True) | Q(expires_at__lte=plain(age.now)))
    return query


async def _take_out_texts(db: BaseDBAsyncClient, age: _Age) -> int:
    """Empty excerpts and quotes of decided cases; where they stood and why it was booked stay."""
    old = age.of(
        models.Case,
        holds_text=True,
        opened_at__lt=plain(age.before),
        status__not_in=_words(retention.OPEN_CASES),
    )
    found = await old.using_db(db).order_by("id").values()
    for row in found:
        columns = rows.case_columns(retention.without_text(rows.case(row)))
        changed = {name: columns[name] for name in ("excerpt", "evidence", "holds_text", "version")}
        await models.Case.filter(id=row["id"]).using_db(db).update(**changed)
    return len(found)


def _words(value: Collection[Any]) -> list[Any]:
    """Enums as the database has them, in a fixed order."""
    return sorted(plain(word) for word in value)
