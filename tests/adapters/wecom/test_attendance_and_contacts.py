"""Attendance and contacts all the way: from the company on WeCom, over sockets, to a day kept and a person registered."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from groupops import AccountId, GroupId, PersonLine, Stage
from groupops.scans import Scans
from groupops.testing import Rig, rig
from groupops_check_in import book
from groupops_check_in.day import Entry
from groupops_check_in.models import DayRow
from groupops_wecom.testing import CheckIn
from tests.plugins.check_in.stories import HEAD, SITES, at, pack
from tests.support.wecom_rig import AGENT, MEMBER, ROOM, Modes, Served, serving
from tests.support.wecom_stub import OVER_HTTPX

pytestmark = OVER_HTTPX

GROUP = GroupId(f"wecom:{ROOM}")
LI = AccountId(f"wecom:{MEMBER}")
WANG = AccountId("wecom:wangwu")
MODES = Modes(app=True, sides=frozenset({"appchat"}))
CALL = "checkin/getcheckindata"


@dataclass
class Morning:
    """A work group on WeCom on a Monday morning; the clock of both ends is one."""

    served: Served
    rig: Rig

    async def hear(self) -> None:
        """Handle all that WeCom told, and what follows."""
        for fact in await self.served.facts():
            await self.rig.engine.flow.handle(fact)
        await self.rig.settle()

    async def until(self, moment: str) -> None:
        """Go on to a moment of the morning; what attendance was asked for is handled at once."""
        await self.rig.advance_to(at(moment))
        await self.hear()

    async def agree(self, userid: str) -> None:
        """Read the purpose, then agree, in the app's own chat."""
        for _ in range(2):
            await self.served.far.say(userid, self.served.far.world.apps[AGENT], "同意打卡")
            await self.hear()

    async def entry(self, account: AccountId) -> Entry | None:
        person = self.rig.engine.people.person(account)
        assert person is not None
        return await book.entry_of(GROUP, person.id, datetime.fromisoformat("2025-03-03").date())

    def letters(self, userid: str) -> list[str]:
        return [one.text for one in self.served.far.world.people[userid].inbox]

    @property
    def asked(self) -> list[str]:
        """Everybody attendance was asked about."""
        calls = [call.body for call in self.served.far.rest.calls if call.name == CALL]
        return sorted({userid for body in calls for userid in body["useridlist"]})


@asynccontextmanager
async def morning(folder: Path, *, plugins: tuple[str, ...] = ("check_in",)) -> AsyncGenerator[Morning]:
    paced = pack(f"attendance_minutes = 10\n{SITES}")
    async with (
        rig(groups=(), plugins=plugins, pack=paced, start=at("2025-03-03T08:00")) as r,
        serving(MODES, folder, clock=r.clock) as served,
    ):
        r.engine.parts.platforms["wecom"] = served.platform
        served.platform.people = r.engine.people
        await r.engine.bind_group(GROUP, packs=["furniture"], stage=Stage.ENFORCED)
        scans = Scans(r.engine.parts.platforms, lambda: [GROUP], r.engine.flow.handle, r.clock, r.log)
        assert await scans.scan(GROUP)
        yield Morning(served, r)


def worker(name: str, account: AccountId) -> PersonLine:
    return PersonLine(name=name, department="销售部", org_roles=frozenset({"业务人员"}), accounts=(account,))


# — attendance —


async def test_who_checked_in_with_wecom_is_on_time_here_and_who_did_not_consent_is_not_asked_about(
    tmp_path: Path,
) -> None:
    async with morning(tmp_path) as m:
        await m.rig.enrol(worker("李四", LI), worker("王五", WANG))
        await m.agree(MEMBER)
        for userid in (MEMBER, "wangwu"):
            m.served.far.world.check_ins.append(
                CheckIn(
                    userid=userid, at=at("2025-03-03T08:41").timestamp(), lat=HEAD["lat"], lng=HEAD["lon"]
                )
            )

        await m.until("2025-03-03T08:51")

        day = await m.entry(LI)
        assert day is not None
        assert (day.state, day.place, day.means, day.at) == ("on_time", "总部", "oa", at("2025-03-03T08:41"))
        assert await m.entry(WANG) is None
        assert m.asked == [MEMBER]
        assert not any("打卡" in text and "提醒" in text for text in m.letters(MEMBER))


async def test_a_location_sent_to_the_app_and_the_same_turn_in_attendance_are_one_day(tmp_path: Path) -> None:
    async with morning(tmp_path) as m:
        await m.rig.enrol(worker("李四", LI), worker("王五", WANG))
        for userid in (MEMBER, "wangwu"):
            await m.agree(userid)
        await m.until("2025-03-03T08:43")
        m.served.far.check_in(MEMBER, HEAD["lat"], HEAD["lon"])
        app = m.served.far.world.apps[AGENT]
        await m.served.far.location(MEMBER, app, HEAD["lat"], HEAD["lon"], "总部大楼")
        await m.hear()

        await m.until("2025-03-03T09:45")

        day, other = await m.entry(LI), await m.entry(WANG)
        assert day is not None
        assert other is not None
        assert (day.state, day.place, other.state) == ("on_time", "总部", "missing")
        assert await DayRow.all().count() == 2


async def test_an_attendance_that_refuses_costs_nobody_anything(tmp_path: Path) -> None:
    async with morning(tmp_path) as m:
        await m.rig.enrol(worker("李四", LI))
        await m.agree(MEMBER)
        m.served.far.world.apps[AGENT].check_ins = False

        await m.until("2025-03-03T08:45")
        await m.served.far.say(MEMBER, m.served.far.world.apps[AGENT], "位置:客户A处")
        await m.hear()

        day = await m.entry(LI)
        assert day is not None
        assert (day.state, day.place) == ("on_time", "客户A处")


# — contacts —


async def test_who_joins_the_company_is_registered_and_who_leaves_it_has_left(tmp_path: Path) -> None:
    async with morning(tmp_path) as m:
        m.served.far.world.department(2, "财务部")
        await m.served.far.hire("wangfang", "王芳", 2)
        await m.served.platform.settled()
        await m.hear()
        there = m.rig.engine.people.person(AccountId("wecom:wangfang"))
        assert there is not None
        assert (there.name, there.department, there.active) == ("王芳", "财务部", True)

        await m.served.far.fire("wangfang")
        await m.served.platform.settled()
        await m.hear()

        gone = m.rig.engine.people.person(AccountId("wecom:wangfang"))
        assert gone is not None
        assert (gone.id, gone.active) == (there.id, False)


async def test_who_leaves_the_company_leaves_nothing_of_where_they_were(tmp_path: Path) -> None:
    async with morning(tmp_path) as m:
        await m.rig.enrol(worker("李四", LI))
        await m.agree(MEMBER)
        m.served.far.check_in(MEMBER, HEAD["lat"], HEAD["lon"])
        m.served.far.world.check_ins[0].at = at("2025-03-03T08:35").timestamp()
        await m.until("2025-03-03T08:41")
        assert await DayRow.all().count() == 1

        await m.served.far.fire(MEMBER)
        await m.served.platform.settled()
        await m.hear()

        assert await DayRow.all().count() == 0
