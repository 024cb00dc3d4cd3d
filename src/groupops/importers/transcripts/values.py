"""What every format of transcripts is turned into: who said what, and what the platform said happened, with its doubts."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal, get_args

from groupops.events import Location, RedPacket
from groupops.importers.transcript import Identity, Precision
from groupops.importers.transcripts.words import Format
from groupops.people import Role

Kind = Literal[
    "text",
    "image",
    "voice",
    "video",
    "file",
    "emoji",
    "link",
    "location",
    "red_packet",
    "transfer",
    "poke",
    "call",
    "share",
    "reply",
    "forward",
    "contact",
    "other",
]
"""What a message is."""

KINDS: Final = frozenset(get_args(Kind))

How = Literal["invite", "qr", "link", "approve", "unknown"]
"""How somebody came in."""

Doubt = Literal["", "line", "kind", "order", "shared_id"]
"""Why a row is for a human to look at: `line` a line of talk may look like this one, `kind` the kind was read
off words anybody can type, `order` it stands out of the order of time, `shared_id` the id is of many people."""

MAX_FAULTS = 1_000
"""Faults that are kept with their words; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody as a transcript names them.

    Args:
        id: the platform's own id; empty where the format tells only a name.
        name: the name that was shown.
        card: the name in the group, if told apart from the other.
        role: what the line says the sender is.
    """

    id: str = ""
    name: str = ""
    card: str = ""
    role: Role = Role.UNKNOWN

    @property
    def key(self) -> str:
        """What tells this one from others: the id, else `name:` and the name without stray blanks."""
        return self.id or f"name:{unicodedata.normalize('NFC', self.card or self.name).strip()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Somebody a message mentions; `everybody` for @all."""

    id: str = ""
    name: str = ""
    everybody: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a message answers, as far as the format tells: id of the message, key of its sender, its words."""

    message_id: str = ""
    sender: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What every value has.

    Args:
        row: where it stands: number of the line, or of the item in its list, from 1.
        at: when, aware; a time that is told by the minute is the minute's beginning.
        precision: how finely the time is told.
        chat: native id or name of the talk it belongs to; empty where the format has one talk and does not name it.
        doubt: why a human should look at it; empty for what is certain.
    """

    row: int
    at: datetime
    precision: Precision = "s"
    chat: str = ""
    doubt: Doubt = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Happened):
    """A member said something.

    Args:
        sender: who.
        kind: what it is.
        text: the sender's own words; for what is no text, what the format writes in its place.
        message_id: the platform's id of the message where the format has one that stays the same.
        mentions: who is named in it.
        reply: what it answers.
        media: names of what is attached.
        location, red_packet: where told.
        recalled: True when the message was taken back later; `recalled_at` when, if told.
        order: among messages of the same moment.
        raw_kind: the format's own word for the kind.
    """

    sender: Party
    kind: Kind = "text"
    text: str = ""
    message_id: str = ""
    mentions: tuple[Named, ...] = ()
    reply: Reply | None = None
    media: tuple[str, ...] = ()
    location: Location | None = None
    red_packet: RedPacket | None = None
    recalled: bool = False
    recalled_at: datetime | None = None
    order: int = 0
    raw_kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined(Happened):
    """The platform says that somebody came in."""

    who: tuple[Party, ...]
    by: Party | None = None
    how: How = "unknown"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left(Happened):
    """The platform says that somebody went, or was put out."""

    who: tuple[Party, ...]
    by: Party | None = None
    removed: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed(Happened):
    """The platform says that the group has another name."""

    name: str
    by: Party | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled(Happened):
    """The platform says that a message was taken back; which one is seldom told."""

    message_id: str = ""
    by: Party | None = None
    author: Party | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed(Happened):
    """The platform says something else.

    Args:
        event: `owner_change`, `admin_set`, `mute`, `unmute`, `announcement`, `red_packet_taken`, `poke` or `other`.
        who, by: as far as it is told.
        text: the words.
    """

    event: str = "other"
    who: tuple[Party, ...] = ()
    by: Party | None = None
    text: str = ""


