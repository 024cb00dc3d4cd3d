"""The group the stories happen in: its rules, its roster, what stands in `.env`, and what every end can be asked."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from tests.e2e.started import Place, Started, until

ZONE = ZoneInfo("Asia/Shanghai")

PACK = """\
schema = 1

[pack]
id = "workshop"
title = "车间工作群管理办法"
org_type = "company"

[plugins]
enabled = ["welcome", "roster", "quiet_hours", "moderation", "red_packet", "check_in"]

[discipline]
mute_minutes = 10
burst_s = 0

[ladder.workshop]
steps = ["warn", "mute"]
human_from = 0

[welcome]
batch_window_s = 1

[roster.card]
format = "F1"
separators = ["-"]
grace_minutes = 1

[quiet_hours]
windows = [{ start = "22:00", end = "07:30", days = "all" }]

[moderation]
use = ["gambling", "insult"]
url_deny = { gambling = ["bet.example"] }
operator_words = { insult = ["饭桶车间"] }

[moderation.ladders]
gambling = "workshop"
insult = "redpacket"

[check_in]
roles = ["业务人员"]
sites = [{ label = "人民广场", at = [121.4737, 31.2304], radius_m = 300 }]

[clause."quiet_hours.rest"]
ref = "第四条"
text = "22:00 至 07:30 不在群里聊天"

[clause."moderation.gambling"]
ref = "第七条"
text = "不发赌博链接"
"""

ROSTER = """\
工号,姓名,部门,职务,角色,QQ号,在职
HF0101,何静,人事部,主管,员工,20001,是
HF0102,罗程,业务部,组长,员工,20002,是
HF0103,李强,业务部,专员,员工、业务人员,,是
HF0104,王芳,业务部,专员,员工、业务人员,20004,是
"""

CARDS = {"何静": "人事部-何静", "罗程": "业务部-罗程", "王芳": "业务部-王芳"}
"""Who is in the group from the start, and under which card; the first two are its stewards."""

TOKEN = "let-me-in"
BETTING = "https://bet.example/"


def on(day: int, clock: str) -> datetime:
    """Give a moment of March 2025 in Shanghai; the 5th is a Wednesday."""
    hour, minute = clock.split(":")
    return datetime(2025, 3, day, int(hour), int(minute), tzinfo=ZONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the bot has said.

    Args:
        to: who was told privately; empty for the group.
        text: the words.
    """

    to: str
    text: str


