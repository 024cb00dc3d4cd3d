"""The make-believe platform itself: groups, members and what happened in them, by the clock that is handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from groupops import (
    AccountId,
    Action,
    Clock,
    File,
    GroupId,
    Image,
    Listed,
    Location,
    Media,
    Mention,
    Option,
    PersonLine,
    PlatformError,
    Quote,
    Receipt,
    RedPacket,
    Role,
    Segment,
    Text,
    Voice,
)
from groupops_sandbox.facts import NOBODY, Fact

_RANK = {Role.UNKNOWN: 0, Role.MEMBER: 0, Role.ADMIN: 1, Role.OWNER: 2}


class NotAllowed(PlatformError):
    """The world does not let somebody do that."""


class NotThere(PlatformError):
    """What was meant is not there, or no longer."""


@dataclass(slots=True, kw_only=True)
class Seat:
    """An account in a group, now.

    Args:
        account: who.
        name: the account's own nickname.
        card: its name in this group.
        role: what it is here.
        joined_at: when it came in.
        muted_until: until when it may not post; None when it may.
    """

    account: AccountId
    name: str
    card: str = ""
    role: Role = Role.MEMBER
    joined_at: datetime
    muted_until: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Post:
    """A message in a group, with what became of it.

    Args:
        id: the message's id.
        at: when it was posted.
        account: its author.
        segments: its parts.
        title: a card's title; empty for a message that is none.
        options: the buttons on it.
        subject: what a press on one of them is about.
        recalled_by: who took it back; None while it stands.
        clicks: who pressed which word, in order.
    """

    id: str
    at: datetime
    account: AccountId
    segments: tuple[Segment, ...]
    title: str = ""
    options: tuple[Option, ...] = ()
    subject: str = ""
    recalled_by: AccountId | None = None
    clicks: list[tuple[AccountId, str]] = field(default_factory=list[tuple[AccountId, str]])

    @property
    def text(self) -> str:
        """Its words, mentions written out."""
        return "".join(_shown(part) for part in self.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A private message of the bot.

    Args:
        id: the message's id.
        at: when it was sent.
        account: to whom.
        post: what it says.
    """

    id: str
    at: datetime
    account: AccountId
    post: Post


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """A request to come in that is not decided yet."""

    id: str
    account: AccountId
    comment: str = ""
    inviter: AccountId | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Punch:
    """A line of the company's attendance; see `groupops.CheckedInElsewhere`."""

    id: str
    at: datetime
    account: AccountId
    location: Location | None = None
    label: str = ""
    odd: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A group announcement."""

    at: datetime
    account: AccountId
    text: str


@dataclass(slots=True, kw_only=True)
class Room:
    """A group, now. `posts`, `notices` and `knocks` are in the order in which they came."""

    id: GroupId
    name: str
    bot_role: Role
    muted: bool = False
    seats: dict[AccountId, Seat] = field(default_factory=dict[AccountId, Seat])
    posts: dict[str, Post] = field(default_factory=dict[str, Post])
    notices: list[Notice] = field(default_factory=list[Notice])
    knocks: dict[str, Knock] = field(default_factory=dict[str, Knock])


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One line of the request log: what a connection was asked to do, and what it answered.

    Args:
        at: when.
        key: the idempotency key.
        action: what.
        receipt: the answer, as the asker got it.
        done: True when the world changed by it, whatever the answer says.
        repeated: True when the key had been done before and was answered from memory.
    """

    at: datetime
    key: str
    action: Action
    receipt: Receipt
    done: bool
    repeated: bool = False


