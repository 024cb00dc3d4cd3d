"""What happened: facts in the past tense, from platforms, people, the clock and the core itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from groupops.people import AccountId, GroupId, PersonId, PersonLine, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Bytes that stayed where they are; opened through the platform's port with a size cap.

    Args:
        id: the platform's handle.
        media_kind: image, voice, video or file.
        size: bytes, if told.
        duration: length of a voice or video, if told.
        sha256: hex digest, if known.
    """

    id: str
    media_kind: Literal["image", "voice", "video", "file"]
    size: int | None = None
    duration: timedelta | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Plain text of a message."""

    text: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture."""

    media: Media
    kind: Literal["image"] = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A voice message."""

    media: Media
    kind: Literal["voice"] = "voice"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file with its name."""

    media: Media
    name: str = ""
    kind: Literal["file"] = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A shared link; a bare address inside the text is text."""

    url: str
    title: str = ""
    kind: Literal["link"] = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """@somebody; `account` is None for @everybody."""

    account: AccountId | None
    name: str = ""
    kind: Literal["mention"] = "mention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The message that is answered; its text is its author's, never the quoter's."""

    message_id: str
    account: AccountId | None = None
    text: str = ""
    kind: Literal["quote"] = "quote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place. Degrees in the coordinate system named by `crs`."""

    latitude: float
    longitude: float
    crs: Literal["gcj02", "wgs84", "bd09", "unknown"] = "unknown"
    label: str = ""
    kind: Literal["location"] = "location"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedPacket:
    """A red packet; `amount_fen` None means unknown, never zero."""

    wish: str = ""
    amount_fen: int | None = None
    kind: Literal["red_packet"] = "red_packet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Any other rich card (mini program, contact, merged forward), by its own kind."""

    card_kind: str
    title: str = ""
    text: str = ""
    kind: Literal["card"] = "card"


Segment = Text | Image | Voice | File | Link | Mention | Quote | Location | RedPacket | Card


HISTORY = "history"
"""The source of what was read from a platform's history, because nobody listened when it was said."""

