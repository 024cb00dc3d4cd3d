"""All that this plugin has to know of a group's policy, made once and shared by groups that are alike."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from weakref import WeakValueDictionary

from groupops import Policy, Texts, Window, WorkCalendar
from groupops_welcome.card import CardRule, card_rule
from groupops_welcome.rulebook import RuleBook, rulebook

_HOPS = 32
"""Windows that follow upon each other without a gap; more are a group that always rests."""


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class View:
    """What applies in a group.

    Args:
        book: its clauses.
        card: what is asked of cards.
        titles: the regulations' titles.
        purpose: what the group is for, in words.
        quiet: windows in which the bot says nothing unasked.
    """

    book: RuleBook = field(default_factory=RuleBook)
    card: CardRule = field(default_factory=CardRule)
    titles: tuple[str, ...] = ()
    purpose: str = ""
    quiet: tuple[Window, ...] = ()

    def speaks_at(self, moment: datetime, zone: tzinfo, calendar: WorkCalendar) -> datetime:
        """Give the first moment from `moment` (aware) on at which no window asks for silence."""
        local = moment.astimezone(zone)
        for _ in range(_HOPS):
            ends = [window.ends_at(local, calendar) for window in self.quiet]
            latest = max((end for end in ends if end is not None), default=None)
            if latest is None:
                break
            local = latest
        return moment if local == moment else local


@dataclass(slots=True)
class Views:
    """Views that are in use, so that ten thousand groups under one pack keep one."""

    _made: WeakValueDictionary[int, View] = field(default_factory=WeakValueDictionary[int, View])

    def of(self, policy: Policy, texts: Texts) -> View:
        """Give what a policy comes to."""
        made = View(
            book=rulebook(policy.clauses, policy.inactive),
            card=card_rule(policy, texts),
            titles=policy.titles,
            purpose=_purpose(policy, texts),
            quiet=_windows(policy),
        )
        found = self._made.get(hash(made))
        if found is not None and found == made:
            return found
        self._made[hash(made)] = made
        return made


def _purpose(policy: Policy, texts: Texts) -> str:
    said = policy.group.purpose_text.strip()
    key = f"purpose.{policy.group.purpose}"
    return said or (texts(key) if policy.group.purpose and texts.has(key) else "")


def _windows(policy: Policy) -> tuple[Window, ...]:
    """Read when the group rests, from the settings of the plugin that says so, if there is one."""
    rest: Any = policy.settings.get("quiet_hours")
    if "quiet_hours" not in policy.enabled or not getattr(rest, "defer_bot_messages", True):
        return ()
    windows: Iterable[object] = getattr(rest, "rest", ())
    return tuple(window for window in windows if isinstance(window, Window))
