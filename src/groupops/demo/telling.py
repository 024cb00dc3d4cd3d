"""Plays the demo's story and prints it: who said what, what groupops did about it, and by which clause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from groupops.clock import SystemClock
from groupops.demo.keepsakes import Keepsakes
from groupops.demo.lines import cut, flat, folded
from groupops.demo.stage import Scenery
from groupops.demo.story import ZONE, Scene, Step, Story, kind_of
from groupops.events import Location
from groupops.people import AccountId, Role
from groupops.plugin import Texts, texts_of
from groupops.records import Case, Obligation, ObligationStatus, Ticket

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

LONGEST = 150
"""Signs of one saying of the bot that are told."""


@dataclass(slots=True)
class _Seen:
    """What was told already, so that only news are told."""

    requests: int = 0
    cases: dict[int, str] = field(default_factory=dict[int, str])
    owed: dict[int, str] = field(default_factory=dict[int, str])
    tickets: dict[int, str] = field(default_factory=dict[int, str])


@dataclass(slots=True)
class Telling:
    """Plays scenes and prints them.

    Args:
        stage: where they play.
        console: where to print.
        texts: the demo's texts.
        pace: seconds between two lines.
        kept: where files go.
    """

    stage: Scenery
    console: Console
    texts: Texts
    pace: float
    kept: Keepsakes
    here: tuple[float, float] = (0.0, 0.0)
    names: dict[str, str] = field(default_factory=dict[str, str])
    _seen: _Seen = field(default_factory=_Seen)
    _at: str = ""

    async def tell(self, story: Story, scenes: int | None = None) -> None:
        """Play all scenes, or the first ones."""
        self.here = story.here
        self.console.rule(f"[bold]{self.texts('head', title=story.title)}[/]")
        self.console.print(f"[dim]{self.texts('intro')}\n{self.texts('legend')}[/]", highlight=False)
        self.console.print(f"[dim]{self._stage_set()}[/]", highlight=False)
        for scene in story.scenes[:scenes]:
            await self._scene(scene)

    def _stage_set(self) -> str:
        """Say which plugins act and who is there."""
        stage = self.stage
        plan = stage.engine.plans.of(stage.room.group_id)
        manifests = stage.engine.parts.hooks.manifests
        acting = [manifests[name].title for name in plan.policy.enabled] if plan else []
        inside = sum(actor.inside for actor in stage.room.cast.values())
        cast = self.texts("roster", count=len(stage.roster), inside=inside)
        return f"{self.texts('plugins', plugins='、'.join(acting))}\n{cast}"

    async def _scene(self, scene: Scene) -> None:
        title = self.texts("scene", day=f"{scene.day:%m-%d}", title=scene.title)
        self.console.print(f"\n[bold reverse] {title} [/]", highlight=False)
        installed = self.stage.engine.parts.hooks.loaded
        missing = [plugin for plugin in scene.needs if plugin not in installed]
        if missing:
            self.console.print(f"  [dim]{self.texts('skipped', plugin='、'.join(missing))}[/]")
            return
        for step in scene.steps:
            await self._step(scene, step)

    async def _step(self, scene: Scene, step: Step) -> None:
        quiet = step.get("quiet", False)
        async for due in self.stage.until(scene.moment(step)):
            self._at = f"{due.astimezone(ZONE):%H:%M}"
            if not quiet:
                await self._clock_news()
        self._at = step["at"]
        before = len(await self.stage.engine.parts.records.cases())
        if not quiet:
            await self._say_who(step)
        await self._act(step)
        await self._remember(step, before)
        if quiet:
            await self._lines()  # taken, so that nobody hears of it later
        else:
            await self._news(silent_ok=kind_of(step) != "say")

    async def _clock_news(self) -> None:
        """Print what a moment brought by itself, if it brought anything."""
        lines = await self._lines()
        if lines:
            await self._row(self._at, f"[dim]{self.texts('clock')}[/]")
            await self._tell_lines(lines)

    # — what people do —

    async def _act(self, step: Step) -> None:
        kind = kind_of(step)
        match kind:
            case "wait":
                await self.stage.settle()
            case "departs":
                await self._departs(step["departs"])
            case _:
                who = self.stage.room.cast[step["who"]]
                await self.stage.tell(self._done(kind, who.account, who.name, step))

    def _done(self, kind: str, account: str, name: str, step: Step) -> Any:
        """Have somebody do something; gives the fact the platform tells of it."""
        sandbox, group = self.stage.sandbox, self.stage.room.key
        match kind:
            case "say":
                return sandbox.say(group, account, self._filled(step["say"]))
            case "whisper":
                return sandbox.whisper(group, account, self._filled(step["whisper"]))
            case "knock":
                return sandbox.knock(group, account, comment=step["knock"], name=name)
            case "join":
                inviter = self.stage.room.cast[step["join"]].account
                return sandbox.join(group, account, name=name, by=inviter, how="invite")
            case "card":
                return sandbox.card(group, account, step["card"])
            case "red_packet":
                return sandbox.red_packet(group, account, wish=step["red_packet"])
            case _:
                longitude, latitude = self.here
                place = Location(latitude=latitude, longitude=longitude, crs="gcj02")
                return sandbox.locate(group, account, place, private=True)

    async def _departs(self, name: str) -> None:
        """Have HR write into the roster that somebody left."""
        await self.stage.enrol(replace(line, active=False) for line in self.stage.roster if line.name == name)

    async def _remember(self, step: Step, before: int) -> None:
        """Keep the number of the case a step opened under the story's name for it; 0 when it opened none."""
        if "case" not in step:
            return
        cases = await self.stage.engine.parts.records.cases()
        fresh = len(cases) > before or kind_of(step) == "wait"
        self.names[step["case"]] = str(cases[-1].id) if cases and fresh else "0"

    def _filled(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace("{" + name + "}", value)
        return text

    async def _say_who(self, step: Step) -> None:
        if kind_of(step) == "wait":
            return
        actor = self.stage.room.cast.get(step.get("who", ""))
        name = self.texts("hr") if actor is None else actor.name
        colour = "dim" if actor is None else COLOURS.get(actor.role, "cyan")
        await self._row(self._at, f"[{colour}]{escape(name)}[/]  {escape(self._said(step))}")

    def _said(self, step: Step) -> str:
        kind = kind_of(step)
        if kind == "say":
            return self._filled(step["say"])
        value = step[kind]
        if kind == "join":
            value = self.stage.room.cast[value].name
        return self.texts(f"does.{kind}", what=self._filled(str(value)))

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
        """Tell why something that looked like an offence is none."""
        heard, self.stage.heard[:] = list(self.stage.heard), []
        for outcome in heard:
            for reason in outcome.ruling.pardons if outcome.ruling else ():
                yield escape(self.texts("pardoned", reason=reason))

    def _deeds(self) -> Iterator[str]:
        requests = self.stage.sandbox.world.requests
        fresh, self._seen.requests = requests[self._seen.requests :], len(requests)
        told: dict[str, list[str]] = {}
        for request in fresh:
            told.setdefault(self._deed(request), []).append(self._whom(request.action))
        for text, names in told.items():
            yield escape(text.replace("{name}", "、".join(dict.fromkeys(filter(None, names)))))

    def _deed(self, request: Any) -> str:
        action = request.action
        key = f"did.{action.kind}"
        known = self.texts.keys()
        text = self.texts(
            key if key in known else "did.other",
            text=cut(flat(getattr(action, "text", "")), LONGEST),
            card=getattr(action, "card", ""),
            file=(self.kept.keep(action) if request.done else None) or "",
            kind=action.kind,
        )
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
        owed = [
            one
            for one in await records.obligations()
            if _changed(seen.owed, one.id, one.status.value) and one.status is not ObligationStatus.OPEN
        ]
        tickets = [
            ticket
            for ticket in await records.tickets(open_only=False)
            if not ticket.subject and _changed(seen.tickets, ticket.id, ticket.closed_by) and ticket.closed_at
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
        """Tell that a ticket is closed; that it was opened its stewards were told already."""
        return f"[green]{escape(self.texts('ticket.closed', id=ticket.id))}[/]"

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


def _changed(seen: dict[int, str], number: int, now: str) -> bool:
    """Say whether a row is not as it was last told, and remember how it is now."""
    before = seen.get(number)
    seen[number] = now
    return before != now