class World:
    """What is so on the make-believe platform. Deterministic: ids are counted, time is the clock's.

    Every change is told as a `Fact` to those who `listen`. People and the bot act through the same methods;
    `by` is who acts, and the world lets nobody do what their role does not allow.

    Args:
        clock: where time comes from.
        name: the platform's name, the prefix of its ids.
    """

    def __init__(self, clock: Clock, name: str = "sandbox") -> None:
        self.name = name
        self.bot = AccountId(f"{name}:bot")
        self.rooms: dict[GroupId, Room] = {}
        self.letters: list[Letter] = []
        self.friends: set[AccountId] = set()
        self.spoken: set[AccountId] = set()
        self.media: dict[str, bytes] = {}
        self.punches: list[Punch] = []
        self.requests: list[Request] = []
        self.done: dict[str, Receipt] = {}
        self._clock = clock
        self._numbers = count(1)
        self._listeners: list[Callable[[Fact], None]] = []

    # — looking —

    def now(self) -> datetime:
        """Give the present moment by the world's clock."""
        return self._clock.now()

    def listen(self, listener: Callable[[Fact], None]) -> None:
        """Tell `listener` of every fact from now on."""
        self._listeners.append(listener)

    def id_of(self, id_: str) -> str:
        """Give an id with the platform's name before it; one that has a platform stays as it is."""
        return id_ if ":" in id_ else f"{self.name}:{id_}"

    def room(self, group: str) -> Room:
        """Give a group. Raises `NotThere`."""
        found = self.rooms.get(GroupId(self.id_of(group)))
        if found is None:
            raise NotThere(f"there is no group {self.id_of(group)!r}; make one with `add_room`")
        return found

    def seat(self, group: str, account: str) -> Seat:
        """Give an account's seat in a group. Raises `NotThere`."""
        found = self.room(group).seats.get(AccountId(self.id_of(account)))
        if found is None:
            raise NotThere(f"{self.id_of(account)!r} is not in {self.id_of(group)!r}")
        return found

    def post_of(self, group: str, message_id: str) -> Post:
        """Give a message. Raises `NotThere`."""
        found = self.room(group).posts.get(message_id)
        if found is None:
            raise NotThere(f"there is no message {message_id!r} in {self.id_of(group)!r}")
        return found

    def may_post(self, group: str, account: str) -> bool:
        """Say whether an account can post in a group now: it is there, and neither it nor the group is muted."""
        room, seat = self.room(group), self.seat(group, account)
        if seat.muted_until is not None and seat.muted_until > self.now():
            return False
        return not room.muted or _RANK[seat.role] > 0

    def listed(self, group: str) -> tuple[Listed, ...]:
        """Give the member list, the bot included, in the order in which they came."""
        return tuple(
            Listed(
                account=seat.account, name=seat.name, card=seat.card, role=seat.role, joined_at=seat.joined_at
            )
            for seat in self.room(group).seats.values()
        )

    def letters_to(self, account: str) -> tuple[Letter, ...]:
        """Give the bot's private messages to an account, oldest first."""
        wanted = self.id_of(account)
        return tuple(letter for letter in self.letters if letter.account == wanted)

    def said_by_bot(self, group: str) -> tuple[Post, ...]:
        """Give the bot's messages in a group, oldest first."""
        return tuple(post for post in self.room(group).posts.values() if post.account == self.bot)

    # — setting up; nobody is told —

    def add_room(self, group: str, *, name: str = "", bot_role: Role = Role.ADMIN) -> Room:
        """Make a group with only the bot in it."""
        id_ = GroupId(self.id_of(group))
        room = self.rooms[id_] = Room(id=id_, name=name or group, bot_role=bot_role)
        room.seats[self.bot] = Seat(account=self.bot, name="bot", role=bot_role, joined_at=self.now())
        return room

    def add_seat(
        self, group: str, account: str, *, name: str = "", card: str = "", role: Role = Role.MEMBER
    ) -> Seat:
        """Put an account into a group."""
        id_ = AccountId(self.id_of(account))
        seat = Seat(
            account=id_,
            name=name or id_.partition(":")[2],
            card=card,
            role=role,
            joined_at=self.now(),
        )
        self.room(group).seats[id_] = seat
        return seat

    def befriend(self, account: str) -> None:
        """Make an account a friend of the bot."""
        self.friends.add(AccountId(self.id_of(account)))

    def keep(self, media: Media, data: bytes) -> Media:
        """Lay the bytes of a medium where `open` finds them; returns the medium."""
        self.media[media.id] = data
        return media

    # — messages —

    def post(
        self,
        group: str,
        by: str,
        segments: tuple[Segment, ...],
        *,
        at: datetime | None = None,
        message_id: str = "",
        title: str = "",
        options: tuple[Option, ...] = (),
        subject: str = "",
    ) -> Fact:
        """Post a message. Raises `NotAllowed` for whom is muted, `NotThere` for whom is not in the group."""
        seat = self.seat(group, by)
        if not self.may_post(group, by):
            raise NotAllowed(f"{seat.account} is muted in {self.id_of(group)}")
        made = Post(
            id=message_id or self._next("m"),
            at=at or self.now(),
            account=seat.account,
            segments=segments,
            title=title,
            options=options,
            subject=subject,
        )
        self.room(group).posts[made.id] = made
        return self._tell_of(seat, "message_posted", group, at=at, message_id=made.id, segments=segments)

    def recall(self, group: str, message_id: str, by: str) -> Fact:
        """Take a message back. Raises `NotAllowed` unless it is one's own or one outranks its author."""
        made, actor = self.post_of(group, message_id), self.seat(group, by)
        if made.recalled_by is not None:
            raise NotThere(f"message {message_id!r} has been taken back already")
        if made.account != actor.account:
            self._outranks(group, actor, made.account)
        made.recalled_by = actor.account
        return self._tell(
            "message_recalled", group, account=made.account, operator=actor.account, message_id=message_id
        )

    def share_location(self, group: str, by: str, location: Location, *, private: bool = False) -> Fact:
        """Share where one is, in the group or with the bot alone."""
        return self._send(group, by, "location_shared", location, private=private)

    def send_red_packet(self, group: str, by: str, packet: RedPacket) -> Fact:
        """Send a red packet into the group."""
        return self._send(group, by, "red_packet_sent", packet)

    def _send(self, group: str, by: str, kind: str, part: Segment, *, private: bool = False) -> Fact:
        seat = self.seat(group, by)
        made = Post(id=self._next("m"), at=self.now(), account=seat.account, segments=(part,))
        if private:
            self.spoken.add(seat.account)
        elif self.may_post(group, by):
            self.room(group).posts[made.id] = made
        else:
            raise NotAllowed(f"{seat.account} is muted in {self.id_of(group)}")
        return self._tell_of(seat, kind, group, message_id=made.id, segments=(part,), private=private)

    def punch(
        self,
        account: str,
        *,
        at: datetime | None = None,
        location: Location | None = None,
        label: str = "",
        odd: tuple[str, ...] = (),
    ) -> Punch:
        """Check in with the company's attendance, which tells of it only when it is asked."""
        made = Punch(
            id=self._next("p"),
            at=at or self.now(),
            account=AccountId(self.id_of(account)),
            location=location,
            label=label,
            odd=odd,
        )
        self.punches.append(made)
        return made

    def tell_punches(
        self, group: str, accounts: Iterable[AccountId], since: datetime, until: datetime
    ) -> list[Fact]:
        """Tell what the attendance has of some accounts; asked twice, it tells the same facts."""
        asked = set(accounts)
        return [
            self._tell(
                "checked_in_elsewhere",
                group,
                id=one.id,
                at=one.at,
                account=one.account,
                segments=(one.location,) if one.location else (),
                word=one.label,
                odd=one.odd,
            )
            for one in self.punches
            if one.account in asked and since <= one.at <= until
        ]

    def tell_persons(self, group: str, *lines: PersonLine) -> Fact:
        """Let the company's directory tell of persons."""
        return self._tell("persons_told", group, lines=lines)

    def write_to_bot(self, group: str, by: str, text: str) -> Fact:
        """Write to the bot alone, as a member of a group."""
        seat = self.seat(group, by)
        self.spoken.add(seat.account)
        return self._tell_of(
            seat,
            "command_given",
            group,
            message_id=self._next("m"),
            segments=(Text(text=text),),
            private=True,
        )

    def write_privately(
        self,
        account: str,
        segments: tuple[Segment, ...],
        *,
        title: str = "",
        options: tuple[Option, ...] = (),
        subject: str = "",
    ) -> Letter:
        """Let the bot write to one account alone."""
        made = Post(
            id=self._next("d"),
            at=self.now(),
            account=self.bot,
            segments=segments,
            title=title,
            options=options,
            subject=subject,
        )
        letter = Letter(id=made.id, at=made.at, account=AccountId(self.id_of(account)), post=made)
        self.letters.append(letter)
        return letter

    def update_card(self, group: str, card_id: str, title: str, text: str) -> Post:
        """Replace a card of the bot; its buttons go. Raises `NotThere`."""
        made = self.post_of(group, card_id)
        made.title, made.segments, made.options = title, (Text(text=text),), ()
        return made

    def press(self, group: str, by: str, message_id: str, word: str) -> Fact:
        """Press a button on a message or on a private message of the bot. Raises `NotThere`."""
        seat = self.seat(group, by)
        made = self.room(group).posts.get(message_id) or self._letter(message_id, seat.account).post
        if word not in {option.word for option in made.options}:
            offered = ", ".join(option.word for option in made.options) or "none"
            raise NotThere(f"message {message_id!r} has no button {word!r}; it has {offered}")
        made.clicks.append((seat.account, word))
        return self._tell_of(
            seat, "choice_made", group, message_id=message_id, subject=made.subject, word=word
        )

    def _letter(self, message_id: str, account: AccountId) -> Letter:
        for letter in self.letters:
            if letter.id == message_id and letter.account == account:
                return letter
        raise NotThere(f"{account} sees no message {message_id!r}")

    # — members —

    def join(
        self,
        group: str,
        account: str,
        *,
        name: str = "",
        card: str = "",
        by: str = "",
        how: str = "unknown",
    ) -> Fact:
        """Come into the group; `by` let the account in or pulled it in."""
        seat = self.add_seat(group, account, name=name, card=card)
        operator = AccountId(self.id_of(by)) if by else None
        return self._tell_of(seat, "member_joined", group, operator=operator, how=how)

    def leave(self, group: str, account: str) -> Fact:
        """Leave the group."""
        seat = self.seat(group, account)
        del self.room(group).seats[seat.account]
        return self._tell("member_left", group, account=seat.account, how="left")

    def remove(self, group: str, account: str, by: str) -> Fact:
        """Remove an account. Raises `NotAllowed` unless `by` outranks it."""
        actor, seat = self.seat(group, by), self.seat(group, account)
        self._outranks(group, actor, seat.account)
        del self.room(group).seats[seat.account]
        return self._tell("member_left", group, account=seat.account, operator=actor.account, how="removed")

    def knock(
        self, group: str, account: str, *, comment: str = "", inviter: str = "", name: str = ""
    ) -> Fact:
        """Ask to come in."""
        made = Knock(
            id=self._next("r"),
            account=AccountId(self.id_of(account)),
            comment=comment,
            inviter=AccountId(self.id_of(inviter)) if inviter else None,
            name=name,
        )
        self.room(group).knocks[made.id] = made
        return self._tell(
            "join_requested",
            group,
            account=made.account,
            request_id=made.id,
            comment=comment,
            inviter=made.inviter,
        )

    def decide(self, group: str, request_id: str, by: str, *, accept: bool) -> Fact | None:
        """Let somebody in, or not. Raises `NotThere` for an unknown request, `NotAllowed` for a plain member."""
        self._above_members(self.seat(group, by))
        made = self.room(group).knocks.pop(request_id, None)
        if made is None:
            raise NotThere(f"there is no open request {request_id!r} in {self.id_of(group)!r}")
        return self.join(group, made.account, name=made.name, by=by, how="approve") if accept else None

    def mute(self, group: str, account: str, span: timedelta, by: str) -> None:
        """Keep an account from posting for `span`. Raises `NotAllowed` unless `by` outranks it."""
        seat = self.seat(group, account)
        self._outranks(group, self.seat(group, by), seat.account)
        seat.muted_until = self.now() + span

    def unmute(self, group: str, account: str, by: str) -> None:
        """Let an account post again."""
        self._above_members(self.seat(group, by))
        self.seat(group, account).muted_until = None

    def mute_all(self, group: str, by: str, *, on: bool) -> None:
        """Mute or unmute everybody who is a plain member."""
        self._above_members(self.seat(group, by))
        self.room(group).muted = on

    def set_card(self, group: str, account: str, card: str, by: str = "") -> Fact:
        """Give an account a card; without `by` it is its own doing."""
        seat = self.seat(group, account)
        actor = self.seat(group, by or account)
        if actor is not seat:
            self._above_members(actor)
        old, seat.card = seat.card, card
        return self._tell(
            "member_renamed", group, account=seat.account, operator=actor.account, old=old, new=card
        )

    def set_role(self, group: str, account: str, role: Role) -> Fact:
        """Give an account a role; the bot's own too, which changes at once what it can do."""
        seat = self.seat(group, account)
        seat.role = role
        if seat.account == self.bot:
            self.room(group).bot_role = role
        return self._tell("role_changed", group, account=seat.account, role=role)

    # — the group —

    def rename(self, group: str, name: str, by: str) -> Fact:
        """Give the group a name."""
        actor = self.seat(group, by)
        self._above_members(actor)
        room = self.room(group)
        old, room.name = room.name, name
        return self._tell("group_renamed", group, operator=actor.account, old=old, new=name)

    def announce(self, group: str, text: str, by: str) -> None:
        """Publish an announcement."""
        actor = self.seat(group, by)
        self._above_members(actor)
        self.room(group).notices.append(Notice(at=self.now(), account=actor.account, text=text))

    def census(self, group: str, *, only: Iterable[str] | None = None) -> Fact:
        """Tell the member list; with `only`, cut to these accounts and said to be incomplete."""
        seats = self.listed(group)
        if only is None:
            return self._tell("members_listed", group, seats=seats)
        kept = {self.id_of(account) for account in only}
        cut = tuple(seat for seat in seats if seat.account in kept)
        return self._tell("members_listed", group, seats=cut, complete=False)

    # — inside —

    def _outranks(self, group: str, actor: Seat, account: AccountId) -> None:
        seat = self.room(group).seats.get(account)
        rank = _RANK[seat.role] if seat else 0
        if _RANK[actor.role] <= rank:
            raise NotAllowed(f"{actor.account} is {actor.role} and cannot do that to {account}")

    def _above_members(self, actor: Seat) -> None:
        if _RANK[actor.role] == 0:
            raise NotAllowed(f"{actor.account} is {actor.role}; that takes an admin or the owner")

    def _next(self, letter: str) -> str:
        return f"{letter}{next(self._numbers)}"

    def _tell_of(self, seat: Seat, kind: str, group: str, **rest: Any) -> Fact:
        to_bot = self._to_bot(group, rest.get("segments", ()))
        return self._tell(
            kind,
            group,
            account=seat.account,
            name=seat.name,
            card=seat.card,
            role=seat.role,
            to_bot=to_bot,
            **rest,
        )

    def _tell(
        self,
        kind: str,
        group: str,
        *,
        account: AccountId = NOBODY,
        at: datetime | None = None,
        id: str = "",  # noqa: A002 - the fact's own word
        **rest: Any,
    ) -> Fact:
        room = self.room(group)
        fact = Fact(
            kind=kind, id=id or self._next("e"), at=at or self.now(), group=room.id, account=account, **rest
        )
        for listener in self._listeners:
            listener(fact)
        return fact

    def _to_bot(self, group: str, segments: tuple[Segment, ...]) -> bool:
        posts = self.room(group).posts
        for part in segments:
            if isinstance(part, Mention) and part.account == self.bot:
                return True
            if isinstance(part, Quote) and part.message_id in posts:
                return posts[part.message_id].account == self.bot
        return False


def _shown(part: Segment) -> str:
    if isinstance(part, Text):
        return part.text
    if isinstance(part, Mention):
        return f"@{part.name or part.account or 'all'} "
    if isinstance(part, Image | Voice | File):
        return f"[{part.kind} {part.media.id}]"
    return f"[{part.kind}]"
