"""Scenarios are played on the sandbox: they fail when what they say is not so, and a run is told line by line."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

from groupops import (
    Action,
    DecideJoin,
    DeleteMessage,
    Event,
    Evidence,
    JoinRequested,
    Manifest,
    MessagePosted,
    Mute,
    Offence,
    Reply,
    Rule,
    SendFile,
    SendImage,
    SendText,
    Severity,
    hookimpl,
)
from groupops.errors import ScenarioError
from groupops.events import EVENT_KINDS
from groupops.scenario import Played, Result, Scenario, Stageplay, play, play_one, registry, run
from groupops.scenario.reading import read_text

PACK = """
      \"\"\"
      [pack]
      id = "t"
      title = "测试"
      [plugins]
      enabled = ["rude"]
      [clause."rude.word"]
      ref = "篇十 二.5"
      \"\"\"
"""
HEAD = f"# language: zh-CN\n功能: 试\n  场景: 一\n    假如 群规原文{PACK}"


def echo() -> ModuleType:
    """A plugin that says in the group what it heard."""

    def react(event: Event) -> list[SendText] | None:
        parts = [_told(part) for part in getattr(event, "segments", ())]
        told = [
            str(getattr(event, name, ""))
            for name in ("how", "old", "new", "comment", "inviter", "operator", "change")
        ]
        shared = [_told(getattr(event, name)) for name in ("location", "red_packet") if hasattr(event, name)]
        return [SendText(group_id=event.group_id, text=" ".join((event.kind, *parts, *told, *shared)))]

    module = ModuleType("groupops_echo_for_tests")
    module.manifest = Manifest(title="回声", hears=EVENT_KINDS - {"time_came"})
    module.react = hookimpl(react)
    return module


_PARTS = ("kind", "name", "title", "url", "label", "latitude", "longitude", "crs", "wish", "text")


def _told(part: Any) -> str:
    media = getattr(part, "media", None)
    shown = (getattr(part, name, "") for name in _PARTS)
    return " ".join((*map(str, shown), str(media.duration) if media else ""))


MUTE = timedelta(minutes=10)

SHEET = b"name,hours\n\xe8\xb5\xb5\xe4\xb8\x80,8\n"


def clerk() -> ModuleType:
    """A plugin that sends a table and a picture, to whom asked alone or to all, and decides who comes in."""

    def react(event: Event) -> list[Action]:
        group = event.group_id
        if isinstance(event, JoinRequested):
            accept = "担保" in event.comment
            request = event.request_id
            return [DecideJoin(group_id=group, account=event.account, request_id=request, accept=accept)]
        assert isinstance(event, MessagePosted)
        to = event.account if "私" in event.text else None
        if "图" in event.text:
            return [SendImage(group_id=group, data=b"png", caption="图", account=to)]
        return (
            [SendFile(group_id=group, name="考勤.csv", data=SHEET, account=to)] if "表" in event.text else []
        )

    module = ModuleType("groupops_clerk_for_tests")
    module.manifest = Manifest(title="文员", hears=frozenset({"message_posted", "join_requested"}))
    module.react = hookimpl(react)
    return module


def rude() -> ModuleType:
    """A plugin that minds one word, takes the message away and mutes for another."""

    def judge(event: Event) -> Offence | None:
        if not isinstance(event, MessagePosted) or "坏" not in event.text:
            return None
        group, account = event.group_id, event.account
        said = Reply(group_id=group, message_id=event.message_id, text="请文明", account=account)
        gone = DeleteMessage(group_id=group, message_id=event.message_id, account=account)
        hold = Mute(group_id=group, account=account, span=MUTE)
        grave = "极坏" in event.text
        return Offence(
            rule="rude.word",
            reason="用语不当",
            severity=Severity.HIGH,
            ladder="soft",
            auto="mute" if grave else "remind",
            contain=(said, gone, hold) if grave else (said,),
            evidence=(Evidence(what="word", quote="坏"),),
        )

    module = ModuleType("groupops_rude_for_tests")
    module.manifest = Manifest(
        title="测试", hears=frozenset({"message_posted"}), rules=(Rule(id="rude.word", title="测试"),)
    )
    module.judge = hookimpl(judge)
    return module


EXTRA = {"rude": rude(), "echo": echo(), "clerk": clerk()}
CLERK = HEAD.replace('["rude"]', '["clerk"]').split("      [clause")[0] + '      """\n'
ECHO = HEAD.replace('["rude"]', '["echo"]')


