"""Shows advice: as a page for a browser, as text for a terminal, as JSON, and its notices as a file to paste from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from groupops.advise.findings import Advice, Duty, Finding, RosterLine, Step
from groupops.advise.page import Markup, document, joined, tag
from groupops.importers.transcript import Remark
from groupops.plugin import Texts, texts_of

T = TypeVar("T")

TEXT_WIDTH = 200
"""Characters of a message that are shown; the whole of it is in the case."""


def as_json(advice: Advice) -> str:
    """Give all of it as one JSON object."""
    return json.dumps(advice.plain(), ensure_ascii=False, indent=1)


def as_notices(advice: Advice) -> str:
    """Give the notices, numbered, ready to be pasted one by one; empty where there are none."""
    say, blocks = texts_of("groupops.advise"), list[str]()
    for number, notice in enumerate(advice.notices, start=1):
        key = "notice.block_to" if notice.to else "notice.block"
        blocks.append(f"{say(key, number=number, to=notice.to)}\n{notice.text}\n")
    return f"{say('notice.rule')}\n".join(blocks)


def as_text(advice: Advice) -> str:
    """Give it as plain text, without colours."""
    return "\n".join(_Words(advice).text()) + "\n"


def as_page(advice: Advice) -> str:
    """Give it as one page of HTML that needs nothing else; every text from outside is escaped."""
    return _Page(advice).whole()


class _Words:
    """The advice in words; whatever is shown is made of these."""

    def __init__(self, advice: Advice) -> None:
        self.advice = advice
        self.say: Texts = texts_of("groupops.advise")
        self._rehearsal: Texts = texts_of("groupops.rehearsal")
        self._keys = self.say.keys()

    def head(self) -> list[str]:
        """Say what it is of, and by what it was judged."""
        one, say = self.advice, self.say
        lines = [say("policy", titles=say("joint").join(one.titles), stage=one.stage)]
        if one.first and one.last:
            span = {"first": f"{one.first:%Y-%m-%d %H:%M}", "last": f"{one.last:%Y-%m-%d %H:%M}"}
            lines.append(say("span", timezone=one.timezone, **span))
        else:
            lines.append(say("no_span"))
        for file in one.files:
            told = {"name": file.name, "format": file.format, "rows": file.rows}
            lines.append(say("file", fresh=file.fresh, again=file.again, **told))
            if file.faults:
                lines.append(say("file.faults", count=len(file.faults)))
        if one.members >= 0:
            lines.append(say("members", count=one.members))
        return lines

    def counts(self) -> str:
        """Say how much was found."""
        standings = [finding.standing for finding in self.advice.findings]
        return self.say(
            "counts",
            findings=len(standings),
            cases=standings.count("case"),
            review=standings.count("review"),
            remind=standings.count("remind"),
            steps=len(self.advice.steps),
            closed=len(self.advice.closed),
        )

    def standing(self, finding: Finding) -> str:
        """Say what became of a finding, and why it is no more."""
        doubts = [self.say(f"doubt.{doubt}") for doubt in finding.doubts]
        more = f"({self.say('joint').join(doubts)})" if doubts else ""
        return self.say(f"standing.{finding.standing}") + more

    def place(self, finding: Finding) -> str:
        """Say where the message is to be found."""
        parts = [self.say("place", file=finding.file, row=finding.row)] if finding.row else []
        if finding.message_id and not finding.message_id.startswith("~"):
            parts.append(self.say("message", id=finding.message_id))
        return self.say("joint").join(parts)

    def clause(self, finding: Finding) -> str:
        """Say which rule."""
        return finding.clause or finding.rule

    def closed(self, by: str) -> str:
        """Say what closed a ticket."""
        key = f"closed.{by}"
        return self.say(key if key in self._keys else "closed.other", by=by)

    def remark(self, remark: Remark) -> str:
        """Say what could not be told."""
        key = f"remark.{remark.key}"
        return (self.say if key in self._keys else self._rehearsal)(key, **remark.values)

    def remarks(self) -> list[str]:
        """Say all that could not be told, and what failed."""
        failures = [self.say("failure", what=what) for what in self.advice.failures]
        told = [self.say("told", count=self.advice.told)] if self.advice.told else []
        return [*failures, *told, *map(self.remark, self.advice.remarks)]

    # — as text —

    def text(self) -> Iterator[str]:
        one, say = self.advice, self.say
        yield say("head", group=one.group_name or one.group)
        yield from self.head()
        yield self.counts()
        yield from self._section("findings", one.findings, self._finding)
        yield from self._section("duties", one.duties, self._duty)
        yield from self._section("roster", one.roster, self._difference)
        yield from self._section("steps", one.steps, self._step)
        yield from self._section(
            "closed",
            one.closed,
            lambda ticket: [f"#{ticket.number} {ticket.text} — {self.closed(ticket.by)}"],
        )
        if one.notices:
            yield f"\n== {say('section.notices')} =="
            yield as_notices(one).rstrip("\n")
        yield from self._section("remarks", self.remarks(), lambda remark: [f"· {remark}"])

    def _section(self, name: str, items: Sequence[T], lines: Callable[[T], Iterable[str]]) -> Iterator[str]:
        if items:
            yield f"\n== {self.say(f'section.{name}')} =="
            for item in items:
                yield from lines(item)

    def _finding(self, one: Finding) -> Iterator[str]:
        yield f"{one.at:%m-%d %H:%M} {one.name} [{self.clause(one)}] {one.reason} — {self.standing(one)}"
        if one.text:
            yield f"    “{short(one.text)}”"
        if place := self.place(one):
            yield f"    {place}"
        yield f"    → {one.ask}"

    def _duty(self, one: Duty) -> Iterator[str]:
        yield f"T{one.number} {one.name}:{one.title}({one.due_at:%m-%d %H:%M})— {self.say(f'duty.{one.status}')}"

    def _difference(self, one: RosterLine) -> Iterator[str]:
        clause = f" [{one.clause}]" if one.clause else ""
        yield f"{self.say(f'difference.{one.kind}')}:{one.name}{clause}" + (
            f" → {one.ask}" if one.ask else ""
        )

    def _step(self, one: Step) -> Iterator[str]:
        deed = f" [{one.deed}]" if one.deed else ""
        yield f"#{one.number}{deed} {one.text}"
        if one.hint:
            yield f"    {one.hint}"


class _Page:
    """The advice as a page."""

    def __init__(self, advice: Advice) -> None:
        self._words = _Words(advice)
        self._advice = advice
        self._say = self._words.say

    def whole(self) -> str:
        one = self._advice
        title = self._say("head", group=one.group_name or one.group)
        return document(
            title,
            [
                tag("h1", title),
                *(tag("p", line, class_="quiet") for line in self._words.head()),
                tag("p", self._say("made", at=f"{one.made_at:%Y-%m-%d %H:%M}"), class_="quiet"),
                tag("p", self._words.counts(), class_="counts"),
                *self._findings(),
                *self._duties(),
                *self._roster(),
                *self._steps(),
                *self._closed(),
                *self._notices(),
                *self._remarks(),
            ],
        )

    def _table(self, section: str, columns: Iterable[str], rows: Sequence[Iterable[Markup]]) -> list[Markup]:
        if not rows:
            return []
        heads = [tag("th", self._say(f"column.{column}")) for column in columns]
        body = [tag("tr", *cells) for cells in rows]
        return [
            tag("h2", f"{self._say(f'section.{section}')} · {len(rows)}"),
            tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body)),
        ]

    def _findings(self) -> list[Markup]:
        columns = ("time", "person", "clause", "text", "state", "notice", "ask")
        return self._table("findings", columns, [list(self._finding(one)) for one in self._advice.findings])

    def _finding(self, one: Finding) -> Iterator[Markup]:
        yield tag("td", f"{one.at:%m-%d %H:%M}", class_="nowrap")
        yield tag("td", one.name)
        yield tag("td", tag("b", self._words.clause(one)), tag("p", one.clause_text, class_="quiet"))
        seen = self._say("seen", quotes=self._say("joint").join(one.quotes)) if one.quotes else ""
        told = [tag("blockquote", short(one.text))] if one.text else []
        yield tag("td", *told, tag("p", one.reason), *self._quiet(seen), *self._quiet(self._words.place(one)))
        yield tag("td", self._mark(one.standing, self._words.standing(one)))
        yield tag("td", one.notice)
        yield tag("td", one.ask)

    def _quiet(self, text: str) -> list[Markup]:
        return [tag("p", text, class_="quiet")] if text else []

    def _mark(self, kind: str, text: str) -> Markup:
        return tag("span", text, class_=f"mark {kind}")

    def _duties(self) -> list[Markup]:
        rows = [
            [
                tag("td", one.name),
                tag("td", one.title),
                tag("td", f"{one.due_at:%m-%d %H:%M}", class_="nowrap"),
                tag("td", self._mark(one.status, self._say(f"duty.{one.status}"))),
            ]
            for one in self._advice.duties
        ]
        return self._table("duties", ("person", "what", "due", "state"), rows)

    def _roster(self) -> list[Markup]:
        rows = [
            [
                tag("td", self._mark(one.kind, self._say(f"difference.{one.kind}"))),
                tag("td", one.name),
                tag("td", one.detail),
                tag("td", one.clause),
                tag("td", one.ask),
            ]
            for one in self._advice.roster
        ]
        return self._table("roster", ("kind", "person", "detail", "clause", "ask"), rows)

    def _steps(self) -> list[Markup]:
        rows = [
            [
                tag("td", f"#{one.number}", class_="nowrap new" if one.new else "nowrap"),
                tag("td", f"{one.opened_at:%m-%d %H:%M}", class_="nowrap"),
                tag("td", f"{one.text} {one.hint}".rstrip()),
                tag("td", one.deed),
            ]
            for one in self._advice.steps
        ]
        return self._table("steps", ("number", "time", "what", "wanted"), rows)

    def _closed(self) -> list[Markup]:
        rows = [
            [tag("td", f"#{one.number}"), tag("td", one.text), tag("td", self._words.closed(one.by))]
            for one in self._advice.closed
        ]
        return self._table("closed", ("number", "what", "state"), rows)

    def _notices(self) -> list[Markup]:
        notices = self._advice.notices
        if not notices:
            return []
        parts = [tag("h2", f"{self._say('section.notices')} · {len(notices)}")]
        for one in notices:
            heading = f"{self._say('section.private')}:{one.to}" if one.to else ""
            parts += [*self._quiet(heading), tag("pre", one.text)]
        return parts

    def _remarks(self) -> list[Markup]:
        remarks = self._words.remarks()
        if not remarks:
            return []
        return [tag("h2", self._say("section.remarks")), tag("ul", joined(tag("li", one) for one in remarks))]


def short(text: str) -> str:
    """Give a text as it is shown: not too long."""
    return text if len(text) <= TEXT_WIDTH else f"{text[: TEXT_WIDTH - 1]}…"
