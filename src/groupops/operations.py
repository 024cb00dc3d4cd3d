"""What an operator's commands stand on: the engine opened from the configuration, and what is shown of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from loguru import logger

from groupops.calendar import WorkCalendar, load_overrides
from groupops.clock import Clock, SystemClock
from groupops.config import Config, Start, dotenv_files, load_config
from groupops.counters import Counters, open_counters
from groupops.delivery import Delivery
from groupops.engine import Engine, Parts
from groupops.errors import ConfigError, PluginError, StoreError
from groupops.health import Watch
from groupops.heard import LastHeard
from groupops.hooks import Hooks
from groupops.pace import Overrides, Pacers
from groupops.people import AccountId
from groupops.platform import Platform
from groupops.plugin import Log, texts_of
from groupops.records import Records, Steward
from groupops.scans import Scans
from groupops.shelf import PackShelf
from groupops.store.sql import open_records


class LoguruLog:
    """NoneBot's logger behind groupops' port: an event's name and its fields, no contents."""

    def info(self, what: str, /, **fields: object) -> None:
        """Log something worth knowing."""
        logger.bind(**fields).info("{} {}", what, _said(fields))

    def warning(self, what: str, /, **fields: object) -> None:
        """Log something an operator should look at."""
        logger.bind(**fields).warning("{} {}", what, _said(fields))


class OnlyWarnings(LoguruLog):
    """The log of a command, which prints what was asked for: warnings and nothing else."""

    def info(self, what: str, /, **fields: object) -> None:
        """Say nothing."""


def _said(fields: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items())


def read_start(folder: Path | None = None) -> Start:
    """Read the configuration as it stands in `.env` and the environment.

    Args:
        folder: where `.env` lies; the current directory if not given.

    Raises:
        ConfigError: a key is wrong; the text names the file, the key, the value and what was expected.
    """
    return load_config(os.environ, dotenv_files(os.environ, folder or Path.cwd()))


def load_hooks(config: Config) -> Hooks:
    """Load the plugins and the adapters the configuration names.

    Raises:
        PluginError: one of them breaks the contract or is not there.
    """

    def seen(plugin: str, hook: str, fault: str) -> None:
        logger.bind(plugin=plugin, hook=hook).error("plugin {} failed at {}: {}", plugin, hook, fault)

    hooks = Hooks(timeout=config.hook_timeout_seconds, on_fault=seen)
    hooks.load_all(adapters=config.adapters, extra=config.extra_plugins, disabled=config.disabled_plugins)
    return hooks


def shelf_of(config: Config) -> PackShelf:
    """Load the shipped packs and the operator's own.

    Raises:
        PackError: a pack cannot be loaded.
    """
    return PackShelf.load(config.pack_dirs)


def calendar_of(config: Config) -> WorkCalendar:
    """Give the work calendar, with the operator's own days over it.

    Raises:
        ImportFailed, ConfigError: the operator's file cannot be read; every faulty row is named.
    """
    return WorkCalendar(load_overrides(config.calendar_file) if config.calendar_file else None)


def apps_of(hooks: Hooks) -> dict[str, str]:
    """Give plugin → models module, for the store."""
    return {name: manifest.models for name, manifest in hooks.manifests.items() if manifest.models}


def ready_folder(config: Config) -> None:
    """Make the data directory, where the SQLite file lies."""
    config.data_dir.mkdir(parents=True, exist_ok=True)