async def result_of(steps: str, profile: str = "full", head: str = HEAD) -> Result:
    [scenario] = read_text(head + steps, Path("x.feature"), registry())
    return await play_one(scenario, profile, plugins=EXTRA)


async def holds(steps: str, profile: str = "full", head: str = HEAD) -> None:
    result = await result_of(steps, profile, head)
    assert result.verdict == "passed", result.why


async def fails(steps: str, why: str, profile: str = "full", head: str = HEAD) -> None:
    result = await result_of(steps, profile, head)
    assert result.verdict == "failed"
    assert why in result.why


BAD = "    当 员工甲 说「坏」\n"


@pytest.mark.parametrize(
    ("outcome", "otherwise"),
    [
        ("员工甲 被提醒 1 次", "员工甲 被提醒 2 次"),
        ("员工乙 没有被提醒", "员工甲 没有被提醒"),
        ("提醒 员工甲 的话里有「请文明」", "提醒 员工甲 的话里有「谢谢」"),
        ("提醒 员工甲 的话里没有「谢谢」", "提醒 员工甲 的话里没有「请文明」"),
        ("员工甲 到现在一共被提醒 1 次", "员工甲 到现在一共被提醒 0 次"),
        ("机器人在群里说了 1 次话", "机器人在群里说了 0 次话"),
        ("机器人在群里说的话里有「请文明」", "机器人在群里说的话里有「谢谢」"),
        ("机器人在群里没有说「谢谢」", "机器人在群里没有说「请文明」"),
        ("员工甲 没有收到私信", "员工甲 收到私信,其中有「请文明」"),
        ("立案 1 件", "没有立案"),
        ("该事项的规则是「rude.word」", "该事项的规则是「rude.other」"),
        ("该事项依据「篇十 二.5」", "该事项依据「篇十 二.6」"),
        ("该事项涉及 员工甲", "该事项涉及 员工乙"),
        ("该事项「已生效」", "该事项「待核准」"),
        ("该事项的处分是「提醒」", "该事项的处分是「警告」"),
        ("该事项是第 1 次", "该事项是第 2 次"),
        ("该事项的阶梯是「soft」", "该事项的阶梯是「kick」"),
        ("该事项需 0 人核准", "该事项需 1 人核准"),
        ("该事项的证据里有「坏」", "该事项的证据里有「好」"),
        ("该事项的原因里有「不当」", "该事项的原因里有「刷屏」"),
        ("该事项有 1 条原因", "该事项有 2 条原因"),
        ("该事项保存的原文是「坏」", "该事项没有保存原文"),
        ("员工甲 在阶梯「soft」上有 1 次有效记录", "员工甲 在阶梯「soft」上有 0 次有效记录"),
        ("员工乙 没有任何有效记录", "员工甲 没有任何有效记录"),
        ("没有对任何人采取措施", "员工甲 的消息被撤回"),
        ("员工甲 的消息没有被撤回", "员工甲 被禁言 10 分钟"),
        ("员工甲 没有被禁言", "员工甲 不能发言"),
        ("员工甲 可以发言", "员工甲 被移出群"),
        ("员工甲 仍在群里", "什么也没有发生"),
        ("没有开工单", "开出 1 张工单"),
        ("没有未结的工单", "还有 1 张未结的工单"),
        ("管理员没有收到待办", "管理员收到待办,其中有「坏」"),
        ("审计记有「执行动作」", "审计没有「执行动作」"),
        ("没有推迟的消息", "有 1 条消息推迟到 10:00"),
        ("员工甲 没有待办", "员工甲 的待办「周报」「未完成」"),
        ("平台上同一件事只做了一次", "机器人没有说话"),
        ("设置「discipline.kick_approvals」是「2」", "设置「discipline.kick_approvals」是「3」"),
        ("插件「rude」在运行", "插件「rude」不在运行"),
        ("成员名单里有 员工甲", "成员名单里没有 员工甲"),
        ("加载成功", "加载失败,提示「circle」"),
        ("指令没有得到答复", "指令的答复里有「好」"),
        ("机器人没有向平台要求禁言", "机器人没有向平台要求回复"),
    ],
)
async def test_an_outcome_holds_and_its_opposite_fails(outcome: str, otherwise: str) -> None:
    await holds(f"{BAD}    那么 {outcome}\n")
    await fails(f"{BAD}    那么 {otherwise}\n", f"x.feature:15: 那么 {otherwise}")


