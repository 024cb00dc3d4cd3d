"""The bridge: NoneBot's events reach the flow through either gate, and a stop loses nothing."""

from __future__ import annotations

import asyncio
import gc
import io
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import nonebot
import pytest
from nonebot import log
from nonebot.drivers import Driver
from nonebot.matcher import Matcher, matchers
from nonebot.message import event_postprocessor, event_preprocessor, handle_event

from groupops import ConfigError, Event, Health, MessagePosted, SendText
from groupops.bridge import (
    SWITCHING_S,
    THRESHOLDS,
    Bridge,
    Gate,
    Gateway,
    cache_type_adapters,
    loop_factory,
    running,
    said_of,
    set_log,
    start_nonebot,
)
from groupops.clock import StoppedClock
from groupops.testing import rig
from groupops_sandbox import Sandbox

GATES: tuple[Gate, ...] = ("permission", "matcher")


class Desk:
    """Takes facts: what contains 急 at a glance, all else later."""

    def __init__(self) -> None:
        self.done: list[Event] = []
        self.open = asyncio.Event()
        self.open.set()

    def glance(self, event: Event) -> Event | None:
        if "急" not in getattr(event, "text", ""):
            return event
        self.done.append(event)
        return None

    async def finish(self, pending: Event) -> None:
        await self.open.wait()
        self.done.append(pending)

    async def handle(self, event: Event) -> None:
        if (pending := self.glance(event)) is not None:
            await self.finish(pending)

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.done if isinstance(event, MessagePosted)]


def _begin_anew() -> None:
    nonebot._driver = None
    Driver._adapters.clear()
    matchers.clear()


@pytest.fixture
def fresh() -> Iterator[None]:
    """NoneBot as it is when a process starts."""
    yield
    _begin_anew()


@pytest.fixture
def driver(fresh: None) -> Driver:
    return start_nonebot({"driver": "~fastapi"}, log_level="WARNING", accelerate=False)


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox(StoppedClock(datetime(2026, 3, 2, 4, 0, tzinfo=UTC)))
    for group in ("1", "2"):
        sandbox.group(group)
        sandbox.member(group, "zhang", card="张三")
    return sandbox


async def carried(sandbox: Sandbox) -> None:
    """Wait until NoneBot has had everything the sandbox told."""
    await nonebot.get_adapter("Sandbox").settled()  # type: ignore[attr-defined]


def test_the_sandbox_is_a_gateway(sandbox: Sandbox) -> None:
    assert isinstance(sandbox, Gateway)


@pytest.mark.parametrize("gate", GATES)
async def test_both_gates_bring_the_same_facts_in_the_same_order(
    gate: Gate, driver: Driver, sandbox: Sandbox
) -> None:
    desk = Desk()
    bridge = Bridge(desk, [sandbox], gate=gate)
    bridge.install(driver)

    async with running(driver):
        said = [sandbox.say("1", "zhang", text) for text in ("早", "急 在吗", "[CQ:at,qq=all] 好", "急 收到")]
        joined = sandbox.join("1", "li", name="李四")
        await carried(sandbox)
        await bridge.lanes.settled()

    assert desk.done == [*said, joined]


PACK = """
[pack]
id = "strict"
title = "strict"

[plugins]
enabled = ["moderation"]

[moderation]
use = ["gambling"]
operator_words = { gambling = ["押大小"] }
"""


async def verdicts(gate: Gate, *, others: bool = False) -> list[Any]:
    """Play one story through NoneBot and the real engine; give the cases and what was done about them."""
    async with rig(pack=PACK, plugins=["moderation"]) as made:
        driver = start_nonebot({"driver": "~none"}, log_level="WARNING", accelerate=False)
        bridge = Bridge(made.engine.flow, [made.sandbox], gate=gate)
        bridge.install(driver)
        if others:
            Matcher.new(priority=50, handlers=[])
        async with running(driver):
            for account, text in (
                ("wang", "早"),
                ("wang", "来押大小"),
                ("li", "押  大 小吗"),
                ("owner", "押大小"),
            ):
                made.sandbox.say("g1", account, text)
            await carried(made.sandbox)
            await bridge.lanes.settled()
        cases = await made.records.cases()
        asked = made.sandbox.world.requests
        return [
            *((case.event_id, case.account, case.rule, case.status) for case in cases),
            *((line.key, line.action, line.receipt) for line in asked),
        ]


