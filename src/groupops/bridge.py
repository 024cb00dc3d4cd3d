"""The only core file that knows NoneBot: events in through one gate, health and metrics out, start and stop."""

from __future__ import annotations

import asyncio
import gc
import importlib
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, Protocol, TextIO, cast, runtime_checkable

import nonebot
import nonebot.compat
import nonebot.message
from nonebot import log
from nonebot.adapters import Bot
from nonebot.adapters import Event as NoneBotEvent
from nonebot.drivers import ASGIMixin, Driver
from nonebot.matcher import Matcher, current_bot, current_event, matchers
from nonebot.message import handle_event
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from groupops.clock import Clock, SystemClock
from groupops.errors import ConfigError, StoreError
from groupops.events import Event, Happening
from groupops.lanes import Closed, Intake, Lanes
from groupops.operations import Assembled, Works, alive, connect
from groupops.people import GroupId
from groupops.platform import Health, Platform
from groupops.scans import Scanned

Gate = Literal["permission", "matcher"]
"""How events come in: while NoneBot asks for permission (cheap), or as an ordinary matcher (by the book)."""

Enter = Callable[[Any, Any], Awaitable[None]]
"""Takes a bot and its event; what NoneBot's `handle_event` is."""

Check = Callable[[], Awaitable[None]]
"""Ends when something is ready; raises when it is not."""

CHECK_WITHIN = 5.0
"""Seconds a readiness check may take before it counts as failed."""

INBOX = "/groupops/inbox"
"""Where programs push what they export; the name of a group's inbox stands behind it."""

FIRST = 1
"""The gate's priority among NoneBot's matchers."""

PONG_WITHIN_S = 120.0
"""Seconds a connected end may take to answer a ping: its answer stands behind all it has sent, and a bot that catches
up with a flood is not to cut off the end that floods it."""

THRESHOLDS = (1_000, 100, 10)
"""New objects before the collector looks at the youngest, and how often that is before it looks at older ones: small
steps, for every message waits for one, and rarely the whole (`docs/decisions/0029-small-steps.md`)."""

SWITCHING_S = 0.000_5
"""Seconds one thread may keep the interpreter while another waits for it."""

ACCELERATED = ("2.5.",)
"""Versions of NoneBot for which caching its type adapters was tried."""


@runtime_checkable
class Gateway(Protocol):
    """A platform that is reached through a NoneBot adapter; besides these it has all of `Platform`."""

    adapter_name: str
    """What NoneBot calls the adapter (`bot.type`)."""

    def attach(self, driver: Any) -> None:
        """Register the adapter with NoneBot's driver, before it starts."""
        ...

    def read(self, bot: Any, event: Any) -> Event | Sequence[Event] | None:
        """Read one of the adapter's events; None for what is of no interest. Pure and without waiting."""
        ...


@runtime_checkable
class Doored(Protocol):
    """A gateway whose bots hand events in where they are told to, rather than always to NoneBot."""

    def enter_by(self, enter: Enter) -> None:
        """Hand every event to `enter(bot, event)` in the place of NoneBot's `handle_event`; told after `attach`."""
        ...