class Workshop(ABC):
    """A group at an end, with the bot and some people in it; people are called by their names.

    Args:
        place: where the bot lives, with its database made and the roster in it.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.bot: Started | None = None

    # — what an end is asked —

    @classmethod
    @abstractmethod
    def env(cls) -> dict[str, str]:
        """Give the lines of `.env` that are the adapter's own."""

    stewards: ClassVar[tuple[str, ...]]
    """The accounts of 何静 and 罗程."""

    @abstractmethod
    async def connect(self) -> None:
        """Have the end and the bot find each other."""

    @abstractmethod
    async def known(self) -> None:
        """Wait until the bot has asked the end what it has to know of the group."""

    @abstractmethod
    async def ask_to_join(self, name: str, words: str) -> str:
        """Have somebody ask to come in; gives the request's mark."""

    @abstractmethod
    async def join(self, name: str) -> None:
        """Have somebody come in."""

    @abstractmethod
    async def say(self, name: str, text: str) -> str:
        """Have somebody say something in the group; gives the message's mark."""

    @abstractmethod
    async def whisper(self, name: str, text: str) -> None:
        """Have somebody say something to the bot alone."""

    @abstractmethod
    async def repeat(self) -> None:
        """Send everything once more that was sent, as an end does that does not know what arrived."""

    @property
    @abstractmethod
    def told(self) -> list[Told]:
        """What the bot has said, in order."""

    @property
    @abstractmethod
    def decided(self) -> list[tuple[str, bool]]:
        """Requests that were decided: mark, and whether they were accepted."""

    @property
    @abstractmethod
    def recalled(self) -> list[str]:
        """The marks of the messages that were recalled."""

    @property
    @abstractmethod
    def mutes(self) -> list[tuple[str, int]]:
        """Mutes: who, and for how many seconds, rounded to minutes; 0 is the end of one."""

    @abstractmethod
    async def close(self) -> None:
        """End the end."""

    # — what follows from it —

    async def start(self, at: datetime, *, wait: bool = True, late: float = 0) -> None:
        """Start the bot at a moment, and connect.

        Args:
            at: what its clock shows.
            wait: whether to wait until the bot has asked the end what it has to know.
            late: how many seconds the end comes late.
        """
        self.bot = self.place.start(at)
        await self.bot.ready()
        await asyncio.sleep(late)
        await self.connect()
        if wait:
            await self.known()

    async def start_again(self, at: datetime, *, kill: bool = False, late: float = 0) -> None:
        """Start the bot anew at a later moment, after it was asked to stop, or after its power was cut."""
        assert self.bot is not None
        if kill:
            self.bot.kill()
        else:
            assert self.bot.stop() in {0, -signal.SIGTERM}, self.story()
        await self.start(at, late=late)

    def texts(self, to: str = "") -> list[str]:
        """Give what was said to somebody, or to the group."""
        return [told.text for told in self.told if told.to == to]

    async def hears(self, to: str, *words: str) -> str:
        """Wait until somebody (or the group, if empty) was told something in which all the words stand."""

        def heard() -> list[str]:
            return [text for text in self.texts(to) if all(word in text for word in words)]

        await until(heard, lambda: f"{to or 'the group'} never heard {words}; {self.story()}")
        return heard()[-1]

    async def asked_of(self, steward: str, *words: str) -> str:
        """Wait until a steward is asked to decide something; gives the number of what is to be decided."""
        found = re.search(r"(?:待核准|申诉) (\d+)", await self.hears(steward, *words))
        assert found is not None
        return found.group(1)

    async def happens(self, holds: Any) -> None:
        """Wait until something holds."""
        await until(holds, self.story)

    async def a_second(self) -> None:
        """Let a second pass: an end's clock knows no less, and what comes first has to be told from what follows."""
        await asyncio.sleep(1.1)

    async def nothing_else(self) -> None:
        """Wait until the bot has answered whatever was asked before; a steward's question is the mark."""
        before = len(self.texts("罗程"))
        await self.whisper("罗程", "我的记录")
        await self.happens(lambda: len(self.texts("罗程")) > before)

    def twice(self) -> dict[Told, int]:
        """Give what was said more than once, the answers to what the stories ask again and again left out."""
        asked = ("没有任何记录", "可用的指令")
        said = Counter(told for told in self.told if not any(words in told.text for words in asked))
        return {told: number for told, number in said.items() if number > 1}

    def story(self) -> str:
        """Tell what happened so far, for whoever has to find out why it went wrong."""
        lines = [f"{told.to or '群'}: {told.text}" for told in self.told]
        return "\n".join(
            [*lines, str(self.decided), str(self.recalled), str(self.mutes), self.place.said()[-4000:]]
        )


def made_home(folder: Path, *kinds: type[Workshop]) -> Path:
    """Make the folder in which a bot lives: a pack, and a database with the roster and the stewards in it."""
    (folder / "packs").mkdir()
    (folder / "packs" / "workshop.toml").write_text(PACK, encoding="utf-8")
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    stewards = json.dumps([one for kind in kinds for one in kind.stewards])
    place = Place(folder, {**settings(folder, kinds[0]), "GROUPOPS_STEWARDS": stewards})
    place.groupops("migrate")
    place.groupops("roster", "import", "roster.csv", "--apply")
    return folder


def settings(folder: Path, kind: type[Workshop]) -> Mapping[str, str]:
    """Give what stands in `.env`."""
    return {
        "GROUPOPS_DEFAULT_PACKS": '["workshop"]',
        "GROUPOPS_DEFAULT_STAGE": "enforced",
        "GROUPOPS_STEWARDS": json.dumps(kind.stewards),
        "GROUPOPS_PACKS_DIR": str(folder / "packs"),
        "GROUPOPS_DATA_DIR": str(folder / "data"),
        "GROUPOPS_PACE": "false",
        **kind.env(),
    }


def moved_in(made: Path, folder: Path, kind: type[Workshop], **env: str) -> Place:
    """Give a home of its own that is like one that was made, with further lines in its `.env`."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return Place(folder, {**settings(folder, kind), **env})
