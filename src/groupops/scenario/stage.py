"""Where a scenario is played: groups, people and time on the make-believe platform, set up by what was said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

from groupops.actions import Capability
from groupops.calendar import WorkCalendar
from groupops.casebook import Casebook
from groupops.counters import MemoryCounters
from groupops.engine import Engine
from groupops.errors import ConfigError, GroupOpsError, ScenarioError, StoreError
from groupops.events import CommandGiven, Event, Media, MessagePosted
from groupops.flow import Outcome
from groupops.people import AccountId, GroupId, PersonLine, Role, Stage
from groupops.records import Case, OutboxState, Records
from groupops.scenario.refusing import RefusingRecords
from groupops.scenario.words import Moment
from groupops.settings import read_value
from groupops.shelf import Pack, nearest, parse_pack
from groupops.store.memory import MemoryRecords
from groupops.testing import MONDAY, Rig, rig

HOME = "本群"
"""What a scenario's group is called unless it says otherwise."""

PLATFORM = "sandbox"

ZONE = "Asia/Shanghai"

_PATIENCE = 0.005
"""Seconds given at once to a fact that waits for something real, such as a hook's time limit."""

_ROUNDS = 200
"""Rounds after which a story that never comes to rest is given up."""

_DEFAULT_CAST: Mapping[str, Role] = {
    "群主": Role.OWNER,
    "管理员甲": Role.ADMIN,
    "管理员乙": Role.ADMIN,
    "员工甲": Role.MEMBER,
    "员工乙": Role.MEMBER,
    "员工丙": Role.MEMBER,
}


class Unmet(Exception):
    """An outcome is otherwise than the scenario says; the text says how it is."""


class Missing(Unmet):
    """A step speaks of a case or a message, and there is none: the bot did not see what it would take."""


@dataclass(slots=True, kw_only=True)
class Actor:
    """Somebody in the scenario, as was said before anything happened.

    Args:
        name: what the scenario calls them; the native id of their accounts.
        role: what they are in the group.
        card: their name in the group.
        nick: their account's own name.
        roles: their roles in the organisation.
        department, company, position, region: where and as what they work.
        ref: the organisation's own number of them.
        real_name: their name on the roster; empty when they are not on it.
        steward: True when they may decide cases.
        there: True when they are in the group from the start.
        elsewhere: platforms on which they have another account, bound to the same person.
        friend: True when the bot may write to them where that takes a friendship.
    """

    name: str
    role: Role = Role.MEMBER
    card: str = ""
    nick: str = ""
    roles: frozenset[str] = frozenset()
    department: str = ""
    company: str = ""
    position: str = ""
    region: str = ""
    ref: str = ""
    real_name: str = ""
    steward: bool = False
    there: bool = True
    elsewhere: tuple[str, ...] = ()
    friend: bool = False

    @property
    def on_roster(self) -> bool:
        """True when the organisation knows the person."""
        said = (
            self.real_name,
            self.roles,
            self.department,
            self.company,
            self.position,
            self.region,
            self.ref,
        )
        return any(said) or bool(self.elsewhere)

    def line(self, accounts: Iterable[AccountId] = ()) -> PersonLine:
        """Give the line of the roster that names them, with these accounts."""
        return PersonLine(
            ref=self.ref,
            name=self.real_name or self.name,
            department=self.department,
            company=self.company,
            position=self.position,
            region=self.region,
            org_roles=self.roles,
            accounts=tuple(accounts),
        )


@dataclass(slots=True, kw_only=True)
class Place:
    """A group of the scenario.

    Args:
        name: what the scenario calls it.
        platform: where it is.
        native: its id there.
        packs: what is bound to it; empty: what is bound to the scenario's own group.
        bot_role: what the bot is there; None: what the profile says.
        bound: False for a group nobody bound.
        title: the name it has on the platform.
    """

    name: str
    platform: str = PLATFORM
    native: str
    packs: tuple[str, ...] = ()
    bot_role: Role | None = None
    bound: bool = True
    title: str = ""

    @property
    def id(self) -> GroupId:
        """The group's id."""
        return GroupId(f"{self.platform}:{self.native}")


