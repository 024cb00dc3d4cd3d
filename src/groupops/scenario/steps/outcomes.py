"""Sentences that check what the bot said and did, and what waits: outcomes people can see."""
# ruff: noqa: D415 - the first lines are sentences of the Chinese manual, with its full stop

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from groupops.actions import RemoveMember
from groupops.errors import GroupOpsError
from groupops.records import Ticket
from groupops.scenario import seeing
from groupops.scenario.language import then
from groupops.scenario.stage import Stageplay, Unmet
from groupops.scenario.words import Moment, words


async def expect(stage: Stageplay, holds: object, what: str) -> None:
    """Raise when something does not hold.

    Raises:
        Unmet: it does not; the text says what was expected and what happened instead.
    """
    if not holds:
        raise Unmet(f"expected {what}; {await seeing.what_happened(stage)}")


def _texts(found: Any) -> str:
    return "\n".join(one.text for one in found)


# — messages —


@then("{account} 被提醒 {int} 次")
async def reminded(stage: Stageplay, name: str, times: int) -> None:
    """这一段里,机器人主动对这个人说了几次话(群里或私下,不算对指令的答复)。"""
    found = await seeing.reminders(stage, name)
    await expect(stage, len(found) == times, f"{name} reminded {times} time(s), not {len(found)}")


@then("{account} [也]没有被提醒")
async def not_reminded(stage: Stageplay, name: str) -> None:
    """这一段里,机器人没有主动对这个人说话。"""
    found = await seeing.reminders(stage, name)
    await expect(stage, not found, f"{name} not reminded, but was {len(found)} time(s)")


@then("{account} 到现在一共被提醒 {int} 次")
async def reminded_in_all(stage: Stageplay, name: str, times: int) -> None:
    """从故事开头算起,机器人主动对这个人说了几次话。"""
    found = await seeing.reminders(stage, name, whole_story=True)
    await expect(stage, len(found) == times, f"{name} reminded {times} time(s) in all, not {len(found)}")


@then("提醒 {account} 的话里有{text}")
async def reminder_says(stage: Stageplay, name: str, text: str) -> None:
    """这一段里主动对这个人说的话提到这几个字。"""
    found = await seeing.reminders(stage, name)
    await expect(stage, text in _texts(found), f"a reminder to {name} that says “{text}”")


@then("提醒 {account} 的话里没有{text}")
async def reminder_does_not_say(stage: Stageplay, name: str, text: str) -> None:
    """这一段里提醒了这个人,但没有提到这几个字。"""
    found = await seeing.reminders(stage, name)
    await expect(
        stage, found and text not in _texts(found), f"a reminder to {name} that does not say “{text}”"
    )


@then("机器人在群里说了 {int} 次话")
async def spoke(stage: Stageplay, times: int) -> None:
    """这一段里机器人在群里发了几条消息,不论对谁。"""
    found = await seeing.said_in_group(stage)
    await expect(stage, len(found) == times, f"{times} message(s) in the group, not {len(found)}")


@then("机器人在群里说的话里有{text}")
async def said(stage: Stageplay, text: str) -> None:
    """这一段里机器人在群里提到这几个字。"""
    found = await seeing.said_in_group(stage)
    await expect(stage, text in _texts(found), f"a message in the group that says “{text}”")


@then("机器人在群里没有说{text}")
async def did_not_say(stage: Stageplay, text: str) -> None:
    """这一段里机器人没有在群里提到这几个字。"""
    found = await seeing.said_in_group(stage)
    await expect(stage, text not in _texts(found), f"no message in the group that says “{text}”")


@then("机器人没有说话")
async def silent(stage: Stageplay) -> None:
    """这一段里机器人对谁也没有说话,群里私下都没有。"""
    await expect(stage, not await seeing.sent(stage), "no message to anybody")


@then("机器人在群里没有说话")
async def silent_in_group(stage: Stageplay) -> None:
    """这一段里机器人没有在群里说话(私下不论)。"""
    await expect(stage, not await seeing.said_in_group(stage), "no message in the group")


