"""The port: all that groupops asks of a chat platform."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from groupops.actions import Action, Capability, Receipt
from groupops.events import Listed, Media
from groupops.people import AccountId, GroupId


@runtime_checkable
class Platform(Protocol):
    """One connection to a platform.

    `can` and `hears` are data that may change at any time (the bot lost its admin role): they are asked
    anew for every ruling and never cached by the core.
    """

    name: str
    """The platform's name, the prefix of its ids (`qq`)."""

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        """Give what this connection is able to do in that group now, the bot's own role included."""
        ...

    def hears(self, group_id: GroupId) -> frozenset[str]:
        """Give the kinds of events it is able to see in that group now."""
        ...

    async def perform(self, action: Action, *, key: str) -> Receipt:
        """Carry an action out.

        Args:
            action: what to do; its `needs` was in `can` a moment ago.
            key: idempotency key, the same for every repetition of the same action; a platform that has
                a duplicate check (`Capability.DEDUPE_SENDS`) does a key once.

        Returns:
            What became of it. Never raises for what a platform may answer; a lost answer is `InDoubt`.
        """
        ...

    async def members(self, group_id: GroupId) -> tuple[tuple[Listed, ...], bool]:
        """List the members; the flag is False when the list is known to be cut. Raises `PlatformError`."""
        ...

    def open(self, media: Media, *, cap: int) -> AsyncIterator[bytes]:
        """Stream the bytes of a medium, at most `cap` of them; raises `PlatformError` beyond."""
        ...

    def direct(self, account: AccountId) -> bool:
        """Say whether that account can be written to privately now."""
        ...
