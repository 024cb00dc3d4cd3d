"""The sentences that scenarios may say: how things stand, what happens, what came of it."""

from __future__ import annotations

from functools import cache

from groupops.scenario.language import Registry
from groupops.scenario.steps import cases, happenings, outcomes, setting_up, talk


@cache
def registry() -> Registry:
    """Give all sentences there are."""
    return Registry((setting_up, talk, happenings, outcomes, cases))
