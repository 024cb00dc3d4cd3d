"""Whole stories of deadlines, of nights, and of what goes on when something is away for a while."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from groupops import (
    AccountId,
    Event,
    GroupId,
    MessagePosted,
    ObligationMissed,
    OpenObligation,
    Quiet,
    SendText,
    SettleObligation,
    TimeCame,
    WakeAt,
)
from groupops.calendar import Window
from groupops.counters import MemoryCounters
from groupops.engine import Engine
from groupops.errors import StoreError
from groupops.records import CaseStatus, ObligationStatus, OutboxState
from groupops.store.memory import MemoryRecords
from groupops.store.sql import open_records
from groupops.testing import Rig, rig
from tests.support.stories import PACK, asked, done, plugin, rude, told

HOUR = timedelta(hours=1)


def tasks() -> ModuleType:
    """布置 makes everybody's task of it: an hour to answer 完成, reminded of half an hour before."""

    def react(event: Event) -> list[Any] | None:
        if isinstance(event, ObligationMissed):
            return [SendText(group_id=event.group_id, text=f"逾期 {event.account}")]
        if not isinstance(event, MessagePosted):
            return None
        key = f"task/{event.account}"
        if event.text == "领取":
            return [
                OpenObligation(
                    group_id=event.group_id,
                    account=event.account,
                    obligation_kind="tasks.answer",
                    title="周报",
                    key=key,
                    minutes=60,
                    remind_minutes=(30,),
                )
            ]
        return [SettleObligation(group_id=event.group_id, key=key)] if event.text == "交了" else None

    return plugin("tasks", react=react, hears=("message_posted", "obligation_missed"))


TASKS = PACK.replace('["rude"]', '["tasks"]').split("[clause")[0]


async def owed(r: Rig) -> ObligationStatus:
    [row] = await r.records.obligations()
    return row.status


async def test_what_is_owed_is_reminded_missed_explained_and_excused() -> None:
    async with rig(pack=TASKS, plugins=(), extra={"tasks": tasks()}) as r:
        await r.say("g1", "wang", "领取")
        await r.advance(timedelta(minutes=30))
        assert "「周报」还剩 30 分钟" in told(r, "wang")[-1]

        await r.advance(timedelta(minutes=31))
        assert await owed(r) is ObligationStatus.MISSED
        assert [action.text for action in done(r, "send_text")][-1] == "逾期 sandbox:wang"

        await r.whisper("g1", "wang", "说明 1 网络中断")
        assert await owed(r) is ObligationStatus.EXCUSE_PENDING
        assert any("说明 T1" in text for text in told(r, "admin"))
        await r.whisper("g1", "admin", "批准 T1")
        assert await owed(r) is ObligationStatus.EXCUSED


async def test_what_is_done_in_time_is_neither_reminded_of_nor_missed() -> None:
    async with rig(pack=TASKS, plugins=(), extra={"tasks": tasks()}) as r:
        await r.say("g1", "wang", "领取")
        await r.advance(timedelta(minutes=5))
        await r.say("g1", "wang", "交了")
        await r.advance(2 * HOUR)

        assert await owed(r) is ObligationStatus.SATISFIED
        assert asked(r) == []


async def test_a_steward_of_another_group_excuses_nobody_here() -> None:
    groups = ("g1", "g2")
    async with rig(pack=TASKS, plugins=(), extra={"tasks": tasks()}, groups=groups, stewards=()) as r:
        await r.engine.steward(AccountId("sandbox:li"), GroupId("sandbox:g2"))
        await r.say("g1", "wang", "领取")
        await r.advance(timedelta(minutes=61))
        await r.whisper("g1", "wang", "说明 1 网络中断")

        await r.whisper("g2", "li", "批准 T1")

        assert await owed(r) is ObligationStatus.EXCUSE_PENDING


async def test_at_night_the_bot_s_own_words_wait_for_the_morning() -> None:
    def react(event: Event) -> list[Any] | None:
        if isinstance(event, TimeCame):
            return [SendText(group_id=event.group_id, text="小结")]
        wake = WakeAt(group_id=event.group_id, job="sum", at=event.at + timedelta(hours=14))
        return [wake, SendText(group_id=event.group_id, text="好的")]

    night = plugin(
        "night",
        hears=("message_posted", "time_came"),
        react=react,
        quiet=lambda: Quiet(windows=(Window.parse({"start": "22:00", "end": "07:30"}),)),
    )
    pack = PACK.replace('["rude"]', '["night"]').split("[clause")[0]
    async with rig(pack=pack, plugins=(), extra={"night": night}) as r:
        await r.say("g1", "wang", "今晚做小结")
        await r.advance(14 * HOUR)
        assert [action.text for action in done(r)] == ["好的"], (
            "an answer is given at once, an unasked word waits"
        )

        await r.advance(8 * HOUR + timedelta(minutes=29))
        assert len(done(r)) == 1
        await r.advance(timedelta(minutes=1))
        assert [action.text for action in done(r)] == ["好的", "小结"]


