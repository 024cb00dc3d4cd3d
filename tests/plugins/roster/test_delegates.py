"""Whoever looks after a unit keeps its roster by word in the group; of other units nothing is changed, and it is noted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from groupops import PersonLine, Role
from groupops.records import CaseStatus
from groupops.testing import Rig, rig
from groupops_roster.delegates import read_person
from groupops_roster.models import DelegateChange
from tests.plugins.roster.stories import (
    DAILY,
    DAY,
    HOUR,
    KICK,
    ONLY,
    STEWARDS,
    at,
    audit,
    cases,
    inside,
    line,
    pack,
    person_of,
    tickets,
    told,
)

DELEGATES = 'delegate_roles = ["项目招商经理", "群创建人"]'
MANAGER = line("周经理", "wang", "城东项目招商部", org_roles=frozenset({"项目招商经理"}))


async def registered(rig: Rig, name: str) -> list[tuple[str, bool, frozenset[str]]]:
    return [
        (one.department, one.active, one.org_roles) for one in await rig.records.persons() if one.name == name
    ]


async def test_a_delegate_puts_somebody_of_the_own_unit_on_the_roster() -> None:
    async with rig(pack=pack(DELEGATES), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, MANAGER)
        await r.say("g1", "wang", "入册 李四 城东项目招商部 A0123")

        assert await registered(r, "李四") == [("城东项目招商部", True, frozenset())]
        assert await audit(r, "roster enrolled") == 1


async def test_s21_03_another_unit_is_refused_and_noted() -> None:
    async with rig(pack=pack(DELEGATES), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, MANAGER, line("李四", "li", "城西项目招商部"))
        await r.say("g1", "wang", "入册 张三 城西项目招商部")
        await r.say("g1", "wang", "移出 李四 调离")
        await r.say("g1", "wang", "更新名册 李四 城东项目招商部", mentions=["li"])

        assert await registered(r, "张三") == []
        assert await registered(r, "李四") == [("城西项目招商部", True, frozenset())]
        assert await audit(r, "roster change refused") == 3
        assert "未作更改" in told(r, "wang")[-1]


async def test_a_number_of_another_unit_does_not_take_its_person_over() -> None:
    async with rig(pack=pack(DELEGATES), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, MANAGER, line("李四", unit="城西项目招商部", ref="B0001", active=False))
        await r.say("g1", "wang", "入册 李四 城东项目招商部 B0001")

        assert await registered(r, "李四") == [("城西项目招商部", False, frozenset())]


async def test_nobody_else_changes_the_roster() -> None:
    async with rig(pack=pack(DELEGATES), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, MANAGER, line("李四", "li", "城东项目招商部"))
        await r.say("g1", "li", "入册 张三 城东项目招商部")

        assert await registered(r, "张三") == []
        assert await audit(r, "roster change refused") == 1


async def test_s16b_18_a_creator_takes_somebody_off_with_a_reason_and_a_case_follows() -> None:
    cast = {"owner": Role.OWNER, "wang": Role.MEMBER, "li": Role.MEMBER}
    async with rig(pack=pack(DELEGATES), plugins=ONLY, cast=cast, stewards=("sandbox:admin",)) as r:
        await r.enrol(line("方主", "owner", "办公室"), line("李四", "li", "作业区"))
        await r.say("g1", "owner", "移出 李四")
        assert await registered(r, "李四") == [("作业区", True, frozenset())]
        assert "请写明理由" in told(r, "owner")[-1]

        await r.say("g1", "owner", "移出 李四 调离")
        assert await registered(r, "李四") == [("作业区", False, frozenset())]
        (case,) = await cases(r)
        assert (case.rule, case.status) == ("roster.leaver", CaseStatus.FLAGGED)
        assert "调离" in case.reason
        assert inside(r, "li")
        await r.advance(3 * DAY)
        assert len(await cases(r)) == 1


async def test_what_a_command_does_not_say_stays_as_it_was() -> None:
    async with rig(pack=pack(DELEGATES), plugins=ONLY) as r:
        leader = line(
            "李四", "li", "城东项目招商部", position="组长", org_roles=frozenset({"leader"}), ref="C7"
        )
        await r.enrol(*STEWARDS, MANAGER, leader)
        await r.say("g1", "wang", "移出 李四 离职")

        (person,) = [one for one in await r.records.persons() if one.name == "李四"]
        assert (person.position, person.ref, person.org_roles) == ("组长", "C7", frozenset({"leader"}))


async def test_of_two_with_one_name_the_unit_has_to_be_said() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("李四", unit="财务部"), line("李四", unit="销售部"))
        await r.say("g1", "admin", "移出 李四 离职")
        assert "几位" in told(r, "admin")[-1]
        await r.say("g1", "admin", "移出 财务部-李四 离职")

        assert sorted(await registered(r, "李四")) == [("财务部", False, frozenset()), ("销售部", True, frozenset())]  # fmt: skip


async def test_nobody_takes_oneself_off() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS)
        await r.say("g1", "admin", "移出 陈管 不想干了")

        assert (await registered(r, "陈管"))[0][1] is True


async def test_saying_who_a_member_is_binds_the_account_and_closes_its_case() -> None:
    async with rig(pack=pack(KICK), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        await r.advance(HOUR)
        await r.say("g1", "admin", "更新名册 王五 财务部 F0009", mentions=["wang"])

        assert await person_of(r, "wang") == "王五"
        assert [case.status for case in await cases(r)] == [CaseStatus.DISMISSED]


async def test_a_delegates_word_binds_but_leaves_the_case_to_the_stewards() -> None:
    async with rig(pack=pack(KICK + "\n" + DELEGATES), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, MANAGER)
        await r.advance(HOUR)
        await r.say("g1", "wang", "更新名册 李四 城东项目招商部", mentions=["li"])
        assert await person_of(r, "li") == "李四"
        assert [case.status for case in await cases(r)] == [CaseStatus.FLAGGED]

        await r.advance_to(at("2025-03-04T09:31"))
        assert any("名册已能说明的未结事项 1 件" in text for text in await tickets(r))


async def test_the_next_list_tells_what_was_changed_and_what_was_refused() -> None:
    async with rig(pack=pack(DAILY + DELEGATES), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, MANAGER, line("李四", "li"))
        await r.advance(HOUR)
        await r.say("g1", "wang", "入册 张三 城东项目招商部")
        await r.say("g1", "wang", "入册 赵六 城西项目招商部")
        await r.advance_to(at("2025-03-04T09:31"))

        (text,) = await tickets(r, "名册变动")
        assert "入册 张三(城东项目招商部)" in text
        assert "未获准:入册 城西项目招商部" in text
        assert await DelegateChange.filter(refused=True).count() == 1


async def test_a_steward_may_change_any_unit() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS)
        await r.whisper("g1", "admin", "入册 John Smith 国际部")

        assert await registered(r, "John Smith") == [("国际部", True, frozenset())]


async def test_who_returns_is_the_same_person_as_before() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, PersonLine(name="李四", department="财务部", active=False))
        await r.say("g1", "admin", "入册 李四 财务部")

        assert await registered(r, "李四") == [("财务部", True, frozenset())]


def test_a_telephone_number_is_no_name() -> None:
    assert read_person("13900000000 销售部") is None
    assert read_person("李四 13900000000") is None


@given(st.text(max_size=80))
def test_whatever_is_written_is_read_as_a_person_or_as_nothing(text: str) -> None:
    told = read_person(text)

    assert told is None or (told.name.strip() and told.department and told.name in " ".join(text.split()))
