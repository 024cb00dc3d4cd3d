"""QQ over OneBot v11: the platform as the core has it, over however many bots are connected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from nonebot.adapters.onebot.v11 import ActionFailed, ApiNotAvailable, GroupIncreaseNoticeEvent, NetworkError
from nonebot.adapters.onebot.v11 import Event as OneBotEvent
from nonebot.log import logger

from groupops import (
    HISTORY,
    PERSONAL_PACE,
    AccountId,
    Action,
    Capability,
    Clock,
    Event,
    File,
    GroupId,
    Health,
    Impossible,
    JoinRequested,
    Listed,
    Media,
    MemberLeft,
    MessagePosted,
    Pace,
    PlatformError,
    Receipt,
    RedPacketSent,
    Role,
    Unreachable,
)
from groupops_onebot.adapter import STOP_WITHIN, Adapter
from groupops_onebot.answers import is_missing
from groupops_onebot.bot import Bot
from groupops_onebot.config import Config
from groupops_onebot.door import door_now
from groupops_onebot.ends import End, end_called
from groupops_onebot.events import GroupMessageEvent, OwnRoleEvent
from groupops_onebot.frames import NAME, event_of
from groupops_onebot.gaps import Gaps, missed
from groupops_onebot.media import handle_of, opened
from groupops_onebot.memory import Memory, Said
from groupops_onebot.perform import perform
from groupops_onebot.read import Facts, Sight, read, role_of
from groupops_onebot.segments import account
from groupops_onebot.shapes import is_number, table, tables, whole, word
from groupops_onebot.standing import BotState, Room, Standing, listed, own_line, room_of

LEARNS_WITHIN = timedelta(seconds=45)
"""How long a bot that is new may take to say in what groups and roles it is; later that is taken for all there is."""

ASK_AGAIN = timedelta(minutes=5)
"""How long a role that an end did not tell is not asked for again."""

NAME_WITHIN_S = 3.0
"""Seconds an end may take to say what a newcomer is called; the joining is told without a name then."""

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_NO_BOT = Unreachable(why="no bot is connected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One action on its way: the bot that does it and what it knows (`perform.Hand`)."""

    platform: OneBot
    state: BotState
    group: str
    can: frozenset[Capability]

    @property
    def bot(self) -> str:
        """The bot's own number."""
        return self.state.self_id

    @property
    def end(self) -> End:
        """The program behind its socket."""
        return self.state.end

    async def call(self, api: str, **params: Any) -> Any:
        """Call the end; one that does not have a call is not asked for it again."""
        return await self.platform.call(self.state, api, **params)

    def name(self, native: str) -> str | None:
        """Give what somebody known to be in the group is called."""
        room = self.state.rooms.get(self.group)
        return room.members.get(native) if room is not None else None

    def ways(self, native: str) -> tuple[str, ...]:
        """Give the groups by which an account can be written to; an empty text is no group, for a friend."""
        if native in self.state.friends:
            return ("",)
        rooms = self.state.rooms
        shared = [group for group, room in rooms.items() if native in room.members and group != self.group]
        here = [self.group] if self.name(native) is not None else []
        return tuple([*here, *shared][:_WAYS])

    def closed(self, native: str) -> None:
        """Note that an account could not be written to."""
        self.state.closed.put(native, self.platform.clock.now())

    def is_own(self, message_id: str) -> bool:
        """Say whether a message is the bot's own."""
        said = self.platform.memory.messages.get((self.group, message_id))
        return said is not None and said.account == account(self.bot)

    def said(self, message_id: str, text: str) -> None:
        """Note a message of the bot's own."""
        self.platform.memory.keep(self.group, message_id, Said(account(self.bot), text, self.bot))

    def leaving(self, native: str) -> AbstractContextManager[Callable[[], Awaitable[bool]]]:
        """Listen for the end to tell that an account has left the group; gives what waits for it, for a moment."""
        return self.platform.leaving(self.group, native)


_WAYS = 3


