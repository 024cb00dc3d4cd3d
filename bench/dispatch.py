"""What dispatching costs against NoneBot alone (P1-P4) and how long a message waits (P8).

`python -m bench.dispatch` prints it. Every case runs in a process of its own; the cases of a figure take turns,
and the figure is the median of the rounds' ratios. CPU time of the whole process, all threads.
"""
# ruff: noqa: D102 - the port of the flow

from __future__ import annotations

import asyncio
import gc
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import nonebot
from nonebot.adapters.onebot.v11 import Adapter, Bot
from nonebot.matcher import Matcher
from nonebot.message import handle_event

from bench.figures import SHARE, TRIES, calm, fits, fittest, stolen_s
from bench.rig import SELF_ID, SIX, Flowing, HandedIn, flowing, payloads, told
from groupops.bridge import Bridge, loop_factory, running, start_nonebot
from groupops.events import Event
from groupops.flow import Flow, Pending

Row = dict[str, Any]

ROUNDS = 5
WARM_UP = 500
MESSAGES = 3_000
WORDS = 1_000
TIMED = 3_000
EMPTY_S = 0.000_03
"""Seconds an empty turn of the loop takes at most; in a longer one something was done."""


def rows() -> list[Row]:
    """All figures of this file."""
    names = (
        "bare",
        "whole",
        "whole_short",
        "whole_quick",
        "bare_in_hand",
        "gate_12",
        "short_6",
        "short_12",
        "short_30",
        "gate_6",
        "gate_30",
        "waiting",
    )
    seen: dict[str, list[Any]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name in names:
            seen[name].append(_of_its_own(name))
    cost = {name: [one["us"] for one in values] for name, values in seen.items() if name != "waiting"}
    road = f"OneBot JSON to booked and acted on; the six plugins on, {WORDS} words"
    idle = [(many - few) / 24 for many, few in zip(cost["short_30"], cost["short_6"], strict=True)]
    return [
        _row(
            "P1",
            _ratios(cost["bare"], cost["whole_short"]),
            ">= 1.0",
            "x",
            f"{road}, as the events of our adapters come in; NoneBot, one empty matcher",
        ),
        _row(
            "P1.gate",
            _ratios(cost["bare"], cost["whole"]),
            ">= 1.0",
            "x",
            "the same through NoneBot, as where another of its plugins listens",
        ),
        _row(
            "P2",
            _ratios(cost["bare"], cost["whole_quick"]),
            ">= 1.8",
            "x",
            "the same with kept type adapters, uvloop and the short way in; NoneBot as it comes, one empty matcher",
        ),
        _row(
            "P3",
            _ratios(cost["bare_in_hand"], cost["gate_12"]),
            ">= 1.6",
            "x",
            "event in hand, gate and 12 plugins; NoneBot, one empty matcher",
        ),
        _row(
            "P3.short",
            _ratios(cost["bare_in_hand"], cost["short_12"]),
            ">= 1.6",
            "x",
            "the same by the short way, as the events of our adapters come in",
        ),
        _row(
            "P4",
            idle,
            "<= 1",
            "µs",
            "an idle plugin, per event in hand, by the short way: (30 plugins - 6 plugins) / 24",
        ),
        _row("P4.plugins", _ratios(cost["gate_30"], cost["gate_6"]), "<= 1.2", "x", "30 plugins; 6 plugins"),
        _row(
            "P8",
            [one["p99_ms"] for one in seen["waiting"]],
            "<= 5",
            "ms",
            f"p99 from due to handled {_load(seen)}",
        ),
        _row("P8.p50", [one["p50_ms"] for one in seen["waiting"]], "<= 0.3", "ms", "p50 of the same"),
    ]


def _load(seen: dict[str, list[Any]]) -> str:
    told = {key: statistics.median(one[key] for one in seen["waiting"]) for key in seen["waiting"][0]}
    return (
        f"while the loop is {told['busy']:.0%} busy, {told['per_second']:.0f} messages/s arriving at random (the host took "
        f"{told['stolen']:.1%} of a core for others meanwhile); at {SHARE:.0%} of the rate it bears when messages stand "
        f"in line, {told['line_per_second']:.0f}/s, it is {told['line_busy']:.0%} busy and the p99 "
        f"{told['line_p99_ms']:.1f} ms"
    )


# — the cases —


async def _nonebot(stack: AsyncExitStack, *, accelerate: bool, bridge: Bridge | None = None) -> Bot:
    driver = start_nonebot({"driver": "~none"}, log_level="WARNING", accelerate=accelerate)
    driver.register_adapter(Adapter)
    if bridge is not None:
        bridge.install(driver)
    await stack.enter_async_context(running(driver))
    return Bot(nonebot.get_adapter(Adapter), SELF_ID)


def _empty_matcher() -> list[int]:
    """Register it; gives where it counts its runs, which is all that it does."""
    ran = [0]

    async def nothing() -> None:
        ran[0] += 1

    Matcher.new(handlers=[nothing])
    return ran


def _entered(bot: Bot, bridge: Bridge) -> Callable[[str], Any]:
    """Parse, and hand in as our adapters do."""

    async def take(payload: str) -> None:
        event = Adapter.json_to_event(json.loads(payload))
        assert event is not None
        await bridge.enter(bot, event)

    return take


def _parsed(bot: Bot) -> Callable[[str], Any]:
    async def take(payload: str) -> None:
        event = Adapter.json_to_event(json.loads(payload))
        assert event is not None
        await bot.handle_event(event)

    return take


# — measuring —


async def _measure_bare(*, in_hand: bool) -> Row:
    """NoneBot alone: one matcher whose handler does nothing."""
    async with AsyncExitStack() as stack:
        bot = await _nonebot(stack, accelerate=False)
        ran = _empty_matcher()
        if in_hand:
            cost = await _cost(lambda event: handle_event(bot, event), told(WARM_UP + MESSAGES))
        else:
            cost = await _cost(_parsed(bot), _stream(()))
        assert ran[0] == WARM_UP + MESSAGES
        return {"us": cost}


async def _measure_whole(*, quick: bool, short: bool) -> Row:
    """All of it: parse, gate, every plugin, booking and acting."""
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(flowing(SIX, words=WORDS))
        bridge = Bridge(made.engine.flow, [made.platform])
        bot = await _nonebot(stack, accelerate=quick, bridge=bridge)
        take = _entered(bot, bridge) if short else _parsed(bot)
        cost = await _cost(take, _stream(made.listed), bridge.lanes.settled)
        _nothing_failed(made, bridge)
        assert made.platform.done > MESSAGES * 0.02, "hardly any forbidden word was acted on"
        return {"us": cost, "done": made.platform.done}


async def _measure_gate(plugins: int, *, short: bool = False) -> Row:
    """Dispatch alone: facts in hand, and plugins that look at every message and say nothing."""
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(flowing((), idle=plugins))
        bridge = Bridge(made.engine.flow, [HandedIn()])
        bot = await _nonebot(stack, accelerate=False, bridge=bridge)
        stream = told(WARM_UP + MESSAGES)
        take = bridge.enter if short else handle_event
        cost = await _cost(lambda event: take(bot, event), stream, bridge.lanes.settled)
        _nothing_failed(made, bridge)
        assert bridge.lanes.traffic.glanced == len(stream)
        return {"us": cost}


class Timed:
    """Notes when the flow is done with a fact."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self.ended: dict[str, float] = {}

    def glance(self, event: Event) -> Pending | None:
        pending = self._flow.glance(event)
        if pending is None:
            self.ended[event.id] = time.perf_counter()
        return pending

    async def finish(self, pending: Pending) -> None:
        await self._flow.finish(pending)
        self.ended[pending.event.id] = time.perf_counter()

    async def handle(self, event: Event) -> None:
        await self._flow.handle(event)
        self.ended[event.id] = time.perf_counter()


async def _measure_waiting() -> Row:
    """Let messages arrive at random while the loop is busy for a share of the time, and see how long each takes.

    It begins with that share of the rate that is borne when one message is handed in after the other. What a message
    costs that comes by itself is more, and sways with the machine, so the rate follows until the loop is as busy as
    it should be and the host left the cores alone. The fittest turn counts, whatever came of it.
    """
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(flowing(SIX, words=WORDS))
        timed = Timed(made.engine.flow)
        bridge = Bridge(timed, [made.platform])
        take = _entered(await _nonebot(stack, accelerate=True, bridge=bridge), bridge)
        stream = _stream(made.listed, extra=TIMED * TRIES)
        for payload in stream[:WARM_UP]:
            await take(payload)
        begun = time.perf_counter()
        for payload in stream[WARM_UP : WARM_UP + MESSAGES]:
            await take(payload)
        await bridge.lanes.settled()
        rate = line = SHARE * MESSAGES / (time.perf_counter() - begun)
        tried = list[Row]()
        while len(tried) < TRIES and not any(map(fits, tried)):
            gc.collect()
            calm()
            start = WARM_UP + MESSAGES + TIMED * len(tried)
            told = await _arriving(take, stream[start : start + TIMED], rate)
            await bridge.lanes.settled()
            waited = [timed.ended[id_] - moment for id_, moment in told.pop("due").items()]
            cuts = statistics.quantiles(waited, n=100)
            tried.append({**told, "p50_ms": cuts[49] * 1e3, "p99_ms": cuts[98] * 1e3, "per_second": rate})
            rate *= SHARE / told["busy"]
        _nothing_failed(made, bridge)
    return {
        **fittest(tried),
        "line_p99_ms": tried[0]["p99_ms"],
        "line_busy": tried[0]["busy"],
        "line_per_second": line,
    }


async def _arriving(take: Callable[[str], Any], stream: Sequence[str], rate: float) -> Row:
    """Hand each message in when it is due, or as soon as those before it let it.

    Gives when each was `due`, the share of the time the loop was `busy`, and what of a core was `stolen` meanwhile.
    """
    dice, due, idle = random.Random(7), dict[str, float](), 0.0
    taken = stolen_s()
    moment = begun = now = time.perf_counter()
    for payload in stream:
        moment += dice.expovariate(rate)
        while now < moment:
            await asyncio.sleep(0)
            turned = time.perf_counter()
            idle += turned - now if turned - now < EMPTY_S else 0.0
            now = turned
        due[f"qq:{json.loads(payload)['message_id']}"] = moment
        await take(payload)
        now = time.perf_counter()
    spent = now - begun
    return {"due": due, "busy": 1 - idle / spent, "stolen": (stolen_s() - taken) / spent}


def _stream(listed: Sequence[str], extra: int = 0) -> list[str]:
    return list(payloads(WARM_UP + MESSAGES + extra, listed))


async def _cost(
    take: Callable[[Any], Any], stream: Sequence[Any], settled: Callable[[], Any] | None = None
) -> float:
    """Give the CPU time of one message in µs, what it leaves to be done later included."""
    for one in stream[:WARM_UP]:
        await take(one)
    if settled is not None:
        await settled()
    gc.collect()
    gc.freeze()  # the stream itself lies in memory, which no bot's does
    begun = time.process_time()
    for one in stream[WARM_UP:]:
        await take(one)
    if settled is not None:
        await settled()
    return (time.process_time() - begun) / (len(stream) - WARM_UP) * 1e6


def _nothing_failed(made: Flowing, bridge: Bridge) -> None:
    assert bridge.unread == bridge.lanes.traffic.failed == 0
    assert not made.engine.parts.hooks.faults


# — rounds —


def measure(name: str) -> Row:
    """Measure one case in this process."""
    quick = name in {"whole_quick", "waiting"}
    work = {
        "bare": lambda: _measure_bare(in_hand=False),
        "bare_in_hand": lambda: _measure_bare(in_hand=True),
        "whole": lambda: _measure_whole(quick=False, short=False),
        "whole_short": lambda: _measure_whole(quick=False, short=True),
        "whole_quick": lambda: _measure_whole(quick=True, short=True),
        "gate_6": lambda: _measure_gate(6),
        "gate_12": lambda: _measure_gate(12),
        "short_6": lambda: _measure_gate(6, short=True),
        "short_12": lambda: _measure_gate(12, short=True),
        "short_30": lambda: _measure_gate(30, short=True),
        "gate_30": lambda: _measure_gate(30),
        "waiting": _measure_waiting,
    }[name]
    with asyncio.Runner(loop_factory=loop_factory() if quick else asyncio.new_event_loop) as runner:
        return runner.run(work())


def _of_its_own(name: str) -> Row:
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "bench.dispatch", name]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    found: Row = json.loads(done.stdout.splitlines()[-1])
    return found


def _ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(over, under, strict=True)]


def _row(name: str, values: Sequence[float], goal: str, unit: str, against: str) -> Row:
    return {
        "id": name,
        "value": round(statistics.median(values), 3),
        "goal": goal,
        "unit": unit,
        "against": against,
        "rounds": len(values),
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        for row in rows():
            print(json.dumps(row, ensure_ascii=False))