@pytest.mark.parametrize(
    ("happening", "heard"),
    [
        ("员工甲 说「你好」", "message_posted text"),
        ("员工甲 @ 员工乙、机器人 说「你好」", "mention"),
        ("员工甲 发 1 张图片", "image"),
        ("员工甲 发文件「a.apk」", "file a.apk"),
        ("员工甲 发链接「https://example.com」,标题「新闻」", "link  新闻 https://example.com"),
        ("员工甲 转发聊天记录「你好」", "card  聊天记录"),
        ("员工甲 发一条 35 秒的语音", "0:00:35"),
        ("员工甲 发位置「南宁站」", "location_shared"),
        ("员工甲 发位置「客户处」,坐标「22.8170,108.3665 gcj02」", "客户处 22.817 108.3665 gcj02"),
        ("员工甲 发位置「客户处」,坐标「22.8170,108.3665」", "108.3665 unknown"),
        ("员工甲 发红包,写着「赔个不是」", "赔个不是"),
        ("新人 入群", "member_joined"),
        ("员工甲 把 新人 拉进群", "invite"),
        ("新人 申请入群,附言「我是小王」", "我是小王"),
        ("新人 申请入群,邀请人 员工甲,附言「我是小王」", "我是小王 sandbox:员工甲"),
        ("员工甲 退群", "member_left left"),
        ("群主 把 员工甲 移出群", "removed"),
        ("员工甲 把群名片改为「财务部+张三」", "财务部+张三"),
        ("群主 把群名改为「新群」", "group_renamed"),
        ("机器人的身份变为「成员」", "role_changed"),
        ("名册把 员工丙 标为离职", "left"),
    ],
)
async def test_what_happens_is_told_to_the_plugins(happening: str, heard: str) -> None:
    steps = (
        "    而且 员工丙 在名册上叫「孙三」\n    而且 员工丙 属于部门「财务部」\n"
        f"    当 {happening}\n    那么 机器人在群里说的话里有「{heard}」\n"
    )

    await holds(steps, head=ECHO)


async def test_a_place_may_be_told_to_the_bot_alone() -> None:
    steps = "    当 员工甲 私下向机器人发位置「南宁站」\n    那么 机器人在群里说的话里有「南宁站」\n"

    await holds(steps, "wecom-app-chat", head=ECHO)


async def test_people_are_as_the_table_says() -> None:
    await holds(
        "    而且 群里有成员\n      | 成员 | 身份 | 群名片 | 岗位 | 部门 | 姓名 |\n"
        "      | 老张 | 管理员 | 财务部+张三 | leader | 财务部 | 张三 |\n"
        "    而且 老李 是「管理员」\n    而且 老张 可以裁定事项\n    而且 员工乙 的群名片是「市场部+李四」\n"
        "    而且 新人 还没有入群\n"
        + BAD
        + "    那么 成员名单里有 老张、老李\n    而且 成员名单里没有 新人\n"
        "    而且 老张 现在的群名片是「财务部+张三」\n    而且 员工乙 现在的群名片是「市场部+李四」\n"
        "    当 新人 入群,群名片「新人」\n    那么 成员名单里有 新人\n"
        "    当 老张 撤销该事项,理由「误会」\n    那么 该事项「已撤销」\n"
    )


