"""Persons, their accounts, and merges that can be taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tortoise.backends.base.client import BaseDBAsyncClient

from groupops.errors import Conflict, StoreError
from groupops.people import AccountId, Person, PersonId, platform_of
from groupops.records import Merge
from groupops.store import models, rows
from groupops.store.database import (
    PARAMETERS,
    Row,
    Steps,
    ask,
    at_once,
    follow,
    insert,
    inserting,
    look,
    marks,
    plain,
    selecting,
    transaction,
    updating,
)
from groupops.store.sql.base import BOUND, Tables, person_for, standing, step


class PeopleTables(Tables):
    """The part of the record that says who there is."""

    @step
    async def person_of(self, account: AccountId) -> Person | None:
        """Give the person an account is bound to, or None."""
        return await look(self._client, _person_of(account))

    @step
    async def person_for(self, account: AccountId, *, name: str = "") -> Person:
        """Give the person an account is bound to, making a provisional one when there is none."""
        known = await look(self._client, _person_of(account))
        return known if known is not None else await at_once(self._client, _person_for(account, name))

    @step
    async def person(self, person_id: PersonId) -> Person | None:
        """Give a person by number; the number of one that was merged gives the person it became."""
        return await look(self._client, _standing_person(person_id))

    @step
    async def put_person(self, person: Person) -> Person:
        """Store a person; id 0 makes a new one. Returns it with its number."""
        if person.id == 0:
            return await self._new_person(self._client, person)
        columns = {name: plain(value) for name, value in rows.person_columns(person).items()}
        if not await models.Person.filter(id=person.id).using_db(self._client).update(**columns):
            raise StoreError(f"there is no person {person.id}")
        return person

    @step
    async def enrol(self, people: Sequence[tuple[Person, Sequence[AccountId]]]) -> tuple[Person, ...]:
        """Store many persons at once, id 0 makes a new one, and bind accounts that are bound to nobody."""
        return await at_once(self._client, _enrolling(people))

    @step
    async def persons(self) -> tuple[Person, ...]:
        """Give all persons, in order of number; those that were merged into another are left out."""
        return await look(self._client, _persons())

    @step
    async def accounts_of(self, person_id: PersonId) -> tuple[AccountId, ...]:
        """Give the accounts bound to a person, sorted."""
        return tuple(AccountId(account) for account in sorted(await self._accounts(self._client, person_id)))

    @step
    async def bindings(self, platform: str = "") -> Mapping[AccountId, Person]:
        """Give every bound account of a platform, or of all of them, with its person."""
        asked = models.Account.filter(platform=platform) if platform else models.Account.all()
        bound = await asked.using_db(self._client)
        persons = {person.id: person for person in await look(self._client, _persons())}
        numbers = ((AccountId(row.account), PersonId(row.person_id)) for row in bound)
        return {account: persons[number] for account, number in numbers if number in persons}

    @step
    async def bind(self, account: AccountId, person_id: PersonId) -> PersonId | None:
        """Bind an account to a person; returns the person it was bound to before, if another."""
        async with transaction(self._client) as db:
            person_id = await follow(db, standing(person_id))
            if await self._bind_first(db, account, person_id):
                return None
            found = await ask(
                db, 'SELECT "person_id" FROM "core_accounts" WHERE "account" = ? :lock', account
            )
            before = PersonId(found[0]["person_id"])
            await models.Account.filter(account=account).using_db(db).update(person_id=person_id)
        return None if before == person_id else before

    @step
    async def merge(self, kept: PersonId, gone: PersonId, *, by: str, at: datetime) -> Merge:
        """Make two persons one: accounts, cases and obligations of `gone` become `kept`'s. Reversible."""
        async with transaction(self._client) as db:
            await self._require_mergeable(db, kept, gone)
            accounts = await self._accounts(db, gone)
            cases = await _ids(db, "core_cases", gone)
            obligations = await _ids(db, "core_obligations", gone)
            merge = Merge(id=0, kept=kept, gone=gone, by=by, at=at)
            columns = rows.merge_columns(merge, accounts, cases, obligations)
            stored = await insert(db, models.Merge, [columns], returning=("id",))
            await models.Person.filter(id=gone).using_db(db).update(merged_into=kept)
            await _move(db, (accounts, cases, obligations), frm=gone, to=kept)
        return replace(merge, id=stored[0]["id"])

    @step
    async def split(self, merge_id: int, *, at: datetime) -> Merge:
        """Take a merge apart: what came from `gone` goes back to it; what came later stays."""
        async with transaction(self._client) as db:
            row = await models.Merge.filter(id=merge_id).using_db(db).first()
            if row is None:
                raise StoreError(f"there is no merge {merge_id}")
            holder = await follow(db, standing(PersonId(row.kept)))
            open_ = models.Merge.filter(id=merge_id, undone_at=None).using_db(db)
            if not await open_.update(undone_at=plain(at)):
                raise Conflict(f"merge {merge_id} was taken apart already")
            await models.Person.filter(id=row.gone).using_db(db).update(merged_into=None)
            await _move(db, rows.moved(row), frm=holder, to=PersonId(row.gone))
        return replace(rows.merge(row), undone_at=at)

    @step
    async def merges(self) -> tuple[Merge, ...]:
        """Give all merges, oldest first."""
        found = await models.Merge.all().using_db(self._client).order_by("id")
        return tuple(map(rows.merge, found))

    async def _new_person(self, db: BaseDBAsyncClient, person: Person) -> Person:
        stored = await insert(db, models.Person, [rows.person_columns(person)], returning=("id",))
        return replace(person, id=PersonId(stored[0]["id"]))

    async def _bind_first(self, db: BaseDBAsyncClient, account: AccountId, person_id: PersonId) -> bool:
        """Bind an account that is bound to nobody; False when it is bound."""
        columns = {"account": account, "platform": platform_of(account), "person_id": person_id}
        stored = await insert(db, models.Account, [columns], on_conflict="DO NOTHING", returning=("account",))
        return bool(stored)

    async def _accounts(self, db: BaseDBAsyncClient, person_id: PersonId) -> list[str]:
        found = await models.Account.filter(person_id=person_id).using_db(db)
        return [row.account for row in found]

    async def _require_mergeable(self, db: BaseDBAsyncClient, kept: PersonId, gone: PersonId) -> None:
        if kept == gone:
            raise Conflict(f"person {kept} cannot be merged with itself")
        # In order of number, so that two merges at once never wait for each other.
        for person_id in sorted((kept, gone)):
            into = await follow(db, standing(person_id))
            if into != person_id:
                raise Conflict(f"person {person_id} was merged into person {into} already")


