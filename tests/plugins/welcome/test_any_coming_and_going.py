"""Whatever order people come, go and answer in: each stay is greeted at most once, by day, and while it lasts."""

from __future__ import annotations

from datetime import time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from groupops import Text
from groupops.people import AccountId
from groupops.testing import Rig, rig
from groupops_welcome.models import Newcomer
from tests.plugins.welcome.stories import ONLY, owed, pack

PEOPLE = ("甲", "乙", "丙")
ZONE = ZoneInfo("Asia/Shanghai")
STEPS = st.one_of(
    st.tuples(st.sampled_from(["join", "leave", "read", "tick"]), st.sampled_from(PEOPLE)),
    st.tuples(st.just("wait"), st.sampled_from(["20", "61", "3600", "36000", "90000"])),
)


async def step(r: Rig, deed: str, who: str) -> None:
    """Have somebody do something, where that is possible."""
    there = f"sandbox:{who}" in r.sandbox.world.room("g1").seats
    if deed == "wait":
        await r.advance(timedelta(seconds=int(who)))
    elif deed == "join" and not there:
        await r.tell(r.sandbox.join("g1", who, name=who))
    elif deed == "leave" and there:
        await r.tell(r.sandbox.leave("g1", who))
    elif deed in ("read", "tick") and there:
        await r.say("g1", who, "/已读" if deed == "read" else "/已办")


def greetings(r: Rig) -> list[tuple[time, str]]:
    """When the bot greeted, and how."""
    posts = r.sandbox.world.said_by_bot("g1")
    texts = ["".join(part.text for part in post.segments if isinstance(part, Text)) for post in posts]
    return [
        (p.at.astimezone(ZONE).time(), text) for p, text in zip(posts, texts, strict=True) if "欢迎" in text
    ]


@settings(max_examples=25)
@given(st.lists(STEPS, max_size=25))
async def test_any_coming_and_going_keeps_the_ritual_in_order(steps: list[tuple[str, str]]) -> None:
    async with rig(pack=pack('checklist = ["阅读群规", "自我介绍"]'), plugins=ONLY) as r:
        for deed, who in steps:
            await step(r, deed, who)
        await r.advance(timedelta(days=4))

        spoken = greetings(r)
        assert all(time(7, 30) <= when < time(23, 30) for when, _ in spoken)
        rows = await Newcomer.all()
        assert sum(text.count(name) for _, text in spoken for name in PEOPLE) <= len(rows)
        assert all(row.state != "waiting" for row in rows)
        assert all(case.plugin != "welcome" for case in await r.records.cases())
        for who in PEOPLE:
            assert "open" not in (await owed(r, who)).values()
            if AccountId(f"sandbox:{who}") in r.sandbox.world.room("g1").seats:
                last = [row for row in rows if row.account == f"sandbox:{who}"][-1]
                assert (last.state, last.left_at) == ("greeted", None)
