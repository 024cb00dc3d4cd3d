"""Sentences in which something else happens: members come and go, lists arrive, time passes, things fail."""
# ruff: noqa: D415 - the first lines are sentences of the Chinese manual, with its full stop

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from groupops.errors import ScenarioError
from groupops.people import Person, PersonLine, Role, Stage
from groupops.scenario.language import given, when
from groupops.scenario.seeing import tickets
from groupops.scenario.stage import Actor, Missing, Stageplay
from groupops.scenario.steps.setting_up import described
from groupops.scenario.words import Moment

# — time —


@when("到了 {time}")
async def time_comes(stage: Stageplay, moment: Moment) -> None:
    """时间走到这一刻,途中到点的事依次发生。"""
    await stage.ready()
    await stage.go_to(moment)


@when("到了 {date} 零点")
async def midnight_comes(stage: Stageplay, day: date) -> None:
    """时间走到这一天零点。"""
    await stage.ready()
    await stage.go_to(Moment.read(f"{day} 00:00"))


@when("过了 {duration}")
async def time_passes(stage: Stageplay, span: timedelta) -> None:
    """时间过去这么久,途中到点的事依次发生。"""
    await stage.advance(span)


# — members —


@when("{account} 入群")
async def joins(stage: Stageplay, name: str) -> None:
    """一个人进群。"""
    await _join(stage, name, "", "")


@when("{account} 入群,群名片{text}")
async def joins_as(stage: Stageplay, name: str, card: str) -> None:
    """一个人进群,进群时用这个名片。"""
    await _join(stage, name, card, "")


@when("{account} 把 {account} 拉进群")
async def is_invited(stage: Stageplay, inviter: str, name: str) -> None:
    """一名成员把人拉进群。"""
    await _join(stage, name, "", inviter)


@when("{account} 把 {account} 拉进群,群名片{text}")
async def is_invited_as(stage: Stageplay, inviter: str, name: str, card: str) -> None:
    """一名成员把人拉进群,来人用这个名片。"""
    await _join(stage, name, card, inviter)


@when("{account} 申请入群,附言{text}")
async def knocks(stage: Stageplay, name: str, comment: str) -> None:
    """一个人申请进群。"""
    await stage.ready()
    stage.setup.cast.setdefault(name, Actor(name=name))
    stage.sandbox.knock(stage.native, name, comment=comment)
    await stage.settle()


@when("{account} 申请入群,邀请人 {account},附言{text}")
async def knocks_invited(stage: Stageplay, name: str, inviter: str, comment: str) -> None:
    """一个人由一名成员邀请,申请进群。"""
    await stage.ready()
    stage.setup.cast.setdefault(name, Actor(name=name))
    stage.sandbox.knock(stage.native, name, comment=comment, inviter=stage.actor(inviter).name)
    await stage.settle()


async def _join(stage: Stageplay, name: str, card: str, inviter: str) -> None:
    await stage.ready()
    actor = stage.setup.cast.setdefault(name, Actor(name=name))
    how = "invite" if inviter else "unknown"
    by = stage.actor(inviter).name if inviter else ""
    stage.sandbox.join(stage.native, name, name=actor.nick, card=card or actor.card, by=by, how=how)
    await stage.settle()


@when("{account} 退群")
async def leaves(stage: Stageplay, name: str) -> None:
    """一名成员自己离开。"""
    await stage.ready()
    stage.sandbox.leave(stage.native, stage.actor(name).name)
    await stage.settle()


@when("{account} 把 {account} 移出群")
async def is_removed(stage: Stageplay, by: str, name: str) -> None:
    """群主或管理员手工移出一名成员。"""
    await stage.ready()
    stage.sandbox.remove(stage.native, stage.actor(name).name, by=stage.actor(by).name)
    await stage.settle()


@when("{account} 把群名片改为{text}")
async def renames_card(stage: Stageplay, name: str, card: str) -> None:
    """一名成员改自己的群名片。"""
    await stage.ready()
    stage.sandbox.card(stage.native, stage.actor(name).name, card)
    await stage.settle()


@when("{account} 把群名改为{text}")
async def renames_group(stage: Stageplay, name: str, title: str) -> None:
    """群主或管理员改群名。"""
    await stage.ready()
    stage.sandbox.rename(stage.native, title, by=stage.actor(name).name)
    await stage.settle()


@when("机器人的身份变为{role}")
async def bot_becomes(stage: Stageplay, role: str) -> None:
    """机器人在群里的身份变了,能做的事也随之改变。"""
    await stage.ready()
    stage.sandbox.role(stage.native, "bot", Role(role))
    await stage.settle()


@when("成员名单完整送达")
async def list_comes(stage: Stageplay) -> None:
    """平台送来完整的成员名单。"""
    await stage.ready()
    stage.sandbox.census(stage.native)
    await stage.settle()


@when("成员名单残缺送达,只有 {accounts}")
async def list_comes_cut(stage: Stageplay, names: tuple[str, ...]) -> None:
    """平台送来的成员名单不完整。"""
    await stage.ready()
    stage.sandbox.census(stage.native, only=[stage.actor(name).name for name in names])
    await stage.settle()


@when("成员名单为空送达")
async def list_comes_empty(stage: Stageplay) -> None:
    """平台送来的成员名单一个人也没有,却自称完整。"""
    await stage.ready()
    told = stage.sandbox.census(stage.native)
    stage.sandbox.take()
    if told is not None:
        await stage.tell(replace(told, members=()))
        await stage.settle()


