"""The WeCom platform in a NoneBot on loopback, with the make-believe WeCom on the other side, in any mix of modes."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import nonebot
from markdown_it import MarkdownIt
from nonebot.drivers import Driver
from nonebot.matcher import matchers

from groupops import (
    AccountId,
    Event,
    Group,
    GroupId,
    Media,
    Member,
    MessagePosted,
    Notebook,
    Option,
    ReadCheckIns,
    SendCard,
)
from groupops.bridge import Bridge, start_nonebot
from groupops.clock import Clock, SystemClock
from groupops_wecom.cards import Drawer
from groupops_wecom.jsonl import JsonlArchive
from groupops_wecom.offer import own_texts
from groupops_wecom.outcomes import Cases
from groupops_wecom.rooms import Shelf, Side
from groupops_wecom.testing import AES_KEY, CORP, Callback, FakeWeCom, Said, until
from groupops_wecom.testing import Group as Chat
from groupops_wecom.testing import running as wecom_running
from groupops_wecom.wecom import WeCom
from tests.support.qq_platform import listening
from tests.support.wecom_wire import Wires, wired

AGENT = 1000002
BOT = "aib0001"
CALLED = "小助手"
TOKEN = "callback-token"
ROOM = "wrCHAT0001"
MEMBER = "lisi"
OWNER = "zhangsan"
PLENTY = timedelta(hours=12)


@dataclass(frozen=True, kw_only=True)
class Modes:
    """What the operator has set up.

    Args:
        aibot: `link`, `url`, or nothing.
        app: whether there is an app.
        sides: what the group is known as: `appchat`, `customer`, `archive`, `robot`; `aibot` where there is one.
    """

    aibot: str = ""
    app: bool = False
    sides: frozenset[str] = frozenset()


class People:
    """What the core knows of people: the group is looked after, and its owner is its steward."""

    def __init__(self) -> None:
        self.rooms: set[GroupId] = set()
        self.stewards: set[AccountId] = {AccountId(f"wecom:{OWNER}")}

    def group(self, group_id: GroupId) -> Group | None:
        return Group(id=group_id) if group_id in self.rooms else None

    def member(self, group_id: GroupId, account: AccountId) -> Member:
        return Member(account=account, steward=account in self.stewards)

    def members(self, group_id: GroupId) -> Sequence[Member]:
        return ()

    def person(self, account: AccountId) -> None:
        return None


class Told:
    """Takes facts, and keeps them."""

    def __init__(self) -> None:
        self.facts: list[Event] = []

    def glance(self, event: Event) -> Event | None:
        self.facts.append(event)
        return None

    async def finish(self, pending: Event) -> None:
        """Nothing is ever left over."""

    async def handle(self, event: Event) -> None:
        self.glance(event)

    def take(self) -> list[Event]:
        facts, self.facts = self.facts, []
        return facts


@dataclass(kw_only=True)
class Served:
    """A platform that serves.

    Args:
        platform: as the core has it.
        far: the make-believe WeCom.
        chat: the group there.
        told: what was told.
        bridge: between NoneBot and `told`.
        folder: where the archive grows.
        wires: what it reaches WeCom by, where it is served over wires.
    """

    platform: WeCom
    far: FakeWeCom
    chat: Chat
    told: Told
    bridge: Bridge
    people: People
    folder: Path
    wires: Wires
    after: int = 0
    probes: int = 0
    provider: JsonlArchive = field(init=False)

    def __post_init__(self) -> None:
        self.provider = JsonlArchive(self.folder)

    async def settled(self) -> None:
        """Wait until all that came was handled, the archive read."""
        adapter = self.platform.adapter
        assert adapter is not None
        for (
            link
        ) in adapter.links:  # WeCom answers in order, so what it told before has come when this is answered
            self.probes += 1
            await link.call("ping", None, f"probe_{self.probes}")
        for _ in range(2):
            await adapter.settled()
            if any(side.kind == "archive" for side in self.platform.rooms.sides(ROOM)):
                self.after = await self.platform.pull.read_archive(self.provider, self.after)
            await adapter.settled()
            await self.bridge.lanes.settled()

    async def facts(self) -> list[Event]:
        """Give what was told since last time, once all was handled."""
        await self.settled()
        return self.told.take()


def aibots(modes: Modes) -> list[dict[str, Any]]:
    """Give `WECOM_AIBOTS`."""
    by_url = {"token": TOKEN, "aes_key": AES_KEY}
    by_link = {"secret": "bot-secret"}
    return (
        [{"bot_id": BOT, "name": CALLED, **(by_url if modes.aibot == "url" else by_link)}]
        if modes.aibot
        else []
    )


def apps(modes: Modes) -> list[dict[str, Any]]:
    """Give `WECOM_APPS`."""
    if not modes.app:
        return []
    made: dict[str, Any] = {
        "corp_id": CORP,
        "agent_id": AGENT,
        "secret": "app-secret",
        "token": TOKEN,
        "aes_key": AES_KEY,
        "customers": "customer" in modes.sides,
        "contacts_token": TOKEN,
        "contacts_aes_key": AES_KEY,
    }
    return [{**made, **({"archive_secret": "archive-secret"} if "archive" in modes.sides else {})}]


def settings(modes: Modes, far: FakeWeCom) -> dict[str, Any]:
    """Give the keys of `.env`."""
    return {
        "wecom_aibots": aibots(modes),
        "wecom_apps": apps(modes),
        "wecom_robots": [{"name": "值班群", "key": "robot-key"}] if "robot" in modes.sides else [],
        "wecom_ws_url": far.link.url,
        "wecom_api_base": far.rest.base,
        "wecom_card_seconds": 1.5,
        "wecom_reply_seconds": 0.0,
    }


def populate(far: FakeWeCom, modes: Modes) -> Chat:
    """Put people, a group, and what the operator has set up into the make-believe company."""
    world = far.world
    for userid, name in ((OWNER, "张三"), (MEMBER, "李四"), ("wangwu", "王五")):
        world.hire(userid, name, archived="archive" in modes.sides)
    outside = [world.customer("wmCUSTOMER1", "客户甲").userid] if "customer" in modes.sides else []
    if modes.aibot:
        world.ai_bot(BOT, name=CALLED)
    if modes.app:
        world.app(AGENT, customers="customer" in modes.sides)
    sides = modes.sides
    chat = world.group(
        "值班群",
        OWNER,
        [MEMBER, "wangwu", *outside],
        chat_id=ROOM if modes.aibot else "",
        appchat_id=ROOM if "appchat" in sides else "",
        customer_id=ROOM if "customer" in sides else "",
        room_id=ROOM if "archive" in sides else "",
        app=AGENT if "appchat" in sides else 0,
        bots={BOT} if modes.aibot else set(),
    )
    if "robot" in sides:
        world.robot("robot-key", chat)
    return chat


def callbacks(far: FakeWeCom, modes: Modes, port: int) -> None:
    """Tell the company where to post."""
    base = f"http://127.0.0.1:{port}/wecom"
    if modes.aibot == "url":
        far.world.bots[BOT].callback = Callback(url=f"{base}/aibot/{BOT}")
    if modes.app:
        app = f"{base}/app/{CORP}/{AGENT}"
        far.world.apps[AGENT].callback = Callback(url=app, receive_id=CORP)
        far.world.contacts_callback = Callback(url=f"{app}/contacts", receive_id=CORP)


@dataclass(frozen=True, kw_only=True)
class There:
    """The other side: the make-believe WeCom, a group of it, and the wires to it."""

    far: FakeWeCom
    chat: Chat
    wires: Wires


@asynccontextmanager
async def being_there(modes: Modes, folder: Path, clock: Clock | None = None) -> AsyncIterator[There]:
    """Have the other side, which outlives any process of ours."""
    time = clock or SystemClock()
    archive = folder if "archive" in modes.sides else None
    async with wecom_running(FakeWeCom(lambda: time.now().timestamp(), archive)) as far, wired(far) as wires:
        yield There(far=far, chat=populate(far, modes), wires=wires)


@asynccontextmanager
async def serving(
    modes: Modes,
    folder: Path,
    *,
    clock: Clock | None = None,
    shelf: Shelf | None = None,
    bound: bool = True,
    over_wires: bool = False,
    notes: Notebook | None = None,
    cases: Cases | None = None,
    drawer: Drawer | None = None,
    there: There | None = None,
    **more: Any,
) -> AsyncIterator[Served]:
    """Serve what the operator has set up, and wait until it is connected; `over_wires` that may be cut."""
    time = clock or SystemClock()
    async with AsyncExitStack() as stack:
        other = there
        if other is None:
            other = await stack.enter_async_context(being_there(modes, folder, time))
        far, chat, wires = other.far, other.chat, other.wires
        if over_wires:
            more = {**wires.settings, **more}
            far.pusher.at(more["wecom_api_base"])
        driver = start_nonebot(
            {"driver": "~fastapi+~httpx+~websockets", **settings(modes, far), **more},
            log_level="CRITICAL",
            accelerate=False,
        )
        people, told = People(), Told()
        platform = WeCom(
            time,
            people,  # type: ignore[arg-type]
            own_texts(),
            shelf,
            notes=notes,
            cases=cases,
            drawer=drawer,
            settling=0.0,
        )
        bridge = Bridge(told, [platform])
        try:
            bridge.install(driver)
            async with listening(nonebot.get_asgi()) as port:
                callbacks(far, modes, port)
                served = Served(
                    platform=platform,
                    far=far,
                    chat=chat,
                    told=told,
                    bridge=bridge,
                    people=people,
                    folder=folder,
                    wires=wires,
                )
                await until(lambda: all(platform.is_up(bot.self_id) for bot in platform.bots()))
                if bound:
                    await _known(served, modes)
                yield served
        finally:
            nonebot._driver = None
            Driver._adapters.clear()
            matchers.clear()


async def _known(served: Served, modes: Modes) -> None:
    """Have the group looked after, its sides met, and whoever is there heard of."""
    platform = served.platform
    served.people.rooms.add(GroupId(f"wecom:{ROOM}"))
    keeper = f"{CORP}:{AGENT}"
    for kind in ("appchat", "customer", "archive"):
        if kind in modes.sides:
            platform.meet(Side(kind=kind, native=ROOM, keeper=keeper))
    if "robot" in modes.sides:
        platform.rooms.link(ROOM, "robot-值班群") if ROOM in platform.rooms else None
    for time in range(
        3 if modes.aibot else 0
    ):  # a bot on a callback URL has one way to speak for each message
        await served.far.say(MEMBER, served.chat, f"@{CALLED} 在吗{time}")
        await served.far.say(MEMBER, served.far.world.bots[BOT], f"在吗{time}")
    if modes.app:
        app = platform.standing.app()
        assert app is not None
        await platform.pull.read_range(app)
    await served.settled()
    served.told.take()


def shown(said: Said) -> str:
    """Give what a reader sees of words: of markdown, what another's renderer makes of it; without what is not seen."""
    text = said.text
    if said.kind == "markdown":
        rendered = MarkdownIt("commonmark").render(text).strip()
        text = html.unescape(rendered.removeprefix("<p>").removesuffix("</p>"))
    return text.replace("\u200b", "")


