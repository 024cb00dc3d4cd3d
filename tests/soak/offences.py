"""The plugin of the soaks: talk with 坏 in it offends, talk with 好 in it is thanked, all else is silence."""

from __future__ import annotations

from datetime import timedelta

from groupops import (
    Event,
    Evidence,
    Manifest,
    MessagePosted,
    Mute,
    Offence,
    Rule,
    SendText,
    Severity,
    hookimpl,
)

manifest = Manifest(
    title="浸泡测试",
    hears=frozenset({"message_posted"}),
    rules=(Rule(id="soak.word", title="用语"),),
)

PACK = """
[pack]
id = "soak"
title = "浸泡测试"
[plugins]
enabled = ["soak"]
[discipline]
burst_s = 0
"""


@hookimpl
def judge(event: Event) -> Offence | None:
    if not isinstance(event, MessagePosted) or "坏" not in event.text:
        return None
    return Offence(
        rule="soak.word",
        reason=f"用语不当 {event.message_id}",
        severity=Severity.MEDIUM,
        ladder="soft",
        auto="mute",
        contain=(Mute(group_id=event.group_id, account=event.account, span=timedelta(minutes=10)),),
        evidence=(Evidence(what="word", quote="坏"),),
    )


@hookimpl
def react(event: Event) -> list[SendText] | None:
    if not isinstance(event, MessagePosted) or "好" not in event.text:
        return None
    return [SendText(group_id=event.group_id, text=f"谢谢 {event.message_id}")]
