"""What the adapter keeps comes up by migrations on both databases, and is known again as it was."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from groupops.store import schema
from groupops.store.sql import open_records
from groupops_wecom.customers import InterceptRule, Range, Reaction, Semantics
from groupops_wecom.models import (
    KEPT_PUBLISHINGS,
    PORTION,
    KnownContact,
    Publishing,
    Rows,
    keep_contacts,
    keep_publishing,
    known_contacts,
    publishings,
    undo,
)
from groupops_wecom.rooms import Placed, Side

APPS = {"wecom": "groupops_wecom.models"}
NOON = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database"))


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Any]:
    """The record with the adapter's tables, open as the adapter finds them."""
    async with open_records(url, apps=APPS, migrate=True) as records:
        with records.context:
            yield records


def rule(*words: str) -> InterceptRule:
    return InterceptRule(
        name="groupops-001",
        words=words,
        semantics=(Semantics.RED_PACKET,),
        reaction=Reaction.WARN,
        range=Range(users=("zhangsan",), departments=(1, 2)),
    )


async def test_the_migrations_say_what_the_models_say() -> None:
    assert await schema.drift(APPS) == []


async def test_whoever_was_in_the_contacts_is_known_again_and_whoever_is_gone_is_forgotten(url: str) -> None:
    many = {f"u{number}" for number in range(3 * PORTION + 1)}
    async with opened(url):
        await keep_contacts("ww1", many)
        await keep_contacts("ww2", {"u1"})
        await keep_contacts("ww1", {"u1", "new"})

        assert await known_contacts("ww1") == {"u1", "new"}
        assert await known_contacts("ww2") == {"u1"}
        assert await KnownContact.all().count() == 3


async def test_ids_that_differ_in_case_only_are_two(url: str) -> None:
    async with opened(url):
        await keep_contacts("ww1", {"ZhangSan", "zhangsan"})

        assert await known_contacts("ww1") == {"ZhangSan", "zhangsan"}


async def test_what_was_published_is_read_as_it_was_written_and_only_the_last_are_kept(url: str) -> None:
    async with opened(url):
        for number in range(KEPT_PUBLISHINGS + 3):
            after = (rule(f"词{number}", "百家乐"),)
            await keep_publishing(Publishing(self_id="ww1:1", before=(rule("旧"),), after=after, at=NOON))
        await keep_publishing(Publishing(self_id="ww1:2", before=(), after=(), at=NOON))
        last, *_ = await publishings("ww1:1")
        await undo(last.id)

        kept = await publishings("ww1:1")
        assert len(kept) == KEPT_PUBLISHINGS
        assert (kept[0].before, kept[0].after) == ((rule("旧"),), (rule("词22", "百家乐"),))
        assert [one.undone for one in kept[:2]] == [True, False]
        assert len(await publishings("ww1:2")) == 1


async def test_which_chats_are_one_group_is_known_again(url: str) -> None:
    placed = Placed(
        side=Side(kind="appchat", native="duty01", keeper="ww1:1", name="值班群"), room="wr1", by="admin"
    )
    async with opened(url):
        rows = Rows()
        await rows.put(placed, NOON)
        await rows.put(placed, NOON)
        assert await rows.load() == [placed]

        await rows.drop(placed.side)
        assert await rows.load() == []
