"""To whom an AI bot may write is known again after a restart, without any app."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groupops import AccountId, DirectMessage, Done, GroupId
from groupops.clock import StoppedClock
from groupops.notebook import OwnNotebook
from groupops.store.sql import open_records
from groupops_wecom.faces import Faces
from groupops_wecom.rooms import Side
from groupops_wecom.spoken import Spoken
from tests.support.wecom_rig import BOT, MEMBER, ROOM, Modes, serving

GROUP = GroupId(f"wecom:{ROOM}")
LI = AccountId(f"wecom:{MEMBER}")
NOON = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)


async def test_whoever_spoke_to_the_bot_before_a_restart_is_written_to_after_it(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with open_records(sqlite_url, apps={}, migrate=True) as records:
        book = OwnNotebook(records=records, owner="wecom", clock=StoppedClock(NOON))
        async with serving(Modes(aibot="link"), tmp_path, notes=book) as served:
            await served.platform.settled()

        async with serving(Modes(aibot="link"), tmp_path, notes=book, bound=False) as served:
            world = served.far.world
            served.platform.meet(Side(kind="aibot", native=ROOM, keeper=BOT))
            served.far.bots.spoken.add((BOT, MEMBER))  # WeCom has not forgotten either
            reached = [served.platform.direct(AccountId(f"wecom:{one}")) for one in (MEMBER, "wangwu")]
            receipt = await served.platform.perform(
                DirectMessage(group_id=GROUP, account=LI, text="提醒"), key="e#0"
            )
            said = [one.text for one in world.people[MEMBER].inbox]

    assert reached == [True, False]
    assert isinstance(receipt, Done)
    assert said == ["提醒"]


class Page:
    """A notebook in memory, and how often it was written."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.times = 0

    async def read(self) -> Mapping[str, str]:
        return self.values

    async def write(self, values: Mapping[str, str | None]) -> None:
        self.times += 1
        self.values |= {key: value for key, value in values.items() if value is not None}


async def test_whoever_speaks_all_day_is_written_down_once_a_day() -> None:
    page = Page()
    spoken = Spoken(page)

    for hour in range(48):
        now = NOON + timedelta(hours=hour)
        if spoken.is_new(BOT, "lisi", "woLISI", now):
            await spoken.write(BOT, "lisi", "woLISI", now)

    assert page.times == 3
    faces = Faces()
    await Spoken(page).recall(faces)
    assert (faces.known_to(BOT, "lisi"), faces.plain("woLISI")) == ("woLISI", "lisi")


@pytest.mark.parametrize("value", ["", "[]", "{}", '{"as": []}', "no json"])
async def test_what_makes_no_sense_is_nobody(value: str) -> None:
    page = Page()
    page.values = {f"spoke:{BOT} lisi": value, "spoke:": value, "other": value}
    faces = Faces()

    await Spoken(page).recall(faces)

    assert faces.known_to(BOT, "lisi") == ""
