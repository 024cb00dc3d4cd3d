"""The operator takes contacts in and publishes the lexicon by commands: shown first, whole or not at all, and back."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.main import get_command

from groupops import AccountId, ConfigError, GroupId, Manifest, PersonLine, PlatformError
from groupops.desk import Shell, Sitting
from groupops.testing import Rig, rig
from groupops_wecom.customers import Range, Reaction
from groupops_wecom.desk import commands
from groupops_wecom.models import KnownContact, publishings
from groupops_wecom.office import office
from groupops_wecom.publishing import Asked, publish, roll_back, show_rules
from groupops_wecom.taking import Taking, take_contacts
from groupops_wecom.testing import BUSY, CORP, FakeWeCom, Fault, running
from tests.support.wecom_stub import OVER_HTTPX

pytestmark = OVER_HTTPX

CUSTOMERS = GroupId("wecom:wrCustomers")
PACK = """schema = 1
[pack]
id = "own"
title = "自备"
[plugins]
enabled = ["moderation"]
[moderation]
use = ["gambling", "porn"]
[moderation.operator_words]
gambling = ["澳门首家", "百家乐代理"]
ads = ["不算的词"]
"""
STAFF = Range(users=("zhangsan",))


@dataclass
class Desk:
    """A desk on an engine that runs already; work is awaited, and what is said is kept."""

    wecom: FakeWeCom
    rig: Rig
    apps: list[dict[str, Any]]
    said: list[str] = field(default_factory=list[str])

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Sitting]:
        await self.rig.engine.people.load_everywhere()
        yield Sitting(self.rig.engine, "wecom")

    def keys(self) -> dict[str, Any]:
        return {"wecom_apps": self.apps, "wecom_api_base": self.wecom.rest.base, "log_level": "INFO"}

    def now(self, work: Coroutine[Any, Any, Any]) -> Any:
        return work

    def say(self, text: str) -> None:
        self.said.append(text)

    # — how tests look —

    @property
    def output(self) -> str:
        """What was said since it was last looked at."""
        told, self.said = "\n".join(self.said), []
        return told

    def names(self, *, active: bool = True) -> list[str]:
        return sorted(one.name for one in self.rig.engine.people.persons() if one.active is active)

    async def audit(self, what: str) -> list[Any]:
        return [one for one in await self.rig.records.audit() if one.what == what]

    @property
    def rules(self) -> dict[str, list[str]]:
        """Name → words of the rules WeCom has."""
        return {rule["rule_name"]: rule["word_list"] for rule in self.wecom.rest.offices.rules.values()}

    def calls(self, name: str) -> int:
        return sum(call.name == name for call in self.wecom.rest.calls)


def wecom_module() -> ModuleType:
    """What the engine gets of the adapter here: its tables."""
    module = ModuleType("wecom_tables")
    module.__dict__["manifest"] = Manifest(title="企业微信", models="groupops_wecom.models")
    return module


@pytest.fixture
async def desk() -> AsyncGenerator[Desk]:
    async with (
        running(FakeWeCom()) as wecom,
        rig(pack=PACK, plugins=["moderation"], extra={"wecom": wecom_module()}) as r,
    ):
        world = wecom.world
        world.department(2, "财务部")
        world.hire("wangfang", "王芳", 2, position="会计", mobile="13800000000")
        world.hire("zhangsan", "张三", 1)
        app = world.app(customers=True)
        await r.engine.bind_group(CUSTOMERS, packs=["own"])
        key = {
            "corp_id": CORP,
            "agent_id": app.agent_id,
            "secret": app.secret,
            "callback": False,
            "customers": True,
        }
        yield Desk(wecom, r, [key])


# — contacts —


async def test_a_dry_run_shows_what_would_change_and_changes_nothing(desk: Desk) -> None:
    await take_contacts(desk, Taking())

    said = desk.output
    assert "2 个部门,2 人" in said
    assert "新增 2" in said
    assert "王芳（财务部）" in said
    assert "预演" in said
    assert "138" not in said
    assert desk.names() == []
    assert await KnownContact.all().count() == 0


async def test_what_is_applied_is_on_the_register_with_its_account_and_in_the_audit(desk: Desk) -> None:
    await take_contacts(desk, Taking(apply=True))

    person = desk.rig.engine.people.person(AccountId("wecom:wangfang"))
    assert person is not None
    assert (person.name, person.department, person.position) == ("王芳", "财务部", "会计")
    assert "已生效:新增 2 人,变更 0 人,绑定 2 个账号" in desk.output
    [noted] = await desk.audit("contacts taken in")
    assert (noted.actor, noted.detail["created"]) == ("operator", 2)


async def test_the_same_contacts_again_change_nothing(desk: Desk) -> None:
    await take_contacts(desk, Taking(apply=True))

    await take_contacts(desk, Taking(apply=True))

    assert "已生效:新增 0 人,变更 0 人,绑定 0 个账号" in desk.output


async def test_who_is_gone_from_the_contacts_has_left_and_nobody_else_has(desk: Desk) -> None:
    await desk.rig.enrol(PersonLine(name="外单位", accounts=(AccountId("qq:1"),)))
    world = desk.wecom.world
    for number in range(3):
        world.hire(f"u{number}", f"甲{number}", 2)
    await take_contacts(desk, Taking(apply=True))
    world.people["wangfang"].status = 5

    await take_contacts(desk, Taking(apply=True))

    assert desk.names(active=False) == ["王芳"]
    assert "外单位" in desk.names()
    assert "比上次少了 1 人:wangfang" in desk.output


async def test_many_do_not_leave_without_a_second_word(desk: Desk) -> None:
    await take_contacts(desk, Taking(apply=True))
    del desk.wecom.world.people["zhangsan"]

    with pytest.raises(ConfigError, match="加 --yes"):
        await take_contacts(desk, Taking(apply=True))
    assert desk.names(active=False) == []

    await take_contacts(desk, Taking(apply=True, yes=True))
    assert desk.names(active=False) == ["张三"]


async def test_an_empty_directory_makes_nobody_leave(desk: Desk) -> None:
    await take_contacts(desk, Taking(apply=True))
    desk.wecom.world.people.clear()

    with pytest.raises(ConfigError, match="通讯录是空的"):
        await take_contacts(desk, Taking(apply=True, yes=True))
    assert desk.names(active=False) == []


async def test_who_cannot_be_told_apart_stops_everything(desk: Desk) -> None:
    for ref in ("1", "2"):
        await desk.rig.enrol(PersonLine(ref=ref, name="王芳", department="财务部"))

    with pytest.raises(ConfigError, match="有 1 人分不清"):
        await take_contacts(desk, Taking(apply=True))
    assert desk.rig.engine.people.person(AccountId("wecom:zhangsan")) is None


async def test_half_of_the_contacts_are_none(desk: Desk) -> None:
    desk.wecom.rest.faults.add("user/list", Fault(), Fault(errcode=60011))

    with pytest.raises(PlatformError, match="60011"):
        await take_contacts(desk, Taking(apply=True))
    assert desk.names() == []


async def test_a_busy_system_is_asked_again(desk: Desk) -> None:
    desk.wecom.rest.faults.add("user/list", BUSY)

    await take_contacts(desk, Taking(apply=True))

    assert desk.names() == ["张三", "王芳"]


async def test_an_answer_in_json_says_the_same(desk: Desk) -> None:
    await take_contacts(desk, Taking(as_json=True))

    told = json.loads(desk.output)
    assert (told["contacts"]["employees"], told["diff"]["counts"]["new"], told["applied"]) == (2, 2, False)


async def test_every_change_has_its_row_in_the_report(desk: Desk, tmp_path: Path) -> None:
    await take_contacts(desk, Taking(apply=True))
    desk.wecom.world.people["wangfang"].departments[:] = [1]
    desk.wecom.world.people["wangfang"].position = "出纳"

    await take_contacts(desk, Taking(report=tmp_path / "changes.csv"))

    rows = (tmp_path / "changes.csv").read_text("utf-8-sig").splitlines()
    changed = [row.split(",") for row in rows[1:]]
    assert [(row[0], row[3], *row[6:9]) for row in changed] == [
        ("变更", "王芳", "部门", "财务部", "公司"),
        ("变更", "王芳", "职务", "会计", "出纳"),
    ]


async def test_no_secret_is_ever_said(desk: Desk) -> None:
    desk.apps[0]["secret"] = "wrong-secret-7f3a"

    with pytest.raises(PlatformError) as refused:
        await take_contacts(desk, Taking())

    assert "7f3a" not in str(refused.value) + desk.output


# — which app —


async def test_several_apps_are_told_apart_by_their_number(desk: Desk) -> None:
    desk.apps.append(desk.apps[0] | {"agent_id": 7, "customers": False})

    with pytest.raises(ConfigError, match=r"several that will do \(1000002, 7\): say which by --app"):
        office(desk, 0)
    assert office(desk, 7).info.agent_id == 7
    assert office(desk, 0, customers=True).info.agent_id == 1000002


async def test_without_an_app_for_customers_nothing_is_published(desk: Desk) -> None:
    desk.apps[0]["customers"] = False

    with pytest.raises(ConfigError, match="has no app with customers=true; there is none"):
        await publish(desk, Asked(groups=(CUSTOMERS,), whom=STAFF))


async def test_keys_that_do_not_hold_are_named(desk: Desk) -> None:
    desk.apps[0]["agent_id"] = "zehn"

    with pytest.raises(ConfigError, match=r"WECOM_APPS\.0\.AGENT_ID"):
        office(desk, 0)


# — intercept rules —


async def test_a_plan_publishes_nothing(desk: Desk) -> None:
    await publish(desk, Asked(groups=(CUSTOMERS,), whom=STAFF))

    said = desk.output
    assert "新增 groupops-001 加词 2:澳门首家、百家乐代理" in said
    assert "客户不受约束" in said
    assert "预演" in said
    assert (desk.rules, await publishings(f"{CORP}:1000002")) == ({}, [])


async def test_the_own_words_of_a_group_are_published_for_the_categories_in_use(desk: Desk) -> None:
    await publish(desk, Asked(groups=(CUSTOMERS,), whom=STAFF, also=("red_packet",), apply=True))

    [rule] = desk.wecom.rest.offices.rules.values()
    assert {key: value for key, value in rule.items() if key not in {"rule_id", "create_time"}} == {
        "rule_name": "groupops-001",
        "word_list": ["澳门首家", "百家乐代理"],
        "semantics_list": [3],
        "intercept_type": 1,
        "applicable_range": {"user_list": ["zhangsan"], "department_list": []},
    }
    assert "已生效:1 次调用,读回核对一致" in desk.output
    [noted] = await desk.audit("intercept rules published")
    assert noted.detail["add"] == 1


async def test_publishing_again_needs_no_call_and_no_range(desk: Desk) -> None:
    await publish(desk, Asked(groups=(CUSTOMERS,), whom=STAFF, apply=True))
    before = len(desk.wecom.rest.calls)

    await publish(desk, Asked(groups=(CUSTOMERS,), apply=True))

    assert "没有要改动的" in desk.output
    made = [call.name for call in desk.wecom.rest.calls[before:] if call.name != "gettoken"]
    assert {name.rpartition("/")[2] for name in made} == {"get_intercept_rule_list", "get_intercept_rule"}


async def test_a_file_of_words_is_published_as_well(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("加微信\n", "utf-8")

    await publish(
        desk,
        Asked(
            groups=(CUSTOMERS,),
            lists=(str(tmp_path / "more.txt"),),
            whom=STAFF,
            reaction=Reaction.WARN,
            apply=True,
        ),
    )

    assert desk.rules == {"groupops-001": ["加微信", "澳门首家", "百家乐代理"]}


async def test_a_word_wecom_would_not_take_is_named_with_file_line_and_limit(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "long.txt"
    file.write_text(f"好\n{'长' * 33}\n", "utf-8")

    with pytest.raises(ConfigError, match=r"long\.txt:2 .*33 characters; WeCom takes 1 to 32"):
        await publish(desk, Asked(lists=(str(file),), whom=STAFF, apply=True))
    assert desk.rules == {}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(whom=STAFF), "没有说明取哪些词"),
        (Asked(groups=(CUSTOMERS,)), "nobody is named whom the rules bind"),
        (Asked(groups=("wecom:nowhere",), whom=STAFF), "is not bound"),
        (Asked(groups=(CUSTOMERS,), whom=STAFF, also=("hongbao",)), "--also hongbao: there is phone, email"),
    ],
)
async def test_what_is_not_said_is_asked_for(desk: Desk, asked: Asked, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        await publish(desk, asked)


async def test_a_rollback_puts_back_what_stood_before_and_then_what_stood_before_that(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "words.txt"
    for words in ("甲", "甲\n乙"):
        file.write_text(words, "utf-8")
        await publish(desk, Asked(lists=(str(file),), whom=STAFF, apply=True))

    await roll_back(desk, Asked())
    assert desk.rules == {"groupops-001": ["乙", "甲"]}  # only shown

    await roll_back(desk, Asked(apply=True))
    assert desk.rules == {"groupops-001": ["甲"]}
    await roll_back(desk, Asked(apply=True))
    assert desk.rules == {}
    with pytest.raises(ConfigError, match="没有可以撤回的发布"):
        await roll_back(desk, Asked(apply=True))
    assert len(await desk.audit("intercept rules rolled back")) == 2


async def test_a_publishing_that_broke_off_can_be_rolled_back(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("\n".join(f"词{number:03}" for number in range(301)), "utf-8")
    desk.wecom.rest.faults.add("externalcontact/add_intercept_rule", Fault(), Fault(errcode=40058))
    with pytest.raises(PlatformError, match="40058"):
        await publish(desk, Asked(lists=(str(file),), whom=STAFF, apply=True))
    assert len(desk.rules) == 1

    await roll_back(desk, Asked(apply=True))

    assert desk.rules == {}


async def test_what_wecom_does_not_keep_as_published_is_told(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("甲", "utf-8")
    await publish(desk, Asked(lists=(str(file),), whom=STAFF, apply=True))
    [rule] = desk.wecom.rest.offices.rules.values()
    rule["word_list"] = ["乙"]

    await publish(desk, Asked(lists=(str(file),), whom=STAFF))

    assert "修改 groupops-001 加词 1:甲 减词 1:乙" in desk.output


async def test_the_rules_are_shown_and_those_of_others_only_counted(desk: Desk) -> None:
    await publish(desk, Asked(groups=(CUSTOMERS,), whom=STAFF, also=("red_packet",), apply=True))
    theirs = dict(next(iter(desk.wecom.rest.offices.rules.values())), rule_id="X", rule_name="合规部的词")
    desk.wecom.rest.offices.rules["X"] = theirs
    _ = desk.output

    await show_rules(desk, Asked())

    said = desk.output
    assert "groupops-001:2 个词(澳门首家、百家乐代理);警告并拦截;另识别:红包;约束:员工 zhangsan" in said
    assert "另有 1 条不是本程序发布的规则" in said


async def test_only_the_last_twenty_publishings_are_kept(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    for number in range(22):
        file.write_text(f"词{number}", "utf-8")
        await publish(desk, Asked(lists=(str(file),), whom=STAFF, apply=True))

    kept = await publishings(f"{CORP}:1000002")
    assert [one.after[0].words for one in kept] == [(f"词{number}",) for number in range(21, 1, -1)]


# — the shell —


def test_the_shell_offers_what_is_described() -> None:
    found: Any = get_command(commands(Shell("wecom")))

    assert set(found.commands) == {"contacts", "intercept"}
    assert set(found.commands["intercept"].commands) == {"plan", "publish", "rollback", "show"}
