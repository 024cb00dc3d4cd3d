"""The platform `wecom` as the core has it: all bots of one company, whatever mode each of them works in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, cast

from nonebot import get_plugin_config
from nonebot.log import logger
from pydantic import ValidationError

from groupops import (
    AccountId,
    Action,
    Capability,
    Clock,
    ConfigError,
    Directory,
    Done,
    GroupId,
    GroupRenamed,
    Health,
    Impossible,
    Listed,
    Media,
    MembersListed,
    MessagePosted,
    Notebook,
    Pace,
    PlatformError,
    Rate,
    ReadCheckIns,
    Receipt,
    Texts,
    Unreachable,
)
from groupops import Event as Fact
from groupops_wecom import oa
from groupops_wecom.adapter import Adapter
from groupops_wecom.answers import kind_of, receipt_of, why_of
from groupops_wecom.bot import AiBot, AppBot, Bot
from groupops_wecom.cards import Cards, Drawer
from groupops_wecom.clockwork import Clockwork
from groupops_wecom.codes import CodeClass, meaning
from groupops_wecom.event import (
    AddMembers,
    AiBotCardEvent,
    ArchiveNotify,
    CardEvent,
    ChangeContact,
    ChatDismissed,
    DelMembers,
    Event,
    ExternalChatEvent,
    MessageEvent,
    MetaEvent,
    Unsubscribe,
)
from groupops_wecom.exception import ActionFailed, ConfigFault, WeComAdapterException
from groupops_wecom.faces import Faces, Kept
from groupops_wecom.memory import Heard, Memory, Pressed, Seen
from groupops_wecom.message import MEDIA
from groupops_wecom.options import Options
from groupops_wecom.outcomes import Cases, Outcomes
from groupops_wecom.perform import Hand, lacks, perform
from groupops_wecom.profile import profiles
from groupops_wecom.pulling import Pull
from groupops_wecom.read import (
    Facts,
    Sight,
    listed_appchat,
    listed_archive,
    listed_customer,
    press_id,
    read,
)
from groupops_wecom.rooms import NAME, Placed, Rooms, Shelf, Side, account, group_id, native_of
from groupops_wecom.seen import Told
from groupops_wecom.shapes import rows, table, word
from groupops_wecom.spoken import Spoken
from groupops_wecom.standing import Standing
from groupops_wecom.talk import Talk
from groupops_wecom.turns import Turns
from groupops_wecom.ways import ROBOT_PATIENCE, ByRobot, Doubles, Way

RESOLVE_TRIES = 3
"""How often an encrypted id is asked about before whoever it is counts as nobody known."""

SETTLING = 2.0
"""Seconds a customer group's list may lag behind its events (protocol sheet 10.2)."""

STRANGE_FOR = 30.0
"""Seconds for which somebody who was found in no group is not looked for again, however often they write."""

NAMES_AT_ONCE = 20
"""People whose names are asked for one by one while a list is read; the directory tells the rest in its own time."""

REREAD = 60.0
"""Seconds between two looks at which chats were linked by the operator's command."""

UNATTENDED_FOR = 86_400.0
"""Seconds for which attendance that may not be read is not asked for again; stewards hear of it once a day at most."""

PACE = Pace(group_messages=Rate(every=timedelta(seconds=2), burst=10), merge=True)
"""An AI bot says thirty things a minute in a conversation (protocol sheet 2.7); the modes' own rates are kept beside."""


