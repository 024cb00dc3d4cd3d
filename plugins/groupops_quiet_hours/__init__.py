"""Quiet hours: at night a group rests; who talks is reminded once, urgent matters pass (C36)."""

from collections.abc import AsyncGenerator, Awaitable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from groupops import (
    Action,
    AskStewards,
    Capability,
    Errand,
    Event,
    Evidence,
    Group,
    Manifest,
    Member,
    MessagePosted,
    Mute,
    MuteAll,
    Offence,
    Pardon,
    Quiet,
    Reply,
    Rule,
    Schedule,
    Stage,
    TimeCame,
    Tools,
    WakeAt,
    hookimpl,
)
from groupops_quiet_hours.rest import Night, Rest, Rests
from groupops_quiet_hours.settings import QuietHours

RULE = "quiet_hours.rest"

LOOK_AT = "09:00"
"""When the work calendar is looked at: in the morning, so that a word to the stewards wakes nobody."""

MUTES_PER_WINDOW = 3
"""Mutes of one member in one window at most: of ten minutes each, they are the core's half hour a day."""

_DAY_S = 86_400.0
"""No window is longer, so what is counted for a night lasts as long as the night."""

_LEAST_MUTE = timedelta(minutes=1)
_BEFORE = timedelta(seconds=1)


def _openings(settings: QuietHours) -> Iterable[str]:
    """Give when a whole-group mute may begin; its end is woken for when it has begun."""
    return [one.start for one in settings.windows] if settings.action == "mute_group" else []


def _looks(settings: QuietHours) -> Iterable[str]:
    return [LOOK_AT] if settings.by_calendar else []


manifest = Manifest(
    title="休息时间",
    settings=QuietHours,
    hears=frozenset({"message_posted", "time_came"}),
    reacts=frozenset({"time_came"}),
    needs=frozenset({Capability.RECEIVE_ALL, Capability.SEND_TEXT}),
    rules=(Rule(id=RULE, title="休息时间请勿群聊"),),
    schedules=(Schedule(job="open", at=_openings), Schedule(job="look", at=_looks)),
)


@hookimpl
@asynccontextmanager
async def lifespan() -> AsyncGenerator[Rests, None]:
    """Keep what groups that rest alike share."""
    yield Rests()


@hookimpl
def prepare(group: Group, settings: QuietHours, own: Rests | None, tools: Tools) -> Rest:
    """Have the windows of a group ready."""
    return (own or Rests()).of(settings.rest, group.timezone, tools.calendar)


@hookimpl
def quiet(settings: QuietHours) -> Quiet | None:
    """Say when the group rests: service clocks stand still and the bot's unasked messages wait."""
    return Quiet(windows=settings.rest, defer=settings.defer_bot_messages) if settings.rest else None


@hookimpl
def judge(
    event: Event, member: Member, settings: QuietHours, prepared: Rest, tools: Tools
) -> Pardon | Offence | Awaitable[Offence | None] | None:
    """Object to talk in a quiet window, once per member and window; a message marked urgent is spoken up for."""
    if not isinstance(event, MessagePosted):
        return None
    night = prepared.night(event.at)
    if night is None or event.arrived_late or not event.account or settings.exempts(member):
        return None
    tag = settings.urgent(event.text)
    if tag:
        tools.log.info("urgent message in quiet hours", group=event.group_id, message=event.message_id)
        return Pardon(reason=tools.texts("urgent", tag=tag), rules=(RULE,), record=True)
    if settings.action != "mute_member" and settings.remind_once_per_window:
        first = tools.counters.once_now(f"{_key(event, member, night)}/reminded", _DAY_S)
        if first is not None:  # counted in this process: nothing to wait for
            return _reminded(event, night, settings, tools) if first else None
    return _disturbed(event, member, night, settings, tools)


def _key(event: MessagePosted, member: Member, night: Night) -> str:
    return f"quiet_hours/{event.group_id}/{night.key}/{member.key}"


async def _disturbed(
    event: MessagePosted, member: Member, night: Night, settings: QuietHours, tools: Tools
) -> Offence | None:
    """Say what follows from talking at night. A message that nothing follows from costs one round trip."""
    key = _key(event, member, night)
    said = 1
    if settings.action == "mute_member":
        said = await tools.counters.add(f"{key}/said", _DAY_S)
        if _enough(said, settings):
            return _muted(event, member, night, said, settings, tools)
    if not settings.remind_once_per_window:
        return _reminded(event, night, settings, tools)
    # Counters that lost their memory count to one for ever; `once` is kept in this process meanwhile.
    first = said == 1 and await tools.counters.once(f"{key}/reminded", _DAY_S)
    return _reminded(event, night, settings, tools) if first else None


