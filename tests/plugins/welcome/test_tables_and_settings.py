"""What is kept comes up by migrations on both databases, is let go in time, and wrong settings say what is wrong."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from groupops.people import Group, GroupId, Role
from groupops.store import schema
from groupops.store.sql import open_records
from groupops.testing import CAST, MONDAY, rig
from groupops_welcome import manifest, newcomers
from groupops_welcome.models import Newcomer
from groupops_welcome.settings import Welcome
from tests.plugins.welcome.stories import HOUR, ONLY, asked, join, owed, pack, said, welcomed

APPS = {"welcome": "groupops_welcome.models"}
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database"))


async def test_the_migrations_say_what_the_models_say() -> None:
    assert await schema.drift(APPS) == []


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Any]:
    """The record with this plugin's tables, open as the plugin finds them."""
    async with open_records(url, apps=APPS, migrate=True) as records:
        with records.context:
            yield records


async def test_the_ritual_is_the_same_on_both_databases(url: str) -> None:
    async with opened(url) as records, rig(pack=pack(), plugins=ONLY, records=records) as r:
        await welcomed(r, "a", "b", name="")
        await asked(r, "/已读", by="a")
        await r.advance(60 * HOUR)

        assert len(said(r)) == 2
        assert await owed(r, "a") == {"welcome.rules": "satisfied"}
        assert await owed(r, "b") == {"welcome.rules": "missed"}


async def test_newcomers_are_forgotten_when_their_term_is_over(url: str) -> None:
    async with opened(url) as records:
        await records.put_group(Group(id=GroupId("qq:1")))
        for account, days in (("old", 200), ("young", 100)):
            await Newcomer.create(
                group_id="qq:1", account=account, nickname="", met="new", joined_by=account,
                joined_at=NOON - timedelta(days=days), state="greeted",
            )  # fmt: skip
        await records.purge(NOON, {"event": 180}, group_id=GroupId("qq:1"))

        assert [row.account for row in await newcomers.since("qq:1", NOON - timedelta(days=999))] == ["young"]


async def test_a_rotation_goes_on_where_it_stood_in_another_process(url: str) -> None:
    days = 'remind_days = ["mon", "tue", "wed"]\nremind_count = 1'
    heard: list[str] = []
    for day in range(2):
        morning = MONDAY - HOUR + timedelta(days=day)
        async with (
            opened(url) as records,
            rig(pack=pack(days), plugins=ONLY, records=records, start=morning) as r,
        ):
            await r.advance(2 * HOUR)
            heard += said(r)

    assert ["1. [一.1]" in heard[0], "2. [二.6]" in heard[1]] == [True, True]


async def test_a_greeting_outlives_the_process_that_was_to_say_it(url: str) -> None:
    there = {**CAST, "a": Role.MEMBER}
    async with opened(url) as records:
        async with rig(pack=pack(), plugins=ONLY, records=records) as r:
            await join(r, "a")
        async with rig(pack=pack(), plugins=ONLY, records=records, start=MONDAY + HOUR, cast=there) as r:
            await r.advance(HOUR)

            (greeting,) = said(r)
            assert "欢迎 a 加入本群" in greeting


def test_the_defaults_are_those_of_the_regulations_base() -> None:
    settings = Welcome()

    assert settings.checklist == ("阅读群规", "修改群昵称")
    assert (settings.batch_window_s, settings.followup_hours, settings.vip_intro_role) == (60, 24, "")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"template": "欢迎 {nick}"}, "{nick} is no slot"),
        ({"remind_at": "25:00"}, "no time of day"),
        ({"remind_at": "09:00:30"}, "hours and minutes"),
        ({"remind_days": ["周一"]}, "remind_days"),
        ({"faq": [{"ask": [], "answer": "x"}]}, "ask"),
        ({"batch_window_s": 0}, "batch_window_s"),
        ({"greeting": "x"}, "greeting"),
    ],
)
def test_a_wrong_setting_says_what_was_expected(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Welcome.model_validate(wrong)


def test_every_field_has_a_title_and_every_rule_its_own_id() -> None:
    assert all(field.title for field in Welcome.model_fields.values())
    assert len({rule.id for rule in manifest.rules}) == len(manifest.rules)
    assert {"welcome.tone", "welcome.substance"} <= {rule.id for rule in manifest.rules}


async def test_groups_that_are_alike_share_what_was_prepared() -> None:
    async with rig(pack=pack(), plugins=ONLY, groups=("g1", "g2")) as r:
        one, other = (r.engine.plans.of(GroupId(f"sandbox:{name}")) for name in ("g1", "g2"))

        assert one is not None
        assert other is not None
        assert one.wiring is other.wiring
