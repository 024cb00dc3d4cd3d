"""Official QQ bots: the platform `qqbot` as the core has it, over however many bots of the open platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from nonebot.adapters.qq import (
    C2CMessageCreateEvent,
    C2CMsgReceiveEvent,
    C2CMsgRejectEvent,
    FriendAddEvent,
    FriendDelEvent,
    GroupAddRobotEvent,
    GroupDelRobotEvent,
    GroupMemberAddEvent,
    GroupMsgReceiveEvent,
    GroupMsgRejectEvent,
)
from nonebot.adapters.qq import Event as QQEvent
from nonebot.log import logger

from groupops import (
    AccountId,
    Action,
    Capability,
    Clock,
    Event,
    GroupId,
    GroupOpsError,
    Health,
    Impossible,
    Listed,
    Media,
    MessagePosted,
    Notebook,
    Pace,
    PlatformError,
    Rate,
    Receipt,
    Role,
    Unreachable,
)
from groupops_qq.adapter import Adapter
from groupops_qq.answers import FAILURES, meaning_of, why_of
from groupops_qq.bot import Bot
from groupops_qq.config import Config
from groupops_qq.content import NAME, account, index_of
from groupops_qq.door import Marks
from groupops_qq.events import GROUP_MESSAGES, OwnRoleEvent, own_role
from groupops_qq.media import opened
from groupops_qq.memory import Memory, Said
from groupops_qq.notes import Notes
from groupops_qq.perform import Hand, listed, perform, seat_of
from groupops_qq.read import Sight, person_of, read, role_of
from groupops_qq.shapes import moment, table, word
from groupops_qq.speaker import Speaker
from groupops_qq.standing import Room, Standing
from groupops_qq.windows import Pins

WARM_UP = timedelta(minutes=5)
"""For so long after its start a process does not claim to know a repetition: the one before it may have said it."""

NOTED_EVERY_S = 5.0
"""Seconds between two times that what changed is written down."""

ASK_AGAIN = timedelta(minutes=1)
"""How long the state of a group is not asked for again when it could not be read (30 times a minute for all)."""

SHOWN = 5
"""Groups that are named in a note."""

PACE = Pace(
    messages=Rate(every=timedelta(milliseconds=100), burst=20),
    group_messages=Rate(every=timedelta(seconds=1), burst=5),
    deeds=Rate(every=timedelta(milliseconds=200), burst=10),
    kinds={
        "mute": Rate(every=timedelta(seconds=1), burst=10),
        "unmute": Rate(every=timedelta(seconds=1), burst=10),
        "remove_member": Rate(every=timedelta(seconds=2), burst=5),
    },
    jitter=0.1,
)
"""What the platform's calls take: 100 messages and 10 recalls a second, 60 mutes a minute (documentation, 2026-07)."""


