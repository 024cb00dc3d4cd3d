"""Once a day a group is held against the roster: one list for the stewards, cases as they are set, nobody put out."""

from __future__ import annotations

from datetime import timedelta

from groupops import Role
from groupops.records import CaseStatus
from groupops.testing import CAST, MONDAY, Rig, rig
from groupops_roster.models import CheckRun
from tests.plugins.roster.stories import (
    DAILY,
    DAY,
    HOUR,
    KICK,
    MINUTE,
    ONLY,
    STAFF,
    STEWARDS,
    at,
    audit,
    cases,
    inside,
    line,
    pack,
    said,
    tickets,
    told,
)

F5 = '[roster.card]\nformat = "F5"'


async def list_of_today(rig: Rig) -> str:
    (text,) = await tickets(rig, "名册核对")
    return text


async def test_where_all_is_well_nobody_is_told() -> None:
    async with rig(pack=pack(DAILY), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.advance(2 * DAY)

        assert await tickets(r) == []
        assert await audit(r, "roster checked") == 2


async def test_without_a_time_nothing_is_checked() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS)
        await r.advance(2 * DAY)

        assert await audit(r, "roster checked") == 0


async def test_s10_19_two_unknown_members_are_two_cases_and_one_is_closed_by_the_roster() -> None:
    async with rig(pack=pack(KICK), plugins=ONLY) as r:
        await r.enrol(*STEWARDS)
        await r.advance_to(at("2025-03-03T09:30"))
        assert sorted(case.account for case in await cases(r)) == ["sandbox:li", "sandbox:wang"]
        assert {case.ladder for case in await cases(r)} == {"kick"}
        assert inside(r, "li")
        assert inside(r, "wang")

        await r.advance(MINUTE)
        await r.enrol(line("王五", "wang"))
        await r.say("g1", "admin", "/更新名册")
        assert {case.account: case.status for case in await cases(r)} == {
            "sandbox:wang": CaseStatus.DISMISSED,
            "sandbox:li": CaseStatus.FLAGGED,
        }

        await r.advance_to(at("2025-03-04T09:31"))
        assert len(await cases(r)) == 2


async def test_the_list_names_every_kind_once() -> None:
    table = pack(DAILY, F5, 'must_join = ["总监", "各项目招商部", "行政区域"]')
    async with rig(pack=table, plugins=ONLY) as r:
        r.sandbox.member("g1", "gone", name="旧人")
        r.sandbox.member("g1", "who", name="路人甲")
        await r.tell(r.sandbox.census("g1"))
        await r.advance_to(at("2025-03-03T09:10"))
        await r.enrol(
            *STEWARDS,
            line("王五", "wang"),
            line("李四", "li"),
            line("旧人", "gone", active=False),
            line("孙总", position="销售总监"),
            line("周招", unit="城东项目招商部"),
        )
        await r.advance_to(at("2025-03-03T09:31"))

        text = await list_of_today(r)
        assert "共 7 人" in text
        assert "已离职仍在群(三.2)(1)" in text
        assert "应入未入(2):孙总(销售部)、周招(城东项目招商部)" in text
        assert "名册中没有对应的人,请核对写法:行政区域" in text
        assert "旧人" not in text.split("群名片不合格式")[1].split("\n")[0]
        assert "群名片不合格式(一.2)" in text
        assert "试用中(1):路人甲" in text