LATE_AFTER = timedelta(minutes=10)
"""A platform may deliver a fact this much later than it happened (`policy_packs.md` G4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What every fact has.

    Args:
        id: unique per platform and fact; a repeated id is the same fact.
        at: when it happened, aware, by the platform's clock where it says so.
        group_id: the group it happened in.
        source: who saw it (`bot`, `archive`, `export`, `clock`, `console`, …); `history` for what was asked for
            later, because nobody listened when it was said.
        received_at: when we heard of it, if that differs from `at`.
    """

    id: str
    at: datetime
    group_id: GroupId
    source: str = "bot"
    received_at: datetime | None = None

    @property
    def platform(self) -> str:
        """The platform's name."""
        return self.group_id.partition(":")[0]

    @property
    def arrived_late(self) -> bool:
        """True when it was delivered more than ten minutes after it happened: nobody is sanctioned for it (G4)."""
        return self.received_at is not None and self.received_at - self.at > LATE_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePosted(Happening):
    """Somebody posted a message.

    Args:
        account: the sender; empty when the platform gave no stable id (such a message is never sanctioned).
        message_id: the platform's id of the message.
        segments: its parts in order.
        text: the words of the sender alone (text parts joined; no mentions, no quoted part); computed once.
        name: the sender's nickname.
        card: the sender's name in the group.
        role: the sender's role as the message says it.
        to_bot: True when the bot was mentioned or quoted.
    """

    account: AccountId
    message_id: str
    segments: tuple[Segment, ...] = ()
    text: str = ""
    name: str = ""
    card: str = ""
    role: Role = Role.UNKNOWN
    to_bot: bool = False
    kind: Literal["message_posted"] = "message_posted"

    def __post_init__(self) -> None:
        if not self.text and self.segments:
            first = self.segments[0]
            if len(self.segments) == 1 and isinstance(first, Text):
                words = first.text  # nearly all that is said
            else:
                words = "".join(part.text for part in self.segments if isinstance(part, Text))
            object.__setattr__(self, "text", words.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecalled(Happening):
    """A message was taken back, by its author or by an operator."""

    account: AccountId
    message_id: str
    operator: AccountId | None = None
    kind: Literal["message_recalled"] = "message_recalled"

    @property
    def by_author(self) -> bool:
        """True when the author took the message back."""
        return self.operator is None or self.operator == self.account


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberJoined(Happening):
    """An account came into the group. `operator` let it in or pulled it in; `inferred` = seen in a list only."""

    account: AccountId
    name: str = ""
    card: str = ""
    operator: AccountId | None = None
    how: Literal["invite", "qr", "link", "approve", "unknown"] = "unknown"
    inferred: bool = False
    kind: Literal["member_joined"] = "member_joined"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLeft(Happening):
    """An account is no longer in the group."""

    account: AccountId
    operator: AccountId | None = None
    how: Literal["left", "removed", "unknown"] = "unknown"
    inferred: bool = False
    kind: Literal["member_left"] = "member_left"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRenamed(Happening):
    """An account's card in the group changed."""

    account: AccountId
    old: str = ""
    new: str = ""
    inferred: bool = False
    kind: Literal["member_renamed"] = "member_renamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged(Happening):
    """An account's role in the group changed; the bot's own role too."""

    account: AccountId
    role: Role
    kind: Literal["role_changed"] = "role_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRenamed(Happening):
    """The group's name changed."""

    name: str
    operator: AccountId | None = None
    kind: Literal["group_renamed"] = "group_renamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One line of a member list."""

    account: AccountId
    name: str = ""
    card: str = ""
    role: Role = Role.UNKNOWN
    joined_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersListed(Happening):
    """A member list was read. The only way member lists come in; `complete` False changes nothing."""

    members: tuple[Listed, ...]
    complete: bool = True
    confirmed: bool = False
    kind: Literal["members_listed"] = "members_listed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequested(Happening):
    """Somebody asks to come in."""

    account: AccountId
    request_id: str
    comment: str = ""
    inviter: AccountId | None = None
    kind: Literal["join_requested"] = "join_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationShared(Happening):
    """An account shared where it is, by a message or by a menu; `private` when it was said to the bot alone."""

    account: AccountId
    location: Location
    message_id: str = ""
    private: bool = False
    kind: Literal["location_shared"] = "location_shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedInElsewhere(Happening):
    """An account checked in with another system (a company's attendance), which was asked for it; `source` names it.

    Args:
        account: who.
        location: where, as that system has it; None when it kept no place.
        label: the place in that system's words; may be empty.
        odd: what that system found odd of it: `time`, `place`, `device`, or a word of its own.
    """

    account: AccountId
    location: Location | None = None
    label: str = ""
    odd: tuple[str, ...] = ()
    kind: Literal["checked_in_elsewhere"] = "checked_in_elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonsTold(Happening):
    """The organisation's own directory told of persons: who came, changed or left. The core enrols them.

    `group_id` is any group that is looked after: persons belong to all of them.
    """

    lines: tuple[PersonLine, ...]
    kind: Literal["persons_told"] = "persons_told"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedPacketSent(Happening):
    """An account sent a red packet into the group."""

    account: AccountId
    red_packet: RedPacket
    message_id: str = ""
    kind: Literal["red_packet_sent"] = "red_packet_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceMade(Happening):
    """Somebody chose one of the options offered on a subject (by a word or a button).

    Args:
        account: who chose.
        subject: what it is about, e.g. `case:12` or `obligation:7`.
        word: the option's word.
        note: what was written behind it.
    """

    account: AccountId
    subject: str
    word: str
    note: str = ""
    kind: Literal["choice_made"] = "choice_made"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandGiven(Happening):
    """Somebody gave a command, in a group or privately, by chat or on the console.

    Args:
        account: who gave it.
        name: the command's word, e.g. `申诉`.
        args: its arguments as text, in the order of the command's form.
        private: True when given outside the group (direct message, console).
        message_id: the message it stood in, if any.
        quoted: the message that was quoted with it, if any.
        quoted_account: its author, where the platform says so.
        quoted_text: its text, where the platform says so; its author's words, never the giver's.
        mentioned: the accounts mentioned with it, in order.
    """

    account: AccountId
    name: str
    args: tuple[str, ...] = ()
    private: bool = False
    message_id: str = ""
    quoted: str = ""
    quoted_account: AccountId | None = None
    quoted_text: str = ""
    mentioned: tuple[AccountId, ...] = ()
    kind: Literal["command_given"] = "command_given"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObligationMissed(Happening):
    """Somebody did not do by the deadline what was owed."""

    obligation_id: int
    obligation_kind: str
    person_id: PersonId
    account: AccountId | None = None
    plugin: str = ""
    late: bool = False
    kind: Literal["obligation_missed"] = "obligation_missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChanged(Happening):
    """A case was opened or decided; told in the case's own group to the plugins that hear it.

    Args:
        case_id: the number people use.
        account, person_id: whom it is about.
        rule: the rule's id.
        step: the ladder step it stands at; empty when none was chosen.
        status: what it is now, a word of `CaseStatus` (`proposed`, `effective`, `appealed`, `reversed`, …).
    """

    case_id: int
    account: AccountId
    person_id: PersonId
    rule: str
    step: str
    status: str
    kind: Literal["case_changed"] = "case_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChanged(Happening):
    """The core learnt something about a person.

    Args:
        person_id: the person after the change.
        change: what happened.
        former: the persons that were merged into this one, or split off it.
    """

    person_id: PersonId
    change: Literal["bound", "unbound", "merged", "split", "left", "returned", "roles"]
    former: tuple[PersonId, ...] = ()
    kind: Literal["person_changed"] = "person_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCame(Happening):
    """A due row came due. `late` = it fired after it should have, e.g. because nothing ran."""

    job: str
    plugin: str
    due_at: datetime
    late: bool = False
    payload: str = ""
    kind: Literal["time_came"] = "time_came"


Event = (
    MessagePosted
    | MessageRecalled
    | MemberJoined
    | MemberLeft
    | MemberRenamed
    | RoleChanged
    | GroupRenamed
    | MembersListed
    | JoinRequested
    | LocationShared
    | CheckedInElsewhere
    | PersonsTold
    | RedPacketSent
    | ChoiceMade
    | CommandGiven
    | ObligationMissed
    | CaseChanged
    | PersonChanged
    | TimeCame
)
"""Any fact; `kind` tells which."""

EVENT_KINDS: frozenset[str] = frozenset(
    {
        "message_posted",
        "message_recalled",
        "member_joined",
        "member_left",
        "member_renamed",
        "role_changed",
        "group_renamed",
        "members_listed",
        "join_requested",
        "location_shared",
        "checked_in_elsewhere",
        "persons_told",
        "red_packet_sent",
        "choice_made",
        "command_given",
        "obligation_missed",
        "case_changed",
        "person_changed",
        "time_came",
    }
)
"""The words a manifest's `hears` and a platform's `hears` may use."""

CORE_KINDS: frozenset[str] = frozenset(
    {"case_changed", "choice_made", "command_given", "obligation_missed", "person_changed", "time_came"}
)
"""Kinds that the core makes itself, so that every platform hears them."""


def witness_of(source: str) -> str:
    """Give who saw what a source tells: the history a bot reads is what it would have heard itself."""
    return source.replace(HISTORY, "bot", 1) if source.startswith(HISTORY) else source


def sender_of(event: Event) -> AccountId | None:
    """Give the account an event is about, or None where there is none."""
    account: AccountId | None = getattr(event, "account", None)
    return account or None