class OfficialQQ:
    """The platform `qqbot`; satisfies `groupops.Platform`, and says its pace and its health.

    Args:
        clock: where time comes from.
        marks: where pushes are marked as seen; the core's counters.
        book: where is kept what is to be known again after a restart.
        warm_up: see `WARM_UP`.
    """

    name = NAME
    adapter_name = "QQ"

    def __init__(self, clock: Clock, marks: Marks, book: Notebook, *, warm_up: timedelta = WARM_UP) -> None:
        self.clock = clock
        self.marks = marks
        self.config = Config()
        self.standing = Standing(self.config)
        self.memory = Memory()
        self.notes = Notes(book)
        self._knows_repeats_from = clock.now() + warm_up
        self._speaker = Speaker(clock.now, Pins())
        self._adapter: Adapter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._noting: asyncio.Task[None] | None = None
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._up: dict[str, bool] = {}
        self._since: datetime | None = None
        self._notes: dict[str, str] = {}
        self._last_event_at: datetime | None = None

    # — the port —

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        """Give what the bot is able to do in a group now: its role, what it was granted, where it may speak."""
        group, now = _native(group_id), self.clock.now()
        self._look_around(group, now)
        return self.standing.can(group, now, repeats=now >= self._knows_repeats_from)

    def hears(self, group_id: GroupId) -> frozenset[str]:
        """Give the kinds of facts that arrive from a group now, those said to the bot alone included."""
        return self.standing.hears(_native(group_id))

    async def perform(self, action: Action, *, key: str) -> Receipt:
        """Do it by the bot that is in the group; see `perform.perform`."""
        bot = self._by(action)
        if bot is None:
            return Unreachable(why="no bot is configured that could do it")
        if not self._up.get(bot.self_id):
            return Unreachable(why=self._notes.get(bot.self_id) or "the bot is not connected")
        group = _native(action.group_id)
        room = self.standing.rooms.get(group)
        if room is not None and not room.there:
            return Impossible(capability=action.needs)
        hand = Hand(
            bot=bot,
            group=group,
            can=self.can(action.group_id),
            standing=self.standing,
            speaker=self._speaker,
            memory=self.memory,
            config=self.config,
            now=self.clock.now(),
            key=key,
        )
        return await perform(action, hand)

    async def members(self, group_id: GroupId) -> tuple[tuple[Listed, ...], bool]:
        """List the members, bots left out; whole if the platform's pages come to an end.

        Raises:
            PlatformError: no bot is there, or the platform does not say.
        """
        group = _native(group_id)
        bot = self._of(group)
        if bot is None or not self._up.get(bot.self_id):
            raise PlatformError(f"no bot that is connected is in {group_id}")
        try:
            lines, complete = await listed(bot, group)
        except FAILURES as error:
            if meaning_of(error) == "no_access":
                self.standing.room(group, bot.self_id)
                self.standing.deny(group, Capability.LIST_MEMBERS, self.clock.now())
            raise PlatformError(f"the members of {group_id} could not be read: {why_of(error)}") from error
        if not lines:
            raise PlatformError(f"the member list of {group_id} came empty")
        self._learn_list(bot, group, lines)
        people = [line for line in lines.values() if line.get("bot") is not True]
        return tuple(self._listed(line) for line in people), complete

    async def open(self, media: Media, *, cap: int) -> AsyncIterator[bytes]:
        """Stream a picture, a voice or a file; raises `PlatformError` beyond `cap` bytes."""
        async for chunk in opened(media, cap=cap, hosts=self.config.qq_media_hosts):
            yield chunk

    def direct(self, account: AccountId) -> bool:
        """Say whether that account can be written to privately now: who wrote to the bot, or is its friend."""
        return account.startswith(f"{NAME}:") and self.standing.reaches(_native(account), self.clock.now())

    # — what it offers besides —

    def fleeting(self, group_id: GroupId) -> frozenset[Capability]:
        """Give what comes with every message and goes minutes later, where the bot may only answer."""
        return self.standing.fleeting(_native(group_id), self.clock.now())

    def attends(self, group_id: GroupId) -> bool:
        """Say whether the bot of a group is connected."""
        bot = self._of(_native(group_id))
        return bot is not None and bool(self._up.get(bot.self_id))

    def pace(self) -> Pace:
        """Give the pace of the platform's calls."""
        return PACE

    def health(self) -> Health:
        """Give how the bots are, and in a note what their groups do not let them do."""
        return Health(
            connected=bool(self._up) and all(self._up.values()),
            since=self._since,
            last_event_at=self._last_event_at,
            note="; ".join([*self._bot_notes(), *self._group_notes()]),
            bots={account(bot): up for bot, up in self._up.items()},
        )

    def rooms(self) -> dict[GroupId, Room]:
        """Give what is known of every group."""
        found = ((group, self.standing.rooms.get(group)) for group in self.standing.rooms)
        return {GroupId(f"{NAME}:{group}"): room for group, room in found if room is not None}

    def _bot_notes(self) -> list[str]:
        return [f"{bot}: {note}" for bot, note in self._notes.items() if note]

    def _group_notes(self) -> list[str]:
        there = {group: room for group, room in self.rooms().items() if room.there}
        mentions = [group for group, room in there.items() if room.receives not in ("", "all")]
        silent = [group for group, room in there.items() if room.proactive is False]
        unsaid = [group for group, room in there.items() if room.asked_at and not room.told]
        said = (
            ("only mentions are delivered", mentions),
            ("nothing may be said unasked", silent),
            ("the platform does not tell the bot's state", unsaid),
        )
        return [f"{what}: {_some(groups)}" for what, groups in said if groups]

    # — behind NoneBot —

    def attach(self, driver: Any) -> None:
        """Register the adapter.

        Raises:
            ConfigError: its door would stand open; see `door`.
        """
        driver.on_startup(self._begin)
        driver.register_adapter(Adapter, host=self, clock=self.clock, marks=self.marks)
        driver.on_shutdown(self._stop)
        adapters = cast("dict[str, Any]", driver._adapters)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - NoneBot has no other way to give it back
        adapter: Adapter = adapters[self.adapter_name]
        self._adapter = adapter
        self.config = adapter.looked_over.config
        self.standing = Standing(self.config)
        self._up = dict.fromkeys(adapter.looked_over.bots, False)

    def enter_by(self, enter: Callable[[Any, Any], Awaitable[None]]) -> None:
        """Hand every event to `enter`."""
        assert self._adapter is not None  # noqa: S101 - told after `attach`
        self._adapter.enter = enter

    def read(self, bot: Any, event: Any) -> Sequence[Event] | None:
        """Read one of the adapter's events, and remember what it says of the bot and of who is where."""
        self_id, now = str(bot.self_id), self.clock.now()
        self._learn(self_id, event, now)
        facts = read(event, self._sight(self_id, now))
        self._remember(event, facts, now)
        return facts or None

    def opened(self, bot: Bot) -> None:
        """A bot is connected."""
        self._turn(bot.self_id, up=True, note="")

    def closed(self, bot: Bot, note: str) -> None:
        """A bot is not connected, and why."""
        self._turn(bot.self_id, up=False, note=note)

    def heard(self, bot: Bot) -> None:  # noqa: ARG002 - which one does not matter
        """Something came."""
        self._last_event_at = self.clock.now()

    async def prepare(self, bot: Bot, event: QQEvent) -> None:
        """Look up what an event does not say: the group it came from, a newcomer's name, a whisperer's group."""
        group = word(getattr(event, "group_openid", ""))
        if isinstance(event, GroupAddRobotEvent | GroupMsgReceiveEvent | GroupMsgRejectEvent):
            self.standing.take(bot.self_id, event, self.clock.now())
            await self.ask_state(bot, group)
        elif group and not isinstance(event, OwnRoleEvent):
            await self._met(bot, group)
        if isinstance(event, GroupMemberAddEvent):
            await self._look_up(bot, group, event.member_openid)
        if isinstance(event, C2CMessageCreateEvent):
            await self._find_home(bot, person_of(event, self.memory))

    async def ask_state(self, bot: Bot, group: str) -> None:
        """Ask the platform for the bot's state in a group; a role that has changed becomes a fact."""
        now = self.clock.now()
        room = self.standing.room(group, bot.self_id)
        room.asked_at = now
        try:
            said = table(await bot.call("GET", "v2", "groups", group, "bot_state"))
        except FAILURES as error:
            if meaning_of(error) == "not_there":
                room.there = False
            self.notes.room(group)
            logger.debug("the state of a QQ bot in a group is not told: {}", why_of(error))
            return
        role = self.standing.told(group, bot.self_id, said, now)
        self.notes.room(group)
        if role is not None and self._adapter is not None:
            event = own_role(group, role.value, now)
            await self._adapter.tell(bot, event)

    async def settled(self) -> None:
        """Wait until what was begun by the way is done."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # — reading —

    def _sight(self, bot: str, now: datetime) -> Sight:
        return Sight(bot=bot, now=now, memory=self.memory, home=self._home, called=self.standing.called)

    def _home(self, openid: str) -> str:
        """Give the group for what somebody says to the bot alone: where it spoke last, else where it is known."""
        homes = self.standing.homes(openid)
        spoke = self.memory.spoke_in.get(openid)
        if spoke in homes:
            return spoke or ""
        return homes[0] if homes else self._earlier_home(openid)

    def _earlier_home(self, openid: str) -> str:
        """Give the group in which somebody's word was taken before a restart, as long as the bot is in it."""
        person = self.standing.people.get(openid)
        room = self.standing.rooms.get(person.home) if person is not None else None
        return person.home if person is not None and room is not None and room.there else ""

    def _learn(self, bot: str, event: QQEvent, now: datetime) -> None:
        if isinstance(event, C2CMessageCreateEvent):
            openid = person_of(event, self.memory)
            self.standing.met(bot, openid, event, now)
            if (person := self.standing.people.get(openid)) is not None:
                person.home = self._home(openid)
            self.notes.person(openid)
            return
        group = word(getattr(event, "group_openid", ""))
        known = group == "" or self.standing.rooms.get(group) is not None
        self.standing.take(bot, event, now)
        if not known or isinstance(event, _OF_ROOMS):
            self.notes.room(group)
        if isinstance(event, _OF_PEOPLE) and event.openid:
            self.notes.person(event.openid)

    def _remember(self, event: QQEvent, facts: Sequence[Event], now: datetime) -> None:
        if not isinstance(event, GROUP_MESSAGES):
            return
        author, group = event.author, event.group_openid
        if author.union_openid and author.member_openid:
            self.memory.unions.put(author.union_openid, author.member_openid)
        for fact in facts:
            if isinstance(fact, MessagePosted):
                self.memory.spoke_in.put(author.member_openid, group)
                said = Said(
                    id=event.id,
                    group=group,
                    account=fact.account,
                    text=fact.text,
                    at=moment(event.timestamp, now),
                    index=index_of(event),
                )
                self.memory.keep(said)

    # — who does it —

    def _by(self, action: Action) -> Bot | None:
        if isinstance(who := getattr(action, "account", None), str) and action.kind in _PRIVATE:
            person = self.standing.people.get(_native(who))
            if person is not None and self._adapter is not None:
                return self._adapter.bot_called(person.bot)
        return self._of(_native(action.group_id))

    def _of(self, group: str) -> Bot | None:
        """Give the bot of a group: the one that hears it; before any has, the only one, or any that is connected."""
        if self._adapter is None:
            return None
        room = self.standing.rooms.get(group)
        app_id = room.bot if room is not None else next((bot for bot, up in self._up.items() if up), "")
        return self._adapter.bot_called(app_id) or self._adapter.bot_called(next(iter(self._up), ""))

    # — learning what no event tells —

    async def _met(self, bot: Bot, group: str) -> None:
        """Learn the state of a group that nothing is known of; what comes after its first event waits behind it."""
        room = self.standing.rooms.get(group)
        if group not in self._asking and (room is None or room.asked_at is None):
            self._ask(bot, group)
        if (asking := self._asking.get(group)) is not None:
            await asyncio.shield(asking)

    def _look_around(self, group: str, now: datetime) -> None:
        """Ask for a group's state by the way, when it was not asked for lately."""
        room = self.standing.rooms.get(group)
        asked = room.asked_at if room is not None else None
        after = timedelta(hours=self.config.qq_state_hours) if room is not None and room.told else ASK_AGAIN
        bot = self._of(group)
        if bot is None or not self._up.get(bot.self_id) or group in self._asking:
            return
        if asked is None or now - asked >= after * _patience(room):
            self._ask(bot, group)

    def _ask(self, bot: Bot, group: str) -> None:
        task = self._start(self.ask_state(bot, group))
        if task is not None:
            self._asking[group] = task
            task.add_done_callback(lambda _: self._asking.pop(group, None))

    async def _look_up(self, bot: Bot, group: str, openid: str) -> None:
        """Learn a newcomer's name, which the event does not tell."""
        line = table(await bot.call("GET", "v2", "groups", group, "members", openid))
        if line.get("member_openid") == openid and line.get("bot") is not True:
            self.standing.room(group, bot.self_id).seats.put(openid, seat_of(line))

    async def _find_home(self, bot: Bot, openid: str) -> None:
        """Look for somebody who whispers, and was not seen in any group yet, in the groups of the bot."""
        if self.standing.homes(openid) or self._earlier_home(openid):
            return
        groups = [
            native for native in self.standing.rooms if (self.standing.rooms.get(native) or _NOWHERE).there
        ]
        for group in groups[:_LOOKED_IN]:
            try:
                await self._look_up(bot, group, openid)
            except FAILURES:
                continue
            if self.standing.homes(openid):
                return

    def _learn_list(self, bot: Bot, group: str, lines: dict[str, dict[str, Any]]) -> None:
        room = self.standing.room(group, bot.self_id)
        self.standing.listed(group, {openid: seat_of(line) for openid, line in lines.items()})
        for line in lines.values():
            if union := word(line.get("union_openid")):
                self.memory.unions.put(union, word(line.get("member_openid")))
        mine = seat_of(lines.get(room.me, {}))
        if mine.role is not Role.UNKNOWN and not room.told:
            room.role = mine.role

    # — over a restart —

    async def _begin(self) -> None:
        """Take up what the process before this one knew, and write down what changes from now on."""
        try:
            await self.notes.recall(self.standing, self.clock.now())
        except GroupOpsError as error:
            logger.warning(
                "what was known of QQ's groups and people could not be read: {}", type(error).__name__
            )
        self._noting = asyncio.get_running_loop().create_task(self._take_notes())

    async def _take_notes(self) -> None:
        while True:
            await self.clock.sleep(NOTED_EVERY_S)
            await self._write_notes()

    async def _write_notes(self) -> None:
        try:
            await self.notes.write(self.standing, self.clock.now())
        except GroupOpsError as error:
            logger.warning("what is known of QQ's groups and people was not kept: {}", type(error).__name__)

    def _listed(self, line: dict[str, Any]) -> Listed:
        joined = word(line.get("joined_at"))
        now = self.clock.now()
        at = moment(joined, now) if joined else now
        return Listed(
            account=account(word(line.get("member_openid"))),
            name=word(line.get("username")),
            role=role_of(word(line.get("member_role"))),
            joined_at=at if at != now else None,
        )

    # — life —

    def _turn(self, bot: str, *, up: bool, note: str) -> None:
        if self._up.get(bot) != up or self._since is None:
            self._since = self.clock.now()
        self._up[bot] = up
        self._notes[bot] = note

    def _start(self, doing: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        try:
            task = asyncio.get_running_loop().create_task(doing)
        except RuntimeError:
            doing.close()  # asked from outside the bot's own process, where nothing is connected
            return None
        task.add_done_callback(self._tasks.discard)
        self._tasks.add(task)
        return task

    async def _stop(self) -> None:
        ending = [*self._tasks, *((self._noting,) if self._noting else ())]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await self._write_notes()


_OF_ROOMS = (GroupAddRobotEvent, GroupDelRobotEvent, GroupMsgReceiveEvent, GroupMsgRejectEvent)
_OF_PEOPLE = (FriendAddEvent, FriendDelEvent, C2CMsgReceiveEvent, C2CMsgRejectEvent)
_PRIVATE = frozenset({"direct_message", "send_image", "send_file", "send_card"})
_LOOKED_IN = 20
_NOWHERE = Room("", there=False)


def _patience(room: Room | None) -> int:
    """Give how many times longer a group is left alone whose state the platform does not tell."""
    return 30 if room is not None and not room.told and room.asked_at is not None else 1


def _some(groups: list[GroupId]) -> str:
    more = f" and {len(groups) - SHOWN} more" if len(groups) > SHOWN else ""
    return ", ".join(groups[:SHOWN]) + more


def _native(id_: str) -> str:
    platform, _, native = id_.partition(":")
    return native if platform == NAME else ""
