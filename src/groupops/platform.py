"""The port: all that groupops asks of a chat platform."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, cast, runtime_checkable

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


# — what a platform may offer besides —


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often something may be done: a bucket of `burst` tokens that fills by one every `every`.

    Args:
        every: time in which one token comes back; longer than nothing.
        burst: how many may go at once after a rest; at least 1.

    Raises:
        ValueError: a rate that allows nothing, or everything.
    """

    every: timedelta
    burst: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no rate."""
        if self.every <= timedelta() or self.burst < 1:
            raise ValueError(f"a rate needs a span and a burst of at least 1, not {self.every}, {self.burst}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the bot may act on a platform without being taken for one that spams.

    Every limit left out does not exist. An action takes one token of each bucket it falls under.

    Args:
        messages: everything the bot says, wherever.
        group_messages: what it says in one group.
        deeds: everything else it does: recalls, mutes, kicks, cards.
        kinds: kind of action → its own smaller bucket, besides the one above (`remove_member`, `set_card` …).
        jitter: up to this share of a token's time is waited besides, at random, so that no rhythm shows.
        merge: whether texts to one account or one group that have waited `merge_after` may go as one.
        merge_after: how long both have to have waited for that.
    """

    messages: Rate | None = None
    group_messages: Rate | None = None
    deeds: Rate | None = None
    kinds: Mapping[str, Rate] = field(default_factory=dict[str, Rate])
    jitter: float = 0.0
    merge: bool = False
    merge_after: timedelta = timedelta(seconds=2)


PERSONAL_PACE = Pace(
    messages=Rate(every=timedelta(seconds=3), burst=5),
    group_messages=Rate(every=timedelta(seconds=1), burst=2),
    deeds=Rate(every=timedelta(milliseconds=500), burst=10),
    kinds={
        "direct_message": Rate(every=timedelta(seconds=6), burst=3),
        "set_card": Rate(every=timedelta(seconds=5)),
        "remove_member": Rate(every=timedelta(seconds=5)),
        "announce": Rate(every=timedelta(seconds=60)),
    },
    jitter=0.3,
)
"""What a personal account on a chat platform may do without standing out: about 1 message a second in a group and
20 a minute in all, kicks and cards spread, no mass of private messages (`qq_nonebot.md` §1.8, experience)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a connection is, as its adapter knows it.

    Args:
        connected: whether the bot can act now; False when the socket is up and the bot behind it is offline.
        since: since when it is so; None when that is not known.
        last_event_at: when the platform last sent anything, heartbeats included; None when it never did.
        note: what the platform says of it, e.g. `bot_offline: logged in elsewhere`; no contents of messages.
        bots: bot account → whether it is online, where a platform has several.
    """

    connected: bool
    since: datetime | None = None
    last_event_at: datetime | None = None
    note: str = ""
    bots: Mapping[str, bool] = field(default_factory=dict[str, bool])


@runtime_checkable
class Paced(Protocol):
    """A platform that says how fast it may be used; one that does not is used as fast as it answers."""

    def pace(self) -> Pace:
        """Give the pace; asked once, when the platform is first acted on."""
        ...


@runtime_checkable
class KnowsItself(Protocol):
    """A platform that says which account is the bot's own in a group: it is nobody's, and no plugin meets it."""

    def me(self, group_id: GroupId) -> AccountId | None:
        """Give the bot's own account in a group; None while that is not known."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A platform that says how its connection is; of one that does not, NoneBot's bots are what is known."""

    def health(self) -> Health:
        """Give the state now, without waiting and without raising."""
        ...


@runtime_checkable
class Attended(Protocol):
    """A platform with several bots, of which one may be away while another is not."""

    def attends(self, group_id: GroupId) -> bool:
        """Say whether the bot that acts in a group is connected now; True where it is known that there is none."""
        ...


@runtime_checkable
class Resumes(Protocol):
    """A platform that can have what was said while nobody listened, once it is told until when somebody did."""

    def resume(self, heard: Mapping[GroupId, datetime]) -> None:
        """Take up until when the process before this one heard each group; told before anything connects."""
        ...

    def behind(self) -> Mapping[GroupId, datetime]:
        """Give the groups of which something that was said is still to be read, and since when."""
        ...


@runtime_checkable
class Whispers(Protocol):
    """A platform that has no groups, and on which the bot may write only to whoever wrote to it lately.

    What is said to it is a fact whose group is the account itself (`ilink:abc` said it in `ilink:abc`); the core
    finds the group it belongs to. What is to be said to an account that is not open waits until it is.
    """

    console: bool
    """Whether a steward who has an account here is written to here first."""

    def open_to(self, account: AccountId) -> bool:
        """Say whether a word to that account would go out now, rather than wait until the account writes again."""
        ...

    def keep(self) -> timedelta:
        """Give for how long a word that waits for that is worth sending."""
        ...


@runtime_checkable
class Fleeting(Protocol):
    """A platform on which the bot may at times only answer: what it can do then comes and goes by the minute."""

    def fleeting(self, group_id: GroupId) -> frozenset[Capability]:
        """Give the capabilities that come and go by themselves in a group now; that one is away is no news."""
        ...


@runtime_checkable
class Carries(Protocol):
    """A platform that can do some things which no capability of the group tells: a file to one person, by another way."""

    def carries(self, action: Action) -> bool:
        """Say whether this very action can be tried now, although what it needs is not there in its group."""
        ...


# Python looks through all that a protocol asks for, each time anew; on the road of an offence its first word will do.


def whispering(platform: object) -> Whispers | None:
    """Give a platform as one that has no groups, if it is one."""
    return cast("Whispers", platform) if hasattr(platform, "open_to") else None


def watched(platform: object) -> Watched | None:
    """Give a platform as one that says how its connection is, if it does."""
    return cast("Watched", platform) if hasattr(platform, "health") else None