class Bridge:
    """Between NoneBot and the flow.

    Args:
        intake: the flow.
        platforms: all platforms; those that are a `Gateway` get their adapter registered and their events read.
        gate: how events come in.
        shards: number of lanes; see `Lanes`.
        depth: facts that may wait in a lane.
        stop_within: seconds a stop may take to work off what waits.
        checks: what has to be ready, by name (database, counters, flow).
        registry: where metrics are.
    """

    def __init__(
        self,
        intake: Intake[Any],
        platforms: Iterable[Platform] = (),
        *,
        gate: Gate = "permission",
        shards: int = 16,
        depth: int = 1000,
        stop_within: float = 20.0,
        checks: Mapping[str, Check] | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self.lanes = Lanes(intake, shards=shards, depth=depth, failed=_say_failed)
        self.registry = registry or CollectorRegistry()
        self.unread = 0
        self.works: Works | None = None
        self.clock: Clock = SystemClock()
        self._heard: dict[str, int] = {}
        self._groups: dict[GroupId, int] = {}
        self._gate: Gate = gate
        self._stop_within = stop_within
        self._checks = dict(checks or {})
        self._gateways = _by_adapter(platforms)
        self._names = {adapter: cast("Platform", one).name for adapter, one in self._gateways.items()}
        self._matcher: type[Matcher] | None = None
        self._lasting = AsyncExitStack()
        self.registry.register(_Numbers(self))

    def accompany(self, works: Works) -> None:
        """Go along with what goes on beside the road: it is shown, told of every event, and ended before the bots are.

        Its lists come in here, and what NoneBot knows of bots goes out.
        """
        self.works, self.clock, self._heard = works, works.watch.clock, works.watch.heard
        self._groups = works.heard.groups
        works.watch.bots = bots_of
        works.scans.post = self.post
        works.delivery.lull = self.lanes.lull

    # — facts —

    def take(self, bot: Bot, event: NoneBotEvent) -> Awaitable[None] | None:
        """Take an event from NoneBot. Never raises.

        Returns:
            None, or what the gate is to await while the event's lane is full.
        """
        gateway = self._gateways.get(bot.type)
        if gateway is None:
            return None
        now = self._heard[self._names[bot.type]] = self.clock.nanos()
        try:
            found = gateway.read(bot, event)
            if not found:
                return None
            if not isinstance(found, Happening):
                if len(found) > 1:
                    return self._offer_all(found, now)
                found = found[0]
            self._groups[found.group_id] = now
            return self.lanes.offer(found)
        except Closed as error:
            log.logger.warning("{}", error)
        except Exception as error:
            self.unread += 1
            log.logger.error(
                "an event of {} could not be read: {}", gateway.adapter_name, type(error).__name__
            )
        return None

    async def enter(self, bot: Bot, event: NoneBotEvent) -> None:
        """Handle an event: at once where nobody but us listens, else as NoneBot does, who asks us among others.

        NoneBot's way round takes longer than all that most talk needs here (`docs/decisions/0026-the-short-way.md`).
        """
        if not self._is_alone():
            await handle_event(bot, event)
            return
        held = self.take(bot, event)
        if held is not None:
            await held

    def _is_alone(self) -> bool:
        """Say whether the gate is all that NoneBot would ask; plugins of others may come and go at any time."""
        return (
            not any(_PROCESSORS)
            and sum(map(len, matchers.values())) == 1
            and matchers.get(FIRST) == [self._matcher]
        )

    async def post(self, event: Event) -> None:
        """Hand in a fact that comes from elsewhere (clock, console, import); waits while its lane is full.

        Raises:
            Closed: the bridge is stopping.
        """
        held = self.lanes.offer(event)
        if held is not None:
            await held

    def _offer_all(self, events: Sequence[Event], now: int) -> Awaitable[None] | None:
        held: list[Awaitable[None]] = []
        for event in events:
            self._groups[event.group_id] = now
            if (waiting := self.lanes.offer(event)) is not None:
                held.append(waiting)
        return _all(held) if held else None

    # — life —

    def install(
        self, driver: Driver, lasting: Sequence[Callable[[], AbstractAsyncContextManager[Any]]] = ()
    ) -> None:
        """Put everything into a driver that has not started.

        Args:
            driver: NoneBot's driver.
            lasting: what is entered at start, in order, and left at stop, in reverse: the store, the flow.
        """

        async def enter() -> None:
            for one in lasting:
                await self._lasting.enter_async_context(one())
            self._lasting.enter_context(tuned())

        # NoneBot stops in reverse order of registration. The lanes are drained while the bots are still
        # connected, then the adapters stop, then what came in meanwhile is worked off, then all is closed.
        driver.on_startup(enter)
        driver.on_shutdown(self._close)
        for gateway in self._gateways.values():
            gateway.attach(driver)
            if self._gate == "permission" and isinstance(gateway, Doored):
                gateway.enter_by(self.enter)
        driver.on_shutdown(self._drain)
        self.open_gate()
        if isinstance(driver, ASGIMixin):
            self._routes(driver.server_app)

    def open_gate(self) -> type[Matcher]:
        """Register the one matcher."""
        make = _permission_gate if self._gate == "permission" else _matcher_gate
        self._matcher = make(self)
        return self._matcher

    async def _drain(self) -> None:
        """Finish what has come in, and what is to be done about it, while the bots are still there."""
        begun = self.clock.now()
        await self.lanes.drain(self._stop_within)
        if self.works is not None:
            spent = (self.clock.now() - begun).total_seconds()
            await self.works.delivery.stop(max(self._stop_within - spent, 0))
            with suppress(StoreError):
                await self.works.heard.write(whole=True)

    async def _close(self) -> None:
        left = await self.lanes.stop(self._stop_within)
        if left:
            log.logger.error("{} fact(s) were not finished within {} s", left, self._stop_within)
        if self._matcher is not None:
            self._matcher.destroy()
        await self._lasting.aclose()

    # — health —

    def _routes(self, app: Any) -> None:
        """Add the three routes; NoneBot listens on 127.0.0.1 unless `HOST` says otherwise."""
        from fastapi import Response  # only a driver that serves has it

        async def healthz() -> Response:
            return Response("ok\n", media_type="text/plain")

        async def readyz() -> Response:
            faults = await self.faults()
            lines = [f"{name}: {faults.get(name, 'ok')}" for name in sorted(self._checks)]
            # A connection that is away is no fault of readiness: it comes in by this very server, or not at all.
            away = [f"platform {name}: {said_of(state)}" for name, state in self.states().items()]
            body = "\n".join([*lines, *away, "not ready" if faults else "ready", ""])
            return Response(body, status_code=503 if faults else 200, media_type="text/plain")

        async def metrics() -> Response:
            return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)

        for path, answer in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
            app.add_api_route(path, answer, methods=["GET"], include_in_schema=False)

    def states(self) -> Mapping[str, Health]:
        """Give platform → how it is; nothing where nobody watches."""
        return {} if self.works is None else self.works.watch.states()

    async def faults(self) -> dict[str, str]:
        """Ask all checks at once; gives name → what is wrong, empty when ready.

        Only the kind of an error is told: its text may name addresses, and stands in the log instead.
        """
        asked = [_asked(name, check) for name, check in self._checks.items()]
        return {name: fault for name, fault in await asyncio.gather(*asked) if fault}


