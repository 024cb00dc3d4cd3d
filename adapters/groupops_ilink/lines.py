"""How each bot's line to iLink is: whether it is heard, throttled, or its token has gone stale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_PAUSE = timedelta(hours=1)
"""How long a throttled bot is left alone at most: that long it was seen to take to recover."""

IN_A_ROW = 3
FACTOR = 15
"""After so many failures in a row it is waited so many times longer (2 s become 30 s)."""


@dataclass(slots=True)
class Line:
    """One bot's line.

    Args:
        account: the bot's id.
        token: its token.
        online: whether the adapter runs it.
        since: since when it is as it is.
        heard_at: when iLink last answered.
        note: what is wrong; empty when nothing is.
        failures: receptions that failed in a row.
        rest_until: nothing is received before that.
        mute_until: nothing is sent before that.
        pause: how long the last throttling was heeded; nothing when it is over.
        stale: whether the token no longer counts.
    """

    account: str
    token: str
    online: bool = False
    since: datetime | None = None
    heard_at: datetime | None = None
    note: str = ""
    failures: int = 0
    rest_until: datetime | None = None
    mute_until: datetime | None = None
    pause: timedelta = timedelta()
    stale: bool = False

    @property
    def up(self) -> bool:
        """Whether the bot can act."""
        return self.online and not self.note

    def heard(self, now: datetime) -> None:
        """ILink answered as it should."""
        if self.note:
            self.since = now
        self.heard_at, self.note, self.failures, self.rest_until, self.stale = now, "", 0, None, False

    def failed(self, why: str, now: datetime, retry: timedelta) -> None:
        """Nothing was received."""
        self.failures += 1
        self.rest_until = now + (retry * FACTOR if self.failures >= IN_A_ROW else retry)
        if self.failures >= IN_A_ROW and not self.note:
            self.note, self.since = why, now

    def spoiled(self, now: datetime, rest: timedelta) -> None:
        """The token no longer counts: nothing is asked of iLink for a while, and a human has to log in anew."""
        self.stale, self.rest_until = True, now + rest
        if not self.note:
            self.since = now
        self.note = "the token is stale (-14): log in by QR code again and set the new token"

    def throttled(self, now: datetime, first: timedelta) -> timedelta:
        """ILink wants less: leave it alone, twice as long as the last time; gives for how long."""
        self.pause = min(self.pause * 2, LONGEST_PAUSE) if self.pause else first
        self.mute_until = now + self.pause
        return self.pause

    def sent(self) -> None:
        """A message was taken: it is over with the throttling."""
        self.pause, self.mute_until = timedelta(), None

    def is_mute(self, now: datetime) -> bool:
        """Say whether nothing is to be sent now."""
        return self.mute_until is not None and now < self.mute_until
