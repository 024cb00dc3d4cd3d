"""What every reader of transcripts gives: who was in the group, what happened in order, and what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from groupops.events import Event, Listed
from groupops.people import GroupId

Precision = Literal["ms", "s", "min"]
"""How finely a transcript tells time."""

Identity = Literal["id", "name"]
"""Whether senders are stable ids or only the names that were shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something a reader of the report should know.

    Args:
        key: which text says it.
        values: what the text is filled in with.
    """

    key: str
    values: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a transcript says of itself.

    Args:
        group_id: the group, `<platform>:<native id>`.
        name: its name.
        timezone: zone in which local times were read; empty when the file does not say.
        precision: how finely it tells time.
        identity: whether senders are stable ids.
        private: True for a talk of two, which no group's rules govern.
        generator: what wrote the file.
    """

    group_id: GroupId
    name: str = ""
    timezone: str = ""
    precision: Precision = "s"
    identity: Identity = "id"
    private: bool = False
    generator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A transcript that was checked from end to end and can be replayed any number of times.

    Args:
        path: the file.
        head: what it says of itself.
        members: who is listed, with roles where it tells any.
        rows: lines read, comments and blank ones left out.
        kept: message lines that become facts.
        dropped: reason → message lines that do not.
        faults: what is wrong with the lines that were skipped, each with its number; only with `lenient`.
        remarks: what else a reader should know.
        hears: the kinds of events it is able to tell.
        roles_known: True when it says who owns and administers the group.
        senders: how many different senders.
        first, last: moments of the first and the last message.
        replay: gives the facts in order of time.
    """

    path: Path
    head: Head
    members: tuple[Listed, ...]
    rows: int
    kept: int
    dropped: Mapping[str, int]
    faults: tuple[str, ...]
    remarks: tuple[Remark, ...]
    hears: frozenset[str]
    roles_known: bool
    senders: int
    first: datetime | None
    last: datetime | None
    replay: Callable[[], Iterator[Event]]
