"""What tests of the engine tell their stories with: plugins made on the spot, and what the platform saw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

from groupops import (
    Action,
    Event,
    Evidence,
    Manifest,
    MessagePosted,
    Mute,
    Offence,
    Rule,
    Severity,
    hookimpl,
)
from groupops.testing import Rig

PACK = """
[pack]
id = "story"
title = "测试"
[plugins]
enabled = ["rude"]
[discipline]
burst_s = 0
[clause."rude.word"]
ref = "篇十 二.5"
text = "文明用语"
"""


def plugin(name: str = "rude", *, hears: tuple[str, ...] = ("message_posted",), **parts: Any) -> ModuleType:
    """Make a plugin's module: functions become its hooks, all else goes into its manifest."""
    module = ModuleType(f"groupops_{name}_for_tests")
    hooks = {key: part for key, part in parts.items() if callable(part) and not isinstance(part, type)}
    says = {key: part for key, part in parts.items() if key not in hooks}
    module.manifest = Manifest(
        title="测试", hears=frozenset(hears), rules=(Rule(id=f"{name}.word", title="测试"),), **says
    )
    for hook, function in hooks.items():
        function.__name__ = hook
        setattr(module, hook, hookimpl(function))
    return module


def rude(
    ladder: str = "soft", *, auto: str = "mute", mute_minutes: int = 0, severity: Severity = Severity.MEDIUM
) -> Callable[[Event], Offence | None]:
    """Make a `judge` that objects to 坏 in a message, and mutes for it where minutes are given."""

    def judge(event: Event) -> Offence | None:
        if not isinstance(event, MessagePosted) or "坏" not in event.text:
            return None
        mute = Mute(group_id=event.group_id, account=event.account, span=timedelta(minutes=mute_minutes))
        return Offence(
            rule="rude.word",
            reason="用语不当",
            severity=severity,
            ladder=ladder,
            auto=auto,  # type: ignore[arg-type]
            contain=(mute,) if mute_minutes else (),
            evidence=(Evidence(what="word", quote="坏", start=0, end=1),),
        )

    return judge


def done(rig: Rig, kind: str = "") -> list[Action]:
    """Give the actions the platform carried out, in order; of one kind where it is given."""
    return [
        line.action for line in rig.sandbox.world.requests if line.done and kind in ("", line.action.kind)
    ]


def asked(rig: Rig, kind: str = "") -> list[Action]:
    """Give the actions the platform was asked for, whatever came of them."""
    return [line.action for line in rig.sandbox.world.requests if kind in ("", line.action.kind)]


def told(rig: Rig, account: str) -> list[str]:
    """Give what the bot wrote to a member: privately, in answer to it, or mentioning it."""
    who = f"sandbox:{account}"
    return [
        action.text
        for action in done(rig)
        if getattr(action, "account", None) == who or who in getattr(action, "mentions", ())
        if hasattr(action, "text")
    ]
