"""What every reader works at: the file, what the operator said, the report, the clock, and how rows are taken one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from groupops.errors import ConfigError, ImportFailed
from groupops.importers.chatlab_rows import BrokenLineError, Row, is_row, shown, timezones
from groupops.importers.transcripts.json_stream import BrokenJsonError, JsonStream
from groupops.importers.transcripts.source import MAX_TEXT, Source, opened
from groupops.importers.transcripts.values import Asked, Doubt, Kind, Report, Value
from groupops.importers.transcripts.words import words

MILLISECONDS_FROM: Final = 10**11
"""A time above this is told in milliseconds: in seconds it would be the year 5138."""

_LOCAL = re.compile(r"(\d{4})-(\d{2})-(\d{2})[ T](\d{1,2}):(\d{2}):(\d{2})")
_NOON = 12
_BEGINS: Final = "[!"
"""What nearly all words begin with that stand for something else."""

Converted = Callable[[int, Row], Iterable[Value]]
"""Makes values of one row; raises BrokenLineError for a row that cannot be read."""


@dataclass(slots=True)
class Desk:
    """Where one file is read."""

    source: Source
    asked: Asked
    report: Report
    zone: ZoneInfo = field(init=False)
    _from: datetime = field(init=False)
    _until: datetime | None = field(init=False)

    def __post_init__(self) -> None:
        self.zone = _zone(self.asked.timezone)
        day, last = self.asked.earliest, self.asked.latest
        self._from = datetime(day.year, day.month, day.day, tzinfo=UTC)
        self._until = datetime(last.year, last.month, last.day, tzinfo=UTC) if last else None

    # — times —

    def local(self, *numbers: int) -> datetime:
        """Give the moment of year, month, day, hour, minute, second (and so on) in the zone that was asked for.

        Raises:
            BrokenLineError: there is no such time, or no message can be of it.
        """
        try:
            return self.checked(datetime(*numbers, tzinfo=self.zone).astimezone(UTC))  # type: ignore[misc, arg-type]  # three to seven numbers
        except (ValueError, OverflowError) as error:
            raise BrokenLineError(f"{shown(numbers)} is no time: {error}") from error

    def local_text(self, text: str) -> datetime:
        """Give the moment of `YYYY-MM-DD HH:MM:SS`.

        Raises:
            BrokenLineError: as `local`.
        """
        match = _LOCAL.fullmatch(text.strip())
        if match is None:
            raise BrokenLineError(f"{shown(text)} is no time, expected YYYY-MM-DD HH:MM:SS")
        return self.local(*map(int, match.groups()))

    def epoch(self, value: object, where: str) -> datetime:
        """Give the moment of seconds, or milliseconds, since 1970; a text of digits is taken too.

        Raises:
            BrokenLineError: it is no whole number, or no message can be of it.
        """
        number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
        if type(number) is not int or not 0 <= number < 10**15:
            raise BrokenLineError(f"{where} is {shown(value)}, expected seconds or milliseconds since 1970")
        ms = number if number > MILLISECONDS_FROM else number * 1000
        return self.checked(datetime.fromtimestamp(ms // 1000, UTC) + timedelta(milliseconds=ms % 1000))

    def iso(self, value: object, where: str) -> datetime:
        """Give the moment of an ISO 8601 text; one without an offset is local.

        Raises:
            BrokenLineError: it is none, or no message can be of it.
        """
        try:
            moment = datetime.fromisoformat(value if isinstance(value, str) else "")
            aware = moment if moment.tzinfo else moment.replace(tzinfo=self.zone)
            return self.checked(aware.astimezone(UTC))
        except (ValueError, OverflowError) as error:
            raise BrokenLineError(f"{where} is {shown(value)}, expected a time of ISO 8601") from error

    def checked(self, moment: datetime) -> datetime:
        """Give a moment back if a message can be of it.

        Raises:
            BrokenLineError: it lies before the first day or behind the last.
        """
        if not self.can_be(moment):
            until = self.asked.latest or ""
            raise BrokenLineError(
                f"its time is {moment.astimezone(self.zone):%Y-%m-%d %H:%M:%S}, "
                f"expected one from {self.asked.earliest} on and before {until}"
            )
        return moment

    def can_be(self, moment: datetime) -> bool:
        """Say whether a message can be of a moment."""
        return moment >= self._from and (self._until is None or moment < self._until)

    # — rows —

    def each(self, rows: Iterable[tuple[int, Any]], converted: Converted, unit: str) -> Iterator[Value]:
        """Make values of rows; a row that cannot be read is a fault, and the others are read on."""
        report = self.report
        for number, row in rows:
            report.rows += 1
            try:
                values = tuple(converted(number, _object(row)))
            except BrokenLineError as error:
                report.fault(f"{unit} {number}", error)
                continue
            yield from values

    def document(self, path: Sequence[str], head: Callable[[str, Any], None]) -> Iterator[tuple[int, Any]]:
        """Give the items of a list in a document, numbered from 1, and hand over what stands before and behind it.

        Args:
            path: the keys that lead to the list; none when the document is the list.
            head: is given each other outer key with its value, large ones left out.

        Raises:
            ImportFailed: the document is broken before its list; where it breaks later, that is a fault.
        """
        with opened(self.source.path) as file:
            stream, count = JsonStream(file, self.source.encoding), 0
            try:
                for count, item in enumerate(_items(stream, path, head), start=1):
                    yield count, item
                if stream.peek():
                    self.report.fault(f"after item {count}", "more stands behind the end of the document")
            except BrokenLineError as error:
                raise ImportFailed(self.source.path.name, [f"its head: {error}"]) from error
            except BrokenJsonError as error:
                if not count:
                    raise ImportFailed(self.source.path.name, [f"{error.where}: {error}"]) from error
                self.report.rows += 1
                self.report.fault(f"after item {count} ({error.where})", f"is not JSON: {error}")


def _object(row: object) -> Row:
    if not is_row(row):
        raise BrokenLineError(f"is {shown(row)}, expected an object")
    return row


HEADS: Final = frozenset(
    "chatlab meta members metadata chatInfo chunked weflow exportInfo session keyword lastTime talker guild channel "
    "name type id groupops senders groupMembers".split()
)
"""Outer keys that readers want; the others may be of any size and are passed over."""


def _items(stream: JsonStream, path: Sequence[str], head: Callable[[str, Any], None]) -> Iterator[Any]:
    if not path:
        yield from stream.items()
        return
    for key in stream.pairs():
        if key == path[0] and stream.peek() in "[{":
            yield from _items(stream, path[1:], head)
        elif key in HEADS:
            head(key, stream.value())
        else:
            stream.skip()


def _zone(name: str) -> ZoneInfo:
    if name not in timezones():
        raise ConfigError(f"timezone {name!r} is unknown, expected an IANA name such as Asia/Shanghai")
    return ZoneInfo(name)


def hour_of(hour: int, side: str) -> int:
    """Give the hour of a clock with twenty-four of them.

    Args:
        hour: as written.
        side: what stands with it: nothing, AM, PM, or a word for a part of the day.

    Raises:
        BrokenLineError: such a clock has no such hour.
    """
    afternoon = words().sides.get(side.strip()) if side else None
    if afternoon is None or hour > _NOON:
        return hour  # a clock with twenty-four hours may have a word for the part of the day before it, too
    if hour == _NOON:
        return _NOON if afternoon else 0
    return hour + _NOON if afternoon else hour


def hinted(body: str) -> tuple[Kind, tuple[str, ...], Doubt]:
    """Say what a text stands for in a format without types: kind, names of what is attached, and the doubt.

    Anybody can type such words, so whatever is not plain text is doubtful.
    """
    if not body or "\n" in body or len(body) > MAX_HINT:
        return "text", (), ""
    if body[-1] == "）" and (match := words().lines["attachment"].match(body)):
        kind: Any = words().attachments[match["kind"]]
        return kind, (f"{match['kind']}{match['n']}",), "kind"
    if body[0] not in _BEGINS and not words().lines["hint_anywhere"].search(body):
        return "text", (), ""
    for name, pattern in words().hints:
        if pattern.match(body):
            found: Any = name
            return found, (), "kind"
    return "text", (), ""


MAX_HINT = 400
"""Characters of the longest text that may stand for something else."""


def fitting(text: str) -> str:
    """Give a text that is not too long.

    Raises:
        BrokenLineError: it is.
    """
    if len(text) > MAX_TEXT:
        raise BrokenLineError(f"its text has {len(text)} characters, at most {MAX_TEXT} are read")
    return text


def body_of(lines: Sequence[str]) -> str:
    """Join the lines of a message; blank ones around it are the format's, those within it the sender's."""
    return "\n".join(lines).strip("\n").rstrip()
