"""Plays scenarios on the make-believe platform with the stopped clock, and reports step by step."""

from __future__ import annotations

import asyncio
import json as jsonlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Protocol

from groupops.errors import GroupOpsError, ScenarioError
from groupops.hooks import Hooks
from groupops.scenario import seeing
from groupops.scenario.language import Registry, Said
from groupops.scenario.reading import Line, Scenario, files, read_file
from groupops.scenario.stage import Missing, Stageplay, Unmet, default_setup
from groupops.scenario.steps import registry as known_steps
from groupops.scenario.words import profile_named, profile_names

StepMark = Literal["done", "passed_over", "failed", "not_reached"]
Verdict = Literal["passed", "failed", "skipped"]

MARKS: Mapping[StepMark, str] = {"done": "✓", "passed_over": "·", "failed": "✗", "not_reached": " "}

BASE_PROFILE = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A step that was played.

    Args:
        line: the step.
        mark: what came of it; `passed_over` = its condition does not hold on this profile.
        why: what was wrong.
    """

    line: Line
    mark: StepMark
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one scenario on one profile.

    Args:
        scenario: which.
        profile: on which.
        verdict: passed, failed, or skipped for want of a plugin.
        steps: its steps, in order.
        why: why it failed or was skipped.
        missing: plugins for want of which it was skipped.
    """

    scenario: Scenario
    profile: str
    verdict: Verdict
    steps: tuple[Played, ...] = ()
    why: str = ""
    missing: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {
            "file": str(self.scenario.path),
            "line": self.scenario.line,
            "title": self.scenario.title,
            "tags": sorted(self.scenario.tags),
            "profile": self.profile,
            "verdict": self.verdict,
            "why": self.why,
            "missing": list(self.missing),
            "steps": [
                {
                    "line": step.line.number,
                    "text": f"{step.line.keyword} {step.line.text}",
                    "mark": step.mark,
                    "why": step.why,
                }
                for step in self.steps
            ],
        }


@dataclass(slots=True, kw_only=True)
class Report:
    """What came of all scenarios.

    Args:
        results: one for each scenario and profile, in the order played.
    """

    results: list[Result] = field(default_factory=list[Result])

    def count(self, verdict: Verdict) -> int:
        """Say how many ended so."""
        return sum(1 for result in self.results if result.verdict == verdict)

    @property
    def line(self) -> str:
        """The last line of a run."""
        return (
            f"{self.count('passed')} passed, {self.count('failed')} failed, {self.count('skipped')} skipped"
        )

    @property
    def waiting(self) -> Mapping[str, int]:
        """Plugin that is still to come → how many scenarios wait for it; the most wanted first."""
        found = Counter(name for result in self.results for name in result.missing)
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    @property
    def waiting_line(self) -> str:
        """Say which plugins the skipped scenarios wait for; empty when none was skipped."""
        told = ", ".join(f"{name} {count}" for name, count in self.waiting.items())
        return f"skipped, waiting for: {told}" if told else ""

    @property
    def ok(self) -> bool:
        """True when none failed."""
        return not self.count("failed")


class Watcher(Protocol):
    """Told of every step while scenarios are played; the demo's timeline and the terminal are two."""

    def begins(self, scenario: Scenario, profile: str) -> None:
        """A scenario begins."""
        ...

    def played(self, step: Played, stage: Stageplay) -> None:
        """A step was played; `stage` can be looked at."""
        ...

    def ended(self, result: Result) -> None:
        """A scenario ended."""
        ...


def installed_plugins() -> Mapping[str, ModuleType]:
    """Give the plugins that are installed here: name → module."""
    hooks = Hooks()
    hooks.load_all()
    return {name: one.module for name, one in hooks.loaded.items()}


def load(paths: Iterable[Path], registry: Registry | None = None) -> tuple[Scenario, ...]:
    """Read all scenarios in files and folders.

    Raises:
        ScenarioError: a path, a file or a sentence is wrong.
    """
    steps = registry or known_steps()
    return tuple(scenario for path in files(paths) for scenario in read_file(path, steps))


