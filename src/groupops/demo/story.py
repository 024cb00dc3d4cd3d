"""Reads the demo's story: who is in it, and what they do when."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from groupops.demo.stage import Actor, Room
from groupops.errors import ConfigError
from groupops.people import Role

ZONE = ZoneInfo("Asia/Shanghai")

DEEDS = ("say", "whisper", "knock", "join", "card", "locate", "red_packet", "departs", "wait")
"""What a step may do."""

Step = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One chapter of the story.

    Args:
        title: its heading.
        day: the date it plays on.
        needs: plugins without which it makes no sense.
        steps: what happens, in order of time.
    """

    title: str
    day: datetime
    needs: tuple[str, ...]
    steps: tuple[Step, ...]

    def moment(self, step: Step) -> datetime:
        """Give when a step happens."""
        return datetime.combine(self.day, time.fromisoformat(step["at"]), ZONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The whole story.

    Args:
        title: its title.
        room: the group.
        here: where a location is sent from: longitude and latitude, GCJ-02.
        scenes: its chapters.
    """

    title: str
    room: Room
    here: tuple[float, float]
    scenes: tuple[Scene, ...]


def read_story(text: str) -> Story:
    """Read a story from TOML."""
    data = tomllib.loads(text)
    longitude, latitude = data["here"]
    return Story(
        title=data["title"],
        room=_room(data),
        here=(longitude, latitude),
        scenes=tuple(_scene(table) for table in data["scene"]),
    )


def _room(data: Mapping[str, Any]) -> Room:
    table: Mapping[str, Any] = data["room"]
    return Room(
        key=table["key"],
        platform=table["platform"],
        profile=table["profile"],
        name=table["name"],
        bot_role=Role(table["bot_role"]),
        cast={key: _actor(one) for key, one in data["cast"].items()},
        stewards=tuple(data["stewards"]),
        overrides=data["operator"],
    )


def _actor(table: Mapping[str, Any]) -> Actor:
    told = {key: value for key, value in table.items() if key != "role"}
    return Actor(**told, role=Role(table.get("role", "member")))


def _scene(table: Mapping[str, Any]) -> Scene:
    steps: list[Step] = [*map(_check_in, table.get("check_ins", ())), *table["steps"]]
    return Scene(
        title=table["title"],
        day=datetime.combine(table["day"], time(), ZONE),
        needs=tuple(table.get("needs", ())),
        steps=tuple(sorted(steps, key=lambda step: step["at"])),
    )


def _check_in(line: str) -> Step:
    """Read when, who and, where no location is sent, the words that are sent instead."""
    at, who, *words = line.split()
    deed = {"whisper": words[0]} if words else {"locate": True}
    return {"at": at, "who": who, "quiet": True, **deed}


def kind_of(step: Step) -> str:
    """Give what a step does.

    Raises:
        ConfigError: it does nothing that can be played.
    """
    for kind in DEEDS:
        if kind in step:
            return kind
    raise ConfigError(f"story, {step.get('at')}: nothing is done; expected one of {', '.join(DEEDS)}")
