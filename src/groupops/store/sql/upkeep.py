"""Due rows, audit, retention, and whether the database answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from tortoise.context import TortoiseContext
from tortoise.models import Model

from groupops.people import GroupId
from groupops.records import Audit, Due
from groupops.store import models, retention, rows
from groupops.store.database import Steps, ask, at_once, marks, moment, plain, updating
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
SPEND = 'UPDATE "core_due" SET "spent_at" = ? WHERE "job" = ? AND "due_at" = ?'
OF_NOBODY = '("group_id" IS NULL OR "group_id" NOT IN (SELECT "id" FROM "core_groups" WHERE "bound"))'
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
        await at_once(self._client, _spending(rows, now), single=len(rows) == 1)

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
        return await at_once(self._client, _purging(self._kept, now, terms, group_id))

    @step
    async def ping(self) -> None:
        """Raise StoreError when the database does not answer."""
        await ask(self._client, 'SELECT 1 AS "one"')


def _purging(
    kept: Mapping[type[Model], retention.Kept],
    now: datetime,
    terms: Mapping[str, int],
    group_id: GroupId | None,
) -> Steps[dict[str, int]]:
    """Forget what is old: on most nights most tables hold nothing of it, and one look at all of them says which do."""
    forgotten = dict.fromkeys(terms, 0)
    if "excerpt" in terms:
        forgotten["excerpt"] = yield from _taking_out_texts(retention.cutoff(now, terms["excerpt"]), group_id)
    rules = [*_rules(kept, now, terms, group_id)]
    holding = yield from _holding(rules)
    for rule in rules:
        if rule.table in holding:
            gone = yield f'DELETE FROM "{rule.table}" WHERE {rule.where} RETURNING 1 AS "one"', rule.values  # noqa: S608 - our own names
            forgotten[rule.term] += len(gone)
    if "snapshot" in terms:
        forgotten["snapshot"] += len((yield STRAY_MEMBERS, ()))
    return forgotten


def _rules(
    kept: Mapping[type[Model], retention.Kept],
    now: datetime,
    terms: Mapping[str, int],
    group_id: GroupId | None,
) -> Iterator[_Old]:
    """Say of every table that has a term, and is looked at for the group, which of its rows are old."""
    for model, one in kept.items():
        if one.by is not None and one.by in terms and one.since and (group_id is None or _names_group(model)):
            described: Any = model
            where, values = _condition(model, one, now, terms[one.by], group_id)
            yield _Old(described._meta.db_table, one.by, where, values)  # noqa: SLF001 - the name Tortoise gives its description of a table


@dataclass(frozen=True, slots=True)
class _Old:
    """The rows of a table that their term lets go, as SQL, and the class of the term."""

    table: str
    term: str
    where: str
    values: list[Any]


def _holding(rules: Sequence[_Old]) -> Steps[set[str]]:
    """Give the tables that hold anything to be forgotten, found by one statement."""
    if not rules:
        return set()
    looks = (
        f'SELECT \'{rule.table}\' AS "name" WHERE EXISTS (SELECT 1 FROM "{rule.table}" WHERE {rule.where})'  # noqa: S608 - our own names
        for rule in rules
    )
    found = yield " UNION ALL ".join(looks), [value for rule in rules for value in rule.values]
    return {row["name"] for row in found}


def _condition(
    model: type[Model], kept: retention.Kept, now: datetime, days: int, group_id: GroupId | None
) -> tuple[str, list[Any]]:
    """Give the condition, as SQL with its values, for the rows of a table that are older than their term."""
    parts, values = [f'"{kept.since}" < ?'], [retention.cutoff(now, days)]
    for name, words in kept.only.items():
        part, among = _among(name, words)
        parts.append(part)
        values += among
    if model is models.Case:
        parts.append('("expires_at" IS NULL OR "expires_at" <= ?)')
        values.append(now)
    if _names_group(model):
        part, whose = _whose(group_id)
        parts.append(part)
        values += whose
    return " AND ".join(parts), values


def _among(name: str, words: Collection[Any]) -> tuple[str, list[Any]]:
    """Write `<column>__in` or `<column>__not_in` as SQL, with the values in a fixed order."""
    column, _, how = name.partition("__")
    values = _words(words)
    return f'"{column}" {_AMONG[how]} ({marks(values)})', values


_AMONG = MappingProxyType({"in": "IN", "not_in": "NOT IN"})


def _names_group(model: type[Model]) -> bool:
    described: Any = model
    return "group_id" in described._meta.fields_map  # noqa: SLF001 - the door Tortoise offers to its models


def _whose(group_id: GroupId | None) -> tuple[str, list[Any]]:
    """Give the condition for the rows of a group, or of no group and of those nobody looks after any more."""
    return (OF_NOBODY, []) if group_id is None else ('"group_id" = ?', [group_id])


def _taking_out_texts(before: datetime, group_id: GroupId | None) -> Steps[int]:
    """Empty excerpts and quotes of decided cases; where they stood and why it was booked stay."""
    whose, values = _whose(group_id)
    open_cases = _words(retention.OPEN_CASES)
    where = f'"holds_text" AND "opened_at" < ? AND "status" NOT IN ({marks(open_cases)}) AND {whose}'
    found = yield f'SELECT * FROM "core_cases" WHERE {where} ORDER BY "id"', [before, *open_cases, *values]  # noqa: S608 - our own names
    for row in found:
        columns = rows.case_columns(retention.without_text(rows.case(row)))
        changed = {name: columns[name] for name in ("excerpt", "evidence", "holds_text", "version")}
        yield from updating(models.Case, changed, {"id": row["id"]}, '"id"')
    return len(found)


def _words(value: Collection[Any]) -> list[Any]:
    """Enums as the database has them, in a fixed order."""
    return sorted(plain(word) for word in value)


def _spending(due: Sequence[Due], now: datetime) -> Steps[None]:
    """Write that claimed rows were handed over."""
    for row in due:
        yield SPEND, (now, row.job, row.due_at)
