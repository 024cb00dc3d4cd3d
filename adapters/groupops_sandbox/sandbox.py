"""One connection to the make-believe platform; usable by itself, or behind NoneBot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol, cast

from groupops import (
    AccountId,
    Action,
    Capability,
    Clock,
    Event,
    GroupId,
    Listed,
    Location,
    Media,
    MemberJoined,
    MemberLeft,
    Mention,
    MessagePosted,
    PlatformError,
    Quote,
    Receipt,
    RedPacket,
    Role,
    Segment,
    Text,
)
from groupops_sandbox.facts import Fact
from groupops_sandbox.faults import Faults
from groupops_sandbox.perform import Hand, perform
from groupops_sandbox.profiles import Profile
from groupops_sandbox.profiles import profile as named
from groupops_sandbox.read import Sight, read, seats_seen
from groupops_sandbox.world import NotAllowed, Request, World

CHUNK = 65_536


class Carrier(Protocol):
    """Takes facts on their way to NoneBot."""

    def carry(self, fact: Fact) -> None:
        """Bring a fact to NoneBot, after all that were brought before it."""
        ...


class Sandbox:
    """A connection of a given profile; satisfies `groupops.Platform`.

    People act through `say`, `join`, `press` …: the world changes, and the method gives the event that this
    connection is told, or None where the profile does not see such a thing (or a muted account could not
    post). Everything the connection is told, what follows from the bot's own actions included, lies in order
    in `take()`.

    Args:
        clock: where time comes from.
        profile: name of the profile.
        name: the platform's name, the prefix of its ids; with `world`, the world's.
        world: the world to look at; without it a new one. Several connections may share one.
    """

    adapter_name = "Sandbox"
    """What NoneBot calls the adapter (`bot.type`)."""

    def __init__(
        self, clock: Clock, profile: str = "full", *, name: str = "sandbox", world: World | None = None
    ) -> None:
        self.world = world or World(clock, name)
        self.name = self.world.name
        self.faults = Faults()
        self._profile = named(profile)
        self._told: list[Event] = []
        self._late: dict[tuple[GroupId, AccountId], Fact] = {}
        self._carrier: Carrier | None = None
        self.enter: Callable[[Any, Any], Awaitable[None]] | None = None
        """Where facts go that travel through NoneBot; its `handle_event`, if None."""
        self.world.listen(self._hear)

    # — the port —

    @property
    def profile(self) -> Profile:
        """The kind of connection it is now."""
        return self._profile

    def become(self, profile: str) -> None:
        """Turn into a connection of another profile; the world stays."""
        self._profile = named(profile)

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        """Give what the profile is able to do in the bot's role in that group now."""
        return self._profile.can[self._role(group_id)]

    def hears(self, group_id: GroupId) -> frozenset[str]:
        """Give the kinds of events it sees in that group now, those said to the bot alone included."""
        return self._profile.hears[self._role(group_id)] | self._profile.hears_privately

    async def perform(self, action: Action, *, key: str) -> Receipt:
        """Do it in the world, or meet a fault; every request is logged in `world.requests`."""
        known = self.world.done.get(key)
        if known is not None and Capability.DEDUPE_SENDS in self.can(action.group_id):
            return self._log(action, key, known, done=False, repeated=True)
        fault = self.faults.meet(action.kind)
        if fault is not None and not fault.done:
            return self._log(action, key, fault.receipt, done=False)
        receipt = perform(action, self._hand(action.group_id))
        done = receipt.kind == "done"
        if done:
            self.world.done[key] = receipt
        return self._log(action, key, fault.receipt if fault else receipt, done=done)

    def me(self, group_id: GroupId) -> AccountId | None:  # noqa: ARG002 - the port asks per group
        """Give the bot's own account, the same in every group."""
        return self.world.bot

    async def members(self, group_id: GroupId) -> tuple[tuple[Listed, ...], bool]:
        """List the members as the profile sees them; whole unless `faults.lists_cut_to` says otherwise."""
        if Capability.LIST_MEMBERS not in self.can(group_id):
            raise PlatformError(f"a {self._profile.name} connection cannot list the members of {group_id}")
        if self.faults.meet("members") is not None:
            raise PlatformError(f"the members of {group_id} could not be read")
        seats = seats_seen(self.world.listed(group_id), self._sight(group_id))
        keep = self.faults.lists_cut_to
        return (seats, True) if keep is None else (seats[:keep], False)

    async def open(self, media: Media, *, cap: int) -> AsyncIterator[bytes]:
        """Stream what was laid down with `world.keep`; raises `PlatformError` beyond `cap` bytes."""
        if Capability.SEE_MEDIA not in self._profile.best:
            raise PlatformError(f"a {self._profile.name} connection cannot open media")
        data = self.world.media.get(media.id)
        if data is None:
            raise PlatformError(f"there is no medium {media.id!r}")
        if len(data) > cap:
            raise PlatformError(f"medium {media.id!r} has {len(data)} bytes, more than the {cap} allowed")
        for start in range(0, len(data), CHUNK):
            yield data[start : start + CHUNK]

    def direct(self, account: AccountId) -> bool:
        """Say whether that account can be written to privately now."""
        reaches = self._profile.reaches
        if Capability.DIRECT_MESSAGE not in self._profile.best or reaches == "nobody":
            return False
        if reaches == "spoken":
            return account in self.world.spoken
        if reaches == "friends":
            return account in self.world.friends
        return any(account in room.seats for room in self.world.rooms.values())

    # — setting up; nobody is told —

    def group(self, group: str, *, name: str = "", bot_role: Role | None = None) -> GroupId:
        """Make a group, in which the bot has the profile's usual role unless another is given."""
        return self.world.add_room(group, name=name, bot_role=bot_role or self._profile.bot_role).id

    def member(
        self, group: str, account: str, *, name: str = "", card: str = "", role: Role = Role.MEMBER
    ) -> AccountId:
        """Put an account into a group."""
        return self.world.add_seat(group, account, name=name, card=card, role=role).account

    # — what people do —

    def say(
        self,
        group: str,
        account: str,
        text: str = "",
        *,
        segments: Iterable[Segment] = (),
        mentions: Iterable[str] = (),
        quote: str = "",
        at: datetime | None = None,
        message_id: str = "",
    ) -> MessagePosted | None:
        """Post a message: a quote of `quote`, mentions, the text (never parsed), then further parts.

        Args:
            group: where.
            account: who.
            text: the words.
            segments: further parts.
            mentions: accounts to mention; `bot` is the bot.
            quote: the message that is answered.
            at: when; now, if not given.
            message_id: the message's id; counted, if not given.
        """
        parts = (*self._quoted(group, quote), *self._mentioned(group, mentions))
        words = (Text(text=text),) if text else ()
        try:
            fact = self.world.post(group, account, (*parts, *words, *segments), at=at, message_id=message_id)
        except NotAllowed:
            return None
        return cast("MessagePosted | None", self.see(fact))

    def recall(self, group: str, message_id: str, *, by: str) -> Event | None:
        """Take a message back."""
        return self.see(self.world.recall(group, message_id, by))

    def join(
        self, group: str, account: str, *, name: str = "", card: str = "", by: str = "", how: str = "unknown"
    ) -> MemberJoined | None:
        """Come into the group."""
        fact = self.world.join(group, account, name=name, card=card, by=by, how=how)
        return cast("MemberJoined | None", self.see(fact))

    def leave(self, group: str, account: str) -> MemberLeft | None:
        """Leave the group."""
        return cast("MemberLeft | None", self.see(self.world.leave(group, account)))

    def remove(self, group: str, account: str, *, by: str) -> MemberLeft | None:
        """Remove an account by hand, as the owner or an admin."""
        return cast("MemberLeft | None", self.see(self.world.remove(group, account, by)))

    def card(self, group: str, account: str, card: str, *, by: str = "") -> Event | None:
        """Change a card; a profile that learns of it late gives None, and tells with the next message."""
        fact = self.world.set_card(group, account, card, by)
        return None if self._profile.renames == "lazy" else self.see(fact)

    def role(self, group: str, account: str, role: Role) -> Event | None:
        """Give an account a role; `bot` is the bot, whose `can` changes at once."""
        return self.see(self.world.set_role(group, self._named(account), role))

    def rename(self, group: str, name: str, *, by: str) -> Event | None:
        """Rename the group."""
        return self.see(self.world.rename(group, name, by))

    def knock(
        self, group: str, account: str, *, comment: str = "", inviter: str = "", name: str = ""
    ) -> Event | None:
        """Ask to come in."""
        return self.see(self.world.knock(group, account, comment=comment, inviter=inviter, name=name))

    def locate(self, group: str, account: str, location: Location, *, private: bool = False) -> Event | None:
        """Share a location, in the group or with the bot alone."""
        try:
            return self.see(self.world.share_location(group, account, location, private=private))
        except NotAllowed:
            return None

    def red_packet(
        self, group: str, account: str, *, amount_fen: int | None = None, wish: str = ""
    ) -> Event | None:
        """Send a red packet; no profile of a real platform sees its amount."""
        try:
            packet = RedPacket(wish=wish, amount_fen=amount_fen)
            return self.see(self.world.send_red_packet(group, account, packet))
        except NotAllowed:
            return None

    def press(self, group: str, account: str, message_id: str, word: str) -> Event | None:
        """Press a button on a message of the bot."""
        return self.see(self.world.press(group, account, message_id, word))

    def whisper(self, group: str, account: str, text: str) -> Event | None:
        """Write to the bot alone, as a member of a group; the first word is the command."""
        return self.see(self.world.write_to_bot(group, account, text))

    def census(self, group: str, *, only: Iterable[str] | None = None) -> Event | None:
        """Tell the member list; with `only`, cut to these accounts and said to be incomplete."""
        return self.see(self.world.census(group, only=only))

    # — what it is told —

    def see(self, fact: Fact) -> Event | None:
        """Give what this connection tells of a fact, or None when it does not see it."""
        return read(fact, self._sight(fact.group))

    def take(self) -> tuple[Event, ...]:
        """Give all that the connection was told since it was last asked, in order."""
        told, self._told = tuple(self._told), []
        return told

    # — behind NoneBot —

    def attach(self, driver: Any) -> None:
        """Register the NoneBot adapter; from then on facts travel through NoneBot instead of `take`."""
        from groupops_sandbox.adapter import Adapter, Config  # only who has NoneBot needs it

        config = Config.model_validate(driver.config.model_dump())
        if config.sandbox_profile:
            self.become(config.sandbox_profile)
        driver.register_adapter(Adapter, sandbox=self)

    def enter_by(self, enter: Callable[[Any, Any], Awaitable[None]]) -> None:
        """Have facts that travel through NoneBot handed to `enter`."""
        self.enter = enter

    def carry_by(self, carrier: Carrier | None) -> None:
        """Hand facts to `carrier`; None keeps them for `take`."""
        self._carrier = carrier

    def read(self, bot: Any, event: Any) -> Event | None:  # noqa: ARG002 - the port of every adapter
        """Read a NoneBot event of this adapter."""
        return self.see(event.fact)

    # — inside —

    def _hear(self, fact: Fact) -> None:
        for one in self._in_time(fact):
            event = self.see(one)
            if event is None:
                continue
            if self._carrier is None:
                self._told.append(event)
            else:
                self._carrier.carry(one)

    def _in_time(self, fact: Fact) -> tuple[Fact, ...]:
        """Hold a renaming back until its member speaks, where the profile learns of it only then."""
        place = (fact.group, fact.account)
        if fact.kind == "member_renamed" and self._profile.renames == "lazy":
            earlier = self._late.get(place)
            self._late[place] = replace(fact, old=earlier.old) if earlier else fact
            return ()
        late = self._late.pop(place, None) if fact.kind == "message_posted" else None
        return (fact,) if late is None else (late, fact)

    def _role(self, group: GroupId) -> Role:
        room = self.world.rooms.get(group)
        return self._profile.bot_role if room is None else room.bot_role

    def _sight(self, group: GroupId) -> Sight:
        return Sight(platform=self.name, profile=self._profile, role=self._role(group), bot=self.world.bot)

    def _hand(self, group: GroupId) -> Hand:
        return Hand(world=self.world, can=self.can(group), reaches=self.direct)

    def _log(
        self, action: Action, key: str, receipt: Receipt, *, done: bool, repeated: bool = False
    ) -> Receipt:
        line = Request(
            at=self.world.now(), key=key, action=action, receipt=receipt, done=done, repeated=repeated
        )
        self.world.requests.append(line)
        return receipt

    def _named(self, account: str) -> str:
        return self.world.bot if account == "bot" else account

    def _mentioned(self, group: str, accounts: Iterable[str]) -> list[Segment]:
        seats = [self.world.seat(group, self._named(account)) for account in accounts]
        return [Mention(account=seat.account, name=seat.card or seat.name) for seat in seats]

    def _quoted(self, group: str, message_id: str) -> list[Segment]:
        if not message_id:
            return []
        post = self.world.post_of(group, message_id)
        return [Quote(message_id=post.id, account=post.account, text=post.text)]