@pytest.mark.parametrize(
    ("said", "outcome", "otherwise"),
    [
        ("私表", "员工甲 收到文件「考勤」", "机器人在群里发了文件「考勤」"),
        ("表", "机器人在群里发了文件「考勤」", "机器人没有发文件"),
        ("表", "文件里有「赵一」", "文件里没有「赵一」"),
        ("表", "文件里没有「钱二」", "文件里有「钱二」"),
        ("好", "机器人没有发文件", "文件里没有「钱二」"),
        ("私图", "员工甲 收到图片", "机器人在群里发了图片"),
        ("图", "机器人在群里发了图片", "员工甲 收到图片"),
        ("图", "机器人对谁也没有说「表」", "机器人对谁也没有说「图」"),
        ("私图", "员工甲 收到的私信里没有「表」", "员工甲 收到的私信里没有「图」"),
    ],
)
async def test_files_and_pictures_are_seen(said: str, outcome: str, otherwise: str) -> None:
    await holds(f"    当 员工甲 说「{said}」\n    那么 {outcome}\n", head=CLERK)
    await fails(f"    当 员工甲 说「{said}」\n    那么 {otherwise}\n", otherwise, head=CLERK)


@pytest.mark.parametrize(
    ("comment", "outcome", "otherwise"),
    [
        ("员工甲担保", "新人 的入群申请被同意", "新人 的入群申请被拒绝"),
        ("路过", "新人 的入群申请被拒绝", "新人 的入群申请还没有处理"),
    ],
)
async def test_requests_to_come_in_are_seen_decided(comment: str, outcome: str, otherwise: str) -> None:
    await holds(f"    当 新人 申请入群,附言「{comment}」\n    那么 {outcome}\n", head=CLERK)
    await fails(f"    当 新人 申请入群,附言「{comment}」\n    那么 {otherwise}\n", otherwise, head=CLERK)


async def test_the_register_says_all_that_the_table_says() -> None:
    table = (
        "    而且 群里有成员\n      | 成员 | 姓名 | 工号 | 公司 | 部门 | 职务 | 地区 |\n"
        "      | 员工甲 | 赵一 | 007 | 甲公司 | 财务部 | 经理 | 南宁 |\n"
        "    而且 名册上还有\n      | 姓名 | 工号 |\n      | 钱二 | 008 |\n"
        "    而且 员工乙 的工号是「009」\n    而且 员工乙 属于公司「乙公司」\n"
        "    而且 员工乙 的职务是「干事」\n    而且 员工乙 属于地区「柳州」\n"
    )
    [scenario] = read_text(HEAD + table + BAD + "    那么 立案 1 件\n", Path("x.feature"), registry())
    watcher = _Register()

    await play_one(scenario, plugins=EXTRA, watcher=watcher)

    assert watcher.seen == [
        ("赵一", "007", "甲公司", "财务部", "经理", "南宁"),
        ("员工乙", "009", "乙公司", "", "干事", "柳州"),
        ("钱二", "008", "", "", "", ""),
    ]


