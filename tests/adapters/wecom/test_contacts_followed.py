"""A change WeCom tells of its contacts is on the register at once: looked up by its ids, and as little as is needed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from nonebot.drivers.httpx import Mixin

from groupops import AccountId, GroupId, Person, PersonLine
from groupops.testing import Rig, rig
from groupops_wecom.app_events import app_event
from groupops_wecom.event import ChangeContact
from groupops_wecom.people import Following, read_staff
from groupops_wecom.qyapi import QyApi
from groupops_wecom.testing import FakeWeCom, running
from tests.support.wecom_stub import OVER_HTTPX

pytestmark = OVER_HTTPX

GROUP = GroupId("wecom:wrDuty01")


@dataclass
class Company:
    """A company, a group that is looked after, and what follows the contacts."""

    wecom: FakeWeCom
    rig: Rig
    api: QyApi
    following: Following = field(init=False)

    def __post_init__(self) -> None:
        self.following = Following(self.api)

    async def told(self, change: str, userid: str, **more: Any) -> Any:
        """WeCom tells of a change as it does: ids, and hardly more."""
        raw = {
            "FromUserName": "sys",
            "CreateTime": str(int(self.rig.clock.now().timestamp())),
            "MsgType": "event",
            "Event": "change_contact",
            "ChangeType": change,
            "UserID": userid,
            **more,
        }
        event = app_event(raw, "app", 0.0)
        assert isinstance(event, ChangeContact)
        people = self.rig.engine.people
        fact = await self.following.told_of(event, people, GROUP, now=self.rig.clock.now())
        if fact is not None:
            await self.rig.tell(fact)
        return fact

    def person(self, userid: str) -> Person | None:
        return self.rig.engine.people.person(AccountId(f"wecom:{userid}"))

    @property
    def calls(self) -> list[str]:
        return [call.name for call in self.wecom.rest.calls if call.name != "gettoken"]


@pytest.fixture
async def company() -> AsyncGenerator[Company]:
    async with running(FakeWeCom()) as wecom, rig() as r:
        world = wecom.world
        world.department(2, "财务部")
        world.department(3, "出纳组", 2)
        app = world.app()
        await r.engine.bind_group(GROUP, packs=[])
        yield Company(wecom, r, QyApi(world.corp_id, {"app": app.secret}, Mixin().request, wecom.rest.base))


async def test_a_newcomer_is_looked_up_and_registered(company: Company) -> None:
    company.wecom.world.hire("wangfang", "王芳", 3, position="会计", mobile="13800000000")

    fact = await company.told("create_user", "wangfang")

    person = company.person("wangfang")
    assert person is not None
    assert (person.name, person.department, person.position) == ("王芳", "出纳组", "会计")
    assert "138" not in repr(fact)


async def test_who_moves_to_another_department_is_there_on_the_register(company: Company) -> None:
    someone = company.wecom.world.hire("wangfang", "王芳", 3)
    await company.told("create_user", "wangfang")
    someone.departments[:] = [2]

    await company.told("update_user", "wangfang")

    person = company.person("wangfang")
    assert person is not None
    assert person.department == "财务部"


async def test_who_is_deleted_has_left_without_being_looked_up(company: Company) -> None:
    company.wecom.world.hire("wangfang", "王芳", 2)
    await company.told("create_user", "wangfang")
    before = len(company.calls)

    await company.told("delete_user", "wangfang")

    person = company.person("wangfang")
    assert person is not None
    assert not person.active
    assert len(company.calls) == before


async def test_a_new_id_is_bound_to_the_same_person(company: Company) -> None:
    company.wecom.world.hire("wangfang", "王芳", 2)
    await company.told("create_user", "wangfang")
    company.wecom.world.hire("fang.wang", "王芳", 2)

    await company.told("update_user", "wangfang", NewUserID="fang.wang")

    before, after = company.person("wangfang"), company.person("fang.wang")
    assert before is not None
    assert before == after


async def test_whom_hr_registered_keeps_number_and_roles(company: Company) -> None:
    hr = PersonLine(
        ref="7", name="王芳", org_roles=frozenset({"hr"}), accounts=(AccountId("wecom:wangfang"),)
    )
    await company.rig.enrol(hr)
    company.wecom.world.hire("wangfang", "王芳", 2)

    await company.told("update_user", "wangfang")

    person = company.person("wangfang")
    assert person is not None
    assert (person.ref, person.org_roles, person.department) == ("7", frozenset({"hr"}), "财务部")


async def test_who_is_gone_before_being_looked_up_is_nobody(company: Company) -> None:
    assert await company.told("create_user", "nobody") is None


async def test_what_is_no_change_of_a_member_is_no_fact(company: Company) -> None:
    for change in ("create_party", "update_tag", "delete_party"):
        assert await company.told(change, "") is None


async def test_the_names_of_departments_are_asked_for_once(company: Company) -> None:
    for number in range(3):
        company.wecom.world.hire(f"u{number}", f"甲{number}", 2)
        await company.told("create_user", f"u{number}")

    assert company.calls.count("department/list") == 1


async def test_the_same_change_told_twice_is_one_fact(company: Company) -> None:
    company.wecom.world.hire("wangfang", "王芳", 2)
    await company.told("create_user", "wangfang")

    assert await company.told("create_user", "wangfang") is None


async def test_what_comes_late_says_when_it_came(company: Company) -> None:
    company.wecom.world.hire("wangfang", "王芳", 2)
    happened = int((company.rig.clock.now() - timedelta(minutes=5)).timestamp())

    fact = await company.told("create_user", "wangfang", CreateTime=str(happened))

    assert fact.received_at == company.rig.clock.now()


async def test_the_whole_of_the_contacts_is_read_by_walking_the_departments(company: Company) -> None:
    world = company.wecom.world
    world.hire("wangfang", "王芳", 3, 2)
    world.hire("lilei", "李雷", 1)
    world.hire("gone", "走了", 2, status=5)

    staff = await read_staff(company.api)

    assert [(one.userid, one.department) for one in staff.employees] == [
        ("lilei", "公司"),
        ("wangfang", "出纳组"),
    ]
    assert company.calls.count("user/list") == 3
