"""Sentences that say how things stand before anything happens: packs, settings, people, groups, faults."""
# ruff: noqa: D415 - the first lines are sentences of the Chinese manual, with its full stop

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from types import ModuleType
from typing import Any

from groupops.errors import ScenarioError
from groupops.events import EVENT_KINDS
from groupops.people import Role, Stage
from groupops.plugin import Manifest, hookimpl
from groupops.scenario.language import given
from groupops.scenario.reading import ONLY_ON
from groupops.scenario.stage import HOME, PLATFORM, Actor, Place, Stageplay
from groupops.scenario.words import Moment, meaning
from groupops.shelf import nearest, parse_pack

# — policy —


@given("群规{text}")
async def use_packs(stage: Stageplay, packs: str) -> None:
    """本群使用这些规则包(编号,用顿号隔开)。"""
    stage.before().packs += tuple(one.strip() for one in packs.split("、"))


@given("群规文件{text}")
async def use_pack_file(stage: Stageplay, name: str) -> None:
    """本群使用场景文件旁边的一个规则包文件。"""
    setup = stage.before()
    path = setup.folder / name
    if not path.is_file():
        others = sorted(one.name for one in setup.folder.glob("*.toml"))
        raise ScenarioError(
            f"there is no pack file “{name}” beside the scenario{nearest(name, others, every=True)}"
        )
    pack = parse_pack(path.read_text("utf-8"), path=name)
    setup.more.append(pack)
    setup.packs += (pack.id,)


@given("群规原文")
async def use_pack_text(stage: Stageplay, *, doc: str) -> None:
    """本群使用下面写出的规则包(TOML)。"""
    pack = parse_pack(doc, path="the pack in the scenario")
    setup = stage.before()
    setup.more.append(pack)
    setup.packs += (pack.id,)


@given("还有规则包")
async def shelve_pack_text(stage: Stageplay, *, doc: str) -> None:
    """规则包架上另有下面写出的规则包,但本群不直接使用。"""
    stage.before().more.append(parse_pack(doc, path="another pack in the scenario"))


@given("未登记的群套用群规{text}")
async def default_packs(stage: Stageplay, packs: str) -> None:
    """没有登记的群一被看到,就以试运行套用这些规则包。"""
    stage.before().default_packs = tuple(one.strip() for one in packs.split("、"))


@given("群规自 {date} 起生效")
async def effective_from(stage: Stageplay, day: date) -> None:
    """本群的规则从这一天零点起生效。"""
    stage.before().effective = day


@given("规则处于{stage}阶段")
async def begin_in_stage(stage: Stageplay, to: str) -> None:
    """本群的规则处于这个阶段:草稿、演练、试运行、只提醒、执行。"""
    stage.before().stage = Stage(to)


@given("设置{text}为{text}")
async def begin_with_setting(stage: Stageplay, key: str, value: str) -> None:
    """本群自己的一项设置(键如 quiet_hours.action,值可写 JSON)。"""
    if stage.open:
        await stage.set(key, value, author="operator")
        return
    stage.before().settings[key] = value


@given("本群只启用插件{text}")
async def only_these_plugins(stage: Stageplay, names: str) -> None:
    """本群自己只启用这几个插件(用顿号隔开),不论规则包要哪些。"""
    wanted = [one.strip() for one in names.split("、")]
    stage.before().settings["plugins.enabled"] = json.dumps(wanted)


# — time —


@given("现在是 {time}")
async def begin_at(stage: Stageplay, moment: Moment) -> None:
    """故事从这一刻开始;不说则从 2025-03-03(周一)09:00 开始。"""
    stage.before()
    await stage.go_to(moment)


@given("时区是{text}")
async def begin_in_zone(stage: Stageplay, zone: str) -> None:
    """本群的时区(IANA 名称),不说则为 Asia/Shanghai。"""
    stage.before().zone = zone


@given("工作日历把 {date} 定为工作日")
async def workday(stage: Stageplay, day: date) -> None:
    """操作者的日历表把这一天定为工作日。"""
    stage.before().days[day] = True


@given("工作日历把 {date} 定为休息日")
async def restday(stage: Stageplay, day: date) -> None:
    """操作者的日历表把这一天定为休息日。"""
    stage.before().days[day] = False


# — people —


@given("群里有 {accounts}")
async def members(stage: Stageplay, names: tuple[str, ...]) -> None:
    """群里另有这些普通成员(默认已有群主、管理员甲、管理员乙、员工甲、员工乙、员工丙)。"""
    for name in names:
        stage.before().cast.setdefault(name, Actor(name=name))


