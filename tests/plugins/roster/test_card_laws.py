"""However somebody changes the card, and whenever: never two reminders within a day, and no case before the last."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from groupops.testing import rig
from groupops_roster import manifest
from tests.plugins.roster.stories import DAY, ONLY, STAFF, card, cases, pack

F1 = '[roster.card]\nformat = "F1"\nseparators = ["-"]\ncanonical_separator = "-"'
RIGHT = "销售部-王五"
_STEPS = st.lists(
    st.one_of(
        st.sampled_from([RIGHT, "小王", "销售部王五", "🌸", "王五 13900000000"]),
        st.integers(1, 60).map(lambda hours: timedelta(hours=hours)),
    ),
    min_size=2,
    max_size=10,
)


async def _story(steps: list[str | timedelta]) -> None:
    async with rig(pack=pack('audit_at = "09:30"', F1), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        shown, right_since = "wang", None
        for step in steps:
            if isinstance(step, timedelta):
                await r.advance(step)
                continue
            if step != shown:
                await card(r, "wang", step)
            shown = step
            right_since = r.clock.now() if step == RIGHT else None
        reminded = [letter.at for letter in r.sandbox.world.letters_to("wang")]
        opened = [case.opened_at for case in await cases(r) if case.account == "sandbox:wang"]

        assert all(later - earlier >= DAY for earlier, later in pairwise(reminded))
        assert all(sum(at < moment for at in reminded) >= 3 for moment in opened)
        assert right_since is None or not any(at > right_since for at in (*reminded, *opened))
        assert not any("139" in letter.post.text for letter in r.sandbox.world.letters_to("wang"))


@settings(max_examples=20)
@given(_STEPS)
def test_reminders_keep_their_distance_and_come_before_any_case(steps: list[str | timedelta]) -> None:
    asyncio.run(_story(steps))


def test_the_roster_hears_no_talk() -> None:
    assert "message_posted" not in manifest.hears