@contextmanager
def tuned() -> Generator[None]:
    """Have the interpreter suit a bot as long as the block lasts; afterwards it is as it was.

    Nearly all that stands when a bot has started stays until it stops, so the collector need not look at it again,
    and what a message leaves is freed without its help but for what the parser ties in circles. The thread of a
    database takes the interpreter back after each statement, and as a rule waits for it as long as it says here:
    5 ms, a dozen times for one offence (`docs/decisions/0023-tuned.md`).
    """
    thresholds, switching = gc.get_threshold(), sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    sys.setswitchinterval(SWITCHING_S)
    try:
        yield
    finally:
        sys.setswitchinterval(switching)
        gc.set_threshold(*thresholds)
        gc.unfreeze()


_PROCESSORS = (
    getattr(nonebot.message, "_event_preprocessors", {handle_event}),
    getattr(nonebot.message, "_event_postprocessors", {handle_event}),
)
"""What other plugins have done before and after each event. A NoneBot that keeps them elsewhere is always asked."""


def _by_adapter(platforms: Iterable[Platform]) -> dict[str, Gateway]:
    found: dict[str, Gateway] = {}
    for platform in platforms:
        if not isinstance(platform, Gateway):
            continue
        if platform.adapter_name in found:
            raise ConfigError(
                f"two platforms use the NoneBot adapter {platform.adapter_name!r}; "
                "leave one of them out of GROUPOPS_ADAPTERS"
            )
        found[platform.adapter_name] = platform
    return found