class WeCom:
    """The platform `wecom`; satisfies `groupops.Platform`, and says its pace and its health.

    Args:
        clock: where time comes from.
        people: who and where, as the core knows it.
        texts: the adapter's own texts.
        shelf: where it is kept which chats are one group; None to forget it with the process.
        notes: where it is kept who has spoken to an AI bot; None to forget it with the process.
        cases: says whether a case is decided; None where nobody knows.
        drawer: where it is kept which cards were sent; None to forget it with the process.
        settling: see `SETTLING`.
    """

    name = NAME
    adapter_name = "WeCom"

    def __init__(
        self,
        clock: Clock,
        people: Directory,
        texts: Texts,
        shelf: Shelf | None = None,
        *,
        notes: Notebook | None = None,
        cases: Cases | None = None,
        drawer: Drawer | None = None,
        settling: float = SETTLING,
    ) -> None:
        self.clock = clock
        self.people = people
        self.texts = texts
        self.options = Options()
        self.rooms = Rooms()
        self.faces = Faces()
        self.memory = Memory()
        self.standing = Standing(self, self.rooms, self.faces, self.memory)
        self.talk = Talk(self)
        self.cards = Cards(self.memory, clock, drawer)
        self.outcomes = Outcomes(self)
        self.pull = Pull(self)
        self.cases = cases
        self._shelf = shelf
        self._spoken = None if notes is None else Spoken(notes)
        self._settling = settling
        self._doubles = Doubles()
        self._adapter: Adapter | None = None
        self._robots: dict[str, Way] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = Turns()
        self._versions: Kept[str, str] = Kept(20_000)
        self._since: datetime | None = None
        self._was_up = False
        self._last_event_at: datetime | None = None
        self._strangers: Kept[str, float] = Kept(20_000)
        self._heard_of: Kept[str, None] = Kept(2_000)

    # — the port —

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        """Give what can be done in a group now, by whichever mode reaches it."""
        return self.standing.can(native_of(group_id), self.clock.now().timestamp())

    def hears(self, group_id: GroupId) -> frozenset[str]:
        """Give the kinds of facts that arrive from a group now, those said to a bot alone included."""
        return self.standing.hears(native_of(group_id))

    async def perform(self, action: Action, *, key: str) -> Receipt:
        """Do it by the mode that can; see `perform.perform`."""
        self.outcomes.hear(action, key)
        if not self.connected:
            return Unreachable(why="no bot of the company is connected")
        if isinstance(action, ReadCheckIns):
            return await self._check_ins(action)
        return await perform(action, self._hand(action, key))

    def carries(self, action: Action) -> bool:
        """Say whether an action can be tried although its group lacks the capability: privately, by the app."""
        return lacks(action, self._hand(action)) is None

    def _hand(self, action: Action, key: str = "") -> Hand:
        return Hand(
            room=native_of(action.group_id),
            standing=self.standing,
            memory=self.memory,
            doubles=self._doubles,
            robots=self._robots.get,
            texts=self.texts,
            now=self.clock.now(),
            key=key,
            keep=self.cards.keep,
        )

    async def members(self, group_id: GroupId) -> tuple[tuple[Listed, ...], bool]:
        """List the members, by whichever mode has a list.

        Raises:
            PlatformError: no mode has, or WeCom does not say.
        """
        room = native_of(group_id)
        side = next((one for one in self.standing.reachable(room) if one.kind in _LISTED), None)
        if side is None:
            raise PlatformError(f"no mode has a list of the members of {group_id}")
        try:
            found = await self._list(side)
        except WeComAdapterException as error:
            self._may_be_gone(side, error)
            raise PlatformError(f"the members of {group_id} could not be read: {why_of(error)}") from error
        if not found:
            raise PlatformError(f"the member list of {group_id} came empty")
        return found, True

    async def open(self, media: Media, *, cap: int) -> AsyncIterator[bytes]:
        """Stream a medium; raises `PlatformError` beyond `cap` bytes."""
        seen = self.memory.media.get(media.id)
        bot = self.bot(seen.bot) if seen is not None else None
        if seen is None or bot is None:
            raise PlatformError(
                "this medium is not at hand: WeCom keeps it for minutes, the archive elsewhere"
            )
        try:
            data = await _fetched(bot, seen, cap)
        except WeComAdapterException as error:
            raise PlatformError(f"the medium could not be fetched: {why_of(error)}") from error
        if len(data) > cap:
            raise PlatformError(f"the medium is larger than {cap} bytes")
        yield data

    def direct(self, account: AccountId) -> bool:
        """Say whether that account can be written to privately now."""
        return self.standing.reaches(native_of(account))

    # — what it offers besides —

    def fleeting(self, group_id: GroupId) -> frozenset[Capability]:
        """Give what comes and goes by itself: the update of a card, speech where it has to be asked for."""
        return self.standing.fleeting(native_of(group_id))

    def pace(self) -> Pace:
        """Give the pace of conversations."""
        return PACE

    def health(self) -> Health:
        """Give how the bots are; the company can be acted for as long as one of them is connected."""
        up = {bot.self_id: self.is_up(bot.self_id) for bot in self.bots()}
        connected = any(up.values())
        if connected != self._was_up or self._since is None:
            self._since, self._was_up = self.clock.now(), connected
        notes = [
            f"{bot.self_id}: {bot.link.state.note}"
            for bot in self.bots()
            if isinstance(bot, AiBot) and bot.link is not None and bot.link.state.note
        ]
        troubles = self.standing.troubles
        notes += [f"{way}: {troubles.get(way)}" for way in troubles]
        return Health(
            connected=connected,
            since=self._since,
            last_event_at=self._last_event_at,
            note="; ".join(notes),
            bots={account(bot): online for bot, online in up.items()},
        )

    # — the bots (`standing.Bots`) —

    @property
    def adapter(self) -> Adapter | None:
        """The NoneBot adapter, once it is attached."""
        return self._adapter

    @property
    def connected(self) -> bool:
        """Whether any bot is connected."""
        return any(self.is_up(bot.self_id) for bot in self.bots())

    def bot(self, self_id: str) -> Bot | None:
        """Give a bot of the configuration."""
        return None if self._adapter is None else self._adapter.made.get(self_id)

    def bots(self) -> Iterator[Bot]:
        """Give all bots of the configuration."""
        return iter(()) if self._adapter is None else iter(self._adapter.made.values())

    def is_up(self, self_id: str) -> bool:
        """Say whether a bot is connected."""
        return self._adapter is not None and self_id in self._adapter.bots

    def robots(self) -> frozenset[str]:
        """Give the names of the webhook robots."""
        return frozenset(self._robots)

    # — behind NoneBot —

    def attach(self, driver: Any) -> None:
        """Register the adapter.

        Raises:
            ConfigError: the configuration does not hold; every fault is named.
        """
        driver.on_startup(self._load)
        work = Clockwork(now=lambda: self.clock.now().timestamp(), sleep=self.clock.sleep)
        try:
            driver.register_adapter(Adapter, clock=work)
        except ConfigFault as fault:
            raise ConfigError(str(fault.args[0])) from None
        adapters = cast("dict[str, Any]", driver._adapters)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - NoneBot has no other way to give it back
        adapter: Adapter = adapters[self.adapter_name]
        self._adapter = adapter
        self.options = _options()
        self._look_over(adapter)
        self._robots = dict(_robots(adapter))
        adapter.on_ready(self._begin)
        driver.on_shutdown(self._stop)

    def _look_over(self, adapter: Adapter) -> None:
        config = adapter.wecom_config
        corps = {app.corp_id for app in config.wecom_apps}
        if len(corps) > 1:
            raise ConfigError(
                "WECOM_APPS names apps of several companies; a user id says nothing of its company, "
                "so each company has a groupops of its own"
            )
        if not adapter.made:
            raise ConfigError(
                'WeCom needs a bot: WECOM_AIBOTS=[{"bot_id":"…","secret":"…"}], or WECOM_APPS; '
                "see docs/adapters_wecom.md"
            )

    def enter_by(self, enter: Callable[[Any, Any], Awaitable[None]]) -> None:
        """Hand every event to `enter`."""
        assert self._adapter is not None  # noqa: S101 - told after `attach`
        self._adapter.enter = enter

    def read(self, bot: Any, event: Any) -> Sequence[Fact] | None:
        """Read one of the adapter's events, and remember what it says of people and chats."""
        if isinstance(event, Told):
            return event.facts or None
        if isinstance(event, MetaEvent):
            return None
        self._last_event_at = self.clock.now()
        if self._is_veiled(bot, event):
            self._turns.join(event.user_id)
            self.start(self._unveil(bot, event))
            return None
        if isinstance(event, AddMembers | DelMembers) and self._waits_for_names(event):
            self._turns.join(event.chat_id)
            self.start(self._name_first(bot, event))
            return None
        return self.take(bot, event) or None

    def take(self, bot: Bot, event: Event) -> Facts:
        """Read an event whose people are known by plain ids, or will not be."""
        self._learn(bot, event)
        if isinstance(event, MessageEvent) and self.talk.is_own(event):
            self.start(self.talk.answer(bot, event))
            return ()
        facts = read(event, self.sight())
        self._remember(bot, event, facts)
        if isinstance(event, CardEvent) and facts:
            pressed = Pressed(event)
            self.memory.presses.put(press_id(event), pressed)
            if isinstance(event, AiBotCardEvent) and (event.req_id or event.exchange is not None):
                self.memory.open_cards.put(event.task_id, event)
            self.start(self.outcomes.show(bot, pressed))
        if isinstance(event, ExternalChatEvent):
            self._follow(event)
        if isinstance(event, ArchiveNotify):
            self.pull.ring()
        if isinstance(event, ChangeContact):
            self.start(self.pull.contact_changed(event))
        return facts

    def sight(self) -> Sight:
        """Give what a reader may look up now."""
        return Sight(
            now=self.clock.now(),
            plain=self.faces.plain,
            room=self.rooms.room_of,
            home=self.home,
            called=self.faces.called,
            calls=frozenset(bot.info.name for bot in self.bots() if isinstance(bot, AiBot) and bot.info.name),
            known=lambda id_: self.memory.twins.get(id_) or id_,
            amounts=self.options.wecom_archive_amounts,
            reports=self.options.wecom_location_reports,
        )

    def home(self, user: str) -> str:
        """Give the group for what somebody says to a bot alone; nothing for somebody of no group."""
        if self.options.wecom_home:
            return self.rooms.room_of(self.options.wecom_home)
        known = self.faces.home(user)
        if known:
            return self.rooms.room_of(known)
        now = self.clock.now().timestamp()
        if now - (self._strangers.get(user) or 0.0) < STRANGE_FOR:
            return ""
        found = self._looked_for(user)
        if not found:
            self._strangers.put(user, now)
        return found

    def _looked_for(self, user: str) -> str:
        """Look for somebody among the members of all groups; who is in none belongs to the only one there is."""
        looked_after = [room for room in self.rooms if self.people.group(group_id(room)) is not None]
        for room in looked_after:
            if any(member.account == account(user) for member in self.people.members(group_id(room))):
                self.faces.was_in(user, room)
                return room
        return looked_after[0] if len(looked_after) == 1 else ""

    async def post(self, facts: Iterable[Fact]) -> None:
        """Hand in facts that were found out, by the road of all that is told."""
        told = tuple(facts)
        if not told or self._adapter is None:
            return
        bot = next(self.bots())
        now = self.clock.now().timestamp()
        event = Told(self_id=bot.self_id, event_id=told[0].id, moment=now, received=now, facts=told)
        await self._adapter.take(bot, event)

    # — learning —

    def _learn(self, bot: Bot, event: Event) -> None:
        """Learn who is whose, and which chats there are."""
        user = event.user_id
        if isinstance(bot, AppBot) and user:
            self.faces.resolve(user, user)
            if isinstance(event, Unsubscribe):
                self.faces.lose(user)
            else:
                self.faces.reach((user,))
        plain = self.faces.plain(user) or ""
        if isinstance(bot, AiBot):
            if event.chat_id:
                self.meet(Side(kind="aibot", native=event.chat_id, keeper=bot.self_id))
            elif plain:
                self._spoke(bot.self_id, plain, user)
        if isinstance(event, ExternalChatEvent) and not isinstance(event, ChatDismissed):
            self.meet(Side(kind="customer", native=event.chat_id, keeper=bot.self_id))
        if plain and event.chat_id:
            self.faces.was_in(plain, self.rooms.room_of(event.chat_id))

    def _spoke(self, bot: str, plain: str, said: str) -> None:
        """Learn that somebody spoke to an AI bot alone, and have it kept."""
        self.faces.spoke(bot, plain, said)
        now = self.clock.now()
        if self._spoken is not None and self._spoken.is_new(bot, plain, said, now):
            self.start(self._spoken.write(bot, plain, said, now))

    def _remember(self, bot: Bot, event: Event, facts: Facts) -> None:
        """Remember messages, so that they can be answered, and media, so that they can be fetched."""
        if not isinstance(event, MessageEvent):
            return
        for place, segment in enumerate(event.message):
            if segment.type in MEDIA:
                self.memory.media.put(f"{event.message_id}/{place}", Seen(bot.self_id, segment))
        for fact in facts:
            if isinstance(fact, MessagePosted):
                room, user = native_of(fact.group_id), native_of(fact.account)
                self.memory.heard.put(event.message_id, Heard(bot.self_id, event, room))
                self.memory.utter(room, user, fact.text, event.message_id, fact.at.timestamp())

    def meet(self, side: Side) -> None:
        """Learn of a chat, and have it kept."""
        self.standing.gone.drop(side.key)
        placed = self.rooms.meet(side)
        if placed is not None:
            self.start(self.keep((placed,)))

    async def keep(self, placed: Iterable[Placed]) -> None:
        """Have it kept which chats are one group."""
        for one in placed:
            if self._shelf is not None:
                await self._shelf.put(one, self.clock.now())

    def heard_of(self, room: str) -> None:
        """Remember an id of the archive nobody has bound, so that a steward finds it."""
        self._heard_of.put(room, None)

    def unbound(self) -> list[str]:
        """Give the ids of the archive nobody has bound."""
        return list(self._heard_of)

    # — encrypted ids —

    def _is_veiled(self, bot: Any, event: Event) -> bool:
        """Say whether it has to be asked who somebody is."""
        if not isinstance(bot, AiBot) or not event.user_id:
            return False
        if self.faces.plain(event.user_id) is not None:
            return event.user_id in self._turns  # what was said before has not been read yet
        if self.standing.app() is None:
            # Nobody could say, and the id is the same each time.
            self.faces.resolve(event.user_id, event.user_id)
            return False
        return True

    async def _unveil(self, bot: Bot, event: Event) -> None:
        """Ask who somebody is, then read the event; whoever stays unknown is nobody who can be sanctioned."""
        async with self._turns.turn(event.user_id):
            for attempt in range(RESOLVE_TRIES):
                if self.faces.plain(event.user_id) is not None or await self._resolve(event.user_id):
                    break
                await self.clock.sleep(float(2**attempt))
            await self.post(self.take(bot, event))

    async def _resolve(self, said: str) -> bool:
        app = self.standing.app()
        if app is None:
            return False
        try:
            found = await app.call("batch/openuserid_to_userid", {"open_userid_list": [said]})
        except WeComAdapterException as error:
            logger.warning("an encrypted id of WeCom could not be resolved: {}", why_of(error))
            return False
        for one in map(table, rows(found.get("userid_list"))):
            if word(one.get("open_userid")) == said and word(one.get("userid")):
                self.faces.resolve(said, word(one.get("userid")))
                return True
        if said in rows(found.get("invalid_open_userid_list")):
            self.faces.resolve(said, said)  # plain ids come back as invalid
            return True
        return False

    # — lists —

    async def _list(self, side: Side) -> tuple[Listed, ...]:
        """Read a list, and what comes with it."""
        match side.kind:
            case "appchat":
                app = self._app(side)
                answer = await app.call("appchat/get", method="GET", params={"chatid": side.native})
                info = table(answer.get("chat_info"))
                await self._ask_names(app, map(word, rows(info.get("userlist"))))
                found = listed_appchat(info, self.faces.called)
                self.standing.sizes.put(side.native, len(found))
                self.faces.reach(native_of(one.account) for one in found)
                self._named(side, word(info.get("name")))
            case "customer":
                info = await self._customer_group(side)
                found = listed_customer(info, self.faces.called)
                self._versions.put(side.native, word(info.get("member_version")))
                self._named(side, word(info.get("name")))
            case _:
                found = await self._archive_room(side)
        for one in found:
            self.faces.name(native_of(one.account), one.name)
            self.faces.was_in(native_of(one.account), self.rooms.room_of(side.native))
        return found

    async def _ask_names(self, app: AppBot, users: Iterable[str]) -> None:
        """Ask what those are called of whom the directory has not told yet: the list of an app's group has ids alone."""
        unnamed = [user for user in dict.fromkeys(users) if user and not self.faces.called(user)]
        for user in unnamed[:NAMES_AT_ONCE]:
            with suppress(WeComAdapterException):  # without a name they are in the list all the same
                told = await app.call("user/get", method="GET", params={"userid": user})
                self.faces.name(user, word(told.get("name")))

    def _app(self, side: Side) -> AppBot:
        app = self.standing.app_of(side)
        if app is None:
            raise PlatformError(f"no app is configured that reaches {side.native}")
        return app

    async def _customer_group(self, side: Side) -> dict[str, Any]:
        body = {"chat_id": side.native, "need_name": 1}
        return table((await self._app(side).call("externalcontact/groupchat/get", body)).get("group_chat"))

    async def _archive_room(self, side: Side) -> tuple[Listed, ...]:
        app = self.standing.archivist()
        if app is None:
            raise PlatformError(
                "no archive_secret is configured, so that rooms of the archive tell no members"
            )
        found = await app.call("msgaudit/groupchat/get", {"roomid": side.native}, secret="archive")  # noqa: S106 - a name
        self._named(side, word(found.get("roomname")))
        return listed_archive(found, self.faces.called)

    def _named(self, side: Side, name: str) -> None:
        if name:
            self.meet(Side(kind=side.kind, native=side.native, keeper=side.keeper, name=name[:255]))

    def _may_be_gone(self, side: Side, error: Exception) -> None:
        if isinstance(error, ActionFailed) and meaning(error.errcode).kind is CodeClass.ABSENT:
            self.standing.gone.put(side.key, None)

    # — customer groups —

    def _waits_for_names(self, event: AddMembers | DelMembers) -> bool:
        """Say whether a list has to be read first: nobody is called by an id; what follows keeps its place behind."""
        unnamed = isinstance(event, AddMembers) and not all(map(self.faces.called, event.members))
        return unnamed or event.chat_id in self._turns

    async def _name_first(self, bot: Bot, event: AddMembers | DelMembers) -> None:
        async with self._turns.turn(event.chat_id):
            if isinstance(event, AddMembers) and not all(map(self.faces.called, event.members)):
                await self.clock.sleep(self._settling)
                side = Side(kind="customer", native=event.chat_id, keeper=event.self_id)
                with suppress(WeComAdapterException, PlatformError):  # without names they came all the same
                    await self._list(side)
            await self.post(self.take(bot, event))

    def _follow(self, event: ExternalChatEvent) -> None:
        """Read the list anew when an event was missed, or says that something changed and not what."""
        side = Side(kind="customer", native=event.chat_id, keeper=event.self_id)
        if isinstance(event, ChatDismissed):
            self.standing.gone.put(side.key, None)
            return
        known = self._versions.get(event.chat_id)
        missed = known is not None and event.last_version not in {"", known}
        if event.version:
            self._versions.put(event.chat_id, event.version)
        if missed or event.change not in {"add_member", "del_member"}:
            self.start(self._relist(side, renamed=event.change == "change_name"))

    async def _relist(self, side: Side, *, renamed: bool) -> None:
        await self.clock.sleep(self._settling)
        room = self.rooms.room_of(side.native)
        try:
            members = await self._list(side)
        except (WeComAdapterException, PlatformError) as error:
            logger.warning("a customer group could not be read: {}", why_of(error))
            return
        now = self.clock.now()
        facts: list[Fact] = []
        name = next((one.name for one in self.rooms.sides(room) if one.key == side.key), "")
        if renamed and name:
            id_ = f"{NAME}:{side.native}:named:{now.isoformat()}"
            facts.append(GroupRenamed(id=id_, at=now, group_id=group_id(room), name=name))
        id_ = f"{NAME}:{side.native}:listed:{now.isoformat()}"
        facts.append(MembersListed(id=id_, at=now, group_id=group_id(room), members=members))
        await self.post(facts)

    async def read_list(self, room: str) -> None:
        """Read a group's members now, not at the core's next turn: a chat was found that tells them."""
        group = group_id(room)
        if Capability.LIST_MEMBERS not in self.can(group):
            return
        try:
            members, complete = await self.members(group)
        except PlatformError as error:
            logger.warning("the members of a linked group could not be read: {}", str(error))
            return
        now = self.clock.now()
        id_ = f"{NAME}:{room}:listed:{now.isoformat()}"
        await self.post((MembersListed(id=id_, at=now, group_id=group, members=members, complete=complete),))

    # — attendance —

    async def _check_ins(self, action: ReadCheckIns) -> Receipt:
        app = self.standing.app()
        if app is None:
            return Impossible(capability=action.needs)
        try:
            facts = await oa.pull(app.api, action, now=self.clock.now())
        except WeComAdapterException as error:
            if kind_of(error) is CodeClass.FORBIDDEN:
                now = self.clock.now().timestamp()
                self.standing.deny(native_of(action.group_id), action.needs, now, UNATTENDED_FOR)
            return receipt_of(error, action.needs)
        await self.post(facts)
        return Done()

    # — life —

    def start(self, doing: Coroutine[Any, Any, None]) -> None:
        """Begin something by the way."""
        try:
            task = asyncio.get_running_loop().create_task(doing)
        except RuntimeError:
            doing.close()  # asked from outside the bot's own process, where nothing is connected
            return
        task.add_done_callback(self._ended)
        self._tasks.add(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """What goes wrong by the way ends nothing else."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.warning("something by the way went wrong at WeCom: {}", type(error).__name__)

    async def settled(self) -> None:
        """Wait until what was begun by the way is done."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _load(self) -> None:
        """Read which chats are one group, before anything is told."""
        if self._shelf is not None:
            self.rooms.replace(await self._shelf.load())
        if self._spoken is not None:
            await self._spoken.recall(self.faces)
        await self.cards.recall()
        app = self.standing.app()
        for chat in self.options.wecom_appchats if app is not None else ():
            self.meet(Side(kind="appchat", native=chat, keeper=app.self_id if app else ""))
        for name in sorted(self._robots):
            self.meet(Side(kind="robot", native=name))

    async def _begin(self) -> None:
        """Begin what lasts as long as the process."""
        self.pull.begin()

    async def reread(self) -> None:
        """Take up what the operator's command has linked, now and then."""
        while self._shelf is not None:
            await self.clock.sleep(REREAD)
            with suppress(Exception):
                self.rooms.replace(await self._shelf.load())

    async def _stop(self) -> None:
        await self.pull.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


_LISTED = frozenset({"appchat", "customer", "archive"})


def _robots(adapter: Adapter) -> Iterator[tuple[str, Way]]:
    """Give the webhook robots of the configuration: those of the adapter, so that each keeps to one rate."""
    for info in adapter.wecom_config.wecom_robots:
        robot = adapter.robot(info.name)
        robot.patience = ROBOT_PATIENCE  # the core waits better: it knows what else there is to do
        yield info.name, ByRobot(robot, profiles()["robot"].can)


async def _fetched(bot: Bot, seen: Seen, cap: int) -> bytes:
    data = seen.segment.data
    if isinstance(bot, AiBot):
        return (await bot.download(data["url"], data.get("aeskey") or "", cap)).data
    return (await cast("AppBot", bot).download(data["media_id"])).data


def _options() -> Options:
    try:
        return get_plugin_config(Options)
    except ValidationError as error:
        lines = [
            f"  {'.'.join(map(str, one['loc'])).upper()}: {one['msg']}"
            for one in error.errors(include_input=False)
        ]
        raise ConfigError("settings of the WeCom adapter do not hold:\n" + "\n".join(lines)) from None