@given("群里有成员")
async def members_of_table(stage: Stageplay, *, table: list[dict[str, str]]) -> None:
    """按表增改成员:成员,以及可选的 身份、群名片、昵称、岗位、工号、公司、部门、职务、地区、姓名。"""
    cast = stage.before().cast
    for row in table:
        name = row.get("成员", "")
        if not name:
            raise ScenarioError("a table of members needs a column 成员, with a name in every row")
        cast[name] = described(cast.get(name, Actor(name=name)), row)


@given("群里的人都在名册上")
async def all_on_roster(stage: Stageplay) -> None:
    """到此为止说到的人都已登记在名册上,没有另写姓名的,姓名就是场景里的叫法。"""
    for actor in stage.before().cast.values():
        actor.real_name = actor.real_name or actor.name


@given("名册上还有")
async def others_on_roster(stage: Stageplay, *, table: list[dict[str, str]]) -> None:
    """名册上另有这些人,还没有绑定账号:姓名,以及可选的 岗位、工号、公司、部门、职务、地区。"""
    for row in table:
        if not row.get("姓名"):
            raise ScenarioError("a table of the roster needs a column 姓名, with a name in every row")
        stage.before().elsewhere.append(described(Actor(name=row["姓名"]), row))


def described(actor: Actor, row: Mapping[str, str]) -> Actor:
    """Give somebody with what a row of a table says of them.

    Raises:
        ScenarioError: there is no such column.
    """
    for column, text in row.items():
        actor = _with(actor, column, text)
    return actor


def _with(actor: Actor, column: str, text: str) -> Actor:
    if column not in _COLUMNS:
        raise ScenarioError(
            f"a table of members has no column “{column}”{nearest(column, _COLUMNS, every=True)}"
        )
    return _COLUMNS[column](actor, text) if text else actor


_COLUMNS: dict[str, Callable[[Actor, str], Actor]] = {
    "成员": lambda actor, _: actor,
    "身份": lambda actor, text: replace(actor, role=Role(meaning("role", text))),
    "群名片": lambda actor, text: replace(actor, card=text),
    "昵称": lambda actor, text: replace(actor, nick=text),
    "岗位": lambda actor, text: replace(actor, roles=frozenset(text.split("、"))),
    "工号": lambda actor, text: replace(actor, ref=text),
    "公司": lambda actor, text: replace(actor, company=text),
    "部门": lambda actor, text: replace(actor, department=text),
    "职务": lambda actor, text: replace(actor, position=text),
    "地区": lambda actor, text: replace(actor, region=text),
    "姓名": lambda actor, text: replace(actor, real_name=text),
}


def _change(stage: Stageplay, name: str, **what: Any) -> None:
    stage.before().cast[name] = replace(stage.actor(name), **what)


@given("{account} 是{role}")
async def has_role(stage: Stageplay, name: str, role: str) -> None:
    """一名成员在平台上的身份:群主、管理员、成员、不明。"""
    stage.before().cast.setdefault(name, Actor(name=name))
    _change(stage, name, role=Role(role))


@given("{account} 的群名片是{text}")
async def has_card(stage: Stageplay, name: str, card: str) -> None:
    """一名成员在群里的名片。"""
    _change(stage, name, card=card)


@given("{account} 的岗位是{text}")
async def has_org_role(stage: Stageplay, name: str, roles: str) -> None:
    """一名成员在单位里的岗位(几个用顿号隔开,如 leader)。"""
    stage.before().cast.setdefault(name, Actor(name=name))
    _change(stage, name, roles=frozenset(roles.split("、")))


@given("{account} 属于部门{text}")
async def has_department(stage: Stageplay, name: str, department: str) -> None:
    """一名成员所在的部门。"""
    _change(stage, name, department=department)


@given("{account} 的工号是{text}")
async def has_ref(stage: Stageplay, name: str, ref: str) -> None:
    """一名成员在单位里的编号(会员号亦同)。"""
    _change(stage, name, ref=ref)


@given("{account} 属于公司{text}")
async def has_company(stage: Stageplay, name: str, company: str) -> None:
    """一名成员所在的公司。"""
    _change(stage, name, company=company)


@given("{account} 的职务是{text}")
async def has_position(stage: Stageplay, name: str, position: str) -> None:
    """一名成员的职务。"""
    _change(stage, name, position=position)


@given("{account} 属于地区{text}")
async def has_region(stage: Stageplay, name: str, region: str) -> None:
    """一名成员所在的地区。"""
    _change(stage, name, region=region)


@given("{account} 在名册上叫{text}")
async def has_name(stage: Stageplay, name: str, real_name: str) -> None:
    """一名成员在名册上的姓名。"""
    _change(stage, name, real_name=real_name)


@given("{account} 可以裁定事项")
async def is_steward(stage: Stageplay, name: str) -> None:
    """一名成员是裁定人(默认为管理员甲、管理员乙和群主)。"""
    _change(stage, name, steward=True)


