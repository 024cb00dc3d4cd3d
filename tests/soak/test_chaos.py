"""Connections break in every way, processes die in the middle: each message has its effect once, and none is lost."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from groupops.actions import SendText
from groupops.records import OutboxRow, OutboxState
from tests.soak.qq.started import PATIENCE, STEWARD, TOKEN, StartedBot, started
from tests.support.onebot_end import GROUP, OneBotEnd
from tests.support.onebot_rig import until
from tests.support.soak import Soak

BREAKS = 200
RESTARTS = 10
PEOPLE = tuple(range(20001, 20013))
ALL = 1_000_000
OPEN = (OutboxState.WAITING, OutboxState.PERFORMING)

WAYS = ("drop", "drop", "abort", "half_open", "half_open", "twin", "too_large", "short")
"""How a connection breaks; `too_large` has the bot end it, `short` breaks the next one too before it has settled."""


@dataclass
class Storm:
    """A started bot, the end it talks with, and what was said.

    Args:
        bot: the bot.
        dice: who says what, and what breaks.
        end: the end; it remembers what was said, whoever listened.
        said: the text of every message → its event.
        broken: how often what broke.
    """

    bot: StartedBot
    dice: random.Random
    end: OneBotEnd = field(default_factory=OneBotEnd)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: Counter[str] = field(default_factory=Counter)
    _dead: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.end.hall()
        for user in PEOPLE:
            self.end.seat(user, card=f"销售-{user}")

    # — talk —

    def say(self) -> dict[str, Any]:
        """Have somebody say something that was never said."""
        text = f"{self.dice.choice(('好', '在', '在', '坏', '来'))} 第{len(self.said)}句"
        event = self.end.message(self.dice.choice(PEOPLE), text)
        self.said[text] = event
        return event

    async def talk(self) -> None:
        """Say a few things, and have the end tell of them, some twice."""
        for _ in range(self.dice.randrange(1, 5)):
            event = self.say()
            with suppress(ConnectionClosed):
                for _ in range(self.dice.choice((1, 1, 1, 2))):
                    await self.end.emit(event)

    def talk_unheard(self) -> None:
        """Say a few things of which nobody is told: the end has them in its history."""
        for _ in range(self.dice.randrange(4)):
            self.say()

    async def handled(self) -> None:
        """Wait until the bot has handled what was said so far."""
        async with asyncio.timeout(PATIENCE):
            while not all(self.bot.has_heard(f'"{text}"') for text in list(self.said)[-12:]):  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.02)

    # — what breaks —

    async def connect(self) -> None:
        """Connect as ends do: again and again, until the bot lets it in."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await self.end.connect(self.bot.url, token=TOKEN)
                    return  # noqa: TRY300 - connected is what the loop is for
                except (InvalidStatus, OSError, ConnectionClosed):
                    await asyncio.sleep(0.1)

    async def turn(self) -> None:
        """Talk, break the connection somehow, talk on, and come back."""
        way = self.dice.choice(WAYS)
        self.broken[way] += 1
        if self.dice.random() < 0.1:
            self.end.silent.add("send_group_msg")
        await self.talk()
        if self.dice.random() < 0.5:
            await asyncio.sleep(self.dice.random() * 0.1)
        await getattr(self, way)()
        self.end.silent.clear()
        await self.handled()

    async def drop(self) -> None:
        await self.end.drop()
        self.talk_unheard()
        await self.connect()

    async def abort(self) -> None:
        self.end._socket.transport.abort()
        await self.end.vanish()
        self.talk_unheard()
        await self.connect()

    async def half_open(self) -> None:
        """Stop reading and leave the socket open; what comes in by the new one is told, the old one makes way."""
        self._dead.append(self.end._socket)
        await self.end.vanish()
        self.talk_unheard()
        await self.connect()
        await self.talk()

    async def twin(self) -> None:
        """A second one with the same account is refused while the first one lives."""
        twin = OneBotEnd()
        with pytest.raises(InvalidStatus):
            await twin.connect(self.bot.url, token=TOKEN)
        await self.talk()

    async def too_large(self) -> None:
        with suppress(ConnectionClosed):
            await self.end.raw("x" * (9 << 20))
        await until(lambda: self.end._task is None or self.end._task.done(), PATIENCE)
        self.talk_unheard()
        await self.connect()

    async def short(self) -> None:
        """The connection breaks, and the next one before the bot could ask for what it missed."""
        await self.end.drop()
        self.talk_unheard()
        self.end.silent.add("get_group_msg_history")
        for _ in range(self.dice.randrange(1, 3)):
            await self.connect()
            await asyncio.sleep(self.dice.random() * 0.05)
            await self.end.drop()
        self.end.silent.discard("get_group_msg_history")
        await self.connect()

    async def restart(self, how: int) -> None:
        """The bot's process ends, in good order or not, with calls out; some ends tell again what they told lately."""
        self.broken["kill" if how == signal.SIGKILL else "stop"] += 1
        if self.dice.random() < 0.5:
            self.end.silent.add("send_group_msg")
        await self.talk()
        await asyncio.sleep(self.dice.random() * 0.3)
        await self.bot.stop(how)
        with suppress(ConnectionClosed):
            await self.end.drop()
        self.end.silent.clear()
        self.talk_unheard()
        await self.bot.start()
        await self.connect()
        if self.dice.random() < 0.5:
            for event in list(self.said.values())[-15:]:
                await self.end.emit(event)
        await self.handled()

    async def close(self) -> None:
        await self.end.close()
        for socket in self._dead:
            socket.transport.abort()
            await socket.wait_closed()


