"""A quarter in a company of three hundred, with a bot that is stopped and killed: what must be so stays so."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from groupops.clock import StoppedClock
from groupops.shelf import parse_pack
from groupops_red_packet.models import items
from groupops_sandbox import Sandbox
from tests.soak.quarter import duties
from tests.soak.quarter.bot import Bot
from tests.soak.quarter.company import HERE, PACKS, THERE, founded
from tests.soak.quarter.laws import Look
from tests.soak.quarter.life import ROOMS, Life
from tests.support.soak import Soak

DAYS = 91
MONDAY = date(2025, 3, 3)
"""Thirteen weeks from here hold the days of the dead, Labour Day and its make-up day."""

MIDNIGHT = datetime(2025, 3, 2, 16, tzinfo=UTC)
"""The same Monday, 00:00 in Shanghai."""


HANGS_S = 300.0
"""A day of company life takes two seconds; one that takes this long hangs, and fails where it hangs."""


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database")


def new_life(database: str, soak: Soak) -> Life:
    """A company and its bot, on the day before everything begins."""
    dice = soak.random()
    clock = StoppedClock(MIDNIGHT)
    bot = Bot(
        url=database,
        clock=clock,
        sandboxes={HERE: Sandbox(clock), THERE: Sandbox(clock, "onebot-napcat", name=THERE)},
        packs=tuple(
            parse_pack(one.read_text("utf-8"), path=one.name) for one in sorted(PACKS.glob("*.toml"))
        ),
        plugins={"duties": duties},
        dice=soak.random(),
    )
    return Life(bot, founded(dice, ROOMS), dice)


@pytest.mark.soak
async def test_through_a_quarter_of_company_life_and_many_deaths_of_the_bot_the_laws_hold(
    database: str, soak: Soak, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    life = new_life(database, soak)
    look = Look(life, caplog)
    started, worked = time.monotonic(), time.process_time()
    async with asyncio.timeout(HANGS_S):
        await life.begin()
    for number in range(soak.rounds(DAYS)):
        today = MONDAY + timedelta(days=number)
        async with asyncio.timeout(HANGS_S):
            await life.day(today)
        if today.weekday() == 6:
            await look.at_the_laws(f"seed {soak.seed}, week ending on day {number + 1} ({today})")
    await look.at_the_laws(f"seed {soak.seed}, at the end")
    figures = await summary(life)
    await life.bot.stop()
    seconds, busy = time.monotonic() - started, time.process_time() - worked
    with capsys.disabled():
        print(  # noqa: T201 - the figures of the soak
            f"\nsoak quarter on {database.partition(':')[0]}: {soak.rounds(DAYS)} days, {figures}, "
            f"{seconds:.1f} s ({busy:.1f} s of them at work)"
        )


async def summary(life: Life) -> str:
    """Count what there was."""
    records, lives = life.bot.engine.parts.records, life.bot.lives
    killed = sum(one.killed for one in lives)
    cases = await records.cases(limit=1_000_000)
    statuses = Counter(case.status.value for case in cases)
    requests = sum(len(box.world.requests) for box in life.bot.sandboxes.values())
    shown = sum(len(moments) for moments in life.truth.seen.values())
    return (
        f"{life.bot.facts} facts, {len(life.truth.said)} messages, {requests} actions, {len(cases)} cases on record "
        f"({statuses['effective']} in force, {statuses['reversed']} reversed), {len(await items())} items, "
        f"{shown} places shown, {len(life.truth.comings)} joins, {len(lives)} lives ({killed} killed), "
        f"{life.truth.outages} outages"
    )