@dataclass(slots=True, kw_only=True)
class Mark:
    """How far everything had come when the present block of steps began."""

    requests: Mapping[str, int] = field(default_factory=dict[str, int])
    case: int = 0
    ticket: int = 0
    audit: int = 0
    outcomes: int = 0


@dataclass(slots=True, kw_only=True)
class Setup:
    """What is said before anything happens.

    Args:
        folder: where the scenario's file lies; pack files are looked for there.
        packs: ids bound to the scenario's own group.
        more: packs that no shelf has.
        stage: how far they bite.
        start: when the story begins; None: 09:00 on Monday 3 March 2025.
        zone: the group's timezone (IANA name).
        effective: the day from which the packs apply.
        days: days that are worked, or not, whatever the calendar says.
        settings: key → text of the group's own settings.
        default_packs: what a group gets that nobody bound.
        extra: the plugins there are, by name.
        cast: who there is.
        elsewhere: who stands on the roster besides, without an account.
        places: the groups.
        wants: capabilities without which nothing is to happen.
        hook_timeout: seconds a plugin may think.
    """

    folder: Path
    packs: tuple[str, ...] = ()
    more: list[Pack] = field(default_factory=list[Pack])
    stage: Stage = Stage.ENFORCED
    start: Moment | None = None
    zone: str = ZONE
    effective: date | None = None
    days: dict[date, bool] = field(default_factory=dict[date, bool])
    settings: dict[str, str] = field(default_factory=dict[str, str])
    default_packs: tuple[str, ...] = ()
    extra: dict[str, ModuleType] = field(default_factory=dict[str, ModuleType])
    cast: dict[str, Actor] = field(default_factory=dict[str, Actor])
    elsewhere: list[Actor] = field(default_factory=list[Actor])
    places: dict[str, Place] = field(default_factory=dict[str, Place])
    wants: frozenset[str] = frozenset()
    hook_timeout: float = 5.0


def default_setup(folder: Path) -> Setup:
    """Give what a scenario begins with that says nothing: a group with an owner, two admins and three members."""
    cast = {
        name: Actor(name=name, role=role, steward=role is Role.ADMIN) for name, role in _DEFAULT_CAST.items()
    }
    home = Place(name=HOME, native="g1", title=HOME)
    return Setup(folder=folder, cast=cast, places={HOME: home})


