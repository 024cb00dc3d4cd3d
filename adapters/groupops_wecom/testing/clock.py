"""The time of the make-believe WeCom: it passes when a test says so."""

from __future__ import annotations

from datetime import timedelta

START = 1_767_232_800.0
"""2026-01-01 10:00 in China."""


class Clock:
    """A clock that stands still until it is put forward.

    Args:
        moment: seconds since 1970.
    """

    def __init__(self, moment: float = START) -> None:
        self.moment = moment

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self.moment

    def forward(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass."""
        self.moment += timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
