"""Where the bot may answer: a message or an event opens a window of minutes for a few answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from groupops_qq.shapes import Recent

WINDOWS = 40
"""Windows kept of one place: in a busy group the newest are open for as long as the older ones."""

PLACES = 5_000
KEYS = 20_000

MARGIN = timedelta(seconds=5)
"""So much earlier than the platform a window is taken to close: an answer travels, and clocks differ."""

SEQUENCES = 1_000_000
"""`msg_seq` is drawn from so many numbers."""

Kind = Literal["message", "event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long a window is open and for how many answers (official documentation of 2026-07).

    Args:
        lasts: from the message's own moment.
        answers: how many.
    """

    lasts: timedelta
    answers: int


IN_GROUP = Terms(lasts=timedelta(minutes=5), answers=5)
IN_PRIVATE = Terms(lasts=timedelta(minutes=60), answers=5)


@dataclass(slots=True)
class Window:
    """One message or event that may be answered.

    Args:
        id: the message's id, or the event's.
        kind: which of the two.
        closes_at: when it closes.
        left: answers that are left.
        used: numbers (`msg_seq`) that were used in it.
        unknown: whether the platform says that there never was such a message.
    """

    id: str
    kind: Kind
    closes_at: datetime
    left: int
    used: set[int] = field(default_factory=set[int])
    unknown: bool = False

    def is_open(self, now: datetime) -> bool:
        """Say whether there is an answer left in it."""
        return self.left > 0 and now < self.closes_at

    def close(self, *, unknown: bool = False) -> None:
        """The platform says that it is closed, or that it never was."""
        self.left = 0
        self.unknown = unknown


class Windows:
    """All windows of a kind of place.

    Args:
        terms: how long they are open.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._places: Recent[str, Recent[str, Window]] = Recent(PLACES)

    def open(self, place: str, id_: str, kind: Kind, at: datetime, now: datetime) -> None:
        """Note that something came which may be answered; what is known already stays as it is.

        Args:
            place: the group's or the person's id.
            id_: the message's or the event's id.
            kind: which of the two.
            at: its own moment.
            now: the present; a moment that lies ahead of it counts as now.
        """
        windows = self._places.get(place) or Recent[str, Window](WINDOWS)
        self._places.put(place, windows)
        if id_ and windows.get(id_) is None:
            closes = min(at, now) + self._terms.lasts - MARGIN
            windows.put(id_, Window(id_, kind, closes, self._terms.answers))

    def pick(self, place: str, now: datetime, key: str = "") -> Window | None:
        """Give the window to answer in: the one `key` names, else the newest message's, else the newest event's.

        Args:
            place: where.
            now: the present.
            key: the key of what is to be said, which names the fact it follows from; or a message's id.
        """
        found = sorted(self._open(place, now), key=lambda window: window.kind != "message")
        own = next((window for window in found if key and window.id in key), None)
        return own or next(iter(found), None)

    def get(self, place: str, id_: str) -> Window | None:
        """Give a window by its id, open or not."""
        windows = self._places.get(place)
        return windows.get(id_) if windows is not None else None

    def is_open(self, place: str, now: datetime, kind: Kind | None = None) -> bool:
        """Say whether anything, or anything of a kind, may be answered there now."""
        return any(kind is None or window.kind == kind for window in self._open(place, now))

    def shut(self, place: str) -> None:
        """Forget the windows of a place."""
        self._places.drop(place)

    def _open(self, place: str, now: datetime) -> Iterator[Window]:
        windows = self._places.get(place)
        return (window for window in windows.newest() if window.is_open(now)) if windows else iter(())


@dataclass(slots=True)
class Pin:
    """With what a key was sent, so that its repetition is known to the platform as one.

    Args:
        window: the window; None when it was said unasked, of which the platform keeps no account.
        seq: the number within the window.
        doubted: whether the answer of an earlier try was lost.
        ref: the message that came of it.
    """

    window: Window | None
    seq: int = 0
    doubted: bool = False
    ref: str = ""


class Pins:
    """What was sent with which key; bounded, and forgotten with the process."""

    def __init__(self) -> None:
        self._table: Recent[str, Pin] = Recent(KEYS)

    def get(self, key: str) -> Pin | None:
        """Give the pin of a key that was tried before."""
        return self._table.get(key)

    def into(self, window: Window, key: str) -> Pin:
        """Pin a key to a window, with a number nothing else in it has."""
        pin = Pin(window, number_of(key, window.used))
        window.used.add(pin.seq)
        self._table.put(key, pin)
        return pin

    def unasked(self, key: str) -> Pin:
        """Pin a key to no window."""
        pin = Pin(None)
        self._table.put(key, pin)
        return pin

    def drop(self, key: str) -> None:
        """Forget a key: nothing was sent with it."""
        self._table.drop(key)


def number_of(key: str, taken: set[int]) -> int:
    """Give a key's number (`msg_seq`), the same in every process; the next free one if that is taken."""
    number = int.from_bytes(sha256(key.encode()).digest()[:8]) % SEQUENCES
    while number + 1 in taken:
        number = (number + 1) % SEQUENCES
    return number + 1