@then("{account} 收到私信,其中有{text}")
async def got_letter(stage: Stageplay, name: str, text: str) -> None:
    """这一段里机器人私下对这个人说了这几个字。"""
    found = await seeing.letters(stage, name)
    await expect(stage, text in _texts(found), f"a private message to {name} that says “{text}”")


@then("{account} 没有收到私信")
async def got_no_letter(stage: Stageplay, name: str) -> None:
    """这一段里机器人没有私下对这个人说话。"""
    await expect(stage, not await seeing.letters(stage, name), f"no private message to {name}")


@then("{account} 收到的私信里没有{text}")
async def letter_does_not_say(stage: Stageplay, name: str, text: str) -> None:
    """这一段里机器人没有私下对这个人说这几个字。"""
    found = await seeing.letters(stage, name)
    await expect(stage, text not in _texts(found), f"no private message to {name} that says “{text}”")


@then("机器人对谁也没有说{text}")
async def told_nobody(stage: Stageplay, text: str) -> None:
    """这一段里机器人在群里和私下都没有提到这几个字,指令的答复也算。"""
    found = "\n".join([*(one.text for one in await seeing.sent(stage)), *await seeing.answers(stage)])
    await expect(stage, text not in found, f"nobody told “{text}”")


@then("{account} 收到文件{text}")
async def got_file(stage: Stageplay, name: str, file: str) -> None:
    """这一段里机器人私下给这个人发了文件,文件名里有这几个字。"""
    account = stage.account(name)
    found = [one.name for one in await seeing.files(stage) if one.account == account]
    await expect(stage, any(file in one for one in found), f"a file “{file}” for {name}, not {found}")


@then("机器人在群里发了文件{text}")
async def posted_file(stage: Stageplay, file: str) -> None:
    """这一段里机器人在群里发了文件,文件名里有这几个字。"""
    found = [one.name for one in await seeing.files(stage) if one.account is None]
    await expect(stage, any(file in one for one in found), f"a file “{file}” in the group, not {found}")


@then("机器人没有发文件")
async def no_file(stage: Stageplay) -> None:
    """这一段里机器人没有发任何文件,群里私下都没有。"""
    found = [one.name for one in await seeing.files(stage)]
    await expect(stage, not found, f"no file, not {found}")


@then("文件里有{text}")
async def file_says(stage: Stageplay, text: str) -> None:
    """这一段里机器人发的某个文件(表格或文本)里有这几个字。"""
    found = await seeing.files(stage)
    await expect(stage, any(text in seeing.content(one) for one in found), f"a file that says “{text}”")


@then("文件里没有{text}")
async def file_does_not_say(stage: Stageplay, text: str) -> None:
    """这一段里机器人发了文件(表格或文本),其中没有这几个字。"""
    found = await seeing.files(stage)
    wanted = found and not any(text in seeing.content(one) for one in found)
    await expect(stage, wanted, f"files that do not say “{text}”")


@then("{account} 收到图片")
async def got_picture(stage: Stageplay, name: str) -> None:
    """这一段里机器人私下给这个人发了图片。"""
    account = stage.account(name)
    found = [one for one in await seeing.pictures(stage) if one.private and account in one.to]
    await expect(stage, found, f"a picture for {name}")


@then("机器人在群里发了图片")
async def posted_picture(stage: Stageplay) -> None:
    """这一段里机器人在群里发了图片。"""
    found = [one for one in await seeing.pictures(stage) if not one.private]
    await expect(stage, found, "a picture in the group")


@then("指令的答复里有{text}")
async def answered(stage: Stageplay, text: str) -> None:
    """这一段里某个指令的答复提到这几个字(平台送不出的也算)。"""
    found = await seeing.answers(stage)
    await expect(stage, any(text in one for one in found), f"an answer that says “{text}”, not {found}")


