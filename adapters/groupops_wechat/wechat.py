"""WeChat behind puppet services: the platform as the core has it, over however many accounts are logged in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qsl

from nonebot.drivers import Driver
from nonebot.log import logger
from typing_extensions import override

from groupops import (
    AccountId,
    Action,
    Capability,
    Clock,
    ConfigError,
    Event,
    GroupId,
    Health,
    Impossible,
    Listed,
    Media,
    MessagePosted,
    Pace,
    PlatformError,
    Rate,
    Receipt,
    Unreachable,
)
from groupops_wechat.adapter import Adapter as TheirAdapter
from groupops_wechat.bot import Bot, RoomMember
from groupops_wechat.clockwork import Clockwork
from groupops_wechat.config import Account
from groupops_wechat.event import DirtyEvent, GroupMessageEvent, MemberJoinedEvent, MemberLeftEvent
from groupops_wechat.event import Event as ToldEvent
from groupops_wechat.exception import ActionFailed, ApiNotAvailable, ConfigFault, NetworkError, Refused
from groupops_wechat.perform import perform
from groupops_wechat.read import OwnRoleEvent, Sight, account, read
from groupops_wechat.recent import Kept
from groupops_wechat.standing import AccountState, Place, Standing, place_of

NAME = "Wechaty"
PREPARED_WITHIN = 5.0
"""Seconds for what is looked up before an event is handled; it is handled without it then."""

REMEMBERED = 5_000
REMEMBERED_FOR = 24 * 3600.0
QUOTED = 300
"""Messages whose author and first words are remembered, for how many seconds, and how many characters of them."""

PACE = Pace(
    messages=Rate(every=timedelta(seconds=3), burst=3),
    group_messages=Rate(every=timedelta(seconds=2), burst=2),
    deeds=Rate(every=timedelta(seconds=2), burst=3),
    kinds={
        "direct_message": Rate(every=timedelta(seconds=6), burst=2),
        "remove_member": Rate(every=timedelta(seconds=10)),
        "announce": Rate(every=timedelta(seconds=60)),
    },
    jitter=0.5,
)
"""What a personal account may do without standing out: one to three seconds between messages, no mass of removals
(protocol sheet 3.7, experience)."""

_FAILURES = (ActionFailed, ApiNotAvailable, NetworkError, Refused)


class Adapter(TheirAdapter):
    """The adapter, with a host that is told of accounts and looks up what an event does not say.

    Args:
        driver: NoneBot's driver.
        host: who is told.
        clock: where time comes from.
    """

    @override
    def __init__(self, driver: Driver, *, host: WeChat, clock: Clockwork, **rest: Any) -> None:
        self._host = host
        super().__init__(driver, clock=clock, **rest)

    @override
    def opened(self, bot: Bot) -> None:
        super().opened(bot)
        self._host.opened(bot)

    @override
    def closed(self, bot: Bot | None, account: Account, note: str) -> None:
        super().closed(bot, account, note)
        self._host.closed(bot, account, note)

    @override
    def heard(self, account: Account) -> None:
        self._host.heard(account)

    @override
    async def prepare(self, bot: Bot, event: ToldEvent) -> None:
        await self._host.prepare(bot, event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One action on its way: the account that does it and what it knows (`perform.Hand`)."""

    platform: WeChat
    state: AccountState
    bot: Bot
    room: str
    can: frozenset[Capability]

    @property
    def place(self) -> Place:
        """The account in the room."""
        return place_of(self.state, self.room)

    def reach(self, contact: str) -> Bot | None:
        """Give a bot that can write to somebody alone."""
        found = self.platform.standing.reach(contact)
        return found.bot if found is not None else None

    def is_own(self, message_id: str) -> bool:
        """Say whether a message is the account's own."""
        said = self.platform.said.get((self.room, message_id))
        return said is not None and said[0] == account(self.state.self_id)

    def said(self, message_id: str, text: str) -> None:
        """Note a message of the account's own."""
        self.platform.remember(self.room, message_id, account(self.state.self_id), text)