async def test_every_way_in_leads_to_the_same_verdicts(fresh: None) -> None:
    at_once = await verdicts("permission")
    _begin_anew()
    by_permission = await verdicts("permission", others=True)
    _begin_anew()
    by_matcher = await verdicts("matcher")

    assert at_once == by_permission == by_matcher
    accounts = [one[1] for one in by_permission if isinstance(one[1], str)]
    assert accounts == ["sandbox:wang", "sandbox:li", "sandbox:owner"]
    assert any(getattr(one[1], "kind", "") == "delete_message" for one in by_permission)


@contextmanager
def overheard() -> Iterator[list[str]]:
    """Give what NoneBot says of its own work, down to the last line."""
    lines: list[str] = []
    handler = log.logger.add(lines.append, level="TRACE")  # type: ignore[arg-type]
    yield lines
    log.logger.remove(handler)


def _is_asked(lines: list[str]) -> bool:
    return any("Checking for matchers" in line for line in lines)


async def test_nonebot_is_asked_only_while_somebody_else_listens(driver: Driver, sandbox: Sandbox) -> None:
    desk = Desk()
    Bridge(desk, [sandbox]).install(driver)

    async with running(driver):
        with overheard() as alone:
            sandbox.say("1", "zhang", "急 一")
            await carried(sandbox)
        other = Matcher.new(priority=50, handlers=[])
        with overheard() as together:
            sandbox.say("1", "zhang", "急 二")
            await carried(sandbox)
        other.destroy()
        with overheard() as alone_again:
            sandbox.say("1", "zhang", "急 三")
            await carried(sandbox)

    assert desk.texts == ["急 一", "急 二", "急 三"]
    assert [_is_asked(lines) for lines in (alone, together, alone_again)] == [False, True, False]


@pytest.mark.parametrize("register", [event_preprocessor, event_postprocessor])
async def test_whoever_looks_at_every_event_before_or_after_us_sees_it(
    register: Any, driver: Driver, sandbox: Sandbox
) -> None:
    desk, seen = Desk(), list[str]()

    async def look() -> None:
        seen.append("looked")

    register(look)
    Bridge(desk, [sandbox]).install(driver)
    try:
        async with running(driver):
            sandbox.say("1", "zhang", "急 一")
            await carried(sandbox)
    finally:
        nonebot.message._event_preprocessors.clear()
        nonebot.message._event_postprocessors.clear()

    assert desk.texts == ["急 一"]
    assert seen == ["looked"]


@pytest.mark.parametrize("gate", GATES)
async def test_an_event_goes_on_to_other_matchers(gate: Gate, driver: Driver, sandbox: Sandbox) -> None:
    seen: list[str] = []

    async def later() -> None:
        seen.append("later")

    Bridge(Desk(), [sandbox], gate=gate).install(driver)
    Matcher.new(priority=50, handlers=[later])

    async with running(driver):
        sandbox.say("1", "zhang", "早")
        await carried(sandbox)

    assert seen == ["later"]


async def test_what_the_profile_does_not_see_does_not_come_in(driver: Driver, sandbox: Sandbox) -> None:
    sandbox.become("wecom-aibot")
    desk = Desk()
    bridge = Bridge(desk, [sandbox])
    bridge.install(driver)

    async with running(driver):
        sandbox.say("1", "zhang", "早")
        sandbox.say("1", "zhang", "在吗", mentions=["bot"])
        await carried(sandbox)
        await bridge.lanes.settled()

    assert desk.texts == ["在吗"]