def _permission_gate(bridge: Bridge) -> type[Matcher]:
    """Make the gate that works while NoneBot asks whether the matcher may run, and always answers no.

    NoneBot then neither runs handlers nor makes an instance, which is most of a matcher's cost. It also means
    that run hooks of other plugins do not see our event, and that an error here would only be logged: `take`
    has none.
    """

    class GroupopsGate(Matcher):
        @classmethod
        async def check_perm(cls, bot: Bot, event: NoneBotEvent, *_: Any, **__: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
            held = bridge.take(bot, event)
            if held is not None:
                await held
            return False

    return GroupopsGate.new(type_="", priority=FIRST, block=False)


def _matcher_gate(bridge: Bridge) -> type[Matcher]:
    """Make the gate by the book: a matcher with one handler, without parameters because each costs dearly."""

    async def hand_over() -> None:
        held = bridge.take(current_bot.get(), current_event.get())
        if held is not None:
            await held

    return Matcher.new(type_="", priority=FIRST, block=False, handlers=[hand_over])


def said_of(state: Health) -> str:
    """Say in a line how a connection is: `ok` or since when it is away, and what the platform says of it."""
    note = f" ({state.note})" if state.note else ""
    if state.connected:
        away = sorted(bot for bot, online in state.bots.items() if not online)
        return (f"ok, without {', '.join(away)}" if away else "ok") + note
    since = "" if state.since is None else f" since {state.since:%Y-%m-%dT%H:%M:%SZ}"
    return f"away{since}{note}"


def bots_of(platform: Platform) -> Mapping[str, bool] | None:
    """Give the bots NoneBot has of a platform now; None of one that does not come through NoneBot."""
    if not isinstance(platform, Gateway):
        return None
    try:
        bots = nonebot.get_bots()
    except ValueError:  # NoneBot was not started
        return {}
    return {name: True for name, bot in bots.items() if bot.type == platform.adapter_name}


async def _all(held: Sequence[Awaitable[None]]) -> None:
    for one in held:
        await one


async def _asked(name: str, check: Check) -> tuple[str, str]:
    try:
        await asyncio.wait_for(check(), CHECK_WITHIN)
    except TimeoutError:
        return name, f"no answer within {CHECK_WITHIN:g} s"
    except Exception as error:
        log.logger.warning("{} is not ready: {}", name, error)
        return name, type(error).__name__
    return name, ""


def _say_failed(event: Event, error: Exception) -> None:
    """Say so without contents: a fact holds what people wrote."""
    log.logger.opt(exception=error).error("fact {} ({}) was not finished", event.id, event.kind)


class _Numbers(Collector):
    """Turns the bridge's plain numbers into metrics when somebody looks."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: the numbers are read when they are asked for."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Read the numbers."""
        traffic, waiting = self._bridge.lanes.traffic, self._bridge.lanes.waiting
        taken = CounterMetricFamily("groupops_facts", "Facts taken, by their road", labels=["road"])
        taken.add_metric(["glance"], traffic.glanced)
        taken.add_metric(["queue"], traffic.queued)
        yield taken
        yield CounterMetricFamily(
            "groupops_facts_held", "Facts whose giver waited for a full lane", value=traffic.held
        )
        yield CounterMetricFamily(
            "groupops_facts_failed", "Facts that ended in an error", value=traffic.failed
        )
        yield CounterMetricFamily(
            "groupops_events_unread", "NoneBot events that could not be read", value=self._bridge.unread
        )
        yield GaugeMetricFamily("groupops_lanes_waiting", "Facts that wait in lanes", value=sum(waiting))
        yield GaugeMetricFamily("groupops_lane_longest", "Facts in the fullest lane", value=max(waiting))
        yield from self._of_delivery()
        yield from self._of_scans()
        yield from self._of_platforms()

    def _of_delivery(self) -> Iterable[Metric]:
        delivery = self._bridge.works.delivery if self._bridge.works else None
        waiting = _gauge("groupops_actions_waiting", "Actions that wait for a platform in memory", "platform")
        out = _gauge(
            "groupops_actions_out", "Actions a platform was asked for and has not answered", "platform"
        )
        had = CounterMetricFamily(
            "groupops_actions", "Actions that had their turn, and what else became of them", labels=["what"]
        )
        waited = CounterMetricFamily(
            "groupops_actions_waited_seconds", "Seconds actions waited for their turn, all together"
        )
        if delivery is not None:
            for name, number in delivery.waiting.items():
                waiting.add_metric([name], number)
            for name, number in delivery.out.items():
                out.add_metric([name], number)
            passed = delivery.passed
            for what in ("carried", "joined", "throttled", "left", "failed"):
                had.add_metric([what], getattr(passed, what))
            waited.add_metric([], passed.waited_s)
        yield from (waiting, out, had, waited)

    def _of_scans(self) -> Iterable[Metric]:
        scanned: Mapping[str, Scanned] = self._bridge.works.scans.scanned if self._bridge.works else {}
        read = CounterMetricFamily(
            "groupops_scans", "Member lists that were read, by what came", labels=["platform", "what"]
        )
        last = _gauge("groupops_scan_last_seconds", "Seconds since a member list came", "platform")
        for name, one in scanned.items():
            for what in ("whole", "cut", "failed"):
                read.add_metric([name, what], getattr(one, what))
            if one.last_at is not None:
                last.add_metric([name], self._ago(one.last_at))
        yield from (read, last)

    def _of_platforms(self) -> Iterable[Metric]:
        up = _gauge(
            "groupops_platform_connected", "1 when the bot can act on the platform, else 0", "platform"
        )
        bots = _gauge("groupops_platform_bots", "Bots of a platform, by state", "platform", "state")
        heard = _gauge(
            "groupops_platform_last_event_seconds", "Seconds since a platform sent anything", "platform"
        )
        for name, state in self._bridge.states().items():
            up.add_metric([name], state.connected)
            online = sum(state.bots.values())
            bots.add_metric([name, "online"], online)
            bots.add_metric([name, "offline"], len(state.bots) - online)
            if state.last_event_at is not None:
                heard.add_metric([name], self._ago(state.last_event_at))
        yield from (up, bots, heard)

    def _ago(self, moment: datetime) -> float:
        return (self._bridge.clock.now() - moment).total_seconds()


def _gauge(name: str, said: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, said, labels=list(labels))


# — starting NoneBot —


def set_log(level: str | int, out: TextIO | None = None) -> int:
    """Replace NoneBot's log handler by one with a real level, so that what is not shown is not built either.

    NoneBot's line for every event holds what was said; such lines are left out whatever the level.

    Args:
        level: a level's name or number.
        out: where to write; the terminal's error stream, if not given.

    Returns:
        The handler's number.
    """
    with suppress(ValueError):  # it was replaced before
        log.logger.remove(log.logger_id)
    return log.logger.add(
        out or sys.stderr, level=level, format=log.default_format, filter=_without_messages, diagnose=False
    )


def _without_messages(record: Any) -> bool:
    from_nonebot = record["module"] == "message" and str(record["name"]).startswith("nonebot")
    return not from_nonebot or bool(record["level"].no >= log.logger.level("WARNING").no)


def cache_type_adapters() -> bool:
    """Have NoneBot keep the type adapters it makes anew for every event, which is most of reading one.

    Returns:
        False, and nothing is changed, for a version of NoneBot with which this was not tried.
    """
    version = importlib.import_module("importlib.metadata").version("nonebot2")
    if not str(version).startswith(ACCELERATED):
        return False
    compat = cast("Any", nonebot.compat)
    if not hasattr(compat.TypeAdapter, "cache_info"):
        compat.TypeAdapter = _cached(compat.TypeAdapter)
    return True


def _cached(make: Any) -> Any:
    kept = lru_cache(maxsize=1024)(make)

    def adapter(type_: Any, **rest: Any) -> Any:
        try:
            return kept(type_, **rest)
        except TypeError:  # a type or a setting that cannot be a key
            return make(type_, **rest)

    adapter.cache_info = kept.cache_info  # type: ignore[attr-defined]
    return adapter


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Give what makes event loops: uvloop's where it is installed, else asyncio's."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return asyncio.new_event_loop
    return cast("Callable[[], asyncio.AbstractEventLoop]", uvloop.new_event_loop)


def start_nonebot(
    keywords: Mapping[str, Any], *, log_level: str | int = "INFO", accelerate: bool = True
) -> Driver:
    """Initialise NoneBot.

    Args:
        keywords: typed settings for `nonebot.init`; see `config.nonebot_keywords`.
        log_level: level of the log.
        accelerate: cache NoneBot's type adapters.

    Returns:
        The driver, FastAPI with httpx unless the keywords name another.
    """
    with _without_command_lines():
        nonebot.init(**{"driver": "~fastapi+~httpx+~websockets", **keywords})
    set_log(log_level)
    if accelerate:
        cache_type_adapters()
    return nonebot.get_driver()


@contextmanager
def _without_command_lines() -> Generator[None]:
    """Keep httpx from loading its command line, and rich with it: three megabytes, and it does without them."""
    modules = cast("dict[str, Any]", sys.modules)
    there = _HTTPX_COMMAND in modules
    modules.setdefault(_HTTPX_COMMAND, None)  # to an import that is as good as not installed
    try:
        yield
    finally:
        if not there:
            del modules[_HTTPX_COMMAND]


_HTTPX_COMMAND = "httpx._main"


def serve(assembled: Assembled) -> None:
    """Run the bot until it is told to stop: NoneBot with the adapters of the configuration, and the engine.

    Uvicorn runs it, on uvloop where that is installed; on SIGINT or SIGTERM what has come in is finished.

    Args:
        assembled: the engine put together; nothing of it is open yet.

    Raises:
        ConfigError, PackError, PluginError: an adapter, or what a new group would get, does not hold. What goes wrong
            after that is NoneBot's to log.
    """
    start = assembled.start
    assembled.engine.check_defaults()
    driver = start_nonebot(start.nonebot, log_level=start.config.log_level)
    bridge_of(assembled).install(driver, [lambda: alive(assembled)])
    open_inbox(driver, assembled)
    nonebot.run(ws_ping_timeout=PONG_WITHIN_S)


def open_inbox(driver: Driver, assembled: Assembled) -> None:
    """Let programs on this machine push what they export, where the operator set a folder and a token for that."""
    config = assembled.start.config
    if config.inbox_dir is None or not isinstance(driver, ASGIMixin):
        return
    from groupops.advise.webhook import Webhook  # most bots have no inbox

    webhook = Webhook(config.inbox_dir, config.inbox_token, assembled.engine.parts.clock)
    driver.server_app.mount(INBOX, webhook)


def bridge_of(assembled: Assembled) -> Bridge:
    """Make the bridge of an engine as the configuration wants it, with its adapters asked for their platforms."""
    config = assembled.start.config
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    bridge = Bridge(
        assembled.engine.flow,
        connect(assembled),
        gate=config.gate,
        shards=config.shards,
        depth=config.queue_size,
        stop_within=config.stop_timeout_seconds,
        checks=checks_of(assembled),
        registry=registry,
    )
    bridge.accompany(assembled.works)
    return bridge


def checks_of(assembled: Assembled) -> dict[str, Check]:
    """Give what has to hold before facts should be sent here: the database answers, counters count, groups are read."""

    async def database() -> None:
        await assembled.records.ping()

    async def counters() -> None:
        port = assembled.engine.parts.counters
        await port.peek("groupops:ready", 1)
        if port.degraded:
            raise StoreError("counting goes on without Redis")

    async def flow() -> None:
        for group in await assembled.records.groups():
            if assembled.engine.plans.of(group.id) is None:
                raise ConfigError(f"group {group.id} has no plan in force")

    return {"database": database, "counters": counters, "flow": flow}


@asynccontextmanager
async def running(driver: Driver) -> AsyncGenerator[Driver]:
    """Run a driver's life without a server: scenarios, tests and measurements."""
    lifespan: Any = getattr(driver, "_lifespan")  # noqa: B009 - private, and what NoneBot's own test tool uses
    await lifespan.startup()
    try:
        yield driver
    finally:
        await lifespan.shutdown()