@then("指令的答复里没有{text}")
async def not_answered_so(stage: Stageplay, text: str) -> None:
    """这一段里有指令得到答复,但没有提到这几个字。"""
    found = await seeing.answers(stage)
    wanted = found and not any(text in one for one in found)
    await expect(stage, wanted, f"an answer that does not say “{text}”, not {found}")


@then("指令没有得到答复")
async def not_answered(stage: Stageplay) -> None:
    """这一段里没有任何指令得到答复。"""
    found = await seeing.answers(stage)
    await expect(stage, not found, f"no answer, not {found}")


@then("公告里有{text}")
async def announced(stage: Stageplay, text: str) -> None:
    """这一段里发出的群公告(不能发公告的平台为群消息)提到这几个字。"""
    found = await seeing.said_in_group(stage)
    await expect(stage, text in _texts(found), f"an announcement that says “{text}”")


# — deeds —


@then("{account} 的消息被撤回")
async def recalled(stage: Stageplay, name: str) -> None:
    """这个人的上一条消息被机器人撤回。"""
    post = seeing.last_post(stage, name)
    await expect(stage, post.recalled_by == stage.world.bot, f"the message of {name} recalled by the bot")


@then("{account} 的消息没有被撤回")
async def not_recalled(stage: Stageplay, name: str) -> None:
    """这个人的上一条消息还在群里。"""
    post = seeing.last_post(stage, name)
    await expect(stage, post.recalled_by is None, f"the message of {name} left where it is")


@then("{account} 被禁言 {duration}")
async def muted(stage: Stageplay, name: str, span: timedelta) -> None:
    """这一段里机器人把这个人禁言了这么久。"""
    spans = [
        one.action.span for one in seeing.deeds(stage, "mute") if one.action.account == stage.account(name)
    ]
    await expect(stage, span in spans, f"{name} muted for {span}, not {[str(one) for one in spans]}")


@then("{account} 没有被禁言")
async def not_muted(stage: Stageplay, name: str) -> None:
    """这一段里机器人没有禁言这个人。"""
    found = [one for one in seeing.deeds(stage, "mute") if one.action.account == stage.account(name)]
    await expect(stage, not found, f"{name} not muted")


@then("{account} 可以发言")
async def may_post(stage: Stageplay, name: str) -> None:
    """这个人现在没有被禁言。"""
    await expect(stage, stage.world.may_post(stage.native, stage.actor(name).name), f"{name} able to post")


@then("{account} 不能发言")
async def may_not_post(stage: Stageplay, name: str) -> None:
    """这个人现在被禁言。"""
    await expect(stage, not stage.world.may_post(stage.native, stage.actor(name).name), f"{name} muted now")


@then("{account} 被移出群")
async def removed(stage: Stageplay, name: str) -> None:
    """这一段里机器人把这个人移出了群。"""
    found = [one for one in seeing.deeds(stage, "remove_member") if one.action.account == stage.account(name)]
    await expect(
        stage, found and seeing.seat(stage, name) is None, f"{name} removed from the group by the bot"
    )


@then("{account} 仍在群里")
async def still_there(stage: Stageplay, name: str) -> None:
    """这个人还在群里。"""
    await expect(stage, seeing.seat(stage, name) is not None, f"{name} still in the group")


@then("{account} 现在的群名片是{text}")
async def has_card_now(stage: Stageplay, name: str, card: str) -> None:
    """这个人现在的群名片。"""
    there = seeing.seat(stage, name)
    await expect(stage, there is not None and there.card == card, f"the card of {name} to be “{card}”")


@then("没有对任何人采取措施")
async def nobody_bitten(stage: Stageplay) -> None:
    """这一段里没有撤回、禁言或移出任何人。"""
    await expect(stage, not seeing.bites(stage), "nothing taken from anybody")


