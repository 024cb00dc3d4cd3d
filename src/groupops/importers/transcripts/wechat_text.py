"""Reads what WeChat itself hands out: messages selected and sent by mail or copied; minutes and shown names, no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from groupops.importers.chatlab_rows import BrokenLineError
from groupops.importers.transcripts.desk import Desk, body_of, fitting, hinted, hour_of
from groupops.importers.transcripts.mail_parts import MailLine, lines_of, unquoted
from groupops.importers.transcripts.values import Doubt, Party, Said, Value
from groupops.importers.transcripts.words import line

MAX_HEAD = 100
"""Characters of the longest line that may name a sender: names have at most 32."""


@dataclass(slots=True)
class _Block:
    """A message that is being read."""

    row: int
    at: datetime
    name: str
    doubt: Doubt = ""
    body: list[str] = field(default_factory=list[str])

    @property
    def begun(self) -> bool:
        """True once there are words: every message has some."""
        return any(map(str.strip, self.body))

    def said(self, chat: str) -> Said:
        """Give the message.

        Raises:
            BrokenLineError: it has too many words.
        """
        text = fitting(body_of(self.body))
        kind, media, doubt = hinted(text)
        return Said(
            row=self.row,
            at=self.at,
            precision="min",
            chat=chat,
            doubt=self.doubt or doubt,
            sender=Party(name=self.name),
            kind=kind,
            text=text,
            media=media,
        )


@dataclass(slots=True)
class _Mail:
    """Where one is in a selection, and what is known of the whole of it."""

    desk: Desk
    names: Counter[str]
    bold: bool
    spaced: bool
    chat: str = ""
    day: tuple[int, int, int] | None = None
    last: datetime | None = None
    block: _Block | None = None
    blank: bool = True

    def sender(self, one: MailLine, text: str) -> _Block | None:
        """Give the message a line begins; None where it is of a message's words.

        In plain text a line of talk may look like a sender's. It is not taken for one before the message above has
        any words, nor when it follows right upon words in a text whose messages stand apart, nor when its time
        would be earlier than the one above.
        """
        head = _head_of(text)
        if head is None or self.day is None or (self.bold and not one.bold):
            return None
        name, hour, minute = head
        plain, above = not self.bold, self.block
        if plain and above is not None and (not above.begun or (self.spaced and not self.blank)):
            return None
        try:
            at = self.desk.local(*self.day, hour, minute)
        except BrokenLineError:
            return None
        if plain and self.last is not None and at < self.last:
            return None
        return _Block(row=one.number, at=at, name=name, doubt=self._doubt(name))

    def _doubt(self, name: str) -> Doubt:
        sure = self.bold or self.names[name] > 1 or name in self.desk.asked.known
        return "" if sure else "line"

    def end(self) -> Iterator[Value]:
        """Give the message that was read, if there is one."""
        block, self.block = self.block, None
        if block is None:
            return
        self.desk.report.rows += 1
        try:
            yield block.said(self.chat)
        except BrokenLineError as error:
            self.desk.report.fault(f"line {block.row}", error)


def _head_of(text: str) -> tuple[str, int, int] | None:
    if len(text) > MAX_HEAD or ":" not in text:
        return None
    match = line("mail_said").match(text)
    if match is None:
        return None
    hour, minute = int(match["h"]), int(match["m"])
    if hour > 23 or minute > 59:  # noqa: PLR2004 - a clock
        return None
    return match["n"], hour_of(hour, match["ap"] or ""), minute


def _surveyed(desk: Desk) -> _Mail:
    """Look at all lines once: whether senders are bold, whether messages stand apart, who is named how often."""
    names, bold, spaced, tight, blank, dated = Counter[str](), 0, 0, 0, True, False
    for one in lines_of(desk.source):
        text = unquoted(one.text)
        head = _head_of(text)
        if line("mail_date").match(text):
            dated = True
        elif dated and head is not None:
            names[head[0]] += 1
            bold += bool(one.bold)
            spaced, tight = spaced + blank, tight + (not blank)
        blank = not text.strip() or bool(line("mail_date").match(text))
    return _Mail(desk=desk, names=names, bold=bold > 0, spaced=spaced >= tight)


def read_mail(desk: Desk) -> Iterator[Value]:
    """Read a selection that was sent by mail, as text or as page.

    Raises:
        ImportFailed: it is too large, or its text cannot be decoded.
    """
    mail = _surveyed(desk)
    for one in lines_of(desk.source):
        text = unquoted(one.text)
        if heading := line("mail_head").match(text):
            yield from mail.end()
            _begin(mail, heading.groupdict())
        elif date := line("mail_date").match(text):
            yield from mail.end()
            year, month, day = map(int, date.groups())
            mail.day, mail.last = (year, month, day), None
        elif block := mail.sender(one, text):
            yield from mail.end()
            mail.block, mail.last = block, block.at
        elif mail.block is not None and line("mail_foot").match(text):
            yield from mail.end()
            mail.day = None  # what follows a footer is no talk, before another date
        elif mail.block is not None:
            mail.block.body.append(_unmarked(one.text))
        mail.blank = not text.strip()
    yield from mail.end()


def _unmarked(text: str) -> str:
    while text.startswith(">"):
        text = text[1:].removeprefix(" ")
    return text


def _begin(mail: _Mail, heading: dict[str, str | None]) -> None:
    report, group = mail.desk.report, heading["g"]
    two = heading["c"] is not None or heading["a"] is not None
    mail.chat = group or " + ".join(name for key in "abce" if (name := heading[key]))
    report.talk(mail.chat, mail.chat, private=two)
    mail.day = mail.last = None


# — copied on a phone —


def read_ios_copy(desk: Desk) -> Iterator[Value]:
    """Read messages that were copied on a phone: a name, a line with the time alone, and the words."""
    block: _Block | None = None
    last: datetime | None = None
    waiting: tuple[int, str] | None = None
    blank = True
    for number, text in desk.source.lines(desk.report):
        at = _ios_moment(desk, text)
        if waiting is not None and at is not None and (last is None or at >= last):
            yield from _ended(desk, block)
            block, last = _Block(row=waiting[0], at=at, name=waiting[1].strip()), at
            waiting = None
        else:
            if waiting is not None and block is not None:
                block.body.append(waiting[1])
            waiting = (number, text) if blank and text.strip() else None
            if waiting is None and block is not None:
                block.body.append(text)
        blank = not text.strip()
    if waiting is not None and block is not None:
        block.body.append(waiting[1])
    yield from _ended(desk, block)


def _ios_moment(desk: Desk, text: str) -> datetime | None:
    match = line("ios_time").match(text.strip()) if len(text) <= MAX_HEAD else None
    if match is None:
        return None
    try:
        return desk.local(*map(int, match.groups()))
    except BrokenLineError:
        return None


def _ended(desk: Desk, block: _Block | None) -> Iterator[Value]:
    if block is None:
        return
    desk.report.rows += 1
    try:
        yield block.said("")
    except BrokenLineError as error:
        desk.report.fault(f"line {block.row}", error)


# — with a line before each message —


@dataclass(slots=True)
class Headed:
    """Lines that begin messages, found by their look, and the words between them."""

    desk: Desk
    begun: Any = None
    row: int = 0
    body: list[str] = field(default_factory=list[str])

    def blocks(self, pattern: str, longest: int) -> Iterator[tuple[int, Any, list[str]]]:
        """Give number and match of each line that begins a message, and the lines behind it.

        A line begins one only behind a blank line: so these formats are written.
        """
        blank = True
        for number, text in self.desk.source.lines(self.desk.report):
            match = line(pattern).match(text) if blank and len(text) <= longest else None
            if match is not None:
                if self.begun is not None:
                    yield self.row, self.begun, self.body
                self.begun, self.row, self.body = match, number, []
            elif self.begun is not None:
                self.body.append(text)
            blank = not text.strip()
        if self.begun is not None:
            yield self.row, self.begun, self.body

    def read(self, pattern: str, longest: int, made: Any) -> Iterator[Value]:
        """Give what `made` makes of each block; a block it cannot read is a fault."""
        for row, match, body in self.blocks(pattern, longest):
            self.desk.report.rows += 1
            try:
                yield made(row, match, body_of(body))
            except BrokenLineError as error:
                self.desk.report.fault(f"line {row}", error)


def read_weflow_txt(desk: Desk) -> Iterator[Value]:
    """Read TXT of WeFlow: time and name in quotes, then the words."""

    def made(row: int, match: Any, body: str) -> Value:
        kind, media, doubt = hinted(body)
        return Said(
            row=row,
            at=desk.local_text(match[1]),
            sender=Party(name=match[2]),
            kind=kind,
            text=fitting(body),
            media=media,
            doubt=doubt,
        )

    return Headed(desk).read("weflow_head", 300, made)