async def test_a_person_with_two_accounts_inside_is_listed_with_both() -> None:
    async with rig(pack=pack(DAILY), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        r.sandbox.member("g1", "wang2", name="小号")
        await r.tell(r.sandbox.census("g1"))
        await r.say("g1", "admin", "更新名册 王五 销售部", mentions=["wang2"])
        await r.advance_to(at("2025-03-03T09:31"))

        assert "一人多个账号(1):wang = 王五(销售部) / 小号 = 王五(销售部)" in await list_of_today(r)


async def test_somebody_whose_name_is_anothers_account_already_is_listed() -> None:
    async with rig(pack=pack(DAILY, F5), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("李四", "li"), line("王五", "wang"))
        r.sandbox.member("g1", "fake", name="王五")
        await r.tell(r.sandbox.census("g1"))
        await r.advance_to(at("2025-03-03T09:31"))

        assert "群名片所写的人已另有账号,请核对(1):王五" in await list_of_today(r)


async def test_s18_20_flagged_first_and_a_case_a_day_later() -> None:
    table = pack(DAILY + 'unknown_action = "flag_then_case"\nguests = "by_invitation"')
    async with rig(pack=table, plugins=ONLY) as r:
        await r.enrol(*STEWARDS)
        await r.advance_to(at("2025-03-03T09:20"))
        await r.say("g1", "admin", "/来宾 li 邀请:王五 同意:陈管")
        await r.advance_to(at("2025-03-03T09:30"))
        text = await list_of_today(r)
        assert "不在名册(一.1)(1):wang" in text
        assert "li" not in text.split("不在名册")[1].split("\n")[0]
        assert "来宾 1 人" in text
        assert await cases(r) == []
        assert len(told(r, "wang")) == 1

        await r.advance_to(at("2025-03-04T09:30"))
        (case,) = await cases(r)
        assert (case.account, case.ladder) == ("sandbox:wang", "kick")


async def test_admins_nobody_bound_are_listed_apart_and_are_no_case() -> None:
    async with rig(pack=pack(KICK), plugins=ONLY) as r:
        await r.enrol(line("王五", "wang"), line("李四", "li"))
        await r.advance(HOUR)

        assert await cases(r) == []
        assert "管理员账号尚未绑定名册(3)" in await list_of_today(r)


async def test_an_empty_roster_makes_nobody_an_outsider() -> None:
    async with rig(pack=pack(KICK), plugins=ONLY) as r:
        await r.advance(HOUR)

        assert await cases(r) == []
        assert any("名册尚未导入" in text for text in await tickets(r))


async def test_neither_does_a_roster_that_knows_too_few() -> None:
    crowd = {**CAST, **{f"m{number}": Role.MEMBER for number in range(12)}}
    async with rig(pack=pack(KICK), plugins=ONLY, cast=crowd) as r:
        await r.enrol(*STAFF)
        await r.advance(HOUR)

        assert await cases(r) == []
        assert any("过多(12/17)" in text for text in await tickets(r))


async def test_whom_a_card_names_waits_for_confirmation_and_is_no_case() -> None:
    async with rig(pack=pack(KICK, F5), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("李四", "li"), line("王五"))
        r.sandbox.member("g1", "wang", name="王五")
        r.sandbox.world.room("g1").seats["sandbox:wang"].card = "王五"
        await r.tell(r.sandbox.census("g1"))
        await r.advance(HOUR)

        assert await cases(r) == []
        text = await list_of_today(r)
        assert "待确认绑定(1):王五" in text
        assert "名册 待核" in text


async def test_a_case_a_steward_turned_down_is_not_opened_again() -> None:
    async with rig(pack=pack(KICK), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        await r.advance(HOUR)
        await r.say("g1", "admin", "驳回 1 是新来的顾问")
        await r.advance(5 * DAY)

        assert [case.status for case in await cases(r)] == [CaseStatus.DISMISSED]
        assert "已核验或认可" in (await tickets(r, "名册核对"))[-1]


async def test_a_case_nobody_decided_is_put_before_the_stewards_again() -> None:
    async with rig(pack=pack(KICK), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        await r.advance(4 * DAY)

        statuses = [case.status for case in await cases(r)]
        assert statuses == [CaseStatus.LAPSED, CaseStatus.FLAGGED]


async def test_a_removal_takes_two_stewards_and_a_reason() -> None:
    async with rig(pack=pack(KICK), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        await r.advance(HOUR)
        await r.say("g1", "admin", "批准 1 非本单位人员")
        await r.say("g1", "admin", "批准 1 非本单位人员")
        assert inside(r, "wang")
        await r.say("g1", "admin2", "批准 1 已核实")

        assert not inside(r, "wang")


async def test_only_so_many_are_reminded_of_their_card_in_one_check() -> None:
    table = pack(DAILY, F5 + "\nremind_per_audit = 2")
    crowd = {f"m{number}": Role.MEMBER for number in range(6)}
    async with rig(pack=table, plugins=ONLY, cast=crowd) as r:
        await r.enrol(line("李四"))
        reminded: list[int] = []
        for _ in range(3):
            await r.advance_to(at("2025-03-03T09:31") + len(reminded) * DAY)
            reminded.append(sum(bool(told(r, name)) for name in crowd))

        assert reminded == [2, 4, 6]


async def test_on_demand_the_list_is_shown_and_nothing_follows() -> None:
    async with rig(pack=pack(KICK), plugins=ONLY) as r:
        await r.enrol(*STEWARDS)
        await r.say("g1", "admin", "/名册 核对")

        assert "不在名册(一.1)(2):wang、li" in told(r, "admin")[-1]
        assert await cases(r) == []
        assert said(r) == []
        assert await audit(r, "roster list shown") == 1


async def test_only_stewards_see_it() -> None:
    async with rig(pack=pack(KICK), plugins=ONLY) as r:
        await r.enrol(*STAFF)
        await r.say("g1", "wang", "/名册 核对")

        assert told(r, "wang") == []
        assert "只有管理员" in said(r)[-1]


async def test_a_group_of_certain_units_lists_others_and_holds_nothing_against_them() -> None:
    units = 'eligible = "department"\nmust_join = ["招商中心", "各项目招商部"]'
    async with rig(pack=pack(KICK, group=units), plugins=ONLY) as r:
        await r.enrol(
            *(line(name, account, "招商中心") for name, account in (("陈管", "admin"), ("林管", "admin2"), ("方主", "owner"))),
            line("王五", "wang", "城东项目招商部"),
            line("李四", "li", "法务部"),
        )  # fmt: skip
        await r.advance(HOUR)

        assert "在册但不属于本群应收部门(1):li = 李四(法务部)" in await list_of_today(r)
        assert await cases(r) == []


async def test_what_was_missed_while_nothing_ran_is_checked_once() -> None:
    async with rig(pack=pack(KICK), plugins=ONLY, start=MONDAY + timedelta(hours=-1)) as r:
        await r.enrol(*STEWARDS)
        r.clock.moment = at("2025-03-03T18:00")
        await r.settle()

        assert await CheckRun.all().count() == 1
        assert len(await cases(r)) == 2