@then("机器人没有向平台要求{abilities}")
async def never_asked(stage: Stageplay, abilities: tuple[str, ...]) -> None:
    """这一段里机器人没有要平台做这样的事,也没有试过。"""
    asked = {
        str(request.action.needs)
        for platform in stage.platforms
        for request in platform.world.requests[stage.mark.requests.get(platform.name, 0) :]
    }
    await expect(
        stage, not asked & set(abilities), f"nothing asked of the platform that takes {', '.join(abilities)}"
    )


@then("机器人没有打开任何图片或文件")
async def opened_nothing(stage: Stageplay) -> None:
    """从故事开头算起,机器人没有取过任何图片、语音或文件的内容。"""
    await expect(stage, not stage.opened, f"no media opened, not {stage.opened}")


@then("什么也没有发生")
async def nothing(stage: Stageplay) -> None:
    """这一段里没有立案、没有工单、没有说话、没有动作、没有审计。"""
    quiet = not (
        await seeing.sent(stage)
        or seeing.bites(stage)
        or await stage.cases()
        or await seeing.tickets(stage)
        or await seeing.audit(stage)
    )
    await expect(stage, quiet, "nothing at all")


@then("平台上同一件事只做了一次")
async def nothing_twice(stage: Stageplay) -> None:
    """从故事开头算起,没有一个动作在平台上做了两次。"""
    done = [one.key for platform in stage.platforms for one in platform.world.requests if one.done]
    await expect(stage, done and len(done) == len(set(done)), "everything done once")


@then("{account} 的入群申请被同意")
async def let_in(stage: Stageplay, name: str) -> None:
    """这一段里机器人同意了这个人的入群申请。"""
    await expect(stage, _decided(stage, name) is True, f"{name} let in by the bot")


@then("{account} 的入群申请被拒绝")
async def turned_away(stage: Stageplay, name: str) -> None:
    """这一段里机器人拒绝了这个人的入群申请。"""
    await expect(stage, _decided(stage, name) is False, f"{name} turned away by the bot")


@then("{account} 的入群申请还没有处理")
async def left_waiting(stage: Stageplay, name: str) -> None:
    """这一段里机器人没有同意也没有拒绝这个人的入群申请。"""
    await expect(stage, _decided(stage, name) is None, f"the request of {name} left to a human")


def _decided(stage: Stageplay, name: str) -> bool | None:
    found = [
        one.action for one in seeing.deeds(stage, "decide_join") if one.action.account == stage.account(name)
    ]
    return found[-1].accept if found else None


@then("记录里哪里也没有{text}")
async def kept_nowhere(stage: Stageplay, text: str) -> None:
    """现在所有的记录,各插件的表也在内,没有一处有这几个字。"""
    found = next((line for line in (await seeing.kept(stage)).splitlines() if text in line), "")
    await expect(stage, not found, f"“{text}” kept nowhere, but it is here: {found}")


# — tickets —


@then("开出 {int} 张工单")
async def tickets_opened(stage: Stageplay, count: int) -> None:
    """这一段里给管理员开了几张工单(待裁定、待核准的事项不算)。"""
    found = [one for one in await seeing.tickets(stage) if not _of_case(one)]
    await expect(stage, len(found) == count, f"{count} ticket(s), not {len(found)}")


@then("没有开工单")
async def no_tickets(stage: Stageplay) -> None:
    """这一段里没有给管理员开工单(待裁定、待核准的事项不算)。"""
    found = [one for one in await seeing.tickets(stage) if not _of_case(one)]
    await expect(stage, not found, "no ticket")


@then("工单里有{text}")
async def ticket_says(stage: Stageplay, text: str) -> None:
    """这一段里开出的某张工单提到这几个字。"""
    await expect(stage, text in _texts(await seeing.tickets(stage)), f"a ticket that says “{text}”")


@then("没有未结的工单")
async def none_open(stage: Stageplay) -> None:
    """现在没有未结的工单。"""
    found = [
        one for one in await seeing.tickets(stage, whole_story=True, open_only=True) if not _of_case(one)
    ]
    await expect(stage, not found, f"no open ticket, not “{_texts(found)}”")


