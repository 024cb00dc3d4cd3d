"""Welcome: newcomers are greeted, shown the rules and accompanied until they have settled in (C15, C16)."""

from collections.abc import AsyncGenerator, Awaitable, Iterable
from contextlib import asynccontextmanager

from groupops import (
    Action,
    Arg,
    Capability,
    ChoiceMade,
    Command,
    CommandGiven,
    Errand,
    Event,
    Group,
    Manifest,
    MemberJoined,
    MemberLeft,
    MemberRenamed,
    ObligationMissed,
    Policy,
    Rule,
    Schedule,
    TimeCame,
    Tools,
    hookimpl,
)
from groupops_welcome.answers import chosen, commanded
from groupops_welcome.reminders import REMIND, remind
from groupops_welcome.ritual import (
    FOLLOW,
    GREET,
    GUESTS,
    follow,
    greet,
    joined,
    left,
    missed,
    renamed,
    unintroduced,
)
from groupops_welcome.scene import Answers, Scene
from groupops_welcome.settings import Welcome
from groupops_welcome.view import View, Views

RULES = Command(
    word="群规",
    title="查看群规:目录、第几条、原文编号或按词查找",
    args=(Arg(name="条目", of="text", optional=True),),
    aliases=("群规在哪", "群规在哪里", "查群规", "看群规"),
    bare=True,
)
ASK = Command(word="问", title="查一个常见问题的答复", args=(Arg(name="问题", of="text"),), aliases=("请问",))
QUESTIONS = Command(word="常见问题", title="列出有答复的常见问题")
READ = Command(
    word="已读",
    title="新成员确认读过群规",
    args=(Arg(name="事项", of="text", optional=True),),
    bare=True,
)
DONE = Command(
    word="已办",
    title="新成员勾选入群清单上的事项",
    args=(Arg(name="序号或事项", of="text", optional=True),),
)
LIST = Command(word="清单", title="查看自己的入群清单", aliases=("入群清单", "我的清单"))
INTRODUCE = Command(
    word="介绍",
    title="向全群介绍一位成员",
    args=(Arg(name="成员", of="member"), Arg(name="介绍词", of="text")),
    stewards_only=True,
    bare=True,
)
NEWCOMERS = Command(word="入群情况", title="私信近期新成员的清单进度", stewards_only=True)


def _reminded_at(settings: Welcome) -> Iterable[str]:
    return [settings.remind_at] if settings.remind_days else []


manifest = Manifest(
    title="入群引导",
    settings=Welcome,
    hears=frozenset(
        {
            "member_joined",
            "member_left",
            "member_renamed",
            "command_given",
            "choice_made",
            "obligation_missed",
            "time_came",
        }
    ),
    needs=frozenset({Capability.SEND_TEXT, Capability.SEE_JOINS}),
    rules=(
        Rule(id="welcome.tone", title="发言务实、高效、正面"),
        Rule(id="welcome.substance", title="提倡有实质内容的分享"),
        Rule(id="welcome.positive", title="发布积极向上的内容"),
        Rule(id="welcome.courtesy", title="互相感谢与鼓励,尊重他人"),
        Rule(id="welcome.rules", title="成员应知晓群规"),
        Rule(id="welcome.newcomers", title="协助新成员熟悉制度"),
        Rule(id="welcome.guidance", title="解答新成员的提问"),
        Rule(id="welcome.introduction", title="重要成员入群时作介绍"),
        Rule(id="welcome.resources", title="成员可使用群资源、寻求专业帮助"),
    ),
    commands=(RULES, ASK, QUESTIONS, READ, DONE, LIST, INTRODUCE, NEWCOMERS),
    schedules=(
        Schedule(job=REMIND, at=_reminded_at, days=lambda settings: ",".join(settings.remind_days) or "all"),
    ),
    models="groupops_welcome.models",
)


@hookimpl
@asynccontextmanager
async def lifespan() -> AsyncGenerator[Views, None]:
    """Keep what groups that are alike share."""
    yield Views()


@hookimpl
def prepare(policy: Policy, own: Views | None, tools: Tools) -> View:
    """Have the clauses of a group ready to be asked for, and all else its policy says of newcomers."""
    return (own or Views()).of(policy, tools.texts)


@hookimpl
def react(
    event: Event, group: Group, settings: Welcome, prepared: View, tools: Tools
) -> Awaitable[Iterable[Action | Errand] | None]:
    """Look after newcomers, answer what is asked, and remind of the rules."""
    return _answered(Scene(event=event, group=group, settings=settings, view=prepared, tools=tools))


async def _answered(scene: Scene) -> Answers | None:
    match scene.event:
        case MemberJoined():
            return await joined(scene, scene.event)
        case MemberLeft():
            return await left(scene, scene.event)
        case CommandGiven():
            return await commanded(scene, scene.event)
        case _:
            # Before the rules apply nothing is sent, so nothing may be put down as said, asked or done.
            return await _followed_up(scene) if scene.group.stage.books else None


async def _followed_up(scene: Scene) -> Answers | None:
    match scene.event:
        case MemberRenamed():
            return await renamed(scene, scene.event)
        case ChoiceMade():
            return await chosen(scene, scene.event)
        case ObligationMissed():
            await missed(scene, scene.event)
            return None
        case TimeCame():
            return await _woken(scene, scene.event)
        case _:
            return None


async def _woken(scene: Scene, event: TimeCame) -> Answers | None:
    jobs = {GREET: greet, FOLLOW: follow, GUESTS: unintroduced, REMIND: remind}
    job = jobs.get(event.job)
    return await job(scene) if job is not None else None
