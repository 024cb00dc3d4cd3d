"""Facts that were found out by asking, on their way into NoneBot's road as everything that is told."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from groupops_wecom.event import Event


class Told(Event):
    """Something found out: a list that was read, a message of the archive, a check-in.

    Args:
        facts: the facts, in order.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    facts: tuple[Any, ...] = Field(default=(), repr=False)
