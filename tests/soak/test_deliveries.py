"""Facts come thrice, late, out of order and from two sources; lists come cut, plugins fail: one verdict, nobody lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from groupops import Event, Listed, MemberLeft, MembersListed, MessagePosted, SendText
from groupops.counters import RedisCounters
from groupops.records import Case
from groupops.testing import Rig, rig
from tests.support.redis_server import RedisServer
from tests.support.soak import Soak
from tests.support.stories import PACK, done, plugin, rude

STORIES = 100
FACTS = 60
GROUPS = ("g1", "g2", "g3")
PEOPLE = ("wang", "li")


def thanks(event: Event) -> list[SendText] | None:
    if isinstance(event, MessagePosted) and "好" in event.text:
        return [SendText(group_id=event.group_id, text=f"谢谢 {event.text}")]
    return None


def talk(r: Rig, dice: random.Random) -> list[MessagePosted]:
    """What people really said, each utterance once and unlike any other; time passes meanwhile."""
    said: list[MessagePosted] = []
    for number in range(FACTS):
        r.clock.advance(timedelta(seconds=dice.uniform(0, 90)))
        word = dice.choice(("坏", "好", "在"))
        event = r.sandbox.say(dice.choice(GROUPS), dice.choice(PEOPLE), f"{word} {number}")
        if event is not None:
            said.append(event)
    r.sandbox.take()
    return said


def delivered(said: list[MessagePosted], dice: random.Random) -> list[MessagePosted]:
    """The same as it arrives: up to three times, some once more from an archive, groups out of step with each other."""
    coming: list[tuple[float, MessagePosted]] = []
    behind = {group: dice.uniform(0, 40) for group in GROUPS}
    for number, event in enumerate(said):
        turn = number + behind[event.group_id.partition(":")[2]]
        coming += [(turn + dice.uniform(0, 20) * again, event) for again in range(dice.choice((1, 1, 2, 3)))]
        if dice.random() < 0.4:
            shift = timedelta(seconds=dice.uniform(-59, 59))
            copy = replace(
                event,
                id=f"archive/{event.id}",
                message_id=f"a{event.message_id}",
                source="archive",
                at=event.at + shift,
            )
            coming.append((turn + dice.uniform(0, 15), copy))
    return [event for _, event in sorted(coming, key=lambda pair: pair[0])]


def offences(said: list[MessagePosted]) -> Counter[tuple[str, str]]:
    return Counter((event.group_id, event.text) for event in said if "坏" in event.text)


def booked(cases: tuple[Case, ...]) -> Counter[tuple[str, str]]:
    return Counter((case.group_id, case.excerpt) for case in cases)


@pytest.mark.soak
async def test_however_often_and_in_whatever_order_facts_come_each_utterance_is_one_verdict(
    soak: Soak,
) -> None:
    dice = soak.random()
    for _ in range(soak.rounds(STORIES)):
        extra = {"rude": plugin(judge=rude(mute_minutes=5), react=thanks)}
        async with rig(pack=PACK, plugins=(), extra=extra, groups=GROUPS) as r:
            said = talk(r, dice)
            for event in delivered(said, dice):
                await r.engine.flow.handle(event)
            await r.settle()

            assert booked(await r.records.cases()) == offences(said)
            thanked = Counter(action.text for action in done(r, "send_text"))
            assert thanked == Counter(f"谢谢 {event.text}" for event in said if "好" in event.text)


@pytest.mark.soak
async def test_what_comes_after_a_restart_a_second_time_is_no_second_verdict(soak: Soak) -> None:
    dice = soak.random()
    for _ in range(soak.rounds(STORIES)):
        extra = {"rude": plugin(judge=rude(), react=thanks)}
        async with rig(pack=PACK, plugins=(), extra=extra, groups=GROUPS) as r:
            said = talk(r, dice)
            coming = delivered(said, dice)
            for number, event in enumerate(coming):
                if number in (len(coming) // 3, len(coming) // 2):
                    r.engine = type(r.engine).build(r.engine.parts)
                    await r.engine.start()
                await r.engine.flow.handle(event)
            await r.settle()

            assert booked(await r.records.cases()) == offences(said)


@pytest.mark.soak
async def test_what_is_delivered_too_late_bites_nobody_and_is_put_before_a_human(soak: Soak) -> None:
    dice = soak.random()
    async with rig(
        pack=PACK, plugins=(), extra={"rude": plugin(judge=rude(mute_minutes=5))}, groups=GROUPS
    ) as r:
        said = talk(r, dice)
        arrival = r.clock.now() + timedelta(minutes=11)
        r.clock.advance_to(arrival)
        for event in said:
            await r.engine.flow.handle(replace(event, received_at=arrival))
        await r.settle()

        cases = await r.records.cases()
        assert {str(case.status) for case in cases} == {"flagged"}
        assert len(cases) == sum(offences(said).values())
        assert not any(action.bites for action in done(r))


@pytest.mark.soak
async def test_nobody_has_left_because_a_list_came_empty_or_cut(soak: Soak) -> None:
    dice = soak.random()
    left: list[Event] = []

    def react(event: Event) -> None:
        left.append(event)

    pack = PACK.split("[clause")[0]
    extra = {"rude": plugin(react=react, hears=("member_left",))}
    async with rig(pack=pack, plugins=(), extra=extra, cast={f"m{n}": "member" for n in range(40)}) as r:  # type: ignore[arg-type]
        whole = tuple(r.sandbox.world.listed("g1"))
        for number in range(soak.rounds(1000)):
            few: tuple[Listed, ...] = tuple(dice.sample(whole, dice.choice((0, 0, 1, 5, 20, 27))))
            listed = MembersListed(
                id=f"list{number}",
                at=r.clock.now(),
                group_id=r.engine.plans.all()[0].group.id,
                members=few,
                complete=dice.random() < 0.5 or not few,
            )
            await r.tell(listed)
            await r.advance(timedelta(minutes=dice.uniform(1, 100)))

        assert left == []
        assert len(await r.records.members(r.engine.plans.all()[0].group.id)) == len(whole)
        assert any("成员名单" in ticket.text for ticket in await r.records.tickets())


async def test_a_list_that_is_whole_and_lacks_one_says_that_one_left() -> None:
    left: list[str] = []

    def react(event: MemberLeft) -> None:
        left.append(event.account)

    extra = {"rude": plugin(react=react, hears=("member_left",))}
    async with rig(pack=PACK.split("[clause")[0], plugins=(), extra=extra) as r:
        r.sandbox.world.room("g1").seats.pop("sandbox:wang")
        await r.tell(r.sandbox.census("g1"))

        assert left == ["sandbox:wang"]


def failing(dice: random.Random) -> Callable[[Event], Any]:
    """A plugin that fails in another way each time it is asked, and sometimes does not."""

    async def hangs() -> None:
        await asyncio.Event().wait()

    async def cancelled() -> None:
        raise asyncio.CancelledError

    def judge(event: Event) -> Any:
        match dice.randrange(6):
            case 0:
                raise RuntimeError("broken")
            case 1:
                return hangs()
            case 2:
                return "guilty"
            case 3:
                return cancelled()
            case 4:
                return [event]
            case _:
                return None

    return judge


@pytest.mark.soak
async def test_beside_a_plugin_that_fails_in_every_way_the_others_judge_on_and_its_name_is_shown(
    soak: Soak,
) -> None:
    dice = soak.random()
    pack = PACK.replace('["rude"]', '["broken", "rude"]')
    extra = {
        "rude": plugin(judge=rude(), react=thanks),
        "broken": plugin("broken", judge=failing(dice), react=failing(dice)),
    }
    async with rig(pack=pack, plugins=(), extra=extra, groups=GROUPS, hook_timeout=0.01) as r:
        said: list[MessagePosted] = []
        for _ in range(soak.rounds(10)):
            r.clock.advance(timedelta(minutes=5))
            for event in (now := talk(r, dice)):
                await r.engine.flow.handle(event)
            said += now
        await r.settle()

        assert booked(await r.records.cases()) == offences(said)
        assert len(done(r, "send_text")) == sum("好" in event.text for event in said)
        assert {fault.plugin for fault in r.engine.parts.hooks.faults} == {"broken"}
        assert {fault.hook for fault in r.engine.parts.hooks.faults} == {"judge", "react"}


def counting() -> Any:
    """Objects to the third 数 of a member, as the counters say it."""

    async def judge(event: Event, tools: Any) -> Any:
        if not isinstance(event, MessagePosted) or "数" not in event.text:
            return None
        times = await tools.counters.add(f"soak/{event.account}", 3600)
        return rude("")(replace(event, text="坏")) if times >= 3 else None

    return judge


@pytest.mark.soak
@pytest.mark.parametrize("fail", ["open", "hold"])
async def test_when_redis_goes_away_and_comes_back_facts_pass_or_wait_as_the_setting_says(
    fail: Any, redis_server: RedisServer, soak: Soak
) -> None:
    pack = PACK.replace('["rude"]', '["counting", "rude"]')
    extra = {"counting": plugin("counting", judge=counting()), "rude": plugin(judge=rude())}

    def counters(clock: Any) -> RedisCounters:
        return RedisCounters(redis_server.url, clock, prefix=f"soak/{fail}/", fail=fail)

    async with rig(pack=pack, plugins=(), extra=extra, counters=counters) as r:
        await r.say("g1", "wang", "数")
        redis_server.stop()
        try:
            handling = asyncio.create_task(r.engine.flow.handle(r.sandbox.say("g1", "li", "坏 数")))
            for _ in range(20):
                await asyncio.sleep(0.05)
                await r.clock.play_to(r.clock.now() + timedelta(milliseconds=100))
            assert handling.done() == (fail == "open")
            assert len(await r.records.cases()) == (1 if fail == "open" else 0)
        finally:
            redis_server.start()
        while not handling.done():
            await asyncio.sleep(0.02)
            await r.clock.play_to(r.clock.now() + timedelta(seconds=1))
        await r.settle()

        assert len(await r.records.cases()) == 1, "the other plugin's verdict stands, once"
        await r.engine.parts.counters.close()
