"""The plugin behind the real hook door, with real tools, and nothing of the flow around it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import groupops_quiet_hours
from groupops.calendar import WorkCalendar
from groupops.clock import StoppedClock
from groupops.counters import Counters, MemoryCounters
from groupops.directory import PeopleBook
from groupops.events import Event, MessagePosted, TimeCame
from groupops.hooks import Hooks
from groupops.notebook import OwnNotebook
from groupops.people import AccountId, Group, GroupId, Member, Role, Stage
from groupops.plugin import Tools, texts_of
from groupops.store.memory import MemoryRecords
from groupops.testing import QuietLog
from groupops_quiet_hours.settings import QuietHours

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHT = {"start": "23:30", "end": "07:30"}
NAME = "quiet_hours"

CountersFor = Callable[[StoppedClock], Counters]


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    """A moment by the clocks of the group."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def member(account: str = "qq:1", role: Role = Role.MEMBER, **more: Any) -> Member:
    """A member who speaks."""
    return Member(account=AccountId(account), name="小张", role=role, **more)


@dataclass
class Desk:
    """Asks the plugin as a group's plan does."""

    settings: QuietHours
    counters_for: CountersFor = MemoryCounters
    calendar: WorkCalendar = field(default_factory=WorkCalendar)
    stage: Stage = Stage.ENFORCED
    timezone: str = "Asia/Shanghai"

    def __post_init__(self) -> None:
        self.hooks = Hooks()
        self.hooks.load(NAME, groupops_quiet_hours)
        self.log = QuietLog()
        self.clock = StoppedClock(at("2020-01-01T00:00"))
        counters = self.counters_for(self.clock)
        records = MemoryRecords()
        people = PeopleBook(
            records, self.clock, counters, self.calendar, lambda _: frozenset(), texts_of("groupops")
        )
        tools = Tools(
            clock=self.clock,
            counters=counters,
            people=people,
            cases=records,
            calendar=self.calendar,
            log=self.log,
            texts=texts_of("groupops_quiet_hours"),
            notes=OwnNotebook(records=records, owner=NAME, clock=self.clock),
        )
        self._constants: dict[str, Any] = {"settings": self.settings, "tools": tools, "own": None}
        self._numbers = count(1)
        group = Group(id=GroupId("qq:9"), timezone=self.timezone, stage=self.stage)
        self._constants["prepared"] = self._bind("prepare", group=group)(None, group, None)

    def _bind(self, hook: str, **more: Any) -> Callable[[Any, Any, Any], Any]:
        bound = self.hooks.bind(hook, NAME, {**self._constants, **more})
        assert bound is not None
        return bound.call

    async def say(
        self, when: datetime, text: str = "在吗", who: Member | None = None, group: str = "qq:9", **more: Any
    ) -> Any:
        """Have somebody post; gives the verdict."""
        who = who or member()
        if when > self.clock.now():
            self.clock.moment = when
        number = next(self._numbers)
        event = MessagePosted(
            id=f"e{number}", at=when, group_id=GroupId(group), account=who.account, message_id=f"m{number}",
            text=text, **more,
        )  # fmt: skip
        return await self._ask("judge", event, who)

    async def come(self, job: str, when: datetime, due: datetime | None = None, payload: str = "") -> Any:
        """Have a moment come; gives the actions."""
        event = TimeCame(
            id=f"t{next(self._numbers)}", at=when, group_id=GroupId("qq:9"), job=job, plugin=NAME,
            due_at=due or when, payload=payload,
        )  # fmt: skip
        return await self._ask("react", event, member())

    def quiet(self) -> Any:
        """Give what the plugin says of when the group rests."""
        return self._bind("quiet")(None, None, None)

    async def _ask(self, hook: str, event: Event, who: Member) -> Any:
        bound = self.hooks.bind(hook, NAME, self._constants)
        assert bound is not None
        group = Group(id=event.group_id, timezone=self.timezone, stage=self.stage)
        asked = await self.hooks.wait(self.hooks.ask((bound,), event, group, who))
        assert not asked.faults, self.hooks.faults
        return asked.answers[0].value if asked.answers else None


def desk(**settings: Any) -> Desk:
    """A desk with the usual night and whatever else is set."""
    return Desk(QuietHours.model_validate({"windows": [NIGHT], **settings}))
