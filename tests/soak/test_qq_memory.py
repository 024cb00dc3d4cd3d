"""A bot that has heard a million messages is no larger than one that has heard a few hundred thousand."""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from tests.soak.qq.started import PATIENCE, TOKEN, StartedBot, started
from tests.support.onebot_end import BOT, OneBotEnd
from tests.support.soak import Soak

ROUNDS, MESSAGES, FEW = 10, 100_000, 5_000
"""A full soak takes ten rounds of a hundred thousand, else it is two of five thousand."""

SETTLED = 3
"""Rounds after which all that is remembered of late is full: 100,000 facts (`echoes.GENERATION`) and what hangs on it."""

GROUPS = tuple(range(7001, 7021))
PEOPLE = tuple(range(20001, 20201))
GROWS_MB = 10.0
"""Megabytes it may still grow by, in all rounds after that."""

FIRST_MB = 60.0
"""Megabytes a round may add before that."""


def spoken(number: int, dice: random.Random, text: str = "") -> str:
    """Give a message nobody objects to."""
    user = dice.choice(PEOPLE)
    frame = {
        "time": int(time.time()),
        "self_id": BOT,
        "post_type": "message",
        "message_type": "group",
        "sub_type": "normal",
        "message_id": number,
        "user_id": user,
        "group_id": GROUPS[user % len(GROUPS)],
        "message": [{"type": "text", "data": {"text": text or f"第 {number} 项下午办,表格发给各位。"}}],
        "sender": {"user_id": user, "nickname": f"u{user}", "card": f"销售-{user}", "role": "member"},
    }
    return json.dumps(frame)


async def heard(bot: StartedBot, text: str) -> None:
    """Wait until a text was handled, as long as anything is: a hundred thousand messages take a busy machine minutes."""
    journal = bot.folder / "journal"
    while True:
        before = journal.stat().st_size if journal.exists() else 0
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not bot.has_heard(text):  # noqa: ASYNC110 - a file rings no bell
                    await asyncio.sleep(0.05)
                return
        assert journal.stat().st_size > before, "the bot handles nothing any more"


@pytest.mark.soak
async def test_a_million_messages_leave_no_more_behind_than_the_first_of_them(
    tmp_path: Path, soak: Soak, capsys: pytest.CaptureFixture[str]
) -> None:
    dice, end, sizes = soak.random(), OneBotEnd(), list[float]()
    for group in GROUPS:
        end.hall(group)
    rounds, messages = (ROUNDS, MESSAGES) if soak.full else (2, FEW)
    async with started(tmp_path / "bot") as bot:
        await end.connect(bot.url, token=TOKEN)
        for turn in range(rounds):
            for number in range(turn * messages, (turn + 1) * messages):
                await end.raw(spoken(1_000_000 + number, dice))
            last = f"最后一句 {turn} {time.monotonic_ns()}"
            await end.raw(spoken(900_000 + turn, dice, last))
            await heard(bot, last)
            sizes.append(bot.rss)
            with capsys.disabled():
                print(f"\nsoak memory: {(turn + 1) * messages} messages, {sizes[-1]:.1f} MB", flush=True)  # noqa: T201 - its figures
        facts = len(bot.journal())
        await end.close()

        assert bot.harm() == []
        assert facts == rounds * (messages + 1)
        assert max(after - before for before, after in pairwise(sizes)) < FIRST_MB
        if soak.full:
            assert sizes[-1] - sizes[SETTLED - 1] < GROWS_MB
