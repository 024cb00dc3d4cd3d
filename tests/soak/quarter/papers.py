"""What is on record at one moment, beside what is true: what the laws are held against."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from tortoise.expressions import Q
from tortoise.models import Model

from groupops.policy import Retention
from groupops.records import Audit, Case, Obligation, OutboxRow, Ticket
from groupops.store import models, rows
from groupops.store.retention import Kept
from groupops.store.schema import kept_models
from tests.soak.quarter import mornings
from tests.soak.quarter.life import Life

ALL = 1_000_000


@dataclass
class Papers:
    """Everything on record at one moment, beside what is true.

    `since`: when the laws were last looked at; `seen`: how far the platforms' logs were read then;
    `lines_read`: how far the bot's own; `rows_read`: rows as they were found by then, with their tables.
    """

    life: Life
    since: datetime
    seen: dict[str, int]
    cases: tuple[Case, ...] = ()
    rows: tuple[OutboxRow, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    purged: tuple[Audit, ...] = ()
    due: list[models.Due] = field(default_factory=list)
    tables: dict[type[Model], Kept] = field(default_factory=dict)
    logged: list[str] = field(default_factory=list)
    lines_read: int = 0
    rows_read: set[tuple[Any, ...]] = field(default_factory=set)

    @property
    def now(self) -> datetime:
        return self.life.now

    @property
    def records(self) -> Any:
        return self.life.bot.engine.parts.records

    def is_new(self, table: str, row: Mapping[str, Any]) -> bool:
        """Say whether a row was never found before as it stands now."""
        found = (table, *row.values())
        if found in self.rows_read:
            return False
        self.rows_read.add(found)
        return True

    def requests(self) -> Iterable[Any]:
        """What the platforms were asked for since the last look."""
        for name, box in self.life.bot.sandboxes.items():
            yield from box.world.requests[self.seen.get(name, 0) :]

    def policy(self, group: str) -> Any:
        plan = self.life.bot.engine.plans.of(cast("Any", group))
        assert plan is not None
        return plan.policy


Law = Callable[[Papers], Awaitable[None]]


async def papers(life: Life, since: datetime, seen: dict[str, int]) -> Papers:
    """Read what the laws look at: of actions, what changed since the last look and what is not at its end."""
    records = life.bot.engine.parts.records
    changed = Q(changed_at__gte=since) | Q(state__in=["waiting", "performing"])
    return Papers(
        life,
        since,
        seen,
        cases=await records.cases(limit=ALL),
        rows=tuple(map(rows.outbox, await models.Outbox.filter(changed).order_by("id").values())),
        tickets=await records.tickets(open_only=False),
        obligations=await records.obligations(),
        purged=await records.audit(what="purged", limit=ALL),
        due=await models.Due.filter(spent_at=None),
        tables=kept_models(life.bot.context),
    )


def terms_in(p: Papers, group: str | None) -> dict[str, int]:
    """Give how many days what is kept, in a group or where there is none."""
    plan = p.life.bot.engine.plans.of(cast("Any", group)) if group else None
    return Retention().terms() if plan is None else plan.policy.retention.terms()


async def numbers_of(p: Papers) -> dict[int, int]:
    """Give whose number in the company a person on record has."""
    by_ref = {one.ref: one.number for one in p.life.company.people.values()}
    return {one.id: by_ref[one.ref] for one in await p.records.persons() if one.ref in by_ref}


def agreed_to(p: Papers, number: int, moment: datetime) -> bool:
    """Say whether somebody's last word on check-in up to a moment was yes."""
    words = [word for at, word in p.life.truth.agreed.get(number, []) if at <= moment]
    return bool(words) and words[-1] == mornings.AGREE


def table(p: Papers, name: str) -> Any:
    """Give the model of a table."""
    return next(model for model in p.tables if cast("Any", model)._meta.db_table == name)