async def restarted(r: Rig) -> None:
    """Start another engine on the same record: what was only in memory is gone."""
    await r.engine.stop()
    parts = replace(r.engine.parts, counters=MemoryCounters(r.clock))
    r.engine = Engine.build(parts)
    await r.engine.start()
    await r.engine.recover()


@pytest.mark.parametrize("where", ["memory", "sqlite"])
async def test_a_restart_in_the_middle_changes_nothing_of_the_story(where: str, sqlite_url: str) -> None:
    extra = {"rude": plugin(judge=rude(mute_minutes=10))}

    async def play(records: Any) -> None:
        async with rig(pack=PACK, plugins=(), extra=extra, records=records) as r:
            said = r.sandbox.say("g1", "wang", "坏")
            await r.tell(said)
            await restarted(r)
            await r.tell(said)
            await r.advance(HOUR)
            await r.say("g1", "wang", "还是坏")
            await restarted(r)
            await r.whisper("g1", "admin", "批准 2 屡次")

            cases = await r.records.cases()
            assert [(case.status, case.strike) for case in cases] == [
                (CaseStatus.EFFECTIVE, 1),
                (CaseStatus.EFFECTIVE, 2),
            ]
            assert len(done(r, "reply")) == 1
            assert len(done(r, "mute")) == 2

    if where == "memory":
        await play(MemoryRecords())
    else:
        async with open_records(sqlite_url) as records:
            await play(records)


class Refusing(MemoryRecords):
    """A record that refuses some of its steps for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.refusing: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        if name in object.__getattribute__(self, "__dict__").get("refusing", ()):

            async def refuse(*_: Any, **__: Any) -> None:
                raise StoreError("the database is away")

            return refuse
        return super().__getattribute__(name)


@pytest.mark.parametrize("step", ["person_for", "book", "cases", "performing", "enqueue", "note"])
async def test_a_database_that_is_away_for_a_while_delays_a_case_and_loses_nothing(step: str) -> None:
    def react(event: Event) -> list[Any]:
        return [SendText(group_id=event.group_id, text="收到")]

    records = Refusing()
    extra = {"rude": plugin(judge=rude(ladder="", mute_minutes=10), react=react)}
    async with rig(pack=PACK, plugins=(), extra=extra, records=records) as r:
        event = r.sandbox.say("g1", "wang", "坏")
        records.refusing = {step}
        waiting = asyncio.create_task(r.engine.flow.handle(event))
        await asyncio.sleep(0.01)
        await r.clock.play_to(r.clock.now() + timedelta(seconds=5))
        records.refusing = set()
        await r.clock.play_to(r.clock.now() + timedelta(seconds=60))
        await waiting
        await r.advance(HOUR)

        assert len(await r.records.cases()) == 1
        assert sorted(action.kind for action in done(r)) == ["mute", "send_text"]
        assert {row.state for row in await r.records.outbox()} == {OutboxState.DONE}


async def test_an_outcome_that_could_not_be_written_is_written_later_and_nothing_is_done_twice() -> None:
    records = Refusing()
    extra = {"rude": plugin(judge=rude("soft", mute_minutes=10))}
    async with rig(pack=PACK, plugins=(), extra=extra, records=records) as r:
        records.refusing = {"receipted"}
        await r.engine.flow.handle(r.sandbox.say("g1", "wang", "坏"))
        assert [action.kind for action in done(r)] == ["reply"], "what comes after waits, in order"

        records.refusing = set()
        await r.settle()

        assert [action.kind for action in done(r)] == ["reply", "mute"]
        assert {row.state for row in await r.records.outbox()} == {OutboxState.DONE}


async def test_a_platform_that_is_away_gets_everything_once_it_is_back() -> None:
    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude(mute_minutes=10))}) as r:
        r.sandbox.faults.unplug()
        await r.say("g1", "wang", "坏")
        await r.advance(timedelta(seconds=10))
        assert done(r) == []

        r.sandbox.faults.heal()
        await r.advance(timedelta(minutes=1))

        assert sorted(action.kind for action in done(r)) == ["mute", "reply"]