@then("没有未结的移出工单")
async def no_removal_open(stage: Stageplay) -> None:
    """现在没有还等着移出某人的工单。"""
    found = await seeing.tickets(stage, whole_story=True, open_only=True)
    asked = [one for one in found if isinstance(one.wanted, RemoveMember)]
    await expect(stage, not asked, f"no ticket that asks for a removal, not “{_texts(asked)}”")


@then("还有 {int} 张未结的工单")
async def some_open(stage: Stageplay, count: int) -> None:
    """现在有几张未结的工单(待裁定、待核准的事项不算)。"""
    found = [
        one for one in await seeing.tickets(stage, whole_story=True, open_only=True) if not _of_case(one)
    ]
    await expect(stage, len(found) == count, f"{count} open ticket(s), not “{_texts(found)}”")


def _of_case(ticket: Ticket) -> bool:
    return ticket.subject.startswith("case:")


@then("管理员收到待办,其中有{text}")
async def stewards_asked(stage: Stageplay, text: str) -> None:
    """这一段里交给管理员的事(裁定、核准、工单)提到这几个字。"""
    await expect(stage, text in _texts(await seeing.tickets(stage)), f"the stewards asked about “{text}”")


@then("管理员的待办里没有{text}")
async def stewards_not_asked_about(stage: Stageplay, text: str) -> None:
    """这一段里交给管理员的事都没有提到这几个字。"""
    await expect(
        stage, text not in _texts(await seeing.tickets(stage)), f"the stewards not asked about “{text}”"
    )


@then("管理员没有收到待办")
async def stewards_not_asked(stage: Stageplay) -> None:
    """这一段里没有任何事交给管理员。"""
    await expect(stage, not await seeing.tickets(stage), "nothing put before the stewards")


# — time and obligations —


@then("有 {int} 条消息推迟到 {time}")
async def deferred(stage: Stageplay, count: int, moment: Moment) -> None:
    """现在有几条消息等到这一刻才发。"""
    until = stage.moment(moment)
    rows = await seeing.waiting(stage)
    found = [row for row in rows if row.not_before == until]
    told = [str(row.not_before and row.not_before.astimezone(stage.zone)) for row in rows]
    await expect(stage, len(found) == count, f"{count} message(s) waiting until {until}; waiting: {told}")


@then("没有推迟的消息")
async def none_deferred(stage: Stageplay) -> None:
    """现在没有消息在等。"""
    await expect(stage, not await seeing.waiting(stage), "no message waiting")


@then("{account} 的待办{text}{owed}")
async def owes(stage: Stageplay, name: str, title: str, status: str) -> None:
    """这个人的一项待办现在的状态(未完成、已完成、逾期、说明待核定、已接受说明、已取消)。"""
    found = await seeing.obligation(stage, name, title)
    await expect(stage, found.status.value == status, f"{title} of {name} {status}, not {found.status.value}")


@then("{account} 的待办{text}截止 {time}")
async def owes_until(stage: Stageplay, name: str, title: str, moment: Moment) -> None:
    """这个人的一项待办的截止时刻。"""
    found = await seeing.obligation(stage, name, title)
    until = stage.moment(moment)
    local = found.due_at.astimezone(stage.zone)
    await expect(stage, found.due_at == until, f"{title} of {name} due at {until}, not {local}")


@then("{account} 没有待办")
async def owes_nothing(stage: Stageplay, name: str) -> None:
    """这个人在本群没有待办。"""
    account = stage.account(name)
    owed = [
        one.title
        for one in await stage.records.obligations(group_id=stage.place.id)
        if one.account == account
    ]
    await expect(stage, not owed, f"nothing owed by {name}, not {owed}")


# — audit, loading, settings, plugins —


@then("审计记有{text}")
async def audited(stage: Stageplay, word: str) -> None:
    """这一段的审计有这样一行(审计词见词表,也可写其中的细节)。"""
    meant = words()["audit"].get(word, word)
    lines = await seeing.audit(stage)
    found = [one for one in lines if meant == one.what or meant in str(dict(one.detail).values())]
    await expect(stage, found, f"a line of audit “{word}”")


