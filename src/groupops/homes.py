"""Where what is said to the bot alone belongs, on a platform that has no groups: in the groups of whoever says it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from groupops.commands import PREFIXES, command_word, core_commands
from groupops.counters import Counters
from groupops.directory import PeopleBook
from groupops.events import CommandGiven, Event
from groupops.people import AccountId
from groupops.plan import GroupPlan, PlanBook

BIND = "bind"
"""The one command that whoever is not known may give: it is how to become known."""

HINT_S = 3600.0
"""Seconds between two words to the same stranger."""


def said_alone(event: Event) -> bool:
    """Say whether a fact is of no group: it names the account itself where a group stands."""
    return bool(event.group_id) and getattr(event, "account", "") == event.group_id


@dataclass(frozen=True, slots=True)
class Homes:
    """Finds the groups.

    Args:
        people: who is where.
        plans: what is looked after, and which commands a group has.
        counters: so that a stranger is told once what to do.
    """

    people: PeopleBook
    plans: PlanBook
    counters: Counters

    def facts(self, event: Event) -> tuple[Event, ...]:
        """Give what a fact is in the groups it belongs to; nothing where it belongs to none.

        A command belongs to one group: that which has it, those first in which its giver decides. Anything else
        is told in every group whose rules hear of it.
        """
        account = AccountId(event.group_id)
        rooms = [plan for plan in self._rooms(account) if plan.awake]
        if isinstance(event, CommandGiven):
            plan = self._room_of(event, rooms)
            rooms = [] if plan is None else [plan]
        else:
            rooms = [plan for plan in rooms if event.kind in plan.reacts or event.kind in plan.judges]
        return tuple(_in(event, plan) for plan in rooms)

    async def is_stranger(self, event: Event) -> bool:
        """Say whether whoever says it is in no group and is to be told what to do: once an hour, and not who binds."""
        account = AccountId(event.group_id)
        if self.people.homes(account) or (isinstance(event, CommandGiven) and _binds(event)):
            return False
        return await self.counters.once(f"homes/{account}", HINT_S)

    def _rooms(self, account: AccountId) -> Iterator[GroupPlan]:
        for group_id in self.people.homes(account):
            plan = self.plans.of(group_id)
            if plan is not None:
                yield plan

    def _room_of(self, event: CommandGiven, rooms: list[GroupPlan]) -> GroupPlan | None:
        if not rooms and _binds(event):
            anywhere = (plan for plan in self.plans.all() if plan.awake)
            return min(anywhere, key=lambda plan: plan.group.id, default=None)
        word = _word(event)
        own = () if word in core_commands() else (plan for plan in rooms if word in plan.commands)
        return next(iter(own), None) or next(iter(rooms), None)


def _word(event: CommandGiven) -> str:
    return command_word(event.name.lstrip("".join(PREFIXES)))[0]


def _binds(event: CommandGiven) -> bool:
    return core_commands().get(_word(event), ("", None))[0] == BIND


def _in(event: Event, plan: GroupPlan) -> Event:
    """Give a fact as one of a group; its id says which, so that it is one fact in each."""
    group_id = plan.group.id
    return replace(event, group_id=group_id, id=f"{event.id}@{zlib.crc32(group_id.encode()):08x}")
