"""The plugin of the QQ soaks: writes down every fact it is asked about, objects to 坏, thanks for 好 and repeats names.

`SOAK_JOURNAL` names the file. A line is written by one call to the system, so that whoever kills the process
finds every fact that was handled before.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

from groupops import (
    Event,
    Evidence,
    Manifest,
    Member,
    MessagePosted,
    Mute,
    Offence,
    Rule,
    SendText,
    Severity,
    hookimpl,
)

KINDS = frozenset(
    {
        "message_posted",
        "message_recalled",
        "member_joined",
        "member_left",
        "member_renamed",
        "role_changed",
        "group_renamed",
        "location_shared",
        "red_packet_sent",
        "join_requested",
    }
)

manifest = Manifest(title="见证", hears=KINDS, rules=(Rule(id="witness.word", title="用语"),))

PACK = """
[pack]
id = "soak"
title = "浸泡测试"
[plugins]
enabled = ["witness", "welcome", "roster", "moderation", "red_packet", "quiet_hours", "check_in"]
[discipline]
burst_s = 0
[quiet_hours]
windows = [{ start = "03:00", end = "03:01", days = "all" }]
[moderation]
use = ["gambling"]
"""


@hookimpl
def judge(event: Event, member: Member) -> Offence | None:
    _write(event)
    if not isinstance(event, MessagePosted) or "坏" not in event.text:
        return None
    return Offence(
        rule="witness.word",
        reason=f"用语不当 {event.text}",
        severity=Severity.MEDIUM,
        ladder="soft",
        auto="mute",
        contain=(Mute(group_id=event.group_id, account=event.account, span=timedelta(minutes=10)),),
        evidence=(Evidence(what="word", quote="坏"),),
    )


@hookimpl
def react(event: Event, member: Member) -> list[SendText] | None:
    if not isinstance(event, MessagePosted) or "好" not in event.text:
        return None
    text = f"谢谢 {member.called} {event.text}"
    return [SendText(group_id=event.group_id, text=text, mentions=(event.account,))]


def _write(event: Event) -> None:
    line: dict[str, Any] = {
        "pid": os.getpid(),
        "id": event.id,
        "kind": event.kind,
        "group": event.group_id,
        "account": getattr(event, "account", ""),
        "text": event.text if isinstance(event, MessagePosted) else "",
        "to_bot": isinstance(event, MessagePosted) and event.to_bot,
        "late": event.arrived_late,
    }
    file = os.open(os.environ["SOAK_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, json.dumps(line, ensure_ascii=False).encode() + b"\n")
    finally:
        os.close(file)
