"""A make-believe platform without groups: it may write only to whoever wrote to it, a few times."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count

from groupops import (
    AccountId,
    Action,
    Capability,
    Clock,
    CommandGiven,
    DirectMessage,
    Done,
    GroupId,
    Impossible,
    Listed,
    Location,
    LocationShared,
    Media,
    PlatformError,
    Receipt,
    Unreachable,
)


class Confidant:
    """The platform `secret`.

    Args:
        clock: when something is said.
        console: whether stewards are written to here first.
        answers: how many words it may write after one that it heard.
    """

    name = "secret"

    def __init__(self, clock: Clock, *, console: bool = True, answers: int = 10) -> None:
        self.console = console
        self.said: list[tuple[AccountId, str]] = []
        self._clock = clock
        self._answers = answers
        self._left: dict[AccountId, int] = {}
        self._numbers = count(1)

    # — what is said to it —

    def hear(self, who: str, text: str) -> CommandGiven:
        """Have somebody write to it."""
        account = self._heard(who)
        word, *args = text.split()
        return CommandGiven(
            id=f"secret:{next(self._numbers)}",
            at=self._clock.now(),
            group_id=GroupId(account),
            account=account,
            name=word,
            args=tuple(args),
            private=True,
        )

    def see(self, who: str, latitude: float, longitude: float) -> LocationShared:
        """Have somebody share a place with it."""
        account = self._heard(who)
        where = Location(latitude=latitude, longitude=longitude, crs="gcj02")
        return LocationShared(
            id=f"secret:{next(self._numbers)}",
            at=self._clock.now(),
            group_id=GroupId(account),
            account=account,
            location=where,
            private=True,
        )

    def know(self, who: str) -> None:
        """Know somebody who wrote long ago."""
        self._left.setdefault(AccountId(f"secret:{who}"), 0)

    def _heard(self, who: str) -> AccountId:
        account = AccountId(f"secret:{who}")
        self._left[account] = self._answers
        return account

    # — the port —

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        return frozenset({Capability.DIRECT_MESSAGE})

    def hears(self, group_id: GroupId) -> frozenset[str]:
        return frozenset({"command_given", "location_shared"})

    async def perform(self, action: Action, *, key: str) -> Receipt:
        if not isinstance(action, DirectMessage):
            return Impossible(capability=action.needs)
        if not self.open_to(action.account):
            return Unreachable(why="has to write first")
        self._left[action.account] -= 1
        self.said.append((action.account, action.text))
        return Done()

    async def members(self, group_id: GroupId) -> tuple[tuple[Listed, ...], bool]:
        raise PlatformError("there are no groups")

    async def open(self, media: Media, *, cap: int) -> AsyncIterator[bytes]:
        raise PlatformError("there are no media")
        yield b""

    def direct(self, account: AccountId) -> bool:
        return account in self._left

    def open_to(self, account: AccountId) -> bool:
        return self._left.get(account, 0) > 0

    def keep(self) -> timedelta:
        return timedelta(days=14)