Value = Said | Joined | Left | Renamed | Recalled | Noticed


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an operator says about a file, for what the file itself does not tell.

    Args:
        timezone: zone (IANA) in which times without one were written.
        chat: which talk is meant, by id or name, where a file holds several.
        group: the platform's own id of the group, where the file does not tell it.
        day: the day of times that are written without one (chatlog TXT); its year for those without a year.
        earliest: times before this day are mistakes, as are those of tomorrow and later (`latest`).
        latest: the day after the last one that can be; None does not look.
        known: names known to be of the group, so that a line that shows one is no doubtful one.
        me: who exported it, where the format only says "I".
    """

    timezone: str = "Asia/Shanghai"
    chat: str = ""
    group: str = ""
    day: date | None = None
    earliest: date = date(2009, 1, 1)
    latest: date | None = date(2100, 1, 1)
    known: frozenset[str] = frozenset()
    me: Party = field(default_factory=Party)


@dataclass(slots=True, kw_only=True)
class Chat:
    """One talk of a file: how many of its values were read."""

    name: str = ""
    private: bool = False
    rows: int = 0


@dataclass(slots=True, kw_only=True)
class Seen:
    """A sender as seen in a file: names by how often, and how many messages."""

    party: Party
    names: Counter[str] = field(default_factory=Counter[str])
    messages: int = 0


@dataclass(slots=True, kw_only=True)
class Report:
    """What was found in a file; whole once everything was read.

    Args:
        name: of the file.
        format: what it is.
        sure: False when it was recognised by the look of a single line; ask the operator.
        encoding: how its text is written.
        timezone: zone in which local times were read.
        rows: rows read, kept and dropped ones.
        kept: values given.
        dropped: reason → rows that were not.
        faults: what could not be read, each with its place and why; the first thousand.
        faulty: how many there are.
        doubts: reason → values a human should look at.
        kinds: kind of value or message → how many.
        senders: key → who spoke.
        chats: native id or name → talk.
        group_id, group_name: what the file says of its group.
        private: True for a talk of two.
        generator: what wrote it.
        me: key of the account that exported it, if told.
        roles: key → role, where the file tells any.
        members: who is listed, speaking or not.
        first, last: moments of the first and the last value.
        precision, identity: as the file says or its format is able to.
        tells: what it is able to tell.
    """

    name: str
    format: Format
    sure: bool = True
    encoding: str = "utf-8"
    timezone: str = ""
    rows: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter[str])
    faults: list[str] = field(default_factory=list[str])
    faulty: int = 0
    doubts: Counter[str] = field(default_factory=Counter[str])
    kinds: Counter[str] = field(default_factory=Counter[str])
    senders: dict[str, Seen] = field(default_factory=dict[str, Seen])
    chats: dict[str, Chat] = field(default_factory=dict[str, Chat])
    group_id: str = ""
    group_name: str = ""
    platform: str = ""
    private: bool = False
    generator: str = ""
    me: str = ""
    members: dict[str, Party] = field(default_factory=dict[str, Party])
    first: datetime | None = None
    last: datetime | None = None
    precision: Precision = "s"
    identity: Identity = "id"
    tells: frozenset[str] = frozenset()

    def fault(self, where: str, why: object) -> None:
        """Note what could not be read, and where."""
        self.faulty += 1
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(f"{where}: {why}")

    def drop(self, why: str) -> None:
        """Count a row that is left out."""
        self.dropped[why] += 1

    def talk(self, chat: str, name: str = "", *, private: bool = False) -> Chat:
        """Give a talk of the file, new or known."""
        found = self.chats.get(chat)
        if found is None:
            found = self.chats[chat] = Chat(name=name, private=private)
        return found