class _Register:
    """Keeps the register as it was when the last step was played."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []

    def begins(self, scenario: Scenario, profile: str) -> None:
        """Nothing is registered yet."""

    def played(self, step: Played, stage: Stageplay) -> None:
        """Read the register."""
        if stage.open:
            persons = stage.engine.people.persons()
            self.seen = [(p.name, p.ref, p.company, p.department, p.position, p.region) for p in persons]

    def ended(self, result: Result) -> None:
        """The last reading stands."""


async def test_everybody_may_be_on_the_roster_under_the_name_the_story_uses() -> None:
    steps = "    而且 员工乙 在名册上叫「钱二」\n    而且 群里的人都在名册上\n" + BAD + "    那么 立案 1 件\n"
    [scenario] = read_text(HEAD + steps, Path("x.feature"), registry())
    watcher = _Register()

    await play_one(scenario, plugins=EXTRA, watcher=watcher)

    assert {line[0] for line in watcher.seen} >= {"群主", "员工甲", "钱二"}


async def test_a_group_may_enable_a_few_plugins_of_its_packs() -> None:
    head = HEAD.replace('["rude"]', '["rude", "echo"]')

    await holds(BAD + "    那么 立案 1 件\n    而且 机器人在群里说的话里有「case_changed」\n", head=head)
    await holds(
        "    而且 本群只启用插件「rude」\n" + BAD + "    那么 立案 1 件\n    而且 插件「echo」不在运行\n",
        head=head,
    )


async def test_the_roster_changes_during_the_story() -> None:
    await holds(
        "    当 名册更新为\n      | 姓名 | 成员 | 部门 |\n      | 赵一 | 员工甲 | 财务部 |\n"
        "    那么 审计记有「persons_enrolled」\n    而且 记录里哪里也没有「坏」\n"
        + BAD
        + "    那么 立案 1 件\n"
    )
    await fails(BAD + "    那么 记录里哪里也没有「坏」\n", "“坏” kept nowhere")


async def test_a_case_is_decided_by_a_button_where_there_are_buttons() -> None:
    again = BAD + "    而且 过了 1 小时\n    而且 员工甲 又说「坏」\n    那么 该事项「待核准」\n"
    await holds(again + "    当 管理员甲 点选「批准」\n    那么 该事项「已生效」\n")


async def test_the_bot_is_addressed_by_quoting_it() -> None:
    await holds(
        BAD + "    而且 员工甲 引用机器人的消息说「为什么 1」\n    那么 指令的答复里有「篇十 二.5」\n"
    )


async def test_a_column_or_a_pack_file_that_is_not_there_is_named() -> None:
    table = "    而且 群里有成员\n      | 成员 | 年龄 |\n      | 老张 | 50 |\n" + BAD + "    那么 立案 1 件\n"

    await fails(table, "no column “年龄”")


WORSE = "    当 员工甲 说「极坏」\n"


async def test_deeds_are_seen_where_the_platform_can_do_them() -> None:
    await holds(
        WORSE + "    那么 员工甲 的消息被撤回\n    而且 员工甲 被禁言 10 分钟\n    而且 员工甲 不能发言\n"
        "    当 过了 10 分钟\n    那么 员工甲 可以发言\n"
    )


async def test_degraded_outcomes_are_said_by_conditions() -> None:
    steps = (
        WORSE + "    那么 能撤回消息时:员工甲 的消息被撤回\n"
        "    而且 不能撤回消息时:工单里有「撤回 员工甲」\n    而且 不能禁言时:员工甲 可以发言\n"
    )
    for profile in ("full", "wechat-wechaty", "advisor"):
        await holds(steps, profile)


async def test_a_condition_that_never_holds_is_no_success() -> None:
    await fails(WORSE + "    那么 不能发消息时:没有立案\n", "no outcome was looked at")


BLIND = "    而且 机器人能看到群消息,否则什么也不会发生\n"


async def test_where_nothing_is_seen_nothing_may_happen() -> None:
    steps = BLIND + BAD + "    而且 管理员甲 批准该事项\n    那么 立案 1 件\n"

    result = await result_of(steps, "wecom-customer-group")

    assert result.verdict == "passed"
    assert [step.mark for step in result.steps[-2:]] == ["passed_over", "passed_over"]


async def test_where_nothing_is_seen_but_something_happens_the_scenario_fails() -> None:
    steps = BLIND + "    当 员工甲 @ 机器人 说「坏」\n    那么 立案 1 件\n"

    await fails(steps, "nothing should have happened", "wecom-aibot")


async def test_outcomes_look_at_what_happened_since_the_last_ones() -> None:
    await holds(
        BAD + "    那么 员工甲 被提醒 1 次\n    当 员工乙 说「好」\n    那么 什么也没有发生\n"
        "    当 员工乙 说「坏」\n    那么 员工乙 被提醒 1 次\n    而且 员工甲 没有被提醒\n"
    )


async def test_decisions_are_given_on_every_platform() -> None:
    steps = (
        BAD + "    当 过了 1 小时\n    而且 员工甲 又说「坏」\n    那么 该事项「待核准」\n"
        "    当 管理员甲 批准该事项\n    那么 该事项「已生效」\n    而且 该事项是第 2 次\n"
        "    当 员工甲 申诉该事项,理由「误会」\n    那么 该事项「申诉中」\n"
        "    当 管理员乙 批准该事项,理由「确属误会」\n    那么 该事项「已撤销」\n"
    )
    for profile in ("full", "qq-official", "wechat-wechaty", "advisor"):
        await holds(steps, profile)


async def test_a_restart_forgets_nothing_and_does_nothing_twice() -> None:
    await holds(
        BAD + "    而且 机器人重启\n    而且 同一条消息又送达 2 次\n"
        "    那么 立案 1 件\n    而且 员工甲 被提醒 1 次\n    而且 平台上同一件事只做了一次\n"
        "    当 过了 1 小时\n    而且 员工甲 又说「坏」\n    那么 该事项的处分是「警告」\n"
    )


async def test_a_database_that_refuses_is_waited_for_on_the_stopped_clock() -> None:
    await holds(
        "    当 数据库拒绝写入\n    而且 员工甲 说「极坏」\n    那么 没有立案\n    而且 没有对任何人采取措施\n"
        "    当 数据库恢复写入\n    而且 过了 1 分钟\n    那么 立案 1 件\n    而且 员工甲 的消息被撤回\n"
    )


async def test_a_second_account_shares_the_strikes_of_its_person() -> None:
    await holds(
        "    而且 员工甲 在平台「qq」另有绑定的账号\n    而且 平台「qq」上另有群「Q群」使用同样的群规\n"
        + BAD
        + "    当 过了 1 小时\n    而且 在群「Q群」里,员工甲 又说「坏」\n    那么 该事项「待核准」\n"
        "    而且 该事项的处分是「警告」\n"
    )


async def test_plugins_that_fail_are_named_and_the_others_stand() -> None:
    await holds(
        "    而且 插件「broken」每次都出错\n    而且 插件「sleepy」每次都不作答\n"
        + BAD
        + "    那么 员工甲 被提醒 1 次\n    而且 插件「broken」的故障被记下\n    而且 插件「sleepy」的故障被记下\n"
    )


async def test_settings_stages_and_dates_are_said_before_and_changed_later() -> None:
    await holds(
        "    而且 设置「discipline.kick_approvals」为「3」\n    而且 规则处于「试运行」阶段\n"
        + BAD
        + "    那么 没有立案\n    而且 审计记有「本应处理」\n    而且 设置「discipline.kick_approvals」是「3」\n"
        "    当 操作者把规则转入「执行」阶段\n    而且 员工甲 又说「坏」\n    那么 立案 1 件\n"
        "    当 操作者把规则恢复到第 1 版\n    那么 设置「discipline.kick_approvals」是「2」\n"
    )
    await holds(
        "    而且 群规自 2025-03-05 起生效\n" + BAD + "    那么 没有立案\n"
        "    当 2025-03-05 00:00,员工甲 又说「坏」\n    那么 立案 1 件\n"
    )


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ("    当 路人 说「坏」\n    那么 没有立案\n", "nobody is called “路人”"),
        (BAD + "    而且 08:00,员工甲 说「坏」\n    那么 立案 1 件\n", "time only moves forwards"),
        ("    当 员工甲 说「好」\n    假如 群规「s10」\n    那么 没有立案\n", "before anything happens"),
        ("    假如 群规文件「none.toml」\n    当 员工甲 说「好」\n    那么 没有立案\n", "no pack file"),
        ("    假如 群规「s100」\n    当 员工甲 说「好」\n    那么 没有立案\n", "there is no pack 's100'"),
        (WORSE + "    而且 员工甲 说「好」\n    那么 没有立案\n", "is muted and cannot post"),
        ("    当 在群「别群」里,员工甲 说「好」\n    那么 没有立案\n", "there is no group “别群”"),
        ("    当 员工乙 批准该事项\n    那么 没有立案\n", "there is no case"),
        ("    当 员工甲 撤回刚才的消息\n    那么 没有立案\n", "has not said anything"),
    ],
)
async def test_what_cannot_be_played_fails_with_a_reason(steps: str, why: str) -> None:
    await fails(steps, why)


async def test_a_needed_plugin_that_is_not_installed_skips() -> None:
    head = HEAD.replace("  场景", "  @needs-moon-phase\n  场景")

    result = await result_of(BAD + "    那么 立案 1 件\n", head=head)

    assert (result.verdict, result.why) == ("skipped", "needs moon_phase, not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three scenarios without any plugin: one that holds, one that does not, one that wants a plugin."""
    text = (
        "# language: zh-CN\n功能: 试\n  场景: 好\n    当 员工甲 说「好」\n    那么 没有立案\n"
        "  场景: 坏\n    当 员工甲 说「好」\n    那么 立案 1 件\n"
        "  @needs-moon @profiles\n  场景: 待\n    当 员工甲 说「好」\n    那么 没有立案\n"
    )
    (tmp_path / "a.feature").write_text(text, "utf-8")
    return tmp_path


