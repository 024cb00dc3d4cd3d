"""Stands for a platform on which nobody sits: it can do nothing there, and only what is handed in is heard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from groupops.actions import Action, Capability, Impossible, Receipt
from groupops.errors import PlatformError
from groupops.events import EVENT_KINDS, Listed, Media
from groupops.people import AccountId, GroupId

ABLE: Final = frozenset({Capability.RECEIVE_ALL, Capability.LIST_MEMBERS, Capability.READ_CARD})
"""What transcripts and member lists can do for a group: the `advisor` profile of the sandbox."""


@dataclass(slots=True)
class Absent:
    """A platform without a bot.

    Args:
        name: its name, by which the group's id begins.
        able: what can be known there; grows when a transcript tells who owns and administers the group.
    """

    name: str
    able: frozenset[Capability] = ABLE

    def can(self, group_id: GroupId) -> frozenset[Capability]:  # noqa: ARG002 - the port of every platform
        """Give what can be known; nothing can be done."""
        return self.able

    def hears(self, group_id: GroupId) -> frozenset[str]:  # noqa: ARG002 - the port of every platform
        """Anything may be handed in."""
        return EVENT_KINDS

    async def perform(self, action: Action, *, key: str) -> Receipt:  # noqa: ARG002 - the port of every platform
        """Say that nobody is there to do it."""
        return Impossible(capability=action.needs)

    async def members(self, group_id: GroupId) -> tuple[tuple[Listed, ...], bool]:
        """There is nobody to ask. Raises PlatformError."""
        raise PlatformError(f"the members of {group_id} cannot be read: hand in a member list")

    def open(self, media: Media, *, cap: int) -> AsyncIterator[bytes]:  # noqa: ARG002 - the port of every platform
        """An export has no bytes. Raises PlatformError."""
        raise PlatformError(f"medium {media.id!r} is not in an export")

    def direct(self, account: AccountId) -> bool:  # noqa: ARG002 - the port of every platform
        """Nobody can be written to."""
        return False
