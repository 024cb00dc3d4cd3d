"""What the adapter keeps comes up by migrations on both databases, and is known again as it was."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from groupops.store import schema
from groupops.store.sql import open_records
from groupops_wecom.buttons import Face
from groupops_wecom.cards import KeptCard
from groupops_wecom.customers import InterceptRule, Range, Reaction, Semantics
from groupops_wecom.memory import Offer, SentCard
from groupops_wecom.models import (
    KEPT_PUBLISHINGS,
    PORTION,
    CardRows,
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


def card(number: int, code: str, sent_at: datetime) -> KeptCard:
    face = Face(title=f"待核准 {number}", text="发广告")
    offer = Offer(app="ww1:1", user="zhangsan", subject="case:12", code=code, at=sent_at.timestamp())
    return KeptCard(task_id=f"g_{number}", sent=SentCard(face, "wr1"), offer=offer)


async def test_a_card_is_known_again_as_it_was_and_once_it_is_changed_only_as_it_looked(url: str) -> None:
    first, second = card(1, "CODE1", NOON), card(2, "CODE2", NOON + timedelta(hours=1))
    async with opened(url):
        rows = CardRows()
        for one in (first, second, first):
            await rows.put(one, NOON)
        assert await rows.load(NOON) == [first, second]
        assert await rows.load(NOON + timedelta(minutes=1)) == [second]

        await rows.settle("g_1")

        assert await rows.find("g_1") == replace(first, offer=None)
        assert await rows.find("g_3") is None


async def test_a_card_is_forgotten_when_excerpts_are(url: str) -> None:
    async with opened(url) as records:
        rows = CardRows()
        await rows.put(card(1, "CODE1", NOON), NOON)
        await rows.put(card(2, "CODE2", NOON + timedelta(days=20)), NOON)

        gone = await records.purge(NOON + timedelta(days=31), {"excerpt": 30}, group_id=None)

        assert gone["excerpt"] == 1
        assert [one.task_id for one in await rows.load(NOON)] == ["g_2"]