class WeComRig:
    """What the contract suite needs."""

    def __init__(self, served: Served, modes: Modes) -> None:
        self.served = served
        self.modes = modes
        self.platform = served.platform
        self.group = GroupId(f"wecom:{ROOM}")
        self.member = AccountId(f"wecom:{MEMBER}")
        self._numbers = count(1)

    @property
    def far(self) -> FakeWeCom:
        return self.served.far

    @property
    def chat(self) -> Chat:
        return self.served.chat

    async def say(self, text: str) -> MessagePosted | None:
        words = f"@{CALLED} {text}" if self.modes.aibot else text
        await self.far.say(MEMBER, self.chat, words)
        found = [fact for fact in await self.served.facts() if isinstance(fact, MessagePosted)]
        return found[0] if found else None

    async def provoke(self, kind: str) -> Sequence[Event]:
        deed: Callable[[], Any] | None = getattr(self, f"_{kind}", None)
        self.served.told.take()
        if deed is not None:
            await deed()
        return await self.served.facts()

    async def _message_posted(self) -> None:
        words = f"@{CALLED} 第{next(self._numbers)}句" if self.modes.aibot else f"第{next(self._numbers)}句"
        await self.far.say(MEMBER, self.chat, words)

    async def _message_recalled(self) -> None:
        said = await self.far.send(MEMBER, self.chat, "text", {"content": f"收回{next(self._numbers)}"})
        await self.served.facts()
        await self.far.take_back(MEMBER, self.chat, said)

    async def _member_joined(self) -> None:
        who = f"new{next(self._numbers)}"
        self.far.world.hire(who, "新人")
        await self.far.join(who, self.chat, scene=3)
        await self.served.settled()
        await self.platform.settled()

    async def _member_left(self) -> None:
        who = f"old{next(self._numbers)}"
        self.far.world.hire(who, "旧人")
        await self.far.join(who, self.chat)
        await self.served.facts()
        await self.platform.settled()
        await self.served.facts()
        await self.far.leave(who, self.chat)

    async def _group_renamed(self) -> None:
        await self.far.rename(self.chat, f"改名{next(self._numbers)}")
        await self.platform.settled()

    async def _members_listed(self) -> None:
        await self.far.hand_over(self.chat, "wangwu" if self.chat.owner == OWNER else OWNER)
        await self.platform.settled()

    async def _role_changed(self) -> None:
        await self._members_listed()

    async def _location_shared(self) -> None:
        if self.modes.app:
            await self.far.location(MEMBER, self.far.world.apps[AGENT], 31.2304, 121.4737, "人民广场")
        else:
            place = {
                "latitude": 31.2304,
                "longitude": 121.4737,
                "title": "人民广场",
                "address": "",
                "zoom": 15,
            }
            await self.far.send(MEMBER, self.chat, "location", place)

    async def _red_packet_sent(self) -> None:
        await self.far.red_packet(MEMBER, self.chat, 3000)

    async def _choice_made(self) -> None:
        await self.card(wait=False)

    async def _command_given(self) -> None:
        if self.modes.app:
            await self.far.say(MEMBER, self.far.world.apps[AGENT], "帮助")
        elif self.modes.aibot:
            await self.far.say(MEMBER, self.far.world.bots[BOT], "帮助")

    async def _checked_in_elsewhere(self) -> None:
        self.far.check_in(MEMBER, 31.2304, 121.4737)
        now = self.platform.clock.now()
        asked = ReadCheckIns(
            group_id=self.group, accounts=(self.member,), since=now - PLENTY, until=now + PLENTY
        )
        await self.platform.perform(asked, key=f"oa#{next(self._numbers)}")

    async def _persons_told(self) -> None:
        if self.modes.app:
            await self.far.hire(f"hired{next(self._numbers)}", "新同事")
            await self.platform.settled()

    async def message(self) -> str:
        said = await self.say(f"说{next(self._numbers)}")
        return said.message_id if said is not None else "none"

    async def card(self, *, wait: bool = True) -> str:
        """Send a card by whatever way there is, and have it pressed."""
        where = self.far.world.people[MEMBER].inbox if not self.modes.aibot else self.chat.said
        account = None if self.modes.aibot else self.member
        number = next(self._numbers)
        sent = SendCard(
            group_id=self.group,
            title="题",
            text="文",
            options=(Option(word="好"),),
            subject=f"case:{number}",
            account=account,
        )
        await self.platform.perform(sent, key=f"card#{number}")
        cards = [one for one in where if one.card is not None and one.card.task_id.startswith("g_")]
        if not cards:
            return ""
        card = cards[-1].card
        assert card is not None
        await self.far.press(MEMBER, card, card.template["button_list"][0]["key"])
        if wait:
            await self.served.settled()
        return card.task_id

    async def request(self) -> tuple[AccountId, str]:
        return AccountId("wecom:stranger"), "none"

    async def somebody(self) -> AccountId:
        return AccountId("wecom:wangwu")

    async def medium(self) -> Media:
        if self.modes.app:
            kept = self.far.world.keep("image", "ten.png", b"0123456789")
            sent = {"MsgType": "image", "PicUrl": "http://127.0.0.1/none", "MediaId": kept.id}
            await self.far.tell_app(self.far.world.apps[AGENT], MEMBER, sent)
        else:
            bot = self.far.world.bots[BOT]
            await self.far.send(MEMBER, bot, "file", self.far.file("ten.txt", b"0123456789", bot))
        await self.served.settled()
        media = self.platform.memory.media
        return Media(id=list(media)[-1], media_kind="file")

    def said(self) -> Sequence[str]:
        mine = {BOT, str(AGENT), "robot-key"}
        return [shown(one) for one in self.chat.said if one.by in mine and one.kind in {"markdown", "text"}]
