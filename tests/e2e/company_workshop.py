"""A company on WeCom on loopback, with a work group that an AI bot is in and the archive keeps, and an app for everybody."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import time
from contextlib import AsyncExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from groupops_wecom.testing import AES_KEY, CORP, Callback, Card, FakeWeCom, Group, Said, running
from tests.e2e.started import Place
from tests.e2e.workshop import Told, Workshop, settings

AGENT = 1000002
BOT = "aib0001"
CALLED = "小助手"
CHAT, ROOM, CUSTOMERS = "wrCHAT0001", "wrROOM0001", "wrCUST0001"
TOKEN = "callback-token"

USERS = {
    "何静": "hejing",
    "罗程": "luocheng",
    "王芳": "wangfang",
    "李强": "liqiang",
    "赵敏": "zhaomin",
    "孙涛": "suntao",
}
NAMES = {user: name for name, user in USERS.items()}

PACK = """\
schema = 1

[pack]
id = "company"
title = "车间工作群管理办法"
org_type = "company"

[plugins]
enabled = ["welcome", "moderation", "red_packet", "check_in"]

[discipline]
mute_minutes = 10
burst_s = 0

[ladder.company]
steps = ["warn", "kick"]
human_from = 0

[welcome]
batch_window_s = 1
checklist = ["阅读群规"]
send_rules = "hint"
followup_hours = 1

[moderation]
use = ["gambling", "insult"]
url_deny = { gambling = ["bet.example"] }
operator_words = { insult = ["饭桶车间"] }

[moderation.ladders]
gambling = "company"
insult = "company"

[check_in]
roles = ["业务人员"]
remind_at = ["09:05"]
attendance_minutes = 5
sites = [{ label = "人民广场", at = [121.4737, 31.2304], radius_m = 300 }]