def played(folder: Path, **options: Any) -> tuple[int, str]:
    out = StringIO()
    console = Console(file=out, width=200)
    code = run([folder], options.get("profile"), options.get("json", False), console)
    return code, out.getvalue()


def test_a_run_prints_every_step_and_ends_with_the_counts(folder: Path) -> None:
    code, text = played(folder)

    assert code == 1
    assert text.splitlines()[-1] == "1 passed, 1 failed, 1 skipped"
    assert "✓ 03-03 09:00:00  当 员工甲 说「好」" in text
    assert "✗ 03-03 09:00:00  那么 立案 1 件" in text
    assert "expected 1 case(s), not 0; nothing happened since" in text
    assert "needs moon, not installed" in text
    assert text.splitlines()[-3] == "skipped, waiting for: moon 1"


def test_a_run_can_be_read_by_a_program(folder: Path) -> None:
    code, text = played(folder, json=True)
    whole = json.loads(text)

    assert code == 1
    assert whole["line"] == "1 passed, 1 failed, 1 skipped"
    assert whole["waiting"] == {"moon": 1}
    assert [one["verdict"] for one in whole["results"]] == ["passed", "failed", "skipped"]
    assert whole["results"][1]["steps"][-1]["mark"] == "failed"


def test_a_run_can_be_held_to_one_profile(folder: Path) -> None:
    _, text = played(folder, profile="advisor")

    assert "[advisor]" in text
    assert "[full]" not in text


