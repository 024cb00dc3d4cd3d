"""The platform of the soaks: outlives the engines, performs what they ask, gives them load, and kills them."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from groupops import AccountId, ChoiceMade, CommandGiven, Done, Event, GroupId, MessagePosted, Role, Text
from groupops.wire import action_from_json, event_to_json, receipt_to_json
from tests.soak.victim import dedupes

Point = Literal["booked", "outbox", "performed", "never"]

GROUPS = tuple(f"soak:g{number}" for number in range(6))
PEOPLE = tuple(f"soak:p{number}" for number in range(25))
STEWARDS = ("soak:s1", "soak:s2")
IN_FLIGHT = 24
"""Facts that were handed over and not acknowledged."""

LATEST = 25
"""A kill comes at the latest at this passing of its point."""

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One request of the engine, with whether the platform carried it out or had done so before."""

    key: str
    action: Any
    repeated: bool


@dataclass
class World:
    """Everything the platform knows. The dice decide who says what and who dies when."""

    dice: random.Random
    seen: list[Seen] = field(default_factory=list)
    said: dict[str, Event] = field(default_factory=dict)
    unacknowledged: dict[str, Event] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)
    kills: Counter[str] = field(default_factory=Counter)
    _done: set[str] = field(default_factory=set)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    # — load —

    def somebody_talks(self) -> Event:
        number = next(self._numbers)
        words = self.dice.choice(("坏", "坏话", "好", "在吗", "收到了"))
        group = GroupId(self.dice.choice(GROUPS))
        event = MessagePosted(
            id=f"m{number}",
            at=datetime.now(UTC),
            group_id=group,
            account=AccountId(self.dice.choice(PEOPLE)),
            message_id=str(number),
            segments=(Text(text=f"{words} {number}"),),
            role=Role.MEMBER,
        )
        return self._happened(event)

    def _happened(self, event: Event) -> Event:
        self.said[event.id] = event
        self.unacknowledged[event.id] = event
        return event

    # — what the engine asks —

    def perform(self, action: Any, key: str) -> list[Event]:
        """Carry it out, once per key where keys are honoured; give what people do about it."""
        repeated = key in self._done and dedupes(action.group_id)
        self.seen.append(Seen(key, action, repeated))
        self._done.add(key)
        if repeated or action.kind != "direct_message":
            return []
        if action.subject.startswith("case:"):
            return self._steward_decides(action)
        return self._member_appeals(action)

    def _steward_decides(self, asked: Any) -> list[Event]:
        """A steward answers most of what is asked, each question once; some answers come twice, by button and word."""
        roll = self.dice.random()
        if roll < 0.3:
            return []
        number = next(self._numbers)
        word = "批准" if roll < 0.8 else "驳回"
        if roll < 0.65 or roll >= 0.9:
            choice = ChoiceMade(
                id=f"c{number}",
                at=datetime.now(UTC),
                group_id=asked.group_id,
                account=asked.account,
                subject=asked.subject,
                word=word,
                note="看过了",
            )
            return [self._happened(choice)]
        return [self._command(asked, word, (asked.subject.removeprefix("case:"), "看过了"), number)]

    def _member_appeals(self, told: Any) -> list[Event]:
        found = re.search(r"警告.*申诉 (\d+) 理由", told.text)
        if found is None or self.dice.random() < 0.7:
            return []
        number = next(self._numbers)
        return [self._command(told, "申诉", (found[1], f"不服 {number}"), number)]

    def _command(self, told: Any, name: str, args: tuple[str, ...], number: int) -> Event:
        command = CommandGiven(
            id=f"c{number}",
            at=datetime.now(UTC),
            group_id=told.group_id,
            account=told.account,
            name=name,
            args=args,
            private=True,
        )
        return self._happened(command)


@dataclass
class Life:
    """One engine from its start to its death.

    `point`, `after`: where it is to be killed; `quota`: facts of load it is given at most.
    """

    world: World
    point: Point
    after: int
    quota: int
    pid: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    drained: bool = False
    _performed: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk with the engine, or listen on its second line for where it stands."""
        try:
            while line := await reader.readline():
                self._heard(json.loads(line), writer)
        except ConnectionError:
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self.ended.set()

    def _heard(self, said: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        if "kill" in said:
            self._kill()
        elif "ready" in said:
            for event in list(self.world.unacknowledged.values()):
                self._hand_over(event, writer)
            self._give_load(writer)
        elif "ack" in said:
            self.world.unacknowledged.pop(said["ack"], None)
            self._give_load(writer)
        elif "perform" in said:
            self._perform(said, writer)
        elif "drained" in said:
            self._drained(writer)

    def _perform(self, said: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        reactions = self.world.perform(action_from_json(said["perform"]), said["key"])
        self._performed += 1
        if self.point == "performed" and self._performed == self.after:
            self._kill()  # done, and nobody will ever be told
            return
        self._tell(writer, {"number": said["number"], "receipt": receipt_to_json(Done(ref=said["key"]))})
        for event in reactions:
            self._hand_over(event, writer)

    def _give_load(self, writer: asyncio.StreamWriter) -> None:
        while self.quota and len(self.world.unacknowledged) < IN_FLIGHT:
            self.quota -= 1
            event = self.world.somebody_talks()
            self._hand_over(event, writer)
            if self.world.dice.random() < 0.05:
                self._hand_over(event, writer)
        if not self.quota and not self.world.unacknowledged:
            self._tell(writer, {"drain": True})

    def _drained(self, writer: asyncio.StreamWriter) -> None:
        if self.world.unacknowledged or self.quota:
            return  # its last actions made somebody speak again
        self.drained = True
        self._tell(writer, {"stop": True})

    def _hand_over(self, event: Event, writer: asyncio.StreamWriter) -> None:
        self._tell(writer, {"event": event_to_json(event)})

    def _tell(self, writer: asyncio.StreamWriter, line: dict[str, Any]) -> None:
        writer.write(json.dumps(line).encode() + b"\n")

    def _kill(self) -> None:
        self.world.kills[self.point] += 1
        os.kill(self.pid, signal.SIGKILL)


@dataclass
class Nursery:
    """The process that forks engines."""

    process: asyncio.subprocess.Process
    log: Path
    socket: Path
    database: str

    async def raise_one(self, life: Life) -> None:
        """Start an engine and stay with it to its end."""
        self.socket.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(life.serve, self.socket, limit=1 << 20)
        async with server:
            told = {
                "socket": str(self.socket),
                "database": self.database,
                "point": life.point,
                "after": life.after,
                "dice": life.world.dice.random(),
                "delivers": life.world.dice.random() < 0.75,
                "groups": GROUPS,
                "stewards": STEWARDS,
            }
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.write(json.dumps(told).encode() + b"\n")
            pid = await self.process.stdout.readline()
            assert pid, f"the nursery itself ended:\n{self.log.read_text('utf-8')}"
            life.pid = int(pid)
            async with asyncio.timeout(PATIENCE_S):
                await life.ended.wait()
        killed = life.world.kills[life.point] if life.point != "never" else 0
        assert killed or life.drained, f"an engine ended by itself:\n{self.log.read_text('utf-8')}"


@asynccontextmanager
async def nursery(folder: Path, database: str) -> AsyncIterator[Nursery]:
    """Open a nursery on a database; its sockets and its log lie in `folder`, whose path is short."""
    log = folder / "engines.log"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("nursery.py")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
    try:
        yield Nursery(process, log, folder / "soak.sock", database)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
