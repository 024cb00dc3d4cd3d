"""Shows a rehearsal's report in a terminal or as JSON, with a progress bar where somebody is watching."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from groupops.errors import ConfigError
from groupops.importers.transcripts.values import Asked
from groupops.operations import read_start, shelf_of
from groupops.plugin import Texts, texts_of
from groupops.rehearsal.replay import Progress as Told
from groupops.rehearsal.replay import rehearse
from groupops.rehearsal.report import Comparison, Finding, Hit, Report

TOP = 10
"""Rows of a table of persons."""
EXAMPLES = 3
"""Examples shown for each rule."""
TEXT_WIDTH = 60
"""Characters of a message that are shown."""


def run_rehearsal(  # noqa: PLR0913 - one value for each option of the command
    file: Path,
    packs: Sequence[str],
    *,
    roster: Path | None = None,
    since: str = "",
    until: str = "",
    against: str | None = None,
    lenient: bool = False,
    group: str = "",
    day: str = "",
    as_json: bool = False,
    console: Console | None = None,
) -> int:
    """Rehearse and print what came of it: `groupops rehearse`.

    Args:
        file: the transcript.
        packs: ids of the packs.
        roster: the roster, if there is one.
        since: the first day, or moment, as ISO text in the operator's timezone.
        until: the last day, which is replayed too, or the moment before which it ends.
        against: id of another pack to compare with.
        lenient: True skips broken lines.
        group: which talk of a file that holds several, by id or name.
        day: the (last) day of a file whose times have none.
        as_json: True prints one JSON object instead of tables.
        console: where to print; the standard output if not given.

    Returns:
        The exit code: 0, or 1 when a plugin failed on the way.

    Raises:
        ConfigError: an option, the transcript, the roster or a pack is wrong.
    """
    shown = console or Console(emoji=False)
    start = read_start()
    zone = ZoneInfo(start.config.timezone)
    last_day = moment(day, zone, "--day")
    with _bar(Console(stderr=True, emoji=False)) as progress:
        report = asyncio.run(
            rehearse(
                file,
                packs,
                roster=roster,
                since=moment(since, zone, "--since"),
                until=moment(until, zone, "--until", end=True),
                against=against,
                lenient=lenient,
                progress=progress,
                extra=start.config.extra_plugins,
                disabled=start.config.disabled_plugins,
                shelf=shelf_of(start.config),
                env=start.settings,
                asked=Asked(
                    timezone=start.config.timezone, chat=group, day=last_day.date() if last_day else None
                ),
            )
        )
    if as_json:
        told = {**report.facts_of(), "digest": report.digest}
        shown.print(
            json.dumps(told, ensure_ascii=False, indent=1), markup=False, highlight=False, soft_wrap=True
        )
    else:
        shown.print(show(report))
    return 1 if report.failures else 0


def moment(text: str, zone: ZoneInfo, option: str, *, end: bool = False) -> datetime | None:
    """Read a day or a moment.

    Args:
        text: `2026-09-01`, `2026-09-01T08:00` or with an offset; empty gives None.
        zone: whose day it is.
        option: the option's name, for the error.
        end: True gives the first moment after a day.

    Raises:
        ConfigError: it is neither.
    """
    if not text:
        return None
    try:
        if len(text) == len("2026-09-01"):
            midnight = datetime.combine(date.fromisoformat(text), time(), zone)
            return midnight + timedelta(days=1) if end else midnight
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"{option} {text!r} is no day or moment; write it as 2026-09-01 or 2026-09-01T08:00"
        ) from error
    return read if read.tzinfo else read.replace(tzinfo=zone)


@contextmanager
def _bar(console: Console) -> Generator[Told | None, None, None]:
    """Show how far it is where somebody is watching."""
    if not console.is_terminal:
        yield None
        return
    label = TextColumn(texts_of(__package__)("progress"))
    columns = (label, BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def show(report: Report) -> RenderableType:
    """Give a report as something rich can print."""
    return _View(texts_of("groupops.rehearsal"), report).whole()


class _View:
    """A report in words and tables."""

    def __init__(self, texts: Texts, report: Report) -> None:
        self._say = texts
        self._report = report

    def whole(self) -> RenderableType:
        parts = [self._head(), self._found()]
        if self._report.findings:
            parts += [self._rules(), self._samples(), self._people()]
            parts += [self._ladders()] if self._report.standings else []
            parts += [self._days(), self._actions()]
        elif self._report.hits:
            parts.append(self._hits(self._report.hits))
        if self._report.against is not None:
            parts.append(self._against(self._report.against))
        return Group(*parts, self._remarks())

    # — words —

    def _head(self) -> RenderableType:
        report, say = self._report, self._say
        packs = "、".join(title or pack for pack, title in zip(report.packs, report.titles, strict=False))
        lines = [f"[bold]{escape(say('title', group=report.group_name or report.group, packs=packs))}[/]"]
        if report.first and report.last:
            span = say(
                "span", first=_minute(report.first), last=_minute(report.last), timezone=report.timezone
            )
            lines.append(span)
        lines.append(
            say("read", rows=report.rows, facts=report.facts, members=report.members, bound=report.bound)
        )
        if report.dropped:
            what = "、".join(say(f"dropped.{key}", count=count) for key, count in report.dropped.items())
            lines.append(say("dropped", what=what))
        if report.skipped:
            lines.append(f"[yellow]{say('skipped', count=len(report.skipped))}[/]")
            lines += [f"  [yellow]{escape(fault)}[/]" for fault in report.skipped]
        return Group("", *lines)

    def _found(self) -> RenderableType:
        report = self._report
        if not report.hits:
            return Padding(self._say("found.none"), (1, 0))
        waiting = sum(finding.waits for finding in report.findings)
        key = "found" if report.booked else "found.only"
        text = self._say(key, hits=len(report.hits), cases=len(report.findings), waiting=waiting)
        return Padding(f"[bold]{text}[/]", (1, 0))

    def _remarks(self) -> RenderableType:
        report, say = self._report, self._say
        lines = [f"[red]{escape(say('failure', what=what))}[/]" for what in report.failures]
        lines += [f"· {escape(say(f'remark.{one.key}', **one.values))}" for one in report.remarks]
        rate = f"{report.facts / report.seconds:,.0f}" if report.seconds else "—"
        speed = say("speed", seconds=f"{report.seconds:.2f}", rate=rate)
        return Group(
            f"[bold]{say('remarks')}[/]", *lines, "", f"[dim]{speed}[/]", say("digest", digest=report.digest)
        )

    # — tables —

    def _table(self, title: str, columns: Iterable[str], **values: object) -> Table:
        table = Table(
            title=self._say(title, **values), title_justify="left", title_style="bold", expand=False
        )
        for column in columns:
            right = column in ("cases", "waiting", "alone", "people", "strikes", "waits", "count", "hits")
            whole = right or column in ("time", "day", "person")
            table.add_column(
                self._say(f"column.{column}"),
                justify="right" if right else "left",
                no_wrap=whole,
                overflow="fold",
            )
        return table

    def _rules(self) -> Table:
        table = self._table("rules", ("rule", "clause", "cases", "waiting", "alone", "people"))
        for rule, findings in self._report.by_rule().items():
            waiting = sum(finding.waits for finding in findings)
            people = len({finding.account for finding in findings})
            row = (len(findings), waiting, len(findings) - waiting, people)
            table.add_row(escape(rule), findings[0].clause, *map(str, row))
        return table

    def _samples(self) -> Table:
        table = self._table("samples", ("time", "person", "text", "seen"), top=EXAMPLES)
        for rule, findings in self._report.by_rule().items():
            table.add_row("", "", f"[bold]{escape(rule)}[/]", "")
            for finding in findings[:EXAMPLES]:
                seen = "、".join(_short(quote) for quote in finding.quotes[:3]) or finding.reason
                table.add_row(
                    f"{finding.at:%m-%d %H:%M}",
                    escape(finding.name),
                    escape(_short(finding.text)),
                    escape(seen),
                )
        return table

    def _people(self) -> Table:
        table = self._table("people", ("person", "cases", "waiting", "top"), top=TOP)
        for name, findings in list(self._report.by_person().items())[:TOP]:
            waiting = sum(finding.waits for finding in findings)
            table.add_row(escape(name), str(len(findings)), str(waiting), escape(_most(findings)))
        return table

    def _ladders(self) -> Table:
        table = self._table("ladders", ("person", "ladder", "strikes", "waits"), top=TOP)
        for one in self._report.standings[:TOP]:
            table.add_row(escape(one.person), one.ladder, str(one.strikes), str(one.waiting))
        return table

    def _days(self) -> Table:
        table = self._table("days", ("day", "cases", "waiting", "top"))
        for day, findings in self._report.by_day().items():
            waiting = sum(finding.waits for finding in findings)
            table.add_row(day, str(len(findings)), str(waiting), escape(_most(findings)))
        return table

    def _actions(self) -> Table:
        table = self._table("actions", ("action", "count"))
        for what, count in sorted(self._report.actions.items(), key=lambda pair: -pair[1]):
            purpose, _, kind = what.partition(":")
            table.add_row(f"{self._say(f'purpose.{purpose}')}:{self._say(f'kind.{kind}')}", str(count))
        return table

    def _hits(self, hits: Sequence[Hit]) -> Table:
        table = self._table("rules", ("rule", "time", "person", "text"))
        for hit in hits[: TOP * EXAMPLES]:
            table.add_row("、".join(hit.rules), _minute(hit.at), escape(hit.name), escape(_short(hit.text)))
        return table

    def _against(self, other: Comparison) -> Table:
        packs = "、".join(other.packs)
        table = self._table("against", ("time", "person", "text", "rule"), packs=packs, cases=other.cases)
        for key, hits in (("newly", other.newly), ("no_longer", other.no_longer)):
            table.add_row("", "", f"[bold]{self._say(key, count=len(hits))}[/]", "")
            for hit in hits[:TOP]:
                rules = "、".join(hit.rules)
                table.add_row(
                    f"{hit.at:%m-%d %H:%M}", escape(hit.name), escape(_short(hit.text)), escape(rules)
                )
        table.add_row("", "", f"[bold]{self._say('otherwise', count=len(other.otherwise))}[/]", "")
        return table


def _most(findings: Sequence[Finding]) -> str:
    rules = [finding.rule for finding in findings]
    top = max(sorted(set(rules)), key=rules.count)
    return f"{top} ×{rules.count(top)}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TEXT_WIDTH else f"{line[: TEXT_WIDTH - 1]}…"
