"""What each bot can do now, in each group: the sides of it that are within reach, less what was refused of late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from groupops import Capability
from groupops_wecom.bot import AiBot, AppBot, Bot
from groupops_wecom.faces import Faces, Kept
from groupops_wecom.memory import Memory
from groupops_wecom.profile import Profile, profiles, together
from groupops_wecom.rooms import Rooms, Side

PRESS_WINDOW = 5.0
"""Seconds in which a pressed card of an AI bot may be replaced (protocol sheet 2.7)."""

DENIED_FOR = 3600.0
"""Seconds for which what was refused for lack of a right is not tried again."""

SAYING = frozenset(
    {
        Capability.SEND_TEXT,
        Capability.REPLY,
        Capability.SEND_CARD,
        Capability.SEND_IMAGE,
        Capability.SEND_FILE,
    }
)


class Bots(Protocol):
    """Where the bots are."""

    def bot(self, self_id: str) -> Bot | None:
        """Give a bot of the configuration."""
        ...

    def bots(self) -> Iterator[Bot]:
        """Give all bots of the configuration."""
        ...

    def is_up(self, self_id: str) -> bool:
        """Say whether a bot is connected."""
        ...

    def robots(self) -> frozenset[str]:
        """Give the names of the webhook robots."""
        ...


@dataclass(slots=True)
class Standing:
    """All groups, all people, all bots.

    Args:
        bots: where the bots are.
        rooms: the groups.
        faces: the people.
        memory: what was heard of late.
    """

    bots: Bots
    rooms: Rooms
    faces: Faces
    memory: Memory
    sizes: Kept[str, int] = field(default_factory=lambda: Kept(20_000))
    """How many are in a group of the app's: every one who hears a message counts for its rate."""
    gone: Kept[tuple[str, str, str], None] = field(default_factory=lambda: Kept(20_000))
    """Sides WeCom said are not there, or not ours, until something comes from them again."""
    troubles: Kept[str, str] = field(default_factory=lambda: Kept(100))
    """What an operator has to set right, by the way of speaking it was found on."""
    _denied: Kept[tuple[str, Capability], float] = field(default_factory=lambda: Kept(20_000))

    # — what there is —

    def app(self) -> AppBot | None:
        """Give the app that writes to people: the first that is connected, else the first there is."""
        found = [bot for bot in self.bots.bots() if isinstance(bot, AppBot)]
        return next((bot for bot in found if self.bots.is_up(bot.self_id)), found[0] if found else None)

    def app_of(self, side: Side) -> AppBot | None:
        """Give the app that reaches a side."""
        bot = self.bots.bot(side.keeper)
        return bot if isinstance(bot, AppBot) else None

    def aibot_of(self, side: Side) -> AiBot | None:
        """Give the AI bot that reaches a side."""
        bot = self.bots.bot(side.keeper)
        return bot if isinstance(bot, AiBot) else None

    def archivist(self) -> AppBot | None:
        """Give the app that may ask for rooms of the archive."""
        found = (bot for bot in self.bots.bots() if isinstance(bot, AppBot) and bot.api.has("archive"))
        return next(found, None)

    def sides(self, room: str) -> tuple[Side, ...]:
        """Give the sides of a group that are not known to be gone."""
        return tuple(side for side in self.rooms.sides(room) if side.key not in self.gone)

    def reachable(self, room: str) -> tuple[Side, ...]:
        """Give the sides of a group that can be used now; all of them while nobody is connected at all."""
        sides = self.sides(room)
        return tuple(side for side in sides if self._is_up(side)) or sides

    def _is_up(self, side: Side) -> bool:
        match side.kind:
            case "robot":
                return side.native in self.bots.robots()
            case "archive":
                return True
            case _:
                return self.bots.is_up(side.keeper)

    # — asking —

    def profile(self, room: str) -> Profile:
        """Give what a group's sides, and the app, are able to do and to see together."""
        return together(self._names(room))

    def _names(self, room: str) -> list[str]:
        names: list[str] = []
        for side in self.reachable(room):
            names += self._modes(side)
        app = self.app()
        if app is not None:
            names.append("app" if app.info.callback else "app-sending")
        if any(
            isinstance(bot, AppBot) and bot.info.contacts_token.get_secret_value() for bot in self.bots.bots()
        ):
            names.append("contacts")
        return names

    def _modes(self, side: Side) -> list[str]:
        if side.kind == "aibot":
            bot = self.aibot_of(side)
            return [] if bot is None else ["aibot-link" if bot.link is not None else "aibot-url"]
        if side.kind == "archive":
            return ["archive", "archive-rooms"] if self.archivist() is not None else ["archive"]
        if side.kind in {"appchat", "customer"} and self.app_of(side) is None:
            return []
        return [side.kind] if side.kind in profiles() else []

    def can(self, room: str, now: float) -> frozenset[Capability]:
        """Give what can be done in a group now.

        Args:
            room: the group.
            now: the present, seconds since the epoch.
        """
        able = self.profile(room).can
        if len(self._denied):
            able -= frozenset(one for one in able if self._is_denied(room, one, now))
        if not self.pressed_in(room, now):
            able -= {Capability.UPDATE_CARD}
        return able - (SAYING & self._silenced(room))

    def hears(self, room: str) -> frozenset[str]:
        """Give the kinds of facts that arrive from a group now."""
        profile = self.profile(room)
        return profile.hears | profile.privately

    def fleeting(self, room: str) -> frozenset[Capability]:
        """Give what comes and goes by itself in a group."""
        return self.profile(room).fleeting | {Capability.UPDATE_CARD}

    def reaches(self, user: str) -> bool:
        """Say whether somebody can be written to: by the app, or by an AI bot they have spoken to."""
        return (self.app() is not None and self.faces.reaches(user)) or self.whisperer(user) is not None

    def whisperer(self, user: str) -> tuple[AiBot, str] | None:
        """Give the AI bot somebody has spoken to alone, which may write back, and the id it knows them by."""
        for bot in self.bots.bots():
            known = self.faces.known_to(bot.self_id, user)
            if isinstance(bot, AiBot) and known and bot.can_push(known):
                return bot, known
        return None

    def pressed_in(self, room: str, now: float) -> bool:
        """Say whether a card was pressed in a group so lately that it may be replaced."""
        open_cards = self.memory.open_cards
        found = (open_cards.get(task) for task in open_cards)
        return any(
            event is not None
            and self.rooms.room_of(event.chat_id) == room
            and now - event.received < PRESS_WINDOW
            for event in found
        )

    def _silenced(self, room: str) -> frozenset[Capability]:
        """Give what a bot on a callback URL can say nothing of now, and nobody else can in its place."""
        sides = self.reachable(room)
        mute = [side for side in sides if side.kind == "aibot" and self._is_mute(side)]
        if not mute:
            return frozenset()
        others = together(name for side in sides if side not in mute for name in self._modes(side))
        return together(name for side in mute for name in self._modes(side)).can - others.can

    def _is_mute(self, side: Side) -> bool:
        bot = self.aibot_of(side)
        return bot is not None and not bot.can_push(side.native)

    # — learning —

    def deny(self, room: str, what: Capability, now: float, lasts: float = DENIED_FOR) -> None:
        """Learn that something is not permitted, and do not try it for a while: `lasts` seconds."""
        self._denied.put((room, what), now + lasts)

    def _is_denied(self, room: str, what: Capability, now: float) -> bool:
        until = self._denied.get((room, what))
        return until is not None and now < until
