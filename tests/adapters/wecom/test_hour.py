"""An hour of one group's busiest day passes without WeCom refusing anything as too often."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path

from groupops import AccountId, DirectMessage, Done, GroupId, SendText, Throttled
from groupops.clock import SystemClock
from groupops_wecom.wecom import PACE
from tests.support.wecom_rig import MEMBER, ROOM, Modes, Served, serving

GROUP = GroupId(f"wecom:{ROOM}")
LI = AccountId(f"wecom:{MEMBER}")
HOUR = timedelta(hours=1)
NOTICES = 900
"""Notices to one group and to one member in the hour: more than either may hear at the rate they come."""


class Hurried(SystemClock):
    """Time that is moved on by whoever waits; what waits for longer than a minute by itself waits for ever."""

    def __init__(self) -> None:
        self.moment = datetime(2025, 3, 3, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        if seconds >= 25:  # heartbeats and looks at lists are not what is measured
            await asyncio.Event().wait()
        self.moment += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def most_within(moments: list[float], span: float) -> int:
    """Give the largest number of moments within any span."""
    window: deque[float] = deque()
    most = 0
    for moment in sorted(moments):
        window.append(moment)
        while moment - window[0] >= span:
            window.popleft()
        most = max(most, len(window))
    return most


async def all_said(served: Served, clock: Hurried) -> int:
    """Say everything as the core does: what is to come later comes when that time is over. Gives how often it was."""
    later = 0
    actions = [
        action
        for number in range(NOTICES)
        for action in (
            SendText(group_id=GROUP, text=f"通知 {number}"),
            DirectMessage(group_id=GROUP, account=LI, text=f"提醒 {number}"),
        )
    ]
    for number, action in enumerate(actions):
        while True:
            receipt = await served.platform.perform(action, key=f"e{number}#0")
            if isinstance(receipt, Done):
                break
            assert isinstance(receipt, Throttled), receipt
            later += 1
            clock.moment += receipt.retry_after
    return later


async def test_no_rate_is_overrun_and_nothing_is_lost(tmp_path: Path) -> None:
    clock = Hurried()
    async with serving(Modes(aibot="link", app=True), tmp_path, clock=clock) as served:
        begun = clock.moment
        await all_said(served, clock)

        group = [one.at for one in served.chat.said if one.text.startswith("通知")]
        private = [one.at for one in served.far.world.people[MEMBER].inbox if one.text.startswith("提醒")]
        refused = [call for call in served.far.rest.calls if call.errcode == 45009]

    assert len(group) == len(private) == NOTICES
    assert most_within(group, 60) <= 30
    assert most_within(private, 60) <= 30
    assert most_within(group, 3600) <= 1000
    assert most_within(private, 3600) <= 1000
    assert not refused
    assert clock.moment - begun < 2 * HOUR


def test_the_pace_told_to_the_core_is_no_faster_than_a_conversation_may_be() -> None:
    rate = PACE.group_messages

    assert rate is not None
    assert timedelta(minutes=1) / rate.every <= 30
    assert PACE.merge