class WeChat:
    """The platform `wechat` over puppet services; satisfies `groupops.Platform`, and says its pace and its health.

    Args:
        clock: where time comes from.
    """

    name = "wechat"
    adapter_name = NAME

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.standing = Standing()
        seconds = self._seconds
        self.said: Kept[tuple[str, str], tuple[AccountId, str]] = Kept(REMEMBERED_FOR, REMEMBERED, seconds)
        self._seen: Kept[str, str] = Kept(REMEMBERED_FOR, 20_000, seconds)
        self._adapter: Adapter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._notes: dict[str, str] = {}
        self._last_event_at: datetime | None = None

    def _seconds(self) -> float:
        return self.clock.now().timestamp()

    # — the port —

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        """Give what the account that acts in a group is able to do there now, in its role."""
        return self.standing.can(_native(group_id))

    def hears(self, group_id: GroupId) -> frozenset[str]:
        """Give the kinds of facts that arrive from a group now, those said to the account alone included."""
        return self.standing.hears(_native(group_id))

    async def perform(self, action: Action, *, key: str) -> Receipt:  # noqa: ARG002 - the protocol knows no keys
        """Do it by the account that is in the group; see `perform.perform`."""
        room = _native(action.group_id)
        state = self.standing.hand(room)
        if state is None:
            known = [one for one in self.standing.accounts.values() if one.bot is not None]
            if known and all(one.learnt for one in known):
                return Impossible(capability=action.needs)
            return Unreachable(why="no account is logged in")
        if state.bot is None:
            return Unreachable(why=state.note or "the account is not logged in")
        doing = Doing(platform=self, state=state, bot=state.bot, room=room, can=self.can(action.group_id))
        return await perform(action, doing)

    async def members(self, group_id: GroupId) -> tuple[tuple[Listed, ...], bool]:
        """List the members with their 群昵称, read anew; whole unless it came empty.

        Raises:
            PlatformError: no account is there, or the puppet does not say.
        """
        room = _native(group_id)
        state = self.standing.hand(room)
        if state is None or state.bot is None:
            raise PlatformError(f"no account that is logged in is in {group_id}")
        try:
            told = await state.bot.room(room, anew=True)
            members = await state.bot.members(room, anew=True)
        except _FAILURES as error:
            raise PlatformError(f"the members of {group_id} could not be read: {error!r:.200}") from error
        place = place_of(state, room)
        before = place.role
        place.learn(told, state.self_id)
        place.members = {one.id for one in members}
        if place.role is not before:
            self._start(self._tell_role(state.bot, room, place))
        listed = tuple(_listed(one, place) for one in members)
        return listed, bool(listed)

    async def open(self, media: Media, *, cap: int) -> AsyncIterator[bytes]:
        """Stream a picture, a voice or a file; raises `PlatformError` beyond `cap` bytes."""
        handle = dict(parse_qsl(media.id))
        state = self.standing.accounts.get(handle.get("bot", ""))
        message_id = handle.get("message", "")
        if state is None or state.bot is None or not message_id:
            raise PlatformError(f"no account that is logged in knows the medium {media.id[:80]!r}")
        try:
            async for chunk in state.bot.media(message_id, cap=cap):
                yield chunk
        except (*_FAILURES, ValueError) as error:
            raise PlatformError(f"the medium could not be read: {error!r:.200}") from error

    def direct(self, account: AccountId) -> bool:
        """Say whether that account can be written to privately now: a friend of an account that is logged in."""
        return account.startswith("wechat:") and self.standing.reach(_native(account)) is not None

    # — what it offers besides —

    def pace(self) -> Pace:
        """Give the pace of a personal account."""
        return PACE

    def attends(self, group_id: GroupId) -> bool:
        """Say whether the account that acts in a group is logged in now; True where it is known that there is none."""
        state = self.standing.hand(_native(group_id))
        if state is not None:
            return state.bot is not None
        return all(one.learnt for one in self.standing.accounts.values()) and bool(self.standing.accounts)

    def me(self, group_id: GroupId) -> AccountId | None:
        """Give the account's own id in a group."""
        state = self.standing.hand(_native(group_id))
        return account(state.self_id) if state is not None else None

    def health(self) -> Health:
        """Give how the connections are."""
        states = list(self.standing.accounts.values())
        since = [state.since for state in states if state.since is not None]
        notes = [f"{where}: {note}" for where, note in sorted(self._notes.items()) if note]
        ready = bool(states) and all(state.bot is not None and state.learnt for state in states)
        return Health(
            connected=ready and not notes,
            since=max(since, default=None),
            last_event_at=self._last_event_at,
            note="; ".join(notes),
            bots={account(state.self_id): state.bot is not None for state in states},
        )

    # — behind NoneBot —

    def attach(self, driver: Any) -> None:
        """Register the adapter.

        Raises:
            ConfigError: its configuration does not hold.
        """
        clockwork = Clockwork(now=self._seconds, sleep=self.clock.sleep)
        try:
            driver.register_adapter(Adapter, host=self, clock=clockwork)
        except ConfigFault as fault:
            raise ConfigError("\n".join(fault.faults)) from fault
        driver.on_shutdown(self._stop)
        adapters = cast("dict[str, Any]", driver._adapters)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - NoneBot has no other way to give it back
        made: Adapter = adapters[NAME]
        self._adapter = made
        if not made.wechaty.wechaty_accounts:
            raise ConfigError(
                'WECHATY_ACCOUNTS names no puppet service; write [{"endpoint":"127.0.0.1:8788","token":"…"}], '
                'or take "wechat" out of GROUPOPS_ADAPTERS'
            )

    def enter_by(self, enter: Callable[[Any, Any], Awaitable[None]]) -> None:
        """Hand every event to `enter`."""
        assert self._adapter is not None  # noqa: S101 - told after `attach`
        self._adapter.enter = enter

    def read(self, bot: Any, event: Any) -> Sequence[Event] | None:
        """Read one of the adapter's events, and remember what it says of who is where."""
        state = self.standing.account(str(bot.self_id))
        self._learn(state, event)
        facts = read(event, self._sight(state, bot, event))
        for fact in facts:
            if isinstance(fact, MessagePosted):
                self.remember(_native(fact.group_id), fact.message_id, fact.account, fact.text)
        return facts or None

    def opened(self, bot: Bot) -> None:
        """An account can act: learn in what rooms it is, in what role, and whom it can write to."""
        state = self.standing.account(bot.self_id)
        state.bot, state.note, state.since = bot, "", self.clock.now()
        self._notes.pop(bot.account.endpoint, None)
        self._start(self._settle_in(bot, state))

    def closed(self, bot: Bot | None, account: Account, note: str) -> None:
        """An account cannot act; where it was and in what role stays known."""
        self._notes[account.endpoint] = note
        if bot is None:
            return
        state = self.standing.account(bot.self_id)
        if state.bot is bot:
            state.bot, state.note, state.since = None, note, self.clock.now()

    def heard(self, _: Account) -> None:
        """Something came from a service."""
        self._last_event_at = self.clock.now()

    async def prepare(self, bot: Bot, event: ToldEvent) -> None:
        """Look up what people are called who speak or come in: the event does not tell."""
        wanted = _people_of(event)
        if not wanted:
            return
        room = str(getattr(event, "room_id", ""))
        try:
            async with asyncio.timeout(PREPARED_WITHIN):
                for contact in wanted:
                    await bot.member(room, contact)
        except (TimeoutError, *_FAILURES) as error:
            logger.debug("an event is handled without who it is about: {}", type(error).__name__)

    def remember(self, room: str, message_id: str, author: AccountId, text: str) -> None:
        """Remember who wrote a message."""
        if message_id:
            self.said.put((room, message_id), (author, text[:QUOTED]))

    async def settled(self) -> None:
        """Wait until what was begun when accounts came is done."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # — learning —

    def _sight(self, state: AccountState, bot: Bot, event: ToldEvent) -> Sight:
        room = str(getattr(event, "room_id", ""))
        alone = len(self.standing.accounts) < 2  # noqa: PLR2004 - one account needs no name
        return Sight(
            me=state.self_id,
            now=self.clock.now(),
            source="bot" if alone else f"bot:{state.self_id}",
            place=state.places.get(room),
            home=self._home,
            member=lambda contact: bot.known_member(room, contact),
            authors=lambda message_id: self.said.get((room, message_id)) or (None, ""),
        )

    def _home(self, contact: str) -> str:
        """Give the room for what a contact says alone: where it spoke last, else where it is known."""
        homes = self.standing.homes(contact)
        seen = self._seen.get(contact)
        if seen in homes:
            return seen or ""
        return homes[0] if homes else ""

    def _learn(self, state: AccountState, event: ToldEvent) -> None:
        match event:
            case GroupMessageEvent():
                place_of(state, event.room_id).members.add(event.user_id)
                self._seen.put(event.user_id, event.room_id)
            case MemberJoinedEvent() if event.user_id == state.self_id and state.bot is not None:
                self._start(self._look(state.bot, state, event.room_id))
            case MemberJoinedEvent():
                place_of(state, event.room_id).members.add(event.user_id)
            case MemberLeftEvent() if event.user_id == state.self_id:
                state.places.pop(event.room_id, None)
            case MemberLeftEvent():
                place_of(state, event.room_id).members.discard(event.user_id)
            case DirtyEvent() if event.what == "room" and state.bot is not None:
                self._start(self._look(state.bot, state, event.about))
            case DirtyEvent() if event.what == "contact" and state.bot is not None:
                self._start(self._befriend(state.bot, state, event.about))
            case _:
                pass

    async def _settle_in(self, bot: Bot, state: AccountState) -> None:
        """Learn the rooms first, then the friends; what is not answered is learnt when it is heard of."""
        try:
            rooms = await bot.rooms()
            state.places = {room: place_of(state, room) for room in rooms}
            for room in rooms:
                await self._look(bot, state, room)
            contacts = (await bot.ask("ContactList")).ids
            await asyncio.gather(*(self._befriend(bot, state, str(one)) for one in contacts))
        except _FAILURES as error:
            logger.warning("WeChat account {} did not tell where it is: {}", state.self_id, error)
        finally:
            state.learnt = state.learnt or state.bot is bot

    async def _look(self, bot: Bot, state: AccountState, room: str) -> None:
        """Learn who is in a room, and the account's own role."""
        place = place_of(state, room)
        before = place.role
        try:
            place.learn(await bot.room(room, anew=True), bot.self_id)
        except _FAILURES as error:
            logger.debug("a room of WeChat account {} was not told: {}", state.self_id, error)
            return
        if before.value != "unknown" and place.role is not before:
            await self._tell_role(bot, room, place)

    async def _befriend(self, bot: Bot, state: AccountState, contact: str) -> None:
        try:
            friend = await bot.is_friend(contact)
        except _FAILURES:
            return
        if friend and contact != state.self_id:
            state.friends.add(contact)
        else:
            state.friends.discard(contact)

    async def _tell_role(self, bot: Bot, room: str, place: Place) -> None:
        """Say that the account's role is another than it was."""
        now = self._seconds()
        event = OwnRoleEvent(
            self_id=bot.self_id,
            event_id=f"role/{room}/{place.role.value}/{now:.3f}",
            moment=now,
            room_id=room,
            role=place.role.value,
        )
        await bot.handle_event(event)

    # — tasks —

    def _start(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _people_of(event: ToldEvent) -> tuple[str, ...]:
    match event:
        case GroupMessageEvent():
            return tuple(dict.fromkeys((event.user_id, *event.mentions)))
        case MemberJoinedEvent():
            return (event.user_id,)
        case _:
            return ()


def _native(id_: str) -> str:
    return id_.partition(":")[2]


def _listed(member: RoomMember, place: Place) -> Listed:
    return Listed(
        account=account(member.id), name=member.name, card=member.alias, role=place.role_of(member.id)
    )
