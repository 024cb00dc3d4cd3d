"""Check-in: who is where at the start of a working day, with consent and as little as possible kept (C44)."""

from collections.abc import AsyncGenerator, Awaitable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from groupops import (
    Action,
    Arg,
    Capability,
    CheckedInElsewhere,
    ChoiceMade,
    Command,
    CommandGiven,
    Desk,
    DirectMessage,
    Errand,
    Event,
    Group,
    LocationShared,
    Manifest,
    Member,
    PersonChanged,
    Policy,
    Receipt,
    Rule,
    Schedule,
    TimeCame,
    Tools,
    hookimpl,
)
from groupops_check_in import answering, asking, book, daily, lists, petitions
from groupops_check_in.book import What
from groupops_check_in.consent import Word
from groupops_check_in.settings import CheckIn
from groupops_check_in.view import RULE, Spoken, View, view_of

AGREE = Command(word="同意打卡", title="看过说明之后,同意在上班时打卡")
DECLINE = Command(word="不同意打卡", title="不同意打卡;不受任何影响,也不再询问")
WITHDRAW = Command(word="撤回同意", title="撤回打卡的同意,并当即删除您的打卡记录")
ERASE = Command(word="删除我的位置", title="删除您的地点和以往的打卡记录,同意仍然有效")
PLACE = Command(
    word="位置",
    title="用文字打卡,例如「位置:客户A处」;建议私信",
    args=(Arg(name="地点", of="text"),),
    bare=True,
)
MINE = Command(word="我的打卡", title="私信您:本群保存着您的哪些打卡记录")
LEAVE = Command(
    word="请假",
    title="某天或某几天不打卡,须批准,例如「请假 今天 看病」",
    args=(Arg(name="日期"), Arg(name="事由", of="text")),
    bare=True,
)
CORRECT = Command(
    word="更正打卡",
    title="更正某天的打卡,须批准,例如「更正打卡 昨天 客户A处 忘了发」",
    args=(Arg(name="日期"), Arg(name="地点"), Arg(name="理由", of="text")),
    bare=True,
)
ROLL = Command(
    word="打卡名单", title="私信某天的打卡名单(派单人、管理员)", args=(Arg(name="日期", optional=True),)
)
BOARD = Command(
    word="打卡周报", title="私信一周的打卡周报(派单人、管理员)", args=(Arg(name="周", optional=True),)
)
INVITE = Command(word="打卡征询", title="现在就征求尚未表态者的同意", stewards_only=True)

_NUMBER = Arg(name="编号", of="int")
_NOTE = Arg(name="说明", of="text", optional=True)
_WHY = Arg(name="理由", of="text")

APPROVE_LEAVE = Command(word="批准请假", title="批准请假(派单人、管理员)", args=(_NUMBER, _NOTE), bare=True)
REFUSE_LEAVE = Command(word="驳回请假", title="驳回请假(派单人、管理员)", args=(_NUMBER, _WHY), bare=True)
APPROVE_CORRECTION = Command(
    word="批准更正", title="批准更正打卡(派单人、管理员)", args=(_NUMBER, _NOTE), bare=True
)
REFUSE_CORRECTION = Command(
    word="驳回更正", title="驳回更正打卡(派单人、管理员)", args=(_NUMBER, _WHY), bare=True
)


def _on(moments: str) -> Any:
    """Give where a schedule finds its times of day; none where nobody owes a check-in."""

    def at(settings: CheckIn) -> Iterable[str]:
        return getattr(settings, moments)  # type: ignore[no-any-return]

    return at


def _if_owed(moment: str) -> Any:
    def at(settings: CheckIn) -> Iterable[str]:
        return (getattr(settings, moment),) if settings.all_shifts and getattr(settings, moment) else ()

    return at


manifest = Manifest(
    title="打卡",
    settings=CheckIn,
    hears=frozenset({
        "location_shared", "checked_in_elsewhere", "command_given", "choice_made", "person_changed", "time_came",
    }),
    needs=frozenset({Capability.DIRECT_MESSAGE, Capability.SEE_LOCATION, Capability.SEND_TEXT}),
    rules=(Rule(id=RULE, title="上班时报告所在位置"),),
    commands=(
        AGREE, DECLINE, WITHDRAW, ERASE, PLACE, MINE, LEAVE, CORRECT, ROLL, BOARD, INVITE,
        APPROVE_LEAVE, REFUSE_LEAVE, APPROVE_CORRECTION, REFUSE_CORRECTION,
    ),
    schedules=(
        Schedule(job="ask", at=_on("openings")),
        Schedule(job="remind", at=_on("remindings")),
        Schedule(job="close", at=_on("closings")),
        Schedule(job="look", at=_on("lookings")),
        Schedule(job="consent", at=_if_owed("consent_at"), days=lambda settings: settings.days),
        Schedule(job="board", at=_if_owed("board_at"), days=lambda settings: settings.board_days),
        Schedule(job="purge", at=lambda settings: (settings.purge_at,)),
    ),
    models="groupops_check_in.models",
)  # fmt: skip


@hookimpl
@asynccontextmanager
async def lifespan(tools: Tools) -> AsyncGenerator[None, None]:
    """Forget at the start what no group's night forgot: its group may no longer be looked after."""
    await book.purge_unattended(tools.clock.now().date())
    yield None


