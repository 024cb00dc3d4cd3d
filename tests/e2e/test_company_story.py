"""A company's day on WeCom, from `.env` alone, over real sockets: long connection, callbacks, interfaces, archive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from groupops_wecom.testing import BlockedError
from tests.e2e.company_workshop import CHAT, CUSTOMERS, ROOM, USERS, Company, before, made_company
from tests.e2e.workshop import BETTING, moved_in, on


@pytest.fixture(scope="module")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a database that has the roster in it; the stories copy it."""
    return made_company(tmp_path_factory.mktemp("company"))


@pytest.fixture
async def company(made_home: Path, tmp_path: Path) -> AsyncIterator[Company]:
    """A company, and the home of a bot that is not started yet."""
    shop = Company(moved_in(made_home, tmp_path, Company), tmp_path / "archive")
    await shop.open()
    yield shop
    if shop.bot is not None:
        await asyncio.to_thread(shop.bot.stop)
    await shop.close()


async def settled_in(company: Company) -> None:
    """Have the group looked after, and its two chats known to be one."""
    await company.call("何静", "帮助")
    await company.hears("", "可用的指令")
    await company.call("何静", "群号")
    await company.hears("", CHAT)
    await company.a_second()
    await company.a_second()  # the archive is looked at every second
    await company.whisper("何静", "群号")
    await company.hears("何静", ROOM)
    await company.whisper("何静", f"关联 {CHAT} {ROOM}")
    await company.hears("何静", "已关联")


async def test_a_bet_seen_by_the_bot_and_by_the_archive_is_one_case_and_a_ticket_closes_when_the_owner_has_acted(
    company: Company,
) -> None:
    await company.start(on(5, "10:00"))
    await settled_in(company)

    await company.call("孙涛", f"来玩 {BETTING}a")
    await company.press("何静", "成立,同意", "待核准 1", "赌博", why="经核实属实")
    await company.hears("孙涛", "已核定警告", "第七条")
    await company.happens(lambda: company.sees("何静", "事项 1 已生效", "已选:批准"))
    await company.happens(lambda: company.closed("罗程", "待核准 1"))
    await company.say("孙涛", f"再来 {BETTING}b")
    await company.press("罗程", "成立,同意", "待核准 2", "移出本群", why="经核实属实")
    await company.hears("罗程", "已记录对事项 2 的核准(1/2)")
    await company.press("何静", "成立,同意", "待核准 2", why="已当面沟通")
    await company.hears("何静", "工单", "移出", "孙涛")
    await company.leave("孙涛")
    before = [text for text in company.tickets() if "请群主移出" in text]
    await company.start_again(on(5, "10:20"))
    await company.happens(lambda: any("请群主移出" in text for text in company.tickets(open_=False)))

    assert len(before) == 1
    assert not [text for text in company.tickets() if "请群主移出" in text]
    assert not company.sees("何静", "待核准 3")


async def test_newcomers_confirm_the_rules_by_card_and_an_appeal_is_decided_by_card(company: Company) -> None:
    await company.start(on(5, "10:00"))
    await settled_in(company)

    await company.listed()
    await company.join("李强")
    await company.join("赵敏")
    await company.start_again(on(5, "10:30"))
    await company.hears("", "欢迎", "李强", "赵敏")
    await company.press("李强", "我已读群规", "欢迎")
    await company.hears("李强", "已记下您读过群规")
    await company.happens(lambda: company.sees("李强", "已选:已读"))
    seen_by_the_other = company.sees("赵敏", "我已读群规")
    await company.say("王芳", "你们饭桶车间")
    await company.press("何静", "成立,同意", "待核准 1", why="经核实属实")
    await company.hears("王芳", "已核定警告")
    await company.whisper("王芳", "申诉 1 说的是食堂的饭桶")
    await company.happens(lambda: all(company.sees(one, "申诉 1", "食堂") for one in ("何静", "罗程")))
    await company.start_again(on(5, "10:40"))  # their cards are older than the process that is asked
    await company.press("罗程", "成立,同意", "申诉 1", "食堂", why="属误判")
    await company.hears("王芳", "事项 1 已撤销")
    await company.happens(lambda: company.closed("何静", "申诉 1"))
    await company.start_again(on(5, "11:31"))
    await company.hears("赵敏", "入群清单", "阅读群规")
    await company.whisper("何静", "入群情况")
    await company.hears("何静", "赵敏")

    assert seen_by_the_other
    assert not [told for told in company.told if told.to == "李强" and "阅读群规" in told.text]


async def test_places_check_in_and_who_did_not_is_reminded_and_told_to_the_stewards(company: Company) -> None:
    await company.start(on(5, "10:00"))
    await settled_in(company)
    await company.listed()
    for name in ("李强", "赵敏"):
        await company.join(name)
    await company.start_again(on(5, "10:30"))
    await company.hears("", "欢迎", "赵敏")
    for name in ("王芳", "李强", "赵敏"):
        await company.whisper(name, "同意打卡")
        await company.hears(name, "请先看完说明")
        await company.whisper(name, "同意打卡")
        await company.hears(name, "已记下您的同意")

    await company.start_again(before(on(6, "09:05"), 6))
    await company.is_at("王芳", 31.2304, 121.4737)
    await company.hears("王芳", "已记录", "人民广场")
    company.far.check_in(USERS["赵敏"], 31.2304, 121.4737)
    await company.hears("李强", "打卡")
    await company.start_again(before(on(6, "09:30"), 12))
    await company.hears("何静", "未打卡", "李强")

    listed = company.texts("何静")[-1]
    assert "121.47" not in "".join(told.text for told in company.told)
    assert "赵敏" in listed
    assert listed.splitlines()[-1] == "未打卡:李强"


async def test_contacts_become_the_roster_and_what_staff_may_not_write_to_customers_is_stopped_by_wecom_itself(
    company: Company,
) -> None:
    looked_at = await company.operator("wecom", "contacts")
    applied = await company.operator("wecom", "contacts", "--apply")
    again = await company.operator("wecom", "contacts")
    await company.start(on(5, "10:00"))
    await company.comes_to_customers("wmCUSTOMER2", "客户乙")
    await company.hears("何静", "有新成员入群", "客户乙")
    plan = await company.operator("wecom", "intercept", "plan", *RULES)
    before_it = dict(company.far.rest.offices.rules)
    await company.operator("wecom", "intercept", "publish", *RULES)
    (rule,) = company.far.rest.offices.rules.values()
    with pytest.raises(BlockedError):
        await company.far.say(USERS["王芳"], company.customers, "你们饭桶车间")

    assert "孙涛" in looked_at
    assert "孙涛" in applied
    assert "孙涛" not in again
    assert "饭桶车间" in plan
    assert before_it == {}
    assert (rule["word_list"], rule["semantics_list"], rule["intercept_type"]) == (["饭桶车间"], [3], 1)
    assert rule["applicable_range"] == {"user_list": ["wangfang"], "department_list": []}


RULES = ("--group", f"wecom:{CUSTOMERS}", "--user", USERS["王芳"], "--also", "red_packet")
"""Of which group's words a rule is made, whom it binds, and that it knows red packets too."""