async def play(
    paths: Iterable[Path],
    profile: str | None = None,
    *,
    extra: Mapping[str, ModuleType] | None = None,
    watcher: Watcher | None = None,
) -> Report:
    """Play all scenarios in files and folders.

    Args:
        paths: the files and folders.
        profile: the one profile to play on; None: each scenario on those it says outcomes for.
        extra: plugins that are not installed, by name.
        watcher: told of every step.

    Raises:
        ScenarioError: a path, a file, a sentence or the profile is wrong.
    """
    if profile is not None:
        profile_named(profile)
    report = Report()
    plugins = {**installed_plugins(), **(extra or {})}
    for scenario in load(paths):
        for chosen in chosen_profiles(scenario, plugins, profile):
            report.results.append(await play_one(scenario, chosen, plugins=plugins, watcher=watcher))
    return report


def chosen_profiles(
    scenario: Scenario, plugins: Collection[str], profile: str | None = None
) -> tuple[str, ...]:
    """Give the profiles a scenario is played on: the one asked for, else those it says outcomes for.

    One that cannot be played for want of a plugin is skipped once, not once for each profile.
    """
    if profile is not None:
        return (profile,) if profile in (scenario.only or (profile,)) else ()
    return scenario.profiles(profile_names()) if scenario.needs <= set(plugins) else (BASE_PROFILE,)


async def play_one(
    scenario: Scenario,
    profile: str = BASE_PROFILE,
    *,
    plugins: Mapping[str, ModuleType] | None = None,
    watcher: Watcher | None = None,
) -> Result:
    """Play one scenario on one profile.

    Args:
        scenario: which.
        profile: on which.
        plugins: the plugins there are, by name; None: those that are installed.
        watcher: told of every step.
    """
    there = installed_plugins() if plugins is None else plugins
    missing = sorted(scenario.needs - set(there))
    if missing:
        result = Result(
            scenario=scenario,
            profile=profile,
            verdict="skipped",
            why=f"needs {', '.join(missing)}, not installed",
            missing=tuple(missing),
        )
    else:
        if watcher is not None:
            watcher.begins(scenario, profile)
        result = await _Playing(scenario, profile, watcher).run(there)
    if watcher is not None:
        watcher.ended(result)
    return result


@dataclass(slots=True)
class _Playing:
    """One scenario on one profile."""

    scenario: Scenario
    profile: str
    watcher: Watcher | None
    steps: list[Played] = field(default_factory=list[Played])
    after_outcome: bool = True

    async def run(self, plugins: Mapping[str, ModuleType]) -> Result:
        """Play all steps up to the first that fails."""
        stage = Stageplay(default_setup(self.scenario.path.parent), self.profile, plugins)
        why = ""
        try:
            for line in self.scenario.lines:
                why = await self._step(line, stage)
                if why:
                    break
            why = why or await self._at_the_end(stage)
        finally:
            await stage.close()
        rest = self.scenario.lines[len(self.steps) :]
        self.steps += [Played(line=line, mark="not_reached") for line in rest]
        return Result(
            scenario=self.scenario,
            profile=self.profile,
            verdict="failed" if why else "passed",
            steps=tuple(self.steps),
            why=why,
        )

    async def _step(self, line: Line, stage: Stageplay) -> str:
        mark: StepMark = "done"
        why = ""
        try:
            mark = await self._do(line, stage)
        except Missing as error:
            mark = "passed_over" if stage.blind else "failed"
            why = "" if stage.blind else str(error)
        except (Unmet, GroupOpsError, ValueError) as error:
            mark, why = "failed", str(error)
        except Exception as error:  # noqa: BLE001 - a plugin's or the core's bug is what scenarios are for
            mark, why = "failed", f"{type(error).__name__}: {error}"
        played = Played(line=line, mark=mark, why=why)
        self.steps.append(played)
        if self.watcher is not None:
            self.watcher.played(played, stage)
        return f"{self.scenario.path}:{line.number}: {line.keyword} {line.text}: {why}" if why else ""

    async def _do(self, line: Line, stage: Stageplay) -> StepMark:
        said = line.said
        stage.here = said.group or stage.here
        if said.step.kind == "then":
            return await self._look(line, stage)
        if self.after_outcome and said.step.kind == "when" and stage.open:
            await stage.set_mark()
        self.after_outcome = self.after_outcome and said.step.kind == "given"
        if said.at is not None:
            await stage.go_to(said.at)
        await _call(line, stage)
        return "done"

    async def _look(self, line: Line, stage: Stageplay) -> StepMark:
        self.after_outcome = True
        if stage.blind or not self._applies(line.said, stage):
            return "passed_over"
        await _call(line, stage)
        stage.looked += 1
        return "done"

    def _applies(self, said: Said, stage: Stageplay) -> bool:
        if not said.conditions:
            return True
        can = {str(one) for one in stage.can()}
        return all(condition.holds(can, self.profile) for condition in said.conditions)

    async def _at_the_end(self, stage: Stageplay) -> str:
        """A scenario must have looked at something; where nothing could be seen, nothing may have happened."""
        if stage.blind:
            return await _nothing_was_done(stage)
        if not stage.looked:
            return f"{self.scenario.path}:{self.scenario.line}: no outcome was looked at on {self.profile}"
        return ""


