"""Reads what QQ's own message manager saved: TXT and MHT; local times, ids in brackets, no ids of messages."""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from groupops.errors import ImportFailed
from groupops.importers.chatlab_rows import BrokenLineError
from groupops.importers.transcripts.desk import Desk, body_of, fitting, hinted, hour_of
from groupops.importers.transcripts.notices import noticed
from groupops.importers.transcripts.source import clean, opened
from groupops.importers.transcripts.values import Doubt, Party, Said, Value
from groupops.importers.transcripts.words import line, words

SYSTEM_IDS: Final = frozenset({"10000", "1000000"})
ANONYMOUS: Final = "80000000"
"""The number under which everybody speaks who speaks without a name: never one person."""

MAX_HEAD = 300
"""Characters of the longest line that may begin a message."""

_RULE = re.compile(r"={30,}\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """A line that begins a message: when, who, and whether its id is written."""

    row: int
    when: tuple[int, ...]
    rest: str
    named: re.Match[str] | None


def _head_of(number: int, text: str) -> _Head | None:
    """Give what a line says if it may begin a message."""
    if not text[:1].isdigit() or len(text) > MAX_HEAD:
        return None
    match = line("qq_head").match(text)
    if match is None:
        return None
    day = tuple(map(int, match["d"].split("-")))
    hour, minute, second = map(int, match["t"].split(":"))
    when = (*day, hour_of(hour, match["ap"] or ""), minute, second)
    if when[3] > 23 or minute > 59 or second > 59 or not 1 <= day[1] <= 12 or not 1 <= day[2] <= 31:  # noqa: PLR2004 - a clock, a calendar
        return None
    return _Head(row=number, when=when, rest=match["rest"], named=line("qq_id").match(match["rest"]))


@dataclass(slots=True)
class _Habits:
    """How a file is written, as a first look at all its lines shows.

    Args:
        ids: True when senders are written with ids; a line without one is then no sender's.
        spaced: True when messages are apart by blank lines; a line that follows upon words is then no sender's.
    """

    ids: bool = False
    spaced: bool = False


def _habits(desk: Desk) -> _Habits:
    ids = spaced = tight = spaced_ids = tight_ids = 0
    blank = True
    for number, _, raw in desk.source.raw_lines():
        head = _head_of(number, _loosely(desk, raw)) if raw[:1].isdigit() or not number - 1 else None
        if head is not None:
            if head.named:
                ids += 1
                spaced_ids, tight_ids = spaced_ids + blank, tight_ids + (not blank)
            spaced, tight = spaced + blank, tight + (not blank)
        blank = raw.isspace() or (raw[:1] == b"=" and bool(_RULE.fullmatch(_loosely(desk, raw))))
    if ids:
        spaced, tight = spaced_ids, tight_ids
    return _Habits(ids=ids > 0, spaced=spaced >= tight)


def _loosely(desk: Desk, raw: bytes) -> str:
    """Decode a line without noting what cannot be decoded: the second look does that."""
    encoding = "utf-8" if desk.source.encoding.startswith("utf") else desk.source.encoding
    return clean(raw.decode(encoding, "replace").rstrip("\r\n"))


@dataclass(slots=True)
class _Writer:
    """Makes values of heads and bodies, remembering names and the order of time."""

    desk: Desk
    names: dict[str, str] = field(default_factory=dict[str, str])
    chat: str = ""
    last: datetime | None = None

    def value(self, head: _Head, body: str, media: tuple[str, ...] = ()) -> Value:
        """Give the value of one message.

        Raises:
            BrokenLineError: it has no time, or too many words.
        """
        at = self.desk.local(*head.when)
        doubt: Doubt = "order" if self.last is not None and at < self.last else ""
        self.last = max(at, self.last or at)
        base: dict[str, Any] = {"row": head.row, "at": at, "chat": self.chat, "precision": "s"}
        sender = self._sender(head)
        shared = sender.id == ANONYMOUS
        if shared:
            sender = Party(name=sender.name)
        if sender.id in SYSTEM_IDS:
            return noticed("qq", fitting(body), base)
        kind, attached, seen = hinted(body)
        if media and kind == "image":
            seen = ""  # there is a picture, nobody typed that
        if shared:
            seen = "shared_id"
        return Said(
            **base,
            sender=sender,
            kind=kind,
            text=fitting(body),
            media=media or attached,
            doubt=doubt or seen,
        )

    def named(self, chat: str) -> None:
        """Begin another talk."""
        self.chat, self.last = chat, None
        self.desk.report.talk(chat, chat)

    def _sender(self, head: _Head) -> Party:
        match = head.named
        id_ = (match["id"] or match["em"] or "") if match else ""
        name = match["n"] if match else head.rest
        titled = line("qq_title").match(name)
        if titled and (id_ or titled["n"].strip()):  # else the brackets are all there is of a name
            name = titled["n"]
        name = name.strip()
        if name == id_:
            name = self.names.get(id_, name)
        elif id_:
            self.names[id_] = name
        return Party(id=id_, name=name)


def read_txt(desk: Desk) -> Iterator[Value]:
    """Read TXT.

    Raises:
        ImportFailed: no line of it begins a message.
    """
    habits, writer = _habits(desk), _Writer(desk)
    if not habits.ids:
        desk.report.identity = "name"
    head: _Head | None = None
    body: list[str] = []
    blank, ruled = True, False
    for number, text in desk.source.lines(desk.report):
        begins = _begins(number, text, habits, blank=blank)
        object_ = line("qq_object").match(text) if ruled else None
        if begins or object_:
            yield from _said(writer, head, body if begins else _without_heading(body))
            head, body = begins, []
        elif head is not None:
            body.append(text)
        if object_:
            writer.named(object_["name"].strip())
        ruled = bool(_RULE.fullmatch(text))
        blank = ruled or not text.strip()
    yield from _said(writer, head, body)


def _begins(number: int, text: str, habits: _Habits, *, blank: bool) -> _Head | None:
    head = _head_of(number, text)
    if head is None or (habits.ids and head.named is None) or (habits.spaced and not blank):
        return None
    return head


def _without_heading(body: list[str]) -> list[str]:
    """Leave out the heading of the next talk: from the rule above its group on."""
    while body and (not body[-1].strip() or _RULE.fullmatch(body[-1]) or line("qq_group").match(body[-1])):
        body.pop()
    return body


def _said(writer: _Writer, head: _Head | None, body: list[str]) -> Iterator[Value]:
    if head is None:
        return
    report = writer.desk.report
    report.rows += 1
    try:
        yield writer.value(head, body_of(body))
    except BrokenLineError as error:
        report.fault(f"line {head.row}", error)


# — MHT —

MAX_ROW = 4 * 1024**2
"""Characters of the longest row of the table."""

_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL | re.IGNORECASE)
_NAME = re.compile(r"<div style=color:(#\w{6});[^<>]*><div[^<>]*>([^<>]*)</div>([^<>]*)</div>(.*)", re.DOTALL)
_IMAGE = re.compile(r'<img\s+src="?([^">]*)"?[^>]*>', re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>|</div>\s*<div[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_CLOCK = re.compile(r"\s*(\d{1,2}):(\d{2}):(\d{2})(?:\s*(\S+))?\s*")
_CHUNK = 256 * 1024
_OWN = "#42B475"


def read_mht(desk: Desk) -> Iterator[Value]:
    """Read the table of an MHT, row by row; the pictures behind it are not looked at.

    Raises:
        ImportFailed: a row is longer than `MAX_ROW`.
    """
    writer, day = _Writer(desk), (0, 0, 0)
    for number, row in enumerate(_rows(desk), start=1):
        if told := line("mht_date").search(row):
            year, month, date = map(int, told.groups())
            day = (year, month, date)
        elif match := _NAME.search(row):
            yield from _row_said(desk, writer, number, day, match)
        else:
            _row_named(writer, _plain(row))


def _rows(desk: Desk) -> Iterator[str]:
    decoder, text, lines = codecs.getincrementaldecoder(desk.source.encoding)(), "", False
    with opened(desk.source.path) as file:
        while not lines:
            chunk = file.read(_CHUNK)
            try:
                text += decoder.decode(chunk, not chunk)
            except UnicodeDecodeError as error:
                raise ImportFailed(
                    desk.source.path.name, [f"byte {error.start} of a piece is not {desk.source.encoding}"]
                ) from error
            end = text.lower().find("</html>")
            text, lines = (text[:end], True) if end >= 0 else (text, not chunk)
            done = 0
            for match in _ROW.finditer(text):
                done = match.end()
                yield match[1]
            text = text[done:]
            if len(text) > MAX_ROW:
                raise ImportFailed(desk.source.path.name, [f"a row has more than {MAX_ROW} characters"])
    if "<tr>" in text.lower():
        desk.report.rows += 1
        desk.report.fault("the last row", "the file ends within it")


def _row_said(
    desk: Desk, writer: _Writer, number: int, day: tuple[int, int, int], match: re.Match[str]
) -> Iterator[Value]:
    report = desk.report
    report.rows += 1
    clock = _CLOCK.fullmatch(html.unescape(match[3]))
    rest = _plain(match[2])
    if clock is None or not rest or not day[0]:
        report.fault(f"row {number}", "has no sender, no time, or no date above it")
        return
    head = _Head(
        row=number,
        when=(*day, hour_of(int(clock[1]), clock[4] or ""), int(clock[2]), int(clock[3])),
        rest=rest,
        named=line("qq_id").match(rest),
    )
    try:
        pictures = tuple(_IMAGE.findall(match[4]))
        value = writer.value(head, _plain(match[4]), pictures)
        if match[1].upper() == _OWN and isinstance(value, Said):
            report.me = value.sender.key
        yield value
    except BrokenLineError as error:
        report.fault(f"row {number}", error)


def _row_named(writer: _Writer, text: str) -> None:
    if told := line("qq_object").match(text):
        writer.named(told["name"].strip())


def _plain(markup: str) -> str:
    """Give the words of a piece of a page."""
    text = _IMAGE.sub(words().image, markup)
    text = _TAG.sub("", _BREAK.sub("\n", text))
    return clean(html.unescape(text).replace("\u00a0", " ")).strip("\r\n ")