class Stageplay:
    """One scenario on one profile, while it is played.

    Until something happens, what is said is only noted in `setup`; the engine is put together then, or when
    an outcome asks how loading went.

    Args:
        setup: what the story begins with.
        profile: what the platform is able to do.
        plugins: the plugins there are, by name.
    """

    def __init__(self, setup: Setup, profile: str, plugins: Mapping[str, ModuleType]) -> None:
        self.setup = setup
        self.setup.extra |= plugins
        self.profile = profile
        self.here = HOME
        self.load_error: GroupOpsError | None = None
        self.blind = False
        self.looked = 0
        self.mark = Mark()
        self.outcomes: list[Outcome] = []
        self.posted: list[MessagePosted] = []
        self.opened: list[str] = []
        self.refusing = RefusingRecords(MemoryRecords())
        self._rig: Rig | None = None
        self._platforms: dict[str, Any] = {}
        self._zone = ZoneInfo(ZONE)
        self._stack = AsyncExitStack()
        self._waiting: list[asyncio.Task[Outcome]] = []
        self._numbers = 0
        self._start = MONDAY

    # — putting it up —

    @property
    def open(self) -> bool:
        """True once the engine runs."""
        return self._rig is not None

    @property
    def rig(self) -> Rig:
        """The engine on its platform."""
        if self._rig is None:
            raise ScenarioError("nothing has happened yet")
        return self._rig

    @property
    def engine(self) -> Engine:
        """The engine."""
        return self.rig.engine

    @property
    def records(self) -> Records:
        """The record, as it is when the database answers."""
        return self.refusing.inner

    @property
    def casebook(self) -> Casebook:
        """The cases."""
        return self.engine.casebook

    def before(self) -> Setup:
        """Give the set-up while it may still be said.

        Raises:
            ScenarioError: something has happened already.
        """
        if self._rig is not None:
            raise ScenarioError("that must be said before anything happens; move it up to 假如")
        return self.setup

    async def ready(self) -> None:
        """See to it that the engine runs.

        Raises:
            GroupOpsError: a pack or setting is wrong; also kept in `load_error`.
        """
        if self._rig is not None:
            return
        if self.load_error is not None:
            raise self.load_error
        try:
            await self._put_up()
        except ConfigError as error:
            self.load_error = error
            raise

    async def close(self) -> None:
        """Take everything down."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)
        await self._stack.aclose()

    async def _put_up(self) -> None:
        setup = self.setup
        self._zone = ZoneInfo(setup.zone)
        if setup.start is not None:
            self._start = setup.start.after(MONDAY, MONDAY, self._zone)
        self._rig = await self._stack.enter_async_context(
            rig(
                packs=self._packs(),
                profile=self.profile,
                start=self._start,
                plugins=(),
                extra=setup.extra,
                records=self.refusing,  # pyright: ignore[reportArgumentType] - it hands everything on
                calendar=WorkCalendar(setup.days),
                stewards=[],
                groups=(),
                hook_timeout=setup.hook_timeout,
                default_packs=setup.default_packs,
            )
        )
        self._connect(PLATFORM, self._rig.sandbox)
        try:
            await self._fill()
        except ConfigError:
            self._rig = None
            raise
        self.blind = not setup.wants <= {str(one) for one in self.can()}
        self._rig.outcomes.clear()
        self.outcomes = self._rig.outcomes
        await self.set_mark()

    def _packs(self) -> list[Pack]:
        """Give the packs no shelf has; where a day was said, one that lets the bound ones apply from then."""
        setup = self.setup
        if setup.effective is None or not setup.packs:
            return setup.more
        first, *rest = setup.packs
        text = f'[pack]\nid = "{_DATED}"\ntitle = "{first}"\nextends = "{first}"\neffective = {setup.effective}\n'
        setup.packs = (_DATED, *rest)
        return [*setup.more, parse_pack(text, path="the scenario's effective date")]

    async def _fill(self) -> None:
        setup = self.setup
        for place in setup.places.values():
            self._build(place)
        for actor in setup.cast.values():
            await self._seat(actor)
        await self._enrol()
        for place in setup.places.values():
            if place.bound:
                await self._bind(place)
        for place in setup.places.values():
            census = self.platform(place).census(place.native)
            if place.bound and census is not None:
                await self.tell(census)
        await self.settle()

    def _build(self, place: Place) -> None:
        if place.platform not in self._platforms:
            sandbox = import_module("groupops_sandbox").Sandbox
            self._connect(place.platform, sandbox(self.rig.clock, profile=self.profile, name=place.platform))
        self.platform(place).group(place.native, name=place.title, bot_role=place.bot_role)

    def _connect(self, name: str, platform: Any) -> None:
        """Take a connection in, and note from now on which media are opened through it."""
        self._platforms[name] = self.engine.parts.platforms[name] = platform
        look = platform.open

        def note(media: Media, *, cap: int) -> AsyncIterator[bytes]:
            self.opened.append(media.id)
            found: AsyncIterator[bytes] = look(media, cap=cap)
            return found

        platform.open = note

    async def _seat(self, actor: Actor) -> None:
        places = [p for p in self.setup.places.values() if p.platform in (PLATFORM, *actor.elsewhere)]
        for place in places:
            if actor.there:
                self.platform(place).member(
                    place.native, actor.name, name=actor.nick, card=actor.card, role=actor.role
                )
            if actor.friend:
                self.platform(place).world.befriend(actor.name)
        if actor.steward:
            await self.engine.steward(AccountId(f"{PLATFORM}:{actor.name}"))

    async def _enrol(self) -> None:
        """Have the roster say who is who, before anybody is looked at."""
        lines = [
            actor.line(AccountId(f"{platform}:{actor.name}") for platform in (PLATFORM, *actor.elsewhere))
            for actor in self.setup.cast.values()
            if actor.on_roster
        ]
        lines += [actor.line() for actor in self.setup.elsewhere]
        if lines:
            await self.engine.people.enrol(lines, by="scenario")

    async def _bind(self, place: Place) -> None:
        owner = next((one.name for one in self.setup.cast.values() if one.role is Role.OWNER), "")
        await self.engine.bind_group(
            place.id,
            packs=place.packs or self.setup.packs,
            stage=self.setup.stage,
            name=place.title,
            timezone=self.setup.zone,
            owner=AccountId(f"{place.platform}:{owner}") if owner else None,
            author="scenario",
        )
        for key, text in self.setup.settings.items():
            await self.set(key, text, author="scenario", place=place)

    async def restart(self) -> None:
        """Stop the engine and start another one on the same record; what was only in memory is gone."""
        await self.ready()
        await self.engine.stop()
        parts = replace(self.engine.parts, counters=MemoryCounters(self.rig.clock))
        self.rig.engine = Engine.build(parts)
        await self.rig.engine.start()
        await self.rig.engine.recover()
        await self.settle()

    # — who and where —

    @property
    def place(self) -> Place:
        """The group of the present step."""
        found = self.setup.places.get(self.here)
        if found is None:
            raise ScenarioError(
                f"there is no group “{self.here}”{nearest(self.here, self.setup.places, every=True)}"
            )
        return found

    def platform(self, place: Place | None = None) -> Any:
        """Give the connection to a group's platform."""
        return self._platforms[(place or self.place).platform]

    @property
    def sandbox(self) -> Any:
        """The connection to the present group's platform."""
        return self.platform()

    @property
    def world(self) -> Any:
        """What is so on the present group's platform."""
        return self.sandbox.world

    @property
    def platforms(self) -> Sequence[Any]:
        """All connections."""
        return tuple(self._platforms.values())

    @property
    def native(self) -> str:
        """The present group's id on its platform."""
        return self.place.native

    def actor(self, name: str) -> Actor:
        """Give somebody by the name the scenario uses.

        Raises:
            ScenarioError: there is nobody of that name.
        """
        found = self.setup.cast.get(name)
        if found is None:
            raise ScenarioError(
                f"nobody is called “{name}”{nearest(name, self.setup.cast, every=True)}; "
                f"add them with: 假如 群里有 {name}"
            )
        return found

    def account(self, name: str) -> AccountId:
        """Give somebody's account on the present group's platform."""
        return AccountId(f"{self.place.platform}:{self.actor(name).name}")

    def called(self, account: AccountId | str) -> str:
        """Give what the scenario calls an account."""
        return str(account).partition(":")[2]

    def can(self) -> frozenset[Capability]:
        """Give what the platform is able to do in the present group now."""
        able: frozenset[Capability] = self.sandbox.can(self.place.id)
        return able

    # — time —

    @property
    def zone(self) -> ZoneInfo:
        """The group's timezone."""
        return self._zone

    @property
    def now(self) -> datetime:
        """The present moment in the group's timezone."""
        moment = self._rig.clock.now() if self._rig is not None else self._start
        return moment.astimezone(self._zone)

    def moment(self, said: Moment) -> datetime:
        """Give the moment meant by what was said."""
        return said.after(self.now, self._start, self._zone)

    async def go_to(self, said: Moment) -> None:
        """Let time run to a moment; before anything happened, the story begins there."""
        if self._rig is None:
            self.setup.start = said
            self._start = said.after(MONDAY, MONDAY, ZoneInfo(self.setup.zone))
            return
        moment = self.moment(said)
        if moment < self.now:
            raise ScenarioError(
                f"it is {self.now:%Y-%m-%d %H:%M:%S} already, and time only moves forwards: "
                f"{moment:%Y-%m-%d %H:%M:%S} is past"
            )
        await self.advance_to(moment)

    async def advance(self, span: timedelta) -> None:
        """Let time run for a while."""
        await self.ready()
        await self.advance_to(self.rig.clock.now() + span)

    async def advance_to(self, moment: datetime) -> None:
        """Let time run to a moment, stopping wherever something is due."""
        while (upcoming := await self._next_due(moment)) is not None:
            self.rig.clock.moment = upcoming
            await self._let_go_on()
            await self.settle()
        self.rig.clock.moment = max(moment, self.rig.clock.now())
        await self._let_go_on()
        await self.settle()

    async def _next_due(self, limit: datetime) -> datetime | None:
        waiting = await self.records.outbox(states=frozenset({OutboxState.WAITING}))
        moments = [row.not_before for row in waiting if row.not_before is not None]
        due = await self.records.next_due()
        sleeper = self.rig.clock.next_due
        moments += [moment for moment in (due, sleeper) if moment is not None]
        later = [moment for moment in moments if self.rig.clock.now() < moment <= limit]
        return min(later, default=None)

    # — facts —

    async def tell(self, event: Event) -> None:
        """Hand in a fact; where the database refuses, it is left to try again as time goes on."""
        task = asyncio.ensure_future(self.engine.flow.handle(event))
        self._waiting.append(task)
        await self._let_go_on()

    async def _let_go_on(self) -> None:
        """Let facts go on until they are finished or sleep on the stopped clock."""
        while pending := [task for task in self._waiting if not task.done()]:
            if self.rig.clock.next_due is not None:
                break
            await asyncio.wait(pending, timeout=_PATIENCE)
        done = [task for task in self._waiting if task.done()]
        self._waiting = [task for task in self._waiting if not task.done()]
        for task in done:
            error = task.exception()
            if error is not None and not isinstance(error, StoreError):
                raise error

    async def settle(self) -> None:
        """Let everything happen that is due at this moment."""
        for _ in range(_ROUNDS):
            told = [event for platform in self.platforms for event in platform.take()]
            for event in told:
                if isinstance(event, MessagePosted):
                    self.posted.append(event)
                await self.tell(event)
            moved = [await _unless_refused(job) for job in self._due_jobs()]
            if not (told or any(moved)):
                return
        raise ScenarioError(f"the story did not come to rest within {_ROUNDS} rounds")

    def _due_jobs(self) -> tuple[Awaitable[int], ...]:
        engine = self.engine
        return (engine.ticker.tick(), engine.outbox.pump(), engine.people.flush())

    def next_number(self) -> int:
        """Give a number that was not given before, for ids."""
        self._numbers += 1
        return self._numbers

    async def command(self, name: str, text: str) -> None:
        """Have somebody give a command: privately where a member is heard so, else as if on the console."""
        await self.ready()
        seated = self.account(name) in self.world.room(self.native).seats
        if seated and "command_given" in self.sandbox.hears(self.place.id):
            self.world.write_to_bot(self.native, self.actor(name).name, text)
        else:
            word, args = _parted(text)
            await self.tell(
                CommandGiven(
                    id=f"console:{self.next_number()}",
                    at=self.rig.clock.now(),
                    group_id=self.place.id,
                    source="console",
                    account=self.account(name),
                    name=word,
                    args=args,
                    private=True,
                )
            )
        await self.settle()

    async def set(self, key: str, text: str, *, author: str, place: Place | None = None) -> None:
        """Set one of the group's settings as somebody types it."""
        manifests = self.engine.resolver.manifests
        await self.engine.set((place or self.place).id, key, read_value(key, text, manifests), author=author)

    # — what came of it —

    async def set_mark(self) -> None:
        """Begin a block: outcomes that follow look at what happens from here on."""
        cases, tickets = await self.records.cases(), await self.records.tickets(open_only=False)
        self.mark = Mark(
            requests={one.name: len(one.world.requests) for one in self.platforms},
            case=max((case.id for case in cases), default=0),
            ticket=max((ticket.id for ticket in tickets), default=0),
            audit=len(await self.records.audit(limit=1_000_000)),
            outcomes=len(self.outcomes),
        )

    async def cases(self) -> tuple[Case, ...]:
        """Give the cases booked in this block."""
        return tuple(case for case in await self.records.cases() if case.id > self.mark.case)

    async def case(self) -> Case:
        """Give the case a step speaks of: the last one.

        Raises:
            Missing: there is none.
        """
        cases = await self.records.cases()
        if not cases:
            raise Missing("there is no case")
        return cases[-1]


_DATED = "from-that-day"


def _parted(text: str) -> tuple[str, tuple[str, ...]]:
    """Part what somebody types into the command's word and the rest; a colon may stand behind the word."""
    word, *args = text.removeprefix("/").split()
    head, colon, tail = word.replace("\uff1a", ":").partition(":")
    return head, (*((tail,) if colon and tail else ()), *args)


async def _unless_refused(job: Awaitable[int]) -> int:
    """Give what a job did; nothing while the database refuses."""
    try:
        return await job
    except StoreError:
        return 0
