"""Rules are called to mind at a set pace, each once before any is said again, whatever happens to the process."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from groupops import Stage
from groupops.testing import Rig, rig
from tests.plugins.welcome.stories import NIGHT, ONLY, pack, said

CLAUSES = "".join(f'[clause."topics.rule{n}"]\nref = "第{n}条"\ntext = "条文{n}。"\n' for n in range(1, 6))
EACH_DAY = 'remind_days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]\nremind_count = 2'
SUNDAY = datetime(2025, 3, 2, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def numbers(r: Rig) -> list[list[int]]:
    """The articles each message spoke of."""
    return [[int(number) for number in re.findall(r"条文(\d)", text)] for text in said(r)]


async def test_nothing_is_said_where_no_day_is_set() -> None:
    async with rig(pack=pack(clauses=CLAUSES), plugins=ONLY) as r:
        await r.advance(7 * DAY)

        assert said(r) == []


async def test_every_article_has_its_turn_before_the_first_comes_again() -> None:
    async with rig(pack=pack(EACH_DAY, clauses=CLAUSES), plugins=ONLY, start=SUNDAY) as r:
        await r.advance(4 * DAY)

        assert numbers(r) == [[1, 2], [3, 4], [5], [1, 2]]


async def test_it_is_said_on_its_weekday_at_its_hour_holiday_or_not() -> None:
    settings = 'remind_days = ["wed"]\nremind_at = "10:30"'
    eve = datetime(2025, 9, 30, 4, 0, tzinfo=UTC)
    async with rig(pack=pack(settings, clauses=CLAUSES), plugins=ONLY, start=eve) as r:
        await r.advance_to(datetime(2025, 10, 1, 2, 29, tzinfo=UTC))
        assert said(r) == []
        await r.advance_to(datetime(2025, 10, 7, 15, 0, tzinfo=UTC))

        assert numbers(r) == [[1, 2, 3]]


async def test_in_quiet_hours_it_waits_for_their_end() -> None:
    settings = f'{EACH_DAY}\nremind_at = "06:00"'
    async with rig(pack=pack(settings, more=NIGHT, clauses=CLAUSES), plugins=ONLY, start=SUNDAY) as r:
        await r.advance_to(datetime(2025, 3, 2, 23, 29, tzinfo=UTC))
        assert said(r) == []
        await r.advance_to(datetime(2025, 3, 2, 23, 31, tzinfo=UTC))

        assert numbers(r) == [[1, 2]]


async def test_one_that_is_fired_again_says_the_same_and_moves_nothing_on() -> None:
    async with rig(pack=pack(EACH_DAY, clauses=CLAUSES), plugins=ONLY, start=SUNDAY) as r:
        await r.advance(DAY)
        fired = next(o.event for o in r.outcomes if o.event.kind == "time_came")
        r.engine.flow._met.forget(fired.id)
        await r.tell(fired)
        await r.advance(DAY)

        assert numbers(r) == [[1, 2], [3, 4]]


async def test_in_shadow_no_article_uses_up_its_turn() -> None:
    async with rig(pack=pack(EACH_DAY, clauses=CLAUSES), plugins=ONLY, start=SUNDAY, stage=Stage.SHADOW) as r:
        await r.advance(2 * DAY)
        await r.engine.stage("sandbox:g1", Stage.ENFORCED, author="operator", force=True)  # type: ignore[arg-type]
        await r.advance(DAY)

        assert numbers(r) == [[1, 2]]


async def test_a_group_without_clauses_is_reminded_of_nothing() -> None:
    async with rig(pack=pack(EACH_DAY, clauses=""), plugins=ONLY, start=SUNDAY) as r:
        await r.advance(2 * DAY)

        assert said(r) == []
