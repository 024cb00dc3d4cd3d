"""A bot that is started from `.env` in a room of the real Puppet Service, and what happens in that room."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.e2e.started import free_port
from tests.soak.qq.started import PATIENCE, PROPER, ROOT, StartedBot, of_nobody
from tests.soak.qq.witness import PACK
from tests.support.wechaty_end import ROOM, WechatyEnd

BOSS, STEWARD = "wxid_boss", "wxid_steward"
RULES = PACK.replace('["witness", ', '["witness", "doorman", ')
BEGAN = datetime(2025, 3, 3, 1, tzinfo=UTC)
"""What the bot's clock shows at its first start: long before the machine's, so that nothing that is said is late."""

HEARD_WITHIN = 2.0
"""Seconds in which somebody who is listened to is heard, as a rule."""


@dataclass
class HurriedBot(StartedBot):
    """A bot whose clock goes many times as fast; a later life begins after the one before.

    Args:
        times: how many of its seconds pass in one.
        moment: what its clock shows when it starts next.
    """

    times: float = 1.0
    moment: datetime = BEGAN
    _launched: float = 0.0

    def launch(self) -> None:
        """Start it."""
        now = time.monotonic()
        if self._launched:
            self.moment += timedelta(seconds=(now - self._launched) * self.times)
        self._launched = now
        command = [sys.executable, str(ROOT / "tests/soak/wechat/hurried.py"), self.moment.isoformat()]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, str(self.times)],
                cwd=self.folder,
                env={**of_nobody(), "SOAK_JOURNAL": str(self.folder / "journal"), "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def has_heard_text(self, text: str) -> bool:
        """Say whether somebody was heard to say just that."""
        return self.has_heard(json.dumps(text, ensure_ascii=False))

    def write_env(self, end: WechatyEnd, token: str = "", **more: str) -> None:
        """Write its `.env`."""
        account = {"endpoint": f"127.0.0.1:{end.port}", "token": token or end.token, "tls": end.tls}
        env = {
            **{key: value for key, value in PROPER.items() if not key.startswith("ONEBOT_")},
            "GROUPOPS_ADAPTERS": '["wechat"]',
            "GROUPOPS_EXTRA_PLUGINS": '["tests.soak.qq.witness", "tests.soak.wechat.doorman"]',
            "GROUPOPS_STEWARDS": f'["wechat:{STEWARD}"]',
            "GROUPOPS_SCAN_MINUTES": "30",
            "WECHATY_ACCEPT_UNOFFICIAL_RISK": "true",
            "WECHATY_ACCOUNTS": json.dumps([account]),
            "WECHATY_DING_SECONDS": "300",
            "PORT": str(self.port),
            **more,
        }
        text = "".join(f"{key}={value}\n" for key, value in env.items())
        (self.folder / ".env").write_text(text, "utf-8")


@dataclass
class Room:
    """The room, who is in it, and what was said there.

    Args:
        bot: the bot.
        end: the service; what it knew is gone when it is killed, what people know is not.
        dice: who says what.
        people: contact → name, of those who are in the room now.
        said: text → the message's id, of everything that was said.
        sure: of it, what was said while the bot listened and went on listening.
        asked_out: who is to leave, by a task of the stewards.
        left, came: who did so while nobody could tell.
    """

    bot: HurriedBot
    end: WechatyEnd
    dice: random.Random
    people: dict[str, str] = field(default_factory=lambda: {f"wxid_{n:02}": f"某{n:02}" for n in range(20)})
    said: dict[str, str] = field(default_factory=dict)
    sure: set[str] = field(default_factory=set)
    asked_out: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)
    came: list[str] = field(default_factory=list)

    async def open(self) -> None:
        """Bring the service up, with everybody in the room; the account is a plain member."""
        await self.end.start()
        await self.end.furnish({BOSS: "老板", STEWARD: "管家", **self.people}, owner=BOSS)

    # — talk —

    def word(self, calm: int = 2) -> tuple[str, str, str]:
        """Make up something that was never said: who, the message's id, the text; `calm` ones to a good and a bad."""
        text = f"{self.dice.choice(('好', '坏', *('在',) * calm))} 第{len(self.said)}句"
        return self.dice.choice(sorted(self.people)), self.note(text), text

    def note(self, text: str) -> str:
        """Note that something is said; gives the message's id."""
        return self.said.setdefault(text, f"w{len(self.said)}")

    async def say(self, text: str, who: str = BOSS) -> None:
        """Have somebody say something."""
        await self.end.do("post", **{"from": who, "to": ROOM}, text=text, id=self.note(text))

    async def talk(self, times: int) -> None:
        """Say a few things, and wait until all of them were heard."""
        words = [self.word() for _ in range(times)]
        await self.end.do("flood", to=ROOM, said=words)
        texts = [text for _, _, text in words]
        await self.hears(*texts)

    async def talk_on(self, times: int) -> None:
        """Say a few things; whether anybody hears them is not known."""
        await self.end.do("flood", to=ROOM, said=[self.word() for _ in range(times)])

    async def hears(self, *texts: str) -> None:
        """Wait until the bot has handled some texts, which it listened to."""
        async with asyncio.timeout(PATIENCE):
            while not all(map(self.bot.has_heard_text, texts)):  # noqa: ASYNC110 - a file rings no bell
                await asyncio.sleep(0.02)
        self.sure.update(texts)

    async def listens(self) -> None:
        """Ask until the bot hears: what is said while nobody reads the stream is lost."""
        async with asyncio.timeout(PATIENCE):
            while True:
                text = f"在吗 {len(self.said)}"
                await self.say(text)
                for _ in range(int(HEARD_WITHIN / 0.02)):
                    if self.bot.has_heard_text(text):
                        self.sure.add(text)
                        return
                    await asyncio.sleep(0.02)

    async def is_ruled(self) -> None:
        """Ask until the bot answers: the rules of a room that it meets for the first time are in force a little later."""
        async with asyncio.timeout(PATIENCE):
            while not any("谢谢" in one["said"] for one in self.end.said()):
                await self.say(f"好 第{len(self.said)}句")
                await asyncio.sleep(0.2)

    # — who is there —

    async def ask_out(self) -> str:
        """Have somebody asked out of the room; a steward is to do it."""
        who = self.dice.choice(sorted(self.people.keys() - self.asked_out))
        self.asked_out.add(who)
        await self.say(f"请 {who} 离开")
        await self.hears(f"请 {who} 离开")
        return who

    def slips_out(self, who: str) -> None:
        """Somebody is out of the room while the service is down."""
        del self.people[who]
        self.left.append(who)

    def slips_in(self) -> None:
        """Somebody comes into the room while the service is down."""
        who = f"wxid_n{len(self.came):02}"
        self.people[who] = f"新{len(self.came):02}"
        self.came.append(who)

    # — what breaks —

    async def cut(self) -> None:
        """The service is killed in the middle of a sentence, people come and go, and it comes back."""
        gone = await self.ask_out()
        await self.talk_on(self.dice.randrange(1, 8))
        await self.end.stop()
        self.slips_out(gone)
        self.slips_in()
        await self.open()
        await self.listens()

    async def restart(self, how: int = signal.SIGKILL) -> None:
        """The bot's process ends in the middle of a sentence, and is started again."""
        await self.talk_on(self.dice.randrange(1, 8))
        await self.bot.stop(how)
        await self.bot.start()
        await self.listens()


@asynccontextmanager
async def room(folder: Path, dice: random.Random, *, times: float, tls: bool = False) -> AsyncIterator[Room]:
    """Have a bot in a room for as long as the block runs."""
    (folder / "packs").mkdir(parents=True)
    (folder / "packs" / "soak.toml").write_text(RULES, "utf-8")
    end, bot = WechatyEnd(free_port(), tls=tls), HurriedBot(folder, free_port(), times=times)
    bot.write_env(end)
    async with bot.records(migrate=True):
        pass
    made = Room(bot, end, dice)
    try:
        await made.open()
        await bot.start()
        await made.listens()
        await made.is_ruled()
        yield made
    finally:
        if bot.process is not None and bot.process.poll() is None:
            await bot.stop()
        await end.stop()