[clause."moderation.gambling"]
ref = "第七条"
text = "不发赌博链接"
"""

ROSTER = """\
工号,姓名,部门,角色,其他账号,在职
HF0101,何静,人事部,员工,wecom:hejing,是
HF0102,罗程,业务部,员工,wecom:luocheng,是
HF0103,李强,业务部,员工、业务人员,wecom:liqiang,是
HF0104,王芳,业务部,员工、业务人员,wecom:wangfang,是
HF0105,赵敏,业务部,员工、业务人员,wecom:zhaomin,是
"""


class Company(Workshop):
    """See `Workshop`; what it has of cards, places and lists is its own.

    Args:
        place: where the bot lives.
        archive: a folder in which the archive grows.
    """

    stewards: ClassVar[tuple[str, ...]] = ("wecom:hejing", "wecom:luocheng")

    def __init__(self, place: Place, archive: Path) -> None:
        super().__init__(place)
        self.off = 0.0
        self.far = FakeWeCom(lambda: time.time() + self.off, archive)
        self._running = AsyncExitStack()
        world = self.far.world
        world.ai_bot(BOT, name=CALLED)
        self.app = world.app(AGENT, customers=True)
        for name, user in USERS.items():
            world.hire(user, name, archived=True)
        there = [USERS[name] for name in ("罗程", "王芳", "孙涛")]
        self.chat: Group = world.group(
            "车间工作群", USERS["何静"], there, chat_id=CHAT, room_id=ROOM, bots={BOT}
        )
        customer = world.customer("wmCUSTOMER1", "客户甲").userid
        self.customers: Group = world.group("客户群", USERS["王芳"], [customer], customer_id=CUSTOMERS)

    async def open(self) -> None:
        """Have WeCom listen, and write down in `.env` where."""
        await self._running.enter_async_context(running(self.far))
        self.place.add(
            WECOM_WS_URL=self.far.link.url,
            WECOM_API_BASE=self.far.rest.base,
            WECOM_ARCHIVE=str(self.far.archive.folder if self.far.archive else ""),
            WECOM_ARCHIVE_SECONDS="1",
        )

    @classmethod
    def env(cls) -> dict[str, str]:
        app: dict[str, Any] = {
            "corp_id": CORP,
            "agent_id": AGENT,
            "secret": "app-secret",
            "token": TOKEN,
            "aes_key": AES_KEY,
            "customers": True,
            "contacts_token": TOKEN,
            "contacts_aes_key": AES_KEY,
            "archive_secret": "archive-secret",
        }
        return {
            "GROUPOPS_ADAPTERS": '["wecom"]',
            "GROUPOPS_DEFAULT_PACKS": '["company"]',
            "WECOM_AIBOTS": json.dumps([{"bot_id": BOT, "secret": "bot-secret", "name": CALLED}]),
            "WECOM_APPS": json.dumps([app]),
        }

    # — how it comes together —

    async def start_again(self, at: datetime, *, kill: bool = False, late: float = 0) -> None:
        """See `Workshop`; WeCom goes on answering while the bot finishes what it has begun."""
        assert self.bot is not None
        ended = await asyncio.to_thread(self.bot.kill if kill else self.bot.stop)
        assert kill or ended in {0, -signal.SIGTERM}, self.story()
        await self.start(at, late=late)

    async def connect(self) -> None:
        assert self.bot is not None
        self.off = self.bot.off
        base = self.bot.url(f"/wecom/app/{CORP}/{AGENT}")
        self.app.callback = Callback(url=base, receive_id=CORP)
        self.far.world.contacts_callback = Callback(url=f"{base}/contacts", receive_id=CORP)

    async def known(self) -> None:
        def asked() -> bool:
            return any("user/list" in repr(call) for call in self.far.rest.calls)

        await self.happens(lambda: self.far.link.connected(BOT) and asked())

    async def listed(self) -> None:
        """Wait until the members of the group were read."""
        await self.happens(
            lambda: any("msgaudit/groupchat/get" in repr(call) for call in self.far.rest.calls)
        )
        await self.a_second()

    # — what people do —

    async def ask_to_join(self, name: str, words: str) -> str:
        raise NotImplementedError("nobody asks: whoever is invited is in")

    async def join(self, name: str) -> None:
        await self.far.join(USERS[name], self.chat)

    async def comes_to_customers(self, user: str, name: str) -> None:
        """Have a customer come into the customer group by its QR code."""
        self.far.world.customer(user, name)
        await self.far.join(user, self.customers, scene=3)

    async def operator(self, *words: str) -> str:
        """Run one of the operator's commands while WeCom is there to be asked."""
        return await asyncio.to_thread(self.place.groupops, *words)

    async def leave(self, name: str) -> None:
        """Have the owner put somebody out."""
        await self.far.leave(USERS[name], self.chat, removed=True)

    async def say(self, name: str, text: str) -> str:
        return (await self.far.say(USERS[name], self.chat, text)).id

    async def call(self, name: str, text: str) -> str:
        """Have somebody say something to the AI bot, in the group."""
        return await self.say(name, f"@{CALLED} {text}")

    async def whisper(self, name: str, text: str) -> None:
        await self.far.say(USERS[name], self.app, text)

    async def is_at(self, name: str, latitude: float, longitude: float) -> None:
        """Have somebody show the app where they are."""
        await self.far.location(USERS[name], self.app, latitude, longitude, "上海市")

    async def repeat(self) -> None:
        """WeCom tells nothing twice that was answered."""

    async def press(self, name: str, button: str, *about: str, why: str = "") -> None:
        """Have somebody press a button of the newest card that shows these words, theirs or the group's.

        Args:
            name: who.
            button: what it says.
            about: words that stand on the card, or before it.
            why: the reason that is chosen on it.
        """
        user = USERS[name]

        def found() -> list[tuple[Said, str]]:
            cards = [*_cards(self.chat.said, user), *_cards(self.far.world.people[user].inbox, user)]
            return [
                (said, str(key["key"]))
                for said, words in cards
                if all(word in words for word in about)
                for key in _card(said).seen_by(user).get("button_list", ())
                if button in str(key["text"])
            ]

        await self.happens(found)
        said, key = found()[-1]
        await self.far.press(user, said, key, {"reason": [why]} if why else None)

    def sees(self, name: str, *words: str) -> bool:
        """Say whether somebody sees a card with these words, or with them before it."""
        user = USERS[name]
        cards = [*_cards(self.chat.said, user), *_cards(self.far.world.people[user].inbox, user)]
        return any(all(word in shown for word in words) for _, shown in cards)

    def closed(self, name: str, *words: str) -> bool:
        """Say whether somebody has a card with these words whose buttons can no longer be pressed."""
        user = USERS[name]
        cards = _cards(self.far.world.people[user].inbox, user)
        return any(user in _card(said).done and all(word in shown for word in words) for said, shown in cards)

    def tickets(self, *, open_: bool = True) -> list[str]:
        """Give the texts of tickets that are open, or of those that are closed."""
        file = self.place.folder / "data" / "groupops.sqlite3"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT text, closed_at FROM core_tickets").fetchall()
        return [text for text, closed in rows if (closed is None) == open_]

    # — what was said —

    @property
    def told(self) -> list[Told]:
        mine = {BOT, str(AGENT)}
        said = [("", one) for one in self.chat.said if one.by in mine]
        for user, person in self.far.world.people.items():
            said += [(NAMES.get(user, user), one) for one in person.inbox if one.by in mine]
        said.sort(key=lambda one: (one[1].at, one[1].id))
        return [Told(to=to, text=_words(one)) for to, one in said]

    @property
    def decided(self) -> list[tuple[str, bool]]:
        return []

    @property
    def recalled(self) -> list[str]:
        return []

    @property
    def mutes(self) -> list[tuple[str, int]]:
        return []

    async def close(self) -> None:
        await self._running.aclose()


def _words(said: Said) -> str:
    """Give all words of a message, those on a card among them, without the marks markdown needs."""
    if said.card is None:
        return said.text.replace("\\", "").replace("\u200b", "")
    return _card_words(said.card.template)


def _card_words(card: dict[str, Any]) -> str:
    title = card.get("main_title", {}).get("title", "")
    buttons = " ".join(f"[{one['text']}]" for one in card.get("button_list", ()))
    return "\n".join(part for part in (title, card.get("sub_title_text", ""), buttons) if part)


def _card(said: Said) -> Card:
    assert said.card is not None
    return said.card


def _cards(conversation: list[Said], user: str) -> list[tuple[Said, str]]:
    """Give the cards of a conversation with the words on them, and those that were said right before."""
    found: list[tuple[Said, str]] = []
    for before, said in zip([None, *conversation], conversation, strict=False):
        if said.card is not None:
            words = _card_words(said.card.seen_by(user))
            found.append((said, f"{_words(before)}\n{words}" if before is not None else words))
    return found


def made_company(folder: Path) -> Path:
    """Make the folder in which a company's bot lives: a pack, and a database with the roster and the stewards in it."""
    (folder / "packs").mkdir()
    (folder / "packs" / "company.toml").write_text(PACK, encoding="utf-8")
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    place = Place(folder, settings(folder, Company))
    place.groupops("migrate")
    place.groupops("roster", "import", "roster.csv", "--apply")
    return folder


def before(moment: datetime, seconds: int) -> datetime:
    """Give a moment so many seconds before another."""
    return moment - timedelta(seconds=seconds)
