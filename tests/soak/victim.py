"""An engine on a real database and the real clock, whose platform is another process, behind a socket.

The platform hands it facts, takes its actions, and kills it. Two of the three moments to be killed at are
here, because only the engine knows when they come: it then says so and stands still until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import sys
import traceback
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from groupops import AccountId, Capability, GroupId, Stage
from groupops.clock import SystemClock
from groupops.counters import MemoryCounters
from groupops.delivery import Delivery
from groupops.engine import Engine, Parts
from groupops.hooks import Hooks
from groupops.records import OutboxState
from groupops.shelf import PackShelf, parse_pack
from groupops.store.sql import open_records
from groupops.testing import QuietLog
from groupops.wire import action_to_json, event_from_json, receipt_from_json
from tests.soak import offences

EVERYTHING = frozenset(Capability)
OPEN = frozenset({OutboxState.WAITING, OutboxState.PERFORMING})


def dedupes(group_id: str) -> bool:
    """Whether the platform honours idempotency keys in a group: in every second one, to see both at once."""
    return int(group_id.rpartition("g")[2]) % 2 == 0


@dataclass
class Fuse:
    """Counts how often each point was passed, and burns down at the chosen one.

    `point` and `after`: at the how-manieth passing of which point to stand still.
    """

    point: str
    after: int
    line: socket.socket
    passed: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def at(self, point: str) -> None:
        self.passed[point] += 1
        if point != self.point or self.passed[point] != self.after:
            return
        self.line.sendall(json.dumps({"kill": os.getpid(), "at": point}).encode() + b"\n")
        self.line.recv(1)  # blocks the whole process, so that nothing at all happens behind the point


class WatchedRecords:
    """The record, with the points *booked* and *in the outbox* marked."""

    def __init__(self, records: Any, fuse: Fuse, dice: random.Random) -> None:
        self._records = records
        self._fuse = fuse
        self._dice = dice

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    async def book(self, *args: Any, **more: Any) -> Any:
        booked = await self._records.book(*args, **more)
        if booked.fresh:
            self._fuse.at("booked")
        return booked

    async def performing(self, ids: Any, now: Any) -> Any:
        """In the outbox: before it is claimed, or claimed and not handed over yet."""
        if self._dice.random() < 0.5:
            self._fuse.at("outbox")
            return await self._records.performing(ids, now)
        claimed = await self._records.performing(ids, now)
        self._fuse.at("outbox")
        return claimed


class FarPlatform:
    """The platform at the other end of a socket."""

    name = "soak"

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._last = 0

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        return EVERYTHING if dedupes(group_id) else EVERYTHING - {Capability.DEDUPE_SENDS}

    def hears(self, group_id: GroupId) -> frozenset[str]:
        return frozenset({"message_posted", "choice_made", "command_given"})

    def direct(self, account: AccountId) -> bool:
        return True

    async def perform(self, action: Any, *, key: str) -> Any:
        self._last += 1
        number = self._last
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        self.tell({"perform": action_to_json(action), "key": key, "number": number})
        return receipt_from_json(await answer)

    def answered(self, number: int, receipt: str) -> None:
        self._waiting.pop(number).set_result(receipt)

    def tell(self, line: dict[str, Any]) -> None:
        self._writer.write(json.dumps(line).encode() + b"\n")


async def take_facts(engine: Engine, platform: FarPlatform) -> None:
    """Take lines until told to stop; facts of one group in order, groups side by side."""
    lanes: dict[str, asyncio.Queue[Any]] = {}

    async def work(lane: asyncio.Queue[Any]) -> None:
        while True:
            event = await lane.get()
            await engine.flow.handle(event)
            platform.tell({"ack": event.id})

    async with asyncio.TaskGroup() as tasks:
        workers = []
        while line := await platform.reader.readline():
            said = json.loads(line)
            if "receipt" in said:
                platform.answered(said["number"], said["receipt"])
            elif "event" in said:
                event = event_from_json(said["event"])
                if event.group_id not in lanes:
                    lanes[event.group_id] = asyncio.Queue()
                    workers.append(tasks.create_task(work(lanes[event.group_id])))
                lanes[event.group_id].put_nowait(event)
            elif "drain" in said:
                tasks.create_task(drain(engine, platform))
            else:
                break
        for worker in workers:
            worker.cancel()


async def drain(engine: Engine, platform: FarPlatform) -> None:
    """Say when nothing waits in the outbox any more."""
    while await engine.parts.records.outbox(states=OPEN):  # noqa: ASYNC110 - rows of a database ring no bell
        await asyncio.sleep(0.01)
    platform.tell({"drained": True})


async def live(told: dict[str, Any]) -> None:
    reader, writer = await asyncio.open_unix_connection(told["socket"], limit=1 << 20)
    line = socket.socket(socket.AF_UNIX)
    line.connect(told["socket"])
    platform = FarPlatform(reader, writer)
    fuse = Fuse(point=told["point"], after=told["after"], line=line)
    clock = SystemClock()
    hooks = Hooks()
    hooks.load("soak", offences)
    async with open_records(told["database"], migrate=True) as records:
        parts = Parts(
            hooks=hooks,
            records=WatchedRecords(records, fuse, random.Random(told["dice"])),
            counters=MemoryCounters(clock),
            clock=clock,
            platforms={"soak": platform},
            shelf=PackShelf([parse_pack(offences.PACK, path="pack")]),
            log=QuietLog(),
        )
        engine = Engine.build(parts)
        await engine.start()
        await engine.recover()
        await settle_in(engine, told)
        # As in the bot that runs; every other engine performs on the spot, as a scenario does.
        delivery = Delivery(engine.outbox, parts.platforms, clock, parts.log, depth=20, at_once=3)
        if told["delivers"]:
            engine.outbox.delivery = delivery
        background = [
            asyncio.create_task(engine.outbox.run(every=0.05)),
            asyncio.create_task(engine.ticker.run()),
        ]
        platform.tell({"ready": os.getpid()})
        await take_facts(engine, platform)
        await delivery.stop(within=10)
        engine.outbox.stop()
        engine.ticker.stop()
        await asyncio.gather(*background)
        await engine.stop()


async def settle_in(engine: Engine, told: dict[str, Any]) -> None:
    """Bind the groups and seat the stewards; what is there already stays as it is."""
    for steward in told["stewards"]:
        await engine.steward(AccountId(steward))
    for group in told["groups"]:
        await engine.bind_group(GroupId(group), packs=["soak"], stage=Stage.ENFORCED)


def main(told: dict[str, Any]) -> None:
    try:
        asyncio.run(live(told))
    except BaseException:  # noqa: BLE001 - whatever it is, the log of the nursery shows it
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
        os._exit(1)