@hookimpl
def operator(desk: Desk) -> Any:
    """Offer `groupops check-in …`."""
    from groupops_check_in.desk import commands

    return commands(desk)


@hookimpl
def prepare(group: Group, settings: CheckIn, policy: Policy) -> View:
    """Have a group's sites, shifts and clause at hand."""
    return view_of(group, settings, policy)


@hookimpl
def react(
    event: Event, group: Group, member: Member, prepared: View, tools: Tools
) -> Awaitable[Iterable[Action | Errand] | None] | None:
    """Answer what concerns check-in. Before a policy bites only what takes data away is done."""
    match event:
        case TimeCame():
            return _moment(event, group, prepared, tools)
        case PersonChanged():
            return _person(event, tools)
        case LocationShared() if group.stage.books:
            return answering.by_location(event, prepared, tools)
        case CheckedInElsewhere() if group.stage.books:
            return answering.by_attendance(event, prepared, tools)
        case CommandGiven() if group.stage.books or event.name in (WITHDRAW.word, ERASE.word):
            return _command(event, member, prepared, tools)
        case ChoiceMade() if group.stage.books:
            return _choice(event, member, prepared, tools)
        case _:
            return None


async def _moment(
    event: TimeCame, group: Group, view: View, tools: Tools
) -> Iterable[Action | Errand] | None:
    if event.job == "purge":
        await daily.purge(event, view, tools)
        return None
    if not group.stage.books:
        return None
    match event.job:
        case "ask":
            return await daily.ask(event, view, tools)
        case "remind":
            return await daily.remind(event, view, tools)
        case "close":
            return await daily.close(event, view, tools)
        case "look":
            return await daily.look(event, view, tools)
        case "consent":
            return await asking.invite_all(view, event.at, tools)
        case "board":
            return await lists.sent_board(view.today(event.due_at), view, tools)
        case _:
            return None


async def _person(event: PersonChanged, tools: Tools) -> None:
    """Have days follow their person; of somebody who left nothing but the log of consent is kept."""
    match event.change:
        case "left":
            await asking.end(event.person_id, Word.ENDED, tools.clock.now())
        case "merged":
            await book.merged(event.former, event.person_id)
        case "split":
            for former in event.former:
                await book.parted(event.person_id, tools.people.accounts(former), former)
        case _:
            return


def _command(
    event: CommandGiven, member: Member, view: View, tools: Tools
) -> Awaitable[Iterable[Action | Errand] | None]:
    match event.name:
        case WITHDRAW.word:
            return asking.withdraw(event, view, tools)
        case ERASE.word:
            return asking.erase(event, view, tools)
        case AGREE.word | DECLINE.word:
            return _consent(event, event.name, view, tools)
        case INVITE.word:
            return asking.invite(event, view, tools)
        case PLACE.word:
            return answering.by_words(event, view, tools)
        case _:
            return _asked(event, member, view, tools)


def _asked(
    event: CommandGiven, member: Member, view: View, tools: Tools
) -> Awaitable[Iterable[Action | Errand]]:
    match event.name:
        case MINE.word:
            return lists.mine(event, view, tools)
        case ROLL.word:
            return lists.roll(event, member, view, tools)
        case BOARD.word:
            return lists.board(event, member, view, tools)
        case LEAVE.word:
            return petitions.leave(event, view, tools)
        case CORRECT.word:
            return petitions.correction(event, view, tools)
        case _:
            return _decision(event, member, view, tools)


async def _consent(event: Spoken, word: str, view: View, tools: Tools) -> Iterable[Action | Errand] | None:
    if word == AGREE.word:
        return await asking.agree(event, view, tools)
    return await asking.decline(event, view, tools) if word == DECLINE.word else None


def _decision(
    event: CommandGiven, member: Member, view: View, tools: Tools
) -> Awaitable[Iterable[Action | Errand]]:
    decision = petitions.Decision(
        number=int(event.args[0]),
        approved=event.name in (APPROVE_LEAVE.word, APPROVE_CORRECTION.word),
        what=What.LEAVE if event.name in (APPROVE_LEAVE.word, REFUSE_LEAVE.word) else What.CORRECTION,
        note=event.args[1] if len(event.args) > 1 else "",
    )
    return petitions.decide(event, member, decision, view, tools)


async def _choice(
    event: ChoiceMade, member: Member, view: View, tools: Tools
) -> Iterable[Action | Errand] | None:
    if event.subject == asking.SUBJECT:
        return await _consent(event, event.word, view, tools)
    number = petitions.number_of(event)
    if number is None or event.word not in (tools.texts("word_approve"), tools.texts("word_refuse")):
        return None
    yes = event.word == tools.texts("word_approve")
    decision = petitions.Decision(number=number, approved=yes, note=event.note)
    return await petitions.decide(event, member, decision, view, tools)


@hookimpl
def performed(action: Action, receipt: Receipt, tools: Tools) -> Awaitable[object] | None:
    """Remember whom a private word did not reach, so that the group is told once, naming nobody."""
    if not isinstance(action, DirectMessage) or receipt.kind not in ("impossible", "refused", "gone"):
        return None
    return tools.counters.add(daily.unreached(action.group_id, action.account), daily.UNREACHED_S)
