"""Exports as people hand them in: ChatLab with accounts and seconds, and WeChat's mail with names and minutes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2025, 3, 12, 9, 0, tzinfo=SHANGHAI)


def chatlab(
    *said: tuple[int, str, str],
    members: tuple[str, ...] = (),
    recalls: tuple[tuple[int, str], ...] = (),
    noticed: tuple[tuple[int, str], ...] = (),
    marked: Mapping[str, int] = MappingProxyType({}),
    group: str = "g1",
) -> str:
    """Write ChatLab JSONL: `said` is minutes after nine, account and words; `recalls` minutes and message ids.

    `noticed` is minutes and account of a recall that names no message, `marked` tells of messages when they were
    taken back, by their ids.
    """
    rows: list[dict[str, object]] = [
        {
            "_type": "header",
            "chatlab": {"version": "0.0.2", "exportedAt": _stamp(2000), "generator": "test"},
            "meta": {"name": "一号群", "platform": "wechat", "type": "group", "groupId": group},
            "groupops": {"v": 1, "tz": "Asia/Shanghai", "precision": "s", "identity": "id"},
        }
    ]
    rows += [{"_type": "member", "platformId": one, "accountName": f"昵称{one}"} for one in members]
    rows += [
        {
            "_type": "message",
            "sender": who,
            "accountName": f"昵称{who}",
            "timestamp": _stamp(minutes),
            "type": 0,
            "content": words,
            "platformMessageId": f"m{minutes}{who}",
        }
        | (
            {"groupops": {"recalled_at": _stamp(marked[f"m{minutes}{who}"])}}
            if f"m{minutes}{who}" in marked
            else {}
        )
        for minutes, who, words in said
    ]
    rows += [
        _recall(minutes, message_id=message, targets=[message.lstrip("m0123456789")])
        for minutes, message in recalls
    ]
    rows += [_recall(minutes, actor=who) for minutes, who in noticed]
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n"


def mailed(*said: tuple[int, str, str]) -> str:
    """Write a WeChat selection: minutes after nine, shown name and words."""
    parts = ['Dear:\n\n微信群"一号群"的聊天记录如下:\n', "—————  2025-3-12  —————\n"]
    for minutes, name, words in said:
        parts.append(f"{name} {MORNING + timedelta(minutes=minutes):%H:%M}\n{words}\n")
    return "\n".join(parts)


def _stamp(minutes: int) -> int:
    return int((MORNING + timedelta(minutes=minutes)).timestamp())


def _recall(minutes: int, **told: Any) -> dict[str, Any]:
    """Give the line by which the client says that something was taken back."""
    return {
        "_type": "message",
        "sender": "SYSTEM",
        "accountName": "系统",
        "timestamp": _stamp(minutes),
        "type": 81,
        "content": "撤回了一条消息",
        "groupops": {"event": {"kind": "recall", **told}},
    }
