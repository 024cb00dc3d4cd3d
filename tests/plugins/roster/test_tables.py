"""What is kept comes up by migrations on both databases, goes in time, and a trial run leaves nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from groupops import Stage
from groupops.people import Group, GroupId
from groupops.records import CaseStatus
from groupops.store import schema
from groupops.store.sql import open_records
from groupops.testing import rig
from groupops_roster.models import CardWatch, DelegateChange, OwnCase, Probation
from tests.plugins.roster.stories import (
    HOUR,
    KICK,
    ONLY,
    STEWARDS,
    card,
    cases,
    join,
    line,
    pack,
    person_of,
    told,
)

APPS = {"roster": "groupops_roster.models"}
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
F5 = '[roster.card]\nformat = "F5"'


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database"))


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Any]:
    """The record with this plugin's tables, open as the plugin finds them."""
    async with open_records(url, apps=APPS, migrate=True) as records:
        with records.context:
            yield records


async def test_the_migrations_say_what_the_models_say() -> None:
    assert await schema.drift(APPS) == []


async def test_a_roster_works_the_same_on_both_databases(url: str) -> None:
    async with (
        opened(url) as records,
        rig(pack=pack(KICK, F5), plugins=ONLY, records=records) as r,
    ):
        await r.enrol(*STEWARDS, line("李四", "li"), line("王五", ref="W0123"))
        await card(r, "li", "小李")
        await join(r, "xin", name="小张")
        await r.whisper("g1", "xin", "自报 销售部 0123")
        await r.say("g1", "li", "担保", mentions=["xin"])
        await r.say("g1", "admin", "核验", mentions=["xin"])
        await r.advance(HOUR)
        await r.say("g1", "admin", "更新名册 赵六 财务部", mentions=["wang"])
        await r.advance(48 * HOUR)

        assert await person_of(r, "xin") == "王五"
        assert [case.status for case in await cases(r, "outsider")] == [CaseStatus.DISMISSED]
        assert len(told(r, "li")) >= 3
        assert await OwnCase.filter(status="dismissed").count() == 1


async def test_what_was_lost_with_a_process_is_looked_up_at_the_next_check(url: str) -> None:
    async with opened(url) as records:
        async with rig(pack=pack(KICK), plugins=ONLY, records=records) as r:
            await r.enrol(*STEWARDS, line("李四", "li"))
            await r.advance(HOUR)
            await OwnCase.all().update(status="flagged")
            (case,) = await cases(r)
            await r.say("g1", "admin", f"驳回 {case.id} 是顾问")
            await OwnCase.all().update(status="flagged")
            await r.advance(24 * HOUR)

        row = await OwnCase.first()
        assert row is not None
        assert row.status == "dismissed"


async def test_rows_are_let_go_when_their_term_is_over(url: str) -> None:
    async with opened(url) as records:
        await records.put_group(Group(id=GroupId("qq:1")))
        for account, days in (("old", 200), ("young", 100)):
            past = NOON - timedelta(days=days)
            await Probation.create(
                group_id="qq:1", account=account, joined=True, until=past, opened_at=past, closed_at=past, status="left"
            )  # fmt: skip
            await DelegateChange.create(group_id="qq:1", by="qq:2", text=account, at=past)
        await Probation.create(
            group_id="qq:1", account="open", joined=True, until=NOON, opened_at=NOON - timedelta(days=900)
        )
        await records.purge(NOON, {"event": 180, "audit": 150}, group_id=GroupId("qq:1"))

        assert [row.account for row in await Probation.all().order_by("id")] == ["young", "open"]
        assert [row.text for row in await DelegateChange.all()] == ["young"]


async def test_a_trial_run_writes_and_sends_nothing() -> None:
    async with rig(pack=pack(KICK, F5), plugins=ONLY, stage=Stage.SHADOW) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        await card(r, "li", "小李")
        await join(r, "xin", name="小张")
        await r.advance(HOUR)

        assert (
            await Probation.all().count() == await CardWatch.all().count() == await OwnCase.all().count() == 0
        )
        assert told(r, "xin") == told(r, "li") == told(r, "admin") == []
        assert await cases(r) == []
        assert len(await r.records.audit(what="would have reacted")) >= 3
