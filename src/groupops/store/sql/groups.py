"""Groups, their policies, members and stewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from groupops.errors import Conflict, StoreError
from groupops.events import Listed
from groupops.people import AccountId, Group, GroupId
from groupops.records import PolicyRevision, Steward
from groupops.store import models, rows
from groupops.store.database import Steps, insert, look, plain, selecting, transaction
from groupops.store.sql.base import Tables, step

NEW_LIST = (
    '("group_id", "account") DO UPDATE SET "name" = excluded."name", "card" = excluded."card", '
    '"role" = excluded."role", "joined_at" = excluded."joined_at"'
)
BOUND_AGAIN = (
    '("id") DO UPDATE SET "name" = excluded."name", "timezone" = excluded."timezone", '
    '"owner" = excluded."owner", "bound" = excluded."bound"'
)


class GroupTables(Tables):
    """The part of the record that says where groupops looks after whom."""

    @step
    async def groups(self) -> tuple[Group, ...]:
        """Give all bound groups, in order of id."""
        found = await models.Group.filter(bound=True).using_db(self._client)
        return tuple(sorted(map(rows.group, found), key=lambda group: group.id))

    @step
    async def group(self, group_id: GroupId) -> Group | None:
        """Give one bound group."""
        row = await models.Group.filter(id=group_id, bound=True).using_db(self._client).first()
        return None if row is None else rows.group(row)

    @step
    async def put_group(self, group: Group) -> None:
        """Store a group's name, timezone and owner; stage, packs and revision follow from `revise`."""
        await insert(self._client, models.Group, [rows.group_columns(group)], on_conflict=BOUND_AGAIN)

    @step
    async def drop_group(self, group_id: GroupId) -> None:
        """Unbind a group; its cases and audit stay."""
        async with transaction(self._client) as db:
            await models.Group.filter(id=group_id).using_db(db).update(bound=False)
            await models.Member.filter(group_id=group_id).using_db(db).delete()

    @step
    async def revise(self, revision: PolicyRevision) -> None:
        """Store the next revision of a group's policy and put it in force. Raises Conflict on a taken number."""
        async with transaction(self._client) as db:
            before = models.Group.filter(
                id=revision.group_id, bound=True, revision=revision.number - 1
            ).using_db(db)
            changed = await before.update(
                revision=revision.number,
                stage=revision.stage.value,
                packs=rows.packs_text(revision.packs),
            )
            if not changed:
                row = await models.Group.filter(id=revision.group_id, bound=True).using_db(db).first()
                raise _not_next(revision, None if row is None else row.revision)
            await insert(db, models.Revision, [rows.revision_columns(revision)])

    @step
    async def revisions(self, group_id: GroupId) -> tuple[PolicyRevision, ...]:
        """Give a group's revisions, oldest first."""
        found = await models.Revision.filter(group_id=group_id).using_db(self._client).order_by("number")
        return tuple(map(rows.revision, found))

    @step
    async def members(self, group_id: GroupId) -> Mapping[AccountId, Listed]:
        """Give the members as last known."""
        return await look(self._client, _members(group_id))

    @step
    async def put_members(
        self, group_id: GroupId, put: Sequence[Listed], gone: Sequence[AccountId] = ()
    ) -> None:
        """Store members that came or changed, and forget those that left."""
        # One line per account: PostgreSQL refuses to change a row twice in one statement.
        latest = {listed.account: listed for listed in put}
        columns = [rows.listed_columns(group_id, listed) for listed in latest.values()]
        async with transaction(self._client) as db:
            await insert(db, models.Member, columns, on_conflict=NEW_LIST)
            for start in range(0, len(gone), 10_000):
                part = list(gone[start : start + 10_000])
                left = models.Member.filter(group_id=group_id, account__in=part)
                await left.using_db(db).delete()

    @step
    async def stewards(self) -> tuple[Steward, ...]:
        """Give all stewards, in the order they were added."""
        found = await models.Steward.all().using_db(self._client).order_by("id")
        return tuple(map(rows.steward, found))

    @step
    async def put_steward(self, steward: Steward) -> None:
        """Add a steward; adding twice changes nothing."""
        columns = {"account": steward.account, "group_id": steward.group_id or ""}
        await insert(self._client, models.Steward, [columns], on_conflict="DO NOTHING")

    @step
    async def drop_steward(self, steward: Steward) -> bool:
        """Remove a steward; False when there was none."""
        there = models.Steward.filter(account=plain(steward.account), group_id=steward.group_id or "")
        return bool(await there.using_db(self._client).delete())


def _members(group_id: GroupId) -> Steps[Mapping[AccountId, Listed]]:
    found = yield selecting(models.Member, {'"group_id" = ?': group_id})
    return {AccountId(row["account"]): rows.listed(row) for row in found}


def _not_next(revision: PolicyRevision, current: int | None) -> StoreError:
    if current is None:
        return StoreError(f"group {revision.group_id} is not bound: bind it before its policy is changed")
    return Conflict(
        f"group {revision.group_id} is at revision {current}, so the next is {current + 1}, "
        f"not {revision.number}: read the group again"
    )