class OneBot:
    """The platform `qq` over OneBot v11; satisfies `groupops.Platform`, and says its pace and its health.

    Args:
        clock: where time comes from.
    """

    name = "qq"
    adapter_name = NAME

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.config = Config()
        self.memory = Memory()
        self.gaps = Gaps()
        self._learnt: set[str] = set()
        self._packet_texts: frozenset[str] = frozenset()
        self.standing = Standing()
        self._adapter: Adapter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: dict[tuple[str, str], asyncio.Event] = {}
        self._learning: set[tuple[str, str]] = set()

    # — the port —

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        """Give what the bot that acts in a group is able to do there now, in its role and while it may speak."""
        return self.standing.can(_native(group_id), self.clock.now())

    def hears(self, group_id: GroupId) -> frozenset[str]:
        """Give the kinds of facts that arrive from a group now, those said to the bot alone included."""
        return self.standing.hears(_native(group_id))

    async def perform(self, action: Action, *, key: str) -> Receipt:  # noqa: ARG002 - OneBot knows no keys
        """Do it by the bot that is in the group; see `perform.perform`."""
        group = _native(action.group_id)
        state = self._by(action, group)
        if state is None:
            knows = self._any_alive() and not self._is_learning()
            return Impossible(capability=action.needs) if knows else _NO_BOT
        if not state.alive:
            return Unreachable(why=state.note or "the bot is not connected")
        doing = Doing(platform=self, state=state, group=group, can=self.can(action.group_id))
        return await perform(action, doing)

    async def members(self, group_id: GroupId) -> tuple[tuple[Listed, ...], bool]:
        """List the members, robots left out; whole if it is as long as the end says that the group is.

        Raises:
            PlatformError: no bot is there, or the end does not say.
        """
        group = _native(group_id)
        state = self.standing.hand(group)
        if state is None or not state.alive:
            raise PlatformError(f"no bot that is connected is in {group_id}")
        try:
            lines, known = await self._list(state, group)
        except (ActionFailed, NetworkError, ApiNotAvailable) as error:
            raise PlatformError(f"the members of {group_id} could not be read: {error!r:.200}") from error
        if not lines:
            raise PlatformError(f"the member list of {group_id} came empty")
        self._learn_list(state, group, lines)
        people = tuple(_listed(line) for line in lines if line.get("is_robot") is not True)
        return people, known is None or len(lines) >= known

    async def open(self, media: Media, *, cap: int) -> AsyncIterator[bytes]:
        """Stream a picture, a voice or a file; raises `PlatformError` beyond `cap` bytes."""
        state = self.standing.bots.get(handle_of(media).get("bot", ""))
        if state is None:
            raise PlatformError(f"no bot knows the medium {media.id[:80]!r}")

        async def ask(api: str, **params: Any) -> Any:
            return await self.call(state, api, **params)

        hosts = frozenset(host.lower() for host in self.config.onebot_media_hosts)
        async for chunk in opened(media, cap=cap, hosts=hosts, ask=ask):
            yield chunk

    def direct(self, account: AccountId) -> bool:
        """Say whether that account can be written to privately now: a friend, or by a group both are in."""
        native = _native(account)
        return account.startswith("qq:") and self.standing.reaches(native, self.clock.now())

    # — what it offers besides —

    def pace(self) -> Pace:
        """Give the pace of a personal account."""
        return PERSONAL_PACE

    def attends(self, group_id: GroupId) -> bool:
        """Say whether the bot that acts in a group is connected; where no bot is, once they all are known."""
        state = self.standing.hand(_native(group_id))
        return state.alive if state is not None else self._any_alive() and not self._is_learning()

    def resume(self, heard: Mapping[GroupId, datetime]) -> None:
        """Take up until when the process before this one heard each group; it is read on when a bot is there."""
        self.gaps.resume({_native(group): at for group, at in heard.items()})

    def behind(self) -> Mapping[GroupId, datetime]:
        """Give the groups of which something that was said is still to be read, and since when."""
        rooms = {self_id: state.rooms for self_id, state in self.standing.bots.items()}
        return {GroupId(f"qq:{group}"): since for group, since in self.gaps.behind(rooms).items()}

    def health(self) -> Health:
        """Give how the connections are."""
        states = list(self.standing.bots.values())
        moments = [state.last_event_at for state in states if state.last_event_at is not None]
        since = [state.since for state in states if state.since is not None]
        notes = [f"{state.self_id}: {state.note}" for state in states if state.note]
        return Health(
            connected=bool(states) and all(state.alive for state in states) and not self._is_learning(),
            since=max(since, default=None),
            last_event_at=max(moments, default=None),
            note="; ".join(notes),
            bots={account(state.self_id): state.alive for state in states},
        )

    # — behind NoneBot —

    def attach(self, driver: Any) -> None:
        """Register the adapter.

        Raises:
            ConfigError: its door would stand open; see `door`.
        """
        self.config = door_now().config
        self._packet_texts = frozenset(self.config.onebot_red_packet_texts)
        self.standing.packets_by_text = bool(self._packet_texts)
        driver.register_adapter(Adapter, host=self, clock=self.clock)
        driver.on_shutdown(self._stop)
        adapters = cast("dict[str, Any]", driver._adapters)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - NoneBot has no other way to give it back
        self._adapter = adapters[NAME]

    def enter_by(self, enter: Callable[[Any, Any], Awaitable[None]]) -> None:
        """Hand every event to `enter`."""
        assert self._adapter is not None  # noqa: S101 - told after `attach`
        self._adapter.enter = enter

    def read(self, bot: Any, event: Any) -> Sequence[Event] | None:
        """Read one of the adapter's events, and remember what it says of the bot and of who is where."""
        now, self_id = self.clock.now(), str(bot.self_id)
        group = word(getattr(event, "group_id", ""))
        self.standing.take(self_id, event, now)
        history = isinstance(event, GroupMessageEvent) and event.from_history
        facts = read(event, self._sight(self_id, group, now, history=history))
        self._remember(self_id, group, facts, now)
        self._look_around(bot, group, now)
        return facts or None

    def came(self, bot: Bot) -> None:
        """A bot is connected: learn behind what end it is, in what groups, and what it missed."""
        state = self.standing.bot(bot.self_id)
        state.turn(self.clock.now(), connected=True, online=True)
        self._start(self._settle_in(bot, state))

    def went(self, self_id: str) -> None:
        """A bot is no longer connected; where it was and in what role stays known."""
        state = self.standing.bot(self_id)
        state.turn(self.clock.now(), connected=False)
        if state.last_event_at is not None:
            self.gaps.open(self_id, state.last_event_at)

    def heard(self, self_id: str, event: OneBotEvent) -> None:
        """Something came from a bot; heartbeats and the like are of no interest to anybody else."""
        state, now = self.standing.bot(self_id), self.clock.now()
        state.last_event_at = now
        if event.post_type == "meta_event":
            self.standing.take(self_id, event, now)

    async def prepare(self, bot: Bot, event: OneBotEvent) -> None:
        """Look up what a newcomer is called, who has said nothing yet: the notice does not tell."""
        if not isinstance(event, GroupIncreaseNoticeEvent) or str(event.user_id) == bot.self_id:
            return
        state = self.standing.bot(bot.self_id)
        room = room_of(state, event.group_id)
        if room.members.get(str(event.user_id)):
            return
        asked = {"group_id": event.group_id, "user_id": event.user_id, "no_cache": False}
        line = table(await self._quietly(state, "get_group_member_info", **asked, _timeout=NAME_WITHIN_S))
        room.members[str(event.user_id)] = word(line.get("card")) or word(line.get("nickname"))

    async def call(self, state: BotState, api: str, **params: Any) -> Any:
        """Call a bot's end; what it says it does not have is taken from what the bot is able to do."""
        bot = self._adapter.bots.get(state.self_id) if self._adapter is not None else None
        if bot is None:
            raise ApiNotAvailable
        try:
            return await bot.call_api(api, **params)
        except ActionFailed as error:
            if is_missing(error):
                state.missing.add(api)
            raise

    @contextmanager
    def leaving(self, group: str, native: str) -> Generator[Callable[[], Awaitable[bool]]]:
        """Listen from now on for an account to leave a group: the notice may come with the answer to the call.

        Gives what waits for it, for a moment.
        """
        left = self._leaving.setdefault((group, native), asyncio.Event())

        async def wait() -> bool:
            try:
                await asyncio.wait_for(left.wait(), self.config.onebot_confirm_seconds)
            except TimeoutError:
                return False
            return True

        try:
            yield wait
        finally:
            self._leaving.pop((group, native), None)

    async def settled(self) -> None:
        """Wait until what was begun when bots came is done."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # — reading —

    def _sight(self, self_id: str, group: str, now: datetime, *, history: bool) -> Sight:
        source = HISTORY if history else "bot"
        room = self.standing.bot(self_id).rooms.get(group)
        return Sight(
            bot=self_id,
            now=now,
            memory=self.memory,
            source=source if self.config.alone else f"{source}:{self_id}",
            late=history,
            role=room.role if room is not None else Role.UNKNOWN,
            home=self._home,
            called=lambda native: room.members.get(native, "") if room is not None else "",
            packet_texts=self._packet_texts,
        )

    def _home(self, native: str) -> str:
        """Give the group for what an account says to the bot alone: where it spoke last, else where it is known."""
        seen = self.memory.seen.get(native)
        homes = self.standing.homes(native)
        if seen in homes:
            return seen or ""
        return homes[0] if homes else ""

    def _remember(self, self_id: str, group: str, facts: Facts, now: datetime) -> None:
        for fact in facts:
            match fact:
                case MessagePosted():
                    self._keep(self_id, group, fact, now)
                case RedPacketSent():
                    self.memory.packets.put(group, now)
                case MemberLeft() if (left := self._leaving.get((group, _native(fact.account)))) is not None:
                    left.set()
                case JoinRequested():
                    self.memory.requests.put((group, fact.request_id), self_id)
                case _:
                    pass

    def _keep(self, self_id: str, group: str, fact: MessagePosted, now: datetime) -> None:
        self.memory.keep(group, fact.message_id, Said(fact.account, fact.text, self_id))
        native = _native(fact.account)
        if native:
            self.memory.seen.put(native, group)
        for part in fact.segments:
            if isinstance(part, File):
                self.memory.files.put((group, native, part.name, part.media.size), now)

    # — who does it —

    def _by(self, action: Action, group: str) -> BotState | None:
        """Give the bot for an action: the one that heard the message or the request, else the one of the group."""
        heard = ""
        message_id, request_id = getattr(action, "message_id", ""), getattr(action, "request_id", "")
        if message_id and (said := self.memory.messages.get((group, message_id))) is not None:
            heard = said.bot
        elif request_id:
            heard = self.memory.requests.get((group, request_id)) or ""
        state = self.standing.bots.get(heard)
        return state if state is not None and group in state.rooms else self.standing.hand(group)

    def _any_alive(self) -> bool:
        return any(state.alive for state in self.standing.bots.values())

    # — learning what no event tells —

    async def _settle_in(self, bot: Bot, state: BotState) -> None:
        state.missing.clear()
        version = table(await self._quietly(state, "get_version_info"))
        state.end = end_called(word(version.get("app_name")))
        logger.info("bot {} is on {} {}", bot.self_id, state.end.title, word(version.get("app_version")))
        friends = tables(await self._quietly(state, "get_friend_list"))
        state.friends = {word(friend.get("user_id")) for friend in friends} - {"", bot.self_id}
        groups = tables(await self._quietly(state, "get_group_list", no_cache=False))
        numbers = [number for group in groups if is_number(number := word(group.get("group_id")))]
        if groups:
            state.rooms = {number: room_of(state, number) for number in numbers}
        for number in numbers:
            await self._look(bot, state, number)
        if groups or self._is_there(bot):
            self._learnt.add(state.self_id)
        await self._catch_up(bot, state, numbers)

    def _is_there(self, bot: Bot) -> bool:
        return self._adapter is not None and self._adapter.bots.get(bot.self_id) is bot

    def _is_learning(self) -> bool:
        """Say whether some bot has come for the first time and is not known yet: what it can do will show in moments.

        What waited over a restart comes just then, and must not be given up as impossible.
        """
        since = self.clock.now() - LEARNS_WITHIN
        return any(
            state.alive and state.self_id not in self._learnt and (state.since or _LONG_AGO) > since
            for state in self.standing.bots.values()
        )

    def _look_around(self, bot: Any, group: str, now: datetime) -> None:
        """Learn a bot's role in a group it is heard from for the first time."""
        state = self.standing.bot(str(bot.self_id))
        room = state.rooms.get(group)
        place = (state.self_id, group)
        if room is None or room.role is not Role.UNKNOWN or place in self._learning or not state.connected:
            return
        if now - (room.asked_at or _LONG_AGO) < ASK_AGAIN:
            return
        room.asked_at = now
        self._learning.add(place)
        self._start(self._look(bot, state, group))

    async def _look(self, bot: Bot, state: BotState, group: str) -> None:
        """Learn a bot's own role in a group, and who else is in it."""
        room, place = room_of(state, group), (state.self_id, group)
        self._learning.add(place)
        try:
            before = room.role
            line = await self._quietly(
                state, "get_group_member_info", group_id=int(group), user_id=int(bot.self_id), no_cache=True
            )
            own_line(room, table(line), self.clock.now())
            lines = tables(
                await self._quietly(state, "get_group_member_list", group_id=int(group), no_cache=False)
            )
            if lines:
                listed(room, lines)
            if before not in {Role.UNKNOWN, room.role}:
                await self._tell_role(bot, group, room)
        finally:
            self._learning.discard(place)

    async def _tell_role(self, bot: Bot, group: str, room: Room) -> None:
        """Say that the bot's role is another than it was."""
        event = OwnRoleEvent(
            time=int(self.clock.now().timestamp()),
            self_id=int(bot.self_id),
            post_type="notice",
            group_id=int(group),
            user_id=int(bot.self_id),
            role=room.role.value,
        )
        await bot.handle_event(event)

    async def _catch_up(self, bot: Bot, state: BotState, groups: Sequence[str]) -> None:
        """Have what was said while the bot was away; what is not answered is asked for at the next connection."""
        gap, now = self.gaps.of(state.self_id), self.clock.now()
        read: list[bool] = []
        for group in groups:
            since = self.gaps.since(state.self_id, group, now)
            if since is None:
                continue
            read.append(not _has_history(state) or await self._read_history(bot, state, group, since))
            if read[-1] or not _has_history(state):
                self.gaps.read(group)
        if gap is not None and groups and (all(read) or not _has_history(state)):
            self.gaps.close(state.self_id, gap)

    async def _read_history(self, bot: Bot, state: BotState, group: str, since: datetime) -> bool:
        """Hand on what was said in a group and not heard; gives whether the end answered."""

        async def ask(count: int) -> Any:
            return await self._quietly(
                state,
                _HISTORY,
                group_id=int(group),
                message_seq=0,
                count=count,
                reverse_order=False,
            )

        found = await missed(ask, since, lambda id_: self.memory.messages.get((group, id_)) is not None)
        for message in found or ():
            event = event_of(_as_frame(message, bot.self_id, group))
            if isinstance(event, GroupMessageEvent):
                event.from_history = True
                await bot.handle_event(event)
        return found is not None

    async def _quietly(self, state: BotState, api: str, **params: Any) -> Any:
        """Ask what would be good to know; without an answer there is nothing known."""
        try:
            return await self.call(state, api, **params)
        except (ActionFailed, NetworkError, ApiNotAvailable) as error:
            logger.warning("{} of bot {} was not answered: {}", api, state.self_id, type(error).__name__)
            return None

    async def _list(self, state: BotState, group: str) -> tuple[list[dict[str, Any]], int | None]:
        found = await self.call(state, "get_group_member_list", group_id=int(group), no_cache=True)
        info = table(await self._quietly(state, "get_group_info", group_id=int(group), no_cache=True))
        lines = {number: line for line in tables(found) if is_number(number := word(line.get("user_id")))}
        return list(lines.values()), whole(info.get("member_count"))

    def _learn_list(self, state: BotState, group: str, lines: list[dict[str, Any]]) -> None:
        room = room_of(state, group)
        listed(room, lines)
        mine = next((line for line in lines if word(line.get("user_id")) == state.self_id), None)
        if mine is None:
            return
        before = room.role
        own_line(room, mine, self.clock.now())
        bot = self._adapter.bots.get(state.self_id) if self._adapter is not None else None
        if before not in {Role.UNKNOWN, room.role} and isinstance(bot, Bot):
            self._start(self._tell_role(bot, group, room))

    # — tasks —

    def _start(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_WITHIN)


def _native(id_: str) -> str:
    return id_.partition(":")[2]


def _has_history(state: BotState) -> bool:
    return state.end.history and _HISTORY not in state.missing


_HISTORY = "get_group_msg_history"


def _listed(line: Mapping[str, Any]) -> Listed:
    joined = whole(line.get("join_time"))
    return Listed(
        account=account(word(line.get("user_id"))),
        name=word(line.get("nickname")),
        card=word(line.get("card")),
        role=role_of(line.get("role")),
        joined_at=datetime.fromtimestamp(joined, UTC) if joined and joined <= _LAST else None,
    )


_LAST = 4_102_444_800  # 2100-01-01


def _as_frame(message: Mapping[str, Any], self_id: str, group: str) -> dict[str, Any]:
    """Give a message of a history in the shape of one that comes in."""
    kind = {"post_type": "message", "message_type": "group", "sub_type": "normal"}
    return {**message, **kind, "self_id": int(self_id), "group_id": int(group)}