async def test_a_stop_finishes_what_has_come_in(driver: Driver, sandbox: Sandbox) -> None:
    desk = Desk()
    desk.open.clear()
    bridge = Bridge(desk, [sandbox], stop_within=5)
    bridge.install(driver)

    async with running(driver):
        for n in range(20):
            sandbox.say("1", "zhang", str(n))
        asyncio.get_running_loop().call_later(0.02, desk.open.set)

    assert desk.texts == [str(n) for n in range(20)]


async def test_the_bot_is_still_there_while_a_stop_finishes(driver: Driver, sandbox: Sandbox) -> None:
    class Answering(Desk):
        async def finish(self, pending: Event) -> None:
            await asyncio.sleep(0.01)
            await nonebot.get_bot().call_api("send_text", group_id=pending.group_id, text="收到")

    bridge = Bridge(Answering(), [sandbox])
    bridge.install(driver)

    async with running(driver):
        sandbox.say("1", "zhang", "早")
        await carried(sandbox)

    assert [post.text for post in sandbox.world.said_by_bot("1")] == ["收到"]


async def test_what_lasts_is_entered_before_the_first_event_and_left_after_the_last(
    driver: Driver, sandbox: Sandbox
) -> None:
    happened: list[str] = []

    @asynccontextmanager
    async def store() -> AsyncIterator[None]:
        happened.append("open")
        yield
        happened.append("closed")

    class Telling(Desk):
        async def finish(self, pending: Event) -> None:
            happened.append(pending.kind)

    Bridge(Telling(), [sandbox]).install(driver, [store])

    async with running(driver):
        sandbox.say("1", "zhang", "早")

    assert happened == ["open", "message_posted", "closed"]


@pytest.mark.parametrize("gate", GATES)
async def test_a_full_lane_holds_the_platform_back(gate: Gate, driver: Driver, sandbox: Sandbox) -> None:
    desk = Desk()
    desk.open.clear()
    bridge = Bridge(desk, [sandbox], gate=gate, depth=2)
    bridge.install(driver)

    async with running(driver):
        for n in range(10):
            sandbox.say("1", "zhang", str(n))
        for _ in range(200):
            await asyncio.sleep(0)
        waiting = sum(bridge.lanes.waiting)
        desk.open.set()
        await carried(sandbox)
        await bridge.lanes.settled()

    assert waiting == 3
    assert bridge.lanes.traffic.held > 0
    assert desk.texts == [str(n) for n in range(10)]


@pytest.mark.parametrize("gate", GATES)
async def test_an_event_that_cannot_be_read_hurts_nobody(
    gate: Gate, driver: Driver, sandbox: Sandbox
) -> None:
    class Unreadable(Sandbox):
        def read(self, bot: Any, event: Any) -> Event | None:
            if "坏" in event.get_plaintext():
                raise KeyError("坏")
            return super().read(bot, event)

    desk = Desk()
    broken = Unreadable(StoppedClock(datetime(2026, 3, 2, tzinfo=UTC)), world=sandbox.world)
    bridge = Bridge(desk, [broken], gate=gate)
    bridge.install(driver)

    async with running(driver):
        sandbox.say("1", "zhang", "坏")
        sandbox.say("1", "zhang", "好")
        await carried(broken)
        await bridge.lanes.settled()

    assert bridge.unread == 1
    assert desk.texts == ["好"]


async def test_events_of_other_adapters_are_none_of_ours(driver: Driver, sandbox: Sandbox) -> None:
    desk = Desk()
    bridge = Bridge(desk, [])
    bridge.install(driver)
    sandbox.attach(driver)

    async with running(driver):
        sandbox.say("1", "zhang", "早")
        await carried(sandbox)

    assert desk.done == []
    assert bridge.unread == 0