@then("审计没有{text}")
async def not_audited(stage: Stageplay, word: str) -> None:
    """这一段的审计没有这样一行。"""
    meant = words()["audit"].get(word, word)
    found = [one for one in await seeing.audit(stage) if meant == one.what]
    await expect(stage, not found, f"no line of audit “{word}”")


@then("加载失败,提示{text}")
async def load_fails(stage: Stageplay, text: str) -> None:
    """规则包或设置读不进来,错误提到这几个字。"""
    try:
        await stage.ready()
    except GroupOpsError as error:
        if text not in str(error):
            raise Unmet(f"expected an error that says “{text}”, but it says: {error}") from error
        return
    raise Unmet("expected loading to fail, but it went well")


@then("加载成功")
async def load_goes_well(stage: Stageplay) -> None:
    """规则包和设置都读进来了。"""
    await stage.ready()


@then("设置{text}是{text}")
async def setting_is(stage: Stageplay, key: str, value: str) -> None:
    """合并之后,这一项设置的值(按 JSON 或文字比较)。"""
    await stage.ready()
    found = _setting(stage, key)
    await expect(stage, str(found) == value, f"{key} to be “{value}”, not “{found}”")


def _setting(stage: Stageplay, key: str) -> Any:
    """Give what a dotted key has come to; a table that is not there gives None."""
    plan = stage.engine.plans.of(stage.place.id)
    if plan is None:
        return None
    head, *rest = key.split(".")
    at: Any = getattr(plan.policy, head, None) or plan.policy.settings.get(head)
    for name in rest:
        table: Any = at
        at = table.get(name) if isinstance(at, Mapping) else getattr(at, name, None)
    return list[Any](at) if isinstance(at, tuple) else at  # pyright: ignore[reportUnknownArgumentType] - settings of any type


@then("插件{text}在运行")
async def plugin_runs(stage: Stageplay, name: str) -> None:
    """本群启用了这个插件。"""
    await stage.ready()
    await expect(stage, name in _wanted(stage), f"plugin {name} wanted, but these are: {_wanted(stage)}")


@then("插件{text}不在运行")
async def plugin_does_not_run(stage: Stageplay, name: str) -> None:
    """本群没有启用这个插件。"""
    await stage.ready()
    await expect(
        stage, name not in _wanted(stage), f"plugin {name} not wanted, but these are: {_wanted(stage)}"
    )


def _wanted(stage: Stageplay) -> list[str]:
    """What the packs enable, installed or not."""
    plan = stage.engine.plans.of(stage.place.id)
    return [] if plan is None else [*plan.policy.enabled, *plan.policy.inactive]


@then("插件{text}的故障被记下")
async def plugin_failed(stage: Stageplay, name: str) -> None:
    """这个插件的失败连同它的名字被记下。"""
    faults = {fault.plugin for fault in stage.engine.parts.hooks.faults}
    seen = {fault for outcome in seeing.outcomes(stage) for fault in outcome.faults}
    await expect(stage, name in faults and name in seen, f"a fault of plugin {name}, not {sorted(faults)}")


@then("成员名单里有 {accounts}")
async def known_members(stage: Stageplay, names: tuple[str, ...]) -> None:
    """机器人所知的成员里有这些人。"""
    known = {stage.called(one.account) for one in stage.engine.people.members(stage.place.id)}
    await expect(stage, known >= set(names), f"{'、'.join(names)} known as members, not only {sorted(known)}")


@then("成员名单里没有 {accounts}")
async def unknown_members(stage: Stageplay, names: tuple[str, ...]) -> None:
    """机器人所知的成员里没有这些人。"""
    known = {stage.called(one.account) for one in stage.engine.people.members(stage.place.id)}
    await expect(
        stage, not known & set(names), f"{'、'.join(names)} not known as members; known: {sorted(known)}"
    )
