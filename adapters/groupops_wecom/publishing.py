"""The lexicon published as intercept rules: planned, published, read back, and taken back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from groupops import AtDesk, ConfigError, Desk, GroupId, Note, PlatformError
from groupops_wecom import models
from groupops_wecom.customers import Customers, InterceptRule, Range, Reaction, Semantics
from groupops_wecom.exception import ActionFailed, NetworkError
from groupops_wecom.intercept import (
    MEANINGS,
    Change,
    Published,
    Wanted,
    bare,
    carry_out,
    changes,
    lexicon_of,
    read_published,
    read_words,
    rules_of,
)
from groupops_wecom.models import Publishing
from groupops_wecom.office import Office, office, refused
from groupops_wecom.taking import BY, zone_of

SHOWN = 20
"""Words of a rule that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of the intercept rules.

    Args:
        groups: groups whose own words are taken.
        lists: files whose words are taken.
        whom: whom the rules are to bind; empty for whom they bound when they were published last.
        also: what else is recognised, words of `MEANINGS`.
        reaction: whether a message is stopped, or its writer warned.
        apply: do it, rather than show what would be done.
        app: AgentId of the app to publish by; 0 for the only one with customer contact.
        as_json: answer as JSON.
    """

    groups: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    whom: Range = field(default_factory=Range)
    also: tuple[str, ...] = ()
    reaction: Reaction = Reaction.BLOCK
    apply: bool = False
    app: int = 0
    as_json: bool = False


async def publish(desk: Desk, asked: Asked) -> None:
    """Show what publishing the lexicon would change, and do it when that was asked.

    Raises:
        ConfigError: WeCom would not take it, or no words are named; nothing was changed.
        PlatformError: WeCom refused; what stands now is said.
    """
    at_wecom = office(desk, asked.app, customers=True)
    if not asked.groups and not asked.lists:
        raise ConfigError("没有说明取哪些词:加 --group 群(取它内容审核的自备词)或 --words 文件。")
    there = await _published(at_wecom)
    async with desk.open() as at:
        wanted = await _wanted(at, at_wecom.info.self_id, asked)
        rules = rules_of(wanted, there)
        planned = changes(there, rules)
        _say_plan(desk, there, rules, planned, asked)
        if asked.apply and planned:
            await _publish(at, at_wecom, there, rules, planned)
            _say_done(desk, planned, asked)


async def _published(at_wecom: Office) -> Published:
    try:
        return await read_published(Customers(at_wecom.api))
    except (ActionFailed, NetworkError) as error:
        raise refused(error, "read the intercept rules") from None


async def _wanted(at: AtDesk, self_id: str, asked: Asked) -> Wanted:
    words: dict[str, str] = {}
    for group in asked.groups:
        words |= lexicon_of(at.policy(GroupId(group)).settings.get("moderation"), group)
    for path in asked.lists:
        words |= read_words(path)
    whom = asked.whom or await _last_range(self_id)
    return Wanted(words=words, meanings=_meanings(asked.also), reaction=asked.reaction, whom=whom)


async def _last_range(self_id: str) -> Range:
    """Give whom the rules bound when they were published last."""
    rules = [rule for one in await models.publishings(self_id) if not one.undone for rule in one.after]
    return rules[0].range if rules else Range()


def _meanings(also: Iterable[str]) -> tuple[Semantics, ...]:
    unknown = [one for one in also if one not in MEANINGS]
    if unknown:
        raise ConfigError(f"--also {unknown[0]}: there is {', '.join(MEANINGS)}")
    return tuple(sorted({MEANINGS[one] for one in also}))


async def _publish(
    at: AtDesk,
    at_wecom: Office,
    there: Published,
    rules: tuple[InterceptRule, ...],
    planned: tuple[Change, ...],
) -> int:
    """Write down what stands, make the calls, and see that WeCom has what was wanted."""
    now, self_id = at.tools.clock.now(), at_wecom.info.self_id
    before = tuple(map(bare, there.rules))
    number = await models.keep_publishing(Publishing(self_id=self_id, before=before, after=rules, at=now))
    await _make(at_wecom, rules, planned)
    await _note(at, "intercept rules published", number, planned)
    return number


async def _make(at_wecom: Office, rules: tuple[InterceptRule, ...], planned: tuple[Change, ...]) -> None:
    try:
        await carry_out(Customers(at_wecom.api), planned)
    except (ActionFailed, NetworkError) as error:
        raise refused(error, "publish") from None
    stands = await _published(at_wecom)
    if _by_name(stands.rules) != _by_name(rules):
        raise PlatformError(
            "WeCom took the calls and has other rules than were published: look at them with "
            "`groupops wecom intercept show`, and publish again or roll back"
        )


def _by_name(rules: Iterable[InterceptRule]) -> list[InterceptRule]:
    return sorted(map(bare, rules), key=lambda rule: rule.name)


async def roll_back(desk: Desk, asked: Asked) -> None:
    """Put back what stood before the last publishing; asked again, before the one before it.

    Raises:
        ConfigError: there is nothing to go back to.
        PlatformError: WeCom refused.
    """
    at_wecom = office(desk, asked.app, customers=True)
    there = await _published(at_wecom)
    async with desk.open() as at:
        last = await _last(at_wecom.info.self_id)
        planned = changes(there, last.before)
        _say_back(desk, last, zone_of(at), asked)
        _say_plan(desk, there, last.before, planned, asked)
        if asked.apply:
            await _make(at_wecom, last.before, planned)
            await models.undo(last.id)
            await _note(at, "intercept rules rolled back", last.id, planned)
            _say_done(desk, planned, asked)


async def _last(self_id: str) -> Publishing:
    found = next((one for one in await models.publishings(self_id) if not one.undone), None)
    if found is None:
        raise ConfigError("没有可以撤回的发布:本程序没有用这个应用发布过,或都已撤回。")
    return found


async def show_rules(desk: Desk, asked: Asked) -> None:
    """Show the rules of ours that WeCom has.

    Raises:
        PlatformError: WeCom does not say.
    """
    there = await _published(office(desk, asked.app, customers=True))
    if asked.as_json:
        desk.say(_dumps({"rules": [asdict(rule) for rule in there.rules], "others": there.others}))
        return
    lines = [_rule_text(rule) for rule in there.rules] or ["没有由本程序发布的规则。"]
    if there.others:
        lines.append(f"另有 {there.others} 条不是本程序发布的规则,从不改动。")
    desk.say("\n".join(lines))


async def _note(at: AtDesk, what: str, number: int, planned: Sequence[Change]) -> None:
    groups = at.groups()
    if groups:
        kinds = [change.kind for change in planned]
        detail = {kind: kinds.count(kind) for kind in ("add", "update", "delete")}
        group = groups[0].id
        note = Note(group_id=group, what=what, subject=f"intercept:{number}", actor=BY, detail=detail)
        await at.do(group, [note])


# — shown —


def _say_plan(
    desk: Desk, there: Published, rules: Sequence[InterceptRule], planned: Sequence[Change], asked: Asked
) -> None:
    if asked.as_json:
        calls = [{"kind": one.kind, "name": one.name, "come": one.come, "gone": one.gone} for one in planned]
        desk.say(_dumps({"rules": len(rules), "others": there.others, "changes": calls}))
        return
    total = sum(len(rule.words) for rule in rules)
    lines = [
        f"要有 {len(rules)} 条规则,共 {total} 个词;企业微信上现有 {len(there.rules)} 条,另有别人的 {there.others} 条。"
    ]
    if rules:
        lines.append(f"约束:{_whom_text(rules[0].range)}(只约束这些员工发给客户的话,客户不受约束)。")
    lines += [_change_text(change) for change in planned]
    lines.append(_ending(planned, asked))
    desk.say("\n".join(lines))


def _ending(planned: Sequence[Change], asked: Asked) -> str:
    if not planned:
        return "没有要改动的。"
    return f"共 {len(planned)} 次调用。" + ("" if asked.apply else "这是预演,什么都没有改动。")


def _say_done(desk: Desk, planned: Sequence[Change], asked: Asked) -> None:
    if not asked.as_json:
        desk.say(f"已生效:{len(planned)} 次调用,读回核对一致。")


def _say_back(desk: Desk, last: Publishing, zone: tzinfo, asked: Asked) -> None:
    if not asked.as_json:
        desk.say(f"回到 {_moment(last.at, zone)} 第 {last.id} 次发布之前。")


def _moment(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


_KINDS = {"add": "新增", "update": "修改", "delete": "删除"}


def _change_text(change: Change) -> str:
    parts = [f"{_KINDS[change.kind]} {change.name}"]
    if change.come:
        parts.append(f"加词 {len(change.come)}:{_some(change.come)}")
    if change.gone:
        parts.append(f"减词 {len(change.gone)}:{_some(change.gone)}")
    before, after = change.before, change.after
    if before is not None and after is not None:
        parts += [text for one, other, text in _differences(bare(before), bare(after)) if one != other]
    return " ".join(parts)


def _differences(before: InterceptRule, after: InterceptRule) -> Iterable[tuple[object, object, str]]:
    yield before.reaction, after.reaction, _reaction_text(after.reaction)
    yield before.semantics, after.semantics, f"另识别:{_meaning_text(after)}"
    yield before.range, after.range, f"范围改为 {_whom_text(after.range)}"


def _rule_text(rule: InterceptRule) -> str:
    return (
        f"{rule.name}:{len(rule.words)} 个词({_some(rule.words)});{_reaction_text(rule.reaction)};"
        f"另识别:{_meaning_text(rule)};约束:{_whom_text(rule.range)}"
    )


def _reaction_text(reaction: Reaction) -> str:
    return "只提醒" if reaction is Reaction.WARN else "警告并拦截"


_MEANINGS = {Semantics.PHONE: "手机号", Semantics.EMAIL: "邮箱", Semantics.RED_PACKET: "红包"}


def _meaning_text(rule: InterceptRule) -> str:
    return "、".join(_MEANINGS[one] for one in rule.semantics) or "无"


def _whom_text(whom: Range) -> str:
    users = f"员工 {_some(whom.users)}" if whom.users else ""
    departments = f"部门 {_some(map(str, whom.departments))}" if whom.departments else ""
    return ",".join(part for part in (users, departments) if part) or "无人"


def _some(words: Iterable[str]) -> str:
    found = list(words)
    return "、".join(found[:SHOWN]) + ("…" if len(found) > SHOWN else "")


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