@given("{account} 不裁定事项")
async def is_no_steward(stage: Stageplay, name: str) -> None:
    """一名成员不是裁定人。"""
    _change(stage, name, steward=False)


@given("{account} 还没有入群")
async def not_there(stage: Stageplay, name: str) -> None:
    """一个人起初不在群里。"""
    stage.before().cast.setdefault(name, Actor(name=name))
    _change(stage, name, there=False)


@given("{account} 在平台{text}另有绑定的账号")
async def bound_elsewhere(stage: Stageplay, name: str, platform: str) -> None:
    """一名成员在另一平台的账号已绑定为同一人。"""
    _change(stage, name, elsewhere=(*stage.actor(name).elsewhere, platform))


@given("{account} 是机器人的好友")
async def is_friend(stage: Stageplay, name: str) -> None:
    """机器人可以私信这名成员,即使平台要求先是好友。"""
    _change(stage, name, friend=True)


# — groups and the bot —


@given("另有群{text}使用群规{text}")
async def another_group(stage: Stageplay, name: str, packs: str) -> None:
    """同一平台上还有一个群,使用自己的规则包。"""
    _place(stage, name, PLATFORM, tuple(packs.split("、")))


@given("另有未登记的群{text}")
async def unknown_group(stage: Stageplay, name: str) -> None:
    """同一平台上还有一个群,谁也没有登记。"""
    _place(stage, name, PLATFORM, (), bound=False)


@given("平台{text}上另有群{text}使用同样的群规")
async def group_elsewhere(stage: Stageplay, platform: str, name: str) -> None:
    """另一个平台上有一个群,使用同样的规则包。"""
    _place(stage, name, platform, ())


def _place(stage: Stageplay, name: str, platform: str, packs: tuple[str, ...], *, bound: bool = True) -> None:
    places = stage.before().places
    native = f"g{len(places) + 1}"
    places[name] = Place(name=name, platform=platform, native=native, packs=packs, bound=bound, title=name)


@given("群名是{text}")
async def group_name(stage: Stageplay, title: str) -> None:
    """本群在平台上的名字。"""
    stage.before().places[HOME].title = title


@given("机器人在群里是{role}")
async def bot_role(stage: Stageplay, role: str) -> None:
    """机器人在本群的身份;不说则按平台。"""
    stage.before().places[HOME].bot_role = Role(role)


@given("机器人能{abilities},否则什么也不会发生")
async def or_nothing(stage: Stageplay, abilities: tuple[str, ...]) -> None:
    """在没有这些能力的平台上,只检查没有立案、没有对任何人采取措施、机器人没有主动说话。"""
    if stage.open:
        stage.blind = stage.blind or not frozenset(abilities) <= {str(one) for one in stage.can()}
        return
    stage.before().wants |= frozenset(abilities)


@given(ONLY_ON)
async def only_on(stage: Stageplay, profiles: tuple[str, ...]) -> None:
    """这个场景(或例子的这一行)只在这些平台上演。"""
    if stage.profile not in profiles:
        raise ScenarioError(
            f"this scenario is meant for {', '.join(profiles)} alone, not for {stage.profile}"
        )


# — what fails —


@given("插件{text}每次都出错")
async def plugin_raises(stage: Stageplay, name: str) -> None:
    """另启用一个插件,每次判断都抛出异常。"""

    def judge() -> None:
        raise RuntimeError("broken on purpose")

    _install(stage, name, judge)


@given("插件{text}每次都不作答")
async def plugin_hangs(stage: Stageplay, name: str) -> None:
    """另启用一个插件,每次判断都迟迟不答。"""

    async def judge() -> None:
        await asyncio.Event().wait()

    stage.before().hook_timeout = _SOON
    _install(stage, name, judge)


@given("插件{text}每次都答非所问")
async def plugin_babbles(stage: Stageplay, name: str) -> None:
    """另启用一个插件,每次判断都给出没有意义的回答。"""

    def judge() -> str:
        return "nonsense"

    _install(stage, name, judge)


_SOON = 0.2
"""Seconds given to plugins where one hangs on purpose."""


def _install(stage: Stageplay, name: str, judge: Callable[..., Any]) -> None:
    module = ModuleType(f"groupops_{name}_of_a_scenario")
    module.__dict__["manifest"] = Manifest(title=name, hears=frozenset(EVENT_KINDS))
    module.__dict__["judge"] = hookimpl(judge)
    setup = stage.before()
    setup.extra[name] = module
    text = f'[pack]\nid = "with-{name}"\ntitle = "with {name}"\n[plugins]\nenabled = ["{name}"]\n'
    setup.more.append(parse_pack(text, path=f"the plugin “{name}” of the scenario"))
    setup.packs += (f"with-{name}",)