# — the organisation —


@when("名册把 {account} 标为离职")
async def leaves_organisation(stage: Stageplay, name: str) -> None:
    """名册更新:这个人已离开单位。"""
    person = await _person(stage, name)
    await _enrol(stage, _line_of(person, active=False))


@when("名册把 {account} 标为在职")
async def returns_to_organisation(stage: Stageplay, name: str) -> None:
    """名册更新:这个人是单位的人;原先不在名册的补登。"""
    await stage.ready()
    known = stage.engine.people.person(stage.account(name))
    if known is None or known.provisional:
        await _enrol(stage, stage.actor(name).line((stage.account(name),)))
        return
    await _enrol(stage, _line_of(known, active=True))


@when("名册更新为")
async def roster_says(stage: Stageplay, *, table: list[dict[str, str]]) -> None:
    """名册增改这些人:姓名,以及可选的 成员(群里的账号)、岗位、工号、公司、部门、职务、地区。"""
    await stage.ready()
    lines = [described(Actor(name=row.get("成员") or row["姓名"]), row) for row in table]
    accounts = [(stage.account(row["成员"]),) if row.get("成员") else () for row in table]
    await _enrol(stage, *(actor.line(held) for actor, held in zip(lines, accounts, strict=True)))


def _line_of(person: Person, *, active: bool) -> PersonLine:
    return PersonLine(
        person_id=person.id,
        ref=person.ref,
        name=person.name,
        department=person.department,
        company=person.company,
        position=person.position,
        region=person.region,
        org_roles=person.org_roles,
        active=active,
    )


async def _person(stage: Stageplay, name: str) -> Person:
    await stage.ready()
    known = stage.engine.people.person(stage.account(name))
    if known is None:
        raise ScenarioError(f"“{name}” is not on the roster; say first: 假如 {name} 在名册上叫「姓名」")
    return known


async def _enrol(stage: Stageplay, *lines: PersonLine) -> None:
    _, facts = await stage.engine.people.enrol(lines, by="roster")
    for fact in facts:
        await stage.tell(fact)
    await stage.settle()


# — the operator —


@when("操作者把{text}设为{text}")
async def operator_sets(stage: Stageplay, key: str, value: str) -> None:
    """操作者改本群的一项设置(值可写 JSON)。"""
    await stage.ready()
    await stage.set(key, value, author="operator")
    await stage.settle()


@when("操作者把规则恢复到第 {int} 版")
async def operator_rolls_back(stage: Stageplay, number: int) -> None:
    """操作者把本群的规则恢复到从前的一版。"""
    await stage.ready()
    await stage.engine.roll_back(stage.place.id, number, author="operator")
    await stage.settle()


@when("操作者把规则转入{stage}阶段")
async def operator_moves(stage: Stageplay, to: str) -> None:
    """操作者让本群的规则进入另一个阶段。"""
    await stage.ready()
    await stage.engine.stage(stage.place.id, Stage(to), author="operator", force=True)
    await stage.settle()


@when("操作者让本群改用群规{text}")
async def operator_binds(stage: Stageplay, packs: str) -> None:
    """操作者给本群换规则包。"""
    await stage.ready()
    await stage.engine.packs(stage.place.id, packs.split("、"), author="operator")
    await stage.settle()


@when("加载群规")
async def loads(stage: Stageplay) -> None:
    """把规则包读进来;成败由「加载…」的结果说明。"""
    if stage.load_error is None:
        try:
            await stage.ready()
        except Exception:
            if stage.load_error is None:
                raise


@when("{account} 办完该工单")
async def finishes_ticket(stage: Stageplay, name: str) -> None:
    """管理员发送「完成 编号」,关闭最近一张工单。"""
    await stage.ready()
    found = await tickets(stage, whole_story=True, open_only=True)
    if not found:
        raise Missing("there is no open ticket")
    await stage.command(name, f"完成 {found[-1].id}")


# — what fails —


@when("机器人重启")
async def restarts(stage: Stageplay) -> None:
    """机器人停下再启动;内存里的东西都没有了,记录还在。"""
    await stage.restart()


@when("数据库拒绝写入")
async def database_refuses(stage: Stageplay) -> None:
    """从现在起数据库写不进去。"""
    await stage.ready()
    stage.refusing.refuses = True


@when("数据库恢复写入")
async def database_recovers(stage: Stageplay) -> None:
    """数据库又能写了。"""
    stage.refusing.refuses = False


@when("平台断线")
async def platform_away(stage: Stageplay) -> None:
    """从现在起平台连不上。"""
    await stage.ready()
    stage.sandbox.faults.unplug()


@when("平台恢复连接")
async def platform_back(stage: Stageplay) -> None:
    """平台又连上了。"""
    stage.sandbox.faults.heal()


@when("平台接下来 {int} 次操作收不到回音")
async def answers_lost(stage: Stageplay, times: int) -> None:
    """机器人的操作都做成了,但平台的回音丢了。"""
    await stage.ready()
    stage.sandbox.faults.lose_answers(times=times)


@when("平台限流 {duration}")
async def platform_throttles(stage: Stageplay, span: timedelta) -> None:
    """平台让机器人过这么久再试一次。"""
    await stage.ready()
    stage.sandbox.faults.throttle(retry_after=span)


@given("{account} 曾私信过机器人")
async def has_spoken(stage: Stageplay, name: str) -> None:
    """这名成员给机器人发过私信,机器人因此可以私信他。"""
    await stage.ready()
    stage.world.spoken.add(stage.account(name))