async def test_a_fact_from_elsewhere_takes_its_turn_too(sandbox: Sandbox) -> None:
    desk = Desk()
    bridge = Bridge(desk, [sandbox])
    event = sandbox.say("1", "zhang", "早")
    assert event is not None

    await bridge.post(event)
    await bridge.lanes.settled()

    assert desk.done == [event]


def test_two_platforms_cannot_share_an_adapter(sandbox: Sandbox) -> None:
    other = Sandbox(StoppedClock(datetime(2026, 3, 2, tzinfo=UTC)))

    with pytest.raises(ConfigError, match="two platforms use the NoneBot adapter 'Sandbox'"):
        Bridge(Desk(), [sandbox, other])


async def ask(driver: Driver, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=driver.asgi)  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as client:
        return await client.get(path)


async def test_it_says_that_it_lives(driver: Driver) -> None:
    Bridge(Desk()).install(driver)

    answer = await ask(driver, "/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_it_is_ready_when_all_checks_pass(driver: Driver) -> None:
    async def well() -> None:
        return

    Bridge(Desk(), checks={"database": well, "counters": well}).install(driver)

    answer = await ask(driver, "/readyz")

    assert (answer.status_code, answer.text) == (200, "counters: ok\ndatabase: ok\nready\n")


def test_a_connection_is_said_in_a_line_with_what_the_platform_says_of_it() -> None:
    away = datetime(2025, 3, 3, 4, tzinfo=UTC)

    assert said_of(Health(connected=True)) == "ok"
    assert said_of(Health(connected=True, bots={"1": True, "2": False})) == "ok, without 2"
    assert said_of(Health(connected=True, note="only mentions are delivered: qqbot:G")) == (
        "ok (only mentions are delivered: qqbot:G)"
    )
    assert (
        said_of(Health(connected=False, since=away, note="kicked"))
        == "away since 2025-03-03T04:00:00Z (kicked)"
    )


async def test_a_check_that_fails_is_named_without_its_secrets(driver: Driver) -> None:
    async def down() -> None:
        raise ConnectionRefusedError("postgres://me:secret@db")

    async def well() -> None:
        return

    Bridge(Desk(), checks={"database": down, "flow": well}).install(driver)

    answer = await ask(driver, "/readyz")

    assert answer.status_code == 503
    assert answer.text == "database: ConnectionRefusedError\nflow: ok\nnot ready\n"


async def test_a_check_that_hangs_is_a_check_that_fails(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groupops.bridge.CHECK_WITHIN", 0.01)

    async def hangs() -> None:
        await asyncio.Event().wait()

    Bridge(Desk(), checks={"counters": hangs}).install(driver)

    answer = await ask(driver, "/readyz")

    assert answer.status_code == 503
    assert "counters: no answer within 0.01 s" in answer.text


async def test_metrics_tell_which_road_facts_took_and_how_many_wait(driver: Driver, sandbox: Sandbox) -> None:
    desk = Desk()
    desk.open.clear()
    bridge = Bridge(desk, [sandbox])
    bridge.install(driver)
    for text in ("急", "急", "慢", "慢"):
        event = sandbox.say("1", "zhang", text)
        assert event is not None
        await bridge.post(event)

    told = (await ask(driver, "/metrics")).text

    assert 'groupops_facts_total{road="glance"} 2.0' in told
    assert 'groupops_facts_total{road="queue"} 2.0' in told
    assert "groupops_lanes_waiting 2.0" in told
    assert "groupops_facts_held_total 0.0" in told
    desk.open.set()
    await bridge.lanes.settled()


def test_nonebot_listens_to_this_machine_only(driver: Driver) -> None:
    assert str(driver.config.host) == "127.0.0.1"


@pytest.fixture
def written(fresh: None) -> Iterator[io.StringIO]:
    """What is logged at the level INFO."""
    nonebot.init(driver="~none")
    out = io.StringIO()
    number = set_log("INFO", out)
    yield out
    log.logger.remove(number)


async def test_a_log_has_a_real_level(written: io.StringIO) -> None:
    log.logger.debug("a detail")
    log.logger.info("a step")

    assert "a step" in written.getvalue()
    assert "a detail" not in written.getvalue()
    assert log.logger._core.min_level == log.logger.level("INFO").no  # type: ignore[attr-defined]


async def test_a_log_never_holds_what_was_said(written: io.StringIO, sandbox: Sandbox) -> None:
    from groupops_sandbox.adapter import Adapter, Bot
    from groupops_sandbox.event import MessageEvent
    from groupops_sandbox.facts import Fact

    class Chatty(MessageEvent):
        def get_log_string(self) -> str:
            return self.get_plaintext()

    sandbox.say("1", "zhang", "私房话")
    post = next(iter(sandbox.world.room("1").posts.values()))
    fact = Fact(
        kind="message_posted", id="e", at=post.at, group=sandbox.world.room("1").id, segments=post.segments
    )
    bot = Bot(Adapter(nonebot.get_driver(), sandbox=sandbox), "bot")

    await handle_event(bot, Chatty(fact=fact))

    assert "私房话" not in written.getvalue()


def test_type_adapters_are_kept_only_where_that_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    from nonebot import compat

    before = compat.TypeAdapter
    monkeypatch.setattr(compat, "TypeAdapter", before)

    monkeypatch.setattr("groupops.bridge.ACCELERATED", ("0.",))
    assert not cache_type_adapters()
    assert compat.TypeAdapter is before

    monkeypatch.setattr("groupops.bridge.ACCELERATED", ("2.5.",))
    assert cache_type_adapters()
    assert compat.type_validate_python(list[int], ["1", 2]) == [1, 2]
    assert compat.type_validate_python(list[int], ["3"]) == [3]
    assert compat.TypeAdapter.cache_info().hits == 1


def test_loops_are_quick_where_they_can_be() -> None:
    loop = loop_factory()()
    try:
        assert type(loop).__module__.startswith("uvloop")
    finally:
        loop.close()


async def test_a_bot_of_the_sandbox_can_be_used_by_other_plugins(driver: Driver, sandbox: Sandbox) -> None:
    from groupops_sandbox.adapter import ActionFailed
    from groupops_sandbox.message import MessageSegment

    Bridge(Desk(), [sandbox]).install(driver)

    async def answer() -> None:
        from nonebot.matcher import current_bot, current_event

        await current_bot.get().send(current_event.get(), MessageSegment.at("sandbox:zhang") + "好 <b>")

    Matcher.new(type_="message", priority=50, handlers=[answer])

    async with running(driver):
        sandbox.say("1", "zhang", "早")
        sandbox.whisper("1", "zhang", "悄悄")
        await carried(sandbox)
        sandbox.faults.refuse("send_text", why="no")
        with pytest.raises(ActionFailed, match="no"):
            await nonebot.get_bot().call_api("send_text", group_id="sandbox:1", text="x")
        with pytest.raises(Exception, match="has no API 'dance'"):
            await nonebot.get_bot().call_api("dance")

    assert [post.text for post in sandbox.world.said_by_bot("1")] == ["@张三 好 <b>"]
    assert [letter.post.text for letter in sandbox.world.letters_to("zhang")] == ["好 <b>"]
    assert isinstance(sandbox.world.requests[0].action, SendText)


async def test_the_interpreter_suits_a_bot_while_it_runs_and_nobody_afterwards(driver: Driver) -> None:
    before = gc.get_threshold(), sys.getswitchinterval(), gc.get_freeze_count()
    Bridge(Desk()).install(driver)

    async with running(driver):
        during = gc.get_threshold(), sys.getswitchinterval()
        frozen = gc.get_freeze_count()

    assert during == (THRESHOLDS, pytest.approx(SWITCHING_S))
    assert frozen > before[2]
    assert (gc.get_threshold(), sys.getswitchinterval(), gc.get_freeze_count()) == before