def _person(person_id: int) -> Steps[Row | None]:
    found = yield selecting(models.Person, {'"id" = ?': person_id})
    return found[0] if found else None


def _person_of(account: AccountId) -> Steps[Person | None]:
    bound = yield BOUND, (account,)
    row = (yield from _person(bound[0]["person_id"])) if bound else None
    return None if row is None else rows.person(row)


def _person_for(account: AccountId, name: str) -> Steps[Person]:
    person_id = yield from person_for(account, name)
    row = yield from _person(person_id)
    if row is None:
        raise StoreError(f"there is no person {person_id}")
    return rows.person(row)


def _standing_person(person_id: PersonId) -> Steps[Person | None]:
    row = yield from _person(person_id)
    while row is not None and row["merged_into"] is not None:
        row = yield from _person(row["merged_into"])
    return None if row is None else rows.person(row)


def _persons() -> Steps[tuple[Person, ...]]:
    found = yield selecting(models.Person, {'"merged_into" IS NULL AND "id" > ?': 0})
    return tuple(map(rows.person, found))


def _enrolling(people: Sequence[tuple[Person, Sequence[AccountId]]]) -> Steps[tuple[Person, ...]]:
    """Insert who is new, change who is not, and bind; an account that is bound already takes all of it back."""
    new = [rows.person_columns(person) for person, _ in people if not person.id]
    made = yield from inserting(models.Person, new, returning=("id",))
    # Both databases number the rows of one statement in its order, but need not give them back in it.
    numbers = iter(sorted(int(row["id"]) for row in made))
    stored = tuple(
        person if person.id else replace(person, id=PersonId(next(numbers))) for person, _ in people
    )
    for person in (person for person, _ in people if person.id):
        columns = rows.person_columns(person)
        if (yield from updating(models.Person, columns, {"id": person.id}, '"id"')) == []:
            raise StoreError(f"there is no person {person.id}")
    accounts = [
        {"account": account, "platform": platform_of(account), "person_id": person.id}
        for person, (_, given) in zip(stored, people, strict=True)
        for account in given
    ]
    yield from inserting(models.Account, accounts)
    return stored


async def _ids(db: BaseDBAsyncClient, table: str, person_id: PersonId) -> list[int]:
    sql = f'SELECT "id" FROM "{table}" WHERE "person_id" = ? ORDER BY "id"'  # noqa: S608 - our own words
    return [row["id"] for row in await ask(db, sql, person_id)]


async def _move(
    db: BaseDBAsyncClient,
    moved: tuple[list[str], list[int], list[int]],
    *,
    frm: PersonId,
    to: PersonId,
) -> None:
    """Give rows from one person to another; those that belong to a third by now stay with it."""
    accounts, cases, obligations = moved
    await _give(db, "core_accounts", "account", accounts, frm, to)
    await _give(db, "core_cases", "id", cases, frm, to)
    await _give(db, "core_obligations", "id", obligations, frm, to)


async def _give(
    db: BaseDBAsyncClient,
    table: str,
    column: str,
    keys: Sequence[str] | Sequence[int],
    frm: PersonId,
    to: PersonId,
) -> None:
    for start in range(0, len(keys), PARAMETERS - 2):
        part = keys[start : start + PARAMETERS - 2]
        sql = f'UPDATE "{table}" SET "person_id" = ? WHERE "person_id" = ? AND "{column}" IN ({marks(part)})'  # noqa: S608 - our own words
        await ask(db, sql, to, frm, *part)
