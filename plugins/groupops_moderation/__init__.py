"""Moderation: what may not be posted, seen by words, addresses, numbers and markings, or reported by members."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable
from contextlib import asynccontextmanager

from groupops import (
    Action,
    Arg,
    Capability,
    Command,
    CommandGiven,
    DirectMessage,
    Errand,
    Event,
    Manifest,
    Member,
    MessagePosted,
    Offence,
    Pardon,
    Rule,
    Tools,
    hookimpl,
)
from groupops_moderation import models
from groupops_moderation.allowances import Allowances
from groupops_moderation.categories import load_categories
from groupops_moderation.judging import judged
from groupops_moderation.reports import false_alarm, report
from groupops_moderation.settings import Moderation
from groupops_moderation.view import View
from groupops_moderation.workshop import Workshop, read_words

REPORT = Command(
    word="举报",
    title="举报一条消息(引用它)或一位成员,由管理员裁定;可私信",
    args=(Arg(name="理由", of="text"),),
    bare=True,
)
FALSE_ALARM = Command(
    word="误报",
    title="撤销一件审核事项,并放行其中的句子",
    args=(Arg(name="编号", of="int"), Arg(name="说明", of="text", optional=True)),
    stewards_only=True,
    bare=True,
)

manifest = Manifest(
    title="内容审核",
    settings=Moderation,
    hears=frozenset({"message_posted", "command_given"}),
    needs=frozenset({Capability.RECEIVE_ALL, Capability.DELETE_MESSAGE, Capability.MUTE}),
    rules=tuple(Rule(id=one.rule, title=one.title) for one in load_categories().values()),
    commands=(REPORT, FALSE_ALARM),
    models="groupops_moderation.models",
)

_HINT_AGAIN_S = 30 * 86_400.0
"""A member is told of the ways to complain once a month."""


@hookimpl
@asynccontextmanager
async def lifespan() -> AsyncGenerator[Workshop, None]:
    """Keep the automaton of all groups and what stewards called false alarms."""
    await asyncio.to_thread(read_words)
    workshop = Workshop(allowances=Allowances(await models.load_entries()))
    try:
        yield workshop
    finally:
        await workshop.close()


@hookimpl
def prepare(settings: Moderation, own: Workshop) -> View:
    """Have the settings of a group compiled and its words in the automaton."""
    return own.view(settings)


@hookimpl
def judge(
    event: Event, member: Member, settings: Moderation, prepared: View, own: Workshop, tools: Tools
) -> Offence | Pardon | Awaitable[Offence | Pardon | None] | None:
    """Object to what a group rules out. Waits only for a long list that is in no automaton yet."""
    if not isinstance(event, MessagePosted) or not prepared.active:
        return None
    if own.must_wait(prepared):
        return _judged_later(event, member, settings, prepared, own, tools)
    return judged(event, member, settings, prepared, own, tools.texts)


async def _judged_later(
    event: MessagePosted, member: Member, settings: Moderation, view: View, own: Workshop, tools: Tools
) -> Offence | Pardon | None:
    await own.ready(view)
    return judged(event, member, settings, view, own, tools.texts)


@hookimpl
def react(
    event: Event, member: Member, settings: Moderation, prepared: View, own: Workshop, tools: Tools
) -> Awaitable[Iterable[Action | Errand] | None] | None:
    """Answer reports and false alarms, and tell whoever complains where complaints are heard."""
    if isinstance(event, MessagePosted):
        who = own.hints.pop(event.id, None) if own.hints else None
        return _hinted(event, who, tools) if who else None
    if not isinstance(event, CommandGiven):
        return None
    if event.name == REPORT.word:
        return report(event, settings, prepared, own, tools)
    return false_alarm(event, member, own, tools)


async def _hinted(event: MessagePosted, who: Member, tools: Tools) -> list[Action | Errand] | None:
    """Tell a member privately, and not often, that there are ways to be heard."""
    if not await tools.counters.once(f"moderation/{event.group_id}/hinted/{who.key}", _HINT_AGAIN_S):
        return None
    return [
        DirectMessage(
            group_id=event.group_id,
            account=who.account,
            text=tools.texts("hint"),
            neutral=tools.texts("hint_neutral"),
        )
    ]