@asynccontextmanager
async def storm(folder: Path, dice: random.Random, **settings: str) -> AsyncIterator[Storm]:
    async with started(folder, ONEBOT_PING_SECONDS="0.3", ONEBOT_CALL_SECONDS="1.5", **settings) as bot:
        raging = Storm(bot, dice)
        try:
            await raging.connect()
            yield raging
        finally:
            await raging.close()


@pytest.mark.soak
async def test_however_connections_break_each_message_has_its_effect_once(
    tmp_path: Path, soak: Soak, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    async with storm(tmp_path / "bot", soak.random()) as raging:
        every = max(2, BREAKS // RESTARTS)
        for number in range(soak.rounds(BREAKS)):
            await raging.turn()
            if number % every == every // 2:
                await raging.restart(raging.dice.choice((signal.SIGTERM, signal.SIGKILL, signal.SIGKILL)))
        rows = await at_rest(raging.bot)
        async with raging.bot.records() as records:
            cases = await records.cases(limit=ALL)
            shown = {ticket.key for ticket in await records.tickets(open_only=False)}

        every_message_was_handled_and_none_twice_in_one_life(raging)
        assert Counter(case.event_id for case in cases) == Counter(offences(raging))
        thanks_were_said_once_or_shown(raging, rows, shown)
        assert raging.bot.harm() == []
        with capsys.disabled():
            states = Counter(str(row.state) for row in rows)
            print(  # noqa: T201 - the figures of the soak
                f"\nsoak chaos: {dict(raging.broken)}, {len(raging.said)} messages, {len(cases)} cases, "
                f"{len(rows)} actions {dict(states)}, {time.monotonic() - began:.1f} s"
            )


def key_of(event: dict[str, Any]) -> str:
    return f"qq:{GROUP}:{event['message_id']}:{event['time']}"


def offences(raging: Storm) -> list[str]:
    return [key_of(event) for text, event in raging.said.items() if "坏" in text]


def every_message_was_handled_and_none_twice_in_one_life(raging: Storm) -> None:
    lines = [line for line in raging.bot.journal() if line["kind"] == "message_posted"]
    lost = {key_of(event): text for text, event in raging.said.items()}.keys() - {
        line["id"] for line in lines
    }
    assert lost == set()
    lives = Counter((line["pid"], line["id"]) for line in lines)
    assert [key for key, times in lives.items() if times > 1] == []


async def at_rest(bot: StartedBot) -> tuple[OutboxRow, ...]:
    """Wait until no action waits any more; gives all of them."""
    async with bot.records() as records, asyncio.timeout(PATIENCE):
        while await records.outbox(states=OPEN):  # noqa: ASYNC110 - rows of a database ring no bell
            await asyncio.sleep(0.1)
        return await records.outbox(limit=ALL)


def thanks_were_said_once_or_shown(raging: Storm, rows: tuple[OutboxRow, ...], shown: set[str]) -> None:
    """What is called done was done once; what nobody can know was tried once at most, and a steward is shown it."""
    sent = Counter(words(params["message"]) for params in raging.end.asked("send_group_msg"))
    thanks = {
        row.action.text: row for row in rows if isinstance(row.action, SendText) and "谢谢" in row.action.text
    }
    asked = [text for text in raging.said if "好" in text]
    assert sorted(text.rpartition("好")[2] for text in thanks) == sorted(
        text.rpartition("好")[2] for text in asked
    )
    for text, row in thanks.items():
        times = sent[f" {text}"]
        if row.state is OutboxState.DONE:
            assert times == 1, f"done, and said {times} times: {row}"
        else:
            assert row.state is OutboxState.IN_DOUBT, f"neither done nor in doubt: {row}"
            assert times <= 1, f"in doubt, and said {times} times: {row}"
            assert f"doubt:{row.key}" in shown


def words(parts: list[dict[str, Any]]) -> str:
    return "".join(part["data"]["text"] for part in parts if part["type"] == "text")


# — what the stewards hear of it —


@pytest.mark.soak
async def test_the_stewards_are_told_once_of_an_outage_and_not_of_what_is_over_in_moments(
    tmp_path: Path, soak: Soak
) -> None:
    async with storm(tmp_path / "bot", soak.random(), GROUPOPS_HEALTH_GRACE_SECONDS="3") as raging:
        await raging.talk()
        await raging.handled()
        for _ in range(soak.rounds(50)):
            await raging.end.drop()
            await raging.connect()

        await raging.end.drop()
        async with asyncio.timeout(PATIENCE):
            while not await outages(raging.bot):  # noqa: ASYNC110 - rows of a database ring no bell
                await asyncio.sleep(0.2)
        await raging.connect()
        async with asyncio.timeout(PATIENCE):
            while not [text for text in letters(raging) if "恢复" in text]:  # noqa: ASYNC110 - the end keeps them
                await asyncio.sleep(0.2)
        await asyncio.sleep(6)

        assert len([text for text in letters(raging) if "恢复" in text]) == 1
        assert [ticket.closed_at is None for ticket in await outages(raging.bot)] == [False]


async def outages(bot: StartedBot) -> list[Any]:
    async with bot.records() as records:
        return [one for one in await records.tickets(open_only=False) if one.key.startswith("health/qq")]


def letters(raging: Storm) -> list[str]:
    return [words(parts) for user, parts in raging.end.letters if user == STEWARD]