def _enough(said: int, settings: QuietHours) -> bool:
    """Say whether this message is the one too many: each time as many again, and only so often."""
    times, over = divmod(said, settings.mute_after)
    return over == 0 and times <= MUTES_PER_WINDOW


def _reminded(event: MessagePosted, night: Night, settings: QuietHours, tools: Tools) -> Offence:
    """A reminder: a measure outside every ladder, so no strike (G9)."""
    text = _say("remind", night, settings, tools)
    reply = Reply(group_id=event.group_id, message_id=event.message_id, text=text, account=event.account)
    return Offence(
        rule=RULE,
        reason=_say("reason", night, settings, tools),
        auto="remind",
        contain=(reply,),
        evidence=(Evidence(what="window", detail=night.key),),
    )


def _muted(
    event: MessagePosted, member: Member, night: Night, said: int, settings: QuietHours, tools: Tools
) -> Offence:
    """A mute that ends with the window at the latest; who it cannot be done to is the core's to know."""
    text = _say("again", night, settings, tools, name=member.called, count=said)
    reply = Reply(group_id=event.group_id, message_id=event.message_id, text=text, account=event.account)
    span = max(_LEAST_MUTE, min(settings.mute_span, night.ends - event.at))
    return Offence(
        rule=RULE,
        reason=_say("reason", night, settings, tools),
        auto="mute",
        contain=(reply, Mute(group_id=event.group_id, account=event.account, span=span)),
        evidence=(Evidence(what="window", detail=f"{night.key} #{said}"),),
    )


def _say(key: str, night: Night, settings: QuietHours, tools: Tools, **more: object) -> str:
    tag = next(iter(settings.emergency_tags), "")
    hint = tools.texts("hint", tag=tag) if tag else ""
    return tools.texts(key, start=night.start_clock, end=night.end_clock, hint=hint, tag=tag, **more)


@hookimpl
def react(
    event: Event, group: Group, settings: QuietHours, prepared: Rest, tools: Tools
) -> Iterable[Action | Errand] | None:
    """Mute the whole group for the night where that is set, and look after the work calendar."""
    if not isinstance(event, TimeCame):
        return None
    match event.job:
        case "open":
            return _opened(event, group, settings, prepared)
        case "lift":
            return _lifted(event, settings, prepared)
        case "look":
            return _looked(event, prepared)
        case "missing":
            return [AskStewards(group_id=event.group_id, text=tools.texts("calendar", years=event.payload))]
        case _:
            return None


def _opened(event: TimeCame, group: Group, settings: QuietHours, rest: Rest) -> list[Action | Errand] | None:
    """Mute everybody when a night begins, also late; not when the group was at rest before."""
    night = rest.night(event.at)
    if night is None or rest.night(event.due_at - _BEFORE) is not None:
        return None
    if settings.action != "mute_group" or group.stage is not Stage.ENFORCED:
        return None
    return [MuteAll(group_id=event.group_id), _wake(event, "lift", night.ends)]


def _lifted(event: TimeCame, settings: QuietHours, rest: Rest) -> list[Action | Errand]:
    """Let everybody speak again, unless another window goes on.

    The row for this was put in when the mute began, so the mute ends even if the windows have changed.
    """
    night = rest.night(event.at)
    if night is not None and settings.action == "mute_group":
        return [_wake(event, "lift", night.ends)]
    return [MuteAll(group_id=event.group_id, on=False)]


def _looked(event: TimeCame, rest: Rest) -> list[Action | Errand] | None:
    """Have the stewards told of years whose holidays are only guessed (G3): woken for once per month."""
    today = event.at.astimezone(rest.zone)
    years = rest.calendar.years_to_warn_of(today.date())
    if not years:
        return None
    month = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return [_wake(event, "missing", month, "、".join(map(str, years)))]


def _wake(event: TimeCame, job: str, at: datetime, payload: str = "") -> WakeAt:
    return WakeAt(group_id=event.group_id, job=job, at=at, payload=payload)
