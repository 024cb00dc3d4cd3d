"""Roster: who belongs to the group, under which name, and what follows when somebody does not (C05-C14)."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from groupops import (
    AccountId,
    Capability,
    CaseChanged,
    CommandGiven,
    Desk,
    Event,
    Group,
    JoinRequested,
    Manifest,
    MemberJoined,
    MemberLeft,
    MemberRenamed,
    ObligationMissed,
    PersonChanged,
    Policy,
    Rule,
    Schedule,
    TimeCame,
    Tools,
    hookimpl,
)
from groupops_roster import (
    avatars,
    bindings,
    cases,
    checking,
    commands,
    guests,
    joining,
    leavers,
    naming,
    newcomers,
)
from groupops_roster.models import written
from groupops_roster.scene import (
    AUDIT,
    AVATAR,
    CARD,
    DELEGATES,
    LEAVER,
    MUST_JOIN,
    OUTSIDER,
    REAL_NAME,
    REPORT,
    VERIFY,
    Answer,
    Scene,
    Shelf,
    View,
)
from groupops_roster.settings import Roster

if TYPE_CHECKING:
    import typer


def _checks(settings: Roster) -> Iterable[str]:
    return [settings.audit_at] if settings.audit_at else []


def _check_days(settings: Roster) -> str:
    return settings.audit_days


def _asks(settings: Roster) -> Iterable[str]:
    return [settings.card.avatar_ask_at] if settings.card.avatar_self_declare else []


manifest = Manifest(
    title="名册核对",
    settings=Roster,
    hears=frozenset(
        {
            "member_joined",
            "member_left",
            "member_renamed",
            "join_requested",
            "command_given",
            "person_changed",
            "case_changed",
            "obligation_missed",
            "time_came",
        }
    ),
    needs=frozenset({Capability.LIST_MEMBERS, Capability.READ_CARD, Capability.DIRECT_MESSAGE}),
    rules=(
        Rule(id=OUTSIDER, title="只收名册上的人"),
        Rule(id=LEAVER, title="离职者不留在群里"),
        Rule(id=CARD, title="群名片按格式书写"),
        Rule(id=REAL_NAME, title="使用真实姓名"),
        Rule(id=AUDIT, title="定期核对成员"),
        Rule(id=MUST_JOIN, title="应入群者入群"),
        Rule(id=VERIFY, title="新成员核验身份"),
        Rule(id=DELEGATES, title="由本单位更新名册"),
        Rule(id=REPORT, title="发现外人应报告"),
        Rule(id=AVATAR, title="使用本人头像"),
    ),
    commands=commands.TABLE,
    schedules=(
        Schedule(job="audit", at=_checks, days=_check_days),
        Schedule(job="avatar", at=_asks),
    ),
    models="groupops_roster.models",
)


@hookimpl
@asynccontextmanager
async def lifespan() -> AsyncGenerator[Shelf, None]:
    """Keep the register of names that all groups share."""
    yield Shelf()


@hookimpl
def prepare(policy: Policy) -> View:
    """Have ready what the policy of a group says."""
    return View.of(policy)


@hookimpl
def operator(desk: Desk) -> "typer.Typer":
    """Offer `groupops roster …`."""
    from groupops_roster.operating import app  # the shell alone has a use for it

    return app(desk)


@hookimpl
def react(
    event: Event, group: Group, settings: Roster, prepared: View, own: Shelf, tools: Tools
) -> Awaitable[Answer | None] | None:
    """Answer a fact; in a trial run nothing is left of what it would have written."""
    if isinstance(event, CaseChanged) and not cases.is_own(event.rule):
        return None
    scene = Scene(
        now=tools.clock.now(), group=group, settings=settings, view=prepared, shelf=own, tools=tools
    )
    return _reacted(scene, event)


async def _reacted(scene: Scene, event: Event) -> Answer | None:
    if isinstance(event, TimeCame) and event.job == "audit":
        return await _checked(scene)
    async with written(for_good=scene.group.stage.books):
        return await _answered(scene, event)


async def _checked(scene: Scene) -> Answer:
    """Check a group; what takes long, and what asks the core, is done before anything is locked by writing."""
    statuses = await cases.look_up(scene.group_id, scene.tools)
    cards = await checking.cards_of(scene)
    async with written(for_good=scene.group.stage.books):
        await cases.reconcile(scene, statuses)
        return await checking.daily(scene, cards)


async def _answered(scene: Scene, event: Event) -> Answer | None:
    match event:
        case MemberJoined():
            return await newcomers.joined(scene, event)
        case MemberLeft():
            return await _left(scene, event.account)
        case MemberRenamed():
            return await naming.renamed(scene, event)
        case JoinRequested():
            return await joining.requested(scene, event)
        case CommandGiven():
            return await commands.answered(scene, event)
        case PersonChanged():
            return await _person_changed(scene, event)
        case CaseChanged():
            await cases.hear_case(scene, event)
            return None
        case ObligationMissed():
            return await naming.missed(scene, event)
        case TimeCame():
            return await _time_came(scene, event)
        case _:
            return None


async def _left(scene: Scene, account: AccountId) -> Answer:
    """Whatever ran for somebody who has left the group ends."""
    await newcomers.member_left(scene, account)
    await guests.member_left(scene, account)
    await leavers.member_left(scene, account)
    await bindings.member_left(scene, account)
    await cases.member_left(scene, account)
    await avatars.member_left(scene, account)
    return await naming.member_left(scene, account)


async def _person_changed(scene: Scene, event: PersonChanged) -> Answer:
    """A person of the group left the organisation, came back, or got an account."""
    here = scene.on_platform(event.person_id)
    person = scene.person(here[0]) if here else None
    if person is None:
        return []
    if not person.active:
        return await leavers.left(scene, person, filter(scene.inside, here))
    await leavers.returned(scene, here)
    await bindings.settle_bound(scene, here)
    for account in here:
        await newcomers.close(scene, account, "registered")
    return []


_Woken = Callable[[Scene, AccountId], Awaitable[Answer]]


async def _time_came(scene: Scene, event: TimeCame) -> Answer | None:
    job, _, account = event.job.partition("/")
    if job == "avatar":
        return await avatars.asked(scene)
    woken: dict[str, _Woken] = {
        naming.JOB: naming.woken,
        newcomers.JOB: newcomers.ran_out,
        leavers.JOB: leavers.grace_over,
    }
    return await woken[job](scene, AccountId(account)) if job in woken and account else None