class LateRecords:
    """Stands for the record until it is opened: NoneBot wants its adapters before there is a loop to open it in."""

    def __init__(self) -> None:
        self._records: Records | None = None

    def come(self, records: Records) -> None:
        """Here it is."""
        self._records = records

    def behind(self, guard: Callable[[Records], Records]) -> None:
        """Stand behind a guard from now on, which is given the record and stands for it.

        Raises:
            StoreError: it is not open yet, or not any more.
        """
        if self._records is None:
            raise StoreError("the database is not open yet")
        self._records = guard(self._records)

    def __getattr__(self, name: str) -> Any:
        """Ask the record itself.

        Raises:
            StoreError: it is not open yet, or not any more.
        """
        if self._records is None:
            raise StoreError("the database is not open yet")
        return getattr(self._records, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """What goes on beside the road of facts while the bot runs: rows on their way, lists, and the connections."""

    delivery: Delivery
    scans: Scans
    watch: Watch
    heard: LastHeard


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """An engine put together from the configuration, not started: nothing is read, opened or connected."""

    start: Start
    engine: Engine
    late: LateRecords
    works: Works

    @property
    def records(self) -> Records:
        """The record, once it is open."""
        return self.engine.parts.records

    @property
    def platforms(self) -> dict[str, Platform]:
        """Name → connection."""
        return self.engine.parts.platforms


def assemble(
    start: Start, *, clock: Clock | None = None, log: Log | None = None, counters: Counters | None = None
) -> Assembled:
    """Put the engine together.

    Args:
        start: the configuration as it was read.
        log: where to log; warnings only if not given, as befits a command.
        clock: the clock; the machine's if not given.
        counters: what is counted with; as configured if not given.

    Raises:
        ConfigError, PackError, PluginError: something the operator wrote, or a plugin, does not hold.
    """
    config, the_clock, late = start.config, clock or SystemClock(), LateRecords()
    if config.bus:
        raise ConfigError(
            f"GROUPOPS_BUS = {config.bus!r}: this release runs in one process; leave GROUPOPS_BUS empty"
        )
    parts = Parts(
        hooks=load_hooks(config),
        records=cast("Records", late),
        counters=counters or open_counters(config.redis_url, the_clock, fail=config.counters_fail),
        clock=the_clock,
        platforms={},
        shelf=shelf_of(config),
        log=log or OnlyWarnings(),
        env=start.settings,
        calendar=calendar_of(config),
        known=config.disabled_plugins,
        timezone=config.timezone,
        default_packs=config.default_packs,
        default_stage=config.default_stage,
    )
    engine = Engine.build(parts)
    return Assembled(start=start, engine=engine, late=late, works=works_of(config, engine))


def works_of(config: Config, engine: Engine) -> Works:
    """Make what goes on beside the road of facts; nothing of it runs yet."""
    parts = engine.parts
    overrides = Overrides(
        on=config.pace,
        messages_per_minute=config.pace_messages_per_minute,
        group_messages_per_minute=config.pace_group_messages_per_minute,
        slow_seconds=config.pace_slow_seconds,
    )
    engine.outbox.keep = timedelta(hours=config.outage_hours)
    delivery = Delivery(
        engine.outbox,
        parts.platforms,
        parts.clock,
        parts.log,
        pacers=Pacers(overrides),
        depth=config.delivery_queue,
        at_once=config.delivery_at_once,
    )
    scans = Scans(
        parts.platforms,
        lambda: [plan.group.id for plan in engine.plans.all() if plan.awake],
        engine.flow.handle,
        parts.clock,
        parts.log,
        every=timedelta(minutes=config.scan_minutes),
    )
    heard = LastHeard(parts.records, parts.platforms, parts.clock, parts.log)
    watch = Watch(
        platforms=parts.platforms,
        plans=engine.plans,
        people=engine.people,
        records=parts.records,
        outbox=engine.outbox,
        manifests=parts.hooks.manifests,
        texts=engine.texts,
        clock=parts.clock,
        log=parts.log,
        tell=config.health_tell,
        grace=timedelta(seconds=config.health_grace_seconds),
        timezone=config.timezone,
        reconnected=scans.ask,
        missed_since=heard.before,
    )
    heard.alive = watch.connected
    return Works(delivery=delivery, scans=scans, watch=watch, heard=heard)


def connect(assembled: Assembled) -> tuple[Platform, ...]:
    """Ask the adapters for their platforms.

    Raises:
        PluginError: an adapter failed to offer any.
    """
    hooks = assembled.engine.parts.hooks
    for name in hooks.names("platforms"):
        tools = assembled.engine.plans.tools_of(name, texts_of(hooks.loaded[name].module.__name__))
        bound = hooks.bind("platforms", name, {"tools": tools})
        asked = hooks.ask((bound,) if bound else (), None, None, None)
        if asked.faults:
            raise PluginError(name, "could not offer its platforms; the log says why")
        for answer in asked.answers:
            assembled.platforms.update({platform.name: platform for platform in answer.value})
    return tuple(assembled.platforms.values())


@asynccontextmanager
async def opened(assembled: Assembled, *, shared: bool = False) -> AsyncGenerator[Engine]:
    """Open the database, start the engine, and stop and close both at the end of the block.

    Args:
        assembled: the engine.
        shared: True in the process that runs the bot: plugins' tables are found from every task.

    Raises:
        StoreError: the database cannot be opened, or its schema is older than the code.
        PluginError, ConfigError: a plugin could not start, or a group's policy does not hold.
    """
    config, engine = assembled.start.config, assembled.engine
    ready_folder(config)
    apps = apps_of(engine.parts.hooks)
    async with AsyncExitStack() as stack:
        tables = await stack.enter_async_context(open_records(config.database_url, apps=apps, shared=shared))
        if not shared:
            stack.enter_context(tables.context)  # this task's plugins find their tables, nobody else's do
        records = cast("Records", tables)  # pyright tells kinds of coroutines apart that mypy does not
        assembled.late.come(records)
        stack.push_async_callback(engine.parts.counters.close)
        await _first_stewards(config, records)
        await engine.start()
        stack.push_async_callback(engine.stop)
        yield engine


@asynccontextmanager
async def alive(assembled: Assembled) -> AsyncGenerator[Engine]:
    """Open and start everything, and keep clock, outbox, picture, lists and watch going until the end of the block.

    Actions are delivered in their own time; at the end those have their turn that come to it within
    `GROUPOPS_STOP_TIMEOUT_SECONDS`, and the rest waits in the record.
    """
    works = assembled.works
    async with opened(assembled, shared=True) as engine:
        await engine.recover()
        await works.heard.load()
        engine.outbox.delivery = works.delivery
        engine.ticker.hold = works.watch.is_short_away
        lasting = [
            asyncio.create_task(engine.ticker.run(), name="ticker"),
            asyncio.create_task(engine.outbox.run(), name="outbox"),
        ]
        endless = [
            asyncio.create_task(_keep_picture(engine), name="picture"),
            asyncio.create_task(works.scans.run(), name="scans"),
            asyncio.create_task(works.watch.run(), name="watch"),
            asyncio.create_task(works.heard.run(), name="heard"),
        ]
        try:
            yield engine
        finally:
            engine.ticker.stop()
            for task in endless:
                task.cancel()
            await _end_delivery(assembled)
            engine.outbox.stop()
            await asyncio.gather(*lasting, *endless, return_exceptions=True)
            await engine.people.flush()


async def _end_delivery(assembled: Assembled) -> None:
    left = await assembled.works.delivery.stop(assembled.start.config.stop_timeout_seconds)
    if left:
        assembled.engine.parts.log.warning("calls given up at the stop", number=left)


async def _keep_picture(engine: Engine) -> None:
    """Write what facts told of members, and take up what the operator's commands changed in other processes."""
    while True:
        await engine.parts.clock.sleep(FLUSH_S)
        try:
            await engine.people.flush()
            await engine.refresh()
        except (StoreError, ConfigError) as error:
            engine.parts.log.warning("picture could not be kept", error=type(error).__name__)


FLUSH_S = 5.0
"""Seconds between two looks."""


async def _first_stewards(config: Config, records: Records) -> None:
    """At the first start, the stewards of `.env` are seated; later their list is changed by command only."""
    if config.stewards and not await records.stewards():
        for account in config.stewards:
            await records.put_steward(Steward(account=AccountId(account)))