async def _call(line: Line, stage: Stageplay) -> None:
    more: dict[str, Any] = {}
    if line.said.step.takes == "table":
        more["table"] = list(line.table)
    if line.said.step.takes == "doc":
        more["doc"] = line.doc
    here = stage.here
    await line.said.step.call(stage, *line.said.values, **more)
    stage.here = here if not line.said.group else _home(stage)


def _home(stage: Stageplay) -> str:
    return next(iter(stage.setup.places))


async def _nothing_was_done(stage: Stageplay) -> str:
    """On a platform that does not see what it would take: no case, nobody touched, no word unasked."""
    cases = await stage.records.cases()
    if cases:
        return f"nothing should have happened, but there is a case: {seeing.bitten(cases[-1])}"
    done = [
        one
        for platform in stage.platforms
        for one in platform.world.requests
        if one.done and one.action.bites
    ]
    if done:
        return f"nothing should have happened, but somebody met: {done[-1].action.kind}"
    unasked = [
        one for one in await seeing.sent(stage, whole_story=True) if one.purpose not in ("answer", "steward")
    ]
    return f"nothing should have happened, but the bot said: {unasked[-1].text!r}" if unasked else ""


# — the terminal —


class Terminal:
    """Prints scenarios as they are played.

    Args:
        show: prints one line with a style (rich's `Console.print` behind it).
        profiles: True to name the profile behind each title.
    """

    def __init__(self, show: Callable[[str, str], None]) -> None:
        self._show = show

    def begins(self, scenario: Scenario, profile: str) -> None:
        """Print the title."""
        self._show(f"\n{scenario.title}  [{profile}]  {scenario.path}:{scenario.line}", "bold")

    def played(self, step: Played, stage: Stageplay) -> None:
        """Print the step with its mark and the moment at which it was played."""
        style = {"done": "green", "passed_over": "dim", "failed": "red"}.get(step.mark, "")
        self._show(
            f"  {MARKS[step.mark]} {stage.now:%m-%d %H:%M:%S}  {step.line.keyword} {step.line.text}", style
        )
        if step.why:
            self._show(f"      {step.why}", "red")

    def ended(self, result: Result) -> None:
        """Print why a scenario was skipped, or what was wrong with it as a whole."""
        if result.verdict == "skipped":
            where = f"{result.scenario.path}:{result.scenario.line}"
            self._show(f"- {result.scenario.title}  {where}  skipped: {result.why}", "yellow")
        elif result.why and not any(step.why for step in result.steps):
            self._show(f"      {result.why}", "red")


def run(paths: Sequence[Path], profile: str | None, json: bool, console: Any) -> int:
    """Play scenarios for the command line: each step, what the skipped wait for, `N passed, N failed, N skipped`.

    Args:
        paths: files and folders.
        profile: the one profile to play on, or None.
        json: True prints one JSON document instead.
        console: a rich console.

    Returns:
        0 when none failed, 1 when one did, 2 when a file or a sentence is wrong.
    """

    def show(text: str, style: str) -> None:
        console.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)

    try:
        report = asyncio.run(play(paths, profile, watcher=None if json else Terminal(show)))
    except ScenarioError as error:
        show(str(error), "red")
        return 2
    if json:
        whole = {
            "line": report.line,
            "waiting": dict(report.waiting),
            "results": [result.as_json() for result in report.results],
        }
        console.print(
            jsonlib.dumps(whole, ensure_ascii=False, indent=1), markup=False, highlight=False, soft_wrap=True
        )
    else:
        if report.waiting_line:
            show(f"\n{report.waiting_line}", "yellow")
        show(f"\n{report.line}", "green" if report.ok else "red")
    return 0 if report.ok else 1
