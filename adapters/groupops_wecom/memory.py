"""What the process remembers of late: messages and media by their handles, cards, presses, what was said already."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from groupops_wecom.buttons import Face
from groupops_wecom.event import CardEvent, Event
from groupops_wecom.faces import Kept
from groupops_wecom.message import MessageSegment

MESSAGES = 20_000
MEDIA = 5_000
CARDS = 20_000
PRESSES = 5_000
KEYS = 20_000

SAME_WORDS = 60.0
"""Seconds between which an AI bot and the archive may tell the same utterance, as the core has it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that may be answered.

    Args:
        bot: the AI bot it was said to.
        event: the message.
        room: the group.
    """

    bot: str
    event: Event
    room: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A medium somebody sent: the bot that can fetch it, and how."""

    bot: str
    segment: MessageSegment


@dataclass(frozen=True, slots=True)
class SentCard:
    """A card that was sent, as people see it."""

    face: Face
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A card the app sent to somebody, whose buttons can be taken off once, within three days.

    Args:
        app: the app.
        user: to whom.
        subject: what it is about.
        code: by which it is changed.
        at: when it was sent, seconds since the epoch.
    """

    app: str
    user: str
    subject: str
    code: str = field(repr=False)
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is owed to a card: WeCom takes a code for one change, so that asking again does no harm.

    Args:
        app: the app that sent it.
        user: for whom it is changed.
        code: by which it is changed.
        at: when the code came, seconds since the epoch.
        card: what it becomes; None to take its buttons off.
    """

    app: str
    user: str
    code: str = field(repr=False)
    at: float
    card: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Pressed:
    """A press that waits for what comes of it.

    Args:
        event: the press.
        outcome: what was said to who pressed, so far.
        told: set when something was said.
    """

    event: CardEvent
    outcome: str = ""
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, words: str) -> None:
        """Learn what was said; the first is what counts."""
        self.outcome = self.outcome or words
        self.told.set()


@dataclass(slots=True)
class Progress:
    """How far something in several pieces was said.

    Args:
        way: by which way; the rest goes the same.
        pieces: how many were said.
        ref: handle of the last.
    """

    way: str
    pieces: int = 0
    ref: str = ""


@dataclass(slots=True)
class Memory:
    """All of it, bounded, and forgotten with the process."""

    heard: Kept[str, Heard] = field(default_factory=lambda: Kept(MESSAGES))
    media: Kept[str, Seen] = field(default_factory=lambda: Kept(MEDIA))
    cards: Kept[str, SentCard] = field(default_factory=lambda: Kept(CARDS))
    presses: Kept[str, Pressed] = field(default_factory=lambda: Kept(PRESSES))
    open_cards: Kept[str, CardEvent] = field(default_factory=lambda: Kept(PRESSES))
    offers: Kept[str, Offer] = field(default_factory=lambda: Kept(CARDS))
    """Cards of the app's own about cases, by their task: they lose their buttons when the case is decided."""
    owed: Kept[str, Change] = field(default_factory=lambda: Kept(PRESSES))
    """Changes of pressed cards that could not be made yet, by the task."""
    progress: Kept[str, Progress] = field(default_factory=lambda: Kept(KEYS))
    letters: Kept[str, tuple[str, float]] = field(default_factory=lambda: Kept(KEYS))
    """Private messages of the app's own: id → the app, which alone can take them back, and when."""
    said: Kept[tuple[str, str, str], tuple[str, float]] = field(default_factory=lambda: Kept(MESSAGES))
    """Room, user, and words → what an AI bot called the message, and when."""
    twins: Kept[str, str] = field(default_factory=lambda: Kept(MESSAGES))
    """A message's id in the archive → its id at the AI bot."""

    def utter(self, room: str, user: str, words: str, message_id: str, at: float) -> None:
        """Remember what was said to an AI bot."""
        self.said.put((room, user, words), (message_id, at))

    def pair(self, room: str, user: str, words: str, message_id: str, at: float) -> None:
        """Find out whether a message of the archive was said to an AI bot, and remember under which id."""
        known = self.said.get((room, user, words))
        if known is not None and abs(known[1] - at) <= SAME_WORDS:
            self.twins.put(message_id, known[0])
