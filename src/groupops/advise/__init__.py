"""Looks after a group without a bot: reads what people export, and advises what humans are to do about it."""

from groupops.advise.findings import Advice, Closed, Duty, Finding, Notice, RosterLine, Step
from groupops.advise.inbox import watch
from groupops.advise.session import Wanted, advise, say
from groupops.advise.show import as_json, as_notices, as_page, as_text

__all__ = [
    "Advice",
    "Closed",
    "Duty",
    "Finding",
    "Notice",
    "RosterLine",
    "Step",
    "Wanted",
    "advise",
    "as_json",
    "as_notices",
    "as_page",
    "as_text",
    "say",
    "watch",
]