@pytest.mark.parametrize("profile", [None, "moon"])
def test_a_wrong_path_or_profile_ends_with_two(tmp_path: Path, profile: str | None) -> None:
    folder = tmp_path / "none"
    if profile:
        folder.mkdir()

    code, text = played(folder, profile=profile)

    assert code == 2
    assert ("no scenario file" in text) or ("no profile" in text)


async def test_a_scenario_may_be_meant_for_some_platforms_only(tmp_path: Path) -> None:
    text = (
        "# language: zh-CN\n功能: 试\n  场景大纲: 一\n    假如 在平台「<平台>」上演\n    当 员工甲 说「好」\n"
        "    那么 没有立案\n    例子:\n      | 平台 |\n      | advisor |\n      | full |\n"
    )
    (tmp_path / "a.feature").write_text(text, "utf-8")

    everywhere = await play([tmp_path])
    on_one = await play([tmp_path], "advisor")

    assert [result.profile for result in everywhere.results] == ["advisor", "full"]
    assert [result.profile for result in on_one.results] == ["advisor"]


async def test_a_watcher_is_told_of_every_step(folder: Path) -> None:
    class Watcher:
        def __init__(self) -> None:
            self.told = []

        def begins(self, scenario: Scenario, profile: str) -> None:
            self.told.append(scenario.title)

        def played(self, step: Played, stage: Stageplay) -> None:
            assert isinstance(stage, Stageplay)
            self.told.append(step.line.text)

        def ended(self, result: Result) -> None:
            self.told.append(result.verdict)

    watcher = Watcher()
    report = await play([folder], watcher=watcher)

    assert watcher.told[:4] == ["好", "员工甲 说「好」", "没有立案", "passed"]
    assert not report.ok


async def test_a_folder_without_scenarios_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no scenario file"):
        await play([tmp_path])
