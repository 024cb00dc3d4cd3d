"""Another plugin in the same group: broadcasts at night, and objects to adverts by a ladder."""

from groupops import (
    Event,
    Manifest,
    MessagePosted,
    Offence,
    Reply,
    Rule,
    Schedule,
    SendText,
    Settings,
    Severity,
    TimeCame,
    hookimpl,
)


def _at(_: Settings) -> list[str]:
    return ["23:35"]


manifest = Manifest(
    title="邻居",
    hears=frozenset({"message_posted", "time_came"}),
    rules=(Rule(id="neighbour.ad", title="广告"),),
    schedules=(Schedule(job="news", at=_at),),
)


@hookimpl
def judge(event: Event) -> Offence | None:
    """Object to an advert."""
    if not isinstance(event, MessagePosted) or "大促销" not in event.text:
        return None
    told = Reply(
        group_id=event.group_id, message_id=event.message_id, text="请勿发广告。", account=event.account
    )
    return Offence(
        rule="neighbour.ad",
        reason="广告",
        severity=Severity.LOW,
        ladder="soft",
        auto="remind",
        contain=(told,),
    )


@hookimpl
def react(event: Event) -> list[SendText] | None:
    """Broadcast."""
    return [SendText(group_id=event.group_id, text="播报")] if isinstance(event, TimeCame) else None
