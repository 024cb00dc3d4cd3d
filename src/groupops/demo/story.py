"""Plays the demo's story and prints it: who said what, what groupops did about it, and by which clause."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from groupops.clock import SystemClock
from groupops.demo.stage import Room, Scenery, scenery
from groupops.errors import ConfigError
from groupops.events import MemberLeft
from groupops.people import AccountId, Role
from groupops.plugin import Texts, texts_of
from groupops.records import Case, Obligation, Ticket
from groupops.shelf import Pack

ZONE = ZoneInfo("Asia/Shanghai")

COLOURS: Mapping[Role, str] = {Role.OWNER: "magenta", Role.ADMIN: "blue"}
"""Colour of a name by the role its account has in the group."""

STATUS_COLOURS: Mapping[str, str] = {
    "effective": "yellow",
    "proposed": "yellow",
    "flagged": "yellow",
    "reversed": "green",
    "waived": "green",
    "dismissed": "green",
    "withdrawn": "green",
    "satisfied": "green",
    "excused": "green",
    "missed": "red",
}

Step = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One chapter of the story.

    Args:
        title: its heading.
        day: the date it plays on.
        where: the group it plays in unless a step says otherwise.
        needs: plugins without which it makes no sense.
        steps: what happens, in order of time.
    """

    title: str
    day: datetime
    where: str
    needs: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The whole story.

    Args:
        title: its title.
        rooms: the groups.
        stewards: accounts that decide.
        scenes: its chapters.
    """

    title: str
    rooms: tuple[Room, ...]
    stewards: tuple[str, ...]
    scenes: tuple[Scene, ...]


def read_story(text: str) -> Story:
    """Read a story from TOML."""
    data = tomllib.loads(text)
    return Story(
        title=data["title"],
        stewards=tuple(data["stewards"]),
        rooms=tuple(_room(key, table) for key, table in data["room"].items()),
        scenes=tuple(_scene(table) for table in data["scene"]),
    )


def _room(key: str, table: Mapping[str, Any]) -> Room:
    return Room(
        key=key,
        platform=table["platform"],
        profile=table["profile"],
        name=table["name"],
        bot_role=Role(table["bot_role"]),
        cast={native: (name, Role(role)) for native, (name, role) in table["cast"].items()},
    )


def _scene(table: Mapping[str, Any]) -> Scene:
    return Scene(
        title=table["title"],
        day=datetime.combine(table["day"], time(), ZONE),
        where=table.get("where", "work"),
        needs=tuple(table.get("needs", ())),
        steps=tuple(table["step"]),
    )


async def play(console: Console, pack: Pack, pace: float, *, scenes: int | None = None) -> None:
    """Play the story that ships with the demo.

    Args:
        console: where to print.
        pack: the rules of its groups.
        pace: seconds between two lines.
        scenes: how many scenes to play; all if not given.
    """
    story = read_story(resources.files(__package__ or "").joinpath("story.toml").read_text("utf-8"))
    async with scenery(story.rooms, pack, story.stewards, story.scenes[0].day) as stage:
        await Telling(stage, console, texts_of("groupops.demo"), pace).tell(story, scenes)


@dataclass(slots=True)
class _Seen:
    """What was told already, so that only news are told."""

    requests: dict[str, int] = field(default_factory=dict[str, int])
    cases: dict[int, str] = field(default_factory=dict[int, str])
    owed: dict[int, str] = field(default_factory=dict[int, str])
    tickets: dict[int, str] = field(default_factory=dict[int, str])


@dataclass(slots=True)
class Telling:
    """Plays scenes and prints them."""

    stage: Scenery
    console: Console
    texts: Texts
    pace: float
    names: dict[str, str] = field(default_factory=dict[str, str])
    _seen: _Seen = field(default_factory=_Seen)
    _at: str = ""

    async def tell(self, story: Story, scenes: int | None = None) -> None:
        """Play all scenes, or the first ones."""
        self.console.rule(f"[bold]{self.texts('head', title=story.title)}[/]")
        self.console.print(f"[dim]{self.texts('intro')}\n{self.texts('legend')}[/]")
        for scene in story.scenes[:scenes]:
            await self._scene(scene)

    async def _scene(self, scene: Scene) -> None:
        title = self.texts("scene", day=f"{scene.day:%m-%d}", title=scene.title)
        self.console.print(f"\n[bold reverse] {title} [/]")
        installed = self.stage.engine.parts.hooks.loaded
        missing = [plugin for plugin in scene.needs if plugin not in installed]
        if missing:
            self.console.print(f"  [dim]{self.texts('skipped', plugin='、'.join(missing))}[/]")
            return
        for step in scene.steps:
            await self._step(scene, step)

    async def _step(self, scene: Scene, step: Step) -> None:
        hour, minute = map(int, step["at"].split(":"))
        moment = scene.day.replace(hour=hour, minute=minute)
        async for due in self.stage.until(moment):
            self._at = f"{due.astimezone(ZONE):%H:%M}"
            await self._clock_news()
        self._at = step["at"]
        await self._act(step, step.get("where", scene.where))
        await self._news(silent_ok=kind_of(step) != "say")

    async def _clock_news(self) -> None:
        """Print what a moment brought by itself, if it brought anything."""
        lines = await self._lines()
        if lines:
            await self._row(self._at, f"[dim]{self.texts('clock')}[/]")
            await self._tell_lines(lines)

    # — what people do —

    async def _act(self, step: Step, where: str) -> None:
        sandbox, who = self.stage.of(where), step.get("who", "")
        kind = kind_of(step)
        await self._say_who(step, where, kind)
        before = len(await self.stage.engine.parts.records.cases())
        value = self._filled(step[kind]) if isinstance(step[kind], str) else step[kind]
        match kind:
            case "say":
                await self._say(sandbox, where, who, value, step)
            case "whisper":
                await self.stage.tell(sandbox.whisper(where, who, value))
            case "recall":
                await self.stage.tell(sandbox.recall(where, self.names[step["recall"]], by=who))
            case "leave":
                sandbox.leave(where, who)
                sandbox.take()  # WeChat announces to nobody that somebody left
            case "remove":
                sandbox.remove(where, value, by=who)
                sandbox.take()  # and only to the one who removed that somebody was removed
            case _:
                await self.stage.tell(sandbox.census(where))
        await self._remember(step, before)

    async def _say(self, sandbox: Any, where: str, who: str, text: str, step: Step) -> None:
        quote = self.names[step["quote"]] if "quote" in step else ""
        event = sandbox.say(where, who, text, mentions=step.get("mention", ()), quote=quote)
        if event is not None and "label" in step:
            self.names[step["label"]] = event.message_id
        await self.stage.tell(event)

    async def _remember(self, step: Step, before: int) -> None:
        """Keep under the names the story uses what it will speak of later; a case that was not opened is number 0."""
        records = self.stage.engine.parts.records
        if "case" in step:
            cases = await records.cases()
            self.names[step["case"]] = str(cases[-1].id) if len(cases) > before else "0"
        if "owed" in step:
            owed = await records.obligations()
            self.names[step["owed"]] = str(owed[-1].id) if owed else "0"
        if "code" in step:
            self.names[step["code"]] = self._last_code()

    def _last_code(self) -> str:
        letters = [letter for sandbox in self.stage.sandboxes.values() for letter in sandbox.world.letters]
        found = _CODE.search(max(letters, key=lambda letter: letter.at).post.text) if letters else None
        return found[0] if found else ""

    def _filled(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace("{" + name + "}", value)
        return text

    async def _say_who(self, step: Step, where: str, kind: str) -> None:
        room = self.stage.rooms[where]
        who = step.get("who", "")
        name, role = room.cast.get(who, (self.texts("clock"), Role.MEMBER))
        colour = COLOURS.get(role, "cyan") if who else "dim"
        said = escape(self._said(step, room, kind))
        place = "" if kind == "whisper" else f"[dim]{escape(room.name)}[/] "
        await self._row(self._at, f"{place}[{colour}]{escape(name)}[/]  {said}")

    def _said(self, step: Step, room: Room, kind: str) -> str:
        value = self._filled(step[kind]) if isinstance(step[kind], str) else ""
        named = "".join(f"@{room.cast[one][0]} " for one in step.get("mention", ()))
        match kind:
            case "say" if "quote" in step:
                return self.texts("quoting", quoted=self._words(room, step["quote"]), text=named + value)
            case "say":
                return named + value
            case "whisper":
                return self.texts("private", text=value)
            case "recall":
                return self.texts("recall", text=self._words(room, step["recall"]))
            case "remove":
                return self.texts("remove", name=room.cast[value][0])
            case _:
                return self.texts(kind)

    def _words(self, room: Room, label: str) -> str:
        post = self.stage.of(room.key).world.post_of(room.key, self.names[label])
        return _short(post.text)

    # — what groupops did —

    async def _news(self, *, silent_ok: bool) -> None:
        """Print what came of a step; that a harmless word is answered by nothing is said, too."""
        lines = await self._lines()
        if not lines and not silent_ok:
            lines = [f"[dim]{self.texts('nothing')}[/]"]
        await self._tell_lines(lines)

    async def _lines(self) -> list[str]:
        return [*self._facts(), *self._deeds(), *await self._records()]

    async def _tell_lines(self, lines: list[str]) -> None:
        for line in lines:
            await self._row("", line, arrow=True)

    def _facts(self) -> Iterator[str]:
        """Tell what groupops found out by itself."""
        heard, self.stage.heard[:] = list(self.stage.heard), []
        for outcome in heard:
            event = outcome.event
            for reason in outcome.ruling.pardons if outcome.ruling else ():
                yield escape(self.texts("pardoned", reason=reason))
            if isinstance(event, MemberLeft) and event.inferred:
                yield escape(self.texts("left", name=self.stage.name(event.account)))

    def _deeds(self) -> Iterator[str]:
        for platform, sandbox in self.stage.sandboxes.items():
            requests = sandbox.world.requests
            start = self._seen.requests.get(platform, 0)
            self._seen.requests[platform] = len(requests)
            told: dict[str, list[str]] = {}
            for request in requests[start:]:
                told.setdefault(self._deed(request), []).append(self._whom(request.action))
            for text, names in told.items():
                yield escape(text.replace("{name}", "、".join(dict.fromkeys(filter(None, names)))))

    def _deed(self, request: Any) -> str:
        action = request.action
        minutes = int(action.span.total_seconds() // 60) if action.kind == "mute" else 0
        key = f"did.{action.kind}"
        told = self.texts.keys()
        known = key if key in told else "did.other"
        text = self.texts(known, text=_flat(getattr(action, "text", "")), minutes=minutes, kind=action.kind)
        return text if request.done else self.texts("did.failed", what=text)

    def _whom(self, action: Any) -> str:
        account: AccountId | None = getattr(action, "account", None)
        return self.stage.name(account) if account else ""

    async def _records(self) -> list[str]:
        """Tell what changed in the record."""
        records, seen = self.stage.engine.parts.records, self._seen
        cases = [
            case
            for case in await records.cases()
            if _changed(seen.cases, case.id, f"{case.status.value} {len(case.decisions)}")
        ]
        owed = [one for one in await records.obligations() if _changed(seen.owed, one.id, one.status.value)]
        tickets = [
            ticket
            for ticket in await records.tickets(open_only=False)
            if not ticket.subject and _changed(seen.tickets, ticket.id, ticket.closed_by)
        ]
        return [*map(self._case, cases), *map(self._owed, owed), *map(self._ticket, tickets)]

    def _case(self, case: Case) -> str:
        core = texts_of("groupops")
        colour = STATUS_COLOURS.get(case.status.value, "white")
        status = f"[{colour}]{core(f'status.{case.status.value}')}[/]"
        step = self.texts("case.step", step=core(f"step.{case.step}")) if case.step else ""
        text = self.texts(
            "case",
            id=case.id,
            name=self.stage.name(case.account),
            reason=case.reason,
            clause=case.clause.ref if case.clause else "",
            status="\0",
            step=step,
        )
        return escape(text).replace("\0", status)

    def _owed(self, owed: Obligation) -> str:
        colour = STATUS_COLOURS.get(owed.status.value, "white")
        status = f"[{colour}]{texts_of('groupops')(f'obligation.{owed.status.value}')}[/]"
        text = self.texts(
            "owed", id=owed.id, name=self.stage.name(owed.account), title=owed.title, status="\0"
        )
        return escape(text).replace("\0", status)

    def _ticket(self, ticket: Ticket) -> str:
        if not ticket.closed_at:
            return f"[yellow]{escape(self.texts('ticket.opened', id=ticket.id, text=_flat(ticket.text)))}[/]"
        key = "ticket.closed" if ticket.closed_by == "list" else "ticket.closed_by"
        return f"[green]{escape(self.texts(key, id=ticket.id))}[/]"

    # — printing —

    async def _row(self, at: str, text: str, *, arrow: bool = False) -> None:
        """Print one line; what does not fit goes on below its own beginning."""
        label = 5 if not arrow else 7
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=label, justify="right")
        grid.add_column(no_wrap=True, overflow="ignore")
        lines = folded(Text.from_markup(text), self.console.width - label - 2)
        grid.add_row(f"[dim]{at or '↳'}[/]", Text("\n").join(lines))
        self.console.print(grid, highlight=False)
        if self.pace:
            await SystemClock().sleep(self.pace)


_DEEDS = ("say", "whisper", "recall", "leave", "remove", "census")
_CODE = re.compile(r"[A-Z2-9]{4}-[A-Z2-9]{6}")


def folded(text: Text, width: int) -> Iterable[Text]:
    """Break a text into lines of at most `width` cells, between any two signs but not inside a word of ASCII."""
    breaks: list[int] = []
    start = used = 0
    for place, sign in enumerate(text.plain):
        used += cell_len(sign)
        if used > width:
            start = _break(text.plain, start, place)
            breaks.append(start)
            used = cell_len(text.plain[start : place + 1])
    return text.divide(breaks)


def _break(plain: str, start: int, place: int) -> int:
    """Give the last place from which a line may go on below, or `place` where one word fills the line."""
    back = place
    while back > start and _in_word(plain[back - 1]) and _in_word(plain[back]):
        back -= 1
    return back if back > start else place


def _in_word(sign: str) -> bool:
    return sign.isascii() and not sign.isspace()


def _changed(seen: dict[int, str], number: int, now: str) -> bool:
    """Say whether a row is not as it was last told, and remember how it is now."""
    before = seen.get(number)
    seen[number] = now
    return before != now


def kind_of(step: Step) -> str:
    """Give what a step does.

    Raises:
        ConfigError: it does nothing that can be played.
    """
    for kind in _DEEDS:
        if kind in step:
            return kind
    raise ConfigError(f"story, {step.get('at')}: nothing is done; expected one of {', '.join(_DEEDS)}")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _short(text: str) -> str:
    flat = _flat(text)
    return flat if len(flat) <= 16 else f"{flat[:15]}…"  # noqa: PLR2004 - as much as names a message
